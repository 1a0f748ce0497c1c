//! Dates as people say them: `yesterday`, `last monday 14:00`, `3 days ago`, `1 nov`, `2026-11-01`.
//!
//! Words are parted by blanks, `_`, or between letters by `-`, so that no quotation marks are needed: `3-days-ago`. What is
//! said without a year or a day is in the past. What could be read in two ways (`11/01/2026`) is not read at all.

use super::{Civil, DAY, MONTHS, WEEKDAYS, Zone};

const HOUR: i64 = 3_600;
/// Numbers that are written as words.
const NUMBERS: [&str; 13] =
    ["a", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

/// A stretch of time that somebody has named, both ends in seconds since 1970: a day from its midnight to the next, or one
/// moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// When it begins.
    pub start: i64,
    /// When it is over; as `start` for a moment.
    pub end: i64,
}

impl Span {
    /// Reads what somebody says at this moment in this zone. `None` if it is no date, or could be two.
    #[must_use]
    pub fn spoken(text: &str, now: i64, zone: &Zone) -> Option<Self> {
        let here = Here { now, today: zone.local(now), zone };
        let words = words(text);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        here.read(&words)
    }
}

/// The words in lower case, without those that say nothing.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for token in text.split(|c: char| c.is_whitespace() || matches!(c, '_' | ',')) {
        let token = token.to_ascii_lowercase();
        let is_date =
            token.starts_with(|c: char| c.is_ascii_digit()) && Civil::parse(&token.replace('t', "T")).is_some();
        match token.split_once('t') {
            // `2026-11-01T13:01`
            Some((day, time)) if is_date => words.extend([day.to_owned(), time.to_owned()]),
            _ if is_date || !token.contains(|c: char| c.is_ascii_alphabetic()) => words.push(token),
            _ => words.extend(token.split('-').map(str::to_owned)),
        }
    }
    words.retain(|word| !matches!(word.as_str(), "" | "at" | "on" | "the" | "of"));
    words
}

/// Where and when something is said.
struct Here<'a> {
    now: i64,
    today: Civil,
    zone: &'a Zone,
}

