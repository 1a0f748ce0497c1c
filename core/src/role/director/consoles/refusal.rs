//! Why a command is not done. A refusal stays a value until its answer is rendered; then its words are the sentence that
//! the console is shown.

use std::error::Error;
use std::fmt;

use crate::catalog::CatalogAnswer;
use crate::config::DirectorConfig;
use crate::nearest::nearest;

use super::super::jobs::ordering::Order;
use super::super::reach::ReachFailure;
use super::words::Words;

/// Why a command is not done: an error of its own file, or one of those below.
#[derive(Debug)]
pub(crate) struct Refusal(Box<dyn Error + Send + Sync>);

impl<E: Error + Send + Sync + 'static> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What another part of the director, or a daemon, has said; it ends with its own full stop, if any.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Told(pub(crate) String);

/// The name that a mistyped one most likely means. As text: a sentence with a blank before it, or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meant(pub(super) Option<String>);

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
pub(super) struct BadValue {
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

/// The catalog does not have this job, named by its number or its unique name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The catalog has no job \"{0}\": list jobs shows those it has.")]
pub(super) struct NoJob(pub(super) String);

/// No job of this name or number runs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("There is no running job \"{wanted}\". Name one: {usage}.")]
pub(super) struct NotRunning {
    pub(super) wanted: String,
    pub(super) usage: &'static str,
}

/// A daemon cannot be dialled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} cannot be dialled: {why}.")]
pub(crate) struct NotDialled {
    pub(crate) name: String,
    pub(crate) why: ReachFailure,
}

/// Jobs are ordered no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Job not run: the director is being stopped.")]
pub(crate) struct Stopping;

/// The catalog has answered another question.
#[derive(Debug, thiserror::Error)]
#[error("unexpected answer from the catalog: {0:?}")]
pub(super) struct Unexpected(pub(super) CatalogAnswer);

/// What the configuration may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Client,
    /// A client, where its daemon is meant.
    FileDaemon,
    Storage,
    /// A storage, where its daemon is meant.
    StorageDaemon,
    FileSet,
    Pool,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::FileDaemon => "file daemon",
            Self::Storage => "storage",
            Self::StorageDaemon => "storage daemon",
            Self::FileSet => "fileset",
            Self::Pool => "pool",
        })
    }
}

/// The configuration has no such resource.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("There is no {kind} \"{name}\".{meant}")]
pub(super) struct NoSuch {
    kind: Kind,
    name: String,
    meant: Meant,
}

impl NoSuch {
    /// Checks that there is a resource of this name.
    ///
    /// # Errors
    /// There is none; the nearest that there is.
    pub(super) fn check(config: &DirectorConfig, kind: Kind, name: &str) -> Result<(), Self> {
        let known: Vec<&str> = match kind {
            Kind::Client | Kind::FileDaemon => config.clients.iter().map(|client| client.name.as_str()).collect(),
            Kind::Storage | Kind::StorageDaemon => {
                config.storages.iter().map(|storage| storage.name.as_str()).collect()
            }
            Kind::FileSet => config.filesets.iter().map(|fileset| fileset.name.as_str()).collect(),
            Kind::Pool => config.pools.iter().map(|pool| pool.name.as_str()).collect(),
        };
        if known.contains(&name) {
            return Ok(());
        }
        Err(Self { kind, name: name.to_owned(), meant: Meant::of(name, known) })
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
