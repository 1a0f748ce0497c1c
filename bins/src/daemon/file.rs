//! The file daemon's program.

use std::sync::Arc;

use towline_core::config::{ConfigPath, FileConfig};
use towline_core::node::Settings;
use towline_core::role::file::FileDaemon;
use towline_core::wire::names::{PeerKind, PeerName};
use towline_core::work::configuration::Configured;

use super::{Built, Daemon, Peer, Places, Sink, StartError, Tls, identity, of_messages, reload};
use crate::config::{Folder, Loaded};
use crate::hands::Workers;
use crate::messages::Deliverer;

/// `towline-fd`
#[derive(Clone, Copy, Debug)]
pub struct FileProgram;

impl Daemon for FileProgram {
    const PROGRAM: &'static str = "towline-fd";
    const ABOUT: &'static str = "The file daemon of a backup network: reads and restores the files of this machine";
    const FILE: &'static str = "/etc/towline/file-daemon.ron";
    const RELOADS: bool = true;
    type Config = FileConfig;
    type Role = FileDaemon;

    fn tls(config: &FileConfig) -> Places<'_> {
        let own = Peer { name: String::new(), at: ConfigPath::of("file").field("tls"), config: &config.file.tls };
        let directors = config.directors.iter().enumerate().filter_map(|(index, director)| {
            let at = ConfigPath::of("directors").index(index).field("tls");
            director.tls.as_ref().map(|config| Peer { name: format!("director {}", director.name), at, config })
        });
        Places { own, peers: directors.collect(), accepts: true }
    }

    fn working_directory(config: &FileConfig) -> Option<(ConfigPath, &str)> {
        let folder = config.file.working_directory.as_deref()?;
        Some((ConfigPath::of("file").field("working_directory"), folder))
    }

    fn folders(loaded: &Loaded<FileConfig>) -> Vec<Folder> {
        of_messages(loaded, loaded.config.appended()).collect()
    }

    fn place(loaded: &mut Loaded<FileConfig>) {
        let folder = loaded.config.file.working_directory.as_deref();
        loaded.config.file.working_directory = folder.map(|folder| loaded.resolve(folder).display().to_string());
    }

    fn build(loaded: Loaded<FileConfig>, tls: Tls) -> Result<Built<FileDaemon>, StartError> {
        let file = &loaded.config.file;
        let settings = Settings::new(PeerName::new(PeerKind::Client, &file.name).qualified(), tls.engines).accepting(
            usize::try_from(file.max_unauthenticated).unwrap_or(usize::MAX),
            file.authenticate_within.duration(),
        );
        let desk = reload::desk::<Self>(&loaded, Configured::File);
        let deliveries = Deliverer::new(loaded.resolve("")).into_desk();
        let role = FileDaemon::new(Arc::new(loaded.config), tls.credentials, identity());
        let hands = Workers::new(Sink::new().into_log()).with_configuration(desk);
        let hands = Arc::new(hands.with_deliveries(deliveries));
        Ok(Built { role, settings, hands, started: Box::new(|_| {}), interrupted: None })
    }
}
