//! The configuration read again while the director runs: by `reload` of a console, or by a signal.
//!
//! ```text
//!   asked --> the hands read and check it --> its rows go into the catalog --> taken into use, all of it at once
//!                     |                               |
//!                     '--- findings                   '--- the catalog fails
//!                              '---> the earlier configuration stays, and whoever asked is told why
//! ```
//! Jobs that were ordered keep the configuration of their order. What consoles have said of the earlier one is forgotten,
//! as it is in a real director. Connections stay, but for those whose right to be here is gone.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::config::{ConsoleAccess, DirectorConfig};
use crate::error::Explain;
use crate::ids::ConnId;
use crate::node::Settings;
use crate::notice::Level;
use crate::role::rereading::{self, Fixed};
use crate::wire::names::{PeerKind, PeerName};
use crate::work::configuration::{Added, ConfigurationWork, Configured, NotConfigured, Reread};
use crate::work::{Work, WorkDone};

use super::common::Tools;
use super::consoles::{Answer, Refusal, Reloaded};
use super::effect::Effect;
use super::setup::Setup;
use super::tokens::Owner;
use super::{Director, Net};
use crate::catalog::CatalogError;

/// Why a console, or a client that waits, is closed.
pub(crate) const GONE: &str = "it is not in the configuration any more";
/// The same.
pub(crate) const OTHER_PASSWORD: &str = "its password in the configuration has changed";

/// Who wants the configuration read, and what is under way for it.
#[derive(Debug, Default)]
pub(crate) struct Reload {
    /// Whether the director serves; before that nothing is read again.
    is_ready: bool,
    under_way: Option<Asked>,
    /// What was read, while the catalog takes its rows.
    read: Option<Box<Reread<DirectorConfig>>>,
    /// One for each console at most, and one for all signals.
    waiting: VecDeque<Asked>,
}

/// One wish.
#[derive(Debug)]
struct Asked {
    /// The console that waits for it; none for a signal.
    console: Option<ConnId>,
    work: ConfigurationWork,
}

impl Reload {
    /// The director serves from now on.
    pub(crate) fn begin(&mut self, tools: &mut Tools<'_>) {
        self.is_ready = true;
        self.next(tools);
    }

    /// A console, or the operator by a signal, wants something done with the files of the configuration.
    pub(crate) fn ask(&mut self, tools: &mut Tools<'_>, console: Option<ConnId>, work: ConfigurationWork) {
        let is_said = console.is_none() && self.waiting.iter().any(|asked| asked.console.is_none());
        if !is_said {
            self.waiting.push_back(Asked { console, work });
        }
        self.next(tools);
    }

    fn next(&mut self, tools: &mut Tools<'_>) {
        if !self.is_ready || self.under_way.is_some() {
            return;
        }
        let Some(asked) = self.waiting.pop_front() else { return };
        tools.net.work(Work::Configuration(asked.work.clone()), Owner::Configuration);
        self.under_way = Some(asked);
    }

    /// The hands have read the files, or found them wrong.
    pub(crate) fn read(&mut self, tools: &mut Tools<'_>, setup: &mut Setup, done: WorkDone) {
        match done {
            WorkDone::Configuration(Ok(Configured::Director(read))) => {
                let missing = not_open(&tools.common.config, &read.config);
                if !missing.is_empty() {
                    return self.refuse(tools, missing);
                }
                setup.again(tools, &read.config);
                self.read = Some(read);
            }
            WorkDone::Configuration(Err(NotConfigured(findings))) => self.refuse(tools, findings),
            _ => self.refuse(tools, vec!["its files cannot be read from here".to_owned()]),
        }
    }

    /// The earlier configuration stays.
    fn refuse(&mut self, tools: &mut Tools<'_>, findings: Vec<String>) {
        let findings = rereading::refused(tools.net, findings);
        self.answer(tools, Answer::Failed(Refusal::NotReloaded(findings.join("\n"))));
    }

    /// Shows the console that waits something beside its answer.
    fn print(&self, tools: &mut Tools<'_>, text: &str) {
        if let Some(console) = self.under_way.as_ref().and_then(|asked| asked.console) {
            tools.print(console, format!("{text}\n"));
        }
    }

    fn answer(&mut self, tools: &mut Tools<'_>, answer: Answer) {
        if let Some(console) = self.under_way.take().and_then(|asked| asked.console) {
            tools.answer(console, answer);
        }
        self.next(tools);
    }
}

