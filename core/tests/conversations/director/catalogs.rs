//! A director with two catalogs: which one a job is recorded in, and which one a console asks.

use serde_json::{Value, json};
use towline_core::catalog::memory::MemoryCatalog;
use towline_core::catalog::{CatalogAnswer, CatalogRequest, JobFilter, NewJob};

use super::desk::{self, Desk, STORAGE_PORT, errand, everything};

/// The recorded director with a second catalog, a pool and a client that are in it, and a console that may ask only it.
fn config() -> Value {
    let mut config = desk::config();
    config["catalogs"] = json!([{ "sqlite": { "name": "Archive", "path": "archive.sqlite" } }]);
    let pools = config["pools"].as_array_mut().expect("pools");
    pools.push(json!({ "name": "Deep", "label_format": "Deep-", "catalog": "Archive" }));
    pools.push(json!({ "name": "Near", "label_format": "Near-", "catalog": "MyCatalog" }));
    let mut client = config["clients"][0].clone();
    (client["name"], client["catalog"]) = (json!("far-fd"), json!("Archive"));
    config["clients"].as_array_mut().expect("clients").push(client);
    let mut job = config["jobs"][0].clone();
    (job["name"], job["client"]) = (json!("far"), json!("far-fd"));
    config["jobs"].as_array_mut().expect("jobs").push(job);
    let mut profile = everything("archivists");
    profile["catalog_acl"] = json!(["Archive"]);
    config["profiles"].as_array_mut().expect("profiles").push(profile);
    let archivist =
        json!({ "name": "archivist", "password": "a-secret", "command_acl": ["*all*"], "profiles": ["archivists"] });
    config["consoles"].as_array_mut().expect("consoles").push(archivist);
    config
}

fn open() -> Desk {
    Desk::with(config(), MemoryCatalog::default())
}

/// The names and numbers of the jobs of a catalog, oldest first.
fn jobs(desk: &Desk, catalog: &str) -> Vec<(String, u32)> {
    let filter = JobFilter { limit: 100, ..JobFilter::default() };
    match desk.shelf().named(catalog).serve(CatalogRequest::ListJobs(filter)) {
        Ok(CatalogAnswer::Jobs(rows)) => rows.into_iter().rev().map(|row| (row.name, row.job_id)).collect(),
        other => panic!("{other:?}"),
    }
}

fn job(name: &str, id: u32) -> (String, u32) {
    (name.to_owned(), id)
}

#[test]
fn a_job_is_recorded_where_its_pool_says_then_itself_then_its_client_and_no_two_have_one_number() {
    let mut desk = open();
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    let console = desk.console();
    for (line, words) in [
        ("run job=backup-tiny yes", "Using Catalog \"MyCatalog\"\\ntext Job queued. JobId=1"),
        ("run job=far yes", "Using Catalog \"Archive\"\\ntext Job queued. JobId=2"),
        ("run job=backup-tiny pool=Deep yes", "Using Catalog \"Archive\"\\ntext Job queued. JobId=3"),
        ("run job=far pool=Near yes", "Job queued. JobId=4"),
        ("run job=backup-tiny catalog=Archive yes", "Job queued. JobId=5"),
    ] {
        let answer = desk.ask(console, line).concat();
        assert!(answer.contains(words), "{line}: {answer}");
    }
    assert_eq!(jobs(&desk, "MyCatalog"), [job("backup-tiny", 1), job("far", 4)]);
    assert_eq!(jobs(&desk, "Archive"), [job("far", 2), job("backup-tiny", 3), job("backup-tiny", 5)]);
    let answer = desk.ask(console, "run job=backup-tiny pool=Deep catalog=MyCatalog yes").concat();
    assert!(answer.contains("Pool \"Deep\" is not in the catalog \"MyCatalog\""), "{answer}");
    let answer = desk.ask(console, "run job=backup-tiny catalog=Archiv yes").concat();
    assert!(answer.contains("There is no catalog \"Archiv\". Do you mean \"Archive\"?"), "{answer}");
}

