//! What consoles may say, and what they are told.

use towline_core::catalog::CatalogRequest;

use super::desk::{Desk, FILE_PORT, STORAGE_PORT, errand};
use super::jobs::{file_end, storage_end};

#[test]
fn an_empty_line_is_answered_with_nothing_and_an_unknown_word_with_a_hint() {
    let mut desk = Desk::open();
    let console = desk.console();
    assert_eq!(desk.ask(console, ""), ["signal -1"]);
    let answer = desk.ask(console, "frobnicate");
    assert_eq!(answer, ["text frobnicate: is an invalid command. Type help for a list of commands.\\n", "signal -1"]);
}

#[test]
fn commands_may_be_abbreviated() {
    let mut desk = Desk::open();
    let console = desk.console();
    for (short, begin) in
        [("ver", "text bareos-dir Version: "), ("mes", "text You have no messages."), ("l jobs", "text No results")]
    {
        let answer = desk.ask(console, short);
        assert!(answer[0].starts_with(begin), "{short}: {answer:?}");
    }
    assert_eq!(desk.ask(console, "q"), ["fin"]);
}

#[test]
fn a_named_console_has_the_commands_of_its_list_and_no_others() {
    let mut desk = Desk::open();
    let reader = desk.come_in("reader", "reader-secret");
    assert_eq!(desk.ask(reader, "list jobs"), ["text No results to list.\\n", "signal -1"]);
    for command in ["run job=backup-tiny yes", "r job=backup-tiny yes", "cancel jobid=1", "messages"] {
        let answer = desk.ask(reader, command);
        assert!(
            answer[0].ends_with(": is an invalid command or you have no access to it.\\n"),
            "{command}: {answer:?}"
        );
    }
    let admin = desk.come_in("admin", "admin-secret");
    assert!(desk.ask(admin, "cancel jobid=1")[0].contains("no access"), "all but cancel");
    assert!(desk.ask(admin, "run job=backup-tiny yes")[1].starts_with("text Job queued."));
    assert!(!desk.ask(reader, "list jobs").concat().contains("You have messages."), "which it may not read");
}

#[test]
fn a_name_with_blanks_stands_in_quotes() {
    let mut desk = Desk::open();
    let console = desk.console();
    let answer = desk.ask(console, "run job=\"backup tiny\" yes");
    assert_eq!(
        answer,
        ["text Name a job: run job=NAME. Do you mean \"backup-tiny\"? There are: backup-tiny, restore\\n", "signal -1"]
    );
    assert!(desk.ask(console, "run job=\"backup-tiny\" yes")[1].starts_with("text Job queued."));
}

#[test]
fn a_question_is_asked_at_a_sub_prompt_until_it_is_answered() {
    let mut desk = Desk::open();
    let console = desk.console();
    let question = desk.ask(console, "run job=backup-tiny");
    assert_eq!(question.last().map(String::as_str), Some("signal -27"));
    assert_eq!(
        desk.ask(console, "perhaps"),
        ["text Illegal response perhaps\\n", "text OK to run? (yes/mod/no): ", "signal -27"]
    );
    desk.world.say(console, "signal -5");
    assert!(desk.world.heard(console).is_empty(), "signals at a question count for nothing");
    assert_eq!(desk.ask(console, "."), ["text Job not run.\\n", "signal -1"]);
    assert_eq!(desk.ask(console, "."), ["signal -1"], "said once more, it is nothing");
    desk.ask(console, "run job=backup-tiny");
    assert_eq!(desk.ask(console, "yes"), ["text Job queued. JobId=1\\n", "signal -1"]);
}

#[test]
fn a_signal_that_is_not_expected_is_answered_with_a_poll() {
    let mut desk = Desk::open();
    let console = desk.console();
    desk.world.say(console, "signal -2");
    assert_eq!(desk.world.heard(console), ["signal -5"]);
    desk.world.say(console, "signal -4");
    assert_eq!(desk.world.heard(console), ["fin"]);
}

#[test]
fn the_longest_command_is_served_and_one_byte_more_ends_the_connection() {
    let mut desk = Desk::open();
    let console = desk.console();
    assert!(desk.ask(console, &"x".repeat(64 * 1024)).concat().contains("is an invalid command"));
    assert_eq!(desk.ask(console, &"x".repeat(64 * 1024 + 1)), ["fin"]);
}

