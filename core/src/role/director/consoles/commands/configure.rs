//! `configure`: a resource is added to the files of the configuration, and what the file daemon of a client needs to know of
//! this director.

use crate::wire::json::Json;
use crate::work::configuration::{Added, Addition, ConfigurationWork, Written};

use super::super::access::Access;
use super::super::answer::Shown;
use super::super::grammar::Takes::{Either, Value};
use super::super::grammar::{Command, Form, Takes};
use super::super::questions::choice;
use super::super::refusal::{Kind, NoSuch, Refusal};
use super::super::reply::{Instruction, Reply, View};
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
            open: true,
            words: KINDS,
            help: &[(
                "configure add client|job|pool|… name=NAME DIRECTIVE=VALUE …",
                "put a resource into a file of the configuration, if nothing is wrong with it, and go by it",
            )],
            ..Form::PLAIN
        },
    ],
    run,
);

/// The kinds of resources that are added. Most are directives of others, with a value.
const KINDS: &[(&str, Takes)] = &[
    ("client", Either),
    ("console", Either),
    ("fileset", Either),
    ("job", Either),
    ("jobdefs", Either),
    ("messages", Either),
    ("pool", Either),
    ("profile", Either),
    ("schedule", Either),
    ("storage", Either),
    ("user", Either),
];

/// The resource as the file daemon's configuration has it. Nobody logs the answer of a console.
struct Exported {
    director: String,
    key: String,
}

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    if words.word(1) == "add" {
        return add(view, words);
    }
    let Some(name) = words.value(&["client"]) else {
        return choice::resource(view, words, Kind::Client, "client", "Name the client: configure export client=NAME.");
    };
    NoSuch::check(view.config(), Kind::Client, name)?;
    let key = view.config().client(name).map(|client| client.password.key());
    let key = key.map(|key| String::from_utf8_lossy(key.expose()).into_owned()).unwrap_or_default();
    Ok(Reply::found(Exported { director: view.config().director.name.clone(), key }))
}

/// Whoever adds a resource may give itself every right, so this is for consoles that have them all.
fn add(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let usage =
        || Refusal::usage("Name what is added: configure add client name=NAME address=ADDRESS password=PASSWORD.");
    if !view.access().is_some_and(Access::is_open) {
        return Err(Refusal::NotForSome);
    }
    let kind = words.word(2);
    if !KINDS.iter().any(|(known, _)| *known == kind) {
        let known: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
        return Err(Refusal::usage(format!("configure add needs one of {} after it.", known.join(", "))));
    }
    // The kind may have the name as its value.
    let mut name = words.arguments().nth(1).and_then(|(_, name)| name).map(str::to_owned);
    let mut directives = Vec::new();
    for (key, value) in words.arguments().skip(2) {
        // A second word without a value is no kind and no directive.
        let value = value.ok_or_else(usage)?;
        match key.to_lowercase().as_str() {
            "name" if name.is_none() => name = Some(value.to_owned()),
            _ => directives.push((key.to_owned(), value.to_owned())),
        }
    }
    let addition = Addition { kind, name: name.ok_or_else(usage)?, directives };
    Ok(Reply::Do(Instruction::Configure(ConfigurationWork::Add(addition))))
}

/// As a real director says it, that the resource is in its file.
impl Shown for Added {
    fn text(&self) -> String {
        let part = |Written { name, content }: &Written, what| format!("{what} \"{name}\":\n{content}");
        let exported = self.exported.as_ref().map(|file| part(file, "Exported resource file")).unwrap_or_default();
        exported + &part(&self.file, if self.is_part { "Added to config file" } else { "Created resource config file" })
    }

    fn json(&self) -> Option<Json> {
        let added = Json::object([
            ("resource", self.kind.into()),
            ("name", self.name.as_str().into()),
            ("filename", self.file.name.as_str().into()),
            ("content", self.file.content.as_str().into()),
        ]);
        let exported = self.exported.as_ref().map(|file| {
            Json::object([
                ("clientname", self.name.as_str().into()),
                ("component", "bareos-fd".into()),
                ("resource", "director".into()),
                ("name", file.resource().into()),
                ("filename", file.name.as_str().into()),
                ("content", file.content.as_str().into()),
            ])
        });
        let members = exported.map(|exported| ("export".to_owned(), exported)).into_iter();
        let members = members.chain([("add".to_owned(), added)]).collect();
        Some(Json::object([("configure", Json::Object(members))]))
    }
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
