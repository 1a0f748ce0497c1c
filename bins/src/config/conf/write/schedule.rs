//! The lines of a schedule.

use std::collections::BTreeSet;

use serde_json::Value;
use towline_core::calendar::short_month;
use towline_core::config::{Seconds, TimeOfDay};

use super::text::{one, taken};
use super::{Fields, Lines};

/// A line for each minute of the hour: all times of a line have the same.
pub(super) fn runs(fields: &mut Fields, lines: &mut Lines) {
    let Some(Value::Array(list)) = fields.remove("runs") else { return };
    for run in list {
        let Value::Object(mut run) = run else { continue };
        let mut words = Vec::new();
        words.extend(taken(&mut run, "level").map(|level| format!("Level = {}", level.concat().replace('_', ""))));
        let named = [
            ("pool", "Pool"),
            ("full_pool", "FullPool"),
            ("differential_pool", "DifferentialPool"),
            ("incremental_pool", "IncrementalPool"),
            ("virtual_full_pool", "VirtualFullPool"),
            ("next_pool", "NextPool"),
            ("storage", "Storage"),
            ("messages", "Messages"),
        ];
        for (field, keyword) in named {
            words.extend(taken(&mut run, field).map(|name| format!("{keyword} = {}", one(&name))));
        }
        for (field, keyword) in [("priority", "Priority"), ("accurate", "Accurate"), ("spool_data", "SpoolData")] {
            words.extend(taken(&mut run, field).map(|value| format!("{keyword} = {}", value.concat())));
        }
        let sched = run.remove("max_run_sched_time").and_then(|time| serde_json::from_value::<Seconds>(time).ok());
        words.extend(sched.map(|Seconds(seconds)| format!("MaxRunSchedTime = \"{seconds} seconds\"")));
        words.extend(taken(&mut run, "weeks_of_year").map(|weeks| {
            weeks
                .iter()
                .filter_map(|week| Some(format!("w{:02}", week.parse::<u8>().ok()?)))
                .collect::<Vec<_>>()
                .join(", ")
        }));
        words.extend(taken(&mut run, "months").map(|months| {
            let name = |month: &String| Some(short_month(month.parse().ok()?).to_ascii_lowercase());
            months.iter().filter_map(name).collect::<Vec<_>>().join(", ")
        }));
        words.extend(taken(&mut run, "days_of_month").map(|days| days.join(", ")));
        words.extend(taken(&mut run, "weeks").map(|weeks| weeks.join(", ")));
        words.extend(taken(&mut run, "days").map(|days| days.join(", ")));
        let times: Vec<_> =
            taken(&mut run, "at").into_iter().flatten().filter_map(|at| TimeOfDay::parse(&at)).collect();
        let minutes: BTreeSet<u16> = times.iter().map(|time| time.minutes % 60).collect();
        for minute in minutes {
            let hours: BTreeSet<u16> =
                times.iter().filter(|time| time.minutes % 60 == minute).map(|time| time.minutes / 60).collect();
            let at = match hours.len() {
                24 => format!("hourly at 0:{minute:02}"),
                _ => hours.iter().map(|hour| format!("at {hour}:{minute:02}")).collect::<Vec<_>>().join(" "),
            };
            let words: Vec<&str> = words.iter().map(String::as_str).chain([at.as_str()]).collect();
            lines.push(format!("Run = {}", words.join(" ")));
        }
    }
}
