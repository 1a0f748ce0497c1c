//! A tap on the wire: whoever listens sees every segment that is sent, and where it is led.

use std::fmt;
use std::net::SocketAddr;

use towline_core::socket::Ends;
use towline_core::time::Instant;

use crate::host::HostId;
use crate::tcp::Segment;
use crate::world::World;

/// A segment that is sent.
#[derive(Clone, Copy, Debug)]
pub struct Passing<'a> {
    /// When.
    pub at: Instant,
    /// The host that sends it.
    pub from: HostId,
    /// Both ends, as the sender sees them.
    pub ends: Ends,
    /// What is sent.
    pub segment: &'a Segment,
    /// The host the networks lead it to; a bad link may still lose it.
    pub to: Option<HostId>,
}

impl Passing<'_> {
    /// Whether one of its ends has this port.
    #[must_use]
    pub fn is_of(&self, port: u16) -> bool {
        let has = |end: SocketAddr| end.port() == port;
        has(self.ends.local) || has(self.ends.peer)
    }
}

/// Who listens.
type Listener = Box<dyn FnMut(&Passing<'_>)>;

/// The taps of a world.
#[derive(Default)]
pub(crate) struct Taps(Vec<Listener>);

impl fmt::Debug for Taps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} taps", self.0.len())
    }
}

impl Taps {
    /// Whether nobody listens.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A segment is sent.
    pub(crate) fn see(&mut self, passing: &Passing<'_>) {
        self.0.iter_mut().for_each(|listener| listener(passing));
    }
}

impl World {
    /// From now on this sees every segment that is sent.
    pub fn tap(&mut self, listener: impl FnMut(&Passing<'_>) + 'static) {
        self.net.borrow_mut().taps.0.push(Box::new(listener));
    }
}
