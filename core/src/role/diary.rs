//! A file or storage daemon's own messages, where its `messages` says: files that they are appended to, the system's log. So a
//! daemon that reaches nobody leaves a trace.

use std::collections::VecDeque;

use crate::bulk::work::{DiskDone, DiskWork};
use crate::config::{DAEMON_FACILITY, DestinationKind, MessageTypes, Messages, facility};
use crate::error::{Code, Explain, Fault};
use crate::node::{Net, Role};
use crate::notice::Level;
use crate::printable;
use crate::quiet::{Quiet, more};
use crate::wire::message::MessageKind;
use crate::work::delivery::Delivery;
use crate::work::{Work, WorkDone};

/// The code of a line about a place that takes nothing: it goes to no place itself.
pub(crate) const UNWRITTEN: Code = Code(143);

/// Lines that wait for a place while others are being written; more are counted and lost.
const WAITING: usize = 256;

/// Bytes of the longest line.
const LINE: usize = 2_048;

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// They are appended to the file of this name.
    File(String),
    /// The system's log, under the facility of this number.
    Log(u8),
}

/// Writes lines to each of its places, one piece of work at a time.
#[derive(Debug, Default)]
pub(crate) struct Diary {
    lanes: Vec<Lane>,
}

#[derive(Debug)]
struct Lane {
    place: Place,
    /// The messages that it takes.
    types: MessageTypes,
    /// Each with its severity.
    waiting: VecDeque<(u8, String)>,
    lost: u64,
    writing: bool,
    failures: Quiet<()>,
}

/// A line for a diary.
pub(crate) struct Line<'a> {
    pub(crate) kind: MessageKind,
    /// When it was said, as text.
    pub(crate) time: String,
    /// The daemon.
    pub(crate) daemon: &'a str,
    pub(crate) text: &'a str,
}

impl Diary {
    /// A diary for what these say; without any it takes nothing.
    pub(crate) fn new(messages: Option<&Messages>) -> Self {
        let mut diary = Self::default();
        diary.move_to(messages);
        diary
    }

    /// Goes on in other places, or takes nothing any more.
    pub(crate) fn move_to(&mut self, messages: Option<&Messages>) {
        let mut earlier = std::mem::take(&mut self.lanes);
        for to in messages.into_iter().flat_map(|messages| &messages.destinations) {
            let first = to.to.first();
            let place = match to.kind {
                DestinationKind::Append => first.cloned().map(Place::File),
                DestinationKind::Syslog => {
                    Some(Place::Log(first.and_then(|name| facility(name)).unwrap_or(DAEMON_FACILITY)))
                }
                _ => None,
            };
            let Some(place) = place.filter(|place| self.lanes.iter().all(|lane| lane.place != *place)) else {
                continue;
            };
            let lane = match earlier.iter().position(|lane| lane.place == place) {
                Some(at) => Lane { types: to.types, ..earlier.swap_remove(at) },
                None => Lane::new(place, to.types),
            };
            self.lanes.push(lane);
        }
    }

    /// Whether it takes anything.
    pub(crate) const fn is_kept(&self) -> bool {
        !self.lanes.is_empty()
    }

    /// Takes a line, without its line feed. `owner` is whose work the writing is.
    pub(crate) fn note<R: Role>(&mut self, net: &mut Net<R>, owner: fn(Place) -> R::Work, line: &Line<'_>) {
        for lane in self.lanes.iter_mut().filter(|lane| lane.types.has(line.kind)) {
            lane.note(line);
            lane.write(net, owner, line.daemon);
        }
    }

    /// Lines have been written, or could not be.
    pub(crate) fn written<R: Role>(
        &mut self,
        net: &mut Net<R>,
        owner: fn(Place) -> R::Work,
        (place, daemon): (&Place, &str),
        done: &WorkDone,
    ) {
        // The configuration names it no more.
        let Some(lane) = self.lanes.iter_mut().find(|lane| lane.place == *place) else { return };
        lane.writing = false;
        let why = match done {
            WorkDone::Disk(DiskDone::Noted) | WorkDone::Delivered(Ok(())) => None,
            WorkDone::Disk(DiskDone::Failed { error, .. }) => Some(format!("{error}; {}", error.help())),
            WorkDone::Delivered(Err(error)) => Some(error.to_string()),
            _ => Some("this program has nobody who writes there".to_owned()),
        };
        if let Some(why) = why
            && let Some(unsaid) = lane.failures.turn(&(), net.now())
        {
            let place = match place {
                Place::File(path) => format!("appended to {path}"),
                Place::Log(_) => "put into the system's log".to_owned(),
            };
            let text = format!("messages are not {place}: {why}{}", more(unsaid));
            net.log_cause(Level::Warn, (Fault::Local, UNWRITTEN), &text);
        }
        lane.write(net, owner, daemon);
    }
}

impl Lane {
    fn new(place: Place, types: MessageTypes) -> Self {
        Self { place, types, waiting: VecDeque::new(), lost: 0, writing: false, failures: Quiet::default() }
    }

