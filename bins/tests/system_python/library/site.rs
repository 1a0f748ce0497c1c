//! Daemons for the checks, from files in Bareos' syntax, and sessions of python-bareos with them.

use std::cell::RefCell;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Outcome, ensure};
use crate::python;
use crate::support::bareos_tree::plant_tree;
use crate::support::daemon::{Daemon, Lines};
use crate::support::plant;

/// How many files the fileset `many` has.
pub(crate) const MANY: usize = 300;

/// A console with every right, and TLS.
pub(crate) const KEEPER: &str = "keeper-with-tls";

/// The daemons `d`, `f` and `s`, and a Python with sessions.
pub(crate) struct Site {
    library: RefCell<Library>,
    pub(crate) director: Daemon,
    pub(crate) file: Daemon,
    _storage: Daemon,
    folder: TempDir,
}

impl Site {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        for sub in ["work", "volumes", "numbered"] {
            std::fs::create_dir(at.join(sub)).unwrap();
        }
        plant(&at.join("source"), 11, 20_000);
        for n in 0..MANY {
            std::fs::write(at.join(format!("numbered/{n}")), n.to_string()).unwrap();
        }
        let daemon = |name: &'static str, program: &str, text: &str, others: &[(&str, u16)]| {
            let etc = at.join(name);
            Daemon::start_with(name, &[program.into()], etc.clone(), |port| {
                let mut text = text.replace("@at@", at.to_str().unwrap()).replace("@port@", &port.to_string());
                text = text.replace("@source@", at.join("source").to_str().unwrap());
                for (word, port) in others {
                    text = text.replace(word, &port.to_string());
                }
                plant_tree(&etc, &[(&format!("bareos-{name}.d/all/all.conf"), &text)]);
            })
        };
        let file = include_str!("../../fixtures/library/bareos-fd.conf");
        let file = daemon("fd", env!("CARGO_BIN_EXE_towline-fd"), file, &[]);
        let storage = include_str!("../../fixtures/library/bareos-sd.conf");
        let storage = daemon("sd", env!("CARGO_BIN_EXE_towline-sd"), storage, &[]);
        let ports = [("@file@", file.address.port()), ("@storage@", storage.address.port())];
        let director = include_str!("../../fixtures/library/bareos-dir.conf");
        let director = daemon("dir", env!("CARGO_BIN_EXE_towline-dir"), director, &ports);
        Self { library: RefCell::new(Library::start()), director, file, _storage: storage, folder }
    }

    /// A place in the folder of all.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the jobs save.
    pub(crate) fn source(&self) -> String {
        self.place("source").to_str().unwrap().to_owned()
    }

    /// A console in JSON with every right.
    pub(crate) fn keeper(&self) -> Result<Session<'_>, String> {
        self.json(KEEPER)
    }

    /// A console in JSON.
    pub(crate) fn json(&self, name: &str) -> Result<Session<'_>, String> {
        self.log_in("json", json!({ "name": name, "password": "secret" }))
    }

    /// A console in text.
    pub(crate) fn text(&self, name: &str) -> Result<Session<'_>, String> {
        self.log_in("text", json!({ "name": name, "password": "secret" }))
    }

    /// Logs in with the arguments of the library's class: `json`, `text` or `file`, which speaks to the file daemon.
    ///
    /// # Errors
    /// What the library raised instead.
    pub(crate) fn log_in(&self, kind: &str, mut options: Value) -> Result<Session<'_>, String> {
        let daemon = if kind == "file" { &self.file } else { &self.director };
        let port = options.as_object_mut().unwrap().entry("port");
        port.or_insert_with(|| daemon.address.port().into());
        let mut library = self.library.borrow_mut();
        library.sessions += 1;
        let id = library.sessions.to_string();
        let heard = library.order(&json!({ "open": id, "kind": kind, "options": options }));
        match heard["refused"].as_str() {
            Some(why) => Err(why.to_owned()),
            None => Ok(Session { site: self, id, way: heard }),
        }
    }
}

/// One process of Python for all sessions of a site.
struct Library {
    child: Child,
    orders: ChildStdin,
    answers: Arc<Lines>,
    heard: usize,
    sessions: usize,
}

