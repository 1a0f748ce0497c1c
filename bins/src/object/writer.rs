//! Appends blocks to a volume in a store: part after part, two of them on their way while a third is filled.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use object_store::PutPayload;
use tokio::task::JoinHandle;
use towline_core::bulk::stores::StoreTrouble;
use towline_core::bulk::work::{DiskError, Expect};
use towline_core::wire::block::{self, Session};
use towline_core::wire::label::VolumeLabel;

use super::labelling::{clear, label_of, wrong};
use super::parts::{Part, Row};
use super::source::ObjectSource;
use super::store::{Stop, Store};
use super::{runtime, store, trouble};
use crate::volume::blocks::{Blocks, Next};
use crate::volume::writer::{Appended, Mounted};
use crate::volume::{bootstraps, volume_path};

/// Parts that may be on their way.
const UNDER_WAY: usize = 2;
/// How often, and at which distance, a store is asked again for parts that it should list.
const LOOKS: u32 = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(400);

/// A mounted volume, open at its end.
#[derive(Debug)]
pub struct ObjectWriter {
    store: Arc<Store>,
    name: String,
    /// Where the next block goes.
    bytes: u64,
    limit: u64,
    /// Length of the label block: a volume takes at least one more block, whatever its limit.
    label: u64,
    /// Set by the first block that did not fit: what comes after it must not get in before it.
    full: Option<Appended>,
    /// The part that is being filled.
    open: Vec<Bytes>,
    open_len: usize,
    /// Parts on their way, the oldest first.
    flying: VecDeque<(Part, JoinHandle<Result<(), DiskError>>)>,
    /// Parts that the store has taken since the last sync, and the part before them.
    taken: Vec<Part>,
    before: u64,
    /// Nothing more can be stored.
    failed: Option<DiskError>,
    stop: Arc<Stop>,
}

impl ObjectWriter {
    /// Opens a volume to append, after labelling it or checking its label and its tail.
    ///
    /// Parts that the catalog does not know are kept as far as their blocks are whole, because a job may have been told
    /// that they are safe; what comes after is removed.
    ///
    /// # Errors
    /// The volume cannot be read, is another one, or is shorter than the catalog says.
    pub fn mount(
        folder: &str,
        label: &VolumeLabel,
        expect: Expect,
        (limit, session): (u64, Session),
        stop: Stop,
    ) -> Result<(Self, Mounted), DiskError> {
        let name = String::from_utf8_lossy(&label.volume).into_owned();
        volume_path(folder, &name)?;
        let store = store(folder)?;
        let started = Instant::now();
        let row = Row::of(runtime()?.block_on(store.parts(&name, None, &stop))?);
        let mut writer = Self {
            store,
            name,
            bytes: 0,
            limit,
            label: 0,
            full: None,
            open: Vec::new(),
            open_len: 0,
            flying: VecDeque::new(),
            taken: Vec::new(),
            before: 0,
            failed: None,
            stop: Arc::new(stop),
        };
        let mut mounted = match expect {
            Expect::New | Expect::Recycled => writer.label(&row, &label.block(session), expect)?,
            Expect::Bytes(known) => writer.reopen(&row, known)?,
        };
        if expect == Expect::Recycled {
            bootstraps::forget_in_store(folder, &writer.name);
        }
        mounted.spent = micros(started);
        Ok((writer, mounted))
    }

    /// Appends a block; computes its checksum. Waits while two parts are on their way and a third is full.
    ///
    /// # Errors
    /// A part before has not been stored.
    pub fn append(&mut self, block: &mut [u8]) -> Result<Appended, DiskError> {
        if let Some(full) = self.full {
            return Ok(full);
        }
        self.land_ready()?;
        let len = block.len() as u64;
        if self.limit > 0 && self.bytes > self.label && self.bytes + len >= self.limit {
            self.full = Some(Appended::LimitReached);
            return Ok(Appended::LimitReached);
        }
        if self.open_len > 0 && self.open_len + block.len() > self.store.part_size {
            self.send()?;
        }
        block::seal(block);
        self.open.push(Bytes::copy_from_slice(block));
        self.open_len += block.len();
        let start = self.bytes;
        self.bytes += len;
        if self.open_len >= self.store.part_size {
            self.send()?;
        }
        Ok(Appended::At(start))
    }

    /// Stores everything appended: what is left of it becomes a part of its own. The store must then list all of it.
    ///
    /// # Errors
    /// It was not stored, or somebody else writes to the volume.
    pub fn sync(&mut self) -> Result<(), DiskError> {
        self.send()?;
        while !self.flying.is_empty() {
            self.land()?;
        }
        if self.taken.is_empty() {
            return Ok(());
        }
        let listed = self.look();
        self.fail_for_good(listed)
    }

