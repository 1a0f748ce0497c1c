//! Virtual time: what is to come, in the order of its time, and of its making where times are equal.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use towline_core::time::Instant;

/// Entries of the heap that may be of nothing any more, before they are cleared out.
const STALE: usize = 256;

/// Names something that is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    made: u64,
    slot: usize,
}

/// The time, and what is to come.
#[derive(Debug)]
pub struct Clock<E> {
    now: Instant,
    made: u64,
    /// When, and which. What was called off or delayed leaves an entry behind, but never on top.
    order: BinaryHeap<Reverse<(Instant, Ticket)>>,
    /// What is to come is large, and stays where it is.
    slots: Vec<Slot<E>>,
    free: Vec<usize>,
}

#[derive(Debug)]
struct Slot<E> {
    made: u64,
    time: Instant,
    event: Option<E>,
}

impl<E> Slot<E> {
    fn holds(&self, time: Instant, ticket: Ticket) -> bool {
        self.event.is_some() && self.made == ticket.made && self.time == time
    }
}

impl<E> Default for Clock<E> {
    fn default() -> Self {
        Self { now: Instant::ZERO, made: 0, order: BinaryHeap::new(), slots: Vec::new(), free: Vec::new() }
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
        let (time, made) = (time.max(self.now), self.made);
        self.made += 1;
        let filled = Slot { made, time, event: Some(event) };
        let slot = self.free.pop().unwrap_or(self.slots.len());
        match self.slots.get_mut(slot) {
            Some(place) => *place = filled,
            None => self.slots.push(filled),
        }
        let ticket = Ticket { made, slot };
        self.order.push(Reverse((time, ticket)));
        ticket
    }

    /// Has something happen after a while.
    pub fn after(&mut self, pause: Duration, event: E) -> Ticket {
        self.at(self.now + pause, event)
    }

    /// Calls something off; what has happened does not matter.
    pub fn cancel(&mut self, ticket: Ticket) {
        if self.take(ticket).is_some() {
            self.tidy();
        }
    }

    /// Has what belongs to somebody happen that much later; tickets stay good.
    pub fn delay(&mut self, by: Duration, belongs: impl Fn(&E) -> bool) {
        for (slot, place) in self.slots.iter_mut().enumerate() {
            if place.event.as_ref().is_some_and(&belongs) {
                place.time = place.time + by;
                self.order.push(Reverse((place.time, Ticket { made: place.made, slot })));
            }
        }
        self.tidy();
    }

    /// When the next thing happens.
    #[must_use]
    pub fn next_at(&self) -> Option<Instant> {
        self.order.peek().map(|Reverse((time, _))| *time)
    }

    /// Goes on to the next thing.
    pub fn advance(&mut self) -> Option<E> {
        let Reverse((time, ticket)) = self.order.pop()?;
        let event = self.take(ticket);
        self.now = time;
        self.tidy();
        event
    }

    /// Lets time pass in which nothing happens.
    pub fn pass_to(&mut self, time: Instant) {
        let next = self.next_at().unwrap_or(time);
        self.now = self.now.max(time.min(next));
    }

    fn take(&mut self, ticket: Ticket) -> Option<E> {
        let place = self.slots.get_mut(ticket.slot).filter(|place| place.made == ticket.made)?;
        let event = place.event.take()?;
        self.free.push(ticket.slot);
        Some(event)
    }

    /// Nothing on top is of what was called off, and few entries are.
    fn tidy(&mut self) {
        let holds = |slots: &[Slot<E>], Reverse((time, ticket)): &Reverse<(Instant, Ticket)>| {
            slots.get(ticket.slot).is_some_and(|place| place.holds(*time, *ticket))
        };
        if self.order.len() > STALE + 4 * (self.slots.len() - self.free.len()) {
            let slots = &self.slots;
            self.order.retain(|entry| holds(slots, entry));
        }
        while self.order.peek().is_some_and(|entry| !holds(&self.slots, entry)) {
            self.order.pop();
        }
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
    fn what_was_called_off_leaves_little_behind() {
        let mut clock = Clock::default();
        clock.after(Duration::from_secs(1), 'a');
        for _ in 0..100_000 {
            let ticket = clock.after(Duration::from_secs(2), 'x');
            clock.cancel(ticket);
            clock.cancel(ticket);
        }
        assert!(clock.order.len() <= STALE + 8 && clock.slots.len() == 2, "{}", clock.order.len());
        let last = clock.after(Duration::from_secs(3), 'b');
        assert_eq!((clock.advance(), clock.advance(), clock.advance()), (Some('a'), Some('b'), None));
        clock.cancel(last);
        assert_eq!((clock.next_at(), clock.now()), (None, Instant(3_000_000_000)));
    }

    #[test]
    fn what_is_late_happens_now() {
        let mut clock = Clock::default();
        clock.pass_to(Instant(5));
        clock.at(Instant(1), ());
        assert_eq!((clock.advance(), clock.now()), (Some(()), Instant(5)));
    }
}
