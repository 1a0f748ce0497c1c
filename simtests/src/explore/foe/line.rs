//! A connection of a foe: what it reads and writes, in clear or in records of the TLS engine, which it can damage.

use std::sync::Arc;

use towline_core::buf::Buf;
use towline_core::secret::Secret;
use towline_core::tls::keyring::Keyring;
use towline_core::tls::toy::{FIRST_BYTE, Toy};
use towline_core::tls::{Session, State};
use towline_core::wire::frame;
use towline_core::wire::names::PeerName;

use crate::net::SocketId;
use crate::world::World;

/// Of what comes, and of what it has to say, what it keeps.
const MOST_BYTES: usize = 1 << 20;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Line {
    pub(super) socket: SocketId,
    pub(super) with: With,
    pub(super) step: Step,
    /// What it says once the connection is open, if it has dialled.
    pub(super) hello: Option<String>,
    /// What has come and was not heard yet.
    pub(super) ahead: Vec<u8>,
    /// What it has to say.
    pub(super) unsent: Vec<u8>,
    /// Orders that it has heard.
    pub(super) orders: u64,
    /// Ends of lists that have come for the present order.
    pub(super) ends: u32,
    pub(super) in_fileset: bool,
    /// It reads no more.
    pub(super) is_deaf: bool,
    protection: Option<Protection>,
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum With {
    Director,
    /// The other daemon of a job.
    Data,
}

/// What it waits for (`wire/1 §4`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Open,
    Hello,
    Answer,
    Challenge,
    Verdict,
    Talk,
    Over,
}

/// What it does to a protection that it is part of. What it says next is the last that its peer understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breach {
    /// It leaves in the middle of a record.
    CutRecord,
    /// A record whose check sum is wrong.
    DamagedRecord,
    /// The head of a record that is larger than any.
    GiantRecord,
    /// It says that no more will come, and stays.
    HalfLeft,
}

impl Breach {
    /// All of them.
    pub(super) const ALL: [Self; 4] = [Self::CutRecord, Self::DamagedRecord, Self::GiantRecord, Self::HalfLeft];
}

/// The TLS engine of a connection, and what is on its way through it.
#[derive(Debug)]
struct Protection {
    engine: Toy,
    cipher: Buf,
    plain: Buf,
    sealed: Vec<u8>,
    breach: Option<Breach>,
    /// It leaves once all is written.
    leaves: bool,
}

impl Line {
    pub(super) fn dialled(socket: SocketId, with: With, hello: String) -> Self {
        Self::new(socket, with, Step::Open, Some(hello))
    }

    /// Whose it is the hello says.
    pub(super) fn accepted(socket: SocketId) -> Self {
        Self::new(socket, With::Data, Step::Hello, None)
    }

    fn new(socket: SocketId, with: With, step: Step, hello: Option<String>) -> Self {
        let (ahead, unsent) = (Vec::new(), Vec::new());
        let (orders, ends, in_fileset, is_deaf) = (0, 0, false, false);
        Self { socket, with, step, hello, ahead, unsent, orders, ends, in_fileset, is_deaf, protection: None }
    }

    /// In records of the engine, as who dials with this name and key.
    pub(super) fn protected_as(mut self, identity: PeerName, key: Secret) -> Self {
        self.protection = Some(Protection::of(Toy::dialler(identity, key)));
        self
    }

    /// In records of the engine, for whoever dials with one of these keys.
    pub(super) fn protected_by(mut self, keys: Keyring) -> Self {
        self.protection = Some(Protection::of(Toy::acceptor(Arc::new(keys))));
        self
    }

    pub(super) fn say(&mut self, text: impl AsRef<[u8]>) {
        frame::put_data(&mut self.unsent, text.as_ref());
    }

    /// Breaches the protection with the next that is said, if there is one.
    pub(super) const fn breach(&mut self, breach: Breach) {
        if let Some(protection) = &mut self.protection {
            protection.breach = Some(breach);
        }
    }

    /// Reads what has come, writes what there is to write, and sees whether it is over.
    pub(super) fn pump(&mut self, world: &World) {
        let mut net = world.net.borrow_mut();
        let Some(end) = net.end(self.socket) else { return self.step = Step::Over };
        if self.step == Step::Open {
            if !end.can_write() {
                return;
            }
            self.step = Step::Challenge;
            if let Some(hello) = &self.hello {
                frame::put_data(&mut self.unsent, hello.as_bytes());
            }
        }
        let mut space = [0; 4096];
        while !self.is_deaf && self.ahead.len() < MOST_BYTES {
            match net.read(self.socket, &mut space) {
                None => break,
                Some(Ok(n @ 1..)) => match &mut self.protection {
                    Some(protection) => protection.cipher.extend(&space[..n]),
                    None => self.ahead.extend_from_slice(&space[..n]),
                },
                Some(Ok(0) | Err(_)) => {
                    self.step = Step::Over;
                    break;
                }
            }
        }
        let unsent = match &mut self.protection {
            None => &mut self.unsent,
            Some(protection) => {
                if !protection.turn(&mut self.ahead, &mut self.unsent) {
                    self.step = Step::Over;
                }
                &mut protection.sealed
            }
        };
        while !unsent.is_empty()
            && let Some(Ok(n @ 1..)) = net.write(self.socket, unsent)
        {
            unsent.drain(..n);
        }
        let has_left = unsent.is_empty() && self.protection.as_ref().is_some_and(|protection| protection.leaves);
        if self.step == Step::Over || has_left || self.unsent.len() > MOST_BYTES {
            self.step = Step::Over;
            net.close(self.socket);
        }
    }
}

impl Protection {
    fn of(engine: Toy) -> Self {
        let (cipher, plain, sealed) = (Buf::with_capacity(4096), Buf::with_capacity(4096), Vec::new());
        Self { engine, cipher, plain, sealed, breach: None, leaves: false }
    }

    /// Opens what has come and seals what there is to say; not if the peer has broken off.
    fn turn(&mut self, ahead: &mut Vec<u8>, unsent: &mut Vec<u8>) -> bool {
        if self.engine.open(&mut self.cipher, &mut self.plain, MOST_BYTES, &mut self.sealed).is_err() {
            return false;
        }
        ahead.extend_from_slice(self.plain.filled());
        self.plain.consume(self.plain.len());
        let is_open = matches!(self.engine.state(), State::Ready(_)) && !self.leaves;
        if is_open && !unsent.is_empty() && self.sealed.len() < MOST_BYTES {
            let before = self.sealed.len();
            // After a breach that stays, nothing more can be sealed.
            let _is_shut = self.engine.seal(&[unsent], &mut self.sealed);
            unsent.clear();
            if let Some(breach) = self.breach.take() {
                self.commit(breach, before);
            }
        }
        true
    }

    /// Breaches, with what was sealed from a place on.
    fn commit(&mut self, breach: Breach, from: usize) {
        let new = self.sealed.len() - from;
        match breach {
            Breach::CutRecord => {
                self.sealed.truncate(from + new.div_ceil(2));
                self.leaves = true;
            }
            Breach::DamagedRecord => self.sealed.iter_mut().last().into_iter().for_each(|byte| *byte ^= 1),
            Breach::GiantRecord => self.sealed.extend([FIRST_BYTE, 23, 1, 0xff, 0xff]),
            Breach::HalfLeft => self.engine.close(&mut self.sealed),
        }
    }
}
