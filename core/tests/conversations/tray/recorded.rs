//! Our tray monitor in the recorded conversations of Bareos's own.

use std::time::Duration;

use towline_core::event::Event;
use towline_core::notice::{DaemonView, ExitReason, Health, TrayFailure};
use towline_core::role::tray::{Tray, Watch};
use towline_core::wire::status_reply::TerminatedJob;

use crate::recording;
use crate::support::conv::Side;
use crate::support::password;
use crate::support::peer::Script;
use crate::support::roles::{DIRECTOR_PORT, FILE_PORT, Protection, STORAGE_PORT, tray};
use crate::support::world::World;

const NO_NAME: &str = "the recorded monitor has no name in its challenge; ours says who it is";

/// A director that a monitor asks.
fn director(conv: &str) -> Script {
    let hello = "text Hello bareos-mon calling version 26.0.0 Version=\"26.0.0\"\\n";
    Script::new(conv, Side::Dialler, password("mon-secret"))
        .differs("our version has no suffix", &["text Hello bareos-mon "], &[hello])
        .differs(NO_NAME, &["text auth cram-md5 <"], &["text auth cram-md5 <1.2@R_CONSOLE::bareos-mon> ssl=0\\n"])
}

/// A file daemon or a storage daemon that a monitor asks.
fn daemon(conv: &str) -> Script {
    Script::new(conv, Side::Dialler, password("mon-secret")).differs(
        NO_NAME,
        &["text auth cram-md5 <"],
        &["text auth cram-md5 <1.2@R_DIRECTOR::bareos-mon> ssl=0\\n"],
    )
}

/// The recorded monitor was killed in its pause.
fn polite(script: Script) -> Script {
    script.differs("ours says good-bye", &["fin"], &["signal -4"])
}

fn all_three(world: &mut World<Tray>) {
    world.await_dial(DIRECTOR_PORT, polite(director(recording!("07-tray-monitor/00-MON-to-DIR"))));
    world.await_dial(FILE_PORT, polite(daemon(recording!("07-tray-monitor/01-MON-to-FD"))));
    world.await_dial(STORAGE_PORT, polite(daemon(recording!("07-tray-monitor/02-MON-to-SD"))));
}

fn views(world: &World<Tray>) -> Vec<&DaemonView> {
    world.node.role().views().collect()
}

fn names(jobs: &[TerminatedJob]) -> Vec<&str> {
    jobs.iter().map(|job| job.name.as_str()).collect()
}

#[test]
fn three_daemons_are_asked_twice_as_recorded() {
    let mut world = tray(Protection::Clear, Watch::OnAndOn, &mut all_three);
    for wait in [0, 5] {
        world.wait(Duration::from_secs(wait));
        for view in views(&world) {
            assert_eq!(view.health, Health::Reachable, "{view:?}");
            assert_eq!((view.status.daemon.as_str(), view.encryption.as_str()), (view.name.as_str(), "None"));
            assert_eq!((view.status.started.as_str(), view.status.running.len()), ("23-Nov-26 13:03", 0));
        }
    }
    let views = views(&world);
    assert_eq!(views.iter().map(|view| view.status.jobs_run).collect::<Vec<_>>(), [8, 2, 4]);
    assert_eq!(views[0].status.terminated.len(), 8);
    assert_eq!(names(&views[1].status.terminated), ["backup-tiny", "backup-tiny-migsrc"]);
    assert_eq!(names(&views[2].status.terminated), ["backup-tiny", "copy", "backup-tiny-migsrc", "migrate"]);
    world.event(Event::StopRequested);
    world.run();
    world.assert_done();
    assert_eq!(world.exit, Some(ExitReason::Done));
}

#[test]
fn a_monitor_that_is_stopped_while_it_waits_says_good_bye_as_recorded() {
    let ask = |script: Script, what: &str| {
        script.differs("we ask for the status before anything else", &["text quit"], &[&format!("text {what}")])
    };
    // The answer to `quit`, which the recorded monitor sent and ours did not, is not waited for.
    let mut prepare = |world: &mut World<Tray>| {
        let director = director(recording!("07a-tray-monitor-connection-test/00-MON-to-DIR"));
        world.await_dial(DIRECTOR_PORT, ask(director, "status dir"));
        world.await_dial(FILE_PORT, ask(daemon(recording!("07a-tray-monitor-connection-test/01-MON-to-FD")), "status"));
        let storage = daemon(recording!("07a-tray-monitor-connection-test/02-MON-to-SD"));
        world.await_dial(STORAGE_PORT, ask(storage, "status"));
    };
    let mut world = tray(Protection::Clear, Watch::OnAndOn, &mut prepare);
    assert!(views(&world).iter().all(|view| view.health == Health::Unknown));
    world.event(Event::StopRequested);
    world.run();
    world.assert_done();
    assert_eq!(world.exit, Some(ExitReason::Done));
}

