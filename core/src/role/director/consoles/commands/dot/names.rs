//! `.jobs`, `.clients` and the like: the names of resources, one a line.

use std::collections::BTreeSet;

use crate::catalog::{CatalogAnswer, CatalogRequest};
use crate::config::PoolKind;
use crate::role::director::jobs::ordering::type_of;
use crate::wire::names::DEFAULT_CONSOLE;
use crate::wire::status::JobType;

use super::super::super::answer::{Cell, Column};
use super::super::super::grammar::Takes::{Nothing, Value};
use super::super::super::grammar::{Command, Form, Takes};
use super::super::super::refusal::{BadValue, Refusal, number_of};
use super::super::super::reply::{Reply, View};
use super::super::super::words::Words;
use super::{ENABLED, NAME, Named, listed, plain};

type Run = fn(&View<'_>, &Words) -> Result<Reply, Refusal>;

const SWITCHED: &[(&str, Takes)] = &[("enabled", Nothing), ("disabled", Nothing)];

/// A list that takes no word.
const fn names(name: &'static str, forms: &'static [Form], run: Run) -> Command {
    Command::new(name, forms, run)
}

pub(in super::super) const JOBS: Command = names(
    ".jobs",
    &[Form {
        words: &[("type", Value), ("enabled", Nothing), ("disabled", Nothing)],
        one_of: &[&["enabled", "disabled"]],
        help: &[(".jobs [type=LETTERS] [enabled|disabled]", "the names of the jobs")],
        ..Form::PLAIN
    }],
    |view, words| {
        let types = types(words)?;
        let jobs = view.config().jobs.iter().filter(|job| {
            let letter = type_of(job.kind).unwrap_or(JobType::Restore).letter();
            types.as_ref().is_none_or(|types| types.contains(&letter))
        });
        Ok(switched("jobs", words, jobs.map(|job| Named(job.name.clone(), job.enabled)).collect()))
    },
);

pub(in super::super) const CLIENTS: Command = names(
    ".clients",
    &[Form {
        words: SWITCHED,
        one_of: &[&["enabled", "disabled"]],
        help: &[(".clients [enabled|disabled]", "the names of the clients")],
        ..Form::PLAIN
    }],
    |view, words| {
        let rows = view.config().clients.iter().map(|client| Named(client.name.clone(), true));
        Ok(switched("clients", words, rows.collect()))
    },
);

const STORAGE_FORMS: &[Form] = &[Form {
    words: SWITCHED,
    one_of: &[&["enabled", "disabled"]],
    help: &[(".storages [enabled|disabled]", "the names of the storages")],
    ..Form::PLAIN
}];

pub(in super::super) const STORAGES: Command =
    Command { aliases: &[".storage"], ..names(".storages", STORAGE_FORMS, storages) };

fn storages(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let rows = view.config().storages.iter().map(|storage| Named(storage.name.clone(), true));
    Ok(switched("storages", words, rows.collect()))
}

pub(in super::super) const SCHEDULE: Command = Command {
    aliases: &[".schedules"],
    ..names(
        ".schedule",
        &[Form {
            words: SWITCHED,
            one_of: &[&["enabled", "disabled"]],
            help: &[(".schedule [enabled|disabled]", "the names of the schedules")],
            ..Form::PLAIN
        }],
        |view, words| {
            let rows = view.config().schedules.iter().map(|schedule| Named(schedule.name.clone(), true));
            Ok(switched("schedules", words, rows.collect()))
        },
    )
};

pub(in super::super) const POOLS: Command = names(
    ".pools",
    &[Form {
        words: &[("type", Value)],
        help: &[(".pools [type=backup|scratch]", "the names of the pools")],
        ..Form::PLAIN
    }],
    |view, words| {
        let kind = match words.value(&["type"]).map(str::to_lowercase).as_deref() {
            None => None,
            Some("backup") => Some(PoolKind::Backup),
            Some("scratch") => Some(PoolKind::Scratch),
            // What else pools of Bareos are for: no pool of ours is for it.
            Some("copy" | "cloned" | "archive" | "migration") => return Ok(plain::<String>("pools", [])),
            Some(other) => return Err(BadValue::new("type", other, "backup or scratch").into()),
        };
        let pools = view.config().pools.iter().filter(|pool| kind.is_none_or(|kind| kind == pool.kind));
        Ok(plain("pools", pools.map(|pool| pool.name.as_str())))
    },
);

pub(in super::super) const FILESETS: Command =
    names(".filesets", &[Form { help: &[(".filesets", "the names of the filesets")], ..Form::PLAIN }], |view, _| {
        Ok(plain("filesets", view.config().filesets.iter().map(|set| set.name.as_str())))
    });

pub(in super::super) const CATALOGS: Command =
    names(".catalogs", &[Form { help: &[(".catalogs", "the names of the catalogs")], ..Form::PLAIN }], |view, _| {
        Ok(plain("catalogs", view.catalogs()))
    });

pub(in super::super) const CONSOLES: Command = names(
    ".consoles",
    &[Form { help: &[(".consoles", "the names of the consoles, and of the one without a name")], ..Form::PLAIN }],
    |view, _| {
        let named = view.config().consoles.iter().map(|console| console.name.as_str());
        Ok(plain("consoles", named.chain([DEFAULT_CONSOLE])))
    },
);

pub(in super::super) const PROFILES: Command =
    names(".profiles", &[Form { help: &[(".profiles", "the names of the profiles")], ..Form::PLAIN }], |view, _| {
        Ok(plain("profiles", view.config().profiles.iter().map(|profile| profile.name.as_str())))
    });

pub(in super::super) const USERS: Command = names(
    ".users",
    &[Form { help: &[(".users", "the names of users whom the system knows: there are none")], ..Form::PLAIN }],
    |_, _| Ok(plain::<String>("users", [])),
);

pub(in super::super) const MSGS: Command =
    names(".msgs", &[Form { help: &[(".msgs", "the names of the messages resources")], ..Form::PLAIN }], |view, _| {
        let all = view.config().all_messages();
        let rows: Vec<Named> = all.into_iter().map(|messages| Named(messages.name, true)).collect();
        Ok(listed("messages", &[Column("text", |row: &Named| Cell::text_of(&row.0))], &rows))
    });

pub(in super::super) const JOBDEFS: Command = names(
    ".jobdefs",
    &[Form { help: &[(".jobdefs", "the names of job defaults: they are a part of each job here")], ..Form::PLAIN }],
    |_, _| Ok(plain::<String>("jobdefs", [])),
);

pub(in super::super) const LOCATIONS: Command = names(
    ".locations",
    &[Form { help: &[(".locations", "where volumes are kept: nobody says")], ..Form::PLAIN }],
    |_, _| Ok(plain::<String>("locations", [])),
);

pub(in super::super) const MEDIA: Command = names(
    ".media",
    &[Form { words: &[("limit", Value)], help: &[(".media [limit=N]", "the names of the volumes")], ..Form::PLAIN }],
    |_, words| {
        let most = number_of::<usize>(words, "limit")?.unwrap_or(usize::MAX);
        Ok(Reply::ask(CatalogRequest::ListMedia { pool: None }, move |_, answer| {
            let CatalogAnswer::Volumes(rows) = answer else { return Err(Refusal::unexpected(answer)) };
            let names: BTreeSet<String> = rows.into_iter().map(|row| row.volume_name).collect();
            Ok(plain("media", names.into_iter().take(most)))
        }))
    },
);

pub(in super::super) const MEDIATYPES: Command = names(
    ".mediatypes",
    &[Form { help: &[(".mediatypes", "the media types of the storages and the volumes")], ..Form::PLAIN }],
    |_, _| {
        Ok(Reply::ask(CatalogRequest::ListMedia { pool: None }, |view, answer| {
            let CatalogAnswer::Volumes(rows) = answer else { return Err(Refusal::unexpected(answer)) };
            let configured = view.config().storages.iter().map(|storage| storage.media_type.clone());
            let types: BTreeSet<String> = rows.into_iter().map(|row| row.media_type).chain(configured).collect();
            Ok(plain("mediatypes", types))
        }))
    },
);

/// The letters of `type=`.
fn types(words: &Words) -> Result<Option<Vec<u8>>, BadValue> {
    let Some(text) = words.value(&["type"]) else { return Ok(None) };
    let letters: Vec<u8> = text.bytes().filter(|byte| *byte != b',').collect();
    let is_known = |letter: &u8| !matches!(JobType::from_letter(*letter), JobType::Other(_));
    if letters.is_empty() || !letters.iter().all(is_known) {
        return Err(BadValue::new("type", text, "letters as list jobs shows them, such as B"));
    }
    Ok(Some(letters))
}

/// Those that are switched on, or off, or all.
fn switched(name: &'static str, words: &Words, mut rows: Vec<Named>) -> Reply {
    if words.has("enabled") || words.has("disabled") {
        rows.retain(|row| row.1 == words.has("enabled"));
    }
    listed(name, &[NAME, ENABLED], &rows)
}
