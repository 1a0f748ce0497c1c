//! All that there is to see at one moment.

use std::collections::{BTreeMap, BTreeSet};

use crate::calendar::Civil;
use crate::config::{Catalog, Client};
use crate::explain;
use crate::node::{Number, Row};
use crate::role::director::consoles::level_name;
use crate::role::director::jobs::counting::Count;
use crate::role::director::jobs::job::Job;
use crate::role::director::jobs::tables;
use crate::role::director::{Director, Net};
use crate::role::network::Connection;
use crate::time::Wall;
use crate::wire::names::PeerKind;
use crate::wire::status::{JobLevel, JobStatus, JobType};
use crate::work::health::{
    CatalogNow, ClientNow, Connections, DAYS, DialFailures, Ended, Failed, Health, JobNow, LINKS, Link, Night,
    StorageNow, VOLUMES,
};

use super::found::{Found, day_of};

/// A level in a word.
pub(super) const fn level_word(level: JobLevel) -> &'static str {
    level_name(level)
}

impl Director {
    /// What there is to see, with the connections as they were just asked.
    pub(super) fn health(&self, net: &Net, rows: &[Row]) -> Health {
        let (common, now) = (&self.common, net.wall().seconds());
        let zone = &common.identity.zone;
        let today = day_of(zone, now);
        let days: Vec<i64> = (today - DAYS + 1..=today).collect();
        let mut links: Vec<Link> = rows.iter().map(|row| self.link(row)).collect();
        links.extend(common.config.all_catalogs().map(link_of));
        let connected = |kind: &str| -> BTreeSet<&str> {
            links.iter().filter(|link| link.kind == kind).map(|link| link.peer.as_str()).collect()
        };
        let (clients, storages) = (connected("client"), connected("storage"));
        let storages = common.config.storages.iter().map(|storage| StorageNow {
            name: storage.name.clone(),
            connected: storages.contains(storage.name.as_str()),
        });
        let connections = counted(&links);
        let mut health = Health {
            director: common.config.director.name.clone(),
            version: common.identity.full.clone(),
            now,
            local: zone.local(now).to_string(),
            started: self.started.seconds(),
            jobs: self.jobs.iter().map(|job| self.job_now(job, now)).collect(),
            ended: self.jobs.counts().iter().map(ended).collect(),
            failed: self.failed(),
            days: days.iter().map(|day| Civil::of(day * 86_400).to_string().chars().take(10).collect()).collect(),
            clients: self.clients(&days, &clients),
            storages: storages.collect(),
            waiting: self.ways.waiting().count(),
            dial_failures: self.dial_failures(),
            catalogs: common.config.all_catalogs().map(|catalog| self.catalog_now(catalog)).collect(),
            volumes: self.looks.found.values().flat_map(|found| found.volumes.iter().cloned()).collect(),
            pools: self.looks.found.values().flat_map(|found| found.pools.iter().cloned()).collect(),
            connections,
            links: Vec::new(),
        };
        // Those with a number first, and of these the first numbers.
        links.sort_by_key(|link| place(link.number));
        links.truncate(LINKS);
        health.links = links;
        health.volumes.sort_by_key(|volume| std::cmp::Reverse(volume.written));
        health.volumes.truncate(VOLUMES);
        health
    }

    fn link(&self, row: &Row) -> Link {
        let connection = Connection::of(row, self.number_of(row));
        let traffic = row.traffic.map(|(traffic, _)| traffic);
        Link {
            number: connection.number.map(Number::as_str),
            kind: match (connection.number, row.peer.name.kind) {
                (Some(Number::DirectorToStorage | Number::DirectorToSecondStorage), _) => "storage",
                (_, PeerKind::Client) => "client",
                (_, PeerKind::Storage) => "storage",
                (_, PeerKind::Console) => "console",
                (_, PeerKind::Director | PeerKind::Job) => "other",
            },
            peer: self.peer_of(row),
            dialled: connection.dialled,
            address: connection.ends.map(|(_, its)| its.to_string()).unwrap_or_default(),
            tls: connection.tls,
            cipher: format!("{} {}", connection.version, connection.cipher).trim().to_owned(),
            age: row.age.as_secs(),
            heard: row.traffic.map(|(_, heard)| heard.as_secs()),
            read: traffic.map_or(0, |traffic| traffic.read),
            written: traffic.map_or(0, |traffic| traffic.written),
            round_trip: traffic.and_then(|traffic| traffic.round_trip).map(|time| time.as_secs_f64()),
        }
    }

    /// The name that the configuration has for a peer: of a storage daemon that of the storage a job has it for, as its own may
    /// be another one.
    fn peer_of(&self, row: &Row) -> String {
        let job = self.job_on(row.conn).filter(|job| job.storage_daemon.presence.conn() == Some(row.conn));
        job.map_or_else(|| row.peer.name.name.clone(), |job| job.with.storage.clone())
    }

