//! Daemons on the hosts of a small network: a director outside, file daemons and storage daemons on both sides.

use std::path::PathBuf;

use tempfile::TempDir;

use super::console::Console;
use super::daemon::Daemon;
use super::namespaces::{Namespaces, Side};
use super::network::Ended;
use super::{assert_restored, plant, wait_for};

/// Forwards the ports of the file daemon and the storage daemon, masquerades what is inside, lets nothing else in.
pub const FORWARDS: &str = r#"
    table ip towline {
        chain pre {
            type nat hook prerouting priority dstnat
            iifname "wan0" tcp dport 9102 dnat to 10.0.0.10
            iifname "wan0" tcp dport 9103 dnat to 10.0.0.20
        }
        chain post {
            type nat hook postrouting priority srcnat
            oifname "wan0" masquerade
        }
        chain cut {
        }
        chain through {
            type filter hook forward priority filter; policy drop
            jump cut
            ct state invalid drop
            ct state established,related accept
            iifname "lan0" accept
            ct status dnat accept
        }
    }"#;

/// The catalog of a site that needs no particular one.
pub const SQLITE: &str = r#"sqlite(path: "catalog.sqlite")"#;

/// A daemon of a site: its name is its host's, and its password.
#[derive(Clone, Copy, Debug)]
pub struct Station {
    pub name: &'static str,
    pub side: Side,
    /// The last number of its address.
    pub last: u8,
}

impl Station {
    /// The address at which the director and those outside dial it.
    pub fn address(&self) -> String {
        match self.side {
            Side::Inside => "192.0.2.254".to_owned(),
            Side::Outside => format!("192.0.2.{}", self.last),
        }
    }
}

/// A file daemon, with pieces of configuration for itself and for its entry for the director.
#[derive(Clone, Debug)]
pub struct Client {
    pub at: Station,
    pub own: String,
    pub entry: String,
}

/// A storage daemon, with pieces of configuration for itself.
#[derive(Clone, Debug)]
pub struct Storage {
    pub at: Station,
    pub own: String,
}

/// What is to stand where. Pieces of configuration have a comma at their end.
#[derive(Debug)]
pub struct Layout {
    /// The gateway's rules.
    pub rules: &'static str,
    pub clients: Vec<Client>,
    pub storages: Vec<Storage>,
    /// For all daemons.
    pub all: String,
    /// For the director itself.
    pub director: String,
    /// The director's clients, storages, jobs and pools.
    pub resources: String,
    /// The director's catalog.
    pub catalog: String,
}

/// A site that runs. Its director is at 192.0.2.1.
#[derive(Debug)]
pub struct Site {
    pub clients: Vec<Daemon>,
    pub storages: Vec<Daemon>,
    pub director: Daemon,
    pub console: Console,
    /// What all clients save; a file called `large` is a part of it.
    pub source: PathBuf,
    pub folder: TempDir,
    // After the daemons, which end first.
    pub net: Namespaces,
}

impl Site {
    /// Builds the network and starts the daemons, the director last.
    pub fn start(layout: &Layout) -> Self {
        let mut net = Namespaces::new(layout.rules);
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let source = at.join("source");
        plant(&source, 5, 300_000);
        let all = format!(r#"listen: ["0.0.0.0"], working_directory: {at:?}, {}"#, layout.all);
        let mut start = |name: &'static str, side, last, program: &str, text: String| {
            net.host(name, side, last);
            let mut become_it = net.on(name);
            become_it.push(program.into());
            Daemon::start(name, &become_it, at, |_| text.clone())
        };
        let storages = layout.storages.iter().map(|Storage { at: Station { name, side, last }, own }| {
            let volumes = at.join(format!("volumes-{name}"));
            std::fs::create_dir(&volumes).unwrap();
            let text = format!(
                r#"(storage: (name: "{name}", {all} {own}), directors: [(name: "dir", password: "{name}")],
                    devices: [(name: "dev", media_type: "{name}", archive_device: {volumes:?})])"#
            );
            start(name, *side, *last, env!("CARGO_BIN_EXE_towline-sd"), text)
        });
        let storages = storages.collect();
        let clients = layout.clients.iter().map(|Client { at: Station { name, side, last }, own, entry }| {
            let text = format!(
                r#"(file: (name: "{name}", {all} {own}), directors: [(name: "dir", password: "{name}", {entry})])"#
            );
            start(name, *side, *last, env!("CARGO_BIN_EXE_towline-fd"), text)
        });
        let clients = clients.collect();
        let Layout { director, resources, catalog, .. } = layout;
        let text = format!(
            r#"(director: (name: "dir", password: "console", {all} {director}), {resources}
                filesets: [(name: "set", include: [(files: [{source:?}], options: [(digest: xxh128)])])],
                catalog: {catalog})"#
        );
        let director = start("dir", Side::Outside, 1, env!("CARGO_BIN_EXE_towline-dir"), text);
        let file = at.join("console.ron");
        std::fs::write(&file, r#"(director: (name: "dir", address: "192.0.2.1", password: "console"))"#).unwrap();
        let mut console = Console::new(file);
        console.program = [net.on("dir"), console.program].concat();
        Self { clients, storages, director, console, source, folder, net }
    }

    /// From now on the gateway drops everything, or nothing more than its rules say.
    pub fn cut(&self, is_cut: bool) {
        let script = if is_cut { "add rule ip towline cut drop" } else { "flush chain ip towline cut" };
        self.net.nft("gateway", script);
    }

    /// Orders a job and waits until this much of it is on the volumes of a storage daemon.
    pub fn begin(&self, job: &str, storage: &str, bytes: u64) -> u32 {
        let before = self.written(storage);
        let id = self.console.order(&format!("run job={job} yes"));
        wait_for("the volumes to grow", || (self.written(storage) >= before + bytes).then_some(()));
        id
    }

    /// Bytes on the volumes of a storage daemon.
    fn written(&self, storage: &str) -> u64 {
        let volumes = std::fs::read_dir(self.folder.path().join(format!("volumes-{storage}"))).unwrap();
        volumes.map(|volume| volume.unwrap().metadata().unwrap().len()).sum()
    }

    /// Runs a job to its end.
    pub fn run(&self, job: &str) -> Ended {
        self.console.end_of(self.console.order(&format!("run job={job} yes")))
    }

    /// Restores the newest backup of a client below a new folder; fails unless it is good and each byte is back.
    pub fn assert_restores(&self, client: &str, job: u32) {
        let place = self.folder.path().join(format!("restored-{job}"));
        let line = format!("restore client={client} jobid={job} where={} all done yes", place.display());
        let restored = self.console.end_of(self.console.order(&line));
        assert!(restored.is_ok(), "{}", restored.report);
        assert_restored(&self.source, &place);
    }
}
