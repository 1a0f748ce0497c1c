//! The file daemon.

mod behaviour;
mod calling;
mod recorded;
