//! The end of a connection: write what is queued, half-close, read to the end, close. Exactly one `Closed`, the last word.

use super::api::FromConn;
use super::connection::Conn;
use super::phase::{Draining, Phase};
use super::reason::{CloseReason, Stage};
use super::rx::End;
use crate::limits;
use crate::socket::IoKind;
use crate::time::Instant;
use crate::tls::State;
use crate::wire::frame::Signal;
use crate::wire::hello::CROWDED;

impl Conn {
    /// Ends it for `reason` after what is queued is written.
    pub(super) fn end(&mut self, reason: CloseReason, now: Instant) {
        self.flush_gathered();
        self.cut_machine();
        let in_clear = self.rx.engine.is_none();
        let nothing_to_say = self.tx.is_empty() && (self.rx.end != End::Open || in_clear && self.stage < Stage::Ready);
        if self.broken.is_some() || matches!(self.rx.end, End::Failed(_)) || nothing_to_say {
            return self.close(reason);
        }
        let patience = if self.stage < Stage::Ready { limits::DRAIN_REFUSED } else { limits::DRAIN };
        let is_mute = self.stage < Stage::Ready && !self.pause.is_zero() && reason.is_wrong_key();
        let mute_until = is_mute.then_some(now + self.pause);
        let until = now + patience;
        self.set_phase(Phase::Draining(Draining { reason, until, notified: false, mute_until, is_hasty: false }));
    }

    /// Until when a refused peer waits for its answer, if it does.
    pub(super) const fn mute_until(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Draining(draining) => draining.mute_until,
            _ => None,
        }
    }

    /// The peer with the wrong key has waited long enough.
    pub(super) fn speak(&mut self, now: Instant) {
        if let Phase::Draining(draining) = &mut self.phase {
            draining.mute_until = None;
            draining.until = now + limits::DRAIN_REFUSED;
        }
        self.advance(now);
    }

    /// Ends it to make room for another one. In the middle of a handshake nothing can be said that the peer would take.
    pub(super) fn push_out(&mut self, now: Instant) {
        if !self.phase.is_early() {
            return self.close(CloseReason::PushedOut);
        }
        if !matches!(self.phase, Phase::Handshaking(_)) {
            self.send_text(CROWDED.as_bytes());
            self.send_signal(Signal::Terminate);
        }
        self.end(CloseReason::PushedOut, now);
        if let Phase::Draining(draining) = &mut self.phase {
            draining.is_hasty = true;
        }
    }

    /// Ends it now.
    pub(super) fn close(&mut self, reason: CloseReason) {
        if self.stage == Stage::Draining && matches!(self.phase, Phase::Closed) {
            return;
        }
        self.flush_gathered();
        self.cut_machine();
        self.set_phase(Phase::Closed);
        self.tx.clear();
        self.rx.discard();
        self.messages.push_back(FromConn::Closed(reason));
    }

    /// Ends it if nothing more can come and all that came is dealt with.
    pub(super) fn at_end(&mut self, now: Instant) {
        if !self.rx.is_over() || matches!(self.phase, Phase::Draining(_) | Phase::Closed) {
            return;
        }
        if let Phase::Ready(ready) = self.phase {
            let takes_input = self.carried.as_ref().is_some_and(|carried| carried.machine.takes_input());
            if takes_input && self.frames.is_between_frames() {
                if !self.tell_machine() {
                    return;
                }
            } else if !self.rx.plain.is_empty() && self.is_window_full(ready) {
                return;
            }
        }
        self.flush_gathered();
        let stage = self.phase.stage();
        let doom = match &self.phase {
            Phase::Authenticating(authenticating) => authenticating.doom().cloned(),
            // Reset or not: who verifies certificates does not always say goodbye.
            Phase::Greeting(greeting) if self.frames.is_between_frames() => {
                greeting.by_key_of().map(CloseReason::LeftAfterKey)
            }
            _ => None,
        };
        let reason = match (doom, self.broken, self.rx.end) {
            (Some(doom), ..) => doom,
            (None, Some((kind, _)), _) | (None, None, End::Failed(kind)) => CloseReason::Io(kind, stage),
            _ if self.is_frame_cut || !self.frames.is_between_frames() => CloseReason::CutFrame(stage),
            _ if self.phase.is_early() => CloseReason::EarlyByPeer(stage),
            _ if self.rx.is_cut() => CloseReason::CutFrame(stage),
            _ => CloseReason::ByPeer,
        };
        self.end(reason, now);
    }

    /// Tells the machine that no more will come, once it has taken all that came. True if it has ended.
    fn tell_machine(&mut self) -> bool {
        let Some(carried) = &mut self.carried else { return true };
        if !self.rx.plain.is_empty() && !carried.machine.wants_input() {
            return false;
        }
        if !carried.is_cut {
            carried.is_cut = true;
            self.is_frame_cut = carried.machine.is_in_frame() || !self.rx.plain.is_empty();
            carried.machine.on_cut();
        }
        while self.drive_machine() {}
        self.carried.is_none()
    }

    /// The next step of closing.
    pub(super) fn drain(&mut self) {
        let Phase::Draining(draining) = &mut self.phase else { return };
        if draining.mute_until.is_some() {
            // Who hangs up meanwhile needs no answer.
            if self.rx.end != End::Open {
                let reason = self.drained();
                self.close(reason);
            }
            return;
        }
        if self.tx.is_empty() && !draining.notified {
            draining.notified = true;
            if let Some(engine) = &mut self.rx.engine
                && !matches!(draining.reason, CloseReason::Tls(_))
                && !matches!(engine.state(), State::Handshaking)
            {
                engine.close(self.tx.out());
            }
        }
        let is_hasty = draining.is_hasty;
        if self.is_written() && (is_hasty || self.rx.end != End::Open) {
            let reason = self.drained();
            self.close(reason);
        }
    }

    /// Whether a closing connection has written everything.
    pub(super) fn is_written(&self) -> bool {
        matches!(&self.phase, Phase::Draining(draining) if draining.notified) && self.tx.is_empty()
    }

    pub(super) fn on_deadline(&mut self) {
        let reason = match (&self.phase, self.broken) {
            (_, Some((kind, _))) => CloseReason::Io(kind, self.phase.stage()),
            (Phase::Draining(draining), None) => match &draining.reason {
                CloseReason::Done | CloseReason::ByPeer => CloseReason::DrainTimeout,
                reason => reason.clone(),
            },
            // Who waits instead of answering has been refused all the same.
            (Phase::Authenticating(authenticating), None) => match authenticating.doom() {
                Some(doom) => doom.clone(),
                None => CloseReason::TooSlow(self.phase.stage()),
            },
            (phase, None) => CloseReason::TooSlow(phase.stage()),
        };
        self.close(reason);
    }

    pub(super) fn on_write_failed(&mut self, kind: IoKind, now: Instant) {
        match &self.phase {
            Phase::Closed => {}
            Phase::Draining(_) => {
                let reason = match self.drained() {
                    CloseReason::Done => CloseReason::Io(kind, Stage::Draining),
                    reason => reason,
                };
                self.close(reason);
            }
            _ => {
                self.broken = Some((kind, now + limits::DRAIN_REFUSED));
                self.tx.clear();
            }
        }
    }

    fn drained(&self) -> CloseReason {
        match &self.phase {
            Phase::Draining(draining) => draining.reason.clone(),
            _ => CloseReason::Done,
        }
    }
}
