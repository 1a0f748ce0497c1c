//! Where the messages of jobs and of the director go, and what becomes of those that a place does not take.

use std::time::Duration;

use serde_json::{Value, json};
use towline_core::bulk::work::{DiskDone, DiskError};
use towline_core::catalog::memory::MemoryCatalog;
use towline_core::event::Event;
use towline_core::notice::{ExitReason, Level, Notice};
use towline_core::work::WorkDone;
use towline_core::work::delivery::{Delivery, Mail, Undelivered};

use super::desk::{Desk, config};
use super::jobs::{file_end, storage_end};

/// A director with these destinations for all jobs, and a mail server.
fn with(destinations: &Value) -> Value {
    let mut config = config();
    config["messages"] = json!([{ "name": "All", "destinations": destinations }]);
    config["mail_server"] = json!({ "host": "mail.example.org", "from": "towline@example.org" });
    config
}

fn open(destinations: &Value) -> Desk {
    Desk::with(with(destinations), MemoryCatalog::default())
}

/// Runs the backup up to an end like this one, with a warning and an error of its file daemon.
fn run(desk: &mut Desk, status: u8) {
    let (_, sd, fd) = desk.lead(9);
    desk.world.say(fd, "text Jmsg Job=J type=5 level=1795438893 bareos-fd JobId 1: Warning: odd\\n");
    desk.world.say(fd, "text Jmsg Job=J type=8 level=1795438893 bareos-fd JobId 1: Could not stat /x\\n");
    desk.world.say(fd, &file_end(status, 0));
    desk.world.say(sd, &storage_end(status, 0));
}

fn mails(desk: &Desk) -> Vec<Mail> {
    let sent = desk.shelf().sent.clone();
    let mail = |delivery| if let Delivery::Mail(mail) = delivery { Some(*mail) } else { None };
    sent.into_iter().filter_map(mail).collect()
}

fn printed(desk: &Desk) -> String {
    let text = |notice: &Notice| if let Notice::Print(text) = notice { text.clone() } else { String::new() };
    desk.world.notices.iter().map(text).collect()
}

fn stop(desk: &mut Desk) {
    desk.world.event(Event::StopRequested);
}

#[test]
fn each_place_gets_the_kinds_of_messages_that_it_is_for() {
    let mut desk = open(&json!([
        { "kind": "append", "to": ["/log/odd"], "types": ["warning", "notsaved"] },
        { "kind": "catalog", "types": ["all", "!notsaved"] },
        { "kind": "console", "types": ["notsaved"] },
        { "kind": "syslog", "to": ["local3"], "types": ["warning"] },
        { "kind": "stderr", "types": ["warning"] },
        { "kind": "stdout", "types": ["notsaved"] },
    ]));
    run(&mut desk, b'T');
    let noted: String = desk.shelf().noted.iter().map(|(path, text)| format!("{path}: {text}")).collect();
    assert_eq!(
        noted,
        "/log/odd: 23-Nov 13:01 bareos-fd JobId 1: Warning: odd\n\
         /log/odd: 23-Nov 13:01 bareos-fd JobId 1: Could not stat /x\n"
    );
    let report = desk.report(1);
    assert!(report.contains("Warning: odd") && report.contains("Termination"), "{report}");
    assert!(!report.contains("Could not stat"), "{report}");
    let console = desk.console();
    let shown = desk.ask(console, "messages").concat();
    assert!(shown.contains("Could not stat /x") && !shown.contains("odd") && !shown.contains("Termination"), "{shown}");
    assert!(printed(&desk).contains("23-Nov 13:01 bareos-fd JobId 1: Could not stat /x\n"), "{}", printed(&desk));
    let lines = vec![(4, "bareos-fd JobId 1: Warning: odd".to_owned())];
    let sent = desk.shelf().sent.clone();
    assert!(sent.contains(&Delivery::Log { facility: 19, program: "bareos-dir".to_owned(), lines }), "{sent:?}");
    assert!(sent.contains(&Delivery::Errors("23-Nov 13:01 bareos-fd JobId 1: Warning: odd\n".to_owned())), "{sent:?}");
}

