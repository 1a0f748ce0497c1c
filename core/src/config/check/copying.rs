//! Checks of copies and migrations: where they go to, and what they take.

use super::Checker;
use crate::config::{ConfigPath, DirectorConfig, Job, JobKind, Selection};
use crate::explain::codes;
use crate::regex::Regex;

/// A copy needs somewhere to go: the pool's next pool, and that pool's storage, which is not the original's. Other jobs
/// select nothing.
pub(super) fn check(c: &mut Checker, path: &ConfigPath, job: &Job, config: &DirectorConfig) {
    if matches!(job.kind, JobKind::Copy | JobKind::Migrate) {
        selection(c, path, job, config);
        return target(c, path, job, config);
    }
    if job.selection != Selection::PoolUncopiedJobs {
        let message = format!("job {:?} selects no jobs: only copies and migrations do", job.name);
        let help = "remove `selection`, or set `kind: copy` or `kind: migrate`";
        c.warning(codes::CONTRADICTION, path.field("selection"), message, help);
    }
    for (field, value) in [
        ("select_jobs", &job.select_jobs),
        ("select_clients", &job.select_clients),
        ("selection_pattern", &job.selection_pattern),
    ] {
        if value.is_some() {
            let message = format!("job {:?} selects no jobs: only copies and migrations do", job.name);
            let help = "remove it, or set `kind: copy` or `kind: migrate`";
            c.warning(codes::CONTRADICTION, path.field(field), message, help);
        }
    }
}

/// A pattern where one is needed, which can be read; and what a pool must say for those that go by it.
fn selection(c: &mut Checker, path: &ConfigPath, job: &Job, config: &DirectorConfig) {
    let field = path.field("selection_pattern");
    match (&job.selection_pattern, job.selection.has_pattern()) {
        (None, true) => {
            let (message, help) = match job.selection {
                Selection::SqlQuery => (
                    "this selection needs a statement in SQL",
                    "add `selection_pattern: \"SELECT JobId FROM Job WHERE …\"`",
                ),
                _ => (
                    "this selection needs a regular expression for names",
                    "add `selection_pattern`; \".*\" is for all",
                ),
            };
            c.error(codes::CONTRADICTION, path.field("selection"), message, help);
        }
        (Some(_), false) => {
            let message = "this selection goes by no pattern".to_owned();
            let help = "remove `selection_pattern`, or set `selection: job`, `client` or `volume`";
            c.warning(codes::CONTRADICTION, field, message, help);
        }
        (Some(statement), true) if job.selection == Selection::SqlQuery => {
            if statement.trim().is_empty() {
                let help = "write it as `SELECT JobId FROM Job WHERE …`";
                c.error(codes::EMPTY, field, "the statement of this selection is empty", help);
            }
        }
        (Some(pattern), true) => {
            if let Err(why) = Regex::new(pattern.as_bytes(), false) {
                let message = format!("{pattern:?} is no regular expression: {why}");
                c.error(codes::UNMATCHED, field, message, "write an extended regular expression, as `^backup-.*`");
            }
        }
        (None, false) => {}
    }
    let high = config.pool(&job.pool).map_or(0, |pool| pool.migration_high_bytes.0);
    if job.selection == Selection::PoolOccupancy && high == 0 {
        let message = format!("pool {:?} has no `migration_high_bytes`, so nothing is ever selected", job.pool);
        c.warning(codes::CONTRADICTION, path.field("selection"), message, "add it to the pool");
    }
}

