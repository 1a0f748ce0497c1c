//! Volumes: mounted, appended to, made safe, and what a power cut leaves of them.

use std::ops::Range;

use towline_core::bulk::work::{DiskDone, DiskError, Expect};
use towline_core::wire::block::{self, BlockHeader, Session};
use towline_core::wire::label::VolumeLabel;

use super::{Store, failed};
use crate::rng::Rng;

/// Bytes that a disk writes at once or not at all.
const SECTOR: usize = 512;

#[derive(Debug)]
pub(super) struct Volume {
    path: String,
    limit: u64,
    /// Blocks appended since it was mounted.
    blocks: u64,
    full: Option<bool>,
}

impl Volume {
    pub(super) const fn new(path: String, limit: u64) -> Self {
        Self { path, limit, blocks: 0, full: None }
    }

    /// All that is appended so far survives a power cut from now on.
    pub(super) fn sync(&self, store: &mut Store) -> DiskDone {
        if store.fails_to_sync {
            return failed(DiskError::Other { path: self.path.clone(), text: "input/output error".to_owned() });
        }
        if !store.lies_about_sync {
            store.keep(&self.path);
        }
        DiskDone::Synced { spent: 1 }
    }

    pub(super) fn append(&mut self, mut block: Vec<u8>, store: &mut Store) -> DiskDone {
        if store.is_broken {
            let error = DiskError::Other { path: self.path.clone(), text: "input/output error".to_owned() };
            return DiskDone::Failed { error, buffer: block };
        }
        let used: u64 = store.volumes.values().map(|volume| volume.len() as u64).sum();
        let Some(volume) = store.volumes.get_mut(&self.path) else {
            return DiskDone::Failed { error: DiskError::Missing(self.path.clone()), buffer: block };
        };
        let (start, len) = (volume.len() as u64, block.len() as u64);
        let disk_full = store.capacity > 0 && used + len > store.capacity;
        let limit_reached = self.limit > 0 && self.blocks > 0 && start + len >= self.limit;
        if self.full.is_none() && (disk_full || limit_reached) {
            self.full = Some(disk_full);
        }
        if let Some(disk_full) = self.full {
            return DiskDone::VolumeFull { block, disk_full };
        }
        block::seal(&mut block);
        volume.extend_from_slice(&block);
        self.blocks += 1;
        DiskDone::Appended { block, start, spent: 1 }
    }
}

pub(super) fn mount(
    path: &str,
    label: &VolumeLabel,
    expect: Expect,
    session: Session,
    store: &mut Store,
) -> Result<DiskDone, DiskError> {
    let found = store.volumes.get(path).map_or(0, |volume| volume.len() as u64);
    let wanted = match expect {
        Expect::New if found > 0 && !is_bare(store.volumes.get(path), label) => {
            return Err(DiskError::WrongVolume {
                path: path.to_owned(),
                wanted: String::from_utf8_lossy(&label.volume).into_owned(),
                found: format!("a file of {found} bytes where none should be"),
            });
        }
        Expect::New | Expect::Recycled => {
            let block = label.block(session);
            let bytes = block.len() as u64;
            store.volumes.insert(path.to_owned(), block);
            store.keep(path);
            return Ok(DiskDone::Mounted { bytes, labelled: true, cut: 0, spent: 1 });
        }
        Expect::Bytes(wanted) => wanted,
    };
    if found == 0 {
        return Err(DiskError::Missing(path.to_owned()));
    }
    if found < wanted {
        return Err(DiskError::Truncated { path: path.to_owned(), found, wanted });
    }
    let bytes = store.volumes.get(path).map_or(found, |volume| whole_until(volume, wanted));
    if let Some(volume) = store.volumes.get_mut(path) {
        volume.truncate(usize::try_from(bytes).unwrap_or(usize::MAX));
    }
    Ok(DiskDone::Mounted { bytes, labelled: false, cut: found - bytes, spent: 0 })
}

/// Where the last whole block ends of those that follow what is known.
fn whole_until(volume: &[u8], known: u64) -> u64 {
    let mut end = known;
    while let Some(rest) = usize::try_from(end).ok().and_then(|end| volume.get(end..)).filter(|rest| !rest.is_empty()) {
        let header = BlockHeader::verify(rest, true).ok().filter(|header| header.len as usize <= rest.len());
        let Some(header) = header else { break };
        end += u64::from(header.len);
    }
    end
}

impl Store {
    /// A volume as it is survives a power cut.
    fn keep(&mut self, path: &str) {
        let bytes = self.volumes.get(path).map_or(0, |volume| volume.len() as u64);
        self.synced.insert(path.to_owned(), bytes);
    }

    /// Power goes: of what was not synced a part from its beginning is there, and one sector of that may be empty.
    pub(super) fn lose_power(&mut self, rng: &mut Rng) {
        for (path, volume) in &mut self.volumes {
            let safe = self.synced.get(path).copied().unwrap_or(0).min(volume.len() as u64);
            let kept = rng.below(volume.len() as u64 - safe + 1);
            volume.truncate(usize::try_from(safe + kept).unwrap_or(usize::MAX));
            if kept > 0 && rng.one_in(2) {
                let torn = usize::try_from(safe + rng.below(kept)).unwrap_or(usize::MAX);
                volume.iter_mut().skip(torn).take(SECTOR).for_each(|byte| *byte = 0);
            }
        }
    }

    /// Whether one of these bytes of a volume cannot be read.
    pub(super) fn cannot_read(&self, path: &str, bytes: Range<u64>) -> bool {
        self.unreadable.iter().any(|(volume, at)| volume == path && bytes.contains(at))
    }
}

/// Whether a volume is nothing but its label.
fn is_bare(volume: Option<&Vec<u8>>, label: &VolumeLabel) -> bool {
    let is_label = |volume: &Vec<u8>| {
        let whole = BlockHeader::verify(volume, true).is_ok_and(|header| header.len as usize == volume.len());
        whole && VolumeLabel::from_block(volume, &String::from_utf8_lossy(&label.volume)).is_ok()
    };
    volume.is_some_and(is_label)
}
