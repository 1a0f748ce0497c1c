//! `T014` and `T015`: clients that dial in and wait, and the way to a client.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        140,
        "the director refuses a client that dialled in",
        (Fault::Peer, Retry::Backoff),
        "The client has proved who it is, and the director answered something else than its greeting. The log line quotes \
         its words; a refusal usually means that the director does not expect this client to dial in.",
        "Set `connection_from_client_to_director: true` for this client in the director's configuration. In Bareos the \
         directive is `Connection From Client To Director`.",
    ),
    entry(
        141,
        "the director ends the connection instead of greeting",
        (Fault::Peer, Retry::Backoff),
        "The client has proved who it is, and the director closed the connection without saying why: it stops, it has too many \
         waiting connections, or this client came too often.",
        "The director's log names this client and the reason. The client goes on trying.",
    ),
    entry(
        142,
        "the director does not greet",
        (Fault::Peer, Retry::Backoff),
        "The client has proved who it is, and then heard nothing. The director may be too busy, or the way to it has \
         broken in this very moment.",
        "If it happens again, look at the load of the director's machine and at what is between the two.",
    ),
    entry(
        144,
        "a director dials that may not",
        (Fault::Config, Retry::Never),
        "The file daemon knows this director and expects to dial it, not to be dialled: \
         `connection_from_director_to_client` is false.",
        "Set the same directions on both sides: in the file daemon's `directors` and in the director's `clients`.",
    ),
    entry(
        145,
        "a client dials in that may not",
        (Fault::Config, Retry::Never),
        "The director knows this client and its password is right, but `connection_from_client_to_director` is not set for \
         it in the director's `clients`.",
        "Set it there, or switch it off in the file daemon's `directors`, so that it stops dialling.",
    ),
    entry(
        146,
        "a client dials in again and again",
        (Fault::Peer, Retry::Backoff),
        "The client opens waiting connections much faster than they are used. Something ends them at once: a proxy, a \
         firewall, or two programs that fight over one name. It is let in every few seconds only, so that others do not \
         suffer.",
        "Look into the log of the file daemon: it says why its waiting connection ended.",
    ),
    entry(
        147,
        "too many waiting connections",
        (Fault::Config, Retry::Backoff),
        "As many connections of clients wait as `max_waiting_connections` allows; this one was refused.",
        "Raise `max_waiting_connections` and the limit of open files of the service if there are that many clients.",
    ),
    entry(
        148,
        "one client has too many waiting connections",
        (Fault::Peer, Retry::Never),
        "A file daemon keeps one connection waiting. More come from a second daemon of the same name, or from a client \
         whose older connections are dead and were not noticed yet. The oldest was closed.",
        "Give every file daemon a name of its own. `status director` shows what waits, and since when.",
    ),
    entry(
        149,
        "the oldest waiting connection of a client made room for another client",
        (Fault::Config, Retry::Backoff),
        "As many connections of clients wait as `max_waiting_connections` allows, and a client came that had fewer than another \
         one. That other one's oldest connection was closed; it still has others, so its jobs are not harmed.",
        "Raise `max_waiting_connections` if there are so many clients, or lower `max_waiting_connections_per_client`.",
    ),
    entry(
        150,
        "neither side may dial",
        (Fault::Config, Retry::Never),
        "The director may not dial this client, and the client may not dial the director.",
        "Set `connection_from_director_to_client` or `connection_from_client_to_director` in the director's `clients`.",
    ),
    entry(
        151,
        "the client cannot be dialled as it is configured",
        (Fault::Config, Retry::Never),
        "The client has no address, or TLS is wanted towards it and there is neither a certificate nor a pre-shared key to \
         use. The log line says which.",
        "Add `address` to the client, or what TLS needs. A client behind a NAT box may dial the director instead.",
    ),
    entry(
        152,
        "the client did not dial in",
        (Fault::Network, Retry::Backoff),
        "The director may not dial this client. It looked for connections of the client that wait, asked each for a sign \
         of life, and then waited for one to come until `fd_connect_timeout` was over.",
        "See whether the machine is switched on and the file daemon runs. The daemon's log, or the file that its \
         `messages` are appended to, says why it does not reach the director.",
    ),
    entry(
        153,
        "the client cannot be dialled and did not dial in",
        (Fault::Network, Retry::Backoff),
        "Both directions are allowed and both failed: no waiting connection gave a sign of life, the dial failed with the \
         code that the log line names, and no connection came until `fd_connect_timeout` was over.",
        "Begin with the direction that the network is meant to allow, and switch the other one off: then jobs fail sooner \
         and the message is about one thing.",
    ),
];
