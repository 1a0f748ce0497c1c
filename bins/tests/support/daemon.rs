//! One daemon or console as a process.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use super::PATIENCE;

/// The exit code of a daemon that cannot listen.
const CANNOT_LISTEN: i32 = 69;

/// Lines a process has written, and whether it has closed its output.
#[derive(Debug, Default)]
pub struct Lines {
    state: Mutex<(Vec<String>, bool)>,
    changed: Condvar,
}

impl Lines {
    /// Reads until the output is closed.
    pub fn collect(output: impl Read + Send + 'static) -> Arc<Self> {
        let lines = Arc::new(Self::default());
        let to = Arc::clone(&lines);
        thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                to.state.lock().unwrap().0.push(String::from_utf8_lossy(&line).into_owned());
                to.changed.notify_all();
            }
            to.state.lock().unwrap().1 = true;
            to.changed.notify_all();
        });
        lines
    }

    /// How many lines there are.
    pub fn count(&self) -> usize {
        self.state.lock().unwrap().0.len()
    }

    /// The lines from this one on.
    pub fn from(&self, first: usize) -> Vec<String> {
        self.state.lock().unwrap().0[first..].to_vec()
    }

    /// Waits for a line from `first` on that is wanted; none once the process has closed its output without it.
    pub fn find(&self, first: usize, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let end = Instant::now() + PATIENCE;
        let mut state = self.state.lock().unwrap();
        loop {
            if let Some(line) = state.0.iter().skip(first).find(|line| wanted(line)) {
                return Some(line.clone());
            }
            let left = end.checked_duration_since(Instant::now())?;
            if state.1 {
                return None;
            }
            state = self.changed.wait_timeout(state, left).unwrap().0;
        }
    }

    fn all(&self) -> String {
        let end = Instant::now() + PATIENCE;
        let mut state = self.state.lock().unwrap();
        while !state.1 {
            let left = end.checked_duration_since(Instant::now()).unwrap_or_default();
            assert!(!left.is_zero(), "the program does not end; it has said:\n{}", state.0.join("\n"));
            state = self.changed.wait_timeout(state, left).unwrap().0;
        }
        state.0.join("\n")
    }
}

