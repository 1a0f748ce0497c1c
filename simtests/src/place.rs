//! Where a host is, and how it is.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use towline_core::time::Instant;

use crate::inbox::Post;
use crate::network::NetworkId;

/// An address of a host, and the network in which it has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interface {
    pub(crate) network: NetworkId,
    pub(crate) address: IpAddr,
}

/// A host as the network sees it.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) interfaces: Vec<Interface>,
    pub(crate) life: u64,
    pub(crate) is_on: bool,
    pub(crate) inbox: VecDeque<Post>,
    pub(crate) is_woken: bool,
    pub(crate) disk_busy: Instant,
    /// How long it has slept in all, what is left of its sleep included.
    pub(crate) slept: Duration,
    /// When its last sleep ends.
    pub(crate) wakes: Instant,
    pub(crate) next_port: u16,
    /// Seconds by which its wall clock is wrong.
    pub(crate) wrong_by: i64,
    /// Whether its daemon sets up sockets as stock ones do.
    pub(crate) is_stock: bool,
}

impl Place {
    /// Of a host with one address in the open network.
    pub(crate) fn new(name: &str, address: IpAddr) -> Self {
        Self {
            name: name.to_owned(),
            interfaces: vec![Interface { network: NetworkId::OPEN, address }],
            life: 0,
            is_on: true,
            inbox: VecDeque::new(),
            is_woken: false,
            disk_busy: Instant::ZERO,
            slept: Duration::ZERO,
            wakes: Instant::ZERO,
            next_port: 32_768,
            wrong_by: 0,
            is_stock: false,
        }
    }

    /// Whether another daemon's place is on the same host.
    pub(crate) fn shares_host_of(&self, other: &Self) -> bool {
        self.interfaces == other.interfaces
    }

    /// Whether an address is its own.
    pub(crate) fn has(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.interfaces.iter().any(|interface| interface.address == address)
    }

    /// Whether it has an address in a network.
    pub(crate) fn is_at(&self, network: NetworkId, address: IpAddr) -> bool {
        self.interfaces.contains(&Interface { network, address })
    }

    /// A port that none of its sockets had yet.
    pub(crate) fn free_port(&mut self) -> u16 {
        let port = self.next_port;
        self.next_port = port.checked_add(1).unwrap_or(32_768);
        port
    }
}
