//! Two hosts and the gateway between them in namespaces, with sockets of this process, opened as the daemons open theirs.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use towline_core::drive::{DialOrder, ListenOrder, io_kind, would_block};
use towline_core::socket::{IoKind, SocketOptions};
use towline_runtime_blocking::shared::socket;
use towline_simtests::situations::named;

use crate::support::namespaces::Side::{Inside, Outside};
use crate::support::namespaces::{Namespaces, Side};

/// The port that is dialled.
pub(crate) const PORT: u16 = 9102;
/// How long a word may take, with a retry of TCP.
pub(crate) const WORD: Duration = Duration::from_secs(10);
/// More than any dial takes.
const PATIENCE: Duration = Duration::from_secs(170);
/// The hosts.
const HOSTS: [(&str, Side, u8); 2] = [("inside", Inside, 10), ("outside", Outside, 1)];

/// A family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Family {
    /// An address inside or outside by its last number.
    pub(crate) fn address(self, side: Side, last: u8) -> SocketAddr {
        let text = match (self, side) {
            (Self::V4, Inside) => format!("10.0.0.{last}:{PORT}"),
            (Self::V4, Outside) => format!("192.0.2.{last}:{PORT}"),
            (Self::V6, Inside) => format!("[fd00::{last}]:{PORT}"),
            (Self::V6, Outside) => format!("[2001:db8::{last}]:{PORT}"),
        };
        text.parse().unwrap()
    }

    /// As `nft` names it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::V4 => "ip",
            Self::V6 => "ip6",
        }
    }
}

/// A verdict, and after how many seconds.
pub(crate) type Observed = (&'static str, Option<f64>);

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) net: Namespaces,
    pub(crate) family: Family,
}

impl Lab {
    /// The hosts, and a gateway with these rules.
    pub(crate) fn new(family: Family, loose: bool, rules: &str) -> Self {
        let net = Namespaces::with_hosts(rules, &HOSTS);
        for host in ["gateway", "inside"] {
            net.set(host, "net/netfilter/nf_conntrack_tcp_loose", if loose { "1" } else { "0" });
        }
        if family == Family::V6 {
            net.speak_six(&HOSTS);
        }
        // Who routes has its inner hosts known outside.
        match family {
            Family::V4 => net.ip("outside", "route add 10.0.0.10/32 via 192.0.2.254"),
            Family::V6 => net.ip("outside", "-6 route add fd00::10/128 via 2001:db8::254"),
        }
        Self { net, family }
    }

    /// The host inside is outside too.
    pub(crate) fn second_interface(&self) {
        let address = self.family.address(Outside, 10).ip();
        self.net.plug("inside", "eth1", "switch");
        match self.family {
            Family::V4 => self.net.ip("inside", &format!("addr add {address}/24 dev eth1")),
            Family::V6 => self.net.ip("inside", &format!("addr add {address}/64 dev eth1 nodad")),
        }
    }

    /// A host's own address.
    pub(crate) fn own(&self, host: &str) -> SocketAddr {
        let (_, side, last) = HOSTS.into_iter().find(|(name, ..)| *name == host).unwrap();
        self.family.address(side, last)
    }

    /// The gateway's address outside.
    pub(crate) fn gateway(&self) -> SocketAddr {
        self.family.address(Outside, 254)
    }

    /// Connects as a daemon does on this host.
    pub(crate) fn connect(&self, from: &str, to: SocketAddr, options: SocketOptions) -> Result<TcpStream, IoKind> {
        let give_up = towline_core::time::Instant(u64::MAX);
        let order = DialOrder { to, from: None, socket: options, give_up };
        self.net.within(from, || {
            let stream = socket::connect(&order).map_err(|error| io_kind(&error))?;
            loop {
                assert!(await_any(&[(&stream, PollFlags::OUT)], PATIENCE), "a dial of {to} has no end");
                match socket::connected(&stream) {
                    Ok(_) => return Ok(stream),
                    Err(error) if would_block(&error) => {}
                    Err(error) => return Err(io_kind(&error)),
                }
            }
        })
    }

    /// How a dial ends, and after how many seconds.
    pub(crate) fn dial(&self, from: &str, to: SocketAddr) -> Observed {
        let began = Instant::now();
        let end = self.connect(from, to, SocketOptions::default());
        (named(end.err()), Some(began.elapsed().as_secs_f64()))
    }

