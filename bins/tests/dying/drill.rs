//! kill -9 of each daemon at ten named steps of a job: after each the job has ended once, the next one works, and what was
//! acknowledged before is still there.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use rusqlite::Connection;
use rustix::process::Signal;

use super::support::daemon::Daemon;
use super::support::network::{CLEAR, Network, Plan};
use super::support::{plant, tree, wait_for};

/// Where a job is when a daemon is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    NoJob,
    WaitsForItsTurn,
    ReachesTheStorageDaemon,
    ReachesTheFileDaemon,
    RunsACommandBefore,
    HasItsFirstBytesOnAVolume,
    IsOnItsSecondVolume,
    RunsACommandAfter,
    HasItsEndRecorded,
    Restores,
}

const STEPS: [Step; 10] = [
    Step::NoJob,
    Step::WaitsForItsTurn,
    Step::ReachesTheStorageDaemon,
    Step::ReachesTheFileDaemon,
    Step::RunsACommandBefore,
    Step::HasItsFirstBytesOnAVolume,
    Step::IsOnItsSecondVolume,
    Step::RunsACommandAfter,
    Step::HasItsEndRecorded,
    Step::Restores,
];

/// A file that takes a while to send and needs no disk to read.
const LONG: u64 = 1 << 30;
/// No job writes more on one volume; what it has of a long file is more than on two.
const VOLUME: u64 = 8 << 20;

/// Commands that wait as long as there is a pipe, and say that they do.
const COMMANDS: &str = r#"name: "b", level: full, run_scripts: [
    (command: "sh -c 'if test -p hold.before; then touch is.before; read x < hold.before; fi'", runs_when: before),
    (command: "sh -c 'if test -p hold.after; then touch is.after; read x < hold.after; fi'", runs_when: after),
],"#;

