//! Whether there is a port to listen on, looked at before a daemon touches anything: a second one of the same configuration
//! is told of its port, and not of a lock that it has only run into because it is the second.

use std::net::SocketAddr;

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with, sockopt};
use towline_core::address::Endpoint;
use towline_core::drive::io_kind;
use towline_core::error::Explain as _;
use towline_core::node::{BindError, EXIT_NO_LISTENER};
use towline_core::socket::IoKind;

use super::StartError;

/// Refuses to start where other programs have all that the node would listen on. Whatever else is wrong with an address,
/// the node says; it binds them for good, too.
///
/// # Errors
/// All are taken; the text names the first.
pub(super) fn refuse_taken(wanted: impl IntoIterator<Item = Endpoint>) -> Result<(), StartError> {
    let mut first = None;
    for on in wanted {
        // Only the node knows the number of an interface.
        if on.address.interface().is_some() || !is_taken(on.address.with_port(on.port, 0)) {
            return Ok(());
        }
        first.get_or_insert(on);
    }
    let Some(on) = first else { return Ok(()) };
    let failure = BindError::System { on, error: IoKind::InUse };
    let text = format!("{}: {failure}; {}", failure.code(), failure.help());
    Err(StartError { text, exit: EXIT_NO_LISTENER })
}

/// Whether an address is another program's, asked for as the runtimes do.
fn is_taken(on: SocketAddr) -> bool {
    let family = if on.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let bind = || {
        let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        if on.is_ipv6() {
            sockopt::set_ipv6_v6only(&socket, true)?;
        }
        bind(&socket, &on)?;
        listen(&socket, 1)
    };
    bind().is_err_and(|error| io_kind(&error.into()) == IoKind::InUse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn at(listener: &TcpListener) -> Endpoint {
        Endpoint::parse("127.0.0.1", listener.local_addr().unwrap().port()).unwrap()
    }

    #[test]
    fn a_daemon_whose_addresses_are_all_taken_is_refused() {
        let (one, other) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let error = refuse_taken([at(&one), at(&other)]).unwrap_err();
        assert_eq!(error.exit, 69);
        let start = format!("T0120: cannot listen on {}", at(&one));
        assert!(error.text.starts_with(&start), "{}", error.text);
        let free = Endpoint::parse("127.0.0.1", 0).unwrap();
        assert_eq!(refuse_taken([at(&one), free.clone()]), Ok(()));
        assert_eq!(refuse_taken([free]), Ok(()));
        assert_eq!(refuse_taken([]), Ok(()));
        // One that is not there may come.
        assert_eq!(refuse_taken([at(&one), Endpoint::parse("192.0.2.1", 9).unwrap()]), Ok(()));
    }
}
