//! Dates and times of day, for names of jobs and lines that people read. No clock and no time zone of its own: seconds and
//! the rules of a [`Zone`] come in.

mod format;
mod names;
mod spoken;

use std::fmt;
use std::sync::Arc;

pub use names::{MONTHS, WEEKDAYS, short_month};
pub use spoken::Span;

/// Seconds of a day.
pub const DAY: i64 = 86_400;

/// A date and a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Civil {
    /// Year.
    pub year: i64,
    /// Month from 1.
    pub month: u8,
    /// Day of the month from 1.
    pub day: u8,
    /// Hour.
    pub hour: u8,
    /// Minute.
    pub minute: u8,
    /// Second.
    pub second: u8,
}

impl Civil {
    /// The date of so many seconds since 1970-01-01, in the proleptic Gregorian calendar.
    #[must_use]
    pub const fn of(seconds: i64) -> Self {
        let (days, rest) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        // Years begin in March here, so that the leap day is the last of its year; an era has 400 of them.
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        Self {
            year: year_of_era + era * 400 + (month <= 2) as i64,
            month: month as u8,
            day: (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u8,
            hour: (rest / 3_600) as u8,
            minute: (rest / 60 % 60) as u8,
            second: (rest % 60) as u8,
        }
    }

    /// Reads `2026-11-23`, `2026-11-23 13:01` or `2026-11-23 13:01:31`; what is left out is 0. `None` for anything else,
    /// and for a day or time that does not exist.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.trim().split_once([' ', 'T']).unwrap_or_else(|| (text.trim(), "0:0"));
        let [year, month, day] = numbers(date, '-')?;
        let [hour, minute, second] = numbers(time, ':').or_else(|| numbers(&format!("{time}:0"), ':'))?;
        let small = |number: i64| u8::try_from(number).ok();
        let civil = Self {
            year,
            month: small(month)?,
            day: small(day)?,
            hour: small(hour)?,
            minute: small(minute)?,
            second: small(second)?,
        };
        ((0..10_000).contains(&year) && Self::of(civil.seconds()) == civil).then_some(civil)
    }

    /// Seconds since 1970-01-01 at which it is this date and time in UTC.
    #[must_use]
    pub const fn seconds(&self) -> i64 {
        let (month, day) = (self.month as i64, self.day as i64);
        // As in `of`: years begin in March, and an era has 400 of them.
        let year = self.year - (month <= 2) as i64;
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = era * 146_097 + day_of_era - 719_468;
        days * DAY + self.hour as i64 * 3_600 + self.minute as i64 * 60 + self.second as i64
    }

    /// `2026-11-23_13.01.31`, as in the unique name of a job (`wire/3 §0.5`).
    #[must_use]
    pub fn stamp(&self) -> String {
        let Self { year, month, day, hour, minute, second } = self;
        format!("{year:04}-{month:02}-{day:02}_{hour:02}.{minute:02}.{second:02}")
    }

    /// `23-Nov-2026 13:01:31`, as in a job's report.
    #[must_use]
    pub fn long(&self) -> String {
        let Self { year, month, day, hour, minute, second } = self;
        let month = short_month(*month);
        format!("{day:02}-{month}-{year:04} {hour:02}:{minute:02}:{second:02}")
    }

    /// `23-Nov-26 13:01`, as in a status (`wire/1 §8.5`).
    #[must_use]
    pub fn short(&self) -> String {
        let month = short_month(self.month);
        format!("{:02}-{month}-{:02} {:02}:{:02}", self.day, self.year.rem_euclid(100), self.hour, self.minute)
    }
}

/// Three numbers of at most four digits with this between them.
fn numbers(text: &str, between: char) -> Option<[i64; 3]> {
    let mut parts = text.split(between).map(|part| {
        let is_number = (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        part.parse().ok().filter(|_| is_number)
    });
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(three)
}

/// The rules of a place's local time: data that whoever has the rules of time zones brings. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    first: i32,
    changes: Arc<[(i64, i32)]>,
    goes_on: bool,
}

/// After so many years the calendar comes again, weekdays included: whoever puts clocks by a rule does what was done
/// 400 years before.
const CYCLE: i64 = 146_097 * DAY;

impl Zone {
    /// Local time minus UTC in seconds before all changes, and each change: its moment in seconds since 1970, in order,
    /// and the offset from then on. After the last nothing changes.
    #[must_use]
    pub fn new(first: i32, changes: Vec<(i64, i32)>) -> Self {
        Self { first, changes: changes.into(), goes_on: false }
    }

