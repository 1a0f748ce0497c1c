//! The programs that run now, so that none of them outlives the daemon that has started it.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};

use super::GRACE;

/// The process groups by their numbers.
struct Running {
    groups: BTreeMap<i32, Pid>,
    /// The daemon is at its end: nothing more may run.
    is_over: bool,
}

static RUNNING: Mutex<Running> = Mutex::new(Running { groups: BTreeMap::new(), is_over: false });
/// A group has ended.
static ENDED: Condvar = Condvar::new();

fn hold() -> MutexGuard<'static, Running> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A group that runs, until this is dropped: before its leader is waited for, for after that another may have its number.
#[derive(Debug)]
pub(super) struct Entry(i32);

impl Entry {
    /// Of a group that has just been started.
    pub(super) fn of(group: Pid) -> Self {
        let mut running = hold();
        if running.is_over {
            signal(group, Signal::KILL);
        }
        let number = group.as_raw_nonzero().get();
        running.groups.insert(number, group);
        Self(number)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut running = hold();
        if let Some(group) = running.groups.remove(&self.0)
            && running.is_over
        {
            // What it has started goes with it.
            signal(group, Signal::KILL);
        }
        ENDED.notify_all();
    }
}

/// Ends all that still runs, with a while for it to end by itself; for a daemon that is at its end.
pub(crate) fn end_all() {
    let mut running = hold();
    running.is_over = true;
    for each in [Signal::TERM, Signal::KILL] {
        running.groups.values().for_each(|group| signal(*group, each));
        let waited = ENDED.wait_timeout_while(running, GRACE, |running| !running.groups.is_empty());
        running = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
}

fn signal(group: Pid, signal: Signal) {
    // It may have ended by now.
    let _ended = kill_process_group(group, signal);
}
