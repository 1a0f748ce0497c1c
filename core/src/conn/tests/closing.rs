//! How connections end, and that nothing is lost.

use super::*;
use crate::conn::Stage;
use crate::limits;

#[test]
fn a_close_sends_all_that_is_queued_then_terminate_and_reads_to_the_end() {
    for &engine in ENGINES {
        for split in [1, 1000, usize::MAX] {
            let mut pair = Pair::ready(Setup { split, ..setup(engine) });
            // The other side is sending too: what it sends must not make the system reset what we sent.
            for _ in 0..20 {
                pair.tell_acceptor(text(&"noise ".repeat(100)));
            }
            let tail = "tail ".repeat(5000);
            pair.tell_dialler(text(&tail));
            pair.tell_dialler(ToConn::Close { farewell: true });
            pair.drive();
            assert_eq!(pair.acceptor.texts(), [tail], "{engine:?}");
            let heard: Vec<_> = pair.acceptor.heard.iter().rev().take(2).collect();
            assert!(matches!(heard[..], [FromConn::Closed(CloseReason::ByPeer), FromConn::Signal(Signal::Terminate)]));
            assert_eq!(pair.dialler.closed(), Some(&CloseReason::Done), "{engine:?}");
        }
    }
}

#[test]
fn a_close_without_farewell_says_nothing() {
    let mut pair = Pair::ready(setup(Engine::Clear));
    pair.tell_dialler(ToConn::Close { farewell: false });
    pair.drive();
    assert_eq!(pair.acceptor.heard.len(), 1);
    assert_eq!(pair.dialler.closed(), Some(&CloseReason::Done));
}

#[test]
fn who_never_closes_is_waited_for_30_seconds() {
    for &engine in ENGINES {
        let mut pair = Pair::ready(setup(engine));
        pair.acceptor.reads = false;
        pair.tell_dialler(ToConn::Close { farewell: true });
        pair.drive();
        assert!(pair.dialler.closed().is_none() && pair.dialler.conn.wants().shut_write);
        pair.wait(29);
        assert!(pair.dialler.closed().is_none());
        pair.wait(1);
        assert_eq!(pair.dialler.closed(), Some(&CloseReason::DrainTimeout));
    }
}

#[test]
fn an_end_of_input_loses_none_of_the_messages_before_it() {
    for &engine in ENGINES {
        let mut pair = Pair::ready(setup(engine));
        pair.acceptor.takes = false;
        for n in 0..30 {
            pair.tell_dialler(text(&n.to_string()));
        }
        pair.tell_dialler(ToConn::Close { farewell: false });
        pair.drive();
        assert_eq!(pair.acceptor.heard.len(), limits::UNDER_WAY as usize);
        while pair.acceptor.closed().is_none() {
            let before = pair.acceptor.heard.len();
            pair.tell_acceptor(ToConn::Taken(1));
            pair.drive();
            assert!(pair.acceptor.heard.len() > before, "{engine:?}");
        }
        assert_eq!(pair.acceptor.texts(), (0..30).map(|n| n.to_string()).collect::<Vec<_>>());
        assert_eq!(pair.acceptor.closed(), Some(&CloseReason::ByPeer));
    }
}

#[test]
fn an_end_in_the_middle_of_a_frame_is_named() {
    for &engine in ENGINES {
        let mut pair = Pair::ready(setup(engine));
        pair.tell_dialler(ToConn::Send(b"\0\0\0\x09half".to_vec()));
        pair.tell_dialler(ToConn::Close { farewell: false });
        pair.drive();
        assert_eq!(pair.acceptor.closed(), Some(&CloseReason::CutFrame(Stage::Ready)), "{engine:?}");
    }
}

#[test]
fn a_reset_ends_it_at_once_with_its_kind() {
    let mut pair = Pair::ready(setup(Engine::Clear));
    pair.tell_dialler(text("unsent"));
    pair.cut();
    for end in [&pair.dialler, &pair.acceptor] {
        assert_eq!(end.closed(), Some(&CloseReason::Io(IoKind::Reset, Stage::Ready)));
        assert!(end.conn.wants().close && !end.conn.wants().write && !end.conn.wants().read);
    }
}

#[test]
fn when_writing_fails_the_last_words_of_the_peer_are_still_read() {
    let mut pair = Pair::ready(setup(Engine::Clear));
    pair.tell_acceptor(text("3903 Error append data\n"));
    pair.tell_acceptor(ToConn::Close { farewell: false });
    pair.dialler.conn.on_failed(Side::Write, IoKind::Reset, pair.now);
    pair.drive();
    assert_eq!(pair.dialler.texts(), ["3903 Error append data\n"]);
    assert_eq!(pair.dialler.closed(), Some(&CloseReason::Io(IoKind::Reset, Stage::Ready)));
}

#[test]
fn when_writing_fails_and_nothing_comes_the_wait_is_short() {
    let mut pair = Pair::ready(setup(Engine::Clear));
    pair.dialler.conn.on_failed(Side::Write, IoKind::Reset, pair.now);
    pair.drive();
    assert!(pair.dialler.closed().is_none());
    pair.wait(limits::DRAIN_REFUSED.as_secs());
    assert_eq!(pair.dialler.closed(), Some(&CloseReason::Io(IoKind::Reset, Stage::Ready)));
}

#[test]
fn an_abort_is_immediate_and_orders_after_the_end_do_nothing() {
    let mut pair = Pair::ready(setup(Engine::Clear));
    pair.tell_dialler(text("lost"));
    pair.tell_dialler(ToConn::Abort);
    pair.tell_dialler(ToConn::Abort);
    pair.tell_dialler(text("late"));
    pair.tell_dialler(ToConn::Close { farewell: true });
    pair.drive();
    assert_eq!(pair.dialler.closed(), Some(&CloseReason::Aborted));
    assert!(pair.acceptor.texts().is_empty());
    assert_eq!(pair.acceptor.closed(), Some(&CloseReason::ByPeer));
}
