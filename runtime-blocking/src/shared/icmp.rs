//! The ICMP message that ended a dial: only Linux tells it, of a socket that asks for it.

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use self::linux::{heard, listen};

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux {
    use std::io::IoSliceMut;
    use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6, UdpSocket};
    use std::os::fd::{AsFd, AsRawFd as _};

    use nix::libc;
    use nix::sys::socket::sockopt::{Ipv4RecvErr, Ipv6RecvErr};
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt};
    use towline_core::drive::Icmp;

    /// `SO_EE_ORIGIN_ICMP` and `SO_EE_ORIGIN_ICMP6` of `errqueue.h`.
    const ORIGIN_ICMP: u8 = 2;
    const ORIGIN_ICMP6: u8 = 3;

    /// Asks for such messages, or for none any more. Without them an error is told less exactly.
    pub(crate) fn listen(socket: &impl AsFd, v6: bool, wanted: bool) {
        let fd = socket.as_fd();
        let _less_exact =
            if v6 { setsockopt(&fd, Ipv6RecvErr, &wanted) } else { setsockopt(&fd, Ipv4RecvErr, &wanted) };
    }

    /// The first message that has come.
    pub(crate) fn heard(socket: &impl AsFd) -> Option<Icmp> {
        let mut payload = [0; 256];
        let mut slices = [IoSliceMut::new(&mut payload)];
        let mut control = nix::cmsg_space!(libc::sock_extended_err, libc::sockaddr_in6);
        let fd = socket.as_fd().as_raw_fd();
        let message = recvmsg::<SockaddrStorage>(fd, &mut slices, Some(&mut control), MsgFlags::MSG_ERRQUEUE).ok()?;
        message.cmsgs().ok()?.find_map(|control| match control {
            ControlMessageOwned::Ipv4RecvErr(error, from) if error.ee_origin == ORIGIN_ICMP => {
                let from = from.map(|from| IpAddr::from(Ipv4Addr::from(u32::from_be(from.sin_addr.s_addr))));
                Some(icmp(false, &error, from.map(|ip| SocketAddr::new(ip, 0))))
            }
            ControlMessageOwned::Ipv6RecvErr(error, from) if error.ee_origin == ORIGIN_ICMP6 => {
                let from = from.map(|from| SocketAddrV6::new(from.sin6_addr.s6_addr.into(), 0, 0, from.sin6_scope_id));
                Some(icmp(true, &error, from.map(SocketAddr::from)))
            }
            _ => None,
        })
    }

    fn icmp(v6: bool, error: &libc::sock_extended_err, from: Option<SocketAddr>) -> Icmp {
        // Only an address of this machine can be bound.
        let is_own = from.is_some_and(|from| UdpSocket::bind(from).is_ok());
        Icmp { v6, kind: error.ee_type, code: error.ee_code, is_own }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn listen(_socket: &impl std::os::fd::AsFd, _v6: bool, _wanted: bool) {}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn heard(_socket: &impl std::os::fd::AsFd) -> Option<towline_core::drive::Icmp> {
    None
}
