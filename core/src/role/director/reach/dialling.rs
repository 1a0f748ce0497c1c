//! Whom the director dials, with which opening: for jobs, and for errands such as a status or a cancel.

use std::time::Duration;

use crate::config::{DirectorConfig, keepalive};
use crate::error::{Explain, Facts, Fault, NoOffer, Retry};
use crate::ids::DialId;
use crate::node::{Opening, Route};
use crate::role::director::Net;
use crate::role::identity::Credentials;
use crate::socket::SocketOptions;
use crate::wire::hello::Purpose;
use crate::wire::names::{PeerKind, PeerName};

use super::ReachFailure;
use crate::role::director::Dial;
use crate::role::director::common::Peers;
use crate::role::director::jobs::job::Job;

/// Why nobody can be dialled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Undialled {
    /// There is no such storage.
    #[error("there is no storage \"{0}\"")]
    NoStorage(String),
    /// There is no such client.
    #[error("there is no client \"{0}\"")]
    NoClient(String),
    /// The client has no address.
    #[error("client \"{0}\" has no address")]
    NoAddress(String),
    /// There is nothing to offer for TLS.
    #[error("{0}")]
    Tls(#[from] NoOffer),
}

/// Dials the job's storage daemon.
///
/// # Errors
/// Why it cannot be dialled.
pub(crate) fn dial_storage(job: &Job, net: &mut Net) -> Result<DialId, Undialled> {
    let director = &job.config.director;
    let times = (director.sd_retry_interval.0, director.sd_connect_timeout.0);
    let (route, opening) = storage(&job.config, &job.credentials, &job.with.storage, times)?;
    Ok(net.dial(route, opening, Dial::Storage(job.id)))
}

/// How a job dials its file daemon: the pause between tries and the time for all, in seconds.
pub(crate) const fn job_times(config: &DirectorConfig) -> (u64, u64) {
    (config.director.fd_retry_interval.0, config.director.fd_connect_timeout.0)
}

/// How an errand dials: the pause between tries and the time for all, in seconds.
pub(crate) const fn errand_times(config: &DirectorConfig) -> (u64, u64) {
    (config.director.status_retry_interval.0, config.director.status_connect_timeout.0)
}

/// Whether a client can be reached, at all: it may be dialled and has an address, or may dial in.
///
/// # Errors
/// Why it cannot.
pub(crate) fn may_reach(peers: &Peers, name: &str) -> Result<(), ReachFailure> {
    let client = peers.overrides.client(&peers.config, name).ok_or_else(|| Undialled::NoClient(name.to_owned()))?;
    let goes = client.connection_from_director_to_client && client.address.is_some();
    let comes = client.connection_from_client_to_director;
    if goes || comes { Ok(()) } else { Err(ReachFailure::NotAllowed(name.to_owned())) }
}

/// The way to a storage daemon, and what is said first.
///
/// # Errors
/// Why it cannot be dialled.
pub(crate) fn storage(
    config: &DirectorConfig,
    credentials: &Credentials,
    name: &str,
    times: (u64, u64),
) -> Result<(Route, Opening), Undialled> {
    let resource = config.storage(name).ok_or_else(|| Undialled::NoStorage(name.to_owned()))?;
    let key = resource.password.key();
    let tls = config.storage_tls(resource).enable;
    let opening = opening(config, credentials, &format!("storage {name}"), &resource.address, key, tls)?;
    let socket = keepalive::socket(config.storage_heartbeat(resource), keepalive::End::Control);
    Ok((route(config, &resource.address, resource.port, socket, times), opening))
}

/// Dials a client.
///
/// # Errors
/// Why it cannot be dialled.
pub(crate) fn dial_client(
    net: &mut Net,
    peers: &Peers,
    name: &str,
    times: (u64, u64),
    token: Dial,
) -> Result<DialId, Undialled> {
    let Peers { config, overrides, credentials } = peers;
    let resource = overrides.client(config, name).ok_or_else(|| Undialled::NoClient(name.to_owned()))?;
    let address = resource.address.as_deref().ok_or_else(|| Undialled::NoAddress(name.to_owned()))?;
    let key = resource.password.key();
    let tls = config.client_tls(&resource).enable;
    let opening = opening(config, credentials, &format!("client {name}"), address, key, tls)?;
    let socket = keepalive::socket(config.client_heartbeat(&resource), keepalive::End::Control);
    let route = route(config, address, resource.port, socket, times);
    Ok(net.dial(route, opening, token))
}

fn opening(
    config: &DirectorConfig,
    credentials: &Credentials,
    peer: &str,
    address: &str,
    key: crate::secret::Secret,
    tls: bool,
) -> Result<Opening, Undialled> {
    let me = PeerName::new(PeerKind::Director, &config.director.name);
    let purpose = Purpose::Director { name: config.director.name.clone() };
    credentials.opening(peer, address, &me, &key, tls, purpose).map_err(Undialled::Tls)
}

fn route(
    config: &DirectorConfig,
    address: &str,
    port: u16,
    socket: SocketOptions,
    (retry, within): (u64, u64),
) -> Route {
    let seconds = Duration::from_secs;
    Route {
        host: address.to_owned(),
        port,
        source: config.director.source_address.as_deref().and_then(|text| text.parse().ok()),
        socket,
        retry: seconds(retry),
        within: seconds(within),
    }
}

/// One of each.
#[cfg(test)]
pub(crate) fn one_of_each() -> Vec<Undialled> {
    let name = || "x".to_owned();
    vec![Undialled::NoStorage(name()), Undialled::NoClient(name()), Undialled::NoAddress(name())]
}

impl Explain for Undialled {
    fn facts(&self) -> Facts {
        use Fault::Config;
        use Retry::Never;
        match self {
            Self::NoStorage(_) => (Config, Never, 595, "name a storage of the configuration"),
            Self::NoClient(_) => (Config, Never, 596, "name a client of the configuration"),
            Self::NoAddress(_) => (Config, Never, 151, "give the client an address, or let it dial in"),
            Self::Tls(why) => return why.facts(),
        }
        .into()
    }
}
