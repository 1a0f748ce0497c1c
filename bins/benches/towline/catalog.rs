//! Files a second into the catalog: batches as a storage daemon sends them, each with its digest, to the end of the job.

use std::path::Path;
use std::time::Instant;

use towline::catalog::{Attempt, Catalog, SqliteCatalog};
use towline_core::catalog::{CatalogAnswer, CatalogRequest, ClientSpec, FileSetSpec, JobEnd, NewJob, UpdCatBatch};

use crate::frames::{attributes, digest};

/// Bytes of a batch, as of a parcel from a storage daemon.
const BATCH: usize = 256 << 10;
/// Files in a folder.
const FOLDER: u32 = 40;

/// A job's frames, in batches.
pub(crate) fn batches(files: u32) -> Vec<UpdCatBatch> {
    let mut batches = vec![UpdCatBatch::new()];
    for index in 1..=files {
        let name = format!("/srv/some/where/folder {}/a file with a name of usual length {index}", index / FOLDER);
        let index = i32::try_from(index).unwrap_or(i32::MAX);
        for frame in [attributes(index, 3, name.as_bytes(), 0), digest(index, 3, &[0x5a; 16])] {
            if batches.last().is_none_or(|batch| batch.bytes() + frame.len() > BATCH) {
                batches.push(UpdCatBatch::new());
            }
            if let Some(batch) = batches.last_mut() {
                batch.push(&frame);
            }
        }
    }
    batches
}

/// A new catalog in a file of this folder.
pub(crate) fn sqlite(folder: &Path, round: usize) -> Box<dyn Catalog> {
    let file = folder.join(format!("catalog {round}.sqlite"));
    Box::new(SqliteCatalog::open(&file).expect("a catalog of SQLite"))
}

/// Stores a whole job; returns files a second.
pub(crate) fn run(catalog: &mut dyn Catalog, files: u32, batches: &[UpdCatBatch]) -> f64 {
    let mut ask = |request: CatalogRequest| catalog.handle(&request, Attempt::First).expect("the catalog answers");
    let mut id = |request| match ask(request) {
        CatalogAnswer::Id(id) => id,
        other => panic!("{other:?}"),
    };
    let client_id = id(CatalogRequest::EnsureClient(ClientSpec { name: "bench-fd".into(), ..Default::default() }));
    let file_set = FileSetSpec { file_set: "bench".into(), md5: "m".into(), ..Default::default() };
    let file_set_id = id(CatalogRequest::EnsureFileSet(file_set));
    let new = NewJob { job: "bench.1".into(), name: "bench".into(), job_type: b'B', level: b'F', ..Default::default() };
    let job_id = id(CatalogRequest::CreateJob(NewJob { client_id, ..new }));
    let began = Instant::now();
    for batch in batches {
        ask(CatalogRequest::InsertFiles { job_id, batch: batch.clone() });
    }
    let end = JobEnd {
        job_id,
        job_status: b'T',
        level: b'F',
        client_id,
        file_set_id,
        job_files: files,
        ..Default::default()
    };
    ask(CatalogRequest::EndJob(Box::new(end)));
    f64::from(files) / began.elapsed().as_secs_f64()
}
