//! Sockets and their options: the same for all adapters.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use towline_core::error::Code;
use towline_core::explain::complaint;

use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, TcpKeepalive, Type};
use towline_core::drive::{DialOrder, ListenOrder, connect_kind, source_kind};
use towline_core::socket::{Ends, SocketOptions};

use super::icmp;

/// Begins to connect and does not wait; ask [`connected`] once the socket can be written.
///
/// # Errors
/// What the system says at once, for `io_kind`.
pub fn connect(order: &DialOrder) -> io::Result<TcpStream> {
    let socket = open(order.to)?;
    set_options(&socket, order.socket);
    if let Some(source) = order.source() {
        socket.bind(&source.into()).map_err(|error| io::Error::other(source_kind(&error)))?;
    }
    icmp::listen(&socket, order.to.is_ipv6(), true);
    match socket.connect(&order.to.into()) {
        Err(error) if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {
            Err(io::Error::other(connect_kind(&error, None, || has_way(order))))
        }
        Ok(()) | Err(_) => Ok(socket.into()),
    }
}

/// The number of the interface with this name now.
#[must_use]
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn interface(name: &str) -> Option<u32> {
    // Any socket will do to ask.
    let asking = Socket::new(Domain::UNIX, Type::DGRAM, None).ok()?;
    rustix::net::netdevice::name_to_index(asking, name).ok()
}

/// The number of the interface with this name now.
#[must_use]
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn interface(name: &str) -> Option<u32> {
    use std::net::ToSocketAddrs as _;
    // A literal address asks no name server.
    let mut found = (format!("fe80::1%{name}").as_str(), 0).to_socket_addrs().ok()?;
    found.find_map(|address| match address {
        SocketAddr::V6(v6) => Some(v6.scope_id()).filter(|&index| index != 0),
        SocketAddr::V4(_) => None,
    })
}

/// Both ends of a socket that [`connect`] began to connect.
///
/// # Errors
/// `WouldBlock` if it is still connecting, or why it cannot, for `io_kind`.
pub fn connected(stream: &impl AsFd) -> io::Result<Ends> {
    let socket = SockRef::from(stream);
    if let Some(error) = socket.take_error()? {
        return Err(io::Error::other(connect_kind(&error, icmp::heard(stream), || true)));
    }
    match ends(&socket) {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Err(io::ErrorKind::WouldBlock.into()),
        Err(error) => Err(error),
        Ok(ends) => {
            // A connection that stands outlives what a router says.
            icmp::listen(stream, ends.peer.is_ipv6(), false);
            Ok(ends)
        }
    }
}

/// Whether the system would send to this address, from one of its own. Nothing is sent: a UDP socket is only told.
fn has_way(order: &DialOrder) -> bool {
    let Ok(socket) = Socket::new(Domain::for_address(order.to), Type::DGRAM, Some(Protocol::UDP)) else { return true };
    order.source().is_none_or(|source| socket.bind(&source.into()).is_ok()) && socket.connect(&order.to.into()).is_ok()
}

/// Listens; returns the address bound too.
///
/// # Errors
/// What the system says.
pub fn listen(order: &ListenOrder) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = open(order.on)?;
    socket.set_reuse_address(true)?;
    if order.on.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Buffers are inherited, and the window scale is fixed when a connection comes in.
    set_buffers(&socket, order.socket);
    socket.bind(&order.on.into())?;
    socket.listen(i32::try_from(order.backlog).unwrap_or(i32::MAX))?;
    let listener = TcpListener::from(socket);
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Makes an accepted socket ready for use; returns its ends.
///
/// # Errors
/// The connection is gone already.
pub fn accepted(stream: &impl AsFd, options: SocketOptions) -> io::Result<Ends> {
    let socket = SockRef::from(stream);
    socket.set_nonblocking(true)?;
    set_options(&socket, options);
    ends(&socket)
}

/// Sets what of the options can be set on a connected socket.
pub fn set_keepalive(stream: &impl AsFd, options: SocketOptions) {
    set_options(&SockRef::from(stream), SocketOptions { buffer: None, segment: None, ..options });
}

/// Shuts the write half down. It fails only when the connection is gone, which the next read says better.
pub fn shut_write(stream: &impl AsFd) {
    let _ = SockRef::from(stream).shutdown(Shutdown::Write);
}

fn ends(socket: &Socket) -> io::Result<Ends> {
    let inet = |address: SockAddr| address.as_socket().ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported));
    Ok(Ends { peer: inet(socket.peer_addr()?)?, local: inet(socket.local_addr()?)? })
}

fn open(to: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// An option the system refuses is worth a line in the log, never the connection.
fn set_options(socket: &Socket, options: SocketOptions) {
    note("TCP_NODELAY", socket.set_tcp_nodelay(true));
    note("SO_KEEPALIVE", socket.set_keepalive(true));
    set_buffers(socket, options);
    if let Some(bytes) = options.segment {
        note("TCP_MAXSEG", socket.set_tcp_mss(bytes));
    }
    let Some(keepalive) = options.keepalive else { return };
    let mut times = TcpKeepalive::new().with_time(keepalive.idle).with_interval(keepalive.interval);
    if let Some(probes) = keepalive.probes {
        times = times.with_retries(probes);
    }
    note("TCP keepalive", socket.set_tcp_keepalive(&times));
    #[cfg(target_os = "linux")]
    note("TCP_USER_TIMEOUT", socket.set_tcp_user_timeout(keepalive.user_timeout));
}

fn set_buffers(socket: &Socket, options: SocketOptions) {
    if let Some(bytes) = options.buffer.and_then(|bytes| usize::try_from(bytes).ok()) {
        note("SO_SNDBUF", socket.set_send_buffer_size(bytes));
        note("SO_RCVBUF", socket.set_recv_buffer_size(bytes));
    }
}

fn note(option: &str, outcome: io::Result<()>) {
    if let Err(error) = outcome {
        let text = format!("the system refuses the socket option {option}: {error}");
        tracing::warn!("{}", complaint(Code(922), &text));
    }
}
