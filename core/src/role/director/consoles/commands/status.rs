//! `status`: what the director does, what a daemon does, and every connection.

use crate::calendar::{Civil, Zone};
use crate::config;
use crate::ids::{JobId, Who};
use crate::role::report::{level_word, terminated_row, thousands};
use crate::wire::file::FileCommand;
use crate::wire::json::Json;
use crate::wire::status::{JobStatus, JobType};
use crate::wire::storage::StorageCommand;

use super::super::answer::{Cell, Column, Shown, Table};
use super::super::grammar::Takes::{Either, Nothing, Value};
use super::super::grammar::{Command, Form};
use super::super::refusal::{Kind, NoSuch, Refusal, number_of};
use super::super::reply::{Instruction, Reply, View};
use super::super::words::Words;
use super::run::level_name;
use super::{network, wait};
use crate::role::director::errands::{Errand, For};
use crate::role::director::jobs::ordering::Order;
use crate::role::director::jobs::recording::Finished;
use crate::role::director::jobs::recording::STAGE;
use crate::role::director::jobs::tables;

pub(super) const COMMAND: Command = Command::new(
    "status",
    &[Form {
        words: &[
            ("director", Nothing),
            ("dir", Nothing),
            ("client", Either),
            ("storage", Either),
            ("network", Nothing),
            ("days", Value),
        ],
        one_of: &[
            &["director", "dir", "client", "storage", "network"],
            &["days", "client"],
            &["days", "storage"],
            &["days", "network"],
        ],
        help: &[
            ("status [director] [days=N]", "what the director does, and what it will do within N days"),
            ("status client=NAME|storage=NAME", "what a daemon does"),
            ("status network", "every connection of this director"),
        ],
        ..Form::PLAIN
    }],
    run,
);

/// Scheduled jobs that are shown.
const SCHEDULED: usize = 50;

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    if let Some(name) = words.value(&["client"]) {
        NoSuch::check(view.config(), Kind::FileDaemon, name)?;
        return Ok(errand(view, Who::File, name, FileCommand::Status.to_line()));
    }
    if let Some(name) = words.value(&["storage"]) {
        NoSuch::check(view.config(), Kind::StorageDaemon, name)?;
        let devices = view.config().storage(name).map(|storage| storage.device.clone()).into_iter().collect();
        return Ok(errand(view, Who::Storage, name, StorageCommand::Status { devices }.to_line()));
    }
    if words.has("client") || words.has("storage") {
        return Err(Refusal::usage("Name the daemon: status client=NAME or status storage=NAME."));
    }
    if words.has("network") {
        return Ok(network::run());
    }
    Ok(Reply::found(Status::of(view, number_of(words, "days")?)))
}

fn errand(view: &View<'_>, who: Who, name: &str, command: String) -> Reply {
    Reply::Do(Instruction::Errand(Box::new(Errand::new(who, name.to_owned(), command, For::Console(view.conn)))))
}

/// `status director`.
#[derive(Debug)]
struct Status {
    name: String,
    version: String,
    date: String,
    system: String,
    started: Civil,
    jobs_run: u32,
    catalog: &'static str,
    scheduled: Vec<Scheduled>,
    /// When each console was connected.
    consoles: Vec<Civil>,
    running: Vec<Running>,
    unrecorded: Vec<Unrecorded>,
    terminated: Vec<Terminated>,
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
    step: &'static str,
    /// Since it was due.
    duration: String,
    /// Files whose attributes have come; bytes are the daemons' business.
    files: u64,
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
    fn of(view: &View<'_>, days: Option<u32>) -> Self {
        let (director, identity) = (view.director, &view.director.common.identity);
        let until = days.map_or(i64::MAX, |days| view.now().saturating_add(i64::from(days) * 86_400));
        let running = director.jobs.iter().map(|job| Running {
            id: job.id,
            unique: job.unique.clone(),
            name: job.name.clone(),
            client: job.with.client.clone(),
            step: job.stage(),
            duration: duration(view.now() - job.times.scheduled),
            files: job.attributes.stored,
        });
        let unrecorded = director.jobs.unrecorded().iter().map(|kept| Unrecorded {
            id: kept.job.id,
            unique: kept.job.unique.clone(),
            name: kept.job.name.clone(),
            status: kept.job.status,
            ended: identity.local(kept.finished().ended),
        });
        let terminated = director.jobs.recent().rev();
        let waiting = director.ways.waiting().map(|waiting| Waiting {
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
            catalog: view.config().catalog.engine(),
            scheduled: scheduled(view, until),
            consoles: director.consoles.seats.values().map(|console| identity.local(console.since)).collect(),
            running: running.collect(),
            unrecorded: unrecorded.collect(),
            terminated: terminated.map(|job| Terminated(job.clone(), identity.local(job.ended))).collect(),
            waiting: waiting.collect(),
        }
    }
}

/// The jobs that schedules start next, up to a time.
fn scheduled(view: &View<'_>, until: i64) -> Vec<Scheduled> {
    let director = view.director;
    let coming = director.schedules.coming().into_iter().filter(|(_, moment)| moment.at <= until);
    let row = |(name, level, at): (&str, Option<config::Level>, i64)| {
        let job = director.common.config.job(name)?;
        let order = Order::of_resource(job, level.unwrap_or(job.level))?;
        Some(Scheduled {
            name: job.name.clone(),
            kind: order.kind,
            level: level_name(order.level),
            priority: job.priority,
            at: view.zone().local(at),
            schedule: job.schedule.clone().unwrap_or_default(),
        })
    };
    coming.take(SCHEDULED).filter_map(|(name, moment)| row((name, moment.level, moment.at))).collect()
}

impl Shown for Status {
    fn text(&self) -> String {
        let mut text = format!("{} Version: {} ({}) {}\n", self.name, self.version, self.date, self.system);
        let (started, run, running) = (self.started.short(), self.jobs_run, self.running.len());
        let catalog = self.catalog;
        text += &format!("Daemon started {started}. Jobs: run={run}, running={running} db:{catalog}, Towline binary\n");
        if self.scheduled.is_empty() {
            text += "No Scheduled Jobs.\n";
        } else {
            text += "Scheduled Jobs:\nLevel          Type     Pri  Scheduled          Job Name           Schedule\n";
            text += "====================================================================\n";
            text.extend(self.scheduled.iter().map(Scheduled::line));
        }
        text += "====\n\nRunning Jobs:\n";
        text.extend(self.consoles.iter().map(|since| format!("Console connected at {}\n", since.short())));
        text.extend(self.running.iter().map(Running::lines));
        if self.running.is_empty() {
            text += "No Jobs running.\n";
        }
        if !self.unrecorded.is_empty() {
            text += "====\n\nUnrecorded Jobs:\n";
            text.extend(self.unrecorded.iter().map(Unrecorded::line));
        }
        text += "====\n\nTerminated Jobs:\n";
        text += " JobId  Level    Files      Bytes   Status   Finished        Name \n";
        text += "====================================================================\n";
        text.extend(self.terminated.iter().map(Terminated::line));
        // With its heads even when it is empty, as Bareos prints it.
        text += "====\n\n\nClient Initiated Connections (waiting for jobs):\n";
        text += &columns("Connect time", "Protocol", "Authenticated", "Name");
        text += &"=".repeat(100);
        text += "\n";
        text.extend(self.waiting.iter().map(Waiting::line));
        text + "====\n"
    }

