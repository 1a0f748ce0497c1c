//! What a command sees, and what it wants: it reads and decides, and changes nothing itself. A [`Reply`] is carried out
//! by the consoles as far as it is theirs; what changes the director is an [`Instruction`], which the director carries out.

use std::fmt;

use crate::calendar::Zone;
use crate::catalog::{CatalogAnswer, CatalogName, CatalogRequest, RestoreFiles};
use crate::config::{Catalog, DirectorConfig};
use crate::ids::{ConnId, HandleId, JobId};
use crate::node::Row;
use crate::wire::file::Debug;
use crate::wire::frame::Signal;
use crate::work::configuration::ConfigurationWork;

use super::super::errands::Errand;
use super::super::invitations::Invitation;
use super::super::jobs::job::Job;
use super::super::jobs::lists::{Lists, Unread, Wanted};
use super::super::jobs::ordering::Order;
use super::super::jobs::recording::Kept;
use super::super::overrides::Switched;
use super::super::setup::Ids;
use super::super::{Director, Net};
use super::Console;
use super::access::Access;
use super::answer::{Answer, Shown};
use super::output::Api;
use super::questions::Question;
use super::refusal::{Kind, Meant, NoSuch, Refusal};

/// What a command may look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub(crate) director: &'a Director,
    pub(crate) net: &'a Net,
    /// The console that has said it.
    pub(crate) conn: ConnId,
    /// The catalog that a command goes by that has only been understood; `None`: that of the console's present one.
    pub(crate) said: Option<&'a str>,
}

impl<'a> View<'a> {
    /// The configuration as the console sees it.
    pub(super) fn config(&self) -> &'a DirectorConfig {
        self.access().map_or(&*self.director.common.config, Access::config)
    }

    /// What the console may see and use.
    pub(super) fn access(&self) -> Option<&'a Access> {
        self.console().map(|console| &console.access)
    }

    /// The catalog that the command asks.
    pub(super) fn catalog(&self) -> &str {
        let present = || self.console().map(|console| &*console.catalog);
        self.said.or_else(present).unwrap_or_else(|| self.director.common.config.catalog.name())
    }

    /// What that catalog calls what the configuration has.
    pub(super) fn ids(&self) -> &'a Ids {
        self.director.common.ids(self.catalog())
    }

    /// The catalogs that the console may ask, the first one first.
    pub(super) fn catalogs(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let access = self.access();
        let all = self.director.common.config.all_catalogs().map(Catalog::name);
        all.filter(move |name| access.is_some_and(|access| access.sees_catalog(name)))
    }

    /// Checks that there is a catalog of this name for the console.
    ///
    /// # Errors
    /// There is none; the nearest that there is.
    pub(super) fn check_catalog(&self, name: &str) -> Result<(), NoSuch> {
        if self.catalogs().any(|known| known == name) {
            return Ok(());
        }
        Err(NoSuch::new(Kind::Catalog, name, Meant::of(name, self.catalogs())))
    }

    pub(super) const fn zone(&self) -> &'a Zone {
        &self.director.common.identity.zone
    }

    /// Seconds since 1970.
    pub(super) fn now(&self) -> i64 {
        self.net.wall().seconds()
    }

    pub(super) fn console(&self) -> Option<&'a Console> {
        self.director.consoles.seats.get(&self.conn)
    }

    /// Whether a job has the command done.
    pub(super) fn is_of_job(&self) -> bool {
        self.console().is_some_and(|console| console.of_job.is_some())
    }

    /// The job of this number or unique name that has not ended.
    pub(super) fn job(&self, wanted: &str) -> Option<&'a Job> {
        self.director.jobs.find(wanted).filter(|job| self.sees(&job.name, &job.with.client))
    }

    /// The jobs that have not ended.
    pub(super) fn jobs(&self) -> impl Iterator<Item = &'a Job> {
        let view = *self;
        self.director.jobs.iter().filter(move |job| view.sees(&job.name, &job.with.client))
    }

    /// The job of this number or unique name whose end is not recorded yet.
    pub(super) fn unrecorded(&self, wanted: &str) -> Option<&'a Kept> {
        let kept = self.director.jobs.unrecorded().find(wanted);
        kept.filter(|kept| self.sees(&kept.job.name, &kept.job.with.client))
    }

    /// What the console may see of an answer of the catalog.
    pub(crate) fn seen(&self, answer: CatalogAnswer) -> CatalogAnswer {
        match self.access() {
            Some(access) => access.seen(answer),
            None => answer,
        }
    }

    /// Whether the console may see the jobs of a resource with a client.
    pub(super) fn sees(&self, name: &str, client: &str) -> bool {
        self.access().is_some_and(|access| access.sees_job(name, client))
    }

    /// How the console wants its answers.
    pub(super) fn api(&self) -> Api {
        self.console().map(|console| console.output.api).unwrap_or_default()
    }
}

