//! `status scheduler`: which jobs the schedules start, and when.

use crate::config::{Job, Schedule};
use crate::wire::json::Json;

use super::super::super::answer::Both;
use super::super::super::refusal::{Refusal, number_of};
use super::super::super::reply::{Reply, View};
use super::super::super::words::Words;

/// Days that are looked ahead when nobody says.
const DAYS: u32 = 7;

/// Days that may be looked ahead.
const MOST_DAYS: u32 = 3_000;

/// Starts that are shown.
const MOST_STARTS: usize = 1_000;

pub(super) fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let config = view.config();
    let days = number_of(words, "days")?.unwrap_or(DAYS);
    if days > MOST_DAYS {
        return Err(Refusal::usage(format!("days={days}: at most {MOST_DAYS}.")));
    }
    let unknown = |what: &str, name: &str, known: Vec<&str>| {
        Refusal::usage(format!("There is no {what} \"{name}\". There are: {}", known.join(", ")))
    };
    let job = words.value(&["job"]);
    if let Some(name) = job.filter(|name| config.job(name).is_none()) {
        return Err(unknown("job", name, config.jobs.iter().map(|job| job.name.as_str()).collect()));
    }
    let wanted = job.and_then(|name| config.job(name)).map(|job| job.schedule.clone().unwrap_or_default());
    let wanted = wanted.or_else(|| words.value(&["schedule"]).map(str::to_owned));
    if let Some(name) = words.value(&["schedule"]).filter(|name| config.schedule(name).is_none()) {
        return Err(unknown(
            "schedule",
            name,
            config.schedules.iter().map(|schedule| schedule.name.as_str()).collect(),
        ));
    }
    let schedules: Vec<&Schedule> = config
        .schedules
        .iter()
        .filter(|schedule| wanted.as_ref().is_none_or(|wanted| *wanted == schedule.name))
        .collect();
    let of = |schedule: &Schedule| -> Vec<&Job> {
        let starts = |other: &&Job| other.schedule.as_ref() == Some(&schedule.name);
        config.jobs.iter().filter(starts).filter(|other| job.is_none_or(|name| other.name == name)).collect()
    };
    let rows: Vec<(&Schedule, Vec<&Job>)> = schedules.iter().map(|schedule| (*schedule, of(schedule))).collect();
    let starts = starts(view, &schedules, days);
    Ok(Reply::found(Both { text: text(view, &rows, &starts, days), json: json(view, &rows, &starts) }))
}

/// A start of a schedule.
struct Start<'a> {
    at: i64,
    schedule: &'a str,
    level: Option<&'static str>,
}

fn starts<'a>(view: &View<'_>, schedules: &[&'a Schedule], days: u32) -> Vec<Start<'a>> {
    let (now, until) = (view.now(), view.now() + i64::from(days) * 86_400);
    let mut starts = Vec::new();
    for schedule in schedules {
        let mut after = now;
        while let Some(moment) = schedule.next(view.zone(), after).filter(|moment| moment.at <= until) {
            let level = moment.level.map(super::super::run::level_word_of);
            starts.push(Start { at: moment.at, schedule: &schedule.name, level });
            after = moment.at;
            if starts.len() >= MOST_STARTS * schedules.len() {
                break;
            }
        }
    }
    starts.sort_by_key(|start| start.at);
    starts.truncate(MOST_STARTS);
    starts
}

fn text(view: &View<'_>, rows: &[(&Schedule, Vec<&Job>)], starts: &[Start<'_>], days: u32) -> String {
    let mut text = "Scheduler Jobs:\n\nSchedule               Jobs Triggered\n".to_owned();
    text += &"=".repeat(59);
    text += "\n";
    for (schedule, jobs) in rows {
        text += &format!("{:<22}", schedule.name);
        for (at, job) in jobs.iter().enumerate() {
            let (before, off) =
                (if at > 0 { " ".repeat(22) } else { String::new() }, if job.enabled { "" } else { " (disabled)" });
            text += &format!("{before} {}{off}\n", job.name);
        }
        text += if jobs.is_empty() { "\n\n" } else { "\n" };
    }
    text += &format!("====\n\nScheduler Preview for {days} days:\n\nDate  Schedule                Overrides\n");
    text += &"=".repeat(62);
    text += "\n";
    for start in starts {
        let level = start.level.map(|level| format!("Level={level}")).unwrap_or_default();
        text += &format!("{}  {:<22} {level}\n", view.zone().local(start.at).short(), start.schedule);
    }
    text + "====\n"
}

fn json(view: &View<'_>, rows: &[(&Schedule, Vec<&Job>)], starts: &[Start<'_>]) -> Json {
    let job = |job: &&Job| Json::object([("name", job.name.as_str().into()), ("enabled", Json::Bool(job.enabled))]);
    let schedule = |(schedule, jobs): &(&Schedule, Vec<&Job>)| {
        Json::object([
            ("name", schedule.name.as_str().into()),
            ("enabled", Json::Bool(true)),
            ("jobs", Json::List(jobs.iter().map(job).collect())),
        ])
    };
    let start = |start: &Start<'_>| {
        let level = start.level.map(|level| ("level".to_owned(), Json::from(level)));
        let members = [
            ("datetime".to_owned(), view.zone().local(start.at).to_string().into()),
            ("runtime".to_owned(), Json::Number(start.at)),
            ("schedule".to_owned(), start.schedule.into()),
        ];
        Json::Object(members.into_iter().chain(level).collect())
    };
    Json::object([
        ("schedules", Json::List(rows.iter().map(schedule).collect())),
        ("preview", Json::List(starts.iter().map(start).collect())),
    ])
}
