//! Who has shown wrong keys lately: the answer to the next one comes later.
//!
//! Only answers to wrong keys wait. A right key is never held up, whoever else has the address: a client with an old password
//! must not shut out the others behind its NAT.

use std::collections::BTreeMap;
use std::time::Duration;

use super::crowd::Prefix;
use crate::limits;
use crate::time::Instant;

/// So long after the last wrong key the next one is a first one again.
const FORGIVEN: Duration = Duration::from_secs(60);

/// What is kept of those that guess.
#[derive(Debug, Default)]
pub(super) struct Guesses(BTreeMap<Prefix, Seen>);

#[derive(Clone, Copy, Debug)]
struct Seen {
    wrong: u32,
    last: Instant,
}

impl Guesses {
    /// How long a wrong key from here waits for its answer: a second for each one before it, up to the limit.
    pub(super) fn pause(&self, from: Prefix, now: Instant) -> Duration {
        let wrong = self.0.get(&from).filter(|seen| now.since(seen.last) < FORGIVEN).map_or(0, |seen| seen.wrong);
        Duration::from_secs(u64::from(wrong)).min(limits::WRONG_KEY_PAUSE)
    }

    /// A wrong key has come. Of too many prefixes, the one that was quiet longest is forgotten.
    pub(super) fn wrong(&mut self, from: Prefix, now: Instant) {
        if !self.0.contains_key(&from)
            && self.0.len() >= limits::GUESSERS
            && let Some(oldest) = self.0.iter().min_by_key(|(_, seen)| seen.last).map(|(prefix, _)| *prefix)
        {
            self.0.remove(&oldest);
        }
        let seen = self.0.entry(from).or_insert(Seen { wrong: 0, last: now });
        let before = if now.since(seen.last) < FORGIVEN { seen.wrong } else { 0 };
        *seen = Seen { wrong: before.saturating_add(1), last: now };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant(seconds * 1_000_000_000)
    }

    fn host(n: u32) -> Prefix {
        Prefix::host(std::net::Ipv4Addr::from_bits(n).into())
    }

    #[test]
    fn each_wrong_key_waits_a_second_longer_up_to_five_and_a_minute_of_peace_is_enough() {
        let mut guesses = Guesses::default();
        let pauses: Vec<u64> = (0..8)
            .map(|n| {
                let pause = guesses.pause(host(1), at(n));
                guesses.wrong(host(1), at(n));
                pause.as_secs()
            })
            .collect();
        assert_eq!(pauses, [0, 1, 2, 3, 4, 5, 5, 5]);
        assert_eq!(guesses.pause(host(2), at(8)), Duration::ZERO, "another host");
        assert_eq!(guesses.pause(host(1), at(66)), Duration::from_secs(5));
        assert_eq!(guesses.pause(host(1), at(67)), Duration::ZERO);
        guesses.wrong(host(1), at(70));
        assert_eq!(guesses.pause(host(1), at(70)), Duration::from_secs(1));
    }

    #[test]
    fn only_so_many_are_remembered() {
        let mut guesses = Guesses::default();
        for n in 0..limits::GUESSERS as u32 {
            guesses.wrong(host(n), at(u64::from(n) / 10));
        }
        assert_eq!(guesses.pause(host(0), at(26)), Duration::from_secs(1));
        guesses.wrong(host(9_999), at(26));
        assert_eq!(guesses.0.len(), limits::GUESSERS);
        assert_eq!(guesses.pause(host(0), at(26)), Duration::ZERO, "the one that was quiet longest");
        assert_eq!(guesses.pause(host(9_999), at(26)), Duration::from_secs(1));
    }
}
