//! `towline volume scan`: a catalog made again from volumes, or completed from them.
//!
//! ```text
//!   numbers.rs  which number and place each job has, and whether the catalog agrees
//!   store.rs    clients, filesets, pools and volumes: what the labels and the director's configuration say of them
//!   files.rs    the files and pieces of one job, as they are read
//! ```

mod files;
mod numbers;
mod place;
mod store;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command, value_parser};
use towline_core::catalog::{CatalogError, CatalogErrorKind};
use towline_core::config::{Catalog as Where, DirectorConfig};
use towline_core::error::{Code, Explain as _};
use towline_core::quantity::counted;

use super::report::{FAILED, Finding, Report};
use super::{Asked, ask, paths_argument, stores_argument};
#[cfg(feature = "postgres")]
use crate::catalog::PostgresCatalog;
use crate::catalog::SqliteCatalog;
use crate::catalog::copy::chosen;
use crate::catalog::rebuild::Rebuild;
use crate::config::{EXIT_CONFIG, Loaded, load};
#[cfg(feature = "postgres")]
use crate::daemon::director::placed;
use crate::daemon::director::{DirectorDaemon, own_catalog, own_file};
use crate::daemon::{Daemon as _, StartError, say};
use crate::ownership::Ownership;
use store::Terms;

/// The catalog has other jobs.
const DISAGREES: Code = Code(636);

pub(super) fn command() -> Command {
    let file = |name: &'static str| Arg::new(name).long(name).value_name("FILE").value_parser(value_parser!(PathBuf));
    Command::new("scan")
        .about("Makes a catalog again from volumes, or adds to one what it lacks")
        .after_help(
            "towline volume scan --config /etc/towline/director.ron /var/lib/towline/volumes\n\
             towline volume scan --catalog /tmp/new.sqlite /var/lib/towline/volumes\n\n\
             The director must not run. Jobs keep their numbers; jobs, files, volumes, pools, clients and filesets that the \
             catalog has stay as they are, so that a scan can be done again. With the configuration volumes get the limits \
             and retentions of their pools; without, they are never used again. Reports of jobs are not on volumes. Of a \
             director with several catalogs only what lies in pools of the one that is meant is put into it.",
        )
        .arg(paths_argument())
        .arg(stores_argument())
        .arg(
            file("config")
                .short('c')
                .help("The director's configuration, which says where the catalog is")
                .default_value(DirectorDaemon::FILE),
        )
        .arg(file("catalog").help("A SQLite file instead of the catalog of the configuration; made if it is not there"))
        .arg(
            Arg::new("into")
                .long("into")
                .value_name("NAME")
                .conflicts_with("catalog")
                .help("Of a director with several catalogs the one that is meant; without it, the one of whatever names none"),
        )
        .arg(
            Arg::new("storage")
                .long("storage")
                .value_name("NAME")
                .help("The director's storage that has the volumes, where the configuration leaves a choice"),
        )
}

pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    // A catalog is only made if there is something to put into it.
    let Asked { shelf, jobs, mut report } = match ask("volume scan", matches) {
        Ok(asked) => asked,
        Err(exit) => return exit,
    };
    let (loaded, mut opened) = match open(matches) {
        Ok(opened) => opened,
        Err(refused) => {
            report.refuse(&refused.text);
            return ExitCode::from(refused.exit);
        }
    };
    let storage = matches.get_one::<String>("storage").map(String::as_str);
    let terms = Terms::new(loaded.as_ref().map(|loaded| &loaded.config), storage).into_one(opened.name.as_deref());
    let (jobs, others): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| terms.is_of_catalog(&pool_of(job)));
    if !others.is_empty() {
        report.say(&format!("{} jobs are left out: their pools are those of another catalog", others.len()));
    }
    match scan(opened.catalog.as_mut(), &shelf, &jobs, &terms, &mut report) {
        Ok(done) => {
            say(&format!("{done}\n"));
            report.exit()
        }
        Err(Refused::Disagrees(text)) => report.fail(DISAGREES, &text),
        Err(Refused::Catalog(error)) => {
            report.say(&format!("{error} ({}). {}", error.code(), error.help()));
            ExitCode::from(FAILED)
        }
    }
}

/// Why nothing more is stored.
#[derive(Debug)]
enum Refused {
    /// The catalog has other jobs than the volumes. Nothing was stored.
    Disagrees(String),
    /// The catalog has failed.
    Catalog(CatalogError),
}

