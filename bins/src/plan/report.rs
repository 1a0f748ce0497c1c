//! What `towline plan` prints: for people, and for programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use towline_simtests::calls::Outcome;

use super::trial::{Barrier, Connection, Tried, Verdict};
use super::{Plan, Suggested};

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

fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// A suggestion: the changes, the diff, the rules.
fn help(suggested: &Suggested, rows: &[Tried]) -> String {
    let Some((suggestion, written)) = &suggested.suggestion else { return "Nothing has to be changed.\n".to_owned() };
    let mut out = String::new();
    if !suggestion.changes.is_empty() {
        out.push_str("What would make them work:\n");
        for (change, jobs) in &suggestion.changes {
            let _ = writeln!(out, "  - {}; without it these fail: {}", change.said(), jobs.join(", "));
        }
        if !written.diff.is_empty() {
            let _ = write!(out, "\n{}", written.diff);
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
    if !suggestion.untried.is_empty() {
        let untried = count(suggestion.untried.len(), "more job");
        let _ = writeln!(out, "\nFor {untried} nothing was looked for: make these changes, and ask again.");
    }
    out
}

/// One object with `rows` and `assumptions`, and with `suggestion` if that was asked for.
pub(super) fn json(plan: &Plan) -> String {
    let rows: Vec<Value> = plan.rows.iter().map(object).collect();
    let mut all = json!({"rows": rows, "assumptions": plan.assumptions});
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
            json!({
                "changes": changes.collect::<Vec<_>>(), "diff": written.diff, "elsewhere": elsewhere.collect::<Vec<_>>(),
                "rules": rules.collect::<Vec<_>>(), "unsolved": unsolved, "untried": untried,
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
    let stop = one.stop.as_ref().map(|(barrier, why)| match barrier {
        Barrier::Gateway(network) => json!({"gateway": network, "why": why}),
        Barrier::Firewall(host) => json!({"firewall": host, "why": why}),
    });
    json!({
        "number": one.number.as_str(), "from": one.from, "to": one.to, "address": one.address.to_string(),
        "dials": one.dials, "outcome": word, "error": kind, "after_seconds": after.map(|after| after.as_secs_f64()),
        "stopped_at": stop,
    })
}
