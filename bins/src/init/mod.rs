//! `towline init`: the configurations of a whole backup network on this machine, with fresh passwords, ready to start.
//!
//! ```text
//!   the machine: name, address, file systems ─┐
//!   the command line ─────────────────────────┴─► Site ─► a text for each program ─► read and checked ─► files, 0600
//! ```
//! `site.rs` holds what all the texts have in common, `director.rs` and `others.rs` are the texts, `certificates.rs` makes an
//! authority, `bareos.rs` writes the same in Bareos' syntax.

mod bareos;
pub(crate) mod certificates;
mod director;
pub(crate) mod machine;
mod others;
mod site;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use towline_core::config::{ConsoleConfig, DirectorConfig, FileConfig, StorageConfig, TrayConfig};

use crate::config::{Configured, EXIT_CONFIG, built, parse};
use crate::daemon::say;
use crate::fresh::{private_file, private_folder, sync_folder};
use certificates::Authority;
use site::Site;

/// The exit status if a file cannot be made: `EX_CANTCREAT` of sysexits.
const EXIT_UNWRITTEN: u8 = 73;

/// Why nothing was made.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Usage(String),
    #[error("cannot make {path}: {error}", path = .0.display(), error = .1)]
    Unwritten(PathBuf, io::Error),
    #[error("{0}")]
    System(#[from] io::Error),
    #[error("cannot make certificates: {0}")]
    Certificates(#[from] rcgen::Error),
    #[error("a configuration of init itself is refused, please report it:\n{0}")]
    Bug(String),
}

/// The subcommand.
#[must_use]
pub fn command() -> Command {
    let text = |name: &'static str, value: &'static str| Arg::new(name).long(name).value_name(value);
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    Command::new("init")
        .about("Writes the configurations of a director, a storage daemon, a file daemon, a console and a tray monitor")
        .after_help(
            "towline init /etc/towline\n\
             towline init ~/backup --certificates\n\n\
             It asks nothing, writes over nothing, and prints what to do next. Every file has comments and fresh passwords, and is for \
             this user only. Ends with 0 if all is written, 2 or 78 if it was called wrongly, 73 if something cannot be written.",
        )
        .arg(
            Arg::new("dir")
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf))
                .required(true)
                .help("An empty or new folder for the configurations"),
        )
        .arg(
            text("data", "DIR")
                .value_parser(value_parser!(PathBuf))
                .help("Where the catalog and the volumes go: DIR/data, or /var/lib/towline if DIR is below /etc"),
        )
        .arg(text("name", "NAME").help("What the names of the daemons begin with: the name of this machine"))
        .arg(
            text("address", "ADDRESS")
                .help("Where other machines reach this one, a host name or an IP address: its own address"),
        )
        .arg(
            text("port", "PORT")
                .value_parser(value_parser!(u16).range(1..=65_533))
                .default_value("9101")
                .help("The director's port; the file daemon has the next one, the storage daemon the one after that"),
        )
        .arg(flag("certificates").help("Makes an authority and certificates, and protects connections with them"))
        .arg(flag("bareos").help("Writes Bareos' syntax, as trees of files with their names, and not RON"))
}

/// Writes them; see the help for the exit status.
#[must_use]
pub fn run(matches: &ArgMatches) -> ExitCode {
    match init(matches) {
        Ok(text) => {
            say(&text);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            let _closed = writeln!(io::stderr(), "towline init: {failure}");
            ExitCode::from(match failure {
                Failure::Usage(_) => EXIT_CONFIG,
                Failure::Unwritten(..) => EXIT_UNWRITTEN,
                _ => 1,
            })
        }
    }
}

fn init(matches: &ArgMatches) -> Result<String, Failure> {
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let given = |name: &str| matches.get_one::<PathBuf>(name).map(PathBuf::as_path);
    let folder = own_folder(given("dir").unwrap_or_else(|| Path::new(".")))?;
    let data = match given("data") {
        Some(data) => std::path::absolute(data)?,
        None if folder.starts_with("/etc") => PathBuf::from("/var/lib/towline"),
        None => folder.join("data"),
    };
    let port = matches.get_one::<u16>("port").copied().unwrap_or(9101);
    let name = machine::name_of(text("name")).map_err(Failure::Usage)?;
    let address = machine::address_of(text("address")).map_err(Failure::Usage)?;
    let is_conf = matches.get_flag("bareos");
    let site = Site::new((folder, data), (name, address), port, matches.get_flag("certificates"), is_conf)
        .map_err(Failure::Usage)?;
    make_folders(&site)?;
    if site.certificates {
        make_certificates(&site)?;
    }
    let left_out = if is_conf { bareos::write(&site)? } else { write(&site)? };
    sync_folder(&site.folder).map_err(|error| Failure::Unwritten(site.folder.clone(), error))?;
    Ok(next_steps(&site, &left_out))
}