    /// Whether the store lists just what it has taken, and nothing behind it.
    fn look(&mut self) -> Result<(), DiskError> {
        let mut left = LOOKS;
        loop {
            let listed = runtime()?.block_on(self.store.parts(&self.name, Some(self.before), &self.stop))?;
            let missing = self.taken.iter().find(|part| !listed.contains(part)).copied();
            let Some(part) = missing else {
                if let Some(stray) = listed.iter().find(|part| !self.taken.contains(part)) {
                    let text = format!("it has a part at {} that is not of this storage daemon", stray.start);
                    return Err(trouble(&self.store.shown(&self.name), StoreTrouble::Shared, text));
                }
                self.before = self.taken.last().map_or(self.before, |part| part.start);
                self.taken.clear();
                return Ok(());
            };
            left -= 1;
            if left == 0 || self.stop.is_set() {
                let text = match listed.iter().find(|other| other.start == part.start) {
                    Some(other) => {
                        format!("the part at {} has {} bytes instead of {}", part.start, other.len, part.len)
                    }
                    None => format!("it does not list the part at {}", part.start),
                };
                return Err(trouble(&self.store.shown(&self.name), StoreTrouble::NotStored, text));
            }
            // Not every store lists at once what it has taken.
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// Sends the part that is being filled, once there is room for it.
    fn send(&mut self) -> Result<(), DiskError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if self.open_len == 0 {
            return Ok(());
        }
        while self.flying.len() >= UNDER_WAY {
            self.land()?;
        }
        let len = std::mem::take(&mut self.open_len) as u64;
        let payload: PutPayload = std::mem::take(&mut self.open).into_iter().collect();
        let part = Part { start: self.bytes - len, len };
        let (store, name, stop) = (Arc::clone(&self.store), self.name.clone(), Arc::clone(&self.stop));
        let put = async move { store.put_part((&name, part.start), payload, false, &stop).await };
        self.flying.push_back((part, runtime()?.spawn(put)));
        Ok(())
    }

    /// Takes note of the parts that have arrived, without waiting.
    fn land_ready(&mut self) -> Result<(), DiskError> {
        while self.flying.front().is_some_and(|(_, put)| put.is_finished()) {
            self.land()?;
        }
        match &self.failed {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// Waits for the oldest part.
    fn land(&mut self) -> Result<(), DiskError> {
        let Some((part, put)) = self.flying.pop_front() else { return Ok(()) };
        let stored = runtime()?.block_on(put).unwrap_or_else(|error| {
            Err(DiskError::Other { path: self.store.shown(&self.name), text: format!("a part was dropped: {error}") })
        });
        self.taken.push(part);
        self.fail_for_good(stored)
    }

    /// After a gap nothing that follows counts.
    fn fail_for_good(&mut self, done: Result<(), DiskError>) -> Result<(), DiskError> {
        done.inspect_err(|error| self.failed = Some(error.clone()))
    }

    fn label(&mut self, row: &Row, block: &[u8], expect: Expect) -> Result<Mounted, DiskError> {
        let has_any = !row.parts.is_empty() || !row.strays.is_empty();
        if has_any && expect == Expect::New && !self.is_bare(row)? {
            let found = format!("a volume of {} bytes where none should be", row.end());
            return Err(wrong(&self.store, &self.name, found));
        }
        clear(&self.store, &self.name, row, block, &self.stop)?;
        self.bytes = block.len() as u64;
        self.label = self.bytes;
        Ok(Mounted { bytes: self.bytes, labelled: true, cut: 0, spent: 0 })
    }

    /// Whether a volume is nothing but its label: a job that ended before the catalog heard of it left it so.
    fn is_bare(&self, row: &Row) -> Result<bool, DiskError> {
        let [only] = row.parts[..] else { return Ok(false) };
        let label = label_of(&self.store, &self.name, row)?;
        Ok(row.strays.is_empty() && label.is_ok_and(|(name, len)| name == self.name && len == only.len))
    }

    fn reopen(&mut self, row: &Row, known: u64) -> Result<Mounted, DiskError> {
        if row.parts.is_empty() {
            return Err(DiskError::Missing(self.store.shown(&self.name)));
        }
        let (name, label) =
            label_of(&self.store, &self.name, row)?.map_err(|found| wrong(&self.store, &self.name, found))?;
        if name != self.name {
            return Err(wrong(&self.store, &self.name, format!("volume {name:?}")));
        }
        let length = row.end();
        if length < known {
            return Err(DiskError::Truncated { path: self.store.shown(&self.name), found: length, wanted: known });
        }
        let end = self.whole_tail(row, known)?;
        // From the end on, so that what is left is a row at any time.
        let strays = row.strays.iter().rev().map(|part| part.start);
        let behind = row.parts.iter().rev().filter(|part| part.start >= end).map(|part| part.start);
        for start in strays.chain(behind) {
            runtime()?.block_on(self.store.delete_part(&self.name, start, &self.stop))?;
        }
        if let Some(part) = row.parts.iter().find(|part| part.start < end && part.end() > end) {
            self.shorten(*part, end - part.start)?;
        }
        (self.bytes, self.label) = (end, label);
        self.before = row.parts.iter().rev().find(|part| part.start < end).map_or(0, |part| part.start);
        let strays: u64 = row.strays.iter().map(|part| part.len).sum();
        Ok(Mounted { bytes: end, labelled: false, cut: (length - end).saturating_add(strays), spent: 0 })
    }

    /// Where the last whole block ends, looking from `known` on.
    fn whole_tail(&self, row: &Row, known: u64) -> Result<u64, DiskError> {
        if row.end() == known {
            return Ok(known);
        }
        let source = ObjectSource::of(Arc::clone(&self.store), &self.name, row.parts.clone());
        let mut blocks = Blocks::new(source, self.store.shown(&self.name));
        blocks.skip_to(known);
        let mut block = Vec::new();
        while let Next::Block(_) = blocks.read(&mut block)? {}
        Ok(blocks.at())
    }

    /// A part that holds half a block is put again without it.
    fn shorten(&self, part: Part, len: u64) -> Result<(), DiskError> {
        runtime()?.block_on(async {
            let kept = self.store.get(&self.name, part.start, 0..len, &self.stop).await?;
            let lost = || trouble(&self.store.shown(&self.name), StoreTrouble::NotStored, "a part is gone".to_owned());
            let kept = kept.ok_or_else(lost)?;
            self.store.put_part((&self.name, part.start), kept.into(), true, &self.stop).await
        })
    }
}

impl Drop for ObjectWriter {
    fn drop(&mut self) {
        for (_, put) in &self.flying {
            put.abort();
        }
    }
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}
