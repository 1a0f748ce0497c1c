//! Plans of small networks.

mod addresses;
mod drills;
mod interfaces;
mod remedies;

use std::fs;
use std::path::PathBuf;

use towline_core::config::Seconds;
use towline_core::node::Number;
use towline_simtests::calls::Outcome;

use super::trial::{Barrier, Connection, Uplink};
use super::*;

/// A folder with a plan's files.
struct Case {
    folder: tempfile::TempDir,
    configs: Vec<PathBuf>,
}

const PASSWORD: &str = "long enough to be good";

impl Case {
    /// With a director whose client and storage have these fields, and these jobs besides the backup.
    fn new(client: &str, storage: &str, more: &str) -> Self {
        let mut case = Self { folder: tempfile::tempdir().unwrap(), configs: Vec::new() };
        case.config(&format!(
            r#"(director: (name: "dir", password: "{PASSWORD}", fd_connect_timeout: 60),
                clients: [(name: "laptop", password: "{PASSWORD} c", {client})],
                storages: [(name: "store", password: "{PASSWORD} s", device: "dev", media_type: "File", {storage}),
                           (name: "away", password: "{PASSWORD} a", device: "dev", media_type: "Away", address: "offsite")],
                jobs: [(name: "backup", client: "laptop", fileset: "set", storage: "store", pool: "pool"), {more}],
                pools: [(name: "pool", label_format: "v-", next_pool: "next"),
                        (name: "next", label_format: "n-", storage: "away")],
                filesets: [(name: "set", include: [(files: ["/etc"])])])"#
        ));
        case
    }

    fn config(&mut self, text: &str) {
        let path = self.folder.path().join(format!("{}.ron", self.configs.len()));
        fs::write(&path, text).unwrap();
        self.configs.push(path);
    }

    /// The client's own configuration: it dials the director.
    fn dials_in(mut self, heartbeat: u32) -> Self {
        self.config(&format!(
            r#"(file: (name: "laptop", heartbeat_interval: {heartbeat}),
                directors: [(name: "dir", password: "{PASSWORD} c", address: "192.0.2.1",
                             connection_from_client_to_director: true, connection_from_director_to_client: false)])"#
        ));
        self
    }

    fn topology(&self, text: &str) -> Result<Plan, String> {
        let path = self.folder.path().join("topology.ron");
        fs::write(&path, text).unwrap();
        plan(&borrowed(self.configs.iter()), &path)
    }
}

/// Director and storages outside, the client at home behind this gateway.
fn home(gateway: &str) -> String {
    format!(
        r#"(networks: [
                (name: "internet", addresses: ["192.0.2.0/24"]),
                (name: "home", addresses: ["10.0.0.0/24"], gateway: (to: "internet", address: "192.0.2.254", {gateway})),
            ],
            hosts: [
                (name: "center", network: "internet", address: "192.0.2.1", daemons: ["dir", "store"]),
                (name: "offsite", network: "internet", address: "192.0.2.2", daemons: ["away"]),
                (name: "den", network: "home", address: "10.0.0.10", daemons: ["laptop"]),
            ])"#
    )
}

fn numbers(tried: &Tried) -> Vec<&str> {
    tried.connections.iter().map(|one| one.number.as_str()).collect()
}

const DIALLED: &str = r#"address: "192.0.2.254""#;
const STORE: &str = r#"address: "center""#;

