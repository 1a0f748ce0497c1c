//! `messages`: what jobs have reported since the console was last shown it.

use crate::calendar::Zone;
use crate::catalog::LogRow;
use crate::wire::json::Json;

use super::super::answer::{Answer, Shown};
use super::super::grammar::{Command, Form};
use super::super::refusal::Refusal;
use super::super::reply::{Reply, View};
use super::super::words::Words;

pub(crate) const COMMAND: Command = Command::new(
    "messages",
    &[Form { help: &[("messages", "what jobs have reported since the last time")], ..Form::PLAIN }],
    run,
);

/// The same for a program that shows what has come.
pub(super) const DOT: Command = Command::new(
    ".messages",
    &[Form { help: &[(".messages", "what jobs have reported since the last time")], ..Form::PLAIN }],
    run,
);

/// Lines of reports with their dates.
#[derive(Debug)]
struct Messages(Vec<String>);

fn run(view: &View<'_>, _: &Words) -> Result<Reply, Refusal> {
    let seen = view.console().map_or(0, |console| console.seen);
    let lines = view.director.common.journal.since(seen).map(|line| dated(line, view.zone()));
    Ok(Reply::Messages(Answer::found(Messages(lines.collect()))))
}

fn dated(line: &LogRow, zone: &Zone) -> String {
    format!("{} {}", zone.local(line.time).short(), line.text.trim_end())
}

impl Shown for Messages {
    fn text(&self) -> String {
        match self.0.as_slice() {
            [] => "You have no messages.\n".to_owned(),
            lines => lines.iter().map(|line| format!("{line}\n")).collect(),
        }
    }

    fn json(&self) -> Option<Json> {
        let lines = self.0.iter().map(|line| line.as_str().into()).collect();
        Some(Json::object([("messages", Json::List(lines))]))
    }
}
