//! Checks of the director.

use super::{
    Built, Check, Checker, Finding, Side, access, catalog, commands, consolidating, copying, health, messages, naming,
    reach, relocation, unsupported,
};
use crate::bulk::known::compares_digests;
use crate::config::{
    Client, ConfigPath, Digest, DirectorConfig, Exclude, FileSet, IncludeOptions, Job, JobKind, Pool, Replace,
    Schedule, Storage,
};
use crate::explain::codes;
use crate::naming::has_variables;
use crate::wire::command;
use crate::wire::fileset::{Sizes, Unmatched, plain, unmatched};
use crate::wire::names::PeerKind;

impl Check for DirectorConfig {
    fn check(&self, built: Built) -> Vec<Finding> {
        let mut c = Checker::new(built);
        daemon(&mut c, self);
        c.names_of(PeerKind::Client, "clients", self.clients.iter().map(|client| client.name.as_str()));
        for (index, each) in self.clients.iter().enumerate() {
            client(&mut c, &ConfigPath::of("clients").index(index), each);
        }
        c.names("storages", self.storages.iter().map(|storage| storage.name.as_str()));
        for (index, each) in self.storages.iter().enumerate() {
            storage(&mut c, &ConfigPath::of("storages").index(index), each);
        }
        c.names("jobs", self.jobs.iter().map(|job| job.name.as_str()));
        for (index, each) in self.jobs.iter().enumerate() {
            job(&mut c, &ConfigPath::of("jobs").index(index), each, self);
        }
        c.names("filesets", self.filesets.iter().map(|fileset| fileset.name.as_str()));
        for (index, each) in self.filesets.iter().enumerate() {
            fileset(&mut c, &ConfigPath::of("filesets").index(index), each);
        }
        c.names("pools", self.pools.iter().map(|pool| pool.name.as_str()));
        for (index, each) in self.pools.iter().enumerate() {
            pool(&mut c, &ConfigPath::of("pools").index(index), each, self);
        }
        naming::counters(&mut c, self);
        catalog::check(&mut c, self);
        c.names("schedules", self.schedules.iter().map(|schedule| schedule.name.as_str()));
        for (index, each) in self.schedules.iter().enumerate() {
            schedule(&mut c, &ConfigPath::of("schedules").index(index), each, self);
        }
        messages::of_director(&mut c, self);
        access::check(&mut c, self);
        reach::check(&mut c, self);
        c.findings
    }
}

fn daemon(c: &mut Checker, config: &DirectorConfig) {
    let (director, path) = (&config.director, ConfigPath::of("director"));
    c.name_of(PeerKind::Director, &path, &director.name);
    c.password(&path, &director.password);
    c.not_empty(path.field("listen"), director.listen.len(), "address to listen on");
    c.listen(&path, &director.listen, director.port);
    c.tls(&path.field("tls"), &director.tls, Side::Accepting);
    c.heartbeat(path.field("heartbeat_interval"), Some(director.heartbeat_interval));
    for (within, retry) in [
        (("fd_connect_timeout", director.fd_connect_timeout), ("fd_retry_interval", director.fd_retry_interval)),
        (("sd_connect_timeout", director.sd_connect_timeout), ("sd_retry_interval", director.sd_retry_interval)),
        (
            ("status_connect_timeout", director.status_connect_timeout),
            ("status_retry_interval", director.status_retry_interval),
        ),
    ] {
        c.attempts(&path, within, retry);
    }
    c.source_address(&path, director.source_address.as_deref());
    health::check(c, &path, director);
    c.not_zero(path.field("maximum_concurrent_jobs"), u64::from(director.maximum_concurrent_jobs));
    c.not_zero(path.field("max_console_connections"), u64::from(director.max_console_connections));
    c.admission(&path, director.max_unauthenticated, director.authenticate_within);
    c.not_zero(path.field("max_waiting_connections"), u64::from(director.max_waiting_connections));
    let per_client = director.max_waiting_connections_per_client;
    c.not_zero(path.field("max_waiting_connections_per_client"), u64::from(per_client));
}