/// Makes the folder if it is not there, and returns its name without links. One that holds something is refused.
fn own_folder(wanted: &Path) -> Result<PathBuf, Failure> {
    let unwritten = |error| Failure::Unwritten(wanted.to_owned(), error);
    private_folder(wanted).map_err(unwritten)?;
    let path = wanted.canonicalize().map_err(unwritten)?;
    if path.to_str().is_none_or(|text| text.contains(['\n', '"', '\'', '\\'])) {
        let text = format!("{} cannot be named in a configuration: name another folder", path.display());
        return Err(Failure::Usage(text));
    }
    if std::fs::read_dir(&path).map_err(unwritten)?.next().is_some() {
        let text =
            format!("{} is not empty, and init writes over nothing: name an empty or a new folder", path.display());
        return Err(Failure::Usage(text));
    }
    Ok(path)
}

fn make_folders(site: &Site) -> Result<(), Failure> {
    for folder in site.folders() {
        private_folder(&folder).map_err(|error| Failure::Unwritten(folder, error))?;
    }
    Ok(())
}

fn make_certificates(site: &Site) -> Result<(), Failure> {
    let folder = site.folder.join(certificates::FOLDER);
    let authority = Authority::make(&site.name, &folder)?;
    for role in certificates::ROLES {
        let names = [site.address.as_str(), site::LOCAL, "localhost", site.name.as_str()];
        let (certificate, key) = authority.certificate(&site.named(role), &names)?;
        for (end, text) in [("", certificate), ("-key", key)] {
            let file = folder.join(format!("{role}{end}.pem"));
            private_file(&file, &text).map_err(|error| Failure::Unwritten(file, error))?;
        }
    }
    Ok(())
}

/// Writes the RON of each program, once it is read and nothing is wrong with it.
fn write(site: &Site) -> Result<Vec<String>, Failure> {
    put::<DirectorConfig>(site, &director::text(site))?;
    put::<StorageConfig>(site, &others::storage(site))?;
    put::<FileConfig>(site, &others::file(site))?;
    put::<ConsoleConfig>(site, &others::console(site))?;
    put::<TrayConfig>(site, &others::tray(site))?;
    Ok(Vec::new())
}

fn put<T: Configured>(site: &Site, text: &str) -> Result<(), Failure> {
    let name = T::COMPONENT.ron();
    checked::<T>(name, text)?;
    let file = site.folder.join(name);
    private_file(&file, text).map_err(|error| Failure::Unwritten(file, error))
}

/// What a text says; warnings are refused too.
fn checked<T: Configured>(name: &str, text: &str) -> Result<T, Failure> {
    let (config, warnings) = parse::<T>(name, text, built()).map_err(|report| Failure::Bug(report.render(false)))?;
    if !warnings.is_empty() {
        return Err(Failure::Bug(warnings.render(false)));
    }
    Ok(config)
}

/// A path as it is typed into a shell: those with quotation marks have been refused.
fn typed(path: &str) -> String {
    let is_plain = path.chars().all(|c| c.is_alphanumeric() || "/._-+:@,".contains(c));
    if is_plain { path.to_owned() } else { format!("'{path}'") }
}

/// What a person is told to do next.
fn next_steps(site: &Site, left_out: &[String]) -> String {
    let folder = site.folder.display().to_string();
    let ron = |name: &str| if site.is_conf { typed(&folder) } else { typed(&format!("{folder}/{name}.ron")) };
    let is_alone = site.address == site::LOCAL;
    let reached = if is_alone { String::new() } else { format!(" Other machines reach this one at {}.", site.address) };
    let mut text = format!(
        "{folder} has the configurations of {dir}, {sd} and {fd}, with fresh passwords.\n\
         Volumes and the catalog go to {data}.{reached}\n\n\
         Start the daemons:\n  \
           towline-sd -c {storage}\n  \
           towline-fd -c {file}\n  \
           towline-dir -c {director}\n\
         Back this machine up and see how it went:\n  \
           printf 'run job={job} yes\\nwait\\nmessages\\n' | towline-console -c {console}\n\
         See whether all is well, at any time:\n  \
           towline check --config {at}\n\
         Add another machine, by its address or, if nobody can dial it, with --dials-in:\n  \
           towline client add NAME --address ADDRESS --config {at}\n",
        dir = site.named("dir"),
        sd = site.named("sd"),
        fd = site.named("fd"),
        data = site.data.display(),
        at = typed(&folder),
        storage = ron("storage-daemon"),
        file = ron("file-daemon"),
        director = ron("director"),
        console = ron("console"),
        job = site.name,
    );
    if is_alone {
        text +=
            "This machine has no address that others reach: name one with --address before other machines are added.\n";
    }
    for field in left_out {
        text += &format!("Left out, as Bareos has no directive for it: {field}\n");
    }
    text
}
