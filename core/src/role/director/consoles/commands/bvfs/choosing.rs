//! `.bvfs_restore`, `.bvfs_cleanup`: files and folders are chosen under a name, which `restore file=?NAME` takes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::catalog::browse::{Place, file_of};
use crate::catalog::restore_selection::join;
use crate::catalog::{CatalogAnswer, CatalogName, CatalogRequest, IndexRange, RestoreFiles};

use super::super::super::answer::Answer;
use super::super::super::grammar::Takes::Value;
use super::super::super::grammar::{Command, Form};
use super::super::super::refusal::{BadValue, Refusal};
use super::super::super::reply::{Instruction, Reply, View};
use super::super::super::words::Words;
use super::learning::nothing;
use super::{in_folder, numbers};

/// Choices that are kept; one more lets the oldest go.
const MOST: usize = 100;

/// What programs have chosen and not yet restored. A program may come back for it over another connection.
#[derive(Debug, Default)]
pub(in super::super::super) struct Choices {
    by_name: BTreeMap<Choice, Vec<RestoreFiles>>,
    /// Oldest first.
    order: VecDeque<Choice>,
}

/// A choice: the catalog that it is of, and its name.
type Choice = (CatalogName, String);

impl Choices {
    /// Keeps a choice under a name, in place of one that it had; `None` forgets it.
    pub(in super::super::super) fn put(&mut self, name: Choice, files: Option<Vec<RestoreFiles>>) {
        self.order.retain(|known| *known != name);
        self.by_name.remove(&name);
        let Some(files) = files else { return };
        if self.order.len() >= MOST {
            self.order.pop_front().map(|oldest| self.by_name.remove(&oldest));
        }
        self.order.push_back(name.clone());
        self.by_name.insert(name, files);
    }

    /// What was chosen under a name.
    pub(in super::super::super) fn of(&self, catalog: &str, name: &str) -> Option<&[RestoreFiles]> {
        self.by_name.get(&(catalog.into(), name.to_owned())).map(Vec::as_slice)
    }
}

pub(in super::super) const RESTORE: Command = Command::new(
    ".bvfs_restore",
    &[Form {
        words: &[("path", Value), ("jobid", Value), ("fileid", Value), ("dirid", Value), ("hardlink", Value)],
        help: &[(
            ".bvfs_restore path=b2N jobid=N,… [fileid=N,…] [dirid=N,…] [hardlink=JOBID,FILEINDEX,…]",
            "chooses files and folders of these jobs under a name, for restore file=?b2N",
        )],
        ..Form::PLAIN
    }],
    run,
);

pub(in super::super) const CLEANUP: Command = Command::new(
    ".bvfs_cleanup",
    &[Form {
        words: &[("path", Value)],
        help: &[(".bvfs_cleanup path=b2N", "forgets what was chosen under a name")],
        ..Form::PLAIN
    }],
    |_, words| {
        let name = name(words, ".bvfs_cleanup path=b2N")?;
        Ok(Reply::Done(Instruction::Choose(name, None), answer(nothing(""))))
    },
);

/// What a reply ends with that has nothing more to ask.
fn answer(reply: Reply) -> Answer {
    if let Reply::Answer(answer) = reply { answer } else { Answer::said("") }
}

fn name(words: &Words, usage: &'static str) -> Result<String, Refusal> {
    let name = words.value(&["path"]).ok_or_else(|| Refusal::usage(format!("Say under which name: {usage}.")))?;
    let digits = name.strip_prefix("b2").unwrap_or_default();
    match (1..=18).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(name.to_owned()),
        false => Err(BadValue::new("path", name, "b2 with a number after it").into()),
    }
}

fn run(_: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let name = name(words, ".bvfs_restore path=b2N jobid=N fileid=N")?;
    let jobs: Vec<u32> = numbers(words, "jobid")?.unwrap_or_default();
    if jobs.is_empty() {
        return Err(Refusal::usage("Name the jobs: .bvfs_restore path=b2N jobid=N,N fileid=N."));
    }
    let mut chosen: BTreeSet<(u32, u32)> = BTreeSet::new();
    for id in numbers::<u64>(words, "fileid")?.unwrap_or_default() {
        let wrong = || BadValue::new("fileid", &id.to_string(), "the fileid of an entry that .bvfs_lsfiles shows");
        chosen.insert(file_of(id).ok_or_else(wrong)?);
    }
    let links: Vec<u32> = numbers(words, "hardlink")?.unwrap_or_default();
    if !links.len().is_multiple_of(2) {
        return Err(BadValue::new("hardlink", "…", "pairs of a jobid and a file index").into());
    }
    chosen.extend(links.chunks(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?))));
    let folders: Vec<i64> = numbers(words, "dirid")?.unwrap_or_default();
    if chosen.is_empty() && folders.is_empty() {
        return Err(Refusal::usage("Choose something: fileid=N, dirid=N or hardlink=JOBID,FILEINDEX."));
    }
    if let Some((job, _)) = chosen.iter().find(|(job, _)| !jobs.contains(job)) {
        return Err(Refusal::usage(format!("A file of job {job} is chosen, which is none of jobid=.")));
    }
    let files = chosen
        .into_iter()
        .map(|(job_id, index)| RestoreFiles { job_id, ranges: vec![IndexRange { first: index, last: index }] })
        .fold(Vec::new(), |files, one| join(files, vec![one]));
    Ok(paths(name, jobs, folders.into(), Vec::new(), files))
}

/// The names of the folders, one after the other; then what is in them.
fn paths(
    name: String,
    jobs: Vec<u32>,
    mut ids: VecDeque<i64>,
    mut only: Vec<Vec<u8>>,
    files: Vec<RestoreFiles>,
) -> Reply {
    if let Some(id) = ids.pop_front() {
        return in_folder(Place::Id(id), move |_, folder| {
            only.push(folder.path);
            Ok(paths(name, jobs, ids, only, files))
        });
    }
    if only.is_empty() {
        return chosen(name, files);
    }
    // The folder of all roots is everything.
    let only = if only.iter().any(Vec::is_empty) { Vec::new() } else { only };
    Reply::ask(CatalogRequest::FilesForRestore { jobs, only }, move |_, answer| match answer {
        CatalogAnswer::RestoreFiles(more) => Ok(chosen(name, join(files, more))),
        other => Err(Refusal::unexpected(other)),
    })
}

fn chosen(name: String, files: Vec<RestoreFiles>) -> Reply {
    if files.is_empty() {
        return Reply::refused(Refusal::NoFile);
    }
    Reply::Done(Instruction::Choose(name, Some(files)), answer(nothing("OK\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_choices_are_kept_and_one_more_lets_the_oldest_go() {
        let mut choices = Choices::default();
        (0..MOST).for_each(|number| choices.put(("c".into(), format!("b2{number}")), Some(Vec::new())));
        choices.put(("c".into(), "b20".to_owned()), Some(Vec::new()));
        assert!(choices.of("c", "b21").is_some(), "the same name again is no more");
        choices.put(("c".into(), "b2999".to_owned()), Some(Vec::new()));
        assert!(choices.of("c", "b20").is_some() && choices.of("c", "b21").is_none(), "b20 was chosen anew");
        choices.put(("c".into(), "b20".to_owned()), None);
        assert!(choices.of("c", "b20").is_none());
    }
}
