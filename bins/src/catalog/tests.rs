//! The catalog's behaviour on SQLite. The same bodies run on PostgreSQL in `tests/system_postgres.rs`.

pub(crate) mod bodies;
mod sqlite;

use super::{Attempt, Catalog};
