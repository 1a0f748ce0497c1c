use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::error::Code;
use crate::explain::codes;

pub(super) const BUILT: Built = Built { psk: true };

pub(super) fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// `code path` of each finding.
pub(super) fn found(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{} {}", finding.code, finding.path)).collect()
}

pub(super) fn director() -> Value {
    json!({
        "director": { "name": "backup-dir", "password": "p1" },
        "clients": [{ "name": "a-fd", "address": "a.example", "password": "p2", "networks": { "lan": "10.0.0.9" } }],
        "storages": [{ "name": "disk", "address": "192.0.2.7", "password": "p3", "device": "dev", "media_type": "File",
                       "networks": { "lan": "10.0.0.7" } }],
        "jobs": [{ "name": "a", "client": "a-fd", "fileset": "home", "storage": "disk", "pool": "Full" }],
        "filesets": [{ "name": "home", "include": [{ "files": ["/home"] }] }],
        "pools": [{ "name": "Full" }],
        "consoles": [{ "name": "admin", "password": "p4", "command_acl": ["*all*"], "profiles": ["all"] }],
        "profiles": [{ "name": "all", "job_acl": ["*all*"], "client_acl": ["*all*"], "storage_acl": ["*all*"],
                       "schedule_acl": ["*all*"], "pool_acl": ["*all*"], "fileset_acl": ["*all*"],
                       "catalog_acl": ["*all*"], "where_acl": ["*all*"] }],
    })
}

pub(super) fn file() -> Value {
    json!({ "file": { "name": "a-fd" }, "directors": [{ "name": "backup-dir", "password": "p2" }] })
}

pub(super) fn storage() -> Value {
    json!({
        "storage": { "name": "a-sd" },
        "directors": [{ "name": "backup-dir", "password": "p3" }],
        "devices": [{ "name": "dev", "media_type": "File", "archive_device": "/srv/volumes" }],
    })
}

pub(super) fn console() -> Value {
    json!({ "director": { "name": "backup-dir", "address": "backup.example", "password": "p1" } })
}

fn tray() -> Value {
    json!({
        "monitor": { "name": "tray-mon" },
        "directors": [{ "name": "backup-dir", "address": "backup.example", "password": "p5" }],
        "clients": [{ "name": "web-fd", "address": "web.example", "password": "p6" }],
        "storages": [{ "name": "sd", "address": "192.0.2.7", "password": "p7" }],
    })
}

/// Findings of `base` after each `(pointer, value)` was put into it.
pub(super) fn check<T: DeserializeOwned + Check>(
    mut base: Value,
    changes: &[(&str, Value)],
    built: Built,
) -> Vec<Finding> {
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match base.pointer_mut(parent).unwrap() {
            Value::Object(map) => _ = map.insert(key.to_owned(), value.clone()),
            Value::Array(list) => list.push(value.clone()),
            other => panic!("{pointer} leads into {other}"),
        }
    }
    read::<T>(base).check(built)
}

#[test]
fn plain_configurations_have_no_findings() {
    assert_eq!(check::<DirectorConfig>(director(), &[], BUILT), []);
    assert_eq!(check::<FileConfig>(file(), &[], BUILT), []);
    assert_eq!(check::<StorageConfig>(storage(), &[], BUILT), []);
    assert_eq!(check::<ConsoleConfig>(console(), &[], BUILT), []);
    assert_eq!(check::<TrayConfig>(tray(), &[], BUILT), []);
}

#[test]
fn the_defaults_are_those_of_the_protocol_notes() {
    let config: DirectorConfig = read(director());
    assert_eq!((config.director.port, config.clients[0].port, config.storages[0].port), (9101, 9102, 9103));
    assert_eq!(config.director.fd_connect_timeout, Seconds(180));
    assert_eq!(config.director.sd_connect_timeout, Seconds(1_800));
    assert_eq!((config.director.max_unauthenticated, config.director.authenticate_within), (256, Seconds(60)));
    assert_eq!(config.director.max_console_connections, 20);
    assert!(config.clients[0].connection_from_director_to_client);
    assert!(!config.clients[0].connection_from_client_to_director);
    assert_eq!(config.client_tls(&config.clients[0]).mode(), TlsMode::Psk);
    let options = &config.filesets[0].include[0].options[0];
    assert_eq!((options.acl, options.xattr, options.hardlinks), (true, true, true));
    let device = &read::<StorageConfig>(storage()).devices[0];
    assert_eq!((device.maximum_block_size, device.label_media), (Bytes(1 << 20), true));
}

