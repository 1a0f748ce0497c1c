//! The addresses of one name race each other (RFC 8305): a try begins 250 ms after the one before it, or as soon as one
//! fails; the first that connects wins.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use crate::ids::DialId;
use crate::limits;
use crate::socket::IoKind;

/// The tries of one dial.
#[derive(Debug, Default)]
pub(super) struct Race {
    waiting: VecDeque<SocketAddr>,
    running: BTreeMap<DialId, SocketAddr>,
}

impl Race {
    /// The addresses in the order of the resolver, which has sorted them by RFC 6724.
    pub(super) fn new(addresses: &[SocketAddr]) -> Self {
        let mut waiting = interleaved(addresses);
        waiting.truncate(limits::ADDRESSES_PER_NAME);
        Self { waiting, running: BTreeMap::new() }
    }

    /// The next address to try.
    pub(super) fn next(&mut self) -> Option<SocketAddr> {
        self.waiting.pop_front()
    }

    /// Whether an address has not been tried yet.
    pub(super) fn has_more(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether a try is under way.
    pub(super) fn is_running(&self) -> bool {
        !self.running.is_empty()
    }

    /// A try has begun.
    pub(super) fn began(&mut self, id: DialId, to: SocketAddr) {
        self.running.insert(id, to);
    }

    /// A try has failed; returns its address.
    pub(super) fn lost(&mut self, id: DialId) -> Option<SocketAddr> {
        self.running.remove(&id)
    }

    /// A try has connected: returns its address and the tries to call off. Their addresses come first if the winner turns
    /// out to be no use.
    pub(super) fn won(&mut self, id: DialId) -> Option<(SocketAddr, Vec<DialId>)> {
        let to = self.running.remove(&id)?;
        let losers = std::mem::take(&mut self.running);
        for &address in losers.values().rev() {
            self.waiting.push_front(address);
        }
        Some((to, losers.into_keys().collect()))
    }

    /// Calls it off; returns the tries to call off.
    pub(super) fn end(&mut self) -> Vec<DialId> {
        self.waiting.clear();
        std::mem::take(&mut self.running).into_keys().collect()
    }
}

/// Each address once, the families by turns, the first one first (RFC 8305 §4).
fn interleaved(addresses: &[SocketAddr]) -> VecDeque<SocketAddr> {
    let mut all: Vec<SocketAddr> = Vec::with_capacity(addresses.len());
    for address in addresses {
        if !all.contains(address) {
            all.push(*address);
        }
    }
    let first = all.first().is_some_and(SocketAddr::is_ipv4);
    let (ours, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|address| address.is_ipv4() == first);
    let (mut ours, mut others) = (ours.into_iter(), others.into_iter());
    let mut order = VecDeque::new();
    loop {
        let pair = [ours.next(), others.next()];
        if pair == [None, None] {
            return order;
        }
        order.extend(pair.into_iter().flatten());
    }
}

/// Of two failures the one that says more: a refusal comes from the host itself, a missing route only from us.
pub(super) const fn says_more(than: IoKind, new: IoKind) -> bool {
    rank(new) >= rank(than)
}

const fn rank(kind: IoKind) -> u8 {
    match kind {
        IoKind::Cancelled => 0,
        IoKind::NoFamily | IoKind::NoRoute | IoKind::Other => 1,
        IoKind::TimedOut | IoKind::Aborted | IoKind::Unreachable | IoKind::NoNeighbour => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(last: u8) -> SocketAddr {
        ([192, 0, 2, last], 1).into()
    }

    fn v6(last: u16) -> SocketAddr {
        ([0x2001, 0xdb8, 0, 0, 0, 0, 0, last], 1).into()
    }

    #[test]
    fn families_take_turns_and_keep_their_order() {
        let order = |addresses: &[SocketAddr]| Vec::from(interleaved(addresses));
        assert_eq!(order(&[v6(1), v6(2), v6(3), v4(1)]), [v6(1), v4(1), v6(2), v6(3)]);
        assert_eq!(order(&[v4(1), v4(2), v6(1), v6(2)]), [v4(1), v6(1), v4(2), v6(2)]);
        assert_eq!(order(&[v4(2), v4(1), v4(2)]), [v4(2), v4(1)]);
        assert_eq!(order(&[]), []);
    }

    #[test]
    fn both_families_are_among_the_addresses_that_are_tried() {
        let mut addresses: Vec<SocketAddr> = (0..100).map(v6).collect();
        addresses.push(v4(1));
        let mut race = Race::new(&addresses);
        let tried: Vec<_> = std::iter::from_fn(|| race.next()).collect();
        assert_eq!(tried.len(), limits::ADDRESSES_PER_NAME);
        assert_eq!(tried[1], v4(1));
    }

    #[test]
    fn the_losers_are_called_off_and_tried_again_if_the_winner_is_no_use() {
        let mut race = Race::new(&[v4(1), v4(2), v4(3), v4(4)]);
        for id in 1..=3 {
            let to = race.next().unwrap();
            race.began(DialId(id), to);
        }
        assert_eq!(race.won(DialId(2)), Some((v4(2), vec![DialId(1), DialId(3)])));
        assert!(!race.is_running());
        assert_eq!(race.won(DialId(3)), None, "too late");
        let rest: Vec<_> = std::iter::from_fn(|| race.next()).collect();
        assert_eq!(rest, [v4(1), v4(3), v4(4)]);
    }
}
