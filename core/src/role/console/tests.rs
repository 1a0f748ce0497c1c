use std::time::Duration;

use super::*;
use crate::action::Action;
use crate::config::{Console as Named, ConsoleDirector, Password, TlsConfig};
use crate::conn::{FromConn, ToConn};
use crate::event::Event;
use crate::ids::{DialId, QueryId};
use crate::node::{Node, Settings};
use crate::socket::Ends;
use crate::time::{Instant, Wall};
use crate::tls::{Acceptor, Established, Kind};
use crate::wire::hello::Hello;

struct Bench {
    node: Node<Console>,
    conn: ConnId,
    notices: Vec<Notice>,
    sent: Vec<Vec<u8>>,
    closed: bool,
    aborted: bool,
    exit: Option<ExitReason>,
    query: Option<QueryId>,
    dial: Option<DialId>,
    give_up: Instant,
}

fn address() -> SocketAddr {
    "127.0.0.1:9101".parse().unwrap()
}

impl Bench {
    fn new(console: Option<Named>) -> Self {
        let director = ConsoleDirector {
            name: "backup-dir".to_owned(),
            description: None,
            address: "localhost".to_owned(),
            port: 9101,
            password: Password::new("secret"),
            tls: TlsConfig::off(),
            heartbeat_interval: crate::config::Seconds::secs(60),
            connect_timeout: crate::config::Seconds::secs(7),
            retry_interval: crate::config::Seconds::secs(2),
        };
        let config = Arc::new(ConsoleConfig { director, console });
        let settings = Settings::new(String::new(), Arc::new(Acceptor::new())).accepting(1, Duration::from_secs(60));
        let node = Node::new(Console::new(config, Credentials::default()).judging(), settings, [7; 32], Instant::ZERO);
        let mut bench = Self {
            node,
            conn: ConnId(0),
            notices: Vec::new(),
            sent: Vec::new(),
            closed: false,
            aborted: false,
            exit: None,
            query: None,
            dial: None,
            give_up: Instant::ZERO,
        };
        bench.event(Event::Started { wall: Wall(0) });
        bench
    }

    fn event(&mut self, event: Event) {
        self.node.handle_event(event, Instant::ZERO);
        while let Some(action) = self.node.poll_action() {
            match action {
                Action::Resolve { query, .. } => self.query = Some(query),
                Action::Dial { dial, give_up, .. } => (self.dial, self.give_up) = (Some(dial), give_up),
                Action::Attach { conn, .. } => self.conn = conn.id(),
                Action::Notify(notice) => self.notices.push(notice),
                Action::ToConn { message: ToConn::Send(bytes), .. } => self.sent.push(bytes),
                Action::ToConn { message: ToConn::Close { .. }, .. } => self.closed = true,
                Action::ToConn { message: ToConn::Abort, .. } => self.aborted = true,
                Action::Exit(reason) => self.exit = Some(reason),
                _ => {}
            }
        }
    }

    fn connect(&mut self) {
        let query = self.query.unwrap();
        self.event(Event::Resolved { query, answer: Ok(vec![address()]) });
        let ends = Ends { local: address(), peer: address() };
        let dial = self.dial.unwrap();
        self.event(Event::Dialed { dial, outcome: Ok(ends) });
        let peer = Peer {
            ends,
            hello: Hello { purpose: Purpose::Director { name: "backup-dir".to_owned() }, version: None },
            name: PeerName::new(PeerKind::Director, "backup-dir"),
            tls: Established { kind: Kind::Clear, version: String::new(), cipher: String::new(), identity: None },
            towline: false,
        };
        self.from(FromConn::Authenticated(Box::new(peer)));
    }

    fn greeted() -> Self {
        let mut bench = Self::new(None);
        bench.connect();
        bench.text("1000\x1eOK: backup-dir Version: 1 (today)");
        bench.text("1002\x1eYou are connected using the default console");
        bench.notices.clear();
        bench
    }

    fn from(&mut self, message: FromConn) {
        let conn = self.conn;
        self.event(Event::FromConn { conn, message });
    }

    fn text(&mut self, text: &str) {
        self.from(FromConn::Text(text.as_bytes().to_vec()));
    }

