//! A file or storage daemon's messages, where its `messages` says. What the daemon itself has to say goes to files, the system's
//! log, standard output and error; what is wrong also to the operator at once, and after a while in a mail. What a job has said
//! here is mailed at its end. So a daemon that reaches nobody leaves a trace.

use crate::calendar::Zone;
use crate::config::{DAEMON_FACILITY, Destination, DestinationKind, MessageTypes, Messages, facility};
use crate::limits::MAIL_GATHERS;
use crate::node::{Net, Role};
use crate::notice::{ExitReason, Notice};
use crate::printable;
use crate::role::post::collected::{Collected, Line};
use crate::role::post::{Lanes, Piece, PostDue, Target, Way, mail};
use crate::role::report::resource_name;
use crate::wire::message::MessageKind;
use crate::wire::status::JobStatus;
use crate::work::WorkDone;

/// Bytes of the longest line.
const LINE: usize = 2_048;

/// How the time before a line is written.
const DATED: &str = "%Y-%m-%d %H:%M:%S";

/// Writes lines to each of its places.
#[derive(Debug, Default)]
pub(crate) struct Diary {
    /// Each place once.
    destinations: Vec<Destination>,
    retry_for: crate::config::Seconds,
    lanes: Lanes,
    /// What waits for a mail.
    own: Collected,
    gathers: bool,
}

/// A diary at hand, with what a role brings for it.
pub(crate) struct Open<'a, R: Role> {
    pub(crate) diary: &'a mut Diary,
    pub(crate) way: Way<'a, R>,
    pub(crate) zone: &'a Zone,
}

/// Something that the daemon has to say.
pub(crate) struct Said<'a> {
    pub(crate) kind: MessageKind,
    pub(crate) text: &'a str,
    /// A job has said the same, and mails it.
    pub(crate) of_job: bool,
}

/// What a job has said here that is to be mailed at its end.
#[derive(Debug)]
pub(crate) struct ForMail {
    types: MessageTypes,
    lines: Collected,
}

/// A job that has ended.
pub(crate) struct Ended<'a> {
    pub(crate) id: u32,
    pub(crate) name: &'a str,
    pub(crate) status: JobStatus,
    pub(crate) said: &'a ForMail,
}

impl ForMail {
    /// With messages of these kinds.
    pub(crate) fn of(types: MessageTypes) -> Self {
        Self { types, lines: Collected::default() }
    }

    /// The job has said something, at this second since 1970.
    pub(crate) fn add(&mut self, kind: MessageKind, time: i64, text: &str) {
        if self.types.has(kind) {
            let text = printable::text(text.trim_end());
            self.lines.add(Line { kind, time, text: format!("{}{text}\n", kind.prefix()) });
        }
    }
}

impl Diary {
    /// A diary for what these say; without any it takes nothing.
    pub(crate) fn new(messages: Option<&Messages>) -> Self {
        let mut diary = Self::default();
        diary.move_to(messages);
        diary
    }

    /// Goes on in other places, or takes nothing any more. What is on its way goes where it was to go.
    pub(crate) fn move_to(&mut self, messages: Option<&Messages>) {
        self.destinations.clear();
        self.retry_for = messages.map(|messages| messages.retry_for).unwrap_or_default();
        for to in messages.into_iter().flat_map(|messages| &messages.destinations) {
            let is_known = |known: &Destination| (known.kind, &known.to, known.when) == (to.kind, &to.to, to.when);
            if to.kind != DestinationKind::Director && !self.destinations.iter().any(is_known) {
                self.destinations.push(to.clone());
            }
        }
    }

    /// Whether it takes anything.
    pub(crate) const fn is_kept(&self) -> bool {
        !self.destinations.is_empty()
    }
}

