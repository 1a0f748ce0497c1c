//! Being reached and reaching in real networks: addresses that come late, scopes, and every way in which a dial fails.
//! Needs root, `ip` and `nft`.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::console::Console;
use support::daemon::Daemon;
use support::namespaces::Namespaces;
use support::namespaces::Side::{Inside, Outside};

const RUNTIMES: [&str; 3] = ["tokio", "smol", "blocking"];

/// From a change of the network to its event, with the kernel's news and the watcher's pause, and far below the time
/// after which an address is looked for without news.
const AT_ONCE: Duration = Duration::from_millis(3_500);

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
        let net = Namespaces::with_hosts("", &[("fd", Outside, 10), ("peer", Outside, 11)]);
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let program = net.daemon_on("fd", env!("CARGO_BIN_EXE_towline-fd"), runtime);
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
        let net = Namespaces::with_hosts("", &[("fd", Outside, 10), ("peer", Outside, 11)]);
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let program = net.daemon_on("fd", env!("CARGO_BIN_EXE_towline-fd"), runtime);
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
    director_of(net, at, &[("fd", address)], "", runtime)
}

/// A director with these clients, by name and address; `more` are pieces for the director itself.
fn director_of(net: &Namespaces, at: &Path, clients: &[(&str, &str)], more: &str, runtime: &str) -> (Daemon, Console) {
    let client = |(name, address): &(&str, &str)| format!(r#"(name: {name:?}, address: {address:?}, password: "fd")"#);
    let clients: Vec<String> = clients.iter().map(client).collect();
    let (first, clients) = (clients[0].split('"').nth(1).unwrap().to_owned(), clients.join(", "));
    let program = net.daemon_on("dir", env!("CARGO_BIN_EXE_towline-dir"), runtime);
    let director = Daemon::start("dir", &program, at, |_| {
        format!(
            r#"(director: (name: "dir", password: "console", listen: ["127.0.0.1"], working_directory: {at:?},
                    fd_connect_timeout: 20, status_connect_timeout: 10, {more}),
                clients: [{clients}],
                storages: [(name: "sd", address: "192.0.2.20", password: "sd", device: "dev", media_type: "File")],
                jobs: [(name: "backup", level: full, client: {first:?}, storage: "sd", fileset: "set", pool: "p")],
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
        let net = Namespaces::with_hosts("", &[("fd", Outside, 10), ("dir", Outside, 1)]);
        net.ip("fd", "-6 addr add fe80::77/64 dev eth0 nodad");
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let program = net.daemon_on("fd", env!("CARGO_BIN_EXE_towline-fd"), runtime);
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

/// The gateway lets through what these rules do not reject.
const REJECTS: &str = r#"
    table inet towline {
        chain through {
            type filter hook forward priority filter; policy accept
            ip daddr 10.0.0.30 reject with icmpx admin-prohibited
            ip daddr 10.0.0.31 reject with icmpx host-unreachable
            ip daddr 10.0.0.32 reject with icmpx port-unreachable
            ip daddr 10.0.0.34 meta l4proto tcp reject with tcp reset
        }
    }"#;

/// A host that rejects itself.
const REJECTS_IN: &str = r#"
    table inet own {
        chain in {
            type filter hook input priority filter; policy accept
            tcp dport 9102 reject with icmpx admin-prohibited
        }
    }"#;

/// The director's own firewall.
const REJECTS_OUT: &str = r#"
    table inet own {
        chain out {
            type filter hook output priority filter; policy accept
            ip daddr 192.0.2.50 reject with icmpx admin-prohibited
        }
    }"#;

/// Each way in which an address cannot be reached, with its code.
const UNREACHABLE: [(&str, &str, &str); 17] = [
    ("no-route", "203.0.113.1", "T0117"),
    ("unreachable-route", "203.0.113.2", "T0117"),
    ("blackhole-route", "203.0.113.3", "T0117"),
    ("prohibit-route", "203.0.113.4", "T0111"),
    ("own-firewall", "192.0.2.50", "T0111"),
    ("no-neighbour", "192.0.2.99", "T0118"),
    ("admin-prohibited", "10.0.0.30", "T0119"),
    ("rejected-as-a-port", "10.0.0.32", "T0119"),
    ("rejected-as-a-host", "10.0.0.31", "T0105"),
    ("no-neighbour-of-the-router", "10.0.0.33", "T0105"),
    ("rejected-with-a-reset", "10.0.0.34", "T0103"),
    ("rejected-by-itself", "192.0.2.10", "T0119"),
    ("no-route-6", "2001:db8:2::1", "T0117"),
    ("prohibit-route-6", "2001:db8:3::1", "T0111"),
    ("no-neighbour-6", "2001:db8::99", "T0118"),
    ("rejected-by-itself-6", "2001:db8::10", "T0119"),
    ("nothing-listens", "192.0.2.11", "T0103"),
];

#[test]
fn every_way_in_which_an_address_cannot_be_reached_has_its_own_error() {
    for runtime in RUNTIMES {
        let mut net = Namespaces::new(REJECTS);
        for (name, last) in [("dir", 1), ("fd", 10), ("idle", 11)] {
            net.host(name, Outside, last);
            net.ip(name, &format!("-6 addr add 2001:db8::{last}/64 dev eth0 nodad"));
        }
        net.nft("fd", REJECTS_IN);
        net.nft("dir", REJECTS_OUT);
        for route in ["unreachable 203.0.113.2", "blackhole 203.0.113.3", "prohibit 203.0.113.4"] {
            net.ip("dir", &format!("route add {route}"));
        }
        net.ip("dir", "-6 route add prohibit 2001:db8:3::/64");
        net.ip("dir", "route add 10.0.0.0/24 via 192.0.2.254");
        // A router says it less often than it is asked here, unless it is told otherwise.
        net.set("gateway", "net/ipv4/icmp_ratelimit", "0");
        let folder = tempfile::tempdir().unwrap();
        let clients = UNREACHABLE.map(|(name, address, _)| (name, address));
        let (_director, console) = director_of(&net, folder.path(), &clients, "", runtime);
        for (name, address, code) in UNREACHABLE {
            let status = console.ask(&[&format!("status client={name}")]);
            assert!(status.contains(code), "{runtime} {name} {address} {code}: {status}");
        }
    }
}

#[test]
fn ports_used_up_are_told_from_a_source_address_that_is_not_there() {
    for runtime in RUNTIMES {
        let net = Namespaces::with_hosts("", &[("fd", Outside, 10), ("dir", Outside, 1)]);
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let program = net.daemon_on("fd", env!("CARGO_BIN_EXE_towline-fd"), runtime);
        let _file = Daemon::start("fd", &program, at, |_| file_daemon(at, r#""192.0.2.10:9102""#));
        net.set("dir", "net/ipv4/ip_local_port_range", "'40000 40001'");
        let script = "exec 3<>/dev/tcp/192.0.2.10/9102; exec 4<>/dev/tcp/192.0.2.10/9102; echo both; read _";
        let mut holder = net.on("dir");
        holder.extend(["bash", "-c", script].map(PathBuf::from));
        let mut command = Command::new(&holder[0]);
        command.args(&holder[1..]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "both\n");
        for (more, code) in
            [("", "T0129"), (r#"source_address: "192.0.2.1","#, "T0129"), (r#"source_address: "192.0.2.3","#, "T0109")]
        {
            let (_director, console) = director_of(&net, at, &[("fd", "192.0.2.10")], more, runtime);
            let status = console.ask(&["status client=fd"]);
            assert!(status.contains(code), "{runtime} {more} {code}: {status}");
        }
        // It reads the end of its input.
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}

/// Between the sides there is a tunnel that takes 600 bytes, and the message that says so never arrives.
const BLACK_HOLE: &str = r#"
    table ip towline {
        chain out {
            type filter hook output priority filter; policy accept
            icmp type destination-unreachable drop
        }
    }"#;

/// Whose large packets are lost.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lost {
    Ours,
    Theirs,
}

#[test]
fn a_way_that_swallows_large_packets_is_passed_with_small_ones_and_named() {
    for (runtime, lost) in RUNTIMES.into_iter().flat_map(|name| [(name, Lost::Ours), (name, Lost::Theirs)]) {
        let net = Namespaces::with_hosts(BLACK_HOLE, &[("dir", Inside, 1), ("sd", Outside, 20)]);
        net.ip("sd", "route add 10.0.0.0/24 via 192.0.2.254");
        net.ip("gateway", &format!("link set {} mtu 600", if lost == Lost::Ours { "wan0" } else { "lan0" }));
        for host in ["sd", "dir"] {
            // One packet for each segment, as on a wire.
            net.ip(host, "link set eth0 gso_max_segs 1");
        }
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        // Large certificates in both directions.
        let tls = |own: &str| {
            let [pem, key, ca] = [&format!("{own}.pem"), &format!("{own}.key"), "all.pem"].map(|name| at.join(name));
            format!("tls: (certificate: {pem:?}, key: {key:?}, ca: {ca:?}, psk: false)")
        };
        certificate(at, "sd", "192.0.2.20");
        certificate(at, "dir", "10.0.0.1");
        let both = ["sd.pem", "dir.pem"].map(|name| std::fs::read_to_string(at.join(name)).unwrap());
        std::fs::write(at.join("all.pem"), both.concat()).unwrap();
        let text = format!(
            r#"(storage: (name: "sd", listen: ["192.0.2.20"], working_directory: {at:?}, {}),
                directors: [(name: "dir", password: "sd")],
                devices: [(name: "dev", media_type: "File", archive_device: {at:?})])"#,
            tls("sd")
        );
        let program = net.daemon_on("sd", env!("CARGO_BIN_EXE_towline-sd"), runtime);
        let _storage = Daemon::start("sd", &program, at, |_| text.clone());
        let more = format!("authenticate_within: 3, sd_retry_interval: 1, {},", tls("dir"));
        let (_director, mut console) = director_of(&net, at, &[("fd", "10.0.0.10")], &more, runtime);
        // The console has no certificate to show, so it asks in the director's name.
        let text = format!(r#"(director: (name: "dir", address: "127.0.0.1", password: "console", {}))"#, tls("dir"));
        console.file = at.join("console-of-certificates.ron");
        std::fs::write(&console.file, text).unwrap();
        let id = console.order("run job=backup yes");
        support::wait_for("the job to reach its storage daemon", || {
            let log = console.ask(&[&format!("list joblog jobid={id}")]);
            let stalled = log.contains("(T0312)") && log.contains("(MTU)");
            (stalled && log.contains("reached with small packets only") && log.contains("T0130")).then_some(())
        });
        console.ask(&[&format!("cancel jobid={id} yes")]);
    }
}

/// A certificate for a host, with its key.
fn certificate(at: &Path, name: &str, address: &str) {
    // Names enough to fill several packets.
    let mut names: Vec<String> = (0..100).map(|n| format!("host{n}.of.a.large.organisation.example")).collect();
    names.extend([name.to_owned(), address.to_owned(), "127.0.0.1".to_owned()]);
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    std::fs::write(at.join(format!("{name}.pem")), made.cert.pem()).unwrap();
    std::fs::write(at.join(format!("{name}.key")), made.signing_key.serialize_pem()).unwrap();
}