impl Here<'_> {
    fn read(&self, words: &[&str]) -> Option<Span> {
        match words {
            [] => None,
            ["now"] => Some(moment(self.now)),
            [many, unit, "ago"] => self.ago(number(many)?, unit, None),
            [many, unit, "ago", time @ ..] => self.ago(number(many)?, unit, Some(clock(time)?)),
            ["last", "week"] => {
                let monday = self.today_number() - weekday(self.today_number());
                Some(self.days(monday - 7, monday))
            }
            ["last", "month"] => {
                let first = Civil { day: 1, ..self.today };
                Some(self.days(number_of(months_before(first, 1)), number_of(first)))
            }
            ["last", "year"] => {
                let first = Civil { month: 1, day: 1, ..self.today };
                Some(self.days(number_of(Civil { year: first.year - 1, ..first }), number_of(first)))
            }
            _ => self.day_and_time(words),
        }
    }

    /// A day, and perhaps a time of it; or a time alone, which is the last that has been.
    fn day_and_time(&self, words: &[&str]) -> Option<Span> {
        if let Some(seconds) = clock(words) {
            let today = self.at(self.today_number(), seconds);
            let is_past = today.start <= self.now;
            return Some(if is_past { today } else { self.at(self.today_number() - 1, seconds) });
        }
        // The longest day first: `1 nov 2026` is no first of November at 20:26.
        for length in (1..=words.len().min(3)).rev() {
            let (day, time) = words.split_at(length);
            let Some(day) = self.day(day) else { continue };
            return match time {
                [] => Some(self.days(day, day + 1)),
                time => clock(time).map(|seconds| self.at(day, seconds)),
            };
        }
        None
    }

    /// The number of a day.
    fn day(&self, words: &[&str]) -> Option<i64> {
        let today = self.today_number();
        match *words {
            ["today"] => Some(today),
            ["yesterday"] => Some(today - 1),
            ["day", "before", "yesterday"] => Some(today - 2),
            ["last", name] | [name] if weekday_of(name).is_some() => {
                let back = (weekday(today) - weekday_of(name)?).rem_euclid(7);
                Some(today - if back == 0 { 7 } else { back })
            }
            [date] => dotted(date).or_else(|| plain_date(date)).map(number_of),
            [one, other] => {
                let (day, month) = day_and_month(one, other)?;
                let this_year = valid(self.today.year, month, day);
                let past = this_year.filter(|date| number_of(*date) <= today);
                // The 29th of February may be some years back.
                past.or_else(|| (1..=8).find_map(|back| valid(self.today.year - back, month, day))).map(number_of)
            }
            [one, other, year] => {
                let (day, month) = day_and_month(one, other)?;
                let year: i64 = year.parse().ok().filter(|_| year.len() == 4)?;
                valid(year, month, day).map(number_of)
            }
            _ => None,
        }
    }

    /// So long ago. Days and what is longer go by the calendar: at the same time of day, or at one that is said.
    fn ago(&self, many: i64, unit: &str, time: Option<i64>) -> Option<Span> {
        let same = i64::from(self.today.hour) * HOUR + i64::from(self.today.minute) * 60 + i64::from(self.today.second);
        let on = |day: i64| Some(self.at(day, time.unwrap_or(same)));
        let back = |seconds: i64| time.is_none().then(|| moment(self.now - many * seconds));
        match unit.strip_suffix('s').unwrap_or(unit) {
            "second" | "sec" => back(1),
            "minute" | "min" => back(60),
            "hour" | "h" => back(HOUR),
            "day" => on(self.today_number() - many),
            "week" => on(self.today_number() - many * 7),
            "month" => on(number_of(months_before(self.today, many))),
            "year" => on(number_of(months_before(self.today, many * 12))),
            _ => None,
        }
    }

    const fn today_number(&self) -> i64 {
        number_of(self.today)
    }

    /// From the midnight of one day to that of another.
    fn days(&self, first: i64, next: i64) -> Span {
        Span { start: self.zone.moment_of(first * DAY), end: self.zone.moment_of(next * DAY) }
    }

    /// The moment at which clocks have shown so many seconds of a day.
    fn at(&self, day: i64, seconds: i64) -> Span {
        moment(self.zone.moment_of(day * DAY + seconds))
    }
}

const fn moment(at: i64) -> Span {
    Span { start: at, end: at }
}

/// Days since 1970-01-01.
const fn number_of(date: Civil) -> i64 {
    date.seconds().div_euclid(DAY)
}

/// From Monday, 0. 1970-01-01 was a Thursday.
const fn weekday(day: i64) -> i64 {
    (day + 3).rem_euclid(7)
}

/// A day of the week by its name or at least three letters of it.
fn weekday_of(name: &str) -> Option<i64> {
    let from_sunday = begins_with(&WEEKDAYS, name)?;
    i64::try_from((from_sunday + 6) % 7).ok()
}

/// A month by its name or at least three letters of it.
fn month_of(name: &str) -> Option<u8> {
    u8::try_from(begins_with(&MONTHS, name)? + 1).ok()
}

/// The first of these that begins with at least three letters, small ones.
fn begins_with(names: &[&str], letters: &str) -> Option<usize> {
    names.iter().position(|whole| letters.len() >= 3 && whole.to_ascii_lowercase().starts_with(letters))
}

/// `1 nov`, `nov 1st`
fn day_and_month(one: &str, other: &str) -> Option<(u8, u8)> {
    let day = |text: &str| {
        let number = ["st", "nd", "rd", "th", "."].iter().find_map(|end| text.strip_suffix(end)).unwrap_or(text);
        number.parse::<u8>().ok()
    };
    match (month_of(one), month_of(other)) {
        (Some(month), None) => Some((day(other)?, month)),
        (None, Some(month)) => Some((day(one)?, month)),
        _ => None,
    }
}

