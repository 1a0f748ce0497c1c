//! How a job of a copy stands to its storage daemons, and how it ended.

use crate::catalog::{AdoptOriginal, CatalogRequest};
use crate::ids::JobId;
use crate::node::Number;
use crate::role::director::Owner;
use crate::role::director::common::Tools;
use crate::script::Scripted;
use crate::wire::status::{JobStatus, JobType};

use super::super::Jobs;
use super::super::dialogue::Event;
use super::super::job::Job;
use super::super::task::Task;
use super::super::trouble::Trouble;
use super::{Asked, CopyControl};

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

impl Jobs {
    /// The storage daemon of one of the two jobs has ended badly: nothing good will come of the copy.
    pub(crate) fn copy_end_failed(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let Some(job) = self.all.get(&id) else { return };
        let Some(end) = job.storage_daemon.presence.end() else { return };
        let role = match &job.task {
            Task::CopyControl(control) if control.to.is_local => "",
            Task::CopyWriter(writer) if writer.reads_too() => "",
            Task::CopyWriter(_) | Task::VirtualFull(_) => "writing ",
            _ => "reading ",
        };
        let trouble = Trouble::StorageEnded { role, end: end.clone() };
        self.fail_job(tools, id, &trouble);
    }

    /// A job of a copy is given up: so is the other.
    pub(crate) fn abandon_partner(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let job = self.all.get(&id).and_then(|job| Some((job.status, job.task.partner()?)));
        let Some((status, partner)) = job else { return };
        if self.all.get(&partner).is_none_or(|job| !job.life.goes_on()) {
            return;
        }
        if status == JobStatus::Canceled {
            self.cancel_job(tools, partner, "the other job of the copy is canceled");
        } else {
            self.fail_job(tools, partner, &Trouble::Partner(id));
        }
    }

    /// The end of the writing job is in the catalog: a good copy takes over the times of its original.
    pub(crate) fn writer_recorded(&mut self, tools: &mut Tools<'_>, writer: &Job) {
        let Task::CopyWriter(copying) = &writer.task else { return self.joined(tools, writer) };
        let Some(control) = self.all.get(&copying.partner) else { return };
        if !writer.status.is_ok() && control.life.is_grace() {
            return;
        }
        if !writer.status.is_ok() {
            let trouble = Trouble::BadCopy { job: writer.id, status: writer.status };
            return self.fail_job(tools, copying.partner, &trouble);
        }
        let migrates = control.kind == JobType::Migrate;
        let purges = migrates && control.config.job(&control.name).is_some_and(|job| job.purge_migration_job);
        let adopt = AdoptOriginal {
            job_id: writer.id.0,
            job_type: if migrates { JobType::Backup } else { JobType::JobCopy }.letter(),
            original: copying.original.job_id,
            original_type: if migrates { JobType::Migrated.letter() } else { copying.original.job_type },
            purges,
        };
        let owner = Owner::Copy(copying.partner, Asked::Adopted(writer.status));
        control.ask(tools, CatalogRequest::AdoptOriginal(adopt), owner);
    }

    pub(in super::super) fn copy_ended(&mut self, tools: &mut Tools<'_>, id: JobId, status: JobStatus) {
        self.advance(tools, id, |job, tools| {
            job.task.control()?.ends(status);
            job.on_event(Event::Copied, tools)
        });
    }
}
