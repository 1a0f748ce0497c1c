//! Noise, strangers, wrong passwords, silence and floods: each connection ends, the daemon goes on and stays small, and its
//! log says whose fault it was, a code, and what to do.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(clippy::print_stderr, reason = "memory is shown beside its bound")]

mod support;

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};
use support::daemon::Daemon;
use support::network::{CLEAR, Network, Plan};
use support::{PATIENCE, noise, plant, wait_for};
use towline_core::wire::cram_md5::{ACCEPTED, Challenge, password_key};
use towline_core::wire::frame;

/// What a daemon may hold after all of it.
const MEMORY: u64 = 128 << 20;

/// So long may a refusal take: nobody but a silent peer waits for the end of `authenticate_within`.
const AT_ONCE: Duration = Duration::from_secs(30);

/// What is sent, and what the log must say: the code with the fault, and words of the advice.
struct Case {
    what: &'static str,
    talk: fn(&mut TcpStream, &Target<'_>),
    says: &'static [&'static str],
}

/// Whom a case talks to.
struct Target<'a> {
    /// A hello it accepts, with its password.
    hello: &'a str,
    password: &'a str,
    /// A hello of the right kind with a name nobody knows.
    stranger: &'a str,
    /// A hello of a kind it does not support.
    wrong_kind: &'a str,
}

const DIRECTOR: Target<'static> = Target {
    hello: "Hello *UserAgent* calling version 26.0.0\n",
    password: "console",
    stranger: "Hello nobody calling version 26.0.0\n",
    wrong_kind: "Hello Director d calling\n",
};
const FILE: Target<'static> = Target {
    hello: "Hello Director d calling\n",
    password: "fpw",
    stranger: "Hello Director nobody calling\n",
    wrong_kind: "Hello Client f FdProtocolVersion=54 calling\n",
};
const STORAGE: Target<'static> = Target {
    hello: "Hello Director d calling\n",
    password: "spw",
    stranger: "Hello Director nobody calling\n",
    wrong_kind: "Hello Start Job b.2026-01-01_00.00.00_00\n",
};

fn daemons(network: &Network) -> [(&Daemon, Target<'static>); 3] {
    [(&network.director, DIRECTOR), (&network.file, FILE), (&network.storage, STORAGE)]
}

fn put(stream: &mut TcpStream, bytes: &[u8]) {
    // Whoever refuses us may have hung up already.
    let _closed = stream.write_all(bytes);
}

fn say(stream: &mut TcpStream, text: &[u8]) {
    let mut frames = Vec::new();
    frame::put_data(&mut frames, text);
    put(stream, &frames);
}

fn hear(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).unwrap();
    let mut text = vec![0; usize::try_from(i32::from_be_bytes(head)).unwrap()];
    stream.read_exact(&mut text).unwrap();
    text
}

/// Says hello and answers the challenge with this password; returns the verdict.
fn answer(stream: &mut TcpStream, hello: &str, password: &str) -> Vec<u8> {
    say(stream, hello.as_bytes());
    let challenge = Challenge::parse(&hear(stream)).unwrap();
    say(stream, &challenge.answer(&password_key(password)));
    hear(stream)
}

/// The whole authentication.
fn authenticate(stream: &mut TcpStream, target: &Target<'_>) {
    assert_eq!(answer(stream, target.hello, target.password), ACCEPTED.as_bytes());
    let own = Challenge::new(12345, 1_700_000_000, "R_DIRECTOR::d-test", 0);
    say(stream, own.to_line().as_bytes());
    assert!(own.verify(&password_key(target.password), &hear(stream)));
    say(stream, ACCEPTED.as_bytes());
}

/// A hello of TLS 1.2 without a pre-shared key.
fn tls_hello() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend(noise(4, 32));
    body.extend([0, 0, 4, 0xc0, 0x2f, 0xc0, 0x2b, 1, 0]);
    let extensions: &[u8] = &[0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0, 0, 13, 0, 4, 0, 2, 4, 1];
    body.extend([0, u8::try_from(extensions.len()).unwrap()]);
    body.extend(extensions);
    let mut hello = vec![1, 0, 0, u8::try_from(body.len()).unwrap()];
    hello.extend(body);
    let mut record = vec![22, 3, 1, 0, u8::try_from(hello.len()).unwrap()];
    record.extend(hello);
    record
}

