//! From the system's words to ours.

use std::io::{Error, ErrorKind};

use crate::socket::IoKind;

/// Process and system out of descriptors: the same on every Unix, and without an `ErrorKind`.
const EMFILE: i32 = 24;
const ENFILE: i32 = 23;
/// No room for socket buffers: Linux, then the BSDs.
const ENOBUFS: [i32; 2] = [105, 55];
/// A family of addresses that the system does not speak: Linux, then the BSDs.
const EAFNOSUPPORT: [i32; 2] = [97, 47];

/// What the system said about a socket, free of the system's numbers. The one place for all adapters.
#[must_use]
pub fn io_kind(error: &Error) -> IoKind {
    // Told by an adapter that knows more than a number.
    if let Some(kind) = error.get_ref().and_then(|inner| inner.downcast_ref::<IoKind>()) {
        return *kind;
    }
    match error.kind() {
        ErrorKind::ConnectionRefused => IoKind::Refused,
        ErrorKind::TimedOut => IoKind::TimedOut,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => IoKind::Unreachable,
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => IoKind::Reset,
        ErrorKind::ConnectionAborted | ErrorKind::NotConnected => IoKind::Aborted,
        ErrorKind::AddrInUse => IoKind::InUse,
        ErrorKind::AddrNotAvailable => IoKind::NotAvailable,
        ErrorKind::PermissionDenied => IoKind::Denied,
        ErrorKind::OutOfMemory => IoKind::Exhausted,
        _ => match error.raw_os_error() {
            Some(number) if EAFNOSUPPORT.contains(&number) => IoKind::NoFamily,
            Some(number) if number == EMFILE || number == ENFILE || ENOBUFS.contains(&number) => IoKind::Exhausted,
            _ => IoKind::Other,
        },
    }
}

/// What an acceptor makes of an error of `accept(2)`: `None` means that the next call may well succeed at once, because the
/// peer has gone again, or what the network said of this one connection was passed on (accept(2), "Error handling").
#[must_use]
pub fn accept_kind(error: &Error) -> Option<IoKind> {
    match error.kind() {
        ErrorKind::Interrupted | ErrorKind::WouldBlock | ErrorKind::ConnectionAborted => None,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => None,
        ErrorKind::ConnectionReset | ErrorKind::TimedOut => None,
        _ => Some(io_kind(error)),
    }
}

/// Whether a call on a non-blocking socket only said that it would have to wait.
#[must_use]
pub fn would_block(error: &Error) -> bool {
    error.kind() == ErrorKind::WouldBlock
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_running_out_is_told_from_other_failures() {
        for number in [EMFILE, ENFILE, ENOBUFS[0], ENOBUFS[1]] {
            assert_eq!(io_kind(&Error::from_raw_os_error(number)), IoKind::Exhausted, "{number}");
        }
        for number in EAFNOSUPPORT {
            assert_eq!(io_kind(&Error::from_raw_os_error(number)), IoKind::NoFamily, "{number}");
        }
        assert_eq!(io_kind(&Error::other("odd")), IoKind::Other);
        assert_eq!(io_kind(&Error::other(IoKind::NoPorts)), IoKind::NoPorts);
    }

    #[test]
    fn an_acceptor_asks_again_at_once_where_only_the_one_connection_is_lost() {
        for kind in [ErrorKind::Interrupted, ErrorKind::ConnectionAborted, ErrorKind::NetworkDown] {
            assert_eq!(accept_kind(&kind.into()), None, "{kind}");
        }
        for number in [EMFILE, ENFILE, ENOBUFS[0]] {
            assert_eq!(accept_kind(&Error::from_raw_os_error(number)), Some(IoKind::Exhausted), "{number}");
        }
        assert_eq!(accept_kind(&ErrorKind::PermissionDenied.into()), Some(IoKind::Denied));
    }

    #[test]
    fn a_write_to_a_closed_peer_counts_as_reset() {
        assert_eq!(io_kind(&ErrorKind::BrokenPipe.into()), IoKind::Reset);
        assert_eq!(io_kind(&ErrorKind::ConnectionRefused.into()), IoKind::Refused);
        assert_eq!(io_kind(&ErrorKind::NetworkUnreachable.into()), IoKind::Unreachable);
    }
}
