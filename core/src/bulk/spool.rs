//! Blocks that wait in a file until their volume takes them: first they go into the file, then out of it again.
//!
//! ```text
//!   filling:  block -> Hold -> worker -> Held -> memory back        emptying:  Next -> worker -> Next(block) -> volume
//! ```

use std::collections::VecDeque;

use super::work::{DiskError, DiskWork, SpoolDone, SpoolWork};
use crate::ids::HandleId;
use crate::limits;
use crate::wire::block::{BlockHeader, FullBlock};

/// Which way blocks go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Filling,
    /// Until nothing is left of what was held.
    Emptying,
}

/// What has become of a piece of work.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// A block is in the file: here is its memory.
    Room(Vec<u8>),
    /// The file takes no more blocks; these go first when it does again. `disk_full`: its disk is full.
    Full { back: VecDeque<FullBlock>, disk_full: bool },
    /// Nothing that anybody has to know.
    Nothing,
    /// The file cannot be used.
    Broken(DiskError),
}

/// A file with blocks.
#[derive(Debug)]
pub(super) struct Spool {
    handle: Option<HandleId>,
    stage: Stage,
    /// Blocks that a worker writes to the file, in order.
    writing: VecDeque<FullBlock>,
    refused: VecDeque<FullBlock>,
    disk_full: bool,
    /// Bytes in the file.
    held: u64,
    /// The number of the last block in it.
    last_block: Option<u32>,
    /// Blocks that a worker reads.
    reading: usize,
    /// Blocks that were read, for the volume.
    ready: VecDeque<FullBlock>,
    is_at_end: bool,
    /// Memory to read into.
    spare: Vec<Vec<u8>>,
}

impl Spool {
    pub(super) const fn new() -> Self {
        Self {
            handle: None,
            stage: Stage::Filling,
            writing: VecDeque::new(),
            refused: VecDeque::new(),
            disk_full: false,
            held: 0,
            last_block: None,
            reading: 0,
            ready: VecDeque::new(),
            is_at_end: false,
            spare: Vec::new(),
        }
    }

    /// The file is open.
    pub(super) const fn open(&mut self, handle: HandleId) {
        self.handle = Some(handle);
    }

    /// Bytes in the file.
    pub(super) const fn held(&self) -> u64 {
        self.held
    }

    /// The number of the last block that was held.
    pub(super) const fn last_block(&self) -> Option<u32> {
        self.last_block
    }

    /// Blocks that are next for the volume.
    pub(super) const fn ready(&mut self) -> &mut VecDeque<FullBlock> {
        &mut self.ready
    }

    /// Whether blocks go into the file, and none is on its way there.
    pub(super) fn is_quiet(&self) -> bool {
        self.stage == Stage::Filling && self.writing.is_empty()
    }

    /// Whether nothing is in it or on its way.
    pub(super) fn is_empty(&self) -> bool {
        self.is_quiet() && self.held == 0
    }

    /// What a worker is to do next. `incoming` are the blocks that came from the peer; `under_way` those on their way to
    /// the volume, none of which is mounted if it is `None`.
    pub(super) fn poll_work(
        &mut self,
        incoming: &mut VecDeque<FullBlock>,
        under_way: Option<usize>,
    ) -> Option<DiskWork> {
        let handle = self.handle?;
        let work = match self.stage {
            Stage::Filling => {
                if !self.refused.is_empty() || self.writing.len() >= limits::WORK_UNDER_WAY {
                    return None;
                }
                let mut block = incoming.pop_front()?;
                let bytes = std::mem::take(&mut block.bytes);
                let marks = [block.first_index, block.last_index];
                self.writing.push_back(block);
                SpoolWork::Hold { bytes, marks }
            }
            Stage::Emptying => {
                let ahead = self.reading + self.ready.len() + under_way?;
                if self.is_at_end || ahead >= limits::WORK_UNDER_WAY {
                    return None;
                }
                self.reading += 1;
                SpoolWork::Next { buffer: self.spare.pop().unwrap_or_default() }
            }
        };
        Some(DiskWork::Spool { handle, work })
    }

    /// What came of a piece of work.
    pub(super) fn handle_done(&mut self, done: SpoolDone) -> Came {
        match done {
            SpoolDone::Held { buffer, held } => {
                let block = self.writing.pop_front();
                self.held = held;
                self.last_block = block.map(|block| block.number).or(self.last_block);
                return Came::Room(buffer);
            }
            SpoolDone::Full { bytes, disk_full } => {
                if let Some(block) = self.writing.pop_front() {
                    self.refused.push_back(FullBlock { bytes, ..block });
                }
                self.disk_full |= disk_full;
            }
            SpoolDone::Next(Some((bytes, [first_index, last_index]))) => {
                self.reading = self.reading.saturating_sub(1);
                match BlockHeader::decode(&bytes) {
                    Ok(header) => {
                        let number = header.number;
                        self.ready.push_back(FullBlock { bytes, number, first_index, last_index });
                    }
                    Err(_) => return Came::Broken(DiskError::BadSpool),
                }
            }
            SpoolDone::Next(None) => {
                self.reading = self.reading.saturating_sub(1);
                self.is_at_end = true;
            }
            SpoolDone::Failed(error) => return Came::Broken(error),
        }
        if self.writing.is_empty() && !self.refused.is_empty() {
            let (back, disk_full) = (std::mem::take(&mut self.refused), std::mem::take(&mut self.disk_full));
            return Came::Full { back, disk_full };
        }
        Came::Nothing
    }

    /// From now on blocks go out of it.
    pub(super) const fn empty(&mut self) {
        self.stage = Stage::Emptying;
    }

    /// Memory of a block that is in the volume.
    pub(super) fn give(&mut self, buffer: Vec<u8>) {
        if self.spare.len() < limits::WORK_UNDER_WAY {
            self.spare.push(buffer);
        }
    }

    /// Whether all that was held has left it; then it takes blocks again. `under_way`: those on their way to the volume.
    pub(super) fn has_emptied(&mut self, under_way: usize) -> bool {
        let is_done = self.stage == Stage::Emptying && self.is_at_end && self.reading == 0;
        if !is_done || !self.ready.is_empty() || under_way > 0 {
            return false;
        }
        self.stage = Stage::Filling;
        (self.held, self.is_at_end) = (0, false);
        true
    }
}
