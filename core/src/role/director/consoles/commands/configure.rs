//! `configure`: what the file daemon of a client needs to know of this director.

use crate::wire::json::Json;

use super::super::answer::Shown;
use super::super::grammar::Takes::{Either, Value};
use super::super::grammar::{Command, Form, Takes};
use super::super::questions::choice;
use super::super::refusal::{Kind, NoSuch, Refusal};
use super::super::reply::{Reply, View};
use super::super::words::Words;

pub(super) const COMMAND: Command = Command::new(
    "configure",
    &[
        Form {
            subjects: &["export"],
            words: &[("client", Value)],
            help: &[(
                "configure export client=NAME",
                "the resource of this director for the configuration of a client, with the password that both need",
            )],
            ..Form::PLAIN
        },
        Form {
            subjects: &["add"],
            words: ADDED,
            help: &[("configure add", "not from here: resources are added to the configuration's own files")],
            ..Form::PLAIN
        },
    ],
    run,
);

/// What a real director takes there.
const ADDED: &[(&str, Takes)] = &[
    ("client", Either),
    ("console", Either),
    ("fileset", Either),
    ("job", Either),
    ("jobdefs", Either),
    ("pool", Either),
    ("profile", Either),
    ("schedule", Either),
    ("storage", Either),
    ("user", Either),
    ("name", Value),
    ("address", Value),
    ("password", Value),
];

/// The resource as the file daemon's configuration has it. Nobody logs the answer of a console.
struct Exported {
    director: String,
    key: String,
}

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    if words.word(1) == "add" {
        let text =
            "A resource is added in the configuration's own files: write it there, and start the director again.";
        return Err(Refusal::usage(text));
    }
    let Some(name) = words.value(&["client"]) else {
        return choice::resource(view, words, Kind::Client, "client", "Name the client: configure export client=NAME.");
    };
    NoSuch::check(view.config(), Kind::Client, name)?;
    let key = view.config().client(name).map(|client| client.password.key());
    let key = key.map(|key| String::from_utf8_lossy(key.expose()).into_owned()).unwrap_or_default();
    Ok(Reply::found(Exported { director: view.config().director.name.clone(), key }))
}

impl std::fmt::Debug for Exported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Exported")
    }
}

impl Shown for Exported {
    fn text(&self) -> String {
        format!("Director {{\n  Name = \"{}\"\n  Password = \"[md5]{}\"\n}}\n", self.director, self.key)
    }

    fn json(&self) -> Option<Json> {
        let director =
            Json::object([("name", self.director.as_str().into()), ("password", format!("[md5]{}", self.key).into())]);
        Some(Json::object([("configure", Json::object([("export", Json::object([("director", director)]))]))]))
    }
}
