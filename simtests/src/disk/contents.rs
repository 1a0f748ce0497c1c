//! What is in a file.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// The bytes of a file. Clones share them, so that a disk, a backup under way and whoever compares later hold them once.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contents(Arc<[u8]>);

impl Default for Contents {
    fn default() -> Self {
        Self::from(&[][..])
    }
}

impl Deref for Contents {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for Contents {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl From<Vec<u8>> for Contents {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl FromIterator<u8> for Contents {
    fn from_iter<T: IntoIterator<Item = u8>>(bytes: T) -> Self {
        Self(bytes.into_iter().collect())
    }
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}
