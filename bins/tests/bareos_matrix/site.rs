//! The three daemons of a cell: their folder, their configurations, and the jobs they run.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};
use tempfile::TempDir;

use crate::cell::{Maker, Mode, Name, Tls};
use crate::rig::{Process, Rig};
use crate::support::daemon::free_port;
use crate::support::wait_for;
use crate::tree;

/// The folder of a cell, with the configurations in it.
pub(crate) struct Site<'a> {
    rig: &'a Rig,
    pub(crate) name: &'a Name,
    folder: TempDir,
    director: u16,
    storage: u16,
    file: u16,
}

impl<'a> Site<'a> {
    /// Runs jobs with the three daemons of a cell.
    ///
    /// # Errors
    /// What went wrong, and what the daemons printed.
    pub(crate) fn with(
        rig: &'a Rig,
        name: &'a Name,
        jobs: impl FnOnce(&Self) -> Result<(), String>,
    ) -> Result<(), String> {
        let site = Self::new(rig, name);
        tree::plant(&site.source());
        let running = site.start()?;
        jobs(&site).map_err(|why| {
            let logs: Vec<_> = running.iter().map(Process::said).collect();
            format!("{why}\n{}", logs.join("\n"))
        })
    }

    fn start(&self) -> Result<Vec<Process>, String> {
        let Name { director, storage, file, mode, .. } = *self.name;
        let mut order = [("sd", storage, self.storage), ("fd", file, self.file), ("dir", director, self.director)];
        if mode == Mode::ClientInitiated {
            // A real file daemon that finds nobody waits a while before it dials again.
            order.swap(1, 2);
        }
        let mut running = Vec::new();
        for (daemon, maker, port) in order {
            let config = self.path(&format!("bareos-{daemon}.conf"));
            let log = self.path(&format!("{daemon}.log"));
            running.push(Process::start(&self.rig.program(maker, daemon), &config, port, log)?);
        }
        if mode == Mode::ClientInitiated {
            wait_for("the file daemon to dial the director", || {
                self.ask("status director").contains("Client Initiated").then_some(())
            });
        }
        Ok(running)
    }

    /// What a console prints for a line.
    pub(crate) fn ask(&self, line: &str) -> String {
        self.rig.ask(&self.path("bconsole.conf"), &[line])
    }

    /// Runs a job that must be good; its number and its log.
    pub(crate) fn job(&self, line: &str) -> Result<(u32, String), String> {
        self.rig.job(&self.path("bconsole.conf"), line)
    }

    /// The log of a job that must be good, once it has ended.
    pub(crate) fn end_of(&self, id: u32, what: &str) -> Result<String, String> {
        self.rig.end_of(&self.path("bconsole.conf"), id, what)
    }

    /// Restores the newest state, and compares it.
    pub(crate) fn restores(&self) -> Result<(), String> {
        let place = self.path("restored");
        if place.exists() {
            std::fs::remove_dir_all(&place).unwrap();
        }
        self.job("restore client=f restorejob=r select current all done yes")?;
        let source = self.source();
        tree::check(&source, &place.join(source.strip_prefix("/").unwrap()), self.name.file)
    }

    /// Whole seconds decide what is newer.
    pub(crate) fn next_second(&self) {
        let begun = std::time::SystemTime::now();
        wait_for("the next second", || begun.elapsed().is_ok_and(|time| time.as_millis() > 1100).then_some(()));
    }

    fn new(rig: &'a Rig, name: &'a Name) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let site = Self { rig, name, folder, director: free_port(), storage: free_port(), file: free_port() };
        for sub in ["volumes", "w-dir", "w-sd", "w-fd"] {
            std::fs::create_dir(site.path(sub)).unwrap();
        }
        let catalog = match name.director {
            Maker::Our => format!("DbDriver = sqlite\n  DbName = \"{}\"", site.path("catalog.sqlite").display()),
            Maker::Real => rig.catalog(&format!("c{}", site.director)),
        };
        let own = match name.tls {
            Tls::Psk => String::new(),
            Tls::Off => "TLS Enable = no".to_owned(),
            Tls::Certificates => certificates(site.folder.path()),
        };
        site.write(&own, &catalog);
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn source(&self) -> PathBuf {
        self.path("source")
    }