    /// Listens on a host.
    pub(crate) fn door(&self, host: &str) -> TcpListener {
        let any: IpAddr = match self.family {
            Family::V4 => Ipv4Addr::UNSPECIFIED.into(),
            Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
        };
        let on = SocketAddr::new(any, PORT);
        let order = ListenOrder { on, socket: SocketOptions::default(), backlog: 16 };
        self.net.within(host, || socket::listen(&order).unwrap().0)
    }

    /// A connection; the dialling end first.
    pub(crate) fn open(
        &self,
        dials: &str,
        answers: &str,
        to: SocketAddr,
        options: SocketOptions,
    ) -> (TcpStream, TcpStream) {
        let door = self.door(answers);
        let dialled = self.connect(dials, to, options).expect("a connection");
        assert!(await_any(&[(&door, PollFlags::IN)], PATIENCE), "nobody at the door");
        let accepted = door.accept().unwrap().0;
        socket::accepted(&accepted, SocketOptions::default()).unwrap();
        (dialled, accepted)
    }

    /// A connection that the host inside has dialled.
    pub(crate) fn outwards(&self, options: SocketOptions) -> (TcpStream, TcpStream) {
        self.open("inside", "outside", self.own("outside"), options)
    }

    /// Between the gateway and the network outside packets of this many bytes pass, and no larger ones: the gateway says so
    /// or not.
    pub(crate) fn narrow_uplink(&self, bytes: u32, tells: bool) {
        self.net.ip("gateway", &format!("link set wan0 mtu {bytes}"));
        if !tells {
            let silent = "icmp type destination-unreachable drop; icmpv6 type packet-too-big drop;";
            let chain = format!("chain c {{ type filter hook output priority filter; {silent} }};");
            self.net.nft("gateway", &format!("table inet silent {{ {chain} }}"));
        }
    }

    /// Has the gateway drop what fits this, which `nft` understands; nothing fits all.
    pub(crate) fn drop_at_gateway(&self, what: &str) {
        self.net.nft("gateway", &format!("add rule inet towline cut {what} drop"));
    }
}

/// One end says a word to the other: whether it comes.
pub(crate) fn says(speaker: &mut TcpStream, hearer: &mut TcpStream, word: &[u8]) -> Observed {
    let began = Instant::now();
    let (mut written, mut heard, mut is_over) = (0, 0, false);
    let mut space = vec![0; word.len() + 1];
    while let Some(left) = WORD.checked_sub(began.elapsed()) {
        if written < word.len() {
            written += speaker.write(&word[written..]).unwrap_or(0);
        }
        let mut of_speaker = if is_over { PollFlags::empty() } else { PollFlags::IN };
        of_speaker.set(PollFlags::OUT, written < word.len());
        await_any(&[(speaker, of_speaker), (hearer, PollFlags::IN)], left);
        let seconds = Some(began.elapsed().as_secs_f64());
        match speaker.read(&mut space) {
            Ok(n) => is_over = n == 0,
            Err(error) if would_block(&error) => {}
            Err(error) => return (named(Some(io_kind(&error))), seconds),
        }
        match hearer.read(&mut space) {
            Ok(n) => heard += n,
            Err(error) if would_block(&error) => {}
            Err(error) => return (named(Some(io_kind(&error))), seconds),
        }
        if heard == word.len() {
            return ("survives", seconds);
        }
    }
    ("swallowed", None)
}

/// One end says a word, which the other one hears, and hears nothing itself.
pub(crate) fn says_and_waits(speaker: &mut TcpStream, hearer: &mut TcpStream) -> Observed {
    let began = Instant::now();
    assert_eq!(says(speaker, hearer, b"word").0, "survives");
    assert!(await_any(&[(speaker, PollFlags::IN)], PATIENCE), "it waits for ever");
    let end = speaker.read(&mut [0; 9]).map_err(|error| io_kind(&error));
    let verdict = if end == Err(IoKind::TimedOut) { "heard, timed out" } else { "heard" };
    (verdict, Some(began.elapsed().as_secs_f64()))
}

/// Waits until one of these is so; false if none is in time.
fn await_any(of: &[(&dyn AsFd, PollFlags)], within: Duration) -> bool {
    let mut fds: Vec<PollFd<'_>> = of.iter().map(|(fd, flags)| PollFd::from_borrowed_fd(fd.as_fd(), *flags)).collect();
    poll(&mut fds, Some(&Timespec::try_from(within).unwrap())).unwrap() > 0
}
