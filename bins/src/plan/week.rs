//! `--week`: a week of the schedule, with the director's own queue and limits, and what does not fit into its night.
//!
//! How long a backup takes comes from the topology: what its client has (`data`, `changes`) and the slowest gateway on its way
//! (`rate`). In the world the client's disk is busy for so long, and then there is little to send. The hosts stand beside each
//! other there: whether they reach each other is what the plan itself is about, and jobs that do not are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use serde_json::json;
use towline_core::calendar::Civil;
use towline_core::catalog::JobRow;
use towline_core::config::{Bytes, Catalog, DirectorConfig, FileSet, Job, JobKind, Pool, Seconds};
use towline_simtests::host::HostId;
use towline_simtests::site::{Config, Daemon, Machine, Site, Standing};

use super::rows::{Row, storage_of};
use super::setup::{
    Given, assumed_file, assumed_storage, made, without_tls_director, without_tls_file, without_tls_storage,
};
use super::topology::Topology;

/// The longest job, in seconds: two weeks.
const LONGEST: u64 = 1_209_600;
/// Bytes a second of a way on which no gateway says its own.
pub(super) const FASTEST: u64 = 100_000_000;
/// A Monday, eleven days after the world begins: until a week before it jobs take no time, so that all have their first full
/// backup.
const MONDAY: i64 = 1_768_176_000;
const DAY: i64 = 86_400;
const FIRST: u64 = 4 * 86_400;

/// A day of the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Day {
    /// Its name.
    pub(super) name: &'static str,
    /// Jobs that were due.
    pub(super) jobs: usize,
    /// When the first was due, and the last one ended: seconds after the beginning of the week.
    pub(super) first: i64,
    pub(super) last: i64,
    /// The longest that one of them waited for its turn, in seconds, and which.
    pub(super) waited: (i64, String),
    /// Jobs that did not end before the first one of the next day was due.
    pub(super) late: Vec<String>,
    /// Jobs that did not end well.
    pub(super) failed: Vec<String>,
}

/// A week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Week {
    /// The days on which something was due.
    pub(super) days: Vec<Day>,
    /// Jobs that are left out: they fail anyway, or their daemons are on no host.
    pub(super) left_out: Vec<String>,
    /// Clients of which nothing says how much they have.
    pub(super) unknown: Vec<String>,
}

/// Runs the schedule for a week. `None` if it cannot be set up, or nothing is scheduled.
pub(super) fn week(topology: &Topology, given: &Given, working: &[&Row]) -> Option<Week> {
    let config = &given.director;
    let is_in = |job: &&Job| job.kind != JobKind::Backup || working.iter().any(|row| row.job == job.name);
    let scheduled = config.jobs.iter().filter(|job| job.enabled && job.schedule.is_some());
    let (jobs, out): (Vec<&Job>, Vec<&Job>) = scheduled.partition(is_in);
    if jobs.is_empty() {
        return None;
    }
    let loads: BTreeMap<&str, Load> =
        jobs.iter().map(|job| (job.name.as_str(), Load::of(topology, config, job))).collect();
    let clients: BTreeSet<&str> = jobs.iter().map(|job| job.client.as_str()).collect();
    let silent = |client: &&str| topology.host(client)?.data;
    let unknown = clients.iter().filter(|client| silent(client).is_none()).map(|client| (*client).to_owned()).collect();
    let mut standing = side_by_side(given, &jobs)?.start().ok()?;
    standing.world.run_for(Duration::from_secs(FIRST));
    let mut known = Known { loads, fulls: BTreeMap::new(), seen: BTreeSet::new(), from: 0 };
    // The week before, the week itself, and a day for what it leaves.
    let week = Duration::from_secs(15 * 86_400);
    let catalog = standing.catalog.clone();
    let hosts: BTreeMap<String, HostId> =
        standing.daemons.iter().map(|daemon| (daemon.name.clone(), daemon.host)).collect();
    standing.world.run_until(week, |world| {
        for (client, span) in known.begun(&catalog) {
            if let Some(host) = hosts.get(&client) {
                world.occupy(*host, span);
            }
        }
        false
    });
    let rows: Vec<JobRow> = catalog.tables().jobs.values().cloned().collect();
    let left_out = out.iter().map(|job| job.name.clone()).collect();
    Some(Week { days: days(&rows, now(&standing)), left_out, unknown })
}

fn now(standing: &Standing) -> i64 {
    standing.world.wall().seconds()
}

/// How long a job takes.
#[derive(Clone, Copy, Debug, Default)]
struct Load {
    /// Seconds of a full one.
    full: u64,
    /// Seconds for what changes in a day.
    daily: u64,
}

impl Load {
    fn of(topology: &Topology, config: &DirectorConfig, job: &Job) -> Self {
        let client = topology.host(&job.client);
        let storage = topology.host(storage_of(config, job, &job.pool));
        let rate = match (client, storage) {
            (Some(client), Some(storage)) => topology.rate(client, storage).unwrap_or(FASTEST),
            _ => FASTEST,
        };
        let seconds = |size: Option<Bytes>| size.map_or(0, |size| (size.0 / rate.max(1)).min(LONGEST));
        let data = client.and_then(|host| host.data);
        Self { full: seconds(data), daily: seconds(client.and_then(|host| host.changes)) }
    }
}

