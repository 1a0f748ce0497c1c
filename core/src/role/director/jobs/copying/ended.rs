//! How a job of a copy stands to its storage daemons, and how it ended.

use crate::node::Number;
use crate::wire::status::JobStatus;

use super::super::job::Job;
use super::super::task::Task;
use super::super::trouble::Trouble;
use super::CopyControl;

impl Job {
    /// The number of its connection to its storage daemon: the one that writes is the second, unless it reads too.
    pub(crate) fn storage_number(&self) -> Number {
        match &self.task {
            Task::CopyWriter(writer) if !writer.reads_too() => Number::DirectorToSecondStorage,
            Task::VirtualFull(task) if task.is_apart => Number::DirectorToSecondStorage,
            _ => Number::DirectorToStorage,
        }
    }

    /// How a job of a copy ended, unless it has failed. `None` for other jobs.
    pub(crate) fn copy_status(&self) -> Option<JobStatus> {
        let status = match &self.task {
            Task::CopyWriter(_) if self.copy_shortfall().is_none() => JobStatus::Ok,
            Task::CopyControl(control) if control.idle => JobStatus::Ok,
            Task::CopyControl(CopyControl { outcome: Some(outcome), .. }) => *outcome,
            Task::CopyWriter(_) | Task::CopyControl(_) => JobStatus::Error,
            _ => return None,
        };
        Some(self.status.merge(status))
    }

    /// Why the writing job of a copy made no good copy, if it did not.
    pub(crate) fn copy_shortfall(&self) -> Option<Trouble> {
        let Task::CopyWriter(copying) = &self.task else { return None };
        let reader = if copying.reads_too() { self.storage_daemon.presence.end() } else { self.task.reader_end() };
        for (role, end) in [("writing ", self.storage_daemon.presence.end()), ("reading ", reader)] {
            match end {
                None => return Some(Trouble::NoEnd { role }),
                Some(end) if end.status != JobStatus::Ok || end.errors > 0 => {
                    return Some(Trouble::StorageEnded { role, end: end.clone() });
                }
                Some(_) => {}
            }
        }
        let written = self.storage_daemon.presence.end().map_or(0, |end| end.files);
        let files = copying.original.job_files;
        (written != files).then_some(Trouble::ShortCopy { written, files })
    }
}
