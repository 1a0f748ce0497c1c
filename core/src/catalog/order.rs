//! The order of jobs: by their numbers, never by a clock, which may have been wrong and put right since (`wire/3 §7.2`).
//!
//! What a migration made, or a copy that has taken its original's place, has a later number than jobs that build on it.
//! It stands where its original stood: [`JobRow::place`]. A virtual full stands where the last of its jobs stood.
//!
//! Catalogs with a query language say the same in it.

use std::collections::BTreeMap;

use super::{JobRow, LastJobs};

impl JobRow {
    /// What orders this job among others: its number, or that of the backup it stands for.
    #[must_use]
    pub const fn place(&self) -> u32 {
        if self.origin == 0 { self.job_id } else { self.origin }
    }
}

/// The answer to [`CatalogRequest::LastJobs`](super::CatalogRequest::LastJobs) over all jobs.
pub fn last_jobs<'a>(
    jobs: impl Iterator<Item = &'a JobRow> + Clone,
    (name, client_id, file_set_id): (&str, u32, u32),
    now: i64,
) -> LastJobs {
    let is_one = |row: &&JobRow| {
        (row.name.as_str(), row.client_id, row.file_set_id, row.job_type) == (name, client_id, file_set_id, b'B')
            && b"TW".contains(&row.job_status)
    };
    let newest_of = |level: u8| {
        let rows = jobs.clone().filter(is_one).filter(|row| row.level == level);
        rows.max_by_key(|row| (row.place(), row.job_id)).cloned()
    };
    let newest: Vec<JobRow> = [b'F', b'D', b'I'].into_iter().filter_map(newest_of).collect();
    let sound_up_to = |place: u32| {
        let rows = jobs.clone().filter(is_one).filter(|row| b"FDI".contains(&row.level) && row.place() <= place);
        rows.filter(|row| is_sound(row, jobs.clone(), now)).max_by_key(|row| (row.place(), row.job_id)).cloned()
    };
    let full = newest.iter().find(|row| row.level == b'F').map_or(0, JobRow::place);
    let mut sound: Vec<JobRow> = [u32::MAX, full].into_iter().filter_map(sound_up_to).collect();
    sound.dedup_by_key(|row| row.job_id);
    LastJobs { newest, sound }
}

/// Whether nothing says that the clock was ahead when this job began: neither the present nor a job with a later number
/// that was ordered before it. Copies have the times of their originals and say nothing.
fn is_sound<'a>(row: &JobRow, mut jobs: impl Iterator<Item = &'a JobRow>, now: i64) -> bool {
    row.start_time <= now
        && !jobs.any(|later| later.job_id > row.place() && later.origin == 0 && later.sched_time < row.sched_time)
}

/// The answer to [`CatalogRequest::NewestBackup`](super::CatalogRequest::NewestBackup) over all jobs.
pub fn newest_backup<'a>(
    jobs: impl Iterator<Item = &'a JobRow>,
    name: Option<&str>,
    client: Option<&str>,
) -> Option<JobRow> {
    let is_one = |row: &&JobRow| {
        row.job_type == b'B'
            && b"TW".contains(&row.job_status)
            && name.is_none_or(|name| name == row.name)
            && client.is_none_or(|client| client == row.client)
    };
    jobs.filter(is_one).max_by_key(|row| (row.place(), row.job_id)).cloned()
}

/// The answer to [`CatalogRequest::JobsForRestore`](super::CatalogRequest::JobsForRestore) over all jobs.
pub fn jobs_for_restore<'a>(
    jobs: impl Iterator<Item = &'a JobRow>,
    (client, name, file_set): (&str, Option<&str>, Option<&str>),
    before: i64,
    now: i64,
) -> Vec<JobRow> {
    let is_good = |row: &&JobRow| {
        row.client == client
            && row.job_type == b'B'
            && b"TW".contains(&row.job_status)
            && b"FDI".contains(&row.level)
            && name.is_none_or(|name| name == row.name)
    };
    let mut good: Vec<&JobRow> = jobs.filter(is_good).collect();
    good.sort_by_key(|row| (row.place(), row.job_id));
    let Some(cut) = begun_before(good.iter().map(|row| (row.place(), row.start_time)), before, now) else {
        return Vec::new();
    };
    good.retain(|row| row.place() <= cut);
    let fulls = good.iter().filter(|row| row.level == b'F').map(|row| (row.file_set.as_str(), row.place()));
    let newest: BTreeMap<&str, u32> = fulls.collect();
    good.iter()
        .filter(|row| file_set.is_none_or(|name| name == row.file_set))
        .filter(|row| newest.get(row.file_set.as_str()).is_some_and(|full| *full <= row.place()))
        .map(|row| (*row).clone())
        .collect()
}

