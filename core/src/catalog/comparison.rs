//! Comparing the files that are on a volume with the catalog's rows of them (`wire/2 §1.12`).
//!
//! Of files that agree nothing is kept but their place in the job, so that a job of millions takes no memory.

mod disk;

use std::collections::BTreeMap;

use crate::bulk::parcel::Parcel;
use crate::printable;
use crate::wire::attributes::Stat;
use crate::wire::digest::text_marks_unread;
use crate::wire::frame::{Decoder, Piece};
use crate::wire::verify::VerifyLine;

use super::FileRow;

pub use disk::rows_of;

/// Differences with a line in the report; more are only counted.
const MOST_LISTED: u64 = 1_000;

/// How far the comparison of a job is.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// The file that came last: its digest may still come.
    last: Option<OnVolume>,
    /// FileIndexes of the catalog that were found on the volumes.
    found: Indexes,
    differences: u64,
    /// Whether it is the disk that is compared, of which places in the job say nothing.
    of_disk: bool,
    /// Whether the head of the files that are missing is said.
    has_missed: bool,
}

/// A file as it is on the volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnVolume {
    /// 0: it was deleted.
    index: u32,
    /// Letters of what is to be compared.
    fields: Vec<u8>,
    name: Vec<u8>,
    lstat: Vec<u8>,
    digest: Option<Vec<u8>>,
}

impl OnVolume {
    /// The name under which the catalog is asked for it.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.name
    }
}

impl Comparison {
    /// One of what is on the disk.
    #[must_use]
    pub fn of_disk() -> Self {
        Self { of_disk: true, ..Self::default() }
    }

    /// How many files differ, or are missing on either side.
    #[must_use]
    pub const fn differences(&self) -> u64 {
        self.differences
    }

    /// The file that came last, once no more come.
    pub const fn take_last(&mut self) -> Option<OnVolume> {
        self.last.take()
    }

    /// Takes lines of the file daemon; returns the files that are complete.
    pub fn take(&mut self, lines: &Parcel) -> Vec<OnVolume> {
        let (mut rest, mut decoder, mut complete) = (&lines.bytes[..], Decoder::new(), Vec::new());
        while let Ok(Some(piece)) = decoder.next(&mut rest) {
            let Piece::Data { bytes, .. } = piece else { continue };
            match VerifyLine::parse(bytes) {
                Some(VerifyLine::Attributes { file_index, options, name, lstat, .. }) => {
                    complete.extend(self.last.replace(OnVolume {
                        index: u32::try_from(file_index).unwrap_or(0),
                        fields: options.to_vec(),
                        name: name.to_vec(),
                        lstat: lstat.to_vec(),
                        digest: None,
                    }));
                }
                Some(VerifyLine::Digest { digest, .. }) => {
                    if let Some(last) = &mut self.last {
                        last.digest = Some(digest.to_vec());
                    }
                }
                None => {}
            }
        }
        complete
    }

    /// Compares files of the volume with the rows of their names.
    pub fn compare(&mut self, files: &[OnVolume], rows: &[FileRow], notes: &mut Vec<String>) {
        let mut by_name: BTreeMap<&[u8], Vec<&FileRow>> = BTreeMap::new();
        for row in rows {
            by_name.entry(&row.name).or_default().push(row);
        }
        for file in files {
            let rows = by_name.get(&file.name[..]);
            let has_row = rows.is_some_and(|rows| rows.iter().any(|row| row.file_index == file.index));
            if !has_row && file.digest.as_deref().is_some_and(text_marks_unread) {
                // It was not wholly saved, and the catalog is right not to have it (`wire/2 §2.5`).
                continue;
            }
            let Some(rows) = rows else {
                match self.of_disk {
                    true => self.list(vec![format!("New file: {}", printable::name(&file.name))], notes),
                    false => self.differs(&file.name, "is not in the catalog", notes),
                }
                continue;
            };
            // A name may come twice in a job.
            let same = rows.iter().find(|row| row.file_index == file.index);
            let Some(row) = same.or_else(|| rows.first()) else { continue };
            self.found.insert(row.file_index);
            if self.of_disk {
                let different = disk::differences(file, row);
                if !different.is_empty() {
                    let head = format!("File: {}", printable::name(&file.name));
                    self.list([vec![head], different].concat(), notes);
                }
                continue;
            }
            let different = differences(file, row);
            if !different.is_empty() {
                self.differs(&file.name, &different.join("; "), notes);
            }
        }
    }

