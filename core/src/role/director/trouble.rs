//! Why jobs fail, as far as the director knows it. What a daemon knows, its own messages say.

use crate::catalog::restore_selection::SelectionError;
use crate::catalog::{CatalogAnswer, CatalogError};
use crate::channel::NoAddress;
use crate::conn::{CloseReason, DialFailure};
use crate::error::{Code, Explain, Fault, Retry};
use crate::ids::Who;
use crate::role::script::Mismatch;
use crate::wire::status::{JobStatus, StorageEnd};

use super::dialling::Undialled;
use super::reach::ReachFailure;

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
    #[error("the {role}storage daemon ended with status {} and {} errors", letter(end.status), end.errors)]
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
    /// The storage daemon sends requests and waits for no answers.
    #[error("the storage daemon asks the catalog and waits for no answer")]
    Flood,
    /// The storage daemon asks for what no catalog has.
    #[error("unknown catalog request: {0}")]
    UnknownRequest(String),
    /// Volumes change as fast as they are looked at.
    #[error("the search for a volume does not end")]
    EndlessSearch,
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
    /// There is no job to verify.
    #[error("{}, so there is nothing to verify", no_backup(*.0))]
    NothingToVerify(Option<u32>),
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
        by: u32,
    },
    /// There is no such job to copy.
    #[error("{}, so it cannot be copied", no_backup(Some(*.0)))]
    NothingToCopy(u32),
    /// A copy has nowhere to go.
    #[error("pool \"{pool}\" has no `{setting}`, so copies have nowhere to go")]
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
    #[error("the other job of the copy, JobId {0}, has failed")]
    Partner(u32),
    /// The job that was to become the copy is none.
    #[error("the copy cannot be used: JobId {job} ended with status {}", letter(*status))]
    BadCopy {
        /// The writing job.
        job: u32,
        /// How it ended.
        status: JobStatus,
    },
    /// A storage daemon of a copy is gone without its end.
    #[error("the {role}storage daemon has not said how it ended")]
    NoEnd {
        /// `reading ` or `writing `.
        role: &'static str,
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
    pub(super) fn unexpected(answer: &CatalogAnswer) -> Self {
        Self::CatalogAnswer(format!("{answer:?}"))
    }

    /// As a line of a report has it.
    pub(super) fn line(&self) -> String {
        format!("{self} ({}); {}", self.code(), self.help())
    }

    /// What has an error of its own beneath.
    fn cause(&self) -> Option<&dyn Explain> {
        Some(match self {
            Self::Catalog(error) | Self::FilesNotStored(error) => error,
            Self::Undialled(error) => error,
            Self::NotDialled { failure, .. } => failure,
            Self::NotReached(failure) => failure,
            Self::Lost { reason, .. } => reason,
            Self::Selection(error) => error,
            _ => return None,
        })
    }
}

impl Explain for Trouble {
    fn fault(&self) -> Fault {
        use Trouble::*;
        match self {
            CatalogAnswer(_) | EndlessSearch | OtherTask => Fault::Bug,
            Silent { .. } | Unnoticed => Fault::Network,
            NoChannel(_)
            | Unconfigured
            | NothingToVerify(_)
            | SeveralStorages(_)
            | UnknownStorage(_)
            | Taken { .. }
            | NothingToCopy(_)
            | NoTarget { .. }
            | SameStorage { .. } => Fault::Config,
            NoFileList(_) => Fault::Local,
            _ => self.cause().map_or(Fault::Peer, Explain::fault),
        }
    }

    fn retry(&self) -> Retry {
        use Trouble::*;
        match self {
            OtherTask
            | NoChannel(_)
            | Unconfigured
            | TooOld { .. }
            | NothingToVerify(_)
            | NoFileList(_)
            | SeveralStorages(_)
            | UnknownStorage(_)
            | NothingToCopy(_)
            | NoTarget { .. }
            | SameStorage { .. } => Retry::Never,
            _ => self.cause().map_or(Retry::Backoff, Explain::retry),
        }
    }

