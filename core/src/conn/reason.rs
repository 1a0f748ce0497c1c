//! Why a connection ended: whose fault, and what to do.

use std::time::Duration;

use super::flight::Stall;
use crate::error::{Explain, Facts, Fault, Retry, TlsError};
use crate::socket::IoKind;

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// We asked for it and everything was written.
    #[error("closed")]
    Done,
    /// The peer said TERMINATE or closed its side.
    #[error("closed by the peer")]
    ByPeer,
    /// The peer closed before authentication was done.
    #[error("closed by the peer during {0}")]
    EarlyByPeer(Stage),
    /// The peer closed as soon as TLS with a key was done, before its hello.
    #[error("closed by the peer as soon as TLS with the pre-shared key of {0} was done")]
    LeftAfterKey(String),
    /// The socket failed.
    #[error("{0} during {1}")]
    Io(IoKind, Stage),
    /// The TLS engine gave up.
    #[error("TLS: {0}")]
    Tls(TlsError),
    /// Neither a hello nor TLS: another protocol, or noise.
    #[error("the first bytes are neither a Bareos hello nor TLS")]
    NotBareos,
    /// A hello nobody knows, or of a kind this daemon does not serve.
    #[error("unknown or unsuitable hello")]
    BadHello,
    /// The name in the hello is not configured here.
    #[error("unknown name {name}{}", .nearest.as_ref().map(|known| format!("; the nearest known one is {known}")).unwrap_or_default())]
    UnknownPeer {
        /// Who the hello says it is.
        name: String,
        /// The known name that looks most like it.
        nearest: Option<String>,
    },
    /// The hello names somebody else than the pre-shared key.
    #[error("the hello says {hello} and the key belongs to {key}")]
    NameMismatch {
        /// Who the hello says it is.
        hello: String,
        /// Whose key was used.
        key: String,
    },
    /// Clear text where TLS is required.
    #[error("{0} came in clear where TLS is required")]
    TlsRequired(String),
    /// Our answer or theirs to a challenge was wrong.
    #[error("wrong password for {0}")]
    WrongPassword(String),
    /// The peer refused our answer to its challenge.
    #[error("the peer refuses our password")]
    RefusedByPeer,
    /// The peer said something else instead of a challenge: its words.
    #[error("the peer refuses us: {0}")]
    Refused(String),
    /// The two policy numbers ask for TLS to begin after authentication (`wire/1 §2.9`).
    #[error("the peer asks for TLS to begin after authentication, which is not done here (ours is ssl={ours}, theirs ssl={})", .theirs.map_or_else(|| "-".to_owned(), |n| n.to_string()))]
    InBandTls {
        /// Our policy number.
        ours: u8,
        /// Theirs, if it said one.
        theirs: Option<i32>,
    },
    /// The challenge carries our own name: a reflection (`wire/1 §4.2`).
    #[error("the peer's challenge carries our own name")]
    Reflection,
    /// The peer broke the framing or the order of the protocol.
    #[error("protocol error: {0}")]
    Protocol(String),
    /// The peer closed in the middle of a frame.
    #[error("the peer closed in the middle of a frame during {0}")]
    CutFrame(Stage),
    /// A frame longer than this connection accepts.
    #[error("the peer sends a frame of {length} bytes where {limit} are accepted")]
    FrameTooLong {
        /// The announced length in bytes.
        length: u32,
        /// What is accepted, in bytes.
        limit: u32,
    },
    /// The peer does not read: too much waits to be written.
    #[error("the peer does not read: {0} bytes wait to be written")]
    NotReading(usize),
    /// Authentication took too long.
    #[error("not authenticated in time, stopped at {0}")]
    TooSlow(Stage),
    /// The peer did not take or finish in time while draining.
    #[error("did not drain in time")]
    DrainTimeout,
    /// A Towline peer answered no heartbeat for so long.
    #[error("no heartbeat of the peer for {} s", .0.as_secs())]
    Silent(Duration),
    /// A connection in use stood still for longer than its heartbeat interval allows.
    #[error("it stood still: {0}")]
    StoodStill(Stall),
    /// We called it off.
    #[error("aborted")]
    Aborted,
    /// We made room for others: too many connections were not authenticated.
    #[error("pushed out to make room for others")]
    PushedOut,
    /// The peer made room for others.
    #[error("the peer has too many connections that are not authenticated, and gave our place to another one")]
    Crowded,
    /// The peer's bytes led nowhere: a mistake of ours.
    #[error("no headway with the bytes of the peer during {0}")]
    Stuck(Stage),
}

