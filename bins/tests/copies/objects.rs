//! Volumes in a store of objects: copied there, written there, read there without any daemon, and through a store that is
//! away. The server is one of the tests' own; with the feature `system-tests` it is a real one too, which checks signatures.

#[path = "../../src/object/tests/server.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests of the module")]
mod server;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use super::support::console::Console;
use super::support::daemon::{Daemon, run};
use super::support::network::{CLEAR, Ended};
use super::support::{assert_restored, noise, plant, wait_for};
use super::writer_of;
use server::{Fault, Server};

/// The secret key, which must not be seen anywhere.
const SECRET: &str = "hunter2-of-the-store";
const ACCESS: &str = "TOWLINE";

/// A director, a file daemon, and a storage daemon with a folder and a store. Job `b` backs up to the folder, `copy` copies
/// that to the store, and `direct` backs up to the store.
struct Site {
    _director: Daemon,
    _file: Daemon,
    storage: Daemon,
    console: Console,
    source: PathBuf,
    folder: TempDir,
}

impl Site {
    /// With a store at this endpoint, in parts of 1 MiB.
    fn start(endpoint: &str, large: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let source = at.join("source");
        plant(&source, 3, large);
        fs::create_dir(at.join("volumes")).unwrap();
        let keys = at.join("keys");
        fs::write(&keys, format!("[default]\naws_access_key_id = {ACCESS}\naws_secret_access_key = {SECRET}\n"))
            .unwrap();
        fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).unwrap();
        let common = format!(r#"listen: ["127.0.0.1"], working_directory: {at:?}, {CLEAR}"#);
        let file = Daemon::start("file", &[env!("CARGO_BIN_EXE_towline-fd").into()], at, |port| {
            format!(r#"(file: (name: "f", port: {port}, {common}), directors: [(name: "d", password: "fpw")])"#)
        });
        let storage = Daemon::start("storage", &[env!("CARGO_BIN_EXE_towline-sd").into()], at, |port| {
            format!(
                r#"(storage: (name: "s", port: {port}, {common}), directors: [(name: "d", password: "spw")], devices: [
                    (name: "disk", media_type: "File", archive_device: "volumes"),
                    (name: "store", media_type: "S3", kind: object, archive_device: "s3://bucket/site", object: (
                        endpoint: "{endpoint}", credentials: "keys", part_size: "1 MiB", retry_for: "2 min"))])"#
            )
        });
        let (file_port, storage_port) = (file.address.port(), storage.address.port());
        let resource = |device: &str, media: &str| {
            format!(
                r#"(name: "{device}", address: "127.0.0.1", port: {storage_port}, password: "spw", device: "{device}",
                    media_type: "{media}")"#
            )
        };
        let (disk, store) = (resource("disk", "File"), resource("store", "S3"));
        let job = r#"client: "f", fileset: "fs""#;
        let director = Daemon::start("director", &[env!("CARGO_BIN_EXE_towline-dir").into()], at, |port| {
            format!(
                r#"(director: (name: "d", password: "console", port: {port}, {common}),
                    clients: [(name: "f", address: "127.0.0.1", port: {file_port}, password: "fpw")],
                    storages: [{disk}, {store}],
                    jobs: [(name: "b", level: full, pool: "here", storage: "disk", {job}),
                           (name: "copy", kind: copy, pool: "here", storage: "disk", {job}),
                           (name: "direct", level: full, pool: "there", storage: "store", {job}),
                           (name: "r", kind: restore, pool: "here", storage: "disk", {job})],
                    filesets: [(name: "fs", include: [(files: [{source:?}], options: [(digest: xxh128)])])],
                    pools: [(name: "here", label_format: "here-", next_pool: "there"),
                            (name: "there", label_format: "there-", storage: "store")],
                    catalog: sqlite(path: "catalog.sqlite"))"#
            )
        });
        let console = Console::of(at, director.address.port(), CLEAR);
        Self { _director: director, _file: file, storage, console, source, folder }
    }

    fn run(&self, line: &str) -> Ended {
        let ended = self.console.end_of(self.console.order(line));
        assert!(ended.is_ok(), "{line}:\n{}\n{}", ended.report, self.storage.log.from(0).join("\n"));
        ended
    }

    fn restore(&self, name: &str, more: &str) -> String {
        let place = self.folder.path().join(name);
        let ended = self.run(&format!("restore client=f where={} {more} all done yes", place.display()));
        assert_restored(&self.source, &place);
        ended.report
    }

    /// The operator's tool over the volumes of the store: exit code, what it prints, what is wrong.
    fn tool(&self, words: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_towline"));
        let config = self.folder.path().join("storage.ron");
        let (first, rest) = words.split_first().unwrap();
        command.arg("volume").arg(first).arg("--storage-config").arg(config).arg("s3://bucket/site").args(rest);
        run(&mut command, "")
    }

    /// Nothing that was printed has the secret key in it.
    fn assert_secret(&self, more: &str) {
        let log = self.storage.log.from(0).join("\n") + &self.storage.output.from(0).join("\n") + more;
        assert!(!log.contains(SECRET), "{log}");
    }

    /// Takes the volumes of the folder away, so that only the store has anything.
    fn lose_disk(&self) {
        fs::remove_dir_all(self.folder.path().join("volumes")).unwrap();
        fs::create_dir(self.folder.path().join("volumes")).unwrap();
    }

    /// What can be done with copies in a store.
    fn live_through(&self) {
        let original = self.run("run job=b yes").id;
        let control = self.run(&format!("run job=copy jobid={original} yes"));
        let copy = writer_of(&control);
        self.lose_disk();
        self.restore("from-copy", &format!("jobid={copy}"));
        let direct = self.run("run job=direct yes").id;
        self.restore("from-direct", &format!("jobid={direct}"));

        let (code, listed, wrong) = self.tool(&["ls", "--jobs"]);
        assert_eq!((code, wrong.as_str()), (Some(0), ""), "{listed}");
        // On the volume a copy has the number of the job that made it.
        assert!([control.id, direct].iter().all(|id| listed.contains(&format!("job {id} "))), "{listed}");
        let (code, checked, wrong) = self.tool(&["check"]);
        assert_eq!((code, wrong.as_str()), (Some(0), ""), "{checked}");
        assert!(checked.contains("all is well"), "{checked}");
        let back = self.folder.path().join("extracted");
        let (code, extracted, wrong) =
            self.tool(&["extract", "--to", back.to_str().unwrap(), "--job", &direct.to_string()]);
        assert_eq!(code, Some(0), "{extracted}{wrong}");
        assert_restored(&self.source, &back);
        let catalog = self.folder.path().join("again.sqlite");
        let (code, scanned, wrong) = self.tool(&["scan", "--catalog", catalog.to_str().unwrap()]);
        assert_eq!(code, Some(0), "{scanned}{wrong}");
        assert!(scanned.contains("2 jobs, 2 of them new"), "{scanned}");

        let status = self.console.ask(&["status storage=store"]);
        assert!(status.contains("s3://bucket/site"), "{status}");
        self.assert_secret(&(status + &listed + &scanned));
    }
}

