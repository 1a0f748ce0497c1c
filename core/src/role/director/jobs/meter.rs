//! How much the daemons of one job may say: a client that floods its director fills neither its memory nor its catalog,
//! and the report says how much was left out.

use crate::error::Code;
use crate::time::Instant;

/// Lines of one job.
const MOST_LINES: u32 = 10_000;

/// Bytes of all lines of one job.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of a line; what is longer is cut.
const LONGEST: usize = 16 * 1024;

/// Lines that may come at once, and how many more each second after that.
const BURST: u32 = 4_000;
const A_SECOND: u64 = 200;

const SECOND: u64 = 1_000_000_000;

/// Counts the lines of a job.
#[derive(Debug)]
pub(crate) struct Meter {
    lines: u32,
    bytes: usize,
    /// Lines that may come now, and since when that is so.
    allowed: u32,
    since: Instant,
    left_out: u64,
}

impl Default for Meter {
    fn default() -> Self {
        Self { lines: 0, bytes: 0, allowed: BURST, since: Instant(0), left_out: 0 }
    }
}

impl Meter {
    /// A line that is let through, without what is too long of it; `None` if it is left out.
    pub(crate) fn pass(&mut self, mut line: String, now: Instant) -> Option<String> {
        let seconds = now.0.saturating_sub(self.since.0) / SECOND;
        if seconds > 0 {
            let more = u32::try_from(seconds.saturating_mul(A_SECOND)).unwrap_or(u32::MAX);
            self.allowed = self.allowed.saturating_add(more).min(BURST);
            self.since = now;
        }
        if line.len() > LONGEST {
            let end = (0..=LONGEST - 4).rev().find(|&at| line.is_char_boundary(at)).unwrap_or(0);
            line.truncate(end);
            line.push_str("…\n");
        }
        if self.lines >= MOST_LINES || self.bytes >= MOST_BYTES || self.allowed == 0 {
            self.left_out = self.left_out.saturating_add(1);
            return None;
        }
        self.lines += 1;
        self.bytes += line.len();
        self.allowed -= 1;
        Some(line)
    }

    /// What to say at the end of the job; `None` if every line was let through.
    pub(crate) fn left_out(&self) -> Option<String> {
        let text = format!("{} more lines of the job's daemons were left out ({})", self.left_out, Code(542));
        (self.left_out > 0).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(meter: &mut Meter, lines: u32, second: u64) -> usize {
        (0..lines).filter(|_| meter.pass("a line\n".to_owned(), Instant(second * SECOND)).is_some()).count()
    }

    #[test]
    fn four_thousand_lines_may_come_at_once_and_then_two_hundred_a_second() {
        let mut meter = Meter::default();
        assert_eq!(passed(&mut meter, BURST + 1, 100), BURST as usize);
        assert_eq!(passed(&mut meter, 1_000, 101), 200);
        assert_eq!(passed(&mut meter, 1_000, 104), 600);
        assert_eq!(meter.left_out().as_deref(), Some("1201 more lines of the job's daemons were left out (T0542)"));
    }

    #[test]
    fn ten_thousand_lines_are_kept_of_a_job_and_not_one_more() {
        let mut meter = Meter::default();
        let all: usize = (0..20).map(|n| passed(&mut meter, 1_000, 1_000 * n)).sum();
        assert_eq!(all, MOST_LINES as usize);
        assert_eq!(passed(&mut Meter::default(), 300, 0), 300);
        assert_eq!(Meter::default().left_out(), None);
    }

    #[test]
    fn a_line_is_cut_and_all_lines_together_are_four_megabytes() {
        let mut meter = Meter::default();
        let long = format!("{}\n", "ä".repeat(LONGEST));
        let line = meter.pass(long.clone(), Instant(0)).unwrap();
        assert!(line.len() <= LONGEST && line.len() > LONGEST - 4 && line.ends_with("…\n"));
        let more = (0..1_000).filter(|_| meter.pass(long.clone(), Instant(0)).is_some()).count();
        assert!((1 + more) * (LONGEST - 4) <= MOST_BYTES + LONGEST, "{more}");
    }
}
