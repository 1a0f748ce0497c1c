//! A node with a role that only takes notes, and an adapter that answers by hand.

mod admission;
mod dialling;
mod listening;
mod shortage;
mod standstill;
mod stopping;
mod surveys;
mod tokens;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{DialNews, Net, Node, Opening, Route, Row, Settings};
use crate::action::Action;
use crate::conn::{CloseReason, Conn, DialFailure, FromConn, Peer, Stage, ToConn};
use crate::error::{Code, Explain};
use crate::event::Event;
use crate::ids::{ConnId, DialId, ListenerId, QueryId, TicketId};
use crate::node::Role;
use crate::notice::{ExitReason, Level, Notice};
use crate::secret::Secret;
use crate::socket::{Ends, IoKind, ResolveError, SocketOptions};
use crate::time::{Instant, Wall};
use crate::tls::keyring::{Clear, Keyring};
use crate::wire::frame::{Signal, put_data};
use crate::wire::hello::{Hello, Purpose, Version};
use crate::wire::names::{PeerKind, PeerName};
use crate::work::WorkDone;
use crate::{limits, tls};

const SECOND: Duration = Duration::from_secs(1);
const WALL: Wall = Wall(1_795_438_893_000_000);

type Order = Box<dyn FnOnce(&mut Net<Notes>) + Send>;

/// Notes what it hears; does what a test gives it when a line is typed.
#[derive(Default)]
struct Notes {
    heard: Vec<String>,
    dialed: Vec<(String, Result<ConnId, DialFailure>)>,
    order: Option<Order>,
    rows: Vec<Row>,
    surveys: usize,
    grace: Option<Duration>,
}

impl Role for Notes {
    /// The host.
    type Dial = String;
    type Timer = &'static str;
    type Work = &'static str;
    type Survey = ();

    fn start(&mut self, _net: &mut Net<Self>) {
        self.heard.push("start".to_owned());
    }
    fn on_bound(&mut self, _net: &mut Net<Self>, listener: ListenerId, outcome: Result<SocketAddr, IoKind>) {
        self.heard.push(format!("bound {listener:?} {outcome:?}"));
    }
    fn on_accepted(&mut self, _net: &mut Net<Self>, conn: ConnId, peer: Peer) {
        self.heard.push(format!("accepted {conn:?} {}", peer.name));
    }
    fn on_dial_news(&mut self, _net: &mut Net<Self>, _host: &String, news: &DialNews) {
        let what = match news {
            DialNews::Failed { tries, unsaid, .. } => format!("{tries} {unsaid}"),
            DialNews::SmallOnly { .. } => "small".to_owned(),
        };
        self.heard.push(format!("news {} {what}", news.code()));
    }
    fn on_dialed(&mut self, _net: &mut Net<Self>, host: String, outcome: Result<(ConnId, Peer), DialFailure>) {
        self.dialed.push((host, outcome.map(|(conn, _)| conn)));
    }
    fn on_text(&mut self, _net: &mut Net<Self>, _conn: ConnId, text: Vec<u8>) {
        self.heard.push(String::from_utf8(text).unwrap());
    }
    fn on_signal(&mut self, _net: &mut Net<Self>, _conn: ConnId, signal: Signal) {
        self.heard.push(format!("{signal:?}"));
    }
    fn on_closed(&mut self, _net: &mut Net<Self>, conn: ConnId, reason: CloseReason) {
        self.heard.push(format!("closed {conn:?} {reason}"));
    }
    fn on_done(&mut self, _net: &mut Net<Self>, work: &'static str, _done: WorkDone) {
        self.heard.push(format!("done {work}"));
    }
    fn on_timer(&mut self, _net: &mut Net<Self>, timer: &'static str) {
        self.heard.push(format!("timer {timer}"));
    }
    fn on_typed(&mut self, net: &mut Net<Self>, _line: Option<String>) {
        if let Some(order) = self.order.take() {
            order(net);
        }
    }
    fn on_drain(&mut self, _net: &mut Net<Self>) -> Option<Duration> {
        self.grace
    }
    fn on_stop(&mut self, _net: &mut Net<Self>) {
        self.heard.push("stop".to_owned());
    }
    fn on_surveyed(&mut self, _net: &mut Net<Self>, (): (), rows: Vec<Row>) {
        self.surveys += 1;
        self.rows = rows;
    }
    fn on_refused(&mut self, _net: &mut Net<Self>, reason: &CloseReason) -> Option<Code> {
        self.heard.push(format!("refused: {reason}"));
        None
    }
}

struct Desk {
    node: Node<Notes>,
    now: Instant,
}

impl Desk {
    fn new() -> Self {
        Self::with_seed([7; 32])
    }

