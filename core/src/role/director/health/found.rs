//! What a catalog has said of backups and volumes.

use std::collections::BTreeMap;

use crate::calendar::{DAY, Zone};
use crate::catalog::{CatalogAnswer, CatalogRequest, JobFilter, JobRow, MediaRow};
use crate::wire::status::{JobLevel, JobStatus, JobType};
use crate::work::health::{DAYS, LastGood, Night, PoolNow, VOLUMES, VolumeNow};

/// Backups of the last days that are looked at, the newest.
const BACKUPS: u32 = 10_000;
/// Job resources whose last good backup is looked at.
const RESOURCES: u32 = 100_000;

/// What a catalog is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// The backups of the last days.
    Nights,
    /// The last good backup of each job resource.
    LastGood,
    /// The volumes.
    Volumes,
}

impl Question {
    /// All that it is asked.
    pub(super) const ALL: [Self; 3] = [Self::Nights, Self::LastGood, Self::Volumes];

    pub(super) fn request(self, now: i64) -> CatalogRequest {
        let backups = JobFilter { types: vec![JobType::Backup.letter()], ..JobFilter::default() };
        match self {
            // A day more: local days do not end with those of UTC.
            Self::Nights => {
                CatalogRequest::ListJobs(JobFilter { limit: BACKUPS, since: Some(now - (DAYS + 1) * DAY), ..backups })
            }
            Self::LastGood => CatalogRequest::ListJobs(JobFilter {
                limit: RESOURCES,
                statuses: [JobStatus::Ok, JobStatus::Warnings].map(JobStatus::letter).to_vec(),
                last: true,
                ..backups
            }),
            Self::Volumes => CatalogRequest::ListMedia { pool: None },
        }
    }
}

/// What it has said.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Whether it has answered the last question.
    pub(super) answers: Option<bool>,
    /// When it did.
    pub(super) seen: Option<i64>,
    /// By client and local day, counted from 1970-01-01.
    pub(super) nights: BTreeMap<String, BTreeMap<i64, Night>>,
    /// By client.
    pub(super) last_good: BTreeMap<String, LastGood>,
    /// Bytes of the last good backup of each job resource and level.
    pub(super) expected: BTreeMap<(String, u8), u64>,
    pub(super) volumes: Vec<VolumeNow>,
    pub(super) pools: Vec<PoolNow>,
}

impl Found {
    pub(super) fn take(&mut self, zone: &Zone, now: i64, question: Question, answer: CatalogAnswer) {
        (self.answers, self.seen) = (Some(true), Some(now));
        match (question, answer) {
            (Question::Nights, CatalogAnswer::Jobs(rows)) => {
                self.nights = nights(zone, &rows);
                self.expected = expected(&rows);
            }
            (Question::LastGood, CatalogAnswer::Jobs(rows)) => self.last_good = last_good(&rows),
            (Question::Volumes, CatalogAnswer::Volumes(rows)) => {
                self.pools = pools(&rows);
                self.volumes = volumes(rows);
            }
            _ => self.answers = Some(false),
        }
    }
}

/// The local day of a moment, counted from 1970-01-01.
pub(super) fn day_of(zone: &Zone, moment: i64) -> i64 {
    zone.local(moment).seconds().div_euclid(DAY)
}

fn is_good(row: &JobRow) -> bool {
    JobStatus::from_letter(row.job_status).is_ok()
}

/// A word for how a backup is, and how bad that is.
fn state(row: &JobRow) -> (u8, &'static str) {
    match JobStatus::from_letter(row.job_status) {
        JobStatus::Ok => (0, "ok"),
        JobStatus::Warnings => (2, "warnings"),
        JobStatus::Canceled => (3, "canceled"),
        JobStatus::Error | JobStatus::Fatal | JobStatus::Differences | JobStatus::Incomplete => (4, "failed"),
        _ => (1, "running"),
    }
}

fn nights(zone: &Zone, rows: &[JobRow]) -> BTreeMap<String, BTreeMap<i64, Night>> {
    let mut days: BTreeMap<(&str, i64), BTreeMap<&str, Vec<&JobRow>>> = BTreeMap::new();
    for row in rows {
        let day = days.entry((&row.client, day_of(zone, row.sched_time))).or_default();
        day.entry(&row.name).or_default().push(row);
    }
    let mut nights: BTreeMap<String, BTreeMap<i64, Night>> = BTreeMap::new();
    for ((client, day), jobs) in days {
        let all = || jobs.values().flatten();
        let lasts = jobs.values().filter_map(|rows| rows.iter().max_by_key(|row| row.job_id));
        let Some(worst) = lasts.max_by_key(|row| (state(row).0, row.job_id)) else { continue };
        let night = Night {
            state: state(worst).1,
            jobs: u32::try_from(all().count()).unwrap_or(u32::MAX),
            id: worst.job_id,
            bytes: all().map(|row| row.job_bytes).fold(0, u64::saturating_add),
        };
        nights.entry(client.to_owned()).or_default().insert(day, night);
    }
    nights
}

