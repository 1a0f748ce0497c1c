//! The file daemon.

mod bandwidth;
mod behaviour;
mod calling;
mod errands;
mod passive;
mod recorded;
mod reload;
mod scripts;
