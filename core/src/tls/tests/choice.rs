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
    let refused = Acceptor::new().start(&keyring(), First::Tls { psk_offered: true, takes_certificates: false });
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

/// OpenSSL set up as a stock daemon sets it up: a key and certificates offered together (`wire/1 §2.4`, §2.8).
#[cfg(feature = "psk")]
mod with_a_stock_dialler {
    use std::io::{self, Read, Write};

    use openssl::ssl::{Ssl, SslContext, SslMethod, SslStream, SslVerifyMode, SslVersion};
    use openssl::x509::X509;
    use openssl::x509::store::X509StoreBuilder;

    use super::super::{KEY_OF_ONE, peer};
    use super::*;
    use crate::tls::psk::{PskAcceptor, PskDialler};

    /// What is on its way to the stock dialler, and from it.
    #[derive(Default)]
    struct Mem {
        input: Vec<u8>,
        output: Vec<u8>,
    }

    impl Read for Mem {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let n = into.len().min(self.input.len());
            into[..n].copy_from_slice(&self.input[..n]);
            self.input.drain(..n);
            if n == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(n) }
        }
    }

    impl Write for Mem {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.output.extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Stock {
        /// The authority it verifies certificates by.
        ca: Option<String>,
        most: SslVersion,
        suites: &'static str,
    }

    const DEFAULT: &str = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";

    /// Dials; returns the dialler's end if TLS came to be, and what the acceptor made of it.
    fn dial(stock: &Stock, acceptor: &Acceptor) -> (Result<SslStream<Mem>, String>, Result<Kind, TlsError>) {
        let mut builder = SslContext::builder(SslMethod::tls()).unwrap();
        builder.set_max_proto_version(Some(stock.most)).unwrap();
        builder.set_ciphersuites(stock.suites).unwrap();
        builder.set_cipher_list("ALL:!ADH:!LOW:!EXP:!MD5:@STRENGTH").unwrap();
        builder.set_psk_client_callback(|_, _, identity, key| {
            let name = peer("one").psk_identity();
            identity[..name.len()].copy_from_slice(name.as_bytes());
            identity[name.len()] = 0;
            key[..KEY_OF_ONE.len()].copy_from_slice(KEY_OF_ONE.as_bytes());
            Ok(KEY_OF_ONE.len())
        });
        builder.set_verify(SslVerifyMode::NONE);
        if let Some(ca) = &stock.ca {
            let mut store = X509StoreBuilder::new().unwrap();
            store.add_cert(X509::from_pem(ca.as_bytes()).unwrap()).unwrap();
            builder.set_cert_store(store.build());
            builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        }
        let mut ssl = Ssl::new(&builder.build()).unwrap();
        // The certificates of these tests are valid in 2026.
        ssl.param_mut().set_time(wall().now().seconds());
        let mut stream = SslStream::new(ssl, Mem::default()).unwrap();
        let mut connected = stream.connect().map_err(|error| error.to_string());
        let hello = std::mem::take(&mut stream.get_mut().output);
        let session = acceptor.start(&keyring(), acceptor.sniff(&hello)).unwrap().unwrap();
        let mut end = End::new(session);
        let mut accepted = end.feed(&hello);
        for _ in 0..4 {
            stream.get_mut().input.append(&mut end.out);
            if connected.is_err() {
                connected = stream.connect().map_err(|error| error.to_string());
            }
            let there = std::mem::take(&mut stream.get_mut().output);
            accepted = accepted.and_then(|()| end.feed(&there));
        }
        (connected.map(|()| stream), accepted.map(|()| end.established().kind))
    }

    fn both(authority: &Authority) -> Acceptor {
        let own = config(Some(&authority.sign("bareos-sd", &["sd.example"])), None, &[]);
        let psk = PskAcceptor::new(Some(own.clone()), Versions::All, &wall()).unwrap();
        let certificate = CertificateAcceptor::new(&own, Versions::All, &wall()).unwrap();
        Acceptor::new().with_certificate(certificate).with_psk(psk)
    }

    #[test]
    fn one_that_verifies_gets_the_certificate_at_its_first_dial() {
        let authority = Authority::new();
        for most in [SslVersion::TLS1_3, SslVersion::TLS1_2] {
            let stock = Stock { ca: Some(authority.pem.clone()), most, suites: DEFAULT };
            let (stream, accepted) = dial(&stock, &both(&authority));
            let stream = stream.unwrap();
            assert!(stream.ssl().peer_certificate().is_some(), "it hangs up without one");
            assert_eq!(accepted, Ok(Kind::Certificate));
            // One that does not verify looks the same, and is served the same, as by a stock acceptor.
            let (stream, accepted) = dial(&Stock { ca: None, most, suites: DEFAULT }, &both(&authority));
            assert!(stream.is_ok());
            assert_eq!(accepted, Ok(Kind::Certificate));
        }
    }

    #[test]
    fn one_that_does_not_trust_our_certificate_says_so_and_our_error_too() {
        let authority = Authority::new();
        let stock = Stock { ca: Some(Authority::new().pem), most: SslVersion::TLS1_3, suites: DEFAULT };
        let (stream, accepted) = dial(&stock, &both(&authority));
        assert!(stream.is_err());
        assert!(matches!(accepted, Err(TlsError::OurCertificateRefused(_))), "{accepted:?}");
    }

    #[test]
    fn one_that_offers_only_suites_for_keys_gets_its_key_and_so_does_a_dialler_of_ours() {
        let authority = Authority::new();
        let suites = "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
        let stock = Stock { ca: None, most: SslVersion::TLS1_3, suites };
        assert_eq!(dial(&stock, &both(&authority)).1, Ok(Kind::Psk));
        let settings = PskDialler::new(Versions::All).unwrap();
        let key = super::super::secret(KEY_OF_ONE);
        let ours = Dialler::Psk { settings, identity: peer("one"), key };
        assert_eq!(meet(&ours, &both(&authority)).unwrap().acceptor.established().kind, Kind::Psk);
    }

    #[test]
    fn without_a_certificate_here_it_gets_its_key_whether_it_verifies_or_not() {
        let authority = Authority::new();
        for ca in [None, Some(authority.pem.clone())] {
            let psk = PskAcceptor::new(None, Versions::All, &wall()).unwrap();
            let verifies = ca.is_some();
            let (stream, accepted) =
                dial(&Stock { ca, most: SslVersion::TLS1_3, suites: DEFAULT }, &Acceptor::new().with_psk(psk));
            assert_eq!(accepted, Ok(Kind::Psk));
            assert!(stream.unwrap().ssl().peer_certificate().is_none(), "verifies: {verifies}");
        }
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
