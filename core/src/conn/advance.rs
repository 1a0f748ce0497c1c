//! How far the bytes of a connection carry it: from phase to phase, and out of it as messages.

use super::Conn;
use super::api::FromConn;
use super::gather::{Gather, Gathered};
use super::phase::{Authenticating, Greeting, Handshaking, Phase, Proceeded, Ready, Sniffed, Sniffing};
use super::reason::{CloseReason, Stage};
use super::rx::{Got, trimmed};
use super::tx::Back;
use crate::buf::Headway;
use crate::bulk::machine::Outcome;
use crate::limits;
use crate::time::Instant;
use crate::tls::State;
use crate::wire::frame::{Signal, put_data};
use crate::wire::hello::CROWDED;

impl Conn {
    /// Tells the node that an accepted connection has got further.
    fn reached(&mut self, stage: Stage, by_key: bool) {
        self.messages.push_back(FromConn::Reached { stage, by_key });
    }

    /// Does all that can be done now.
    pub(super) fn advance(&mut self, now: Instant) {
        if let Some(carried) = &mut self.carried {
            carried.machine.advance_to(now);
        }
        if let Some(pace) = &mut self.pace {
            pace.refill(now);
        }
        let mut headway = Headway::over(self.rx.waiting().saturating_mul(2));
        loop {
            if !headway.goes_on() {
                self.close(CloseReason::Stuck(self.stage));
                break;
            }
            let moved = match self.step(now) {
                Ok(moved) => moved,
                Err(reason) => {
                    self.end(reason, now);
                    continue;
                }
            };
            self.collect_sent();
            if !self.drive_machine() && !moved {
                break;
            }
        }
        if self.under_way() == 0 {
            self.flush_gathered();
        }
        self.at_end(now);
        self.drain();
        if self.tx.queued() > limits::SEND_QUEUE {
            self.close(CloseReason::NotReading(self.tx.queued()));
        }
        self.rx.settle();
        let listens = self.may_read();
        if let Some(heartbeat) = &mut self.heartbeat {
            heartbeat.listens(listens, now);
        }
    }

    /// One step of receiving. True if there may be another.
    fn step(&mut self, now: Instant) -> Result<bool, CloseReason> {
        self.stage = self.phase.stage();
        match std::mem::replace(&mut self.phase, Phase::Closed) {
            Phase::Sniffing(sniffing) => self.sniff(sniffing),
            Phase::Handshaking(handshaking) => self.handshake(handshaking),
            Phase::Greeting(greeting) => self.greet(greeting),
            Phase::Authenticating(authenticating) => self.authenticate(authenticating),
            Phase::Ready(ready) => {
                self.phase = Phase::Ready(ready);
                self.receive(ready, now)
            }
            Phase::Draining(draining) => {
                self.phase = Phase::Draining(draining);
                self.rx.discard();
                Ok(false)
            }
            Phase::Closed => Ok(false),
        }
    }

    fn sniff(&mut self, sniffing: Sniffing) -> Result<bool, CloseReason> {
        match sniffing.judge(self.rx.plain.filled())? {
            Sniffed::More(sniffing) => {
                self.rx.grow();
                self.phase = Phase::Sniffing(sniffing);
                return Ok(false);
            }
            Sniffed::Clear(greeting) => {
                self.phase = Phase::Greeting(greeting);
                self.reached(Stage::Hello, false);
            }
            Sniffed::Tls(handshaking, engine) => {
                self.rx.protect(engine);
                self.phase = Phase::Handshaking(handshaking);
                self.reached(Stage::Handshake, false);
            }
        }
        Ok(true)
    }

    fn handshake(&mut self, handshaking: Handshaking) -> Result<bool, CloseReason> {
        // A daemon that is full answers before TLS has begun.
        // Later bytes may begin in the same way within a record that is cut there.
        let is_first =
            matches!(handshaking, Handshaking::Dialled(_)) && self.traffic.read == self.rx.untouched() as u64;
        match self.rx.begins_with(&crowded()).filter(|_| is_first) {
            Some(true) => return Err(CloseReason::Crowded),
            Some(false) => {
                self.phase = Phase::Handshaking(handshaking);
                return Ok(false);
            }
            None => {}
        }
        let moved = self.rx.open(self.tx.out()).map_err(CloseReason::Tls)?;
        let state = self.rx.engine.as_ref().map(|engine| engine.state());
        let (Some(State::Ready(established)) | Some(State::PeerClosed(established))) = state else {
            self.phase = Phase::Handshaking(handshaking);
            return Ok(moved);
        };
        let by_key = established.identity.is_some();
        let (phase, hello) = handshaking.done(established, self.is_stock);
        self.phase = phase;
        if matches!(self.phase, Phase::Greeting(_)) {
            self.reached(Stage::Hello, by_key);
        }
        if let Some(hello) = hello {
            self.send_text(&hello);
        }
        Ok(true)
    }

    fn greet(&mut self, greeting: Greeting) -> Result<bool, CloseReason> {
        let moved = self.rx.open(self.tx.out()).map_err(CloseReason::Tls)?;
        let Some(line) = self.early_line()? else {
            self.phase = Phase::Greeting(greeting);
            return Ok(moved);
        };
        match greeting.hello(&line, self.is_stock) {
            Ok((authenticating, challenge)) => {
                let by_key = authenticating.by_key();
                self.phase = Phase::Authenticating(Box::new(authenticating));
                self.reached(Stage::Authentication, by_key);
                self.send_text(&challenge);
                Ok(true)
            }
            Err(reason) => {
                // All a refused peer hears (wire/1 §3.2); why, is for our own log.
                self.send_signal(Signal::Terminate);
                Err(reason)
            }
        }
    }

