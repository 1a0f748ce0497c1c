//! The newest good backup of each job, against the moments at which its schedule has it run.

use std::collections::BTreeMap;

use serde_json::Value;
use towline_core::calendar::{Civil, Zone};
use towline_core::config::{DirectorConfig, Job, JobKind, Schedule, Seconds};

use super::{Finding, Level, member, rows};
use crate::daemon::identity;
use crate::dialogue::{Dialogue, NoAnswer};
use crate::joining::now;

const DAY: i64 = 86_400;
/// Seconds by which a job may be recorded before the moment it was due at.
const SLACK: i64 = 60;
/// How far back moments are looked for: a job that runs more seldom is found in the second.
const BACK: [i64; 2] = [70 * DAY, 800 * DAY];
/// Of a client that is saved when it comes: how many of its intervals may pass.
const INTERVALS: [i64; 2] = [3, 10];

/// What the catalog has of a job.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// When the newest good backup began, in seconds since 1970.
    good: Option<i64>,
    /// Whether it has ever run.
    has_run: bool,
}

/// Looks at all jobs that run by themselves.
pub(super) fn look(
    dialogue: &mut Dialogue,
    config: &DirectorConfig,
    grace: Seconds,
    findings: &mut Vec<Finding>,
) -> Result<(), NoAnswer> {
    let zone = identity().zone;
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    let all = rows(dialogue, "llist jobs last jobtype=B", "jobs")?;
    let good = rows(dialogue, "llist jobs last jobtype=B jobstatus=T,W", "jobs")?;
    let (all, good) = match (all, good) {
        (Ok(all), Ok(good)) => (all, good),
        (Err(why), _) | (_, Err(why)) => {
            findings.push(Finding::new(Level::Critical, "catalog", why));
            return Ok(());
        }
    };
    findings.push(Finding::new(Level::Good, "catalog", "answers"));
    for row in &all {
        seen.entry(name_of(row)).or_default().has_run = true;
    }
    for row in &good {
        let one = seen.entry(name_of(row)).or_default();
        one.good = one.good.max(moment_of(member(row, "starttime"), &zone));
    }
    let is_looked_at = |job: &&Job| job.enabled && job.kind == JobKind::Backup;
    for job in config.jobs.iter().filter(is_looked_at) {
        let schedule = job.schedule.as_deref().and_then(|name| config.schedule(name));
        let seen = seen.get(&job.name).copied().unwrap_or_default();
        findings.extend(judged(job, schedule, seen, (&zone, now()), grace));
    }
    Ok(())
}

fn name_of(row: &Value) -> String {
    member(row, "name").to_owned()
}

/// A local time as the catalog has it, in seconds since 1970.
fn moment_of(text: &str, zone: &Zone) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u8>().ok();
    let civil = Civil {
        year: text.get(0..4)?.parse().ok()?,
        month: number(5..7)?,
        day: number(8..10)?,
        hour: number(11..13)?,
        minute: number(14..16)?,
        second: number(17..19)?,
    };
    Some(zone.moment_of(civil.seconds()))
}

/// The last two moments until a time at which a schedule has jobs run, the later one first.
fn due(schedule: &Schedule, zone: &Zone, until: i64) -> Vec<i64> {
    for back in BACK {
        let (mut at, mut moments) = (until - back, Vec::new());
        while let Some(moment) = schedule.next(zone, at).filter(|moment| moment.at <= until) {
            at = moment.at;
            moments.push(at);
        }
        if moments.len() > 1 || back == BACK[1] {
            return moments.into_iter().rev().take(2).collect();
        }
    }
    Vec::new()
}

