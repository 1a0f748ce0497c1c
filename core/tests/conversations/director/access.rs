//! What consoles with access lists see and may use.

use serde_json::{Value, json};
use towline_core::catalog::CatalogRequest;
use towline_core::catalog::memory::MemoryCatalog;

use super::desk::{Desk, config};

/// Names of resources that the limited console may not see, by the words that name them.
const HIDDEN: [(&str, &str); 10] = [
    ("client", "hidden-fd"),
    ("backupclient", "hidden-fd"),
    ("restoreclient", "hidden-fd"),
    ("storage", "hidden-sd"),
    ("job", "hidden-job"),
    ("restorejob", "hidden-job"),
    ("jobname", "hidden-job"),
    ("pool", "hidden-pool"),
    ("fileset", "hidden-set"),
    ("schedule", "hidden-schedule"),
];

/// The recorded configuration with one more of each resource, and a console that sees only the recorded ones.
fn limited() -> Value {
    let mut config = config();
    let mut again = |list: &str, changes: &[(&str, Value)]| {
        let mut one = config[list][0].clone();
        changes.iter().for_each(|(field, value)| one[*field] = value.clone());
        config[list].as_array_mut().expect("a list").push(one);
    };
    again("clients", &[("name", json!("hidden-fd"))]);
    again("storages", &[("name", json!("hidden-sd"))]);
    again("pools", &[("name", json!("hidden-pool")), ("label_format", json!("Hidden-"))]);
    again("filesets", &[("name", json!("hidden-set"))]);
    again("jobs", &[("name", json!("hidden-job"))]);
    again("jobs", &[("name", json!("mixed-job")), ("client", json!("hidden-fd"))]);
    config["schedules"] = json!([{ "name": "hidden-schedule", "runs": [{ "at": ["1:00"] }] }]);
    config["jobs"][2]["schedule"] = json!("hidden-schedule");
    let mut console = json!({ "name": "limited", "password": "limited-secret", "command_acl": ["*all*"] });
    for about in ["job", "client", "storage", "schedule", "pool", "fileset"] {
        console[format!("{about}_acl")] = json!(["!hidden.*", ".*"]);
    }
    console["where_acl"] = json!(["/tmp", "/srv/.*"]);
    console["catalog_acl"] = json!(["*all*"]);
    config["consoles"].as_array_mut().expect("a list").push(console);
    config
}

/// The words of a command that name a resource, as its help shows them.
fn words_of(usage: &str) -> Vec<&'static str> {
    HIDDEN.iter().map(|(word, _)| *word).filter(|word| usage.contains(&format!("{word}="))).collect()
}

