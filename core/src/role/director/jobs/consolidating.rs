//! Consolidations: a job that looks at all always incremental jobs, one after the other, and orders virtual fulls that take
//! their older backups together (`wire/3 §7.8`). Its dialogue is in `tables/consolidation.rs`.

use std::collections::VecDeque;

use crate::catalog::consolidation::{Consolidation, Rules, consolidate};
use crate::catalog::levels::accurate_base;
use crate::catalog::{CatalogName, CatalogRequest, JobRow};
use crate::config::{self, DirectorConfig, JobKind};
use crate::role::director::Owner;
use crate::role::director::common::Tools;
use crate::role::director::overrides::Overrides;
use crate::wire::message::MessageKind;
use crate::wire::status::{JobLevel, JobType};

use super::Jobs;
use super::job::Job;
use super::ordering::Order;
use super::task::Task;
use super::trouble::Trouble;

/// What such a job knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Consolidating {
    /// The jobs that it has not looked at; `None`: it has not begun.
    left: Option<VecDeque<String>>,
    /// The one it looks at, and what is to be done with its backups.
    name: String,
    /// The catalog that has them.
    catalog: Option<CatalogName>,
    found: Consolidation,
    /// Full backups that it has had taken.
    fulls: u32,
}

impl Consolidating {
    /// Goes on to the next job. `None`: there is none.
    fn advance(&mut self, all: impl FnOnce() -> VecDeque<String>) -> Option<&str> {
        let left = self.left.get_or_insert_with(all);
        self.name = left.pop_front()?;
        self.found = Consolidation::default();
        Some(&self.name)
    }

    /// Backups without files that are to be purged, and the catalog that has them; none if there are none.
    pub(crate) fn empty(&self) -> Option<(CatalogName, Vec<u32>)> {
        self.catalog.clone().filter(|_| !self.found.empty.is_empty()).map(|catalog| (catalog, self.found.empty.clone()))
    }
}

/// The jobs whose backups are taken together.
fn all(config: &DirectorConfig, overrides: &Overrides) -> VecDeque<String> {
    let is_one =
        |job: &&config::Job| job.always_incremental && job.kind == JobKind::Backup && overrides.is_enabled(job);
    config.jobs.iter().filter(is_one).map(|job| job.name.clone()).collect()
}

/// What the catalog is asked of the next job; `None` after the last.
///
/// # Errors
/// It is no such job.
pub(crate) fn next(job: &mut Job, now: i64) -> Result<Option<(CatalogName, CatalogRequest)>, Trouble> {
    let (config, overrides) = (std::sync::Arc::clone(&job.config), std::sync::Arc::clone(&job.overrides));
    let Some(name) = job.task.consolidating()?.advance(|| all(&config, &overrides)) else { return Ok(None) };
    let resource = config.job(name).ok_or(Trouble::Unconfigured)?;
    let (client, file_set) = (resource.client.clone(), Some(resource.fileset.clone()));
    let (name, before) = (Some(resource.name.clone()), i64::MAX);
    let catalog = CatalogName::from(config.catalog_of_job(resource, &resource.pool));
    job.task.consolidating()?.catalog = Some(catalog.clone());
    Ok(Some((catalog, CatalogRequest::JobsForRestore { client, name, file_set, before, now })))
}

/// Takes the answer: what is to be done with these backups. Returns what the report says of it.
///
/// # Errors
/// It is no such job.
pub(crate) fn decide(job: &mut Job, rows: &[JobRow], now: i64) -> Result<String, Trouble> {
    let config = std::sync::Arc::clone(&job.config);
    let most = config.job(&job.name).map_or(0, |own| own.max_full_consolidations);
    let task = job.task.consolidating()?;
    let resource = config.job(&task.name).ok_or(Trouble::Unconfigured)?;
    let rules = Rules {
        retention: resource.always_incremental_job_retention.0,
        keep: resource.always_incremental_keep_number as usize,
        max_full_age: resource.always_incremental_max_full_age.0,
        may_take_full: most == 0 || task.fulls < most,
    };
    // Without a full backup there is no chain.
    let chain = accurate_base(JobLevel::Incremental.letter(), rows).unwrap_or_default();
    task.found = consolidate(&chain, &rules, now);
    task.fulls += u32::from(task.found.takes_old_full);
    let Consolidation { empty, taken, why, .. } = &task.found;
    let ids = |ids: &[u32]| ids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    let mut text = match taken.is_empty() {
        true => format!("Job \"{}\": nothing is taken together: {why}.", task.name),
        false => format!("Job \"{}\": JobIds {} are taken together: {why}.", task.name, ids(taken)),
    };
    if !empty.is_empty() {
        text += &format!(" JobIds {} have no files and are purged.", ids(empty));
    }
    Ok(text)
}

/// The order for the virtual full of what is taken together; `None` if nothing is.
///
/// # Errors
/// It is no such job.
pub(crate) fn order(job: &mut Job) -> Result<Option<Box<Order>>, Trouble> {
    let (config, priority) = (std::sync::Arc::clone(&job.config), job.priority());
    let accurate = config.job(&job.name).is_some_and(|own| own.accurate);
    let task = job.task.consolidating()?;
    let joined = std::mem::take(&mut task.found.taken);
    let Some(resource) = config.job(&task.name).filter(|_| !joined.is_empty()) else { return Ok(None) };
    let Some(mut order) = Order::of_resource(resource, None) else { return Ok(None) };
    (order.level, order.joined, order.is_consolidation) = (JobLevel::VirtualFull, joined, true);
    order.accurate |= accurate;
    order.terms.priority = Some(priority);
    Ok(Some(Box::new(order)))
}

impl Jobs {
    /// A consolidation orders a virtual full, unless one of that job has not ended: it would take the same backups.
    pub(crate) fn order_virtual_full(&mut self, tools: &mut Tools<'_>, id: crate::ids::JobId, order: Box<Order>) {
        let is_same =
            |job: &&Job| job.name == order.name && !job.life.is_over() && matches!(job.task, Task::VirtualFull(_));
        let is_ordered = tools.net.works().any(|owner| {
            matches!(owner, Owner::Create(other) | Owner::Client(other) if other.name == order.name && other.level == JobLevel::VirtualFull)
        });
        let other = self.all.values().find(is_same).map(|job| job.id);
        if other.is_some() || is_ordered {
            let which = other.map_or_else(String::new, |other| format!(", JobId {other},"));
            let text = format!("A virtual full of job \"{}\"{which} has not ended: no other is ordered.", order.name);
            if let Some(job) = self.all.get_mut(&id) {
                job.say(tools, MessageKind::Info, &text);
            }
            return;
        }
        debug_assert_eq!(order.kind, JobType::Backup);
        self.order(tools, *order);
    }
}
