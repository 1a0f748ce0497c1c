//! What is under way on a data channel: the adapter is asked now and then, and what makes no progress is told.
//!
//! ```text
//!   a machine is carried --> 20 s --> the adapter looks --> not acknowledged, sent again and again: our packets are lost;
//!     or packets come after a gap that stays: the peer's are --> a message to the node
//! ```

use std::time::Duration;

use crate::error::{Explain, Facts, Fault, Retry};
use crate::limits;
use crate::time::Instant;

/// What TCP knows of a connection (`TCP_INFO`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flight {
    /// Bytes sent and not acknowledged.
    pub unacked: u64,
    /// Bytes acknowledged since the connection was made.
    pub acked: u64,
    /// How often the oldest of them was sent again.
    pub retries: u32,
    /// Segments that have come after one that had not.
    pub gaps: u64,
}

/// A connection in use that makes no progress, though TCP holds it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stall {
    /// Large packets of ours are lost, and small ones are not.
    #[error("{bytes} bytes have not been acknowledged for {} s, though small packets get through", .since.as_secs())]
    OursLarge {
        /// Bytes sent and not acknowledged.
        bytes: u64,
        /// For how long.
        since: Duration,
    },
    /// Large packets of the peer are lost, and small ones are not.
    #[error("small packets of the peer come for {} s, and those before them do not", .since.as_secs())]
    TheirsLarge {
        /// For how long.
        since: Duration,
    },
    /// Whatever we send is lost.
    #[error("{bytes} bytes have not been acknowledged for {} s", .since.as_secs())]
    Ours {
        /// Bytes sent and not acknowledged.
        bytes: u64,
        /// For how long.
        since: Duration,
    },
}

impl Stall {
    /// For how long.
    #[must_use]
    pub const fn since(&self) -> Duration {
        let (Self::OursLarge { since, .. } | Self::TheirsLarge { since } | Self::Ours { since, .. }) = self;
        *since
    }

    /// Whether the size of the packets makes the difference.
    #[must_use]
    pub const fn is_large(&self) -> bool {
        !matches!(self, Self::Ours { .. })
    }
}

impl Explain for Stall {
    fn facts(&self) -> Facts {
        use Fault::Network;
        use Retry::Backoff;
        match self {
            Self::OursLarge { .. } => (
                Network,
                Backoff,
                131,
                "the way to the peer carries less than this host's MTU: let ICMP \"fragmentation needed\" \
                 through, or lower the MTU",
            ),
            Self::TheirsLarge { .. } => (
                Network,
                Backoff,
                132,
                "the way from the peer carries less than the peer's MTU: let ICMP \"fragmentation needed\" \
                 through to it, or lower its MTU",
            ),
            Self::Ours { .. } => (
                Network,
                Backoff,
                133,
                "the peer or the way to it is gone, or swallows large packets (MTU): see which with `ping -M do \
                 -s 1472`",
            ),
        }
        .into()
    }
}

/// One of each.
#[cfg(test)]
pub(crate) fn one_of_each() -> Vec<Stall> {
    let since = Duration::from_secs(20);
    vec![Stall::OursLarge { bytes: 1, since }, Stall::TheirsLarge { since }, Stall::Ours { bytes: 1, since }]
}

/// When to look, and what was seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Look {
    at: Option<Instant>,
    is_due: bool,
    /// What was seen the last time: bytes read, acknowledged, and gaps.
    read: u64,
    acked: u64,
    gaps: u64,
    /// Whether something is missing before what has come.
    has_gap: bool,
    /// Since when nothing moves.
    since: Option<Instant>,
    said: Option<Instant>,
}

/// What of the connection matters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    /// Bytes read so far, and when the last came.
    pub(super) read: u64,
    pub(super) heard: Instant,
    /// Whether a machine is carried.
    pub(super) is_bulk: bool,
}

impl Look {
    /// There is something to look after.
    pub(super) fn arm(&mut self, read: u64, now: Instant) {
        if self.at.is_none() && !self.is_due {
            self.read = read;
            self.at = Some(now + limits::LOOK);
        }
    }

    pub(super) const fn deadline(&self) -> Option<Instant> {
        self.at
    }

    /// The deadline is over.
    pub(super) const fn due(&mut self) {
        self.at = None;
        self.is_due = true;
    }

    pub(super) const fn is_due(&self) -> bool {
        self.is_due
    }

