//! A cancel answers at once, whoever can be reached; and the job's place is free at once.

use std::time::Duration;

use serde_json::json;
use towline_core::catalog::CatalogRequest;
use towline_core::catalog::memory::MemoryCatalog;
use towline_core::limits::EARLY_REQUESTS;

use crate::recording;
use crate::support::conv::Side;
use crate::support::password;
use crate::support::peer::Script;

use super::desk::{Desk, FILE_PORT, STORAGE_PORT, config, errand};
use super::jobs::storage_end;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn daemons_are_told_of_a_cancel_as_recorded_and_their_words_are_shown() {
    let mut desk = Desk::open();
    let (console, sd, fd) = desk.backup();
    let file = Script::new(recording!("11-cancel/08-DIR-to-FD"), Side::Dialler, password("fd-secret"));
    let storage = Script::new(recording!("11-cancel/09-DIR-to-SD"), Side::Dialler, password("sd-secret"));
    let name = desk.shelf().catalog.job_row(1).unwrap().job.clone();
    desk.world.bindings.bind("bench-big.2026-11-23_13.07.50_03", &name);
    desk.world.await_dial(FILE_PORT, file);
    desk.world.await_dial(STORAGE_PORT, storage);
    let answer = desk.ask(console, "cancel jobid=1 yes");
    let expected = [
        format!("text JobId 1, Job {name} marked to be canceled.\\n"),
        format!("text 2001 Job {name} marked to be canceled.\\n"),
        format!("text 3000 JobId=1 Job=\"{name}\" marked to be canceled.\\n"),
        "text The file daemon \"bareos-fd\" has confirmed.\\nThe storage daemon \"File1\" has confirmed.\\n".to_owned(),
    ];
    assert_eq!(answer[..4], expected, "{answer:#?}");
    assert_eq!(answer.last().map(String::as_str), Some("signal -1"));
    desk.world.heard(sd);
    desk.world.say(sd, &storage_end(b'A', 0));
    assert_eq!(desk.status(1), 'A');
    assert!(desk.world.heard(fd).ends_with(&["signal -4".to_owned(), "fin".to_owned()]));
    desk.world.say(console, "text quit");
}

#[test]
fn a_console_hears_within_a_second_who_has_not_confirmed() {
    let mut desk = Desk::open();
    let (console, sd, _) = desk.backup();
    // The storage daemon is reached and says nothing; nothing comes of the dial to the file daemon.
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    let first = desk.ask(console, "cancel jobid=1");
    assert_eq!(first.len(), 1, "{first:?}");
    desk.world.wait(SECOND);
    let answer = desk.world.heard(console);
    assert!(answer[0].contains("file daemon \"bareos-fd\" has not confirmed yet"), "{answer:?}");
    assert!(answer[0].contains("storage daemon \"File1\" has not confirmed yet"), "{answer:?}");
    assert_eq!(answer.last().map(String::as_str), Some("signal -1"));
    // Who confirms later, or never, stands in the log.
    let told = sd + 2;
    desk.world.say(told, "text 3000 JobId=1 Job=\"J\" marked to be canceled.\\n");
    desk.world.say(told, "signal -1");
    desk.world.wait(SECOND * 20);
    assert!(desk.log().contains("3000 JobId=1"), "{}", desk.log());
    assert!(desk.log().contains("cannot connect to 127.0.0.1:42002"), "{}", desk.log());
    assert_eq!(desk.world.heard(console), Vec::<String>::new(), "the console is told once");
}

#[test]
fn a_storage_daemon_has_ten_seconds_to_end_a_cancelled_job_and_thirty_for_a_failed_one() {
    for (cancel, grace, status) in [(true, 10, 'A'), (false, 30, 'f')] {
        let mut desk = Desk::open();
        let (console, sd, fd) = desk.backup();
        desk.world.heard(sd);
        if cancel {
            desk.ask(console, "cancel jobid=1");
        } else {
            desk.world.cut(fd);
        }
        desk.world.wait(SECOND * grace - Duration::from_millis(100));
        assert_eq!(desk.status(1), 'R');
        desk.world.wait(Duration::from_millis(200));
        assert_eq!(desk.status(1), status);
        assert_eq!(desk.world.heard(sd), ["signal -4", "fin"]);
    }
}

