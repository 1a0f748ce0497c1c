//! The configuration read again while a director runs: what changes, what stays, and who hears why.

use std::time::Duration;

use serde_json::{Value, json};
use towline_core::catalog::memory::MemoryCatalog;
use towline_core::catalog::{CatalogAnswer, CatalogRequest};
use towline_core::event::Event;

use super::desk::{Desk, FILE_PORT, STORAGE_PORT, config, errand, everything};
use super::jobs::{file_end, storage_end};
use super::waiting;

/// A second client, and a job of it.
fn with_another(files: &mut Value) {
    let mut client = files["clients"][0].clone();
    client["name"] = json!("other-fd");
    files["clients"].as_array_mut().expect("a list").push(client);
    let mut job = files["jobs"][0].clone();
    job["name"] = json!("backup-other");
    job["client"] = json!("other-fd");
    files["jobs"].as_array_mut().expect("a list").push(job);
}

#[test]
fn what_was_read_is_used_from_then_on() {
    let mut desk = Desk::open();
    let console = desk.console();
    assert!(!desk.ask(console, ".jobs").concat().contains("backup-other"));
    desk.put_files(with_another);
    let answer = desk.ask(console, "reload");
    assert_eq!(answer, ["text reloaded\\n", "signal -1"]);
    assert!(desk.ask(console, ".jobs").concat().contains("backup-other"));
    let clients = desk.shelf().catalog.serve(CatalogRequest::ListClients);
    let Ok(CatalogAnswer::Clients(clients)) = clients else { panic!("{clients:?}") };
    assert!(clients.iter().any(|row| row.spec.name == "other-fd"), "{clients:?}");
    // The job of the new client is led with the rows that the catalog has made for it.
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    desk.ask(console, "run job=backup-other yes");
    let job = desk.shelf().catalog.job_row(1).expect("the job").clone();
    let wanted = clients.iter().find(|row| row.spec.name == "other-fd").map(|row| row.client_id);
    assert_eq!(Some(job.client_id), wanted);
    assert!(desk.log().contains("the configuration was read again"), "{}", desk.log());
}

#[test]
fn a_configuration_with_errors_is_not_used_and_they_are_told() {
    let mut desk = Desk::open();
    let console = desk.console();
    let wrong = "dir.ron:3:7: error T0804: `Job` has no field `clint`; did you mean `client`?";
    desk.shelf().files = Err(vec![wrong.to_owned()]);
    let answer = desk.ask(console, "reload");
    assert_eq!(answer[0], format!("text The earlier configuration stays in use (T0775):\\n{wrong}\\n"));
    assert!(desk.log().contains(wrong), "{}", desk.log());
    assert!(desk.ask(console, ".jobs").concat().contains("backup-tiny"));
    desk.ask(console, ".api 2 compact=yes");
    let answer = desk.ask(console, "reload").concat();
    assert!(answer.contains("T0804") && answer.contains("error"), "{answer}");
    // Very many are counted.
    desk.shelf().files = Err(vec!["x".to_owned(); 150]);
    let answer = desk.ask(console, "reload").concat();
    assert!(answer.contains("and 50 more"), "{answer}");
}

#[test]
fn a_catalog_that_does_not_take_the_new_rows_leaves_the_earlier_configuration() {
    let mut desk = Desk::open();
    let console = desk.console();
    desk.put_files(with_another);
    desk.shelf().broken = |request| matches!(request, CatalogRequest::EnsureClient(_));
    let answer = desk.ask(console, "reload").concat();
    assert!(answer.contains("the catalog does not take it"), "{answer}");
    assert!(!desk.ask(console, ".clients").concat().contains("other-fd"));
    assert_eq!(desk.world.exit, None, "the director goes on");
    desk.shelf().broken = |_| false;
    assert!(desk.ask(console, "reload").concat().contains("reloaded"));
    assert!(desk.ask(console, ".clients").concat().contains("other-fd"));
}

