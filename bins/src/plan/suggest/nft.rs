//! Openings as nftables has them: lines for `nft -f`, for tables and chains of the usual names.

use std::net::IpAddr;

use super::super::topology::{Forward, Rule, Topology, Way, addresses};
use super::super::trial::Barrier;
use super::change::Opening;

/// The lines of an opening. Answers pass by `ct state established,related accept`, which every firewall has.
pub(super) fn lines(topology: &Topology, opening: &Opening) -> Vec<String> {
    match opening {
        Opening::Forward { network, port, to } => {
            let place = topology.network(network).and_then(|place| topology.networks.get(place));
            let gateway = place.and_then(|network| network.gateway.as_ref());
            let target = Forward { port: *port, to: to.clone() }.target();
            let (Some(gateway), Some((address, inner))) = (gateway, target) else { return Vec::new() };
            let family = family(&address.to_string());
            let to = std::net::SocketAddr::new(address, inner);
            vec![
                format!(
                    "add rule {family} nat prerouting {family} daddr {} tcp dport {port} dnat to {to}",
                    gateway.address
                ),
                format!(
                    "insert rule inet filter forward {family} daddr {address} tcp dport {inner} ct state new accept"
                ),
            ]
        }
        Opening::Rule { at, rule } => {
            let chain = match (at, rule.way) {
                (Barrier::Gateway(_), _) => "forward",
                (Barrier::Firewall(_), Way::In) => "input",
                (Barrier::Firewall(_), Way::Out) => "output",
                (Barrier::Uplink(_), _) => return Vec::new(),
            };
            vec![format!("insert rule inet filter {chain}{} ct state new accept", conditions(rule))]
        }
    }
}

fn conditions(rule: &Rule) -> String {
    let address = |word: &str, text: &Option<String>| {
        text.as_ref().map(|text| format!(" {} {word} {text}", family(text))).unwrap_or_default()
    };
    let port = rule.port.map(|ports| format!(" tcp dport {ports}")).unwrap_or_default();
    format!("{}{}{port}", address("saddr", &rule.from), address("daddr", &rule.to))
}

fn family(text: &str) -> &'static str {
    match addresses(text) {
        Some((IpAddr::V6(_), _)) => "ip6",
        _ => "ip",
    }
}
