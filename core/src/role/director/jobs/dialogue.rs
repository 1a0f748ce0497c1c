//! What the dialogues of jobs are about: events, news and wants.

use std::fmt;

use crate::catalog::{CatalogAnswer, CatalogName, CatalogRequest};
use crate::role::director::common::Tools;
use crate::script::{Script, Scripted};
use crate::wire::message::MessageKind;

use super::job::Job;
use super::life::Life;
use super::lists::{Lists, Wanted};
use super::ordering::Order;
use super::trouble::Trouble;

impl Tools<'_> {
    /// Writes a line of the job's report.
    pub(super) fn note(&mut self, job: &mut Job, text: &str) {
        job.say(self, MessageKind::Info, text);
    }

    /// Writes lines of the job's report.
    pub(super) fn notes(&mut self, job: &mut Job, texts: &[String]) {
        texts.iter().for_each(|text| self.note(job, text));
    }

    /// Writes a warning of the job's report.
    pub(super) fn warn(&mut self, job: &mut Job, text: &str) {
        job.say(self, MessageKind::Warning, text);
    }
}

/// What happens to a job while its dialogue is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The storage daemon is connected and authenticated.
    StorageReady,
    /// The file daemon is connected and authenticated.
    FileReady,
    /// A passive file daemon has had time to take in that it was dialled.
    Settled,
    /// `2800 End Job` has come.
    FileEnded,
    /// `3099 … end` has come.
    StorageEnded,
    /// No batch of attributes is on its way any more.
    FilesStored,
    /// The writing storage daemon of a copy waits for the reading one.
    WriterListens,
    /// The job that reads for a virtual full has its number.
    ReaderOrdered,
    /// The reading storage daemon of a copy has ended.
    ReaderEnded,
    /// The copy is in the catalog with the times of its original.
    Copied,
}

/// What comes for the present step only.
#[derive(Debug)]
pub(crate) enum News {
    /// The catalog's answer to what the step has asked.
    Catalog(CatalogAnswer),
    /// The client has taken a parcel.
    ParcelTaken,
    /// What the lists of the fileset hold.
    Lists(Lists),
}

/// What only the director can do for a step.
#[derive(Debug)]
pub(crate) enum Want {
    /// Ask the job's catalog; its answer is news.
    Ask(CatalogRequest),
    /// The same with another catalog.
    AskIn(CatalogName, CatalogRequest),
    /// Read the lists of the fileset that are on the director; what they hold is news.
    Gather(Wanted),
    /// Start the jobs that go with a backup.
    StartOthers,
    /// Find the way to the job's file daemon.
    ReachFile,
    /// Let a passive file daemon take in that it was dialled, which ends with an event.
    Settle,
    /// Tell the control job of a copy that the writing storage daemon listens.
    TellReader,
    /// Tell the writing job of a copy how the reading storage daemon has ended.
    TellWriter,
    /// The level has become that of a virtual full: lead the job through that dialogue.
    MakeVirtual,
    /// Order the job that reads for a virtual full, which another storage daemon does.
    ReadElsewhere,
    /// Order a virtual full.
    Order(Box<Order>),
    /// Hand the connection to the storage daemon over to the writing job of a copy.
    HandOver,
}

impl Scripted for Job {
    type Tools<'a> = Tools<'a>;
    type Event = Event;
    type News = News;
    type Want = Want;
    type Trouble = Trouble;

    fn script(&mut self) -> Option<&mut Option<Script<Self>>> {
        if let Life::Running { script, .. } = &mut self.life { Some(script) } else { None }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::StorageReady => "storage daemon ready",
            Self::FileReady => "file daemon ready",
            Self::Settled => "pause for a passive file daemon",
            Self::FileEnded => "end of the file daemon's job",
            Self::StorageEnded => "end of the storage daemon's job",
            Self::FilesStored => "files stored",
            Self::WriterListens => "the writing storage daemon listens",
            Self::ReaderOrdered => "the job that reads has its number",
            Self::ReaderEnded => "the reading storage daemon has ended",
            Self::Copied => "the copy is recorded",
        })
    }
}