impl<R: Role> Open<'_, R> {
    /// Takes a line, without its line feed.
    pub(crate) fn note(&mut self, net: &mut Net<R>, said: &Said<'_>) {
        let Self { diary, way, zone } = self;
        let is_news = matches!(said.kind, MessageKind::Error | MessageKind::Warning | MessageKind::Fatal);
        let text = printable::shortened(&printable::line(said.text.trim_end()), LINE).into_owned();
        let line = Line { kind: said.kind, time: net.wall().seconds(), text: format!("{}: {text}\n", way.name) };
        let dated = line.dated(DATED, zone);
        for to in diary.destinations.iter().filter(|to| to.types.has(said.kind)) {
            let first = to.to.first();
            let piece = match to.kind {
                DestinationKind::Append => {
                    (Target::File(first.cloned().unwrap_or_default()), Piece::Text { anew: false, text: dated.clone() })
                }
                // The system's log has times and names of its own.
                DestinationKind::Syslog => (
                    Target::Log(first.and_then(|name| facility(name)).unwrap_or(DAEMON_FACILITY)),
                    Piece::Log(said.kind.severity(), text.clone()),
                ),
                DestinationKind::Stderr => (Target::Errors, Piece::Text { anew: false, text: dated.clone() }),
                DestinationKind::Stdout => {
                    net.notify(Notice::Print(dated.clone()));
                    continue;
                }
                DestinationKind::Operator if is_news => {
                    let subject = format!("Towline: intervention needed for {} {}", way.daemon, way.name);
                    mail::letter(to, None, |code| meaning(way.name, None, to, code), subject, dated.clone())
                }
                _ => continue,
            };
            diary.lanes.deliver(net, way, piece, diary.retry_for);
        }
        let is_mailed = |to: &Destination| takes_own(to) && to.types.has(said.kind);
        if is_news && !said.of_job && diary.destinations.iter().any(is_mailed) {
            diary.own.add(line);
            if !std::mem::replace(&mut diary.gathers, true) {
                net.set_timer(MAIL_GATHERS, "more messages for a mail", (way.due)(PostDue::Gathered));
            }
        }
    }

    /// A job has ended: mails what it has said, to whom its end is of interest.
    pub(crate) fn job_ended(&mut self, net: &mut Net<R>, job: &Ended<'_>) {
        let Self { diary, way, zone } = self;
        let subject = format!(
            "Towline: {} {}, job {} (JobId {}): {}",
            way.daemon,
            way.name,
            resource_name(job.name),
            job.id,
            result(job.status)
        );
        let mails = diary.destinations.iter().filter(|to| to.kind == DestinationKind::Mail);
        for to in mails.filter(|to| to.when.is_met(job.status.is_ok()) && job.said.lines.has(to.types)) {
            let body = job.said.lines.lines(to.types, |line| line.dated(DATED, zone)).concat();
            let letter = mail::letter(to, None, |code| meaning(way.name, Some(job), to, code), subject.clone(), body);
            diary.lanes.deliver(net, way, letter, diary.retry_for);
        }
    }

    /// The hands have delivered something, or not.
    pub(crate) fn delivered(&mut self, net: &mut Net<R>, target: &Target, done: WorkDone) {
        self.diary.lanes.delivered(net, &self.way, target, done);
    }

    /// A timer of the messages.
    pub(crate) fn due(&mut self, net: &mut Net<R>, due: PostDue) {
        match due {
            PostDue::Again => self.diary.lanes.again(net, &self.way),
            PostDue::Gathered => self.send_own(net),
            PostDue::AtStop => self.diary.lanes.give_up(net, &self.way),
        }
    }

    /// Ends the daemon once nothing is on its way any more, or has had its time.
    pub(crate) fn exit_once_sent(&mut self, net: &mut Net<R>) {
        self.send_own(net);
        if self.diary.lanes.are_done(net, &self.way) {
            net.exit(ExitReason::Done);
        }
    }

    /// Mails what the daemon itself had to say since the last time.
    fn send_own(&mut self, net: &mut Net<R>) {
        let Self { diary, way, zone } = self;
        if !std::mem::take(&mut diary.gathers) {
            return;
        }
        let own = std::mem::take(&mut diary.own);
        let subject = format!("Towline: messages of {} {}", way.daemon, way.name);
        for to in diary.destinations.iter().filter(|to| takes_own(to) && own.has(to.types)) {
            let body = own.lines(to.types, |line| line.dated(DATED, zone)).concat();
            let letter = mail::letter(to, None, |code| meaning(way.name, None, to, code), subject.clone(), body);
            diary.lanes.deliver(net, way, letter, diary.retry_for);
        }
    }
}