impl CloseReason {
    /// Whether the peer claimed to be somebody and could not prove it: perhaps it guesses.
    #[must_use]
    pub const fn is_wrong_key(&self) -> bool {
        match self {
            Self::Tls(error) => matches!(error, TlsError::UnknownIdentity(_) | TlsError::WrongKey(_)),
            Self::UnknownPeer { .. } | Self::NameMismatch { .. } | Self::TlsRequired(_) | Self::WrongPassword(_) => {
                true
            }
            _ => false,
        }
    }
}

/// How far a connection had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nothing heard yet.
    FirstBytes,
    /// In the TLS handshake.
    Handshake,
    /// Before the hello.
    Hello,
    /// In CRAM-MD5.
    Authentication,
    /// In use.
    Ready,
    /// Closing.
    Draining,
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::FirstBytes => "the first bytes",
            Self::Handshake => "the TLS handshake",
            Self::Hello => "the hello",
            Self::Authentication => "authentication",
            Self::Ready => "use",
            Self::Draining => "closing",
        })
    }
}

impl CloseReason {
    /// Whether nothing came for too long on a connection that stands.
    #[must_use]
    pub const fn is_stall(&self) -> bool {
        matches!(self, Self::TooSlow(_) | Self::Io(IoKind::TimedOut, _))
    }
}

impl Explain for CloseReason {
    fn facts(&self) -> Facts {
        use Fault::{Bug, Config, Local, Network, Peer};
        use Retry::{Backoff, Never};
        match self {
            Self::Tls(error) => return error.facts(),
            Self::NotBareos => (
                Peer,
                Never,
                301,
                "something else dials this port, perhaps a port scanner or a monitoring probe: let it dial \
                 elsewhere",
            ),
            Self::BadHello => (
                Peer,
                Never,
                302,
                "a daemon of another kind dials here: check which port its configuration names for this host",
            ),
            Self::UnknownPeer { .. } => (
                Config,
                Never,
                303,
                "add a resource of this name here, or correct the name at the peer",
            ),
            Self::NameMismatch { .. } => (
                Config,
                Never,
                304,
                "give each resource at the peer its own password and its own name; two were mixed up",
            ),
            Self::TlsRequired(_) => (
                Config,
                Never,
                305,
                "turn TLS on at the peer, or set `enable: false` in the `tls` of its resource here",
            ),
            Self::WrongPassword(_) => (
                Config,
                Never,
                306,
                "make the passwords of the two resources equal on both sides",
            ),
            Self::RefusedByPeer => (
                Config,
                Never,
                307,
                "compare our name and password with those in the peer's resource for us; its log says which it \
                 misses",
            ),
            Self::Refused(_) => (
                Peer,
                Backoff,
                308,
                "the quoted words are the peer's: check that it has a resource for our name, and its own log",
            ),
            Self::Reflection => (
                Peer,
                Never,
                309,
                "two daemons must not have the same kind and name; if they do not, somebody replays our \
                 challenges",
            ),
            Self::InBandTls { .. } => (
                Config,
                Never,
                310,
                "use TLS from the first byte: turn TLS on at both ends, or off at both ends",
            ),
            Self::EarlyByPeer(_) => (
                Peer,
                Backoff,
                311,
                "the peer hung up without saying why: it does not know our name, requires TLS, or had no room; \
                 its log says which",
            ),
            Self::LeftAfterKey(_) => (
                Config,
                Never,
                316,
                "if the peer verifies certificates, configure one here, signed by its authority, or stop it from \
                 verifying",
            ),
            Self::PushedOut => (
                Peer,
                Backoff,
                314,
                "find out who opens so many connections, or raise `max_unauthenticated`",
            ),
            Self::Crowded => (
                Peer,
                Backoff,
                315,
                "it is tried again; if that does not help, the peer's log says who takes up its room (T0314)",
            ),
            Self::TooSlow(_) => (
                Network,
                Backoff,
                312,
                "the peer is overloaded or stopped, or its packets are dropped on the way, perhaps the large \
                 ones only (MTU)",
            ),
            Self::Done => (Local, Never, 401, "nothing to do"),
            Self::ByPeer => (
                Peer,
                Backoff,
                402,
                "the log of the peer says why it ended, if it still runs",
            ),
            Self::Io(IoKind::Exhausted, _) => (
                Local,
                Backoff,
                317,
                "raise the limit of open files (`LimitNOFILE`, `ulimit -n`) of this daemon, or see what holds so \
                 many",
            ),
            Self::Io(..) => (
                Network,
                Backoff,
                403,
                "check the network between the two hosts, above all firewalls and NAT boxes that forget idle \
                 connections",
            ),
            Self::Protocol(_) => (
                Peer,
                Backoff,
                404,
                "the two versions do not understand each other: report it with both versions",
            ),
            Self::CutFrame(_) => (
                Network,
                Backoff,
                405,
                "the peer was killed or the network in between cut the connection: look into the peer's log for \
                 a crash",
            ),
            Self::FrameTooLong { .. } => (
                Peer,
                Backoff,
                406,
                "a message of that length makes no sense here: check that the peer is a backup daemon",
            ),
            Self::NotReading(_) => (
                Peer,
                Backoff,
                407,
                "the peer hangs or is overloaded: look at its processor and disk, then run the job again",
            ),
            Self::DrainTimeout => (
                Peer,
                Backoff,
                408,
                "the peer did not close its side after the end of the conversation: see whether it hangs",
            ),
            Self::Silent(_) => (
                Network,
                Backoff,
                410,
                "the peer or the way to it has vanished silently: see whether the host runs, and which firewall \
                 forgot the connection",
            ),
            Self::StoodStill(stall) if stall.is_large() => (Network, Backoff, 319, "something on the way carries less than the interface of the sending host says (MTU): let ICMP \"fragmentation \
                 needed\" through, or lower the MTU; then run the job again"),
            Self::StoodStill(_) => (
                Network,
                Backoff,
                319,
                "see whether the peer runs and answers small and large packets (`ping -M do -s 1472`); then run \
                 the job again",
            ),
            Self::Stuck(_) => (
                Bug,
                Backoff,
                540,
                "this is a mistake of Towline: report it with the versions of both daemons and the log around it",
            ),
            Self::Aborted => (
                Local,
                Never,
                409,
                "a job was cancelled or the daemon is stopping; the lines before this one in the log say which",
            ),
        }
        .into()
    }
}

