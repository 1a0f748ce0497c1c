//! The storage daemon is told how fast jobs may be, and says how far they are.

use std::time::Duration;

use towline_core::role::storage::StorageDaemon;
use towline_core::secret::Secret;

use crate::recording;
use crate::support::conv::Side;
use crate::support::password;
use crate::support::peer::Script;
use crate::support::roles::{Protection, STARTED, storage_daemon_with};
use crate::support::volumes::hands;
use crate::support::world::{PeerId, World};

const KEY: &str = "DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF";
const JOB: &str = "backup-tiny.2026-11-23_13.01.31_03";

fn director(conv: &str) -> Script {
    Script::new(conv, Side::Acceptor, password("sd-secret"))
}

/// A storage daemon that receives the recorded backup at so many bytes a second. Returns the director.
fn busy(limit: u64) -> (World<StorageDaemon>, PeerId) {
    let mut world = storage_daemon_with(Protection::Clear, STARTED, hands().0, |config| {
        config["storage"]["maximum_bandwidth_per_job"] = serde_json::json!(limit);
    });
    let job = world.come_in(director(recording!("01-backup-full/01-DIR-to-SD")).cut_after(usize::MAX));
    let file = recording!("01-backup-full/03-FD-to-SD");
    world.come_in(Script::new(file, Side::Acceptor, Secret::from(KEY)).cut_after(usize::MAX));
    (world, job)
}

/// A session of a director that has said nothing yet.
fn session(world: &mut World<StorageDaemon>) -> PeerId {
    let peer = world.come_in(director(recording!("03-console/02-DIR-to-SD")).up_to("status"));
    world.heard(peer);
    peer
}

fn status(world: &mut World<StorageDaemon>) -> String {
    answer(world, "status")
}

/// What a session of its own hears when it says this.
fn answer(world: &mut World<StorageDaemon>, line: &str) -> String {
    let asks = session(world);
    world.say(asks, &format!("text {line}\\n"));
    let text = world.heard(asks).concat();
    world.say(asks, "signal -4");
    text
}

#[test]
fn a_limited_job_takes_its_time_and_its_status_says_how_far_it_is() {
    let (mut world, job) = busy(200);
    world.wait(Duration::from_secs(5));
    let text = answer(&mut world, ".status running");
    assert!(!text.contains("Connections:") && status(&mut world).contains(" Bytes="), "{text}");
    let numbers = text.split_once("    Files=").map_or("", |(_, rest)| rest);
    let bytes = numbers.split_once("Bytes=").and_then(|(_, rest)| rest.split_once(' ')).map_or("", |(bytes, _)| bytes);
    let bytes: u64 = bytes.replace(',', "").parse().unwrap_or_else(|_| panic!("{text}"));
    assert!((300..=1_100).contains(&bytes), "{bytes} bytes of records in 5 s at 200 a second: {text}");
    assert!(numbers.contains(" AveBytes/sec=") && numbers.contains(" LastBytes/sec="), "{text}");
    assert!(!world.heard(job).iter().any(|line| line.starts_with("text 3099 ")), "it takes longer than that");
    // Lifted, it is done at once.
    let other = session(&mut world);
    world.say(other, &format!("text setbandwidth=0 Job={JOB}\\n"));
    assert_eq!(world.heard(other), ["text 2000 OK Bandwidth\\n"]);
    assert!(!status(&mut world).contains("AveBytes/sec=200"), "nothing holds it any more");
}

#[test]
fn a_limit_for_a_job_that_is_not_there_gets_two_answers_and_the_session_goes_on() {
    let (mut world, _) = busy(200);
    let other = session(&mut world);
    world.say(other, "text setbandwidth=5 Job=another\\n");
    assert_eq!(world.heard(other), ["text 2901 Job another not found.\\n", "text 2000 OK Bandwidth\\n"]);
    world.say(other, "text setbandwidth=-1 Job=\\n");
    let heard = world.heard(other);
    assert!(heard[0].starts_with("text 2991 Bad setbandwidth command"), "{heard:?}");
}
