//! Listening: addresses that are there, come later, go, or never come.

use super::*;
use crate::address::Endpoint;

const MISSING: IoKind = IoKind::NotAvailable;

impl Desk {
    /// Listens; returns the actions.
    fn listens(&mut self, texts: &'static [&'static str]) -> Vec<Action> {
        self.order(move |net| net.listen_on(texts.iter().map(|text| Endpoint::parse(text, 9103).unwrap())))
    }

    fn bound(&mut self, listener: ListenerId, on: &str) -> Vec<Action> {
        self.event(Event::Bound { listener, outcome: Ok(on.parse().unwrap()) })
    }

    fn unbound(&mut self, listener: ListenerId, error: IoKind) -> Vec<Action> {
        self.event(Event::Bound { listener, outcome: Err(error) })
    }
}

/// The addresses to bind.
fn binds(actions: &[Action]) -> Vec<(ListenerId, String)> {
    let bind = |action: &Action| match action {
        Action::Listen { listener, on, .. } => Some((*listener, on.to_string())),
        _ => None,
    };
    actions.iter().filter_map(bind).collect()
}

/// The one address to bind.
fn to_bind(actions: &[Action]) -> (ListenerId, String) {
    let [one] = &binds(actions)[..] else { panic!("{actions:?}") };
    one.clone()
}

fn codes(actions: &[Action]) -> Vec<(Level, u16)> {
    let code = |action: &Action| match action {
        Action::Notify(Notice::Log { level, cause: Some((_, code)), .. }) => Some((*level, code.0)),
        _ => None,
    };
    actions.iter().filter_map(code).collect()
}

fn exits(actions: &[Action]) -> bool {
    actions.iter().any(|action| matches!(action, Action::Exit(ExitReason::Failed(69))))
}

#[test]
fn one_of_several_addresses_that_is_missing_is_said_once_and_bound_as_soon_as_it_comes() {
    let mut desk = Desk::new();
    let orders = binds(&desk.listens(&["192.0.2.1", "192.0.2.2:7"]));
    assert_eq!(orders[1].1, "192.0.2.2:7");
    let actions = desk.unbound(orders[0].0, MISSING);
    assert_eq!(codes(&actions), [(Level::Warn, 122)]);
    assert!(matches!(desk.bound(orders[1].0, "192.0.2.2:7")[..], [Action::Notify(Notice::Listening(_))]));
    // The network changes: it is looked for at once, and only that one.
    let (again, on) = to_bind(&desk.event(Event::NetworkChanged));
    assert_eq!(on, "192.0.2.1:9103");
    assert!(desk.unbound(again, MISSING).is_empty(), "said already");
    let (again, _) = to_bind(&desk.event(Event::NetworkChanged));
    assert!(matches!(desk.bound(again, "192.0.2.1:9103")[..], [Action::Notify(Notice::Listening(_))]));
    assert!(desk.event(Event::NetworkChanged).is_empty());
    assert_eq!(desk.wait(limits::LISTEN_AGAIN).len(), 0);
    assert_eq!(desk.node.poll_timeout(), None, "nothing to look for any more");
}

#[test]
fn the_only_address_that_is_missing_keeps_the_daemon_waiting_and_that_is_said_once() {
    let mut desk = Desk::new();
    let (listener, _) = to_bind(&desk.listens(&["192.0.2.1"]));
    let actions = desk.unbound(listener, MISSING);
    assert_eq!(codes(&actions), [(Level::Warn, 122), (Level::Warn, 126)]);
    assert!(!exits(&actions));
    for _ in 0..3 {
        assert!(desk.wait(limits::LISTEN_AGAIN - Duration::from_nanos(1)).is_empty(), "never early");
        let (again, _) = to_bind(&desk.wait(Duration::from_nanos(1)));
        assert!(desk.unbound(again, MISSING).is_empty(), "said already");
    }
    let (again, _) = to_bind(&desk.wait(limits::LISTEN_AGAIN));
    assert!(matches!(desk.bound(again, "192.0.2.1:9103")[..], [Action::Notify(Notice::Listening(_))]));
}

#[test]
fn another_reason_is_said_even_after_a_wait_and_ends_the_daemon_if_nothing_is_left() {
    let mut desk = Desk::new();
    let (listener, _) = to_bind(&desk.listens(&["192.0.2.1"]));
    let _ = desk.unbound(listener, MISSING);
    let (again, _) = to_bind(&desk.event(Event::NetworkChanged));
    let actions = desk.unbound(again, IoKind::InUse);
    assert_eq!(codes(&actions), [(Level::Error, 120), (Level::Error, 121)]);
    assert!(exits(&actions));
}