/// A site whose store is this server.
fn site_of(server: &Server, large: usize) -> Site {
    Site::start(&format!("http://{}", server.address), large)
}

#[test]
fn copies_go_to_a_store_and_come_back_from_it() {
    let server = Server::start();
    let site = site_of(&server, 5_000_000);
    site.live_through();
    let stored = server.stored();
    let parts = stored.iter().filter(|(key, _)| key.contains("/there-"));
    assert!(parts.clone().count() > 8 && parts.clone().all(|(_, len)| *len <= 1 << 20), "{stored:?}");
    // Each job has left its bootstrap beside the volumes.
    assert_eq!(stored.iter().filter(|(key, _)| key.ends_with(".bsr")).count(), 2, "{stored:?}");

    // A volume is emptied and used again.
    site.console.ask(&["purge volume=there-0001 yes", "truncate volstatus=Purged pool=there storage=store yes"]);
    let left: usize = server.stored().iter().filter(|(key, _)| key.contains("/there-0001/")).map(|(_, len)| len).sum();
    assert!(left < 100_000, "{:?}", server.stored());
    site.run("run job=direct yes");
    site.restore("again", "");
}

#[test]
fn a_store_that_fails_for_a_while_fails_no_job_and_one_that_refuses_does_at_once() {
    let server = Server::start();
    let site = site_of(&server, 5_000_000);
    let failures = AtomicU32::new(0);
    server.misbehave(move |asked| {
        let many = || failures.fetch_add(1, Ordering::Relaxed) < 6;
        (asked.method == "PUT" && asked.path.contains("/there-") && many()).then_some(Fault::Says(503, "SlowDown"))
    });
    let direct = site.run("run job=direct yes").id;
    server.behave();
    site.restore("restored", &format!("jobid={direct}"));
    let said = site.storage.log.from(0).join("\n");
    assert!(said.contains("T0976") && said.contains("answers again"), "{said}");

    server.misbehave(|_| Some(Fault::Says(403, "AccessDenied")));
    let refused = site.console.end_of(site.console.order("run job=direct yes"));
    assert!(!refused.is_ok() && refused.report.contains("T0974"), "{}", refused.report);
    server.misbehave(|_| Some(Fault::Says(403, "AccessDenied")));
    let (code, _, wrong) = site.tool(&["ls"]);
    assert!(code == Some(2) && wrong.contains("T0974") && wrong.lines().count() == 1, "{wrong}");
    server.behave();
    // A store that says it has stored, and has not.
    server.misbehave(|asked| (asked.method == "PUT" && asked.path.contains("/there-")).then_some(Fault::Loses));
    let lost = site.console.end_of(site.console.order("run job=direct yes"));
    assert!(!lost.is_ok() && lost.report.contains("T0977"), "{}", lost.report);
    server.behave();
    let next = site.run("run job=direct yes").id;
    site.restore("restored-too", &format!("jobid={next}"));
    site.assert_secret(&(refused.report + &lost.report));
}

