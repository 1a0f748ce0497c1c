//! How the storage daemon deletes what held data: by the system, or by the command of `secure_erase_command`, which is to make it
//! unreadable first. What the command fails at stays, and is not used.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use towline_core::bulk::work::DiskError;
use towline_core::wire::command;

use super::disk_error;
use crate::process::{self, Broken, Source, ending};

/// Zeros that are written at a time.
const ZEROS: usize = 256 * 1024;

/// Who deletes. The default is the system.
#[derive(Clone, Debug, Default)]
pub struct Eraser(Option<Arc<Erase>>);

#[derive(Debug)]
struct Erase {
    words: Vec<String>,
    limit: Option<Duration>,
}

impl Eraser {
    /// A command and its arguments, to which the name of a file is added; no shell looks at either. It is ended after `limit`, if
    /// that is not zero. Without a command the system deletes.
    #[must_use]
    pub fn new(command: Option<&str>, limit: Duration) -> Self {
        let limit = Some(limit).filter(|limit| !limit.is_zero());
        Self(command.map(|command| Arc::new(Erase { words: command::split(command), limit })))
    }

    /// Whether there is a command.
    #[must_use]
    pub const fn is_set(&self) -> bool {
        self.0.is_some()
    }

    /// Deletes a file; of a link to one, both.
    ///
    /// # Errors
    /// It is still there: the system or the command has failed.
    pub fn delete(&self, path: &Path) -> Result<(), DiskError> {
        if self.is_set() {
            self.wipe(path)?;
        }
        match fs::remove_file(path) {
            Err(error) if !self.is_set() || error.kind() != ErrorKind::NotFound => Err(disk_error(path, &error)),
            _ => Ok(()),
        }
    }

    /// With a command, deletes a file whose name is to be used again; a link to it stays. Without one the file stays: its bytes
    /// are cut off by whoever uses it again.
    ///
    /// # Errors
    /// It is still there: the command has failed.
    pub fn wipe(&self, path: &Path) -> Result<(), DiskError> {
        let Some(erase) = &self.0 else { return Ok(()) };
        let file = fs::canonicalize(path).map_err(|error| disk_error(path, &error))?;
        erase.run(&file).map_err(|why| DiskError::NotErased { path: path.display().to_string(), why })?;
        tracing::info!("{} was given to `secure_erase_command`", file.display());
        // A command may leave the name to us.
        match fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(disk_error(&file, &error)),
            _ => Ok(()),
        }
    }

    /// Shortens an open file. With a command what is cut off is overwritten first: a command can only have whole files.
    ///
    /// # Errors
    /// The disk has failed.
    pub fn cut(&self, file: &File, length: u64) -> std::io::Result<()> {
        if self.is_set() {
            let (end, zeros) = (file.metadata()?.len(), vec![0; ZEROS]);
            let mut at = length;
            while at < end {
                let piece = usize::try_from(end - at).unwrap_or(ZEROS).min(ZEROS);
                file.write_all_at(zeros.get(..piece).unwrap_or_default(), at)?;
                at += piece as u64;
            }
            file.sync_data()?;
        }
        file.set_len(length)
    }
}

