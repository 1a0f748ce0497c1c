//! The schema and its versions on the server. A step, once released, is never changed: a new one is added.

use ::postgres::{Client, Transaction};
use towline_core::catalog::{CatalogError, CatalogErrorKind};

use super::super::sql::Result;
use super::failure::failure;

/// What brings version n to n + 1.
pub(super) const STEPS: &[&str] = &[
    include_str!("../schema/postgres/0001.sql"),
    include_str!("../schema/postgres/0002.sql"),
    include_str!("../schema/postgres/0003.sql"),
];

/// `TwLn`: whoever migrates holds this lock.
const LOCK: &str = "SELECT pg_advisory_xact_lock(1417104494)";
/// All that somebody has made in the schema we are in.
const TABLES: &str = "SELECT COUNT(*) FROM pg_class
     WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND relnamespace = current_schema()::regnamespace";

/// Brings a database to the newest version, all steps in one transaction.
///
/// # Errors
/// `NewerSchema` if a newer program wrote it; `Unsuitable` if it is another program's; what the server says otherwise.
pub(super) fn migrate(client: &mut Client, steps: &[&str]) -> Result<()> {
    let mut transaction = client.transaction().map_err(|e| failure(&e))?;
    transaction.batch_execute(LOCK).map_err(|e| failure(&e))?;
    let found = version(&mut transaction)?;
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    if found > known {
        let text = format!("the catalog has schema version {found}, this program knows {known}");
        return Err(CatalogError::new(CatalogErrorKind::NewerSchema, text));
    }
    for step in steps.iter().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.batch_execute(step).map_err(|e| failure(&e))?;
    }
    if found < known {
        let mark = format!(
            "CREATE TABLE IF NOT EXISTS TowlineVersion (VersionId BIGINT NOT NULL);
             DELETE FROM TowlineVersion; INSERT INTO TowlineVersion VALUES ({known});"
        );
        transaction.batch_execute(&mark).map_err(|e| failure(&e))?;
    }
    transaction.commit().map_err(|e| failure(&e))
}

/// The version of the schema, 0 for an empty database.
fn version(transaction: &mut Transaction<'_>) -> Result<i64> {
    let mut number = |sql: &str| {
        let row = transaction.query_one(sql, &[]).map_err(|e| failure(&e))?;
        row.try_get::<_, i64>(0).map_err(|e| failure(&e))
    };
    if number(TABLES)? == 0 {
        Ok(0)
    } else if number("SELECT COUNT(to_regclass('towlineversion'))")? == 1 {
        number("SELECT VersionId FROM TowlineVersion")
    } else {
        let text = "the database holds tables of another program";
        Err(CatalogError::new(CatalogErrorKind::Unsuitable, text))
    }
}
