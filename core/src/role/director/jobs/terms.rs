//! On which terms a job runs: what its resource, the line of its schedule or a console says of it beside what it works with. Its
//! pool goes by its level, and that is decided only when it begins.

use crate::catalog::CatalogName;
use crate::config::{self, DirectorConfig, Run, Seconds};
use crate::role::director::common::Tools;
use crate::wire::message::MessageKind;
use crate::wire::status::{JobLevel, JobType};

use super::job::Job;
use super::ordering::Order;

/// The terms of one job.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terms {
    pub(crate) pools: Pools,
    /// Whether who ordered the job named its storage: that of its pool does not count then.
    pub(crate) keeps_storage: bool,
    /// Where a copy, migration or virtual full writes to, if not to the next pool of its pool.
    pub(crate) next_pool: Option<String>,
    /// `None`: as its resource says.
    pub(crate) priority: Option<u32>,
    /// `None`: as its resource says.
    pub(crate) max_run_sched_time: Option<Seconds>,
    /// The resource that says where its messages go; `None`: that of the director.
    pub(crate) messages: Option<String>,
    /// What plugins of its client are told, beside what its resource says.
    pub(crate) plugin_options: Option<String>,
    /// Whether another job has started it, so that it starts no others.
    pub(crate) is_clone: bool,
    /// How often it was tried before.
    pub(crate) attempt: u32,
}

/// The pools of a job by its level.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pools {
    /// That of every level that has none of its own.
    any: Option<String>,
    full: Option<String>,
    differential: Option<String>,
    incremental: Option<String>,
    virtual_full: Option<String>,
}

impl Terms {
    /// Those of a resource, and of the line of a schedule that has it run.
    pub(crate) fn of(job: &config::Job, run: Option<&Run>) -> Self {
        Self {
            pools: Pools::of(job, run),
            keeps_storage: run.is_some_and(|run| run.storage.is_some()),
            next_pool: run.and_then(|run| run.next_pool.clone()).or_else(|| job.next_pool.clone()),
            priority: run.and_then(|run| run.priority),
            max_run_sched_time: run.and_then(|run| run.max_run_sched_time),
            messages: run.and_then(|run| run.messages.clone()).or_else(|| job.messages.clone()),
            plugin_options: None,
            is_clone: false,
            attempt: 0,
        }
    }
}

impl Pools {
    /// A pool for all levels that the line of a schedule names alone goes before those that its job has for single ones.
    fn of(job: &config::Job, run: Option<&Run>) -> Self {
        let said = |of_run: fn(&Run) -> &Option<String>| run.and_then(|run| of_run(run).clone());
        let run_pools = [
            said(|run| &run.full_pool),
            said(|run| &run.differential_pool),
            said(|run| &run.incremental_pool),
            said(|run| &run.virtual_full_pool),
        ];
        let any = said(|run| &run.pool);
        if any.is_some() && run_pools.iter().all(Option::is_none) {
            return Self { any, ..Self::default() };
        }
        let [full, differential, incremental, virtual_full] = run_pools;
        Self {
            any: any.or_else(|| Some(job.pool.clone())),
            full: full.or_else(|| job.full_pool.clone()),
            differential: differential.or_else(|| job.differential_pool.clone()),
            incremental: incremental.or_else(|| job.incremental_pool.clone()),
            virtual_full: virtual_full.or_else(|| job.virtual_full_pool.clone()),
        }
    }

    /// This one for all levels.
    pub(crate) fn only(pool: &str) -> Self {
        Self { any: Some(pool.to_owned()), ..Self::default() }
    }

    /// That of a level; `None` if nothing was said of it.
    fn of_level(&self, level: JobLevel) -> Option<&str> {
        let own = match level {
            JobLevel::Full => &self.full,
            JobLevel::Differential => &self.differential,
            JobLevel::Incremental => &self.incremental,
            JobLevel::VirtualFull => &self.virtual_full,
            _ => &None,
        };
        own.as_deref().or(self.any.as_deref())
    }
}

impl Order {
    /// The catalog that it is recorded in, once its pool is chosen.
    pub(crate) fn catalog_among(&self, config: &DirectorConfig) -> CatalogName {
        if let Some(said) = &self.catalog {
            return said.clone();
        }
        let of_job = |job| config.catalog_of_job(job, &self.with.pool);
        config.job(&self.name).map_or_else(|| config.catalog.name(), of_job).into()
    }

