//! What is tried: each job of the director's configuration, each client with each storage, in the order of the jobs.

use towline_core::config::{DirectorConfig, Job, JobKind, VerifyLevel};

/// A job with the daemons that have a part in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The name of the job.
    pub(super) job: String,
    /// What it does.
    pub(super) kind: JobKind,
    /// Its client; a copy has none.
    pub(super) client: Option<String>,
    /// The storage that it writes to or reads from.
    pub(super) storage: String,
    /// The storage that a copy or a migration writes to.
    pub(super) to: Option<String>,
}

impl Row {
    /// Everybody who has a part in it, by the names in the director's configuration; the director first.
    pub(super) fn daemons<'a>(&'a self, config: &'a DirectorConfig) -> Vec<&'a str> {
        [config.director.name.as_str()].into_iter().chain(self.client.as_deref()).chain(self.storages()).collect()
    }

    /// Its storages: the one it reads or writes, then that of a copy's target.
    pub(super) fn storages(&self) -> impl Iterator<Item = &str> {
        [Some(self.storage.as_str()), self.to.as_deref()].into_iter().flatten()
    }

    /// The kind of job in a word.
    pub(super) const fn kind(&self) -> &'static str {
        match self.kind {
            JobKind::Backup => "backup",
            JobKind::Restore => "restore",
            JobKind::Copy => "copy",
            JobKind::Migrate => "migrate",
            JobKind::Verify => "verify",
            _ => "other",
        }
    }
}

/// All of them. Jobs that reach nobody, and disabled ones, have none.
pub(super) fn rows(config: &DirectorConfig) -> Vec<Row> {
    config.jobs.iter().filter(|job| job.enabled).flat_map(|job| of_job(config, job)).collect()
}

fn of_job(config: &DirectorConfig, job: &Job) -> Vec<Row> {
    let row = |client: Option<&str>, storage: &str, to: Option<String>| Row {
        job: job.name.clone(),
        kind: job.kind,
        client: client.map(str::to_owned),
        storage: storage.to_owned(),
        to,
    };
    match job.kind {
        JobKind::Backup => {
            let levels = [&job.full_pool, &job.differential_pool, &job.incremental_pool].into_iter().flatten();
            let mut storages: Vec<&str> = Vec::new();
            for pool in [&job.pool].into_iter().chain(levels) {
                let storage = storage_of(config, job, pool);
                if !storages.contains(&storage) {
                    storages.push(storage);
                }
            }
            storages.into_iter().map(|storage| row(Some(&job.client), storage, None)).collect()
        }
        JobKind::Restore => vec![row(Some(&job.client), &job.storage, None)],
        JobKind::Verify if job.verify_level == VerifyLevel::VolumeToCatalog => {
            vec![row(Some(&job.client), &job.storage, None)]
        }
        JobKind::Copy | JobKind::Migrate => {
            let next = job.next_pool.as_ref().or_else(|| config.pool(&job.pool)?.next_pool.as_ref());
            let to = next.and_then(|next| config.pool(next)?.storage.clone());
            vec![row(None, storage_of(config, job, &job.pool), to)]
        }
        _ => Vec::new(),
    }
}

/// The storage of a pool goes before that of the job.
pub(super) fn storage_of<'a>(config: &'a DirectorConfig, job: &'a Job, pool: &str) -> &'a str {
    config.pool(pool).and_then(|pool| pool.storage.as_deref()).unwrap_or(&job.storage)
}
