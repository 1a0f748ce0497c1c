//! The schema and its versions. A step, once released, is never changed: a new one is added.

use rusqlite::{Connection, TransactionBehavior};
use towline_core::catalog::{CatalogError, CatalogErrorKind};

use super::failure;

/// `TwLn`: tells a catalog from any other SQLite file.
pub(in crate::catalog) const APPLICATION_ID: i32 = 0x5477_4c6e;

/// What brings version n to n + 1.
pub(super) const STEPS: &[&str] = &[
    include_str!("../schema/sqlite/0001.sql"),
    include_str!("../schema/sqlite/0002.sql"),
    include_str!("../schema/sqlite/0003.sql"),
    include_str!("../schema/sqlite/0004.sql"),
    include_str!("../schema/sqlite/0005.sql"),
];

/// Brings a database to the newest version, all steps in one transaction.
///
/// # Errors
/// `NewerSchema` if a newer program wrote it; `Unavailable` if it is another program's; what SQLite says otherwise.
pub(super) fn migrate(connection: &mut Connection, steps: &[&str]) -> Result<(), CatalogError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|e| failure(&e))?;
    let number = |sql: &str| transaction.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|e| failure(&e));
    let found = if number("SELECT COUNT(*) FROM sqlite_schema")? == 0 {
        0
    } else if number("PRAGMA application_id")? == i64::from(APPLICATION_ID) {
        number("SELECT VersionId FROM Version")?
    } else {
        return Err(CatalogError::new(CatalogErrorKind::Unavailable, "the file is another program's database"));
    };
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    if found > known {
        let text = format!("the catalog has schema version {found}, this program knows {known}");
        return Err(CatalogError::new(CatalogErrorKind::NewerSchema, text));
    }
    for step in steps.iter().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.execute_batch(step).map_err(|e| failure(&e))?;
    }
    if found < known {
        let mark = format!(
            "PRAGMA application_id = {APPLICATION_ID}; CREATE TABLE IF NOT EXISTS Version (VersionId INTEGER NOT NULL);
             DELETE FROM Version; INSERT INTO Version VALUES ({known});"
        );
        transaction.execute_batch(&mark).map_err(|e| failure(&e))?;
    }
    transaction.commit().map_err(|e| failure(&e))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "CREATE TABLE A (x INTEGER); INSERT INTO A VALUES (7);";
    const SECOND: &str = "ALTER TABLE A ADD COLUMN y INTEGER NOT NULL DEFAULT 1;";

    fn number(connection: &Connection, sql: &str) -> i64 {
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn an_older_catalog_gets_the_missing_steps_and_keeps_its_rows() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &[FIRST]).unwrap();
        migrate(&mut connection, &[FIRST]).unwrap();
        migrate(&mut connection, &[FIRST, SECOND]).unwrap();
        assert_eq!(number(&connection, "SELECT x + y FROM A"), 8);
        assert_eq!(number(&connection, "SELECT VersionId FROM Version"), 2);
    }

    #[test]
    fn a_step_that_fails_leaves_the_old_version_whole() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &[FIRST]).unwrap();
        assert!(migrate(&mut connection, &[FIRST, SECOND, "CREATE TABLE A (x)"]).is_err());
        assert_eq!(number(&connection, "SELECT COUNT(*) FROM pragma_table_info('A')"), 1);
        assert_eq!(number(&connection, "SELECT VersionId FROM Version"), 1);
    }

    #[test]
    fn a_newer_catalog_is_refused_and_not_touched() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &[FIRST, SECOND]).unwrap();
        let refused = migrate(&mut connection, &[FIRST]).unwrap_err();
        assert_eq!(refused.kind, CatalogErrorKind::NewerSchema);
        assert!(refused.text.contains("version 2") && refused.text.contains("knows 1"), "{refused}");
        assert_eq!(number(&connection, "SELECT VersionId FROM Version"), 2);
    }

    #[test]
    fn another_programs_database_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE songs (title TEXT)").unwrap();
        assert_eq!(migrate(&mut connection, STEPS).unwrap_err().kind, CatalogErrorKind::Unavailable);
        assert_eq!(number(&connection, "SELECT COUNT(*) FROM sqlite_schema"), 1);
    }
}
