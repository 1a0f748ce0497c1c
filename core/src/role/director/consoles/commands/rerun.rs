//! `rerun`: jobs of the catalog once more, with the resources that they had.

use std::collections::VecDeque;

use crate::catalog::{CatalogAnswer, CatalogRequest, JobFilter, JobRow};
use crate::wire::status::{JobLevel, JobType};

use super::super::grammar::Takes::{Nothing, Value};
use super::super::grammar::{Command, Form};
use super::super::questions::choice;
use super::super::questions::modify::{self, Draft};
use super::super::refusal::{BadValue, NoSuch, Refusal, number_of};
use super::super::reply::{Instruction, Reply, View};
use super::super::words::Words;
use crate::role::director::jobs::ordering::{Order, type_of};
use crate::role::director::jobs::terms::Pools;

pub(super) const COMMAND: Command = Command::new(
    "rerun",
    &[Form {
        words: &[
            ("jobid", Value),
            ("since_jobid", Value),
            ("until_jobid", Value),
            ("days", Value),
            ("hours", Value),
            ("yes", Nothing),
        ],
        one_of: &[&["jobid", "since_jobid", "days"], &["jobid", "since_jobid", "hours"], &["jobid", "until_jobid"]],
        help: &[(
            "rerun jobid=N[,N…]|since_jobid=N [until_jobid=N]|days=N|hours=N [yes]",
            "run jobs once more; without jobid those that have failed",
        )],
        ..Form::PLAIN
    }],
    run,
);

/// Jobs of one command.
const MOST: usize = 100;

/// The jobs that are run once more if none is named: as in real directors, not those that somebody has cancelled.
const FAILED: u8 = b'f';

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let ago = |word, seconds: i64| -> Result<i64, BadValue> {
        Ok(number_of::<u32>(words, word)?.map_or(0, |many| i64::from(many) * seconds))
    };
    let back = ago("days", 86_400)? + ago("hours", 3_600)?;
    let (since, until) = (number_of::<u32>(words, "since_jobid")?, number_of::<u32>(words, "until_jobid")?);
    let (filter, wanted) = match words.value(&["jobid"]) {
        Some(text) => {
            let ids: Option<Vec<u32>> = text.split(',').map(|id| id.trim().parse().ok()).collect();
            let ids = ids.filter(|ids| ids.len() <= MOST);
            let ids = ids.ok_or_else(|| BadValue::new("jobid", text, "numbers of jobs with commas between them"))?;
            let job_id = if let [only] = ids[..] { Some(only) } else { None };
            (JobFilter { job_id, limit: 10_000, ..JobFilter::default() }, Some(ids))
        }
        None if back > 0 || since.is_some() => {
            let since = (back > 0).then(|| view.now() - back);
            let types = vec![JobType::Backup.letter(), JobType::Copy.letter(), JobType::Migrate.letter()];
            (JobFilter { since, types, statuses: vec![FAILED], limit: 10_000, ..JobFilter::default() }, None)
        }
        None => return Err(Refusal::usage("Please specify jobid, since_jobid, hours or days: rerun jobid=N.")),
    };
    let words = words.clone();
    let is_first = words.is_first();
    let reply = Reply::ask(CatalogRequest::ListJobs(filter), move |view, answer| {
        let CatalogAnswer::Jobs(mut rows) = answer else { return Err(Refusal::unexpected(answer)) };
        rows.reverse();
        match &wanted {
            Some(ids) => {
                if let Some(missing) = ids.iter().find(|id| !rows.iter().any(|row| row.job_id == **id)) {
                    return Err(Refusal::NoJob(missing.to_string()));
                }
                rows.retain(|row| ids.contains(&row.job_id));
            }
            None => rows.retain(|row| {
                since.is_none_or(|since| row.job_id >= since) && until.is_none_or(|until| row.job_id <= until)
            }),
        }
        if rows.len() > MOST {
            return Err(Refusal::usage(format!("At most {MOST} jobs are run once more by one command: name fewer.")));
        }
        let selected = if wanted.is_none() { selected(&rows) } else { String::new() };
        Ok(order(view, &rows, &words)?.after(selected))
    });
    Ok(reply.using_if(is_first))
}

/// The jobs that were found for a person who has named none.
fn selected(rows: &[JobRow]) -> String {
    let ids: Vec<String> = rows.iter().map(|row| row.job_id.to_string()).collect();
    match ids.as_slice() {
        [] => "No jobids with the specified options were found.\n".to_owned(),
        ids => format!("The following ids were selected for rerun:\n{}\n", ids.join(",")),
    }
}

/// Orders the jobs of these rows, oldest first.
fn order(view: &View<'_>, rows: &[JobRow], words: &Words) -> Result<Reply, Refusal> {
    let mut after = VecDeque::new();
    let mut text = String::new();
    for row in rows {
        text += &format!("rerunning jobid {}\n", row.job_id);
        after.push_back(again(view, row)?);
    }
    let Some(first) = after.pop_front() else { return Ok(Reply::found(String::new())) };
    Ok(match (after.is_empty(), words.has("yes")) {
        (_, true) => Reply::Do(Instruction::Order(Box::new(Order { after, ..first }))).after(text),
        (true, false) => {
            let from = first.with.client.clone();
            modify::ask(view, Draft { order: first, from }).after(text)
        }
        (false, false) => choice::yes(words, "rerun these jobids? (yes/no): "),
    })
}

/// The order that brings a job once more.
fn again(view: &View<'_>, row: &JobRow) -> Result<Order, Refusal> {
    let config = view.config();
    NoSuch::check(config, super::super::refusal::Kind::Job, &row.name)?;
    let job = config.job(&row.name).filter(|job| type_of(job.kind).is_some());
    let job = job.ok_or_else(|| Refusal::usage("Use restore to restore."))?;
    if !view.director.common.overrides.is_enabled(job) {
        return Err(Refusal::Disabled(job.name.clone()));
    }
    let mut order = Order::of_resource(job, None).ok_or_else(|| Refusal::usage("Use restore to restore."))?;
    if order.kind == JobType::Backup {
        order.level = JobLevel::from_letter(row.level);
        let taken = |of_row: &str, there: bool, own: &mut String| {
            if there && !of_row.is_empty() {
                of_row.clone_into(own);
            }
        };
        taken(&row.client, config.client(&row.client).is_some(), &mut order.with.client);
        taken(&row.file_set, config.fileset(&row.file_set).is_some(), &mut order.with.fileset);
        // What was made of other jobs lies in another pool than that of its resource.
        if order.level != JobLevel::VirtualFull && row.origin == 0 && config.pool(&row.pool).is_some() {
            order.with.pool.clone_from(&row.pool);
            order.terms.pools = Pools::only(&row.pool);
        }
    }
    order.place(config);
    NoSuch::check_order(config, &order)?;
    Ok(order)
}
