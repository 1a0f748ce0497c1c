//! `T01`: dialling and listening.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        101,
        "the name does not exist or has no address",
        (Fault::Config, Retry::Never),
        "A daemon was to be dialled by name, and the resolver of this machine says that there is no such name, or that it \
         has no address.",
        "Correct `address` in the resource, or add the name to DNS or /etc/hosts of the machine that dials. Names are \
         resolved where the dialling daemon runs, so a name that works on your desk may not work there.",
    ),
    entry(
        102,
        "the resolver cannot say at the moment",
        (Fault::Network, Retry::Backoff),
        "The resolver did not answer, or said that it could not. Nothing is known about the name itself. The look-up is \
         repeated until the connect time-out.",
        "Check that the DNS servers of the dialling machine can be reached. A literal address in `address` needs no resolver.",
    ),
    entry(
        103,
        "connection refused",
        (Fault::Network, Retry::Backoff),
        "The host answered that nothing listens on this port. The network works.",
        "Start the daemon on that host, and compare its `port` and `listen` with the port dialled. A firewall that rejects \
         with a reset looks the same.",
    ),
    entry(
        104,
        "no answer when connecting",
        (Fault::Network, Retry::Backoff),
        "Nothing at all came back, neither yes nor no. That is how a firewall that drops packets looks, a host that is \
         off, or an address behind a NAT box that does not forward the port.",
        "Try the port from the dialling host. If the other side cannot be reached by design, let it dial instead \
         (client-initiated connections) or give it a LAN address that can be reached from here.",
    ),
    entry(
        105,
        "host or network unreachable",
        (Fault::Network, Retry::Backoff),
        "A router on the way said that it knows no way to the network of the address, or that the host does not answer it.",
        "Follow the way with `traceroute` from the dialling host: the last router shown has the gap, or the host beyond it \
         is off. The other addresses of the name are tried as well.",
    ),
    entry(
        106,
        "cannot connect",
        (Fault::Network, Retry::Backoff),
        "The system could not make the connection, for a reason that has no code of its own. The log line has its words.",
        "Read the log line, then try the same address and port by hand from the dialling host.",
    ),
    entry(
        107,
        "the dial was called off",
        (Fault::Local, Retry::Never),
        "The daemon no longer wanted the connection: its job was cancelled, or it is stopping.",
        "Nothing needs to be done.",
    ),
    entry(
        108,
        "the connection was reset while connecting",
        (Fault::Network, Retry::Backoff),
        "Something broke the connection in its first moment: the host itself, or a firewall on the way that answers in \
         its name.",
        "Look for a firewall between the two hosts that rejects with a reset, and for a connection limit at the other daemon.",
    ),
    entry(
        109,
        "the source address is not one of this machine's",
        (Fault::Config, Retry::Backoff),
        "`source_address` names an address that no interface of this machine has, or one of another family than the \
         address dialled.",
        "Correct or remove `source_address`.",
    ),
    entry(
        110,
        "too many connections that are not authenticated",
        (Fault::Peer, Retry::Backoff),
        "Connections were refused because too many others had not shown their password yet. Each may take only a while, \
         so that strangers cannot use up the daemon.",
        "Find out who opens them: a port scanner, a monitoring probe, or many clients that start at the same minute. For \
         the latter raise `max_unauthenticated`, or spread the schedule.",
    ),
    entry(
        111,
        "this machine forbids the connection",
        (Fault::Local, Retry::Never),
        "The system of the dialling host refused to connect: a rule of its own firewall, a route of the type `prohibit`, or \
         a security policy. A rule does not change by itself, so the dial is not repeated.",
        "Look at the local firewall, `ip route get`, SELinux or AppArmor and the unit file of the service for what forbids it.",
    ),
    entry(
        112,
        "no descriptors or memory left to connect",
        (Fault::Local, Retry::Backoff),
        "The dialling host has reached one of its own limits, as a rule that of open files. The dial is repeated until the \
         connect time-out.",
        "Raise the limit of open files: `LimitNOFILE` in the unit file of the service that dials, or `ulimit -Hn` where it is \
         started. `ss -tanp` shows which program holds so many connections.",
    ),
    entry(
        113,
        "no address of the family of the source address",
        (Fault::Config, Retry::Never),
        "`source_address` binds outgoing connections to an address of one family, IPv4 or IPv6, and the name that was to \
         be dialled has addresses of the other family only. A source address of one link (fe80::…) reaches only addresses \
         of that link.",
        "Correct or remove `source_address`, or give the peer's name an address of the same family.",
    ),
    entry(
        114,
        "a link-local address without its interface",
        (Fault::Config, Retry::Never),
        "IPv6 addresses that begin with fe80 exist on every link, so the system must be told which of its interfaces has \
         the link that is meant.",
        "Write the interface after the address: `fe80::1%eth0`, or by its number `fe80::1%3`. It is the interface of the \
         machine that dials or listens, which may differ from machine to machine.",
    ),
    entry(
        115,
        "the interface of a link-local address is not there",
        (Fault::Config, Retry::Backoff),
        "The address to be dialled names an interface after a `%`, and this machine has none of this name at the moment.",
        "Correct the name, as `ip link` shows it on the machine that dials, or bring the interface up. The dial is \
         repeated until the connect time-out.",
    ),
    entry(
        116,
        "this machine does not speak the family of the address",
        (Fault::Network, Retry::Backoff),
        "The address dialled is of a family that the system of the dialling host does not have: as a rule IPv6, switched \
         off in the kernel.",
        "Give the peer an address of the other family, by another name if need be, or switch the family on.",
    ),
    entry(
        117,
        "this machine has no route to the address",
        (Fault::Local, Retry::Backoff),
        "The dialling host has no route that leads to the address, or one of the types `unreachable` or `blackhole`. That \
         is so while an interface or a tunnel is down, and for IPv6 addresses on a host with IPv4 only.",
        "Compare `ip route get ADDRESS` with what you expect, and see whether the interface is up. The dial is repeated \
         until the connect time-out, and at once when the network of this host changes.",
    ),
    entry(
        118,
        "nothing on the link answers for the address",
        (Fault::Network, Retry::Backoff),
        "The dialling host asked its link who has the address, or the router to it, and nobody answered (ARP, or neighbour \
         discovery). After three seconds it gave up.",
        "See whether the host is on and in the same network as its address says. If the address is in another network, the \
         router of this host is off or wrong.",
    ),
    entry(
        119,
        "a firewall on the way rejects the connection",
        (Fault::Network, Retry::Never),
        "A firewall between the two hosts, or at the other one, answered that the connection is prohibited. That is a rule, \
         which does not change by itself, so the dial is not repeated.",
        "Allow connections from the dialling host to this address and port in that firewall, or let the other side dial \
         (client-initiated connections, passive clients).",
    ),
    entry(
        120,
        "the address to listen on is taken",
        (Fault::Config, Retry::Never),
        "Another program listens on this address and port already. Often it is an older copy of the same daemon, or the \
         Bareos daemon that Towline is to replace.",
        "Stop the other program, or give one of the two another `port`.",
    ),
    entry(
        121,
        "no address to listen on is left",
        (Fault::Config, Retry::Never),
        "None of the configured addresses could be opened, so nobody could ever connect. The daemon ends.",
        "The lines before this one in the log say for each address why. Solve one of them and start the daemon again.",
    ),
    entry(
        122,
        "the address to listen on is not one of this machine's",
        (Fault::Config, Retry::Backoff),
        "`listen` names an address that no interface has at the moment. The daemon goes on with its other addresses, and \
         binds this one as soon as it is there.",
        "If the address comes with an interface that is slower than the daemon, nothing needs to be done; else correct \
         `listen`. `0.0.0.0` and `::` stand for all addresses, whenever they come.",
    ),
    entry(
        123,
        "no permission to listen",
        (Fault::Local, Retry::Never),
        "The system lets this user not listen on the port. Ports below 1024 need a privilege, and a security policy may \
         forbid others.",
        "Use a port above 1023 or give the service the capability to bind low ports. See what SELinux or AppArmor reported.",
    ),
    entry(
        124,
        "no descriptors or memory left to listen",
        (Fault::Local, Retry::Backoff),
        "The machine or the limits of the service leave no room for one more socket.",
        "Raise the limit of open files of the service and start it again. Until then it is tried every few seconds.",
    ),
    entry(
        125,
        "cannot listen",
        (Fault::Local, Retry::Never),
        "The system could not open the listener, for a reason that has no code of its own. The log line has its words.",
        "Read the log line, and try with `listen` set to a single address.",
    ),
    entry(
        126,
        "waiting for the first address to listen on",
        (Fault::Config, Retry::Backoff),
        "None of the addresses in `listen` exists yet, as may be while a machine starts. The daemon waits and can be \
         reached as soon as one of them is there; what it does of its own accord it does meanwhile.",
        "If none of them ever comes, correct `listen`.",
    ),
    entry(
        127,
        "the address to listen on is of a family that this machine does not speak",
        (Fault::Config, Retry::Never),
        "The system has no support for this family of addresses: as a rule IPv6, switched off in the kernel. For `::` this \
         is said once and does no harm: the addresses of IPv4 are all there are.",
        "Remove the address from `listen`, or switch the family on and start the daemon again.",
    ),
    entry(
        128,
        "the interface to listen on is not there",
        (Fault::Config, Retry::Backoff),
        "An address in `listen` names an interface after a `%`, and this machine has none of this name at the moment. \
         The address is bound when the interface comes.",
        "Compare the name with what `ip link` shows, if the interface is there under another.",
    ),
    entry(
        129,
        "no local port is left to connect from",
        (Fault::Local, Retry::Backoff),
        "Each connection to the same address and port needs a port of its own on this side, and all in the range of the \
         system are taken: by connections, or by those that ended a moment ago.",
        "Find with `ss -tan` what opens so many connections. Widen `net.ipv4.ip_local_port_range`, and give the daemon no \
         `source_address` if it does without: that keeps a port from being used for several peers.",
    ),
    entry(
        130,
        "large packets are lost on the way",
        (Fault::Network, Retry::Backoff),
        "A connection was made and then stood still; with small packets (536 bytes) it works. So something on the way, often \
         a tunnel or a VPN, carries less than the network interfaces say (its MTU is smaller), and a firewall holds back \
         the ICMP messages that would say so. Small packets are used for an hour; they are slower.",
        "Let ICMP \"fragmentation needed\" and ICMPv6 \"packet too big\" through, clamp the MSS at the router of the tunnel, or \
         lower the MTU of this host's interface; `ping -M do -s 1472` and smaller finds the size that passes.",
    ),
    entry(
        131,
        "large packets of this host are lost on a connection in use",
        (Fault::Network, Retry::Backoff),
        "What was sent is not acknowledged however often it is sent again, while small packets get through. The connection \
         may stand until TCP gives up, after about 15 minutes; the next one that this daemon dials to this peer uses small \
         packets.",
        "Find what on the way carries less than the MTU of this host's interface, above all tunnels and VPNs. Let ICMP \
         \"fragmentation needed\" through to this host, or lower its MTU.",
    ),
    entry(
        132,
        "large packets of the peer are lost on a connection in use",
        (Fault::Network, Retry::Backoff),
        "Packets of the peer arrive while others that it sent before them stay away, though it sends those again. Small ones get through and \
         large ones do not.",
        "Find what on the way carries less than the MTU of the peer's interface. Let ICMP \"fragmentation needed\" through \
         to the peer, or lower its MTU.",
    ),
    entry(
        133,
        "what this host sends is no longer acknowledged",
        (Fault::Network, Retry::Backoff),
        "The connection is not closed, but nothing that was sent has been acknowledged for a while, however often it is \
         sent again. The peer may be gone, or the way to it; or the way has changed to one that swallows large packets.",
        "See whether the peer still runs and answers. If `ping` with small packets works and `ping -M do -s 1472` does not, \
         it is the MTU of the way.",
    ),
];
