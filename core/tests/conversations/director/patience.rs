//! How long a director waits for the daemon of a job that is the last to end its part.

use std::time::Duration;

use serde_json::json;
use towline_core::catalog::CatalogRequest;
use towline_core::catalog::memory::MemoryCatalog;

use super::desk::{Desk, FILE_PORT, STORAGE_PORT, config, errand};
use super::jobs::{file_end, storage_end};
use crate::support::world::PeerId;

const SECOND: Duration = Duration::from_secs(1);
/// Three heartbeat intervals of the default and 2 s.
const SILENCE: Duration = Duration::from_secs(182);

/// A backup whose data goes; returns its storage daemon and its file daemon.
fn under_way(desk: &mut Desk) -> (PeerId, PeerId) {
    let (_, sd, fd) = desk.backup();
    desk.world.say(fd, "text 2000 OK backup\\n");
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
    (sd, fd)
}

#[test]
fn a_file_daemon_that_says_nothing_after_the_storage_daemons_end_fails_the_job_in_time_and_not_before() {
    let mut desk = Desk::open();
    let (sd, _) = under_way(&mut desk);
    desk.world.say(sd, &storage_end(b'T', 0));
    desk.world.wait(SILENCE - SECOND);
    assert_eq!(desk.status(1), 'R');
    desk.world.wait(2 * SECOND);
    assert_eq!(desk.status(1), 'f');
    let report = desk.report(1);
    assert!(report.contains("the storage daemon has ended its part, and the file daemon has said nothing"), "{report}");
}

#[test]
fn a_file_daemon_that_still_speaks_is_waited_for_and_one_that_sends_heartbeats_too() {
    for line in ["text Jmsg Job=J type=6 level=1795438893 bareos-fd JobId 1: slow\\n", "signal -6"] {
        let mut desk = Desk::open();
        let (sd, fd) = under_way(&mut desk);
        desk.world.say(sd, &storage_end(b'T', 0));
        for _ in 0..8 {
            desk.world.wait(SILENCE / 2);
            desk.world.say(fd, line);
        }
        assert_eq!(desk.status(1), 'R', "{line}: {}", desk.report(1));
        desk.world.say(fd, &file_end(b'T', 0));
        assert_eq!(desk.status(1), 'T', "{}", desk.report(1));
    }
}

#[test]
fn heartbeats_count_for_nothing_once_the_other_daemon_has_failed() {
    let mut desk = Desk::open();
    let (sd, fd) = under_way(&mut desk);
    desk.world.say(fd, &file_end(b'E', 1));
    for _ in 0..4 {
        desk.world.wait(SILENCE / 2);
        if desk.status(1) == 'R' {
            desk.world.say(sd, "signal -6");
        }
    }
    assert_eq!(desk.status(1), 'f', "{}", desk.report(1));
    assert!(desk.report(1).contains("(T0575)"), "{}", desk.report(1));
}

#[test]
fn a_daemon_that_sends_heartbeats_and_nothing_else_has_an_hour() {
    let mut desk = Desk::open();
    let (sd, fd) = under_way(&mut desk);
    desk.world.say(sd, &storage_end(b'T', 0));
    for _ in 0..60 {
        assert_eq!(desk.status(1), 'R', "{}", desk.report(1));
        desk.world.wait(60 * SECOND);
        if desk.status(1) == 'R' {
            desk.world.say(fd, "signal -6");
        }
    }
    assert_eq!(desk.status(1), 'f');
    let report = desk.report(1);
    assert!(report.contains("sends heartbeats and has said nothing else for 3600 s"), "{report}");
    assert!(report.contains("(T0994)"), "{report}");
}

#[test]
fn a_file_daemon_has_five_seconds_when_the_storage_daemon_has_failed() {
    let mut desk = Desk::open();
    let (sd, fd) = under_way(&mut desk);
    desk.world.say(sd, &storage_end(b'f', 1));
    desk.world.wait(3 * SECOND);
    desk.world.say(fd, "text Jmsg Job=J type=6 level=1795438893 bareos-fd JobId 1: going on\\n");
    assert_eq!(desk.status(1), 'R');
    desk.world.wait(3 * SECOND);
    assert_eq!(desk.status(1), 'f');
    assert!(desk.report(1).contains("the file daemon has not noticed it in time"), "{}", desk.report(1));
}

#[test]
fn a_storage_daemon_that_says_nothing_after_the_file_daemons_end_fails_the_job_and_may_still_say_what_it_wrote() {
    let mut desk = Desk::open();
    let (sd, fd) = under_way(&mut desk);
    desk.world.say(fd, &file_end(b'T', 0));
    desk.world.wait(SILENCE - SECOND);
    assert!(!desk.report(1).contains("has said nothing"), "{}", desk.report(1));
    desk.world.wait(2 * SECOND);
    let report = desk.report(1);
    assert!(report.contains("the file daemon has ended its part, and the storage daemon has said nothing"), "{report}");
    assert_eq!(desk.status(1), 'R', "it has a while to say how it ended");
    desk.world.say(sd, &storage_end(b'A', 0));
    assert_eq!(desk.status(1), 'f');
}

#[test]
fn a_storage_daemon_that_waits_for_an_operator_or_for_us_is_waited_for_all_day() {
    let day = 24 * 3_600 * SECOND;
    // Without a medium, without a mount, and despooling: wire/3 §2.5.
    for status in [b'm', b'M', b'l'] {
        let mut desk = Desk::open();
        let (sd, fd) = under_way(&mut desk);
        desk.world.say(fd, &file_end(b'T', 0));
        desk.world.say(sd, &format!("text Status Job=J JobStatus={status}\\n"));
        desk.world.wait(day);
        assert_eq!(desk.status(1), 'R', "{}: {}", char::from(status), desk.report(1));
        desk.world.say(sd, "text Status Job=J JobStatus=82\\n");
        desk.world.wait(SILENCE - SECOND);
        desk.world.say(sd, &storage_end(b'T', 0));
        assert_eq!(desk.status(1), 'T', "{}", desk.report(1));
    }
    let mut desk = Desk::open();
    let (sd, fd) = under_way(&mut desk);
    desk.world.say(fd, &file_end(b'T', 0));
    desk.shelf().slow = |request| matches!(request, CatalogRequest::DeleteNullJobMedia { .. });
    desk.world.say(sd, "text CatReq Job=J DeleteNullJobmediaRecords jobid=1");
    desk.world.wait(day);
    desk.release();
    desk.world.say(sd, &storage_end(b'T', 0));
    assert_eq!(desk.status(1), 'T', "{}", desk.report(1));
}

#[test]
fn the_heartbeat_interval_decides_how_long_silence_may_last_but_a_minute_is_always_granted() {
    for (interval, seconds) in [(0, 182), (1, 62), (100, 302)] {
        let mut config = config();
        config["clients"][0]["heartbeat_interval"] = json!(interval);
        let mut desk = Desk::with(config, MemoryCatalog::default());
        let (sd, _) = under_way(&mut desk);
        desk.world.say(sd, &storage_end(b'T', 0));
        desk.world.wait((seconds - 1) * SECOND);
        assert_eq!(desk.status(1), 'R', "{interval}");
        desk.world.wait(2 * SECOND);
        assert_eq!(desk.status(1), 'f', "{interval}: {}", desk.report(1));
    }
}
