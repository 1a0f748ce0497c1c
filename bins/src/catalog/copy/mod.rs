//! `towline catalog`: a copy of a catalog while jobs run, and a catalog made again from one.
//!
//! A copy of a SQLite catalog is a SQLite file; that of a catalog in PostgreSQL is a file of our own.

mod sqlite;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command, value_parser};
use towline_core::catalog::CatalogError;
use towline_core::config::{Catalog as Where, DirectorConfig};
use towline_core::error::{Code, Explain as _};
use towline_core::explain::page;
use towline_core::printable;
use towline_core::quantity::counted;

#[cfg(feature = "postgres")]
use super::postgres::copy as postgres;
use crate::config::{EXIT_CONFIG, Loaded, load};
use crate::daemon::director::DirectorDaemon;
#[cfg(feature = "postgres")]
use crate::daemon::director::placed;
use crate::daemon::{Daemon as _, say};

/// A copy cannot be made or brought back.
const FAILED: Code = Code(639);
/// The exit code then.
const EXIT_FAILED: u8 = 2;
/// What a SQLite file begins with.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// The subcommand.
#[must_use]
pub fn command() -> Command {
    let config = || {
        Arg::new("config")
            .short('c')
            .long("config")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .default_value(DirectorDaemon::FILE)
            .help("The director's configuration, which says where the catalog is")
    };
    let name = || {
        Arg::new("catalog").long("catalog").value_name("NAME").help(
            "Of a director with several catalogs the one that is meant; without it, the one of whatever names none",
        )
    };
    let file = |help: &'static str| {
        Arg::new("file").value_name("FILE").value_parser(value_parser!(PathBuf)).required(true).help(help)
    };
    Command::new("catalog")
        .about("Copies a catalog while jobs run, and makes one again from a copy")
        .after_help(
            "towline catalog backup /var/backups/catalog\n\
             towline catalog restore /var/backups/catalog\n\n\
             Where there is no copy, towline volume scan makes the catalog again from the volumes.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("backup")
                .about("Writes a copy of the catalog, as it is at one moment, into a file for this user only")
                .after_help("Jobs may run. A file of this name is replaced once the copy is complete.")
                .arg(file("Where the copy goes"))
                .arg(config())
                .arg(name()),
        )
        .subcommand(
            Command::new("restore")
                .about("Makes the catalog again from a copy")
                .after_help(
                    "The director must not run. A catalog that holds jobs is never replaced: move it away, or name an empty \
                     database.",
                )
                .arg(file("The copy"))
                .arg(config())
                .arg(name()),
        )
}

/// The catalog of the configuration that is meant: the one of this name, else the one of whatever names none.
///
/// # Errors
/// There is none of this name; says which there are.
pub(crate) fn chosen<'c>(config: &'c DirectorConfig, name: Option<&str>) -> Result<&'c Where, String> {
    let Some(name) = name else { return Ok(&config.catalog) };
    config.catalog(name).ok_or_else(|| {
        let names: Vec<&str> = config.all_catalogs().map(Where::name).collect();
        format!("there is no catalog {name:?}; there are: {}", names.join(", "))
    })
}

