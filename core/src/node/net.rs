//! What a role orders through: connections, dials, listeners, timers, work, the log.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::Queue;
use super::crowd::Crowd;
use super::dial::{Attempt, DialNews, Names, Narrow, Try};
use super::guesses::Guesses;
use super::listen::Listeners;
use super::refusals::Refusals;
use super::shortage::Shortage;
use super::survey::{Known, Row, Survey, SurveyId};
use crate::action::Action;
use crate::bulk::BulkSizes;
use crate::bulk::machine::{Machine, ToMachine};
use crate::bulk::parcel::Parcel;
use crate::conn::{DialFailure, Peer, Stall, ToConn};
use crate::error::{Code, Explain, Fault};
use crate::ids::{ConnId, DialId, ListenerId, QueryId, WorkId};
use crate::notice::{ExitReason, Level, Notice};
use crate::socket::{Ends, SocketOptions};
use crate::time::{Deadline, Instant, Wall};
use crate::tls::keyring::Keyring;
use crate::wire::frame::{self, Signal};
use crate::work::Work;
use crate::{explain, limits, printable, tls};

/// Names a timer of the role. Never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerKey(pub u64);

/// What a node is told about its connections.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The qualified name in our challenges, for example `R_STORAGE::backup-sd`.
    pub own: String,
    /// Which TLS engines serve an accepted connection.
    pub engines: Arc<tls::Acceptor>,
    /// How many accepted connections may be unauthenticated at a time.
    pub max_unauthenticated: usize,
    /// How long an accepted connection may take to authenticate.
    pub authenticate_within: Duration,
    /// What its connections take for the data of jobs.
    pub bulk: BulkSizes,
    /// Whether it says nothing of Towline and hears nothing of it: for simulations of stock daemons.
    pub is_stock: bool,
}

impl Settings {
    /// The usual settings: 256 connections at a time may be unauthenticated, for a minute each.
    #[must_use]
    pub fn new(own: String, engines: Arc<tls::Acceptor>) -> Self {
        let (max_unauthenticated, authenticate_within) = (256, Duration::from_secs(60));
        Self { own, engines, max_unauthenticated, authenticate_within, bulk: BulkSizes::default(), is_stock: false }
    }

    /// With other bounds for accepted connections.
    #[must_use]
    pub const fn accepting(mut self, max_unauthenticated: usize, authenticate_within: Duration) -> Self {
        self.max_unauthenticated = max_unauthenticated;
        self.authenticate_within = authenticate_within;
        self
    }

    /// As a stock daemon, which has no heartbeats in band with a Towline peer (`wire/1 §9.7`): for simulations.
    #[must_use]
    pub const fn as_stock(mut self) -> Self {
        self.is_stock = true;
        self
    }

    /// With other sizes for the data of jobs.
    #[must_use]
    pub const fn with_bulk(mut self, bulk: BulkSizes) -> Self {
        self.bulk = bulk;
        self
    }
}

/// A [`Net`](super::Net) without what its role's orders are for: connections, listeners, the log. For what serves any role.
#[derive(Debug)]
pub struct AnyNet {
    pub(super) settings: Settings,
    pub(super) now: Instant,
    wall: (Instant, Wall),
    rng: ChaCha20Rng,
    next_id: u64,
    actions: Queue<Action>,
    timers: BTreeMap<(Instant, TimerKey), (Owner, &'static str)>,
    timer_times: BTreeMap<TimerKey, Instant>,
    pub(super) links: BTreeMap<ConnId, Link>,
    pub(super) dials: BTreeMap<DialId, Attempt>,
    /// Tries of dials under way, each with its dial.
    pub(super) tries: BTreeMap<DialId, Try>,
    pub(super) names: Names,
    /// Look-ups of the role.
    pub(super) asked: BTreeMap<QueryId, WorkId>,
    pub(super) narrow: Narrow,
    pub(super) news: Queue<(DialId, DialNews)>,
    pub(super) failed: Queue<(DialId, DialFailure)>,
    pub(super) listeners: Listeners,
    pub(super) keyring: Arc<Keyring>,
    /// Accepted, and not authenticated yet.
    pub(super) crowd: Crowd,
    pub(super) guesses: Guesses,
    pub(super) refusals: Refusals,
    pub(super) shortage: Shortage,
    pub(super) surveys: BTreeMap<SurveyId, Survey>,
    pub(super) surveyed: Queue<(SurveyId, Vec<Row>)>,
    /// Lines of the log that the role has not been told of, if it listens.
    pub(super) overheard: Option<Vec<Overheard>>,
}

/// A line of the log, for a role that passes it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overheard {
    /// How important it is.
    pub level: Level,
    /// The code, where something went wrong.
    pub code: Option<Code>,
    /// What it says.
    pub text: String,
}

