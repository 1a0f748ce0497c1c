//! The commands that a job runs beside its data.

use super::Checker;
use crate::config::{ConfigPath, JOB_COMMANDS, Job, JobKind, RunsWhen, may_be_done_by_a_job};
use crate::explain::codes;
use crate::limits;
use crate::nearest::nearest;

/// Every command can be sent, and has a moment on its machine.
pub(super) fn check(c: &mut Checker, path: &ConfigPath, job: &Job) {
    let list = path.field("run_scripts");
    let of_client = job.run_scripts.iter().filter(|script| script.is_for_client()).count();
    if of_client > limits::SCRIPTS {
        let message = format!("{of_client} commands on the client: {} are the most", limits::SCRIPTS);
        c.error(codes::OUT_OF_RANGE, list.clone(), message, "let one of them run the others");
    }
    for (index, script) in job.run_scripts.iter().enumerate() {
        let path = list.index(index);
        let command = path.field("command");
        if script.command.trim().is_empty() {
            let (message, help) = match script.console {
                false => ("the command names no program", "write the whole path of a program"),
                true => ("the command says nothing", "write a line as a console would say it"),
            };
            c.error(codes::EMPTY, command, message, help);
        } else if script.command.len() > limits::SCRIPT_COMMAND {
            let message =
                format!("the command has {} bytes, {} are the most", script.command.len(), limits::SCRIPT_COMMAND);
            c.error(codes::OUT_OF_RANGE, command, message, "put it into a script");
        } else if script.command.contains(['\n', '\r', '\0']) {
            let help = "write it in one line, or put it into a script";
            c.error(codes::WRONG_VALUE, command, "the command has more than one line", help);
        } else if script.console && !may_be_done_by_a_job(&script.command) {
            not_for_jobs(c, command, &script.command);
        }
        if script.runs_when == RunsWhen::AfterVss && !script.is_for_client() {
            let message = "the director has no snapshot of Windows, so this never runs";
            let help = match script.console {
                false => "set `runs_on_client: true`, or another `runs_when`",
                true => "set another `runs_when`",
            };
            c.error(codes::CONTRADICTION, path.field("runs_when"), message, help);
        }
        if script.is_for_client() && matches!(job.kind, JobKind::Admin | JobKind::Consolidate) {
            let message = "the job has no client, so this never runs";
            let help = "set `runs_on_client: false`";
            c.warning(codes::CONTRADICTION, path.field("runs_on_client"), message, help);
        }
        if !script.runs_on_success && !script.runs_on_failure {
            let message = "this never runs: neither while all is well nor after a failure";
            let help = "set `runs_on_success: true` or `runs_on_failure: true`";
            c.warning(codes::CONTRADICTION, path.field("runs_on_success"), message, help);
        }
    }
}

fn not_for_jobs(c: &mut Checker, command: ConfigPath, line: &str) {
    let word = line.split_whitespace().next().unwrap_or_default();
    let names = || JOB_COMMANDS.iter().copied().filter(|name| !name.starts_with('.'));
    let help = nearest(word, names()).map_or_else(
        || format!("write one of {}", names().collect::<Vec<_>>().join(", ")),
        |name| format!("did you mean {name}?"),
    );
    c.error(codes::NOT_FOR_JOBS, command, format!("a job cannot have a console's command {word:?} done"), help);
}
