//! `restore bootstrap=FILE`: what a bootstrap names, from volumes and without the catalog's files (`wire/3 §6`). The file is on
//! the director, as a backup has written it with `write_bootstrap`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::catalog::restore_selection::RestorePlan as Selected;
use crate::catalog::{CatalogAnswer, CatalogRequest};
use crate::role::director::jobs::job::{RestorePart, RestorePlan};
use crate::role::director::jobs::lists::Wanted;
use crate::role::director::jobs::ordering::{Order, Resources};
use crate::wire::bsr::{Bootstrap, Section};
use crate::wire::file::RestoreTo;
use crate::wire::status::{JobLevel, JobType};

use super::super::super::questions::choice;
use super::super::super::questions::modify::{self, Draft};
use super::super::super::refusal::{Kind, NoSuch, Refusal};
use super::super::super::reply::{Gathered, Instruction, Reply, View};
use super::super::super::words::Words;
use super::plan::needed_volumes;
use super::{choose_job, place, place_of_job, replace, restore_job};

/// How it is used.
const USAGE: &str = "Name the file and the client: restore bootstrap=/PATH client=NAME [where=FOLDER] [yes].";

/// What is known but for the bootstrap.
#[derive(Debug)]
struct Restoring {
    words: Words,
    client: String,
    to: RestoreTo,
    replace: u8,
    job: String,
}

/// Has the file read.
pub(super) fn run(view: &View<'_>, words: &Words, file: &str) -> Result<Reply, Refusal> {
    // Whose files they are, and what else the director can read, is nothing for a console that may not see everything.
    if !view.access().is_some_and(|access| access.is_open()) {
        return Err(Refusal::NotForSome);
    }
    if !file.starts_with('/') {
        return Err(Refusal::usage(USAGE));
    }
    let Some(client) = words.value(&["restoreclient", "client", "backupclient"]) else {
        return choice::resource(view, words, Kind::Client, "client", USAGE);
    };
    NoSuch::check(view.config(), Kind::Client, client)?;
    let Some(job) = restore_job(view, words)? else { return choose_job(view, words) };
    let restoring = Restoring {
        words: words.clone(),
        client: client.to_owned(),
        to: place(words)?.unwrap_or_else(|| place_of_job(job)),
        replace: replace(words, job.replace)?,
        job: job.name.clone(),
    };
    let file = file.to_owned();
    let wanted = Wanted::of_file(&file);
    Ok(Reply::Gather(
        wanted,
        Gathered::new(move |_, lists| {
            let text = lists.of(&file).join(&b'\n');
            match Bootstrap::parse(&text) {
                Ok(bootstrap) => Ok(restoring.look_for(bootstrap)),
                Err(why) => Err(Refusal::NoBootstrap { file, why: why.problem.to_string() }),
            }
        }),
    ))
}

impl Restoring {
    /// Asks whether the volumes are there.
    fn look_for(self, bootstrap: Bootstrap) -> Reply {
        Reply::ask(CatalogRequest::ListMedia { pool: None }, move |view, answer| {
            let CatalogAnswer::Volumes(known) = answer else { return Err(Refusal::unexpected(answer)) };
            let known: BTreeSet<&str> = known.iter().map(|row| row.volume_name.as_str()).collect();
            let gone: BTreeSet<&str> = bootstrap.volumes().filter(|volume| !known.contains(volume)).collect();
            if !gone.is_empty() {
                return Err(Refusal::VolumesGone(gone.into_iter().collect::<Vec<_>>().join(", ")));
            }
            self.order(view, bootstrap)
        })
    }

    fn order(self, view: &View<'_>, bootstrap: Bootstrap) -> Result<Reply, Refusal> {
        let config = view.config();
        let job = config.job(&self.job).ok_or(Refusal::NoFile)?;
        let files = counted(&bootstrap.sections);
        let ids = &view.ids().storages;
        let mut parts = VecDeque::new();
        for (storage, bootstrap) in bootstrap.split_by_storage(|_, _| false) {
            let storage = storage.unwrap_or_else(|| job.storage.clone());
            if config.storage(&storage).is_none() {
                return Err(Refusal::StorageGone(storage));
            }
            let storage_id = ids.get(&storage).copied().unwrap_or_default();
            parts.push_back(RestorePart { storage, storage_id, bootstrap });
        }
        let text: String = parts.iter().map(|part| needed_volumes(config, part)).collect();
        let text = match files {
            Some(files) => format!("{text}{files} files selected to be restored.\n"),
            None => text,
        };
        let RestorePart { storage, bootstrap, .. } = parts.pop_front().ok_or(Refusal::NoFile)?;
        let selected = Selected { bootstrap, files: files.unwrap_or_default() };
        let plan = RestorePlan {
            rest: parts,
            is_counted: files.is_some(),
            ..RestorePlan::of_one(selected, self.to, self.replace)
        };
        let with = Resources { client: self.client.clone(), fileset: String::new(), storage, pool: job.pool.clone() };
        let order = Order::of(self.job, JobType::Restore, JobLevel::Other(b' '), with);
        let mut order = Order { restore: Some(plan), catalog: Some(view.catalog().into()), ..order };
        order.terms.plugin_options = self.words.value(&["pluginoptions"]).map(str::to_owned);
        NoSuch::check_order(config, &order)?;
        let reply = match self.words.has("yes") {
            true => Reply::Do(Instruction::Order(Box::new(order))),
            false => modify::ask(view, Draft { order, from: self.client }),
        };
        Ok(reply.after(text))
    }
}

/// How many files the sections name: each of a session once, on whatever volumes it lies. `None` if one of them does not say.
fn counted(sections: &[Section]) -> Option<u64> {
    let mut of_session: BTreeMap<_, Vec<(u32, u32)>> = BTreeMap::new();
    for section in sections {
        if section.file_indexes.is_empty() || section.file_regex.is_some() {
            return None;
        }
        let session = (section.session_ids.clone(), section.session_times.clone(), section.job_ids.clone());
        of_session.entry(session).or_default().extend(&section.file_indexes);
    }
    let mut files = 0;
    for mut ranges in of_session.into_values() {
        ranges.sort_unstable();
        let mut next = 0;
        for (first, last) in ranges {
            let first = u64::from(first).max(next);
            let end = u64::from(last) + 1;
            files += end.saturating_sub(first);
            next = next.max(end);
        }
    }
    Some(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_on_two_volumes_counts_once_and_of_each_session_for_itself() {
        let section = |session: u32, file_indexes: &[(u32, u32)]| Section {
            volumes: vec!["v".to_owned()],
            session_ids: vec![(session, session)],
            file_indexes: file_indexes.to_vec(),
            ..Section::default()
        };
        let sections = [section(1, &[(1, 3), (7, 7)]), section(1, &[(7, 9)]), section(2, &[(2, 2)])];
        assert_eq!(counted(&sections), Some(7));
        assert_eq!(counted(&[section(1, &[(1, 5), (2, 3), (4, 8)])]), Some(8));
        assert_eq!(counted(&[section(1, &[(1, 1)]), section(1, &[])]), None);
    }
}
