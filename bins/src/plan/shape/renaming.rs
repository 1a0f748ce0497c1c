//! Names, addresses, ports and passwords that mean nothing but themselves, and back: what was called so in a trial gets its
//! real name again, in texts too.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use towline_core::config::Password;

use super::super::topology::prefix_of;

/// What a name begins and ends with; its number is between.
const MARK: (&str, &str) = ("zq", "qz");
/// What is before the first port.
const PORTS: u16 = 61_000;
/// The one name that all hosts see in their own way.
const LOCAL: &str = "localhost";
/// What the outermost network consists of, if it does not consist of everything.
pub(super) const OPEN: [&str; 2] = ["198.18.0.0/15", "2001:db8::/32"];

/// Who is called what. What is met first has the first number.
#[derive(Clone, Debug, Default)]
pub(super) struct Renaming {
    /// The outermost network; nothing: every address.
    open: Vec<(IpAddr, u8)>,
    names: BTreeMap<String, usize>,
    real_names: Vec<String>,
    addresses: BTreeMap<IpAddr, IpAddr>,
    real_addresses: BTreeMap<IpAddr, IpAddr>,
    ports: BTreeMap<u16, u16>,
    real_ports: BTreeMap<u16, u16>,
    /// The keys of passwords.
    keys: Vec<Vec<u8>>,
    /// Which of them was met when: no other text of a configuration shows them.
    pub(super) met: Vec<usize>,
}

impl Renaming {
    /// Nobody is called anything yet; the outermost network has these addresses.
    pub(super) fn new(open: &[String]) -> Self {
        Self { open: open.iter().filter_map(|text| prefix_of(text)).collect(), ..Self::default() }
    }

    /// The ranges that the addresses of the outermost network are in.
    pub(super) fn open(&self) -> Vec<String> {
        if self.open.is_empty() { Vec::new() } else { OPEN.map(str::to_owned).to_vec() }
    }

    /// What a name is called.
    pub(super) fn name(&mut self, real: &str) -> String {
        if real == LOCAL {
            return real.to_owned();
        }
        let next = self.real_names.len();
        let number = *self.names.entry(real.to_owned()).or_insert(next);
        if number == next {
            self.real_names.push(real.to_owned());
        }
        format!("{}{number}{}", MARK.0, MARK.1)
    }

    /// The same, if it has been met.
    pub(super) fn known_name(&self, real: &str) -> Option<String> {
        self.names.get(real).map(|number| format!("{}{number}{}", MARK.0, MARK.1))
    }

    /// The address that stands for one. Whether it is in the outermost network is the same of both.
    pub(super) fn address(&mut self, real: IpAddr) -> IpAddr {
        if is_special(real) {
            self.addresses.insert(real, real);
            return real;
        }
        let number = u32::try_from(self.addresses.len()).unwrap_or(u32::MAX).saturating_add(1);
        let is_open = self.open.is_empty() || self.open.iter().any(|(of, bits)| holds(*of, *bits, real));
        let free = || match (real, is_open) {
            (IpAddr::V4(_), true) => IpAddr::V4(Ipv4Addr::from_bits(0xC612_0000 | number)),
            (IpAddr::V4(_), false) => IpAddr::V4(Ipv4Addr::from_bits(0x0A00_0000 | number)),
            (IpAddr::V6(_), true) => IpAddr::V6(Ipv6Addr::from_bits((0x2001_0DB8 << 96) | u128::from(number))),
            (IpAddr::V6(_), false) => IpAddr::V6(Ipv6Addr::from_bits((0xFD00 << 112) | u128::from(number))),
        };
        let stands = *self.addresses.entry(real).or_insert_with(free);
        self.real_addresses.insert(stands, real);
        stands
    }

    /// All addresses that were met, and what stands for them.
    pub(super) const fn addresses(&self) -> &BTreeMap<IpAddr, IpAddr> {
        &self.addresses
    }

    /// The port that stands for one.
    pub(super) fn port(&mut self, real: u16) -> u16 {
        if real == 0 {
            return real;
        }
        let number = u16::try_from(self.ports.len()).unwrap_or(u16::MAX);
        let next = PORTS.saturating_add(1).saturating_add(number);
        let stands = *self.ports.entry(real).or_insert(next);
        self.real_ports.insert(stands, real);
        stands
    }

    /// All ports that were met, and what stands for them.
    pub(super) const fn ports(&self) -> &BTreeMap<u16, u16> {
        &self.ports
    }

    /// The password that stands for one: two that make the same key are the same.
    pub(super) fn password(&mut self, real: &Password) -> Password {
        if real.is_empty() {
            self.met.push(usize::MAX);
            return real.clone();
        }
        let key = real.key().expose().to_vec();
        let known = self.keys.iter().position(|known| *known == key);
        let number = known.unwrap_or_else(|| {
            self.keys.push(key);
            self.keys.len() - 1
        });
        self.met.push(number);
        Password::new(format!("the key with the number {number}"))
    }

