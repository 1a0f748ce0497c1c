//! Which jobs may go because they are old.

use std::collections::BTreeMap;

use super::JobRow;

/// Of these jobs those that ended before a time and are of no more use: the newest good Full of a client and fileset
/// stays however old it is, and so does every good backup after it, since both are needed to restore the newest state.
/// `fulls` has good Fulls of the clients, the newest of each among them.
#[must_use]
pub fn prunable(jobs: &[JobRow], fulls: &[JobRow], before: i64) -> Vec<u32> {
    let is_good = |job: &JobRow| matches!(job.job_type, b'B') && matches!(job.job_status, b'T' | b'W');
    let mut newest: BTreeMap<(u32, u32), u32> = BTreeMap::new();
    for full in fulls.iter().chain(jobs).filter(|job| is_good(job) && job.level == b'F') {
        let place = newest.entry((full.client_id, full.file_set_id)).or_default();
        *place = full.place().max(*place);
    }
    let is_needed = |job: &JobRow| {
        let since = newest.get(&(job.client_id, job.file_set_id));
        // Without a Full an incremental restores nothing.
        is_good(job) && since.is_some_and(|since| job.place() >= *since)
    };
    let may_go = |job: &&JobRow| job.real_end_time > 0 && job.job_t_date < before && !is_needed(job);
    jobs.iter().filter(may_go).map(|job| job.job_id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(job_id: u32, level: u8, ended: i64) -> JobRow {
        JobRow {
            job_id,
            level,
            job_type: b'B',
            job_status: b'T',
            client_id: 1,
            file_set_id: 1,
            real_end_time: ended,
            job_t_date: ended,
            ..JobRow::default()
        }
    }

    #[test]
    fn the_newest_full_and_what_builds_on_it_stay_however_old_they_are() {
        let jobs = [job(1, b'F', 10), job(2, b'I', 20), job(3, b'F', 30), job(4, b'I', 40), job(5, b'D', 50)];
        assert_eq!(prunable(&jobs, &[], 1_000), [1, 2]);
        assert_eq!(prunable(&jobs, &[], 20), [1]);
        // A newer one elsewhere lets the older ones go.
        assert_eq!(prunable(&jobs, &[job(9, b'F', 90)], 1_000), [1, 2, 3, 4, 5]);
        // One of another fileset or client does not, nor one that failed.
        let others = [
            JobRow { file_set_id: 2, ..job(9, b'F', 90) },
            JobRow { client_id: 2, ..job(10, b'F', 90) },
            JobRow { job_status: b'f', ..job(11, b'F', 90) },
        ];
        assert_eq!(prunable(&jobs, &others, 1_000), [1, 2]);
    }

    #[test]
    fn what_restores_nothing_goes_by_its_age_alone() {
        let failed = JobRow { job_status: b'f', ..job(2, b'F', 20) };
        let restore = JobRow { job_type: b'R', ..job(3, b' ', 30) };
        let runs = JobRow { job_status: b'R', real_end_time: 0, ..job(4, b'F', 40) };
        assert_eq!(prunable(&[failed, restore, runs], &[], 1_000), [2, 3]);
        assert_eq!(prunable(&[job(1, b'I', 10)], &[], 1_000), [1], "there is no Full that it builds on");
    }
}
