//! Copies whose original has gone: one of them takes its place (`wire/3 §1.9`).

use std::collections::BTreeMap;

use super::JobRow;

/// The copies that become backups now that jobs were deleted: of each original that no backup stands for any more, the
/// good copy with the lowest number. A migrated original does not count, the job it was migrated to does; and so does a
/// copy that has taken its place before.
///
/// Catalogs with a query language say the same in it.
pub fn orphaned_copies<'a>(jobs: impl IntoIterator<Item = &'a JobRow> + Clone) -> Vec<u32> {
    let is_good = |row: &JobRow| b"TW".contains(&row.job_status);
    let mut lowest: BTreeMap<u32, u32> = BTreeMap::new();
    for row in jobs.clone() {
        if row.job_type == b'C' && is_good(row) && row.prior_job_id > 0 {
            let job_id = lowest.entry(row.prior_job_id).or_insert(row.job_id);
            *job_id = row.job_id.min(*job_id);
        }
    }
    for row in jobs {
        if row.job_type != b'M' {
            lowest.remove(&row.job_id);
        }
        if row.job_type == b'B' && is_good(row) {
            lowest.remove(&row.prior_job_id);
        }
    }
    lowest.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(job_id: u32, job_type: u8, prior_job_id: u32) -> JobRow {
        JobRow { job_id, job_type, prior_job_id, job_status: b'T', ..JobRow::default() }
    }

    #[test]
    fn the_first_good_copy_of_an_original_that_is_gone_takes_its_place() {
        let cut = JobRow { job_status: b'f', ..row(3, b'C', 1) };
        let warned = JobRow { job_status: b'W', ..row(9, b'C', 8) };
        let jobs = [row(5, b'C', 1), row(4, b'C', 1), cut, warned, row(12, b'C', 0), row(13, b'c', 4)];
        assert_eq!(orphaned_copies(&jobs), [4, 9]);
    }

    #[test]
    fn a_copy_stays_one_while_a_backup_stands_for_its_original() {
        assert_eq!(orphaned_copies(&[row(1, b'B', 0), row(4, b'C', 1)]), [0_u32; 0], "the original");
        assert_eq!(orphaned_copies(&[row(4, b'B', 1), row(5, b'C', 1)]), [0_u32; 0], "another copy, promoted before");
        let migrated = [row(1, b'M', 0), row(4, b'C', 1), row(6, b'B', 1)];
        assert_eq!(orphaned_copies(&migrated), [0_u32; 0], "the job it was migrated to");
        assert_eq!(orphaned_copies(&migrated[..2]), [4], "which is gone");
        let broken = JobRow { job_status: b'f', ..row(6, b'B', 1) };
        assert_eq!(orphaned_copies(&[row(4, b'C', 1), broken]), [4]);
    }
}
