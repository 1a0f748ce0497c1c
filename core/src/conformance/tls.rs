//! TLS over a wire that delivers bytes one at a time.

use std::sync::Arc;

use super::arm::Arm;
use super::mate::Mate;
use super::stage::Stage;
use crate::socket::SocketOptions;
use crate::time::Wall;
use crate::tls::certificate::{CertificateConfig, SharedWall};
use crate::tls::rustls::{CertificateAcceptor, CertificateDialler};
use crate::tls::{self, Kind, Versions};

/// The mate's flights come a byte at a time, in both roles of the handshake and in both versions of TLS.
pub fn a_handshake_split_at_every_byte_succeeds(arm: &impl Arm) {
    let wall = SharedWall::new(Wall(1_700_000_000_000_000));
    let certificate = certificate();
    #[cfg(feature = "psk")]
    split_handshake_with_keys(arm, &wall);
    for (versions, version) in [(Versions::Only13, "TLSv1.3"), (Versions::Only12, "TLSv1.2")] {
        let acceptor = CertificateAcceptor::new(&certificate, versions, &wall).unwrap();
        let engines = tls::Acceptor::new().with_certificate(acceptor);
        let settings = CertificateDialler::new(&Arc::default(), versions, &wall).unwrap();
        let dialler = tls::Dialler::Certificate { settings, address: "localhost".to_owned() };
        handshake(arm, (Kind::Certificate, version), &engines, dialler.clone(), dialler);
    }
}

/// The mate dials with `guest` and is dialled with `host`.
fn handshake(arm: &impl Arm, expected: (Kind, &str), engines: &tls::Acceptor, guest: tls::Dialler, host: tls::Dialler) {
    let stage = Stage::with_engines(arm, engines.clone());
    let at = stage.listen(SocketOptions::default());
    let mut guest = Mate::dialled(arm.knock(at, SocketOptions::default()), guest);
    (guest.chunk, guest.sip) = (1, 1);
    guest.authenticate();
    let (conn, peer) = stage.accepted();
    assert_eq!((peer.tls.kind, &*peer.tls.version), expected);
    guest.send(b"sealed");
    assert_eq!(stage.text(conn), b"sealed");

    let (mut host, conn, peer) = stage.host_with(host, engines.clone());
    assert_eq!((peer.tls.kind, &*peer.tls.version), expected);
    stage.order(move |net| net.send_text(conn, b"sealed too"));
    assert_eq!(host.text(), b"sealed too");
    stage.finish();
}

/// The same with pre-shared keys.
#[cfg(feature = "psk")]
fn split_handshake_with_keys(arm: &impl Arm, wall: &SharedWall) {
    use super::mate::password;
    use crate::tls::psk::{PskAcceptor, PskDialler};
    use crate::wire::names::{PeerKind, PeerName};
    for (versions, version) in [(Versions::Only13, "TLSv1.3"), (Versions::Only12, "TLSv1.2")] {
        let engines = tls::Acceptor::new().with_psk(PskAcceptor::new(None, versions, wall).unwrap());
        let settings = PskDialler::new(versions).unwrap();
        let as_director = |name| tls::Dialler::Psk {
            settings: settings.clone(),
            identity: PeerName::new(PeerKind::Director, name),
            key: password::key(),
        };
        handshake(arm, (Kind::Psk, version), &engines, as_director("mate"), as_director("stage"));
    }
}

fn certificate() -> Arc<CertificateConfig> {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (cert.pem(), signing_key.serialize_pem());
    Arc::new(CertificateConfig::from_pem(cert.as_bytes(), key.as_bytes(), b"", false, Vec::new()).unwrap())
}
