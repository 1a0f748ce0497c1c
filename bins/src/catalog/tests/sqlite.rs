//! The bodies on SQLite, and what only a file can show.

use super::frames::attributes;
use super::*;
use crate::catalog::SqliteCatalog;
use rusqlite::Connection;

macro_rules! on_sqlite {
    ($($module:ident :: $body:ident;)*) => {$(
        #[test]
        fn $body() {
            let directory = tempfile::tempdir().unwrap();
            let mut catalog = SqliteCatalog::open(&directory.path().join("catalog.db")).unwrap();
            super::$module::$body(&mut catalog);
        }
    )*};
}

on_sqlite! {
    jobs::a_job_goes_from_created_to_ended;
    jobs::a_checkpoint_stores_totals_and_the_last_file;
    jobs::ids_and_names_must_be_right;
    jobs::jobs_are_listed_newest_first_and_filtered;
    jobs::levels_build_on_the_newest_good_job_of_the_same_file_set;
    jobs::jobs_left_running_by_a_crash_become_failed;
    jobs::the_configuration_is_updated_in_place;
    jobs::reports_keep_their_order_and_follow_a_migrated_job;
    volumes::a_volume_comes_back_as_it_was_stored;
    volumes::a_stale_row_is_not_stored;
    volumes::volumes_are_found_by_pool_and_type;
    volumes::pieces_are_counted_and_place_holders_can_go;
    volumes::pruning_takes_old_jobs_and_never_a_running_one;
    restore::files_are_stored_with_their_digests_across_batches;
    restore::one_job_without_a_selection_is_one_range;
    restore::the_newest_version_wins_and_deleted_files_stay_away;
    restore::a_selection_takes_directories_with_all_below_and_single_files;
    restore::a_hard_link_brings_the_file_with_its_data;
    restore::a_name_twice_in_a_job_counts_once;
    restore::a_delta_needs_all_its_parts;
    restore::purged_lists_leave_only_everything;
    restore::jobs_of_a_restore_are_those_since_the_newest_full_before_a_date;
}

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
    assert_eq!(catalog.handle(request.clone()).unwrap_err().kind, CatalogErrorKind::Full);
    assert!(catalog.syncs(), "only a batch of files may be quick");
    assert_eq!(listed(&mut catalog, job_id).len(), 0);
    catalog.limit_pages(None);
    assert_eq!(ask(&mut catalog, request), CatalogAnswer::Files(FilesStored { files: 1998, ..Default::default() }));
    assert!(catalog.syncs());
    ask(&mut catalog, CatalogRequest::EndJob(Box::new(ended(&site, job_id, b'F', 105, 1999))));
    let names: Vec<_> = listed(&mut catalog, job_id).into_iter().map(|f| f.name).collect();
    assert_eq!(names.len(), 1999);
    assert_eq!(names[1998], b"/some/where/1999/1999");
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