/// Talks to a daemon; waits until it has hung up and its log has said why.
fn probe(daemon: &Daemon, target: &Target<'_>, case: &Case) {
    let began = Instant::now();
    let first = daemon.log.count();
    let mut stream = connect(daemon);
    let local = stream.local_addr().unwrap().to_string();
    (case.talk)(&mut stream, target);
    wait_end(&mut stream, case.what);
    // The daemon reads to our end for a moment, then says why it refused us.
    drop(stream);
    let line = daemon.logged(first, case.what, |line| line.contains(&local));
    for words in case.says {
        assert!(line.contains(words), "{}: no {words:?} in: {line}", case.what);
    }
    assert!(began.elapsed() < AT_ONCE, "{} took {:?}: {line}", case.what, began.elapsed());
}

/// Connects from an address of loopback that nobody here had before: what one address does again is only counted.
fn connect(daemon: &Daemon) -> TcpStream {
    static ADDRESSES: AtomicU16 = AtomicU16::new(1);
    let [high, low] = ADDRESSES.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    connect_from(daemon, Ipv4Addr::new(127, 1, high, low))
}

fn connect_from(daemon: &Daemon, source: Ipv4Addr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((source, 0)).into()).unwrap();
    socket.connect(&daemon.address.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Reads until the peer has hung up.
fn wait_end(stream: &mut TcpStream, what: &str) {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("{what}: the connection does not end")
            }
            Err(_) => return,
        }
    }
}

fn assert_small(network: &Network) {
    for (name, daemon) in [("director", &network.director), ("file", &network.file), ("storage", &network.storage)] {
        let memory = daemon.memory();
        eprintln!("{name}: {} KiB resident", memory >> 10);
        assert!(memory < MEMORY, "{name} holds {memory} bytes");
    }
}

const NOISE: &[&str] = &["T0301 (peer)", "let it dial elsewhere"];

/// What does not depend on TLS.
const ANYWHERE: &[Case] = &[
    Case { what: "random bytes", talk: |s, _| put(s, &noise(7, 300)), says: NOISE },
    Case { what: "an HTTP request", talk: |s, _| put(s, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), says: NOISE },
    Case {
        what: "a frame of a megabyte",
        talk: |s, _| put(s, &[&[0, 15, 0, 0][..], &[b'x'; 5000]].concat()),
        says: NOISE,
    },
    Case { what: "one byte and the end", talk: |s, _| close_after(s, &[0]), says: &["T0", "; "] },
    Case {
        what: "nothing and the end",
        talk: |s, _| close_after(s, &[]),
        says: &["T0311 (peer)", "hung up without saying why"],
    },
    Case { what: "half a TLS hello", talk: |s, _| close_after(s, &tls_hello()[..30]), says: &["T0", "; "] },
];

fn close_after(stream: &mut TcpStream, bytes: &[u8]) {
    put(stream, bytes);
    let _gone = stream.shutdown(std::net::Shutdown::Write);
}

/// For daemons without TLS.
const IN_CLEAR: &[Case] = &[
    Case {
        what: "a TLS hello",
        talk: |s, _| put(s, &tls_hello()),
        says: &["T0208 (configuration)", "configure a certificate"],
    },
    Case {
        what: "an unknown name",
        talk: |s, t| assert_ne!(answer(s, t.stranger, t.password), ACCEPTED.as_bytes()),
        says: &["T0303 (configuration)", "nobody", "add a resource of this name here"],
    },
    Case {
        what: "a hello of the wrong kind",
        talk: |s, t| {
            say(s, t.wrong_kind.as_bytes());
            say(s, b"no answer to any challenge");
        },
        says: &["T030", "; "],
    },
    Case {
        what: "a hello nobody knows",
        talk: |s, _| say(s, b"Hello world, how are you today\n"),
        says: &["T0302 (peer)", "another kind"],
    },
    Case {
        what: "a wrong password",
        talk: |s, t| assert_ne!(answer(s, t.hello, "guess"), ACCEPTED.as_bytes()),
        says: &["T0306 (configuration)", "make the passwords"],
    },
    Case {
        what: "a long frame instead of the answer",
        talk: |s, t| {
            say(s, t.hello.as_bytes());
            hear(s);
            put(s, &[0, 15, 0, 0, b'x']);
        },
        says: &["T0406 (peer)", "check that the peer is a backup daemon"],
    },
    Case {
        what: "half a hello",
        talk: |s, t| {
            let mut frames = Vec::new();
            frame::put_data(&mut frames, t.hello.as_bytes());
            close_after(s, &frames[..12]);
        },
        says: &["T0405 (network)", "killed or the network"],
    },
    Case {
        what: "the end during authentication",
        talk: |s, t| {
            say(s, t.hello.as_bytes());
            hear(s);
            close_after(s, &[]);
        },
        says: &["T0311 (peer)", "hung up without saying why"],
    },
];

