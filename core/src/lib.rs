//! The pure core of Towline: every decision of a backup network that speaks the Bareos wire protocol.
#![cfg_attr(not(test), warn(clippy::expect_used))]

pub mod action;
pub mod buf;
pub mod bulk;
pub mod calendar;
pub mod config;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod conn;
pub mod drive;
pub mod error;
pub mod event;
pub mod explain;
pub mod ids;
pub mod limits;
pub mod node;
pub mod role;
pub mod secret;
pub mod time;
pub mod tls;
pub mod wire;
