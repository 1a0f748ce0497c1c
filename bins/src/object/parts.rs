//! The parts of a volume: their names, and the row that they make.

/// A part: the bytes of the volume from `start` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    pub(super) start: u64,
    pub(super) len: u64,
}

/// Digits of a name.
const DIGITS: usize = 20;

impl Part {
    pub(super) const fn end(self) -> u64 {
        self.start.saturating_add(self.len)
    }

    /// From the name of an object; `None` if it is no part of a volume.
    pub(super) fn named(name: &str, len: u64) -> Option<Self> {
        let is_one = name.len() == DIGITS && name.bytes().all(|letter| letter.is_ascii_digit());
        let start = name.parse().ok().filter(|_| is_one)?;
        Some(Self { start, len })
    }
}

/// What the part at an address is called.
pub(super) fn name(start: u64) -> String {
    format!("{start:0DIGITS$}")
}

/// The parts of a volume, in order, and what is left over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// From the beginning on, each where the one before it ends.
    pub(super) parts: Vec<Part>,
    /// Behind the first gap.
    pub(super) strays: Vec<Part>,
}

impl Row {
    pub(super) fn of(mut parts: Vec<Part>) -> Self {
        parts.sort_unstable();
        let mut row = Self::default();
        for part in parts {
            if part.start == row.end() && part.len > 0 && row.strays.is_empty() {
                row.parts.push(part);
            } else {
                row.strays.push(part);
            }
        }
        row
    }

    /// Where the volume ends.
    pub(super) fn end(&self) -> u64 {
        self.parts.last().map_or(0, |part| part.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_address_and_nothing_else_is_a_part() {
        for start in [0, 64_512, u64::MAX] {
            assert_eq!(Part::named(&name(start), 7), Some(Part { start, len: 7 }));
        }
        for other in ["", "0", "0000000000000000000a", "99999999999999999999", "000000000000000000000", "job.bsr"] {
            assert_eq!(Part::named(other, 7), None, "{other}");
        }
    }

    #[test]
    fn a_row_breaks_off_at_its_first_gap() {
        let part = |start, len| Part { start, len };
        let row = Row::of(vec![part(30, 5), part(0, 10), part(10, 10), part(35, 5)]);
        assert_eq!((row.parts.len(), row.strays.len(), row.end()), (2, 2, 20));
        assert_eq!(Row::of(vec![part(1, 2)]).end(), 0);
        assert_eq!(Row::of(vec![part(0, 0), part(0, 5)]).strays.len(), 2, "a part of no bytes holds nothing");
    }
}
