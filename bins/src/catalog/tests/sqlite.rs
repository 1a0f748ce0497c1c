//! The bodies on SQLite, and what only a file can show.

use super::bodies::frames::attributes;
use super::bodies::*;
use super::{Attempt, Catalog};
use crate::catalog::rows::{browse, jobs};
use crate::catalog::{CatalogWorker, Patience, SqliteCatalog};
use rusqlite::Connection;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;
use towline_core::catalog::*;

macro_rules! on_sqlite {
    ($($module:ident :: $body:ident;)*) => {$(
        #[test]
        fn $body() {
            let directory = tempfile::tempdir().unwrap();
            let mut catalog = SqliteCatalog::open(&directory.path().join("catalog.db")).unwrap();
            super::bodies::$module::$body(&mut catalog);
        }
    )*};
}

for_each_body!(on_sqlite);

#[test]
fn answers_survive_and_an_open_transaction_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("catalog.db");
    let job_id;
    {
        let mut catalog = SqliteCatalog::open(&file).unwrap();
        let site = site(&mut catalog);
        job_id = running(&mut catalog, &site, b'F', 100);
        stored(&mut catalog, job_id, &[attributes(1, 3, b"/a", 0), attributes(2, 3, b"/b", 0)]);
    }
    {
        // A process that dies here has written to the journal and not committed.
        let connection = Connection::open(&file).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE; DELETE FROM File; DELETE FROM Job;").unwrap();
    }
    let mut catalog = SqliteCatalog::open(&file).unwrap();
    assert_eq!(listed(&mut catalog, job_id).len(), 1);
    assert_eq!(ask(&mut catalog, CatalogRequest::MarkUnfinishedJobsFailed { now: 5 }), CatalogAnswer::Changed(1));
}

#[test]
fn a_batch_that_does_not_fit_leaves_nothing_and_can_come_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut catalog = SqliteCatalog::open(&directory.path().join("catalog.db")).unwrap();
    let site = site(&mut catalog);
    let job_id = running(&mut catalog, &site, b'F', 100);
    let batch: Vec<_> = (1..2000).map(|i| attributes(i, 3, format!("/some/where/{i}/{i}").as_bytes(), 0)).collect();
    catalog.limit_pages(Some(60));
    let mut payloads = UpdCatBatch::new();
    batch.iter().for_each(|p| payloads.push(p));
    let request = CatalogRequest::InsertFiles { job_id, batch: payloads };
    assert_eq!(catalog.handle(&request, Attempt::First).unwrap_err().kind, CatalogErrorKind::Full);
    assert!(catalog.syncs(), "only a batch of files may be quick");
    assert_eq!(listed(&mut catalog, job_id).len(), 0);
    catalog.limit_pages(None);
    assert_eq!(
        ask(&mut catalog, request),
        CatalogAnswer::Files(FilesStored { files: 1998, highest: 1999, ..Default::default() })
    );
    assert!(catalog.syncs());
    ask(&mut catalog, CatalogRequest::EndJob(Box::new(ended(&site, job_id, b'F', 105, 1999))));
    let names: Vec<_> = listed(&mut catalog, job_id).into_iter().map(|f| f.name).collect();
    assert_eq!(names.len(), 1999);
    assert_eq!(names[1998], b"/some/where/1999/1999");
}

#[test]
fn the_search_for_a_sound_job_reads_by_index_and_no_table_within_another() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("catalog.db");
    drop(SqliteCatalog::open(&file).unwrap());
    let connection = Connection::open(&file).unwrap();
    for (sql, wanted) in [
        (jobs::candidates(), "SEARCH Job USING INDEX JobBy"),
        (jobs::EARLIEST.to_owned(), "SEARCH Job USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
    ] {
        let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let count = plan.parameter_count();
        let rows = plan.query_map(rusqlite::params_from_iter(vec![1; count]), |row| row.get::<_, String>(3)).unwrap();
        let steps: Vec<String> = rows.map(|row| row.unwrap()).filter(|step| step.contains("Job")).collect();
        assert!(matches!(&steps[..], [step] if step.starts_with(wanted)), "{sql}: {steps:?}");
    }
}

