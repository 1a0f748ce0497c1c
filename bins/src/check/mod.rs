//! `towline check`: whether all is well, in one line and an exit status as monitors want them.
//!
//! ```text
//!   the director's configuration ──┬─ console ─► status of each daemon, probe of each data channel   daemons.rs
//!                                  ├─ console ─► the newest good backup of each job, by its schedule jobs.rs
//!                                  ├─ console ─► volumes                                             volumes.rs
//!   configurations beside it ──────┴─ disks and certificates of this machine           space.rs, certificates.rs
//! ```

mod certificates;
mod daemons;
mod jobs;
mod space;
mod volumes;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::{Value, json};
use towline_core::config::{DirectorConfig, Seconds};
use towline_core::printable;

use crate::config::load;
use crate::daemon::say;
use crate::dialogue::{Desk, Dialogue, NoAnswer};
use crate::joining::{FOLDER, configurations, folder_of, now};

/// How bad something is. The numbers are the exit statuses of monitoring plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// As it should be.
    Good = 0,
    /// Somebody should look at it one of these days.
    Warning = 1,
    /// Somebody should look at it now.
    Critical = 2,
}

impl Level {
    const fn word(self) -> &'static str {
        match self {
            Self::Good => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
        }
    }
}

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    level: Level,
    /// What it is about, as `client laptop`.
    about: String,
    /// What is so.
    text: String,
}

impl Finding {
    fn new(level: Level, about: impl Into<String>, text: impl Into<String>) -> Self {
        Self { level, about: about.into(), text: text.into() }
    }
}

/// The subcommand.
#[must_use]
pub fn command() -> Command {
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    Command::new("check")
        .about("Says in one line whether all is well: daemons, backups by their schedules, volumes, space, clocks, certificates")
        .after_help(
            "towline check --config /etc/towline\n\n\
             Ends as monitors want it: 0 all is well, 1 there is a warning, 2 something is critical, 3 it cannot be said. A client that \
             only dials in may be away.",
        )
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf))
                .default_value(FOLDER)
                .help("The folder with the configurations of the director and its console, or one of these files"),
        )
        .arg(
            Arg::new("grace")
                .long("grace")
                .value_name("TIME")
                .default_value("6 h")
                .help("How long after it was due a backup may take until it is missed"),
        )
        .arg(flag("all").help("Says what is good too, a line each"))
        .arg(flag("json").help("Prints one JSON object"))
}

/// Looks; see the help for the exit status.
#[must_use]
pub fn run(matches: &ArgMatches) -> ExitCode {
    let folder = folder_of(matches);
    let grace = matches.get_one::<String>("grace").map(String::as_str).unwrap_or_default();
    match looked(folder, grace) {
        Ok(findings) => {
            say(&if matches.get_flag("json") { json_of(&findings) } else { text(&findings, matches.get_flag("all")) });
            ExitCode::from(worst(&findings) as u8)
        }
        Err(why) => {
            // A monitor shows one line.
            let parts: Vec<&str> = why.lines().map(str::trim).filter(|part| !part.is_empty()).collect();
            let line = parts.join("; ");
            let line = printable::line(&line);
            say(&match matches.get_flag("json") {
                true => format!("{}\n", json!({ "status": "UNKNOWN", "error": why })),
                false => format!("UNKNOWN: {line}\n"),
            });
            ExitCode::from(3)
        }
    }
}

/// All that is found.
///
/// # Errors
/// Nothing can be said: the configuration is wrong.
fn looked(folder: &Path, grace: &str) -> Result<Vec<Finding>, String> {
    let grace = Seconds::parse(grace).ok_or_else(|| format!("--grace {grace:?} is no time: write 6 h"))?;
    let (director, console) = configurations(folder);
    let loaded = load::<DirectorConfig>(&director).map_err(|report| report.render(false))?;
    let config = &loaded.config;
    let mut findings = Vec::new();
    match Desk::connect(&console) {
        Ok(desk) => {
            if let Err(error) = asked(&desk, config, grace, &mut findings) {
                findings.push(Finding::new(Level::Critical, "director", error.to_string()));
            }
        }
        Err(NoAnswer::Config(report)) => return Err(report),
        Err(error) => findings.push(Finding::new(Level::Critical, "director", error.to_string())),
    }
    findings.extend(space::look(folder, &loaded));
    findings.extend(certificates::look(folder, now()));
    Ok(findings)
}