/// What is known of the jobs so far.
struct Known<'a> {
    loads: BTreeMap<&'a str, Load>,
    /// When the last full one of each began.
    fulls: BTreeMap<String, i64>,
    seen: BTreeSet<u32>,
    /// All below have ended or were seen.
    from: u32,
}

impl Known<'_> {
    /// The clients of jobs that have just begun, and for how long they have to read.
    fn begun(&mut self, catalog: &towline_simtests::catalog::Catalog) -> Vec<(String, Duration)> {
        let (tables, mut all) = (catalog.tables(), Vec::new());
        for (id, row) in tables.jobs.range(self.from..) {
            if row.job_status != b'R' || !self.seen.insert(*id) {
                continue;
            }
            let load = self.loads.get(row.name.as_str()).copied().unwrap_or_default();
            let since = self.fulls.get(&row.name).map_or(1, |full| ((row.start_time - full) / DAY).max(1));
            let seconds = match row.level {
                b'F' => load.full,
                b'D' => load.daily.saturating_mul(since.unsigned_abs()).min(load.full),
                _ => load.daily,
            };
            if row.level == b'F' {
                self.fulls.insert(row.name.clone(), row.start_time);
            }
            all.push((row.client.clone(), Duration::from_secs(seconds)));
        }
        let over = tables.jobs.range(self.from..).take_while(|(id, row)| self.seen.contains(id) || row.end_time > 0);
        self.from = over.last().map_or(self.from, |(id, _)| id + 1);
        all
    }
}

/// All daemons of these jobs, each on a host of its own.
fn side_by_side(given: &Given, jobs: &[&Job]) -> Option<Site> {
    let config = &given.director;
    let mut director = DirectorConfig {
        director: without_tls_director(config.director.clone()),
        catalog: Catalog::default(),
        catalogs: Vec::new(),
        consoles: Vec::new(),
        profiles: Vec::new(),
        messages: Vec::new(),
        ..config.clone()
    };
    let files = [(b"/data/file".to_vec(), vec![b'x'; 1_000].into())].into();
    let mut site = Site { seed: 1, files, ..Site::default() };
    let place = |site: &mut Site, name: &str| {
        let number = u32::try_from(site.hosts.len()).unwrap_or(u32::MAX).saturating_add(1);
        let address = IpAddr::from((0x0A00_0000 + number).to_be_bytes());
        site.hosts.push(Machine::new(name, None, address));
        (site.hosts.len() - 1, address.to_string())
    };
    for client in &mut director.clients {
        let (host, address) = place(&mut site, &client.name);
        let file = given.file(&client.name).cloned().or_else(|| assumed_file(config, client))?;
        let mut file = without_tls_file(file);
        (client.tls, client.address, client.lan_address, client.passive) = (None, Some(address), None, false);
        (client.connection_from_director_to_client, client.connection_from_client_to_director) = (true, false);
        client.networks.clear();
        (client.port, file.file.listen) = (towline_core::config::FILE_PORT, vec!["0.0.0.0".to_owned()]);
        file.file.port = client.port;
        for director in &mut file.directors {
            (director.connection_from_director_to_client, director.connection_from_client_to_director) = (true, false);
        }
        site.daemons.push(Daemon::new(host, Config::File(Box::new(file))));
    }
    for storage in &mut director.storages {
        let (host, address) = place(&mut site, &storage.name);
        let known = given.storage(storage).cloned();
        let daemon = known.map_or_else(|| assumed_storage(config, &[storage]), Some)?;
        let mut daemon = without_tls_storage(daemon);
        (storage.tls, storage.address, storage.lan_address) = (None, address, None);
        storage.networks.clear();
        (daemon.storage.port, daemon.storage.listen) = (storage.port, vec!["0.0.0.0".to_owned()]);
        site.daemons.push(Daemon::new(host, Config::Storage(Box::new(daemon))));
    }
    for job in &mut director.jobs {
        job.run_scripts.clear();
        job.write_bootstrap = None;
        job.enabled = jobs.iter().any(|known| known.name == job.name);
    }
    let set = |set: &FileSet| made::<FileSet>(json!({"name": set.name, "include": [{"files": ["/data"]}]}));
    director.filesets = config.filesets.iter().map(set).collect::<Option<_>>()?;
    let pool = |pool: &Pool| {
        let label = format!("{}-", pool.name);
        made::<Pool>(
            json!({"name": pool.name, "label_format": label, "storage": pool.storage, "next_pool": pool.next_pool}),
        )
    };
    director.pools = config.pools.iter().map(pool).collect::<Option<_>>()?;
    let (host, _) = place(&mut site, &config.director.name);
    director.director.listen = vec!["0.0.0.0".to_owned()];
    director.director.heartbeat_interval = Seconds(3_600);
    site.daemons.push(Daemon::new(host, Config::Director(Box::new(director))));
    Some(site)
}