#[test]
fn a_hundred_lines_may_wait_for_a_command_and_one_more_ends_the_connection() {
    let mut desk = Desk::open();
    desk.backup();
    let console = desk.console();
    desk.ask(console, "wait");
    for _ in 0..100 {
        assert!(desk.ask(console, "version").is_empty());
    }
    assert_eq!(desk.ask(console, "version"), ["fin"]);
}

#[test]
fn a_console_is_told_once_of_messages_and_shown_each_once() {
    let mut desk = Desk::open();
    let (one, sd, fd) = desk.backup();
    assert!(desk.ask(one, "").contains(&"text You have messages.\\n".to_owned()));
    assert_eq!(desk.ask(one, ""), ["signal -1"], "told already");
    assert!(desk.ask(one, "messages")[0].contains("Start Backup JobId 1"));
    assert_eq!(desk.ask(one, "messages"), ["text You have no messages.\\n", "signal -1"]);
    desk.world.say(fd, "text 2000 OK backup\\n");
    desk.world.say(fd, &file_end(b'T', 0));
    desk.world.say(sd, &storage_end(b'T', 0));
    let two = desk.console();
    let shown = desk.ask(two, "messages").concat();
    assert!(shown.contains("Backup OK") && !shown.contains("Start Backup"), "what nobody has seen: {shown}");
    assert!(desk.ask(one, "messages").concat().contains("Backup OK"), "it has not been shown to this one");
}

#[test]
fn a_status_of_a_daemon_out_of_reach_ends_with_the_reason() {
    let mut desk = Desk::open();
    let console = desk.console();
    for (command, begins, words) in [
        (
            "status client=bareos-fd",
            "text Connecting to Client bareos-fd at 127.0.0.1:42002\\n",
            "file daemon: cannot connect to 127.0.0.1:42002: connection refused",
        ),
        (
            "status storage=File1",
            "text Connecting to Storage daemon File1 at 127.0.0.1:42003\\n",
            "storage daemon: cannot connect to 127.0.0.1:42003: connection refused",
        ),
    ] {
        assert_eq!(desk.ask(console, command), [begins]);
        desk.world.wait(std::time::Duration::from_secs(16));
        let heard = desk.world.heard(console);
        assert!(heard[0].contains(words) && heard[1] == "signal -1", "{heard:?}");
    }
    assert_eq!(desk.ask(console, "status client=x")[0], "text There is no file daemon \"x\".\\n");
    assert!(desk.ask(console, "status client")[0].starts_with("text Name the daemon:"));
}

#[test]
fn a_daemon_that_does_not_answer_an_errand_is_given_up_after_a_minute() {
    let mut desk = Desk::open();
    let console = desk.console();
    desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
    desk.ask(console, "status client=bareos-fd");
    desk.world.wait(std::time::Duration::from_secs(59));
    assert!(desk.world.heard(console).is_empty());
    desk.world.wait(std::time::Duration::from_secs(2));
    let heard = desk.world.heard(console);
    assert_eq!(heard, ["text The file daemon has not answered within 60 s.\\n", "signal -1"]);
}

#[test]
fn a_list_of_files_comes_page_by_page() {
    let mut desk = Desk::open();
    let (console, sd, fd) = desk.backup();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    for index in 1..=2_001_u32 {
        let record = format!("{index} 3 /f/{index}\0P4A A A\0\0\0");
        let mut row = b"UpdCat Job=J FileAttributes \0\0\0\x01\0\0\0\x01".to_vec();
        row.extend(index.to_be_bytes());
        row.extend(1_u32.to_be_bytes());
        row.extend((record.len() as u32).to_be_bytes());
        row.extend(record.as_bytes());
        desk.world.say(sd, &format!("binary {}", hex(&row)));
    }
    desk.world.say(fd, "text 2000 OK backup\\n");
    desk.world.say(fd, &file_end(b'T', 0).replace("JobFiles=6", "JobFiles=2001"));
    desk.world.say(sd, &storage_end(b'T', 0).replace("JobFiles=6", "JobFiles=2001"));
    let listed = desk.ask(console, "list files jobid=1").concat();
    assert!(listed.starts_with("text  /f/1\\n /f/2\\n") && listed.contains(" /f/2001\\n"), "{}", &listed[..200]);
    let pages = desk.shelf().asked.iter().filter(|request| matches!(request, CatalogRequest::ListFiles { .. })).count();
    assert_eq!(pages, 3);
}

