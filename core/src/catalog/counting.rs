//! Counters: what comes after a number.

/// A counter and the number that is used next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CounterRow {
    /// Its name.
    pub name: String,
    /// The number that it begins with.
    pub minimum: u32,
    /// The highest number that it has.
    pub maximum: u32,
    /// The number that is used next.
    pub current: u32,
    /// The counter that goes on when this one begins again; empty: none.
    pub wraps_into: String,
}

/// Counters that go on one after the other when each of them begins again, at the most: a circle ends there.
pub const MAX_WRAPS: usize = 16;

impl CounterRow {
    /// Goes on by one. Whether it has begun again.
    #[must_use = "another counter may go on then"]
    pub const fn go_on(&mut self) -> bool {
        let has_room = self.current >= self.minimum && self.current < self.maximum;
        self.current = if has_room { self.current + 1 } else { self.minimum };
        !has_room
    }
}

/// Takes numbers from counters, one after the other: those that go on do so. `find` and `store` look at the rows there are.
/// `None` where there is no counter of a name.
///
/// # Errors
/// What those return.
pub fn take<S, E>(
    with: &mut S,
    wanted: &[(String, bool)],
    find: impl Fn(&mut S, &str) -> Result<Option<CounterRow>, E>,
    store: impl Fn(&mut S, &CounterRow) -> Result<(), E>,
) -> Result<Vec<Option<u32>>, E> {
    let mut taken = Vec::new();
    for (name, goes_on) in wanted {
        let mut row = find(with, name)?;
        taken.push(row.as_ref().map(|row| row.current));
        for _ in 0..MAX_WRAPS {
            let Some(counter) = row.as_mut().filter(|_| *goes_on) else { break };
            let has_wrapped = counter.go_on();
            store(with, counter)?;
            let next = std::mem::take(&mut counter.wraps_into);
            row = if has_wrapped && !next.is_empty() { find(with, &next)? } else { None };
        }
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use super::*;

    fn row(name: &str, range: (u32, u32), current: u32, wraps_into: &str) -> CounterRow {
        let (minimum, maximum) = range;
        CounterRow { name: name.to_owned(), minimum, maximum, current, wraps_into: wraps_into.to_owned() }
    }

    #[test]
    fn a_counter_goes_on_and_the_next_one_when_it_begins_again() {
        let rows = [row("a", (1, 2), 1, "b"), row("b", (0, 9), 9, "c"), row("c", (5, 5), 5, "a")];
        let mut rows: BTreeMap<String, CounterRow> = rows.into_iter().map(|row| (row.name.clone(), row)).collect();
        let mut take = |name: &str, goes_on: bool| {
            let taken = take(
                &mut rows,
                &[(name.to_owned(), goes_on)],
                |rows, name| Ok::<_, Infallible>(rows.get(name).cloned()),
                |rows, row| {
                    rows.insert(row.name.clone(), row.clone());
                    Ok(())
                },
            );
            (taken.unwrap(), rows.values().map(|row| row.current).collect::<Vec<_>>())
        };
        assert_eq!(take("a", false), (vec![Some(1)], vec![1, 9, 5]));
        assert_eq!(take("a", true), (vec![Some(1)], vec![2, 9, 5]));
        // The last one is in a circle with the first: it begins again at once.
        assert_eq!(take("a", true), (vec![Some(2)], vec![2, 0, 5]));
        assert_eq!(take("none", true), (vec![None], vec![2, 0, 5]));
    }

    #[test]
    fn a_number_outside_its_range_begins_again() {
        for current in [0, 3, 100] {
            let mut counter = row("a", (1, 3), current, "");
            assert!(counter.go_on());
            assert_eq!(counter.current, 1);
        }
    }

    #[test]
    fn a_circle_of_counters_that_always_begin_again_ends() {
        let one = row("a", (1, 1), 1, "a");
        let taken =
            take(&mut (), &[("a".to_owned(), true)], |_, _| Ok::<_, Infallible>(Some(one.clone())), |_, _| Ok(()));
        assert_eq!(taken.unwrap(), [Some(1)]);
    }
}