    fn with_seed(seed: [u8; 32]) -> Self {
        let settings =
            Settings::new("R_STORAGE::sd".to_owned(), Arc::new(tls::Acceptor::new())).accepting(3, 60 * SECOND);
        let now = Instant(1_000_000_000);
        let mut desk = Self { node: Node::new(Notes::default(), settings, seed, now), now };
        assert!(desk.event(Event::Started { wall: WALL }).is_empty());
        desk
    }

    fn event(&mut self, event: Event) -> Vec<Action> {
        self.node.handle_event(event, self.now);
        self.drain()
    }

    fn wait(&mut self, time: Duration) -> Vec<Action> {
        self.now = self.now + time;
        self.node.handle_timeout(self.now);
        self.drain()
    }

    /// Lets the role order something.
    fn order(&mut self, order: impl FnOnce(&mut Net<Notes>) + Send + 'static) -> Vec<Action> {
        self.node.role.order = Some(Box::new(order));
        self.event(Event::Typed(None))
    }

    fn drain(&mut self) -> Vec<Action> {
        std::iter::from_fn(|| self.node.poll_action()).collect()
    }

    /// Dials; retries every 10 seconds for a minute.
    fn dial(&mut self) -> (DialId, QueryId) {
        let (dial, actions) = self.dial_by(route());
        let [Action::Resolve { query, host, port: 9103 }] = &actions[..] else { panic!("{actions:?}") };
        assert_eq!(host, "sd.example");
        (dial, *query)
    }

    fn dial_by(&mut self, route: Route) -> (DialId, Vec<Action>) {
        self.dial_with(route, opening())
    }

    fn dial_with(&mut self, route: Route, opening: Opening) -> (DialId, Vec<Action>) {
        let (say, heard) = std::sync::mpsc::channel();
        let actions = self.order(move |net| say.send(net.dial(route.clone(), opening, route.host)).unwrap());
        (heard.recv().unwrap(), actions)
    }

    fn resolved(&mut self, query: QueryId, addresses: &[SocketAddr]) -> Vec<Action> {
        self.event(Event::Resolved { query, answer: Ok(addresses.to_vec()) })
    }

    fn unresolved(&mut self, query: QueryId, error: ResolveError) -> Vec<Action> {
        self.event(Event::Resolved { query, answer: Err(error) })
    }

    fn dialed(&mut self, dial: DialId, outcome: Result<Ends, IoKind>) -> Vec<Action> {
        self.event(Event::Dialed { dial, outcome })
    }

    fn says(&mut self, conn: ConnId, message: FromConn) -> Vec<Action> {
        self.event(Event::FromConn { conn, message })
    }

    /// A dial that waits for authentication.
    fn attached(&mut self) -> (DialId, ConnId) {
        let (dial, query) = self.dial();
        let actions = self.resolved(query, &[address(1)]);
        let actions = self.dialed(tried(&actions), Ok(ends()));
        (dial, attached(&actions))
    }

    fn accept(&mut self, ticket: u64) -> Vec<Action> {
        self.event(Event::Accepted { ticket: TicketId(ticket), listener: ListenerId(1), ends: ends() })
    }

    /// How the only dial ended.
    fn outcome(&self) -> &Result<ConnId, DialFailure> {
        let [(_, outcome)] = &self.node.role.dialed[..] else { panic!("{:?}", self.node.role.dialed) };
        outcome
    }
}

fn route() -> Route {
    Route {
        host: "sd.example".to_owned(),
        port: 9103,
        source: None,
        socket: SocketOptions::default(),
        retry: 10 * SECOND,
        within: 60 * SECOND,
    }
}

fn opening() -> Opening {
    Opening {
        engine: tls::Dialler::Clear,
        hello: hello(),
        key: Secret::from("key"),
        own: "R_DIRECTOR::dir".to_owned(),
        policy: 0,
    }
}

fn hello() -> Hello {
    Hello::new(Purpose::Director { name: "dir".to_owned() }, Version { major: 26, minor: 0, patch: 0 })
}

fn address(last: u8) -> SocketAddr {
    ([192, 0, 2, last], 9103).into()
}

fn v6(last: u16) -> SocketAddr {
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, last], 9103).into()
}

fn ends() -> Ends {
    Ends { local: address(200), peer: address(1) }
}

fn peer() -> FromConn {
    let name = PeerName::new(PeerKind::Storage, "sd");
    FromConn::Authenticated(Box::new(Peer { ends: ends(), hello: hello(), name, tls: established(), towline: false }))
}

fn peer_for(purpose: Purpose) -> FromConn {
    let FromConn::Authenticated(mut peer) = peer() else { panic!("no peer") };
    peer.hello.purpose = purpose;
    FromConn::Authenticated(peer)
}

fn established() -> tls::Established {
    tls::Established { kind: tls::Kind::Clear, version: String::new(), cipher: String::new(), identity: None }
}

