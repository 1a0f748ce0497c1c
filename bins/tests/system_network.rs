//! Real daemons in real networks: namespaces, a gateway that translates and filters, tracked connections. Needs root,
//! `ip` and `nft`; one of them needs Debian's `postgresql`.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(clippy::print_stdout, reason = "a child process tells its parent")]

mod support;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::namespaces::Side::{Inside, Outside};
use support::namespaces::{Namespaces, made_by};
use support::network::Ended;
use support::noise;
use support::postgres::Server;
use support::site::{Client, FORWARDS, Layout, SQLITE, Site, Station, Storage};

const FD_IN: Station = Station { name: "fd-in", side: Inside, last: 10 };
const SD_IN: Station = Station { name: "sd-in", side: Inside, last: 20 };
const FD_OUT: Station = Station { name: "fd-out", side: Outside, last: 10 };
const SD_OUT: Station = Station { name: "sd-out", side: Outside, last: 20 };

/// Short times for what cannot be reached.
const IMPATIENT: &str = r#"sd_connect_timeout: 3, heartbeat_interval: 5,"#;

/// One of the director's views of a pair.
#[derive(Clone, Copy, Debug)]
struct Pair {
    client: Station,
    storage: Station,
    passive: bool,
    /// Whether the client and the storage have a LAN address.
    lan: (bool, bool),
}

impl Pair {
    /// Whether the data channel can be opened, told from the picture of the network alone.
    const fn is_reachable(&self) -> bool {
        let (from, to) =
            if self.passive { (self.storage.side, self.client.side) } else { (self.client.side, self.storage.side) };
        if self.lan.0 && self.lan.1 {
            // An address of the LAN; who is outside has it only on paper.
            return matches!((from, to), (Inside, Inside));
        }
        // The gateway forwards from outside and masquerades from inside, and has no hairpin.
        !matches!((from, to), (Inside, Inside))
    }

    fn mark(lan: bool, passive: bool) -> String {
        format!("{}{}", if lan { "-lan" } else { "" }, if passive { "-passive" } else { "" })
    }

    fn client_name(&self) -> String {
        format!("{}{}", self.client.name, Self::mark(self.lan.0, self.passive))
    }

    fn storage_name(&self) -> String {
        format!("{}{}", self.storage.name, Self::mark(self.lan.1, false))
    }

    fn job_name(&self) -> String {
        format!("{}--{}", self.client_name(), self.storage_name())
    }

