//! What a person should look at: the last jobs that failed, and places that do not take messages.

use crate::calendar::Civil;
use crate::role::director::jobs::recording::Finished;
use crate::role::post::Stuck;

use super::super::super::answer::{Cell, Column};
use super::super::super::reply::View;

/// A job that has failed, and why.
#[derive(Debug)]
pub(super) struct Failed {
    job: Finished,
    ended: Civil,
    reason: String,
}

impl Failed {
    pub(super) const COLUMNS: &[Column<Self>] = &[
        Column("jobid", |row| Cell::number(row.job.id.0)),
        Column("name", |row| Cell::text_of(&row.job.name)),
        Column("jobstatus", |row| Cell::letter(row.job.status.letter())),
        Column("finished", |row| Cell::Text(row.ended.short())),
        Column("reason", |row| Cell::text_of(&row.reason)),
    ];

    /// Those that a console sees, the newest last.
    pub(super) fn of(view: &View<'_>) -> Vec<Self> {
        let failed = view.director.jobs.failed().rev().filter(|(job, _)| view.sees(&job.name, ""));
        let identity = &view.director.common.identity;
        failed
            .map(|(job, reason)| Self { job: job.clone(), ended: identity.local(job.ended), reason: reason.clone() })
            .collect()
    }

    fn line(&self) -> String {
        let Self { job, ended, reason } = self;
        let reason = if reason.is_empty() { "its report says why" } else { reason };
        format!("  JobId {} {} {} {}: {reason}\n", job.id, job.name, char::from(job.status.letter()), ended.short())
    }
}

pub(super) const UNDELIVERED: &[Column<Stuck>] = &[
    Column("destination", |row| Cell::text_of(&row.target)),
    Column("waiting", |row| Cell::number(i64::try_from(row.waiting).unwrap_or(i64::MAX))),
    Column("lost", |row| Cell::number(i64::try_from(row.lost).unwrap_or(i64::MAX))),
    Column("reason", |row| Cell::text_of(&row.trouble)),
];

/// Both as sections of a text, each if there is something in it.
pub(super) fn sections(failed: &[Failed], stuck: &[Stuck]) -> String {
    let mut text = String::new();
    if !failed.is_empty() {
        text += "\nFailed Jobs:\n";
        text.extend(failed.iter().map(Failed::line));
        text += "====\n";
    }
    if !stuck.is_empty() {
        text += "\nUndelivered Messages:\n";
        for Stuck { target, waiting, lost, trouble } in stuck {
            text += &format!("  {target}: {waiting} waiting, {lost} lost; {trouble}\n");
        }
        text += "====\n";
    }
    text
}
