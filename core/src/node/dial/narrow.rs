//! Ways on which large packets are lost: a dial that connects and then hears nothing is tried again with small segments.
//! If that is heard, the way swallows large packets (an MTU black hole, RFC 2923 §2.1), and small ones are used for a
//! while.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::limits;
use crate::time::Instant;

/// The other ends of such ways, each with the time until which it counts, and whether it is proven.
#[derive(Debug, Default)]
pub(in crate::node) struct Narrow {
    places: BTreeMap<IpAddr, (Instant, bool)>,
}

impl Narrow {
    /// Whether to dial this address with small segments.
    pub(super) fn is_narrow(&mut self, to: IpAddr, now: Instant) -> bool {
        if self.places.get(&to).is_some_and(|(until, _)| *until <= now) {
            self.places.remove(&to);
        }
        self.places.contains_key(&to)
    }

    /// A connection to it stands still: the next one is dialled the other way.
    pub(in crate::node) fn stalled(&mut self, to: IpAddr, small: bool, now: Instant) {
        if small {
            // It was not the size.
            self.places.remove(&to);
            return;
        }
        // A suspicion ages fast: a daemon that hung and has been started again looks the same.
        let until = now + limits::NARROW_SUSPECTED;
        let place = self.places.entry(to).or_insert((until, false));
        if !place.1 {
            place.0 = until;
        }
        while self.places.len() > limits::NARROW_PLACES {
            let soonest = self.places.iter().min_by_key(|(_, (until, _))| *until).map(|(to, _)| *to);
            soonest.map(|to| self.places.remove(&to));
        }
    }

    /// Small segments got through. True if that is news.
    pub(super) fn passed(&mut self, to: IpAddr, now: Instant) -> bool {
        let before = self.places.insert(to, (now + limits::NARROW, true));
        before.is_none_or(|(_, is_proven)| !is_proven)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn a_way_counts_as_narrow_until_small_segments_fail_too_or_its_time_is_over() {
        let (now, mut narrow) = (Instant(0), Narrow::default());
        assert!(!narrow.is_narrow(place(1), now));
        narrow.stalled(place(1), false, now);
        assert!(narrow.is_narrow(place(1), now) && !narrow.is_narrow(place(2), now));
        narrow.stalled(place(1), true, now);
        assert!(!narrow.is_narrow(place(1), now));
        narrow.stalled(place(1), false, now);
        assert!(narrow.passed(place(1), now) && !narrow.passed(place(1), now), "news once");
        assert!(narrow.is_narrow(place(1), now + limits::NARROW_SUSPECTED));
        assert!(!narrow.is_narrow(place(1), now + limits::NARROW));
        narrow.stalled(place(1), false, now);
        assert!(narrow.is_narrow(place(1), Instant(now.0 + 1)));
        assert!(!narrow.is_narrow(place(1), now + limits::NARROW_SUSPECTED), "nothing has proved it");
    }

    #[test]
    fn so_many_places_are_remembered_and_the_oldest_is_forgotten() {
        let mut narrow = Narrow::default();
        let last = u8::try_from(limits::NARROW_PLACES).unwrap();
        for n in 0..=last {
            narrow.stalled(place(n), false, Instant(u64::from(n)));
        }
        assert!(!narrow.is_narrow(place(0), Instant(9)));
        assert!(narrow.is_narrow(place(1), Instant(9)) && narrow.is_narrow(place(last), Instant(9)));
    }
}
