//! What to do about a [`TlsError`]: one code and one sentence for each.

use crate::error::{Explain, Facts, Fault, Retry, TlsError};

impl Explain for TlsError {
    fn facts(&self) -> Facts {
        use Fault::{Bug, Config, Network, Peer};
        use Retry::{Backoff, Never};
        match self {
            Self::UnknownIdentity(_) => (
                Config,
                Backoff,
                201,
                "add a resource with exactly this name here, or correct the name in the peer's configuration",
            ),
            Self::WrongKey(_) => (
                Config,
                Never,
                202,
                "write the same password on both sides, in the two resources that name each other",
            ),
            Self::IdentityRefused(_) => (
                Config,
                Backoff,
                203,
                "make the name here equal to the one in the peer's configuration, and check that the peer has \
                 loaded it",
            ),
            Self::KeyRefused(_) => (
                Config,
                Never,
                204,
                "make the password, and the name, here equal to those in the peer's configuration; its log says \
                 which differs",
            ),
            Self::CertificateInsteadOfKey(_) => (Config, Never, 205, "let the peer prefer SHA-256 suites (in Bareos: TLS Cipher Suites = \
                 \"TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256\"), or configure certificates for this peer here"),
            Self::RefusedByPeer => (
                Peer,
                Never,
                206,
                "configure a certificate and its key in the peer's own resource, or build and use pre-shared \
                 keys here",
            ),
            Self::NothingOffered => (
                Peer,
                Never,
                207,
                "configure a certificate and its key here, or let the peer use a pre-shared key (a name and a \
                 password)",
            ),
            Self::NotConfigured => (
                Config,
                Never,
                208,
                "configure a certificate and its key, or a password, in this daemon's resource",
            ),
            Self::PskNotBuilt => (
                Config,
                Never,
                209,
                "install a build with the feature psk, or configure a certificate and its key here",
            ),
            Self::UntrustedCertificate => (
                Peer,
                Never,
                210,
                "put the authority that signed the peer's certificate into the file named as TLS CA certificate",
            ),
            Self::WrongCertificateName(_) => (
                Peer,
                Never,
                211,
                "list the peer's common name as TLS allowed CN, or use an address that its certificate names",
            ),
            Self::CertificateTime => (
                Peer,
                Never,
                212,
                "compare the clocks of both machines, then renew the peer's certificate",
            ),
            Self::NoPeerCertificate => (
                Peer,
                Never,
                213,
                "configure a certificate and its key on the peer, or stop verifying peers here",
            ),
            Self::OurCertificateRefused(_) => (
                Config,
                Never,
                214,
                "read the peer's log, then give this daemon a certificate signed by the authority the peer \
                 trusts",
            ),
            Self::BadCertificate(_) => (
                Config,
                Never,
                215,
                "check that the files hold a PEM certificate chain and its unencrypted private key",
            ),
            Self::BadKey(_) => (
                Config,
                Never,
                216,
                "choose a shorter name or password, and none that is empty: names of up to 117 bytes fit every \
                 kind of daemon",
            ),
            Self::NotTls => (
                Peer,
                Never,
                217,
                "check that the port belongs to a backup daemon and that TLS is enabled on both sides",
            ),
            Self::RefusedInClear => (
                Peer,
                Backoff,
                218,
                "read the peer's log: it has TLS switched off, does not know this name, or is not taking \
                 connections",
            ),
            Self::NothingInCommon => (
                Peer,
                Never,
                219,
                "allow TLS 1.2 or TLS 1.3 and the default cipher suites on both sides",
            ),
            Self::Alert(_) => (Peer, Backoff, 220, "read the peer's log: it says why it ended the connection"),
            Self::DamagedRecord => (
                Network,
                Backoff,
                221,
                "look for a proxy or firewall that changes the data on the way",
            ),
            Self::BrokenRules(_) => (
                Peer,
                Backoff,
                222,
                "check that the port belongs to a backup daemon, and update the peer's TLS library",
            ),
            Self::RevokedCertificate => (
                Peer,
                Never,
                871,
                "give the peer a new certificate; if it was revoked by mistake, publish a new list and start this daemon again",
            ),
            Self::UnknownRevocation => (
                Config,
                Never,
                872,
                "put a list of every authority in the peer's chain into the file named as TLS certificate revocation list",
            ),
            Self::StaleRevocationList => (
                Config,
                Backoff,
                873,
                "fetch the authority's newest revocation list, and start this daemon again",
            ),
            Self::NothingAllowed => (
                Config,
                Never,
                874,
                "allow more in TLS protocol, TLS cipher suites or TLS cipher list of this resource",
            ),
            Self::KeysExhausted => (
                Peer,
                Backoff,
                224,
                "let the peer speak TLS 1.3, or a ChaCha20 suite, for jobs of more than 256 GiB",
            ),
            Self::Engine(_) => (Bug, Backoff, 223, "report this as a bug, with the log of this connection"),
        }
        .into()
    }
}

#[cfg(test)]
pub(crate) fn one_of_each() -> Vec<TlsError> {
    let name = || "R_CLIENT one".to_owned();
    vec![
        TlsError::UnknownIdentity(name()),
        TlsError::WrongKey(name()),
        TlsError::IdentityRefused(name()),
        TlsError::KeyRefused(name()),
        TlsError::CertificateInsteadOfKey(name()),
        TlsError::RefusedByPeer,
        TlsError::NothingOffered,
        TlsError::NotConfigured,
        TlsError::PskNotBuilt,
        TlsError::UntrustedCertificate,
        TlsError::WrongCertificateName(name()),
        TlsError::CertificateTime,
        TlsError::NoPeerCertificate,
        TlsError::OurCertificateRefused(48),
        TlsError::BadCertificate(name()),
        TlsError::BadKey(name()),
        TlsError::NotTls,
        TlsError::RefusedInClear,
        TlsError::NothingInCommon,
        TlsError::Alert(80),
        TlsError::DamagedRecord,
        TlsError::BrokenRules(name()),
        TlsError::Engine(name()),
        TlsError::KeysExhausted,
        TlsError::RevokedCertificate,
        TlsError::UnknownRevocation,
        TlsError::StaleRevocationList,
        TlsError::NothingAllowed,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_error_has_a_code_a_message_and_advice_of_its_own() {
        let all = one_of_each();
        let codes: Vec<u16> = all.iter().map(|error| error.code().0).collect();
        assert_eq!(codes, (201..=224).chain(871..=874).collect::<Vec<_>>());
        assert_eq!(all.iter().map(ToString::to_string).collect::<BTreeSet<_>>().len(), all.len());
        assert_eq!(all.iter().map(Explain::help).collect::<BTreeSet<_>>().len(), all.len());
    }

    #[test]
    fn messages_begin_in_lower_case_and_have_no_full_stop() {
        for error in one_of_each() {
            let text = error.to_string();
            assert!(!text.ends_with('.') && !error.help().ends_with('.'), "{text}");
            assert!(text.starts_with("TLS") || text.starts_with(char::is_lowercase), "{text}");
        }
    }
}
