//! The lines that were typed, kept in a file of the user's own from one session to the next.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Lines that are kept.
pub(super) const MAX_LINES: usize = 1_000;
/// Bytes of the file that are read; it is written anew when it is longer.
const MAX_BYTES: u64 = 256 * 1024;
/// Bytes of the longest line that is kept.
const MAX_LINE: usize = 4 * 1024;
/// Words in lines that are not kept.
const SECRETS: [&str; 4] = ["passw", "secret", "token", "invite"];

/// The file of the history, if there is a place for it.
#[derive(Debug)]
pub(super) struct History(Option<PathBuf>);

impl History {
    /// In the user's folder for state, `$XDG_STATE_HOME` or `~/.local/state`.
    pub(super) fn of_user() -> Self {
        let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
        Self(state.map(|state| state.join("towline/console_history")))
    }

    /// The lines of earlier sessions, oldest first. A file that cannot be read has none.
    pub(super) fn read(&self) -> Vec<String> {
        let Some(path) = &self.0 else { return Vec::new() };
        let Ok((text, is_long)) = read(path) else { return Vec::new() };
        let all: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        let lines: Vec<String> =
            all[all.len().saturating_sub(MAX_LINES)..].iter().map(|&line| line.to_owned()).collect();
        if is_long || all.len() > 2 * MAX_LINES {
            // If it cannot be made shorter, it still can be read.
            let _longer = replace(path, &lines);
        }
        lines
    }

    /// Keeps a line. What may hold a secret, or begins with a blank, is not kept.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn keep(&self, line: &str) -> io::Result<bool> {
        let Some(path) = &self.0 else { return Ok(false) };
        if !may_be_kept(line) {
            return Ok(false);
        }
        if let Some(folder) = path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let mut file = private().append(true).create(true).open(path)?;
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
        file.write_all(format!("{line}\n").as_bytes())?;
        Ok(true)
    }
}

/// Whether a line may stand in a file.
pub(super) fn may_be_kept(line: &str) -> bool {
    let small = line.to_lowercase();
    let is_plain = !line.trim().is_empty() && !line.starts_with(' ') && !line.contains(char::is_control);
    is_plain && line.len() <= MAX_LINE && !SECRETS.iter().any(|word| small.contains(word))
}

fn private() -> OpenOptions {
    let mut options = File::options();
    options.mode(0o600);
    options
}

/// The end of the file, and whether there is more before it.
fn read(path: &Path) -> io::Result<(String, bool)> {
    use std::io::{Seek as _, SeekFrom};
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let is_long = length > MAX_BYTES;
    if is_long {
        file.seek(SeekFrom::Start(length - MAX_BYTES))?;
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    // The first line may have lost its beginning.
    Ok((
        if is_long { text.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default() } else { text },
        is_long,
    ))
}

fn replace(path: &Path, lines: &[String]) -> io::Result<()> {
    let new = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = private().write(true).create_new(true).open(&new)?;
    file.write_all((lines.join("\n") + "\n").as_bytes())?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_from_a_file_that_only_its_user_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/towline/console_history");
        let history = History(Some(path.clone()));
        assert!(history.read().is_empty());
        for line in ["status dir", "list jobs"] {
            assert!(history.keep(line).unwrap());
        }
        assert_eq!(history.read(), ["status dir", "list jobs"]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        // One that somebody has opened to others is closed again.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        history.keep("version").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_may_be_secret_is_not_kept() {
        for line in ["configure add client name=x Password=y", " run job=b yes", "", "invite client=x", "a\x1bb"] {
            assert!(!may_be_kept(line), "{line}");
        }
        assert!(may_be_kept("run job=b yes"));
    }

    #[test]
    fn a_file_that_has_grown_is_made_shorter() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("console_history");
        let text: String = (0..40_000).map(|n| format!("list joblog jobid={n}\n")).collect();
        fs::write(&path, text).unwrap();
        let lines = History(Some(path.clone())).read();
        assert_eq!(lines.len(), MAX_LINES);
        assert_eq!(lines.last().map(String::as_str), Some("list joblog jobid=39999"));
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), MAX_LINES);
    }

    #[test]
    fn without_a_place_nothing_is_kept() {
        assert!(!History(None).keep("list jobs").unwrap());
        assert!(History(None).read().is_empty());
    }
}
