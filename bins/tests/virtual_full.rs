//! Virtual fulls and consolidations through real daemons: full backups that are made of others without the client.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use support::console::Console;
use support::daemon::Daemon;
use support::network::{CLEAR, Ended};
use support::{noise, tree, wait_for};
use tempfile::TempDir;

/// A director, a file daemon, and two devices in folders of their own, of one storage daemon or of one each. Jobs back up to
/// the first, and what is made of their backups goes to the second.
struct Site {
    _director: Daemon,
    _file: Daemon,
    _storages: Vec<Daemon>,
    console: Console,
    source: PathBuf,
    folder: TempDir,
}

impl Site {
    /// With these settings of the job `b`, and these jobs beside it; both devices are of one storage daemon.
    fn start(settings: &str, jobs: &str) -> Self {
        Self::of(&[&["single", "joined"]], settings, jobs)
    }

    /// The same with a storage daemon for each of these groups of devices.
    fn of(groups: &[&[&'static str]], settings: &str, jobs: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let source = at.join("source");
        for name in ["source", "single", "joined"] {
            fs::create_dir(at.join(name)).unwrap();
        }
        let common = format!(r#"listen: ["127.0.0.1"], working_directory: {at:?}, {CLEAR}"#);
        let file = Daemon::start("file", &[env!("CARGO_BIN_EXE_towline-fd").into()], at, |port| {
            format!(r#"(file: (name: "f", port: {port}, {common}), directors: [(name: "d", password: "fpw")])"#)
        });
        let device =
            |name: &str| format!(r#"(name: "{name}", media_type: "File", archive_device: {:?})"#, at.join(name));
        let (mut storages, mut resources) = (Vec::new(), Vec::new());
        for devices in groups {
            let name = devices[0];
            let there: Vec<String> = devices.iter().map(|name| device(name)).collect();
            let storage = Daemon::start(name, &[env!("CARGO_BIN_EXE_towline-sd").into()], at, |port| {
                format!(
                    r#"(storage: (name: "{name}", port: {port}, {common}), directors: [(name: "d", password: "pw-{name}")],
                        devices: [{}])"#,
                    there.join(", ")
                )
            });
            let port = storage.address.port();
            resources.extend(devices.iter().map(|device| {
                format!(
                    r#"(name: "{device}", address: "127.0.0.1", port: {port}, password: "pw-{name}", device: "{device}",
                        media_type: "File")"#
                )
            }));
            storages.push(storage);
        }
        let resources = resources.join(", ");
        let job = r#"client: "f", fileset: "fs", storage: "single", pool: "single""#;
        let file_port = file.address.port();
        let director = Daemon::start("director", &[env!("CARGO_BIN_EXE_towline-dir").into()], at, |port| {
            format!(
                r#"(director: (name: "d", password: "console", port: {port}, {common}),
                    clients: [(name: "f", address: "127.0.0.1", port: {file_port}, password: "fpw")],
                    storages: [{resources}],
                    jobs: [(name: "b", accurate: true, {settings} {job}), (name: "r", kind: restore, {job}),
                           (name: "v", kind: verify, {job}), {}],
                    filesets: [(name: "fs", include: [(files: [{source:?}], options: [(digest: xxh128)])])],
                    pools: [(name: "single", label_format: "single-", next_pool: "joined"),
                            (name: "joined", label_format: "joined-", storage: "joined")],
                    catalog: sqlite(path: "catalog.sqlite"))"#,
                jobs.replace("JOB", job)
            )
        });
        let console = at.join("console.ron");
        let port = director.address.port();
        let text =
            format!(r#"(director: (name: "d", address: "127.0.0.1", port: {port}, password: "console", {CLEAR}))"#);
        fs::write(&console, text).unwrap();
        let console = Console::new(console);
        Self { _director: director, _file: file, _storages: storages, console, source, folder }
    }

    /// Runs what a line orders; it must end well.
    fn run(&self, line: &str) -> Ended {
        let ended = self.console.end_of(self.console.order(line));
        assert!(ended.is_ok(), "{line}:\n{}", ended.report);
        ended
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.source.join(name), bytes).unwrap();
    }

    /// Restores all that there is, and compares it with the source. Returns the jobs that it was restored from.
    fn assert_restores(&self, name: &str) -> String {
        let place = self.folder.path().join(name);
        let said = self.console.ask(&[&format!("restore client=f where={} all done yes", place.display())]);
        let (_, jobs) = said.split_once("You have selected the following JobId").unwrap_or_else(|| panic!("{said}"));
        let jobs = jobs.trim_start_matches("s").trim_start_matches(": ");
        let (_, id) = said.split_once("JobId=").unwrap_or_else(|| panic!("{said}"));
        let ended = self.console.end_of(id.lines().next().unwrap().trim().parse().unwrap());
        assert!(ended.is_ok(), "{}", ended.report);
        assert_eq!(tree(&place.join(self.source.strip_prefix("/").unwrap())), tree(&self.source));
        jobs.lines().next().unwrap().trim().to_owned()
    }

    /// Type, level and number of files of the jobs in the catalog, by their numbers.
    fn jobs(&self) -> BTreeMap<u32, (String, u32)> {
        let catalog = rusqlite::Connection::open(self.folder.path().join("catalog.sqlite")).unwrap();
        catalog.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
        let mut found = catalog.prepare("SELECT JobId, Type || Level || JobStatus, JobFiles FROM Job").unwrap();
        let rows = found.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// The names of the volumes of a device.
    fn volumes(&self, device: &str) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path().join(device)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| !name.starts_with('.') && !name.ends_with(".bsr"));
        names.sort();
        names
    }
}

fn saved(ended: &Ended) -> u32 {
    let line = ended.report.lines().find_map(|line| line.trim().strip_prefix("SD Files Written:")).unwrap();
    line.trim().replace(',', "").parse().unwrap()
}

/// Lets the clock go on, so that a change is later than the start of the job before by whole seconds.
fn next_second() {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let began = now();
    wait_for("the next second but one", || (now() > began + 1).then_some(()));
}

/// Backs a tree up, changes it, and backs it up again. Returns how many entries it has then, itself included.
fn a_full_and_an_incremental(site: &Site) -> usize {
    fs::create_dir(site.source.join("sub")).unwrap();
    site.put("large", &noise(1, 3 << 20));
    for name in ["same", "changed", "gone", "sub/deep", "linked"] {
        site.put(name, name.as_bytes());
    }
    fs::hard_link(site.source.join("linked"), site.source.join("sub/link")).unwrap();
    site.run("run job=b yes");
    next_second();
    site.put("changed", b"once");
    fs::remove_file(site.source.join("gone")).unwrap();
    site.put("sub/new", &noise(2, 300_000));
    next_second();
    site.run("run job=b yes");
    tree(&site.source).len() + 1
}

#[test]
fn a_virtual_full_holds_what_full_and_incrementals_hold_together_and_the_next_builds_on_it() {
    let site = Site::start("", "");
    let there = a_full_and_an_incremental(&site);
    let first = site.run("run job=b level=virtualfull yes");
    assert_eq!(saved(&first) as usize, there, "{}", first.report);
    assert!(first.report.contains("Taking together JobIds 1,2 with"), "{}", first.report);
    assert!(!first.report.contains("FD termination status"), "no client takes part:\n{}", first.report);
    assert_eq!(site.jobs()[&3], ("BFT".to_owned(), u32::try_from(there).unwrap()));
    assert_eq!(site.assert_restores("first"), "3");
    // Of a link alone its data comes too.
    let link = site.source.join("sub/link");
    let place = site.folder.path().join("link");
    site.run(&format!("restore client=f where={} file={} done yes", place.display(), link.display()));
    assert_eq!(fs::read(place.join(link.strip_prefix("/").unwrap())).unwrap(), b"linked");
    let verified = site.run("run job=v jobid=3 yes");
    assert!(verified.report.contains("Files Expected:         9"), "{}", verified.report);

    // What the client has since is one file, for it builds on the times of the last of these jobs.
    next_second();
    site.put("changed", b"twice");
    next_second();
    let next = site.run("run job=b yes");
    let files = site.console.ask(&[&format!("list files jobid={}", next.id)]);
    assert_eq!(saved(&next), 1, "{files}");
    assert_eq!(site.assert_restores("second"), format!("3,{}", next.id));
    // The next one reads what lies in the pool that it writes to, and in another folder: another volume it is.
    assert_eq!(site.volumes("joined"), ["joined-0002"]);
    let second = site.run("run job=b level=virtualfull yes");
    assert!(second.report.contains(&format!("Taking together JobIds 3,{} with", next.id)), "{}", second.report);
    assert_eq!(site.volumes("joined"), ["joined-0002", "joined-0003"], "{}", second.report);
    assert_eq!(site.assert_restores("third"), second.id.to_string());

    // A part of the chain, which says itself what was deleted.
    next_second();
    fs::remove_file(site.source.join("same")).unwrap();
    next_second();
    let gone = site.run("run job=b yes").id;
    site.put("late", b"late");
    next_second();
    let late = site.run("run job=b yes").id;
    let named = site.run(&format!("run job=b level=virtualfull jobid={late},{gone} yes"));
    assert_eq!(site.jobs()[&named.id].0, "BIT", "{}", named.report);
    assert_eq!(site.assert_restores("fourth"), format!("{},{gone},{late},{}", second.id, named.id));
    site.console.ask(&[&format!("delete jobid={gone},{late} yes")]);
    assert_eq!(site.assert_restores("fifth"), format!("{},{}", second.id, named.id));
}

#[test]
fn a_consolidation_takes_the_oldest_together_and_purges_them() {
    let settings =
        r#"always_incremental: true, always_incremental_job_retention: "1 s", always_incremental_keep_number: 2,"#;
    let site = Site::start(settings, r#"(name: "c", kind: consolidate, accurate: true, JOB)"#);
    site.put("same", b"same");
    for round in 0_u8..7 {
        site.put("changed", &[round; 1000]);
        site.put(&format!("new {round}"), &noise(round.into(), 50_000));
        if let Some(before) = round.checked_sub(2) {
            fs::remove_file(site.source.join(format!("new {before}"))).unwrap();
        }
        next_second();
        site.run("run job=b yes");
        next_second();
    }
    let refused = site.console.end_of(site.console.order("run job=b level=virtualfull yes"));
    assert!(refused.report.contains("(T0881)"), "{}", refused.report);
    let consolidation = site.run("run job=c yes");
    assert!(consolidation.report.contains("JobIds 1,2,3,4,5 are taken together"), "{}", consolidation.report);
    let made = site.console.end_of(consolidation.id + 1);
    assert!(made.is_ok() && made.report.contains("JobIds 1,2,3,4,5 are purged"), "{}", made.report);
    let left: Vec<u32> =
        site.jobs().into_iter().filter(|(_, (kind, _))| kind.ends_with('T')).map(|(id, _)| id).collect();
    assert_eq!(left, [6, 7, consolidation.id, made.id]);
    assert_eq!(site.assert_restores("all"), format!("{},6,7", made.id));
    // There is nothing more to do, until there is one more.
    let idle = site.run("run job=c yes");
    assert!(idle.report.contains("no more incremental backups than are to stay single"), "{}", idle.report);
    site.put("changed", b"again");
    next_second();
    let last = site.run("run job=b yes").id;
    let again = site.run("run job=c yes");
    let made_again = site.console.end_of(again.id + 1);
    assert!(made_again.is_ok(), "{}", made_again.report);
    assert_eq!(site.assert_restores("again"), format!("{},7,{last}", made_again.id));
}

#[test]
fn a_virtual_full_read_by_one_storage_daemon_and_written_by_another_restores_the_same() {
    let site = Site::of(&[&["single"], &["joined"]], "", r#"(name: "m", kind: migrate, JOB)"#);
    let there = a_full_and_an_incremental(&site);
    let made = site.run("run job=b level=virtualfull yes");
    assert_eq!(saved(&made) as usize, there, "{}", made.report);
    let jobs = site.jobs();
    assert_eq!((&jobs[&made.id].0[..], &jobs[&(made.id + 1)].0[..]), ("BFT", "cfT"));
    assert_eq!(site.volumes("joined").len(), 1);
    assert_eq!(site.assert_restores("first"), made.id.to_string());
    // Of a link alone its data comes too, for the numbers of files are those of the new job.
    let link = site.source.join("sub/link");
    let place = site.folder.path().join("link");
    site.run(&format!("restore client=f where={} file={} done yes", place.display(), link.display()));
    assert_eq!(fs::read(place.join(link.strip_prefix("/").unwrap())).unwrap(), b"linked");
    let verified = site.run(&format!("run job=v jobid={} yes", made.id));
    assert!(verified.report.contains("Files Expected:         9"), "{}", verified.report);

    // The next incremental builds on it, and lies with the other storage daemon: what is to be done is said, and works.
    next_second();
    site.put("changed", b"twice");
    next_second();
    let next = site.run("run job=b yes");
    assert_eq!(saved(&next), 1, "{}", next.report);
    let refused = site.console.end_of(site.console.order("run job=b level=virtualfull yes"));
    assert!(refused.report.contains("(T0885)") && refused.report.contains("`kind: migrate`"), "{}", refused.report);
    site.run(&format!("run job=m jobid={} yes", next.id));
    let again = site.run("run job=b level=virtualfull yes");
    assert_eq!(saved(&again) as usize, there, "{}", again.report);
    assert_eq!(site.assert_restores("second"), again.id.to_string());
}

#[test]
fn a_consolidation_may_go_to_another_storage_daemon() {
    let settings =
        r#"always_incremental: true, always_incremental_job_retention: "1 s", always_incremental_keep_number: 1,"#;
    let jobs = r#"(name: "c", kind: consolidate, accurate: true, JOB)"#;
    let site = Site::of(&[&["single"], &["joined"]], settings, jobs);
    for round in 0_u8..4 {
        site.put("changed", &[round; 1000]);
        site.put(&format!("new {round}"), &noise(round.into(), 50_000));
        next_second();
        site.run("run job=b yes");
        next_second();
    }
    let consolidation = site.run("run job=c yes");
    let made = site.console.end_of(consolidation.id + 1);
    assert!(made.is_ok() && made.report.contains("JobIds 1,2,3 are purged"), "{}", made.report);
    assert_eq!(site.assert_restores("all"), format!("{},4", made.id));
}
