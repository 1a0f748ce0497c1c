//! The examples of a plan with real daemons in network namespaces: each row does what the plan says, with the connections, the
//! log lines and the times that it says. Needs root, `ip` and `nft`.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod example;
mod lab;
mod large;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use example::Example;
use lab::Lab;
use serde_json::Value;
use support::{PATIENCE, wait_for};

/// How far a time may be from what the plan says: a tenth, or this.
const NEAR: f64 = 1.0;

/// A real run of a row.
struct Seen {
    is_good: bool,
    /// The number of the job.
    id: u32,
    after: Duration,
    report: String,
}

/// Runs the job of a row to its end.
fn seen(lab: &Lab, row: &Value, saved: Option<u32>) -> Seen {
    let (job, client) = (row["job"].as_str().unwrap(), row["client"].as_str());
    let order = match (row["kind"].as_str().unwrap(), saved) {
        ("backup", _) => format!("run job={job} level=full yes"),
        ("restore", Some(id)) => {
            format!("restore restorejob={job} client={} jobid={id} all done yes", client.unwrap())
        }
        (_, Some(id)) => format!("run job={job} jobid={id} yes"),
        (kind, None) => panic!("nothing was saved for a {kind}"),
    };
    let began = Instant::now();
    let id = lab.console.order(&order);
    // Longer than any row takes that stands still until it is noticed.
    let end = Instant::now() + PATIENCE * 5;
    let line = format!("list joblog jobid={id}");
    let report = loop {
        let report = lab.console.ask(&[&line]);
        if report.contains("Termination:") {
            break report;
        }
        assert!(Instant::now() < end, "{job} does not end:\n{report}");
        std::thread::sleep(Duration::from_millis(100));
    };
    let (_, end) = report.split_once("Termination:").unwrap();
    let is_good = end.lines().next().unwrap_or_default().ends_with(" OK");
    Seen { is_good, id, after: began.elapsed(), report }
}

/// The connections of a row: who dials, and where.
fn connections(row: &Value) -> Vec<(String, SocketAddr, String)> {
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let all = row["connections"].as_array().unwrap().iter();
    all.map(|one| (text(one, "from"), text(one, "address").parse().unwrap(), text(one, "number"))).collect()
}

/// Everybody who has a part in a row.
fn daemons<'a>(example: &'a Example, row: &'a Value) -> Vec<&'a str> {
    let others = ["client", "storage", "to"].iter().filter_map(|key| row[*key].as_str());
    [example.director.director.name.as_str()].into_iter().chain(others).collect()
}

/// A log line without what differs from run to run: ports that the system gives, numbers of jobs.
fn plain(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        let is_given = out.ends_with(':') && digits.len() == 5 || out.ends_with("JobId ") && !digits.is_empty();
        let (text, length) =
            if is_given { ("N".to_owned(), digits.len()) } else { (first.to_string(), first.len_utf8()) };
        out += &text;
        rest = &rest[length..];
    }
    out
}

