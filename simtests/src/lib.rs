//! The simulated world: hosts, links and clocks that drive the Towline core.
//!
//! ```text
//!                 World: one thing after the other, by virtual time and one seed
//!        ┌───────────────────────────────┬───────────────────────────────┐
//!   host │  Desk { Node<Director> }      │  Desk { Node<FileDaemon> }    │   core's own desk and pumps,
//!        │  Pump{Conn}  Pump{Conn}       │  Pump{Conn}                   │   driven as the runtimes drive them
//!        │     │           │             │     │            Hands: maps  │
//!        └─────┼───────────┼─────────────┴─────┼─────────────────────────┘
//!         tcp::End     tcp::End           tcp::End      buffers, windows, retransmission, FIN, RST, keepalive
//!              └────────── Link ───────────────┘        latency, rate, cut
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`world`] | the hosts and the loop; kill, power off, cut, heal; what is pending |
//! | [`host`] | the adapter under a node: sockets, dials, listeners, lines to tasks |
//! | `task`, `inbox` | the tasks of connections: pump, socket, mailbox; what waits for a node |
//! | `net` | what hosts share: sockets by their addresses, names, what is to come |
//! | [`tcp`] | one end of a TCP connection, a state machine without a clock |
//! | [`edge`], [`link`] | what connects hosts with networks, and these with each other; one direction of that, or between two hosts |
//! | [`network`], [`gateway`] | networks behind gateways that translate, filter and forget |
//! | [`calls`] | who has dialled whom, and where it was stopped |
//! | `place`, [`range`] | where a host is; ranges of addresses and ports |
//! | [`names`] | what names mean to each host |
//! | `sleep`, `meddle` | hosts that are suspended; resets from outside, clocks that are set |
//! | [`stock`] | what stock daemons do otherwise than ours |
//! | [`tap`] | sees every segment that is sent |
//! | [`clock`], [`rng`], [`trace`], `table` | virtual time, the one source of chance, what happened; rows by their numbers |
//! | `contract` | what a node and its adapter owe each other, checked at every step |
//! | [`disk`], [`catalog`], [`hands`] | hands made of maps: files, volumes, the director's catalog |
//! | [`site`] | networks, hosts and daemons with their configurations, as values; what an operator describes |
//! | [`oracle`] | a closed form of what works where, which the world is held to and knows nothing of |
//! | [`ready`] | configurations of a director, a storage daemon and a client, to begin a [`site`] with |
//! | [`situations`] | the table of what Linux does, which the world is held to |
//! | [`daemons`] | nodes made from typed configurations |
//! | `town`, [`operator`] | a director, a storage daemon, a file daemon and an operator, ready to run jobs |
//! | `station` | hosts with a daemon, and their configurations |
//! | `scenario` | any number of them in networks behind gateways, written down as values |
//! | `explore` | the search: a seed draws a scenario with faults, invariants judge it, a failure shrinks |
//! | `arm`, `keyholder` | the conformance suite's world, and raw peers; those that hold a valid key |
//! | `misuse` | what these can do with a data channel |
//! | `said` | the frames that come to a raw peer |
//!
//! A network test of one's own: a client at home that dials its director, and the connection that a gateway forgets.
//!
//! ```
//! use std::time::Duration;
//! use towline_simtests::{gateway::Gateway, ready, site::Site};
//!
//! let mut site = Site::new(7);
//! let home = site.network("home", None, Gateway::masquerading([192, 0, 2, 254]));
//! let server = site.host("server", None, [192, 0, 2, 1]);
//! let laptop = site.host("laptop", Some(home), [192, 168, 1, 5]);
//! let (mut director, mut client) = (ready::director("laptop", "server"), ready::client("server"));
//! director.clients[0].connection_from_client_to_director = true;
//! director.clients[0].connection_from_director_to_client = false;
//! client.directors[0].connection_from_client_to_director = true;
//! site.daemon(server, director).daemon(server, ready::storage()).daemon(laptop, client);
//! let mut standing = site.start().expect("a site without a mistake");
//! let job = standing.order("run job=backup yes").expect("a job");
//! let row = standing.await_end(job, Duration::from_secs(3600)).expect("an end");
//! assert_eq!(row.job_status, b'T', "{}", standing.report(job));
//! ```
//!
//! # How fast
//! `cargo bench -p towline-simtests --bench worlds` and `--bench world_memory`, by the processor time of one thread; two shared
//! vCPUs (Intel Xeon, AVX-512) with a load of 3 beside it, Linux 6.18:
//!
//! | | measured | wanted |
//! |---|---|---|
//! | small worlds (a backup and a restore) a second and core | 865 (838 to 893 in five rounds) | 800 |
//! | the most memory of one | 0.46 MiB | 1 MiB |
//! | a client that waits for 30 days | 11,000,000 times real time | 100,000 |
//!
//! How long one takes depends on the neighbours; what it executes does not: 6.9 million instructions by callgrind, for
//! 790 things that happen. Two thirds are the daemons' own: 37 % is what nodes decide, 27 % what their connections carry. 16 %
//! is segments and sockets, 7 % the clock, 5 % the beginning and the end of a world, 5 % the contract and the trace. Across all
//! of it the allocator has 14 %, and texts that daemons write have 7 %.
//!
//! The toy TLS engine comes with the feature `toy`, and with it `town` and `scenario`; the conformance suite with `suite`.
//! What operators run has neither.

#[cfg(feature = "suite")]
pub mod arm;
pub mod calls;
pub mod catalog;
pub mod clock;
mod contract;
pub mod daemons;
pub mod disk;
pub mod edge;
#[cfg(feature = "toy")]
pub mod explore;
pub mod gateway;
pub mod hands;
pub mod host;
mod inbox;
#[cfg(feature = "suite")]
pub mod keyholder;
pub mod link;
mod meddle;
#[cfg(feature = "toy")]
pub mod misuse;
pub mod names;
mod net;
pub mod network;
pub mod operator;
pub mod oracle;
mod place;
pub mod range;
pub mod ready;
pub mod rng;
#[cfg(any(feature = "search", feature = "suite"))]
pub mod said;
#[cfg(feature = "toy")]
pub mod scenario;
pub mod site;
pub mod situations;
mod sleep;
#[cfg(feature = "toy")]
pub mod station;
pub mod stock;
mod table;
pub mod tap;
mod task;
pub mod tcp;
#[cfg(feature = "toy")]
pub mod town;
pub mod trace;
pub mod world;
