//! Heartbeats in band between two Towline daemons: asked for after silence, answered at once, missed when they stay away.
//!
//! Each end says -6 once it has said nothing for an interval, and answers -7 to the other's. So an end hears something
//! every interval, whatever the other's disks do. Three intervals of silence end the connection, but not while we do not
//! read ourselves.
//!
//! The sending end of a data channel is patient: what waits to be written there may hold up its own -6 for hours, behind
//! a window that a living peer keeps shut. It misses only a peer that is known to say -6 unasked. The receiving end
//! leaves it to TCP's own probes, which a slow network does not hold up behind the data.

use std::time::Duration;

use crate::time::Instant;

/// Intervals of silence after which a peer counts as gone.
const MISSED: u32 = 3;

/// The least silence that the sending end minds: what it has sent before waits in routers on the way, and holds up the
/// acknowledgements without which the peer's -6 do not get through.
const PATIENCE: Duration = Duration::from_secs(300);

/// Which part this end plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Asks, and expects an answer.
    Control,
    /// Sends more than the peer may take at once.
    Sending,
    /// Receives on a data channel.
    Receiving,
}

/// The heartbeats of one connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heartbeat {
    interval: Duration,
    part: Part,
    said: Instant,
    heard: Instant,
    /// Since when something of ours waits for an answer.
    asked: Option<Instant>,
    /// When the last -6 that was not held up went out, until its answer comes; and how long the last answer took.
    sent: Option<Instant>,
    round_trip: Option<Duration>,
    /// The peer's last -6, and the shortest time between two: its own interval.
    beat: Option<Instant>,
    theirs: Option<Duration>,
    is_deaf: bool,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    /// Say -6.
    Beat,
    /// The peer was silent for so long.
    Silent(Duration),
}

impl Heartbeat {
    /// Begins with both sides just heard.
    pub(super) const fn new(interval: Duration, part: Part, now: Instant) -> Self {
        Self {
            interval,
            part,
            said: now,
            heard: now,
            asked: None,
            sent: None,
            round_trip: None,
            beat: None,
            theirs: None,
            is_deaf: false,
        }
    }

    /// Bytes of ours have gone out.
    pub(super) const fn on_said(&mut self, now: Instant) {
        self.said = now;
    }

    /// Bytes of the peer have come.
    pub(super) const fn on_heard(&mut self, now: Instant) {
        self.heard = now;
        self.asked = None;
    }

    /// A -6 of ours goes out.
    pub(super) const fn on_sent(&mut self, now: Instant) {
        self.sent = Some(now);
    }

    /// The peer has said -7. One that answers none of ours says nothing of the way.
    pub(super) fn on_answered(&mut self, now: Instant) {
        if let Some(sent) = self.sent.take() {
            self.round_trip = Some(now.since(sent));
        }
    }

    /// How long the last answer took.
    pub(super) const fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// The peer has said -6.
    pub(super) fn on_beat(&mut self, now: Instant) {
        if let Some(last) = self.beat.replace(now) {
            let pause = now.since(last);
            self.theirs = Some(self.theirs.map_or(pause, |theirs| theirs.min(pause)));
        }
    }

    /// Whether we read at this time. Silence counts only while we do.
    pub(super) const fn listens(&mut self, listens: bool, now: Instant) {
        if !listens || self.is_deaf {
            self.on_heard(now);
        }
        self.is_deaf = !listens;
    }

    /// When to ask [`due`](Self::due) next.
    pub(super) fn deadline(&self) -> Instant {
        let beat = self.said + self.interval;
        self.limit().map_or(beat, |limit| limit.min(beat))
    }

    /// What is due. After [`Due::Beat`] the next one is an interval away.
    pub(super) fn due(&mut self, now: Instant) -> Due {
        if self.limit().is_some_and(|limit| limit <= now) {
            return Due::Silent(now.since(self.heard));
        }
        if self.said + self.interval > now {
            return Due::Nothing;
        }
        self.said = now;
        self.asked.get_or_insert(now);
        Due::Beat
    }

