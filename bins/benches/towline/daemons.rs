//! (c) Whole backups and restores through real daemons: a director with its catalog, a storage daemon, a file daemon, each a
//! process of its own, and a console that gives the orders.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::channel::Protection;
use crate::memory::{peak, resident};

/// What is backed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// 5 files that are large.
    Large,
    /// Many files of 4 KiB.
    Small,
}

impl Job {
    /// As the table has it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Large => "large files",
            Self::Small => "files of 4 KiB",
        }
    }
}

/// How the daemons are set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) runtime: &'static str,
    pub(crate) protection: Protection,
    /// The digest of every file, as the configuration has it.
    pub(crate) digest: &'static str,
}

/// What one backup and one restore took.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) backup: Duration,
    pub(crate) restore: Duration,
    /// Processor seconds of all three daemons.
    pub(crate) backup_processor: f64,
    pub(crate) restore_processor: f64,
    /// Peak memory in MiB: director, storage daemon, file daemon.
    pub(crate) peaks: [f64; 3],
}

/// Backs `source` up and restores it, in daemons that are started for it below `work`.
pub(crate) fn back_up_and_restore(setup: Setup, source: &Path, work: &Path) -> Outcome {
    let site = Site::start(setup, source, work);
    let mut console = Prompt::start(&site);
    let before = site.processor();
    let backup = console.job("run job=bench level=Full yes");
    let between = site.processor();
    let restored = work.join("restored");
    fs::create_dir(&restored).expect("a folder");
    let restore = console.job(&format!("restore client=bench-fd where={} all done yes", restored.display()));
    let after = site.processor();
    let peaks = site.daemons().map(|daemon| peak(daemon.id()));
    compare(source, &restored.join(source.strip_prefix("/").expect("an absolute path")));
    drop(console);
    drop(site);
    Outcome { backup, restore, backup_processor: between - before, restore_processor: after - between, peaks }
}

/// Restored means: the same names with the same lengths, and the same bytes in the first and the last file.
fn compare(source: &Path, restored: &Path) {
    let (left, right) = (sizes(source, source), sizes(restored, restored));
    assert_eq!(left.len(), right.len(), "as many files as were backed up");
    assert!(left == right, "the same names and sizes");
    for (name, _) in left.first().into_iter().chain(left.last()) {
        assert!(fs::read(source.join(name)).expect("read") == fs::read(restored.join(name)).expect("read"), "{name:?}");
    }
}

fn sizes(folder: &Path, root: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("list") {
        let entry = entry.expect("entry");
        let metadata = entry.metadata().expect("metadata");
        if metadata.is_dir() {
            found.extend(sizes(&entry.path(), root));
        } else {
            found.push((entry.path().strip_prefix(root).expect("below").to_path_buf(), metadata.len()));
        }
    }
    found.sort();
    found
}

/// Three daemons that run.
struct Site {
    director: Child,
    storage: Child,
    file: Child,
    console: PathBuf,
}

