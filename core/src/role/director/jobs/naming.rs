//! Names of new volumes with variables (`label_format`): what each variable stands for in a job.

use crate::calendar::Civil;
use crate::catalog::PoolRow;
use crate::catalog::volumes::is_volume_name;
use crate::config::VARIABLES;
use crate::naming::{Naming, Variable};

use super::job::Job;
use super::scripts::level_word;
use super::tables;

/// The counters in the names of a pool's volumes, in the order in which they are used, each with whether it goes on.
pub(super) fn counters(pool: &PoolRow) -> Vec<(String, bool)> {
    let Ok(naming) = Naming::parse(pool.label_format.as_deref().unwrap_or_default()) else { return Vec::new() };
    let is_counter = |variable: &&Variable| !VARIABLES.contains(&variable.name.as_str());
    let counters = naming.variables().into_iter().filter(is_counter);
    counters.map(|variable| (variable.name.clone(), variable.increments)).collect()
}

/// The name of a new volume of a pool that has so many, with these numbers of its counters; and whether the next one is
/// another.
///
/// # Errors
/// Why there is none, in words.
pub(super) fn name(
    job: &Job,
    pool: &PoolRow,
    now: Civil,
    (volumes, numbers): (usize, Vec<Option<u32>>),
) -> Result<(String, bool), String> {
    let naming = Naming::parse(pool.label_format.as_deref().unwrap_or_default()).map_err(|why| why.to_string())?;
    let mut numbers = numbers.into_iter();
    let mut value = |variable: &Variable| {
        if VARIABLES.contains(&variable.name.as_str()) {
            return value(job, pool, now, volumes, &variable.name);
        }
        numbers.next().flatten().map(|number| number.to_string())
    };
    let name = naming.expand(&mut value).map_err(|why| why.to_string())?;
    if is_volume_name(&name) { Ok((name, naming.counts())) } else { Err(format!("no volume can be called {name:?}")) }
}

fn value(job: &Job, pool: &PoolRow, now: Civil, volumes: usize, name: &str) -> Option<String> {
    if let Some(value) = of_time(now, name) {
        return Some(value);
    }
    Some(match name {
        "Job" => job.name.clone(),
        "Dir" => job.config.director.name.clone(),
        "Level" => level_word(job.level).to_owned(),
        "Type" => tables::of(job.kind).0.to_owned(),
        "JobId" => job.id.to_string(),
        "Client" => job.with.client.clone(),
        "NumVols" => volumes.to_string(),
        "Pool" => pool.name.clone(),
        "Storage" => job.with.storage.clone(),
        "Catalog" => job.catalog.to_string(),
        "MediaType" => job.config.storage(&job.with.storage)?.media_type.clone(),
        "JobName" => job.unique.clone(),
        _ => return None,
    })
}

/// What a variable stands for that is about the present.
pub(crate) fn of_time(now: Civil, name: &str) -> Option<String> {
    Some(match name {
        "Year" => now.year.to_string(),
        "Month" => now.month.to_string(),
        "Day" => now.day.to_string(),
        "Hour" => now.hour.to_string(),
        "Minute" => now.minute.to_string(),
        "Second" => now.second.to_string(),
        // 1970 began with a Thursday.
        "WeekDay" => (now.seconds().div_euclid(86_400) + 4).rem_euclid(7).to_string(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_present_is_told_in_numbers_without_zeros_before_them() {
        let now = Civil { year: 2026, month: 3, day: 1, hour: 9, minute: 5, second: 7 };
        let told =
            ["Year", "Month", "Day", "Hour", "Minute", "Second", "WeekDay"].map(|name| of_time(now, name).unwrap());
        assert_eq!(told, ["2026", "3", "1", "9", "5", "7", "0"], "a Sunday");
        assert_eq!(of_time(now, "Job"), None);
    }
}
