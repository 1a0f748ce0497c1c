//! Paths of a fileset that stand in a file on this machine, or that a command here writes, one a line (wire/2 §1.6).

use std::ffi::OsStr;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;

use towline_core::bulk::refused::Refused;
use towline_core::wire::command::split;
use towline_core::wire::fileset::MAX_BYTES;

use crate::process::{Means, output};

/// A path, or the paths of a list.
pub(super) fn paths(entry: &[u8], means: &Means) -> Result<Vec<Vec<u8>>, Refused> {
    let text = match entry {
        [b'|', command @ ..] => output(&split(&String::from_utf8_lossy(command)), means, MAX_BYTES),
        [b'<', name @ ..] => read(name),
        path => return Ok(vec![path.to_vec()]),
    };
    let text = text.map_err(|why| Refused::List { list: String::from_utf8_lossy(entry).into_owned(), why })?;
    Ok(text
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_end)
        .filter(|line| !line.is_empty())
        .map(Into::into)
        .collect())
}

fn read(name: &[u8]) -> Result<Vec<u8>, String> {
    let most = MAX_BYTES as u64;
    let mut text = Vec::new();
    let read = std::fs::File::open(OsStr::from_bytes(name)).and_then(|file| file.take(most + 1).read_to_end(&mut text));
    match read {
        Ok(bytes) if bytes > MAX_BYTES => Err(format!("it has more than {most} bytes")),
        Ok(_) => Ok(text),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_a_path_a_file_or_what_a_command_writes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("list");
        std::fs::write(&file, "/a\n\n/b c \r\n/d").unwrap();
        let means = Means::default();
        let of = |entry: &str| {
            let paths = paths(entry.as_bytes(), &means)?;
            Ok(paths.into_iter().map(|path| String::from_utf8(path).unwrap()).collect::<Vec<_>>())
        };
        assert_eq!(of("/plain"), Ok(vec!["/plain".to_owned()]));
        let expected = ["/a", "/b c", "/d"].map(str::to_owned).to_vec();
        assert_eq!(of(&format!("<{}", file.display())), Ok(expected.clone()));
        assert_eq!(of(&format!("|cat '{}'", file.display())), Ok(expected));
        assert_eq!(of("|printf ''"), Ok(Vec::new()));
        for (entry, why) in [
            ("</no/such/list", "No such file"),
            ("|sh -c 'echo gone >&2; exit 1'", "it returned status 1: gone"),
            ("|/no/such/program", "could not be started"),
            ("|", "it has no program"),
        ] {
            let Err(Refused::List { list, why: said }) = of(entry) else { panic!("{entry}") };
            assert!(list == entry && said.contains(why), "{entry}: {said}");
        }
    }

    #[test]
    fn a_command_outside_of_the_folders_is_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let mut means = Means::default();
        means.permits.folders = vec![folder.path().display().to_string()];
        let Err(Refused::List { why, .. }) = paths(b"|/bin/echo /x", &means) else { panic!() };
        assert!(why.contains("`allowed_script_dir`"), "{why}");
    }
}
