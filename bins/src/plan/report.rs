//! What `towline plan` prints: for people, and for programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use towline_simtests::calls::Outcome;

use super::drill::{Drill, Drilled, Outcome as End};
use super::herd::AWAY;
use super::suggest::{ALL_TRIALS, TRIALS};
use super::trial::{Barrier, Connection, Tried, Uplink, Verdict};
use super::week::{Day, FASTEST, Week, moment};
use super::{Plan, Scheduled, Suggested};

/// A table of all rows, then each that does not work, what would help if that was asked for, and the assumptions.
pub(super) fn text(plan: &Plan) -> String {
    let (rows, assumptions) = (&plan.rows, &plan.assumptions);
    let mut out = table(rows);
    for tried in rows.iter().filter(|tried| tried.verdict != Verdict::Works) {
        let _ = write!(out, "\n{}", details(tried));
    }
    if let Some(suggested) = &plan.suggested {
        let _ = write!(out, "\n{}", help(suggested, rows));
    }
    for (drill, outcomes) in &plan.drills {
        let _ = write!(out, "\n{}", drilled(drill, outcomes, rows));
    }
    if let Some(scheduled) = &plan.week {
        let _ = write!(out, "\n{}", calendar(scheduled));
    }
    if !assumptions.is_empty() {
        out.push_str("\nAssumed, because nothing says otherwise:\n");
        assumptions.iter().for_each(|assumption| {
            let _ = writeln!(out, "  - {assumption}");
        });
    }
    out
}

fn table(rows: &[Tried]) -> String {
    let head = ["job", "kind", "client", "storage", "connections", "verdict"].map(str::to_owned);
    let lines: Vec<[String; 6]> = [head].into_iter().chain(rows.iter().map(cells)).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(width).collect();
    let mut out = String::new();
    for line in &lines {
        for (cell, width) in line.iter().zip(&widths) {
            let _ = write!(out, "{cell:<width$}  ");
        }
        let _ = writeln!(out, "{}", line[5]);
    }
    out
}

fn cells(tried: &Tried) -> [String; 6] {
    let row = &tried.row;
    let storage = row.to.as_ref().map_or_else(|| row.storage.clone(), |to| format!("{} to {to}", row.storage));
    let numbers: Vec<&str> = tried.connections.iter().map(|one| one.number.as_str()).collect();
    let client = row.client.clone().unwrap_or_else(|| "-".to_owned());
    [row.job.clone(), row.kind().to_owned(), client, storage, numbers.join(" "), verdict(&tried.verdict)]
}

pub(super) fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Works => "works".to_owned(),
        Verdict::WorksUntilIdle(idle) => format!("works until idle for {idle}"),
        Verdict::Fails => "fails".to_owned(),
        Verdict::Unknown(_) => "unknown".to_owned(),
    }
}

pub(super) fn details(tried: &Tried) -> String {
    let row = &tried.row;
    let mut out = format!("{} ({}): {}", row.job, row.kind(), verdict(&tried.verdict));
    if let Verdict::Unknown(missing) = &tried.verdict {
        let _ = writeln!(out, "\n  not known: {missing}");
        return out;
    }
    match tried.after {
        Some(after) => drop(writeln!(out, " {}", span(after))),
        None => out.push('\n'),
    }
    for connection in &tried.connections {
        let _ = writeln!(out, "  {}", line(connection));
    }
    for (daemon, log) in &tried.logs {
        let _ = writeln!(out, "  {daemon} logs: {log}");
    }
    if let Some(advice) = &tried.advice {
        let _ = writeln!(out, "  What to do: {advice}.");
    }
    out
}

fn line(connection: &Connection) -> String {
    let Connection { number, from, to, address, dials, .. } = connection;
    let times = if *dials > 1 { format!(", {dials} times") } else { String::new() };
    format!("{number:<3}{from} dials {to} at {address}{times}: {}", outcome(connection))
}

fn outcome(connection: &Connection) -> String {
    let at = |(barrier, why): &(Barrier, &str)| format!("{barrier} stops it ({why})");
    match (connection.outcome, &connection.stop) {
        (Outcome::Open(_), None) => "connected".to_owned(),
        (Outcome::Open(_), Some(stop)) => format!("connected, then {}", at(stop)),
        (Outcome::Failed(kind, after), None) => format!("{kind} {}", span(after)),
        (Outcome::Failed(kind, after), Some(stop)) => format!("{}; {kind} {}", at(stop), span(after)),
        (Outcome::Waiting, stop) => stop.as_ref().map_or_else(|| "no answer".to_owned(), at),
    }
}

