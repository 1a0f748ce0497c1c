//! What an operator has done with devices and volumes.

use std::time::Duration;

use crate::support::catalog::Catalog;
use crate::support::conv::Side;
use crate::support::password;
use crate::support::peer::Script;
use crate::support::roles::{Protection, STARTED, storage_daemon_with};
use crate::support::volumes::hands;
use crate::support::world::{PeerId, World};

use towline_core::notice::Notice;
use towline_core::role::storage::StorageDaemon;

use super::jobs::*;

const DEVICE: &str = r#""FileStorage1" (/srv/bareos-run/storage/sd)"#;

/// A director says something on a session of its own; what it hears to the end of data.
fn said(world: &mut World<StorageDaemon>, line: &str) -> Vec<String> {
    let director = session(world);
    world.say(director, &format!("text {line}"));
    let mut heard = world.heard(director);
    assert_eq!(heard.pop().as_deref(), Some("signal -1"), "{line}: {heard:?}");
    world.say(director, "signal -4");
    let text = |line: String| line.trim_start_matches("text ").trim_end_matches(r"\n").to_owned();
    heard.into_iter().map(text).collect()
}

fn label(volume: &str) -> String {
    format!(
        "label FileStorage1 VolumeName={volume} PoolName=Full MediaType=File1 Slot=0 drive=-1 MinBlocksize=0 MaxBlocksize=0"
    )
}

fn relabel(old: &str, new: &str) -> String {
    format!(
        "relabel FileStorage1 OldName={old} NewName={new} PoolName=Full MediaType=File1 Slot=0 drive=0 MinBlocksize=0 \
         MaxBlocksize=0"
    )
}

/// A job that waits for a volume.
fn waiting_job(world: &mut World<StorageDaemon>, catalog: &mut Catalog) -> PeerId {
    let job = job(1);
    let director = run(world, &job);
    world.come_in(file_script(&job).until_we_say("3000 OK append data"));
    let heard = serve(world, director, catalog);
    assert_eq!(heard.last(), Some(&status_of(109, &job.name)), "{heard:?}");
    director
}

