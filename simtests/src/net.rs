//! What the hosts share: their sockets and listeners, the links between them, the names, and what is to come.
//!
//! Sockets are found by their two addresses. After each change [`NetState::settle`] sends what an end has to send, arms its
//! timer, and tells its owner what has come of it.
//!
//! Most deadlines are put off long before they come. So a timer that is armed for an earlier time than is wanted stays as it is,
//! and whom it finds with nothing to do arms it again.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use towline_core::conn::Flight;
use towline_core::drive::{BUDGET, DialOrder, ListenOrder};
use towline_core::event::Event;
use towline_core::ids::{DialId, ListenerId, WorkId};
use towline_core::socket::{Ends, IoKind, Keepalive, SocketOptions};
use towline_core::time::Instant;
use towline_core::work::{Work, WorkDone};

use crate::calls::Calls;
use crate::clock::{Clock, Ticket};
use crate::edge::Via;
use crate::gateway::Seen;
use crate::host::{Asker, HostId, Life, TaskId};
use crate::inbox::Post;
use crate::link::{Front, Links, Pass};
use crate::names::Names;
use crate::network::{Fate, Networks};
use crate::place::Place;
use crate::rng::Rng;
use crate::table::{ByEnds, Table};
use crate::tap::{Passing, Taps};
use crate::task::Task;
use crate::tcp::{End, Isns, Phase, Segment};
use crate::trace::{Sent, Told, Trace};

/// The network, as everything in the world holds it.
pub(crate) type Net = Rc<RefCell<NetState>>;

/// Names a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SocketId(pub(crate) u64);

/// What is to come.
#[derive(Debug)]
pub(crate) enum Happening {
    Arrive {
        way: (HostId, HostId),
        ends: Ends,
        segment: Segment,
        via: Via,
    },
    /// What this end has sent does not arrive.
    Unreachable(HostId, Ends, IoKind),
    /// What this end has sent is too large: this is not.
    TooLarge(HostId, Ends, usize),
    SocketTimer(SocketId),
    GiveUp(SocketId),
    Node(HostId),
    NodeTimer(HostId),
    Post(Life, Box<Event>),
    Task(TaskId),
    TaskTimer(TaskId),
    Answer(Asker, WorkId, Box<WorkDone>),
}

/// Whose socket it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Dial(Life, DialId),
    Accepting(SocketAddr),
    Held,
    Task(TaskId),
    Nobody,
}

#[derive(Debug)]
struct Entry {
    end: End,
    host: HostId,
    owner: Owner,
    /// When by the host's clock.
    timer: Option<(Instant, Ticket)>,
}

#[derive(Debug)]
struct Listener {
    owner: Option<(Life, ListenerId)>,
    options: SocketOptions,
    is_deaf: bool,
    accepted: VecDeque<SocketId>,
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct NetState {
    pub(crate) clock: Clock<Happening>,
    pub(crate) rng: Rng,
    pub(crate) trace: Trace,
    pub(crate) links: Links,
    pub(crate) networks: Networks,
    pub(crate) names: Names,
    pub(crate) places: Vec<Place>,
    /// By their sockets.
    pub(crate) tasks: Table<Task>,
    /// Bytes that each of them moves in one turn.
    pub(crate) budget: usize,
    pub(crate) calls: Calls,
    pub(crate) taps: Taps,
    sockets: Table<Entry>,
    by_ends: ByEnds<SocketId>,
    listeners: BTreeMap<(HostId, SocketAddr), Listener>,
    next_socket: u64,
    seed: u64,
}

impl NetState {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            clock: Clock::default(),
            rng: Rng::new(seed),
            trace: Trace::default(),
            links: Links::default(),
            networks: Networks::new(seed),
            names: Names::default(),
            places: Vec::new(),
            tasks: Table::default(),
            budget: BUDGET,
            calls: Calls::default(),
            taps: Taps::default(),
            sockets: Table::default(),
            by_ends: ByEnds::default(),
            listeners: BTreeMap::new(),
            next_socket: 1,
            seed,
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    pub(crate) fn add_host(&mut self, name: &str, address: IpAddr) -> HostId {
        self.places.push(Place::new(name, address));
        self.names.set(name, vec![address]);
        HostId(self.places.len() - 1)
    }

