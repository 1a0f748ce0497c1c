//! A timer that is touched only when its time changes.

use std::task::{Context, Poll, ready};

use towline_core::time::Instant;

use super::Alarm;
use crate::shared::Clock;

/// Ready at the armed time; expiry is judged by the clock of whoever waited.
#[derive(Debug)]
pub(super) struct Timer<A> {
    clock: Clock,
    armed: Option<Instant>,
    alarm: A,
}

impl<A: Alarm> Timer<A> {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, armed: None, alarm: A::new() }
    }

    /// Sets the time; `None` means never.
    pub(super) fn arm(&mut self, at: Option<Instant>) {
        if self.armed != at {
            self.armed = at;
            self.alarm.set(at.and_then(|at| self.clock.at(at)));
        }
    }

    /// Waits for the armed time.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.armed.is_none() {
            return Poll::Pending;
        }
        ready!(self.alarm.poll(cx));
        // One that was ready is armed anew even for the same time.
        self.armed = None;
        Poll::Ready(())
    }
}
