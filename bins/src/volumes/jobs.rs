//! The jobs on volumes: each session with its labels and the volumes it goes over, in order.

use std::collections::BTreeMap;
use std::fs::File;

use towline_core::printable;
use towline_core::wire::block::{HEADER_LEN, Session};
use towline_core::wire::label::{SessionEnd, SessionLabel};
use towline_core::wire::record::next_piece;

use super::shelf::Shelf;
use super::survey::Extent;
use crate::volume::blocks::{Blocks, Next};

/// A session that wrote to volumes: a job, or a copy of one.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// Whose blocks.
    pub(super) session: Session,
    /// What its first label says, or the last if the first is not here.
    pub(super) label: Option<SessionLabel>,
    /// Whether the label at its beginning is here.
    pub(super) has_start: bool,
    /// What the label at its end says.
    pub(super) end: Option<(SessionLabel, SessionEnd)>,
    /// Where its blocks are, in the order in which they were written: the place of a volume on the shelf, and what is there.
    pub(super) pieces: Vec<(usize, Extent)>,
}

impl Job {
    /// The number of the job, 0 if no label says it.
    pub(super) fn id(&self) -> u32 {
        self.label.as_ref().map_or(0, |label| label.job_id)
    }

    /// What it is called in a sentence.
    pub(super) fn name(&self) -> String {
        let Session { id, time } = self.session;
        match &self.label {
            Some(label) => format!("{} {}", label.job_id, text(&label.job)),
            None => format!("of session {id}/{time}"),
        }
    }

    /// Its letter of state, or that of a job that was broken off.
    pub(super) fn status(&self) -> char {
        letter(self.end.as_ref().map_or(u32::from(b'f'), |(_, end)| end.status))
    }

    /// Whether a person means this job: by its number, its own name or that of its resource.
    pub(super) fn is_meant(&self, word: &str) -> bool {
        let Some(label) = &self.label else { return false };
        word.parse() == Ok(label.job_id) || label.job == word.as_bytes() || label.job_name == word.as_bytes()
    }
}

/// The jobs on the shelf in the order of their numbers; sessions without any label come last.
pub(super) fn jobs(shelf: &Shelf) -> Vec<Job> {
    let mut pieces: BTreeMap<Session, Vec<(usize, Extent)>> = BTreeMap::new();
    for (place, volume) in shelf.volumes.iter().enumerate() {
        for (session, extent) in &volume.survey.sessions {
            pieces.entry(*session).or_default().push((place, *extent));
        }
    }
    let mut jobs: Vec<Job> = pieces.into_iter().map(|(session, pieces)| job(shelf, session, pieces)).collect();
    jobs.sort_by_key(|job| (job.label.is_none(), job.id(), job.session.time, job.session.id));
    jobs
}

/// The bytes of a label as text for a person.
pub(super) fn text(bytes: &[u8]) -> String {
    printable::line_of(bytes)
}

/// A letter that a label holds as a number.
pub(super) fn letter(code: u32) -> char {
    char::from_u32(code).filter(char::is_ascii_graphic).unwrap_or('?')
}

fn job(shelf: &Shelf, session: Session, mut pieces: Vec<(usize, Extent)>) -> Job {
    // The number goes on from volume to volume (`wire/3 §5.2`).
    pieces.sort_by_key(|(place, extent)| (extent.first_number, *place));
    let find = |piece: Option<&(usize, Extent)>, is_last: bool| {
        let (place, extent) = piece?;
        let wanted = if is_last { SessionLabel::END } else { SessionLabel::START };
        record_of(shelf, *place, session, if is_last { extent.last } else { extent.first }, wanted)
    };
    let start = find(pieces.first(), false).and_then(|data| SessionLabel::decode_start(&data).ok());
    let end = find(pieces.last(), true).and_then(|data| SessionLabel::decode_end(&data).ok());
    let has_start = start.is_some();
    let label = start.or_else(|| end.as_ref().map(|(label, _)| label.clone()));
    Job { session, label, has_start, end, pieces }
}

/// The record with this FileIndex in the block at this address: labels are never split.
fn record_of(shelf: &Shelf, place: usize, session: Session, at: u64, wanted: i32) -> Option<Vec<u8>> {
    let volume = shelf.volumes.get(place)?;
    let mut blocks = Blocks::new(File::open(&volume.path).ok()?, volume.path.display().to_string());
    let mut block = Vec::new();
    blocks.skip_to(at);
    let Ok(Next::Block(_)) = blocks.read(&mut block) else { return None };
    let header = towline_core::wire::block::BlockHeader::decode(&block).ok()?;
    if header.session != session {
        return None;
    }
    let mut at = HEADER_LEN;
    let mut found = None;
    while let Some(piece) = next_piece(&block, &mut at) {
        if piece.header.file_index == wanted {
            found = block.get(piece.data).map(<[u8]>::to_vec);
        }
    }
    found
}
