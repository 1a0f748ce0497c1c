//! The settings of each kind of resource, by the names they have in Bareos' syntax.

mod file_sets;
mod schedules;

use crate::config::{
    Access, Catalog, Client, Counter, Destination, DestinationKind, DirectorConfig, Job, Messages, Pool, PoolKind,
    Profile, Replace, RunScript, RunsWhen, Seconds, Storage, TlsConfig, When as JobEnds,
};
use crate::role::director::jobs::ordering::type_of;
use crate::role::director::jobs::tables;
use crate::wire::json::Json;
use crate::wire::status::JobType;

use super::super::run::level_name_of;

pub(super) use file_sets::file_sets;
pub(super) use schedules::schedules;

/// What a secret is shown as.
const SECRET: &str = "***";

/// The access lists of consoles and profiles.
const LISTS: [(&str, Access); 10] = [
    ("JobAcl", Access::Job),
    ("ClientAcl", Access::Client),
    ("StorageAcl", Access::Storage),
    ("ScheduleAcl", Access::Schedule),
    ("PoolAcl", Access::Pool),
    ("CommandAcl", Access::Command),
    ("FileSetAcl", Access::FileSet),
    ("CatalogAcl", Access::Catalog),
    ("WhereAcl", Access::Where),
    ("PluginOptionsAcl", Access::PluginOptions),
];

/// The settings of a resource.
#[derive(Debug)]
pub(super) struct Resource(Vec<Field>);

/// A setting.
#[derive(Debug)]
struct Field {
    name: &'static str,
    value: Value,
    when: When,
}

/// When a setting is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// Whatever it says.
    Always,
    /// If it is not what it is by default, or if everything is to be shown.
    Set(bool),
    /// To a program whatever it says; to a person as in `Set`.
    ToPrograms(bool),
}

#[derive(Debug)]
enum Value {
    Text(String),
    /// A word of the syntax, without quotation marks.
    Word(String),
    Number(u64),
    Flag(bool),
    List(Vec<String>),
    /// A block of settings, and several of them.
    Block(Vec<Field>),
    Blocks(Vec<Vec<Field>>),
}

impl Resource {
    pub(super) fn name(&self) -> &str {
        match self.0.first().map(|field| &field.value) {
            Some(Value::Text(name)) => name,
            _ => "",
        }
    }

    pub(super) fn text(&self, kind: &str, verbose: bool) -> String {
        let mut text = format!("{kind} {{\n");
        put(&mut text, &self.0, 1, verbose);
        text + "}\n\n"
    }

    pub(super) fn json(&self, verbose: bool) -> Json {
        object(&self.0, verbose)
    }
}

