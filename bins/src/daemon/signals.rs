//! SIGTERM, SIGINT and SIGHUP become events of the node.

use std::io::{self, Read as _};
use std::os::unix::net::UnixStream;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;
use towline_core::drive::Injector;
use towline_core::event::Event;

use super::{Interrupted, supervisor};

/// Reports SIGINT as `StopRequested` and SIGTERM as `TerminateRequested`, each from a thread that ends with the node, and
/// tells the supervisor. `interrupted` hears of SIGINT first, and may keep it to itself.
///
/// # Errors
/// The system gives no socket pair or thread, or refuses to be asked for a signal.
pub(super) fn watch(injector: Injector, interrupted: Option<Interrupted>) -> io::Result<()> {
    let terminates = injector.clone();
    report("signals", &[SIGINT], move || {
        if interrupted.as_ref().is_some_and(|interrupted| interrupted()) {
            return true;
        }
        supervisor::stops();
        injector.post(Event::StopRequested)
    })?;
    report("terminate", &[SIGTERM], move || {
        supervisor::stops();
        terminates.post(Event::TerminateRequested)
    })
}

/// The same for SIGHUP and `ReloadRequested`. Without it that signal ends the program.
///
/// # Errors
/// As with [`watch`].
pub(super) fn watch_reload(injector: Injector) -> io::Result<()> {
    report("reload", &[SIGHUP], move || injector.post(Event::ReloadRequested))
}

/// Calls `post` for each of these signals, until it is false.
fn report(name: &str, signals: &[i32], post: impl Fn() -> bool + Send + 'static) -> io::Result<()> {
    let (mut come, sender) = UnixStream::pair()?;
    for signal in signals {
        pipe::register(*signal, sender.try_clone()?)?;
    }
    let body = move || {
        let mut one = [0];
        while come.read(&mut one).is_ok_and(|n| n > 0) && post() {}
    };
    thread::Builder::new().name(name.to_owned()).spawn(body).map(drop)
}
