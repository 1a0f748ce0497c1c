//! Bandwidth limits: a machine's data keeps to them, and nothing else waits for it.

use std::num::NonZeroU64;
use std::time::Duration;

use super::*;
use crate::bulk::machine::{Machine, Outcome, ToMachine};
use crate::bulk::restorer::Restorer;
use crate::bulk::sender::Sender;
use crate::conn::{Moved, Timer};
use crate::ids::HandleId;

const LIMIT: u64 = 10_000;

fn pace(limit: u64) -> ToConn {
    ToConn::Pace(NonZeroU64::new(limit))
}

/// A pair whose dialler sends files of 100,000 bytes, as many as wanted.
fn sending(engine: Engine) -> Pair {
    let purpose = Purpose::StartJob { job: "job.1".to_owned() };
    let mut pair = Pair::ready(setup_for(engine, purpose, "secret", "secret"));
    pair.dialler.worker = Some(Box::new(|work| {
        let DiskWork::Fill { mut parcel, .. } = work else { panic!("{work:?}") };
        parcel.clear();
        (parcel.frames, parcel.files) = (1, 1);
        put_data(&mut parcel.bytes, &[7; 100_000]);
        DiskDone::Filled { parcel, last: false, remarks: Vec::new() }
    }));
    pair
}

fn send() -> ToConn {
    ToConn::Carry(Box::new(Machine::Send(Sender::new(HandleId(5), 4))))
}

impl Pair {
    /// Lets time pass in the steps in which something is due, and returns the longest silence of the dialler.
    fn pass(&mut self, time: Duration) -> Duration {
        let end = self.now + time;
        let (mut written, mut spoke, mut silence, mut at_once) = (self.written(), self.now, Duration::ZERO, 0);
        loop {
            self.drive();
            if self.written() > written {
                silence = silence.max(self.now.since(spoke));
                (written, spoke) = (self.written(), self.now);
            }
            let due = [&self.dialler, &self.acceptor].into_iter().filter_map(|end| end.conn.poll_timeout());
            let next = due.map(|deadline| deadline.at).min().unwrap_or(end);
            if next > end {
                self.now = end;
                return silence.max(end.since(spoke));
            }
            at_once = if next > self.now { 0 } else { at_once + 1 };
            assert!(at_once < 4, "somebody is woken again and again for nothing");
            self.now = next;
            self.dialler.conn.handle_timeout(next);
            self.acceptor.conn.handle_timeout(next);
        }
    }

    fn written(&self) -> u64 {
        self.dialler.conn.traffic.written
    }

    /// What the dialler's machine has moved.
    fn moved(&self) -> Option<Moved> {
        self.dialler.conn.moved()
    }
}

#[test]
fn a_sender_keeps_to_its_limit_and_uses_it() {
    for &engine in ENGINES {
        let mut pair = sending(engine);
        // What is sent stays in the pipe, which has room for it.
        pair.acceptor.reads = false;
        let before = pair.written();
        pair.tell_dialler(pace(LIMIT));
        pair.tell_dialler(send());
        pair.pass(Duration::from_secs(5));
        let sent = pair.written() - before;
        assert!((5 * LIMIT..=5 * LIMIT + 2 * 512).contains(&sent), "{engine:?}: {sent} bytes in 5 s");
    }
}

/// A pair with a limit at the dialler, and a peer that takes whatever comes.
fn paced(limit: u64) -> Pair {
    let mut pair = sending(Engine::Clear);
    pair.tell_acceptor(ToConn::Carry(Box::new(Machine::Restore(Restorer::new(HandleId(6))))));
    pair.tell_dialler(pace(limit));
    pair
}