    /// Daemons on one host dial from ports of their own.
    pub(crate) fn share_ports(&mut self, host: HostId) {
        let Some(place) = self.places.get(host.0) else { return };
        let is_here = |other: &&Place| other.shares_host_of(place);
        let residents = self.places.iter().filter(is_here).count();
        let port = 32_768_usize.saturating_add(residents.saturating_sub(1).saturating_mul(2_048));
        if let Some(place) = self.places.get_mut(host.0) {
            place.next_port = u16::try_from(port).unwrap_or(u16::MAX);
        }
    }

    // For nodes.

    /// How long the system takes to get to something.
    pub(crate) fn jitter(&mut self) -> Duration {
        Duration::from_nanos(self.rng.below(20_000))
    }

    pub(crate) fn resolver_pause(&mut self) -> Duration {
        Duration::from_micros(100 + self.rng.below(5_000))
    }

    /// A piece of work of this host's disk is answered: when? In the order of asking.
    pub(crate) fn work_done_at(&mut self, host: HostId, slowness: Duration) -> Instant {
        let cost = Duration::from_nanos(self.rng.below(2 * u64::try_from(slowness.as_nanos()).unwrap_or(0) + 1));
        let now = self.now();
        let Some(place) = self.places.get_mut(host.0) else { return now };
        place.disk_busy = place.disk_busy.max(now) + cost;
        place.disk_busy
    }

    pub(crate) fn trace_task(&self, task: TaskId, work: &Work) {
        let TaskId { life: Life(host, _), conn, .. } = task;
        let name = self.places.get(host.0).map_or("", |place| place.name.as_str());
        self.trace.work(name, conn, work);
    }

    // Sockets.

    /// Begins to connect; a dial that cannot even begin is told to its owner too.
    pub(crate) fn dial(&mut self, host: HostId, owner: Owner, order: &DialOrder) -> Result<SocketId, IoKind> {
        let source = match self.source(host, order) {
            Ok(source) => source,
            Err(kind) => {
                if let Owner::Dial(life, dial) = owner {
                    self.mail(life, Post::Dialed(dial, Err(kind)));
                }
                return Err(kind);
            }
        };
        let local = SocketAddr::new(source, self.places.get_mut(host.0).ok_or(IoKind::Other)?.free_port());
        let now = self.time_of(host);
        let (ends, isn) = (Ends { local, peer: order.to }, self.isn());
        self.calls.begin(host, ends, self.clock.now());
        let id = self.add(host, owner, End::dial(ends, self.to_dial(host, order.socket), isn, now));
        let give_up = self.world_time(host, order.give_up);
        self.clock.at(give_up, Happening::GiveUp(id));
        Ok(id)
    }

    /// The address that a host dials from: the one that is asked for, or that of the interface it goes by.
    fn source(&self, host: HostId, order: &DialOrder) -> Result<IpAddr, IoKind> {
        let place = self.places.get(host.0).ok_or(IoKind::Other)?;
        match order.from {
            Some(from) if place.has(from) => Ok(from),
            Some(_) => Err(IoKind::NotAvailable),
            None if place.has(order.to.ip()) => Ok(order.to.ip()),
            None => {
                let exit = self.networks.exit(&self.places, place, order.to.ip());
                exit.map(|exit| exit.address).ok_or(IoKind::NoRoute)
            }
        }
    }

    pub(crate) fn give_up(&mut self, id: SocketId) {
        if self.phase(id) == Some(Phase::Dialling) {
            self.end_dial(id, IoKind::TimedOut);
        }
    }

    pub(crate) fn cancel_dial(&mut self, life: Life, dial: DialId) {
        let owner = Owner::Dial(life, dial);
        let found = self.sockets.iter().find(|(_, entry)| entry.owner == owner).map(|(id, _)| SocketId(id));
        if let Some(id) = found {
            self.end_dial(id, IoKind::Cancelled);
        }
    }

