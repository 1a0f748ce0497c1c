//! One case of the grid as namespaces: a switch in the open, a gateway and a switch for each LAN, a host for each daemon.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use towline_simtests::oracle::{Case, Given, Heartbeat, Leg, Mode, Place, View, Who};

use crate::support::console::Console;
use crate::support::daemon::Daemon;
use crate::support::namespaces::Namespaces;

/// After how many silent seconds gateways forget a connection.
const IDLE: u32 = 4;
/// The heartbeat interval below that.
const BELOW: u32 = 1;
/// How many seconds the client's data is silent: longer than boxes remember.
const SILENCE: u32 = 7;
/// How long after its silence a job that goes on has ended, and one that was begun in vain.
const END: Duration = Duration::from_secs(9);

/// How a job has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Well,
    Badly,
    /// Not at all, long after it should.
    Not,
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Lab {
    console: Console,
    /// In the order of [`Who::ALL`].
    daemons: Vec<Daemon>,
    job: std::cell::Cell<u32>,
    // After the daemons, which end first.
    _net: Namespaces,
    _folder: TempDir,
}

impl Lab {
    /// Builds the network of a case and starts its daemons, the director last.
    pub(crate) fn start(case: &Case, runtime: &str) -> Self {
        let mut net = Namespaces::none();
        net.switch("switch");
        let mut lans: Vec<u8> = Vec::new();
        for who in Who::ALL {
            let lan = case.row.lan(who);
            if case.row.place(who) != Place::Open && !lans.contains(&lan) {
                lans.push(lan);
                add_lan(&mut net, case, who);
            }
        }
        for who in Who::ALL {
            add_host(&mut net, case, who);
        }
        add_routes(&net, case, &lans);
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let start = |who: Who| {
            let program = match who {
                Who::Director => env!("CARGO_BIN_EXE_towline-dir"),
                Who::Client => env!("CARGO_BIN_EXE_towline-fd"),
                Who::Storage => env!("CARGO_BIN_EXE_towline-sd"),
            };
            let program = net.daemon_on(name(who), program, runtime);
            let text = configuration(case, who, at);
            Daemon::start(name(who), &program, at, |_| text.clone())
        };
        // The client last: one that dials its director finds it.
        let [storage, director, client] = [Who::Storage, Who::Director, Who::Client].map(start);
        let file = at.join("console.ron");
        let text =
            r#"(director: (name: "dir", address: "127.0.0.1", password: "c", tls: (enable: false, require: false)))"#;
        std::fs::write(&file, text).unwrap();
        let mut console = Console::new(file);
        console.program = [net.on("dir"), console.program].concat();
        let daemons = vec![director, client, storage];
        Self { console, daemons, job: std::cell::Cell::new(0), _net: net, _folder: folder }
    }

    /// Runs the backup.
    pub(crate) fn run(&self) -> Ended {
        self.job.set(self.console.order("run job=backup yes"));
        let end = Instant::now() + Duration::from_secs(u64::from(SILENCE)) + END;
        loop {
            let report = self.report();
            if let Some((_, end)) = report.split_once("Termination:") {
                return if end.lines().next().unwrap_or_default().ends_with(" OK") {
                    Ended::Well
                } else {
                    Ended::Badly
                };
            }
            if Instant::now() > end {
                return Ended::Not;
            }
            std::thread::sleep(Duration::from_millis(250));
        }
    }

    /// Whether this connection did not come about for the reason with this code.
    pub(crate) fn failed_to_dial(&self, leg: Leg, code: &str) -> bool {
        let port = format!(":{}", port(leg.to));
        let own = self.daemons[leg.from as usize].log.from(0).join("\n");
        let said = |text: &str| text.lines().any(|line| line.contains(&port) && line.contains(code));
        said(&own) || said(&self.report())
    }

    /// Whether a connection did not come about that has no other way.
    pub(crate) fn has_failed_to_dial(&self) -> bool {
        use Who::{Client, Director, Storage};
        [(Director, Storage), (Client, Storage), (Storage, Client)].into_iter().any(|(from, to)| {
            ["T0104", "T0105", "T0117"].into_iter().any(|code| self.failed_to_dial(Leg { from, to }, code))
        })
    }

    /// What daemons and job have said.
    pub(crate) fn said(&self) -> String {
        let logs = self.daemons.iter().map(|daemon| daemon.log.from(0).join("\n")).collect::<Vec<_>>().join("\n");
        format!("{}\n{logs}", self.report())
    }

    fn report(&self) -> String {
        self.console.ask(&[&format!("list joblog jobid={}", self.job.get())])
    }
}

const fn name(who: Who) -> &'static str {
    match who {
        Who::Director => "dir",
        Who::Client => "fd",
        Who::Storage => "sd",
    }
}

const fn port(who: Who) -> u16 {
    match who {
        Who::Director => 9101,
        Who::Client => 9102,
        Who::Storage => 9103,
    }
}

/// Whether the LAN of somebody has addresses of its own kind, known outside.
const fn is_routed(place: Place) -> bool {
    matches!(place, Place::OutOnly | Place::InOnly)
}

