//! `wait`: a console waits until jobs have ended, and hears how they did.

use std::collections::BTreeMap;

use crate::ids::ConnId;
use crate::role::director::Net;
use crate::wire::json::Json;
use crate::wire::status::JobStatus;

use super::super::Director;
use super::super::job::Job;
use super::list::no_job;
use super::words::Words;
use super::{Answer, Asked, Console, Doing};
use crate::catalog::{CatalogRequest, JobFilter, JobRow};

/// Jobs whose ends a console is told together; of more the oldest are forgotten.
const MAX_ENDS: usize = 1_000;

/// The jobs that a console has ordered, or that ended while it waited for all, since it last waited for all.
#[derive(Debug, Default)]
pub(super) struct Ends(BTreeMap<u32, Option<JobStatus>>);

impl Ends {
    /// A job has been ordered, or has ended so.
    fn note(&mut self, job: u32, status: Option<JobStatus>) {
        self.0.insert(job, status);
        if self.0.len() > MAX_ENDS {
            self.0.pop_first();
        }
    }

    /// Those that have ended; they are forgotten.
    fn take(&mut self) -> Vec<(u32, JobStatus)> {
        let ended: Vec<_> = self.0.iter().filter_map(|(job, status)| status.map(|status| (*job, status))).collect();
        self.0.retain(|_, status| status.is_none());
        ended
    }
}

impl Console {
    /// A stock console is told nothing as text, as by a stock director; its scripts may count lines.
    fn ends_of_all(&mut self) -> Answer {
        let answer = several(&self.ends.take());
        if self.is_towline { answer } else { answer.without_text() }
    }
}

impl Director {
    /// A console has ordered a job: its next `wait` says how it ended, however soon that was.
    pub(in super::super) fn console_ordered(&mut self, conn: ConnId, job: u32) {
        if let Some(console) = self.consoles.get_mut(&conn) {
            console.ends.note(job, None);
        }
    }

    /// A job has ended: wakes the consoles that wait for it.
    pub(in super::super) fn job_has_ended(&mut self, net: &mut Net, id: u32, status: JobStatus) {
        let none_runs = self.jobs.is_empty();
        let mut done = Vec::new();
        for (conn, console) in &mut self.consoles {
            let waits_for_all = matches!(console.doing, Doing::Waiting(None));
            if waits_for_all || console.ends.0.contains_key(&id) {
                console.ends.note(id, Some(status));
            }
            match console.doing {
                Doing::Waiting(Some(wanted)) if wanted == id => done.push((*conn, one(id, status))),
                Doing::Waiting(None) if none_runs => done.push((*conn, console.ends_of_all())),
                _ => {}
            }
        }
        for (conn, answer) in done {
            self.console_answers(net, conn, answer);
        }
    }

    pub(super) fn wait(&mut self, net: &mut Net, conn: ConnId, words: &Words) {
        let Some(name) = words.value(&["jobid", "job", "ujobid"]) else { return self.wait_for_all(net, conn) };
        let number = name.parse().ok();
        if words.has("jobid") && number.is_none() {
            return self.console_fails(net, conn, &format!("jobid={name}: say a number.\n"));
        }
        let is_it = |job: &&Job| job.unique == name || Some(job.id) == number;
        if let Some(id) = self.jobs.values().find(is_it).map(|job| job.id) {
            if let Some(console) = self.consoles.get_mut(&conn) {
                console.doing = Doing::Waiting(Some(id));
            }
            return;
        }
        if let Some(kept) = self.unrecorded.find(name) {
            let answer = one(kept.job.id, kept.job.status);
            return self.console_answers(net, conn, answer);
        }
        let filter = match number {
            Some(_) => JobFilter { limit: 1, job_id: number, ..JobFilter::default() },
            None => JobFilter { limit: 1, job: Some(name.to_owned()), ..JobFilter::default() },
        };
        self.console_asks(net, conn, Asked::Ended(name.to_owned()), CatalogRequest::ListJobs(filter));
    }

    fn wait_for_all(&mut self, net: &mut Net, conn: ConnId) {
        let none_runs = self.jobs.is_empty();
        let Some(console) = self.consoles.get_mut(&conn) else { return };
        if none_runs {
            let answer = console.ends_of_all();
            return self.console_answers(net, conn, answer);
        }
        console.doing = Doing::Waiting(None);
    }

    /// The catalog has said how a job ended that runs no more.
    pub(super) fn show_end(&mut self, net: &mut Net, conn: ConnId, wanted: &str, rows: &[JobRow]) {
        match rows.first() {
            Some(row) => {
                let answer = one(row.job_id, JobStatus::from_letter(row.job_status));
                self.console_answers(net, conn, answer);
            }
            None => self.console_fails(net, conn, &no_job(wanted)),
        }
    }
}

/// The end of one job as a stock director says it.
fn one(id: u32, status: JobStatus) -> Answer {
    Answer::value(line(id, status), Json::object([("job", value(id, status))]))
}

fn several(ended: &[(u32, JobStatus)]) -> Answer {
    let text: String = ended.iter().map(|(id, status)| line(*id, *status)).collect();
    let values = ended.iter().map(|(id, status)| value(*id, *status)).collect();
    Answer::value(text, Json::object([("jobs", Json::List(values))]))
}

fn line(id: u32, status: JobStatus) -> String {
    format!("JobId={id}\nJobStatus={} ({})\n", word(status), char::from(status.letter()))
}

fn value(id: u32, status: JobStatus) -> Json {
    Json::object([
        ("jobid", Json::Number(id.into())),
        ("jobstatuslong", word(status).into()),
        ("jobstatus", char::from(status.letter()).to_string().into()),
        ("exitstatus", Json::Number(i64::from(status.exit_code()))),
    ])
}

pub(super) const fn word(status: JobStatus) -> &'static str {
    match status {
        JobStatus::Ok => "OK",
        JobStatus::Warnings => "OK with warnings",
        JobStatus::Canceled => "Canceled",
        JobStatus::Differences => "Differences",
        JobStatus::Incomplete => "Incomplete",
        _ => "Error",
    }
}