    /// The pool that is not in its catalog, of those that it may work with; and that catalog.
    pub(crate) fn pool_elsewhere(&self, config: &DirectorConfig) -> Option<(String, CatalogName)> {
        let catalog = self.catalog_among(config);
        let Pools { any, full, differential, incremental, virtual_full } = &self.terms.pools;
        let mut named =
            [any, full, differential, incremental, virtual_full, &self.terms.next_pool].into_iter().flatten();
        let is_elsewhere = |name: &&String| !config.is_pool_in(name, &catalog);
        named.find(is_elsewhere).map(|name| (name.clone(), catalog.clone()))
    }

    /// Chooses pool and storage for the level as it is ordered.
    pub(crate) fn place(&mut self, config: &DirectorConfig) {
        if self.kind != JobType::Backup {
            return;
        }
        if let Some((pool, storage)) = place(config, &self.terms, self.level) {
            self.with.pool = pool;
            self.with.storage = storage.unwrap_or_else(|| std::mem::take(&mut self.with.storage));
        }
    }
}

impl Job {
    /// Its place among waiting jobs.
    pub(crate) fn priority(&self) -> u32 {
        let of_resource = || self.config.job(&self.name).map_or(10, |resource| resource.priority);
        self.terms.priority.unwrap_or_else(of_resource)
    }

    /// The level is decided: so are pool and storage.
    pub(crate) fn place(&mut self, tools: &mut Tools<'_>) {
        let Some((pool, storage)) = place(&self.config, &self.terms, self.level) else { return };
        if let Some(storage) = storage {
            self.rows.storage = tools.common.ids(&self.catalog).storages.get(&storage).copied().unwrap_or(0);
            self.with.storage = storage;
        }
        if pool != self.with.pool {
            self.rows.pool = tools.common.ids(&self.catalog).pools.get(&pool).map_or(0, |row| row.pool_id);
            let text = format!("Using pool \"{pool}\", that of its level, and storage \"{}\".", self.with.storage);
            self.say(tools, MessageKind::Info, &text);
            self.with.pool = pool;
        }
    }
}

/// The pool of a backup of this level, and its storage if the pool has one that counts: in Bareos too a pool's storage goes
/// before that of the job.
fn place(config: &DirectorConfig, terms: &Terms, level: JobLevel) -> Option<(String, Option<String>)> {
    let pool = terms.pools.of_level(level)?;
    let storage = config.pool(pool).and_then(|pool| pool.storage.clone()).filter(|_| !terms.keeps_storage);
    Some((pool.to_owned(), storage))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The pools of full, differential and incremental backups.
    fn pools(job: &Value, run: Option<&Value>) -> [String; 3] {
        let mut all = json!({ "name": "j", "client": "c", "fileset": "f", "storage": "s", "pool": "any" });
        all.as_object_mut().unwrap().extend(job.as_object().unwrap().clone());
        let job = serde_json::from_value(all).unwrap();
        let run: Option<Run> = run.map(|run| {
            let mut all = json!({ "at": ["1:00"] });
            all.as_object_mut().unwrap().extend(run.as_object().unwrap().clone());
            serde_json::from_value(all).unwrap()
        });
        let terms = Terms::of(&job, run.as_ref());
        [JobLevel::Full, JobLevel::Differential, JobLevel::Incremental]
            .map(|level| terms.pools.of_level(level).unwrap_or_default().to_owned())
    }

    #[test]
    fn a_level_has_the_pool_of_its_run_then_of_its_job_then_the_common_one() {
        let none = json!({});
        let by_level = json!({ "full_pool": "F", "incremental_pool": "I" });
        assert_eq!(pools(&none, None), ["any", "any", "any"]);
        assert_eq!(pools(&by_level, None), ["F", "any", "I"]);
        assert_eq!(pools(&by_level, Some(&none)), ["F", "any", "I"]);
        assert_eq!(pools(&by_level, Some(&json!({ "pool": "run" }))), ["run", "run", "run"]);
        let both = json!({ "pool": "run", "differential_pool": "D" });
        assert_eq!(pools(&by_level, Some(&both)), ["F", "D", "I"]);
        assert_eq!(pools(&none, Some(&both)), ["run", "D", "run"]);
        assert_eq!(pools(&by_level, Some(&json!({ "full_pool": "R" }))), ["R", "any", "I"]);
    }
}
