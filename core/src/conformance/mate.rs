//! The other end of the node's connection: a `Conn` that a body drives by hand over a raw peer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::arm::Peer;
use crate::conn::{Accepting, CloseReason, Conn, Dialling, FromConn, Side, ToConn};
use crate::ids::ConnId;
use crate::socket::IoKind;
use crate::time::{Instant, Wall};
use crate::tls;
use crate::wire::frame::{self, Signal};
use crate::wire::hello::{Hello, Purpose, Version};
use crate::wire::names::{PeerKind, PeerName};

/// The one password of the suite.
pub(super) mod password {
    use super::{Arc, PeerKind, PeerName};
    use crate::secret::Secret;
    use crate::tls::keyring::{Clear, Keyring};
    use crate::wire::cram_md5::password_key;

    pub(in crate::conformance) fn key() -> Secret {
        password_key("conformance")
    }

    /// Both directors may come, in clear or not.
    pub(in crate::conformance) fn keyring() -> Arc<Keyring> {
        let director = |name| PeerName::new(PeerKind::Director, name);
        let builder = Keyring::builder().with(director("mate"), key(), Clear::Allowed);
        Arc::new(builder.with(director("stage"), key(), Clear::Allowed).build())
    }
}

/// Its `Conn` lives at the beginning of time: none of its deadlines ever comes.
const NOW: Instant = Instant::ZERO;
const NEVER: Instant = Instant(u64::MAX);

/// A peer that speaks the protocol as well, and behaves as badly, as a body asks.
pub struct Mate {
    conn: Conn,
    peer: Option<Box<dyn Peer>>,
    heard: VecDeque<FromConn>,
    shut: bool,
    /// How many bytes it writes at a time.
    pub chunk: usize,
    /// How many bytes it reads at a time.
    pub sip: usize,
}

impl std::fmt::Debug for Mate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mate").field("conn", &self.conn).finish_non_exhaustive()
    }
}

impl Mate {
    /// A mate that connected to the node.
    #[must_use]
    pub fn dialled(peer: Box<dyn Peer>, engine: tls::Dialler) -> Self {
        let purpose = Purpose::Director { name: "mate".to_owned() };
        let dialling = Dialling {
            id: ConnId(0),
            ends: peer.ends(),
            engine,
            hello: Hello::new(purpose, Version { major: 26, minor: 0, patch: 0 }),
            key: password::key(),
            own: PeerName::new(PeerKind::Director, "mate").qualified(),
            policy: 0,
            nonce: 1,
            wall: Wall(1),
            give_up: NEVER,
        };
        Self::new(Conn::dialled(dialling, NOW), peer)
    }

    /// A mate that the node connected to, with engines to answer with.
    #[must_use]
    pub fn accepted(peer: Box<dyn Peer>, engines: tls::Acceptor) -> Self {
        let accepting = Accepting {
            id: ConnId(0),
            ends: peer.ends(),
            engines: Arc::new(engines),
            keyring: password::keyring(),
            own: PeerName::new(PeerKind::Client, "mate").qualified(),
            nonce: 2,
            wall: Wall(1),
            give_up: NEVER,
            pause: Duration::ZERO,
        };
        Self::new(Conn::accepted(accepting, NOW), peer)
    }

    fn new(conn: Conn, peer: Box<dyn Peer>) -> Self {
        Self { conn, peer: Some(peer), heard: VecDeque::new(), shut: false, chunk: usize::MAX, sip: usize::MAX }
    }

    /// Speaks until both sides are authenticated.
    pub fn authenticate(&mut self) {
        match self.hear() {
            FromConn::Authenticated(_) => {}
            other => panic!("the mate expected to be let in, heard {other:?}"),
        }
        // The last word of the dialogue may be ours.
        self.flush();
    }

    /// Reads and writes until its `Conn` says something.
    pub fn hear(&mut self) -> FromConn {
        loop {
            if let Some(message) = self.heard.pop_front() {
                return message;
            }
            self.flush();
            if self.collect() {
                continue;
            }
            self.read_once();
            self.collect();
        }
    }

