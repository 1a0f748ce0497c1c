//! What carries segments one way: latency and jitter, rate, loss, the largest packet, and whether anything gets through. The
//! edges of the network tree are made of it (see [`edge`](crate::edge)), and so is what is between two hosts beyond those.

use std::collections::BTreeMap;
use std::time::Duration;

use towline_core::time::Instant;

use crate::host::HostId;
use crate::rng::Rng;

/// One direction of an edge, or between two hosts.
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
    /// Bytes of the largest segment it carries; larger ones are dropped. See [`with_mtu`](Self::with_mtu).
    pub largest: Option<usize>,
    /// Whether whoever sent a larger one is told how much gets through, as routers do with ICMP "fragmentation needed"
    /// (RFC 1191 §4). If not, large segments vanish: an MTU black hole.
    pub tells: bool,
}

impl Default for Link {
    /// A good local network: 200 microseconds, 1 Gbit/s.
    fn default() -> Self {
        Self { latency: Duration::from_micros(200), rate: 125_000_000, ..Self::CLEAR }
    }
}

impl Link {
    /// Nothing in the way.
    pub const CLEAR: Self = Self {
        latency: Duration::ZERO,
        jitter: Duration::ZERO,
        rate: 0,
        loss: 0,
        cut: false,
        largest: None,
        tells: false,
    };

    /// Carries IP packets up to so many bytes, and tells of larger ones or not. Interfaces of hosts are for 1,500 here: more
    /// than that is no limit.
    #[must_use]
    pub const fn with_mtu(self, bytes: usize, tells: bool) -> Self {
        let largest = if bytes < INTERFACE { Some(bytes.saturating_sub(HEADERS as usize)) } else { None };
        Self { largest, tells, ..self }
    }
}

/// What becomes of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// It goes on.
    Through,
    /// Nothing gets through.
    Cut,
    /// By chance.
    Lost,
    /// It is too large; its sender is told what the largest is, or not.
    TooLarge(Option<usize>),
}

/// When a segment is somewhere: its first byte, and its last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Front {
    pub(crate) first: Instant,
    pub(crate) last: Instant,
}

impl Front {
    /// All of it at once.
    pub(crate) const fn at(now: Instant) -> Self {
        Self { first: now, last: now }
    }
}

/// A link with what is on it.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    pub(crate) link: Link,
    /// When all before is on its way.
    busy: Instant,
    /// When the last segment arrives.
    last: Instant,
}

impl Lane {
    pub(crate) const fn new(link: Link) -> Self {
        Self { link, busy: Instant::ZERO, last: Instant::ZERO }
    }

    /// A segment comes to its beginning, and so to its end. What is on it goes on while it comes: of several links in a row
    /// the slowest one counts.
    pub(crate) fn pass(&mut self, bytes: usize, front: &mut Front, rng: &mut Rng) -> Pass {
        let Self { link, busy, last } = self;
        // Chance is asked only where there is any, so that a world without it stays as it was.
        if link.loss > 0 && rng.below(MILLION) < u64::from(link.loss) {
            return Pass::Lost;
        }
        if link.cut {
            return Pass::Cut;
        }
        if let Some(largest) = link.largest.filter(|largest| bytes > *largest) {
            return Pass::TooLarge(link.tells.then_some(largest));
        }
        let nanos = (bytes as u64 + HEADERS).saturating_mul(1_000_000_000).checked_div(link.rate).unwrap_or(0);
        let begin = (*busy).max(front.first);
        *busy = (begin + Duration::from_nanos(nanos)).max(front.last);
        let most = u64::try_from(link.jitter.as_nanos()).unwrap_or(u64::MAX);
        let later = if most == 0 { 0 } else { rng.below(most.saturating_add(1)) };
        let under_way = link.latency + Duration::from_nanos(later);
        *last = (*last).max(*busy + under_way);
        *front = Front { first: begin + under_way, last: *last };
        Pass::Through
    }
}

/// What is between hosts beyond the edges, in each direction.
#[derive(Debug, Default)]
pub struct Links {
    /// By both hosts as one number.
    lanes: BTreeMap<u128, Lane>,
}

impl Links {
    /// One direction.
    #[must_use]
    pub fn get(&self, from: HostId, to: HostId) -> Link {
        self.lanes.get(&number(from, to)).map(|lane| lane.link).unwrap_or_default()
    }

    /// Changes one direction.
    pub fn change(&mut self, from: HostId, to: HostId, change: impl FnOnce(&mut Link)) {
        change(&mut self.lanes.entry(number(from, to)).or_default().link);
    }