#[test]
fn a_restore_says_what_is_missing() {
    let mut desk = Desk::open();
    let console = desk.console();
    for (command, words) in [
        ("restore client=bareos-fd all done yes", "there is no good full backup to restore from"),
        ("restore client=x all done yes", "There is no client \"x\"."),
        ("restore client=bareos-fd done yes", "Say what to restore: "),
        ("restore client=bareos-fd all yes", "there is no good full backup to restore from"),
        ("restore client=bareos-fd all file=/etc done yes", "Say what to restore: "),
        (
            "restore client=bareos-fd file=etc/passwd done yes",
            "file=etc/passwd: give the whole path, beginning with /.",
        ),
        (
            "restore client=bareos-fd all where=tmp/x done yes",
            "where=tmp/x is not an absolute path: begin it with / (T0553)",
        ),
        (
            "restore client=bareos-fd all regexwhere=/home done yes",
            "regexwhere=/home: expected !search!replacement!, as in !/home/!/tmp/home/!",
        ),
        ("restore client=bareos-fd all where=/tmp add_prefix=/x done yes", "use where or add_prefix, not both."),
        ("restore client=bareos-fd all before=soon done yes", "before=soon: expected a date such as"),
        ("restore client=bareos-fd all at=soon done yes", "at=soon: expected a date such as"),
        ("restore client=bareos-fd all at=today before=today done yes", "use at or before, not both."),
        ("restore client=bareos-fd all done replace=maybe yes", "expected always, ifnewer, ifolder or never"),
        ("restore client=bareos-fd all done jobid=x yes", "jobid= needs a number"),
        ("restore client=bareos-fd all done wither=x yes", "does not know the word \"wither\""),
        ("restore restorejob=backup-tiny all done yes", "no such restore job"),
    ] {
        let answer = desk.ask(console, command);
        assert!(answer.concat().contains(words), "{command}: {answer:?}");
        assert_eq!(answer.last().map(String::as_str), Some("signal -1"), "{command}");
    }
}

#[test]
fn a_console_that_leaves_while_it_waits_is_forgotten() {
    let mut desk = Desk::open();
    let (console, sd, fd) = desk.backup();
    desk.ask(console, "wait");
    desk.world.cut(console);
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    desk.world.say(fd, "text 2000 OK backup\\n");
    desk.world.say(fd, &file_end(b'T', 0));
    desk.world.say(sd, &storage_end(b'T', 0));
    assert_eq!(desk.status(1), 'T');
}

#[test]
fn status_network_shows_a_recorded_console_and_the_catalog() {
    let mut desk = Desk::open();
    let console = desk.console();
    let answer = desk.ask(console, "status network").concat();
    assert!(answer.contains("Connections: 2") && answer.contains("R_CONSOLE::*UserAgent*"), "{answer}");
    assert!(answer.contains("2   R_CONSOLE") && answer.contains("12  catalog: SQLite"), "{answer}");
}

#[test]
fn a_line_with_a_word_too_many_does_nothing() {
    let mut desk = Desk::open();
    let (console, ..) = desk.backup();
    for (line, words) in [
        ("cancel jobid=1 now", "cancel does not know the word \"now\"."),
        ("cancel jobdi=1", "Do you mean \"jobid\"?"),
        ("run job=backup-tiny yes lvel=full", "Do you mean \"level\"?"),
        ("run job=backup-tiny accurate=maybe yes", "accurate=maybe: expected yes or no."),
        ("run job=backup-tiny client=bareos-df yes", "There is no client \"bareos-df\". Do you mean \"bareos-fd\"?"),
        ("status storage=Flie1", "There is no storage daemon \"Flie1\". Do you mean \"File1\"?"),
        ("list jobs lsat", "Do you mean \"last\"?"),
        ("status director days=soon", "days=soon: expected a number."),
        ("wait jobid=one", "jobid=one: expected a number."),
        ("messages all", "messages does not know the word \"all\"."),
        ("lsit jobs", "lsit: is an invalid command. Do you mean \"list\"?"),
        ("help lsit", "There is no command \"lsit\". Do you mean \"list\"?"),
    ] {
        let answer = desk.ask(console, line).concat();
        assert!(answer.contains(words) && answer.ends_with("signal -1"), "{line}: {answer}");
    }
    assert!(desk.ask(console, "list jobs").concat().contains("| R "), "the job runs on, and no other was ordered");
    assert_eq!(desk.shelf().catalog.job_row(2), None);
    assert!(desk.ask(console, "help wait")[0].starts_with("text   wait [jobid=N|job=UNIQUE]\\n"));
}

