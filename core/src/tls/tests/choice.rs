//! Which engine an accepted connection gets.

use super::{Authority, End, Pair, config, keyring, wall};
use crate::error::TlsError;
use crate::tls::rustls::{CertificateAcceptor, CertificateDialler};
use crate::tls::sniff::First;
use crate::tls::{Acceptor, Dialler, Kind, Versions};

fn certificate_dialler() -> Dialler {
    let settings = CertificateDialler::new(&config(None, None, &[]), Versions::All, &wall()).unwrap();
    Dialler::Certificate { settings, address: "peer.example".to_owned() }
}

fn certificate_acceptor() -> CertificateAcceptor {
    let own = config(Some(&Authority::new().sign("one", &[])), None, &[]);
    CertificateAcceptor::new(&own, Versions::All, &wall()).unwrap()
}

/// Dials, lets the acceptor judge the first flight, and shakes hands.
fn meet(dialler: &Dialler, acceptor: &Acceptor) -> Result<Pair, TlsError> {
    let mut dialler = End::new(dialler.start()?);
    dialler.feed(&[])?;
    let first = acceptor.sniff(&dialler.out);
    let Some(session) = acceptor.start(&keyring(), first)? else { panic!("the first flight is whole: {first:?}") };
    Ok(Pair { dialler, acceptor: End::new(session) }.ready_after_first_flight())
}

impl Pair {
    fn ready_after_first_flight(mut self) -> Self {
        assert_eq!(self.shake(usize::MAX), (Ok(()), Ok(())));
        self
    }
}

#[test]
fn a_clear_hello_gets_the_plain_engine() {
    let acceptor = Acceptor::new();
    let first = acceptor.sniff(b"\0\0\0\x20Hello Director x calling\n");
    assert_eq!(first, First::ClearHello);
    let session = acceptor.start(&keyring(), first).unwrap().unwrap();
    assert_eq!(End::new(session).established().kind, Kind::Clear);
    assert_eq!(End::new(Dialler::Clear.start().unwrap()).established().kind, Kind::Clear);
}

#[test]
fn nothing_is_chosen_from_too_few_bytes_and_foreign_ones_are_refused() {
    let acceptor = Acceptor::new().with_certificate(certificate_acceptor());
    assert!(acceptor.start(&keyring(), acceptor.sniff(&[0x16, 3])).unwrap().is_none());
    let foreign = acceptor.start(&keyring(), acceptor.sniff(b"GET / HTTP/1.1"));
    assert_eq!(foreign.map(drop), Err(TlsError::NotTls));
}

#[test]
fn a_dialler_without_a_key_gets_the_certificate() {
    let acceptor = Acceptor::new().with_certificate(certificate_acceptor());
    let pair = meet(&certificate_dialler(), &acceptor).unwrap();
    assert_eq!(pair.acceptor.established().kind, Kind::Certificate);
}

#[test]
fn without_any_configuration_the_reason_is_that() {
    let refused = meet(&certificate_dialler(), &Acceptor::new());
    assert_eq!(refused.map(drop), Err(TlsError::NotConfigured));
}

#[cfg(not(feature = "psk"))]
#[test]
fn a_key_offered_to_a_build_without_keys_is_named_as_the_reason() {
    let refused = Acceptor::new().start(&keyring(), First::Tls { psk_offered: true });
    assert_eq!(refused.map(drop), Err(TlsError::PskNotBuilt));
}

#[cfg(feature = "psk")]
mod with_keys {
    use super::super::{peer, secret};
    use super::*;
    use crate::tls::psk::{PskAcceptor, PskDialler};

    fn psk_dialler(versions: Versions) -> Dialler {
        Dialler::Psk {
            settings: PskDialler::new(versions).unwrap(),
            identity: peer("one"),
            key: secret("ed31a7bd1f9d2c8a6b0d0e9f0f6c4b11"),
        }
    }

    fn psk_acceptor() -> PskAcceptor {
        PskAcceptor::new(None, Versions::All, &wall()).unwrap()
    }

    #[test]
    fn a_dialler_with_a_key_gets_the_key_and_one_without_the_certificate() {
        let acceptor = Acceptor::new().with_certificate(certificate_acceptor()).with_psk(psk_acceptor());
        for versions in [Versions::All, Versions::Only12, Versions::Only13] {
            let pair = meet(&psk_dialler(versions), &acceptor).unwrap();
            assert_eq!(pair.acceptor.established().kind, Kind::Psk);
            assert_eq!(pair.acceptor.established().identity, Some(peer("one")));
        }
        let pair = meet(&certificate_dialler(), &acceptor).unwrap();
        assert_eq!(pair.acceptor.established().kind, Kind::Certificate);
    }

    #[test]
    fn with_keys_only_a_dialler_without_one_hears_nothing() {
        let refused = meet(&certificate_dialler(), &Acceptor::new().with_psk(psk_acceptor()));
        assert_eq!(refused.map(drop), Err(TlsError::NothingOffered));
    }
}

#[cfg(feature = "sim")]
mod with_toys {
    use super::super::{peer, secret};
    use super::*;

    fn toy() -> Dialler {
        Dialler::Toy { identity: peer("one"), key: secret("ed31a7bd1f9d2c8a6b0d0e9f0f6c4b11") }
    }

    #[test]
    fn a_simulated_daemon_takes_the_toy() {
        let pair = meet(&toy(), &Acceptor::simulated()).unwrap();
        assert_eq!(pair.acceptor.established().kind, Kind::Toy);
        assert_eq!(pair.acceptor.established().identity, Some(peer("one")));
    }

    #[test]
    fn a_daemon_built_with_everything_refuses_the_toy() {
        let acceptor = Acceptor::new().with_certificate(certificate_acceptor());
        #[cfg(feature = "psk")]
        let acceptor = acceptor.with_psk(crate::tls::psk::PskAcceptor::new(None, Versions::All, &wall()).unwrap());
        assert_eq!(meet(&toy(), &acceptor).map(drop), Err(TlsError::NotTls));
        assert_eq!(acceptor.start(&keyring(), First::Toy).map(drop), Err(TlsError::NotTls));
        let mut dialler = End::new(toy().start().unwrap());
        dialler.feed(&[]).unwrap();
        for mut other in [certificate_acceptor().start().unwrap(), certificate_dialler().start().unwrap()].map(End::new)
        {
            assert_eq!(other.feed(&dialler.out), Err(TlsError::NotTls));
        }
    }
}
