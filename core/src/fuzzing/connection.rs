//! A connection as a whole: accepting and dialling, in clear and with the simulator's TLS, from its first bytes to its end.
//! It closes exactly once, says nothing after that, and what it hears does not depend on how the bytes were cut.

use std::collections::VecDeque;
use std::sync::Arc;

use super::machines::{Hands, Reception, setup};
use super::streams::{backup_stream, restore_stream, steered};
use super::{Kind, Steer, Steps, Target};
use crate::bulk::archiver::Archiver;
use crate::bulk::machine::Machine;
use crate::bulk::restorer::Restorer;
use crate::conn::{Accepting, CloseReason, Conn, Dialling, FromConn, ToConn};
use crate::ids::{ConnId, HandleId, WorkId};
use crate::secret::Secret;
use crate::socket::Ends;
use crate::time::{Instant, Wall};
use crate::tls::keyring::{Clear, Keyring};
use crate::wire::frame::{Signal, put_data, put_signal};
use crate::wire::hello::{Hello, Purpose, Version};
use crate::work::{Work, WorkDone};
use crate::{limits, tls};

pub(super) const TARGETS: &[Target] = &[
    Target { name: "conn_accept", kind: Kind::Connection, body: accepted, samples: || steered(recorded(true)) },
    Target { name: "conn_dial", kind: Kind::Connection, body: dialled, samples: || steered(recorded(false)) },
];

const WALL: Wall = Wall(1_795_438_893_000_000);
const NOW: Instant = Instant(1_000_000_000);

fn accepted(bytes: &[u8]) {
    any_connection(bytes, |_| Conn::accepted(accepting(), NOW));
}

fn dialled(bytes: &[u8]) {
    any_connection(bytes, |protected| Conn::dialled(dialling(protected), NOW));
}

fn any_connection(bytes: &[u8], make: impl Fn(bool) -> Conn) {
    let (mut steer, stream) = Steer::of(bytes);
    // The engine of a dialler is that which the recorded bytes were made with, as a rule.
    let protected = is_protected(stream) != steer.once_in(16);
    let manner = Manner::ALL[steer.below(Manner::ALL.len())];
    let mut whole = End::new(make(protected), manner, steer.clone());
    whole.run(stream, || usize::MAX);
    let mut cut = End::new(make(protected), manner, steer.clone());
    cut.run(stream, || steer.segment());
    // When the node's wishes arrive depends on the cut; without any, nothing else may.
    if manner == Manner::Talks {
        let broken =
            matches!(cut.closed, Some(CloseReason::Tls(_))) || matches!(whole.closed, Some(CloseReason::Tls(_)));
        // Of what came in one piece with a broken record nothing is heard.
        let said = if broken { whole.heard.len().min(cut.heard.len()).saturating_sub(1) } else { usize::MAX };
        let heard = |end: &End| end.heard.iter().take(said).cloned().collect::<Vec<_>>();
        assert_eq!(heard(&whole), heard(&cut), "it depends on how the bytes are cut");
    }
}

fn accepting() -> Accepting {
    let hello = hello();
    let keyring = Keyring::builder().with(hello.identity(), key(), Clear::Allowed).build();
    Accepting {
        id: ConnId(1),
        ends: ends(),
        engines: Arc::new(acceptor()),
        keyring: Arc::new(keyring),
        own: "R_STORAGE::backup-sd".to_owned(),
        nonce: 22,
        wall: WALL,
        give_up: Instant(61_000_000_000),
        pause: std::time::Duration::ZERO,
    }
}

fn dialling(protected: bool) -> Dialling {
    Dialling {
        id: ConnId(2),
        ends: ends(),
        engine: engine(protected),
        hello: hello(),
        key: key(),
        own: "R_DIRECTOR::backup-dir".to_owned(),
        policy: 0,
        nonce: 11,
        wall: WALL,
        give_up: Instant(61_000_000_000),
    }
}

fn hello() -> Hello {
    let purpose = Purpose::Director { name: "backup-dir".to_owned() };
    Hello::new(purpose, Version { major: 26, minor: 0, patch: 0 })
}

fn key() -> Secret {
    Secret::from("secret")
}

