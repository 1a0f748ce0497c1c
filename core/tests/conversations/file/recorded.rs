//! The file daemon in the recorded conversations.

use std::time::Duration;

use towline_core::bulk::parcel::Parcel;
use towline_core::bulk::work::{DiskDone, DiskWork, Tally};
use towline_core::secret::Secret;
use towline_core::wire::digest::{Algorithm, Hasher};
use towline_core::wire::frame::put_data;
use towline_core::work::{Work, WorkDone};

use crate::recording;
use crate::support::conv::Side;
use crate::support::files::{hands, recorded_files};
use crate::support::password;
use crate::support::peer::Script;
use crate::support::roles::{Protection, STARTED, file_daemon};
use crate::support::world::Hands;

const STORAGE_PORT: u16 = 42_003;

fn director(conv: &str) -> Script {
    Script::new(conv, Side::Acceptor, password("fd-secret"))
}

fn storage(conv: &str, key: &str) -> Script {
    Script::new(conv, Side::Dialler, Secret::from(key))
}

#[test]
fn a_backup_is_made_as_recorded() {
    let records = recorded_files(recording!("01-backup-full/03-FD-to-SD"));
    assert_eq!(records.len(), 11, "six entries, two contents, three digests");
    let (hands, seen) = hands(records);
    let mut world = file_daemon(Protection::Clear, STARTED, hands);
    world.wait(Duration::from_secs(5));
    world.await_dial(
        STORAGE_PORT,
        storage(recording!("01-backup-full/03-FD-to-SD"), "DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF"),
    );
    world.come_in(director(recording!("01-backup-full/02-DIR-to-FD")));
    world.assert_done();
    let seen = seen.lock().unwrap();
    assert_eq!((seen.filesets.len(), seen.closed), (1, 1));
    assert_eq!(seen.filesets[0].includes.len(), 1);
    assert_eq!(seen.filesets[0].includes[0].files, [b"/srv/bareos-run/data/tiny"]);
    assert_eq!(seen.filesets[0].includes[0].options.len(), 1);
}

fn restoring_storage() -> Script {
    storage(recording!("02-restore/03-FD-to-SD"), "EIBJ-DAFA-AFKD-ONPH-LPLP-MLGP-MHGP-PFGA")
        .omits("a real file daemon ends a restore's channel twice; nobody reads the second goodbye", "signal -4")
}

#[test]
fn a_restore_is_made_as_recorded() {
    let (hands, seen) = hands(Vec::new());
    let mut world = file_daemon(Protection::Clear, STARTED, hands);
    world.await_dial(STORAGE_PORT, restoring_storage());
    world.come_in(director(recording!("02-restore/02-DIR-to-FD")));
    world.assert_done();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.orders.len(), 1);
    assert_eq!((&seen.orders[0].to[..], seen.orders[0].replace), (&b"/srv/bareos-run/restored"[..], b'a'));
    assert!(!seen.orders[0].prefix_links);
    let names = ["hardlink-to-hello", "hello.txt", "sub/data.bin", "sub/", "link-to-hello", ""];
    let names = names.map(|name| format!("/srv/bareos-run/data/tiny/{name}"));
    assert_eq!(seen.restored, names);
    assert_eq!(seen.bytes.len(), 1043);
    assert!(seen.bytes.starts_with(b"Hello Bareos wire!\n\x00\x01\x02"));
}

#[test]
fn a_status_after_both_has_the_recorded_frames() {
    let (hands, _) = hands(recorded_files(recording!("01-backup-full/03-FD-to-SD")));
    let mut world = file_daemon(Protection::Clear, STARTED, hands);
    world.await_dial(
        STORAGE_PORT,
        storage(recording!("01-backup-full/03-FD-to-SD"), "DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF"),
    );
    world.come_in(director(recording!("01-backup-full/02-DIR-to-FD")));
    world.await_dial(STORAGE_PORT, restoring_storage());
    world.come_in(director(recording!("02-restore/02-DIR-to-FD")));
    let status = world.come_in(director(recording!("03-console/01-DIR-to-FD")).own_words_after("status"));
    world.assert_done();
    let heard = world.heard(status);
    let rows = [
        "text      1  Full          6    1.043 K  OK       23-Nov-26 13:01 backup-tiny\\n\\0",
        "text      2                6    1.043 K  OK       23-Nov-26 13:01 restore\\n\\0",
    ];
    for row in rows {
        assert!(heard.iter().any(|line| line == row), "{row} in {heard:#?}");
    }
    let lines = heard.iter().skip_while(|line| *line != "text \\n").skip(1).take_while(|line| *line != "signal -1");
    assert!(lines.clone().count() > 5);
    assert!(lines.clone().all(|line| line.ends_with("\\n\\0")), "{heard:#?}");
}

