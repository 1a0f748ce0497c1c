//! The connection itself: what an adapter calls, and how bytes become messages.

use std::collections::VecDeque;
use std::time::Duration;

use super::api::{Accepting, Dialling, FromConn, Interest, Moved, Side, ToConn, Traffic, Transmit};
use super::carry::Carried;
use super::flight::{Flight, Look, Scene};
use super::gather::{Gather, Gathered};
use super::heartbeat::{Due, Heartbeat, Part};
use super::pace::Pace;
use super::phase::{Authenticating, Handshaking, Phase, Sniffing, clear};
use super::reason::{CloseReason, Stage};
use super::rx::{Assembler, End, Rx};
use super::tx::{Back, Tx};
use crate::bulk::BulkSizes;
use crate::bulk::machine::Flow;
use crate::bulk::work::DiskDone;
use crate::cover::{self, Mark};
use crate::ids::{ConnId, WorkId};
use crate::limits;
use crate::socket::IoKind;
use crate::time::Instant;
use crate::tls::{self, State};
use crate::wire::frame::{Signal, put_data, put_signal};
use crate::work::{Work, WorkDone};

/// One TCP connection. See the [module](super).
#[derive(Debug)]
pub struct Conn {
    id: ConnId,
    pub(super) phase: Phase,
    /// Where it stood when its phase was last looked at.
    pub(super) stage: Stage,
    pub(super) rx: Rx,
    pub(super) tx: Tx,
    pub(super) frames: Assembler,
    pub(super) gather: Option<Gather>,
    pub(super) carried: Option<Carried>,
    pub(super) messages: VecDeque<FromConn>,
    /// Messages given out that the node has not taken yet.
    pub(super) untaken: usize,
    /// When authentication must be done.
    pub(super) give_up: Instant,
    /// How long a wrong key waits for its answer.
    pub(super) pause: Duration,
    /// Writing has failed; what can still be read may say why, until this time.
    pub(super) broken: Option<(IoKind, Instant)>,
    /// A machine ended in the middle of a stream: nothing that follows makes sense.
    pub(super) is_deaf: bool,
    /// No more input came in the middle of a frame that a machine was taking.
    pub(super) is_frame_cut: bool,
    pub(super) next_work: u64,
    pub(super) heartbeat: Option<Heartbeat>,
    /// It says nothing of Towline, and hears nothing of it.
    pub(super) is_stock: bool,
    /// What is under way.
    pub(super) look: Look,
    /// How fast a machine may move its data.
    pub(super) pace: Option<Pace>,
    pub(super) traffic: Traffic,
    /// What the last machine had moved at its end.
    pub(super) moved: Option<Moved>,
    pub(super) bulk: BulkSizes,
}

impl Conn {
    /// A connection we dialled.
    #[must_use]
    pub fn dialled(dialling: Dialling, now: Instant) -> Self {
        Self::dial(dialling, now, false)
    }

    /// A connection dialled as a stock daemon dials: its hello has no mark, so that the peer takes it for one (`wire/1 §9.7`).
    #[must_use]
    pub fn dialled_as_stock(dialling: Dialling, now: Instant) -> Self {
        Self::dial(dialling, now, true)
    }

    fn dial(dialling: Dialling, now: Instant, is_stock: bool) -> Self {
        let mut conn = Self::new(dialling.id, dialling.give_up, now);
        conn.is_stock = is_stock;
        if matches!(dialling.engine, tls::Dialler::Clear) {
            let (authenticating, hello) = Authenticating::dialled(dialling, clear(), is_stock);
            conn.set_phase(Phase::Authenticating(Box::new(authenticating)));
            // Head and hello in one buffer, so in one write: a real peer looks at the first segment only (wire/1 §2.2).
            conn.send_text(&hello);
            return conn;
        }
        match dialling.engine.start() {
            Ok(engine) => {
                conn.rx.protect(engine);
                conn.set_phase(Phase::Handshaking(Handshaking::Dialled(Box::new(dialling))));
                if let Err(error) = conn.rx.open(conn.tx.out()) {
                    conn.close(CloseReason::Tls(error));
                }
            }
            Err(error) => conn.close(CloseReason::Tls(error)),
        }
        conn
    }

