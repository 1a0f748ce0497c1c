//! A restore from the client's name to the order: which jobs, which files, where they lie.

use std::collections::VecDeque;

use crate::calendar::Civil;
use crate::ids::ConnId;
use crate::printable;
use crate::role::director::Net;
use crate::wire::bsr::Bootstrap;
use crate::wire::status::{JobLevel, JobType};

use crate::config::{JobKind, Replace};

use super::super::Director;
use super::super::gone::Gone;
use super::super::job::{RestorePart, RestorePlan};
use super::super::ordering::{Order, Resources};
use super::words::Words;
use super::{Asked, show};
use crate::catalog::restore_selection::{self, RestorePlan as Selected};
use crate::catalog::{CatalogAnswer, CatalogRequest, JobFilter, JobRow, RestoreFiles};

/// How to ask for a restore.
const USAGE: &str =
    "Say what to restore: restore client=NAME all done, or restore client=NAME file=/PATH [file=/PATH …] done.\n";

/// Values of `file=` in one command: each is a question to the catalog.
const MAX_PATHS: usize = 100;

/// A restore whose catalog questions are under way.
#[derive(Debug)]
pub(super) struct Restoring {
    client: String,
    fileset: Option<String>,
    to: String,
    replace: u8,
    yes: bool,
    job: String,
    /// Somebody named the job: what it saved is restored, and nothing of the jobs before it.
    exact: bool,
    jobs: Vec<JobRow>,
    /// What the catalog is asked for next; the one that is asked for is the first. Without any, all files are wanted.
    paths: VecDeque<Vec<u8>>,
    files: Vec<RestoreFiles>,
}

impl Director {
    /// `restore client=… all done`, or `file=…` instead of `all`.
    pub(super) fn restore(&mut self, net: &mut Net, conn: ConnId, words: &Words) {
        match self.read_restore(words, net.wall().seconds()) {
            Ok((restoring, request)) => {
                self.console_prints(net, conn, "Using Catalog \"default\"\n");
                self.console_asks(net, conn, Asked::Restore(Box::new(restoring)), request);
            }
            Err(text) => self.console_fails(net, conn, &text),
        }
    }

