//! The accepted connections that are not authenticated yet, and which of them goes when there are too many.
//!
//! Whoever holds most of the room gives: first those that have said nothing or those that have stopped half-way, whichever
//! are more; among them the networks, then the hosts, with clearly more connections than others; there, the one that has
//! been silent longest. So a peer that speaks gets in, whether a crowd sits behind its own address or at a thousand others. Who has
//! proved a key within TLS goes last.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use crate::ids::ConnId;
use crate::time::Instant;

/// Connections that are not authenticated yet.
#[derive(Debug, Default)]
pub(super) struct Crowd(BTreeMap<ConnId, Waiting>);

#[derive(Clone, Copy, Debug)]
struct Waiting {
    from: IpAddr,
    /// When it came, or last got further.
    heard: Instant,
    progress: Progress,
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Progress {
    /// It has said nothing that makes sense.
    Silent,
    /// It has said hello, in clear or in TLS.
    Spoke,
    /// It has proved in TLS that it knows a key.
    Proved,
}

/// The one that has to go, and why it is this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outcast {
    pub(super) conn: ConnId,
    /// Since when it has been silent.
    pub(super) heard: Instant,
    /// Its network.
    pub(super) network: Prefix,
    /// How many connections of the crowd are from there.
    pub(super) from_there: usize,
}

impl Crowd {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn add(&mut self, conn: ConnId, from: IpAddr, now: Instant) {
        self.0.insert(conn, Waiting { from, heard: now, progress: Progress::Silent });
    }

    pub(super) fn got_further(&mut self, conn: ConnId, progress: Progress, now: Instant) {
        if let Some(waiting) = self.0.get_mut(&conn) {
            waiting.progress = waiting.progress.max(progress);
            waiting.heard = now;
        }
    }

    pub(super) fn remove(&mut self, conn: ConnId) {
        self.0.remove(&conn);
    }

    /// Who goes next; `None` if nobody is here.
    pub(super) fn outcast(&self) -> Option<Outcast> {
        let (silent, spoke) = (self.at(Progress::Silent), self.at(Progress::Spoke));
        let mut pool = if silent.len() >= spoke.len() { silent } else { spoke };
        if pool.is_empty() {
            pool = self.at(Progress::Proved);
        }
        for level in LEVELS {
            pool = of_the_largest(pool, level);
        }
        let (conn, waiting) = pool.into_iter().min_by_key(|(conn, waiting)| (waiting.heard, *conn))?;
        let network = Prefix::network(waiting.from);
        let from_there = self.0.values().filter(|waiting| Prefix::network(waiting.from) == network).count();
        Some(Outcast { conn, heard: waiting.heard, network, from_there })
    }

    fn at(&self, progress: Progress) -> Vec<(ConnId, Waiting)> {
        let all = self.0.iter().map(|(&conn, &waiting)| (conn, waiting));
        all.filter(|(_, waiting)| waiting.progress == progress).collect()
    }
}

/// Those from the prefix with the most of them, and from the others with at least half as many: where nobody holds clearly
/// more, a peer must not go because it shares its prefix with one of the crowd.
fn of_the_largest(mut pool: Vec<(ConnId, Waiting)>, level: Level) -> Vec<(ConnId, Waiting)> {
    let mut held: BTreeMap<Prefix, usize> = BTreeMap::new();
    for (_, waiting) in &pool {
        *held.entry(level(waiting.from)).or_insert(0) += 1;
    }
    let most = held.values().copied().max().unwrap_or(0);
    pool.retain(|(_, waiting)| held.get(&level(waiting.from)).is_some_and(|n| 2 * n >= most));
    pool
}

type Level = fn(IpAddr) -> Prefix;

/// From far to near. In one network a host that holds much gives before its neighbours do.
const LEVELS: [Level; 3] = [Prefix::network, Prefix::host, |ip| Prefix::of(ip, 32, 128)];

/// The addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Prefix {
    first: IpAddr,
    bits: u8,
}

impl Prefix {
    /// What one party has at a time: an IPv4 address (which many may share behind NAT), or one of the /64 that each link
    /// of IPv6 has to itself (RFC 4291 §2.5.4).
    pub(super) fn host(ip: IpAddr) -> Self {
        Self::of(ip, 32, 64)
    }

    /// What one party can get easily: the smallest block of IPv4 that is routed by itself, the block of IPv6 that a site
    /// is given (RFC 6177 §2).
    pub(super) fn network(ip: IpAddr) -> Self {
        Self::of(ip, 24, 48)
    }

    fn of(ip: IpAddr, v4: u8, v6: u8) -> Self {
        // An IPv4 address in the clothes of IPv6 (RFC 4291 §2.5.5.2) counts as what it is.
        match ip.to_canonical() {
            IpAddr::V4(ip) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(v4)).unwrap_or(0);
                Self { first: IpAddr::V4((ip.to_bits() & mask).into()), bits: v4 }
            }
            IpAddr::V6(ip) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(v6)).unwrap_or(0);
                Self { first: IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & mask)), bits: v6 }
            }
        }
    }
}

