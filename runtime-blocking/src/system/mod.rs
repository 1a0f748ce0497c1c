//! What an adapter asks of the operating system and tells it, the same on every runtime: the other adapters use it too.
//!
//! [`Clock`] is the time, [`look_up`] the resolver, [`socket`] sockets and their options, [`flight`] what TCP knows of a
//! connection. Nothing here waits, but for the resolver.

mod clock;
mod flight;
mod icmp;
mod names;
pub mod socket;

pub use clock::Clock;
pub use flight::flight;
pub use names::look_up;
