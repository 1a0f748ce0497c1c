//! Trials of many rows: each shape is tried once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::drill::{Drill, Drilled, drilled};
use super::on_all_processors;
use super::rows::Row;
use super::setup::Given;
use super::shape::{Shape, shape};
use super::topology::Topology;
use super::trial::{Tried, Verdict, missing, tried};

/// What is known of shapes so far.
#[derive(Debug, Default)]
pub(super) struct Trials {
    known: Mutex<BTreeMap<String, Tried>>,
    held: AtomicUsize,
}

/// A row before its trial.
enum Before {
    /// It has a shape.
    Shaped(Box<Shape>),
    /// This is what comes of it.
    Over(Box<Tried>),
}

impl Trials {
    /// What comes of rows, in their order.
    pub(super) fn all(&self, topology: &Topology, given: &Given, rows: &[Row]) -> Vec<Tried> {
        let before = on_all_processors(rows, |row| self.before(topology, given, row));
        let mut new: BTreeMap<&str, &Shape> = BTreeMap::new();
        for one in &before {
            if let Before::Shaped(shape) = one
                && self.find(shape).is_none()
            {
                new.insert(&shape.key, shape);
            }
        }
        let new: Vec<&Shape> = new.into_values().collect();
        on_all_processors(&new, |shape| self.hold(shape));
        let real = |(one, row): (Before, &Row)| match one {
            Before::Shaped(shape) => shape.real(&self.find(&shape).unwrap_or_else(|| self.hold(&shape)), row),
            Before::Over(tried) => *tried,
        };
        before.into_iter().zip(rows).map(real).collect()
    }

    /// What comes of one row. `None` if that is not known, and so many trials have been held already.
    pub(super) fn one(&self, topology: &Topology, given: &Given, row: &Row, most: usize) -> Option<Tried> {
        match self.before(topology, given, row) {
            Before::Shaped(shape) => {
                let hold = || (self.held() < most).then(|| self.hold(&shape));
                Some(shape.real(&self.find(&shape).or_else(hold)?, row))
            }
            Before::Over(tried) => Some(*tried),
        }
    }

    /// What comes of rows in a drill.
    pub(super) fn drilled(
        &self,
        topology: &Topology,
        given: &Given,
        rows: &[Tried],
        drill: &Drill,
    ) -> Vec<Vec<Drilled>> {
        let shaped = |tried: &Tried| match tried.verdict {
            Verdict::Unknown(_) | Verdict::Fails => None,
            _ => shape(topology, given, &tried.row),
        };
        let shapes = on_all_processors(rows, shaped);
        // What a drill is about may be something in one row that it is not in another of the same shape.
        let key = |shape: &Shape| (shape.key.clone(), shape.drill(drill).to_string());
        let mut first: BTreeMap<_, usize> = BTreeMap::new();
        for (place, shape) in shapes.iter().enumerate() {
            let key = shape.as_ref().map_or_else(|| (place.to_string(), String::new()), key);
            first.entry(key).or_insert(place);
        }
        let held: Vec<usize> = first.values().copied().collect();
        let outcomes = on_all_processors(&held, |place| {
            let tried = rows.get(*place)?;
            Some(match shapes.get(*place).and_then(Option::as_ref) {
                Some(shape) => drilled(&shape.topology, &shape.given, &shape.row, &tried.verdict, &shape.drill(drill)),
                None => drilled(topology, given, &tried.row, &tried.verdict, drill),
            })
        });
        let outcomes: BTreeMap<usize, Vec<Drilled>> =
            held.into_iter().zip(outcomes).filter_map(|(place, outcome)| Some((place, outcome?))).collect();
        let real = |(place, shape): (usize, &Option<Shape>)| match shape {
            Some(shape) => {
                let outcome = first.get(&key(shape)).and_then(|first| outcomes.get(first));
                outcome.map(|outcome| shape.drilled(outcome)).unwrap_or_default()
            }
            None => outcomes.get(&place).cloned().unwrap_or_default(),
        };
        shapes.iter().enumerate().map(real).collect()
    }

    /// How many trials were held.
    pub(super) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    fn before(&self, topology: &Topology, given: &Given, row: &Row) -> Before {
        if let Some(missing) = missing(topology, given, row) {
            return Before::Over(Box::new(Tried::unknown(row, missing)));
        }
        match shape(topology, given, row) {
            Some(shape) => Before::Shaped(Box::new(shape)),
            None => {
                self.held.fetch_add(1, Ordering::Relaxed);
                Before::Over(Box::new(tried(topology, given, row)))
            }
        }
    }

    fn find(&self, shape: &Shape) -> Option<Tried> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&shape.key).cloned()
    }

    fn hold(&self, shape: &Shape) -> Tried {
        self.held.fetch_add(1, Ordering::Relaxed);
        let tried = tried(&shape.topology, &shape.given, &shape.row);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(shape.key.clone(), tried.clone());
        tried
    }
}
