//! The way of a job's data, decided once when its daemons are about to be dialled.

use crate::channel::{self, Channel, Pair};
use crate::config::DirectorConfig;
use crate::node::Number;
use crate::wire::file::IMMEDIATE_TLS;

use super::trouble::Trouble;
use crate::role::director::overrides::Overrides;

/// The way of a job's data.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) channel: Channel,
    /// The `ssl=` number for the file daemon: only one that speaks TLS itself gets one (`wire/1 §2.10`).
    pub(crate) tls: Option<u32>,
}

impl Route {
    /// Between the file daemon of a client and a storage daemon.
    ///
    /// # Errors
    /// One of the two is not configured, or the one that is to be dialled has no address.
    pub(crate) fn decide(
        (config, overrides): (&DirectorConfig, &Overrides),
        client: &str,
        storage: &str,
    ) -> Result<Self, Trouble> {
        let (client, storage) =
            overrides.client(config, client).zip(config.storage(storage)).ok_or(Trouble::Unconfigured)?;
        let number = if config.storage_tls(storage).enable { IMMEDIATE_TLS } else { 0 };
        let tls = config.client_tls(&client).enable.then_some(number);
        Ok(Self { channel: channel::decide(Pair::Job { client: &client, storage })?, tls })
    }

    /// Whether the storage daemon dials the file daemon, which is passive.
    pub(crate) fn storage_dials(&self) -> bool {
        self.channel.number == Number::StorageToFile
    }
}
