//! What a director's files get for a new client: the client, and a job like one that is there.

use std::path::Path;

use towline_core::config::{Client, DirectorConfig, Job, JobKind, TlsConfig};
use towline_core::work::configuration::Addition;

use crate::config::{Draft, examine_with};
use crate::init::machine::is_address;

/// How client and director reach each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The director dials the client here.
    At(String),
    /// The same, and the storage daemon dials it too: it dials nobody.
    Passive(String),
    /// The client dials.
    DialsIn,
}

/// The directives of the client, as Bareos writes them. `tls`: certificates, where it does not have the director's by itself.
pub(super) fn client(name: &str, password: &str, way: &Way, port: Option<u16>, tls: Option<&TlsConfig>) -> Addition {
    let mut directives = vec![("Password", password.to_owned())];
    let mut has = |key: &'static str, value: &str| directives.push((key, value.to_owned()));
    match way {
        Way::At(address) => has("Address", address),
        Way::Passive(address) => {
            has("Address", address);
            has("Passive", "yes");
        }
        Way::DialsIn => {
            // There has to be one, which nobody dials.
            has("Address", if is_address(name) { name } else { "client" });
            has("Connection From Client To Director", "yes");
            has("Connection From Director To Client", "no");
        }
    }
    if let Some(port) = port {
        has("Port", &port.to_string());
    }
    if let Some(tls) = tls {
        let files =
            [("TLS Certificate", &tls.certificate), ("TLS Key", &tls.key), ("TLS CA Certificate File", &tls.ca)];
        for (key, file) in files {
            if let Some(file) = file {
                has(key, file);
            }
        }
        has("TLS Verify Peer", if tls.verifies() { "yes" } else { "no" });
    }
    addition("client", name, directives)
}

/// The directives of its job: the fileset, storage, pools and schedule of another. One that dials in is saved when it comes,
/// once a day, as nobody knows when that is.
pub(super) fn job(name: &str, like: &Job, way: &Way) -> Addition {
    let mut directives = vec![
        ("Type", "Backup".to_owned()),
        ("Level", "Incremental".to_owned()),
        ("Client", name.to_owned()),
        ("FileSet", like.fileset.clone()),
        ("Storage", like.storage.clone()),
        ("Pool", like.pool.clone()),
    ];
    let pools = [
        ("Full Backup Pool", &like.full_pool),
        ("Differential Backup Pool", &like.differential_pool),
        ("Incremental Backup Pool", &like.incremental_pool),
    ];
    directives.extend(pools.into_iter().filter_map(|(key, pool)| Some((key, pool.clone()?))));
    match (way, &like.schedule) {
        (Way::DialsIn, _) => directives.extend([
            ("Run On Incoming Connect Interval", "1 day".to_owned()),
            ("Max Full Interval", "31 days".to_owned()),
            ("Max Diff Interval", "7 days".to_owned()),
        ]),
        (_, Some(schedule)) => directives.push(("Schedule", schedule.clone())),
        (_, None) => {}
    }
    if like.accurate {
        directives.push(("Accurate", "yes".to_owned()));
    }
    addition("job", name, directives)
}

fn addition(kind: &str, name: &str, directives: Vec<(&str, String)>) -> Addition {
    let directives = directives.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    Addition { kind: kind.to_owned(), name: name.to_owned(), directives }
}

/// The job that a new one is to be like: the one that is named, else the first backup with a schedule that is no full one each
/// time, as that of a catalog.
pub(super) fn like<'a>(config: &'a DirectorConfig, named: Option<&str>) -> Result<&'a Job, String> {
    let is_backup = |job: &&Job| job.kind == JobKind::Backup;
    if let Some(name) = named {
        let found = config.jobs.iter().filter(is_backup).find(|job| job.name == name);
        return found.ok_or_else(|| format!("the director has no backup job {name:?} that a new one could be like"));
    }
    let is_usual = |job: &&Job| job.enabled && job.schedule.is_some() && job.level != towline_core::config::Level::Full;
    let backups = || config.jobs.iter().filter(is_backup);
    let found = backups().find(is_usual).or_else(|| backups().next());
    found.ok_or_else(|| "the director has no backup job that a new one could be like: write one first".to_owned())
}

/// Puts resources into the files of the configuration, each if the whole is right with it. Returns the files.
pub(super) fn put(origin: &Path, additions: &[Addition]) -> Result<Vec<String>, String> {
    let lines = |findings: Vec<String>| findings.join("\n");
    let mut files: Vec<String> = Vec::new();
    for addition in additions {
        let draft = Draft::write(origin, addition).map_err(lines)?;
        let (from, more) = draft.reads(origin);
        let read = examine_with::<DirectorConfig>(from, more).map_err(|report| lines(draft.rename(report.lines())))?;
        if read.warnings.has_errors() {
            return Err(lines(draft.rename(read.warnings.lines())));
        }
        let file = draft.keep()?;
        if !files.contains(&file) {
            files.push(file);
        }
    }
    Ok(files)
}

/// The client that has just been read with this name.
pub(super) fn read(origin: &Path, name: &str) -> Result<(DirectorConfig, Client), String> {
    let loaded = crate::config::load::<DirectorConfig>(origin).map_err(|report| report.render(false))?;
    let client = loaded.config.client(name).cloned();
    client.map(|client| (loaded.config, client)).ok_or_else(|| format!("the director has no client {name:?}"))
}
