//! What jobs and their defaults have.

use super::super::read::Kind::{self, Any, Bool, Choice, Number, Size, Speed, Text, Time, Words};
use super::super::table::{Act, Directive, Resource, always, disables, field, made, without};

/// The types of jobs. The last one becomes no job.
const TYPES: Kind = Choice(&[
    ("Backup", "backup"),
    ("Restore", "restore"),
    ("Verify", "verify"),
    ("Copy", "copy"),
    ("Migrate", "migrate"),
    ("Admin", "admin"),
    ("Consolidate", "consolidate"),
    ("Archive", "archive"),
]);

/// Which existing files a restore overwrites.
const REPLACE: Kind =
    Choice(&[("Always", "always"), ("IfNewer", "if_newer"), ("IfOlder", "if_older"), ("Never", "never")]);

const NO_PLUGIN: &str = "there are no plugins, so what they save would be missing";
const PRUNED: &str = "volumes are pruned when one is needed, see `AutoPrune` of the pool";
const DUPLICATES: &str =
    "which of two goes is said by `AllowDuplicateJobs` and the others; in Bareos too it does nothing";

pub(in super::super) const JOB: &[Directive] = &[
    made("Type", TYPES, "is `kind`; a job of the type `Archive` is left out"),
    made("Level", Text, "is `level`, or `verify_level`; a job of a level that there is not is left out"),
    made("Client", Text, "is `client`; copies and migrations without one have the first"),
    made("FileSet", Text, "is `fileset`; jobs other than backups without one have the first"),
    made(
        "Storage",
        Words,
        "is `storage`; the first of several counts. Without it, that of the pool; of a copy, that of the backups in its pool",
    ),
    made("Pool", Text, "is `pool`; without it, that of a level"),
    field("FullBackupPool", Text, "full_pool"),
    field("VirtualFullBackupPool", Text, "virtual_full_pool"),
    field("IncrementalBackupPool", Text, "incremental_pool"),
    field("DifferentialBackupPool", Text, "differential_pool"),
    field("NextPool", Text, "next_pool"),
    made("Schedule", Text, "is `schedule`, if that is enabled"),
    made("JobToVerify", Text, "is `verify_job`").or(&["VerifyJob"]),
    made("JobDefs", Text, "what the job does not say itself is as there"),
    made("Messages", Text, "is `messages`: the `Messages` resource that says where its messages go"),
    field("Catalog", Text, "catalog"),
    field("Where", Text, "where"),
    field("Replace", REPLACE, "replace"),
    field("Accurate", Bool, "accurate"),
    made("Enabled", Bool, "is `enabled`"),
    field("Priority", Number, "priority"),
    field("MaximumConcurrentJobs", Number, "maximum_concurrent_jobs"),
    field("MaximumBandwidth", Speed, "maximum_bandwidth"),
    field("RescheduleOnError", Bool, "reschedule_on_error"),
    field("RescheduleInterval", Time, "reschedule_interval"),
    field("RescheduleTimes", Number, "reschedule_times"),
    field("RunOnIncomingConnectInterval", Time, "run_on_incoming_connect_interval"),
    made("SelectionType", Text, "is `selection`. A backup that has a copy is copied again only by `SqlQuery`"),
    field("SelectionPattern", Text, "selection_pattern"),
    always("Protocol", Text, &["native"], &Act::Disables("NDMP is not spoken")),
    always("BackupFormat", Text, &["native"], &Act::Disables("it is for NDMP, which is not spoken")),
    field("Run", Words, "run"),
    made("RunBeforeJob", Any, "is one of `run_scripts`: before the job, on the director; the job fails with it"),
    made("RunAfterJob", Any, "is one of `run_scripts`: after a good job, on the director"),
    made("RunAfterFailedJob", Any, "is one of `run_scripts`: after a job that has failed, on the director"),
    made("ClientRunBeforeJob", Any, "is one of `run_scripts`: before the job, on the client; the job fails with it"),
    made("ClientRunAfterJob", Any, "is one of `run_scripts`: after a good job, on the client"),
    made(
        "RunScript",
        Any,
        "is one of `run_scripts` for each of its commands; those of `JobDefs` come after the job's own",
    ),
    field("FdPluginOptions", Words, "fd_plugin_options"),
    disables("SdPluginOptions", Words, NO_PLUGIN),
    disables("DirPluginOptions", Words, NO_PLUGIN),
    field("RegexWhere", Text, "regex_where"),
    field("StripPrefix", Text, "strip_prefix"),
    field("AddPrefix", Text, "add_prefix"),
    field("AddSuffix", Text, "add_suffix"),
    always("PrefixLinks", Bool, &["no"], &Act::Without("links lead where they led")),
    without("Bootstrap", Text, "a restore selects its files from the catalog"),
    field("WriteBootstrap", Text, "write_bootstrap"),
    field("MaxRunSchedTime", Time, "max_run_sched_time"),
    field("MaxRunTime", Time, "max_run_time"),
    field("FullMaxRuntime", Time, "full_max_run_time"),
    field("IncrementalMaxRuntime", Time, "incremental_max_run_time"),
    field("DifferentialMaxRuntime", Time, "differential_max_run_time"),
    field("MaxWaitTime", Time, "max_wait_time"),
    field("MaxStartDelay", Time, "max_start_delay"),
    field("MaxFullInterval", Time, "max_full_interval"),
    field("MaxVirtualFullInterval", Time, "max_virtual_full_interval"),
    field("MaxDiffInterval", Time, "max_differential_interval"),
    always("PruneJobs", Bool, &["no"], &Act::Without(PRUNED)),
    always("PruneFiles", Bool, &["no"], &Act::Without(PRUNED)),
    always("PruneVolumes", Bool, &["no"], &Act::Without(PRUNED)),
    field("PurgeMigrationJob", Bool, "purge_migration_job"),
    field("SpoolAttributes", Bool, "spool_attributes"),
    field("SpoolData", Bool, "spool_data"),
    field("SpoolSize", Size, "spool_size"),
    field("RerunFailedLevels", Bool, "rerun_failed_levels"),
    field("PreferMountedVolumes", Bool, "prefer_mounted_volumes"),
    field("AllowMixedPriority", Bool, "allow_mixed_priority"),
    field("AllowDuplicateJobs", Bool, "allow_duplicate_jobs"),
    always("AllowHigherDuplicates", Bool, &["yes"], &Act::Without(DUPLICATES)),
    field("CancelLowerLevelDuplicates", Bool, "cancel_lower_level_duplicates"),
    field("CancelQueuedDuplicates", Bool, "cancel_queued_duplicates"),
    field("CancelRunningDuplicates", Bool, "cancel_running_duplicates"),
    always("SaveFileHistory", Bool, &["yes"], &Act::Without("the history is always saved")),
    without("FileHistorySize", Size, "it is for NDMP, which is not spoken"),
    field("MaxConcurrentCopies", Number, "max_concurrent_copies"),
    field("AlwaysIncremental", Bool, "always_incremental"),
    field("AlwaysIncrementalJobRetention", Time, "always_incremental_job_retention"),
    field("AlwaysIncrementalKeepNumber", Number, "always_incremental_keep_number"),
    field("AlwaysIncrementalMaxFullAge", Time, "always_incremental_max_full_age"),
    field("MaxFullConsolidations", Number, "max_full_consolidations"),
];

/// When a command runs.
const MOMENTS: Kind =
    Choice(&[("Before", "before"), ("After", "after"), ("Always", "always"), ("AfterVSS", "after_vss")]);

/// A command of a job.
pub(in super::super) const RUN_SCRIPT: Resource = Resource {
    name: "RunScript",
    also: &[],
    rows: &[&[
        made("Command", Any, "is `command`; several are commands of their own, alike but for that"),
        field("RunsWhen", MOMENTS, "runs_when"),
        made("RunsOnClient", Text, "is `runs_on_client`; `%c` means yes, and no other client can be named"),
        made("Target", Text, "is `runs_on_client`: `%c` means yes"),
        field("RunsOnSuccess", Bool, "runs_on_success"),
        field("RunsOnFailure", Bool, "runs_on_failure"),
        field("FailJobOnError", Bool, "fail_job_on_error").or(&["AbortJobOnError"]),
        made("Console", Any, "is `command` with `console`; several are commands of their own, alike but for that"),
    ]],
};
