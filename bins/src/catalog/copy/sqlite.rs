//! Copies of a SQLite catalog.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use towline_core::catalog::{CatalogError, CatalogErrorKind};

use super::super::SqliteCatalog;
use super::super::sqlite::{self, APPLICATION_ID};
use super::{Failure, beside, private, sync_folder};
use crate::daemon::director::own_file;

/// How long another program may have the file.
const PATIENCE: Duration = Duration::from_secs(30);

/// Copies the catalog as it is in one transaction of its own; whoever writes is not held up. Returns how many jobs are in the
/// copy.
pub(super) fn backup(catalog: &Path, copy: &Path) -> Result<u64, Failure> {
    if !catalog.exists() {
        return Err(Failure::Copy(format!("there is no catalog {}", catalog.display())));
    }
    // Made before, so that nobody else can read it.
    drop(private(copy)?);
    let source = open(catalog)?;
    let target = copy.to_str().ok_or_else(|| Failure::Copy(format!("{} is no text", copy.display())))?;
    source.execute("VACUUM INTO ?1", [target]).map_err(|error| named(copy, &error))?;
    look(copy)
}

/// Puts a copy in the place of the catalog. Returns how many jobs are in it.
pub(super) fn restore(catalog: &Path, copy: &Path) -> Result<u64, Failure> {
    let jobs = look(copy)?;
    let _ownership = own_file(catalog).map_err(|error| Failure::Held(error.text))?;
    let is_there = fs::metadata(catalog).is_ok_and(|there| there.len() > 0);
    if is_there {
        let there = count(&open(catalog)?).map_err(|error| named(catalog, &error))?;
        if there > 0 {
            return Err(Failure::Copy(format!("{} holds {there} jobs", catalog.display())));
        }
    }
    let part = beside(catalog, ".part");
    let placed = place(copy, &part, catalog);
    if placed.is_err() {
        // The first error is the one that counts.
        let _gone = fs::remove_file(&part);
    }
    placed.map_err(|error| Failure::of(catalog, &error))?;
    // Brings an older copy to this version's schema.
    SqliteCatalog::open(catalog)?;
    Ok(jobs)
}

/// The journal of a catalog without jobs must not be taken for that of the copy.
fn place(copy: &Path, part: &Path, catalog: &Path) -> io::Result<()> {
    match fs::remove_file(part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    {
        let mut into = private(part).map_err(|_| io::Error::other(format!("cannot make {}", part.display())))?;
        io::copy(&mut File::open(copy)?, &mut into)?;
        into.sync_all()?;
    }
    for end in ["-wal", "-shm", "-journal"] {
        match fs::remove_file(beside(catalog, end)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(part, catalog)?;
    sync_folder(catalog)
}

fn open(file: &Path) -> Result<Connection, Failure> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let connection = connection.map_err(|error| named(file, &error))?;
    connection.busy_timeout(PATIENCE).map_err(|error| named(file, &error))?;
    Ok(connection)
}

/// Whether a file is a whole catalog of a version that is known; how many jobs are in it.
fn look(file: &Path) -> Result<u64, Failure> {
    let connection = open(file)?;
    let ask =
        |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|error| named(file, &error));
    if ask("PRAGMA application_id")? != i64::from(APPLICATION_ID) {
        return Err(Failure::Copy(format!("{} is another program's database", file.display())));
    }
    let sound: String =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(|error| named(file, &error))?;
    if sound != "ok" {
        return Err(Failure::Copy(format!("{} is damaged: {sound}", file.display())));
    }
    let (version, known) = (ask("SELECT VersionId FROM Version")?, sqlite::version());
    if version > known {
        let text = format!("{} has schema version {version}, this program knows {known}", file.display());
        return Err(CatalogError::new(CatalogErrorKind::NewerSchema, text).into());
    }
    count(&connection).map_err(|error| named(file, &error))
}

fn count(connection: &Connection) -> rusqlite::Result<u64> {
    let jobs: i64 = connection.query_row("SELECT COUNT(*) FROM Job", [], |row| row.get(0))?;
    Ok(u64::try_from(jobs).unwrap_or(0))
}

fn named(file: &Path, error: &rusqlite::Error) -> Failure {
    Failure::Copy(format!("{}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn with_jobs(file: &Path, jobs: u32) {
        drop(SqliteCatalog::open(file).unwrap());
        let connection = Connection::open(file).unwrap();
        for job in 0..jobs {
            let sql = "INSERT INTO Job (Job, Name, Type, Level, JobStatus) VALUES (?1, 'n', 'B', 'F', 'T')";
            connection.execute(sql, [format!("n.{job}")]).unwrap();
        }
    }

    #[test]
    fn a_copy_is_made_while_others_write_and_becomes_the_catalog_again() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        with_jobs(&at("catalog.sqlite"), 3);
        // Somebody in the middle of a transaction, and one before it not yet in the file itself.
        let writer = Connection::open(at("catalog.sqlite")).unwrap();
        writer.execute_batch("BEGIN IMMEDIATE; DELETE FROM Job WHERE JobId = 1;").unwrap();
        assert_eq!(backup(&at("catalog.sqlite"), &at("copy")).unwrap(), 3);
        writer.execute_batch("COMMIT").unwrap();
        assert_eq!(fs::metadata(at("copy")).unwrap().permissions().mode() & 0o777, 0o600);
        let refused = restore(&at("catalog.sqlite"), &at("copy")).unwrap_err();
        assert!(matches!(&refused, Failure::Copy(text) if text.ends_with("holds 2 jobs")), "{refused:?}");
        assert_eq!(restore(&at("new.sqlite"), &at("copy")).unwrap(), 3);
        with_jobs(&at("empty.sqlite"), 0);
        assert_eq!(restore(&at("empty.sqlite"), &at("copy")).unwrap(), 3);
        assert_eq!(look(&at("empty.sqlite")).unwrap(), 3);
        assert_eq!(fs::metadata(at("empty.sqlite")).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_is_no_whole_copy_is_refused_and_nothing_is_changed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        with_jobs(&at("catalog.sqlite"), 2);
        backup(&at("catalog.sqlite"), &at("copy")).unwrap();
        let whole = fs::read(at("copy")).unwrap();
        fs::write(at("cut"), &whole[..whole.len() / 2]).unwrap();
        Connection::open(at("songs")).unwrap().execute_batch("CREATE TABLE songs (title TEXT)").unwrap();
        fs::write(at("letter"), "Dear Sir").unwrap();
        for bad in ["cut", "songs", "letter", "missing"] {
            assert!(restore(&at("new.sqlite"), &at(bad)).is_err(), "{bad}");
            assert!(!at("new.sqlite").exists(), "{bad}");
        }
        Connection::open(at("copy")).unwrap().execute_batch("UPDATE Version SET VersionId = 900").unwrap();
        let refused = restore(&at("new.sqlite"), &at("copy")).unwrap_err();
        let is_newer = |error: &CatalogError| error.kind == CatalogErrorKind::NewerSchema;
        assert!(matches!(&refused, Failure::Catalog(error) if is_newer(error)), "{refused:?}");
        assert!(backup(&at("none.sqlite"), &at("other")).is_err() && !at("none.sqlite").exists());
    }
}
