//! The level a backup really runs at, and since when it looks for changes (`wire/3 §7.2`).

use super::catalog::JobRow;
use super::restore_selection::{SelectionError, choose_jobs};

/// What a backup does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelChoice {
    /// The level code: as asked, or `F` after an upgrade.
    pub level: u8,
    /// Whether a Full was made of it for want of one to build on.
    pub upgraded: bool,
    /// Files changed after this time are saved, in seconds since 1970; 0 for a Full.
    pub since: i64,
    /// The job it builds on, 0 for a Full.
    pub base_job_id: u32,
}

/// Chooses from the answer to [`super::catalog::CatalogRequest::LastJobs`]. An Incremental builds on the newest job of
/// any level, a Differential on the newest Full, both only if there is a Full; every other level stays as it is.
#[must_use]
pub fn choose_level(asked: u8, last: &[JobRow]) -> LevelChoice {
    let newest =
        |levels: &[u8]| last.iter().filter(|j| levels.contains(&j.level)).max_by_key(|j| (j.start_time, j.job_id));
    let full = newest(b"F");
    let base = match asked {
        b'I' => full.and_then(|_| newest(b"FDI")),
        b'D' => full,
        level => return LevelChoice { level, upgraded: false, since: 0, base_job_id: 0 },
    };
    match base {
        Some(job) => LevelChoice { level: asked, upgraded: false, since: job.start_time, base_job_id: job.job_id },
        None => LevelChoice { level: b'F', upgraded: true, since: 0, base_job_id: 0 },
    }
}

/// The jobs whose files an accurate backup of this level builds on, oldest first: those a restore would combine, for a
/// Differential only the Full. `candidates` are the answer to [`super::catalog::CatalogRequest::JobsForRestore`], of one
/// job resource.
///
/// # Errors
/// As [`choose_jobs`].
pub fn accurate_base(level: u8, candidates: &[JobRow]) -> Result<Vec<JobRow>, SelectionError> {
    let mut jobs = choose_jobs(candidates, None)?;
    if level == b'D' {
        jobs.retain(|job| job.level == b'F');
    }
    Ok(jobs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(job_id: u32, level: u8, start_time: i64) -> JobRow {
        JobRow { job_id, level, start_time, ..Default::default() }
    }

    #[test]
    fn without_a_full_everything_becomes_one() {
        for asked in [b'I', b'D'] {
            let choice = choose_level(asked, &[job(3, b'I', 30)]);
            assert_eq!((choice.level, choice.upgraded, choice.since), (b'F', true, 0));
        }
    }

    #[test]
    fn an_incremental_builds_on_the_newest_job_and_a_differential_on_the_newest_full() {
        let last = [job(1, b'F', 10), job(2, b'D', 20), job(3, b'I', 15)];
        assert_eq!(choose_level(b'I', &last), LevelChoice { level: b'I', upgraded: false, since: 20, base_job_id: 2 });
        assert_eq!(choose_level(b'D', &last), LevelChoice { level: b'D', upgraded: false, since: 10, base_job_id: 1 });
    }

    #[test]
    fn a_full_stays_a_full() {
        assert_eq!(
            choose_level(b'F', &[job(1, b'F', 10)]),
            LevelChoice { level: b'F', upgraded: false, since: 0, base_job_id: 0 }
        );
    }
}
