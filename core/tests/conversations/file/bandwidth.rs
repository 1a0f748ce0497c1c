//! The file daemon is told how fast jobs may be, and says how far they are.

use std::time::Duration;

use towline_core::secret::Secret;

use crate::recording;
use crate::support::conv::Side;
use crate::support::files::{hands, recorded_files};
use crate::support::password;
use crate::support::peer::Script;
use crate::support::roles::{Protection, STARTED, file_daemon_with};
use crate::support::world::{PeerId, World};

use towline_core::role::file::FileDaemon;

const DIRECTOR: &str = recording!("01-backup-full/02-DIR-to-FD");
const STORAGE: &str = recording!("01-backup-full/03-FD-to-SD");
const KEY: &str = "DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF";
const JOB: &str = "backup-tiny.2026-11-23_13.01.31_03";

fn world(change: impl FnOnce(&mut serde_json::Value)) -> World<FileDaemon> {
    file_daemon_with(Protection::Clear, STARTED, hands(recorded_files(STORAGE)).0, change)
}

fn director(conv: &str) -> Script {
    Script::new(conv, Side::Acceptor, password("fd-secret"))
}

/// A director whose job has begun to send its data, and a storage daemon that takes all of it.
fn busy(world: &mut World<FileDaemon>) -> PeerId {
    let storage = Script::new(STORAGE, Side::Dialler, Secret::from(KEY));
    world.await_dial(42_003, storage.cut_after(usize::MAX));
    world.come_in(director(DIRECTOR).cut_after(usize::MAX))
}

/// A session of its own that asks for the status.
fn status(world: &mut World<FileDaemon>) -> String {
    answer(world, "status")
}

/// What a session of its own hears when it says this.
fn answer(world: &mut World<FileDaemon>, line: &str) -> String {
    let asks = world.come_in(director(recording!("03-console/01-DIR-to-FD")).up_to("status"));
    world.heard(asks);
    world.say(asks, &format!("text {line}\\n"));
    let text = world.heard(asks).concat();
    world.say(asks, "signal -4");
    text
}

#[test]
fn a_limit_for_a_job_that_is_not_there_is_answered_as_recorded() {
    let mut world = world(|_| {});
    let script = director(recording!("11b-setbandwidth/01-DIR-to-FD"));
    let script = script.differs(
        "a name that is no text is repeated as text",
        &["text 2901 Job "],
        &["text 2901 Job \\xef\\xbf\\xbd%\\xef\\xbf\\xbd\\xef\\xbf\\xbd\\x7f not found.\\n"],
    );
    world.come_in(script);
    world.assert_done();
}

#[test]
fn a_limited_job_takes_its_time_and_its_status_says_how_far_it_is() {
    let mut world = world(|config| config["directors"][0]["maximum_bandwidth_per_job"] = serde_json::json!(500));
    let job = busy(&mut world);
    let began = status(&mut world);
    assert!(began.contains("Bytes/sec=0 Errors=0\\n    Bwlimit=500\\n"), "{began}");
    world.wait(Duration::from_secs(2));
    let text = answer(&mut world, ".status running");
    assert!(!text.contains("Connections:") && status(&mut world).contains(" Bytes="), "{text}");
    let files = text.split_once("    Files=").map_or("", |(_, rest)| rest);
    let bytes = files.split_once(" Bytes=").and_then(|(_, rest)| rest.split_once(' ')).map_or("", |(bytes, _)| bytes);
    let bytes: u64 = bytes.replace(',', "").parse().unwrap_or_else(|_| panic!("{text}"));
    assert!((900..=1_300).contains(&bytes), "{bytes} bytes in 2 s at 500 a second: {text}");
    assert!(files.starts_with("6 Bytes="), "all files begin in the one parcel under way: {text}");
    assert!(text.contains("    Doing: the data\\n"), "{text}");
    assert!(!world.heard(job).iter().any(|line| line.contains("2800 End Job")), "it takes longer than that");
}

#[test]
fn a_limit_is_set_and_lifted_for_one_job_from_another_session() {
    let mut world = world(|config| config["file"]["maximum_bandwidth_per_job"] = serde_json::json!(1));
    let job = busy(&mut world);
    let other = world.come_in(director(recording!("03-console/01-DIR-to-FD")).up_to("status"));
    world.heard(other);
    world.say(other, &format!("text setbandwidth=2 Job={JOB}\\n"));
    assert_eq!(world.heard(other), ["text 2000 OK Bandwidth\\n"]);
    assert!(status(&mut world).contains("Bwlimit=2\\n"));
    world.say(other, "text setbandwidth=3 Job=another\\n");
    assert_eq!(world.heard(other), ["text 2901 Job another not found.\\n", "text 2000 OK Bandwidth\\n"]);
    world.wait(Duration::from_secs(60));
    assert!(!world.heard(job).iter().any(|line| line.contains("2800 End Job")));
    // For all jobs: this one, and those to come.
    world.say(other, "text setbandwidth=0 Job=\\n");
    assert_eq!(world.heard(other), ["text 2000 OK Bandwidth\\n"]);
    assert!(!status(&mut world).contains("Bwlimit=2\\n"), "it is done, or goes as fast as it can");
}
