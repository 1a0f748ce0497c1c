//! `towline catalog backup`: a copy of a SQLite catalog that is of one moment, whatever its director does meanwhile.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command, value_parser};
use rusqlite::{Connection, OpenFlags};
use towline_core::config::{Catalog, DirectorConfig};

use crate::config::{EXIT_CONFIG, load};
use crate::daemon::Daemon as _;
use crate::daemon::director::DirectorDaemon;

/// The exit status if the copy cannot be made: `EX_CANTCREAT` of sysexits.
const EXIT_UNWRITTEN: u8 = 73;
/// How long the director may hold the catalog up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The subcommand.
#[must_use]
pub fn command() -> Command {
    let path = |name: &'static str| Arg::new(name).value_parser(value_parser!(PathBuf));
    let backup = Command::new("backup")
        .about("Writes a copy of a SQLite catalog, of one moment, while jobs run")
        .after_help("towline catalog backup /var/lib/towline/catalog-copy.sqlite --config /etc/towline/director.ron")
        .arg(
            path("file")
                .value_name("FILE")
                .required(true)
                .help("The copy; an earlier one is replaced once this is whole"),
        )
        .arg(
            path("config")
                .long("config")
                .value_name("FILE|FOLDER")
                .default_value(DirectorDaemon::FILE)
                .help("The director's configuration, which says where the catalog is"),
        );
    Command::new("catalog").about("Works on the catalog of a director").subcommand_required(true).subcommand(backup)
}

/// Copies; 0 if the copy is there, 73 if not, 78 if the configuration is wrong.
#[must_use]
pub fn run(matches: &ArgMatches) -> ExitCode {
    let Some(("backup", matches)) = matches.subcommand() else { return ExitCode::FAILURE };
    let path = |name: &str| matches.get_one::<PathBuf>(name).cloned().unwrap_or_default();
    let complain = |text: &str| {
        let _closed = writeln!(io::stderr(), "towline catalog: {}", text.trim_end());
    };
    let loaded = match load::<DirectorConfig>(&path("config")) {
        Ok(loaded) => loaded,
        Err(report) => {
            complain(&report.render(false));
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    let Catalog::Sqlite(sqlite) = &loaded.config.catalog else {
        complain("this catalog is on a server: make a copy with its own program, pg_dump");
        return ExitCode::from(EXIT_CONFIG);
    };
    match copy(&loaded.resolve(&sqlite.path), &path("file")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            complain(&text);
            ExitCode::from(EXIT_UNWRITTEN)
        }
    }
}

/// Copies a catalog. The copy is for this user only, and takes its name when it is whole.
fn copy(catalog: &Path, to: &Path) -> Result<(), String> {
    let unwritten = |error: io::Error| format!("cannot write {}: {error}", to.display());
    let mut beside = OsString::from(to);
    beside.push(".new");
    let beside = PathBuf::from(beside);
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unwritten(error)),
        _ => {}
    }
    let made = into(catalog, &beside).and_then(|()| {
        let synced = File::open(&beside).and_then(|file| file.sync_all()).and_then(|()| fs::rename(&beside, to));
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        synced.and_then(|()| File::open(folder)?.sync_all()).map_err(unwritten)
    });
    if made.is_err() {
        let _gone = fs::remove_file(&beside);
    }
    made
}

fn into(catalog: &Path, beside: &Path) -> Result<(), String> {
    // SQLite writes into an empty file that is there, and this one is for nobody else.
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(beside)
        .map_err(|error| format!("cannot write {}: {error}", beside.display()))?;
    let failed = |error: rusqlite::Error| format!("cannot copy {}: {error}", catalog.display());
    let connection = Connection::open_with_flags(catalog, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    let name = beside.to_str().ok_or_else(|| format!("{} is no UTF-8 text", beside.display()))?;
    connection.execute("VACUUM INTO ?1", [name]).map_err(failed).map(drop)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_copy_is_whole_private_and_replaces_the_one_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let (catalog, to) = (folder.path().join("catalog.sqlite"), folder.path().join("copy's.sqlite"));
        let connection = Connection::open(&catalog).unwrap();
        connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (n); INSERT INTO t VALUES (1)").unwrap();
        let count = || {
            let copy = Connection::open(&to).unwrap();
            copy.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)).unwrap()
        };
        copy(&catalog, &to).unwrap();
        assert_eq!(count(), 1);
        connection.execute("INSERT INTO t VALUES (2)", []).unwrap();
        // A transaction that has not ended is no part of it.
        connection.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (3)").unwrap();
        copy(&catalog, &to).unwrap();
        assert_eq!(count(), 2);
        assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
        let gone = folder.path().join("none.sqlite");
        assert!(copy(&gone, &to).unwrap_err().contains("none.sqlite"));
        assert!(!folder.path().join("copy's.sqlite.new").exists());
        assert_eq!(count(), 2);
    }
}
