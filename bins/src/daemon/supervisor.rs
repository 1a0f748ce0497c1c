//! What a service manager is told, sd_notify(3): that the daemon serves, that it goes on, and that it is
//! about to end. Without one nothing is said,
//! and one that does not listen changes nothing.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use sd_notify::NotifyState;
use towline_core::drive::Injector;
use towline_core::event::Event;

/// What the status line says.
struct Line {
    /// How the daemon serves; nothing before it does.
    serves: Option<String>,
    /// What it waits for although it serves.
    waits: Option<String>,
}

static LINE: Mutex<Line> = Mutex::new(Line { serves: None, waits: None });

impl Line {
    fn hold() -> MutexGuard<'static, Self> {
        LINE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(&self) -> &str {
        self.waits.as_deref().or(self.serves.as_deref()).unwrap_or("starting")
    }
}

/// The daemon serves; how, in a few words for its status line. Said once: of several addresses the first counts.
pub(super) fn serves(how: &str) {
    let mut line = Line::hold();
    if line.serves.is_none() {
        line.serves = Some(how.to_owned());
        tell(&[NotifyState::Ready, NotifyState::Status(line.text())]);
    }
}

/// What the daemon waits for before it can do what it is for; `None`: nothing any more.
pub(super) fn waits(what: Option<String>) {
    let mut line = Line::hold();
    line.waits = what;
    tell(&[NotifyState::Status(line.text())]);
}

/// It was asked to end, and lets go of what it has.
pub(super) fn stops() {
    tell(&[NotifyState::Stopping, NotifyState::Status("ending")]);
}

/// The node goes on.
pub(super) fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// Asks the node whether it goes on, twice in the time after which the service manager takes it for dead, if that watches at all
/// (`WatchdogSec`). A node that does not answer is not reported, and so is started anew.
///
/// # Errors
/// The system gives no thread.
pub(super) fn watch(injector: Injector) -> io::Result<()> {
    let mut limit = 0;
    if !sd_notify::watchdog_enabled(false, &mut limit) {
        return Ok(());
    }
    let pause = Duration::from_micros(limit / 2);
    let body = move || {
        while injector.post(Event::Pinged) {
            thread::sleep(pause);
        }
    };
    thread::Builder::new().name("watchdog".to_owned()).spawn(body).map(drop)
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(false, state) {
        tracing::debug!("the service manager is not told: {error}");
    }
}
