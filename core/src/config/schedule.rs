//! Schedules: when jobs run by themselves.

use std::fmt;

use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};

use super::job::Level;
use super::resource::resources;
use super::units::Seconds;

/// A time of day on the director's clock: `"21:00"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    /// Minutes since midnight, below 1440.
    pub minutes: u16,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// Which of its weekday's days in a month a day is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Week {
    /// The first: the days 1 to 7.
    First,
    /// The second.
    Second,
    /// The third.
    Third,
    /// The fourth.
    Fourth,
    /// The fifth, if the month has one.
    Fifth,
    /// The last, whichever that is.
    Last,
}

resources! {
    /// When the jobs that name it run.
    Schedule {
        /// Name of the schedule; jobs refer to it.
        name: String,
        /// A note for people.
        description: Option<String> = None,
        /// Its lines. Where several of one moment fit, the first counts.
        runs: Vec<Run> = Vec::new(),
    }

    /// A line of a schedule: days and times. A day counts if it fits everything that is given.
    Run {
        /// Times of day on the director's clock. A time that a day lacks, as the clock is put forward, is made up for
        /// right after; one that it has twice counts once.
        at: Vec<TimeOfDay>,
        /// Level of the job; `None`: the job's own.
        level: Option<Level> = None,
        /// Days of the week, such as `[mon, thu]`; none: all.
        days: Vec<Weekday> = Vec::new(),
        /// Which of these days of a month, such as `[first, third]`; none: all.
        weeks: Vec<Week> = Vec::new(),
        /// Days of the month from 1; none: all.
        days_of_month: Vec<u8> = Vec::new(),
        /// Months from 1; none: all.
        months: Vec<u8> = Vec::new(),
        /// Weeks of the year: 1 is the one with the 4 January, 0 are days before it; none: all.
        weeks_of_year: Vec<u8> = Vec::new(),
        /// Pool of the job, whatever its level if none of the next three is given; `None`: as the job says.
        pool: Option<String> = None,
        /// Pool if the job is full; `None`: as the job says.
        full_pool: Option<String> = None,
        /// Pool if the job is differential; `None`: as the job says.
        differential_pool: Option<String> = None,
        /// Pool if the job is incremental; `None`: as the job says.
        incremental_pool: Option<String> = None,
        /// Pool that a virtual full reads from; `None`: as the job says.
        virtual_full_pool: Option<String> = None,
        /// Pool that copies, migrations and virtual fulls are written to; `None`: as the job says.
        next_pool: Option<String> = None,
        /// Storage of the job, whatever its pool says; `None`: as the job says.
        storage: Option<String> = None,
        /// Its place among waiting jobs; `None`: as the job says.
        priority: Option<u32> = None,
        /// Whether it is accurate; `None`: as the job says.
        accurate: Option<bool> = None,
        /// Whether its data are collected on the storage daemon's disk first; `None`: as the job says.
        spool_data: Option<bool> = None,
        /// The `messages` resource that says where its messages go; `None`: as the job says.
        messages: Option<String> = None,
        /// How long it may run and wait together; `None`: as the job says.
        max_run_sched_time: Option<Seconds> = None,
    }
}

impl TimeOfDay {
    /// Reads `21:00`. `None` if it is no time of day.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.split_once(':')?;
        let number = |text: &str, below: u16| {
            let is_number = matches!(text.len(), 1..=2) && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|number: &u16| is_number && *number < below)
        };
        let (hour, minute) = (number(hour, 24)?, number(minute, 60).filter(|_| minute.len() == 2)?);
        Some(Self { minutes: hour * 60 + minute })
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || de::Error::custom(format!("{text:?} is no time of day; write hours and minutes, as \"21:00\""));
        Self::parse(&text).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_hours_and_minutes() {
        for (text, minutes) in [("00:00", 0), ("7:05", 425), ("23:59", 1439)] {
            assert_eq!(TimeOfDay::parse(text), Some(TimeOfDay { minutes }));
        }
        for text in ["24:00", "12:60", "12", "12:5", "+1:00", ":00", "12:", "012:00"] {
            assert_eq!(TimeOfDay::parse(text), None, "{text}");
        }
        assert_eq!(TimeOfDay { minutes: 425 }.to_string(), "07:05");
    }
}