fn put(text: &mut String, fields: &[Field], depth: usize, verbose: bool) {
    let indent = "  ".repeat(depth);
    for Field { name, value, when } in fields {
        if !matches!(when, When::Always) && !verbose && !matches!(when, When::Set(true) | When::ToPrograms(true)) {
            continue;
        }
        let value = match value {
            Value::Block(fields) => {
                text.push_str(&format!("{indent}{name} {{\n"));
                put(text, fields, depth + 1, verbose);
                text.push_str(&format!("{indent}}}\n"));
                continue;
            }
            Value::Blocks(blocks) => {
                for block in blocks {
                    text.push_str(&format!("{indent}{name} {{\n"));
                    put(text, block, depth + 1, verbose);
                    text.push_str(&format!("{indent}}}\n"));
                }
                continue;
            }
            // A list of paths has each on a line of its own.
            Value::List(items) if *name == "File" || *name == "Run" => {
                items.iter().for_each(|item| text.push_str(&format!("{indent}{name} = {}\n", quoted(item))));
                continue;
            }
            Value::List(items) => items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", "),
            Value::Text(value) => quoted(value),
            Value::Word(word) => word.clone(),
            Value::Number(number) => number.to_string(),
            Value::Flag(flag) => if *flag { "Yes" } else { "No" }.to_owned(),
        };
        text.push_str(&format!("{indent}{name} = {value}\n"));
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn object(fields: &[Field], verbose: bool) -> Json {
    let is_shown = |field: &&Field| verbose || !matches!(field.when, When::Set(false));
    let member = |field: &Field| {
        let value = match &field.value {
            Value::Text(text) | Value::Word(text) => text.as_str().into(),
            Value::Number(number) => Json::Number(i64::try_from(*number).unwrap_or(i64::MAX)),
            Value::Flag(flag) => Json::Bool(*flag),
            Value::List(items) => Json::List(items.iter().map(|item| item.as_str().into()).collect()),
            Value::Block(fields) => object(fields, verbose),
            Value::Blocks(blocks) => Json::List(blocks.iter().map(|block| object(block, verbose)).collect()),
        };
        (field.name.to_lowercase(), value)
    };
    Json::Object(fields.iter().filter(is_shown).map(member).collect())
}

fn always(name: &'static str, value: Value) -> Field {
    Field { name, value, when: When::Always }
}

fn text(name: &'static str, value: &str) -> Field {
    always(name, Value::Text(value.to_owned()))
}

/// A name of another resource: a program is told it even if there is none.
fn reference(name: &'static str, value: Option<&str>) -> Field {
    Field { name, value: Value::Text(value.unwrap_or_default().to_owned()), when: When::ToPrograms(value.is_some()) }
}

fn number(name: &'static str, value: u64, usual: u64) -> Field {
    Field { name, value: Value::Number(value), when: When::Set(value != usual) }
}

fn flag(name: &'static str, value: bool, usual: bool) -> Field {
    Field { name, value: Value::Flag(value), when: When::Set(value != usual) }
}

fn optional(name: &'static str, value: Option<&str>) -> Field {
    Field { name, value: Value::Text(value.unwrap_or_default().to_owned()), when: When::Set(value.is_some()) }
}

fn list(name: &'static str, value: &[String]) -> Field {
    Field { name, value: Value::List(value.to_vec()), when: When::Set(!value.is_empty()) }
}

fn word(name: &'static str, value: &str, usual: &str) -> Field {
    Field { name, value: Value::Word(value.to_owned()), when: When::Set(value != usual) }
}

fn seconds(name: &'static str, value: Option<Seconds>) -> Field {
    Field { name, value: Value::Number(value.map_or(0, |value| value.0)), when: When::Set(value.is_some()) }
}

fn tls(tls: Option<&TlsConfig>) -> [Field; 2] {
    let usual = TlsConfig::default();
    let tls = tls.unwrap_or(&usual);
    [flag("TlsEnable", tls.enable, usual.enable), flag("TlsRequire", tls.require, usual.require)]
}

pub(super) fn directors(config: &DirectorConfig) -> Vec<Resource> {
    let director = &config.director;
    let addresses = director.listen.iter().map(|address| {
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() && !host.ends_with(':') => {
                (host, port.parse().unwrap_or(0))
            }
            _ => (address.as_str(), director.port),
        };
        let fields = vec![text("addr", host), always("port", Value::Number(port.into()))];
        vec![always(if host.contains(':') { "ipv6" } else { "ipv4" }, Value::Block(fields))]
    });
    let mut fields = vec![
        text("Name", &director.name),
        optional("Description", director.description.as_deref()),
        text("Messages", &config.messages_of(None).name),
        always("Addresses", Value::Blocks(addresses.collect())),
        optional("WorkingDirectory", director.working_directory.as_deref()),
        always("MaximumConcurrentJobs", Value::Number(director.maximum_concurrent_jobs.into())),
        number("Subscriptions", director.subscriptions.into(), 0),
        number("MaximumConsoleConnections", director.max_console_connections.into(), 20),
        text("Password", SECRET),
        number("HeartbeatInterval", director.heartbeat_interval.0, 60),
        number("FdConnectTimeout", director.fd_connect_timeout.0, 180),
        number("SdConnectTimeout", director.sd_connect_timeout.0, 1_800),
        optional("DirSourceAddress", director.source_address.as_deref()),
    ];
    fields.extend(tls(Some(&director.tls)));
    vec![Resource(fields)]
}

