//! The daemons of the recordings, as ours.

use std::sync::Arc;
use std::time::Duration;

use towline_core::calendar::Zone;
use towline_core::config::{ConsoleConfig, FileConfig, StorageConfig, TrayConfig};
use towline_core::node::Settings;
use towline_core::role::console::Console;
use towline_core::role::file::FileDaemon;
use towline_core::role::identity::{Credentials, DialOffer, Identity};
use towline_core::role::storage::StorageDaemon;
use towline_core::role::tray::{Tray, Watch};
use towline_core::time::Wall;
use towline_core::tls::Acceptor;
use towline_core::wire::hello::Version;

use super::world::{Hands, World};

/// The wall time at which the recorded daemons started: their storage daemon names its sessions after it.
pub const STARTED: Wall = Wall(1_795_438_888_000_000);

/// The version that the recorded daemons announce.
pub const VERSION: Version = Version { major: 26, minor: 0, patch: 0 };

/// How the daemons protect their connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    Clear,
    #[cfg(feature = "psk")]
    Psk,
}

impl Protection {
    /// What a daemon accepts.
    pub fn acceptor(self) -> Acceptor {
        match self {
            Self::Clear => Acceptor::new(),
            #[cfg(feature = "psk")]
            Self::Psk => {
                use towline_core::tls::Versions;
                use towline_core::tls::certificate::SharedWall;
                use towline_core::tls::psk::PskAcceptor;
                let psk = PskAcceptor::new(None, Versions::All, &SharedWall::new(STARTED)).expect("an acceptor");
                Acceptor::new().with_psk(psk)
            }
        }
    }

    /// What a daemon dials with.
    pub fn credentials(self) -> Credentials {
        let own = match self {
            Self::Clear => DialOffer::Nothing,
            #[cfg(feature = "psk")]
            Self::Psk => {
                use towline_core::tls::{Versions, psk::PskDialler};
                DialOffer::Psk(PskDialler::new(Versions::All).expect("a dialler"))
            }
        };
        Credentials { own, version: Some(VERSION), ..Credentials::default() }
    }

    fn tls(self) -> serde_json::Value {
        serde_json::json!({ "enable": self != Self::Clear, "require": self != Self::Clear })
    }
}

/// Who our daemons say they are.
pub fn identity() -> Identity {
    Identity {
        version: VERSION,
        full: "26.0.0".to_owned(),
        date: "23Nov26".to_owned(),
        system: "Debian GNU/Linux 12 (bookworm)".to_owned(),
        zone: Zone::default(),
    }
}

/// What a node with this qualified name is told about accepting.
pub fn settings(own: &str, protection: Protection) -> Settings {
    Settings::new(own.to_owned(), Arc::new(protection.acceptor())).accepting(16, Duration::from_secs(60))
}

/// The file daemon `bareos-fd`, with its director and a monitor.
pub fn file_daemon(protection: Protection, started: Wall, hands: Hands) -> World<FileDaemon> {
    file_daemon_with(protection, started, hands, |_| {})
}

/// The same with another configuration.
pub fn file_daemon_with(
    protection: Protection,
    started: Wall,
    hands: Hands,
    change: impl FnOnce(&mut serde_json::Value),
) -> World<FileDaemon> {
    let mut config = serde_json::json!({
        "file": { "name": "bareos-fd", "listen": ["127.0.0.1"], "tls": protection.tls(), "sd_connect_timeout": 60 },
        "directors": [
            { "name": "bareos-dir", "password": "fd-secret" },
            { "name": "bareos-mon", "password": "mon-secret", "monitor": true },
        ],
    });
    change(&mut config);
    let config: FileConfig = serde_json::from_value(config).expect("a configuration");
    let role = FileDaemon::new(Arc::new(config), protection.credentials(), identity());
    World::new(role, settings("R_CLIENT::bareos-fd", protection), started, hands)
}

/// The file daemon `bareos-fd` that dials its director, which may not dial it.
pub fn calling_file_daemon(protection: Protection, started: Wall, hands: Hands) -> World<FileDaemon> {
    calling_file_daemon_called("bareos-fd", protection, started, hands)
}

/// The same with another name.
pub fn calling_file_daemon_called(
    name: &str,
    protection: Protection,
    started: Wall,
    hands: Hands,
) -> World<FileDaemon> {
    let config: FileConfig = serde_json::from_value(serde_json::json!({
        "file": { "name": name, "listen": ["127.0.0.1"], "tls": protection.tls(), "sd_connect_timeout": 60 },
        "directors": [
            { "name": "bareos-dir", "password": "fd-secret", "address": "127.0.0.1", "port": 42_001,
              "connection_from_client_to_director": true, "connection_from_director_to_client": false },
        ],
    }))
    .expect("a configuration");
    let role = FileDaemon::new(Arc::new(config), protection.credentials(), identity());
    World::new(role, settings(&format!("R_CLIENT::{name}"), protection), started, hands)
}

