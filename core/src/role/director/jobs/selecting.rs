//! Which jobs a copy or migration takes: by names, and by the volumes they lie on.

use std::collections::BTreeSet;

use crate::catalog::{JobMediaPiece, JobRow, MediaRow, VolStatus};
use crate::config::{self, Pool, Selection};
use crate::regex::Regex;

/// What a resource says of that.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chooser {
    names: Names,
    clients: Names,
    /// Only jobs that ended before this time.
    before: Option<i64>,
    /// Only jobs on one of these volumes.
    pub(crate) volumes: Option<BTreeSet<String>>,
}

/// Which names fit; without anything all do.
#[derive(Clone, Debug, Default)]
struct Names {
    /// With `*` for anything.
    pattern: Option<String>,
    /// Found in the name.
    regex: Option<Regex>,
}

impl Names {
    fn fit(&self, name: &str) -> bool {
        self.pattern.as_ref().is_none_or(|pattern| matches(pattern, name))
            && self.regex.as_ref().is_none_or(|regex| regex.finds(name.as_bytes()))
    }
}

/// A page of jobs, of which some are chosen.
#[derive(Clone, Debug)]
pub struct Page {
    pub(crate) chosen: Vec<u32>,
    /// Where the next one begins.
    pub(crate) next: Option<u32>,
}

impl Chooser {
    /// That of a resource. An expression that cannot be read was refused with the configuration.
    pub(crate) fn of(job: &config::Job, pool: Option<&Pool>, now: i64) -> Self {
        let regex = |by: Selection| {
            let pattern = job.selection_pattern.as_ref().filter(|_| job.selection == by)?;
            Regex::new(pattern.as_bytes(), false).ok()
        };
        let age = pool.filter(|_| job.selection == Selection::PoolTime).map(|pool| pool.migration_time.0);
        Self {
            names: Names { pattern: job.select_jobs.clone(), regex: regex(Selection::Job) },
            clients: Names { pattern: job.select_clients.clone(), regex: regex(Selection::Client) },
            before: age.map(|age| now.saturating_sub(i64::try_from(age).unwrap_or(i64::MAX))),
            volumes: None,
        }
    }

    /// Those of a page whose names and times fit.
    pub(crate) fn choose(&self, rows: &[JobRow]) -> Vec<u32> {
        let is_one = |row: &&JobRow| {
            self.names.fit(&row.name)
                && self.clients.fit(&row.client)
                && self.before.is_none_or(|before| row.real_end_time <= before)
        };
        rows.iter().filter(is_one).map(|row| row.job_id).collect()
    }

    /// Those of a page that lie on one of the volumes.
    pub(crate) fn on_volumes(&self, jobs: Vec<u32>, pieces: &[JobMediaPiece]) -> Vec<u32> {
        let Some(volumes) = &self.volumes else { return jobs };
        let lies =
            |job: &u32| pieces.iter().any(|piece| piece.piece.job_id == *job && volumes.contains(&piece.volume_name));
        jobs.into_iter().filter(lies).collect()
    }
}

/// Whether a selection goes by volumes.
pub(crate) const fn goes_by_volumes(by: Selection) -> bool {
    !matches!(by, Selection::PoolUncopiedJobs | Selection::Job | Selection::Client | Selection::SqlQuery)
}

