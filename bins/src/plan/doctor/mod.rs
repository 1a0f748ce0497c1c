//! `towline doctor`: the rows of a plan, measured in the network as it is.
//!
//! ```text
//!  --config ──rows──┐
//!  the director ◀───┴─console: status, resolve, probe─▶ each daemon dials what it would dial for a job ─▶ text, JSON
//!  --topology ──plan──▶ the same rows beside it, and what differs
//! ```
//! Nothing here dials a client or a storage: the director and its daemons do, in the ways they have for jobs. No device is
//! reserved and no job is recorded.

mod learn;
mod legs;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::{Value, json};
use towline_simtests::calls::Outcome;

use super::files::{borrowed, read_configs};
use super::report::span;
use super::rows::{Row, rows};
use super::trial::{Tried, Verdict};
use super::{EXIT_UNWRITTEN, Plan, complain, plan};
use crate::config::EXIT_CONFIG;
use crate::daemon::console::ConsoleProgram;
use crate::daemon::director::DirectorDaemon;
use crate::daemon::{Daemon as _, say};
use crate::dialogue::{Desk, NoAnswer};
use legs::{Leg, Seen, Ward};

/// The exit status if there is no director to ask: `EX_UNAVAILABLE` of `sysexits.h`.
const EXIT_UNAVAILABLE: u8 = 69;

/// Seconds that a clock may differ before it is worth a word.
const CLOCKS: i64 = 3;

/// The subcommand.
#[must_use]
pub fn command() -> Command {
    let path = |name: &'static str| Arg::new(name).long(name).value_name("FILE").value_parser(value_parser!(PathBuf));
    Command::new("doctor")
        .about("Measures which jobs would reach their daemons, through the director and the daemons themselves")
        .after_help(
            "towline doctor --config director.ron --console console.ron\n\
             towline doctor --config director.ron --topology network.ron --json\n\
             towline doctor --config director.ron --learn network.ron\n\n\
             Ends with 0 if all legs are made, 1 if one is not, 2 if of one it cannot be said, 69 if there is no director.",
        )
        .arg(
            path("config")
                .action(ArgAction::Append)
                .default_value(DirectorDaemon::FILE)
                .help("The director's configuration; with a topology, those of other daemons too"),
        )
        .arg(path("console").help("The configuration of a console of that director; console.ron beside the first configuration"))
        .arg(path("topology").help("A topology: what a plan says of the same jobs, and what differs"))
        .arg(path("learn").help("Writes a first topology of what was seen"))
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Prints one JSON object"))
}

/// A row with what was seen of it.
struct Examined {
    row: Row,
    legs: Vec<Leg>,
    /// What the plan says otherwise.
    differs: Vec<String>,
}

