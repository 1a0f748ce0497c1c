//! Which number each job on the volumes has in a catalog.
//!
//! The order of jobs is that of their numbers (`wire/3 §7.7`). So a job keeps the number in its label unless two jobs have
//! the same: then a catalog was begun anew between them, and the younger jobs are counted on after the older ones.

use std::collections::{BTreeMap, BTreeSet};

use towline_core::catalog::{CatalogAnswer, CatalogError, CatalogErrorKind, CatalogRequest, JobFilter, JobRow};

use super::super::jobs::{Job, text};
use super::super::when::ordered;
use crate::catalog::Attempt;
use crate::catalog::rebuild::Rebuild;

/// Rows of one question.
const PAGE: u32 = 1000;
/// Seconds by which the order of two jobs may differ from that of their times: clocks are set, and summer ends.
const CLOCKS: i64 = 2 * 3600;

/// The jobs that a catalog has.
#[derive(Debug, Default)]
pub(super) struct Known {
    rows: BTreeMap<u32, JobRow>,
    names: BTreeMap<String, u32>,
    sessions: BTreeMap<(u32, u32), u32>,
}

impl Known {
    /// All of them.
    ///
    /// # Errors
    /// What the engine says.
    pub(super) fn of(catalog: &mut dyn Rebuild) -> Result<Self, CatalogError> {
        let mut known = Self::default();
        loop {
            let offset = u32::try_from(known.rows.len()).unwrap_or(u32::MAX);
            let filter = JobFilter { limit: PAGE, offset, oldest_first: true, ..JobFilter::default() };
            let rows = match catalog.handle(&CatalogRequest::ListJobs(filter), Attempt::First)? {
                CatalogAnswer::Jobs(rows) => rows,
                other => return Err(CatalogError::new(CatalogErrorKind::Bug, format!("jobs: {other:?}"))),
            };
            let is_last = rows.len() < PAGE as usize;
            for row in rows {
                known.names.insert(row.job.clone(), row.job_id);
                if row.vol_session_time > 0 && matches!(row.job_type, b'B' | b'C' | b'A' | b'M') {
                    known.sessions.insert((row.vol_session_id, row.vol_session_time), row.job_id);
                }
                known.rows.insert(row.job_id, row);
            }
            if is_last {
                return Ok(known);
            }
        }
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn row_of(&self, job: &Job) -> Option<&JobRow> {
        let label = job.label.as_ref()?;
        let by_session = self.sessions.get(&(job.session.id, job.session.time)).and_then(|id| self.rows.get(id));
        let name = String::from_utf8_lossy(&label.job);
        // Only a copy has another name on its volumes; two storage daemons may have been started in the same second.
        let client = String::from_utf8_lossy(&label.client);
        let is_it = |row: &&JobRow| row.job == name || row.prior_job_id > 0 && row.client == client;
        by_session.filter(is_it).or_else(|| self.named(&label.job).filter(|row| row.vol_session_time == 0))
    }

    fn named(&self, job: &[u8]) -> Option<&JobRow> {
        self.rows.get(self.names.get(&*String::from_utf8_lossy(job))?)
    }
}

/// A job and the row it belongs to.
#[derive(Clone, Debug)]
pub(super) struct Numbered {
    /// The place among the jobs on the shelf.
    pub(super) job: usize,
    /// Its number in the catalog.
    pub(super) number: u32,
    /// Its row, if the catalog has one.
    pub(super) row: Option<JobRow>,
    /// The number of the job that it is a copy of.
    pub(super) copy_of: Option<u32>,
}

impl Numbered {
    /// Whether the catalog lacks it.
    pub(super) const fn is_new(&self) -> bool {
        self.row.is_none()
    }
}

/// The jobs that have a label, in the order of their numbers.
///
/// # Errors
/// Why the catalog and the volumes contradict each other.
pub(super) fn numbered(jobs: &[Job], known: &Known) -> Result<Vec<Numbered>, String> {
    let mut numbered: Vec<Numbered> = Vec::new();
    let mut new: Vec<usize> = Vec::new();
    for (place, job) in jobs.iter().enumerate().filter(|(_, job)| job.label.is_some()) {
        match known.row_of(job) {
            Some(row) => {
                numbered.push(Numbered { job: place, number: row.job_id, row: Some(row.clone()), copy_of: None });
            }
            None => new.push(place),
        }
    }
    // Oldest first: of several with one name the first is the job, the others are copies of it.
    new.sort_by_key(|place| jobs.get(*place).map(begun));
    let mut originals: BTreeMap<&[u8], u32> = BTreeMap::new();
    for of in &numbered {
        if let Some(label) = jobs.get(of.job).and_then(|job| job.label.as_ref()) {
            originals.insert(&label.job, of.number);
        }
    }
    let attempts = last_attempts(jobs, &new);
    let (mut copies, mut own) = (Vec::new(), Vec::new());
    let mut names: BTreeSet<&[u8]> = originals.keys().copied().collect();
    for place in new {
        let Some(label) = jobs.get(place).and_then(|job| job.label.as_ref()) else { continue };
        // A job that was tried again is what its last attempt has written.
        let was_tried_again = attempts.get(&(label.job.as_slice(), label.job_id)) != Some(&place)
            || known.named(&label.job).is_some_and(|row| row.job_id == label.job_id);
        if was_tried_again {
            continue;
        }
        if names.insert(&label.job) { own.push((place, label)) } else { copies.push((place, label)) }
    }
    let (mut base, mut highest, mut taken) =
        (0_u32, known.rows.last_key_value().map_or(0, |(id, _)| *id), BTreeSet::new());
    for (place, label) in own {
        if !taken.insert(label.job_id) {
            if !known.is_empty() {
                return Err(format!("two jobs on the volumes have number {}", label.job_id));
            }
            // A catalog was begun anew here.
            base = highest;
            taken = BTreeSet::from([label.job_id]);
        }
        let number = base.checked_add(label.job_id).filter(|number| *number > 0).ok_or("a job has no usable number")?;
        agrees(jobs.get(place), number, known)?;
        highest = highest.max(number);
        originals.insert(&label.job, number);
        numbered.push(Numbered { job: place, number, row: None, copy_of: None });
    }
    for (place, label) in copies {
        highest = highest.checked_add(1).ok_or("a job has no usable number")?;
        let copy_of = originals.get(label.job.as_slice()).copied();
        numbered.push(Numbered { job: place, number: highest, row: None, copy_of });
    }
    numbered.sort_by_key(|numbered| (numbered.number, numbered.job));
    Ok(numbered)
}

/// Of the sessions with one name and number the last that has ended, or else the last.
fn last_attempts<'j>(jobs: &'j [Job], new: &[usize]) -> BTreeMap<(&'j [u8], u32), usize> {
    // Whether it has ended, its session, and its place.
    type Attempt = (bool, u32, u32, usize);
    let mut attempts: BTreeMap<(&[u8], u32), Attempt> = BTreeMap::new();
    for place in new {
        let Some(job) = jobs.get(*place) else { continue };
        let Some(label) = &job.label else { continue };
        let this = (job.end.is_some(), job.session.time, job.session.id, *place);
        let last = attempts.entry((label.job.as_slice(), label.job_id)).or_insert(this);
        *last = this.max(*last);
    }
    attempts.into_iter().map(|(key, (.., place))| (key, place)).collect()
}