/// `192.0.2.0/24`, or a whole address alone.
impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = if self.first.is_ipv4() { 32 } else { 128 };
        write!(f, "{}", self.first)?;
        if self.bits == whole { Ok(()) } else { write!(f, "/{}", self.bits) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fills a crowd in this order, one a nanosecond.
    fn crowd(of: impl IntoIterator<Item = IpAddr>) -> Crowd {
        let mut crowd = Crowd::default();
        for (n, from) in (0..).zip(of) {
            crowd.add(ConnId(n), from, Instant(n));
        }
        crowd
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn next(crowd: &mut Crowd) -> u64 {
        let Some(Outcast { conn, .. }) = crowd.outcast() else { panic!("nobody is here") };
        crowd.remove(conn);
        conn.0
    }

    #[test]
    fn of_one_address_the_one_that_was_silent_longest_goes() {
        let mut crowd = crowd(vec![ip("203.0.113.1"); 4]);
        crowd.got_further(ConnId(0), Progress::Silent, Instant(9));
        assert_eq!([next(&mut crowd), next(&mut crowd), next(&mut crowd), next(&mut crowd)], [1, 2, 3, 0]);
        assert_eq!(crowd.outcast(), None);
    }

    #[test]
    fn a_network_with_more_gives_before_one_with_less_and_in_it_the_host_with_most() {
        let old = ["192.0.2.1", "198.51.100.1"].map(ip);
        let crowded = ["203.0.113.7", "203.0.113.9", "203.0.113.9", "203.0.113.9"].map(ip);
        let mut all = crowd(old.into_iter().chain(crowded));
        let outcast = all.outcast().unwrap();
        assert_eq!((outcast.conn, outcast.from_there), (ConnId(3), 4));
        assert_eq!(outcast.network.to_string(), "203.0.113.0/24");
        // Once it does not hold clearly more, age alone decides: first among its hosts, then among all.
        assert_eq!([next(&mut all), next(&mut all), next(&mut all)], [3, 2, 0]);
    }

    #[test]
    fn one_64_counts_as_one_however_many_addresses_it_uses() {
        let crowded = (0..200_u64).map(|n| ip(&format!("2001:db8:1:2::{n:x}")));
        let mut all = crowd([ip("2001:db8:1:3::1"), ip("2001:db8:2::1"), ip("192.0.2.1")].into_iter().chain(crowded));
        for expected in 3..201 {
            assert_eq!(next(&mut all), expected);
        }
        assert_eq!(next(&mut all), 0, "the site still has three");
        assert_eq!(next(&mut all), 1, "one each: the oldest");
    }

    #[test]
    fn who_has_spoken_stays_while_more_are_silent_and_the_silent_stay_while_more_have_stopped_half_way() {
        let mut all = crowd(vec![ip("203.0.113.1"); 5]);
        all.got_further(ConnId(0), Progress::Spoke, Instant(5));
        all.got_further(ConnId(1), Progress::Spoke, Instant(6));
        assert_eq!(next(&mut all), 2, "three silent, two that spoke");
        assert_eq!(next(&mut all), 3, "as many: the silent");
        assert_eq!(next(&mut all), 0, "one silent, two that spoke");
        all.got_further(ConnId(1), Progress::Proved, Instant(7));
        assert_eq!([next(&mut all), next(&mut all)], [4, 1], "who has proved a key goes last");
    }

    #[test]
    fn a_peer_that_speaks_keeps_its_place_while_half_the_room_comes_after_it() {
        const ROOM: usize = 256;
        for addresses in [1, 300, 10_000_u32] {
            let attacker =
                |n: u64| ip(&format!("10.{}.{}.1", n % u64::from(addresses) / 250, n % u64::from(addresses) % 250));
            let mut all = crowd((0..ROOM as u64).map(attacker));
            let own = ConnId(1_000_000);
            all.remove(all.outcast().unwrap().conn);
            all.add(own, attacker(0), Instant(300));
            for n in 0..10_000 {
                // Every few of the others it gets one step further.
                if n == 100 {
                    all.got_further(own, Progress::Spoke, Instant(1_000 + n));
                }
                let out = all.outcast().unwrap().conn;
                assert_ne!(out, own, "{addresses} addresses, after {n}");
                all.remove(out);
                all.add(ConnId(2_000 + n), attacker(n), Instant(1_000 + n));
                assert_eq!(all.len(), ROOM);
            }
        }
    }

    #[test]
    fn an_ipv4_address_in_ipv6_clothes_is_one_of_ipv4() {
        assert_eq!(Prefix::host(ip("::ffff:192.0.2.1")), Prefix::host(ip("192.0.2.1")));
        assert_eq!(Prefix::host(ip("192.0.2.1")).to_string(), "192.0.2.1");
        assert_eq!(Prefix::host(ip("2001:db8::1:2:3:4")).to_string(), "2001:db8::/64");
        assert_ne!(Prefix::host(ip("2001:db8:0:1::1")), Prefix::host(ip("2001:db8:0:2::1")));
        assert_eq!(Prefix::network(ip("2001:db8:0:1::1")), Prefix::network(ip("2001:db8:0:2::1")));
    }
}