    fn code(&self) -> Code {
        use Trouble::*;
        Code(match self {
            Step(_) => 571,
            FileEnded { .. } => 572,
            StorageEnded { .. } => 573,
            Unnoticed => 574,
            Silent { .. } => 575,
            Flood => 576,
            UnknownRequest(_) => 577,
            EndlessSearch => 578,
            CatalogAnswer(_) => 579,
            NoChannel(_) => 580,
            Unconfigured => 581,
            TooOld { .. } => 582,
            NothingToVerify(_) => 583,
            NoFileList(_) => 584,
            SeveralStorages(_) => 585,
            UnknownStorage(_) => 586,
            Taken { .. } => 587,
            NothingToCopy(_) => 588,
            NoTarget { .. } => 589,
            SameStorage { .. } => 590,
            Partner(_) => 591,
            BadCopy { .. } => 592,
            NoEnd { .. } => 593,
            ShortCopy { .. } => 594,
            OtherTask => 598,
            Catalog(_)
            | FilesNotStored(_)
            | Undialled(_)
            | NotDialled { .. }
            | NotReached(_)
            | Lost { .. }
            | Selection(_) => return self.cause().map_or(Code(571), Explain::code),
        })
    }

    fn help(&self) -> &'static str {
        use Trouble::*;
        match self {
            Step(_) => "the messages of that daemon before this line say why",
            FileEnded { .. } => "its messages say why",
            StorageEnded { .. } => "the messages of that storage daemon say why",
            Unnoticed => "check the network between the two",
            Silent { .. } => "see whether it hangs, and check the network between it and the director",
            Flood => "update the storage daemon",
            UnknownRequest(_) => "update the director, or the storage daemon if that is the older one",
            EndlessSearch => "run the job again, and report it if it happens again",
            CatalogAnswer(_) => "report it with the director's log",
            OtherTask => "report it with the job's report",
            NoChannel(error) => error.help(),
            Unconfigured => "put the resource back, or run another job",
            TooOld { .. } => "update it, or remove `passive`",
            NothingToVerify(_) => "run a backup first, or name another job with `jobid=`",
            NoFileList(_) => "verify a younger job",
            SeveralStorages(_) => "restore the job instead: a restore reads from several storages",
            UnknownStorage(_) => "put the storage back under this name",
            Taken { .. } => "run this again after it",
            NothingToCopy(_) => "name a backup that ended well",
            NoTarget { .. } => "set it, so that it is known where copies of this pool go",
            SameStorage { .. } => "give the pool another storage",
            Partner(_) => "the report of that job says why",
            BadCopy { .. } => "the report of that job says why; the original is as it was",
            NoEnd { .. } => "its log says why",
            ShortCopy { .. } => "run the copy again; the original is still there",
            Catalog(_)
            | FilesNotStored(_)
            | Undialled(_)
            | NotDialled { .. }
            | NotReached(_)
            | Lost { .. }
            | Selection(_) => self.cause().map_or("", Explain::help),
        }
    }
}

fn letter(status: JobStatus) -> char {
    char::from(status.letter())
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
        Trouble::Step(mismatch),
        Trouble::FileEnded { status: JobStatus::Fatal, step: "a step" },
        Trouble::StorageEnded { role: "reading ", end },
        Trouble::Unnoticed,
        Trouble::Silent { who: Who::File, other: Who::Storage, seconds: 182 },
        Trouble::Flood,
        Trouble::UnknownRequest("x".to_owned()),
        Trouble::EndlessSearch,
        Trouble::CatalogAnswer("Id(1)".to_owned()),
        Trouble::NoChannel(no_address),
        Trouble::Unconfigured,
        Trouble::TooOld { client: "c".to_owned(), protocol: 50, since: 51 },
        Trouble::NothingToVerify(None),
        Trouble::NoFileList(1),
        Trouble::SeveralStorages(vec!["a".to_owned(), "b".to_owned()]),
        Trouble::UnknownStorage("s".to_owned()),
        Trouble::Taken { job: 1, by: 2 },
        Trouble::NothingToCopy(1),
        Trouble::NoTarget { pool: "p".to_owned(), setting: "next_pool" },
        Trouble::SameStorage { storage: "s".to_owned(), pool: "p".to_owned() },
        Trouble::Partner(2),
        Trouble::BadCopy { job: 2, status: JobStatus::Error },
        Trouble::NoEnd { role: "reading " },
        Trouble::ShortCopy { written: 1, files: 2 },
        Trouble::OtherTask,
    ]
}
