//! Heartbeats in band: between two Towline daemons, and not with others.

use std::time::Duration;

use super::authentication::{feed, flush};
use super::*;
use crate::wire::cram_md5::Challenge;

const INTERVAL: Duration = Duration::from_secs(10);

/// A pair whose dialler sends the hello of a daemon that is not ours: nobody leaves out the version otherwise.
fn with_a_stock_dialler() -> Pair {
    let mut setup = setup(Engine::Clear);
    setup.dialling.hello.version = None;
    Pair::new(setup)
}

fn signals(end: &End) -> Vec<Signal> {
    let signal = |message: &FromConn| match message {
        FromConn::Signal(signal) => Some(*signal),
        _ => None,
    };
    end.heard.iter().filter_map(signal).collect()
}

#[test]
fn two_towline_daemons_know_each_other_whatever_protects_them() {
    for &engine in ENGINES {
        let mut pair = Pair::new(setup(engine));
        pair.drive();
        for end in [&pair.dialler, &pair.acceptor] {
            assert!(end.peer().is_some_and(|peer| peer.towline), "{engine:?}");
        }
    }
}

#[test]
fn a_stock_dialler_is_not_told_and_not_taken_for_towline() {
    let mut pair = with_a_stock_dialler();
    pair.drive();
    for end in [&pair.dialler, &pair.acceptor] {
        assert!(end.peer().is_some_and(|peer| !peer.towline));
    }
}

#[test]
fn a_stock_acceptor_is_not_taken_for_towline() {
    let setup = setup(Engine::Clear);
    let mut conn = Conn::dialled(setup.dialling, Instant(SECOND));
    let hello = flush(&mut conn);
    assert!(String::from_utf8_lossy(&hello).ends_with("Version=\"26.0.0\" Towline=1\n"));
    let key = Secret::from("secret");
    let mut say = |payload: &[u8]| {
        let mut frame = Vec::new();
        put_data(&mut frame, payload);
        feed(&mut conn, &frame)
    };
    let _ = say(b"auth cram-md5 <1.2@R_STORAGE::sd> ssl=0\n");
    let challenge = say(b"1000 OK auth\n");
    assert!(!String::from_utf8_lossy(&challenge).contains("Towline"), "only hellos and first challenges say so");
    let answer = Challenge::parse(&challenge[4..]).unwrap().answer(&key);
    let _ = say(&answer);
    match conn.poll_message() {
        Some(FromConn::Authenticated(peer)) => assert!(!peer.towline),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_heartbeat_is_answered_beneath_the_node_and_keeps_the_connection() {
    for &engine in ENGINES {
        let mut pair = Pair::ready(setup(engine));
        pair.tell_dialler(ToConn::Heartbeat { every: INTERVAL, sending: false });
        for _ in 0..100 {
            pair.wait(1);
        }
        assert!(pair.dialler.heard.is_empty() && pair.acceptor.heard.is_empty(), "{engine:?}");
        pair.tell_dialler(text("still here"));
        pair.drive();
        assert_eq!(pair.acceptor.texts(), ["still here"]);
    }
}

#[test]
fn a_peer_that_answers_nothing_is_gone_after_three_intervals_and_not_before() {
    let mut pair = Pair::ready(setup(Engine::Clear));
    pair.tell_dialler(ToConn::Heartbeat { every: INTERVAL, sending: false });
    pair.acceptor.reads = false;
    for _ in 0..29 {
        pair.wait(1);
    }
    assert_eq!(pair.dialler.closed(), None);
    pair.wait(1);
    assert_eq!(pair.dialler.closed(), Some(&CloseReason::Silent(Duration::from_secs(30))));
}

#[test]
fn a_node_that_does_not_take_messages_is_no_reason_to_miss_the_peer() {
    let mut pair = Pair::ready(setup(Engine::Clear));
    pair.tell_dialler(ToConn::Heartbeat { every: INTERVAL, sending: false });
    pair.dialler.takes = false;
    for n in 0..9 {
        pair.tell_acceptor(text(&n.to_string()));
    }
    pair.drive();
    pair.wait(1);
    assert!(!pair.dialler.conn.wants().read, "eight are under way");
    for _ in 0..20 {
        pair.wait(10);
    }
    assert_eq!(pair.dialler.closed(), None);
    pair.dialler.takes = true;
    pair.tell_dialler(ToConn::Taken(8));
    pair.drive();
    assert_eq!(pair.dialler.texts().len(), 9);
    for _ in 0..20 {
        pair.wait(10);
    }
    assert_eq!(pair.dialler.closed(), None);
}

#[test]
fn a_stock_peer_is_sent_none_and_its_own_reach_the_node_unanswered() {
    let mut pair = with_a_stock_dialler();
    pair.drive();
    pair.acceptor.heard.clear();
    pair.tell_acceptor(ToConn::Heartbeat { every: INTERVAL, sending: false });
    assert_eq!(pair.acceptor.conn.poll_timeout(), None);
    pair.tell_dialler(signal(Signal::Heartbeat));
    pair.drive();
    assert_eq!(signals(&pair.acceptor), [Signal::Heartbeat]);
    pair.wait(1_000);
    assert_eq!((signals(&pair.dialler), pair.acceptor.closed()), (vec![], None));
}

#[test]
fn what_went_over_a_connection_is_reported() {
    let mut pair = Pair::ready(setup(Engine::Clear));
    let report = |pair: &mut Pair| {
        pair.dialler.heard.clear();
        pair.tell_dialler(ToConn::Report);
        pair.drive();
        match pair.dialler.heard[..] {
            [FromConn::Reported(traffic)] => traffic,
            ref other => panic!("{other:?}"),
        }
    };
    let before = report(&mut pair);
    pair.tell_dialler(text("12345"));
    pair.wait(3);
    pair.tell_acceptor(text("123"));
    pair.wait(2);
    let after = report(&mut pair);
    assert_eq!((after.written - before.written, after.read - before.read), (4 + 5, 4 + 3));
    assert_eq!(pair.now.since(after.heard), Duration::from_secs(0), "it came in the last turn");
    pair.wait(4);
    assert_eq!(pair.now.since(report(&mut pair).heard), Duration::from_secs(4));
}
