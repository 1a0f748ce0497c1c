//! The conformance suite's world, and raw peers: connections in the hands of somebody who need not behave.

use std::any::Any;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use towline_core::conformance::{self, Counts, Facts, Peer, Scripted};
use towline_core::drive::{DialOrder, Hands, ListenOrder};
use towline_core::event::Event;
use towline_core::node::Node;
use towline_core::notice::ExitReason;
use towline_core::socket::{Ends, IoKind, Keepalive, SocketOptions};
use towline_core::time::Instant;

use crate::host::HostId;
use crate::net::{Owner, SocketId};
use crate::tcp::{End, Phase};
use crate::world::World;

/// How long whatever waits here waits before it panics.
const PATIENCE: Duration = Duration::from_secs(4 * 3600);
/// Linux' keepalive times, for a socket that has none of its own.
const SYSTEM: Keepalive = Keepalive {
    idle: Duration::from_secs(7200),
    interval: Duration::from_secs(75),
    probes: Some(9),
    user_timeout: Some(Duration::ZERO),
};

/// A world that several hold.
pub type Shared = Rc<RefCell<World>>;

/// A world of two hosts: one for the node and its raw peers, one that is somewhere else.
#[derive(Clone, Debug)]
pub struct Arm {
    world: Shared,
    here: HostId,
}

impl Arm {
    /// A world of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut world = World::new(seed);
        let here = world.add_host("here", [10, 0, 0, 1].into());
        world.set_name("everywhere", vec![[10, 0, 0, 99].into(), [10, 0, 0, 1].into()]);
        world.add_host("there", [10, 0, 0, 99].into());
        Self { world: Rc::new(RefCell::new(world)), here }
    }

    /// Its world.
    #[must_use]
    pub const fn world(&self) -> &Shared {
        &self.world
    }
}

impl conformance::Arm for Arm {
    type Running = Daemon;
    type Door = Door;

    fn name(&self) -> &'static str {
        "simulator"
    }

    fn start(&self, node: Node<Scripted>, hands: Arc<dyn Hands>) -> Daemon {
        self.world.borrow_mut().start(self.here, node, hands);
        Daemon { world: Rc::clone(&self.world), host: self.here }
    }

    fn now(&self) -> Instant {
        self.world.borrow().now()
    }

    fn here(&self) -> SocketAddr {
        ([10, 0, 0, 1], 0).into()
    }

    fn host_name(&self) -> &'static str {
        "everywhere"
    }

    fn closed(&self) -> SocketAddr {
        ([10, 0, 0, 99], 9).into()
    }

    fn deaf(&self) -> (Box<dyn Any>, SocketAddr) {
        let door = Door::open(&self.world, self.here, self.here(), SocketOptions::default());
        self.world.borrow().net.borrow_mut().deafen(self.here, door.address);
        let address = door.address;
        (Box::new(door), address)
    }

    fn door(&self, socket: SocketOptions) -> Door {
        Door::open(&self.world, self.here, self.here(), socket)
    }

    fn knock(&self, to: SocketAddr, socket: SocketOptions) -> Box<dyn Peer> {
        match Raw::connect(&self.world, self.here, to, socket) {
            Ok(raw) => Box::new(raw),
            Err(kind) => panic!("cannot connect to {to}: {kind}"),
        }
    }

    fn wait<T>(&self, from: &Receiver<T>, what: &str) -> T {
        let mut got = None;
        until(&self.world, what, &mut || match from.try_recv() {
            Ok(value) => {
                got = Some(value);
                true
            }
            Err(TryRecvError::Empty) => false,
            Err(TryRecvError::Disconnected) => panic!("{what} will never come: the node has ended"),
        });
        match got {
            Some(value) => value,
            None => panic!("{what} did not come"),
        }
    }

    fn until(&self, what: &str, is_so: &mut dyn FnMut() -> bool) {
        until(&self.world, what, is_so);
    }

    fn facts(&self, ends: Ends) -> Facts {
        let world = self.world.borrow();
        let net = world.net.borrow();
        let Some(end) = net.by_ends(self.here, ends) else { panic!("no socket has the ends {ends:?}") };
        let times = end.options().keepalive.unwrap_or(SYSTEM);
        Facts { no_delay: true, keepalive: true, times, send_buffer: end.buffer(), receive_buffer: end.buffer() }
    }

    fn counts(&self) -> Counts {
        let world = self.world.borrow();
        let net = world.net.borrow();
        Counts {
            descriptors: net.descriptors(self.here),
            threads: net.tasks.len(),
            turns: world.turns(),
            processor: world.steps(),
        }
    }
}

/// Goes on until it is so.
fn until(world: &Shared, what: &str, is_so: &mut dyn FnMut() -> bool) {
    let give_up = world.borrow().now() + PATIENCE;
    while !is_so() {
        let mut world = world.borrow_mut();
        let goes_on = world.step();
        if !goes_on || world.now() > give_up {
            panic!("{what} did not come; pending: {:#?}\n{}", world.pending(), world.trace().tail(60));
        }
    }
}

/// A node that runs in the world.
#[derive(Debug)]
pub struct Daemon {
    world: Shared,
    host: HostId,
}

impl conformance::Running for Daemon {
    fn post(&self, event: Event) -> bool {
        self.world.borrow_mut().post(self.host, event)
    }

