//! Paths of a fileset that stand in a file on this machine, or that a command here writes, one a line (wire/2 §1.6).

use std::ffi::OsStr;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;

use towline_core::bulk::refused::Refused;
use towline_core::wire::command::split;
use towline_core::wire::fileset::MAX_BYTES;
use towline_core::work::script::{PathList, Ungathered};

use crate::process::{Means, output};

/// A path, or the paths of a list.
pub(super) fn paths(entry: &[u8], means: &Means) -> Result<Vec<Vec<u8>>, Refused> {
    let text = match entry {
        [b'|', command @ ..] => output(&split(&String::from_utf8_lossy(command)), means, MAX_BYTES),
        [b'<', name @ ..] => read(name, MAX_BYTES),
        path => return Ok(vec![path.to_vec()]),
    };
    let text = text.map_err(|why| Refused::List { list: String::from_utf8_lossy(entry).into_owned(), why })?;
    Ok(lines(&text))
}

/// The paths of these lists, of all together [`MAX_BYTES`] at the most.
///
/// # Errors
/// The first that cannot be read.
pub(crate) fn gather(lists: &[PathList], means: &Means) -> Result<Vec<Vec<Vec<u8>>>, Ungathered> {
    let mut room = MAX_BYTES;
    let mut read_one = |list: &PathList| {
        let text = match list {
            PathList::Command(words) => output(words, means, room),
            PathList::File(name) => is_file(name).and_then(|()| read(name.as_bytes(), room)),
        }?;
        room = room.saturating_sub(text.len());
        Ok(lines(&text))
    };
    let each = |(list, named): (usize, &PathList)| read_one(named).map_err(|why| Ungathered { list, why });
    lists.iter().enumerate().map(each).collect()
}

/// Somebody at a console may name anything: a pipe that nobody writes to would never end.
fn is_file(name: &str) -> Result<(), String> {
    match std::fs::metadata(name) {
        Ok(data) if data.is_file() => Ok(()),
        Ok(_) => Err("it is no file".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn lines(text: &[u8]) -> Vec<Vec<u8>> {
    text.split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_end)
        .filter(|line| !line.is_empty())
        .map(Into::into)
        .collect()
}

fn read(name: &[u8], most: usize) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let read = std::fs::File::open(OsStr::from_bytes(name))
        .and_then(|file| file.take((most as u64).saturating_add(1)).read_to_end(&mut text));
    match read {
        Ok(bytes) if bytes > most => Err(format!("it has more than {most} bytes")),
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
    fn lists_are_read_in_their_order_up_to_the_first_that_cannot_be() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("list");
        std::fs::write(&file, "/a\n/b\n").unwrap();
        let named = PathList::File(file.display().to_string());
        let command = |text: &str| PathList::Command(["sh", "-c", text].map(str::to_owned).to_vec());
        let means = Means::default();
        let read = gather(&[named.clone(), command("echo '/c d'"), command("")], &means).unwrap();
        assert_eq!(read, [vec![b"/a".to_vec(), b"/b".to_vec()], vec![b"/c d".to_vec()], Vec::new()]);
        let of_folder = PathList::File(folder.path().display().to_string());
        for no_file in [of_folder, PathList::File("/dev/zero".to_owned())] {
            let why = gather(&[no_file], &means);
            assert_eq!(why, Err(Ungathered { list: 0, why: "it is no file".to_owned() }));
        }
        let why = gather(&[named.clone(), command("exit 3"), PathList::File("/none".to_owned())], &means);
        assert_eq!(why, Err(Ungathered { list: 1, why: "it returned status 3".to_owned() }));
        // Together they have no more than a fileset can.
        let zeros = |bytes: usize| command(&format!("head -c {bytes} /dev/zero"));
        assert!(gather(&[zeros(MAX_BYTES - 6), named.clone()], &means).is_ok());
        let why = gather(&[zeros(MAX_BYTES - 5), named], &means).unwrap_err();
        assert_eq!((why.list, why.why), (1, "it has more than 5 bytes".to_owned()));
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
