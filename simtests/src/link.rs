//! The network between two hosts: latency, rate, and whether anything gets through.

use std::collections::BTreeMap;
use std::time::Duration;

use towline_core::time::Instant;

use crate::host::HostId;

/// One direction between two hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// How long a segment is under way.
    pub latency: Duration,
    /// Bytes a second; 0 for no limit.
    pub rate: u64,
    /// Whether it drops everything, silently.
    pub cut: bool,
    /// Bytes of the largest segment it carries; larger ones are dropped, silently: an MTU black hole.
    pub largest: Option<usize>,
}

impl Default for Link {
    /// A good local network: 200 microseconds, 1 Gbit/s.
    fn default() -> Self {
        Self { latency: Duration::from_micros(200), rate: 125_000_000, cut: false, largest: None }
    }
}

/// All directions between all hosts.
#[derive(Debug, Default)]
pub struct Links {
    links: BTreeMap<(HostId, HostId), (Link, Instant)>,
}

impl Links {
    /// One direction.
    #[must_use]
    pub fn get(&self, from: HostId, to: HostId) -> Link {
        self.links.get(&(from, to)).map(|(link, _)| *link).unwrap_or_default()
    }

    /// Changes one direction.
    pub fn change(&mut self, from: HostId, to: HostId, change: impl FnOnce(&mut Link)) {
        change(&mut self.links.entry((from, to)).or_default().0);
    }

    /// When a segment of so many bytes that is sent now arrives; `None` if it is dropped. Segments keep their order.
    pub fn carry(&mut self, from: HostId, to: HostId, bytes: usize, now: Instant) -> Option<Instant> {
        let (link, busy) = self.links.entry((from, to)).or_default();
        if link.cut || link.largest.is_some_and(|largest| bytes > largest) {
            return None;
        }
        let nanos = (bytes as u64 + HEADERS).saturating_mul(1_000_000_000).checked_div(link.rate).unwrap_or(0);
        *busy = (*busy).max(now) + Duration::from_nanos(nanos);
        Some(*busy + link.latency)
    }

    /// Lets everything through again.
    pub fn heal(&mut self) {
        self.links.values_mut().for_each(|(link, _)| {
            link.cut = false;
            link.largest = None;
        });
    }
}

/// Bytes of headers of a segment.
const HEADERS: u64 = 52;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_waits_for_the_one_before_it() {
        let (a, b) = (HostId(0), HostId(1));
        let mut links = Links::default();
        let second = Duration::from_secs(1);
        links.change(a, b, |link| *link = Link { latency: second, rate: 1000, cut: false, largest: Some(948) });
        let now = Instant::ZERO;
        assert_eq!(links.carry(a, b, 948, now), Some(now + 2 * second));
        assert_eq!(links.carry(a, b, 948, now), Some(now + 3 * second));
        assert_eq!(links.carry(a, b, 949, now), None, "one byte too large");
        links.change(a, b, |link| link.cut = true);
        assert_eq!(links.carry(a, b, 0, now), None);
        links.heal();
        assert!(links.carry(a, b, 0, now).is_some());
    }
}
