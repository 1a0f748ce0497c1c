//! The real daemons' programs, a server for their catalog, and processes of either kind.

use std::fs::File;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::cell::{Maker, Name};
use crate::support::daemon::run;
use crate::support::postgres::Server;
use crate::support::wait_for;

/// How long a daemon may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(10);

/// What is there to run.
#[derive(Debug)]
pub(crate) struct Rig {
    sbin: PathBuf,
    server: Option<Server>,
}

impl Rig {
    /// By the environment; `None`, and a line that says so, without real daemons.
    pub(crate) fn of_environment() -> Option<Self> {
        let Some(sbin) = std::env::var_os("BAREOS_SBIN").map(PathBuf::from) else {
            eprintln!("not run: BAREOS_SBIN does not name a folder with the daemons of Bareos");
            return None;
        };
        for program in ["bareos-dir", "bareos-sd", "bareos-fd", "bconsole"] {
            assert!(sbin.join(program).exists(), "BAREOS_SBIN={}: there is no {program}", sbin.display());
        }
        let server = std::env::var_os("BAREOS_DDL").map(|file| {
            let tables = std::fs::read_to_string(&file).unwrap();
            let server = Server::start();
            let made = "CREATE DATABASE bareos TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'";
            server.sql("postgres", made);
            server.sql("bareos", &tables);
            server
        });
        Some(Self { sbin, server })
    }

    /// What the real daemons call themselves.
    pub(crate) fn version(&self) -> String {
        let output = Command::new(self.sbin.join("bareos-fd")).arg("--version").output().unwrap();
        format!("Bareos {}", String::from_utf8_lossy(&output.stdout).trim())
    }

    /// Whether there is a catalog for the director of a cell.
    pub(crate) const fn can_run(&self, name: &Name) -> bool {
        self.server.is_some() || matches!(name.director, Maker::Our)
    }

    /// The server with a database `bareos`, in which their tables are.
    #[cfg(feature = "postgres")]
    pub(crate) const fn server(&self) -> Option<&Server> {
        self.server.as_ref()
    }

    /// The directives of a `Catalog` with fresh tables of theirs.
    pub(crate) fn catalog(&self, database: &str) -> String {
        let server = self.server.as_ref().expect("asked for only with BAREOS_DDL");
        server.sql("postgres", &format!("CREATE DATABASE {database} TEMPLATE bareos"));
        let port = server.port;
        format!(
            "DbName = {database}\n  DbUser = towline\n  DbPassword = sesame\n  DbAddress = 127.0.0.1\n  DbPort = {port}"
        )
    }

    /// A daemon's program: `dir`, `sd` or `fd`.
    pub(crate) fn program(&self, maker: Maker, daemon: &str) -> PathBuf {
        match (maker, daemon) {
            (Maker::Real, daemon) => self.sbin.join(format!("bareos-{daemon}")),
            (Maker::Our, "dir") => env!("CARGO_BIN_EXE_towline-dir").into(),
            (Maker::Our, "sd") => env!("CARGO_BIN_EXE_towline-sd").into(),
            (Maker::Our, _) => env!("CARGO_BIN_EXE_towline-fd").into(),
        }
    }

    /// A program of theirs.
    pub(crate) fn program_named(&self, name: &str) -> PathBuf {
        self.sbin.join(name)
    }

    /// What their console prints for these lines.
    pub(crate) fn ask(&self, config: &Path, lines: &[&str]) -> String {
        let mut command = Command::new(self.sbin.join("bconsole"));
        let (_, output, errors) = run(command.arg("-c").arg(config), &(lines.join("\n") + "\n"));
        output + &errors
    }

    /// Orders a job and waits for its end; its number and its log if that is OK.
    ///
    /// # Errors
    /// What the director says otherwise.
    pub(crate) fn job(&self, config: &Path, line: &str) -> Result<(u32, String), String> {
        let ordered = self.ask(config, &[line]);
        let id: String = ordered
            .split_once("JobId=")
            .map_or("", |(_, rest)| rest)
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        let id = id.parse().map_err(|_| format!("no job came of {line:?}:\n{ordered}"))?;
        Ok((id, self.end_of(config, id, line)?))
    }

    /// Waits for the end of a job, which came of this; its log if that is OK.
    ///
    /// # Errors
    /// What the director says otherwise.
    pub(crate) fn end_of(&self, config: &Path, id: u32, what: &str) -> Result<String, String> {
        self.ask(config, &[&format!("wait jobid={id}")]);
        let log = wait_for("the end of a job's report", || {
            let log = self.ask(config, &[&format!("list joblog jobid={id}")]);
            log.contains("Termination:").then_some(log)
        });
        let ended = log.lines().rev().find(|line| line.contains("Termination:")).unwrap_or_default();
        if ended.trim_end_matches(['|', ' ']).ends_with(" OK") { Ok(log) } else { Err(format!("{what}:\n{log}")) }
    }
}

/// A daemon of either kind, until it is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a daemon in the foreground and waits until something listens on its port.
    ///
    /// # Errors
    /// What it printed if it ended instead.
    pub(crate) fn start(program: &Path, config: &Path, port: u16, log: PathBuf) -> Result<Self, String> {
        let file = File::options().create(true).append(true).open(&log).unwrap();
        let child = Command::new(program)
            .arg("-f")
            .arg("-c")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        let mut process = Self { child, log };
        wait_for("a daemon to listen or to end", || {
            if let Some(status) = process.child.try_wait().unwrap() {
                return Some(Err(format!("{} ended with {status}:\n{}", program.display(), process.said())));
            }
            TcpStream::connect(("127.0.0.1", port)).is_ok().then_some(Ok(()))
        })?;
        Ok(process)
    }

    /// All that it has printed.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Asked first: a storage daemon has a volume open.
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let _gone = id.map(|id| kill_process(id, Signal::TERM));
        let end = Instant::now() + GRACE;
        while Instant::now() < end {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}
