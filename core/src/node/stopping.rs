//! How a node is ended: in order, or at once.
//!
//! ```text
//!           TerminateRequested            after the role's time, or a second one
//!   serves -------------------> drains --------------------------------------> ends --> exit
//!      \____________________________StopRequested_______________________________^        ^
//!                                                              a second one, at once ----'
//! ```

use std::time::Duration;

use super::net::Owner;
use super::{Node, Role, TimerKey};
use crate::notice::{ExitReason, Level};
use crate::time::Instant;

/// A supervisor may send its signal to a process and to its group: what comes within this time is one request.
const ONE_REQUEST: Duration = Duration::from_secs(2);

/// How far a node is with its end, and since when.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stopping {
    No,
    /// What runs may end by itself.
    Draining(Instant),
    /// What runs is ended.
    Ending(Instant),
}

impl<R: Role> Node<R> {
    /// SIGTERM: jobs have a while to end. A second one ends them, a third one the node.
    pub(super) fn terminate(&mut self) {
        let now = self.net.now();
        match self.stopping {
            Stopping::Draining(since) | Stopping::Ending(since) if now.since(since) < ONE_REQUEST => {}
            Stopping::Draining(_) | Stopping::Ending(_) => self.stop(),
            Stopping::No => match self.role.on_drain(&mut self.net) {
                None => self.stop(),
                Some(grace) => {
                    self.stopping = Stopping::Draining(now);
                    let key = TimerKey(self.net.next_id());
                    self.net.arm(now + grace, key, Owner::Drain, "jobs that may end before the daemon does");
                }
            },
        }
    }

    /// Jobs are ended, and at the second request the node.
    pub(super) fn stop(&mut self) {
        if let Stopping::Ending(_) = self.stopping {
            self.net.complain(Level::Warn, 901, "second request to stop: ending at once");
            return self.net.exit(ExitReason::Failed(1));
        }
        self.stopping = Stopping::Ending(self.net.now());
        self.role.on_stop(&mut self.net);
    }

    /// What runs has had its time.
    pub(super) fn drained(&mut self) {
        if let Stopping::Draining(_) = self.stopping {
            self.net.log(Level::Info, "stopping: what still runs is ended, its time is over");
            self.stop();
        }
    }
}
