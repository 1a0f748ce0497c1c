//! The configuration of a daemon without consoles, read again for a signal: whole or not at all.
//!
//! ```text
//!   HUP --> the hands read and check it --> taken into use; what has begun goes by the one that it began with
//!                     '--- findings ------> the earlier configuration stays, and the log says why
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{Code, Fault};
use crate::ids::SessionId;
use crate::limits;
use crate::node::{Net, Role};
use crate::notice::Level;
use crate::work::Work;
use crate::work::configuration::ConfigurationWork;

/// What is under way, and what sessions of earlier configurations go by.
#[derive(Debug)]
pub(super) struct Rereading<C> {
    is_under_way: bool,
    /// The signal has come again meanwhile.
    again: bool,
    kept: BTreeMap<SessionId, Arc<C>>,
}

impl<C> Default for Rereading<C> {
    fn default() -> Self {
        Self { is_under_way: false, again: false, kept: BTreeMap::new() }
    }
}

impl<C> Rereading<C> {
    /// Has the configuration read, once for all signals that come until it is.
    pub(super) fn ask<R: Role>(&mut self, net: &mut Net<R>, owner: R::Work) {
        if std::mem::replace(&mut self.is_under_way, true) {
            self.again = true;
            return;
        }
        net.work(Work::Configuration(ConfigurationWork::Read), owner);
    }

    /// The answer has come, and was acted on.
    pub(super) fn answered<R: Role>(&mut self, net: &mut Net<R>, owner: R::Work) {
        self.is_under_way = false;
        if std::mem::take(&mut self.again) {
            self.ask(net, owner);
        }
    }

    /// These sessions, all there are, go on by the earlier configuration, or by that which they have already.
    pub(super) fn keep(&mut self, sessions: &[SessionId], earlier: &Arc<C>) {
        self.kept.retain(|id, _| sessions.contains(id));
        for id in sessions {
            self.kept.entry(*id).or_insert_with(|| Arc::clone(earlier));
        }
    }

    /// What a session goes by.
    pub(super) fn of<'a>(&'a self, session: SessionId, present: &'a Arc<C>) -> &'a Arc<C> {
        self.kept.get(&session).unwrap_or(present)
    }

    /// A session has ended.
    pub(super) fn forget(&mut self, session: SessionId) {
        self.kept.remove(&session);
    }
}

/// Another configuration is in use, but for what is `fixed`.
pub(super) fn taken<R: Role>(net: &mut Net<R>, warnings: &[String], fixed: &[&str]) {
    net.log(Level::Info, "the configuration was read again");
    warnings.iter().for_each(|warning| net.log(Level::Info, warning));
    if !fixed.is_empty() {
        net.complain(Level::Warn, 776, &format!("not changed while the daemon runs: {}", fixed.join(", ")));
    }
}

/// The earlier configuration stays in use. Returns the findings as they are told.
pub(super) fn refused<R: Role>(net: &mut Net<R>, mut findings: Vec<String>) -> Vec<String> {
    let found = findings.len();
    if found > limits::FINDINGS {
        findings.truncate(limits::FINDINGS);
        findings.push(format!("and {} more", found - limits::FINDINGS));
    }
    net.complain(Level::Error, 775, "the configuration was read again, and the earlier one stays in use");
    let cause = (Fault::Config, Code(775));
    findings.iter().for_each(|finding| net.log_cause(Level::Error, cause, finding));
    findings
}

/// Settings that only a restart changes: puts each back that differs, and returns the names of those.
#[derive(Debug, Default)]
pub(super) struct Fixed(pub(super) Vec<&'static str>);

impl Fixed {
    /// This one stays as it was.
    pub(super) fn keep<T: Clone + PartialEq>(&mut self, name: &'static str, was: &T, is: &mut T) {
        if was != is {
            self.0.push(name);
            is.clone_from(was);
        }
    }
}