fn client(c: &mut Checker, path: &ConfigPath, client: &Client) {
    c.password(path, &client.password);
    c.optional_address(path.field("address"), client.address.as_deref());
    c.port(path, client.port);
    c.optional_address(path.field("lan_address"), client.lan_address.as_deref());
    c.networks(path, &client.networks);
    c.optional_tls(path, client.tls.as_ref(), Side::Dialling);
    c.heartbeat(path.field("heartbeat_interval"), client.heartbeat_interval);
    c.not_zero(path.field("maximum_concurrent_jobs"), u64::from(client.maximum_concurrent_jobs));
    c.bandwidth(path.field("maximum_bandwidth_per_job"), client.maximum_bandwidth_per_job);
    let (to, from) = (client.connection_from_director_to_client, client.connection_from_client_to_director);
    let name = &client.name;
    if !to && !from {
        let help = "set `connection_from_client_to_director: true` if the client dials in";
        let message = format!("neither side may dial, so client {name:?} is never reached");
        c.error(codes::NO_DIRECTION, path.field("connection_from_director_to_client"), message, help);
    }
    if client.address.is_none() && to && !from {
        let help = "add `address`, or set `connection_from_client_to_director: true` if the client dials in";
        c.error(
            codes::NO_ADDRESS,
            path.clone(),
            format!("the director dials client {name:?}, which has no address"),
            help,
        );
    }
    if client.address.is_none() && to && from {
        let help = "add `address`, or set `connection_from_director_to_client: false`";
        let message =
            format!("both directions are set, but client {name:?} has no address that the director could dial");
        c.warning(codes::BOTH_DIRECTIONS, path.field("connection_from_director_to_client"), message, help);
    }
    if client.address.is_none() && client.lan_address.is_none() && client.networks.is_empty() && client.passive {
        let help = "add `address`, `lan_address` or `networks`, or remove `passive`";
        let message = format!("a storage daemon dials the passive client {name:?}, which has no address");
        c.error(codes::NO_ADDRESS, path.field("passive"), message, help);
    }
}

fn storage(c: &mut Checker, path: &ConfigPath, storage: &Storage) {
    c.password(path, &storage.password);
    c.address(path.field("address"), &storage.address);
    c.port(path, storage.port);
    c.optional_address(path.field("lan_address"), storage.lan_address.as_deref());
    c.networks(path, &storage.networks);
    c.optional_tls(path, storage.tls.as_ref(), Side::Dialling);
    c.heartbeat(path.field("heartbeat_interval"), storage.heartbeat_interval);
    c.not_zero(path.field("maximum_concurrent_jobs"), u64::from(storage.maximum_concurrent_jobs));
    c.bandwidth(path.field("maximum_bandwidth_per_job"), storage.maximum_bandwidth_per_job);
    for (field, value) in [("device", &storage.device), ("media_type", &storage.media_type)] {
        if value.is_empty() {
            let help = "write the same word as in the storage daemon's `devices`";
            c.error(codes::EMPTY, path.field(field), format!("`{field}` is empty"), help);
        }
    }
}

