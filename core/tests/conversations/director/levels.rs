//! Backups that build on others, and what they would save.

use serde_json::{Value, json};
use towline_core::calendar::Zone;
use towline_core::catalog::CatalogRequest;
use towline_core::catalog::memory::MemoryCatalog;

use crate::recording;
use crate::support::conv::Side;
use crate::support::password;
use crate::support::peer::Script;

use super::desk::{Desk, FILE_PORT, STORAGE_PORT, backup_file, backup_storage, config, errand, our_letters};
use super::jobs::{file_end, storage_end};

const KEY: &str = "DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF";

/// A desk on which the recorded full backup, job 1, has been made.
fn with_a_full() -> Desk {
    with_a_full_made(0)
}

/// The same, with a clock that was so many seconds ahead during the backup, and right afterwards.
fn with_a_full_made(ahead: i64) -> Desk {
    let mut config = config();
    config["jobs"][0]["level"] = json!("incremental");
    let verify = json!({ "name": "verify", "kind": "verify", "client": "bareos-fd", "fileset": "Tiny", "storage": "File1",
                         "pool": "Full", "maximum_concurrent_jobs": 10 });
    config["jobs"].as_array_mut().expect("jobs").push(verify);
    with_a_full_of(config, ahead)
}

/// The same with this configuration.
fn with_a_full_of(config: Value, ahead: i64) -> Desk {
    let mut desk = Desk::with(config, MemoryCatalog::default());
    desk.world.put_clock(ahead);
    desk.world.await_dial(STORAGE_PORT, backup_storage());
    desk.world.await_dial(FILE_PORT, backup_file());
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny level=full yes");
    assert_eq!(desk.status(1), 'T', "{}", desk.report(1));
    desk.world.put_clock(0);
    desk
}

/// Orders a backup with these words; leads its daemons up to the level. Returns what the storage daemon heard of the job,
/// and the storage and file daemon.
fn led(desk: &mut Desk, words: &str) -> (String, usize, usize) {
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
    let console = desk.console();
    desk.ask(console, &format!("run job=backup-tiny {words} yes"));
    let (sd, fd) = (console + 1, console + 2);
    let announced = desk.world.heard(sd).into_iter().find(|line| line.starts_with("text JobId=")).expect("a job");
    desk.world.say(sd, &format!("text 3000 OK Job SDid=2 SDtime=1795438888 Authorization={KEY}\\n"));
    desk.world.say(sd, "text 2000 OK SDSecureEraseCmd *None* \\n");
    desk.world.heard(fd);
    desk.world.say(fd, "text 2000 OK Job 26.0.0 (21Aug26) Debian GNU/Linux,debian");
    (announced, sd, fd)
}

#[test]
fn without_a_full_an_incremental_becomes_one_and_says_so() {
    let mut desk = Desk::open();
    let (announced, _, fd) = led(&mut desk, "level=incremental");
    assert!(announced.contains(" level=70 "), "{announced}");
    assert_eq!(desk.world.heard(fd), [r"text level = full  mtime_only=0 \n"]);
    assert!(desk.report(1).contains("doing a Full backup"), "{}", desk.report(1));
    assert_eq!(desk.shelf().catalog.job_row(1).unwrap().level, b'F');
}

#[test]
fn an_incremental_looks_for_changes_since_the_start_of_the_last_backup() {
    let mut desk = with_a_full();
    let before = desk.shelf().catalog.job_row(1).unwrap().clone();
    let (announced, _, fd) = led(&mut desk, "");
    assert!(announced.contains(" level=73 "), "{announced}");
    let since = format!(r"text level = since_utime {} mtime_only=0 prev_job={}\n", before.start_time, before.job);
    assert_eq!(desk.world.heard(fd), [r"text level = incremental  mtime_only=0 \n".to_owned(), since]);
    // The client looks at the director's clock before it answers.
    desk.world.say(fd, "signal -9");
    assert!(desk.world.heard(fd)[0].starts_with("text btime 1795438"));
    desk.world.say(fd, "signal -1");
    desk.world.say(fd, r"text 2000 OK level\n");
    assert_eq!(desk.world.heard(fd)[0], r"text fileset vss=1\n");
    assert_eq!(desk.shelf().catalog.job_row(2).unwrap().level, b'I');
}

