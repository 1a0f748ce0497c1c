//! A director, a file daemon, a storage daemon, and consoles that come and go.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::console::Console;
use super::daemon::{Daemon, free_port};
use super::wait_for;

/// What opens the page of [`Network::shown`].
pub const PAGE_TOKEN: &str = "a-token-for-people";

/// No TLS at all.
pub const CLEAR: &str = "tls: (enable: false, require: false),";

/// What is special about a network: pieces of configuration, each with a comma at its end.
#[derive(Debug)]
pub struct Plan {
    /// Of all four programs.
    pub all: String,
    /// Of the three daemons.
    pub daemons: String,
    /// Of the storage daemon's device.
    pub device: String,
    /// Of the director's pool.
    pub pool: String,
    /// The file daemon's program.
    pub file_program: PathBuf,
    /// What becomes the storage daemon: a program and its arguments, in front of the storage daemon's own.
    pub storage_prefix: Vec<PathBuf>,
    /// What becomes the director, likewise.
    pub director_prefix: Vec<PathBuf>,
    /// Of the file daemon instead of `all`.
    pub file_tls: Option<String>,
    /// Of the console instead of `all`.
    pub console_tls: Option<String>,
    /// The director's catalog.
    pub catalog: String,
    /// Where the volumes are.
    pub volumes: Option<PathBuf>,
    /// Of the file daemon's and the storage daemon's directors, after `d`.
    pub directors: String,
    /// The director's named consoles.
    pub consoles: String,
    /// Of the director's client.
    pub client: String,
    /// Of the options of the fileset.
    pub options: String,
    /// What becomes of each configuration before it is written.
    pub rewrite: fn(String) -> String,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            all: String::new(),
            daemons: String::new(),
            device: String::new(),
            pool: String::new(),
            file_program: env!("CARGO_BIN_EXE_towline-fd").into(),
            storage_prefix: Vec::new(),
            director_prefix: Vec::new(),
            file_tls: None,
            console_tls: None,
            catalog: r#"sqlite(path: "catalog.sqlite")"#.to_owned(),
            volumes: None,
            directors: String::new(),
            consoles: String::new(),
            client: String::new(),
            options: String::new(),
            rewrite: |text| text,
        }
    }
}

/// How a job ended.
#[derive(Clone, Debug)]
pub struct Ended {
    pub id: u32,
    /// Its whole report.
    pub report: String,
}

impl Ended {
    /// Whether the report says OK without any reservation.
    pub fn is_ok(&self) -> bool {
        self.termination().ends_with(" OK")
    }

    /// The words after `Termination:`.
    pub fn termination(&self) -> &str {
        self.report.lines().rev().find_map(|line| line.trim().strip_prefix("Termination:")).unwrap_or("none").trim()
    }
}

/// The daemons and their folder. `source` is what the job `b` backs up, `volumes` where the storage daemon writes.
#[derive(Debug)]
pub struct Network {
    pub director: Daemon,
    pub file: Daemon,
    pub storage: Daemon,
    pub source: PathBuf,
    pub volumes: PathBuf,
    pub(super) console: Console,
    pub folder: TempDir,
}