    /// The real socket.
    pub(super) fn real_socket(&self, socket: SocketAddr) -> SocketAddr {
        SocketAddr::new(self.real_address(socket.ip()), self.real_port(socket.port()))
    }

    fn real_address(&self, address: IpAddr) -> IpAddr {
        self.real_addresses.get(&address).copied().unwrap_or(address)
    }

    fn real_port(&self, port: u16) -> u16 {
        self.real_ports.get(&port).copied().unwrap_or(port)
    }

    /// A text with the real names, addresses and ports.
    pub(super) fn real(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let follows_word = out.ends_with(|last: char| last.is_ascii_alphanumeric() || last == '.');
            let found = self.name_at(rest).or_else(|| if follows_word { None } else { self.address_at(rest) });
            let found = found.or_else(|| {
                let follows_port = out.ends_with(':') || ["port ", "ports "].iter().any(|word| out.ends_with(word));
                if follows_port { self.port_at(rest) } else { None }
            });
            let (real, length) = found.unwrap_or_else(|| (first.to_string(), first.len_utf8()));
            out.push_str(&real);
            rest = rest.get(length..).unwrap_or_default();
        }
        out
    }

    /// The real name of what a text begins with, and how long that is.
    fn name_at(&self, text: &str) -> Option<(String, usize)> {
        let inner = text.strip_prefix(MARK.0)?;
        let (number, _) = inner.split_once(MARK.1)?;
        let real = self.real_names.get(number.parse::<usize>().ok()?)?;
        Some((real.clone(), MARK.0.len() + number.len() + MARK.1.len()))
    }

    /// The same of an address, with its port if one follows.
    fn address_at(&self, text: &str) -> Option<(String, usize)> {
        let is_part = |c: char| c.is_ascii_hexdigit() || c == '.' || c == ':';
        let run = text.split(|c: char| !is_part(c)).next()?.trim_end_matches(['.', ':']);
        if let Ok(socket) = run.parse::<SocketAddr>() {
            return Some((self.real_socket(socket).to_string(), run.len()));
        }
        let address = run.parse::<IpAddr>().ok()?;
        Some((self.real_addresses.get(&address)?.to_string(), run.len()))
    }

    fn port_at(&self, text: &str) -> Option<(String, usize)> {
        let digits = text.split(|c: char| !c.is_ascii_digit()).next()?;
        let real = self.real_ports.get(&digits.parse().ok()?)?;
        Some((real.to_string(), digits.len()))
    }
}

/// Whether an address says more than who has it.
fn is_special(address: IpAddr) -> bool {
    let is_on_link = match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_unicast_link_local() || address.to_ipv4_mapped().is_some(),
    };
    is_on_link || address.is_loopback() || address.is_unspecified() || address.is_multicast()
}

fn holds(of: IpAddr, bits: u8, address: IpAddr) -> bool {
    towline_simtests::range::Prefix { address: of, bits }.holds(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_get_their_real_names_addresses_and_ports_again() {
        let mut renaming = Renaming::new(&["192.0.2.0/24".to_owned()]);
        let (store, dot) = (renaming.name("store"), renaming.name("a.b-c"));
        let inner = renaming.address([192, 168, 7, 9].into());
        let outer = renaming.address([192, 0, 2, 77].into());
        let six = renaming.address("2001:db8:7::9".parse().unwrap());
        let port = renaming.port(9102);
        assert_eq!(inner, IpAddr::from([10, 0, 0, 1]));
        assert_eq!(outer, IpAddr::from([198, 18, 0, 2]));
        let text = format!(
            "{store}-dir: job.{dot}_1 at {inner}:{port}: {outer}. [{six}]:{port} {six} port {port} of {dot}:{port}, \
             {port} bytes, 1{inner}, 12:30:01 a: f00d é 10.0.0.200"
        );
        let real = "store-dir: job.a.b-c_1 at 192.168.7.9:9102: 192.0.2.77. [2001:db8:7::9]:9102 2001:db8:7::9 port 9102 of \
                    a.b-c:9102, 61001 bytes, 110.0.0.1, 12:30:01 a: f00d é 10.0.0.200";
        assert_eq!(renaming.real(&text), real);
    }

    #[test]
    fn what_means_more_than_itself_stays() {
        let mut renaming = Renaming::new(&[]);
        for address in ["127.0.0.1", "0.0.0.0", "::", "::1", "fe80::1", "169.254.1.1", "255.255.255.255"] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(renaming.address(address), address);
        }
        assert_eq!((renaming.name(LOCAL), renaming.port(0)), (LOCAL.to_owned(), 0));
        let [one, other] = [renaming.password(&Password::new("a")), renaming.password(&Password::new("b"))];
        assert!(one != other && one == renaming.password(&Password::new("a")));
        assert_eq!(renaming.met, [0, 1, 0]);
        assert!(renaming.password(&Password::new("")).is_empty());
    }
}
