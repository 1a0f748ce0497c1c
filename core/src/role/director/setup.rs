//! Brings the configuration into the catalogs before any job runs, and remembers the rows' ids.
//!
//! A catalog that is away holds this up. Then the director listens all the same, says what it waits for, and asks again until
//! the catalog answers; what became due meanwhile is started then.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::jobs::lists::Lists;
use super::jobs::{RECENT, fileset};
use crate::config::{Client, DirectorConfig};
use crate::error::Explain;
use crate::ids::JobId;
use crate::node::TimerKey;
use crate::notice::{ExitReason, Level, Notice};

use super::common::Tools;
use super::effect::Effect;
use super::{Due, Owner};
use crate::catalog::volumes::pool_row;
use crate::catalog::{
    CatalogAnswer, CatalogError, CatalogErrorKind, CatalogName, CatalogRequest, ClientSpec, CounterRow, FileSetSpec,
    JobFilter, PoolRow,
};
use crate::quantity::counted;

/// The exit code of a director without a usable catalog: `EX_IOERR` of sysexits.
const NO_CATALOG: u8 = 74;
/// The same when another director has it: `EX_TEMPFAIL`.
const TAKEN: u8 = 75;

/// Catalogs that take longer to answer than this are waited for, and that is said.
const PATIENCE: Duration = Duration::from_secs(2);
/// The pause before a catalog that has failed is asked again.
const PAUSE: Duration = Duration::from_secs(5);

/// The ids of what the configuration has, in a catalog; by name.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    pub(crate) clients: BTreeMap<String, u32>,
    pub(crate) filesets: BTreeMap<String, FileSetIds>,
    pub(crate) pools: BTreeMap<String, PoolRow>,
    pub(crate) storages: BTreeMap<String, u32>,
}

/// What of the configuration is still to be brought in, and what is known of it by now.
#[derive(Debug, Default)]
pub(crate) struct Setup {
    todo: VecDeque<(CatalogName, Item, CatalogRequest)>,
    /// What a catalog is asked for now.
    asked: Option<(CatalogName, Item, CatalogRequest)>,
    /// When it began, in seconds.
    began: i64,
    phase: Phase,
    timer: Option<TimerKey>,
    /// Clients that came while a catalog was waited for.
    returned: BTreeSet<String>,
    ids: BTreeMap<CatalogName, Ids>,
    /// The director serves already, with another configuration.
    is_again: bool,
}

/// How far it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// The catalogs are asked, and have answered in time so far.
    #[default]
    Begun,
    /// A catalog does not answer, or has said this.
    Waits(Option<String>),
    /// Jobs may run.
    Done,
}

/// A fileset as the catalog knows it.
#[derive(Clone, Debug)]
pub(crate) struct FileSetIds {
    pub(crate) id: u32,
    pub(crate) md5: String,
}

/// One row to bring in.
#[derive(Clone, Debug)]
pub enum Item {
    Unfinished,
    /// The last that have ended.
    Recent,
    /// The highest number of a job.
    Numbered,
    Client(String),
    FileSet(String, String),
    Pool(Box<PoolRow>),
    Storage(String),
    Counter,
}

impl Ids {
    /// Adds those of another configuration, which count before the earlier ones: jobs that run may still need these.
    fn learn(&mut self, others: Self) {
        self.clients.extend(others.clients);
        self.filesets.extend(others.filesets);
        self.pools.extend(others.pools);
        self.storages.extend(others.storages);
    }
}

impl Setup {
    /// Before the director serves.
    pub(crate) fn begin(&mut self, tools: &mut Tools<'_>) {
        let (now, config) = (tools.net.wall().seconds(), Arc::clone(&tools.common.config));
        self.began = now;
        self.todo.clear();
        for catalog in config.all_catalogs() {
            let name = CatalogName::from(catalog.name());
            self.todo.push_back((name.clone(), Item::Unfinished, CatalogRequest::MarkUnfinishedJobsFailed { now }));
            let newest = JobFilter { limit: RECENT, ..JobFilter::default() };
            self.todo.push_back((name.clone(), Item::Recent, CatalogRequest::ListJobs(newest)));
            if config.has_several_catalogs() {
                self.todo.push_back((name.clone(), Item::Numbered, CatalogRequest::MaxJobId));
            }
            self.todo.extend(rows(&config, &name, now, true));
        }
        self.timer = Some(tools.net.set_timer(PATIENCE, "the catalog", Due::Setup));
        self.next(tools);
    }