#[test]
fn no_command_does_anything_with_what_a_console_may_not_see() {
    let mut desk = Desk::with(limited(), MemoryCatalog::default());
    let root = desk.console();
    let help = desk.ask(root, "help").concat().replace("text ", "").replace("\\n", "\n");
    let usages: Vec<String> =
        help.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")).map(str::to_owned).collect();
    let mut tried = 0;
    for usage in &usages {
        let command = usage.split_whitespace().next().unwrap().to_owned();
        for word in words_of(usage) {
            let name = HIDDEN.iter().find(|(known, _)| *known == word).unwrap().1;
            // What else a command may need, so that it gets as far as it can.
            for more in ["", "job=backup-tiny", "client=bareos-fd", "all done", "limit=1", "jobs", "files"] {
                let more = if more.starts_with(word) { "" } else { more };
                for yes in ["", "yes"] {
                    let first = if matches!(more, "jobs" | "files") { more } else { "" };
                    let rest = if first.is_empty() { more } else { "" };
                    let line = format!("{command} {first} {word}={name} {rest} {yes}");
                    let console = desk.come_in("limited", "limited-secret");
                    let answer = desk.ask(console, &line).concat();
                    let others = HIDDEN.iter().map(|(_, hidden)| *hidden).filter(|hidden| *hidden != name);
                    for hidden in others.chain(["Hidden-"]) {
                        assert!(!answer.contains(hidden), "{line} shows {hidden}: {answer}");
                    }
                    assert!(!answer.contains("queued") && !answer.contains("OK to run?"), "{line}: {answer}");
                    desk.world.say(console, "text .");
                    desk.world.say(console, "text quit");
                    desk.world.cut(console);
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 100, "the words of the help are found: {tried}");
    let asked = &desk.shelf().asked;
    let orders = asked.iter().filter(|request| matches!(request, CatalogRequest::CreateJob(_)));
    assert_eq!(orders.count(), 0);
}

#[test]
fn a_name_that_a_console_may_not_see_is_one_that_there_is_not() {
    let mut desk = Desk::with(limited(), MemoryCatalog::default());
    let console = desk.come_in("limited", "limited-secret");
    for line in [
        "run job=backup-tiny client=NAME yes",
        "status client=NAME",
        "estimate job=backup-tiny client=NAME",
        "setbandwidth limit=1 client=NAME",
        "restore client=NAME all done yes",
        "restore client=bareos-fd restoreclient=NAME all done yes",
    ] {
        let unknown = desk.ask(console, &line.replace("NAME", "no-such-fd"));
        let hidden = desk.ask(console, &line.replace("NAME", "hidden-fd"));
        let without = |answer: &[String], name: &str| answer.concat().replace(name, "NAME");
        assert_eq!(without(&hidden, "hidden-fd"), without(&unknown, "no-such-fd"), "{line}");
    }
    // A job that it may see, with a client that it may not.
    let answer = desk.ask(console, "run job=mixed-job yes").concat();
    assert!(
        answer.contains("There is no client \\\"hidden-fd\\\"") || answer.contains("There is no client"),
        "{answer}"
    );
    // With nothing to choose from but what it may use, it is not asked.
    let menu = desk.ask(console, "run").concat();
    assert!(menu.contains("backup-tiny") && !menu.contains("hidden"), "{menu}");
}

#[test]
fn rows_of_what_a_console_may_not_see_are_left_out() {
    let mut desk = Desk::with(limited(), MemoryCatalog::default());
    let root = desk.console();
    desk.ask(root, "run job=hidden-job yes");
    desk.ask(root, "run job=mixed-job yes");
    desk.ask(root, "run job=backup-tiny yes");
    let console = desk.come_in("limited", "limited-secret");
    for line in ["status director", "list jobs", "list clients", "list volumes", "list jobs last", "status network"] {
        let answer = desk.ask(console, line).concat();
        assert!(!answer.contains("hidden") && !answer.contains("mixed-job."), "{line}: {answer}");
    }
    assert!(desk.ask(console, "status director").concat().contains("backup-tiny."));
    for line in ["cancel jobid=1", "wait jobid=1", "setbandwidth limit=1 jobid=1", "list joblog jobid=1"] {
        let answer = desk.ask(console, line).concat();
        assert!(answer.contains("no running job") || answer.contains("no job"), "{line}: {answer}");
    }
    assert!(desk.ask(console, "cancel jobid=2").concat().contains("no running job"), "its client is hidden");
}

#[test]
fn a_console_restores_where_its_list_allows() {
    let mut desk = Desk::with(limited(), MemoryCatalog::default());
    super::dialogues::saved(&mut desk);
    let console = desk.come_in("limited", "limited-secret");
    for folder in ["/etc", "/tmp/x", "/srv/../etc", "/srv/a/.."] {
        let answer = desk.ask(console, &format!("restore client=bareos-fd all done where={folder} yes")).concat();
        assert!(answer.contains(&format!("where={folder}: not authorized.")), "{folder}: {answer}");
    }
    // Nor by a change of what is about to run.
    desk.ask(console, "restore client=bareos-fd all done");
    desk.ask(console, "mod");
    desk.ask(console, "10");
    desk.ask(console, "/etc");
    let answer = desk.ask(console, "yes").concat();
    assert!(answer.contains("where=/etc: not authorized."), "{answer}");
    // The folder of the restore job itself needs no entry.
    for folder in ["/tmp", "/srv/x", "/srv/bareos-run/restored"] {
        let answer = desk.ask(console, &format!("restore client=bareos-fd all done where={folder} yes")).concat();
        assert!(answer.contains("Job queued"), "{folder}: {answer}");
    }
}

#[test]
fn a_console_without_the_catalog_asks_it_nothing() {
    let mut config = limited();
    config["consoles"].as_array_mut().unwrap().last_mut().unwrap()["catalog_acl"] = json!([]);
    let mut desk = Desk::with(config, MemoryCatalog::default());
    let console = desk.come_in("limited", "limited-secret");
    let before = desk.shelf().asked.len();
    for line in ["list jobs", "list clients", "restore client=bareos-fd all done yes"] {
        let answer = desk.ask(console, line).concat();
        assert!(
            answer.contains("There is no catalog \\\"default\\\"") || answer.contains("no catalog"),
            "{line}: {answer}"
        );
    }
    assert_eq!(desk.shelf().asked.len(), before);
}

#[test]
fn what_cannot_be_cut_to_what_a_console_may_see_is_not_for_it() {
    let mut desk = Desk::with(limited(), MemoryCatalog::default());
    let (root, console) = (desk.console(), desk.come_in("limited", "limited-secret"));
    for line in [
        "sqlquery query=\"select 1\"",
        ".sql query=\"select 1\"",
        ".bvfs_lsdirs jobid=1 path=/",
        ".bvfs_lsfiles jobid=1 path=/",
        ".bvfs_versions jobid=0 client=bareos-fd pathid=1 fname=x",
        ".bvfs_update jobid=1",
        "list jobs count",
        "list copies",
        "list jobmedia",
        "purge volume=Full-0001 yes",
        "prune directory=/srv yes",
    ] {
        let refused = |answer: &[String]| answer.concat().contains("not authorized");
        assert!(refused(&desk.ask(console, line)), "{line}");
        assert!(!refused(&desk.ask(root, line)), "{line}");
    }
}

#[test]
fn nobody_waits_for_a_job_that_it_may_not_see_or_is_told_how_it_ended() {
    let mut config = limited();
    config["consoles"][2]["job_acl"] = json!(["!backup-tiny", ".*"]);
    let mut desk = Desk::with(config, MemoryCatalog::default());
    let (root, sd, fd) = desk.backup();
    let console = desk.come_in("limited", "limited-secret");
    desk.ask(console, ".api 2 compact=yes");
    let answer = desk.ask(console, "wait").concat();
    assert!(answer.contains(r#""jobs":[]"#), "answered at once: {answer}");
    desk.ask(root, ".api 2 compact=yes");
    desk.world.say(root, "text wait");
    desk.world.say(fd, "text 2000 OK backup\\n");
    desk.world.say(fd, &super::jobs::file_end(b'T', 0));
    desk.world.say(sd, &super::jobs::storage_end(b'T', 0));
    assert!(desk.world.heard(root).concat().contains(r#""jobid":1"#));
    assert!(desk.ask(console, "wait").concat().contains(r#""jobs":[]"#));
}
