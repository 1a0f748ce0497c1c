//! A resource that is added to a configuration while its daemon runs: a file of its own in a tree of Bareos' syntax, else a
//! part of the only file there is, in its syntax.
//!
//! ```text
//!   Addition --text--> NAME.conf.new ----all files and this one are read and checked--> NAME.conf
//!                  '-> director.new.ron -----this one is read and checked-------------> director.ron
//!                           '--- anything is wrong: removed
//! ```

mod ron;
mod whole;

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::ops::RangeInclusive;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use towline_core::config::DirectorConfig;
use towline_core::work::configuration::Addition;

use super::conf::{Configured as _, resource_text, tree_of};
use super::syntax::{Syntax, tell};
use super::{examine, read};
use whole::Rewritten;

/// Who may read a resource: the daemon's user and its group, as in the tree of a package.
const MODE: u32 = 0o640;
/// What a name of a resource and of its file is made of, and how long it may be (`wire/1 §3`).
const LONGEST: usize = 127;

/// A resource in a file that is not a part of the configuration yet. Goes away with this value unless it is kept.
#[derive(Debug)]
pub struct Draft {
    /// The kind as Bareos writes it.
    pub kind: &'static str,
    /// The text of the resource.
    pub content: String,
    /// The folder of the configuration.
    folder: PathBuf,
    file: PathBuf,
    draft: Kept,
}

/// What is to be kept.
#[derive(Debug)]
enum Kept {
    /// A file of its own.
    Own(PathBuf),
    /// A part of a file that has other resources too: these lines of it.
    Part(Rewritten, RangeInclusive<usize>),
}

/// Why a name of at most so many bytes cannot be that of a resource; `None` if it can.
pub(crate) fn name_fault(name: &str, longest: usize) -> Option<String> {
    let is_letter = |c: char| c.is_alphanumeric() || " -_.:$".contains(c);
    if name.is_empty() {
        Some("the name is empty: letters, digits, blanks and any of - _ . : $ make one".to_owned())
    } else if name.len() > longest {
        Some(format!("the name has {} bytes, and {longest} are the most: choose a shorter one", name.len()))
    } else if name.starts_with('.') || name.trim() != name || !name.chars().all(is_letter) {
        Some(format!(
            "{name:?} is no name: letters, digits, blanks and any of - _ . : $ make one, a point or a blank never at its \
             beginning, nor a blank at its end"
        ))
    } else {
        None
    }
}

impl Draft {
    /// Writes the draft of a resource of a director into the configuration that `origin` is.
    ///
    /// # Errors
    /// Why it cannot be written, a finding a line.
    pub fn write(origin: &Path, addition: &Addition) -> Result<Self, Vec<String>> {
        let name = addition.name.as_str();
        if let Some(fault) = name_fault(name, LONGEST) {
            return Err(vec![fault]);
        }
        let (kind, content) = resource_text::<DirectorConfig>(addition).map_err(|why| vec![why])?;
        match tree_of::<DirectorConfig>(origin) {
            Some(tree) => Self::in_tree(origin, &tree, (kind, name), content).map_err(|why| vec![why]),
            None => Self::in_file(origin, (kind, name), content),
        }
    }