#[test]
fn a_new_volume_gets_a_label_and_a_labelled_one_no_other() {
    let (mut world, shelf) = world();
    let heard = said(&mut world, &label("Hand-1"));
    let bytes = shelf.lock().unwrap().volumes["Hand-1"].bytes;
    assert_eq!(heard, [format!(r#"3000 OK label. VolFiles=0 VolBytes={bytes} Volume="Hand-1" Device={DEVICE}"#)]);
    {
        let shelf = shelf.lock().unwrap();
        let label = &shelf.volumes["Hand-1"].label;
        assert_eq!((&label.pool[..], &label.media_type[..]), (&b"Full"[..], &b"File1"[..]));
        assert_eq!((&label.pool_type[..], &label.program[..]), (&b"Backup"[..], &b"bareos-sd"[..]));
    }
    let again = said(&mut world, &label("Hand-1"));
    assert_eq!(again, [r#"3920 Cannot label Volume because it is already labeled: "Hand-1""#]);
    let nowhere = said(&mut world, &label("x").replace("FileStorage1", "Nope"));
    assert_eq!(nowhere, [r#"3999 Device "Nope" not found or could not be opened."#]);
    let unread = said(&mut world, "label FileStorage1 VolumeName=x");
    assert_eq!(unread, ["3903 Error scanning label command: label FileStorage1 VolumeName=x"]);
    world.assert_done();
}

#[test]
fn a_volume_is_labelled_anew_only_if_it_is_the_one_that_is_named() {
    let (mut world, shelf) = world();
    said(&mut world, &label("Old"));
    assert!(said(&mut world, &relabel("Old", "New"))[0].contains(r#"Volume="New""#));
    assert_eq!(shelf.lock().unwrap().volumes.keys().collect::<Vec<_>>(), ["New"]);
    // Under its own name: truncated.
    assert!(said(&mut world, &relabel("New", "New"))[0].starts_with("3000 OK label."));
    let gone = said(&mut world, &relabel("Old", "Other"));
    assert_eq!(gone, [format!(r#"3910 Unable to open device "{DEVICE}": ERR=Old does not exist"#)]);
    shelf.lock().unwrap().spoilt.push("New".to_owned());
    assert_eq!(said(&mut world, &relabel("New", "Other")), ["3921 Wrong volume mounted."]);
}

#[test]
fn a_device_is_mounted_always_and_released_already() {
    let (mut world, _) = world();
    for (line, answer) in [
        ("mount FileStorage1 drive=-1", format!("3906 File device {DEVICE} is always mounted.")),
        ("mount FileStorage1 drive=-1 slot=2", format!("3906 File device {DEVICE} is always mounted.")),
        ("mount Nope drive=-1", "3999 Device Nope not found or could not be opened.".to_owned()),
        ("release FileStorage1 drive=-1", format!(r#"3921 Device "{DEVICE}" already released."#)),
        ("release Nope drive=-1", r#"3999 Device "Nope" not found or could not be opened."#.to_owned()),
        (
            "autochanger slots FileStorage1",
            format!("3998 Device {DEVICE} is not an autochanger.")
                .replace(&format!("Device {DEVICE}"), &format!(r#"Device "{DEVICE}""#)),
        ),
        ("autochanger drives Nope", r#"3999 Device "Nope" not found or could not be opened."#.to_owned()),
    ] {
        assert_eq!(said(&mut world, line), [answer], "{line}");
    }
    let read = said(&mut world, "readlabel FileStorage1 Slot=0 drive=-1");
    assert!(read[0].starts_with("3902 Cannot mount Volume on Storage Device"), "{read:?}");
}

#[test]
fn an_unmounted_device_is_used_by_no_job_until_it_is_mounted() {
    let (mut world, _) = world();
    let (unmount, mount) = ("unmount FileStorage1 drive=-1", "mount FileStorage1 drive=-1");
    assert_eq!(said(&mut world, unmount), [format!(r#"3002 Device "{DEVICE}" unmounted."#)]);
    assert_eq!(said(&mut world, unmount), [format!(r#"3901 Device "{DEVICE}" is already unmounted."#)]);
    let mut catalog = Catalog::with(&["Full-0001"]);
    let job = job(1);
    let director = run(&mut world, &job);
    world.come_in(file_script(&job));
    let heard = serve(&mut world, director, &mut catalog);
    assert_eq!(heard.last(), Some(&status_of(83, &job.name)), "{heard:?}");
    let messages = world.job_messages(director);
    let said_why = |text: &String| text.contains(r#"waiting for device "FileStorage1": an operator has unmounted it"#);
    assert!(messages.iter().any(said_why), "{messages:?}");
    assert_eq!(said(&mut world, mount), [format!("3906 File device {DEVICE} is always mounted.")]);
    let heard = serve(&mut world, director, &mut catalog);
    assert_ended(&heard, &job.name, GOOD);
}

#[test]
fn a_device_that_is_writing_cannot_be_taken_away() {
    let (mut world, _) = world();
    let mut catalog = Catalog::with(&["Full-0001"]);
    let job = job(1);
    let director = run(&mut world, &job);
    let file = world.come_in(file_script(&job).up_to("3 2 0"));
    serve(&mut world, director, &mut catalog);
    for command in ["unmount", "release"] {
        let heard = said(&mut world, &format!("{command} FileStorage1 drive=-1"));
        assert_eq!(heard, [format!(r#"3937 Device "{DEVICE}" is busy with writers=1 reserved=0."#)], "{command}");
    }
    assert_eq!(
        said(&mut world, "mount FileStorage1 drive=-1"),
        [format!(r#"3001 Device {DEVICE} is mounted with Volume "Full-0001""#)]
    );
    // Nor is its volume: another may be labelled.
    assert!(said(&mut world, &relabel("Full-0001", "Full-0001"))[0].starts_with("3937 "));
    assert!(said(&mut world, &label("Hand-1"))[0].starts_with("3000 OK label."));
    world.cut(file);
}

#[test]
fn a_job_that_waits_for_a_volume_goes_on_when_one_is_labelled_and_mounted() {
    let (mut world, shelf) = world();
    let mut catalog = Catalog::default();
    let director = waiting_job(&mut world, &mut catalog);
    let messages = world.job_messages(director);
    let says = r#"label storage=File1 pool=Full volume=NAME"#;
    assert!(messages.iter().any(|text| text.contains("is waiting") && text.contains(says)), "{messages:?}");
    let release = said(&mut world, "release FileStorage1 drive=-1");
    assert_eq!(release, [format!(r#"3922 Device "{DEVICE}" waiting for sysop."#)]);
    said(&mut world, &label("Hand-1"));
    // The director has a row for it now, and says so by mounting.
    catalog.add("Hand-1");
    catalog.set("Hand-1", "VolStatus", "Append");
    let bytes = shelf.lock().unwrap().volumes["Hand-1"].bytes.to_string();
    catalog.set("Hand-1", "VolBytes", &bytes);
    let mount = said(&mut world, "mount FileStorage1 drive=-1");
    assert_eq!(mount, [format!("3001 OK mount requested. Device={DEVICE}")]);
    let heard = serve(&mut world, director, &mut catalog);
    assert_eq!(heard.first(), Some(&status_of(82, &job(1).name)), "{heard:?}");
    assert_eq!(catalog.field("Hand-1", "VolJobs"), "1");
}

#[test]
fn a_job_that_waits_for_a_volume_on_an_unmounted_device_asks_for_none() {
    let (mut world, _) = world();
    let mut catalog = Catalog::default();
    let director = waiting_job(&mut world, &mut catalog);
    let unmount = said(&mut world, "unmount FileStorage1 drive=-1");
    assert_eq!(unmount, [format!(r#"3001 Device "{DEVICE}" unmounted."#)]);
    catalog.add("Full-0001");
    let asked = catalog.asked.len();
    world.wait(Duration::from_secs(100));
    serve(&mut world, director, &mut catalog);
    assert_eq!(catalog.asked.len(), asked);
    let release = said(&mut world, "release FileStorage1 drive=-1");
    assert_eq!(release, [format!(r#"3922 Device "{DEVICE}" waiting for mount."#)]);
    said(&mut world, "mount FileStorage1 drive=-1");
    serve(&mut world, director, &mut catalog);
    assert_eq!(catalog.field("Full-0001", "VolJobs"), "1");
}

/// A storage daemon whose first device has this setting.
fn world_with(setting: &str, value: u32) -> World<StorageDaemon> {
    storage_daemon_with(Protection::Clear, STARTED, hands().0, |config| {
        config["devices"][0][setting] = value.into();
    })
}

#[test]
fn two_jobs_at_once_get_a_device_and_a_volume_each() {
    for setting in ["count", "maximum_concurrent_jobs"] {
        let mut world = world_with(setting, 2);
        let mut catalog = Catalog::with(&["Full-0001", "Full-0002"]);
        let jobs: Vec<_> = [job(1), job(2)].into_iter().collect();
        let mut directors = Vec::new();
        for job in &jobs {
            let director = run(&mut world, job);
            let file = world.come_in(file_script(job).up_to("3 2 0"));
            let heard = serve(&mut world, director, &mut catalog);
            assert_eq!(heard.last(), Some(&status_of(82, &job.name)), "{setting}: {heard:?}");
            directors.push((director, file));
        }
        for volume in ["Full-0001", "Full-0002"] {
            assert_eq!(catalog.field(volume, "VolJobs"), "1", "{setting}");
        }
        // The third has nothing but to wait, with a count or without.
        let third = job(3);
        let director = run(&mut world, &third);
        world.come_in(file_script(&third).up_to("3 2 0"));
        let heard = serve(&mut world, director, &mut catalog);
        assert_eq!(heard.last(), Some(&status_of(83, &third.name)), "{setting}: {heard:?}");
        // Its volume is free when the first lets go.
        world.cut(directors[0].1);
        serve(&mut world, directors[0].0, &mut catalog);
        let heard = serve(&mut world, director, &mut catalog);
        assert_eq!(heard.last(), Some(&status_of(82, &third.name)), "{setting}: {heard:?}");
        assert_eq!(catalog.field("Full-0001", "VolJobs"), "2", "{setting}");
    }
}

#[test]
fn a_job_takes_the_device_that_is_free_of_those_its_director_names() {
    let mut world = storage_daemon_with(Protection::Clear, STARTED, hands().0, |config| {
        config["devices"][1]["media_type"] = "File1".into();
    });
    let mut catalog = Catalog::with(&["Full-0001", "Full-0002"]);
    let (first, second) = (job(1), job(2));
    let director = run(&mut world, &first);
    world.come_in(file_script(&first).up_to("3 2 0"));
    serve(&mut world, director, &mut catalog);
    let other = world.come_in(director_script(&second).up_to("use device="));
    world.heard(other);
    let devices = [r"text use device=FileStorage1\n", r"text use device=FileStorage2\n"];
    for line in devices.into_iter().chain(["signal -1", "signal -1", "text run"]) {
        world.say(other, line);
    }
    world.come_in(file_script(&second).up_to("3 2 0"));
    let heard = serve(&mut world, other, &mut catalog);
    assert_eq!(heard.last(), Some(&status_of(82, &second.name)), "{heard:?}");
    let busy = said(&mut world, "unmount FileStorage2 drive=-1");
    assert!(busy[0].starts_with("3937 Device"), "{busy:?}");
}

#[test]
fn two_jobs_with_one_volume_take_turns_at_it() {
    let mut world = world_with("maximum_concurrent_jobs", 2);
    let mut catalog = Catalog::with(&["Full-0001"]);
    let (first, second) = (job(1), job(2));
    let director = run(&mut world, &first);
    let file = world.come_in(file_script(&first).up_to("3 2 0"));
    serve(&mut world, director, &mut catalog);
    let other = run(&mut world, &second);
    world.come_in(file_script(&second));
    let heard = serve(&mut world, other, &mut catalog);
    assert_eq!(heard.last(), Some(&status_of(109, &second.name)), "{heard:?}");
    world.cut(file);
    serve(&mut world, director, &mut catalog);
    let heard = serve(&mut world, other, &mut catalog);
    assert_ended(&heard, &second.name, GOOD);
    assert_eq!(catalog.field("Full-0001", "VolJobs"), "2");
}

#[test]
fn a_changer_without_slots_says_so() {
    let mut world = world_with("count", 2);
    for (line, answers) in [
        ("autochanger drives FileStorage1", vec!["drives=3"]),
        ("autochanger slots FileStorage1", vec![r#"3306 Issuing autochanger "slots" command."#, "slots=0"]),
        ("autochanger listall FileStorage1", vec![r#"3306 Issuing autochanger "listall" command."#]),
        ("autochanger transfer FileStorage1 1 2", vec!["3998 Autochanger error: ERR=this changer has no slots"]),
    ] {
        assert_eq!(said(&mut world, line), answers, "{line}");
    }
    let director = session(&mut world);
    world.say(director, r"text setdevice device=FileStorage10001 autoselect=0");
    assert_eq!(world.heard(director), [r"text 3000 OK setdevice=FileStorage10001 autoselect=0\n"]);
    // The first that a job still takes by itself.
    assert!(said(&mut world, "release FileStorage1 drive=-1")[0].contains(r#""FileStorage10002""#));
    assert!(said(&mut world, "release FileStorage1 drive=0")[0].contains(r#""FileStorage10000""#));
}

#[test]
fn a_status_lists_each_device_of_a_changer() {
    let mut world = world_with("count", 2);
    let monitor = DIRECTOR.replace("bareos-dir", "bareos-mon");
    let monitor = world.come_in(Script::new(&monitor, Side::Acceptor, password("mon-secret")).up_to("JobId="));
    world.heard(monitor);
    world.say(monitor, "text status FileStorage1");
    let heard = world.heard(monitor).concat();
    for name in ["FileStorage10000", "FileStorage10001", "FileStorage10002"] {
        assert!(
            heard.contains(&format!(r#"\nDevice "{name}" (/srv/bareos-run/storage/sd) is not open.\n"#)),
            "{heard}"
        );
    }
    assert!(!heard.contains("FileStorage2"), "{heard}");
}

#[test]
fn setdebug_is_answered_with_what_is_so_now_and_no_end_of_data() {
    let mut world = storage_daemon_with(Protection::Clear, STARTED, hands().0, |config| {
        config["storage"]["working_directory"] = "/var/lib/bareos".into();
    });
    let director = session(&mut world);
    for (asked, answer) in [
        ("setdebug=100 trace=1 timestamp=1", "setdebug=100 trace=1 timestamp=1"),
        ("setdebug=-1 trace=-1 timestamp=-1", "setdebug=-1 trace=1 timestamp=1"),
        ("setdebug=0 trace=0 timestamp=0", "setdebug=0 trace=0 timestamp=0"),
    ] {
        world.say(director, &format!(r"text {asked}\n"));
        let expected = format!(r"text 3000 OK {answer} tracefile=/var/lib/bareos/bareos-sd.trace\n");
        assert_eq!(world.heard(director), [expected], "{asked}");
    }
    let details = world.notices.iter().filter_map(|notice| match notice {
        Notice::Detail(detail) => Some((detail.level, detail.timestamp)),
        _ => None,
    });
    assert_eq!(details.collect::<Vec<_>>(), [(100, true), (100, true), (0, false)]);
}

#[test]
fn a_name_is_looked_up_from_the_storage_daemon() {
    let mut world = storage_daemon_with(Protection::Clear, STARTED, hands().0, |_| {});
    for (host, answer) in [
        ("192.0.2.7", "bareos-sd resolves 192.0.2.7 to host[ipv4;192.0.2.7] "),
        ("no.such.name", "bareos-sd: Failed to resolve no.such.name"),
    ] {
        assert_eq!(said(&mut world, &format!("resolve {host}")), [answer], "{host}");
    }
}

#[test]
fn the_director_is_told_only_the_kinds_of_messages_that_are_for_it() {
    for (types, is_told) in [("info", true), ("debug", false)] {
        let mut world = storage_daemon_with(Protection::Clear, STARTED, hands().0, |config| {
            let to = serde_json::json!([{ "kind": "director", "types": [types, "warning", "mount", "error"] }]);
            config["messages"] = serde_json::json!([{ "name": "Standard", "destinations": to }]);
        });
        let mut catalog = Catalog::with(&["Full-0001"]);
        let job = job(1);
        let director = run(&mut world, &job);
        world.come_in(file_script(&job));
        let heard = serve(&mut world, director, &mut catalog);
        assert_ended(&heard, &job.name, GOOD);
        let messages = world.job_messages(director);
        assert_eq!(messages.iter().any(|text| text.contains(" type=6 ")), is_told, "{messages:#?}");
    }
}
