//! What a console may see and use: the one place where that is decided.
//!
//! ```text
//!   a command --looks up--> the configuration as this console sees it: without what its lists do not allow
//!             <--rows------ the catalog's answers, without the rows of what it may not see
//!             --instructs-> the director, if all that the instruction names is allowed
//! ```
//! So a name that a console may not see answers as one that there is not, in every command, those of tomorrow too.

use std::iter;
use std::sync::Arc;

use crate::catalog::{CatalogAnswer, CatalogRequest, JobRow, Listed, Listing};
use crate::config::acl::Acl;
use crate::config::{Access as About, ConsoleAccess, DirectorConfig};
use crate::ids::Who;
use crate::wire::file::RestoreTo;
use crate::wire::status::JobType;

use super::super::jobs::Jobs;
use super::super::jobs::job::Job;
use super::super::jobs::ordering::{Order, Resources};
use super::super::overrides::Switched;
use super::commands::restore::place_of_job;
use super::refusal::{Kind, Meant, NoSuch, Refusal};
use super::reply::{Instruction, Limited};

/// The rights of one console.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// None for the default console, which may do everything.
    lists: Option<Box<Lists>>,
    /// The configuration as it sees it.
    config: Arc<DirectorConfig>,
}

#[derive(Clone, Debug)]
struct Lists {
    commands: Acl,
    jobs: Acl,
    clients: Acl,
    storages: Acl,
    schedules: Acl,
    pools: Acl,
    filesets: Acl,
    catalogs: Acl,
    places: Acl,
    plugin_options: Acl,
}

impl Access {
    /// The rights of the console of this name; without one it is the default console.
    pub(crate) fn of(config: &Arc<DirectorConfig>, name: Option<&str>) -> Self {
        let Some(name) = name else { return Self { lists: None, config: Arc::clone(config) } };
        Self::restricted(config, config.console(name))
    }

    /// The rights of a console with these lists; none without any.
    pub(crate) fn restricted(config: &Arc<DirectorConfig>, console: Option<&ConsoleAccess>) -> Self {
        let acl = |about| console.map(|console| console.acl(&config.profiles, about)).unwrap_or_default();
        let lists = Lists {
            commands: acl(About::Command),
            jobs: acl(About::Job),
            clients: acl(About::Client),
            storages: acl(About::Storage),
            schedules: acl(About::Schedule),
            pools: acl(About::Pool),
            filesets: acl(About::FileSet),
            catalogs: acl(About::Catalog),
            places: acl(About::Where),
            plugin_options: acl(About::PluginOptions),
        };
        let config = Arc::new(lists.seen(config));
        Self { lists: Some(Box::new(lists)), config }
    }

    /// The configuration without what the console may not see.
    pub(crate) fn config(&self) -> &DirectorConfig {
        &self.config
    }

    /// Whether it may say a command.
    pub(crate) fn may_say(&self, verb: &str) -> bool {
        self.allows(|lists| &lists.commands, verb)
    }

    /// Whether a command that everybody may say is taken from it by name.
    pub(crate) fn is_without(&self, verb: &str) -> bool {
        self.lists.as_ref().is_some_and(|lists| lists.commands.takes_away(verb))
    }

    /// Whether it may ask this catalog.
    pub(crate) fn sees_catalog(&self, name: &str) -> bool {
        self.allows(|lists| &lists.catalogs, name)
    }

    /// Whether nothing restricts it.
    pub(crate) fn is_open(&self) -> bool {
        let acls = |lists: &Lists| {
            let Lists { jobs, clients, storages, schedules, pools, filesets, catalogs, places, .. } = lists;
            [jobs, clients, storages, schedules, pools, filesets, catalogs, places].iter().all(|acl| acl.is_open())
        };
        self.lists.as_ref().is_none_or(|lists| acls(lists))
    }

    /// Whether it may see every job, whatever its client and fileset.
    fn sees_all_jobs(&self) -> bool {
        let acls = |lists: &Lists| [&lists.jobs, &lists.clients, &lists.filesets].iter().all(|acl| acl.is_open());
        self.lists.as_ref().is_none_or(|lists| acls(lists))
    }

    /// Whether the answer to this cannot be cut to what the console may see, and so is not for it.
    fn is_beyond(&self, request: &CatalogRequest) -> bool {
        match request {
            CatalogRequest::Browse(_) => !self.sees_all_jobs(),
            CatalogRequest::List(Listing::Query { .. }) => !self.is_open(),
            CatalogRequest::List(
                Listing::CountJobs(_) | Listing::Copies { job_id: None } | Listing::Pieces { job_id: None, .. },
            ) => !self.sees_all_jobs(),
            _ => false,
        }
    }

    /// Whether it may see the jobs of a resource with a client, in whatever state they are.
    pub(crate) fn sees_job(&self, name: &str, client: &str) -> bool {
        self.allows(|lists| &lists.jobs, name) && (client.is_empty() || self.allows(|lists| &lists.clients, client))
    }

