//! LZ4 with a thorough search for matches: chains of positions with the same four bytes, and a look at the next position
//! before a match is taken.
//!
//! A block is a row of sequences: a byte with two lengths, literals, two bytes of distance. A match has four bytes at least
//! and begins 12 bytes before the end at the latest; the last 5 bytes are literals.

use super::out::{Out, common};

const SHORTEST: usize = 4;
const FARTHEST: usize = 65_535;
const LAST_MATCH: usize = 12;
const LAST_LITERALS: usize = 5;
const HASH_BITS: u32 = 15;
/// Positions of a chain that are looked at.
const TRIES: usize = 128;

/// Where four bytes were seen.
#[derive(Debug)]
pub(super) struct Chains {
    /// The last position and one more, by hash.
    heads: Box<[u32]>,
    /// How far before a position the one before it is; 0 if there is none.
    steps: Box<[u16]>,
    /// The first position that is not in the chains.
    next: usize,
}

impl Default for Chains {
    fn default() -> Self {
        Self { heads: vec![0; 1 << HASH_BITS].into(), steps: vec![0; FARTHEST + 1].into(), next: 0 }
    }
}

impl Chains {
    fn clear(&mut self) {
        self.heads.fill(0);
        self.next = 0;
    }

    /// Puts all positions before `at` in.
    fn catch_up(&mut self, plain: &[u8], at: usize) {
        while self.next < at {
            let place = self.next;
            self.next += 1;
            let Some(head) = self.head(plain, place) else { return };
            let before = std::mem::replace(head, u32::try_from(place + 1).unwrap_or(0));
            let step = (before as usize).checked_sub(1).map_or(0, |before| place - before);
            if let Some(slot) = self.steps.get_mut(place & FARTHEST) {
                *slot = u16::try_from(step).unwrap_or(0);
            }
        }
    }

    fn head(&mut self, plain: &[u8], at: usize) -> Option<&mut u32> {
        let four = plain.get(at..)?.first_chunk::<4>()?;
        let hash = u32::from_le_bytes(*four).wrapping_mul(0x9E37_79B1) >> (u32::BITS - HASH_BITS);
        self.heads.get_mut(hash as usize)
    }

    /// The longest match at `at` that is longer than `least`: its distance and its length.
    fn longest(&mut self, plain: &[u8], at: usize, least: usize) -> Option<(usize, usize)> {
        self.catch_up(plain, at);
        let most = plain.len().checked_sub(at + LAST_LITERALS)?;
        let mut candidate = (*self.head(plain, at)? as usize).checked_sub(1)?;
        let (mut best, mut length) = (None, least);
        for _ in 0..TRIES {
            let distance = at - candidate;
            if distance > FARTHEST {
                break;
            }
            // Only what is longer than the best so far is compared from its beginning.
            if plain.get(candidate + length) == plain.get(at + length) {
                let found = common(plain, candidate, at, most);
                if found > length {
                    (best, length) = (Some((distance, found)), found);
                    if found == most {
                        break;
                    }
                }
            }
            match self.steps.get(candidate & FARTHEST) {
                None | Some(0) => break,
                Some(step) => {
                    let Some(before) = candidate.checked_sub(usize::from(*step)) else { break };
                    candidate = before;
                }
            }
        }
        best
    }
}

/// Compresses a block. `None` if it does not fit into `out`.
pub(super) fn compress(plain: &[u8], out: &mut [u8], chains: &mut Chains) -> Option<usize> {
    chains.clear();
    let mut out = Out { bytes: out, at: 0 };
    let (mut at, mut literals) = (0, 0);
    while at + LAST_MATCH <= plain.len() {
        let Some((mut distance, mut length)) = chains.longest(plain, at, SHORTEST - 1) else {
            at += 1;
            continue;
        };
        while at + 1 + LAST_MATCH <= plain.len()
            && let Some(later) = chains.longest(plain, at + 1, length)
        {
            (distance, length) = later;
            at += 1;
        }
        out.sequence(plain.get(literals..at)?, Some((distance, length)))?;
        at += length;
        literals = at;
    }
    out.sequence(plain.get(literals..)?, None)?;
    Some(out.at)
}

impl Out<'_> {
    /// Puts what a length has beyond the 15 of its half byte.
    fn rest(&mut self, length: usize) -> Option<()> {
        let Some(mut rest) = length.checked_sub(15) else { return Some(()) };
        while rest >= 255 {
            self.put(&[255])?;
            rest -= 255;
        }
        self.put(&[rest as u8])
    }

    fn sequence(&mut self, literals: &[u8], matched: Option<(usize, usize)>) -> Option<()> {
        let length = matched.map_or(0, |(_, length)| length - SHORTEST);
        self.put(&[(literals.len().min(15) << 4 | length.min(15)) as u8])?;
        self.rest(literals.len())?;
        self.put(literals)?;
        let Some((distance, _)) = matched else { return Some(()) };
        self.put(&u16::try_from(distance).ok()?.to_le_bytes())?;
        self.rest(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(plain: &[u8]) -> Vec<u8> {
        let mut out = vec![0; plain.len() + plain.len() / 200 + 16];
        let n = compress(plain, &mut out, &mut Chains::default()).unwrap();
        out.truncate(n);
        out
    }

    #[test]
    fn any_lz4_reads_it_and_it_is_smaller_than_that_of_the_fast_search() {
        let text: Vec<u8> = (0..9_000_u32).flat_map(|n| format!("{} {:x}\n", n * 7, n % 100).into_bytes()).collect();
        for length in (0..40).chain([255, 300, 1000, 65_535, 65_536, 65_537, text.len()]) {
            let plain = &text[..length];
            let small = packed(plain);
            assert_eq!(lz4_flex::block::decompress(&small, length).unwrap(), plain, "{length}");
        }
        assert!(packed(&text).len() < lz4_flex::block::compress(&text).len());
    }

    #[test]
    fn matches_are_found_up_to_the_farthest_distance_and_no_farther() {
        for (distance, found) in [(FARTHEST, true), (FARTHEST + 1, false)] {
            let mut state = 7_u32;
            let mut plain: Vec<u8> = std::iter::repeat_with(|| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            })
            .take(distance + 100)
            .collect();
            plain.copy_within(..80, distance);
            let small = packed(&plain);
            assert_eq!(lz4_flex::block::decompress(&small, plain.len()).unwrap(), plain);
            // All of it as literals, and their length.
            let stored = plain.len() + plain.len() / 255;
            assert_eq!(small.len() + 50 < stored, found, "{distance}: {} of {stored}", small.len());
        }
    }
}
