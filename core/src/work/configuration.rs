//! The configuration of a daemon, read again while it runs: only the hands can read its files, and write them.

use std::fmt;
use std::sync::Arc;

use crate::config::{DirectorConfig, FileConfig, StorageConfig};
use crate::tls;
use crate::tls::offer::Credentials;

/// What to do with the files of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigurationWork {
    /// Read and check them all, as at the start.
    Read,
    /// The same with one resource more, which is put into the files if nothing is wrong with the whole.
    Add(Addition),
}

/// A resource to be added, in the words of Bareos' syntax.
#[derive(Clone, PartialEq, Eq)]
pub struct Addition {
    /// Its kind, such as `client`; without regard to case.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its other directives with their values, in their order; a directive may come again.
    pub directives: Vec<(String, String)>,
}

/// Without the values: there are passwords among them.
impl fmt::Debug for Addition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.directives.iter().map(|(name, _)| name);
        write!(f, "Addition {{ {} {:?}, ", self.kind, self.name)?;
        f.debug_list().entries(names).finish()?;
        f.write_str(" }")
    }
}

/// A configuration that was found good, by the daemon it is for.
#[derive(Debug)]
#[non_exhaustive]
pub enum Configured {
    /// Of a director.
    Director(Box<Reread<DirectorConfig>>),
    /// Of a file daemon.
    File(Box<Reread<FileConfig>>),
    /// Of a storage daemon.
    Storage(Box<Reread<StorageConfig>>),
}

/// What was read of a good configuration.
#[derive(Debug)]
pub struct Reread<C> {
    /// The configuration.
    pub config: C,
    /// What is offered for TLS where the daemon dials.
    pub credentials: Credentials,
    /// What serves TLS on accepted connections.
    pub engines: Arc<tls::Acceptor>,
    /// What is doubtful about it: one finding a line, with file and line.
    pub warnings: Vec<String>,
    /// What was written for the resource that was added, if one was.
    pub added: Option<Added>,
}

/// The files of a resource that was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// The kind of the resource as Bareos writes it: `Client`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// The file that the resource is in, and the resource's own text.
    pub file: Written,
    /// Whether the file holds other resources too.
    pub is_part: bool,
    /// For a client: the file with the director's resource that the configuration of its file daemon needs.
    pub exported: Option<Written>,
}

/// A file that was written.
#[derive(Clone, PartialEq, Eq)]
pub struct Written {
    /// Its whole name.
    pub name: String,
    /// What it holds, a password perhaps.
    pub content: String,
}

impl Written {
    /// The name of the resource in it, which is that of the file.
    #[must_use]
    pub fn resource(&self) -> &str {
        let file = self.name.rsplit('/').next().unwrap_or_default();
        file.strip_suffix(".conf").unwrap_or(file)
    }
}

/// Without what it holds.
impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Written({:?})", self.name)
    }
}

/// Why a configuration is not taken into use: what is wrong with it, one finding a line, with file and line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotConfigured(pub Vec<String>);