impl From<CatalogError> for Refused {
    fn from(error: CatalogError) -> Self {
        Self::Catalog(error)
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Done {
    jobs: u32,
    added: u32,
    files: u64,
    volumes: u32,
    placed: u32,
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { jobs, added, files, volumes, placed } = self;
        let [jobs, volumes] = [(jobs, "job"), (volumes, "new volume")].map(|(number, one)| counted(*number, one));
        write!(f, "{jobs}, {added} of them new, with {}; {volumes}", counted(*files, "file"))?;
        if *placed > 0 {
            write!(f, "; {placed} jobs hold older files than jobs before them, and stand where those files belong")?;
        }
        Ok(())
    }
}

/// Puts what is on the shelf into the catalog.
///
/// # Errors
/// The catalog has other jobs, and nothing was stored; or it has failed, and can be scanned into again.
fn scan(
    catalog: &mut dyn Rebuild,
    shelf: &super::shelf::Shelf,
    jobs: &[super::jobs::Job],
    terms: &Terms<'_>,
    report: &mut Report,
) -> Result<Done, Refused> {
    let known = numbers::Known::of(catalog)?;
    let numbered = numbers::numbered(jobs, &known).map_err(Refused::Disagrees)?;
    let mut done = Done::default();
    let volumes = store::volumes(catalog, shelf, jobs, terms, known.is_empty(), &mut done.volumes)?;
    let mut newest = Vec::new();
    for numbered in &numbered {
        let Some(job) = jobs.get(numbered.job) else { continue };
        done.jobs += 1;
        let row = store::job(catalog, job, numbered, terms)?;
        done.added += u32::from(numbered.is_new());
        let mut files = files::Files::new(catalog, row.job_id);
        if let Err(error) = super::pass::read(shelf, job, &mut files, report) {
            report.add(Finding::Lost { job: job.name(), what: error.to_string() });
        }
        let read = files.finish(&volumes, &row)?;
        store::complete(catalog, &row, job, numbered)?;
        done.files += read.files;
        newest.push((row, read.newest));
    }
    done.placed = place::all(catalog, &newest)?;
    Ok(done)
}

/// The pool that the label of a job names.
fn pool_of(job: &super::jobs::Job) -> String {
    job.label.as_ref().map_or_else(String::new, |label| String::from_utf8_lossy(&label.pool).into_owned())
}

/// A catalog that is open, and the right to it.
struct Opened {
    /// Its name in the configuration, if it is one of that.
    name: Option<String>,
    catalog: Box<dyn Rebuild>,
    _ownership: Option<Ownership>,
}

/// Opens the catalog that is meant, with the configuration if one is read.
fn open(matches: &ArgMatches) -> Result<(Option<Loaded<DirectorConfig>>, Opened), StartError> {
    use clap::parser::ValueSource;
    let is_named = matches.value_source("config") == Some(ValueSource::CommandLine);
    let file = matches.get_one::<PathBuf>("catalog");
    let config = matches.get_one::<PathBuf>("config").filter(|_| is_named || file.is_none());
    let refused = |report: crate::config::Report| StartError { text: report.render(false), exit: EXIT_CONFIG };
    let loaded = config.map(|config| load::<DirectorConfig>(config)).transpose().map_err(refused)?;
    let opened = match (file, &loaded) {
        (Some(file), _) => sqlite(file, own_file(file).map(Some)?)?,
        (None, Some(loaded)) => of_config(loaded, matches.get_one::<String>("into").map(String::as_str))?,
        (None, None) => return Err(StartError { text: "no catalog is named".to_owned(), exit: EXIT_CONFIG }),
    };
    Ok((loaded, opened))
}

fn of_config(loaded: &Loaded<DirectorConfig>, name: Option<&str>) -> Result<Opened, StartError> {
    let place = chosen(&loaded.config, name).map_err(|text| StartError { text, exit: EXIT_CONFIG })?;
    let ownership = own_catalog(loaded, place)?;
    let opened = match place {
        Where::Sqlite(place) => sqlite(&loaded.resolve(&place.path), ownership)?,
        #[cfg(feature = "postgres")]
        Where::Postgres(server) => {
            let catalog = PostgresCatalog::open_as_owner(&placed(loaded, server)).map_err(|error| unusable(&error))?;
            Opened { name: None, catalog: Box::new(catalog), _ownership: ownership }
        }
        _ => {
            return Err(unusable(&CatalogError::new(
                CatalogErrorKind::Unsuitable,
                "this program is built without the engine for this catalog",
            )));
        }
    };
    Ok(Opened { name: Some(place.name().to_owned()), ..opened })
}

fn sqlite(file: &Path, ownership: Option<Ownership>) -> Result<Opened, StartError> {
    let catalog = SqliteCatalog::open(file).map_err(|error| unusable(&error))?;
    Ok(Opened { name: None, catalog: Box::new(catalog), _ownership: ownership })
}

fn unusable(error: &CatalogError) -> StartError {
    StartError { text: format!("{error} ({}). {}", error.code(), error.help()), exit: FAILED }
}
