//! A linear byte buffer: filled at the end, consumed at the front, never zero-filled twice.

mod headway;

pub(crate) use headway::Headway;

/// Bytes between an adapter and a machine. The storage is initialised once; `space` and `filled` are
/// plain slices, so a read goes straight in and a parser borrows straight out.
#[derive(Debug, Default)]
pub struct Buf {
    store: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buf {
    /// An empty buffer of `capacity` bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { store: vec![0; capacity], start: 0, end: 0 }
    }

    /// Bytes that were committed and not consumed yet.
    #[must_use]
    pub fn filled(&self) -> &[u8] {
        &self.store[self.start..self.end]
    }

    /// The same, to decrypt in place.
    pub fn filled_mut(&mut self) -> &mut [u8] {
        &mut self.store[self.start..self.end]
    }

    /// Number of bytes in [`filled`](Self::filled).
    #[must_use]
    pub const fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether nothing is filled.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// The size of the storage in bytes.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.store.len()
    }

    /// Room after the filled bytes. Moves them to the front when less than a quarter of the storage is left after them.
    pub fn space(&mut self) -> &mut [u8] {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        } else if self.start > 0 && self.store.len() - self.end < self.store.len() / 4 {
            self.store.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        &mut self.store[self.end..]
    }

    /// Says that `n` bytes of [`space`](Self::space) were filled.
    pub fn commit(&mut self, n: usize) {
        debug_assert!(n <= self.store.len() - self.end);
        self.end = (self.end + n).min(self.store.len());
    }

    /// Drops `n` bytes from the front.
    pub fn consume(&mut self, n: usize) {
        debug_assert!(n <= self.len());
        self.start = (self.start + n).min(self.end);
    }

    /// Appends `bytes`, growing the storage if they do not fit.
    pub fn extend(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.store[self.end..self.end + bytes.len()].copy_from_slice(bytes);
        self.end += bytes.len();
    }

    /// Makes room for `more` bytes after the filled ones.
    pub fn reserve(&mut self, more: usize) {
        if self.store.len() - self.end >= more {
            return;
        }
        if self.start > 0 {
            self.store.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.store.len() - self.end < more {
            self.store.resize(self.end + more, 0);
        }
    }

    /// Sets the size of the storage, never below what is filled.
    pub fn resize(&mut self, capacity: usize) {
        self.store.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let size = capacity.max(self.end);
        if size < self.store.len() {
            self.store.truncate(size);
            self.store.shrink_to_fit();
        } else {
            self.store.resize(size, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_out_in_the_order_they_went_in() {
        let mut buf = Buf::with_capacity(8);
        buf.extend(b"abcdef");
        buf.consume(4);
        assert_eq!(buf.filled(), b"ef");
        let space = buf.space();
        assert_eq!(space.len(), 2);
        space[..2].copy_from_slice(b"gh");
        buf.commit(2);
        assert_eq!(buf.filled(), b"efgh");
        buf.extend(b"ijklmnop");
        assert_eq!(buf.filled(), b"efghijklmnop");
    }

    #[test]
    fn space_moves_the_rest_to_the_front_when_the_tail_is_short() {
        let mut buf = Buf::with_capacity(16);
        buf.extend(&[1; 14]);
        buf.consume(13);
        assert_eq!(buf.space().len(), 15);
        assert_eq!(buf.filled(), [1]);
    }

    #[test]
    fn resize_keeps_what_is_filled() {
        let mut buf = Buf::with_capacity(64);
        buf.extend(b"hello");
        buf.consume(1);
        buf.resize(2);
        assert_eq!(buf.filled(), b"ello");
        assert_eq!(buf.capacity(), 4);
    }
}
