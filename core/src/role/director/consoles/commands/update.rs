//! `update`: a volume, a pool or a job in the catalog.

mod defaults;
mod job;
mod volume;

use crate::catalog::{CatalogAnswer, CatalogRequest, MediaRow};

use super::super::grammar::Takes::{Either, Nothing, Value};
use super::super::grammar::{Command, Form};
use super::super::questions::{Matter, Prompt, Question, Wanted, choice};
use super::super::refusal::{Kind, NoSuch, Refusal, number_of};
use super::super::reply::{Reply, View};
use super::super::words::Words;
use super::{create, slots};

pub(super) const COMMAND: Command = Command::new(
    "update",
    &[
        Form {
            subjects: &["volume", "media"],
            words: volume::WORDS,
            one_of: &[&["volume", "media"]],
            help: volume::HELP,
            ..Form::PLAIN
        },
        Form {
            subjects: &["pool"],
            words: &[("pool", Value), ("yes", Nothing)],
            help: &[("update pool=NAME", "bring what the resource of a pool says into the catalog")],
            ..Form::PLAIN
        },
        Form {
            subjects: &["slots", "slot"],
            words: &[
                ("slots", Either),
                ("slot", Either),
                ("storage", Value),
                ("drive", Value),
                ("enabled", Value),
                ("scan", Nothing),
            ],
            help: &[(
                "update slots [storage=NAME] [scan]",
                "look what is in the slots of a changer; no storage is one",
            )],
            ..Form::PLAIN
        },
        Form { subjects: &["jobid"], words: job::WORDS, help: job::HELP, ..Form::PLAIN },
        Form { subjects: &[""], help: &[("update", "choose what to update from a menu")], ..Form::PLAIN },
        Form {
            subjects: &["stats"],
            words: &[("days", Value)],
            help: &[("update stats [days=N]", "as a director that keeps no statistics")],
            ..Form::PLAIN
        },
    ],
    run,
)
// A pool is what a volume may be put into, too.
.led_by(&["volume", "media", "slots", "slot", "jobid", "stats"]);

/// The bit of a volume that is truncated when it is purged.
pub(super) const TRUNCATE: u32 = 1;

/// What was chosen from the menu.
const MENU: &str = "menu";

const ITEMS: [&str; 4] = ["Volume parameters", "Pool from resource", "Slots from autochanger", "Long term statistics"];

/// Asks what to update.
fn menu(words: &Words) -> Reply {
    let (title, ask) = ("Update choice:".to_owned(), "Choose catalog item to update".to_owned());
    let usage = "Say what to update: update volume=NAME volstatus=…, or update pool=NAME.".to_owned();
    let wanted = Wanted { words: words.clone(), key: MENU, usage, may_be_empty: false };
    let prompt = Prompt::Choice { title, items: ITEMS.map(str::to_owned).to_vec(), ask };
    Reply::Question(Box::new(Question { prompt, matter: Matter::Word(wanted), again: false })).using()
}

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let chosen = words.value(&[MENU]).and_then(|chosen| ITEMS.iter().position(|item| *item == chosen));
    let what = match chosen {
        Some(0) => "volume".to_owned(),
        Some(1) => "pool".to_owned(),
        Some(2) => "slots".to_owned(),
        Some(_) => "stats".to_owned(),
        None => words.word(1),
    };
    match what.as_str() {
        "" => Ok(menu(words)),
        "slots" | "slot" => slots::update(view, words),
        "jobid" => job::run(view, words),
        "stats" => {
            let _days: Option<u32> = number_of(words, "days")?;
            Ok(Reply::found("Updating 0 job(s).\n".to_owned()))
        }
        "pool" => match words.value(&["pool"]) {
            Some(name) => {
                let row = create::of_resource(view, name)?;
                Ok(create::store(row, "Pool DB record updated from resource.\n".to_owned()).using())
            }
            None => choice::resource(view, words, Kind::Pool, "pool", "Name the pool: update pool=NAME."),
        },
        _ => volume::run(view, words),
    }
}

/// Goes on with the row of a volume.
pub(super) fn with_volume(name: &str, next: impl FnOnce(Box<MediaRow>) -> Reply + Send + 'static) -> Reply {
    let name = name.to_owned();
    Reply::ask(CatalogRequest::VolumeByName(name.clone()), move |_, answer| match answer {
        CatalogAnswer::Volume(Some(row)) => Ok(next(row)),
        CatalogAnswer::Volume(None) => Err(NoSuch::new(Kind::Volume, &name, super::super::refusal::Meant(None)).into()),
        other => Err(Refusal::unexpected(other)),
    })
}
