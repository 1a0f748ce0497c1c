//! The phases of a connection as types: each consumes itself and returns the next, so an illegal order does not compile.
//!
//! ```text
//!   accepted: Sniffing -> Handshaking -> Greeting -> Authenticating -> Ready -> Draining -> Closed
//!                    \--- (clear) ---/
//!   dialled:              Handshaking ------------/  Authenticating -> Ready -> Draining -> Closed
//!                         (or at once, in clear) --/
//! ```

use super::api::{Accepting, Dialling, Peer};
use super::auth::{Auth, InBand, Step, Terms, Theirs, in_band};
use super::reason::{CloseReason, Stage};
use crate::time::Instant;
use crate::tls::sniff::First;
use crate::tls::{Established, Kind, Session};
use crate::wire::hello::{Hello, is_marked};
use crate::wire::probe;

/// The policy number we announce where the answer does not matter, because TLS is on already (`wire/1 §2.9`).
const POLICY_UNDER_TLS: u8 = 2;

/// Where a connection stands.
#[derive(Debug)]
pub(super) enum Phase {
    Sniffing(Sniffing),
    Handshaking(Handshaking),
    Greeting(Greeting),
    Authenticating(Box<Authenticating>),
    Ready(Ready),
    Draining(Draining),
    Closed,
}

impl Phase {
    pub(super) const fn stage(&self) -> Stage {
        match self {
            Self::Sniffing(_) => Stage::FirstBytes,
            Self::Handshaking(_) => Stage::Handshake,
            Self::Greeting(_) => Stage::Hello,
            Self::Authenticating(_) => Stage::Authentication,
            Self::Ready(_) => Stage::Ready,
            Self::Draining(_) | Self::Closed => Stage::Draining,
        }
    }

    /// Whether authentication is not done yet.
    pub(super) fn is_early(&self) -> bool {
        self.stage() < Stage::Ready
    }
}

/// Accepted; nothing is known.
#[derive(Debug)]
pub(super) struct Sniffing(pub(super) Box<Accepting>);

/// What the first bytes are.
#[derive(Debug)]
pub(super) enum Sniffed {
    More(Sniffing),
    Clear(Greeting),
    Tls(Handshaking, Box<dyn Session>),
}

impl Sniffing {
    /// Judges all bytes that have come so far.
    pub(super) fn judge(self, bytes: &[u8]) -> Result<Sniffed, CloseReason> {
        let first = self.0.engines.sniff(bytes);
        match first {
            First::More => return Ok(Sniffed::More(self)),
            First::Neither => return Err(CloseReason::NotBareos),
            First::ClearHello => return Ok(Sniffed::Clear(Greeting { accepting: self.0, tls: clear() })),
            _ => {}
        }
        match self.0.engines.start(&self.0.keyring, first).map_err(CloseReason::Tls)? {
            Some(engine) => Ok(Sniffed::Tls(Handshaking::Accepted(self.0), engine)),
            None => Ok(Sniffed::More(self)),
        }
    }
}

/// In the TLS handshake.
#[derive(Debug)]
pub(super) enum Handshaking {
    Accepted(Box<Accepting>),
    Dialled(Box<Dialling>),
}

impl Handshaking {
    /// The handshake is done. The dialler's hello comes with its phase.
    pub(super) fn done(self, tls: Established, is_stock: bool) -> (Phase, Option<Vec<u8>>) {
        match self {
            Self::Accepted(accepting) => (Phase::Greeting(Greeting { accepting, tls }), None),
            Self::Dialled(dialling) => {
                let (authenticating, hello) = Authenticating::dialled(*dialling, tls, is_stock);
                (Phase::Authenticating(Box::new(authenticating)), Some(hello))
            }
        }
    }
}

/// Accepted; the hello comes next.
#[derive(Debug)]
pub(super) struct Greeting {
    accepting: Box<Accepting>,
    tls: Established,
}

impl Greeting {
    /// Whose key TLS was done with, if it was.
    pub(super) fn by_key_of(&self) -> Option<String> {
        self.tls.identity.as_ref().map(ToString::to_string)
    }

