//! How all is, in the text format of Prometheus. `core/docs/metrics.md` says what each name means, and a test holds it to that.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use towline_core::work::health::{Connections, DialFailures, Ended, Health, Link, PoolNow};

/// A metric: its name, its type, what it means, and its samples, each with its labels.
struct Metric {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    samples: Vec<(String, f64)>,
}

/// The text. `catalogs` are the files of embedded catalogs, by name.
pub(super) fn text(health: &Health, catalogs: &BTreeMap<String, PathBuf>) -> String {
    let mut text = String::new();
    for metric in all(health, catalogs) {
        let Metric { name, kind, help, samples } = metric;
        if samples.is_empty() {
            continue;
        }
        let _fits = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            let _fits = match labels.is_empty() {
                true => writeln!(text, "{name} {}", number(value)),
                false => writeln!(text, "{name}{{{labels}}} {}", number(value)),
            };
        }
    }
    text
}

fn all(health: &Health, catalogs: &BTreeMap<String, PathBuf>) -> Vec<Metric> {
    let mut all = of_daemon(health);
    all.extend(of_jobs(health));
    all.extend(of_clients(health));
    all.extend(of_connections(health));
    all.extend(of_stores(health, catalogs));
    all
}

fn gauge(name: &'static str, help: &'static str, samples: Vec<(String, f64)>) -> Metric {
    Metric { name, kind: "gauge", help, samples }
}

fn counter(name: &'static str, help: &'static str, samples: Vec<(String, f64)>) -> Metric {
    Metric { name, kind: "counter", help, samples }
}

fn one(value: f64) -> Vec<(String, f64)> {
    vec![(String::new(), value)]
}

fn of_daemon(health: &Health) -> Vec<Metric> {
    let info = labels(&[("director", &health.director), ("version", &health.version)]);
    vec![
        gauge("towline_info", "The director and its version; always 1.", vec![(info, 1.0)]),
        gauge("towline_start_time_seconds", "When the director was started, since 1970.", one(health.started as f64)),
    ]
}

fn of_jobs(health: &Health) -> Vec<Metric> {
    let count = |queued: bool| health.jobs.iter().filter(|job| job.queued == queued).count() as f64;
    let state = |name: &str, queued: bool| (labels(&[("state", name)]), count(queued));
    let ended = |value: fn(&Ended) -> u64| {
        let sample = |ended: &Ended| (labels(&[("type", &ended.kind), ("status", ended.status)]), value(ended) as f64);
        summed(health.ended.iter().map(sample))
    };
    vec![
        gauge("towline_jobs", "Jobs that have not ended.", vec![state("running", false), state("queued", true)]),
        counter("towline_jobs_ended_total", "Jobs that have ended.", ended(|ended| ended.jobs)),
        counter("towline_job_files_total", "Files of jobs that have ended.", ended(|ended| ended.files)),
        counter("towline_job_bytes_total", "Bytes of jobs that have ended.", ended(|ended| ended.bytes)),
        counter("towline_job_seconds_total", "How long jobs that have ended ran.", ended(|ended| ended.seconds)),
    ]
}

fn of_clients(health: &Health) -> Vec<Metric> {
    let client = |name: &str| labels(&[("client", name)]);
    // The age of what is not there is above each limit.
    let age = |ended: i64| (health.now - ended).max(0) as f64;
    let knows = health.catalogs.iter().any(|catalog| catalog.seen.is_some());
    let ages = health
        .clients
        .iter()
        .filter(|_| knows)
        .map(|one| (client(&one.name), one.last_good.as_ref().map_or(f64::INFINITY, |good| age(good.ended))));
    let good = |value: fn(&towline_core::work::health::LastGood) -> f64| {
        let sample = |one: &towline_core::work::health::ClientNow| {
            one.last_good.as_ref().map(|good| (client(&one.name), value(good)))
        };
        health.clients.iter().filter_map(sample).collect::<Vec<_>>()
    };
    let waiting = health.clients.iter().filter(|one| one.way == "dials in" || one.waiting > 0);
    vec![
        gauge(
            "towline_client_last_good_backup_age_seconds",
            "How long ago the newest good backup of a client ended; +Inf if there is none.",
            ages.collect(),
        ),
        gauge(
            "towline_client_last_good_backup_bytes",
            "Bytes of the newest good backup of a client.",
            good(|good| good.bytes as f64),
        ),
        gauge(
            "towline_client_last_good_backup_files",
            "Files of the newest good backup of a client.",
            good(|good| f64::from(good.files)),
        ),
        gauge(
            "towline_client_last_good_backup_seconds",
            "How long the newest good backup of a client ran.",
            good(|good| good.seconds as f64),
        ),
        gauge("towline_waiting_connections", "Connections of clients that wait for jobs.", one(health.waiting as f64)),
        gauge(
            "towline_client_waiting_connections",
            "Connections of a client that dials in, which wait for jobs.",
            waiting.map(|one| (client(&one.name), one.waiting as f64)).collect(),
        ),
    ]
}