#[cfg(feature = "psk")]
#[test]
fn a_backup_over_tls_is_made_as_recorded() {
    use crate::support::peer::Engine;
    use towline_core::wire::names::{PeerKind, PeerName};
    let (hands, seen) = hands(recorded_files(recording!("20-tls-backup/03-FD-to-SD")));
    let mut world = file_daemon(Protection::Psk, STARTED, hands);
    let job = PeerName::new(PeerKind::Job, "backup-tiny.2026-11-23_13.10.29_03");
    let storage = storage(recording!("20-tls-backup/03-FD-to-SD"), "BPCL-HKPE-PFII-EBOL-LHFK-FBOC-PHNB-LGOI");
    world.await_dial(STORAGE_PORT, storage.protected(Engine::Psk(job)));
    let me = PeerName::new(PeerKind::Director, "bareos-dir");
    let director = director(recording!("20-tls-backup/02-DIR-to-FD")).protected(Engine::Psk(me));
    let director = world.come_in(director);
    world.assert_done();
    assert_eq!(seen.lock().unwrap().closed, 1);
    let messages = world.job_messages(director);
    assert!(messages.iter().any(|text| text.contains("encryption: TLS")), "{messages:?}");
}

#[test]
fn an_accurate_incremental_backup_is_made_as_recorded() {
    let records = recorded_files(recording!("09b-rich-incremental-accurate/03-FD-to-SD"));
    let (hands, seen) = hands(records);
    let mut world = file_daemon(Protection::Clear, STARTED, hands);
    let storage = recording!("09b-rich-incremental-accurate/03-FD-to-SD");
    world.await_dial(STORAGE_PORT, self::storage(storage, "GKKG-PAPH-EMPF-CHMM-GOOI-ECHM-CNNG-ANGM"));
    let director = world.come_in(director(recording!("09b-rich-incremental-accurate/02-DIR-to-FD")));
    world.assert_done();
    let messages = world.job_messages(director);
    for (label, word) in [("ClientBeforeJob", "before"), ("ClientAfterJob", "after")] {
        let text = format!("shell command: run {label} \"/bin/echo hello {word} backup-rich.2026-11-23_13.06.26_05\"");
        assert!(messages.iter().any(|message| message.contains(&text)), "{messages:?}");
    }
    let seen = seen.lock().unwrap();
    let known = seen.changes[0].known.as_ref().expect("the list");
    assert_eq!(known.len(), 10);
    // The recorded clock and ours differ; the director's moment is moved into our time.
    let ours = seen.changes[0].since.expect("a time");
    let (theirs, their_clock) = (1_795_439_180, 1_795_439_188);
    assert_eq!(ours - theirs, STARTED.seconds() - their_clock - 1, "rounded down");
}

fn verified_storage() -> Script {
    storage(recording!("10-estimate-verify/09-FD-to-SD"), "BPJD-GBCI-AGEA-FPLK-EFNJ-ONFE-NDOD-LEPB")
        .omits("as of a restore", "signal -4")
}

#[test]
fn a_volume_is_verified_as_recorded() {
    let (hands, seen) = hands(Vec::new());
    let mut world = file_daemon(Protection::Clear, STARTED, hands);
    world.await_dial(STORAGE_PORT, verified_storage());
    world.come_in(director(recording!("10-estimate-verify/08-DIR-to-FD")));
    world.assert_done();
    let seen = seen.lock().unwrap();
    assert_eq!((seen.filesets.len(), seen.closed), (1, 1));
    assert!(seen.restored.is_empty() && seen.bytes.is_empty(), "nothing is written");
}

#[test]
fn data_that_changed_on_the_volume_get_another_digest() {
    let (hands, _) = hands(Vec::new());
    let mut world = file_daemon(Protection::Clear, STARTED, hands);
    let changed = verified_storage().peer_differs("a byte", "text Hello Bareos", &["text Hello Bareos wirE!\\n"]);
    world.await_dial(STORAGE_PORT, changed);
    let director = director(recording!("10-estimate-verify/08-DIR-to-FD"));
    let mut hasher = Hasher::new(Algorithm::Xxh128);
    hasher.update(b"Hello Bareos wirE!\n");
    let ours = format!("text 1 40 {} *XXH128-1*", hasher.finish().catalog_text());
    world.come_in(director.differs("it is that of the data", &["text 1 40 IlxWjJLjUvnwnJRq"], &[&ours]));
    world.assert_done();
}

