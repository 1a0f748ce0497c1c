//! Virtual fulls of which one storage daemon reads and another writes: as of a copy (`wire/3 §1.8`), with two jobs.
//!
//! ```text
//!   virtual full --- writing daemon <==== connection 8 ==== reading daemon --- a job of type c that reads for it
//! ```
//! The job that reads is there as long as the virtual full, has a report of its own, and is cancelled and fails with it.

use crate::catalog::{CatalogRequest, NewJob};
use crate::ids::JobId;
use crate::role::director::Owner;
use crate::role::director::common::Tools;
use crate::script::Scripted;
use crate::wire::message::MessageKind;
use crate::wire::status::{JobLevel, JobType};

use super::Jobs;
use super::copying::{Asked, CopyControl, Partner};
use super::dialogue::Event;
use super::job::Job;
use super::life::Life;
use super::ordering::{Order, Resources};
use super::tables;
use super::task::Task;
use super::trouble::Trouble;

impl Jobs {
    /// The volumes of a virtual full are read by another storage daemon: its dialogue goes on with the one that writes.
    pub(crate) fn read_elsewhere(&mut self, tools: &mut Tools<'_>, id: JobId) {
        self.order_reader(tools, id);
        self.advance(tools, id, |job, tools| job.begin(tables::virtual_full::APART, tools));
    }

    /// Asks for the number of the job that reads, which has the name of the virtual full's resource.
    pub(super) fn order_reader(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let Some(name) = self.all.get(&id).map(|job| job.name.clone()) else { return };
        let unique = self.unique_name(tools, &name);
        let Some(job) = self.all.get(&id) else { return };
        let new = NewJob {
            job: unique.clone(),
            name,
            job_type: JobType::Copy.letter(),
            level: JobLevel::VirtualFull.letter(),
            client_id: job.rows.client,
            sched_time: tools.net.wall().seconds(),
            comment: String::new(),
            at_least: tools.common.next_job(),
        };
        let partner = Partner { unique, catalog: job.catalog.clone(), level: new.level, client: new.client_id };
        job.ask(tools, CatalogRequest::CreateJob(new), Owner::Copy(id, Asked::Reader(partner)));
    }

    /// Both jobs are there: the one that reads begins.
    pub(super) fn reader_starts(&mut self, tools: &mut Tools<'_>, id: JobId, reader: JobId, unique: String) {
        let Some(job) = self.all.get_mut(&id).filter(|job| job.life.goes_on()) else { return };
        let to = (job.with.storage.clone(), job.with.pool.clone());
        let (name, terms, with) = (job.name.clone(), job.terms.clone(), job.with.clone());
        let Task::VirtualFull(task) = &mut job.task else { return };
        task.reader = Some(reader);
        // The writing one is not told where the files lie.
        let mut selected = task.selected.clone();
        selected.bootstrap = std::mem::take(&mut task.selected.bootstrap);
        let with = Resources { storage: task.from.storage.clone(), pool: task.from.pool.clone(), ..with };
        let text = format!("The volumes are read by another storage daemon: JobId {reader}, Job={unique}.");
        job.say(tools, MessageKind::Info, &text);
        let scheduled = tools.net.wall().seconds();
        let order = Order { unique, scheduled, terms, ..Order::of(name, JobType::Copy, JobLevel::VirtualFull, with) };
        let mut new = Self::new_job(tools, reader, order);
        new.life = Life::BEGUN;
        new.task = Task::CopyControl(CopyControl::joining(id, selected, to));
        new.say(tools, MessageKind::Info, &format!("The volumes are read for the virtual full of JobId {id}."));
        self.all.insert(reader, new);
        self.advance(tools, id, |job, tools| job.on_event(Event::ReaderOrdered, tools));
        self.advance(tools, reader, |job, tools| job.begin(tables::copy::READER, tools));
    }

    /// The end of a virtual full is in the catalog: the job that has read for it ends as well.
    pub(super) fn joined(&mut self, tools: &mut Tools<'_>, job: &Job) {
        let Task::VirtualFull(task) = &job.task else { return };
        let Some((reader, control)) = task.reader().and_then(|id| Some((id, self.all.get(&id)?))) else { return };
        if job.status.is_ok() {
            self.copy_ended(tools, reader, job.status);
        } else if !control.life.is_grace() {
            self.fail_job(tools, reader, &Trouble::Partner(job.id));
        }
    }
}
