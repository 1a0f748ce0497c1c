//! `write_bootstrap`: what a restore without the catalog needs of a backup, put into a file or given to a command at its end
//! (`wire/3 §6`).
//!
//! ```text
//!   its daemons are gone --> where it lies, of the catalog --> the file or the command --> commands after it, its end
//! ```

use crate::bulk::work::{DiskDone, DiskWork};
use crate::catalog::restore_selection::whole;
use crate::catalog::{CatalogAnswer, CatalogError, CatalogRequest};
use crate::error::{Explain, Facts, Fault, Retry};
use crate::ids::{HandleId, JobId};
use crate::role::commands::{self, Failure};
use crate::role::director::Owner;
use crate::role::director::common::Tools;
use crate::wire::command;
use crate::wire::message::MessageKind;
use crate::wire::status::{JobLevel, JobStatus};
use crate::work::script::{ScriptOrder, ScriptWork};
use crate::work::{Work, WorkDone};

use super::Jobs;
use super::job::Job;
use super::scripts::{level_word, limit, meaning};
use super::task::Task;
use super::trouble::Trouble;

/// What lines of the command stand under in the report.
const LABEL: &str = "WriteBootstrap";

/// The file could not be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bootstrap was not written to {path}: {why}")]
pub(crate) struct Unwritten {
    pub(crate) path: String,
    pub(crate) why: String,
}

impl Explain for Unwritten {
    fn facts(&self) -> Facts {
        (Fault::Local, Retry::Never, 900, "make its folder, and let the user of the director write there").into()
    }
}

impl Jobs {
    /// Has the bootstrap of a good backup written, if its resource says where; then its end goes on. False if there is nothing
    /// to write.
    pub(super) fn write_bootstrap(&self, tools: &mut Tools<'_>, id: JobId) -> bool {
        let is_due = |job: &&Job| {
            let (_, bytes, _) = job.totals();
            matches!(job.task, Task::Backup(_)) && job.status.is_ok() && bytes > 0 && target(job).is_some()
        };
        let Some(job) = self.all.get(&id).filter(is_due) else { return false };
        job.ask(tools, CatalogRequest::JobMediaOf { jobs: vec![id.0] }, Owner::Bootstrap(id));
        true
    }

    /// The catalog says where a job lies.
    pub(crate) fn bootstrap_found(
        &mut self,
        tools: &mut Tools<'_>,
        id: JobId,
        answer: Result<CatalogAnswer, CatalogError>,
    ) {
        let why = match answer {
            Ok(CatalogAnswer::Pieces(pieces)) => {
                let Some(job) = self.all.get_mut(&id) else { return };
                let session = job.storage_daemon.session;
                let sections = whole((session.id, session.time), &pieces);
                let head = head(job, &tools.common.identity.local(tools.net.wall()).long());
                return self.put(tools, id, format!("{head}{sections}").into_bytes());
            }
            Ok(other) => Trouble::unexpected(&other),
            Err(error) => error.into(),
        };
        self.bootstrap_failed(tools, id, &why.line());
    }

    /// To its file, or to its command.
    fn put(&mut self, tools: &mut Tools<'_>, id: JobId, text: Vec<u8>) {
        let handle = HandleId(tools.net.next_id());
        let most = limit(tools);
        let Some(job) = self.all.get_mut(&id) else { return };
        let meaning = |code| meaning(job, code);
        let target = target(job).unwrap_or_default();
        let work = match target.strip_prefix('|') {
            Some(program) => {
                let words = command::split(program).iter().map(|word| command::expand(word, meaning)).collect();
                let order = ScriptOrder { handle, words, folders: Vec::new(), limit: most, input: text };
                Work::Script(ScriptWork::Run(order))
            }
            None => {
                let path = command::expand(target, meaning);
                Work::Disk(DiskWork::Put { path, text, appends: job.level != JobLevel::Full })
            }
        };
        tools.net.work(work, Owner::BootstrapPut(id));
    }

    /// It is written, or not; its end goes on.
    pub(crate) fn bootstrap_put(&mut self, tools: &mut Tools<'_>, id: JobId, done: WorkDone) {
        let Some(job) = self.all.get_mut(&id) else { return };
        let path = command::expand(target(job).unwrap_or_default(), |code| meaning(job, code));
        let why = match done {
            WorkDone::Disk(DiskDone::Noted) => None,
            WorkDone::Disk(DiskDone::Failed { error, .. }) => Some(Unwritten { path, why: error.to_string() }.line()),
            WorkDone::Script(_) => {
                let end = commands::end_of(done);
                commands::said(LABEL, &end).for_each(|(kind, text)| job.say(tools, kind, &text));
                Failure::of(&end.outcome, LABEL).map(|failure| failure.line())
            }
            _ => Some(Unwritten { path, why: "the workers have stopped".to_owned() }.line()),
        };
        match why {
            Some(why) => self.bootstrap_failed(tools, id, &why),
            None => self.end_on(tools, id),
        }
    }

    /// A backup without its bootstrap is not what was asked for.
    fn bootstrap_failed(&mut self, tools: &mut Tools<'_>, id: JobId, why: &str) {
        let Some(job) = self.all.get_mut(&id) else { return };
        job.say(tools, MessageKind::Error, why);
        job.status = job.status.merge(JobStatus::Error);
        self.end_on(tools, id);
    }
}

/// Where the resource of a job has its bootstrap written.
fn target(job: &Job) -> Option<&str> {
    job.config.job(&job.name)?.write_bootstrap.as_deref()
}

/// The line that says whose it is.
fn head(job: &Job, now: &str) -> String {
    format!("# {now} - {} - {}\n", job.unique, level_word(job.level))
}
