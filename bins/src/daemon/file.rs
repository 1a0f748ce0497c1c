//! The file daemon's program.

use std::sync::Arc;

use towline_core::config::{ConfigPath, FileConfig};
use towline_core::node::Settings;
use towline_core::role::file::FileDaemon;
use towline_core::wire::names::{PeerKind, PeerName};

use super::{Built, Daemon, Peer, Sink, StartError, Tls, identity, read_tls};
use crate::config::{Loaded, Report};
use crate::hands::Workers;

/// `towline-fd`
#[derive(Clone, Copy, Debug)]
pub struct FileProgram;

impl Daemon for FileProgram {
    const PROGRAM: &'static str = "towline-fd";
    const ABOUT: &'static str = "The file daemon of a backup network: reads and restores the files of this machine";
    const FILE: &'static str = "/etc/towline/file-daemon.ron";
    type Config = FileConfig;
    type Role = FileDaemon;

    fn read_tls(loaded: &Loaded<FileConfig>) -> Result<Tls, Report> {
        let config = &loaded.config;
        let own = Peer { name: String::new(), at: ConfigPath::of("file").field("tls"), config: &config.file.tls };
        let directors = config.directors.iter().enumerate().filter_map(|(index, director)| {
            let at = ConfigPath::of("directors").index(index).field("tls");
            director.tls.as_ref().map(|config| Peer { name: format!("director {}", director.name), at, config })
        });
        let peers: Vec<Peer<'_>> = directors.collect();
        read_tls(loaded, &own, &peers, true)
    }

    fn build(loaded: Loaded<FileConfig>, tls: Tls) -> Result<Built<FileDaemon>, StartError> {
        let file = &loaded.config.file;
        let settings = Settings {
            own: PeerName::new(PeerKind::Client, &file.name).qualified(),
            engines: tls.engines,
            max_unauthenticated: usize::try_from(file.max_unauthenticated).unwrap_or(usize::MAX),
            authenticate_within: file.authenticate_within.duration(),
        };
        let role = FileDaemon::new(Arc::new(loaded.config), tls.credentials, identity());
        let hands = Arc::new(Workers::new(Sink::new().into_log()));
        Ok(Built { role, settings, hands, started: Box::new(|_| {}) })
    }
}