/// The network of somebody's LAN without its last number, and the numbers of its gateway there and of its hosts: the first
/// one.
fn lan(case: &Case, who: Who) -> (String, u8, u8) {
    let lan = case.row.lan(who);
    match case.row.place(who) {
        Place::Open => ("192.0.2".to_owned(), 0, 1),
        place if is_routed(place) => ("198.51.100".to_owned(), 16 * lan + 14, 16 * lan + 1),
        _ => (format!("10.0.{lan}"), 254, 1),
    }
}

fn inner(case: &Case, who: Who) -> String {
    let (base, _, first) = lan(case, who);
    format!("{base}.{}", first + who as u8)
}

fn around(case: &Case, who: Who) -> String {
    format!("192.0.2.{}", 200 + case.row.lan(who))
}

fn outer(case: &Case, who: Who) -> String {
    if case.row.place(who).is_translated() { around(case, who) } else { inner(case, who) }
}

/// The LAN of somebody: its switch, its gateway, and that of its provider.
fn add_lan(net: &mut Namespaces, case: &Case, who: Who) {
    let (number, place) = (case.row.lan(who), case.row.place(who));
    let (switch, gateway) = (format!("lan{number}"), format!("box{number}"));
    net.switch(&switch);
    let (base, own, _) = lan(case, who);
    let bits = if is_routed(place) { 28 } else { 24 };
    let outside = around(case, who);
    if place == Place::Carrier {
        let (provider, carrier) = (format!("isp{number}"), format!("cgn{number}"));
        net.switch(&provider);
        let rules = masquerading("");
        add_gateway(net, case, &carrier, (&outside, "switch"), (&format!("100.64.{number}.254/24"), &provider), &rules);
        let inner = format!("{base}.{own}/24");
        add_gateway(net, case, &gateway, (&format!("100.64.{number}.1"), &provider), (&inner, &switch), &rules);
        net.ip(&gateway, &format!("route add default via 100.64.{number}.254"));
        return;
    }
    let forwards: String = Who::ALL
        .into_iter()
        .filter(|other| case.row.together(who, *other) && case.row.place(*other) == Place::Forwarded)
        .map(|other| format!("iifname \"wan0\" tcp dport {} dnat ip to {}\n", port(other), inner(case, other)))
        .collect();
    let rules = match place {
        Place::OutOnly => routing(r#"iifname "lan0" accept"#),
        Place::InOnly => routing(r#"iifname "wan0" accept"#),
        _ => masquerading(&forwards),
    };
    add_gateway(net, case, &gateway, (&outside, "switch"), (&format!("{base}.{own}/{bits}"), &switch), &rules);
    if place == Place::InOnly {
        // Linux looks for a way before it filters: what is not let out must have one, as from any firewall.
        net.ip(&gateway, "route add default dev wan0");
    }
}

fn add_gateway(
    net: &mut Namespaces,
    case: &Case,
    name: &str,
    (outside, around): (&str, &str),
    (inside, within): (&str, &str),
    rules: &str,
) {
    net.add(name);
    net.plug(name, "wan0", around);
    net.plug(name, "lan0", within);
    net.ip(name, &format!("addr add {outside}/24 dev wan0"));
    net.ip(name, &format!("addr add {inside} dev lan0"));
    net.set(name, "net/ipv4/ip_forward", "1");
    net.set(name, "net/ipv4/icmp_ratelimit", "0");
    net.set(name, "net/netfilter/nf_conntrack_tcp_loose", if case.loose { "1" } else { "0" });
    net.nft(name, rules);
    net.set(name, "net/netfilter/nf_conntrack_tcp_timeout_established", &IDLE.to_string());
}

/// What a box does that translates: with these ports forwarded.
fn masquerading(forwards: &str) -> String {
    format!(
        r#"table inet towline {{
            chain pre {{ type nat hook prerouting priority dstnat
                {forwards}
            }}
            chain post {{ type nat hook postrouting priority srcnat
                oifname "wan0" masquerade
            }}
            chain through {{ type filter hook forward priority filter; policy drop
                ct state invalid drop
                ct state established,related accept
                iifname "lan0" accept
                ct status dnat accept
            }}
            {OWN}
        }}"#
    )
}

/// What a firewall does that routes, and lets in or out what this rule says.
fn routing(rule: &str) -> String {
    format!(
        r#"table inet towline {{
            chain through {{ type filter hook forward priority filter; policy drop
                ct state invalid drop
                ct state established,related accept
                {rule}
            }}
            {OWN}
        }}"#
    )
}

/// What is for the gateway itself vanishes.
const OWN: &str = "chain own { type filter hook input priority filter; policy drop
                meta l4proto icmp accept
            }";

