//! The bounds of a connection's memory and patience.

use super::authentication::{feed, flush};
use super::*;
use crate::bulk::machine::Machine;
use crate::bulk::restorer::Restorer;
use crate::conn::{Stage, Timer};
use crate::ids::HandleId;
use crate::limits;
use crate::wire::cram_md5::Challenge;

/// How many bytes a clear connection takes when nothing of a frame can be dealt with.
fn room(conn: &mut Conn) -> usize {
    conn.read_space().len()
}

#[test]
fn an_idle_connection_has_4_kib_of_room_and_a_gathering_one_64() {
    let mut pair = Pair::ready(setup(Engine::Clear));
    assert_eq!(room(&mut pair.acceptor.conn), limits::IDLE_BUFFER);
    pair.tell_acceptor(ToConn::Gather);
    assert_eq!(room(&mut pair.acceptor.conn), limits::GATHER_BUFFER);
}

#[test]
fn a_connection_with_a_machine_takes_512_kib_and_then_not_a_byte_more() {
    let mut pair = Pair::ready(setup(Engine::Clear));
    let machine = Machine::Restore(Restorer::new(HandleId(1)));
    pair.tell_acceptor(ToConn::Carry(Box::new(machine)));
    assert_eq!(room(&mut pair.acceptor.conn), limits::BULK_BUFFER);
    // No worker answers, so the machine takes what its parcels hold and the rest stays in the buffer.
    let record = vec![b'x'; 900_000];
    let mut stream = Vec::new();
    for _ in 0..4 {
        put_data(&mut stream, b"rechdr 1 2 1 2 900000");
        put_data(&mut stream, &record);
    }
    let mut rest = &stream[..];
    while pair.acceptor.conn.wants().read {
        let space = pair.acceptor.conn.read_space();
        let n = space.len().min(rest.len());
        assert!(n > 0, "{} bytes are left", rest.len());
        space[..n].copy_from_slice(&rest[..n]);
        rest = &rest[n..];
        pair.acceptor.conn.on_read(n, pair.now);
    }
    assert!(room(&mut pair.acceptor.conn) == 0 && !rest.is_empty());
    let held = stream.len() - rest.len();
    let parcels = (limits::WORK_UNDER_WAY + 1) * limits::PARCEL;
    assert!((limits::BULK_BUFFER..=limits::BULK_BUFFER + parcels).contains(&held), "{held} bytes are held");
}

#[test]
fn a_closing_connection_waits_30_seconds_for_its_peer_and_no_longer() {
    let mut pair = Pair::ready(setup(Engine::Clear));
    pair.acceptor.reads = false;
    pair.tell_dialler(ToConn::Close { farewell: true });
    pair.drive();
    pair.wait(limits::DRAIN.as_secs() - 1);
    assert_eq!(pair.dialler.closed(), None);
    pair.wait(1);
    assert_eq!(pair.dialler.closed(), Some(&CloseReason::DrainTimeout));
}

#[test]
fn a_refused_peer_is_waited_for_5_seconds_and_no_longer() {
    let began = Instant(0);
    let mut conn = Conn::accepted(setup(Engine::Clear).accepting, began);
    for line in ["Hello Director nobody calling\n", "not the answer"] {
        let mut frame = Vec::new();
        put_data(&mut frame, line.as_bytes());
        feed(&mut conn, &frame);
    }
    conn.handle_timeout(began + (limits::DRAIN_REFUSED - Duration::from_nanos(1)));
    assert_eq!(last_word(&mut conn), None);
    conn.handle_timeout(began + limits::DRAIN_REFUSED);
    assert!(matches!(last_word(&mut conn), Some(CloseReason::UnknownPeer { .. })));
}

/// An accepted connection that has heard the hello and the answer of somebody with this key; what it says to that.
fn answered(pause: Duration, name: &str, key: &str) -> (Conn, Vec<u8>) {
    let mut conn = Conn::accepted(Accepting { pause, ..setup(Engine::Clear).accepting }, Instant(0));
    let mut frame = Vec::new();
    put_data(&mut frame, format!("Hello Director {name} calling\n").as_bytes());
    let challenge = feed(&mut conn, &frame);
    let answer = Challenge::parse(&challenge[4..]).unwrap().answer(&Secret::from(key));
    frame.clear();
    put_data(&mut frame, &answer);
    let said = feed(&mut conn, &frame);
    (conn, said)
}