#[test]
fn a_job_that_the_catalog_does_not_have_is_an_error() {
    let mut desk = Desk::open();
    let console = desk.console();
    for line in ["list files jobid=9", "list joblog jobid=9", "wait jobid=9", "wait job=x.y"] {
        let answer = desk.ask(console, line);
        assert!(answer[0].starts_with("text The catalog has no job \""), "{line}: {answer:?}");
    }
    for line in ["list jobs client=nobody", "list jobs jobid=9", "list jobid=9"] {
        assert_eq!(desk.ask(console, line), ["text No results to list.\\n", "signal -1"], "{line}");
    }
}

#[test]
fn a_list_of_jobs_can_be_narrowed_and_cut() {
    let mut desk = Desk::open();
    let console = desk.console();
    for _ in 0..3 {
        desk.ask(console, "run job=backup-tiny yes");
        desk.world.wait(std::time::Duration::from_secs(300));
        desk.world.heard(console);
    }
    let mut listed = |line: &str| {
        let text = desk.ask(console, line).concat();
        (1..=3).filter(|id| text.contains(&format!("|     {id} |"))).collect::<Vec<u32>>()
    };
    for (line, wanted) in [
        ("list jobs", &[1, 2, 3][..]),
        ("list jobs last", &[3]),
        ("list jobs limit=2", &[1, 2]),
        ("list jobs limit=2 offset=1", &[2, 3]),
        ("list jobs limit=2 order=desc", &[2, 3]),
        ("list jobs jobstatus=T", &[]),
        ("list jobs jobstatus=T,f jobtype=B joblevel=F days=1", &[1, 2, 3]),
        ("list jobs jobtype=R", &[]),
        ("list jobs hours=0", &[]),
    ] {
        assert_eq!(listed(line), wanted, "{line}");
    }
}

#[test]
fn a_console_that_waits_hears_how_the_jobs_ended() {
    let mut desk = Desk::open();
    let (_, sd, fd) = desk.backup();
    let (console, two, stock) = (desk.towline_console(), desk.console(), desk.console());
    assert!(desk.ask(console, "wait").is_empty());
    assert!(desk.ask(two, "wait jobid=1").is_empty());
    assert!(desk.ask(stock, "wait").is_empty());
    desk.world.say(fd, "text 2000 OK backup\\n");
    desk.world.say(fd, &file_end(b'T', 1));
    desk.world.say(sd, &storage_end(b'T', 0));
    let end = "text JobId=1\\nJobStatus=OK with warnings (W)\\n";
    assert_eq!(desk.world.heard(console)[0], end);
    assert_eq!(desk.world.heard(two)[0], end);
    assert!(!desk.world.heard(stock).concat().contains("JobStatus"), "a stock director says nothing here");
    // Of a job that has ended the catalog tells; what a console has been told of its jobs it is not told again.
    assert_eq!(desk.ask(two, "wait jobid=1")[0], end);
    assert_eq!(desk.ask(console, "wait").last().map(String::as_str), Some("signal -1"));
    assert!(!desk.ask(console, "wait").concat().contains("JobStatus"));
}

#[test]
fn a_job_that_ended_before_the_wait_is_told_of_too() {
    let mut desk = Desk::open();
    let console = desk.towline_console();
    desk.ask(console, "run job=backup-tiny yes");
    desk.world.wait(std::time::Duration::from_secs(45));
    assert_eq!(desk.status(1), 'f');
    desk.world.heard(console);
    assert_eq!(desk.ask(console, "wait")[0], "text JobId=1\\nJobStatus=Error (f)\\n");
}

#[test]
fn only_a_console_of_towline_is_told_of_a_failure_by_a_signal_in_text_mode() {
    let mut desk = Desk::open();
    let (stock, ours) = (desk.console(), desk.towline_console());
    for line in ["frobnicate", "run job=x yes", "cancel jobid=9", "wait jobid=9"] {
        let (told, signalled) = (desk.ask(stock, line), desk.ask(ours, line));
        assert_eq!(told[told.len() - 1..], ["signal -1"], "{line}");
        assert_eq!(signalled[signalled.len() - 2..], ["signal -14", "signal -1"], "{line}");
    }
    assert_eq!(desk.ask(ours, "list jobs"), ["text No results to list.\\n", "signal -1"]);
}

