//! Virtual time: what is to come, in the order of its time, and of its making where times are equal.

use std::collections::BTreeMap;
use std::time::Duration;

use towline_core::time::Instant;

/// Names something that is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(Instant, u64);

/// The time, and what is to come.
#[derive(Debug)]
pub struct Clock<E> {
    now: Instant,
    made: u64,
    queue: BTreeMap<Ticket, E>,
}

impl<E> Default for Clock<E> {
    fn default() -> Self {
        Self { now: Instant::ZERO, made: 0, queue: BTreeMap::new() }
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
        let ticket = Ticket(time.max(self.now), self.made);
        self.made += 1;
        self.queue.insert(ticket, event);
        ticket
    }

    /// Has something happen after a while.
    pub fn after(&mut self, pause: Duration, event: E) -> Ticket {
        self.at(self.now + pause, event)
    }

    /// Calls something off; what has happened does not matter.
    pub fn cancel(&mut self, ticket: Ticket) {
        self.queue.remove(&ticket);
    }

    /// When the next thing happens.
    #[must_use]
    pub fn next_at(&self) -> Option<Instant> {
        self.queue.first_key_value().map(|(ticket, _)| ticket.0)
    }

    /// Goes on to the next thing.
    pub fn advance(&mut self) -> Option<E> {
        let (ticket, event) = self.queue.pop_first()?;
        self.now = ticket.0;
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
    fn what_is_late_happens_now() {
        let mut clock = Clock::default();
        clock.pass_to(Instant(5));
        clock.at(Instant(1), ());
        assert_eq!((clock.advance(), clock.now()), (Some(()), Instant(5)));
    }
}
