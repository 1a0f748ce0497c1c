//! What the dials, timers and pieces of work of a storage daemon are for.

use crate::ids::SessionId;
use crate::role::post::{PostDue, Target};

/// Whom a dial is to, and the session it is for.
#[derive(Debug)]
pub enum Dial {
    File(SessionId),
    Storage(SessionId),
}

/// What a timer is for, with the session.
#[derive(Debug, PartialEq, Eq)]
pub enum Due {
    /// The peer of its job is to come.
    Peer(SessionId),
    /// A volume is asked for again.
    Volume(SessionId),
    Beat(SessionId),
    /// The messages on their way.
    Post(PostDue),
}

/// What a piece of work is for.
#[derive(Debug, PartialEq, Eq)]
pub enum Owner {
    /// The job of this session.
    Job(SessionId),
    /// This session has ended while its volume was open: the device is free once it is closed.
    Closing(SessionId),
    /// A file of the job of this session, for what waits.
    Spool(SessionId, Held),
    /// A volume that an operator has labelled.
    Label(Box<Labelling>),
    /// This name, for the director of a session.
    Name(SessionId, String),
    /// The configuration, read again.
    Configuration,
    /// Messages for a place.
    Post(Target),
}

/// What waits in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    Data,
    Attributes,
}

/// A label that is being written.
#[derive(Debug, PartialEq, Eq)]
pub struct Labelling {
    /// The session that hears of it.
    pub session: SessionId,
    pub volume: String,
    /// The name of the volume before; none for a new one.
    pub before: Option<String>,
    /// As answers name it.
    pub device: String,
}
