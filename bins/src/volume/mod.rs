//! Volumes on the disk: one regular file each, nothing but blocks (`wire/3 §5`).

pub(crate) mod blocks;
pub(crate) mod bootstraps;
pub mod erase;
pub mod labelling;
pub mod reader;
pub mod spool;
pub(crate) mod stored;
#[cfg(test)]
mod tests;
pub mod writer;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use towline_core::bulk::work::DiskError;

/// Where a volume lies.
///
/// # Errors
/// The name would leave the folder: it comes from another daemon.
pub fn volume_path(folder: &str, name: &str) -> Result<PathBuf, DiskError> {
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
        return Err(DiskError::Other { path: folder.to_owned(), text: format!("{name:?} is no name for a volume") });
    }
    Ok(Path::new(folder).join(name))
}

/// What the system said about a path, as the core's own error.
pub fn disk_error(path: &Path, error: &std::io::Error) -> DiskError {
    // A store says more than the system has numbers for.
    if let Some(known) = error.get_ref().and_then(|inner| inner.downcast_ref::<DiskError>()) {
        return known.clone();
    }
    let path = path.display().to_string();
    match error.kind() {
        ErrorKind::NotFound => DiskError::Missing(path),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => DiskError::Denied(path),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => DiskError::Full(path),
        _ => DiskError::Other { path, text: error.to_string() },
    }
}
