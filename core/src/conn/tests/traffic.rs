//! Text, signals and parcels of a ready connection, and who waits for whom.

use super::*;
use crate::bulk::parcel::Parcel;
use crate::limits;

#[test]
fn text_and_signals_go_both_ways_in_order() {
    for &engine in ENGINES {
        for split in [1, 7, usize::MAX] {
            let mut pair = Pair::ready(Setup { split, ..setup(engine) });
            for n in 0..50 {
                pair.tell_dialler(text(&format!("question {n}\n\0")));
                pair.tell_acceptor(text(&format!("answer {n}\n")));
            }
            pair.tell_dialler(signal(Signal::Poll));
            pair.drive();
            let expected = |word: &str| (0..50).map(|n| format!("{word} {n}\n")).collect::<Vec<_>>();
            assert_eq!(pair.acceptor.texts(), expected("question"), "{engine:?}");
            assert_eq!(pair.dialler.texts(), expected("answer"), "{engine:?}");
            assert!(matches!(pair.acceptor.heard.last(), Some(FromConn::Signal(Signal::Poll))));
        }
    }
}

#[test]
fn eight_messages_are_under_way_and_no_ninth() {
    for &engine in ENGINES {
        let mut pair = Pair::ready(setup(engine));
        pair.acceptor.takes = false;
        for n in 0..2000 {
            pair.tell_dialler(text(&format!("{n}")));
        }
        pair.drive();
        assert_eq!(pair.acceptor.heard.len(), limits::UNDER_WAY as usize);
        assert!(!pair.acceptor.conn.wants().read && pair.acceptor.conn.read_space().is_empty());
        pair.tell_acceptor(text("writing goes on"));
        pair.tell_acceptor(ToConn::Taken(1));
        pair.drive();
        assert_eq!(pair.acceptor.heard.len(), limits::UNDER_WAY as usize + 1);
        assert_eq!(pair.dialler.texts(), ["writing goes on"]);
        pair.acceptor.takes = true;
        pair.tell_acceptor(ToConn::Taken(8));
        pair.drive();
        assert_eq!(pair.acceptor.texts(), (0..2000).map(|n| n.to_string()).collect::<Vec<_>>());
    }
}

#[test]
fn a_data_channel_waits_for_the_node_after_every_line() {
    let purpose = Purpose::StartJob { job: "job.1".to_owned() };
    let mut pair = Pair::ready(setup_for(Engine::Clear, purpose, "secret", "secret"));
    pair.acceptor.takes = false;
    for n in 0..3 {
        pair.tell_dialler(text(&format!("{n}")));
    }
    pair.drive();
    assert_eq!(pair.acceptor.texts(), ["0"]);
    pair.tell_acceptor(ToConn::Taken(1));
    pair.drive();
    assert_eq!(pair.acceptor.texts(), ["0", "1"]);
}

#[test]
fn a_peer_that_does_not_read_costs_8_mib_and_then_the_connection() {
    for &engine in ENGINES {
        let mut pair = Pair::ready(setup(engine));
        for _ in 0..8 {
            pair.tell_dialler(ToConn::Send(vec![0; limits::SEND_QUEUE / 8]));
        }
        assert!(!pair.dialler.conn.wants().close, "at the limit");
        pair.tell_dialler(ToConn::Send(vec![0; 1]));
        listen(&mut pair.dialler, pair.now);
        assert_eq!(pair.dialler.closed(), Some(&CloseReason::NotReading(limits::SEND_QUEUE + 1)));
        pair.drive();
        assert_eq!(pair.acceptor.closed(), Some(&CloseReason::ByPeer));
    }
}

#[test]
fn a_text_of_128_kib_passes_and_one_byte_more_does_not() {
    for &engine in ENGINES {
        let mut pair = Pair::ready(setup(engine));
        pair.tell_dialler(text(&"x".repeat(limits::TEXT)));
        pair.drive();
        assert_eq!(pair.acceptor.texts()[0].len(), limits::TEXT);
        pair.tell_dialler(text(&"x".repeat(limits::TEXT + 1)));
        pair.drive();
        let length = limits::TEXT as u32 + 1;
        assert_eq!(pair.acceptor.closed(), Some(&CloseReason::FrameTooLong { length, limit: length - 1 }));
    }
}

#[test]
fn a_parcel_comes_back_empty_once_it_is_written() {
    for &engine in ENGINES {
        let mut pair = Pair::ready(setup(engine));
        let mut parcel = Parcel::new();
        for n in 0..100 {
            put_data(&mut parcel.bytes, format!("line {n}").as_bytes());
        }
        let held = parcel.bytes.capacity();
        pair.tell_dialler(ToConn::Parcel(parcel));
        assert!(pair.dialler.conn.poll_message().is_none(), "not written yet");
        pair.drive();
        assert_eq!(pair.acceptor.texts().len(), 100);
        let [FromConn::ParcelSent(parcel)] = &pair.dialler.heard[..] else { panic!("{:?}", pair.dialler.heard) };
        assert!(parcel.is_empty() && parcel.bytes.capacity() == held);
    }
}

#[test]
fn frames_for_the_catalog_are_gathered_and_the_order_is_kept() {
    for &engine in ENGINES {
        for split in [1, 1000, usize::MAX] {
            let mut pair = Pair::ready(Setup { split, ..setup(engine) });
            pair.tell_acceptor(ToConn::Gather);
            let mut sent = Vec::new();
            for n in 0..300 {
                put_data(&mut sent, format!("UpdCat Job=j FileAttributes {n}").as_bytes());
            }
            pair.tell_dialler(ToConn::Send(sent.clone()));
            pair.tell_dialler(text("3099 Job j end"));
            pair.drive();
            let mut gathered = Vec::new();
            let (last, before) = pair.acceptor.heard.split_last().unwrap();
            for message in before {
                let FromConn::Parcel(parcel) = message else { panic!("{message:?}") };
                gathered.extend_from_slice(&parcel.bytes);
            }
            assert_eq!(gathered, sent, "{engine:?}");
            assert!(matches!(last, FromConn::Text(text) if text == b"3099 Job j end"));
        }
    }
}

#[test]
fn a_node_that_is_busy_gets_full_parcels_later() {
    let mut pair = Pair::ready(setup(Engine::Clear));
    pair.tell_acceptor(ToConn::Gather);
    pair.acceptor.takes = false;
    for n in 0..5000 {
        pair.tell_dialler(text(&format!("UpdCat {n:093}")));
    }
    pair.drive();
    let parcels = |pair: &Pair| pair.acceptor.heard.len();
    // The first went at once; the rest fills one parcel, and what is left of it waits.
    assert_eq!(parcels(&pair), 2);
    pair.tell_acceptor(ToConn::Taken(2));
    pair.drive();
    assert_eq!(parcels(&pair), 3);
    let frames: u32 = pair
        .acceptor
        .heard
        .iter()
        .map(|message| match message {
            FromConn::Parcel(parcel) => parcel.frames,
            other => panic!("{other:?}"),
        })
        .sum();
    assert_eq!(frames, 5000);
}

#[test]
fn a_frame_for_the_catalog_may_be_longer_than_a_text() {
    let mut pair = Pair::ready(setup(Engine::Clear));
    pair.tell_acceptor(ToConn::Gather);
    let long = format!("UpdCat {}", "x".repeat(limits::TEXT));
    pair.tell_dialler(text(&long));
    pair.drive();
    let [FromConn::Parcel(parcel)] = &pair.acceptor.heard[..] else { panic!("{:?}", pair.acceptor.heard) };
    assert_eq!(parcel.bytes.len(), 4 + long.len());
}
