//! How long the last daemon of a job may be silent once the other has ended its part.
//!
//! Both ends come within moments of each other, unless one daemon has much to write to its disk, hangs, or its end was lost on
//! a control channel whose heartbeats are off. A daemon that hangs may well send heartbeats, and one that waits for its disk says
//! nothing else: they count for an hour, unless the other daemon has failed. Then nothing is left to be finished.

use std::time::Duration;

use crate::config::Seconds;
use crate::ids::{ConnId, JobId, Who};
use crate::node::TimerKey;
use crate::role::director::common::Tools;
use crate::time::Instant;
use crate::wire::status::{JobStatus, JobType};

use super::Jobs;
use super::dialogue::Event;
use super::job::Job;
use super::life::Life;
use super::trouble::Trouble;
use crate::role::director::Due;

/// How long the file daemon of a job may go on after the storage daemon has failed it.
const FAILED: Duration = Duration::from_secs(5);
/// The heartbeat interval that counts where it is off.
const USUAL: Seconds = Seconds::secs(60);
/// The least that counts: a slow disk may well take a minute for what the system has kept in memory until then.
const LEAST: Seconds = Seconds::secs(20);
/// How long a daemon may say nothing while heartbeats show that it is there: what a machine has kept in memory may take that
/// long on a slow disk.
const AT_WORK: Duration = Duration::from_secs(3_600);

/// What a job knows of the daemon it waits for.
#[derive(Debug)]
pub(crate) struct Patience {
    /// Who has not ended its part yet, and since when the other has.
    awaited: Option<(Who, Instant)>,
    /// When it was heard last.
    heard: Instant,
    /// When a heartbeat of it was seen last; one that answers those of its connection shows by that connection that it is there.
    beat: Beat,
    timer: Option<TimerKey>,
}

impl Patience {
    /// Nobody is waited for yet.
    pub(crate) const NONE: Self =
        Self { awaited: None, heard: Instant::ZERO, beat: Beat::Last(Instant::ZERO), timer: None };
}

/// What heartbeats say of a daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beat {
    /// Its connection stands only while it answers them.
    Answered,
    /// The last came then.
    Last(Instant),
}

/// Silence that is too long: three intervals and 2 s, as for a peer that has vanished (`wire/1 §9.6`).
fn limit(heartbeat: Option<Seconds>) -> Duration {
    let interval = heartbeat.unwrap_or(USUAL).max(LEAST);
    interval.duration().saturating_mul(3).saturating_add(Duration::from_secs(2))
}

impl Jobs {
    /// A daemon of a job has said something.
    pub(crate) fn daemon_heard(&mut self, tools: &Tools<'_>, id: JobId, conn: ConnId) {
        let Some(job) = self.all.get_mut(&id) else { return };
        if job.awaited().is_some_and(|who| job.conn(who) == Some(conn))
            && let Life::Running { patience, .. } = &mut job.life
        {
            patience.heard = tools.net.now();
        }
    }

    /// A daemon of a job has said that it is there, and no more than that.
    pub(crate) fn daemon_beats(&mut self, now: Instant, id: JobId, who: Who) {
        let Some(job) = self.all.get_mut(&id).filter(|job| job.awaited() == Some(who)) else { return };
        if let Life::Running { patience, .. } = &mut job.life
            && let Beat::Last(at) = &mut patience.beat
        {
            *at = now;
        }
    }

    /// Begins to wait for the daemon that is the last one, if there is one now.
    pub(crate) fn await_last(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let Some(job) = self.all.get_mut(&id) else { return };
        let last = job.last_one();
        if job.awaited() == last {
            return;
        }
        let answers = last.is_some_and(|who| {
            job.heartbeat_of(who).is_some() && job.conn(who).is_some_and(|conn| tools.net.is_towline(conn))
        });
        let Life::Running { patience, .. } = &mut job.life else { return };
        patience.awaited = last.map(|who| (who, tools.net.now()));
        patience.beat = if answers { Beat::Answered } else { Beat::Last(Instant::ZERO) };
        let earlier = patience.timer.take();
        let after = job.patience_left(tools.net.now());
        tools.net.cancel_timer(earlier);
        self.arm_patience(tools, id, after);
    }

    /// The last daemon has had its time, unless it was heard meanwhile.
    pub(crate) fn patience_over(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let Some(job) = self.all.get_mut(&id) else { return };
        let Life::Running { patience, .. } = &mut job.life else { return };
        patience.timer = None;
        let Some(who) = job.last_one().filter(|who| job.awaited() == Some(*who)) else { return };
        if let left @ Some(_) = job.patience_left(tools.net.now()) {
            return self.arm_patience(tools, id, left);
        }
        let trouble = match who {
            Who::File if job.other_has_failed(who) => Trouble::Unnoticed,
            _ => {
                let other = if who == Who::File { Who::Storage } else { Who::File };
                match job.beats_for(tools.net.now()) {
                    None => Trouble::Silent { who, other, seconds: limit(job.heartbeat_of(who)).as_secs() },
                    Some(silent) => Trouble::Hangs { who, other, seconds: silent.as_secs() },
                }
            }
        };
        self.fail_job(tools, id, &trouble);
    }

