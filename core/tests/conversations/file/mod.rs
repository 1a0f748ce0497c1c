//! The file daemon.

mod bandwidth;
mod behaviour;
mod calling;
mod passive;
mod recorded;
mod scripts;