/// What the director knows.
fn asked(desk: &Desk, config: &DirectorConfig, grace: Seconds, findings: &mut Vec<Finding>) -> Result<(), NoAnswer> {
    findings.push(Finding::new(Level::Good, "director", "answers"));
    daemons::look(desk, config, findings)?;
    let mut dialogue = desk.console()?;
    dialogue.ask(".api json")?;
    jobs::look(&mut dialogue, config, grace, findings)?;
    volumes::look(&mut dialogue, config, findings)
}

/// The rows of a list in JSON. What cannot be read is the reason why not.
fn rows(dialogue: &mut Dialogue, line: &str, list: &str) -> Result<Result<Vec<Value>, String>, NoAnswer> {
    let (text, _) = dialogue.ask(line)?;
    let document: Value = match serde_json::from_str(text.trim()) {
        Ok(document) => document,
        Err(_) => return Ok(Err(text.trim().to_owned())),
    };
    if let Some(errors) = document.pointer("/error/data/messages/error").and_then(Value::as_array) {
        let errors: Vec<&str> = errors.iter().filter_map(Value::as_str).collect();
        return Ok(Err(errors.join("; ")));
    }
    let rows = document.get("result").and_then(|result| result.get(list)).and_then(Value::as_array);
    Ok(Ok(rows.cloned().unwrap_or_default()))
}

/// A member of a row as text.
fn member<'a>(row: &'a Value, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn worst(findings: &[Finding]) -> Level {
    findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Good)
}

/// The line; with `all` what is good too, after it.
fn text(findings: &[Finding], all: bool) -> String {
    let worst = worst(findings);
    let mut wrong: Vec<&Finding> = findings.iter().filter(|finding| finding.level > Level::Good).collect();
    wrong.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    let line = |finding: &Finding| printable::line(&format!("{}: {}", finding.about, finding.text)).into_owned();
    let said = match wrong.is_empty() {
        true => format!("{} things looked at", findings.len()),
        false => wrong.iter().map(|finding| line(finding)).collect::<Vec<_>>().join("; "),
    };
    let mut text = format!("{}: {said}\n", worst.word());
    if all {
        for finding in findings {
            text += &format!("{:8} {}\n", finding.level.word(), line(finding));
        }
    }
    text
}

fn json_of(findings: &[Finding]) -> String {
    let each =
        |finding: &Finding| json!({ "status": finding.level.word(), "about": finding.about, "text": finding.text });
    let all: Vec<Value> = findings.iter().map(each).collect();
    format!("{}\n", json!({ "status": worst(findings).word(), "findings": all }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_the_worst_first_and_nothing_that_moves_a_terminal() {
        let findings = [
            Finding::new(Level::Good, "director", "answers"),
            Finding::new(Level::Warning, "client a", "is \u{1b}[2J late\nthen"),
            Finding::new(Level::Critical, "client b", "is gone"),
        ];
        let said = text(&findings, false);
        assert!(said.starts_with("CRITICAL: client b: is gone; client a: is ") && said.lines().count() == 1, "{said}");
        assert!(!said.contains('\u{1b}'), "{said:?}");
        assert_eq!(text(&findings, true).lines().count(), 4);
        assert_eq!(text(&findings[..1], false), "OK: 1 things looked at\n");
        let json: Value = serde_json::from_str(&json_of(&findings)).unwrap();
        assert_eq!((&json["status"], &json["findings"][0]["about"]), (&"CRITICAL".into(), &"director".into()));
    }
}
