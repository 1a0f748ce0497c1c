//! The storage daemon's program.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use towline_core::address::Endpoint;
use towline_core::bulk::work::DiskError;
use towline_core::config::{ConfigPath, Device, ObjectStore, Severity, StorageConfig, listen_on};
use towline_core::error::{Code, Explain as _};
use towline_core::explain::complaint;
use towline_core::node::Settings;
use towline_core::role::storage::StorageDaemon;
use towline_core::wire::command;
use towline_core::wire::names::{PeerKind, PeerName};
use towline_core::work::configuration::Configured;

use super::{Built, Daemon, Peer, Places, Sink, StartError, Tls, identity, of_messages, reload};
use crate::config::{EXIT_CONFIG, Folder, Loaded};
use crate::hands::Workers;
use crate::messages::Deliverer;
use crate::ownership::{EXIT_OWNED, NotOwner, Ownership, own};
use crate::volume::erase::Eraser;
use crate::volume::spool;

/// The lock in a folder with volumes.
const LOCK: &str = ".towline-sd.lock";

/// `towline-sd`
#[derive(Clone, Copy, Debug)]
pub struct StorageProgram;

impl Daemon for StorageProgram {
    const PROGRAM: &'static str = "towline-sd";
    const ABOUT: &'static str = "The storage daemon of a backup network: keeps the volumes";
    const FILE: &'static str = "/etc/towline/storage-daemon.ron";
    const RELOADS: bool = true;
    type Config = StorageConfig;
    type Role = StorageDaemon;

    fn tls(config: &StorageConfig) -> Places<'_> {
        let own = Peer { name: String::new(), at: ConfigPath::of("storage").field("tls"), config: &config.storage.tls };
        let directors = config.directors.iter().enumerate().filter_map(|(index, director)| {
            let at = ConfigPath::of("directors").index(index).field("tls");
            director.tls.as_ref().map(|config| Peer { name: format!("director {}", director.name), at, config })
        });
        Places { own, peers: directors.collect(), accepts: true }
    }

    fn working_directory(config: &StorageConfig) -> Option<(ConfigPath, &str)> {
        let folder = config.storage.working_directory.as_deref()?;
        Some((ConfigPath::of("storage").field("working_directory"), folder))
    }

    fn folders(loaded: &Loaded<StorageConfig>) -> Vec<Folder> {
        let in_folders = |(_, device): &(usize, &Device)| !device.is_object();
        let folder = |(index, device): (usize, &Device)| Folder {
            at: ConfigPath::of("devices").index(index).field("archive_device"),
            path: loaded.resolve(&device.archive_device),
            holds: "volumes",
            // Other devices work meanwhile, and a disk may be mounted later.
            severity: Severity::Warning,
        };
        let spool = |(index, device): (usize, &Device)| {
            Some(Folder {
                at: ConfigPath::of("devices").index(index).field("spool_directory"),
                path: loaded.resolve(device.spool_directory.as_deref()?),
                holds: "spooled data",
                severity: Severity::Warning,
            })
        };
        let devices = || loaded.config.devices.iter().enumerate();
        let own = of_messages(loaded, loaded.config.appended());
        devices().filter(in_folders).map(folder).chain(devices().filter_map(spool)).chain(own).collect()
    }

    fn programs(config: &StorageConfig) -> Vec<(ConfigPath, String)> {
        let erase = config.storage.secure_erase_command.as_deref().map(command::split).unwrap_or_default();
        let at = ConfigPath::of("storage").field("secure_erase_command");
        erase.into_iter().take(1).map(|program| (at.clone(), program)).collect()
    }

    fn unusable(loaded: &Loaded<StorageConfig>) -> Vec<(ConfigPath, DiskError)> {
        let looked = |(index, device): (usize, &Device)| {
            let error = examine(&device.archive_device, &store_of(loaded, device)).err()?;
            Some((ConfigPath::of("devices").index(index).field("archive_device"), error))
        };
        let devices = loaded.config.devices.iter().enumerate();
        devices.filter(|(_, device)| device.is_object()).filter_map(looked).collect()
    }

    fn listens(config: &Self::Config) -> Vec<Endpoint> {
        listen_on(&config.storage.listen, config.storage.port).collect()
    }

    fn place(loaded: &mut Loaded<StorageConfig>) {
        let folder = loaded.config.storage.working_directory.as_deref();
        loaded.config.storage.working_directory = folder.map(|folder| loaded.resolve(folder).display().to_string());
        let mut devices = std::mem::take(&mut loaded.config.devices);
        for device in &mut devices {
            if !device.is_object() {
                device.archive_device = loaded.resolve(&device.archive_device).display().to_string();
            }
            device.object = store_of(loaded, device);
            let spool = device.spool_directory.as_deref().map(|folder| loaded.resolve(folder).display().to_string());
            device.spool_directory = spool;
        }
        loaded.config.devices = devices;
    }

    fn build(loaded: Loaded<StorageConfig>, tls: Tls) -> Result<Built<StorageDaemon>, StartError> {
        let ownerships = own_folders(&loaded.config)?;
        reach_stores(&loaded.config)?;
        let eraser = eraser(&loaded.config);
        clear_spools(&loaded.config, &eraser);
        let storage = &loaded.config.storage;
        let settings = Settings::new(PeerName::new(PeerKind::Storage, &storage.name).qualified(), tls.engines)
            .accepting(
                usize::try_from(storage.max_unauthenticated).unwrap_or(usize::MAX),
                storage.authenticate_within.duration(),
            );
        let desk = reload::desk::<Self>(&loaded, Configured::Storage);
        let deliveries = Deliverer::new(loaded.resolve("")).into_desk();
        let role = StorageDaemon::new(Arc::new(loaded.config), tls.credentials, identity());
        let log = Sink::new().into_log();
        let hands = Workers::new(Box::new(move |notice| {
            // The folders are ours as long as the hands are.
            let _held = &ownerships;
            log(notice);
        }));
        let hands = Arc::new(hands.with_configuration(desk).with_deliveries(deliveries).with_eraser(eraser));
        Ok(Built { role, settings, hands, started: Box::new(|_| {}), interrupted: None })
    }
}