    /// The same, with what the last 400 years of changes do repeated for ever: they must follow a rule.
    #[must_use]
    pub fn going_on(first: i32, changes: Vec<(i64, i32)>) -> Self {
        Self { goes_on: true, ..Self::new(first, changes) }
    }

    /// A place that never puts its clocks.
    #[must_use]
    pub fn fixed(offset: i32) -> Self {
        Self::new(offset, Vec::new())
    }

    /// The last of the 400 years whose changes are known best: later moments count as those in it.
    fn known(&self, moment: i64) -> i64 {
        match self.changes.last() {
            Some((last, _)) if self.goes_on && moment >= *last => last - CYCLE + (moment - last).rem_euclid(CYCLE),
            _ => moment,
        }
    }

    /// Local time minus UTC in seconds, at a moment in seconds since 1970.
    #[must_use]
    pub fn offset_at(&self, moment: i64) -> i32 {
        let moment = self.known(moment);
        let past = self.changes.partition_point(|(at, _)| *at <= moment);
        past.checked_sub(1).and_then(|at| self.changes.get(at)).map_or(self.first, |(_, offset)| *offset)
    }

    /// What clocks here show at a moment in seconds since 1970.
    #[must_use]
    pub fn local(&self, moment: i64) -> Civil {
        Civil::of(moment.saturating_add(self.offset_at(moment).into()))
    }

    /// The moment at which clocks here show this, in seconds since 1970 as if they were UTC. What they show twice means
    /// the first time. What they never show, because they are put forward over it, means the moment at which they are.
    #[must_use]
    pub fn moment_of(&self, shown: i64) -> i64 {
        let before = i64::from(self.offset_at(shown.saturating_sub(DAY)));
        let after = i64::from(self.offset_at(shown.saturating_add(DAY)));
        let is_right = |offset: &i64| i64::from(self.offset_at(shown.saturating_sub(*offset))) == *offset;
        match [before, after].into_iter().find(is_right) {
            Some(offset) => shown.saturating_sub(offset),
            None => self.change_after(shown.saturating_sub(after)).unwrap_or_else(|| shown.saturating_sub(before)),
        }
    }

    /// The first change after a moment.
    fn change_after(&self, moment: i64) -> Option<i64> {
        let known = self.known(moment);
        let next = self.changes.partition_point(|(at, _)| *at <= known);
        self.changes.get(next).map(|(at, _)| at.saturating_add(moment - known))
    }
}

