//! The level a backup really runs at, and since when it looks for changes (`wire/3 §7.2`).

use super::restore_selection::{SelectionError, choose_jobs};
use super::{JobRow, LastJobs};
use crate::calendar::Civil;
use crate::error::{Explain, Facts, Fault, Retry};

/// What a backup does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelChoice {
    /// The level code: as asked, or `F` after an upgrade.
    pub level: u8,
    /// Whether a Full was made of it for want of one to build on.
    pub upgraded: bool,
    /// Files changed after this time are saved, in seconds since 1970; 0 for a Full.
    pub since: i64,
    /// The job it builds on, 0 for a Full.
    pub base_job_id: u32,
    /// Its unique name.
    pub previous: String,
    /// Why `since` is not the start of that job, if it is not.
    pub wrong_clock: Option<WrongClock>,
}

/// How old the backups may be that another one builds on, in seconds; 0: as old as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ages {
    /// The newest full one.
    pub full: u64,
    /// The same, and what comes later is a virtual full. Counts only if there is no age for the other.
    pub virtual_full: u64,
    /// The newest differential one, or the full one if that is newer. For an incremental.
    pub differential: u64,
}

/// The level that an incremental or differential backup becomes because what it would build on is too old; `None`: it stays
/// what it is.
#[must_use]
pub fn level_by_age(asked: u8, last: &LastJobs, ages: Ages, now: i64) -> Option<u8> {
    let newest = |level: u8| last.newest.iter().filter(|job| job.level == level).max_by_key(|job| job.place());
    let full = newest(b'F').filter(|_| matches!(asked, b'I' | b'D'))?;
    let is_over = |limit: u64, start: i64| limit > 0 && u64::try_from(now - start).is_ok_and(|age| age >= limit);
    if is_over(ages.full, full.start_time) {
        return Some(b'F');
    }
    if ages.full == 0 && is_over(ages.virtual_full, full.start_time) {
        return Some(b'f');
    }
    let differential = newest(b'D').filter(|job| job.place() > full.place()).unwrap_or(full);
    (asked == b'I' && is_over(ages.differential, differential.start_time)).then_some(b'D')
}

/// The level at which a backup makes up for one that failed: `failed` are full and differential ones that did, `last` what
/// there is to build on.
#[must_use]
pub fn level_by_failures(asked: u8, last: &LastJobs, failed: &[JobRow]) -> Option<u8> {
    let base = choose_level(asked, last);
    let builds_on = |place: u32| last.newest.iter().any(|job| job.job_id == base.base_job_id && job.place() < place);
    let newest = failed.iter().filter(|job| builds_on(job.place())).max_by_key(|job| job.place())?;
    (newest.level != asked && (newest.level == b'F' || asked == b'I')).then_some(newest.level)
}

/// The job that a backup builds on says that it began later than can be: what changed after it may look older.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongClock {
    /// That job.
    pub job_id: u32,
    /// When it says that it began.
    pub claimed: i64,
    /// The newest job before it whose start can be true, and its start; `None` if there is none, and everything is saved.
    pub sound: Option<(u32, i64)>,
}

/// Chooses from the answer to [`super::CatalogRequest::LastJobs`]. An Incremental builds on the newest job of
/// any level, a Differential on the newest Full, both only if there is a Full; every other level stays as it is. Changes
/// count since the start of that job. If that cannot be true, they count since the newest start before it that can be:
/// rather saved twice than not at all.
#[must_use]
pub fn choose_level(asked: u8, last: &LastJobs) -> LevelChoice {
    // A virtual full has the place of the last of the jobs that it was made of: of the two it counts.
    let newest = |levels: &[u8]| {
        let jobs = last.newest.iter().filter(|job| levels.contains(&job.level));
        jobs.max_by_key(|job| (job.place(), job.job_id))
    };
    let full = newest(b"F");
    let base = match asked {
        b'I' => full.and_then(|_| newest(b"FDI")),
        b'D' => full,
        level => return everything(level, false),
    };
    let Some(base) = base else { return everything(b'F', true) };
    let sound = last.sound.iter().filter(|job| job.place() <= base.place());
    let sound = sound.max_by_key(|job| (job.place(), job.job_id));
    let is_sound = sound.is_some_and(|job| job.job_id == base.job_id);
    LevelChoice {
        level: asked,
        upgraded: false,
        since: sound.map_or(0, |job| job.start_time),
        base_job_id: base.job_id,
        previous: base.job.clone(),
        wrong_clock: (!is_sound).then(|| WrongClock {
            job_id: base.job_id,
            claimed: base.start_time,
            sound: sound.map(|job| (job.job_id, job.start_time)),
        }),
    }
}