#[test]
fn one_look_ends_well_only_if_all_daemons_answer() {
    let once = |prepare: &mut dyn FnMut(&mut World<Tray>)| {
        let mut world = tray(Protection::Clear, Watch::Once, prepare);
        world.wait(Duration::from_secs(5));
        world
    };
    let asked_once = |script: Script, again: &str| polite(script.asked_once(again));
    let mut two = |world: &mut World<Tray>| {
        let director = director(recording!("07-tray-monitor/00-MON-to-DIR"));
        world.await_dial(DIRECTOR_PORT, asked_once(director, "status dir"));
        world.await_dial(FILE_PORT, asked_once(daemon(recording!("07-tray-monitor/01-MON-to-FD")), "status"));
    };
    let world = once(&mut two);
    world.assert_done();
    assert_eq!(world.exit, Some(ExitReason::Failed(1)), "nothing listens at the storage daemon's port");
    let health: Vec<bool> = views(&world).iter().map(|view| view.health == Health::Reachable).collect();
    assert_eq!(health, [true, true, false]);
    let mut three = |world: &mut World<Tray>| {
        two(world);
        world.await_dial(STORAGE_PORT, asked_once(daemon(recording!("07-tray-monitor/02-MON-to-SD")), "status"));
    };
    let world = once(&mut three);
    world.assert_done();
    assert_eq!(world.exit, Some(ExitReason::Done));
}

#[test]
fn a_daemon_that_falls_silent_anywhere_costs_its_own_time_and_no_others() {
    let whole = recording!("07-tray-monitor/01-MON-to-FD");
    let lines = daemon(whole).count();
    for after in [1, 3, 7, 9, 12, lines / 2 - 4] {
        let mut prepare = |world: &mut World<Tray>| {
            world.await_dial(DIRECTOR_PORT, polite(director(recording!("07-tray-monitor/00-MON-to-DIR"))));
            world.await_dial(FILE_PORT, daemon(whole).cut_after(after));
            world.await_dial(STORAGE_PORT, polite(daemon(recording!("07-tray-monitor/02-MON-to-SD"))));
        };
        let mut world = tray(Protection::Clear, Watch::OnAndOn, &mut prepare);
        let health = |world: &World<Tray>| views(world).iter().map(|view| view.health.clone()).collect::<Vec<_>>();
        assert_eq!(health(&world), [Health::Reachable, Health::Unknown, Health::Reachable], "after {after}");
        world.wait(Duration::from_millis(3_999));
        assert_eq!(health(&world)[1], Health::Unknown, "its time is not over");
        world.wait(Duration::from_millis(2));
        let Health::Unreachable(TrayFailure::Late { doing, .. }) = health(&world)[1] else {
            panic!("after {after}: {:?}", health(&world))
        };
        let expected = match after {
            1 | 3 => "connecting and authentication",
            7 => "the greeting",
            _ => "the status",
        };
        assert_eq!(doing, expected, "after {after}");
    }
}

#[test]
fn a_kept_connection_that_ended_in_the_pause_is_replaced_without_a_word() {
    let mut world = tray(Protection::Clear, Watch::OnAndOn, &mut |world| {
        world.await_dial(FILE_PORT, daemon(recording!("07-tray-monitor/01-MON-to-FD")).cut_after(24));
    });
    assert_eq!(views(&world)[1].health, Health::Reachable);
    let notices = world.notices.len();
    world.cut(0);
    world.await_dial(FILE_PORT, polite(daemon(recording!("07-tray-monitor/01-MON-to-FD"))));
    assert_eq!(world.notices.len(), notices, "the daemon was not asked, so nothing new is known");
    world.wait(Duration::from_secs(5));
    assert_eq!(views(&world)[1].health, Health::Reachable);
}

