//! `--suggest`: the smallest change that makes the jobs work that do not.
//!
//! ```text
//!   a row that fails ─candidates─▶ what might help ─tried, the smallest first─▶ works ─┐
//!   all rows ◀──tried again: nothing broke──────────────────────────────────────────────┤
//!   each change and each rule left out ──a job fails without it, or it goes─────────────┴─▶ Suggestion
//! ```
//! A candidate comes from where a row stopped, so that few are tried; each is tried as a plan is, in the simulated world.

mod candidates;
mod change;
mod nft;
#[cfg(test)]
mod tests;
mod written;

use std::collections::BTreeSet;

use super::rows::Row;
use super::setup::Given;
use super::topology::Topology;
use super::trial::{Tried, Verdict};
use super::trials::Trials;
use candidates::candidates;
use change::Change;
pub(super) use written::Written;

/// The heaviest set of changes that is tried for a row: a port forwarded by two gateways, and an address.
const HEAVIEST: usize = 9;
/// The most sets of changes that are tried for one row.
pub(super) const TRIALS: usize = 60;
/// The most trials for a plan: each is a run or a few in the simulated world. What was tried before is not tried again.
pub(super) const ALL_TRIALS: usize = 5_000;
/// So many jobs are all tried without each change, to name those that need it.
const FEW: usize = 50;

/// What would make jobs work.
#[derive(Debug)]
pub(super) struct Suggestion {
    /// The changes, each with the jobs that fail without it.
    pub(super) changes: Vec<(Change, Vec<String>)>,
    /// Rows that no small change makes work: their places among the rows.
    pub(super) unsolved: Vec<usize>,
    /// Rows for which nothing was found in as many trials as there are for one row.
    pub(super) given_up: Vec<usize>,
    /// Rows for which there were no trials left.
    pub(super) untried: Vec<usize>,
    /// Changes of which there were no trials left to see who needs them, if anybody does: their places among the changes.
    pub(super) unchecked: Vec<usize>,
    /// The configurations and the topology with all changes made.
    pub(super) given: Given,
    pub(super) topology: Topology,
}

impl Suggestion {
    /// What gateways and firewalls have to let through, each with its lines for nftables and the jobs that need it.
    pub(super) fn rules(&self) -> Vec<Ruled<'_>> {
        let openings = self.changes.iter().filter_map(|(change, jobs)| match change {
            Change::Open(opening) => Some((opening, jobs)),
            _ => None,
        });
        openings
            .map(|(opening, jobs)| Ruled {
                at: opening.at().to_string(),
                said: Change::Open(opening.clone()).said(),
                lines: nft::lines(&self.topology, opening),
                jobs,
            })
            .collect()
    }
}

/// A rule that is needed.
#[derive(Debug)]
pub(super) struct Ruled<'a> {
    /// The box it is in.
    pub(super) at: String,
    /// What it lets through.
    pub(super) said: String,
    /// What nftables is told.
    pub(super) lines: Vec<String>,
    /// The jobs that fail without it.
    pub(super) jobs: &'a [String],
}

/// Configurations and a topology with some changes made.
#[derive(Clone)]
struct State {
    topology: Topology,
    given: Given,
}

impl State {
    fn with(&self, changes: &[Change]) -> Option<Self> {
        let mut state = self.clone();
        changes.iter().all(|change| change.apply(&mut state.topology, &mut state.given)).then_some(state)
    }
}

/// Looks for it, in at most so many trials beside those that were held. `None` if all jobs work.
pub(super) fn suggestion(
    topology: &Topology,
    given: &Given,
    rows: &[Tried],
    (trials, most): (&Trials, usize),
) -> Option<Suggestion> {
    let fails = |tried: &Tried| matches!(tried.verdict, Verdict::Fails | Verdict::WorksUntilIdle(_));
    let failing: Vec<usize> = (0..rows.len()).filter(|place| rows.get(*place).is_some_and(fails)).collect();
    if failing.is_empty() {
        return None;
    }
    let base = State { topology: topology.clone(), given: given.clone() };
    let until = trials.held().saturating_add(most);
    let search = Search { base: &base, rows, trials, until };
    let (mut found, mut solved, mut unsolved) = (Vec::new(), Vec::new(), Vec::new());
    let (mut given_up, mut untried) = (Vec::new(), Vec::new());
    for place in failing {
        let made: Vec<Change> = found.iter().map(|(change, _): &(Change, usize)| change.clone()).collect();
        match search.solve(&made, &solved, place) {
            Solved::By(more) => {
                found.extend(more.into_iter().map(|change| (change, place)));
                solved.push(place);
            }
            Solved::NotByThese => unsolved.push(place),
            Solved::TooLong => given_up.push(place),
            Solved::Over => untried.push(place),
        }
    }
    let (changes, unchecked) = search.needed(found, &solved);
    let State { topology, given } = base.with(&changes.iter().map(|(change, _)| change.clone()).collect::<Vec<_>>())?;
    Some(Suggestion { changes, unsolved, given_up, untried, unchecked, given, topology })
}

struct Search<'a> {
    base: &'a State,
    rows: &'a [Tried],
    trials: &'a Trials,
    /// How many trials have been held when it must end.
    until: usize,
}

