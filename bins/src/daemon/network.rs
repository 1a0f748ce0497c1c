//! Changes of the machine's addresses, and of its ways to other networks, become events of the node.
//!
//! ```text
//!   the kernel's news (netlink) --> a while of silence --> /proc/net differs from what was seen last? --> NetworkChanged
//! ```
//! The kernel has news also of what makes no difference, such as the lifetime of an address, so its news only make us look.

use std::collections::BTreeSet;
use std::io;
use std::thread;
use std::time::Duration;

use towline_core::drive::Injector;
use towline_core::event::Event;

/// A change comes in many pieces of news: what follows within this time belongs to it.
const SETTLE: Duration = Duration::from_millis(500);
/// How often to look where the system sends no news.
const LOOK: Duration = Duration::from_secs(5);

/// Reports each change as `NetworkChanged`, from a thread of its own. Where there is no `/proc/net`, nothing ever changes.
///
/// # Errors
/// The system has no thread left.
pub(super) fn watch(injector: Injector) -> io::Result<()> {
    // Before the daemon looks at the network itself: no change between the two is missed.
    let news = News::subscribe();
    let mut seen = Seen::now();
    let body = move || {
        loop {
            news.wait();
            let now = Seen::now();
            if now != seen {
                tracing::debug!("the network has changed: {now:?}");
                seen = now;
                if !injector.post(Event::NetworkChanged) {
                    return;
                }
            }
        }
    };
    thread::Builder::new().name("network".to_owned()).spawn(body).map(drop)
}

/// What of the machine's network makes a difference to its connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen(BTreeSet<String>);

impl Seen {
    fn now() -> Self {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/net/{name}")).unwrap_or_default();
        let mut all = BTreeSet::new();
        all.extend(ipv4_addresses(&read("fib_trie")));
        all.extend(ipv6_addresses(&read("if_inet6")));
        all.extend(ipv4_ways(&read("route")));
        all.extend(ipv6_ways(&read("ipv6_route")));
        Self(all)
    }
}

/// Addresses of the machine but its loopback's, from `fib_trie`: a line with the address, then lines with what it is.
fn ipv4_addresses(text: &str) -> impl Iterator<Item = String> {
    let mut last = "";
    text.lines().filter_map(move |line| {
        let line = line.trim();
        if let Some(address) = line.strip_prefix("|-- ") {
            last = address;
        }
        (line == "/32 host LOCAL" && !last.starts_with("127.")).then(|| last.to_owned())
    })
}

/// Global addresses that last, from `if_inet6`: address, index, length of the prefix, scope, flags, interface.
fn ipv6_addresses(text: &str) -> impl Iterator<Item = String> {
    /// Flags of an address that is given up again in a day, or not in use yet (`if_addr.h`).
    const TEMPORARY: u8 = 0x01;
    const TENTATIVE: u8 = 0x40;
    text.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [address, _, _, "00", flags, _] = fields.as_slice() else { return None };
        let flags = u8::from_str_radix(flags, 16).ok()?;
        (flags & (TEMPORARY | TENTATIVE) == 0).then(|| (*address).to_owned())
    })
}

/// Default routes, from `route`: interface, destination, gateway, flags, …, and the mask as the eighth.
fn ipv4_ways(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [interface, "00000000", gateway, _, _, _, _, "00000000", ..] = fields.as_slice() else { return None };
        Some(format!("{interface} {gateway}"))
    })
}

/// Default routes, from `ipv6_route`: destination, length of its prefix, source, length of its prefix, next hop, …, and
/// the interface as the last.
fn ipv6_ways(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, "00", _, "00", hop, .., interface] = fields.as_slice() else { return None };
        // The kernel's own way to nowhere.
        (*interface != "lo").then(|| format!("{interface} {hop}"))
    })
}

/// Where the kernel tells its news.
#[cfg(any(target_os = "linux", target_os = "android"))]
struct News(Option<rustix::fd::OwnedFd>);

#[cfg(any(target_os = "linux", target_os = "android"))]
impl News {
    /// `RTMGRP_IPV4_IFADDR`, `RTMGRP_IPV4_ROUTE`, `RTMGRP_IPV6_IFADDR`, `RTMGRP_IPV6_ROUTE` of `rtnetlink(7)`.
    const GROUPS: u32 = 0x10 | 0x40 | 0x100 | 0x400;

    /// Without a socket, as where a container forbids it, there are no news, and one has to look.
    fn subscribe() -> Self {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, netlink, socket_with};
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None);
        let bound = socket.and_then(|socket| {
            bind(&socket, &netlink::SocketAddrNetlink::new(0, Self::GROUPS))?;
            Ok(socket)
        });
        if let Err(error) = &bound {
            tracing::debug!("no news of the network: {error}");
        }
        Self(bound.ok())
    }

    /// Waits for news, and for the end of what belongs to them.
    fn wait(&self) {
        use rustix::net::{RecvFlags, recv};
        let Some(socket) = &self.0 else { return thread::sleep(LOOK) };
        let mut room = [0; 4096];
        if recv(socket, &mut room, RecvFlags::empty()).is_err() {
            // Too much at once, above all: what was lost we look for ourselves.
            thread::sleep(SETTLE);
        }
        thread::sleep(SETTLE);
        while recv(socket, &mut room, RecvFlags::DONTWAIT).is_ok() {}
    }
}

/// No news here: one has to look.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
struct News;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
impl News {
    const fn subscribe() -> Self {
        Self
    }

    fn wait(&self) {
        thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_and_those_of_the_loopback_and_of_a_day_are_not() {
        let trie = "Local:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     +-- 10.0.0.0/24 2 0 2\n        \
                    |-- 10.0.0.0\n           /24 link UNICAST\n        |-- 10.0.0.10\n           /32 host LOCAL\n        \
                    |-- 10.0.0.255\n           /32 link BROADCAST\n     |-- 127.0.0.1\n        /32 host LOCAL\n";
        assert_eq!(ipv4_addresses(trie).collect::<Vec<_>>(), ["10.0.0.10"]);
        let six = "00000000000000000000000000000001 01 80 10 80       lo\n\
                   fe80000000000000020c29fffe000001 02 40 20 80     eth0\n\
                   20010db8000000000000000000000007 02 40 00 80     eth0\n\
                   20010db8000000000000000000000008 02 40 00 01     eth0\n\
                   20010db8000000000000000000000009 02 40 00 c0     eth0\n";
        assert_eq!(ipv6_addresses(six).collect::<Vec<_>>(), ["20010db8000000000000000000000007"]);
    }

    #[test]
    fn default_routes_are_found_and_others_are_not() {
        let four = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
                    eth0\t00000000\tFE00000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
                    eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
        assert_eq!(ipv4_ways(four).collect::<Vec<_>>(), ["eth0 FE00000A"]);
        let zero = "0".repeat(32);
        let hop = "fe80000000000000000000000000000a";
        let six = format!(
            "{zero} 00 {zero} 00 {hop} 00000400 00000001 00000000 00000003 eth0\n\
             20010db8000000000000000000000000 40 {zero} 00 {zero} 00000100 00000001 00000000 00000001 eth0\n\
             {zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200 lo\n"
        );
        assert_eq!(ipv6_ways(&six).collect::<Vec<_>>(), [format!("eth0 {hop}")]);
    }

    #[test]
    fn this_machines_network_is_the_same_twice() {
        assert_eq!(Seen::now(), Seen::now());
    }
}
