//! Tables and statuses as a console prints them.

use crate::bulk::parcel::Parcel;
use crate::calendar::{Civil, Zone};
use crate::ids::ConnId;
use crate::role::director::Net;
use crate::role::report::{level_word, terminated_row, thousands};
use crate::time::Wall;
use crate::wire::json::Json;
use crate::wire::status::JobType;
use crate::{config, printable};

use super::super::recording::STAGE;
use super::super::{Director, running, tables};
use super::commands::level_name;
use super::output::{Api, Cell, Table};
use super::{Asked, Doing, text_frames, wait};
use crate::catalog::{CatalogRequest, ClientRow, FileKey, FileRow, JobRow, LogRow, MediaRow};

/// Scheduled jobs shown by a status.
const SCHEDULED: usize = 50;
/// Files of a job shown at a time.
pub(super) const PAGE: u32 = 1_000;

impl Director {
    /// Shows a page of a job's files and asks for the next.
    pub(super) fn show_files(
        &mut self,
        net: &mut Net,
        conn: ConnId,
        job_id: u32,
        files: &[FileRow],
        next: Option<FileKey>,
    ) {
        if matches!(self.api_of(conn), Api::Json { .. }) {
            return self.list_files(net, conn, job_id, files, next);
        }
        let text: String = files.iter().map(|file| format!(" {}\n", printable::name(&file.name))).collect();
        if text.is_empty() {
            return self.console_done(net, conn, "");
        }
        let Some(console) = self.consoles.get_mut(&conn) else { return };
        console.doing = Doing::Listing(job_id, next);
        net.send_parcel(conn, Parcel { bytes: text_frames(&text), frames: 1, ..Parcel::default() });
    }

    /// A page has been sent: a console that reads slowly gets its list slowly.
    pub(in super::super) fn page_sent(&mut self, net: &mut Net, conn: ConnId) {
        let Some(console) = self.consoles.get_mut(&conn) else { return };
        let Doing::Listing(job_id, next) = &mut console.doing else { return self.relayed(net, conn) };
        match (*job_id, next.take()) {
            (job_id, Some(after)) => {
                let request = CatalogRequest::ListFiles { job_id, after: Some(after), limit: PAGE };
                self.console_asks(net, conn, Asked::Files(job_id), request);
            }
            (_, None) => self.console_done(net, conn, ""),
        }
    }
}

/// The catalog's jobs.
pub(super) fn jobs(rows: &[JobRow], zone: &Zone) -> Table {
    let cells = rows.iter().rev().map(|row| {
        vec![
            id(row.job_id),
            text(&row.name),
            text(&row.client),
            text(&moment(row.start_time, zone)),
            text(&time_taken(row)),
            text(&char::from(row.job_type).to_string()),
            text(&char::from(row.level).to_string()),
            Cell::Count(row.job_files.into()),
            Cell::Count(row.job_bytes),
            text(&char::from(row.job_status).to_string()),
        ]
    });
    Table {
        name: "jobs",
        heads: &[
            "jobid",
            "name",
            "client",
            "starttime",
            "duration",
            "type",
            "level",
            "jobfiles",
            "jobbytes",
            "jobstatus",
        ],
        rows: cells.collect(),
    }
}

/// The catalog's volumes.
pub(super) fn volumes(rows: &[MediaRow]) -> Table {
    let cells = rows.iter().map(|row| {
        vec![
            id(row.media_id),
            text(&row.volume_name),
            text(&row.pool),
            text(&row.media_type),
            text(row.vol_status.as_str()),
            Cell::Count(row.vol_bytes),
            Cell::Count(row.vol_blocks.into()),
            id(row.vol_jobs),
            text(&row.storage),
        ]
    });
    Table {
        name: "volumes",
        heads: &[
            "mediaid",
            "volumename",
            "pool",
            "mediatype",
            "volstatus",
            "volbytes",
            "volblocks",
            "voljobs",
            "storage",
        ],
        rows: cells.collect(),
    }
}

/// The catalog's clients.
pub(super) fn clients(rows: &[ClientRow]) -> Table {
    let cells = rows.iter().map(|row| {
        let days = |seconds: u64| match seconds {
            0 => text("as the volume"),
            seconds => Cell::Text(format!("{} days", seconds / 86_400)),
        };
        let (files, jobs) = (days(row.spec.file_retention), days(row.spec.job_retention));
        vec![id(row.client_id), text(&row.spec.name), files, jobs, text(&row.uname)]
    });
    Table {
        name: "clients",
        heads: &["clientid", "name", "fileretention", "jobretention", "uname"],
        rows: cells.collect(),
    }
}

