//! `.defaults`: what a resource says, for a program that asks a person for a job.

use crate::config::{Client, DirectorConfig, Job, Pool, PoolKind, Storage};
use crate::role::director::jobs::ordering::type_of;
use crate::role::director::jobs::tables;
use crate::wire::json::Json;
use crate::wire::status::JobType;

use super::super::super::answer::Both;
use super::super::super::grammar::Takes::Value;
use super::super::super::grammar::{Command, Form};
use super::super::super::refusal::{Kind, NoSuch, Refusal};
use super::super::super::reply::{Reply, View};
use super::super::super::words::Words;
use super::super::run::level_name_of;

pub(in super::super) const COMMAND: Command = Command::new(
    ".defaults",
    &[Form {
        words: &[("job", Value), ("client", Value), ("pool", Value), ("storage", Value)],
        one_of: &[&["job", "client", "pool", "storage"]],
        help: &[(".defaults job=NAME|client=NAME|pool=NAME|storage=NAME", "the settings of one resource")],
        ..Form::PLAIN
    }],
    run,
);

type Fields = Vec<(&'static str, Json)>;

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let config = view.config();
    let fields = if let Some(name) = words.value(&["job"]) {
        config.job(name).map(|one| job(config, one)).ok_or_else(|| no_job(config, name))?
    } else if let Some(name) = words.value(&["client"]) {
        NoSuch::check(config, Kind::Client, name)?;
        config.client(name).map(|one| client(config, one)).unwrap_or_default()
    } else if let Some(name) = words.value(&["pool"]) {
        NoSuch::check(config, Kind::Pool, name)?;
        config.pool(name).map(pool).unwrap_or_default()
    } else if let Some(name) = words.value(&["storage"]) {
        NoSuch::check(config, Kind::Storage, name)?;
        config.storage(name).map(storage).unwrap_or_default()
    } else {
        return Err(Refusal::usage("Name a resource: .defaults job=NAME, client=NAME, pool=NAME or storage=NAME."));
    };
    let line = |(name, value): &(&str, Json)| match value {
        Json::Text(text) => format!("{name}={text}\n"),
        other => format!("{name}={}\n", other.to_text(true)),
    };
    let text = fields.iter().map(line).collect();
    let members = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(Reply::found(Both { text, json: Json::object([("defaults", Json::Object(members))]) }))
}

fn no_job(config: &DirectorConfig, name: &str) -> Refusal {
    let names: Vec<&str> = config.jobs.iter().map(|job| job.name.as_str()).collect();
    Refusal::usage(format!("There is no job \"{name}\". There are: {}", names.join(", ")))
}

fn job(config: &DirectorConfig, job: &Job) -> Fields {
    vec![
        ("job", job.name.as_str().into()),
        ("pool", job.pool.as_str().into()),
        ("messages", config.messages_of(job.messages.as_deref()).name.into()),
        ("client", job.client.as_str().into()),
        ("storage", job.storage.as_str().into()),
        ("where", job.r#where.as_deref().unwrap_or_default().into()),
        ("level", level_name_of(job).into()),
        ("type", tables::of(type_of(job.kind).unwrap_or(JobType::Restore)).0.into()),
        ("fileset", job.fileset.as_str().into()),
        ("enabled", bit(job.enabled)),
        ("catalog", config.catalog_of_job(job, &job.pool).into()),
    ]
}

fn client(config: &DirectorConfig, client: &Client) -> Fields {
    vec![
        ("client", client.name.as_str().into()),
        ("address", client.address.as_deref().unwrap_or_default().into()),
        ("port", Json::Number(client.port.into())),
        ("file_retention", client.file_retention.0.to_string().into()),
        ("job_retention", client.job_retention.0.to_string().into()),
        // Jobs are pruned with their volume.
        ("autoprune", bit(false)),
        ("enabled", bit(true)),
        ("catalog", config.catalog_of_client(client).into()),
    ]
}

fn pool(pool: &Pool) -> Fields {
    let kind = if pool.kind == PoolKind::Scratch { "Scratch" } else { "Backup" };
    vec![
        ("pool", pool.name.as_str().into()),
        ("pool_type", kind.into()),
        ("label_format", pool.label_format.as_deref().unwrap_or_default().into()),
        // Bareos writes this name with an equals sign at its end.
        ("purge_oldest_volume=", bit(false)),
        ("recycle_oldest_volume", bit(pool.recycle_oldest_volume)),
        ("max_volumes", Json::Number(pool.maximum_volumes.into())),
        ("vol_retention", pool.volume_retention.0.to_string().into()),
        ("vol_use_duration", pool.volume_use_duration.0.to_string().into()),
        ("max_vol_jobs", Json::Number(pool.maximum_volume_jobs.into())),
        ("max_vol_files", Json::Number(0)),
        ("max_vol_bytes", pool.maximum_volume_bytes.0.to_string().into()),
        ("auto_prune", bit(pool.auto_prune)),
        ("recycle", bit(pool.recycle)),
        ("file_retention", "0".into()),
        ("job_retention", "0".into()),
    ]
}

fn storage(storage: &Storage) -> Fields {
    vec![
        ("storage", storage.name.as_str().into()),
        ("address", storage.address.as_str().into()),
        ("port", Json::Number(storage.port.into())),
        ("enabled", bit(true)),
        ("media_type", storage.media_type.as_str().into()),
        ("device", storage.device.as_str().into()),
    ]
}

fn bit(flag: bool) -> Json {
    Json::Number(flag.into())
}
