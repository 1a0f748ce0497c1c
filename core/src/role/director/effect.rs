//! What one part of a director has another one do.

use crate::bulk::parcel::Parcel;
use crate::catalog::{CatalogError, JobRow};
use crate::ids::{ConnId, HandleId, JobId, Who};
use crate::wire::status::JobStatus;

use super::common::Peers;
use super::consoles::{Answer, Continued};
use super::errands::Errand;
use super::reach::{Goal, ReachFailure, Reached};

/// Each is carried out by the router, in the order they come.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Consoles and clients may come.
    Listen,
    /// The catalog knows the configuration: jobs may run.
    Ready,
    /// A catalog knows these jobs, the newest first: those that have ended are of earlier lives of the director.
    Remember(Vec<JobRow>),
    /// The catalog knows a configuration that was read again, or does not take it.
    Recorded(Result<(), CatalogError>),
    /// Jobs may begin that there is room for now.
    Begin,
    /// A schedule has a job start, by this one of its lines.
    Due(String, usize),
    /// A client has dialled in that was away.
    Returned(String),
    /// A way to this client is needed: the pause between tries and the time for all, in seconds.
    Reach(String, Goal, (u64, u64), Peers),
    /// This job needs its file daemon no more.
    StopReaching(JobId),
    Reached(Goal, ConnId, Reached),
    NotReached(Goal, ReachFailure),
    /// Somebody is to go to a daemon.
    Errand(Box<Errand>),
    /// What a daemon says to the cancel of this job, or what stands in its way.
    CancelHeard(JobId, Who, String),
    /// A daemon has said all it will ever say to the cancel of this job.
    CancelOver(JobId, Who),
    /// A job has a command of a console done, under this name.
    Command(JobId, HandleId, String),
    /// A job has given up what it has had done under this name.
    GiveUpCommand(HandleId),
    /// A console, if there is one, is to read lines of a daemon.
    Relay {
        from: ConnId,
        to: Option<ConnId>,
        parcel: Parcel,
    },
    Print(ConnId, String),
    Answer(ConnId, Answer),
    /// A console is to go; why.
    Dismiss(ConnId, &'static str),
    /// A daemon has said all that a console's command goes on with.
    GoOn(ConnId, Continued, Vec<String>),
    /// This console has ordered this job.
    Ordered(ConnId, JobId),
    /// A job has ended: its number, the names of its resource and its client, and how.
    Ended(JobId, (String, String), JobStatus),
}