/// After how long, as people say it.
pub(super) fn span(of: Duration) -> String {
    let (seconds, millis) = (of.as_secs(), of.subsec_millis());
    match seconds {
        0 if millis < 100 => "at once".to_owned(),
        0..10 => format!("after {seconds}.{} s", millis / 100),
        10..120 => format!("after {seconds} s"),
        120..7_200 => format!("after {} min", seconds / 60),
        7_200..172_800 => format!("after {} h", seconds / 3_600),
        _ => format!("after {} d", seconds / 86_400),
    }
}

/// A week of the schedule, and the restart of the director.
fn calendar(scheduled: &Scheduled) -> String {
    let mut out = String::new();
    match &scheduled.week {
        None => out.push_str("Nothing is scheduled.\n"),
        Some(week) => {
            out.push_str("A week of the schedule:\n");
            for day in &week.days {
                let (first, last) = (moment(day.first), moment(day.last));
                let (_, first) = first.split_once(' ').unwrap_or_default();
                let jobs = count(day.jobs, "job");
                let _ = writeln!(out, "  {}: {jobs} due from {first} on, the last ends {last}", day.name);
                if day.waited.0 >= 60 {
                    let waited = span(Duration::from_secs(day.waited.0.unsigned_abs()));
                    let _ = writeln!(out, "    {} has to wait: it starts {waited}", day.waited.1);
                }
                if !day.late.is_empty() {
                    let late = day.late.join(", ");
                    let _ = writeln!(out, "    does not fit: {late} not over when the next jobs are due");
                }
                if !day.failed.is_empty() {
                    let _ = writeln!(out, "    not well: {}", day.failed.join(", "));
                }
            }
            if week.days.iter().all(|day| day.late.is_empty() && day.failed.is_empty()) {
                out.push_str("  Every night fits.\n");
            }
            if !week.left_out.is_empty() {
                let _ = writeln!(out, "  Left out, because they do not work: {}", week.left_out.join(", "));
            }
            let fastest = FASTEST / 1_000_000;
            let _ = writeln!(
                out,
                "  A backup takes as long as the `data`, or the `changes`, of its host through the slowest gateway with a `rate`; \
                 at {fastest} MB a second where no gateway says so. Jobs at the same time do not slow each other."
            );
            if !week.unknown.is_empty() {
                let names = week.unknown.join(", ");
                let _ = writeln!(out, "  Taken as done at once, because their hosts say no `data`: {names}");
            }
        }
    }
    if let Some(herd) = &scheduled.herd {
        let (clients, away) = (count(herd.clients, "client"), AWAY.as_secs());
        let _ = writeln!(
            out,
            "The director restarts, away for {away} s: of {clients} that waited {} are back, the last {}; at most {} in a second",
            herd.back,
            span(herd.after),
            count(herd.peak, "dial")
        );
    }
    out
}

fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

fn week_object(week: &Week) -> Value {
    let day = |day: &Day| {
        json!({
            "day": day.name, "jobs": day.jobs, "first": moment(day.first), "last": moment(day.last),
            "longest_wait_seconds": day.waited.0, "waited": day.waited.1, "late": day.late, "failed": day.failed,
        })
    };
    let days: Vec<Value> = week.days.iter().map(day).collect();
    json!({"days": days, "left_out": week.left_out, "without_data": week.unknown})
}

/// A drill: what becomes of each job.
fn drilled(drill: &Drill, outcomes: &[Vec<Drilled>], rows: &[Tried]) -> String {
    let mut out = format!("Drill: {drill}\n");
    for (tried, all) in rows.iter().zip(outcomes) {
        for Drilled { when, outcome } in all {
            let when = when.map(|when| format!(", {when}")).unwrap_or_default();
            let said = match outcome {
                End::GoesOn { after } => format!("goes on, and ends well {}", span(*after)),
                End::Ends { after, recovers, .. } => {
                    let then = if *recovers { "works again afterwards" } else { "does not work afterwards either" };
                    format!("fails {}; {then}", span(*after))
                }
                End::NeverWorked => "does not work anyway".to_owned(),
                End::Apart => "has nothing there".to_owned(),
                End::Unknown(missing) => format!("not known: {missing}"),
            };
            let _ = writeln!(out, "  {} ({}){when}: {said}", tried.row.job, tried.row.kind());
            if let End::Ends { logs, stopped, .. } = outcome {
                if let Some((barrier, why)) = stopped {
                    let _ = writeln!(out, "    stopped at {barrier} ({why})");
                }
                logs.iter().for_each(|(daemon, line)| {
                    let _ = writeln!(out, "    {daemon} logs: {line}");
                });
            }
        }
    }
    out
}

