//! What a daemon has to say of single files and volumes: there may be hundreds of thousands. They go to the director by the
//! parcel, one at a time and only as fast as it takes them, and no job says more than its share.

use std::collections::VecDeque;

use crate::bulk::parcel::Parcel;
use crate::error::Code;
use crate::printable;
use crate::wire::frame::{HEAD, put_data};

/// Lines of one job.
pub(super) const MOST_LINES: u32 = 2_000;

/// Bytes of all lines of one job.
const MOST_BYTES: usize = 1024 * 1024;

/// Bytes of a line; what is longer, because of a long name, is cut.
const LONGEST: usize = 8 * 1024;

/// The lines of a job that wait for the director, and how many there have been.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    waiting: VecDeque<Parcel>,
    under_way: bool,
    lines: u32,
    bytes: usize,
    left_out: u64,
}

impl Remarks {
    /// Whether another line is let through; if not, it counts as left out. Ask before a line is made.
    pub(super) const fn takes_more(&mut self) -> bool {
        let fits = self.lines < MOST_LINES && self.bytes < MOST_BYTES;
        if !fits {
            self.left_out = self.left_out.saturating_add(1);
        }
        fits
    }

    /// Adds a line that was let through.
    pub(super) fn add(&mut self, line: &str) {
        let line = cut(line);
        self.lines += 1;
        self.bytes += line.len();
        if self.waiting.back().is_none_or(|parcel| parcel.room() < HEAD + line.len()) {
            self.waiting.push_back(Parcel::default());
        }
        if let Some(parcel) = self.waiting.back_mut() {
            put_data(&mut parcel.bytes, line.as_bytes());
            parcel.frames += 1;
        }
    }

    /// The next parcel for the director, if it has taken the last.
    pub(super) fn next(&mut self) -> Option<Parcel> {
        let parcel = if self.under_way { None } else { self.waiting.pop_front() };
        self.under_way |= parcel.is_some();
        parcel
    }

    /// The director has taken a parcel.
    pub(super) const fn taken(&mut self) {
        self.under_way = false;
    }

    /// At the end of the job: the frames that still wait, and how many lines were left out, as a text.
    pub(super) fn finish(&mut self) -> (Vec<u8>, Option<String>) {
        let frames = self.waiting.drain(..).flat_map(|parcel| parcel.bytes).collect();
        let left_out = std::mem::take(&mut self.left_out);
        let text = format!("{left_out} more lines about single files were left out ({})", Code(541));
        (frames, (left_out > 0).then_some(text))
    }
}

/// A line without what is too long of it; its line feed stays.
fn cut(line: &str) -> std::borrow::Cow<'_, str> {
    if line.len() <= LONGEST {
        return line.into();
    }
    format!("{}\n", printable::shortened(line, LONGEST - 1)).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::PARCEL;

    fn say(remarks: &mut Remarks, line: &str) -> bool {
        let takes = remarks.takes_more();
        if takes {
            remarks.add(line);
        }
        takes
    }

    #[test]
    fn one_parcel_is_under_way_at_a_time_and_the_rest_comes_at_the_end() {
        let mut remarks = Remarks::default();
        assert!(remarks.next().is_none());
        say(&mut remarks, "a\n");
        say(&mut remarks, "b\n");
        let first = remarks.next().map(|parcel| (parcel.frames, parcel.bytes));
        assert_eq!(first, Some((2, b"\0\0\0\x02a\n\0\0\0\x02b\n".to_vec())));
        say(&mut remarks, "c\n");
        assert!(remarks.next().is_none(), "the director has not taken the first");
        remarks.taken();
        assert_eq!(remarks.next().map(|parcel| parcel.frames), Some(1));
        say(&mut remarks, "d\n");
        assert_eq!(remarks.finish(), (b"\0\0\0\x02d\n".to_vec(), None));
    }

    #[test]
    fn of_many_lines_two_thousand_are_said_and_the_rest_is_counted() {
        let mut remarks = Remarks::default();
        let said = (0..MOST_LINES + 7).filter(|n| say(&mut remarks, &format!("{n}\n"))).count();
        let (_, text) = remarks.finish();
        assert_eq!(said, MOST_LINES as usize);
        assert_eq!(text.as_deref(), Some("7 more lines about single files were left out (T0541)"));
        assert_eq!(remarks.finish(), (Vec::new(), None), "and that is said once");
    }

    #[test]
    fn long_lines_are_cut_and_together_they_are_a_megabyte_in_parcels_of_the_usual_size() {
        let mut remarks = Remarks::default();
        let long = format!("{}\n", "ä".repeat(LONGEST));
        let said = (0..1_000).filter(|_| say(&mut remarks, &long)).count();
        assert!((MOST_BYTES / LONGEST..=MOST_BYTES / LONGEST + 1).contains(&said), "{said}");
        let mut all = 0;
        while let Some(parcel) = remarks.next() {
            assert!(parcel.bytes.len() <= PARCEL && parcel.bytes.ends_with("…\n".as_bytes()));
            all += parcel.frames as usize;
            remarks.taken();
        }
        assert_eq!(all, said);
        let exact = format!("{}\n", "x".repeat(LONGEST - 1));
        assert_eq!((cut(&exact).len(), cut(&format!("x{exact}")).len()), (LONGEST, LONGEST));
    }
}
