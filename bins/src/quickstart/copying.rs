//! The middle of a run whose mode copies or migrates: what was backed up goes to a second storage daemon, and the first
//! one ends, so that whatever is restored afterwards comes from the second.

use std::time::Instant;

use super::config::{COPY, SECOND_STORAGE};
use super::dialogue::Dialogue;
use super::mode::COPY_TRACES;
use super::processes::Kind;
use super::report::{Connection, Done, summary};
use super::{Failure, Mode, News, Run, START, Task};

/// A backup that is on the second storage daemon.
#[derive(Debug)]
pub(super) struct Copied {
    /// The job that wrote it there.
    pub(super) job: u32,
    pub(super) done: Done,
    /// The connections it took besides those of a backup.
    pub(super) connections: Vec<Connection>,
    /// The reports of both jobs of the copy.
    pub(super) reports: String,
}

impl Run<'_> {
    /// Copies or migrates a job to the second storage daemon.
    pub(super) fn copy(&self, dialogue: &mut Dialogue, original: u32, total: u64) -> Result<Copied, Failure> {
        let (what, says) = match self.options.mode {
            Mode::Migrate => ("migration", "Migrating the backup to the second storage daemon"),
            _ => ("copy", "Copying the backup to the second storage daemon"),
        };
        let line = format!("run job={COPY} jobid={original} yes");
        let task = Task { what, says: says.to_owned(), line, total, busy: Kind::SecondStorage };
        let control = self.job(dialogue, &task)?;
        let job = written_by(&control.report)
            .ok_or_else(|| Failure::Local(format!("the report of the {what} names no job; please report it")))?;
        let report = dialogue.ask(&format!("list joblog jobid={job}"), &self.news, &mut || {})?;
        let (files, bytes) = summary(&report);
        let done = Done { files, bytes, time: control.done.time };
        let reports = control.report + &report;
        let mut connections = Vec::new();
        for trace in COPY_TRACES {
            connections.push(self.connection(trace.number, trace.line(&reports))?);
        }
        Ok(Copied { job, done, connections, reports })
    }

    /// Ends the storage daemon of the backup.
    pub(super) fn stop_storage(&mut self) -> Result<(), Failure> {
        self.tell("Stopping the storage daemon of the backup");
        self.processes.stop(Kind::Storage);
        let give_up = Instant::now() + START;
        loop {
            match self.news.recv_timeout(give_up.saturating_duration_since(Instant::now())) {
                Ok(News::Gone(Kind::Storage)) => return Ok(()),
                Ok(News::Gone(other)) => return Err(Failure::Daemon(other)),
                Ok(News::Interrupted) => return Err(Failure::Interrupted),
                Ok(_) => {}
                Err(_) => return Err(Failure::Local("the storage daemon does not end".to_owned())),
            }
        }
    }

    /// Fails unless a restore has read from the second storage daemon.
    pub(super) fn assert_second(&self, restored_from: &Connection, second: u16) -> Result<(), Failure> {
        if restored_from.address.ends_with(&format!(":{second}")) {
            return Ok(());
        }
        let text = format!("the restore has read from {}, which is not {SECOND_STORAGE}", restored_from.address);
        Err(Failure::Local(text))
    }
}

/// The job that writes a copy, from the report of its control job.
fn written_by(report: &str) -> Option<u32> {
    let (_, rest) = report.split_once(" is written by JobId ")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writing_job_is_found_in_the_report_of_its_control_job() {
        let report = "23-Nov d JobId 2: Job 1 is written by JobId 31, Job=b.2026-11-23_13.03.30_07\n";
        assert_eq!(written_by(report), Some(31));
        assert_eq!(written_by("23-Nov d JobId 2: Job 1 has no files: there is nothing to copy.\n"), None);
    }
}
