//! Messages on their way: each line of a job goes to the places that the `messages` of the job names, each of the director's
//! log to those of its own.
//!
//! ```text
//!   a line --+--> journal.rs: consoles, the catalog
//!            +--> role/post: files, the system's log, standard error, mail to the operator
//!            '--> collected.rs, until its job ends --> letter.rs --> role/post: mail, webhooks
//! ```
//! `ended.rs` says how a job has ended on standard output and in the log, whatever is configured.

mod ended;
mod letter;

use std::collections::BTreeMap;

use crate::config::{DAEMON_FACILITY, Destination, DestinationKind, Messages, Seconds, facility};
use crate::ids::JobId;
use crate::limits::MAIL_GATHERS;
use crate::node::Overheard;
use crate::notice::{Level, Notice};
use crate::role::director::Director;
use crate::role::director::common::Tools;
use crate::role::director::jobs::job::Job;
use crate::role::director::journal::Kept;
use crate::role::director::tokens::{Due, Owner};
use crate::role::post::collected::{Collected, Line};
use crate::role::post::{ABOUT_MESSAGES, Lanes, Piece, PostDue, Stuck, Target, Way};
use crate::role::stopping::Stopping;
use crate::wire::message::MessageKind;
use crate::work::WorkDone;

use letter::About;

pub(crate) use ended::Reason;

/// The messages of a director that are on their way.
#[derive(Debug, Default)]
pub(crate) struct Post {
    jobs: BTreeMap<JobId, Collected>,
    /// Those that are of no job.
    own: Collected,
    /// Whether those are to be mailed.
    gathers: bool,
    lanes: Lanes,
}

impl Post {
    /// The places that have not taken everything.
    pub(crate) fn stuck(&self) -> impl Iterator<Item = Stuck> {
        self.lanes.stuck()
    }
}

/// What becomes of a message that goes to a place at once.
fn is_immediate(kind: DestinationKind) -> bool {
    !matches!(
        kind,
        DestinationKind::Mail
            | DestinationKind::Webhook
            | DestinationKind::Console
            | DestinationKind::Catalog
            | DestinationKind::Director
    )
}

/// The places that get everything at the end of a job.
fn is_at_the_end(to: &Destination) -> bool {
    matches!(to.kind, DestinationKind::Mail | DestinationKind::Webhook)
}

/// The places that get what is wrong with the director itself after a while; not those that want to hear of good ends alone.
fn takes_own(to: &Destination) -> bool {
    is_at_the_end(to) && to.when.is_met(false)
}

