//! Commands that a job runs beside its data (`wire/2 §1.9`), on its client or on the director: which is due, and what came
//! of it. A file daemon and a director have them run alike.

mod failure;

use crate::ids::HandleId;
use crate::printable;
use crate::wire::file::Script;
use crate::wire::message::MessageKind;
use crate::wire::status::JobStatus;
use crate::work::WorkDone;
use crate::work::script::{ScriptDone, ScriptEnd, ScriptOutcome};

pub(crate) use failure::Failure;
#[cfg(test)]
pub(crate) use failure::one_of_each as one_of_each_failure;

/// Bits of `When=`.
pub(super) const AFTER: u32 = 1;
/// See [`AFTER`].
pub(super) const BEFORE: u32 = 2;

/// The two moments at which commands run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    Before,
    After,
}

/// The commands of one job.
#[derive(Debug, Default)]
pub(super) struct Commands {
    all: Vec<Script>,
    /// How far those of each moment are: each command is looked at once.
    before: usize,
    after: usize,
    running: Option<Running>,
}

/// The command that runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    pub(super) handle: HandleId,
    pub(super) moment: Moment,
    /// Which of all of them it is.
    pub(super) index: usize,
    /// Whether the job fails with it.
    pub(super) aborts: bool,
}

impl Commands {
    /// These, of which none has run.
    pub(super) fn new(all: Vec<Script>) -> Self {
        Self { all, ..Self::default() }
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.all.len()
    }

    /// One more.
    pub(super) fn push(&mut self, script: Script) {
        self.all.push(script);
    }

    /// The one that runs.
    pub(super) const fn running(&self) -> Option<Running> {
        self.running
    }

    /// The next command of a moment that runs at this status of the job; those before it are over. It runs from now on, under
    /// this name.
    pub(super) fn begin(&mut self, moment: Moment, status: JobStatus, handle: HandleId) -> Option<Script> {
        let next = match moment {
            Moment::Before => &mut self.before,
            Moment::After => &mut self.after,
        };
        while let Some(script) = self.all.get(*next) {
            let index = *next;
            *next += 1;
            if is_due(script, moment, status) {
                self.running = Some(Running { handle, moment, index, aborts: script.abort_on_error });
                return Some(script.clone());
            }
        }
        None
    }

    /// Whether there is one for this moment at this status.
    pub(super) fn has(&self, moment: Moment, status: JobStatus) -> bool {
        let over = if moment == Moment::Before { self.before } else { self.after };
        self.all.iter().skip(over).any(|script| is_due(script, moment, status))
    }

    /// The command of this name has ended: what was known of it. `None` if another one runs, or none.
    pub(super) fn end(&mut self, handle: HandleId) -> Option<Running> {
        self.running.take_if(|running| running.handle == handle)
    }

    /// Gives up the command that runs.
    pub(super) const fn stop(&mut self) -> Option<HandleId> {
        match self.running.take() {
            Some(running) => Some(running.handle),
            None => None,
        }
    }
}

/// Whether a command runs at a moment, the job being as it is.
fn is_due(script: &Script, moment: Moment, status: JobStatus) -> bool {
    use JobStatus::{Canceled, Differences, Error, Fatal};
    let has_failed = matches!(status, Canceled | Differences | Error | Fatal);
    let is_well = match moment {
        Moment::Before => status == JobStatus::Running,
        Moment::After => status.is_ok(),
    };
    let bit = if moment == Moment::Before { BEFORE } else { AFTER };
    script.when & bit != 0 && (script.on_success && is_well || script.on_failure && has_failed)
}

/// What came of a command, whatever the hands have answered.
pub(super) fn end_of(done: WorkDone) -> ScriptEnd {
    match done {
        WorkDone::Script(ScriptDone::Ended(end)) => end,
        _ => ScriptEnd {
            lines: Vec::new(),
            left_out: 0,
            outcome: ScriptOutcome::NotStarted("the workers have stopped".to_owned()),
        },
    }
}

/// What a command has written, as lines of the job's report.
pub(super) fn said<'a>(label: &'a str, end: &'a ScriptEnd) -> impl Iterator<Item = (MessageKind, String)> + 'a {
    let lines = end.lines.iter().map(move |line| (MessageKind::Info, format!("{label}: {}", printable::line(line))));
    let left_out = (end.left_out > 0).then(|| format!("{label}: {} more lines are left out", end.left_out));
    lines.chain(left_out.map(|text| (MessageKind::Warning, text)))
}

/// The word of `%e`.
pub(super) const fn exit_word(outcome: JobStatus) -> &'static str {
    match outcome {
        JobStatus::Ok => "OK",
        JobStatus::Warnings => "OK -- with warnings",
        JobStatus::Canceled => "Canceled",
        JobStatus::Fatal => "Fatal Error",
        JobStatus::Error => "Error",
        JobStatus::Differences => "Differences",
        JobStatus::Running => "Running",
        _ => "Unknown term code",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(when: u32, on_success: bool, on_failure: bool) -> Script {
        Script {
            on_success,
            on_failure,
            abort_on_error: true,
            when,
            command: format!("{when} {on_success} {on_failure}"),
        }
    }

    #[test]
    fn a_command_runs_once_at_its_moment_and_only_if_the_job_is_as_it_wants() {
        use JobStatus::{Canceled, Differences, Error, Fatal, Ok, Running, Warnings};
        let rows: [(u32, bool, bool, Moment, &[JobStatus]); 6] = [
            (BEFORE, true, false, Moment::Before, &[Running]),
            (BEFORE, false, true, Moment::Before, &[Canceled, Differences, Error, Fatal]),
            (AFTER, true, false, Moment::After, &[Ok, Warnings]),
            (AFTER, false, true, Moment::After, &[Canceled, Differences, Error, Fatal]),
            (BEFORE | AFTER, true, false, Moment::Before, &[Running]),
            (AFTER, true, true, Moment::Before, &[]),
        ];
        for (when, on_success, on_failure, moment, at) in rows {
            for status in [Running, Ok, Warnings, Canceled, Differences, Error, Fatal] {
                let mut commands = Commands::new(vec![script(when, on_success, on_failure)]);
                let runs = at.contains(&status);
                assert_eq!(commands.has(moment, status), runs, "{when} {on_success} {on_failure} {status:?}");
                assert_eq!(commands.begin(moment, status, HandleId(1)).is_some(), runs);
                assert!(commands.begin(moment, status, HandleId(2)).is_none(), "it runs once");
            }
        }
    }

    #[test]
    fn only_the_command_that_runs_can_end() {
        let mut commands = Commands::new(vec![script(BEFORE, true, false)]);
        assert!(commands.end(HandleId(1)).is_none());
        commands.begin(Moment::Before, JobStatus::Running, HandleId(1)).unwrap();
        assert!(commands.end(HandleId(2)).is_none() && commands.running().is_some());
        assert!(commands.end(HandleId(1)).is_some_and(|running| running.aborts) && commands.running().is_none());
        assert_eq!(commands.stop(), None);
    }
}