    fn json(&self) -> Option<Json> {
        let header = Json::object([
            ("name", self.name.as_str().into()),
            ("version", self.version.as_str().into()),
            ("date", self.date.as_str().into()),
            ("os", self.system.as_str().into()),
            ("started", self.started.to_string().into()),
            ("jobs_run", self.jobs_run.to_string().into()),
            ("jobs_running", self.running.len().to_string().into()),
            ("catalog", self.catalog.into()),
        ]);
        let tables = [
            Table::of("scheduled", Scheduled::COLUMNS, &self.scheduled),
            Table::of("running", Running::COLUMNS, &self.running),
            Table::of("unrecorded", Unrecorded::COLUMNS, &self.unrecorded),
            Table::of("terminated", Terminated::COLUMNS, &self.terminated),
            Table::of("waiting", Waiting::COLUMNS, &self.waiting),
        ];
        let tables = tables.iter().map(|table| (table.name.to_owned(), table.rows()));
        Some(Json::Object([("header".to_owned(), header)].into_iter().chain(tables).collect()))
    }
}

impl Scheduled {
    const COLUMNS: &[Column<Self>] = &[
        Column("name", |row| Cell::text_of(&row.name)),
        Column("level", |row| Cell::text_of(row.level)),
        Column("priority", |row| Cell::count(row.priority)),
        Column("scheduled", |row| Cell::Text(row.at.to_string())),
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
        Column("jobid", |row| Cell::id(row.id.0)),
        Column("job", |row| Cell::text_of(&row.unique)),
        Column("name", |row| Cell::text_of(&row.name)),
        Column("client", |row| Cell::text_of(&row.client)),
        Column("step", |row| Cell::text_of(row.step)),
        Column("duration", |row| Cell::text_of(&row.duration)),
        Column("jobfiles", |row| Cell::count(row.files)),
    ];

    fn lines(&self) -> String {
        let Self { id, unique, duration, step, files, .. } = self;
        let files = if *files > 0 { format!("    Files={}\n", thousands(*files)) } else { String::new() };
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
        Column("jobid", |row| Cell::id(row.0.id.0)),
        Column("name", |row| Cell::text_of(&row.0.name)),
        Column("type", |row| Cell::letter(row.0.kind.letter())),
        Column("level", |row| Cell::letter(row.0.level.letter())),
        Column("jobfiles", |row| Cell::count(row.0.files)),
        Column("jobbytes", |row| Cell::count(row.0.bytes)),
        Column("jobstatus", |row| Cell::letter(row.0.status.letter())),
        Column("finished", |row| Cell::Text(row.1.to_string())),
    ];

    /// As file and storage daemons print it too (`wire/2 §5.1`).
    fn line(&self) -> String {
        let Self(job, ended) = self;
        let level = if job.kind == JobType::Restore { "" } else { level_word(job.level) };
        terminated_row(job.id.0, level, job.files, job.bytes, job.status, &ended.short(), &job.name)
    }
}

impl Waiting {
    const COLUMNS: &[Column<Self>] = &[
        Column("connected", |row| Cell::Text(row.since.to_string())),
        Column("protocol", |row| Cell::count(row.protocol)),
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

/// A moment in local time; nothing for one that has not come.
pub(super) fn moment(seconds: i64, zone: &Zone) -> String {
    if seconds == 0 { String::new() } else { zone.local(seconds).to_string() }
}

pub(super) fn duration(seconds: i64) -> String {
    let seconds = seconds.max(0);
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
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
