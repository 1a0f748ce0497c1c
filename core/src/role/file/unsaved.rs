//! Where a job keeps the list of what it could not save ([`crate::bulk::unsaved`]).

use sha2::{Digest as _, Sha256};

use crate::bulk::unsaved::UnsavedList;
use crate::role::report::resource_name;

use super::job::Job;

/// Bytes of the job's name that the name of the file shows.
const SHOWN: usize = 64;

/// The list of a job: the same file for all jobs of this name that this director orders.
pub(super) fn list_of(director: &str, job: &Job) -> UnsavedList {
    UnsavedList {
        path: file_name(director, resource_name(&job.name)),
        began: job.started.seconds(),
        forget: job.asked.since.filter(|_| job.asked.level == b'D'),
    }
}

/// Begins with the job's name as far as it is harmless, for people; what follows tells all apart.
fn file_name(director: &str, job: &str) -> String {
    let harmless = |byte: u8| if byte.is_ascii_alphanumeric() || byte == b'-' { char::from(byte) } else { '_' };
    let shown: String = job.bytes().take(SHOWN).map(harmless).collect();
    let digest = Sha256::new().chain_update(director).chain_update([0]).chain_update(job).finalize();
    let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{shown}.{digest}.unsaved")
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn no_two_jobs_share_a_file_and_none_is_outside_of_the_folder() {
        let mut names: Vec<_> = [
            ("d", "nightly"),
            ("other", "nightly"),
            ("d", "../../etc/passwd"),
            ("d", ".._..:etc:passwd"),
            ("d", ""),
            ("d\0a", "b"),
            ("d", "a\0b"),
            ("d", &"x".repeat(127)),
            ("d", &"x".repeat(126)),
        ]
        .map(|(director, job)| file_name(director, job))
        .into();
        assert!(names[0].starts_with("nightly.") && names[0].ends_with(".unsaved"), "{names:?}");
        assert!(
            names.iter().all(|name| !name.contains('/') && !name.starts_with("..") && name.len() < 128),
            "{names:?}"
        );
        assert_eq!(names[0], file_name("d", "nightly"));
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
