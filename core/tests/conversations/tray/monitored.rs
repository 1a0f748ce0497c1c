//! Recorded tray monitors at our director, file daemon and storage daemon; and monitors that want more than they may.

use std::time::Duration;

use serde_json::json;
use towline_core::catalog::memory::MemoryCatalog;
use towline_core::error::Code;
use towline_core::notice::{Level, Notice};

use crate::director::desk::{self, Desk};
use crate::recording;
use crate::support::conv::Side;
use crate::support::peer::Script;
use crate::support::roles::{Protection, STARTED, file_daemon, storage_daemon};
use crate::support::{files, password, volumes};

const GREETING: &str = "text 1000\\x1eOK: bareos-dir Version: 26.0.0 (23Nov26)";

fn monitor(conv: &str) -> Script {
    Script::new(conv, Side::Acceptor, password("mon-secret"))
}

/// A director that knows the console `bareos-mon`, which may ask for statuses only.
fn director() -> Desk {
    let mut config = desk::config();
    let consoles = config["consoles"].as_array_mut().expect("a list");
    consoles.push(json!({ "name": "bareos-mon", "password": "mon-secret", "command_acl": ["status", ".status"] }));
    Desk::with(config, MemoryCatalog::default())
}

/// The warnings of a log, all of which must be about what was refused.
fn warnings(notices: &[Notice]) -> Vec<&str> {
    let warning = |notice: &'_ Notice| match notice {
        Notice::Log { level: Level::Warn | Level::Error, cause, .. } => {
            assert!(matches!(cause, Some((_, Code(530)))), "another warning: {notice:?}");
            true
        }
        _ => false,
    };
    notices.iter().filter(|notice| warning(notice)).filter_map(log_text).collect()
}

fn log_text(notice: &Notice) -> Option<&str> {
    match notice {
        Notice::Log { text, .. } => Some(text),
        _ => None,
    }
}

#[test]
fn a_recorded_monitor_is_shown_three_daemons() {
    let mut director = director();
    let script = monitor(recording!("07-tray-monitor/00-MON-to-DIR"))
        .differs("the version is ours", &["text 1000\\x1eOK: bareos-dir Version: "], &[GREETING])
        .own_words_after("status dir")
        .own_words_after("status dir");
    let peer = director.world.come_in(script);
    director.world.assert_done();
    let told = director.world.heard(peer).concat();
    assert!(
        told.contains("1002\\x1eYou are logged in as: bareos-mon") && told.contains("bareos-dir Version: "),
        "{told}"
    );

    let mut file = file_daemon(Protection::Clear, STARTED, files::hands(Vec::new()).0);
    let script = monitor(recording!("07-tray-monitor/01-MON-to-FD"));
    let peer = file.come_in(script.own_words_after("status").own_words_after("status"));
    file.assert_done();
    let told = file.heard(peer).concat();
    assert!(told.contains("bareos-fd Version: ") && told.contains("bareos-mon (director) connected at"), "{told}");

    let mut storage = storage_daemon(Protection::Clear, STARTED, volumes::hands().0);
    let script = monitor(recording!("07-tray-monitor/02-MON-to-SD"));
    let peer = storage.come_in(script.own_words_after("status").own_words_after("status"));
    storage.assert_done();
    let told = storage.heard(peer).concat();
    assert!(told.contains("bareos-sd Version: ") && told.contains("FileStorage2"), "all devices: {told}");

    for notices in [&director.world.notices, &file.notices, &storage.notices] {
        assert!(warnings(notices).is_empty());
    }
}

/// The recorded monitor had gone by the time its daemon said good-bye.
fn good_bye(script: Script, last: &str) -> Script {
    script.differs("the recording ends before the daemon's good-bye", &[last], &[last, "signal -4"])
}

