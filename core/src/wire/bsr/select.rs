//! Matching records against a bootstrap while volumes are read, `wire/3 §6.4`.

use std::collections::BTreeSet;

use super::super::block::Session;
use super::{Bootstrap, Candidate, Range, Section};

/// Says whether an expression matches the full name of a file. The expressions are POSIX extended ones.
pub type NameFilter = Box<dyn FnMut(&str, &[u8]) -> bool + Send>;

/// A volume that must be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeToRead {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: Option<String>,
    /// The device the director would use.
    pub device: Option<String>,
    /// Its slot.
    pub slot: Option<u32>,
    /// Where to begin, the lowest first byte of all its sections.
    pub start: u64,
}

/// A bootstrap being worked off: remembers which sections are exhausted.
pub struct Selection {
    sections: Vec<Progress>,
    all_have_addresses: bool,
    all_have_sessions: bool,
    filter: Option<NameFilter>,
}

#[derive(Debug)]
struct Progress {
    section: Section,
    done: bool,
    last_index: u32,
    seen: u32,
    /// Whether the expression rejected the current file.
    skips: bool,
}

impl Selection {
    /// Begins at the start. Without a `filter`, expressions match every name: see [`needs_filter`](Self::needs_filter).
    #[must_use]
    pub fn new(bootstrap: &Bootstrap, filter: Option<NameFilter>) -> Self {
        let all = |has: fn(&Section) -> bool| bootstrap.sections.iter().all(has);
        let progress = |section: &Section| Progress {
            section: section.clone(),
            done: section.volumes.is_empty(),
            last_index: 0,
            seen: 0,
            skips: false,
        };
        Self {
            all_have_addresses: all(|s| !s.addresses.is_empty() || (!s.files.is_empty() && !s.blocks.is_empty())),
            all_have_sessions: all(|s| !s.session_ids.is_empty() && !s.session_times.is_empty()),
            sections: bootstrap.sections.iter().map(progress).collect(),
            filter,
        }
    }

    /// Whether a section has an expression for names.
    #[must_use]
    pub fn needs_filter(&self) -> bool {
        self.sections.iter().any(|progress| progress.section.file_regex.is_some())
    }

    /// The volumes in the order of their first mention, each once.
    #[must_use]
    pub fn volumes(&self) -> Vec<VolumeToRead> {
        let mut volumes: Vec<VolumeToRead> = Vec::new();
        for progress in &self.sections {
            let section = &progress.section;
            for (position, name) in section.volumes.iter().enumerate() {
                if volumes.iter().any(|known| known.name == *name) {
                    continue;
                }
                volumes.push(VolumeToRead {
                    name: name.clone(),
                    media_type: section.media_type.clone(),
                    device: section.device.clone(),
                    slot: section.slot.filter(|_| position == 0),
                    start: self.next_start(name, 0).unwrap_or(0),
                });
            }
        }
        volumes
    }

    /// Where to read on `volume` when everything before `at` has been read: `at` itself, or further on if nothing that is
    /// wanted begins before that. `None` when the volume has no more of what is wanted.
    #[must_use]
    pub fn next_start(&self, volume: &str, at: u64) -> Option<u64> {
        let open = self.sections.iter().filter(|progress| !progress.done && progress.is_on(volume));
        let nearest = open.filter_map(|progress| progress.section.nearest_start(at)).min()?;
        Some(if self.all_have_addresses { nearest.max(at) } else { at })
    }

    /// Whether any section could want a record of a block of `session`. Where it says no, the block need not be looked at.
    #[must_use]
    pub fn wants_block(&self, volume: &str, session: Session) -> bool {
        !self.all_have_sessions
            || self.sections.iter().any(|progress| {
                let section = &progress.section;
                !progress.done
                    && progress.is_on(volume)
                    && within(&section.session_ids, session.id)
                    && section.session_times.contains(&session.time)
            })
    }

    /// Whether a record on `volume` is wanted; ask of every record once and in order. Notes which sections are exhausted.
    pub fn wants(&mut self, volume: &str, record: &Candidate<'_>) -> bool {
        let mut wanted = false;
        for progress in &mut self.sections {
            // Every section is asked, for each keeps its own count.
            wanted |= progress.accepts(volume, record, self.filter.as_mut());
        }
        wanted
    }

    /// Notes that `volume` was read to its end or is not wanted any more.
    pub fn finish_volume(&mut self, volume: &str) {
        for progress in &mut self.sections {
            progress.done |= progress.section.volumes.last().is_some_and(|last| last == volume);
        }
    }

    /// The sessions of which something is wanted, as far as they are named one by one.
    #[must_use]
    pub fn sessions(&self) -> BTreeSet<Session> {
        let of = |section: &Section| -> Vec<Session> {
            let ids = section.session_ids.iter().filter(|(first, last)| first == last);
            ids.flat_map(|&(id, _)| section.session_times.iter().map(move |&time| Session { id, time })).collect()
        };
        self.sections.iter().flat_map(|progress| of(&progress.section)).collect()
    }

