//! Nothing that a daemon makes for itself can be read by everybody, whatever the umask is.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use support::network::{CLEAR, Network, Plan};

/// A program that becomes another one with an empty umask.
fn without_umask(folder: &Path, name: &str, program: &str) -> PathBuf {
    let file = folder.join(name);
    let text = format!("#!/bin/sh\numask 000\nexec {program} \"$@\"\n");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
    file
}

/// The fileset has a path that is not there, so that the client keeps a list; and the client has a file of messages.
fn rewrite(text: String) -> String {
    let text = text.replace("files: [", "files: [\"/no/such/folder\", ");
    let Some(start) = text.strip_suffix(')').filter(|text| text.starts_with("(file:")) else { return text };
    let (_, folder) = text.split_once("working_directory: \"").unwrap();
    let (folder, _) = folder.split_once('"').unwrap();
    format!(
        "{start}, messages: [(name: \"m\", destinations: [(kind: director), (kind: append, to: [\"{folder}/fd-messages.log\"])])])"
    )
}

/// Every file and folder below a folder, and whether others may do anything with it.
fn below(folder: &Path) -> Vec<(PathBuf, u32)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let meta = fs::symlink_metadata(&path).unwrap();
        found.push((path.clone(), meta.permissions().mode() & 0o7777));
        if meta.is_dir() {
            found.extend(below(&path));
        }
    }
    found
}

#[test]
fn what_the_daemons_make_is_closed_to_others_whatever_the_umask_is() {
    let programs = tempfile::tempdir().unwrap();
    let becomes = |name: &str, program: &str| without_umask(programs.path(), name, program);
    let network = Network::start(&Plan {
        all: CLEAR.to_owned(),
        file_program: becomes("file", env!("CARGO_BIN_EXE_towline-fd")),
        storage_prefix: vec![becomes("storage", "")],
        director_prefix: vec![becomes("director", "")],
        rewrite,
        ..Plan::default()
    });
    let made_before: Vec<PathBuf> = below(network.folder.path()).into_iter().map(|(path, _)| path).collect();
    let deep = network.source.join("deep");
    fs::create_dir(&deep).unwrap();
    for (path, mode) in [(network.source.join("file"), 0o600), (deep.join("file"), 0o604)] {
        fs::write(&path, "text").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    }
    let backup = network.backup();
    assert!(backup.termination().starts_with("Backup OK"), "{}", backup.report);
    // A single file, so that nobody knows the modes of the folders on the way.
    let line = format!(
        "restore client=f where={} file={} done yes",
        network.place("new/to").display(),
        deep.join("file").display()
    );
    let restore = network.run(&line);
    assert!(restore.is_ok(), "{}", restore.report);
    network.run("restore client=f where=/dev/null/x all done yes");

    let made = below(network.folder.path()).into_iter();
    let made: Vec<_> =
        made.filter(|(path, _)| !made_before.contains(path) && !path.starts_with(&network.source)).collect();
    let names: Vec<_> = made.iter().map(|(path, _)| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    for expected in ["v-0001", "fd-messages.log", "to", "deep"] {
        assert!(names.iter().any(|name| name == expected), "{expected} is not in {names:?}");
    }
    assert!(names.iter().any(|name| name.ends_with(".unsaved")), "{names:?}");
    let restored = network.place("new/to").join(deep.strip_prefix("/").unwrap()).join("file");
    for (path, mode) in made.iter().filter(|(path, _)| *path != restored) {
        assert_eq!(mode & 0o007, 0, "{}: {mode:o}", path.display());
    }
    assert_eq!(fs::metadata(restored).unwrap().permissions().mode() & 0o777, 0o604, "what is recorded counts");
    let catalog =
        below(network.folder.path()).into_iter().filter(|(path, _)| path.to_string_lossy().contains("catalog."));
    let catalog: Vec<_> = catalog.collect();
    assert!(catalog.len() > 1 && catalog.iter().all(|(_, mode)| *mode == 0o600), "{catalog:?}");
}
