//! The storage daemon's program.

use std::sync::Arc;

use towline_core::config::{ConfigPath, Device, Severity, StorageConfig};
use towline_core::node::Settings;
use towline_core::role::storage::StorageDaemon;
use towline_core::wire::names::{PeerKind, PeerName};

use super::{Built, Daemon, Peer, Places, Sink, StartError, Tls, identity};
use crate::config::{Folder, Loaded};
use crate::hands::Workers;

/// `towline-sd`
#[derive(Clone, Copy, Debug)]
pub struct StorageProgram;

impl Daemon for StorageProgram {
    const PROGRAM: &'static str = "towline-sd";
    const ABOUT: &'static str = "The storage daemon of a backup network: keeps the volumes";
    const FILE: &'static str = "/etc/towline/storage-daemon.ron";
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
        let folder = |(index, device): (usize, &Device)| Folder {
            at: ConfigPath::of("devices").index(index).field("archive_device"),
            path: loaded.resolve(&device.archive_device),
            holds: "volumes",
            // Other devices work meanwhile, and a disk may be mounted later.
            severity: Severity::Warning,
        };
        loaded.config.devices.iter().enumerate().map(folder).collect()
    }

    fn build(mut loaded: Loaded<StorageConfig>, tls: Tls) -> Result<Built<StorageDaemon>, StartError> {
        let folders: Vec<String> = loaded
            .config
            .devices
            .iter()
            .map(|device| loaded.resolve(&device.archive_device).display().to_string())
            .collect();
        for (device, folder) in loaded.config.devices.iter_mut().zip(folders) {
            device.archive_device = folder;
        }
        let storage = &loaded.config.storage;
        let settings = Settings {
            own: PeerName::new(PeerKind::Storage, &storage.name).qualified(),
            engines: tls.engines,
            max_unauthenticated: usize::try_from(storage.max_unauthenticated).unwrap_or(usize::MAX),
            authenticate_within: storage.authenticate_within.duration(),
        };
        let role = StorageDaemon::new(Arc::new(loaded.config), tls.credentials, identity());
        let hands = Arc::new(Workers::new(Sink::new().into_log()));
        Ok(Built { role, settings, hands, started: Box::new(|_| {}) })
    }
}
