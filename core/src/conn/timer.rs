//! What a connection waits for by the clock.

use std::fmt;

use super::connection::Conn;
use super::phase::{Draining, Phase};
use crate::time::{Deadline, Instant};

/// What a deadline of a [`Conn`] is for; shown in words for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// The peer has to be authenticated.
    Authentication,
    /// A peer with a wrong key is answered after a pause.
    WrongKey,
    /// Writing has failed; what can still be read may say why.
    LastWords,
    /// The end of both directions.
    Drain,
    /// A heartbeat of our own, or the peer's that is missing.
    Heartbeat,
    /// A bandwidth limit lets the next bytes go.
    Pace,
    /// A look at what is under way on the socket.
    Look,
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authentication => "authentication",
            Self::WrongKey => "answer to a wrong key",
            Self::LastWords => "last words",
            Self::Drain => "drain",
            Self::Heartbeat => "heartbeat",
            Self::Pace => "bandwidth limit",
            Self::Look => "check for progress",
        })
    }
}

impl Conn {
    /// Fires what is due. A call too many does nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        let Some(due) = self.poll_timeout().filter(|deadline| deadline.at <= now) else { return };
        match due.why {
            Timer::Heartbeat => self.beat(now),
            Timer::Pace => self.advance(now),
            Timer::Look => self.look.due(),
            Timer::WrongKey => self.speak(now),
            Timer::Authentication | Timer::LastWords | Timer::Drain => self.on_deadline(),
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), and what for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Deadline<Timer>> {
        let due = |at, why| Some(Deadline { at, why });
        match (&self.phase, self.broken) {
            (Phase::Closed, _) => None,
            (Phase::Draining(Draining { mute_until: Some(at), .. }), _) => due(*at, Timer::WrongKey),
            (Phase::Draining(draining), _) => due(draining.until, Timer::Drain),
            (phase, Some((_, until))) if phase.is_early() => due(until.min(self.give_up), Timer::LastWords),
            (_, Some((_, at))) => due(at, Timer::LastWords),
            (phase, None) if phase.is_early() => due(self.give_up, Timer::Authentication),
            (_, None) => [
                (self.heartbeat_deadline(), Timer::Heartbeat),
                (self.pace_deadline(), Timer::Pace),
                (self.look.deadline(), Timer::Look),
            ]
            .into_iter()
            .filter_map(|(at, why)| due(at?, why))
            .min_by_key(|deadline| deadline.at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Timer;

    #[test]
    fn each_timer_says_in_words_of_its_own_what_a_connection_waits_for() {
        let words = [
            (Timer::Authentication, "authentication"),
            (Timer::WrongKey, "answer to a wrong key"),
            (Timer::LastWords, "last words"),
            (Timer::Drain, "drain"),
            (Timer::Heartbeat, "heartbeat"),
            (Timer::Pace, "bandwidth limit"),
            (Timer::Look, "check for progress"),
        ];
        for (timer, shown) in words {
            assert_eq!(timer.to_string(), shown);
            assert_eq!(words.iter().filter(|(_, other)| *other == shown).count(), 1, "{shown}");
        }
    }
}
