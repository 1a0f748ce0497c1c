//! Dials, listeners and the options of sockets.

use std::time::Duration;

use super::arm::{Arm, Door};
use super::mate::Mate;
use super::stage::{Heard, Stage, route};
use crate::config::{Seconds, keepalive};
use crate::conn::DialFailure;
use crate::drive::MAILBOX;
use crate::socket::{IoKind, Keepalive, SocketOptions};
use crate::tls;

/// Nothing listens there, and the node hears so.
pub fn a_refused_dial_is_reported(arm: &impl Arm) {
    let stage = Stage::new(arm);
    let to = arm.closed();
    stage.dial(route(to, Duration::from_secs(10), SocketOptions::default()));
    assert_eq!(stage.failure(), DialFailure::Connect { to, error: IoKind::Refused });
    stage.finish();
}

/// Nobody answers: the dial ends at its time, not before.
pub fn a_dial_nobody_answers_times_out_and_not_early(arm: &impl Arm) {
    let stage = Stage::new(arm);
    let (_deaf, to) = arm.deaf();
    let within = Duration::from_millis(300);
    let began = arm.now();
    stage.dial(route(to, within, SocketOptions::default()));
    assert_eq!(stage.failure(), DialFailure::Connect { to, error: IoKind::TimedOut });
    let took = arm.now().since(began);
    assert!(took >= within, "gave up after {took:?}");
    println!("{}: gave up {:?} late", arm.name(), took.saturating_sub(within));
    stage.finish();
}

/// A dial that is called off ends at once, and the adapter says so exactly once.
pub fn a_cancelled_dial_answers_once(arm: &impl Arm) {
    let stage = Stage::new(arm);
    let (_deaf, to) = arm.deaf();
    let dial = stage.dial(route(to, Duration::from_secs(3600), SocketOptions::default()));
    let seen = |what: &str| stage.props.trace().iter().filter(|line| line.contains(what)).count();
    arm.until("the dial to begin", &mut || seen("> Dial") == 1);
    stage.order(move |net| net.cancel_dial(dial));
    assert_eq!(stage.failure(), DialFailure::Cancelled);
    arm.until("the adapter's answer", &mut || seen("< Dialed") == 1);
    let trace = stage.finish();
    let answers: Vec<_> = trace.iter().filter(|line| line.contains("< Dialed")).collect();
    assert_eq!(answers, ["< Dialed dial 1: cancelled"]);
}

/// A host name works like an address.
pub fn a_name_is_resolved(arm: &impl Arm) {
    let stage = Stage::new(arm);
    let door = arm.door(SocketOptions::default());
    let mut way = route(door.address(), Duration::from_secs(30), SocketOptions::default());
    way.host = arm.host_name().to_owned();
    stage.dial(way);
    let mut mate = Mate::accepted(door.accept(), tls::Acceptor::default());
    mate.authenticate();
    assert!(matches!(stage.next("the dial"), Heard::Dialed(Ok(_))));
    stage.finish();
}

/// A second listener on the same address is refused, and the first goes on.
pub fn a_taken_address_is_reported(arm: &impl Arm) {
    let stage = Stage::new(arm);
    let at = stage.listen(SocketOptions::default());
    stage.order(move |net| {
        let _ = net.listen(at, SocketOptions::default());
    });
    match stage.next("the second listener") {
        Heard::Bound(outcome) => assert_eq!(outcome, Err(IoKind::InUse)),
        other => panic!("expected an answer to listen, heard {other:?}"),
    }
    let mut mate = Mate::dialled(arm.knock(at, SocketOptions::default()), tls::Dialler::Clear);
    mate.authenticate();
    stage.accepted();
    stage.finish();
}

/// Many come at the same time; each gets in.
pub fn a_burst_of_connections_is_accepted(arm: &impl Arm) {
    const GUESTS: usize = 200;
    let stage = Stage::new(arm);
    let at = stage.listen(SocketOptions::default());
    let peers: Vec<_> = (0..GUESTS).map(|_| arm.knock(at, SocketOptions::default())).collect();
    let mut mates: Vec<_> = peers.into_iter().map(|peer| Mate::dialled(peer, tls::Dialler::Clear)).collect();
    for mate in &mut mates {
        mate.authenticate();
    }
    let mut guests: Vec<_> = (0..GUESTS).map(|_| stage.accepted().0).collect();
    guests.sort_unstable();
    guests.dedup();
    assert_eq!(guests.len(), GUESTS);
    stage.finish();
}