pub(super) fn clients(config: &DirectorConfig) -> Vec<Resource> {
    let client = |client: &Client| {
        let mut fields = vec![
            text("Name", &client.name),
            optional("Description", client.description.as_deref()),
            text("Address", client.address.as_deref().unwrap_or_default()),
            always("Port", Value::Number(client.port.into())),
            text("Password", SECRET),
            Field {
                name: "Catalog",
                value: Value::Text(config.catalog_of_client(client).to_owned()),
                when: When::ToPrograms(client.catalog.is_some()),
            },
            flag("Passive", client.passive, false),
            flag("ConnectionFromClientToDirector", client.connection_from_client_to_director, false),
            flag("ConnectionFromDirectorToClient", client.connection_from_director_to_client, true),
            optional("LanAddress", client.lan_address.as_deref()),
            seconds("HeartbeatInterval", client.heartbeat_interval),
            number("FileRetention", client.file_retention.0, 0),
            number("JobRetention", client.job_retention.0, 0),
            number("MaximumConcurrentJobs", client.maximum_concurrent_jobs.into(), 1),
            number("MaximumBandwidthPerJob", client.maximum_bandwidth_per_job.0, 0),
        ];
        fields.extend(client.tls.iter().flat_map(|own| tls(Some(own))));
        Resource(fields)
    };
    config.clients.iter().map(client).collect()
}

pub(super) fn storages(config: &DirectorConfig) -> Vec<Resource> {
    let storage = |storage: &Storage| {
        let mut fields = vec![
            text("Name", &storage.name),
            optional("Description", storage.description.as_deref()),
            text("Address", &storage.address),
            always("Port", Value::Number(storage.port.into())),
            text("Password", SECRET),
            always("Device", Value::List(vec![storage.device.clone()])),
            text("MediaType", &storage.media_type),
            optional("LanAddress", storage.lan_address.as_deref()),
            seconds("HeartbeatInterval", storage.heartbeat_interval),
            number("MaximumConcurrentJobs", storage.maximum_concurrent_jobs.into(), 1),
            number("MaximumBandwidthPerJob", storage.maximum_bandwidth_per_job.0, 0),
            reference("PairedStorage", None),
        ];
        fields.extend(storage.tls.iter().flat_map(|own| tls(Some(own))));
        Resource(fields)
    };
    config.storages.iter().map(storage).collect()
}

pub(super) fn jobs(config: &DirectorConfig) -> Vec<Resource> {
    let messages = |job: &Job| config.messages_of(job.messages.as_deref()).name;
    config.jobs.iter().map(|job| Resource(job_fields(job, &messages(job)))).collect()
}