fn judged(
    job: &Job,
    schedule: Option<&Schedule>,
    seen: Seen,
    (zone, now): (&Zone, i64),
    grace: Seconds,
) -> Option<Finding> {
    let about = format!("job {}", job.name);
    let grace = i64::try_from(grace.0).unwrap_or(i64::MAX);
    let time = |at: i64| zone.local(at).to_string();
    let interval = i64::try_from(job.run_on_incoming_connect_interval.0).unwrap_or(i64::MAX);
    let moments = match schedule {
        Some(schedule) => due(schedule, zone, now.saturating_sub(grace)),
        None if interval > 0 => INTERVALS.iter().map(|n| now.saturating_sub(interval.saturating_mul(*n))).collect(),
        // Only people start it.
        None => return None,
    };
    let Some(good) = seen.good else {
        return Some(match seen.has_run {
            true => {
                Finding::new(Level::Critical, about, "has no good backup: its report says why, `list joblog` shows it")
            }
            false => Finding::new(Level::Warning, about, "has not run yet"),
        });
    };
    let level = match moments[..] {
        [_, before] if good < before - SLACK => Level::Critical,
        [last, ..] if good < last - SLACK => Level::Warning,
        _ => Level::Good,
    };
    let text = match (level, schedule, moments.first()) {
        (Level::Good, ..) | (_, _, None) => format!("its newest good backup began {}", time(good)),
        (_, Some(_), Some(last)) => {
            format!("its newest good backup began {}, and it was due {}", time(good), time(*last))
        }
        (_, None, Some(_)) => {
            format!("its newest good backup began {}: its client has not come, or the backups fail", time(good))
        }
    };
    Some(Finding::new(level, about, text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Monday, 23 November 2026, 13:01:33 UTC.
    const NOW: i64 = 1_795_438_893;
    const HOUR: i64 = 3_600;

    fn job(more: Value) -> Job {
        let mut job = json!({"name": "j", "client": "c", "fileset": "f", "storage": "s", "pool": "p"});
        job.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(job).unwrap()
    }

    fn level(job: &Job, schedule: Option<&Schedule>, good: Option<i64>, has_run: bool) -> Option<Level> {
        let seen = Seen { good, has_run };
        judged(job, schedule, seen, (&Zone::fixed(0), NOW), Seconds(6 * 3_600)).map(|found| found.level)
    }

    #[test]
    fn a_nightly_job_may_miss_no_night_and_has_time_until_the_morning() {
        let schedule: Schedule = serde_json::from_value(
            json!({"name": "n", "runs": [{"at": ["21:00"]}, {"at": ["03:00"], "days": ["mon"]}]}),
        )
        .unwrap();
        let job = job(json!({"schedule": "n"}));
        // Today 03:00 is the last that was due, yesterday 21:00 the one before.
        let last = NOW - NOW.rem_euclid(DAY) + 3 * HOUR;
        for (good, wanted) in [
            (last, Level::Good),
            (last - SLACK, Level::Good),
            (last - HOUR, Level::Warning),
            (last - 6 * HOUR, Level::Warning),
            (last - 7 * HOUR, Level::Critical),
        ] {
            assert_eq!(level(&job, Some(&schedule), Some(good), true), Some(wanted), "{}", last - good);
        }
        assert_eq!(level(&job, Some(&schedule), None, true), Some(Level::Critical));
        assert_eq!(level(&job, Some(&schedule), None, false), Some(Level::Warning));
        assert_eq!(due(&schedule, &Zone::fixed(0), NOW), [last, last - 6 * HOUR]);
    }

    #[test]
    fn a_yearly_job_is_looked_for_further_back_and_one_that_was_never_due_is_good() {
        let schedule: Schedule = serde_json::from_value(
            json!({"name": "y", "runs": [{"at": ["21:00"], "days_of_month": [1], "months": [1]}]}),
        )
        .unwrap();
        assert_eq!(due(&schedule, &Zone::fixed(0), NOW).len(), 2);
        let empty = Schedule { name: "e".to_owned(), description: None, runs: Vec::new() };
        let job = job(json!({"schedule": "e"}));
        assert_eq!(level(&job, Some(&empty), Some(0), true), Some(Level::Good));
    }

    #[test]
    fn one_that_runs_when_its_client_comes_has_some_intervals_and_one_that_only_people_start_all_time() {
        let coming = job(json!({"run_on_incoming_connect_interval": "1 d"}));
        for (age, wanted) in [(2, Level::Good), (4, Level::Warning), (11, Level::Critical)] {
            assert_eq!(level(&coming, None, Some(NOW - age * DAY), true), Some(wanted), "{age}");
        }
        assert_eq!(level(&job(json!({})), None, None, false), None);
    }

    #[test]
    fn a_time_of_the_catalog_is_local() {
        assert_eq!(moment_of("2026-11-23 13:01:33", &Zone::fixed(0)), Some(NOW));
        assert_eq!(moment_of("2026-11-23 14:01:33", &Zone::fixed(3_600)), Some(NOW));
        for wrong in ["", "soon", "2026-11-23", "2026-11-23 1x:01:33"] {
            assert_eq!(moment_of(wrong, &Zone::fixed(0)), None, "{wrong}");
        }
    }
}