/// What differs between a row and a real run of it.
fn differences(example: &Example, lab: &Lab, row: &Value, seen: &Seen, is_good: bool) -> Vec<String> {
    let mut all = Vec::new();
    if seen.is_good != is_good {
        all.push(format!("ends well: {}", seen.is_good));
    }
    let planned = connections(row);
    let director_port = example.director.director.port;
    let daemons = daemons(example, row);
    let is_first = |place: usize| !daemons[..place].iter().any(|other| lab.are_together(other, daemons[place]));
    for daemon in (0..daemons.len()).filter(|place| is_first(*place)).map(|place| daemons[place]) {
        let own = |from: &str| lab.are_together(from, daemon);
        let expected = planned.iter().filter(|(from, _, number)| own(from) && number != "4");
        let expected: BTreeSet<SocketAddr> = expected.map(|(_, address, _)| *address).collect();
        // A client that waits dials again as soon as it is taken.
        let dialled: BTreeSet<SocketAddr> =
            lab.dialled(daemon).into_iter().filter(|socket| socket.port() != director_port).collect();
        if dialled != expected {
            all.push(format!("{daemon} dials {dialled:?}, and {expected:?} is planned"));
        }
    }
    if let Some(planned) = row["after_seconds"].as_f64() {
        let after = seen.after.as_secs_f64();
        if (after - planned).abs() > NEAR.max(planned / 10.0) {
            all.push(format!("after {after:.1} s, and {planned:.1} s are planned"));
        }
    }
    for log in row["logs"].as_array().unwrap() {
        let (daemon, line) = (log["daemon"].as_str().unwrap(), plain(log["line"].as_str().unwrap()));
        let is_director = daemon == example.director.director.name;
        let own = if is_director { seen.report.lines().map(str::to_owned).collect() } else { lab.log(daemon) };
        if !own.iter().any(|said| plain(said).contains(&line)) {
            all.push(format!("{daemon} never logs {line:?}, but:\n    {}", own.join("\n    ")));
        }
    }
    all
}

/// Runs all rows of an example, each as the plan has it; those that work until a connection is silent twice.
fn agrees(name: &str, runtime: &str) {
    let example = Example::read(name);
    let rows = example.rows();
    assert!(!rows.is_empty(), "{name}");
    let lab = Lab::start(&example, runtime);
    let waiting: Vec<(String, SocketAddr)> = rows
        .iter()
        .flat_map(connections)
        .filter(|(_, _, number)| number == "4")
        .map(|(from, address, _)| (from, address))
        .collect();
    for (client, address) in waiting {
        wait_for("a client that waits at the director", || {
            lab.console.ask(&["status network"]).contains(&format!("R_CLIENT::{client}")).then_some(())
        });
        assert!(lab.dialled(&client).contains(&address), "{client} has dialled {address}");
    }
    let mut saved: Vec<(Option<String>, Option<String>, u32)> = Vec::new();
    let mut different = Vec::new();
    for row in &rows {
        let text = |key: &str| row[key].as_str().map(str::to_owned);
        let verdict = row["verdict"].as_str().unwrap();
        let known = saved.iter().rev().find(|(client, storage, _)| {
            *storage == text("storage") && (row["client"].is_null() || *client == text("client"))
        });
        let known = known.map(|(_, _, id)| *id);
        daemons(&example, row).into_iter().for_each(|daemon| _ = lab.dialled(daemon));
        let mut ran = |silent: bool, is_good: bool| {
            if silent {
                std::fs::write(&example.silence, "").unwrap();
            }
            let seen = seen(&lab, row, known);
            let _gone = std::fs::remove_file(&example.silence);
            let found = differences(&example, &lab, row, &seen, is_good);
            if !found.is_empty() {
                different.push(format!("{} of {name}:\n  {}\n{}", row["job"], found.join("\n  "), seen.report));
            }
            seen
        };
        match verdict {
            // Its plan tells of the run that was silent.
            "works_until_idle" => _ = ran(true, false),
            _ => {
                let seen = ran(verdict == "works" && text("kind").as_deref() == Some("backup"), verdict == "works");
                if seen.is_good && text("kind").as_deref() == Some("backup") {
                    saved.push((text("client"), text("storage"), seen.id));
                }
            }
        }
    }
    assert!(different.is_empty(), "on {runtime}:\n{}", different.join("\n"));
}

#[test]
fn in_the_office_all_is_as_planned() {
    agrees("office", "tokio");
}

#[test]
fn with_laptops_behind_two_translations_all_is_as_planned() {
    agrees("laptop", "smol");
}

#[test]
fn in_a_branch_that_lets_nothing_out_all_is_as_planned() {
    agrees("branch", "blocking");
}

#[test]
fn with_a_cloud_that_forgets_all_is_as_planned() {
    agrees("cloud", "tokio");
}