fn drill_row(tried: &Tried, Drilled { when, outcome }: &Drilled) -> Value {
    let row = &tried.row;
    let (word, after, logs, recovers) = match outcome {
        End::GoesOn { after } => ("goes_on", Some(*after), None, None),
        End::Ends { after, logs, recovers, .. } => ("fails", Some(*after), Some(logs), Some(*recovers)),
        End::NeverWorked => ("never_worked", None, None, None),
        End::Apart => ("apart", None, None, None),
        End::Unknown(_) => ("unknown", None, None, None),
    };
    let stop = if let End::Ends { stopped, .. } = outcome { stopped.as_ref().map(stopped_at) } else { None };
    let logs: Vec<Value> =
        logs.into_iter().flatten().map(|(daemon, line)| json!({"daemon": daemon, "line": line})).collect();
    json!({
        "job": row.job, "kind": row.kind(), "client": row.client, "storage": row.storage, "to": row.to, "when": when,
        "outcome": word, "after_seconds": after.map(|after| after.as_secs_f64()), "logs": logs, "recovers": recovers,
        "stopped_at": stop,
    })
}

/// What is said where no job fails. Of one that is not known nothing can be suggested.
fn nothing_to_change(rows: &[Tried]) -> String {
    let unknown = rows.iter().filter(|tried| matches!(tried.verdict, Verdict::Unknown(_)));
    let names: Vec<&str> = unknown.map(|tried| tried.row.job.as_str()).collect();
    match names.as_slice() {
        [] => "Nothing has to be changed.\n".to_owned(),
        names => format!("No job fails; of {} it cannot be said what would help.\n", names.join(", ")),
    }
}

/// A suggestion: the changes, the diff, the rules.
fn help(suggested: &Suggested, rows: &[Tried]) -> String {
    let Some((suggestion, written)) = &suggested.suggestion else { return nothing_to_change(rows) };
    let mut out = String::new();
    if !suggestion.changes.is_empty() {
        out.push_str("What would make them work:\n");
        for (number, (change, jobs)) in suggestion.changes.iter().enumerate() {
            let needed = match (suggestion.unchecked.contains(&number), jobs.as_slice()) {
                (false, _) => format!("without it these fail: {}", jobs.join(", ")),
                (true, []) => "not looked at: whether any job needs it".to_owned(),
                (true, _) => format!("without it these fail, and perhaps others: {}", jobs.join(", ")),
            };
            let _ = writeln!(out, "  - {}; {needed}", change.said());
        }
        if !written.diff.is_empty() {
            let _ = write!(out, "\n{}", written.diff);
            if written.diff.contains("\"***\"") {
                out.push_str("Lines with \"***\" hold a password that is not shown: change these by hand.\n");
            }
        }
        for (whose, settings) in &written.elsewhere {
            let _ = writeln!(out, "\nIn the configuration of {whose}:");
            settings.iter().for_each(|setting| {
                let _ = writeln!(out, "  {setting}");
            });
        }
        let rules = suggestion.rules();
        if rules.is_empty() {
            out.push_str("\nNo gateway and no firewall has to be changed.\n");
        } else {
            out.push_str("\nRules (nftables; tables and chains may have other names):\n");
        }
        for rule in rules {
            let _ = writeln!(out, "  # {}: {}; needed by {}", rule.at, rule.said, rule.jobs.join(", "));
            rule.lines.iter().for_each(|line| {
                let _ = writeln!(out, "  {line}");
            });
        }
    }
    for tried in suggestion.unsolved.iter().filter_map(|place| rows.get(*place)) {
        let _ = writeln!(out, "\nNothing was found for {}: no small change makes it work.", tried.row.job);
    }
    for tried in suggestion.given_up.iter().filter_map(|place| rows.get(*place)) {
        let _ = writeln!(
            out,
            "\nNothing was found for {} with {TRIALS} sets of changes; others were not tried.",
            tried.row.job
        );
    }
    if !suggestion.untried.is_empty() || !suggestion.unchecked.is_empty() {
        let _ = writeln!(out, "\nThe search ended after {ALL_TRIALS} trials.");
    }
    if !suggestion.untried.is_empty() {
        let jobs = suggestion.untried.iter().filter_map(|place| Some(rows.get(*place)?.row.job.as_str()));
        let (jobs, untried) = (jobs.collect::<Vec<_>>().join(", "), count(suggestion.untried.len(), "job"));
        let then = if suggestion.changes.is_empty() { "plan them alone" } else { "make these changes, and ask again" };
        let _ = writeln!(out, "It was not looked at what would help {untried}: {jobs}. For these, {then}.");
    }
    if !suggestion.unchecked.is_empty() {
        let unchecked = count(suggestion.unchecked.len(), "change");
        let _ = writeln!(out, "Of {unchecked} it was not looked at which jobs need it, so some may not be needed.");
    }
    out
}

