//! Bandwidth limits: what daemons are told, when jobs begin and when a console asks.

use serde_json::json;
use towline_core::catalog::memory::MemoryCatalog;

use crate::recording;
use crate::support::conv::Side;
use crate::support::password;
use crate::support::peer::Script;

use super::desk::{Desk, FILE_PORT, STORAGE_PORT, config, errand};
use super::recorded::console;

/// What the recorded director says instead of an empty name.
const NO_NAME: &str = "the recorded director sends memory that nobody has written to, where ours names no job";

fn recorded() -> Script {
    Script::new(recording!("11b-setbandwidth/01-DIR-to-FD"), Side::Dialler, password("fd-secret"))
}

#[test]
fn a_client_is_told_of_a_limit_as_recorded() {
    let mut desk = Desk::open();
    let script = recorded().differs(NO_NAME, &["text setbandwidth=307200 Job="], &["text setbandwidth=307200 Job=\\n"]);
    desk.world.await_dial(FILE_PORT, script);
    let console = desk.world.come_in(
        console(recording!("11b-setbandwidth/00-CON-to-DIR")).own_words_after("setbandwidth client=bareos-fd"),
    );
    desk.world.assert_done();
    let heard = desk.world.heard(console).concat();
    assert!(heard.contains("Failed to set the bandwidth limit at the file daemon \"bareos-fd\""), "{heard}");
}

/// The line a peer was told last.
fn last_told(desk: &mut Desk, peer: usize) -> String {
    desk.world.heard(peer).into_iter().rfind(|line| line.starts_with("text ")).unwrap_or_default()
}

#[test]
fn a_running_job_is_limited_at_its_client_and_the_next_one_from_its_beginning() {
    let mut desk = Desk::open();
    let (console, sd, _) = desk.backup();
    let name = desk.shelf().catalog.job_row(1).unwrap().job.clone();
    desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
    desk.ask(console, "setbandwidth limit=5kb/s jobid=1 yes");
    let told = sd + 2;
    assert_eq!(last_told(&mut desk, told), format!("text setbandwidth=5000 Job={name}\\n"));
    desk.world.say(told, "text 2000 OK Bandwidth\\n");
    let answer = desk.world.heard(console);
    let text = "text The file daemon \"bareos-fd\" keeps to 5000 bytes a second.\\n";
    assert!(answer.iter().any(|line| line == text), "{answer:?}");
    assert_eq!(answer.last().map(String::as_str), Some("signal -1"));
    assert_eq!(desk.world.heard(told), ["signal -4", "fin"]);
    // For the client: this job, and those to come. A bare number is KiB, as for a stock director.
    desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
    desk.ask(console, "setbandwidth client=bareos-fd limit=100");
    assert_eq!(last_told(&mut desk, told + 1), format!("text setbandwidth=102400 Job={name}\\n"));
    desk.world.say(told + 1, "text 2000 OK Bandwidth\\n");
    desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
    desk.ask(console, "setbandwidth client=bareos-fd limit=0");
    assert_eq!(last_told(&mut desk, told + 2), format!("text setbandwidth=0 Job={name}\\n"));
    desk.world.say(told + 2, "text 2000 OK Bandwidth\\n");
    assert!(desk.world.heard(console).concat().contains("has lifted the limit"));
}

#[test]
fn a_job_begins_with_the_limit_of_its_resource_or_else_of_its_client() {
    for (job, client, wanted) in [(0, 0, None), (0, 7_000, Some(7_000)), (9_000, 7_000, Some(9_000))] {
        let mut config = config();
        config["clients"][0]["maximum_bandwidth_per_job"] = json!(client);
        config["jobs"][0]["maximum_bandwidth"] = json!(job);
        let mut desk = Desk::with(config, MemoryCatalog::default());
        let (_, _, fd) = desk.lead(6);
        let name = desk.shelf().catalog.job_row(1).unwrap().job.clone();
        let told = last_told(&mut desk, fd);
        match wanted {
            Some(limit) => {
                assert_eq!(told, format!("text setbandwidth={limit} Job={name}\\n"));
                desk.world.say(fd, "text 2000 OK Bandwidth\\n");
            }
            None => assert_eq!(told, "text getSecureEraseCmd\\n"),
        }
        assert!(!desk.report(1).contains("failed"), "{}", desk.report(1));
    }
}

#[test]
fn a_limit_of_a_console_holds_for_the_jobs_that_come_until_another_is_said() {
    let mut desk = Desk::open();
    let console = desk.console();
    for (limit, line, before) in [("5b/s", "setbandwidth=5", 0), ("7b/s", "setbandwidth=7", 1)] {
        desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
        desk.ask(console, &format!("setbandwidth client=bareos-fd limit={limit}"));
        let told = console + 1 + before * 4;
        desk.world.say(told, "text 2000 OK Bandwidth\\n");
        let (_, _, fd) = desk.lead(6);
        let id = before as u32 + 1;
        let name = desk.shelf().catalog.job_row(id).unwrap().job.clone();
        assert_eq!(last_told(&mut desk, fd), format!("text {line} Job={name}\\n"));
    }
}

#[test]
fn a_limit_of_a_storage_is_told_to_the_storage_daemon() {
    let mut desk = Desk::open();
    let (console, sd, _) = desk.backup();
    let name = desk.shelf().catalog.job_row(1).unwrap().job.clone();
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    desk.ask(console, "setbandwidth storage=File1 limit=1m/s");
    let told = sd + 2;
    assert_eq!(last_told(&mut desk, told), format!("text setbandwidth=1048576 Job={name}\\n"));
    desk.world.say(told, "text 2000 OK Bandwidth\\n");
    assert!(desk.world.heard(console).concat().contains("The storage daemon \"File1\" keeps to 1048576 bytes"));
}

#[test]
fn a_daemon_that_refuses_or_hangs_up_is_not_taken_for_one_that_keeps_a_limit() {
    for (said, why) in [
        ("text 2991 Bad setbandwidth command: setbandwidth=5 Job=\\n", "it says 2991 Bad setbandwidth command"),
        ("fin", "it has not answered"),
    ] {
        let mut desk = Desk::open();
        let console = desk.console();
        desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
        desk.ask(console, "setbandwidth client=bareos-fd limit=5b/s");
        desk.world.say(console + 1, said);
        let answer = desk.world.heard(console).concat();
        assert!(answer.contains(why), "{answer}");
    }
}

#[test]
fn words_that_make_no_limit_are_answered_with_how_to_say_it() {
    let mut desk = Desk::open();
    let console = desk.console();
    for (line, words) in [
        ("setbandwidth limit=fast client=bareos-fd", "Use setbandwidth limit=N"),
        ("setbandwidth limit=5 client=bareos-fd storage=File1", "Use setbandwidth limit=N"),
        ("setbandwidth limit=5 client=nobody", "There is no client \"nobody\""),
        ("setbandwidth limit=5 storage=nobody", "There is no storage \"nobody\""),
        ("setbandwidth limit=5 jobid=77", "There is no running job \"77\""),
        ("setbandwidth limit=5 clint=bareos-fd", "does not know the word \"clint\""),
    ] {
        let answer = desk.ask(console, line).concat();
        assert!(answer.contains(words) && answer.ends_with("signal -1"), "{line}: {answer}");
    }
}
