//! How a job has ended, said at once: on standard output, and in the log, where one that has failed is loud.

use crate::notice::{Level, Notice};
use crate::printable;
use crate::quantity::either;
use crate::role::commands::exit_word;
use crate::role::director::common::Tools;
use crate::role::director::jobs::job::Job;
use crate::role::director::jobs::tables;
use crate::role::report::thousands;
use crate::wire::message::MessageKind;
use crate::wire::status::JobStatus;

/// Bytes of a reason.
const REASON: usize = 400;

/// Codes of what only says whose messages have the cause.
const POINTERS: [&str; 5] = ["(T0571)", "(T0572)", "(T0573)", "(T0664)", "(T0673)"];

/// Why a job has not gone well: what was said first of the worst, and names a cause.
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
        let is_cause = !points_elsewhere(text);
        if place.as_deref().is_none_or(|known| is_cause && points_elsewhere(known)) {
            let text = printable::line(text.trim());
            *place = Some(printable::shortened(&text, REASON).into_owned());
        }
    }
}

fn points_elsewhere(text: &str) -> bool {
    POINTERS.iter().any(|code| text.contains(code))
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
            "JobId {} {}: {} {letter} ({}), {} {}, {} bytes",
            job.id,
            job.name,
            tables::of(job.kind).0,
            exit_word(job.status),
            thousands(files.into()),
            either(files, "file", "files"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_the_first_that_names_a_cause() {
        let mut reason = Reason::default();
        for text in ["refused (T0664); see there", "status f (T0572)", "no such volume (T0601)", "lost it (T0402)"] {
            reason.note(MessageKind::Fatal, text);
        }
        reason.note(MessageKind::Error, "of less weight");
        assert_eq!(reason.fatal.as_deref(), Some("no such volume (T0601)"));
        let mut alone = Reason::default();
        alone.note(MessageKind::Fatal, "refused (T0664)");
        alone.note(MessageKind::Fatal, "status f (T0572)");
        assert_eq!(alone.fatal.as_deref(), Some("refused (T0664)"));
    }
}
