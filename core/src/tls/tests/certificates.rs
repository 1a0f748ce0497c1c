//! Who trusts which certificate, `wire/1 §2.8`.

use std::sync::Arc;

use rcgen::{BasicConstraints, IsCa, KeyPair};

use super::{Authority, Pair, config, params, wall};
use crate::error::TlsError;
use crate::time::Wall;
use crate::tls::Versions;
use crate::tls::certificate::{CertificateConfig, SharedWall};
use crate::tls::rustls::{CertificateAcceptor, CertificateDialler};
use crate::tls::terms::Terms;

type Outcome = (Result<(), TlsError>, Result<(), TlsError>);

const BOTH: [Versions; 2] = [Versions::Only12, Versions::Only13];

fn shake(
    versions: Versions,
    dialler: &Arc<CertificateConfig>,
    address: &str,
    acceptor: &Arc<CertificateConfig>,
    wall: &SharedWall,
) -> Outcome {
    let dialler = CertificateDialler::new(dialler, versions, wall).unwrap().start(address).unwrap();
    let acceptor = CertificateAcceptor::new(acceptor, versions, wall).unwrap().start().unwrap();
    let mut pair = Pair::new(dialler, acceptor);
    let outcome = pair.shake(usize::MAX);
    if outcome == (Ok(()), Ok(())) {
        pair.ready();
    }
    outcome
}

#[test]
fn a_dialler_that_verifies_takes_the_address_or_an_allowed_common_name() {
    let authority = Authority::new();
    let acceptor = config(Some(&authority.sign("bareos-fd", &["files.example", "10.1.2.3"])), None, &[]);
    let dial = |allowed: &[&str], address: &str| {
        let dialler = config(None, Some(&authority.pem), allowed);
        shake(Versions::All, &dialler, address, &acceptor, &wall()).0
    };
    for address in ["files.example", "FILES.example", "bareos-fd", "10.1.2.3"] {
        assert_eq!(dial(&[], address), Ok(()), "{address}");
    }
    assert_eq!(dial(&[], "other.example"), Err(TlsError::WrongCertificateName("other.example".to_owned())));
    assert_eq!(dial(&["x", "bareos-fd"], "10.9.9.9"), Ok(()));
    assert_eq!(dial(&["files.example"], "files.example"), Err(TlsError::WrongCertificateName("files.example".into())));
}

#[test]
fn a_certificate_of_a_stranger_is_refused_and_both_sides_say_why() {
    let acceptor = config(Some(&Authority::new().sign("one", &["one.example"])), None, &[]);
    let dialler = config(None, Some(&Authority::new().pem), &[]);
    for versions in BOTH {
        let (dialled, accepted) = shake(versions, &dialler, "one.example", &acceptor, &wall());
        assert_eq!(dialled, Err(TlsError::UntrustedCertificate));
        assert!(matches!(accepted, Err(TlsError::OurCertificateRefused(_))), "{accepted:?}");
    }
}

#[test]
fn a_certificate_before_and_after_its_life_is_refused_by_our_clock() {
    let authority = Authority::new();
    let acceptor = config(Some(&authority.sign("one", &["one.example"])), None, &[]);
    let dialler = config(None, Some(&authority.pem), &[]);
    let wall = wall();
    for (seconds, expected) in [
        (1_767_225_599, Err(TlsError::CertificateTime)),
        (1_767_225_600, Ok(())),
        (1_798_761_600, Ok(())),
        (1_798_761_601, Err(TlsError::CertificateTime)),
    ] {
        wall.set(Wall(seconds * 1_000_000));
        assert_eq!(shake(Versions::All, &dialler, "one.example", &acceptor, &wall).0, expected, "at {seconds}");
    }
}

#[test]
fn a_self_signed_certificate_that_is_trusted_itself_passes_in_its_life() {
    let key = KeyPair::generate().unwrap();
    let mut params = params("one", &["one.example"]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).unwrap().pem();
    let acceptor = config(Some(&(pem.clone(), key.serialize_pem())), None, &[]);
    let dialler = config(None, Some(&pem), &[]);
    let wall = wall();
    assert_eq!(shake(Versions::All, &dialler, "one.example", &acceptor, &wall), (Ok(()), Ok(())));
    let wrong = shake(Versions::All, &dialler, "two.example", &acceptor, &wall).0;
    assert_eq!(wrong, Err(TlsError::WrongCertificateName("two.example".to_owned())));
    wall.set(Wall(1_800_000_000_000_000));
    let late = shake(Versions::All, &dialler, "one.example", &acceptor, &wall).0;
    assert_eq!(late, Err(TlsError::CertificateTime));
}

