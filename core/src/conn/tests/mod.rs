//! Two connections joined in memory, and what they must do together.

mod authentication;
mod bytes;
mod closing;
mod heartbeats;
mod limits;
mod machines;
mod pace;
mod sealed;
mod traffic;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::{Accepting, CloseReason, Conn, Dialling, FromConn, Peer, Side, ToConn};
use crate::bulk::work::{DiskDone, DiskWork};
use crate::ids::{ConnId, WorkId};
use crate::secret::Secret;
use crate::socket::{Ends, IoKind};
use crate::time::{Instant, Wall};
use crate::tls::certificate::{CertificateConfig, SharedWall};
use crate::tls::keyring::{Clear, Keyring};
use crate::tls::rustls::{CertificateAcceptor, CertificateDialler};
use crate::tls::{Acceptor, Dialler, Versions};
use crate::wire::frame::{Signal, put_data, put_signal};
use crate::wire::hello::{Hello, Purpose, Version};
use crate::wire::names::{PeerKind, PeerName};
use crate::work::{Work, WorkDone};

const WALL: Wall = Wall(1_795_438_893_000_000);
const SECOND: u64 = 1_000_000_000;

/// Bytes that fit between two ends, as in the buffers of two sockets.
const PIPE: usize = 64 * 1024;

/// Bytes on their way.
#[derive(Default)]
struct Pipe {
    bytes: VecDeque<u8>,
    closed: bool,
    eof_given: bool,
}

type Worker = Box<dyn FnMut(DiskWork) -> DiskDone>;

/// One end, and what its node heard.
struct End {
    conn: Conn,
    heard: Vec<FromConn>,
    /// Whether the node answers `Taken`.
    takes: bool,
    /// Whether the adapter reads.
    reads: bool,
    worker: Option<Worker>,
    work: VecDeque<(WorkId, DiskWork)>,
    /// How many pieces of work the worker may still do.
    allowed: usize,
}

impl End {
    fn new(conn: Conn) -> Self {
        Self {
            conn,
            heard: Vec::new(),
            takes: true,
            reads: true,
            worker: None,
            work: VecDeque::new(),
            allowed: usize::MAX,
        }
    }

    fn texts(&self) -> Vec<String> {
        self.heard
            .iter()
            .filter_map(|message| match message {
                FromConn::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
                _ => None,
            })
            .collect()
    }

    fn closed(&self) -> Option<&CloseReason> {
        let closes: Vec<_> = self.heard.iter().filter(|message| matches!(message, FromConn::Closed(_))).collect();
        assert!(closes.len() <= 1, "closed twice");
        match self.heard.last() {
            Some(FromConn::Closed(reason)) => Some(reason),
            _ => {
                assert!(closes.is_empty(), "something follows Closed");
                None
            }
        }
    }

    fn peer(&self) -> Option<&Peer> {
        self.heard.iter().find_map(|message| match message {
            FromConn::Authenticated(peer) => Some(&**peer),
            _ => None,
        })
    }
}

struct Pair {
    dialler: End,
    acceptor: End,
    to_acceptor: Pipe,
    to_dialler: Pipe,
    split: usize,
    now: Instant,
}

impl Pair {
    fn new(setup: Setup) -> Self {
        let now = Instant(SECOND);
        Self {
            dialler: End::new(Conn::dialled(setup.dialling, now)),
            acceptor: End::new(Conn::accepted(setup.accepting, now)),
            to_acceptor: Pipe::default(),
            to_dialler: Pipe::default(),
            split: setup.split,
            now,
        }
    }

    /// A pair that is authenticated.
    fn ready(setup: Setup) -> Self {
        let mut pair = Self::new(setup);
        pair.drive();
        assert!(pair.dialler.peer().is_some() && pair.acceptor.peer().is_some(), "authenticated");
        pair.dialler.heard.clear();
        pair.acceptor.heard.clear();
        pair
    }

    /// Moves everything as far as it goes.
    fn drive(&mut self) {
        for _ in 0..10_000_000 {
            if !self.step() {
                return;
            }
        }
        panic!("never comes to rest");
    }