    fn end_dial(&mut self, id: SocketId, kind: IoKind) {
        if let Some(entry) = self.remove(id)
            && let Owner::Dial(life, dial) = entry.owner
        {
            self.calls.end(entry.host, entry.end.ends(), Err(kind), self.clock.now());
            self.mail(life, Post::Dialed(dial, Err(kind)));
        }
    }

    /// Listens; an owner's connections go to its node, others wait for `accept`.
    pub(crate) fn listen(
        &mut self,
        host: HostId,
        owner: Option<(Life, ListenerId)>,
        order: &ListenOrder,
    ) -> Result<SocketAddr, IoKind> {
        let place = self.places.get_mut(host.0).ok_or(IoKind::Other)?;
        let mut on = order.on;
        if !on.ip().is_unspecified() && !place.has(on.ip()) {
            return Err(IoKind::NotAvailable);
        }
        if on.port() == 0 {
            on.set_port(place.free_port());
        }
        // Who listens on all addresses listens on those of one family.
        let clashes = |other: &SocketAddr| {
            let is_same = other.ip() == on.ip() || on.ip().is_unspecified() || other.ip().is_unspecified();
            other.port() == on.port() && other.is_ipv4() == on.is_ipv4() && is_same
        };
        if self.listeners.keys().any(|(at, other)| *at == host && clashes(other)) {
            return Err(IoKind::InUse);
        }
        let options = self.to_accept(host, order.socket);
        let listener = Listener { owner, options, is_deaf: false, accepted: VecDeque::new() };
        self.listeners.insert((host, on), listener);
        Ok(on)
    }

    /// From now on SYNs to this listener vanish.
    #[cfg(feature = "suite")]
    pub(crate) fn deafen(&mut self, host: HostId, address: SocketAddr) {
        if let Some(listener) = self.listeners.get_mut(&(host, address)) {
            listener.is_deaf = true;
        }
    }

    pub(crate) fn unlisten(&mut self, host: HostId, address: SocketAddr) {
        if let Some(listener) = self.listeners.remove(&(host, address)) {
            listener.accepted.into_iter().for_each(|id| self.close(id));
        }
    }

    /// The first connection that waits at a listener without an owner.
    #[cfg(any(feature = "search", feature = "suite"))]
    pub(crate) fn accept(&mut self, host: HostId, address: SocketAddr) -> Option<SocketId> {
        self.listeners.get_mut(&(host, address))?.accepted.pop_front()
    }

    pub(crate) fn read(&mut self, id: SocketId, space: &mut [u8]) -> Option<Result<usize, IoKind>> {
        let now = self.time_at(id);
        let answer = self.sockets.get_mut(id.0).map_or(Some(Err(IoKind::Aborted)), |entry| entry.end.read(space, now));
        // Who finds nothing has changed nothing.
        if matches!(answer, Some(Ok(1..))) {
            self.settle(id);
        }
        answer
    }

    pub(crate) fn write(&mut self, id: SocketId, bytes: &[u8]) -> Option<Result<usize, IoKind>> {
        let now = self.time_at(id);
        let answer = self.sockets.get_mut(id.0).map_or(Some(Err(IoKind::Aborted)), |entry| entry.end.write(bytes, now));
        self.settle(id);
        answer
    }

    pub(crate) fn flight(&self, id: SocketId) -> Option<Flight> {
        self.sockets.get(id.0).map(|entry| entry.end.flight())
    }

    pub(crate) fn shut_write(&mut self, id: SocketId) {
        self.on_end(id, |end, now| end.shut_write(now));
    }

    /// Its owner lets go of it.
    pub(crate) fn close(&mut self, id: SocketId) {
        if let Some(entry) = self.sockets.get_mut(id.0) {
            entry.owner = Owner::Nobody;
        }
        self.on_end(id, End::close);
    }

    pub(crate) fn reset(&mut self, id: SocketId) {
        if let Some(entry) = self.sockets.get_mut(id.0) {
            entry.owner = Owner::Nobody;
        }
        self.on_end(id, |end, _| end.reset());
    }

