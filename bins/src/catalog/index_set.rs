//! A set of FileIndexes that stays small for millions of them: bits in chunks.

use std::collections::BTreeMap;
use towline_core::catalog::IndexRange;

const WORDS: usize = 512;
const CHUNK: u32 = WORDS as u32 * u64::BITS;

/// FileIndexes in any order, given back as ascending ranges. One chunk takes 4 KiB and holds 32,768 neighbours.
#[derive(Default)]
pub(crate) struct IndexSet {
    chunks: BTreeMap<u32, Box<[u64; WORDS]>>,
}

impl IndexSet {
    /// Adds an index.
    pub(crate) fn insert(&mut self, index: u32) {
        let chunk = self.chunks.entry(index / CHUNK).or_insert_with(|| Box::new([0; WORDS]));
        let bit = index % CHUNK;
        if let Some(word) = chunk.get_mut((bit / u64::BITS) as usize) {
            *word |= 1 << (bit % u64::BITS);
        }
    }

    /// All runs of indexes, ascending.
    pub(crate) fn ranges(&self) -> Vec<IndexRange> {
        let mut ranges: Vec<IndexRange> = Vec::new();
        for (number, chunk) in &self.chunks {
            for (place, &word) in (0u32..).zip(chunk.iter()) {
                let mut rest = word;
                while rest != 0 {
                    let index = number * CHUNK + place * u64::BITS + rest.trailing_zeros();
                    rest &= rest - 1;
                    match ranges.last_mut() {
                        Some(last) if last.last + 1 == index => last.last = index,
                        _ => ranges.push(IndexRange { first: index, last: index }),
                    }
                }
            }
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_join_across_words_and_chunks_in_any_order() {
        let mut set = IndexSet::default();
        for index in (1..=CHUNK + 10).rev().chain([i32::MAX as u32, CHUNK + 12, 5]) {
            set.insert(index);
        }
        let top = i32::MAX as u32;
        let expected = [(1, CHUNK + 10), (CHUNK + 12, CHUNK + 12), (top, top)];
        assert_eq!(set.ranges(), expected.map(|(first, last)| IndexRange { first, last }));
    }

    #[test]
    fn an_empty_set_has_no_ranges() {
        assert_eq!(IndexSet::default().ranges(), []);
    }
}
