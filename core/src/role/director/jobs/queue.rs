//! The queue: jobs that have their number wait until there is room for them.

use std::sync::Arc;

use crate::config::DirectorConfig;
use crate::ids::JobId;
use crate::role::director::common::Tools;
use crate::script::Scripted;
use crate::wire::message::MessageKind;
use crate::wire::status::{JobLevel, JobStatus, JobType};

use super::away::Sought;
use super::consolidating::Consolidating;
use super::copying::{self, CopyControl};
use super::daemons::{FileDaemon, StorageDaemon};
use super::deadlines::Clock;
use super::job::{Attributes, Job, Rows, Tally, Times};
use super::life::Life;
use super::ordering::Order;
use super::tables::Backup;
use super::task::Task;
use super::verifying::Verifying;
use super::virtual_full::VirtualFull;
use super::{Jobs, tables};

impl Jobs {
    pub(super) fn new_job(tools: &Tools<'_>, id: JobId, order: Order) -> Job {
        let common = &*tools.common;
        let task = match (order.kind, order.restore) {
            (_, Some(plan)) => Task::Restore(plan),
            (JobType::Copy | JobType::Migrate, None) => Task::CopyControl(CopyControl::new(order.original)),
            (JobType::Verify, None) => Task::Verify(Verifying::new(order.original, order.level)),
            (JobType::Admin, None) => Task::Admin,
            (JobType::Consolidate, None) => Task::Consolidate(Consolidating::default()),
            (JobType::Backup, None) if order.level == JobLevel::VirtualFull => {
                Task::VirtualFull(VirtualFull::new(order.joined, order.accurate, order.is_consolidation))
            }
            _ => Task::Backup(Backup::new(order.accurate, order.spool_data)),
        };
        let catalog = order.catalog.unwrap_or_else(|| common.config.catalog.name().into());
        let ids = common.ids(&catalog);
        let fileset = ids.filesets.get(&order.with.fileset);
        // A restore is stored with neither pool nor fileset (`wire/3 §7.2`).
        let is_restore = order.kind == JobType::Restore;
        let rows = Rows {
            client: ids.clients.get(&order.with.client).copied().unwrap_or(0),
            fileset: fileset.filter(|_| !is_restore).map_or(0, |set| set.id),
            fileset_md5: fileset.map(|set| set.md5.clone()).unwrap_or_default(),
            pool: ids.pools.get(&order.with.pool).filter(|_| !is_restore).map_or(0, |row| row.pool_id),
            storage: ids.storages.get(&order.with.storage).copied().unwrap_or(0),
        };
        let resource = || common.config.job(&order.name).and_then(|resource| resource.messages.as_deref());
        let messages = Arc::new(common.config.messages_of(order.terms.messages.as_deref().or_else(resource)));
        Job {
            messages,
            config: Arc::clone(&common.config),
            overrides: Arc::clone(&common.overrides),
            credentials: Arc::clone(&common.credentials),
            catalog,
            id,
            unique: order.unique,
            name: order.name,
            kind: order.kind,
            level: order.level,
            with: order.with,
            rows,
            task,
            times: Times {
                scheduled: order.scheduled,
                started: order.scheduled,
                is_lost: false,
                clock: Clock::new(tools.net.now()),
            },
            storage_daemon: StorageDaemon::default(),
            file_daemon: FileDaemon::default(),
            attributes: Attributes::default(),
            bandwidth: None,
            status: JobStatus::Running,
            sought: Sought::default(),
            tally: Tally::default(),
            terms: order.terms,
            life: Life::QUEUED,
        }
    }

    /// Starts jobs from the queue while there is room for them: by priority, those of one in the order they were ordered.
    pub(crate) fn begin_queued(&mut self, tools: &mut Tools<'_>) {
        while let Some(id) = self.next_queued(&tools.common.config) {
            if self.is_too_late(tools, id) || self.seek_client(tools, id) {
                continue;
            }
            self.begun += 1;
            let Some(job) = self.all.get_mut(&id) else { return };
            job.life = Life::BEGUN;
            let text = format!("Start {} JobId {id}, Job={}", tables::of(job.kind).0, job.unique);
            job.say(tools, MessageKind::Info, &text);
            job.times.clock.begins(tools.net.now());
            self.watch(tools, id);
            self.run_before(tools, id);
        }
    }