    /// When silence ends the connection.
    fn limit(&self) -> Option<Instant> {
        if self.is_deaf {
            return None;
        }
        let interval = self.theirs.map_or(self.interval, |theirs| theirs.max(self.interval));
        let silent = self.heard + interval * MISSED;
        match self.part {
            // Who was asked late has an interval to answer.
            Part::Control => self.asked.map(|asked| silent.max(asked + interval)),
            Part::Sending => self.theirs.map(|_| silent.max(self.heard + PATIENCE)),
            Part::Receiving => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(10);

    fn at(seconds: u64) -> Instant {
        Instant(seconds * 1_000_000_000)
    }

    /// Asks at each deadline; returns the seconds of the beats and of the end.
    fn run(beat: &mut Heartbeat, until: u64) -> (Vec<u64>, Option<u64>) {
        let mut beats = Vec::new();
        loop {
            let now = beat.deadline();
            if now > at(until) {
                return (beats, None);
            }
            match beat.due(now) {
                Due::Nothing => panic!("nothing is due at {now:?}: {beat:?}"),
                Due::Beat => beats.push(now.0 / 1_000_000_000),
                Due::Silent(_) => return (beats, Some(now.0 / 1_000_000_000)),
            }
        }
    }

    #[test]
    fn a_control_channel_that_is_not_answered_ends_after_three_intervals() {
        let mut beat = Heartbeat::new(INTERVAL, Part::Control, at(0));
        assert_eq!(run(&mut beat, 100), (vec![10, 20], Some(30)));
        let mut beat = Heartbeat::new(INTERVAL, Part::Control, at(0));
        assert_eq!(run(&mut beat, 25), (vec![10, 20], None));
        beat.on_heard(at(29));
        assert_eq!(run(&mut beat, 58), (vec![30, 40, 50], None));
        assert_eq!(run(&mut beat, 100), (vec![], Some(59)));
    }

    #[test]
    fn whoever_is_asked_late_has_an_interval_to_answer() {
        let mut beat = Heartbeat::new(INTERVAL, Part::Control, at(0));
        beat.on_said(at(25));
        assert_eq!(run(&mut beat, 100), (vec![35], Some(45)));
    }

    #[test]
    fn the_sending_end_misses_only_a_peer_that_beats_and_the_receiving_end_none() {
        let mut beat = Heartbeat::new(INTERVAL, Part::Sending, at(0));
        assert_eq!(run(&mut beat, 1_000).1, None);
        let mut beat = Heartbeat::new(INTERVAL, Part::Sending, at(0));
        for second in [20, 40] {
            beat.on_said(at(second));
            beat.on_heard(at(second));
            beat.on_beat(at(second));
        }
        // Its interval is 20 s, longer than ours.
        assert_eq!(run(&mut beat, 1_000).1, Some(40 + 300));
        let mut rare = Heartbeat::new(Duration::from_secs(200), Part::Sending, at(0));
        rare.on_beat(at(0));
        rare.on_beat(at(200));
        assert_eq!(run(&mut rare, 2_000).1, Some(600));
        let mut hasty = Heartbeat::new(Duration::from_secs(1), Part::Sending, at(0));
        hasty.on_beat(at(1));
        hasty.on_beat(at(2));
        assert_eq!(run(&mut hasty, 1_000).1, Some(300));
        let mut receiving = Heartbeat::new(INTERVAL, Part::Receiving, at(0));
        receiving.on_beat(at(1));
        receiving.on_beat(at(11));
        assert_eq!(run(&mut receiving, 1_000).1, None);
    }

    #[test]
    fn silence_does_not_count_while_we_do_not_read() {
        let mut beat = Heartbeat::new(INTERVAL, Part::Control, at(0));
        beat.listens(false, at(5));
        assert_eq!(run(&mut beat, 500).1, None);
        beat.listens(true, at(500));
        assert_eq!(run(&mut beat, 600), (vec![510, 520], Some(530)));
    }

    #[test]
    fn an_answer_tells_how_long_the_way_is_and_only_if_it_was_asked_for() {
        let mut beat = Heartbeat::new(INTERVAL, Part::Control, at(0));
        beat.on_answered(at(1));
        assert_eq!(beat.round_trip(), None);
        beat.on_sent(at(10));
        beat.on_answered(at(12));
        beat.on_answered(at(19));
        assert_eq!(beat.round_trip(), Some(Duration::from_secs(2)));
    }

    #[test]
    fn whoever_speaks_needs_no_beat() {
        let mut beat = Heartbeat::new(INTERVAL, Part::Control, at(0));
        beat.on_said(at(9));
        beat.on_heard(at(9));
        assert_eq!(beat.deadline(), at(19));
        assert_eq!(beat.due(at(18)), Due::Nothing);
    }
}
