//! One body for each behaviour, the same for every engine: it takes a catalog and knows nothing but the trait. The module
//! above brings `Catalog` and `Attempt` into scope, in the library's own tests and in those against a real server.
#![allow(dead_code, reason = "each engine's own tests use a part of the helpers")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

pub(crate) mod browse;
pub(crate) mod counters;
pub(crate) mod frames;
pub(crate) mod jobs;
pub(crate) mod listing;
pub(crate) mod restore;
pub(crate) mod volumes;

use super::{Attempt, Catalog};
use towline_core::catalog::*;

/// Calls a macro with every body, so that each runs on every engine.
macro_rules! for_each_body {
    ($run:ident) => {
        $run! {
            jobs::a_job_goes_from_created_to_ended;
            jobs::a_checkpoint_stores_totals_and_the_last_file;
            jobs::ids_and_names_must_be_right;
            jobs::a_number_is_as_high_as_it_is_to_be_and_the_next_goes_on_from_there;
            jobs::jobs_are_listed_newest_first_and_filtered;
            jobs::levels_build_on_the_newest_good_job_of_the_same_file_set;
            jobs::jobs_are_ordered_by_their_numbers_and_not_by_a_clock;
            jobs::a_virtual_full_stands_where_the_last_of_its_jobs_stood;
            jobs::of_jobs_with_any_times_those_are_sound_that_the_rule_over_rows_finds;
            jobs::jobs_left_running_by_a_crash_become_failed;
            jobs::the_configuration_is_updated_in_place;
            jobs::reports_keep_their_order_and_follow_a_migrated_job;
            jobs::a_report_with_a_zero_byte_is_stored;
            jobs::names_are_ordered_by_their_bytes;
            counters::counters_go_on_and_keep_their_numbers;
            volumes::a_volume_comes_back_as_it_was_stored;
            volumes::a_stale_row_is_not_stored;
            volumes::volumes_are_found_by_pool_and_type;
            volumes::pieces_are_counted_and_place_holders_can_go;
            volumes::pruning_takes_old_jobs_and_never_a_running_one;
            volumes::a_copy_becomes_a_backup_when_its_original_is_pruned;
            volumes::pruning_keeps_the_last_full_and_what_builds_on_it_until_there_is_a_newer_one;
            volumes::jobs_and_volumes_are_deleted_and_files_purged;
            volumes::the_files_of_a_folder_go_and_the_jobs_stay;
            volumes::a_pool_and_a_storage_go_once_no_volume_is_theirs;
            jobs::a_job_that_has_ended_is_corrected;
            volumes::jobs_are_found_by_a_file_and_by_their_volume;
            restore::files_are_found_by_names_with_wildcards;
            restore::files_are_stored_with_their_digests_across_batches;
            restore::rows_after_the_last_file_with_data_are_taken_out_at_the_end;
            restore::what_its_client_could_not_read_wholly_is_not_there_and_the_version_before_counts;
            restore::one_job_without_a_selection_is_one_range;
            restore::the_newest_version_wins_and_deleted_files_stay_away;
            restore::what_lay_below_a_folder_that_is_none_any_more_is_gone;
            restore::a_selection_takes_directories_with_all_below_and_single_files;
            restore::a_hard_link_brings_the_file_with_its_data;
            restore::a_name_twice_in_a_job_counts_once;
            restore::a_delta_needs_all_its_parts;
            restore::purged_lists_leave_only_everything;
            restore::names_of_any_length_are_stored_and_found;
            restore::a_page_of_long_names_ends_by_its_bytes_and_none_is_lost;
            restore::many_files_are_walked_page_by_page;
            restore::files_are_found_by_their_names;
            restore::known_files_are_those_of_all_jobs_together_page_by_page;
            restore::jobs_of_a_restore_are_those_since_the_newest_full_before_a_date;
            browse::a_folder_shows_what_its_jobs_have_in_it;
            browse::a_list_of_a_folder_has_a_limit_and_goes_on;
            browse::a_deleted_folder_is_not_shown;
            browse::versions_of_a_file_come_with_their_volumes;
            browse::a_running_job_is_learned_when_it_has_ended_and_what_was_learned_can_be_forgotten;
            listing::what_the_configuration_names_is_listed_with_its_numbers;
            listing::jobs_are_counted_summed_and_found_by_what_they_have;
            listing::the_last_lines_of_reports_come_in_their_order;
            listing::copies_are_listed_with_their_originals;
            listing::an_operators_statement_can_only_read;
        }
    };
}

pub(crate) use for_each_body;

/// Does a request that must succeed.
pub(crate) fn ask(catalog: &mut dyn Catalog, request: CatalogRequest) -> CatalogAnswer {
    catalog.handle(&request, Attempt::First).unwrap()
}

/// Does a request that must fail.
pub(crate) fn refused(catalog: &mut dyn Catalog, request: CatalogRequest) -> CatalogError {
    catalog.handle(&request, Attempt::First).unwrap_err()
}

pub(crate) fn id(catalog: &mut dyn Catalog, request: CatalogRequest) -> u32 {
    match ask(catalog, request) {
        CatalogAnswer::Id(id) => id,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn jobs(catalog: &mut dyn Catalog, request: CatalogRequest) -> Vec<JobRow> {
    match ask(catalog, request) {
        CatalogAnswer::Jobs(jobs) => jobs,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn last_jobs(catalog: &mut dyn Catalog, request: CatalogRequest) -> LastJobs {
    match ask(catalog, request) {
        CatalogAnswer::LastJobs(last) => *last,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn volume(catalog: &mut dyn Catalog, request: CatalogRequest) -> MediaRow {
    match ask(catalog, request) {
        CatalogAnswer::Volume(Some(row)) => *row,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn stored(catalog: &mut dyn Catalog, job_id: u32, payloads: &[Vec<u8>]) -> FilesStored {
    let mut batch = UpdCatBatch::new();
    payloads.iter().for_each(|p| batch.push(p));
    match ask(catalog, CatalogRequest::InsertFiles { job_id, batch }) {
        CatalogAnswer::Files(counts) => counts,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn listed(catalog: &mut dyn Catalog, job_id: u32) -> Vec<FileRow> {
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
pub(crate) struct Site {
    pub(crate) client_id: u32,
    pub(crate) file_set_id: u32,
    pub(crate) pool_id: u32,
}

pub(crate) fn site(catalog: &mut dyn Catalog) -> Site {
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
pub(crate) fn running(catalog: &mut dyn Catalog, site: &Site, level: u8, time: i64) -> u32 {
    let new = NewJob {
        job: format!("nightly.{level}.{time}"),
        name: "nightly".into(),
        job_type: b'B',
        level,
        client_id: site.client_id,
        sched_time: time - 1,
        at_least: 0,
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

pub(crate) fn ended(site: &Site, job_id: u32, level: u8, time: i64, job_files: u32) -> JobEnd {
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
pub(crate) fn backup(catalog: &mut dyn Catalog, site: &Site, level: u8, time: i64, payloads: &[Vec<u8>]) -> u32 {
    let job_id = running(catalog, site, level, time);
    stored(catalog, job_id, payloads);
    let files = u32::try_from(payloads.len()).unwrap();
    ask(catalog, CatalogRequest::EndJob(Box::new(ended(site, job_id, level, time + 5, files))));
    job_id
}

pub(crate) fn new_volume(site: &Site, name: &str) -> MediaRow {
    MediaRow { volume_name: name.into(), pool_id: site.pool_id, media_type: "File".into(), ..Default::default() }
}
