//! What connections and the node give to the hands to do, and what comes of it.

pub mod configuration;
pub mod delivery;
pub mod health;
pub mod script;

use std::net::{IpAddr, SocketAddr};

use crate::bulk::work::{DiskDone, DiskWork};
use crate::catalog::{CatalogAnswer, CatalogError, CatalogName, CatalogRequest};
use crate::socket::ResolveError;

/// A piece of work for the hands.
#[derive(Debug)]
#[non_exhaustive]
pub enum Work {
    /// For the disk.
    Disk(DiskWork),
    /// For the catalog of this name.
    Catalog(CatalogName, CatalogRequest),
    /// A command to run.
    Script(script::ScriptWork),
    /// For the files of the configuration.
    Configuration(configuration::ConfigurationWork),
    /// Messages that leave the daemon.
    Deliver(delivery::Delivery),
    /// How all is, for those who want to see it; at first nothing. Done once they want it anew.
    Publish(Option<Box<health::Health>>),
}

/// What came of a piece of work.
#[derive(Debug)]
#[non_exhaustive]
pub enum WorkDone {
    /// From the disk.
    Disk(DiskDone),
    /// From the catalog.
    Catalog(Result<CatalogAnswer, CatalogError>),
    /// From a command.
    Script(script::ScriptDone),
    /// From the files of the configuration.
    Configuration(Result<configuration::Configured, configuration::NotConfigured>),
    /// From a place that messages go to.
    Delivered(Result<(), delivery::Undelivered>),
    /// Somebody wants to see the director's state.
    Wanted,
    /// From the system's resolver: the addresses of a name that [`Net::look_up`](crate::node::Net::look_up) asked for.
    Resolved(Result<Vec<SocketAddr>, ResolveError>),
    /// The hands have stopped; nothing was done.
    Refused,
}

impl WorkDone {
    /// The addresses that a name has, each once: a resolver names one for each kind of socket. None if it found none.
    #[must_use]
    pub fn addresses(self) -> Vec<IpAddr> {
        let found = if let Self::Resolved(Ok(found)) = self { found } else { Vec::new() };
        let mut addresses = Vec::new();
        for address in found.iter().map(SocketAddr::ip) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        addresses
    }
}