    /// The wanted files of a session among those from `first` to `last`: ranges in order, at most 100 of them.
    #[must_use]
    pub fn files_between(&self, session: Session, first: u32, last: u32) -> Vec<Range<u32>> {
        let mut ranges: Vec<Range<u32>> = Vec::new();
        for Progress { section, .. } in &self.sections {
            let is_of = within(&section.session_ids, session.id) && section.session_times.contains(&session.time);
            if !(is_of || section.session_ids.is_empty() && section.session_times.is_empty()) {
                continue;
            }
            let all = [(first, last)];
            let indexes = if section.file_indexes.is_empty() { &all[..] } else { &section.file_indexes };
            ranges.extend(indexes.iter().map(|&(a, b)| (a.max(first), b.min(last))).filter(|&(a, b)| a <= b));
        }
        ranges.sort_unstable();
        ranges.dedup_by(|next, before| {
            let joins = next.0 <= before.1.saturating_add(1);
            before.1 = if joins { before.1.max(next.1) } else { before.1 };
            joins
        });
        ranges.truncate(100);
        ranges
    }

    /// Whether nothing more is wanted of any volume.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.sections.iter().all(|progress| progress.done)
    }
}

impl std::fmt::Debug for Selection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Selection").field("sections", &self.sections).finish_non_exhaustive()
    }
}

impl Progress {
    fn is_on(&self, volume: &str) -> bool {
        self.section.volumes.iter().any(|name| name == volume)
    }

    fn accepts(&mut self, volume: &str, record: &Candidate<'_>, filter: Option<&mut NameFilter>) -> bool {
        if self.done || !self.is_on(volume) {
            return false;
        }
        let section = &self.section;
        if !section.has_address(record.address) {
            // Further volumes of the section begin at low addresses again.
            self.done = section.volumes.len() == 1 && section.is_past(record.address);
            return false;
        }
        if !section.session_times.is_empty() && !section.session_times.contains(&record.session.time) {
            self.done = section.volumes.len() == 1 && section.session_times.iter().all(|&t| t < record.session.time);
            return false;
        }
        if !section.session_ids.is_empty() && !within(&section.session_ids, record.session.id) {
            return false;
        }
        if !section.file_indexes.is_empty() && !within(&section.file_indexes, record.file_index) {
            let one_session = section.session_times.len() == 1 && section.session_ids.iter().all(|(a, b)| a == b);
            let passed = section.file_indexes.iter().all(|&(_, last)| last < record.file_index);
            self.done = passed && one_session && section.session_ids.len() == 1;
            return false;
        }
        if let (Some(regex), Some(name)) = (&section.file_regex, record.name) {
            self.skips = filter.is_some_and(|filter| !filter(regex, name));
        }
        if self.skips {
            return false;
        }
        if section.count.is_none() && section.file_indexes.is_empty() && !section.has_stream(record.stream) {
            return false;
        }
        self.counts(record.file_index)
    }

    /// Counts the files that were accepted; the one after the last ends the section.
    fn counts(&mut self, file_index: u32) -> bool {
        if file_index != self.last_index {
            self.last_index = file_index;
            self.seen = self.seen.saturating_add(1);
        }
        self.done = self.section.count.is_some_and(|count| count > 0 && self.seen > count);
        !self.done
    }
}

impl Section {
    fn has_address(&self, address: u64) -> bool {
        let (file, block) = ((address >> 32) as u32, address as u32);
        (self.addresses.is_empty() || within(&self.addresses, address))
            && (self.files.is_empty() || within(&self.files, file))
            && (self.blocks.is_empty() || within(&self.blocks, block))
    }

    /// Whether no range ends at or after `address`.
    fn is_past(&self, address: u64) -> bool {
        if !self.addresses.is_empty() {
            return self.addresses.iter().all(|&(_, last)| last < address);
        }
        !self.files.is_empty() && self.files.iter().all(|&(_, last)| u64::from(last) < address >> 32)
    }

    /// The lowest address from `at` on that is in a range, or one before that if there are no ranges.
    fn nearest_start(&self, at: u64) -> Option<u64> {
        if self.addresses.is_empty() {
            let low = |ranges: &[Range<u32>]| ranges.iter().map(|range| u64::from(range.0)).min().unwrap_or(0);
            return Some(low(&self.files) << 32 | low(&self.blocks));
        }
        let ahead = self.addresses.iter().filter(|range| range.1 >= at);
        ahead.map(|range| range.0.max(at)).min()
    }

    fn has_stream(&self, stream: i32) -> bool {
        self.streams.is_empty() || self.streams.contains(&stream)
    }
}