    /// A connection we accepted.
    #[must_use]
    pub fn accepted(accepting: Accepting, now: Instant) -> Self {
        let mut conn = Self::new(accepting.id, accepting.give_up, now);
        conn.pause = accepting.pause;
        conn.set_phase(Phase::Sniffing(Sniffing(Box::new(accepting))));
        conn
    }

    /// The same as a stock daemon accepts: it looks for no mark in the hello.
    #[must_use]
    pub fn accepted_as_stock(accepting: Accepting, now: Instant) -> Self {
        Self { is_stock: true, ..Self::accepted(accepting, now) }
    }

    fn new(id: ConnId, give_up: Instant, now: Instant) -> Self {
        Self {
            id,
            phase: Phase::Closed,
            stage: Stage::FirstBytes,
            rx: Rx::new(),
            tx: Tx::default(),
            frames: Assembler::new(limits::EARLY_TEXT),
            gather: None,
            carried: None,
            messages: VecDeque::new(),
            untaken: 0,
            give_up,
            pause: Duration::ZERO,
            broken: None,
            is_deaf: false,
            is_frame_cut: false,
            next_work: 0,
            heartbeat: None,
            is_stock: false,
            look: Look::default(),
            pace: None,
            traffic: Traffic { heard: now, ..Traffic::default() },
            moved: None,
            bulk: BulkSizes::default(),
        }
    }

    /// Takes so much memory for the machines it carries from now on.
    #[must_use]
    pub const fn with_bulk(mut self, bulk: BulkSizes) -> Self {
        self.bulk = bulk;
        self
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> ConnId {
        self.id
    }

    /// Where to read the socket's next bytes. Empty means: do not read now.
    pub fn read_space(&mut self) -> &mut [u8] {
        if !self.may_read() {
            return &mut [];
        }
        let allowed = self.allowed(Flow::In, usize::MAX);
        let space = self.rx.space();
        let most = space.len().min(allowed);
        &mut space[..most]
    }

    /// Says that `n` bytes were read into [`read_space`](Self::read_space); 0 is the end of the stream.
    pub fn on_read(&mut self, n: usize, now: Instant) {
        match n {
            0 => self.rx.end = End::Eof,
            n => {
                self.traffic.read += n as u64;
                self.traffic.heard = now;
                if let Some(heartbeat) = &mut self.heartbeat {
                    heartbeat.on_heard(now);
                }
                self.rx.commit(n);
                self.spend(Flow::In, n, now);
            }
        }
        self.advance(now);
    }

    /// Says that reading or writing has failed. That half is not used any more.
    pub fn on_failed(&mut self, side: Side, kind: IoKind, now: Instant) {
        match side {
            Side::Read => self.rx.end = End::Failed(kind),
            Side::Write => self.on_write_failed(kind, now),
        }
        self.advance(now);
    }

    /// What to write next: at most `max` bytes, in at most 64 slices.
    pub fn transmit(&mut self, max: usize) -> Transmit<'_> {
        if self.mute_until().is_some() {
            return Transmit { slices: Vec::new() };
        }
        let Self { rx, tx, .. } = self;
        if let Some(engine) = &mut rx.engine
            && matches!(engine.state(), State::Ready(_) | State::PeerClosed(_))
            && let Err(error) = tx.seal(&mut **engine)
        {
            self.close(CloseReason::Tls(error));
        }
        let max = self.allowed(Flow::Out, max);
        Transmit { slices: self.tx.slices(self.rx.engine.is_none(), max) }
    }

    /// Says that the first `n` bytes of [`transmit`](Self::transmit) were written.
    pub fn on_written(&mut self, n: usize, now: Instant) {
        self.tx.written(n);
        self.traffic.written += n as u64;
        self.spend(Flow::Out, n, now);
        if let Some(heartbeat) = self.heartbeat.as_mut().filter(|_| n > 0) {
            heartbeat.on_said(now);
        }
        self.advance(now);
    }

