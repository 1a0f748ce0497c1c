//! Hosts with several interfaces, and with addresses of both families.

use super::*;

/// The office of the director, whose storage host has a second interface in a network for backups, as the client has.
fn backup_lan(gateway: &str) -> String {
    format!(
        r#"(networks: [
                (name: "internet", addresses: ["192.0.2.0/24"]),
                (name: "office", addresses: ["10.0.0.0/24"], gateway: (to: "internet", address: "192.0.2.253")),
                (name: "servers", addresses: ["10.1.0.0/24"], gateway: (to: "internet", address: "192.0.2.254", {gateway})),
                (name: "backup", addresses: ["10.9.0.0/24"], gateway: (to: "internet", address: "192.0.2.252", inward: drop, outward: drop)),
            ],
            hosts: [
                (name: "desk", network: "office", address: "10.0.0.1", daemons: ["dir"]),
                (name: "offsite", network: "internet", address: "192.0.2.2", daemons: ["away"]),
                (name: "depot", network: "internet", address: "192.0.2.3", daemons: ["store"],
                    interfaces: [(network: "backup", address: "10.9.0.3")]),
                (name: "den", network: "servers", address: "10.1.0.10", daemons: ["laptop"],
                    interfaces: [(network: "backup", address: "10.9.0.10")]),
            ])"#
    )
}

const NEAR: &str = r#"address: "192.0.2.254", networks: {"backup": "10.9.0.10"}"#;
const DEPOT: &str = r#"address: "depot", networks: {"backup": "10.9.0.3"}"#;
const INWARDS: &str = r#"forwards: [(port: 9102, to: "10.1.0.10")]"#;

#[test]
fn data_go_by_the_second_interfaces_of_both_where_the_first_ones_do_not_meet() {
    let closed = format!("{INWARDS}, outward: drop");
    let plan = Case::new(NEAR, DEPOT, "").topology(&backup_lan(&closed)).unwrap();
    let backup = &plan.rows[0];
    assert_eq!((&backup.verdict, numbers(backup)), (&Verdict::Works, vec!["5a", "3", "6"]), "{backup:#?}");
    assert_eq!(backup.connections[2].address.to_string(), "10.9.0.3:9103", "{backup:#?}");
    let plan =
        Case::new(r#"address: "192.0.2.254""#, r#"address: "depot""#, "").topology(&backup_lan(&closed)).unwrap();
    assert_eq!(plan.rows[0].verdict, Verdict::Fails, "{:#?}", plan.rows[0]);
    let svg = picture::svg(plan.topology(), &plan.rows);
    assert!(svg.contains(">10.9.0.3 in backup<"), "{svg}");
}

#[test]
fn the_addresses_of_second_interfaces_are_suggested_where_they_meet() {
    let shut = backup_lan(&format!("{INWARDS}, outward: drop")).replace(
        r#"daemons: ["store"],"#,
        r#"daemons: ["store"], firewall: (rules: [(way: in, port: 9103, verdict: accept)], outward: drop),"#,
    );
    let mut plan = Case::new(DIALLED, r#"address: "depot""#, "").topology(&shut).unwrap();
    plan.suggest();
    let text = report::text(&plan);
    for part in ["give laptop and store LAN addresses", r#"lan_address: "10.9.0.10""#, r#"lan_address: "10.9.0.3""#] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_host_with_addresses_of_both_families_is_reached_by_either() {
    let both = r#"(networks: [(name: "internet", addresses: ["192.0.2.0/24", "2001:db8::/32"])],
        hosts: [
            (name: "center", network: "internet", address: "192.0.2.1", daemons: ["dir", "store"],
                interfaces: [(network: "internet", address: "2001:db8::1")]),
            (name: "offsite", network: "internet", address: "192.0.2.2", daemons: ["away"]),
            (name: "den", network: "internet", address: "2001:db8::10", daemons: ["laptop"]),
        ],
        names: [(name: "store.example", addresses: ["192.0.2.1", "2001:db8::1"])])"#;
    let plan = Case::new(r#"address: "den""#, r#"address: "store.example""#, "").topology(both).unwrap();
    let backup = &plan.rows[0];
    assert_eq!(backup.verdict, Verdict::Works, "{backup:#?}");
    let data = backup.connections.iter().find(|one| one.number == Number::FileToStorage).unwrap();
    assert_eq!(data.address.to_string(), "[2001:db8::1]:9103");
}

#[test]
fn mistakes_in_further_interfaces_are_found_where_they_stand() {
    let case = Case::new(NEAR, DEPOT, "");
    for (wrong, right, code) in [
        (r#"network: "backup", address: "10.9.0.3""#, r#"network: "backpu", address: "10.9.0.3""#, "T0820"),
        (r#"address: "10.9.0.3""#, r#"address: "10.8.0.3""#, "T0857"),
        (r#"address: "10.9.0.3""#, r#"address: "10.9.0.10""#, "T0856"),
        (r#"network: "backup", address: "10.9.0.3""#, r#"network: "internet", address: "192.0.2.3""#, "T0856"),
        (r#"address: "10.9.0.3""#, r#"address: "eth1""#, "T0824"),
    ] {
        let text = backup_lan("").replace(wrong, right);
        assert_ne!(text, backup_lan(""), "{wrong}");
        let found = case.topology(&text).err().unwrap_or_else(|| panic!("{right} is taken"));
        assert!(found.contains(code) && found.contains("topology.ron:"), "{right}: {found}");
    }
}