fn of_connections(health: &Health) -> Vec<Metric> {
    let connection = |one: &Connections| (labels(&[("number", one.number), ("tls", one.tls)]), one.count as f64);
    let failure = |one: &DialFailures| (labels(&[("code", &one.code), ("cause", one.cause)]), one.count as f64);
    // Of several connections with one peer the slowest answer.
    let mut trips: BTreeMap<String, f64> = BTreeMap::new();
    for Link { number, peer, round_trip, .. } in &health.links {
        if let Some(seconds) = round_trip {
            let slowest = trips.entry(labels(&[("number", number.unwrap_or_default()), ("peer", peer)])).or_default();
            *slowest = slowest.max(*seconds);
        }
    }
    vec![
        gauge(
            "towline_connections",
            "Live connections of the director, by their number in the overview and how they are protected.",
            health.connections.iter().map(connection).collect(),
        ),
        gauge(
            "towline_heartbeat_round_trip_seconds",
            "How long the last answer to a heartbeat took; the slowest of a peer.",
            trips.into_iter().collect(),
        ),
        counter(
            "towline_dial_failures_total",
            "Dials that were given up, by the code of their cause.",
            health.dial_failures.iter().map(failure).collect(),
        ),
    ]
}

fn of_stores(health: &Health, catalogs: &BTreeMap<String, PathBuf>) -> Vec<Metric> {
    let pool = |value: fn(&PoolNow) -> u64| {
        let sample = |one: &PoolNow| (labels(&[("pool", &one.name), ("status", one.status)]), value(one) as f64);
        summed(health.pools.iter().map(sample))
    };
    let catalog = |name: &str| labels(&[("catalog", name)]);
    let answers = health
        .catalogs
        .iter()
        .filter_map(|one| one.answers.map(|answers| (catalog(&one.name), f64::from(u8::from(answers)))));
    let (mut sizes, mut free) = (Vec::new(), Vec::new());
    for (name, file) in catalogs {
        sizes.extend(bytes_of(file).map(|bytes| (catalog(name), bytes as f64)));
        free.extend(free_bytes(file).map(|bytes| (catalog(name), bytes as f64)));
    }
    vec![
        gauge("towline_volumes", "Volumes, by pool and state.", pool(|pool| pool.volumes)),
        gauge("towline_volume_bytes", "Bytes of volumes, by pool and state.", pool(|pool| pool.bytes)),
        gauge("towline_catalog_up", "Whether the catalog has answered the last question: 1 or 0.", answers.collect()),
        gauge("towline_catalog_bytes", "The size of an embedded catalog, its journal included.", sizes),
        gauge("towline_catalog_free_bytes", "The space that is left where the embedded catalog is.", free),
    ]
}

/// The size of the file of a catalog, and of its journal if there is one.
fn bytes_of(file: &Path) -> Option<u64> {
    let mut journal = file.as_os_str().to_owned();
    journal.push("-wal");
    let journal = PathBuf::from(journal).metadata().map_or(0, |meta| meta.len());
    Some(file.metadata().ok()?.len() + journal)
}

/// The space that is left to the daemon where a file is.
fn free_bytes(file: &Path) -> Option<u64> {
    let system = rustix::fs::statvfs(file).ok()?;
    Some(system.f_bavail.saturating_mul(system.f_frsize))
}

