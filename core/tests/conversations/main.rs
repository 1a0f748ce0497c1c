//! Recorded conversations of real daemons as tests: each role is driven with the real peer's side.

mod support;