    /// One turn of both adapters. True if anything moved.
    fn step(&mut self) -> bool {
        let Self { dialler, acceptor, to_acceptor, to_dialler, split, now } = self;
        let one = turn(dialler, to_dialler, to_acceptor, *split, *now);
        let two = turn(acceptor, to_acceptor, to_dialler, *split, *now);
        one || two
    }

    /// Cuts both directions, as a dying network does.
    fn cut(&mut self) {
        for end in [&mut self.dialler, &mut self.acceptor] {
            end.conn.on_failed(Side::Read, IoKind::Reset, self.now);
        }
        self.drive();
    }

    fn tell_dialler(&mut self, message: ToConn) {
        self.dialler.conn.handle_message(message, self.now);
    }

    fn tell_acceptor(&mut self, message: ToConn) {
        self.acceptor.conn.handle_message(message, self.now);
    }

    /// Lets time pass and fires what is due.
    fn wait(&mut self, seconds: u64) {
        self.now = Instant(self.now.0 + seconds * SECOND);
        self.dialler.conn.handle_timeout(self.now);
        self.acceptor.conn.handle_timeout(self.now);
        self.drive();
    }
}

/// One turn of an adapter.
fn turn(end: &mut End, from: &mut Pipe, to: &mut Pipe, split: usize, now: Instant) -> bool {
    let mut moved = false;
    let wants = end.conn.wants();
    if end.reads && wants.read && !from.eof_given {
        let space = end.conn.read_space();
        assert!(!space.is_empty(), "wants to read and has no room");
        let n = space.len().min(split).min(from.bytes.len());
        if n > 0 {
            for (place, byte) in space.iter_mut().zip(from.bytes.drain(..n)) {
                *place = byte;
            }
            end.conn.on_read(n, now);
            moved = true;
        } else if from.closed {
            from.eof_given = true;
            end.conn.on_read(0, now);
            moved = true;
        }
    } else if !wants.read {
        assert!(end.conn.read_space().is_empty(), "wants no read and offers room");
    }
    if end.conn.wants().write {
        let room = split.min(PIPE - to.bytes.len());
        let transmit = end.conn.transmit(room);
        assert!(transmit.len() <= 64);
        let mut n = 0;
        for slice in transmit.iter() {
            to.bytes.extend(slice.iter());
            n += slice.len();
        }
        assert!(n <= room);
        if n > 0 {
            end.conn.on_written(n, now);
            moved = true;
        }
    }
    if end.conn.wants().shut_write && !to.closed {
        to.closed = true;
        moved = true;
    }
    moved |= work(end, now);
    moved |= listen(end, now);
    if end.conn.wants().close && !to.closed {
        to.closed = true;
        moved = true;
    }
    moved
}

fn work(end: &mut End, now: Instant) -> bool {
    while let Some((id, Work::Disk(work))) = end.conn.poll_work() {
        end.work.push_back((id, work));
    }
    let Some(worker) = &mut end.worker else { return false };
    if end.allowed == 0 {
        return false;
    }
    let Some((id, work)) = end.work.pop_front() else { return false };
    end.allowed -= 1;
    let done = worker(work);
    end.conn.handle_done(id, WorkDone::Disk(done), now);
    true
}

fn listen(end: &mut End, now: Instant) -> bool {
    let mut moved = false;
    while let Some(message) = end.conn.poll_message() {
        let is_last = matches!(message, FromConn::Closed(_));
        end.heard.push(message);
        moved = true;
        if end.takes && !is_last {
            end.conn.handle_message(ToConn::Taken(1), now);
        }
    }
    moved
}

/// What a pair is made from.
struct Setup {
    dialling: Dialling,
    accepting: Accepting,
    split: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    Clear,
    Certificate,
    #[cfg(feature = "psk")]
    Psk,
    #[cfg(feature = "sim")]
    Toy,
}

const ENGINES: &[Engine] = &[
    Engine::Clear,
    Engine::Certificate,
    #[cfg(feature = "psk")]
    Engine::Psk,
    #[cfg(feature = "sim")]
    Engine::Toy,
];

