//! When a schedule has its jobs run.

use crate::calendar::{Civil, DAY, Zone};

use super::job::Level;
use super::schedule::{Run, Schedule, Week, Weekday};

/// Days ahead in which a schedule's next moment is looked for: the longest gap is that of a 29 February on a given
/// weekday, across a year 2100.
const HORIZON: i64 = 366 * 41;

/// When a job is due, and at which level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Seconds since 1970.
    pub at: i64,
    /// `None`: the job's own.
    pub level: Option<Level>,
    /// Which line of the schedule says so.
    pub line: usize,
}

impl Schedule {
    /// Its first moment after a time, in seconds since 1970. A time of day that the clock skips comes right after; one that
    /// comes twice counts once.
    #[must_use]
    pub fn next(&self, zone: &Zone, after: i64) -> Option<Moment> {
        let today = (after + i64::from(zone.offset_at(after))).div_euclid(DAY);
        let of_run = |(line, run): (usize, &Run)| {
            // A day begins before midnight UTC or after it, and yesterday's time that was skipped may be still to come.
            let days = (today - 1..today + HORIZON).filter(|day| fits(run, *day));
            let mut moments = days.flat_map(|day| {
                let mut times: Vec<i64> = run.at.iter().map(|time| day * DAY + i64::from(time.minutes) * 60).collect();
                times.sort_unstable();
                times.into_iter().map(|local| zone.moment_of(local))
            });
            moments.find(|at| *at > after).map(|at| Moment { at, level: run.level, line })
        };
        // `min_by_key` gives the first of equal ones.
        self.runs.iter().enumerate().filter_map(of_run).min_by_key(|moment| moment.at)
    }
}

/// Whether a line counts on this day, in days since 1970.
fn fits(run: &Run, day: i64) -> bool {
    let date = Civil::of(day * DAY);
    let weekday = weekday(day);
    let in_last_week = Civil::of((day + 7) * DAY).month != date.month;
    let week = [Week::First, Week::Second, Week::Third, Week::Fourth, Week::Fifth][usize::from((date.day - 1) / 7 % 5)];
    let is_listed = |given: bool, listed: bool| !given || listed;
    is_listed(!run.months.is_empty(), run.months.contains(&date.month))
        && is_listed(!run.weeks_of_year.is_empty(), run.weeks_of_year.contains(&week_of_year(day)))
        && is_listed(!run.days_of_month.is_empty(), run.days_of_month.contains(&date.day))
        && is_listed(!run.days.is_empty(), run.days.contains(&weekday))
        && is_listed(
            !run.weeks.is_empty(),
            run.weeks.contains(&week) || in_last_week && run.weeks.contains(&Week::Last),
        )
}

/// The week of the year as schedules of Bareos count it: 1 is the week with 4 January, and begins on a Monday; the days
/// before it are in week 0, those after the last Sunday of the year in the next higher one.
fn week_of_year(day: i64) -> u8 {
    let year = Civil::of(day * DAY).year;
    let new_year = Civil { year, month: 1, day: 1, hour: 0, minute: 0, second: 0 }.seconds() / DAY;
    let fourth = new_year + 3;
    let first_monday = fourth - (fourth + 3).rem_euclid(7);
    u8::try_from((day - first_monday).div_euclid(7) + 1).unwrap_or(0)
}