/// Does what was asked for: 0 if it is done, 2 if nothing was changed.
#[must_use]
pub fn run(matches: &ArgMatches) -> ExitCode {
    let Some((word @ ("backup" | "restore"), matches)) = matches.subcommand() else { return ExitCode::FAILURE };
    let path = |name: &str| matches.get_one::<PathBuf>(name).cloned().unwrap_or_default();
    let complain = |text: &str| eprint(&format!("towline catalog {word}: {}", text.trim_end()));
    let loaded = match load::<DirectorConfig>(&path("config")) {
        Ok(loaded) => loaded,
        Err(report) => {
            complain(&report.render(false));
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    let place = match chosen(&loaded.config, matches.get_one::<String>("catalog").map(String::as_str)) {
        Ok(place) => place,
        Err(text) => {
            complain(&text);
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    let work = if word == "backup" { backup } else { restore };
    let done = work(&loaded, place, &path("file"));
    match done {
        Ok(text) => {
            say(&format!("{text}\n"));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            complain(&failure.line());
            ExitCode::from(EXIT_FAILED)
        }
    }
}

/// Why it was not done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something about the copy or the place for it.
    Copy(String),
    /// The catalog has failed.
    Catalog(CatalogError),
    /// The director, or another program, has the catalog.
    Held(String),
}

impl Failure {
    fn line(&self) -> String {
        match self {
            Self::Copy(text) => {
                let remedy = page(FAILED).map_or("", |page| page.remedy);
                printable::line(&format!("{text} ({FAILED}). {remedy}")).into_owned()
            }
            Self::Catalog(error) => {
                printable::line(&format!("{error} ({}). {}", error.code(), error.help())).into_owned()
            }
            Self::Held(text) => text.clone(),
        }
    }

    pub(super) fn of(path: &Path, error: &io::Error) -> Self {
        Self::Copy(format!("{}: {error}", path.display()))
    }
}

impl From<CatalogError> for Failure {
    fn from(error: CatalogError) -> Self {
        Self::Catalog(error)
    }
}

fn eprint(text: &str) {
    use std::io::Write as _;
    let _closed = writeln!(io::stderr(), "{text}");
}

/// Writes a copy; what was done as a sentence.
fn backup(loaded: &Loaded<DirectorConfig>, place: &Where, file: &Path) -> Result<String, Failure> {
    let part = beside(file, ".part");
    // What a copy that was broken off has left.
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Failure::of(&part, &error)),
        _ => {}
    }
    let jobs = match place {
        Where::Sqlite(place) => sqlite::backup(&loaded.resolve(&place.path), &part),
        #[cfg(feature = "postgres")]
        Where::Postgres(server) => postgres::backup(&placed(loaded, server), &part),
        _ => Err(Failure::Copy("this program is built without the engine for this catalog".to_owned())),
    };
    let placed = jobs.and_then(|jobs| {
        let synced = File::open(&part).and_then(|copy| copy.sync_all()).and_then(|()| fs::rename(&part, file));
        synced.and_then(|()| sync_folder(file)).map(|()| jobs).map_err(|error| Failure::of(file, &error))
    });
    if placed.is_err() {
        // The first error is the one that counts.
        let _gone = fs::remove_file(&part);
    }
    let (jobs, bytes) = (placed?, fs::metadata(file).map_or(0, |there| there.len()));
    Ok(format!("{} in {}, {bytes} bytes", counted(jobs, "job"), file.display()))
}

/// Makes the catalog again; what was done as a sentence.
fn restore(loaded: &Loaded<DirectorConfig>, place: &Where, file: &Path) -> Result<String, Failure> {
    let mut head = Vec::new();
    let read = File::open(file).and_then(|copy| copy.take(SQLITE.len() as u64).read_to_end(&mut head));
    read.map_err(|error| Failure::of(file, &error))?;
    let is_sqlite = head == SQLITE;
    let jobs = match place {
        Where::Sqlite(place) if is_sqlite => sqlite::restore(&loaded.resolve(&place.path), file)?,
        #[cfg(feature = "postgres")]
        Where::Postgres(server) if postgres::is_copy(&head) => postgres::restore(&placed(loaded, server), file)?,
        Where::Sqlite(_) => {
            return Err(Failure::Copy(format!("{} is no copy of a SQLite catalog", file.display())));
        }
        _ => {
            return Err(Failure::Copy(format!("{} is no copy of a catalog in PostgreSQL", file.display())));
        }
    };
    Ok(format!("{} in the catalog again", counted(jobs, "job")))
}

/// A file that only this user may read; there must be none.
pub(super) fn private(path: &Path) -> Result<File, Failure> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map_err(|error| Failure::of(path, &error))
}

fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// The name of a file is safe only once its folder is.
fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    crate::fresh::sync_folder(folder)
}
