//! How jobs end, who hears of it, and who waits for whom.

use std::time::Duration;

use serde_json::json;
use towline_core::catalog::memory::MemoryCatalog;
use towline_core::catalog::{CatalogAnswer, CatalogRequest, ClientRow};
use towline_core::event::Event;
use towline_core::notice::ExitReason;

use super::desk::{Desk, FILE_PORT, STORAGE_PORT, config, errand};

/// The last words of a file daemon.
pub fn file_end(code: u8, errors: u32) -> String {
    let code = u32::from(code);
    format!(
        "text 2800 End Job TermCode={code} JobFiles=6 ReadBytes=1043 JobBytes=1043 Errors={errors} VSS=0 Encrypt=0\\n"
    )
}

/// The last words of a storage daemon.
pub fn storage_end(code: u8, errors: u32) -> String {
    let code = u32::from(code);
    format!("text 3099 Job J end JobStatus={code} JobFiles=6 JobBytes=1749 JobErrors={errors}\\n")
}

/// Ends a backup like this; returns its state in the catalog and its errors.
fn ended(file: (u8, u32), storage: (u8, u32)) -> (char, u32) {
    let mut desk = Desk::open();
    let (_, sd, fd) = desk.backup();
    desk.world.say(fd, "text 2000 OK backup\\n");
    desk.world.say(fd, &file_end(file.0, file.1));
    desk.world.say(sd, &storage_end(storage.0, storage.1));
    let errors = desk.shelf().catalog.job_row(1).expect("the job").job_errors;
    (desk.status(1), errors)
}

#[test]
fn a_backup_ends_as_its_daemons_say() {
    // wire/2 §6.2: only T everywhere is good, errors make it W, and W of a daemon is an error of a backup.
    for (file, storage, expected) in [
        ((b'T', 0), (b'T', 0), ('T', 0)),
        ((b'T', 2), (b'T', 0), ('W', 2)),
        ((b'T', 0), (b'T', 1), ('W', 0)),
        ((b'W', 0), (b'T', 0), ('E', 0)),
        ((b'T', 0), (b'W', 0), ('E', 0)),
        ((b'E', 1), (b'T', 0), ('E', 1)),
        ((b'f', 1), (b'T', 0), ('f', 1)),
        ((b'A', 0), (b'T', 0), ('A', 0)),
        ((b'T', 0), (b'f', 1), ('f', 0)),
        ((b'T', 0), (b'E', 1), ('E', 0)),
        ((b'T', 0), (b'A', 0), ('E', 0)),
        ((b'E', 0), (b'f', 0), ('E', 0)),
        ((b'T', 0), (b'R', 0), ('E', 0)),
    ] {
        assert_eq!(ended(file, storage), expected, "file daemon {file:?}, storage daemon {storage:?}");
    }
}

#[test]
fn the_kind_of_a_message_does_not_decide_how_a_job_ends() {
    let mut desk = Desk::open();
    let (console, sd, fd) = desk.backup();
    desk.world.say(fd, "text 2000 OK backup\\n");
    desk.world.say(fd, "text Jmsg Job=J type=5 level=1795438893 bareos-fd JobId 1: Warning: odd\\n");
    desk.world.say(sd, "text Jmsg Job=J type=3 level=1795438893 bareos-sd JobId 1: Fatal error: told\\n");
    desk.world.say(fd, &file_end(b'T', 0));
    desk.world.say(sd, &storage_end(b'T', 0));
    assert_eq!(desk.status(1), 'T');
    let report = desk.report(1);
    assert!(report.contains("Warning: odd\n") && report.contains("Fatal error: told\n"), "{report}");
    let shown = desk.ask(console, "messages").concat();
    assert!(shown.contains("23-Nov-26 13:01 bareos-fd JobId 1: Warning: odd"), "{shown}");
}

#[test]
fn unexpected_words_of_a_daemon_are_a_warning_and_those_of_a_running_storage_daemon_nothing() {
    let mut desk = Desk::open();
    let (_, sd, fd) = desk.backup();
    desk.world.say(fd, "text 2000 OK backup\\n");
    desk.world.say(sd, "text 3010 Job J start\\n");
    desk.world.say(sd, "text 3999 something else\\n");
    desk.world.say(fd, "text 2999 what now\\n");
    desk.world.say(fd, &file_end(b'T', 0));
    desk.world.say(sd, &storage_end(b'T', 0));
    assert_eq!(desk.status(1), 'W');
    let report = desk.report(1);
    assert!(report.contains("Warning: unexpected message from the file daemon: 2999 what now\n"), "{report}");
    assert!(!report.contains("something else"), "{report}");
}