#[test]
fn daemons_without_tls_survive_everybody_and_say_who_it_was() {
    let network = Network::start(&Plan { all: CLEAR.to_owned(), ..Plan::default() });
    for (daemon, target) in daemons(&network) {
        for case in ANYWHERE.iter().chain(IN_CLEAR) {
            probe(daemon, &target, case);
        }
        // Authenticated, and gone silently.
        let mut stream = connect(daemon);
        authenticate(&mut stream, &target);
        drop(stream);
        // Authenticated, and then noise.
        let mut stream = connect(daemon);
        authenticate(&mut stream, &target);
        let began = Instant::now();
        close_after(&mut stream, &noise(8, 4000));
        wait_end(&mut stream, "noise after authentication");
        assert!(began.elapsed() < AT_ONCE, "noise after authentication: {:?}", began.elapsed());
    }
    network.assert_all_serve();
    assert_small(&network);
}

/// As a real daemon does, ours take whoever knows the password, whatever version it says it is, and answer commands they do
/// not know (`wire/1 §3.3`, `wire/2 §1.2`).
#[test]
fn peers_of_other_versions_are_let_in_and_unknown_commands_are_answered() {
    let network = Network::start(&Plan { all: CLEAR.to_owned(), ..Plan::default() });
    for version in [" version 17.2.4 (21 Sep 2017)", " version 99.0.0 (01 January 2099)", ""] {
        let hello = format!("Hello *UserAgent* calling{version}\n");
        let mut stream = connect(&network.director);
        authenticate(&mut stream, &Target { hello: &hello, ..DIRECTOR });
        let greeting = String::from_utf8(hear(&mut stream)).unwrap();
        assert!(greeting.starts_with("1000"), "{version:?}: {greeting}");
    }
    for (daemon, target, answer) in [
        (&network.file, FILE, "2999 Invalid command\n"),
        (&network.storage, STORAGE, "3900 Invalid command: frobnicate everything\n"),
    ] {
        let mut stream = connect(daemon);
        authenticate(&mut stream, &target);
        hear(&mut stream);
        say(&mut stream, b"frobnicate everything");
        let heard = String::from_utf8(hear(&mut stream)).unwrap();
        assert!(heard.starts_with(answer.trim_end()), "{heard:?}");
    }
    network.assert_all_serve();
}

