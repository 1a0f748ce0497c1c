//! What a restore does to the paths of files.

use super::Checker;
use crate::config::{ConfigPath, Job};
use crate::explain::codes;
use crate::wire::relocation::Relocation;

/// The expression can be read, and no two settings say what becomes of the same path.
pub(super) fn check(c: &mut Checker, path: &ConfigPath, job: &Job) {
    if let Some(Err(why)) = job.regex_where.as_deref().map(Relocation::parse) {
        let help = "write it as in `!/home/!/tmp/home/!`";
        c.error(codes::WRONG_VALUE, path.field("regex_where"), format!("this cannot be read: {why}"), help);
    }
    let parts = [
        ("strip_prefix", job.strip_prefix.is_some()),
        ("add_prefix", job.add_prefix.is_some()),
        ("add_suffix", job.add_suffix.is_some()),
    ];
    let changes = job.regex_where.is_some();
    for (field, is_set) in parts {
        if is_set && changes {
            let message = format!("`regex_where` goes before it: `{field}` has no effect");
            c.warning(codes::CONTRADICTION, path.field(field), message, format!("remove `{field}`"));
        }
    }
    if job.r#where.is_some() && (changes || parts.iter().any(|(_, is_set)| *is_set)) {
        let message = "paths are changed by other settings: `where` has no effect";
        c.warning(codes::CONTRADICTION, path.field("where"), message, "remove `where`");
    }
}
