//! Which files to restore (`wire/3 §7.7`): the files of all jobs are walked side by side in the order of their names, so
//! that all versions of one name are seen together and nothing has to be sorted or kept but the chosen indexes.

use super::super::files::split_path;
use super::super::index_set::IndexSet;
use super::missing;
use rusqlite::{Connection, OptionalExtension, Rows, Statement, params};
use std::collections::{BTreeMap, BTreeSet};
use towline_core::role::director::catalog::{CatalogAnswer, IndexRange, RestoreFiles};

pub(super) fn files(t: &Connection, jobs: &[u32], only: &[Vec<u8>]) -> rusqlite::Result<CatalogAnswer> {
    // One picture of the tables for all that follows.
    let t = t.unchecked_transaction()?;
    let mut known = heads(&t, jobs)?;
    known.sort_by_key(|job| (job.job_t_date, job.job_id));
    let purged = known.iter().find(|job| job.purged_files);
    if only.is_empty() && (known.len() == 1 || purged.is_some()) {
        return Ok(CatalogAnswer::RestoreFiles(whole(&known)));
    }
    if let Some(job) = purged {
        return Err(missing(&format!("list of the files of job {}: it has been purged", job.job_id)));
    }
    let chosen = Chosen::resolve(&t, only)?;
    let sets = walk(&t, &known, &chosen)?;
    let mut files: Vec<RestoreFiles> =
        sets.into_iter().map(|(job_id, set)| RestoreFiles { job_id, ranges: set.ranges() }).collect();
    files.retain(|f| !f.ranges.is_empty());
    Ok(CatalogAnswer::RestoreFiles(files))
}

struct Head {
    job_id: u32,
    job_t_date: i64,
    job_files: u32,
    purged_files: bool,
}

fn heads(t: &Connection, jobs: &[u32]) -> rusqlite::Result<Vec<Head>> {
    let mut statement = t.prepare_cached("SELECT JobTDate, JobFiles, PurgedFiles FROM Job WHERE JobId = ?1")?;
    let distinct: BTreeSet<u32> = jobs.iter().copied().collect();
    let head = |job_id: u32| {
        let row = |row: &rusqlite::Row<'_>| {
            Ok(Head { job_id, job_t_date: row.get(0)?, job_files: row.get(1)?, purged_files: row.get(2)? })
        };
        statement.query_row([job_id], row).optional()?.ok_or_else(|| missing(&format!("job {job_id}")))
    };
    distinct.into_iter().map(head).collect()
}

/// All files of all jobs, without looking at them: exact for one job, and all that is left when lists are purged.
fn whole(jobs: &[Head]) -> Vec<RestoreFiles> {
    let mut files: Vec<RestoreFiles> = jobs
        .iter()
        .filter(|job| job.job_files > 0)
        .map(|job| RestoreFiles { job_id: job.job_id, ranges: vec![IndexRange { first: 1, last: job.job_files }] })
        .collect();
    files.sort_by_key(|f| f.job_id);
    files
}

/// What was asked for.
#[derive(Default)]
struct Chosen {
    everything: bool,
    directories: BTreeSet<i64>,
    names: BTreeSet<(i64, Vec<u8>)>,
}

impl Chosen {
    fn resolve(t: &Connection, only: &[Vec<u8>]) -> rusqlite::Result<Self> {
        let mut chosen = Self { everything: only.is_empty(), ..Self::default() };
        let mut below = t.prepare_cached("SELECT PathId FROM Path WHERE Path >= ?1 AND Path < ?2")?;
        let mut exact = t.prepare_cached("SELECT PathId FROM Path WHERE Path = ?1")?;
        for name in only {
            if let Some(stem) = name.strip_suffix(b"/") {
                // The byte after a slash ends the range of all that begins with this directory.
                let end = [stem, &[b'/' + 1]].concat();
                for id in below.query_map(params![name, end], |row| row.get(0))? {
                    chosen.directories.insert(id?);
                }
            } else {
                let (path, rest) = split_path(name);
                let id: Option<i64> = exact.query_row([path], |row| row.get(0)).optional()?;
                chosen.names.extend(id.map(|id| (id, rest.to_vec())));
            }
        }
        Ok(chosen)
    }