fn job(c: &mut Checker, path: &ConfigPath, job: &Job, config: &DirectorConfig) {
    let clients = config.clients.iter().map(|client| client.name.as_str());
    let filesets = config.filesets.iter().map(|fileset| fileset.name.as_str());
    let storages = config.storages.iter().map(|storage| storage.name.as_str());
    let pools = config.pools.iter().map(|pool| pool.name.as_str());
    c.reference(path.field("client"), "client", &job.client, clients);
    c.reference(path.field("fileset"), "fileset", &job.fileset, filesets);
    c.reference(path.field("storage"), "storage", &job.storage, storages);
    c.reference(path.field("pool"), "pool", &job.pool, pools);
    let more = [
        ("full_pool", &job.full_pool),
        ("differential_pool", &job.differential_pool),
        ("incremental_pool", &job.incremental_pool),
        ("virtual_full_pool", &job.virtual_full_pool),
        ("next_pool", &job.next_pool),
    ];
    pools_of(c, path, &more, config);
    c.not_zero(path.field("maximum_concurrent_jobs"), u64::from(job.maximum_concurrent_jobs));
    c.not_zero(path.field("priority"), u64::from(job.priority));
    c.bandwidth(path.field("maximum_bandwidth"), job.maximum_bandwidth);
    if let Some(folder) = job.r#where.as_deref().filter(|folder| !folder.is_empty() && !folder.starts_with('/')) {
        let message =
            format!("{folder:?} is not an absolute path: where a client would put the files is left to chance");
        c.error(codes::RELATIVE_PATH, path.field("where"), message, "begin it with `/`");
    }
    if let Some(schedule) = &job.schedule {
        let schedules = config.schedules.iter().map(|schedule| schedule.name.as_str());
        c.reference(path.field("schedule"), "schedule", schedule, schedules);
        if job.kind == JobKind::Restore {
            let help = "remove `schedule`; restore from a console";
            c.error(codes::CONTRADICTION, path.field("schedule"), "a restore cannot be run by a schedule", help);
        }
    }
    messages::named(c, path, job.messages.as_deref(), &config.messages);
    commands::check(c, path, job);
    relocation::check(c, path, job);
    for_its_kind(c, path, job);
    bootstrap(c, path, job);
    plugin_options(c, path, job);
    others(c, path, job, config);
    rescheduling(c, path, job);
    duplicates(c, path, job);
    copying::check(c, path, job, config);
    consolidating::check(c, path, job, config);
    verifying(c, path, job, config);
    let dials_in = config.client(&job.client).is_none_or(|client| client.connection_from_client_to_director);
    if !job.run_on_incoming_connect_interval.is_zero() && !dials_in {
        let message = format!("client {:?} does not dial in, so this never starts the job", job.client);
        let help = "set `connection_from_client_to_director: true` in the client";
        c.warning(codes::CONTRADICTION, path.field("run_on_incoming_connect_interval"), message, help);
    }
    patience(c, path, job);
}

/// Who waits for a client needs one, and time.
fn patience(c: &mut Checker, path: &ConfigPath, job: &Job) {
    let wait = job.wait_for_client;
    if wait.is_zero() {
        return;
    }
    if !matches!(job.kind, JobKind::Backup | JobKind::Restore | JobKind::Verify) {
        let help = "remove `wait_for_client`";
        c.warning(codes::CONTRADICTION, path.field("wait_for_client"), "this kind of job needs no client", help);
    }
    for (field, limit) in [
        ("max_start_delay", job.max_start_delay),
        ("max_wait_time", job.max_wait_time),
        ("max_run_sched_time", job.max_run_sched_time),
    ] {
        if !limit.is_zero() && limit < wait {
            let message = format!("the job waits up to {wait} for its client, and `{field}` cancels it after {limit}");
            let help = format!("raise `{field}` above `wait_for_client`, or shorten that");
            c.warning(codes::CONTRADICTION, path.field("wait_for_client"), message, help);
        }
    }
}

