//! What is wrong with a configuration is found, with its place.

use super::*;

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
