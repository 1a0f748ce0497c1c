//! What damage on a volume costs: which files are not complete, and which are gone (`wire/3 §5.3`).
//!
//! Blocks of one session are numbered in a row. So when the next block of a session after a damaged stretch has the next
//! number, the session has lost nothing; otherwise all is passed over up to the next file that begins.

use std::collections::{BTreeMap, BTreeSet};

use crate::wire::block::Session;
use crate::wire::stream::Stream;

/// What a session has lost in one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// Whose records.
    pub session: Session,
    /// The file that is not complete: its FileIndex and its name, empty if that was lost too.
    pub broken: Option<(i32, Vec<u8>)>,
    /// FileIndex of the last file of which something was read before the damage, or 0.
    pub after: i32,
    /// FileIndex of the first file that is whole again; `None` when none came.
    pub before: Option<i32>,
    /// The files between these that were wanted, first and last FileIndex of each range.
    pub files: Vec<(u32, u32)>,
}

const BEGINS: &str = "damage on the volumes, session ";
const GONE: &str = ", gone: ";

impl Loss {
    /// The line for the job's report. `name` is that of the broken file as a person may see it.
    #[must_use]
    pub fn line(&self, name: &str) -> String {
        let mut line = format!("{BEGINS}{}/{}", self.session.id, self.session.time);
        for (nth, (first, last)) in self.files.iter().enumerate() {
            line.push_str(if nth == 0 { GONE } else { " " });
            line.push_str(&if first == last { first.to_string() } else { format!("{first}-{last}") });
        }
        if let Some((file_index, _)) = &self.broken {
            line.push_str(&format!(", not complete: {file_index} ({name})"));
        }
        line + " (T0552)"
    }
}

/// The files that are gone, from a line of a storage daemon with a [`Loss`] in it.
#[must_use]
pub fn parse_gone(line: &str) -> Option<(Session, Vec<(u32, u32)>)> {
    let (_, rest) = line.split_once(BEGINS)?;
    let (session, files) = rest.split_once(GONE)?;
    let (id, time) = session.split_once('/')?;
    let session = Session { id: id.parse().ok()?, time: time.parse().ok()? };
    let range = |text: &str| {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Some((first.parse().ok()?, last.parse().ok()?))
    };
    let files = files.split(' ').map_while(|text| range(text.trim_end_matches(','))).collect();
    Some((session, files))
}

/// The sessions that are read, and what each has lost.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    sessions: BTreeMap<Session, Reading>,
    losses: Vec<Loss>,
    /// Whether there was any damage.
    any: bool,
    ended: bool,
}

#[derive(Debug, Default)]
struct Reading {
    /// Number of the last block.
    number: u32,
    /// Whether there was damage since.
    is_suspect: bool,
    /// What is being lost, up to the next file that begins.
    losing: Option<Loss>,
    /// The last file that was sent, and its name.
    file_index: i32,
    name: Vec<u8>,
    /// Whether its last record was its digest, after which nothing of it comes.
    is_complete: bool,
}

impl Gaps {
    /// Something could not be read.
    pub(super) fn gap(&mut self) {
        self.any = true;
        self.sessions.values_mut().for_each(|reading| reading.is_suspect = true);
    }

    /// A block of a session comes. Whether blocks before it were lost.
    pub(super) fn block(&mut self, session: Session, number: u32) -> bool {
        let is_lost = match self.sessions.get(&session) {
            Some(reading) => reading.is_suspect && number != reading.number.wrapping_add(1),
            None => self.any && number != 0,
        };
        let reading = self.sessions.entry(session).or_default();
        reading.number = number;
        reading.is_suspect = false;
        if is_lost {
            reading.lose(session);
        }
        is_lost
    }

    /// A record that is wanted comes, one of a new file with its name. Whether it may be sent.
    pub(super) fn record(&mut self, session: Session, file_index: i32, stream: Stream, name: Option<&[u8]>) -> bool {
        let reading = self.sessions.entry(session).or_default();
        let begins = stream.is_attributes() || matches!(stream.kind(), Stream::PLUGIN_NAME | Stream::RESTORE_OBJECT);
        if let Some(mut loss) = reading.losing.take() {
            if !begins {
                reading.losing = Some(loss);
                return false;
            }
            loss.before = Some(file_index);
            self.losses.push(loss);
        }
        reading.file_index = file_index;
        reading.is_complete = stream.is_digest();
        if let Some(name) = name {
            reading.name.clear();
            reading.name.extend_from_slice(name);
        }
        true
    }

    /// The file that is not complete since the session has lost something.
    pub(super) fn incomplete(&self, session: Session) -> Option<i32> {
        self.sessions.get(&session)?.losing.as_ref()?.broken.as_ref().map(|(file_index, _)| *file_index)
    }

    /// Nothing more comes. Returns the sessions that have lost the end of a file only now.
    /// `wanted` are all sessions that should have come.
    pub(super) fn end(&mut self, wanted: impl FnOnce() -> BTreeSet<Session>) -> Vec<Session> {
        if !self.any || std::mem::replace(&mut self.ended, true) {
            return Vec::new();
        }
        let mut late = Vec::new();
        for (session, reading) in &mut self.sessions {
            if reading.losing.is_none() && reading.is_suspect {
                reading.lose(*session);
                late.push(*session);
            }
        }
        let left: Vec<Loss> = self.sessions.values().filter_map(|reading| reading.losing.clone()).collect();
        let unseen = wanted().into_iter().filter(|session| !self.sessions.contains_key(session));
        let unseen = unseen.map(|session| Loss { session, ..Loss::default() });
        self.losses.extend(left.into_iter().chain(unseen));
        late
    }

