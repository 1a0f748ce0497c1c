//! What a node heard and ordered, without what differs from run to run.

use std::collections::BTreeMap;

use super::arm::Arm;
use super::stage::{Heard, Stage, route};
use crate::action::Action;
use crate::conn::{FromConn, ToConn};
use crate::drive::Step;
use crate::event::Event;
use crate::socket::SocketOptions;
use std::time::Duration;

/// Lines such as `< Accepted ticket 1, listener 1` and `> Admit ticket 1 as conn 1`: ids become ordinals of their kind;
/// times, addresses and byte counts are left out.
#[derive(Debug, Default)]
pub(super) struct Tracer {
    ordinals: BTreeMap<(&'static str, u64), usize>,
    used: BTreeMap<&'static str, usize>,
    lines: Vec<String>,
}

impl Tracer {
    /// Takes a step.
    pub(super) fn see(&mut self, step: Step<'_>) {
        let line = match step {
            Step::Event(event) => self.event(event).map(|line| format!("< {line}")),
            Step::Action(action) => Some(format!("> {}", self.action(action))),
        };
        self.lines.extend(line);
    }

    /// What was seen so far.
    #[must_use]
    pub(super) fn lines(&self) -> &[String] {
        &self.lines
    }

    fn id(&mut self, kind: &'static str, id: u64) -> String {
        let Self { ordinals, used, .. } = self;
        let ordinal = ordinals.entry((kind, id)).or_insert_with(|| {
            let count = used.entry(kind).or_insert(0);
            *count += 1;
            *count
        });
        format!("{kind} {ordinal}")
    }

    fn event(&mut self, event: &Event) -> Option<String> {
        Some(match event {
            // How the script reaches the role.
            Event::Typed(_) => return None,
            Event::Started { .. } => "Started".to_owned(),
            Event::Pinged => "Pinged".to_owned(),
            Event::ReloadRequested => "ReloadRequested".to_owned(),
            Event::StopRequested => "StopRequested".to_owned(),
            Event::TerminateRequested => "TerminateRequested".to_owned(),
            Event::ClockJumped { .. } => "ClockJumped".to_owned(),
            Event::ZoneChanged(_) => "ZoneChanged".to_owned(),
            Event::NetworkChanged => "NetworkChanged".to_owned(),
            Event::Resolved { query, answer } => {
                let query = self.id("query", query.0);
                let answer = answer.as_ref().map_or_else(ToString::to_string, |_| "ok".to_owned());
                format!("Resolved {query}: {answer}")
            }
            Event::Dialed { dial, outcome } => {
                let dial = self.id("dial", dial.0);
                let outcome = outcome.map_or_else(|error| error.to_string(), |_| "ok".to_owned());
                format!("Dialed {dial}: {outcome}")
            }
            Event::Bound { listener, outcome } => {
                let listener = self.id("listener", listener.0);
                let outcome = outcome.map_or_else(|error| error.to_string(), |_| "ok".to_owned());
                format!("Bound {listener}: {outcome}")
            }
            Event::Accepted { ticket, listener, .. } => {
                format!("Accepted {}, {}", self.id("ticket", ticket.0), self.id("listener", listener.0))
            }
            Event::NotAccepted { listener, error } => {
                format!("NotAccepted {}: {error}", self.id("listener", listener.0))
            }
            Event::FromConn { conn, message } => format!("{}: {}", self.id("conn", conn.0), from_conn(message)),
            Event::Done { work, .. } => format!("Done {}", self.id("work", work.0)),
        })
    }

