//! `.api`: how answers are rendered from now on, this one included (`wire/1 §6.3`, `§6.4`).

use crate::wire::json::Json;

use super::super::answer::{Answer, Shown};
use super::super::grammar::Takes::Value;
use super::super::grammar::{Command, Form, Rights};
use super::super::output::Api;
use super::super::refusal::Refusal;
use super::super::reply::{Reply, View};
use super::super::words::Words;

pub(super) const COMMAND: Command = Command {
    rights: Rights::All,
    ..Command::new(
        ".api",
        &[Form {
            free: true,
            words: &[("compact", Value)],
            help: &[(".api 0|1|2 [compact=yes]", "answers as text, as text between signals, or as JSON")],
            ..Form::PLAIN
        }],
        run,
    )
};

/// The number of the mode.
#[derive(Debug)]
struct Mode(i64);

fn run(_: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let compact = words.value(&["compact"]).is_some_and(|word| ["yes", "true", "on", "1"].contains(&word));
    let (api, number) = match words.word(1).as_str() {
        "0" | "off" => (Api::Text, 0),
        "" | "1" | "on" => (Api::Framed, 1),
        "2" | "json" => (Api::Json { compact }, 2),
        other => return Err(Refusal::usage(format!(".api {other}: expected 0, 1 or 2."))),
    };
    Ok(Reply::Api(api, Answer::found(Mode(number))))
}

impl Shown for Mode {
    fn text(&self) -> String {
        format!("api: {}\n", self.0)
    }

    fn json(&self) -> Option<Json> {
        Some(Json::object([("api", Json::Number(self.0))]))
    }
}
