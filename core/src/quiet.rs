//! Keeps a log readable while somebody does the same wrong thing over and over.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::time::Instant;

/// How often the same thing is said.
const PAUSE: Duration = Duration::from_secs(60);

/// Things that are remembered; for more, the one said longest ago is forgotten.
const MOST: usize = 256;

/// Says each thing once a minute, and how often it happened in between.
#[derive(Debug)]
pub(crate) struct Quiet<K> {
    said: BTreeMap<K, (Instant, u64)>,
}

impl<K> Default for Quiet<K> {
    fn default() -> Self {
        Self { said: BTreeMap::new() }
    }
}

impl<K: Ord + Clone> Quiet<K> {
    /// Whether to say it now: then, how often it happened since it was last said.
    pub(crate) fn turn(&mut self, what: &K, now: Instant) -> Option<u64> {
        if let Some((said, unsaid)) = self.said.get_mut(what) {
            if now.since(*said) < PAUSE {
                *unsaid += 1;
                return None;
            }
            *said = now;
            return Some(std::mem::take(unsaid));
        }
        if self.said.len() >= MOST
            && let Some(oldest) = self.said.iter().min_by_key(|(_, (said, _))| *said).map(|(what, _)| what.clone())
        {
            self.said.remove(&oldest);
        }
        self.said.insert(what.clone(), (now, 0));
        Some(0)
    }
}

/// ` (5 more like it in the last minute)`, or nothing.
pub(crate) fn more(unsaid: u64) -> String {
    if unsaid == 0 { String::new() } else { format!(" ({unsaid} more like it since this was last said)") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_said_once_a_minute_with_what_was_left_out() {
        let mut quiet = Quiet::default();
        let at = |seconds| Instant::ZERO + Duration::from_secs(seconds);
        let turns = [0, 1, 59, 60, 61].map(|seconds| quiet.turn(&"a", at(seconds)));
        assert_eq!(turns, [Some(0), None, None, Some(2), None]);
        assert_eq!(quiet.turn(&"b", at(61)), Some(0), "something else");
    }

    #[test]
    fn only_so_many_things_are_remembered() {
        let mut quiet = Quiet::default();
        for n in 0..=MOST as u64 {
            assert_eq!(quiet.turn(&n, Instant(n)), Some(0));
        }
        assert_eq!(quiet.said.len(), MOST);
        assert_eq!(quiet.turn(&0, Instant(1_000)), Some(0), "the oldest was forgotten");
        assert_eq!(quiet.turn(&(MOST as u64), Instant(1_000)), None);
    }
}
