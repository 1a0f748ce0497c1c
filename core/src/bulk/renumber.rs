//! Attribute records of files that get other numbers: a storage daemon counts anew what it takes from several jobs
//! (`wire/3 §1.7`). The record has the file's own number in front, and in the attributes of a hard link that of the file with
//! the data; a restore of the link alone goes by that (`wire/3 §7.7`).

use std::collections::BTreeMap;
use std::io::Write as _;

use crate::limits::HARD_LINKED;
use crate::wire::attributes::AttributeRecord;
use crate::wire::base64::put_number;
use crate::wire::block::Session;
use crate::wire::stream::FileType;

/// The place of LinkFI among the fields of encoded attributes.
const LINK_FI_FIELD: usize = 13;
/// The bits of a mode that say what a file is, and what they say of a folder, whose links are its subfolders.
const FORMAT: u32 = 0o170_000;
const FOLDER: u32 = 0o040_000;

/// What is known of the files that others are links to.
#[derive(Debug, Default)]
pub(super) struct Renumber {
    /// New numbers of files with several links, by session and old number.
    linked: BTreeMap<(Session, i32), i32>,
    /// Whether there were more than are kept.
    is_full: bool,
}

impl Renumber {
    /// Whether a link may point to a file that is not known any more.
    pub(super) const fn is_full(&self) -> bool {
        self.is_full
    }

    /// Writes the record with its new number over what is in `out`. False if it cannot be read and has to go as it is.
    pub(super) fn record(
        &mut self,
        record: &[u8],
        (session, old): (Session, i32),
        new: i32,
        out: &mut Vec<u8>,
    ) -> bool {
        let Ok(parsed) = AttributeRecord::parse(record) else { return false };
        let Some(after_number) = record.iter().position(|&byte| byte == b' ') else { return false };
        let stat = parsed.stat();
        let is_link = parsed.kind() == Some(FileType::HardLink);
        if !is_link && stat.nlink > 1 && stat.mode & FORMAT != FOLDER {
            self.is_full |= self.linked.len() >= HARD_LINKED;
            if !self.is_full {
                self.linked.insert((session, old), new);
            }
        }
        out.clear();
        // Writing into a vector cannot fail.
        let _ = write!(out, "{new}");
        if !is_link || stat.link_fi == 0 {
            out.extend_from_slice(&record[after_number..]);
            return true;
        }
        let first = self.linked.get(&(session, stat.link_fi)).copied().unwrap_or(0);
        let begin = record.len() - after(record, parsed.name);
        out.extend_from_slice(&record[after_number..begin]);
        for (place, field) in parsed.lstat.split(|&byte| byte == b' ').enumerate() {
            if place > 0 {
                out.push(b' ');
            }
            if place == LINK_FI_FIELD {
                put_number(out, first.into());
            } else {
                out.extend_from_slice(field);
            }
        }
        out.extend_from_slice(&record[begin + parsed.lstat.len()..]);
        true
    }
}

/// How many bytes of a record come after its name and the zero byte at its end.
fn after(record: &[u8], name: &[u8]) -> usize {
    // Number, type and name are told apart by one blank each.
    let head = record.iter().enumerate().filter(|(_, byte)| **byte == b' ').nth(1).map_or(0, |(at, _)| at + 1);
    record.len().saturating_sub(head + name.len() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::attributes::{NewAttributes, Stat};

    const ONE: Session = Session { id: 1, time: 9 };
    const TWO: Session = Session { id: 2, time: 9 };

    fn record(file_type: FileType, index: i32, nlink: u64, link_fi: i32) -> Vec<u8> {
        let stat = Stat { nlink, link_fi, size: 77, ..Stat::default() };
        let new = NewAttributes { file_type, name: b"/a b", stat: &stat, link: b"/x", attrs_ex: b"", delta_seq: 0 };
        let mut out = Vec::new();
        new.encode(index, &mut out);
        out
    }

    #[test]
    fn files_and_the_links_to_them_get_their_new_numbers() {
        let (mut renumber, mut out) = (Renumber::default(), Vec::new());
        let mut put = |record: &[u8], of: (Session, i32), new: i32| {
            assert!(renumber.record(record, of, new, &mut out));
            out.clone()
        };
        let file = |index| record(FileType::Regular, index, 2, 0);
        assert_eq!(put(&file(70), (ONE, 70), 1), file(1));
        assert_eq!(put(&file(3), (TWO, 3), 1_000), file(1_000));
        let link = |index, first| record(FileType::HardLink, index, 2, first);
        assert_eq!(put(&link(71, 70), (ONE, 71), 2), link(2, 1));
        assert_eq!(put(&link(4, 3), (TWO, 4), 1_001), link(1_001, 1_000));
        assert_eq!(put(&link(5, 70), (TWO, 5), 1_002), link(1_002, 0), "another session's file");
        let single = record(FileType::Regular, 8, 1, 0);
        assert_eq!(put(&single, (ONE, 8), 9), record(FileType::Regular, 9, 1, 0));
    }

    #[test]
    fn as_many_linked_files_are_kept_as_said_and_not_one_more() {
        let (mut renumber, mut out) = (Renumber::default(), Vec::new());
        renumber.linked = (1..HARD_LINKED as i32).map(|index| ((TWO, index), index)).collect();
        let file = |index| record(FileType::Regular, index, 2, 0);
        assert!(renumber.record(&file(1), (ONE, 1), 1, &mut out) && !renumber.is_full());
        assert!(renumber.record(&file(2), (ONE, 2), 2, &mut out) && renumber.is_full());
    }

    #[test]
    fn what_is_no_attribute_record_stays() {
        let (mut renumber, mut out) = (Renumber::default(), Vec::new());
        for bad in [&b""[..], b"7", b"x 3 /a\0A\0", b"1 3 "] {
            assert!(!renumber.record(bad, (ONE, 1), 2, &mut out), "{bad:?}");
        }
    }
}
