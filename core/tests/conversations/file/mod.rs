//! The file daemon.

mod behaviour;
mod calling;
mod passive;
mod recorded;