fn expected(rows: &[JobRow]) -> BTreeMap<(String, u8), u64> {
    let mut expected: BTreeMap<(String, u8), (u32, u64)> = BTreeMap::new();
    for row in rows.iter().filter(|row| is_good(row)) {
        let known = expected.entry((row.name.clone(), row.level)).or_default();
        *known = (*known).max((row.job_id, row.job_bytes));
    }
    expected.into_iter().map(|(of, (_, bytes))| (of, bytes)).collect()
}

fn last_good(rows: &[JobRow]) -> BTreeMap<String, LastGood> {
    let mut newest: BTreeMap<String, LastGood> = BTreeMap::new();
    for row in rows {
        let good = LastGood {
            id: row.job_id,
            level: super::snapshot::level_word(JobLevel::from_letter(row.level)),
            ended: row.end_time,
            seconds: row.end_time.saturating_sub(row.start_time).max(0),
            files: row.job_files,
            bytes: row.job_bytes,
        };
        let known = newest.entry(row.client.clone()).or_insert_with(|| good.clone());
        if (good.ended, good.id) > (known.ended, known.id) {
            *known = good;
        }
    }
    newest
}

fn pools(rows: &[MediaRow]) -> Vec<PoolNow> {
    let mut pools: BTreeMap<(&str, &'static str), (u64, u64)> = BTreeMap::new();
    for row in rows {
        let pool = pools.entry((&row.pool, row.vol_status.as_str())).or_default();
        *pool = (pool.0 + 1, pool.1.saturating_add(row.vol_bytes));
    }
    let pool = |((name, status), (volumes, bytes)): ((&str, &'static str), (u64, u64))| PoolNow {
        name: name.to_owned(),
        status,
        volumes,
        bytes,
    };
    pools.into_iter().map(pool).collect()
}

/// Those that were written last.
fn volumes(mut rows: Vec<MediaRow>) -> Vec<VolumeNow> {
    rows.sort_by_key(|row| (std::cmp::Reverse(row.last_written), row.media_id));
    rows.truncate(VOLUMES);
    let volume = |row: MediaRow| VolumeNow {
        name: row.volume_name,
        pool: row.pool,
        storage: row.storage,
        status: row.vol_status.as_str(),
        bytes: row.vol_bytes,
        most: row.max_vol_bytes,
        jobs: row.vol_jobs,
        written: row.last_written,
    };
    rows.into_iter().map(volume).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(job_id: u32, name: &str, client: &str, day: i64, status: u8) -> JobRow {
        JobRow {
            job_id,
            name: name.to_owned(),
            client: client.to_owned(),
            sched_time: day * DAY + 3_600,
            start_time: day * DAY + 3_600,
            end_time: day * DAY + 3_660,
            job_status: status,
            level: b'F',
            job_bytes: u64::from(job_id) * 10,
            ..JobRow::default()
        }
    }

    #[test]
    fn of_several_of_one_job_the_last_counts_and_of_several_jobs_the_worst() {
        let rows = [
            row(1, "a", "web", 20_000, b'f'),
            row(2, "a", "web", 20_000, b'T'),
            row(3, "b", "web", 20_001, b'T'),
            row(4, "a", "web", 20_001, b'A'),
            row(5, "c", "nas", 20_001, b'R'),
        ];
        let found = nights(&Zone::default(), &rows);
        let seen = |client: &str, day: i64| {
            let Night { state, jobs, id, bytes } = found[client][&day].clone();
            (state, jobs, id, bytes)
        };
        assert_eq!(seen("web", 20_000), ("ok", 2, 2, 30));
        assert_eq!(seen("web", 20_001), ("canceled", 2, 4, 70));
        assert_eq!(seen("nas", 20_001), ("running", 1, 5, 50));
        // East of Greenwich the same moments are later days once they are late enough.
        let east = nights(&Zone::fixed(23 * 3_600), &rows);
        assert_eq!(east["nas"].keys().collect::<Vec<_>>(), [&20_002]);
    }

    #[test]
    fn the_newest_good_backup_of_a_client_is_that_of_whichever_job_ended_last() {
        let rows = [row(1, "a", "web", 20_005, b'T'), row(2, "b", "web", 20_001, b'W'), row(3, "c", "nas", 1, b'T')];
        let found = last_good(&rows);
        assert_eq!((found["web"].id, found["nas"].id, found["web"].seconds), (1, 3, 60));
        assert_eq!(expected(&rows)[&("b".to_owned(), b'F')], 20);
    }

    #[test]
    fn volumes_are_listed_the_newest_first_and_counted_all() {
        let media = |id: u32, written: i64| MediaRow {
            media_id: id,
            volume_name: format!("v{id}"),
            pool: "p".to_owned(),
            last_written: written,
            vol_bytes: 5,
            ..MediaRow::default()
        };
        let all: Vec<MediaRow> = (0..1_200).map(|id| media(id, i64::from(id))).collect();
        let pools = pools(&all);
        assert_eq!((pools.len(), pools[0].volumes, pools[0].bytes), (1, 1_200, 6_000));
        let listed = volumes(all);
        assert_eq!((listed.len(), listed[0].name.as_str()), (VOLUMES, "v1199"));
    }
}
