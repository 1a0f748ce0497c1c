//! `T099`: the port at which programs and people see the director's state.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        990,
        "other machines can ask for the director's state in clear text",
        (Fault::Config, Retry::Never),
        "`metrics` of the director is an address that other machines may reach. Names of clients and jobs go over the network in clear \
         text, and with them the token of the page whenever somebody looks at it.",
        "Use an address of this machine alone, such as 127.0.0.1:9109, and let others come through a tunnel of SSH or a server that \
         speaks TLS. Keep the setting where the network is yours alone.",
    ),
    entry(
        991,
        "the port for metrics cannot be had",
        (Fault::Local, Retry::Never),
        "The director cannot listen on the address that `metrics` names, and does not start: monitors would see nothing. The line has the \
         system's reason, mostly that another program has the port.",
        "Give `metrics` a port that is free and an address of this machine, or take it out.",
    ),
    entry(
        992,
        "somebody asked for the page with a wrong token",
        (Fault::Peer, Retry::Never),
        "Whoever sees the page of the director has to say its `page_token`. This was another one. Such lines come once a minute at most, \
         with how many tries there were.",
        "Look whether it was one of yours. If not, see who can reach the port, and make a new token if it was a short one.",
    ),
    entry(
        993,
        "too many want to see the director's state",
        (Fault::Peer, Retry::Backoff),
        "All places at the port for metrics are taken: 64 connections, 16 of them for people who watch the page. Others are turned away \
         at once, and the director goes on with its work. Such lines come once a minute at most.",
        "Nothing, if it is over. Else find out who asks so much, and keep them away from the port.",
    ),
];