/// Measures; see the help for the exit status.
#[must_use]
pub fn run(matches: &ArgMatches) -> ExitCode {
    let path = |name: &str| matches.get_one::<PathBuf>(name);
    let configs = borrowed(matches.get_many("config").into_iter().flatten());
    let planned = path("topology").map(|topology| plan(&configs, topology)).transpose();
    let config = read_configs(&configs).map(|(director, ..)| director.config);
    let (planned, config) = match planned.and_then(|planned| Ok((planned, config?))) {
        Ok(all) => all,
        Err(text) => {
            complain(&text);
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    if let Some(planned) = &planned {
        complain(&planned.files.topology.warnings.render(false));
    }
    let console = path("console").cloned().unwrap_or_else(|| beside(&configs));
    let desk = match Desk::connect(&console) {
        Ok(desk) => desk,
        Err(why) => {
            complain(&in_words(why));
            return ExitCode::from(EXIT_UNAVAILABLE);
        }
    };
    let mut ward = Ward::new(desk, &config);
    let examined = match examined(&mut ward, planned.as_ref()) {
        Ok(examined) => examined,
        Err(why) => {
            complain(&in_words(why));
            return ExitCode::from(EXIT_UNAVAILABLE);
        }
    };
    if let Some(file) = path("learn") {
        let legs = examined.iter().flat_map(|one| &one.legs).cloned().collect::<Vec<_>>();
        let seen = ward.ask("status network").unwrap_or_default();
        if let Err(error) = std::fs::write(file, learn::topology(&config, &legs, &seen)) {
            complain(&format!("towline doctor: cannot write {}: {error}\n", file.display()));
            return ExitCode::from(EXIT_UNWRITTEN);
        }
    }
    say(&if matches.get_flag("json") { json_of(&examined) } else { text(&examined, planned.is_some()) });
    ExitCode::from(status(&examined))
}

/// The configuration of the console that stands with these.
fn beside(configs: &[&Path]) -> PathBuf {
    let own = configs.first().and_then(|first| {
        let folder = if first.is_dir() { Some(*first) } else { first.parent() };
        folder.map(|folder| folder.join("console.ron"))
    });
    own.filter(|own| own.exists()).unwrap_or_else(|| ConsoleProgram::FILE.into())
}

/// Why there is no director, as the program says it.
fn in_words(why: NoAnswer) -> String {
    match why {
        NoAnswer::Config(report) => report,
        other => format!("towline doctor: {other}\n"),
    }
}

fn examined(ward: &mut Ward<'_>, planned: Option<&Plan>) -> Result<Vec<Examined>, NoAnswer> {
    let all = rows(ward.config);
    let legs = ward.legs(&all)?;
    let one = |(row, legs): (Row, Vec<Leg>)| {
        let tried = planned.and_then(|plan| plan.rows.iter().find(|tried| tried.row == row));
        let differs = tried.map(|tried| differences(tried, &legs)).unwrap_or_default();
        Examined { row, legs, differs }
    };
    Ok(all.into_iter().zip(legs).map(one).collect())
}

/// What the plan of a row says otherwise than what was seen.
fn differences(tried: &Tried, legs: &[Leg]) -> Vec<String> {
    let mut all = Vec::new();
    if let Verdict::Unknown(missing) = &tried.verdict {
        all.push(format!("the plan does not know: {missing}"));
        return all;
    }
    for leg in legs {
        let planned = tried.connections.iter().find(|one| one.number == leg.number);
        let made = planned.map(|one| matches!(one.outcome, Outcome::Open(_)) && one.stop.is_none());
        let said = match (made, &leg.seen) {
            (_, Seen::Unmeasured(_)) => continue,
            (Some(true), Seen::Broken(_)) => "the plan says that it is made, and it is not",
            (Some(false), seen) if seen.is_made() => "the plan says that it is stopped, and it is made",
            (None, seen) if seen.is_made() => "it is made, and the plan does not come to it",
            _ => continue,
        };
        all.push(format!("{} {} to {}: {said}", leg.number, leg.from, leg.to));
    }
    all
}

fn status(examined: &[Examined]) -> u8 {
    let any = |is: fn(&Seen) -> bool| examined.iter().flat_map(|one| &one.legs).any(|leg| is(&leg.seen));
    if any(|seen| matches!(seen, Seen::Broken(_))) {
        1
    } else if examined.is_empty() || any(|seen| matches!(seen, Seen::Unmeasured(_))) {
        2
    } else {
        0
    }
}

fn text(examined: &[Examined], is_planned: bool) -> String {
    let mut out = String::new();
    for one in examined {
        let row = &one.row;
        let who: Vec<&str> = row.client.as_deref().into_iter().chain(row.storages()).collect();
        let _ = writeln!(out, "{} ({}), {}", row.job, row.kind(), who.join(", "));
        for leg in &one.legs {
            let _ = writeln!(out, "  {}", line(leg));
        }
        for difference in &one.differs {
            let _ = writeln!(out, "  otherwise than planned: {difference}");
        }
    }
    let made = |one: &&Examined| one.legs.iter().all(|leg| leg.seen.is_made());
    let _ =
        writeln!(out, "Of {} jobs {} reach all their daemons.", examined.len(), examined.iter().filter(made).count());
    if is_planned && examined.iter().all(|one| one.differs.is_empty()) {
        out.push_str("All is as planned.\n");
    }
    out
}

fn line(leg: &Leg) -> String {
    let Leg { number, from, to, at, found, seen, clock } = leg;
    let at = at.as_ref().map_or_else(|| ", where it waits".to_owned(), |at| format!(" at {at}"));
    let found = match found.as_deref() {
        None => String::new(),
        Some([]) => format!(" ({from} finds no address for that)"),
        Some(all) => format!(" ({})", all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    };
    let seen = match seen {
        Seen::Answered(after) => format!("answers {}", span(*after)),
        Seen::Reached(after) => format!("reached {}", span(*after)),
        Seen::Broken(why) => format!("not made: {why}"),
        Seen::Unmeasured(why) => format!("not measured: {why}"),
    };
    let clock = match clock {
        Some(ahead) if *ahead > CLOCKS => format!("; the clock of {from} is {ahead} s ahead"),
        Some(ahead) if *ahead < -CLOCKS => format!("; the clock of {from} is {} s behind", ahead.abs()),
        _ => String::new(),
    };
    format!("{:<3}{from} dials {to}{at}{found}: {seen}{clock}", number.as_str())
}

fn json_of(examined: &[Examined]) -> String {
    let leg = |leg: &Leg| {
        let (word, after, why) = match &leg.seen {
            Seen::Answered(after) => ("answered", Some(after), None),
            Seen::Reached(after) => ("reached", Some(after), None),
            Seen::Broken(why) => ("broken", None, Some(why)),
            Seen::Unmeasured(why) => ("unmeasured", None, Some(why)),
        };
        json!({
            "number": leg.number.as_str(), "from": leg.from, "to": leg.to, "at": leg.at,
            "resolves_to": leg.found, "clock_ahead_seconds": leg.clock, "seen": word, "after_seconds": after.map(|after| after.as_secs_f64()), "why": why,
        })
    };
    let row = |one: &Examined| {
        let row = &one.row;
        json!({
            "job": row.job, "kind": row.kind(), "client": row.client, "storage": row.storage, "to": row.to,
            "legs": one.legs.iter().map(leg).collect::<Vec<Value>>(), "differs": one.differs,
        })
    };
    format!("{:#}\n", json!({"rows": examined.iter().map(row).collect::<Vec<Value>>()}))
}
