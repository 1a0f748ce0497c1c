//! `status director`, and its sections.

use crate::calendar::Civil;
use crate::config::Moment;
use crate::ids::JobId;
use crate::role::director::jobs::ordering::Order;
use crate::role::director::jobs::recording::{Finished, STAGE};
use crate::role::director::jobs::tables;
use crate::role::post::Stuck;
use crate::role::report::{level_word, terminated_row, terminated_word, thousands};
use crate::wire::json::Json;
use crate::wire::status::{JobStatus, JobType};

use super::super::super::answer::{Both, Cell, Column, Shown, Table};
use super::super::super::reply::View;
use super::super::run::level_name;
use super::super::wait;
use super::duration;
use super::trouble::{self, Failed, UNDELIVERED};

/// Scheduled jobs that are shown.
const SCHEDULED: usize = 50;

/// `status director`.
#[derive(Debug)]
pub(in super::super) struct Status {
    name: String,
    version: String,
    date: String,
    system: String,
    started: Civil,
    jobs_run: u32,
    catalog: String,
    /// What the director waits for before any job can run.
    awaited: Option<String>,
    scheduled: Vec<Scheduled>,
    /// When each console was connected.
    consoles: Vec<Civil>,
    running: Vec<Running>,
    unrecorded: Vec<Unrecorded>,
    terminated: Vec<Terminated>,
    failed: Vec<Failed>,
    stuck: Vec<Stuck>,
    waiting: Vec<Waiting>,
}

/// A job that a schedule starts.
#[derive(Debug)]
struct Scheduled {
    name: String,
    kind: JobType,
    level: &'static str,
    priority: u32,
    at: Civil,
    schedule: String,
}

#[derive(Debug)]
struct Running {
    id: JobId,
    unique: String,
    name: String,
    client: String,
    kind: JobType,
    level: &'static str,
    due: Civil,
    step: String,
    /// Since it was due.
    duration: String,
    /// Files whose attributes have come.
    files: u64,
    /// Bytes that the storage daemon has told of.
    bytes: u64,
}

/// A job that has ended, and whose end the catalog has not taken yet.
#[derive(Debug)]
struct Unrecorded {
    id: JobId,
    unique: String,
    name: String,
    status: JobStatus,
    ended: Civil,
}

#[derive(Debug)]
struct Terminated(Finished, Civil);

/// A client that waits for jobs (`wire/1 §8.5`).
#[derive(Debug)]
struct Waiting {
    since: Civil,
    protocol: u32,
    client: String,
}

impl Status {
    pub(in super::super) fn of(view: &View<'_>, days: Option<u32>) -> Self {
        let (director, identity) = (view.director, &view.director.common.identity);
        let until = days.map_or(i64::MAX, |days| view.now().saturating_add(i64::from(days) * 86_400));
        let running = view.jobs().map(|job| Running {
            id: job.id,
            unique: job.unique.clone(),
            name: job.name.clone(),
            client: job.with.client.clone(),
            kind: job.kind,
            level: if job.kind == JobType::Restore { "" } else { level_name(job.level) },
            due: view.zone().local(job.times.scheduled),
            step: match job.life.away_until() {
                Some(until) => {
                    format!("waits for its client {} until {}", job.with.client, identity.local(until).short())
                }
                None => director.jobs.stage_of(job).to_owned(),
            },
            duration: duration(view.now() - job.times.scheduled),
            files: job.attributes.stored,
            bytes: job.bytes_so_far(),
        });
        let unrecorded =
            director.jobs.unrecorded().iter().filter(|kept| view.sees(&kept.job.name, &kept.job.with.client));
        let unrecorded = unrecorded.map(|kept| Unrecorded {
            id: kept.job.id,
            unique: kept.job.unique.clone(),
            name: kept.job.name.clone(),
            status: kept.job.status,
            ended: identity.local(kept.finished().ended),
        });
        let terminated = director.jobs.recent().rev().filter(|job| view.sees(&job.name, ""));
        let waiting = director.ways.waiting().filter(|waiting| view.config().client(&waiting.client).is_some());
        let waiting = waiting.map(|waiting| Waiting {
            since: identity.local(waiting.since),
            protocol: waiting.protocol,
            client: waiting.client.clone(),
        });
        Self {
            name: view.config().director.name.clone(),
            version: identity.full.clone(),
            date: identity.date.clone(),
            system: identity.system.clone(),
            started: identity.local(director.started),
            jobs_run: director.jobs.begun(),
            catalog: view.config().catalog_engines(),
            awaited: director.setup.waits(),
            scheduled: scheduled(view, until),
            consoles: director.consoles.connected().map(|(_, console)| identity.local(console.since)).collect(),
            running: running.collect(),
            unrecorded: unrecorded.collect(),
            terminated: terminated.map(|job| Terminated(job.clone(), identity.local(job.ended))).collect(),
            failed: Failed::of(view),
            stuck: director.common.post.stuck().collect(),
            waiting: waiting.collect(),
        }
    }
}