#[test]
fn signals_on_a_jobs_channels_are_answered() {
    let mut desk = Desk::open();
    let (_, _, fd) = desk.backup();
    desk.world.heard(fd);
    for (signal, answers) in [
        ("-2", vec!["text 1000 OK\\n"]),
        ("-5", vec!["text 1000 OK\\n"]),
        ("-3", vec!["text Status OK\\n", "signal -1"]),
        ("-6", vec![]),
    ] {
        desk.world.say(fd, &format!("signal {signal}"));
        assert_eq!(desk.world.heard(fd), answers, "{signal}");
    }
    assert_eq!(desk.status(1), 'R');
}

#[test]
fn a_lost_file_daemon_ends_the_job_and_the_storage_daemon_is_told_and_heard() {
    let mut desk = Desk::open();
    let (_, sd, fd) = desk.backup();
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    desk.world.cut(fd);
    let told = fd + 1;
    let heard = desk.world.heard(told);
    assert!(heard.last().is_some_and(|line| line.starts_with("text cancel Job=backup-tiny.")), "{heard:?}");
    assert_eq!(desk.status(1), 'R', "the storage daemon may still say what it wrote");
    // What it asks meanwhile is answered.
    desk.world.heard(sd);
    desk.world.say(sd, "text CatReq Job=J DeleteNullJobmediaRecords jobid=1");
    assert_eq!(desk.world.heard(sd), ["text 1000 OK DeleteNullJobmediaRecords\\n"]);
    desk.world.say(told, "text 3000 Job J marked to be canceled.\\n");
    desk.world.say(told, "signal -1");
    desk.world.say(sd, &storage_end(b'A', 0));
    assert_eq!(desk.status(1), 'f');
    assert!(desk.report(1).contains("lost the file daemon: "), "{}", desk.report(1));
    assert!(desk.log().contains("marked to be canceled"), "{}", desk.log());
    assert!(desk.world.heard(told).ends_with(&["signal -4".to_owned(), "fin".to_owned()]));
}

#[test]
fn a_lost_storage_daemon_ends_the_job_and_the_file_daemon_is_told() {
    let mut desk = Desk::open();
    let (_, sd, fd) = desk.backup();
    desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
    desk.world.cut(sd);
    assert_eq!(desk.status(1), 'f');
    let heard = desk.world.heard(fd + 1);
    assert!(heard.last().is_some_and(|line| line.starts_with("text cancel Job=backup-tiny.")), "{heard:?}");
    assert!(desk.report(1).contains("lost the storage daemon: "), "{}", desk.report(1));
}

#[test]
fn rows_of_files_after_a_cancel_are_taken_and_not_stored() {
    let mut desk = Desk::open();
    let (console, sd, _) = desk.backup();
    desk.ask(console, "cancel jobid=1");
    let row =
        crate::recording!("01-backup-full/01-DIR-to-SD").lines().find(|line| line.starts_with("< binary 557064436174"));
    let row = row.unwrap().trim_start_matches("< ");
    for _ in 0..20 {
        desk.world.say(sd, row);
        desk.world.say(sd, "text Status Job=J JobStatus=65\\n");
    }
    desk.world.say(sd, &storage_end(b'A', 0));
    assert_eq!(desk.status(1), 'A');
    assert_eq!(desk.shelf().catalog.file_rows(1).count(), 0);
}

#[test]
fn a_job_in_the_queue_is_cancelled_without_a_word_to_its_daemons() {
    let mut config = config();
    config["director"]["maximum_concurrent_jobs"] = json!(1);
    let mut desk = Desk::with(config, MemoryCatalog::default());
    let (console, sd, fd) = desk.backup();
    let peers = desk.world.peers.len();
    desk.ask(console, "run job=backup-tiny yes");
    assert_eq!(desk.status(2), 'C');
    desk.ask(console, "cancel jobid=2");
    assert_eq!((desk.status(1), desk.status(2)), ('R', 'A'));
    desk.world.say(fd, "text 2000 OK backup\\n");
    desk.world.say(fd, &file_end(b'T', 0));
    desk.world.say(sd, &storage_end(b'T', 0));
    assert_eq!((desk.status(1), desk.world.peers.len()), ('T', peers));
}

