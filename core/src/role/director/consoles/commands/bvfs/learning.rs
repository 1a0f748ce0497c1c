//! `.bvfs_update`, `.bvfs_clear_cache`: what the catalog knows of the folders of jobs.

use std::collections::VecDeque;

use crate::catalog::browse::{Browse, Browsed, Step};

use super::super::super::answer::Both;
use super::super::super::grammar::Takes::{Nothing, Value};
use super::super::super::grammar::{Command, Form};
use super::super::super::refusal::Refusal;
use super::super::super::reply::Reply;
use super::{browse, numbers, unexpected};
use crate::wire::json::Json;

pub(in super::super) const UPDATE: Command = Command::new(
    ".bvfs_update",
    &[Form {
        words: &[("jobid", Value)],
        help: &[(".bvfs_update [jobid=N,…]", "learns the folders of jobs, or of all good backups")],
        ..Form::PLAIN
    }],
    |_, words| Ok(learned(numbers(words, "jobid")?.unwrap_or_default(), || Ok(nothing("")))),
);

pub(in super::super) const CLEAR: Command = Command::new(
    ".bvfs_clear_cache",
    &[Form {
        words: &[("yes", Nothing)],
        help: &[(".bvfs_clear_cache yes", "forgets the folders of all jobs")],
        ..Form::PLAIN
    }],
    |_, words| {
        if !words.has("yes") {
            return Err(Refusal::usage("Say that it is meant: .bvfs_clear_cache yes."));
        }
        Ok(browse(Browse::Forget, |_, browsed| match browsed {
            Browsed::Learned(_) => Ok(nothing("OK\n")),
            other => Err(unexpected(other)),
        }))
    },
);

/// An answer that says nothing to a program.
pub(super) fn nothing(text: &str) -> Reply {
    Reply::found(Both { text: text.to_owned(), json: Json::Object(Vec::new()) })
}

/// Goes on once the catalog knows the folders of these jobs, as far as they have ended; without any, of all good backups.
pub(super) fn learned(jobs: Vec<u32>, then: impl FnOnce() -> Result<Reply, Refusal> + Send + 'static) -> Reply {
    browse(Browse::Unlearned(jobs), move |_, browsed| match browsed {
        Browsed::Jobs(jobs) => learn(jobs.into(), Step::FIRST, Box::new(then)),
        other => Err(unexpected(other)),
    })
}

type Then = Box<dyn FnOnce() -> Result<Reply, Refusal> + Send>;

/// A step of the first of these jobs, then the others: between two steps the catalog does what else it is asked.
fn learn(mut jobs: VecDeque<u32>, step: Step, then: Then) -> Result<Reply, Refusal> {
    let Some(&job_id) = jobs.front() else { return then() };
    Ok(browse(Browse::Learn { job_id, step }, move |_, browsed| match browsed {
        Browsed::Learned(Some(next)) => learn(jobs, next, then),
        Browsed::Learned(None) => {
            jobs.pop_front();
            learn(jobs, Step::FIRST, then)
        }
        other => Err(unexpected(other)),
    }))
}
