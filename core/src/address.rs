//! Literal addresses as texts: those of one link name the interface after a `%` (RFC 4007 §11), by name or by number.
//! A name stays a name here; which interface has it, an adapter is asked when the address is used.

use std::fmt;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};

/// The longest name of an interface in bytes (`IFNAMSIZ` of `if.h`, without the zero).
const INTERFACE_NAME: usize = 15;

/// An IP address, and for one of a link the interface that has this link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// The interface; only with a link-local address.
    pub scope: Option<Scope>,
}

/// Which interface.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// By its number, not 0.
    Index(u32),
    /// By its name.
    Name(String),
}

impl Address {
    /// Reads `192.0.2.1`, `2001:db8::1`, `fe80::1%eth0` or `fe80::1%3`; `None` for anything else, a scope after an
    /// address that has none included.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let Some((ip, scope)) = text.split_once('%') else {
            return text.parse().ok().map(|ip| Self { ip, scope: None });
        };
        let ip = IpAddr::V6(ip.parse().ok()?);
        let scope = is_link_local(ip).then(|| Scope::parse(scope))??;
        Some(Self { ip, scope: Some(scope) })
    }

    /// Whether it means nothing without the interface it lacks.
    #[must_use]
    pub fn lacks_scope(&self) -> bool {
        self.scope.is_none() && is_link_local(self.ip)
    }

    /// The interface whose number has to be asked for before the address can be used.
    #[must_use]
    pub fn interface(&self) -> Option<&str> {
        match &self.scope {
            Some(Scope::Name(name)) => Some(name),
            _ => None,
        }
    }

    /// With a port, `index` being the number of the [interface](Self::interface) if it has a name.
    #[must_use]
    pub fn with_port(&self, port: u16, index: u32) -> SocketAddr {
        match (self.ip, &self.scope) {
            (IpAddr::V6(ip), Some(Scope::Index(number))) => SocketAddrV6::new(ip, port, 0, *number).into(),
            (IpAddr::V6(ip), Some(Scope::Name(_))) => SocketAddrV6::new(ip, port, 0, index).into(),
            (ip, _) => SocketAddr::new(ip, port),
        }
    }
}

impl Scope {
    fn parse(text: &str) -> Option<Self> {
        if let Ok(index) = text.parse() {
            return (index != 0).then_some(Self::Index(index));
        }
        let is_name = (1..=INTERFACE_NAME).contains(&text.len())
            && text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '/' | '%' | '[' | ']' | '"'));
        is_name.then(|| Self::Name(text.to_owned()))
    }
}

/// The address of a socket as one that can be dialled: an IPv4 address inside IPv6 is itself.
impl From<SocketAddr> for Address {
    fn from(socket: SocketAddr) -> Self {
        let scope = match socket {
            SocketAddr::V6(v6) if is_link_local(socket.ip()) && v6.scope_id() != 0 => Some(Scope::Index(v6.scope_id())),
            _ => None,
        };
        Self { ip: socket.ip().to_canonical(), scope }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scope {
            None => write!(f, "{}", self.ip),
            Some(Scope::Index(index)) => write!(f, "{}%{index}", self.ip),
            Some(Scope::Name(name)) => write!(f, "{}%{name}", self.ip),
        }
    }
}

/// An address with a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// The address.
    pub address: Address,
    /// The port.
    pub port: u16,
}

impl Endpoint {
    /// Reads an address with or without a port of its own, an IPv6 address with one in brackets: `10.0.0.1:9105`, `::1`,
    /// `[fe80::1%eth0]:9105`. Without one it is `port`.
    #[must_use]
    pub fn parse(text: &str, port: u16) -> Option<Self> {
        if let Some((address, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
            let address = Address::parse(address).filter(|address| address.ip.is_ipv6())?;
            let port = if rest.is_empty() { port } else { rest.strip_prefix(':')?.parse().ok()? };
            return Some(Self { address, port });
        }
        if let Some(address) = Address::parse(text) {
            return Some(Self { address, port });
        }
        let socket: SocketAddr = text.parse().ok()?;
        Some(Self { address: socket.into(), port: socket.port() })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, port } = self;
        if address.ip.is_ipv6() { write!(f, "[{address}]:{port}") } else { write!(f, "{address}:{port}") }
    }
}

/// Whether an address is valid on one link only: `fe80::/10` (RFC 4291 §2.5.6). IPv4 has such addresses too, but one
/// interface at most that answers for them.
#[must_use]
pub const fn is_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

/// Whether a socket's address is of a link, and nothing says which.
#[must_use]
pub const fn lacks_scope(socket: &SocketAddr) -> bool {
    matches!(socket, SocketAddr::V6(v6) if v6.scope_id() == 0 && v6.ip().is_unicast_link_local())
}

/// Whether a host name or a literal address is this machine's own, so that what goes there is seen by nobody on the way.
#[must_use]
pub fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// The address to bind a socket to that is to be dialled from `from`: of a link, if `to` is, the same one.
#[must_use]
pub fn source_for(from: IpAddr, to: SocketAddr) -> SocketAddr {
    match (from, to) {
        (IpAddr::V6(ip), SocketAddr::V6(to)) if is_link_local(from) => {
            SocketAddrV6::new(ip, 0, 0, to.scope_id()).into()
        }
        _ => SocketAddr::new(from, 0),
    }
}

