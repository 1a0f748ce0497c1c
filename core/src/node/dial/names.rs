//! Name look-ups: a few at a time, for the system's resolver holds a thread for each; the others wait their turn.
//!
//! A name is asked for once, however many dials want it. One that takes long gives its place to the next, so that names
//! whose servers are silent do not hold up those that are answered; a name that took long before waits with its like.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::ids::{DialId, QueryId};
use crate::limits;
use crate::node::net::TimerKey;
use crate::time::Instant;

/// The look-ups of a node.
#[derive(Debug, Default)]
pub(in crate::node) struct Names {
    /// Those the resolver works on; without a dial, nobody waits for the answer any more.
    asked: BTreeMap<QueryId, Asked>,
    waiting: VecDeque<(DialId, String)>,
    /// Names that took long the last time.
    slow: BTreeSet<String>,
    /// When the next one in work takes long, if others wait for its place.
    pub(super) timer: Option<TimerKey>,
}

#[derive(Debug)]
struct Asked {
    host: String,
    since: Instant,
    dials: Vec<DialId>,
}

impl Asked {
    fn is_slow(&self, now: Instant) -> bool {
        now >= self.since + limits::LOOKUP_SLOW
    }
}

impl Names {
    /// A dial wants to know. It joins those who have asked already.
    pub(super) fn want(&mut self, dial: DialId, host: String) {
        match self.asked.values_mut().find(|asked| asked.host == host) {
            Some(asked) => asked.dials.push(dial),
            None => self.waiting.push_back((dial, host)),
        }
    }

    /// The dial whose turn it is, with its name: to be [asked](Self::asked) at once.
    pub(super) fn turn(&mut self, now: Instant) -> Option<(DialId, String)> {
        for asked in self.asked.values().filter(|asked| asked.is_slow(now)) {
            if self.slow.insert(asked.host.clone()) && self.slow.len() > limits::SLOW_NAMES {
                self.slow.pop_first();
            }
        }
        let slow = self.asked.values().filter(|asked| self.slow.contains(&asked.host)).count();
        let quick = self.asked.len() - slow;
        let may_quick = quick < limits::LOOKUPS && self.asked.len() < limits::LOOKUPS_IN_ALL;
        let may_slow = slow < limits::LOOKUPS_IN_ALL - limits::LOOKUPS;
        let may = |(_, host): &(DialId, String)| if self.slow.contains(host) { may_slow } else { may_quick };
        let index = self.waiting.iter().position(may)?;
        self.waiting.remove(index)
    }

    /// The resolver was asked: for this dial, and for others that wait for the same name.
    pub(super) fn asked(&mut self, query: QueryId, dial: DialId, host: String, now: Instant) {
        let mut dials = vec![dial];
        self.waiting.retain(|(waiting, wanted)| {
            let joins = *wanted == host;
            if joins {
                dials.push(*waiting);
            }
            !joins
        });
        self.asked.insert(query, Asked { host, since: now, dials });
    }

    /// The resolver has answered; returns the dials that still wait for it.
    pub(super) fn answered(&mut self, query: QueryId, now: Instant) -> Vec<DialId> {
        let Some(asked) = self.asked.remove(&query) else { return Vec::new() };
        if !asked.is_slow(now) {
            self.slow.remove(&asked.host);
        }
        asked.dials
    }

    /// The dial does not want to know any more. The resolver is busy with it until it answers.
    pub(super) fn forget(&mut self, dial: DialId) {
        self.waiting.retain(|(waiting, _)| *waiting != dial);
        for asked in self.asked.values_mut() {
            asked.dials.retain(|asker| *asker != dial);
        }
    }

    #[cfg(test)]
    pub(in crate::node) fn remembered(&self) -> usize {
        self.slow.len()
    }

    /// When a look-up that others wait for begins to count as slow.
    pub(super) fn next_turn(&self, now: Instant) -> Option<Instant> {
        let soon = |asked: &Asked| Some(asked.since + limits::LOOKUP_SLOW).filter(|&at| at > now);
        if self.waiting.is_empty() { None } else { self.asked.values().filter_map(soon).min() }
    }
}
