//! Names with wildcards, as Bareos includes files.

use std::path::{Path, PathBuf};

use crate::disk::backup::pattern::{Manner, matches};

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Glob {
    /// The name has wildcards: the files that match, the last of the alphabet first, which is the order in which Bareos
    /// reads them. None is no mistake.
    Files(Vec<PathBuf>),
    /// It has no wildcards.
    None,
}

/// The files that a name with `*`, `?` or `[…]` stands for. As in a shell, a leading dot must be written.
pub(in super::super) fn expand(name: &str) -> Glob {
    if !name.contains(['*', '?', '[']) {
        return Glob::None;
    }
    let mut found = vec![PathBuf::from(if name.starts_with('/') { "/" } else { "" })];
    for part in name.split('/').filter(|part| !part.is_empty()) {
        found = if part.contains(['*', '?', '[']) {
            found.iter().flat_map(|folder| inside(folder, part)).collect()
        } else {
            found.into_iter().map(|folder| folder.join(part)).filter(|path| path.exists()).collect()
        };
    }
    found.sort();
    found.reverse();
    Glob::Files(found)
}

fn inside(folder: &Path, part: &str) -> Vec<PathBuf> {
    let shown = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = std::fs::read_dir(shown) else { return Vec::new() };
    let names = entries.flatten().map(|entry| entry.file_name());
    let fits = |name: &std::ffi::OsStr| {
        let bytes = name.as_encoded_bytes();
        (!bytes.starts_with(b".") || part.starts_with('.')) && matches(part.as_bytes(), bytes, Manner::default())
    };
    names.filter(|name| fits(name)).map(|name| folder.join(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_read_from_the_end_of_the_alphabet() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["client/a.conf", "client/b.conf", "client/b.conf.old", "client/.hidden.conf", "pool/x.conf"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let name = |pattern: &str| format!("{}/{pattern}", folder.path().display());
        let found = |pattern: &str| match expand(&name(pattern)) {
            Glob::Files(files) => {
                files.iter().map(|f| f.strip_prefix(folder.path()).unwrap().display().to_string()).collect::<Vec<_>>()
            }
            Glob::None => panic!("{pattern} has wildcards"),
        };
        assert_eq!(found("*/*.conf"), ["pool/x.conf", "client/b.conf", "client/a.conf"]);
        assert_eq!(found("client/[a]*"), ["client/a.conf"]);
        assert_eq!(found("nothing/*"), [""; 0]);
        assert_eq!(expand("/etc/passwd"), Glob::None);
    }
}