fn add_host(net: &mut Namespaces, case: &Case, who: Who) {
    let (host, place, number) = (name(who), case.row.place(who), case.row.lan(who));
    net.add(host);
    let (base, gateway, _) = lan(case, who);
    let switch = if place == Place::Open { "switch".to_owned() } else { format!("lan{number}") };
    net.plug(host, "eth0", &switch);
    let bits = if is_routed(place) { 28 } else { 24 };
    net.ip(host, &format!("addr add {}/{bits} dev eth0", inner(case, who)));
    if place != Place::Open {
        net.ip(host, &format!("route add default via {base}.{gateway}"));
    }
    let address = |other: Who| match case.view {
        View::Inner => inner(case, other),
        View::Split if case.row.together(who, other) => inner(case, other),
        View::Public | View::Split => outer(case, other),
    };
    let others = Who::ALL.into_iter().filter(|other| *other != who);
    let lines: String = others.map(|other| format!("{} {}\n", address(other), name(other))).collect();
    net.set_hosts(host, &format!("127.0.0.1 localhost\n{lines}"));
}

/// All in the open know the way to the LANs whose addresses are known outside.
fn add_routes(net: &Namespaces, case: &Case, lans: &[u8]) {
    let open = Who::ALL.into_iter().filter(|who| case.row.place(*who) == Place::Open).map(|who| name(who).to_owned());
    let owner = |lan: u8| Who::ALL.into_iter().find(|who| case.row.lan(*who) == lan).unwrap();
    let boxes = lans.iter().map(|lan| {
        let kind = if case.row.place(owner(*lan)) == Place::Carrier { "cgn" } else { "box" };
        format!("{kind}{lan}")
    });
    for at in open.chain(boxes) {
        for lan in lans.iter().filter(|lan| is_routed(case.row.place(owner(**lan))) && at != format!("box{lan}")) {
            net.ip(&at, &format!("route add 198.51.100.{}/28 via {}", 16 * lan, around(case, owner(*lan))));
        }
    }
}

fn configuration(case: &Case, who: Who, at: &Path) -> String {
    let interval = if case.heartbeat == Heartbeat::Below { BELOW } else { 0 };
    let common = format!(
        r#"listen: ["0.0.0.0"], working_directory: {at:?}, heartbeat_interval: {interval},
           tls: (enable: false, require: false)"#
    );
    let (from_client, from_director) = match case.mode {
        Mode::Default | Mode::Passive => (false, true),
        Mode::ClientInitiated => (true, false),
        Mode::Both => (true, true),
    };
    let ways = format!(
        "connection_from_client_to_director: {from_client}, connection_from_director_to_client: {from_director}"
    );
    match who {
        Who::Director => director(case, &common, &ways, at),
        Who::Client => format!(
            r#"(file: (name: "fd", {common}, sd_connect_timeout: 3, sd_retry_interval: 1, director_connect_timeout: 3,
                    plugin_names: ["bpipe"]),
                directors: [(name: "dir", password: "f", address: Some("dir"), {ways})])"#
        ),
        Who::Storage => {
            let volumes = at.join("volumes");
            std::fs::create_dir_all(&volumes).unwrap();
            format!(
                r#"(storage: (name: "sd", {common}, fd_connect_timeout: 3, fd_retry_interval: 1),
                    directors: [(name: "dir", password: "s")],
                    devices: [(name: "dev", media_type: "File", archive_device: {volumes:?})])"#
            )
        }
    }
}

fn director(case: &Case, common: &str, ways: &str, at: &Path) -> String {
    let has = |given: Given, who: Who| given == Given::Both || given == Given::One && case.dialled() == who;
    let addresses = |who: Who| {
        let own = inner(case, who);
        let lan = if has(case.lan_address, who) { format!(r#", lan_address: Some("{own}")"#) } else { String::new() };
        let networks =
            if has(case.networks, who) { format!(r#", networks: {{ "site": "{own}" }}"#) } else { String::new() };
        lan + &networks
    };
    // The client has something to say at once, and then nothing until its command has waited.
    let slow = at.join("slow");
    std::fs::write(&slow, format!("#!/bin/sh\nsleep {SILENCE}\necho data\n")).unwrap();
    std::fs::set_permissions(&slow, std::fs::Permissions::from_mode(0o755)).unwrap();
    let plugin = format!("bpipe:file=/slow:reader={}:writer=cat", slow.display());
    format!(
        r#"(director: (name: "dir", password: "c", {common}, fd_connect_timeout: 4, fd_retry_interval: 1,
                sd_connect_timeout: 4, sd_retry_interval: 1),
            clients: [(name: "fd", address: Some("fd"), password: "f", passive: {passive}, {ways}{client})],
            storages: [(name: "sd", address: "sd", password: "s", device: "dev", media_type: "File"{storage})],
            jobs: [(name: "backup", client: "fd", fileset: "set", storage: "sd", pool: "pool", level: full)],
            pools: [(name: "pool", label_format: Some("vol-"))],
            filesets: [(name: "set", include: [(files: [], plugins: [{plugin:?}])])],
            catalog: sqlite(path: "catalog.sqlite"))"#,
        passive = case.mode == Mode::Passive,
        client = addresses(Who::Client),
        storage = addresses(Who::Storage),
    )
}
