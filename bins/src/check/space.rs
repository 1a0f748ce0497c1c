//! Room on the disks of this machine that hold the catalog and volumes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use towline_core::bulk::work::DiskError;
#[cfg(feature = "object")]
use towline_core::config::Seconds;
use towline_core::config::{Catalog, Device, DirectorConfig, StorageConfig};
use towline_core::error::Explain as _;
use towline_core::quantity::counted;

use super::{Finding, Level};
use crate::config::{Loaded, load};

/// Hundredths that are free below which it is worth a word, and below which that is urgent.
const FREE: [u64; 2] = [10, 3];

/// Looks at the catalog, and at the devices if the storage daemon's configuration is beside the director's.
pub(super) fn look(folder: &Path, director: &Loaded<DirectorConfig>) -> Vec<Finding> {
    let mut places: BTreeMap<PathBuf, String> = BTreeMap::new();
    let mut stores = Vec::new();
    if let Catalog::Sqlite(sqlite) = &director.config.catalog
        && let Some(parent) = director.resolve(&sqlite.path).parent()
    {
        places.insert(parent.to_owned(), "disk of the catalog".to_owned());
    }
    let beside = folder.join("storage-daemon.ron");
    let storage = if beside.exists() { beside } else { folder.to_owned() };
    if let Ok(loaded) = load::<StorageConfig>(&storage) {
        for device in &loaded.config.devices {
            if device.is_object() {
                stores.push(store(&loaded, device));
                continue;
            }
            places.insert(loaded.resolve(&device.archive_device), format!("disk of device {}", device.name));
        }
    }
    places.into_iter().map(|(path, about)| looked(&path, &about)).chain(stores).collect()
}

/// Whether a store of objects answers: it has room as long as somebody pays for it.
fn store(loaded: &Loaded<StorageConfig>, device: &Device) -> Finding {
    let about = format!("store of device {}", device.name);
    match volumes_of(loaded, device) {
        Ok(volumes) => Finding::new(
            Level::Good,
            about,
            format!("{} answers and has {}", device.archive_device, counted(volumes, "volume")),
        ),
        Err(error) => Finding::new(Level::Critical, about, format!("{error} ({})", error.code())),
    }
}

#[cfg(feature = "object")]
fn volumes_of(loaded: &Loaded<StorageConfig>, device: &Device) -> Result<usize, DiskError> {
    let mut settings = crate::daemon::storage::store_of(loaded, device);
    // Who watches does not wait as a job does.
    settings.retry_for = Seconds::secs(5);
    crate::object::register(&device.archive_device, &settings)?;
    Ok(crate::object::store(&device.archive_device)?.names()?.0.len())
}

#[cfg(not(feature = "object"))]
fn volumes_of(_loaded: &Loaded<StorageConfig>, device: &Device) -> Result<usize, DiskError> {
    Err(crate::volume::stored::not_built(&device.archive_device))
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

    #[test]
    #[cfg(feature = "object")]
    fn a_store_is_asked_whether_it_answers() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().display();
        let file = folder.path().join("storage-daemon.ron");
        let text = format!(
            r#"(storage: (name: "s"), directors: [(name: "d", password: "pw")], devices: [
                (name: "here", media_type: "S3", kind: object, archive_device: "file://{at}"),
                (name: "gone", media_type: "S3", kind: object, archive_device: "file://{at}/gone")])"#
        );
        std::fs::write(&file, text).unwrap();
        let loaded = load::<StorageConfig>(&file).unwrap();
        let [here, gone] = &loaded.config.devices[..] else { panic!() };
        assert!(store(&loaded, here).text.contains("answers and has 0 volumes"));
        assert_eq!(store(&loaded, gone).level, Level::Critical);
    }
}