/// One object with `rows` and `assumptions`, and with `suggestion` if that was asked for.
pub(super) fn json(plan: &Plan) -> String {
    let rows: Vec<Value> = plan.rows.iter().map(object).collect();
    let mut all = json!({"rows": rows, "assumptions": plan.assumptions});
    if !plan.drills.is_empty() {
        let one = |(drill, outcomes): &(Drill, Vec<Vec<Drilled>>)| {
            let rows =
                plan.rows.iter().zip(outcomes).flat_map(|(tried, all)| all.iter().map(|one| drill_row(tried, one)));
            json!({"drill": drill.to_string(), "rows": rows.collect::<Vec<_>>()})
        };
        all["drills"] = plan.drills.iter().map(one).collect();
    }
    if let Some(scheduled) = &plan.week {
        all["week"] = scheduled.week.as_ref().map_or(Value::Null, week_object);
        all["herd"] = scheduled.herd.map_or(Value::Null, |herd| {
            let after = herd.after.as_secs_f64();
            json!({"clients": herd.clients, "peak_dials_a_second": herd.peak, "back": herd.back, "back_after_seconds": after})
        });
    }
    if let Some(suggested) = &plan.suggested {
        all["suggestion"] = suggested.suggestion.as_ref().map_or(Value::Null, |(suggestion, written)| {
            let changes = suggestion.changes.iter().map(|(change, jobs)| json!({"change": change.said(), "jobs": jobs}));
            let elsewhere = written.elsewhere.iter().map(|(whose, all)| json!({"whose": whose, "settings": all}));
            let rules = suggestion.rules();
            let rules = rules.iter().map(|rule| json!({"at": rule.at, "nftables": rule.lines, "jobs": rule.jobs}));
            let jobs = |places: &[usize]| -> Vec<&String> {
                places.iter().filter_map(|place| Some(&plan.rows.get(*place)?.row.job)).collect()
            };
            let (unsolved, untried) = (jobs(&suggestion.unsolved), jobs(&suggestion.untried));
            let unchecked = suggestion.unchecked.iter().filter_map(|place| Some(suggestion.changes.get(*place)?.0.said()));
            json!({
                "changes": changes.collect::<Vec<_>>(), "diff": written.diff, "elsewhere": elsewhere.collect::<Vec<_>>(),
                "rules": rules.collect::<Vec<_>>(), "unsolved": unsolved, "given_up": jobs(&suggestion.given_up),
                "untried": untried, "unchecked": unchecked.collect::<Vec<_>>(),
            })
        });
    }
    format!("{all:#}\n")
}

pub(super) fn object(tried: &Tried) -> Value {
    let row = &tried.row;
    let (word, idle, missing) = match &tried.verdict {
        Verdict::Works => ("works", None, None),
        Verdict::WorksUntilIdle(idle) => ("works_until_idle", Some(idle.0), None),
        Verdict::Fails => ("fails", None, None),
        Verdict::Unknown(missing) => ("unknown", None, Some(missing)),
    };
    let connections: Vec<Value> = tried.connections.iter().map(connection).collect();
    let logs: Vec<Value> = tried.logs.iter().map(|(daemon, line)| json!({"daemon": daemon, "line": line})).collect();
    json!({
        "job": row.job, "kind": row.kind(), "client": row.client, "storage": row.storage, "to": row.to,
        "verdict": word, "idle_seconds": idle, "unknown": missing, "connections": connections, "logs": logs,
        "after_seconds": tried.after.map(|after| after.as_secs_f64()), "advice": tried.advice,
    })
}

fn connection(one: &Connection) -> Value {
    let (word, kind, after) = match one.outcome {
        Outcome::Open(after) => ("connected", None, Some(after)),
        Outcome::Failed(kind, after) => ("failed", Some(kind.to_string()), Some(after)),
        Outcome::Waiting => ("waiting", None, None),
    };
    let stop = one.stop.as_ref().map(stopped_at);
    json!({
        "number": one.number.as_str(), "from": one.from, "to": one.to, "address": one.address.to_string(),
        "dials": one.dials, "outcome": word, "error": kind, "after_seconds": after.map(|after| after.as_secs_f64()),
        "stopped_at": stop,
    })
}

fn stopped_at((barrier, why): &(Barrier, &'static str)) -> Value {
    match barrier {
        Barrier::Gateway(network) => json!({"gateway": network, "why": why}),
        Barrier::Firewall(host) => json!({"firewall": host, "why": why}),
        Barrier::Uplink(Uplink::Host(host)) => json!({"uplink": host, "of": "host", "why": why}),
        Barrier::Uplink(Uplink::Network(network)) => json!({"uplink": network, "of": "network", "why": why}),
    }
}
