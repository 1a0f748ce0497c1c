//! Virtual time: what is to come, in the order of its time, and of its making where times are equal.

use std::time::Duration;

use towline_core::time::Instant;

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
    /// A heap: no entry is before the one above it, and what is next is the first.
    heap: Vec<Due>,
    slots: Vec<Slot>,
    /// What is to come, each in its slot: it is large, and stays where it is.
    events: Vec<Option<E>>,
    free: Vec<usize>,
}

/// When, and which.
#[derive(Clone, Copy, Debug)]
struct Due {
    time: Instant,
    made: u64,
    slot: usize,
}

impl Due {
    const fn is_before(&self, other: &Self) -> bool {
        // As one number, because no processor can guess how the comparison ends.
        self.order() < other.order()
    }

    const fn order(&self) -> u128 {
        (self.time.0 as u128) << 64 | self.made as u128
    }
}

/// Which event has a slot, and where its entry of the heap is.
#[derive(Clone, Copy, Debug)]
struct Slot {
    made: u64,
    place: usize,
}

impl<E> Default for Clock<E> {
    fn default() -> Self {
        Self { now: Instant::ZERO, made: 0, heap: Vec::new(), slots: Vec::new(), events: Vec::new(), free: Vec::new() }
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
        let (time, made, place) = (time.max(self.now), self.made, self.heap.len());
        self.made += 1;
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot] = Slot { made, place };
                self.events[slot] = Some(event);
                slot
            }
            None => {
                self.slots.push(Slot { made, place });
                self.events.push(Some(event));
                self.slots.len() - 1
            }
        };
        self.heap.push(Due { time, made, slot });
        self.rise(place);
        Ticket { made, slot }
    }

    /// Has something happen after a while.
    pub fn after(&mut self, pause: Duration, event: E) -> Ticket {
        self.at(self.now + pause, event)
    }

    /// Has something happen at another time, as if it had been called off and made anew. What has happened is made anew.
    pub fn again_at(&mut self, ticket: Option<Ticket>, time: Instant, event: impl FnOnce() -> E) -> Ticket {
        let Some(slot) = ticket.and_then(|ticket| self.slot_of(ticket)) else { return self.at(time, event()) };
        let (made, place) = (self.made, self.slots[slot].place);
        self.made += 1;
        self.slots[slot].made = made;
        self.heap[place] = Due { time: time.max(self.now), made, slot };
        self.settle(place);
        Ticket { made, slot }
    }

    /// Calls something off; what has happened does not matter.
    pub fn cancel(&mut self, ticket: Ticket) {
        if let Some(slot) = self.slot_of(ticket) {
            self.events[slot] = None;
            self.remove(self.slots[slot].place);
        }
    }

    /// Has what belongs to somebody happen that much later; tickets stay good.
    pub fn delay(&mut self, by: Duration, belongs: impl Fn(&E) -> bool) {
        for due in &mut self.heap {
            if self.events[due.slot].as_ref().is_some_and(&belongs) {
                due.time = due.time + by;
            }
        }
        (0..self.heap.len()).rev().for_each(|place| self.sink(place));
    }

    /// When the next thing happens.
    #[must_use]
    pub fn next_at(&self) -> Option<Instant> {
        self.heap.first().map(|due| due.time)
    }

    /// Goes on to the next thing.
    pub fn advance(&mut self) -> Option<E> {
        let Due { time, slot, .. } = *self.heap.first()?;
        self.now = time;
        let event = self.events[slot].take();
        self.remove(0);
        event
    }

    /// Lets time pass in which nothing happens.
    pub fn pass_to(&mut self, time: Instant) {
        let next = self.next_at().unwrap_or(time);
        self.now = self.now.max(time.min(next));
    }

    /// The slot of a ticket, unless it has happened or is called off.
    fn slot_of(&self, ticket: Ticket) -> Option<usize> {
        let is_it = self.slots.get(ticket.slot)?.made == ticket.made && self.events.get(ticket.slot)?.is_some();
        is_it.then_some(ticket.slot)
    }

    /// Takes an entry out of the heap whose slot is empty.
    fn remove(&mut self, place: usize) {
        self.free.push(self.heap.swap_remove(place).slot);
        if place < self.heap.len() {
            self.settle(place);
        }
    }

    /// An entry has come to a place where it may not belong.
    fn settle(&mut self, place: usize) {
        self.rise(place);
        self.sink(place);
    }

    /// Moves an entry up until the one above is before it.
    fn rise(&mut self, mut place: usize) {
        let due = self.heap[place];
        while place > 0 {
            let above = (place - 1) / 2;
            if self.heap[above].is_before(&due) {
                break;
            }
            self.put(place, self.heap[above]);
            place = above;
        }
        self.put(place, due);
    }

    /// Moves an entry down until both below are after it.
    fn sink(&mut self, mut place: usize) {
        let due = self.heap[place];
        loop {
            let mut below = 2 * place + 1;
            let Some(mut least) = self.heap.get(below).copied() else { break };
            if let Some(other) = self.heap.get(below + 1).filter(|other| other.is_before(&least)) {
                (below, least) = (below + 1, *other);
            }
            if due.is_before(&least) {
                break;
            }
            self.put(place, least);
            place = below;
        }
        self.put(place, due);
    }

    fn put(&mut self, place: usize, due: Due) {
        self.heap[place] = due;
        self.slots[due.slot].place = place;
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
    fn what_was_called_off_leaves_nothing_behind() {
        let mut clock = Clock::default();
        clock.after(Duration::from_secs(1), 'a');
        for _ in 0..100_000 {
            let ticket = clock.after(Duration::from_secs(2), 'x');
            clock.cancel(ticket);
            clock.cancel(ticket);
        }
        assert_eq!((clock.heap.len(), clock.slots.len()), (1, 2));
        let last = clock.after(Duration::from_secs(3), 'b');
        assert_eq!((clock.advance(), clock.advance(), clock.advance()), (Some('a'), Some('b'), None));
        clock.cancel(last);
        assert_eq!((clock.next_at(), clock.now()), (None, Instant(3_000_000_000)));
    }

    #[test]
    fn what_is_put_off_happens_then_and_after_what_was_made_before() {
        let mut clock = Clock::default();
        let [first, _, third] = ['a', 'b', 'c'].map(|event| clock.after(Duration::from_secs(1), event));
        let later = clock.again_at(Some(first), Instant(1_000_000_000), || 'x');
        clock.again_at(Some(third), Instant(2_000_000_000), || 'x');
        clock.cancel(first);
        assert_eq!((clock.advance(), clock.advance()), (Some('b'), Some('a')));
        assert_eq!((clock.advance(), clock.now()), (Some('c'), Instant(2_000_000_000)));
        clock.again_at(Some(later), Instant(9), || 'd');
        assert_eq!(
            (clock.advance(), clock.now()),
            (Some('d'), Instant(2_000_000_000)),
            "what has happened is made anew"
        );
    }

    #[test]
    fn of_many_things_each_happens_in_its_turn_whatever_is_called_off() {
        let mut rng = crate::rng::Rng::new(7);
        let (mut clock, mut due) = (Clock::default(), std::collections::BTreeMap::new());
        let mut last = (Instant::ZERO, 0);
        for n in 0..20_000_u64 {
            match rng.below(5) {
                0 | 1 => {
                    let time = Instant(clock.now().0 + rng.below(500));
                    due.insert((time, n), clock.at(time, n));
                }
                2 if !due.is_empty() => {
                    let which = *due.keys().nth(rng.below(due.len() as u64) as usize).expect("one");
                    clock.cancel(due.remove(&which).expect("it"));
                }
                3 => {
                    let expected = due.pop_first().map(|(key, _)| key);
                    assert_eq!(clock.next_at(), expected.map(|(time, _)| time));
                    assert_eq!(clock.advance().map(|n| (clock.now(), n)), expected);
                    last = expected.unwrap_or(last);
                }
                _ => clock.pass_to(Instant(clock.now().0 + rng.below(5))),
            }
        }
        assert!(last.1 > 10_000, "{last:?}");
    }

    #[test]
    fn what_is_late_happens_now() {
        let mut clock = Clock::default();
        clock.pass_to(Instant(5));
        clock.at(Instant(1), ());
        assert_eq!((clock.advance(), clock.now()), (Some(()), Instant(5)));
    }
}
