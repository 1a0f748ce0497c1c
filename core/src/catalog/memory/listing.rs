//! Lists for consoles, from the maps.

use std::collections::BTreeMap;

use super::super::{
    Holding, JobFilter, JobRow, JobTotal, Listed, ListedCopy, ListedFileSet, ListedLine, ListedPiece, ListedPool,
    ListedStorage, Listing, LogFilter, LogRow,
};
use super::{CatalogError, CatalogErrorKind, MemoryCatalog};

impl MemoryCatalog {
    pub(super) fn list(&self, listing: Listing) -> Result<Listed, CatalogError> {
        Ok(match listing {
            Listing::CountJobs(filter) => {
                let all = JobFilter { limit: u32::MAX, offset: 0, ..filter };
                Listed::Count(self.list_jobs(&all).len() as u64)
            }
            Listing::Pools => Listed::Pools(self.listed_pools()),
            Listing::FileSets => {
                let row = |(id, spec): (&u32, &super::FileSetSpec)| ListedFileSet {
                    file_set_id: *id,
                    file_set: spec.file_set.clone(),
                    md5: spec.md5.clone(),
                    create_time: spec.create_time,
                    text: spec.text.clone(),
                };
                Listed::FileSets(self.file_sets.iter().map(row).collect())
            }
            Listing::Storages => {
                let row = |(id, name): (&u32, &String)| ListedStorage {
                    storage_id: *id,
                    name: name.clone(),
                    auto_changer: false,
                };
                Listed::Storages(self.storages.iter().map(row).collect())
            }
            Listing::JobTotals => Listed::Totals(self.totals()),
            Listing::Log(filter) => Listed::Log(self.lines(&filter)),
            Listing::Copies { job_id } => Listed::Copies(self.copies(job_id)),
            Listing::Pieces { job_id, limit } => Listed::Pieces(self.listed_pieces(job_id, limit as usize)),
            Listing::Holdings => Listed::Holdings(self.holdings()),
            Listing::Query { .. } => {
                return Err(CatalogError::new(CatalogErrorKind::Constraint, "this catalog knows no SQL"));
            }
        })
    }

    fn listed_pools(&self) -> Vec<ListedPool> {
        let volumes = |id: u32| self.media.values().filter(|row| row.pool_id == id).count();
        let row = |row: &super::PoolRow| ListedPool {
            row: row.clone(),
            num_vols: u32::try_from(volumes(row.pool_id)).unwrap_or(u32::MAX),
        };
        self.pools.values().map(row).collect()
    }

    fn totals(&self) -> Vec<JobTotal> {
        let mut totals: BTreeMap<&str, JobTotal> = BTreeMap::new();
        for row in self.jobs.values().filter(|row| row.job_type == b'B') {
            let total = totals.entry(&row.name).or_default();
            total.name.clone_from(&row.name);
            total.jobs += 1;
            total.files += u64::from(row.job_files);
            total.bytes += row.job_bytes;
        }
        totals.into_values().collect()
    }

    fn lines(&self, filter: &LogFilter) -> Vec<ListedLine> {
        let equal = |wanted: &Option<String>, name: &str| wanted.as_ref().is_none_or(|wanted| wanted == name);
        let none = JobRow::default();
        let line = |(at, row): (usize, &LogRow)| {
            let job = self.jobs.get(&row.job_id).unwrap_or(&none);
            let fits = equal(&filter.name, &job.name)
                && equal(&filter.client, &job.client)
                && filter.since.is_none_or(|since| row.time >= since);
            fits.then(|| ListedLine {
                log_id: at as u64 + 1,
                job_id: row.job_id,
                name: job.name.clone(),
                client: job.client.clone(),
                time: row.time,
                text: row.text.clone(),
            })
        };
        let rows = self.log.iter().enumerate().rev().filter_map(line);
        let mut rows: Vec<ListedLine> = rows.skip(filter.offset as usize).take(filter.limit as usize).collect();
        if !filter.newest_first {
            rows.reverse();
        }
        rows
    }

    fn copies(&self, job_id: Option<u32>) -> Vec<ListedCopy> {
        let is_copy = |row: &&JobRow| row.job_type == b'C' && job_id.is_none_or(|id| row.prior_job_id == id);
        let copy = |row: &JobRow| {
            let original = self.jobs.get(&row.prior_job_id)?;
            let piece = self.job_media.iter().find(|piece| piece.job_id == row.job_id)?;
            Some(ListedCopy {
                job_id: original.job_id,
                job: original.job.clone(),
                copy_job_id: row.job_id,
                media_type: self.media.get(&piece.media_id)?.media_type.clone(),
            })
        };
        let mut copies: Vec<ListedCopy> = self.jobs.values().filter(is_copy).filter_map(copy).collect();
        copies.sort_by_key(|row| (std::cmp::Reverse(row.job_id), row.copy_job_id));
        copies
    }

    fn listed_pieces(&self, job_id: Option<u32>, limit: usize) -> Vec<ListedPiece> {
        let mut pieces = Vec::new();
        for (job_media_id, piece) in (1..).zip(&self.job_media) {
            if job_id.is_none_or(|id| id == piece.job_id) && pieces.len() < limit {
                let name = self.media.get(&piece.media_id).map(|row| row.volume_name.clone());
                pieces.push(ListedPiece { job_media_id, piece: *piece, volume_name: name.unwrap_or_default() });
            }
        }
        pieces
    }

    fn holdings(&self) -> Vec<Holding> {
        let is_full = |row: &&JobRow| {
            row.job_type == b'B' && row.level == b'F' && matches!(row.job_status, b'T' | b'W') && !row.client.is_empty()
        };
        let mut newest: BTreeMap<(&str, &str), Holding> = BTreeMap::new();
        for row in self.jobs.values().filter(is_full) {
            let holding = Holding {
                client: row.client.clone(),
                file_set: row.file_set.clone(),
                job_id: row.job_id,
                bytes: row.job_bytes,
            };
            newest.insert((&row.client, &row.file_set), holding);
        }
        newest.into_values().collect()
    }
}