#[test]
fn a_job_is_mailed_at_its_end_to_those_who_want_to_hear_of_such_an_end() {
    let to = json!([
        { "kind": "mail", "to": ["always@x"] },
        { "kind": "mail", "to": ["error@x"], "when": "on_error", "types": ["fatal", "warning"] },
        { "kind": "mail", "to": ["success@x"], "when": "on_success" },
        { "kind": "mail", "to": ["mount@x"], "types": ["mount"] },
    ]);
    for (status, expected) in [(b'T', ["always@x", "success@x"]), (b'f', ["always@x", "error@x"])] {
        let mut desk = open(&to);
        run(&mut desk, status);
        let mails = mails(&desk);
        let to: Vec<&str> = mails.iter().map(|mail| mail.to[0].as_str()).collect();
        assert_eq!(to, expected);
        let all = &mails[0].body;
        for part in ["23-Nov 13:01 bareos-dir JobId 1: Start Backup", "Could not stat /x\n", "  Termination:"] {
            assert!(all.contains(part), "{part}: {all}");
        }
        assert!(
            status == b'T' || mails[1].body == "23-Nov 13:01 bareos-fd JobId 1: Warning: odd\n",
            "{}",
            mails[1].body
        );
        let word = if status == b'T' { "OK" } else { "Fatal Error" };
        assert_eq!(mails[0].subject, format!("Towline: Backup {word} of bareos-fd Full, backup-tiny (JobId 1)"));
    }
}

#[test]
fn a_command_sends_mail_with_its_codes_replaced_and_reads_the_text() {
    let mut desk = open(&json!([{ "kind": "mail", "to": ["a@x", "b@x"], "types": ["warning"],
        "command": "/usr/bin/bsmtp -s 'Bareos: %t %e of %c %l' -j %i/%n/%d/%h %r" }]));
    run(&mut desk, b'T');
    let ran = desk.shelf().ran.clone();
    assert_eq!(ran.len(), 1, "{ran:?}");
    assert_eq!(
        ran[0].words,
        [
            "/usr/bin/bsmtp",
            "-s",
            "Bareos: Backup OK of bareos-fd Full",
            "-j",
            "1/backup-tiny/bareos-dir/127.0.0.1",
            "a@x",
            "b@x"
        ]
    );
    assert_eq!(String::from_utf8_lossy(&ran[0].input), "23-Nov 13:01 bareos-fd JobId 1: Warning: odd\n");
    assert_eq!(ran[0].limit, Some(120));
}

#[test]
fn the_operator_has_a_mail_for_each_message_at_once() {
    let mut desk = open(&json!([{ "kind": "operator", "to": ["op@x"], "types": ["mount", "warning"] }]));
    let (_, sd, fd) = desk.lead(9);
    desk.world.say(sd, "text Jmsg Job=J type=10 level=1795438893 bareos-sd JobId 1: please mount\\n");
    desk.world.say(fd, "text Jmsg Job=J type=5 level=1795438893 bareos-fd JobId 1: Warning: odd\\n");
    let mails = mails(&desk);
    assert_eq!(mails.len(), 2, "{mails:?}");
    assert_eq!(mails[0].body, "23-Nov 13:01 bareos-sd JobId 1: please mount\n");
    assert!(mails[0].subject.starts_with("Towline: intervention needed for backup-tiny."), "{}", mails[0].subject);
}

#[test]
fn a_webhook_is_told_what_a_program_wants_to_know() {
    let mut desk =
        open(&json!([{ "kind": "webhook", "to": ["https://hooks.example/T0/secret"], "types": ["warning"] }]));
    run(&mut desk, b'f');
    let sent = desk.shelf().sent.clone();
    let [Delivery::Post { url, body }] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(url, "https://hooks.example/T0/secret");
    let told: Value = serde_json::from_str(body).unwrap();
    for (name, value) in [
        ("event", json!("job_ended")),
        ("director", json!("bareos-dir")),
        ("job_id", json!(1)),
        ("name", json!("backup-tiny")),
        ("status", json!("f")),
        ("client", json!("bareos-fd")),
        ("lines", json!(["23-Nov 13:01 bareos-fd JobId 1: Warning: odd"])),
    ] {
        assert_eq!(told[name], value, "{name}: {told}");
    }
}

