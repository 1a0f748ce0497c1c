//! Times for people, in this machine's zone, and times in the names of jobs.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A moment in seconds since 1970, or a dash for one that no calendar has.
pub(super) fn moment(seconds: i64) -> String {
    let local = Timestamp::from_second(seconds).map(|time| TimeZone::system().to_datetime(time));
    local.map_or_else(|_| "-".to_owned(), |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// The same of microseconds, as labels have them.
pub(super) fn label_moment(micros: i64) -> String {
    moment(micros.div_euclid(1_000_000))
}

/// When a job was ordered, as its own name says (`wire/3 §0.5`): local time of its director, taken for this machine's.
pub(super) fn ordered(job: &[u8]) -> Option<i64> {
    let job = std::str::from_utf8(job).ok()?;
    let at = job.len().checked_sub("YYYY-MM-DD_hh.mm.ss_nn".len())?;
    let stamp = job.get(at..)?;
    let time = DateTime::strptime("%Y-%m-%d_%H.%M.%S", stamp.rsplit_once('_')?.0).ok()?;
    TimeZone::system().to_timestamp(time).ok().map(Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_job_says_when_it_was_ordered() {
        let time = ordered(b"Nightly.backup.2026-11-23_12.45.50_04").unwrap();
        assert_eq!(moment(time), "2026-11-23 12:45:50");
        for name in [&b"b.1"[..], b"", b"b.2026-13-23_12.45.50_04", b"2026-11-23", b"\xff.2026-11-23_12.45.50_04x"] {
            assert_eq!(ordered(name), None, "{}", String::from_utf8_lossy(name));
        }
    }

    #[test]
    fn a_time_that_no_calendar_has_is_a_dash() {
        assert_eq!((moment(i64::MAX), label_moment(i64::MIN)), ("-".to_owned(), "-".to_owned()));
    }
}
