//! Tables and statuses as a console prints them.

use crate::bulk::parcel::Parcel;
use crate::calendar::Civil;
use crate::ids::ConnId;
use crate::node::Net;
use crate::role::report::{level_word, terminated_row, thousands};
use crate::time::Wall;
use crate::wire::status::JobType;

use super::super::catalog::{CatalogRequest, ClientRow, FileKey, FileRow, JobRow, LogRow, MediaRow};
use super::super::{Director, running};
use super::commands::{level_name, order_level};
use super::{Asked, Doing, text_frames};

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
        let text: String = files.iter().map(|file| format!(" {}\n", String::from_utf8_lossy(&file.name))).collect();
        if text.is_empty() {
            return self.console_done(net, conn, "");
        }
        let Some(console) = self.consoles.get_mut(&conn) else { return };
        console.doing = Doing::Listing(job_id, next);
        net.send_parcel(conn, Parcel { bytes: text_frames(&text), frames: 1 });
    }

    /// A page has been sent: a console that reads slowly gets its list slowly.
    pub(in super::super) fn page_sent(&mut self, net: &mut Net, conn: ConnId) {
        let Some(console) = self.consoles.get_mut(&conn) else { return };
        let Doing::Listing(job_id, next) = &mut console.doing else { return };
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
pub(super) fn jobs(rows: &[JobRow], offset: i32) -> String {
    let heads =
        ["jobid", "name", "client", "starttime", "duration", "type", "level", "jobfiles", "jobbytes", "jobstatus"];
    let cells = rows.iter().rev().map(|row| {
        vec![
            row.job_id.to_string(),
            row.name.clone(),
            row.client.clone(),
            moment(row.start_time, offset),
            duration(row.end_time - row.start_time),
            char::from(row.job_type).to_string(),
            char::from(row.level).to_string(),
            thousands(u64::from(row.job_files)),
            thousands(row.job_bytes),
            char::from(row.job_status).to_string(),
        ]
    });
    table(&heads, &[0, 7, 8], cells.collect())
}

/// The catalog's volumes.
pub(super) fn volumes(rows: &[MediaRow]) -> String {
    let heads =
        ["mediaid", "volumename", "pool", "mediatype", "volstatus", "volbytes", "volblocks", "voljobs", "storage"];
    let cells = rows.iter().map(|row| {
        vec![
            row.media_id.to_string(),
            row.volume_name.clone(),
            row.pool.clone(),
            row.media_type.clone(),
            row.vol_status.as_str().to_owned(),
            thousands(row.vol_bytes),
            thousands(u64::from(row.vol_blocks)),
            row.vol_jobs.to_string(),
            row.storage.clone(),
        ]
    });
    table(&heads, &[0, 5, 6, 7], cells.collect())
}

/// The catalog's clients.
pub(super) fn clients(rows: &[ClientRow]) -> String {
    let cells = rows.iter().map(|row| {
        let days = |seconds: u64| format!("{} days", seconds / 86_400);
        let (files, jobs) = (days(row.spec.file_retention), days(row.spec.job_retention));
        vec![row.client_id.to_string(), row.spec.name.clone(), files, jobs, row.uname.clone()]
    });
    table(&["clientid", "name", "fileretention", "jobretention", "uname"], &[0], cells.collect())
}

/// The jobs that a restore builds on.
pub(super) fn restore_jobs(rows: &[JobRow], offset: i32) -> String {
    let cells = rows.iter().map(|row| {
        vec![
            row.job_id.to_string(),
            char::from(row.level).to_string(),
            thousands(u64::from(row.job_files)),
            thousands(row.job_bytes),
            moment(row.start_time, offset),
        ]
    });
    let ids: Vec<String> = rows.iter().map(|row| row.job_id.to_string()).collect();
    let table = table(&["jobid", "level", "jobfiles", "jobbytes", "starttime"], &[0, 2, 3], cells.collect());
    format!("{table}You have selected the following JobId: {}\n", ids.join(","))
}

/// A line of a job's report with its date.
pub(super) fn report_line(line: &LogRow, offset: i32) -> String {
    let text = line.text.trim_end();
    format!("{} {text}\n", Civil::of(line.time + i64::from(offset)).short())
}

/// `status director`.
pub(super) fn director(director: &Director, now: Wall) -> String {
    let identity = &director.identity;
    let name = &director.config.director.name;
    let mut text = format!("{name} Version: {} ({}) {}\n", identity.full, identity.date, identity.system);
    let started = identity.local(director.started).short();
    let (run, running) = (director.jobs_run, director.jobs.len());
    text += &format!("Daemon started {started}. Jobs: run={run}, running={running} db:sqlite, Towline binary\n");
    text += &scheduled(director);
    text += "====\n\nRunning Jobs:\n";
    for console in director.consoles.values() {
        text += &format!("Console connected at {}\n", identity.local(console.since).short());
    }
    for job in director.jobs.values() {
        let step = job.script.as_ref().map_or("waiting for its turn", |script| script.step());
        let seconds = now.seconds() - job.scheduled;
        text += &format!("  JobId {} Job {} is running for {}: {step}\n", job.id, job.unique, duration(seconds));
    }
    if director.jobs.is_empty() {
        text += "No Jobs running.\n";
    }
    text += "====\n\nTerminated Jobs:\n";
    text += " JobId  Level    Files      Bytes   Status   Finished        Name \n";
    text += "====================================================================\n";
    for job in director.recent.iter().rev() {
        text += &terminated(job, &identity.local(job.ended).short());
    }
    text + "====\n" + &super::waiting::table(director)
}

/// The jobs that schedules start next.
fn scheduled(director: &Director) -> String {
    let coming = director.schedules.coming();
    if coming.is_empty() {
        return "No Scheduled Jobs.\n".to_owned();
    }
    let mut text =
        "Scheduled Jobs:\nLevel          Type     Pri  Scheduled          Job Name           Schedule\n".to_owned();
    text += "====================================================================\n";
    for (name, moment) in coming.into_iter().take(SCHEDULED) {
        let Some(job) = director.config.job(name) else { continue };
        let level = level_name(order_level(moment.level.unwrap_or(job.level)));
        let at = Civil::of(moment.at + i64::from(director.zone.offset_at(moment.at))).short();
        let (priority, schedule) = (job.priority, job.schedule.as_deref().unwrap_or_default());
        text += &format!("{level:<14} Backup   {priority:>3}  {at:<18} {name:<18} {schedule}\n");
    }
    text
}

/// A row of the terminated jobs, as file and storage daemons print it too (`wire/2 §5.1`).
fn terminated(job: &running::Finished, ended: &str) -> String {
    let level = if job.kind == JobType::Restore { "" } else { level_word(job.level) };
    terminated_row(job.id, level, job.files, job.bytes, job.status, ended, &job.name)
}

fn moment(seconds: i64, offset: i32) -> String {
    if seconds == 0 { String::new() } else { Civil::of(seconds + i64::from(offset)).to_string() }
}

fn duration(seconds: i64) -> String {
    let seconds = seconds.max(0);
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// A frame of lines around cells; `right` names the columns of numbers.
fn table(heads: &[&str], right: &[usize], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return "No results to list.\n".to_owned();
    }
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
        cells.chain([heads[at].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let rule: String = widths.iter().map(|width| format!("+{}", "-".repeat(width + 2))).collect::<String>() + "+\n";
    let line = |cells: Vec<&str>| {
        let mut text = String::new();
        for (at, cell) in cells.into_iter().enumerate() {
            let width = widths[at];
            text += &if right.contains(&at) { format!("| {cell:>width$} ") } else { format!("| {cell:<width$} ") };
        }
        text + "|\n"
    };
    let mut text = rule.clone() + &line(heads.to_vec()) + &rule;
    for row in &rows {
        text += &line(row.iter().map(String::as_str).collect());
    }
    text + &rule
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_as_wide_as_its_widest_cell() {
        let text = table(&["id", "name"], &[0], vec![vec!["1".into(), "somebody".into()]]);
        assert_eq!(
            text,
            "+----+----------+\n| id | name     |\n+----+----------+\n|  1 | somebody |\n+----+----------+\n"
        );
    }
}
