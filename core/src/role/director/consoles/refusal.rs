//! Why a command is not done: a value until its answer is rendered. Then its words are the sentence that the console is
//! shown, which names the remedy itself; the table says the rest of it.

use std::borrow::Cow;
use std::fmt;

use crate::catalog::restore_selection::SelectionError;
use crate::catalog::{CatalogAnswer, CatalogError};
use crate::config::{Catalog, DirectorConfig};
use crate::error::{Explain, Facts, Fault, Retry};
use crate::limits;
use crate::nearest::nearest;

use super::super::jobs::lists::Unread;
use super::super::jobs::ordering::Order;
use super::super::reach::ReachFailure;
use super::commands::invite::AT_MOST;
use super::grammar::Misused;
use super::words::Words;

/// Why a command is not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// There is no such command.
    #[error("{verb}: is an invalid command.{meant} Type help for a list of commands.")]
    Unknown { verb: String, meant: Meant },
    /// A named console has said a command that it may not say.
    #[error("{0}: is an invalid command or you have no access to it.")]
    Forbidden(String),
    /// The director has just started, and its catalog is away.
    #[error("The director is {0}. Jobs wait with it (T0780).")]
    CatalogAwaited(String),
    /// A job has it done.
    #[error("{0}: jobs cannot have this command done (T0747).")]
    NotForJobs(&'static str),
    /// A question to a program.
    #[error("Add `yes` to the command to confirm: in this mode nobody is asked.")]
    Unconfirmed,
    /// The words of the line are not those of the command.
    #[error("{0}")]
    Misused(#[from] Misused),
    /// The line lacks something, or says too much of it: how it is to be.
    #[error("{0}")]
    Usage(Cow<'static, str>),
    /// A word has a value that it does not take.
    #[error("{0}")]
    BadValue(#[from] BadValue),
    /// `explain` has no page for this.
    #[error("explain does not know the word \"{0}\".")]
    NoPage(String),
    /// The command is not for this console.
    #[error("{0}")]
    NotHere(&'static str),
    /// The catalog does not have this job, named by its number or its unique name.
    #[error("The catalog has no job \"{0}\": list jobs shows those it has.")]
    NoJob(String),
    /// No job of this name or number runs.
    #[error("There is no running job \"{wanted}\". Name one: {usage}.")]
    NotRunning { wanted: String, usage: &'static str },
    /// The configuration has no such resource.
    #[error("{0}")]
    NoSuch(#[from] NoSuch),
    /// The storage of a part of the files is no longer configured.
    #[error("There is no storage \"{0}\", where a part of the files lies.")]
    StorageGone(String),
    /// The job is switched off.
    #[error("Job \"{0}\" is disabled, by `enabled` or by a console.")]
    Disabled(String),
    /// A path is not in the backup.
    #[error("{0} is not in the backup: it is written as list files jobid=N shows it.")]
    NotSaved(String),
    /// Nothing of the jobs is to be restored.
    #[error("There is no file to restore.")]
    NoFile,
    /// The place to restore to depends on where the file daemon runs.
    #[error("where={0} is not an absolute path: begin it with / (T0553).")]
    Relative(String),
    /// There is none of these that the console could choose.
    #[error("There is no {0} that could be chosen.")]
    Empty(String),
    /// The row of a volume has changed since it was read.
    #[error("Volume \"{0}\" has changed meanwhile; say the command again.")]
    ChangedMeanwhile(String),
    /// A resource is in the configuration, so that its row stays.
    #[error("The configuration has {0} \"{1}\": it stays in the catalog.")]
    StillConfigured(Kind, String),
    /// Volumes are of a pool or storage, so that its row stays.
    #[error("Volumes belong to {0} \"{1}\": it stays in the catalog.")]
    HasVolumes(Kind, String),
    /// A volume is in another pool than the line says.
    #[error("Volume \"{volume}\" is in pool \"{pool}\" (T0963).")]
    OtherPool { volume: String, pool: String },
    /// A volume keeps its jobs, as its state says.
    #[error(
        "Volume \"{volume}\" has VolStatus \"{status}\" and cannot be purged: that takes Append, Full, Used or Error (T0964)."
    )]
    Keeps { volume: String, status: &'static str },
    /// Drives that encrypt have keys elsewhere.
    #[error("Keys of drives that encrypt are not kept: a volume has none, so that encrypt takes only no (T0965).")]
    NoDriveKeys,
    /// The job has not ended.
    #[error("Job {0} has not ended: its records stay.")]
    StillRuns(u32),
    /// The jobs have more files than a tree takes.
    #[error("The jobs have more files than can be shown as a tree (T0698).")]
    TooLargeTree,
    /// A file is no bootstrap.
    #[error("{file} is no bootstrap: {why} (T0743).")]
    NoBootstrap { file: String, why: String },
    /// A bootstrap names volumes that the catalog does not have.
    #[error("The bootstrap needs volumes that the catalog does not have: {0} (T0744).")]
    VolumesGone(String),
    /// The console may not restore to this folder.
    #[error("where={0}: not authorized.")]
    Where(String),
    /// The console may not have plugins told this.
    #[error("pluginoptions={0}: not authorized.")]
    PluginOptions(String),
    /// The answer holds what the console may not see, and cannot be cut to the rest.
    #[error("not authorized: this is for consoles that see all jobs, clients and filesets.")]
    NotForSome,
    /// No backups can be combined for a restore.
    #[error("{0}")]
    Selection(#[from] SelectionError),
    /// A list of a fileset is not to be had.
    #[error("{0}.")]
    Unread(#[from] Unread),
    /// The file of stored queries is not to be had.
    #[error("Could not open {file}: ERR={why}")]
    NoQueries { file: String, why: String },
    /// A daemon cannot be dialled.
    #[error("{name} cannot be dialled: {why}.")]
    NotDialled { name: String, why: ReachFailure },
    /// A daemon has answered so, or the way to it has ended so.
    #[error("{0}")]
    Daemon(String),
    /// There is no volume that a job could write to now.
    #[error("Could not find next Volume for Job {0}.")]
    NoVolume(String),
    /// No job has this folder, or the catalog does not know it.
    #[error("There is no folder {0} in the catalog: .bvfs_lsdirs path=/ shows where to begin.")]
    NoFolder(String),
    /// Nothing was chosen under this name.
    #[error("Nothing is chosen under the name {0}: .bvfs_restore path={0} chooses.")]
    NoChoice(String),
    /// The console may not use something, or there is none.
    #[error("not authorized: there is no {word} \"{name}\", or it is not for this console.")]
    NotAuthorized { word: String, name: String },
    /// Jobs are ordered no more.
    #[error("Job not run: the director is being stopped.")]
    Stopping,
    /// The storage daemon has not labelled this volume.
    #[error("Label command failed for Volume {0}.")]
    NotLabelled(String),
    /// The volume still holds jobs, or may not be used again.
    #[error("Volume \"{volume}\" has VolStatus {status}. It must be Purged or Recycled before relabeling.")]
    NotPurged { volume: String, status: &'static str },
    /// A new volume is to have a name that is taken.
    #[error("Media record for new Volume \"{0}\" already exists.")]
    VolumeTaken(String),
    /// The director has not heard yet which pools the catalog has.
    #[error("The catalog does not know the pools yet.")]
    PoolsUnknown,
    /// The catalog does not have this volume.
    #[error("The catalog has no volume \"{0}\": list volumes shows those it has.")]
    NoSuchVolume(String),
    /// The catalog has failed.
    #[error("{0}")]
    Catalog(#[from] CatalogError),
    /// A restore cannot be gone on with.
    #[error("Job {id} cannot be continued: {why}.")]
    NotContinued { id: u32, why: String },
    /// The catalog has given a job no number.
    #[error("Job failed: {}", .0.line())]
    NotOrdered(CatalogError),
    /// The catalog has answered the order of a job with something else.
    #[error("Job failed: the catalog gave no number.")]
    NoNumber,
    /// The catalog has answered another question.
    #[error("unexpected answer from the catalog: {0:?}")]
    Unexpected(Box<CatalogAnswer>),
    /// The console is no invitation.
    #[error("join is for a machine that comes with a token: towline client add makes one (T0643).")]
    NotInvited,
    /// The invitation was used.
    #[error("The token was used at {at} by {from}, and it is good once (T0644).")]
    InvitationUsed { at: String, from: String },
    /// The invitation is over.
    #[error("The token was good until {0} (T0645).")]
    InvitationOver(String),
    /// So many invitations are open as may be.
    #[error("{AT_MOST} clients are invited and have not come: wait until some have, or their tokens are over (T0646).")]
    TooManyInvitations,
    /// The files of the configuration are not taken into use.
    #[error("The earlier configuration stays in use (T0775):\n{0}")]
    NotReloaded(String),
    /// A document is longer than what is sent.
    #[error("The document is {0} bytes long, and at most {most} are sent (T0650).", most = limits::ANSWER)]
    TooLong(usize),
    /// A document of files would be.
    #[error("The job has more than {0} files, or their names are too long: list them in API mode 0 or 1.")]
    TooManyFiles(usize),
}

impl Explain for Refusal {
    fn facts(&self) -> Facts {
        use Fault::{Bug, Config, Local, Peer};
        use Retry::{Backoff, Never};
        match self {
            Self::Selection(error) => return error.facts(),
            Self::Unread(error) => return error.facts(),
            Self::NotDialled { why, .. } => return why.facts(),
            Self::Catalog(error) | Self::NotOrdered(error) => return error.facts(),
            Self::Relative(_) => (Config, Never, 553, "begin it with `/`"),
            Self::StorageGone(_) => (Config, Never, 586, "put the storage back under this name"),
            Self::TooLong(_) | Self::TooManyFiles(_) => (Config, Never, 650, "ask for less, or in parts"),
            Self::Unexpected(_) | Self::NoNumber => (Bug, Never, 911, "report it with the version of the director"),
            Self::Unknown { .. } => (Config, Never, 681, "see `help` for a list of commands"),
            Self::Forbidden(_) => (Config, Never, 682, "if the console is to say it, add it to its `command_acl`"),
            Self::NoBootstrap { .. } => {
                (Config, Never, 743, "name a file that a backup has written with `write_bootstrap`")
            }
            Self::VolumesGone(_) => (
                Config,
                Never,
                744,
                "say `add` for volumes that are there, or take the sections of the others out of the file",
            ),
            Self::CatalogAwaited(_) => (Local, Backoff, 780, "`status director` says when the catalog is there"),
            Self::NotForJobs(_) => {
                (Config, Never, 747, "use one that needs nobody beside it, or let a schedule run a job that does it")
            }
            Self::Unconfirmed => (Config, Never, 683, "add yes to the command, or use API mode 0"),
            Self::Misused(_) => (Config, Never, 684, "see `help` for the words that the command takes"),
            Self::Usage(_) => (Config, Never, 685, "say the command as the answer shows it"),
            Self::BadValue(_) => (Config, Never, 686, "give the word a value that it takes"),
            Self::NoPage(_) => {
                (Config, Never, 687, "type the code as a log line shows it, or both ends of a data channel")
            }
            Self::NotHere(_) => (Config, Never, 688, "connect as a console that has the name of a client"),
            Self::NotContinued { .. } => {
                (Config, Never, 970, "say the whole restore again, with `replace` as it is to be")
            }
            Self::NoJob(_) => (Config, Never, 689, "see `list jobs` for the jobs that there are"),
            Self::NotRunning { .. } => (Config, Never, 690, "see `status director` for the jobs that run"),
            Self::NoSuch(_) => (Config, Never, 691, "correct the name, or add the resource to the configuration"),
            Self::Disabled(_) => (Config, Never, 692, "set `enabled: true` in the job, or say `enable`"),
            Self::NotSaved(_) => (Config, Never, 693, "see `list files` for the names as they were saved"),
            Self::NoFile => (Config, Never, 694, "restore from another job, or up to a later date"),
            Self::Daemon(_) => (Peer, Backoff, 695, "the quoted words, or the log of that daemon, say why"),
            Self::NoQueries { .. } => (Config, Never, 794, "correct `query_file` of the director"),
            Self::NoVolume(_) => (Local, Never, 790, "label a volume for the pool, or give the pool a `label_format`"),
            Self::NoFolder(_) => (Config, Never, 791, "write the folder as `.bvfs_lsdirs` shows it"),
            Self::NoChoice(_) => (Config, Never, 792, "choose with `.bvfs_restore` first"),
            Self::NotAuthorized { .. } => (Config, Never, 793, "see `.help` for what the console may say"),
            Self::NotLabelled(_) => (Peer, Never, 751, "the storage daemon's answer before it says why"),
            Self::NotPurged { .. } => (Config, Never, 752, "wait until its jobs may go, or name another volume"),
            Self::VolumeTaken(_) => (Config, Never, 753, "name a volume that `list volumes` does not show"),
            Self::PoolsUnknown => (Local, Backoff, 758, "say the command again in a moment"),
            Self::NoSuchVolume(_) => (Config, Never, 754, "write the name as `list volumes` shows it"),
            Self::Where(_) => (Config, Never, 697, "restore to a folder that its `where_acl` allows"),
            Self::PluginOptions(_) => (Config, Never, 907, "use options that its `plugin_options_acl` allows"),
            Self::ChangedMeanwhile(_) => {
                (Local, Backoff, 772, "look at the volume again before the command is repeated")
            }
            Self::NotForSome => {
                (Config, Never, 774, "ask with a console whose lists for jobs, clients and filesets are `*all*`")
            }
            Self::StillConfigured(..) => {
                (Config, Never, 778, "take it out of the configuration first, and say `reload`")
            }
            Self::HasVolumes(..) => {
                (Config, Never, 779, "say `delete volume=NAME` of them, or `update volume=NAME` with another one")
            }
            Self::OtherPool { .. } => (Config, Never, 963, "name that pool, or leave `pool=` out"),
            Self::Keeps { .. } => {
                (Config, Never, 964, "say `update volume=NAME volstatus=Used` first, if its jobs are to go")
            }
            Self::NoDriveKeys => (Config, Never, 965, "encrypt the disk that the volumes lie on"),
            Self::StillRuns(_) => (Config, Never, 773, "wait for the job's end, or cancel it"),
            Self::TooLargeTree => {
                (Config, Never, 698, "name the folders to restore with `file=`, or restore everything")
            }
            Self::Empty(_) => (Config, Never, 699, "add one to the configuration, or to the console's access lists"),
            Self::NotInvited => {
                (Config, Never, 643, "say `towline client add` on the director's machine, and use the token once")
            }
            Self::InvitationUsed { .. } => (Config, Never, 644, "make another token with `towline client token`"),
            Self::InvitationOver(_) => {
                (Config, Never, 645, "make another token with `towline client token`, and use it in time")
            }
            Self::TooManyInvitations => (Config, Backoff, 646, "let the clients that are invited join first"),
            Self::NotReloaded(_) => (Config, Never, 775, "correct what is found in the files, then say `reload` again"),
            Self::Stopping => (Local, Backoff, 696, "run the job when the director has started again"),
        }
        .into()
    }
}

impl Refusal {
    /// The line is not what the command takes; how it is to be.
    pub(super) fn usage(how: impl Into<Cow<'static, str>>) -> Self {
        Self::Usage(how.into())
    }

    /// The catalog has answered another question.
    pub(super) fn unexpected(answer: CatalogAnswer) -> Self {
        Self::Unexpected(Box::new(answer))
    }
}

/// One of each that has a code of its own.
#[cfg(test)]
pub(crate) fn one_of_each() -> Vec<Refusal> {
    let x = || "x".to_owned();
    vec![
        Refusal::Unknown { verb: x(), meant: Meant(None) },
        Refusal::Forbidden(x()),
        Refusal::CatalogAwaited(x()),
        Refusal::NotForJobs("run"),
        Refusal::NoBootstrap { file: x(), why: x() },
        Refusal::VolumesGone(x()),
        Refusal::Unconfirmed,
        Misused::Unclosed.into(),
        Refusal::usage("Name a job."),
        BadValue::new("limit", "x", "a number").into(),
        Refusal::NoPage(x()),
        Refusal::NotHere("not here"),
        Refusal::NoJob(x()),
        Refusal::NotContinued { id: 1, why: x() },
        Refusal::NotRunning { wanted: x(), usage: "cancel jobid=N" },
        NoSuch::new(Kind::Client, "x", Meant(None)).into(),
        Refusal::Disabled(x()),
        Refusal::NotSaved(x()),
        Refusal::NoFile,
        Refusal::Daemon("2999 Invalid command".to_owned()),
        Refusal::Stopping,
        Refusal::NoVolume(x()),
        Refusal::NoFolder(x()),
        Refusal::NoChoice(x()),
        Refusal::NoQueries { file: x(), why: x() },
        Refusal::NotAuthorized { word: x(), name: x() },
        Refusal::NotLabelled(x()),
        Refusal::NotPurged { volume: x(), status: "Full" },
        Refusal::VolumeTaken(x()),
        Refusal::NoSuchVolume(x()),
        Refusal::Where(x()),
        Refusal::PluginOptions(x()),
        Refusal::TooLargeTree,
        Refusal::ChangedMeanwhile(x()),
        Refusal::StillConfigured(Kind::Pool, x()),
        Refusal::HasVolumes(Kind::Pool, x()),
        Refusal::OtherPool { volume: x(), pool: x() },
        Refusal::Keeps { volume: x(), status: "Archive" },
        Refusal::NoDriveKeys,
        Refusal::StillRuns(1),
        Refusal::Empty(x()),
        Refusal::NotForSome,
        Refusal::PoolsUnknown,
        Refusal::NotReloaded(x()),
        Refusal::NotInvited,
        Refusal::InvitationUsed { at: x(), from: x() },
        Refusal::InvitationOver(x()),
        Refusal::TooManyInvitations,
    ]
}

/// The name that a mistyped one most likely means. As text: a sentence with a blank before it, or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Meant(pub(super) Option<String>);

impl Meant {
    /// The nearest of the names there are.
    pub(super) fn of<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        Self(nearest(word, known).map(str::to_owned))
    }
}

impl fmt::Display for Meant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |known| write!(f, " Do you mean \"{known}\"?"))
    }
}

/// A value that its word does not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{word}={value}: expected {wanted}.")]
pub(crate) struct BadValue {
    pub(super) word: &'static str,
    pub(super) value: String,
    /// What it takes.
    pub(super) wanted: &'static str,
}

impl BadValue {
    pub(super) fn new(word: &'static str, value: &str, wanted: &'static str) -> Self {
        Self { word, value: value.to_owned(), wanted }
    }
}

/// The number after a word, if it stands there.
///
/// # Errors
/// The word's value is no number, or too large a one.
pub(super) fn number_of<N: std::str::FromStr>(words: &Words, word: &'static str) -> Result<Option<N>, BadValue> {
    let Some(text) = words.value(&[word]) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| BadValue::new(word, text, "a number"))
}

/// A number of rows; one that is too large for any list is the largest.
pub(super) fn count_of(words: &Words, word: &'static str) -> Result<Option<u32>, BadValue> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match words.value(&[word]) {
        Some(text) if is_number(text) => Ok(Some(text.parse().unwrap_or(u32::MAX))),
        _ => number_of(words, word),
    }
}

/// What there may be none of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Command,
    Job,
    Catalog,
    Schedule,
    Client,
    /// A client, where its daemon is meant.
    FileDaemon,
    Storage,
    /// A storage, where its daemon is meant.
    StorageDaemon,
    FileSet,
    Pool,
    Volume,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Command => "command",
            Self::Job => "job",
            Self::Catalog => "catalog",
            Self::Schedule => "schedule",
            Self::Client => "client",
            Self::FileDaemon => "file daemon",
            Self::Storage => "storage",
            Self::StorageDaemon => "storage daemon",
            Self::FileSet => "fileset",
            Self::Pool => "pool",
            Self::Volume => "volume",
        })
    }
}

