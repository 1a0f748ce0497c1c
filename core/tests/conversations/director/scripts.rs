//! Commands of jobs: those on the director run before and after its dialogue, those on the client are sent to it.

use serde_json::{Value, json};
use towline_core::catalog::memory::MemoryCatalog;
use towline_core::limits;
use towline_core::work::WorkDone;
use towline_core::work::script::{ScriptDone, ScriptEnd, ScriptOrder, ScriptOutcome};

use super::desk::{Desk, config};
use super::jobs::{file_end, storage_end};

fn ended(outcome: ScriptOutcome) -> WorkDone {
    WorkDone::Script(ScriptDone::Ended(ScriptEnd { lines: vec!["one".to_owned()], left_out: 2, outcome }))
}

/// Ends well at once; but one called `/long` only when it is told, and `/bad` with a status.
fn usual(order: &ScriptOrder) -> Option<WorkDone> {
    match order.words[0].as_str() {
        "/long" => None,
        "/bad" => Some(ended(ScriptOutcome::Exited(3))),
        _ => Some(ended(ScriptOutcome::Exited(0))),
    }
}

fn desk(scripts: Value) -> Desk {
    let mut config = config();
    config["jobs"][0]["run_scripts"] = scripts;
    let desk = Desk::with(config, MemoryCatalog::default());
    desk.shelf().ends = usual;
    desk
}

fn local(command: &str, when: &str) -> Value {
    json!({ "command": command, "runs_when": when, "runs_on_client": false })
}

fn with(mut script: Value, field: &str, value: bool) -> Value {
    script[field] = json!(value);
    script
}

fn ran(desk: &Desk) -> Vec<String> {
    desk.shelf().ran.iter().map(|order| order.words.join(" ")).collect()
}

#[test]
fn commands_of_the_director_run_before_and_after_a_job_and_their_words_stand_in_its_report() {
    let mut desk = desk(json!([
        local("/before '%n %i' %c %f %p %w %D %l %t %h %q %%", "before"),
        local("/after %e %F %b", "after"),
        with(with(local("/failed", "after"), "runs_on_success", false), "runs_on_failure", true),
        local("/both", "always"),
    ]));
    let (_, sd, fd) = desk.lead(9);
    let before = "/before backup-tiny 1 bareos-fd Tiny Full File1 bareos-dir Full Backup 127.0.0.1 %q %";
    assert_eq!(ran(&desk), [before, "/both"]);
    assert_eq!(desk.shelf().ran[0].words[1], "backup-tiny 1", "a quoted word stays one");
    assert!(desk.shelf().ran.iter().all(|order| order.folders.is_empty() && order.limit == Some(3_600)));
    desk.world.say(fd, &file_end(b'T', 0));
    desk.world.say(sd, &storage_end(b'T', 0));
    assert_eq!(ran(&desk)[2..], ["/after OK -- with warnings 6 1043", "/both"], "lines were left out");
    assert_eq!(desk.status(1), 'W');
    let report = desk.report(1);
    for text in [
        &*format!("shell command: run BeforeJob \"{before}\"\n"),
        "BeforeJob: one\n",
        "BeforeJob: 2 more lines are left out\n",
        "shell command: run AfterJob \"/after OK -- with warnings 6 1043\"\n",
        "AfterJob: one\n",
    ] {
        assert!(report.contains(text), "{text}: {report}");
    }
}

#[test]
fn a_job_waits_for_the_command_before_it_and_fails_with_it_only_where_it_says_so() {
    for fails in [true, false] {
        let mut desk = desk(json!([
            with(local("/long", "before"), "fail_job_on_error", fails),
            with(with(local("/cleanup %e", "after"), "runs_on_success", false), "runs_on_failure", true),
        ]));
        let console = desk.console();
        desk.ask(console, "run job=backup-tiny yes");
        let status = desk.ask(console, "status director").concat();
        assert!(status.contains("running the director's commands before the job"), "{status}");
        desk.world.answer(ended(ScriptOutcome::Exited(3)));
        let report = desk.report(1);
        let why = "Error: Runscript: BeforeJob returned non-zero status=3 (T0724); read what it has written";
        assert!(report.contains(why), "{report}");
        if fails {
            assert_eq!(desk.status(1), 'E');
            assert_eq!(ran(&desk), ["/long", "/cleanup Error"]);
        } else {
            let status = desk.ask(console, "status director").concat();
            assert!(status.contains("connecting to the storage daemon"), "{status}");
        }
    }
}

#[test]
fn a_command_after_a_good_job_costs_it_its_success_only_where_it_says_so() {
    for (fails, expected) in [(true, 'E'), (false, 'W')] {
        let mut desk = desk(json!([with(local("/bad", "after"), "fail_job_on_error", fails)]));
        let (_, sd, fd) = desk.lead(9);
        desk.world.say(fd, &file_end(b'T', 0));
        desk.world.say(sd, &storage_end(b'T', 0));
        assert_eq!(desk.status(1), expected);
    }
}

#[test]
fn a_cancelled_job_ends_its_command_before_it_or_after_it() {
    for when in ["before", "after"] {
        let mut desk = desk(json!([local("/long", when), local("/good", "after")]));
        let console = if when == "before" {
            let console = desk.console();
            desk.ask(console, "run job=backup-tiny yes");
            console
        } else {
            let (console, sd, fd) = desk.lead(9);
            desk.world.say(fd, &file_end(b'T', 0));
            desk.world.say(sd, &storage_end(b'T', 0));
            console
        };
        assert_eq!((ran(&desk), desk.status(1)), (vec!["/long".to_owned()], if when == "before" { 'C' } else { 'R' }));
        let answer = desk.ask(console, "cancel jobid=1").concat();
        assert!(answer.contains("marked to be canceled"), "{answer}");
        assert_eq!(desk.shelf().stopped, 1, "{when}");
        desk.world.answer(ended(ScriptOutcome::Stopped));
        assert_eq!((ran(&desk), desk.status(1)), (vec!["/long".to_owned()], 'A'), "{when}");
    }
}