#[test]
fn jobs_and_lines_of_schedules_have_messages_of_their_own() {
    let mut config = with(&json!([{ "kind": "append", "to": ["/log/all"] }]));
    let more = [("Job", "/log/job"), ("Line", "/log/line")];
    for (name, path) in more {
        let to = json!([{ "kind": "append", "to": [path], "types": ["info"] }]);
        config["messages"].as_array_mut().unwrap().push(json!({ "name": name, "destinations": to }));
    }
    config["jobs"][0]["messages"] = json!("Job");
    config["schedules"] = json!([{ "name": "soon", "runs": [{ "at": ["13:03"], "messages": "Line" }] }]);
    config["jobs"][0]["schedule"] = json!("soon");
    let mut desk = Desk::with(config, MemoryCatalog::default());
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny yes");
    let of_job = |desk: &Desk, path: &str| desk.shelf().noted.iter().filter(|(to, _)| to == path).count();
    assert!(of_job(&desk, "/log/job") > 0 && of_job(&desk, "/log/line") == 0);
    desk.world.wait(Duration::from_secs(120));
    assert!(of_job(&desk, "/log/line") > 0, "{:?}", desk.shelf().noted);
    let all: String = desk.shelf().noted.iter().filter(|(to, _)| to == "/log/all").map(|(_, text)| &**text).collect();
    assert!(!all.contains("JobId 1: Start Backup"), "the director's own go there: {all}");
}

#[test]
fn a_file_of_that_kind_is_begun_by_each_job() {
    let mut desk = open(&json!([{ "kind": "file", "to": ["/log/last"], "types": ["warning", "notsaved"] }]));
    run(&mut desk, b'T');
    assert_eq!(
        desk.shelf().put,
        [("/log/last".to_owned(), "23-Nov 13:01 bareos-fd JobId 1: Warning: odd\n".to_owned(), false)]
    );
    assert_eq!(desk.shelf().noted.len(), 1, "the rest goes after it");
}

#[test]
fn a_mail_that_is_not_taken_holds_no_job_up_is_tried_again_and_said() {
    let mut desk = open(&json!([{ "kind": "mail", "to": ["root@x"] }]));
    desk.shelf().takes = |_| Some(Err(Undelivered::Unreachable("nobody is there".to_owned())));
    run(&mut desk, b'T');
    assert_eq!(desk.status(1), 'T');
    assert_eq!(mails(&desk).len(), 1);
    let log = desk.log();
    assert!(log.contains("the mail server does not take a message: the server cannot be reached"), "{log}");
    let console = desk.console();
    let shown = desk.ask(console, "status director").concat();
    assert!(shown.contains("Undelivered Messages:\\n  the mail server: 1 waiting, 0 lost; "), "{shown}");
    assert!(shown.contains("(T0952)"), "{shown}");
    for (pause, tries) in [(10, 2), (20, 3), (40, 4)] {
        desk.world.wait(Duration::from_secs(pause));
        assert_eq!(mails(&desk).len(), tries, "after {pause} s more");
    }
    desk.shelf().takes = |_| Some(Ok(()));
    desk.world.wait(Duration::from_secs(80));
    assert_eq!(mails(&desk).len(), 5);
    assert!(desk.log().contains("the mail server takes messages again"), "{}", desk.log());
    assert!(!desk.ask(console, "status director").concat().contains("Undelivered"), "it is delivered");
}

