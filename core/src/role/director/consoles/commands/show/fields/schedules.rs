//! When jobs run.

use crate::calendar::short_month;
use crate::config::{DirectorConfig, Run, Schedule, Week, Weekday};

use super::super::super::run::level_word_of;
use super::{Resource, Value, always, optional, text};

pub(in super::super) fn schedules(config: &DirectorConfig) -> Vec<Resource> {
    let runs = |runs: &[Run]| runs.iter().flat_map(run_lines).collect();
    let schedule = |schedule: &Schedule| {
        Resource(vec![
            text("Name", &schedule.name),
            optional("Description", schedule.description.as_deref()),
            always("Run", Value::List(runs(&schedule.runs))),
        ])
    };
    config.schedules.iter().map(schedule).collect()
}

/// A line of a schedule in Bareos' words, one for each time of day.
fn run_lines(run: &Run) -> Vec<String> {
    let mut words = Vec::new();
    words.extend(run.level.map(|level| format!("Level={}", level_word_of(level))));
    words.extend(joined(run.months.iter().map(|month| short_month(*month).to_owned())));
    words.extend(joined(run.weeks.iter().map(|week| week_word(*week).to_owned())));
    words.extend(joined(run.days.iter().map(|day| day_word(*day).to_owned())));
    words.extend(joined(run.days_of_month.iter().map(|day| format!("on {day}"))));
    run.at.iter().map(|time| [words.as_slice(), &[format!("at {time}")]].concat().join(" ")).collect()
}

fn joined(words: impl Iterator<Item = String>) -> Option<String> {
    let words: Vec<String> = words.collect();
    (!words.is_empty()).then(|| words.join(","))
}

const fn week_word(week: Week) -> &'static str {
    match week {
        Week::First => "1st",
        Week::Second => "2nd",
        Week::Third => "3rd",
        Week::Fourth => "4th",
        Week::Fifth => "5th",
        Week::Last => "last",
    }
}

const fn day_word(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "Mon",
        Weekday::Tue => "Tue",
        Weekday::Wed => "Wed",
        Weekday::Thu => "Thu",
        Weekday::Fri => "Fri",
        Weekday::Sat => "Sat",
        Weekday::Sun => "Sun",
    }
}
