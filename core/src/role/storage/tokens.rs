//! What the dials, timers and pieces of work of a storage daemon are for.

use crate::ids::ConnId;

/// Whom a dial is to, and the session it is for.
#[derive(Debug)]
pub enum Dial {
    File(ConnId),
    Storage(ConnId),
}

/// What a timer is for, with the session.
#[derive(Debug, PartialEq, Eq)]
pub enum Due {
    /// The peer of its job is to come.
    Peer(ConnId),
    /// A volume is asked for again.
    Volume(ConnId),
    Beat(ConnId),
}

/// What a piece of work is for.
#[derive(Debug, PartialEq, Eq)]
pub enum Owner {
    /// The job of this session.
    Job(ConnId),
    /// This session has ended while its volume was open: the device is free once it is closed.
    Closing(ConnId),
}
