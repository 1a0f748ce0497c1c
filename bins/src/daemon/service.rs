//! What a service manager of Bareos asks a daemon for on the command line: who it runs as, and a file with its process id.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::process::{getegid, geteuid};

use super::{Options, StartError};

/// The exit code when a file cannot be made: `EX_CANTCREAT` of sysexits.
const EXIT_NO_FILE: u8 = 73;
/// The exit code when other rights are needed: `EX_NOPERM` of sysexits.
const EXIT_NO_RIGHT: u8 = 77;

/// Refuses to run as somebody else than it was told. It does not change who it runs as: a service manager does that before
/// anything of the program has run.
pub(super) fn runs_as(options: &Options) -> Result<(), StartError> {
    let ids = [
        ("user", &options.user, "/etc/passwd", geteuid().as_raw()),
        ("group", &options.group, "/etc/group", getegid().as_raw()),
    ];
    for (kind, wanted, list, own) in ids {
        let Some(wanted) = wanted else { continue };
        let known = fs::read_to_string(list).ok().and_then(|text| id_of(&text, wanted));
        if known.or_else(|| wanted.parse().ok()) != Some(own) {
            let text = format!(
                "it does not run as the {kind} {wanted:?}, and does not change that by itself: start it so, as with `{}={wanted}` \
                 in its unit of systemd",
                if kind == "user" { "User" } else { "Group" }
            );
            return Err(StartError { text, exit: EXIT_NO_RIGHT });
        }
    }
    Ok(())
}

/// The id of a name in a text such as `/etc/passwd` or `/etc/group`: the third field of its line.
fn id_of(text: &str, name: &str) -> Option<u32> {
    let fields = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    fields.into_iter().find(|fields| fields.first() == Some(&name))?.get(2)?.parse().ok()
}

/// A file with the process id, which goes away with this value.
#[derive(Debug)]
pub(super) struct PidFile(PathBuf);

impl PidFile {
    /// Writes the file, in place of one that an earlier process left.
    pub(super) fn write(path: &Path) -> Result<Self, StartError> {
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let failed = |error: io::Error| StartError {
            text: format!("cannot write the process id to {}: {error}", whole.display()),
            exit: EXIT_NO_FILE,
        };
        fs::write(&whole, format!("{}\n", std::process::id())).map_err(failed)?;
        Ok(Self(whole))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // Somebody may have taken it away, which is all right.
        let _gone = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stand_in_the_third_field() {
        let text = "root:x:0:0:root:/root:/bin/sh\nbareos:x:997:995::/var/lib/bareos:/bin/false\nbroken\n";
        assert_eq!((id_of(text, "bareos"), id_of(text, "root"), id_of(text, "broken")), (Some(997), Some(0), None));
        assert_eq!(id_of(text, "nobody"), None);
    }

    #[test]
    fn another_user_is_refused_with_what_to_do() {
        let own = geteuid().as_raw();
        let of = |user: String| runs_as(&Options { user: Some(user), ..Options::default() });
        assert_eq!(of(own.to_string()), Ok(()));
        let error = of((own + 1).to_string()).unwrap_err();
        assert_eq!(error.exit, EXIT_NO_RIGHT);
        assert!(error.text.contains("User="), "{error}");
        let group = runs_as(&Options { group: Some("no such group".to_owned()), ..Options::default() }).unwrap_err();
        assert!(group.text.contains("Group="), "{group}");
    }

    #[test]
    fn a_file_with_the_process_id_is_there_as_long_as_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("daemon.pid");
        let file = PidFile::write(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        drop(file);
        assert!(!path.exists());
        assert_eq!(PidFile::write(&path.join("x")).unwrap_err().exit, EXIT_NO_FILE);
    }
}