    fn arm_patience(&mut self, tools: &mut Tools<'_>, id: JobId, after: Option<Duration>) {
        let Some(after) = after else { return };
        let key = tools.net.set_timer(after, "the end of a job's last daemon", Due::Patience(id));
        if let Some(Life::Running { patience, .. }) = self.all.get_mut(&id).map(|job| &mut job.life) {
            patience.timer = Some(key);
        }
    }
}

impl Job {
    /// The daemon that is waited for.
    fn awaited(&self) -> Option<Who> {
        let Life::Running { patience, .. } = &self.life else { return None };
        patience.awaited.map(|(who, _)| who)
    }

    /// The daemon that has not ended its part while the other has.
    fn last_one(&self) -> Option<Who> {
        if !self.life.is_running() || self.task.is_copy() {
            return None;
        }
        let waits_for_storage = || self.life.waits_for(Event::StorageEnded);
        let who = match (self.file_daemon.presence.end(), self.storage_daemon.presence.end()) {
            (None, Some(_)) => Who::File,
            (Some(_), None) => Who::Storage,
            // The file daemon of a restore ends its part when the storage daemon has ended its own.
            (None, None) if self.kind == JobType::Restore && waits_for_storage() => Who::Storage,
            _ => return None,
        };
        self.conn(who).map(|_| who)
    }

    /// How long the last daemon may still be silent; `None` when it has been for too long.
    fn patience_left(&self, now: Instant) -> Option<Duration> {
        let Life::Running { patience: Patience { awaited, heard, beat, .. }, .. } = &self.life else { return None };
        let (who, since) = (*awaited)?;
        let limit = limit(self.heartbeat_of(who));
        let until = if who == Who::File && self.other_has_failed(who) {
            since + FAILED
        } else if who == Who::Storage && self.is_storage_busy() {
            now + limit
        } else {
            let spoke = since.max(*heard);
            let at_work = spoke + AT_WORK.max(limit);
            match *beat {
                // It has nothing left to finish.
                _ if self.other_has_failed(who) => spoke + limit,
                Beat::Answered => at_work,
                Beat::Last(at) => (spoke.max(at) + limit).min(at_work),
            }
        };
        (now < until).then(|| until.since(now))
    }

    /// How long the daemon that is waited for has said nothing but heartbeats; `None` if it does not say those either.
    fn beats_for(&self, now: Instant) -> Option<Duration> {
        let Life::Running { patience: Patience { awaited, heard, beat, .. }, .. } = &self.life else { return None };
        let (who, since) = (*awaited)?;
        let beats = match *beat {
            Beat::Answered => true,
            Beat::Last(at) => now.since(at) < limit(self.heartbeat_of(who)),
        };
        (beats && !self.other_has_failed(who)).then(|| now.since(since.max(*heard)))
    }

    /// Whether the daemon that is not this one has ended its part badly.
    fn other_has_failed(&self, who: Who) -> bool {
        let other = match who {
            Who::File => self.storage_daemon.presence.end().map(|end| end.status),
            Who::Storage => self.file_daemon.presence.end().map(|end| end.status),
            Who::Director => None,
        };
        other.is_some_and(|status| !status.is_ok())
    }

    /// Whether the storage daemon's silence says nothing: it waits for an operator or a device, works through what it
    /// has kept (`wire/3 §2.5`), or waits for us.
    fn is_storage_busy(&self) -> bool {
        use JobStatus::*;
        let is_busy = matches!(
            self.storage_daemon.status,
            Blocked
                | WaitMedia
                | WaitMount
                | WaitStorageResource
                | WaitDevice
                | DataCommitting
                | DataDespooling
                | AttributeDespooling
                | AttributeInserting
        );
        is_busy || self.attributes.under_way > 0 || self.storage_daemon.requests.served.is_some()
    }

    fn heartbeat_of(&self, who: Who) -> Option<Seconds> {
        match who {
            Who::File => self.config.client(&self.with.client).and_then(|client| self.config.client_heartbeat(client)),
            _ => self.config.storage(&self.with.storage).and_then(|storage| self.config.storage_heartbeat(storage)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_too_long_after_three_intervals_and_two_seconds_and_a_minute_at_least() {
        let after = |interval: Option<u64>| limit(interval.map(Seconds)).as_secs();
        assert_eq!([after(Some(60)), after(None), after(Some(600))], [182, 182, 1_802]);
        assert_eq!([after(Some(20)), after(Some(19)), after(Some(1)), after(Some(21))], [62, 62, 62, 65]);
    }
}
