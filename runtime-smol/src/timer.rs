//! A timer that is touched only when its time changes.

use towline_core::time::Instant;
use towline_runtime_blocking::system::Clock;

/// Ends at the armed time; expiry is judged by the clock of whoever waited.
#[derive(Debug)]
pub(crate) struct Timer {
    clock: Clock,
    armed: Option<Instant>,
    timer: async_io::Timer,
}

impl Timer {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, armed: None, timer: async_io::Timer::never() }
    }

    /// Sets the time; `None` means never.
    pub(crate) fn arm(&mut self, at: Option<Instant>) {
        if self.armed == at {
            return;
        }
        self.armed = at;
        match at.and_then(|at| self.clock.at(at)) {
            Some(at) => self.timer.set_at(at),
            None => self.timer = async_io::Timer::never(),
        }
    }

    /// Waits for the armed time.
    pub(crate) async fn wait(&mut self) {
        (&mut self.timer).await;
        // One that has fired is armed anew even for the same time.
        self.armed = None;
    }
}
