//! The schema and its versions on the server. A step, once released, is never changed: a new one is added.

use tokio_postgres::error::SqlState;
use towline_core::catalog::{CatalogError, CatalogErrorKind};

use super::super::sql::Result;
use super::failure::failure;
use super::link::{Ask as _, Client, Transaction};

/// The one version of Bareos' schema whose rows are copied: that of its versions 25 and 26.
const THEIR_VERSION: i64 = 2250;
/// Copies them from the schema `theirs`.
const TAKE_OVER: &str = include_str!("../schema/postgres/take_over_2250.sql");
/// Where our tables stand in a database of Bareos: beside its own. A schema with the name of a role would come first for that
/// role, for a director of Bareos too: this is nobody's.
const BESIDE: &str = "towline_catalog";

/// What brings version n to n + 1.
pub(super) const STEPS: &[&str] = &[
    include_str!("../schema/postgres/0001.sql"),
    include_str!("../schema/postgres/0002.sql"),
    include_str!("../schema/postgres/0003.sql"),
    include_str!("../schema/postgres/0004.sql"),
    include_str!("../schema/postgres/0005.sql"),
];

/// `TwLn`: whoever migrates holds this lock.
const LOCK: &str = "SELECT pg_advisory_xact_lock(1417104494)";
/// All that somebody has made in the schema we are in.
const TABLES: &str = "SELECT COUNT(*) FROM pg_class
     WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND relnamespace = current_schema()::regnamespace";

/// Brings a database to the newest version, all steps in one transaction. A database of Bareos gets a schema of our own
/// beside its tables, into which its rows are copied, once; later it is found there.
///
/// # Errors
/// `NewerSchema` if a newer program wrote it; `Unsuitable` if it is another program's; `ForeignVersion` or `NoRoomBeside` if
/// it is Bareos' and cannot be taken over; what the server says otherwise.
pub(super) fn migrate(client: &mut Client, steps: &[&str]) -> Result<()> {
    let transaction = client.transaction().map_err(|e| failure(&e))?;
    transaction.batch_execute(LOCK).map_err(|e| failure(&e))?;
    let theirs = beside(&transaction)?;
    let found = version(&transaction)?;
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
    if let Some(theirs) = theirs.filter(|_| found == 0) {
        take_over(&transaction, &theirs)?;
    }
    transaction.commit().map_err(|e| failure(&e))
}

/// Goes to our schema beside Bareos' tables if those are what the database holds, and returns the name of theirs.
fn beside(transaction: &Transaction<'_>) -> Result<Option<String>> {
    if number(transaction, THEIRS)? == 0 {
        return Ok(None);
    }
    let schema = "SELECT relnamespace::regnamespace::TEXT FROM pg_class WHERE oid = to_regclass('pathhierarchy')";
    let row = transaction.query_one(schema, &[]).map_err(|e| failure(&e))?;
    let theirs: String = row.try_get(0).map_err(|e| failure(&e))?;
    if number(transaction, &format!("SELECT COUNT(to_regnamespace('{BESIDE}'))"))? == 0 {
        let version = number(transaction, "SELECT MAX(VersionId)::BIGINT FROM Version")?;
        if version != THEIR_VERSION {
            let text = format!("the database holds a catalog of Bareos with schema version {version}");
            return Err(CatalogError::new(CatalogErrorKind::ForeignVersion, text));
        }
        transaction.batch_execute(&format!("CREATE SCHEMA {BESIDE}")).map_err(|error| {
            if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
                let text = "the database holds a catalog of Bareos, and this role may make no schema beside it";
                CatalogError::new(CatalogErrorKind::NoRoomBeside, text)
            } else {
                failure(&error)
            }
        })?;
    }
    // For the whole connection, once this is committed.
    transaction.batch_execute(&format!("SET search_path TO {BESIDE}")).map_err(|e| failure(&e))?;
    Ok(Some(theirs))
}

/// Copies what Bareos has into our empty tables. Its times are those of its director's zone, which is this machine's.
fn take_over(transaction: &Transaction<'_>, theirs: &str) -> Result<()> {
    if let Some(zone) = jiff::tz::TimeZone::system().iana_name() {
        let set = "SELECT set_config('TimeZone', name, true) FROM pg_timezone_names WHERE name = $1";
        transaction.execute(set, &[&zone]).map_err(|e| failure(&e))?;
    }
    transaction.batch_execute(&TAKE_OVER.replace("theirs.", &format!("{theirs}."))).map_err(|e| failure(&e))?;
    let jobs = number(transaction, "SELECT COUNT(*) FROM Job")?;
    let volumes = number(transaction, "SELECT COUNT(*) FROM Media")?;
    tracing::info!("took over the catalog of Bareos: {jobs} jobs, {volumes} volumes; its own tables stay as they are");
    Ok(())
}

/// 1 if the tables of Bareos are here.
const THEIRS: &str = "SELECT (COUNT(to_regclass('version')) + COUNT(to_regclass('pathhierarchy'))
    + COUNT(to_regclass('basefiles')) + COUNT(to_regclass('jobmedia'))) / 4";
/// How the text of the database is encoded. Bareos takes any bytes; with tables of our own beside it that does no harm.
const IS_UTF8: &str = "SELECT COUNT(*) FROM pg_database WHERE datname = current_database()
    AND (pg_encoding_to_char(encoding) = 'UTF8' OR current_schema() = 'towline_catalog')";

fn number(transaction: &Transaction<'_>, sql: &str) -> Result<i64> {
    let row = transaction.query_one(sql, &[]).map_err(|e| failure(&e))?;
    row.try_get::<_, i64>(0).map_err(|e| failure(&e))
}

/// The version of the schema, 0 for an empty database.
fn version(transaction: &Transaction<'_>) -> Result<i64> {
    let number = |sql: &str| number(transaction, sql);
    if number(IS_UTF8)? == 0 {
        let text = "the database is encoded in SQL_ASCII";
        return Err(CatalogError::new(CatalogErrorKind::Unsuitable, text));
    }
    if number(TABLES)? == 0 {
        Ok(0)
    } else if number("SELECT COUNT(to_regclass('towlineversion'))")? == 1 {
        number("SELECT VersionId FROM TowlineVersion")
    } else {
        let text = "the database holds tables of another program";
        Err(CatalogError::new(CatalogErrorKind::Unsuitable, text))
    }
}