/// Whether it is mailed what is wrong with the daemon itself; not whom only good ends are of interest.
fn takes_own(to: &Destination) -> bool {
    to.kind == DestinationKind::Mail && to.when.is_met(false)
}

/// How a job has ended here, in a word.
fn result(status: JobStatus) -> &'static str {
    if status.is_ok() {
        "OK"
    } else if status == JobStatus::Canceled {
        "Canceled"
    } else {
        "Error"
    }
}

/// What `%` and a letter stand for in a command that sends mail.
fn meaning(daemon: &str, job: Option<&Ended<'_>>, to: &Destination, code: char) -> Option<String> {
    match (code, job) {
        ('r', _) => Some(to.to.join(" ")),
        ('d' | 'D', _) => Some(daemon.to_owned()),
        ('e', Some(job)) => Some(result(job.status).to_owned()),
        ('i', Some(job)) => Some(job.id.to_string()),
        ('j', Some(job)) => Some(job.name.to_owned()),
        ('n' | 'N', Some(job)) => Some(resource_name(job.name).to_owned()),
        ('b' | 'B' | 'c' | 'e' | 'F' | 'f' | 'i' | 'j' | 'l' | 'n' | 'N' | 'p' | 's' | 't' | 'v' | 'V' | 'w', _) => {
            Some("*None*".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(destinations: serde_json::Value) -> Messages {
        serde_json::from_value(serde_json::json!({ "name": "m", "destinations": destinations })).expect("messages")
    }

    #[test]
    fn each_place_counts_once_and_the_director_is_told_by_the_job_itself() {
        let diary = Diary::new(Some(&messages(serde_json::json!([
            { "kind": "director" }, { "kind": "append", "to": ["/log"], "types": ["warning"] },
            { "kind": "append", "to": ["/log"] }, { "kind": "mail", "to": ["a"], "when": "on_error" },
            { "kind": "mail", "to": ["a"], "when": "on_success" }
        ]))));
        let kinds: Vec<DestinationKind> = diary.destinations.iter().map(|to| to.kind).collect();
        assert_eq!(kinds, [DestinationKind::Append, DestinationKind::Mail, DestinationKind::Mail]);
        assert!(!diary.destinations[0].types.has(MessageKind::Info), "the first counts");
        let mut only_director = Diary::new(Some(&messages(serde_json::json!([{ "kind": "director" }]))));
        assert!(diary.is_kept() && !only_director.is_kept());
        only_director.move_to(None);
        assert!(!only_director.is_kept());
    }

    #[test]
    fn a_command_that_sends_mail_knows_the_job_and_how_it_ended() {
        let to: Destination =
            serde_json::from_value(serde_json::json!({ "kind": "mail", "to": ["a", "b"] })).expect("a place");
        let mut said = ForMail::of(MessageTypes::ALL);
        said.add(MessageKind::Error, 0, "no room\n\n");
        let line = said.lines.lines(MessageTypes::ALL, |line| line.text.clone());
        assert_eq!(line, ["Error: no room\n"]);
        let known = |status| {
            let job = Ended { id: 7, name: "nightly.2026-11-30_01.02.03_04", status, said: &said };
            let of = |code| meaning("fd", Some(&job), &to, code).unwrap_or_else(|| "-".to_owned());
            ['d', 'e', 'i', 'n', 'r', 'c', '?'].map(of).join("|")
        };
        assert_eq!(known(JobStatus::Warnings), "fd|OK|7|nightly|a b|*None*|-");
        assert_eq!(known(JobStatus::Error), "fd|Error|7|nightly|a b|*None*|-");
        assert_eq!(known(JobStatus::Canceled), "fd|Canceled|7|nightly|a b|*None*|-");
        assert_eq!(meaning("fd", None, &to, 'e').as_deref(), Some("*None*"));
        said.types = MessageTypes::NONE;
        said.add(MessageKind::Error, 0, "left out");
        assert_eq!(said.lines.lines(MessageTypes::ALL, |line| line.text.clone()).len(), 1);
    }
}