#[cfg(feature = "psk")]
#[test]
fn over_tls_the_monitor_has_the_captured_names() {
    use crate::support::peer::Engine;
    use towline_core::wire::names::{PeerKind, PeerName};
    // The capture of a monitor with pre-shared keys has its names in clear, and the rest cannot be read any more.
    let captured = recording!("20d-tls-named-console-tray/psk-names");
    let names: Vec<&str> = captured.lines().filter_map(|line| line.strip_prefix("> text ")).collect();
    assert_eq!(
        names,
        ["R_CONSOLE\\x1eadmin", "R_CONSOLE\\x1ebareos-mon", "R_DIRECTOR\\x1ebareos-mon", "R_DIRECTOR\\x1ebareos-mon"]
    );
    let engine = |captured: &str| {
        let (kind, name) = captured.split_once("\\x1e").expect("a type and a name");
        let kind = if kind == "R_CONSOLE" { PeerKind::Console } else { PeerKind::Director };
        Engine::Psk(PeerName::new(kind, name))
    };
    let why = "the number says how this connection is protected";
    let ssl = |script: Script, who: &str, peer: &str| {
        script
            .differs(why, &["text auth cram-md5 <"], &[&format!("text auth cram-md5 <1.2@{who}> ssl=2\\n")])
            .peer_differs(why, "text auth cram-md5 <", &[&format!("text auth cram-md5 <1.2@{peer}> ssl=2\\n")])
    };
    let mut prepare = |world: &mut World<Tray>| {
        let script = ssl(
            director(recording!("07-tray-monitor/00-MON-to-DIR")),
            "R_CONSOLE::bareos-mon",
            "R_DIRECTOR::bareos-dir",
        );
        world.await_dial(DIRECTOR_PORT, polite(script.asked_once("status dir")).protected(engine(names[1])));
        let script =
            ssl(daemon(recording!("07-tray-monitor/01-MON-to-FD")), "R_DIRECTOR::bareos-mon", "R_CLIENT::bareos-fd");
        world.await_dial(FILE_PORT, polite(script.asked_once("status")).protected(engine(names[2])));
        let script =
            ssl(daemon(recording!("07-tray-monitor/02-MON-to-SD")), "R_DIRECTOR::bareos-mon", "R_STORAGE::bareos-sd");
        world.await_dial(STORAGE_PORT, polite(script.asked_once("status")).protected(engine(names[3])));
    };
    let world = tray(Protection::Psk, Watch::Once, &mut prepare);
    world.assert_done();
    assert_eq!(world.exit, Some(ExitReason::Done));
    assert!(views(&world).iter().all(|view| view.encryption.starts_with("TLS_")), "{:?}", views(&world));
}

/// What a monitor of this name sees of three daemons that know it, over TLS with a key.
#[cfg(feature = "psk")]
fn seen_by(name: &str) -> Vec<Health> {
    use crate::support::peer::Engine;
    use crate::support::roles::{VERSION, tray_called};
    use towline_core::wire::hello::{Hello, Purpose};
    use towline_core::wire::names::{PeerKind, PeerName};
    let own = || name.to_owned();
    let (console, director) =
        (Purpose::Console { name: own(), version: Some("26.0.0".to_owned()) }, Purpose::Director { name: own() });
    let three = [
        (recording!("07-tray-monitor/00-MON-to-DIR"), console, "R_DIRECTOR::bareos-dir", "status dir", DIRECTOR_PORT),
        (recording!("07-tray-monitor/01-MON-to-FD"), director.clone(), "R_CLIENT::bareos-fd", "status", FILE_PORT),
        (recording!("07-tray-monitor/02-MON-to-SD"), director, "R_STORAGE::bareos-sd", "status", STORAGE_PORT),
    ];
    let mut prepare = |world: &mut World<Tray>| {
        for (conv, purpose, peer, question, port) in three.clone() {
            let why = "the number says how this connection is protected";
            let kind = if port == DIRECTOR_PORT { PeerKind::Console } else { PeerKind::Director };
            let me = PeerName::new(kind, name);
            let hello = format!("text {}\\n", Hello::new(purpose, VERSION).to_line().trim_end().replace('"', "\\\""));
            let ours = format!("text auth cram-md5 <1.2@{}> ssl=2\\n", &me.qualified()[..60]);
            let script = Script::new(&conv.replace("bareos-mon", name), Side::Dialler, password("mon-secret"))
                .differs("a hello this long may have no version", &["text Hello "], &[&hello])
                .differs("a challenge has the beginning of a long name", &["text auth cram-md5 <"], &[&ours])
                .peer_differs(why, "text auth cram-md5 <", &[&format!("text auth cram-md5 <1.2@{peer}> ssl=2\\n")]);
            let script = match name.len() > kind.longest_name() {
                true => script.cut_after(0),
                false => polite(script.asked_once(question)),
            };
            world.await_dial(port, script.protected(Engine::Psk(me)));
        }
    };
    let world = tray_called(name, Protection::Psk, Watch::Once, &mut prepare);
    views(&world).iter().map(|view| view.health.clone()).collect()
}

#[cfg(feature = "psk")]
#[test]
fn a_monitor_of_the_longest_name_sees_all_daemons_and_one_of_a_longer_name_says_what_is_wrong() {
    use towline_core::error::{Code, Explain as _};
    use towline_core::wire::names::PeerKind;
    let longest = PeerKind::Director.longest_name();
    assert_eq!(longest, 117);
    assert_eq!(seen_by(&"m".repeat(longest)), vec![Health::Reachable; 3]);
    // As a console it could still have one byte more.
    let seen = seen_by(&"m".repeat(longest + 1));
    assert_eq!(seen[0], Health::Reachable);
    for health in &seen[1..] {
        assert!(matches!(health, Health::Unreachable(why) if why.code() == Code(216)), "{health:?}");
    }
}
