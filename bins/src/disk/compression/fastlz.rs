//! FastLZ: literals and matches in a stream of bytes, without a length of its own.
//!
//! The first three bits of the first byte are the level less 1. `000LLLLL` is followed by `L + 1` literals; `MMMDDDDD` and
//! the next byte are a match of `M + 2` bytes, at a distance of `D + 1`; with `M` of 7 a byte between the two adds to the
//! length. Level 2 lets that byte go on while it is 255, and adds two bytes to the largest distance.

use super::out::{Out, common};

const LITERALS: usize = 32;
const SHORTEST: usize = 3;
const LONGEST: usize = 264;
const FARTHEST: usize = 8192;
const HASH_BITS: u32 = 13;

/// Where three bytes were seen last.
#[derive(Debug)]
pub(super) struct Table(Box<[u32]>);

impl Default for Table {
    fn default() -> Self {
        Self(vec![0; 1 << HASH_BITS].into())
    }
}

impl Table {
    /// Puts a position in, and returns the one before.
    fn swap(&mut self, three: [u8; 3], at: usize) -> Option<usize> {
        let [a, b, c] = three;
        let hash = u32::from_le_bytes([a, b, c, 0]).wrapping_mul(0x9E37_79B1) >> (u32::BITS - HASH_BITS);
        let slot = self.0.get_mut(hash as usize)?;
        let before = std::mem::replace(slot, u32::try_from(at + 1).unwrap_or(0));
        (before as usize).checked_sub(1)
    }
}

/// Compresses with level 1. `None` if it does not fit into `out`.
pub(super) fn compress(plain: &[u8], out: &mut [u8], table: &mut Table) -> Option<usize> {
    table.0.fill(0);
    let mut out = Out { bytes: out, at: 0 };
    let (mut at, mut literals) = (0, 0);
    while let Some(three) = plain.get(at..).and_then(|rest| rest.first_chunk::<3>()) {
        let found = table.swap(*three, at).filter(|before| at - before <= FARTHEST);
        let length = found.map_or(0, |before| common(plain, before, at, LONGEST));
        let Some(before) = found.filter(|_| length >= SHORTEST) else {
            // What does not compress is passed over faster and faster.
            at += 1 + ((at - literals) >> 6);
            continue;
        };
        out.literals(plain.get(literals..at)?)?;
        let distance = at - before - 1;
        let (high, low) = ((distance >> 8) as u8, (distance & 0xff) as u8);
        if length < 9 {
            out.put(&[((length - 2) << 5) as u8 | high, low])?;
        } else {
            out.put(&[7 << 5 | high, (length - 9) as u8, low])?;
        }
        at += length;
        literals = at;
    }
    out.literals(plain.get(literals..)?)?;
    Some(out.at)
}

impl Out<'_> {
    fn literals(&mut self, bytes: &[u8]) -> Option<()> {
        for run in bytes.chunks(LITERALS) {
            self.put(&[(run.len() - 1) as u8])?;
            self.put(run)?;
        }
        Some(())
    }
}

/// Makes a block of either level plain. `None` if it is no such block, or longer than `out`.
pub(super) fn decompress(packed: &[u8], out: &mut [u8]) -> Option<usize> {
    let mut rest = packed.iter();
    let first = *rest.next()?;
    let is_second = match first >> 5 {
        0 => false,
        1 => true,
        _ => return None,
    };
    let (mut head, mut at) = (first & 31, 0);
    loop {
        let (kind, five) = (usize::from(head >> 5), usize::from(head & 31));
        if kind == 0 {
            let (run, after) = rest.as_slice().split_at_checked(five + 1)?;
            out.get_mut(at..at + run.len())?.copy_from_slice(run);
            at += run.len();
            rest = after.iter();
        } else {
            let mut length = kind + 2;
            if kind == 7 {
                loop {
                    let more = *rest.next()?;
                    length += usize::from(more);
                    if !is_second || more != 255 {
                        break;
                    }
                }
            }
            let low = *rest.next()?;
            let mut distance = (five << 8) + usize::from(low) + 1;
            if is_second && five == 31 && low == 255 {
                distance = FARTHEST + (usize::from(*rest.next()?) << 8) + usize::from(*rest.next()?);
            }
            repeat(out, at, distance, length)?;
            at += length;
        }
        let Some(next) = rest.next() else { return Some(at) };
        head = *next;
    }
}

/// Writes `length` bytes at `at` as they stand `distance` bytes before, one after the other: they may overlap.
fn repeat(out: &mut [u8], at: usize, distance: usize, length: usize) -> Option<()> {
    let from = at.checked_sub(distance)?;
    out.get(at..at.checked_add(length)?)?;
    let mut done = 0;
    while done < length {
        // What has been written so far repeats itself.
        let part = (distance + done).min(length - done);
        out.copy_within(from..from + part, at + done);
        done += part;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_as_the_format_describes_them_are_made_plain() {
        let mut out = [0; 64];
        // Three literals and a match of 9 + 2 bytes over them.
        assert_eq!(decompress(b"\x02abc\xe0\x02\x02", &mut out), Some(14));
        assert_eq!(&out[..14], b"abcabcabcabcab");
        // Level 2, with a length that goes on.
        let mut long = [0; 600];
        assert_eq!(decompress(b"\x20a\xe0\xff\x05\x00", &mut long), Some(1 + 9 + 255 + 5));
        assert!(long[..270].iter().all(|byte| *byte == b'a'));
        // Level 2, with two bytes more of distance.
        let mut far = vec![0; 9_000];
        let mut packed = vec![0x20, b'x'];
        packed.extend([0xe0, 0xff].into_iter().chain([0xff; 34]).chain([0x00, 0x00]));
        let length = decompress(&packed, &mut far).unwrap();
        packed.extend([0x3f, 0xff, 0x00, 0x01]);
        assert_eq!(decompress(&packed, &mut far), Some(length + 3), "{length}");
    }

    #[test]
    fn what_is_no_block_or_does_not_fit_is_refused() {
        let mut out = [0; 16];
        for packed in
            [&b""[..], b"\x40a", b"\x05abc", b"\x00a\x20", b"\x00a\xe0\x01", b"\x00a\x20\x01", b"\x00a\xe0\xff\x00"]
        {
            assert_eq!(decompress(packed, &mut out), None, "{packed:?}");
        }
        assert_eq!(compress(b"abcdefgh", &mut out[..8], &mut Table::default()), None);
        assert_eq!(compress(b"abcdefgh", &mut out[..9], &mut Table::default()), Some(9));
    }
}
