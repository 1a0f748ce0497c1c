//! From the heartbeat interval to what TCP does with it.
//!
//! With an interval H, TCP probes a peer that has been silent for H and then every H/4; a peer that answers nothing is
//! given up 2.5 H after it was last heard. With the eighth that Linux' timers may be late, and whole seconds, that
//! stays within 3 H + 2 s, idle or with sent bytes under way.

use std::time::Duration;

use super::units::Seconds;
use crate::socket::{Keepalive, SocketOptions};

/// The longest time between probes, in seconds, that Linux takes (`MAX_TCP_KEEPIDLE`, `MAX_TCP_KEEPINTVL`).
const LONGEST: u64 = 32_767;

/// Which part a connection's end plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// A control channel, or a data channel's end that receives.
    Control,
    /// The end of a data channel that sends. Linux' `TCP_USER_TIMEOUT` also ends a connection whose living peer keeps
    /// its window shut, as a storage daemon does while a job waits for a volume; so it is not used here.
    Sending,
}

/// The options of a connection with this heartbeat interval (`wire/1 §9.6`). `None` and zero leave TCP's times to the
/// system; `SO_KEEPALIVE` is on always.
#[must_use]
pub fn socket(interval: Option<Seconds>, end: End) -> SocketOptions {
    let keepalive = interval.filter(|interval| !interval.is_zero()).map(|interval| times(interval, end));
    SocketOptions { keepalive, ..SocketOptions::default() }
}

fn times(interval: Seconds, end: End) -> Keepalive {
    let idle = interval.0.min(LONGEST);
    // TCP counts in whole seconds; below one there is nothing.
    let pause = (idle / 4).max(1);
    let probes = u32::try_from((idle * 3 / 2 + 1) / pause).unwrap_or(u32::MAX);
    let user_timeout = match end {
        End::Control => Some(Duration::from_millis(idle * 2_500)),
        End::Sending => None,
    };
    let seconds = Duration::from_secs;
    Keepalive { idle: seconds(idle), interval: seconds(pause), probes: Some(probes), user_timeout }
}

#[cfg(test)]
mod table;

#[cfg(test)]
mod tests {
    use super::*;

    /// The time after which Linux gives up a silent peer, its timers late by an eighth at worst.
    fn noticed(keepalive: Keepalive) -> Duration {
        let late = |time: Duration| time + time / 8;
        let probes = keepalive.probes.unwrap();
        let mut at = late(keepalive.idle);
        for sent in 1.. {
            at += late(keepalive.interval);
            // With a user time-out the probes are not counted (`tcp_keepalive_timer`).
            if keepalive.user_timeout.map_or(sent >= probes, |limit| at >= limit) {
                break;
            }
        }
        at.max(late(keepalive.user_timeout.unwrap_or_default()))
    }

    #[test]
    fn a_dead_peer_is_noticed_within_three_intervals_and_two_seconds() {
        for interval in (1..=600).chain([3_600, 7_200, LONGEST]) {
            for end in [End::Control, End::Sending] {
                let keepalive = socket(Some(Seconds(interval)), end).keepalive.unwrap();
                let limit = Duration::from_secs(3 * interval + 2);
                assert!(noticed(keepalive) <= limit, "{interval} s, {end:?}: {keepalive:?}");
                // Both ways are in use: Linux goes by the time-out, others by the count.
                let counted = Keepalive { user_timeout: None, ..keepalive };
                assert!(noticed(counted) <= limit, "{interval} s, {end:?}: {counted:?}");
            }
        }
    }

    #[test]
    fn one_lost_answer_ends_no_connection() {
        for interval in 1..=600 {
            for end in [End::Control, End::Sending] {
                let keepalive = socket(Some(Seconds(interval)), end).keepalive.unwrap();
                assert!(keepalive.probes.unwrap() >= 2);
                let second = keepalive.idle + keepalive.interval;
                assert!(keepalive.user_timeout.is_none_or(|limit| limit > second), "{interval} s: {keepalive:?}");
            }
        }
    }

    #[test]
    fn the_times_are_such_as_the_system_takes() {
        for interval in [1, 2, 3, 7, 60, 40_000, u64::MAX] {
            let keepalive = socket(Some(Seconds(interval)), End::Control).keepalive.unwrap();
            for time in [keepalive.idle, keepalive.interval] {
                assert!((1..=LONGEST).contains(&time.as_secs()) && time.subsec_nanos() == 0, "{keepalive:?}");
            }
            assert!((1..=127).contains(&keepalive.probes.unwrap()), "{keepalive:?}");
        }
    }

    #[test]
    fn without_an_interval_the_times_are_the_systems() {
        assert_eq!(socket(None, End::Control), SocketOptions::default());
        assert_eq!(socket(Some(Seconds(0)), End::Sending), SocketOptions::default());
    }

    #[test]
    fn the_sending_end_of_a_data_channel_has_no_user_timeout() {
        let minute = Some(Seconds(60));
        assert_eq!(socket(minute, End::Sending).keepalive.unwrap().user_timeout, None);
        let control = socket(minute, End::Control).keepalive.unwrap();
        assert_eq!(control.user_timeout, Some(Duration::from_secs(150)));
        assert_eq!((control.idle.as_secs(), control.interval.as_secs(), control.probes), (60, 15, Some(6)));
    }
}
