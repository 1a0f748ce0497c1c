use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::error::Code;
use crate::explain::codes;

mod findings;

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
    look::<ObjectStore>(&mut seen);
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
    let others = [
        codes::NO_SCOPE,
        codes::BAD_EXPRESSION,
        codes::NEVER_REACHED,
        codes::ERASE_COMMAND,
        codes::STORE_ADDRESS,
        codes::STORE_SETTING,
        codes::CLEAR_STORE,
        codes::CLEAR_METRICS,
    ];
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
