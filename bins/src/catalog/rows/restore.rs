//! Which files to restore (`wire/3 §7.7`): the files of all jobs are walked side by side in the order of their names, so
//! that all versions of one name are seen together and nothing has to be sorted or kept but the chosen indexes.

use std::collections::{BTreeMap, BTreeSet};

use towline_core::catalog::{CatalogAnswer, IndexRange, RestoreFiles};

use super::super::files::split_path;
use super::super::index_set::IndexSet;
use super::super::sql::{Result, Row, Session, all, first, missing, values};
use super::gone::Gone;
use super::jobs::PLACE;

/// Files of one job that are read at once.
const PAGE: u32 = 4000;

pub(super) fn files(t: &mut dyn Session, jobs: &[u32], only: &[Vec<u8>]) -> Result<CatalogAnswer> {
    let mut known = heads(t, jobs)?;
    known.sort_by_key(|job| (job.place, job.job_id));
    let purged = known.iter().find(|job| job.purged_files);
    if only.is_empty() && (known.len() == 1 || purged.is_some()) {
        return Ok(CatalogAnswer::RestoreFiles(whole(&known)));
    }
    if let Some(job) = purged {
        return Err(missing(&format!("list of the files of job {}: it has been purged", job.job_id)));
    }
    let chosen = Chosen::resolve(t, only)?;
    let gone = Gone::find(t, &known)?;
    let sets = walk(t, &known, &chosen, &gone)?;
    let mut files: Vec<RestoreFiles> =
        sets.into_iter().map(|(job_id, set)| RestoreFiles { job_id, ranges: set.ranges() }).collect();
    files.retain(|f| !f.ranges.is_empty());
    Ok(CatalogAnswer::RestoreFiles(files))
}

pub(super) struct Head {
    pub(super) job_id: u32,
    place: u32,
    job_files: u32,
    purged_files: bool,
}

fn heads(t: &mut dyn Session, jobs: &[u32]) -> Result<Vec<Head>> {
    let distinct: BTreeSet<u32> = jobs.iter().copied().collect();
    let mut head = |job_id: u32| {
        let sql = format!("SELECT {PLACE}, JobFiles, PurgedFiles FROM Job WHERE JobId = ?1");
        let mut row = first(t, &sql, &values![job_id])?.ok_or_else(|| missing(&format!("job {job_id}")))?;
        Ok(Head { job_id, place: row.take()?, job_files: row.take()?, purged_files: row.take()? })
    };
    distinct.into_iter().map(&mut head).collect()
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
    fn resolve(t: &mut dyn Session, only: &[Vec<u8>]) -> Result<Self> {
        let mut chosen = Self { everything: only.is_empty(), ..Self::default() };
        let exact = format!("SELECT PathId FROM Path WHERE {}", t.dialect().path_is);
        for name in only {
            if let Some(stem) = name.strip_suffix(b"/") {
                // The byte after a slash ends the range of all that begins with this directory.
                let end = [stem, &[b'/' + 1]].concat();
                let sql = "SELECT PathId FROM Path WHERE Path >= ?1 AND Path < ?2";
                chosen.directories.extend(all(t, sql, &values![name.as_slice(), end.as_slice()], Row::take::<i64>)?);
            } else {
                let (path, rest) = split_path(name);
                let ids = all(t, &exact, &values![path], Row::take::<i64>)?;
                chosen.names.extend(ids.into_iter().map(|id| (id, rest.to_vec())));
            }
        }
        Ok(chosen)
    }

    fn contains(&self, key: &(i64, Vec<u8>)) -> bool {
        self.everything || self.directories.contains(&key.0) || self.names.contains(key)
    }
}

/// The files of one job in order, one ahead, read page by page.
struct Cursor {
    job_id: u32,
    page: std::vec::IntoIter<Row>,
    /// No page comes after this one.
    is_last: bool,
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

impl Cursor {
    fn start(t: &mut dyn Session, job_id: u32) -> Result<Self> {
        let file = File { index: 0, link: 0, delta: 0 };
        let mut cursor = Self {
            job_id,
            page: Vec::new().into_iter(),
            is_last: false,
            key: (i64::MIN, Vec::new()),
            file,
            ended: false,
        };
        cursor.advance(t)?;
        Ok(cursor)
    }

    fn advance(&mut self, t: &mut dyn Session) -> Result<()> {
        if self.page.len() == 0 && !self.is_last {
            self.read_page(t)?;
        }
        let Some(mut row) = self.page.next() else {
            self.ended = true;
            return Ok(());
        };
        self.key = (row.take()?, row.take()?);
        self.file = File { index: row.take()?, link: row.take()?, delta: row.take()? };
        Ok(())
    }

    fn read_page(&mut self, t: &mut dyn Session) -> Result<()> {
        let page = t.query(
            "SELECT PathId, Name, FileIndex, LinkFI, DeltaSeq FROM File
             WHERE JobId = ?1 AND (PathId, Name, FileIndex) > (?2, ?3, ?4)
             ORDER BY JobId, PathId, Name, FileIndex LIMIT ?5",
            &values![self.job_id, self.key.0, self.key.1.as_slice(), self.file.index, PAGE],
        )?;
        self.is_last = page.len() < PAGE as usize;
        self.page = page.into_iter();
        Ok(())
    }

    /// The job's own choice among its entries of this name, if it has any: the first of a hard link, else the last.
    fn take(&mut self, t: &mut dyn Session, key: &(i64, Vec<u8>)) -> Result<Option<File>> {
        let mut own: Option<File> = None;
        while !self.ended && self.key == *key {
            own = Some(own.filter(|f| f.index > 0 && f.link > 0).unwrap_or(self.file));
            self.advance(t)?;
        }
        Ok(own)
    }
}

fn walk(t: &mut dyn Session, jobs: &[Head], chosen: &Chosen, gone: &Gone) -> Result<BTreeMap<u32, IndexSet>> {
    let mut cursors: Vec<Cursor> = jobs.iter().map(|job| Cursor::start(t, job.job_id)).collect::<Result<_>>()?;
    let mut sets: Vec<IndexSet> = jobs.iter().map(|_| IndexSet::default()).collect();
    let mut key = (0, Vec::new());
    let mut versions: Vec<(usize, File)> = Vec::new();
    while let Some(least) = cursors.iter().filter(|c| !c.ended).map(|c| &c.key).min() {
        key.clone_from(least);
        versions.clear();
        for (place, cursor) in cursors.iter_mut().enumerate() {
            versions.extend(cursor.take(t, &key)?.map(|file| (place, file)));
        }
        versions.retain(|(place, _)| !gone.contains(&key, *place));
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
