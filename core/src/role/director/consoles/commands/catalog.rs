//! `use`: which catalog is asked from now on, by commands that name no client, job or catalog of another.

use super::super::answer::Answer;
use super::super::grammar::Takes::Value;
use super::super::grammar::{Command, Form};
use super::super::questions::choice;
use super::super::refusal::{Kind, Refusal};
use super::super::reply::{Reply, View};
use super::super::words::Words;
use crate::config::Catalog;

pub(super) const COMMAND: Command = Command::new(
    "use",
    &[Form {
        words: &[("catalog", Value)],
        help: &[(
            "use [catalog=NAME]",
            "ask this catalog from now on; a command with catalog=, client= or job= asks theirs",
        )],
        ..Form::PLAIN
    }],
    run,
);

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let Some(name) = words.value(&["catalog"]) else {
        return choice::resource(view, words, Kind::Catalog, "catalog", "Name the catalog: use catalog=NAME.");
    };
    view.check_catalog(name)?;
    let database = view.director.common.config.catalog(name).map(Catalog::database).unwrap_or_default();
    let text = format!("Using Catalog name={name} DB={database}\n");
    Ok(Reply::Use(name.into(), Answer::found(text)).using())
}