    fn action(&mut self, action: &Action) -> String {
        match action {
            Action::Resolve { query, .. } => format!("Resolve {}", self.id("query", query.0)),
            Action::Dial { dial, .. } => format!("Dial {}", self.id("dial", dial.0)),
            Action::CancelDial(dial) => format!("CancelDial {}", self.id("dial", dial.0)),
            Action::Attach { dial, conn } => {
                format!("Attach {} as {}", self.id("dial", dial.0), self.id("conn", conn.id().0))
            }
            Action::Listen { listener, .. } => format!("Listen {}", self.id("listener", listener.0)),
            Action::Unlisten(listener) => format!("Unlisten {}", self.id("listener", listener.0)),
            Action::Admit { ticket, conn } => {
                format!("Admit {} as {}", self.id("ticket", ticket.0), self.id("conn", conn.id().0))
            }
            Action::Refuse(ticket) => format!("Refuse {}", self.id("ticket", ticket.0)),
            Action::ToConn { conn, message } => format!("{}: {}", self.id("conn", conn.0), to_conn(message)),
            Action::Keepalive { conn, .. } => format!("Keepalive {}", self.id("conn", conn.0)),
            Action::Work { work, .. } => format!("Work {}", self.id("work", work.0)),
            Action::Notify(_) => "Notify".to_owned(),
            Action::Exit(reason) => format!("Exit {reason:?}"),
        }
    }
}

fn from_conn(message: &FromConn) -> String {
    match message {
        FromConn::Reached { stage, .. } => format!("Reached {stage}"),
        FromConn::Authenticated(peer) => format!("Authenticated {}", peer.name),
        FromConn::Text(text) => format!("Text {}", text.escape_ascii()),
        FromConn::Signal(signal) => format!("Signal {}", signal.number()),
        FromConn::Parcel(_) => "Parcel".to_owned(),
        FromConn::ParcelSent(_) => "ParcelSent".to_owned(),
        FromConn::Machine(_) => "Machine".to_owned(),
        FromConn::Carried(_) => "Carried".to_owned(),
        FromConn::Stalled(_) => "Stalled".to_owned(),
        FromConn::Reported(_) => "Reported".to_owned(),
        FromConn::Closed(reason) => format!("Closed: {reason}"),
    }
}

const fn to_conn(message: &ToConn) -> &'static str {
    match message {
        ToConn::PushOut => "PushOut",
        ToConn::Send(_) => "Send",
        ToConn::Parcel(_) => "Parcel",
        ToConn::Carry(_) => "Carry",
        ToConn::Machine(_) => "Machine",
        ToConn::Gather => "Gather",
        ToConn::GatherLines => "GatherLines",
        ToConn::GatherTexts => "GatherTexts",
        ToConn::Heartbeat { .. } => "Heartbeat",
        ToConn::Pace(_) => "Pace",
        ToConn::Report => "Report",
        ToConn::Taken(_) => "Taken",
        ToConn::Close { .. } => "Close",
        ToConn::Abort => "Abort",
        ToConn::GiveUp(_) => "GiveUp",
    }
}

/// A script whose every step waits for the effect of the last leaves the same trace on every adapter.
pub fn the_trace_is_the_same_everywhere(arm: &impl Arm) {
    let stage = Stage::new(arm);
    stage.dial(route(arm.closed(), Duration::from_secs(10), SocketOptions::default()));
    stage.failure();
    let (mut guest, accepted) = stage.guest(SocketOptions::default());
    guest.send(b"one");
    assert_eq!(stage.text(accepted), b"one");
    stage.order(move |net| net.send_text(accepted, b"two"));
    assert_eq!(guest.text(), b"two");
    let (mut host, dialled) = stage.host(SocketOptions::default(), SocketOptions::default());
    stage.order(move |net| net.send_text(dialled, b"three"));
    assert_eq!(host.text(), b"three");
    host.send(b"four");
    assert_eq!(stage.text(dialled), b"four");
    stage.order(move |net| net.close(dialled, true));
    host.closed();
    drop(host);
    stage.closed(dialled);
    guest.close();
    drop(guest);
    stage.closed(accepted);
    let (_deaf, deaf) = arm.deaf();
    let dial = stage.dial(route(deaf, Duration::from_secs(3600), SocketOptions::default()));
    let seen = |what: &str| stage.props.trace().iter().any(|line| line.contains(what));
    arm.until("the dial to begin", &mut || seen("> Dial dial 3"));
    stage.order(move |net| net.cancel_dial(dial));
    stage.failure();
    arm.until("the adapter's answer", &mut || seen("< Dialed dial 3"));
    stage.order(|net| net.work(crate::work::Work::Disk(nothing()), ()));
    assert!(matches!(stage.next("the work"), Heard::Done));
    let trace = stage.finish().join("\n") + "\n";
    assert_eq!(trace, include_str!("trace.txt"), "the whole trace:\n{trace}");
}

fn nothing() -> crate::bulk::work::DiskWork {
    crate::bulk::work::DiskWork::Close { handle: crate::ids::HandleId(0) }
}
