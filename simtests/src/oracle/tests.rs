//! The oracle against what can be counted by hand.

use std::collections::BTreeSet;

use super::*;

fn case(places: [Place; 3], mode: Mode) -> Case {
    Case {
        row: Row { places, lans: [0, 1, 2] },
        mode,
        lan_address: Given::Neither,
        networks: Given::Neither,
        view: View::Public,
        heartbeat: Heartbeat::Below,
        loose: false,
    }
}

const fn leg(from: Who, to: Who) -> Leg {
    Leg { from, to }
}

#[test]
fn the_grid_has_each_network_once() {
    let all: Vec<Case> = grid().collect();
    let different: BTreeSet<Case> = all.iter().copied().collect();
    assert_eq!(all.len(), different.len());
    // 216 triples alone. With two of one kind together: of 25 pairs of places that are not in the open, 8 have boxes of one
    // kind (2 x 2 that masquerade, and 4 kinds of two alike would be 3 more than those), for 3 pairs and 6 places of the third.
    let pairs = 2 * 2 + 3;
    let triples = 2 * 2 * 2 + 3;
    assert_eq!(rows().len(), 216 + 3 * pairs * 6 + triples);
    assert_eq!(all.len(), 81_864);
}

#[test]
fn a_home_office_is_backed_up_if_it_dials_or_its_port_is_forwarded() {
    use Place::{Forwarded, Home, Open};
    use Who::{Client, Director, Storage};
    let verdict = |client, mode| case([Open, client, Open], mode).verdict();
    assert_eq!(verdict(Home, Mode::Default), Verdict::Fails(leg(Director, Client), Stop::NotIn));
    assert_eq!(verdict(Home, Mode::ClientInitiated), Verdict::Works);
    assert_eq!(verdict(Home, Mode::Both), Verdict::Works);
    assert_eq!(verdict(Forwarded, Mode::Default), Verdict::Works);
    assert_eq!(verdict(Forwarded, Mode::Passive), Verdict::Works);
    let closed = case([Open, Open, Home], Mode::Default).verdict();
    assert_eq!(closed, Verdict::Fails(leg(Director, Storage), Stop::NotIn));
}

#[test]
fn neighbours_need_an_inner_address() {
    let row = Row { places: [Place::Open, Place::Forwarded, Place::Forwarded], lans: [0, 1, 1] };
    let outside = Case { row, ..case(row.places, Mode::Default) };
    assert_eq!(outside.verdict(), Verdict::Fails(leg(Who::Client, Who::Storage), Stop::NoHairpin));
    for remedy in [
        Case { lan_address: Given::Both, ..outside },
        Case { networks: Given::Both, ..outside },
        Case { view: View::Split, ..outside },
    ] {
        assert_eq!(remedy.verdict(), Verdict::Works, "{remedy:?}");
    }
    for nothing in [Case { lan_address: Given::One, ..outside }, Case { networks: Given::One, ..outside }] {
        assert_eq!(nothing.verdict(), outside.verdict(), "{nothing:?}");
    }
    let wrong = Case { view: View::Inner, ..outside };
    assert_eq!(wrong.verdict(), Verdict::Fails(leg(Who::Director, Who::Storage), Stop::NoRoute));
}

#[test]
fn a_silence_ends_what_a_box_forgets_unless_it_takes_it_up_again() {
    let open = case([Place::Open; 3], Mode::Default);
    let dials_in = case([Place::Open, Place::Home, Place::Open], Mode::ClientInitiated);
    let dialled = case([Place::Open, Place::InOnly, Place::Open], Mode::Passive);
    for heartbeat in [Heartbeat::Below, Heartbeat::At] {
        assert_eq!(Case { heartbeat, ..dials_in }.verdict(), Verdict::Works);
    }
    for heartbeat in [Heartbeat::Above, Heartbeat::Off] {
        assert_eq!(Case { heartbeat, ..open }.verdict(), Verdict::Works);
        assert_eq!(Case { heartbeat, ..dials_in }.verdict(), Verdict::UntilIdle);
        // The client speaks first: it has dialled in the one case, and was dialled in the other.
        assert_eq!(Case { heartbeat, loose: true, ..dials_in }.verdict(), Verdict::Works);
        assert_eq!(Case { heartbeat, loose: true, ..dialled }.verdict(), Verdict::UntilIdle);
    }
}