    fn signal(&mut self, signal: Signal) {
        self.from(FromConn::Signal(signal));
    }

    fn typed(&mut self, line: &str) {
        self.event(Event::Typed(Some(line.to_owned())));
    }

    fn lines(&mut self) -> Vec<String> {
        self.sent.drain(..).map(|frame| String::from_utf8_lossy(&frame[4..]).into_owned()).collect()
    }
}

#[test]
fn the_director_is_dialled_for_as_long_as_the_configuration_says() {
    let mut bench = Bench::new(None);
    let query = bench.query.unwrap();
    bench.event(Event::Resolved { query, answer: Ok(vec![address()]) });
    assert_eq!(bench.give_up, Instant::ZERO + Duration::from_secs(7));
    bench.event(Event::Dialed { dial: bench.dial.unwrap(), outcome: Err(IoKind::Refused) });
    let again = bench.node.poll_timeout().map(|deadline| deadline.at);
    assert_eq!(again, Some(Instant::ZERO + Duration::from_secs(2)));
}

#[test]
fn a_line_is_asked_for_once_the_director_has_greeted() {
    let mut bench = Bench::new(None);
    bench.connect();
    bench.text("1000\x1eOK: backup-dir Version: 1 (today)");
    assert!(!bench.notices.contains(&Notice::Ready { asks: false }));
    bench.text("1002\x1eYou are connected using the default console");
    assert_eq!(bench.notices.last(), Some(&Notice::Ready { asks: false }));
    assert!(bench.notices.contains(&Notice::Print("1000 OK: backup-dir Version: 1 (today)\n".to_owned())));
}

#[test]
fn a_director_before_18_2_greets_in_one_line() {
    let mut bench = Bench::new(None);
    bench.connect();
    bench.text("1000 OK: old-dir Version: 17.2 --  Encryption: None\n");
    assert_eq!(bench.notices.last(), Some(&Notice::Ready { asks: false }));
}

#[test]
fn the_next_line_waits_for_the_end_of_the_answer() {
    let mut bench = Bench::greeted();
    for line in ["list jobs", "messages", "status"] {
        bench.typed(line);
    }
    assert_eq!(bench.lines(), ["list jobs"]);
    bench.text("a table\n");
    assert!(bench.sent.is_empty());
    bench.signal(Signal::Eod);
    assert_eq!(bench.lines(), ["messages"]);
    bench.signal(Signal::SubPrompt);
    assert_eq!(bench.lines(), ["status"]);
    assert!(!bench.notices.contains(&Notice::Ready { asks: false }));
    bench.signal(Signal::MainPrompt);
    assert_eq!(bench.notices.last(), Some(&Notice::Ready { asks: false }));
}

#[test]
fn the_end_of_the_input_waits_for_the_last_answer() {
    let mut bench = Bench::greeted();
    bench.typed("list jobs");
    bench.event(Event::Typed(None));
    assert!(!bench.closed);
    bench.text("a table\n");
    bench.signal(Signal::Eod);
    assert!(bench.closed);
    bench.from(FromConn::Closed(CloseReason::Done));
    assert_eq!(bench.exit, Some(ExitReason::Done));
}

#[test]
fn quit_ends_well_when_the_director_hangs_up() {
    let mut bench = Bench::greeted();
    bench.typed(" QUIT ");
    bench.from(FromConn::Closed(CloseReason::ByPeer));
    assert_eq!(bench.exit, Some(ExitReason::Done));
}

#[test]
fn quit_as_the_answer_to_a_question_ends_the_question() {
    let mut bench = Bench::greeted();
    bench.typed("restore");
    bench.signal(Signal::SubPrompt);
    assert_eq!(bench.notices.last(), Some(&Notice::Ready { asks: true }));
    bench.typed("quit");
    assert_eq!(bench.lines(), ["restore", "quit"]);
    bench.signal(Signal::MainPrompt);
    assert_eq!(bench.notices.last(), Some(&Notice::Ready { asks: false }));
    bench.typed("version");
    assert_eq!(bench.lines(), ["version"]);
}