impl Tools<'_> {
    /// A line of a job's report, with its line feed; `time` is in seconds since 1970.
    pub(crate) fn report(&mut self, job: &Job, kind: MessageKind, time: i64, text: String) {
        let messages = &*job.messages;
        let kept = Kept {
            by_catalog: messages.types_for(DestinationKind::Catalog).has(kind),
            for_consoles: messages.types_for(DestinationKind::Console).has(kind),
        };
        let line = Line { kind, time, text };
        if messages.destinations.iter().any(|to| is_at_the_end(to) && to.types.has(kind)) {
            self.common.post.jobs.entry(job.id).or_default().add(line.clone());
        }
        for to in messages.destinations.iter().filter(|to| is_immediate(to.kind) && to.types.has(kind)) {
            let begins = to.kind == DestinationKind::File
                && self.common.post.jobs.entry(job.id).or_default().begins(to.to.first().map_or("", String::as_str));
            self.route(messages, to, About::Job(job), &line, begins);
        }
        self.common.journal.push(&job.catalog, job.id, time, line.text, kept);
    }

    /// What the director has written to its log, and is of no job.
    pub(crate) fn overhear(&mut self) {
        for Overheard { level, code, text } in self.net.overheard() {
            if code.is_some_and(|code| ABOUT_MESSAGES.contains(&code.0)) {
                continue;
            }
            let config = std::sync::Arc::clone(&self.common.config);
            let messages = config.messages_of(None);
            let (kind, said) = match level {
                Level::Error => (MessageKind::Error, "Error: "),
                Level::Warn => (MessageKind::Warning, "Warning: "),
                Level::Info => (MessageKind::Info, ""),
                Level::Debug => (MessageKind::Debug, ""),
            };
            let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
            let text = format!("{}: {said}{text}{code}\n", config.director.name);
            let line = Line { kind, time: self.net.wall().seconds(), text };
            // The milestones of a day are for files; nobody wants a mail about each.
            let is_news = matches!(level, Level::Error | Level::Warn);
            for to in messages.destinations.iter().filter(|to| to.types.has(kind)) {
                if is_immediate(to.kind) && (is_news || to.kind != DestinationKind::Operator) {
                    let path = to.to.first().map_or("", String::as_str);
                    let begins = to.kind == DestinationKind::File && self.common.post.own.begins(path);
                    self.route(&messages, to, About::Director(&config), &line, begins);
                }
            }
            let kept = Kept {
                by_catalog: false,
                for_consoles: is_news && messages.types_for(DestinationKind::Console).has(kind),
            };
            let is_configured = !config.messages.is_empty();
            if is_news && messages.destinations.iter().any(|to| takes_own(to) && to.types.has(kind)) {
                self.common.post.own.add(line.clone());
                self.gather();
            }
            if is_configured {
                self.common.journal.push(&config.catalog.name().into(), JobId(0), line.time, line.text, kept);
            }
        }
    }

    /// Has the director's own messages mailed after a while, all at once.
    fn gather(&mut self) {
        if !std::mem::replace(&mut self.common.post.gathers, true) {
            self.net.set_timer(MAIL_GATHERS, "more messages for a mail", Due::Post(PostDue::Gathered));
        }
    }

    /// Mails what was gathered.
    pub(crate) fn send_own(&mut self) {
        if !std::mem::take(&mut self.common.post.gathers) {
            return;
        }
        let collected = std::mem::take(&mut self.common.post.own);
        let config = std::sync::Arc::clone(&self.common.config);
        let messages = config.messages_of(None);
        let zone = self.common.identity.zone.clone();
        for to in messages.destinations.iter().filter(|to| takes_own(to) && collected.has(to.types)) {
            let lines = collected.lines(to.types, |line| line.dated(&messages.timestamp_format, &zone));
            let about = About::Director(&config);
            match to.kind {
                DestinationKind::Mail => self.mail(to, messages.retry_for, about, about.subject(), lines.concat()),
                _ => self.hook(to, &messages, letter::said(&config, lines)),
            }
        }
        self.common.post.own.keep_begun(collected);
    }

    /// A message that goes to a place at once.
    fn route(&mut self, messages: &Messages, to: &Destination, about: About<'_>, line: &Line, begins: bool) {
        let dated = line.dated(&messages.timestamp_format, &self.common.identity.zone);
        let first = || to.to.first().cloned().unwrap_or_default();
        let (target, piece) = match to.kind {
            DestinationKind::Append => (Target::File(first()), Piece::Text { anew: false, text: dated }),
            DestinationKind::File => (Target::File(first()), Piece::Text { anew: begins, text: dated }),
            DestinationKind::Syslog => {
                let facility = to.to.first().and_then(|name| facility(name)).unwrap_or(DAEMON_FACILITY);
                (Target::Log(facility), Piece::Log(line.kind.severity(), line.text.trim_end().to_owned()))
            }
            DestinationKind::Stderr => (Target::Errors, Piece::Text { anew: false, text: dated }),
            DestinationKind::Stdout => return self.net.notify(Notice::Print(dated)),
            DestinationKind::Operator => {
                return self.mail(to, messages.retry_for, about, about.intervention(), dated);
            }
            _ => return,
        };
        self.deliver((target, piece), messages.retry_for);
    }

    /// Sends JSON to the addresses of a webhook.
    fn hook(&mut self, to: &Destination, messages: &Messages, body: String) {
        for url in &to.to {
            self.deliver((Target::Web(url.clone()), Piece::Post(body.clone())), messages.retry_for);
        }
    }

    /// A job has ended: its mails, and, the first time, its webhooks.
    pub(crate) fn send_report(&mut self, job: &Job, is_first: bool) {
        let collected = self.common.post.jobs.remove(&job.id).unwrap_or_default();
        let messages = std::sync::Arc::clone(&job.messages);
        let (well, now) = (job.status.is_ok(), self.net.wall().seconds());
        for to in messages.destinations.iter().filter(|to| is_at_the_end(to) && to.when.is_met(well)) {
            let zone = &self.common.identity.zone;
            let lines = collected.lines(to.types, |line| line.dated(&messages.timestamp_format, zone));
            match to.kind {
                DestinationKind::Mail if collected.has(to.types) => {
                    let about = About::Job(job);
                    self.mail(to, messages.retry_for, about, about.subject(), lines.concat());
                }
                DestinationKind::Webhook if is_first => self.hook(to, &messages, letter::ended(job, lines, now)),
                _ => {}
            }
        }
    }

    /// Whether nothing is on its way any more, or has had its time; for a director that is to end.
    pub(crate) fn is_posted(&mut self) -> bool {
        self.send_own();
        self.common.post.lanes.are_done(self.net, &way(&self.common.config.director.name, &self.common.stopping))
    }

    /// Sends a piece to a place; one that does not take it is tried for so long.
    fn deliver(&mut self, piece: (Target, Piece), retry_for: Seconds) {
        let way = way(&self.common.config.director.name, &self.common.stopping);
        self.common.post.lanes.deliver(self.net, &way, piece, retry_for);
    }

    /// The hands have delivered a piece, or not.
    pub(crate) fn delivered(&mut self, target: &Target, done: WorkDone) {
        let way = way(&self.common.config.director.name, &self.common.stopping);
        self.common.post.lanes.delivered(self.net, &way, target, done);
    }

    /// A timer of the messages.
    pub(crate) fn post_due(&mut self, due: PostDue) {
        let way = way(&self.common.config.director.name, &self.common.stopping);
        match due {
            PostDue::Again => self.common.post.lanes.again(self.net, &way),
            PostDue::Gathered => self.send_own(),
            PostDue::AtStop => self.common.post.lanes.give_up(self.net, &way),
        }
    }
}

/// The ways of a director.
fn way<'a>(name: &'a str, stopping: &Stopping) -> Way<'a, Director> {
    Way { name, daemon: "director", owner: Owner::Post, due: Due::Post, is_stopping: stopping.has_begun() }
}
