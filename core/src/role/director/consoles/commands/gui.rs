//! `gui`: whether a person or a program speaks. A program is not told that there are messages.

use crate::wire::json::Json;

use super::super::answer::{Answer, Shown};
use super::super::grammar::{Command, Form};
use super::super::refusal::Refusal;
use super::super::reply::{Reply, View};
use super::super::words::Words;

pub(super) const COMMAND: Command = Command::new(
    "gui",
    &[
        Form {
            subjects: &["on"],
            help: &[("gui on", "a program speaks: no note that there are messages")],
            ..Form::PLAIN
        },
        Form { subjects: &["off"], help: &[("gui off", "a person speaks")], ..Form::PLAIN },
    ],
    run,
);

#[derive(Debug)]
struct Set;

fn run(_: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    Ok(Reply::Gui(words.word(1) == "on", Answer::found(Set)))
}

impl Shown for Set {
    fn text(&self) -> String {
        String::new()
    }

    fn json(&self) -> Option<Json> {
        Some(Json::Object(Vec::new()))
    }
}
