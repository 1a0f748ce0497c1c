//! Data of a sparse file: blocks without those of zeros, each packed as pieces with their place (wire/2 §2.9).

use towline_core::bulk::pack::{PackError, Packer};

use super::Work;
use super::hold::{Held, SPARSE_BLOCK, SPARSE_PIECE, behind_hole, fill, leaves_out};
use super::item::Item;
use crate::disk::compression::compressor::OFFSET;

/// A block that was read, and how far it is packed.
#[derive(Debug, Default)]
pub(super) struct Block {
    bytes: Vec<u8>,
    filled: usize,
    sent: usize,
    position: u64,
}

impl Block {
    /// Whether nothing of it is left to be packed.
    pub(super) const fn is_sent(&self) -> bool {
        self.sent >= self.filled
    }

    /// Forgets it.
    pub(super) const fn clear(&mut self) {
        (self.filled, self.sent) = (0, 0);
    }
}

impl Item {
    /// Reads one block, and leaves it out if it is all zeros. `false` at the end of the file or after an error.
    pub(super) fn read_sparse(&mut self, packer: &mut Packer, work: &mut Work) -> bool {
        let Held::Open(fd) = &self.held else { return false };
        let size = self.meta.size;
        if self.meta.blocks.saturating_mul(512) < size {
            self.position = behind_hole(fd, self.position, size);
        }
        let left = usize::try_from(size.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let block = &mut work.block;
        block.bytes.resize(SPARSE_BLOCK, 0);
        let room = block.bytes.get_mut(..left.min(SPARSE_BLOCK)).unwrap_or_default();
        let (filled, outcome) = fill(fd, room, self.position);
        let bytes = room.get(..filled).unwrap_or_default();
        let end = self.position + filled as u64;
        (block.filled, block.sent, block.position) = (filled, 0, self.position);
        if leaves_out(filled, end, size) && bytes.iter().all(|byte| *byte == 0) {
            block.sent = filled;
        } else if let Some(hasher) = &mut work.hasher {
            hasher.update(bytes);
        }
        self.position = end;
        // The end of the file where it should be is no shrinking.
        let outcome = if filled == left { Ok(filled) } else { outcome };
        self.taken(outcome, packer, work)
    }

    /// Packs a piece of the block that was read, or makes a compressed record of it. `false` if none is left.
    pub(super) fn pack_piece(&mut self, packer: &mut Packer, work: &mut Work) -> Result<bool, PackError> {
        if work.block.is_sent() {
            return Ok(false);
        }
        if self.compression.is_some() && work.budget == 0 {
            return Err(PackError::Full);
        }
        let block = &mut work.block;
        let length = (block.filled - block.sent).min(SPARSE_PIECE);
        let piece = block.bytes.get(block.sent..block.sent + length).unwrap_or_default();
        let offset = block.position + block.sent as u64;
        match self.compression {
            None => {
                let wanted = OFFSET + length;
                let space = packer.data_space_of(wanted, wanted).ok_or(PackError::Full)?;
                let (place, rest) = space.split_at_mut(OFFSET);
                place.copy_from_slice(&offset.to_be_bytes());
                rest.copy_from_slice(piece);
                packer.data_commit(wanted, length as u64);
                block.sent += length;
            }
            Some(how) => {
                work.compressor.room(length).copy_from_slice(piece);
                block.sent += length;
                work.budget = work.budget.saturating_sub(length);
                self.make_record(how, length, Some(offset), packer, work);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_full_blocks_before_the_last_are_left_out() {
        let block = SPARSE_BLOCK as u64;
        for (filled, end, size, expected) in [
            (SPARSE_BLOCK, block, 3 * block, true),
            (SPARSE_BLOCK, 3 * block, 3 * block, false),
            (SPARSE_BLOCK, block, 2 * block, false),
            (SPARSE_BLOCK, block, block + 1, true),
            (SPARSE_BLOCK - 1, block - 1, 3 * block, false),
        ] {
            assert_eq!(leaves_out(filled, end, size), expected, "{end} of {size}");
        }
    }
}
