//! The file daemon for small machines, without pre-shared keys: a backup and a restore with a director and a storage daemon
//! that have both pre-shared keys and certificates. The test builds that file daemon itself.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::daemon::run;
use support::network::{Network, Plan};
use support::{assert_restored, plant};

/// The features of the low-footprint file daemon. With `-p`, or Cargo unites the features of the workspace.
const FEATURES: [&str; 5] = ["-p", "towline", "--no-default-features", "--features", "blocking"];

fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(words).args(FEATURES).arg("--locked");
    command
}

/// What it takes to build counts here, and its own speed does not.
const PLAIN: [&str; 4] = ["--config", "profile.dev.opt-level=0", "--config", "profile.dev.package.'*'.opt-level=0"];

/// Builds the file daemon in a target folder of its own: the build that runs this test holds the lock of the other one.
fn build() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("low-footprint");
    let mut command = cargo(&["build", "--bin", "towline-fd"]);
    let status = command.args(PLAIN).arg("--target-dir").arg(&target).status().unwrap();
    assert!(status.success(), "the low-footprint file daemon does not build");
    target.join("debug/towline-fd")
}

/// An authority, and a certificate of it for this host, in a folder.
fn certificates(folder: &Path) {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.distinguished_name.push(DnType::CommonName, "test authority");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let mut own = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    own.distinguished_name.push(DnType::CommonName, "host");
    let key = KeyPair::generate().unwrap();
    let certificate = own.signed_by(&key, &authority).unwrap();
    for (name, text) in [("ca", authority.pem()), ("certificate", certificate.pem()), ("key", key.serialize_pem())] {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

#[test]
fn the_low_footprint_file_daemon_backs_up_and_restores_with_certificates() {
    let program = build();
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let path = |name: &str| folder.path().join(name);
    let (certificate, key, ca) = (path("certificate"), path("key"), path("ca"));
    let tls = |psk: bool| {
        format!("tls: (certificate: {certificate:?}, key: {key:?}, ca: {ca:?}, verify_peer: true, psk: {psk}),")
    };
    let network = Network::start(&Plan {
        all: tls(true),
        file_program: program,
        file_tls: Some(tls(false)),
        // The console uses the director's pre-shared key.
        console_tls: Some(String::new()),
        ..Plan::default()
    });
    plant(&network.source, 21, 4 << 20);
    let backup = network.backup();
    assert!(backup.is_ok(), "{}", backup.report);
    let place = network.place("restored");
    let restored = network.restore(&place, "");
    assert!(restored.is_ok(), "{}", restored.report);
    assert_restored(&network.source, &place);
    network.assert_all_serve();
}

#[test]
fn the_low_footprint_file_daemon_refuses_pre_shared_keys_and_says_what_to_do() {
    let program = build();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.ron");
    std::fs::write(&file, r#"(file: (name: "f", listen: ["127.0.0.1"]), directors: [(name: "d", password: "p")])"#)
        .unwrap();
    for more in [&[][..], &["-t"]] {
        let (code, _, said) = run(Command::new(&program).arg("-c").arg(&file).args(more), "");
        assert_eq!(code, Some(78), "{said}");
        assert!(said.contains("psk") && said.contains("certificate"), "no remedy: {said}");
    }
}

#[test]
fn the_low_footprint_file_daemon_has_no_async_runtime_no_database_and_no_openssl() {
    let (code, tree, said) = run(&mut cargo(&["tree", "--edges", "normal", "--prefix", "none"]), "");
    assert_eq!(code, Some(0), "{said}");
    let packages: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(packages.contains(&"towline-runtime-blocking"), "{tree}");
    for heavy in ["tokio", "smol", "async-io", "rusqlite", "postgres", "openssl", "aws-lc-rs", "ratatui"] {
        assert!(!packages.contains(&heavy), "{heavy} is in:\n{tree}");
    }
}