#[test]
fn numbers_go_on_above_those_of_every_catalog() {
    let mut old = MemoryCatalog::default();
    for number in 1..=3 {
        let new = NewJob { job: format!("old.{number}"), name: "old".to_owned(), ..NewJob::default() };
        old.serve(CatalogRequest::CreateJob(new)).expect("a job");
    }
    let mut desk = Desk::with(config(), old);
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    let console = desk.console();
    desk.ask(console, "run job=far yes");
    assert_eq!(jobs(&desk, "Archive"), [job("far", 4)], "3 is a job of the other catalog");
}

#[test]
fn each_catalog_knows_its_own_clients_and_pools_and_those_that_are_in_all() {
    let mut desk = open();
    let console = desk.console();
    desk.ask(console, "use catalog=MyCatalog");
    for (line, there, not_there) in [
        ("list clients", "bareos-fd", "far-fd"),
        ("list clients catalog=Archive", "far-fd", "bareos-fd"),
        ("list pools", "Near", "Deep"),
        ("list pools catalog=Archive", "Deep", "Near"),
        ("list pools catalog=Archive", "Full", "Near"),
    ] {
        let answer = desk.ask(console, line).concat();
        assert!(answer.contains(there) && !answer.contains(not_there), "{line}: {answer}");
    }
}

#[test]
fn a_console_goes_by_the_catalog_that_it_uses_and_a_command_by_that_of_its_client() {
    let mut desk = open();
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny yes");
    desk.ask(console, "run job=far yes");
    let names = desk.ask(console, ".catalogs").concat();
    assert!(names.starts_with("text MyCatalog\\nArchive\\n"), "{names}");
    let menu = desk.ask(console, "use").concat();
    assert!(menu.contains("The defined Catalog resources are:"), "{menu}");
    assert!(menu.contains("1: Archive") && menu.contains("2: MyCatalog"), "{menu}");
    let used = desk.ask(console, "1").concat();
    assert!(used.contains("Using Catalog \"Archive\"\\ntext Using Catalog name=Archive DB=archive.sqlite"), "{used}");
    let lists = |desk: &mut Desk, line: &str| {
        let answer = desk.ask(console, line).concat();
        (answer.contains("backup-tiny"), answer.contains("far"))
    };
    assert_eq!(lists(&mut desk, "list jobs"), (false, true));
    assert_eq!(lists(&mut desk, "list jobs client=bareos-fd"), (true, false), "as in Bareos, its client's");
    assert_eq!(lists(&mut desk, "list jobs"), (false, true), "and then again that in use");
    assert_eq!(lists(&mut desk, "list jobs catalog=MyCatalog"), (true, false));
    let answer = desk.ask(console, "list jobs catalog=nosuch").concat();
    assert!(answer.contains("There is no catalog \"nosuch\"."), "{answer}");
    let shown = desk.ask(console, "show catalogs").concat();
    assert!(shown.contains("MyCatalog") && shown.contains("archive.sqlite"), "{shown}");
    let defaults = desk.ask(console, ".defaults client=far-fd").concat();
    assert!(defaults.contains("catalog=Archive"), "{defaults}");
    let status = desk.ask(console, "status director").concat();
    assert!(status.contains("db:MyCatalog=sqlite,Archive=sqlite"), "{status}");
}

#[test]
fn a_console_asks_only_the_catalogs_that_its_list_allows() {
    let mut desk = open();
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    let operator = desk.console();
    desk.ask(operator, "run job=backup-tiny yes");
    desk.ask(operator, "run job=far yes");
    let archivist = desk.come_in("archivist", "a-secret");
    let names = desk.ask(archivist, ".catalogs").concat();
    assert!(names.contains("Archive") && !names.contains("MyCatalog"), "{names}");
    let shown = desk.ask(archivist, "show catalogs").concat();
    assert!(shown.contains("Archive") && !shown.contains("MyCatalog"), "{shown}");
    let used = desk.ask(archivist, "use").concat();
    assert!(used.contains("Automatically selected Catalog: Archive"), "{used}");
    let listed = desk.ask(archivist, "list jobs").concat();
    assert!(listed.contains("far") && !listed.contains("backup-tiny"), "{listed}");
    for line in [
        "use catalog=MyCatalog",
        "list jobs catalog=MyCatalog",
        "list jobs client=bareos-fd",
        "run job=far catalog=MyCatalog yes",
    ] {
        let answer = desk.ask(archivist, line).concat();
        assert!(answer.contains("There is no catalog \"MyCatalog\""), "{line}: {answer}");
    }
    assert_eq!(jobs(&desk, "MyCatalog").len(), 1, "nothing was run there");
}