/// Leads a backup that saves files of these names to its end. Returns the console and the file daemon.
fn save(desk: &mut Desk, names: &[&[u8]], message: &str) -> usize {
    let (console, sd, fd) = desk.backup();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    for (index, name) in (1_u32..).zip(names) {
        let record = [format!("{index} 3 ").as_bytes(), name, b"\0P4A A A\0\0\0"].concat();
        let mut row = b"UpdCat Job=J FileAttributes \0\0\0\x01\0\0\0\x01".to_vec();
        row.extend(index.to_be_bytes());
        row.extend(1_u32.to_be_bytes());
        row.extend((record.len() as u32).to_be_bytes());
        row.extend(record);
        desk.world.say(sd, &format!("binary {}", hex(&row)));
    }
    desk.world.say(fd, &format!("text Jmsg Job=J type=6 level=1795438891 {message}"));
    desk.world.say(fd, "text 2000 OK backup\\n");
    desk.world.say(fd, &file_end(b'T', 0));
    desk.world.say(sd, &storage_end(b'T', 0));
    console
}

#[test]
fn a_name_is_restored_as_it_is_listed_whatever_bytes_it_has() {
    let mut desk = Desk::open();
    let names: [&[u8]; 4] = [b"/f/\xff\x1b[2J", b"/f/a\nb", br"/f/c\x41", "/f/\u{202e}txt".as_bytes()];
    let console = save(&mut desk, &names, "fd JobId 1: all well\\n");
    let listed = desk.ask(console, "list files jobid=1").concat();
    let shown = names.map(towline_core::printable::name);
    for name in &shown {
        // The transcript writes a backslash as two.
        assert!(listed.contains(&format!(" {}\\n", name.replace('\\', "\\\\"))), "{name}: {listed}");
    }
    for (name, bytes) in shown.iter().zip(names) {
        desk.ask(console, &format!("restore client=bareos-fd file={} done yes", name.replace('\\', "\\\\")));
        let asked = desk.shelf();
        let only = asked.asked.iter().rev().find_map(|request| match request {
            CatalogRequest::FilesForRestore { only, .. } => only.first().cloned(),
            _ => None,
        });
        assert_eq!(only.as_deref(), Some(bytes), "{name}");
    }
    desk.ask(console, ".api 2 compact=yes");
    let document = desk.ask(console, "list files jobid=1").concat();
    assert!(document.contains("xff") && !document.contains("u001b") && !document.contains("u202e"), "{document}");
}

#[test]
fn what_a_client_says_reaches_no_console_log_or_catalog_unescaped() {
    let mut desk = Desk::open();
    let console = save(&mut desk, &[], "fd JobId 1: \\x1b[2J\\n29-Nov 05:24 dir JobId 1: Backup OK\\x07\\n");
    let report = desk.report(1);
    assert!(report.contains(r"\x1b[2J") && !report.contains('\u{1b}') && !report.contains('\u{7}'), "{report}");
    assert!(report.contains("\n    29-Nov 05:24 dir JobId 1: Backup OK"), "no line passes for another's: {report}");
    for line in ["messages", "list joblog jobid=1"] {
        let shown = desk.ask(console, line).concat();
        assert!(shown.contains("x1b[2J") && shown.contains("\\n    29-Nov"), "{line}: {shown}");
        // A control character would stand in the transcript as one backslash with its number.
        assert!(!shown.replace("\\\\", "").contains("\\x"), "{line}: {shown}");
    }
}

#[test]
fn all_daemons_are_told_what_to_log_and_one_that_is_away_holds_up_nobody() {
    let mut config = super::desk::config();
    let mut away = config["clients"][0].clone();
    (away["name"], away["port"]) = (serde_json::json!("away-fd"), serde_json::json!(42_099));
    config["clients"].as_array_mut().expect("a list").insert(0, away);
    let mut desk = Desk::with(config, towline_core::catalog::memory::MemoryCatalog::default());
    let console = desk.console();
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
    desk.ask(console, "setdebug level=50 trace=0 all");
    let (sd, fd) = (console + 1, console + 2);
    assert!(desk.world.heard(sd).iter().any(|line| line.starts_with("text setdebug=50 ")));
    desk.world.say(sd, "text 3000 OK setdebug=50 trace=0 tracefile=/x\\n");
    // Nobody listens where the first client is.
    desk.world.wait(std::time::Duration::from_secs(20));
    assert!(desk.world.heard(fd).iter().any(|line| line.starts_with("text setdebug=50 ")));
    desk.world.say(fd, "text 2000 OK setdebug=50 trace=0 hangup=0 timestamp=0 tracefile=/x\\n");
    let heard = desk.world.heard(console);
    let text = heard.concat();
    assert!(text.contains("Connecting to Client away-fd at ") && text.contains("connection refused"), "{heard:?}");
    assert!(text.contains("tracefile=./bareos-dir.trace"), "{heard:?}");
    assert_eq!(heard.last().map(String::as_str), Some("signal -1"));
}
