//! Jobs.

use serde::{Deserialize, Serialize};

use super::resource::resources;
use super::script::RunScript;
use super::units::{Bytes, Seconds};

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Saves files.
    Backup,
    /// Brings files back.
    Restore,
    /// Copies backups of `pool` to the pool's `next_pool`; the originals stay.
    Copy,
    /// Moves backups of `pool` to the pool's `next_pool`.
    Migrate,
    /// Reads a backup from its volumes and compares it with the catalog; writes nothing.
    Verify,
    /// Runs its scripts and nothing else.
    Admin,
    /// Takes older backups of the jobs with `always_incremental` together.
    Consolidate,
}

/// How much a backup saves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Everything.
    Full,
    /// What changed since the last full backup.
    Differential,
    /// What changed since the last backup.
    Incremental,
    /// Everything, made of the backups before it from volume to volume, without the client.
    VirtualFull,
}

/// How copies and migrations choose what they take. A backup of which there is a good copy is not copied again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// All backups in the pool.
    PoolUncopiedJobs,
    /// Those of jobs whose name matches `selection_pattern`.
    Job,
    /// Those of clients whose name matches it.
    Client,
    /// Those on volumes that are not written any more and whose name matches it.
    Volume,
    /// Those whose JobIds a statement in SQL returns, in the first column; copies of them count for nothing. It is the
    /// `selection_pattern`, and can only read the catalog.
    SqlQuery,
    /// Those on the volume that was not written for the longest time, of those that are not written any more.
    OldestVolume,
    /// Those on the volume with the fewest bytes, of those that are not written any more.
    SmallestVolume,
    /// Those on the oldest volumes, once all volumes of the pool have more bytes than its `migration_high_bytes`: as many
    /// as it takes to come down to `migration_low_bytes`.
    PoolOccupancy,
    /// Those on volumes that are not written any more that ended longer ago than `migration_time` of the pool.
    PoolTime,
}

impl Selection {
    /// Whether it goes by a pattern.
    #[must_use]
    pub const fn has_pattern(self) -> bool {
        matches!(self, Self::Job | Self::Client | Self::Volume | Self::SqlQuery)
    }
}

/// What a verify job compares (`wire/2 §1.12`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerifyLevel {
    /// What a backup has written to volumes, with the catalog.
    VolumeToCatalog,
    /// What is on the client's disk, with what a backup has put into the catalog.
    DiskToCatalog,
    /// Nothing: it puts the state of the client's disk into the catalog.
    InitCatalog,
    /// What is on the client's disk, with what the newest of the job itself at `init_catalog` has put into the catalog.
    Catalog,
}

/// What becomes of a run of a schedule whose moment passes while the director is down, or that has not begun when it stops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// The director says so when it starts.
    #[default]
    Skip,
    /// It is made up for then, once for all that were missed, with the line of the schedule that has the fullest level.
    Run,
}

/// Which existing files a restore overwrites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replace {
    /// All.
    Always,
    /// Those older than the saved one.
    IfNewer,
    /// Those newer than the saved one.
    IfOlder,
    /// None.
    Never,
}