/// The addresses dialled, with the seconds each may take.
fn dials(actions: &[Action], now: Instant) -> Vec<(SocketAddr, u64)> {
    let dial = |action: &Action| match action {
        Action::Dial { to, give_up, .. } => Some((*to, give_up.since(now).as_secs())),
        _ => None,
    };
    actions.iter().filter_map(dial).collect()
}

/// The one look-up that was begun.
fn asked(actions: &[Action]) -> QueryId {
    let [Action::Resolve { query, .. }] = actions else { panic!("{actions:?}") };
    *query
}

/// The one try that was begun.
fn tried(actions: &[Action]) -> DialId {
    let [Action::Dial { dial, .. }] = actions else { panic!("{actions:?}") };
    *dial
}

fn attached(actions: &[Action]) -> ConnId {
    let Some(Action::Attach { conn, .. }) = actions.last() else { panic!("{actions:?}") };
    conn.id()
}

fn admitted(actions: Vec<Action>) -> Box<Conn> {
    match actions.into_iter().find(|action| matches!(action, Action::Admit { .. })) {
        Some(Action::Admit { conn, .. }) => conn,
        other => panic!("not admitted: {other:?}"),
    }
}

/// The connection that had to make room.
fn pushed_out(actions: &[Action]) -> Option<ConnId> {
    actions.iter().find_map(|action| match action {
        Action::ToConn { conn, message: ToConn::PushOut } => Some(*conn),
        _ => None,
    })
}

fn logged(actions: &[Action]) -> Vec<&str> {
    let mut lines = Vec::new();
    for action in actions {
        if let Action::Notify(Notice::Log { text, .. }) = action {
            lines.push(text.as_str());
        }
    }
    lines
}

#[test]
fn a_ready_connection_speaks_to_the_role_until_it_is_closed() {
    let mut desk = Desk::new();
    let (_, conn) = desk.attached();
    assert!(desk.says(conn, peer()).is_empty());
    assert!(desk.says(conn, FromConn::Text(b"hello".to_vec())).is_empty());
    assert!(desk.says(conn, FromConn::Closed(CloseReason::ByPeer)).is_empty());
    assert!(desk.says(conn, FromConn::Text(b"late".to_vec())).is_empty());
    assert!(desk.order(move |net| net.send_text(conn, "late")).is_empty());
    assert_eq!(desk.node.role.heard, ["start", "hello", &format!("closed {conn:?} closed by the peer")]);
}

#[test]
fn a_connection_hears_that_its_messages_are_taken_before_it_has_to_wait_for_that() {
    let taken = |actions: &[Action]| match actions {
        [] => 0,
        [Action::ToConn { message: ToConn::Taken(messages), .. }] => *messages,
        other => panic!("{other:?}"),
    };
    let text = || FromConn::Text(b"x".to_vec());
    let mut desk = Desk::new();
    let (_, control) = desk.attached();
    let _ = desk.says(control, peer());
    let heard: Vec<u32> = (0..7).map(|_| taken(&desk.says(control, text()))).collect();
    assert_eq!(heard, [0, 0, 4, 0, 0, 0, 4], "of eight that may be under way");
    // From here on it waits for each, and what was not said is said before.
    let _ = desk.says(control, text());
    let actions = desk.order(move |net| net.gather(control));
    let [Action::ToConn { message: ToConn::Taken(1), .. }, Action::ToConn { message: ToConn::Gather, .. }] =
        &actions[..]
    else {
        panic!("{actions:?}")
    };
    assert_eq!([taken(&desk.says(control, text())), taken(&desk.says(control, text()))], [1, 1]);
    // On a data channel the answer to a line may be a machine, which the next bytes are for.
    let data = admitted(desk.accept(1)).id();
    assert_eq!(taken(&desk.says(data, peer_for(Purpose::StartJob { job: "job".to_owned() }))), 1);
    assert_eq!(taken(&desk.says(data, text())), 1);
}

#[test]
fn three_may_be_unauthenticated_and_for_a_fourth_the_one_that_was_silent_longest_goes() {
    let mut desk = Desk::new();
    let conns: Vec<ConnId> = (1..=3).map(|ticket| admitted(desk.accept(ticket)).id()).collect();
    // The first has said hello since.
    let _ = desk.wait(SECOND);
    let _ = desk.says(conns[0], FromConn::Reached { stage: Stage::Hello, by_key: false });
    let actions = desk.accept(4);
    assert!(logged(&actions)[0].contains("pushed out to make room for others after 1 s of silence: 3 connections"));
    assert_eq!(pushed_out(&actions), Some(conns[1]));
    // An authenticated one is not counted any more, and never goes.
    let _ = desk.says(conns[0], peer());
    assert_eq!(pushed_out(&desk.accept(5)), None);
    assert_eq!(pushed_out(&desk.accept(6)), Some(conns[2]));
    assert!(desk.says(conns[2], FromConn::Closed(CloseReason::PushedOut)).is_empty(), "it is forgotten already");
    // Nor does the end of one that was authenticated make room.
    let _ = desk.says(conns[0], FromConn::Closed(CloseReason::ByPeer));
    assert!(pushed_out(&desk.accept(7)).is_some());
}

