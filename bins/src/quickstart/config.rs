//! The configurations of a network on loopback: names, passwords and certificates made on the spot.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use towline_core::config::{Check, ConsoleConfig, DirectorConfig, FileConfig, Passwords, StorageConfig};

use super::mode::{FILE_LAN, Mode, STORAGE_LAN};
use super::state::new_file;
use super::{Failure, Protection};
use crate::config::{built, parse, write};
use crate::fresh::{password, quoted};

/// The address of everything here; certificates name it.
pub(super) const HOST: &str = "127.0.0.1";
/// Name of the director.
pub(super) const DIRECTOR: &str = "quickstart-dir";
/// Name of the file daemon.
pub(super) const CLIENT: &str = "quickstart-fd";
/// Name of the storage daemon.
pub(super) const STORAGE: &str = "quickstart-sd";
/// Name of the storage daemon that copies and migrated jobs go to.
pub(super) const SECOND_STORAGE: &str = "quickstart-sd2";
/// Name of the backup job.
pub(super) const BACKUP: &str = "quickstart-backup";
/// Name of the job that copies or migrates.
pub(super) const COPY: &str = "quickstart-copy";
/// Name of the pool of backups.
pub(super) const POOL: &str = "quickstart";
/// Name of the pool that copies and migrated jobs go to.
pub(super) const COPIES: &str = "quickstart-second";

/// Passwords and TLS of one network, and the folder its files are in.
#[derive(Debug)]
pub(super) struct Network {
    folder: PathBuf,
    mode: Mode,
    tls: String,
    console: String,
    client: String,
    storage: String,
    second_storage: String,
}

/// Ports of the daemons.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ports {
    pub(super) director: u16,
    pub(super) file: u16,
    pub(super) storage: u16,
    pub(super) second: u16,
}

impl Network {
    /// Makes the folder's contents: the places for volumes, and certificates if they are wanted.
    pub(super) fn new(folder: &Path, mode: Mode, protection: Protection) -> Result<Self, Failure> {
        let volumes: &[&str] = if mode.copies() { &["volumes", "second-volumes"] } else { &["volumes"] };
        for name in volumes {
            fs::DirBuilder::new().mode(0o700).recursive(true).create(folder.join(name))?;
        }
        let tls = match protection {
            Protection::Psk => String::new(),
            Protection::Off => "tls: (enable: false, require: false),".to_owned(),
            Protection::Certificate => {
                certificates(folder)?;
                r#"tls: (certificate: "certificate.pem", key: "key.pem", ca: "ca.pem", verify_peer: true, psk: false, allowed_cn: ["quickstart"]),"#
                    .to_owned()
            }
        };
        let (console, client, storage, second_storage) = (password()?, password()?, password()?, password()?);
        Ok(Self { folder: folder.to_owned(), mode, tls, console, client, storage, second_storage })
    }