    /// When it began, in seconds: what became due since is still to be started.
    pub(crate) const fn began(&self) -> i64 {
        self.began
    }

    /// What the director waits for before any job can run, if a catalog is away.
    pub(crate) fn waits(&self) -> Option<String> {
        let Phase::Waits(why) = &self.phase else { return None };
        let why = why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        Some(format!("waiting for the catalog{why}"))
    }

    /// Whether a client that has come is taken care of once jobs may run, and not now.
    pub(crate) fn keeps(&mut self, client: &str) -> bool {
        let keeps = self.phase != Phase::Done;
        if keeps {
            self.returned.insert(client.to_owned());
        }
        keeps
    }

    /// The clients that came while a catalog was waited for.
    pub(crate) fn take_returned(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.returned)
    }

    /// A catalog takes its time, or has had some since it failed.
    pub(crate) fn timer(&mut self, tools: &mut Tools<'_>) {
        self.timer = None;
        match self.phase {
            Phase::Begun => self.wait(tools, None),
            // What is asked has not been answered: nothing else is to be done about it.
            Phase::Waits(_) if self.asked.is_some() => {}
            Phase::Waits(_) => self.next(tools),
            Phase::Done => {}
        }
    }

    /// Says that jobs have to wait, and why; only what is new about it.
    fn wait(&mut self, tools: &mut Tools<'_>, why: Option<String>) {
        let phase = Phase::Waits(why);
        if self.phase == phase {
            return;
        }
        if self.phase == Phase::Begun {
            tools.effect(Effect::Listen);
        }
        self.phase = phase;
        let Some(text) = self.waits() else { return };
        tools.net.complain(Level::Warn, 780, &text);
        tools.net.notify(Notice::Waiting(Some(text)));
    }

    /// The same for a configuration that is to be used instead. The ids count once all is brought in.
    pub(crate) fn again(&mut self, tools: &mut Tools<'_>, config: &DirectorConfig) {
        let now = tools.net.wall().seconds();
        // Which catalogs there are only a restart changes.
        let names: Vec<CatalogName> = tools.common.ids.keys().cloned().collect();
        self.todo = names.iter().flat_map(|name| rows(config, name, now, false)).collect();
        self.ids.clear();
        self.is_again = true;
        self.next(tools);
    }

    pub(crate) fn done(
        &mut self,
        tools: &mut Tools<'_>,
        (catalog, item): (CatalogName, Item),
        answer: Result<CatalogAnswer, CatalogError>,
    ) {
        let asked = self.asked.take();
        let ids = self.ids.entry(catalog.clone()).or_default();
        match (item, answer) {
            (_, Err(error)) if self.is_again => {
                self.todo.clear();
                return tools.effect(Effect::Recorded(Err(error)));
            }
            (_, Err(error)) if error.kind.may_come_back() && !tools.common.stopping.has_begun() => {
                let text = format!("{} ({}; {})", tools.common.which(&catalog), error.text, error.code());
                self.todo.extend(asked);
                self.todo.rotate_right(1);
                let before = self.timer.replace(tools.net.set_timer(PAUSE, "the catalog", Due::Setup));
                tools.net.cancel_timer(before);
                return self.wait(tools, Some(text));
            }
            (_, Err(error)) => {
                let which = tools.common.which(&catalog);
                let text = format!("{which} cannot be used: {error}; {}", error.help());
                tools.net.log_cause(Level::Error, (error.fault(), error.code()), &text);
                let exit = if error.kind == CatalogErrorKind::Taken { TAKEN } else { NO_CATALOG };
                return tools.net.exit(ExitReason::Failed(exit));
            }
            (Item::Client(name), Ok(CatalogAnswer::Id(id))) => {
                ids.clients.insert(name, id);
            }
            (Item::FileSet(name, md5), Ok(CatalogAnswer::Id(id))) => {
                ids.filesets.insert(name, FileSetIds { id, md5 });
            }
            (Item::Pool(mut row), Ok(CatalogAnswer::Id(id))) => {
                row.pool_id = id;
                ids.pools.insert(row.name.clone(), *row);
            }
            (Item::Storage(name), Ok(CatalogAnswer::Id(id))) => {
                ids.storages.insert(name, id);
            }
            (Item::Recent, Ok(CatalogAnswer::Jobs(rows))) => tools.effect(Effect::Remember(rows)),
            (Item::Numbered, Ok(CatalogAnswer::Id(id))) => tools.common.know_job(JobId(id)),
            (Item::Unfinished, Ok(CatalogAnswer::Changed(jobs))) if jobs > 0 => {
                tools.net.complain(
                    Level::Warn,
                    916,
                    &format!("{} had not ended when the director stopped: marked as failed", counted(jobs, "job")),
                );
            }
            _ => {}
        }
        self.next(tools);
    }

    fn next(&mut self, tools: &mut Tools<'_>) {
        if let Some((catalog, item, request)) = self.todo.pop_front() {
            self.asked = Some((catalog.clone(), item.clone(), request.clone()));
            return tools.ask(&catalog, request, Owner::Setup(catalog.clone(), item));
        }
        tools.net.cancel_timer(self.timer.take());
        for (catalog, ids) in std::mem::take(&mut self.ids) {
            tools.common.ids.entry(catalog).or_default().learn(ids);
        }
        match std::mem::replace(&mut self.phase, Phase::Done) {
            Phase::Done => return tools.effect(Effect::Recorded(Ok(()))),
            Phase::Begun => tools.effect(Effect::Listen),
            Phase::Waits(_) => {
                tools.net.log(Level::Info, "the catalog is there: jobs may run");
                tools.net.notify(Notice::Waiting(None));
            }
        }
        tools.effect(Effect::Ready);
    }
}

