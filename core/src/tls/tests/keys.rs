//! Pre-shared keys: what is proved, and how each failure reads on both sides.

use super::{Pair, peer, secret};
use crate::error::TlsError;
use crate::secret::Secret;
#[cfg(feature = "sim")]
use crate::tls::toy::Toy;
use crate::wire::names::PeerName;

const KEY: &str = "ed31a7bd1f9d2c8a6b0d0e9f0f6c4b11";

fn the_identity_is_proved_on_both_sides(make: fn(PeerName, Secret) -> Pair) {
    let pair = make(peer("one"), secret(KEY)).ready();
    assert_eq!(pair.acceptor.established().identity, Some(peer("one")));
    assert_eq!(pair.dialler.established().identity, Some(peer("one")));
}

fn a_wrong_key_reads_as_a_wrong_key_on_both_sides(make: fn(PeerName, Secret) -> Pair) {
    for wrong in ["wrong", "0123456789abcdef0123456789abcdef"] {
        let outcome = make(peer("one"), secret(wrong)).shake(usize::MAX);
        let name = || "R_CLIENT one".to_owned();
        assert_eq!(outcome, (Err(TlsError::KeyRefused(name())), Err(TlsError::WrongKey(name()))));
    }
}

fn an_unknown_name_reads_as_unknown_to_us_and_as_a_wrong_key_to_its_owner(make: fn(PeerName, Secret) -> Pair) {
    let outcome = make(peer("nobody"), secret(KEY)).shake(usize::MAX);
    let name = || "R_CLIENT nobody".to_owned();
    assert_eq!(outcome, (Err(TlsError::KeyRefused(name())), Err(TlsError::UnknownIdentity(name()))));
}

/// What the acceptor sends, in order: the type and the size of each record, and the whole of each alert.
fn seen_by_the_dialler(mut pair: Pair) -> Vec<Vec<u8>> {
    let mut seen = Vec::new();
    pair.dialler.feed(&[]).unwrap();
    loop {
        let there = std::mem::take(&mut pair.dialler.out);
        let _refused = pair.acceptor.feed(&there);
        let back = std::mem::take(&mut pair.acceptor.out);
        seen.push(b"flight".to_vec());
        let mut rest = &back[..];
        while let Some(len) = crate::tls::record::record_len(rest) {
            let is_alert = matches!(rest[0], 0x15 | 0xa7);
            seen.push(if is_alert { rest[..len].to_vec() } else { vec![rest[0], rest[3], rest[4]] });
            rest = &rest[len..];
        }
        let told = pair.dialler.feed(&back);
        if back.is_empty() || told.is_err() {
            return seen;
        }
    }
}

fn an_unknown_name_and_a_wrong_key_are_the_same_on_the_wire(make: fn(PeerName, Secret) -> Pair) {
    let wrong = || secret("0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f");
    let unknown = seen_by_the_dialler(make(peer("six"), wrong()));
    assert_eq!(unknown, seen_by_the_dialler(make(peer("one"), wrong())));
    assert!(unknown.last().is_some_and(|last| last != b"flight"), "it ends with an alert: {unknown:?}");
    for kind in crate::wire::names::PeerKind::ALL {
        assert_eq!(unknown, seen_by_the_dialler(make(PeerName::new(kind, "six"), wrong())), "{kind}");
    }
}

fn nothing_is_established_before_the_key_is_proved(make: fn(PeerName, Secret) -> Pair) {
    let mut pair = make(peer("one"), secret("wrong"));
    assert_ne!(pair.shake(1).1, Ok(()));
    assert_eq!(pair.acceptor.session.state(), crate::tls::State::Handshaking);
    assert_eq!(pair.dialler.session.state(), crate::tls::State::Handshaking);
}

