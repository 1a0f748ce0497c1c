//! One end of a TCP connection, as far as a backup network notices it.
//!
//! ```text
//!   write -> send buffer -> segments (window) ~~~ link ~~~> in order -> receive buffer -> read
//!                ^------------- acknowledgements, window <----------------'
//! ```
//! Modelled: SYN with retries, initial sequence numbers, an ordered stream between bounded buffers, retransmission with
//! back-off, delayed acknowledgements, FIN, RST, half-close, window probes, keepalive, half-open connections. Not modelled: congestion,
//! reordering, options, TIME_WAIT.
//!
//! It owns no clock: after each call take what [`poll_segment`](End::poll_segment) returns and ask
//! [`deadline`](End::deadline).

mod segment;
mod timers;

use std::collections::VecDeque;
use std::time::Duration;

use towline_core::conn::Flight;
use towline_core::socket::{Ends, IoKind, Keepalive, SocketOptions};
use towline_core::time::Instant;

pub use segment::{Data, Isns, Segment};

/// Bytes of the longest segment.
pub const SEGMENT: usize = 32 * 1024;
/// No router makes segments smaller than this (`net.ipv4.route.min_pmtu`, less the headers).
const SMALLEST: usize = 500;
/// Bytes of each buffer unless the options say otherwise.
pub const BUFFER: usize = 256 * 1024;
/// The first pause before a SYN is sent again.
const SYN_PAUSE: Duration = Duration::from_secs(1);
/// How soon a SYN follows an answer that belongs to a connection of old.
const SYN_AGAIN: Duration = Duration::from_millis(2);
/// After how many repeated answers data is sent again without a pause.
const REPEATS: u32 = 3;
/// The first pause before data is sent again, while nothing is known of the way.
const PAUSE: Duration = Duration::from_secs(1);
/// The shortest and the longest such pause.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(120));

/// How long an acknowledgement waits for something of our own to go with, and how soon after the other side's words ours
/// count as an answer (`TCP_ATO_MIN`).
const ACK_PAUSE: Duration = Duration::from_millis(40);
/// Who hears what is out of its window says so no sooner again (`tcp_invalid_ratelimit`).
const CHALLENGE_PAUSE: Duration = Duration::from_millis(500);
/// More bytes than this are acknowledged at once: those of a frame on Ethernet.
const FRAME: u64 = 1448;

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// A SYN is out.
    Dialling,
    /// A SYN was answered.
    Answering,
    /// Both sides agree.
    Open,
    /// It is over.
    Over(IoKind),
}

/// One end.
#[derive(Debug)]
pub struct End {
    ends: Ends,
    options: SocketOptions,
    /// Where our stream begins, and the other side's once that is known.
    isns: Isns,
    /// When it last said that something was out of its window.
    challenged: Option<Instant>,
    /// Bytes of the longest segment the other side takes.
    longest: usize,
    phase: Phase,
    out: VecDeque<Segment>,
    /// From `acked` on.
    send: VecDeque<u8>,
    acked: u64,
    sent: u64,
    /// Where our stream ends so far; its FIN takes the place after.
    written: u64,
    limit: u64,
    shut: bool,
    /// The owner has let go of it.
    is_orphan: bool,
    /// Since when all we said, the FIN included, is acknowledged.
    done: Option<Instant>,
    recv: VecDeque<u8>,
    received: u64,
    told: u64,
    peer_ended: bool,
    /// Up to where we have said that it has come.
    said_taken: u64,
    /// When to say it at the latest, if nothing goes there before.
    ack_at: Option<Instant>,
    /// Whether we answer what the other side says: then its acknowledgement goes with the answer.
    answers: bool,
    /// When the other side last said something; its beginning if it never did.
    asked: Instant,
    pause: Duration,
    base: Duration,
    retry_at: Option<Instant>,
    tries: u32,
    unanswered: Option<Instant>,
    /// Since when the other side takes nothing although it answers.
    shut_out: Option<Instant>,
    timed: Option<(u64, Instant)>,
    recovering: bool,
    /// Answers in a row that acknowledge nothing new while something is under way.
    repeats: u32,
    heard: Instant,
    probes: u32,
    /// Segments that came after one that had not.
    gaps: u64,
    /// What a router said of what is under way; it counts if nothing is heard until the end.
    said: Option<IoKind>,
}