/// A stream of a restore without an end, and a worker that applies it.
fn restoring(pair: &mut Pair) {
    let mut n = 0;
    pair.dialler.worker = Some(Box::new(move |work| {
        let DiskWork::Fill { mut parcel, .. } = work else { panic!("{work:?}") };
        parcel.clear();
        n += 1;
        (parcel.frames, parcel.files) = (2, 1);
        put_data(&mut parcel.bytes, format!("rechdr 3 1795438893 {n} 2 100000").as_bytes());
        put_data(&mut parcel.bytes, &[7; 100_000]);
        DiskDone::Filled { parcel, last: false, remarks: Vec::new() }
    }));
    pair.acceptor.worker = Some(Box::new(|work| {
        let DiskWork::Apply { parcel, .. } = work else { panic!("{work:?}") };
        DiskDone::Applied { parcel, remarks: Vec::new() }
    }));
}

#[test]
fn a_limit_is_changed_and_lifted_in_the_middle_of_a_job() {
    let mut pair = paced(LIMIT);
    restoring(&mut pair);
    pair.tell_dialler(send());
    let rate = |pair: &mut Pair, seconds: u64| {
        let before = pair.written();
        pair.pass(Duration::from_secs(seconds));
        (pair.written() - before) / seconds
    };
    let about = |limit: u64| limit * 98 / 100..=limit * 102 / 100;
    assert!(about(LIMIT).contains(&rate(&mut pair, 60)));
    pair.tell_dialler(pace(5 * LIMIT));
    assert!(about(5 * LIMIT).contains(&rate(&mut pair, 60)));
    pair.tell_dialler(pace(LIMIT / 10));
    assert!(about(LIMIT / 10).contains(&rate(&mut pair, 120)));
    let moved = pair.moved().unwrap();
    assert!(moved.files >= moved.bytes / 100_100 && moved.files <= moved.bytes / 100_000 + 2, "{moved:?}");
    let before = pair.written();
    pair.tell_dialler(pace(0));
    for _ in 0..1_000 {
        pair.step();
    }
    assert!(pair.written() - before > 2_000_000, "no limit: {}", pair.written() - before);
}

#[test]
fn a_receiver_under_a_limit_reads_no_faster() {
    let mut pair = paced(0);
    restoring(&mut pair);
    pair.tell_acceptor(pace(LIMIT));
    pair.tell_dialler(send());
    let before = pair.acceptor.conn.traffic.read;
    pair.pass(Duration::from_secs(30));
    let read = pair.acceptor.conn.traffic.read - before;
    assert!((30 * LIMIT - 1_000..=30 * LIMIT + 1_024).contains(&read), "{read} bytes in 30 s");
    assert!(pair.acceptor.conn.moved().is_some_and(|moved| moved.files == read.div_ceil(100_038)), "{read}");
}

#[test]
fn under_the_slowest_limit_the_peer_still_hears_something_and_heartbeats_come_back() {
    let mut pair = paced(100);
    restoring(&mut pair);
    for end in [&mut pair.dialler, &mut pair.acceptor] {
        end.conn.handle_message(ToConn::Heartbeat { every: Duration::from_secs(2), sending: true }, pair.now);
    }
    pair.tell_dialler(send());
    let read = pair.dialler.conn.traffic.read;
    let silence = pair.pass(Duration::from_secs(600));
    assert!(silence <= Duration::from_millis(400), "silent for {silence:?}");
    let beats = (pair.dialler.conn.traffic.read - read) / 4;
    assert!((290..=310).contains(&beats), "a heartbeat every 2 s for 600 s: {beats}");
    assert_eq!((pair.dialler.closed(), pair.acceptor.closed()), (None, None));
}

#[test]
fn a_machine_that_is_stopped_waits_for_no_limit() {
    let mut pair = paced(1);
    restoring(&mut pair);
    pair.tell_dialler(send());
    pair.pass(Duration::from_secs(1));
    pair.tell_dialler(ToConn::Machine(ToMachine::Stop));
    pair.tell_dialler(ToConn::Close { farewell: true });
    pair.drive();
    let stopped = |message: &FromConn| matches!(message, FromConn::Carried(Outcome::Stopped));
    assert!(pair.dialler.heard.iter().any(stopped), "{:?}", pair.dialler.heard);
    assert!(pair.dialler.conn.poll_timeout().is_none_or(|deadline| deadline.why == Timer::Drain));
}
