//! The console's program: at a terminal (`session`), with the lines of its command line (`once.rs`), or with those of a pipe.

mod link;
mod once;
mod order;
#[cfg(feature = "editing")]
mod session;

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use clap::{Arg, ArgAction, Command};
use towline_core::error::Code;
use towline_core::explain::complaint;

use towline_core::config::{ConfigPath, ConsoleConfig};
use towline_core::drive::Injector;
use towline_core::event::Event;
use towline_core::node::Settings;
use towline_core::role::console::Console;
use towline_core::wire::names::{DEFAULT_CONSOLE, PeerKind, PeerName};

use super::input::read_lines;
use super::{Built, Daemon, Options, Peer, Places, Sink, StartError, Tls, run, run_with};
use crate::config::Loaded;
use crate::hands::{Log, Workers};
use link::Link;

/// How long TLS and authentication may take.
const AUTHENTICATE_WITHIN: Duration = Duration::from_secs(60);

/// `towline-console`
#[derive(Clone, Copy, Debug)]
pub struct ConsoleProgram;

impl Daemon for ConsoleProgram {
    const PROGRAM: &'static str = "towline-console";
    const ABOUT: &'static str = "The operator's console: sends lines to the director and prints its answers";
    const FILE: &'static str = "/etc/towline/console.ron";
    const QUIET: bool = true;
    const STAYS: bool = false;
    const HELP: &'static str = "Lines of -e, or that come from a pipe or a file, end with an exit code: 0 all went well; 1 a job that was waited for \
         ended with warnings; 2 one ended worse, a command failed, or a question was left without an answer; 3 there was \
         no director, or it was lost; 74 an answer could not be written; 78 the configuration is wrong. Say `wait` after `run … yes` to hear how the job ends; \
         with -e and at a terminal `run … yes wait` does both.";
    type Config = ConsoleConfig;
    type Role = Console;

    fn tls(config: &ConsoleConfig) -> Places<'_> {
        let named = config.console.as_ref().is_some_and(|console| console.tls.is_some());
        let at = ConfigPath::of(if named { "console" } else { "director" }).field("tls");
        let own = Peer { name: String::new(), at, config: config.tls() };
        Places { own, peers: Vec::new(), accepts: false }
    }

    fn build(loaded: Loaded<ConsoleConfig>, tls: Tls) -> Result<Built<Console>, StartError> {
        let (ready, permits) = sync_channel(1);
        let started = Box::new(move |injector: Injector| {
            if let Err(error) = read_lines(permits, injector.clone()) {
                no_thread(&injector, &error);
            }
        });
        let built = built(loaded, tls, Sink::with_ready(ready).into_log(), started);
        // A person has read the answers; a script goes by the exit code.
        let judging = !std::io::stdin().is_terminal();
        Ok(if judging { Built { role: built.role.judging(), ..built } } else { built })
    }
}

/// The command line of `towline-console`.
pub(crate) fn program() -> Command {
    let command = Options::program(
        ConsoleProgram::PROGRAM,
        ConsoleProgram::ABOUT,
        ConsoleProgram::FILE,
        ConsoleProgram::HELP,
        ConsoleProgram::STAYS,
    );
    let execute = Arg::new("execute").short('e').long("execute").value_name("LINE").action(ArgAction::Append);
    let command = command.arg(execute.help(
        "Say this line to the director, print its answer and end; with several, one after the other, whatever becomes of each",
    ));
    #[cfg(feature = "editing")]
    let command = command.arg(
        Arg::new("no-pager")
            .long("no-pager")
            .action(ArgAction::SetTrue)
            .help("At a terminal, do not stop at the end of a page"),
    );
    command
}

/// The body of `towline-console`.
#[must_use]
pub fn main() -> ExitCode {
    let matches = program().get_matches();
    let options = Options::of(&matches);
    if let Some(lines) = matches.get_many::<String>("execute") {
        let lines: Vec<String> = lines.cloned().collect();
        return run_with::<ConsoleProgram>(&options, move |loaded, tls| Ok(built_once(loaded, tls, lines)));
    }
    #[cfg(feature = "editing")]
    if session::is_possible() {
        return session::run(&options, !matches.get_flag("no-pager"));
    }
    run::<ConsoleProgram>(&options)
}

/// A console that says some lines and ends.
fn built_once(loaded: Loaded<ConsoleConfig>, tls: Tls, lines: Vec<String>) -> Built<Console> {
    let (log, news) = link::log(|| {});
    let started = Box::new(move |injector: Injector| {
        let mut link = Link::new(injector.clone(), news);
        let body = move || once::carry_out(&mut link, &lines);
        if let Err(error) = thread::Builder::new().name("input".to_owned()).spawn(body) {
            no_thread(&injector, &error);
        }
    });
    let built = built(loaded, tls, log, started);
    Built { role: built.role.judging(), ..built }
}

fn built(
    loaded: Loaded<ConsoleConfig>,
    tls: Tls,
    log: Log,
    started: Box<dyn FnOnce(Injector) + Send>,
) -> Built<Console> {
    let settings = settings(&loaded.config);
    let role = Console::new(Arc::new(loaded.config), tls.credentials);
    Built { role, settings, hands: Arc::new(Workers::new(log)), started, interrupted: None }
}

fn no_thread(injector: &Injector, error: &std::io::Error) {
    let text = format!("cannot start a thread for the input: {error}");
    tracing::error!("{}", complaint(Code(918), &text));
    injector.post(Event::StopRequested);
}

/// What a console's node is told: it accepts nobody.
#[must_use]
pub fn settings(config: &ConsoleConfig) -> Settings {
    let name = config.console.as_ref().map_or(DEFAULT_CONSOLE, |console| &console.name);
    Settings::new(PeerName::new(PeerKind::Console, name).qualified(), Arc::default()).accepting(0, AUTHENTICATE_WITHIN)
}