/// A configuration whose job has a pool for each level; `Full` is the first in the catalog, then `Differential` and
/// `Incremental`.
fn with_pools() -> Value {
    let mut config = config();
    let job = &mut config["jobs"][0];
    (job["pool"], job["full_pool"], job["differential_pool"]) =
        (json!("Incremental"), json!("Full"), json!("Differential"));
    for name in ["Differential", "Incremental"] {
        config["pools"].as_array_mut().expect("pools").push(json!({ "name": name, "label_format": "x-" }));
    }
    config
}

/// The pool of a job that is led so far that its start is recorded.
fn pool(desk: &Desk, job_id: u32) -> u32 {
    desk.shelf().catalog.job_row(job_id).expect("the job").pool_id
}

#[test]
fn a_job_has_the_pool_of_the_level_that_it_has_in_the_end() {
    let mut desk = Desk::with(with_pools(), MemoryCatalog::default());
    led(&mut desk, "level=incremental");
    assert_eq!(pool(&desk, 1), 1, "it has become full");
    assert!(desk.report(1).contains("Using pool \"Full\""), "{}", desk.report(1));
    let mut desk = with_a_full_of(with_pools(), 0);
    for (id, words, expected) in [
        (2, "level=incremental", 3),
        (3, "level=differential", 2),
        (4, "level=full", 1),
        (5, "level=full pool=Incremental", 3),
    ] {
        let (_, sd, fd) = led(&mut desk, words);
        assert_eq!(pool(&desk, id), expected, "{words}");
        desk.world.heard(fd);
        finish(&mut desk, sd, fd, &[]);
    }
}

#[test]
fn the_storage_of_a_pool_goes_before_that_of_its_jobs_but_not_before_that_of_a_console() {
    let mut config = with_pools();
    let mut other = config["storages"][0].clone();
    (other["name"], other["device"]) = (json!("Elsewhere"), json!("FileStorage2"));
    config["storages"].as_array_mut().expect("storages").push(other);
    config["pools"][0]["storage"] = json!("Elsewhere");
    let mut desk = Desk::with(config, MemoryCatalog::default());
    for (id, words, storage) in [(1, "level=full", "Elsewhere"), (2, "level=full storage=File1", "File1")] {
        led(&mut desk, words);
        let console = desk.console();
        desk.ask(console, &format!("cancel jobid={id}"));
        desk.world.wait(std::time::Duration::from_secs(40));
        assert!(desk.report(id).contains(&format!("Storage:                \"{storage}\"\n")), "{}", desk.report(id));
    }
}

#[test]
fn what_is_too_old_to_build_on_is_made_anew() {
    let mut config = with_pools();
    (config["jobs"][0]["max_full_interval"], config["jobs"][0]["max_differential_interval"]) =
        (json!("10 d"), json!("2 d"));
    let mut desk = with_a_full_of(config, 0);
    let day = std::time::Duration::from_secs(86_400);
    for (id, days, level, pool_id) in [(2, 1, 73, 3), (3, 1, 68, 2), (4, 1, 73, 3), (5, 7, 70, 1)] {
        desk.world.wait(day * days);
        let (announced, sd, fd) = led(&mut desk, "level=incremental");
        assert!(announced.contains(&format!(" level={level} ")), "{id}: {announced}");
        assert_eq!(pool(&desk, id), pool_id, "{id}");
        desk.world.heard(fd);
        finish(&mut desk, sd, fd, &[]);
    }
    assert!(desk.report(3).contains("Doing Differential backup."), "{}", desk.report(3));
    assert!(desk.report(5).contains("Doing FULL backup."), "{}", desk.report(5));
}

