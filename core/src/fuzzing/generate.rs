//! Inputs: valid samples, changed at random but always in the same way for the same seed.

/// Numbers that sit at the edge of something.
const EDGES: [u32; 14] = [0, 1, 3, 4, 63, 64, 65, 128, 255, 65_535, 999_996, 1_000_001, 0x7FFF_FFFF, 0xFFFF_FFFF];

/// The same as text.
const WORDS: [&[u8]; 14] = [
    b"0",
    b"-1",
    b"1",
    b"2147483647",
    b"2147483648",
    b"-2147483648",
    b"4294967296",
    b"18446744073709551615",
    b"99999999999999999999999",
    b" ",
    b"\n",
    b"\0",
    b"\xff\xfe",
    b"=",
];

/// Random numbers from a seed: a small generator that is fast enough to stand beside a parser.
#[derive(Clone, Debug)]
pub struct Steer(u64);

impl Steer {
    /// Numbers that follow from this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The steering bytes at the front of an input, and what is after them.
    #[must_use]
    pub fn of(bytes: &[u8]) -> (Self, &[u8]) {
        match bytes.split_first_chunk::<8>() {
            Some((seed, rest)) => (Self(u64::from_le_bytes(*seed)), rest),
            None => (Self(bytes.len() as u64), &[]),
        }
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which must not be 0.
    pub const fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// True once in `n`.
    pub const fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// The length of the next segment, at least 1: mostly short, sometimes long.
    pub const fn segment(&mut self) -> usize {
        let most = match self.below(4) {
            0 => 4,
            1 => 70,
            2 => 1_500,
            _ => 70_000,
        };
        1 + self.below(most)
    }
}

/// Makes inputs of one target.
#[derive(Debug)]
pub struct Generator {
    samples: Vec<Vec<u8>>,
    steer: Steer,
    longest: usize,
    made: Vec<u8>,
}

impl Generator {
    /// Inputs of at most `longest` bytes that resemble these samples.
    #[must_use]
    pub fn new(samples: Vec<Vec<u8>>, seed: u64, longest: usize) -> Self {
        Self { samples, steer: Steer::new(seed), longest, made: Vec::new() }
    }

    /// The next input.
    pub fn make(&mut self) -> &[u8] {
        let mut made = std::mem::take(&mut self.made);
        made.clear();
        if !self.samples.is_empty() && !self.steer.once_in(32) {
            let at = self.steer.below(self.samples.len());
            made.extend_from_slice(&self.samples[at]);
        } else {
            let len = self.steer.below(64);
            made.extend((0..len).map(|_| self.steer.next() as u8));
        }
        let changes = self.steer.below(6);
        for _ in 0..changes {
            self.change(&mut made);
        }
        made.truncate(self.longest);
        self.made = made;
        &self.made
    }

    fn change(&mut self, made: &mut Vec<u8>) {
        let at = self.steer.below(made.len() + 1);
        let span = self.steer.below(made.len() - at + 1);
        let span = if self.steer.once_in(3) { span } else { span.min(1 + self.steer.below(8)) };
        match self.steer.below(10) {
            0 => {
                if let Some(byte) = made.get_mut(at) {
                    *byte ^= 1 << self.steer.below(8);
                }
            }
            1 => {
                if let Some(byte) = made.get_mut(at) {
                    *byte = self.steer.next() as u8;
                }
            }
            2 => made.insert(at, self.steer.next() as u8),
            3 => drop(made.drain(at..at + span)),
            4 if made.len() < self.longest => {
                let copy = made[at..at + span].to_vec();
                made.splice(at..at, copy);
            }
            5 => {
                let number = EDGES[self.steer.below(EDGES.len())].to_be_bytes();
                for (place, byte) in made[at..].iter_mut().zip(number) {
                    *place = byte;
                }
            }
            6 => {
                let word = WORDS[self.steer.below(WORDS.len())];
                let end = (at + span).min(at + word.len());
                made.splice(at..end, word.iter().copied());
            }
            7 if !self.samples.is_empty() => {
                let other = &self.samples[self.steer.below(self.samples.len())];
                let from = self.steer.below(other.len() + 1);
                made.truncate(at);
                made.extend_from_slice(&other[from..]);
            }
            8 => {
                // A number in the text becomes another one.
                let digits = made[at..].iter().position(u8::is_ascii_digit).map(|ahead| at + ahead);
                if let Some(begin) = digits {
                    let len = made[begin..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                    let word = WORDS[self.steer.below(9)];
                    made.splice(begin..begin + len, word.iter().copied());
                }
            }
            _ => made.truncate(at),
        }
    }
}
