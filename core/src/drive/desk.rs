//! The node's desk: what every adapter does with a [`Node`] between two waits.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::{ExitReason, Hands, JumpWatch, Mail, Step, Work};
use crate::action::Action;
use crate::address::{Address, source_for};
use crate::conn::{Conn, FromConn};
use crate::event::Event;
use crate::ids::{ConnId, DialId, ListenerId, QueryId, TicketId, WorkId};
use crate::node::{Inspection, Node, Role};
use crate::socket::{Ends, IoKind, ResolveError, SocketOptions};
use crate::time::{Instant, Wall};

/// Accepted connections, and news of those that could not be, that wait for the node; an acceptor waits for room.
pub const ACCEPTED: usize = 64;

/// Events of an [`Injector`](super::Injector) that wait for the node; whoever posts waits for room.
pub const INJECTED: usize = 1024;

/// Name look-ups under way at a time: no node asks for more.
pub const RESOLVERS: usize = crate::limits::LOOKUPS_IN_ALL;

/// How long an acceptor rests when the system has no descriptor for the next connection.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What comes to the node's mailbox.
#[derive(Debug)]
pub enum NodeMail<S> {
    /// Anything without a socket.
    Event(Event),
    /// A dial has ended.
    Dialed {
        /// Which dial.
        dial: DialId,
        /// The socket and its two ends, or why there is none.
        outcome: Result<(S, Ends), IoKind>,
    },
    /// A connection was accepted.
    Accepted {
        /// Where it came in.
        listener: ListenerId,
        /// The socket.
        socket: S,
        /// Its two ends.
        ends: Ends,
    },
}

/// How to dial.
#[derive(Clone, Copy, Debug)]
pub struct DialOrder {
    /// Where to.
    pub to: SocketAddr,
    /// The source address, if one is configured.
    pub from: Option<IpAddr>,
    /// Options to set before connecting.
    pub socket: SocketOptions,
    /// When to give up.
    pub give_up: Instant,
}

impl DialOrder {
    /// What to bind the socket to, if a source address is configured.
    #[must_use]
    pub fn source(&self) -> Option<SocketAddr> {
        self.from.map(|from| source_for(from, self.to))
    }
}

/// How to listen.
#[derive(Clone, Copy, Debug)]
pub struct ListenOrder {
    /// The address; port 0 lets the system choose.
    pub on: SocketAddr,
    /// Options for the accepted sockets.
    pub socket: SocketOptions,
    /// Length of the system's queue.
    pub backlog: u32,
}

/// The node's view of an adapter. Nothing here waits; answers come as [`NodeMail`].
pub trait Adapter {
    /// A connected socket.
    type Socket;
    /// A dial under way. Dropping it calls the dial off, which still answers.
    type Dialling;
    /// A listening socket. Dropping it closes it.
    type Listening;
    /// The way to a connection's task. Dropping it ends the task, and its connection, at once.
    type Line;

    /// Asks the system's resolver; answers with `Event::Resolved`.
    fn resolve(&mut self, query: QueryId, host: String, port: u16);
    /// The number of the interface with this name, as the system has it now.
    fn interface(&mut self, name: &str) -> Option<u32>;
    /// Connects; answers with [`NodeMail::Dialed`].
    fn dial(&mut self, dial: DialId, order: DialOrder) -> Self::Dialling;
    /// Listens; returns the listener and the address bound.
    ///
    /// # Errors
    /// What the system said.
    fn listen(&mut self, listener: ListenerId, order: ListenOrder) -> Result<(Self::Listening, SocketAddr), IoKind>;
    /// Starts a task that drives the connection.
    ///
    /// # Errors
    /// There is no room for another task; the connection is lost.
    fn drive(&mut self, conn: Box<Conn>, socket: Self::Socket) -> Result<Self::Line, IoKind>;
    /// Posts to the connection's [`Mailbox`](super::Mailbox); false if that does not take it or the task has ended.
    fn tell(&mut self, line: &Self::Line, mail: Mail) -> bool;
    /// Has a piece of work done; answers with `Event::Done`.
    fn work(&mut self, work: WorkId, request: Work);
}

