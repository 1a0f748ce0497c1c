//! What all daemons do alike: command line, configuration, TLS, seed, log, signals, runtime, exit code.
//!
//! ```text
//!   options --> configuration --> TLS material --> role --> Node --> runtime.run --> exit code
//!      78 <--------- report <-----------'            hands, log, signals -^
//! ```
//! A daemon is a [`Daemon`]: how its configuration becomes its role.

#[cfg(feature = "sqlite")]
mod configure;
pub mod console;
mod descriptors;
#[cfg(feature = "sqlite")]
pub mod director;
pub mod file;
mod identity;
pub mod input;
mod listening;
mod log;
mod network;
mod options;
mod output;
mod reload;
pub mod runtime;
mod service;
mod signals;
pub mod storage;
mod supervisor;
mod tls;
mod trace;
#[cfg(feature = "tray")]
pub mod tray;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use towline_core::address::Endpoint;
use towline_core::bulk::work::DiskError;
use towline_core::error::Code;
use towline_core::explain::complaint;

use towline_core::config::{ConfigPath, Severity};
use towline_core::drive::{Hands, Injector};
use towline_core::explain::codes;
use towline_core::node::{Node, Role, Settings};
use towline_core::notice::ExitReason;
use towline_core::printable;
use towline_core::time::Instant;

use crate::config::{
    Configured, EXIT_CONFIG, Folder, Loaded, Report, examine_with, look_around, look_for_programs, refuse_places,
    schema, without_passwords,
};
use crate::process::end_all;

pub use descriptors::raise_descriptor_limit;
pub use identity::identity;
pub use log::{Sink, start_log};
pub use options::Options;
#[cfg(feature = "sqlite")]
pub(crate) use output::written;
pub use output::{ended, say};
#[cfg(feature = "sqlite")]
pub(crate) use tls::psk_credentials;
pub use tls::{Peer, Places, Tls, read_tls};

/// The exit code when the system has no randomness: `EX_OSERR` of sysexits.
const EXIT_SYSTEM: u8 = 71;

/// A daemon: how its configuration becomes a role and its hands.
pub trait Daemon {
    /// The name of its binary.
    const PROGRAM: &'static str;
    /// What it is, in one line.
    const ABOUT: &'static str;
    /// Its configuration unless the command line names one.
    const FILE: &'static str;
    /// What `--help` says at its end.
    const HELP: &'static str = "";
    /// Whether the log is for a person at a terminal: warnings only.
    const QUIET: bool = false;
    /// Whether it runs on while the machine gets other addresses and other ways to other networks.
    const STAYS: bool = true;
    /// Whether the signal HUP means that its configuration is to be read again, and not that its terminal has gone.
    const RELOADS: bool = false;
    /// Its configuration.
    type Config: Configured;
    /// Its role.
    type Role: Role;

    /// Where it has settings of TLS.
    fn tls(config: &Self::Config) -> Places<'_>;

    /// Reads the certificates that the configuration names.
    ///
    /// # Errors
    /// Everything that is wrong, for a person or a program.
    fn read_tls(loaded: &Loaded<Self::Config>) -> Result<Tls, Report> {
        read_tls(loaded, &Self::tls(&loaded.config))
    }

    /// The folder it works in, and where the configuration names it.
    fn working_directory(_config: &Self::Config) -> Option<(ConfigPath, &str)> {
        None
    }

    /// Other folders that must be there.
    fn folders(_loaded: &Loaded<Self::Config>) -> Vec<Folder> {
        Vec::new()
    }

    /// Programs that it must be able to run, and where the configuration names them.
    fn programs(_config: &Self::Config) -> Vec<(ConfigPath, String)> {
        Vec::new()
    }

    /// Places for volumes that cannot be used as they are set.
    fn unusable(_loaded: &Loaded<Self::Config>) -> Vec<(ConfigPath, DiskError)> {
        Vec::new()
    }

    /// What it listens on, if it is to have that before it opens anything.
    fn listens(_config: &Self::Config) -> Vec<Endpoint> {
        Vec::new()
    }

    /// Writes the names of files and folders in the configuration as they are meant wherever the daemon works.
    fn place(_loaded: &mut Loaded<Self::Config>) {}

    /// Opens what the role needs, such as the catalog. The names in the configuration are placed.
    ///
    /// # Errors
    /// Why it cannot start.
    fn build(loaded: Loaded<Self::Config>, tls: Tls) -> Result<Built<Self::Role>, StartError>;
}