    pub(crate) fn set_owner(&mut self, id: SocketId, owner: Owner) {
        if let Some(entry) = self.sockets.get_mut(id.0) {
            entry.owner = owner;
        }
    }

    pub(crate) fn set_keepalive(&mut self, id: SocketId, keepalive: Option<Keepalive>) {
        if self.host_of(id).is_some_and(|host| self.is_stock(host)) {
            return;
        }
        self.on_end(id, |end, _| end.set_keepalive(keepalive));
    }

    pub(crate) fn end(&self, id: SocketId) -> Option<&End> {
        self.sockets.get(id.0).map(|entry| &entry.end)
    }

    pub(crate) fn phase(&self, id: SocketId) -> Option<Phase> {
        self.end(id).map(End::phase)
    }

    #[cfg(feature = "suite")]
    pub(crate) fn by_ends(&self, host: HostId, ends: Ends) -> Option<&End> {
        self.end(self.by_ends.get(host, ends)?)
    }

    /// Whose socket it is.
    pub(crate) fn host_of(&self, id: SocketId) -> Option<HostId> {
        self.sockets.get(id.0).map(|entry| entry.host)
    }

    /// Sockets and listeners of a host.
    #[cfg(feature = "suite")]
    pub(crate) fn descriptors(&self, host: HostId) -> usize {
        let owned = |entry: &&Entry| entry.host == host && !matches!(entry.owner, Owner::Nobody | Owner::Accepting(_));
        self.sockets.iter().map(|(_, entry)| entry).filter(owned).count()
            + self.listeners.keys().filter(|(at, _)| *at == host).count()
    }

    /// How much of what is possible is done at once.
    pub(crate) fn some_of(&mut self, most: usize) -> usize {
        if most > 1 && self.rng.one_in(8) { self.rng.size(most) } else { most }
    }

    pub(crate) fn sockets_of(&self, host: HostId) -> BTreeSet<SocketId> {
        self.sockets.iter().filter(|(_, entry)| entry.host == host).map(|(id, _)| SocketId(id)).collect()
    }

    /// The power of a host goes: nobody hears of it.
    pub(crate) fn forget_host(&mut self, host: HostId) {
        for id in self.sockets_of(host) {
            self.remove(id);
        }
        self.listeners.retain(|(at, _), _| *at != host);
        self.names.forget(host);
    }

    // Segments.

    pub(crate) fn on_arrive(&mut self, way: (HostId, HostId), ends: Ends, segment: Segment, via: Via) {
        // What is under way when a link is cut is lost too.
        let (world, now) = (self.now(), self.time_of(way.1));
        let is_heard = |place: &Place| place.is_on && place.wakes <= world && place.has(ends.local.ip());
        if !self.places.get(way.1.0).is_some_and(is_heard) || self.links.get(way.0, way.1).cut {
            return;
        }
        if self.networks.edges.is_cut(via) {
            return;
        }
        let mut to = way.1;
        let mut found = self.by_ends.get(to, ends);
        if found.is_none() {
            to = self.resident(to, ends);
            found = self.by_ends.get(to, ends);
        }
        if let Some(id) = found {
            return self.on_end(id, |end, now| end.on_segment(segment, now));
        }
        let way = (way.0, to);
        if let Segment::Syn { isn, longest } = segment
            && let Some((address, listener)) = self.listener_at(way.1, ends.local)
        {
            if !listener.is_deaf {
                let isns = Isns { from: self.isn(), to: isn };
                let end = End::answer(ends, listener.options, longest, isns, now);
                self.add(way.1, Owner::Accepting(address), end);
            }
            return;
        }
        segment.refusal().into_iter().for_each(|refusal| self.send(way.1, ends, refusal));
    }

    /// Where the stream of the next socket begins. It has nothing to do with what else chance decides.
    const fn isn(&self) -> u32 {
        let bytes = Rng::new(self.seed ^ self.next_socket).next().to_le_bytes();
        u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }

    pub(crate) fn on_unreachable(&mut self, host: HostId, ends: Ends, kind: IoKind) {
        if let Some(id) = self.by_ends.get(host, ends) {
            self.on_end(id, |end, _| end.on_unreachable(kind));
        }
    }

