//! What TCP knows of a connection: on Linux by `sock_diag(7)`, elsewhere nothing.

#[cfg(any(target_os = "linux", target_os = "android"))]
pub use self::linux::flight;

/// What is under way on a connected socket: here the system does not say.
#[must_use]
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn flight(_stream: &impl std::os::fd::AsFd) -> Option<towline_core::conn::Flight> {
    None
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux {
    use std::net::{IpAddr, SocketAddr};
    use std::os::fd::AsFd;
    use std::time::Duration;

    use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with};
    use socket2::SockRef;
    use towline_core::conn::Flight;

    /// Of `netlink(7)` and `sock_diag(7)`.
    const BY_FAMILY: u16 = 20;
    const REQUEST: u16 = 1;
    const INFO: u16 = 2;
    const HEAD: usize = 16;
    const MESSAGE: usize = 72;

    /// What is under way on a connected socket; `None` if the system does not say.
    #[must_use]
    pub fn flight(stream: &impl AsFd) -> Option<Flight> {
        let socket = SockRef::from(stream);
        let (local, peer) = (socket.local_addr().ok()?.as_socket()?, socket.peer_addr().ok()?.as_socket()?);
        let flags = SocketFlags::CLOEXEC;
        let asking = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(netlink::SOCK_DIAG)).ok()?;
        // The kernel answers while it takes the question.
        SockRef::from(&asking).set_read_timeout(Some(Duration::from_millis(100))).ok()?;
        send(&asking, &request(local, peer), SendFlags::empty()).ok()?;
        let mut room = [0; 4096];
        let (_, length) = recv(&asking, &mut room[..], RecvFlags::empty()).ok()?;
        read(room.get(..length)?)
    }

    /// `struct nlmsghdr` and `struct inet_diag_req_v2`.
    fn request(local: SocketAddr, peer: SocketAddr) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD + 56);
        bytes.extend(u32::to_ne_bytes(72));
        bytes.extend(BY_FAMILY.to_ne_bytes());
        bytes.extend(REQUEST.to_ne_bytes());
        bytes.extend([0; 8]);
        // Family, TCP, the piece of information wanted, padding; then every state.
        bytes.extend([if local.is_ipv4() { 2 } else { 10 }, 6, 1 << (INFO - 1), 0]);
        bytes.extend(u32::MAX.to_ne_bytes());
        bytes.extend(local.port().to_be_bytes());
        bytes.extend(peer.port().to_be_bytes());
        for ip in [local.ip(), peer.ip()] {
            let mut octets = [0; 16];
            match ip {
                IpAddr::V4(ip) => octets[..4].copy_from_slice(&ip.octets()),
                IpAddr::V6(ip) => octets = ip.octets(),
            }
            bytes.extend(octets);
        }
        let scope = match local {
            SocketAddr::V6(local) => local.scope_id(),
            SocketAddr::V4(_) => 0,
        };
        bytes.extend(scope.to_ne_bytes());
        // No cookie.
        bytes.extend([0xff; 8]);
        bytes
    }

    /// Finds `struct tcp_info` among the attributes after `struct inet_diag_msg`.
    fn read(answer: &[u8]) -> Option<Flight> {
        if u16_at(answer, 4)? != BY_FAMILY {
            return None;
        }
        let mut rest = answer.get(HEAD + MESSAGE..)?;
        loop {
            let length = usize::from(u16_at(rest, 0)?);
            let body = rest.get(4..length)?;
            if u16_at(rest, 2)? == INFO {
                return info(body);
            }
            rest = rest.get(length.next_multiple_of(4)..)?;
        }
    }

    fn info(info: &[u8]) -> Option<Flight> {
        let (acked, sent, again) = (u64_at(info, 120)?, u64_at(info, 200)?, u64_at(info, 208)?);
        Some(Flight {
            // The SYN counts as acknowledged, and not as sent.
            unacked: if u32_at(info, 24)? == 0 { 0 } else { sent.saturating_sub(again).saturating_sub(acked).max(1) },
            acked,
            retries: u32::from(*info.get(2)?),
            gaps: u64::from(u32_at(info, 224)?),
        })
    }

    fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
        Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
    }

    fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
        Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
    }

    fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
        Some(u64::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
#[allow(clippy::unwrap_used, reason = "a failure fails the test")]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    use super::flight;

    #[test]
    fn the_system_says_what_is_acknowledged_in_both_families() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let mut here = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (mut there, _) = listener.accept().unwrap();
            here.write_all(&[7; 1000]).unwrap();
            there.read_exact(&mut [0; 1000]).unwrap();
            let seen = flight(&here).unwrap();
            assert_eq!((seen.unacked, seen.retries, seen.gaps), (0, 0, 0));
            assert!((1000..=1001).contains(&seen.acked), "{seen:?}");
        }
    }
}
