//! The pace of a job's data: at most so many bytes a second over one connection.
//!
//! What has gone over the connection is paid for with time: after `n` bytes at `limit` bytes a second nothing more may go
//! for `n / limit` seconds. A chunk is a fiftieth of a second's bytes, so that a slow peer still hears something often,
//! and heartbeats are never behind much.

use std::num::NonZeroU64;
use std::time::Duration;

use crate::time::Instant;

/// Chunks in a second.
const CHUNKS: u64 = 50;
/// Bytes that are worth a wake-up, unless a fifth of a second has fewer.
const LEAST: u64 = 512;
const NANOS: u128 = 1_000_000_000;

/// Bytes a second, kept from one chunk to the next. In any time `t` at most `limit * t` bytes and two chunks go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    limit: NonZeroU64,
    /// Bytes that may go now.
    allowed: u64,
    /// When all that has gone is paid for.
    paid: Instant,
}

impl Pace {
    /// So many bytes a second from now on.
    pub(super) fn new(limit: NonZeroU64, now: Instant) -> Self {
        Self { limit, allowed: chunk(limit), paid: now }
    }

    /// Another limit; what went under the old one is not forgiven, but paid for at the new speed.
    pub(super) fn change(&mut self, limit: NonZeroU64, now: Instant) {
        let owed = self.paid.since(now).as_nanos() * u128::from(self.limit.get()) / NANOS;
        let is_blocked = self.allowed == 0;
        self.limit = limit;
        self.paid = now + cost(limit, u64::try_from(owed).unwrap_or(u64::MAX));
        self.allowed = if is_blocked { 0 } else { chunk(limit) };
        self.refill(now);
    }

    /// Bytes that may go now.
    pub(super) fn allowed(&self) -> usize {
        usize::try_from(self.allowed).unwrap_or(usize::MAX)
    }

    /// When more may go; `None` if some may now.
    pub(super) fn blocked_until(&self) -> Option<Instant> {
        (self.allowed == 0).then_some(self.paid)
    }

    /// Allows the next chunk if all is paid for.
    pub(super) fn refill(&mut self, now: Instant) {
        if self.allowed == 0 && now >= self.paid {
            self.allowed = chunk(self.limit);
        }
    }

    /// So many bytes have gone. Who comes a little late for a chunk catches up with the next one.
    pub(super) fn spend(&mut self, bytes: usize, now: Instant) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let credit = cost(self.limit, chunk(self.limit));
        self.paid = self.paid.max(now - credit) + cost(self.limit, bytes);
        self.allowed = self.allowed.saturating_sub(bytes);
        self.refill(now);
    }
}

fn chunk(limit: NonZeroU64) -> u64 {
    let limit = limit.get();
    (limit / CHUNKS).max(LEAST.min(limit / 5)).max(1)
}

/// The time that bytes take at this speed, rounded up.
fn cost(limit: NonZeroU64, bytes: u64) -> Duration {
    let nanos = (u128::from(bytes) * NANOS).div_ceil(u128::from(limit.get()));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn limit(bytes: u64) -> NonZeroU64 {
        NonZeroU64::new(bytes).unwrap()
    }

    /// Spends all that is allowed, as often as it is, until that time; every wake-up comes so late.
    fn run(pace: &mut Pace, from: u64, until: u64, late: u64) -> u64 {
        let (mut now, mut sent) = (from, 0);
        loop {
            pace.refill(Instant(now));
            let bytes = pace.allowed();
            if bytes > 0 {
                sent += bytes as u64;
                pace.spend(bytes, Instant(now));
            }
            let next = pace.blocked_until().map_or(now, |at| at.0 + late).max(now);
            if next > until {
                return sent;
            }
            now = next;
        }
    }

    #[test]
    fn over_any_time_the_limit_is_kept_and_used() {
        for bytes in [1, 7, 100, 5_000, 300_000, 1_000_000_000] {
            let mut pace = Pace::new(limit(bytes), Instant(0));
            let sent = run(&mut pace, 0, 60 * SECOND, 0);
            let (least, most) = (60 * bytes, 60 * bytes + 2 * chunk(limit(bytes)));
            assert!((least..=most).contains(&sent), "{bytes}: {sent} is not from {least} to {most}");
        }
    }

    #[test]
    fn a_late_timer_costs_no_speed_and_gains_none() {
        for late in [1, 3, 10, 19] {
            let mut pace = Pace::new(limit(300_000), Instant(0));
            let sent = run(&mut pace, 0, 60 * SECOND, late * SECOND / 1_000);
            let (least, most) = (17_980_000, 18_000_000 + 2 * 6_000);
            assert!((least..=most).contains(&sent), "{late} ms late: {sent}");
        }
    }

    #[test]
    fn who_was_idle_has_saved_nothing() {
        let mut pace = Pace::new(limit(1_000), Instant(0));
        run(&mut pace, 0, SECOND, 0);
        let sent = run(&mut pace, 1_000 * SECOND, 1_001 * SECOND, 0);
        assert!(sent <= 1_000 + 3 * 200, "{sent}");
    }

    #[test]
    fn a_new_limit_counts_at_once_and_forgives_nothing() {
        let mut pace = Pace::new(limit(1_000), Instant(0));
        pace.spend(10_000, Instant(0));
        assert_eq!(pace.blocked_until(), Some(Instant(10 * SECOND)));
        pace.change(limit(5_000), Instant(5 * SECOND));
        assert_eq!(pace.blocked_until(), Some(Instant(6 * SECOND)), "5,000 bytes are left to pay for");
        pace.change(limit(500), Instant(5 * SECOND));
        assert_eq!(pace.blocked_until(), Some(Instant(15 * SECOND)));
    }

    #[test]
    fn a_chunk_is_small_and_no_wake_up_is_for_nothing() {
        let chunks = [1, 100, 5_000, 25_600, 1_000_000].map(|bytes| chunk(limit(bytes)));
        assert_eq!(chunks, [1, 20, 512, 512, 20_000]);
    }
}