fn job_fields(job: &Job, messages: &str) -> Vec<Field> {
    let replace = match job.replace {
        Replace::Always => "Always",
        Replace::IfNewer => "IfNewer",
        Replace::IfOlder => "IfOlder",
        Replace::Never => "Never",
    };
    vec![
        text("Name", &job.name),
        optional("Description", job.description.as_deref()),
        always("Type", Value::Word(tables::of(type_of(job.kind).unwrap_or(JobType::Restore)).0.to_owned())),
        always("Level", Value::Word(level_name_of(job).to_owned())),
        text("Messages", messages),
        always("Storage", Value::List(vec![job.storage.clone()])),
        text("Pool", &job.pool),
        reference("FullBackupPool", job.full_pool.as_deref()),
        reference("VirtualFullBackupPool", job.virtual_full_pool.as_deref()),
        reference("IncrementalBackupPool", job.incremental_pool.as_deref()),
        reference("DifferentialBackupPool", job.differential_pool.as_deref()),
        reference("NextPool", job.next_pool.as_deref()),
        text("Client", &job.client),
        text("FileSet", &job.fileset),
        reference("Schedule", job.schedule.as_deref()),
        reference("JobToVerify", job.verify_job.as_deref()),
        reference("Catalog", job.catalog.as_deref()),
        reference("JobDefs", None),
        optional("Where", job.r#where.as_deref()),
        word("Replace", replace, "Always"),
        flag("Accurate", job.accurate, false),
        flag("SpoolAttributes", job.spool_attributes, false),
        list("Run", &job.run),
        list("FdPluginOptions", &job.fd_plugin_options),
        optional("WriteBootstrap", job.write_bootstrap.as_deref()),
        flag("SpoolData", job.spool_data, false),
        number("SpoolSize", job.spool_size.0, 0),
        flag("Enabled", job.enabled, true),
        number("Priority", job.priority.into(), 10),
        number("RunOnIncomingConnectInterval", job.run_on_incoming_connect_interval.0, 0),
        flag("RescheduleOnError", job.reschedule_on_error, false),
        number("RescheduleInterval", job.reschedule_interval.0, 1_800),
        number("RescheduleTimes", job.reschedule_times.into(), 5),
        number("MaximumBandwidth", job.maximum_bandwidth.0, 0),
        number("MaximumConcurrentJobs", job.maximum_concurrent_jobs.into(), 1),
        number("MaxVirtualFullInterval", job.max_virtual_full_interval.0, 0),
        flag("PurgeMigrationJob", job.purge_migration_job, false),
        run_scripts(&job.run_scripts),
        flag("AlwaysIncremental", job.always_incremental, false),
        number("AlwaysIncrementalJobRetention", job.always_incremental_job_retention.0, 0),
        number("AlwaysIncrementalKeepNumber", job.always_incremental_keep_number.into(), 0),
        number("AlwaysIncrementalMaxFullAge", job.always_incremental_max_full_age.0, 0),
        number("MaxFullConsolidations", job.max_full_consolidations.into(), 0),
    ]
}

fn run_scripts(scripts: &[RunScript]) -> Field {
    let script = |script: &RunScript| {
        let when = match script.runs_when {
            RunsWhen::Before => "Before",
            RunsWhen::After => "After",
            RunsWhen::Always => "Always",
            RunsWhen::AfterVss => "AfterVSS",
        };
        vec![
            text(if script.console { "Console" } else { "Command" }, &script.command),
            always("RunsWhen", Value::Word(when.to_owned())),
            flag("RunsOnClient", script.runs_on_client, true),
            flag("RunsOnSuccess", script.runs_on_success, true),
            flag("RunsOnFailure", script.runs_on_failure, false),
            flag("FailJobOnError", script.fail_job_on_error, true),
        ]
    };
    let blocks = scripts.iter().map(script).collect();
    Field { name: "RunScript", value: Value::Blocks(blocks), when: When::Set(!scripts.is_empty()) }
}

pub(super) fn pools(config: &DirectorConfig) -> Vec<Resource> {
    let pool = |pool: &Pool| {
        let kind = if pool.kind == PoolKind::Scratch { "Scratch" } else { "Backup" };
        Resource(vec![
            text("Name", &pool.name),
            optional("Description", pool.description.as_deref()),
            word("PoolType", kind, "Backup"),
            optional("LabelFormat", pool.label_format.as_deref()),
            Field { name: "LabelType", value: Value::Word("bareos".to_owned()), when: When::ToPrograms(false) },
            Field { name: "ActionOnPurge", value: Value::Word("None".to_owned()), when: When::ToPrograms(false) },
            reference("NextPool", pool.next_pool.as_deref()),
            list("Storage", pool.storage.as_slice()),
            flag("AutoPrune", pool.auto_prune, true),
            flag("Recycle", pool.recycle, true),
            flag("RecycleOldestVolume", pool.recycle_oldest_volume, false),
            number("VolumeRetention", pool.volume_retention.0, 365 * 86_400),
            number("VolumeUseDuration", pool.volume_use_duration.0, 0),
            number("MaximumVolumes", pool.maximum_volumes.into(), 0),
            number("MaximumVolumeJobs", pool.maximum_volume_jobs.into(), 0),
            number("MaximumVolumeBytes", pool.maximum_volume_bytes.0, 0),
            reference("RecyclePool", None),
            reference("ScratchPool", None),
            reference("Catalog", pool.catalog.as_deref()),
        ])
    };
    config.pools.iter().map(pool).collect()
}

pub(super) fn counters(config: &DirectorConfig) -> Vec<Resource> {
    let counter = |counter: &Counter| {
        Resource(vec![
            text("Name", &counter.name),
            optional("Description", counter.description.as_deref()),
            number("Minimum", counter.minimum.into(), 0),
            number("Maximum", counter.highest().into(), i32::MAX.unsigned_abs().into()),
            reference("WrapCounter", counter.wrap_counter.as_deref()),
            reference(
                "Catalog",
                counter.keep.then(|| counter.catalog.as_deref().unwrap_or_else(|| config.catalog.name())),
            ),
        ])
    };
    config.counters.iter().map(counter).collect()
}

pub(super) fn consoles(config: &DirectorConfig) -> Vec<Resource> {
    let console = |console: &crate::config::ConsoleAccess| {
        let mut fields = vec![
            text("Name", &console.name),
            optional("Description", console.description.as_deref()),
            text("Password", SECRET),
            list("Profile", &console.profiles),
        ];
        fields.extend(LISTS.iter().map(|(name, about)| list(name, about.of_console(console))));
        fields.extend(console.tls.iter().flat_map(|own| tls(Some(own))));
        Resource(fields)
    };
    config.consoles.iter().map(console).collect()
}

pub(super) fn profiles(config: &DirectorConfig) -> Vec<Resource> {
    let profile = |profile: &Profile| {
        let mut fields = vec![text("Name", &profile.name), optional("Description", profile.description.as_deref())];
        fields.extend(LISTS.iter().map(|(name, about)| list(name, about.of_profile(profile))));
        Resource(fields)
    };
    config.profiles.iter().map(profile).collect()
}

pub(super) fn messages(config: &DirectorConfig) -> Vec<Resource> {
    let usual = Messages::new(String::new());
    let one = |messages: Messages| {
        let mut fields = vec![text("Name", &messages.name)];
        fields.push(optional("Description", messages.description.as_deref()));
        if messages.timestamp_format != usual.timestamp_format {
            fields.push(text("TimestampFormat", &messages.timestamp_format));
        }
        for to in &messages.destinations {
            let is_operator = to.kind == DestinationKind::Operator;
            let command = if is_operator { "OperatorCommand" } else { "MailCommand" };
            fields.extend(to.command.iter().map(|line| text(command, line)));
            // What an address of the web says may let one in.
            let place = if to.kind == DestinationKind::Webhook { SECRET.to_owned() } else { to.to.join(",") };
            let place = Some(place).filter(|place| !place.is_empty());
            let what = always("what", Value::Word(to.types.words().join(", ")));
            let block = place.map(|place| text("where", &place)).into_iter().chain([what]).collect();
            fields.push(always(destination(to), Value::Block(block)));
        }
        Resource(fields)
    };
    config.all_messages().into_iter().map(one).collect()
}

/// What Bareos calls a destination; a webhook is ours.
const fn destination(to: &Destination) -> &'static str {
    match (to.kind, to.when) {
        (DestinationKind::Mail, JobEnds::Always) => "Mail",
        (DestinationKind::Mail, JobEnds::OnError) => "MailOnError",
        (DestinationKind::Mail, JobEnds::OnSuccess) => "MailOnSuccess",
        (DestinationKind::Operator, _) => "Operator",
        (DestinationKind::Append, _) => "Append",
        (DestinationKind::File, _) => "File",
        (DestinationKind::Syslog, _) => "Syslog",
        (DestinationKind::Console, _) => "Console",
        (DestinationKind::Catalog, _) => "Catalog",
        (DestinationKind::Stdout, _) => "Stdout",
        (DestinationKind::Stderr, _) => "Stderr",
        (DestinationKind::Director, _) => "Director",
        (DestinationKind::Webhook, _) => "Webhook",
    }
}

pub(super) fn catalogs(config: &DirectorConfig) -> Vec<Resource> {
    config.all_catalogs().map(catalog).collect()
}

fn catalog(catalog: &Catalog) -> Resource {
    let mut fields = vec![
        text("Name", catalog.name()),
        optional("Description", catalog.description()),
        text("DbDriver", catalog.engine()),
    ];
    match catalog {
        Catalog::Sqlite(file) => fields.push(text("DbName", &file.path)),
        Catalog::Postgres(server) => fields.extend([
            text("DbName", &server.database),
            text("DbAddress", &server.host),
            always("DbPort", Value::Number(server.port.into())),
            text("DbUser", &server.user),
            text("DbPassword", SECRET),
        ]),
    }
    Resource(fields)
}
