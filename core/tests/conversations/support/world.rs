//! A node with its connections, in memory: does what an adapter does, with scripted peers at the other ends.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use towline_core::action::Action;
use towline_core::calendar::Zone;
use towline_core::conn::{Conn, FromConn, Side as Half};
use towline_core::event::Event;
use towline_core::ids::{ConnId, DialId, ListenerId, TicketId, WorkId};
use towline_core::node::{Node, Role, Settings};
use towline_core::notice::{ExitReason, Notice};
use towline_core::socket::{Ends, IoKind, ResolveError};
use towline_core::time::{Instant, Wall};
use towline_core::work::{Work, WorkDone};

use super::conv::Frame;
use super::matcher::Bindings;
use super::peer::{Peer, Script};

/// Names a peer of the world.
pub type PeerId = usize;

/// Does pieces of work. `None` keeps the piece in [`World::kept`].
pub type Hands = Box<dyn FnMut(&Work) -> Option<WorkDone>>;

/// A piece of work that nobody has answered.
#[derive(Debug)]
pub struct Kept {
    owner: Option<ConnId>,
    id: WorkId,
    pub work: Work,
}

/// A node in memory.
pub struct World<R: Role> {
    pub node: Node<R>,
    pub now: Instant,
    /// When the node started, and what the wall clock showed then.
    began: Instant,
    wall: Wall,
    pub bindings: Bindings,
    pub peers: Vec<Peer>,
    pub notices: Vec<Notice>,
    pub exit: Option<ExitReason>,
    pub kept: VecDeque<Kept>,
    /// Dials of ours that are under way: nobody answers them by itself if this is false.
    pub answers_dials: bool,
    /// Peers that do not read.
    pub deaf: BTreeSet<PeerId>,
    hands: Hands,
    /// What has happened and the node has not heard.
    events: VecDeque<Event>,
    links: BTreeMap<ConnId, Link>,
    listeners: Vec<ListenerId>,
    /// Peers that wait for a dial of ours to a port.
    awaited: Vec<(u16, Script)>,
    dialled: BTreeMap<DialId, PeerId>,
    tickets: BTreeMap<TicketId, PeerId>,
    next_ticket: u64,
}

/// One of our connections.
struct Link {
    conn: Conn,
    peer: PeerId,
    eof_given: bool,
}

impl<R: Role> World<R> {
    /// A node that has started at this wall time.
    pub fn new(role: R, settings: Settings, wall: Wall, hands: Hands) -> Self {
        Self::prepared(role, settings, wall, hands, &mut |_| {})
    }

    /// A node that dials as soon as it starts: `prepare` says before that who waits for it.
    pub fn prepared(role: R, settings: Settings, wall: Wall, hands: Hands, prepare: &mut dyn FnMut(&mut Self)) -> Self {
        let now = Instant(1_000_000_000);
        let mut world = Self {
            node: Node::new(role, settings, [7; 32], now),
            now,
            began: now,
            wall,
            bindings: Bindings::default(),
            peers: Vec::new(),
            notices: Vec::new(),
            exit: None,
            kept: VecDeque::new(),
            answers_dials: true,
            deaf: BTreeSet::new(),
            hands,
            events: VecDeque::new(),
            links: BTreeMap::new(),
            listeners: Vec::new(),
            awaited: Vec::new(),
            dialled: BTreeMap::new(),
            tickets: BTreeMap::new(),
            next_ticket: 1,
        };
        prepare(&mut world);
        world.event(Event::Started { wall });
        world.run();
        world
    }

    /// A peer dials us.
    pub fn come_in(&mut self, script: Script) -> PeerId {
        let peer = self.add_peer(script);
        let ticket = TicketId(self.next_ticket);
        self.next_ticket += 1;
        self.tickets.insert(ticket, peer);
        let listener = *self.listeners.first().expect("the node listens");
        let ends = Ends { local: ([127, 0, 0, 1], 9100).into(), peer: ([127, 0, 0, 1], 50_000).into() };
        self.event(Event::Accepted { ticket, listener, ends });
        self.run();
        peer
    }

    /// The next dial of ours to `port` finds this peer. Give it a name with [`PeerId`]: peers are numbered as they appear.
    pub fn await_dial(&mut self, port: u16, script: Script) {
        self.awaited.push((port, script));
    }

    /// Moves everything as far as it goes.
    pub fn run(&mut self) {
        for _ in 0..100_000 {
            if !self.turn() {
                return;
            }
        }
        panic!("never comes to rest");
    }

