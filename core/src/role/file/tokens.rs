//! What the dials, timers and pieces of work of a file daemon are for.

use crate::ids::{HandleId, SessionId};
use crate::role::post::{PostDue, Target};

/// Whom a dial is to.
#[derive(Debug)]
pub enum Dial {
    /// The storage daemon of this session's job.
    Storage(SessionId),
    /// The director of this name, to wait there.
    Director(String),
}

/// What a timer is for.
#[derive(Debug)]
pub enum Due {
    /// The next step towards the director of this name.
    Calling(String),
    /// The storage daemon of this session's job is to come.
    Storage(SessionId),
    /// A heartbeat to the director of this session.
    Beat(SessionId),
    /// The messages on their way.
    Post(PostDue),
}

/// What a piece of work is for.
#[derive(Debug)]
pub enum Owner {
    /// The job of this session.
    Job(SessionId),
    /// A command of this session's job.
    Script(SessionId, HandleId),
    /// A name that the director of this session asks for.
    Name(SessionId, String),
    /// A job that has ended.
    Gone,
    /// Messages for a place.
    Post(Target),
    /// The configuration, read again.
    Configuration,
}
