//! Storing and listing files.

use super::super::files::{FileEntry, Joiner};
use super::super::known::{Page, newest};
use super::super::path_cache::PathCache;
use super::{SqliteCatalog, begin, failure, missing};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Transaction, params};
use towline_core::role::director::catalog::{CatalogAnswer, CatalogError, FileKey, FileRow, FilesStored, UpdCatBatch};

/// The longest page of a list.
const PAGE_LIMIT: u32 = 10_000;

impl SqliteCatalog {
    /// Stores a batch in one transaction. It need not be on the disk at once: the files of a job count from its next piece
    /// on a volume or from its end, and the commit of those syncs the journal with all that is in it.
    pub(super) fn insert_files(&mut self, job_id: u32, batch: &UpdCatBatch) -> Result<CatalogAnswer, CatalogError> {
        self.sync_commits(false)?;
        let done = self.insert_unsynced(job_id, batch);
        self.sync_commits(true)?;
        done
    }

    /// Whether a commit waits for the disk. A crash never leaves half a transaction either way.
    fn sync_commits(&self, wait: bool) -> Result<(), CatalogError> {
        let mode = if wait { "FULL" } else { "NORMAL" };
        self.connection.pragma_update(None, "synchronous", mode).map_err(|e| failure(&e))
    }

    fn insert_unsynced(&mut self, job_id: u32, batch: &UpdCatBatch) -> Result<CatalogAnswer, CatalogError> {
        let mut counts = FilesStored::default();
        self.with_joiner(job_id, |joiner, transaction, paths| {
            let mut store = Store::new(transaction, paths, job_id).map_err(|e| failure(&e))?;
            let mut sink = |entry: FileEntry<'_>| store.put(&entry).map_err(|e| failure(&e));
            batch.iter().try_for_each(|payload| joiner.feed(payload, &mut counts, &mut sink))
        })?;
        Ok(CatalogAnswer::Files(counts))
    }

    /// Stores the attribute record that waits for its digest and does something more, in one transaction.
    pub(super) fn with_last_file(
        &mut self,
        job_id: u32,
        is_end: bool,
        then: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<CatalogAnswer>,
    ) -> Result<CatalogAnswer, CatalogError> {
        let mut answer = CatalogAnswer::Done;
        self.with_joiner(job_id, |joiner, transaction, paths| {
            let mut store = Store::new(transaction, paths, job_id).map_err(|e| failure(&e))?;
            joiner.flush(&mut FilesStored::default(), &mut |entry| store.put(&entry).map_err(|e| failure(&e)))?;
            answer = then(transaction).map_err(|e| failure(&e))?;
            Ok(())
        })?;
        if is_end {
            self.joiners.remove(&job_id);
        }
        Ok(answer)
    }

    /// Runs with a copy of the job's joiner, kept only if all was committed: a failed request leaves no trace.
    fn with_joiner(
        &mut self,
        job_id: u32,
        work: impl FnOnce(&mut Joiner, &Transaction<'_>, &mut PathCache) -> Result<(), CatalogError>,
    ) -> Result<(), CatalogError> {
        let mut joiner = self.joiners.get(&job_id).cloned().unwrap_or_default();
        let transaction = begin(&mut self.connection).map_err(|e| failure(&e))?;
        let done = work(&mut joiner, &transaction, &mut self.paths)
            .and_then(|()| transaction.commit().map_err(|e| failure(&e)));
        match &done {
            Ok(()) => drop(self.joiners.insert(job_id, joiner)),
            Err(_) => self.paths.clear(),
        }
        done
    }
}

/// The statements of one batch.
struct Store<'t> {
    job_id: u32,
    paths: &'t mut PathCache,
    find_path: CachedStatement<'t>,
    add_path: CachedStatement<'t>,
    add_file: CachedStatement<'t>,
}

