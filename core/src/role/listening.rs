//! The listeners of a daemon: opened at the start, named in the log, and fatal if none could be opened.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::action::SocketOptions;
use crate::drive::{ExitReason, Level, Notice};
use crate::error::{Code, Explain, Fault};
use crate::event::IoKind;
use crate::ids::ListenerId;
use crate::node::{BindError, Net};

/// The exit code of a daemon that cannot listen: `EX_UNAVAILABLE` of sysexits.
const UNAVAILABLE: u8 = 69;

/// What a daemon listens on.
#[derive(Debug, Default)]
pub struct Listening {
    wanted: BTreeMap<ListenerId, SocketAddr>,
    bound: Vec<(ListenerId, SocketAddr)>,
}

impl Listening {
    /// Opens the listeners. Each text is an address with or without a port; `*` means both families, and what is no
    /// address was refused by the check of the configuration.
    pub fn start(&mut self, net: &mut Net, addresses: &[String], port: u16) {
        for address in addresses.iter().flat_map(|text| parse(text, port)) {
            let listener = net.listen(address, SocketOptions::default());
            self.wanted.insert(listener, address);
        }
    }

    /// Takes the outcome of one of them. Ends the node when none is left.
    pub fn on_bound(&mut self, net: &mut Net, listener: ListenerId, outcome: Result<SocketAddr, IoKind>) {
        let Some(wanted) = self.wanted.remove(&listener) else { return };
        match outcome {
            Ok(address) => {
                self.bound.push((listener, address));
                net.notify(Notice::Listening(address));
            }
            Err(error) => {
                let level = if wanted.is_ipv6() && error == IoKind::NotAvailable { Level::Info } else { Level::Error };
                let failure = BindError { on: wanted, error };
                let text = format!("{failure}; {}", failure.help());
                net.log_cause(level, (failure.fault(), failure.code()), &text);
            }
        }
        if self.wanted.is_empty() && self.bound.is_empty() {
            net.log_cause(Level::Error, (Fault::Config, Code(121)), "no address to listen on is left: the daemon ends");
            net.exit(ExitReason::Failed(UNAVAILABLE));
        }
    }

    /// Closes all of them.
    pub fn stop(&mut self, net: &mut Net) {
        for (listener, _) in self.bound.drain(..) {
            net.unlisten(listener);
        }
    }
}

/// The socket addresses a text of the configuration stands for.
fn parse(text: &str, port: u16) -> Vec<SocketAddr> {
    if text == "*" {
        let any: [IpAddr; 2] = [Ipv6Addr::UNSPECIFIED.into(), Ipv4Addr::UNSPECIFIED.into()];
        return any.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    match bare.parse::<IpAddr>() {
        Ok(ip) => vec![SocketAddr::new(ip, port)],
        Err(_) => text.parse().into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_port_of_its_own() {
        assert_eq!(parse("127.0.0.1", 9102), ["127.0.0.1:9102".parse().unwrap()]);
        assert_eq!(parse("127.0.0.1:7", 9102), ["127.0.0.1:7".parse().unwrap()]);
        assert_eq!(parse("::1", 9102), ["[::1]:9102".parse().unwrap()]);
        assert_eq!(parse("[::1]:7", 9102), ["[::1]:7".parse().unwrap()]);
        assert_eq!(parse("[::1]", 9102), ["[::1]:9102".parse().unwrap()]);
    }

    #[test]
    fn a_star_is_every_address_of_both_families() {
        assert_eq!(parse("*", 1), ["[::]:1".parse().unwrap(), "0.0.0.0:1".parse().unwrap()]);
    }

    #[test]
    fn a_name_is_no_address_to_listen_on() {
        assert!(parse("localhost", 1).is_empty());
    }
}