    /// Takes an order of the node. One that comes too late does nothing.
    pub fn handle_message(&mut self, message: ToConn, now: Instant) {
        match (message, &self.phase) {
            (ToConn::Report, _) => {
                let round_trip = self.heartbeat.as_ref().and_then(Heartbeat::round_trip);
                let traffic = Traffic { moved: self.moved(), round_trip, ..self.traffic };
                self.messages.push_back(FromConn::Reported(traffic));
            }
            (ToConn::Heartbeat { every, sending }, Phase::Ready(ready)) if ready.is_towline => {
                let part = match (sending, ready.is_data_channel) {
                    (true, _) => Part::Sending,
                    (false, true) => Part::Receiving,
                    (false, false) => Part::Control,
                };
                self.heartbeat = Some(Heartbeat::new(every, part, now));
            }
            (ToConn::Taken(n), _) => self.untaken = self.untaken.saturating_sub(n as usize),
            (_, Phase::Closed) => return,
            (ToConn::Abort, _) => self.close(CloseReason::Aborted),
            (ToConn::GiveUp(stall), _) => self.close(CloseReason::StoodStill(stall)),
            (ToConn::PushOut, _) => self.push_out(now),
            (ToConn::Close { farewell }, Phase::Ready(_)) => {
                if farewell {
                    self.send_signal(Signal::Terminate);
                }
                self.end(CloseReason::Done, now);
            }
            (ToConn::Close { .. }, phase) if phase.is_early() => self.close(CloseReason::Done),
            (ToConn::Send(frames), Phase::Ready(_)) => self.tx.push(frames),
            (ToConn::Parcel(parcel), Phase::Ready(_)) => self.tx.push_parcel(parcel, Back::Node),
            (ToConn::Carry(machine), Phase::Ready(_)) => self.carry(machine, now),
            (ToConn::Pace(limit), Phase::Ready(_)) => self.set_pace(limit, now),
            (ToConn::Machine(message), Phase::Ready(_)) => {
                if let Some(carried) = &mut self.carried {
                    carried.machine.handle(message);
                }
            }
            (ToConn::Gather, Phase::Ready(_)) => self.begin_to_gather(Gathered::Updates),
            (ToConn::GatherLines, Phase::Ready(_)) => self.begin_to_gather(Gathered::VerifyLines),
            (ToConn::GatherTexts, Phase::Ready(_)) => self.begin_to_gather(Gathered::Texts),
            _ => {}
        }
        self.advance(now);
    }

    /// The next message for the node, until there is none.
    #[must_use]
    pub fn poll_message(&mut self) -> Option<FromConn> {
        let message = self.messages.pop_front()?;
        if !matches!(message, FromConn::Closed(_) | FromConn::Reached { .. }) {
            self.untaken += 1;
        }
        Some(message)
    }

    /// The next piece of work of the machine, until there is none.
    #[must_use]
    pub fn poll_work(&mut self) -> Option<(WorkId, Work)> {
        let is_held = self.is_held(Flow::Inside);
        let work = self.carried.as_mut()?.machine.poll_work(is_held)?;
        let id = WorkId(self.next_work);
        self.next_work += 1;
        Some((id, Work::Disk(work)))
    }

    /// Takes what came of a piece of work. Pieces for one handle are answered in the order they were given.
    pub fn handle_done(&mut self, work: WorkId, done: WorkDone, now: Instant) {
        if let WorkDone::Disk(DiskDone::Filled { parcel, .. }) = &done {
            self.spend(Flow::Inside, parcel.bytes.len(), now);
        }
        if let Some(carried) = &mut self.carried
            && work.0 >= carried.first_work
        {
            match done {
                WorkDone::Disk(done) => carried.machine.handle_done(work.0 - carried.first_work, done),
                WorkDone::Catalog(_)
                | WorkDone::Script(_)
                | WorkDone::Configuration(_)
                | WorkDone::Delivered(_)
                | WorkDone::Resolved(_)
                | WorkDone::Wanted
                | WorkDone::Refused => carried.machine.on_refused(),
            }
        }
        self.advance(now);
    }