    fn join(self) -> ExitReason {
        let mut reason = None;
        until(&self.world, "the node's end", &mut || {
            reason = self.world.borrow().exit(self.host);
            reason.is_some()
        });
        reason.unwrap_or(ExitReason::Failed(0))
    }
}

/// A listener of raw peers.
#[derive(Debug)]
pub struct Door {
    world: Shared,
    host: HostId,
    address: SocketAddr,
}

impl Door {
    /// Listens on a host.
    ///
    /// # Panics
    /// If the address is taken or another host's.
    #[must_use]
    pub fn open(world: &Shared, host: HostId, on: SocketAddr, socket: SocketOptions) -> Self {
        let order = ListenOrder { on, socket, backlog: 0 };
        let outcome = world.borrow().net.borrow_mut().listen(host, None, &order);
        match outcome {
            Ok(address) => Self { world: Rc::clone(world), host, address },
            Err(kind) => panic!("cannot listen on {on}: {kind}"),
        }
    }

    /// The connection that has come, if one has.
    #[must_use]
    pub fn try_accept(&self) -> Option<Raw> {
        let id = self.world.borrow().net.borrow_mut().accept(self.host, self.address)?;
        Some(Raw { world: Rc::clone(&self.world), id: Some(id) })
    }
}

impl conformance::Door for Door {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn accept(&self) -> Box<dyn Peer> {
        let mut raw = None;
        until(&self.world, "a connection at the door", &mut || {
            raw = self.try_accept();
            raw.is_some()
        });
        match raw {
            Some(raw) => Box::new(raw),
            None => panic!("nobody came"),
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Ok(world) = self.world.try_borrow() {
            world.net.borrow_mut().unlisten(self.host, self.address);
        }
    }
}

/// A raw connection. Dropping it closes it.
#[derive(Debug)]
pub struct Raw {
    world: Shared,
    id: Option<SocketId>,
}

impl Raw {
    /// Connects, and waits until that has succeeded or failed.
    ///
    /// # Errors
    /// Why there is no connection.
    pub fn connect(world: &Shared, host: HostId, to: SocketAddr, socket: SocketOptions) -> Result<Self, IoKind> {
        Self::connect_within(world, host, to, socket, PATIENCE)
    }

    /// Connects within a time by the host's clock, and waits until that has succeeded or failed.
    ///
    /// # Errors
    /// Why there is no connection.
    pub fn connect_within(
        world: &Shared,
        host: HostId,
        to: SocketAddr,
        socket: SocketOptions,
        within: Duration,
    ) -> Result<Self, IoKind> {
        let id = {
            let world = world.borrow();
            let order = DialOrder { to, from: None, socket, give_up: world.time_of(host) + within };
            world.net.borrow_mut().dial(host, Owner::Held, &order)?
        };
        let raw = Self { world: Rc::clone(world), id: Some(id) };
        let mut phase = None;
        until(world, "a raw connection", &mut || {
            phase = world.borrow().net.borrow().phase(id);
            phase != Some(Phase::Dialling)
        });
        match phase {
            Some(Phase::Over(kind)) => Err(kind),
            None => Err(IoKind::TimedOut),
            Some(_) => Ok(raw),
        }
    }

    /// Reads what has come, without waiting; `None` means: nothing yet.
    pub fn try_read(&mut self, space: &mut [u8]) -> Option<Result<usize, IoKind>> {
        let id = self.id?;
        self.world.borrow().net.borrow_mut().read(id, space)
    }

    /// Writes what fits, without waiting; `None` means: no room.
    pub fn try_write(&mut self, bytes: &[u8]) -> Option<Result<usize, IoKind>> {
        let id = self.id?;
        self.world.borrow().net.borrow_mut().write(id, bytes)
    }

    fn end<T>(&self, look: impl FnOnce(&End) -> T) -> Option<T> {
        let world = self.world.borrow();
        let net = world.net.borrow();
        self.id.and_then(|id| net.end(id)).map(look)
    }
}

impl Peer for Raw {
    fn ends(&self) -> Ends {
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        self.end(End::ends).unwrap_or(Ends { local: nowhere, peer: nowhere })
    }

    fn read(&mut self, space: &mut [u8]) -> Result<usize, IoKind> {
        let world = Rc::clone(&self.world);
        let mut answer = None;
        until(&world, "bytes for a raw peer", &mut || {
            answer = self.try_read(space);
            answer.is_some()
        });
        answer.unwrap_or(Err(IoKind::Aborted))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<usize, IoKind> {
        let world = Rc::clone(&self.world);
        let mut answer = None;
        until(&world, "room for a raw peer's bytes", &mut || {
            answer = self.try_write(bytes);
            answer.is_some()
        });
        answer.unwrap_or(Err(IoKind::Aborted))
    }

    fn shut_write(&mut self) {
        if let Some(id) = self.id {
            self.world.borrow().net.borrow_mut().shut_write(id);
        }
    }

    fn reset(mut self: Box<Self>) {
        if let Some(id) = self.id.take() {
            self.world.borrow().net.borrow_mut().reset(id);
        }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let (Some(id), Ok(world)) = (self.id, self.world.try_borrow()) {
            world.net.borrow_mut().close(id);
        }
    }
}
