//! The tray monitor's program: a screen in the terminal, or one look for scripts.
//!
//! `screen.rs` draws what is known, `terminal.rs` owns the terminal and its keys, `plain.rs` writes lines and JSON.

mod plain;
mod screen;
mod terminal;

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::{Arg, ArgAction, Command};
use towline_core::config::{ConfigPath, TrayConfig};
use towline_core::drive::Injector;
use towline_core::node::Settings;
use towline_core::notice::{DaemonView, Health, Notice};
use towline_core::role::tray::{Tray, Watch};
use towline_core::wire::names::{PeerKind, PeerName};

use super::{Built, Daemon, Options, Peer, Places, Sink, StartError, Tls, run, run_with, say};
use crate::config::Loaded;
use crate::hands::{Log, Workers};

use terminal::Terminal;

/// How long TLS and authentication may take; the daemon's own deadline comes first.
const AUTHENTICATE_WITHIN: Duration = Duration::from_secs(60);
/// The exit code when there is no terminal for the screen: `EX_USAGE` of sysexits.
const EXIT_USAGE: u8 = 64;

/// `towline-tray`
#[derive(Clone, Copy, Debug)]
pub struct TrayProgram;

impl Daemon for TrayProgram {
    const PROGRAM: &'static str = "towline-tray";
    const ABOUT: &'static str = "The tray monitor: shows how directors, file daemons and storage daemons are";
    const FILE: &'static str = "/etc/towline/towline-tray.ron";
    const QUIET: bool = true;
    type Config = TrayConfig;
    type Role = Tray;

    fn tls(config: &TrayConfig) -> Places<'_> {
        let own = Peer { name: String::new(), at: ConfigPath::of("monitor").field("tls"), config: &config.monitor.tls };
        let at = |list, index| ConfigPath::of(list).index(index).field("tls");
        let directors = config.directors.iter().enumerate().filter_map(|(index, d)| {
            d.tls.as_ref().map(|tls| Peer {
                name: format!("director {}", d.name),
                at: at("directors", index),
                config: tls,
            })
        });
        let clients = config.clients.iter().enumerate().filter_map(|(index, d)| {
            d.tls.as_ref().map(|tls| Peer { name: format!("client {}", d.name), at: at("clients", index), config: tls })
        });
        let storages = config.storages.iter().enumerate().filter_map(|(index, d)| {
            d.tls.as_ref().map(|tls| Peer {
                name: format!("storage {}", d.name),
                at: at("storages", index),
                config: tls,
            })
        });
        Places { own, peers: directors.chain(clients).chain(storages).collect(), accepts: false }
    }

    /// One look, whose lines are printed as the daemons answer.
    fn build(loaded: Loaded<TrayConfig>, tls: Tls) -> Result<Built<Tray>, StartError> {
        let others = Sink::new().into_log();
        let log: Log = Box::new(move |notice| match notice {
            Notice::Watched(view) if view.health == Health::Unknown => {}
            Notice::Watched(view) => say(&plain::lines(&view)),
            other => others(other),
        });
        Ok(built(loaded, tls, Watch::Once, log, Box::new(|_| {})))
    }
}

/// The command line of `towline-tray`.
pub(crate) fn program() -> Command {
    let command = Command::new(TrayProgram::PROGRAM).about(TrayProgram::ABOUT).version(env!("CARGO_PKG_VERSION"));
    let once = Arg::new("once")
        .long("once")
        .action(ArgAction::SetTrue)
        .help("Ask each daemon once, print a line for each as it answers, and end: 0 if all are reachable, 1 if not");
    Options::arguments(command, TrayProgram::FILE).arg(once).mut_arg("json", |json| {
        json.help("As --once, but print all as JSON at the end; with --test, report on the configuration as JSON")
    })
}

/// The body of `towline-tray`.
#[must_use]
pub fn main() -> ExitCode {
    let matches = program().get_matches();
    let (mut options, once) = (Options::of(&matches), matches.get_flag("once"));
    if options.test || once && !options.json {
        return run::<TrayProgram>(&options);
    }
    if std::mem::take(&mut options.json) {
        return print_json(&options);
    }
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        let text = "towline-tray: there is no terminal for a screen: use --once or --json";
        let _closed = writeln!(std::io::stderr(), "{text}");
        return ExitCode::from(EXIT_USAGE);
    }
    let terminal = Terminal::default();
    let shown = terminal.clone();
    let code = run_with::<TrayProgram>(&options, move |loaded, tls| {
        let log = shown.log();
        Ok(built(loaded, tls, Watch::OnAndOn, log, Box::new(move |injector| shown.begin(injector))))
    });
    terminal.end();
    code
}

/// Asks each daemon once and prints one object at the end.
fn print_json(options: &Options) -> ExitCode {
    let seen = Arc::<Mutex<Vec<DaemonView>>>::default();
    let views = Arc::clone(&seen);
    let code = run_with::<TrayProgram>(options, move |loaded, tls| {
        let others = Sink::new().into_log();
        let log: Log = Box::new(move |notice| match notice {
            Notice::Watched(view) => {
                let mut views = views.lock().unwrap_or_else(PoisonError::into_inner);
                views.retain(|known| known.place != view.place);
                views.push(*view);
            }
            other => others(other),
        });
        Ok(built(loaded, tls, Watch::Once, log, Box::new(|_| {})))
    });
    let mut views = seen.lock().unwrap_or_else(PoisonError::into_inner);
    views.sort_by_key(|view| view.place);
    // Without any view the configuration was refused, and that has been said.
    if !views.is_empty() {
        say(&format!("{:#}\n", plain::json(&views)));
    }
    code
}

fn built(
    loaded: Loaded<TrayConfig>,
    tls: Tls,
    watch: Watch,
    log: Log,
    started: Box<dyn FnOnce(Injector) + Send>,
) -> Built<Tray> {
    let settings =
        Settings::new(PeerName::new(PeerKind::Console, &loaded.config.monitor.name).qualified(), Arc::default())
            .accepting(0, AUTHENTICATE_WITHIN);
    let role = Tray::new(Arc::new(loaded.config), tls.credentials, watch);
    Built { role, settings, hands: Arc::new(Workers::new(log)), started, interrupted: None }
}
