//! Lists of paths on the director that a fileset names: read before anybody is dialled, and sent as paths.

use serde_json::json;
use towline_core::catalog::memory::MemoryCatalog;
use towline_core::work::WorkDone;
use towline_core::work::script::{GatherOrder, PathList, ScriptDone, ScriptOutcome, Ungathered};

use super::desk::{Desk, FILE_PORT, config, errand};

fn held(lists: &[&[&str]]) -> WorkDone {
    let lists = lists.iter().map(|list| list.iter().map(|path| path.as_bytes().to_vec()).collect());
    WorkDone::Script(ScriptDone::Gathered(Ok(lists.collect())))
}

fn desk(answer: fn(&GatherOrder) -> Option<WorkDone>) -> Desk {
    let mut config = config();
    let set = &mut config["filesets"][0];
    set["include"][0]["files"] = json!(["/home", "<on/client"]);
    set["include"][0]["director_lists"] = json!(["|/list '%n of %c' %f", "</etc/paths"]);
    set["exclude"] = json!({ "director_lists": ["</etc/paths"] });
    let desk = Desk::with(config, MemoryCatalog::default());
    desk.shelf().held = answer;
    desk
}

#[test]
fn what_lists_on_the_director_hold_is_sent_as_paths() {
    let mut desk = desk(|_| Some(held(&[&["/a//b/", "<c"], &["/d"]])));
    let (_, _, fd) = desk.lead(5);
    let order = desk.shelf().lists[0].clone();
    let words = ["/list", "backup-tiny of bareos-fd", "Tiny"].map(str::to_owned).to_vec();
    assert_eq!(order.lists, [PathList::Command(words), PathList::File("/etc/paths".to_owned())], "each once");
    assert_eq!((order.limit, desk.shelf().lists.len()), (Some(3_600), 1));
    let heard = desk.world.heard(fd).concat();
    let set = heard.split("text fileset").nth(1).unwrap_or_default().to_owned();
    for text in [
        "text F /hometext F <on/clienttext F /a/btext F <ctext F /dtext N\\n",
        "text E\\ntext O \\ntext N\\ntext F /dtext",
    ] {
        assert!(set.contains(text), "{text}: {set}");
    }
}

#[test]
fn nobody_is_dialled_while_lists_are_read_and_a_list_that_cannot_be_read_fails_the_job() {
    let mut desk = desk(|_| None);
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny yes");
    let status = desk.ask(console, "status director").concat();
    assert!(status.contains("reading the lists of the fileset"), "{status}");
    let why = Ungathered { list: 1, why: "no such file".to_owned() };
    desk.world.answer(WorkDone::Script(ScriptDone::Gathered(Err(why))));
    assert_eq!(desk.status(1), 'f');
    let report = desk.report(1);
    let text = "the list of paths \"</etc/paths\" on the director cannot be read: no such file (T0678)";
    assert!(report.contains(text) && !report.contains("Connected"), "{report}");
}

#[test]
fn a_cancelled_job_ends_the_command_that_writes_its_list() {
    let mut desk = desk(|_| None);
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny yes");
    desk.ask(console, "cancel jobid=1");
    assert_eq!((desk.status(1), desk.shelf().stopped), ('A', 1));
    // What it says at its end is nobody's.
    let why = Ungathered { list: 0, why: format!("{:?}", ScriptOutcome::Stopped) };
    desk.world.answer(WorkDone::Script(ScriptDone::Gathered(Err(why))));
    assert_eq!(desk.status(1), 'A');
}

#[test]
fn a_console_that_goes_ends_the_command_that_writes_the_list_of_its_estimate() {
    for farewell in ["signal -4", ""] {
        let mut desk = desk(|_| None);
        let console = desk.console();
        desk.ask(console, "estimate job=backup-tiny listing");
        let before = desk.shelf().stopped;
        assert_eq!((before, desk.shelf().lists.len()), (0, 1));
        match farewell {
            "" => desk.world.cut(console),
            farewell => desk.world.say(console, farewell),
        }
        assert_eq!(desk.shelf().stopped, 1, "{farewell}");
    }
}

#[test]
fn an_estimate_has_the_lists_read_too() {
    let mut desk = desk(|_| Some(held(&[&["/a"], &["/d"]])));
    desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
    let console = desk.console();
    desk.ask(console, "estimate job=backup-tiny");
    let fd = console + 1;
    for answer in ["2000 OK Job 26.0.0 (21Aug26) Debian GNU/Linux,debian", "2000 OK level\\n"] {
        desk.world.say(fd, &format!("text {answer}"));
    }
    let heard = desk.world.heard(fd).concat();
    assert!(heard.contains("text F /hometext F <on/clienttext F /atext F /dtext"), "{heard}");

    desk.shelf().held = |_| {
        let why = Ungathered { list: 0, why: "it returned status 1".to_owned() };
        Some(WorkDone::Script(ScriptDone::Gathered(Err(why))))
    };
    let console = desk.console();
    let answer = desk.ask(console, "estimate job=backup-tiny").concat();
    assert!(answer.contains("the list of paths \"|/list '%n of %c' %f\" on the director cannot be read"), "{answer}");
}