    /// Begins the dialogue of a job, once its commands on the director have run.
    pub(super) fn set_off(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let Some(job) = self.all.get(&id) else { return };
        let table = match &job.task {
            Task::VirtualFull(_) => tables::virtual_full::TABLE,
            _ if job.verifies_disk() => tables::of_disk(),
            _ => tables::of(job.kind).1,
        };
        if job.task.is_copy() {
            self.begin_copy(tools, id);
        } else {
            self.advance(tools, id, |job, tools| job.begin(table, tools));
        }
    }

    /// The first job of the queue that there is room for.
    fn next_queued(&self, config: &DirectorConfig) -> Option<JobId> {
        let queued = self.all.values().filter(|job| matches!(job.life, Life::Queued { held: None }));
        let mut queued: Vec<&Job> = queued.collect();
        // A stable sort, and their numbers are in the order of their orders.
        queued.sort_by_key(|job| job.priority());
        // Those behind one that waits for jobs of another priority to end would keep it waiting.
        let mut may_run = queued.into_iter().take_while(|job| self.fits_priorities(job));
        may_run.find(|job| self.has_room(config, job)).map(|job| job.id)
    }

    /// Whether a job may run beside those that run: they have its priority, or all of them let jobs with a lower number in.
    fn fits_priorities(&self, job: &Job) -> bool {
        let mixes = |job: &Job| job.config.job(&job.name).is_some_and(|resource| resource.allow_mixed_priority);
        let is_passed = |other: &Job| job.priority() < other.priority() && mixes(job) && mixes(other);
        let mut running = self.all.values().filter(|other| other.life.takes_place());
        // What a copy writes has no place of its own.
        running.all(|other| {
            matches!(other.task, Task::CopyWriter(_)) || other.priority() == job.priority() || is_passed(other)
        })
    }

    /// Whether one more job may run: at the director, of this resource, of this client, with this storage.
    fn has_room(&self, config: &DirectorConfig, job: &Job) -> bool {
        // A job that was given up takes no room while its storage daemon may still say how it ended.
        let running: Vec<&Job> = self.all.values().filter(|other| other.life.takes_place()).collect();
        let count = |alike: &dyn Fn(&Job) -> bool| running.iter().filter(|other| alike(other)).count();
        // A copy or virtual full has nothing to do with the client, and takes the storage it will write to as well; an admin job
        // takes neither.
        let is_copy = job.task.is_of_volumes();
        let target = copying::target(config, &job.with.pool, job.terms.next_pool.as_deref())
            .ok()
            .filter(|_| is_copy)
            .map(|(storage, _)| storage);
        let limits = [
            (Some(config.director.maximum_concurrent_jobs), running.len()),
            (
                config.job(&job.name).map(|r| r.maximum_concurrent_jobs),
                count(&|o| o.name == job.name && !o.task.reads_for_another()),
            ),
            (
                config.client(&job.with.client).filter(|_| job.task.has_client()).map(|r| r.maximum_concurrent_jobs),
                count(&|o| o.with.client == job.with.client && o.task.has_client()),
            ),
            (
                target.as_ref().and_then(|name| config.storage(name)).map(|r| r.maximum_concurrent_jobs),
                target.as_ref().map_or(0, |name| count(&|o| o.takes_storage(name))),
            ),
            (
                config.storage(&job.with.storage).filter(|_| job.task.has_storage()).map(|r| r.maximum_concurrent_jobs),
                count(&|o| o.takes_storage(&job.with.storage)),
            ),
        ];
        let fits = |most: u32, count: usize| count < usize::try_from(most.max(1)).unwrap_or(usize::MAX);
        limits.into_iter().all(|(most, count)| most.is_none_or(|most| fits(most, count)))
    }
}