/// The volumes of a pool whose jobs a resource takes.
pub(crate) fn volumes(job: &config::Job, pool: Option<&Pool>, all: &[MediaRow]) -> BTreeSet<String> {
    let is_closed = |row: &&MediaRow| {
        row.enabled
            && row.vol_jobs > 0
            && matches!(row.vol_status, VolStatus::Full | VolStatus::Used | VolStatus::Error)
    };
    let closed = || all.iter().filter(is_closed);
    let one = |row: Option<&MediaRow>| row.map(|row| row.volume_name.clone()).into_iter().collect();
    match job.selection {
        Selection::PoolUncopiedJobs | Selection::Job | Selection::Client | Selection::SqlQuery => BTreeSet::new(),
        Selection::Volume => {
            let regex = job.selection_pattern.as_ref().and_then(|text| Regex::new(text.as_bytes(), false).ok());
            let fits = |row: &&MediaRow| regex.as_ref().is_some_and(|regex| regex.finds(row.volume_name.as_bytes()));
            closed().filter(fits).map(|row| row.volume_name.clone()).collect()
        }
        Selection::OldestVolume => one(closed().min_by_key(|row| (row.last_written, row.media_id))),
        Selection::SmallestVolume => one(closed().min_by_key(|row| (row.vol_bytes, row.media_id))),
        Selection::PoolTime => closed().map(|row| row.volume_name.clone()).collect(),
        Selection::PoolOccupancy => {
            let (high, low) = pool.map_or((0, 0), |pool| (pool.migration_high_bytes.0, pool.migration_low_bytes.0));
            let is_held = |row: &&MediaRow| is_closed(row) || row.enabled && row.vol_status == VolStatus::Append;
            let mut held: u64 = all.iter().filter(is_held).map(|row| row.vol_bytes).sum();
            if high == 0 || held < high {
                return BTreeSet::new();
            }
            let mut oldest: Vec<&MediaRow> = closed().collect();
            oldest.sort_by_key(|row| (row.last_written, row.media_id));
            let mut chosen = BTreeSet::new();
            for row in oldest {
                if held <= low {
                    break;
                }
                held = held.saturating_sub(row.vol_bytes);
                chosen.insert(row.volume_name.clone());
            }
            chosen
        }
    }
}

/// The jobs that a statement has returned: the first column of each row is a JobId, and each counts once.
///
/// # Errors
/// The first that is none.
pub(crate) fn of_statement(rows: &[Vec<String>]) -> Result<Vec<u32>, String> {
    let id = |row: &Vec<String>| {
        let cell = row.first().map(String::as_str).unwrap_or_default();
        cell.trim().parse::<u32>().ok().filter(|id| *id > 0).ok_or_else(|| cell.to_owned())
    };
    let ids: BTreeSet<u32> = rows.iter().map(id).collect::<Result<_, _>>()?;
    Ok(ids.into_iter().collect())
}

