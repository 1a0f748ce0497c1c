//! Jobs that only probe a way, and packets of a size to probe it with. Nobody knows such a job, so whoever is dialled for it
//! refuses it: no device is reserved and no byte of data goes.
//!
//! Where the name of the job has a size, the dialler's hello goes in clear, whatever TLS the way has for jobs, and is filled with
//! blanks to so many bytes; a Towline daemon fills its challenge likewise. What comes back shows that packets of that size
//! get through, both ways if both are Towline. A daemon of Bareos finds such a hello too long, and hangs up (`wire/1 §3`).

use std::ops::RangeInclusive;

/// What the names of such jobs begin with. A size may follow, and then the time as in each unique name of a job.
pub const NAME: &str = "-Probe-";

/// Bytes that a line can be filled to: more than each line has without, and more than a packet of Ethernet.
pub const SIZES: RangeInclusive<usize> = 256..=3_000;

/// Whether a job with this unique name only probes a way.
pub fn is_probe(job: &str) -> bool {
    job.starts_with(NAME)
}

/// The bytes that the first lines of a connection for this job are filled to; `None` for every other job.
pub fn size(job: &str) -> Option<usize> {
    let (size, _) = job.strip_prefix(NAME)?.split_once('.')?;
    size.parse().ok().filter(|size| SIZES.contains(size))
}

/// Fills a line with blanks, before the line feed if it has one. A line that is as long already stays as it is.
pub fn fill(line: &mut Vec<u8>, size: usize) {
    let ends = line.last() == Some(&b'\n');
    line.truncate(line.len() - usize::from(ends));
    let size = size.saturating_sub(usize::from(ends)).max(line.len());
    line.resize(size, b' ');
    if ends {
        line.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::cram_md5::Challenge;
    use crate::wire::hello::{Hello, Purpose, Version, is_marked};

    #[test]
    fn only_the_name_of_a_probe_has_a_size() {
        assert_eq!(size("-Probe-2900.2026-01-01_00.00.00_00"), Some(2_900));
        for other in ["-Probe-.2026-01-01_00.00.00_00", "-Probe-99.x", "-Probe-3001.x", "-Probe-2900", "2900.x", ""] {
            assert_eq!(size(other), None, "{other}");
        }
        assert!(is_probe("-Probe-.x") && !is_probe("nightly.x"));
    }

    #[test]
    fn lines_say_the_same_when_they_are_filled() {
        let purpose = Purpose::StartJob { job: "-Probe-2900.x".to_owned() };
        let hello = Hello::new(purpose, Version { major: 26, minor: 0, patch: 0 });
        let mut line = hello.to_marked_line().into_bytes();
        fill(&mut line, 2_900);
        assert_eq!((line.len(), line.last()), (2_900, Some(&b'\n')));
        assert_eq!(Hello::parse(&line), Some(hello));
        assert!(is_marked(&line));
        let challenge = Challenge::new(1, 2, "sd", 0);
        let mut line = challenge.to_line().into_bytes();
        fill(&mut line, 2_900);
        assert_eq!(Challenge::parse(&line), Some(challenge));
        let long = line.clone();
        fill(&mut line, 300);
        assert_eq!(line, long);
    }
}