impl End {
    /// Begins to connect; its stream begins at `isn`.
    #[must_use]
    pub fn dial(ends: Ends, options: SocketOptions, isn: u32, now: Instant) -> Self {
        let mut end = Self::new(ends, options, Isns { from: isn, to: 0 }, Phase::Dialling, now);
        end.syn();
        end
    }

    /// Answers a SYN of a side that takes segments up to so many bytes; the streams begin at `isns`, ours first.
    #[must_use]
    pub fn answer(ends: Ends, options: SocketOptions, longest: usize, isns: Isns, now: Instant) -> Self {
        let mut end = Self::new(ends, options, isns, Phase::Answering, now);
        end.longest = longest;
        end.syn_ack();
        end
    }

    fn new(ends: Ends, options: SocketOptions, isns: Isns, phase: Phase, now: Instant) -> Self {
        Self {
            ends,
            options,
            isns,
            challenged: None,
            longest: SEGMENT,
            phase,
            out: VecDeque::new(),
            send: VecDeque::new(),
            acked: 0,
            sent: 0,
            written: 0,
            limit: 0,
            shut: false,
            is_orphan: false,
            done: None,
            recv: VecDeque::new(),
            received: 0,
            told: 0,
            peer_ended: false,
            said_taken: 0,
            ack_at: None,
            answers: false,
            asked: now,
            pause: SYN_PAUSE,
            base: PAUSE,
            retry_at: Some(now + SYN_PAUSE),
            tries: 0,
            unanswered: None,
            shut_out: None,
            timed: None,
            recovering: false,
            repeats: 0,
            heard: now,
            probes: 0,
            gaps: 0,
            said: None,
        }
    }

    /// What is under way, as `TCP_INFO` has it.
    #[must_use]
    pub const fn flight(&self) -> Flight {
        let Self { sent, acked, tries, gaps, .. } = self;
        Flight { unacked: sent.saturating_sub(*acked), acked: *acked, retries: *tries, gaps: *gaps }
    }

    /// Both addresses.
    #[must_use]
    pub const fn ends(&self) -> Ends {
        self.ends
    }

    /// The options in force.
    #[must_use]
    pub const fn options(&self) -> SocketOptions {
        self.options
    }

    /// How far it is.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Bytes of the longest segment this side sends and takes.
    fn own_longest(&self) -> usize {
        self.options.segment.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(SEGMENT).clamp(1, SEGMENT)
    }

    /// Bytes one buffer holds.
    #[must_use]
    pub fn buffer(&self) -> usize {
        self.options.buffer.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(BUFFER).max(1)
    }

    /// Bytes under way or waiting in this direction, and bytes that wait to be read.
    #[must_use]
    pub fn queued(&self) -> (usize, usize) {
        (self.send.len(), self.recv.len())
    }

    /// Sets TCP keepalive.
    pub const fn set_keepalive(&mut self, keepalive: Option<Keepalive>) {
        self.options.keepalive = keepalive;
    }

    /// Whether [`read`](Self::read) has an answer.
    #[must_use]
    pub fn can_read(&self) -> bool {
        !self.recv.is_empty() || self.peer_ended || matches!(self.phase, Phase::Over(_))
    }

    /// Whether [`write`](Self::write) has an answer.
    #[must_use]
    pub fn can_write(&self) -> bool {
        match self.phase {
            Phase::Open => self.send.len() < self.buffer(),
            Phase::Over(_) => true,
            Phase::Dialling | Phase::Answering => false,
        }
    }

    /// Reads; `None` means: nothing yet.
    pub fn read(&mut self, space: &mut [u8], now: Instant) -> Option<Result<usize, IoKind>> {
        if self.recv.is_empty() {
            return match self.phase {
                Phase::Over(kind) => Some(Err(kind)),
                _ => self.peer_ended.then_some(Ok(0)),
            };
        }
        let n = space.len().min(self.recv.len());
        let (front, back) = self.recv.as_slices();
        let in_front = n.min(front.len());
        space[..in_front].copy_from_slice(&front[..in_front]);
        space[in_front..n].copy_from_slice(&back[..n - in_front]);
        self.recv.drain(..n);
        // A little room is not worth a word.
        if self.window() >= self.told + (self.buffer() as u64 / 2).min(SEGMENT as u64) {
            self.acknowledge();
        }
        self.pump(now);
        Some(Ok(n))
    }