fn rewrite(text: String) -> String {
    text.replace(r#"name: "b", level: full,"#, COMMANDS)
}

/// A network, and what each good backup has saved.
struct Drill {
    network: Network,
    saved: BTreeMap<u32, BTreeMap<String, Vec<u8>>>,
}

impl Drill {
    fn start() -> Self {
        let pool = format!("maximum_volume_bytes: {VOLUME},");
        let network = Network::start(&Plan { all: CLEAR.to_owned(), pool, rewrite, ..Plan::default() });
        plant(&network.source, 1, 300_000);
        let mut drill = Self { network, saved: BTreeMap::new() };
        drill.back_up();
        drill
    }

    /// A good backup of what there is.
    fn back_up(&mut self) {
        let ended = self.network.run("run job=b level=full yes");
        assert!(ended.is_ok(), "{}", ended.report);
        self.saved.insert(ended.id, tree(&self.network.source));
    }

    fn place(&self, name: &str) -> PathBuf {
        self.network.place(name)
    }

    fn hold(&self, when: &str) {
        let made = Command::new("mkfifo").arg(self.place(&format!("hold.{when}"))).status().unwrap();
        assert!(made.success());
    }

    fn await_held(&self, when: &str) {
        wait_for("the command", || fs::remove_file(self.place(&format!("is.{when}"))).ok());
    }

    /// Lets commands go on, also those whose daemon is dead; later ones do not wait.
    fn release(&self, when: &str) {
        let pipe = self.place(&format!("hold.{when}"));
        let mut open = OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
        fs::remove_file(&pipe).unwrap();
        open.write_all(b"\n").unwrap();
    }

    fn await_status(&self, words: &str) {
        wait_for(words, || self.network.ask(&["status director"]).contains(words).then_some(()));
    }

    /// Brings jobs to a step, has it end there for `die`, and lets go of what holds the others. Returns the jobs.
    fn at(&mut self, step: Step, die: impl FnOnce(&mut Self)) -> Vec<u32> {
        let order = |drill: &Self| drill.network.begin_full_backup();
        match step {
            Step::NoJob => {
                die(self);
                Vec::new()
            }
            Step::WaitsForItsTurn => {
                self.hold("before");
                let jobs = vec![order(self), order(self)];
                self.await_held("before");
                self.await_status("waiting for its turn");
                die(self);
                self.release("before");
                jobs
            }
            Step::ReachesTheStorageDaemon | Step::ReachesTheFileDaemon => {
                let (daemon, words) = match step {
                    Step::ReachesTheFileDaemon => (&self.network.file, "connecting to the file daemon"),
                    _ => (&self.network.storage, "connecting to the storage daemon"),
                };
                let id = daemon.id();
                daemon.signal(Signal::STOP);
                let jobs = vec![order(self)];
                self.await_status(words);
                die(self);
                let daemon = match step {
                    Step::ReachesTheFileDaemon => &self.network.file,
                    _ => &self.network.storage,
                };
                if daemon.id() == id {
                    daemon.signal(Signal::CONT);
                }
                jobs
            }
            Step::RunsACommandBefore => {
                self.hold("before");
                let jobs = vec![order(self)];
                self.await_held("before");
                die(self);
                self.release("before");
                jobs
            }
            Step::HasItsFirstBytesOnAVolume | Step::IsOnItsSecondVolume => {
                let long = self.network.source.join("long");
                File::create(&long).unwrap().set_len(LONG).unwrap();
                let (before, volumes) = (self.network.written(), self.network.volume_files().len());
                let jobs = vec![order(self)];
                match step {
                    Step::IsOnItsSecondVolume => {
                        wait_for("two volumes more", || (self.network.volume_files().len() > volumes + 1).then_some(()))
                    }
                    _ => self.network.wait_written(before + 1),
                }
                die(self);
                fs::remove_file(&long).unwrap();
                jobs
            }
            Step::RunsACommandAfter => {
                self.hold("after");
                let jobs = vec![order(self)];
                self.await_held("after");
                die(self);
                self.release("after");
                jobs
            }
            Step::HasItsEndRecorded => {
                self.hold("after");
                let jobs = vec![order(self)];
                self.await_held("after");
                let other = Connection::open(self.place("catalog.sqlite")).unwrap();
                other.execute_batch("BEGIN IMMEDIATE").unwrap();
                let lines = self.network.director.log.count();
                self.release("after");
                self.network.director.logged(lines, "that it waits", |line| line.contains("the catalog is away"));
                // It is in the way of the next start as well.
                die(self);
                other.execute_batch("COMMIT").unwrap();
                jobs
            }
            Step::Restores => {
                let long = self.network.source.join("long");
                File::create(&long).unwrap().set_len(VOLUME * 6).unwrap();
                self.back_up();
                fs::remove_file(&long).unwrap();
                let place = self.place("half");
                let line = format!("restore client=f where={} all done yes", place.display());
                let said = self.network.ask(&[&line]);
                let job = said.split_once("JobId=").and_then(|(_, rest)| rest.lines().next()?.trim().parse().ok());
                let jobs = vec![job.unwrap_or_else(|| panic!("{said}"))];
                wait_for("the restore to begin", || place.exists().then_some(()));
                die(self);
                jobs
            }
        }
    }

    /// What has to hold after a daemon was killed and has started again.
    fn assert_whole(&mut self, step: Step, jobs: &[u32]) {
        // A director that has just started may find its catalog taken.
        wait_for("the catalog", || (!self.network.ask(&["list jobs limit=1"]).contains("(T0780)")).then_some(()));
        for job in jobs {
            self.network.ask(&[&format!("wait jobid={job}")]);
            let row = self.network.row_of(*job);
            let rows: Vec<&str> = row.lines().filter(|line| line.starts_with('|') && !line.contains("jobid")).collect();
            let status = rows.first().and_then(|line| line.trim_end_matches('|').rsplit('|').next()).map(str::trim);
            let has_ended = matches!(status, Some("T" | "W" | "E" | "f" | "A"));
            assert!(rows.len() == 1 && has_ended, "{step:?}: job {job} has not ended once:\n{row}");
        }
        for daemon in ["status client=f", "status storage=s"] {
            wait_for("nobody to be busy", || self.network.ask(&[daemon]).contains("No Jobs running").then_some(()));
        }
        fs::write(self.network.source.join("file 0"), format!("{step:?}")).unwrap();
        self.back_up();
    }

    /// Every backup that was ever shown as good is restored as it was.
    fn assert_nothing_is_lost(&self) {
        for (job, files) in &self.saved {
            let place = self.place(&format!("restored.{job}"));
            let line = format!("restore client=f jobid={job} where={} all done yes", place.display());
            let ended = self.network.run(&line);
            assert!(ended.is_ok(), "{}", ended.report);
            let source = self.network.source.strip_prefix("/").unwrap();
            assert!(tree(&place.join(source)) == *files, "job {job} is not what was saved");
            fs::remove_dir_all(place).unwrap();
        }
        // Jobs that were cut off lie there too; nothing else is wrong.
        let mut check = Command::new(env!("CARGO_BIN_EXE_towline"));
        let checked = check.args(["volume", "check"]).arg(&self.network.volumes).output().unwrap();
        let complaints = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert!(!complaints.contains("(T0629)"), "{complaints}");
    }
}

/// Kills one of the daemons at each step.
fn kill_at_each_step(of: fn(&mut Network) -> &mut Daemon) {
    let mut drill = Drill::start();
    for step in STEPS {
        let jobs = drill.at(step, |drill| {
            let daemon = of(&mut drill.network);
            daemon.kill();
            daemon.restart();
        });
        drill.assert_whole(step, &jobs);
    }
    drill.assert_nothing_is_lost();
}

#[test]
fn a_director_that_is_killed_at_any_of_ten_steps_loses_nothing_and_goes_on() {
    kill_at_each_step(|network| &mut network.director);
}

#[test]
fn a_storage_daemon_that_is_killed_at_any_of_ten_steps_loses_nothing_and_goes_on() {
    kill_at_each_step(|network| &mut network.storage);
}

#[test]
fn a_file_daemon_that_is_killed_at_any_of_ten_steps_loses_nothing_and_goes_on() {
    kill_at_each_step(|network| &mut network.file);
}
