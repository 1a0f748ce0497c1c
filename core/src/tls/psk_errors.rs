//! What OpenSSL's errors mean to a person, by side and by how far the handshake had come.

use openssl::ssl;
use openssl::x509::X509VerifyResult;

use crate::error::TlsError;
use crate::tls::keyring::readable_identity;
use crate::wire::names::PeerName;

/// What is known beside the error itself.
pub(super) enum Blame<'a> {
    /// The handshake was finished.
    Data,
    /// In the handshake, on the side that dialled.
    Dialler {
        /// The identity we offered.
        readable: &'a str,
        /// Whether the acceptor showed a certificate.
        certificate_seen: bool,
    },
    /// In the handshake, on the side that accepted.
    Acceptor {
        /// A claimed identity that has a key here.
        known: Option<&'a PeerName>,
        /// A claimed identity that has none.
        unknown: Option<&'a str>,
        /// Whether a certificate is configured here.
        certificate: bool,
        /// What OpenSSL thinks of the dialler's certificate.
        verified: X509VerifyResult,
    },
}

/// Translates an error of OpenSSL.
pub(super) fn explain(error: &ssl::Error, blame: &Blame<'_>) -> TlsError {
    let mut reasons = Vec::new();
    let mut text = String::new();
    if let Some(stack) = error.ssl_error() {
        for error in stack.errors() {
            reasons.push(error.reason_code());
            text = error.reason().map_or_else(|| error.to_string(), str::to_owned);
        }
    }
    let alert = reasons.iter().find_map(|reason| u8::try_from(reason - ALERT_OFFSET).ok());
    let any = |wanted: &[i32]| reasons.iter().any(|reason| wanted.contains(reason));
    let key_differs = any(&[BINDER_DOES_NOT_VERIFY, DECRYPTION_FAILED, DIGEST_CHECK_FAILED]);
    match blame {
        Blame::Dialler { readable, certificate_seen: true } => {
            TlsError::CertificateInsteadOfKey((*readable).to_owned())
        }
        Blame::Dialler { readable, .. } if alert.is_some() => dialler_alert(readable, alert.unwrap_or(0)),
        Blame::Dialler { readable, .. } if key_differs => TlsError::WrongKey((*readable).to_owned()),
        _ if alert.is_some() => other_alert(alert.unwrap_or(0)),
        Blame::Acceptor { known: Some(peer), .. } if key_differs => {
            TlsError::WrongKey(readable_identity(peer.psk_identity().as_bytes()))
        }
        Blame::Acceptor { unknown: Some(name), known: None, .. } if key_differs => {
            TlsError::UnknownIdentity((*name).to_owned())
        }
        Blame::Acceptor { verified, .. } if any(&[CERTIFICATE_VERIFY_FAILED]) => match verified.as_raw() {
            NOT_YET_VALID | HAS_EXPIRED => TlsError::CertificateTime,
            _ => TlsError::UntrustedCertificate,
        },
        Blame::Acceptor { .. } if any(&[NO_PEER_CERTIFICATE]) => TlsError::NoPeerCertificate,
        _ if any(&[UNSUPPORTED_PROTOCOL, VERSION_TOO_LOW, NO_PROTOCOLS]) => TlsError::NothingInCommon,
        Blame::Acceptor { unknown: Some(name), known: None, .. } if any(&NO_WAY_TO_AUTHENTICATE) => {
            TlsError::UnknownIdentity((*name).to_owned())
        }
        Blame::Acceptor { known: None, certificate: false, .. } if any(&NO_WAY_TO_AUTHENTICATE) => {
            TlsError::NothingOffered
        }
        _ if any(&NO_WAY_TO_AUTHENTICATE) => TlsError::NothingInCommon,
        _ if any(&[DECRYPTION_FAILED]) => TlsError::DamagedRecord,
        _ if reasons.is_empty() => TlsError::Engine(error.to_string()),
        _ => TlsError::BrokenRules(text),
    }
}

fn dialler_alert(readable: &str, alert: u8) -> TlsError {
    match alert {
        40 | 115 => TlsError::IdentityRefused(readable.to_owned()),
        20 | 47 | 51 => TlsError::KeyRefused(readable.to_owned()),
        _ => other_alert(alert),
    }
}

fn other_alert(alert: u8) -> TlsError {
    match alert {
        40 => TlsError::RefusedByPeer,
        42..=46 | 48 | 51 | 116 => TlsError::OurCertificateRefused(alert),
        70 | 71 | 86 => TlsError::NothingInCommon,
        20 => TlsError::DamagedRecord,
        _ => TlsError::Alert(alert),
    }
}

/// A reason from here on is an alert of the peer. `SSL_AD_REASON_OFFSET` of OpenSSL's ssl.h, as all names below.
const ALERT_OFFSET: i32 = 1000;

const BINDER_DOES_NOT_VERIFY: i32 = 253;
const CERTIFICATE_VERIFY_FAILED: i32 = 134;
const DECRYPTION_FAILED: i32 = 281;
const DIGEST_CHECK_FAILED: i32 = 149;
const NO_PEER_CERTIFICATE: i32 = 199;
const NO_PROTOCOLS: i32 = 191;
const UNSUPPORTED_PROTOCOL: i32 = 258;
const VERSION_TOO_LOW: i32 = 396;

/// No shared cipher, no suitable signature algorithm, no suitable key share, identity not found, no certificate set.
const NO_WAY_TO_AUTHENTICATE: [i32; 5] = [193, 118, 101, 223, 179];

// X509_V_ERR_… of OpenSSL's x509_vfy.h.
const NOT_YET_VALID: i32 = 9;
const HAS_EXPIRED: i32 = 10;