impl Director {
    /// The catalog knows the configuration that was read, or does not take it.
    pub(super) fn recorded(&mut self, net: &mut Net, outcome: Result<(), CatalogError>) {
        let Some(mut read) = self.reload.read.take() else { return };
        if let Err(error) = outcome {
            let mut findings = vec![format!("the catalog does not take it: {error}; {}", error.help())];
            if let Some(added) = &read.added {
                findings.push(format!("{} is written: `reload` takes it into use", added.file.name));
            }
            return self.reload.refuse(&mut Tools { net, common: &mut self.common }, findings);
        }
        let fixed = keep_fixed(&self.common.config, &mut read.config);
        let (warnings, added) = (std::mem::take(&mut read.warnings), read.added.take());
        if added.is_none() {
            // What consoles have said counts until the configuration is read again; an addition says nothing of it.
            self.common.overrides = Arc::default();
        }
        rereading::taken(net, &warnings, &fixed);
        let dismissed = self.take_into_use(net, *read);
        let tools = &mut Tools { net, common: &mut self.common };
        let answer = match added {
            Some(added) => {
                for warning in warnings {
                    self.reload.print(tools, &warning);
                }
                let Added { kind, name, file, .. } = &added;
                tools.net.log(Level::Info, &format!("a console has added {kind} {name} in {}", file.name));
                Answer::found(added)
            }
            None => Answer::found(Reloaded { fixed, warnings }),
        };
        self.reload.answer(tools, answer);
        dismissed.into_iter().for_each(|(conn, why)| tools.effect(Effect::Dismiss(conn, why)));
    }

    /// Goes by another configuration from here on. Returns the consoles that may not stay, and why.
    fn take_into_use(&mut self, net: &mut Net, read: Reread<DirectorConfig>) -> Vec<(ConnId, &'static str)> {
        let own = &read.config.director;
        net.accept_with(
            Settings::new(PeerName::new(PeerKind::Director, &own.name).qualified(), read.engines).accepting(
                usize::try_from(own.max_unauthenticated).unwrap_or(usize::MAX),
                own.authenticate_within.duration(),
            ),
        );
        let earlier = std::mem::replace(&mut self.common.config, Arc::new(read.config));
        self.common.credentials = Arc::new(read.credentials);
        net.overhear(!self.common.config.messages.is_empty());
        net.set_keyring(Arc::new(self.keyring()));
        let dismissed = self.consoles.reconfigured(&earlier, &self.common.config);
        let tools = &mut Tools { net, common: &mut self.common };
        self.ways.reconfigured(tools, &earlier);
        // What was due by now is ordered before the moments are worked out anew.
        self.schedules.look(tools);
        self.schedules.plan(tools);
        tools.effect(Effect::Begin);
        dismissed
    }

    /// A console may not stay: tells it why, and closes it.
    pub(super) fn dismiss(&mut self, net: &mut Net, conn: ConnId, why: &'static str) {
        let text = format!("This console is closed: {why}.\n");
        self.consoles.print(net, conn, &text);
        let name = self.consoles.name_of(conn).to_owned();
        net.complain(Level::Warn, 777, &format!("console {name} is closed: {why}"));
        let gathers = self.consoles.remove(conn);
        self.forget(net, conn, gathers);
        Tools { net, common: &mut self.common }.close(conn, true);
    }
}

/// Why a console that is connected may not stay.
pub(crate) fn may_not_stay(
    console: Option<&str>,
    earlier: &DirectorConfig,
    config: &DirectorConfig,
) -> Option<&'static str> {
    let Some(name) = console else {
        return (earlier.director.password != config.director.password).then_some(OTHER_PASSWORD);
    };
    let password = |config: &DirectorConfig| config.console(name).map(|ConsoleAccess { password, .. }| password.key());
    match password(config) {
        None => Some(GONE),
        now => (now != password(earlier)).then_some(OTHER_PASSWORD),
    }
}

/// What names a catalog that this director does not have open, in a configuration that is to be used instead.
fn not_open(earlier: &DirectorConfig, config: &DirectorConfig) -> Vec<String> {
    let named = |list: &str, name: &str, catalog: &Option<String>| {
        let catalog = catalog.as_deref().filter(|catalog| earlier.catalog(catalog).is_none())?;
        Some(format!("{list} {name:?}: the catalog {catalog:?} is in use only after a restart"))
    };
    let clients = config.clients.iter().filter_map(|one| named("client", &one.name, &one.catalog));
    let pools = config.pools.iter().filter_map(|one| named("pool", &one.name, &one.catalog));
    let jobs = config.jobs.iter().filter_map(|one| named("job", &one.name, &one.catalog));
    let counters = config.counters.iter().filter_map(|one| named("counter", &one.name, &one.catalog));
    clients.chain(pools).chain(jobs).chain(counters).collect()
}

/// Leaves what only a restart changes as it was; returns its names.
fn keep_fixed(earlier: &DirectorConfig, config: &mut DirectorConfig) -> Vec<&'static str> {
    let (was, own, mut fixed) = (&earlier.director, &mut config.director, Fixed::default());
    fixed.keep("director.name", &was.name, &mut own.name);
    fixed.keep("director.listen", &was.listen, &mut own.listen);
    fixed.keep("director.port", &was.port, &mut own.port);
    fixed.keep("director.working_directory", &was.working_directory, &mut own.working_directory);
    fixed.keep("director.metrics", &was.metrics, &mut own.metrics);
    fixed.keep("director.page_token", &was.page_token, &mut own.page_token);
    fixed.keep("catalog", &earlier.catalog, &mut config.catalog);
    fixed.keep("catalogs", &earlier.catalogs, &mut config.catalogs);
    fixed.0
}
