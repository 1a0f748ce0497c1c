//! Whose turn it is on each archive device. One job at a time: a second one waits (`wire/3 §10` point 20).

use std::collections::{BTreeMap, VecDeque};

use crate::ids::SessionId;

/// The devices that are in use, by name, each with its user and those who wait.
#[derive(Debug, Default)]
pub(super) struct Devices {
    taken: BTreeMap<String, (SessionId, VecDeque<SessionId>)>,
}

impl Devices {
    /// Asks for a device. True if it is now the session's, false if it waits.
    pub(super) fn want(&mut self, device: &str, session: SessionId) -> bool {
        match self.taken.get_mut(device) {
            None => {
                self.taken.insert(device.to_owned(), (session, VecDeque::new()));
                true
            }
            Some((user, _)) if *user == session => true,
            Some((_, waiting)) => {
                if !waiting.contains(&session) {
                    waiting.push_back(session);
                }
                false
            }
        }
    }

    /// A session needs no device any more. Returns the sessions whose turn it is now, one for each device it had.
    pub(super) fn release(&mut self, session: SessionId) -> Vec<SessionId> {
        for (_, waiting) in self.taken.values_mut() {
            waiting.retain(|waiter| *waiter != session);
        }
        let mut next = Vec::new();
        self.taken.retain(|_, (user, waiting)| {
            if *user != session {
                return true;
            }
            let Some(waiter) = waiting.pop_front() else { return false };
            *user = waiter;
            next.push(waiter);
            true
        });
        next
    }

    /// Who uses a device.
    pub(super) fn user(&self, device: &str) -> Option<SessionId> {
        self.taken.get(device).map(|(user, _)| *user)
    }

    /// How many wait for a device.
    pub(super) fn waiting(&self, device: &str) -> usize {
        self.taken.get(device).map_or(0, |(_, waiting)| waiting.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_job_gets_the_device_when_the_first_lets_go() {
        let mut devices = Devices::default();
        assert!(devices.want("d", SessionId(1)));
        assert!(!devices.want("d", SessionId(2)));
        assert!(!devices.want("d", SessionId(3)));
        assert!(devices.want("e", SessionId(4)));
        assert_eq!(devices.release(SessionId(2)), []);
        assert_eq!(devices.release(SessionId(1)), [SessionId(3)]);
        assert_eq!(devices.user("d"), Some(SessionId(3)));
        assert_eq!(devices.release(SessionId(3)), []);
        assert_eq!(devices.user("d"), None);
    }

    #[test]
    fn a_copy_gives_back_both_its_devices() {
        let mut devices = Devices::default();
        assert!(devices.want("d", SessionId(1)) && devices.want("e", SessionId(1)));
        assert!(!devices.want("d", SessionId(2)) && !devices.want("e", SessionId(3)));
        assert_eq!(devices.release(SessionId(1)), [SessionId(2), SessionId(3)]);
        assert_eq!((devices.user("d"), devices.user("e")), (Some(SessionId(2)), Some(SessionId(3))));
    }
}
