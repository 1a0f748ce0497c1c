//! Copies and migrations through real daemons: between two storage daemons, and from device to device within one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

#[cfg(feature = "object")]
#[path = "copies/objects.rs"]
mod objects;
mod support;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::Signal;
use support::console::Console;
use support::daemon::Daemon;
use support::network::{CLEAR, Ended};
use support::{assert_restored, plant, wait_for};
use tempfile::TempDir;

/// Bytes of the large file where a copy is to be caught in the middle.
const LARGE: usize = 48 << 20;
/// So much of a copy on its volume shows that it is under way.
const UNDER_WAY: u64 = 256 << 10;

/// A director, a file daemon, a storage daemon with two devices and one with one. Job `b` backs up to the first device,
/// `copy-far` and `migrate-far` go from there to the second storage daemon, `copy-near` and `migrate-near` to the second
/// device.
struct Site {
    _director: Daemon,
    _file: Daemon,
    first: Daemon,
    second: Daemon,
    console: Console,
    source: PathBuf,
    folder: TempDir,
}

impl Site {
    fn start(large: usize) -> Self {
        Self::with(large, "")
    }

    /// With settings for the pools of the originals, each with a comma at its end.
    fn with(large: usize, pool: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let source = at.join("source");
        plant(&source, 3, large);
        for name in ["original", "near", "far"] {
            fs::create_dir(at.join(name)).unwrap();
        }
        let common = format!(r#"listen: ["127.0.0.1"], working_directory: {at:?}, {CLEAR}"#);
        let file = Daemon::start("file", &[env!("CARGO_BIN_EXE_towline-fd").into()], at, |port| {
            format!(r#"(file: (name: "f", port: {port}, {common}), directors: [(name: "d", password: "fpw")])"#)
        });
        let device = |name: &str| {
            let place = at.join(name);
            format!(r#"(name: "{name}", media_type: "{name}", archive_device: {place:?})"#)
        };
        let storage = |name: &'static str, devices: &str| {
            Daemon::start(name, &[env!("CARGO_BIN_EXE_towline-sd").into()], at, |port| {
                format!(
                    r#"(storage: (name: "{name}", port: {port}, {common}),
                        directors: [(name: "d", password: "pw-{name}")], devices: [{devices}])"#
                )
            })
        };
        let first = storage("first", &format!("{}, {}", device("original"), device("near")));
        let second = storage("second", &device("far"));
        let resource = |device: &str, name: &str, daemon: &Daemon| {
            let port = daemon.address.port();
            format!(
                r#"(name: "{device}", address: "127.0.0.1", port: {port}, password: "pw-{name}", device: "{device}",
                    media_type: "{device}")"#
            )
        };
        let storages = [
            resource("original", "first", &first),
            resource("near", "first", &first),
            resource("far", "second", &second),
        ]
        .join(", ");
        let job = r#"client: "f", fileset: "fs", storage: "original""#;
        let jobs: String = ["far", "near"]
            .into_iter()
            .map(|to| {
                format!(
                    r#"(name: "b-{to}", level: full, pool: "for-{to}", {job}),
                       (name: "copy-{to}", kind: copy, pool: "for-{to}", {job}),
                       (name: "migrate-{to}", kind: migrate, pool: "for-{to}", {job}),"#
                )
            })
            .collect();
        let by_statement: String = [
            ("selects", "SELECT JobId, Job FROM Job WHERE Name = 'b-near'"),
            ("changes", "DELETE FROM Job RETURNING JobId"),
        ]
        .into_iter()
        .map(|(name, statement)| {
            format!(
                r#"(name: "{name}", kind: copy, pool: "for-near", selection: sql_query, selection_pattern: "{statement}", {job}),"#
            )
        })
        .collect();
        let pools: String = ["far", "near"]
            .into_iter()
            .map(|to| {
                format!(
                    r#"(name: "for-{to}", label_format: "for-{to}-", next_pool: "{to}", {pool}),
                       (name: "{to}", label_format: "{to}-", storage: "{to}"),"#
                )
            })
            .collect();
        let file_port = file.address.port();
        let director = Daemon::start("director", &[env!("CARGO_BIN_EXE_towline-dir").into()], at, |port| {
            format!(
                r#"(director: (name: "d", password: "console", port: {port}, {common}),
                    clients: [(name: "f", address: "127.0.0.1", port: {file_port}, password: "fpw")],
                    storages: [{storages}],
                    jobs: [{jobs} {by_statement} (name: "r", kind: restore, pool: "for-far", {job})],
                    filesets: [(name: "fs", include: [(files: [{source:?}], options: [(digest: xxh128)])])],
                    pools: [{pools}],
                    catalog: sqlite(path: "catalog.sqlite"))"#
            )
        });
        let console = Console::of(at, director.address.port(), CLEAR);
        Self { _director: director, _file: file, first, second, console, source, folder }
    }

    /// Runs what a line orders; it must end well.
    fn run(&self, line: &str) -> Ended {
        let ended = self.console.end_of(self.console.order(line));
        assert!(ended.is_ok(), "{line}:\n{}", ended.report);
        ended
    }

    /// Backs up what is to go there: the number of the job.
    fn back_up(&self, to: &str) -> u32 {
        self.run(&format!("run job=b-{to} yes")).id
    }

    /// Restores and compares; `more` may name a job. Returns the report.
    fn restore(&self, name: &str, more: &str) -> String {
        let place = self.folder.path().join(name);
        let ended = self.run(&format!("restore client=f where={} {more} all done yes", place.display()));
        assert_restored(&self.source, &place);
        ended.report
    }

    /// Type and status of a job, such as `BT`.
    fn kind(&self, id: u32) -> String {
        let text = self.console.ask(&[".api 2", &format!("list jobs jobid={id}")]);
        let value = |name: &str| {
            let (_, rest) =
                text.split_once(&format!("\"{name}\": \"")).unwrap_or_else(|| panic!("no {name} in {text}"));
            rest.split('"').next().unwrap().to_owned()
        };
        value("type") + &value("jobstatus")
    }

    /// Bytes of the volumes of a device.
    fn written(&self, device: &str) -> u64 {
        let entries = fs::read_dir(self.folder.path().join(device)).unwrap();
        entries.map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
    }

    /// Takes the volumes of a device away.
    fn empty(&self, device: &str) {
        let folder = self.folder.path().join(device);
        fs::remove_dir_all(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
    }

    /// Waits until no storage daemon has a job.
    fn wait_idle(&self) {
        for storage in ["original", "far"] {
            wait_for("the job to be gone", || {
                let status = self.console.ask(&[&format!("status storage={storage}")]);
                status.contains("No Jobs running").then_some(())
            });
        }
    }
}