resources! {
    /// A job.
    Job {
        /// Name of the job.
        name: String,
        /// A note for people.
        description: Option<String> = None,
        /// Name of the client.
        client: String,
        /// Name of the fileset.
        fileset: String,
        /// Name of the storage.
        storage: String,
        /// Name of the pool.
        pool: String,
        /// Pool of backups of the level `full`, also of those that had another one and have become full; `None`: `pool`.
        full_pool: Option<String> = None,
        /// Pool of differential backups; `None`: `pool`.
        differential_pool: Option<String> = None,
        /// Pool of incremental backups; `None`: `pool`.
        incremental_pool: Option<String> = None,
        /// Pool that virtual fulls read from, and whose `next_pool` they are written to; `None`: `pool`.
        virtual_full_pool: Option<String> = None,
        /// Pool that copies, migrations and virtual fulls are written to; `None`: the next pool of the pool they read from.
        next_pool: Option<String> = None,
        /// Catalog that it is recorded in, unless its pool names one; `None`: that of its client.
        catalog: Option<String> = None,
        /// What it does.
        kind: JobKind = JobKind::Backup,
        /// How much it saves when nobody says otherwise.
        level: Level = Level::Incremental,
        /// Name of the schedule that starts it; `None`: only people and other rules do.
        schedule: Option<String> = None,
        /// How a copy or migration chooses what it takes.
        selection: Selection = Selection::PoolUncopiedJobs,
        /// Regular expression that is found in the names of what is chosen, for the selections `job`, `client` and `volume`; the
        /// statement of `sql_query`.
        selection_pattern: Option<String> = None,
        /// Jobs that one run of a copy or migration starts at most; 0: 10,000.
        max_concurrent_copies: u32 = 0,
        /// Copies and migrations: only backups of jobs with such a name, `*` for anything; `None`: of all jobs.
        select_jobs: Option<String> = None,
        /// Copies and migrations: only backups of clients with such a name, `*` for anything; `None`: of all clients.
        select_clients: Option<String> = None,
        /// Verify jobs: the newest good backup of this job is verified; `None`: of the client.
        verify_job: Option<String> = None,
        /// Verify jobs: what is compared.
        verify_level: VerifyLevel = VerifyLevel::VolumeToCatalog,
        /// Folder that a restore puts before each path; `None`: files go back where they were.
        r#where: Option<String> = None,
        /// What a restore does to the paths of files (`wire/2 §1.11`): one expression `!search!replacement!` or several, with
        /// commas between them. Goes before `where` and the three below; `None`: nothing.
        regex_where: Option<String> = None,
        /// Beginning that a restore takes off paths, before anything is put to them.
        strip_prefix: Option<String> = None,
        /// What a restore puts before paths.
        add_prefix: Option<String> = None,
        /// What a restore puts after the paths of files.
        add_suffix: Option<String> = None,
        /// Which existing files a restore overwrites.
        replace: Replace = Replace::Always,
        /// Whether the client gets the list of saved files, so that it notices moved and deleted ones.
        accurate: bool = false,
        /// Whether attributes are collected by the storage daemon until the job ends.
        spool_attributes: bool = false,
        /// Whether data is collected on the storage daemon's disk before it goes to the volume. Attributes are then too.
        spool_data: bool = false,
        /// Bytes of data to collect at a time; 0: as the storage daemon's device says.
        spool_size: Bytes = Bytes(0),
        /// Whether the job may be started.
        enabled: bool = true,
        /// Order among waiting jobs, 1 first. Jobs of different priorities do not run at the same time.
        priority: u32 = 10,
        /// Whether the job may start beside jobs of a higher number that run, if each of these has this too.
        allow_mixed_priority: bool = false,
        /// How old the last full backup may be for another level; what comes later is full. 0: as old as it is.
        max_full_interval: Seconds = Seconds::secs(0),
        /// How old the last full backup may be for another level; what comes later is a virtual full. Only without
        /// `max_full_interval`. 0: as old as it is.
        max_virtual_full_interval: Seconds = Seconds::secs(0),
        /// How old the last differential backup, or the full one if that is newer, may be for an incremental; what comes later
        /// is differential. 0: as old as it is.
        max_differential_interval: Seconds = Seconds::secs(0),
        /// Whether a full or differential backup that failed is made up for by the next one of another level.
        rerun_failed_levels: bool = false,
        /// Whether the job is only ever incremental: jobs with `kind: consolidate` take its older backups together.
        always_incremental: bool = false,
        /// How long its backups stay single; older ones are taken together, and are purged then. 0: all may be taken, and none
        /// is purged.
        always_incremental_job_retention: Seconds = Seconds::secs(0),
        /// How many of its incremental backups stay single at least.
        always_incremental_keep_number: u32 = 0,
        /// How old the full backup must be to be taken together with others; until then only the others are. 0: it always is.
        always_incremental_max_full_age: Seconds = Seconds::secs(0),
        /// Consolidate jobs: how many full backups one run takes together with others, of jobs that have
        /// `always_incremental_max_full_age`. 0: no limit.
        max_full_consolidations: u32 = 0,
        /// Migrations: whether the job that was migrated is purged. If not it stays in the catalog, without its files.
        purge_migration_job: bool = false,
        /// Whether the storage daemon is asked to take a device with a fitting volume in it rather than a free one.
        prefer_mounted_volumes: bool = true,
        /// How long it may run, from its start, before it is cancelled; 0: as long as it takes.
        max_run_time: Seconds = Seconds::secs(0),
        /// How long a full backup may run; the smaller of this and `max_run_time` counts. 0: as that says.
        full_max_run_time: Seconds = Seconds::secs(0),
        /// How long a differential backup may run; the smaller of this and `max_run_time` counts. 0: as that says.
        differential_max_run_time: Seconds = Seconds::secs(0),
        /// How long an incremental backup may run; the smaller of this and `max_run_time` counts. 0: as that says.
        incremental_max_run_time: Seconds = Seconds::secs(0),
        /// How long it may wait and run together, from when it was due, before it is cancelled; 0: as long as it takes.
        max_run_sched_time: Seconds = Seconds::secs(0),
        /// How long it may wait, for its turn or its storage daemon for a volume, before it is cancelled; 0: as long as it
        /// takes.
        max_wait_time: Seconds = Seconds::secs(0),
        /// How late it may start before it is cancelled instead; 0: as late as it is.
        max_start_delay: Seconds = Seconds::secs(0),
        /// Whether several jobs of this resource may wait and run at the same time. If not, one of two is cancelled.
        allow_duplicate_jobs: bool = true,
        /// Without `allow_duplicate_jobs`: of two backups the one of the lower level is cancelled.
        cancel_lower_level_duplicates: bool = false,
        /// Without `allow_duplicate_jobs`: the earlier job is cancelled if it waits.
        cancel_queued_duplicates: bool = false,
        /// Without `allow_duplicate_jobs`: the earlier job is cancelled. Without any of the three it is the later one.
        cancel_running_duplicates: bool = false,
        /// Starts the job when its client dials in and the last start is longer ago than this; 0: never
        /// (`wire/1 §8.6`).
        run_on_incoming_connect_interval: Seconds = Seconds::secs(0),
        /// How long the job waits for its client if that is away when its turn has come; meanwhile it takes neither a storage
        /// nor a place, and other jobs go before it. 0: it fails after `fd_connect_timeout`. (In Bareos: there is none.)
        wait_for_client: Seconds = Seconds::secs(0),
        /// What becomes of a run of its schedule whose moment passes while the director is down, or that still waits for its
        /// client or its turn when the director stops; the last 40 days count.
        /// (In Bareos: it is left out.)
        missed: Missed = Missed::Skip,
        /// Whether a backup that failed is tried again, as a job of its own at the same level. One that was cancelled, or
        /// ended with warnings, is not.
        reschedule_on_error: bool = false,
        /// Pause before that.
        reschedule_interval: Seconds = Seconds::minutes(30),
        /// How many tries there are after the first, 0: no end of them.
        reschedule_times: u32 = 5,
        /// Bytes a second that the data of the job may take; 0: as the client, or the storage of a copy, says.
        maximum_bandwidth: Bytes = Bytes(0),
        /// Jobs of this resource at the same time.
        maximum_concurrent_jobs: u32 = 1,
        /// Jobs that a backup has start beside itself, once its level is known: each a job's name, and words as of the
        /// command `run`, such as `level=%l`. `%` and a letter stand for a value of the backup, as in its run scripts. Jobs
        /// started so start no others.
        run: Vec<String> = Vec::new(),
        /// What plugins of the client are told beside their definitions in the fileset, each as `NAME:KEY=VALUE`
        /// (`wire/2 §1.13`).
        fd_plugin_options: Vec<String> = Vec::new(),
        /// Where the director puts what a restore without the catalog needs of a good backup: an absolute path, or `|` and a
        /// command that reads it. A file is written anew by a full backup, and others go after what it has. `%` and a
        /// letter stand for a value of the job, as in its run scripts. `None`: nowhere.
        write_bootstrap: Option<String> = None,
        /// The `messages` resource that says where its messages go; `None`: that of `director`.
        messages: Option<String> = None,
        /// Commands that run before or after it, on its client or on the director.
        run_scripts: Vec<RunScript> = Vec::new(),
    }
}