/// What the configuration says is what the kernel has, on both kinds of connection.
pub fn socket_options_are_really_set(arm: &impl Arm) {
    let keepalive = Keepalive {
        idle: Duration::from_secs(71),
        interval: Duration::from_secs(13),
        probes: Some(7),
        user_timeout: Some(Duration::from_millis(45_000)),
    };
    let socket = SocketOptions { keepalive: Some(keepalive), buffer: Some(64 * 1024), segment: None };
    let stage = Stage::new(arm);
    let (_guest, accepted) = stage.guest(socket);
    let (_host, dialled) = stage.host(socket, SocketOptions::default());
    for conn in [accepted, dialled] {
        let ends = stage.ask(move |net| net.ends(conn)).expect("the connection is there");
        let facts = arm.facts(ends);
        assert!(facts.no_delay && facts.keepalive, "{facts:?}");
        assert_eq!(facts.times, keepalive);
        // Linux doubles what it is asked for, for its own book-keeping.
        assert!(facts.send_buffer >= 64 * 1024 && facts.send_buffer <= 256 * 1024, "{facts:?}");
        assert!(facts.receive_buffer >= 64 * 1024 && facts.receive_buffer <= 256 * 1024, "{facts:?}");
    }
    stage.finish();
}

/// A mailbox full of messages loses no keepalive, for no message says it again.
pub fn keepalive_reaches_a_connection_whose_mailbox_is_full(arm: &impl Arm) {
    let stage = Stage::new(arm);
    let (mut mate, conn) = stage.host(SocketOptions::default(), SocketOptions::default());
    let ends = stage.ask(move |net| net.ends(conn)).expect("the connection is there");
    // What the node had to say at the beginning may still lie there.
    stage.order(move |net| net.send_text(conn, b"empty"));
    assert_eq!(mate.text(), b"empty");
    // Its task may empty the mailbox in between, but not in each round. Nobody is missed for so long that it matters, however
    // slow the machine is.
    for interval in 101..=120 {
        let after = keepalive::socket(Some(Seconds(interval)), keepalive::End::Control);
        stage.order(move |net| {
            (0..MAILBOX).for_each(|_| net.send_text(conn, b"full"));
            net.keep_alive(conn, after);
        });
        let idle = after.keepalive.expect("an interval was given").idle;
        arm.until("the new times", &mut || arm.facts(ends).times.idle == idle);
        (0..MAILBOX).for_each(|_| assert_eq!(mate.text(), b"full"));
    }
    stage.finish();
}

/// What is known only once the peer is, is set then: on a connection that came in, and changed on one that we dialled.
pub fn keepalive_is_really_changed(arm: &impl Arm) {
    let stage = Stage::new(arm);
    let (_guest, accepted) = stage.guest(SocketOptions::default());
    let before = keepalive::socket(Some(Seconds(60)), keepalive::End::Control);
    let (_host, dialled) = stage.host(before, SocketOptions::default());
    for (conn, end) in [(accepted, keepalive::End::Control), (dialled, keepalive::End::Sending)] {
        let ends = stage.ask(move |net| net.ends(conn)).expect("the connection is there");
        let after = keepalive::socket(Some(Seconds(5)), end);
        let wanted = after.keepalive.expect("an interval was given");
        let no_limit = wanted.user_timeout.unwrap_or_default();
        assert_ne!(arm.facts(ends).times, wanted);
        stage.order(move |net| net.keep_alive(conn, after));
        arm.until("the new times", &mut || {
            let facts = arm.facts(ends);
            let times = Keepalive { user_timeout: wanted.user_timeout, ..facts.times };
            times == wanted && facts.times.user_timeout.unwrap_or_default() == no_limit && facts.keepalive
        });
    }
    stage.finish();
}
