//! The volumes that a person means: files, and folders of files.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use towline_core::bulk::work::DiskError;
use towline_core::printable;

use super::report::{Finding, Report};
use super::survey::{Survey, Unfit, survey};
use crate::volume::stored::is_in_store;

/// Sessions of all volumes together: a hostile file could name one in every 24 bytes.
pub(super) const MOST_SESSIONS: usize = 1_000_000;
/// Files of one folder that are looked at.
const MOST_FILES: usize = 1_000_000;
/// How the bootstraps that lie beside volumes end.
pub(super) const BOOTSTRAP: &str = "bsr";

/// A volume that can be read.
#[derive(Debug)]
pub(super) struct Volume {
    /// Its file.
    pub(super) path: PathBuf,
    /// Its name: as its label says, or that of the file if the label cannot be read.
    pub(super) name: String,
    /// What lies where on it.
    pub(super) survey: Survey,
}

/// Volumes in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// The volumes.
    pub(super) volumes: Vec<Volume>,
    /// Files that are no volumes.
    pub(super) foreign: u64,
    /// A store has failed, so that it is not known what is there.
    pub(super) has_failed_store: bool,
}

impl Shelf {
    /// Looks through files and folders. What is in the way is told; damage is only noted, for whoever reads tells it.
    pub(super) fn of(paths: &[PathBuf], report: &mut Report) -> Self {
        let mut shelf = Self::default();
        let mut seen = Seen::default();
        for path in paths {
            match files(path) {
                Ok(Files::One) => shelf.add(path, true, &mut seen, report),
                Ok(Files::Folder(files)) => files.iter().for_each(|file| shelf.add(file, false, &mut seen, report)),
                Ok(Files::TooMany) => report.add(Finding::Unreadable {
                    path: path.clone(),
                    why: format!("a folder of more than {MOST_FILES} files"),
                }),
                Ok(Files::Other) => {
                    report.add(Finding::Unreadable { path: path.clone(), why: "neither a file nor a folder".into() });
                }
                Err(error) => shelf.refuse(path, error, report),
            }
        }
        shelf
    }

    fn add(&mut self, path: &Path, is_named: bool, seen: &mut Seen, report: &mut Report) {
        let unreadable = |why: String| Finding::Unreadable { path: path.to_owned(), why };
        match seen.is_new(path, is_named) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return self.refuse(path, error, report),
        }
        let kept: usize = self.volumes.iter().map(|volume| volume.survey.sessions.len()).sum();
        match survey(path, is_named, MOST_SESSIONS.saturating_sub(kept)) {
            Ok(survey) => {
                let of_file = path.file_name().unwrap_or_default().to_string_lossy();
                let name = survey.label.as_ref().map_or(of_file, |label| String::from_utf8_lossy(&label.volume));
                self.put(Volume { name: name.into_owned(), path: path.to_owned(), survey }, report);
            }
            Err(Unfit::Foreign) if is_named => report.add(unreadable("no block of a volume is in it".to_owned())),
            Err(Unfit::Foreign) => self.foreign += 1,
            Err(Unfit::Label(error)) => report.add(Finding::OtherLabel { path: path.to_owned(), error }),
            Err(Unfit::TooManySessions) => report.add(Finding::TooMany { path: path.to_owned() }),
            Err(Unfit::Disk(error)) => self.refuse(path, error, report),
        }
    }

    fn refuse(&mut self, path: &Path, error: impl Into<Unreadable>, report: &mut Report) {
        report.add(match error.into() {
            Unreadable::Store(error) => {
                self.has_failed_store = true;
                Finding::Store { error }
            }
            Unreadable::Other(why) => Finding::Unreadable { path: path.to_owned(), why },
        });
    }

    /// Two files of one name hold the same blocks twice: the one that is called as its label says counts, else the first.
    fn put(&mut self, volume: Volume, report: &mut Report) {
        let Some(other) = self.volumes.iter_mut().find(|other| other.name == volume.name) else {
            return self.volumes.push(volume);
        };
        let is_at_home = |volume: &Volume| volume.path.file_name().is_some_and(|file| *file == *volume.name);
        let left = if is_at_home(&volume) && !is_at_home(other) { std::mem::replace(other, volume) } else { volume };
        report.add(Finding::Twice { name: left.name, path: left.path });
    }
}

/// Why a path cannot be read.
enum Unreadable {
    Store(DiskError),
    Other(String),
}

impl From<DiskError> for Unreadable {
    fn from(error: DiskError) -> Self {
        if matches!(error, DiskError::Store { .. }) { Self::Store(error) } else { Self::Other(error.to_string()) }
    }
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<DiskError>()) {
            Some(known) => known.clone().into(),
            None => Self::Other(error.to_string()),
        }
    }
}

/// What was looked at already.
#[derive(Default)]
struct Seen {
    files: BTreeSet<(u64, u64)>,
    /// In stores.
    paths: BTreeSet<PathBuf>,
}

impl Seen {
    /// Whether a path may lead to a volume that was not looked at before.
    fn is_new(&mut self, path: &Path, is_named: bool) -> io::Result<bool> {
        if is_in_store(&path.to_string_lossy()) {
            return Ok(self.paths.insert(path.to_owned()));
        }
        let there = fs::metadata(path)?;
        let is_bootstrap = path.extension().is_some_and(|end| end == BOOTSTRAP);
        // A link may lead to a volume that lies here too.
        Ok(there.is_file() && (is_named || !is_bootstrap) && self.files.insert((there.dev(), there.ino())))
    }
}

/// What a path leads to.
enum Files {
    One,
    Folder(Vec<PathBuf>),
    TooMany,
    Other,
}

fn files(path: &Path) -> io::Result<Files> {
    if let Some(address) = path.to_str().filter(|text| is_in_store(text)) {
        return in_store(address).map_err(io::Error::other);
    }
    let there = fs::metadata(path)?;
    if !there.is_dir() {
        return Ok(if there.is_file() { Files::One } else { Files::Other });
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        if files.len() >= MOST_FILES {
            return Ok(Files::TooMany);
        }
        let entry = entry?;
        files.push((entry.file_type().is_ok_and(|kind| kind.is_symlink()), entry.path()));
    }
    // Files before links, which may lead to them.
    files.sort();
    Ok(Files::Folder(files.into_iter().map(|(_, path)| path).collect()))
}

/// The volumes of a store, or the one that is named.
#[cfg(feature = "object")]
fn in_store(address: &str) -> Result<Files, DiskError> {
    let store = crate::object::store(address)?;
    if store.is_volume()? {
        return Ok(Files::One);
    }
    let (volumes, _) = store.names()?;
    let address = address.trim_end_matches('/');
    Ok(Files::Folder(volumes.iter().map(|volume| PathBuf::from(format!("{address}/{volume}"))).collect()))
}

#[cfg(not(feature = "object"))]
fn in_store(address: &str) -> Result<Files, DiskError> {
    Err(crate::volume::stored::not_built(address))
}

/// A path for a person.
pub(super) fn shown(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    printable::name(path.as_os_str().as_bytes())
}
