//! The taxonomy: every error says whose fault it is, whether to retry, a stable code and one sentence of advice.

use std::fmt;

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The other daemon.
    Peer,
    /// Something between the two.
    Network,
    /// What somebody wrote into a configuration.
    Config,
    /// This machine: its disk, its limits.
    Local,
    /// Towline itself.
    Bug,
}

impl Fault {
    /// Where to look, in the words of the log.
    #[must_use]
    pub const fn place(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::Network => "network",
            Self::Config => "configuration",
            Self::Local => "this machine",
            Self::Bug => "a mistake in Towline",
        }
    }
}

/// Whether doing the same again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Retry {
    /// Not before somebody changes something.
    Never,
    /// After a pause that grows.
    Backoff,
    /// At once.
    Now,
}

/// A stable code such as `T0203`. `T01` dial and listen, `T02` TLS, `T03` hello and authentication, `T04` frames and
/// commands, `T05` jobs, `T06` volumes and disks, `T07` catalog, `T08` configuration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "T{:04}", self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// All that an error says of itself besides its sentence: one row of its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Whose fault it is.
    pub fault: Fault,
    /// Whether to retry.
    pub retry: Retry,
    /// The stable code.
    pub code: Code,
    /// One sentence of advice.
    pub help: &'static str,
}

impl From<(Fault, Retry, u16, &'static str)> for Facts {
    fn from((fault, retry, code, help): (Fault, Retry, u16, &'static str)) -> Self {
        Self { fault, retry, code: Code(code), help }
    }
}

/// The four answers every error gives, and the sentence that is made of them at the edge.
pub trait Explain: fmt::Display {
    /// The four answers. An error with another one beneath it gives that one's.
    fn facts(&self) -> Facts;

    /// Whose fault it is.
    fn fault(&self) -> Fault {
        self.facts().fault
    }

    /// Whether to retry.
    fn retry(&self) -> Retry {
        self.facts().retry
    }

    /// The stable code.
    fn code(&self) -> Code {
        self.facts().code
    }

    /// One sentence of advice.
    fn help(&self) -> &'static str {
        self.facts().help
    }

    /// What a report or a console is told: what happened, the code, and what to do.
    fn line(&self) -> String {
        format!("{self} ({}); {}", self.code(), self.help())
    }
}

/// Why a TLS engine ended a connection. Advice and codes: `tls/advice.rs`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// Acceptor: the dialler offered a pre-shared key for a name nobody here has.
    #[error("no key for the offered name {0}")]
    UnknownIdentity(String),
    /// Acceptor: the name is known, the key differs.
    #[error("the key for {0} differs from the peer's")]
    WrongKey(String),
    /// Dialler: the peer has no key for the name we offered (alert `handshake_failure` or `unknown_psk_identity`).
    #[error("the peer has no key for the name we offered, {0}")]
    IdentityRefused(String),
    /// Dialler: the peer refuses our key (alert `illegal_parameter`, `bad_record_mac` or `decrypt_error`). A Towline peer
    /// that does not know the name says the same.
    #[error("the peer refuses our key for {0}")]
    KeyRefused(String),
    /// Dialler: a pre-shared key was required and the peer showed a certificate.
    #[error("the peer answered with a certificate where the pre-shared key of {0} is required")]
    CertificateInsteadOfKey(String),
    /// With certificates: the peer sent the alert `handshake_failure`.
    #[error("the peer refused a handshake with certificates")]
    RefusedByPeer,
    /// Acceptor: the peer offered no pre-shared key and there is no certificate here to show it.
    #[error("the peer offered no pre-shared key and no certificate is configured here")]
    NothingOffered,
    /// Acceptor: neither a certificate nor a pre-shared key is configured here.
    #[error("neither a certificate nor a pre-shared key is configured here")]
    NotConfigured,
    /// The peer needs a pre-shared key and this program was built without them.
    #[error("this program was built without pre-shared keys")]
    PskNotBuilt,
    /// The peer's certificate is not signed by a trusted authority.
    #[error("the peer's certificate is not signed by a trusted authority")]
    UntrustedCertificate,
    /// The peer's certificate is for other names than the one given.
    #[error("the peer's certificate is not for {0}")]
    WrongCertificateName(String),
    /// The authority has revoked the peer's certificate, or one above it.
    #[error("the peer's certificate is revoked")]
    RevokedCertificate,
    /// No list says whether the peer's certificate is revoked.
    #[error("no revocation list is of the authority that signed the peer's certificate")]
    UnknownRevocation,
    /// The list that would say whether the peer's certificate is revoked is too old.
    #[error("the revocation list for the peer's certificate is out of date")]
    StaleRevocationList,
    /// What is allowed leaves no suite for this kind of connection.
    #[error("no version and cipher suite that is allowed here fits")]
    NothingAllowed,
    /// The peer's certificate has expired or is not valid yet.
    #[error("the peer's certificate is not valid at this time")]
    CertificateTime,
    /// A certificate of the peer is required and it showed none.
    #[error("the peer showed no certificate")]
    NoPeerCertificate,
    /// The peer refused our certificate with this alert, or requires one and we have none.
    #[error("the peer refused our certificate with alert {0}")]
    OurCertificateRefused(u8),
    /// A certificate or private key of ours cannot be used.
    #[error("cannot use the configured certificate: {0}")]
    BadCertificate(String),
    /// A pre-shared key or its name cannot be used: empty, too long, or with a zero byte.
    #[error("cannot use the pre-shared key of {0}: it or its name is empty, too long, or has a zero byte")]
    BadKey(String),
    /// The bytes are not TLS.
    #[error("the peer does not speak TLS")]
    NotTls,
    /// The peer answered with the Bareos signal -4 in clear, `wire/1 §2.2`.
    #[error("the peer ended the connection in clear instead of answering TLS")]
    RefusedInClear,
    /// No protocol version or cipher suite in common.
    #[error("no TLS version or cipher suite in common")]
    NothingInCommon,
    /// Another alert.
    #[error("the peer ended TLS with alert {0}")]
    Alert(u8),
    /// A record was damaged on the way, or forged.
    #[error("a TLS record is damaged")]
    DamagedRecord,
    /// The peer broke the rules of TLS.
    #[error("the peer broke the rules of TLS: {0}")]
    BrokenRules(String),
    /// As much was sealed under one key as its suite allows, and TLS 1.2 cannot change it.
    #[error("the keys of this TLS 1.2 connection are used up")]
    KeysExhausted,
    /// The engine broke its own rules, or was used against them.
    #[error("TLS engine: {0}")]
    Engine(String),
}

/// TLS is wanted, and there is nothing to offer for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("TLS is wanted, but no certificate is configured and pre-shared keys are not built in")]
pub struct NoOffer;

impl Explain for NoOffer {
    fn facts(&self) -> Facts {
        (Fault::Config, Retry::Never, 597, "configure a certificate, or use a build with pre-shared keys").into()
    }
}
