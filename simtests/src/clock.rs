//! Virtual time: what is to come, in the order of its time, and of its making where times are equal.

use std::collections::BTreeMap;
use std::time::Duration;

use towline_core::time::Instant;

/// Names something that is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

/// The time, and what is to come.
#[derive(Debug)]
pub struct Clock<E> {
    now: Instant,
    made: u64,
    queue: BTreeMap<(Instant, u64), E>,
    times: BTreeMap<u64, Instant>,
}

impl<E> Default for Clock<E> {
    fn default() -> Self {
        Self { now: Instant::ZERO, made: 0, queue: BTreeMap::new(), times: BTreeMap::new() }
    }
}

impl<E> Clock<E> {
    /// The time.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Has something happen at a time; what is late happens now.
    pub fn at(&mut self, time: Instant, event: E) -> Ticket {
        let (time, ticket) = (time.max(self.now), self.made);
        self.made += 1;
        self.times.insert(ticket, time);
        self.queue.insert((time, ticket), event);
        Ticket(ticket)
    }

    /// Has something happen after a while.
    pub fn after(&mut self, pause: Duration, event: E) -> Ticket {
        self.at(self.now + pause, event)
    }

    /// Calls something off; what has happened does not matter.
    pub fn cancel(&mut self, ticket: Ticket) {
        if let Some(time) = self.times.remove(&ticket.0) {
            self.queue.remove(&(time, ticket.0));
        }
    }

    /// Has what belongs to somebody happen that much later; tickets stay good.
    pub fn delay(&mut self, by: Duration, belongs: impl Fn(&E) -> bool) {
        let theirs: Vec<(Instant, u64)> =
            self.queue.iter().filter(|(_, event)| belongs(event)).map(|(&key, _)| key).collect();
        for (time, ticket) in theirs {
            if let Some(event) = self.queue.remove(&(time, ticket)) {
                self.times.insert(ticket, time + by);
                self.queue.insert((time + by, ticket), event);
            }
        }
    }

    /// When the next thing happens.
    #[must_use]
    pub fn next_at(&self) -> Option<Instant> {
        self.queue.first_key_value().map(|((time, _), _)| *time)
    }

    /// Goes on to the next thing.
    pub fn advance(&mut self) -> Option<E> {
        let ((time, ticket), event) = self.queue.pop_first()?;
        self.times.remove(&ticket);
        self.now = time;
        Some(event)
    }

    /// Lets time pass in which nothing happens.
    pub fn pass_to(&mut self, time: Instant) {
        let next = self.next_at().unwrap_or(time);
        self.now = self.now.max(time.min(next));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_happen_in_the_order_of_their_times_and_then_of_their_making() {
        let mut clock = Clock::default();
        let later = clock.after(Duration::from_secs(2), 'x');
        for event in ['a', 'b'] {
            clock.after(Duration::from_secs(3), event);
        }
        clock.after(Duration::from_secs(1), 'c');
        clock.cancel(later);
        let order: String = std::iter::from_fn(|| clock.advance()).collect();
        assert_eq!((order.as_str(), clock.now()), ("cab", Instant(3_000_000_000)));
    }

    #[test]
    fn what_is_delayed_keeps_its_ticket_and_its_order() {
        let mut clock = Clock::default();
        let tickets = ['a', 'b', 'x', 'c'].map(|event| clock.after(Duration::from_secs(1), event));
        clock.delay(Duration::from_secs(1), |event| *event != 'c');
        clock.cancel(tickets[2]);
        assert_eq!((clock.advance(), clock.now()), (Some('c'), Instant(1_000_000_000)));
        assert_eq!((clock.advance(), clock.now()), (Some('a'), Instant(2_000_000_000)));
        assert_eq!((clock.advance(), clock.advance()), (Some('b'), None));
    }

    #[test]
    fn what_is_late_happens_now() {
        let mut clock = Clock::default();
        clock.pass_to(Instant(5));
        clock.at(Instant(1), ());
        assert_eq!((clock.advance(), clock.now()), (Some(()), Instant(5)));
    }
}
