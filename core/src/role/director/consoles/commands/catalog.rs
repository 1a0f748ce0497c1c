//! `use`: which catalog is asked. There is one.

use crate::wire::names::CATALOG;

use super::super::grammar::Takes::Value;
use super::super::grammar::{Command, Form};
use super::super::questions::choice;
use super::super::refusal::{Kind, NoSuch, Refusal};
use super::super::reply::{Reply, View};
use super::super::words::Words;

pub(super) const COMMAND: Command = Command::new(
    "use",
    &[Form {
        words: &[("catalog", Value)],
        help: &[("use [catalog=NAME]", "ask this catalog from now on: there is one, `MyCatalog`")],
        ..Form::PLAIN
    }],
    run,
);

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    if !view.access().is_some_and(|access| access.has_catalog()) {
        return Err(NoSuch::new(Kind::Catalog, CATALOG, super::super::refusal::Meant(None)).into());
    }
    match words.value(&["catalog"]) {
        None => choice::resource(view, words, Kind::Catalog, "catalog", "Name the catalog: use catalog=default."),
        Some(name) => {
            NoSuch::check(view.config(), Kind::Catalog, name)?;
            Ok(Reply::found(format!("Using Catalog \"{name}\"\n")))
        }
    }
}