/// What comes of a line, in steps.
#[derive(Debug)]
pub(crate) enum Reply {
    /// A command was understood: announces it to a console that wants signals, and goes on.
    Begin(Box<Self>),
    /// Goes by this catalog until the command has ended, and goes on.
    In(CatalogName, Box<Self>),
    /// Says which catalog that is to a person, as a stock director does before what comes of it, and goes on.
    Using(Box<Self>),
    /// Ends; from now on commands go by this catalog where they name nothing of another.
    Use(CatalogName, Answer),
    /// From now on commands go by this catalog where they name nothing of another; and goes on.
    Uses(CatalogName, Box<Self>),
    /// Shows some text, and goes on.
    Say(String, Box<Self>),
    /// Sends a page of text, and goes on once it is written: a console that reads slowly gets a long list slowly.
    Page(String, Box<Self>),
    /// The command has ended, with this.
    Answer(Answer),
    /// The same, and all lines of reports up to now have been shown with it.
    Messages(Answer),
    /// From now on answers are rendered so, this one included.
    Api(Api, Answer),
    /// From now on a program speaks, or a person.
    Gui(bool, Answer),
    /// Nothing was said; a program only gets its prompt.
    Prompt,
    /// A named console has said a command that it may not say.
    Forbidden(String),
    /// Sends a signal that goes with what is shown, and goes on.
    Mark(Signal, Box<Self>),
    /// Asks a person something.
    Question(Box<Question>),
    /// Waits until this job has ended, or all have.
    WaitFor(Option<JobId>),
    /// Ends with how the jobs have ended that the console has ordered or waited for.
    Ends,
    /// Asks the catalog, and goes on with its answer.
    Ask(CatalogRequest, Then),
    /// Has lists read that are on the director, and goes on with what they hold.
    Gather(Wanted, Gathered),
    /// Asks all connections, and ends with what this makes of their answers.
    Survey(fn(&View<'_>, &[Row]) -> Answer),
    /// The director does this, and says how it ended.
    Do(Instruction),
    /// The director does this at once, and the command has ended.
    Done(Instruction, Answer),
    /// The console leaves.
    Leave,
}

/// What a console has the director do.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one exists at a time, and is moved once")]
pub(crate) enum Instruction {
    /// Ask this catalog.
    Ask(CatalogName, CatalogRequest),
    /// Read lists that are on the director.
    Gather(Wanted),
    /// Order a job, and those that come with it.
    Order(Box<Order>),
    /// Send somebody to a daemon.
    Errand(Box<Errand>),
    /// Cancel a job.
    Cancel(JobId),
    /// Let data go no faster than so many bytes a second; 0 for no limit.
    Limit(Limited, u64),
    /// Dial this client at this address.
    Move(String, String),
    /// Keep what a browser has chosen under a name, or forget it.
    Choose(String, Option<Vec<RestoreFiles>>),
    /// Enable or disable a resource.
    Switch(Switched, String, bool),
    /// Look a name up on the director's machine, and say what it has found.
    LookUp(String),
    /// Set what the director's own log says, and say what is so now.
    Debug(Debug),
    /// Do something with the files of the configuration, and go by them.
    Configure(ConfigurationWork),
    /// Keep an invitation of a client.
    Invite(Box<Invitation>),
    /// Remember that an invitation was handed out, to the console of this name.
    Hand(String),
    /// Remember that the lines of reports were shown.
    Messages,
    /// Forget what the console has had asked, this reading of lists too: it has gone.
    Forget(Option<HandleId>),
}

/// Whose data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Limited {
    Job(JobId),
    Client(String),
    Storage(String),
}

/// How a command goes on with the catalog's answer.
pub struct Then(Box<Continue>);

type Continue = dyn FnOnce(&View<'_>, CatalogAnswer) -> Result<Reply, Refusal> + Send;

impl Then {
    pub(crate) fn go_on(self, view: &View<'_>, answer: CatalogAnswer) -> Reply {
        (self.0)(view, answer).unwrap_or_else(Reply::refused)
    }
}

impl fmt::Debug for Then {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Then")
    }
}

/// How a command goes on with what lists on the director hold.
pub(crate) struct Gathered(Box<Take>);

type Take = dyn FnOnce(&View<'_>, Result<Lists, Unread>) -> Result<Reply, Refusal> + Send;

impl Gathered {
    pub(super) fn new(then: impl FnOnce(&View<'_>, &Lists) -> Result<Reply, Refusal> + Send + 'static) -> Self {
        Self::either(|view, lists| then(view, &lists?))
    }

    /// The same, and it says itself why a list is not to be had.
    pub(super) fn either(
        then: impl FnOnce(&View<'_>, Result<Lists, Unread>) -> Result<Reply, Refusal> + Send + 'static,
    ) -> Self {
        Self(Box::new(then))
    }

    pub(crate) fn go_on(self, view: &View<'_>, lists: Result<Lists, Unread>) -> Reply {
        (self.0)(view, lists).unwrap_or_else(Reply::refused)
    }
}

impl fmt::Debug for Gathered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gathered")
    }
}

/// How a command goes on with what a daemon has answered, line by line.
pub(crate) struct Continued {
    then: Box<Hear>,
    /// The catalog that the command goes by.
    catalog: CatalogName,
}

type Hear = dyn FnOnce(&View<'_>, Vec<String>) -> Result<Reply, Refusal> + Send;

impl Continued {
    /// How the command goes on that a view is of.
    pub(super) fn new(
        view: &View<'_>,
        then: impl FnOnce(&View<'_>, Vec<String>) -> Result<Reply, Refusal> + Send + 'static,
    ) -> Self {
        Self { then: Box::new(then), catalog: view.catalog().into() }
    }

    /// The catalog that the command goes by.
    pub(crate) const fn catalog(&self) -> &CatalogName {
        &self.catalog
    }

    pub(crate) fn go_on(self, view: &View<'_>, lines: Vec<String>) -> Reply {
        (self.then)(view, lines).unwrap_or_else(Reply::refused)
    }
}

impl fmt::Debug for Continued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Continued")
    }
}

impl Reply {
    /// The command has found this.
    pub(super) fn found(what: impl Shown + 'static) -> Self {
        Self::Answer(Answer::found(what))
    }

    /// The command has failed.
    pub(crate) fn refused(why: impl Into<Refusal>) -> Self {
        Self::Answer(Answer::Failed(why.into()))
    }

    /// Asks the catalog first.
    pub(super) fn ask(
        request: CatalogRequest,
        then: impl FnOnce(&View<'_>, CatalogAnswer) -> Result<Self, Refusal> + Send + 'static,
    ) -> Self {
        Self::Ask(request, Then(Box::new(then)))
    }

    /// The same after the name of the catalog that it comes of.
    pub(super) fn using(self) -> Self {
        Self::Using(Box::new(self))
    }

    /// The same, if this is so.
    pub(super) fn using_if(self, is_said: bool) -> Self {
        if is_said { self.using() } else { self }
    }

    /// The same after some text.
    pub(super) fn after(self, text: impl Into<String>) -> Self {
        Self::Say(text.into(), Box::new(self))
    }
}