/// The job that a control job has had written.
fn writer_of(control: &Ended) -> u32 {
    let (_, rest) = control.report.split_once(" is written by JobId ").unwrap_or_else(|| panic!("{}", control.report));
    rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

/// Whether a report says that its storage daemon was this one.
fn is_with(report: &str, storage: &Daemon) -> bool {
    report.contains(&format!("Connected storage daemon at {}", storage.address))
}

/// Whether a report says that the second storage daemon of a copy was this one.
fn is_second(report: &str, storage: &Daemon) -> bool {
    report.contains(&format!("Connected second storage daemon (connection 5b) at {}", storage.address))
}

#[test]
fn a_copy_on_another_storage_daemon_leaves_the_original_restorable() {
    let mut site = Site::start(2_000_000);
    let original = site.back_up("far");
    // The job that selects orders one for each backup that has no copy yet.
    let selecting = site.run("run job=copy-far yes");
    assert!(selecting.report.contains("1 job of pool \"for-far\" is selected"), "{}", selecting.report);
    let control = site.console.end_of(selecting.id + 1);
    assert!(control.is_ok(), "{}", control.report);
    let copy = writer_of(&control);
    assert_eq!([site.kind(original), site.kind(control.id), site.kind(copy)], ["BT", "cT", "CT"]);
    let written = site.console.end_of(copy);
    assert!(is_with(&control.report, &site.first) && is_second(&written.report, &site.second), "{}", written.report);
    assert!(control.report.contains("(connection 8), address"), "{}", control.report);
    let again = site.run("run job=copy-far yes");
    assert!(again.report.contains("0 jobs of pool"), "{}", again.report);

    assert!(is_with(&site.restore("original-restored", ""), &site.first), "a copy is no backup");
    site.first.kill();
    let report = site.restore("copy-restored", &format!("jobid={copy}"));
    assert!(is_with(&report, &site.second), "{report}");
}

#[test]
fn a_migrated_backup_is_restored_from_its_new_storage_daemon_by_default() {
    let mut site = Site::start(2_000_000);
    let original = site.back_up("far");
    let control = site.run(&format!("run job=migrate-far jobid={original} yes"));
    let moved = writer_of(&control);
    assert_eq!([site.kind(original), site.kind(control.id), site.kind(moved)], ["MT", "gT", "BT"]);
    assert!(is_second(&site.console.end_of(moved).report, &site.second));
    site.first.kill();
    let report = site.restore("restored", "");
    assert!(is_with(&report, &site.second), "{report}");
}

#[test]
fn one_storage_daemon_copies_and_migrates_from_device_to_device() {
    let mut site = Site::start(2_000_000);
    site.second.kill();
    let original = site.back_up("near");
    let control = site.run(&format!("run job=copy-near jobid={original} yes"));
    let copy = writer_of(&control);
    assert_eq!([site.kind(original), site.kind(control.id), site.kind(copy)], ["BT", "cT", "CT"]);
    let reports = control.report + &site.console.end_of(copy).report;
    assert!(!reports.contains("connection 8") && !reports.contains("5b"), "one connection does it all: {reports}");
    site.restore("original-restored", &format!("jobid={original}"));

    let control = site.run(&format!("run job=migrate-near jobid={original} yes"));
    let moved = writer_of(&control);
    assert_eq!([site.kind(original), site.kind(copy), site.kind(moved)], ["MT", "CT", "BT"]);
    site.empty("original");
    site.restore("moved-restored", "");
    site.restore("copy-restored", &format!("jobid={copy}"));
}

#[test]
fn a_statement_selects_what_is_copied_and_cannot_change_the_catalog() {
    let site = Site::start(1 << 20);
    site.back_up("far");
    let original = site.back_up("near");
    let control = site.run("run job=selects yes");
    assert!(control.report.contains("1 job of pool \"for-near\" is selected."), "{}", control.report);
    let copied = site.console.end_of(control.id + 1);
    assert!(copied.is_ok(), "{}", copied.report);
    assert!(site.written("near") > 1 << 20);

    let refused = site.console.end_of(site.console.order("run job=changes yes"));
    assert!(!refused.is_ok() && !refused.report.contains("are selected"), "{}", refused.report);
    assert_eq!(site.kind(original), "BT");
}

/// Catches a copy in the middle by stopping the daemon that writes it, cancels it, lets the daemon go on. Both devices
/// must be free then, and the original as good as before. `heard` is what the console is told of each daemon.
fn cancelled_in_the_middle(to: &str, writing: impl Fn(&Site) -> &Daemon, heard: &[&str]) {
    let site = Site::start(LARGE);
    let original = site.back_up(to);
    let control = site.console.order(&format!("run job=copy-{to} jobid={original} yes"));
    wait_for("the copy to be under way", || (site.written(to) >= UNDER_WAY).then_some(()));
    writing(&site).signal(Signal::STOP);
    let before = site.written(to);
    assert!(before < LARGE as u64, "the copy is too fast to be cut");
    let asked = Instant::now();
    let said = site.console.ask(&[&format!("cancel jobid={control}")]);
    assert!(said.contains("marked to be canceled"), "{said}");
    for line in heard {
        assert!(said.contains(line), "{line} in {said}");
    }
    assert!(asked.elapsed() < Duration::from_secs(10), "with the start of a console: {:?}", asked.elapsed());
    writing(&site).signal(Signal::CONT);
    let ended = site.console.end_of(control);
    assert!(ended.termination().contains("Canceled"), "{}", ended.report);
    let copy = writer_of(&ended);
    let writer = site.console.end_of(copy);
    assert!(writer.termination().contains("Canceled"), "{}", writer.report);
    assert_eq!([site.kind(original), site.kind(control), site.kind(copy)], ["BT", "cA", "CA"]);
    site.wait_idle();

    assert!(is_with(&site.restore("original-restored", ""), &site.first));
    // Both devices serve the next one.
    let second = site.run(&format!("run job=copy-{to} jobid={original} yes"));
    let copy = writer_of(&second);
    assert_eq!([site.kind(original), site.kind(copy)], ["BT", "CT"]);
    site.restore("copy-restored", &format!("jobid={copy}"));
}

#[test]
fn a_cancelled_copy_frees_the_devices_of_both_storage_daemons() {
    let heard = ["The storage daemon \"original\" has confirmed.", "The storage daemon \"far\" has not confirmed yet"];
    cancelled_in_the_middle("far", |site| &site.second, &heard);
}

#[test]
fn a_cancelled_copy_frees_both_devices_of_one_storage_daemon() {
    cancelled_in_the_middle("near", |site| &site.first, &["The storage daemon \"near\" has not confirmed yet"]);
}

/// `status network` of a copy that stands still.
#[test]
fn status_network_shows_both_storage_daemons_of_a_copy() {
    let site = Site::start(LARGE);
    let original = site.back_up("far");
    let control = site.console.order(&format!("run job=copy-far jobid={original} yes"));
    wait_for("the copy to be under way", || (site.written("far") >= UNDER_WAY).then_some(()));
    site.second.signal(Signal::STOP);
    let status = site.console.ask(&["status network"]);
    site.second.signal(Signal::CONT);
    for (number, storage) in [("5a", &site.first), ("5b", &site.second)] {
        let row = |line: &&str| line.starts_with(number) && line.contains(&storage.address.to_string());
        assert_eq!(status.lines().filter(row).count(), 1, "{number} in\n{status}");
    }
    assert!(site.console.end_of(control).is_ok());
}

#[test]
fn a_copy_is_the_backup_once_the_volume_of_its_original_is_used_again() {
    let site = Site::with(100_000, r#"maximum_volumes: 1, maximum_volume_jobs: 1, volume_retention: "1 s","#);
    let original = site.back_up("far");
    let copy = writer_of(&site.run(&format!("run job=copy-far jobid={original} yes")));
    assert_eq!(site.kind(copy), "CT");
    let seconds = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let ended = seconds();
    wait_for("the volume to expire", || (seconds() > ended + 2).then_some(()));
    let next = site.back_up("far");
    let gone = site.console.ask(&[&format!("list jobs jobid={original}")]);
    assert!(!gone.contains("b-far"), "{gone}");
    assert_eq!([site.kind(copy), site.kind(next)], ["BT", "BT"]);
    let report = site.restore("copy-restored", &format!("jobid={copy}"));
    assert!(is_with(&report, &site.second), "{report}");
}

/// The second part is written into folders that came with the first one: they keep the times they had.
#[test]
fn one_restore_takes_a_migrated_full_and_the_incremental_after_it_from_where_each_lies() {
    let site = Site::start(300_000);
    // What was changed in the second in which a backup starts is saved once more.
    let next_second = || {
        let second = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let began = second();
        wait_for("the next second but one", || (second() > began + 1).then_some(()));
    };
    for to in ["far", "near"] {
        fs::write(site.source.join("a/file 1"), format!("before the full backup {to}")).unwrap();
        next_second();
        let full = site.back_up(to);
        site.run(&format!("run job=migrate-{to} jobid={full} yes"));
        next_second();
        fs::write(site.source.join("a/file 1"), format!("after the full backup {to}")).unwrap();
        let changed = site.run(&format!("run job=b-{to} level=incremental yes"));
        assert!(changed.report.contains("FD Files Written:       1\n"), "{}", changed.report);
        let report = site.restore(&format!("both-{to}"), "");
        assert!(report.contains(&format!("Storage {to} has done its part; the next is original")), "{report}");
        if to == "far" {
            assert!(is_with(&report, &site.first) && is_with(&report, &site.second), "{report}");
        }
        site.wait_idle();
    }
}

#[test]
fn a_copy_or_migration_of_a_damaged_backup_names_what_is_damaged_and_leaves_the_original_the_backup() {
    for to in ["far", "near"] {
        let site = Site::start(2_000_000);
        let original = site.back_up(to);
        let folder = site.folder.path().join("original");
        let mut files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let volume = files.find(|path| path.extension().is_none_or(|end| end != "bsr")).unwrap();
        let sound = fs::read(&volume).unwrap();
        let mut damaged = sound.clone();
        // The second block: nothing but contents of one file.
        damaged[1_500_000] ^= 0x10;
        fs::write(&volume, &damaged).unwrap();
        for kind in ["copy", "migrate"] {
            let control = site.console.order(&format!("run job={kind}-{to} jobid={original} yes"));
            let ended = site.console.end_of(control);
            assert!(ended.termination().contains("*** Error ***"), "{}", ended.report);
            let writer = site.console.end_of(writer_of(&ended));
            let reports = format!("{}{}", ended.report, writer.report);
            for words in ["cannot be read from byte ", "not complete: ", "source/large) (T0552)", "is damaged at byte "]
            {
                assert!(reports.contains(words), "{words} is not in {reports}");
            }
            assert_eq!(site.kind(original), "BT", "{kind}");
            assert!(!["BT", "BW", "CT", "CW"].contains(&&*site.kind(writer.id)), "{}", site.kind(writer.id));
            site.wait_idle();
        }
        // Mended, the original is what a restore takes.
        fs::write(&volume, &sound).unwrap();
        assert!(is_with(&site.restore("restored", ""), &site.first));
    }
}