    /// Takes files of the catalog, all of which should have been found.
    pub fn miss(&mut self, files: &[FileRow], notes: &mut Vec<String>) {
        for row in files.iter().filter(|row| row.file_index > 0) {
            if !self.found.contains(row.file_index) && self.of_disk {
                if !std::mem::replace(&mut self.has_missed, true) {
                    notes.push("The following files are in the Catalog but not on disk:".to_owned());
                }
                self.list(vec![format!("      {}", printable::name(&row.name))], notes);
            } else if !self.found.contains(row.file_index) {
                self.differs(&row.name, "is not on the volume", notes);
            }
        }
    }

    fn differs(&mut self, name: &[u8], how: &str, notes: &mut Vec<String>) {
        self.list(vec![format!("Difference: {}: {how}", printable::name(name))], notes);
    }

    /// A difference, in these lines.
    fn list(&mut self, lines: Vec<String>, notes: &mut Vec<String>) {
        self.differences += 1;
        if self.differences <= MOST_LISTED {
            notes.extend(lines);
        } else if self.differences == MOST_LISTED + 1 {
            notes.push(format!("There are more than {MOST_LISTED} differences: the others are only counted."));
        }
    }
}

/// In what a file on the volume is not as the catalog has it.
fn differences(file: &OnVolume, row: &FileRow) -> Vec<String> {
    let mut found = Vec::new();
    if file.index != row.file_index {
        found.push(format!("place in the job: catalog {}, volume {}", row.file_index, file.index));
    }
    let (catalog, volume) = (Stat::decode(&row.lstat), Stat::decode(&file.lstat));
    let mut note = |what: &str, catalog: &dyn std::fmt::Display, volume: &dyn std::fmt::Display| {
        found.push(format!("{what}: catalog {catalog}, volume {volume}"));
    };
    for field in &file.fields {
        match field {
            b'i' if catalog.ino != volume.ino => note("inode", &catalog.ino, &volume.ino),
            b'p' if catalog.mode != volume.mode => {
                note("mode", &format!("{:o}", catalog.mode), &format!("{:o}", volume.mode));
            }
            b'n' if catalog.nlink != volume.nlink => note("links", &catalog.nlink, &volume.nlink),
            b'u' if catalog.uid != volume.uid => note("owner", &catalog.uid, &volume.uid),
            b'g' if catalog.gid != volume.gid => note("group", &catalog.gid, &volume.gid),
            b's' if catalog.size != volume.size => note("size", &catalog.size, &volume.size),
            b'd' if catalog.size > volume.size => note("size", &catalog.size, &volume.size),
            b'a' if catalog.atime != volume.atime => note("time of access", &catalog.atime, &volume.atime),
            b'm' if catalog.mtime != volume.mtime => note("time of change", &catalog.mtime, &volume.mtime),
            b'c' if catalog.ctime != volume.ctime => {
                note("time of change of the attributes", &catalog.ctime, &volume.ctime);
            }
            b'5' | b'1' => {
                let catalog = Some(&row.md5[..]).filter(|digest| !matches!(*digest, b"" | b"0"));
                let volume = file.digest.as_deref();
                if catalog != volume {
                    let text = |digest: Option<&[u8]>| digest.map_or_else(|| "none".to_owned(), printable::name);
                    note("digest", &text(catalog), &text(volume));
                }
            }
            _ => {}
        }
    }
    found
}

/// Places in a job, as runs: those of a good volume are one run.
#[derive(Clone, Debug, Default)]
struct Indexes(BTreeMap<u32, u32>);

impl Indexes {
    fn insert(&mut self, index: u32) {
        let (mut first, mut last) = (index, index);
        if let Some((&start, &end)) = self.0.range(..=index).next_back() {
            if end >= index {
                return;
            }
            if end + 1 == index {
                first = start;
            }
        }
        if let Some(end) = index.checked_add(1).and_then(|next| self.0.remove(&next)) {
            last = end;
        }
        self.0.insert(first, last);
    }

    fn contains(&self, index: u32) -> bool {
        self.0.range(..=index).next_back().is_some_and(|(_, &end)| end >= index)
    }
}

#[cfg(test)]
mod tests {
    use crate::wire::digest::{Algorithm, Digest};

    use super::*;

    #[test]
    fn places_are_runs_whatever_their_order() {
        let mut found = Indexes::default();
        for index in [5, 1, 2, 4, 9, 3, 3, u32::MAX, 0] {
            found.insert(index);
        }
        assert_eq!(found.0.into_iter().collect::<Vec<_>>(), [(0, 5), (9, 9), (u32::MAX, u32::MAX)]);
        let mut found = Indexes::default();
        found.insert(7);
        assert!(found.contains(7) && !found.contains(6) && !found.contains(8));
    }