#[test]
fn addresses_for_a_part_of_the_network_need_two_sides() {
    let lan = json!("10.0.0.9");
    let (none, other) = (json!({}), json!({ "other": "10.1.0.9" }));
    let passive = ("/clients/0/passive", json!(true));
    let nowhere = ("/clients/0/address", json!(null));
    let dials_in = ("/clients/0/connection_from_client_to_director", json!(true));
    let alone = ("/clients/0/connection_from_director_to_client", json!(false));
    type Row<'a> = (&'a [(&'a str, Value)], &'a [&'a str]);
    let table: &[Row<'_>] = &[
        (&[("/clients/0/lan_address", lan.clone())], &["T0847 clients[0].lan_address"]),
        (&[("/storages/0/lan_address", lan.clone())], &["T0847 storages[0].lan_address"]),
        (&[("/clients/0/lan_address", lan.clone()), ("/storages/0/lan_address", lan.clone())], &[]),
        (
            &[("/clients/0/lan_address", json!("10.0.0.256")), ("/storages/0/lan_address", json!("a b"))],
            &["T0824 clients[0].lan_address", "T0824 storages[0].lan_address"],
        ),
        (&[("/clients/0/networks", none.clone())], &["T0847 storages[0].networks[\"lan\"]"]),
        (&[("/storages/0/networks", none.clone())], &["T0847 clients[0].networks[\"lan\"]"]),
        (
            &[("/clients/0/networks", other)],
            &["T0847 clients[0].networks[\"other\"]", "T0847 storages[0].networks[\"lan\"]"],
        ),
        // The client that the storage dials is in no network with it.
        (&[passive.clone(), nowhere.clone(), dials_in.clone(), alone.clone()], &[]),
        (
            &[
                passive.clone(),
                nowhere.clone(),
                dials_in.clone(),
                alone.clone(),
                ("/storages/0/networks", none.clone()),
            ],
            &["T0834 jobs[0].client", "T0847 clients[0].networks[\"lan\"]"],
        ),
        (
            &[passive, nowhere, dials_in, alone, ("/storages/0/networks", none.clone()), ("/clients/0/networks", none)],
            &["T0834 clients[0].passive"],
        ),
    ];
    for (changes, expected) in table {
        let findings = check::<DirectorConfig>(director(), changes, BUILT);
        assert_eq!(found(&findings), *expected, "{changes:?}");
        assert!(findings.iter().all(|finding| !finding.help.is_empty()));
    }
}

#[test]
fn a_name_fits_into_the_identity_of_every_connection_it_is_used_on() {
    // How long a name may be, and what is found of one a byte longer; 127 is the most on the wire (`wire/1 §0`).
    fn assert_longest<T: DeserializeOwned + Check>(base: Value, pointer: &str, more: &[(&str, Value)], longest: usize) {
        let of = |length: usize| {
            let name = [(pointer, json!("n".repeat(length)))];
            check::<T>(base.clone(), &[more, &name[..]].concat(), BUILT)
        };
        let place = pointer[1..].replace("/0", "[0]").replace('/', ".");
        let bad = |findings: Vec<Finding>| found(&findings).into_iter().filter(|f| f.starts_with("T0822")).count();
        assert_eq!(bad(of(longest)), 0, "{place} of {longest}");
        let past = of(longest + 1);
        let finding = past.iter().find(|finding| finding.code == codes::BAD_NAME);
        let finding = finding.unwrap_or_else(|| panic!("{place} of {}: {past:?}", longest + 1));
        assert_eq!((finding.path.to_string(), bad(past.clone())), (place, 1));
        assert!(finding.message.contains(&format!("{longest} are the most")), "{finding:?}");
    }
    assert_longest::<DirectorConfig>(director(), "/director/name", &[], 117);
    assert_longest::<DirectorConfig>(director(), "/clients/0/name", &[], 119);
    assert_longest::<DirectorConfig>(director(), "/consoles/0/name", &[], 118);
    for list in ["/storages/0/name", "/jobs/0/name", "/filesets/0/name", "/pools/0/name"] {
        assert_longest::<DirectorConfig>(director(), list, &[], 127);
    }
    assert_longest::<FileConfig>(file(), "/file/name", &[], 119);
    assert_longest::<FileConfig>(file(), "/directors/0/name", &[], 117);
    assert_longest::<StorageConfig>(storage(), "/storage/name", &[], 127);
    assert_longest::<StorageConfig>(storage(), "/directors/0/name", &[], 117);
    assert_longest::<StorageConfig>(storage(), "/devices/0/name", &[], 127);
    assert_longest::<ConsoleConfig>(console(), "/director/name", &[], 117);
    let named = [("/console", json!({ "name": "c", "password": "p" }))];
    assert_longest::<ConsoleConfig>(console(), "/console/name", &named, 118);
    assert_longest::<TrayConfig>(tray(), "/monitor/name", &[], 117);
}

#[test]
fn directions_that_exclude_each_other_are_found() {
    let nowhere = [("/clients/0/address", json!(null)), ("/clients/0/connection_from_client_to_director", json!(true))];
    let both = "T0854 clients[0].connection_from_director_to_client";
    assert_eq!(found(&check::<DirectorConfig>(director(), &nowhere, BUILT)), [both]);
    let one = [&nowhere[..], &[("/clients/0/connection_from_director_to_client", json!(false))]].concat();
    assert_eq!(found(&check::<DirectorConfig>(director(), &one, BUILT)), [""; 0]);
    let reachable = [("/clients/0/connection_from_client_to_director", json!(true))];
    assert_eq!(found(&check::<DirectorConfig>(director(), &reachable, BUILT)), [""; 0], "each has its use");
    let deaf = [
        ("/file/listen", json!([])),
        ("/directors/0/address", json!("b.example")),
        ("/directors/0/connection_from_client_to_director", json!(true)),
    ];
    let both = "T0854 directors[0].connection_from_director_to_client";
    assert_eq!(found(&check::<FileConfig>(file(), &deaf, BUILT)), [both]);
    let one = [&deaf[..], &[("/directors/0/connection_from_director_to_client", json!(false))]].concat();
    assert_eq!(found(&check::<FileConfig>(file(), &one, BUILT)), [""; 0]);
}

#[test]
fn a_password_of_the_examples_is_found_wherever_it_stands() {
    let password = json!("change-me-console");
    for (pointer, place) in [
        ("/director/password", "director.password"),
        ("/clients/0/password", "clients[0].password"),
        ("/storages/0/password", "storages[0].password"),
        ("/consoles/0/password", "consoles[0].password"),
    ] {
        let findings = check::<DirectorConfig>(director(), &[(pointer, password.clone())], BUILT);
        assert_eq!(found(&findings), [format!("T0851 {place}")]);
        assert_eq!(findings[0].severity, Severity::Warning);
    }
    let of_peer = [("/directors/0/password", password.clone())];
    assert_eq!(found(&check::<FileConfig>(file(), &of_peer, BUILT)), ["T0851 directors[0].password"]);
    assert_eq!(found(&check::<StorageConfig>(storage(), &of_peer, BUILT)), ["T0851 directors[0].password"]);
    assert_eq!(found(&check::<TrayConfig>(tray(), &of_peer, BUILT)), ["T0851 directors[0].password"]);
    let of_console = [("/director/password", password)];
    assert_eq!(found(&check::<ConsoleConfig>(console(), &of_console, BUILT)), ["T0851 director.password"]);
}

#[test]
fn only_a_backup_is_tried_again_and_only_after_a_pause() {
    let again = |kind: &str, pause: u64| {
        let kind = ("/jobs/0/kind", json!(kind));
        let again = ("/jobs/0/reschedule_on_error", json!(true));
        found(&check::<DirectorConfig>(
            director(),
            &[kind, again, ("/jobs/0/reschedule_interval", json!(pause))],
            BUILT,
        ))
    };
    assert_eq!(again("backup", 1), [""; 0]);
    assert_eq!(again("backup", 0), ["T0835 jobs[0].reschedule_interval"]);
    assert_eq!(again("verify", 1), ["T0840 jobs[0].reschedule_on_error"]);
}

#[test]
fn an_address_of_a_link_with_its_interface_is_no_finding() {
    let listen = json!(["[fe80::1%eth0]:7", "fe80::1%eth0", "fe80::1%3"]);
    let changes = [("/director/listen", listen), ("/clients/0/address", json!("fe80::1%3"))];
    assert_eq!(found(&check::<DirectorConfig>(director(), &changes, BUILT)), [""; 0]);
}

#[test]
fn a_directors_semantic_errors_are_all_found_with_their_paths() {
    let table: &[(&str, Value, &str)] = &[
        ("/director/name", json!(""), "T0822 director.name"),
        ("/director/name", json!("x".repeat(128)), "T0822 director.name"),
        ("/director/name", json!("a\u{1e}b"), "T0822 director.name"),
        ("/director/password", json!(""), "T0823 director.password"),
        ("/director/listen", json!(["backup.example"]), "T0826 director.listen[0]"),
        ("/director/listen", json!(["::", "[::]:9101"]), "T0827 director.listen[1]"),
        ("/director/listen", json!([]), "T0836 director.listen"),
        ("/director/listen", json!(["fe80::1"]), "T0114 director.listen[0]"),
        ("/director/listen", json!(["192.0.2.1%eth0"]), "T0826 director.listen[0]"),
        ("/director/source_address", json!("fe80::1%eth0"), "T0824 director.source_address"),
        ("/clients/0/address", json!("fe80::1"), "T0114 clients[0].address"),
        ("/clients/0/address", json!("backup%eth0"), "T0824 clients[0].address"),
        ("/director/port", json!(0), "T0825 director.port"),
        ("/director/max_unauthenticated", json!(0), "T0835 director.max_unauthenticated"),
        ("/director/source_address", json!("eth0"), "T0824 director.source_address"),
        ("/director/heartbeat_interval", json!(0), "T0841 director.heartbeat_interval"),
        ("/director/tls", json!({ "certificate": "c.pem" }), "T0828 director.tls.certificate"),
        ("/director/tls", json!({ "psk": false }), "T0830 director.tls.psk"),
        ("/director/tls", json!({ "verify_peer": true }), "T0831 director.tls.verify_peer"),
        ("/director/tls", json!({ "revocation_list": "crl.pem" }), "T0831 director.tls.revocation_list"),
        ("/director/tls", json!({ "protocol": "TLSv9" }), "T0875 director.tls.protocol"),
        ("/director/tls", json!({ "protocol": "-ALL" }), "T0875 director.tls.protocol"),
        ("/director/tls", json!({ "cipher_suites": "TLS_NULL" }), "T0875 director.tls.cipher_suites"),
        (
            "/director/tls",
            json!({ "cipher_suites": "TLS_NULL:TLS_AES_256_GCM_SHA384" }),
            "T0876 director.tls.cipher_suites",
        ),
        ("/director/tls", json!({ "cipher_list": "@WEAK" }), "T0875 director.tls.cipher_list"),
        (
            "/clients/0/tls",
            json!({ "cipher_list": "ECDHE", "protocol": "-TLSv1.3" }),
            "T0875 clients[0].tls.cipher_list",
        ),
        ("/director/tls", json!({ "allowed_cn": ["a"] }), "T0831 director.tls.allowed_cn"),
        ("/catalog", json!({ "sqlite": { "path": "" } }), "T0836 catalog.path"),
        ("/clients/0/address", json!("10.0.0.256"), "T0824 clients[0].address"),
        ("/clients/0/address", json!("a.example:9102"), "T0824 clients[0].address"),
        ("/clients/0/address", json!(null), "T0834 clients[0]"),
        (
            "/clients/0/connection_from_director_to_client",
            json!(false),
            "T0833 clients[0].connection_from_director_to_client",
        ),
        ("/clients/0/networks", json!({ "lan": "not an address" }), "T0824 clients[0].networks[\"lan\"]"),
        ("/clients/0/tls", json!({ "ca": "ca.pem", "verify_peer": false }), "T0832 clients[0].tls.verify_peer"),
        ("/jobs/0/replace", json!("never"), "T0840 jobs[0].replace"),
        ("/clients/1", json!({ "name": "a-fd", "address": "b", "password": "p" }), "T0821 clients[1].name"),
        ("/storages/0/address", json!(""), "T0824 storages[0].address"),
        ("/storages/0/device", json!(""), "T0836 storages[0].device"),
        ("/jobs/0/client", json!("a-fb"), "T0820 jobs[0].client"),
        ("/jobs/0/where", json!("/tmp"), "T0840 jobs[0].where"),
        (
            "/jobs/-",
            json!({ "name": "r", "kind": "restore", "client": "a-fd", "fileset": "home", "storage": "disk",
            "pool": "Full", "where": "tmp/x" }),
            "T0838 jobs[1].where",
        ),
        ("/jobs/0/run", json!(["none level=%l"]), "T0820 jobs[0].run[0]"),
        ("/jobs/0/run", json!(["%n since=%s"]), "T0840 jobs[0].run[0]"),
        ("/jobs/0/fd_plugin_options", json!(["p:a=b", " "]), "T0822 jobs[0].fd_plugin_options[1]"),
        ("/jobs/0/write_bootstrap", json!("x.bsr"), "T0838 jobs[0].write_bootstrap"),
        ("/jobs/0/write_bootstrap", json!("|"), "T0838 jobs[0].write_bootstrap"),
        ("/jobs/0/run_on_incoming_connect_interval", json!("1 d"), "T0840 jobs[0].run_on_incoming_connect_interval"),
        (
            "/jobs/-",
            json!({ "name": "v", "kind": "admin", "client": "a-fd", "fileset": "home", "storage": "disk", "pool": "Full",
            "wait_for_client": "8 h" }),
            "T0840 jobs[1].wait_for_client",
        ),
        (
            "/jobs/-",
            json!({ "name": "w", "client": "a-fd", "fileset": "home", "storage": "disk", "pool": "Full",
            "wait_for_client": "8 h", "max_wait_time": "1 h" }),
            "T0840 jobs[1].wait_for_client",
        ),
        ("/pools/0/label_format", json!("a/b"), "T0822 pools[0].label_format"),
        ("/pools/0/label_format", json!("a[1]"), "T0843 pools[0].label_format"),
        ("/pools/0/label_format", json!("a${HOME}"), "T0843 pools[0].label_format"),
        ("/pools/0/label_format", json!("a${Year:%inc}"), "T0843 pools[0].label_format"),
        ("/pools/0/label_format", json!("a${Yaer}"), "T0843 pools[0].label_format"),
        ("/pools/0/label_format", json!("a${Year+}"), "T0843 pools[0].label_format"),
        ("/pools/0/label_format", json!("a${Year:x}"), "T0843 pools[0].label_format"),
        ("/pools/0/label_format", json!("a b$Year"), "T0843 pools[0].label_format"),
        ("/counters", json!([{ "name": "Year" }]), "T0840 counters[0].name"),
        ("/counters", json!([{ "name": "a-b" }]), "T0822 counters[0].name"),
        ("/counters", json!([{ "name": "a", "minimum": 3, "maximum": 2 }]), "T0837 counters[0].maximum"),
        ("/counters", json!([{ "name": "a", "wrap_counter": "b" }]), "T0820 counters[0].wrap_counter"),
        ("/counters", json!([{ "name": "a", "wrap_counter": "a" }]), "T0840 counters[0].wrap_counter"),
        (
            "/jobs/0/run_scripts",
            json!([{ "command": "quit", "console": true, "runs_when": "after" }]),
            "T0844 jobs[0].run_scripts[0].command",
        ),
        ("/pools/0/volume_retention", json!(0), "T0835 pools[0].volume_retention"),
        ("/filesets/0/include", json!([]), "T0836 filesets[0].include"),
        ("/filesets/0/exclude", json!({ "files": ["/proc/", "core"] }), "T0849 filesets[0].exclude.files[1]"),
        ("/filesets/0/exclude", json!({ "files": ["/home/../tmp"] }), "T0849 filesets[0].exclude.files[0]"),
        ("/filesets/0/exclude", json!({ "files": ["/home/me "] }), "T0822 filesets[0].exclude.files[0]"),
        (
            "/filesets/0/include/0/exclude_dir_containing",
            json!([".nobackup", "a/b"]),
            "T0849 filesets[0].include[0].exclude_dir_containing[1]",
        ),
        (
            "/filesets/0/include/0/options",
            json!([{ "wild_dir": ["*/cache/", "cache"], "exclude": true }]),
            "T0849 filesets[0].include[0].options[0].wild_dir[1]",
        ),
        (
            "/filesets/0/include/0/director_lists",
            json!(["</etc/paths", "<paths"]),
            "T0838 filesets[0].include[0].director_lists[1]",
        ),
        ("/filesets/0/include/0/options", json!([{ "size": "1x" }]), "T0808 filesets[0].include[0].options[0].size"),
        ("/filesets/0/exclude", json!({ "director_lists": ["|"] }), "T0808 filesets[0].exclude.director_lists[0]"),
        ("/filesets/0/include/0/files", json!(["home"]), "T0838 filesets[0].include[0].files[0]"),
        (
            "/filesets/0/include/0/options",
            json!([{ "exclude": true }]),
            "T0840 filesets[0].include[0].options[0].exclude",
        ),
        (
            "/filesets/0/include/0/options",
            json!([{ "accurate": "mc7" }]),
            "T0822 filesets[0].include[0].options[0].accurate",
        ),
        (
            "/filesets/0/include/0/options",
            json!([{ "accurate": "s5", "digest": "none" }]),
            "T0840 filesets[0].include[0].options[0].accurate",
        ),
        (
            "/filesets/0/include/0/options",
            json!([{ "accurate": "" }]),
            "T0836 filesets[0].include[0].options[0].accurate",
        ),
        ("/jobs/0/schedule", json!("never"), "T0820 jobs[0].schedule"),
        ("/schedules", json!([{ "name": "s", "runs": [] }]), "T0836 schedules[0].name"),
        ("/schedules", json!([{ "name": "s", "runs": [{ "at": [] }] }]), "T0836 schedules[0].runs[0].at"),
        (
            "/schedules",
            json!([{ "name": "s", "runs": [{ "at": ["1:00"], "days_of_month": [32] }] }]),
            "T0837 schedules[0].runs[0].days_of_month",
        ),
        ("/consoles/0/name", json!("*UserAgent*"), "T0822 consoles[0].name"),
        ("/consoles/0/command_acl", json!([]), "T0836 consoles[0]"),
        ("/director/fd_retry_interval", json!(180), "T0840 director.fd_retry_interval"),
        ("/director/sd_retry_interval", json!(0), "T0835 director.sd_retry_interval"),
        ("/director/status_retry_interval", json!("1 min"), "T0840 director.status_retry_interval"),
        ("/director/sd_connect_timeout", json!(0), "T0835 director.sd_connect_timeout"),
    ];
    for (pointer, value, expected) in table {
        let findings = check::<DirectorConfig>(director(), &[(pointer, value.clone())], BUILT);
        assert_eq!(found(&findings), [*expected], "{pointer} = {value}");
    }
    // All of them at once, except those that undo another one.
    let undoing = ["/filesets/0/include", "/filesets/0/include/0/options", "/jobs/0/run_on_incoming_connect_interval"];
    let mut seen = BTreeSet::new();
    let all: Vec<_> = table.iter().filter(|(at, ..)| seen.insert(*at) && !undoing.contains(at)).collect();
    let changes: Vec<_> = all.iter().map(|(pointer, value, _)| (*pointer, value.clone())).collect();
    let findings = found(&check::<DirectorConfig>(director(), &changes, BUILT));
    for (_, _, expected) in all {
        assert!(findings.iter().any(|finding| finding == expected), "{expected} is missing in {findings:?}");
    }
}

#[test]
fn a_verify_job_names_a_backup_or_none() {
    let mut verify = director()["jobs"][0].clone();
    (verify["name"], verify["kind"]) = (json!("verify"), json!("verify"));
    let with = |field: &str, value: Value| {
        let mut verify = verify.clone();
        verify[field] = value;
        verify
    };
    let backup = director()["jobs"][0]["name"].clone();
    let table: &[(&str, Value, &[&str])] = &[
        ("/jobs/-", with("verify_job", json!(null)), &[]),
        ("/jobs/-", with("verify_job", backup.clone()), &[]),
        ("/jobs/-", with("verify_job", json!("nothing")), &["T0820 jobs[1].verify_job"]),
        ("/jobs/-", with("verify_job", json!("verify")), &["T0840 jobs[1].verify_job"]),
        ("/jobs/-", with("where", json!("/tmp")), &["T0840 jobs[1].where"]),
        ("/jobs/0/verify_job", backup, &["T0840 jobs[0].verify_job"]),
    ];
    for (pointer, value, expected) in table {
        let findings = check::<DirectorConfig>(director(), &[(pointer, value.clone())], BUILT);
        assert_eq!(found(&findings), *expected, "{pointer} = {value}");
        assert!(findings.iter().all(|finding| !finding.help.is_empty()));
    }
}

#[test]
fn a_file_daemons_semantic_errors_are_found_with_their_paths() {
    let table: &[(&str, Value, &str)] = &[
        ("/file/listen", json!([]), "T0833 directors[0]"),
        ("/file/redial_interval", json!(0), "T0835 file.redial_interval"),
        ("/file/director_connect_timeout", json!(0), "T0835 file.director_connect_timeout"),
        ("/file/sd_retry_interval", json!(0), "T0835 file.sd_retry_interval"),
        ("/file/sd_connect_timeout", json!(10), "T0840 file.sd_retry_interval"),
        ("/directors/0/connection_from_director_to_client", json!(false), "T0833 directors[0]"),
        (
            "/directors/0/connection_from_client_to_director",
            json!(true),
            "T0834 directors[0].connection_from_client_to_director",
        ),
        ("/directors/0/allowed_job_commands", json!([]), "T0836 directors[0].allowed_job_commands"),
        ("/file/allowed_script_dir", json!(["/a", "b"]), "T0838 file.allowed_script_dir[1]"),
        ("/directors/0/allowed_script_dir", json!(["b"]), "T0838 directors[0].allowed_script_dir[0]"),
        ("/directors/0/tls", json!({ "key": "k.pem" }), "T0828 directors[0].tls.key"),
        ("/directors", json!([]), "T0836 directors"),
    ];
    for (pointer, value, expected) in table {
        let findings = check::<FileConfig>(file(), &[(pointer, value.clone())], BUILT);
        assert_eq!(found(&findings), [*expected], "{pointer} = {value}");
    }
}

#[test]
fn a_storage_daemons_semantic_errors_are_found_with_their_paths() {
    let second = |name: &str| json!({ "name": name, "media_type": "File", "archive_device": "/srv/volumes" });
    let table: &[(&str, Value, &[&str])] = &[
        ("/devices/0/maximum_block_size", json!(512), &["T0837 devices[0].maximum_block_size"]),
        ("/devices/0/maximum_block_size", json!("1 GiB"), &["T0837 devices[0].maximum_block_size"]),
        ("/devices/0/maximum_volume_size", json!("64 KiB"), &["T0840 devices[0].maximum_volume_size"]),
        ("/devices/1", second("dev2"), &["T0839 devices[1].archive_device"]),
        ("/devices/1", second("dev"), &["T0821 devices[1].name", "T0839 devices[1].archive_device"]),
        ("/devices", json!([]), &["T0836 devices"]),
        ("/devices/0/media_type", json!(""), &["T0822 devices[0].media_type"]),
    ];
    for (pointer, value, expected) in table {
        let findings = check::<StorageConfig>(storage(), &[(pointer, value.clone())], BUILT);
        assert_eq!(found(&findings), *expected, "{pointer} = {value}");
    }
}

#[test]
fn a_tray_monitors_semantic_errors_are_found_with_their_paths() {
    let changes = [
        ("/monitor/name", json!("")),
        ("/monitor/refresh_interval", json!(5)),
        ("/monitor/source_address", json!("here")),
        ("/directors/0/address", json!("backup.example:9101")),
        ("/directors/0/tls", json!({ "certificate": "a.pem" })),
        ("/clients/0/password", json!("")),
        ("/clients/-", json!({ "name": "web-fd", "address": "web.example", "password": "p6", "port": 0 })),
        ("/storages/0/port", json!(0)),
    ];
    let findings = found(&check::<TrayConfig>(tray(), &changes, BUILT));
    for wanted in [
        "T0822 monitor.name",
        "T0840 monitor.timeout",
        "T0824 monitor.source_address",
        "T0824 directors[0].address",
        "T0828 directors[0].tls.certificate",
        "T0823 clients[0].password",
        "T0821 clients[1].name",
        "T0825 clients[1].port",
        "T0825 storages[0].port",
    ] {
        assert!(findings.iter().any(|finding| finding.starts_with(wanted)), "{wanted} in {findings:#?}");
    }
    let nobody = [("/directors", json!([])), ("/clients", json!([])), ("/storages", json!([]))];
    let findings = found(&check::<TrayConfig>(tray(), &nobody, BUILT));
    assert!(findings.len() == 1 && findings[0].starts_with("T0836"), "{findings:?}");
}

#[test]
fn a_named_console_needs_no_password_of_the_default_console() {
    let findings = check::<ConsoleConfig>(console(), &[("/director/password", json!(""))], BUILT);
    assert_eq!(found(&findings), ["T0823 director.password"]);
    let named = json!({ "name": "admin", "password": "p4" });
    let changes = [("/director/password", json!("")), ("/console", named)];
    assert_eq!(check::<ConsoleConfig>(console(), &changes, BUILT), []);
    let clear = json!({ "name": "admin", "password": "p4", "tls": { "enable": false } });
    assert_eq!(found(&check::<ConsoleConfig>(console(), &[("/console", clear)], BUILT)), ["T0831 console.tls"]);
}

#[test]
fn without_pre_shared_keys_built_in_certificates_are_asked_for() {
    let built = Built { psk: false };
    let findings = check::<FileConfig>(file(), &[], built);
    assert_eq!(found(&findings), ["T0829 file.tls"]);
    assert!(findings[0].help.contains("`certificate` and `key`"), "{}", findings[0].help);
    let certificate = json!({ "certificate": "c.pem", "key": "k.pem", "ca": "ca.pem" });
    assert_eq!(check::<FileConfig>(file(), &[("/file/tls", certificate)], built), []);
    assert_eq!(check::<FileConfig>(file(), &[("/file/tls", json!({ "enable": false }))], built), []);
    // A dialler needs no certificate of its own, an acceptor does.
    let authority = json!({ "ca": "ca.pem" });
    assert_eq!(check::<ConsoleConfig>(console(), &[("/director/tls", authority.clone())], built), []);
    assert_eq!(found(&check::<FileConfig>(file(), &[("/file/tls", authority)], built)), ["T0829 file.tls"]);
}

#[test]
fn an_unknown_reference_names_the_nearest() {
    let findings = check::<DirectorConfig>(director(), &[("/jobs/0/fileset", json!("hmoe"))], BUILT);
    assert_eq!(findings[0].nearest.as_deref(), Some("home"));
    assert_eq!(findings[0].help, "did you mean \"home\"?");
}

#[test]
fn unknown_missing_and_null_fields_are_refused() {
    let error = |value: Value| serde_json::from_value::<FileConfig>(value).unwrap_err().to_string();
    assert!(error(json!({ "file": { "nam": "x" }, "directors": [] })).contains("unknown field `nam`"));
    assert!(error(json!({ "file": {}, "directors": [] })).contains("missing field `name`"));
    assert!(error(json!({ "file": { "name": "x", "port": null }, "directors": [] })).contains("null"));
}

#[test]
fn serialising_leaves_defaults_out_and_hides_passwords() {
    let config: FileConfig = read(file());
    let masked = json!({ "file": { "name": "a-fd" }, "directors": [{ "name": "backup-dir", "password": "***" }] });
    assert_eq!(serde_json::to_value(&config).unwrap(), masked);
    assert!(!format!("{config:?}").contains("p2"));
    assert_eq!(serde_json::to_value(Revealed::of(&config)).unwrap(), file());
    let text = serde_json::to_string(&Revealed::of(&read::<DirectorConfig>(director()))).unwrap();
    assert!((1..=4).all(|n| text.contains(&format!("\"p{n}\""))), "{text}");
}

#[test]
fn every_field_and_code_is_documented() {
    fn look<T: Resource>(seen: &mut usize) {
        for field in T::FIELDS {
            assert!(field.doc.trim().len() > 10, "{}.{} says nothing", T::NAME, field.name);
            assert!(!field.name.contains('#') && field.default != Some(""), "{}.{}", T::NAME, field.name);
            *seen += 1;
        }
    }
    let mut seen = 0;
    look::<Director>(&mut seen);
    look::<Client>(&mut seen);
    look::<Storage>(&mut seen);
    look::<Job>(&mut seen);
    look::<IncludeOptions>(&mut seen);
    look::<Pool>(&mut seen);
    look::<FileDaemon>(&mut seen);
    look::<FileDirector>(&mut seen);
    look::<StorageDaemon>(&mut seen);
    look::<Device>(&mut seen);
    look::<TlsConfig>(&mut seen);
    look::<Sqlite>(&mut seen);
    look::<Postgres>(&mut seen);
    look::<TrayConfig>(&mut seen);
    look::<Monitor>(&mut seen);
    look::<MonitoredDirector>(&mut seen);
    look::<MonitoredClient>(&mut seen);
    look::<MonitoredStorage>(&mut seen);
    assert!(seen > 120, "{seen}");
    let numbers: BTreeSet<_> = codes::ALL.iter().map(|(code, _)| *code).collect();
    assert_eq!(numbers.len(), codes::ALL.len(), "a code is used twice");
    let others = [codes::NO_SCOPE, codes::BAD_EXPRESSION, codes::NEVER_REACHED, codes::CLEAR_METRICS];
    let is_of_configurations = |code: Code| (800..900).contains(&code.0) || others.contains(&code);
    assert!(codes::ALL.iter().all(|(code, text)| is_of_configurations(*code) && text.ends_with('.')));
}

#[test]
fn hand_written_defaults_equal_those_of_empty_resources() {
    assert_eq!(read::<TlsConfig>(json!({})), TlsConfig::default());
    assert_eq!(read::<IncludeOptions>(json!({})), IncludeOptions::default());
}

#[test]
fn the_heartbeat_of_a_peer_goes_before_the_daemons() {
    assert_eq!(heartbeat(None, Seconds(60)), Some(Seconds(60)));
    assert_eq!(heartbeat(Some(Seconds(15)), Seconds(60)), Some(Seconds(15)));
    assert_eq!(heartbeat(Some(Seconds(0)), Seconds(60)), None);
    assert_eq!(heartbeat(None, Seconds(0)), None);
}

#[test]
fn listen_entries_take_a_port_of_their_own() {
    let listen = ["192.0.2.1", "192.0.2.1:7", "::", "[::1]:7", "fe80::1%eth0"].map(str::to_owned);
    let all: Vec<String> = listen_on(&listen, 9101).map(|on| on.to_string()).collect();
    assert_eq!(all, ["192.0.2.1:9101", "192.0.2.1:7", "[::]:9101", "[::1]:7", "[fe80::1%eth0]:9101"]);
}

#[test]
fn tls_modes_follow_from_what_is_configured() {
    let mode = |value| read::<TlsConfig>(value).mode();
    assert_eq!(mode(json!({})), TlsMode::Psk);
    assert_eq!(mode(json!({ "enable": false, "certificate": "c" })), TlsMode::Off);
    assert_eq!(mode(json!({ "certificate": "c", "key": "k" })), TlsMode::Certificate);
    assert_eq!(mode(json!({ "ca": "c" })), TlsMode::Certificate);
    assert_eq!(mode(json!({ "psk": false })), TlsMode::Certificate);
    assert_eq!((TlsConfig::off().policy(), TlsConfig::default().policy()), (0, 2));
    assert!(read::<TlsConfig>(json!({ "ca": "c" })).verifies());
}

#[test]
fn a_bandwidth_limit_that_lets_nothing_through_is_found_with_its_place_and_remedy() {
    // 300 bytes a second where 300 KiB were meant, at every place that has a limit.
    let slow = json!(300);
    for (pointer, place) in [
        ("/clients/0/maximum_bandwidth_per_job", "clients[0].maximum_bandwidth_per_job"),
        ("/storages/0/maximum_bandwidth_per_job", "storages[0].maximum_bandwidth_per_job"),
        ("/jobs/0/maximum_bandwidth", "jobs[0].maximum_bandwidth"),
    ] {
        let findings = check::<DirectorConfig>(director(), &[(pointer, slow.clone())], BUILT);
        assert_eq!(found(&findings), [format!("T0848 {place}")]);
        assert!(findings[0].help.contains("\"300 KiB\""), "{findings:?}");
        let most = check::<DirectorConfig>(director(), &[(pointer, json!(u64::MAX))], BUILT);
        assert_eq!(found(&most), [format!("T0837 {place}")], "no peer can be told");
        assert!(check::<DirectorConfig>(director(), &[(pointer, json!("300 KiB"))], BUILT).is_empty());
    }
    for (pointer, place) in [
        ("/file/maximum_bandwidth_per_job", "file.maximum_bandwidth_per_job"),
        ("/directors/0/maximum_bandwidth_per_job", "directors[0].maximum_bandwidth_per_job"),
    ] {
        assert_eq!(found(&check::<FileConfig>(file(), &[(pointer, slow.clone())], BUILT)), [format!("T0848 {place}")]);
        let pointer = pointer.replace("/file/", "/storage/");
        let place = place.replace("file.", "storage.");
        let findings = check::<StorageConfig>(storage(), &[(&pointer, slow.clone())], BUILT);
        assert_eq!(found(&findings), [format!("T0848 {place}")]);
    }
    let monitor = [("/directors/0/monitor", json!(true)), ("/directors/0/maximum_bandwidth_per_job", json!("1 MiB"))];
    let expected = ["T0840 directors[0].maximum_bandwidth_per_job"];
    assert_eq!(found(&check::<FileConfig>(file(), &monitor, BUILT)), expected);
    assert_eq!(found(&check::<StorageConfig>(storage(), &monitor, BUILT)), expected);
}

#[test]
fn a_jobs_limit_is_its_directors_or_else_the_daemons() {
    let limits = |director: u64, own: u64| {
        let mut config = file();
        config["file"]["maximum_bandwidth_per_job"] = json!(own);
        config["directors"][0]["maximum_bandwidth_per_job"] = json!(director);
        read::<FileConfig>(config).job_bandwidth("backup-dir")
    };
    assert_eq!([limits(0, 0), limits(0, 7), limits(5, 7)], [0, 7, 5]);
}
