//! Which backups of an always incremental job are taken together (`wire/3 §7.8`).

use super::JobRow;

/// What the configuration says of it; 0 is none of a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Seconds for which backups stay single.
    pub retention: u64,
    /// Incremental backups that stay single.
    pub keep: usize,
    /// Seconds for which a full backup stays as it is.
    pub max_full_age: u64,
    /// Whether this run may still take a full backup that is older than that.
    pub may_take_full: bool,
}

/// What a consolidation does with the backups of one job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consolidation {
    /// Backups without any file, which are purged.
    pub empty: Vec<u32>,
    /// Those that are taken together, oldest first; none: see `why`.
    pub taken: Vec<u32>,
    /// Whether that takes a full backup which has reached its age.
    pub takes_old_full: bool,
    /// In words, what was decided.
    pub why: &'static str,
}

/// Decides over a chain of backups, oldest first: the full one and what builds on it, as
/// [`accurate_base`](super::levels::accurate_base) returns them.
#[must_use]
pub fn consolidate(chain: &[JobRow], rules: &Rules, now: i64) -> Consolidation {
    let before = |seconds: u64| now.saturating_sub(i64::try_from(seconds).unwrap_or(i64::MAX));
    let is_old = |job: &&JobRow| rules.retention == 0 || job.start_time <= before(rules.retention);
    // What comes after one that stays stays too.
    let old: Vec<&JobRow> = chain.iter().take_while(is_old).collect();
    // A full backup is what all others build on, with files or without.
    let (empty, candidates): (Vec<&JobRow>, Vec<&JobRow>) =
        old.into_iter().partition(|job| job.job_files == 0 && job.level != b'F');
    let empty: Vec<u32> = empty.into_iter().map(|job| job.job_id).collect();
    let nothing = |why| Consolidation { empty: empty.clone(), why, ..Consolidation::default() };
    let incrementals = (chain.len() - empty.len()).saturating_sub(1);
    if incrementals == 0 {
        return nothing("there are less than two backups");
    }
    let Some(over) = incrementals.checked_sub(rules.keep).filter(|over| *over > 0) else {
        return nothing("there are no more incremental backups than are to stay single");
    };
    let mut taken: Vec<&JobRow> = candidates.into_iter().take(over + 1).collect();
    if taken.len() < 2 {
        return nothing("less than two backups are old enough");
    }
    let (mut takes_old_full, mut why) = (false, "the full backup is taken too");
    if rules.max_full_age > 0 {
        if taken.len() < 3 {
            return nothing("less than two incremental backups are old enough");
        }
        let is_young = taken.first().is_some_and(|full| full.job_t_date > before(rules.max_full_age));
        takes_old_full = !is_young && rules.may_take_full;
        if !takes_old_full {
            taken.remove(0);
            why =
                if is_young { "the full backup is young enough to stay" } else { "another run takes the full backup" };
        }
    }
    Consolidation { taken: taken.into_iter().map(|job| job.job_id).collect(), empty, takes_old_full, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A full backup and six incrementals, one a day from day 1 on; the fourth is empty.
    fn chain() -> Vec<JobRow> {
        (1..=7)
            .map(|day| JobRow {
                job_id: day,
                level: if day == 1 { b'F' } else { b'I' },
                job_files: u32::from(day != 4),
                start_time: i64::from(day) * 100,
                job_t_date: i64::from(day) * 100 + 1,
                ..JobRow::default()
            })
            .collect()
    }

    fn taken(rules: Rules, now: i64) -> (Vec<u32>, Vec<u32>, bool) {
        let Consolidation { empty, taken, takes_old_full, .. } = consolidate(&chain(), &rules, now);
        (taken, empty, takes_old_full)
    }

    #[test]
    fn the_oldest_are_taken_and_as_many_as_said_stay() {
        let rules = Rules { may_take_full: true, ..Rules::default() };
        assert_eq!(taken(rules, 1_000), (vec![1, 2, 3, 5, 6, 7], vec![4], false));
        assert_eq!(taken(Rules { keep: 2, ..rules }, 1_000), (vec![1, 2, 3, 5], vec![4], false));
        assert_eq!(taken(Rules { keep: 4, ..rules }, 1_000), (vec![1, 2], vec![4], false));
        assert_eq!(taken(Rules { keep: 5, ..rules }, 1_000), (vec![], vec![4], false), "five are no more than five");
        // What is younger than the retention stays, and counts among those that stay.
        let kept = Rules { retention: 500, ..rules };
        assert_eq!(taken(kept, 1_000), (vec![1, 2, 3, 5], vec![4], false));
        assert_eq!(taken(kept, 999), (vec![1, 2, 3], vec![4], false));
        assert_eq!(taken(Rules { keep: 3, ..kept }, 1_000), (vec![1, 2, 3], vec![4], false));
        assert_eq!(taken(kept, 699), (vec![], vec![], false), "the full backup alone is old enough");
    }

    #[test]
    fn a_full_backup_is_left_out_while_it_is_young_or_enough_were_taken() {
        let rules = Rules { max_full_age: 500, may_take_full: true, ..Rules::default() };
        assert_eq!(taken(rules, 600), (vec![2, 3, 5, 6, 7], vec![4], false));
        assert_eq!(taken(rules, 601), (vec![1, 2, 3, 5, 6, 7], vec![4], true));
        assert_eq!(taken(Rules { may_take_full: false, ..rules }, 601).0, [2, 3, 5, 6, 7]);
        assert_eq!(taken(Rules { keep: 4, ..rules }, 601).0, [0_u32; 0], "one incremental is nothing to take together");
        assert_eq!(taken(Rules { keep: 3, ..rules }, 600).0, [2, 3]);
    }

    #[test]
    fn nothing_comes_of_nothing_and_of_a_full_backup_alone() {
        let rules = Rules { may_take_full: true, ..Rules::default() };
        for len in [0, 1] {
            let found = consolidate(&chain()[..len], &rules, 9_000);
            assert_eq!((found.taken, found.empty), (vec![], vec![]));
        }
    }
}