#[test]
fn what_only_a_restart_changes_is_named_and_stays() {
    let mut desk = Desk::open();
    let console = desk.console();
    desk.put_files(|files| {
        files["director"]["port"] = json!(9999);
        files["director"]["name"] = json!("another");
        files["catalog"] = json!({ "sqlite": { "path": "elsewhere.sqlite" } });
        files["director"]["maximum_concurrent_jobs"] = json!(3);
    });
    let answer = desk.ask(console, "reload").concat();
    assert!(answer.contains("reloaded"), "{answer}");
    assert!(answer.contains("restarted: director.name, director.port, catalog."), "{answer}");
    assert!(desk.log().contains("not changed while the daemon runs: director.name, director.port, catalog"));
    let shown = desk.ask(console, "show director").concat();
    assert!(shown.contains("bareos-dir") && !shown.contains("9999"), "{shown}");
    desk.ask(console, ".api 2 compact=yes");
    let answer = desk.ask(console, "reload").concat();
    assert!(answer.contains(r#""success":true,"restart":["director.name","director.port","catalog"]"#), "{answer}");
}

#[test]
fn what_consoles_have_said_is_forgotten() {
    let mut desk = Desk::open();
    let console = desk.console();
    desk.ask(console, "disable job=backup-tiny");
    assert!(desk.ask(console, "run job=backup-tiny yes").concat().contains("is disabled"));
    desk.ask(console, "reload");
    assert!(desk.ask(console, "run job=backup-tiny yes").concat().contains("Job queued"));
}

#[test]
fn a_job_that_runs_keeps_its_configuration() {
    let mut desk = Desk::open();
    let (console, sd, fd) = desk.backup();
    desk.put_files(|files| {
        files["clients"] = json!([]);
        files["jobs"] = json!([]);
    });
    assert!(desk.ask(console, "reload").concat().contains("reloaded"));
    assert!(!desk.ask(console, ".jobs").concat().contains("backup-tiny"));
    desk.world.say(fd, "text 2000 OK backup\\n");
    desk.world.say(fd, &file_end(b'T', 0));
    desk.world.say(sd, &storage_end(b'T', 0));
    assert_eq!(desk.status(1), 'T', "{}", desk.report(1));
}

#[test]
fn a_job_whose_client_is_gone_is_cancelled_there_too() {
    let mut desk = Desk::open();
    let (console, _, fd) = desk.backup();
    desk.put_files(|files| {
        files["clients"] = json!([]);
        files["storages"] = json!([]);
        files["jobs"] = json!([]);
    });
    desk.ask(console, "reload");
    desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    desk.ask(console, "cancel jobid=1");
    for told in [fd + 1, fd + 2] {
        let heard = desk.world.heard(told);
        assert!(heard.last().is_some_and(|line| line.starts_with("text cancel Job=backup-tiny.")), "{heard:?}");
    }
}

#[test]
fn a_client_that_waits_stays_while_it_may() {
    let mut desk = waiting::open();
    let peer = waiting::comes(&mut desk);
    let console = desk.console();
    desk.ask(console, "reload");
    assert_eq!(waiting::rows(&mut desk).len(), 1, "nothing has changed for it");
    desk.put_files(|files| files["clients"][0]["password"] = json!("another"));
    desk.ask(console, "reload");
    assert_eq!(waiting::rows(&mut desk).len(), 0);
    assert_eq!(desk.world.heard(peer), ["signal -4", "fin"]);
    let log = desk.log();
    assert!(log.contains("client bareos-fd, which has waited, is closed: its password in the config"), "{log}");
}

#[test]
fn a_client_that_waits_and_is_removed_is_closed() {
    let mut desk = waiting::open();
    let peer = waiting::comes(&mut desk);
    let console = desk.console();
    desk.put_files(|files| {
        files["clients"] = json!([]);
        files["jobs"] = json!([]);
    });
    desk.ask(console, "reload");
    assert_eq!(desk.world.heard(peer), ["signal -4", "fin"]);
    assert!(desk.log().contains("is closed: it is not in the configuration any more"), "{}", desk.log());
}

#[test]
fn consoles_have_their_new_rights_and_those_that_are_gone_are_closed() {
    let mut desk = Desk::open();
    let (console, admin) = (desk.console(), desk.come_in("admin", "admin-secret"));
    let reader = desk.come_in("reader", "reader-secret");
    assert!(desk.ask(reader, "memory").concat().contains("no access to it"));
    desk.put_files(|files| {
        files["consoles"] = json!([{ "name": "reader", "password": "reader-secret", "command_acl": ["memory"],
                                     "profiles": ["all"] }]);
        files["profiles"] = json!([everything("all")]);
    });
    desk.ask(console, "reload");
    assert!(desk.ask(reader, "memory").concat().contains("26.0.0"));
    assert!(desk.ask(reader, "list jobs").concat().contains("no access to it"));
    let heard = desk.world.heard(admin);
    assert_eq!(heard[0], "text This console is closed: it is not in the configuration any more.\\n");
    assert!(heard.ends_with(&["signal -4".to_owned(), "fin".to_owned()]), "{heard:?}");
    assert!(desk.log().contains("console admin is closed"), "{}", desk.log());
}

#[test]
fn whoever_changes_its_own_password_is_answered_first() {
    let mut desk = Desk::open();
    let console = desk.console();
    desk.put_files(|files| files["director"]["password"] = json!("another"));
    let heard = desk.ask(console, "reload");
    assert_eq!(heard[0], "text reloaded\\n");
    assert!(heard.iter().any(|line| line.contains("its password in the configuration has changed")), "{heard:?}");
    assert!(heard.ends_with(&["signal -4".to_owned(), "fin".to_owned()]), "{heard:?}");
    let again = desk.come_in("*UserAgent*", "another");
    assert!(desk.ask(again, "version").concat().contains("26.0.0"));
}

#[test]
fn schedules_are_worked_out_anew_and_nothing_that_was_due_is_lost() {
    let mut files = config();
    files["schedules"] = json!([{ "name": "soon", "runs": [{ "at": ["13:03"] }] }]);
    files["jobs"][0]["schedule"] = json!("soon");
    let mut desk = Desk::with(files, MemoryCatalog::default());
    let console = desk.console();
    assert!(desk.ask(console, "status director").concat().contains("backup-tiny"));
    desk.put_files(|files| files["schedules"][0]["runs"][0]["at"] = json!(["13:05"]));
    desk.ask(console, "reload");
    desk.world.wait(Duration::from_secs(150));
    assert!(desk.shelf().catalog.job_row(1).is_none(), "the earlier moment is gone");
    desk.world.wait(Duration::from_secs(120));
    assert!(desk.shelf().catalog.job_row(1).is_some(), "the new one counts");
    // A job that is gone is not shown as coming.
    desk.put_files(|files| {
        files["jobs"].as_array_mut().expect("a list").remove(0);
    });
    desk.ask(console, "reload");
    let text = desk.ask(console, "status director").concat();
    let coming = text.split("Running Jobs").next().unwrap_or_default();
    assert!(!coming.contains("backup-tiny"), "{coming}");
}

#[test]
fn a_signal_has_it_read_too_and_several_count_as_one_more() {
    let mut desk = Desk::open();
    let console = desk.console();
    desk.put_files(with_another);
    desk.shelf().slow = |request| matches!(request, CatalogRequest::EnsureClient(_));
    for _ in 0..5 {
        desk.world.event(Event::ReloadRequested);
    }
    desk.world.run();
    assert!(!desk.ask(console, ".jobs").concat().contains("backup-other"), "the catalog has not answered");
    desk.release();
    assert!(desk.ask(console, ".jobs").concat().contains("backup-other"));
    assert_eq!(desk.log().matches("the configuration was read again").count(), 2);
}

#[test]
fn a_resource_that_is_added_is_used_at_once_and_what_consoles_have_said_stays() {
    let mut desk = Desk::open();
    let (console, admin) = (desk.console(), desk.come_in("admin", "admin-secret"));
    desk.ask(console, "disable job=backup-tiny");
    let answer = desk.ask(console, "configure add pool name=Monthly label_format=\"M-\"");
    assert_eq!(answer[0], "text Created resource config file \"/etc/Monthly.conf\":\\nPool {\\n}\\n");
    assert!(desk.ask(console, ".pools").concat().contains("Monthly"));
    assert!(desk.ask(console, "run job=backup-tiny yes").concat().contains("is disabled"));
    // Whoever has every right may add; one that sees a part only may not.
    assert!(desk.ask(admin, "configure add pool name=Yearly").concat().contains("Yearly.conf"));
    desk.put_files(|files| files["profiles"][0]["job_acl"] = json!(["backup-.*"]));
    desk.ask(console, "reload");
    assert!(desk.ask(admin, "configure add pool name=Weekly").concat().contains("not authorized"));
    desk.ask(console, ".api 2 compact=yes");
    let answer = desk.ask(console, "configure add pool name=Daily").concat();
    assert!(answer.contains(r#""configure":{"add":{"resource":"Pool","name":"Daily","filename":"#), "{answer}");
}