    /// The restore that a line asks for, and the first question to the catalog.
    fn read_restore(&self, words: &Words, now: i64) -> Result<(Restoring, CatalogRequest), String> {
        let paths = paths(words)?;
        if !words.has("done") || words.has("all") != paths.is_empty() {
            return Err(USAGE.to_owned());
        }
        let only = (self.config.clients.len() == 1).then(|| self.config.clients[0].name.as_str());
        let Some(client) = words.value(&["client"]).or(only) else {
            return Err("Name a client: restore client=NAME all done.\n".to_owned());
        };
        if self.config.client(client).is_none() {
            return Err(self.no_such("client", client));
        }
        let resource = match words.value(&["restorejob"]) {
            Some(name) => self.config.job(name),
            None => self.config.jobs.iter().find(|job| job.kind == JobKind::Restore),
        };
        let Some(job) = resource.filter(|job| job.kind == JobKind::Restore) else {
            return Err("The configuration has no such job with kind: restore.\n".to_owned());
        };
        let restoring = Restoring {
            client: client.to_owned(),
            fileset: words.value(&["fileset"]).map(str::to_owned),
            to: place(words)?.or_else(|| job.r#where.clone()).unwrap_or_default(),
            replace: replace(words, job.replace)?,
            yes: words.has("yes"),
            job: job.name.clone(),
            exact: words.value(&["jobid"]).is_some(),
            jobs: Vec::new(),
            paths,
            files: Vec::new(),
        };
        let request = self.jobs_to_restore(words, &restoring, now)?;
        Ok((restoring, request))
    }

    fn jobs_to_restore(&self, words: &Words, restoring: &Restoring, now: i64) -> Result<CatalogRequest, String> {
        if let Some(number) = words.value(&["jobid"]) {
            let job_id = number.parse().map_err(|_| "jobid= wants a number.\n".to_owned())?;
            return Ok(CatalogRequest::ListJobs(JobFilter { limit: 1, job_id: Some(job_id), ..Default::default() }));
        }
        let before = match words.value(&["before"]) {
            None => i64::MAX,
            Some(text) => {
                let shown = Civil::parse(text)
                    .ok_or_else(|| format!("before={text}: say a date such as \"2026-11-23 13:01:00\".\n"))?;
                self.identity.zone.moment_of(shown.seconds())
            }
        };
        Ok(CatalogRequest::JobsForRestore {
            client: restoring.client.clone(),
            name: None,
            file_set: restoring.fileset.clone(),
            before,
            now,
        })
    }

    /// The catalog's answers, one after the other: jobs, files, pieces.
    pub(super) fn restore_goes_on(
        &mut self,
        net: &mut Net,
        conn: ConnId,
        mut restoring: Restoring,
        answer: CatalogAnswer,
    ) {
        let request = match answer {
            CatalogAnswer::Jobs(candidates) if restoring.exact && candidates.is_empty() => {
                return self.console_fails(net, conn, "The catalog has no job of this number.\n");
            }
            CatalogAnswer::Jobs(candidates) => {
                let chosen = if restoring.exact {
                    Ok(candidates)
                } else {
                    restore_selection::choose_jobs(&candidates, restoring.fileset.as_deref())
                };
                match chosen {
                    Ok(jobs) => restoring.jobs = jobs,
                    Err(error) => return self.console_fails(net, conn, &format!("{error}\n")),
                }
                let text = show::restore_jobs(&restoring.jobs, &self.identity.zone);
                self.console_prints(net, conn, &text);
                restoring.ask_files()
            }
            CatalogAnswer::RestoreFiles(files) => {
                if let Some(path) = restoring.paths.pop_front().filter(|_| files.is_empty()) {
                    let path = printable::name(&path);
                    let text = format!("{path} is not in the backup: it is written as list files jobid=N shows it.\n");
                    return self.console_fails(net, conn, &text);
                }
                restoring.files = restore_selection::join(std::mem::take(&mut restoring.files), files);
                match restoring.paths.is_empty() {
                    true => CatalogRequest::JobMediaOf { jobs: ids(&restoring.jobs) },
                    false => restoring.ask_files(),
                }
            }
            CatalogAnswer::Pieces(pieces) => {
                let device = |name: &str| self.config.storage(name).map(|storage| storage.device.clone());
                return match restore_selection::plan(&restoring.jobs, &restoring.files, &pieces, None, device) {
                    Ok(selected) => self.order_restore(net, conn, restoring, selected),
                    Err(error) => self.console_fails(net, conn, &format!("{error}\n")),
                };
            }
            other => return self.console_fails(net, conn, &format!("unexpected answer of the catalog: {other:?}\n")),
        };
        self.console_asks(net, conn, Asked::Restore(Box::new(restoring)), request);
    }

    fn order_restore(&mut self, net: &mut Net, conn: ConnId, restoring: Restoring, mut selected: Selected) {
        let parts = selected.bootstrap.split_by_storage(|_, _| false);
        let part = |(storage, bootstrap): (Option<String>, Bootstrap)| {
            let storage = storage.unwrap_or_default();
            RestorePart { storage_id: self.setup.storages.get(&storage).copied().unwrap_or(0), storage, bootstrap }
        };
        let mut parts: VecDeque<RestorePart> = parts.into_iter().map(part).collect();
        let text: String = parts.iter().map(needed_volumes).collect();
        self.console_prints(net, conn, &format!("{text}{} files selected to be restored.\n", selected.files));
        let unknown = parts.iter().skip(1).find(|part| self.config.storage(&part.storage).is_none());
        if let Some(RestorePart { storage, .. }) = unknown {
            let text = format!("There is no storage \"{storage}\", where a part of the files lies.\n");
            return self.console_fails(net, conn, &text);
        }
        let Some(RestorePart { storage, bootstrap, .. }) = parts.pop_front() else {
            return self.console_fails(net, conn, "There is no file to restore.\n");
        };
        selected.bootstrap = bootstrap;
        let pool = self.config.job(&restoring.job).map(|job| job.pool.clone()).unwrap_or_default();
        let fileset = restoring.jobs.first().map(|job| job.file_set.clone()).unwrap_or_default();
        let gone = Gone::of(&restoring.jobs);
        let plan = RestorePlan { rest: parts, gone, ..RestorePlan::of_one(selected, restoring.to, restoring.replace) };
        let with = Resources { client: restoring.client, fileset, storage, pool };
        // Announced with this level (`wire/3 §0.4`).
        let order = Order::of(restoring.job, JobType::Restore, JobLevel::Other(b' '), with);
        let order = Order { restore: Some(plan), console: Some(conn), ..order };
        if let Some(missing) = self.missing_resource(&order) {
            return self.console_fails(net, conn, &missing);
        }
        if restoring.yes {
            return self.place(net, conn, order);
        }
        let to = order.restore.as_ref().map_or("", |plan| plan.to.as_str());
        let to = if to.is_empty() { "the original places" } else { to };
        let text = format!(
            "Run Restore job\nJobName:  {}\nClient:   {}\nWhere:    {to}\nOK to run? (yes/no): ",
            order.name, order.client
        );
        self.confirm(net, conn, order, &text);
    }
}

impl Restoring {
    /// Asks for the first of the paths, or for all files.
    fn ask_files(&self) -> CatalogRequest {
        let only = self.paths.front().map(|path| {
            let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
            // Whether it is a file or a folder, only the catalog knows.
            let folder = [&path[..end], b"/"].concat();
            if end < path.len() { vec![folder] } else { vec![path.clone(), folder] }
        });
        CatalogRequest::FilesForRestore { jobs: ids(&self.jobs), only: only.unwrap_or_default() }
    }
}

/// The folder that `where=` names: an absolute one, for nobody knows where a client's daemon stands. Empty or `/` means
/// the original places.
fn place(words: &Words) -> Result<Option<String>, String> {
    match words.value(&["where"]) {
        Some(folder) if !folder.is_empty() && !folder.starts_with('/') => {
            Err(format!("where={folder} is no absolute path: begin it with / (T0553).\n"))
        }
        other => Ok(other.map(str::to_owned)),
    }
}

/// The values of `file=`.
fn paths(words: &Words) -> Result<VecDeque<Vec<u8>>, String> {
    let paths: VecDeque<Vec<u8>> = words.values("file").map(<[u8]>::to_vec).collect();
    if let Some(path) = paths.iter().find(|path| !path.starts_with(b"/")) {
        let path = printable::name(path);
        return Err(format!("file={path}: say the whole name, from / on.\n"));
    }
    if paths.len() > MAX_PATHS {
        return Err(format!("At most {MAX_PATHS} file= at once: name a folder, which means all below it.\n"));
    }
    Ok(paths)
}

/// What to do with files that are there: the letter of `wire/2 §1.8`.
fn replace(words: &Words, of_job: Replace) -> Result<u8, String> {
    Ok(match words.value(&["replace"]).map(str::to_lowercase).as_deref() {
        None => match of_job {
            Replace::Always => b'a',
            Replace::IfNewer => b'w',
            Replace::IfOlder => b'o',
            Replace::Never => b'n',
        },
        Some("always") => b'a',
        Some("ifnewer") => b'w',
        Some("ifolder") => b'o',
        Some("never") => b'n',
        Some(other) => return Err(format!("replace={other}: say always, ifnewer, ifolder or never.\n")),
    })
}

/// A line with the volumes that a storage daemon will read.
fn needed_volumes(part: &RestorePart) -> String {
    let sections = part.bootstrap.sections.iter();
    let mut volumes: Vec<&str> = sections.flat_map(|section| section.volumes.iter().map(String::as_str)).collect();
    volumes.dedup();
    format!("The job needs these volumes of storage {}: {}\n", part.storage, volumes.join(", "))
}

fn ids(jobs: &[JobRow]) -> Vec<u32> {
    jobs.iter().map(|job| job.job_id).collect()
}