    fn lan_of(station: Station, has: bool) -> String {
        // Of the stations outside nobody has it.
        let last = if matches!(station.side, Inside) { station.last } else { station.last + 100 };
        if has { format!(r#"lan_address: "10.0.0.{last}","#) } else { String::new() }
    }
}

/// All pairs, and how they are set.
fn pairs() -> Vec<Pair> {
    let both = [false, true];
    let mut all = Vec::new();
    for client in [FD_IN, FD_OUT] {
        for storage in [SD_IN, SD_OUT] {
            for passive in both {
                for lan in both.into_iter().flat_map(|one| both.map(|two| (one, two))) {
                    all.push(Pair { client, storage, passive, lan });
                }
            }
        }
    }
    all
}

/// The director's resources for these pairs. One daemon has as many resources as there are ways to see it.
fn resources(pairs: &[Pair]) -> String {
    let mut clients = std::collections::BTreeMap::new();
    let mut storages = std::collections::BTreeMap::new();
    let mut jobs = Vec::new();
    for pair in pairs {
        let (client, storage, job) = (pair.client_name(), pair.storage_name(), pair.job_name());
        let (at, name) = (pair.client.address(), pair.client.name);
        let lan = Pair::lan_of(pair.client, pair.lan.0);
        let text =
            format!(r#"(name: "{client}", address: "{at}", password: "{name}", passive: {}, {lan})"#, pair.passive);
        clients.insert(client.clone(), text);
        let (at, name) = (pair.storage.address(), pair.storage.name);
        let lan = Pair::lan_of(pair.storage, pair.lan.1);
        let text = format!(
            r#"(name: "{storage}", address: "{at}", password: "{name}", device: "dev", media_type: "{name}", {lan})"#
        );
        storages.insert(storage.clone(), text);
        let of = format!(r#"client: "{client}", storage: "{storage}", fileset: "set", pool: "{name}""#);
        jobs.push(format!(r#"(name: "{job}", level: full, {of})"#));
        if jobs.len() == 1 {
            jobs.push(format!(r#"(name: "restore", kind: restore, {of})"#));
        }
    }
    let list = |texts: Vec<String>| texts.join(", ");
    let pools = [SD_IN, SD_OUT].map(|sd| format!(r#"(name: "{0}", label_format: "{0}-")"#, sd.name));
    format!(
        "clients: [{}], storages: [{}], jobs: [{}], pools: [{}],",
        list(clients.into_values().collect()),
        list(storages.into_values().collect()),
        list(jobs),
        pools.join(", ")
    )
}

fn layout(clients: &[Station], storages: &[Station]) -> Layout {
    let client = |at: &Station| Client { at: *at, own: IMPATIENT.to_owned(), entry: String::new() };
    let storage = |at: &Station| Storage { at: *at, own: "fd_connect_timeout: 3, client_connect_wait: 10,".to_owned() };
    Layout {
        rules: FORWARDS,
        clients: clients.iter().map(client).collect(),
        storages: storages.iter().map(storage).collect(),
        all: String::new(),
        director: String::new(),
        resources: String::new(),
        catalog: SQLITE.to_owned(),
    }
}

#[test]
fn every_pair_of_file_daemon_and_storage_daemon_across_a_gateway() {
    let pairs = pairs();
    let site = Site::start(&Layout { resources: resources(&pairs), ..layout(&[FD_IN, FD_OUT], &[SD_IN, SD_OUT]) });
    for pair in &pairs {
        let ended = site.run(&pair.job_name());
        assert_eq!(ended.is_ok(), pair.is_reachable(), "{pair:?}: {}", ended.report);
        if ended.is_ok() {
            site.assert_restores(&pair.client_name(), ended.id);
        } else {
            assert!(ended.report.contains("cannot connect to"), "{pair:?}: {}", ended.report);
        }
    }
}

/// Nothing of a client gets out but what answers the director and the storage daemon, who alone get in.
const SHUT_IN: &str = r#"
    table ip own {
        counter dialled {
        }
        chain out {
            type filter hook output priority filter; policy drop
            ct state established,related accept
            tcp flags & (syn | ack) == syn counter name dialled
        }
        chain in {
            type filter hook input priority filter; policy drop
            ct state established,related accept
            ip saddr { 192.0.2.1, 192.0.2.20 } tcp dport 9102 accept
        }
    }"#;

#[test]
fn a_passive_client_whose_firewall_lets_nothing_out_is_backed_up_and_restored() {
    let [passive, active] =
        [true, false].map(|passive| Pair { client: FD_OUT, storage: SD_OUT, passive, lan: (false, false) });
    let site = Site::start(&Layout { resources: resources(&[passive, active]), ..layout(&[FD_OUT], &[SD_OUT]) });
    site.net.nft("fd-out", SHUT_IN);
    let has_dialled = || !site.net.nft("fd-out", "list counter ip own dialled").contains("packets 0 ");
    let good = site.run(&passive.job_name());
    assert!(good.is_ok(), "{}", good.report);
    site.assert_restores(&passive.client_name(), good.id);
    assert!(!has_dialled(), "a passive client dials nobody");
    let bad = site.run(&active.job_name());
    assert!(bad.report.contains("cannot connect to"), "{}", bad.report);
    assert!(has_dialled(), "the firewall has had nothing to stop");
}

/// The heartbeat interval of a site on which links are cut, in seconds, and how long a dead peer may go unnoticed. The
/// machine may be busy with other tests.
const INTERVAL: u64 = 2;
const NOTICED: Duration = Duration::from_secs(3 * INTERVAL + 2);
const BUSY: Duration = Duration::from_secs(4);

/// A file daemon behind the gateway, another one and a storage daemon outside; a job takes a while.
fn breakable() -> Site {
    let pairs = [FD_IN, FD_OUT].map(|client| Pair { client, storage: SD_OUT, passive: false, lan: (false, false) });
    let beats = format!("heartbeat_interval: {INTERVAL},");
    let mut layout = layout(&[FD_IN, FD_OUT], &[SD_OUT]);
    layout.clients.iter_mut().for_each(|client| client.own = beats.clone());
    layout.storages.iter_mut().for_each(|storage| storage.own = beats.clone());
    let site = Site::start(&Layout { resources: resources(&pairs), director: beats, ..layout });
    std::fs::write(site.source.join("large"), noise(1, 64 << 20)).unwrap();
    site
}

/// The gateway still drops everything, and the job of a client that is not behind it must be good.
fn assert_device_is_free(site: &Site) {
    let other = site.run("fd-out--sd-out");
    assert!(other.is_ok(), "{}", other.report);
    site.assert_restores("fd-out", other.id);
}

#[test]
fn a_link_cut_in_the_middle_of_a_job_fails_it_in_time_and_frees_the_device() {
    let site = breakable();
    let job = site.begin("fd-in--sd-out", "sd-out", 1 << 20);
    site.cut(true);
    let began = Instant::now();
    let ended = site.console.end_of(job);
    let took = began.elapsed();
    assert_eq!(ended.termination(), "Backup *** Error ***", "{}", ended.report);
    assert!(took <= NOTICED + BUSY, "after {took:?}: {}", ended.report);
    assert_device_is_free(&site);
    site.cut(false);
    let next = site.run("fd-in--sd-out");
    assert!(next.is_ok(), "{}", next.report);
    site.assert_restores("fd-in", next.id);
}

#[test]
fn a_job_whose_link_is_cut_is_cancelled_at_once_and_its_device_is_free() {
    let site = breakable();
    let job = site.begin("fd-in--sd-out", "sd-out", 1 << 20);
    site.cut(true);
    let began = Instant::now();
    let answer = site.console.ask(&[&format!("cancel jobid={job}")]);
    let took = began.elapsed();
    // With the start and the end of the console's process.
    assert!(took <= Duration::from_secs(1) + BUSY / 2, "after {took:?}: {answer}");
    let ended = site.console.end_of(job);
    assert_eq!(ended.termination(), "Backup Canceled", "{answer}\n{}", ended.report);
    assert_device_is_free(&site);
}

/// Masquerades what is inside, lets nobody in, and says nothing to whom it does not let in.
const DIAL_OUT: &str = r#"
    table ip towline {
        chain post {
            type nat hook postrouting priority srcnat
            oifname "wan0" masquerade
        }
        chain itself {
            type filter hook input priority filter; policy drop
        }
        chain cut {
        }
        chain through {
            type filter hook forward priority filter; policy drop
            jump cut
            ct state invalid drop
            ct state established,related accept
            iifname "lan0" accept
        }
    }"#;

/// Only the client may dial the director.
const DIALS_IN: &str = "connection_from_client_to_director: true, connection_from_director_to_client: false,";

/// A client that can only dial out, and a storage daemon outside. `client` are pieces for the file daemon.
fn dialling_out(client: &str, catalog: &str) -> Site {
    let mut layout = layout(&[FD_IN], &[SD_OUT]);
    client.clone_into(&mut layout.clients[0].own);
    layout.clients[0].entry = format!(r#"address: "192.0.2.1", {DIALS_IN}"#);
    let of = r#"client: "fd-in", storage: "sd-out", fileset: "set", pool: "p""#;
    let resources = format!(
        r#"clients: [(name: "fd-in", password: "fd-in", {DIALS_IN})],
           storages: [(name: "sd-out", address: "192.0.2.20", password: "sd-out", device: "dev", media_type: "sd-out")],
           jobs: [(name: "backup", level: full, {of}), (name: "restore", kind: restore, {of})],
           pools: [(name: "p", label_format: "v-")],"#
    );
    let director = "heartbeat_interval: 0, fd_connect_timeout: 60,".to_owned();
    let site = Site::start(&Layout { rules: DIAL_OUT, resources, director, catalog: catalog.to_owned(), ..layout });
    await_waiting(&site);
    site
}

/// The port of the client's waiting connection as the director sees it, once there is one.
fn await_waiting(site: &Site) -> String {
    support::wait_for("a waiting connection", || {
        let status = site.console.ask(&["status director"]);
        let (_, table) = status.split_once("Client Initiated Connections (waiting for jobs):\n")?;
        table.lines().any(|line| line.trim_end().ends_with(" fd-in")).then_some(())
    });
    let sockets = site.net.sockets("dir");
    let found = sockets.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_it = words.first() == Some(&"ESTAB") && words.get(3)?.ends_with(":9101");
        words.get(4).filter(|peer| is_it && peer.contains("192.0.2.254:")).map(|peer| (*peer).to_owned())
    });
    found.unwrap_or_else(|| panic!("no such socket:\n{sockets}"))
}

fn assert_used_waiting_connection(site: &Site, ended: &Ended) {
    assert!(ended.is_ok(), "{}", ended.report);
    assert!(ended.report.contains("Using Client Initiated Connection (fd-in)"), "{}", ended.report);
    assert!(!ended.report.contains("Connected file daemon"), "{}", ended.report);
    site.assert_restores("fd-in", ended.id);
}

#[test]
fn a_masqueraded_client_that_can_only_dial_out_is_backed_up_and_restored() {
    let site = dialling_out("heartbeat_interval: 60,", SQLITE);
    for _ in 0..2 {
        assert_used_waiting_connection(&site, &site.run("backup"));
    }
}

#[test]
fn a_client_that_can_only_dial_out_is_backed_up_and_restored_by_a_director_with_postgresql() {
    let server = Server::start();
    let at = server.over_socket();
    let site = dialling_out("heartbeat_interval: 60,", &format!("postgres(host: {:?}, port: {})", at.host, at.port));
    assert_used_waiting_connection(&site, &site.run("backup"));
    let stored = server.sql("towline", "SELECT count(*) FROM Job WHERE JobStatus = 'T'");
    assert_eq!(stored, "2", "the backup and the restore");
}

/// Seconds after which the gateway forgets a connection that carries nothing.
const FORGETS: u64 = 4;

fn forgetful(heartbeat: u64) -> Site {
    let site = dialling_out(&format!("heartbeat_interval: {heartbeat},"), SQLITE);
    // For connections from now on: what is tracked already keeps its time until the next segment.
    site.net.set("gateway", "net/netfilter/nf_conntrack_tcp_timeout_established", &FORGETS.to_string());
    assert_used_waiting_connection(&site, &site.run("backup"));
    site
}

#[test]
fn a_heartbeat_below_the_gateways_idle_time_keeps_the_waiting_connection() {
    let site = forgetful(FORGETS / 2);
    let before = await_waiting(&site);
    std::thread::sleep(Duration::from_secs(FORGETS * 3));
    assert_eq!(await_waiting(&site), before, "it was not the same connection all the time");
    let began = Instant::now();
    let job = site.console.end_of(site.console.order("run job=backup yes"));
    assert!(began.elapsed() < Duration::from_secs(3) + BUSY, "not at once: {}", job.report);
    assert_used_waiting_connection(&site, &job);
}

#[test]
fn without_a_heartbeat_the_director_notices_the_dead_connection_and_the_job_runs_over_the_next() {
    let mut site = forgetful(0);
    let before = await_waiting(&site);
    // The gateway forgets it, and tells nobody.
    std::thread::sleep(Duration::from_secs(FORGETS * 2));
    assert_eq!(await_waiting(&site), before, "nobody can know yet");
    let job = site.console.order("run job=backup yes");
    support::wait_for("the director to give up the dead connection", || {
        let sockets = site.net.sockets("dir");
        (!sockets.contains(&before) || sockets.contains("FIN-WAIT")).then_some(())
    });
    site.clients[0].kill();
    site.clients[0].restart();
    assert_used_waiting_connection(&site, &site.console.end_of(job));
}

#[test]
fn a_client_whose_address_changes_dials_in_from_the_new_one_long_before_its_heartbeat_or_its_backoff() {
    let site = dialling_out("heartbeat_interval: 60,", SQLITE);
    let before = await_waiting(&site);
    site.net.ip("fd-in", "addr flush dev eth0");
    // Nothing is to be reached now, and the pauses between two attempts grow to 8 s and more.
    std::thread::sleep(Duration::from_secs(18));
    let log = &site.clients[0].log;
    let seen = log.count();
    site.net.ip("fd-in", "addr add 10.0.0.11/24 dev eth0");
    site.net.ip("fd-in", "route add default via 10.0.0.254");
    let began = Instant::now();
    site.clients[0].logged(seen, "that the director is reached again", |line| line.contains("is reached again"));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(3) + BUSY / 2, "after {took:?}: {:?}", log.from(0));
    let inside = site.net.sockets("fd-in");
    assert!(inside.lines().any(|line| line.contains("10.0.0.11:") && line.contains("192.0.2.1:9101")), "{inside}");
    let outside = site.net.sockets("dir");
    let lines: Vec<&str> = outside.lines().filter(|line| line.contains("ESTAB") && !line.contains(&before)).collect();
    assert!(lines.iter().any(|line| line.contains("192.0.2.254:")), "{outside}");
    assert_used_waiting_connection(&site, &site.run("backup"));
}

#[test]
fn what_a_killed_test_leaves_behind_is_removed_by_the_next_one() {
    const DIES: &str = "TOWLINE_TEST_DIES";
    if std::env::var_os(DIES).is_some() {
        let pairs = [Pair { client: FD_OUT, storage: SD_OUT, passive: false, lan: (false, false) }];
        let site = Site::start(&Layout { resources: resources(&pairs), ..layout(&[FD_OUT], &[SD_OUT]) });
        println!("daemons: {} {}", site.director.id(), site.clients[0].id());
        loop {
            std::thread::park();
        }
    }
    let name = "what_a_killed_test_leaves_behind_is_removed_by_the_next_one";
    let mut doomed = Command::new(std::env::current_exe().unwrap());
    doomed.args(["--exact", name, "--nocapture"]).env(DIES, "1").stdout(Stdio::piped());
    let mut doomed = doomed.spawn().unwrap();
    let mut lines = BufReader::new(doomed.stdout.take().unwrap()).lines().map_while(Result::ok);
    let daemons = lines.find_map(|line| line.split_once("daemons: ").map(|(_, ids)| ids.to_owned()));
    doomed.kill().unwrap();
    doomed.wait().unwrap();
    assert!(!made_by(doomed.id()).is_empty(), "it had no namespaces");
    let daemons = daemons.unwrap();
    drop(Namespaces::new(FORWARDS));
    assert_eq!(made_by(doomed.id()), Vec::<String>::new());
    for id in daemons.split(' ') {
        support::wait_for("the daemons of the dead", || {
            // One that nobody has waited for yet has no command line any more.
            let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            line.is_empty().then_some(())
        });
    }
}