    /// Whether [`on_flight`](Self::on_flight) is to be called now.
    #[must_use]
    pub const fn wants_flight(&self) -> bool {
        self.look.is_due()
    }

    /// Takes what is under way on the socket; `None` if the adapter cannot tell.
    pub fn on_flight(&mut self, flight: Option<Flight>, now: Instant) {
        let Traffic { read, heard, .. } = self.traffic;
        let scene = Scene { read, heard, is_bulk: self.carried.is_some() };
        if let Some(stall) = self.look.saw(flight, scene, now)
            && self.under_way() < limits::UNDER_WAY as usize
        {
            self.messages.push_back(FromConn::Stalled(stall));
        }
    }

    /// What to wait for.
    #[must_use]
    pub fn wants(&self) -> Interest {
        Interest {
            read: self.may_read(),
            write: !self.tx.is_empty()
                && self.broken.is_none()
                && !self.is_held(Flow::Out)
                && self.mute_until().is_none(),
            shut_write: self.is_written() && self.broken.is_none(),
            close: matches!(self.phase, Phase::Closed),
        }
    }

    pub(super) fn may_read(&self) -> bool {
        let is_open = self.rx.end == End::Open && !matches!(self.phase, Phase::Closed);
        let may_say_more = !matches!(self.phase, Phase::Ready(_)) || self.under_way() < limits::UNDER_WAY as usize;
        is_open && may_say_more && self.rx.has_room() && !self.is_held(Flow::In)
    }

    /// Messages on their way to the node.
    pub(super) fn under_way(&self) -> usize {
        self.messages.len() + self.untaken
    }

    pub(super) fn set_phase(&mut self, phase: Phase) {
        self.stage = phase.stage();
        self.phase = phase;
    }

    pub(super) const fn buffer_size(&self) -> usize {
        match (&self.carried, &self.gather) {
            (Some(_), _) => self.bulk.buffer(),
            (None, Some(_)) => self.bulk.gather_buffer(),
            (None, None) => limits::IDLE_BUFFER,
        }
    }

    pub(super) fn heartbeat_deadline(&self) -> Option<Instant> {
        self.heartbeat.as_ref().map(Heartbeat::deadline)
    }

    pub(super) fn beat(&mut self, now: Instant) {
        match self.heartbeat.as_mut().map(|heartbeat| heartbeat.due(now)) {
            Some(Due::Silent(time)) => {
                cover::hit(Mark::MissedHeartbeats);
                self.close(CloseReason::Silent(time));
            }
            // What waits to be written says as much, once it gets through.
            Some(Due::Beat) if self.tx.is_empty() => {
                self.send_signal(Signal::Heartbeat);
                if let Some(heartbeat) = &mut self.heartbeat {
                    heartbeat.on_sent(now);
                }
            }
            _ => {}
        }
    }

    /// Answers the other Towline daemon's heartbeats; nobody else hears of them. True if this was one.
    pub(super) fn take_heartbeat(&mut self, signal: Signal, now: Instant) -> bool {
        match signal {
            Signal::Heartbeat => {
                if let Some(heartbeat) = &mut self.heartbeat {
                    heartbeat.on_beat(now);
                }
                self.send_signal(Signal::HeartbeatResponse);
                true
            }
            Signal::HeartbeatResponse => {
                if let Some(heartbeat) = &mut self.heartbeat {
                    heartbeat.on_answered(now);
                }
                true
            }
            _ => false,
        }
    }

    pub(super) fn send_text(&mut self, text: &[u8]) {
        let mut frame = Vec::with_capacity(4 + text.len());
        put_data(&mut frame, text);
        self.tx.push(frame);
    }

    pub(super) fn send_signal(&mut self, signal: Signal) {
        let mut frame = Vec::with_capacity(4);
        put_signal(&mut frame, signal);
        self.tx.push(frame);
    }
}