    /// A router says how much gets through (RFC 1191 §4, RFC 8201 §4).
    pub(crate) fn on_too_large(&mut self, host: HostId, ends: Ends, largest: usize) {
        if let Some(id) = self.by_ends.get(host, ends) {
            self.on_end(id, |end, now| end.on_too_large(largest, now));
        }
    }

    pub(crate) fn on_socket_timer(&mut self, id: SocketId) {
        if let Some(entry) = self.sockets.get_mut(id.0) {
            entry.timer = None;
        }
        self.on_end(id, End::on_timer);
    }

    /// Which of the daemons of a host a segment is for: the one with such a socket, else the one that listens there.
    fn resident(&self, host: HostId, ends: Ends) -> HostId {
        let has_socket = |of: &HostId| self.by_ends.get(*of, ends).is_some();
        let listens = |of: &HostId| self.listener_at(*of, ends.local).is_some();
        let Some(place) = self.places.get(host.0) else { return host };
        if has_socket(&host) {
            return host;
        }
        let is_here = |other: &Place| other.shares_host_of(place);
        let residents = || self.places.iter().enumerate().filter(|(_, other)| is_here(other)).map(|(n, _)| HostId(n));
        residents().find(has_socket).or_else(|| residents().find(listens)).unwrap_or(host)
    }

    fn listener_at(&self, host: HostId, local: SocketAddr) -> Option<(SocketAddr, &Listener)> {
        let any: IpAddr = if local.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let any = SocketAddr::new(any, local.port());
        [local, any].into_iter().find_map(|on| self.listeners.get(&(host, on)).map(|listener| (on, listener)))
    }

    fn on_end(&mut self, id: SocketId, act: impl FnOnce(&mut End, Instant)) {
        let now = self.time_at(id);
        if let Some(entry) = self.sockets.get_mut(id.0) {
            act(&mut entry.end, now);
            self.settle(id);
        }
    }

    fn add(&mut self, host: HostId, owner: Owner, end: End) -> SocketId {
        let id = SocketId(self.next_socket);
        self.next_socket += 1;
        self.by_ends.insert(host, end.ends(), id);
        self.sockets.insert(id.0, Entry { end, host, owner, timer: None });
        self.settle(id);
        id
    }

    fn remove(&mut self, id: SocketId) -> Option<Box<Entry>> {
        let entry = self.sockets.remove(id.0)?;
        self.by_ends.remove(entry.host, entry.end.ends());
        if let Some((_, ticket)) = entry.timer {
            self.clock.cancel(ticket);
        }
        Some(entry)
    }

    fn settle(&mut self, id: SocketId) {
        let Some(entry) = self.sockets.get_mut(id.0) else { return };
        let (ends, host) = (entry.end.ends(), entry.host);
        let deadline = entry.end.deadline();
        let is_early = |at| entry.timer.is_some_and(|(armed, _)| armed <= at);
        if !deadline.is_some_and(is_early) {
            let old = entry.timer.take().map(|(_, ticket)| ticket);
            let slept = self.places.get(host.0).map_or(Duration::ZERO, |place| place.slept);
            entry.timer = match deadline {
                Some(at) => Some((at, self.clock.again_at(old, at + slept, || Happening::SocketTimer(id)))),
                None => {
                    old.into_iter().for_each(|ticket| self.clock.cancel(ticket));
                    None
                }
            };
        }
        while let Some(segment) = self.sockets.get_mut(id.0).and_then(|entry| entry.end.poll_segment()) {
            self.send(host, ends, segment);
        }
        self.tell_owner(id, ends);
    }

