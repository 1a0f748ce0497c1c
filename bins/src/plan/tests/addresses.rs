//! Addresses of both families, and what daemons listen on.

use super::*;

/// A lan of this range behind a router into an internet of this range, with the center and the client at these addresses.
fn routed(internet: &str, lan: &str, [center, offsite, den]: [&str; 3]) -> String {
    format!(
        r#"(networks: [
                (name: "internet", addresses: ["{internet}"]),
                (name: "lan", addresses: ["{lan}"], gateway: (to: "internet", address: "{offsite}9", translates: false,
                    rules: [(way: in, from: "{center}", port: 9102, verdict: accept)])),
            ],
            hosts: [
                (name: "center", network: "internet", address: "{center}", daemons: ["dir", "store"]),
                (name: "offsite", network: "internet", address: "{offsite}", daemons: ["away"]),
                (name: "den", network: "lan", address: "{den}", daemons: ["laptop"]),
            ])"#
    )
}

#[test]
fn what_works_in_one_family_of_addresses_works_in_the_other() {
    for (internet, lan, hosts) in [
        ("192.0.2.0/24", "10.0.0.0/24", ["192.0.2.1", "192.0.2.2", "10.0.0.10"]),
        ("2001:db8::/48", "2001:db8:1::/64", ["2001:db8::1", "2001:db8::2", "2001:db8:1::10"]),
    ] {
        let case = Case::new(&format!("address: {:?}", hosts[2]), STORE, "");
        let plan = case.topology(&routed(internet, lan, hosts)).unwrap();
        let backup = &plan.rows[0];
        assert_eq!((&backup.verdict, numbers(backup)), (&Verdict::Works, vec!["5a", "3", "6"]), "{backup:#?}");
    }
}

#[test]
fn daemons_that_listen_on_one_address_only_are_reached_there() {
    let (restore, copy) = (
        r#"(name: "restore", client: "laptop", fileset: "set", storage: "store", pool: "pool", kind: restore, where: "/r"),"#,
        r#"(name: "copy", client: "laptop", fileset: "set", storage: "store", pool: "pool", kind: copy),"#,
    );
    let mut case = Case::new(DIALLED, STORE, &format!("{restore}{copy}"));
    let director = fs::read_to_string(&case.configs[0]).unwrap();
    let bound = director.replace(r#"(name: "dir","#, r#"(name: "dir", listen: ["192.0.2.1"],"#);
    assert_ne!(director, bound);
    fs::write(&case.configs[0], bound).unwrap();
    case.config(&format!(
        r#"(storage: (name: "store", listen: ["192.0.2.1"]),
            directors: [(name: "dir", password: "{PASSWORD} s")],
            devices: [(name: "dev", media_type: "File", archive_device: "/v")])"#
    ));
    let plan = case.topology(&home(r#"forwards: [(port: 9102, to: "10.0.0.10")]"#)).unwrap();
    assert_eq!(plan.rows.len(), 3);
    assert!(plan.rows.iter().all(|tried| tried.verdict == Verdict::Works), "{:#?}", plan.rows);
}

#[test]
fn a_storage_daemon_that_refuses_the_director_fails_restores_and_copies_too() {
    let job = r#"(name: "copy", client: "laptop", fileset: "set", storage: "store", pool: "pool", kind: copy),"#;
    let mut case = Case::new(DIALLED, STORE, job);
    case.config(&format!(
        r#"(storage: (name: "store"), directors: [(name: "dir", password: "{PASSWORD} other")],
            devices: [(name: "dev", media_type: "File", archive_device: "/v")])"#
    ));
    let plan = case.topology(&home("")).unwrap();
    let copy = &plan.rows[1];
    assert_eq!(copy.verdict, Verdict::Fails, "{copy:#?}");
    assert!(copy.logs.iter().any(|(daemon, line)| daemon == "dir" && line.contains("T0307")), "{copy:#?}");
}
