//! Parcels: what goes between machines and workers. The unit is a batch, so that a hop is paid per batch, never per frame.

pub use crate::limits::PARCEL;

/// A pooled buffer with whole frames or records, normally at most [`size`](Self::size) bytes. It takes memory as it fills.
///
/// A single frame that is longer, such as the extended attributes of one file, gets a longer parcel of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct Parcel {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Frames or records in it; 0 also when it was cut from a stream anywhere.
    pub frames: u32,
    /// Files that begin in it, if whoever filled it counts them.
    pub files: u32,
    /// Bytes that it is meant for.
    pub size: usize,
}

impl Default for Parcel {
    fn default() -> Self {
        Self { bytes: Vec::new(), frames: 0, files: 0, size: PARCEL }
    }
}

impl Parcel {
    /// An empty parcel of the usual size.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty parcel of another size.
    #[must_use]
    pub fn of(size: usize) -> Self {
        Self { size, ..Self::default() }
    }

    /// Empties it and keeps its memory; that of an overlong one is given back.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(self.size);
        self.frames = 0;
        self.files = 0;
    }

    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Bytes that still fit without growing.
    #[must_use]
    pub const fn room(&self) -> usize {
        self.size.saturating_sub(self.bytes.len())
    }
}

impl std::fmt::Debug for Parcel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parcel").field("bytes", &self.bytes.len()).field("frames", &self.frames).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parcel_has_room_for_256_kib_and_not_for_one_byte_more() {
        let mut parcel = Parcel::new();
        parcel.bytes.resize(PARCEL - 1, 1);
        assert_eq!((PARCEL, parcel.room()), (262_144, 1));
        parcel.bytes.push(1);
        assert_eq!(parcel.room(), 0);
        parcel.bytes.push(1);
        assert_eq!(parcel.room(), 0);
    }

    #[test]
    fn a_parcel_of_another_size_has_that_room_and_keeps_it() {
        let mut parcel = Parcel::of(1_000);
        assert_eq!((parcel.room(), parcel.bytes.capacity()), (1_000, 0));
        parcel.bytes.resize(5_000, 1);
        parcel.clear();
        assert_eq!((parcel.room(), parcel.bytes.capacity()), (1_000, 1_000));
    }

    #[test]
    fn a_cleared_parcel_keeps_its_memory_but_not_that_of_an_overlong_frame() {
        let mut parcel = Parcel::new();
        assert_eq!(parcel.room(), PARCEL);
        parcel.bytes.resize(PARCEL, 1);
        parcel.clear();
        assert_eq!((parcel.bytes.capacity(), parcel.frames), (PARCEL, 0));
        parcel.bytes.resize(4 * PARCEL, 1);
        assert_eq!(parcel.room(), 0);
        parcel.clear();
        assert_eq!(parcel.bytes.capacity(), PARCEL);
    }
}
