//! A resource that is added to a configuration while its daemon runs: a file of its own in a tree of Bareos' syntax.
//!
//! ```text
//!   Addition --text--> NAME.conf.new --all files and this one are read and checked--> NAME.conf
//!                           '--- anything is wrong: removed
//! ```

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use towline_core::work::configuration::Addition;

use super::Configured;
use super::conf::{resource_text, tree_of};

/// Who may read a resource: the daemon's user and its group, as in the tree of a package.
const MODE: u32 = 0o640;
/// What a name of a resource and of its file is made of, and how long it may be (`wire/1 §3`).
const LONGEST: usize = 127;

/// A resource in a file that is not a part of the configuration yet. Goes away with this value unless it is kept.
#[derive(Debug)]
pub struct Draft {
    /// The kind as Bareos writes it.
    pub kind: &'static str,
    /// What the file holds.
    pub content: String,
    /// The folder of the configuration.
    folder: PathBuf,
    file: PathBuf,
    draft: PathBuf,
}

impl Draft {
    /// Writes the draft of a resource into the tree of the configuration that `origin` is.
    ///
    /// # Errors
    /// Why it cannot be written, in one line.
    pub fn write<T: Configured>(origin: &Path, addition: &Addition) -> Result<Self, String> {
        let Some(tree) = tree_of::<T>(origin) else {
            return Err(format!(
                "{} is no folder with a tree of files that one could be added to: write the {} there and say `reload`",
                origin.display(),
                addition.kind
            ));
        };
        let name = &addition.name;
        let is_letter = |c: char| c.is_alphanumeric() || " -_.:$".contains(c);
        if name.is_empty() || name.len() > LONGEST || name.starts_with(['.', ' ']) || !name.chars().all(is_letter) {
            return Err(format!("{name:?} is no name: letters, digits, blanks and any of - _ . : $ make one"));
        }
        let (kind, content) = resource_text::<T>(addition)?;
        let place = tree.join(kind.to_lowercase());
        let file = place.join(format!("{name}.conf"));
        if file.exists() {
            return Err(format!("{} is there already", file.display()));
        }
        let draft = place.join(format!("{name}.conf.new"));
        let folder = origin.to_owned();
        let written = fs::create_dir_all(&place).and_then(|()| put(&draft, &content));
        written.map_err(|error| format!("{} cannot be written: {error}", draft.display()))?;
        Ok(Self { kind, content, folder, file, draft })
    }

    /// The file to read beside all others.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.draft
    }

    /// What was found in it, with the name that it is to have; what is about other files stays as it is.
    #[must_use]
    pub fn rename(&self, findings: Vec<String>) -> Vec<String> {
        let (draft, file) = (self.draft.display().to_string(), self.file.display().to_string());
        findings.into_iter().map(|finding| finding.replace(&draft, &file)).collect()
    }

    /// Makes it a part of the configuration. Returns its name.
    ///
    /// # Errors
    /// Why it is not, in one line; a file of this name is never written over.
    pub fn keep(&self) -> Result<String, String> {
        let name = self.file.display().to_string();
        match fs::hard_link(&self.draft, &self.file) {
            Ok(()) => Ok(name),
            Err(error) => Err(format!("{name} cannot be written: {error}")),
        }
    }

    /// Writes what the file daemon of a client is to have, beside the configuration. Returns its name.
    ///
    /// # Errors
    /// Why it is not written, in one line.
    pub fn export(&self, client: &str, director: &str, content: &str) -> Result<String, String> {
        let place = self.folder.join("bareos-dir-export/client").join(client).join("bareos-fd.d/director");
        let file = place.join(format!("{director}.conf"));
        let name = file.display().to_string();
        // One of an earlier client of this name has another password.
        let written = fs::create_dir_all(&place).and_then(|()| gone(&file)).and_then(|()| put(&file, content));
        written.map(|()| name.clone()).map_err(|error| format!("{name} cannot be written: {error}"))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _gone = fs::remove_file(&self.draft);
    }
}

/// Writes a file that is not there yet.
fn put(file: &Path, content: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(file)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()
}

fn gone(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use towline_core::config::DirectorConfig;

    use super::*;

    fn tree() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("bareos-dir.d/pool")).unwrap();
        folder
    }

    fn addition(kind: &str, name: &str, directives: &[(&str, &str)]) -> Addition {
        let directives = directives.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Addition { kind: kind.to_owned(), name: name.to_owned(), directives }
    }

    fn draft(folder: &Path, addition: &Addition) -> Result<Draft, String> {
        Draft::write::<DirectorConfig>(folder, addition)
    }

    #[test]
    fn a_draft_goes_away_and_what_is_kept_stays_and_is_never_written_over() {
        let folder = tree();
        let of = addition("Pool", "Monthly", &[("Label Format", "M-"), ("recycle", "no")]);
        drop(draft(folder.path(), &of).unwrap());
        let place = folder.path().join("bareos-dir.d/pool");
        assert_eq!(fs::read_dir(&place).unwrap().count(), 0);
        let kept = draft(folder.path(), &of).unwrap();
        assert_eq!(kept.content, "Pool {\n  Name = \"Monthly\"\n  Label Format = \"M-\"\n  recycle = no\n}\n");
        let name = kept.keep().unwrap();
        drop(kept);
        assert_eq!(name, place.join("Monthly.conf").display().to_string());
        assert_eq!(fs::read_dir(&place).unwrap().count(), 1);
        assert!(draft(folder.path(), &of).unwrap_err().ends_with("is there already"));
    }

    #[test]
    fn a_name_leads_out_of_no_folder_and_a_value_makes_no_second_directive_and_runs_nothing() {
        let folder = tree();
        for name in ["../x", "a/b", ".x", "", "a\nb", &"x".repeat(128)] {
            assert!(draft(folder.path(), &addition("pool", name, &[])).unwrap_err().contains("is no name"), "{name}");
        }
        for (key, value) in [
            ("Recycle", "no }\nConsole { Name = x"),
            ("Recycle", "@|touch /tmp/x"),
            ("Storage", "@|touch"),
            ("Label Format", "a\nb"),
            ("x = y\nz", "a"),
            ("@/etc/passwd", "a"),
            ("", "a"),
        ] {
            let of = addition("pool", "p", &[(key, value)]);
            match draft(folder.path(), &of) {
                Ok(draft) => {
                    let lines: Vec<&str> = draft.content.lines().collect();
                    assert_eq!(lines.len(), 4, "{lines:?}");
                    assert!(lines[2].contains("= \""), "{lines:?}");
                }
                Err(why) => assert!(why.contains("cannot stand"), "{why}"),
            }
        }
        let of = addition("pool", "p", &[("Label Format", "a\"; b\\")]);
        assert!(draft(folder.path(), &of).unwrap().content.contains("Label Format = \"a\\\"; b\\\\\"\n"));
        assert!(draft(folder.path(), &addition("director", "d", &[])).unwrap_err().contains("director"));
    }

    #[test]
    fn a_configuration_of_one_file_has_no_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("director.ron");
        fs::write(&file, "()").unwrap();
        let why = draft(&file, &addition("pool", "p", &[])).unwrap_err();
        assert!(why.contains("director.ron") && why.contains("say `reload`"), "{why}");
        assert!(draft(folder.path(), &addition("pool", "p", &[])).is_err());
    }
}
