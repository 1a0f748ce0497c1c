//! A console: says lines to the director and returns what comes back.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::daemon::run;
use super::network::Ended;
use super::wait_for;

/// A console's program and its configuration.
#[derive(Clone, Debug)]
pub struct Console {
    /// What becomes the console: its own program is the last word.
    pub program: Vec<PathBuf>,
    /// Its configuration file.
    pub file: PathBuf,
}

impl Console {
    /// The console itself with this configuration.
    pub fn new(file: PathBuf) -> Self {
        Self { program: vec![env!("CARGO_BIN_EXE_towline-console").into()], file }
    }

    /// That of director `d` on this port, with its configuration in a folder; `settings` are those of the way there.
    pub fn of(folder: &Path, port: u16, settings: &str) -> Self {
        let file = folder.join("console.ron");
        let director = format!(r#"name: "d", address: "127.0.0.1", port: {port}, password: "console", {settings}"#);
        std::fs::write(&file, format!("(director: ({director}))")).unwrap();
        Self::new(file)
    }

    /// What it prints for these lines, however they went. Fails if it cannot ask.
    pub fn ask(&self, lines: &[&str]) -> String {
        let (code, output, errors) = self.try_to_ask(lines);
        assert!(matches!(code, Some(0..=2)), "the console failed at {lines:?}:\n{output}\n{errors}");
        output
    }

    /// Its exit code, what it prints and its log.
    pub fn try_to_ask(&self, lines: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(&self.program[0]);
        run(command.args(&self.program[1..]).arg("-c").arg(&self.file), &(lines.join("\n") + "\n"))
    }

    /// Orders a job; returns its number.
    pub fn order(&self, line: &str) -> u32 {
        let text = self.ask(&[line]);
        let found = text.split_once("JobId=").and_then(|(_, rest)| rest.lines().next()?.trim().parse().ok());
        found.unwrap_or_else(|| panic!("no job was started:\n{text}"))
    }

    /// Waits for the end of a job.
    pub fn end_of(&self, id: u32) -> Ended {
        self.end_with(id, "")
    }

    /// The same with words that go with each command.
    pub fn end_with(&self, id: u32, more: &str) -> Ended {
        self.ask(&[&format!("wait jobid={id}{more}")]);
        let line = format!("list joblog jobid={id}{more}");
        wait_for("the last line of the report", || {
            let report = self.ask(&[&line]);
            report.contains("Termination:").then_some(Ended { id, report })
        })
    }
}
