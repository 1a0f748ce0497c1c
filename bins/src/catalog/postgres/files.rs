//! Storing files: many rows with one statement.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Statement;
use towline_core::catalog::{CatalogError, CatalogErrorKind};

use super::super::files::FileEntry;
use super::super::path_cache::PathCache;
use super::super::sql::Result;
use super::failure::failure;
use super::link::{Ask as _, Transaction};

/// Inserts the paths that are not there, and returns the ids of all.
pub(super) const PATHS: &str = "WITH Given AS (SELECT p FROM unnest(?1::BYTEA[]) AS Array1(p)),
     Added AS (INSERT INTO Path (Path) SELECT p FROM Given ON CONFLICT (sha256(Path)) DO NOTHING RETURNING PathId, Path)
     SELECT PathId, Path FROM Added
     UNION ALL SELECT Path.PathId, Path.Path FROM Path JOIN Given ON sha256(Path.Path) = sha256(Given.p)";

/// Inserts files; the same key again replaces what was there.
pub(super) const FILES: &str = "INSERT INTO File (JobId, PathId, Name, FileIndex, LinkFI, DeltaSeq, LStat, Md5)
     SELECT ?1::BIGINT, * FROM unnest(?2::BIGINT[], ?3::BYTEA[], ?4::BIGINT[], ?5::BIGINT[], ?6::BIGINT[], ?7::BYTEA[],
         ?8::BYTEA[])
     ON CONFLICT (JobId, PathId, Name, FileIndex) DO UPDATE SET LinkFI = EXCLUDED.LinkFI,
         DeltaSeq = EXCLUDED.DeltaSeq, LStat = EXCLUDED.LStat, Md5 = EXCLUDED.Md5";

/// Rows of one statement.
const MOST_ROWS: usize = 4096;
/// Bytes of one statement, about.
const MOST_BYTES: usize = 8 << 20;

/// Files of one job that are not yet sent to the server.
#[derive(Default)]
pub(super) struct Pending {
    job_id: u32,
    files: Vec<File>,
    bytes: usize,
}

struct File {
    path: Vec<u8>,
    name: Vec<u8>,
    file_index: i64,
    link_fi: i64,
    delta_seq: i64,
    lstat: Vec<u8>,
    md5: Vec<u8>,
}

impl Pending {
    pub(super) fn push(&mut self, job_id: u32, file: &FileEntry<'_>) {
        self.job_id = job_id;
        self.bytes += file.path.len() + file.name.len() + file.lstat.len() + file.md5.len();
        self.files.push(File {
            path: file.path.to_vec(),
            name: file.name.to_vec(),
            file_index: file.file_index.into(),
            link_fi: file.link_fi.into(),
            delta_seq: file.delta_seq.into(),
            lstat: file.lstat.to_vec(),
            md5: file.md5.to_vec(),
        });
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    pub(super) const fn is_full(&self) -> bool {
        self.files.len() >= MOST_ROWS || self.bytes >= MOST_BYTES
    }

    /// Sends them. Of files with the same key the last one counts, as if they had been stored one by one.
    pub(super) fn store(
        &self,
        transaction: &Transaction<'_>,
        paths: &mut PathCache,
        path_statement: &Statement,
        file_statement: &Statement,
    ) -> Result<()> {
        let ids = self.path_ids(transaction, paths, path_statement)?;
        let mut rows: BTreeMap<(i64, &[u8], i64), &File> = BTreeMap::new();
        for (file, id) in self.files.iter().zip(ids) {
            rows.insert((id, &file.name, file.file_index), file);
        }
        let path_ids: Vec<i64> = rows.keys().map(|key| key.0).collect();
        let column = |of: fn(&File) -> &[u8]| rows.values().map(|file| of(file)).collect::<Vec<_>>();
        let number = |of: fn(&File) -> i64| rows.values().map(|file| of(file)).collect::<Vec<_>>();
        transaction
            .execute(
                file_statement,
                &[
                    &i64::from(self.job_id),
                    &path_ids,
                    &column(|f| &f.name),
                    &number(|f| f.file_index),
                    &number(|f| f.link_fi),
                    &number(|f| f.delta_seq),
                    &column(|f| &f.lstat),
                    &column(|f| &f.md5),
                ],
            )
            .map(|_| ())
            .map_err(|e| failure(&e))
    }

    /// The id of each file's path.
    fn path_ids(
        &self,
        transaction: &Transaction<'_>,
        paths: &mut PathCache,
        statement: &Statement,
    ) -> Result<Vec<i64>> {
        let known: Vec<Option<i64>> = self.files.iter().map(|file| paths.find(&file.path)).collect();
        let with_known = || self.files.iter().zip(&known);
        let unknown: BTreeSet<&[u8]> =
            with_known().filter(|(_, id)| id.is_none()).map(|(file, _)| file.path.as_slice()).collect();
        let mut found: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
        if !unknown.is_empty() {
            let unknown: Vec<&[u8]> = unknown.into_iter().collect();
            for row in transaction.query(statement, &[&unknown]).map_err(|e| failure(&e))? {
                let (id, path) = (row.try_get(0).map_err(|e| failure(&e))?, row.try_get(1).map_err(|e| failure(&e))?);
                found.insert(path, id);
            }
            found.iter().for_each(|(path, id)| paths.insert(path, *id));
        }
        let ids = with_known().map(|(file, id)| id.or_else(|| found.get(&file.path).copied()));
        ids.collect::<Option<_>>().ok_or_else(|| {
            CatalogError::new(CatalogErrorKind::Unavailable, "somebody else was storing the same path; it is there now")
        })
    }
}
