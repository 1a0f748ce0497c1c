//! The console's program.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;
use towline_core::error::Code;
use towline_core::explain::complaint;

use towline_core::config::{ConfigPath, ConsoleConfig};
use towline_core::drive::Injector;
use towline_core::event::Event;
use towline_core::node::Settings;
use towline_core::role::console::Console;
use towline_core::wire::names::{DEFAULT_CONSOLE, PeerKind, PeerName};

use super::input::read_lines;
use super::{Built, Daemon, Peer, Places, Sink, StartError, Tls};
use crate::config::Loaded;
use crate::hands::Workers;

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
    const HELP: &'static str = "Lines that come from a pipe or a file end with an exit code: 0 all went well; 1 a job that was waited for \
         ended with warnings; 2 one ended worse, a command failed, or a question was left without an answer; 3 there was \
         no director, or it was lost; 78 the configuration is wrong. Say `wait` after `run … yes` to hear how the job ends.";
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
        let settings = settings(&loaded.config);
        let role = Console::new(Arc::new(loaded.config), tls.credentials);
        // A person has read the answers; a script goes by the exit code.
        let role = if std::io::stdin().is_terminal() { role } else { role.judging() };
        let hands = Arc::new(Workers::new(Sink::with_ready(ready).into_log()));
        let started = Box::new(move |injector: Injector| {
            if let Err(error) = read_lines(permits, injector.clone()) {
                let text = format!("cannot start a thread for the input: {error}");
                tracing::error!("{}", complaint(Code(918), &text));
                injector.post(Event::StopRequested);
            }
        });
        Ok(Built { role, settings, hands, started })
    }
}

/// What a console's node is told: it accepts nobody.
#[must_use]
pub fn settings(config: &ConsoleConfig) -> Settings {
    let name = config.console.as_ref().map_or(DEFAULT_CONSOLE, |console| &console.name);
    Settings::new(PeerName::new(PeerKind::Console, name).qualified(), Arc::default()).accepting(0, AUTHENTICATE_WITHIN)
}
