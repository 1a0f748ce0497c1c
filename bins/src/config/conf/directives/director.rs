//! `bareos-dir`: the director.

use super::super::build;
use super::super::read::Kind::{self, Any, Bool, Choice, Number, Size, Speed, Text, Time, Words};
use super::super::table::{Act, Component, Directive, Resource, always, field, made, refused, without};
use super::job::JOB;
use super::shared::{DAEMON, LISTEN, NAMED, NO_PLUGINS, TLS};

pub(in super::super) const COMPONENT: Component = Component {
    name: "bareos-dir",
    ron: "director.ron",
    file: "bareos-dir.conf",
    tree: "bareos-dir.d",
    build: build::director::build,
    resources: &[
        Resource { name: "Director", also: &["Directors"], rows: &[NAMED, LISTEN, DAEMON, NO_PLUGINS, DIRECTOR, TLS] },
        Resource { name: "Client", also: &["Clients"], rows: &[NAMED, CLIENT, TLS] },
        Resource { name: "JobDefs", also: &[], rows: &[NAMED, JOB] },
        Resource { name: "Job", also: &["Jobs"], rows: &[NAMED, JOB] },
        Resource { name: "Storage", also: &["Storages"], rows: &[NAMED, STORAGE, TLS] },
        Resource { name: "Catalog", also: &["Catalogs"], rows: &[NAMED, CATALOG] },
        Resource { name: "Schedule", also: &["Schedules"], rows: &[NAMED, SCHEDULE] },
        Resource { name: "FileSet", also: &["FileSets"], rows: &[NAMED, FILESET] },
        Resource { name: "Pool", also: &["Pools"], rows: &[NAMED, POOL] },
        Resource { name: "Messages", also: &[], rows: &[NAMED, TO] },
        Resource { name: "Counter", also: &["Counters"], rows: &[NAMED, COUNTER] },
        Resource { name: "Profile", also: &["Profiles"], rows: &[NAMED, ACLS] },
        Resource { name: "Console", also: &["Consoles"], rows: &[NAMED, CONSOLE, ACLS, PROFILES, TLS] },
        Resource { name: "User", also: &["Users"], rows: &[NAMED, ACLS, PROFILES] },
    ],
};

const NO_NDMP: &str = "NDMP is not spoken";
const STATISTICS: &str = "no statistics are collected";
const NO_QUOTA: &str = "a client may save as much as the volumes hold";
const RETAINED: &str = "files and jobs stay in the catalog until their volume is used again, see `VolumeRetention`";
const NO_NATIVE: Act = Act::Refused("NDMP is not spoken; take the resource out");

const DIRECTOR: &[Directive] = &[
    field("Password", Text, "password"),
    without("SecureEraseCommand", Text, "the director deletes nothing that was saved; the storage daemon has it too"),
    field("MaximumConcurrentJobs", Number, "maximum_concurrent_jobs"),
    field("MaximumConsoleConnections", Number, "max_console_connections"),
    field("FdConnectTimeout", Time, "fd_connect_timeout"),
    field("SdConnectTimeout", Time, "sd_connect_timeout"),
    field("HeartbeatInterval", Time, "heartbeat_interval"),
    field("QueryFile", Text, "query_file"),
    field("Subscriptions", Number, "subscriptions"),
    without("StatisticsRetention", Time, STATISTICS),
    without("StatisticsCollectInterval", Number, STATISTICS),
    refused("KeyEncryptionKey", Text, "volumes would be written unencrypted; remove it if that is right"),
    without("NdmpSnooping", Bool, NO_NDMP),
    without("NdmpLogLevel", Number, NO_NDMP),
    without("NdmpNamelistFhinfoSetZeroForInvalidUquad", Bool, NO_NDMP),
    without("Auditing", Bool, "what consoles do is in the log"),
    without("AuditEvents", Words, "what consoles do is in the log"),
];

const CLIENT: &[Directive] = &[
    field("Address", Text, "address").or(&["FdAddress"]),
    field("LanAddress", Text, "lan_address"),
    field("Port", Kind::Port, "port").or(&["FdPort"]),
    field("Password", Text, "password").or(&["FdPassword"]),
    field("Passive", Bool, "passive"),
    field("ConnectionFromDirectorToClient", Bool, "connection_from_director_to_client"),
    field("ConnectionFromClientToDirector", Bool, "connection_from_client_to_director"),
    field("HeartbeatInterval", Time, "heartbeat_interval"),
    field("MaximumConcurrentJobs", Number, "maximum_concurrent_jobs"),
    field("MaximumBandwidthPerJob", Speed, "maximum_bandwidth_per_job"),
    made("Enabled", Bool, "with `no`, the jobs of the client are disabled"),
    field("Catalog", Text, "catalog"),
    always("Protocol", Text, &["native"], &NO_NATIVE),
    without("AuthType", Text, NO_NDMP),
    without("Username", Text, NO_NDMP),
    without("HardQuota", Size, NO_QUOTA),
    without("SoftQuota", Size, NO_QUOTA),
    without("SoftQuotaGracePeriod", Time, NO_QUOTA),
    without("StrictQuotas", Bool, NO_QUOTA),
    without("QuotaIncludeFailedJobs", Bool, NO_QUOTA),
    field("FileRetention", Time, "file_retention"),
    field("JobRetention", Time, "job_retention"),
    without("AutoPrune", Bool, RETAINED),
    without("NdmpLogLevel", Number, NO_NDMP),
    without("NdmpBlockSize", Size, NO_NDMP),
    without("NdmpUseLmdb", Bool, NO_NDMP),
];