const fn everything(level: u8, upgraded: bool) -> LevelChoice {
    LevelChoice { level, upgraded, since: 0, base_job_id: 0, previous: String::new(), wrong_clock: None }
}

/// `job 7, on which this one builds, says that it began at …`, with times in UTC.
impl std::fmt::Display for WrongClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { job_id, claimed, sound } = self;
        let claimed = Civil::of(*claimed);
        write!(f, "job {job_id}, on which this one builds, says that it began at {claimed} UTC, which is too late: ")?;
        match sound {
            Some((job_id, start)) => {
                write!(f, "changes are looked for since job {job_id} began, {} UTC", Civil::of(*start))
            }
            None => write!(f, "no earlier job has a time to trust, so everything is saved"),
        }
    }
}

impl std::error::Error for WrongClock {}

impl Explain for WrongClock {
    fn facts(&self) -> Facts {
        let help = "keep the director's clock right with NTP; nothing is missing, and the next job builds on this one";
        (Fault::Local, Retry::Never, 570, help).into()
    }
}

/// The jobs whose files an accurate backup of this level builds on, oldest first: those a restore would combine, for a
/// Differential only the Full. `candidates` are the answer to [`super::CatalogRequest::JobsForRestore`], of one
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
        JobRow { job_id, level, start_time, job: format!("job.{job_id}"), ..Default::default() }
    }

    fn all_sound(newest: Vec<JobRow>) -> LastJobs {
        LastJobs { sound: newest.clone(), newest }
    }

    /// What it builds on, and since when.
    fn choice(asked: u8, last: &LastJobs) -> (u32, i64, Option<WrongClock>) {
        let choice = choose_level(asked, last);
        assert_eq!((choice.level, choice.upgraded), (asked, false));
        (choice.base_job_id, choice.since, choice.wrong_clock)
    }

    #[test]
    fn without_a_full_everything_becomes_one() {
        for asked in [b'I', b'D'] {
            let choice = choose_level(asked, &all_sound(vec![job(3, b'I', 30)]));
            assert_eq!((choice.level, choice.upgraded, choice.since), (b'F', true, 0));
        }
    }

    #[test]
    fn an_incremental_builds_on_the_newest_job_and_a_differential_on_the_newest_full() {
        let last = all_sound(vec![job(1, b'F', 10), job(2, b'D', 20), job(3, b'I', 35)]);
        assert_eq!(choice(b'I', &last), (3, 35, None));
        assert_eq!(choice(b'D', &last), (1, 10, None));
        assert_eq!(choose_level(b'I', &last).previous, "job.3");
    }

    #[test]
    fn the_newest_job_is_that_of_the_highest_number_and_not_of_the_latest_clock() {
        let last = LastJobs { newest: vec![job(1, b'F', 900), job(2, b'I', 20)], sound: vec![job(2, b'I', 20)] };
        assert_eq!(choice(b'I', &last), (2, 20, None));
        let migrated = JobRow { origin: 1, ..job(9, b'F', 10) };
        assert_eq!(choice(b'I', &all_sound(vec![migrated, job(2, b'I', 20)])), (2, 20, None));
    }

    #[test]
    fn a_virtual_full_goes_before_the_last_of_its_jobs() {
        let made = JobRow { origin: 3, ..job(9, b'F', 35) };
        let newest = vec![made.clone(), job(2, b'D', 20), job(3, b'I', 35)];
        assert_eq!(choice(b'I', &LastJobs { newest, sound: vec![made] }), (9, 35, None));
    }

    #[test]
    fn a_start_that_cannot_be_true_is_taken_back_to_one_that_can() {
        let last = LastJobs { newest: vec![job(2, b'F', 900), job(3, b'I', 950)], sound: vec![job(1, b'I', 10)] };
        for (asked, job_id, claimed) in [(b'I', 3, 950), (b'D', 2, 900)] {
            let wrong = WrongClock { job_id, claimed, sound: Some((1, 10)) };
            assert_eq!(choice(asked, &last), (job_id, 10, Some(wrong)));
        }
        let none = LastJobs { sound: Vec::new(), ..last.clone() };
        assert_eq!(choice(b'D', &none), (2, 0, Some(WrongClock { job_id: 2, claimed: 900, sound: None })));
        // A sound job after the Full says nothing of what a differential has to save.
        let later = LastJobs { sound: vec![job(4, b'I', 30), job(1, b'I', 10)], ..last };
        assert_eq!(choice(b'D', &later).1, 10);
    }

    #[test]
    fn what_is_too_old_to_build_on_is_made_anew() {
        let last = all_sound(vec![job(1, b'F', 1_000), job(2, b'D', 2_000), job(3, b'I', 2_500)]);
        let level = |asked, full, differential, now| {
            level_by_age(asked, &last, Ages { full, virtual_full: 0, differential }, now)
        };
        assert_eq!(level(b'I', 0, 0, 9_000), None);
        assert_eq!([level(b'I', 500, 0, 1_499), level(b'I', 500, 0, 1_500)], [None, Some(b'F')]);
        assert_eq!([level(b'D', 500, 0, 1_500), level(b'F', 500, 0, 9_000)], [Some(b'F'), None]);
        assert_eq!([level(b'I', 0, 500, 2_499), level(b'I', 0, 500, 2_500)], [None, Some(b'D')]);
        assert_eq!(level(b'D', 0, 500, 9_000), None, "it is one");
        assert_eq!(level(b'I', 500, 500, 9_000), Some(b'F'), "the higher one");
        assert_eq!(level(b'I', 500, 500, 900), None, "a clock that was put back");
        let ages = |full| Ages { full, virtual_full: 500, differential: 100 };
        assert_eq!(level_by_age(b'I', &last, ages(0), 1_500), Some(b'f'));
        assert_eq!(level_by_age(b'D', &last, ages(0), 1_500), Some(b'f'));
        assert_eq!(level_by_age(b'D', &last, ages(0), 1_499), None);
        assert_eq!(level_by_age(b'I', &last, ages(9_999), 2_100), Some(b'D'), "the other age alone counts");
        let only_full = all_sound(vec![job(2, b'F', 1_000), job(1, b'D', 900)]);
        assert_eq!(
            level_by_age(b'I', &only_full, Ages { differential: 500, ..Ages::default() }, 1_450),
            None,
            "since the full"
        );
        assert_eq!(
            level_by_age(b'I', &all_sound(Vec::new()), Ages { full: 1, virtual_full: 1, differential: 1 }, 9_000),
            None
        );
    }

    #[test]
    fn a_failed_full_or_differential_is_made_up_for() {
        let last = all_sound(vec![job(1, b'F', 10), job(5, b'I', 50)]);
        let level = |asked, failed: &[JobRow]| level_by_failures(asked, &last, failed);
        assert_eq!(level(b'I', &[]), None);
        assert_eq!(level(b'I', &[job(4, b'F', 40)]), None, "what came after it was good");
        assert_eq!(level(b'I', &[job(6, b'D', 60)]), Some(b'D'));
        assert_eq!(level(b'I', &[job(6, b'D', 60), job(7, b'F', 70)]), Some(b'F'));
        assert_eq!([level(b'D', &[job(4, b'F', 40)]), level(b'D', &[job(4, b'D', 40)])], [Some(b'F'), None]);
    }

    #[test]
    fn a_full_stays_a_full() {
        let choice = choose_level(b'F', &all_sound(vec![job(1, b'F', 10)]));
        assert_eq!(choice, everything(b'F', false));
    }
}