#[test]
fn a_director_that_hangs_up_is_an_error_with_a_code() {
    let mut bench = Bench::greeted();
    bench.typed("status");
    bench.from(FromConn::Closed(CloseReason::ByPeer));
    assert_eq!(bench.exit, Some(ExitReason::Failed(NO_DIRECTOR)));
    assert!(bench.notices.iter().any(|notice| matches!(notice, Notice::Log { cause: Some(_), .. })));
}

#[test]
fn a_dial_that_fails_says_why_and_ends_with_3() {
    let mut bench = Bench::new(None);
    let query = bench.query.unwrap();
    bench.event(Event::Resolved { query, answer: Err(crate::socket::ResolveError::NoSuchName) });
    assert_eq!(bench.exit, Some(ExitReason::Failed(NO_DIRECTOR)));
    let Some(Notice::Log { cause: Some((Fault::Config, code)), text, .. }) = bench.notices.last() else { panic!() };
    assert_eq!(code.to_string(), "T0101");
    assert!(text.contains("localhost") && text.contains("check the name"), "{text}");
}

#[test]
fn a_refusal_after_authentication_is_shown() {
    let mut bench = Bench::new(None);
    bench.connect();
    bench.text("1999 You are not authorized.\n");
    assert_eq!(bench.exit, Some(ExitReason::Failed(NO_DIRECTOR)));
}

#[test]
fn a_stop_leaves_also_before_there_is_a_connection() {
    let mut bench = Bench::new(None);
    bench.event(Event::StopRequested);
    assert_eq!(bench.exit, Some(ExitReason::Done));
}

#[test]
fn a_stop_does_not_wait_for_a_director_that_hangs() {
    let mut bench = Bench::greeted();
    bench.event(Event::StopRequested);
    assert!(bench.closed && !bench.aborted, "at a prompt it says good-bye");
    let mut bench = Bench::greeted();
    bench.typed("list jobs");
    bench.event(Event::StopRequested);
    assert!(bench.aborted && !bench.closed);
    bench.from(FromConn::Closed(CloseReason::Aborted));
    assert_eq!(bench.exit, Some(ExitReason::Failed(FAILED)), "its answer has not come");
}

#[test]
fn so_many_lines_are_held_and_one_more_ends_the_console() {
    let mut bench = Bench::greeted();
    bench.typed("first");
    (0..MAX_HELD).for_each(|_| bench.typed("next"));
    assert_eq!(bench.exit, None);
    bench.typed("too many");
    assert_eq!(bench.exit, Some(ExitReason::Failed(NO_DIRECTOR)));
}

#[test]
fn a_named_console_says_its_name() {
    let console = Named {
        name: "monitor".to_owned(),
        description: None,
        password: Password::new("m"),
        tls: None,
        heartbeat_interval: None,
    };
    assert_eq!(Bench::new(Some(console)).node.role().name(), "monitor");
    assert_eq!(Bench::new(None).node.role().name(), DEFAULT_CONSOLE);
}

/// The end of a console that was told this in answer to its line.
fn end_after(line: &str, answer: &[&str], signals: &[Signal]) -> Option<ExitReason> {
    let mut bench = Bench::greeted();
    bench.typed(line);
    answer.iter().for_each(|text| bench.text(text));
    signals.iter().for_each(|signal| bench.signal(*signal));
    bench.event(Event::Typed(None));
    bench.from(FromConn::Closed(CloseReason::Done));
    bench.exit
}

#[test]
fn a_console_ends_as_the_jobs_did_that_it_waited_for() {
    let eod = &[Signal::Eod];
    for (answer, end) in [
        (&["JobId=1\nJobStatus=OK (T)\n"][..], ExitReason::Done),
        (&["JobId=1\nJobStatus=OK with warnings (W)\n"], ExitReason::Failed(1)),
        (&["JobId=1\nJobStatus=Canceled (A)\n"], ExitReason::Failed(2)),
        (&["JobId=1\nJobSta", "tus=Error ", "(f)\nJobId=2\nJobStatus=OK (T)\n"], ExitReason::Failed(2)),
        (&["JobId=1\nJobStatus=OK (T)"], ExitReason::Done),
        (&[], ExitReason::Done),
    ] {
        assert_eq!(end_after("wait jobid=1", answer, eod), Some(end.clone()), "{answer:?}");
        assert_eq!(end_after("w", answer, eod), Some(end.clone()), "{answer:?}");
        assert_eq!(end_after("list joblog jobid=1", answer, eod), Some(ExitReason::Done), "words of a report");
    }
}