    /// Takes what the adapter saw; returns what is to be told.
    pub(super) fn saw(&mut self, flight: Option<Flight>, scene: Scene, now: Instant) -> Option<Stall> {
        self.is_due = false;
        let flight = flight?;
        let ours = flight.unacked > 0 && flight.retries >= limits::LOOK_RETRIES && flight.acked == self.acked;
        let theirs = scene.is_bulk && scene.read == self.read && (self.has_gap || flight.gaps > self.gaps);
        self.has_gap = theirs;
        (self.read, self.acked, self.gaps) = (scene.read, flight.acked, flight.gaps);
        if flight.unacked > 0 || scene.is_bulk {
            self.arm(scene.read, now);
        }
        if !ours && !theirs {
            (self.since, self.said) = (None, None);
            return None;
        }
        let began = *self.since.get_or_insert_with(|| Instant(now.0.saturating_sub(nanos(limits::LOOK))));
        if self.said.is_some_and(|at| now.since(at) < limits::SAY_TRY) {
            return None;
        }
        self.said = Some(now);
        let (bytes, since) = (flight.unacked, now.since(began));
        // Small packets have got through if the peer was heard meanwhile, or shortly before if there were no others then. One that
        // was silent for longer may have been forgotten by a gateway, which swallows packets of every size.
        let was_heard = began.since(scene.heard) <= limits::LOOK * 2;
        let small_pass = scene.heard > began || flight.acked < limits::SMALL_FLIGHTS && was_heard;
        let small_pass = small_pass && bytes > u64::from(limits::SMALL_SEGMENT);
        Some(match (ours, small_pass) {
            (true, true) => Stall::OursLarge { bytes, since },
            (true, false) => Stall::Ours { bytes, since },
            (false, _) => Stall::TheirsLarge { since },
        })
    }
}

const fn nanos(time: Duration) -> u64 {
    time.as_secs() * 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOST: Flight = Flight { unacked: 32_768, acked: 900, retries: 5, gaps: 0 };

    fn at(seconds: u64) -> Instant {
        Instant(seconds * 1_000_000_000)
    }

    fn scene(read: u64, heard: u64) -> Scene {
        Scene { read, heard: at(heard), is_bulk: true }
    }

    /// What is told when this is seen, look after look, each 20 s after the other.
    fn told(seen: &[(Flight, Scene)]) -> Vec<Option<Stall>> {
        let mut look = Look::default();
        let mut now = at(100);
        look.arm(5, now);
        let one = |&(flight, scene): &(Flight, Scene)| {
            now = look.deadline().unwrap();
            look.due();
            look.saw(Some(flight), scene, now)
        };
        seen.iter().map(one).collect()
    }

    #[test]
    fn a_first_large_flight_that_is_lost_names_the_size_and_is_told_again_once_a_minute() {
        let seconds = Duration::from_secs;
        let seen = [(LOST, scene(5, 100)); 6];
        let all = told(&seen);
        let expected = |since| Some(Stall::OursLarge { bytes: 32_768, since: seconds(since) });
        // The first look only learns what was acknowledged before.
        assert_eq!(all, [None, expected(20), None, None, expected(80), None]);
    }

    #[test]
    fn after_much_has_got_through_only_a_peer_that_is_heard_tells_the_size_from_the_end_of_the_way() {
        let much = Flight { acked: limits::SMALL_FLIGHTS, ..LOST };
        assert!(matches!(told(&[(much, scene(5, 100)); 2])[1], Some(Stall::Ours { .. })));
        assert!(matches!(told(&[(much, scene(5, 139)); 2])[1], Some(Stall::OursLarge { .. })));
        let less = Flight { acked: limits::SMALL_FLIGHTS - 1, ..LOST };
        assert!(matches!(told(&[(less, scene(5, 100)); 2])[1], Some(Stall::OursLarge { .. })));
    }

    #[test]
    fn a_first_flight_after_a_silence_that_a_gateway_may_have_used_to_forget_says_nothing_of_sizes() {
        // Both are told 140 s after the beginning: what is lost began to be lost at 120 s.
        assert!(matches!(told(&[(LOST, scene(5, 80)); 2])[1], Some(Stall::OursLarge { .. })));
        assert!(matches!(told(&[(LOST, scene(5, 79)); 2])[1], Some(Stall::Ours { .. })));
    }

    #[test]
    fn what_moves_or_waits_for_a_peer_that_takes_nothing_is_no_stall() {
        let moves = Flight { acked: 901, ..LOST };
        assert_eq!(told(&[(LOST, scene(5, 100)), (moves, scene(5, 100))]), [None, None]);
        // A closed window: nothing is sent, so nothing is sent again.
        let shut = Flight { retries: 0, unacked: 0, ..LOST };
        assert_eq!(told(&[(shut, scene(5, 100)); 3]), [None; 3]);
    }

    #[test]
    fn packets_after_a_gap_that_stays_are_told_and_a_gap_that_closes_is_not() {
        let gaps = |gaps| Flight { gaps, ..Flight::default() };
        let all = told(&[(gaps(3), scene(5, 100)); 5]);
        assert!(matches!(all[..], [Some(Stall::TheirsLarge { .. }), None, None, Some(_), None]), "{all:?}");
        assert_eq!(told(&[(gaps(0), scene(5, 100)), (gaps(3), scene(6, 100))]), [None, None]);
    }

    #[test]
    fn a_connection_with_nothing_under_way_is_looked_at_once() {
        let mut look = Look::default();
        look.arm(5, at(0));
        look.due();
        let idle = Scene { is_bulk: false, ..scene(5, 0) };
        assert_eq!(look.saw(Some(Flight::default()), idle, at(20)), None);
        assert_eq!(look.deadline(), None);
        look.arm(5, at(30));
        look.due();
        assert_eq!(look.saw(None, scene(5, 0), at(50)), None);
        assert_eq!(look.deadline(), None, "an adapter that cannot tell is asked once");
    }
}