    /// Writes what fits; `None` means: no room.
    pub fn write(&mut self, bytes: &[u8], now: Instant) -> Option<Result<usize, IoKind>> {
        match self.phase {
            Phase::Over(kind) => return Some(Err(kind)),
            Phase::Open if self.shut => return Some(Err(IoKind::Aborted)),
            Phase::Open => {}
            Phase::Dialling | Phase::Answering => return None,
        }
        let n = bytes.len().min(self.buffer() - self.send.len().min(self.buffer()));
        if n == 0 {
            return None;
        }
        self.send.extend(&bytes[..n]);
        self.written += n as u64;
        self.pump(now);
        Some(Ok(n))
    }

    /// Ends the writing, after all that is queued.
    pub fn shut_write(&mut self, now: Instant) {
        self.shut = true;
        self.pump(now);
    }

    /// The owner lets go: what is queued still goes out; what was not read makes it a reset.
    pub fn close(&mut self, now: Instant) {
        if self.phase != Phase::Open || !self.recv.is_empty() {
            return self.reset();
        }
        self.is_orphan = true;
        self.shut_write(now);
        if self.ack_at.is_some() {
            self.acknowledge();
        }
    }

    /// Breaks off.
    pub fn reset(&mut self) {
        if matches!(self.phase, Phase::Open | Phase::Answering) {
            self.out.push_back(Segment::Rst { to: Some(self.isns.to) });
        }
        self.fail(IoKind::Aborted);
    }

