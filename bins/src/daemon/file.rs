//! The file daemon's program.

use std::path::Path;
use std::sync::Arc;

use towline_core::config::{ConfigPath, FileConfig, Severity};
use towline_core::node::Settings;
use towline_core::role::file::FileDaemon;
use towline_core::wire::names::{PeerKind, PeerName};
use towline_core::work::configuration::Configured;

use super::{Built, Daemon, Peer, Places, Sink, StartError, Tls, identity, reload};
use crate::config::{Folder, Loaded};
use crate::hands::Workers;

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
        let at = ConfigPath::of("messages").index(0).field("destinations");
        let file = loaded.config.append().map(|(append, _)| loaded.resolve(append));
        let folder = file.as_deref().and_then(Path::parent).map(Path::to_owned);
        let folder = folder.map(|path| Folder { at, path, holds: "messages", severity: Severity::Warning });
        folder.into_iter().collect()
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
        let role = FileDaemon::new(Arc::new(loaded.config), tls.credentials, identity());
        let hands = Arc::new(Workers::new(Sink::new().into_log()).with_configuration(desk));
        Ok(Built { role, settings, hands, started: Box::new(|_| {}) })
    }
}