#[test]
fn a_full_that_failed_is_made_up_for_if_the_job_says_so() {
    for reruns in [false, true] {
        let mut config = with_pools();
        config["jobs"][0]["rerun_failed_levels"] = json!(reruns);
        let mut desk = with_a_full_of(config, 0);
        let console = desk.console();
        desk.ask(console, "run job=backup-tiny level=full yes");
        // Nobody answers the dial.
        desk.world.wait(std::time::Duration::from_secs(45));
        assert_eq!(desk.status(2), 'f', "{}", desk.report(2));
        let (announced, ..) = led(&mut desk, "level=incremental");
        assert!(announced.contains(if reruns { " level=70 " } else { " level=73 " }), "{announced}");
        assert_eq!((pool(&desk, 3), desk.report(3).contains("Prior failed job")), (if reruns { 1 } else { 3 }, reruns));
    }
}

#[test]
fn a_line_of_a_schedule_says_more_than_the_level() {
    let mut config = with_pools();
    config["schedules"] = json!([{ "name": "soon", "runs": [
        { "at": ["13:03"], "level": "full", "full_pool": "Differential", "priority": 3 } ] }]);
    config["jobs"][0]["schedule"] = json!("soon");
    let mut desk = Desk::with(config, MemoryCatalog::default());
    let console = desk.console();
    let status = desk.ask(console, "status director").concat();
    assert!(status.contains("Full           Backup     3  23-Nov-26 13:03    backup-tiny        soon"), "{status}");
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    desk.world.wait(std::time::Duration::from_secs(100));
    desk.world.say(console + 1, &format!("text 3000 OK Job SDid=2 SDtime=1795438888 Authorization={KEY}\\n"));
    desk.world.say(console + 1, "text 2000 OK SDSecureEraseCmd *None* \\n");
    assert_eq!(pool(&desk, 1), 2);
}

#[test]
fn a_differential_builds_on_the_full_and_not_on_what_came_between() {
    let mut desk = with_a_full();
    let (_, sd, fd) = led(&mut desk, "level=incremental");
    finish(&mut desk, sd, fd, &[]);
    assert_eq!(desk.status(2), 'T', "{}", desk.report(2));
    let start = desk.shelf().catalog.job_row(1).unwrap().start_time;
    let (announced, _, fd) = led(&mut desk, "level=differential");
    assert!(announced.contains(" level=68 "), "{announced}");
    let heard = desk.world.heard(fd);
    assert_eq!(heard[0], r"text level = differential  mtime_only=0 \n");
    assert!(heard[1].starts_with(&format!("text level = since_utime {start} ")), "{heard:?}");
}

/// Leads a backup from its level to its end; `expected` are the lines the client hears between erase and storage.
fn finish(desk: &mut Desk, sd: usize, fd: usize, expected: &[String]) {
    for answer in ["signal -1", r"text 2000 OK level\n", r"text 2000 OK include\n"] {
        desk.world.say(fd, answer);
    }
    desk.world.heard(fd);
    desk.world.say(fd, r"text 2000 OK FDSecureEraseCmd *None*\n");
    assert_eq!(desk.world.heard(fd), expected);
    desk.world.say(sd, r"text 3000 OK use device device=FileStorage1\n");
    desk.world.say(fd, r"text 2000 OK storage\n");
    desk.world.say(fd, r"text 2000 OK backup\n");
    desk.world.say(fd, &file_end(b'T', 0));
    desk.world.say(sd, &storage_end(b'T', 0));
}

/// Since when a job looks for changes that is ordered with these words, and is led to its end.
fn since(desk: &mut Desk, words: &str) -> String {
    desk.world.wait(std::time::Duration::from_secs(10));
    let (_, sd, fd) = led(desk, words);
    let heard = desk.world.heard(fd);
    finish(desk, sd, fd, &[]);
    let (_, rest) = heard[1].split_once("since_utime ").expect("a time");
    rest.split(' ').next().unwrap_or_default().to_owned()
}