#[test]
fn an_acceptor_that_verifies_wants_a_certificate_with_an_allowed_name() {
    let authority = Authority::new();
    let own = authority.sign("bareos-sd", &[]);
    for versions in BOTH {
        let accept = |allowed: &[&str], dialler: &Arc<CertificateConfig>| {
            let acceptor = config(Some(&own), Some(&authority.pem), allowed);
            shake(versions, dialler, "x.example", &acceptor, &wall())
        };
        let good = config(Some(&authority.sign("bareos-fd", &[])), None, &[]);
        assert_eq!(accept(&[], &good), (Ok(()), Ok(())));
        assert_eq!(accept(&["bareos-fd"], &good), (Ok(()), Ok(())));
        let (told, wrong) = accept(&["bareos-dir", "mon"], &good);
        assert_eq!(wrong, Err(TlsError::WrongCertificateName("bareos-dir or mon".to_owned())));
        assert!(matches!(told, Err(TlsError::OurCertificateRefused(_))), "{told:?}");
        let stranger = config(Some(&Authority::new().sign("bareos-fd", &[])), None, &[]);
        assert_eq!(accept(&[], &stranger).1, Err(TlsError::UntrustedCertificate));
        let (told, none) = accept(&[], &config(None, None, &[]));
        assert_eq!(none, Err(TlsError::NoPeerCertificate));
        assert!(matches!(told, Err(TlsError::OurCertificateRefused(_) | TlsError::RefusedByPeer)), "{told:?}");
    }
}

#[test]
fn two_versions_with_nothing_in_common_say_so_on_both_sides() {
    let dialler = CertificateDialler::new(&config(None, None, &[]), Versions::Only12, &wall()).unwrap();
    let own = config(Some(&Authority::new().sign("one", &[])), None, &[]);
    let acceptor = CertificateAcceptor::new(&own, Versions::Only13, &wall()).unwrap();
    let mut pair = Pair::new(dialler.start("one.example").unwrap(), acceptor.start().unwrap());
    assert_eq!(pair.shake(usize::MAX), (Err(TlsError::NothingInCommon), Err(TlsError::NothingInCommon)));
}

#[test]
fn a_key_that_does_not_fit_its_certificate_is_refused() {
    let (one, two) = (Authority::new().sign("one", &[]), Authority::new().sign("one", &[]));
    let crossed = config(Some(&(one.0, two.1)), None, &[]);
    let made = CertificateAcceptor::new(&crossed, Versions::All, &wall());
    assert!(matches!(made, Err(TlsError::BadCertificate(_))), "{made:?}");
    let nothing = CertificateAcceptor::new(&config(None, None, &[]), Versions::All, &wall());
    assert!(matches!(nothing, Err(TlsError::BadCertificate(_))), "{nothing:?}");
}

/// A configuration that trusts an authority, with lists of what is revoked.
fn with_lists(own: Option<&(String, String)>, authority: &Authority, lists: &[String]) -> Arc<CertificateConfig> {
    let (chain, key) = own.map_or(("", ""), |(chain, key)| (chain, key));
    let config =
        CertificateConfig::from_pem(chain.as_bytes(), key.as_bytes(), authority.pem.as_bytes(), true, Vec::new());
    Arc::new(config.unwrap().with_revoked(lists.concat().as_bytes()).unwrap())
}

/// What comes of a certificate with the number 7 for each set of lists: `month` is when they end, and it is June.
fn judged(judge: impl Fn(&Authority, &[String]) -> Result<(), TlsError>) {
    let authority = Authority::new();
    let stranger = Authority::new();
    let on = |lists: &[String]| judge(&authority, lists);
    assert_eq!(on(&[authority.revoke(&[8], 12)]), Ok(()));
    assert_eq!(on(&[authority.revoke(&[8, 7], 12)]), Err(TlsError::RevokedCertificate));
    assert_eq!(on(&[authority.revoke(&[8], 3)]), Err(TlsError::StaleRevocationList));
    // The name of the authority and the hand of another.
    assert_eq!(on(&[stranger.revoke(&[], 12)]), Err(TlsError::UnknownRevocation));
}

#[test]
fn a_dialler_with_revocation_lists_looks_the_acceptor_up() {
    for versions in BOTH {
        judged(|authority, lists| {
            let acceptor = config(Some(&authority.sign("one", &["one.example"])), None, &[]);
            let dialler = with_lists(None, authority, lists);
            shake(versions, &dialler, "one.example", &acceptor, &wall()).0
        });
    }
    // Its names are judged as without lists.
    let authority = Authority::new();
    let acceptor = config(Some(&authority.sign("one", &[])), None, &[]);
    let dialler = with_lists(None, &authority, &[authority.revoke(&[], 12)]);
    assert_eq!(shake(Versions::All, &dialler, "one", &acceptor, &wall()).0, Ok(()));
    let wrong = shake(Versions::All, &dialler, "two.example", &acceptor, &wall()).0;
    assert_eq!(wrong, Err(TlsError::WrongCertificateName("two.example".to_owned())));
}