/// Lines that wait for a role; more are in the log alone.
const MOST_OVERHEARD: usize = 1_000;

/// Whom a timer belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner {
    Role(TimerKey),
    Dial(DialId),
    Survey(SurveyId),
    Listeners,
    Names,
    Refusals,
    Shortage,
    /// What runs has had its time.
    Drain,
}

/// What the node knows of a connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) ends: Ends,
    /// The dial that waits for it.
    pub(super) dial: Option<DialId>,
    /// Its heartbeat interval, if it has one.
    pub(super) interval: Option<Duration>,
    /// Once it is authenticated.
    pub(super) known: Option<Box<Known>>,
    /// Its messages that were taken, and of which it has not heard.
    pub(super) untold: u32,
    /// Whether it waits for each message to be taken.
    pub(super) is_prompt: bool,
}

impl Link {
    pub(super) const fn new(ends: Ends, dial: Option<DialId>) -> Self {
        Self { ends, dial, interval: None, known: None, untold: 0, is_prompt: false }
    }
}

impl AnyNet {
    pub(super) fn new(settings: Settings, seed: [u8; 32], now: Instant) -> Self {
        Self {
            settings,
            now,
            wall: (now, Wall::default()),
            rng: ChaCha20Rng::from_seed(seed),
            next_id: 1,
            actions: Queue::new(),
            timers: BTreeMap::new(),
            timer_times: BTreeMap::new(),
            links: BTreeMap::new(),
            dials: BTreeMap::new(),
            tries: BTreeMap::new(),
            names: Names::default(),
            asked: BTreeMap::new(),
            narrow: Narrow::default(),
            news: Queue::new(),
            failed: Queue::new(),
            listeners: Listeners::default(),
            keyring: Arc::default(),
            crowd: Crowd::default(),
            guesses: Guesses::default(),
            refusals: Refusals::default(),
            shortage: Shortage::default(),
            surveys: BTreeMap::new(),
            surveyed: Queue::new(),
            overheard: None,
        }
    }

    /// How many timers are set.
    pub(super) fn timers_set(&self) -> usize {
        self.timers.len()
    }

    /// The time of the call being handled.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// The wall time of the call being handled.
    #[must_use]
    pub fn wall(&self) -> Wall {
        self.wall.1.after(self.now.since(self.wall.0))
    }

    /// A random number from the seed: for challenges, session keys and jitter.
    pub fn random(&mut self) -> u32 {
        self.rng.next_u32()
    }

    /// Random bytes from the seed.
    pub fn fill_random(&mut self, bytes: &mut [u8]) {
        self.rng.fill_bytes(bytes);
    }

    /// A number that names something new.
    pub fn next_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// Listens on an address; the role hears `on_bound`.
    pub fn listen(&mut self, on: SocketAddr, socket: SocketOptions) -> ListenerId {
        let listener = ListenerId(self.next_id());
        self.order(Action::Listen { listener, on, socket, backlog: limits::BACKLOG });
        listener
    }

    /// Closes a listener.
    pub fn unlisten(&mut self, listener: ListenerId) {
        self.order(Action::Unlisten(listener));
    }

    /// Who may come from now on, and with which key. A job's key must be in here before its peer can know it.
    pub fn set_keyring(&mut self, keyring: Arc<Keyring>) {
        self.keyring = keyring;
    }