    /// When a segment of so many bytes arrives that is sent then; `None` if it is dropped. Segments keep their order.
    pub(crate) fn carry(&mut self, way: (HostId, HostId), bytes: usize, front: &mut Front, rng: &mut Rng) -> Pass {
        self.lanes.entry(number(way.0, way.1)).or_default().pass(bytes, front, rng)
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

const fn number(from: HostId, to: HostId) -> u128 {
    (from.0 as u128) << 64 | to.0 as u128
}

/// Bytes of headers of a segment: of IPv4, and of TCP with timestamps.
const HEADERS: u64 = 52;
/// The MTU of hosts' interfaces.
const INTERFACE: usize = 1_500;
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

    /// When a segment arrives that is sent now; `None` if it does not.
    fn sent(links: &mut Links, way: (HostId, HostId), bytes: usize, now: Instant, rng: &mut Rng) -> Option<Instant> {
        let mut front = Front::at(now);
        (links.carry(way, bytes, &mut front, rng) == Pass::Through).then_some(front.last)
    }

    #[test]
    fn a_segment_waits_for_the_one_before_it() {
        let mut rng = Rng::new(1);
        let mut links = link(Link { latency: SECOND, rate: 1000, largest: Some(948), ..Link::default() });
        let now = Instant::ZERO;
        assert_eq!(sent(&mut links, WAY, 948, now, &mut rng), Some(now + 2 * SECOND));
        assert_eq!(sent(&mut links, WAY, 948, now, &mut rng), Some(now + 3 * SECOND));
        assert_eq!(sent(&mut links, WAY, 949, now, &mut rng), None, "one byte too large");
        links.change(WAY.0, WAY.1, |link| link.cut = true);
        assert_eq!(sent(&mut links, WAY, 0, now, &mut rng), None);
        let back = (WAY.1, WAY.0);
        assert!(sent(&mut links, back, 0, now, &mut rng).is_some(), "the other way is another link");
        links.heal();
        assert!(sent(&mut links, WAY, 0, now, &mut rng).is_some());
    }

    #[test]
    fn in_a_row_latencies_add_up_and_the_slowest_rate_counts() {
        let mut rng = Rng::new(4);
        let lane = |rate| Lane::new(Link { latency: SECOND, rate, ..Link::CLEAR });
        let mut row = [lane(2_000), lane(1_000), lane(4_000)];
        let mut arrives = |now| {
            let mut front = Front::at(now);
            row.iter_mut().for_each(|lane| assert_eq!(lane.pass(948, &mut front, &mut rng), Pass::Through));
            front.last
        };
        // A second for a kilobyte, and three of latency.
        assert_eq!(arrives(Instant::ZERO), Instant::ZERO + 4 * SECOND);
        assert_eq!(arrives(Instant::ZERO), Instant::ZERO + 5 * SECOND);
        assert_eq!(arrives(Instant::ZERO + 10 * SECOND), Instant::ZERO + 14 * SECOND);
    }

    #[test]
    fn an_mtu_counts_the_headers_and_is_none_where_interfaces_have_no_more() {
        let tells = Link::CLEAR.with_mtu(1_300, true);
        let (mut front, mut rng) = (Front::default(), Rng::new(5));
        assert_eq!(Lane::new(tells).pass(1_248, &mut front, &mut rng), Pass::Through);
        assert_eq!(Lane::new(tells).pass(1_249, &mut front, &mut rng), Pass::TooLarge(Some(1_248)));
        let silent = Link::CLEAR.with_mtu(1_300, false);
        assert_eq!(Lane::new(silent).pass(1_249, &mut front, &mut rng), Pass::TooLarge(None));
        assert_eq!(Link::CLEAR.with_mtu(1_500, false).largest, None);
    }

    #[test]
    fn of_many_segments_as_many_are_lost_as_are_said_to_be() {
        let mut rng = Rng::new(2);
        for (loss, least, most) in
            [(0, 0, 0), (50_000, 400, 600), (999_999, 9_990, 10_000), (1_000_000, 10_000, 10_000)]
        {
            let mut links = link(Link { loss, ..Link::default() });
            let lost = (0..10_000).filter(|_| sent(&mut links, WAY, 0, Instant::ZERO, &mut rng).is_none()).count();
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
            let began = Instant::ZERO + pause * n;
            let at = sent(&mut links, WAY, 0, began, &mut rng).expect("nothing is lost");
            assert!(at >= last && at >= began + SECOND && at <= began + 2 * SECOND, "{n}: {at:?}");
            later += u32::from(at > last);
            last = at;
        }
        assert!(later > 50, "all of them came at {later} moments");
    }
}
