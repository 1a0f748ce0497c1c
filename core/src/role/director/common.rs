//! What the parts of a director have in common: what all of them read, and what each works with.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::catalog::{CatalogAnswer, CatalogError, CatalogName, CatalogRequest};
use crate::config::DirectorConfig;
use crate::error::Explain;
use crate::ids::{ConnId, JobId};
use crate::limits::RECORD_AGAIN;
use crate::node::TimerKey;
use crate::notice::Level;
use crate::role::identity::{Credentials, Identity};
use crate::role::stopping::Stopping;
use crate::work::Work;

use super::consoles::Answer;
use super::effect::Effect;
use super::journal::Journal;
use super::messages::Post;
use super::overrides::Overrides;
use super::setup::Ids;
use super::{Due, Net, Owner};

/// What all parts read, and where they write.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) config: Arc<DirectorConfig>,
    pub(crate) overrides: Arc<Overrides>,
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) identity: Identity,
    /// What each catalog calls what the configuration has.
    pub(crate) ids: BTreeMap<CatalogName, Ids>,
    /// Of several catalogs, the highest number that a job of any of them has: a new one gets a higher one.
    pub(crate) highest_job: u32,
    pub(crate) journal: Journal,
    /// When catalogs that have refused lines of reports are asked again.
    lines_again: Option<TimerKey>,
    pub(crate) post: Post,
    pub(crate) uses: Uses,
    /// What parts want of each other, in the order they said so.
    pub(crate) effects: VecDeque<Effect>,
    /// Whether the director is being stopped.
    pub(crate) stopping: Stopping,
}

/// The daemons of the network as the director knows them at one time: a job goes by what was known when it was ordered.
#[derive(Clone, Debug)]
pub(crate) struct Peers {
    pub(crate) config: Arc<DirectorConfig>,
    pub(crate) overrides: Arc<Overrides>,
    pub(crate) credentials: Arc<Credentials>,
}

impl Common {
    /// The daemons as they are known now.
    pub(crate) fn peers(&self) -> Peers {
        Peers {
            config: Arc::clone(&self.config),
            overrides: Arc::clone(&self.overrides),
            credentials: Arc::clone(&self.credentials),
        }
    }

    /// What a catalog calls what the configuration has.
    pub(crate) fn ids(&self, catalog: &str) -> &Ids {
        const NONE: &Ids = &Ids {
            clients: BTreeMap::new(),
            filesets: BTreeMap::new(),
            pools: BTreeMap::new(),
            storages: BTreeMap::new(),
        };
        self.ids.get(catalog).unwrap_or(NONE)
    }

    /// The lowest number that a new job may have; 0 if its catalog alone gives it one. Each catalog numbers its own jobs, as in
    /// Bareos; but no two jobs of a director have the same number, for consoles and daemons name jobs by it.
    pub(crate) fn next_job(&mut self) -> u32 {
        if !self.config.has_several_catalogs() {
            return 0;
        }
        self.highest_job = self.highest_job.saturating_add(1);
        self.highest_job
    }

    /// A catalog in words, by its name if there are several.
    pub(crate) fn which(&self, catalog: &str) -> String {
        if self.config.has_several_catalogs() { format!("the catalog {catalog:?}") } else { "the catalog".to_owned() }
    }

    /// A catalog has a job with this number.
    pub(crate) fn know_job(&mut self, id: JobId) {
        self.highest_job = self.highest_job.max(id.0);
    }

    /// Of a director that is about to start.
    pub(crate) fn new(config: Arc<DirectorConfig>, credentials: Credentials, identity: Identity) -> Self {
        Self {
            config,
            overrides: Arc::default(),
            credentials: Arc::new(credentials),
            identity,
            ids: BTreeMap::new(),
            highest_job: 0,
            journal: Journal::default(),
            lines_again: None,
            post: Post::default(),
            uses: Uses::default(),
            effects: VecDeque::new(),
            stopping: Stopping::No,
        }
    }
}

/// What each connection is for. Whose it is decides who hears what comes on it.
#[derive(Debug, Default)]
pub(crate) struct Uses(BTreeMap<ConnId, Use>);

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// A daemon of this job.
    Job(JobId),
    Console,
    /// A daemon that an errand talks to.
    Errand,
    /// A client that waits for something to do.
    Waiting,
    /// A client that was asked whether it is still there, on this way.
    Claimed(u64),
}