#[test]
fn jobs_wait_for_the_director_the_resource_the_client_and_the_storage() {
    for (group, at) in [("director", None), ("jobs", Some(0)), ("clients", Some(0)), ("storages", Some(0))] {
        let mut config = config();
        let resource = match at {
            Some(at) => &mut config[group][at],
            None => &mut config[group],
        };
        resource["maximum_concurrent_jobs"] = json!(1);
        let mut desk = Desk::with(config, MemoryCatalog::default());
        let (console, sd, fd) = desk.backup();
        desk.ask(console, "run job=backup-tiny yes");
        assert_eq!(desk.status(2), 'C', "{group}");
        let status = desk.ask(console, "status director").concat();
        assert!(status.contains("JobId 2 ") && status.contains("waiting for its turn"), "{status}");
        desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
        desk.world.say(fd, "text 2000 OK backup\\n");
        desk.world.say(fd, &file_end(b'T', 0));
        desk.world.say(sd, &storage_end(b'T', 0));
        let heard = desk.world.heard(fd + 1);
        assert!(heard.iter().any(|line| line.starts_with("text JobId=2 ")), "{group}: {heard:?}");
    }
}

#[test]
fn a_console_can_wait_for_one_job_or_for_all() {
    let mut desk = Desk::open();
    let (one, sd, fd) = desk.backup();
    let all = desk.console();
    assert!(desk.ask(one, "wait jobid=1").is_empty());
    assert!(desk.ask(all, "wait").is_empty());
    assert_eq!(desk.ask(one, "version"), Vec::<String>::new(), "one command at a time");
    desk.world.say(fd, "text 2000 OK backup\\n");
    desk.world.say(fd, &file_end(b'T', 0));
    desk.world.say(sd, &storage_end(b'T', 0));
    let heard = desk.world.heard(one);
    assert_eq!(
        heard.iter().filter(|line| *line == "signal -1").count(),
        2,
        "the end of wait and of version: {heard:?}"
    );
    assert!(heard.iter().any(|line| line.contains("Version: 26.0.0")), "{heard:?}");
    assert_eq!(desk.world.heard(all).last().map(String::as_str), Some("signal -1"));
    assert_eq!(desk.ask(all, "wait").last().map(String::as_str), Some("signal -1"), "nothing to wait for");
}

#[test]
fn what_the_client_says_it_is_gets_stored() {
    let mut desk = Desk::open();
    let (_, sd, fd) = desk.backup();
    desk.world.say(fd, "text 2000 OK backup\\n");
    desk.world.say(fd, &file_end(b'T', 0));
    desk.world.say(sd, &storage_end(b'T', 0));
    let clients = desk.shelf().catalog.serve(CatalogRequest::ListClients);
    let Ok(CatalogAnswer::Clients(clients)) = clients else { panic!("{clients:?}") };
    let [ClientRow { uname, .. }] = &clients[..] else { panic!("{clients:?}") };
    assert!(uname.contains("Debian GNU/Linux 12 (bookworm)"), "{uname}");
}

#[test]
fn stopping_cancels_jobs_tells_daemons_and_then_ends() {
    let mut desk = Desk::open();
    let (console, sd, fd) = desk.backup();
    desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    desk.world.event(Event::StopRequested);
    desk.world.run();
    assert_eq!(desk.world.exit, None);
    assert!(desk.ask(console, "run job=backup-tiny yes").concat().contains("is being stopped"));
    desk.world.say(sd, &storage_end(b'A', 0));
    assert_eq!(desk.status(1), 'A');
    assert_eq!(desk.world.exit, None, "the daemons have not confirmed");
    for told in [fd + 1, fd + 2] {
        desk.world.say(told, "signal -1");
    }
    assert_eq!(desk.world.exit, Some(ExitReason::Done));
}

#[test]
fn a_director_without_jobs_stops_at_once() {
    for request in [Event::StopRequested, Event::TerminateRequested] {
        let mut desk = Desk::open();
        desk.console();
        desk.world.event(request);
        assert_eq!(desk.world.exit, Some(ExitReason::Done));
    }
}

