//! The configuration of a daemon, read again while it runs: only the hands can read its files.

use std::sync::Arc;

use crate::config::DirectorConfig;
use crate::tls;
use crate::tls::offer::Credentials;

/// What to do with the files of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigurationWork {
    /// Read and check them all, as at the start.
    Read,
}

/// A configuration that was found good, by the daemon it is for.
#[derive(Debug)]
#[non_exhaustive]
pub enum Configured {
    /// Of a director.
    Director(Box<Reread<DirectorConfig>>),
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
}

/// Why a configuration is not taken into use: what is wrong with it, one finding a line, with file and line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotConfigured(pub Vec<String>);