#[test]
fn timers_fire_in_order_never_early_and_not_once_cancelled() {
    let mut desk = Desk::new();
    assert!(
        desk.order(|net| {
            let late = net.set_timer(3 * SECOND, "late", "first");
            let soon = net.set_timer(SECOND, "soon", "second");
            let never = net.set_timer(2 * SECOND, "never", "third");
            assert_eq!((late.0, soon.0, never.0), (1, 2, 3));
            net.cancel_timer(never);
            net.cancel_timer(never);
        })
        .is_empty()
    );
    assert_eq!(desk.node.poll_timeout().map(|deadline| deadline.why), Some("soon"));
    let _ = desk.wait(SECOND - Duration::from_nanos(1));
    assert_eq!(desk.node.role.heard, ["start"]);
    let _ = desk.wait(Duration::from_nanos(1));
    let _ = desk.wait(Duration::ZERO);
    assert_eq!(desk.node.role.heard, ["start", "timer second"]);
    let _ = desk.wait(60 * SECOND);
    assert_eq!(desk.node.role.heard, ["start", "timer second", "timer first"]);
    assert_eq!(desk.node.poll_timeout(), None);
}

#[test]
fn the_wall_time_goes_on_from_the_last_report() {
    let mut desk = Desk::new();
    let _ = desk.wait(SECOND);
    let _ = desk.order(|net| assert_eq!(net.wall(), WALL.after(SECOND)));
    let _ = desk.event(Event::ClockJumped { wall: Wall(5_000_000) });
    let _ = desk.wait(SECOND);
    let _ = desk.order(|net| assert_eq!(net.wall(), Wall(6_000_000)));
    assert!(desk.node.role.order.is_none());
}

#[test]
fn the_second_request_to_stop_ends_the_node_at_once() {
    let mut desk = Desk::new();
    assert!(desk.event(Event::StopRequested).is_empty());
    assert_eq!(desk.node.role.heard, ["start", "stop"]);
    let actions = desk.event(Event::StopRequested);
    assert!(matches!(&actions[0], Action::Notify(Notice::Log { level: Level::Warn, .. })));
    assert!(matches!(&actions[1], Action::Exit(ExitReason::Failed(1))));
    assert_eq!(desk.node.role.heard, ["start", "stop"]);
}

#[test]
fn a_listener_has_the_backlog_of_the_limits() {
    let mut desk = Desk::new();
    let actions = desk.order(|net| {
        net.listen(address(1), SocketOptions::default());
    });
    let [Action::Listen { listener, backlog, .. }] = actions[..] else { panic!("{actions:?}") };
    assert_eq!(backlog, limits::BACKLOG);
    let _ = desk.event(Event::Bound { listener, outcome: Err(IoKind::InUse) });
    assert_eq!(desk.node.role.heard[1], format!("bound {listener:?} Err(InUse)"));
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "drain poll_action")]
fn a_call_before_the_actions_are_drained_is_noticed() {
    let mut desk = Desk::new();
    desk.node.role.order = Some(Box::new(|net| net.log(Level::Info, "x")));
    desk.node.handle_event(Event::Typed(None), desk.now);
    desk.node.handle_timeout(desk.now);
}

/// The challenge an accepted peer gets.
fn challenge(seed: [u8; 32]) -> Vec<u8> {
    let mut desk = Desk::with_seed(seed);
    let keyring = Keyring::builder().with(hello().identity(), Secret::from("key"), Clear::Allowed).build();
    let _ = desk.order(|net| net.set_keyring(Arc::new(keyring)));
    let mut conn = admitted(desk.accept(1));
    let mut bytes = Vec::new();
    put_data(&mut bytes, hello().to_line().as_bytes());
    conn.read_space()[..bytes.len()].copy_from_slice(&bytes);
    conn.on_read(bytes.len(), desk.now);
    let challenge = conn.transmit(usize::MAX).iter().flat_map(|slice| slice.to_vec()).collect::<Vec<u8>>();
    assert!(String::from_utf8_lossy(&challenge).contains("auth cram-md5"), "{challenge:?}");
    challenge
}

#[test]
fn the_same_seed_gives_the_same_challenge_and_another_seed_another() {
    assert_eq!(challenge([1; 32]), challenge([1; 32]));
    assert_ne!(challenge([1; 32]), challenge([2; 32]));
}
