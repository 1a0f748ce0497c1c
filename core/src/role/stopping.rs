//! How a daemon ends: what runs may end first, or is ended.

use std::time::Duration;

use crate::node::AnyNet;
use crate::notice::Level;

/// How far a daemon is with its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stopping {
    /// It serves.
    #[default]
    No,
    /// Nothing new begins, and what runs may end by itself.
    Draining,
    /// What runs is ended.
    Ending,
}

impl Stopping {
    /// Whether nothing new may begin.
    pub(super) fn has_begun(self) -> bool {
        self != Self::No
    }

    /// Whether what runs is ended.
    pub(super) fn is_ending(self) -> bool {
        self == Self::Ending
    }

    /// Nothing new begins from now on. Returns how long this many jobs that run may take, unless none runs or they may take
    /// no time; says so.
    pub(super) fn drain(&mut self, net: &mut AnyNet, running: usize, grace: Duration) -> Option<Duration> {
        if running == 0 || grace.is_zero() {
            return None;
        }
        *self = Self::Draining;
        let jobs = if running == 1 { "1 job still runs".to_owned() } else { format!("{running} jobs still run") };
        let text = format!(
            "stopping: {jobs} and may take {} s more (`shutdown_grace`); a second signal cuts it short",
            grace.as_secs()
        );
        net.log(Level::Info, &text);
        Some(grace)
    }
}
