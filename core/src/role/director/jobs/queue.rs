//! The queue: jobs that have their number wait until there is room for them.

use std::sync::Arc;

use crate::config::DirectorConfig;
use crate::ids::JobId;
use crate::role::director::common::{Common, Tools};
use crate::script::Scripted;
use crate::wire::message::MessageKind;
use crate::wire::status::{JobStatus, JobType};

use super::copying::{self, CopyControl};
use super::daemons::{FileDaemon, StorageDaemon};
use super::job::{Attributes, Job, Rows, Tally, Times};
use super::life::Life;
use super::ordering::Order;
use super::tables::Backup;
use super::task::Task;
use super::verifying::Verifying;
use super::{Jobs, tables};

impl Jobs {
    pub(super) fn new_job(common: &Common, id: JobId, order: Order) -> Job {
        let task = match (order.kind, order.restore) {
            (_, Some(plan)) => Task::Restore(plan),
            (JobType::Copy | JobType::Migrate, None) => Task::CopyControl(CopyControl::new(order.original)),
            (JobType::Verify, None) => Task::Verify(Verifying::new(order.original)),
            _ => Task::Backup(Backup::new(order.accurate, order.spool_data)),
        };
        let fileset = common.ids.filesets.get(&order.with.fileset);
        // A restore is stored with neither pool nor fileset (`wire/3 §7.2`).
        let is_restore = order.kind == JobType::Restore;
        let rows = Rows {
            client: common.ids.clients.get(&order.with.client).copied().unwrap_or(0),
            fileset: fileset.filter(|_| !is_restore).map_or(0, |set| set.id),
            fileset_md5: fileset.map(|set| set.md5.clone()).unwrap_or_default(),
            pool: common.ids.pools.get(&order.with.pool).filter(|_| !is_restore).map_or(0, |row| row.pool_id),
            storage: common.ids.storages.get(&order.with.storage).copied().unwrap_or(0),
        };
        Job {
            config: Arc::clone(&common.config),
            overrides: Arc::clone(&common.overrides),
            credentials: Arc::clone(&common.credentials),
            id,
            unique: order.unique,
            name: order.name,
            kind: order.kind,
            level: order.level,
            with: order.with,
            rows,
            task,
            times: Times { scheduled: order.scheduled, started: order.scheduled },
            storage_daemon: StorageDaemon::default(),
            file_daemon: FileDaemon::default(),
            attributes: Attributes::default(),
            bandwidth: None,
            status: JobStatus::Running,
            tally: Tally::default(),
            attempt: order.attempt.number,
            life: Life::QUEUED,
        }
    }

    /// Starts jobs from the queue while there is room for them: by priority, those of one in the order they were ordered.
    pub(crate) fn begin_queued(&mut self, tools: &mut Tools<'_>) {
        while let Some(id) = self.next_queued(&tools.common.config) {
            self.begun += 1;
            let Some(job) = self.all.get_mut(&id) else { return };
            job.life = Life::BEGUN;
            let (word, table) = tables::of(job.kind);
            let text = format!("Start {word} JobId {id}, Job={}", job.unique);
            job.say(tools, MessageKind::Info, &text);
            let is_copy = job.task.is_copy();
            if is_copy {
                self.begin_copy(tools, id);
            } else {
                self.advance(tools, id, |job, tools| job.begin(table, tools));
            }
        }
    }

    /// The first job of the queue that there is room for.
    fn next_queued(&self, config: &DirectorConfig) -> Option<JobId> {
        let queued = self.all.values().filter(|job| matches!(job.life, Life::Queued { held: None }));
        let mut queued: Vec<&Job> = queued.collect();
        // A stable sort, and their numbers are in the order of their orders.
        queued.sort_by_key(|job| config.job(&job.name).map(|resource| resource.priority));
        queued.into_iter().find(|job| self.has_room(config, job)).map(|job| job.id)
    }

    /// Whether one more job may run: at the director, of this resource, of this client, with this storage.
    fn has_room(&self, config: &DirectorConfig, job: &Job) -> bool {
        // A job that was given up takes no room while its storage daemon may still say how it ended.
        let running: Vec<&Job> = self.all.values().filter(|other| other.life.is_running()).collect();
        let count = |alike: &dyn Fn(&Job) -> bool| running.iter().filter(|other| alike(other)).count();
        // A copy has nothing to do with the client, and takes the storage it will write to as well.
        let is_copy = job.task.is_copy();
        let target = copying::target(config, &job.with.pool).ok().filter(|_| is_copy).map(|(storage, _)| storage);
        let limits = [
            (Some(config.director.maximum_concurrent_jobs), running.len()),
            (config.job(&job.name).map(|r| r.maximum_concurrent_jobs), count(&|o| o.name == job.name)),
            (
                config.client(&job.with.client).filter(|_| !is_copy).map(|r| r.maximum_concurrent_jobs),
                count(&|o| o.with.client == job.with.client && !o.task.is_copy()),
            ),
            (
                target.as_ref().and_then(|name| config.storage(name)).map(|r| r.maximum_concurrent_jobs),
                count(&|o| Some(&o.with.storage) == target.as_ref()),
            ),
            (
                config.storage(&job.with.storage).map(|r| r.maximum_concurrent_jobs),
                count(&|o| o.with.storage == job.with.storage),
            ),
        ];
        let fits = |most: u32, count: usize| count < usize::try_from(most.max(1)).unwrap_or(usize::MAX);
        limits.into_iter().all(|(most, count)| most.is_none_or(|most| fits(most, count)))
    }
}