/// The answer to [`CatalogRequest::JobsToCopy`](super::CatalogRequest::JobsToCopy) over all jobs.
pub fn jobs_to_copy<'a>(
    jobs: impl Iterator<Item = &'a JobRow> + Clone,
    pool_id: u32,
    uncopied: bool,
    after: u32,
    limit: u32,
) -> Vec<JobRow> {
    let is_good = |row: &JobRow| b"TW".contains(&row.job_status);
    let is_copied = |job: &JobRow| {
        let mut copies = jobs.clone().filter(|row| row.prior_job_id == job.job_id && b"BC".contains(&row.job_type));
        copies.any(is_good)
    };
    let mut found: Vec<&JobRow> = jobs
        .clone()
        .filter(|row| b"BA".contains(&row.job_type) && is_good(row) && row.job_bytes > 0 && row.pool_id == pool_id)
        .filter(|row| row.place() > after && !(uncopied && is_copied(row)))
        .collect();
    found.sort_by_key(|row| (row.place(), row.job_id));
    found.into_iter().take(limit as usize).cloned().collect()
}

/// The place of the last job that began before a moment, by all that their start times say together. `jobs` are places
/// with start times, in order; `None` if there is none.
///
/// A clock that was wrong for some jobs makes start times contradict the order. So the place is the one with which the
/// fewest of them disagree; the later one of two that are equal. A time later than `now` says nothing at all.
#[must_use]
pub fn begun_before(jobs: impl Iterator<Item = (u32, i64)>, before: i64, now: i64) -> Option<u32> {
    let mut score = 0_i64;
    let mut best: Option<(i64, u32)> = None;
    for (place, start) in jobs {
        let is_before = start < before;
        score += if is_before { 1 } else { -i64::from(start <= now) };
        if is_before && score >= 0 {
            best = best.max(Some((score, place)));
        }
    }
    best.map(|(_, place)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(starts: &[i64], before: i64, now: i64) -> Option<u32> {
        begun_before((1..).zip(starts.iter().copied()), before, now)
    }

    #[test]
    fn a_moment_lies_after_the_jobs_that_began_before_it() {
        let starts = [10, 20, 30, 40];
        assert_eq!(
            [10, 11, 25, 30, 31, i64::MAX].map(|before| cut(&starts, before, 99)),
            [None, Some(1), Some(2), Some(2), Some(3), Some(4)]
        );
        assert_eq!(cut(&[], 50, 99), None);
    }

    #[test]
    fn a_clock_that_was_ahead_or_behind_for_a_job_moves_no_other() {
        // The first was ahead: what builds on it brings it along.
        assert_eq!(cut(&[500, 20, 30, 40], 35, 100), Some(3), "still in the future");
        assert_eq!(cut(&[90, 20, 30, 40], 35, 100), Some(3), "not any more");
        assert_eq!(cut(&[90, 20], 35, 100), Some(2));
        assert_eq!(cut(&[90, 20], 15, 100), None);
        // A whole week was ahead, and it is not yet over.
        assert_eq!(cut(&[500, 501, 502, 503, 20, 30], 25, 100), Some(5));
        assert_eq!(cut(&[500, 50], 40, 100), None, "both are later");
        // A clock without a battery began at 1970.
        assert_eq!(cut(&[10, 20, 30, 40, 1, 50], 15, 100), Some(1));
    }

    fn job(job_id: u32, level: u8, time: i64) -> JobRow {
        JobRow {
            job_id,
            level,
            job_type: b'B',
            job_status: b'T',
            sched_time: time,
            start_time: time,
            file_set: "home".into(),
            ..Default::default()
        }
    }

    fn ids(rows: &[JobRow]) -> Vec<u32> {
        rows.iter().map(|row| row.job_id).collect()
    }

    fn last(rows: &[JobRow], now: i64) -> (Vec<u32>, Vec<u32>) {
        let LastJobs { newest, sound } = last_jobs(rows.iter(), ("", 0, 0), now);
        (ids(&newest), ids(&sound))
    }

    #[test]
    fn a_job_is_sound_unless_the_present_or_a_later_job_says_otherwise() {
        let rows = [job(1, b'F', 10), job(2, b'F', 90), job(3, b'I', 95)];
        assert_eq!(last(&rows, 100), (vec![2, 3], vec![3, 2]));
        assert_eq!(last(&rows, 92), (vec![2, 3], vec![2]), "the last is of the future");
        // Any job at all tells, even one that failed; but not one that only waited longer for its turn.
        let failed = JobRow { job_status: b'f', name: "another".into(), ..job(4, b'F', 20) };
        assert_eq!(last(&[rows[0].clone(), rows[1].clone(), failed.clone()], 100), (vec![2], vec![1]));
        let waited = JobRow { start_time: 99, ..job(2, b'F', 15) };
        assert_eq!(last(&[rows[0].clone(), waited, failed], 100), (vec![2], vec![2]));
    }

    #[test]
    fn what_a_migration_made_stands_where_its_original_stood() {
        let moved = JobRow { origin: 1, prior_job_id: 1, ..job(3, b'F', 10) };
        let rows = [job(2, b'I', 20), moved];
        assert_eq!(last(&rows, 100), (vec![3, 2], vec![2, 3]));
        assert_eq!(ids(&jobs_for_restore(rows.iter(), ("", None, None), i64::MAX, 100)), [3, 2]);
        assert_eq!(newest_backup(rows.iter(), None, Some("")).map(|row| row.job_id), Some(2));
        assert_eq!(newest_backup(rows.iter(), Some("other"), None), None);
    }

    #[test]
    fn a_restore_chooses_among_the_jobs_since_the_newest_full_of_each_fileset() {
        let etc = JobRow { file_set: "etc".into(), ..job(2, b'F', 20) };
        let rows = [job(1, b'F', 10), etc, job(3, b'F', 30), job(4, b'I', 40)];
        let chosen = |file_set, before| ids(&jobs_for_restore(rows.iter(), ("", None, file_set), before, 100));
        assert_eq!(chosen(None, i64::MAX), [2, 3, 4]);
        assert_eq!(chosen(None, 30), [1, 2]);
        assert_eq!(chosen(Some("home"), 40), [3]);
        assert_eq!(ids(&jobs_for_restore(rows.iter(), ("", Some("other"), None), 99, 100)), [0_u32; 0]);
    }

    #[test]
    fn the_uncopied_backups_of_a_pool_come_page_by_page_in_the_order_of_their_places() {
        let of_pool = |row: JobRow| JobRow { pool_id: 7, job_bytes: 1, ..row };
        let copy = |job_id, prior_job_id, job_status| {
            of_pool(JobRow { job_type: b'C', prior_job_id, origin: prior_job_id, job_status, ..job(job_id, b'F', 1) })
        };
        let rows = [
            of_pool(job(1, b'F', 90)),
            of_pool(job(2, b'I', 20)),
            of_pool(JobRow { job_status: b'f', ..job(3, b'F', 30) }),
            JobRow { pool_id: 7, ..job(4, b'I', 40) },
            of_pool(JobRow { job_type: b'A', ..job(5, b'F', 50) }),
            copy(6, 1, b'T'),
            copy(7, 2, b'f'),
            of_pool(JobRow { job_type: b'M', ..job(8, b'F', 80) }),
            of_pool(JobRow { origin: 8, prior_job_id: 8, ..job(9, b'F', 80) }),
            JobRow { pool_id: 8, job_bytes: 1, ..job(10, b'F', 99) },
        ];
        let page = |uncopied, after, limit| ids(&jobs_to_copy(rows.iter(), 7, uncopied, after, limit));
        assert_eq!(page(true, 0, 9), [2, 5, 9]);
        assert_eq!(page(false, 0, 9), [1, 2, 5, 9]);
        assert_eq!([page(false, 0, 2), page(false, 2, 2), page(false, 8, 2)], [vec![1, 2], vec![5, 9], vec![]]);
    }
}
