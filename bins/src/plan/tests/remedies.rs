//! What is said to do about rows that fail, where the first guess would be wrong.

use super::*;

/// Director and storage in an office that masquerades; the client outside, with a firewall, dialled at its own address.
fn office(gateway: &str, names: &str) -> String {
    format!(
        r#"(networks: [
                (name: "internet", addresses: ["192.0.2.0/24"]),
                (name: "office", addresses: ["10.0.0.0/24"], gateway: (to: "internet", address: "192.0.2.254", {gateway})),
            ],
            hosts: [
                (name: "center", network: "office", address: "10.0.0.1", daemons: ["dir", "store"]),
                (name: "offsite", network: "internet", address: "192.0.2.2", daemons: ["away"]),
                (name: "den", network: "internet", address: "192.0.2.10", daemons: ["laptop"], firewall: ()),
            ], names: [{names}])"#
    )
}

fn advice(plan: &Plan, row: usize) -> &str {
    plan.rows[row].advice.as_deref().unwrap_or_else(|| panic!("{:#?}", plan.rows[row]))
}

#[test]
fn a_firewall_is_told_the_address_that_it_sees() {
    let plan = Case::new(r#"address: "192.0.2.10""#, STORE, "").topology(&office("", "")).unwrap();
    let expected = "let 192.0.2.254 dial the port 9102 through the firewall of \"den\"";
    assert!(advice(&plan, 0).starts_with(expected), "{}", advice(&plan, 0));
}

#[test]
fn a_name_that_is_the_own_gateway_is_to_mean_the_inner_address_and_data_need_common_addresses() {
    let store = r#"(name: "store.example", addresses: ["192.0.2.254"])"#;
    let forwards = r#"forwards: [(port: 9103, to: "10.0.0.1")]"#;
    let case = Case::new(r#"address: "192.0.2.10""#, r#"address: "store.example""#, "");
    let plan = case.topology(&office(forwards, store)).unwrap();
    assert!(advice(&plan, 0).contains("let dir find 10.0.0.1 under the name of store"), "{}", advice(&plan, 0));
    assert!(!advice(&plan, 0).contains("lan_address"), "{}", advice(&plan, 0));
    let inside = office(forwards, store)
        .replace(r#"network: "internet", address: "192.0.2.10""#, r#"network: "office", address: "10.0.0.10""#);
    let inside = inside
        .replace(", firewall: ()", "")
        .replace("names: [", r#"names: [(name: "store.example", addresses: ["10.0.0.1"], seen_by: ["center"]), "#);
    let case = Case::new(r#"address: "10.0.0.10""#, r#"address: "store.example""#, "");
    let plan = case.topology(&inside).unwrap();
    assert!(advice(&plan, 0).contains("give both sides a `lan_address`"), "{}", advice(&plan, 0));
}

#[test]
fn a_forwarded_port_that_leads_to_nobody_or_to_another_host_is_named() {
    let case = Case::new(DIALLED, STORE, "");
    let plan = case.topology(&home(r#"forwards: [(port: 9102, to: "10.0.0.77")]"#)).unwrap();
    let expected = "the port 9102 of the gateway of \"home\" leads to 10.0.0.77:9102, where no host is: let it lead to 10.0.0.10 \
                    instead";
    assert!(advice(&plan, 0).starts_with(expected), "{}", advice(&plan, 0));
    // Somebody else listens there: it is not silence that the director hears.
    let others = home(r#"forwards: [(port: 9103, to: "10.0.0.11")]"#)
        .replace(r#"network: "internet", address: "192.0.2.2""#, r#"network: "home", address: "10.0.0.11""#);
    let plan = Case::new(DIALLED, r#"address: "192.0.2.254""#, "").topology(&others).unwrap();
    let backup = &plan.rows[0];
    assert!(backup.logs.iter().any(|(daemon, line)| daemon == "dir" && line.contains("T0307")), "{backup:#?}");
    assert!(advice(&plan, 0).contains("on \"offsite\", where store does not run"), "{}", advice(&plan, 0));
    // Of a client that is refused, the storage daemon was reached all the same.
    let barn = r#"(name: "barn", network: "home", address: "10.0.0.11", daemons: ["neighbour"]), (name: "offsite""#;
    let depot = r#"(name: "depot", network: "internet", address: "192.0.2.3", daemons: ["store"]), (name: "center""#;
    let others = home(r#"forwards: [(port: 9102, to: "10.0.0.11")]"#).replace(r#"(name: "offsite""#, barn);
    let others = others.replace(r#"["dir", "store"]"#, r#"["dir"]"#).replace(r#"(name: "center""#, depot);
    let case = Case::new(DIALLED, r#"address: "depot""#, "");
    let neighbour = format!(r#"clients: [(name: "neighbour", address: "barn", password: "{PASSWORD} n"),"#);
    let text = fs::read_to_string(&case.configs[0]).unwrap().replace("clients: [", &neighbour);
    fs::write(&case.configs[0], text).unwrap();
    let plan = case.topology(&others).unwrap();
    let backup = &plan.rows[0];
    let made = |one: &Connection| matches!(one.outcome, Outcome::Open(_));
    assert!(backup.connections.iter().all(made), "{backup:#?}");
    assert!(advice(&plan, 0).contains("leads to 10.0.0.11:9102, on \"barn\""), "{}", advice(&plan, 0));
    // Of a host without that daemon, its own address.
    let plan = Case::new(r#"address: "192.0.2.2""#, STORE, "").topology(&home("")).unwrap();
    let backup = &plan.rows[0];
    assert!(backup.logs.iter().any(|(daemon, line)| daemon == "dir" && line.contains("T0103")), "{backup:#?}");
    assert!(
        advice(&plan, 0).starts_with("192.0.2.2:9102 is on \"offsite\", where laptop does not run"),
        "{}",
        advice(&plan, 0)
    );
}

#[test]
fn a_router_is_no_address_of_what_is_behind_it() {
    let plan = Case::new(DIALLED, STORE, "").topology(&home("translates: false, inward: accept")).unwrap();
    let expected =
        "192.0.2.254 is the gateway of \"home\" itself, which only routes: give laptop the address 10.0.0.10";
    assert_eq!(advice(&plan, 0), expected);
}

#[test]
fn a_copy_that_fails_shows_the_log_of_the_job_that_writes() {
    let job = r#"(name: "copy", client: "laptop", fileset: "set", storage: "store", pool: "pool", kind: copy),"#;
    let text = home("").replace(r#"(name: "offsite", network"#, r#"(name: "elsewhere", network"#);
    let text = text.replace(
        r#"daemons: ["laptop"]),
            ]"#,
        r#"daemons: ["laptop"]),
            ], names: [(name: "offsite", addresses: [])]"#,
    );
    let plan = Case::new(DIALLED, STORE, job).topology(&text).unwrap();
    let copy = &plan.rows[1];
    assert_eq!(copy.verdict, Verdict::Fails, "{copy:#?}");
    assert!(copy.logs.iter().any(|(daemon, line)| daemon == "dir" && line.contains("T0101")), "{copy:#?}");
}
