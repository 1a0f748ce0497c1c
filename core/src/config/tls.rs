//! TLS settings of a daemon or of one peer.

use super::resource::resources;
use crate::tls::terms::{Terms, WrongTerms};

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// Not at all: clear text.
    Off,
    /// By the shared password as pre-shared key; no certificates (`wire/1 §2.5`).
    Psk,
    /// By certificates; an acceptor may take pre-shared keys besides (`wire/1 §2.8`).
    Certificate,
}

resources! {
    /// TLS of one daemon (what it shows as the accepting side) or towards one peer (what it demands when dialling).
    ///
    /// With nothing configured connections are protected by pre-shared keys, as in Bareos. File names are relative to
    /// the folder of the configuration file.
    TlsConfig {
        /// Whether TLS is used. `false` means clear text, which a peer must be told as well (`wire/1 §2.8` case C).
        enable: bool = true,
        /// Whether a connection without TLS is refused (`wire/1 §2.9`). With `enable: true` only `true` is supported yet.
        require: bool = true,
        /// PEM file with our certificate, followed by its chain.
        certificate: Option<String> = None,
        /// PEM file with the private key of `certificate`.
        key: Option<String> = None,
        /// PEM file with the authorities that may have signed the peer's certificate.
        ca: Option<String> = None,
        /// Whether the peer's certificate is verified. `None`: when `ca` is given. (In Bareos: never, unless asked.)
        verify_peer: Option<bool> = None,
        /// The only names a peer's certificate may have. Empty: the dialled address for a dialler, any name signed by
        /// `ca` for an acceptor (`wire/1 §2.8`).
        allowed_cn: Vec<String> = Vec::new(),
        /// PEM file with revocation lists. If given, every certificate in the peer's chain must be looked up in a list of the
        /// authority that signed it, and no list may be out of date. It is read when the daemon starts.
        revocation_list: Option<String> = None,
        /// Versions of TLS, separated by commas: `-TLSv1.2` switches one off, its plain name on again, and both are on to
        /// begin with. Older versions are never spoken.
        protocol: Option<String> = None,
        /// The suites of TLS 1.2 in order of preference, in OpenSSL's language: `HIGH:!CHACHA20`. `None`: all there are.
        cipher_list: Option<String> = None,
        /// The suites of TLS 1.3 in order of preference, separated by colons. `None`: all there are. With pre-shared keys
        /// only those with SHA-256 count (`wire/1 §2.4`).
        cipher_suites: Option<String> = None,
        /// Whether pre-shared keys may be used. `false` needs certificates. A daemon with a certificate shows that to
        /// diallers that take certificates too, and takes keys of those that offer nothing else (`wire/1 §2.8`).
        psk: bool = true,
    }
}

impl Default for TlsConfig {
    fn default() -> Self {
        Self {
            enable: true,
            require: true,
            certificate: None,
            key: None,
            ca: None,
            verify_peer: None,
            allowed_cn: Vec::new(),
            revocation_list: None,
            protocol: None,
            cipher_list: None,
            cipher_suites: None,
            psk: true,
        }
    }
}

impl TlsConfig {
    /// No TLS at all.
    #[must_use]
    pub fn off() -> Self {
        Self { enable: false, require: false, ..Self::default() }
    }

    /// How a connection with these settings is protected.
    #[must_use]
    pub const fn mode(&self) -> TlsMode {
        if !self.enable {
            TlsMode::Off
        } else if self.certificate.is_some() || self.ca.is_some() || !self.psk {
            TlsMode::Certificate
        } else {
            TlsMode::Psk
        }
    }

    /// Whether the peer's certificate is verified: as told, else when there is a `ca`.
    #[must_use]
    pub fn verifies(&self) -> bool {
        self.verify_peer.unwrap_or_else(|| self.ca.is_some())
    }

    /// The versions and suites that may be agreed on.
    ///
    /// # Errors
    /// A word that cannot be meant, or no version left.
    pub fn terms(&self) -> Result<Terms, WrongTerms> {
        Terms::read(self.protocol.as_deref(), self.cipher_list.as_deref(), self.cipher_suites.as_deref())
    }

    /// The policy as the number of the CRAM-MD5 challenge: 0 none, 1 enabled, 2 required (`wire/1 §2.9`).
    #[must_use]
    pub const fn policy(&self) -> u8 {
        match (self.enable, self.require) {
            (false, _) => 0,
            (true, false) => 1,
            (true, true) => 2,
        }
    }
}