#[test]
fn what_is_refused_for_good_or_tried_for_too_long_is_lost_and_that_is_loud() {
    let refuse: fn(&Delivery) -> Option<Result<(), Undelivered>> =
        |_| Some(Err(Undelivered::Refused("550 no such user".to_owned())));
    let away: fn(&Delivery) -> Option<Result<(), Undelivered>> =
        |_| Some(Err(Undelivered::Busy("451 later".to_owned())));
    for (takes, pause, least) in [(refuse, 0, 1), (away, 4_000, 10)] {
        let mut desk = open(&json!([{ "kind": "mail", "to": ["root@x"] }]));
        desk.shelf().takes = takes;
        run(&mut desk, b'T');
        desk.world.wait(Duration::from_secs(pause));
        let tries = mails(&desk).len();
        assert!((least..30).contains(&tries), "{tries}");
        desk.world.wait(Duration::from_secs(4_000));
        assert_eq!(mails(&desk).len(), tries, "it is not tried any more");
        let lost = |notice: &Notice| {
            matches!(notice, Notice::Log { level: Level::Error, cause: Some((_, code)), text }
            if code.0 == 961 && text.contains("a message for the mail server is lost: "))
        };
        assert_eq!(desk.world.notices.iter().filter(|notice| lost(notice)).count(), 1, "{}", desk.log());
        let console = desk.console();
        let shown = desk.ask(console, "status director").concat();
        assert!(shown.contains("  the mail server: 0 waiting, 1 lost; "), "{shown}");
    }
}

#[test]
fn of_mails_for_a_server_that_stands_still_so_many_wait_and_the_rest_is_counted() {
    let mut desk = open(&json!([{ "kind": "operator", "to": ["op@x"], "types": ["alert"] }]));
    desk.shelf().takes = |_| None;
    let (_, _, fd) = desk.lead(9);
    for number in 0..1_004 {
        desk.world.say(fd, &format!("text Jmsg Job=J type=15 level=1795438893 bareos-fd JobId 1: line {number}\\n"));
    }
    let console = desk.console();
    let shown = desk.ask(console, "status director").concat();
    assert!(
        shown.contains("Undelivered Messages:\\n  the mail server: 1001 waiting, 3 lost; it is too slow\\n"),
        "{shown}"
    );
    assert!(desk.log().contains("a message for the mail server is lost: too many wait"), "{}", desk.log());
    assert_eq!(desk.status(1), 'R', "the job goes on");
}

#[test]
fn a_director_that_is_to_end_waits_ten_seconds_for_its_messages() {
    let mut desk = open(&json!([{ "kind": "mail", "to": ["root@x"] }]));
    desk.shelf().takes = |_| None;
    run(&mut desk, b'T');
    stop(&mut desk);
    desk.world.wait(Duration::from_secs(9));
    assert_eq!(desk.world.exit, None, "the server may still take it");
    desk.world.wait(Duration::from_secs(2));
    assert_eq!(desk.world.exit, Some(ExitReason::Done));
    assert!(desk.log().contains("a message for the mail server is lost: the director stops"), "{}", desk.log());

    let mut desk = open(&json!([{ "kind": "mail", "to": ["root@x"] }]));
    desk.shelf().takes = |_| Some(Err(Undelivered::TooSlow(30)));
    run(&mut desk, b'T');
    desk.shelf().takes = |_| Some(Ok(()));
    stop(&mut desk);
    assert_eq!((mails(&desk).len(), desk.world.exit.clone()), (2, Some(ExitReason::Done)), "one more try at once");
}

