//! The hash sees what differs, and the lines are those that are kept.

use towline_core::event::Event;
use towline_core::ids::{DialId, WorkId};
use towline_core::time::Wall;
use towline_core::work::WorkDone;

use super::*;
use crate::tcp::{Data, Isns};

fn ends(port: u16) -> Ends {
    Ends { local: ([10, 0, 0, 1], 40_000).into(), peer: ([10, 0, 0, 2], port).into() }
}

fn data(at: u64, bytes: usize) -> Segment {
    Segment::Data(Data { isns: Isns::default(), at, bytes: vec![7; bytes], fin: false, ack: 5, limit: 9, probe: false })
}

fn hash_of(add: impl Fn(&Trace)) -> u64 {
    let trace = Trace::default();
    add(&trace);
    trace.hash().0
}

#[test]
fn whatever_differs_differs_in_the_hash() {
    let (dir, sd): (Arc<str>, Arc<str>) = ("dir".into(), "sd".into());
    let step = |who: &Arc<str>, event: &Event| hash_of(|trace| trace.step(who, &Step::Event(event)));
    let dialed = |dial, outcome| Event::Dialed { dial: DialId(dial), outcome };
    let text = |text: &[u8]| Event::FromConn { conn: ConnId(1), message: FromConn::Text(text.to_vec()) };
    let segment = |ends, segment: &Segment, fate| hash_of(|trace| trace.segment(Sent::new(ends, segment, fate)));
    let all = [
        hash_of(|_| {}),
        hash_of(|trace| trace.line("dir", "a line")),
        hash_of(|trace| trace.line("dira", " line")),
        hash_of(|trace| {
            trace.set_now(Instant(1));
            trace.line("dir", "a line");
        }),
        step(&dir, &Event::Started { wall: Wall(0) }),
        step(&dir, &Event::Started { wall: Wall(1) }),
        step(&sd, &Event::Started { wall: Wall(1) }),
        step(&dir, &dialed(1, Ok(ends(1)))),
        step(&dir, &dialed(2, Ok(ends(1)))),
        step(&dir, &dialed(1, Ok(ends(2)))),
        step(&dir, &dialed(1, Err(IoKind::Refused))),
        step(&dir, &dialed(1, Err(IoKind::TimedOut))),
        step(&dir, &text(b"a longer text")),
        step(&dir, &text(b"a longer tex\0")),
        step(&dir, &text(b"a longer tex")),
        step(&dir, &Event::Done { work: WorkId(1), done: WorkDone::Refused }),
        segment(ends(1), &data(0, 3), Told::Carried),
        segment(ends(2), &data(0, 3), Told::Carried),
        segment(ends(1), &data(1, 3), Told::Carried),
        segment(ends(1), &data(0, 4), Told::Carried),
        segment(ends(1), &data(0, 3), Told::Lost),
        segment(ends(1), &data(0, 3), Told::Stopped("not let in")),
        segment(ends(1), &data(0, 3), Told::Reset("not let in")),
        segment(ends(1), &Segment::Rst { to: None }, Told::Carried),
    ];
    let different: std::collections::BTreeSet<u64> = all.into_iter().collect();
    assert_eq!(different.len(), all.len(), "{all:x?}");
}

#[test]
fn the_hash_is_the_same_however_many_lines_are_kept() {
    let run = |lines: Option<usize>| {
        let trace = Trace::default();
        if let Some(lines) = lines {
            trace.keep(lines);
        }
        for n in 0..5 {
            trace.set_now(Instant(n));
            trace.segment(Sent::new(ends(1), &data(n, 1), Told::Carried));
            trace.line("dir", &format!("line {n}"));
        }
        (trace.hash(), trace.tail(100).lines().count())
    };
    let (hash, lines) = run(None);
    assert_eq!((hash.1, lines), (10, 10));
    assert_eq!([run(Some(0)), run(Some(3))], [(hash, 0), (hash, 3)]);
}

#[test]
fn a_line_says_when_who_and_what() {
    let trace = Trace::default();
    trace.set_now(Instant(1_000_000_002));
    trace.segment(Sent::new(ends(9101), &data(3, 4), Told::Unreachable(IoKind::NoNeighbour, "to nobody")));
    let line = "     1.000000002 tcp 10.0.0.1:40000 -> 10.0.0.2:9101 3+4 ack 5 lost: to nobody, nothing on the link answers for it\n";
    assert_eq!(trace.tail(1), line);
    assert_eq!(trace.grep("to nobody").len(), 1);
    assert!(trace.grep("from nobody").is_empty());
}
