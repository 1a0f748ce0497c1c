//! `cancel`: a running job is to end.

use super::super::grammar::Takes::{Nothing, Value};
use super::super::grammar::{A_JOB, Command, Form};
use super::super::questions::choice;
use super::super::refusal::Refusal;
use super::super::reply::{Instruction, Reply, View};
use super::super::words::Words;
use super::wait;

pub(super) const COMMAND: Command = Command::new(
    "cancel",
    &[Form {
        words: &[("jobid", Value), ("job", Value), ("ujobid", Value), ("yes", Nothing)],
        one_of: &[A_JOB],
        help: &[("cancel jobid=N|job=UNIQUE", "cancel a job")],
        ..Form::PLAIN
    }],
    run,
);

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let running = || view.jobs().map(|job| job.unique.clone()).collect::<Vec<String>>();
    if A_JOB.iter().all(|word| !words.has(word)) && view.jobs().next().is_some() {
        return Ok(choice::menu(
            words,
            "job",
            ("Select Job(s):", "Job"),
            running(),
            "Name a running job: cancel jobid=N.",
        ));
    }
    let wanted = words.value(A_JOB).unwrap_or_default();
    if let Some(job) = view.job(wanted) {
        return Ok(match job.life.is_recording() {
            true => Reply::found(format!("JobId {} has ended; its end is being recorded.\n", job.id)),
            false => Reply::Do(Instruction::Cancel(job.id)),
        });
    }
    if let Some(kept) = view.unrecorded(wanted) {
        let (id, status) = (kept.job.id, wait::word(kept.job.status));
        let text = format!("JobId {id} has ended ({status}); only the record of its end waits for the catalog.\n");
        return Ok(Reply::found(text));
    }
    match wanted {
        "" => Err(Refusal::usage("Name a running job: cancel jobid=N.")),
        _ => Err(Refusal::NotRunning { wanted: wanted.to_owned(), usage: "cancel jobid=N" }),
    }
}