fn within<T: Copy + PartialOrd>(ranges: &[Range<T>], value: T) -> bool {
    ranges.iter().any(|&(first, last)| first <= value && value <= last)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: Session = Session { id: 1, time: 10 };

    fn section(volume: &str, addresses: Range<u64>, files: Range<u32>) -> Section {
        Section {
            volumes: vec![volume.into()],
            session_ids: vec![(1, 1)],
            session_times: vec![10],
            addresses: vec![addresses],
            file_indexes: vec![files],
            ..Section::default()
        }
    }

    fn selection(sections: Vec<Section>) -> Selection {
        Selection::new(&Bootstrap { sections }, None)
    }

    fn record(session: Session, file_index: u32, address: u64) -> Candidate<'static> {
        Candidate { session, file_index, stream: 2, address, name: None }
    }

    #[test]
    fn only_the_session_files_and_addresses_of_a_section_are_taken() {
        let mut wanted = selection(vec![section("A", (100, 1000), (2, 3))]);
        for (volume, session, file_index, address, expected) in [
            ("A", SESSION, 2, 100, true),
            ("A", SESSION, 3, 1000, true),
            ("B", SESSION, 2, 100, false),
            ("A", Session { id: 2, time: 10 }, 2, 100, false),
            ("A", Session { id: 1, time: 9 }, 2, 100, false),
            ("A", SESSION, 1, 100, false),
            ("A", SESSION, 2, 99, false),
        ] {
            assert_eq!(wanted.wants(volume, &record(session, file_index, address)), expected, "{volume} {file_index}");
            assert!(!wanted.is_done());
        }
    }

    #[test]
    fn a_section_is_done_when_its_address_its_files_or_its_time_are_passed() {
        for passed in [record(SESSION, 2, 1001), record(SESSION, 4, 100), record(Session { id: 1, time: 11 }, 2, 100)] {
            let mut wanted = selection(vec![section("A", (100, 1000), (2, 3))]);
            assert!(!wanted.wants("A", &passed));
            assert!(wanted.is_done(), "{passed:?}");
            assert_eq!(wanted.next_start("A", 0), None);
        }
        let mut wanted = selection(vec![section("A", (100, 1000), (2, 3))]);
        assert!(!wanted.wants("A", &record(Session { id: 9, time: 10 }, 2, 100)));
        assert!(!wanted.is_done(), "session ids interleave");
    }

    #[test]
    fn a_count_ends_a_section_with_the_first_file_after_it() {
        let mut wanted = selection(vec![Section { count: Some(2), ..section("A", (0, 1000), (1, 9)) }]);
        for file_index in [1, 1, 4, 4] {
            assert!(wanted.wants("A", &record(SESSION, file_index, 5)));
        }
        assert!(!wanted.wants("A", &record(SESSION, 5, 5)));
        assert!(wanted.is_done());
    }

    #[test]
    fn volumes_come_once_in_order_of_first_mention_with_their_lowest_start() {
        let sections =
            vec![section("B", (500, 600), (1, 2)), section("A", (7, 9), (1, 2)), section("B", (100, 200), (3, 4))];
        let wanted = selection(sections);
        let volumes: Vec<_> = wanted.volumes().into_iter().map(|volume| (volume.name, volume.start)).collect();
        assert_eq!(volumes, [("B".to_owned(), 100), ("A".to_owned(), 7)]);
        assert_eq!(wanted.next_start("B", 150), Some(150));
        assert_eq!(wanted.next_start("B", 300), Some(500));
        assert_eq!(wanted.next_start("B", 600), Some(600));
        assert_eq!(wanted.next_start("B", 601), None);
        assert_eq!(wanted.next_start("C", 0), None);
    }

    #[test]
    fn without_addresses_everything_is_read() {
        let wanted = selection(vec![Section { addresses: vec![], ..section("A", (0, 0), (1, 2)) }]);
        assert_eq!(wanted.next_start("A", 77), Some(77));
    }

    #[test]
    fn blocks_of_other_sessions_are_rejected_at_once_only_if_every_section_names_its_session() {
        let other = Session { id: 2, time: 10 };
        let mut sections = vec![section("A", (0, 1000), (1, 9))];
        assert!(!selection(sections.clone()).wants_block("A", other));
        assert!(selection(sections.clone()).wants_block("A", SESSION));
        sections.push(Section { session_ids: vec![], ..section("A", (0, 1000), (1, 9)) });
        assert!(selection(sections).wants_block("A", other));
    }

    #[test]
    fn an_expression_rejects_a_file_from_its_attributes_to_the_next() {
        let sections = vec![Section { file_regex: Some("keep".into()), ..section("A", (0, 1000), (1, 9)) }];
        let filter: NameFilter = Box::new(|regex, name| name.ends_with(regex.as_bytes()));
        let mut wanted = Selection::new(&Bootstrap { sections }, Some(filter));
        assert!(wanted.needs_filter());
        let named = |file_index, name| Candidate { name: Some(name), ..record(SESSION, file_index, 5) };
        assert!(!wanted.wants("A", &named(1, b"/drop")));
        assert!(!wanted.wants("A", &record(SESSION, 1, 5)));
        assert!(wanted.wants("A", &named(2, b"/keep")));
        assert!(wanted.wants("A", &record(SESSION, 2, 5)));
    }

    #[test]
    fn a_section_over_two_volumes_ends_with_the_second() {
        let mut wanted =
            selection(vec![Section { volumes: vec!["A".into(), "B".into()], ..section("A", (5, 9), (1, 9)) }]);
        assert!(!wanted.wants("A", &record(SESSION, 1, 10)));
        wanted.finish_volume("A");
        assert!(wanted.wants("B", &record(SESSION, 1, 5)));
        wanted.finish_volume("B");
        assert!(wanted.is_done());
    }
}
