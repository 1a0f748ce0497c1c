//! Notices that the wall clock moved against the monotonic one.

use std::time::Duration;

use crate::time::{Instant, Wall};

/// How often to look where nothing happens.
const EVERY: Duration = Duration::from_secs(60);
/// A move of the wall clock that is reported, in microseconds.
const TOLERANCE: u64 = 1_000_000;

/// Compares the two clocks before whatever happens, and once a minute. After a machine has slept they differ from the first
/// moment on: jobs say since when files count as changed, and nothing may go by a time that is hours old.
#[derive(Clone, Copy, Debug)]
pub struct JumpWatch {
    /// The last reading that was reported.
    told: (Instant, Wall),
    next: Instant,
}

impl JumpWatch {
    /// Begins with a pair of readings taken together.
    #[must_use]
    pub fn new(now: Instant, wall: Wall) -> Self {
        Self { told: (now, wall), next: now + EVERY }
    }

    /// When to look at the latest.
    #[must_use]
    pub const fn next(&self) -> Instant {
        self.next
    }

    /// Looks at readings taken together: the wall time if it has moved by more than a second since it was last reported.
    pub fn look(&mut self, now: Instant, wall: Wall) -> Option<Wall> {
        if now >= self.next {
            self.next = now + EVERY;
        }
        let (then, before) = self.told;
        let expected = before.after(now.since(then));
        let has_moved = wall.0.abs_diff(expected.0) > TOLERANCE;
        has_moved.then(|| {
            self.told = (now, wall);
            wall
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn minute(n: u64) -> Instant {
        Instant(n * 60_000_000_000)
    }

    #[test]
    fn only_a_move_of_more_than_a_second_counts() {
        let mut watch = JumpWatch::new(Instant::ZERO, Wall(5));
        assert_eq!(watch.look(minute(1), Wall(60_000_005 + 1_000_000)), None);
        assert_eq!(watch.look(minute(2), Wall(122_000_006)), Some(Wall(122_000_006)));
        assert_eq!(watch.look(minute(3), Wall(122_000_006)), Some(Wall(122_000_006)), "it stood still");
        assert_eq!(watch.next(), minute(4));
    }

    #[test]
    fn small_moves_add_up() {
        let mut watch = JumpWatch::new(Instant::ZERO, Wall(0));
        let wall = |n: i64| Wall(n * 60_400_000);
        assert_eq!([1, 2].map(|n| watch.look(minute(n), wall(n.cast_signed()))), [None, None]);
        assert_eq!(watch.look(minute(3), wall(3)), Some(wall(3)));
    }

    #[test]
    fn a_machine_that_has_slept_is_noticed_with_the_first_thing_that_happens() {
        let mut watch = JumpWatch::new(Instant::ZERO, Wall(0));
        let (soon, morning) = (Instant(500_000_000), Wall(8 * 3_600_000_000));
        assert_eq!(watch.look(soon, morning), Some(morning));
        assert_eq!(watch.next(), minute(1), "a look more is no reason to wait longer");
    }
}
