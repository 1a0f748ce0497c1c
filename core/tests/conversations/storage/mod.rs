//! The storage daemon.

mod recorded;
