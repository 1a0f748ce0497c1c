//! What the searches for FastLZ and LZ4 have in common: the block they write, and how they measure a match.

/// Where a block is written, and how far it is.
pub(super) struct Out<'a> {
    pub(super) bytes: &'a mut [u8],
    pub(super) at: usize,
}

impl Out<'_> {
    /// Writes these; `None` if there is no room.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Option<()> {
        self.bytes.get_mut(self.at..self.at + bytes.len())?.copy_from_slice(bytes);
        self.at += bytes.len();
        Some(())
    }
}

/// How many bytes from `at` on are those from `before` on, `most` at the most.
pub(super) fn common(plain: &[u8], before: usize, at: usize, most: usize) -> usize {
    let (Some(one), Some(two)) = (plain.get(before..), plain.get(at..)) else { return 0 };
    let most = most.min(two.len());
    let eights = one.chunks_exact(8).zip(two.chunks_exact(8)).take(most / 8).take_while(|(a, b)| a == b).count() * 8;
    let rest = one.iter().zip(two).take(most).skip(eights);
    eights + rest.take_while(|(a, b)| a == b).count()
}
