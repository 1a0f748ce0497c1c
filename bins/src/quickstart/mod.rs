//! `towline quickstart`: a whole backup network on loopback, one backup, one restore, and a comparison of every entry.
//!
//! `mode.rs` says which way connections go, `config.rs` writes the configurations, `processes.rs` runs the daemons,
//! `dialogue.rs` is the console, `copying.rs` is what a copy or a migration needs besides, `progress.rs` shows how far it
//! is, `report.rs` says what came of it.

mod config;
mod copying;
mod dialogue;
mod mode;
mod processes;
mod progress;
mod report;
mod state;

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use towline_core::node::Number;
use towline_core::notice::Level;

use crate::daemon::{runtime, say};
use crate::disk::compare::{Comparison, compare};

use config::{BACKUP, CLIENT, Network, Ports, free_port};
use copying::Copied;
use dialogue::Dialogue;
pub use mode::Mode;
use mode::{RESTORED_FROM, TRACES};
use processes::{Kind, Processes};
use progress::Progress;
use report::{Connection, Done, Report, connected, summary};
use state::State;

/// How long a daemon may take until it listens.
const START: Duration = Duration::from_secs(30);
/// Ports that are tried for a daemon: another program may take one between our look and its start.
const TRIES: u32 = 3;
/// The exit code after Ctrl-C, as shells have it.
const EXIT_INTERRUPTED: u8 = 130;

/// How connections are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// By pre-shared keys, made of the passwords.
    Psk,
    /// By certificates, made on the spot.
    Certificate,
    /// Not at all.
    Off,
}

impl Protection {
    /// All of them; the first that is built in is the default.
    pub const ALL: &'static [Self] = &[Self::Psk, Self::Certificate, Self::Off];

    /// Its word on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Psk => "psk",
            Self::Certificate => "certificate",
            Self::Off => "off",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Psk => "pre-shared key",
            Self::Certificate => "certificate",
            Self::Off => "none",
        }
    }
}

/// What the command line says.
#[derive(Clone, Debug)]
pub struct Options {
    source: PathBuf,
    into: Option<PathBuf>,
    mode: Mode,
    protection: Protection,
    runtime: Option<String>,
    state: Option<PathBuf>,
    keep: bool,
    json: bool,
}

/// What the threads tell the main one.
#[derive(Debug)]
enum News {
    Listening(Kind, SocketAddr),
    Gone(Kind),
    Print(String),
    Ready,
    Log(Level, String),
    ConsoleEnded,
    Compared(Box<Comparison>),
    Interrupted,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Local(String),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("a configuration of quickstart itself is refused, please report it:\n{0}")]
    Config(String),
    #[error("the {} has ended", .0.name())]
    Daemon(Kind),
    #[error("the {} does not listen after {} seconds", .0.name(), START.as_secs())]
    Silent(Kind),
    #[error("the console lost the director:\n{0}")]
    Console(String),
    #[error("the director says: {0}")]
    Refused(String),
    #[error("the {what} did not end well:\n{report}")]
    Job { what: &'static str, report: String },
    #[error("interrupted")]
    Interrupted,
}

/// The subcommand.
#[must_use]
pub fn command() -> Command {
    let path = value_parser!(PathBuf);
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    Command::new("quickstart")
        .about("Runs a whole backup network on loopback: backs a folder up, restores it, compares every entry")
        .arg(option("source", "PATH", "What to back up").value_parser(path.clone()).required(true))
        .arg(
            option("into", "DIR", "An empty or new folder for the restored files; with the state if left out")
                .value_parser(path.clone()),
        )
        .arg(
            option("mode", "MODE", "Which way the connections go [default: default]")
                .value_parser(Mode::ALL.iter().map(|mode| mode.name()).collect::<Vec<_>>()),
        )
        .arg(
            option("tls", "KIND", "How connections are protected: psk unless it is not built in")
                .value_parser(Protection::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>()),
        )
        .arg(option("runtime", "NAME", "What drives the daemons: tokio, smol or blocking"))
        .arg(
            option(
                "state",
                "DIR",
                "An empty or new folder for configurations, catalog, volumes and logs; they stay there",
            )
            .value_parser(path),
        )
        .arg(flag("keep", "Keep the state, and say where it is"))
        .arg(flag("json", "Print one JSON object"))
}