/// Whether packets from this address can get to that one: the same family, and one of a link only on a link.
#[must_use]
pub const fn can_reach(from: IpAddr, to: &SocketAddr) -> bool {
    from.is_ipv4() == to.is_ipv4() && (!is_link_local(from) || is_link_local(to.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(scope: Scope) -> Option<Address> {
        Some(Address { ip: "fe80::1".parse().unwrap(), scope: Some(scope) })
    }

    #[test]
    fn a_scope_is_a_name_or_a_number_and_stands_after_a_link_local_address_only() {
        assert_eq!(Address::parse("fe80::1%eth0"), link(Scope::Name("eth0".to_owned())));
        assert_eq!(Address::parse("fe80::1%3"), link(Scope::Index(3)));
        assert_eq!(Address::parse("fe80::1%br-lan.7@x"), link(Scope::Name("br-lan.7@x".to_owned())));
        assert_eq!(Address::parse(&format!("fe80::1%{}", "a".repeat(15))), link(Scope::Name("a".repeat(15))));
        let long = format!("fe80::1%{}", "a".repeat(16));
        let wrong = ["fe80::1%", "fe80::1%0", "fe80::1%a b", "fe80::1%a/b", "fe80::1%a%b", "fe80::1%ä", &long];
        for text in wrong.iter().chain(&["2001:db8::1%eth0", "192.0.2.1%eth0", "%eth0", "host%eth0", "host", ""]) {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_address_of_a_link_without_its_interface_is_known() {
        let lacks = |text: &str| Address::parse(text).unwrap().lacks_scope();
        assert!(lacks("fe80::1") && lacks("febf::1"));
        assert!(!lacks("fe80::1%1") && !lacks("fec0::1") && !lacks("2001:db8::1") && !lacks("169.254.1.1"));
        assert!(lacks_scope(&"[fe80::1]:1".parse().unwrap()) && !lacks_scope(&"[fe80::1%2]:1".parse().unwrap()));
    }

    #[test]
    fn addresses_are_written_as_they_are_read() {
        for text in ["192.0.2.1", "2001:db8::1", "fe80::1%eth0", "fe80::1%3"] {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }
        for text in ["192.0.2.1:7", "[2001:db8::1]:7", "[fe80::1%eth0]:7", "[fe80::1%3]:7"] {
            assert_eq!(Endpoint::parse(text, 9102).unwrap().to_string(), text);
        }
    }

    #[test]
    fn an_address_may_have_a_port_of_its_own() {
        let read = |text: &str| Endpoint::parse(text, 9102).map(|endpoint| endpoint.to_string());
        for (text, expected) in [
            ("127.0.0.1", "127.0.0.1:9102"),
            ("127.0.0.1:7", "127.0.0.1:7"),
            ("::1", "[::1]:9102"),
            ("[::1]:7", "[::1]:7"),
            ("[::1]", "[::1]:9102"),
            ("fe80::1%eth0", "[fe80::1%eth0]:9102"),
            ("[fe80::1%eth0]", "[fe80::1%eth0]:9102"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["localhost", "*", "", "[::1", "[::1]7", "[::1]:", "[::1]:70000", "[127.0.0.1]", "127.0.0.1:"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_socket_gets_the_number_of_the_interface() {
        let at = |text: &str| Address::parse(text).unwrap().with_port(7, 5).to_string();
        assert_eq!(at("fe80::1%eth0"), "[fe80::1%5]:7");
        assert_eq!(at("fe80::1%3"), "[fe80::1%3]:7");
        assert_eq!(at("192.0.2.1"), "192.0.2.1:7");
    }

    #[test]
    fn where_a_peer_comes_from_can_be_dialled() {
        let of = |text: &str| Address::from(text.parse::<SocketAddr>().unwrap()).to_string();
        assert_eq!(of("[fe80::1%3]:40000"), "fe80::1%3");
        assert_eq!(of("[::ffff:192.0.2.1]:40000"), "192.0.2.1");
        assert_eq!(of("[2001:db8::1]:40000"), "2001:db8::1");
    }

    #[test]
    fn a_source_address_of_a_link_is_on_the_link_of_the_other_end_and_reaches_nothing_else() {
        let (link, global): (IpAddr, IpAddr) = ("fe80::9".parse().unwrap(), "2001:db8::9".parse().unwrap());
        let (near, far): (SocketAddr, SocketAddr) =
            ("[fe80::1%3]:7".parse().unwrap(), "[2001:db8::1]:7".parse().unwrap());
        assert_eq!(source_for(link, near).to_string(), "[fe80::9%3]:0");
        assert_eq!(source_for(global, near).to_string(), "[2001:db8::9]:0");
        assert!(can_reach(link, &near) && !can_reach(link, &far) && can_reach(global, &far));
        assert!(!can_reach(global, &"192.0.2.1:7".parse().unwrap()));
    }
}
