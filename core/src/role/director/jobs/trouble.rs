//! Why jobs fail, as far as the director knows it. What a daemon knows, its own messages say.

use crate::catalog::restore_selection::SelectionError;
use crate::catalog::{CatalogAnswer, CatalogError};
use crate::channel::NoAddress;
use crate::config::Seconds;
use crate::conn::{CloseReason, DialFailure};
use crate::error::{Explain, Facts, Fault, Retry};
use crate::ids::{JobId, Who};
use crate::quantity::counted;
use crate::script::Mismatch;
use crate::wire::status::{JobStatus, StorageEnd};

use super::lists::Unread;
use crate::role::director::reach::ReachFailure;
use crate::role::director::reach::dialling::Undialled;

/// Why a job has failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// A daemon has said something else than the present step waits for.
    #[error("{0}")]
    Step(#[from] Mismatch),
    /// The catalog has refused a request, or is away.
    #[error("{0}")]
    Catalog(#[from] CatalogError),
    /// The catalog has answered another question.
    #[error("unexpected answer from the catalog: {0}")]
    CatalogAnswer(String),
    /// The catalog has not taken attributes.
    #[error("the file list was not stored: {0}")]
    FilesNotStored(CatalogError),
    /// There is no way to dial the storage daemon.
    #[error("{0}")]
    Undialled(#[from] Undialled),
    /// The storage daemon was dialled in vain.
    #[error("{who}: {failure}")]
    NotDialled {
        /// Which daemon.
        who: Who,
        /// What came of it.
        failure: DialFailure,
    },
    /// There is no way to the file daemon.
    #[error("file daemon: {0}")]
    NotReached(#[from] ReachFailure),
    /// The client was away for too long.
    #[error("client \"{client}\" was away: it neither came nor answered within {within}")]
    Away {
        /// The client.
        client: String,
        /// How long the job was to wait.
        within: Seconds,
    },
    /// A connection has ended before its daemon's part of the job.
    #[error("lost the {who}: {reason}")]
    Lost {
        /// Which daemon.
        who: Who,
        /// How it ended.
        reason: CloseReason,
    },
    /// The file daemon has given up.
    #[error("the file daemon ended the job with status {} during {step}", letter(*status))]
    FileEnded {
        /// Its status.
        status: JobStatus,
        /// What the job was doing.
        step: &'static str,
    },
    /// A storage daemon of a copy has given up.
    #[error("the {role}storage daemon ended with status {} and {}", letter(end.status), counted(end.errors, "error"))]
    StorageEnded {
        /// `reading `, `writing `, or nothing if it does both.
        role: &'static str,
        /// What it said.
        end: StorageEnd,
    },
    /// The storage daemon has failed, and the file daemon goes on.
    #[error("the storage daemon has failed the job, and the file daemon has not noticed it in time")]
    Unnoticed,
    /// One daemon has ended its part, and the other is silent.
    #[error("the {other} has ended its part, and the {who} has said nothing for {seconds} s")]
    Silent {
        /// The silent one.
        who: Who,
        /// The one that has ended.
        other: Who,
        /// For how long.
        seconds: u64,
    },
    /// One daemon has ended its part, and the other is there and says nothing.
    #[error("the {other} has ended its part, and the {who} sends heartbeats and has said nothing else for {seconds} s")]
    Hangs {
        /// The one that does not end.
        who: Who,
        /// The one that has ended.
        other: Who,
        /// For how long.
        seconds: u64,
    },
    /// The storage daemon sends requests and waits for no answers.
    #[error("the storage daemon asks the catalog and waits for no answer")]
    Flood,
    /// The storage daemon asks for what no catalog has.
    #[error("unknown catalog request: {0}")]
    UnknownRequest(String),
    /// Volumes change as fast as they are looked at.
    #[error("the search for a volume does not end")]
    EndlessSearch,
    /// `label_format` makes no name for a new volume.
    #[error("pool {pool:?} gets no new volume: {why}")]
    NoName {
        /// The pool.
        pool: String,
        /// What is wrong with it.
        why: String,
    },
    /// It makes one that another volume has.
    #[error("pool {pool:?} gets no new volume: there is one called {name:?} already")]
    NameTaken {
        /// The pool.
        pool: String,
        /// The name.
        name: String,
    },
    /// The pool belongs to another catalog.
    #[error("pool {pool:?} is not in the catalog {catalog:?} of the job")]
    NotInCatalog {
        /// The pool.
        pool: String,
        /// The job's catalog.
        catalog: String,
    },
    /// A step belongs to another kind of job.
    #[error("a step of another kind of job")]
    OtherTask,
    /// The data channel has no way.
    #[error("{0}")]
    NoChannel(#[from] NoAddress),
    /// A resource that the job needs is not there.
    #[error("the job's client or storage is no longer configured")]
    Unconfigured,
    /// A passive client that no storage daemon can dial.
    #[error(
        "client \"{client}\" is passive, but its file daemon is too old to be dialled by a storage daemon (protocol \
         {protocol}, {since} is the first that can)"
    )]
    TooOld {
        /// The client.
        client: String,
        /// Its file daemon's protocol.
        protocol: u32,
        /// The protocol that it takes.
        since: u32,
    },
    /// A list of paths of the fileset is not to be had.
    #[error("{0}")]
    Unread(#[from] Unread),
    /// There is no job to verify.
    #[error("{}, so there is nothing to verify", no_backup(*.0))]
    NothingToVerify(Option<u32>),
    /// There is nothing to compare the disk with.
    #[error("no job has put the state of this client's disk into the catalog, so there is nothing to compare it with")]
    NoInit,
    /// The list of files was pruned.
    #[error("the catalog no longer has the list of the files of job {0}")]
    NoFileList(u32),
    /// What a job has saved cannot be read.
    #[error("{0}")]
    Selection(#[from] SelectionError),
    /// One daemon at a time can verify or copy.
    #[error("the job lies on more than one storage: {}", .0.join(", "))]
    SeveralStorages(Vec<String>),
    /// The storage of a job is not in the configuration.
    #[error("the job lies on storage \"{0}\", which the configuration does not have")]
    UnknownStorage(String),
    /// Another job copies the same one.
    #[error("job {job} is taken by JobId {by}, which has not ended")]
    Taken {
        /// The job to copy.
        job: u32,
        /// The job that copies it.
        by: JobId,
    },
    /// A statement selects what is no job.
    #[error("the first column of what `selection_pattern` returns is no JobId: {0:?}")]
    NotJobIds(String),
    /// There is no such job to copy.
    #[error("{}, so it cannot be copied", no_backup(Some(*.0)))]
    NothingToCopy(u32),
    /// A copy has nowhere to go.
    #[error("pool \"{pool}\" has no `{setting}`, so what is copied or taken together has nowhere to go")]
    NoTarget {
        /// The pool.
        pool: String,
        /// What it lacks.
        setting: &'static str,
    },
    /// A copy would go where its original is.
    #[error("storage \"{storage}\" has the original already, and pool \"{pool}\" names the same")]
    SameStorage {
        /// The storage.
        storage: String,
        /// The pool.
        pool: String,
    },
    /// The other job of a copy has failed.
    #[error("the job that goes with it, JobId {0}, has failed")]
    Partner(JobId),
    /// The job that was to become the copy is none.
    #[error("the copy cannot be used: JobId {job} ended with status {}", letter(*status))]
    BadCopy {
        /// The writing job.
        job: JobId,
        /// How it ended.
        status: JobStatus,
    },
    /// A storage daemon of a copy is gone without its end.
    #[error("the {role}storage daemon has not said how it ended")]
    NoEnd {
        /// `reading ` or `writing `.
        role: &'static str,
    },
    /// There is nothing to make a virtual full of.
    #[error("there is no full backup that a virtual full could begin with")]
    NothingToJoin,
    /// A virtual full of an always incremental job without a list of jobs.
    #[error("a virtual full of an always incremental job is made of jobs that are named, and none is")]
    NoJobsNamed,
    /// A job that was named for a virtual full.
    #[error("job {job} is no backup of client \"{client}\" that ended well, so it cannot be part of a virtual full")]
    NotJoinable {
        /// The job.
        job: u32,
        /// The client of the virtual full.
        client: String,
    },
    /// Lists of files of jobs of a virtual full were pruned.
    #[error("the catalog no longer has the lists of the files of jobs {}", listed(.0))]
    ListsGone(Vec<u32>),
    /// The jobs of a virtual full have no files.
    #[error("jobs {} have no file that was not deleted since", listed(.0))]
    NoFilesLeft(Vec<u32>),
    /// A virtual full of backups that lie with several storage daemons.
    #[error(
        "the backups lie on storage \"{storage}\" and storage \"{other}\" of different storage daemons, and a virtual full \
         is read by one"
    )]
    SeveralDaemons {
        /// Where some of them lie.
        storage: String,
        /// Where others do.
        other: String,
    },
    /// A virtual full has fewer files than it should.
    #[error("{written} of the {files} files of the virtual full were written")]
    ShortJoin {
        /// Files written.
        written: u32,
        /// Files selected.
        files: u64,
    },
    /// A copy has fewer files than its original.
    #[error("{written} of the original's {files} files were copied")]
    ShortCopy {
        /// Files copied.
        written: u32,
        /// Files of the original.
        files: u32,
    },
}

impl Trouble {
    /// The catalog has answered another question than was asked.
    pub(crate) fn unexpected(answer: &CatalogAnswer) -> Self {
        Self::CatalogAnswer(format!("{answer:?}"))
    }
}

impl Explain for Trouble {
    fn facts(&self) -> Facts {
        use Fault::{Bug, Config, Local, Network, Peer};
        use Retry::{Backoff, Never};
        match self {
            Self::Catalog(error) | Self::FilesNotStored(error) => return error.facts(),
            Self::Undialled(error) => return error.facts(),
            Self::NotDialled { failure, .. } => return failure.facts(),
            Self::NotReached(failure) => return failure.facts(),
            Self::Lost { reason, .. } => return reason.facts(),
            Self::Selection(error) => return error.facts(),
            Self::Unread(error) => return error.facts(),
            Self::Away { .. } => (
                Network,
                Backoff,
                996,
                "see whether its machine is switched on and the file daemon runs, or raise `wait_for_client`",
            ),
            Self::Step(_) => (Peer, Backoff, 571, "the messages of that daemon before this line say why"),
            Self::FileEnded { .. } => (Peer, Backoff, 572, "its messages say why"),
            Self::StorageEnded { .. } => (Peer, Backoff, 573, "the messages of that storage daemon say why"),
            Self::Unnoticed => (Network, Backoff, 574, "check the network between the two"),
            Self::Silent { .. } => {
                (Network, Backoff, 575, "see whether it hangs, and check the network between it and the director")
            }
            Self::Hangs { .. } => (
                Peer,
                Backoff,
                994,
                "see what its disk does: a network file system whose server is away holds it up for ever; or it waits for \
                 the end of the data, which the other has not sent",
            ),
            Self::Flood => (Peer, Backoff, 576, "update the storage daemon"),
            Self::UnknownRequest(_) => {
                (Peer, Backoff, 577, "update the director, or the storage daemon if that is the older one")
            }
            Self::EndlessSearch => (Bug, Backoff, 578, "run the job again, and report it if it happens again"),
            Self::NoName { .. } => (Config, Never, 748, "correct the pool's `label_format`, or label a volume"),
            Self::NameTaken { .. } => {
                (Config, Never, 749, "put one of the `counters` into the pool's `label_format`, or label a volume")
            }
            Self::CatalogAnswer(_) => (Bug, Backoff, 579, "report it with the director's log"),
            Self::NoChannel(error) => (Config, Never, 580, error.help()),
            Self::Unconfigured => (Config, Never, 581, "put the resource back, or run another job"),
            Self::TooOld { .. } => (Peer, Never, 582, "update it, or remove `passive`"),
            Self::NothingToVerify(_) => (Config, Never, 583, "run a backup first, or name another job with `jobid=`"),
            Self::NoInit => (Config, Never, 741, "run the job once with level=initcatalog"),
            Self::NoFileList(_) => (Local, Never, 584, "verify a younger job"),
            Self::SeveralStorages(_) => {
                (Config, Never, 585, "restore the job instead: a restore reads from several storages")
            }
            Self::UnknownStorage(_) => (Config, Never, 586, "put the storage back under this name"),
            Self::Taken { .. } => (Config, Backoff, 587, "run this again after it"),
            Self::NotJobIds(_) => (Config, Never, 906, "let `selection_pattern` return JobIds in its first column"),
            Self::NothingToCopy(_) => (Config, Never, 588, "name a backup that ended well"),
            Self::NoTarget { .. } => (Config, Never, 589, "set it, so that it is known where copies of this pool go"),
            Self::SameStorage { .. } => (Config, Never, 590, "give the pool another storage"),
            Self::Partner(_) => (Peer, Backoff, 591, "the report of that job says why"),
            Self::BadCopy { .. } => (Peer, Backoff, 592, "the report of that job says why; the original is as it was"),
            Self::NoEnd { .. } => (Peer, Backoff, 593, "its log says why"),
            Self::ShortCopy { .. } => (Peer, Backoff, 594, "run the copy again; the original is still there"),
            Self::NothingToJoin => (Config, Never, 880, "run the job once with level=full"),
            Self::NoJobsNamed => {
                (Config, Never, 881, "leave it to a job with `kind: consolidate`, or name jobs with `jobid=1,2,3`")
            }
            Self::NotJoinable { .. } => (Config, Never, 882, "name backups of one client that ended well"),
            Self::ListsGone(_) => {
                (Local, Never, 883, "run the job with level=full, and let the client's `file_retention` be longer")
            }
            Self::NoFilesLeft(_) => (Config, Never, 884, "there is nothing to keep: run the job with level=full"),
            Self::SeveralDaemons { .. } => {
                (Config, Never, 885, "bring them to one storage daemon first, with a job of `kind: migrate`")
            }
            Self::ShortJoin { .. } => {
                (Peer, Backoff, 886, "run it again: the backups that it is made of are still there")
            }
            Self::NotInCatalog { .. } => {
                (Config, Never, 599, "give the job pools of one `catalog`, or pools that name none")
            }
            Self::OtherTask => (Bug, Never, 598, "report it with the job's report"),
        }
        .into()
    }
}

fn letter(status: JobStatus) -> char {
    char::from(status.letter())
}

fn listed(ids: &[u32]) -> String {
    ids.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

fn no_backup(job: Option<u32>) -> String {
    match job {
        Some(job) => format!("job {job} is no backup that ended well"),
        None => "there is no backup that ended well".to_owned(),
    }
}

/// One of each that has a code of its own.
#[cfg(test)]
pub(crate) fn one_of_each() -> Vec<Trouble> {
    let end = StorageEnd { job: "j".to_owned(), status: JobStatus::Fatal, files: 0, bytes: 0, errors: 1 };
    let mismatch = Mismatch { step: "a step", wanted: "this".to_owned(), got: "that".to_owned() };
    let no_address = NoAddress { client: "c".to_owned(), storage: "s".to_owned(), reasons: Vec::new() };
    vec![
        Trouble::Away { client: "c".to_owned(), within: Seconds(60) },
        Trouble::Step(mismatch),
        Trouble::FileEnded { status: JobStatus::Fatal, step: "a step" },
        Trouble::StorageEnded { role: "reading ", end },
        Trouble::Unnoticed,
        Trouble::Silent { who: Who::File, other: Who::Storage, seconds: 182 },
        Trouble::Hangs { who: Who::File, other: Who::Storage, seconds: 3_600 },
        Trouble::Flood,
        Trouble::UnknownRequest("x".to_owned()),
        Trouble::EndlessSearch,
        Trouble::NoName { pool: "p".to_owned(), why: "x".to_owned() },
        Trouble::NameTaken { pool: "p".to_owned(), name: "x".to_owned() },
        Trouble::CatalogAnswer("Id(1)".to_owned()),
        Trouble::NoChannel(no_address),
        Trouble::Unconfigured,
        Trouble::TooOld { client: "c".to_owned(), protocol: 50, since: 51 },
        Trouble::Unread(Unread { list: "</x".to_owned(), why: "x".to_owned() }),
        Trouble::NothingToVerify(None),
        Trouble::NoInit,
        Trouble::NoFileList(1),
        Trouble::SeveralStorages(vec!["a".to_owned(), "b".to_owned()]),
        Trouble::UnknownStorage("s".to_owned()),
        Trouble::Taken { job: 1, by: JobId(2) },
        Trouble::NotJobIds("x".to_owned()),
        Trouble::NothingToCopy(1),
        Trouble::NoTarget { pool: "p".to_owned(), setting: "next_pool" },
        Trouble::SameStorage { storage: "s".to_owned(), pool: "p".to_owned() },
        Trouble::Partner(JobId(2)),
        Trouble::BadCopy { job: JobId(2), status: JobStatus::Error },
        Trouble::NoEnd { role: "reading " },
        Trouble::ShortCopy { written: 1, files: 2 },
        Trouble::NothingToJoin,
        Trouble::NoJobsNamed,
        Trouble::NotJoinable { job: 1, client: "c".to_owned() },
        Trouble::ListsGone(vec![1, 2]),
        Trouble::NoFilesLeft(vec![1, 2]),
        Trouble::SeveralDaemons { storage: "a".to_owned(), other: "b".to_owned() },
        Trouble::ShortJoin { written: 1, files: 2 },
        Trouble::NotInCatalog { pool: "p".to_owned(), catalog: "x".to_owned() },
        Trouble::OtherTask,
    ]
}
