//! Drives the Towline core on smol.
//!
//! The caller of `run` owns the node; each connection is a task that owns its `Conn`, as is each dial and each listener.
//! The tasks run on an executor of this adapter's own, whose threads end with `run`.
//!
//! The node's mailbox is bounded by those who post to it: eight messages and an end per connection, one answer per
//! dial, look-up and piece of work. Accepted connections and injected events have queues of their own, whose senders
//! wait for room. The node waits for nobody: a connection whose mailbox is full is aborted.
#![cfg_attr(not(test), warn(clippy::expect_used))]

mod acceptor;
mod connection;
mod dialer;
mod executor;
mod run;
mod timer;

pub use run::Smol;
