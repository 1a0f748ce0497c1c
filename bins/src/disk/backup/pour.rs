//! Bytes of which nobody knows how many they are, such as what a command writes, into the data of an entry.

use towline_core::bulk::pack::{PackError, Packer};
use towline_core::wire::fileset::Compression;

use super::Work;
use crate::disk::compression::CHUNK;
use crate::process::Broken;

/// Bytes that are read at a time.
const READ: usize = 64 * 1024;
/// Bytes of such data that have room beside the attributes of their entry.
pub(super) const FIRST: usize = 1024;

/// Reads what comes next; 0 at the end.
pub(super) type Read<'a> = &'a mut dyn FnMut(&mut [u8]) -> Result<usize, Broken>;

/// Why nothing is packed.
#[derive(Debug)]
pub(super) enum Unread {
    /// There is no room.
    Pack(PackError),
    /// There is nothing to read.
    Broken(Broken),
    /// It could not be compressed.
    Uncompressed,
}

/// Reads into the parcel, perhaps through a record of compressed bytes, of which `pending` are made and not yet packed. False
/// at the end.
pub(super) fn pour(
    read: Read<'_>,
    compression: Option<Compression>,
    pending: &mut Option<u64>,
    packer: &mut Packer,
    work: &mut Work,
) -> Result<bool, Unread> {
    match compression {
        None => plain(read, packer, work),
        Some(how) => compressed(read, how, pending, packer, work),
    }
}

fn plain(read: Read<'_>, packer: &mut Packer, work: &mut Work) -> Result<bool, Unread> {
    let space = packer.data_space(READ).ok_or(Unread::Pack(PackError::Full))?;
    let n = read(space).map_err(Unread::Broken)?;
    if let Some(hasher) = &mut work.hasher {
        hasher.update(space.get(..n).unwrap_or_default());
    }
    packer.data_commit(n, n as u64);
    Ok(n > 0)
}

fn compressed(
    read: Read<'_>,
    how: Compression,
    pending: &mut Option<u64>,
    packer: &mut Packer,
    work: &mut Work,
) -> Result<bool, Unread> {
    if pending.is_none() {
        if work.budget == 0 {
            return Err(Unread::Pack(PackError::Full));
        }
        let room = work.compressor.room(CHUNK);
        let mut filled = 0;
        while let Some(rest) = room.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match read(rest).map_err(Unread::Broken)? {
                0 => break,
                n => filled += n,
            }
        }
        if filled == 0 {
            return Ok(false);
        }
        if let Some(hasher) = &mut work.hasher {
            hasher.update(room.get(..filled).unwrap_or_default());
        }
        work.compressor.compress(how, filled, None).ok_or(Unread::Uncompressed)?;
        work.budget = work.budget.saturating_sub(filled);
        *pending = Some(filled as u64);
    }
    let Some(plain) = *pending else { return Ok(true) };
    let record = work.compressor.record();
    let space = packer.data_space_of(record.len(), record.len()).ok_or(Unread::Pack(PackError::Full))?;
    space.copy_from_slice(record);
    packer.data_commit(record.len(), plain);
    *pending = None;
    Ok(true)
}
