//! The bytes of a volume to read, wherever it lies: in a file, or in a store of objects.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use towline_core::bulk::work::DiskError;
use towline_core::config::store_address;

use super::blocks::Source;
use super::disk_error;
#[cfg(feature = "object")]
use crate::object::{Stop, source::ObjectSource};

/// Closed at its other end once nobody wants what is asked for.
pub(crate) type GivenUp = Option<Arc<OwnedFd>>;

/// A volume that can be read.
#[derive(Debug)]
pub(crate) enum Stored {
    /// A file.
    File(File),
    /// The parts of a volume in a store.
    #[cfg(feature = "object")]
    Object(Box<ObjectSource>),
}

impl Stored {
    /// Opens a volume by its path: that of a file, or one such as `s3://bucket/prefix/volume`.
    ///
    /// # Errors
    /// It is not there, or cannot be opened.
    pub(crate) fn open(path: &Path, given_up: &GivenUp) -> Result<Self, DiskError> {
        match path.to_str().filter(|text| is_in_store(text)) {
            None => File::open(path).map(Self::File).map_err(|error| disk_error(path, &error)),
            #[cfg(feature = "object")]
            Some(text) => Ok(Self::Object(Box::new(ObjectSource::open(text, Stop::at(given_up.clone()))?))),
            #[cfg(not(feature = "object"))]
            Some(text) => {
                let _unused = given_up;
                Err(not_built(text))
            }
        }
    }

    /// How many bytes there are.
    ///
    /// # Errors
    /// The system does not say.
    #[cfg(feature = "sqlite")]
    pub(crate) fn bytes(&self, path: &Path) -> Result<u64, DiskError> {
        match self {
            Self::File(file) => file.metadata().map(|there| there.len()).map_err(|error| disk_error(path, &error)),
            #[cfg(feature = "object")]
            Self::Object(source) => Ok(source.len()),
        }
    }
}

impl Source for Stored {
    fn read_at(&self, room: &mut [u8], at: u64) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read_at(room, at),
            #[cfg(feature = "object")]
            Self::Object(source) => source.read_at(room, at),
        }
    }
}

/// Whether a path leads into a store of objects.
pub(crate) fn is_in_store(path: &str) -> bool {
    store_address(path).is_some()
}

/// Why a store cannot be used by a program without them.
#[cfg(not(feature = "object"))]
pub(crate) fn not_built(place: &str) -> DiskError {
    DiskError::Store {
        place: place.to_owned(),
        trouble: towline_core::bulk::stores::StoreTrouble::Unusable,
        text: "this program is built without stores of objects".to_owned(),
    }
}