#[test]
fn a_clock_that_was_ahead_at_the_full_hides_no_change_afterwards() {
    let mut desk = with_a_full_made(86_400);
    let start = |desk: &Desk, id| desk.shelf().catalog.job_row(id).expect("the job").start_time;
    assert!(start(&desk, 1) > start_of_the_world() + 86_000);
    // No earlier job has a time to trust, so everything is saved; the full is built on nevertheless.
    assert_eq!(since(&mut desk, "level=incremental"), "0");
    assert_eq!(desk.status(2), 'W');
    let report = desk.report(2);
    assert!(report.contains("(T0570)") && report.contains("everything is saved"), "{report}");
    // What comes next builds on that one, whose clock was right.
    let expected = start(&desk, 2).to_string();
    assert_eq!(since(&mut desk, "level=incremental"), expected);
    assert_eq!((desk.status(3), desk.report(3).contains("T0570")), ('T', false));
    assert_eq!(since(&mut desk, "level=differential"), "0");
    assert!(desk.report(4).contains("(T0570)"), "{}", desk.report(4));
    // Even when that day has gone by, the jobs that were ordered after the full say that its time was wrong.
    desk.world.wait(std::time::Duration::from_secs(2 * 86_400));
    assert_eq!(since(&mut desk, "level=differential"), "0");
    let expected = start(&desk, 5).to_string();
    assert_eq!(since(&mut desk, "level=incremental"), expected);
    let console = desk.console();
    let shown = desk.ask(console, "restore client=bareos-fd all done").concat();
    assert!(shown.contains("following JobIds: 1,5,6"), "{shown}");
    let shown = desk.ask(console, "no").concat();
    assert!(shown.contains("not run"), "{shown}");
    let shown = desk.ask(console, "restore client=bareos-fd before=\"2026-11-23 13:01:50\" all done").concat();
    assert!(shown.contains("following JobIds: 1,2\\n"), "{shown}");
}

#[test]
fn changes_count_since_the_sound_job_before_one_from_the_future() {
    let mut desk = with_a_full();
    let start = desk.shelf().catalog.job_row(1).expect("the job").start_time.to_string();
    desk.world.put_clock(3_600);
    since(&mut desk, "level=incremental");
    desk.world.put_clock(0);
    desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
    let console = desk.console();
    let warned = desk.ask(console, "estimate job=backup-tiny").concat();
    assert!(warned.contains("(T0570)"), "{warned}");
    let fd = console + 1;
    desk.world.heard(fd);
    desk.world.say(fd, "text 2000 OK Job 26.0.0 (21Aug26) Debian GNU/Linux,debian");
    let heard = desk.world.heard(fd);
    assert!(heard[1].starts_with(&format!("text level = since_utime {start} ")), "{heard:?}");
    assert_eq!(since(&mut desk, "level=incremental"), start);
    assert!(desk.report(3).contains("since job 1 began"), "{}", desk.report(3));
    assert_eq!(since(&mut desk, "level=differential"), start);
    assert_eq!((desk.status(3), desk.status(4)), ('W', 'T'), "the full was sound");
}

#[test]
fn an_accurate_job_and_a_verification_take_jobs_in_the_order_of_their_numbers() {
    let mut desk = with_a_full_made(86_400);
    since(&mut desk, "level=incremental");
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    let (_, _, fd) = led(&mut desk, "accurate=yes");
    desk.world.heard(fd);
    for answer in ["signal -1", r"text 2000 OK level\n", r"text 2000 OK include\n"] {
        desk.world.say(fd, answer);
    }
    desk.world.heard(fd);
    desk.world.say(fd, r"text 2000 OK FDSecureEraseCmd *None*\n");
    let known = desk.shelf().asked.iter().rev().find_map(|request| match request {
        CatalogRequest::KnownFiles { jobs, .. } => Some(jobs.clone()),
        _ => None,
    });
    assert_eq!(known, Some(vec![1, 2]), "the incremental on top of the full");
    let console = desk.console();
    desk.ask(console, "run job=verify yes");
    assert!(desk.report(4).contains("JobId 2,"), "the newest good backup: {}", desk.report(4));
}

