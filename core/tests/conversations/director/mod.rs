//! The director in recorded and in made-up conversations.

mod api;
mod bandwidth;
mod cancelling;
mod consoles;
mod copies;
pub mod desk;
mod devices;
mod disk;
mod failures;
mod figures;
mod jobs;
mod levels;
mod limits;
mod passive;
mod patience;
mod queue;
mod recorded;
mod relaying;
mod rich;
mod scripts;
mod shapes;
mod texts;
mod verify;
mod waiting;
mod web;
