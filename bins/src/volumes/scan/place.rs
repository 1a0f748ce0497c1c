//! Jobs that hold older files than jobs with lower numbers: copies and migrations to another storage daemon, and fulls that
//! were made of older backups, are numbered when they are made. A restore must not take their files for the newest.

use std::collections::BTreeMap;

use towline_core::catalog::{CatalogAnswer, CatalogError, CatalogErrorKind, CatalogRequest, FileRow, JobRow};
use towline_core::wire::attributes::Stat;

use crate::catalog::Attempt;
use crate::catalog::rebuild::{self, Rebuild, take};

type Newest = std::collections::BTreeSet<(i64, Vec<u8>)>;

/// Puts each such job before the first job whose files are newer than its own. Returns how many there were.
///
/// # Errors
/// What the engine says.
pub(super) fn all(catalog: &mut dyn Rebuild, jobs: &[(JobRow, Newest)]) -> Result<u32, CatalogError> {
    let mut placed = 0;
    for (at, (row, newest)) in jobs.iter().enumerate() {
        let Some(&(last_change, _)) = newest.last().filter(|_| row.origin == 0) else { continue };
        let is_of_the_same = |other: &&(JobRow, Newest)| {
            let (other, theirs) = *other;
            (other.client_id, other.file_set_id) == (row.client_id, row.file_set_id)
                && other.origin == 0
                && theirs.last().is_some_and(|(change, _)| *change > last_change)
        };
        let earlier = jobs.get(..at).unwrap_or_default();
        for (other, theirs) in earlier.iter().filter(is_of_the_same) {
            if other.job_id > 1 && has_older(catalog, row.job_id, theirs)? {
                take(catalog, |t| rebuild::place(t, row.job_id, other.job_id - 1, last_change))?;
                placed += 1;
                break;
            }
        }
    }
    Ok(placed)
}

/// Whether a job has one of these files, and an older state of it.
fn has_older(catalog: &mut dyn Rebuild, job_id: u32, newest: &Newest) -> Result<bool, CatalogError> {
    let changes: BTreeMap<&[u8], i64> = newest.iter().map(|(change, name)| (name.as_slice(), *change)).collect();
    let names = changes.keys().map(|name| name.to_vec()).collect();
    match catalog.handle(&CatalogRequest::FilesByName { job_id, names }, Attempt::First)? {
        CatalogAnswer::FileList { files, .. } => Ok(files.iter().any(|FileRow { name, lstat, file_index, .. }| {
            *file_index > 0 && changes.get(name.as_slice()).is_some_and(|change| Stat::decode(lstat).ctime < *change)
        })),
        other => Err(CatalogError::new(CatalogErrorKind::Bug, format!("files: {other:?}"))),
    }
}