fn start_of_the_world() -> i64 {
    1_795_438_885
}

#[test]
fn an_accurate_job_sends_what_the_client_had() {
    let mut desk = with_a_full();
    let (_, sd, fd) = led(&mut desk, "accurate=yes");
    assert_eq!(desk.world.heard(fd)[0], r"text level = accurate_incremental  mtime_only=0 \n");
    let rows: Vec<String> = desk
        .shelf()
        .catalog
        .file_rows(1)
        .map(|row| {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let digest = if row.md5 == b"0" { String::new() } else { text(&row.md5) };
            format!(r"text {}\0{}\0{digest}\x000", text(&row.name), text(&row.lstat)).replace(r"\x000", r"\00")
        })
        .collect();
    assert_eq!(rows.len(), 6);
    let mut sorted = rows;
    sorted.sort();
    let mut expected = vec![r"text accurate files=6\n".to_owned()];
    expected.extend(sorted);
    expected.push("signal -1".to_owned());
    finish(&mut desk, sd, fd, &expected);
    assert_eq!(desk.status(2), 'T', "{}", desk.report(2));
}

#[test]
fn an_estimate_is_asked_for_as_recorded_and_shown_line_by_line() {
    let mut desk = Desk::open();
    let console = desk.console();
    let file = Script::new(recording!("10-estimate-verify/05-DIR-to-FD"), Side::Dialler, password("fd-secret"));
    desk.world.await_dial(FILE_PORT, our_letters(file));
    let shown = desk.ask(console, "estimate job=backup-tiny listing");
    assert_eq!(shown.iter().filter(|line| line.contains("/srv/bareos-run/data/tiny")).count(), 6, "{shown:#?}");
    let end = [r"text 2000 OK estimate files=6 bytes=1,062\n".to_owned(), "signal -1".to_owned()];
    assert_eq!(shown[shown.len() - 2..], end);
    desk.world.say(console, "text quit");
    desk.world.heard(console);
    desk.world.assert_done();
}

#[test]
fn an_estimate_of_an_incremental_asks_since_the_last_backup_and_answers_clocks() {
    let mut desk = with_a_full();
    let start = desk.shelf().catalog.job_row(1).unwrap().start_time;
    desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
    let console = desk.console();
    desk.ask(console, "estimate job=backup-tiny");
    let fd = console + 1;
    desk.world.heard(fd);
    desk.world.say(fd, "text 2000 OK Job 26.0.0 (21Aug26) Debian GNU/Linux,debian");
    let heard = desk.world.heard(fd);
    assert_eq!(heard[0], r"text level = incremental  mtime_only=0 \n");
    assert!(heard[1].starts_with(&format!("text level = since_utime {start} ")), "{heard:?}");
    desk.world.say(fd, "signal -9");
    assert!(desk.world.heard(fd)[0].starts_with("text btime "));
    desk.world.say(fd, "signal -1");
    desk.world.say(fd, r"text 2000 OK level\n");
    assert_eq!(desk.world.heard(fd)[0], r"text fileset vss=1\n");
    // A file daemon that does not allow it says so, and the console hears it.
    desk.world.say(fd, r"text 2999 Invalid command\n");
    let shown = desk.world.heard(console);
    assert!(shown.iter().any(|line| line.contains("refuses: 2999 Invalid command")), "{shown:?}");
    assert_eq!(shown.last().map(String::as_str), Some("signal -1"));
}

