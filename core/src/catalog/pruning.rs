//! Which jobs may go because they are old.

use std::collections::{BTreeMap, BTreeSet};

use super::JobRow;

/// What becomes of jobs that are old enough to go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruning {
    /// They may go.
    pub gone: Vec<u32>,
    /// The newest state of a client is restored from them: they stay.
    pub kept: Vec<u32>,
}

/// Of these jobs those that ended before a time. The newest good Full of a client and fileset stays however old it is, and
/// so does every good backup after it, since both are needed to restore the newest state; but for one of which there is a
/// good copy, which takes its place. `others` has good Fulls of the clients, the newest of each among them, and the good
/// copies of these jobs. (Bareos goes by the age alone.)
#[must_use]
pub fn prune(jobs: &[JobRow], others: &[JobRow], before: i64) -> Pruning {
    let is_good = |job: &JobRow| matches!(job.job_type, b'B') && matches!(job.job_status, b'T' | b'W');
    let mut newest: BTreeMap<(u32, Set<'_>), u32> = BTreeMap::new();
    for full in others.iter().chain(jobs).filter(|job| is_good(job) && job.level == b'F') {
        let place = newest.entry((full.client_id, Set::of(full))).or_default();
        *place = full.place().max(*place);
    }
    let is_needed = |job: &JobRow| {
        let since = newest.get(&(job.client_id, Set::of(job)));
        // Without a Full an incremental restores nothing.
        is_good(job) && since.is_some_and(|since| job.place() >= *since)
    };
    let is_old = |job: &&JobRow| job.real_end_time > 0 && job.job_t_date < before;
    let old: BTreeSet<u32> = jobs.iter().filter(is_old).map(|job| job.job_id).collect();
    let is_copy = |job: &&JobRow| job.job_type == b'C' && matches!(job.job_status, b'T' | b'W');
    // A copy that goes with its original takes nobody's place.
    let copied: BTreeSet<u32> = others
        .iter()
        .filter(is_copy)
        .filter(|copy| !old.contains(&copy.job_id))
        .map(|copy| copy.prior_job_id)
        .collect();
    let mut pruning = Pruning::default();
    for job in jobs.iter().filter(is_old) {
        if is_needed(job) && !copied.contains(&job.job_id) { &mut pruning.kept } else { &mut pruning.gone }
            .push(job.job_id);
    }
    pruning
}

/// A fileset: by its name, for one whose content has changed is still the same to whoever restores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Set<'a> {
    Named(&'a str),
    Numbered(u32),
}

impl<'a> Set<'a> {
    fn of(job: &'a JobRow) -> Self {
        if job.file_set.is_empty() { Self::Numbered(job.file_set_id) } else { Self::Named(&job.file_set) }
    }
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

    fn gone(jobs: &[JobRow], fulls: &[JobRow], before: i64) -> Vec<u32> {
        prune(jobs, fulls, before).gone
    }

    #[test]
    fn what_is_old_enough_and_stays_is_told() {
        let jobs = [job(1, b'F', 10), job(2, b'F', 20), job(3, b'I', 30), job(4, b'I', 2_000)];
        assert_eq!(prune(&jobs, &[], 1_000), Pruning { gone: vec![1], kept: vec![2, 3] });
        assert_eq!(prune(&jobs, &[], i64::MIN), Pruning::default());
    }

    #[test]
    fn one_that_has_a_copy_elsewhere_goes_and_the_copy_takes_its_place() {
        let copy =
            |job_id, status| JobRow { job_type: b'C', job_status: status, prior_job_id: 1, ..job(job_id, b'F', 15) };
        let original = job(1, b'F', 10);
        assert_eq!(gone(std::slice::from_ref(&original), &[copy(2, b'T')], 1_000), [1]);
        assert_eq!(gone(std::slice::from_ref(&original), &[copy(2, b'f')], 1_000), [0_u32; 0], "it is not good");
        assert_eq!(prune(&[original.clone(), copy(2, b'T')], &[copy(2, b'T')], 1_000).kept, [1], "it goes with it");
        assert_eq!(gone(&[original, copy(2, b'T')], &[copy(2, b'T'), copy(3, b'T')], 1_000), [1, 2]);
    }

    #[test]
    fn a_fileset_whose_content_has_changed_is_the_same_by_its_name() {
        let named = |job: JobRow, file_set_id| JobRow { file_set: "home".to_owned(), file_set_id, ..job };
        let jobs = [named(job(1, b'F', 10), 1), named(job(2, b'F', 20), 2)];
        assert_eq!(gone(&jobs, &[], 1_000), [1]);
        assert_eq!(gone(&[job(1, b'F', 10), JobRow { file_set_id: 2, ..job(2, b'F', 20) }], &[], 1_000), [0_u32; 0]);
    }

    #[test]
    fn the_newest_full_and_what_builds_on_it_stay_however_old_they_are() {
        let jobs = [job(1, b'F', 10), job(2, b'I', 20), job(3, b'F', 30), job(4, b'I', 40), job(5, b'D', 50)];
        assert_eq!(gone(&jobs, &[], 1_000), [1, 2]);
        assert_eq!(gone(&jobs, &[], 20), [1]);
        // A newer one elsewhere lets the older ones go.
        assert_eq!(gone(&jobs, &[job(9, b'F', 90)], 1_000), [1, 2, 3, 4, 5]);
        // One of another fileset or client does not, nor one that failed.
        let others = [
            JobRow { file_set_id: 2, ..job(9, b'F', 90) },
            JobRow { client_id: 2, ..job(10, b'F', 90) },
            JobRow { job_status: b'f', ..job(11, b'F', 90) },
        ];
        assert_eq!(gone(&jobs, &others, 1_000), [1, 2]);
    }

    #[test]
    fn what_restores_nothing_goes_by_its_age_alone() {
        let failed = JobRow { job_status: b'f', ..job(2, b'F', 20) };
        let restore = JobRow { job_type: b'R', ..job(3, b' ', 30) };
        let runs = JobRow { job_status: b'R', real_end_time: 0, ..job(4, b'F', 40) };
        assert_eq!(gone(&[failed, restore, runs], &[], 1_000), [2, 3]);
        assert_eq!(gone(&[job(1, b'I', 10)], &[], 1_000), [1], "there is no Full that it builds on");
    }
}
