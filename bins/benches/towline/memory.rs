//! (d) What daemons weigh: peak and idle memory, and the size of the small file daemon.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::daemons::idle;

/// The most memory a process has ever had, in MiB.
pub(crate) fn peak(process: u32) -> f64 {
    status(process, "VmHWM:")
}

/// The memory a process has now, in MiB.
pub(crate) fn resident(process: u32) -> f64 {
    status(process, "VmRSS:")
}

fn status(process: u32, field: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("a process that runs");
    let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("the field");
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kibibytes / 1024.0
}

/// The low-footprint file daemon: its size on disk and its idle memory, both in MiB. Builds it first, into a folder of its own.
pub(crate) fn small_daemon(work: &Path) -> (f64, f64) {
    let program = build();
    let size = fs::metadata(&program).expect("the program").len() as f64 / f64::from(1 << 20);
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let key = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(vec!["fd.example".to_owned()]).expect("parameters");
    let certificate = params.self_signed(&key).expect("a certificate").pem();
    let put = |name: &str, text: &str| {
        let path = work.join(name);
        fs::write(&path, text).expect("write");
        path.display().to_string()
    };
    let (certificate, key) = (put("fd.pem", &certificate), put("fd.key", &key.serialize_pem()));
    let config = put(
        "small.ron",
        &format!(
            "(file: (name: \"small-fd\", port: {port}, listen: [\"127.0.0.1\"], working_directory: \"{}\", \
             tls: (certificate: \"{certificate}\", key: \"{key}\", psk: false)), \
             directors: [(name: \"dir\", password: \"small\")])",
            work.display()
        ),
    );
    (size, idle(&program, Path::new(&config), port))
}

fn build() -> PathBuf {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/low-footprint");
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--package",
            "towline",
            "--bin",
            "towline-fd",
            "--no-default-features",
            "--features",
            "blocking",
        ])
        .args(["--profile", "low-footprint", "--quiet", "--jobs", "2", "--target-dir"])
        .arg(&target)
        .status()
        .expect("cargo");
    assert!(status.success(), "the low-footprint file daemon must build");
    target.join("low-footprint/towline-fd")
}
