//! One TCP connection: first bytes -> TLS -> hello -> authentication -> ready -> draining.
//!
//! ```text
//!            read(2)                                    poll_message
//!   socket ----------> read_space -> engine -> frames -------------> Node      (text, signals)
//!                                        \-> bulk machine -> poll_work -> disk workers
//!            writev(2)                                  handle_message
//!   socket <---------- transmit <- engine <- frames <--------------- Node
//! ```
//!
//! The adapter's task for the connection owns it. After each `handle_*` or `on_*` call it drains `poll_*` before it waits.

mod advance;
mod api;
mod auth;
mod carry;
mod connection;
mod dial_failure;
mod drain;
mod flight;
mod gather;
mod heartbeat;
mod inspect;
mod pace;
mod phase;
mod reason;
mod rx;
#[cfg(test)]
mod tests;
mod timer;
mod tx;

pub use api::{Accepting, Dialling, FromConn, Interest, Moved, Peer, Side, ToConn, Traffic, Transmit};
pub use connection::Conn;
pub use dial_failure::DialFailure;
#[cfg(test)]
pub(crate) use dial_failure::one_of_each as one_of_each_dial_failure;
#[cfg(test)]
pub(crate) use flight::one_of_each as one_of_each_stall;
pub use flight::{Flight, Stall};
pub use inspect::Inspection;
#[cfg(test)]
pub(crate) use reason::one_of_each as one_of_each_reason;
pub use reason::{CloseReason, Stage};
pub use timer::Timer;
