//! What a service manager is told, sd_notify(3): that the daemon serves, and that it is about to end. Without one nothing is said,
//! and one that does not listen changes nothing.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sd_notify::NotifyState;

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

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(false, state) {
        tracing::debug!("the service manager is not told: {error}");
    }
}
