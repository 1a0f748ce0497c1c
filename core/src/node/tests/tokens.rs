//! What a role's dials, timers, work and surveys are for: handed back once, and kept no longer.

use super::*;
use crate::bulk::work::DiskWork;
use crate::ids::{HandleId, WorkId};
use crate::work::Work;

/// How many tokens the node keeps: of dials, timers, work and surveys.
fn kept(desk: &Desk) -> [usize; 4] {
    let net = &desk.node.net;
    [net.dials.len(), net.timers.len(), net.works.len(), net.surveys.len()]
}

fn work(desk: &mut Desk) -> WorkId {
    let actions = desk.order(|net| net.work(Work::Disk(DiskWork::Close { handle: HandleId(1) }), "close"));
    let [Action::Work { work, .. }] = actions[..] else { panic!("{actions:?}") };
    work
}

#[test]
fn each_is_handed_back_with_its_outcome_and_then_forgotten() {
    let mut desk = Desk::new();
    let (_, query) = desk.dial();
    let work = work(&mut desk);
    let _ = desk.order(|net| {
        net.set_timer(SECOND, "test", "timer");
        net.survey(());
        assert_eq!(net.dials().collect::<Vec<_>>(), ["sd.example"]);
        assert_eq!(net.timers().collect::<Vec<_>>(), [&"timer"]);
        assert_eq!(net.works().collect::<Vec<_>>(), [&"close"]);
    });
    assert_eq!(kept(&desk), [1, 1, 1, 1]);
    let _ = desk.unresolved(query, ResolveError::NoSuchName);
    let _ = desk.event(Event::Done { work, done: WorkDone::Refused });
    let _ = desk.wait(SECOND);
    assert_eq!(kept(&desk), [0, 0, 0, 0]);
    assert_eq!(desk.node.role.dialed.len(), 1);
    assert_eq!(desk.node.role.heard, ["start", "done close", "timer timer"]);
    assert_eq!(desk.node.role.surveys, 1);
}

#[test]
fn work_that_is_done_a_second_time_or_was_never_given_is_passed_over() {
    let mut desk = Desk::new();
    let work = work(&mut desk);
    for work in [work, work, WorkId(work.0 + 1)] {
        let _ = desk.event(Event::Done { work, done: WorkDone::Refused });
    }
    assert_eq!(desk.node.role.heard, ["start", "done close"]);
}

#[test]
fn a_cancelled_timer_drops_its_token_and_a_dial_called_off_is_told_so_with_its_own() {
    let mut desk = Desk::new();
    let (dial, _) = desk.dial();
    let _ = desk.order(move |net| {
        let timer = net.set_timer(SECOND, "test", "timer");
        net.cancel_timer(timer);
        net.cancel_timer(None);
        net.cancel_dial(dial);
    });
    assert_eq!(kept(&desk), [0, 0, 0, 0]);
    assert_eq!(desk.node.role.dialed, [("sd.example".to_owned(), Err(DialFailure::Cancelled))]);
}

#[test]
fn a_dial_that_fails_and_is_called_off_in_one_call_is_told_once_that_it_was_called_off() {
    let mut desk = Desk::new();
    let source = Some([192, 0, 2, 9].into());
    let _ = desk.order(move |net| {
        // An address of the other family: it has failed before the order is over.
        let route = Route { host: "2001:db8::1".to_owned(), source, ..route() };
        let dial = net.dial(route, opening(), "sd".to_owned());
        net.cancel_dial(dial);
    });
    assert_eq!(desk.node.role.dialed, [("sd".to_owned(), Err(DialFailure::Cancelled))]);
    assert_eq!(kept(&desk), [0, 0, 0, 0]);
}