    /// Puts the wall clock to so many seconds ahead of what it would be had it never been put.
    pub fn put_clock(&mut self, ahead: i64) {
        let right = self.wall.after(self.now.since(self.began));
        self.event(Event::ClockJumped { wall: Wall(right.0 + ahead * 1_000_000) });
        self.run();
    }

    /// Takes the machine to another time zone.
    pub fn put_zone(&mut self, zone: Zone) {
        self.event(Event::ZoneChanged(zone));
        self.run();
    }

    /// Lets time pass; fires what becomes due, in order.
    pub fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..100_000 {
            let conns = self.links.values().filter_map(|link| Some(link.conn.poll_timeout()?.at));
            let next = conns.chain(self.node.poll_timeout().map(|deadline| deadline.at)).min();
            let Some(at) = next.filter(|at| *at <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(at);
            for link in self.links.values_mut() {
                link.conn.handle_timeout(self.now);
            }
            self.node.handle_timeout(self.now);
            self.actions();
            self.run();
        }
        panic!("timers without end");
    }

    /// A peer says something that no recording has: a line as in a recording, without the arrow.
    pub fn say(&mut self, peer: PeerId, line: &str) {
        let frame = Frame::parse(line).unwrap_or_else(|| panic!("cannot read {line:?}"));
        self.peers[peer].say(&frame);
        self.run();
    }

    /// What we said to a peer since the last call, without job messages.
    pub fn heard(&mut self, peer: PeerId) -> Vec<String> {
        let peer = &mut self.peers[peer];
        let new = peer.heard[peer.seen..].iter().filter(|frame| !super::matcher::is_job_message(frame));
        let new = new.map(|frame| format!("{frame:?}")).collect();
        peer.seen = peer.heard.len();
        new
    }

    /// All job messages we sent to a peer, as text.
    pub fn job_messages(&self, peer: PeerId) -> Vec<String> {
        let messages = self.peers[peer].heard.iter().filter(|frame| super::matcher::is_job_message(frame));
        messages.map(|frame| String::from_utf8_lossy(frame.data()).into_owned()).collect()
    }

    /// Cuts a peer's connection, as a dying network does.
    pub fn cut(&mut self, peer: PeerId) {
        let now = self.now;
        for link in self.links.values_mut().filter(|link| link.peer == peer) {
            link.conn.on_failed(Half::Read, IoKind::Reset, now);
            link.conn.on_failed(Half::Write, IoKind::Reset, now);
        }
        self.run();
    }

    /// Answers the first piece of work that was kept.
    pub fn answer(&mut self, done: WorkDone) {
        let kept = self.kept.pop_front().expect("a piece of work was kept");
        self.done(kept.owner, kept.id, done);
        self.run();
    }

    /// Passes the node an event.
    pub fn event(&mut self, event: Event) {
        self.node.handle_event(event, self.now);
        self.actions();
    }

    /// Nothing is left: no connection, no timer, no work.
    pub fn assert_empty(&mut self) {
        self.wait(Duration::from_secs(120));
        assert!(self.links.is_empty(), "connections left: {:?}", self.links.keys());
        assert_eq!(self.node.poll_timeout(), None);
        assert!(self.kept.is_empty(), "work left: {:?}", self.kept);
    }

    /// All recordings have happened to their ends, and no connection is left.
    pub fn assert_done(&self) {
        self.peers.iter().for_each(Peer::assert_done);
        assert!(self.awaited.is_empty(), "we never dialled {:?}", self.awaited);
        assert!(self.links.is_empty(), "connections left: {:?}", self.links.keys());
        assert!(self.kept.is_empty(), "work left: {:?}", self.kept);
    }

    fn add_peer(&mut self, script: Script) -> PeerId {
        self.peers.push(Peer::new(script, &self.bindings));
        self.peers.len() - 1
    }

    fn turn(&mut self) -> bool {
        let ids: Vec<ConnId> = self.links.keys().copied().collect();
        let mut moved = false;
        for id in ids {
            moved |= self.turn_of(id);
        }
        moved
    }

    fn turn_of(&mut self, id: ConnId) -> bool {
        let mut moved = self.transfer(id);
        while let Some((work, request)) = self.links.get_mut(&id).and_then(|link| link.conn.poll_work()) {
            moved = true;
            self.work(Some(id), work, request);
        }
        while let Some(message) = self.links.get_mut(&id).and_then(|link| link.conn.poll_message()) {
            moved = true;
            let last = matches!(message, FromConn::Closed(_));
            self.event(Event::FromConn { conn: id, message });
            assert!(!last || self.links.get_mut(&id).is_none_or(|link| link.conn.poll_message().is_none()));
        }
        if self.links.get(&id).is_some_and(|link| link.conn.wants().close) {
            moved = true;
            let link = self.links.remove(&id).expect("it was there");
            self.peers[link.peer].on_end(&self.bindings);
        }
        moved
    }

