//! A consolidation: always incremental jobs one after the other, each with three questions to the catalog (`wire/3 §7.8`).

use crate::catalog::{CatalogAnswer, CatalogRequest};
use crate::role::director::common::Tools;
use crate::script::{Act, Acted, Expect, Step};

use super::super::consolidating;
use super::super::dialogue::{News, Want};
use super::super::job::Job;
use super::{news, unexpected};

/// Begins again for each job, and ends after the last.
pub(super) static TABLE: &[Step<Job>] = &[
    Step { name: "the backups of the next job", act: ask_chain, expect: news(learn_chain) },
    Step { name: "purging backups without files", act: purge, expect: news(purged) },
    Step { name: "ordering a virtual full", act: order, expect: Expect::Nothing },
    Step { name: "going on to the next job", act: again, expect: Expect::Nothing },
];

fn ask_chain(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    let request = consolidating::next(job, tools.net.wall().seconds())?;
    Ok(request.map_or(Act::End, |(catalog, request)| Act::Want(Want::AskIn(catalog, request))))
}

fn learn_chain(job: &mut Job, news: News, tools: &mut Tools<'_>) -> Acted<Job> {
    let News::Catalog(CatalogAnswer::Jobs(rows)) = news else { return unexpected(&news) };
    let text = consolidating::decide(job, &rows, tools.net.wall().seconds())?;
    tools.note(job, &text);
    Ok(Act::Next)
}

fn purge(job: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    let empty = job.task.consolidating()?.empty();
    let request = |(catalog, jobs)| Act::Want(Want::AskIn(catalog, CatalogRequest::DeleteJobs(jobs)));
    Ok(empty.map_or(Act::Next, request))
}

fn purged(_: &mut Job, news: News, _: &mut Tools<'_>) -> Acted<Job> {
    let News::Catalog(CatalogAnswer::Changed(_)) = news else { return unexpected(&news) };
    Ok(Act::Next)
}

fn order(job: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    Ok(consolidating::order(job)?.map_or(Act::Next, |order| Act::Want(Want::Order(order))))
}

fn again(_: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    Ok(Act::Again)
}