/// The jobs that a restore builds on.
pub(super) fn restore_jobs(rows: &[JobRow], zone: &Zone) -> String {
    let cells = rows.iter().map(|row| {
        vec![
            id(row.job_id),
            text(&char::from(row.level).to_string()),
            Cell::Count(row.job_files.into()),
            Cell::Count(row.job_bytes),
            text(&moment(row.start_time, zone)),
        ]
    });
    let ids: Vec<String> = rows.iter().map(|row| row.job_id.to_string()).collect();
    let heads = &["jobid", "level", "jobfiles", "jobbytes", "starttime"];
    let table = Table { name: "jobs", heads, rows: cells.collect() }.text();
    format!("{table}You have selected the following JobId: {}\n", ids.join(","))
}

/// A line of a job's report with its date.
pub(super) fn report_line(line: &LogRow, zone: &Zone) -> String {
    let text = line.text.trim_end();
    format!("{} {text}\n", zone.local(line.time).short())
}

/// `status director`.
pub(super) fn director(director: &Director, now: Wall, days: Option<u32>) -> String {
    let identity = &director.identity;
    let name = &director.config.director.name;
    let mut text = format!("{name} Version: {} ({}) {}\n", identity.full, identity.date, identity.system);
    let started = identity.local(director.started).short();
    let (run, running) = (director.jobs_run, director.jobs.len());
    text += &format!(
        "Daemon started {started}. Jobs: run={run}, running={running} db:{}, Towline binary\n",
        director.config.catalog.engine()
    );
    text += &scheduled(director, until(now, days));
    text += "====\n\nRunning Jobs:\n";
    for console in director.consoles.values() {
        text += &format!("Console connected at {}\n", identity.local(console.since).short());
    }
    for job in director.jobs.values() {
        let step = job.stage();
        let seconds = now.seconds() - job.scheduled;
        text += &format!("  JobId {} Job {} is running for {}: {step}\n", job.id, job.unique, duration(seconds));
        // Those whose attributes have come; bytes are the daemons' business.
        if job.stored > 0 {
            text += &format!("    Files={}\n", thousands(job.stored));
        }
    }
    if director.jobs.is_empty() {
        text += "No Jobs running.\n";
    }
    text += &unrecorded(director);
    text += "====\n\nTerminated Jobs:\n";
    text += " JobId  Level    Files      Bytes   Status   Finished        Name \n";
    text += "====================================================================\n";
    for job in director.recent.iter().rev() {
        text += &terminated(job, &identity.local(job.ended).short());
    }
    text + "====\n" + &super::waiting::table(director)
}

/// The jobs that have ended and whose ends the catalog has not taken yet; nothing if there are none.
fn unrecorded(director: &Director) -> String {
    let lines = director.unrecorded.iter().map(|kept| {
        let (job, finished) = (&kept.job, kept.finished());
        let (status, letter) = (wait::word(job.status), char::from(job.status.letter()));
        let at = director.identity.local(finished.ended).short();
        format!("  JobId {} Job {} has ended with status {status} ({letter}) at {at}: {STAGE}\n", job.id, job.unique)
    });
    let lines: String = lines.collect();
    if lines.is_empty() { lines } else { format!("====\n\nUnrecorded Jobs:\n{lines}") }
}

/// The second at which so many days have gone by.
fn until(now: Wall, days: Option<u32>) -> i64 {
    days.map_or(i64::MAX, |days| now.seconds().saturating_add(i64::from(days) * 86_400))
}

/// The jobs that schedules start next, up to a time: type, level, resource, and when in local time.
fn coming(director: &Director, until: i64) -> impl Iterator<Item = (JobType, &'static str, &config::Job, Civil)> {
    let coming = director.schedules.coming().into_iter().filter(move |(_, moment)| moment.at <= until);
    coming.take(SCHEDULED).filter_map(|(name, moment)| {
        let job = director.config.job(name)?;
        let order = director.order_of(job, moment.level.unwrap_or(job.level))?;
        Some((order.kind, level_name(order.level), job, director.identity.zone.local(moment.at)))
    })
}