#[test]
fn a_machine_without_ipv6_serves_on_ipv4_and_mentions_it() {
    for error in [IoKind::NoFamily, MISSING] {
        let mut desk = Desk::new();
        let orders = binds(&desk.listens(&["0.0.0.0", "::"]));
        let _ = desk.bound(orders[0].0, "0.0.0.0:9103");
        let actions = desk.unbound(orders[1].0, error);
        assert!(matches!(codes(&actions)[..], [(Level::Info, 122 | 127)]), "{actions:?}");
        assert_eq!(desk.node.poll_timeout(), None, "it will not come");
    }
    let mut desk = Desk::new();
    let (listener, _) = to_bind(&desk.listens(&["2001:db8::1"]));
    let actions = desk.unbound(listener, IoKind::NoFamily);
    assert!(codes(&actions).contains(&(Level::Error, 127)) && exits(&actions), "{actions:?}");
}

#[test]
fn want_of_descriptors_is_waited_out() {
    let mut desk = Desk::new();
    let (listener, _) = to_bind(&desk.listens(&["192.0.2.1"]));
    let actions = desk.unbound(listener, IoKind::Exhausted);
    assert_eq!(codes(&actions), [(Level::Warn, 124), (Level::Warn, 126)]);
    let _ = to_bind(&desk.wait(limits::LISTEN_AGAIN));
}

#[test]
fn the_number_of_an_interface_is_asked_for_when_its_address_is_bound_and_one_given_is_used() {
    let mut desk = Desk::new();
    let actions = desk.listens(&["fe80::1%eth0", "fe80::2%7"]);
    let [Action::Resolve { query, host, port: 9103 }, Action::Listen { on, .. }] = &actions[..] else {
        panic!("{actions:?}")
    };
    assert_eq!((host.as_str(), on.to_string().as_str()), ("fe80::1%eth0", "[fe80::2%7]:9103"));
    let (_, on) = to_bind(&desk.resolved(*query, &["[fe80::1%3]:9103".parse().unwrap()]));
    assert_eq!(on, "[fe80::1%3]:9103");
}

#[test]
fn an_interface_that_goes_and_comes_again_under_another_number_is_served_again() {
    let mut desk = Desk::new();
    let query = asked(&desk.listens(&["fe80::1%eth0"]));
    let actions = desk.unresolved(query, ResolveError::NoInterface);
    assert_eq!(codes(&actions), [(Level::Warn, 128), (Level::Warn, 126)]);
    let query = asked(&desk.wait(limits::LISTEN_AGAIN));
    assert!(desk.unresolved(query, ResolveError::NoInterface).is_empty(), "said already");
    let query = asked(&desk.event(Event::NetworkChanged));
    assert!(desk.event(Event::NetworkChanged).is_empty(), "asked already");
    let (first, _) = to_bind(&desk.resolved(query, &["[fe80::1%3]:9103".parse().unwrap()]));
    let _ = desk.bound(first, "[fe80::1%3]:9103");
    // The same interface: nothing is done.
    let query = asked(&desk.wait(limits::LISTEN_AGAIN));
    assert!(desk.resolved(query, &["[fe80::1%3]:9103".parse().unwrap()]).is_empty());
    // It has been made anew.
    let query = asked(&desk.event(Event::NetworkChanged));
    let actions = desk.resolved(query, &["[fe80::1%4]:9103".parse().unwrap()]);
    assert!(matches!(actions[0], Action::Unlisten(old) if old == first), "{actions:?}");
    let (second, on) = to_bind(&actions);
    assert_eq!(on, "[fe80::1%4]:9103");
    let _ = desk.bound(second, "[fe80::1%4]:9103");
    // It goes for good: that is said, and the daemon stays.
    let query = asked(&desk.event(Event::NetworkChanged));
    let actions = desk.unresolved(query, ResolveError::NoInterface);
    assert!(matches!(actions[0], Action::Unlisten(old) if old == second), "{actions:?}");
    assert_eq!(codes(&actions), [(Level::Warn, 128), (Level::Warn, 126)]);
    assert!(!exits(&actions));
}

#[test]
fn a_daemon_that_stops_closes_what_is_bound_and_looks_for_nothing() {
    let mut desk = Desk::new();
    let orders = binds(&desk.listens(&["192.0.2.1", "192.0.2.2", "192.0.2.3"]));
    let _ = desk.bound(orders[0].0, "192.0.2.1:9103");
    let _ = desk.unbound(orders[1].0, MISSING);
    let actions = desk.order(|net| net.stop_listening());
    let closed = [orders[0].0, orders[2].0];
    assert!(
        matches!(actions[..], [Action::Unlisten(one), Action::Unlisten(two)] if [one, two] == closed),
        "{actions:?}"
    );
    assert_eq!(desk.node.poll_timeout(), None);
    assert!(desk.event(Event::NetworkChanged).is_empty());
}