    pub(super) fn file_daemon(&self, ports: Ports) -> Result<PathBuf, Failure> {
        let Self { tls, client, .. } = self;
        let text = format!(
            r#"(file: (name: {CLIENT:?}, listen: [{HOST:?}{}], port: {}, working_directory: ".", {tls}),
                directors: [(name: {DIRECTOR:?}, password: {client:?}{})])"#,
            self.mode.file_listens(),
            ports.file,
            self.mode.director(ports)
        );
        self.put::<FileConfig>("file-daemon.ron", &text)
    }

    pub(super) fn storage_daemon(&self, ports: Ports) -> Result<PathBuf, Failure> {
        let Self { tls, storage, .. } = self;
        let text = format!(
            r#"(storage: (name: {STORAGE:?}, listen: [{HOST:?}{}], port: {}, {tls}),
                directors: [(name: {DIRECTOR:?}, password: {storage:?})],
                devices: [(name: "volumes", media_type: "File", archive_device: "volumes")])"#,
            self.mode.storage_listens(),
            ports.storage
        );
        self.put::<StorageConfig>("storage-daemon.ron", &text)
    }

    pub(super) fn second_storage_daemon(&self, ports: Ports) -> Result<PathBuf, Failure> {
        let Self { tls, second_storage, .. } = self;
        let text = format!(
            r#"(storage: (name: {SECOND_STORAGE:?}, listen: [{HOST:?}], port: {}, {tls}),
                directors: [(name: {DIRECTOR:?}, password: {second_storage:?})],
                devices: [(name: "volumes", media_type: "SecondFile", archive_device: "second-volumes")])"#,
            ports.second
        );
        self.put::<StorageConfig>("second-storage-daemon.ron", &text)
    }

    pub(super) fn director(&self, ports: Ports, source: &str) -> Result<PathBuf, Failure> {
        let Self { tls, console, client, storage, second_storage, .. } = self;
        let job = format!(r#"client: {CLIENT:?}, fileset: "source", storage: {STORAGE:?}, pool: {POOL:?}"#);
        let [second, next, copies, copy] = self.mode.copying(ports, second_storage, &job);
        let text = format!(
            r#"(director: (name: {DIRECTOR:?}, password: {console:?}, listen: [{HOST:?}], port: {}, {tls}),
                clients: [(name: {CLIENT:?}, {} {} password: {client:?})],
                storages: [(name: {STORAGE:?}, address: {HOST:?}, port: {}, {} password: {storage:?},
                            device: "volumes", media_type: "File") {second}],
                jobs: [(name: {BACKUP:?}, level: full, {job}),
                       (name: "quickstart-restore", kind: restore, {job}) {copy}],
                filesets: [(name: "source", include: [(files: [{}],
                            options: [(digest: xxh128, acl: true, xattr: true, hardlinks: true)])])],
                pools: [(name: {POOL:?}, label_format: "{POOL}-" {next}) {copies}],
                catalog: sqlite(path: "catalog.sqlite"))"#,
            ports.director,
            self.mode.client_address(ports),
            self.mode.client(),
            ports.storage,
            self.mode.storage(),
            quoted(source)
        );
        self.put::<DirectorConfig>("director.ron", &text)
    }

    pub(super) fn console(&self, ports: Ports) -> Result<PathBuf, Failure> {
        let Self { tls, console, .. } = self;
        let text = format!(
            r#"(director: (name: {DIRECTOR:?}, address: {HOST:?}, port: {}, password: {console:?}, {tls}))"#,
            ports.director
        );
        self.put::<ConsoleConfig>("console.ron", &text)
    }

    /// Checks a configuration and writes it, readable for this user only.
    fn put<T>(&self, name: &str, text: &str) -> Result<PathBuf, Failure>
    where
        T: DeserializeOwned + Check + Serialize + Passwords + Clone,
    {
        let (config, _) = parse::<T>(name, text, built()).map_err(|report| Failure::Config(report.render(false)))?;
        let path = self.folder.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        write(&path, &config, "Written by towline quickstart.")?;
        Ok(path)
    }
}

/// A port nobody listens on at this moment.
pub(super) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((HOST, 0))?.local_addr()?.port())
}

/// An authority, and a certificate of it for this host.
fn certificates(folder: &Path) -> Result<(), Failure> {
    let (authority, certificate, key) =
        make_certificates().map_err(|error| Failure::Local(format!("cannot make certificates: {error}")))?;
    for (name, text) in [("ca.pem", authority), ("certificate.pem", certificate), ("key.pem", key)] {
        let path = folder.join(name);
        io::Write::write_all(&mut new_file(&path)?, text.as_bytes())?;
    }
    Ok(())
}

fn make_certificates() -> Result<(String, String, String), rcgen::Error> {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.distinguished_name.push(DnType::CommonName, "towline quickstart authority");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let mut own = CertificateParams::new([HOST, FILE_LAN, STORAGE_LAN, "localhost"].map(str::to_owned))?;
    own.distinguished_name.push(DnType::CommonName, "quickstart");
    let key = KeyPair::generate()?;
    let certificate = own.signed_by(&key, &authority)?;
    Ok((authority.pem(), certificate.pem(), key.serialize_pem()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_configurations_are_good_and_private_for_every_mode_and_protection() {
        for (mode, protection) in Mode::ALL
            .iter()
            .flat_map(|mode| Protection::ALL.iter().map(move |p| (*mode, *p)))
            .filter(|(_, p)| cfg!(feature = "psk") || *p != Protection::Psk)
        {
            let folder = tempfile::tempdir().unwrap();
            let network = Network::new(folder.path(), mode, protection).unwrap();
            let ports = Ports { director: 1, file: 2, storage: 3, second: 4 };
            let source = "/so\"ur\\ce/\u{7}ä";
            for file in [
                network.file_daemon(ports).unwrap(),
                network.storage_daemon(ports).unwrap(),
                network.second_storage_daemon(ports).unwrap(),
                network.director(ports, source).unwrap(),
                network.console(ports).unwrap(),
            ] {
                assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
            }
            let text = fs::read_to_string(folder.path().join("director.ron")).unwrap();
            let (config, _) = parse::<DirectorConfig>("director.ron", &text, built()).unwrap();
            assert_eq!(config.filesets[0].include[0].files, [source]);
            assert_eq!(config.job(COPY).is_some(), mode.copies());
        }
    }
}