#[test]
fn a_client_behind_a_forwarded_port_works_with_all_connections_named() {
    let case = Case::new(DIALLED, STORE, "");
    let plan = case.topology(&home(r#"forwards: [(port: 9102, to: "10.0.0.10")]"#)).unwrap();
    let [backup] = plan.rows.as_slice() else { panic!("{:?}", plan.rows) };
    assert_eq!(backup.verdict, Verdict::Works, "{backup:#?}");
    assert_eq!(numbers(backup), ["5a", "3", "6"]);
    assert!(backup.connections.iter().all(|one| matches!(one.outcome, Outcome::Open(_))), "{backup:#?}");
    assert_eq!(plan.status(), 0);
}

#[test]
fn a_client_that_nothing_leads_to_fails_with_the_gateway_the_logs_and_what_to_change() {
    let plan = Case::new(DIALLED, STORE, "").topology(&home("")).unwrap();
    let backup = &plan.rows[0];
    assert_eq!(backup.verdict, Verdict::Fails);
    let broken = backup.connections.iter().find(|one| one.number == Number::DirectorToFile).unwrap();
    assert_eq!(broken.stop, Some((Barrier::Gateway("home".to_owned()), "leads nowhere")));
    let advice = backup.advice.as_deref().unwrap();
    assert!(advice.starts_with("forward the port 9102 of the gateway of \"home\" to 10.0.0.10:9102"), "{advice}");
    assert!(backup.logs.iter().any(|(daemon, _)| daemon == "dir"), "{backup:#?}");
    assert_eq!(plan.status(), 1);
    let text = report::text(&plan);
    for part in [
        "backup  backup  laptop  store",
        "backup (backup): fails after",
        "dir logs: ",
        "What to do: forward",
        "Assumed",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_client_that_dials_out_works_as_long_as_its_heartbeats_keep_the_gateway_awake() {
    let client =
        "connection_from_client_to_director: true, connection_from_director_to_client: false, heartbeat_interval: 0";
    for (heartbeat, expected) in [(60, Verdict::Works), (0, Verdict::WorksUntilIdle(Seconds(240)))] {
        let plan = Case::new(client, STORE, "").dials_in(heartbeat).topology(&home(r#"idle: "4 min""#)).unwrap();
        assert_eq!(plan.rows[0].verdict, expected, "{heartbeat}: {:#?}", plan.rows[0]);
        assert!(numbers(&plan.rows[0]).contains(&"4"), "{:#?}", plan.rows[0]);
    }
}

#[test]
fn restores_verifies_and_copies_are_rows_of_their_own() {
    let job = |name: &str, more: &str| {
        format!(r#"(name: "{name}", client: "laptop", fileset: "set", storage: "store", pool: "pool", {more}),"#)
    };
    let jobs =
        job("restore", r#"kind: restore, where: "/r""#) + &job("verify", "kind: verify") + &job("copy", "kind: copy");
    let case = Case::new(DIALLED, STORE, &jobs);
    let plan = case.topology(&home(r#"forwards: [(port: 9102, to: "10.0.0.10")]"#)).unwrap();
    let verdicts: Vec<_> = plan.rows.iter().map(|tried| (tried.row.job.as_str(), &tried.verdict)).collect();
    let works = &Verdict::Works;
    assert_eq!(
        verdicts,
        [("backup", works), ("restore", works), ("verify", works), ("copy", works)],
        "{:#?}",
        plan.rows
    );
    assert_eq!(numbers(&plan.rows[3]), ["5a", "5b", "8"], "{:#?}", plan.rows[3]);
}

#[test]
fn a_storage_that_is_named_by_its_own_loopback_is_seen() {
    let case = Case::new(DIALLED, r#"address: "127.0.0.1""#, "");
    let plan = case.topology(&home(r#"forwards: [(port: 9102, to: "10.0.0.10")]"#)).unwrap();
    let backup = &plan.rows[0];
    assert_eq!(backup.verdict, Verdict::Fails, "{backup:#?}");
    let advice = backup.advice.as_deref().unwrap();
    assert!(
        advice.contains("nothing listens at 127.0.0.1:9103") || advice.contains("is the dialling host itself"),
        "{advice}"
    );
}

#[test]
fn what_the_topology_does_not_say_is_unknown_and_never_works() {
    let nowhere = home("").replace(r#", daemons: ["laptop"]"#, "");
    let mut plan = Case::new(DIALLED, STORE, "").topology(&nowhere).unwrap();
    assert_eq!(plan.rows[0].verdict, Verdict::Unknown("\"laptop\" is on no host".to_owned()));
    plan.suggest();
    let text = report::text(&plan);
    assert!(text.contains("No job fails; of backup it cannot be said what would help."), "{text}");
    let warnings = plan.files.topology.warnings.render(false);
    assert!(warnings.contains("T0859"), "{warnings}");
    assert_eq!(plan.status(), 2);
    let plan = Case::new(r#"address: "laptop.example""#, STORE, "").topology(&home("")).unwrap();
    assert_eq!(plan.rows[0].verdict, Verdict::Unknown("what the name \"laptop.example\" resolves to".to_owned()));
}

#[test]
fn mistakes_in_a_topology_are_found_with_line_and_remedy() {
    let case = Case::new(DIALLED, STORE, "");
    for (wrong, right, code) in [
        (r#"network: "home""#, r#"network: "hom""#, "T0820"),
        (r#""10.0.0.10", daemons"#, r#""10.0.9.10", daemons"#, "T0857"),
        (r#"to: "internet""#, r#"to: "home""#, "T0855"),
        (r#"address: "192.0.2.2""#, r#"address: "192.0.2.1""#, "T0856"),
        (r#"daemons: ["away"]"#, r#"daemons: ["awya"]"#, "T0820"),
        (r#"daemons: ["away"]"#, r#"daemons: ["laptop"]"#, "T0821"),
        (r#"address: "192.0.2.254", "#, r#"address: "here", "#, "T0824"),
        (r#"daemons: ["away"]"#, r#"daemons: ["away", "away"]"#, "T0821"),
        (
            r#"address: "192.0.2.254", "#,
            r#"address: "192.0.2.254", forwards: [(port: 9102, to: "10.0.0.10:0")]"#,
            "T0825",
        ),
        (r#"address: "192.0.2.254", "#, r#"address: "192.0.2.254", rate: "0""#, "T0808"),
        (r#"address: "192.0.2.254", "#, r#"address: "192.0.2.254", uplink: (rate: "0")"#, "T0808"),
    ] {
        let text = home("").replace(wrong, right);
        assert_ne!(text, home(""), "{wrong}");
        let found = case.topology(&text).err().unwrap_or_else(|| panic!("{right} is taken"));
        assert!(found.contains(code) && found.contains("topology.ron:") && found.contains("help"), "{right}: {found}");
    }
    let own = home("").replace("10.0.0.0/24", "127.0.0.0/8").replace("10.0.0.10", "127.0.0.10");
    let warnings = case.topology(&own).unwrap().files.topology.warnings.render(false);
    assert!(warnings.contains("127.0.0.10 is each host itself: nobody else reaches \"den\""), "{warnings}");
    let six = home("").replace("10.0.0.0/24", "2001:db8::/32").replace("10.0.0.10", "2001:db8::10");
    let found = case.topology(&six).err().unwrap();
    assert!(found.contains("T0840") && found.contains("of the other family"), "{found}");
    let rules = r#"rules: [(way: in, verdict: accept), (way: in, port: 9102, verdict: drop)]"#;
    let found = case.topology(&home(rules)).err().unwrap();
    assert!(found.contains("T0858") && found.contains("rule 1 decides"), "{found}");
}

/// [`home`] with this between the gateway and the internet, and the client's port forwarded.
fn uplinked(uplink: &str) -> String {
    home(&format!(r#"forwards: [(port: 9102, to: "10.0.0.10")], uplink: ({uplink})"#))
}

#[test]
fn an_uplink_that_is_too_narrow_stops_a_job_only_where_nobody_is_told() {
    let case = Case::new(DIALLED, STORE, "");
    let plan = case.topology(&uplinked(r#"mtu: 1400, latency: "30 ms", loss: "0.1 %", rate: "2 MB""#)).unwrap();
    assert_eq!(plan.rows[0].verdict, Verdict::Works, "{:#?}", plan.rows[0]);
    let open = |one: &Connection| matches!(one.outcome, Outcome::Open(after) if after.as_millis() >= 60);
    assert!(plan.rows[0].connections.iter().filter(|one| one.to != "store" || one.from != "dir").all(open));
    let plan = case.topology(&uplinked("mtu: 1400, too_large: swallow")).unwrap();
    let backup = &plan.rows[0];
    assert_eq!(backup.verdict, Verdict::Fails, "{backup:#?}");
    let broken = backup.connections.iter().find(|one| one.number == Number::FileToStorage).unwrap();
    let barrier = Barrier::Uplink(Uplink::Network("home".to_owned()));
    assert_eq!(broken.stop, Some((barrier, "too large, and nobody is told")));
    let advice = backup.advice.as_deref().unwrap();
    assert!(
        advice.starts_with("let ICMP \"fragmentation needed\" through at the uplink of network \"home\""),
        "{advice}"
    );
    assert!(report::json(&plan).contains("\"uplink\": \"home\""));
}

#[test]
fn an_uplink_that_cannot_be_is_found() {
    let case = Case::new(DIALLED, STORE, "");
    for (uplink, code) in [
        ("mtu: 12", "T0808"),
        ("mtu: 70000", "T0808"),
        ("too_large: swallow", "T0840"),
        (r#"latency: "soon""#, "T0808"),
        (r#"loss: "2 ms""#, "T0808"),
        (r#"jitter: "1 min""#, "T0808"),
    ] {
        let den = home("").replace(r#"daemons: ["laptop"]"#, &format!(r#"daemons: ["laptop"], uplink: ({uplink})"#));
        for text in [uplinked(uplink), den] {
            let found = case.topology(&text).err().unwrap_or_else(|| panic!("{uplink} is taken"));
            assert!(found.contains(code) && found.contains("topology.ron:"), "{uplink}: {found}");
        }
    }
    let twice = home(r#"rate: "1 MB", uplink: (rate: "2 MB")"#);
    let found = case.topology(&twice).err().unwrap();
    assert!(found.contains("the same thing"), "{found}");
}

/// [`home`] with a firewall of the client's host that has this, and the client's port forwarded.
fn walled(firewall: &str) -> String {
    let daemons = r#"daemons: ["laptop"]"#;
    let text = home(r#"forwards: [(port: 9102, to: "10.0.0.10")]"#);
    text.replace(daemons, &format!("{daemons}, firewall: ({firewall})"))
}

#[test]
fn a_hosts_own_firewall_decides_by_its_rules_and_their_ranges_of_ports() {
    let case = Case::new(DIALLED, STORE, "");
    for (ports, verdict) in
        [(r#""9101-9103""#, Verdict::Works), ("9102", Verdict::Works), (r#""9103-9110""#, Verdict::Fails)]
    {
        let plan = case.topology(&walled(&format!("rules: [(way: in, port: {ports}, verdict: accept)]"))).unwrap();
        assert_eq!(plan.rows[0].verdict, verdict, "{ports}: {:#?}", plan.rows[0]);
    }
    let plan = case.topology(&walled("")).unwrap();
    let broken = plan.rows[0].connections.iter().find(|one| one.number == Number::DirectorToFile).unwrap();
    assert_eq!(broken.stop, Some((Barrier::Firewall("den".to_owned()), "not let in")));
    let advice = plan.rows[0].advice.as_deref().unwrap();
    let expected = "let 192.0.2.1 dial the port 9102 through the firewall of \"den\"";
    assert!(advice.starts_with(expected), "{advice}");
    assert!(!plan.assumptions.iter().any(|text| text.contains("no firewall") && text.contains("den")));
    assert!(plan.assumptions.iter().any(|text| text.contains("no firewall") && text.contains("center")));
    let names = plan.assumptions.iter().find(|text| text.starts_with("the names of hosts")).unwrap();
    assert!(names.ends_with(": center, offsite"), "den is dialled at an address: {names}");
    let rules = "rules: [(way: in, verdict: accept)], outward: reset";
    let plan = case.topology(&walled(rules)).unwrap();
    let broken = plan.rows[0].connections.iter().find(|one| one.number == Number::FileToStorage).unwrap();
    assert_eq!(broken.stop, Some((Barrier::Firewall("den".to_owned()), "not let out")));
}

#[test]
fn rules_that_can_never_decide_and_ranges_that_are_none_are_found() {
    let case = Case::new(DIALLED, STORE, "");
    for (rules, code) in [
        (r#"(way: in, port: "9101-9103", verdict: accept), (way: in, port: 9102, verdict: drop)"#, "T0858"),
        (r#"(way: in, from: "192.0.2.0/24", verdict: accept), (way: in, from: "192.0.2.7", verdict: drop)"#, "T0858"),
        (r#"(way: in, port: "9103-9101", verdict: accept)"#, "T0808"),
        (r#"(way: in, port: "http", verdict: accept)"#, "T0808"),
        ("(way: in, port: 70000, verdict: accept)", "T0808"),
        ("(way: in, port: 0, verdict: accept)", "T0825"),
        (r#"(way: in, from: "10.0.0", verdict: accept)"#, "T0824"),
        (r#"(way: in, from: "192.0.2.0/24", to: "2001:db8::1", verdict: accept)"#, "T0840"),
    ] {
        for text in [walled(&format!("rules: [{rules}]")), home(&format!("rules: [{rules}]"))] {
            let found = case.topology(&text).err().unwrap_or_else(|| panic!("{rules} is taken"));
            assert!(found.contains(code) && found.contains("topology.ron:"), "{rules}: {found}");
        }
    }
    for rules in [
        r#"(way: in, port: 9102, verdict: drop), (way: in, port: "9101-9103", verdict: accept)"#,
        r#"(way: in, from: "192.0.2.7", verdict: drop), (way: in, from: "192.0.2.0/24", verdict: accept)"#,
        r#"(way: out, verdict: drop), (way: in, verdict: accept)"#,
    ] {
        assert!(case.topology(&walled(&format!("rules: [{rules}]"))).is_ok(), "{rules}");
    }
}

#[test]
fn an_address_in_two_places_a_client_that_is_missing_and_a_world_too_large_are_found() {
    let case = Case::new(DIALLED, STORE, "");
    let twice = home("").replace(r#"address: "192.0.2.2""#, r#"address: "192.0.2.254""#);
    let found = case.topology(&twice).err().unwrap();
    assert!(
        found.contains("T0856") && found.contains("host \"offsite\" has the address 192.0.2.254 already"),
        "{found}"
    );
    let other = r#"(name: "home", addresses"#;
    let second = r#"(name: "barn", gateway: (to: "internet", address: "192.0.2.254")), "#;
    let found = case.topology(&home("").replace(other, &format!("{second}{other}"))).err().unwrap();
    assert!(found.contains("T0856") && found.contains("the gateway of \"barn\""), "{found}");
    let missing = home("").replace(r#"daemons: ["away"]"#, r#"daemons: ["away", "other-fd"]"#);
    let found = case.topology(&missing).err().unwrap();
    assert!(found.contains("T0820") && found.contains("other-fd"), "{found}");
    let many: String = (0..5_000)
        .map(|n| format!("(name: \"h{n}\", network: \"home\", address: \"10.1.{}.{}\"),", n / 250, n % 250))
        .collect();
    let found = case.topology(&home("").replace("hosts: [", &format!("hosts: [{many}"))).err().unwrap();
    let (size, fits) = ("this topology has 5003 hosts in 2 networks", "at most 5000 hosts in 500 networks fit");
    assert!(found.contains("T0879") && found.contains(size) && found.contains(fits), "{found}");
}

#[test]
fn a_name_that_means_two_things_to_the_same_hosts_is_found() {
    let case = Case::new(DIALLED, STORE, "");
    let named = |more: &str| {
        let text = home("");
        let names = format!(r#"], names: [(name: "n", addresses: ["192.0.2.1"]), {more}])"#);
        case.topology(&format!("{}{names}", text.strip_suffix("])").unwrap())).err()
    };
    let inside = r#"(name: "n", addresses: ["10.0.0.10"], seen_by: ["den"])"#;
    assert_eq!(named(inside), None);
    let found = named(r#"(name: "n", addresses: ["10.0.0.10"])"#).unwrap();
    assert!(found.contains("T0821") && found.contains("\"n\" is to everybody"), "{found}");
    let found = named(&format!(r#"{inside}, (name: "n", addresses: [], seen_by: ["center", "den"])"#)).unwrap();
    assert!(found.contains("T0821") && found.contains("\"n\" is to den"), "{found}");
}

#[test]
fn a_picture_of_many_hosts_and_networks_is_no_strip() {
    let hosts: String =
        (0..40).map(|n| format!("(name: \"h{n}\", network: \"home\", address: \"10.0.0.{}\"),", 100 + n)).collect();
    let networks: String = (0..40)
        .map(|n| format!("(name: \"n{n}\", gateway: (to: \"internet\", address: \"192.0.2.{}\")),", 100 + n))
        .collect();
    let many = home("").replace("hosts: [", &format!("hosts: [{hosts}"));
    let many = many.replace("networks: [", &format!("networks: [{networks}"));
    let plan = Case::new(DIALLED, STORE, "").topology(&many).unwrap();
    let svg = picture::svg(plan.topology(), &plan.rows);
    let width = svg.split("width=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert!(width.parse::<f64>().unwrap() < 2_000.0, "{width}");
    assert!((0..40).all(|n| svg.contains(&format!(">h{n}<"))), "{svg}");
}
