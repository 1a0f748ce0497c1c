//! Data of a file that are compressed before they are packed (wire/2 §2.10).
//!
//! A record is made in a buffer of its own, for nobody knows before how long it will be; then it is packed, into the next
//! parcel if this one has no room for it.

use towline_core::bulk::pack::{PackError, Packer};
use towline_core::wire::fileset::Compression;

use super::Work;
use super::hold::{Held, fill};
use super::item::{GREW, Item};
use crate::disk::compression::CHUNK;
use crate::disk::notice::{Notice, NoticeKind};

impl Item {
    /// Packs the record that is made, if there is one.
    pub(super) fn pack_pending(&mut self, packer: &mut Packer, work: &Work) -> Result<(), PackError> {
        let Some(plain) = self.pending else { return Ok(()) };
        let record = work.compressor.record();
        let space = packer.data_space_of(record.len(), record.len()).ok_or(PackError::Full)?;
        space.copy_from_slice(record);
        packer.data_commit(record.len(), plain);
        self.pending = None;
        Ok(())
    }

    /// Makes a record of so many bytes of the compressor's room. `false` if it cannot be made.
    pub(super) fn make_record(
        &mut self,
        how: Compression,
        length: usize,
        offset: Option<u64>,
        packer: &mut Packer,
        work: &mut Work,
    ) -> bool {
        let is_made = work.compressor.compress(how, length, offset).is_some();
        if is_made {
            self.pending = Some(length as u64);
        } else {
            work.note(Notice::new(NoticeKind::NotSaved, self.path(), "could not be compressed"));
            self.drop_contents(packer, work);
        }
        is_made
    }

    /// Reads the next bytes and makes a record of them. `false` at the end of the file or after an error.
    pub(super) fn read_compressed(
        &mut self,
        how: Compression,
        packer: &mut Packer,
        work: &mut Work,
    ) -> Result<bool, PackError> {
        if work.budget == 0 {
            return Err(PackError::Full);
        }
        let Held::Open(fd) = &self.held else { return Ok(false) };
        let left = usize::try_from(self.meta.size.saturating_sub(self.position)).unwrap_or(usize::MAX);
        // One byte more than is left shows growth.
        let wanted = if left < CHUNK { left + 1 } else { CHUNK };
        let room = work.compressor.room(wanted);
        let (got, outcome) = fill(fd, room, self.position);
        let taken = got.min(left);
        let block = room.get(..taken).unwrap_or_default();
        if taken > 0 {
            if let Some(hasher) = &mut work.hasher {
                hasher.update(block);
            }
            if !self.make_record(how, taken, None, packer, work) {
                return Ok(false);
            }
        }
        work.budget = work.budget.saturating_sub(taken);
        self.position += taken as u64;
        // The end of the file where it should be is no shrinking.
        let outcome = if taken == left { Ok(taken) } else { outcome };
        let more = self.taken(outcome, packer, work);
        if got > taken {
            self.remark(work, GREW);
        }
        Ok(more)
    }
}
