//! What a configuration finds on this machine: the folders it names, and who may read its secrets.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use towline_core::bulk::work::DiskError;
use towline_core::config::{ConfigPath, Severity, TlsConfig};
use towline_core::error::Explain as _;
use towline_core::explain::codes;

use super::{Loaded, Report};

/// The right of everybody to read a file.
const READABLE_BY_ALL: u32 = 0o004;
/// The right of everybody to go through a folder.
const OPEN_TO_ALL: u32 = 0o001;

/// A folder that must be there.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Where it is named.
    pub at: ConfigPath,
    /// The folder.
    pub path: PathBuf,
    /// What it is for, such as `volumes`.
    pub holds: &'static str,
    /// An error if the daemon does not start without it.
    pub severity: Severity,
}

/// Looks for these folders, and at who may read the file itself and the private keys of `tls`.
pub fn look_around<T>(loaded: &Loaded<T>, folders: &[Folder], tls: &[(&ConfigPath, &TlsConfig)]) -> Report {
    let mut report = loaded.report();
    for Folder { at, path, holds, severity } in folders {
        let why = match std::fs::metadata(path) {
            Ok(found) if found.is_dir() => continue,
            Ok(_) => "is no folder".to_owned(),
            Err(error) => format!("cannot be reached: {error}"),
        };
        let message = format!("the folder for {holds}, {}, {why}", path.display());
        let help = "make the folder, mount its disk, or correct the name".to_owned();
        report.add_at(*severity, codes::MISSING_FOLDER, Some(loaded.locate(at)), message, help);
    }
    for (index, source) in loaded.sources.iter().enumerate() {
        if !source.hidden.is_empty() && is_readable_by_all(Path::new(&source.name)) {
            let message = "every user of this machine may read this file, which has passwords".to_owned();
            let help = format!("take that right away: chmod o-r {}", source.name);
            report.add_whole(Severity::Warning, codes::READABLE_BY_ALL, index, message, help);
        }
    }
    for (at, tls) in tls {
        let Some(key) = tls.key.as_deref().filter(|_| tls.enable).map(|key| loaded.resolve(key)) else { continue };
        if is_readable_by_all(&key) {
            let message = format!("every user of this machine may read the private key {}", key.display());
            let help = format!("take that right away: chmod o-r {}", key.display());
            let place = loaded.locate(&at.field("key"));
            report.add_at(Severity::Warning, codes::READABLE_BY_ALL, Some(place), message, help);
        }
    }
    report.sort();
    report
}

/// Looks for programs that are to erase files.
pub fn look_for_programs<T>(loaded: &Loaded<T>, programs: &[(ConfigPath, String)]) -> Report {
    let mut report = loaded.report();
    for (at, name) in programs {
        if can_be_run(name) {
            continue;
        }
        let message = format!("{name:?} is no program that this user can run");
        let help = "install it, or write it from the root, such as `/usr/bin/shred -u`".to_owned();
        report.add_at(Severity::Error, codes::ERASE_COMMAND, Some(loaded.locate(at)), message, help);
    }
    report
}

/// Tells of places for volumes that cannot be used.
pub fn refuse_places<T>(loaded: &Loaded<T>, places: &[(ConfigPath, DiskError)]) -> Report {
    let mut report = loaded.report();
    for (at, error) in places {
        let (message, help) = (error.to_string(), error.help().to_owned());
        report.add_at(Severity::Error, error.code(), Some(loaded.locate(at)), message, help);
    }
    report
}

/// Whether there is a program of this name, in the folders of PATH if it names none.
fn can_be_run(name: &str) -> bool {
    let is_program = |path: &Path| path.is_file() && access(path, Access::EXEC_OK).is_ok();
    if name.contains('/') {
        return is_program(Path::new(name));
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| is_program(&folder.join(name)))
}

/// Whether everybody may read the file, and go through each folder on the way to it.
fn is_readable_by_all(path: &Path) -> bool {
    let Ok(path) = path.canonicalize() else { return false };
    let has = |path: &Path, right: u32| std::fs::metadata(path).is_ok_and(|found| found.mode() & right != 0);
    has(&path, READABLE_BY_ALL) && path.ancestors().skip(1).all(|folder| has(folder, OPEN_TO_ALL))
}