/// There is no resource, or command, of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("There is no {kind} \"{name}\".{meant}")]
pub(crate) struct NoSuch {
    kind: Kind,
    name: String,
    meant: Meant,
}

impl NoSuch {
    pub(super) fn new(kind: Kind, name: &str, meant: Meant) -> Self {
        Self { kind, name: name.to_owned(), meant }
    }

    /// Checks that there is a resource of this name.
    ///
    /// # Errors
    /// There is none; the nearest that there is.
    pub(super) fn check(config: &DirectorConfig, kind: Kind, name: &str) -> Result<(), Self> {
        let known = Self::known(config, kind);
        if known.contains(&name) {
            return Ok(());
        }
        Err(Self::new(kind, name, Meant::of(name, known)))
    }

    /// The names of all resources of a kind.
    pub(super) fn known(config: &DirectorConfig, kind: Kind) -> Vec<&str> {
        match kind {
            Kind::Client | Kind::FileDaemon => config.clients.iter().map(|client| client.name.as_str()).collect(),
            Kind::Storage | Kind::StorageDaemon => {
                config.storages.iter().map(|storage| storage.name.as_str()).collect()
            }
            Kind::Command | Kind::Volume => Vec::new(),
            Kind::Catalog => config.all_catalogs().map(Catalog::name).collect(),
            Kind::Job => config.jobs.iter().map(|job| job.name.as_str()).collect(),
            Kind::Schedule => config.schedules.iter().map(|schedule| schedule.name.as_str()).collect(),
            Kind::FileSet => config.filesets.iter().map(|fileset| fileset.name.as_str()).collect(),
            Kind::Pool => config.pools.iter().map(|pool| pool.name.as_str()).collect(),
        }
    }

    /// Checks that all resources of an order exist.
    ///
    /// # Errors
    /// The first that does not.
    pub(super) fn check_order(config: &DirectorConfig, order: &Order) -> Result<(), Self> {
        Self::check(config, Kind::Client, &order.with.client)?;
        if order.restore.is_none() {
            Self::check(config, Kind::FileSet, &order.with.fileset)?;
        }
        Self::check(config, Kind::Storage, &order.with.storage)?;
        Self::check(config, Kind::Pool, &order.with.pool)
    }
}
