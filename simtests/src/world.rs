//! The world: hosts, what connects them, and one thing after the other.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use towline_core::conn;
use towline_core::drive::{Desk, DialOrder, Hands, ListenOrder, Mail, NodeMail};
use towline_core::event::Event;
use towline_core::ids::ConnId;
use towline_core::node::{Inspection, Node, Role};
use towline_core::notice::ExitReason;
use towline_core::socket::{IoKind, SocketOptions};
use towline_core::time::{Instant, Wall};

use crate::clock::Ticket;
use crate::contract::{Book, Watch, lock};
use crate::host::{Answers, AnyDesk, Asker, HostId, Life, Out, Simulated, Socket, TaskId, Wire};
use crate::inbox::Post;
use crate::link::Link;
use crate::net::{Happening, Net, NetState, Owner};
use crate::rng::Rng;
use crate::trace::Trace;

/// The wall time at which each world begins: 2026-01-01, in microseconds.
const BEGINNING: i64 = 1_767_225_600_000_000;
/// How long a piece of work takes on average, unless said otherwise.
const SLOWNESS: Duration = Duration::from_micros(300);

/// A daemon that runs on a host.
struct Daemon {
    desk: Box<dyn AnyDesk>,
    hands: Arc<dyn Hands>,
    book: Arc<Mutex<Book>>,
    timer: Option<(Instant, Ticket)>,
}

/// Everything there is. The same seed and the same calls give the same trace.
pub struct World {
    pub(crate) net: Net,
    daemons: Vec<Option<Daemon>>,
    exits: Vec<Option<ExitReason>>,
    slowness: Vec<Duration>,
    answers: Answers,
    trace: Trace,
    seeds: Rng,
    steps: u64,
    turns: u64,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("now", &self.now()).field("steps", &self.steps).finish_non_exhaustive()
    }
}