    fn note(&mut self, line: &Line<'_>) {
        if self.waiting.len() >= WAITING {
            self.lost += 1;
            return;
        }
        // The system's log has times and names of its own.
        let text = match self.place {
            Place::File(_) => format!("{} {}: {}", line.time, line.daemon, line.text.trim_end()),
            Place::Log(_) => line.text.trim_end().to_owned(),
        };
        let text = printable::line(&text);
        self.waiting.push_back((line.kind.severity(), printable::shortened(&text, LINE).into_owned()));
    }

    fn write<R: Role>(&mut self, net: &mut Net<R>, owner: fn(Place) -> R::Work, daemon: &str) {
        if let Some(work) = self.work(daemon) {
            net.work(work, owner(self.place.clone()));
        }
    }

    /// What waits, once nothing is being written.
    fn work(&mut self, daemon: &str) -> Option<Work> {
        if self.writing || self.waiting.is_empty() {
            return None;
        }
        if self.lost > 0 {
            let text = format!("{} more lines were lost: they came faster than they are written", self.lost);
            self.waiting.push_back((MessageKind::Warning.severity(), text));
            self.lost = 0;
        }
        let lines = std::mem::take(&mut self.waiting);
        self.writing = true;
        Some(match &self.place {
            Place::File(path) => {
                let text: String = lines.into_iter().flat_map(|(_, line)| [line, "\n".to_owned()]).collect();
                Work::Disk(DiskWork::Note { path: path.clone(), text: text.into_bytes() })
            }
            Place::Log(facility) => Work::Deliver(Delivery::Log {
                facility: *facility,
                program: daemon.to_owned(),
                lines: lines.into_iter().collect(),
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(destinations: serde_json::Value) -> Messages {
        serde_json::from_value(serde_json::json!({ "name": "m", "destinations": destinations })).expect("messages")
    }

    fn said(lane: &mut Lane, kind: MessageKind, text: &str) -> Option<Work> {
        lane.note(&Line { kind, time: "29-Nov 12:00:00".to_owned(), daemon: "sd", text });
        lane.work("sd")
    }

    #[test]
    fn a_file_gets_lines_with_their_times_and_the_systems_log_with_their_severities() {
        let told = messages(serde_json::json!([
            { "kind": "director" }, { "kind": "append", "to": ["/log"], "types": ["warning"] },
            { "kind": "syslog", "to": ["local3"] }, { "kind": "append", "to": ["/log"] }, { "kind": "syslog" }
        ]));
        let mut diary = Diary::new(Some(&told));
        let places: Vec<Place> = diary.lanes.iter().map(|lane| lane.place.clone()).collect();
        assert_eq!(places, [Place::File("/log".to_owned()), Place::Log(19), Place::Log(DAEMON_FACILITY)]);
        assert!(!diary.lanes[0].types.has(MessageKind::Info) && diary.lanes[1].types.has(MessageKind::Info));
        let Some(Work::Disk(DiskWork::Note { path, text })) =
            said(&mut diary.lanes[0], MessageKind::Warning, "no room\n\n")
        else {
            panic!("nothing is written")
        };
        assert_eq!((path.as_str(), text.as_slice()), ("/log", &b"29-Nov 12:00:00 sd: no room\n"[..]));
        let Some(Work::Deliver(log)) = said(&mut diary.lanes[1], MessageKind::Warning, "no room") else {
            panic!("nothing is told")
        };
        let lines = vec![(4, "no room".to_owned())];
        assert_eq!(log, Delivery::Log { facility: 19, program: "sd".to_owned(), lines });
    }

    #[test]
    fn lines_that_come_while_others_are_written_wait_and_what_is_too_many_is_counted() {
        let mut lane = Lane::new(Place::File("/log".to_owned()), MessageTypes::ALL);
        assert!(said(&mut lane, MessageKind::Info, "first").is_some());
        for _ in 0..WAITING + 2 {
            assert!(said(&mut lane, MessageKind::Info, "more").is_none(), "one piece of work at a time");
        }
        lane.writing = false;
        let Some(Work::Disk(DiskWork::Note { text, .. })) = lane.work("sd") else { panic!("nothing waits") };
        let text = String::from_utf8(text).expect("text");
        assert_eq!(text.lines().count(), WAITING + 1);
        assert!(text.ends_with("2 more lines were lost: they came faster than they are written\n"), "{text}");
    }

    #[test]
    fn a_place_that_stays_keeps_what_waits_for_it() {
        let both =
            messages(serde_json::json!([{ "kind": "append", "to": ["/a"] }, { "kind": "append", "to": ["/b"] }]));
        let mut diary = Diary::new(Some(&both));
        diary.lanes[1].note(&Line { kind: MessageKind::Info, time: String::new(), daemon: "sd", text: "kept" });
        diary.move_to(Some(&messages(serde_json::json!([{ "kind": "append", "to": ["/b"] }]))));
        assert_eq!((diary.lanes.len(), diary.lanes[0].waiting.len()), (1, 1));
        diary.move_to(None);
        assert!(!diary.is_kept());
    }
}
