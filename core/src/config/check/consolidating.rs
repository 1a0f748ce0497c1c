//! Checks of virtual fulls, and of the jobs that are always incremental and are consolidated.

use super::Checker;
use crate::config::{ConfigPath, DirectorConfig, Job, JobKind, Level};
use crate::explain::codes;

pub(super) fn check(c: &mut Checker, path: &ConfigPath, job: &Job, config: &DirectorConfig) {
    for_its_kind(c, path, job);
    if job.kind == JobKind::Consolidate && !config.jobs.iter().any(|other| other.always_incremental) {
        let message = "no job has `always_incremental`, so there is nothing to consolidate";
        c.warning(codes::CONTRADICTION, path.field("kind"), message, "set `always_incremental: true` in backup jobs");
    }
    if job.kind != JobKind::Backup {
        return;
    }
    always_incremental(c, path, job);
    if !job.max_virtual_full_interval.is_zero() && !job.max_full_interval.is_zero() {
        let message = "with `max_full_interval` this counts for nothing: old backups are followed by full ones";
        let help = "remove one of the two";
        c.warning(codes::CONTRADICTION, path.field("max_virtual_full_interval"), message, help);
    }
    let is_scheduled = |config: &DirectorConfig| {
        let runs = job.schedule.as_deref().and_then(|name| config.schedule(name)).map(|schedule| &schedule.runs);
        runs.is_some_and(|runs| runs.iter().any(|run| run.level == Some(Level::VirtualFull)))
    };
    if job.always_incremental
        || job.level == Level::VirtualFull
        || !job.max_virtual_full_interval.is_zero()
        || is_scheduled(config)
    {
        target(c, path, job, config);
    }
}

/// Settings that only jobs of one kind look at.
fn for_its_kind(c: &mut Checker, path: &ConfigPath, job: &Job) {
    let (backup, migration) = (job.kind == JobKind::Backup, job.kind == JobKind::Migrate);
    let always = backup && job.always_incremental;
    let rows = [
        (!backup && job.always_incremental, "always_incremental", "only a backup is incremental", "`kind: backup`"),
        (
            !always && !job.always_incremental_job_retention.is_zero(),
            "always_incremental_job_retention",
            "only backups of an always incremental job are taken together",
            "`always_incremental: true`",
        ),
        (
            !always && job.always_incremental_keep_number > 0,
            "always_incremental_keep_number",
            "only an always incremental job keeps a number of backups single",
            "`always_incremental: true`",
        ),
        (
            !always && !job.always_incremental_max_full_age.is_zero(),
            "always_incremental_max_full_age",
            "only the full backup of an always incremental job has such an age",
            "`always_incremental: true`",
        ),
        (
            !backup && !job.max_virtual_full_interval.is_zero(),
            "max_virtual_full_interval",
            "only a backup becomes a virtual full",
            "`kind: backup`",
        ),
        (
            job.kind != JobKind::Consolidate && job.max_full_consolidations > 0,
            "max_full_consolidations",
            "only a consolidation takes full backups together",
            "`kind: consolidate`",
        ),
        (
            !migration && job.purge_migration_job,
            "purge_migration_job",
            "only a migration has jobs that it could purge",
            "`kind: migrate`",
        ),
    ];
    for (is_moot, field, message, remedy) in rows {
        if is_moot {
            let help = format!("remove `{field}`, or set {remedy}");
            c.warning(codes::CONTRADICTION, path.field(field), message, help);
        }
    }
}

/// What does not go together in a job that is always incremental.
fn always_incremental(c: &mut Checker, path: &ConfigPath, job: &Job) {
    if !job.always_incremental {
        return;
    }
    if job.level == Level::VirtualFull {
        let message = "an always incremental job is consolidated by others, and cannot be a virtual full by itself";
        c.error(codes::CONTRADICTION, path.field("level"), message, "set `level: incremental`");
    }
    if !job.max_virtual_full_interval.is_zero() {
        let message = "an always incremental job is consolidated by others, and becomes no virtual full by itself";
        let help = "remove `max_virtual_full_interval`";
        c.warning(codes::CONTRADICTION, path.field("max_virtual_full_interval"), message, help);
    }
    if !job.accurate {
        let message = "the job is not accurate, so files that are deleted on the client stay in it for ever";
        c.warning(codes::CONTRADICTION, path.field("accurate"), message, "set `accurate: true`");
    }
    let (retention, age) = (job.always_incremental_job_retention, job.always_incremental_max_full_age);
    if !age.is_zero() && age.0 < retention.0 {
        let message = "a full backup is older than this before any backup is taken together";
        let help = "let it be longer than `always_incremental_job_retention`";
        c.warning(codes::CONTRADICTION, path.field("always_incremental_max_full_age"), message, help);
    }
}

