//! One cell of the table: three daemons, ours or theirs, that read the same files, a mode, a kind of TLS; a full backup, an
//! incremental one, and a restore of both.

use std::fmt;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};
use tempfile::TempDir;

use crate::rig::{Process, Rig};
use crate::support::daemon::free_port;
use crate::support::wait_for;
use crate::tree;

/// Whose daemon it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    Our,
    Real,
}

/// Who dials whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Default,
    Passive,
    ClientInitiated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    Psk,
    Off,
    Certificates,
}

/// Which cell.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) director: Maker,
    pub(crate) storage: Maker,
    pub(crate) file: Maker,
    pub(crate) mode: Mode,
    pub(crate) tls: Tls,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |maker| if maker == Maker::Our { "our" } else { "real" };
        let mode = match self.mode {
            Mode::Default => "default",
            Mode::Passive => "passive",
            Mode::ClientInitiated => "client-initiated",
        };
        let tls = match self.tls {
            Tls::Psk => "psk",
            Tls::Off => "clear",
            Tls::Certificates => "certificates",
        };
        write!(f, "{}-{}-{}-{mode}-{tls}", word(self.director), word(self.storage), word(self.file))
    }
}

/// All cells of three makers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell(Maker, Maker, Maker);

pub(crate) const CELLS: [Cell; 8] = {
    use Maker::{Our, Real};
    [
        Cell(Our, Our, Our),
        Cell(Our, Our, Real),
        Cell(Our, Real, Our),
        Cell(Our, Real, Real),
        Cell(Real, Our, Our),
        Cell(Real, Our, Real),
        Cell(Real, Real, Our),
        Cell(Real, Real, Real),
    ]
};

impl Cell {
    pub(crate) fn names(&self) -> impl Iterator<Item = Name> + use<> {
        let Self(director, storage, file) = *self;
        [Mode::Default, Mode::Passive, Mode::ClientInitiated].into_iter().flat_map(move |mode| {
            [Tls::Psk, Tls::Off, Tls::Certificates].map(|tls| Name { director, storage, file, mode, tls })
        })
    }
}

/// Runs a cell.
///
/// # Errors
/// What went wrong, for a person.
pub(crate) fn run(rig: &Rig, name: &Name) -> Result<(), String> {
    // A real file daemon that is dialled in clear text may take the end of the authentication for an answer: its own race,
    // which a director of ours leaves it time for.
    let is_race = |why: &str| {
        [name.director, name.file] == [Maker::Real; 2]
            && why.contains("append open: 1000 OK auth") | why.contains("read open: 1000 OK auth")
    };
    let mut outcome = once(rig, name);
    for _ in 0..3 {
        match &outcome {
            Err(why) if is_race(why) => outcome = once(rig, name),
            _ => break,
        }
    }
    outcome
}

fn once(rig: &Rig, name: &Name) -> Result<(), String> {
    let site = Site::new(rig, name);
    tree::plant(&site.source());
    let mut order =
        [("sd", name.storage, site.storage), ("fd", name.file, site.file), ("dir", name.director, site.director)];
    if name.mode == Mode::ClientInitiated {
        // A real file daemon that finds nobody waits a while before it dials again.
        order.swap(1, 2);
    }
    let mut running = Vec::new();
    for (daemon, maker, port) in order {
        let config = site.path(&format!("bareos-{daemon}.conf"));
        let log = site.path(&format!("{daemon}.log"));
        running.push(Process::start(&rig.program(maker, daemon), &config, port, log)?);
    }
    let console = site.path("bconsole.conf");
    if name.mode == Mode::ClientInitiated {
        wait_for("the file daemon to dial the director", || {
            rig.ask(&console, &["status director"]).contains("Client Initiated").then_some(())
        });
    }
    let with_logs = |why: String| {
        let logs: Vec<_> = running.iter().map(Process::said).collect();
        format!("{why}\n{}", logs.join("\n"))
    };
    rig.job(&console, "run job=b level=Full yes").map_err(with_logs)?;
    // Whole seconds decide what is newer.
    let begun = std::time::SystemTime::now();
    wait_for("the next second", || begun.elapsed().is_ok_and(|time| time.as_millis() > 1100).then_some(()));
    tree::change(&site.source());
    rig.job(&console, "run job=b level=Incremental yes").map_err(with_logs)?;
    rig.job(&console, "restore client=f restorejob=r select current all done yes").map_err(with_logs)?;
    let restored = site.path("restored").join(site.source().strip_prefix("/").unwrap());
    tree::check(&site.source(), &restored, name.file)?;
    if (name.mode, name.tls) != (Mode::Default, Tls::Off) {
        return Ok(());
    }
    // Both together as one, without the client; what comes after builds on it.
    rig.job(&console, "run job=b level=VirtualFull yes").map_err(with_logs)?;
    let levels = ["Incremental", ""];
    for level in levels.into_iter().rev() {
        if !level.is_empty() {
            rig.job(&console, &format!("run job=b level={level} yes")).map_err(with_logs)?;
        }
        std::fs::remove_dir_all(site.path("restored")).unwrap();
        rig.job(&console, "restore client=f restorejob=r select current all done yes").map_err(with_logs)?;
        tree::check(&site.source(), &restored, name.file).map_err(|why| format!("the virtual full: {why}"))?;
    }
    let jobs = rig.ask(&console, &["list jobs"]);
    if jobs.lines().filter(|line| line.contains("| B ") && line.contains("| F ")).count() == 2 {
        return Ok(());
    }
    Err(format!("the virtual full is no full one:\n{jobs}"))
}

/// The folder of a cell, with the configurations in it.
struct Site {
    folder: TempDir,
    director: u16,
    storage: u16,
    file: u16,
}

impl Site {
    fn new(rig: &Rig, name: &Name) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let site = Self { folder, director: free_port(), storage: free_port(), file: free_port() };
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
        site.write(name, &own, &catalog);
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn source(&self) -> PathBuf {
        self.path("source")
    }

    /// The same text whoever reads it.
    fn write(&self, name: &Name, own: &str, catalog: &str) {
        let Self { director, storage, file, .. } = self;
        let (at, source) = (self.folder.path().display(), self.source());
        let source = source.display();
        let initiated = "Connection From Client To Director = yes\n  Connection From Director To Client = no";
        let (client, dials) = match name.mode {
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
                     Pool {{\n  Name = n\n  Pool Type = Backup\n  Label Format = \"n-\"\n  Maximum Volumes = 10\n  Storage = s2\n}}\n\
                     FileSet {{\n  Name = fs\n  Include {{\n    Options {{\n      Signature = XXH128\n      Sparse = yes\n      \
                     ACL Support = yes\n      XAttr Support = yes\n      Hard Links = yes\n    }}\n    File = {source}\n  }}\n}}\n\
                     JobDefs {{\n  Name = j\n  Type = Backup\n  Level = Incremental\n  Client = f\n  FileSet = fs\n  Storage = s\n  \
                     Pool = p\n  Messages = Standard\n}}\n\
                     Job {{\n  Name = b\n  JobDefs = j\n}}\n\
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
