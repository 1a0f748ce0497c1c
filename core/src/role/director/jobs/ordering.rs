//! Orders for jobs, from whoever wants one to the number that the catalog gives it.

use crate::config::{self, JobKind};
use crate::error::Explain;
use crate::ids::ConnId;
use crate::notice::Level;
use crate::role::director::Net;
use crate::wire::status::{JobLevel, JobType};

use super::job::RestorePlan;
use super::rescheduling::Attempt;
use super::tables;
use crate::role::director::catalog::{CatalogAnswer, CatalogError, CatalogErrorKind, CatalogRequest, NewJob};
use crate::role::director::consoles::{Answer, Queued, Told};
use crate::role::director::{Director, Owner};

/// How far the counter in the unique names of one second goes when names are taken.
const MAX_UNIQUE: u32 = 1_000;

/// A job that somebody wants.
#[derive(Clone, Debug)]
pub struct Order {
    pub(crate) name: String,
    pub(crate) kind: JobType,
    /// As asked: what it comes to is decided when the job starts.
    pub(crate) level: JobLevel,
    pub(crate) accurate: bool,
    pub(crate) with: Resources,
    pub(crate) restore: Option<RestorePlan>,
    /// The job to copy, migrate or verify, if one is named.
    pub(crate) original: Option<u32>,
    /// The console that waits to hear the job's number.
    pub(crate) console: Option<ConnId>,
    pub(crate) unique: String,
    pub(crate) scheduled: i64,
    pub(crate) attempt: Attempt,
}

/// What a job works with, by the names of the resources.
#[derive(Clone, Debug)]
pub(crate) struct Resources {
    pub(crate) client: String,
    pub(crate) fileset: String,
    pub(crate) storage: String,
    pub(crate) pool: String,
}

impl Order {
    /// An order for a job of the resource `name`: nobody waits for it, it restores and copies nothing, and is not accurate.
    pub(crate) fn of(name: impl Into<String>, kind: JobType, level: JobLevel, with: Resources) -> Self {
        Self {
            name: name.into(),
            kind,
            level,
            accurate: false,
            with,
            restore: None,
            original: None,
            console: None,
            unique: String::new(),
            scheduled: 0,
            attempt: Attempt::default(),
        }
    }
}

/// What a job of this kind is by itself. `None`: a restore must be told what to restore.
pub(crate) const fn type_of(kind: JobKind) -> Option<JobType> {
    Some(match kind {
        JobKind::Backup => JobType::Backup,
        JobKind::Copy => JobType::Copy,
        JobKind::Migrate => JobType::Migrate,
        JobKind::Verify => JobType::Verify,
        JobKind::Restore => return None,
    })
}

/// The level of a resource as it is ordered.
pub(crate) const fn order_level(level: config::Level) -> JobLevel {
    match level {
        config::Level::Full => JobLevel::Full,
        config::Level::Differential => JobLevel::Differential,
        config::Level::Incremental => JobLevel::Incremental,
    }
}

impl Director {
    /// An order for a job of this resource with all its settings. `None` if it cannot be run just so.
    pub(crate) fn order_of(&self, job: &config::Job, level: config::Level) -> Option<Order> {
        let kind = type_of(job.kind)?;
        let level = if kind == JobType::Verify { JobLevel::VerifyVolume } else { order_level(level) };
        let with = Resources {
            client: job.client.clone(),
            fileset: job.fileset.clone(),
            storage: job.storage.clone(),
            pool: job.pool.clone(),
        };
        Some(Order { accurate: job.accurate, ..Order::of(&job.name, kind, level, with) })
    }

    /// Gives the job a unique name and asks the catalog for its number.
    pub(crate) fn order_job(&mut self, net: &mut Net, mut order: Order) {
        let stamp = self.identity.local(net.wall()).stamp();
        let counter = if self.last_unique.0 == stamp { self.last_unique.1 + 1 } else { 0 };
        order.unique = tables::unique_name(&order.name, &stamp, counter);
        order.scheduled = net.wall().seconds();
        self.last_unique = (stamp, counter);
        let request = CatalogRequest::CreateJob(NewJob {
            job: order.unique.clone(),
            name: order.name.clone(),
            job_type: order.kind.letter(),
            level: if order.kind == JobType::Restore { JobLevel::Full } else { order.level }.letter(),
            client_id: self.setup.clients.get(&order.with.client).copied().unwrap_or(0),
            sched_time: order.scheduled,
            comment: String::new(),
        });
        net.ask(request, Owner::Create(Box::new(order)));
    }

    pub(crate) fn job_created(&mut self, net: &mut Net, order: Order, answer: Result<CatalogAnswer, CatalogError>) {
        let (console, name) = (order.console, order.name.clone());
        // A director that was started again within the second gives names that are taken.
        let taken = matches!(&answer, Err(error) if error.kind == CatalogErrorKind::Constraint);
        if taken && self.last_unique.1 < MAX_UNIQUE {
            return self.order_job(net, order);
        }
        let pause = order.attempt.pause;
        let created = match answer {
            Ok(CatalogAnswer::Id(id)) => Ok(self.new_job(id, order)),
            Ok(_) => Err(Told("Job failed: the catalog gave no number.".to_owned())),
            Err(error) => Err(Told(format!("Job failed: {error} ({}); {}", error.code(), error.help()))),
        };
        // The console hears the number before the job's first message can be waiting for it.
        if let Some(console) = console {
            if let Ok(job) = &created {
                self.consoles.ordered(console, job.id);
            }
            let answer = match &created {
                Ok(job) => Answer::found(Queued(job.id)),
                Err(why) => Answer::Failed(why.clone().into()),
            };
            self.console_answers(net, console, answer);
        } else if let Err(why) = &created {
            net.complain(Level::Error, 908, &format!("{name}: {why}"));
        }
        if let Ok(job) = created {
            let id = job.id;
            self.jobs.insert(id, job);
            if self.stopping {
                return self.cancel_job(net, id, "the director is being stopped");
            }
            self.hold(net, id, pause);
            self.start_queued(net);
        }
    }
}
