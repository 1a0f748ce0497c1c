//! What to do about a [`TlsError`]: one code and one sentence for each.

use crate::error::{Code, Explain, Fault, Retry, TlsError};

impl Explain for TlsError {
    fn fault(&self) -> Fault {
        match self {
            Self::UnknownIdentity(_)
            | Self::WrongKey(_)
            | Self::IdentityRefused(_)
            | Self::KeyRefused(_)
            | Self::CertificateInsteadOfKey(_)
            | Self::NotConfigured
            | Self::PskNotBuilt
            | Self::OurCertificateRefused(_)
            | Self::BadCertificate(_)
            | Self::BadKey(_) => Fault::Config,
            Self::DamagedRecord => Fault::Network,
            Self::KeysExhausted => Fault::Peer,
            Self::Engine(_) => Fault::Bug,
            Self::RefusedByPeer
            | Self::NothingOffered
            | Self::UntrustedCertificate
            | Self::WrongCertificateName(_)
            | Self::CertificateTime
            | Self::NoPeerCertificate
            | Self::NotTls
            | Self::RefusedInClear
            | Self::NothingInCommon
            | Self::Alert(_)
            | Self::BrokenRules(_) => Fault::Peer,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            // The peer may just be restarting with another configuration, or a job's key has gone with its job.
            Self::UnknownIdentity(_) | Self::IdentityRefused(_) | Self::RefusedInClear | Self::Alert(_) => {
                Retry::Backoff
            }
            Self::DamagedRecord | Self::BrokenRules(_) | Self::KeysExhausted | Self::Engine(_) => Retry::Backoff,
            _ => Retry::Never,
        }
    }

    fn code(&self) -> Code {
        Code(match self {
            Self::UnknownIdentity(_) => 201,
            Self::WrongKey(_) => 202,
            Self::IdentityRefused(_) => 203,
            Self::KeyRefused(_) => 204,
            Self::CertificateInsteadOfKey(_) => 205,
            Self::RefusedByPeer => 206,
            Self::NothingOffered => 207,
            Self::NotConfigured => 208,
            Self::PskNotBuilt => 209,
            Self::UntrustedCertificate => 210,
            Self::WrongCertificateName(_) => 211,
            Self::CertificateTime => 212,
            Self::NoPeerCertificate => 213,
            Self::OurCertificateRefused(_) => 214,
            Self::BadCertificate(_) => 215,
            Self::BadKey(_) => 216,
            Self::NotTls => 217,
            Self::RefusedInClear => 218,
            Self::NothingInCommon => 219,
            Self::Alert(_) => 220,
            Self::DamagedRecord => 221,
            Self::BrokenRules(_) => 222,
            Self::Engine(_) => 223,
            Self::KeysExhausted => 224,
        })
    }

    fn help(&self) -> &'static str {
        match self {
            Self::UnknownIdentity(_) => {
                "add a resource with exactly this name here, or correct the name in the peer's configuration"
            }
            Self::WrongKey(_) => "write the same password on both sides, in the two resources that name each other",
            Self::IdentityRefused(_) => {
                "make the name here equal to the one in the peer's configuration, and check that the peer has loaded it"
            }
            Self::KeyRefused(_) => {
                "make the password, and the name, here equal to those in the peer's configuration; its log says which differs"
            }
            Self::CertificateInsteadOfKey(_) => {
                "let the peer prefer SHA-256 suites (in Bareos: TLS Cipher Suites = \
                 \"TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256\"), or configure certificates for this peer here"
            }
            Self::RefusedByPeer => {
                "configure a certificate and its key in the peer's own resource, or build and use pre-shared keys here"
            }
            Self::NothingOffered => {
                "configure a certificate and its key here, or let the peer use a pre-shared key (a name and a password)"
            }
            Self::NotConfigured => "configure a certificate and its key, or a password, in this daemon's resource",
            Self::PskNotBuilt => "install a build with the feature psk, or configure a certificate and its key here",
            Self::UntrustedCertificate => {
                "put the authority that signed the peer's certificate into the file named as TLS CA certificate"
            }
            Self::WrongCertificateName(_) => {
                "list the peer's common name as TLS allowed CN, or use an address that its certificate names"
            }
            Self::CertificateTime => "compare the clocks of both machines, then renew the peer's certificate",
            Self::NoPeerCertificate => "configure a certificate and its key on the peer, or stop verifying peers here",
            Self::OurCertificateRefused(_) => {
                "read the peer's log, then give this daemon a certificate signed by the authority the peer trusts"
            }
            Self::BadCertificate(_) => {
                "check that the files hold a PEM certificate chain and its unencrypted private key"
            }
            Self::BadKey(_) => {
                "choose a shorter name or password, and none that is empty: names of up to 117 bytes fit every kind of daemon"
            }
            Self::NotTls => "check that the port belongs to a backup daemon and that TLS is enabled on both sides",
            Self::RefusedInClear => {
                "read the peer's log: it has TLS switched off, does not know this name, or is not taking connections"
            }
            Self::NothingInCommon => "allow TLS 1.2 or TLS 1.3 and the default cipher suites on both sides",
            Self::Alert(_) => "read the peer's log: it says why it ended the connection",
            Self::DamagedRecord => "look for a proxy or firewall that changes the data on the way",
            Self::BrokenRules(_) => "check that the port belongs to a backup daemon, and update the peer's TLS library",
            Self::KeysExhausted => "let the peer speak TLS 1.3, or a ChaCha20 suite, for jobs of more than 256 GiB",
            Self::Engine(_) => "report this as a bug, with the log of this connection",
        }
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
        assert_eq!(codes, (201..=224).collect::<Vec<_>>());
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