impl Site {
    fn start(setup: Setup, source: &Path, work: &Path) -> Self {
        let [director, storage, file] = free_ports();
        let tls = match setup.protection {
            Protection::Plain => "(enable: false, require: false)",
            Protection::Rustls | Protection::Psk => "()",
        };
        let volumes = work.join("volumes");
        fs::create_dir_all(&volumes).expect("a folder");
        let (work_text, volumes, source, digest) = (work.display(), volumes.display(), source.display(), setup.digest);
        let write = |name: &str, text: String| {
            let path = work.join(name);
            fs::write(&path, text).expect("write a configuration");
            path
        };
        let own = |name: &str, port: u16| {
            format!(
                "name: \"{name}\", port: {port}, listen: [\"127.0.0.1\"], working_directory: \"{work_text}\", tls: {tls}"
            )
        };
        let mut text = format!("(director: ({}, password: \"console\"),", own("bench-dir", director));
        write!(
            text,
            "clients: [(name: \"bench-fd\", address: \"127.0.0.1\", port: {file}, password: \"file\")],
             storages: [(name: \"bench-sd\", address: \"127.0.0.1\", port: {storage}, password: \"storage\", device: \"disk\", \
             media_type: \"File\")],
             jobs: [(name: \"bench\", client: \"bench-fd\", fileset: \"bench\", storage: \"bench-sd\", pool: \"bench\", \
             level: full), (name: \"restore\", kind: restore, client: \"bench-fd\", fileset: \"bench\", storage: \"bench-sd\", \
             pool: \"bench\")],
             filesets: [(name: \"bench\", include: [(files: [\"{source}\"], options: [(digest: {digest})])])],
             pools: [(name: \"bench\", label_format: \"bench-\")],
             catalog: sqlite(path: \"catalog.sqlite\"))"
        )
        .expect("text");
        let director_file = write("director.ron", text);
        let storage_file = write(
            "storage-daemon.ron",
            format!(
                "(storage: ({}), directors: [(name: \"bench-dir\", password: \"storage\")], devices: [(name: \"disk\", \
                 media_type: \"File\", archive_device: \"{volumes}\")])",
                own("bench-sd", storage)
            ),
        );
        let file_file = write(
            "file-daemon.ron",
            format!("(file: ({}), directors: [(name: \"bench-dir\", password: \"file\")])", own("bench-fd", file)),
        );
        let console = write(
            "console.ron",
            format!(
                "(director: (name: \"bench-dir\", address: \"127.0.0.1\", port: {director}, password: \"console\", tls: {tls}))"
            ),
        );
        let site = Self {
            director: daemon(env!("CARGO_BIN_EXE_towline-dir"), &director_file, setup.runtime),
            storage: daemon(env!("CARGO_BIN_EXE_towline-sd"), &storage_file, setup.runtime),
            file: daemon(env!("CARGO_BIN_EXE_towline-fd"), &file_file, setup.runtime),
            console,
        };
        for port in [director, storage, file] {
            await_port(port);
        }
        site
    }

    const fn daemons(&self) -> [&Child; 3] {
        [&self.director, &self.storage, &self.file]
    }

    /// Processor seconds of the daemons so far.
    fn processor(&self) -> f64 {
        self.daemons().iter().map(|daemon| crate::processor::of(daemon.id())).sum()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for daemon in [&mut self.director, &mut self.storage, &mut self.file] {
            let _ended_already = daemon.kill();
            let _status = daemon.wait();
        }
    }
}

/// Starts a daemon; its log is beside its configuration.
pub(crate) fn daemon(program: &str, config: &Path, runtime: &str) -> Child {
    let mut command = Command::new(program);
    command.arg("--config").arg(config).args(["--runtime", runtime]);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let log = fs::File::create(config.with_extension("log")).expect("a log");
    command.stderr(log).spawn().expect("a daemon")
}

/// Three ports that are free now, and different.
fn free_ports() -> [u16; 3] {
    let held = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
    held.map(|listener| listener.local_addr().expect("an address").port())
}

/// Waits until something listens.
pub(crate) fn await_port(port: u16) {
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(began.elapsed() < Duration::from_secs(20), "nothing listens on port {port}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// An idle file daemon: its memory in MiB once it listens.
pub(crate) fn idle(program: &Path, config: &Path, port: u16) -> f64 {
    let mut daemon = daemon(&program.display().to_string(), config, "blocking");
    await_port(port);
    let memory = resident(daemon.id());
    daemon.kill().expect("an idle daemon");
    daemon.wait().expect("its status");
    memory
}

/// A console to which lines are written.
pub(crate) struct Prompt {
    child: Child,
    lines: ChildStdin,
    answers: BufReader<ChildStdout>,
    asked: u32,
}

impl Prompt {
    fn start(site: &Site) -> Self {
        Self::on(&site.console)
    }

    /// A console with this configuration, greeted.
    pub(crate) fn on(config: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_towline-console"))
            .arg("--config")
            .arg(config)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a console");
        let lines = child.stdin.take().expect("its input");
        let answers = BufReader::new(child.stdout.take().expect("its output"));
        let mut prompt = Self { child, lines, answers, asked: 0 };
        prompt.until_done("");
        prompt
    }

    /// Runs a job to its end and times it; panics if it did not end well.
    fn job(&mut self, order: &str) -> Duration {
        let began = Instant::now();
        let said = self.until_done(&format!("{order}\nwait\n"));
        let took = began.elapsed();
        let report = self.until_done("messages\n");
        let is_good = report.lines().any(|line| line.contains("Termination:") && line.trim_end().ends_with("OK"));
        assert!(is_good, "{order}\n{said}\n{report}");
        took
    }

    /// Sends lines, then one the director does not know, and returns what was said before the answer to that.
    pub(crate) fn until_done(&mut self, lines: &str) -> String {
        self.asked += 1;
        let mark = format!("mark{}", self.asked);
        writeln!(self.lines, "{lines}{mark}").expect("the console reads");
        self.lines.flush().expect("the console reads");
        let mut said = String::new();
        loop {
            let start = said.len();
            assert!(
                self.answers.read_line(&mut said).expect("the console speaks") > 0,
                "the console has ended: {said}"
            );
            if said[start..].starts_with(&mark) {
                return said;
            }
        }
    }
}

impl Drop for Prompt {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _status = self.child.wait();
    }
}