fn ends() -> Ends {
    Ends { local: ([127, 0, 0, 1], 40_000).into(), peer: ([127, 0, 0, 1], 9_103).into() }
}

#[cfg(feature = "sim")]
fn acceptor() -> tls::Acceptor {
    tls::Acceptor::simulated()
}

#[cfg(not(feature = "sim"))]
fn acceptor() -> tls::Acceptor {
    tls::Acceptor::new()
}

#[cfg(feature = "sim")]
fn engine(protected: bool) -> tls::Dialler {
    let toy = tls::Dialler::Toy { identity: hello().identity(), key: key() };
    if protected { toy } else { tls::Dialler::Clear }
}

#[cfg(not(feature = "sim"))]
fn engine(_protected: bool) -> tls::Dialler {
    tls::Dialler::Clear
}

fn is_protected(stream: &[u8]) -> bool {
    cfg!(feature = "sim") && stream.first().is_some_and(|byte| *byte != 0)
}

/// What one end sends to the other in good conversations: with TLS and without, about text, a backup and a restore.
fn recorded(to_acceptor: bool) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for protected in [false, cfg!(feature = "sim")] {
        for stream in [dialogue(), backup_stream(2), restore_stream(2)] {
            let sender = || End::new(Conn::dialled(dialling(protected), NOW), Manner::Talks, Steer::new(1));
            let receiver = || End::new(Conn::accepted(accepting(), NOW), Manner::Talks, Steer::new(1));
            let (mut one, mut two) = (sender(), receiver());
            let (mut from_one, mut from_two) = (Vec::new(), Vec::new());
            let mut steps = Steps::over("a recorded conversation", stream.len());
            let mut is_said = false;
            loop {
                steps.take();
                let mut moved = one.give(&mut from_two, &two.take());
                moved |= two.give(&mut from_one, &one.take());
                let speaker = if to_acceptor { &mut one } else { &mut two };
                if !moved && !is_said && speaker.is_ready {
                    is_said = true;
                    speaker.conn.handle_message(ToConn::Send(stream.clone()), NOW);
                } else if !moved {
                    break;
                }
            }
            assert!(is_said, "the recorded ends agree");
            all.push(if to_acceptor { from_one } else { from_two });
        }
    }
    all
}

fn dialogue() -> Vec<u8> {
    let mut out = Vec::new();
    put_data(&mut out, b"JobId=1 Job=x\0");
    put_data(&mut out, b"UpdCat Job=x FileAttributes 0000000000000000");
    put_data(&mut out, b"2 1 pinsug5 /a\0P4A\0\0");
    put_signal(&mut out, Signal::Heartbeat);
    put_signal(&mut out, Signal::Eod);
    put_data(&mut out, b"");
    put_signal(&mut out, Signal::Terminate);
    out
}

/// What the node wants of a connection once it is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Talks,
    Gathers,
    Archives,
    Restores,
}

impl Manner {
    const ALL: [Self; 4] = [Self::Talks, Self::Gathers, Self::Archives, Self::Restores];
}

/// A connection and its surroundings.
struct End {
    conn: Conn,
    manner: Manner,
    steer: Steer,
    hands: Hands,
    reception: Reception,
    work: VecDeque<(WorkId, Work)>,
    is_ready: bool,
    /// What was heard, without the borders of parcels.
    heard: Vec<(u8, Vec<u8>)>,
    closed: Option<CloseReason>,
}

impl End {
    fn new(conn: Conn, manner: Manner, steer: Steer) -> Self {
        Self {
            conn,
            manner,
            steer,
            hands: Hands::default(),
            reception: Reception::default(),
            work: VecDeque::new(),
            is_ready: false,
            heard: Vec::new(),
            closed: None,
        }
    }

