//! Hosts that sleep: their monotonic clock stands still, what is sent to them is lost, and when they wake up all that was to
//! happen to them happens that much later. Their wall clock goes on, so that a daemon hears of `Event::ClockJumped`.

use std::time::Duration;

use towline_core::time::Instant;

use crate::host::{Asker, HostId, Life, TaskId};
use crate::net::{Happening, NetState, SocketId};
use crate::world::World;

impl World {
    /// A host sleeps for so long from now on; one that sleeps already, until the later of both ends.
    pub fn suspend(&mut self, host: HostId, span: Duration) {
        self.note("power", &format!("{host:?} sleeps for {span:?}"));
        self.net.borrow_mut().suspend(host, span);
    }

    /// The time by a host's monotonic clock.
    #[must_use]
    pub fn time_of(&self, host: HostId) -> Instant {
        self.net.borrow().time_of(host)
    }
}

impl NetState {
    /// The time by a host's monotonic clock, which stands still while it sleeps.
    pub(crate) fn time_of(&self, host: HostId) -> Instant {
        let now = self.now();
        self.places.get(host.0).map_or(now, |place| now.max(place.wakes) - place.slept)
    }

    /// The time by the clock of a socket's host.
    pub(crate) fn time_at(&self, id: SocketId) -> Instant {
        self.host_of(id).map_or_else(|| self.now(), |host| self.time_of(host))
    }

    /// When a host's monotonic clock shows this, if it does not sleep once more.
    pub(crate) fn world_time(&self, host: HostId, at: Instant) -> Instant {
        self.places.get(host.0).map_or(at, |place| at + place.slept)
    }

    /// When a host is awake: now, or at the end of its sleep.
    pub(crate) fn wakes(&self, host: HostId) -> Instant {
        let now = self.now();
        self.places.get(host.0).map_or(now, |place| place.wakes.max(now))
    }

    fn suspend(&mut self, host: HostId, span: Duration) {
        let now = self.now();
        let Some(place) = self.places.get_mut(host.0) else { return };
        // Who sleeps already sleeps on: until the later of both ends.
        let until = now + span;
        let span = until.since(place.wakes.max(now));
        if span.is_zero() {
            return;
        }
        place.wakes = until;
        place.slept += span;
        place.disk_busy = place.disk_busy + span;
        let sockets = self.sockets_of(host);
        self.clock.delay(span, |happening| match happening {
            Happening::Arrive { .. } => false,
            Happening::SocketTimer(id) | Happening::GiveUp(id) => sockets.contains(id),
            Happening::Node(of) | Happening::NodeTimer(of) => *of == host,
            Happening::Unreachable(of, ..) | Happening::TooLarge(of, ..) => *of == host,
            Happening::Post(Life(of, _), _) => *of == host,
            Happening::Task(task) | Happening::TaskTimer(task) => task.life.0 == host,
            Happening::Answer(Asker::Node(Life(of, _)) | Asker::Task(TaskId { life: Life(of, _), .. }), ..) => {
                *of == host
            }
        });
    }
}