macro_rules! keyed {
    ($($(#[$when:meta])* $engine:ident = $make:expr;)*) => {$(
        $(#[$when])*
        mod $engine {
            use super::*;
            keyed!(@ $make;
                the_identity_is_proved_on_both_sides
                a_wrong_key_reads_as_a_wrong_key_on_both_sides
                an_unknown_name_reads_as_unknown_to_us_and_as_a_wrong_key_to_its_owner
                an_unknown_name_and_a_wrong_key_are_the_same_on_the_wire
                nothing_is_established_before_the_key_is_proved
            );
        }
    )*};
    (@ $make:expr; $($body:ident)*) => {$(
        #[test]
        fn $body() {
            super::$body($make);
        }
    )*};
}

keyed! {
    #[cfg(feature = "psk")]
    psk_13 = |peer, key| openssl::pair(Versions::Only13, peer, &key);
    #[cfg(feature = "psk")]
    psk_12 = |peer, key| openssl::pair(Versions::Only12, peer, &key);
    #[cfg(feature = "psk")]
    psk_of_any_version = |peer, key| openssl::pair(Versions::All, peer, &key);
    #[cfg(feature = "psk")]
    psk_13_beside_a_certificate = |peer, key| openssl::pair_beside_a_certificate(Versions::Only13, peer, &key);
    #[cfg(feature = "psk")]
    psk_12_beside_a_certificate = |peer, key| openssl::pair_beside_a_certificate(Versions::Only12, peer, &key);
    #[cfg(feature = "sim")]
    toy = toy_pair;
}

#[cfg(feature = "sim")]
fn toy_pair(peer: PeerName, key: Secret) -> Pair {
    Pair::new(Box::new(Toy::dialler(peer, key)), Box::new(Toy::acceptor(super::keyring())))
}

/// Two toys that know each other.
#[cfg(feature = "sim")]
pub(super) fn toys() -> Pair {
    toy_pair(peer("one"), secret(KEY))
}

#[cfg(feature = "psk")]
use crate::tls::Versions;
#[cfg(feature = "psk")]
pub(super) use openssl::{mixed, psk};

#[cfg(feature = "psk")]
mod openssl {
    use std::sync::Arc;

    use super::super::{Authority, Pair, config, keyring, peer, secret, wall};
    use super::KEY;
    use crate::error::TlsError;
    use crate::secret::Secret;
    use crate::time::Wall;
    use crate::tls::keyring::{Clear, Keyring};
    use crate::tls::psk::{PskAcceptor, PskDialler};
    use crate::tls::rustls::{CertificateAcceptor, CertificateDialler};
    use crate::tls::{Kind, Session, Versions};
    use crate::wire::names::{PeerKind, PeerName};

    pub(super) fn pair(versions: Versions, peer: PeerName, key: &Secret) -> Pair {
        Pair::new(dialler(versions, &peer, key), acceptor(versions, false))
    }

    pub(super) fn pair_beside_a_certificate(versions: Versions, peer: PeerName, key: &Secret) -> Pair {
        Pair::new(dialler(versions, &peer, key), acceptor(versions, true))
    }

    /// Two ends of OpenSSL that know each other.
    pub(in super::super) fn psk(versions: Versions) -> Pair {
        pair(versions, peer("one"), &secret(KEY))
    }

    /// A dialler with rustls and no key, an acceptor with OpenSSL and a certificate.
    pub(in super::super) fn mixed(versions: Versions) -> Pair {
        Pair::new(certificate_dialler(versions, false), acceptor(versions, true))
    }

    fn dialler(versions: Versions, peer: &PeerName, key: &Secret) -> Box<dyn Session> {
        PskDialler::new(versions).unwrap().start(peer, key).unwrap()
    }

    fn acceptor(versions: Versions, certificate: bool) -> Box<dyn Session> {
        let certificate = certificate.then(|| config(Some(&Authority::new().sign("bareos-sd", &[])), None, &[]));
        PskAcceptor::new(certificate, versions, &wall()).unwrap().start(keyring()).unwrap()
    }

    fn certificate_dialler(versions: Versions, _: bool) -> Box<dyn Session> {
        CertificateDialler::new(&config(None, None, &[]), versions, &wall()).unwrap().start("x.example").unwrap()
    }

    #[test]
    fn aes_with_128_bits_is_chosen_and_named() {
        let agreed = psk(Versions::All).ready().acceptor.established();
        assert_eq!((agreed.kind, agreed.version.as_str()), (Kind::Psk, "TLSv1.3"));
        assert_eq!(agreed.cipher, "TLS_AES_128_GCM_SHA256");
        let agreed = psk(Versions::Only12).ready().acceptor.established();
        assert_eq!((agreed.kind, agreed.version.as_str()), (Kind::Psk, "TLSv1.2"));
        assert_eq!(agreed.cipher, "ECDHE-PSK-CHACHA20-POLY1305");
    }

    /// The longest name of each kind of peer, and one past it.
    #[test]
    fn the_longest_name_of_each_kind_is_proved_and_one_past_it_is_refused() {
        for versions in [Versions::Only12, Versions::Only13, Versions::All] {
            for kind in PeerKind::ALL {
                let name = |length: usize| PeerName::new(kind, "n".repeat(length));
                let longest = name(kind.longest_name());
                assert_eq!(longest.psk_identity().len(), crate::limits::PSK_IDENTITY);
                let keys = Keyring::builder().with(longest.clone(), secret(KEY), Clear::Never).build();
                let acceptor = PskAcceptor::new(None, versions, &wall()).unwrap().start(keys.into()).unwrap();
                let pair = Pair::new(dialler(versions, &longest, &secret(KEY)), acceptor).ready();
                assert_eq!(pair.acceptor.established().identity, Some(longest));
                let past = PskDialler::new(versions).unwrap().start(&name(kind.longest_name() + 1), &secret(KEY));
                assert!(matches!(past, Err(TlsError::BadKey(_))), "{kind}");
            }
        }
    }

    #[test]
    fn a_certificate_of_the_acceptor_does_not_displace_the_key() {
        for versions in [Versions::Only12, Versions::Only13] {
            let pair = Pair::new(dialler(versions, &peer("one"), &secret(KEY)), acceptor(versions, true)).ready();
            assert_eq!(pair.acceptor.established().kind, Kind::Psk);
            assert_eq!(pair.acceptor.established().identity, Some(peer("one")));
        }
    }

    #[test]
    fn a_dialler_without_a_key_is_no_identity() {
        for versions in [Versions::Only12, Versions::Only13] {
            let pair = mixed(versions).ready();
            assert_eq!(pair.acceptor.established().kind, Kind::Certificate);
            assert_eq!(pair.acceptor.established().identity, None);
        }
    }

    #[test]
    fn a_dialler_with_a_key_refuses_a_certificate() {
        let own = config(Some(&Authority::new().sign("one", &[])), None, &[]);
        let rustls = CertificateAcceptor::new(&own, Versions::All, &wall()).unwrap().start().unwrap();
        let mut pair = Pair::new(dialler(Versions::Only13, &peer("one"), &secret(KEY)), rustls);
        let (dialled, accepted) = pair.shake(usize::MAX);
        assert_eq!(dialled, Err(TlsError::CertificateInsteadOfKey("R_CLIENT one".to_owned())));
        assert!(matches!(accepted, Err(TlsError::OurCertificateRefused(_))), "{accepted:?}");
    }

    #[test]
    fn an_unknown_name_with_the_decoy_for_a_key_proves_nothing() {
        for versions in [Versions::Only12, Versions::Only13] {
            let decoy = keyring().decoy().clone();
            let (_, accepted) = pair(versions, peer("nobody"), &decoy).shake(usize::MAX);
            assert_eq!(accepted, Err(TlsError::UnknownIdentity("R_CLIENT nobody".to_owned())), "{versions:?}");
        }
    }

    #[test]
    fn without_a_certificate_a_dialler_without_a_key_gets_nothing() {
        for versions in [Versions::Only12, Versions::Only13] {
            let mut pair = Pair::new(certificate_dialler(versions, false), acceptor(versions, false));
            assert_eq!(pair.shake(usize::MAX), (Err(TlsError::RefusedByPeer), Err(TlsError::NothingOffered)));
        }
    }

    #[test]
    fn versions_with_nothing_in_common_say_so() {
        let dialler = dialler(Versions::Only12, &peer("one"), &secret(KEY));
        let mut pair = Pair::new(dialler, acceptor(Versions::Only13, false));
        assert_eq!(pair.shake(usize::MAX), (Err(TlsError::NothingInCommon), Err(TlsError::NothingInCommon)));
    }

    #[test]
    fn an_acceptor_that_verifies_checks_certificates_but_not_keys() {
        let authority = Authority::new();
        let own = authority.sign("bareos-sd", &[]);
        for versions in [Versions::Only12, Versions::Only13] {
            let wall = wall();
            let accept = |allowed: &[&str]| {
                let config = config(Some(&own), Some(&authority.pem), allowed);
                PskAcceptor::new(Some(config), versions, &wall).unwrap().start(keyring()).unwrap()
            };
            let dial = |own: Option<&(String, String)>| {
                let settings = CertificateDialler::new(&config(own, None, &[]), versions, &wall).unwrap();
                settings.start("x.example").unwrap()
            };
            let good = authority.sign("bareos-fd", &[]);
            let stranger = Authority::new().sign("bareos-fd", &[]);
            Pair::new(dialler(versions, &peer("one"), &secret(KEY)), accept(&[])).ready();
            Pair::new(dial(Some(&good)), accept(&["bareos-fd"])).ready();
            let outcome = |own, allowed: &[&str]| Pair::new(dial(own), accept(allowed)).shake(usize::MAX).1;
            let wrong = TlsError::WrongCertificateName("bareos-dir".to_owned());
            assert_eq!(outcome(Some(&good), &["bareos-dir"]), Err(wrong));
            assert_eq!(outcome(Some(&stranger), &[]), Err(TlsError::UntrustedCertificate));
            assert_eq!(outcome(None, &[]), Err(TlsError::NoPeerCertificate));
            wall.set(Wall(1_800_000_000_000_000));
            assert_eq!(outcome(Some(&good), &[]), Err(TlsError::CertificateTime));
        }
    }

    #[test]
    fn a_key_at_the_limit_works_and_one_byte_more_is_refused() {
        let settings = PskDialler::new(Versions::All).unwrap();
        let name = "n".repeat(128 - "R_CLIENT ".len());
        let keyring = |name: &str, key: &Secret| {
            let builder = Keyring::builder();
            Arc::new(builder.with(peer(name), key.clone(), Clear::Never).build())
        };
        let long = secret(&"k".repeat(256));
        let acceptor = PskAcceptor::new(None, Versions::All, &wall()).unwrap();
        Pair::new(settings.start(&peer(&name), &long).unwrap(), acceptor.start(keyring(&name, &long)).unwrap()).ready();
        let refused = |name: &str, key: &Secret| settings.start(&peer(name), key).map(drop);
        for (name, key) in [
            (format!("{name}n"), secret("k")),
            ("one".to_owned(), secret(&"k".repeat(257))),
            ("one".to_owned(), secret("")),
            (String::new(), secret("k")),
            ("o\0ne".to_owned(), secret("k")),
        ] {
            assert!(matches!(refused(&name, &key), Err(TlsError::BadKey(_))), "{name:?}");
        }
    }
}
