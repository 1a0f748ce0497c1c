//! Folders that become links or files, and back, between a full and an incremental backup, and in the place of a restore.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod support;

use std::fs;
use std::os::unix::fs::symlink;

use support::assert_restored;
use support::network::{Network, Plan};

/// A full backup, then an incremental one of a source in which a folder became a link, a file a folder, a link a file.
fn changed() -> Network {
    let network = Network::start(&Plan::default());
    let at = |name: &str| network.source.join(name);
    fs::create_dir_all(at("folder/sub")).unwrap();
    fs::write(at("folder/sub/deep"), "deep").unwrap();
    fs::write(at("folder/old"), "old").unwrap();
    fs::write(at("file"), "file").unwrap();
    symlink("folder", at("link")).unwrap();
    let full = network.backup();
    assert!(full.is_ok(), "{}", full.report);
    // Files and folders change no sooner than in the second after the job began.
    let began = std::time::SystemTime::now();
    support::wait_for("the next second", || (began.elapsed().ok()?.as_millis() > 1100).then_some(()));
    let outside = network.place("outside");
    fs::rename(at("folder"), &outside).unwrap();
    symlink(&outside, at("folder")).unwrap();
    fs::remove_file(at("file")).unwrap();
    fs::create_dir(at("file")).unwrap();
    fs::write(at("file/new"), "new").unwrap();
    fs::remove_file(at("link")).unwrap();
    fs::write(at("link"), "no link").unwrap();
    let incremental = network.run("run job=b level=incremental yes");
    assert!(incremental.is_ok(), "{}", incremental.report);
    network
}

#[test]
fn a_restore_of_what_changed_its_kind_is_the_saved_state_whatever_is_replaced() {
    let network = changed();
    for replace in ["always", "never"] {
        let place = network.place(replace);
        let ended = network.restore(&place, &format!("replace={replace}"));
        assert!(ended.is_ok(), "{}", ended.report);
        assert_restored(&network.source, &place);
    }
    // The state before comes back over the state after, and the other way round, and nothing outside is touched.
    let place = network.place("always");
    let restored = place.join(network.source.strip_prefix("/").unwrap());
    let before = network.restore(&place, "jobid=1 replace=always");
    assert!(before.is_ok(), "{}", before.report);
    assert!(fs::symlink_metadata(restored.join("folder")).unwrap().is_dir());
    assert_eq!(fs::read(restored.join("folder/sub/deep")).unwrap(), b"deep");
    assert_eq!(fs::read(restored.join("file")).unwrap(), b"file");
    assert_eq!(fs::read_link(restored.join("link")).unwrap().to_str(), Some("folder"));
    let after = network.restore(&place, "replace=always");
    assert!(after.is_ok(), "{}", after.report);
    assert_restored(&network.source, &place);
    assert_eq!(fs::read(network.place("outside").join("old")).unwrap(), b"old");
    assert_eq!(fs::read_dir(network.place("outside")).unwrap().count(), 2);
}