#[test]
fn an_acceptor_with_revocation_lists_looks_the_dialler_up() {
    for versions in BOTH {
        judged(|authority, lists| {
            let acceptor = with_lists(Some(&authority.sign("sd", &[])), authority, lists);
            let dialler = config(Some(&authority.sign("fd", &[])), None, &[]);
            shake(versions, &dialler, "x.example", &acceptor, &wall()).1
        });
    }
}

#[cfg(feature = "psk")]
#[test]
fn an_acceptor_that_takes_keys_too_looks_the_dialler_up() {
    for versions in BOTH {
        judged(|authority, lists| {
            let acceptor = with_lists(Some(&authority.sign("sd", &[])), authority, lists);
            let acceptor = crate::tls::psk::PskAcceptor::new(Some(acceptor), versions, &wall()).unwrap();
            let dialler = config(Some(&authority.sign("fd", &[])), None, &[]);
            let dialler = CertificateDialler::new(&dialler, versions, &wall()).unwrap();
            let mut pair = Pair::new(dialler.start("x.example").unwrap(), acceptor.start(super::keyring()).unwrap());
            pair.shake(usize::MAX).1
        });
    }
}

#[test]
fn a_list_of_nobody_in_the_chain_is_not_enough() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let acceptor = config(Some(&authority.sign("one", &["one.example"])), None, &[]);
    let mut other = params("another authority", &[]);
    other.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let list = Authority { params: other, ..stranger }.revoke(&[], 12);
    let dialler = with_lists(None, &authority, &[list]);
    let judged = shake(Versions::All, &dialler, "one.example", &acceptor, &wall()).0;
    assert_eq!(judged, Err(TlsError::UnknownRevocation));
    let no_list = CertificateConfig::default().with_revoked(authority.pem.as_bytes());
    assert!(matches!(no_list, Err(TlsError::BadCertificate(_))), "{no_list:?}");
}

#[test]
fn the_terms_choose_the_version_and_the_suite_of_certificates() {
    let authority = Authority::new();
    let own = config(Some(&authority.sign("one", &["one.example"])), None, &[]);
    let agreed = |protocol, list, suites| {
        let terms = Terms::read(protocol, list, suites).unwrap();
        let acceptor = CertificateAcceptor::new(&own, terms, &wall()).unwrap();
        let dialler = CertificateDialler::new(&config(None, None, &[]), Versions::All, &wall()).unwrap();
        Pair::new(dialler.start("one.example").unwrap(), acceptor.start().unwrap()).ready().acceptor.established()
    };
    assert_eq!(agreed(None, None, None).to_string(), "TLS_AES_128_GCM_SHA256 TLSv1.3");
    let preferred = agreed(None, None, Some("TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256"));
    assert_eq!(preferred.to_string(), "TLS_AES_256_GCM_SHA384 TLSv1.3");
    let older = agreed(Some("-TLSv1.3"), Some("ECDHE+AESGCM:@STRENGTH"), None);
    assert_eq!(older.to_string(), "ECDHE-ECDSA-AES256-GCM-SHA384 TLSv1.2");
    let nothing = CertificateAcceptor::new(&own, Terms::read(Some("-TLSv1.3"), Some("PSK"), None).unwrap(), &wall());
    assert!(matches!(nothing, Err(TlsError::NothingAllowed)), "{nothing:?}");
}

#[cfg(feature = "psk")]
#[test]
fn the_terms_choose_the_version_and_the_suite_of_keys() {
    use crate::tls::psk::{PskAcceptor, PskDialler};
    let agreed = |protocol, list, suites| {
        let terms = Terms::read(protocol, list, suites).unwrap();
        let dialler = PskDialler::new(terms).unwrap();
        let acceptor = PskAcceptor::new(None, Versions::All, &wall()).unwrap();
        let dialler = dialler.start(&super::peer("one"), &super::secret(super::KEY_OF_ONE)).unwrap();
        Pair::new(dialler, acceptor.start(super::keyring()).unwrap()).ready().acceptor.established().to_string()
    };
    assert_eq!(agreed(None, None, None), "TLS_AES_128_GCM_SHA256 TLSv1.3");
    let chosen = agreed(None, None, Some("TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384"));
    assert_eq!(chosen, "TLS_CHACHA20_POLY1305_SHA256 TLSv1.3");
    assert_eq!(agreed(Some("-TLSv1.3"), Some("kPSK+AES256:!AESGCM"), None), "PSK-AES256-CBC-SHA384 TLSv1.2");
    // The only suite of TLS 1.3 that is left cannot carry a key.
    assert_eq!(
        agreed(None, Some("PSK-AES128-GCM-SHA256"), Some("TLS_AES_256_GCM_SHA384")),
        "PSK-AES128-GCM-SHA256 TLSv1.2"
    );
    let nothing = PskDialler::new(Terms::read(None, Some("ECDHE"), Some("TLS_AES_256_GCM_SHA384")).unwrap());
    assert!(matches!(nothing, Err(TlsError::NothingAllowed)), "{nothing:?}");
}
