//! A director that has lost its catalog and moves to another folder and port.

use std::fs;
use std::path::PathBuf;

use super::console::Console;
use super::daemon::Daemon;
use super::network::{CLEAR, Network};

/// Where it moves to.
pub struct Elsewhere {
    folder: PathBuf,
    text: String,
    /// What its configuration says of the old port.
    port: String,
}

impl Elsewhere {
    /// Kills the director, deletes its catalog, and puts its configuration into another folder.
    pub fn of(network: &mut Network) -> Self {
        network.director.kill();
        for end in ["", "-wal", "-shm", ".lock"] {
            let _may_be_missing = fs::remove_file(network.place(&format!("catalog.sqlite{end}")));
        }
        let folder = network.place("elsewhere");
        fs::create_dir(&folder).unwrap();
        let text = fs::read_to_string(network.place("director.ron")).unwrap();
        let port = format!("port: {}", network.director.address.port());
        assert!(text.contains(&port), "{text}");
        fs::write(folder.join("director.ron"), &text).unwrap();
        Self { folder, text, port }
    }

    /// Its configuration.
    pub fn config(&self) -> PathBuf {
        self.folder.join("director.ron")
    }

    /// Starts it, with this program, and a console for it.
    pub fn start(&self, program: &[PathBuf]) -> (Daemon, Console) {
        let director = Daemon::start("director", program, &self.folder, |port| {
            self.text.replace(&self.port, &format!("port: {port}"))
        });
        let console = Console::of(&self.folder, director.address.port(), CLEAR);
        (director, console)
    }
}