impl World {
    /// A world without a host.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let state = NetState::new(seed);
        let trace = state.trace.clone();
        Self {
            net: Rc::new(RefCell::new(state)),
            daemons: Vec::new(),
            exits: Vec::new(),
            slowness: Vec::new(),
            answers: Answers::default(),
            trace,
            seeds: Rng::new(!seed),
            steps: 0,
            turns: 0,
        }
    }

    /// A host with one address; its name resolves to that.
    pub fn add_host(&mut self, name: &str, address: IpAddr) -> HostId {
        self.daemons.push(None);
        self.exits.push(None);
        self.slowness.push(SLOWNESS);
        self.net.borrow_mut().add_host(name, address)
    }

    /// The 32 bytes for a node.
    pub fn node_seed(&mut self) -> [u8; 32] {
        self.seeds.seed()
    }

    /// Starts a daemon; one that ran there before is killed.
    pub fn start<R: Role>(&mut self, host: HostId, node: Node<R>, hands: Arc<dyn Hands>) {
        self.kill(host);
        let (life, name) = {
            let mut net = self.net.borrow_mut();
            let Some(place) = net.places.get_mut(host.0) else { return };
            place.is_on = true;
            (Life(host, place.life), place.name.clone())
        };
        let book = Arc::new(Mutex::new(Book::default()));
        let watch =
            Watch { name: name.into(), hands: Arc::clone(&hands), trace: self.trace.clone(), book: Arc::clone(&book) };
        let watch: Arc<dyn Hands> = Arc::new(watch);
        let (net, answers) = (Rc::clone(&self.net), Arc::clone(&self.answers));
        let adapter = Simulated { net, life, hands, answers };
        let mut desk: Box<dyn AnyDesk> = Box::new(Desk::new(node, Arc::clone(&watch), adapter));
        let (wall, now) = (self.wall_of(host), self.time_of(host));
        let over = desk.start(wall, now);
        let daemon = Daemon { desk, hands: watch, book, timer: None };
        self.exits[host.0] = None;
        self.daemons[host.0] = Some(daemon);
        self.after_desk(host, over);
        self.collect_answers();
    }

    /// The daemon's process dies: the system closes its sockets.
    pub fn kill(&mut self, host: HostId) {
        let life = {
            let mut net = self.net.borrow_mut();
            let Some(place) = net.places.get_mut(host.0) else { return };
            let life = Life(host, place.life);
            place.life += 1;
            let inbox = std::mem::take(&mut place.inbox);
            // Held sockets close with it.
            for post in inbox {
                match post {
                    Post::Dialed(_, Ok((socket, _))) | Post::Accepted(_, socket, _) => net.close(socket),
                    Post::Event(_) | Post::Dialed(..) => {}
                }
            }
            life
        };
        if let Some(Some(daemon)) = self.daemons.get_mut(host.0).map(Option::take)
            && let Some((_, ticket)) = daemon.timer
        {
            self.net.borrow_mut().clock.cancel(ticket);
        }
        self.net.borrow_mut().forget_tasks(life);
        self.collect_answers();
    }

    /// The host loses its power: nobody hears of it, and its peers' connections are half-open.
    pub fn power_off(&mut self, host: HostId) {
        {
            let mut net = self.net.borrow_mut();
            net.forget_host(host);
            if let Some(place) = net.places.get_mut(host.0) {
                place.is_on = false;
            }
        }
        self.note("power", &format!("{host:?} is off"));
        self.kill(host);
    }

    /// A host has power again, and remembers nothing: its peers of old get resets.
    pub fn power_on(&mut self, host: HostId) {
        self.note("power", &format!("{host:?} is on"));
        if let Some(place) = self.net.borrow_mut().places.get_mut(host.0) {
            place.is_on = true;
        }
    }

    /// Listens on a host, takes every connection, and never says a word.
    ///
    /// # Errors
    /// The address is taken, or another host's.
    pub fn add_mute(&mut self, host: HostId, on: SocketAddr) -> Result<SocketAddr, IoKind> {
        let order = ListenOrder { on, socket: SocketOptions::default(), backlog: 0 };
        self.net.borrow_mut().listen(host, None, &order)
    }

    /// Connects from a host, never says a word, and stays as long as the other end lets it.
    pub fn add_idle(&mut self, host: HostId, to: SocketAddr) {
        let give_up = self.time_of(host) + Duration::from_secs(3600);
        let order = DialOrder { to, from: None, socket: SocketOptions::default(), give_up };
        let _held = self.net.borrow_mut().dial(host, Owner::Held, &order);
    }

    /// Posts an event to a daemon; false if none runs there.
    pub fn post(&mut self, host: HostId, event: Event) -> bool {
        if self.daemons.get(host.0).is_none_or(Option::is_none) {
            return false;
        }
        let mut net = self.net.borrow_mut();
        let life = net.places.get(host.0).map_or(0, |place| place.life);
        net.post(Life(host, life), event);
        true
    }

    /// Whether a daemon runs on a host.
    #[must_use]
    pub fn is_running(&self, host: HostId) -> bool {
        self.daemons.get(host.0).is_some_and(Option::is_some)
    }

    /// Why the daemon of a host has ended.
    #[must_use]
    pub fn exit(&self, host: HostId) -> Option<ExitReason> {
        self.exits.get(host.0).cloned().flatten()
    }

    /// Changes both directions between two hosts.
    pub fn link(&mut self, one: HostId, two: HostId, change: impl Fn(&mut Link)) {
        let mut net = self.net.borrow_mut();
        net.links.change(one, two, &change);
        net.links.change(two, one, &change);
    }

    /// From now on nothing gets through between two hosts, and nobody is told.
    pub fn cut(&mut self, one: HostId, two: HostId) {
        self.note("link", &format!("cut {one:?} {two:?}"));
        self.link(one, two, |link| link.cut = true);
    }

    /// Changes the direction from one host to another.
    pub fn link_way(&mut self, from: HostId, to: HostId, change: impl FnOnce(&mut Link)) {
        self.net.borrow_mut().links.change(from, to, change);
    }

    /// From now on nothing gets through from one host to another, and nobody is told; what comes back does.
    pub fn cut_way(&mut self, from: HostId, to: HostId) {
        self.note("link", &format!("cut from {from:?} to {to:?}"));
        self.link_way(from, to, |link| link.cut = true);
    }

    /// Everything gets through again.
    pub fn heal(&mut self) {
        self.note("link", "heal");
        let mut net = self.net.borrow_mut();
        net.links.heal();
        net.networks.heal();
        net.networks.edges.heal();
    }

    /// Bytes that the task of each connection begun from now on reads, and writes, in one turn.
    pub fn set_budget(&mut self, bytes: usize) {
        self.net.borrow_mut().budget = bytes.max(1);
    }

    /// How long a piece of work of this host takes on average.
    pub fn set_slowness(&mut self, host: HostId, slowness: Duration) {
        if let Some(place) = self.slowness.get_mut(host.0) {
            *place = slowness;
        }
    }

    /// The disk of a host is busy with something else for so long: its next piece of work is done after that.
    pub fn occupy(&mut self, host: HostId, span: Duration) {
        let mut net = self.net.borrow_mut();
        let now = net.now();
        if let Some(place) = net.places.get_mut(host.0) {
            place.disk_busy = place.disk_busy.max(now) + span;
        }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.net.borrow().now()
    }

    /// The wall time.
    #[must_use]
    pub fn wall(&self) -> Wall {
        Wall(BEGINNING).after(self.now().since(Instant::ZERO))
    }

    /// What happened so far.
    #[must_use]
    pub const fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Steps so far.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// Turns of connections' tasks so far.
    #[must_use]
    pub const fn turns(&self) -> u64 {
        self.turns
    }

    /// What a daemon has under way, as it says itself; `None` if none runs there.
    #[must_use]
    pub fn inspect(&self, host: HostId) -> Option<Inspection> {
        self.daemons.get(host.0).and_then(Option::as_ref).map(|daemon| daemon.desk.inspect())
    }

    /// What each connection of a daemon holds.
    #[must_use]
    pub fn inspect_connections(&self, host: HostId) -> Vec<(ConnId, conn::Inspection)> {
        let net = self.net.borrow();
        let of_host = net.tasks.iter().filter(|(_, task)| task.id.life.0 == host);
        of_host.filter_map(|(_, task)| Some((task.id.conn, task.pump.as_ref()?.inspect()))).collect()
    }

    /// Connections that a daemon has.
    #[must_use]
    pub fn connections(&self, host: HostId) -> usize {
        let daemon = self.daemons.get(host.0).and_then(Option::as_ref);
        daemon.map_or(0, |daemon| lock(&daemon.book).connections())
    }

    /// What is open: everything a daemon waits for, in words. What is stuck is among it.
    #[must_use]
    pub fn pending(&self) -> Vec<String> {
        let net = self.net.borrow();
        let mut all = Vec::new();
        for (place, daemon) in net.places.iter().zip(&self.daemons) {
            if let Some(daemon) = daemon {
                let open = lock(&daemon.book).open();
                all.extend(open.into_iter().map(|what| format!("{}: {what}", place.name)));
            }
        }
        all.extend(net.tasks.iter().filter_map(|(_, task)| {
            let TaskId { life, conn, socket } = task.id;
            let name = net.places.get(life.0.0).map(|place| place.name.as_str())?;
            let end = net.end(socket)?;
            let (out, unread) = end.queued();
            let (ends, phase) = (end.ends(), end.phase());
            Some(format!("{name}: conn {} with {} {phase:?}: {out} bytes unsent, {unread} unread", conn.0, ends.peer))
        }));
        all
    }

    /// The next thing that happens. False if nothing ever will.
    ///
    /// # Panics
    /// If a daemon or its adapter broke their contract.
    pub fn step(&mut self) -> bool {
        let happening = self.net.borrow_mut().clock.advance();
        let Some(happening) = happening else { return false };
        self.trace.set_now(self.now());
        self.steps += 1;
        match happening {
            Happening::Arrive { way, ends, segment, via } => self.net.borrow_mut().on_arrive(way, ends, segment, via),
            Happening::Unreachable(host, ends, kind) => self.net.borrow_mut().on_unreachable(host, ends, kind),
            Happening::TooLarge(host, ends, largest) => self.net.borrow_mut().on_too_large(host, ends, largest),
            Happening::SocketTimer(id) => self.net.borrow_mut().on_socket_timer(id),
            Happening::GiveUp(id) => self.net.borrow_mut().give_up(id),
            Happening::Post(life, event) => self.hear(life, *event),
            Happening::Node(host) => self.run_node(host),
            Happening::NodeTimer(host) => self.run_timer(host),
            Happening::Task(id) => self.run_task(id),
            Happening::TaskTimer(id) => {
                let is_due = self.net.borrow_mut().is_task_due(id);
                if is_due {
                    self.run_task(id);
                }
            }
            Happening::Answer(Asker::Node(life), work, done) => self.hear(life, Event::Done { work, done: *done }),
            Happening::Answer(Asker::Task(task), work, done) => {
                let looks = self.net.borrow_mut().tell_task_now(task, Mail::Done(work, *done));
                if looks {
                    self.run_task(task);
                }
            }
        }
        self.collect_answers();
        true
    }

    /// When the next thing happens, if anything ever will.
    #[must_use]
    pub fn next_at(&self) -> Option<Instant> {
        // Between two steps too hands may have answered: those of a catalog that does not hang any more.
        self.collect_answers();
        self.net.borrow().clock.next_at()
    }

    /// Lets time pass.
    pub fn run_for(&mut self, span: Duration) {
        let until = self.now() + span;
        while self.next_at().is_some_and(|at| at <= until) {
            self.step();
        }
        self.net.borrow_mut().clock.pass_to(until);
        self.trace.set_now(self.now());
    }

    /// Goes on until it is so, at most so long. False if it never was.
    pub fn run_until(&mut self, within: Duration, mut is_so: impl FnMut(&mut Self) -> bool) -> bool {
        let until = self.now() + within;
        loop {
            if is_so(self) {
                return true;
            }
            if self.next_at().is_none_or(|at| at > until) {
                return false;
            }
            self.step();
        }
    }

    /// Writes a line of one's own into the trace.
    pub fn note(&self, who: &str, text: &str) {
        self.trace.line(who, text);
    }

    /// A node hears of something that took its time already.
    fn hear(&mut self, life: Life, event: Event) {
        let looks = self.net.borrow_mut().post_now(life, event);
        if looks {
            self.run_node(life.0);
        }
    }

    fn run_node(&mut self, host: HostId) {
        loop {
            let post = {
                let mut net = self.net.borrow_mut();
                let Some(place) = net.places.get_mut(host.0) else { return };
                let post = place.inbox.pop_front();
                place.is_woken = post.is_some();
                post
            };
            let Some(post) = post else { return };
            let net = Rc::clone(&self.net);
            let mail = match post {
                Post::Event(event) => NodeMail::Event(event),
                Post::Dialed(dial, outcome) => {
                    let outcome = outcome.map(|(id, ends)| (Socket::new(net, id), ends));
                    NodeMail::Dialed { dial, outcome }
                }
                Post::Accepted(listener, id, ends) => {
                    NodeMail::Accepted { listener, socket: Socket::new(net, id), ends }
                }
            };
            let (now, wall) = (self.time_of(host), self.wall_of(host));
            let Some(Some(daemon)) = self.daemons.get_mut(host.0) else { return };
            let over = daemon.desk.take(mail, now, wall);
            self.after_desk(host, over);
        }
    }

    fn run_timer(&mut self, host: HostId) {
        let (now, wall) = (self.time_of(host), self.wall_of(host));
        let Some(Some(daemon)) = self.daemons.get_mut(host.0) else { return };
        daemon.timer = None;
        let over = daemon.desk.tick(now, wall);
        let late = daemon.desk.deadline().is_some_and(|at| at <= now);
        assert!(!late || over.is_some(), "a timer of {host:?} is still due after handle_timeout");
        self.after_desk(host, over);
    }

    /// Arms the timer, or takes the daemon away if it has ended.
    fn after_desk(&mut self, host: HostId, over: Option<ExitReason>) {
        let Some(Some(daemon)) = self.daemons.get_mut(host.0) else { return };
        let broken = std::mem::take(&mut lock(&daemon.book).broken);
        assert!(broken.is_empty(), "the contract is broken: {broken:#?}\n{}", self.trace.tail(40));
        if let Some(reason) = over {
            self.exits[host.0] = Some(reason);
            return self.kill(host);
        }
        let deadline = daemon.desk.deadline();
        if let (Some(at), Some((armed, _))) = (deadline, daemon.timer)
            && armed <= at
        {
            return;
        }
        let mut net = self.net.borrow_mut();
        let old = daemon.timer.take().map(|(_, ticket)| ticket);
        daemon.timer = match deadline {
            Some(at) => {
                let due = net.world_time(host, at);
                Some((at, net.clock.again_at(old, due, || Happening::NodeTimer(host))))
            }
            None => {
                old.into_iter().for_each(|ticket| net.clock.cancel(ticket));
                None
            }
        };
    }

    fn run_task(&mut self, id: TaskId) {
        let taken = self.net.borrow_mut().take_pump(id);
        let Some((mut pump, mut mail, is_cut)) = taken else { return };
        let Some(Some(daemon)) = self.daemons.get(id.life.0.0) else { return };
        self.turns += 1;
        let now = self.time_of(id.life.0);
        let mut out = Out { net: &self.net, task: id, hands: &daemon.hands, answers: &self.answers };
        while let Some(mail) = mail.take() {
            pump.deliver(mail, now, &mut out);
        }
        if is_cut {
            pump.cut(now, &mut out);
            return self.net.borrow_mut().end_task(id);
        }
        let wait = pump.turn(&mut Wire { net: &self.net, socket: id.socket }, || now, &mut out);
        let mut net = self.net.borrow_mut();
        if wait.end { net.end_task(id) } else { net.put_pump(id, pump, mail, wait) }
    }

    /// What the hands have answered comes to those who asked when the disk is done with it.
    fn collect_answers(&self) {
        if !self.answers.any() {
            return;
        }
        let answers = self.answers.take();
        let mut net = self.net.borrow_mut();
        for (asker, work, done) in answers {
            let (Asker::Node(Life(host, _)) | Asker::Task(TaskId { life: Life(host, _), .. })) = asker;
            let slowness = self.slowness.get(host.0).copied().unwrap_or(SLOWNESS);
            let at = net.work_done_at(host, slowness);
            net.clock.at(at, Happening::Answer(asker, work, Box::new(done)));
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // Desks hold sockets, and sockets the network.
        for host in 0..self.daemons.len() {
            self.kill(HostId(host));
        }
    }
}