#[test]
fn daemons_with_tls_survive_everybody_and_say_who_it_was() {
    let network = Network::start(&Plan::default());
    let cases = [
        Case {
            what: "a TLS hello without a key",
            talk: |s, _| put(s, &tls_hello()),
            says: &["T0207", "configure a certificate"],
        },
        Case {
            what: "a hello in clear",
            talk: |s, t| say(s, t.hello.as_bytes()),
            says: &["T0305 (configuration)", "turn TLS on at the peer"],
        },
    ];
    for (daemon, target) in daemons(&network) {
        for case in ANYWHERE.iter().chain(&cases) {
            probe(daemon, &target, case);
        }
    }
    for (old, new, code, advice) in [
        (r#"password: "console""#, r#"password: "guess""#, "T0202 (configuration)", "write the same password"),
        (
            r#"password: "console""#,
            r#"password: "x"), console: (name: "nobody", password: "console""#,
            "T0201 (configuration)",
            "add a resource",
        ),
    ] {
        let first = network.director.log.count();
        let (exit, _, said) = network.ask_as(old, new, &["status"]);
        assert_eq!(exit, Some(3), "{said}");
        assert!(said.contains(" (configuration): "), "the console does not say whose fault it is: {said}");
        let line = network.director.logged(first, new, |line| line.contains("refused:"));
        assert!(line.contains(code) && line.contains(advice), "{line}");
    }
    network.assert_all_serve();
    assert_small(&network);
}

#[test]
fn a_peer_that_says_nothing_is_sent_away_in_time() {
    let daemons_in_a_hurry = r#"authenticate_within: "2 s","#.to_owned();
    let network = Network::start(&Plan { daemons: daemons_in_a_hurry, all: CLEAR.to_owned(), ..Plan::default() });
    let cases = [
        Case {
            what: "silence",
            talk: |_, _| {},
            says: &["T0312 (network)", "stopped at the first bytes", "dropped on the way"],
        },
        Case {
            what: "silence after the hello",
            talk: |s, t| say(s, t.hello.as_bytes()),
            says: &["T0312 (network)", "stopped at authentication", "dropped on the way"],
        },
    ];
    for (daemon, target) in daemons(&network) {
        for case in &cases {
            probe(daemon, &target, case);
        }
    }
    network.assert_all_serve();
}

#[test]
fn a_flood_of_connections_is_bounded_and_told_once() {
    const FLOOD: usize = 300;
    let network = Network::start(&Plan { daemons: "max_unauthenticated: 256,".to_owned(), ..Plan::default() });
    for (daemon, _) in daemons(&network) {
        let mut flood: Vec<TcpStream> = (0..FLOOD).map(|_| connect_from(daemon, Ipv4Addr::LOCALHOST)).collect();
        daemon.logged(0, "that there are too many", |line| line.contains("T0314 (peer)"));
        // As many as are too many have to make room, the others are waited for.
        for stream in &mut flood {
            stream.set_nonblocking(true).unwrap();
        }
        let is_refused =
            |stream: &mut TcpStream| !matches!(stream.read(&mut [0; 1]), Err(e) if e.kind() == ErrorKind::WouldBlock);
        let mut refused = vec![false; FLOOD];
        wait_for("44 that made room", || {
            for (stream, refused) in flood.iter_mut().zip(&mut refused) {
                *refused = *refused || is_refused(stream);
            }
            (refused.iter().filter(|refused| **refused).count() >= FLOOD - 256).then_some(())
        });
        assert_eq!(refused.iter().filter(|refused| **refused).count(), FLOOD - 256);
        let told = daemon.log.from(0).iter().filter(|line| line.contains("T0314")).count();
        assert_eq!(told, 1, "one line a minute");
        assert!(daemon.log.from(0).iter().any(|line| line.contains("raise `max_unauthenticated`")));
        eprintln!("{} KiB resident with 256 connections", daemon.memory() >> 10);
        assert!(daemon.memory() < MEMORY);
        drop(flood);
        daemon.logged(0, "that they are gone", |line| line.contains("T0311"));
    }
    network.assert_all_serve();
    assert_small(&network);
}

/// Connections that never say a word come from these addresses as fast as they can, ten thousand in all, while a job and
/// its consoles come in from 127.0.0.1. Each stays until it is pushed out; so many at a time are enough to fill a daemon
/// twice, and few enough for the descriptors of any user.
fn ten_thousand_idle_connections_disturb_no_job(from: fn(usize) -> Ipv4Addr) {
    const HELD: usize = 600;
    let network = Network::start(&Plan::default());
    plant(&network.source, 20, 100_000);
    for ((daemon, _), count) in daemons(&network).into_iter().zip([8_000, 1_000, 1_000]) {
        let first = daemon.log.count();
        let (backups, held) = std::thread::scope(|scope| {
            let flood = scope.spawn(|| {
                let mut held = VecDeque::new();
                for n in 0..count {
                    held.push_back(connect_from(daemon, from(n)));
                    held.drain(..held.len().saturating_sub(HELD));
                }
                held
            });
            daemon.logged(first, "that there are too many", |line| line.contains("T0314 (peer)"));
            let mut backups = vec![network.backup()];
            while !flood.is_finished() {
                backups.push(network.backup());
            }
            let held = flood.join().unwrap();
            // And once more while all the room is taken by those that are left.
            backups.push(network.backup());
            (backups, held)
        });
        for backup in &backups {
            assert!(backup.is_ok(), "{}", backup.report);
        }
        assert_eq!(held.len(), HELD);
        let told = daemon.log.from(first);
        assert!(!told.iter().any(|line| line.contains("T0110")), "somebody was refused: {told:#?}");
        let pushed: Vec<&String> = told.iter().filter(|line| line.contains("T0314")).collect();
        // The first of each source, up to the limit, then a count of each a minute.
        assert!((1..=4 * 33).contains(&pushed.len()), "{} lines: {pushed:#?}", pushed.len());
    }
    network.assert_all_serve();
    assert_small(&network);
}

#[test]
fn ten_thousand_idle_connections_from_the_address_of_the_real_peers_disturb_no_job() {
    ten_thousand_idle_connections_disturb_no_job(|_| Ipv4Addr::LOCALHOST);
}

#[test]
fn ten_thousand_idle_connections_from_three_hundred_addresses_disturb_no_job() {
    ten_thousand_idle_connections_disturb_no_job(|n| {
        let [_, _, high, low] = u32::try_from(n % 300).unwrap().to_be_bytes();
        Ipv4Addr::new(127, 66, high, low + u8::from(high == 0 && low == 0))
    });
}
