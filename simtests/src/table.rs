//! A table by numbers that are given out in their order: a row is found at once, and rows are gone through in that order.

use std::collections::VecDeque;

/// The rows from the oldest that is still there.
#[derive(Debug)]
pub(crate) struct Table<T> {
    first: u64,
    rows: VecDeque<Option<Box<T>>>,
    held: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { first: 0, rows: VecDeque::new(), held: 0 }
    }
}

impl<T> Table<T> {
    /// The row of a number.
    pub(crate) fn get(&self, number: u64) -> Option<&T> {
        self.rows.get(self.place(number)?)?.as_deref()
    }

    /// The row of a number, to be changed.
    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        let place = self.place(number)?;
        self.rows.get_mut(place)?.as_deref_mut()
    }

    /// Adds a row.
    pub(crate) fn insert(&mut self, number: u64, row: T) {
        if self.held == 0 {
            self.rows.clear();
            self.first = number;
        }
        while number < self.first {
            self.rows.push_front(None);
            self.first -= 1;
        }
        let Some(place) = self.place(number) else { return };
        if self.rows.len() <= place {
            self.rows.resize_with(place + 1, || None);
        }
        self.held += usize::from(self.rows[place].is_none());
        self.rows[place] = Some(Box::new(row));
    }

    /// Takes a row out.
    pub(crate) fn remove(&mut self, number: u64) -> Option<Box<T>> {
        let place = self.place(number)?;
        let row = self.rows.get_mut(place)?.take()?;
        self.held -= 1;
        while self.rows.front().is_some_and(Option::is_none) {
            self.rows.pop_front();
            self.first += 1;
        }
        Some(row)
    }

    /// All rows with their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        (self.first..).zip(&self.rows).filter_map(|(number, row)| Some((number, row.as_deref()?)))
    }

    /// How many rows there are.
    #[cfg(feature = "suite")]
    pub(crate) const fn len(&self) -> usize {
        self.held
    }

    fn place(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.first)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_their_numbers_and_what_is_gone_takes_no_room() {
        let mut table = Table::default();
        for number in 5..1_000 {
            table.insert(number, number * 10);
            if number > 6 {
                assert_eq!(table.remove(number - 1), Some(Box::new((number - 1) * 10)));
            }
        }
        let all: Vec<(u64, u64)> = table.iter().map(|(number, row)| (number, *row)).collect();
        assert_eq!(all, [(5, 50), (999, 9_990)]);
        assert_eq!((table.get(5), table.get(4), table.get(6), table.get(5_000)), (Some(&50), None, None, None));
        assert_eq!(table.remove(5), Some(Box::new(50)));
        assert_eq!((table.rows.len(), table.remove(5)), (1, None));
        *table.get_mut(999).expect("it is there") += 1;
        assert_eq!(table.remove(999), Some(Box::new(9_991)));
        table.insert(2_000, 1);
        table.insert(1_998, 2);
        assert_eq!((table.rows.len(), table.iter().count()), (3, 2));
        assert_eq!(table.get(1_998), Some(&2), "a row may come late");
    }
}