fn valid(year: i64, month: u8, day: u8) -> Option<Civil> {
    let date = Civil { year, month, day, hour: 0, minute: 0, second: 0 };
    ((1..=12).contains(&month) && Civil::of(date.seconds()) == date).then_some(date)
}

/// `2026-11-01`
fn plain_date(text: &str) -> Option<Civil> {
    text.contains('-').then(|| Civil::parse(text)).flatten()
}

/// `1.11.2026`: where points stand the day comes first.
fn dotted(text: &str) -> Option<Civil> {
    let mut parts = text.split('.');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let year = year.parse().ok().filter(|_| year.len() == 4 && parts.next().is_none())?;
    valid(year, month.parse().ok()?, day.parse().ok()?)
}

/// The same day some months before, or the last of that month if it has none.
fn months_before(date: Civil, many: i64) -> Civil {
    let months = date.year * 12 + i64::from(date.month) - 1 - many;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) as u8 + 1);
    let day = (1..=date.day).rev().find(|day| valid(year, month, *day).is_some()).unwrap_or(1);
    Civil { year, month, day, ..date }
}

fn number(word: &str) -> Option<i64> {
    let spoken = NUMBERS.iter().position(|known| *known == word || (word == "an" && *known == "a"));
    // More than some thousand years ago there is nothing.
    let said = || word.parse().ok().filter(|many| (0..=1_000_000).contains(many));
    spoken.map_or_else(said, |at| i64::try_from(at.max(1)).ok())
}