    /// All these bytes in segments, then the end of the stream; until it is closed.
    fn run(&mut self, stream: &[u8], mut segment: impl FnMut() -> usize) {
        let mut steps = Steps::over("a connection", stream.len());
        let (mut rest, mut is_over) = (stream, false);
        while !self.conn.wants().close {
            steps.take();
            let mut moved = self.turn();
            let wants = self.conn.wants();
            if wants.read && !is_over {
                let space = self.conn.read_space();
                let n = space.len().min(segment()).min(rest.len());
                space[..n].copy_from_slice(&rest[..n]);
                rest = &rest[n..];
                is_over = n == 0;
                self.conn.on_read(n, NOW);
                moved = true;
            }
            moved |= !self.take().is_empty();
            if !moved && !self.conn.wants().close {
                // Only its own patience can end it now.
                let Some(deadline) = self.conn.poll_timeout() else { panic!("it waits for nothing: {:?}", self.conn) };
                self.conn.handle_timeout(deadline.at);
            }
        }
        self.turn();
        assert!(self.closed.is_some(), "it never said that it closed");
    }

    /// Takes what was written.
    fn take(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        while self.conn.wants().write {
            let n = {
                let transmit = self.conn.transmit(64 * 1024);
                transmit.iter().for_each(|slice| out.extend_from_slice(slice));
                transmit.iter().map(|slice| slice.len()).sum()
            };
            if n == 0 {
                break;
            }
            self.conn.on_written(n, NOW);
            assert!(out.len() <= limits::SEND_QUEUE + limits::PARCEL);
        }
        out
    }

    /// Reads these bytes and notes them.
    fn give(&mut self, note: &mut Vec<u8>, bytes: &[u8]) -> bool {
        note.extend_from_slice(bytes);
        let mut rest = bytes;
        while !rest.is_empty() && self.conn.wants().read {
            let space = self.conn.read_space();
            let n = space.len().min(rest.len());
            space[..n].copy_from_slice(&rest[..n]);
            rest = &rest[n..];
            self.conn.on_read(n, NOW);
            self.turn();
        }
        self.turn();
        !bytes.is_empty()
    }

    /// Messages, work and answers. True if there were any.
    fn turn(&mut self) -> bool {
        let mut moved = false;
        while let Some(message) = self.conn.poll_message() {
            moved = true;
            assert!(self.closed.is_none(), "something follows the end");
            self.hear(message);
        }
        while let Some(work) = self.conn.poll_work() {
            self.work.push_back(work);
        }
        if let Some((id, Work::Disk(work))) = self.work.pop_front() {
            moved = true;
            let done = self.hands.done(work, &mut self.steer);
            self.conn.handle_done(id, WorkDone::Disk(done), NOW);
        }
        if let Some(answer) = self.reception.answer() {
            moved = true;
            self.conn.handle_message(ToConn::Machine(answer), NOW);
        }
        moved
    }

    fn hear(&mut self, message: FromConn) {
        let mut next = Vec::new();
        match message {
            FromConn::Authenticated(peer) => {
                self.is_ready = true;
                self.heard.push((b'a', peer.name.to_string().into_bytes()));
                next.extend(self.wanted());
            }
            FromConn::Text(text) => {
                assert!(text.len() <= limits::TEXT);
                self.heard.push((b't', text));
            }
            FromConn::Signal(signal) => self.heard.push((b's', signal.number().to_be_bytes().to_vec())),
            FromConn::Parcel(parcel) => {
                if let Some((b'p', bytes)) = self.heard.last_mut() {
                    bytes.extend_from_slice(&parcel.bytes);
                } else {
                    self.heard.push((b'p', parcel.bytes));
                }
            }
            FromConn::Machine(message) => self.reception.hear(message),
            FromConn::Closed(reason) => {
                assert!(!matches!(reason, CloseReason::Stuck(_)), "it goes round in a circle");
                self.heard.push((b'c', format!("{:?}", std::mem::discriminant(&reason)).into_bytes()));
                self.closed = Some(reason);
                return;
            }
            _ => {}
        }
        next.push(ToConn::Taken(1));
        for message in next {
            self.conn.handle_message(message, NOW);
        }
    }

    fn wanted(&self) -> Option<ToConn> {
        let machine = match self.manner {
            Manner::Talks => return None,
            Manner::Gathers => return Some(ToConn::Gather),
            Manner::Archives => Machine::Archive(Box::new(Archiver::new(setup(), (NOW, WALL)))),
            Manner::Restores => Machine::Restore(Restorer::new(HandleId(1))),
        };
        Some(ToConn::Carry(Box::new(machine)))
    }
}
