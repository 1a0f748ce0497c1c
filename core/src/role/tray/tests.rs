use std::net::SocketAddr;
use std::sync::Arc;

use super::*;
use crate::action::Action;
use crate::config::{Monitor, MonitoredClient, Password, Seconds, TlsConfig};
use crate::conn::{FromConn, ToConn};
use crate::event::Event;
use crate::ids::{DialId, QueryId};
use crate::node::{Node, Settings};
use crate::socket::Ends;
use crate::time::{Instant, Wall};
use crate::tls::{Acceptor, Established, Kind};
use crate::wire::frame;
use crate::wire::hello::{Hello, Purpose};
use crate::wire::names::{PeerKind, PeerName};

const SECOND: u64 = 1_000_000_000;

/// A monitor of one file daemon, and what it orders.
struct Bench {
    node: Node<Tray>,
    now: Instant,
    resolves: Vec<QueryId>,
    dials: Vec<DialId>,
    conns: Vec<ConnId>,
    sent: Vec<Vec<u8>>,
    ended: Vec<(ConnId, bool)>,
    exit: Option<ExitReason>,
}

impl Bench {
    fn new(watch: Watch) -> Self {
        let monitor = Monitor {
            name: "mon".to_owned(),
            description: None,
            refresh_interval: Seconds::secs(60),
            timeout: Seconds::secs(10),
            tls: TlsConfig::off(),
            source_address: None,
        };
        let client = MonitoredClient {
            name: "fd".to_owned(),
            description: None,
            address: "fd.example".to_owned(),
            port: 9102,
            password: Password::new("secret"),
            tls: None,
        };
        let config = TrayConfig { monitor, directors: Vec::new(), clients: vec![client], storages: Vec::new() };
        let settings = Settings::new(String::new(), Arc::new(Acceptor::new())).accepting(1, Duration::from_secs(60));
        let role = Tray::new(Arc::new(config), Credentials::default(), watch);
        let node = Node::new(role, settings, [7; 32], Instant::ZERO);
        let mut bench = Self {
            node,
            now: Instant::ZERO,
            resolves: Vec::new(),
            dials: Vec::new(),
            conns: Vec::new(),
            sent: Vec::new(),
            ended: Vec::new(),
            exit: None,
        };
        bench.event(Event::Started { wall: Wall(0) });
        bench
    }

    fn event(&mut self, event: Event) {
        self.node.handle_event(event, self.now);
        self.drain();
    }