#[test]
fn a_director_that_stops_gives_commands_a_minute() {
    let mut desk = desk(json!([local("/long", "before"), with(local("/cleanup", "after"), "runs_on_failure", true),]));
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny yes");
    desk.world.event(towline_core::event::Event::StopRequested);
    desk.world.run();
    assert_eq!((ran(&desk), desk.shelf().stopped), (vec!["/long".to_owned(), "/cleanup".to_owned()], 1));
    assert_eq!(desk.shelf().ran[1].limit, Some(limits::SCRIPT_AT_STOP));
}

#[test]
fn commands_of_the_client_are_sent_to_it_one_after_the_other_and_run_before_the_data() {
    let mut desk = desk(json!([
        { "command": "/on client %i", "runs_when": "after", "fail_job_on_error": false },
        { "command": "/second", "runs_when": "always", "runs_on_success": false, "runs_on_failure": true },
        { "command": "/third", "runs_when": "after_vss" },
    ]));
    let (_, sd, fd) = desk.lead(6);
    for line in [
        r"OnSuccess=1 OnFailure=0 AbortOnError=0 When=1 Command=/on\x01client\x01%i",
        r"OnSuccess=0 OnFailure=1 AbortOnError=1 When=3 Command=/second",
        r"OnSuccess=1 OnFailure=0 AbortOnError=1 When=4 Command=/third",
    ] {
        assert_eq!(desk.world.heard(fd).last(), Some(&format!(r"text Run {line}\n")));
        desk.world.say(fd, r"text 2000 OK RunScript\n");
    }
    assert_eq!(desk.world.heard(fd), [r"text RunBeforeNow\n"]);
    assert!(desk.world.heard(sd).iter().all(|line| !line.contains("use storage")), "nothing is reserved yet");
    desk.world.say(fd, r"text 2000 OK RunBeforeNow\n");
    assert!(desk.world.heard(sd).iter().any(|line| line.contains("use storage")));
    assert_eq!(ran(&desk), [""; 0]);
}

#[test]
fn a_client_that_fails_its_commands_fails_the_job_and_one_without_any_hears_of_none() {
    let mut desk = desk(json!([{ "command": "/x", "runs_when": "before" }]));
    let (_, _, fd) = desk.lead(6);
    desk.world.say(fd, r"text 2000 OK RunScript\n");
    desk.world.say(fd, r"text 2905 Failed RunScript\n");
    assert_eq!(desk.status(1), 'f');
    let report = desk.report(1);
    assert!(report.contains("the client's commands before the job") && report.contains("2905 Failed"), "{report}");

    let mut desk = self::desk(json!([local("/x", "before")]));
    let (_, _, fd) = desk.lead(9);
    assert!(desk.world.heard(fd).iter().all(|line| !line.contains("Run")), "none is for the client");
}

fn said(line: &str, when: &str) -> Value {
    json!({ "command": line, "console": true, "runs_when": when })
}

#[test]
fn commands_of_a_console_are_done_by_the_director_and_what_they_show_stands_in_the_report() {
    let mut desk = desk(json!([
        said("whoami", "before"),
        local("/between", "before"),
        said("list jobid=%i", "before"),
        said("show client=%c", "after"),
        { "command": "/on/client", "runs_when": "after" },
    ]));
    let (_, _, fd) = desk.lead(6);
    assert_eq!(ran(&desk), ["/between"]);
    desk.world.say(fd, r"text 2000 OK RunScript\n");
    desk.world.say(fd, r"text 2000 OK RunBeforeNow\n");
    let heard = desk.world.heard(fd).concat();
    assert!(!heard.contains("whoami") && !heard.contains("list"), "{heard}");
    let report = desk.report(1);
    for text in [
        "console command: run BeforeJob \"whoami\"\n",
        "console command: run BeforeJob \"list jobid=1\"\n",
        "BeforeJob: | ",
        "shell command: run BeforeJob \"/between\"\n",
    ] {
        assert!(report.contains(text), "{text}: {report}");
    }
}

#[test]
fn a_command_of_a_console_that_is_not_done_is_an_error_and_nobody_is_asked() {
    for (line, why) in [
        ("list jbos", "list needs one of"),
        ("prune", "Say what to prune"),
        ("run job=backup-tiny yes", "run: jobs cannot have this command done (T0747)"),
        ("delete volume", "delete"),
    ] {
        for fails in [true, false] {
            let mut desk = desk(json!([with(said(line, "before"), "fail_job_on_error", fails)]));
            let console = desk.console();
            desk.ask(console, "run job=backup-tiny yes");
            let report = desk.report(1);
            assert!(report.contains("Runscript: BeforeJob: the console command was not done: "), "{line}: {report}");
            assert!(report.contains("(T0746)"), "{line}: {report}");
            assert!(report.contains(why), "{line}: {why}: {report}");
            assert_eq!(desk.status(1) == 'E', fails, "{line}");
        }
    }
}

#[test]
fn a_job_that_is_cancelled_gives_its_command_of_a_console_up() {
    let mut desk = desk(json!([said("status client=bareos-fd", "before"), local("/cleanup", "after")]));
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny yes");
    let status = desk.ask(console, "status director").concat();
    assert!(status.contains("running the director's commands before the job"), "{status}");
    assert_eq!(status.matches("Console connected").count(), 1, "{status}");
    desk.ask(console, "cancel jobid=1");
    assert_eq!((ran(&desk), desk.status(1)), (Vec::<String>::new(), 'A'));
}