const STORAGE: &[Directive] = &[
    field("Address", Text, "address").or(&["SdAddress"]),
    field("LanAddress", Text, "lan_address"),
    field("Port", Kind::Port, "port").or(&["SdPort"]),
    field("Password", Text, "password").or(&["SdPassword"]),
    made("Device", Words, "is `device`; the first of several counts"),
    field("MediaType", Text, "media_type"),
    field("HeartbeatInterval", Time, "heartbeat_interval"),
    field("MaximumConcurrentJobs", Number, "maximum_concurrent_jobs"),
    field("MaximumBandwidthPerJob", Speed, "maximum_bandwidth_per_job"),
    made("Enabled", Bool, "with `no`, the jobs with the storage are disabled"),
    always("Protocol", Text, &["native"], &NO_NATIVE),
    without("AuthType", Text, NO_NDMP),
    without("Username", Text, NO_NDMP),
    always("AutoChanger", Bool, &["no"], &Act::Without("the storage daemon knows the device by its name")),
    always("AllowCompression", Bool, &["yes"], &Act::Without("files are compressed as their fileset says")),
    without("CacheStatusInterval", Time, "the storage daemon is asked each time"),
    without("MaximumConcurrentReadJobs", Number, "jobs that read count as the others, see `MaximumConcurrentJobs`"),
    without("PairedStorage", Text, NO_NDMP),
    without("CollectStatistics", Bool, STATISTICS),
    without("NdmpChangerDevice", Text, NO_NDMP),
];

const ONE_CONNECTION: &str = "the catalog has one connection, which is kept and made anew";

const CATALOG: &[Directive] = &[
    made("DbName", Text, "is `database` of `postgres`; with `DbDriver = sqlite`, the `path` of the file"),
    made("DbUser", Text, "is `user` of `postgres`").or(&["User"]),
    made("DbPassword", Text, "is `password` of `postgres`").or(&["Password"]),
    made("DbAddress", Text, "is `host` of `postgres`").or(&["Address"]),
    made("DbPort", Number, "is `port` of `postgres`").or(&["Port"]),
    made("DbSocket", Text, "its folder is `host` of `postgres`").or(&["Socket"]),
    made(
        "DbDriver",
        Choice(&[("postgresql", "postgres"), ("sqlite", "sqlite"), ("sqlite3", "sqlite")]),
        "`sqlite` makes it a file of Towline's own; older versions have the directive",
    ),
    without("MultipleConnections", Bool, ONE_CONNECTION),
    without("DisableBatchInsert", Bool, "files go to the catalog many at a time"),
    always("Reconnect", Bool, &["yes"], &Act::Without(ONE_CONNECTION)),
    always("ExitOnFatal", Bool, &["no"], &Act::Without("jobs wait for a catalog that is away")),
    without("MinConnections", Number, ONE_CONNECTION),
    without("MaxConnections", Number, ONE_CONNECTION),
    without("IncConnections", Number, ONE_CONNECTION),
    without("IdleTimeout", Number, ONE_CONNECTION),
    without("ValidateTimeout", Number, ONE_CONNECTION),
];

const SCHEDULE: &[Directive] = &[
    made("Run", Any, "is one of `runs`; a line that `runs` cannot hold is refused"),
    made("Enabled", Bool, "with `no`, no job is started by the schedule"),
];

const FILESET: &[Directive] = &[
    made("Include", Any, "is one of `include`"),
    made("Exclude", Any, "is part of `exclude`"),
    without("IgnoreFileSetChanges", Bool, "a fileset that has changed begins with a full backup"),
    without("EnableVSS", Bool, "it is for clients on Windows"),
];

/// What the volumes of a pool are for.
const POOL_TYPES: Kind = Choice(&[
    ("Backup", "backup"),
    ("Scratch", "scratch"),
    ("Copy", "backup"),
    ("Migration", "backup"),
    ("Archive", "backup"),
    ("Cloned", "backup"),
    ("Save", "backup"),
]);