    fn contains(&self, key: &(i64, Vec<u8>)) -> bool {
        self.everything || self.directories.contains(&key.0) || self.names.contains(key)
    }
}

/// The files of one job in order, one ahead.
struct Cursor<'s> {
    rows: Rows<'s>,
    key: (i64, Vec<u8>),
    file: File,
    ended: bool,
}

#[derive(Clone, Copy)]
struct File {
    index: u32,
    link: u32,
    delta: u32,
}

impl<'s> Cursor<'s> {
    fn start(statement: &'s mut Statement<'_>, job_id: u32) -> rusqlite::Result<Self> {
        let rows = statement.query([job_id])?;
        let file = File { index: 0, link: 0, delta: 0 };
        let mut cursor = Self { rows, key: (0, Vec::new()), file, ended: false };
        cursor.advance()?;
        Ok(cursor)
    }

    fn advance(&mut self) -> rusqlite::Result<()> {
        let Some(row) = self.rows.next()? else {
            self.ended = true;
            return Ok(());
        };
        self.key.0 = row.get(0)?;
        self.key.1.clear();
        self.key.1.extend_from_slice(row.get_ref(1)?.as_blob()?);
        self.file = File { index: row.get(2)?, link: row.get(3)?, delta: row.get(4)? };
        Ok(())
    }

    /// The job's own choice among its entries of this name, if it has any: the first of a hard link, else the last.
    fn take(&mut self, key: &(i64, Vec<u8>)) -> rusqlite::Result<Option<File>> {
        let mut own: Option<File> = None;
        while !self.ended && self.key == *key {
            own = Some(own.filter(|f| f.index > 0 && f.link > 0).unwrap_or(self.file));
            self.advance()?;
        }
        Ok(own)
    }
}

fn walk(t: &Connection, jobs: &[Head], chosen: &Chosen) -> rusqlite::Result<BTreeMap<u32, IndexSet>> {
    let sql = "SELECT PathId, Name, FileIndex, LinkFI, DeltaSeq FROM File WHERE JobId = ?1
               ORDER BY PathId, Name, FileIndex";
    let mut statements: Vec<Statement<'_>> = jobs.iter().map(|_| t.prepare(sql)).collect::<Result<_, _>>()?;
    let mut cursors: Vec<Cursor<'_>> = statements
        .iter_mut()
        .zip(jobs)
        .map(|(statement, job)| Cursor::start(statement, job.job_id))
        .collect::<Result<_, _>>()?;
    let mut sets: Vec<IndexSet> = jobs.iter().map(|_| IndexSet::default()).collect();
    let mut key = (0, Vec::new());
    let mut versions: Vec<(usize, File)> = Vec::new();
    while let Some(least) = cursors.iter().filter(|c| !c.ended).map(|c| &c.key).min() {
        key.clone_from(least);
        versions.clear();
        for (place, cursor) in cursors.iter_mut().enumerate() {
            versions.extend(cursor.take(&key)?.map(|file| (place, file)));
        }
        if chosen.contains(&key) {
            keep(&versions, &mut sets);
        }
    }
    Ok(jobs.iter().map(|job| job.job_id).zip(sets).collect())
}

/// Keeps the newest version; of a delta all parts back to the whole file; of a hard link the file with its data too.
fn keep(versions: &[(usize, File)], sets: &mut [IndexSet]) {
    for &(place, file) in versions.iter().rev() {
        if file.index == 0 {
            return;
        }
        if let Some(set) = sets.get_mut(place) {
            set.insert(file.index);
            if file.link > 0 {
                set.insert(file.link);
            }
        }
        if file.delta == 0 {
            return;
        }
    }
}