/// The jobs that schedules start next, up to a time.
fn scheduled(view: &View<'_>, until: i64) -> Vec<Scheduled> {
    let director = view.director;
    let coming = director.schedules.coming().into_iter().filter(|(_, moment)| moment.at <= until);
    let row = |(name, moment): (&str, Moment)| {
        let job = view.config().job(name)?;
        let schedule = job.schedule.as_deref().and_then(|name| director.common.config.schedule(name));
        let run = schedule.and_then(|schedule| schedule.runs.get(moment.line));
        let order = Order::of_resource(job, run)?;
        Some(Scheduled {
            name: job.name.clone(),
            kind: order.kind,
            level: level_name(order.level),
            priority: order.terms.priority.unwrap_or(job.priority),
            at: view.zone().local(moment.at),
            schedule: job.schedule.clone().unwrap_or_default(),
        })
    };
    coming.take(SCHEDULED).filter_map(|(name, moment)| row((name, moment))).collect()
}

impl Shown for Status {
    fn text(&self) -> String {
        let mut text = self.header();
        text += &self.scheduled();
        text += &format!("\n{}", self.running());
        if !self.unrecorded.is_empty() {
            text += "\nUnrecorded Jobs:\n";
            text.extend(self.unrecorded.iter().map(Unrecorded::line));
            text += "====\n";
        }
        text += &format!("\n{}", self.terminated());
        text += &trouble::sections(&self.failed, &self.stuck);
        // With its heads even when it is empty, as Bareos prints it.
        text += "\n\nClient Initiated Connections (waiting for jobs):\n";
        text += &columns("Connect time", "Protocol", "Authenticated", "Name");
        text += &"=".repeat(100);
        text += "\n";
        text.extend(self.waiting.iter().map(Waiting::line));
        text + "====\n"
    }

    fn json(&self) -> Option<Json> {
        let tables = [
            Table::of("scheduled", Scheduled::COLUMNS, &self.scheduled),
            Table::of("running", Running::COLUMNS, &self.running),
            Table::of("unrecorded", Unrecorded::COLUMNS, &self.unrecorded),
            Table::of("terminated", Terminated::COLUMNS, &self.terminated),
            Table::of("failed", Failed::COLUMNS, &self.failed),
            Table::of("undelivered", UNDELIVERED, &self.stuck),
            Table::of("client-connection", Waiting::COLUMNS, &self.waiting),
        ];
        let tables = tables.iter().map(|table| (table.name.to_owned(), table.rows()));
        Some(Json::Object([("header".to_owned(), self.header_object())].into_iter().chain(tables).collect()))
    }
}

/// A part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Section {
    /// The jobs that run, for a monitor.
    Current,
    /// The job that has ended last, for a monitor.
    Last,
    Header,
    Scheduled,
    Running,
    Terminated,
}

