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

/// The four answers every error gives.
pub trait Explain: fmt::Display {
    /// Whose fault it is.
    fn fault(&self) -> Fault;
    /// Whether to retry.
    fn retry(&self) -> Retry;
    /// The stable code.
    fn code(&self) -> Code;
    /// One sentence of advice.
    fn help(&self) -> &'static str;
}

/// Why a TLS engine ended a connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The dialler offered a pre-shared key for a name nobody here has.
    #[error("no key for the offered name {0}")]
    UnknownIdentity(String),
    /// The name is known, the key differs.
    #[error("the key for {0} differs from the peer's")]
    WrongKey(String),
    /// The peer refused our name or has no certificate and no key for us (alert `handshake_failure` or `unknown_psk_identity`).
    #[error("the peer refused the handshake: it knows no key for our name, or has no certificate")]
    RefusedByPeer,
    /// The peer says our key is wrong (alert `illegal_parameter` or `bad_record_mac`).
    #[error("the peer says our key differs from its own")]
    KeyRefusedByPeer,
    /// A pre-shared key was required and the peer showed a certificate.
    #[error("the peer answered with a certificate where a pre-shared key is required")]
    CertificateInsteadOfKey,
    /// The peer's certificate is not signed by a trusted authority.
    #[error("the peer's certificate is not signed by a trusted authority")]
    UntrustedCertificate,
    /// The peer's certificate is for other names.
    #[error("the peer's certificate is for another name than {0}")]
    WrongCertificateName(String),
    /// The peer's certificate has expired or is not valid yet.
    #[error("the peer's certificate is not valid at this time")]
    CertificateTime,
    /// A certificate or key of ours cannot be used.
    #[error("cannot use the configured certificate: {0}")]
    BadCertificate(String),
    /// The bytes are not TLS.
    #[error("the peer does not speak TLS")]
    NotTls,
    /// No protocol version or cipher suite in common.
    #[error("no TLS version or cipher suite in common")]
    NothingInCommon,
    /// Another alert.
    #[error("the peer ended TLS with alert {0}")]
    Alert(u8),
    /// A record was damaged on the way, or forged.
    #[error("a TLS record is damaged")]
    DamagedRecord,
    /// The engine broke its own rules.
    #[error("TLS engine: {0}")]
    Engine(String),
}
