//! Notices that the wall clock moved against the monotonic one.

use std::time::Duration;

use crate::time::{Instant, Wall};

/// How often to look.
const EVERY: Duration = Duration::from_secs(60);
/// A move of the wall clock that is reported, in microseconds.
const TOLERANCE: u64 = 1_000_000;

/// Compares the two clocks once a minute.
#[derive(Clone, Copy, Debug)]
pub struct JumpWatch {
    last: (Instant, Wall),
}

impl JumpWatch {
    /// Begins with a pair of readings taken together.
    #[must_use]
    pub const fn new(now: Instant, wall: Wall) -> Self {
        Self { last: (now, wall) }
    }

    /// When to look again.
    #[must_use]
    pub fn next(&self) -> Instant {
        self.last.0 + EVERY
    }

    /// Looks, if it is time to: the wall time if it moved by more than a second since the last look.
    pub fn look(&mut self, now: Instant, wall: impl FnOnce() -> Wall) -> Option<Wall> {
        if now < self.next() {
            return None;
        }
        let wall = wall();
        let (then, before) = self.last;
        self.last = (now, wall);
        let expected = before.after(now.since(then));
        (wall.0.abs_diff(expected.0) > TOLERANCE).then_some(wall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_move_of_more_than_a_second_counts() {
        let minute = |n: u64| Instant(n * 60_000_000_000);
        let mut watch = JumpWatch::new(Instant::ZERO, Wall(5));
        assert_eq!(watch.look(minute(1), || Wall(60_000_005 + 1_000_000)), None);
        assert_eq!(watch.look(minute(2), || Wall(122_000_006)), Some(Wall(122_000_006)));
        assert_eq!(watch.look(minute(3), || Wall(122_000_006)), Some(Wall(122_000_006)), "it stood still");
        assert_eq!(watch.next(), minute(4));
    }

    #[test]
    fn the_wall_clock_is_not_read_before_its_time() {
        let mut watch = JumpWatch::new(Instant::ZERO, Wall(0));
        let soon = Instant(59_999_999_999);
        assert_eq!(watch.look(soon, || panic!("read too early")), None);
    }
}
