//! TLS to the server: what is verified, and what is said of a server that is not the one meant.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use towline_core::catalog::CatalogErrorKind;
use towline_core::config::{Postgres, PostgresTls};

use super::support::postgres::Server;
use super::{Catalog as _, PostgresCatalog};

/// An authority, and a certificate and its key that it has signed for a name.
fn signed(name: &str) -> (String, String, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    (authority.pem(), certificate.pem(), key.serialize_pem())
}

fn refused(server: &Postgres) -> CatalogErrorKind {
    let error = PostgresCatalog::open(server).err().unwrap();
    assert!(!error.text.contains("sesame"), "{error}");
    error.kind
}

#[test]
fn a_server_is_known_by_its_certificate_and_each_thing_that_is_wrong_has_its_own_error() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        Some(file.display().to_string())
    };
    let (ours, certificate, key) = signed("localhost");
    let (other, ..) = signed("localhost");
    let (ours, other, empty) = (file("ours.pem", &ours), file("other.pem", &other), file("empty.pem", ""));
    let meant = Postgres {
        host: "localhost".to_owned(),
        tls: PostgresTls::VerifyFull,
        tls_ca: ours.clone(),
        ..server.over_loopback()
    };
    assert_eq!(refused(&meant), CatalogErrorKind::Plain, "it has no TLS yet");
    server.secure(&certificate, &key);
    let mut catalog = PostgresCatalog::open(&meant).unwrap();
    assert!(catalog.handle(&towline_core::catalog::CatalogRequest::MaxMediaId, super::Attempt::First).is_ok());
    let protected = "SELECT COUNT(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                     WHERE ssl AND application_name = 'towline-dir'";
    assert_eq!(server.sql("towline", protected), "1");
    // Any certificate will do.
    let anybody = Postgres { tls: PostgresTls::Require, tls_ca: None, host: "127.0.0.1".to_owned(), ..meant.clone() };
    drop(PostgresCatalog::open(&anybody).unwrap());
    for (wrong, kind) in [
        (Postgres { tls_ca: other, ..meant.clone() }, CatalogErrorKind::Untrusted),
        (Postgres { tls_ca: empty, ..meant.clone() }, CatalogErrorKind::Untrusted),
        (Postgres { host: "127.0.0.1".to_owned(), ..meant.clone() }, CatalogErrorKind::Misnamed),
    ] {
        assert_eq!(refused(&wrong), kind);
    }
}
