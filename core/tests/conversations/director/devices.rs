//! Commands about devices and volumes: what storage daemons are told, and what the catalog hears.

use serde_json::json;
use towline_core::catalog::memory::MemoryCatalog;
use towline_core::catalog::{CatalogAnswer, CatalogRequest, MediaRow, VolStatus};

use super::desk::{Desk, FILE_PORT, STORAGE_PORT, config, errand};

const DEVICE: &str = r#""FileStorage1" (/srv/vol)"#;
const LABELLED: &str = r#"text 3000 OK label. VolFiles=0 VolBytes=203 Volume="x" Device="FileStorage1" (/srv/vol)\n"#;

/// A storage daemon that answers the commands it is sent, each on a connection of its own. Returns what it was told.
fn answers(desk: &mut Desk, console: usize, command: &str, answers: &[&str]) -> (Vec<String>, Vec<String>) {
    for _ in answers {
        desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    }
    let first = desk.world.peers.len();
    let mut heard = desk.ask(console, command);
    let mut told = Vec::new();
    for (peer, answer) in (first..).zip(answers) {
        let last = desk.world.heard(peer).into_iter().rfind(|line| line.starts_with("text "));
        told.push(last.unwrap_or_default().trim_start_matches("text ").trim_end_matches(r"\n").to_owned());
        desk.world.say(peer, answer);
        desk.world.say(peer, "signal -1");
        heard.extend(desk.world.heard(console));
    }
    (told, heard)
}

fn volume(desk: &Desk, name: &str) -> Option<Box<MediaRow>> {
    match desk.shelf().catalog.serve(CatalogRequest::VolumeByName(name.to_owned())) {
        Ok(CatalogAnswer::Volume(row)) => row,
        other => panic!("{other:?}"),
    }
}

/// Puts a volume into the catalog.
fn add(desk: &Desk, name: &str, status: VolStatus, bytes: u64) {
    let label = MediaRow {
        volume_name: name.to_owned(),
        pool_id: 1,
        media_type: "File1".to_owned(),
        vol_status: status,
        vol_bytes: bytes,
        recycle: true,
        enabled: true,
        storage_id: 1,
        ..MediaRow::default()
    };
    desk.shelf().catalog.serve(CatalogRequest::CreateMedia(Box::new(label))).expect("a new volume");
}

