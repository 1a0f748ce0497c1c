//! `.authorized`: whether the console may use something.

use crate::wire::json::Json;

use super::super::super::answer::Both;
use super::super::super::grammar::Takes::Value;
use super::super::super::grammar::{Command, Form};
use super::super::super::refusal::{Kind, NoSuch, Refusal};
use super::super::super::reply::{Reply, View};
use super::super::super::words::Words;
use super::super::may;

pub(in super::super) const COMMAND: Command = Command::new(
    ".authorized",
    &[Form {
        words: &[
            ("job", Value),
            ("client", Value),
            ("storage", Value),
            ("schedule", Value),
            ("pool", Value),
            ("cmd", Value),
            ("fileset", Value),
            ("catalog", Value),
        ],
        help: &[(
            ".authorized job=NAME|client=NAME|storage=NAME|schedule=NAME|pool=NAME|cmd=NAME|fileset=NAME|catalog=NAME",
            "whether the console may use this; several must all be",
        )],
        ..Form::PLAIN
    }],
    run,
);

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let config = view.config();
    let mut asked = false;
    for (word, value) in words.arguments() {
        let Some(name) = value else { continue };
        asked = true;
        let is_there = match word.to_lowercase().as_str() {
            "cmd" => view.access().is_some_and(|access| may(access, name)),
            "job" => config.job(name).is_some(),
            "schedule" => config.schedule(name).is_some(),
            "client" => NoSuch::check(config, Kind::Client, name).is_ok(),
            "storage" => NoSuch::check(config, Kind::Storage, name).is_ok(),
            "pool" => NoSuch::check(config, Kind::Pool, name).is_ok(),
            "fileset" => NoSuch::check(config, Kind::FileSet, name).is_ok(),
            _ => true,
        };
        if !is_there {
            return Err(Refusal::NotAuthorized { word: word.to_owned(), name: name.to_owned() });
        }
    }
    if !asked {
        return Err(Refusal::usage("Name something: .authorized job=NAME, client=NAME, cmd=NAME…"));
    }
    let authorized = Json::object([("authorized", Json::Bool(true))]);
    Ok(Reply::found(Both { text: "authorized\n".to_owned(), json: Json::object([(".authorized", authorized)]) }))
}
