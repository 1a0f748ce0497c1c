//! How long a folder takes of a catalog that holds millions of files.

use std::time::{Duration, Instant};

use towline::catalog::{Attempt, Catalog};
use towline_core::catalog::browse::{Browse, Browsed, Place, Step, Within};
use towline_core::catalog::{CatalogAnswer, CatalogRequest, ClientSpec, FileSetSpec, JobEnd, NewJob, UpdCatBatch};

use crate::frames::attributes;

/// Files that are stored with one request.
const BATCH: u32 = 2_000;
/// Files in a folder.
const FOLDER: u32 = 20;
/// Folders in a folder.
const WIDE: u32 = 500;
/// What a browser shows at once.
const LIMIT: u32 = 2_000;
/// The folder of all.
const ROOT: &str = "/srv/share/";

/// A job that was stored.
pub(crate) struct Filled {
    pub(crate) job_id: u32,
    /// Files a second of its last fifth.
    pub(crate) rate: f64,
}

/// Puts one job with so many files into a catalog, and has its folders learned.
pub(crate) fn fill(catalog: &mut dyn Catalog, files: u32) -> Filled {
    let client_id =
        id(catalog, CatalogRequest::EnsureClient(ClientSpec { name: "bench-fd".into(), ..Default::default() }));
    let file_set = FileSetSpec { file_set: "bench".into(), md5: "m".into(), ..Default::default() };
    let file_set_id = id(catalog, CatalogRequest::EnsureFileSet(file_set));
    let (mut last, mut took) = (0, Duration::ZERO);
    let new = NewJob {
        job: format!("browse.{files}"),
        name: "browse".into(),
        job_type: b'B',
        level: b'F',
        ..Default::default()
    };
    let job_id = id(catalog, CatalogRequest::CreateJob(NewJob { client_id, ..new }));
    for first in (0..files).step_by(BATCH as usize) {
        let mut batch = UpdCatBatch::new();
        for number in first..files.min(first + BATCH) {
            let folder = number / FOLDER;
            let name =
                format!("{ROOT}group {}/folder {folder}/a file with a name of usual length {number}", folder / WIDE);
            batch.push(&attributes(i32::try_from(number + 1).unwrap_or(i32::MAX), 3, name.as_bytes(), 0));
        }
        let began = Instant::now();
        ask(catalog, CatalogRequest::InsertFiles { job_id, batch });
        if first >= files - files / 5 {
            last += files.min(first + BATCH) - first;
            took += began.elapsed();
        }
    }
    let end = JobEnd {
        job_id,
        job_status: b'T',
        level: b'F',
        end_time: 2,
        client_id,
        file_set_id,
        job_files: files,
        ..Default::default()
    };
    ask(catalog, CatalogRequest::EndJob(Box::new(end)));
    let mut step = Some(Step::FIRST);
    while let Some(now) = step {
        match ask(catalog, CatalogRequest::Browse(Browse::Learn { job_id, step: now })) {
            CatalogAnswer::Browsed(Browsed::Learned(next)) => step = next,
            other => panic!("{other:?}"),
        }
    }
    Filled { job_id, rate: f64::from(last) / took.as_secs_f64() }
}

/// Milliseconds to choose all files below the folder of all for a restore.
pub(crate) fn choose(catalog: &mut dyn Catalog, job_id: u32) -> f64 {
    let began = Instant::now();
    let only = vec![ROOT.as_bytes().to_vec()];
    ask(catalog, CatalogRequest::FilesForRestore { jobs: vec![job_id], only });
    began.elapsed().as_secs_f64() * 1_000.0
}

/// Milliseconds that the slowest of some folders took, as a browser goes down through them.
pub(crate) fn slowest(catalog: &mut dyn Catalog, job_id: u32, files: u32, round: u32) -> f64 {
    let folder = (files / FOLDER / 2 + round) % (files / FOLDER);
    let group = folder / WIDE;
    let places = [
        "/".to_owned(),
        ROOT.to_owned(),
        format!("{ROOT}group {group}/"),
        format!("{ROOT}group {group}/folder {folder}/"),
    ];
    places.iter().map(|place| look(catalog, job_id, place)).fold(0.0, f64::max)
}

fn look(catalog: &mut dyn Catalog, job_id: u32, path: &str) -> f64 {
    let began = Instant::now();
    let place = Place::Path(path.as_bytes().to_vec());
    let CatalogAnswer::Browsed(Browsed::Folder(Some(folder))) =
        ask(catalog, CatalogRequest::Browse(Browse::Folder(place)))
    else {
        panic!("no folder {path}")
    };
    let within = Within { jobs: vec![job_id], path_id: folder.path_id, limit: LIMIT, offset: 0 };
    ask(catalog, CatalogRequest::Browse(Browse::Folders(within.clone())));
    ask(catalog, CatalogRequest::Browse(Browse::Files(within)));
    began.elapsed().as_secs_f64() * 1_000.0
}

fn ask(catalog: &mut dyn Catalog, request: CatalogRequest) -> CatalogAnswer {
    catalog.handle(&request, Attempt::First).expect("the catalog answers")
}

fn id(catalog: &mut dyn Catalog, request: CatalogRequest) -> u32 {
    match ask(catalog, request) {
        CatalogAnswer::Id(id) => id,
        other => panic!("{other:?}"),
    }
}
