//! `show`: the configuration as the director has it, a resource a block, in the words of Bareos' syntax. Settings that are as
//! they are by default are left out unless `verbose` is said; secrets are never shown.

mod fields;

use crate::config::DirectorConfig;
use crate::wire::json::Json;

use super::super::answer::Shown;
use super::super::grammar::Takes::{Either, Nothing};
use super::super::grammar::{Command, Form};
use super::super::refusal::Refusal;
use super::super::reply::{Reply, View};
use super::super::words::Words;
use fields::Resource;

pub(super) const COMMAND: Command = Command::new(
    "show",
    &[Form {
        words: &[
            ("all", Nothing),
            ("verbose", Nothing),
            ("disabled", Nothing),
            ("directors", Either),
            ("director", Either),
            ("clients", Either),
            ("client", Either),
            ("storages", Either),
            ("storage", Either),
            ("jobs", Either),
            ("job", Either),
            ("jobdefs", Either),
            ("filesets", Either),
            ("fileset", Either),
            ("pools", Either),
            ("pool", Either),
            ("schedules", Either),
            ("schedule", Either),
            ("consoles", Either),
            ("console", Either),
            ("profiles", Either),
            ("profile", Either),
            ("messages", Either),
            ("catalogs", Either),
            ("catalog", Either),
            ("counters", Either),
            ("counter", Either),
        ],
        one_of: &[&["all", "disabled"]],
        help: &[
            (
                "show all|directors|clients|storages|jobs|filesets|pools|schedules|consoles|profiles|messages|catalogs|counters [verbose]",
                "the configuration, in Bareos' syntax; verbose: the settings too that nobody has set",
            ),
            (
                "show client=NAME|storage=NAME|job=NAME|fileset=NAME|pool=NAME|schedule=NAME|console=NAME|profile=NAME|catalog=NAME|counter=NAME",
                "one resource",
            ),
            ("show disabled [jobs]", "the jobs that are switched off"),
        ],
        ..Form::PLAIN
    }],
    run,
);

/// The resources of one kind.
type Listing = fn(&DirectorConfig) -> Vec<Resource>;

/// The kinds of resources: what one is called, what several are, and what there is of them.
const KINDS: &[(&str, &str, Listing)] = &[
    ("Director", "directors", fields::directors),
    ("Client", "clients", fields::clients),
    ("Storage", "storages", fields::storages),
    ("Job", "jobs", fields::jobs),
    // A job's defaults are a part of it once the configuration is read.
    ("JobDefs", "jobdefs", |_| Vec::new()),
    ("FileSet", "filesets", fields::file_sets),
    ("Pool", "pools", fields::pools),
    ("Schedule", "schedules", fields::schedules),
    ("Console", "consoles", fields::consoles),
    ("Profile", "profiles", fields::profiles),
    ("Messages", "messages", fields::messages),
    ("Catalog", "catalogs", fields::catalogs),
    ("Counter", "counters", fields::counters),
];

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let (config, verbose) = (view.config(), words.has("verbose"));
    let mut parts = Vec::new();
    let known: Vec<&str> = view.catalogs().collect();
    for (kind, several, list) in KINDS {
        // The configuration that a console sees has all catalogs.
        let of = |config: &DirectorConfig| {
            let mut resources = list(config);
            resources.retain(|resource| *kind != "Catalog" || known.contains(&resource.name()));
            resources
        };
        let name = words.value(&[&kind.to_lowercase(), several]);
        let is_wanted = words.has("all") || words.has(several) || words.has(kind) && name.is_none();
        let mut resources = match name {
            _ if is_wanted || words.has("disabled") && *kind == "Job" => of(config),
            Some(name) => vec![one(kind, of(config), name)?],
            None => continue,
        };
        if let Some(name) = name.filter(|_| is_wanted) {
            resources = vec![one(kind, resources, name)?];
        }
        if words.has("disabled") {
            resources.retain(|resource| config.job(resource.name()).is_some_and(|job| !job.enabled));
        }
        parts.push(Part { kind, several, resources });
    }
    if parts.is_empty() {
        return Err(Refusal::usage("Say what to show: show all, show jobs, show client=NAME… (help show)."));
    }
    let is_disabled = words.has("disabled");
    Ok(Reply::found(Shows { parts, verbose, is_disabled }))
}

/// The resource of this name.
fn one(kind: &str, resources: Vec<Resource>, name: &str) -> Result<Resource, Refusal> {
    let known: Vec<String> = resources.iter().map(|resource| resource.name().to_owned()).collect();
    resources
        .into_iter()
        .find(|resource| resource.name() == name)
        .ok_or_else(|| Refusal::usage(format!("There is no {kind} \"{name}\". There are: {}", known.join(", "))))
}

/// The resources of a kind.
#[derive(Debug)]
struct Part {
    kind: &'static str,
    several: &'static str,
    resources: Vec<Resource>,
}

#[derive(Debug)]
struct Shows {
    parts: Vec<Part>,
    verbose: bool,
    is_disabled: bool,
}

impl Shown for Shows {
    fn text(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            if self.is_disabled {
                let names = part.resources.iter().map(|resource| format!("{}\n", resource.name()));
                text += &format!("Disabled {}:\n{}", part.several, names.collect::<String>());
            } else if part.resources.is_empty() {
                text += &format!("There is no {}.\n", part.kind);
            }
            if !self.is_disabled {
                text.extend(part.resources.iter().map(|resource| resource.text(part.kind, self.verbose)));
            }
        }
        text
    }

    /// Kinds of which there is none are left out, as Bareos leaves them out.
    fn json(&self) -> Option<Json> {
        let parts = self.parts.iter().filter(|part| !part.resources.is_empty() || self.is_disabled);
        if self.is_disabled {
            let names = |part: &Part| part.resources.iter().map(|resource| resource.name().into()).collect();
            let members = parts.map(|part| (part.several.to_owned(), Json::List(names(part)))).collect();
            return Some(Json::object([("disabled", Json::Object(members))]));
        }
        let object = |part: &Part| {
            let resources = part.resources.iter();
            Json::Object(resources.map(|resource| (resource.name().to_owned(), resource.json(self.verbose))).collect())
        };
        Some(Json::Object(parts.map(|part| (part.several.to_owned(), object(part))).collect()))
    }
}