    fn authenticate(&mut self, authenticating: Box<Authenticating>) -> Result<bool, CloseReason> {
        let moved = self.rx.open(self.tx.out()).map_err(CloseReason::Tls)?;
        let Some(line) = self.early_line()? else {
            self.phase = Phase::Authenticating(authenticating);
            return Ok(moved);
        };
        match authenticating.line(&line) {
            Proceeded::Go(authenticating, replies) => {
                self.phase = Phase::Authenticating(authenticating);
                for reply in replies {
                    self.send_text(&reply);
                }
            }
            Proceeded::Ready(ready, peer, reply) => {
                if let Some(reply) = reply {
                    self.send_text(&reply);
                }
                self.frames.set_limit(limits::TEXT);
                self.set_phase(Phase::Ready(ready));
                self.messages.push_back(FromConn::Authenticated(peer));
            }
            Proceeded::Failed(reason, reply) => {
                if let Some(reply) = reply {
                    self.send_text(&reply);
                }
                return Err(reason);
            }
        }
        Ok(true)
    }

    /// The next line before the connection is ready.
    fn early_line(&mut self) -> Result<Option<Vec<u8>>, CloseReason> {
        loop {
            match self.next_frame()?.1 {
                None | Some(Got::Gathered) => return Ok(None),
                Some(Got::Text(text)) => return Ok(Some(text)),
                Some(Got::Signal(Signal::Heartbeat | Signal::HeartbeatResponse)) => {}
                Some(Got::Signal(Signal::Terminate)) => return Err(CloseReason::EarlyByPeer(self.stage)),
                Some(Got::Signal(signal)) => {
                    return Err(CloseReason::Protocol(format!("signal {} during {}", signal.number(), self.stage)));
                }
            }
        }
    }

    /// Takes a frame from the plaintext; says too whether any byte was consumed.
    fn next_frame(&mut self) -> Result<(bool, Option<Got>), CloseReason> {
        let mut input = self.rx.plain.filled();
        let before = input.len();
        let got = self.frames.next(&mut input, self.gather.as_mut());
        let taken = before - input.len();
        self.rx.plain.consume(taken);
        Ok((taken > 0, got?))
    }

    fn receive(&mut self, ready: Ready, now: Instant) -> Result<bool, CloseReason> {
        let moved = self.rx.open(self.tx.out()).map_err(CloseReason::Tls)?;
        if self.is_deaf {
            self.rx.plain.consume(self.rx.plain.len());
            return Ok(moved);
        }
        if let Some(carried) = &mut self.carried
            && carried.machine.takes_input()
            && self.frames.is_between_frames()
        {
            let before = carried.machine.heartbeats();
            let taken = carried.machine.on_plain(self.rx.plain.filled());
            if let Some(heartbeat) = &mut self.heartbeat
                && carried.machine.heartbeats() > before
            {
                heartbeat.on_beat(now);
            }
            self.rx.plain.consume(taken);
            return Ok(moved || taken > 0);
        }
        if self.is_window_full(ready) {
            return Ok(moved);
        }
        let (consumed, got) = self.next_frame()?;
        match got {
            None => return Ok(moved || consumed),
            Some(Got::Gathered) => self.collect_gathered(),
            Some(Got::Text(text)) => {
                self.flush_gathered();
                self.messages.push_back(FromConn::Text(trimmed(text)));
            }
            Some(Got::Signal(signal)) if ready.is_towline && self.take_heartbeat(signal, now) => {}
            Some(Got::Signal(signal)) => {
                self.flush_gathered();
                self.messages.push_back(FromConn::Signal(signal));
            }
        }
        Ok(true)
    }

    pub(super) fn is_window_full(&self, ready: Ready) -> bool {
        let window = if ready.is_data_channel { 1 } else { limits::UNDER_WAY as usize };
        self.under_way() >= window
    }

    pub(super) fn begin_to_gather(&mut self, what: Gathered) {
        self.gather.get_or_insert_with(|| Gather::new(what));
        self.rx.resize(self.buffer_size());
    }

    /// Passes on what was gathered, the parcel being filled too.
    pub(super) fn flush_gathered(&mut self) {
        if let Some(gather) = &mut self.gather {
            gather.flush();
        }
        self.collect_gathered();
    }

    fn collect_gathered(&mut self) {
        if let Some(gather) = &mut self.gather {
            while let Some(parcel) = gather.poll() {
                self.messages.push_back(FromConn::Parcel(parcel));
            }
        }
    }

    fn collect_sent(&mut self) {
        while let Some((mut parcel, back)) = self.tx.poll_sent() {
            match (back, &mut self.carried) {
                (Back::Node, _) => {
                    parcel.clear();
                    self.messages.push_back(FromConn::ParcelSent(parcel));
                }
                // Not cleared: a worker that packs over what is in it need not initialise its memory again.
                (Back::Machine, Some(carried)) => carried.machine.on_sent(parcel),
                (Back::Machine, None) => {}
            }
        }
    }

    /// The last words of a machine that a closing connection takes along.
    pub(super) fn cut_machine(&mut self) {
        if self.carried.take().is_some() {
            self.messages.push_back(FromConn::Carried(Outcome::Cut));
        }
    }
}

/// The frame with [`CROWDED`].
fn crowded() -> Vec<u8> {
    let mut frame = Vec::with_capacity(4 + CROWDED.len());
    put_data(&mut frame, CROWDED.as_bytes());
    frame
}
