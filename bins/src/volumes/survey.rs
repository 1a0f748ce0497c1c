//! What lies where on one volume: a walk from header to header that reads no data.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use towline_core::bulk::work::DiskError;
use towline_core::wire::block::Session;
use towline_core::wire::label::{LabelError, VolumeLabel};

use crate::volume::blocks::{Blocks, Next, Source as _};
use crate::volume::stored::Stored;

/// Damaged stretches of one volume that are kept one by one.
pub(super) const STRETCHES: usize = 1000;
/// Bytes at the beginning of a file in which a sound block is looked for if nobody says that the file is a volume.
const LOOKED_AT: u64 = 4 << 20;

/// One volume, as its headers say.
#[derive(Debug)]
pub(super) struct Survey {
    /// Its label; `None` if that cannot be read.
    pub(super) label: Option<VolumeLabel>,
    /// Length of the file in bytes.
    pub(super) bytes: u64,
    /// Where the last block ends.
    pub(super) end: u64,
    /// Blocks, that of the label included.
    pub(super) blocks: u64,
    /// What each session has here.
    pub(super) sessions: BTreeMap<Session, Extent>,
    /// What is no block; at most [`STRETCHES`].
    pub(super) damage: Vec<Range<u64>>,
    /// How many more of these there are.
    pub(super) more_damage: u64,
}

/// Where the blocks of one session lie on one volume. Others' blocks may lie between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// Address of the first.
    pub(super) first: u64,
    /// Address of the last.
    pub(super) last: u64,
    /// Where the last ends.
    pub(super) end: u64,
    /// Number of the first in its job.
    pub(super) first_number: u32,
    /// Number of the last.
    pub(super) last_number: u32,
    /// How many there are.
    pub(super) blocks: u64,
}

/// Why a file is no volume that can be read.
#[derive(Debug)]
pub(super) enum Unfit {
    /// It is something else.
    Foreign,
    /// Its label is of another version or program.
    Label(LabelError),
    /// It holds more sessions than can be kept.
    TooManySessions,
    /// It cannot be read.
    Disk(DiskError),
}

impl From<DiskError> for Unfit {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

/// Walks over a volume. `is_named` says that a person has named the file, so that all of it is searched for blocks before
/// it counts as no volume. At most `most` sessions.
///
/// # Errors
/// The file is no volume, or cannot be read.
pub(super) fn survey(path: &Path, is_named: bool, most: usize) -> Result<Survey, Unfit> {
    let volume = Stored::open(path, &None)?;
    let bytes = volume.bytes(path)?;
    let mut blocks = Blocks::new(volume, path.display().to_string());
    let mut survey =
        Survey { label: None, bytes, end: 0, blocks: 0, sessions: BTreeMap::new(), damage: Vec::new(), more_damage: 0 };
    let mut block = Vec::new();
    survey.label(&mut blocks, &mut block, is_named)?;
    let mut before = None;
    while blocks.at() < bytes {
        let at = blocks.at();
        match blocks.peek()? {
            Some(header) if at + u64::from(header.len) <= bytes => {
                let end = at + u64::from(header.len);
                survey.take(header.session, header.number, at..end, most)?;
                before = Some((at, header.session));
                blocks.skip_to(end);
            }
            _ => {
                // The header before may have said a wrong length.
                if let Some((earlier, session)) = before.take() {
                    blocks.skip_to(earlier);
                    if blocks.read(&mut block)? != Next::Block(earlier) {
                        survey.give_back(session, earlier);
                        blocks.skip_to(earlier);
                    } else {
                        blocks.skip_to(at);
                    }
                }
                survey.pass_over(&mut blocks, &mut block)?;
            }
        }
    }
    Ok(survey)
}

impl Survey {
    /// Reads the first block, which has the label and nothing else.
    fn label(&mut self, blocks: &mut Blocks<Stored>, block: &mut Vec<u8>, is_named: bool) -> Result<(), Unfit> {
        match blocks.read(block)? {
            Next::End => Err(Unfit::Foreign),
            Next::Block(_) => {
                self.blocks = 1;
                self.end = blocks.at();
                match VolumeLabel::from_block(block, "") {
                    Ok(label) => {
                        self.label = Some(label);
                        Ok(())
                    }
                    // The label was lost with the blocks before this one.
                    Err(LabelError::Missing) => {
                        (self.blocks, self.end) = (0, 0);
                        blocks.skip_to(0);
                        Ok(())
                    }
                    Err(error) => Err(Unfit::Label(error)),
                }
            }
            Next::Damage(_) => {
                let has_head = blocks.peek()?.is_some();
                if !is_named && !has_head && !has_block_near(blocks.path(), self.bytes) {
                    return Err(Unfit::Foreign);
                }
                self.pass_over(blocks, block)?;
                if blocks.is_at_end() { Err(Unfit::Foreign) } else { Ok(()) }
            }
        }
    }

    fn pass_over(&mut self, blocks: &mut Blocks<Stored>, block: &mut Vec<u8>) -> Result<(), DiskError> {
        let stretch = blocks.pass_over_damage(block)?;
        if self.damage.len() < STRETCHES {
            self.damage.push(stretch);
        } else {
            self.more_damage += 1;
        }
        Ok(())
    }

    fn take(&mut self, session: Session, number: u32, place: Range<u64>, most: usize) -> Result<(), Unfit> {
        self.blocks += 1;
        self.end = place.end;
        if self.sessions.len() >= most && !self.sessions.contains_key(&session) {
            return Err(Unfit::TooManySessions);
        }
        let Range { start: at, end } = place;
        let new = Extent { first: at, last: at, end, first_number: number, last_number: number, blocks: 0 };
        let extent = self.sessions.entry(session).or_insert(new);
        (extent.last, extent.end, extent.last_number) = (at, end, number);
        extent.blocks += 1;
        Ok(())
    }

    /// What was taken for the last block of a session is none.
    fn give_back(&mut self, session: Session, at: u64) {
        self.blocks -= 1;
        self.end = at;
        let Some(extent) = self.sessions.get_mut(&session) else { return };
        extent.blocks -= 1;
        (extent.last, extent.end) = (at, at);
        if extent.blocks == 0 {
            self.sessions.remove(&session);
        }
    }
}

/// Whether a sound block is near the beginning of a file.
fn has_block_near(path: &str, bytes: u64) -> bool {
    let Ok(volume) = Stored::open(Path::new(path), &None) else { return false };
    let mut start = vec![0; usize::try_from(LOOKED_AT.min(bytes)).unwrap_or_default()];
    let mut filled = 0;
    while filled < start.len() {
        match volume.read_at(&mut start[filled..], filled as u64) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
    start[..filled].windows(4).any(|four| four == b"BB02")
}