    fn tell_owner(&mut self, id: SocketId, ends: Ends) {
        let Some(entry) = self.sockets.get_mut(id.0) else { return };
        match (entry.owner, entry.end.phase()) {
            (Owner::Dial(life, dial), Phase::Open) => {
                entry.owner = Owner::Held;
                self.calls.end(entry.host, ends, Ok(()), self.clock.now());
                self.mail(life, Post::Dialed(dial, Ok((id, ends))));
            }
            (Owner::Dial(..), Phase::Over(kind)) => self.end_dial(id, kind),
            (Owner::Accepting(address), Phase::Open) => self.accepted(id, address, ends),
            (Owner::Accepting(_), Phase::Over(_)) => drop(self.remove(id)),
            (Owner::Task(task), _) => self.wake_if_ready(task),
            (Owner::Nobody, _) if entry.end.is_gone() => drop(self.remove(id)),
            _ => {}
        }
    }

    fn accepted(&mut self, id: SocketId, address: SocketAddr, ends: Ends) {
        let Some(entry) = self.sockets.get_mut(id.0) else { return };
        let Some(listener) = self.listeners.get_mut(&(entry.host, address)) else { return self.reset(id) };
        entry.owner = Owner::Held;
        match listener.owner {
            Some((life, listener)) => self.mail(life, Post::Accepted(listener, id, ends)),
            None => listener.accepted.push_back(id),
        }
    }

    fn send(&mut self, from: HostId, ends: Ends, segment: Segment) {
        let now = self.now();
        let is_awake = self.places.get(from.0).is_some_and(|place| place.wakes <= now);
        self.networks.edges.set_out(segment.len(), now);
        let fate = match is_awake {
            true => self.networks.route(&self.places, from, ends, Seen::of(&segment), now),
            false => Fate::Lost("asleep"),
        };
        let stop = self.networks.stopped.take();
        // The way of a call is that of its first segment: the others are looked at only where they are stopped.
        if stop.is_some() || matches!(segment, Segment::Syn { .. }) {
            let to = if let Fate::Comes { to, ends } = &fate { Some((self.resident(*to, *ends), *ends)) } else { None };
            self.calls.sent(from, ends, to, stop);
        }
        if !self.taps.is_empty() {
            let to = if let Fate::Comes { to, .. } = &fate { Some(*to) } else { None };
            self.taps.see(&Passing { at: now, from, ends, segment: &segment, to });
        }
        let lost = (from, from);
        let sent = |told| Sent::new(ends, &segment, told);
        let (way, arriving, told) = match fate {
            Fate::Comes { to, ends: seen } => {
                let mut front = self.networks.edges.front();
                match self.links.carry((from, to), segment.len(), &mut front, &mut self.rng) {
                    Pass::Through => ((from, to), Some((front.last, seen, false)), sent(Told::Carried)),
                    Pass::TooLarge(Some(largest)) => {
                        self.tell_too_large((from, ends), largest, front.first);
                        (lost, None, sent(Told::Lost))
                    }
                    Pass::Cut | Pass::Lost | Pass::TooLarge(None) => (lost, None, sent(Told::Lost)),
                }
            }
            Fate::TooLarge(largest) => {
                self.tell_too_large((from, ends), largest, self.networks.edges.front().first);
                (lost, None, sent(Told::Stopped("too large")))
            }
            Fate::Lost(why) => (lost, None, sent(Told::Stopped(why))),
            Fate::Unreachable(kind, pause, why) => {
                self.clock.after(pause, Happening::Unreachable(from, ends, kind));
                (lost, None, sent(Told::Unreachable(kind, why)))
            }
            Fate::Reset(why) => {
                let mut front = Front::at(now);
                let pass = self.links.carry(lost, 0, &mut front, &mut self.rng);
                let at = (pass == Pass::Through).then_some(front.last);
                (lost, at.map(|at| (at, ends, true)), sent(Told::Reset(why)))
            }
        };
        self.trace.segment(told);
        if let Some((at, ends, is_reset)) = arriving {
            let segment = if is_reset { Segment::Rst { to: None } } else { segment };
            let via = self.networks.edges.via();
            self.clock.at(at, Happening::Arrive { way, ends, segment, via });
        }
    }

    /// An end hears that a segment was too large which was sent now and had come somewhere at that time.
    fn tell_too_large(&mut self, (host, ends): (HostId, Ends), largest: usize, at: Instant) {
        let back = at + at.since(self.now());
        self.clock.at(back, Happening::TooLarge(host, ends, largest));
    }
}
