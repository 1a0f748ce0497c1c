//! `T053`: what a tray monitor may not do, and what it sees.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        530,
        "a monitor sent a command it may not send",
        (Fault::Peer, Retry::Never),
        "A director with `monitor: true`, or a console whose `command_acl` has no such command, asked for more than it may. \
         It was refused; nothing was done and nobody else noticed.",
        "If it should be allowed, change `monitor` or `command_acl`. If nobody here sends such commands, somebody else \
         knows the monitor's password: change it on both sides.",
    ),
    entry(
        531,
        "a daemon did not answer the monitor in time",
        (Fault::Network, Retry::Backoff),
        "The daemon, or whatever listens at its address, took the connection and then said nothing, or not all of its \
         status. The other daemons are shown all the same.",
        "Ask the daemon from its own machine. If it answers there, something between the two drops packets; if it is only \
         slow, raise `timeout` of the monitor.",
    ),
    entry(
        532,
        "something else greets the monitor",
        (Fault::Peer, Retry::Never),
        "Authentication succeeded, but the first words after it are not those of this kind of daemon.",
        "Check which daemon has the address and port: a file daemon and a storage daemon greet differently.",
    ),
    entry(
        533,
        "the daemon refuses to show the monitor its status",
        (Fault::Config, Retry::Never),
        "The daemon let the monitor in and then refused the question. Its words are quoted.",
        "On a director, give the console of the monitor `command_acl: [\"status\"]`, and `job_acl` and `client_acl` of what it \
         is to see. On a file daemon or a storage daemon set `monitor: true` for the director of the monitor's name.",
    ),
    entry(
        534,
        "a status without end",
        (Fault::Peer, Retry::Backoff),
        "The daemon said more than any status has, so the monitor stopped reading and hung up.",
        "Check what listens at that address. If it is the daemon, its own console shows what it prints.",
    ),
];