    fn row(index: u32, name: &str, stat: &Stat, digest: &str) -> FileRow {
        let mut lstat = Vec::new();
        stat.encode(&mut lstat);
        FileRow { job_id: 1, file_index: index, name: name.into(), lstat, md5: digest.into(), delta_seq: 0 }
    }

    fn on_volume(row: &FileRow, fields: &str) -> OnVolume {
        let digest = Some(row.md5.clone()).filter(|digest| digest != b"0");
        let (index, name, lstat) = (row.file_index, row.name.clone(), row.lstat.clone());
        OnVolume { index, fields: fields.into(), name, lstat, digest }
    }

    #[test]
    fn only_the_fields_that_the_file_daemon_names_are_compared() {
        let stat = Stat { ino: 1, mode: 0o100_644, nlink: 1, uid: 2, gid: 3, size: 4, ..Stat::default() };
        let other =
            Stat { ino: 9, mode: 0o100_600, nlink: 2, uid: 8, gid: 7, size: 3, atime: 1, mtime: 2, ctime: 3, ..stat };
        let (catalog, volume) = (row(1, "/a", &stat, "abc"), row(1, "/a", &other, "0"));
        let found = |fields: &str| differences(&on_volume(&volume, fields), &catalog);
        assert_eq!(
            found("pinsug5"),
            [
                "mode: catalog 100644, volume 100600",
                "inode: catalog 1, volume 9",
                "links: catalog 1, volume 2",
                "size: catalog 4, volume 3",
                "owner: catalog 2, volume 8",
                "group: catalog 3, volume 7",
                "digest: catalog abc, volume none",
            ]
        );
        assert_eq!(found("Vamc").len(), 3);
        assert_eq!(found("d"), ["size: catalog 4, volume 3"]);
        assert_eq!(differences(&on_volume(&catalog, "pinsug5amcd1"), &catalog), Vec::<String>::new());
    }

    #[test]
    fn a_name_that_a_job_has_twice_is_compared_by_its_place() {
        let (one, two) = (Stat { size: 1, ..Stat::default() }, Stat { size: 2, ..Stat::default() });
        let rows = [row(1, "/a", &one, "0"), row(5, "/a", &two, "0")];
        let mut comparison = Comparison::default();
        let mut notes = Vec::new();
        let files: Vec<OnVolume> = rows.iter().map(|row| on_volume(row, "s")).collect();
        comparison.compare(&files, &rows, &mut notes);
        comparison.miss(&rows, &mut notes);
        assert_eq!((notes.len(), comparison.differences), (0, 0), "{notes:?}");
        let moved = OnVolume { index: 2, ..files[1].clone() };
        let mut comparison = Comparison::default();
        comparison.compare(&[moved], &rows[1..], &mut notes);
        assert_eq!(notes, ["Difference: /a: place in the job: catalog 5, volume 2"]);
    }

    #[test]
    fn what_its_client_could_not_read_wholly_is_no_difference_where_the_catalog_does_not_have_it() {
        let unread = Digest::unread(Algorithm::Md5).catalog_text();
        let stat = Stat::default();
        let file = on_volume(&row(4, "/a", &stat, &unread), "5");
        let compared = |file: &OnVolume, rows: &[FileRow]| {
            let (mut comparison, mut notes) = (Comparison::default(), Vec::new());
            comparison.compare(std::slice::from_ref(file), rows, &mut notes);
            notes
        };
        assert_eq!(compared(&file, &[]), [] as [&str; 0]);
        assert_eq!(compared(&file, &[row(7, "/a", &stat, "abc")]), [] as [&str; 0], "the name once more, and whole");
        let kept = compared(&file, &[row(4, "/a", &stat, "abc")]);
        assert!(kept.len() == 1 && kept[0].contains("digest: catalog abc, volume AAAA"), "{kept:?}");
        let whole = on_volume(&row(4, "/a", &stat, "abc"), "5");
        assert_eq!(compared(&whole, &[]), ["Difference: /a: is not in the catalog"]);
    }

    #[test]
    fn a_thousand_differences_are_listed_and_all_are_counted() {
        let mut comparison = Comparison::default();
        let mut notes = Vec::new();
        for index in 1..=1_002 {
            comparison.miss(&[row(index, "/a\nb", &Stat::default(), "0")], &mut notes);
        }
        assert_eq!((comparison.differences, notes.len()), (1_002, 1_001));
        assert_eq!(notes[0], "Difference: /a\\x0ab: is not on the volume");
        assert!(notes[1_000].starts_with("There are more than 1000 differences"), "{}", notes[1_000]);
    }
}