impl<'t> Store<'t> {
    fn new(t: &'t Connection, paths: &'t mut PathCache, job_id: u32) -> rusqlite::Result<Self> {
        if !t.prepare_cached("SELECT 1 FROM Job WHERE JobId = ?1")?.exists([job_id])? {
            return Err(missing(&format!("job {job_id}")));
        }
        Ok(Self {
            job_id,
            paths,
            find_path: t.prepare_cached("SELECT PathId FROM Path WHERE Path = ?1")?,
            add_path: t.prepare_cached("INSERT INTO Path (Path) VALUES (?1) RETURNING PathId")?,
            add_file: t.prepare_cached(
                "INSERT OR REPLACE INTO File (JobId, PathId, Name, FileIndex, LinkFI, DeltaSeq, LStat, Md5)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?,
        })
    }

    fn put(&mut self, file: &FileEntry<'_>) -> rusqlite::Result<()> {
        let path_id = self.path_id(file.path)?;
        self.add_file.execute(params![
            self.job_id,
            path_id,
            file.name,
            file.file_index,
            file.link_fi,
            file.delta_seq,
            file.lstat,
            file.md5
        ])?;
        Ok(())
    }

    fn path_id(&mut self, path: &[u8]) -> rusqlite::Result<i64> {
        if let Some(id) = self.paths.find(path) {
            return Ok(id);
        }
        let known = self.find_path.query_row([path], |row| row.get(0)).optional()?;
        let id = match known {
            Some(id) => id,
            None => self.add_path.query_row([path], |row| row.get(0))?,
        };
        self.paths.insert(path, id);
        Ok(id)
    }
}

pub(super) fn list(t: &Connection, job_id: u32, after: Option<FileKey>, limit: u32) -> rusqlite::Result<CatalogAnswer> {
    let limit = limit.clamp(1, PAGE_LIMIT);
    let rows = page(t, job_id, after.as_ref(), limit)?;
    let next = rows.last().filter(|_| rows.len() == limit as usize).map(|(key, _)| key.clone());
    Ok(CatalogAnswer::FileList { files: rows.into_iter().map(|(_, row)| row).collect(), next })
}

/// A page of what several jobs make of a client's files together.
pub(super) fn known(
    t: &Connection,
    jobs: &[u32],
    after: Option<&FileKey>,
    limit: u32,
) -> rusqlite::Result<CatalogAnswer> {
    let limit = limit.clamp(1, PAGE_LIMIT);
    // All versions of one name are before this.
    let after = after.map(|key| FileKey { file_index: u32::MAX, ..key.clone() });
    let pages: Vec<Page> = jobs
        .iter()
        .map(|job_id| {
            let rows = page(t, *job_id, after.as_ref(), limit)?;
            Ok(Page { is_last: rows.len() < limit as usize, rows })
        })
        .collect::<rusqlite::Result<_>>()?;
    Ok(newest(pages))
}

fn page(t: &Connection, job_id: u32, after: Option<&FileKey>, limit: u32) -> rusqlite::Result<Vec<(FileKey, FileRow)>> {
    let first = FileKey { path_id: i64::MIN, name: Vec::new(), file_index: 0 };
    let start = after.unwrap_or(&first);
    let mut statement = t.prepare_cached(
        "SELECT File.PathId, Name, FileIndex, Path, LStat, Md5, DeltaSeq FROM File
         JOIN Path ON Path.PathId = File.PathId
         WHERE JobId = ?1 AND (File.PathId, Name, FileIndex) > (?2, ?3, ?4)
         ORDER BY JobId, File.PathId, Name, FileIndex LIMIT ?5",
    )?;
    let mut rows = statement.query(params![job_id, start.path_id, start.name, start.file_index, limit])?;
    let mut files = Vec::new();
    while let Some(row) = rows.next()? {
        let key = FileKey { path_id: row.get(0)?, name: row.get(1)?, file_index: row.get(2)? };
        let mut name: Vec<u8> = row.get(3)?;
        name.extend_from_slice(&key.name);
        let file =
            FileRow { file_index: key.file_index, name, lstat: row.get(4)?, md5: row.get(5)?, delta_seq: row.get(6)? };
        files.push((key, file));
    }
    Ok(files)
}