impl Uses {
    /// From here on a connection is for this.
    pub(crate) fn attach(&mut self, conn: ConnId, is_for: Use) {
        self.0.insert(conn, is_for);
    }

    /// A connection is for nothing any more. Returns what it was for.
    pub(crate) fn detach(&mut self, conn: ConnId) -> Option<Use> {
        self.0.remove(&conn)
    }

    /// What a connection is for.
    pub(crate) fn of(&self, conn: ConnId) -> Option<Use> {
        self.0.get(&conn).copied()
    }
}

/// What a part works with besides its own.
#[derive(Debug)]
pub(crate) struct Tools<'a> {
    pub(crate) net: &'a mut Net,
    pub(crate) common: &'a mut Common,
}

impl Tools<'_> {
    /// Has another part do something, once this one is done with the present event.
    pub(crate) fn effect(&mut self, effect: Effect) {
        self.common.effects.push_back(effect);
    }

    /// Shows a console some text that belongs to its present command.
    pub(crate) fn print(&mut self, console: ConnId, text: impl Into<String>) {
        self.effect(Effect::Print(console, text.into()));
    }

    /// Ends a console's command.
    pub(crate) fn answer(&mut self, console: ConnId, answer: Answer) {
        self.effect(Effect::Answer(console, answer));
    }

    /// Gives a catalog a request, after the report lines that were written before it.
    pub(crate) fn ask(&mut self, catalog: &CatalogName, request: CatalogRequest, owner: Owner) {
        self.save_lines();
        self.net.work(Work::Catalog(catalog.clone(), request), owner);
    }

    /// Puts the report lines that were written meanwhile into their catalogs.
    pub(crate) fn save_lines(&mut self) {
        let is_last_chance = self.common.stopping.has_begun();
        while let Some((catalog, request)) = self.common.journal.batch(is_last_chance) {
            self.net.work(Work::Catalog(catalog.clone(), request), Owner::Log(catalog));
        }
    }

    /// The report lines that went to a catalog are stored, or not. Those that it does not take now are kept and offered again.
    pub(crate) fn lines_saved(&mut self, catalog: &CatalogName, answer: Result<CatalogAnswer, CatalogError>) {
        let saved = match answer {
            Err(error) if !error.kind.is_about_the_request() && !self.common.stopping.has_begun() => {
                let saved = self.common.journal.refused(catalog);
                if saved.is_news {
                    let text = format!("lines of reports are not stored yet: {error}; {}", error.help());
                    self.net.log_cause(Level::Warn, (error.fault(), error.code()), &text);
                }
                self.offer_lines_later();
                saved
            }
            answer => {
                let saved = self.common.journal.saved(catalog);
                match answer {
                    Err(error) => {
                        let text = format!("lines of a report were not stored: {error}; {}", error.help());
                        self.net.log_cause(Level::Error, (error.fault(), error.code()), &text);
                    }
                    Ok(_) if saved.is_news => self.net.log(Level::Info, "lines of reports are stored at last"),
                    Ok(_) => {}
                }
                saved
            }
        };
        if saved.lost > 0 {
            let text =
                format!("{} lines of reports were not stored: the catalog has not taken them in time", saved.lost);
            self.net.complain(Level::Error, 910, &text);
        }
    }

    fn offer_lines_later(&mut self) {
        if self.common.lines_again.is_none() {
            let what = "a catalog that takes lines of reports again";
            self.common.lines_again = Some(self.net.set_timer(RECORD_AGAIN, what, Due::Lines));
        }
    }

    /// The catalogs that have refused lines may have room again, or be back: they are given them after the present event.
    pub(crate) fn lines_timer(&mut self) {
        self.common.lines_again = None;
        self.common.journal.ask_again();
    }

    /// Closes a connection, which is for nothing any more.
    pub(crate) fn close(&mut self, conn: ConnId, farewell: bool) {
        self.common.uses.detach(conn);
        self.net.close(conn, farewell);
    }

    /// Ends a connection at once, which is for nothing any more.
    pub(crate) fn abort(&mut self, conn: ConnId) {
        self.common.uses.detach(conn);
        self.net.abort(conn);
    }
}