#[test]
fn a_person_with_several_catalogs_says_once_which_one_is_meant_and_a_program_gets_the_first() {
    let mut desk = open();
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny yes");
    desk.ask(console, "run job=far yes");
    let menu = desk.ask(console, "list jobs").concat();
    assert!(menu.contains("The defined Catalog resources are:\\n") && menu.contains("1: Archive"), "{menu}");
    let listed = desk.ask(console, "1").concat();
    assert!(listed.contains("| far ") && !listed.contains("backup-tiny"), "{listed}");
    let volumes = desk.ask(console, "list pools").concat();
    assert!(volumes.contains("Deep") && !volumes.contains("resources are"), "it is not asked again: {volumes}");
    let other = desk.console();
    let named = desk.ask(other, "list jobs client=bareos-fd").concat();
    assert!(named.contains("backup-tiny"), "a client tells which one is meant: {named}");
    assert!(desk.ask(other, "list jobs").concat().contains("The defined Catalog"), "and only for its own command");
    assert!(desk.ask(other, ".").concat().contains("nothing done."));
    desk.ask(other, ".api 2 compact=yes");
    let rows = desk.ask(other, "list jobs").concat();
    assert!(rows.contains("backup-tiny") && !rows.contains(r#""far""#), "{rows}");
}

#[test]
fn what_is_noted_of_a_catalog_is_shown() {
    let mut config = config();
    config["catalogs"][0]["sqlite"]["description"] = json!("what is kept for ten years");
    let mut desk = Desk::with(config, MemoryCatalog::default());
    let console = desk.console();
    let shown = desk.ask(console, "show catalog=Archive").concat();
    assert!(shown.contains("Description = \"what is kept for ten years\""), "{shown}");
}

#[test]
fn a_catalog_that_hangs_holds_up_only_its_own_jobs_and_consoles() {
    let mut desk = open();
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    let (waiting, free) = (desk.console(), desk.console());
    desk.shelf().hangs = Some("Archive");
    assert!(!desk.ask(waiting, "run job=far yes").concat().contains("Job queued"));
    let answer = desk.ask(free, "run job=backup-tiny yes").concat();
    assert!(answer.contains("Job queued. JobId=2"), "its number is above that which is being given: {answer}");
    assert!(desk.ask(free, "list jobs catalog=MyCatalog").concat().contains("backup-tiny"));
    desk.shelf().hangs = None;
    desk.release();
    let answer = desk.world.heard(waiting).concat();
    assert!(answer.contains("Job queued. JobId=1"), "{answer}");
}

#[test]
fn which_catalogs_there_are_only_a_restart_changes() {
    let mut desk = open();
    let console = desk.console();
    desk.put_files(|files| files["catalogs"][0]["sqlite"]["path"] = json!("elsewhere.sqlite"));
    let answer = desk.ask(console, "reload").concat();
    assert!(answer.contains("restarted: catalogs"), "{answer}");
    desk.put_files(|files| {
        files["catalogs"] = json!([{ "sqlite": { "name": "New", "path": "new.sqlite" } }]);
        files["pools"][1]["catalog"] = json!("New");
        files["clients"][1]["catalog"] = json!("New");
    });
    let answer = desk.ask(console, "reload").concat();
    assert!(answer.contains("The earlier configuration stays in use (T0775)"), "{answer}");
    assert!(answer.contains("the catalog \"New\" is in use only after a restart"), "{answer}");
    assert!(desk.ask(console, "list pools catalog=Archive").concat().contains("Deep"));
}
