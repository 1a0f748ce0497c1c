//! `create`: the row of a pool, from its resource.

use crate::catalog::{CatalogAnswer, CatalogRequest, PoolRow};

use super::super::grammar::Takes::Value;
use super::super::grammar::{Command, Form};
use super::super::questions::choice;
use super::super::refusal::{Kind, NoSuch, Refusal};
use super::super::reply::{Reply, View};
use super::super::words::Words;

pub(super) const COMMAND: Command = Command::new(
    "create",
    &[Form {
        words: &[("pool", Value)],
        help: &[("create [pool=NAME]", "bring a pool of the configuration into the catalog")],
        ..Form::PLAIN
    }],
    run,
);

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let Some(name) = words.value(&["pool"]) else {
        return choice::resource(view, words, Kind::Pool, "pool", "Name the pool: create pool=NAME.");
    };
    let row = of_resource(view, name)?;
    let text = format!("Pool {name} is in the catalog, as its resource says.\n");
    Ok(store(row, text).using())
}

/// The row of a pool as its resource says.
pub(super) fn of_resource(view: &View<'_>, name: &str) -> Result<Box<PoolRow>, Refusal> {
    NoSuch::check(view.config(), Kind::Pool, name)?;
    let row = view.ids().pools.get(name);
    row.map(|row| Box::new(row.clone())).ok_or_else(|| choice::unknown(view, Kind::Pool, name))
}

/// Stores the row of a pool, and ends with this text.
pub(super) fn store(row: Box<PoolRow>, text: String) -> Reply {
    Reply::ask(CatalogRequest::EnsurePool(row), |_, answer| match answer {
        CatalogAnswer::Id(_) => Ok(Reply::found(text)),
        other => Err(Refusal::unexpected(other)),
    })
}