/// A daemon that runs until it is dropped.
#[derive(Debug)]
pub struct Daemon {
    name: &'static str,
    program: Vec<PathBuf>,
    file: PathBuf,
    child: Child,
    /// What it logs.
    pub log: Arc<Lines>,
    /// What it prints.
    pub output: Arc<Lines>,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Daemon {
    /// Starts a daemon whose configuration `write` makes for a port, and waits until it listens. The program is its last
    /// word: before it may stand a program that becomes it.
    pub fn start(name: &'static str, program: &[PathBuf], folder: &Path, write: impl Fn(u16) -> String) -> Self {
        let file = folder.join(format!("{name}.ron"));
        Self::start_with(name, program, file.clone(), |port| std::fs::write(&file, write(port)).unwrap())
    }

    /// The same with a configuration at any place, a file or a folder, that `write` writes for a port.
    pub fn start_with(name: &'static str, program: &[PathBuf], file: PathBuf, write: impl Fn(u16)) -> Self {
        for _ in 0..20 {
            write(free_port());
            match launch(name, program, &file) {
                Ok((child, (log, output), address)) => {
                    return Self { name, program: program.to_vec(), file, child, log, output, address };
                }
                // Somebody was faster with this port.
                Err((Some(CANNOT_LISTEN), _)) => {}
                Err((code, log)) => panic!("{name} ended with {code:?}:\n{log}"),
            }
        }
        panic!("no port for {name}");
    }

    /// Starts a daemon that may not listen for a while, and does not wait for it; its `address` means nothing.
    pub fn begin(name: &'static str, program: &[PathBuf], folder: &Path, text: &str) -> Self {
        let file = folder.join(format!("{name}.ron"));
        std::fs::write(&file, text).unwrap();
        let (child, (log, output)) = spawn(program, &file);
        let address = ([0, 0, 0, 0], 0).into();
        Self { name, program: program.to_vec(), file, child, log, output, address }
    }

    /// Waits until it prints that it listens there, from the line `first` of its output on.
    pub fn listens(&self, first: usize, on: &str) {
        let line = format!("listening on {on}");
        let found = self.output.find(first, |printed| printed == line);
        assert!(found.is_some(), "{} does not say {line:?}:\n{}", self.name, self.log.from(0).join("\n"));
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Changes its configuration for the next [`restart`](Self::restart).
    pub fn rewrite(&self, old: &str, new: &str) {
        let text = std::fs::read_to_string(&self.file).unwrap();
        assert!(text.contains(old), "{text}");
        std::fs::write(&self.file, text.replace(old, new)).unwrap();
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(pid(&self.child), signal).unwrap();
    }

    /// Kills it at once and starts it again with the same configuration.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again after [`kill`](Self::kill), on the same port.
    pub fn restart(&mut self) {
        let started = launch(self.name, &self.program, &self.file);
        let started = started.unwrap_or_else(|(code, log)| panic!("{} {code:?}:\n{log}", self.name));
        (self.child, (self.log, self.output), self.address) = started;
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Bytes of memory it holds, from `/proc`.
    pub fn memory(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() * 1024
    }

    /// Waits for a line of the log from `first` on.
    pub fn logged(&self, first: usize, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let found = self.log.find(first, wanted);
        found
            .unwrap_or_else(|| panic!("{} has not logged {what}, but:\n{}", self.name, self.log.from(first).join("\n")))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Not waited for yet, or waited for and then this does nothing: the id is never another's.
        let _ended = self.child.kill();
        let _status = self.child.wait();
        if thread::panicking() {
            let log = self.log.from(0);
            eprintln!("--- log of {}:\n{}", self.name, log[log.len().saturating_sub(40)..].join("\n"));
        }
    }
}

/// A process, what it logs and what it prints.
type Spawned = (Child, (Arc<Lines>, Arc<Lines>));
type Launched = (Child, (Arc<Lines>, Arc<Lines>), SocketAddr);

fn spawn(program: &[PathBuf], file: &Path) -> Spawned {
    let mut command = Command::new(&program[0]);
    command.args(&program[1..]).arg("-c").arg(file).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let log = Lines::collect(child.stderr.take().unwrap());
    let output = Lines::collect(child.stdout.take().unwrap());
    (child, (log, output))
}

/// Starts a daemon; its exit code and log if it ends without listening.
fn launch(name: &str, program: &[PathBuf], file: &Path) -> Result<Launched, (Option<i32>, String)> {
    let (mut child, (log, output)) = spawn(program, file);
    let line = output.find(0, |line| line.starts_with("listening on "));
    let address = line.and_then(|line| line.strip_prefix("listening on ")?.parse().ok());
    match address {
        Some(address) => Ok((child, (log, output), address)),
        None => {
            let _ended = child.kill();
            let status = child.wait().unwrap();
            Err((status.code(), format!("{name}: {}", log.all())))
        }
    }
}

/// What a program says until it ends, and its exit code.
pub fn run(command: &mut Command, input: &str) -> (Option<i32>, String, String) {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = Lines::collect(child.stdout.take().unwrap());
    let errors = Lines::collect(child.stderr.take().unwrap());
    let mut stdin = child.stdin.take().unwrap();
    // It may have ended before it read everything.
    let _closed = stdin.write_all(input.as_bytes());
    drop(stdin);
    let mut guard = Guard(child);
    let (output, errors) = (output.all(), errors.all());
    (guard.0.wait().unwrap().code(), output, errors)
}

/// Ends a process on the way out.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _status = self.0.wait();
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap()
}

/// A port that is free now, below those the system gives to dialling sockets.
pub fn free_port() -> u16 {
    free_ports(1)
}

/// The first of so many ports in a row that are free now. No other test of this program gets one of them.
pub fn free_ports(count: u16) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() * 37 % 20_000).unwrap();
    loop {
        let port = 11_000 + (start + NEXT.fetch_add(count, Ordering::Relaxed) % 20_000) % 20_000;
        if (port..port + count).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            return port;
        }
    }
}