#[test]
fn both_daemons_hear_of_a_cancel_even_if_one_is_out_of_reach() {
    let mut desk = Desk::open();
    let (console, sd, fd) = desk.backup();
    desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
    desk.ask(console, "cancel jobid=1");
    let heard = desk.world.heard(fd + 1);
    assert!(heard.last().is_some_and(|line| line.starts_with("text cancel Job=backup-tiny.")), "{heard:?}");
    desk.world.say(sd, &storage_end(b'A', 0));
    assert_eq!(desk.status(1), 'A');
    desk.world.wait(SECOND * 20);
    assert!(desk.log().contains("cannot connect to 127.0.0.1:42003"), "{}", desk.log());
    // A second cancel finds nothing.
    desk.world.heard(console);
    assert!(desk.ask(console, "cancel jobid=1")[0].contains("There is no running job"));
}

#[test]
fn the_place_of_a_cancelled_job_is_free_at_once() {
    let mut config = config();
    config["director"]["maximum_concurrent_jobs"] = json!(1);
    let mut desk = Desk::with(config, MemoryCatalog::default());
    let (console, ..) = desk.backup();
    desk.ask(console, "run job=backup-tiny yes");
    assert_eq!(desk.status(2), 'C');
    desk.ask(console, "cancel jobid=1");
    desk.world.wait(SECOND);
    let answer = desk.world.heard(console);
    assert_eq!(answer.last().map(String::as_str), Some("signal -1"), "{answer:?}");
    let status = desk.ask(console, "status director").concat();
    assert!(status.contains("connecting to the storage daemon"), "the next job runs: {status}");
    assert_eq!(desk.status(1), 'R', "while the storage daemon may still say what it wrote");
}

#[test]
fn a_second_cancel_waits_for_nobody() {
    let mut desk = Desk::open();
    let (console, ..) = desk.backup();
    desk.ask(console, "cancel jobid=1");
    desk.world.wait(SECOND);
    desk.world.heard(console);
    let answer = desk.ask(console, "cancel jobid=1");
    assert!(answer[0].contains("marked to be canceled"), "{answer:?}");
    assert_eq!(desk.status(1), 'A');
}

/// A director whose catalog is slow, and a storage daemon that asks it `times` times without waiting for an answer.
fn asked_early(times: usize, cancelled: bool) -> (Desk, usize) {
    let mut desk = Desk::open();
    let (console, sd, _) = desk.backup();
    desk.world.heard(sd);
    if cancelled {
        desk.ask(console, "cancel jobid=1");
    }
    desk.shelf().slow = |request| matches!(request, CatalogRequest::VolumesOfPool { .. });
    for _ in 0..times {
        desk.world.say(sd, "text CatReq Job=J FindMedia=1 pool_name=Full media_type=File1 unwanted_volumes=\\n");
    }
    (desk, sd)
}

#[test]
fn a_storage_daemon_of_a_cancelled_job_may_ask_the_catalog_before_it_is_answered() {
    let (mut desk, sd) = asked_early(3, true);
    desk.release();
    let answers = desk.world.heard(sd);
    assert_eq!(answers.iter().filter(|line| line.starts_with("text 1000 OK VolName=")).count(), 3, "{answers:?}");
    desk.world.say(sd, &storage_end(b'A', 0));
    assert_eq!(desk.status(1), 'A');
    assert!(!desk.report(1).contains("Fatal"), "{}", desk.report(1));
}

#[test]
fn so_many_requests_may_wait_for_the_catalog_and_one_more_fails_the_job() {
    for (times, fails) in [(EARLY_REQUESTS + 1, false), (EARLY_REQUESTS + 2, true)] {
        let (desk, _) = asked_early(times, false);
        assert_eq!(desk.report(1).contains("waits for no answer"), fails, "{times}: {}", desk.report(1));
    }
}
