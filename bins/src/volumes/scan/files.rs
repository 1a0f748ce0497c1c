//! The files and pieces of one job, as they are read from its volumes.

use std::collections::{BTreeMap, BTreeSet};

use towline_core::catalog::{
    CatalogAnswer, CatalogError, CatalogErrorKind, CatalogRequest, JobMediaRow, JobRow, UpdCatBatch,
};
use towline_core::wire::attributes::AttributeRecord;
use towline_core::wire::catalog::CatalogUpdate;
use towline_core::wire::record::Record;
use towline_core::wire::stream::Stream;

use super::super::pass::{At, Visitor};
use crate::catalog::Attempt;
use crate::catalog::rebuild::Rebuild;

/// Bytes of attributes that are stored at once.
const BATCH: usize = 1 << 20;
/// Bytes of a volume that one piece goes over, as storage daemons have it (`wire/3 §5.7`): where a restore may begin to read.
const PIECE: u64 = 1_000_000_000;
/// Files of a job that are kept to tell whether another job holds older ones.
pub(super) const NEWEST: usize = 64;

/// What was read of a job.
#[derive(Clone, Debug, Default)]
pub(super) struct Read {
    /// Files stored.
    pub(super) files: u64,
    /// The files that were changed last: when their attributes changed, and their names.
    pub(super) newest: BTreeSet<(i64, Vec<u8>)>,
}

/// Stores what comes of a job.
pub(super) struct Files<'c> {
    catalog: &'c mut dyn Rebuild,
    job_id: u32,
    batch: UpdCatBatch,
    frame: Vec<u8>,
    pieces: Vec<Piece>,
    read: Read,
    failed: Option<CatalogError>,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    volume: usize,
    start: u64,
    end: u64,
    first: u32,
    last: u32,
}

impl<'c> Files<'c> {
    /// Those of this job.
    pub(super) fn new(catalog: &'c mut dyn Rebuild, job_id: u32) -> Self {
        Self {
            catalog,
            job_id,
            batch: UpdCatBatch::new(),
            frame: Vec::new(),
            pieces: Vec::new(),
            read: Read::default(),
            failed: None,
        }
    }

    /// Stores what is left, and the pieces that the catalog lacks. `volumes` has the MediaIds of those on the shelf, `row` the
    /// totals of the job.
    ///
    /// # Errors
    /// What the engine says.
    pub(super) fn finish(mut self, volumes: &[u32], row: &JobRow) -> Result<Read, CatalogError> {
        self.store();
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let pieces = match self.ask(CatalogRequest::JobMediaOf { jobs: vec![self.job_id] })? {
            CatalogAnswer::Pieces(pieces) => pieces,
            other => return Err(CatalogError::new(CatalogErrorKind::Bug, format!("pieces: {other:?}"))),
        };
        let mut known: BTreeMap<u32, Vec<(u64, u64)>> = BTreeMap::new();
        for piece in pieces.iter().map(|piece| piece.piece).filter(|piece| piece.last_index > 0) {
            let address = |file: u32, block: u32| u64::from(file) << 32 | u64::from(block);
            let range = (address(piece.start_file, piece.start_block), address(piece.end_file, piece.end_block));
            known.entry(piece.media_id).or_default().push(range);
        }
        for piece in std::mem::take(&mut self.pieces) {
            let Some(media_id) = volumes.get(piece.volume).copied() else { continue };
            let last = piece.end - 1;
            let overlaps = |range: &(u64, u64)| range.0 <= last && piece.start <= range.1;
            if known.get(&media_id).is_some_and(|known| known.iter().any(overlaps)) {
                continue;
            }
            self.ask(CatalogRequest::CreateJobMedia(JobMediaRow {
                job_id: self.job_id,
                media_id,
                first_index: piece.first,
                last_index: piece.last,
                start_file: (piece.start >> 32) as u32,
                start_block: piece.start as u32,
                end_file: (last >> 32) as u32,
                end_block: last as u32,
            }))?;
        }
        // The last file does not wait for its digest any longer.
        let JobRow { job_files, job_bytes, .. } = *row;
        self.ask(CatalogRequest::Checkpoint { job_id: self.job_id, job_files, job_bytes })?;
        Ok(self.read)
    }

    fn ask(&mut self, request: CatalogRequest) -> Result<CatalogAnswer, CatalogError> {
        self.catalog.handle(&request, Attempt::First)
    }

    fn store(&mut self) {
        if self.batch.is_empty() || self.failed.is_some() {
            return;
        }
        let batch = std::mem::take(&mut self.batch);
        match self.ask(CatalogRequest::InsertFiles { job_id: self.job_id, batch }) {
            Ok(_) => {}
            Err(error) => self.failed = Some(error),
        }
    }

    fn note(&mut self, data: &[u8]) {
        let Ok(attributes) = AttributeRecord::parse(data) else { return };
        self.read.files += 1;
        let changed = attributes.stat().ctime;
        let newest = &mut self.read.newest;
        if newest.len() < NEWEST || newest.first().is_some_and(|(oldest, _)| changed > *oldest) {
            newest.insert((changed, attributes.name.to_vec()));
            if newest.len() > NEWEST {
                newest.pop_first();
            }
        }
    }
}

impl Visitor for Files<'_> {
    fn block(&mut self, at: &At, indexes: Option<(u32, u32)>) {
        let Some((first, last)) = indexes else { return };
        match self.pieces.last_mut() {
            Some(piece) if piece.volume == at.volume && piece.start + PIECE > at.bytes.start => {
                piece.end = at.bytes.end;
                piece.first = piece.first.min(first);
                piece.last = piece.last.max(last);
            }
            _ => {
                let (start, end) = (at.bytes.start, at.bytes.end);
                self.pieces.push(Piece { volume: at.volume, start, end, first, last });
            }
        }
    }

    fn record(&mut self, record: &Record<'_>, _at: &At) {
        let stream = Stream(record.stream);
        if !stream.is_for_catalog() {
            return;
        }
        if stream.is_attributes() {
            self.note(record.data);
        }
        self.frame.clear();
        CatalogUpdate {
            job: b"scan",
            session_id: record.session.id,
            session_time: record.session.time,
            file_index: record.file_index,
            stream: record.stream,
            data: record.data,
        }
        .put(&mut self.frame);
        self.batch.push(&self.frame);
        if self.batch.bytes() >= BATCH {
            self.store();
        }
    }

    fn is_done(&self) -> bool {
        self.failed.is_some()
    }
}
