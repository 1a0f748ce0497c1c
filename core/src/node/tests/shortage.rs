//! What becomes of connections that the system does not hand over.

use super::*;

/// A connection waits, and no descriptor is left for it.
fn fails(desk: &mut Desk, error: IoKind) -> Vec<Action> {
    desk.event(Event::NotAccepted { listener: ListenerId(1), error })
}

#[test]
fn descriptors_running_out_are_a_line_at_once_then_one_a_minute_and_one_when_it_is_over() {
    let mut desk = Desk::new();
    let actions = fails(&mut desk, IoKind::Exhausted);
    let [Action::Notify(Notice::Log { level: Level::Warn, cause: Some((_, Code(317))), text })] = &actions[..] else {
        panic!("{actions:?}")
    };
    assert!(text.contains("out of descriptors") && text.contains("LimitNOFILE") && text.contains("ulimit"), "{text}");
    for minute in 0..3 {
        for _ in 0..600 {
            assert!(fails(&mut desk, IoKind::Exhausted).is_empty());
        }
        assert!(desk.wait(60 * SECOND - Duration::from_nanos(1)).is_empty());
        let actions = desk.wait(Duration::from_nanos(1));
        let [line] = &logged(&actions)[..] else { panic!("{actions:?}") };
        assert!(line.contains(&format!("600 times since the last line, for {} s now", 60 * (minute + 1))), "{line}");
    }
    let actions = desk.wait(60 * SECOND);
    assert_eq!(logged(&actions), ["connections are accepted again"]);
    assert_eq!(desk.node.poll_timeout(), None);
    assert_eq!(logged(&fails(&mut desk, IoKind::Exhausted)).len(), 1, "a new shortage is said at once");
}

#[test]
fn another_cause_has_another_code() {
    let mut desk = Desk::new();
    let actions = fails(&mut desk, IoKind::Denied);
    let [Action::Notify(Notice::Log { cause: Some((_, code)), .. })] = &actions[..] else { panic!("{actions:?}") };
    assert_eq!(*code, Code(921));
}

#[test]
fn in_a_shortage_who_has_said_nothing_for_five_seconds_gives_way_and_nobody_sooner() {
    let mut desk = Desk::new();
    let silent = admitted(desk.accept(1)).id();
    assert_eq!(pushed_out(&fails(&mut desk, IoKind::Exhausted)), None);
    let _ = desk.wait(limits::SILENT_IN_SHORTAGE - Duration::from_nanos(1));
    assert_eq!(pushed_out(&fails(&mut desk, IoKind::Exhausted)), None);
    let _ = desk.wait(Duration::from_nanos(1));
    assert_eq!(pushed_out(&fails(&mut desk, IoKind::Denied)), None, "it would not help");
    assert_eq!(pushed_out(&fails(&mut desk, IoKind::Exhausted)), Some(silent));
    let known = admitted(desk.accept(2)).id();
    let _ = desk.says(known, peer());
    let _ = desk.wait(60 * SECOND);
    assert_eq!(pushed_out(&fails(&mut desk, IoKind::Exhausted)), None, "who is authenticated stays");
}

#[test]
fn an_accepted_connection_that_has_no_room_is_refused_for_a_local_fault() {
    let mut desk = Desk::new();
    let conn = admitted(desk.accept(1)).id();
    let actions = desk.says(conn, FromConn::Closed(CloseReason::Io(IoKind::Exhausted, Stage::FirstBytes)));
    let [Action::Notify(Notice::Log { cause: Some((fault, code)), .. })] = &actions[..] else { panic!("{actions:?}") };
    assert_eq!((*fault, *code), (crate::error::Fault::Local, Code(317)));
}
