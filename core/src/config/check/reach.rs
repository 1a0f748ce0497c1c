//! Checks of who can reach whom for data: by the same decision that jobs act on.

use super::Checker;
use crate::channel::{self, Pair};
use crate::config::{ConfigPath, DirectorConfig};
use crate::explain::codes;

pub(super) fn check(c: &mut Checker, config: &DirectorConfig) {
    jobs(c, config);
    lan_addresses(c, config);
    networks(c, config);
}

/// Each job has a data channel. A client without any address was found before.
fn jobs(c: &mut Checker, config: &DirectorConfig) {
    for (index, job) in config.jobs.iter().enumerate() {
        let (Some(client), Some(storage)) = (config.client(&job.client), config.storage(&job.storage)) else {
            continue;
        };
        let has_one = client.lan_address.is_some() || !client.networks.is_empty();
        if let Err(failure) = channel::decide(Pair::Job { client, storage })
            && has_one
        {
            let path = ConfigPath::of("jobs").index(index).field("client");
            c.error(codes::NO_ADDRESS, path, failure.to_string(), failure.help());
        }
    }
}

/// A LAN address counts only if the other side has one too, and a client never needs another client.
fn lan_addresses(c: &mut Checker, config: &DirectorConfig) {
    let storages = config.storages.iter().filter(|storage| storage.lan_address.is_some()).count();
    let clients = config.clients.iter().filter(|client| client.lan_address.is_some()).count();
    let alone = |c: &mut Checker, path: ConfigPath, name: &str, other: &str| {
        let message = format!("no {other} has a LAN address, so that of {name:?} never counts");
        let help = format!("give the {other}s of the same network a `lan_address` too, or remove this one");
        c.warning(codes::UNSHARED, path.field("lan_address"), message, help);
    };
    for (index, client) in config.clients.iter().enumerate() {
        if client.lan_address.is_some() && storages == 0 {
            alone(c, ConfigPath::of("clients").index(index), &client.name, "storage");
        }
    }
    for (index, storage) in config.storages.iter().enumerate() {
        if storage.lan_address.is_some() && clients == 0 && storages == 1 {
            alone(c, ConfigPath::of("storages").index(index), &storage.name, "client");
        }
    }
}

/// A network counts only if two sides name it, one of them a storage.
fn networks(c: &mut Checker, config: &DirectorConfig) {
    let storages = |network: &str| config.storages.iter().filter(|s| s.networks.contains_key(network)).count();
    let clients = |network: &str| config.clients.iter().filter(|s| s.networks.contains_key(network)).count();
    let alone = |c: &mut Checker, path: ConfigPath, network: &str| {
        let message =
            format!("nobody to meet in the network {network:?}: no storage and client, or two storages, name it");
        let help = "name it in the resources of the others too, or correct its name";
        c.warning(codes::UNSHARED, path.field("networks").key(network), message, help);
    };
    for (index, client) in config.clients.iter().enumerate() {
        for network in client.networks.keys().filter(|network| storages(network) == 0) {
            alone(c, ConfigPath::of("clients").index(index), network);
        }
    }
    for (index, storage) in config.storages.iter().enumerate() {
        for network in storage.networks.keys().filter(|network| clients(network) == 0 && storages(network) == 1) {
            alone(c, ConfigPath::of("storages").index(index), network);
        }
    }
}
