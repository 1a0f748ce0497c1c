//! What the configurations of a network have in common: names, addresses, ports, passwords and places.

use std::io;
use std::path::{Path, PathBuf};

use crate::fresh::{password, quoted};

use super::{certificates, machine};

/// The address of this machine for itself.
pub(super) const LOCAL: &str = "127.0.0.1";

/// One network that is to be written.
pub(super) struct Site {
    /// The folder of the configurations, without links, as text that needs no escapes.
    pub(super) folder: PathBuf,
    /// Where the catalog and the volumes go.
    pub(super) data: PathBuf,
    /// What the names begin with.
    pub(super) name: String,
    /// Where other machines reach this one.
    pub(super) address: String,
    /// The director's port.
    pub(super) port: u16,
    /// Whether connections are protected by certificates.
    pub(super) certificates: bool,
    /// Whether it is written in Bareos' syntax.
    pub(super) is_conf: bool,
    /// This program, which the director calls to copy the catalog.
    pub(super) program: PathBuf,
    /// Types of file systems that are saved.
    pub(super) file_systems: Vec<String>,
    pub(super) passwords: Secrets,
}

/// One password for each pair of programs.
pub(super) struct Secrets {
    pub(super) console: String,
    pub(super) client: String,
    pub(super) storage: String,
    pub(super) watched_director: String,
    pub(super) watched_client: String,
    pub(super) watched_storage: String,
}

impl Secrets {
    fn fresh() -> io::Result<Self> {
        Ok(Self {
            console: password()?,
            client: password()?,
            storage: password()?,
            watched_director: password()?,
            watched_client: password()?,
            watched_storage: password()?,
        })
    }
}

impl Site {
    /// With fresh passwords.
    ///
    /// # Errors
    /// A place that no configuration can name, or the system lacks something.
    pub(super) fn new(
        (folder, data): (PathBuf, PathBuf),
        (name, address): (String, String),
        port: u16,
        certificates: bool,
        is_conf: bool,
    ) -> Result<Self, String> {
        if data.to_str().is_none_or(|text| text.contains(['\n', '"', '\'', '\\'])) {
            return Err(format!("{} cannot be named in a configuration: name another with --data", data.display()));
        }
        let passwords = Secrets::fresh().map_err(|error| error.to_string())?;
        let program =
            std::env::current_exe().map_err(|error| format!("this program does not know where it is: {error}"))?;
        let file_systems = machine::file_systems();
        Ok(Self { folder, data, name, address, port, certificates, is_conf, program, file_systems, passwords })
    }

    /// The name of a daemon: the machine's with this end.
    pub(super) fn named(&self, end: &str) -> String {
        format!("{}-{end}", self.name)
    }

    /// The ports of the file daemon and the storage daemon.
    pub(super) const fn file_port(&self) -> u16 {
        self.port + 1
    }

    pub(super) const fn storage_port(&self) -> u16 {
        self.port + 2
    }

    /// What has to be there before the daemons start.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        let mut folders: Vec<_> = ["", "volumes", "director", "file-daemon", "storage-daemon"]
            .iter()
            .map(|name| self.data.join(name))
            .collect();
        if self.certificates {
            folders.push(self.folder.join(certificates::FOLDER));
        }
        folders
    }

    /// A place as a configuration names it, in quotes: relative to its own folder where that is shorter, so that all of it
    /// can be moved.
    pub(super) fn place(&self, path: &Path) -> String {
        let inner = path.strip_prefix(&self.folder).ok().filter(|_| !self.is_conf);
        quoted(&inner.unwrap_or(path).display().to_string())
    }

    /// Below the folder of the data, likewise.
    pub(super) fn in_data(&self, name: &str) -> String {
        self.place(&self.data.join(name))
    }

    /// The lines of TLS of a program, at this depth; nothing without certificates: pre-shared keys are made of the passwords.
    pub(super) fn tls(&self, role: &str, indent: &str) -> String {
        if !self.certificates {
            return String::new();
        }
        let file = |end: &str| self.place(&self.folder.join(certificates::FOLDER).join(format!("{end}.pem")));
        format!(
            "{indent}tls: (certificate: {}, key: {}, ca: {}, verify_peer: true),\n",
            file(role),
            file(&format!("{role}-key")),
            file("ca")
        )
    }

    /// The configuration of the director: a file, or the folder of a tree.
    pub(super) fn director_file(&self) -> PathBuf {
        if self.is_conf { self.folder.clone() } else { self.folder.join("director.ron") }
    }
}
