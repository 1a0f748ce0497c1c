//! A timer that is touched only when its time changes.

use std::pin::Pin;

use tokio::time::Sleep;
use towline_core::time::Instant;
use towline_runtime_blocking::system::Clock;

/// Ends at the armed time; expiry is judged by the clock of whoever waited.
#[derive(Debug)]
pub(crate) struct Timer {
    clock: Clock,
    armed: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    pub(crate) const fn new(clock: Clock) -> Self {
        Self { clock, armed: None, sleep: None }
    }

    /// Sets the time; `None` means never.
    pub(crate) fn arm(&mut self, at: Option<Instant>) {
        if self.armed == at {
            return;
        }
        self.armed = at;
        let Some(at) = at.and_then(|at| self.clock.at(at)) else {
            self.sleep = None;
            return;
        };
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().reset(at.into()),
            None => self.sleep = Some(Box::pin(tokio::time::sleep_until(at.into()))),
        }
    }

    /// Waits for the armed time.
    pub(crate) async fn wait(&mut self) {
        match &mut self.sleep {
            Some(sleep) => sleep.await,
            None => std::future::pending().await,
        }
        // One that has fired is armed anew even for the same time.
        self.armed = None;
        self.sleep = None;
    }
}