fn weekday(day: i64) -> Weekday {
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    // 1 January 1970 was a Thursday.
    let place = usize::try_from((day + 3).rem_euclid(7)).unwrap_or(0);
    [Mon, Tue, Wed, Thu, Fri, Sat, Sun][place % 7]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(at: &[&str]) -> Run {
        serde_json::from_value(serde_json::json!({ "at": at })).unwrap()
    }

    fn schedule(runs: Vec<Run>) -> Schedule {
        Schedule { name: "s".to_owned(), description: None, runs }
    }

    /// The next moments in local time, from a local time in a zone without changes.
    fn moments(schedule: &Schedule, after: i64, count: usize) -> Vec<String> {
        let zone = Zone::fixed(0);
        let mut at = after;
        let step = |_| {
            let moment = schedule.next(&zone, at)?;
            at = moment.at;
            Some(format!("{}{}", Civil::of(at), moment.level.map_or(String::new(), |level| format!(" {level:?}"))))
        };
        (0..count).filter_map(step).collect()
    }

    /// Monday, 23 November 2026, 13:01:33 UTC.
    const NOW: i64 = 1_795_438_893;

    #[test]
    fn a_weekly_cycle_has_its_levels_on_its_days() {
        let full =
            Run { level: Some(Level::Full), days: vec![Weekday::Sat], weeks: vec![Week::First], ..run(&["21:00"]) };
        let weeks = vec![Week::Second, Week::Third, Week::Fourth, Week::Fifth];
        let differential = Run { level: Some(Level::Differential), days: vec![Weekday::Sat], weeks, ..run(&["21:00"]) };
        let days = vec![Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri];
        let daily = Run { days, ..run(&["21:00"]) };
        assert_eq!(
            moments(&schedule(vec![full, differential, daily]), NOW, 12),
            [
                "2026-11-23 21:00:00",
                "2026-11-24 21:00:00",
                "2026-11-25 21:00:00",
                "2026-11-26 21:00:00",
                "2026-11-27 21:00:00",
                "2026-11-28 21:00:00 Differential",
                "2026-11-30 21:00:00",
                "2026-12-01 21:00:00",
                "2026-12-02 21:00:00",
                "2026-12-03 21:00:00",
                "2026-12-04 21:00:00",
                "2026-12-05 21:00:00 Full",
            ]
        );
    }

    #[test]
    fn days_of_months_and_last_weeks_are_found_however_far_they_are() {
        let last_sunday =
            Run { days: vec![Weekday::Sun], weeks: vec![Week::Last], months: vec![2, 12], ..run(&["3:30"]) };
        assert_eq!(moments(&schedule(vec![last_sunday]), NOW, 2), ["2026-12-27 03:30:00", "2027-02-28 03:30:00"]);
        let leap = Run { days_of_month: vec![29], months: vec![2], ..run(&["12:00", "6:00"]) };
        assert_eq!(moments(&schedule(vec![leap]), NOW, 2), ["2028-02-29 06:00:00", "2028-02-29 12:00:00"]);
        let never = Run { days_of_month: vec![30], months: vec![2], ..run(&["12:00"]) };
        assert!(moments(&schedule(vec![never]), NOW, 1).is_empty());
        assert!(moments(&schedule(Vec::new()), NOW, 1).is_empty());
    }

    #[test]
    fn a_time_skipped_by_the_clock_comes_right_after_and_one_that_comes_twice_counts_once() {
        // Central Europe 2026: an hour forward on 29 March at 01:00 UTC, back on 25 October at 01:00 UTC.
        let (spring, autumn) = (1_774_746_000, 1_792_890_000);
        let zone = Zone::new(3_600, vec![(spring, 7_200), (autumn, 3_600)]);
        let at = schedule(vec![run(&["2:30"])]);
        let due = |after: i64| at.next(&zone, after).unwrap().at;
        assert_eq!(due(spring - 3_600), spring, "02:30 is not there: it is 03:00 at once");
        assert_eq!(due(spring), spring + DAY - 1_800, "the next day at 02:30 of summer");
        assert_eq!(due(autumn - 3_600), autumn - 1_800, "the first 02:30");
        assert_eq!(due(autumn - 1_800), autumn + 1_800 + DAY, "not the second, an hour later");
    }

    #[test]
    fn weeks_of_the_year_begin_on_mondays_and_the_first_has_the_fourth_of_january() {
        let week = |text: &str| week_of_year(Civil::parse(text).unwrap().seconds() / DAY);
        let weeks = [
            ("2026-01-01", 1),
            ("2026-01-04", 1),
            ("2026-01-05", 2),
            ("2026-12-31", 53),
            ("2027-01-01", 0),
            ("2027-01-03", 0),
            ("2027-01-04", 1),
            ("2024-12-30", 53),
            ("2025-01-01", 1),
        ];
        assert_eq!(weeks.map(|(day, _)| (day, week(day))), weeks);
        let odd = Run { weeks_of_year: vec![1, 3], days: vec![Weekday::Sun], ..run(&["4:00"]) };
        let after = Civil::parse("2026-12-01").unwrap().seconds();
        assert_eq!(
            moments(&schedule(vec![odd]), after, 3),
            ["2027-01-10 04:00:00", "2027-01-24 04:00:00", "2028-01-09 04:00:00"]
        );
    }
}