    fn job_now(&self, job: &Job, now: i64) -> JobNow {
        let found = self.looks.found.get(&job.catalog);
        let expected = found.and_then(|found| found.expected.get(&(job.name.clone(), job.level.letter())));
        JobNow {
            id: job.id.0,
            name: job.name.clone(),
            client: job.with.client.clone(),
            storage: job.with.storage.clone(),
            kind: kind_word(job.kind),
            level: if job.kind == JobType::Restore { "" } else { level_name(job.level) },
            stage: self.jobs.stage_of(job),
            queued: job.life.is_queued(),
            due: job.times.scheduled,
            seconds: now.saturating_sub(job.times.scheduled).max(0),
            files: job.attributes.stored,
            bytes: job.bytes_so_far(),
            expected: expected.copied().filter(|_| job.kind == JobType::Backup),
            data: job.route().ok().map(|route| route.channel.number.as_str()),
        }
    }

    fn failed(&self) -> Vec<Failed> {
        let local = |ended: Wall| self.common.identity.local(ended).to_string();
        let failed = self.jobs.failed().map(|(job, reason)| Failed {
            id: job.id.0,
            name: job.name.clone(),
            ended: local(job.ended),
            reason: reason.clone(),
        });
        failed.collect()
    }

    fn clients(&self, days: &[i64], connected: &BTreeSet<&str>) -> Vec<ClientNow> {
        let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
        for waits in self.ways.waiting() {
            *waiting.entry(waits.client.as_str()).or_default() += 1;
        }
        let all = || self.looks.found.values();
        let client = |client: &Client| ClientNow {
            name: client.name.clone(),
            way: way(client),
            waiting: waiting.get(client.name.as_str()).copied().unwrap_or(0),
            connected: connected.contains(client.name.as_str()),
            last_good: all()
                .filter_map(|found| found.last_good.get(&client.name))
                .max_by_key(|good| (good.ended, good.id))
                .cloned(),
            nights: days.iter().map(|day| night(all(), &client.name, *day)).collect(),
        };
        self.common.config.clients.iter().map(client).collect()
    }

    fn dial_failures(&self) -> Vec<DialFailures> {
        let failures = self.looks.dial_failures.iter().map(|(code, count)| DialFailures {
            code: code.to_string(),
            cause: explain::page(*code).map_or("", |page| page.title),
            count: *count,
        });
        failures.collect()
    }

    fn catalog_now(&self, catalog: &Catalog) -> CatalogNow {
        let found = self.looks.found.get(catalog.name());
        CatalogNow {
            name: catalog.name().to_owned(),
            file: if let Catalog::Sqlite(sqlite) = catalog { Some(sqlite.path.clone()) } else { None },
            answers: found.and_then(|found| found.answers),
            seen: found.and_then(|found| found.seen),
        }
    }
}

/// The connection to a catalog, which another library holds.
fn link_of(catalog: &Catalog) -> Link {
    Link {
        number: Some(Number::Catalog.as_str()),
        kind: "catalog",
        peer: catalog.name().to_owned(),
        dialled: true,
        address: match catalog {
            Catalog::Sqlite(_) => String::new(),
            Catalog::Postgres(server) => format!("{}:{}", server.host, server.port),
        },
        tls: "clear",
        ..Link::default()
    }
}

fn counted(links: &[Link]) -> Vec<Connections> {
    let mut counts: BTreeMap<(usize, &'static str, &'static str), u64> = BTreeMap::new();
    for link in links {
        *counts.entry((place(link.number), link.number.unwrap_or_default(), link.tls)).or_default() += 1;
    }
    counts.into_iter().map(|((_, number, tls), count)| Connections { number, tls, count }).collect()
}

/// Where a number stands in the overview; after all others where there is none.
fn place(number: Option<&'static str>) -> usize {
    let at = number.and_then(|number| Number::ALL.iter().position(|known| known.as_str() == number));
    at.unwrap_or(Number::ALL.len())
}

/// The worst of what all catalogs know of a client's day.
fn night<'a>(found: impl Iterator<Item = &'a Found>, client: &str, day: i64) -> Option<Night> {
    let bad =
        |night: &Night| ["ok", "running", "warnings", "canceled", "failed"].iter().position(|s| *s == night.state);
    found.filter_map(|found| found.nights.get(client)?.get(&day)).max_by_key(|night| bad(night)).cloned()
}

const fn way(client: &Client) -> &'static str {
    if client.connection_from_client_to_director {
        "dials in"
    } else if client.passive {
        "passive"
    } else {
        "dialled"
    }
}

fn ended((kind, status, count): (JobType, JobStatus, Count)) -> Ended {
    let status = match status {
        JobStatus::Ok => "ok",
        JobStatus::Warnings => "warnings",
        JobStatus::Error | JobStatus::Fatal => "failed",
        JobStatus::Canceled => "canceled",
        JobStatus::Differences => "differences",
        _ => "other",
    };
    let Count { jobs, files, bytes, seconds } = count;
    Ended { kind: kind_word(kind), status, jobs, files, bytes, seconds }
}

fn kind_word(kind: JobType) -> String {
    tables::of(kind).0.to_lowercase()
}
