//! Labels that an operator wants: on new volumes, and on volumes whose data is given up.

use std::fs::File;
use std::path::Path;

use towline_core::bulk::work::DiskError;
use towline_core::wire::block::Session;
use towline_core::wire::label::VolumeLabel;

use super::erase::Eraser;
use super::writer::{open, read_block, write_label};
use super::{bootstraps, disk_error, volume_path};

/// Writes a label to a volume in `folder`; returns the length of the volume. With the name the volume has had `before`, all
/// that is on it is given up; under another name the file before is gone.
///
/// # Errors
/// There is a volume of the new name already, or a file that is none; the volume before is not there, is another one or could
/// not be erased; or the disk or the store failed. Nothing was given up then.
pub fn label(folder: &str, label: &VolumeLabel, before: Option<&str>, eraser: &Eraser) -> Result<u64, DiskError> {
    if super::stored::is_in_store(folder) {
        #[cfg(feature = "object")]
        return crate::object::labelling::label(folder, label, before);
        #[cfg(not(feature = "object"))]
        return Err(super::stored::not_built(folder));
    }
    let name = String::from_utf8_lossy(&label.volume);
    let path = volume_path(folder, &name)?;
    // Labels that an operator has written are of no session (`wire/3 §5.5`).
    let block = label.block(Session::default());
    let Some(before) = before else {
        write_new(&path, &name, &block)?;
        return Ok(block.len() as u64);
    };
    let old_path = volume_path(folder, before)?;
    let mut old = open(&old_path, false)?;
    if let Err(found) = label_of(&mut old, &old_path, before)? {
        return Err(wrong(&old_path, before, found));
    }
    if *name == *before && !eraser.is_set() {
        write_label(&old, &path, &block)?;
    } else if *name == *before {
        eraser.wipe(&path)?;
        write_new(&path, &name, &block)?;
    } else {
        write_new(&path, &name, &block)?;
        eraser.delete(&old_path).inspect_err(|_| {
            // The volume keeps its old name. If the new label cannot go, a volume of that name is refused as there already.
            let _ = std::fs::remove_file(&path);
        })?;
    }
    bootstraps::forget(folder, before, eraser);
    Ok(block.len() as u64)
}

/// Writes the label where there is nothing.
fn write_new(path: &Path, name: &str, block: &[u8]) -> Result<(), DiskError> {
    let mut file = open(path, true)?;
    let length = file.metadata().map_err(|error| disk_error(path, &error))?.len();
    if length > 0 {
        return Err(match label_of(&mut file, path, "")? {
            Ok(volume) => DiskError::HasLabel { path: path.display().to_string(), volume },
            Err(_) => wrong(path, name, format!("a file of {length} bytes that is no volume")),
        });
    }
    write_label(&file, path, block).inspect_err(|_| {
        // What is left is no volume; if it cannot go, the next label finds it empty.
        let _ = std::fs::remove_file(path);
    })
}

/// The name in the label of a file; or what is there in its place. `wanted` may be empty for any name.
fn label_of(file: &mut File, path: &Path, wanted: &str) -> Result<Result<String, String>, DiskError> {
    let Some(block) = read_block(file, path, 0)? else { return Ok(Err("no volume label".to_owned())) };
    let label = VolumeLabel::from_block(&block, wanted);
    Ok(label.map(|label| String::from_utf8_lossy(&label.volume).into_owned()).map_err(|error| error.to_string()))
}

fn wrong(path: &Path, wanted: &str, found: String) -> DiskError {
    DiskError::WrongVolume { path: path.display().to_string(), wanted: wanted.to_owned(), found }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> VolumeLabel {
        VolumeLabel {
            volume: name.into(),
            pool: b"P".to_vec(),
            pool_type: b"Backup".to_vec(),
            ..VolumeLabel::default()
        }
    }

    fn name_in(folder: &Path, file: &str) -> String {
        let block = std::fs::read(folder.join(file)).unwrap();
        String::from_utf8(VolumeLabel::from_block(&block, "").unwrap().volume).unwrap()
    }

    #[test]
    fn a_new_volume_gets_a_label_and_nothing_that_is_there_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().to_str().unwrap();
        let bytes = label(at, &of("one"), None, &Eraser::default()).unwrap();
        assert_eq!(bytes, std::fs::metadata(folder.path().join("one")).unwrap().len());
        assert_eq!(name_in(folder.path(), "one"), "one");
        let again = label(at, &of("one"), None, &Eraser::default());
        assert!(matches!(&again, Err(DiskError::HasLabel { volume, .. }) if volume == "one"), "{again:?}");
        std::fs::write(folder.path().join("letter"), "Dear Sir").unwrap();
        assert!(matches!(label(at, &of("letter"), None, &Eraser::default()), Err(DiskError::WrongVolume { .. })));
        assert_eq!(std::fs::read(folder.path().join("letter")).unwrap(), b"Dear Sir");
        assert!(label(at, &of("../two"), None, &Eraser::default()).is_err());
        // An empty file holds nothing.
        std::fs::write(folder.path().join("empty"), "").unwrap();
        label(at, &of("empty"), None, &Eraser::default()).unwrap();
    }

    #[test]
    fn a_volume_is_labelled_anew_only_under_the_name_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let (at, file) = (folder.path().to_str().unwrap(), |name: &str| folder.path().join(name));
        let bytes = label(at, &of("old"), None, &Eraser::default()).unwrap();
        let grow = || std::fs::OpenOptions::new().append(true).open(file("old")).unwrap();
        std::io::Write::write_all(&mut grow(), b"data of a job").unwrap();
        // The same name: what is on it is gone.
        assert_eq!(label(at, &of("old"), Some("old"), &Eraser::default()).unwrap(), bytes);
        assert_eq!(std::fs::metadata(file("old")).unwrap().len(), bytes);
        // A file that is not what its name says.
        std::fs::copy(file("old"), file("liar")).unwrap();
        assert!(matches!(label(at, &of("new"), Some("liar"), &Eraser::default()), Err(DiskError::WrongVolume { .. })));
        assert!(matches!(label(at, &of("new"), Some("none"), &Eraser::default()), Err(DiskError::Missing(_))));
        assert!(!file("new").exists());
        // A name that is taken.
        label(at, &of("taken"), None, &Eraser::default()).unwrap();
        assert!(matches!(label(at, &of("taken"), Some("old"), &Eraser::default()), Err(DiskError::HasLabel { .. })));
        assert_eq!(name_in(folder.path(), "old"), "old");
        label(at, &of("new"), Some("old"), &Eraser::default()).unwrap();
        assert_eq!(name_in(folder.path(), "new"), "new");
        assert!(!file("old").exists());
    }
}
