//! Room on the disks of this machine that hold the catalog and volumes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use towline_core::config::{Catalog, DirectorConfig, StorageConfig};

use super::{Finding, Level};
use crate::config::{Loaded, load};

/// Hundredths that are free below which it is worth a word, and below which that is urgent.
const FREE: [u64; 2] = [10, 3];

/// Looks at the catalog, and at the devices if the storage daemon's configuration is beside the director's.
pub(super) fn look(folder: &Path, director: &Loaded<DirectorConfig>) -> Vec<Finding> {
    let mut places: BTreeMap<PathBuf, String> = BTreeMap::new();
    if let Catalog::Sqlite(sqlite) = &director.config.catalog
        && let Some(parent) = director.resolve(&sqlite.path).parent()
    {
        places.insert(parent.to_owned(), "disk of the catalog".to_owned());
    }
    let beside = folder.join("storage-daemon.ron");
    let storage = if beside.exists() { beside } else { folder.to_owned() };
    if let Ok(loaded) = load::<StorageConfig>(&storage) {
        for device in &loaded.config.devices {
            places.insert(loaded.resolve(&device.archive_device), format!("disk of device {}", device.name));
        }
    }
    places.into_iter().map(|(path, about)| looked(&path, &about)).collect()
}

fn looked(path: &Path, about: &str) -> Finding {
    match rustix::fs::statvfs(path) {
        Ok(found) => {
            let bytes = |blocks: u64| u128::from(blocks) * u128::from(found.f_frsize);
            judged(about, path, bytes(found.f_bavail), bytes(found.f_blocks))
        }
        Err(error) => Finding::new(Level::Critical, about, format!("{} cannot be looked at: {error}", path.display())),
    }
}

fn judged(about: &str, path: &Path, free: u128, all: u128) -> Finding {
    let is_below = |hundredths: u64| free * 100 < all * u128::from(hundredths);
    let level = match () {
        () if is_below(FREE[1]) => Level::Critical,
        () if is_below(FREE[0]) => Level::Warning,
        () => Level::Good,
    };
    let hundredths = (free * 100).checked_div(all).unwrap_or_default();
    Finding::new(level, about, format!("{} MiB free at {}, {hundredths} %", free >> 20, path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_room_is_told_before_there_is_none() {
        for (free, level) in [(50, Level::Good), (10, Level::Good), (9, Level::Warning), (2, Level::Critical)] {
            assert_eq!(judged("x", Path::new("/x"), free, 100).level, level, "{free}");
        }
        assert_eq!(looked(Path::new("/nowhere/at/all"), "x").level, Level::Critical);
        assert!(looked(Path::new("/"), "x").text.contains("MiB free at /"));
    }
}