/// A daemon ready to run.
pub struct Built<R> {
    /// The role.
    pub role: R,
    /// What it is told about accepting.
    pub settings: Settings,
    /// Its disk, catalog and log.
    pub hands: Arc<dyn Hands>,
    /// Gets the injector when the node is about to run.
    pub started: Box<dyn FnOnce(Injector) + Send>,
    /// Hears of the signal INT; true if the program is not to end of it.
    pub interrupted: Option<Interrupted>,
}

/// Hears of the signal INT; true if the program is not to end of it.
pub type Interrupted = Box<dyn Fn() -> bool + Send>;

/// Why a daemon did not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct StartError {
    /// What failed, with its code and advice.
    pub text: String,
    /// The exit code of the process.
    pub exit: u8,
}

/// The body of a daemon's `main`.
#[must_use]
pub fn main<D: Daemon>() -> ExitCode {
    let parse = if D::STAYS { Options::parse_daemon } else { Options::parse };
    run::<D>(&parse(D::PROGRAM, D::ABOUT, D::FILE, D::HELP))
}

/// The command line of a daemon.
#[cfg(feature = "sqlite")]
pub(crate) fn program<D: Daemon>() -> clap::Command {
    Options::program(D::PROGRAM, D::ABOUT, D::FILE, D::HELP, D::STAYS)
}

/// Runs a daemon to its end, or tests its configuration.
#[must_use]
pub fn run<D: Daemon>(options: &Options) -> ExitCode {
    run_with::<D>(options, D::build)
}

