//! What programs ask in short: names of resources, words that settings take, the settings of one resource.

pub(super) mod authorized;
pub(super) mod defaults;
pub(super) mod help;
pub(super) mod names;
pub(super) mod sql;
pub(super) mod status;
pub(super) mod words;

use super::super::answer::{Cell, Column, Table};
use super::super::reply::Reply;

/// A name, and whether it is switched on, where that is said.
#[derive(Debug)]
struct Named(String, bool);

const NAME: Column<Named> = Column("name", |row| Cell::text_of(&row.0));
const ENABLED: Column<Named> = Column("enabled", |row| Cell::Flag(row.1));

/// Names one a line, for a program with what else is known of them.
fn listed(name: &'static str, columns: &[Column<Named>], rows: &[Named]) -> Reply {
    let lines = rows.iter().map(|row| format!("{}\n", row.0)).collect();
    Reply::found(Table::of(name, columns, rows).lines(lines))
}

/// Only names.
fn plain<N: Into<String>>(name: &'static str, names: impl IntoIterator<Item = N>) -> Reply {
    let rows: Vec<Named> = names.into_iter().map(|name| Named(name.into(), true)).collect();
    listed(name, &[NAME], &rows)
}
