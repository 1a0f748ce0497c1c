//! One connection that a gateway remembers: how far it is, by what went through, and for how long it stays remembered.

use std::net::SocketAddr;
use std::time::Duration;

use towline_core::time::Instant;

use crate::tcp::Segment;

use super::{Idle, Way};

/// As much of a segment as a gateway looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) kind: Kind,
    /// The place in its stream that it leaves its sender's stream at, where it carries something.
    reaches: Option<u64>,
    /// What of the other stream has come.
    acknowledges: Option<u64>,
}

/// What a segment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Syn,
    SynAck,
    Ack,
    Fin,
    Rst,
}

impl Seen {
    pub(crate) const fn of(segment: &Segment) -> Self {
        match segment {
            Segment::Syn { .. } => Self::bare(Kind::Syn),
            Segment::SynAck { .. } => Self::bare(Kind::SynAck),
            Segment::Rst { .. } => Self::bare(Kind::Rst),
            Segment::Data(data) => {
                let reaches = data.at + data.bytes.len() as u64 + data.fin as u64;
                Self {
                    kind: if data.fin { Kind::Fin } else { Kind::Ack },
                    reaches: if reaches > data.at { Some(reaches) } else { None },
                    acknowledges: Some(data.ack),
                }
            }
        }
    }

    pub(super) const fn bare(kind: Kind) -> Self {
        Self { kind, reaches: None, acknowledges: None }
    }
}

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// One side has sent a SYN.
    Dialled(Way),
    Answered(Way),
    Established,
    /// This side has ended its stream.
    Fin(Way),
    HalfClosed(Way),
    LastAck,
    Closed,
    Reset,
}

/// A connection that is remembered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Session {
    /// The inner endpoint as it is known outside.
    pub(super) outer: SocketAddr,
    state: State,
    last: Instant,
    /// What the inner side has sent of its stream, and the outer one has acknowledged; then the other way round.
    streams: [Stream; 2],
}

#[derive(Clone, Copy, Debug, Default)]
struct Stream {
    sent: u64,
    acknowledged: u64,
}

impl Session {
    /// One that a SYN opens, or that is taken up in its middle.
    pub(super) fn new(outer: SocketAddr, by: Way, seen: Seen, now: Instant) -> Self {
        let state = if seen.kind == Kind::Syn { State::Dialled(by) } else { State::Established };
        let mut session = Self { outer, state, last: now, streams: [Stream::default(); 2] };
        session.streams[by as usize].sent = seen.reaches.unwrap_or(0);
        session
    }

    /// Whether it is forgotten by now.
    pub(super) fn is_over(&self, idle: &Idle, now: Instant) -> bool {
        now.since(self.last) >= self.limit(idle)
    }

    fn limit(&self, idle: &Idle) -> Duration {
        let limit = match self.state {
            State::Dialled(_) => idle.dialled,
            State::Answered(_) => idle.answered,
            State::Established => idle.established,
            State::Fin(_) => idle.fin,
            State::HalfClosed(_) => idle.half_closed,
            State::LastAck => idle.last_ack,
            State::Closed => idle.closed,
            State::Reset => idle.reset,
        };
        let is_waiting = self.streams.iter().any(|stream| stream.sent > stream.acknowledged);
        if is_waiting { limit.min(idle.unacknowledged) } else { limit }
    }

    /// A segment goes through this way. As Linux has it (`nf_conntrack_proto_tcp`), without looking at windows.
    pub(super) fn heard(&mut self, way: Way, seen: Seen, now: Instant) {
        self.last = now;
        if let Some(reaches) = seen.reaches {
            let sent = &mut self.streams[way as usize].sent;
            *sent = (*sent).max(reaches);
        }
        if let Some(acknowledges) = seen.acknowledges {
            let acknowledged = &mut self.streams[way.back() as usize].acknowledged;
            *acknowledged = (*acknowledged).max(acknowledges);
        }
        self.state = match (self.state, seen.kind) {
            // What is over may begin anew from the same ports; what is open is not troubled by a SYN.
            (State::Closed | State::Reset | State::LastAck, Kind::Syn) => {
                self.streams = [Stream::default(); 2];
                State::Dialled(way)
            }
            (state, Kind::Syn) => state,
            (_, Kind::Rst) => State::Reset,
            (State::Dialled(by), Kind::SynAck) if by != way => State::Answered(by),
            (state, Kind::SynAck) => state,
            (State::Answered(by) | State::Dialled(by), Kind::Ack) if by != way => State::Established,
            (State::Answered(by), Kind::Ack) if by == way => State::Established,
            (State::Fin(by) | State::HalfClosed(by), Kind::Fin) if by != way => State::LastAck,
            (state @ (State::Fin(_) | State::HalfClosed(_) | State::LastAck | State::Closed), Kind::Fin) => state,
            (_, Kind::Fin) => State::Fin(way),
            (State::Fin(by), Kind::Ack) if by != way => State::HalfClosed(by),
            (State::LastAck, Kind::Ack) => State::Closed,
            (state, Kind::Ack) => state,
        };
    }
}