/// Seconds of a day: `13:01`, `13:01:31`, `1pm`, `1:30 pm`, `noon`, `midnight`.
fn clock(words: &[&str]) -> Option<i64> {
    let whole = match words {
        [_] | [_, "am" | "pm"] => words.concat(),
        _ => return None,
    };
    match whole.as_str() {
        "noon" => return Some(12 * HOUR),
        "midnight" => return Some(0),
        _ => {}
    }
    let half = [("am", 0), ("pm", 12)].into_iter().find_map(|(end, add)| Some((whole.strip_suffix(end)?, add)));
    let text = half.map_or(whole.as_str(), |(text, _)| text);
    if half.is_none() && !text.contains(':') {
        return None;
    }
    let mut parts = text.split(':').map(|part| {
        part.parse::<i64>().ok().filter(|_| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
    });
    let hour = parts.next()??;
    let (minute, second) = (parts.next().unwrap_or(Some(0))?, parts.next().unwrap_or(Some(0))?);
    let hour = match half {
        Some((_, add)) => (1..=12).contains(&hour).then_some(hour % 12 + add)?,
        None => hour,
    };
    let fits = hour < 24 && minute < 60 && second < 60 && parts.next().is_none();
    fits.then_some(hour * HOUR + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Berlin from 2026 on, as far as needed here.
    fn berlin() -> Zone {
        let at = |text: &str| Civil::parse(text).unwrap().seconds();
        Zone::new(3_600, vec![(at("2026-03-29 01:00"), 7_200), (at("2026-10-25 01:00"), 3_600)])
    }

    /// What is said on Wednesday 2026-11-25 10:00 local time, as `start` and, of what is no moment, ` - end`.
    fn said(text: &str) -> String {
        let zone = berlin();
        let now = zone.moment_of(Civil::parse("2026-11-25 10:00").unwrap().seconds());
        let Some(Span { start, end }) = Span::spoken(text, now, &zone) else { return "none".to_owned() };
        let shown = |at: i64| zone.local(at).to_string().replace(" 00:00:00", "").replace(":00", "");
        if start == end { shown(start) } else { format!("{} - {}", shown(start), shown(end)) }
    }

    #[test]
    fn days_are_named_as_people_name_them() {
        for (text, meant) in [
            ("today", "2026-11-25 - 2026-11-26"),
            ("Yesterday", "2026-11-24 - 2026-11-25"),
            ("the day before yesterday", "2026-11-23 - 2026-11-24"),
            ("last monday", "2026-11-23 - 2026-11-24"),
            ("mon", "2026-11-23 - 2026-11-24"),
            ("wednesday", "2026-11-18 - 2026-11-19"),
            ("last-thursday", "2026-11-19 - 2026-11-20"),
            ("2026-11-01", "2026-11-01 - 2026-11-02"),
            ("1.11.2026", "2026-11-01 - 2026-11-02"),
            ("1 nov", "2026-11-01 - 2026-11-02"),
            ("December 24th", "2025-12-24 - 2025-12-25"),
            ("24 dec 2024", "2024-12-24 - 2024-12-25"),
            ("29 february", "2024-02-29 - 2024-03-01"),
            ("last week", "2026-11-16 - 2026-11-23"),
            ("last month", "2026-10-01 - 2026-11-01"),
            ("last_year", "2025-01-01 - 2026-01-01"),
        ] {
            assert_eq!(said(text), meant, "{text}");
        }
    }

    #[test]
    fn moments_are_named_as_people_name_them() {
        for (text, meant) in [
            ("now", "2026-11-25 10"),
            ("3 days ago", "2026-11-22 10"),
            ("3-days-ago", "2026-11-22 10"),
            ("a week ago at noon", "2026-11-18 12"),
            ("an hour ago", "2026-11-25 09"),
            ("90 minutes ago", "2026-11-25 08:30"),
            ("two months ago", "2026-09-25 10"),
            ("1 year ago", "2025-11-25 10"),
            ("yesterday 14:00", "2026-11-24 14"),
            ("yesterday at 2 pm", "2026-11-24 14"),
            ("last monday midnight", "2026-11-23"),
            ("9:30", "2026-11-25 09:30"),
            ("23:15", "2026-11-24 23:15"),
            ("12am", "2026-11-25"),
            ("2026-11-01 13:01:31", "2026-11-01 13:01:31"),
            ("2026-11-01T13:01", "2026-11-01 13:01"),
            ("nov 1 2026 13:01", "2026-11-01 13:01"),
        ] {
            assert_eq!(said(text), meant, "{text}");
        }
    }

    #[test]
    fn days_go_by_the_calendar_over_a_change_of_the_clocks_and_hours_do_not() {
        let zone = berlin();
        let now = zone.moment_of(Civil::parse("2026-10-25 10:00").unwrap().seconds());
        let at = |text: &str| Span::spoken(text, now, &zone).map(|span| (now - span.start) / 3_600);
        assert_eq!((at("1 day ago"), at("24 hours ago")), (Some(25), Some(24)));
        let today = Span::spoken("today", now, &zone).unwrap();
        assert_eq!(today.end - today.start, 25 * 3_600);
    }

    #[test]
    fn the_same_day_of_a_shorter_month_is_its_last() {
        let date = Civil::parse("2026-03-31 10:00").unwrap();
        assert_eq!(months_before(date, 1).to_string(), "2026-02-28 10:00:00");
        assert_eq!(months_before(date, 15).to_string(), "2024-12-31 10:00:00");
    }

    #[test]
    fn what_is_no_date_or_could_be_two_is_not_read() {
        for text in [
            "",
            "soon",
            "11/01/2026",
            "2026-13-01",
            "31 feb",
            "yesterday 25:00",
            "13 pm",
            "3 days",
            "days ago",
            "-3 days ago",
            "3 days ago ago",
            "last",
            "last 14:00",
            "99999999999999999999 days ago",
            "1.13.2026",
            "mo",
            "ma",
            "é",
            "20261101",
            "1 nov 26",
            "an",
            "2026-11-01 2026-11-02",
            "t",
            "2026-11-01T",
        ] {
            assert_eq!(said(text), "none", "{text}");
        }
    }
}