fn target(c: &mut Checker, path: &ConfigPath, job: &Job, config: &DirectorConfig) {
    // A pool that is not there was found before.
    let Some(pool) = config.pool(&job.pool) else { return };
    let Some(next) = job.next_pool.as_ref().or(pool.next_pool.as_ref()) else {
        let message = format!("copies of jobs in pool {:?} have nowhere to go", job.pool);
        let help = "add `next_pool` to that pool, and `storage` to the pool it names";
        return c.warning(codes::CONTRADICTION, path.field("pool"), message, help);
    };
    let Some(next) = config.pool(next) else { return };
    match &next.storage {
        None => {
            let message = format!("pool {:?}, which copies go to, has no storage", next.name);
            c.warning(codes::CONTRADICTION, path.field("pool"), message, "add `storage` to that pool");
        }
        // The volumes to read are on the storage of their pool, if it names one.
        Some(storage) if *storage == *pool.storage.as_ref().unwrap_or(&job.storage) => {
            let message = format!("storage {storage:?} would read and write at the same time");
            let help = "give the next pool another storage; it may be another device of the same daemon";
            c.error(codes::CONTRADICTION, path.field("storage"), message, help);
        }
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::config::tests::{BUILT, check, director, found};
    use crate::config::{DirectorConfig, Finding, Severity};

    /// A director with a job of this kind that copies from one storage daemon to another.
    fn copying(kind: &str) -> Value {
        let mut base = director();
        let second =
            json!({ "name": "away", "address": "192.0.2.8", "password": "p8", "device": "dev", "media_type": "Away" });
        base["storages"].as_array_mut().unwrap().push(second);
        base["pools"][0]["next_pool"] = json!("Copies");
        base["pools"].as_array_mut().unwrap().push(json!({ "name": "Copies", "storage": "away" }));
        let mut job = base["jobs"][0].clone();
        (job["name"], job["kind"]) = (json!("copies"), json!(kind));
        base["jobs"].as_array_mut().unwrap().push(job);
        base
    }

    /// What is found after these changes.
    fn findings(kind: &str, changes: &[(&str, Value)]) -> Vec<Finding> {
        check::<DirectorConfig>(copying(kind), changes, BUILT)
    }

    #[test]
    fn copies_and_migrations_between_two_storages_are_good() {
        for kind in ["copy", "migrate"] {
            assert_eq!(findings(kind, &[]), []);
            let selects = [("/jobs/1/select_jobs", json!("a*")), ("/jobs/1/select_clients", json!("*"))];
            assert_eq!(findings(kind, &selects), []);
            // Another device of the same daemon.
            // The pool to read says where its volumes are.
            let apart = [("/jobs/1/storage", json!("away")), ("/pools/0/storage", json!("disk"))];
            assert_eq!(findings(kind, &apart), []);
            let near = [("/storages/1/address", json!("192.0.2.7")), ("/storages/1/password", json!("p3"))];
            assert_eq!(findings(kind, &near), []);
        }
    }

    #[test]
    fn what_a_copy_or_a_migration_lacks_is_found_with_a_remedy() {
        type Row = (&'static str, Value, &'static [&'static str], &'static str, &'static str);
        let table: &[Row] = &[
            (
                "/pools/0/next_pool",
                json!(null),
                &["T0840 jobs[1].pool"],
                "copies of jobs in pool \"Full\" have nowhere to go",
                "add `next_pool` to that pool",
            ),
            (
                "/pools/1/storage",
                json!(null),
                &["T0840 jobs[1].pool"],
                "pool \"Copies\", which copies go to, has no storage",
                "add `storage` to that pool",
            ),
            (
                "/pools/1/storage",
                json!("disk"),
                &["T0840 jobs[1].storage"],
                "storage \"disk\" would read and write at the same time",
                "another storage",
            ),
            (
                "/pools/0/storage",
                json!("away"),
                &["T0840 jobs[1].storage"],
                "storage \"away\" would read and write at the same time",
                "another storage",
            ),
            ("/pools/0/next_pool", json!("Copes"), &["T0820 pools[0].next_pool"], "\"Copes\"", ""),
            ("/pools/1/storage", json!("awya"), &["T0820 pools[1].storage"], "\"awya\"", ""),
            ("/pools/1/next_pool", json!("Copies"), &["T0840 pools[1].next_pool"], "its own next pool", "another pool"),
            ("/jobs/1/where", json!("/tmp"), &["T0840 jobs[1].where"], "only a restore", "remove `where`"),
        ];
        for (pointer, value, expected, message, help) in table {
            for kind in ["copy", "migrate"] {
                let findings = findings(kind, &[(pointer, value.clone())]);
                assert_eq!(found(&findings), *expected, "{pointer} = {value}");
                let [only] = findings.as_slice() else { panic!("{findings:?}") };
                assert!(only.message.contains(message), "{only:?}");
                assert!(only.help.contains(help) && (!only.help.is_empty() || only.nearest.is_some()), "{only:?}");
            }
        }
    }

    #[test]
    fn a_misspelt_pool_or_storage_of_copies_is_answered_with_the_nearest() {
        for (pointer, value, nearest) in
            [("/pools/0/next_pool", "Copes", "Copies"), ("/pools/1/storage", "awya", "away")]
        {
            let findings = findings("copy", &[(pointer, json!(value))]);
            assert_eq!(findings[0].nearest.as_deref(), Some(nearest), "{findings:?}");
        }
    }

    #[test]
    fn selections_have_a_pattern_if_they_need_one() {
        let select = |by: &str, pattern: Value| {
            let changes = [("/jobs/1/selection", json!(by)), ("/jobs/1/selection_pattern", pattern)];
            found(&findings("copy", &changes))
        };
        for by in ["job", "client", "volume"] {
            assert_eq!(select(by, json!("^a|b$")), [""; 0]);
            assert_eq!(select(by, json!(null)), ["T0840 jobs[1].selection"]);
            assert_eq!(select(by, json!("(a")).len(), 1);
        }
        assert_eq!(select("oldest_volume", json!(null)), [""; 0]);
        assert_eq!(select("oldest_volume", json!("a")), ["T0840 jobs[1].selection_pattern"]);
        assert_eq!(select("pool_occupancy", json!(null)), ["T0840 jobs[1].selection"]);
        let found = found(&findings("backup", &[("/jobs/1/selection", json!("oldest_volume"))]));
        assert_eq!(found, ["T0840 jobs[1].selection"]);
    }

    #[test]
    fn jobs_of_other_kinds_select_nothing() {
        for kind in ["backup", "restore"] {
            for field in ["select_jobs", "select_clients", "selection_pattern"] {
                let findings = findings(kind, &[(&format!("/jobs/1/{field}"), json!("*"))]);
                assert_eq!(found(&findings), [format!("T0840 jobs[1].{field}")]);
                assert!(findings[0].help.contains("`kind: copy`"), "{findings:?}");
                assert_eq!(findings[0].severity, Severity::Warning);
            }
        }
    }
}
