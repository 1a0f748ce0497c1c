//! Orders for jobs, from whoever wants one to the number that the catalog gives it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::config::{self, JobKind, Run};
use crate::error::Explain;
use crate::ids::{ConnId, JobId};
use crate::notice::Level;
use crate::role::director::common::Tools;
use crate::role::director::effect::Effect;
use crate::wire::status::{JobLevel, JobType};

use super::Jobs;
use super::job::{Job, RestorePlan};
use super::kept::Choice;
use super::tables;
use super::terms::{Pools, Terms};
use crate::catalog::{CatalogAnswer, CatalogError, CatalogErrorKind, CatalogName, CatalogRequest, NewJob};
use crate::role::director::Owner;
use crate::role::director::consoles::{Answer, Queued, Refusal};
use crate::role::director::setup::spec_of;

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
    /// Whether the storage daemon collects the data before it goes to the volume.
    pub(crate) spool_data: bool,
    pub(crate) with: Resources,
    /// The catalog that it is to be recorded in; `None`: as its resources say.
    pub(crate) catalog: Option<CatalogName>,
    pub(crate) restore: Option<RestorePlan>,
    /// The job to copy, migrate or verify, if one is named.
    pub(crate) original: Option<u32>,
    /// The jobs that a virtual full is made of, if any are named.
    pub(crate) joined: Vec<u32>,
    /// Whether a consolidation has ordered it.
    pub(crate) is_consolidation: bool,
    /// The console that waits to hear the job's number.
    pub(crate) console: Option<ConnId>,
    /// What that console has ordered with it: ordered once this has its number.
    pub(crate) after: VecDeque<Self>,
    pub(crate) unique: String,
    pub(crate) scheduled: i64,
    pub(crate) terms: Terms,
    /// How long it waits before anything else.
    pub(crate) pause: Duration,
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
        let terms = Terms { pools: Pools::only(&with.pool), keeps_storage: true, ..Terms::default() };
        Self {
            name: name.into(),
            kind,
            level,
            accurate: false,
            spool_data: false,
            with,
            catalog: None,
            restore: None,
            original: None,
            joined: Vec::new(),
            is_consolidation: false,
            console: None,
            after: VecDeque::new(),
            unique: String::new(),
            scheduled: 0,
            terms,
            pause: Duration::ZERO,
        }
    }

    /// What the catalog keeps of a restore, so that another can go on with it.
    fn choice(&self) -> String {
        let Some(plan) = &self.restore else { return String::new() };
        let Some((from, files)) = plan.choice.clone() else { return String::new() };
        let plugin_options = self.terms.plugin_options.clone();
        Choice { from, to: plan.to.clone(), replace: plan.replace, plugin_options, files }.text()
    }

    /// An order for a job of this resource with all its settings, and those of the line of a schedule. `None` if it cannot
    /// be run just so.
    pub(crate) fn of_resource(job: &config::Job, run: Option<&Run>) -> Option<Self> {
        let kind = type_of(job.kind)?;
        let level = match kind {
            JobType::Verify => verify_level(job.verify_level),
            JobType::Admin | JobType::Consolidate => JobLevel::None,
            _ => order_level(run.and_then(|run| run.level).unwrap_or(job.level)),
        };
        let accurate = run.and_then(|run| run.accurate).unwrap_or(job.accurate);
        let with = Resources {
            client: job.client.clone(),
            fileset: job.fileset.clone(),
            storage: run.and_then(|run| run.storage.clone()).unwrap_or_else(|| job.storage.clone()),
            pool: run.and_then(|run| run.pool.clone()).unwrap_or_else(|| job.pool.clone()),
        };
        let spool_data = run.and_then(|run| run.spool_data).unwrap_or(job.spool_data);
        Some(Self { accurate, spool_data, terms: Terms::of(job, run), ..Self::of(&job.name, kind, level, with) })
    }
}

/// What a job of this kind is by itself. `None`: a restore must be told what to restore.
pub(crate) const fn type_of(kind: JobKind) -> Option<JobType> {
    Some(match kind {
        JobKind::Backup => JobType::Backup,
        JobKind::Copy => JobType::Copy,
        JobKind::Migrate => JobType::Migrate,
        JobKind::Verify => JobType::Verify,
        JobKind::Admin => JobType::Admin,
        JobKind::Consolidate => JobType::Consolidate,
        JobKind::Restore => return None,
    })
}