fn eraser(config: &StorageConfig) -> Eraser {
    let storage = &config.storage;
    Eraser::new(storage.secure_erase_command.as_deref(), storage.secure_erase_time_limit.duration())
}

/// Removes what jobs had spooled when the daemon was stopped in their midst.
fn clear_spools(config: &StorageConfig, eraser: &Eraser) {
    let own = config.devices.iter().filter_map(|device| device.spool_directory.as_deref());
    let folders: BTreeSet<&str> = own.chain([config.storage.working_directory.as_deref().unwrap_or(".")]).collect();
    for folder in folders {
        match spool::remove_leftovers(Path::new(folder), &config.storage.name, eraser) {
            Ok(0) => {}
            Ok(removed) => tracing::info!("{removed} spool files of an earlier run are removed from {folder}"),
            Err(error) => {
                let text = format!("spool files of an earlier run may be left in {folder}: {error}");
                tracing::warn!("{}", complaint(Code(757), &text));
            }
        }
    }
}

/// The settings of a device's store, with the files that they name where the configuration means them to be.
pub(crate) fn store_of(loaded: &Loaded<StorageConfig>, device: &Device) -> ObjectStore {
    let mut settings = device.object.clone();
    for file in [&mut settings.credentials, &mut settings.tls_ca] {
        *file = file.as_deref().map(|file| loaded.resolve(file).display().to_string());
    }
    settings
}

/// Whether settings lead to a store.
#[cfg(feature = "object")]
fn examine(address: &str, settings: &ObjectStore) -> Result<(), DiskError> {
    crate::object::examine(address, settings)
}

#[cfg(not(feature = "object"))]
fn examine(address: &str, _settings: &ObjectStore) -> Result<(), DiskError> {
    Err(crate::volume::stored::not_built(address))
}

/// Makes the stores known that a storage daemon's configuration has, for whoever reads its volumes without it.
///
/// # Errors
/// The configuration cannot be used, or one of its stores cannot.
#[cfg(feature = "sqlite")]
pub(crate) fn know_stores(file: &Path) -> Result<(), StartError> {
    let refused = |report: crate::config::Report| StartError { text: report.render(false), exit: EXIT_CONFIG };
    let mut loaded = crate::config::load::<StorageConfig>(file).map_err(refused)?;
    StorageProgram::place(&mut loaded);
    reach_stores(&loaded.config)
}

/// Makes the stores of devices known to whoever reads and writes there. None of them is asked for anything yet: one may be away.
fn reach_stores(config: &StorageConfig) -> Result<(), StartError> {
    for device in config.devices.iter().filter(|device| device.is_object()) {
        #[cfg(feature = "object")]
        let reached: Result<(), DiskError> = crate::object::register(&device.archive_device, &device.object);
        #[cfg(not(feature = "object"))]
        let reached: Result<(), DiskError> = Err(crate::volume::stored::not_built(&device.archive_device));
        reached.map_err(|error| StartError {
            text: complaint(error.code(), &format!("device {}: {error}", device.name)),
            exit: EXIT_CONFIG,
        })?;
    }
    Ok(())
}

/// Nobody else may write into the folders of the devices: two storage daemons would write one volume.
fn own_folders(config: &StorageConfig) -> Result<Vec<Ownership>, StartError> {
    let folders: BTreeSet<PathBuf> = config
        .devices
        .iter()
        .filter(|device| !device.is_object())
        .filter_map(|device| std::fs::canonicalize(&device.archive_device).ok())
        .filter(|folder| folder.is_dir())
        .collect();
    let mut ownerships = Vec::new();
    for folder in folders {
        match own(&folder.join(LOCK)) {
            Ok(ownership) => ownerships.push(ownership),
            Err(error @ NotOwner::Held(_)) => {
                let text = complaint(Code(611), &format!("archive device {}: {error}", folder.display()));
                return Err(StartError { text, exit: EXIT_OWNED });
            }
            Err(NotOwner::Io(error)) => {
                let text = format!("{} is used without a lock: {error}", folder.display());
                tracing::warn!("{}", complaint(Code(946), &text));
            }
        }
    }
    Ok(ownerships)
}
