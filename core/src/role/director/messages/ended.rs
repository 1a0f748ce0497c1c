//! How a job has ended, said at once: on standard output, and in the log, where one that has failed is loud.

use crate::notice::{Level, Notice};
use crate::printable;
use crate::role::commands::exit_word;
use crate::role::director::common::Tools;
use crate::role::director::jobs::job::Job;
use crate::role::director::jobs::tables;
use crate::role::report::thousands;
use crate::wire::message::MessageKind;
use crate::wire::status::JobStatus;

/// Bytes of a reason.
const REASON: usize = 400;

/// Why a job has not gone well: what was said first of the worst.
#[derive(Debug, Default)]
pub(crate) struct Reason {
    fatal: Option<String>,
    error: Option<String>,
    warning: Option<String>,
}

impl Reason {
    /// A message of the job or of one of its daemons.
    pub(crate) fn note(&mut self, kind: MessageKind, text: &str) {
        let place = match kind {
            MessageKind::Fatal | MessageKind::Abort | MessageKind::ErrorTerm => &mut self.fatal,
            MessageKind::Error => &mut self.error,
            MessageKind::Warning | MessageKind::NotSaved => &mut self.warning,
            _ => return,
        };
        place.get_or_insert_with(|| {
            let text = printable::line(text.trim());
            printable::shortened(&text, REASON).into_owned()
        });
    }
}

impl Job {
    /// Why it has not ended well, as far as anybody has said so; `None` if it has.
    pub(crate) fn reason(&self) -> Option<&str> {
        let Reason { fatal, error, warning } = &self.tally.reason;
        match self.status {
            JobStatus::Ok | JobStatus::Running => None,
            JobStatus::Warnings => warning.as_deref().or(error.as_deref()),
            _ => fatal.as_deref().or(error.as_deref()).or(warning.as_deref()),
        }
    }
}

impl Tools<'_> {
    /// Says how a job has ended.
    pub(crate) fn say_ended(&mut self, job: &Job) {
        let (files, bytes, _) = job.totals();
        let letter = char::from(job.status.letter());
        let mut text = format!(
            "JobId {} {}: {} {letter} ({}), {} files, {} bytes",
            job.id,
            job.name,
            tables::of(job.kind).0,
            exit_word(job.status),
            thousands(files.into()),
            thousands(bytes)
        );
        if let Some(reason) = job.reason() {
            text += &format!(": {reason}");
        }
        let time = self.common.identity.local(self.net.wall());
        self.net.notify(Notice::Print(format!("{} {}: {text}\n", time.long(), job.config.director.name)));
        match job.status {
            JobStatus::Ok | JobStatus::Canceled => self.net.log(Level::Info, &text),
            JobStatus::Warnings | JobStatus::Differences => self.net.complain(Level::Warn, 951, &text),
            _ => self.net.complain(Level::Error, 950, &text),
        }
    }
}