impl Erase {
    fn run(&self, path: &Path) -> Result<(), String> {
        if self.words.is_empty() {
            return Err("it is empty".to_owned());
        }
        let name = path.to_str().ok_or("its name is not UTF-8, and no command can be given it")?;
        let words: Vec<String> = self.words.iter().cloned().chain([name.to_owned()]).collect();
        let deadline = self.limit.map(|limit| Instant::now() + limit);
        let mut source = Source::start(&words, &[], &[]).map_err(|why| ending(&why, "").unwrap_or_default())?;
        let mut buffer = vec![0; process::READ];
        // What it prints is nothing; its errors say why it has failed.
        let broken = loop {
            match source.read(&mut buffer, None, deadline) {
                Ok(0) => break source.has_ended_by(deadline).err(),
                Ok(_) => {}
                Err(why) => break Some(why),
            }
        };
        match broken {
            Some(why) => {
                let said = source.stop();
                let why = match why {
                    Broken::Failed(error) => error.to_string(),
                    Broken::TooLong | Broken::GivenUp => {
                        "it took longer than `secure_erase_time_limit` allows".to_owned()
                    }
                };
                Err(if said.is_empty() { why } else { format!("{why}: {said}") })
            }
            None => {
                let (outcome, said) = source.finish();
                ending(&outcome, &said).map_or(Ok(()), Err)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::PathBuf;

    use super::*;

    /// A folder with a program of this text, and the program.
    fn program(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my eraser");
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        (folder, path)
    }

    fn eraser(program: &Path, more: &str, limit: u64) -> Eraser {
        Eraser::new(Some(&format!("\"{}\" {more}", program.display())), Duration::from_secs(limit))
    }

    fn why(result: Result<(), DiskError>) -> String {
        match result {
            Err(DiskError::NotErased { why, .. }) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_gets_its_words_and_the_file_and_no_shell_sees_them() {
        let (folder, program) = program(r#"printf '%s|' "$@" >>"$0.log"; rm -- "$3""#);
        let victim = folder.path().join("$(touch owned) ; a b");
        fs::write(&victim, "secret").unwrap();
        eraser(&program, "-x 'two words'", 30).delete(&victim).unwrap();
        let said = fs::read_to_string(folder.path().join("my eraser.log")).unwrap();
        assert_eq!(said, format!("-x|two words|{}|", victim.display()));
        assert!(!victim.exists() && !folder.path().join("owned").exists());
        // One that overwrites and leaves the name.
        fs::write(&victim, "secret").unwrap();
        eraser(Path::new("true"), "", 30).delete(&victim).unwrap();
        assert!(!victim.exists());
        assert!(matches!(eraser(&program, "", 30).delete(&victim), Err(DiskError::Missing(_))), "nothing is there");
    }

    #[test]
    fn what_is_not_erased_stays_and_is_told() {
        let (folder, program) = program("echo 'no such luck' >&2; exit 3");
        let victim = folder.path().join("volume");
        fs::write(&victim, "secret").unwrap();
        assert_eq!(why(eraser(&program, "", 30).delete(&victim)), "it returned status 3: no such luck");
        assert!(why(eraser(Path::new("/no/such/program"), "", 30).delete(&victim)).contains("could not be started"));
        assert_eq!(
            why(Eraser::new(Some(" "), Duration::ZERO).delete(&victim)),
            "it is empty",
            "the file is no program"
        );
        assert_eq!(fs::read(&victim).unwrap(), b"secret");
    }

    #[test]
    fn one_that_takes_too_long_is_ended_also_with_its_output_closed() {
        for text in ["sleep 1000", "exec >&- 2>&-; sleep 1000"] {
            let (folder, program) = program(text);
            let victim = folder.path().join("volume");
            fs::write(&victim, "secret").unwrap();
            let why = why(eraser(&program, "", 1).delete(&victim));
            assert!(why.starts_with("it took longer than `secure_erase_time_limit` allows"), "{why}");
            assert!(victim.exists());
        }
    }

    #[test]
    fn what_a_link_leads_to_is_erased_and_a_volume_that_is_used_again_stays_on_its_disk() {
        let (folder, program) = program(r#"echo "$1" >>"$0.log"; rm -- "$1""#);
        let (link, behind) = (folder.path().join("volume"), folder.path().join("behind"));
        symlink(&behind, &link).unwrap();
        for keeps in [true, false] {
            fs::write(&behind, "secret").unwrap();
            let eraser = eraser(&program, "", 30);
            if keeps { eraser.wipe(&link) } else { eraser.delete(&link) }.unwrap();
            assert!(!behind.exists());
            assert_eq!(fs::symlink_metadata(&link).is_ok(), keeps);
        }
        let said = fs::read_to_string(folder.path().join("my eraser.log")).unwrap();
        assert_eq!(said, format!("{0}\n{0}\n", behind.canonicalize().unwrap_or(behind).display()));
    }

    #[test]
    fn what_is_cut_off_is_overwritten_before_it_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("volume");
        for eraser in [Eraser::default(), Eraser::new(Some("true"), Duration::ZERO)] {
            fs::write(&path, vec![7; ZEROS * 2 + 5]).unwrap();
            let file = File::options().read(true).write(true).open(&path).unwrap();
            eraser.cut(&file, 3).unwrap();
            assert_eq!(fs::read(&path).unwrap(), [7; 3]);
            // Nothing to cut: nothing is written.
            eraser.cut(&file, 3).unwrap();
            assert_eq!(fs::read(&path).unwrap(), [7; 3]);
        }
    }
}