impl Network {
    pub fn start(plan: &Plan) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let source = at.join("source");
        let volumes = plan.volumes.clone().unwrap_or_else(|| at.join("volumes"));
        std::fs::create_dir_all(&source).unwrap();
        std::fs::create_dir_all(&volumes).unwrap();
        let Plan {
            all, daemons, device, pool, file_tls, catalog, directors, consoles, client, options, rewrite, ..
        } = plan;
        let common = format!(r#"listen: ["127.0.0.1"], working_directory: {at:?}, {daemons}"#);
        let file_tls = file_tls.as_ref().unwrap_or(all);
        let file = Daemon::start("file", std::slice::from_ref(&plan.file_program), at, |port| {
            rewrite(format!(
                r#"(file: (name: "f", port: {port}, {common} {file_tls}), directors: [(name: "d", password: "fpw"), {directors}])"#
            ))
        });
        let mut program = plan.storage_prefix.clone();
        program.push(env!("CARGO_BIN_EXE_towline-sd").into());
        let storage = Daemon::start("storage", &program, at, |port| {
            rewrite(format!(
                r#"(storage: (name: "s", port: {port}, {common} {all}), directors: [(name: "d", password: "spw"), {directors}],
                    devices: [(name: "dev", media_type: "File", archive_device: {volumes:?}, {device})])"#
            ))
        });
        let (file_port, storage_port) = (file.address.port(), storage.address.port());
        let mut program = plan.director_prefix.clone();
        program.push(env!("CARGO_BIN_EXE_towline-dir").into());
        let director = Daemon::start("director", &program, at, |port| {
            let job = r#"client: "f", fileset: "fs", storage: "s", pool: "p""#;
            rewrite(format!(
                r#"(director: (name: "d", password: "console", port: {port}, {common} {all}),
                    clients: [(name: "f", address: "127.0.0.1", port: {file_port}, password: "fpw", {client})],
                    storages: [(name: "s", address: "127.0.0.1", port: {storage_port}, password: "spw",
                                device: "dev", media_type: "File")],
                    jobs: [(name: "b", level: full, {job}), (name: "r", kind: restore, {job}),
                           (name: "v", kind: verify, {job})],
                    filesets: [(name: "fs", include: [(files: [{source:?}], options: [(digest: xxh128, {options})])])],
                    pools: [(name: "p", label_format: "v-", {pool})],
                    consoles: [{consoles}],
                    catalog: {catalog})"#
            ))
        });
        let console = at.join("console.ron");
        let port = director.address.port();
        let tls = plan.console_tls.as_ref().unwrap_or(all);
        let text =
            format!(r#"(director: (name: "d", address: "127.0.0.1", port: {port}, password: "console", {tls}))"#);
        std::fs::write(&console, rewrite(text)).unwrap();
        Self { director, file, storage, source, volumes, console: Console::new(console), folder }
    }

    /// What a console prints for these lines. Fails if it cannot be asked.
    pub fn ask(&self, lines: &[&str]) -> String {
        self.console.ask(lines)
    }

    /// Asks with a console whose configuration differs; returns its exit code, what it prints and its log.
    pub fn ask_as(&self, old: &str, new: &str, lines: &[&str]) -> (Option<i32>, String, String) {
        let text = std::fs::read_to_string(&self.console.file).unwrap();
        assert!(text.contains(old), "{text}");
        let file = self.place("other-console.ron");
        std::fs::write(&file, text.replace(old, new)).unwrap();
        Console { file, ..self.console.clone() }.try_to_ask(lines)
    }

    /// Asks all three daemons for their status.
    pub fn assert_all_serve(&self) {
        let text = self.ask(&["status director", "status client=f", "status storage=s"]);
        assert!(text.contains("Running Jobs:"), "{text}");
        assert!(text.contains("Connecting to Client f at ") && text.contains("f Version: "), "{text}");
        assert!(text.contains("Connecting to Storage daemon s at ") && text.contains("s Version: "), "{text}");
    }

    /// Orders the backup; returns its number.
    pub fn begin_backup(&self) -> u32 {
        self.console.order("run job=b yes")
    }

    /// Orders the backup of all files; returns its number.
    pub fn begin_full_backup(&self) -> u32 {
        self.console.order("run job=b level=Full yes")
    }

    /// Runs the backup to its end.
    pub fn backup(&self) -> Ended {
        self.end_of(self.begin_backup())
    }

    /// Runs what this line orders to its end; another catalog than the first has it.
    pub fn run_in(&self, catalog: &str, line: &str) -> Ended {
        self.console.end_with(self.console.order(line), &format!(" catalog={catalog}"))
    }

    /// Runs what this line orders to its end.
    pub fn run(&self, line: &str) -> Ended {
        self.end_of(self.console.order(line))
    }

    /// Restores the newest backup below this folder.
    pub fn restore(&self, place: &Path, more: &str) -> Ended {
        let line = format!("restore client=f where={} {more} all done yes", place.display());
        self.end_of(self.console.order(&line))
    }

    /// Waits for the end of a job.
    pub fn end_of(&self, id: u32) -> Ended {
        self.console.end_of(id)
    }

    /// The row of a job in the catalog.
    pub fn row_of(&self, id: u32) -> String {
        self.ask(&[&format!("list jobs jobid={id}")])
    }

    /// Waits until a backup has written this much to its volumes.
    pub fn wait_written(&self, bytes: u64) {
        wait_for("the volumes to grow", || (self.written() >= bytes).then_some(()));
    }

    /// Bytes of all volumes.
    pub fn written(&self) -> u64 {
        self.volume_files().iter().map(|path| std::fs::metadata(path).unwrap().len()).sum()
    }

    /// The volumes in the order of their names.
    pub fn volume_files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(&self.volumes).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.file_name().unwrap().to_string_lossy().starts_with("v-"));
        files.sort();
        files
    }

    /// The plan of a network whose director shows the director's state, with a page behind the token of this name.
    pub fn shown() -> Plan {
        let rewrite = |text: String| {
            let begin = r#"(director: (name: "d", password: "console","#;
            let more = format!(r#"{begin} metrics: "127.0.0.1:{}", page_token: "{PAGE_TOKEN}","#, free_port());
            text.replace(begin, &more)
        };
        Plan { rewrite, ..Plan::default() }
    }

    /// The port at which the director of such a plan shows the director's state.
    pub fn metrics_port(&self) -> u16 {
        let text = std::fs::read_to_string(self.place("director.ron")).unwrap();
        let after = text.split("metrics: \"127.0.0.1:").nth(1).unwrap();
        after.split('"').next().unwrap().parse().unwrap()
    }

    /// A folder beside the others.
    pub fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
