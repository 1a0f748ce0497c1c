//! Whether an entry has changed since it was saved (wire/2 §1.6, §1.8).

use rustix::fs::FileType as Type;
use towline_core::bulk::known::KnownFiles;
use towline_core::wire::digest::{Algorithm, Digest, Hasher};
use towline_core::wire::fileset::Options;
use towline_core::wire::stream::Stream;

use super::hold::{Held, SPARSE_BLOCK, behind_hole, leaves_out, retry};
use super::item::{name_in_record, stat_of};
use crate::disk::meta::Meta;
use crate::disk::walk::Found;

/// Whether an entry is as the catalog knows it, or too old to be saved. Marks a known one as seen.
pub(super) fn is_unchanged(
    found: &Found,
    options: &Options,
    since: Option<i64>,
    known: &mut Option<Box<KnownFiles>>,
    meta: &Meta,
) -> bool {
    match known {
        Some(known) => {
            let stat = stat_of(meta, 0, Stream::FILE_DATA);
            known.is_unchanged(&name_in_record(found, options), &stat, options.accurate.as_deref())
        }
        None => since.is_some_and(|since| meta.mtime < since && (options.mtime_only || meta.ctime < since)),
    }
}

/// The digest that a regular file must have to be unchanged, in base64, and how it is made; `None` if it does not count.
pub(super) fn known_digest(
    found: &Found,
    options: &Options,
    known: &mut Option<Box<KnownFiles>>,
) -> Option<(Algorithm, Vec<u8>)> {
    let algorithm = options.digest.filter(|_| found.kind == Type::RegularFile)?;
    let digest = known.as_mut()?.digest(&name_in_record(found, options), options.accurate.as_deref())?;
    Some((algorithm, digest.to_vec()))
}

/// Whether the contents have this digest. What cannot be read has not, so that the backup says what is the matter.
pub(super) fn has_digest(held: &Held, meta: &Meta, sparse: bool, algorithm: Algorithm, known: &[u8]) -> bool {
    digest_of(held, meta, sparse, algorithm).is_some_and(|digest| digest.catalog_text().as_bytes() == known)
}

/// The digest of the contents as a backup would compute it; `None` if they cannot be read.
pub(super) fn digest_of(held: &Held, meta: &Meta, sparse: bool, algorithm: Algorithm) -> Option<Digest> {
    let Held::Open(fd) = held else { return None };
    let mut hasher = Hasher::new(algorithm);
    let mut block = vec![0; SPARSE_BLOCK];
    let mut position = 0;
    while position < meta.size {
        if sparse && meta.blocks.saturating_mul(512) < meta.size {
            position = behind_hole(fd, position, meta.size);
        }
        let wanted = usize::try_from(meta.size.saturating_sub(position)).map_or(SPARSE_BLOCK, |n| n.min(SPARSE_BLOCK));
        let mut filled = 0;
        while let Some(room) = block.get_mut(filled..wanted).filter(|room| !room.is_empty()) {
            match retry(|| rustix::io::pread(fd, &mut *room, position + filled as u64)) {
                Ok(n) if n > 0 => filled += n,
                _ => return None,
            }
        }
        position += filled as u64;
        let block = block.get(..filled).unwrap_or_default();
        // As it was saved: without blocks of zeros, but with the last one.
        if !sparse || !leaves_out(filled, position, meta.size) || block.iter().any(|byte| *byte != 0) {
            hasher.update(block);
        }
    }
    Some(hasher.finish())
}
