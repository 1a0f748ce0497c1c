//! Jobs that only probe a way: a daemon dials for them as for any other, but not for as long.

use std::time::Duration;

use crate::wire::probe;

/// How long a daemon dials for one at most: four segments that ask for a connection, and the way is known.
const LONGEST: Duration = Duration::from_secs(10);

/// How long a daemon dials for a job with this unique name, if it is configured to dial for so long.
pub(crate) fn within(job: &str, configured: Duration) -> Duration {
    if probe::is_probe(job) { configured.min(LONGEST) } else { configured }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_ends_soon_and_a_job_when_it_is_configured_to() {
        let seconds = Duration::from_secs;
        let probe = "-Probe-.2026-01-01_00.00.00_00";
        assert_eq!(within(probe, seconds(1_800)), seconds(10));
        assert_eq!(within(probe, seconds(3)), seconds(3));
        assert_eq!(within("nightly.2026-01-01_00.00.00_04", seconds(1_800)), seconds(1_800));
    }
}
