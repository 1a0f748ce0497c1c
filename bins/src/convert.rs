//! `towline convert`: configurations from one syntax to the other.

use std::fs::DirBuilder;
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command, value_parser};
use towline_core::config::{ConsoleConfig, DirectorConfig, FileConfig, Passwords, StorageConfig, TrayConfig};
use towline_core::explain::codes;

use crate::config::{Configured, EXIT_CONFIG, Report, load, to_conf, write};
use crate::daemon::say;
use crate::fresh::private_file;

/// The programs, as `--kind` names them.
const KINDS: [&str; 5] = ["director", "storage", "file", "console", "tray"];

/// The subcommand.
#[must_use]
pub fn command() -> Command {
    let path = |name: &'static str| Arg::new(name).value_parser(value_parser!(PathBuf)).required(true);
    Command::new("convert")
        .about("Writes a configuration in the other syntax: RON or that of Bareos")
        .after_help(
            "towline convert /etc/bareos --out /etc/towline\n\
             towline convert director.ron --out /tmp/bareos\n\n\
             What is written has the passwords, is for this user only, and replaces nothing. Warnings go to standard error.",
        )
        .arg(path("path").value_name("FILE|FOLDER").help("The configuration of one program, or a folder with those of several"))
        .arg(path("out").long("out").value_name("FOLDER").help("Where the new files go"))
        .arg(
            Arg::new("to")
                .long("to")
                .value_parser(["ron", "conf"])
                .help("The new syntax; the other one unless this says otherwise"),
        )
        .arg(Arg::new("kind").long("kind").value_parser(KINDS).help("Whose configuration it is; all that fit are tried otherwise"))
}

/// Converts; 0 if something was written and nothing was left out, 1 if something was left out.
#[must_use]
pub fn run(matches: &ArgMatches) -> ExitCode {
    let path = |name: &str| matches.get_one::<PathBuf>(name).cloned().unwrap_or_default();
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    match convert(&path("path"), &path("out"), text("to"), text("kind")) {
        Ok(done) => {
            done.written.iter().for_each(|file| say(&format!("{}\n", file.display())));
            for field in &done.left_out {
                complain(&format!("{field} is left out: Bareos has no directive for it"));
            }
            ExitCode::from(u8::from(!done.left_out.is_empty()))
        }
        Err(text) => {
            complain(text.trim_end());
            ExitCode::from(EXIT_CONFIG)
        }
    }
}

fn complain(text: &str) {
    let _closed = writeln!(io::stderr(), "towline convert: {text}");
}

/// What was done.
#[derive(Debug, Default)]
struct Done {
    written: Vec<PathBuf>,
    left_out: Vec<String>,
}

/// Why one program's configuration was not converted.
enum Failure {
    /// It is none of this program.
    Another(Report),
    /// It could not be written.
    Unwritten(String),
}

fn convert(path: &Path, out: &Path, to: Option<&str>, kind: Option<&str>) -> Result<Done, String> {
    let mut done = Done::default();
    let mut reports = Vec::new();
    for known in KINDS.iter().filter(|known| kind.is_none_or(|kind| kind == **known)) {
        let one = match *known {
            "director" => program::<DirectorConfig>(path, out, to, &mut done),
            "storage" => program::<StorageConfig>(path, out, to, &mut done),
            "file" => program::<FileConfig>(path, out, to, &mut done),
            "console" => program::<ConsoleConfig>(path, out, to, &mut done),
            _ => program::<TrayConfig>(path, out, to, &mut done),
        };
        match one {
            Ok(()) => {}
            Err(Failure::Another(report)) => reports.push(report),
            Err(Failure::Unwritten(text)) => return Err(text),
        }
    }
    // A folder may have the configurations of some programs; one of these that is wrong is said.
    let is_missing = |report: &Report| report.diagnostics.iter().any(|found| found.code == codes::NO_CONFIGURATION);
    let wrong = reports.iter().find(|report| path.is_dir() && !is_missing(report));
    match (wrong, reports.as_slice()) {
        (Some(report), _) => Err(report.render(false)),
        _ if !done.written.is_empty() => Ok(done),
        (_, [report]) => Err(report.render(false)),
        _ if !path.exists() => Err(format!("{}: there is no such file or folder", path.display())),
        _ => Err(format!("{} is no configuration of any program; say whose with --kind to hear why", path.display())),
    }
}

/// Converts the configuration of one program.
fn program<T>(path: &Path, out: &Path, to: Option<&str>, done: &mut Done) -> Result<(), Failure>
where
    T: Configured + Passwords + Clone,
{
    let loaded = load::<T>(path).map_err(Failure::Another)?;
    let unwritten = |at: &Path, error: &dyn std::fmt::Display| {
        Failure::Unwritten(format!("cannot write {}: {error}", at.display()))
    };
    let _closed = io::stderr().write_all(loaded.warnings.render(false).as_bytes());
    make(out).map_err(|error| unwritten(out, &error))?;
    if to.map_or_else(|| loaded.is_conf(), |to| to == "ron") {
        let file = out.join(T::COMPONENT.ron());
        let comment = format!("Converted from {}.", path.display());
        write(&file, &loaded.config, &comment).map_err(|error| unwritten(&file, &error))?;
        done.written.push(file);
        return Ok(());
    }
    let conf = to_conf(&loaded.config).map_err(|error| unwritten(out, &error))?;
    for (name, text) in conf.files {
        let file = out.join(name);
        private(&file, &text).map_err(|error| unwritten(&file, &error))?;
        done.written.push(file);
    }
    done.left_out.extend(conf.left_out.into_iter().map(|field| format!("{}: {field}", T::COMPONENT.name())));
    Ok(())
}

/// A folder for this user only, with those above it.
fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// A new file for this user only.
fn private(file: &Path, text: &str) -> io::Result<()> {
    file.parent().map_or(Ok(()), make)?;
    private_file(file, text)
}