const POOL: &[Directive] = &[
    made("PoolType", POOL_TYPES, "a pool of the type `Scratch` is left out: no pool takes volumes from another"),
    made("LabelFormat", Text, "is `label_format`; variables of the environment, indexes and loops in it are refused"),
    field("MaximumVolumes", Number, "maximum_volumes"),
    field("MaximumVolumeJobs", Number, "maximum_volume_jobs"),
    field("MaximumVolumeBytes", Size, "maximum_volume_bytes"),
    field("VolumeRetention", Time, "volume_retention"),
    field("VolumeUseDuration", Time, "volume_use_duration"),
    field("Recycle", Bool, "recycle"),
    field("AutoPrune", Bool, "auto_prune"),
    field("RecycleOldestVolume", Bool, "recycle_oldest_volume"),
    field("NextPool", Text, "next_pool"),
    made("Storage", Words, "is `storage`, and that of jobs that have none; the first of several counts"),
    field("Catalog", Text, "catalog"),
    without("LabelType", Text, "labels are those of Bareos"),
    without("CleaningPrefix", Text, "devices are folders, and this is for tapes"),
    always("UseCatalog", Bool, &["yes"], &Act::Without("volumes are always in the catalog")),
    always(
        "PurgeOldestVolume",
        Bool,
        &["no"],
        &Act::Without("a volume keeps its jobs as long as `VolumeRetention` says"),
    ),
    always("RecycleCurrentVolume", Bool, &["no"], &Act::Without("the oldest volume is used again first")),
    always("ActionOnPurge", Text, &["none"], &Act::Without("a volume is written from its start when it is used again")),
    without("MaximumVolumeFiles", Number, "volumes are limited by their bytes, jobs and time"),
    always("CatalogFiles", Bool, &["yes"], &Act::Without("files are always in the catalog")),
    field("MigrationTime", Time, "migration_time"),
    field("MigrationHighBytes", Size, "migration_high_bytes"),
    field("MigrationLowBytes", Size, "migration_low_bytes"),
    without("RecyclePool", Text, "a volume stays in its pool"),
    without("ScratchPool", Text, "no pool takes volumes from another"),
    without("FileRetention", Time, RETAINED),
    without("JobRetention", Time, RETAINED),
    without("MinimumBlockSize", Size, "the size of blocks is the device's"),
    without("MaximumBlockSize", Size, "the size of blocks is the device's"),
];

const TO: &[Directive] = &[
    field("TimestampFormat", Text, "timestamp_format"),
    made("MailCommand", Any, "is `command` of the destinations `Mail`, `MailOnError` and `MailOnSuccess` after it"),
    made("OperatorCommand", Any, "is `command` of the destinations `Operator` after it"),
    made("Mail", Any, "is a destination of the kind `mail`"),
    made("MailOnError", Any, "is a destination of the kind `mail`, `when` `on_error`"),
    made("MailOnSuccess", Any, "is a destination of the kind `mail`, `when` `on_success`"),
    made("Operator", Any, "is a destination of the kind `operator`"),
    made("Append", Any, "is a destination of the kind `append`"),
    made("File", Any, "is a destination of the kind `file`"),
    made("Syslog", Any, "is a destination of the kind `syslog`, with or without a facility"),
    made("Console", Any, "is a destination of the kind `console`"),
    made("Catalog", Any, "is a destination of the kind `catalog`"),
    made("Stdout", Any, "is a destination of the kind `stdout`"),
    made("Stderr", Any, "is a destination of the kind `stderr`"),
    without("Director", Any, "they are the director's already"),
];

const COUNTER: &[Directive] = &[
    field("Minimum", Number, "minimum"),
    field("Maximum", Number, "maximum"),
    field("WrapCounter", Text, "wrap_counter"),
    made("Catalog", Text, "is `catalog` and `keep`: that catalog keeps the number"),
];

/// What a console may see and use.
const ACLS: &[Directive] = &[
    field("CommandAcl", Words, "command_acl"),
    field("JobAcl", Words, "job_acl"),
    field("ClientAcl", Words, "client_acl"),
    field("StorageAcl", Words, "storage_acl"),
    field("ScheduleAcl", Words, "schedule_acl"),
    field("PoolAcl", Words, "pool_acl"),
    field("FileSetAcl", Words, "fileset_acl"),
    field("CatalogAcl", Words, "catalog_acl"),
    field("WhereAcl", Words, "where_acl"),
    field("PluginOptionsAcl", Words, "plugin_options_acl"),
];

const PROFILES: &[Directive] = &[field("Profile", Words, "profiles")];

const CONSOLE: &[Directive] = &[
    field("Password", Text, "password"),
    made("UsePamAuthentication", Bool, "`no` is so anyway; a console with `yes` is left out: PAM is not asked"),
];