/// When a job was ordered, or began.
fn begun(job: &Job) -> i64 {
    let label = job.label.as_ref();
    label.map_or(0, |label| ordered(&label.job).unwrap_or_else(|| label.written.div_euclid(1_000_000)))
}

/// Whether a job can have this number beside the jobs of the catalog.
fn agrees(job: Option<&Job>, number: u32, known: &Known) -> Result<(), String> {
    let Some((job, label)) = job.and_then(|job| Some((job, job.label.as_ref()?))) else { return Ok(()) };
    if let Some(other) = known.rows.get(&number) {
        let (name, job_id) = (text(&label.job), label.job_id);
        return Err(format!(
            "job {job_id} on the volumes is {name}, in the catalog it is {}",
            text(other.job.as_bytes())
        ));
    }
    let when = begun(job);
    let before = known.rows.range(..number).next_back();
    let after = known.rows.range(number..).next();
    for (row, is_wrong) in [(before, 1), (after, -1)] {
        let Some((_, row)) = row else { continue };
        let Some(other) = ordered(row.job.as_bytes()) else { continue };
        if (other - when) * is_wrong > CLOCKS {
            let (name, other) = (text(&label.job), text(row.job.as_bytes()));
            return Err(format!(
                "job {number} on the volumes, {name}, does not fit beside job {} of the catalog, {other}",
                row.job_id
            ));
        }
    }
    Ok(())
}
