//! Recorded conversations of real daemons as tests: each role is driven with the real peer's side.

#![expect(unreachable_pub, reason = "the modules of one test program share their items")]

mod console;
mod director;
mod file;
mod storage;
mod support;
mod tray;
