//! A file that is written anew beside itself, and then takes its own place: whole or not at all.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

/// The new text of a file, beside it. Goes away with this value unless it takes the file's place.
#[derive(Debug)]
pub(super) struct Rewritten {
    file: PathBuf,
    beside: PathBuf,
    /// What the file held when it was read.
    before: String,
}

impl Rewritten {
    /// Writes the new text of a file that held `before`, with the file's owner, group and mode.
    ///
    /// # Errors
    /// It cannot be written so.
    pub(super) fn write(file: &Path, before: String, text: &str) -> io::Result<Self> {
        let beside = beside(file);
        let whose = fs::metadata(file)?;
        // One that a crash has left.
        super::gone(&beside)?;
        // Nobody reads it before it has its mode.
        let mut new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        let rewritten = Self { file: file.to_owned(), beside, before };
        let own = new.metadata()?;
        if (own.uid(), own.gid()) != (whose.uid(), whose.gid()) {
            fchown(&new, Some(whose.uid()), Some(whose.gid()))?;
        }
        new.set_permissions(Permissions::from_mode(whose.mode() & 0o7777))?;
        new.write_all(text.as_bytes())?;
        new.sync_all()?;
        Ok(rewritten)
    }

    /// Where the new text is.
    pub(super) fn beside(&self) -> &Path {
        &self.beside
    }

    /// It takes the file's place.
    ///
    /// # Errors
    /// It does not, or the file has changed since it was read.
    pub(super) fn keep(&self) -> io::Result<()> {
        if fs::read(&self.file)? != self.before.as_bytes() {
            return Err(io::Error::other("it has changed meanwhile; say the command again"));
        }
        fs::rename(&self.beside, &self.file)?;
        self.file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }
}

impl Drop for Rewritten {
    fn drop(&mut self) {
        let _gone = fs::remove_file(&self.beside);
    }
}

/// With the same end, by which its syntax is told.
fn beside(file: &Path) -> PathBuf {
    let end = file.extension().map(|end| format!(".{}", end.to_string_lossy())).unwrap_or_default();
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    file.with_file_name(format!("{stem}.new{end}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_its_mode_and_is_not_written_over_if_somebody_else_has_changed_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("d.ron");
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        drop(Rewritten::write(&file, "old".to_owned(), "dropped").unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let new = Rewritten::write(&file, "old".to_owned(), "new").unwrap();
        assert_eq!(new.beside(), folder.path().join("d.new.ron"));
        fs::write(&file, "else").unwrap();
        assert!(new.keep().unwrap_err().to_string().contains("has changed meanwhile"));
        assert_eq!(fs::read_to_string(&file).unwrap(), "else");
        drop(new);
        Rewritten::write(&file, "else".to_owned(), "new").unwrap().keep().unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