#[test]
fn a_verify_job_of_data_alone_is_refused() {
    let (hands, seen) = hands(Vec::new());
    let mut world = file_daemon(Protection::Clear, STARTED, hands);
    let director = director(recording!("10-estimate-verify/08-DIR-to-FD")).until_we_say("2000 OK include");
    let director = world.come_in(director);
    world.heard(director);
    world.say(director, "text verify level=data\\n");
    let heard = world.heard(director).join("\n");
    assert!(heard.contains("2800 End Job TermCode=102"), "{heard}");
    let messages = world.job_messages(director);
    assert!(messages.iter().any(|text| text.contains("level=data is not done here")), "{messages:?}");
    assert_eq!(seen.lock().unwrap().closed, 0);
}

/// Hands that look at the disk: these lines, then the sums.
fn looking_hands(lines: &'static [&'static str]) -> Hands {
    Box::new(move |work| {
        let Work::Disk(work) = work else { panic!("a file daemon has no catalog") };
        Some(WorkDone::Disk(match work {
            DiskWork::OpenLook { .. } => DiskDone::Opened,
            DiskWork::Fill { .. } => {
                let mut parcel = Parcel::new();
                lines.iter().for_each(|line| put_data(&mut parcel.bytes, line.as_bytes()));
                DiskDone::Filled { parcel, last: true, remarks: Vec::new() }
            }
            DiskWork::Close { .. } => {
                DiskDone::Closed(Tally { files: 2, read_bytes: 5, job_bytes: 5, complete: true, ..Tally::default() })
            }
            other => panic!("no part of a look: {other:?}"),
        }))
    })
}

#[test]
fn what_is_on_the_disk_is_told_line_by_line_at_each_level_that_compares_it() {
    for level in ["init", "catalog", "disk_to_catalog"] {
        let mut world = file_daemon(Protection::Clear, STARTED, looking_hands(&["1 1 VVpins5 /a", "2 1 VVpins5 /b"]));
        let director = director(recording!("10-estimate-verify/08-DIR-to-FD")).until_we_say("2000 OK include");
        let director = world.come_in(director);
        world.heard(director);
        world.say(director, &format!("text verify level={level}\\n"));
        let end = "text 2800 End Job TermCode=84 JobFiles=2 ReadBytes=5 JobBytes=5 Errors=0 VSS=0 Encrypt=0\\n";
        let expected = [
            "text 2000 OK verify\\n",
            "text 1 1 VVpins5 /a",
            "text 2 1 VVpins5 /b",
            "signal -1",
            end,
            "signal -4",
            "fin",
        ];
        assert_eq!(world.heard(director), expected, "{level}");
        world.assert_done();
    }
}

/// Hands that estimate what was recorded: a line for each entry, then the sums.
fn estimating_hands(lines: Vec<Vec<u8>>) -> Hands {
    Box::new(move |work| {
        let Work::Disk(work) = work else { panic!("a file daemon has no catalog") };
        Some(WorkDone::Disk(match work {
            DiskWork::OpenEstimate { listing: true, .. } => DiskDone::Opened,
            DiskWork::Fill { .. } => {
                let mut parcel = Parcel::new();
                lines.iter().for_each(|line| put_data(&mut parcel.bytes, line));
                DiskDone::Filled { parcel, last: true, remarks: Vec::new() }
            }
            DiskWork::Close { .. } => {
                DiskDone::Closed(Tally { files: 6, read_bytes: 1_062, complete: true, ..Tally::default() })
            }
            other => panic!("no part of an estimate: {other:?}"),
        }))
    })
}

#[test]
fn an_estimate_is_answered_as_recorded() {
    let conv = recording!("10-estimate-verify/05-DIR-to-FD");
    let lines = crate::support::conv::parse(conv).into_iter().map(|line| line.frame.data().to_vec());
    let lines: Vec<Vec<u8>> = lines.filter(|line| line.ends_with(b"\n") && line.contains(&b':')).collect();
    let lines: Vec<Vec<u8>> = lines.into_iter().filter(|line| b"-dl".contains(&line[0])).collect();
    assert_eq!(lines.len(), 6);
    let mut world = file_daemon(Protection::Clear, STARTED, estimating_hands(lines));
    world.come_in(director(conv));
    world.assert_done();
}
