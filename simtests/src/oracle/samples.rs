//! The cases that are run in real networks, by a rule: of each way in which a job may end, in each mode, one.

use std::collections::BTreeMap;

use super::{Case, Heartbeat, Mode, Place, Stop, Verdict, Who, grid};

/// How a case ends, without whose connection it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Works,
    UntilIdle,
    Fails(Stop),
}

/// Cases of strict boxes and of loose ones. A job that its boxes cannot disturb is in a case of its own.
#[must_use]
pub fn samples() -> Vec<Case> {
    let mut strict: BTreeMap<(Mode, End, bool), Vec<Case>> = BTreeMap::new();
    let mut loose: BTreeMap<(End, Place, Place), Vec<Case>> = BTreeMap::new();
    for case in grid() {
        // A second more or less is nothing that a real network could be asked about.
        let case = match case.heartbeat {
            Heartbeat::Below => case,
            Heartbeat::At => continue,
            Heartbeat::Above | Heartbeat::Off => Case { heartbeat: Heartbeat::Off, ..case },
        };
        let end = end(&case);
        let is_off = case.heartbeat == Heartbeat::Off;
        // What fails at once fails with and without heartbeats.
        if !matches!(end, End::Fails(_)) || is_off {
            strict.entry((case.mode, end, is_off)).or_default().push(case);
        }
        if end == End::UntilIdle {
            let case = Case { loose: true, ..case };
            let places = (case.row.place(Who::Client), case.row.place(Who::Storage));
            // The director in the open, so that the places of the two decide; one mode after the other.
            if case.row.place(Who::Director) == Place::Open {
                loose.entry((self::end(&case), places.0, places.1)).or_default().push(case);
            }
        }
    }
    let middle = |cases: Vec<Case>| cases.get(cases.len() / 2).copied();
    let strict = strict.into_values().filter_map(middle);
    // Every second kind: there are many.
    strict.chain(loose.into_values().step_by(2).filter_map(middle)).collect()
}

fn end(case: &Case) -> End {
    match case.verdict() {
        Verdict::Works => End::Works,
        Verdict::UntilIdle => End::UntilIdle,
        Verdict::Fails(_, stop) => End::Fails(stop),
    }
}