fn scheduled(director: &Director, until: i64) -> String {
    if coming(director, until).next().is_none() {
        return "No Scheduled Jobs.\n".to_owned();
    }
    let mut text =
        "Scheduled Jobs:\nLevel          Type     Pri  Scheduled          Job Name           Schedule\n".to_owned();
    text += "====================================================================\n";
    for (kind, level, job, at) in coming(director, until) {
        let (kind, _) = tables::of(kind);
        let (priority, at, name) = (job.priority, at.short(), &job.name);
        let schedule = job.schedule.as_deref().unwrap_or_default();
        text += &format!("{level:<14} {kind:<8} {priority:>3}  {at:<18} {name:<18} {schedule}\n");
    }
    text
}

/// `status director` for a program.
pub(super) fn director_value(director: &Director, now: Wall, days: Option<u32>) -> Json {
    let identity = &director.identity;
    let header = Json::object([
        ("name", director.config.director.name.as_str().into()),
        ("version", identity.full.as_str().into()),
        ("date", identity.date.as_str().into()),
        ("os", identity.system.as_str().into()),
        ("started", identity.local(director.started).to_string().into()),
        ("jobs_run", director.jobs_run.to_string().into()),
        ("jobs_running", director.jobs.len().to_string().into()),
        ("catalog", director.config.catalog.engine().into()),
    ]);
    let scheduled = coming(director, until(now, days)).map(|(_, level, job, at)| {
        let schedule = text(job.schedule.as_deref().unwrap_or_default());
        vec![text(&job.name), text(level), Cell::Count(job.priority.into()), text(&at.to_string()), schedule]
    });
    let heads = &["name", "level", "priority", "scheduled", "schedule"];
    let scheduled = Table { name: "scheduled", heads, rows: scheduled.collect() };
    let running = director.jobs.values().map(|job| {
        vec![
            id(job.id),
            text(&job.unique),
            text(&job.name),
            text(&job.client),
            text(job.stage()),
            text(&duration(now.seconds() - job.scheduled)),
            Cell::Count(job.stored),
        ]
    });
    let heads = &["jobid", "job", "name", "client", "step", "duration", "jobfiles"];
    let running = Table { name: "running", heads, rows: running.collect() };
    let unrecorded = director.unrecorded.iter().map(|kept| {
        vec![
            id(kept.job.id),
            text(&kept.job.unique),
            text(&kept.job.name),
            text(&char::from(kept.job.status.letter()).to_string()),
            text(&identity.local(kept.finished().ended).to_string()),
            text(STAGE),
        ]
    });
    let heads = &["jobid", "job", "name", "jobstatus", "finished", "step"];
    let unrecorded = Table { name: "unrecorded", heads, rows: unrecorded.collect() };
    let terminated = director.recent.iter().rev().map(|job| {
        vec![
            id(job.id),
            text(&job.name),
            text(&char::from(job.kind.letter()).to_string()),
            text(&char::from(job.level.letter()).to_string()),
            Cell::Count(job.files.into()),
            Cell::Count(job.bytes),
            text(&char::from(job.status.letter()).to_string()),
            text(&identity.local(job.ended).to_string()),
        ]
    });
    let heads = &["jobid", "name", "type", "level", "jobfiles", "jobbytes", "jobstatus", "finished"];
    let terminated = Table { name: "terminated", heads, rows: terminated.collect() };
    let tables = [scheduled, running, unrecorded, terminated, super::waiting::rows(director)];
    let tables = tables.iter().map(|table| (table.name.to_owned(), table.json()));
    Json::Object([("header".to_owned(), header)].into_iter().chain(tables).collect())
}

/// A row of the terminated jobs, as file and storage daemons print it too (`wire/2 §5.1`).
fn terminated(job: &running::Finished, ended: &str) -> String {
    let level = if job.kind == JobType::Restore { "" } else { level_word(job.level) };
    terminated_row(job.id, level, job.files, job.bytes, job.status, ended, &job.name)
}

fn id(number: u32) -> Cell {
    Cell::Id(number.into())
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn moment(seconds: i64, zone: &Zone) -> String {
    if seconds == 0 { String::new() } else { zone.local(seconds).to_string() }
}

/// How long a job took; nothing for one that never started, or has not ended.
fn time_taken(row: &JobRow) -> String {
    let has_both = row.start_time > 0 && row.end_time > 0;
    if has_both { duration(row.end_time - row.start_time) } else { String::new() }
}

fn duration(seconds: i64) -> String {
    let seconds = seconds.max(0);
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}
