//! How a job ended.

use crate::wire::status::JobStatus;

use super::job::Job;
use super::task::Task;

impl Job {
    /// How it ended (`wire/2 §6.2`): the director's own status and the file daemon's, merged; then whatever is not good
    /// at the storage daemon. A backup that is not `T` everywhere is an error, `W` included; errors on a good one make
    /// it `W`. A restore may be `W` at the file daemon, and is if not all files have come; it is an error if the storage
    /// daemon has met one, for then what it could not read is missing.
    pub(crate) fn final_status(&self) -> JobStatus {
        if !self.is_alive() {
            return self.status;
        }
        if !self.task.has_storage() {
            return self.status.merge(JobStatus::Ok);
        }
        if let Some(status) = self.copy_status().or_else(|| self.verify_status()).or_else(|| self.virtual_status()) {
            return status;
        }
        let file = self.file_daemon.presence.end().map_or(JobStatus::Error, |end| end.status);
        let storage = self.storage_daemon.presence.end().map_or(JobStatus::Error, |end| end.status);
        let plan = if let Task::Restore(plan) = &self.task { Some(plan) } else { None };
        let backup = plan.is_none();
        let mut status = self.status.merge(file);
        if backup && matches!(storage, JobStatus::Fatal | JobStatus::Incomplete) {
            status = status.merge(storage);
        }
        let earlier = plan.map_or(0, |plan| plan.storage_errors);
        let storage_errors = self.storage_daemon.presence.end().map_or(0, |end| end.errors).saturating_add(earlier);
        let spoiled = self.all_errors().saturating_add(self.tally.warnings).saturating_add(storage_errors) > 0;
        let complete = plan.is_none_or(|plan| {
            !plan.is_counted
                || self.file_daemon.presence.end().is_some_and(|end| u64::from(end.files) == plan.selected.files)
        });
        match if status == JobStatus::Ok { storage } else { status } {
            JobStatus::Ok | JobStatus::Warnings if !backup && storage_errors > 0 => JobStatus::Error,
            JobStatus::Ok if spoiled || !complete => JobStatus::Warnings,
            JobStatus::Ok => JobStatus::Ok,
            JobStatus::Warnings if !backup => JobStatus::Warnings,
            // Fatal, cancelled and incomplete stay; whatever else is not good is an error.
            _ if backup => status.merge(JobStatus::Error),
            other => other.merge(JobStatus::Error),
        }
    }

    /// The director's errors and the file daemon's (`wire/2 §6.2`, 7).
    pub(crate) fn all_errors(&self) -> u32 {
        self.tally.errors.saturating_add(self.file_daemon.presence.end().map_or(0, |end| end.errors))
    }
}