/// Each labels once: `-0.0` and others that differ only in what is not labelled are one sample.
fn summed(samples: impl Iterator<Item = (String, f64)>) -> Vec<(String, f64)> {
    let mut sums: BTreeMap<String, f64> = BTreeMap::new();
    for (labels, value) in samples {
        *sums.entry(labels).or_default() += value;
    }
    sums.into_iter().collect()
}

/// Labels with their values, in which a backslash, a quotation mark and a line feed are escaped.
fn labels(labels: &[(&str, &str)]) -> String {
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let each = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
    each.collect::<Vec<_>>().join(",")
}

/// A value as Prometheus writes it.
fn number(value: f64) -> String {
    if value.is_infinite() { "+Inf".to_owned() } else { format!("{value}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use towline_core::work::health::{CatalogNow, ClientNow, JobNow, LastGood};

    /// One of each.
    fn full() -> Health {
        let good = LastGood { ended: 400, seconds: 7, files: 3, bytes: 1 << 52, ..LastGood::default() };
        let client =
            |name: &str, way, last_good| ClientNow { name: name.to_owned(), way, last_good, ..ClientNow::default() };
        Health {
            director: "d\"\\\n".to_owned(),
            now: 1_000,
            jobs: vec![JobNow::default(), JobNow { queued: true, ..JobNow::default() }],
            ended: ["B", "B"]
                .map(|_| Ended { kind: "backup".to_owned(), status: "failed", jobs: 2, ..Ended::default() })
                .to_vec(),
            clients: vec![client("web", "dialled", Some(good)), client("lap", "dials in", None)],
            links: [0.25, 0.5]
                .map(|trip| Link { number: Some("3"), round_trip: Some(trip), ..Link::default() })
                .to_vec(),
            connections: vec![Connections { number: "3", tls: "psk", count: 2 }],
            dial_failures: vec![DialFailures { code: "T0103".to_owned(), cause: "refused", count: 1 }],
            catalogs: vec![CatalogNow {
                name: "c".to_owned(),
                answers: Some(false),
                seen: Some(9),
                ..CatalogNow::default()
            }],
            pools: vec![PoolNow { name: "p".to_owned(), status: "Full", volumes: 2, bytes: 9 }],
            ..Health::default()
        }
    }

    #[test]
    fn each_sample_is_a_line_with_its_labels_escaped_and_once() {
        let here = std::env::current_exe().unwrap();
        let text = text(&full(), &BTreeMap::from([("c".to_owned(), here)]));
        for line in [
            "towline_info{director=\"d\\\"\\\\\\n\",version=\"\"} 1",
            "towline_jobs{state=\"queued\"} 1",
            "towline_jobs_ended_total{type=\"backup\",status=\"failed\"} 4",
            "towline_client_last_good_backup_age_seconds{client=\"web\"} 600",
            "towline_client_last_good_backup_age_seconds{client=\"lap\"} +Inf",
            "towline_client_last_good_backup_bytes{client=\"web\"} 4503599627370496",
            "towline_client_waiting_connections{client=\"lap\"} 0",
            "towline_heartbeat_round_trip_seconds{number=\"3\",peer=\"\"} 0.5",
            "towline_dial_failures_total{code=\"T0103\",cause=\"refused\"} 1",
            "towline_catalog_up{catalog=\"c\"} 0",
            "towline_volume_bytes{pool=\"p\",status=\"Full\"} 9",
        ] {
            assert!(text.lines().any(|known| known == line), "{line}\n{text}");
        }
        assert!(!text.contains("client_waiting_connections{client=\"web\"}"), "{text}");
        // A catalog that has never answered says of no client that it has no backup.
        let unknown = Health { catalogs: vec![CatalogNow::default()], ..full() };
        assert!(!super::text(&unknown, &BTreeMap::new()).contains("_age_seconds{"));
    }

    #[test]
    fn the_document_names_every_metric_and_no_other() {
        let document = include_str!("../../../core/docs/metrics.md");
        let rows = document.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        let named: Vec<&str> = rows.collect();
        let here = std::env::current_exe().unwrap();
        let metrics = all(&full(), &BTreeMap::from([("c".to_owned(), here)]));
        assert!(metrics.iter().all(|metric| !metric.samples.is_empty()), "a sample of each is tried");
        let known: Vec<&str> = metrics.iter().map(|metric| metric.name).collect();
        assert_eq!(named, known);
    }
}
