//! The data channel of two daemons: who dials whom, at which address, and why.
//!
//! [`decide`] is the only place where this is decided: a job acts on its answer, `explain` prints it, and a simulation
//! can predict with it. The rules, in this order:
//!
//! 1. A file daemon dials the storage daemon; a passive one is dialled by it; in a copy the reading storage daemon dials
//!    the writing one.
//! 2. The address is that of the side that is dialled: in the first network (in the order of the names) that both sides
//!    name; else its LAN address if both sides have one; else its `address`. The port is always its `port`.
//!
//! The director itself always dials `address`.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use crate::address::Address;
use crate::config::{Client, DirectorConfig, Storage};
use crate::nearest::nearest;
use crate::node::Number;

/// The two daemons of a data channel, as the director knows them.
#[derive(Clone, Copy, Debug)]
pub enum Pair<'a> {
    /// A backup, a restore or a verify job.
    Job {
        /// The file daemon.
        client: &'a Client,
        /// The storage daemon.
        storage: &'a Storage,
    },
    /// A copy or a migration between two storage daemons.
    Copy {
        /// The storage daemon that has the data.
        reading: &'a Storage,
        /// The storage daemon that gets it.
        writing: &'a Storage,
    },
}

/// A data channel that can be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// 6, 7 or 8.
    pub number: Number,
    /// The name of the resource of the side that dials.
    pub dialler: String,
    /// The name of the resource of the side that is dialled.
    pub dialled: String,
    /// The address that is sent to the dialler: a host name, or a literal address.
    pub address: String,
    /// The port that is sent to the dialler.
    pub port: u16,
    /// Which of the dialled side's addresses that is.
    pub via: Via,
    /// Why, in the order of the rules.
    pub reasons: Vec<Reason>,
}

/// Which of its addresses a daemon is dialled at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// Its address in the network of this name.
    Network(String),
    /// Its LAN address.
    Lan,
    /// Its `address`.
    Address,
}

/// One step of the decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The client is not passive.
    ClientDials {
        /// The client.
        client: String,
    },
    /// The client is passive.
    ClientIsPassive {
        /// The client.
        client: String,
    },
    /// A copy is pushed.
    ReaderDials {
        /// The storage that has the data.
        reading: String,
    },
    /// Both sides name this network.
    SharedNetwork {
        /// The network.
        network: String,
        /// How many networks both name.
        shared: usize,
    },
    /// At least one side names no network.
    NoNetworks {
        /// The sides that name none.
        without: Vec<String>,
    },
    /// Both sides name networks, and none is the same.
    NoSharedNetwork {
        /// Each side with its networks.
        sides: [(String, Vec<String>); 2],
    },
    /// Both sides have a LAN address.
    BothOnLan,
    /// At least one side has no LAN address.
    NotBothOnLan {
        /// The sides without one.
        without: Vec<String>,
    },
    /// What is left.
    Address {
        /// The side that is dialled.
        dialled: String,
    },
}

/// The side that is to be dialled has no address that counts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("storage \"{storage}\" has to dial the passive client \"{client}\", which has no address that it could use")]
pub struct NoAddress {
    /// The client.
    pub client: String,
    /// The storage that has to dial it.
    pub storage: String,
    /// How far the decision had come.
    pub reasons: Vec<Reason>,
}

impl NoAddress {
    /// One sentence of advice.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        "give the client an `address`, or both of them a network or a LAN address; or remove `passive`"
    }
}

