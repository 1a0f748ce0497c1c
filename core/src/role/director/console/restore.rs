//! A restore from the client's name to the order: which jobs, which files, where they lie.

use crate::ids::ConnId;
use crate::node::Net;
use crate::wire::status::{JobLevel, JobType};

use crate::config::{JobKind, Replace};

use super::super::Director;
use super::super::catalog::{CatalogAnswer, CatalogRequest, JobRow, RestoreFiles};
use super::super::job::RestorePlan;
use super::super::restore_selection::{self, RestorePlan as Selected};
use super::super::running::Order;
use super::words::Words;
use super::{Asked, show};

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
    files: Vec<RestoreFiles>,
}

impl Director {
    /// `restore client=… all done`.
    pub(super) fn restore(&mut self, net: &mut Net, conn: ConnId, words: &Words) {
        let known =
            ["client", "fileset", "where", "replace", "restorejob", "select", "current", "all", "done", "yes", "jobid"];
        if let Some(word) = words.unknown(&known) {
            return self.console_fails(net, conn, &format!("restore does not know the word \"{word}\".\n"));
        }
        if !(words.has("all") && words.has("done")) {
            let text =
                "Only whole backups can be restored: restore client=NAME [fileset=NAME] [where=FOLDER] all done yes\n";
            return self.console_fails(net, conn, text);
        }
        let only = (self.config.clients.len() == 1).then(|| self.config.clients[0].name.as_str());
        let Some(client) = words.value(&["client"]).or(only) else {
            return self.console_fails(net, conn, "Name a client: restore client=NAME all done.\n");
        };
        if self.config.client(client).is_none() {
            return self.console_fails(net, conn, &format!("There is no client \"{client}\".\n"));
        }
        let resource = match words.value(&["restorejob"]) {
            Some(name) => self.config.job(name),
            None => self.config.jobs.iter().find(|job| job.kind == JobKind::Restore),
        };
        let Some(job) = resource.filter(|job| job.kind == JobKind::Restore) else {
            return self.console_fails(net, conn, "The configuration has no such job with kind: restore.\n");
        };
        let replace = match words.value(&["replace"]).map(str::to_lowercase).as_deref() {
            None => match job.replace {
                Replace::Always => b'a',
                Replace::IfNewer => b'w',
                Replace::IfOlder => b'o',
                Replace::Never => b'n',
            },
            Some("always") => b'a',
            Some("ifnewer") => b'w',
            Some("ifolder") => b'o',
            Some("never") => b'n',
            Some(other) => {
                let text = format!("replace={other}: say always, ifnewer, ifolder or never.\n");
                return self.console_fails(net, conn, &text);
            }
        };
        let restoring = Restoring {
            client: client.to_owned(),
            fileset: words.value(&["fileset"]).map(str::to_owned),
            to: words.value(&["where"]).map_or_else(|| job.r#where.clone().unwrap_or_default(), str::to_owned),
            replace,
            yes: words.has("yes"),
            job: job.name.clone(),
            exact: words.value(&["jobid"]).is_some(),
            jobs: Vec::new(),
            files: Vec::new(),
        };
        self.console_prints(net, conn, "Using Catalog \"default\"\n");
        let request = match words.value(&["jobid"]).map(str::parse) {
            Some(Ok(job_id)) => CatalogRequest::ListJobs(super::super::catalog::JobFilter {
                limit: 1,
                job_id: Some(job_id),
                ..Default::default()
            }),
            Some(Err(_)) => return self.console_fails(net, conn, "jobid= wants a number.\n"),
            None => CatalogRequest::JobsForRestore {
                client: restoring.client.clone(),
                file_set: restoring.fileset.clone(),
                before: i64::MAX,
            },
        };
        self.console_asks(net, conn, Asked::Restore(Box::new(restoring)), request);
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
                return self.console_done(net, conn, "The catalog has no job of this number.\n");
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
                let text = show::restore_jobs(&restoring.jobs, self.identity.utc_offset);
                self.console_prints(net, conn, &text);
                CatalogRequest::FilesForRestore { jobs: ids(&restoring.jobs), only: Vec::new() }
            }
            CatalogAnswer::RestoreFiles(files) => {
                restoring.files = files;
                CatalogRequest::JobMediaOf { jobs: ids(&restoring.jobs) }
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

    fn order_restore(&mut self, net: &mut Net, conn: ConnId, restoring: Restoring, selected: Selected) {
        let sections = &selected.bootstrap.sections;
        let Some(storage) = sections.first().map(|first| first.storage.clone().unwrap_or_default()) else {
            return self.console_fails(net, conn, "There is no file to restore.\n");
        };
        if sections.iter().any(|section| section.storage.as_deref() != Some(&storage)) {
            let text = "The files lie on more than one storage: that cannot be restored in one job yet.\n";
            return self.console_fails(net, conn, text);
        }
        let mut volumes: Vec<&str> =
            sections.iter().flat_map(|section| section.volumes.iter().map(String::as_str)).collect();
        volumes.dedup();
        let text = format!(
            "The job needs these volumes of storage {storage}: {}\n{} files selected to be restored.\n",
            volumes.join(", "),
            selected.files
        );
        self.console_prints(net, conn, &text);
        let pool = self.config.job(&restoring.job).map(|job| job.pool.clone()).unwrap_or_default();
        let fileset = restoring.jobs.first().map(|job| job.file_set.clone()).unwrap_or_default();
        let plan = RestorePlan { selected, to: restoring.to, replace: restoring.replace };
        let order = Order {
            name: restoring.job,
            kind: JobType::Restore,
            level: JobLevel::Other(b' '), // announced so (`wire/3 §0.4`)
            accurate: false,
            client: restoring.client,
            fileset,
            storage,
            pool,
            restore: Some(plan),
            original: None,
            console: Some(conn),
            unique: String::new(),
            scheduled: 0,
        };
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

fn ids(jobs: &[JobRow]) -> Vec<u32> {
    jobs.iter().map(|job| job.job_id).collect()
}