#[test]
fn a_director_that_is_terminated_lets_its_job_end_and_begins_no_other() {
    let mut desk = Desk::open();
    let (console, sd, fd) = desk.backup();
    // One of another priority waits.
    assert!(desk.ask(console, "run job=backup-tiny priority=20 yes").concat().contains("JobId=2"));
    desk.world.event(Event::TerminateRequested);
    desk.world.run();
    assert_eq!(desk.status(2), 'A', "it has not begun");
    assert_eq!(desk.world.exit, None);
    assert!(desk.ask(console, "run job=backup-tiny yes").concat().contains("is being stopped"));
    desk.world.wait(Duration::from_secs(50));
    desk.world.say(fd, "text 2000 OK backup\\n");
    desk.world.say(fd, &file_end(b'T', 0));
    desk.world.say(sd, &storage_end(b'T', 0));
    assert_eq!(desk.status(1), 'T');
    assert_eq!(desk.world.exit, Some(ExitReason::Done));
}

#[test]
fn a_job_that_goes_on_for_longer_than_it_may_after_a_request_to_terminate_is_cancelled() {
    let mut desk = Desk::open();
    let (_, sd, fd) = desk.backup();
    desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    desk.world.event(Event::TerminateRequested);
    desk.world.wait(Duration::from_secs(60));
    desk.world.say(sd, &storage_end(b'A', 0));
    assert_eq!(desk.status(1), 'A');
    assert_eq!(desk.world.exit, None, "the daemons have not confirmed");
    for told in [fd + 1, fd + 2] {
        desk.world.say(told, "signal -1");
    }
    assert_eq!(desk.world.exit, Some(ExitReason::Done));
}

#[test]
fn daemons_that_are_out_of_reach_are_named_with_the_reason_and_a_remedy() {
    let mut desk = Desk::open();
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny yes");
    desk.world.wait(Duration::from_secs(40));
    assert_eq!(desk.status(1), 'f');
    let report = desk.report(1);
    assert!(report.contains("storage daemon: cannot connect to 127.0.0.1:42003: connection refused"), "{report}");
    assert!(report.contains("check that the daemon runs"), "{report}");
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    desk.ask(console, "run job=backup-tiny yes");
    let sd = console + 1;
    desk.world.say(sd, "text 3000 OK Job SDid=1 SDtime=1795438888 Authorization=DJFK-CCCF\\n");
    desk.world.say(sd, "text 2000 OK SDSecureEraseCmd *None* \\n");
    desk.world.wait(Duration::from_secs(40));
    assert_eq!(desk.status(2), 'f');
    let report = desk.report(2);
    assert!(report.contains("file daemon: cannot connect to 127.0.0.1:42002: connection refused"), "{report}");
}

#[test]
fn a_client_that_cannot_be_dialled_fails_the_job_instead_of_keeping_it_for_ever() {
    let mut config = config();
    config["clients"][0]["address"] = json!(null);
    let mut desk = Desk::with(config, MemoryCatalog::default());
    desk.lead(2);
    assert_eq!(desk.status(1), 'f');
    assert!(desk.report(1).contains("has no address"), "{}", desk.report(1));
}

#[test]
fn a_wrong_answer_fails_the_job_and_names_the_step() {
    let mut desk = Desk::open();
    let (_, sd, fd) = desk.lead(6);
    desk.world.say(sd, "text 3924 Device \"FileStorage1\" not in SD Device resources or no matching Media Type.\\n");
    assert_eq!(desk.status(1), 'f');
    let report = desk.report(1);
    assert!(report.contains("failed at reserving a device: wanted 3000 OK use device"), "{report}");
    assert!(report.contains("got: storage daemon said: 3924 Device"), "{report}");
    assert!(desk.world.heard(fd).ends_with(&["signal -4".to_owned(), "fin".to_owned()]));
}

#[test]
fn a_file_daemon_that_gives_up_early_fails_the_job_with_the_step() {
    let mut desk = Desk::open();
    let (_, _, fd) = desk.lead(7);
    desk.world.say(fd, &file_end(b'f', 1));
    desk.world.wait(Duration::from_secs(31));
    assert_eq!(desk.status(1), 'f');
    let report = desk.report(1);
    assert!(
        report.contains("ended the job with status f during the file daemon's way to the storage daemon"),
        "{report}"
    );
}

#[test]
fn jobs_of_one_second_have_different_names() {
    let mut desk = Desk::open();
    let console = desk.console();
    for _ in 0..70 {
        assert!(desk.ask(console, "run job=backup-tiny yes")[1].starts_with("text Job queued."));
    }
}
