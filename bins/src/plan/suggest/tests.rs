//! Suggestions for small networks: what is found, that it helps, and that nothing of it can be left out.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::files::Files;
use super::super::{Plan, plan};
use super::*;

const DIRECTOR: &str = r#"(
    director: (
        name: "dir",

        password: "long enough to be good",

        fd_connect_timeout: 60,
        sd_connect_timeout: 60,
    ),
    clients: [
        (
            name: "laptop",
            CLIENT


            password: "long enough for a client",
        ),
    ],
    storages: [
        (
            name: "store",
            STORAGE
            device: "dev",
            media_type: "File",


            password: "long enough for a storage",
        ),
    ],
    jobs: [
        (name: "backup", client: "laptop", fileset: "set", storage: "store", pool: "pool"),
        (name: "restore", kind: restore, client: "laptop", fileset: "set", storage: "store", pool: "pool"),
    ],
    pools: [(name: "pool", label_format: "v-")],
    filesets: [(name: "set", include: [(files: ["/etc"])])],
)
"#;

/// A director at 192.0.2.1, whose storage and client are where the topology says.
struct Case {
    folder: tempfile::TempDir,
    configs: Vec<PathBuf>,
}

impl Case {
    fn new(client: &str, storage: &str, topology: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let director = folder.path().join("director.ron");
        fs::write(&director, DIRECTOR.replace("CLIENT", client).replace("STORAGE", storage)).unwrap();
        fs::write(folder.path().join("network.ron"), topology).unwrap();
        Self { folder, configs: vec![director] }
    }

    fn with(mut self, config: &str) -> Self {
        let path = self.folder.path().join(format!("{}.ron", self.configs.len()));
        fs::write(&path, config).unwrap();
        self.configs.push(path);
        self
    }

    fn plan(&self) -> Plan {
        let configs: Vec<&Path> = self.configs.iter().map(PathBuf::as_path).collect();
        plan(&configs, &self.folder.path().join("network.ron")).unwrap_or_else(|text| panic!("{text}"))
    }

    /// What is suggested, in words; and that it holds.
    fn suggested(&self) -> (Vec<String>, Suggestion, Written) {
        let plan = self.plan();
        let found =
            suggestion(plan.topology(), &plan.given, &plan.rows, (&plan.trials, ALL_TRIALS)).expect("a job fails");
        let written = Written::new(&plan.files, &found);
        let failed: Vec<&Row> =
            plan.rows.iter().filter(|row| row.verdict != Verdict::Works).map(|row| &row.row).collect();
        let base = State { topology: plan.topology().clone(), given: plan.given.clone() };
        for place in 0..found.changes.len() {
            let mut others: Vec<Change> = found.changes.iter().map(|(change, _)| change.clone()).collect();
            let one = others.remove(place);
            let state = base.with(&others).unwrap();
            let fail = |job: &String| {
                failed.iter().any(|row| {
                    row.job == *job
                        && plan.trials.one(&state.topology, &state.given, row, usize::MAX).unwrap().verdict
                            != Verdict::Works
                })
            };
            let jobs = &found.changes[place].1;
            assert!(!jobs.is_empty() && jobs.iter().all(fail), "without {one:?} {jobs:?} work");
        }
        self.apply(&plan.files, &written);
        (found.changes.iter().map(|(change, _)| change.said()).collect(), found, written)
    }

    /// Applies the diff to the files; with what is said to be elsewhere they are as the suggestion has them.
    fn apply(&self, files: &Files, written: &Written) {
        let mut file = PathBuf::new();
        let mut lines: Vec<String> = Vec::new();
        let mut at = 0_usize;
        for line in written.diff.lines().chain(["+++ "]) {
            if let Some(name) = line.strip_prefix("+++ ") {
                if !lines.is_empty() {
                    fs::write(&file, lines.join("\n") + "\n").unwrap();
                }
                file = PathBuf::from(name);
                lines =
                    fs::read_to_string(&file).map(|text| text.lines().map(str::to_owned).collect()).unwrap_or_default();
            } else if let Some(hunk) = line.strip_prefix("@@ ") {
                let (_, new) = hunk.split_once('+').unwrap();
                at = new.split(',').next().unwrap().parse::<usize>().unwrap() - 1;
            } else if let Some(context) = line.strip_prefix(' ') {
                assert_eq!(lines[at], context, "{}", written.diff);
                at += 1;
            } else if let Some(removed) = line.strip_prefix('-').filter(|_| !line.starts_with("--- ")) {
                assert_eq!(lines.remove(at), removed, "{}", written.diff);
            } else if let Some(added) = line.strip_prefix('+') {
                lines.insert(at, added.to_owned());
                at += 1;
            }
        }
        drop(files.given());
    }

