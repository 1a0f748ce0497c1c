//! What the dials, timers and pieces of work of a director are for.

use crate::catalog::{self, CatalogName, OnVolume};
use crate::ids::{ConnId, HandleId, JobId};
use crate::role::post::{PostDue, Target};

use super::consoles::Then;
use super::errands::Errand;
use super::health;
use super::jobs::Asked;
use super::jobs::lists::Wanted;
use super::jobs::ordering::Order;
use super::setup;

/// What a dial is for.
#[derive(Debug)]
pub enum Dial {
    /// The storage daemon of this job.
    Storage(JobId),
    /// The way to a client.
    Reach(u64),
    Errand(Box<Errand>),
}

/// What a timer is for.
#[derive(Clone, Copy, Debug)]
pub enum Due {
    /// The storage daemon of this job has had its time.
    Grace(JobId),
    /// The daemon of a job that is the last to end its part has had its time.
    Patience(JobId),
    /// The passive file daemon of a job has had time to take in that it was dialled.
    Settled(JobId),
    /// A console has waited for those who confirm the cancel of this job.
    Confirmations(JobId),
    /// The pause before this job's next try is over.
    Hold(JobId),
    /// The client of this job has had time to show that it is there, or all the time that it may be away.
    Away(JobId),
    /// This job may have taken too long.
    Deadline(JobId),
    /// A catalog may be away while the director starts.
    Setup,
    /// Jobs of schedules may be due.
    Schedules,
    /// The peer of an errand has had its time.
    Errand(ConnId),
    /// A step on the way to a client has had its time.
    Reach(u64),
    /// The catalog is offered the ends of jobs again.
    Record,
    /// The catalogs are offered lines of reports again.
    Lines,
    /// The messages on their way.
    Post(PostDue),
    /// The catalogs have had their time to say how they are.
    Look,
}

/// Whom a survey of the connections is for.
#[derive(Clone, Copy, Debug)]
pub enum Surveyor {
    /// The console that asked.
    Console(ConnId),
    /// Those who want to see the director's state.
    Health,
}

/// What a piece of work is for.
#[derive(Debug)]
pub enum Owner {
    Setup(CatalogName, setup::Item),
    /// A client that a catalog has not known, for a job that is ordered.
    Client(Box<Order>),
    Create(Box<Order>),
    Copy(JobId, Asked),
    Job(JobId),
    Request(JobId),
    Files(JobId, ConnId),
    Compare(JobId, ConnId, Vec<OnVolume>),
    End(Box<catalog::JobEnd>),
    /// Lines of reports for this catalog.
    Log(CatalogName),
    Uname,
    Console(ConnId),
    /// What a daemon has done for a console that has gone meanwhile.
    Left(ConnId, CatalogName, Then),
    /// A command of this job on the director.
    Script(JobId, HandleId),
    /// Where this job lies, for its bootstrap.
    Bootstrap(JobId),
    /// The bootstrap of this job on its way into a file, or to a command.
    BootstrapPut(JobId),
    /// The lists of the fileset of this job.
    Lists(JobId, HandleId, Wanted),
    /// The lists of the fileset that a console asks about.
    ConsoleLists(ConnId, Wanted),
    /// A name that this console wants looked up.
    Name(ConnId, String),
    /// The files of the configuration.
    Configuration,
    /// The end of a command that was asked for.
    Stopped,
    /// Messages for this place.
    Post(Target),
    /// When this job, whose client has come back, was last started.
    Returned(String),
    /// When this job of a schedule was last started, before the director was.
    Missed(String),
    /// Those who want to see the director's state.
    Publish,
    /// What this catalog says of the director's state.
    Health(CatalogName, health::Question),
}