/// A virtual full needs somewhere to go: the next pool of the pool that it reads from, and that pool's storage.
fn target(c: &mut Checker, path: &ConfigPath, job: &Job, config: &DirectorConfig) {
    let field = if job.virtual_full_pool.is_some() { "virtual_full_pool" } else { "pool" };
    // A pool that is not there was found before.
    let Some(pool) = config.pool(job.virtual_full_pool.as_ref().unwrap_or(&job.pool)) else { return };
    let Some(next) = job.next_pool.as_ref().or(pool.next_pool.as_ref()) else {
        let message = format!("virtual fulls of the jobs in pool {:?} have nowhere to go", pool.name);
        let help = "add `next_pool` to that pool, and `storage` to the pool it names";
        return c.warning(codes::CONTRADICTION, path.field(field), message, help);
    };
    if let Some(next) = config.pool(next).filter(|next| next.storage.is_none()) {
        let message = format!("pool {:?}, which virtual fulls go to, has no storage", next.name);
        c.warning(codes::CONTRADICTION, path.field(field), message, "add `storage` to that pool");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::config::DirectorConfig;
    use crate::config::tests::{BUILT, check, director, found};

    /// A director with an always incremental job and one that consolidates.
    fn consolidating() -> Value {
        let mut base = director();
        let mut second = base["storages"][0].clone();
        (second["name"], second["device"]) = (json!("disk2"), json!("dev2"));
        base["storages"].as_array_mut().unwrap().push(second);
        base["pools"][0]["next_pool"] = json!("Consolidated");
        base["pools"].as_array_mut().unwrap().push(json!({ "name": "Consolidated", "storage": "disk2" }));
        let mut job = base["jobs"][0].clone();
        (job["name"], job["kind"]) = (json!("consolidate"), json!("consolidate"));
        job["max_full_consolidations"] = json!(1);
        base["jobs"].as_array_mut().unwrap().push(job);
        let always = [
            ("always_incremental", json!(true)),
            ("accurate", json!(true)),
            ("always_incremental_job_retention", json!("7 d")),
            ("always_incremental_keep_number", json!(7)),
            ("always_incremental_max_full_age", json!("14 d")),
        ];
        base["jobs"][0].as_object_mut().unwrap().extend(always.map(|(field, value)| (field.to_owned(), value)));
        base
    }

    #[test]
    fn what_contradicts_a_consolidation_is_found() {
        let table: &[(&str, Value, &[&str])] = &[
            ("/jobs/0/level", json!("incremental"), &[]),
            ("/jobs/0/level", json!("virtual_full"), &["T0840 jobs[0].level"]),
            ("/jobs/0/max_virtual_full_interval", json!("1 d"), &["T0840 jobs[0].max_virtual_full_interval"]),
            ("/jobs/0/accurate", json!(false), &["T0840 jobs[0].accurate"]),
            (
                "/jobs/0/always_incremental_max_full_age",
                json!("6 d"),
                &["T0840 jobs[0].always_incremental_max_full_age"],
            ),
            ("/pools/0/next_pool", json!(null), &["T0840 jobs[0].pool"]),
            ("/pools/1/storage", json!(null), &["T0840 jobs[0].pool"]),
            ("/jobs/0/virtual_full_pool", json!("Consolidated"), &["T0840 jobs[0].virtual_full_pool"]),
            ("/jobs/0/max_full_consolidations", json!(1), &["T0840 jobs[0].max_full_consolidations"]),
            ("/jobs/0/purge_migration_job", json!(true), &["T0840 jobs[0].purge_migration_job"]),
            ("/jobs/1/always_incremental_keep_number", json!(1), &["T0840 jobs[1].always_incremental_keep_number"]),
            (
                "/jobs/0/always_incremental",
                json!(false),
                &[
                    "T0840 jobs[0].always_incremental_job_retention",
                    "T0840 jobs[0].always_incremental_keep_number",
                    "T0840 jobs[0].always_incremental_max_full_age",
                    "T0840 jobs[1].kind",
                ],
            ),
        ];
        for (pointer, value, expected) in table {
            let findings = check::<DirectorConfig>(consolidating(), &[(pointer, value.clone())], BUILT);
            assert_eq!(found(&findings), *expected, "{pointer} = {value}");
        }
    }

    #[test]
    fn a_virtual_full_needs_a_next_pool_however_it_comes_to_be() {
        let findings = |changes: &[(&str, Value)]| found(&check::<DirectorConfig>(director(), changes, BUILT));
        for change in [("/jobs/0/level", json!("virtual_full")), ("/jobs/0/max_virtual_full_interval", json!("1 d"))] {
            assert_eq!(findings(&[change]), ["T0840 jobs[0].pool"]);
        }
        let both = [("/jobs/0/max_virtual_full_interval", json!("1 d")), ("/jobs/0/max_full_interval", json!("1 d"))];
        assert_eq!(findings(&both), ["T0840 jobs[0].max_virtual_full_interval", "T0840 jobs[0].pool"]);
    }
}
