//! Lines between a console and its director (`wire/1 §6`).

use crate::ids::JobId;

/// Lines of reports wait that the console has not been shown (`wire/1 §6.1`).
pub const NEWS: &str = "You have messages.\n";

/// The version of Bareos' director whose answers ours are like: programs compare it with the oldest that they need, and
/// Bareos' REST library refuses what is older than 20 (`wire/1 §6.6`).
pub const LIKE_VERSION: &str = "26.0.0";

/// How a job ended that a console of ours waits for: its letter.
#[must_use]
pub fn parse_end(line: &str) -> Option<u8> {
    let words = line.trim_end().strip_prefix("JobStatus=")?.strip_suffix(')')?;
    let (_, letter) = words.rsplit_once('(')?;
    if let [letter] = letter.as_bytes() { Some(*letter) } else { None }
}

/// The job that a director says it has started: `Job queued. JobId=7` (`wire/1 §6.2`).
#[must_use]
pub fn parse_queued(line: &str) -> Option<JobId> {
    line.trim_end().strip_prefix("Job queued. JobId=")?.parse().ok().map(JobId)
}

/// Whether a line of a stock director says that the command of this verb has failed (`wire/1 §6.2`). What reports and
/// lists are made of is no answer to a command.
#[must_use]
pub fn is_failure(verb: &str, line: &str) -> bool {
    if line.strip_suffix(": is an invalid command.") == Some(verb) || line.starts_with("Unknown list keyword: ") {
        return true;
    }
    let shows = ["messages", "list", "llist", "show", "query", "sqlquery"];
    let is_missing = line.ends_with("\" not found") || line.ends_with("\" not found.");
    (is_missing || line.starts_with("Error: ")) && !shows.iter().any(|word| word.starts_with(verb))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_is_queued_has_its_number_at_the_end_of_the_line() {
        assert_eq!(parse_queued("Job queued. JobId=12\n"), Some(JobId(12)));
        for line in ["Job queued. JobId=", "Job failed.", "  Job queued. JobId=1", "Job queued. JobId=x"] {
            assert_eq!(parse_queued(line), None, "{line}");
        }
    }

    #[test]
    fn the_end_of_a_job_is_its_letter_and_nothing_else_is_one() {
        assert_eq!(parse_end("JobStatus=OK -- with warnings (W)\n"), Some(b'W'));
        assert_eq!(parse_end("JobStatus=OK (T)"), Some(b'T'));
        for line in ["JobStatus=OK", "JobStatus=OK ()", "JobStatus=OK (TW)", "Status=OK (T)", "JobStatus=(é)"] {
            assert_eq!(parse_end(line), None, "{line}");
        }
    }

    #[test]
    fn a_failure_is_told_from_what_a_report_says() {
        assert!(is_failure("rum", "rum: is an invalid command.") && !is_failure("run", "rum: is an invalid command."));
        assert!(is_failure("run", "Job \"x\" not found.") && is_failure("run", "Error: no"));
        assert!(!is_failure("mess", "Error: in a report") && !is_failure("list", "File \"x\" not found"));
    }
}