#[test]
fn the_directors_own_warnings_go_where_it_says_and_those_about_messages_nowhere() {
    let mut desk = open(&json!([
        { "kind": "append", "to": ["/none/log"], "types": ["error", "warning"] },
        { "kind": "mail", "to": ["root@x"], "types": ["error", "warning"] },
        { "kind": "mail", "to": ["good@x"], "types": ["error", "warning"], "when": "on_success" },
        { "kind": "mail", "to": ["bad@x"], "types": ["error", "warning"], "when": "on_error" },
    ]));
    desk.shelf().notes = || DiskDone::Failed { error: DiskError::Missing("/none/log".to_owned()), buffer: Vec::new() };
    desk.shelf().files = Err(vec!["there is no such file".to_owned()]);
    desk.world.event(Event::ReloadRequested);
    desk.world.wait(Duration::from_secs(61));
    let noted = desk.shelf().noted.clone();
    let own = |text: &str| text.contains("bareos-dir: Warning: ") || text.contains("bareos-dir: Error: ");
    assert!(!noted.is_empty() && noted.iter().all(|(_, text)| own(text)), "{noted:?}");
    assert!(desk.log().contains("file /none/log does not take a message"), "{}", desk.log());
    let all: String = noted.into_iter().map(|(_, text)| text).collect();
    assert!(!all.contains("does not take"), "{all}");
    let mails = mails(&desk);
    let to: Vec<&str> = mails.iter().map(|mail| mail.to[0].as_str()).collect();
    assert_eq!(to, ["root@x", "bad@x"], "what is wrong with a director is no good end");
    assert_eq!(mails[0].subject, "Towline: messages of director bareos-dir");
    assert!(mails[0].body.contains("Error: ") && !mails[0].body.contains("does not take"), "{}", mails[0].body);
}

#[test]
fn without_any_setting_the_end_of_a_job_is_printed_and_one_that_failed_is_loud() {
    for (status, level, code) in [(b'T', Level::Info, None), (b'f', Level::Error, Some(950)), (b'A', Level::Info, None)]
    {
        let mut desk = Desk::open();
        let (_, sd, fd) = desk.lead(9);
        if status == b'f' {
            desk.world.say(fd, "text Jmsg Job=J type=3 level=1795438893 bareos-fd JobId 1: Fatal error: no room\\n");
        }
        desk.world.say(fd, &file_end(status, 0));
        desk.world.say(sd, &storage_end(status, 0));
        let out = printed(&desk);
        let begins = format!("23-Nov-2026 13:01:33 bareos-dir: JobId 1 backup-tiny: Backup {} (", char::from(status));
        assert!(
            out.lines().filter(|line| line.contains("JobId 1 ")).count() == 1 && out.contains(&begins[20..]),
            "{out}"
        );
        let is_it = |notice: &&Notice| {
            matches!(notice, Notice::Log { level: of, cause, text }
            if *of == level && cause.map(|(_, code)| code.0) == code && text.contains("JobId 1 backup-tiny: Backup"))
        };
        assert_eq!(desk.world.notices.iter().filter(is_it).count(), 1, "{}", desk.log());
        let console = desk.console();
        let shown = desk.ask(console, "status director").concat();
        assert_eq!(shown.contains("Failed Jobs:"), status == b'f', "{shown}");
        if status == b'f' {
            let reason = "bareos-fd JobId 1: Fatal error: no room";
            assert!(out.contains(&format!("(Fatal Error), 6 files, 1,043 bytes: {reason}\n")), "{out}");
            assert!(
                shown.contains("  JobId 1 backup-tiny f 23-Nov-26 13:01: bareos-fd JobId 1: Fatal error: no room\\n"),
                "{shown}"
            );
        }
    }
}

#[test]
fn a_command_that_does_not_send_a_mail_is_told_with_its_last_words() {
    use towline_core::work::script::{ScriptDone, ScriptEnd, ScriptOutcome};
    let mut desk = open(&json!([{ "kind": "mail", "to": ["root@x"], "command": "/usr/bin/send %r" }]));
    desk.shelf().ends = |_| {
        let end = ScriptEnd { lines: vec!["no route".to_owned()], left_out: 0, outcome: ScriptOutcome::Exited(75) };
        Some(WorkDone::Script(ScriptDone::Ended(end)))
    };
    run(&mut desk, b'T');
    let expected = "command /usr/bin/send does not take a message: the command has not sent it: it ended with status 75, and said: \
                    no route";
    assert!(desk.log().contains(expected), "{}", desk.log());
    desk.world.wait(Duration::from_secs(10));
    assert_eq!(desk.shelf().ran.len(), 2);
}
