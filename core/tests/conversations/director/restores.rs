//! What is restored, from lists on the director and by the ways of the menu that come back to it.

use serde_json::json;
use towline_core::catalog::CatalogRequest;
use towline_core::catalog::memory::MemoryCatalog;
use towline_core::work::WorkDone;
use towline_core::work::script::{GatherOrder, PathList, ScriptDone, Ungathered};

use super::desk::{Desk, config};
use super::dialogues::{TINY, saved};

const HELLO: &str = "/srv/bareos-run/data/tiny/hello.txt";
const BOTH: [&str; 3] = ["/srv/bareos-run/data/tiny/sub", "/no/such/file", HELLO];

fn holds(paths: &[&str]) -> Option<WorkDone> {
    let list = paths.iter().map(|path| path.as_bytes().to_vec()).collect();
    Some(WorkDone::Script(ScriptDone::Gathered(Ok(vec![list]))))
}

fn with_list(held: fn(&GatherOrder) -> Option<WorkDone>) -> (Desk, usize) {
    let mut desk = Desk::open();
    let console = saved(&mut desk);
    desk.shelf().held = held;
    (desk, console)
}

#[test]
fn names_of_a_list_on_the_director_are_restored_and_those_that_are_not_saved_are_told() {
    let (mut desk, console) = with_list(|_| holds(&BOTH));
    let answer = desk.ask(console, "restore client=bareos-fd file=</tmp/list done").concat();
    assert_eq!(desk.shelf().lists[0].lists, [PathList::File("/tmp/list".to_owned())]);
    assert!(answer.contains("No database record found for: /no/such/file\\n"), "{answer}");
    // The folder with its file, and the file.
    assert!(answer.contains("3 files selected to be restored."), "{answer}");
    desk.ask(console, "no");
    // Beside names of the line itself.
    desk.shelf().held = |_| holds(&[HELLO]);
    let line = format!("restore client=bareos-fd file={TINY}/sub/data.bin file=</tmp/list yes");
    assert!(desk.ask(console, &line).concat().contains("2 files selected to be restored."));
    // In a list of folders a file is none.
    let answer = desk.ask(console, "restore client=bareos-fd directory=</tmp/list yes").concat();
    assert!(answer.contains(HELLO) && answer.contains("There is no file to restore."), "{answer}");
}

#[test]
fn a_list_that_is_none_restores_nothing() {
    let (mut desk, console) = with_list(|_| holds(&[HELLO, "Password = secret"]));
    let answer = desk.ask(console, "restore client=bareos-fd file=</etc/towline/director.ron yes").concat();
    assert!(answer.contains("entry 2 is no whole path") && !answer.contains("secret"), "{answer}");
    desk.shelf().held = |_| {
        let why = Ungathered { list: 0, why: "No such file".to_owned() };
        Some(WorkDone::Script(ScriptDone::Gathered(Err(why))))
    };
    let answer = desk.ask(console, "restore client=bareos-fd file=</tmp/list yes").concat();
    assert!(answer.contains("\"</tmp/list\" on the director cannot be read: No such file"), "{answer}");
    let answer = desk.ask(console, "restore client=bareos-fd file=<list yes").concat();
    assert!(answer.contains("give the whole path of the list"), "{answer}");
    assert_eq!(desk.shelf().lists.len(), 2);
    let made = desk.shelf().asked.iter().filter(|request| matches!(request, CatalogRequest::CreateJob(_))).count();
    assert_eq!(made, 1, "the backup");
}

#[test]
fn a_console_that_does_not_see_all_jobs_has_no_list_read() {
    let mut config = config();
    config["profiles"].as_array_mut().unwrap().push(json!({
        "name": "some", "command_acl": ["*all*"], "job_acl": ["restore", "backup-tiny"], "client_acl": ["*all*"],
        "storage_acl": ["*all*"], "pool_acl": ["*all*"], "fileset_acl": ["*all*"], "catalog_acl": ["*all*"],
        "where_acl": ["*all*"],
    }));
    config["consoles"][0]["profiles"] = json!(["some"]);
    let mut desk = Desk::with(config, MemoryCatalog::default());
    saved(&mut desk);
    desk.shelf().held = |_| holds(&[HELLO]);
    let console = desk.come_in("admin", "admin-secret");
    let answer = desk.ask(console, "restore client=bareos-fd file=</tmp/list yes").concat();
    assert!(answer.contains("not authorized") && desk.shelf().lists.is_empty(), "{answer}");
}

#[test]
fn a_list_may_be_named_in_the_menu_where_names_are_entered() {
    let (mut desk, console) = with_list(|_| holds(&[BOTH[0]]));
    for (way, before) in [("7", None), ("8", Some("2099-01-01 00:00:00")), ("11", Some("1"))] {
        desk.ask(console, "restore");
        let mut asked = desk.ask(console, way).concat();
        if let Some(line) = before {
            asked = desk.ask(console, line).concat();
        }
        assert!(asked.contains("or < and the file on the director"), "{way}: {asked}");
        desk.ask(console, "</tmp/list");
        let order = desk.ask(console, "").concat();
        assert!(order.contains("2 files selected to be restored."), "{way}: {order}");
        desk.ask(console, "no");
    }
}

#[test]
fn the_jobs_of_a_client_before_a_time_are_found_and_their_folders_restored() {
    let (mut desk, console) = with_list(|_| None);
    desk.ask(console, "restore");
    let date = desk.ask(console, "10").concat();
    assert!(date.contains("Enter date as YYYY-MM-DD HH:MM:SS :"), "{date}");
    let none = desk.ask(console, "2000-01-01 00:00:00").concat();
    assert!(none.contains("no good full backup"), "{none}");
    desk.ask(console, "restore");
    desk.ask(console, "10");
    let found = desk.ask(console, "2099-01-01 00:00:00").concat();
    assert!(found.contains("following JobId: 1") && found.contains("Select item:  (1-13): "), "{found}");
    desk.ask(console, "11");
    desk.ask(console, BOTH[0]);
    let order = desk.ask(console, "").concat();
    assert!(order.contains("2 files selected to be restored."), "{order}");
}