#[test]
fn a_recorded_connection_test_is_answered_and_is_no_attack() {
    let mut director = director();
    let script = monitor(recording!("07a-tray-monitor-connection-test/00-MON-to-DIR"))
        .differs("the version is ours", &["text 1000\\x1eOK: bareos-dir Version: "], &[GREETING])
        .differs("no words about support", &["text 1002\\x1e"], &["text 1002\\x1eYou are logged in as: bareos-mon"]);
    director.world.come_in(script);
    director.world.assert_done();
    let mut file = file_daemon(Protection::Clear, STARTED, files::hands(Vec::new()).0);
    let script = monitor(recording!("07a-tray-monitor-connection-test/01-MON-to-FD"));
    file.come_in(good_bye(script, "text 2999 Invalid command\\n"));
    file.wait(Duration::from_secs(60));
    file.assert_done();
    let mut storage = storage_daemon(Protection::Clear, STARTED, volumes::hands().0);
    let script = monitor(recording!("07a-tray-monitor-connection-test/02-MON-to-SD"));
    storage.come_in(good_bye(script, "text 3900 Invalid command: quit\\n"));
    storage.wait(Duration::from_secs(60));
    storage.assert_done();
    for notices in [&director.world.notices, &file.notices, &storage.notices] {
        assert!(warnings(notices).is_empty());
    }
}

/// A monitor that has been greeted by a daemon; the rest is up to the test.
fn greeted(conv: &str) -> Script {
    monitor(conv).up_to("status")
}

#[test]
fn a_monitor_that_sends_a_command_to_a_file_daemon_is_refused_and_logged_once_a_minute() {
    let mut world = file_daemon(Protection::Clear, STARTED, files::hands(Vec::new()).0);
    let director = Script::new(recording!("01-backup-full/02-DIR-to-FD"), Side::Acceptor, password("fd-secret"));
    let director = world.come_in(director.up_to("JobId="));
    let commands = [
        "JobId=1 Job=x SDid=1 SDtime=1 Authorization=AAAA",
        "cancel Job=x",
        "estimate listing=0",
        "backup FileIndex=0",
    ];
    for command in commands.iter().cycle().take(40) {
        let peer = world.come_in(greeted(recording!("07-tray-monitor/01-MON-to-FD")));
        world.heard(peer);
        world.say(peer, &format!("text {command}\\n"));
        let refusal = "text 2997 Invalid command for a Director with Monitor directive enabled.\\n";
        assert_eq!(world.heard(peer)[..2], [refusal, "signal -1"], "{command}");
    }
    let first = warnings(&world.notices).join("\n");
    assert_eq!(warnings(&world.notices).len(), 1, "{first}");
    assert!(first.contains("monitor bareos-mon at 127.0.0.1:50000 may not say \"JobId\""), "{first}");
    assert!(!first.contains("AAAA"), "no key: {first}");
    world.wait(Duration::from_secs(61));
    let peer = world.come_in(greeted(recording!("07-tray-monitor/01-MON-to-FD")));
    world.say(peer, "text cancel Job=x\\n");
    let second = warnings(&world.notices)[1].to_owned();
    assert!(second.contains("\"cancel\"") && second.contains("39 more"), "{second}");
    // The director's session has noticed nothing.
    world.heard(director);
    world.say(director, "text .status header");
    assert!(world.heard(director).concat().contains("bareos-fd Version: "));
}

#[test]
fn a_monitor_that_sends_a_command_to_a_storage_daemon_is_refused_and_logged_once() {
    let mut world = storage_daemon(Protection::Clear, STARTED, volumes::hands().0);
    for command in ["JobId=1 job=x", "cancel Job=x", "run", "unmount drive"].iter().cycle().take(20) {
        let peer = world.come_in(greeted(recording!("07-tray-monitor/02-MON-to-SD")));
        world.heard(peer);
        world.say(peer, &format!("text {command}\\n"));
        let heard = world.heard(peer).concat();
        // Some of these are no good commands either, which is another answer.
        assert!(
            heard.starts_with("text 3997 Invalid command for a Director with Monitor") || heard.starts_with("text 39"),
            "{heard}"
        );
    }
    assert_eq!(warnings(&world.notices).len(), 1);
}

#[test]
fn a_monitor_may_only_ask_a_director_for_statuses() {
    let mut director = director();
    let monitor = director.come_in("bareos-mon", "mon-secret");
    for command in ["run job=backup-tiny yes", "cancel jobid=1", "restore client=bareos-fd all done yes", "list jobs"] {
        let word = command.split(' ').next().expect("a word");
        let refusal = format!("text {word}: is an invalid command or you have no access to it.\\n");
        assert_eq!(director.ask(monitor, command), [refusal.as_str(), "signal -1"]);
    }
    assert_eq!(warnings(&director.world.notices).len(), 1);
    assert!(director.ask(monitor, "status dir").concat().contains("No Jobs running."));
    assert!(director.shelf().asked.iter().all(|request| !format!("{request:?}").contains("CreateJob")));
}