    fn in_tree(
        origin: &Path,
        tree: &Path,
        (kind, name): (&'static str, &str),
        content: String,
    ) -> Result<Self, String> {
        let place = tree.join(kind.to_lowercase());
        let file = place.join(format!("{name}.conf"));
        if file.exists() {
            return Err(format!("{} is there already", file.display()));
        }
        let draft = place.join(format!("{name}.conf.new"));
        let folder = origin.to_owned();
        let written = fs::create_dir_all(&place).and_then(|()| put(&draft, &content));
        written.map_err(|error| format!("{} cannot be written: {error}", draft.display()))?;
        Ok(Self { kind, content, folder, file, draft: Kept::Own(draft) })
    }

    fn in_file(origin: &Path, (kind, name): (&'static str, &str), content: String) -> Result<Self, Vec<String>> {
        let (file, is_ron) = match tell(origin, DirectorConfig::COMPONENT).map_err(|report| report.lines())? {
            Syntax::Ron(file) => (file, true),
            Syntax::Conf(files) => match <[PathBuf; 1]>::try_from(files) {
                Ok([file]) => (file, false),
                Err(_) => return Err(vec![format!("{} is no tree of files and not one file", origin.display())]),
            },
        };
        let unwritten = |error: io::Error| vec![format!("{} cannot be written: {error}", file.display())];
        // A link stays one.
        let target = fs::canonicalize(&file).map_err(unwritten)?;
        let before = read(&target).map_err(|fault| fault.report(&file.display().to_string()).lines())?;
        let (content, text, lines) = if is_ron {
            let config = examine::<DirectorConfig>(origin).map_err(|report| report.lines())?.config;
            let (field, element) = ron::element(&config, (kind, name), &content)?;
            let (text, lines) = ron::insert(&before, field, &element).map_err(|why| vec![why])?;
            (element + "\n", text, lines)
        } else {
            let gap = if before.is_empty() || before.ends_with('\n') { "\n" } else { "\n\n" };
            let first = before.lines().count() + 1;
            let text = format!("{before}{gap}{content}");
            let lines = first..=text.lines().count();
            (content, text, lines)
        };
        let folder = file.parent().map(Path::to_owned).unwrap_or_default();
        let rewritten = Rewritten::write(&target, before, &text).map_err(unwritten)?;
        Ok(Self { kind, content, folder, file, draft: Kept::Part(rewritten, lines) })
    }

    /// What is read in place of the configuration, and beside it.
    #[must_use]
    pub fn reads<'a>(&'a self, origin: &'a Path) -> (&'a Path, Option<&'a Path>) {
        match &self.draft {
            Kept::Own(draft) => (origin, Some(draft.as_path())),
            Kept::Part(rewritten, _) => (rewritten.beside(), None),
        }
    }

    /// Whether the file has other resources too.
    #[must_use]
    pub const fn is_part(&self) -> bool {
        matches!(self.draft, Kept::Part(..))
    }

    /// Whether a finding with the file's name is about the resource.
    #[must_use]
    pub fn is_about(&self, finding: &str) -> bool {
        let Some(rest) = finding.strip_prefix(&self.file.display().to_string()) else { return false };
        let line = || rest.strip_prefix(':')?.split(':').next()?.parse::<usize>().ok();
        match &self.draft {
            Kept::Own(_) => true,
            Kept::Part(_, lines) => line().is_some_and(|line| lines.contains(&line)),
        }
    }

    /// What was found in it, with the name that it is to have; what is about other files stays as it is.
    #[must_use]
    pub fn rename(&self, findings: Vec<String>) -> Vec<String> {
        let draft = match &self.draft {
            Kept::Own(draft) => draft.as_path(),
            Kept::Part(rewritten, _) => rewritten.beside(),
        };
        let (draft, file) = (draft.display().to_string(), self.file.display().to_string());
        findings.into_iter().map(|finding| finding.replace(&draft, &file)).collect()
    }

    /// Makes it a part of the configuration. Returns its name.
    ///
    /// # Errors
    /// Why it is not, in one line; another file of this name is never written over, nor one that somebody has changed meanwhile.
    pub fn keep(&self) -> Result<String, String> {
        let name = self.file.display().to_string();
        let kept = match &self.draft {
            Kept::Own(draft) => fs::hard_link(draft, &self.file),
            Kept::Part(rewritten, _) => rewritten.keep(),
        };
        kept.map(|()| name.clone()).map_err(|error| format!("{name} cannot be written: {error}"))
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
        if let Kept::Own(draft) = &self.draft {
            let _gone = fs::remove_file(draft);
        }
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
        Draft::write(folder, addition).map_err(|findings| findings.join("\n"))
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
            let fault = draft(folder.path(), &addition("pool", name, &[])).unwrap_err();
            assert!(
                ["is no name", "is empty", "128 bytes"].iter().any(|words| fault.contains(words)),
                "{name}: {fault}"
            );
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
    fn one_file_gets_the_resource_in_its_own_syntax() {
        let folder = tempfile::tempdir().unwrap();
        let of = addition("pool", "p", &[("Label Format", "p-")]);
        assert!(draft(folder.path(), &of).is_err(), "there is no configuration");
        let file = folder.path().join("director.ron");
        let old = "// mine\n(director: (name: \"d\", password: \"x\"), catalog: sqlite(path: \"c\"))\n";
        fs::write(&file, old).unwrap();
        let kept = draft(&file, &of).unwrap();
        let (read, more) = kept.reads(&file);
        assert_eq!((read, more), (folder.path().join("director.new.ron").as_path(), None));
        assert_eq!(fs::read_to_string(&file).unwrap(), old, "nothing has changed yet");
        let name = kept.keep().unwrap();
        assert_eq!(name, file.display().to_string());
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("// mine\n(director:") && text.contains("label_format: \"p-\""), "{text}");
        assert!(kept.is_about(&format!("{name}:4:1: warning")) && !kept.is_about(&format!("{name}:2:1: warning")));
        fs::remove_file(&file).unwrap();
        let file = folder.path().join("bareos-dir.conf");
        fs::write(&file, "Director { Name = d; Password = x }\n# the end").unwrap();
        draft(folder.path(), &of).unwrap().keep().unwrap();
        let text = fs::read_to_string(&file).unwrap();
        let wanted =
            "Director { Name = d; Password = x }\n# the end\n\nPool {\n  Name = \"p\"\n  Label Format = \"p-\"\n}\n";
        assert_eq!(text, wanted);
    }
}