/// The storage daemon `bareos-sd` with two devices of the same media type and one of another.
pub fn storage_daemon(protection: Protection, started: Wall, hands: Hands) -> World<StorageDaemon> {
    storage_daemon_called("bareos-sd", "sd-secret", protection, started, hands, |_| {})
}

/// The same with another configuration.
pub fn storage_daemon_with(
    protection: Protection,
    started: Wall,
    hands: Hands,
    change: impl FnOnce(&mut serde_json::Value),
) -> World<StorageDaemon> {
    storage_daemon_called("bareos-sd", "sd-secret", protection, started, hands, change)
}

/// The second storage daemon, `bareos-sd2`.
pub fn second_storage_daemon(protection: Protection, started: Wall, hands: Hands) -> World<StorageDaemon> {
    storage_daemon_called("bareos-sd2", "sd2-secret", protection, started, hands, |_| {})
}

fn storage_daemon_called(
    name: &str,
    password: &str,
    protection: Protection,
    started: Wall,
    hands: Hands,
    change: impl FnOnce(&mut serde_json::Value),
) -> World<StorageDaemon> {
    let folder = "/srv/bareos-run/storage/sd";
    let mut config = serde_json::json!({
        "storage": { "name": name, "listen": ["127.0.0.1"], "tls": protection.tls(), "client_connect_wait": 1800 },
        "directors": [
            { "name": "bareos-dir", "password": password },
            { "name": "bareos-mon", "password": "mon-secret", "monitor": true },
        ],
        "devices": [
            { "name": "FileStorage1", "media_type": "File1", "archive_device": folder },
            { "name": "FileStorage2", "media_type": "File2", "archive_device": folder },
        ],
    });
    change(&mut config);
    let config: StorageConfig = serde_json::from_value(config).expect("a configuration");
    let role = StorageDaemon::new(Arc::new(config), protection.credentials(), identity());
    World::new(role, settings(&format!("R_STORAGE::{name}"), protection), started, hands)
}

/// The director's port in the recordings.
pub const DIRECTOR_PORT: u16 = 42_001;
/// The file daemon's port in the recordings.
pub const FILE_PORT: u16 = 42_002;
/// The storage daemon's port in the recordings.
pub const STORAGE_PORT: u16 = 42_003;
/// The second storage daemon's port in the recordings.
pub const SECOND_STORAGE_PORT: u16 = 42_004;

/// A role that was asked to do something before its dials are answered: peers have to be awaited first.
type Prepare<'a, R> = &'a mut dyn FnMut(&mut World<R>);

/// The tray monitor `bareos-mon` with a director, a file daemon and a storage daemon. It starts once `prepare` has said
/// who waits for its dials.
pub fn tray(protection: Protection, watch: Watch, prepare: Prepare<'_, Tray>) -> World<Tray> {
    tray_called("bareos-mon", protection, watch, prepare)
}

/// The same with another name.
pub fn tray_called(name: &str, protection: Protection, watch: Watch, prepare: Prepare<'_, Tray>) -> World<Tray> {
    let daemon = |name: &str, port: u16| serde_json::json!([{ "name": name, "address": "127.0.0.1", "port": port, "password": "mon-secret" }]);
    let config: TrayConfig = serde_json::from_value(serde_json::json!({
        "monitor": { "name": name, "refresh_interval": 5, "timeout": 4, "tls": protection.tls() },
        "directors": daemon("bareos-dir", DIRECTOR_PORT),
        "clients": daemon("bareos-fd", FILE_PORT),
        "storages": daemon("bareos-sd", STORAGE_PORT),
    }))
    .expect("a configuration");
    let role = Tray::new(Arc::new(config), protection.credentials(), watch);
    World::prepared(role, settings(&format!("R_CONSOLE::{name}"), protection), STARTED, no_hands(), prepare)
}

/// A console of the recordings, by its name and password; without a name it is the default console. It starts once
/// `prepare` has said who waits for its dial.
pub fn console(named: Option<(&str, &str)>, prepare: Prepare<'_, Console>) -> World<Console> {
    let protection = Protection::Clear;
    let mut config = serde_json::json!({
        "director": { "name": "bareos-dir", "address": "127.0.0.1", "port": DIRECTOR_PORT, "password": "dir-secret",
                      "tls": protection.tls() },
    });
    if let Some((name, password)) = named {
        config["console"] = serde_json::json!({ "name": name, "password": password });
    }
    let config: ConsoleConfig = serde_json::from_value(config).expect("a configuration");
    let role = Console::new(Arc::new(config), protection.credentials());
    World::prepared(role, settings("R_CONSOLE::any", protection), STARTED, no_hands(), prepare)
}

fn no_hands() -> Hands {
    Box::new(|work| panic!("nobody here works: {work:?}"))
}
