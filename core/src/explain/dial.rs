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
         instead of dropping looks the same.",
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
        "A router, or this machine itself, knows no way to the address.",
        "Check routes and interfaces of the dialling host. An IPv6 address of a host with IPv4 only gives this too; the \
         other addresses of the name are tried as well.",
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
        "The daemon did not want the connection any more: its job was cancelled, or it is stopping.",
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
        (Fault::Local, Retry::Backoff),
        "The system of the dialling host refused to connect: a local firewall rule or a security policy.",
        "Look at the local firewall, SELinux or AppArmor and the unit file of the service for what forbids it.",
    ),
    entry(
        112,
        "no descriptors, memory or ports left to connect",
        (Fault::Local, Retry::Backoff),
        "The dialling host has reached one of its own limits.",
        "Raise the limit of open files of the service, and see which program holds so many connections.",
    ),
    entry(
        113,
        "no address of the family of the source address",
        (Fault::Config, Retry::Never),
        "`source_address` binds outgoing connections to an address of one family, IPv4 or IPv6, and the name that was to \
         be dialled has addresses of the other family only.",
        "Correct or remove `source_address`, or give the peer's name an address of the same family.",
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
        (Fault::Config, Retry::Never),
        "`listen` names an address that no interface has, or a family that the machine does not speak. With `*` a machine \
         without IPv6 says this once, and it does no harm.",
        "Correct `listen`, or start the daemon after the interface has its address. `*` listens on all of them.",
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
        "Raise the limit of open files of the service and start it again.",
    ),
    entry(
        125,
        "cannot listen",
        (Fault::Local, Retry::Backoff),
        "The system could not open the listener, for a reason that has no code of its own. The log line has its words.",
        "Read the log line, and try with `listen` set to a single address.",
    ),
];
