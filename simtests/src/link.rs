//! The network between two hosts: latency and jitter, rate, loss, and whether anything gets through.

use std::collections::BTreeMap;
use std::time::Duration;

use towline_core::time::Instant;

use crate::host::HostId;
use crate::rng::Rng;

/// One direction between two hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// How long a segment is under way.
    pub latency: Duration,
    /// How much longer than that it may be under way. Segments keep their order.
    pub jitter: Duration,
    /// Bytes a second; 0 for no limit.
    pub rate: u64,
    /// Of a million segments, so many are lost, silently.
    pub loss: u32,
    /// Whether it drops everything, silently.
    pub cut: bool,
    /// Bytes of the largest segment it carries; larger ones are dropped, silently: an MTU black hole.
    pub largest: Option<usize>,
}

impl Default for Link {
    /// A good local network: 200 microseconds, 1 Gbit/s.
    fn default() -> Self {
        Self {
            latency: Duration::from_micros(200),
            jitter: Duration::ZERO,
            rate: 125_000_000,
            loss: 0,
            cut: false,
            largest: None,
        }
    }
}

/// All directions between all hosts.
#[derive(Debug, Default)]
pub struct Links {
    lanes: BTreeMap<(HostId, HostId), Lane>,
}

#[derive(Debug, Default)]
struct Lane {
    link: Link,
    /// When all before is on its way.
    busy: Instant,
    /// When the last segment arrives.
    last: Instant,
}

impl Links {
    /// One direction.
    #[must_use]
    pub fn get(&self, from: HostId, to: HostId) -> Link {
        self.lanes.get(&(from, to)).map(|lane| lane.link).unwrap_or_default()
    }

    /// Changes one direction.
    pub fn change(&mut self, from: HostId, to: HostId, change: impl FnOnce(&mut Link)) {
        change(&mut self.lanes.entry((from, to)).or_default().link);
    }

    /// When a segment of so many bytes that is sent now arrives; `None` if it is dropped. Segments keep their order.
    pub fn carry(&mut self, way: (HostId, HostId), bytes: usize, now: Instant, rng: &mut Rng) -> Option<Instant> {
        let Lane { link, busy, last } = self.lanes.entry(way).or_default();
        // Chance is asked only where there is any, so that a world without it stays as it was.
        let is_lost = link.loss > 0 && rng.below(MILLION) < u64::from(link.loss);
        if is_lost || link.cut || link.largest.is_some_and(|largest| bytes > largest) {
            return None;
        }
        let nanos = (bytes as u64 + HEADERS).saturating_mul(1_000_000_000).checked_div(link.rate).unwrap_or(0);
        *busy = (*busy).max(now) + Duration::from_nanos(nanos);
        let most = u64::try_from(link.jitter.as_nanos()).unwrap_or(u64::MAX);
        let later = if most == 0 { 0 } else { rng.below(most.saturating_add(1)) };
        *last = (*last).max(*busy + link.latency + Duration::from_nanos(later));
        Some(*last)
    }

    /// Lets everything through again. What is slow stays so.
    pub fn heal(&mut self) {
        self.lanes.values_mut().for_each(|Lane { link, .. }| {
            link.cut = false;
            link.loss = 0;
            link.largest = None;
        });
    }
}

/// Bytes of headers of a segment.
const HEADERS: u64 = 52;
/// What [`Link::loss`] is a part of.
const MILLION: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const WAY: (HostId, HostId) = (HostId(0), HostId(1));
    const SECOND: Duration = Duration::from_secs(1);

    fn link(link: Link) -> Links {
        let mut links = Links::default();
        links.change(WAY.0, WAY.1, |old| *old = link);
        links
    }

    #[test]
    fn a_segment_waits_for_the_one_before_it() {
        let mut rng = Rng::new(1);
        let mut links = link(Link { latency: SECOND, rate: 1000, largest: Some(948), ..Link::default() });
        let now = Instant::ZERO;
        assert_eq!(links.carry(WAY, 948, now, &mut rng), Some(now + 2 * SECOND));
        assert_eq!(links.carry(WAY, 948, now, &mut rng), Some(now + 3 * SECOND));
        assert_eq!(links.carry(WAY, 949, now, &mut rng), None, "one byte too large");
        links.change(WAY.0, WAY.1, |link| link.cut = true);
        assert_eq!(links.carry(WAY, 0, now, &mut rng), None);
        let back = (WAY.1, WAY.0);
        assert!(links.carry(back, 0, now, &mut rng).is_some(), "the other way is another link");
        links.heal();
        assert!(links.carry(WAY, 0, now, &mut rng).is_some());
    }

    #[test]
    fn of_many_segments_as_many_are_lost_as_are_said_to_be() {
        let mut rng = Rng::new(2);
        for (loss, least, most) in
            [(0, 0, 0), (50_000, 400, 600), (999_999, 9_990, 10_000), (1_000_000, 10_000, 10_000)]
        {
            let mut links = link(Link { loss, ..Link::default() });
            let lost = (0..10_000).filter(|_| links.carry(WAY, 0, Instant::ZERO, &mut rng).is_none()).count();
            assert!((least..=most).contains(&lost), "{loss}: {lost}");
        }
    }

    #[test]
    fn jitter_delays_within_its_bound_and_keeps_the_order() {
        let mut rng = Rng::new(3);
        let mut links = link(Link { latency: SECOND, jitter: SECOND, rate: 0, ..Link::default() });
        let pause = Duration::from_millis(10);
        let (mut last, mut later) = (Instant::ZERO, 0);
        for n in 0..1000 {
            let sent = Instant::ZERO + pause * n;
            let at = links.carry(WAY, 0, sent, &mut rng).expect("nothing is lost");
            assert!(at >= last && at >= sent + SECOND && at <= sent + 2 * SECOND, "{n}: {at:?}");
            later += u32::from(at > last);
            last = at;
        }
        assert!(later > 50, "all of them came at {later} moments");
    }
}