#[test]
fn a_storage_daemon_that_is_killed_in_the_middle_of_a_part_loses_nothing_that_was_acknowledged() {
    let server = Server::start();
    let mut site = site_of(&server, 3_000_000);
    let first = site.run("run job=direct yes").id;
    let large = site.source.join("large");
    let before = fs::read(&large).unwrap();
    fs::write(&large, noise(9, 40_000_000)).unwrap();
    // Some parts are stored, and those that come after them are held, so that the kill comes in their midst.
    let puts = AtomicU32::new(0);
    server.misbehave(move |asked| {
        let is_part = asked.method == "PUT" && asked.path.contains("/there-");
        (is_part && puts.fetch_add(1, Ordering::Relaxed) > 5).then_some(Fault::Holds)
    });
    server.asked();
    let job = site.console.order("run job=direct yes");
    let mut asked = 0;
    wait_for("parts that are under way", || {
        asked += server.asked().iter().filter(|asked| asked.method == "PUT").count();
        (asked > 6).then_some(())
    });
    site.storage.kill();
    server.behave();
    let ended = site.console.end_of(job);
    assert!(!ended.is_ok(), "{}", ended.report);
    site.storage.restart();
    let next = site.run("run job=direct yes").id;
    site.restore("restored", &format!("jobid={next}"));
    let place = site.folder.path().join("first");
    site.run(&format!("restore client=f where={} jobid={first} all done yes", place.display()));
    let restored = place.join(large.strip_prefix("/").unwrap());
    assert!(fs::read(restored).unwrap() == before, "what was acknowledged before is there");
    let (code, checked, wrong) = site.tool(&["check"]);
    assert!(checked.contains("fit their digests") && code != Some(2), "{checked}{wrong}");
}

#[test]
fn keys_that_others_may_read_start_no_storage_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let keys = at.join("keys");
    fs::write(&keys, format!("access_key = {ACCESS}\nsecret_key = {SECRET}\n")).unwrap();
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o644)).unwrap();
    let config = at.join("storage.ron");
    let text = r#"(storage: (name: "s", listen: ["127.0.0.1:1"]), directors: [(name: "d", password: "spw")], devices: [
        (name: "store", media_type: "S3", kind: object, archive_device: "s3://bucket",
         object: (endpoint: "http://127.0.0.1:1", credentials: "keys"))])"#;
    fs::write(
        &config,
        text.replace("127.0.0.1:1\"]", &format!("127.0.0.1:{}\"]", super::support::daemon::free_port())),
    )
    .unwrap();
    for words in [&["-t", "-c"][..], &["-c"]] {
        let (code, output, log) = run(Command::new(env!("CARGO_BIN_EXE_towline-sd")).args(words).arg(&config), "");
        assert!(code == Some(78) && log.contains("T0979") && log.contains("chmod 600"), "{output}{log}");
        assert!(!log.contains(SECRET), "{log}");
    }
}

#[cfg(feature = "system-tests")]
#[path = "real_store.rs"]
mod real_store;
