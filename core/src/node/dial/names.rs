//! Name look-ups: a few at a time, for the system's resolver holds a thread for each; the others wait their turn.

use std::collections::{BTreeMap, VecDeque};

use crate::ids::{DialId, QueryId};
use crate::limits;

/// The look-ups of a node.
#[derive(Debug, Default)]
pub(in crate::node) struct Names {
    /// Those the resolver works on; without a dial, nobody waits for the answer any more.
    asked: BTreeMap<QueryId, Option<DialId>>,
    waiting: VecDeque<DialId>,
}

impl Names {
    /// A dial wants to know.
    pub(super) fn want(&mut self, dial: DialId) {
        self.waiting.push_back(dial);
    }

    /// The dial whose turn it is.
    pub(super) fn turn(&mut self) -> Option<DialId> {
        if self.asked.len() < limits::LOOKUPS { self.waiting.pop_front() } else { None }
    }

    /// The resolver was asked.
    pub(super) fn asked(&mut self, query: QueryId, dial: DialId) {
        self.asked.insert(query, Some(dial));
    }

    /// The resolver has answered; gives the dial that still waits for it.
    pub(super) fn answered(&mut self, query: QueryId) -> Option<DialId> {
        self.asked.remove(&query).flatten()
    }

    /// The dial does not want to know any more. The resolver is busy with it until it answers.
    pub(super) fn forget(&mut self, dial: DialId) {
        self.waiting.retain(|waiting| *waiting != dial);
        for asker in self.asked.values_mut() {
            asker.take_if(|asker| *asker == dial);
        }
    }
}
