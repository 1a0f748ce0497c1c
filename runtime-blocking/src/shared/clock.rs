//! The clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use towline_core::time::{Instant, Wall};

/// The monotonic clock since the adapter started, and the wall clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: std::time::Instant,
}

impl Clock {
    /// Starts at zero.
    #[must_use]
    pub fn start() -> Self {
        Self { start: std::time::Instant::now() }
    }

    /// The time since the start.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::ZERO + self.start.elapsed()
    }

    /// The wall time.
    #[must_use]
    pub fn wall(&self) -> Wall {
        let now = SystemTime::now();
        let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Wall(match now.duration_since(UNIX_EPOCH) {
            Ok(span) => micros(span),
            Err(before) => -micros(before.duration()),
        })
    }

    /// How long it is to `at`; zero if it has passed.
    #[must_use]
    pub fn until(&self, at: Instant) -> Duration {
        at.since(self.now())
    }

    /// The same moment for timers that count from the system's own zero.
    #[must_use]
    pub fn at(&self, at: Instant) -> Option<std::time::Instant> {
        self.start.checked_add(at.since(Instant::ZERO))
    }
}