impl Options {
    /// Takes the values of [`command`].
    #[must_use]
    pub fn of(matches: &ArgMatches) -> Self {
        let path = |name: &str| matches.get_one::<PathBuf>(name).cloned();
        let tls = matches.get_one::<String>("tls");
        let named = Protection::ALL.iter().copied().find(|kind| tls.is_some_and(|tls| tls == kind.name()));
        let mode = matches.get_one::<String>("mode");
        let mode = Mode::ALL.iter().copied().find(|known| mode.is_some_and(|mode| mode == known.name()));
        let default = if cfg!(feature = "psk") { Protection::Psk } else { Protection::Certificate };
        Self {
            source: path("source").unwrap_or_default(),
            into: path("into"),
            mode: mode.unwrap_or_default(),
            protection: named.unwrap_or(default),
            runtime: matches.get_one::<String>("runtime").cloned(),
            state: path("state"),
            keep: matches.get_flag("keep"),
            json: matches.get_flag("json"),
        }
    }
}

/// Does it all; 0 only if every entry came back as it was.
#[must_use]
pub fn run(options: &Options) -> ExitCode {
    match network(options) {
        Ok(report) => {
            say(&if options.json { report.json() + "\n" } else { report.text() });
            ExitCode::from(u8::from(!report.is_ok()))
        }
        Err(failure) => {
            if options.json {
                say(&format!("{}\n", serde_json::json!({ "ok": false, "error": failure.to_string() })));
            }
            let _closed = writeln!(io::stderr(), "towline quickstart: {failure}");
            match failure {
                Failure::Interrupted => ExitCode::from(EXIT_INTERRUPTED),
                Failure::Usage(_) => ExitCode::from(crate::config::EXIT_CONFIG),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn network(options: &Options) -> Result<Report, Failure> {
    let runtime =
        runtime::Choice::named(options.runtime.as_deref()).map_err(|error| Failure::Usage(error.to_string()))?;
    if options.protection == Protection::Psk && cfg!(not(feature = "psk")) {
        let text = "pre-shared keys are not built in: use --tls certificate, or a build with the feature psk";
        return Err(Failure::Usage(text.to_owned()));
    }
    let unusable = |error: io::Error| Failure::Usage(format!("cannot use {}: {error}", options.source.display()));
    let source = options.source.canonicalize().map_err(unusable)?;
    let state = State::new(options.state.as_deref(), options.keep)?;
    let into = match &options.into {
        Some(into) => state::own_folder(into)?,
        None => state::make_folder(&state.path().join("restored"))?,
    };
    for (what, folder) in [("the state", state.path()), ("what is restored", &into)] {
        if folder.starts_with(&source) {
            let folder = folder.display();
            let text = format!(
                "{what} would be in {folder}, which is part of the source: name another folder with --state or --into"
            );
            return Err(Failure::Usage(text));
        }
    }
    let (to, news) = channel();
    watch_signals(to.clone())?;
    let mut run = Run { options, runtime, source, into, state, to, news, processes: Processes::default() };
    run.whole().map_err(|failure| run.with_log(failure))
}

/// A job that is to run.
#[derive(Debug)]
struct Task {
    /// What it is, in a word.
    what: &'static str,
    /// What a person is told when it begins.
    says: String,
    /// What the console is told.
    line: String,
    /// Bytes it will move, 0 if nobody sees its progress.
    total: u64,
    /// The daemon whose work shows how far it is.
    busy: Kind,
}

/// A job that has ended well.
#[derive(Debug)]
struct Ended {
    id: u32,
    done: Done,
    report: String,
}

/// One run. Fields are dropped in their order: the processes end before the state goes.
struct Run<'a> {
    processes: Processes,
    options: &'a Options,
    runtime: runtime::Choice,
    source: PathBuf,
    into: PathBuf,
    state: State,
    to: Sender<News>,
    news: Receiver<News>,
}

impl Run<'_> {
    fn whole(&mut self) -> Result<Report, Failure> {
        let source = self.source.to_str().map(str::to_owned);
        let source = source.ok_or_else(|| Failure::Usage("the source's name is not UTF-8".to_owned()))?;
        let network = Network::new(self.state.path(), self.options.mode, self.options.protection)?;
        let ports = self.start(&network, &source)?;
        let console = network.console(ports)?;
        let mut dialogue = Dialogue::connect(&console, self.runtime, &self.to, &self.news)?;
        let mut connections = vec![self.connection(Number::DefaultConsole, dialogue.log.first().map(String::as_str))?];

        let total = progress::size_of(&self.source, self.shows_progress());
        let says = format!("Backing up {}", self.source.display());
        let line = format!("run job={BACKUP} yes");
        let backup = self.job(&mut dialogue, &Task { what: "backup", says, line, total, busy: Kind::File })?;
        connections.extend(self.connections_of(&backup.report)?);
        let mut copied = None;
        if self.options.mode.copies() {
            copied = Some(self.copy(&mut dialogue, backup.id, total)?);
            self.stop_storage()?;
        }
        let restore = self.restore(&mut dialogue, copied.as_ref(), total)?;
        let storage = self.connection(Number::DirectorToStorage, RESTORED_FROM.line(&restore.report))?;
        if copied.is_some() {
            self.assert_second(&storage, ports.second)?;
        }
        dialogue.leave(&self.news);
        let (copy, more, reports) = match copied {
            Some(copied) => (Some(copied.done), copied.connections, copied.reports),
            None => (None, Vec::new(), String::new()),
        };
        connections.extend(more);
        connections.sort_by_key(|connection| connection.number);
        let complaints = [backup.report, reports, restore.report].iter().flat_map(|log| complaints(log)).collect();
        Ok(Report {
            runtime: self.runtime.name(),
            mode: self.options.mode,
            protection: self.options.protection,
            connections,
            backup: backup.done,
            copy,
            restore: restore.done,
            restored_from: storage.address,
            comparison: self.compare()?,
            complaints,
            kept: self.state.kept(),
        })
    }

    /// Restores: a copy by its number, else the newest backup, which may be a migrated one.
    fn restore(&self, dialogue: &mut Dialogue, copied: Option<&Copied>, total: u64) -> Result<Ended, Failure> {
        let job = match copied {
            Some(copied) if self.options.mode == Mode::Copy => format!("jobid={}", copied.job),
            _ => String::new(),
        };
        let where_to = quoted(&self.into)?;
        let line = format!("restore client={CLIENT} {job} where={where_to} all done yes");
        let says = format!("Restoring below {}", self.into.display());
        self.job(dialogue, &Task { what: "restore", says, line, total, busy: Kind::File })
    }

    /// Starts the daemons, those first that are dialled by the others.
    fn start(&mut self, network: &Network, source: &str) -> Result<Ports, Failure> {
        let mut ports = Ports::default();
        for kind in self.options.mode.order().iter().copied() {
            let mut tries = 0;
            loop {
                tries += 1;
                let port = free_port()?;
                let file = match kind {
                    Kind::Storage => {
                        ports.storage = port;
                        network.storage_daemon(ports)?
                    }
                    Kind::SecondStorage => {
                        ports.second = port;
                        network.second_storage_daemon(ports)?
                    }
                    Kind::File => {
                        ports.file = port;
                        network.file_daemon(ports)?
                    }
                    Kind::Director => {
                        ports.director = port;
                        network.director(ports, source)?
                    }
                };
                self.processes.start(kind, &file, self.runtime.name(), self.state.path(), &self.to)?;
                match self.listening(kind) {
                    Ok(address) => {
                        self.tell(&format!("The {} listens on {address}", kind.name()));
                        break;
                    }
                    Err(Failure::Daemon(_)) if tries < TRIES => self.processes.reap(kind),
                    Err(failure) => return Err(failure),
                }
            }
        }
        Ok(ports)
    }

    fn listening(&self, kind: Kind) -> Result<SocketAddr, Failure> {
        let give_up = Instant::now() + START;
        loop {
            match self.news.recv_timeout(give_up.saturating_duration_since(Instant::now())) {
                Ok(News::Listening(who, address)) if who == kind => return Ok(address),
                Ok(News::Gone(who)) => return Err(Failure::Daemon(who)),
                Ok(News::Interrupted) => return Err(Failure::Interrupted),
                Ok(_) => {}
                Err(_) => return Err(Failure::Silent(kind)),
            }
        }
    }

    /// Runs a job to its end.
    fn job(&self, dialogue: &mut Dialogue, task: &Task) -> Result<Ended, Failure> {
        let Task { what, says, line, total, busy } = task;
        self.tell(says);
        let progress = Progress::new(what, *total, self.processes.id(*busy), self.shows_progress());
        let started = Instant::now();
        let answer = dialogue.ask(line, &self.news, &mut || progress.tick())?;
        let id = job_id(&answer).ok_or_else(|| Failure::Refused(answer.trim().to_owned()))?;
        dialogue.ask(&format!("wait jobid={id}"), &self.news, &mut || progress.tick())?;
        let time = started.elapsed();
        progress.finish();
        let report = dialogue.ask(&format!("list joblog jobid={id}"), &self.news, &mut || {})?;
        let ended = report.lines().rev().find_map(|line| line.trim().strip_prefix("Termination:"));
        if !ended.is_some_and(|ended| ended.contains(" OK")) {
            return Err(Failure::Job { what, report: report.trim_end().to_owned() });
        }
        let (files, bytes) = summary(&report);
        Ok(Ended { id, done: Done { files, bytes, time }, report })
    }

    /// Compares what came back, on a thread, so that Ctrl-C is heard.
    fn compare(&self) -> Result<Comparison, Failure> {
        self.tell("Comparing every entry");
        let relative = self.source.strip_prefix("/").unwrap_or(&self.source);
        let (source, restored, to) = (self.source.clone(), self.into.join(relative), self.to.clone());
        thread::Builder::new().name("compare".to_owned()).spawn(move || {
            let _gone = to.send(News::Compared(Box::new(compare(&source, &restored))));
        })?;
        loop {
            match self.news.recv() {
                Ok(News::Compared(comparison)) => return Ok(*comparison),
                Ok(News::Interrupted) => return Err(Failure::Interrupted),
                Ok(_) => {}
                Err(_) => return Err(Failure::Local("the comparison is gone".to_owned())),
            }
        }
    }

    /// The connections that the report of the backup names: those of the mode, and no others.
    fn connections_of(&self, log: &str) -> Result<Vec<Connection>, Failure> {
        let mut connections = Vec::new();
        for trace in TRACES {
            let mode = self.options.mode;
            match (trace.line(log), mode.expected().contains(&trace.number)) {
                (line, true) => connections.push(self.connection(trace.number, line)?),
                (None, false) => {}
                (Some(line), false) => {
                    let text =
                        format!("connection {} was made, which mode {} must not: {line}", trace.number, mode.name());
                    return Err(Failure::Local(text));
                }
            }
        }
        connections.push(Connection {
            number: Number::Catalog,
            address: self.state.path().join("catalog.sqlite").display().to_string(),
            tls: "none: a file".to_owned(),
        });
        Ok(connections)
    }

    fn connection(&self, number: Number, line: Option<&str>) -> Result<Connection, Failure> {
        let (from, to) = (number.from(), number.to());
        let found = line.and_then(connected);
        let (address, cipher) = found.ok_or_else(|| {
            Failure::Local(format!("no line of the report says how the {from} reached the {to}; please report it"))
        })?;
        let kind = self.options.protection;
        let is_clear = cipher == "None";
        if is_clear != (kind == Protection::Off) {
            return Err(Failure::Local(format!("{from} -> {to} is protected by {cipher}, not by a {}", kind.words())));
        }
        let tls = if is_clear { "none".to_owned() } else { format!("{}, {cipher}", kind.words()) };
        Ok(Connection { number, address, tls })
    }

    fn shows_progress(&self) -> bool {
        !self.options.json && io::stderr().is_terminal()
    }

    fn tell(&self, text: &str) {
        if !self.options.json {
            say(&format!("{text}\n"));
        }
    }

    /// Adds the end of a daemon's log to a failure that it explains.
    fn with_log(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Daemon(kind) | Failure::Silent(kind) => {
                Failure::Local(format!("{failure}; the end of its log:\n{}", processes::tail(self.state.path(), kind)))
            }
            other => other,
        }
    }
}

fn job_id(answer: &str) -> Option<u32> {
    let (_, rest) = answer.split_once("JobId=")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Lines of a report that a person should see: what was not saved or restored as it is.
fn complaints(report: &str) -> Vec<String> {
    let words = ["Error: ", "Warning: ", "Fatal error: ", "Could not", "not saved"];
    let is_one = |line: &&str| words.iter().any(|word| line.contains(word));
    report.lines().filter(is_one).map(str::to_owned).collect()
}

/// A path as a value on the console's line.
fn quoted(path: &Path) -> Result<String, Failure> {
    let bytes = path.as_os_str().as_bytes();
    let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains(char::is_control));
    let text = text.ok_or_else(|| Failure::Usage(format!("{} cannot be named on a line of text", path.display())))?;
    Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

fn watch_signals(to: Sender<News>) -> io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let (mut signals, sender) = UnixStream::pair()?;
    signal_hook::low_level::pipe::register(SIGTERM, sender.try_clone()?)?;
    signal_hook::low_level::pipe::register(SIGINT, sender)?;
    let body = move || {
        let mut one = [0];
        while signals.read(&mut one).is_ok_and(|n| n > 0) && to.send(News::Interrupted).is_ok() {}
    };
    thread::Builder::new().name("signals".to_owned()).spawn(body).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_job_and_a_quoted_path() {
        assert_eq!(job_id("Using Catalog\nJob queued. JobId=12\n"), Some(12));
        assert_eq!(job_id("There is no job.\n"), None);
        assert_eq!(quoted(Path::new("/a b\"c\\")).unwrap(), r#""/a b\"c\\""#);
        assert!(quoted(Path::new("/a\nb")).is_err());
    }
}
