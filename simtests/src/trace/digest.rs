//! A hash of what happens, without a text of it. Equal on every machine.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, SocketAddr};

use towline_core::action::Action;
use towline_core::conn::{FromConn, ToConn};
use towline_core::drive::Step;
use towline_core::error::Explain;
use towline_core::event::Event;
use towline_core::notice::Notice;
use towline_core::socket::Ends;
use towline_core::work::{Work, WorkDone};

/// An odd number whose bits look like chance: the fraction of the golden ratio, as in SplitMix64.
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hash so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(ODD)
    }
}

impl Digest {
    pub(super) const fn value(self) -> u64 {
        self.0
    }

    pub(super) const fn word(&mut self, word: u64) {
        let product = (self.0 ^ word) as u128 * ODD as u128;
        // Both halves count, and the rotation keeps a zero from staying one.
        self.0 = (product as u64 ^ (product >> 64) as u64).rotate_left(23).wrapping_add(ODD);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.word(u64::from_le_bytes(*word)));
        if !rest.is_empty() {
            self.word(rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        }
    }

    pub(super) fn address(&mut self, address: SocketAddr) {
        match address.ip() {
            IpAddr::V4(ip) => self.word(u64::from(ip.to_bits())),
            IpAddr::V6(ip) => self.bytes(&ip.octets()),
        }
        self.word(u64::from(address.port()));
    }

    pub(super) fn ends(&mut self, ends: Ends) {
        self.address(ends.local);
        self.address(ends.peer);
    }

    /// Something rare: by its debug form, which goes nowhere else.
    fn debug(&mut self, value: &impl fmt::Debug) {
        let _never_fails = fmt::Write::write_fmt(self, format_args!("{value:?}"));
    }

    /// What a value is, without what it holds: by the place of its variant.
    fn variant<T>(&mut self, value: &T) {
        std::mem::discriminant(value).hash(self);
    }

    pub(super) fn step(&mut self, step: &Step<'_>) {
        match step {
            Step::Event(event) => self.event(event),
            Step::Action(action) => self.action(action),
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::FromConn { conn, message } => {
                self.word(1);
                self.word(conn.0);
                match message {
                    FromConn::Text(text) => self.bytes(text),
                    FromConn::Signal(signal) => self.word(i64::from(signal.number()) as u64),
                    FromConn::Authenticated(peer) => self.bytes(peer.name.name.as_bytes()),
                    FromConn::Parcel(parcel) | FromConn::ParcelSent(parcel) => self.word(parcel.bytes.len() as u64),
                    FromConn::Reached { stage, by_key } => {
                        self.variant(stage);
                        self.word(u64::from(*by_key));
                    }
                    FromConn::Machine(said) => self.variant(said),
                    FromConn::Carried(outcome) => self.variant(outcome),
                    FromConn::Closed(reason) => {
                        self.word(16);
                        self.word(u64::from(reason.code().0));
                    }
                    other => self.debug(other),
                }
            }
            Event::Done { work, done } => {
                self.word(2);
                self.word(work.0);
                match done {
                    WorkDone::Disk(done) => self.variant(done),
                    WorkDone::Catalog(Ok(answer)) => self.variant(answer),
                    other => self.variant(other),
                }
            }
            Event::Resolved { query, answer } => {
                self.word(10);
                self.word(query.0);
                match answer {
                    Ok(addresses) => addresses.iter().for_each(|address| self.address(*address)),
                    Err(error) => self.variant(error),
                }
            }
            Event::Dialed { dial, outcome } => {
                self.word(3);
                self.word(dial.0);
                match outcome {
                    Ok(ends) => self.ends(*ends),
                    Err(kind) => self.word(*kind as u64),
                }
            }
            Event::Accepted { ticket, listener, ends } => {
                self.word(4);
                self.word(ticket.0);
                self.word(listener.0);
                self.ends(*ends);
            }
            Event::Bound { listener, outcome: Ok(address) } => {
                self.word(17);
                self.word(listener.0);
                self.address(*address);
            }
            other => self.debug(other),
        }
    }

    fn action(&mut self, action: &Action) {
        match action {
            Action::ToConn { conn, message } => {
                self.word(5);
                self.word(conn.0);
                match message {
                    ToConn::Send(frames) => self.bytes(frames),
                    ToConn::Parcel(parcel) => self.word(parcel.bytes.len() as u64),
                    ToConn::Taken(messages) => self.word(u64::from(*messages)),
                    ToConn::Carry(_) => self.word(6),
                    ToConn::Heartbeat { every, sending } => {
                        self.word(11);
                        self.word(every.as_nanos() as u64);
                        self.word(u64::from(*sending));
                    }
                    ToConn::Close { farewell } => self.word(12 + u64::from(*farewell)),
                    ToConn::Machine(order) => self.variant(order),
                    ToConn::Gather | ToConn::GatherLines | ToConn::GatherTexts | ToConn::Report => {
                        self.variant(message)
                    }
                    other => self.debug(other),
                }
            }
            Action::Dial { dial, to, from, socket, give_up } => {
                self.word(14);
                self.word(dial.0);
                self.address(*to);
                self.word(give_up.0);
                from.iter().for_each(|from| self.address(SocketAddr::new(*from, 0)));
                self.word(u64::from(socket.buffer.unwrap_or(0)));
                self.word(u64::from(socket.segment.unwrap_or(0)));
            }
            Action::Resolve { query, host, port } => {
                self.word(18);
                self.word(query.0);
                self.bytes(host.as_bytes());
                self.word(u64::from(*port));
            }
            Action::Listen { listener, on, .. } => {
                self.word(19);
                self.word(listener.0);
                self.address(*on);
            }
            Action::Keepalive { conn, socket } => {
                self.word(15);
                self.word(conn.0);
                let keepalive = socket.keepalive;
                for time in keepalive.into_iter().flat_map(|times| [times.idle, times.interval]) {
                    self.word(time.as_nanos() as u64);
                }
            }
            Action::Attach { dial, conn } => {
                self.word(7);
                self.word(dial.0);
                self.word(conn.id().0);
            }
            Action::Admit { ticket, conn } => {
                self.word(8);
                self.word(ticket.0);
                self.word(conn.id().0);
            }
            Action::Work { work, request } => {
                self.word(9);
                self.word(work.0);
                self.work(request);
            }
            Action::Notify(Notice::Log { level, text, .. }) => {
                self.word(20 + *level as u64);
                self.bytes(text.as_bytes());
            }
            other => self.debug(other),
        }
    }

    pub(super) fn work(&mut self, work: &Work) {
        match work {
            Work::Disk(work) => self.variant(work),
            Work::Catalog(_, request) => self.variant(request),
            other => self.variant(other),
        }
    }
}

impl fmt::Write for Digest {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes(text.as_bytes());
        Ok(())
    }
}

/// For what the library hashes by itself: the place of a variant.
impl Hasher for Digest {
    fn finish(&self) -> u64 {
        self.value()
    }

    fn write(&mut self, bytes: &[u8]) {
        self.bytes(bytes);
    }

    fn write_isize(&mut self, number: isize) {
        self.word(number as u64);
    }
}
