//! A server behind TLS, whose certificate is trusted or not.

use std::net::TcpStream;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use towline_core::error::{Code, Explain as _};

use super::*;

/// An authority in PEM, and a server with a certificate of its.
fn behind_tls() -> (String, Server) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = Arc::new(config.with_single_cert(vec![certificate.der().clone()], key).unwrap());
    let wrap = move |stream: TcpStream| StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
    (authority.pem(), Server::start_over(wrap))
}

#[test]
fn a_server_is_trusted_by_the_authority_that_is_given_and_by_no_other() {
    let (authority, server) = behind_tls();
    let (other, _) = behind_tls();
    let folder = tempfile::tempdir().unwrap();
    let store = |name: &str, pem: &str| {
        let (file, address) = (folder.path().join(name), format!("s3://bucket/{name}/{}", server.address.port()));
        std::fs::write(&file, pem).unwrap();
        let settings = Settings {
            endpoint: Some(format!("https://{}", server.address)),
            access_key: Some("key".to_owned()),
            secret_key: Some(Password::new("hunter2")),
            tls_ca: Some(file.display().to_string()),
            ..settings()
        };
        register(&address, &settings).map(|()| address)
    };
    let (good, bad) = (store("good", &authority).unwrap(), store("bad", &other).unwrap());
    let (mut writer, Mounted { bytes, .. }) = mount(&good, "v1", Expect::New).unwrap();
    append(&mut writer, 1..3).unwrap();
    writer.sync().unwrap();
    assert_eq!(read(&good, "v1").unwrap().0, [bytes, bytes + 1000]);
    server.asked();
    let refused = mount(&bad, "v1", Expect::New).err().unwrap();
    assert_eq!(refused.code(), Code(979), "{refused}");
    assert!(refused.to_string().contains("tls_ca"), "{refused}");
    assert!(server.asked().is_empty(), "it was asked once, and nothing was said to it");
    assert!(store("none", "").err().unwrap().to_string().contains("no certificate"));
}