impl Library {
    fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/library.py");
        let mut command = Command::new(python());
        let mut child = command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let answers = Lines::collect(child.stdout.take().unwrap());
        let orders = child.stdin.take().unwrap();
        Self { child, orders, answers, heard: 0, sessions: 0 }
    }

    fn order(&mut self, order: &Value) -> Value {
        writeln!(self.orders, "{order}").unwrap();
        let answer = self.answers.find(self.heard, |_| true).unwrap_or_else(|| panic!("no answer to {order}"));
        self.heard += 1;
        serde_json::from_str(&answer).unwrap()
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// Somebody who is logged in.
pub(crate) struct Session<'a> {
    site: &'a Site,
    id: String,
    /// The version of TLS, null in clear, and the protocol of the login.
    pub(crate) way: Value,
}

impl Session<'_> {
    fn call(&self, command: &Value) -> Value {
        self.site.library.borrow_mut().order(&json!({ "to": self.id, "call": command }))
    }

    /// The result of a command, or of words that are one already.
    ///
    /// # Errors
    /// It was refused, or answered with what is no JSON.
    pub(crate) fn ask(&self, command: impl Into<Value>) -> Result<Value, String> {
        let command = command.into();
        let mut answer = self.call(&command);
        match answer.get_mut("result") {
            Some(result) => Ok(result.take()),
            None => Err(format!("{command}: {answer}")),
        }
    }

    /// The text of an answer.
    pub(crate) fn says(&self, command: impl Into<Value>) -> Result<String, String> {
        let result = self.ask(command)?;
        result.as_str().map(str::to_owned).ok_or_else(|| format!("no text: {result}"))
    }

    /// The rows below a key.
    pub(crate) fn rows(&self, command: &str, key: &str) -> Result<Vec<Value>, String> {
        let mut result = self.ask(command)?;
        match result[key].take() {
            Value::Array(rows) => Ok(rows),
            // Of one thing that is not there.
            Value::Object(none) if none.is_empty() => Ok(Vec::new()),
            _ => Err(format!("{command} has no rows {key}: {result}")),
        }
    }

    /// That a command is refused.
    pub(crate) fn refuses(&self, command: &str) -> Outcome {
        let answer = self.call(&command.into());
        ensure(answer["error"].is_object(), || format!("{command} is not refused: {answer}"))
    }

    /// Orders a job and waits for its end; its number.
    ///
    /// # Errors
    /// It did not end with this status, as a person reads it.
    pub(crate) fn ends(&self, order: &str, status: &str) -> Result<String, String> {
        let started = self.ask(order)?;
        let id = started["run"]["jobid"].as_str().ok_or_else(|| format!("{order}: {started}"))?.to_owned();
        let ended = self.ask(format!("wait jobid={id}"))?;
        let log = || self.ask(format!("list joblog jobid={id}"));
        ensure(ended["job"]["jobstatuslong"] == status, || format!("{order} ended with {ended}: {:?}", log()))?;
        Ok(id)
    }

    /// Runs a job that must be good.
    pub(crate) fn run(&self, order: &str) -> Result<String, String> {
        self.ends(order, "OK")
    }

    /// The newest good backup of a job and a level; runs one if there is none.
    pub(crate) fn backup(&self, job: &str, level: &str) -> Result<String, String> {
        let rows = self.rows(&format!("list jobs job={job} level={level} jobstatus=T last"), "jobs")?;
        match rows.first().and_then(|row| row["jobid"].as_str()) {
            Some(id) => Ok(id.to_owned()),
            None => self.run(&format!("run job={job} level={level} yes")),
        }
    }

    /// The numbers of the jobs that a list has.
    pub(crate) fn jobs(&self, command: &str) -> Result<Vec<String>, String> {
        let rows = self.rows(command, "jobs")?;
        Ok(rows.iter().filter_map(|row| row["jobid"].as_str().map(str::to_owned)).collect())
    }

    /// All that a job has logged.
    pub(crate) fn log(&self, id: &str) -> Result<String, String> {
        let rows = self.rows(&format!("list joblog jobid={id}"), "joblog")?;
        for row in &rows {
            ensure(row["time"].is_string() && row["logtext"].is_string(), || format!("a row of a log: {row}"))?;
        }
        Ok(rows.iter().filter_map(|row| row["logtext"].as_str()).collect())
    }
}
