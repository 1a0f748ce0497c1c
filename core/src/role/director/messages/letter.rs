//! What a mail or a webhook says of a job.

use crate::config::{Destination, DirectorConfig, MailServer, Seconds};
use crate::role::director::common::Tools;
use crate::role::director::jobs::job::Job;
use crate::role::director::jobs::{meaning, tables};
use crate::wire::command;
use crate::wire::json::Json;
use crate::work::delivery::Mail;

use super::lanes::{Piece, Target};

/// The program that sends mail where nothing else is configured, as in Bareos.
const SENDMAIL: &str = "/usr/lib/sendmail";

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
        let (target, piece) = match (&to.command, server) {
            (Some(command), _) => {
                let words = words(command, &to.to, |code| about.meaning(&to.to, code));
                (Target::Command(command.clone()), Piece::Run(words, body))
            }
            (None, Some(server)) => (Target::Server, Piece::Mail(Box::new(mail(server, &to.to, subject, body)))),
            (None, None) => {
                let words = [SENDMAIL, "-F", "Towline"].map(str::to_owned).into_iter().chain(to.to.iter().cloned());
                let head = format!("To: {}\nSubject: {subject}\n\n", to.to.join(", "));
                (Target::Command(SENDMAIL.to_owned()), Piece::Run(words.collect(), head + &body))
            }
        };
        self.deliver(target, piece, retry_for);
    }
}

fn mail(server: MailServer, to: &[String], subject: String, body: String) -> Mail {
    Mail { server, to: to.to_vec(), subject, body }
}

/// The words of a command. A word that is `%r` alone becomes a word for each address.
fn words(command: &str, to: &[String], meaning: impl Fn(char) -> Option<String>) -> Vec<String> {
    let each = |word: String| match word.as_str() {
        "%r" => to.to_vec(),
        word => vec![command::expand(word, &meaning)],
    };
    command::split(command).into_iter().flat_map(each).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_is_a_word_of_its_own_where_nothing_stands_beside_them() {
        let to = ["a@x".to_owned(), "b@y".to_owned()];
        let meaning = |code| (code == 'r').then(|| to.join(" "));
        assert_eq!(
            words("/bin/send -s \"to %r\" %r end%r", &to, meaning),
            ["/bin/send", "-s", "to a@x b@y", "a@x", "b@y", "enda@x b@y"]
        );
    }
}
