//! SIGTERM and SIGINT become events of the node.

use std::io::{self, Read as _};
use std::os::unix::net::UnixStream;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe;
use towline_core::drive::Injector;
use towline_core::event::Event;

/// Reports each signal as `StopRequested`, from a thread that ends with the node.
///
/// # Errors
/// The system gives no socket pair or thread, or refuses to be asked for a signal.
pub(super) fn watch(injector: Injector) -> io::Result<()> {
    let (mut signals, sender) = UnixStream::pair()?;
    pipe::register(SIGTERM, sender.try_clone()?)?;
    pipe::register(SIGINT, sender)?;
    let body = move || {
        let mut one = [0];
        while signals.read(&mut one).is_ok_and(|n| n > 0) && injector.post(Event::StopRequested) {}
    };
    thread::Builder::new().name("signals".to_owned()).spawn(body).map(drop)
}
