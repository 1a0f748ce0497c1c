//! Tables whose rows are found at once: by numbers that are given out in their order, and by the ends of a connection.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use towline_core::socket::Ends;

use crate::host::HostId;

/// Rows by a host and the ends of a connection as it sees them. They are never gone through.
#[derive(Debug)]
pub(crate) struct ByEnds<T> {
    /// The host and both ends as one number: comparing addresses part by part is what finding takes longest for.
    v4: BTreeMap<u128, T>,
    others: BTreeMap<(HostId, SocketAddr, SocketAddr), T>,
}

impl<T> Default for ByEnds<T> {
    fn default() -> Self {
        Self { v4: BTreeMap::new(), others: BTreeMap::new() }
    }
}

impl<T: Copy> ByEnds<T> {
    pub(crate) fn get(&self, host: HostId, ends: Ends) -> Option<T> {
        match number(host, ends) {
            Some(number) => self.v4.get(&number).copied(),
            None => self.others.get(&(host, ends.local, ends.peer)).copied(),
        }
    }

    pub(crate) fn insert(&mut self, host: HostId, ends: Ends, row: T) {
        match number(host, ends) {
            Some(number) => self.v4.insert(number, row),
            None => self.others.insert((host, ends.local, ends.peer), row),
        };
    }

    pub(crate) fn remove(&mut self, host: HostId, ends: Ends) {
        match number(host, ends) {
            Some(number) => self.v4.remove(&number),
            None => self.others.remove(&(host, ends.local, ends.peer)),
        };
    }
}

fn number(host: HostId, ends: Ends) -> Option<u128> {
    let half = |end: SocketAddr| match end {
        SocketAddr::V4(end) => Some(u128::from(end.ip().to_bits()) << 16 | u128::from(end.port())),
        SocketAddr::V6(_) => None,
    };
    let host = u32::try_from(host.0).ok()?;
    Some(u128::from(host) << 96 | half(ends.local)? << 48 | half(ends.peer)?)
}

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
    fn each_host_finds_its_own_by_both_ends_in_both_families() {
        let four = |last, port| SocketAddr::from(([10, 0, 0, last], port));
        let six = |last, port| SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, last], port));
        let keys = [
            (HostId(0), Ends { local: four(1, 1), peer: four(2, 2) }),
            (HostId(0), Ends { local: four(2, 2), peer: four(1, 1) }),
            (HostId(1), Ends { local: four(1, 1), peer: four(2, 2) }),
            (HostId(0), Ends { local: four(1, 65_535), peer: four(2, 2) }),
            (HostId(0), Ends { local: six(1, 1), peer: six(2, 2) }),
            (HostId(1), Ends { local: six(1, 1), peer: six(2, 2) }),
            (HostId(usize::MAX), Ends { local: four(1, 1), peer: four(2, 2) }),
        ];
        let mut table = ByEnds::default();
        for (n, (host, ends)) in keys.into_iter().enumerate() {
            assert_eq!(table.get(host, ends), None);
            table.insert(host, ends, n);
        }
        for (n, (host, ends)) in keys.into_iter().enumerate() {
            assert_eq!(table.get(host, ends), Some(n));
            table.remove(host, ends);
            assert_eq!(table.get(host, ends), None);
        }
    }

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
