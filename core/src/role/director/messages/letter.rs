//! What a mail or a webhook says of a job.

use crate::config::{Destination, DirectorConfig, Seconds};
use crate::role::director::common::Tools;
use crate::role::director::jobs::job::Job;
use crate::role::director::jobs::{meaning, tables};
use crate::role::post::mail;
use crate::wire::json::Json;

/// Whom a mail is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum About<'a> {
    Job(&'a Job),
    /// The director itself.
    Director(&'a DirectorConfig),
}

impl About<'_> {
    /// What `%` and a letter stand for.
    fn meaning(self, to: &[String], code: char) -> Option<String> {
        match (code, self) {
            ('r', _) => Some(to.join(" ")),
            ('v' | 'V', Self::Job(job)) => {
                Some(job.storage_daemon.written.last_volume().unwrap_or("*None*").to_owned())
            }
            (code, Self::Job(job)) => meaning(job, code),
            ('d' | 'D', Self::Director(config)) => Some(config.director.name.clone()),
            (
                'b' | 'B' | 'c' | 'e' | 'F' | 'f' | 'i' | 'j' | 'l' | 'n' | 'N' | 'p' | 's' | 't' | 'v' | 'V' | 'w',
                _,
            ) => Some("*None*".to_owned()),
            _ => None,
        }
    }

    /// The subject of a mail with all messages.
    pub(super) fn subject(self) -> String {
        match self {
            Self::Job(job) => {
                let of = |code| self.meaning(&[], code).unwrap_or_default();
                let level = of('l');
                let level = if level.trim().is_empty() { String::new() } else { format!(" {level}") };
                format!("Towline: {} {} of {}{level}, {} (JobId {})", of('t'), of('e'), of('c'), job.name, job.id)
            }
            Self::Director(config) => format!("Towline: messages of director {}", config.director.name),
        }
    }

    /// The subject of a mail to the operator, who is to do something.
    pub(super) fn intervention(self) -> String {
        match self {
            Self::Job(job) => format!("Towline: intervention needed for {}", job.unique),
            Self::Director(config) => format!("Towline: intervention needed for director {}", config.director.name),
        }
    }
}

impl Tools<'_> {
    /// Sends a mail to the addresses of a destination, by its command, the mail server, or what there is.
    pub(super) fn mail(
        &mut self,
        to: &Destination,
        retry_for: Seconds,
        about: About<'_>,
        subject: String,
        body: String,
    ) {
        let server = self.common.config.mail_server.clone();
        let letter = mail::letter(to, server, |code| about.meaning(&to.to, code), subject, body);
        self.deliver(letter, retry_for);
    }
}

/// What a webhook is sent at the end of a job.
pub(super) fn ended(job: &Job, lines: Vec<String>, now: i64) -> String {
    let number = |number: u64| Json::Number(i64::try_from(number).unwrap_or(i64::MAX));
    let (files, bytes, _) = job.totals();
    let code = |code| meaning(job, code).unwrap_or_default();
    Json::object([
        ("event", "job_ended".into()),
        ("director", job.config.director.name.as_str().into()),
        ("job_id", number(job.id.0.into())),
        ("job", job.unique.as_str().into()),
        ("name", job.name.as_str().into()),
        ("type", tables::of(job.kind).0.into()),
        ("level", code('l').trim().into()),
        ("client", job.with.client.as_str().into()),
        ("fileset", job.with.fileset.as_str().into()),
        ("pool", job.with.pool.as_str().into()),
        ("storage", job.with.storage.as_str().into()),
        ("status", char::from(job.status.letter()).to_string().into()),
        ("result", code('e').into()),
        ("reason", job.reason().map_or(Json::Null, Json::from)),
        ("files", number(files.into())),
        ("bytes", number(bytes)),
        ("errors", number(job.all_errors().into())),
        ("warnings", number(job.tally.warnings.into())),
        ("scheduled", Json::Number(job.times.scheduled)),
        ("started", Json::Number(job.times.started)),
        ("ended", Json::Number(now)),
        ("lines", list(lines)),
    ])
    .to_text(true)
}

/// What a webhook is sent of the director's own messages.
pub(super) fn said(config: &DirectorConfig, lines: Vec<String>) -> String {
    Json::object([
        ("event", "messages".into()),
        ("director", config.director.name.as_str().into()),
        ("lines", list(lines)),
    ])
    .to_text(true)
}

fn list(lines: Vec<String>) -> Json {
    Json::List(lines.into_iter().map(|line| Json::Text(line.trim_end().to_owned())).collect())
}