/// Owns a [`Node`] for the adapter's task, and the sockets it has not given to a connection yet.
#[derive(Debug)]
pub struct Desk<R: Role, A: Adapter> {
    node: Node<R>,
    hands: HandsRef,
    adapter: A,
    dials: BTreeMap<DialId, A::Dialling>,
    dialled: BTreeMap<DialId, A::Socket>,
    tickets: BTreeMap<TicketId, A::Socket>,
    listeners: BTreeMap<ListenerId, A::Listening>,
    lines: BTreeMap<ConnId, A::Line>,
    next_ticket: u64,
    jumps: Option<JumpWatch>,
}

struct HandsRef(Arc<dyn Hands>);

impl std::fmt::Debug for HandsRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hands")
    }
}

impl<R: Role, A: Adapter> Desk<R, A> {
    /// A desk for a node that has not started.
    pub fn new(node: Node<R>, hands: Arc<dyn Hands>, adapter: A) -> Self {
        Self {
            node,
            hands: HandsRef(hands),
            adapter,
            dials: BTreeMap::new(),
            dialled: BTreeMap::new(),
            tickets: BTreeMap::new(),
            listeners: BTreeMap::new(),
            lines: BTreeMap::new(),
            next_ticket: 1,
            jumps: None,
        }
    }

    /// Starts the node. `Some` means: return from `run`.
    pub fn start(&mut self, wall: Wall, now: Instant) -> Option<ExitReason> {
        self.jumps = Some(JumpWatch::new(now, wall));
        self.event(Event::Started { wall }, now)
    }

    /// Takes one thing out of the mailbox, at the time of both clocks. `Some` means: return from `run`.
    pub fn take(&mut self, mail: NodeMail<A::Socket>, now: Instant, wall: Wall) -> Option<ExitReason> {
        if let Some(reason) = self.look(now, wall) {
            return Some(reason);
        }
        let event = match mail {
            NodeMail::Event(event) => event,
            NodeMail::Dialed { dial, outcome } => {
                self.dials.remove(&dial);
                let outcome = outcome.map(|(socket, ends)| {
                    self.dialled.insert(dial, socket);
                    ends
                });
                Event::Dialed { dial, outcome }
            }
            NodeMail::Accepted { listener, socket, ends } => {
                let ticket = TicketId(self.next_ticket);
                self.next_ticket += 1;
                self.tickets.insert(ticket, socket);
                Event::Accepted { ticket, listener, ends }
            }
        };
        if let Event::FromConn { conn, message: FromConn::Closed(_) } = &event {
            self.lines.remove(conn);
        }
        self.event(event, now)
    }

    /// Fires what is due at the time of both clocks; a call too many does nothing. `Some` means: return from `run`.
    pub fn tick(&mut self, now: Instant, wall: Wall) -> Option<ExitReason> {
        if let Some(reason) = self.look(now, wall) {
            return Some(reason);
        }
        if self.node.poll_timeout().is_none_or(|deadline| deadline.at > now) {
            return None;
        }
        self.node.handle_timeout(now);
        self.drain(now)
    }

    /// What its node has under way now.
    #[must_use]
    pub fn inspect(&self) -> Inspection {
        self.node.inspect()
    }