/// The level of a resource as it is ordered.
pub(crate) const fn order_level(level: config::Level) -> JobLevel {
    match level {
        config::Level::Full => JobLevel::Full,
        config::Level::Differential => JobLevel::Differential,
        config::Level::Incremental => JobLevel::Incremental,
        config::Level::VirtualFull => JobLevel::VirtualFull,
    }
}

/// The level of a verify job as it is ordered.
pub(crate) const fn verify_level(level: config::VerifyLevel) -> JobLevel {
    match level {
        config::VerifyLevel::VolumeToCatalog => JobLevel::VerifyVolume,
        config::VerifyLevel::DiskToCatalog => JobLevel::VerifyDisk,
        config::VerifyLevel::InitCatalog => JobLevel::VerifyInit,
        config::VerifyLevel::Catalog => JobLevel::VerifyCatalog,
    }
}

impl Jobs {
    /// The next unique name of a job of this resource (`wire/3 §0.5`).
    pub(super) fn unique_name(&mut self, tools: &Tools<'_>, resource: &str) -> String {
        let stamp = tools.common.identity.local(tools.net.wall()).stamp();
        let counter = if self.last_unique.0 == stamp { self.last_unique.1 + 1 } else { 0 };
        let name = tables::unique_name(resource, &stamp, counter);
        self.last_unique = (stamp, counter);
        name
    }

    /// Whether the catalog has refused a unique name that is taken, and the next one may be free: a director that was
    /// started again within the second gives names a second time.
    pub(super) fn is_taken(&self, error: &CatalogError) -> bool {
        error.kind == CatalogErrorKind::Constraint && self.last_unique.1 < MAX_UNIQUE
    }

    /// Gives the job a unique name and asks its catalog for its number.
    pub(crate) fn order(&mut self, tools: &mut Tools<'_>, mut order: Order) {
        order.place(&tools.common.config);
        let catalog = order.catalog_among(&tools.common.config);
        order.catalog = Some(catalog.clone());
        let config = &tools.common.config;
        let is_known = |client: &&config::Client| tools.common.ids(&catalog).clients.contains_key(&client.name);
        if let Some(client) = config.client(&order.with.client).filter(|client| !is_known(client)) {
            // As in Bareos: the client of another catalog comes into this one with its first job there.
            let request = CatalogRequest::EnsureClient(spec_of(client));
            return tools.ask(&catalog, request, Owner::Client(Box::new(order)));
        }
        order.unique = self.unique_name(tools, &order.name);
        order.scheduled = tools.net.wall().seconds();
        let request = CatalogRequest::CreateJob(NewJob {
            job: order.unique.clone(),
            name: order.name.clone(),
            job_type: order.kind.letter(),
            level: if order.kind == JobType::Restore { JobLevel::Full } else { order.level }.letter(),
            client_id: tools.common.ids(&catalog).clients.get(&order.with.client).copied().unwrap_or(0),
            sched_time: order.scheduled,
            comment: order.choice(),
            at_least: tools.common.next_job(),
        });
        tools.ask(&catalog, request, Owner::Create(Box::new(order)));
    }

    /// The catalog of an ordered job knows its client now, or not.
    pub(crate) fn client_known(
        &mut self,
        tools: &mut Tools<'_>,
        order: Order,
        answer: Result<CatalogAnswer, CatalogError>,
    ) {
        match (answer, &order.catalog) {
            (Ok(CatalogAnswer::Id(id)), Some(catalog)) => {
                let ids = tools.common.ids.entry(catalog.clone()).or_default();
                ids.clients.insert(order.with.client.clone(), id);
                self.order(tools, order);
            }
            (answer, _) => self.numbered(tools, order, answer),
        }
    }

    /// The catalog has given an ordered job its number, or not.
    pub(crate) fn created(&mut self, tools: &mut Tools<'_>, order: Order, answer: Result<CatalogAnswer, CatalogError>) {
        if answer.as_ref().is_err_and(|error| self.is_taken(error)) {
            return self.order(tools, order);
        }
        self.numbered(tools, order, answer);
    }