const NAMES: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The days from Monday on, from all jobs there were. One that has not ended by `now` ends then.
fn days(rows: &[JobRow], now: i64) -> Vec<Day> {
    let rows = scheduled(rows);
    let of = |day: i64| {
        let begin = MONDAY + day * DAY;
        rows.iter().filter(move |row| (begin..begin + DAY).contains(&row.sched_time)).copied()
    };
    let due = |day: i64| of(day).map(|row| row.sched_time).min();
    let ended = |row: &JobRow| if row.end_time > 0 { row.end_time } else { now };
    let day = |(day, name): (i64, &'static str)| {
        let first = due(day)?;
        let next = (day + 1..day + 8).find_map(due).unwrap_or(i64::MAX);
        let waited = |row: &JobRow| (row.start_time.max(row.sched_time) - row.sched_time, row.name.clone());
        let names = |is: &dyn Fn(&JobRow) -> bool| -> Vec<String> {
            let named: BTreeSet<&String> = of(day).filter(|row| is(row)).map(|row| &row.name).collect();
            named.into_iter().cloned().collect()
        };
        Some(Day {
            name,
            jobs: of(day).count(),
            first: first - MONDAY,
            last: of(day).map(ended).max().unwrap_or(first) - MONDAY,
            waited: of(day).map(waited).max().unwrap_or_default(),
            late: names(&|row| ended(row) > next),
            failed: names(&|row| row.end_time > 0 && !matches!(row.job_status, b'T' | b'W')),
        })
    };
    (0..).zip(NAMES).filter_map(day).collect()
}

/// The jobs that the schedule has ordered: on the minute, and each once. Those that a copy or a migration orders for each
/// backup bear its name, and those that write the backup's.
fn scheduled(rows: &[JobRow]) -> Vec<&JobRow> {
    let is_due = |row: &&JobRow| row.sched_time % 60 == 0 && row.job_type != b'C' && row.origin == 0;
    let mut seen: BTreeSet<(&str, i64)> = BTreeSet::new();
    let mut all = Vec::new();
    for row in rows.iter().filter(is_due) {
        if seen.insert((&row.name, row.sched_time)) {
            all.push(row);
        }
    }
    all
}

/// A moment of the week, as `Tuesday 05:12`.
pub(super) fn moment(seconds: i64) -> String {
    let Civil { hour, minute, .. } = Civil::of(MONDAY + seconds);
    let name = usize::try_from(seconds.div_euclid(DAY).rem_euclid(7)).ok().and_then(|day| NAMES.get(day));
    format!("{} {hour:02}:{minute:02}", name.copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, due: i64, start: i64, end: i64) -> JobRow {
        JobRow {
            name: name.to_owned(),
            sched_time: MONDAY + due,
            start_time: MONDAY + start,
            end_time: if end == 0 { 0 } else { MONDAY + end },
            job_status: if end == 0 { b'R' } else { b'T' },
            ..JobRow::default()
        }
    }

    #[test]
    fn a_night_that_reaches_into_the_next_is_seen() {
        let evening = 21 * 3_600;
        let rows = [
            row("a", evening, evening, evening + 3_600),
            row("b", evening, evening + 3_600, evening + DAY + 60),
            row("a", evening + DAY, evening + DAY, evening + DAY + 60),
            row("b", evening + DAY, evening + DAY + 60, 0),
        ];
        let days = days(&rows, MONDAY + 5 * DAY);
        let [monday, tuesday] = days.as_slice() else { panic!("{days:?}") };
        assert_eq!((monday.name, monday.jobs, monday.first, monday.last), ("Monday", 2, evening, evening + DAY + 60));
        assert_eq!((&monday.late, &monday.waited), (&vec!["b".to_owned()], &(3_600, "b".to_owned())));
        assert_eq!((tuesday.late.len(), tuesday.last), (0, 5 * DAY));
        assert_eq!(moment(monday.last), "Tuesday 21:01");
    }

    #[test]
    fn what_a_copy_orders_is_not_due_by_the_schedule_and_a_name_is_said_once() {
        let four = 4 * 3_600;
        let copies = |job_type, row: JobRow| JobRow { job_type, ..row };
        let rows = [
            copies(b'c', row("offsite", four, four, four + DAY + 60)),
            copies(b'c', row("offsite", four, four, four + 60)),
            copies(b'C', row("files", four, four, four + 60)),
            copies(b'c', row("offsite", four + 7, four + 7, four + 60)),
            row("files", four + 60, four + 60, four + DAY + 90),
            row("files", four + 120, four + 120, four + DAY + 90),
            row("files", four + DAY, four + DAY, four + DAY + 90),
        ];
        let days = days(&rows, MONDAY + 5 * DAY);
        let monday = &days[0];
        assert_eq!((monday.jobs, monday.first), (3, four));
        assert_eq!(monday.late, ["files", "offsite"]);
    }

    #[test]
    fn the_week_begins_on_a_monday() {
        assert_eq!(Civil::of(MONDAY).stamp(), "2026-01-12_00.00.00");
    }
}