    pub(super) fn take_losses(&mut self) -> Vec<Loss> {
        std::mem::take(&mut self.losses)
    }
}

impl Reading {
    fn lose(&mut self, session: Session) {
        let is_broken = !self.is_complete && self.file_index > 0;
        let broken = is_broken.then(|| (self.file_index, self.name.clone()));
        // Two damaged stretches before the next file are one loss.
        self.losing.get_or_insert(Loss { session, broken, after: self.file_index, before: None, files: Vec::new() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Session = Session { id: 1, time: 10 };
    const TWO: Session = Session { id: 2, time: 20 };

    fn attributes(gaps: &mut Gaps, session: Session, file_index: i32) -> bool {
        gaps.record(session, file_index, Stream::ATTRIBUTES, Some(format!("/{file_index}").as_bytes()))
    }

    #[test]
    fn a_session_whose_next_block_has_the_next_number_has_lost_nothing() {
        let mut gaps = Gaps::default();
        assert!(!gaps.block(ONE, 0) && !gaps.block(TWO, 7));
        assert!(attributes(&mut gaps, ONE, 1) && attributes(&mut gaps, TWO, 1));
        gaps.gap();
        assert!(!gaps.block(ONE, 1));
        assert!(gaps.block(TWO, 9));
        assert_eq!((gaps.incomplete(ONE), gaps.incomplete(TWO)), (None, Some(1)));
        assert!(gaps.record(ONE, 1, Stream::FILE_DATA, None));
        assert!(!gaps.record(TWO, 1, Stream::FILE_DATA, None), "of a file that is broken");
        assert!(!gaps.record(TWO, 3, Stream::FILE_DATA, None), "of a file whose attributes are lost");
        assert!(gaps.take_losses().is_empty());
        assert!(attributes(&mut gaps, TWO, 5));
        let broken = Some((1, b"/1".to_vec()));
        let before = Some(5);
        assert_eq!(gaps.take_losses(), [Loss { session: TWO, broken, after: 1, before, files: Vec::new() }]);
        assert!(gaps.end(BTreeSet::new).is_empty());
    }

    #[test]
    fn what_is_gone_is_read_from_its_line_whatever_the_broken_file_is_called() {
        let broken = Some((4, b"x".to_vec()));
        let files = vec![(5, 5), (7, 9)];
        let loss = Loss { session: ONE, broken: broken.clone(), files: files.clone(), ..Loss::default() };
        let line = loss.line("/evil, gone: 1-99 (T0552)");
        assert_eq!(
            line,
            "damage on the volumes, session 1/10, gone: 5 7-9, not complete: 4 (/evil, gone: 1-99 (T0552)) (T0552)"
        );
        assert_eq!(parse_gone(&format!("sd JobId 3: Error: {line}\n")), Some((ONE, files)));
        let whole = Loss { session: ONE, files: vec![(5, 7)], ..Loss::default() }.line("");
        assert_eq!(parse_gone(&whole), Some((ONE, vec![(5, 7)])));
        let evil = Loss { session: ONE, broken, ..Loss::default() }.line("/evil, gone: 1-99");
        assert_eq!(parse_gone(&evil), None);
    }

    #[test]
    fn a_file_whose_digest_came_is_complete() {
        let mut gaps = Gaps::default();
        gaps.block(ONE, 0);
        attributes(&mut gaps, ONE, 1);
        gaps.record(ONE, 1, Stream::MD5, None);
        gaps.gap();
        assert!(gaps.block(ONE, 2));
        assert_eq!(gaps.incomplete(ONE), None);
        attributes(&mut gaps, ONE, 2);
        assert_eq!(gaps.take_losses(), [Loss { session: ONE, after: 1, before: Some(2), ..Loss::default() }]);
    }

    #[test]
    fn what_the_end_of_a_volume_has_lost_is_said_once_at_the_end() {
        let mut gaps = Gaps::default();
        gaps.block(ONE, 0);
        attributes(&mut gaps, ONE, 1);
        gaps.gap();
        assert_eq!(gaps.end(|| BTreeSet::from([ONE, TWO])), [ONE]);
        let broken = Some((1, b"/1".to_vec()));
        let unseen = Loss { session: TWO, ..Loss::default() };
        assert_eq!(gaps.take_losses(), [Loss { session: ONE, broken, after: 1, ..Loss::default() }, unseen]);
        assert!(gaps.end(BTreeSet::new).is_empty() && gaps.take_losses().is_empty());
    }

    #[test]
    fn a_session_of_which_damage_hid_the_beginning_is_read_from_the_next_file_on() {
        let mut gaps = Gaps::default();
        gaps.gap();
        assert!(gaps.block(ONE, 1) && !gaps.block(TWO, 0));
        assert!(!gaps.record(ONE, 1, Stream::FILE_DATA, None));
        assert!(attributes(&mut gaps, ONE, 2) && attributes(&mut gaps, TWO, 1));
        assert_eq!(gaps.take_losses(), [Loss { session: ONE, before: Some(2), ..Loss::default() }]);
    }

    #[test]
    fn without_damage_nothing_is_lost_however_blocks_are_numbered() {
        let mut gaps = Gaps::default();
        assert!(!gaps.block(ONE, 4) && !gaps.block(ONE, 0) && !gaps.block(ONE, 9));
        assert!(gaps.record(ONE, 3, Stream::FILE_DATA, None));
        assert!(gaps.end(BTreeSet::new).is_empty() && gaps.take_losses().is_empty());
    }
}
