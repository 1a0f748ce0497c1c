//! The pure core of Towline: every decision of a backup network that speaks the Bareos wire protocol, as state machines
//! that are told what happened and say what to do.
//!
//! It opens no socket and no file, reads no clock, starts no thread, and has no randomness but a seed it is given. So
//! the same machines run in production on any runtime, and in a simulator where a day takes a second.
//!
//! ```text
//!             events                      .------- adapter (tokio, smol, threads, simulator) -------.
//!   .------. <----------------------------|  clock    dialer    acceptor    timers    mailboxes     |
//!   | Node | ---------------------------->|                                                         |
//!   '------' actions                      |         one task or thread for each connection          |
//!     ^  |                                |                  reads and writes                       |
//!     |  | ToConn    .------.  bytes      |                                                         |
//!     |  '---------->| Conn |<----------->| socket                                                  |
//!     '--------------|  ,---|             |                                                         |
//!        FromConn    |  | machine: backup, restore                                                  |
//!                    '--'---'-- work ---->| hands: disk and catalog workers, answer exactly once    |
//!                                         '---------------------------------------------------------'
//! ```
//! A [`Node`](node::Node) is one daemon: small messages, all decisions; its [`Role`](node::Role) makes it a director, a
//! file daemon or a storage daemon. A [`Conn`](conn::Conn) is one TCP connection: TLS, frames, authentication. A
//! [machine](bulk::machine::Machine) sits in a `Conn` and moves a job's data; the node sees none of it.
//!
//! # The loop of an adapter
//! 1. Report [`Event::Started`](event::Event::Started), then wait for an event, a message of a connection, or the time of
//!    [`Node::poll_timeout`](node::Node::poll_timeout).
//! 2. Give it to [`Node::handle_event`](node::Node::handle_event), or call
//!    [`Node::handle_timeout`](node::Node::handle_timeout).
//! 3. Do every [`Action`](action::Action) of [`Node::poll_action`](node::Node::poll_action), in order. What takes time,
//!    as a dial or a look-up, goes on by itself and answers with exactly one event.
//! 4. After [`Action::Exit`](action::Action::Exit) close everything and return; else go on at 1.
//!
//! and for each connection, in a task of its own:
//! 1. Wait for what [`Conn::wants`](conn::Conn::wants): the socket, a message of the node, a finished piece of work, or
//!    the time of [`Conn::poll_timeout`](conn::Conn::poll_timeout).
//! 2. Hand it over: [`handle_message`](conn::Conn::handle_message), [`handle_done`](conn::Conn::handle_done),
//!    [`handle_timeout`](conn::Conn::handle_timeout); read into [`read_space`](conn::Conn::read_space) and say so with
//!    [`on_read`](conn::Conn::on_read); write [`transmit`](conn::Conn::transmit) and say so with
//!    [`on_written`](conn::Conn::on_written).
//! 3. Pass on every message and every piece of work of [`poll_message`](conn::Conn::poll_message) and
//!    [`poll_work`](conn::Conn::poll_work).
//! 4. After `wants().close` drop the socket and end; else go on at 1.
//!
//! [`drive::Desk`] and [`drive::Pump`] are these two loops without the waiting.
//!
//! # A runtime of your own
//! `core/examples/minimal.rs` is a whole one on sockets of the standard library; `cargo run -p towline-core --example
//! minimal` listens, dials itself, authenticates both ends, says a line and ends. Four things make a runtime:
//! * an [`Adapter`](drive::Adapter): how to dial, listen, look up a name, and start a task for a connection. Nothing in it
//!   waits: what takes time posts a [`NodeMail`](drive::NodeMail) later. Dropping what it returned ends the dial, the
//!   listener or the connection.
//! * the node's loop: [`Desk::start`](drive::Desk::start), then [`take`](drive::Desk::take) each mail and
//!   [`tick`](drive::Desk::tick) at [`deadline`](drive::Desk::deadline), until one of them returns the
//!   [`ExitReason`](notice::ExitReason).
//! * a task for each connection, which owns a [`Pump`](drive::Pump), a [`Stream`](drive::Stream) that never blocks and a
//!   [`Mailbox`](drive::Mailbox): [`deliver`](drive::Pump::deliver) all mail, take a [`turn`](drive::Pump::turn), and wait
//!   for what that returns, or for the mailbox. An [`Outlet`](drive::Outlet) takes what it has for the node and for the
//!   hands.
//! * [`Hands`](drive::Hands): workers for the disk and the catalog, and the log.
//!
//! A [`Role`](node::Role) needs no more than `start`. Whoever wants the loops without [`drive`] has them in words above.
//! The module `conformance` tells whether a runtime is right: implement its `Arm` and run the suite. A runtime of tasks
//! finds most of this done in `towline_runtime_blocking::shared::tasks`.
//!
//! # Mutate, then drain
//! After each `handle_*` or `on_*` call, drain every `poll_*` until it is empty before waiting or making the next call.
//! Nothing happens between calls, so a `poll_*` that was not drained is an order that is lost until something else
//! happens. Debug builds panic when the node's next call comes before its actions are drained.
//!
//! # Two ends in memory
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use towline_core::conn::{Accepting, Conn, Dialling, FromConn};
//! use towline_core::tls::keyring::{Clear, Keyring};
//! use towline_core::wire::hello::{Hello, Purpose, Version};
//! use towline_core::{socket::Ends, ids::ConnId, secret::Secret, time::Instant, time::Wall, tls};
//!
//! /// What an adapter does with a socket, without the socket.
//! fn carry(from: &mut Conn, to: &mut Conn, now: Instant) -> usize {
//!     let space = to.read_space();
//!     let bytes: Vec<u8> = from.transmit(space.len()).iter().flat_map(|slice| slice.to_vec()).collect();
//!     space[..bytes.len()].copy_from_slice(&bytes);
//!     if !bytes.is_empty() {
//!         from.on_written(bytes.len(), now);
//!         to.on_read(bytes.len(), now);
//!     }
//!     bytes.len()
//! }
//!
//! let (now, wall, give_up) = (Instant::ZERO, Wall(1_795_438_893_000_000), Instant(60_000_000_000));
//! let ends = Ends { local: ([127, 0, 0, 1], 40_000).into(), peer: ([127, 0, 0, 1], 9103).into() };
//! let hello = Hello::new(Purpose::Director { name: "dir".into() }, Version { major: 26, minor: 0, patch: 0 });
//! let key = Secret::from("password");
//! let keyring = Arc::new(Keyring::builder().with(hello.identity(), key.clone(), Clear::Allowed).build());
//! let (engine, engines) = (tls::Dialler::Clear, Arc::new(tls::Acceptor::new()));
//! let own = String::from("R_DIRECTOR::dir");
//! let dialling = Dialling { id: ConnId(1), ends, engine, hello, key, own, policy: 0, nonce: 1, wall, give_up };
//! let own = String::from("R_STORAGE::sd");
//! let pause = Duration::ZERO;
//! let accepting = Accepting { id: ConnId(2), ends, engines, keyring, own, nonce: 2, wall, give_up, pause };
//!
//! let (mut director, mut storage) = (Conn::dialled(dialling, now), Conn::accepted(accepting, now));
//! while carry(&mut director, &mut storage, now) + carry(&mut storage, &mut director, now) > 0 {}
//! let mut said = std::iter::from_fn(|| storage.poll_message()).skip_while(|said| matches!(said, FromConn::Reached { .. }));
//! let Some(FromConn::Authenticated(peer)) = said.next() else { panic!("not authenticated") };
//! assert_eq!(peer.name.to_string(), "R_DIRECTOR::dir");
//! assert!(matches!(director.poll_message(), Some(FromConn::Authenticated(_))));
//! ```
//!
//! # Modules, lowest floor first
//! A file names only its own floor and those beneath it; `core/tests/floors.rs` has the floors, and holds this.
//! * [`time`] and [`calendar`]: time as an argument, and its local names; [`ids`], [`limits`], [`buf`], [`cover`]: names that are
//!   used once, the shared bounds, a buffer, marks on
//!   seldom branches; [`secret`] keeps passwords out of logs; [`printable`]: the one escape for what
//!   peers and disks name, before a person sees it; [`quantity`]: how many there are, in words; [`nearest`]: the known word next to a mistyped one; [`regex`]: the expressions of filesets, restores and
//!   selections; [`wild`]: names with wildcards; [`address`]: literal
//!   addresses and their scopes; [`error`]: whose fault, whether to retry, a stable code, advice
//! * [`explain`]: a page for every code
//! * [`wire`]: bytes to values and back, without state
//! * [`script`]: a dialogue as a table of steps, and the interpreter that runs it
//! * [`tls`]: one trait and four engines, keys, and what to do about their errors
//! * [`bulk`]: the data channel's machines, and the work they give to disks
//! * [`socket`]: what a socket is told, and what it says
//! * [`config`]: the resources, typed; all that can be wrong with them is found in [`config::check`], above [`channel`]
//! * [`catalog`]: rows, questions and answers, and the rules over rows: levels, volumes, the jobs of a restore, what a
//!   volume holds against them
//! * [`work`]: what the hands have to do
//! * [`conn`]: one connection, from its first bytes to its drained end, and why a dial has none
//! * [`notice`]: what people are told; [`event`] and [`action`]: what goes into a node and out of it
//! * [`node`]: one daemon: dial, listen, timers; its trait [`Role`](node::Role)
//! * [`channel`]: which way the data goes, and why
//! * [`role`]: what each daemon does with its connections and jobs
//! * [`drive`]: what an adapter imports: the two loops, the hands
//! * `conformance` (feature): the suite every adapter must pass
//! * `fuzzing` (feature): what no bytes from outside may do, for `core/fuzz` and for a bounded run in the tests
#![cfg_attr(not(test), warn(clippy::expect_used))]

pub mod action;
pub mod address;
pub mod buf;
pub mod bulk;
pub mod calendar;
pub mod catalog;
pub mod channel;
pub mod config;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod conn;
pub mod cover;
pub mod drive;
pub mod error;
pub mod event;
pub mod explain;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod ids;
pub mod limits;
pub mod naming;
pub mod nearest;
pub mod node;
pub mod notice;
pub mod printable;
pub mod quantity;
mod quiet;
pub mod regex;
pub mod role;
pub mod script;
pub mod secret;
pub mod socket;
pub mod time;
pub mod tls;
pub mod wild;
pub mod wire;
pub mod work;
