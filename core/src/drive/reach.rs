//! Why a dial has failed: the system has one number for several causes, and more to say than the number.

use std::io::{Error, ErrorKind};

use super::io_kind;
use crate::socket::IoKind;

/// The ICMP message that has ended a dial (RFC 792, RFC 4443 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Icmp {
    /// Whether it is one of ICMPv6.
    pub v6: bool,
    /// Its type.
    pub kind: u8,
    /// Its code.
    pub code: u8,
    /// Whether this machine has sent it to itself.
    pub is_own: bool,
}

impl Icmp {
    /// What it means for a dial; `None` if it is no "destination unreachable".
    fn means(self) -> Option<IoKind> {
        let firewall = if self.is_own { IoKind::Denied } else { IoKind::Prohibited };
        let host = if self.is_own { IoKind::NoNeighbour } else { IoKind::Unreachable };
        match (self.v6, self.kind, self.code) {
            // RFC 1812 §5.2.7.1: ports and protocols are for UDP to refuse; a host refuses a TCP port with a reset.
            (false, 3, 2 | 3 | 9 | 10 | 13..=15) | (true, 1, 1 | 4..=6) => Some(firewall),
            (false, 3, 1 | 7 | 8 | 12) | (true, 1, 3) => Some(host),
            (false, 3, _) | (true, 1, _) => Some(IoKind::Unreachable),
            _ => None,
        }
    }
}

/// Why the socket of a dial cannot have its source address.
#[must_use]
pub fn source_kind(error: &Error) -> IoKind {
    match io_kind(error) {
        // The address is there, and none of its ports is left.
        IoKind::InUse => IoKind::NoPorts,
        kind => kind,
    }
}

/// Why a connect has failed: at once, or later and then perhaps by an ICMP message. `has_way` says whether the system
/// would send anything to this address at all, from an address of its own.
#[must_use]
pub fn connect_kind(error: &Error, icmp: Option<Icmp>, has_way: impl Fn() -> bool) -> IoKind {
    if let Some(kind) = icmp.and_then(Icmp::means) {
        return kind;
    }
    match error.kind() {
        ErrorKind::AddrNotAvailable | ErrorKind::AddrInUse if has_way() => IoKind::NoPorts,
        ErrorKind::AddrNotAvailable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => IoKind::NoRoute,
        // Said at once, routes of the types `unreachable` and `blackhole`.
        ErrorKind::HostUnreachable | ErrorKind::InvalidInput if !has_way() => IoKind::NoRoute,
        _ => io_kind(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn icmp(v6: bool, code: u8, is_own: bool) -> IoKind {
        let icmp = Icmp { v6, kind: if v6 { 1 } else { 3 }, code, is_own };
        connect_kind(&ErrorKind::HostUnreachable.into(), Some(icmp), || true)
    }

    #[test]
    fn a_host_that_is_off_a_router_and_a_firewall_are_told_apart_by_their_icmp_messages() {
        assert_eq!([icmp(false, 1, true), icmp(true, 3, true)], [IoKind::NoNeighbour; 2]);
        assert_eq!([icmp(false, 1, false), icmp(true, 3, false)], [IoKind::Unreachable; 2]);
        assert_eq!([icmp(false, 0, false), icmp(true, 0, false)], [IoKind::Unreachable; 2]);
        for code in [2, 3, 9, 10, 13] {
            assert_eq!([icmp(false, code, false), icmp(false, code, true)], [IoKind::Prohibited, IoKind::Denied]);
        }
        for code in [1, 4, 5, 6] {
            assert_eq!([icmp(true, code, false), icmp(true, code, true)], [IoKind::Prohibited, IoKind::Denied]);
        }
        let quench = Icmp { v6: false, kind: 4, code: 0, is_own: false };
        assert_eq!(connect_kind(&ErrorKind::TimedOut.into(), Some(quench), || true), IoKind::TimedOut);
    }

    #[test]
    fn ports_used_up_are_told_from_a_missing_way_and_a_missing_source_address() {
        let none = ErrorKind::AddrNotAvailable.into();
        assert_eq!(connect_kind(&none, None, || true), IoKind::NoPorts);
        assert_eq!(connect_kind(&none, None, || false), IoKind::NoRoute, "IPv6 without an address of its own");
        assert_eq!(source_kind(&none), IoKind::NotAvailable);
        assert_eq!(source_kind(&ErrorKind::AddrInUse.into()), IoKind::NoPorts);
    }

    #[test]
    fn what_the_system_says_at_once_is_about_its_own_routes_and_rules() {
        let at_once = |kind: ErrorKind| connect_kind(&kind.into(), None, || false);
        for kind in [ErrorKind::NetworkUnreachable, ErrorKind::HostUnreachable, ErrorKind::InvalidInput] {
            assert_eq!(at_once(kind), IoKind::NoRoute, "{kind:?}");
        }
        assert_eq!(at_once(ErrorKind::PermissionDenied), IoKind::Denied);
        assert_eq!(at_once(ErrorKind::ConnectionRefused), IoKind::Refused);
        assert_eq!(connect_kind(&ErrorKind::HostUnreachable.into(), None, || true), IoKind::Unreachable);
    }
}