    /// Whether nobody owns it and nothing is left to do.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        match self.phase {
            Phase::Over(_) => true,
            _ => self.is_orphan && self.done.is_some() && self.peer_ended,
        }
    }

    /// What to send next.
    pub fn poll_segment(&mut self) -> Option<Segment> {
        self.out.pop_front()
    }

    /// Takes a segment of the other side.
    pub fn on_segment(&mut self, segment: Segment, now: Instant) {
        match (segment, self.phase) {
            (_, Phase::Over(_)) => {}
            // Nobody is thrown out by a reset that is out of his window, RFC 5961 §3.2.
            (Segment::Rst { to: Some(to) }, _) if to != self.isns.from => {}
            (Segment::Rst { .. }, Phase::Dialling) => self.fail(IoKind::Refused),
            (Segment::Rst { .. }, _) => self.fail(IoKind::Reset),
            (Segment::Syn { isn, .. }, Phase::Answering) if isn == self.isns.to => self.syn_ack(),
            // A host that has forgotten us begins anew from the same port: it is told where we are, RFC 5961 §4.
            (Segment::Syn { .. }, _) => self.acknowledge(),
            (segment, phase) if !self.fits(&segment) => self.on_stray(&segment, phase, now),
            (Segment::SynAck { isns, limit, longest }, Phase::Dialling) => {
                self.isns.to = isns.from;
                self.longest = longest;
                self.open(now);
                self.limit = limit;
                self.acknowledge();
            }
            (Segment::SynAck { .. }, _) => self.acknowledge(),
            (Segment::Data(data), phase) => {
                if phase == Phase::Answering {
                    self.open(now);
                }
                self.on_data(&data, now);
            }
        }
    }

    /// Whether a segment belongs to this connection, as far as its numbers say.
    fn fits(&self, segment: &Segment) -> bool {
        match (segment, self.phase) {
            (Segment::SynAck { isns, .. }, Phase::Dialling) => isns.to == self.isns.from,
            (Segment::Data(_), Phase::Dialling) => false,
            (Segment::SynAck { isns, .. } | Segment::Data(Data { isns, .. }), _) => {
                (isns.to, isns.from) == (self.isns.from, self.isns.to)
            }
            (Segment::Syn { .. } | Segment::Rst { .. }, _) => true,
        }
    }

    /// Something of another connection with the same ends (RFC 9293 §3.10.7.3, §3.10.7.4).
    fn on_stray(&mut self, segment: &Segment, phase: Phase, now: Instant) {
        match phase {
            // Who is not connected yet resets it, and goes on.
            Phase::Dialling | Phase::Answering => {
                self.out.extend(segment.refusal());
                if phase == Phase::Dialling {
                    self.retry_at = Some(now + SYN_AGAIN);
                }
            }
            // Two ends that are each out of the other's window would tell each other so for ever.
            Phase::Open if self.challenged.is_none_or(|at| now.since(at) >= CHALLENGE_PAUSE) => {
                self.challenged = Some(now);
                self.acknowledge();
            }
            Phase::Open | Phase::Over(_) => {}
        }
    }

    /// A router, or the own system, says that what was sent does not arrive. A connection that is open goes on trying.
    pub fn on_unreachable(&mut self, kind: IoKind) {
        match self.phase {
            Phase::Dialling => self.fail(kind),
            Phase::Answering | Phase::Open => self.said = Some(kind),
            Phase::Over(_) => {}
        }
    }

    /// A router says that segments of more bytes do not get through: what is under way goes again in smaller ones.
    pub fn on_too_large(&mut self, largest: usize, now: Instant) {
        let largest = largest.max(SMALLEST);
        if largest >= self.longest {
            return;
        }
        self.longest = largest;
        if self.phase == Phase::Open && self.sent > self.acked {
            self.timed = None;
            self.sent = self.acked;
            self.pump(now);
        }
    }

    fn on_data(&mut self, data: &Data, now: Instant) {
        self.heard = now;
        self.probes = 0;
        self.said = None;
        if self.is_orphan && !data.bytes.is_empty() {
            // Nobody will ever read it.
            self.out.push_back(Segment::Rst { to: Some(self.isns.to) });
            return self.fail(IoKind::Aborted);
        }
        let is_repeat = data.bytes.is_empty() && !data.fin && !data.probe && data.limit <= self.limit;
        self.on_ack(data.ack, data.limit, now);
        self.on_repeat(is_repeat && data.ack == self.acked && self.sent > self.acked, now);
        let (before, end) = ((self.received, self.taken()), data.at + data.bytes.len() as u64);
        if data.at > self.received && !data.bytes.is_empty() {
            self.gaps += 1;
        }
        if !self.peer_ended && data.at <= self.received && end >= self.received {
            let known = usize::try_from(self.received - data.at).unwrap_or(usize::MAX);
            let room = usize::try_from(self.told - self.received).unwrap_or(0);
            let fresh = data.bytes.get(known..).unwrap_or_default();
            let fresh = &fresh[..fresh.len().min(room)];
            self.recv.extend(fresh);
            self.received += fresh.len() as u64;
            self.peer_ended = data.fin && self.received == end;
        }
        let is_next = data.at == before.0 && self.taken() > before.1;
        if data.probe || !is_next && (!data.bytes.is_empty() || data.fin) {
            self.acknowledge();
        }
        if !data.bytes.is_empty() {
            self.asked = now;
        }
        self.pump(now);
        self.acknowledge_later(now);
    }

    /// As Linux does it (`__tcp_ack_snd_check`): at once what nobody answers, and all beyond a frame; what is answered within
    /// a while goes with the answer.
    fn acknowledge_later(&mut self, now: Instant) {
        let unsaid = self.taken() - self.said_taken;
        if self.answers && !self.is_orphan && unsaid <= FRAME.min(self.longest as u64) {
            self.ack_at = self.ack_at.or_else(|| (unsaid > 0).then(|| now + ACK_PAUSE));
        } else if unsaid > 0 {
            self.acknowledge();
        }
    }

    fn on_ack(&mut self, ack: u64, limit: u64, now: Instant) {
        self.limit = self.limit.max(limit);
        self.unanswered = None;
        if self.timed.is_some_and(|(at, _)| ack >= at)
            && let Some((_, sent)) = self.timed.take()
        {
            self.base = (now.since(sent) * 3).clamp(PAUSES.0, PAUSES.1);
        }
        if ack > self.acked {
            let n = usize::try_from(ack - self.acked).unwrap_or(usize::MAX).min(self.send.len());
            self.send.drain(..n);
            self.acked = ack;
            self.tries = 0;
            self.repeats = 0;
            self.sent = self.sent.max(ack);
            self.recovering = false;
            self.retry_at = None;
            if self.shut && ack == self.written + 1 {
                self.done = Some(now);
            }
            // An answer to a probe says nothing about the data under way: its back-off goes on.
            self.pause = self.base;
        } else if self.sent == self.acked {
            self.pause = self.base;
        }
    }

    /// Fast retransmit, RFC 5681 §3.2: three answers in a row that say the same mean that a segment is missing.
    fn on_repeat(&mut self, is_repeat: bool, now: Instant) {
        self.repeats += u32::from(is_repeat);
        if is_repeat && self.repeats == REPEATS && !self.recovering {
            self.timed = None;
            self.sent = self.acked;
            self.recovering = true;
            self.pump(now);
        }
    }

    /// Sends what may be sent, and sees to it that somebody looks after it.
    fn pump(&mut self, now: Instant) {
        if self.phase != Phase::Open {
            return;
        }
        while !self.recovering || self.sent == self.acked {
            let from = usize::try_from(self.sent - self.acked).unwrap_or(usize::MAX).min(self.send.len());
            let window = usize::try_from(self.limit.saturating_sub(self.sent)).unwrap_or(usize::MAX);
            let n = (self.send.len() - from).min(window).min(self.own_longest().min(self.longest));
            let fin = self.shut && from + n == self.send.len() && self.sent <= self.written;
            if n == 0 && !fin {
                break;
            }
            let bytes = part(&self.send, from, n);
            self.emit(self.sent, bytes, fin, false);
            self.sent += n as u64 + u64::from(fin);
            self.answers |= now.since(self.asked) < ACK_PAUSE;
            if self.timed.is_none() && !self.recovering {
                self.timed = Some((self.sent, now));
            }
            self.unanswered.get_or_insert(now);
        }
        let waits = self.sent > self.acked || !self.send.is_empty();
        if self.sent == self.acked && !self.send.is_empty() {
            self.shut_out.get_or_insert(now);
        } else {
            self.shut_out = None;
        }
        if !waits {
            self.retry_at = None;
        } else if self.retry_at.is_none() {
            self.retry_at = Some(self.within_user_timeout(now, now + self.pause));
        }
    }

    fn open(&mut self, now: Instant) {
        self.phase = Phase::Open;
        (self.heard, self.asked) = (now, now);
        self.pause = self.base;
        self.retry_at = None;
        self.told = self.window();
    }

    fn fail(&mut self, kind: IoKind) {
        self.phase = Phase::Over(kind);
        self.send.clear();
    }

    fn syn(&mut self) {
        self.out.push_back(Segment::Syn { isn: self.isns.from, longest: self.own_longest() });
    }

    fn syn_ack(&mut self) {
        self.told = self.window();
        let (isns, longest) = (self.isns, self.own_longest());
        self.out.push_back(Segment::SynAck { isns, limit: self.told, longest });
    }

    fn acknowledge(&mut self) {
        self.emit(self.sent, Vec::new(), false, false);
    }

    fn emit(&mut self, at: u64, bytes: Vec<u8>, fin: bool, probe: bool) {
        self.told = self.told.max(self.window());
        let ack = self.taken();
        (self.said_taken, self.ack_at) = (ack, None);
        self.out.push_back(Segment::Data(Data { isns: self.isns, at, bytes, fin, ack, limit: self.told, probe }));
    }

    /// All before this place of the other side's stream has come; its end has a place of its own.
    fn taken(&self) -> u64 {
        self.received + u64::from(self.peer_ended)
    }

    /// Up to where the other side may send.
    fn window(&self) -> u64 {
        self.received + self.buffer().saturating_sub(self.recv.len()) as u64
    }
}

/// `n` bytes from a place on.
fn part(queue: &VecDeque<u8>, from: usize, n: usize) -> Vec<u8> {
    let (front, back) = queue.as_slices();
    let skipped = from.saturating_sub(front.len());
    let (front, back) = (front.get(from..).unwrap_or_default(), back.get(skipped..).unwrap_or_default());
    let in_front = front.len().min(n);
    let mut bytes = Vec::with_capacity(n);
    bytes.extend_from_slice(&front[..in_front]);
    bytes.extend_from_slice(&back[..(n - in_front).min(back.len())]);
    bytes
}

#[cfg(test)]
mod tests;