    /// All jobs work as the files are.
    fn assert_works(&self, written: &Written) {
        for row in self.plan().rows {
            assert_eq!(row.verdict, Verdict::Works, "{}\n{row:#?}", written.diff);
        }
    }
}

/// The client behind this gateway, director and storage outside.
fn home(gateway: &str) -> String {
    format!(
        r#"(
    networks: [
        (name: "internet", addresses: ["192.0.2.0/24"]),
        (
            name: "home",
            addresses: ["10.0.0.0/24"],
            gateway: (
                to: "internet",
                address: "192.0.2.254",
                {gateway}
            ),
        ),
    ],
    hosts: [
        (name: "center", network: "internet", address: "192.0.2.1", daemons: ["dir", "store"]),
        (name: "den", network: "home", address: "10.0.0.10", daemons: ["laptop"]),
    ],
)
"#
    )
}

const OUTSIDE: &str = r#"address: "192.0.2.254","#;
const STORE: &str = r#"address: "center","#;

#[test]
fn a_port_that_leads_nowhere_is_forwarded_in_the_topology_and_in_nftables() {
    let swapped =
        home("").replace(r#""dir", "store""#, r#""dir", "DEN""#).replace("laptop", "store").replace("DEN", "laptop");
    let case = Case::new(STORE, OUTSIDE, &swapped);
    let (changes, found, written) = case.suggested();
    assert_eq!(changes, ["forward the port 9103 of the gateway of \"home\" to 10.0.0.10"]);
    assert_eq!(found.changes[0].1, ["backup", "restore"]);
    let rules = found.rules();
    let expected = [
        "add rule ip nat prerouting ip daddr 192.0.2.254 tcp dport 9103 dnat to 10.0.0.10:9103",
        "insert rule inet filter forward ip daddr 10.0.0.10 tcp dport 9103 ct state new accept",
    ];
    assert_eq!(rules[0].lines, expected);
    assert!(
        written.diff.contains("+                forwards: [(port: 9103, to: \"10.0.0.10\")],\n"),
        "{}",
        written.diff
    );
    case.assert_works(&written);
}

#[test]
fn what_may_not_go_out_makes_the_client_passive() {
    let gateway = r#"translates: false, outward: drop, rules: [(way: in, port: 9102, verdict: accept)],"#;
    let case = Case::new(r#"address: "den","#, STORE, &home(gateway));
    let (changes, found, written) = case.suggested();
    assert_eq!(changes, ["let the storage daemon dial laptop (`passive`)"]);
    assert!(found.rules().is_empty());
    assert!(written.diff.contains("+            passive: true,\n"), "{}", written.diff);
    case.assert_works(&written);
}

#[test]
fn a_firewall_that_lets_nobody_in_gets_a_rule_for_each_that_dials() {
    let gateway = "translates: false, outward: reset,";
    let topology = home(gateway).replace(
        r#"daemons: ["laptop"]"#,
        "daemons: [\"laptop\"], firewall: (rules: [(way: in, from: \"10.0.0.0/24\", verdict: accept)])",
    );
    let case = Case::new(r#"address: "den", passive: true,"#, STORE, &topology);
    let (_, found, written) = case.suggested();
    let rules = found.rules();
    let lines: Vec<&String> = rules.iter().flat_map(|rule| &rule.lines).collect();
    let expected = [
        "insert rule inet filter forward ip saddr 192.0.2.1 ip daddr 10.0.0.10 tcp dport 9102 ct state new accept",
        "insert rule inet filter input ip saddr 192.0.2.1 tcp dport 9102 ct state new accept",
    ];
    assert_eq!(lines, expected, "{}", written.diff);
    assert!(
        written.diff.contains("(way: in, from: \"192.0.2.1\", port: 9102, verdict: accept), (way: in, from: \"10.0.0")
    );
    case.assert_works(&written);
}

#[test]
fn two_behind_one_gateway_that_know_only_its_outside_get_lan_addresses() {
    let gateway = r#"forwards: [(port: 9102, to: "10.0.0.10"), (port: 9103, to: "10.0.0.20")],"#;
    let store = r#"(name: "cellar", network: "home", address: "10.0.0.20", daemons: ["store"]),"#;
    let topology = home(gateway).replace(r#"daemons: ["dir", "store"]"#, r#"daemons: ["dir"]"#);
    let topology = topology.replace("(name: \"den\"", &format!("{store}\n        (name: \"den\""));
    let case = Case::new(OUTSIDE, OUTSIDE, &topology);
    let (changes, _, written) = case.suggested();
    assert_eq!(changes, ["give laptop and store LAN addresses (`lan_address`)"]);
    case.assert_works(&written);
}

#[test]
fn a_gateway_that_forgets_asks_for_the_one_heartbeat_that_is_missing() {
    let file = r#"(
    file: (
        name: "laptop",
        heartbeat_interval: 0,
    ),
    directors: [(name: "dir", password: "long enough for a client")],
)
"#;
    let gateway = r#"idle: "4 min", forwards: [(port: 9102, to: "10.0.0.10")],"#;
    let case = Case::new(OUTSIDE, STORE, &home(gateway)).with(file);
    let (changes, _, written) = case.suggested();
    assert_eq!(changes, ["send heartbeats from laptop every 60 s (`heartbeat_interval`)"]);
    assert!(
        written.diff.contains("-        heartbeat_interval: 0,\n+        heartbeat_interval: 60,\n"),
        "{}",
        written.diff
    );
    case.assert_works(&written);
}

#[test]
fn a_client_that_two_translations_hide_dials_and_its_configuration_is_spelt_out() {
    let outer = r#"(name: "internet", addresses: ["192.0.2.0/24"]),
        (name: "provider", addresses: ["100.64.0.0/24"], gateway: (to: "internet", address: "192.0.2.200")),"#;
    let topology = home("").replace(r#"(name: "internet", addresses: ["192.0.2.0/24"]),"#, outer).replace(
        "to: \"internet\",\n                address: \"192.0.2.254\"",
        "to: \"provider\",\n                address: \"100.64.0.2\"",
    );
    let case = Case::new(r#"address: "192.0.2.200","#, STORE, &topology);
    let (changes, _, written) = case.suggested();
    assert_eq!(changes, ["let laptop dial the director (`connection_from_client_to_director` on both sides)"]);
    let expected = [
        "in `directors`, for \"dir\": address: \"center\"",
        "in `directors`, for \"dir\": connection_from_client_to_director: true",
    ];
    assert_eq!(written.elsewhere, [("the file daemon laptop".to_owned(), expected.map(str::to_owned).to_vec())]);
}

#[test]
fn a_job_that_nothing_helps_is_said_to_be_one_and_one_that_works_stays_as_it_is() {
    let gateway = r#"forwards: [(port: 9102, to: "10.0.0.10")], hairpin: true,"#;
    let case = Case::new(OUTSIDE, STORE, &home(gateway));
    let plan = case.plan();
    assert!(suggestion(plan.topology(), &plan.given, &plan.rows, (&plan.trials, ALL_TRIALS)).is_none());
    let sd = r#"(storage: (name: "store"), directors: [(name: "dir", password: "long enough for a storage")],
        devices: [(name: "dev", media_type: "File", archive_device: "/v")])"#;
    // Its own configuration has another port.
    let case = Case::new(OUTSIDE, &format!("{STORE} port: 9999,"), &home(gateway)).with(sd);
    let plan = case.plan();
    let found = suggestion(plan.topology(), &plan.given, &plan.rows, (&plan.trials, ALL_TRIALS)).unwrap();
    assert_eq!((found.unsolved, found.changes.len()), (vec![0, 1], 0));
}

#[test]
fn a_search_that_runs_out_of_trials_names_what_was_not_looked_at() {
    let case = Case::new(OUTSIDE, STORE, &home(""));
    let plan = case.plan();
    let failing = plan.rows.iter().filter(|row| row.verdict != Verdict::Works).count();
    let search = |most| {
        let trials = Trials::default();
        let found = suggestion(plan.topology(), &plan.given, &plan.rows, (&trials, most)).unwrap();
        (found, trials.held())
    };
    let (none, held) = search(0);
    assert_eq!((none.untried.len(), none.unsolved.len(), none.changes.len(), held), (failing, 0, 0, 0));
    let (whole, enough) = search(ALL_TRIALS);
    assert!(whole.untried.is_empty() && whole.unchecked.is_empty() && !whole.changes.is_empty(), "{whole:?}");
    let (found, held) = search(enough);
    assert_eq!((found.changes, found.untried, found.unchecked, held), (whole.changes, Vec::new(), Vec::new(), enough));
    let (found, _) = search(enough - 1);
    assert!(!found.untried.is_empty() || !found.unchecked.is_empty(), "{found:?}");
}

#[test]
fn a_firewall_behind_a_forwarded_port_is_opened_for_the_port_that_it_sees() {
    let topology = home(r#"forwards: [(port: 19102, to: "10.0.0.10:9102")],"#)
        .replace(r#"daemons: ["laptop"]"#, r#"daemons: ["laptop"], firewall: (outward: drop)"#);
    let case = Case::new(r#"address: "192.0.2.254", port: 19102, passive: true,"#, STORE, &topology)
        .with(r#"(file: (name: "laptop"), directors: [(name: "dir", password: "long enough for a client")])"#);
    let (changes, _, written) = case.suggested();
    assert_eq!(changes, ["let 192.0.2.1 dial port 9102 through the firewall of \"den\""]);
    case.assert_works(&written);
}

#[test]
fn a_name_that_leads_those_inside_to_their_own_gateway_gets_a_view_and_outside_it_stays() {
    let inside = r#"(name: "center", network: "home", address: "10.0.0.1", daemons: ["dir", "store"]),"#;
    let topology = home(r#"forwards: [(port: 9103, to: "10.0.0.1")],"#)
        .replace(r#"(name: "center", network: "internet", address: "192.0.2.1", daemons: ["dir", "store"]),"#, inside)
        .replace(r#"network: "home", address: "10.0.0.10""#, r#"network: "internet", address: "192.0.2.10""#)
        .replace(
            "    ],\n)",
            "    ],\n    names: [\n        (name: \"store.example\", addresses: [\"192.0.2.254\"]),\n    ],\n)",
        );
    let case = Case::new(r#"address: "192.0.2.10","#, r#"address: "store.example","#, &topology);
    let (changes, _, written) = case.suggested();
    assert_eq!(changes, ["let store.example mean 10.0.0.1 to center (a view of DNS, or /etc/hosts)"]);
    let added = r#"+        (name: "store.example", addresses: ["10.0.0.1"], seen_by: ["center"]),"#;
    assert!(written.diff.contains(added), "{}", written.diff);
    case.assert_works(&written);
}

#[test]
fn a_port_that_leads_to_another_client_is_no_way_and_the_client_dials() {
    let neighbour = r#"(name: "barn", network: "home", address: "10.0.0.11", daemons: ["laptop"]),
        (name: "den", network: "home", address: "10.0.0.10"),"#;
    let topology = home(r#"forwards: [(port: 9102, to: "10.0.0.10")],"#)
        .replace(r#"(name: "den", network: "home", address: "10.0.0.10", daemons: ["laptop"]),"#, neighbour);
    let case = Case::new(OUTSIDE, STORE, &topology);
    let (changes, _, _) = case.suggested();
    assert_eq!(changes, ["let laptop dial the director (`connection_from_client_to_director` on both sides)"]);
}
