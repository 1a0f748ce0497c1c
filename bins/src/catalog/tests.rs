//! One set of bodies for every engine: each takes a factory and knows nothing but the trait.

pub(super) mod frames;
mod jobs;
mod restore;
mod sqlite;
mod volumes;

use super::Catalog;
use towline_core::role::director::catalog::*;

/// Does a request that must succeed.
fn ask(catalog: &mut dyn Catalog, request: CatalogRequest) -> CatalogAnswer {
    catalog.handle(request).unwrap()
}

fn id(catalog: &mut dyn Catalog, request: CatalogRequest) -> u32 {
    match ask(catalog, request) {
        CatalogAnswer::Id(id) => id,
        other => panic!("{other:?}"),
    }
}

fn jobs(catalog: &mut dyn Catalog, request: CatalogRequest) -> Vec<JobRow> {
    match ask(catalog, request) {
        CatalogAnswer::Jobs(jobs) => jobs,
        other => panic!("{other:?}"),
    }
}

fn volume(catalog: &mut dyn Catalog, request: CatalogRequest) -> MediaRow {
    match ask(catalog, request) {
        CatalogAnswer::Volume(Some(row)) => *row,
        other => panic!("{other:?}"),
    }
}

fn stored(catalog: &mut dyn Catalog, job_id: u32, payloads: &[Vec<u8>]) -> FilesStored {
    let mut batch = UpdCatBatch::new();
    payloads.iter().for_each(|p| batch.push(p));
    match ask(catalog, CatalogRequest::InsertFiles { job_id, batch }) {
        CatalogAnswer::Files(counts) => counts,
        other => panic!("{other:?}"),
    }
}

fn listed(catalog: &mut dyn Catalog, job_id: u32) -> Vec<FileRow> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        match ask(catalog, CatalogRequest::ListFiles { job_id, after, limit: 2 }) {
            CatalogAnswer::FileList { files, next } => {
                assert!(files.len() <= 2);
                all.extend(files);
                after = next;
            }
            other => panic!("{other:?}"),
        }
        if after.is_none() {
            all.sort_by_key(|f| f.file_index);
            return all;
        }
    }
}

/// A client, a fileset, a pool and a storage.
struct Site {
    client_id: u32,
    file_set_id: u32,
    pool_id: u32,
}

fn site(catalog: &mut dyn Catalog) -> Site {
    let client = ClientSpec { name: "alpha-fd".into(), ..Default::default() };
    let set = FileSetSpec { file_set: "home".into(), md5: "m1".into(), ..Default::default() };
    let pool = PoolRow { name: "Full".into(), pool_type: "Backup".into(), ..Default::default() };
    Site {
        client_id: id(catalog, CatalogRequest::EnsureClient(client)),
        file_set_id: id(catalog, CatalogRequest::EnsureFileSet(set)),
        pool_id: id(catalog, CatalogRequest::EnsurePool(Box::new(pool))),
    }
}

/// A job that started at `time` and is running.
fn running(catalog: &mut dyn Catalog, site: &Site, level: u8, time: i64) -> u32 {
    let new = NewJob {
        job: format!("nightly.{level}.{time}"),
        name: "nightly".into(),
        job_type: b'B',
        level,
        client_id: site.client_id,
        sched_time: time - 1,
        comment: String::new(),
    };
    let job_id = id(catalog, CatalogRequest::CreateJob(new));
    let start = JobStart {
        job_id,
        job_status: b'R',
        level,
        start_time: time,
        client_id: site.client_id,
        pool_id: site.pool_id,
        file_set_id: site.file_set_id,
        vol_session_id: job_id,
        vol_session_time: 7,
    };
    ask(catalog, CatalogRequest::StartJob(start));
    job_id
}

fn ended(site: &Site, job_id: u32, level: u8, time: i64, job_files: u32) -> JobEnd {
    JobEnd {
        job_id,
        job_status: b'T',
        level,
        end_time: time,
        real_end_time: time,
        client_id: site.client_id,
        pool_id: site.pool_id,
        file_set_id: site.file_set_id,
        vol_session_id: job_id,
        vol_session_time: 7,
        job_files,
        job_bytes: 1000,
        ..Default::default()
    }
}

/// A whole job with these frames, from `time` to `time + 5`.
fn backup(catalog: &mut dyn Catalog, site: &Site, level: u8, time: i64, payloads: &[Vec<u8>]) -> u32 {
    let job_id = running(catalog, site, level, time);
    stored(catalog, job_id, payloads);
    let files = u32::try_from(payloads.len()).unwrap();
    ask(catalog, CatalogRequest::EndJob(Box::new(ended(site, job_id, level, time + 5, files))));
    job_id
}

fn new_volume(site: &Site, name: &str) -> MediaRow {
    MediaRow { volume_name: name.into(), pool_id: site.pool_id, media_type: "File".into(), ..Default::default() }
}
