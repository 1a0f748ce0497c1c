//! Ranges of addresses and of ports, as rules and routes name them.

use std::net::IpAddr;
use std::ops::RangeInclusive;

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// One of its addresses.
    pub address: IpAddr,
    /// How many bits at the beginning all of them share.
    pub bits: u8,
}

impl Prefix {
    /// Whether an address is in it.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                same_head(own.to_bits().into(), other.to_bits().into(), 32, self.bits)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => same_head(own.to_bits(), other.to_bits(), 128, self.bits),
            _ => false,
        }
    }
}

impl From<IpAddr> for Prefix {
    /// This address alone.
    fn from(address: IpAddr) -> Self {
        Self { address, bits: if address.is_ipv4() { 32 } else { 128 } }
    }
}

/// A range of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The first one.
    pub first: u16,
    /// The last one; it belongs to them.
    pub last: u16,
}

impl Ports {
    /// Whether a port is one of them.
    #[must_use]
    pub const fn holds(&self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }
}

impl From<u16> for Ports {
    /// This port alone.
    fn from(port: u16) -> Self {
        Self { first: port, last: port }
    }
}

impl From<RangeInclusive<u16>> for Ports {
    fn from(range: RangeInclusive<u16>) -> Self {
        Self { first: *range.start(), last: *range.end() }
    }
}

/// Whether two numbers of this width are the same in their first bits.
fn same_head(own: u128, other: u128, width: u32, bits: u8) -> bool {
    let rest = width.saturating_sub(u32::from(bits));
    rest >= 128 || own >> rest == other >> rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_holds_its_own_family_from_its_first_address_to_its_last() {
        let holds = |address: &str, bits, other: &str| {
            let [address, other] = [address, other].map(|text| text.parse().expect("an address"));
            Prefix { address, bits }.holds(other)
        };
        for (address, bits, first, last, past) in [
            ("192.0.2.10", 29, "192.0.2.8", "192.0.2.15", "192.0.2.16"),
            ("2001:db8::a", 125, "2001:db8::8", "2001:db8::f", "2001:db8::10"),
            ("192.0.2.1", 32, "192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ] {
            assert!(holds(address, bits, first) && holds(address, bits, last), "{address}/{bits}");
            assert!(!holds(address, bits, past), "{address}/{bits} and {past}");
        }
        assert!(holds("::", 0, "2001:db8::1") && !holds("::", 0, "192.0.2.1") && !holds("0.0.0.0", 0, "::1"));
        assert!(Prefix::from(IpAddr::from([192, 0, 2, 1])).holds([192, 0, 2, 1].into()));
    }

    #[test]
    fn a_range_of_ports_has_both_its_ends() {
        let ports = Ports::from(9101..=9103);
        assert_eq!([9100, 9101, 9103, 9104].map(|port| ports.holds(port)), [false, true, true, false]);
        assert!(Ports::from(9102).holds(9102) && !Ports::from(9102).holds(9103));
    }
}