#[test]
fn a_console_ends_with_2_after_a_command_that_failed_or_a_question_without_an_answer() {
    assert_eq!(end_after("rum", &["?"], &[Signal::CommandFailed, Signal::Eod]), Some(ExitReason::Failed(2)));
    assert_eq!(end_after("run job=a", &["OK to run? "], &[Signal::SubPrompt]), Some(ExitReason::Failed(2)));
}

#[test]
fn what_a_stock_director_prints_of_a_failure_is_one_and_what_it_lists_is_none() {
    let eod = &[Signal::Eod];
    for (line, answer) in [
        ("nosuchcommand", "nosuchcommand: is an invalid command.\n"),
        ("list nosuch", "Using Catalog \"MyCatalog\"\nUnknown list keyword: nosuch\nYou have messages.\n"),
        ("run job=nosuch yes", "Job \"nosuch\" not found\n"),
        ("run job=b client=nosuch yes", "Client \"nosuch\" not found.\n"),
        ("status client=nosuch", "Error: Client resource nosuch does not exist.\n"),
        ("delete volume=nosuch yes", "cats/sql_get.cc:1170 Media record for Volume \"nosuch\" not found.\n"),
    ] {
        assert_eq!(end_after(line, &[answer], eod), Some(ExitReason::Failed(2)), "{line}");
    }
    let unknown = "Using Catalog \"c\"\nInvalid keyword: bogus\nYou have messages.\n";
    assert_eq!(end_after("run job=b bogus=1 yes", &[unknown], eod), Some(ExitReason::Failed(2)), "no job is started");
    for (line, answer) in [
        ("run job=b yes", "Using Catalog \"c\"\nJob queued. JobId=7\nYou have messages.\n"),
        ("estimate job=b", "Using Catalog \"c\"\n2000 OK estimate files=1 bytes=2\n"),
        ("messages", "Error: Client resource nosuch does not exist.\nJob \"nosuch\" not found\n"),
        ("list joblog jobid=1", "Error: it went wrong\nother: is an invalid command.\n"),
        (".volstatus", "Used\nError\nDisabled\n"),
        (
            "status dir",
            "   267  Full        668    6.393 M  Error    29-Nov-26 05:39 bbw\n  SD Errors:              0\n",
        ),
        ("version", "You have messages.\n"),
    ] {
        assert_eq!(end_after(line, &[answer], eod), Some(ExitReason::Done), "{line}");
    }
}

#[test]
fn an_answered_question_is_no_failure_and_the_worst_counts() {
    let mut bench = Bench::greeted();
    bench.typed("run job=a");
    bench.signal(Signal::SubPrompt);
    bench.typed("no");
    bench.signal(Signal::Eod);
    bench.typed("wait");
    bench.text("JobId=1\nJobStatus=OK with warnings (W)\n");
    bench.signal(Signal::Eod);
    bench.typed("wait");
    bench.text("JobId=2\nJobStatus=OK (T)\n");
    bench.signal(Signal::Eod);
    bench.typed("quit");
    bench.from(FromConn::Closed(CloseReason::ByPeer));
    assert_eq!(bench.exit, Some(ExitReason::Failed(1)));
}

#[test]
fn what_a_director_passes_on_moves_no_terminal_and_may_be_cut_within_a_character() {
    let mut bench = Bench::greeted();
    bench.typed("messages");
    bench.text("\u{1b}[2Jcaf");
    bench.from(FromConn::Text(vec![0xc3]));
    bench.from(FromConn::Text(vec![0xa9, b' ', 0xff, b'\n']));
    let printed: String =
        bench.notices.iter().map(|notice| if let Notice::Print(text) = notice { text } else { "" }).collect();
    assert_eq!(printed, "\\x1b[2Jcafé \\xff\n");
}