/// Decides the data channel of two daemons.
///
/// # Errors
/// A passive client has no address that the storage daemon could use.
pub fn decide(pair: Pair<'_>) -> Result<Channel, NoAddress> {
    let (number, dialler, dialled, first) = match pair {
        Pair::Job { client, storage } if client.passive => {
            let reason = Reason::ClientIsPassive { client: client.name.clone() };
            (Number::StorageToFile, Place::from(storage), Place::from(client), reason)
        }
        Pair::Job { client, storage } => {
            let reason = Reason::ClientDials { client: client.name.clone() };
            (Number::FileToStorage, Place::from(client), Place::from(storage), reason)
        }
        Pair::Copy { reading, writing } => {
            let reason = Reason::ReaderDials { reading: reading.name.clone() };
            (Number::StorageToStorage, Place::from(reading), Place::from(writing), reason)
        }
    };
    let mut reasons = vec![first];
    let Some((via, address)) = choose(&dialler, &dialled, &mut reasons) else {
        let (client, storage) = (dialled.name.to_owned(), dialler.name.to_owned());
        return Err(NoAddress { client, storage, reasons });
    };
    Ok(Channel {
        number,
        dialler: dialler.name.to_owned(),
        dialled: dialled.name.to_owned(),
        address: address.to_owned(),
        port: dialled.port,
        via,
        reasons,
    })
}

/// The decision about two daemons of a configuration as text: what `explain client=X storage=Y` prints, here and in the
/// operator's tool. With `copy_to` it is about a copy from `storage` to that one, and no client counts.
///
/// # Errors
/// A name that nothing has, or too few names: a sentence that says so.
pub fn explain(
    config: &DirectorConfig,
    client: Option<&str>,
    storage: Option<&str>,
    copy_to: Option<&str>,
) -> Result<String, String> {
    let find = |name: &str| {
        let known = config.storages.iter().map(|storage| storage.name.as_str());
        config.storage(name).ok_or_else(|| unknown("storage", name, known))
    };
    let outcome = match (client, storage, copy_to) {
        (Some(client), Some(storage), None) => {
            let known = config.clients.iter().map(|client| client.name.as_str());
            let client = config.client(client).ok_or_else(|| unknown("client", client, known))?;
            decide(Pair::Job { client, storage: find(storage)? })
        }
        (None, Some(reading), Some(writing)) => decide(Pair::Copy { reading: find(reading)?, writing: find(writing)? }),
        _ => return Err("Name both ends: client=NAME storage=NAME, or storage=NAME copy-to=NAME.".to_owned()),
    };
    Ok(match outcome {
        Ok(channel) => channel.to_string(),
        Err(failure) => {
            let (reasons, help) = (listed(&failure.reasons), failure.help());
            format!("No data channel: {failure}\n{reasons}What to do: {help}.\n")
        }
    })
}

impl Channel {
    /// The path in one line, as a job's log names it.
    #[must_use]
    pub fn path(&self) -> String {
        let (from, to) = (self.number.from(), self.number.to());
        let at = at(&self.address, self.port);
        format!("data channel: {from} dials {to} at {at} (connection {}), {}", self.number, self.via)
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, dialler, dialled, address, port, via, reasons } = self;
        let (from, to) = (number.from(), number.to());
        writeln!(
            f,
            "Connection {number}: {from} \"{dialler}\" dials {to} \"{dialled}\" at {}, {via}",
            at(address, *port)
        )?;
        f.write_str(&listed(reasons))
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(name) => write!(f, "network {name}"),
            Self::Lan => f.write_str("LAN address"),
            Self::Address => f.write_str("address"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClientDials { client } => write!(f, "client \"{client}\" is not passive, so its file daemon dials"),
            Self::ClientIsPassive { client } => {
                write!(f, "client \"{client}\" is passive, so the storage daemon dials")
            }
            Self::ReaderDials { reading } => {
                write!(f, "in a copy the storage daemon that has the data dials, and that is \"{reading}\"")
            }
            Self::SharedNetwork { network, shared: 1 } => write!(f, "both are in the network \"{network}\""),
            Self::SharedNetwork { network, shared } => {
                write!(f, "both are in {shared} networks, of which \"{network}\" comes first by its name")
            }
            Self::NoNetworks { without } => write!(f, "no network decides: {}", none(without, "names")),
            Self::NoSharedNetwork { sides: [(one, first), (other, second)] } => write!(
                f,
                "no network decides: \"{one}\" is in {}, \"{other}\" in {}",
                first.join(", "),
                second.join(", ")
            ),
            Self::BothOnLan => f.write_str("both have a LAN address"),
            Self::NotBothOnLan { without } => {
                write!(f, "LAN addresses count only if both have one: {}", none(without, "has"))
            }
            Self::Address { dialled } => write!(f, "so the `address` of \"{dialled}\" counts"),
        }
    }
}

