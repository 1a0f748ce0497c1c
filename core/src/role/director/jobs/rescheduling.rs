//! Trying failed backups again (`wire/2 §6.6`). Each try is a job of its own, which waits in the queue until its pause is
//! over: it is shown, can be cancelled, and is marked as failed if the director ends meanwhile.

use std::time::Duration;

use crate::ids::JobId;
use crate::role::director::common::Tools;
use crate::wire::message::MessageKind;
use crate::wire::status::JobStatus;

use super::Jobs;
use super::job::Job;
use super::life::Life;
use super::ordering::Order;
use super::task::Task;
use super::terms::Terms;
use crate::role::director::Due;

impl Jobs {
    /// A job has ended: orders it once more if it has failed and its resource says so.
    pub(crate) fn reschedule(&mut self, tools: &mut Tools<'_>, job: &mut Job) {
        let is_good = matches!(job.status, JobStatus::Ok | JobStatus::Warnings | JobStatus::Canceled);
        let order = Order::of(&job.name, job.kind, job.level, job.with.clone());
        let order = match &job.task {
            Task::Backup(backup) => Order { accurate: backup.accurate, spool_data: backup.spool_data, ..order },
            Task::VirtualFull(task) => task.order_again(order),
            _ => return,
        };
        if is_good || tools.common.stopping.has_begun() {
            return;
        }
        let Some(resource) = tools.common.config.job(&job.name).filter(|resource| resource.reschedule_on_error) else {
            return;
        };
        let (most, pause) = (resource.reschedule_times, resource.reschedule_interval);
        let next = job.terms.attempt.saturating_add(1);
        if most > 0 && next > most {
            let text = format!("The job has failed {next} times and is not tried again.");
            job.say(tools, MessageKind::Info, &text);
            return;
        }
        let which = if most > 0 { format!("{next} of {most}") } else { next.to_string() };
        job.say(tools, MessageKind::Info, &format!("The job is tried again in {pause} (try {which})."));
        let terms = Terms { attempt: next, ..job.terms.clone() };
        let catalog = Some(job.catalog.clone());
        self.order(tools, Order { terms, catalog, pause: pause.duration(), ..order });
    }

    /// Lets a queued job wait for its pause.
    pub(crate) fn hold(&mut self, tools: &mut Tools<'_>, id: JobId, pause: Duration) {
        if pause.is_zero() {
            return;
        }
        let key = tools.net.set_timer(pause, "a failed job's next try", Due::Hold(id));
        if let Some(job) = self.all.get_mut(&id) {
            job.life = Life::Queued { held: Some(key) };
            job.times.clock.holds_until(tools.net.now() + pause);
        }
    }

    /// The pause is over.
    pub(crate) fn hold_over(&mut self, tools: &mut Tools<'_>, id: JobId) {
        if let Some(job) = self.all.get_mut(&id).filter(|job| job.life.is_queued()) {
            job.life = Life::QUEUED;
        }
        self.begin_queued(tools);
    }
}