/// What was found for a row.
enum Solved {
    /// It works with these changes beside those made.
    By(Vec<Change>),
    /// It does not, with any that is light enough.
    NotByThese,
    /// There are more than are tried for one row.
    TooLong,
    /// No trials are left.
    Over,
}

impl Search<'_> {
    /// Whether a row works. `None` if no trials are left to tell.
    fn works(&self, state: &State, row: &Row) -> Option<bool> {
        let tried = self.trials.one(&state.topology, &state.given, row, self.until)?;
        Some(tried.verdict == Verdict::Works)
    }

    /// The lightest changes beside those made that make a row work, and break none.
    fn solve(&self, made: &[Change], solved: &[usize], place: usize) -> Solved {
        let Some(Tried { row, .. }) = self.rows.get(place) else { return Solved::NotByThese };
        let mut open: BTreeSet<(usize, usize)> = [(0, 0)].into();
        let mut sets: Vec<Vec<Change>> = vec![Vec::new()];
        let mut trials = 0;
        while let Some((weight, number)) = open.pop_first() {
            if trials == TRIALS {
                return Solved::TooLong;
            }
            let set = sets.get(number).cloned().unwrap_or_default();
            let Some(state) = self.base.with(&[made, &set].concat()) else { continue };
            trials += 1;
            let tried = self.trials.one(&state.topology, &state.given, row, self.until);
            let Some(tried) = tried else { return Solved::Over };
            if tried.verdict == Verdict::Works {
                match self.breaks(&state, &set, solved) {
                    Some(true) => continue,
                    Some(false) => return Solved::By(set),
                    None => return Solved::Over,
                }
            }
            for change in candidates(&state.topology, &state.given, &tried) {
                let weight = weight + change.weight();
                let more: Vec<Change> = set.iter().cloned().chain([change.clone()]).collect();
                let is_known =
                    |known: &Vec<Change>| known.len() == more.len() && more.iter().all(|one| known.contains(one));
                if weight <= HEAVIEST && !set.contains(&change) && !made.contains(&change) && !sets.iter().any(is_known)
                {
                    open.insert((weight, sets.len()));
                    sets.push(more);
                }
            }
        }
        Solved::NotByThese
    }

    /// Whether changes break a row that works, or one that was made to. `None` if no trials are left to tell.
    fn breaks(&self, state: &State, set: &[Change], solved: &[usize]) -> Option<bool> {
        let config = &state.given.director;
        let worked = |(place, tried): &(usize, &Tried)| tried.verdict == Verdict::Works || solved.contains(place);
        let concerned = |row: &Row| {
            let daemons = row.daemons(config);
            set.iter().any(|change| change.concerns(&daemons))
        };
        for (_, tried) in self.rows.iter().enumerate().filter(worked).filter(|(_, tried)| concerned(&tried.row)) {
            if !self.works(state, &tried.row)? {
                return Some(true);
            }
        }
        Some(false)
    }

    /// Those changes without which a row fails that works with all of them, and the jobs of such rows; and the places of
    /// those of which there were no trials left to tell. Each change comes with the row that it was found for.
    fn needed(&self, mut found: Vec<(Change, usize)>, solved: &[usize]) -> (Vec<(Change, Vec<String>)>, Vec<usize>) {
        let row = |place: &usize| self.rows.get(*place).map(|tried| &tried.row);
        let mut number = found.len();
        while number > 0 {
            number -= 1;
            let (others, own) = without(&found, number);
            let works = |state: &State| {
                let own = own.and_then(|own| row(&own)).into_iter();
                own.chain(solved.iter().filter_map(row)).all(|row| self.works(state, row) == Some(true))
            };
            if self.base.with(&others).is_some_and(|state| works(&state)) {
                found.remove(number);
            }
        }
        let (mut changes, mut unchecked) = (Vec::new(), Vec::new());
        for (number, (change, _)) in found.iter().enumerate() {
            let (others, own) = without(&found, number);
            let state = self.base.with(&others);
            let config = &self.base.given.director;
            // An opening may be there for others than the job that it was found for; of many jobs not all are tried.
            let concerned = |place: &&usize| {
                let daemons = row(place).map(|row| row.daemons(config)).unwrap_or_default();
                own == Some(**place) || change.concerns(&daemons) || solved.len() <= FEW
            };
            let mut jobs: Vec<String> = Vec::new();
            for row in solved.iter().filter(concerned).filter_map(row) {
                match state.as_ref().map_or(Some(false), |state| self.works(state, row)) {
                    Some(false) if !jobs.contains(&row.job) => jobs.push(row.job.clone()),
                    Some(_) => {}
                    None => {
                        unchecked.push(number);
                        break;
                    }
                }
            }
            changes.push((change.clone(), jobs));
        }
        (changes, unchecked)
    }
}

/// All changes but one, and the row that one was found for.
fn without(found: &[(Change, usize)], number: usize) -> (Vec<Change>, Option<usize>) {
    let others = found.iter().enumerate().filter(|(other, _)| *other != number);
    (others.map(|(_, (change, _))| change.clone()).collect(), found.get(number).map(|(_, place)| *place))
}