#[test]
fn a_job_of_a_schedule_is_shown_and_ordered_by_itself() {
    let mut config = config();
    config["schedules"] = json!([{ "name": "soon", "runs": [{ "at": ["13:03"], "level": "differential" }] }]);
    config["jobs"][0]["schedule"] = json!("soon");
    // The recorded moment is 13:01:31 where its clocks show UTC.
    let mut desk = Desk::with(config, MemoryCatalog::default());
    let console = desk.console();
    let status = desk.ask(console, "status director").concat();
    assert!(status.contains("Differential   Backup    10  23-Nov-26 13:03    backup-tiny        soon"), "{status}");
    desk.world.wait(std::time::Duration::from_secs(86));
    assert!(desk.shelf().catalog.job_row(1).is_none());
    desk.world.wait(std::time::Duration::from_secs(10));
    let row = desk.shelf().catalog.job_row(1).cloned().expect("the job");
    assert_eq!((row.name.as_str(), row.sched_time % 60), ("backup-tiny", 0));
    let status = desk.ask(console, "status director").concat();
    assert!(status.contains("24-Nov-26 13:03"), "the next one: {status}");
}

/// A desk whose job is ordered at 02:30 each day, three days before Central Europe puts its clocks forward in 2027.
fn at_half_past_two() -> Desk {
    let mut config = config();
    config["schedules"] = json!([{ "name": "nightly", "runs": [{ "at": ["2:30"] }] }]);
    config["jobs"][0]["schedule"] = json!("nightly");
    let mut desk = Desk::with(config, MemoryCatalog::default());
    // The last Sundays of October 2026, March and October 2027, at 01:00 UTC.
    let changes = vec![(1_792_890_000, 3_600), (SPRING, 7_200), (1_824_944_400, 3_600)];
    desk.world.put_zone(Zone::new(7_200, changes));
    let ahead = SPRING - 3 * 86_400 - start_of_the_world();
    desk.world.put_clock(ahead);
    desk
}

/// 28 March 2027, 01:00 UTC.
const SPRING: i64 = 1_806_195_600;

/// When jobs were ordered, in seconds from the change of the clocks in spring.
fn ordered(desk: &Desk) -> Vec<i64> {
    let catalog = &desk.shelf().catalog;
    (1..).map_while(|id| catalog.job_row(id).map(|row| (row.sched_time - SPRING) / 60)).collect()
}

#[test]
fn times_are_shown_and_used_by_the_rules_of_their_own_day() {
    let mut desk = at_half_past_two();
    desk.world.wait(std::time::Duration::from_secs(4 * 86_400));
    // The clock was put by months, and what was due meanwhile ran once; then in winter, with the change, and in summer.
    let days = |days: i64, minutes: i64| days * 24 * 60 + minutes;
    assert_eq!(ordered(&desk)[1..], [days(-3, 30), days(-2, 30), days(-1, 30), 0, days(1, -30)]);
    let console = desk.console();
    let status = desk.ask(console, "status director").concat();
    assert!(status.contains("30-Mar-27 02:30"), "the next: {status}");
    // Far to the east: the same moments, and the next one by the rules there.
    desk.world.put_zone(Zone::fixed(10 * 3_600));
    let status = desk.ask(console, "status director").concat();
    assert!(status.contains("30-Mar-27 02:30"), "{status}");
    desk.world.wait(std::time::Duration::from_secs(86_400));
    assert_eq!(ordered(&desk).last(), Some(&days(1, 15 * 60 + 30)));
}

#[test]
fn a_clock_that_was_far_ahead_keeps_no_job_from_its_turn() {
    let mut desk = at_half_past_two();
    let made = ordered(&desk).len();
    desk.world.put_clock(SPRING - 2 * 86_400 - start_of_the_world() - 365 * 86_400);
    desk.world.wait(std::time::Duration::from_secs(86_400));
    assert_eq!(ordered(&desk).len(), made + 1, "a year back, and the job of the next night is ordered");
    // A correction of a second orders nothing again.
    desk.world.put_clock(SPRING - 2 * 86_400 - start_of_the_world() - 365 * 86_400 - 1);
    desk.world.wait(std::time::Duration::from_secs(60));
    assert_eq!(ordered(&desk).len(), made + 1);
}
