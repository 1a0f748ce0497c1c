//! Being reached and reaching in real networks: addresses that come late, scopes, and every way in which a dial fails.
//! Needs root, `ip` and `nft`.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use support::console::Console;
use support::daemon::Daemon;
use support::namespaces::Namespaces;
use support::namespaces::Side::Outside;

const RUNTIMES: [&str; 3] = ["tokio", "smol", "blocking"];

/// From a change of the network to its event, with the kernel's news and the watcher's pause, and far below the time
/// after which an address is looked for without news.
const AT_ONCE: Duration = Duration::from_millis(3_500);

/// A program on a host, with this runtime.
fn on(net: &Namespaces, host: &str, program: &str, runtime: &str) -> Vec<PathBuf> {
    // The program is followed by its options.
    let mut words = net.on(host);
    words.extend([program, "--runtime", runtime].map(PathBuf::from));
    words
}

fn file_daemon(at: &Path, listen: &str) -> String {
    format!(
        r#"(file: (name: "fd", listen: [{listen}], working_directory: {at:?}), directors: [(name: "dir", password: "fd")])"#
    )
}

/// Whether a host can connect to this address.
fn connects(net: &Namespaces, from: &str, to: &str, port: u16) {
    net.run(from, "bash", &["-c", &format!("exec 3<>/dev/tcp/{to}/{port}")]);
}

#[test]
fn an_address_that_comes_later_is_bound_when_it_comes_and_serves_again_after_it_went() {
    for runtime in RUNTIMES {
        let mut net = Namespaces::new("");
        net.host("fd", Outside, 10);
        net.host("peer", Outside, 11);
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let program = on(&net, "fd", env!("CARGO_BIN_EXE_towline-fd"), runtime);
        let daemon = Daemon::start("fd", &program, at, |_| file_daemon(at, r#""192.0.2.10:9102", "192.0.2.77:9102""#));
        daemon.logged(0, "that an address is missing", |line| line.contains("T0122") && line.contains("192.0.2.77"));
        let began = Instant::now();
        net.ip("fd", "addr add 192.0.2.77/24 dev eth0");
        daemon.listens(0, "192.0.2.77:9102");
        assert!(began.elapsed() < AT_ONCE, "{runtime}: after {:?}", began.elapsed());
        connects(&net, "peer", "192.0.2.77", 9102);
        net.ip("fd", "addr delete 192.0.2.77/24 dev eth0");
        net.ip("fd", "addr add 192.0.2.77/24 dev eth0");
        connects(&net, "peer", "192.0.2.77", 9102);
        let missing = daemon.log.from(0).iter().filter(|line| line.contains("T0122")).count();
        assert_eq!(missing, 1, "said once: {:?}", daemon.log.from(0));
    }
}

#[test]
fn a_daemon_whose_only_address_is_not_there_yet_waits_for_it() {
    for runtime in RUNTIMES {
        let mut net = Namespaces::new("");
        net.host("fd", Outside, 10);
        net.host("peer", Outside, 11);
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let program = on(&net, "fd", env!("CARGO_BIN_EXE_towline-fd"), runtime);
        let mut daemon = Daemon::begin("fd", &program, at, &file_daemon(at, r#""192.0.2.77:9102""#));
        daemon.logged(0, "that it waits", |line| line.contains("T0126"));
        net.ip("fd", "addr add 192.0.2.77/24 dev eth0");
        daemon.listens(0, "192.0.2.77:9102");
        connects(&net, "peer", "192.0.2.77", 9102);
        assert!(daemon.runs());
        assert_eq!(daemon.log.from(0).iter().filter(|line| line.contains("T0126")).count(), 1, "said once");
    }
}

/// A director that reaches its client at this address.
fn director(net: &Namespaces, at: &Path, address: &str, runtime: &str) -> (Daemon, Console) {
    let program = on(net, "dir", env!("CARGO_BIN_EXE_towline-dir"), runtime);
    let director = Daemon::start("dir", &program, at, |_| {
        format!(
            r#"(director: (name: "dir", password: "console", listen: ["127.0.0.1"], working_directory: {at:?},
                    fd_connect_timeout: 20),
                clients: [(name: "fd", address: {address:?}, password: "fd")],
                storages: [(name: "sd", address: "192.0.2.20", password: "sd", device: "dev", media_type: "File")],
                jobs: [(name: "backup", level: full, client: "fd", storage: "sd", fileset: "set", pool: "p")],
                filesets: [(name: "set", include: [(files: [{at:?}])])], pools: [(name: "p")],
                catalog: sqlite(path: "catalog.sqlite"))"#
        )
    });
    let file = at.join("console.ron");
    std::fs::write(&file, r#"(director: (name: "dir", address: "127.0.0.1", password: "console"))"#).unwrap();
    let mut console = Console::new(file);
    console.program = [net.on("dir"), console.program].concat();
    (director, console)
}

#[test]
fn addresses_of_a_link_are_listened_on_and_dialled_and_again_when_the_interface_is_another() {
    for runtime in RUNTIMES {
        let mut net = Namespaces::new("");
        net.host("fd", Outside, 10);
        net.host("dir", Outside, 1);
        net.ip("fd", "-6 addr add fe80::77/64 dev eth0 nodad");
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let program = on(&net, "fd", env!("CARGO_BIN_EXE_towline-fd"), runtime);
        let daemon = Daemon::begin("fd", &program, at, &file_daemon(at, r#""[fe80::77%eth0]:9102""#));
        daemon.listens(0, &format!("[fe80::77%{}]:9102", index(&net, "fd")));
        let number = index(&net, "dir");
        for address in ["fe80::77%eth0".to_owned(), format!("fe80::77%{number}")] {
            let (_director, console) = director(&net, at, &address, runtime);
            let status = console.ask(&["status client=fd"]);
            assert!(status.contains("fd Version: "), "{runtime} {address}: {status}");
            let seen = daemon.output.count();
            net.replug("fd", Outside);
            net.ip("fd", "-6 addr add fe80::77/64 dev eth0 nodad");
            // The other end of the link would still send to the old interface for a while.
            net.ip("dir", "neigh flush dev eth0");
            daemon.listens(seen, &format!("[fe80::77%{}]:9102", index(&net, "fd")));
            let status = console.ask(&["status client=fd"]);
            assert!(status.contains("fd Version: "), "{runtime} {address}: {status}");
        }
        let (_director, console) = director(&net, at, "fe80::77", runtime);
        let status = console.ask(&["status client=fd"]);
        assert!(status.contains("T0114") && status.contains("as in `fe80::1%eth0`"), "{status}");
    }
}

/// The number of a host's cable.
fn index(net: &Namespaces, host: &str) -> String {
    net.run(host, "cat", &["/sys/class/net/eth0/ifindex"]).trim().to_owned()
}