/// Pools beside the one that every job has.
fn pools_of(c: &mut Checker, path: &ConfigPath, named: &[(&'static str, &Option<String>)], config: &DirectorConfig) {
    for (field, pool) in named {
        if let Some(pool) = pool {
            c.reference(path.field(field), "pool", pool, config.pools.iter().map(|pool| pool.name.as_str()));
        }
    }
}

/// Which of two jobs goes is only asked where there may be one.
fn duplicates(c: &mut Checker, path: &ConfigPath, job: &Job) {
    for (field, is_set) in [
        ("cancel_lower_level_duplicates", job.cancel_lower_level_duplicates),
        ("cancel_queued_duplicates", job.cancel_queued_duplicates),
        ("cancel_running_duplicates", job.cancel_running_duplicates),
    ] {
        if is_set && job.allow_duplicate_jobs {
            let message = format!("job {:?} allows duplicates, so none is cancelled", job.name);
            let help = format!("set `allow_duplicate_jobs: false`, or remove `{field}`");
            c.warning(codes::CONTRADICTION, path.field(field), message, help);
        }
    }
}

/// Settings that only jobs of one kind look at.
fn for_its_kind(c: &mut Checker, path: &ConfigPath, job: &Job) {
    let (backup, restore) = (job.kind == JobKind::Backup, job.kind == JobKind::Restore);
    for (is_moot, field, message, kind) in [
        (!restore && job.r#where.is_some(), "where", "only a restore puts files anywhere", "restore"),
        (!restore && job.regex_where.is_some(), "regex_where", "only a restore changes paths", "restore"),
        (!restore && job.strip_prefix.is_some(), "strip_prefix", "only a restore strips paths", "restore"),
        (!restore && job.add_prefix.is_some(), "add_prefix", "only a restore puts anything before paths", "restore"),
        (!restore && job.add_suffix.is_some(), "add_suffix", "only a restore puts anything after paths", "restore"),
        (!restore && job.replace != Replace::Always, "replace", "only a restore replaces files", "restore"),
        (
            !backup && job.kind != JobKind::Consolidate && job.accurate,
            "accurate",
            "only a backup is accurate",
            "backup",
        ),
        (!backup && !job.run.is_empty(), "run", "only a backup starts other jobs", "backup"),
        (!backup && job.write_bootstrap.is_some(), "write_bootstrap", "only a backup has one written", "backup"),
        (
            !backup && !job.run_on_incoming_connect_interval.is_zero(),
            "run_on_incoming_connect_interval",
            "only a backup is started when its client dials in",
            "backup",
        ),
    ] {
        if is_moot {
            let help = format!("remove `{field}`, or set `kind: {kind}`");
            c.warning(codes::CONTRADICTION, path.field(field), message, help);
        }
    }
}

/// Each text names a job; that it saves since another time cannot be said of it.
fn others(c: &mut Checker, path: &ConfigPath, job: &Job, config: &DirectorConfig) {
    for (index, text) in job.run.iter().enumerate() {
        let path = path.field("run").index(index);
        let rest = text.trim_start().trim_start_matches("job=");
        let name = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => rest.split_whitespace().next(),
        };
        let name = name.unwrap_or_default();
        if text.contains("since=") {
            let message = format!("{text:?} says since when the job saves, which it finds out by itself");
            c.warning(codes::CONTRADICTION, path.clone(), message, "remove `since=…`");
        }
        if !name.contains('%') {
            c.reference(path, "job", name, config.jobs.iter().map(|other| other.name.as_str()));
        }
    }
}

/// Backups and restores have plugins, and are told a line for each.
fn plugin_options(c: &mut Checker, path: &ConfigPath, job: &Job) {
    for (index, options) in job.fd_plugin_options.iter().enumerate() {
        if options.trim().is_empty() || options.contains(['\n', '\r', '\0', '\u{1}']) {
            let message = format!("{options:?} cannot be sent to a file daemon");
            let help = "write it as `NAME:KEY=VALUE`, in one line";
            c.error(codes::BAD_NAME, path.field("fd_plugin_options").index(index), message, help);
        }
    }
    if !job.fd_plugin_options.is_empty() && !matches!(job.kind, JobKind::Backup | JobKind::Restore) {
        let message = format!("job {:?} uses no plugins: only backups and restores do", job.name);
        c.warning(codes::CONTRADICTION, path.field("fd_plugin_options"), message, "remove `fd_plugin_options`");
    }
}

/// A file of the director, or a command that there is something of.
fn bootstrap(c: &mut Checker, path: &ConfigPath, job: &Job) {
    let Some(target) = &job.write_bootstrap else { return };
    let is_good = match target.strip_prefix('|') {
        Some(program) => !command::split(program).is_empty(),
        None => target.starts_with('/'),
    };
    if !is_good {
        let message = format!("{target:?} is neither an absolute path nor `|` and a command");
        let help = "write it from the root, as `/var/lib/towline/%c.bsr`, or as `|/usr/bin/mail root`";
        c.error(codes::RELATIVE_PATH, path.field("write_bootstrap"), message, help);
    }
}

/// Only backups are tried again, after a pause.
fn rescheduling(c: &mut Checker, path: &ConfigPath, job: &Job) {
    if !job.reschedule_on_error {
        return;
    }
    c.not_zero(path.field("reschedule_interval"), job.reschedule_interval.0);
    if job.kind != JobKind::Backup {
        let message = format!("job {:?} is no backup, and only backups are tried again", job.name);
        c.warning(codes::CONTRADICTION, path.field("reschedule_on_error"), message, "remove `reschedule_on_error`");
    }
}

/// A verify job reads what a backup has saved.
fn verifying(c: &mut Checker, path: &ConfigPath, job: &Job, config: &DirectorConfig) {
    let Some(wanted) = &job.verify_job else { return };
    let field = path.field("verify_job");
    if job.kind != JobKind::Verify {
        let message = format!("job {:?} verifies nothing", job.name);
        return c.warning(codes::CONTRADICTION, field, message, "remove `verify_job`, or set `kind: verify`");
    }
    let backups = || config.jobs.iter().filter(|other| other.kind == JobKind::Backup);
    match config.job(wanted) {
        Some(other) if other.kind != JobKind::Backup => {
            let message = format!("job {wanted:?} is no backup, so there is nothing of it to verify");
            c.error(codes::CONTRADICTION, field, message, "name a job with `kind: backup`");
        }
        _ => c.reference(field, "backup job", wanted, backups().map(|other| other.name.as_str())),
    }
}

fn schedule(c: &mut Checker, path: &ConfigPath, schedule: &Schedule, config: &DirectorConfig) {
    if schedule.runs.is_empty() {
        let message = format!("schedule {:?} has no run, so it starts nothing", schedule.name);
        c.warning(codes::EMPTY, path.field("name"), message, "add a run, or remove the schedule from its jobs");
    }
    for (index, run) in schedule.runs.iter().enumerate() {
        let path = path.field("runs").index(index);
        c.not_empty(path.field("at"), run.at.len(), "time of day");
        let more = [
            ("pool", &run.pool),
            ("full_pool", &run.full_pool),
            ("differential_pool", &run.differential_pool),
            ("incremental_pool", &run.incremental_pool),
            ("virtual_full_pool", &run.virtual_full_pool),
            ("next_pool", &run.next_pool),
        ];
        pools_of(c, &path, &more, config);
        if let Some(storage) = &run.storage {
            let storages = config.storages.iter().map(|storage| storage.name.as_str());
            c.reference(path.field("storage"), "storage", storage, storages);
        }
        messages::named(c, &path, run.messages.as_deref(), &config.messages);
        if let Some(priority) = run.priority {
            c.not_zero(path.field("priority"), u64::from(priority));
        }
        for (field, values, least, most) in [
            ("days_of_month", &run.days_of_month, 1, 31),
            ("months", &run.months, 1, 12),
            ("weeks_of_year", &run.weeks_of_year, 0, 53),
        ] {
            if let Some(value) = values.iter().find(|value| !(least..=most).contains(*value)) {
                let help = format!("write numbers from {least} to {most}");
                let message = format!("{value} is none of the numbers `{field}` can have");
                c.error(codes::OUT_OF_RANGE, path.field(field), message, &help);
            }
        }
    }
}

fn fileset(c: &mut Checker, path: &ConfigPath, fileset: &FileSet) {
    left_out(c, &path.field("exclude"), &fileset.exclude);
    c.not_empty(path.field("include"), fileset.include.len(), "include block");
    for (index, include) in fileset.include.iter().enumerate() {
        let path = path.field("include").index(index);
        let entries = include.files.len() + include.director_lists.len() + include.plugins.len();
        c.not_empty(path.field("files"), entries, "file");
        director_lists(c, &path, &include.director_lists);
        for (index, plugin) in include.plugins.iter().enumerate() {
            if plugin.trim().is_empty() || plugin.contains(['\n', '\r', '\0']) {
                let message = format!("{plugin:?} is no line that says what a plugin saves");
                let help = "write it as `bpipe:file=/NAME:reader=COMMAND:writer=COMMAND`";
                c.error(codes::WRONG_VALUE, path.field("plugins").index(index), message, help);
            }
        }
        c.not_empty(path.field("options"), include.options.len(), "options block");
        for (index, file) in include.files.iter().enumerate() {
            if !is_absolute(file) {
                let message = format!("{file:?} is not an absolute path");
                let help = "write it from the root: `/home`, `C:/Users`";
                c.error(codes::RELATIVE_PATH, path.field("files").index(index), message, help);
            } else if file.contains(['\n', '\r', '\0']) || file.ends_with(' ') {
                // A line of the fileset ends there, and the file daemon strips spaces (`wire/2 §1.6`).
                let message = format!("{file:?} cannot be sent to a file daemon");
                let help = "remove line ends and spaces at the end, or name the folder above";
                c.error(codes::BAD_NAME, path.field("files").index(index), message, help);
            }
        }
        for (index, name) in include.exclude_dir_containing.iter().enumerate() {
            if name.is_empty() || name.contains('/') {
                let message = format!("{name:?} is no name of a file in a folder");
                let help = "write a single name, such as `.nobackup`";
                c.error(codes::UNMATCHED, path.field("exclude_dir_containing").index(index), message, help);
            }
        }
        for (index, options) in include.options.iter().enumerate() {
            accurate(c, &path.field("options").index(index), options);
            wilds(c, &path.field("options").index(index), options);
            sizes(c, &path.field("options").index(index), options);
            if options.exclude && !options.has_patterns() {
                let message = "this block leaves out every file";
                let help = "add patterns such as `wild: [\"*.tmp\"]`, or remove `exclude`";
                c.error(codes::CONTRADICTION, path.field("options").index(index).field("exclude"), message, help);
            }
        }
    }
}

/// A list on the director is a file there, or a command.
fn director_lists(c: &mut Checker, path: &ConfigPath, lists: &[String]) {
    for (index, list) in lists.iter().enumerate() {
        let path = path.field("director_lists").index(index);
        match list.split_at_checked(1) {
            Some(("<", name)) if name.starts_with('/') => {}
            Some(("|", command)) if !command::split(command).is_empty() => {}
            Some(("<", _)) => {
                let message = format!("{list:?} names no absolute path of a file on the director");
                c.error(codes::RELATIVE_PATH, path, message, "write it from the root: `</etc/paths`");
            }
            _ => {
                let message = format!("{list:?} is no list on the director");
                c.error(codes::WRONG_VALUE, path, message, "write `<` and a file, or `|` and a command");
            }
        }
    }
}

/// What is left out must be something.
fn left_out(c: &mut Checker, path: &ConfigPath, exclude: &Exclude) {
    director_lists(c, path, &exclude.director_lists);
    for (index, file) in exclude.files.iter().enumerate() {
        let path = path.field("files").index(index);
        if file.contains(['\n', '\r', '\0']) || file.ends_with(' ') {
            let message = format!("{file:?} cannot be sent to a file daemon");
            c.error(codes::BAD_NAME, path, message, "remove line ends and spaces at the end, or write `?` for them");
        } else if !file.starts_with(['|', '<']) {
            matches_something(c, path, file);
        }
    }
}

/// A file daemon that does not understand a size takes files of any.
fn sizes(c: &mut Checker, path: &ConfigPath, options: &IncludeOptions) {
    if let Some(size) = options.size.as_deref().filter(|size| Sizes::parse(size).is_none()) {
        let message = format!("{size:?} is no size, and no range of sizes");
        c.error(codes::WRONG_VALUE, path.field("size"), message, "write `<10m`, `>1k`, `1k-20m` or `1m`");
    }
}

/// Wildcards are compared with whole paths (`wire/2 §1.6`).
fn wilds(c: &mut Checker, path: &ConfigPath, options: &IncludeOptions) {
    let lists = [("wild", &options.wild), ("wild_file", &options.wild_file), ("wild_dir", &options.wild_dir)];
    for (field, texts) in lists {
        for (index, text) in texts.iter().enumerate() {
            matches_something(c, path.field(field).index(index), text);
        }
    }
}

fn matches_something(c: &mut Checker, path: ConfigPath, wild: &str) {
    match unmatched(&plain(wild.as_bytes())) {
        Some(Unmatched::Relative) => {
            let message = format!("{wild:?} matches no path: they all begin at the root");
            c.error(
                codes::UNMATCHED,
                path,
                message,
                format!("write the whole path, or \"*/{wild}\" for it in any folder"),
            );
        }
        Some(Unmatched::Parent) => {
            let message = format!("{wild:?} matches no path: none has `..` in it");
            c.error(codes::UNMATCHED, path, message, "write where it leads to");
        }
        None => {}
    }
}

/// What accurate jobs compare must be known, to the file daemon and to the catalog.
fn accurate(c: &mut Checker, path: &ConfigPath, options: &IncludeOptions) {
    let Some(fields) = &options.accurate else { return };
    let field = path.field("accurate");
    if let Some(letter) = fields.chars().find(|letter| !ACCURATE.contains(*letter)) {
        let message = format!("{letter:?} is none of the fields that can be compared");
        return c.error(codes::BAD_NAME, field, message, format!("use letters of {ACCURATE:?}"));
    }
    if fields.is_empty() {
        let message = "an accurate job compares nothing: no known file is saved again";
        return c.warning(codes::EMPTY, field, message, "remove `accurate`, which means \"mcs\", or name fields");
    }
    if compares_digests(fields) && options.digest == Digest::None {
        let message = "digests are compared, and none is saved";
        c.error(codes::CONTRADICTION, field, message, "choose a `digest`, or remove `5` and `1`");
    }
}

/// Letters of the fields that an accurate job can compare (`wire/2 §1.8`).
const ACCURATE: &str = "ipnugsdamcA51";

/// From the root of a Unix or Windows file system, or a list or program on the client (`wire/2 §1.6`).
fn is_absolute(path: &str) -> bool {
    let bytes = path.as_bytes();
    matches!(bytes, [b'/' | b'|' | b'<', ..])
        || matches!(bytes, [drive, b':', b'/' | b'\\', ..] if drive.is_ascii_alphabetic())
}

fn pool(c: &mut Checker, path: &ConfigPath, pool: &Pool, config: &DirectorConfig) {
    if let Some(next) = &pool.next_pool {
        c.reference(path.field("next_pool"), "pool", next, config.pools.iter().map(|pool| pool.name.as_str()));
        if *next == pool.name {
            let message = format!("pool {next:?} is its own next pool");
            c.error(codes::CONTRADICTION, path.field("next_pool"), message, "name another pool");
        }
    }
    if let Some(storage) = &pool.storage {
        c.reference(path.field("storage"), "storage", storage, config.storages.iter().map(|one| one.name.as_str()));
    }
    if let Some(format) = &pool.label_format {
        // Four digits follow, and the result is a name on the wire and of a file.
        if has_variables(format) || format.contains(['[', ']']) {
            naming::format(c, &path.field("label_format"), format, config);
        } else if format.is_empty() || format.len() > crate::config::MAX_NAME - 4 || format.contains(['/', '\\']) {
            let message = format!("{format:?} cannot begin the name of a volume");
            let help = "use a few letters, such as \"Full-\"";
            c.error(codes::BAD_NAME, path.field("label_format"), message, help);
        } else if format.chars().any(char::is_control) || format.starts_with(' ') {
            let message = format!("{format:?} has characters that no volume name can have");
            c.error(codes::BAD_NAME, path.field("label_format"), message, "use letters, digits, `-`, `_` and `.`");
        }
    }
    unsupported::pool(c, path, pool);
    if pool.recycle && pool.volume_retention.is_zero() {
        let message = "every full volume may be overwritten at once";
        c.warning(codes::ZERO, path.field("volume_retention"), message, "say how long volumes are kept");
    }
    if pool.recycle_oldest_volume && !pool.recycle {
        let message = "`recycle_oldest_volume` has no effect with `recycle: false`";
        c.warning(codes::CONTRADICTION, path.field("recycle_oldest_volume"), message, "remove one of the two");
    }
}
