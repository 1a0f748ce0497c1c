//! Commands of a job on its director and its client, and a plugin that saves what a command writes, through real daemons.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod support;

use support::network::{Network, Plan};

/// All daemons work in one folder.
const SCRIPTS: &str = r#"name: "b", level: full, run_scripts: [
    (command: "sh -c 'echo from the director %i; cp source/file before.copy'", runs_when: before, runs_on_client: false),
    (command: "sh -c 'echo from the client %n; echo made by a command > dump.in'", runs_when: before),
    (command: "sh -c 'rm dump.in; echo %e'", runs_when: after, fail_job_on_error: false),
    (command: "touch after.good", runs_when: after, runs_on_client: false),
    (command: "touch after.bad", runs_when: after, runs_on_client: false, runs_on_success: false, runs_on_failure: true),
],"#;
const PLUGIN: &str = r#"include: [(plugins: ["bpipe:file=/DUMP/all:reader=cat dump.in:writer=dd of=dump.out"],"#;

fn rewrite(text: String) -> String {
    text.replace(r#"name: "b", level: full,"#, SCRIPTS)
        .replace("include: [(", PLUGIN)
        .replace(r#"(file: (name: "f","#, r#"(file: (name: "f", plugin_names: ["bpipe"],"#)
}

#[test]
fn commands_and_a_plugin_serve_a_backup_and_a_restore() {
    let network = Network::start(&Plan { rewrite, ..Plan::default() });
    std::fs::write(network.source.join("file"), "plain").unwrap();
    let backup = network.backup();
    assert!(backup.is_ok(), "{}", backup.report);
    for text in
        ["BeforeJob: from the director 1\n", "ClientBeforeJob: from the client b\n", "ClientAfterJob: OK\n", "AfterJob"]
    {
        assert!(backup.report.contains(text), "{text}: {}", backup.report);
    }
    let there = |name: &str| network.place(name).exists();
    assert!(there("before.copy") && there("after.good") && !there("after.bad") && !there("dump.in"));

    let restore = network.run("restore client=f regexwhere=!/source/!/restored/! all done yes");
    assert!(restore.is_ok(), "{}", restore.report);
    assert_eq!(std::fs::read_to_string(network.place("dump.out")).unwrap(), "made by a command\n");
    assert_eq!(std::fs::read_to_string(network.place("restored/file")).unwrap(), "plain");
}

#[test]
fn lists_on_the_director_say_what_a_backup_saves() {
    fn rewrite(text: String) -> String {
        text.replace("include: [(files: [", r#"include: [(director_lists: ["|cat lists/%n"], files: ["#)
    }
    let network = Network::start(&Plan { rewrite, ..Plan::default() });
    std::fs::create_dir_all(network.place("lists")).unwrap();
    std::fs::create_dir_all(network.place("more")).unwrap();
    std::fs::write(network.place("more/listed"), "listed").unwrap();
    std::fs::write(network.place("more/not"), "not").unwrap();
    std::fs::write(network.place("lists/b"), format!("{}\n", network.place("more/listed").display())).unwrap();
    let backup = network.backup();
    assert!(backup.is_ok(), "{}", backup.report);
    let restore = network.run("restore client=f regexwhere=!/more/!/restored/! all done yes");
    assert!(restore.is_ok(), "{}", restore.report);
    assert_eq!(std::fs::read_to_string(network.place("restored/listed")).unwrap(), "listed");
    assert!(!network.place("restored/not").exists());

    std::fs::remove_file(network.place("lists/b")).unwrap();
    let backup = network.backup();
    assert!(backup.report.contains("cannot be read: it returned status 1: cat: "), "{}", backup.report);
}

#[test]
fn a_backup_leaves_its_bootstrap_in_a_file_and_fails_without_it() {
    fn rewrite(text: String) -> String {
        let folder =
            text.split("working_directory: \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        let file = format!(r#"name: "b", level: full, write_bootstrap: "{folder}/%c-%n.bsr","#);
        text.replace(r#"name: "b", level: full,"#, &file)
    }
    let network = Network::start(&Plan { rewrite, ..Plan::default() });
    std::fs::write(network.source.join("file"), "plain").unwrap();
    let file = network.place("f-b.bsr");
    let mut before = String::new();
    for (level, appends) in [("full", false), ("incremental", true), ("full", false)] {
        std::fs::write(network.source.join(level), level).unwrap();
        let backup = network.run(&format!("run job=b level={level} yes"));
        assert!(backup.is_ok(), "{}", backup.report);
        let text = std::fs::read_to_string(&file).unwrap();
        let own = if appends { text.strip_prefix(&before).unwrap() } else { &text };
        assert_eq!(own.matches("# ").count(), 1, "{text}");
        for part in [" - b.", "\nVolume=\"", "\nVolSessionTime=", "\nVolAddr=", "\nFileIndex=1"] {
            assert!(own.contains(part), "{part}: {text}");
        }
        before = text;
    }
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let backup = network.run("run job=b level=full yes");
    assert!(backup.report.contains("the bootstrap was not written to ") && !backup.is_ok(), "{}", backup.report);
}