#[test]
fn a_wrong_key_waits_for_its_answer_to_the_nanosecond_and_a_right_one_never() {
    let pause = limits::WRONG_KEY_PAUSE;
    for (name, key) in [("backup-dir", "wrong"), ("nobody", "secret")] {
        let (mut conn, said) = answered(pause, name, key);
        assert!(said.is_empty() && !conn.wants().write, "{name}");
        let deadline = conn.poll_timeout().unwrap();
        assert_eq!((deadline.at, deadline.why), (Instant(0) + pause, Timer::WrongKey));
        conn.handle_timeout(Instant(0) + (pause - Duration::from_nanos(1)));
        assert!(flush(&mut conn).is_empty());
        conn.handle_timeout(Instant(0) + pause);
        assert!(String::from_utf8_lossy(&flush(&mut conn)).contains("1999 Authorization failed."));
        let deadline = conn.poll_timeout().unwrap();
        assert_eq!((deadline.at, deadline.why), (Instant(0) + pause + limits::DRAIN_REFUSED, Timer::Drain));
    }
    let (_, said) = answered(pause, "backup-dir", "secret");
    assert!(String::from_utf8_lossy(&said).contains("1000 OK auth"));
    let (_, said) = answered(Duration::ZERO, "backup-dir", "wrong");
    assert!(String::from_utf8_lossy(&said).contains("1999 Authorization failed."), "the first one is told at once");
}

#[test]
fn who_hangs_up_instead_of_waiting_for_the_answer_is_gone_at_once() {
    let (mut conn, _) = answered(limits::WRONG_KEY_PAUSE, "backup-dir", "wrong");
    conn.on_read(0, Instant(0));
    assert!(conn.wants().close);
    assert!(matches!(last_word(&mut conn), Some(CloseReason::WrongPassword(_))));
}

#[test]
fn who_is_pushed_out_is_closed_as_soon_as_it_has_been_told() {
    let mut conn = Conn::accepted(setup(Engine::Clear).accepting, Instant(0));
    conn.handle_message(ToConn::PushOut, Instant(0));
    assert!(!conn.wants().close);
    let said = flush(&mut conn);
    assert!(said.ends_with(&(-4_i32).to_be_bytes()), "{said:?}");
    assert!(conn.wants().close, "it waits for nothing more");
    assert_eq!(last_word(&mut conn), Some(CloseReason::PushedOut));
}

#[test]
fn a_dialler_whose_place_was_given_away_says_so_with_every_engine_and_at_every_split() {
    for &engine in ENGINES {
        for split in [1, 3, 57, usize::MAX] {
            let mut pair = Pair::new(Setup { split, ..setup(engine) });
            pair.tell_acceptor(ToConn::PushOut);
            pair.drive();
            assert_eq!(pair.dialler.closed(), Some(&CloseReason::Crowded), "{engine:?}");
        }
    }
    // In the middle of the dialogue too, within TLS as in clear.
    for engine in [Engine::Clear, Engine::Certificate] {
        let mut pair = Pair::new(setup(engine));
        while !pair
            .acceptor
            .heard
            .iter()
            .any(|said| matches!(said, FromConn::Reached { stage: Stage::Authentication, .. }))
        {
            assert!(pair.step());
        }
        pair.tell_acceptor(ToConn::PushOut);
        pair.drive();
        assert_eq!(pair.dialler.closed(), Some(&CloseReason::Crowded), "{engine:?}");
    }
}

fn last_word(conn: &mut Conn) -> Option<CloseReason> {
    std::iter::from_fn(|| conn.poll_message()).find_map(|message| match message {
        FromConn::Closed(reason) => Some(reason),
        _ => None,
    })
}

#[test]
fn one_write_has_at_most_64_slices() {
    let mut pair = Pair::ready(setup(Engine::Clear));
    for n in 1..=65 {
        pair.tell_dialler(text("x"));
        assert_eq!(pair.dialler.conn.transmit(usize::MAX).len(), n.min(64));
    }
}
