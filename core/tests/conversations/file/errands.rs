//! What a director asks that has to do with no job.

use towline_core::notice::{LogDetail, Notice};
use towline_core::role::file::FileDaemon;

use crate::recording;
use crate::support::conv::Side;
use crate::support::password;
use crate::support::peer::Script;
use crate::support::roles::{Protection, STARTED, file_daemon_with};
use crate::support::world::{PeerId, World};

const DIRECTOR: &str = recording!("01-backup-full/02-DIR-to-FD");

fn world() -> (World<FileDaemon>, PeerId) {
    let mut world = file_daemon_with(Protection::Clear, STARTED, Box::new(|_| None), |config| {
        config["file"]["working_directory"] = "/var/lib/bareos".into();
    });
    let director = world.come_in(Script::new(DIRECTOR, Side::Acceptor, password("fd-secret")).up_to("JobId="));
    world.heard(director);
    (world, director)
}

fn details(world: &World<FileDaemon>) -> Vec<LogDetail> {
    let detail = |notice: &Notice| if let Notice::Detail(detail) = notice { Some(detail.clone()) } else { None };
    world.notices.iter().filter_map(detail).collect()
}

#[test]
fn setdebug_changes_what_the_log_says_and_leaves_what_it_does_not_name() {
    let (mut world, director) = world();
    let file = "tracefile=/var/lib/bareos/bareos-fd.trace";
    let trace = || Some("bareos-fd.trace".to_owned());
    for (asked, answer, detail) in [
        (
            "setdebug=100 trace=1 hangup=0 timestamp=1",
            "setdebug=100 trace=1 hangup=0 timestamp=1",
            (100, trace(), true),
        ),
        (
            "setdebug=-1 trace=-1 hangup=-1 timestamp=-1",
            "setdebug=-1 trace=1 hangup=0 timestamp=1",
            (100, trace(), true),
        ),
        ("setdebug=5 trace=-1", "setdebug=5 trace=1 hangup=0", (5, trace(), true)),
        ("setdebug=0 trace=0 hangup=3 timestamp=0", "setdebug=0 trace=0 hangup=0 timestamp=0", (0, None, false)),
    ] {
        world.say(director, &format!(r"text {asked}\n"));
        assert_eq!(world.heard(director), [format!(r"text 2000 OK {answer} {file}\n")], "{asked}");
        let (level, trace, timestamp) = detail;
        assert_eq!(details(&world).last(), Some(&LogDetail { level, trace, timestamp }), "{asked}");
    }
    world.say(director, r"text setdebug=x\n");
    assert_eq!(world.heard(director)[0], r"text 2991 Bad setdebug command: setdebug=x\n");
}

#[test]
fn a_name_is_looked_up_from_the_client() {
    let (mut world, director) = world();
    for (host, answer) in [
        ("192.0.2.7", "bareos-fd resolves 192.0.2.7 to host[ipv4;192.0.2.7] "),
        ("2001:db8::1", "bareos-fd resolves 2001:db8::1 to host[ipv6;2001:db8::1] "),
        ("no.such.name", "bareos-fd: Failed to resolve no.such.name"),
    ] {
        world.say(director, &format!("text resolve {host}"));
        assert_eq!(world.heard(director), [format!(r"text {answer}\n"), "signal -1".to_owned()], "{host}");
    }
}
