//! The configuration of a file daemon, read again while sessions are open.

use std::sync::Arc;

use serde_json::{Value, json};
use towline_core::event::Event;
use towline_core::notice::Notice;
use towline_core::role::file::FileDaemon;
use towline_core::work::configuration::{Configured, NotConfigured, Reread};
use towline_core::work::{Work, WorkDone};

use crate::recording;
use crate::support::conv::Side;
use crate::support::files::hands;
use crate::support::password;
use crate::support::peer::Script;
use crate::support::roles::{Protection, STARTED, file_daemon};
use crate::support::world::{Hands, World};

const DIRECTOR: &str = recording!("01-backup-full/02-DIR-to-FD");
const FORBIDDEN: &str = "`allowed_job_commands` does not let director bareos-dir do this";
const REFUSED: &str = "the configuration was read again, and the earlier one stays in use";

/// Hands that leave the configuration to the test.
fn waiting_hands() -> Hands {
    let (mut hands, _) = hands(Vec::new());
    Box::new(move |work| if matches!(work, Work::Configuration(_)) { None } else { hands(work) })
}

fn read(config: Value) -> WorkDone {
    WorkDone::Configuration(Ok(Configured::File(Box::new(Reread {
        config: serde_json::from_value(config).expect("a configuration"),
        credentials: Protection::Clear.credentials(),
        engines: Arc::new(Protection::Clear.acceptor()),
        warnings: vec!["/etc/x:1: something is doubtful".to_owned()],
        added: None,
    }))))
}

fn config(directors: &Value) -> Value {
    let tls = json!({ "enable": false, "require": false });
    json!({ "file": { "name": "bareos-fd", "listen": ["127.0.0.1"], "tls": tls, "sd_connect_timeout": 60 }, "directors": directors })
}

fn log(world: &World<FileDaemon>) -> String {
    let text = |notice: &Notice| match notice {
        Notice::Log { text, .. } => format!("{text}\n"),
        _ => String::new(),
    };
    world.notices.iter().map(text).collect()
}

fn director(secret: &str, up_to: &str) -> Script {
    Script::new(DIRECTOR, Side::Acceptor, password(secret)).up_to(up_to)
}

#[test]
fn a_job_goes_on_by_what_it_began_with_and_the_next_one_by_what_was_read() {
    let mut world = file_daemon(Protection::Clear, STARTED, waiting_hands());
    let busy = world.come_in(director("fd-secret", "level"));
    let idle = world.come_in(director("fd-secret", "JobId="));
    world.heard(busy);
    world.heard(idle);
    world.event(Event::ReloadRequested);
    world.answer(read(config(
        &json!([{ "name": "bareos-dir", "password": "other", "allowed_job_commands": ["restore"] }]),
    )));
    assert!(
        log(&world).contains("the configuration was read again\n/etc/x:1: something is doubtful\n"),
        "{}",
        log(&world)
    );
    // What does nothing and has the earlier password makes room; what works goes on.
    assert_eq!(world.heard(idle), ["signal -4", "fin"]);
    world.say(busy, r"text level = full mtime_only=0\n");
    assert_eq!(world.heard(busy), [r"text 2000 OK level\n"]);
    // It may still ask for a backup, whatever becomes of that without a storage daemon.
    world.say(busy, r"text backup FileIndex=0\n");
    assert!(!world.job_messages(busy).concat().contains(FORBIDDEN), "{:?}", world.job_messages(busy));
    // Who comes now needs the new password, and may do what the new configuration says.
    let wrong = director("fd-secret", "auth cram-md5");
    let wrong =
        wrong.differs("the password is wrong", &[r"text 1000 OK auth\n"], &[r"text 1999 Authorization failed.\n"]);
    let wrong = world.come_in(wrong);
    assert!(world.heard(wrong).concat().contains("1999 Authorization failed."));
    let next = world.come_in(director("other", "level"));
    world.heard(next);
    world.say(next, r"text backup FileIndex=0\n");
    assert!(world.job_messages(next).concat().contains(FORBIDDEN), "{:?}", world.job_messages(next));
}

#[test]
fn a_configuration_with_an_error_changes_nothing_and_what_only_a_restart_changes_is_named() {
    let mut world = file_daemon(Protection::Clear, STARTED, waiting_hands());
    world.event(Event::ReloadRequested);
    // One more comes while the first is read: it is read once more, once.
    world.event(Event::ReloadRequested);
    world.event(Event::ReloadRequested);
    assert_eq!(world.kept.len(), 1);
    world.answer(WorkDone::Configuration(Err(NotConfigured(vec![
        "/etc/fd.ron:3:5: there is no field `nam`".to_owned(),
    ]))));
    let said = log(&world);
    assert!(said.contains(REFUSED) && said.contains("/etc/fd.ron:3:5: there is no field `nam`"), "{said}");
    let known = world.come_in(director("fd-secret", "JobId="));
    assert!(!world.peers[known].ended, "the earlier one counts");
    assert_eq!(world.kept.len(), 1);
    let mut other = config(&json!([{ "name": "bareos-dir", "password": "fd-secret" }]));
    other["file"]["port"] = json!(1);
    other["file"]["name"] = json!("another");
    world.answer(read(other));
    assert!(log(&world).contains("not changed while the daemon runs: file.name, file.port"), "{}", log(&world));
    assert_eq!(world.kept.len(), 0);
    let known = world.come_in(director("fd-secret", "JobId="));
    assert!(!world.peers[known].ended, "the earlier one counts");
}