    fn wait_until(&mut self, seconds: u64) {
        self.now = Instant(seconds * SECOND);
        self.node.handle_timeout(self.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(action) = self.node.poll_action() {
            match action {
                Action::Resolve { query, .. } => self.resolves.push(query),
                Action::Dial { dial, .. } => self.dials.push(dial),
                Action::Attach { conn, .. } => self.conns.push(conn.id()),
                Action::ToConn { message: ToConn::Send(bytes), .. } => self.sent.push(bytes),
                Action::ToConn { conn, message: ToConn::Close { farewell } } => self.ended.push((conn, farewell)),
                Action::ToConn { conn, message: ToConn::Abort } => self.ended.push((conn, false)),
                Action::Exit(reason) => self.exit = Some(reason),
                _ => {}
            }
        }
    }

    /// The newest dial succeeds; returns its connection.
    fn connect(&mut self) -> ConnId {
        let at: SocketAddr = "127.0.0.1:9102".parse().unwrap();
        let query = *self.resolves.last().unwrap();
        self.event(Event::Resolved { query, answer: Ok(vec![at]) });
        let dial = *self.dials.last().unwrap();
        let ends = Ends { local: at, peer: at };
        self.event(Event::Dialed { dial, outcome: Ok(ends) });
        let conn = *self.conns.last().unwrap();
        let hello = Hello { purpose: Purpose::Director { name: "mon".to_owned() }, version: None };
        let name = PeerName::new(PeerKind::Director, "mon");
        let tls = Established { kind: Kind::Clear, version: String::new(), cipher: String::new(), identity: None };
        let peer = Peer { ends, hello, name, tls, towline: false };
        self.hear(conn, FromConn::Authenticated(Box::new(peer)));
        conn
    }

    fn hear(&mut self, conn: ConnId, message: FromConn) {
        self.event(Event::FromConn { conn, message });
    }

    fn says(&mut self, conn: ConnId, text: &str) {
        self.hear(conn, FromConn::Text(text.as_bytes().to_vec()));
    }

    fn answers(&mut self, conn: ConnId, text: &str) {
        self.says(conn, "2000 OK Hello 54\n");
        self.says(conn, text);
        self.hear(conn, FromConn::Signal(Signal::Eod));
    }

    fn health(&self) -> Health {
        self.node.role().views().next().unwrap().health.clone()
    }

    fn code(&self) -> u16 {
        use crate::error::Explain as _;
        match self.health() {
            Health::Unreachable(why) => why.code().0,
            other => panic!("{other:?}"),
        }
    }
}

const STATUS: &str = "fd Version: 26.0.0 (today) Debian\n\0";

#[test]
fn a_status_of_the_greatest_length_is_read_and_one_byte_more_is_refused() {
    for (more, code) in [(0, None), (1, Some(534))] {
        let mut bench = Bench::new(Watch::OnAndOn);
        let conn = bench.connect();
        bench.says(conn, "2000 OK Hello 54\n");
        let line = format!("{STATUS}{}", "x".repeat(MAX_STATUS - STATUS.len() + 1 + more));
        bench.says(conn, STATUS);
        bench.says(conn, &line[STATUS.len()..]);
        bench.hear(conn, FromConn::Signal(Signal::Eod));
        match code {
            None => assert_eq!(bench.health(), Health::Reachable),
            Some(code) => assert_eq!((bench.code(), bench.ended.len()), (code, 1)),
        }
    }
}

#[test]
fn a_heartbeat_is_answered_at_any_time() {
    let mut bench = Bench::new(Watch::OnAndOn);
    let conn = bench.connect();
    bench.answers(conn, STATUS);
    bench.sent.clear();
    bench.hear(conn, FromConn::Signal(Signal::Heartbeat));
    let mut frames = Vec::new();
    frame::put_signal(&mut frames, Signal::HeartbeatResponse);
    assert_eq!(bench.sent, [frames]);
}

#[test]
fn another_greeting_a_refusal_and_a_question_are_told_apart() {
    let told = |words: &[&str], signal: Option<Signal>| {
        let mut bench = Bench::new(Watch::OnAndOn);
        let conn = bench.connect();
        words.iter().for_each(|word| bench.says(conn, word));
        if let Some(signal) = signal {
            bench.hear(conn, FromConn::Signal(signal));
        }
        bench.code()
    };
    let hello = "2000 OK Hello 54\n";
    assert_eq!(told(&["3000 OK Hello\n"], None), 532);
    assert_eq!(told(&[hello, "2997 Invalid command\n"], Some(Signal::Eod)), 533);
    assert_eq!(told(&[hello, "Which one?"], Some(Signal::SubPrompt)), 533);
    let mut bench = Bench::new(Watch::OnAndOn);
    let conn = bench.connect();
    bench.says(conn, hello);
    bench.says(conn, "2999 Invalid command\n");
    bench.hear(conn, FromConn::Closed(CloseReason::ByPeer));
    assert_eq!(bench.code(), 533, "the words say more than the end of the connection");
}

#[test]
fn looks_follow_each_other_at_the_interval_and_at_once_when_a_person_asks() {
    let mut bench = Bench::new(Watch::OnAndOn);
    let conn = bench.connect();
    bench.wait_until(4);
    bench.answers(conn, STATUS);
    bench.sent.clear();
    bench.wait_until(59);
    assert!(bench.sent.is_empty());
    bench.wait_until(60);
    assert_eq!(bench.sent.len(), 1, "counted from the beginning of the look before");
    bench.event(Event::Typed(Some(String::new())));
    assert_eq!(bench.sent.len(), 1, "it is being asked");
    bench.says(conn, STATUS);
    bench.hear(conn, FromConn::Signal(Signal::Eod));
    bench.event(Event::Typed(Some(String::new())));
    assert_eq!(bench.sent.len(), 2);
    bench.wait_until(69);
    assert_eq!(bench.health(), Health::Reachable, "its time is not over");
    bench.wait_until(70);
    assert_eq!(bench.code(), 531);
    assert_eq!(bench.ended, [(conn, false)], "hung up");
    assert_eq!(bench.dials.len(), 1, "not before the next look");
    bench.wait_until(120);
    assert_eq!(bench.resolves.len(), 2);
}

#[test]
fn a_name_that_is_never_resolved_costs_no_more_than_the_time_of_a_look() {
    let mut bench = Bench::new(Watch::Once);
    bench.wait_until(7);
    assert_eq!((bench.health(), bench.exit.clone()), (Health::Unknown, None));
    bench.wait_until(8);
    assert_eq!(bench.code(), 102, "told apart from a daemon that is silent");
    assert_eq!(bench.exit, Some(ExitReason::Failed(NOT_ALL_REACHABLE)));
}

#[test]
fn a_monitor_leaves_with_good_byes_but_does_not_wait_for_them_long() {
    let mut bench = Bench::new(Watch::OnAndOn);
    let conn = bench.connect();
    bench.answers(conn, STATUS);
    bench.event(Event::StopRequested);
    assert_eq!((bench.ended.as_slice(), bench.exit.clone()), ([(conn, true)].as_slice(), None));
    bench.wait_until(1);
    assert_eq!(bench.exit, None);
    bench.wait_until(2);
    assert_eq!(bench.exit, Some(ExitReason::Done));
}
