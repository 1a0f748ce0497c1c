//! `list files`: what a job saved.

use crate::catalog::{CatalogAnswer, CatalogRequest, FileKey, FileRow};
use crate::printable;
use crate::wire::json::Json;

use super::super::super::answer::Shown;
use super::super::super::output::Api;
use super::super::super::refusal::Refusal;
use super::super::super::reply::{Reply, View};
use super::super::super::words::Words;
use super::{Manner, with_job};

/// Files of a job shown at a time.
const PAGE: u32 = 1_000;

/// Files that a document may list: it must be whole before a console reads any of it.
const MAX_FILES: usize = 10_000;

/// Bytes of their names.
const MAX_FILE_BYTES: usize = 2 * 1024 * 1024;

/// What is left to list of a job.
#[derive(Clone, Debug)]
struct Rest {
    job_id: u32,
    after: Option<FileKey>,
    /// Files that are passed over first.
    offset: u32,
    /// At most so many more.
    limit: u32,
}

pub(super) fn run(_: &View<'_>, words: &Words, manner: Manner) -> Result<Reply, Refusal> {
    let (offset, limit) = (manner.range.offset.unwrap_or(0), manner.range.limit.unwrap_or(u32::MAX));
    with_job(words, "list files", move |job| {
        Ok(files(Rest { job_id: job.job_id, after: None, offset, limit }, Vec::new(), 0))
    })
}

/// A page of a job's files, then the next. A document has them all, so they are gathered for it: `listed`, whose names
/// have so many bytes.
fn files(rest: Rest, mut listed: Vec<FileRow>, mut bytes: usize) -> Reply {
    let request = CatalogRequest::ListFiles { job_id: rest.job_id, after: rest.after.clone(), limit: PAGE };
    Reply::ask(request, move |view, answer| {
        let CatalogAnswer::FileList { files: mut page, next } = answer else { return Err(Refusal::unexpected(answer)) };
        let passed = page.len().min(rest.offset as usize);
        page.drain(..passed);
        page.truncate(rest.limit as usize);
        let taken = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let left = rest.limit - taken(page.len());
        let next = next.filter(|_| left > 0);
        let after = next.map(|after| Rest {
            job_id: rest.job_id,
            after: Some(after),
            offset: rest.offset - taken(passed),
            limit: left,
        });
        if matches!(view.api(), Api::Json { .. }) {
            bytes += page.iter().map(FileRow::bytes).sum::<usize>();
            listed.extend(page);
            if listed.len() > MAX_FILES || bytes > MAX_FILE_BYTES {
                return Err(Refusal::TooManyFiles(MAX_FILES));
            }
            return Ok(match after {
                Some(after) => files(after, listed, bytes),
                None => Reply::found(Files(listed)),
            });
        }
        let page = Files(page).text();
        let rest = after.map_or_else(|| Reply::found(String::new()), |after| files(after, Vec::new(), 0));
        Ok(if page.is_empty() { rest } else { Reply::Page(page, Box::new(rest)) })
    })
}

/// The names of files, as a command takes them.
#[derive(Debug)]
struct Files(Vec<FileRow>);

impl Shown for Files {
    fn text(&self) -> String {
        self.0.iter().map(|file| format!(" {}\n", printable::name(&file.name))).collect()
    }

    fn json(&self) -> Option<Json> {
        let name = |file: &FileRow| Json::object([("filename", printable::name(&file.name).into())]);
        Some(Json::object([("filenames", Json::List(self.0.iter().map(name).collect()))]))
    }
}