impl Status {
    /// One section of it.
    pub(in super::super) fn section(&self, section: Section) -> Both {
        let rows = |table: Table| Json::object([(table.name, table.rows())]);
        let (text, json) = match section {
            // For a monitor, which reads text (`wire/1 §7`).
            Section::Current => {
                let line = |job: &Running| format!("JobId={} JobStatus=R JobErrors=0\n", job.id);
                (OK.to_owned() + &self.running.iter().map(line).collect::<String>(), Json::Object(Vec::new()))
            }
            Section::Last => {
                let line = |Terminated(job, _): &Terminated| {
                    format!("JobId={} JobStatus={} JobErrors=0\n", job.id, char::from(job.status.letter()))
                };
                let last = self.terminated.last().map(line).unwrap_or_default();
                (OK.to_owned() + &last, Json::Object(Vec::new()))
            }
            Section::Header => (self.header(), Json::object([("header", self.header_object())])),
            Section::Scheduled => (self.scheduled(), rows(Table::of("scheduled", Scheduled::COLUMNS, &self.scheduled))),
            Section::Running => {
                (format!("\n{}", self.running()), rows(Table::of("running", Running::COLUMNS, &self.running)))
            }
            Section::Terminated => (
                format!("\n{}", self.terminated()),
                rows(Table::of("terminated", Terminated::COLUMNS, &self.terminated)),
            ),
        };
        Both { text, json }
    }

    fn header(&self) -> String {
        let (started, run, running) = (self.started.short(), self.jobs_run, self.running.len());
        let catalog = &self.catalog;
        let awaited = self.awaited.as_ref().map(|what| format!("The director is {what}. No job can run.\n"));
        format!(
            "{} Version: {} ({}) {}\nDaemon started {started}. Jobs: run={run}, running={running} db:{catalog}, Towline binary\n{}",
            self.name,
            self.version,
            self.date,
            self.system,
            awaited.unwrap_or_default()
        )
    }

    fn header_object(&self) -> Json {
        let number = |number: usize| Json::Number(i64::try_from(number).unwrap_or(i64::MAX));
        Json::object([
            ("director", self.name.as_str().into()),
            ("version", self.version.as_str().into()),
            ("release_date", self.date.as_str().into()),
            ("os", self.system.as_str().into()),
            ("binary_info", "Towline".into()),
            ("daemon_started", self.started.short().into()),
            ("jobs_run", Json::Number(self.jobs_run.into())),
            ("jobs_running", number(self.running.len())),
            ("config_warnings", Json::Bool(false)),
            ("catalog", self.catalog.as_str().into()),
        ])
    }

    fn scheduled(&self) -> String {
        let mut text = String::new();
        if self.scheduled.is_empty() {
            text += "No Scheduled Jobs.\n";
        } else {
            text += "Scheduled Jobs:\nLevel          Type     Pri  Scheduled          Job Name           Schedule\n";
            text += "====================================================================\n";
            text.extend(self.scheduled.iter().map(Scheduled::line));
        }
        text + "====\n"
    }

    fn running(&self) -> String {
        let mut text = "Running Jobs:\n".to_owned();
        text.extend(self.consoles.iter().map(|since| format!("Console connected at {}\n", since.short())));
        text.extend(self.running.iter().map(Running::lines));
        if self.running.is_empty() {
            text += "No Jobs running.\n";
        }
        text + "====\n"
    }

    fn terminated(&self) -> String {
        let mut text = "Terminated Jobs:\n".to_owned();
        text += " JobId  Level    Files      Bytes   Status   Finished        Name \n";
        text += "====================================================================\n";
        text.extend(self.terminated.iter().map(Terminated::line));
        text + "====\n"
    }
}

/// How an answer to a monitor begins.
const OK: &str = "1000 OK .status\n";

impl Scheduled {
    const COLUMNS: &[Column<Self>] = &[
        Column("name", |row| Cell::text_of(&row.name)),
        Column("type", |row| Cell::text_of(tables::of(row.kind).0)),
        Column("level", |row| Cell::text_of(row.level)),
        Column("priority", |row| Cell::number(row.priority)),
        Column("scheduled", |row| Cell::Text(row.at.short())),
        Column("schedule", |row| Cell::text_of(&row.schedule)),
    ];

    fn line(&self) -> String {
        let Self { name, level, priority, schedule, .. } = self;
        let (kind, at) = (tables::of(self.kind).0, self.at.short());
        format!("{level:<14} {kind:<8} {priority:>3}  {at:<18} {name:<18} {schedule}\n")
    }
}