#[test]
fn a_volume_is_labelled_put_into_the_catalog_and_mounted() {
    let mut desk = Desk::open();
    let console = desk.console();
    let mount = format!(r"text 3906 File device {DEVICE} is always mounted.\n");
    let command = "label volume=TESTVOL1 pool=Full storage=File1 yes";
    let (told, heard) = answers(&mut desk, console, command, &[LABELLED, &mount]);
    assert_eq!(
        told,
        [
            "label FileStorage1 VolumeName=TESTVOL1 PoolName=Full MediaType=File1 Slot=0 drive=-1 MinBlocksize=0 \
             MaxBlocksize=0",
            "mount FileStorage1 drive=-1",
        ]
    );
    let heard = heard.concat();
    for line in [
        r#"Sending label command for Volume "TESTVOL1" Slot 0 ...\n"#,
        "3000 OK label. VolFiles=0 VolBytes=203",
        r#"Catalog record for Volume "TESTVOL1", Slot 0 successfully created.\n"#,
        r"Requesting to mount FileStorage1 ...\n",
        "is always mounted",
    ] {
        assert!(heard.contains(line), "{line}: {heard}");
    }
    assert!(heard.ends_with("signal -1"), "{heard}");
    let row = volume(&desk, "TESTVOL1").unwrap();
    assert_eq!((row.vol_status, row.vol_bytes, row.pool.as_str()), (VolStatus::Append, 203, "Full"));
    assert_eq!((row.storage.as_str(), row.max_vol_bytes, row.media_type.as_str()), ("File1", 21_474_836_480, "File1"));
    // Its name is taken now.
    let again = desk.ask(console, command).concat();
    assert!(again.contains(r#"Media record for new Volume "TESTVOL1" already exists."#), "{again}");
}

#[test]
fn a_volume_whose_console_goes_while_it_is_labelled_is_put_into_the_catalog_all_the_same() {
    for (answer, bytes) in [(LABELLED, Some(203)), (r"text 3912 Failed to label Volume: ERR=no\n", None)] {
        let mut desk = Desk::open();
        let console = desk.console();
        desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
        let sd = desk.world.peers.len();
        desk.ask(console, "label volume=TESTVOL1 pool=Full storage=File1 yes");
        desk.world.cut(console);
        desk.world.say(sd, answer);
        desk.world.say(sd, "signal -1");
        assert_eq!(volume(&desk, "TESTVOL1").map(|row| row.vol_bytes), bytes);
        let log = desk.log();
        assert_eq!(
            log.contains("a console has left before the end of its command, which has failed"),
            bytes.is_none(),
            "{log}"
        );
        desk.world.assert_empty();
    }
}

#[test]
fn without_a_name_the_label_format_of_the_pool_gives_one() {
    let mut desk = Desk::open();
    let console = desk.console();
    let (told, _) = answers(&mut desk, console, "label", &[LABELLED]);
    assert!(told[0].contains("VolumeName=Full-0001 PoolName=Full"), "{told:?}");
    let mut config = config();
    config["pools"][0]["label_format"] = json!(null);
    config["pools"] = json!([config["pools"][0], { "name": "Other" }]);
    let mut desk = Desk::with(config, MemoryCatalog::default());
    let console = desk.console();
    for (command, answer) in [
        ("label", "The defined Pool resources are:"),
        ("1", "Enter new Volume name: "),
        ("a b", "volume=a b: expected letters, digits and"),
        ("label pool=Ful volume=x", "Do you mean"),
        ("label pool=Full volume=x storage=Nope", "There is no storage"),
        ("label pool=Full volume=\"a b\"", "volume=a b: expected letters, digits and"),
        ("label pool=Full volume=x slot=one", "slot=one: expected a number"),
        ("label barcodes storage=File1", "No slots in changer to scan."),
        ("relabel volume=x", "Name both volumes"),
        ("truncate", "Say which volumes: truncate volstatus=Purged."),
        ("truncate volstatus=Full", "volstatus=Full: expected Purged"),
        ("mount storage=Nope", "There is no storage"),
    ] {
        let heard = desk.ask(console, command).concat();
        assert!(heard.contains(answer), "{command}: {heard}");
    }
}

#[test]
fn a_volume_that_was_not_labelled_is_not_in_the_catalog() {
    let mut desk = Desk::open();
    let console = desk.console();
    let refused = r#"text 3920 Cannot label Volume because it is already labeled: "x"\n"#;
    let (_, heard) = answers(&mut desk, console, "label volume=x", &[refused]);
    let heard = heard.concat();
    assert!(heard.contains("3920 Cannot label") && heard.contains("Label command failed for Volume x."), "{heard}");
    assert!(volume(&desk, "x").is_none());
}

#[test]
fn a_volume_that_the_catalog_knows_without_a_label_gets_one() {
    let mut desk = Desk::open();
    let console = desk.console();
    add(&desk, "Bare", VolStatus::Unlabeled, 0);
    answers(&mut desk, console, "label volume=Bare", &[LABELLED, r"text 3906 x\n"]);
    let row = volume(&desk, "Bare").unwrap();
    assert_eq!((row.vol_status, row.vol_bytes, row.media_id), (VolStatus::Append, 203, 1));
}

#[test]
fn only_a_purged_volume_is_labelled_anew() {
    let mut desk = Desk::open();
    let console = desk.console();
    add(&desk, "Old", VolStatus::Full, 70_000);
    add(&desk, "Gone", VolStatus::Purged, 70_000);
    let refused = desk.ask(console, "relabel oldvolume=Old volume=New").concat();
    let why = r#"Volume "Old" has VolStatus Full. It must be Purged or Recycled before relabeling."#;
    assert!(refused.contains(why), "{refused}");
    assert!(desk.ask(console, "relabel oldvolume=None volume=New").concat().contains("has no volume \"None\""));
    assert!(desk.ask(console, "relabel oldvolume=Gone volume=Old").concat().contains("already exists"));
    let mount = r"text 3906 x\n";
    let (told, heard) = answers(&mut desk, console, "relabel oldvolume=Gone volume=New yes", &[LABELLED, mount]);
    assert!(told[0].starts_with("relabel FileStorage1 OldName=Gone NewName=New PoolName=Full MediaType=File1 "));
    let heard = heard.concat();
    assert!(heard.contains(r#"Sending relabel command from "Gone" to "New" ..."#), "{heard}");
    assert!(heard.contains(r#"Old volume "Gone" deleted from catalog."#), "{heard}");
    assert!(volume(&desk, "Gone").is_none());
    let row = volume(&desk, "New").unwrap();
    assert_eq!((row.vol_status, row.vol_bytes, row.vol_jobs), (VolStatus::Append, 203, 0));
}

#[test]
fn purged_volumes_are_truncated_one_after_the_other_and_stay_purged() {
    let mut desk = Desk::open();
    let console = desk.console();
    let none = desk.ask(console, "truncate volstatus=Purged pool=Full storage=File1 yes").concat();
    assert!(none.contains("No results to list."), "{none}");
    add(&desk, "A", VolStatus::Purged, 70_000);
    add(&desk, "B", VolStatus::Purged, 70_000);
    add(&desk, "Short", VolStatus::Purged, 64_512);
    add(&desk, "Kept", VolStatus::Full, 70_000);
    let asked = desk.ask(console, "truncate volstatus=Purged").concat();
    assert!(asked.contains("| A ") && asked.contains("Add `yes`"), "{asked}");
    let (told, heard) = answers(&mut desk, console, "truncate volstatus=purged yes", &[LABELLED, LABELLED]);
    assert!(
        told[0].starts_with("relabel FileStorage1 OldName=A NewName=A ") && told[1].contains("OldName=B "),
        "{told:?}"
    );
    let heard = heard.concat();
    assert!(heard.contains("The volume 'A' has been truncated.") && heard.contains("The volume 'B' has"), "{heard}");
    assert!(!heard.contains("Short") && !heard.contains("Kept"), "{heard}");
    for (name, bytes) in [("A", 203), ("B", 203), ("Short", 64_512)] {
        let row = volume(&desk, name).unwrap();
        assert_eq!((row.vol_status, row.vol_bytes), (VolStatus::Purged, bytes), "{name}");
    }
}

#[test]
fn a_console_hears_what_the_storage_daemon_says_of_a_device() {
    let mut desk = Desk::open();
    let console = desk.console();
    for (command, line) in [
        ("mount", "mount FileStorage1 drive=-1"),
        ("mount storage=File1 slot=3 drive=1", "mount FileStorage1 drive=1 slot=3"),
        ("unmount storage=File1", "unmount FileStorage1 drive=-1"),
        ("umount", "unmount FileStorage1 drive=-1"),
        ("release storage=File1", "release FileStorage1 drive=-1"),
    ] {
        let said = r"text 3921 the storage daemon's words\n";
        let (told, heard) = answers(&mut desk, console, command, &[said]);
        assert_eq!(told, [line], "{command}");
        assert!(heard.concat().contains("3921 the storage daemon's words"), "{command}: {heard:?}");
    }
}

#[test]
fn a_storage_daemon_is_told_what_a_job_spools() {
    let all = json!({ "spool_data": true, "spool_attributes": true, "spool_size": "1 GiB" });
    for (settings, words, told) in [
        (json!({}), "", ["SpoolAttr=0", "SpoolData=0", "SpoolSize=0"]),
        (json!({}), " spooldata=yes", ["SpoolAttr=0", "SpoolData=1", "SpoolSize=0"]),
        (all.clone(), "", ["SpoolAttr=1", "SpoolData=1", "SpoolSize=1073741824"]),
        (all, " spooldata=no", ["SpoolAttr=1", "SpoolData=0", "SpoolSize=1073741824"]),
    ] {
        let mut config = config();
        for (field, value) in settings.as_object().unwrap() {
            config["jobs"][0][field] = value.clone();
        }
        let mut desk = Desk::with(config, MemoryCatalog::default());
        desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
        let console = desk.console();
        desk.ask(console, &format!("run job=backup-tiny{words} yes"));
        let heard = desk.world.heard(console + 1);
        let line = heard.iter().find(|line| line.starts_with("text JobId=")).unwrap();
        assert!(told.iter().all(|field| line.contains(&format!(" {field} "))), "{words}: {line}");
    }
    let mut desk = Desk::open();
    let console = desk.console();
    let refused = desk.ask(console, "run job=backup-tiny spooldata=maybe yes").concat();
    assert!(refused.contains("spooldata=maybe: expected yes or no"), "{refused}");
}

#[test]
fn a_daemon_is_told_how_much_its_log_says_and_its_one_line_is_the_answer() {
    let mut desk = Desk::open();
    let console = desk.console();
    let tracefile = r"tracefile=/srv/x.trace\n";
    for (command, (port, kind, secret), told, answer) in [
        (
            "setdebug level=100 trace=1 client=bareos-fd",
            (FILE_PORT, "file", "fd-secret"),
            r"text setdebug=100 trace=1 hangup=-1 timestamp=-1\n",
            format!("text 2000 OK setdebug=100 trace=1 hangup=0 timestamp=0 {tracefile}"),
        ),
        (
            "setdebug level=0 timestamp=1 storage=File1",
            (STORAGE_PORT, "storage", "sd-secret"),
            r"text setdebug=0 trace=-1 timestamp=1\n",
            format!("text 3000 OK setdebug=0 trace=0 timestamp=1 {tracefile}"),
        ),
    ] {
        desk.world.await_dial(port, errand(kind, secret));
        let peer = desk.world.peers.len();
        desk.ask(console, command);
        let last = desk.world.heard(peer).into_iter().rfind(|line| line.starts_with("text "));
        assert_eq!(last.as_deref(), Some(told));
        desk.world.say(peer, &answer);
        let heard = desk.world.heard(console);
        assert!(heard.concat().contains(&answer[5..]), "{command}: {heard:?}");
        assert_eq!(heard.last().map(String::as_str), Some("signal -1"), "{command}");
        assert_eq!(desk.world.heard(peer), ["signal -4", "fin"], "{command}");
    }
    for command in ["setdebug client=bareos-fd", "setdebug level=1", "setdebug level=x client=bareos-fd"] {
        let heard = desk.ask(console, command).concat();
        assert!(heard.contains("setdebug level=N") || heard.contains("level=x: expected a number"), "{heard}");
    }
}