/// Runs a daemon as [`run`] does, but lets the caller open what its role needs.
fn run_with<D: Daemon>(
    options: &Options,
    build: impl FnOnce(Loaded<D::Config>, Tls) -> Result<Built<D::Role>, StartError>,
) -> ExitCode {
    let runtime = match runtime::Choice::named(options.runtime.as_deref()) {
        Ok(runtime) => runtime,
        Err(error) => return complain(D::PROGRAM, &error.to_string(), EXIT_CONFIG),
    };
    for said in &options.moot {
        let _closed = writeln!(std::io::stderr(), "{}: {said}", D::PROGRAM);
    }
    if options.print_schema {
        say(&format!("{}\n", schema::<D::Config>()));
        return ExitCode::SUCCESS;
    }
    let (mut loaded, tls) = match prepare::<D>(&options.config, None) {
        Ok(loaded) => loaded,
        Err(report) => {
            show(&report, options);
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    if !loaded.warnings.is_empty() || (options.test && options.json) {
        show(&loaded.warnings, options);
    }
    if options.print_config {
        return match without_passwords(&loaded.config) {
            Ok(text) => {
                say(&text);
                ExitCode::SUCCESS
            }
            Err(error) => complain(D::PROGRAM, &format!("cannot print the configuration: {error}"), 1),
        };
    }
    if options.test {
        if !options.json {
            say(&format!("{}: OK{}\n", options.config.display(), counted(loaded.warnings.warnings())));
        }
        return ExitCode::SUCCESS;
    }
    if let Err(error) = service::runs_as(options) {
        return complain(D::PROGRAM, &error.text, error.exit);
    }
    let _pid_file = match options.pid_file.as_deref().map(service::PidFile::write).transpose() {
        Ok(file) => file,
        Err(error) => return complain(D::PROGRAM, &error.text, error.exit),
    };
    if let Some((_, folder)) = D::working_directory(&loaded.config)
        && let Err(error) = std::env::set_current_dir(loaded.resolve(folder))
    {
        return complain(D::PROGRAM, &format!("cannot work in the folder {folder}: {error}"), EXIT_CONFIG);
    }
    start_log(options.verbose, D::QUIET);
    raise_descriptor_limit();
    let mut seed = [0; 32];
    if let Err(error) = getrandom::fill(&mut seed) {
        return complain(D::PROGRAM, &format!("the system has no random bytes: {error}"), EXIT_SYSTEM);
    }
    D::place(&mut loaded);
    let ports = D::listens(&loaded.config);
    // One that has to have its ports serves once it listens; another one may listen nowhere.
    let serves_at_once = D::STAYS && ports.is_empty();
    let free = listening::refuse_taken(ports);
    let built = match free.and_then(|()| build(loaded, tls)) {
        Ok(built) => built,
        Err(error) => return complain(D::PROGRAM, &error.text, error.exit),
    };
    let node = Node::new(built.role, built.settings, seed, Instant::ZERO);
    let (started, interrupted) = (built.started, built.interrupted);
    let until_eof = options.until_eof;
    let begin = move |injector: Injector| {
        if until_eof && let Err(error) = input::stop_at_the_end(injector.clone()) {
            let text = format!("cannot watch standard input: {error}");
            tracing::warn!("{}", complaint(Code(918), &text));
        }
        if let Err(error) = signals::watch(injector.clone(), interrupted) {
            let text = format!("cannot watch for signals, so they end the program at once: {error}");
            tracing::warn!("{}", complaint(Code(918), &text));
        }
        if D::STAYS
            && let Err(error) = supervisor::watch(injector.clone())
        {
            let text = format!("cannot tell the service manager that this goes on: {error}");
            tracing::warn!("{}", complaint(Code(918), &text));
        }
        if D::RELOADS
            && let Err(error) = signals::watch_reload(injector.clone())
        {
            let text = format!("cannot watch for the signal HUP, so it ends the program: {error}");
            tracing::warn!("{}", complaint(Code(918), &text));
        }
        if D::STAYS
            && let Err(error) = network::watch(injector.clone())
        {
            let text = format!("changes of the network are not noticed: {error}");
            tracing::warn!("{}", complaint(Code(918), &text));
        }
        if let Err(error) = identity::watch_zone(injector.clone()) {
            let text = format!("cannot watch for another time zone, so a restart is needed to notice one: {error}");
            tracing::warn!("{}", complaint(Code(918), &text));
        }
        started(injector);
        if serves_at_once {
            supervisor::serves("running");
        }
    };
    let reason = runtime.run(node, built.hands, Box::new(begin));
    // A command that sends mail, or that of a job, may still run.
    end_all();
    match reason {
        ExitReason::Done => ExitCode::SUCCESS,
        ExitReason::Failed(code) => ExitCode::from(code),
    }
}

/// How many warnings there are, to go on after `OK`.
fn counted(warnings: usize) -> String {
    match warnings {
        0 => String::new(),
        1 => ", 1 warning".to_owned(),
        many => format!(", {many} warnings"),
    }
}

/// Reads a daemon's configuration and all that it names: what `-t` tests, and what a start begins with.
///
/// # Errors
/// Everything that is wrong, warnings too, if any of it is an error.
fn prepare<D: Daemon>(path: &Path, draft: Option<&Path>) -> Result<(Loaded<D::Config>, Tls), Report> {
    let mut loaded = examine_with::<D::Config>(path, draft)?;
    let mut report = loaded.warnings.clone();
    let mut folders = D::folders(&loaded);
    if let Some((at, folder)) = D::working_directory(&loaded.config) {
        let path = loaded.resolve(folder);
        folders.push(Folder { at, path, holds: "the daemon to work in", severity: Severity::Error });
    }
    let places = D::tls(&loaded.config);
    let all: Vec<_> = std::iter::once(&places.own).chain(&places.peers).map(|peer| (&peer.at, peer.config)).collect();
    report.take(look_around(&loaded, &folders, &all));
    report.take(look_for_programs(&loaded, &D::programs(&loaded.config)));
    report.take(refuse_places(&loaded, &D::unusable(&loaded)));
    // Settings that contradict each other would be found once more in the files they name.
    let is_sound = !report.diagnostics.iter().any(|found| found.severity == Severity::Error && is_of_tls(found.code));
    let tls = if is_sound { D::read_tls(&loaded) } else { Ok(Tls::default()) };
    let tls = tls.unwrap_or_else(|unreadable| {
        report.take(unreadable);
        Tls::default()
    });
    if report.has_errors() {
        return Err(report);
    }
    loaded.warnings = report;
    Ok((loaded, tls))
}

/// Whether a finding of the check is about settings of TLS.
fn is_of_tls(code: Code) -> bool {
    [codes::HALF_CERTIFICATE, codes::PSK_NOT_BUILT, codes::NO_TLS_METHOD, codes::TLS_CONTRADICTION].contains(&code)
}

/// Shows what is wrong with a configuration: to a person on standard error, to a program on standard output.
fn show(report: &Report, options: &Options) {
    if options.json {
        say(&format!("{}\n", report.json()));
    } else {
        let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
        let _closed = std::io::stderr().write_all(report.render(colours).as_bytes());
    }
}

fn complain(program: &str, text: &str, exit: u8) -> ExitCode {
    // A database server's words may be in it.
    let _closed = writeln!(std::io::stderr(), "{program}: {}", printable::text(text));
    ExitCode::from(exit)
}

/// The folders of the files that a daemon appends its own messages to.
fn of_messages<'a, T>(loaded: &'a Loaded<T>, files: impl Iterator<Item = &'a str>) -> impl Iterator<Item = Folder> {
    files.filter_map(|file| {
        let at = ConfigPath::of("messages").index(0).field("destinations");
        let path = loaded.resolve(file).parent()?.to_owned();
        Some(Folder { at, path, holds: "messages", severity: Severity::Warning })
    })
}
