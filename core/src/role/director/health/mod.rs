//! How all is, for monitors and people: put together when somebody wants to see it, and given to the hands, which show it.
//!
//! ```text
//!   hands: wanted --> all connections are asked, and the catalogs if what they said is old --> published --> hands
//! ```
//! A catalog that is slow or away holds up nothing: what it said before is shown, and since when. `found.rs` keeps what catalogs
//! have said, `snapshot.rs` puts all together, `numbers.rs` tells the numbers of connections.

mod found;
mod numbers;
mod snapshot;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::catalog::{CatalogAnswer, CatalogError, CatalogName};
use crate::config::Catalog;
use crate::error::{Code, Explain};
use crate::node::{Row, TimerKey};
use crate::notice::Level;
use crate::work::{Work, WorkDone};

use super::common::Tools;
use super::tokens::{Due, Owner, Surveyor};
use super::{Director, Net};

use found::Found;
pub(crate) use found::Question;

/// How long the catalogs may take before what they said earlier is shown.
const PATIENCE: Duration = Duration::from_secs(2);
/// Seconds after which catalogs are asked again, where no job has ended meanwhile.
const FRESH: i64 = 15;

/// Looks at the director's state.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    /// The one under way.
    look: Option<Look>,
    /// By the name of the catalog.
    found: BTreeMap<CatalogName, Found>,
    /// Questions that catalogs have not answered.
    asked: u32,
    /// When they were asked last, and whether a job has ended since.
    asked_at: i64,
    is_stale: bool,
    dial_failures: BTreeMap<Code, u64>,
    /// Whether a catalog's failure was told since it last answered.
    is_told: bool,
}

/// One look.
#[derive(Debug)]
struct Look {
    /// The connections, once they are asked.
    rows: Option<Vec<Row>>,
    /// Until when the catalogs are waited for.
    timer: Option<TimerKey>,
}

impl Looks {
    /// The director serves from now on: the hands say when somebody wants to see the director's state, if anybody may.
    pub(crate) fn begin(&self, tools: &mut Tools<'_>) {
        if tools.common.config.director.metrics.is_some() {
            tools.net.work(Work::Publish(None), Owner::Publish);
        }
    }

    /// Somebody wants to see it, or the hands have stopped.
    pub(crate) fn wanted(&mut self, tools: &mut Tools<'_>, done: &WorkDone) {
        if !matches!(done, WorkDone::Wanted) {
            return;
        }
        let now = tools.net.wall().seconds();
        if self.asked == 0 && (self.is_stale || (now - self.asked_at).abs() >= FRESH) {
            (self.is_stale, self.asked_at) = (false, now);
            let catalogs: Vec<CatalogName> =
                tools.common.config.all_catalogs().map(|catalog: &Catalog| catalog.name().into()).collect();
            for (catalog, question) in catalogs.iter().flat_map(|name| Question::ALL.map(|question| (name, question))) {
                self.asked += 1;
                tools.ask(catalog, question.request(now), Owner::Health(catalog.clone(), question));
            }
        }
        let timer =
            (self.asked > 0).then(|| tools.net.set_timer(PATIENCE, "catalogs that say how they are", Due::Look));
        self.look = Some(Look { rows: None, timer });
        tools.net.survey(Surveyor::Health);
    }

    /// The connections have been asked.
    pub(crate) fn surveyed(&mut self, tools: &mut Tools<'_>, rows: Vec<Row>) {
        if let Some(look) = &mut self.look {
            look.rows = Some(rows);
            self.all_said(tools);
        }
    }

    /// A catalog has answered.
    pub(crate) fn answered(
        &mut self,
        tools: &mut Tools<'_>,
        catalog: CatalogName,
        question: Question,
        answer: Result<CatalogAnswer, CatalogError>,
    ) {
        self.asked = self.asked.saturating_sub(1);
        let now = tools.net.wall().seconds();
        let found = self.found.entry(catalog).or_default();
        match answer {
            Ok(answer) => {
                self.is_told = false;
                found.take(&tools.common.identity.zone, now, question, answer);
            }
            Err(error) => {
                found.answers = Some(false);
                if !std::mem::replace(&mut self.is_told, true) {
                    let text = format!("the catalog does not say how it is: {}", error.line());
                    tools.net.log_cause(Level::Warn, (error.fault(), error.code()), &text);
                }
            }
        }
        self.all_said(tools);
    }

    /// Nobody is waited for any more, if all have said what there is to say.
    fn all_said(&mut self, tools: &mut Tools<'_>) {
        if self.asked == 0
            && let Some(look) = &mut self.look
        {
            tools.net.cancel_timer(look.timer.take());
        }
    }

    /// The catalogs have had their time.
    pub(crate) fn too_slow(&mut self) {
        if let Some(look) = &mut self.look {
            look.timer = None;
        }
    }

    /// A job has ended: what catalogs said of jobs is old.
    pub(crate) const fn job_ended(&mut self) {
        self.is_stale = true;
    }

    /// A dial has failed.
    pub(crate) fn dial_failed(&mut self, code: Code) {
        *self.dial_failures.entry(code).or_default() += 1;
    }

    /// The connections of a look that is complete.
    fn complete(&mut self) -> Option<Vec<Row>> {
        let rows = self.look.as_mut().filter(|look| look.timer.is_none())?.rows.take()?;
        self.look = None;
        Some(rows)
    }
}

impl Director {
    /// Gives the hands what there is to see, once it is complete.
    pub(super) fn publish(&mut self, net: &mut Net) {
        if let Some(rows) = self.looks.complete() {
            let health = self.health(net, &rows);
            net.work(Work::Publish(Some(Box::new(health))), Owner::Publish);
        }
    }
}