/// What of a resource matters when its daemon is dialled.
struct Place<'a> {
    name: &'a str,
    address: Option<&'a str>,
    port: u16,
    lan: Option<&'a str>,
    networks: &'a BTreeMap<String, String>,
}

impl<'a> From<&'a Client> for Place<'a> {
    fn from(client: &'a Client) -> Self {
        Self {
            name: &client.name,
            address: client.address.as_deref(),
            port: client.port,
            lan: client.lan_address.as_deref(),
            networks: &client.networks,
        }
    }
}

impl<'a> From<&'a Storage> for Place<'a> {
    fn from(storage: &'a Storage) -> Self {
        Self {
            name: &storage.name,
            address: Some(&storage.address),
            port: storage.port,
            lan: storage.lan_address.as_deref(),
            networks: &storage.networks,
        }
    }
}

/// Which address of `dialled`, by the rules.
fn choose<'a>(dialler: &Place<'_>, dialled: &Place<'a>, reasons: &mut Vec<Reason>) -> Option<(Via, &'a str)> {
    let mut shared = dialled.networks.iter().filter(|(network, _)| dialler.networks.contains_key(*network));
    if let Some((network, address)) = shared.next() {
        reasons.push(Reason::SharedNetwork { network: network.clone(), shared: 1 + shared.count() });
        return Some((Via::Network(network.clone()), address));
    }
    reasons.push(no_network(dialler, dialled));
    if let (Some(_), Some(address)) = (dialler.lan, dialled.lan) {
        reasons.push(Reason::BothOnLan);
        return Some((Via::Lan, address));
    }
    let without = |lacks: fn(&Place<'_>) -> bool| without([dialler, dialled], lacks);
    reasons.push(Reason::NotBothOnLan { without: without(|place| place.lan.is_none()) });
    let address = dialled.address?;
    reasons.push(Reason::Address { dialled: dialled.name.to_owned() });
    Some((Via::Address, address))
}

fn no_network(dialler: &Place<'_>, dialled: &Place<'_>) -> Reason {
    let without = without([dialler, dialled], |place| place.networks.is_empty());
    if !without.is_empty() {
        return Reason::NoNetworks { without };
    }
    let side = |place: &Place<'_>| (place.name.to_owned(), place.networks.keys().cloned().collect());
    Reason::NoSharedNetwork { sides: [side(dialler), side(dialled)] }
}

fn without(places: [&Place<'_>; 2], lacks: fn(&Place<'_>) -> bool) -> Vec<String> {
    places.into_iter().filter(|place| lacks(place)).map(|place| place.name.to_owned()).collect()
}

fn listed(reasons: &[Reason]) -> String {
    reasons.iter().map(|reason| format!("  - {reason}\n")).collect()
}

/// `"a" has none`, `neither "a" nor "b" has one`.
fn none(without: &[String], verb: &str) -> String {
    match without {
        [one, other] => format!("neither \"{one}\" nor \"{other}\" {verb} one"),
        rest => format!("\"{}\" {verb} none", rest.first().map_or("", String::as_str)),
    }
}

/// An address and a port as one writes them: with brackets around IPv6.
fn at(address: &str, port: u16) -> String {
    if Address::parse(address).is_some_and(|address| address.ip.is_ipv6()) {
        format!("[{address}]:{port}")
    } else {
        format!("{address}:{port}")
    }
}

fn unknown<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    match nearest(name, known) {
        Some(near) => format!("There is no {kind} \"{name}\"; did you mean \"{near}\"?"),
        None => format!("There is no {kind} \"{name}\"."),
    }
}