    /// Whether it may see what is about this daemon.
    pub(crate) fn sees_daemon(&self, who: Who, name: &str) -> bool {
        match who {
            Who::File => self.allows(|lists| &lists.clients, name),
            _ => self.allows(|lists| &lists.storages, name),
        }
    }

    fn sees_pool(&self, name: &str) -> bool {
        self.allows(|lists| &lists.pools, name)
    }

    fn sees_row(&self, row: &JobRow) -> bool {
        let sees_set = || row.file_set.is_empty() || self.allows(|lists| &lists.filesets, &row.file_set);
        self.sees_job(&row.name, &row.client) && sees_set()
    }

    fn allows(&self, list: fn(&Lists) -> &Acl, name: &str) -> bool {
        self.lists.as_ref().is_none_or(|lists| list(lists).allows(name))
    }

    /// An answer of the catalog without the rows of what the console may not see.
    pub(crate) fn seen(&self, answer: CatalogAnswer) -> CatalogAnswer {
        if self.lists.is_none() {
            return answer;
        }
        match answer {
            CatalogAnswer::Jobs(mut rows) => {
                rows.retain(|row| self.sees_row(row));
                CatalogAnswer::Jobs(rows)
            }
            CatalogAnswer::Volumes(mut rows) => {
                rows.retain(|row| self.sees_pool(&row.pool));
                CatalogAnswer::Volumes(rows)
            }
            CatalogAnswer::Pruned { volume, kept } => {
                CatalogAnswer::Pruned { volume: volume.filter(|row| self.sees_pool(&row.pool)), kept }
            }
            CatalogAnswer::Volume(row) => CatalogAnswer::Volume(row.filter(|row| self.sees_pool(&row.pool))),
            CatalogAnswer::Clients(mut rows) => {
                rows.retain(|row| self.allows(|lists| &lists.clients, &row.spec.name));
                CatalogAnswer::Clients(rows)
            }
            CatalogAnswer::Listed(listed) => CatalogAnswer::Listed(self.listed(listed)),
            // These are of a job or a volume that the console has seen before it asked for them.
            CatalogAnswer::Done
            | CatalogAnswer::Changed(_)
            | CatalogAnswer::Id(_)
            | CatalogAnswer::Counted(_)
            | CatalogAnswer::LastJobs(_)
            | CatalogAnswer::Stale(_)
            | CatalogAnswer::Files(_)
            | CatalogAnswer::FileList { .. }
            | CatalogAnswer::Pieces(_)
            | CatalogAnswer::RestoreFiles(_)
            | CatalogAnswer::Log(_)
            | CatalogAnswer::Browsed(_) => answer,
        }
    }

    /// A list without the rows of what the console may not see.
    fn listed(&self, mut listed: Listed) -> Listed {
        let sees_set = |name: &str| self.allows(|lists| &lists.filesets, name);
        match &mut listed {
            Listed::Pools(rows) => rows.retain(|pool| self.sees_pool(&pool.row.name)),
            Listed::FileSets(rows) => rows.retain(|set| sees_set(&set.file_set)),
            Listed::Storages(rows) => rows.retain(|storage| self.allows(|lists| &lists.storages, &storage.name)),
            Listed::Totals(rows) => rows.retain(|total| self.sees_job(&total.name, "")),
            Listed::Log(rows) => rows.retain(|line| self.sees_job(&line.name, &line.client)),
            Listed::Holdings(rows) => rows
                .retain(|holding| self.allows(|lists| &lists.clients, &holding.client) && sees_set(&holding.file_set)),
            // Only who sees all jobs, or has seen this one, comes to these.
            Listed::Count(_) | Listed::Copies(_) | Listed::Pieces(_) | Listed::Table { .. } => {}
        }
        listed
    }