fn director() -> PeerName {
    PeerName::new(PeerKind::Director, "backup-dir")
}

fn ends() -> Ends {
    Ends { local: ([127, 0, 0, 1], 40_000).into(), peer: ([127, 0, 0, 1], 9103).into() }
}

/// A director that dials a storage daemon, which knows it.
fn setup(engine: Engine) -> Setup {
    let hello = Purpose::Director { name: "backup-dir".to_owned() };
    setup_for(engine, hello, "secret", "secret")
}

/// The same, for any hello and both sides' keys.
fn setup_for(engine: Engine, purpose: Purpose, dials_with: &str, knows: &str) -> Setup {
    let (dials_with, knows) = (Secret::from(dials_with), Secret::from(knows));
    let hello = Hello::new(purpose, Version { major: 26, minor: 0, patch: 0 });
    let clear = if engine == Engine::Clear { Clear::Allowed } else { Clear::Never };
    let job = PeerName::new(PeerKind::Job, "job.1");
    let keyring = Keyring::builder().with(director(), knows.clone(), clear).with(job, knows, clear).build();
    let (dialler, acceptor) = engines(engine, &hello.identity(), &dials_with);
    let give_up = Instant(61 * SECOND);
    Setup {
        dialling: Dialling {
            id: ConnId(1),
            ends: ends(),
            engine: dialler,
            hello,
            key: dials_with,
            own: "R_DIRECTOR::backup-dir".to_owned(),
            policy: 0,
            nonce: 11,
            wall: WALL,
            give_up,
        },
        accepting: Accepting {
            id: ConnId(2),
            ends: ends(),
            engines: Arc::new(acceptor),
            keyring: Arc::new(keyring),
            own: "R_STORAGE::backup-sd".to_owned(),
            nonce: 22,
            wall: WALL,
            give_up,
            pause: Duration::ZERO,
        },
        split: usize::MAX,
    }
}

fn engines(engine: Engine, identity: &PeerName, key: &Secret) -> (Dialler, Acceptor) {
    let _ = (identity, key);
    match engine {
        Engine::Clear => (Dialler::Clear, Acceptor::new()),
        Engine::Certificate => certificates(),
        #[cfg(feature = "psk")]
        Engine::Psk => {
            use crate::tls::psk::{PskAcceptor, PskDialler};
            let settings = PskDialler::new(Versions::All).unwrap();
            let acceptor = PskAcceptor::new(None, Versions::All, &SharedWall::new(WALL)).unwrap();
            let dialler = Dialler::Psk { settings, identity: identity.clone(), key: key.clone() };
            (dialler, Acceptor::new().with_psk(acceptor))
        }
        #[cfg(feature = "sim")]
        Engine::Toy => (Dialler::Toy { identity: identity.clone(), key: key.clone() }, Acceptor::simulated()),
    }
}

fn certificates() -> (Dialler, Acceptor) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["peer.example".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2040, 1, 1);
    let (chain, key) = (params.self_signed(&key).unwrap().pem(), key.serialize_pem());
    let wall = SharedWall::new(WALL);
    let config = CertificateConfig::from_pem(chain.as_bytes(), key.as_bytes(), b"", false, Vec::new()).unwrap();
    let (config, none) = (Arc::new(config), Arc::new(CertificateConfig::default()));
    let settings = CertificateDialler::new(&none, Versions::All, &wall).unwrap();
    let acceptor = CertificateAcceptor::new(&config, Versions::All, &wall).unwrap();
    (Dialler::Certificate { settings, address: "peer.example".to_owned() }, Acceptor::new().with_certificate(acceptor))
}

fn text(line: &str) -> ToConn {
    let mut frame = Vec::new();
    put_data(&mut frame, line.as_bytes());
    ToConn::Send(frame)
}

fn signal(signal: Signal) -> ToConn {
    let mut frame = Vec::new();
    put_signal(&mut frame, signal);
    ToConn::Send(frame)
}
