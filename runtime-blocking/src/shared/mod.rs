//! What all adapters share: the other runtimes' crates are built on this module too.
//!
//! * The operating system: [`Clock`] is the time, [`look_up`] the resolver, [`socket`] sockets and their options,
//!   [`flight`] what TCP knows of a connection.
//! * The way between the node and its connections: [`NodeBox`] and [`ConnBox`] are the mailboxes, [`run`] is the node's
//!   loop, [`Connection`] what a connection's thread or task owns; [`Wake`] says how one that waits is woken.
//! * [`tasks`] is the adapter of a runtime of tasks, which adds an executor, a reactor and timers.
//! * `conformance` (feature): the kernel's arm of the conformance suite, for any runtime.
//!
//! Nothing here waits, but for the resolver and for the mailboxes' room.

mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
mod connection;
mod flight;
mod icmp;
mod mailbox;
mod names;
mod resolver;
mod run;
pub mod socket;
pub mod tasks;
mod wake;

pub use clock::Clock;
pub use connection::{Connection, Line};
pub use flight::flight;
pub use mailbox::{ConnBox, NodeBox};
pub use names::look_up;
pub use run::{Base, Counted, run};
pub use wake::{Leash, Wake};