    /// The next text frame.
    pub fn text(&mut self) -> Vec<u8> {
        match self.hear() {
            FromConn::Text(text) => text,
            other => panic!("the mate expected a text frame, heard {other:?}"),
        }
    }

    /// Why the connection ended, and how many bytes of text came before. Signals are passed over.
    pub fn closed(&mut self) -> (CloseReason, usize) {
        let mut bytes = 0;
        loop {
            match self.hear() {
                FromConn::Closed(reason) => return (reason, bytes),
                FromConn::Text(text) => bytes += text.len(),
                FromConn::Signal(Signal::Terminate) => {}
                other => panic!("the mate expected the end, heard {other:?}"),
            }
        }
    }

    /// Sends a text frame.
    pub fn send(&mut self, text: &[u8]) {
        let mut frames = Vec::new();
        frame::put_data(&mut frames, text);
        self.tell(ToConn::Send(frames));
        self.flush();
    }

    /// Closes as the protocol requires, to the end.
    pub fn close(&mut self) -> CloseReason {
        self.tell(ToConn::Close { farewell: true });
        self.closed().0
    }

    /// Takes the raw connection away.
    pub fn into_peer(mut self) -> Box<dyn Peer> {
        self.flush();
        self.peer.take().expect("the mate's connection has not ended")
    }

    fn tell(&mut self, message: ToConn) {
        self.conn.handle_message(message, NOW);
        self.collect();
    }

    /// Writes all there is, in chunks, and half-closes when it is time to.
    pub fn flush(&mut self) {
        while self.conn.wants().write {
            let transmit = self.conn.transmit(self.chunk);
            let Some(slice) = transmit.iter().find(|slice| !slice.is_empty()) else { break };
            let Some(peer) = &mut self.peer else { return };
            match peer.write(&slice[..slice.len().min(self.chunk)]) {
                Ok(n) => self.conn.on_written(n, NOW),
                Err(kind) => self.conn.on_failed(Side::Write, kind, NOW),
            }
            self.collect();
        }
        if self.conn.wants().shut_write && !self.shut {
            self.shut = true;
            if let Some(peer) = &mut self.peer {
                peer.shut_write();
            }
        }
        if self.conn.wants().close {
            self.peer = None;
        }
    }

    fn read_once(&mut self) {
        let wants = self.conn.wants();
        let space = self.conn.read_space();
        let Some(peer) = &mut self.peer else { panic!("the mate has closed and waits for more") };
        assert!(wants.read && !space.is_empty(), "the mate does not want to read: {wants:?}");
        let sip = self.sip.min(space.len());
        match peer.read(&mut space[..sip]) {
            Ok(n) => self.conn.on_read(n, NOW),
            Err(kind) => self.conn.on_failed(Side::Read, kind, NOW),
        }
    }

    /// Takes what its `Conn` says. True if it said something.
    fn collect(&mut self) -> bool {
        let before = self.heard.len();
        while let Some(message) = self.conn.poll_message() {
            // How far it has come is for a node.
            if matches!(message, FromConn::Reached { .. }) {
                continue;
            }
            if !matches!(message, FromConn::Closed(_)) {
                self.conn.handle_message(ToConn::Taken(1), NOW);
            }
            self.heard.push_back(message);
        }
        self.heard.len() > before
    }
}

/// Reads to the end of a raw connection; counts the bytes.
///
/// # Errors
/// What became of the connection, if it did not come to a proper end.
pub(super) fn read_to_end(peer: &mut dyn Peer) -> Result<usize, IoKind> {
    let mut space = vec![0; 64 * 1024];
    let mut bytes = 0;
    loop {
        match peer.read(&mut space)? {
            0 => return Ok(bytes),
            n => bytes += n,
        }
    }
}

/// Writes all of it.
pub(super) fn write_all(peer: &mut dyn Peer, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let n = peer.write(bytes).expect("the node reads");
        bytes = &bytes[n..];
    }
}