    /// When to call [`tick`](Self::tick).
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let jumps = self.jumps.as_ref().map(JumpWatch::next);
        let node = self.node.poll_timeout().map(|deadline| deadline.at);
        node.into_iter().chain(jumps).min()
    }

    /// Tells the node if its wall clock has moved.
    fn look(&mut self, now: Instant, wall: Wall) -> Option<ExitReason> {
        let wall = self.jumps.as_mut()?.look(now, wall)?;
        self.event(Event::ClockJumped { wall }, now)
    }

    fn event(&mut self, event: Event, now: Instant) -> Option<ExitReason> {
        self.hands.0.saw(Step::Event(&event));
        self.node.handle_event(event, now);
        self.drain(now)
    }

    /// Carries out every order. An order that is answered on the spot is answered after the others.
    fn drain(&mut self, now: Instant) -> Option<ExitReason> {
        loop {
            let mut answers = Vec::new();
            while let Some(action) = self.node.poll_action() {
                self.hands.0.saw(Step::Action(&action));
                if let Some(reason) = self.carry_out(action, &mut answers) {
                    return Some(reason);
                }
            }
            if answers.is_empty() {
                return None;
            }
            for event in answers {
                if let Some(reason) = self.event(event, now) {
                    return Some(reason);
                }
            }
        }
    }

    fn carry_out(&mut self, action: Action, answers: &mut Vec<Event>) -> Option<ExitReason> {
        match action {
            Action::Resolve { query, host, port } => match Address::parse(&host) {
                Some(address) => {
                    let answer = self.place(&address, port);
                    answers.push(Event::Resolved { query, answer });
                }
                None => self.adapter.resolve(query, host, port),
            },
            Action::Dial { dial, to, from, socket, give_up } => {
                let dialling = self.adapter.dial(dial, DialOrder { to, from, socket, give_up });
                self.dials.insert(dial, dialling);
            }
            Action::CancelDial(dial) => {
                self.dials.remove(&dial);
                self.dialled.remove(&dial);
            }
            Action::Attach { dial, conn } => {
                if let Some(socket) = self.dialled.remove(&dial) {
                    self.drive(conn, socket, answers);
                }
            }
            Action::Listen { listener, on, socket, backlog } => {
                let outcome = self.adapter.listen(listener, ListenOrder { on, socket, backlog });
                let outcome = outcome.map(|(listening, address)| {
                    self.listeners.insert(listener, listening);
                    address
                });
                answers.push(Event::Bound { listener, outcome });
            }
            Action::Unlisten(listener) => drop(self.listeners.remove(&listener)),
            Action::Admit { ticket, conn } => {
                if let Some(socket) = self.tickets.remove(&ticket) {
                    self.drive(conn, socket, answers);
                }
            }
            Action::Refuse(ticket) => drop(self.tickets.remove(&ticket)),
            Action::ToConn { conn, message } => self.tell(conn, Mail::Message(message)),
            Action::Keepalive { conn, socket } => self.tell(conn, Mail::Keepalive(socket)),
            Action::Work { work, request } => self.adapter.work(work, request),
            Action::Notify(notice) => self.hands.0.notify(notice),
            Action::Exit(reason) => return Some(reason),
        }
        None
    }

    /// A literal address needs no resolver, but maybe the number of an interface.
    fn place(&mut self, address: &Address, port: u16) -> Result<Vec<SocketAddr>, ResolveError> {
        let index = match address.interface() {
            Some(name) => self.adapter.interface(name).ok_or(ResolveError::NoInterface)?,
            None => 0,
        };
        Ok(vec![address.with_port(port, index)])
    }

    fn drive(&mut self, conn: Box<Conn>, socket: A::Socket, answers: &mut Vec<Event>) {
        let id = conn.id();
        match self.adapter.drive(conn, socket) {
            Ok(line) => drop(self.lines.insert(id, line)),
            Err(kind) => answers.push(closed(id, kind)),
        }
    }

    fn tell(&mut self, conn: ConnId, mail: Mail) {
        if let Some(line) = self.lines.get(&conn)
            && !self.adapter.tell(line, mail)
        {
            // Its task hears that the line is cut, aborts the connection and says so.
            self.lines.remove(&conn);
        }
    }
}

/// The end of a connection that never began.
fn closed(conn: ConnId, kind: IoKind) -> Event {
    use crate::conn::{CloseReason, Stage};
    Event::FromConn { conn, message: FromConn::Closed(CloseReason::Io(kind, Stage::FirstBytes)) }
}