/// `2026-11-23 13:01:31`
impl fmt::Display for Civil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_moments_have_their_dates() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00"),
            (951_782_399, "2000-02-28 23:59:59"),
            (951_782_400, "2000-02-29 00:00:00"),
            (1_795_438_893, "2026-11-23 13:01:33"),
            (4_107_542_399, "2100-02-28 23:59:59"),
            (4_107_542_400, "2100-03-01 00:00:00"),
            (-1, "1969-12-31 23:59:59"),
        ] {
            assert_eq!(Civil::of(seconds).to_string(), text);
            assert_eq!(Civil::of(seconds).seconds(), seconds);
            assert_eq!(Civil::parse(text), Some(Civil::of(seconds)));
        }
    }

    #[test]
    fn a_date_may_be_given_in_part_and_must_exist() {
        let midnight = Civil::of(1_795_392_000);
        assert_eq!(Civil::parse("2026-11-23"), Some(midnight));
        assert_eq!(Civil::parse(" 2026-11-23 00:00 "), Some(midnight));
        assert_eq!(Civil::parse("2026-11-23T0:0:00"), Some(midnight));
        for wrong in [
            "",
            "yesterday",
            "2026-11",
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-11-23 24:00",
            "2026-11-23 10",
            "2026-11-23 10:00:00:00",
            "2026-11-23 10:61",
            "-1-01-01",
            "+2026-11-23",
            "20260-11-23",
            "2026-11-23 é",
        ] {
            assert_eq!(Civil::parse(wrong), None, "{wrong}");
        }
    }

    /// Central Europe from 1996 on, by its rule: the last Sundays of March and October at 01:00 UTC.
    fn berlin() -> Zone {
        let last_sunday = |year: i64, month: u8| {
            let end = Civil { year, month, day: 31, hour: 1, minute: 0, second: 0 }.seconds();
            // 1 January 1970 was a Thursday.
            end - (end.div_euclid(DAY) + 4).rem_euclid(7) * DAY
        };
        let changes = (1996..2400).flat_map(|year| [(last_sunday(year, 3), 7_200), (last_sunday(year, 10), 3_600)]);
        Zone::going_on(3_600, changes.collect())
    }

    fn seconds(text: &str) -> i64 {
        Civil::parse(text).expect("a date").seconds()
    }

    #[test]
    fn a_moment_is_shown_by_the_rule_of_its_own_day() {
        let zone = berlin();
        for (utc, local) in [
            ("2026-03-29 00:59:59", "2026-03-29 01:59:59"),
            ("2026-03-29 01:00:00", "2026-03-29 03:00:00"),
            ("2026-10-25 00:30:00", "2026-10-25 02:30:00"),
            ("2026-10-25 01:30:00", "2026-10-25 02:30:00"),
            ("2026-01-15 12:00:00", "2026-01-15 13:00:00"),
            ("2026-07-15 12:00:00", "2026-07-15 14:00:00"),
            ("1970-01-01 00:00:00", "1970-01-01 01:00:00"),
            // Long after the last change in the table.
            ("2399-12-15 12:00:00", "2399-12-15 13:00:00"),
            ("2427-03-28 00:59:59", "2427-03-28 01:59:59"),
            ("2427-03-28 01:00:00", "2427-03-28 03:00:00"),
            ("2826-07-15 12:00:00", "2826-07-15 14:00:00"),
            ("9999-01-15 12:00:00", "9999-01-15 13:00:00"),
        ] {
            assert_eq!(zone.local(seconds(utc)).to_string(), local, "{utc}");
        }
    }

    #[test]
    fn a_time_that_is_shown_twice_is_the_first_and_one_that_never_is_comes_with_the_change() {
        let zone = berlin();
        for (local, utc) in [
            ("2026-03-29 01:59:59", "2026-03-29 00:59:59"),
            ("2026-03-29 02:00:00", "2026-03-29 01:00:00"),
            ("2026-03-29 02:30:00", "2026-03-29 01:00:00"),
            ("2026-03-29 03:00:00", "2026-03-29 01:00:00"),
            ("2026-03-29 03:30:00", "2026-03-29 01:30:00"),
            ("2026-10-25 02:30:00", "2026-10-25 00:30:00"),
            ("2026-10-25 03:00:00", "2026-10-25 02:00:00"),
            ("2427-03-28 02:30:00", "2427-03-28 01:00:00"),
        ] {
            assert_eq!(Civil::of(zone.moment_of(seconds(local))).to_string(), utc, "{local}");
        }
    }

    #[test]
    fn a_change_of_half_an_hour_and_one_of_a_whole_day_are_changes_like_others() {
        // Lord Howe: from 11:00 to 10:30 ahead on 5 April 2026 at 15:00 UTC the day before, and back on 3 October.
        let (autumn, spring) = (seconds("2026-04-04 15:00"), seconds("2026-10-03 15:30"));
        let lord_howe = Zone::new(39_600, vec![(autumn, 37_800), (spring, 39_600)]);
        assert_eq!(lord_howe.local(autumn - 1).to_string(), "2026-04-05 01:59:59");
        assert_eq!(lord_howe.local(autumn).to_string(), "2026-04-05 01:30:00");
        assert_eq!(lord_howe.moment_of(seconds("2026-04-05 01:45")), autumn - 900, "the first of two");
        assert_eq!(lord_howe.moment_of(seconds("2026-10-04 02:15")), spring, "02:00 to 02:30 is not there");
        assert_eq!(lord_howe.moment_of(seconds("2026-10-04 02:30")), spring);
        // Samoa had no 30 December 2011.
        let change = seconds("2011-12-30 10:00");
        let samoa = Zone::new(-36_000, vec![(change, 50_400)]);
        assert_eq!(samoa.local(change).to_string(), "2011-12-31 00:00:00");
        assert_eq!(samoa.moment_of(seconds("2011-12-30 12:00")), change);
    }

    #[test]
    fn a_place_without_changes_and_moments_without_bounds_do_no_harm() {
        assert_eq!(Zone::default().local(0).to_string(), "1970-01-01 00:00:00");
        assert_eq!(Zone::fixed(-3_600).moment_of(0), 3_600);
        for zone in [berlin(), Zone::fixed(3_600)] {
            for moment in [i64::MIN, i64::MAX] {
                let (_, _) = (zone.offset_at(moment), zone.moment_of(moment));
            }
        }
    }

    #[test]
    fn names_and_statuses_have_their_own_forms() {
        let civil = Civil::of(1_795_438_893);
        assert_eq!(civil.stamp(), "2026-11-23_13.01.33");
        assert_eq!((civil.short().as_str(), civil.long().as_str()), ("23-Nov-26 13:01", "23-Nov-2026 13:01:33"));
    }
}
