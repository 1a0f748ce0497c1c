//! The jobs on volumes: each session with its labels and the volumes it goes over, in order.

use std::collections::BTreeMap;

use towline_core::printable;
use towline_core::wire::block::{HEADER_LEN, Session};
use towline_core::wire::label::{SessionEnd, SessionLabel};
use towline_core::wire::record::next_piece;

use super::shelf::{Shelf, Volume};
use super::survey::Extent;
use crate::volume::blocks::{Blocks, Next};
use crate::volume::stored::Stored;

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
    pub(super) pieces: Vec<Piece>,
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
        letter(self.end.as_ref().map_or_else(|| u32::from(b'f'), |(_, end)| end.status))
    }

    /// Whether a person means this job: by its number, its own name or that of its resource.
    pub(super) fn is_meant(&self, word: &str) -> bool {
        let Some(label) = &self.label else { return false };
        word.parse() == Ok(label.job_id) || label.job == word.as_bytes() || label.job_name == word.as_bytes()
    }
}

/// What a job has on one volume: the place of the volume on the shelf, and what is there.
type Piece = (usize, Extent);

/// The jobs on the shelf in the order of their numbers; sessions without any label come last.
pub(super) fn jobs(shelf: &Shelf) -> Vec<Job> {
    // Two storage daemons may have been started in the same second.
    let mut pieces: BTreeMap<(Session, &[u8]), Vec<Piece>> = BTreeMap::new();
    for (place, volume) in shelf.volumes.iter().enumerate() {
        for (session, extent) in &volume.survey.sessions {
            let daemon = daemon_of(shelf, volume, *session);
            pieces.entry((*session, daemon)).or_default().push((place, *extent));
        }
    }
    let of_session = |((session, _), pieces)| chains(pieces).into_iter().map(move |chain| job(shelf, session, chain));
    let mut jobs: Vec<Job> = pieces.into_iter().flat_map(of_session).collect();
    jobs.sort_by_key(|job| (job.label.is_none(), job.id(), job.session.time, job.session.id));
    jobs
}

/// The storage daemon that has written a volume; where its label is lost, the one that has written others of the session.
fn daemon_of<'s>(shelf: &'s Shelf, volume: &'s Volume, session: Session) -> &'s [u8] {
    let mut others = shelf.volumes.iter().filter(|other| other.survey.sessions.contains_key(&session));
    let label = volume.survey.label.as_ref().or_else(|| others.find_map(|other| other.survey.label.as_ref()));
    label.map_or(&[][..], |label| label.program.as_slice())
}

/// The pieces of each job among those of one session: the numbers of blocks go on from volume to volume (`wire/3 §5.2`). More
/// than one job if daemons of one name were started in the same second.
fn chains(mut pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
    pieces.sort_by_key(|(place, extent)| (extent.first_number, *place));
    let mut chains: Vec<Vec<Piece>> = Vec::new();
    for piece in pieces {
        let first = piece.1.first_number;
        let goes_on =
            |chain: &Vec<Piece>| chain.last().is_some_and(|(_, before)| before.last_number.wrapping_add(1) == first);
        let found = chains.iter().position(goes_on);
        // A volume between two others may be missing.
        match found.or_else(|| chains.len().checked_sub(1).filter(|_| first > 0)) {
            Some(at) => chains[at].push(piece),
            None => chains.push(vec![piece]),
        }
    }
    chains
}

/// The bytes of a label as text for a person.
pub(super) fn text(bytes: &[u8]) -> String {
    printable::line_of(bytes)
}

/// A letter that a label holds as a number.
pub(super) fn letter(code: u32) -> char {
    char::from_u32(code).filter(char::is_ascii_graphic).unwrap_or('?')
}

fn job(shelf: &Shelf, session: Session, pieces: Vec<Piece>) -> Job {
    let find = |piece: Option<&Piece>, is_last: bool| {
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
    let mut blocks = Blocks::new(Stored::open(&volume.path, &None).ok()?, volume.path.display().to_string());
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
