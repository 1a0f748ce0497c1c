//! The folder with everything a run needs: a temporary one that goes, or one that was asked for and stays.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use towline_core::error::Code;
use towline_core::explain::complaint;

use super::Failure;

/// A file of this name says that quickstart has made all there is in a folder, and may write over it.
const MARK: &str = ".towline-quickstart";

/// The folder. A temporary one is removed when this is dropped.
#[derive(Debug)]
pub(super) struct State {
    path: PathBuf,
    stays: bool,
}

impl State {
    /// Makes the folder.
    pub(super) fn new(wanted: Option<&Path>, keep: bool) -> Result<Self, Failure> {
        if let Some(path) = wanted {
            return Ok(Self { path: own_folder(path)?, stays: true });
        }
        let mut bytes = [0_u8; 6];
        getrandom::fill(&mut bytes)
            .map_err(|error| Failure::Local(format!("the system has no random bytes: {error}")))?;
        let name: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let path = std::env::temp_dir().join(format!("towline-quickstart-{name}"));
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self { path: path.canonicalize()?, stays: keep })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where it stays, if it does.
    pub(super) fn kept(&self) -> Option<PathBuf> {
        self.stays.then(|| self.path.clone())
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if self.stays {
            return;
        }
        if fs::remove_dir_all(&self.path).is_err() {
            // Restored folders keep even their owner out when their mode says so.
            open_up(&self.path);
            if let Err(error) = fs::remove_dir_all(&self.path) {
                let text = format!("{} could not be removed: {error}", self.path.display());
                tracing::warn!("{}", complaint(Code(920), &text));
            }
        }
    }
}

/// Makes a folder if it is not there, and returns its name without links. One that holds something is taken only if an
/// earlier run has made it: no file of anybody else is written over.
pub(super) fn own_folder(wanted: &Path) -> Result<PathBuf, Failure> {
    let path = make_folder(wanted)?;
    let named = |error: io::Error| Failure::Usage(format!("cannot use {}: {error}", path.display()));
    let mark = path.join(MARK);
    if fs::symlink_metadata(&mark).is_ok_and(|meta| meta.is_file()) {
        return Ok(path);
    }
    if fs::read_dir(&path).map_err(named)?.next().is_some() {
        let text = format!(
            "{} holds files that quickstart has not made, and it writes over nothing: name an empty or a new folder",
            path.display()
        );
        return Err(Failure::Usage(text));
    }
    new_file(&mark).map_err(named)?;
    Ok(path)
}

/// Makes an empty file that only this user may read; one that was there before goes.
pub(super) fn new_file(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Makes a folder if it is not there, and returns its name without links.
pub(super) fn make_folder(path: &Path) -> Result<PathBuf, Failure> {
    let named = |error: io::Error| Failure::Usage(format!("cannot use {}: {error}", path.display()));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(named)?;
    path.canonicalize().map_err(named)
}

/// Lets the owner into every folder below.
fn open_up(top: &Path) {
    let mut folders = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        let _kept = fs::set_permissions(&folder, fs::Permissions::from_mode(0o700));
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        folders.extend(entries.filter(|e| e.file_type().is_ok_and(|kind| kind.is_dir())).map(|e| e.path()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_folder_goes_even_if_something_in_it_is_locked() {
        let state = State::new(None, false).unwrap();
        let path = state.path().to_owned();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        fs::create_dir_all(path.join("a/b")).unwrap();
        fs::write(path.join("a/b/file"), b"x").unwrap();
        for folder in ["a/b", "a"] {
            fs::set_permissions(path.join(folder), fs::Permissions::from_mode(0o000)).unwrap();
        }
        drop(state);
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_with_files_of_somebody_else_is_refused_and_its_own_is_taken_again() {
        let outer = tempfile::tempdir().unwrap();
        let own = own_folder(&outer.path().join("own")).unwrap();
        fs::write(own.join("director.ron"), b"").unwrap();
        assert_eq!(own_folder(&own).unwrap(), own);
        let theirs = outer.path().join("theirs");
        fs::create_dir(&theirs).unwrap();
        fs::write(theirs.join("director.ron"), b"precious").unwrap();
        let refused = own_folder(&theirs).unwrap_err();
        assert!(refused.to_string().contains("has not made"), "{refused}");
        assert_eq!(fs::read(theirs.join("director.ron")).unwrap(), b"precious");
        assert_eq!(fs::read_dir(&theirs).unwrap().count(), 1);
    }

    #[test]
    fn a_new_file_takes_the_place_of_a_link_and_not_of_what_it_leads_to() {
        let outer = tempfile::tempdir().unwrap();
        let (link, precious) = (outer.path().join("link"), outer.path().join("precious"));
        fs::write(&precious, b"safe").unwrap();
        std::os::unix::fs::symlink(&precious, &link).unwrap();
        new_file(&link).unwrap();
        assert_eq!(fs::read(&precious).unwrap(), b"safe");
        assert_eq!(fs::read(&link).unwrap(), b"");
    }

    #[test]
    fn a_folder_that_was_asked_for_stays() {
        let outer = tempfile::tempdir().unwrap();
        let wanted = outer.path().join("x/y");
        let state = State::new(Some(&wanted), false).unwrap();
        assert!(state.kept().is_some());
        drop(state);
        assert!(wanted.is_dir());
    }
}