/// Whether a name is what a pattern means.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == name };
    let Some(rest) = name.strip_prefix(head) else { return false };
    (0..=rest.len()).filter(|at| rest.is_char_boundary(*at)).any(|at| matches(tail, &rest[at..]))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn resource(settings: &Value) -> config::Job {
        let mut all =
            json!({ "name": "c", "kind": "copy", "client": "fd", "fileset": "f", "storage": "s", "pool": "p" });
        all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    }

    fn row(job_id: u32, client: &str) -> JobRow {
        let (name, client) = (format!("job-{job_id}"), client.to_owned());
        JobRow { job_id, name, client, real_end_time: i64::from(job_id) * 100, ..JobRow::default() }
    }

    #[test]
    fn names_and_times_restrict_what_is_taken() {
        let rows = [row(1, "fd"), row(2, "fd"), row(12, "nas")];
        let chosen = |settings: Value| Chooser::of(&resource(&settings), None, 0).choose(&rows);
        assert_eq!(chosen(json!({})), [1, 2, 12]);
        assert_eq!(chosen(json!({ "select_jobs": "job-1*" })), [1, 12]);
        assert_eq!(chosen(json!({ "select_jobs": "*2", "select_clients": "fd" })), [2]);
        assert_eq!(chosen(json!({ "select_jobs": "job-" })), [0_u32; 0]);
        assert_eq!(chosen(json!({ "selection": "job", "selection_pattern": "-(1|2)$" })), [1, 2]);
        assert_eq!(chosen(json!({ "selection": "client", "selection_pattern": "a" })), [12]);
        let pool: Pool = serde_json::from_value(json!({ "name": "p", "migration_time": 300 })).unwrap();
        let by_time = Chooser::of(&resource(&json!({ "selection": "pool_time" })), Some(&pool), 500);
        assert_eq!(by_time.choose(&rows), [1, 2]);
        assert!(matches("a*b*c", "a-x-b-y-c") && !matches("a*b", "a-x"));
    }

    fn volume(media_id: u32, vol_status: VolStatus, last_written: i64, vol_bytes: u64) -> MediaRow {
        let volume_name = format!("V{media_id}");
        MediaRow {
            media_id,
            volume_name,
            vol_status,
            last_written,
            vol_bytes,
            vol_jobs: 1,
            enabled: true,
            ..MediaRow::default()
        }
    }

    #[test]
    fn volumes_are_taken_by_name_age_size_or_what_the_pool_holds() {
        let all = [
            volume(1, VolStatus::Full, 30, 100),
            volume(2, VolStatus::Used, 20, 50),
            volume(3, VolStatus::Append, 10, 10),
            volume(4, VolStatus::Error, 40, 70),
            MediaRow { enabled: false, ..volume(5, VolStatus::Full, 1, 1) },
            MediaRow { vol_jobs: 0, ..volume(6, VolStatus::Full, 1, 1) },
        ];
        let pool = |high: u64, low: u64| -> Pool {
            serde_json::from_value(json!({ "name": "p", "migration_high_bytes": high, "migration_low_bytes": low }))
                .unwrap()
        };
        let chosen = |by: &str, high, low| {
            let settings = json!({ "selection": by, "selection_pattern": "[12356]" });
            volumes(&resource(&settings), Some(&pool(high, low)), &all).into_iter().collect::<Vec<_>>()
        };
        assert_eq!(chosen("volume", 0, 0), ["V1", "V2"]);
        assert_eq!(chosen("oldest_volume", 0, 0), ["V2"]);
        assert_eq!(chosen("smallest_volume", 0, 0), ["V2"]);
        assert_eq!(chosen("pool_time", 0, 0), ["V1", "V2", "V4"]);
        // 230 bytes in all, of which 10 are still written to.
        assert_eq!(chosen("pool_occupancy", 0, 0), [""; 0]);
        assert_eq!(chosen("pool_occupancy", 231, 0), [""; 0]);
        assert_eq!(chosen("pool_occupancy", 230, 229), ["V2"]);
        assert_eq!(chosen("pool_occupancy", 230, 179), ["V1", "V2"]);
        assert_eq!(chosen("pool_occupancy", 230, 0), ["V1", "V2", "V4"]);
    }

    #[test]
    fn a_statement_returns_job_ids_each_of_which_counts_once() {
        let rows =
            |cells: &[&str]| cells.iter().map(|cell| vec![(*cell).to_owned(), "x".to_owned()]).collect::<Vec<_>>();
        assert_eq!(of_statement(&rows(&["3", "1", "3"])), Ok(vec![1, 3]));
        assert_eq!(of_statement(&[]), Ok(Vec::new()));
        for bad in ["backup", "", "0", "-1", "4294967296", "1.5"] {
            assert_eq!(of_statement(&rows(&["1", bad])), Err(bad.to_owned()));
        }
        assert_eq!(of_statement(&[Vec::new()]), Err(String::new()));
    }

    #[test]
    fn a_job_is_taken_if_a_piece_of_it_lies_on_a_chosen_volume() {
        let piece = |job_id, name: &str| {
            let mut piece = JobMediaPiece { volume_name: name.to_owned(), ..JobMediaPiece::default() };
            piece.piece.job_id = job_id;
            piece
        };
        let pieces = [piece(1, "V1"), piece(1, "V2"), piece(2, "V3")];
        let any = Chooser::default();
        assert_eq!(any.on_volumes(vec![1, 2, 3], &[]), [1, 2, 3]);
        let on = Chooser { volumes: Some(["V2".to_owned()].into()), ..Chooser::default() };
        assert_eq!(on.on_volumes(vec![1, 2, 3], &pieces), [1]);
    }
}