    /// How connections are accepted from now on. Those that are under way go on as they began.
    pub fn accept_with(&mut self, settings: Settings) {
        // What is not about accepting stays.
        let (bulk, is_stock) = (self.settings.bulk, self.settings.is_stock);
        self.settings = Settings { bulk, is_stock, ..settings };
    }

    /// Sends one text frame.
    pub fn send_text(&mut self, conn: ConnId, text: impl AsRef<[u8]>) {
        let mut frames = Vec::with_capacity(text.as_ref().len() + 4);
        frame::put_data(&mut frames, text.as_ref());
        self.tell(conn, ToConn::Send(frames));
    }

    /// Sends whole frames.
    pub fn send(&mut self, conn: ConnId, frames: Vec<u8>) {
        self.tell(conn, ToConn::Send(frames));
    }

    /// Sends a signal.
    pub fn send_signal(&mut self, conn: ConnId, signal: Signal) {
        let mut frames = Vec::with_capacity(4);
        frame::put_signal(&mut frames, signal);
        self.tell(conn, ToConn::Send(frames));
    }

    /// Sends a parcel of whole frames; the role hears `on_parcel_sent`.
    pub fn send_parcel(&mut self, conn: ConnId, parcel: Parcel) {
        self.tell(conn, ToConn::Parcel(parcel));
    }

    /// Collects `UpdCat` frames of this connection into parcels; the role hears `on_parcel`.
    pub fn gather(&mut self, conn: ConnId) {
        self.tell(conn, ToConn::Gather);
    }

    /// Collects the lines of a verify job on this connection into parcels; the role hears `on_parcel`.
    pub fn gather_lines(&mut self, conn: ConnId) {
        self.tell(conn, ToConn::GatherLines);
    }

    /// Collects all texts of this connection into parcels; the role hears `on_parcel`, and signals as before.
    pub fn gather_texts(&mut self, conn: ConnId) {
        self.tell(conn, ToConn::GatherTexts);
    }

    /// Says that a parcel given to `on_parcel` has been dealt with; the connection reads no more while 8 have not.
    pub fn parcel_taken(&mut self, conn: ConnId) {
        self.taken(conn);
    }

    /// Hands a connection to a machine; the role hears `on_machine` and in the end `on_carried`.
    pub fn carry(&mut self, conn: ConnId, machine: Machine) {
        self.tell(conn, ToConn::Carry(Box::new(machine)));
    }

    /// Has a connection's machines move their data no faster than so many bytes a second from here on; 0: no limit.
    pub fn pace(&mut self, conn: ConnId, limit: u64) {
        self.tell(conn, ToConn::Pace(NonZeroU64::new(limit)));
    }

    /// Tells a connection's machine something.
    pub fn to_machine(&mut self, conn: ConnId, message: ToMachine) {
        self.tell(conn, ToConn::Machine(message));
    }

    /// Ends a connection: sends what is queued, then TERMINATE if `farewell`, reads to the end, closes.
    pub fn close(&mut self, conn: ConnId, farewell: bool) {
        self.tell(conn, ToConn::Close { farewell });
    }

    /// Ends a connection at once.
    pub fn abort(&mut self, conn: ConnId) {
        self.tell(conn, ToConn::Abort);
    }

    /// Keeps a connection alive: TCP keepalive, and heartbeats in band as often as that if the peer is a Towline daemon.
    /// For one that came in above all, because only now is it known whose it is; one that was dialled has what its
    /// route says.
    pub fn keep_alive(&mut self, conn: ConnId, socket: SocketOptions) {
        if self.links.contains_key(&conn) {
            self.order(Action::Keepalive { conn, socket });
            self.beat(conn, socket);
        }
    }

    /// Ends a connection whose hello is of a kind that this daemon does not serve. `own` is this daemon in words.
    pub fn not_served(&mut self, conn: ConnId, peer: &Peer, own: &str) {
        let hello = peer.hello.to_line();
        let text = format!(
            "{} is not supported by a {own}; check which address and port the configuration of the peer has for it",
            hello.trim_end()
        );
        self.log_refusal((Fault::Config, Code(313)), peer.ends.peer, text);
        self.abort(conn);
    }