#[test]
fn a_folder_is_browsed_by_indexes_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("catalog.db");
    drop(SqliteCatalog::open(&file).unwrap());
    let connection = Connection::open(&file).unwrap();
    for sql in
        [browse::folders_in(&[1, 2]), browse::FILES.to_owned(), browse::VERSIONS.to_owned(), browse::own_folders()]
    {
        let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let count = plan.parameter_count();
        let rows = plan.query_map(rusqlite::params_from_iter(vec![1; count]), |row| row.get::<_, String>(3)).unwrap();
        let steps: Vec<String> = rows.map(|row| row.unwrap()).collect();
        let tables = ["File", "Path", "PathHierarchy", "PathVisibility", "Job", "JobMedia", "Media", "Client"];
        let is_scan = |step: &&String| tables.iter().any(|table| **step == format!("SCAN {table}"));
        assert_eq!(steps.iter().find(is_scan), None, "{sql}: {steps:#?}");
        let reads_files =
            steps.iter().any(|step| step.starts_with("SEARCH File USING PRIMARY KEY (JobId=? AND PathId"));
        assert!(reads_files, "{sql}: {steps:#?}");
    }
}

/// Tells of each attempt after it failed.
struct Watched {
    catalog: SqliteCatalog,
    failed: Sender<CatalogErrorKind>,
}

impl Catalog for Watched {
    fn handle(&mut self, request: &CatalogRequest, attempt: Attempt) -> Result<CatalogAnswer, CatalogError> {
        let done = self.catalog.handle(request, attempt);
        if let Err(error) = &done {
            let _unwatched = self.failed.send(error.kind);
        }
        done
    }
}

#[test]
fn a_batch_waits_while_another_program_has_the_file_and_is_stored_once() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("catalog.db");
    let mut catalog = SqliteCatalog::open(&file).unwrap();
    catalog.wait_when_busy(Duration::from_millis(1));
    let site = site(&mut catalog);
    let job_id = running(&mut catalog, &site, b'F', 100);
    let other = Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (failed, failures) = channel();
    let patience = Patience { retry_for: Duration::from_secs(600) };
    let worker = CatalogWorker::start(Box::new(Watched { catalog, failed }), 8, patience).unwrap();
    let (answers, seen) = channel();
    let mut batch = UpdCatBatch::new();
    [attributes(1, 3, b"/a", 0), attributes(2, 3, b"/b", 0)].iter().for_each(|payload| batch.push(payload));
    let requests = [
        CatalogRequest::InsertFiles { job_id, batch },
        CatalogRequest::EndJob(Box::new(ended(&site, job_id, b'F', 105, 2))),
        CatalogRequest::ListFiles { job_id, after: None, limit: 10 },
    ];
    for request in requests {
        let answers = answers.clone();
        worker.submit(request, Box::new(move |answer| drop(answers.send(answer)))).unwrap();
    }
    for _ in 0..3 {
        assert_eq!(failures.recv().unwrap(), CatalogErrorKind::Unavailable);
    }
    assert!(seen.try_recv().is_err(), "nothing is answered while the file is another program's");
    other.execute_batch("COMMIT").unwrap();
    let stored = FilesStored { files: 1, highest: 2, ..Default::default() };
    assert_eq!(seen.recv().unwrap(), Ok(CatalogAnswer::Files(stored)));
    assert_eq!(seen.recv().unwrap(), Ok(CatalogAnswer::Done));
    match seen.recv().unwrap() {
        Ok(CatalogAnswer::FileList { files, .. }) => assert_eq!(files.len(), 2),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_catalog_is_refused_with_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("catalog.db");
    std::fs::write(&file, "this is a letter to my mother, and no database at all".repeat(50)).unwrap();
    let error = SqliteCatalog::open(&file).err().unwrap();
    assert_eq!(error.kind, CatalogErrorKind::Corrupt);
    assert!(error.text.contains("catalog.db"), "{error}");
    let error = SqliteCatalog::open(&directory.path().join("no/such/directory.db")).err().unwrap();
    assert_eq!(error.kind, CatalogErrorKind::Unavailable);
}
