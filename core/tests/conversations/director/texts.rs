//! What lists and short commands look like to a person, and to scripts that read the text.

use super::desk::Desk;
use super::shapes::{catalog, network};

fn told(desk: &mut Desk, console: usize, command: &str) -> String {
    let answer = desk.ask(console, command);
    let texts = answer.iter().filter_map(|line| line.strip_prefix("text "));
    texts.collect::<String>().replace("\\n", "\n").replace("\\x09", "\t")
}

#[test]
fn lists_are_frames_and_long_lists_a_value_a_line() {
    let mut desk = Desk::with(network(), catalog());
    let console = desk.console();
    assert_eq!(
        told(&mut desk, console, "list pools"),
        "+--------+-------+---------+---------+----------+-------------+\n\
         | poolid | name  | numvols | maxvols | pooltype | labelformat |\n\
         +--------+-------+---------+---------+----------+-------------+\n\
         |      1 | RPool |       1 |       0 | Backup   | RPool-      |\n\
         |      2 | RCopy |       1 |       0 | Backup   | RCopy-      |\n\
         +--------+-------+---------+---------+----------+-------------+\n"
    );
    let long = told(&mut desk, console, "llist jobid=1");
    assert!(long.starts_with("           jobid: 1\n             job: b.2026-11-29_04.44.02_01\n"), "{long}");
    assert!(
        long.ends_with("        poolname: RPool\n      priorjobid: 0\n       filesetid: 1\n         fileset: Tiny\n\n"),
        "{long}"
    );
    let volumes = told(&mut desk, console, "list volumes");
    assert!(volumes.starts_with("Pool: RPool\n+") && volumes.contains("\nPool: RCopy\n+"), "{volumes}");
    assert!(told(&mut desk, console, "list jobs count").contains("| count |\n"));
    let log = told(&mut desk, console, "list joblog jobid=1");
    assert!(log.starts_with(" 2026-11-23 ") && log.ends_with(" bareos-dir JobId 1: a line\n"), "{log}");
    assert!(told(&mut desk, console, "list log limit=1").starts_with(" bareos-dir JobId 1: a line\n"));
    assert_eq!(told(&mut desk, console, "list volume=nothing"), "No results to list.\n");
    assert_eq!(told(&mut desk, console, "list media=nothing"), "No results to list.\n");
    assert_eq!(told(&mut desk, console, "list jobs enable"), told(&mut desk, console, "list jobs enabled"));
    assert_eq!(told(&mut desk, console, "list files jobid=1 limit=1 offset=1"), " /var/tmp/interop/data/tiny/b\n");
    assert_eq!(
        told(&mut desk, console, "list nextvol job=b"),
        "The next Volume to be used by Job \"b\" will be RPool-0001\n"
    );
    for (command, words) in [
        ("list volumes limit=0", "limit=0 lists nothing"),
        ("list log limit=10001", "at most 10000 lines"),
        ("list joblog", "Name a job: list joblog jobid=N."),
        ("list fileset jobid=99", "The catalog has no job \"99\""),
        ("list backups", "Name the client"),
        ("list nextvol job=x", "There is no job \"x\""),
    ] {
        let refused = told(&mut desk, console, command);
        assert!(refused.contains(words), "{command}: {refused}");
    }
}

#[test]
fn resources_are_shown_in_bareos_syntax_without_their_secrets() {
    let mut desk = Desk::with(network(), catalog());
    let console = desk.console();
    assert_eq!(
        told(&mut desk, console, "show pool=RPool"),
        "Pool {\n  Name = \\\"RPool\\\"\n  LabelFormat = \\\"RPool-\\\"\n  NextPool = \\\"RCopy\\\"\n  Storage = \\\"RFile\\\"\n  AutoPrune = No\n}\n\n"
            .replace("\\\"", "\"")
    );
    assert_eq!(told(&mut desk, console, "show pools=RPool"), told(&mut desk, console, "show pool=RPool"));
    let all = told(&mut desk, console, "show all verbose");
    for secret in ["dir-secret", "fd-secret", "sd-secret", "admin-secret"] {
        assert!(!all.contains(secret), "{secret}");
    }
    for line in
        ["Director {\n", "Client {\n", "    File = \"/srv/tiny\"\n", "  Passive = No\n", "Console {\n", "Catalog {\n"]
    {
        assert!(all.contains(line), "{line} in {all}");
    }
    assert_eq!(told(&mut desk, console, "show schedules"), "There is no Schedule.\n");
    assert_eq!(told(&mut desk, console, "show disabled"), "Disabled jobs:\n");
    assert!(told(&mut desk, console, "show client=x").contains("There is no Client \"x\". There are: rfd"));
    assert!(told(&mut desk, console, "show").contains("Say what to show"));
}

#[test]
fn short_commands_answer_a_name_a_line() {
    let mut desk = Desk::with(network(), catalog());
    let console = desk.console();
    for (command, text) in [
        (".jobs", "b\nrestore\n"),
        (".jobs type=R", "restore\n"),
        (".jobs disabled", ""),
        (".clients", "rfd\n"),
        (".pools", "RPool\nRCopy\n"),
        (".pools type=Scratch", ""),
        (".storages", "RFile\n"),
        (".storage", "RFile\n"),
        (".catalogs", "MyCatalog\n"),
        (".msgs", "Standard\n"),
        (".media", "RCopy-0002\nRPool-0001\n"),
        (".media limit=1", "RCopy-0002\n"),
        (".mediatypes", "RFile\n"),
        (".actiononpurge", "None\nTruncate\n"),
        (".authorized job=b", "authorized\n"),
        (".bvfs_get_jobids jobid=1", "1\n"),
        (".bvfs_clear_cache yes", "OK\n"),
        (".status dir current", "1000 OK .status\n"),
    ] {
        assert_eq!(told(&mut desk, console, command), text, "{command}");
    }
    let client = told(&mut desk, console, ".defaults client=rfd");
    assert!(client.starts_with("client=rfd\naddress=127.0.0.1\nport=42002\n"), "{client}");
    assert!(told(&mut desk, console, ".help item=run").starts_with("run "));
    for (command, words) in [
        (".authorized job=x", "not authorized"),
        (".jobs type=%", "type=%: expected letters"),
        (".defaults", "Name a resource"),
        (".sql", "Say the question"),
        (".bvfs_clear_cache", "Say that it is meant"),
        (".bvfs_lsdirs path=/", "Name the jobs"),
        (".bvfs_lsdirs jobid=1", "Name a folder"),
        (".bvfs_lsdirs jobid=1 path=/nowhere", "There is no folder /nowhere/ in the catalog"),
        (".bvfs_lsdirs jobid=1,x path=/", "expected numbers with commas"),
        (".bvfs_restore path=x jobid=1 fileid=1", "expected b2 with a number"),
    ] {
        let refused = told(&mut desk, console, command);
        assert!(refused.contains(words), "{command}: {refused}");
    }
    let dirs = told(&mut desk, console, ".bvfs_lsdirs jobid=1 path=/var/");
    let lines: Vec<Vec<&str>> = dirs.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines.iter().map(|line| line[4]).collect::<Vec<_>>(), [".", "..", "tmp/"], "{dirs}");
    assert!(lines.iter().all(|line| line[1..4] == ["0", "0", "A A A A A A A A A A A A A A"]), "{dirs}");
}
