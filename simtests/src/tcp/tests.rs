//! Two ends and what is between them.

use super::timers::GIVE_UP;
use super::*;

const STEP: Duration = Duration::from_millis(5);

/// Two ends, and whether what they send arrives.
struct Pair {
    ends: [End; 2],
    now: Instant,
    cut: bool,
}

impl Pair {
    fn open(buffer: Option<u32>) -> Self {
        let options = SocketOptions { buffer, ..SocketOptions::default() };
        let (a, b) = (([10, 0, 0, 1], 1000).into(), ([10, 0, 0, 2], 9103).into());
        let now = Instant::ZERO;
        let ends = [
            End::dial(Ends { local: a, peer: b }, options, 7, now),
            End::answer(Ends { local: b, peer: a }, options, SEGMENT, Isns { from: 9, to: 7 }, now),
        ];
        let mut pair = Self { ends, now, cut: false };
        pair.settle();
        assert_eq!(pair.ends.each_ref().map(End::phase), [Phase::Open; 2]);
        pair
    }

    /// Carries segments until none is under way.
    fn settle(&mut self) {
        loop {
            let mut moved = false;
            for from in 0..2 {
                while let Some(segment) = self.ends[from].poll_segment() {
                    moved = true;
                    if !self.cut {
                        self.ends[1 - from].on_segment(segment, self.now);
                    }
                }
            }
            if !moved {
                return;
            }
            self.now = self.now + STEP;
        }
    }

    /// Lets time pass until this end's next timer, at most so often.
    fn timers(&mut self, most: usize) {
        for _ in 0..most {
            let Some(at) = self.ends.iter().filter_map(End::deadline).min() else { return };
            self.now = self.now.max(at);
            self.ends.iter_mut().for_each(|end| end.on_timer(self.now));
            self.settle();
        }
    }

    fn read(&mut self, end: usize) -> Vec<u8> {
        let mut space = [0; 1000];
        let mut all = Vec::new();
        while let Some(Ok(n)) = self.ends[end].read(&mut space, self.now) {
            if n == 0 {
                break;
            }
            all.extend_from_slice(&space[..n]);
            self.settle();
        }
        all
    }
}

#[test]
fn bytes_arrive_in_order_through_buffers_that_are_smaller() {
    let mut pair = Pair::open(Some(4096));
    let text: Vec<u8> = (0..50_000_u32).map(|n| (n % 251) as u8).collect();
    let (mut written, mut got) = (0, Vec::new());
    while got.len() < text.len() {
        while let Some(Ok(n)) = pair.ends[0].write(&text[written..], pair.now) {
            written += n;
            if written == text.len() {
                break;
            }
        }
        assert!(written - got.len() <= 2 * 4096, "the buffers hold too much");
        pair.settle();
        got.extend(pair.read(1));
    }
    assert!(got == text);
}

#[test]
fn what_a_cut_swallows_comes_after_it_has_healed() {
    let mut pair = Pair::open(None);
    pair.cut = true;
    assert_eq!(pair.ends[0].write(b"lost and found", pair.now), Some(Ok(14)));
    pair.settle();
    pair.timers(3);
    assert_eq!(pair.ends[1].read(&mut [0; 9], pair.now), None);
    pair.cut = false;
    pair.timers(1);
    assert_eq!(pair.read(1), b"lost and found");
}

#[test]
fn a_cut_for_good_ends_a_sender_after_a_quarter_of_an_hour() {
    let mut pair = Pair::open(None);
    pair.cut = true;
    assert_eq!(pair.ends[0].write(b"x", pair.now), Some(Ok(1)));
    let began = pair.now;
    while pair.ends[0].phase() == Phase::Open {
        pair.timers(1);
    }
    assert_eq!(pair.ends[0].phase(), Phase::Over(IoKind::TimedOut));
    assert!(pair.now.since(began) >= GIVE_UP);
    // The other one has nothing to say and is half-open until its keepalive.
    assert_eq!(pair.ends[1].phase(), Phase::Open);
    pair.timers(12);
    assert_eq!(pair.ends[1].phase(), Phase::Over(IoKind::TimedOut));
}

#[test]
fn a_lost_window_update_is_asked_for() {
    let mut pair = Pair::open(Some(1000));
    while let Some(Ok(_)) = pair.ends[0].write(&[7; 500], pair.now) {
        pair.settle();
    }
    pair.cut = true;
    let mut space = [0; 1000];
    assert_eq!(pair.ends[1].read(&mut space, pair.now), Some(Ok(1000)));
    pair.settle();
    pair.cut = false;
    pair.timers(1);
    assert_eq!(pair.read(1).len(), 1000);
}

#[test]
fn both_halves_close_on_their_own() {
    let mut pair = Pair::open(None);
    pair.ends[0].write(b"bye", pair.now);
    pair.ends[0].shut_write(pair.now);
    pair.settle();
    assert_eq!(pair.read(1), b"bye");
    assert_eq!(pair.ends[1].read(&mut [0; 1], pair.now), Some(Ok(0)));
    pair.ends[1].write(b"still here", pair.now);
    pair.settle();
    assert_eq!(pair.read(0), b"still here");
    pair.ends[1].close(pair.now);
    pair.settle();
    assert_eq!(pair.ends[0].read(&mut [0; 1], pair.now), Some(Ok(0)));
    pair.ends[0].close(pair.now);
    pair.settle();
    assert!(pair.ends.iter().all(End::is_gone));
}

#[test]
fn a_close_with_bytes_unread_resets() {
    let mut pair = Pair::open(None);
    pair.ends[0].write(b"nobody reads this", pair.now);
    pair.settle();
    pair.ends[1].close(pair.now);
    pair.settle();
    assert_eq!(pair.ends[0].read(&mut [0; 1], pair.now), Some(Err(IoKind::Reset)));
}