    /// Both ends of a connection that has not ended.
    #[must_use]
    pub fn ends(&self, conn: ConnId) -> Option<Ends> {
        self.links.get(&conn).map(|link| link.ends)
    }

    pub(super) fn set_timer(&mut self, after: Duration, why: &'static str) -> TimerKey {
        let key = TimerKey(self.next_id());
        self.arm(self.now + after, key, Owner::Role(key), why);
        key
    }

    pub(super) fn cancel_timer(&mut self, key: TimerKey) {
        if let Some(at) = self.timer_times.remove(&key) {
            self.timers.remove(&(at, key));
        }
    }

    pub(super) fn look_up_for_role(&mut self, host: String) -> WorkId {
        let (work, query) = (WorkId(self.next_id()), QueryId(self.next_id()));
        self.asked.insert(query, work);
        self.order(Action::Resolve { query, host, port: 0 });
        work
    }

    pub(super) fn work(&mut self, request: Work) -> WorkId {
        let work = WorkId(self.next_id());
        self.order(Action::Work { work, request });
        work
    }

    /// Writes to the log.
    pub fn log(&mut self, level: Level, text: &str) {
        self.write_log(level, None, text);
    }

    /// Writes a line to the log, with whose fault it is and the code.
    pub fn log_cause(&mut self, level: Level, cause: (Fault, Code), text: &str) {
        self.write_log(level, Some(cause), text);
    }

    fn write_log(&mut self, level: Level, cause: Option<(Fault, Code)>, text: &str) {
        let text = printable::line(text).into_owned();
        if let Some(overheard) =
            self.overheard.as_mut().filter(|lines| lines.len() < MOST_OVERHEARD && level != Level::Debug)
        {
            overheard.push(Overheard { level, code: cause.map(|(_, code)| code), text: text.clone() });
        }
        self.order(Action::Notify(Notice::Log { level, cause, text }));
    }

    /// Whether the role is told of the lines of the log, by [`Role::on_logged`](super::Role::on_logged).
    pub fn overhear(&mut self, wanted: bool) {
        if wanted != self.overheard.is_some() {
            self.overheard = wanted.then(Vec::new);
        }
    }

    /// The lines of the log since the last time.
    pub fn overheard(&mut self) -> Vec<Overheard> {
        self.overheard.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Writes an error to the log, with what to do.
    pub fn log_error(&mut self, level: Level, error: &dyn Explain) {
        self.log_cause(level, (error.fault(), error.code()), &format!("{error}; {}", error.help()));
    }

    /// Writes to the log what has no error value: with the fault and the remedy of the code's page.
    pub fn complain(&mut self, level: Level, code: u16, text: &str) {
        match explain::page(Code(code)) {
            Some(page) => self.log_cause(level, (page.fault, page.code), &format!("{text}. {}", page.remedy)),
            None => self.log(level, text),
        }
    }

    /// Tells the operator.
    pub fn notify(&mut self, notice: Notice) {
        self.order(Action::Notify(notice));
    }

    /// Ends the node.
    pub fn exit(&mut self, reason: ExitReason) {
        self.order(Action::Exit(reason));
    }

    pub(super) fn order(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    pub(super) const fn actions(&mut self) -> &mut Queue<Action> {
        &mut self.actions
    }

    pub(super) const fn failed_dials(&mut self) -> &mut Queue<(DialId, DialFailure)> {
        &mut self.failed
    }

    pub(super) fn tell(&mut self, conn: ConnId, message: ToConn) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        // What it gathers goes out when all before is taken, and so do the last words of a machine.
        if matches!(message, ToConn::Gather | ToConn::GatherLines | ToConn::GatherTexts | ToConn::Carry(_)) {
            link.is_prompt = true;
            self.tell_taken(conn);
        }
        self.order(Action::ToConn { conn, message });
    }

    /// A message of a connection is dealt with. Where it does not wait for that it hears of several at a time: each word wakes
    /// its task.
    pub(super) fn taken(&mut self, conn: ConnId) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        link.untold += 1;
        if link.is_prompt || link.untold >= limits::UNDER_WAY / 2 {
            self.tell_taken(conn);
        }
    }

