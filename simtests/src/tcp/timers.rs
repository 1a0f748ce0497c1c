//! What an end does when time passes: it sends again, asks whether the other side lives, and gives up.

use std::time::Duration;

use towline_core::socket::{IoKind, Keepalive};
use towline_core::time::Instant;

use super::{End, PAUSES, Phase};

/// How often Linux sends a SYN again (`tcp_syn_linear_timeouts` and `tcp_syn_retries`): after equal pauses first, then after
/// doubled ones, for 131 s in all.
const SYN_RETRIES: (u32, u32) = (4, 6);
/// How often an acceptor answers a SYN nobody goes on with.
const SYN_ACKS: u32 = 5;
/// How long sent bytes may stay unanswered: the fifteen retries of Linux.
pub(super) const GIVE_UP: Duration = Duration::from_millis(924_600);
/// Linux' own keepalive times.
const KEEPALIVE: Keepalive = Keepalive {
    idle: Duration::from_secs(7200),
    interval: Duration::from_secs(75),
    probes: Some(9),
    user_timeout: None,
};
/// How long a closed socket waits for the other side's FIN.
const FIN_WAIT: Duration = Duration::from_secs(60);

impl End {
    /// When to call [`on_timer`](Self::on_timer).
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        if matches!(self.phase, Phase::Over(_)) {
            return None;
        }
        let keepalive = (self.phase == Phase::Open && self.retry_at.is_none()).then(|| self.probe_at());
        [self.retry_at, self.ack_at, self.fin_wait(), keepalive].into_iter().flatten().min()
    }

    /// Does what is due.
    pub fn on_timer(&mut self, now: Instant) {
        if self.fin_wait().is_some_and(|at| at <= now) {
            return self.fail(IoKind::TimedOut);
        }
        if self.ack_at.is_some_and(|at| at <= now) {
            // No answer has come: the next word is acknowledged at once.
            self.answers = false;
            self.acknowledge();
        }
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry(now);
        } else if self.phase == Phase::Open && self.retry_at.is_none() && self.probe_at() <= now {
            self.keep_alive(now);
        }
    }

    pub(super) fn user_timeout(&self) -> Option<Duration> {
        self.options.keepalive.and_then(|options| options.user_timeout)
    }

    /// No pause reaches over the end of the user time-out (`tcp_clamp_rto_to_user_timeout`).
    pub(super) fn within_user_timeout(&self, now: Instant, at: Instant) -> Instant {
        match self.unanswered.or(self.shut_out).zip(self.user_timeout()) {
            Some((since, limit)) if self.phase == Phase::Open && since + limit > now => at.min(since + limit),
            _ => at,
        }
    }

    fn retry(&mut self, now: Instant) {
        self.tries += 1;
        if self.phase != Phase::Dialling || self.tries > SYN_RETRIES.0 {
            self.pause = (self.pause * 2).min(PAUSES.1);
        }
        self.retry_at = Some(self.within_user_timeout(now, now + self.pause));
        match self.phase {
            Phase::Dialling if self.tries > SYN_RETRIES.0 + SYN_RETRIES.1 => self.fail(IoKind::TimedOut),
            Phase::Dialling => self.syn(),
            Phase::Answering if self.tries > SYN_ACKS => self.fail(IoKind::TimedOut),
            Phase::Answering => self.syn_ack(),
            Phase::Open => {
                let give_up = self.user_timeout().unwrap_or(GIVE_UP);
                let unheard = self.unanswered.is_some_and(|since| now.since(since) >= give_up);
                // Linux applies the user time-out to a living peer with a shut window too (`tcp_probe_timer`).
                let limit = self.user_timeout();
                let shut_out = self.shut_out.zip(limit).is_some_and(|(since, limit)| now.since(since) >= limit);
                if unheard || shut_out {
                    return self.fail(self.said.unwrap_or(IoKind::TimedOut));
                }
                self.unanswered.get_or_insert(now);
                self.timed = None;
                if self.sent > self.acked {
                    self.sent = self.acked;
                    self.recovering = true;
                    self.pump(now);
                } else {
                    self.emit(self.sent, Vec::new(), false, true);
                }
            }
            Phase::Over(_) => {}
        }
    }

    fn keep_alive(&mut self, now: Instant) {
        let keepalive = self.options.keepalive.unwrap_or(KEEPALIVE);
        let most = keepalive.probes.or(KEEPALIVE.probes).unwrap_or(0);
        let silent = keepalive.user_timeout.is_some_and(|limit| self.probes > 0 && now.since(self.heard) >= limit);
        if self.probes >= most || silent {
            return self.fail(self.said.unwrap_or(IoKind::TimedOut));
        }
        self.probes += 1;
        self.emit(self.sent, Vec::new(), false, true);
    }

    fn probe_at(&self) -> Instant {
        let keepalive = self.options.keepalive.unwrap_or(KEEPALIVE);
        self.heard + keepalive.idle + keepalive.interval * self.probes
    }

    /// When a closed socket has waited long enough for the other side's FIN.
    fn fin_wait(&self) -> Option<Instant> {
        self.done.filter(|_| self.is_orphan).map(|since| since + FIN_WAIT)
    }
}
