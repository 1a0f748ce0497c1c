//! A day of an administrator at a stock console: a job, a restore by the tree, what is old goes; and names that there are
//! not. Nothing that a real director takes is refused.

use serde_json::json;
use towline_core::catalog::memory::MemoryCatalog;

use super::desk::{Desk, FILE_PORT, STORAGE_PORT, backup_file, backup_storage, config};

/// What stands in an answer that refuses a line.
const REFUSALS: [&str; 5] =
    ["invalid command", "does not know the word", "needs one of", "not supported", "is not for"];

/// A line and what its answer holds.
struct Said(&'static str, &'static str);

fn say(desk: &mut Desk, console: usize, lines: &[Said]) {
    for Said(line, holds) in lines {
        let answer = desk.ask(console, line).concat();
        assert!(answer.contains(holds), "{line}: {answer}");
        assert!(!REFUSALS.iter().any(|words| answer.contains(words)), "{line}: {answer}");
    }
}

#[test]
fn an_administrator_gets_through_the_day() {
    let mut config = config();
    config["clients"][0]["job_retention"] = json!("1 d");
    let mut desk = Desk::with(config, MemoryCatalog::default());
    desk.world.await_dial(STORAGE_PORT, backup_storage());
    desk.world.await_dial(FILE_PORT, backup_file());
    let console = desk.console();
    say(
        &mut desk,
        console,
        &[
            Said("whoami", "root"),
            Said("run", "Automatically selected Job: backup-tiny"),
            Said("mod", "Select parameter to modify (1-9): "),
            Said("1", "Select level (1-4): "),
            Said("1", "Level:    Full\\n"),
            Said("yes", "Job queued. JobId=1"),
            Said("wait jobid=1", "JobStatus=OK (T)"),
            Said("list jobs", "backup-tiny"),
            Said("list volumes", "Full-0001"),
            Said("messages", "Backup OK"),
            Said("restore", "Select item:  (1-13): "),
            Said("5", "cwd is: /\\n"),
            Said("ls", "srv/\\n"),
            Said("cd srv/bareos-run/data/tiny", "cwd is: /srv/bareos-run/data/tiny/\\n"),
            Said("mark sub", "2 files newly marked.\\n"),
            Said("lsmark", "*sub/\\n  *data.bin\\n"),
            Said("estimate", "2 marked to be restored; 1,024 bytes."),
            Said("done", "2 files selected to be restored."),
            Said("mod", "10: Where\\n"),
            Said("10", "Please enter the full path prefix for restore (/ for none): "),
            Said("/tmp/back", "Where:           /tmp/back\\n"),
            Said("no", "Job not run."),
            Said("reload", "reloaded"),
            Said("disable client=bareos-fd", "Client \"bareos-fd\" disabled"),
            Said("enable client=bareos-fd", "Client \"bareos-fd\" enabled"),
            Said("update volume=Full-0001 volstatus=Used", "New Volume status is: Used"),
            Said("prune jobs client=bareos-fd yes", "No Jobs found to prune."),
            Said("prune volume=Full-0001 yes", "Pruned 0 Jobs on Volume Full-0001: its status is Used."),
        ],
    );
    let unknown = [
        "run job=nosuch yes",
        "run job=backup-tiny client=nosuch yes",
        "restore client=nosuch all done yes",
        "status client=nosuch",
        "status storage=nosuch",
        "prune jobs client=nosuch yes",
        "delete volume=nosuch yes",
        "enable job=nosuch",
        "update pool=nosuch",
        "configure export client=nosuch",
    ];
    for line in unknown {
        let answer = desk.ask(console, line);
        assert!(answer.concat().contains("nosuch") || answer.concat().contains("Name a job"), "{line}: {answer:?}");
        assert_eq!(answer.last().map(String::as_str), Some("signal -1"), "{line}");
    }
}