    /// Moves bytes in both directions.
    fn transfer(&mut self, id: ConnId) -> bool {
        let Some(link) = self.links.get_mut(&id) else { return false };
        let peer = &mut self.peers[link.peer];
        let mut moved = false;
        if link.conn.wants().read && !link.eof_given {
            let space = link.conn.read_space();
            let n = space.len().min(peer.out.len());
            if n > 0 {
                for (place, byte) in space.iter_mut().zip(peer.out.drain(..n)) {
                    *place = byte;
                }
                link.conn.on_read(n, self.now);
                moved = true;
            } else if peer.closed {
                link.eof_given = true;
                link.conn.on_read(0, self.now);
                moved = true;
            }
        }
        if link.conn.wants().write && !self.deaf.contains(&link.peer) {
            let bytes: Vec<u8> = link.conn.transmit(256 * 1024).iter().flat_map(|slice| slice.to_vec()).collect();
            if !bytes.is_empty() {
                link.conn.on_written(bytes.len(), self.now);
                peer.take(&bytes, &mut self.bindings);
                moved = true;
            }
        }
        if link.conn.wants().shut_write && !peer.ended {
            peer.on_end(&self.bindings);
            moved = true;
        }
        moved
    }

    /// Acts, then hands the node the oldest event that came of it, until nothing is left.
    fn actions(&mut self) {
        loop {
            while let Some(action) = self.node.poll_action() {
                self.act(action);
            }
            let Some(event) = self.events.pop_front() else { return };
            self.node.handle_event(event, self.now);
        }
    }

    fn act(&mut self, action: Action) {
        let now = self.now;
        match action {
            Action::Listen { listener, on, .. } => {
                self.listeners.push(listener);
                self.later(Event::Bound { listener, outcome: Ok(on) });
            }
            Action::Resolve { query, host, port } => {
                let answer = host
                    .parse::<std::net::IpAddr>()
                    .map(|ip| vec![(ip, port).into()])
                    .map_err(|_| ResolveError::NoSuchName);
                self.later(Event::Resolved { query, answer });
            }
            Action::Dial { dial, to, .. } => {
                if !self.answers_dials {
                    return;
                }
                let outcome = match self.awaited.iter().position(|(port, _)| *port == to.port()) {
                    Some(at) => {
                        let (_, script) = self.awaited.remove(at);
                        let peer = self.add_peer(script);
                        self.dialled.insert(dial, peer);
                        Ok(Ends { local: ([127, 0, 0, 1], 50_001).into(), peer: to })
                    }
                    None => Err(IoKind::Refused),
                };
                self.later(Event::Dialed { dial, outcome });
            }
            Action::Attach { dial, conn } => {
                let peer = self.dialled.remove(&dial).expect("a finished dial");
                self.links.insert(conn.id(), Link { conn: *conn, peer, eof_given: false });
            }
            Action::Admit { ticket, conn } => {
                let peer = self.tickets.remove(&ticket).expect("an accepted socket");
                self.links.insert(conn.id(), Link { conn: *conn, peer, eof_given: false });
            }
            Action::ToConn { conn, message } => {
                if let Some(link) = self.links.get_mut(&conn) {
                    link.conn.handle_message(message, now);
                }
            }
            Action::Work { work, request } => self.work(None, work, request),
            Action::Notify(notice) => self.notices.push(notice),
            Action::Exit(reason) => self.exit = Some(reason),
            _ => {}
        }
    }

    /// Posts an event after the actions under way.
    fn later(&mut self, event: Event) {
        self.events.push_back(event);
    }

    fn work(&mut self, owner: Option<ConnId>, id: WorkId, work: Work) {
        match (self.hands)(&work) {
            Some(done) => self.done(owner, id, done),
            None => self.kept.push_back(Kept { owner, id, work }),
        }
    }

    fn done(&mut self, owner: Option<ConnId>, id: WorkId, done: WorkDone) {
        match owner {
            Some(conn) => {
                if let Some(link) = self.links.get_mut(&conn) {
                    link.conn.handle_done(id, done, self.now);
                }
            }
            None => {
                self.later(Event::Done { work: id, done });
                self.actions();
            }
        }
    }
}