#[test]
fn a_host_that_has_forgotten_a_connection_dials_again_from_the_same_port_at_once() {
    let mut pair = Pair::open(None);
    // Its memory is gone: a new end with the old addresses.
    let (ends, options) = (pair.ends[0].ends(), pair.ends[0].options());
    pair.ends[0] = End::dial(ends, options, 11, pair.now);
    let began = pair.now;
    pair.settle();
    assert_eq!(pair.ends[1].phase(), Phase::Over(IoKind::Reset), "the old end hears of it");
    assert_eq!(pair.ends[0].phase(), Phase::Dialling);
    let again = pair.ends[0].deadline().expect("it dials again");
    assert!(again.since(began) < Duration::from_millis(30), "{:?}", again.since(began));
}

#[test]
fn what_is_of_another_connection_with_the_same_ends_is_not_taken_and_answered_twice_a_second_at_most() {
    let mut pair = Pair::open(None);
    let began = pair.now;
    let stray = Segment::Data(Data {
        isns: Isns { from: 5, to: 9 },
        at: 0,
        bytes: b"not ours".to_vec(),
        fin: true,
        ack: 0,
        limit: 1_000,
        probe: false,
    });
    let answers = |pair: &mut Pair, after: Duration| {
        pair.ends[1].on_segment(stray.clone(), began + after);
        std::iter::from_fn(|| pair.ends[1].poll_segment()).count()
    };
    let millis = Duration::from_millis;
    assert_eq!([0, 1, 499, 500, 501].map(|after| answers(&mut pair, millis(after))), [1, 0, 0, 1, 0]);
    pair.ends[1].on_segment(Segment::Rst { to: Some(5) }, began + millis(600));
    assert_eq!(pair.ends[1].read(&mut [0; 9], began + millis(600)), None);
    // Two that are strangers to each other do not go on answering.
    pair.ends[0].isns.to = 8;
    pair.now = began + millis(2_000);
    assert_eq!(pair.ends[0].write(b"lost", pair.now), Some(Ok(4)));
    pair.settle();
    assert!(pair.now.since(began) < millis(2_100), "{:?}", pair.now.since(began));
    assert_eq!(pair.ends.each_ref().map(End::phase), [Phase::Open; 2]);
    assert!(!pair.ends[1].can_read());
    // A reset that is in its window ends it.
    pair.ends[1].on_segment(Segment::Rst { to: Some(9) }, pair.now);
    assert_eq!(pair.ends[1].phase(), Phase::Over(IoKind::Reset));
}

#[test]
fn data_that_nobody_answers_end_the_connection_when_the_user_time_out_does() {
    let mut pair = Pair::open(None);
    let (idle, interval) = (Duration::from_secs(60), Duration::from_secs(60));
    let limit = Duration::from_secs(5);
    pair.ends[0].set_keepalive(Some(Keepalive { idle, interval, probes: Some(3), user_timeout: Some(limit) }));
    pair.cut = true;
    let began = pair.now;
    assert_eq!(pair.ends[0].write(b"x", pair.now), Some(Ok(1)));
    while pair.ends[0].phase() == Phase::Open {
        pair.timers(1);
    }
    assert_eq!(pair.ends[0].phase(), Phase::Over(IoKind::TimedOut));
    assert!(pair.now.since(began) < limit + Duration::from_millis(600), "{:?}", pair.now.since(began));
}

#[test]
fn who_answers_acknowledges_with_the_answer_and_else_after_forty_milliseconds() {
    let segments = |end: &mut End| {
        let all: Vec<Segment> = std::iter::from_fn(|| end.poll_segment()).collect();
        all.into_iter().map(|segment| (segment.len(), segment)).unzip::<usize, Segment, Vec<usize>, Vec<Segment>>()
    };
    let mut pair = Pair::open(None);
    let now = pair.now;
    let say = |pair: &mut Pair, bytes: &[u8], now: Instant| {
        assert_eq!(pair.ends[0].write(bytes, now), Some(Ok(bytes.len())));
        let (sizes, all) = segments(&mut pair.ends[0]);
        assert_eq!(sizes, [bytes.len()]);
        all.into_iter().for_each(|segment| pair.ends[1].on_segment(segment, now));
        segments(&mut pair.ends[1]).0
    };
    // Nobody knows yet that this end answers.
    assert_eq!(say(&mut pair, b"one", now), [0]);
    assert_eq!(pair.ends[1].write(b"two", now), Some(Ok(3)));
    let (_, all) = segments(&mut pair.ends[1]);
    all.into_iter().for_each(|segment| pair.ends[0].on_segment(segment, now));
    // Now it does: at once what is more than a frame, with the answer what is less.
    assert_eq!(say(&mut pair, b"three", now), [0_usize; 0]);
    assert_eq!(pair.ends[1].write(b"four", now), Some(Ok(4)));
    let (sizes, all) = segments(&mut pair.ends[1]);
    assert!(matches!(&all[..], [Segment::Data(data)] if data.ack == 8), "{sizes:?} {all:?}");
    all.into_iter().for_each(|segment| pair.ends[0].on_segment(segment, now));
    assert_eq!(say(&mut pair, &[7; 1449], now), [0]);
    // And by the clock what it leaves unanswered; that end answers no more.
    assert_eq!(say(&mut pair, b"five", now), [0_usize; 0]);
    assert_eq!(pair.ends[1].deadline(), Some(now + ACK_PAUSE));
    pair.ends[1].on_timer(now + ACK_PAUSE);
    assert_eq!(segments(&mut pair.ends[1]).0, [0]);
    assert_eq!(say(&mut pair, b"six", now + ACK_PAUSE), [0]);
}
