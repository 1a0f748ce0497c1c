//! `add`: a volume of a name that somebody has chosen. The storage daemon labels it when it is first written.

use crate::catalog::{CatalogAnswer, CatalogRequest, volumes};

use super::super::grammar::Takes::Value;
use super::super::grammar::{Command, Form};
use super::super::questions::choice;
use super::super::refusal::{BadValue, Kind, NoSuch, Refusal};
use super::super::reply::{Reply, View};
use super::super::words::Words;
use super::create;

pub(super) const COMMAND: Command = Command::new(
    "add",
    &[Form {
        words: &[("pool", Value), ("storage", Value), ("volume", Value)],
        help: &[(
            "add [pool=NAME] [storage=NAME] [volume=NAME]",
            "make a volume known that is labelled when it is first written",
        )],
        ..Form::PLAIN
    }],
    run,
);

/// Letters of the longest name of a volume (`wire/3 §7.1`).
const LONGEST: usize = 127;

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let Some(pool) = words.value(&["pool"]) else {
        return choice::resource(view, words, Kind::Pool, "pool", "Name the pool: add pool=NAME.");
    };
    let row = create::of_resource(view, pool)?;
    let Some(storage) = words.value(&["storage"]) else {
        return choice::resource(view, words, Kind::Storage, "storage", "Name the storage: add storage=NAME.");
    };
    NoSuch::check(view.config(), Kind::Storage, storage)?;
    let Some(name) = words.value(&["volume"]) else {
        return Ok(choice::line(words, "volume", "Enter Volume name: ", "Name the volume: add volume=NAME."));
    };
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '-' | '_');
    if name.len() > LONGEST || name.is_empty() || !name.chars().all(is_letter) {
        return Err(BadValue::new("volume", name, "letters, digits and any of : . - _").into());
    }
    let media_type = view.config().storage(storage).map(|storage| storage.media_type.clone()).unwrap_or_default();
    let volume = volumes::announced(name, &media_type, &row);
    let text = format!("Volume {name} is in pool {pool}.\n");
    Ok(Reply::ask(CatalogRequest::CreateMedia(Box::new(volume)), |_, answer| match answer {
        CatalogAnswer::Volume(Some(_)) => Ok(Reply::found(text)),
        other => Err(Refusal::unexpected(other)),
    }))
}
