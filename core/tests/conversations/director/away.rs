//! Jobs with `wait_for_client`, whose client is away when their turn comes.

use std::time::Duration;

use serde_json::{Value, json};
use towline_core::catalog::memory::MemoryCatalog;

use crate::support::world::PeerId;

use super::desk::{self, Desk, FILE_PORT, STORAGE_PORT, backup_storage, errand};
use super::waiting::comes;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);
const QUESTION: &str = "text getSecureEraseCmd\\n";
const ANSWER: &str = "text 2000 OK FDSecureEraseCmd *None*\\n";

/// A backup that waits two hours for its client, which may dial in, be dialled, or both.
fn config(comes: bool, goes: bool) -> Value {
    let mut config = desk::config();
    config["clients"][0]["connection_from_client_to_director"] = json!(comes);
    config["clients"][0]["connection_from_director_to_client"] = json!(goes);
    config["jobs"][0]["wait_for_client"] = json!("2 h");
    config
}

fn open(config: Value) -> Desk {
    Desk::with(config, MemoryCatalog::default())
}

/// Orders the backup, with a storage daemon that is there. Returns the console.
fn order(desk: &mut Desk) -> PeerId {
    desk.world.await_dial(STORAGE_PORT, backup_storage().until_we_say("use storage"));
    let console = desk.console();
    let answer = desk.ask(console, "run job=backup-tiny yes");
    assert!(answer.iter().any(|line| line.starts_with("text Job queued. JobId=")), "{answer:?}");
    console
}

fn has_begun(desk: &Desk, job: u32) -> bool {
    desk.report(job).contains("Start Backup")
}

#[test]
fn a_job_whose_client_dials_in_takes_no_storage_until_it_comes() {
    let mut desk = open(config(true, false));
    let console = order(&mut desk);
    let first = desk.world.peers.len();
    assert!(desk.ask(console, "status director").concat().contains("asking for its client"));
    desk.world.wait(HOUR);
    let status = desk.ask(console, "status director").concat();
    assert!(status.contains("waits for its client bareos-fd until 23-Nov-26 15:01"), "{status}");
    let report = desk.report(1);
    assert_eq!(report.matches("is away: the job waits for it until 2026-11-23 15:01").count(), 1, "{report}");
    assert!(!has_begun(&desk, 1) && desk.world.peers.len() == first, "nobody is dialled: {report}");

    let shown = comes(&mut desk);
    assert!(!has_begun(&desk, 1), "it is asked first");
    desk.world.say(shown, ANSWER);
    assert!(desk.world.peers[shown].ended, "that connection has shown that the client is there");
    assert!(has_begun(&desk, 1) && desk.report(1).contains("Client \"bareos-fd\" is here."), "{}", desk.report(1));
    assert_eq!(desk.world.peers.len(), first + 2, "the storage daemon is dialled");
    let file = comes(&mut desk);
    desk.world.say(file, ANSWER);
    let heard = desk.world.heard(file);
    assert!(heard[0].starts_with("text JobId=1 Job=backup-tiny."), "{heard:?}");
}

#[test]
fn a_connection_that_waits_and_leads_to_nobody_is_no_client() {
    let mut desk = open(config(true, false));
    let dead = comes(&mut desk);
    order(&mut desk);
    assert_eq!(desk.world.heard(dead), [QUESTION]);
    desk.world.wait(HOUR);
    assert!(desk.world.peers[dead].ended && !has_begun(&desk, 1), "{}", desk.report(1));
    let alive = comes(&mut desk);
    desk.world.say(alive, ANSWER);
    assert!(has_begun(&desk, 1));
}

#[test]
fn a_client_that_is_there_costs_a_question_and_no_words() {
    let mut desk = open(config(true, false));
    let file = comes(&mut desk);
    order(&mut desk);
    desk.world.say(file, ANSWER);
    assert!(has_begun(&desk, 1));
    for words in ["away", "is here"] {
        assert!(!desk.report(1).contains(words), "{}", desk.report(1));
    }
}

#[test]
fn a_client_that_is_dialled_is_tried_again_and_again() {
    let mut desk = open(config(false, true));
    let console = order(&mut desk);
    let first = desk.world.peers.len();
    desk.world.wait(HOUR);
    assert!(!has_begun(&desk, 1) && desk.world.peers.len() == first, "{}", desk.report(1));
    assert!(desk.ask(console, "status director").concat().contains("waits for its client bareos-fd until"));
    let lines = desk.report(1).lines().count();
    assert!(lines < 8, "an hour of tries is no hour of lines: {}", desk.report(1));
    // One dial shows that it is there, the other one is the job's.
    for _ in 0..2 {
        desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
    }
    desk.world.wait(30 * SECOND);
    let report = desk.report(1);
    assert!(has_begun(&desk, 1) && report.contains("Connected file daemon at 127.0.0.1:"), "{report}");
}

#[test]
fn a_client_that_is_dialled_may_dial_in_meanwhile() {
    let mut desk = open(config(true, true));
    order(&mut desk);
    desk.world.wait(HOUR);
    let file = comes(&mut desk);
    assert_eq!(desk.world.heard(file), [""; 0], "it was asked as soon as it was greeted");
    desk.world.say(file, ANSWER);
    assert!(has_begun(&desk, 1), "{}", desk.report(1));
}

