//! What waits for a node, and when the node looks.

use std::time::Duration;

use towline_core::event::Event;
use towline_core::ids::{DialId, ListenerId};
use towline_core::socket::{Ends, IoKind};

use crate::host::{HostId, Life};
use crate::net::{Happening, NetState, SocketId};

/// What waits for a node.
#[derive(Debug)]
pub(crate) enum Post {
    Event(Event),
    Dialed(DialId, Result<(SocketId, Ends), IoKind>),
    Accepted(ListenerId, SocketId, Ends),
}

impl NetState {
    /// Puts something into a node's mailbox, unless it has died.
    pub(crate) fn mail(&mut self, life: Life, post: Post) {
        let Some(place) = self.places.get_mut(life.0.0).filter(|place| place.life == life.1) else { return };
        place.inbox.push_back(post);
        self.wake_node(life.0);
    }

    pub(crate) fn post(&mut self, life: Life, event: Event) {
        self.mail(life, Post::Event(event));
    }

    pub(crate) fn post_later(&mut self, life: Life, pause: Duration, event: Event) {
        self.clock.after(pause, Happening::Post(life, Box::new(event)));
    }

    /// Puts something into a node's mailbox that took its time already; whether the node is to look at once.
    pub(crate) fn post_now(&mut self, life: Life, event: Event) -> bool {
        let is_awake = self.wakes(life.0) == self.now();
        let Some(place) = self.places.get_mut(life.0.0).filter(|place| place.life == life.1) else { return false };
        place.inbox.push_back(Post::Event(event));
        let is_idle = !place.is_woken;
        if is_idle && !is_awake {
            self.wake_node(life.0);
        }
        is_idle && is_awake
    }

    pub(crate) fn wake_node(&mut self, host: HostId) {
        let pause = self.jitter();
        let awake = self.wakes(host);
        if let Some(place) = self.places.get_mut(host.0).filter(|place| !place.is_woken) {
            place.is_woken = true;
            self.clock.at(awake + pause, Happening::Node(host));
        }
    }
}
