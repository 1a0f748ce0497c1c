//! What every engine does alike: requests become transactions, attributes are joined with their digests, and a request
//! whose commit was not answered is not done twice.

use std::collections::BTreeMap;

use towline_core::catalog::{CatalogAnswer, CatalogError, CatalogErrorKind, CatalogRequest, FilesStored, UpdCatBatch};

use super::files::{FileEntry, Joiner};
use super::sql::{Result, Session};
use super::{Attempt, Catalog, rows};

/// A database with transactions.
pub(crate) trait Database: Send {
    /// Begins a transaction, does the work and commits; rolls back if the work fails. If a transaction of this number
    /// has been committed, of kind `Write`, it does nothing.
    ///
    /// # Errors
    /// Nothing is stored then, or nobody knows because the answer was lost: the same number again finds out.
    fn transaction(
        &mut self,
        kind: Kind,
        number: u64,
        work: &mut dyn FnMut(&mut dyn Session) -> Result<()>,
    ) -> Result<Done>;
}

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Only reads: one picture of the tables for all questions.
    Read,
    /// Stores files: may be done twice without harm, and counts only with a later one of kind `Write`.
    Files,
    /// Anything else.
    Write,
}

/// When a transaction was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// Now.
    Now,
    /// The time before, when its answer was lost. A file answers always.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "only a server's answer can be lost"))]
    Before,
}

/// An engine over a database.
pub(crate) struct Engine<D> {
    pub(crate) database: D,
    /// Attributes that wait for their digest, by running job.
    joiners: BTreeMap<u32, Joiner>,
    /// The number of the present request.
    number: u64,
    /// What the present request comes to if it turns out to be committed.
    outcome: Option<Outcome>,
}

/// What a request comes to once it is committed.
struct Outcome {
    answer: CatalogAnswer,
    /// What is kept for the job's next frames; nothing after its end.
    joiner: Option<(u32, Option<Joiner>)>,
}

impl From<CatalogAnswer> for Outcome {
    fn from(answer: CatalogAnswer) -> Self {
        Self { answer, joiner: None }
    }
}

impl<D: Database> Engine<D> {
    /// An engine over an open database.
    pub(crate) const fn new(database: D) -> Self {
        Self { database, joiners: BTreeMap::new(), number: 0, outcome: None }
    }

    /// The number of one more transaction.
    pub(crate) const fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }
}

impl<D: Database> Catalog for Engine<D> {
    fn handle(&mut self, request: &CatalogRequest, attempt: Attempt) -> Result<CatalogAnswer> {
        let Self { database, joiners, number, outcome } = self;
        if attempt == Attempt::First {
            *number += 1;
            *outcome = None;
        }
        let mut work = |t: &mut dyn Session| {
            *outcome = Some(perform(t, joiners, request)?);
            Ok(())
        };
        let (Done::Now | Done::Before) = database.transaction(kind_of(request), *number, &mut work)?;
        let outcome = outcome
            .take()
            .ok_or_else(|| CatalogError::new(CatalogErrorKind::Bug, "a transaction was committed without its work"))?;
        match outcome.joiner {
            Some((job_id, Some(joiner))) => drop(joiners.insert(job_id, joiner)),
            Some((job_id, None)) => drop(joiners.remove(&job_id)),
            None => {}
        }
        Ok(outcome.answer)
    }
}

const fn kind_of(request: &CatalogRequest) -> Kind {
    match request {
        CatalogRequest::InsertFiles { .. } => Kind::Files,
        request if request.only_reads() => Kind::Read,
        _ => Kind::Write,
    }
}

fn perform(t: &mut dyn Session, joiners: &BTreeMap<u32, Joiner>, request: &CatalogRequest) -> Result<Outcome> {
    match request {
        CatalogRequest::InsertFiles { job_id, batch } => insert_files(t, joiners, *job_id, batch),
        CatalogRequest::EndJob(end) => {
            last_file(t, joiners, end.job_id)?;
            Ok(Outcome { answer: rows::answer(t, request)?, joiner: Some((end.job_id, None)) })
        }
        CatalogRequest::CreateJobMedia(row) => with_last_file(t, joiners, row.job_id, request),
        CatalogRequest::Checkpoint { job_id, .. } => with_last_file(t, joiners, *job_id, request),
        _ => rows::answer(t, request).map(Outcome::from),
    }
}

fn insert_files(
    t: &mut dyn Session,
    joiners: &BTreeMap<u32, Joiner>,
    job_id: u32,
    batch: &UpdCatBatch,
) -> Result<Outcome> {
    rows::jobs::must_exist(t, job_id)?;
    // A copy, kept only if all was committed: a failed request leaves no trace.
    let mut joiner = joiners.get(&job_id).cloned().unwrap_or_default();
    let mut counts = FilesStored::default();
    let mut sink = |entry: FileEntry<'_>| t.put_file(job_id, &entry);
    batch.iter().try_for_each(|payload| joiner.feed(payload, &mut counts, &mut sink))?;
    t.flush_files()?;
    if let Some(index) = joiner.take_retracted() {
        rows::files::retract(t, job_id, index)?;
    }
    Ok(Outcome { answer: CatalogAnswer::Files(counts), joiner: Some((job_id, Some(joiner))) })
}

/// Stores the attribute record that waits for its digest and does something more, in one transaction.
fn with_last_file(
    t: &mut dyn Session,
    joiners: &BTreeMap<u32, Joiner>,
    job_id: u32,
    request: &CatalogRequest,
) -> Result<Outcome> {
    let joiner = last_file(t, joiners, job_id)?;
    Ok(Outcome { answer: rows::answer(t, request)?, joiner: Some((job_id, Some(joiner))) })
}

fn last_file(t: &mut dyn Session, joiners: &BTreeMap<u32, Joiner>, job_id: u32) -> Result<Joiner> {
    rows::jobs::must_exist(t, job_id)?;
    let mut joiner = joiners.get(&job_id).cloned().unwrap_or_default();
    joiner.flush(&mut FilesStored::default(), &mut |entry| t.put_file(job_id, &entry))?;
    t.flush_files()?;
    Ok(joiner)
}
