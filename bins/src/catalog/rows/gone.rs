//! What a later job shows to be gone without saying so: what lay below a folder that is a file or a link now, and a file
//! that is a folder now. Only accurate jobs list what was deleted.

use std::collections::BTreeMap;

use super::super::sql::{Result, Row, Session, all, first, values};
use super::restore::Head;

/// Entries of older jobs that are gone. Jobs are named by their places in the order of the restore.
#[derive(Debug, Default)]
pub(super) struct Gone {
    /// Folders by PathId: all of them in jobs before this place.
    folders: BTreeMap<i64, usize>,
    /// Single names, likewise.
    names: BTreeMap<(i64, Vec<u8>), usize>,
}

/// A name that is a file in one job and a folder in one of the catalog.
struct Changed {
    file: (i64, Vec<u8>),
    folder: (i64, Vec<u8>),
    /// The last job in which it is a file.
    place: usize,
}

impl Gone {
    /// Looks through the names of all jobs, which are in the order of the restore.
    pub(super) fn find(t: &mut dyn Session, jobs: &[Head]) -> Result<Self> {
        let mut gone = Self::default();
        // Within one job nothing replaces anything, and to look through a million names for it takes longer than all else.
        if jobs.len() < 2 {
            return Ok(gone);
        }
        for changed in changed(t, jobs)?.into_values() {
            let mut last_folder = None;
            for (place, job) in jobs.iter().enumerate() {
                let sql = "SELECT 1 FROM File WHERE JobId = ?1 AND PathId = ?2 AND FileIndex > 0 LIMIT 1";
                if first(t, sql, &values![job.job_id, changed.folder.0])?.is_some() {
                    last_folder = Some(place);
                }
            }
            let Some(last_folder) = last_folder else { continue };
            gone.names.insert(changed.file, last_folder);
            for path_id in below(t, &changed.folder.1)? {
                let before = gone.folders.entry(path_id).or_default();
                *before = changed.place.max(*before);
            }
        }
        Ok(gone)
    }

    /// Whether what the job in this place has of the name is gone.
    pub(super) fn contains(&self, key: &(i64, Vec<u8>), place: usize) -> bool {
        !self.names.is_empty()
            && (self.folders.get(&key.0).is_some_and(|before| place < *before)
                || self.names.get(key).is_some_and(|before| place < *before))
    }
}

/// The names that are files in a job and folders somewhere, by the PathId of the folder.
fn changed(t: &mut dyn Session, jobs: &[Head]) -> Result<BTreeMap<i64, Changed>> {
    let sql = format!(
        "SELECT f.PathId, f.Name, child.PathId, child.Path FROM File f \
         JOIN Path p ON p.PathId = f.PathId JOIN Path child ON {} \
         WHERE f.JobId = ?1 AND f.FileIndex > 0 AND f.Name <> ?2",
        t.dialect().child_is
    );
    let none: &[u8] = b"";
    let mut found = BTreeMap::new();
    for (place, job) in jobs.iter().enumerate() {
        let rows = all(t, &sql, &values![job.job_id, none], |row: &mut Row| {
            Ok(((row.take::<i64>()?, row.take::<Vec<u8>>()?), (row.take::<i64>()?, row.take::<Vec<u8>>()?)))
        })?;
        for (file, folder) in rows {
            found.insert(folder.0, Changed { file, folder, place });
        }
    }
    Ok(found)
}

/// The folder and all folders below it.
fn below(t: &mut dyn Session, folder: &[u8]) -> Result<Vec<i64>> {
    // The byte after a slash ends the range of all that begins with this folder.
    let end = [folder.strip_suffix(b"/").unwrap_or(folder), &[b'/' + 1]].concat();
    let sql = "SELECT PathId FROM Path WHERE Path >= ?1 AND Path < ?2";
    all(t, sql, &values![folder, end.as_slice()], Row::take::<i64>)
}
