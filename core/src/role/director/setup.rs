//! Brings the configuration into the catalog before anybody is served, and remembers the rows' ids.

use std::collections::{BTreeMap, VecDeque};

use super::jobs::fileset;
use super::jobs::lists::Lists;
use crate::config::DirectorConfig;
use crate::error::Explain;
use crate::notice::{ExitReason, Level};

use super::Owner;
use super::common::Tools;
use super::effect::Effect;
use crate::catalog::volumes::pool_row;
use crate::catalog::{CatalogAnswer, CatalogError, CatalogRequest, ClientSpec, CounterRow, FileSetSpec, PoolRow};

/// The exit code of a director without a usable catalog: `EX_IOERR` of sysexits.
const NO_CATALOG: u8 = 74;

/// The ids of what the configuration has, in the catalog; by name.
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
    todo: VecDeque<(Item, CatalogRequest)>,
    ids: Ids,
    /// The director serves already, with another configuration.
    is_again: bool,
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
        let now = tools.net.wall().seconds();
        self.todo = rows(&tools.common.config, now, true);
        self.todo.push_front((Item::Unfinished, CatalogRequest::MarkUnfinishedJobsFailed { now }));
        self.next(tools);
    }

    /// The same for a configuration that is to be used instead. The ids count once all is brought in.
    pub(crate) fn again(&mut self, tools: &mut Tools<'_>, config: &DirectorConfig) {
        self.todo = rows(config, tools.net.wall().seconds(), false);
        self.ids = Ids::default();
        self.is_again = true;
        self.next(tools);
    }

    pub(crate) fn done(&mut self, tools: &mut Tools<'_>, item: Item, answer: Result<CatalogAnswer, CatalogError>) {
        match (item, answer) {
            (_, Err(error)) if self.is_again => {
                self.todo.clear();
                return tools.effect(Effect::Recorded(Err(error)));
            }
            (_, Err(error)) => {
                let text = format!("the catalog cannot be used: {error}; {}", error.help());
                tools.net.log_cause(Level::Error, (error.fault(), error.code()), &text);
                return tools.net.exit(ExitReason::Failed(NO_CATALOG));
            }
            (Item::Client(name), Ok(CatalogAnswer::Id(id))) => {
                self.ids.clients.insert(name, id);
            }
            (Item::FileSet(name, md5), Ok(CatalogAnswer::Id(id))) => {
                self.ids.filesets.insert(name, FileSetIds { id, md5 });
            }
            (Item::Pool(mut row), Ok(CatalogAnswer::Id(id))) => {
                row.pool_id = id;
                self.ids.pools.insert(row.name.clone(), *row);
            }
            (Item::Storage(name), Ok(CatalogAnswer::Id(id))) => {
                self.ids.storages.insert(name, id);
            }
            (Item::Unfinished, Ok(CatalogAnswer::Changed(jobs))) if jobs > 0 => {
                tools.net.complain(
                    Level::Warn,
                    916,
                    &format!("{jobs} jobs had not ended when the director stopped: marked as failed"),
                );
            }
            _ => {}
        }
        self.next(tools);
    }

    fn next(&mut self, tools: &mut Tools<'_>) {
        if let Some((item, request)) = self.todo.pop_front() {
            return tools.ask(request, Owner::Setup(item));
        }
        tools.common.ids.learn(std::mem::take(&mut self.ids));
        tools.effect(if self.is_again { Effect::Recorded(Ok(())) } else { Effect::Ready });
    }
}

/// What a configuration has; `starts`: counters that the catalog does not keep begin anew.
fn rows(config: &DirectorConfig, now: i64, starts: bool) -> VecDeque<(Item, CatalogRequest)> {
    let mut rows = VecDeque::new();
    for client in &config.clients {
        let spec = ClientSpec {
            name: client.name.clone(),
            auto_prune: false,
            file_retention: client.file_retention.0,
            job_retention: client.job_retention.0,
        };
        rows.push_back((Item::Client(client.name.clone()), CatalogRequest::EnsureClient(spec)));
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
        rows.push_back((Item::FileSet(set.name.clone(), md5), CatalogRequest::EnsureFileSet(spec)));
    }
    for pool in &config.pools {
        let row = Box::new(pool_row(pool));
        rows.push_back((Item::Pool(row.clone()), CatalogRequest::EnsurePool(row)));
    }
    for storage in &config.storages {
        let request = CatalogRequest::EnsureStorage { name: storage.name.clone(), auto_changer: false };
        rows.push_back((Item::Storage(storage.name.clone()), request));
    }
    for counter in &config.counters {
        let row = CounterRow {
            name: counter.name.clone(),
            minimum: counter.minimum,
            maximum: counter.highest(),
            current: counter.minimum,
            wraps_into: counter.wrap_counter.clone().filter(|next| *next != counter.name).unwrap_or_default(),
        };
        let restarts = starts && !counter.keep;
        rows.push_back((Item::Counter, CatalogRequest::EnsureCounter { counter: row, restarts }));
    }
    rows
}
