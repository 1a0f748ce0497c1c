//! `update`: a volume, or a pool, in the catalog.

use crate::catalog::{CatalogAnswer, CatalogRequest, MediaRow, VolStatus};
use crate::config::{Bytes, Seconds};

use super::super::grammar::Takes::{Either, Nothing, Value};
use super::super::grammar::{Command, Form, Takes};
use super::super::questions::{Matter, Prompt, Question, Wanted, choice};
use super::super::refusal::{BadValue, Kind, NoSuch, Refusal, number_of};
use super::super::reply::{Reply, View};
use super::super::words::Words;
use super::{create, slots};

const OF_A_VOLUME: &[(&str, Takes)] = &[
    ("volume", Value),
    ("volstatus", Value),
    ("volretention", Value),
    ("pool", Value),
    ("recycle", Value),
    ("enabled", Value),
    ("maxvolbytes", Value),
    ("maxvoljobs", Value),
    ("yes", Nothing),
];

pub(super) const COMMAND: Command = Command::new(
    "update",
    &[
        Form {
            subjects: &["volume"],
            words: OF_A_VOLUME,
            help: &[(
                "update volume=NAME [volstatus=STATUS] [volretention=TIME] [pool=NAME] [recycle=yes|no] [enabled=yes|no] \
                 [maxvolbytes=SIZE] [maxvoljobs=N]",
                "change a volume in the catalog",
            )],
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
        Form { subjects: &[""], help: &[("update", "choose what to update from a menu")], ..Form::PLAIN },
        Form {
            subjects: &["stats"],
            words: &[("days", Value)],
            help: &[("update stats [days=N]", "as a director that keeps no statistics")],
            ..Form::PLAIN
        },
    ],
    run,
);

/// States that a person may give a volume.
const STATES: [VolStatus; 8] = [
    VolStatus::Append,
    VolStatus::Archive,
    VolStatus::Disabled,
    VolStatus::Full,
    VolStatus::Used,
    VolStatus::Recycle,
    VolStatus::ReadOnly,
    VolStatus::Error,
];

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
        _ => volume(view, words),
    }
}

fn volume(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let Some(name) = words.value(&["volume"]) else {
        return Ok(choice::line(words, "volume", "Enter Volume name: ", "Name the volume: update volume=NAME."));
    };
    if OF_A_VOLUME.iter().filter(|(word, _)| !matches!(*word, "volume" | "yes")).all(|(word, _)| !words.has(word)) {
        let states = STATES.iter().map(|state| state.as_str().to_owned()).collect();
        let title = ("The states of a volume are:", "Volume Status");
        return choice::one_of(view, words, "volstatus", title, states, "Say what is to change: volstatus=….");
    }
    let words = words.clone();
    let change = change(view, &words)?;
    let reply = with_volume(name, move |row| {
        let (row, text) = change(*row);
        Reply::ask(CatalogRequest::UpdateMedia(Box::new(row)), |_, answer| match answer {
            CatalogAnswer::Volume(Some(_)) => Ok(Reply::found(text)),
            CatalogAnswer::Stale(row) => Err(Refusal::ChangedMeanwhile(row.volume_name)),
            other => Err(Refusal::unexpected(other)),
        })
    });
    Ok(reply.using())
}

type Change = Box<dyn FnOnce(MediaRow) -> (MediaRow, String) + Send>;

/// What the words change of a volume, and what is said of it.
fn change(view: &View<'_>, words: &Words) -> Result<Change, Refusal> {
    let status = match words.value(&["volstatus"]) {
        None => None,
        Some(text) => {
            Some(STATES.into_iter().find(|state| state.as_str().eq_ignore_ascii_case(text)).ok_or_else(|| {
                BadValue::new("volstatus", text, "Append, Archive, Disabled, Full, Used, Recycle, Read-Only or Error")
            })?)
        }
    };
    let pool = match words.value(&["pool"]) {
        None => None,
        Some(name) => Some(create::of_resource(view, name)?),
    };
    let yes_or_no = |word: &'static str| match words.value(&[word]).map(str::to_lowercase).as_deref() {
        None => Ok(None),
        Some("yes") => Ok(Some(true)),
        Some("no") => Ok(Some(false)),
        Some(other) => Err(BadValue::new(word, other, "yes or no")),
    };
    let (recycle, enabled) = (yes_or_no("recycle")?, yes_or_no("enabled")?);
    let retention = words.value(&["volretention"]).map(|text| {
        Seconds::parse(text).ok_or_else(|| BadValue::new("volretention", text, "a time such as \"30 days\""))
    });
    let retention = retention.transpose()?;
    let bytes = words
        .value(&["maxvolbytes"])
        .map(|text| Bytes::parse(text).ok_or_else(|| BadValue::new("maxvolbytes", text, "a size such as 50g")));
    let (bytes, jobs) = (bytes.transpose()?, number_of::<u32>(words, "maxvoljobs")?);
    Ok(Box::new(move |mut row| {
        let mut text = String::new();
        if let Some(status) = status {
            row.vol_status = status;
            text += &format!("New Volume status is: {}\n", status.as_str());
        }
        if let Some(pool) = pool {
            row.pool_id = pool.pool_id;
            text += &format!("New Pool is: {}\n", pool.name);
        }
        if let Some(on) = recycle {
            row.recycle = on;
            text += &format!("New Recycle flag is: {}\n", if on { "yes" } else { "no" });
        }
        if let Some(on) = enabled {
            row.enabled = on;
            text += &format!("New Enabled is: {}\n", if on { "yes" } else { "no" });
        }
        if let Some(Seconds(seconds)) = retention {
            row.vol_retention = seconds;
            text += &format!("New retention period is: {seconds} seconds\n");
        }
        if let Some(Bytes(bytes)) = bytes {
            row.max_vol_bytes = bytes;
            text += &format!("New Max bytes is: {bytes}\n");
        }
        if let Some(jobs) = jobs {
            row.max_vol_jobs = jobs;
            text += &format!("New max jobs is: {jobs}\n");
        }
        (row, text)
    }))
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