/// A client as a catalog is told of it.
pub(crate) fn spec_of(client: &Client) -> ClientSpec {
    ClientSpec {
        name: client.name.clone(),
        auto_prune: false,
        file_retention: client.file_retention.0,
        job_retention: client.job_retention.0,
    }
}

/// What a configuration has that a catalog is to know, as in Bareos: its clients and pools, those that are in all catalogs, and
/// all storages. `starts`: counters that it does not keep begin anew.
fn rows(
    config: &DirectorConfig,
    catalog: &CatalogName,
    now: i64,
    starts: bool,
) -> Vec<(CatalogName, Item, CatalogRequest)> {
    let mut rows = Vec::new();
    let mut push = |item: Item, request: CatalogRequest| rows.push((catalog.clone(), item, request));
    let is_here = |named: Option<&str>| named.unwrap_or_else(|| config.catalog.name()) == &**catalog;
    for client in config.clients.iter().filter(|client| is_here(client.catalog.as_deref())) {
        push(Item::Client(client.name.clone()), CatalogRequest::EnsureClient(spec_of(client)));
    }
    for set in &config.filesets {
        let wire = fileset::to_wire(set, &Lists::default());
        let text: Vec<u8> = wire.lines().concat();
        let md5 = fileset::digest(&wire);
        let spec = FileSetSpec {
            file_set: set.name.clone(),
            text: String::from_utf8_lossy(&text).into_owned(),
            md5: md5.clone(),
            create_time: now,
        };
        push(Item::FileSet(set.name.clone(), md5), CatalogRequest::EnsureFileSet(spec));
    }
    for pool in config.pools.iter().filter(|pool| pool.catalog.as_deref().is_none_or(|named| named == &**catalog)) {
        let row = Box::new(pool_row(pool));
        push(Item::Pool(row.clone()), CatalogRequest::EnsurePool(row));
    }
    for storage in &config.storages {
        let request = CatalogRequest::EnsureStorage { name: storage.name.clone(), auto_changer: false };
        push(Item::Storage(storage.name.clone()), request);
    }
    for counter in config.counters.iter().filter(|counter| is_here(counter.catalog.as_deref())) {
        let row = CounterRow {
            name: counter.name.clone(),
            minimum: counter.minimum,
            maximum: counter.highest(),
            current: counter.minimum,
            wraps_into: counter.wrap_counter.clone().filter(|next| *next != counter.name).unwrap_or_default(),
        };
        let restarts = starts && !counter.keep;
        push(Item::Counter, CatalogRequest::EnsureCounter { counter: row, restarts });
    }
    rows
}