#[test]
fn a_client_that_does_not_come_in_time_fails_its_job_with_its_own_code() {
    for (comes, goes) in [(true, false), (false, true), (true, true)] {
        let mut desk = open(config(comes, goes));
        let console = order(&mut desk);
        let first = desk.world.peers.len();
        desk.world.wait(2 * HOUR - 10 * SECOND);
        assert!(!desk.report(1).contains("T0996"), "{}", desk.report(1));
        desk.world.wait(20 * SECOND);
        let report = desk.report(1);
        assert_eq!(desk.status(1), 'f', "{report}");
        assert!(report.contains("T0996") && report.contains("client \"bareos-fd\" was away"), "{report}");
        assert!(!has_begun(&desk, 1) && desk.world.peers.len() == first, "{report}");
        desk.world.say(console, "text quit");
    }
}

#[test]
fn what_no_time_would_help_fails_the_job_at_once() {
    let mut desk = open(config(false, false));
    order(&mut desk);
    assert_eq!(desk.status(1), 'f');
    assert!(desk.report(1).contains("T0150"), "{}", desk.report(1));
}

#[test]
fn a_job_that_waits_for_its_client_is_cancelled_at_once() {
    for (comes, goes, after) in
        [(true, false, 5), (true, false, 600), (false, true, 5), (false, true, 600), (true, true, 600)]
    {
        let mut desk = open(config(comes, goes));
        let console = desk.console();
        desk.ask(console, "run job=backup-tiny yes");
        desk.world.wait(after * SECOND);
        let answer = desk.ask(console, "cancel jobid=1").concat();
        assert!(answer.contains("JobId 1"), "{answer}");
        assert_eq!(desk.status(1), 'A', "{}", desk.report(1));
        desk.world.say(console, "text quit");
        desk.world.assert_empty();
    }
}

#[test]
fn others_have_their_turns_while_a_client_is_away_and_not_while_it_is_asked() {
    let busy = || {
        let mut config = config(true, false);
        config["director"]["maximum_concurrent_jobs"] = json!(1);
        let mut last = config["jobs"][0].clone();
        (last["name"], last["priority"], last["wait_for_client"]) = (json!("last"), json!(11), json!(0));
        config["jobs"].as_array_mut().unwrap().push(last);
        open(config)
    };
    let mut desk = busy();
    let file = comes(&mut desk);
    let console = order(&mut desk);
    desk.ask(console, "run job=last yes");
    assert!(!has_begun(&desk, 1) && !has_begun(&desk, 2), "the first is asking");
    desk.world.say(file, ANSWER);
    assert!(has_begun(&desk, 1) && !has_begun(&desk, 2));

    let mut desk = busy();
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny yes");
    desk.ask(console, "run job=last yes");
    desk.world.wait(9 * SECOND);
    assert!(!has_begun(&desk, 2));
    desk.world.wait(2 * SECOND);
    assert!(has_begun(&desk, 2), "{}", desk.report(2));
    // Its client has come, and the only place is taken.
    let file = comes(&mut desk);
    desk.world.say(file, ANSWER);
    assert!(!has_begun(&desk, 1));
    assert!(desk.ask(console, "status director").concat().contains("waiting for its turn"));
    desk.ask(console, "cancel jobid=2");
    desk.world.wait(15 * SECOND);
    assert!(has_begun(&desk, 1), "{}", desk.report(1));
}

#[test]
fn of_two_jobs_of_a_schedule_the_fuller_one_waits() {
    // 13:01:31 now.
    for (second, goes_on) in [("incremental", 1), ("full", 2)] {
        let mut config = config(true, false);
        let run = |at: &str, level: &str| json!({ "at": [at], "level": level });
        config["schedules"] = json!([{ "name": "soon", "runs": [run("13:05", "full"), run("14:05", second)] }]);
        config["jobs"][0]["schedule"] = json!("soon");
        let mut desk = open(config);
        desk.world.wait(HOUR + 600 * SECOND);
        let is_said = desk.log().contains("one that saves more still waits for its client");
        match goes_on {
            1 => assert!(is_said && desk.shelf().catalog.job_row(2).is_none(), "{}", desk.log()),
            _ => assert!(!is_said && desk.status(1) == 'A' && desk.report(2).contains("is away"), "{}", desk.log()),
        }
    }
}

#[test]
fn a_director_that_stops_does_not_wait_for_clients() {
    let mut desk = open(config(true, false));
    order(&mut desk);
    desk.world.wait(HOUR);
    desk.world.event(towline_core::event::Event::StopRequested);
    desk.world.run();
    assert_eq!(desk.status(1), 'A', "{}", desk.report(1));
    assert!(desk.report(1).contains("the director is being stopped"), "{}", desk.report(1));
    let row = desk.shelf().catalog.job_row(1).expect("the job").clone();
    assert_eq!(row.comment, "not begun: the director was stopped", "by which the next start knows it");
}