impl Running {
    const COLUMNS: &[Column<Self>] = &[
        Column("jobid", |row| Cell::number(row.id.0)),
        Column("name", |row| Cell::text_of(&row.unique)),
        Column("level", |row| Cell::text_of(row.level)),
        Column("type", |row| Cell::text_of(tables::of(row.kind).0)),
        Column("status", |row| Cell::text_of(&row.step)),
        Column("start_time", |row| Cell::Text(row.due.short())),
        Column("files", |row| Cell::number(i64::try_from(row.files).unwrap_or(i64::MAX))),
        Column("bytes", |row| Cell::number(i64::try_from(row.bytes).unwrap_or(i64::MAX))),
        Column("client", |row| Cell::text_of(&row.client)),
        Column("job", |row| Cell::text_of(&row.name)),
        Column("duration", |row| Cell::text_of(&row.duration)),
    ];

    fn lines(&self) -> String {
        let Self { id, unique, duration, step, files, bytes, .. } = self;
        let shown = format!("    Files={} Bytes={}\n", thousands(*files), thousands(*bytes));
        let files = if *files > 0 || *bytes > 0 { shown } else { String::new() };
        format!("  JobId {id} Job {unique} is running for {duration}: {step}\n{files}")
    }
}

impl Unrecorded {
    const COLUMNS: &[Column<Self>] = &[
        Column("jobid", |row| Cell::id(row.id.0)),
        Column("job", |row| Cell::text_of(&row.unique)),
        Column("name", |row| Cell::text_of(&row.name)),
        Column("jobstatus", |row| Cell::letter(row.status.letter())),
        Column("finished", |row| Cell::Text(row.ended.to_string())),
        Column("step", |_| Cell::text_of(STAGE)),
    ];

    fn line(&self) -> String {
        let (status, letter) = (wait::word(self.status), char::from(self.status.letter()));
        let Self { id, unique, .. } = self;
        let at = self.ended.short();
        format!("  JobId {id} Job {unique} has ended with status {status} ({letter}) at {at}: {STAGE}\n")
    }
}

impl Terminated {
    const COLUMNS: &[Column<Self>] = &[
        Column("jobid", |row| Cell::number(row.0.id.0)),
        Column("name", |row| Cell::text_of(&row.0.name)),
        Column("level", |row| Cell::text_of(row.level())),
        Column("type", |row| Cell::text_of(tables::of(row.0.kind).0)),
        Column("status", |row| Cell::text_of(terminated_word(row.0.status))),
        Column("files", |row| Cell::number(row.0.files)),
        Column("bytes", |row| Cell::number(i64::try_from(row.0.bytes).unwrap_or(i64::MAX))),
        Column("finished", |row| Cell::Text(row.1.short())),
    ];

    /// As file and storage daemons print it too (`wire/2 §5.1`).
    fn line(&self) -> String {
        let Self(job, ended) = self;
        terminated_row(job.id.0, self.level(), job.files, job.bytes, job.status, &ended.short(), &job.name)
    }
}

impl Terminated {
    fn level(&self) -> &'static str {
        if self.0.kind == JobType::Restore { "" } else { level_word(self.0.level) }
    }
}

impl Waiting {
    const COLUMNS: &[Column<Self>] = &[
        Column("connecttime", |row| Cell::Text(row.since.short())),
        Column("protocol_version", |row| Cell::number(row.protocol)),
        Column("authenticated", |_| Cell::Flag(true)),
        Column("name", |row| Cell::text_of(&row.client)),
    ];

    /// Nobody waits who is not authenticated: Bareos prints a constant too.
    fn line(&self) -> String {
        columns(&self.since.short(), &self.protocol.to_string(), "1", &self.client)
    }
}

fn columns(time: &str, protocol: &str, authenticated: &str, name: &str) -> String {
    format!("{time:<20}{protocol:<20}{authenticated:<20}{name:<40}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_recorded_columns() {
        assert_eq!(
            columns("23-Nov-26 13:02", "54", "1", "bareos-fd"),
            "23-Nov-26 13:02     54                  1                   bareos-fd                               \n"
        );
    }
}