    /// Takes the hello; returns our challenge. A stock daemon does not look for a mark.
    pub(super) fn hello(self, line: &[u8], is_stock: bool) -> Result<(Authenticating, Vec<u8>), CloseReason> {
        let Accepting { ends, keyring, own, nonce, wall, .. } = *self.accepting;
        let hello = Hello::parse(line).ok_or(CloseReason::BadHello)?;
        let name = hello.identity();
        if let Some(key) = &self.tls.identity
            && *key != name
        {
            return Err(CloseReason::NameMismatch { hello: name.to_string(), key: key.to_string() });
        }
        let in_clear = self.tls.kind == Kind::Clear;
        let known = keyring.key(&name);
        let doom = match known {
            None => Some(CloseReason::UnknownPeer { name: name.to_string(), nearest: None }),
            Some(_) if in_clear && !keyring.allows_clear(&name) => Some(CloseReason::TlsRequired(name.to_string())),
            Some(_) => None,
        };
        let probed_size = hello.probed_size().filter(|_| in_clear);
        // Where nobody may come in clear, nobody is asked to prove a password there, but for a large packet to go back.
        // Elsewhere all are, or the first answer would tell which names there are.
        let doom = match doom {
            Some(doom) if in_clear && !keyring.takes_clear() && probed_size.is_none() => return Err(doom),
            doom => doom,
        };
        let key = known.filter(|_| doom.is_none()).unwrap_or_else(|| keyring.decoy());
        let policy = if in_clear { 0 } else { POLICY_UNDER_TLS };
        let towline = is_marked(line) && !is_stock;
        let terms = Terms::new(key.clone(), own, (nonce, wall), policy, name.to_string());
        let terms = Terms { marked: towline, doom, ..terms };
        let (auth, mut challenge) = Auth::accepted(terms);
        if let Some(size) = probed_size {
            probe::fill(&mut challenge, size);
        }
        let peer = Peer { ends, hello, name, tls: self.tls, towline };
        Ok((Authenticating { auth, peer, dialled: false, policy }, challenge))
    }
}

/// In CRAM-MD5.
#[derive(Debug)]
pub(super) struct Authenticating {
    auth: Auth,
    peer: Peer,
    dialled: bool,
    policy: u8,
}

/// What a line of the authentication led to. Replies are payloads of frames.
#[derive(Debug)]
pub(super) enum Proceeded {
    Go(Box<Authenticating>, Vec<Vec<u8>>),
    Ready(Ready, Box<Peer>, Option<Vec<u8>>),
    Failed(CloseReason, Option<Vec<u8>>),
}

impl Authenticating {
    /// A dialler begins; returns its hello, without a mark from one that is stock.
    pub(super) fn dialled(dialling: Dialling, tls: Established, is_stock: bool) -> (Self, Vec<u8>) {
        let Dialling { ends, hello, key, own, policy, nonce, wall, .. } = dialling;
        let name = hello.identity();
        let terms = Terms::new(key, own, (nonce, wall), policy, format!("the peer at {}", ends.peer));
        let mut line = if is_stock { hello.to_line() } else { hello.to_marked_line() }.into_bytes();
        if let Some(size) = hello.probed_size() {
            probe::fill(&mut line, size);
        }
        let peer = Peer { ends, hello, name, tls, towline: false };
        (Self { auth: Auth::dialled(terms), peer, dialled: true, policy }, line)
    }

    /// Whether the peer has proved in TLS that it knows a key.
    pub(super) const fn by_key(&self) -> bool {
        self.peer.tls.identity.is_some()
    }

    /// Why the peer will be refused in any case, if it will.
    pub(super) const fn doom(&self) -> Option<&CloseReason> {
        self.auth.doom()
    }

    /// Takes a line of the peer.
    pub(super) fn line(self: Box<Self>, line: &[u8]) -> Proceeded {
        let Self { auth, peer, dialled, policy } = *self;
        match auth.line(line) {
            Step::Go(auth, replies) => Proceeded::Go(Box::new(Self { auth, peer, dialled, policy }), replies),
            Step::Failed(reason, reply) => Proceeded::Failed(reason, reply),
            Step::Done(theirs, reply) => finish(peer, dialled, policy, theirs, reply),
        }
    }
}

fn finish(mut peer: Peer, dialled: bool, ours: u8, theirs: Theirs, reply: Option<Vec<u8>>) -> Proceeded {
    if peer.tls.kind == Kind::Clear && in_band(ours, theirs.policy) != InBand::Clear {
        return Proceeded::Failed(CloseReason::InBandTls { ours, theirs: theirs.policy }, reply);
    }
    if dialled {
        peer.towline = theirs.towline;
        peer.name = theirs.name.unwrap_or(peer.name);
    }
    let is_data_channel = peer.hello.purpose.is_data_channel();
    let is_towline = peer.towline;
    Proceeded::Ready(Ready { is_data_channel, is_towline }, Box::new(peer), reply)
}

/// In use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ready {
    /// On a data channel the peer's next frame is not looked at before the node has taken the last: the answer to a
    /// line may be a machine, and what follows is for that.
    pub(super) is_data_channel: bool,
    /// The peer answers heartbeats, and expects answers to its own.
    pub(super) is_towline: bool,
}

/// Writing what is left, then reading to the end: closing with unread bytes would make the system reset the
/// connection, and the peer would lose the tail of what we sent.
#[derive(Debug)]
pub(super) struct Draining {
    pub(super) reason: CloseReason,
    pub(super) until: Instant,
    /// Whether TLS has been told.
    pub(super) notified: bool,
    /// Until when nothing is written: a wrong key waits for its answer.
    pub(super) mute_until: Option<Instant>,
    /// It closes as soon as everything is written: somebody waits for its place.
    pub(super) is_hasty: bool,
}

/// No protection.
pub(super) fn clear() -> Established {
    Established { kind: Kind::Clear, version: String::new(), cipher: String::new(), identity: None }
}