#[cfg(test)]
pub(crate) fn one_of_each() -> Vec<CloseReason> {
    let name = || "x".to_owned();
    vec![
        CloseReason::Done,
        CloseReason::ByPeer,
        CloseReason::EarlyByPeer(Stage::Hello),
        CloseReason::Io(IoKind::Reset, Stage::Ready),
        CloseReason::Io(IoKind::Exhausted, Stage::FirstBytes),
        CloseReason::NotBareos,
        CloseReason::BadHello,
        CloseReason::UnknownPeer { name: name(), nearest: Some(name()) },
        CloseReason::NameMismatch { hello: name(), key: name() },
        CloseReason::TlsRequired(name()),
        CloseReason::WrongPassword(name()),
        CloseReason::RefusedByPeer,
        CloseReason::Refused(name()),
        CloseReason::Reflection,
        CloseReason::InBandTls { ours: 1, theirs: None },
        CloseReason::Protocol(name()),
        CloseReason::CutFrame(Stage::Ready),
        CloseReason::FrameTooLong { length: 9, limit: 8 },
        CloseReason::NotReading(9),
        CloseReason::TooSlow(Stage::Handshake),
        CloseReason::DrainTimeout,
        CloseReason::Aborted,
        CloseReason::PushedOut,
        CloseReason::LeftAfterKey(name()),
        CloseReason::Crowded,
        CloseReason::Silent(Duration::from_secs(9)),
        CloseReason::StoodStill(super::one_of_each_stall()[0]),
        CloseReason::Stuck(Stage::Ready),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::error::Code;

    #[test]
    fn every_reason_has_its_own_code_and_its_own_advice() {
        let all = one_of_each();
        let codes: BTreeSet<Code> = all.iter().map(CloseReason::code).collect();
        let advice: BTreeSet<&str> = all.iter().map(CloseReason::help).collect();
        let texts: BTreeSet<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!((codes.len(), advice.len(), texts.len()), (all.len(), all.len(), all.len()));
        assert!(codes.iter().all(|code| (300..500).contains(&code.0) || code.0 == 540));
    }

    #[test]
    fn an_unknown_name_comes_with_the_nearest_known_one() {
        let reason = |nearest: Option<&str>| CloseReason::UnknownPeer {
            name: "R_CLIENT::bareos-fb".to_owned(),
            nearest: nearest.map(str::to_owned),
        };
        assert_eq!(
            reason(Some("R_CLIENT::bareos-fd")).to_string(),
            "unknown name R_CLIENT::bareos-fb; the nearest known one is R_CLIENT::bareos-fd"
        );
        assert_eq!(reason(None).to_string(), "unknown name R_CLIENT::bareos-fb");
    }
}
