//! `enable` and `disable`: whether jobs run, by themselves, by their client or by their schedule. It counts until the
//! configuration is read again, which stays as it is.

use crate::wire::json::Json;

use super::super::answer::{Answer, Shown};
use super::super::grammar::Takes::{Nothing, Value};
use super::super::grammar::{Command, Form, Takes};
use super::super::questions::choice;
use super::super::refusal::{Kind, NoSuch, Refusal};
use super::super::reply::{Instruction, Reply, View};
use super::super::words::Words;
use crate::role::director::overrides::Switched;

const WORDS: &[(&str, Takes)] = &[("job", Value), ("client", Value), ("schedule", Value), ("yes", Nothing)];

const ONE_OF: &[&[&str]] = &[&["job", "client", "schedule"]];

pub(super) const ENABLE: Command = Command::new(
    "enable",
    &[Form {
        words: WORDS,
        one_of: ONE_OF,
        help: &[("enable [job=NAME|client=NAME|schedule=NAME]", "let jobs run that were disabled")],
        ..Form::PLAIN
    }],
    |view, words| run(view, words, true),
);

pub(super) const DISABLE: Command = Command::new(
    "disable",
    &[Form {
        words: WORDS,
        one_of: ONE_OF,
        help: &[(
            "disable [job=NAME|client=NAME|schedule=NAME]",
            "let jobs not run until the configuration is read again",
        )],
        ..Form::PLAIN
    }],
    |view, words| run(view, words, false),
);

/// What was switched.
#[derive(Debug)]
struct Done {
    what: Switched,
    name: String,
    on: bool,
}

fn run(view: &View<'_>, words: &Words, on: bool) -> Result<Reply, Refusal> {
    let kinds = [
        ("job", Kind::Job, Switched::Job),
        ("client", Kind::Client, Switched::Client),
        ("schedule", Kind::Schedule, Switched::Schedule),
    ];
    for (word, kind, what) in kinds {
        let Some(name) = words.value(&[word]) else { continue };
        NoSuch::check(view.config(), kind, name)?;
        let done = Answer::found(Done { what, name: name.to_owned(), on });
        return Ok(Reply::Done(Instruction::Switch(what, name.to_owned(), on), done));
    }
    let verb = if on { "enable" } else { "disable" };
    choice::resource(view, words, Kind::Job, "job", &format!("Name a job: {verb} job=NAME."))
}

impl Shown for Done {
    fn text(&self) -> String {
        let (kind, done) = (self.what.name(), if self.on { "enabled" } else { "disabled" });
        format!(
            "{kind} \"{}\" {done}\nIt stays so until the director reads its configuration again; for good, set `enabled` there.\n",
            self.name
        )
    }

    fn json(&self) -> Option<Json> {
        let verb = if self.on { "enable" } else { "disable" };
        let kind = match self.what {
            Switched::Job => "jobs",
            Switched::Client => "clients",
            Switched::Schedule => "schedules",
        };
        let names = Json::List(vec![self.name.as_str().into()]);
        Some(Json::object([(verb, Json::object([(kind, names)]))]))
    }
}
