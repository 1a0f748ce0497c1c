//! One request to stop and the next.

use super::*;

impl Desk {
    /// A node whose role lets its jobs end first, for a minute.
    fn patient() -> Self {
        let mut desk = Self::new();
        desk.node.role.grace = Some(60 * SECOND);
        desk
    }

    fn terminate(&mut self) -> Vec<Action> {
        self.event(Event::TerminateRequested)
    }

    fn stops(&self) -> usize {
        self.node.role().heard.iter().filter(|heard| *heard == "stop").count()
    }
}

fn exits(actions: &[Action]) -> bool {
    actions.iter().any(|action| matches!(action, Action::Exit(ExitReason::Failed(1))))
}

#[test]
fn a_role_without_jobs_is_stopped_at_once() {
    let mut desk = Desk::new();
    desk.terminate();
    assert_eq!(desk.stops(), 1);
}

#[test]
fn jobs_have_their_time_and_are_ended_after_it() {
    let mut desk = Desk::patient();
    desk.terminate();
    desk.wait(59 * SECOND);
    assert_eq!(desk.stops(), 0);
    desk.wait(SECOND);
    assert_eq!(desk.stops(), 1);
}

#[test]
fn a_second_request_ends_jobs_and_a_third_the_node() {
    let mut desk = Desk::patient();
    desk.terminate();
    desk.wait(3 * SECOND);
    desk.terminate();
    assert_eq!(desk.stops(), 1);
    desk.wait(3 * SECOND);
    assert!(exits(&desk.terminate()));
    assert_eq!(desk.stops(), 1);
}

#[test]
fn a_request_that_is_sent_twice_at_once_is_one() {
    let mut desk = Desk::patient();
    desk.terminate();
    desk.terminate();
    desk.wait(SECOND);
    desk.terminate();
    assert_eq!(desk.stops(), 0);
    // So is the second one that ends the jobs.
    desk.wait(3 * SECOND);
    desk.terminate();
    assert!(!exits(&desk.terminate()));
    assert_eq!(desk.stops(), 1);
}

#[test]
fn a_person_who_asks_twice_waits_for_nothing() {
    let mut desk = Desk::patient();
    desk.terminate();
    desk.event(Event::StopRequested);
    assert_eq!(desk.stops(), 1);
    assert!(exits(&desk.event(Event::StopRequested)));
    // Its time is over for good.
    desk.wait(60 * SECOND);
    assert_eq!(desk.stops(), 1);
}