    /// Why the director does not do this for the console, if it does not.
    pub(crate) fn refuses(&self, instruction: &Instruction, jobs: &Jobs) -> Option<Refusal> {
        self.lists.as_ref()?;
        let no = |kind: Kind, name: &str| Some(NoSuch::new(kind, name, Meant(None)).into());
        let hidden = |job: &Job| !self.sees_job(&job.name, &job.with.client);
        match instruction {
            Instruction::Ask(catalog, _) if !self.sees_catalog(catalog) => no(Kind::Catalog, catalog),
            Instruction::Ask(_, request) if self.is_beyond(request) => Some(Refusal::NotForSome),
            // What such a file says would be shown to whoever names it.
            Instruction::Gather(wanted) if wanted.by_console && !self.sees_all_jobs() => Some(Refusal::NotForSome),
            Instruction::Choose(..) if !self.sees_all_jobs() => Some(Refusal::NotForSome),
            Instruction::Order(order) => {
                iter::once(&**order).chain(&order.after).find_map(|order| self.refuses_order(order))
            }
            Instruction::Switch(what, name, _) => {
                let kind = match what {
                    Switched::Job => Kind::Job,
                    Switched::Client => Kind::Client,
                    Switched::Schedule => Kind::Schedule,
                };
                NoSuch::check(&self.config, kind, name).err().map(Refusal::from)
            }
            Instruction::Errand(errand) if !self.sees_daemon(errand.who, &errand.name) => {
                no(if errand.who == Who::File { Kind::FileDaemon } else { Kind::StorageDaemon }, &errand.name)
            }
            Instruction::Limit(Limited::Client(name), _) | Instruction::Move(name, _)
                if !self.sees_daemon(Who::File, name) =>
            {
                no(Kind::Client, name)
            }
            Instruction::Limit(Limited::Storage(name), _) if !self.sees_daemon(Who::Storage, name) => {
                no(Kind::Storage, name)
            }
            Instruction::Limit(Limited::Job(id), _) | Instruction::Cancel(id) if jobs.get(*id).is_some_and(hidden) => {
                no(Kind::Job, &id.to_string())
            }
            Instruction::Ask(..)
            | Instruction::Gather(_)
            | Instruction::Errand(_)
            | Instruction::Cancel(_)
            | Instruction::Limit(..)
            | Instruction::Move(..)
            | Instruction::LookUp(_)
            | Instruction::Debug(_)
            | Instruction::Configure(_)
            | Instruction::Invite(_)
            | Instruction::Hand(_)
            | Instruction::Messages
            | Instruction::Choose(..)
            | Instruction::Forget(_) => None,
        }
    }

    /// Whether all resources of an order are there for the console, and the folder that it restores to.
    fn refuses_order(&self, order: &Order) -> Option<Refusal> {
        let config = self.config();
        let Some(job) = config.job(&order.name) else {
            return Some(NoSuch::new(Kind::Job, &order.name, Meant(None)).into());
        };
        let Resources { client, fileset, storage, pool } = &order.with;
        let copies = matches!(order.kind, JobType::Copy | JobType::Migrate);
        let named = [(Kind::Client, client), (Kind::FileSet, fileset), (Kind::Storage, storage), (Kind::Pool, pool)];
        // What a copy is from and for are the jobs that it copies; a restore has the fileset of what it restores.
        let counts = |kind: Kind| match kind {
            Kind::Client => !copies,
            Kind::FileSet => !copies && order.restore.is_none(),
            _ => true,
        };
        for (kind, name) in named.into_iter().filter(|(kind, name)| counts(*kind) && !name.is_empty()) {
            if let Err(none) = NoSuch::check(config, kind, name) {
                return Some(none.into());
            }
        }
        if let Some(catalog) = order.catalog.as_deref().filter(|catalog| !self.sees_catalog(catalog)) {
            return Some(NoSuch::new(Kind::Catalog, catalog, Meant(None)).into());
        }
        if let Some(options) = &order.terms.plugin_options
            && !self.allows(|lists| &lists.plugin_options, options)
        {
            return Some(Refusal::PluginOptions(options.clone()));
        }
        let plan = order.restore.as_ref()?;
        if plan.to == place_of_job(job) {
            return None;
        }
        match &plan.to {
            RestoreTo::Where(folder) => (!self.may_restore_to(folder)).then(|| Refusal::Where(folder.clone())),
            // Where an expression leads is known only with the files.
            RestoreTo::Regex(text) => (!self.may_restore_anywhere()).then(|| Refusal::Where(text.clone())),
        }
    }

    /// Whether it may restore to this folder, which is empty for the original places. What a list allows holds no way out
    /// of it.
    fn may_restore_to(&self, folder: &str) -> bool {
        let Some(lists) = &self.lists else { return true };
        let folder = if folder.is_empty() { "/" } else { folder };
        lists.places.allows(folder) && (lists.places.is_open() || !folder.split('/').any(|part| part == ".."))
    }
}

impl Access {
    fn may_restore_anywhere(&self) -> bool {
        self.lists.as_ref().is_none_or(|lists| lists.places.is_open())
    }
}

impl Lists {
    /// A configuration without what these lists do not allow.
    fn seen(&self, config: &DirectorConfig) -> DirectorConfig {
        let mut seen = config.clone();
        seen.jobs.retain(|job| self.jobs.allows(&job.name));
        seen.clients.retain(|client| self.clients.allows(&client.name));
        seen.storages.retain(|storage| self.storages.allows(&storage.name));
        seen.schedules.retain(|schedule| self.schedules.allows(&schedule.name));
        seen.pools.retain(|pool| self.pools.allows(&pool.name));
        seen.filesets.retain(|fileset| self.filesets.allows(&fileset.name));
        // As in real daemons: what has no list of its own is for those who may change the configuration.
        if !self.commands.allows("configure") {
            seen.consoles.clear();
            seen.profiles.clear();
        }
        seen
    }
}