    /// The same text whoever reads it.
    fn write(&self, own: &str, catalog: &str) {
        let Self { director, storage, file, .. } = self;
        let (at, source) = (self.folder.path().display(), self.source());
        let source = source.display();
        let initiated = "Connection From Client To Director = yes\n  Connection From Director To Client = no";
        let (client, dials) = match self.name.mode {
            Mode::Default => (String::new(), String::new()),
            Mode::Passive => ("Passive = yes".to_owned(), String::new()),
            Mode::ClientInitiated => {
                (initiated.to_owned(), format!("{initiated}\n  Address = 127.0.0.1\n  Port = {director}"))
            }
        };
        let files = [
            (
                "bareos-fd.conf",
                format!(
                    "Client {{\n  Name = f\n  FD Address = 127.0.0.1\n  FD Port = {file}\n  Working Directory = {at}/w-fd\n  {own}\n}}\n\
                     Director {{\n  Name = d\n  Password = \"fpw\"\n  {dials}\n  {own}\n}}\n\
                     Messages {{\n  Name = Standard\n  Director = d = all, !skipped, !restored\n}}\n"
                ),
            ),
            (
                "bareos-sd.conf",
                format!(
                    "Storage {{\n  Name = s\n  SD Address = 127.0.0.1\n  SD Port = {storage}\n  Working Directory = {at}/w-sd\n  {own}\n}}\n\
                     Director {{\n  Name = d\n  Password = \"spw\"\n  {own}\n}}\n\
                     Device {{\n  Name = dev\n  Media Type = File\n  Archive Device = {at}/volumes\n  Label Media = yes\n  \
                     Random Access = yes\n  Automatic Mount = yes\n  Removable Media = no\n  Always Open = no\n}}\n\
                     Device {{\n  Name = dev2\n  Media Type = File\n  Archive Device = {at}/volumes\n  Label Media = yes\n  \
                     Random Access = yes\n  Automatic Mount = yes\n  Removable Media = no\n  Always Open = no\n}}\n\
                     Messages {{\n  Name = Standard\n  Director = d = all\n}}\n"
                ),
            ),
            (
                "bareos-dir.conf",
                format!(
                    "Director {{\n  Name = d\n  DIR Address = 127.0.0.1\n  DIR Port = {director}\n  Password = \"console\"\n  \
                     Query File = /dev/null\n  Messages = Standard\n  Working Directory = {at}/w-dir\n  {own}\n}}\n\
                     Catalog {{\n  Name = c\n  {catalog}\n}}\n\
                     Client {{\n  Name = f\n  Address = 127.0.0.1\n  FD Port = {file}\n  Password = \"fpw\"\n  {client}\n  {own}\n}}\n\
                     Storage {{\n  Name = s\n  Address = 127.0.0.1\n  SD Port = {storage}\n  Password = \"spw\"\n  Device = dev\n  \
                     Media Type = File\n  {own}\n}}\n\
                     Storage {{\n  Name = s2\n  Address = 127.0.0.1\n  SD Port = {storage}\n  Password = \"spw\"\n  Device = dev2\n  \
                     Media Type = File\n  {own}\n}}\n\
                     Pool {{\n  Name = p\n  Pool Type = Backup\n  Label Format = \"v-\"\n  Maximum Volumes = 10\n  Next Pool = n\n}}\n\
                     Pool {{\n  Name = n\n  Pool Type = Backup\n  Label Format = \"n-\"\n  Maximum Volumes = 10\n  Maximum Volume Jobs = 1\n  \
                     Storage = s2\n}}\n\
                     FileSet {{\n  Name = fs\n  Include {{\n    Options {{\n      Signature = XXH128\n      Sparse = yes\n      \
                     ACL Support = yes\n      XAttr Support = yes\n      Hard Links = yes\n    }}\n    File = {source}\n  }}\n}}\n\
                     JobDefs {{\n  Name = j\n  Type = Backup\n  Level = Incremental\n  Client = f\n  FileSet = fs\n  Storage = s\n  \
                     Pool = p\n  Messages = Standard\n}}\n\
                     Job {{\n  Name = b\n  JobDefs = j\n}}\n\
                     Job {{\n  Name = a\n  JobDefs = j\n  Accurate = yes\n  Always Incremental = yes\n  \
                     Always Incremental Job Retention = 1 second\n  Always Incremental Keep Number = 1\n}}\n\
                     Job {{\n  Name = c\n  JobDefs = j\n  Type = Consolidate\n  Accurate = yes\n}}\n\
                     Job {{\n  Name = r\n  Type = Restore\n  JobDefs = j\n  Where = {at}/restored\n}}\n\
                     Messages {{\n  Name = Standard\n  Catalog = all\n  Console = all\n}}\n"
                ),
            ),
            (
                "bconsole.conf",
                format!(
                    "Director {{\n  Name = d\n  DIR Port = {director}\n  Address = 127.0.0.1\n  Password = \"console\"\n  {own}\n}}\n"
                ),
            ),
        ];
        for (file, text) in files {
            std::fs::write(self.path(file), text).unwrap();
        }
    }
}

/// An authority and one certificate for all; the directives that use them.
fn certificates(folder: &Path) -> String {
    let common_name = |name: &str, names: &[&str]| {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params
    };
    let key = KeyPair::generate().unwrap();
    let mut authority = common_name("authority", &[]);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = authority.self_signed(&key).unwrap().pem();
    let own_key = KeyPair::generate().unwrap();
    let mut own = common_name("me.example", &["localhost"]);
    own.subject_alt_names.push(SanType::IpAddress([127, 0, 0, 1].into()));
    let pem = own.signed_by(&own_key, &Issuer::from_params(&authority, &key)).unwrap().pem();
    let at = folder.display();
    for (name, text) in [("ca.pem", ca), ("own.pem", pem), ("own.key", own_key.serialize_pem())] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    format!(
        "TLS Certificate = {at}/own.pem\n  TLS Key = {at}/own.key\n  TLS CA Certificate File = {at}/ca.pem\n  \
         TLS Verify Peer = yes\n  TLS Allowed CN = \"me.example\""
    )
}
