//! Drives the Towline core on plain threads: the reference adapter. What the other adapters share with it is in [`shared`].
//!
//! One thread, the caller of `run`, owns the node. One thread per connection owns its `Conn` and waits in `poll(2)`
//! on the socket and a wake-up descriptor. A dial has a thread until it has ended, a listener one until it is closed,
//! name look-ups at most four.
//!
//! The node's mailbox is bounded by those who post to it: eight messages and an end per connection, one answer per
//! dial, look-up and piece of work, and fixed numbers of accepted connections and injected events, whose senders wait
//! for room. The node waits for nobody: a connection whose mailbox is full is aborted.
#![cfg_attr(not(test), warn(clippy::expect_used))]

mod acceptor;
mod connection;
mod dialer;
mod run;
pub mod shared;
mod wake;

pub use run::Blocking;
