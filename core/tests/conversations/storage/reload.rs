//! The configuration of a storage daemon, read again while sessions are open.

use std::sync::Arc;

use serde_json::{Value, json};
use towline_core::event::Event;
use towline_core::notice::Notice;
use towline_core::work::configuration::{Configured, Reread};
use towline_core::work::{Work, WorkDone};

use crate::support::conv::Side;
use crate::support::password;
use crate::support::peer::Script;
use crate::support::roles::{Protection, STARTED, storage_daemon};
use crate::support::volumes::hands;
use crate::support::world::Hands;

use super::jobs::*;

/// Hands that leave the configuration to the test.
fn waiting_hands() -> Hands {
    let (mut hands, _) = hands();
    Box::new(move |work| if matches!(work, Work::Configuration(_)) { None } else { hands(work) })
}

fn read(change: impl FnOnce(&mut Value)) -> WorkDone {
    let folder = "/srv/bareos-run/storage/sd";
    let mut config = json!({
        "storage": { "name": "bareos-sd", "listen": ["127.0.0.1"], "tls": { "enable": false, "require": false },
                     "client_connect_wait": 1800 },
        "directors": [{ "name": "bareos-dir", "password": "sd-secret" }],
        "devices": [
            { "name": "FileStorage1", "media_type": "File1", "archive_device": folder },
            { "name": "FileStorage2", "media_type": "File2", "archive_device": folder },
        ],
    });
    change(&mut config);
    WorkDone::Configuration(Ok(Configured::Storage(Box::new(Reread {
        config: serde_json::from_value(config).expect("a configuration"),
        credentials: Protection::Clear.credentials(),
        engines: Arc::new(Protection::Clear.acceptor()),
        warnings: Vec::new(),
        added: None,
    }))))
}

#[test]
fn sessions_with_a_job_stay_and_others_of_a_director_that_is_gone_do_not() {
    let mut world = storage_daemon(Protection::Clear, STARTED, waiting_hands());
    let idle = session(&mut world);
    let busy = world.come_in(director_script(&job(1)).up_to("use device="));
    world.heard(busy);
    world.event(Event::ReloadRequested);
    world
        .answer(read(|config| config["directors"][0] = json!({ "name": "another-dir", "password": "another-secret" })));
    assert_eq!(world.heard(idle), ["signal -4", "fin"]);
    world.say(busy, r"text use device=FileStorage1\n");
    world.say(busy, "signal -1");
    world.say(busy, "signal -1");
    let heard = world.heard(busy).concat();
    assert!(heard.contains("3000 OK use device"), "{heard}");
    // The one that is new comes in.
    let conv = DIRECTOR.replace("bareos-dir", "another-dir");
    let new = world.come_in(Script::new(&conv, Side::Acceptor, password("another-secret")).up_to("JobId="));
    assert!(!world.peers[new].ended);
}

#[test]
fn devices_and_addresses_change_only_with_a_restart() {
    let mut world = storage_daemon(Protection::Clear, STARTED, waiting_hands());
    world.event(Event::ReloadRequested);
    world.answer(read(|config| {
        config["devices"].as_array_mut().expect("a list").remove(1);
        config["storage"]["listen"] = json!(["192.0.2.1"]);
        config["storage"]["maximum_concurrent_jobs"] = json!(1);
    }));
    let said = |text: &str| {
        world.notices.iter().any(|notice| matches!(notice, Notice::Log { text: said, .. } if said.contains(text)))
    };
    assert!(said("not changed while the daemon runs: storage.listen, devices."), "{:?}", world.notices);
    // The rest counts.
    let first = world.come_in(director_script(&job(1)).up_to("use device="));
    world.heard(first);
    let second = session(&mut world);
    let line = crate::support::conv::parse(DIRECTOR).into_iter().find(|line| line.frame.data().starts_with(b"JobId="));
    world.say(second, &format!("{:?}", line.expect("a job in the recording").frame));
    assert!(world.heard(second)[0].contains("3999 Job refused: 1 job is under way"), "the new limit");
}
