//! What a world must offer to run the suite: a place for a node, and raw peers for it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use super::stage::Scripted;
use crate::drive::Hands;
use crate::event::Event;
use crate::node::Node;
use crate::notice::ExitReason;
use crate::socket::{Ends, IoKind, Keepalive, SocketOptions};
use crate::time::Instant;

/// A world: the kernel with one adapter, or the simulator. Whatever waits here waits for a generous time and panics then.
pub trait Arm {
    /// A node that runs.
    type Running: Running;
    /// A listener of a raw peer.
    type Door: Door;

    /// The adapter's name, for what is printed.
    fn name(&self) -> &'static str;
    /// Runs a node in the background.
    fn start(&self, node: Node<Scripted>, hands: Arc<dyn Hands>) -> Self::Running;
    /// The time in this world; its own zero.
    fn now(&self) -> Instant;
    /// An address of this host to listen on, with port 0.
    fn here(&self) -> SocketAddr;
    /// A name that resolves to [`here`](Self::here), whatever else it resolves to.
    fn host_name(&self) -> &'static str;
    /// An address where nothing listens.
    fn closed(&self) -> SocketAddr;
    /// Listens where nobody ever answers: an attempt to connect stays one as long as the value lives.
    fn deaf(&self) -> (Box<dyn std::any::Any>, SocketAddr);
    /// Listens raw.
    fn door(&self, socket: SocketOptions) -> Self::Door;
    /// Connects raw.
    fn knock(&self, to: SocketAddr, socket: SocketOptions) -> Box<dyn Peer>;
    /// Waits for the next value.
    fn wait<T>(&self, from: &Receiver<T>, what: &str) -> T;
    /// Waits until it is so.
    fn until(&self, what: &str, is_so: &mut dyn FnMut() -> bool);
    /// What is set on the node's socket with these ends.
    fn facts(&self, ends: Ends) -> Facts;
    /// What the process has open.
    fn counts(&self) -> Counts;
}

/// A node that runs.
pub trait Running {
    /// Posts an event; false if the node has ended.
    fn post(&self, event: Event) -> bool;
    /// Waits for the node's end.
    fn join(self) -> ExitReason;
}

/// A listener of a raw peer.
pub trait Door {
    /// Its address.
    fn address(&self) -> SocketAddr;
    /// Waits for a connection.
    fn accept(&self) -> Box<dyn Peer>;
}

/// A raw connection, in the hands of somebody who need not behave. Dropping it closes it.
pub trait Peer {
    /// Its own ends.
    fn ends(&self) -> Ends;
    /// Waits for bytes; 0 at the end.
    ///
    /// # Errors
    /// What became of the connection.
    fn read(&mut self, space: &mut [u8]) -> Result<usize, IoKind>;
    /// Writes what fits, and waits until something does.
    ///
    /// # Errors
    /// What became of the connection.
    fn write(&mut self, bytes: &[u8]) -> Result<usize, IoKind>;
    /// Ends its writing.
    fn shut_write(&mut self);
    /// Breaks the connection off.
    fn reset(self: Box<Self>);
}

/// What is set on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// `TCP_NODELAY`.
    pub no_delay: bool,
    /// `SO_KEEPALIVE`.
    pub keepalive: bool,
    /// The times of TCP keepalive, in whole seconds but for `user_timeout`.
    pub times: Keepalive,
    /// `SO_SNDBUF`.
    pub send_buffer: usize,
    /// `SO_RCVBUF`.
    pub receive_buffer: usize,
}

/// What a process has open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// File descriptors.
    pub descriptors: usize,
    /// Threads.
    pub threads: usize,
    /// Turns of all pumps since the process began.
    pub turns: u64,
    /// Processor time used, in microseconds.
    pub processor: u64,
}
