//! The bootstraps that jobs leave beside their volumes go with what they lead to.

use std::fs;
use std::path::Path;

use towline_core::error::Code;
use towline_core::explain::complaint;
use towline_core::wire::bsr::Bootstrap;

use super::erase::Eraser;

/// How their names end.
const END: &str = "bsr";
/// Bytes of the longest one: a job of 10,000 pieces.
const LONGEST: u64 = 4 << 20;

/// What was on a volume is gone, and with it every bootstrap of the folder that leads there: what is left of such a job is
/// found by reading the volumes. One that cannot be removed is told; it leads to nothing, which whoever reads it hears.
pub(super) fn forget(folder: &str, volume: &str, eraser: &Eraser) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.extension().is_some_and(|end| end == END)
            && leads_to(&path, volume)
            && let Err(error) = eraser.delete(&path)
        {
            let text = format!("{}, which leads to what was on volume {volume}, stays: {error}", path.display());
            tracing::warn!("{}", complaint(Code(638), &text));
        }
    }
}

/// The same in a store, with the files beside the volumes.
#[cfg(feature = "object")]
pub(crate) fn forget_in_store(folder: &str, volume: &str) {
    let gone = || {
        let store = crate::object::store(folder)?;
        for file in store.names()?.1.iter().filter(|file| Path::new(file).extension().is_some_and(|end| end == END)) {
            let is_one = store.get_file(file)?.is_some_and(|text| text_leads_to(&text, volume));
            if is_one {
                store.delete_file(file)?;
            }
        }
        Ok::<(), towline_core::bulk::work::DiskError>(())
    };
    if let Err(error) = gone() {
        let text = format!("bootstraps in {folder} that lead to what was on volume {volume} stay: {error}");
        tracing::warn!("{}", complaint(Code(638), &text));
    }
}

fn leads_to(path: &Path, volume: &str) -> bool {
    let is_one = fs::symlink_metadata(path).is_ok_and(|there| there.is_file() && there.len() <= LONGEST);
    let text = is_one.then(|| fs::read(path).ok()).flatten();
    text.is_some_and(|text| text_leads_to(&text, volume))
}

fn text_leads_to(text: &[u8], volume: &str) -> bool {
    Bootstrap::parse(text).is_ok_and(|bootstrap| bootstrap.volumes().any(|name| name == volume))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bootstraps_that_lead_to_the_volume_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        put("one.bsr", "# a job\nVolume=\"v1\"\nVolSessionId=1\n");
        put("two.bsr", "Volume=\"v0\"\nVolSessionId=1\nVolume=\"v1\"\nVolSessionId=1\n");
        put("other.bsr", "Volume=\"v11\"\nVolSessionId=1\n");
        put("broken.bsr", "Volume=\"v1\nwhat");
        put("v1.txt", "Volume=\"v1\"\n");
        std::os::unix::fs::symlink("v1.txt", folder.path().join("link.bsr")).unwrap();
        forget(folder.path().to_str().unwrap(), "v1", &Eraser::default());
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["broken.bsr", "link.bsr", "other.bsr", "v1.txt"]);
    }
}
