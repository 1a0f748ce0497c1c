//! What a director hears of a job while it is being written.

use std::time::Duration;

use serde_json::json;
use towline_core::role::storage::StorageDaemon;

use crate::support::catalog::Catalog;
use crate::support::conv::Frame;
use crate::support::roles::{Protection, STARTED, storage_daemon_with};
use crate::support::volumes::hands;
use crate::support::world::World;

use super::jobs::*;

/// Backs up more than a block of data at each of these seconds, told to a director of this version. Returns what it heard of figures, and
/// the pieces that were recorded before the end.
fn backed_up(version: &str, checkpoints: u32, seconds: &[u64]) -> (Vec<String>, usize) {
    let (hands, _shelf) = hands();
    let mut world = storage_daemon_with(Protection::Clear, STARTED, hands, |config| {
        config["storage"]["checkpoint_interval"] = json!(checkpoints);
    });
    let mut job = job(1);
    let hello = job.director.replace("Version=\"26.0.0\"", version);
    assert!(version.contains("26.0.0") || hello != job.director, "the recording says its version");
    job.director = hello;
    let director = run(&mut world, &job);
    let mut catalog = Catalog::with(&["Full-0001"]);
    let mut heard = serve(&mut world, director, &mut catalog);
    let file = world.come_in(file_script(&job).up_to("1 1 0"));
    world.heard(file);
    let say = |world: &mut World<StorageDaemon>, frames: &[Frame]| {
        frames.iter().for_each(|frame| world.peers[file].say(frame));
        world.run();
    };
    say(&mut world, &[Frame::text("1 1 0"), Frame::Data(attributes()), Frame::Signal(-1), Frame::text("1 2 0")]);
    let mut now = 0;
    for second in seconds {
        world.wait(Duration::from_secs(second - now));
        now = *second;
        say(&mut world, &[Frame::Data(vec![7; 600_000]), Frame::Data(vec![7; 500_000])]);
        heard.extend(serve(&mut world, director, &mut catalog));
    }
    let pieces = catalog.asked.iter().filter(|ask| ask.starts_with("CreateJobMedia FirstIndex=1 ")).count();
    say(&mut world, &[Frame::Signal(-1), Frame::Signal(-1)]);
    heard.extend(serve(&mut world, director, &mut catalog));
    world.heard(file);
    finish(&mut world, file);
    heard.extend(serve(&mut world, director, &mut catalog));
    assert!(heard.iter().any(|line| line.contains("JobStatus=84 JobFiles=1 ")), "{heard:#?}");
    heard.retain(|line| line.contains("UpdateJobRecord"));
    (heard, pieces)
}

const NEW: &str = "Version=\"26.0.0\"";

#[test]
fn a_director_hears_every_ten_seconds_how_much_is_on_the_volume() {
    let (told, pieces) = backed_up(NEW, 0, &[1, 2, 12, 13, 14, 40]);
    assert_eq!((told.len(), pieces), (2, 0), "{told:#?}");
    let bytes: Vec<u64> = told
        .iter()
        .map(|line| {
            let figures = line.strip_prefix(&format!("text Catreq Job={JOB} UpdateJobRecord JobFiles=1 JobBytes="));
            figures.and_then(|text| text.strip_suffix(r"\n")).unwrap_or_else(|| panic!("{line}")).parse().unwrap()
        })
        .collect();
    assert!(bytes[0] > 1_000_000 && bytes[1] > bytes[0] && bytes[1] < 6 * 1_100_100, "{bytes:?}");
}

#[test]
fn a_director_from_before_such_reports_hears_none() {
    for version in ["Version=\"21.1.4\"", ""] {
        assert_eq!(backed_up(version, 0, &[1, 2, 12, 40]), (vec![], 0), "{version:?}");
    }
    assert_eq!(backed_up("Version=\"22.0.0\"", 0, &[1, 2, 12, 40]).0.len(), 2);
}

#[test]
fn what_is_written_is_recorded_before_its_piece_is_complete_if_it_is_to_be() {
    let (_, pieces) = backed_up(NEW, 60, &[1, 2, 61, 63, 100, 130]);
    assert_eq!(pieces, 2);
}