    fn tell_taken(&mut self, conn: ConnId) {
        let untold = self.links.get_mut(&conn).map_or(0, |link| std::mem::take(&mut link.untold));
        if untold > 0 {
            self.order(Action::ToConn { conn, message: ToConn::Taken(untold) });
        }
    }

    /// A connection in use stands still: the log hears it, and the next dial of this peer may do better.
    pub(super) fn on_stalled(&mut self, conn: ConnId, stall: &Stall) {
        let Some(link) = self.links.get(&conn) else { return };
        let peer = link.ends.peer;
        let limit = link.interval.map(|interval| limits::STANDSTILL.max(3 * interval));
        if stall.is_large() && link.known.as_ref().is_some_and(|known| known.dialled) {
            self.narrow.stalled(peer.ip(), false, self.now);
        }
        let text = format!("the connection with {peer} stands still: {stall}; {}", stall.help());
        self.log_cause(Level::Warn, (stall.fault(), stall.code()), &text);
        if limit.is_some_and(|limit| stall.since() >= limit) {
            self.tell(conn, ToConn::GiveUp(*stall));
        }
    }

    pub(super) fn knows(&self, conn: ConnId) -> bool {
        self.links.contains_key(&conn)
    }

    pub(super) fn forget(&mut self, conn: ConnId) -> Option<Link> {
        let link = self.links.remove(&conn)?;
        self.crowd.remove(conn);
        Some(link)
    }

    /// Marks a connection as ready; returns the dial it came from.
    pub(super) fn authenticated(&mut self, conn: ConnId, peer: &Peer) -> Option<DialId> {
        let now = self.now;
        let link = self.links.get_mut(&conn)?;
        let dial = link.dial.take();
        link.is_prompt = peer.hello.purpose.is_data_channel();
        link.known = Some(Box::new(Known { peer: peer.clone(), dialled: dial.is_some(), since: now }));
        self.crowd.remove(conn);
        if let Some(dial) = dial {
            let socket = self.end_dial(dial);
            self.beat(conn, socket);
        }
        dial
    }

    /// Whether the peer of a connection is a Towline daemon.
    #[must_use]
    pub fn is_towline(&self, conn: ConnId) -> bool {
        self.links.get(&conn).and_then(|link| link.known.as_ref()).is_some_and(|known| known.peer.towline)
    }

    /// Heartbeats in band with a Towline peer, at the interval of TCP's keepalive.
    fn beat(&mut self, conn: ConnId, socket: SocketOptions) {
        if let Some(link) = self.links.get_mut(&conn) {
            link.interval = socket.keepalive.map(|keepalive| keepalive.idle);
        }
        let known = self.links.get(&conn).and_then(|link| link.known.as_ref());
        if let Some(keepalive) = socket.keepalive
            && known.is_some_and(|known| known.peer.towline)
        {
            // Which end sends is told by the same mark for both (`config::keepalive::End`).
            let sending = keepalive.user_timeout.is_none();
            self.tell(conn, ToConn::Heartbeat { every: keepalive.idle, sending });
        }
    }

    pub(super) fn advance(&mut self, now: Instant) {
        debug_assert!(now >= self.now, "time goes forward");
        debug_assert!(self.actions.is_empty(), "drain poll_action before the next call");
        self.now = self.now.max(now);
    }

    pub(super) const fn set_wall(&mut self, wall: Wall) {
        self.wall = (self.now, wall);
    }

    pub(super) fn arm(&mut self, at: Instant, key: TimerKey, owner: Owner, why: &'static str) {
        self.timers.insert((at, key), (owner, why));
        self.timer_times.insert(key, at);
    }

    pub(super) fn due(&mut self) -> Option<Owner> {
        let (&(at, key), &(owner, _)) = self.timers.first_key_value()?;
        if at > self.now {
            return None;
        }
        self.timers.remove(&(at, key));
        self.timer_times.remove(&key);
        Some(owner)
    }

    pub(super) fn deadline(&self) -> Option<Deadline<&'static str>> {
        self.timers.first_key_value().map(|(&(at, _), &(_, why))| Deadline { at, why })
    }
}