    /// An ordered job has its number, or will not get one.
    fn numbered(&mut self, tools: &mut Tools<'_>, mut order: Order, answer: Result<CatalogAnswer, CatalogError>) {
        let (console, name, pause) = (order.console, order.name.clone(), order.pause);
        let mut after = std::mem::take(&mut order.after);
        let next = after.pop_front().map(|next| Order { console, after, ..next });
        let created = match answer {
            Ok(CatalogAnswer::Id(id)) if !self.all.contains_key(&JobId(id)) => {
                tools.common.know_job(JobId(id));
                Ok(Self::new_job(tools, JobId(id), order))
            }
            // A number that another job has names none.
            Ok(_) => Err(Refusal::NoNumber),
            Err(error) => Err(Refusal::NotOrdered(error)),
        };
        let job = match (created, console) {
            (Ok(job), _) => job,
            (Err(why), Some(console)) => return tools.answer(console, Answer::Failed(why)),
            (Err(why), None) => {
                return tools.net.log_cause(Level::Error, (why.fault(), why.code()), &format!("{name}: {why}"));
            }
        };
        let id = job.id;
        if let Some(console) = console {
            tools.effect(Effect::Ordered(console, id));
            match next {
                Some(_) => tools.print(console, Queued(id).line()),
                None => tools.answer(console, Answer::found(Queued(id))),
            }
        }
        self.all.insert(id, job);
        if let Some(next) = next {
            match tools.common.stopping.has_begun() {
                true => {
                    console.into_iter().for_each(|console| tools.answer(console, Answer::Failed(Refusal::Stopping)))
                }
                false => self.order(tools, next),
            }
        }
        if tools.common.stopping.has_begun() {
            return self.cancel_job(tools, id, "the director is being stopped");
        }
        self.hold(tools, id, pause);
        self.watch(tools, id);
        self.settle_duplicates(tools, id);
        // The console hears the number before the job's first message can be waiting for it.
        tools.effect(Effect::Begin);
    }

    /// A line of a schedule has a job start.
    pub(crate) fn due(&mut self, tools: &mut Tools<'_>, name: &str, line: usize) {
        let allows = tools.common.config.job(name).is_none_or(|resource| resource.allow_duplicate_jobs);
        let mut queued = self.all.values().filter(|job| job.life.is_queued() && job.name == name);
        // Of two where there may be one only, it is decided once the second is there.
        if let Some(waiting) = queued.next().filter(|job| allows || job.life.timer().is_some()) {
            if waits_for_more(tools, waiting, line) {
                let text = format!("job {name} is due and not ordered: one that saves more still waits for its client");
                return tools.net.complain(Level::Info, 997, &text);
            }
            if waiting.life.timer().is_some() {
                // It would be tried once more a little later, at a level that is perhaps another one.
                self.cancel_job(tools, waiting.id, "its schedule starts it anew");
                return self.due(tools, name, line);
            }
            let text = format!("job {name} is due and not ordered: the one before it still waits for its turn");
            return tools.net.complain(Level::Warn, 912, &text);
        }
        let resource = tools.common.config.job(name);
        let schedule = resource.and_then(|job| tools.common.config.schedule(job.schedule.as_deref()?));
        let run = schedule.and_then(|schedule| schedule.runs.get(line));
        match resource.and_then(|job| Order::of_resource(job, run)) {
            Some(order) => self.order(tools, order),
            None => {
                tools.net.complain(Level::Warn, 913, &format!("job {name} is due and cannot be run by a schedule"));
            }
        }
    }
}

/// Whether a job waits for its client that saves more than the one which its schedule starts by this line.
fn waits_for_more(tools: &Tools<'_>, waiting: &Job, line: usize) -> bool {
    let resource = tools.common.config.job(&waiting.name);
    let schedule = resource.and_then(|job| tools.common.config.schedule(job.schedule.as_deref()?));
    let next = resource.and_then(|job| Order::of_resource(job, schedule.and_then(|schedule| schedule.runs.get(line))));
    let share = |level| match level {
        JobLevel::Full | JobLevel::VirtualFull => 2,
        JobLevel::Differential => 1,
        _ => 0,
    };
    waiting.life.is_away() && next.is_some_and(|next| share(next.level) < share(waiting.level))
}
