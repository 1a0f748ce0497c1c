//! `--learn`: a first topology, of what was seen. It is one network: what stands between hosts is not seen from their ends.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;

use towline_core::config::DirectorConfig;
use towline_core::node::Number;

use super::legs::Leg;

/// A topology in RON, with what is not known in comments.
pub(super) fn topology(config: &DirectorConfig, legs: &[Leg], network: &str) -> String {
    let director = config.director.name.as_str();
    // The end of its own connections that is not a loopback address.
    let own = ends(network).map(|(own, _)| own).find(|own| !own.is_loopback()).unwrap_or_else(|| [127, 0, 0, 1].into());
    // What the director dials at a loopback address is on its own host.
    let place = |address: IpAddr| if address.is_loopback() { own } else { address };
    let mut hosts: BTreeMap<IpAddr, BTreeSet<&str>> = BTreeMap::new();
    let mut nowhere: BTreeSet<&str> = BTreeSet::new();
    for name in
        config.clients.iter().map(|client| &client.name).chain(config.storages.iter().map(|storage| &storage.name))
    {
        match address_of(config, legs, network, name) {
            Some(address) => _ = hosts.entry(place(address)).or_default().insert(name),
            None => _ = nowhere.insert(name),
        }
    }
    hosts.entry(own).or_default().insert(director);
    let mut out = String::from(
        "// A first topology, of what the director and its daemons have seen. Put hosts into the networks they are in, with\n\
         // the gateways between them: those are not seen from the ends of a connection.\n(\n    networks: [(name: \"seen\")],\n    hosts: [\n",
    );
    for (number, (address, daemons)) in hosts.iter().enumerate() {
        let daemons: Vec<String> = daemons.iter().map(|name| format!("{name:?}")).collect();
        let name = format!("host{}", number + 1);
        let _ = writeln!(
            out,
            "        (name: {name:?}, network: \"seen\", address: \"{address}\", daemons: [{}]),",
            daemons.join(", ")
        );
    }
    out.push_str("    ],\n    names: [\n");
    for (name, addresses) in names(legs) {
        let addresses: Vec<String> = addresses.iter().map(|address| format!("\"{address}\"")).collect();
        let _ = writeln!(out, "        (name: {name:?}, addresses: [{}]),", addresses.join(", "));
    }
    out.push_str("    ],\n)\n");
    for name in nowhere {
        let _ = writeln!(out, "// Not seen: {name:?}. Name it in the `daemons` of its host.");
    }
    out
}

/// Where a daemon was dialled, or dialled from.
fn address_of(config: &DirectorConfig, legs: &[Leg], network: &str, name: &str) -> Option<IpAddr> {
    let dialled = config.client(name).and_then(|client| client.address.clone());
    let host = dialled.or_else(|| config.storage(name).map(|storage| storage.address.clone()));
    let by_director = |leg: &&Leg| {
        let is_one =
            [Number::DirectorToFile, Number::DirectorToStorage, Number::DirectorToSecondStorage].contains(&leg.number);
        is_one && leg.to == name
    };
    let literal = host.as_deref().and_then(|host| host.parse().ok());
    let found = || legs.iter().find(by_director)?.found.as_ref()?.first().copied();
    // A client that waits comes from an address, which may be that of a gateway.
    let peer = format!("R_CLIENT::{name}");
    let line = || network.lines().find(|line| line.split_whitespace().any(|word| word == peer));
    let waiting = || line().and_then(|line| ends(line).map(|(_, its)| its).next());
    literal.or_else(found).or_else(waiting)
}

/// Names with what they resolve to, for whoever was asked first.
fn names(legs: &[Leg]) -> BTreeMap<&str, &[IpAddr]> {
    let mut all = BTreeMap::new();
    for leg in legs {
        if let (Some(at), Some(found)) = (&leg.at, &leg.found) {
            let name = at.rsplit_once(':').map_or(at.as_str(), |(name, _)| name);
            all.entry(name).or_insert(found.as_slice());
        }
    }
    all
}

/// The two ends of each connection in `status network`.
fn ends(text: &str) -> impl Iterator<Item = (IpAddr, IpAddr)> {
    text.lines().filter_map(|line| {
        let sockets = line.split_whitespace().filter_map(|word| {
            word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != ']').parse::<std::net::SocketAddr>().ok()
        });
        let all: Vec<_> = sockets.collect();
        match all.as_slice() {
            [own, its, ..] => Some((own.ip(), its.ip())),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::super::topology::Topology;
    use super::super::legs::Seen;
    use super::*;
    use crate::config::{built, parse};

    #[test]
    fn what_was_learned_is_a_topology_of_all_that_was_seen() {
        let text = r#"(director: (name: "dir", password: "a very long secret"),
            clients: [(name: "near", address: "near.example", password: "a very long secret 1"),
                      (name: "roaming", password: "a very long secret 2", connection_from_client_to_director: true,
                       connection_from_director_to_client: false),
                      (name: "beside", address: "127.0.0.1", password: "a very long secret 5"),
                      (name: "lost", address: "lost.example", password: "a very long secret 3")],
            storages: [(name: "sd", address: "192.0.2.20", password: "a very long secret 4", device: "d", media_type: "m")])"#;
        let config = parse::<DirectorConfig>("director.ron", text, built()).unwrap().0;
        let leg = |to: &str, at: &str, found: &[[u8; 4]]| Leg {
            number: Number::DirectorToFile,
            from: "dir".to_owned(),
            to: to.to_owned(),
            at: Some(at.to_owned()),
            found: Some(found.iter().map(|address| IpAddr::from(*address)).collect()),
            seen: Seen::Answered(Duration::from_millis(3)),
            clock: None,
        };
        let legs = [leg("near", "near.example:9102", &[[192, 0, 2, 30]]), leg("lost", "lost.example:9102", &[])];
        let network = "4   R_CLIENT::roaming  it  192.0.2.1:9101  198.51.100.7:40000  psk\n";
        let learned = topology(&config, &legs, network);
        let read = parse::<Topology>("network.ron", &learned, built());
        let (read, _) = read.unwrap_or_else(|report| panic!("{}\n{learned}", report.render(false)));
        let address = |daemon: &str| read.host_of(daemon).map(|place| read.hosts[place].address.clone());
        assert_eq!(address("dir").as_deref(), Some("192.0.2.1"), "{learned}");
        assert_eq!(address("beside"), address("dir"), "{learned}");
        assert_eq!(address("near").as_deref(), Some("192.0.2.30"), "{learned}");
        assert_eq!(address("sd").as_deref(), Some("192.0.2.20"), "{learned}");
        assert_eq!(address("roaming").as_deref(), Some("198.51.100.7"), "{learned}");
        assert_eq!(address("lost"), None);
        assert!(learned.contains("// Not seen: \"lost\""), "{learned}");
        assert_eq!(read.names.len(), 2, "{learned}");
    }
}
