//! What goes wrong between a storage daemon and the store of objects that holds its volumes.

use crate::error::{Explain, Facts, Fault, Retry};

/// Why a store has not done what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreTrouble {
    /// It does not take the keys, or the keys may not do this.
    Refused,
    /// It has no such bucket.
    NoBucket,
    /// It was not reached, or only failed, for as long as it is tried.
    Away,
    /// It does not hold what it has said it holds.
    NotStored,
    /// Somebody else has written where this daemon was to write next.
    Shared,
    /// Its settings lead to no store.
    Unusable,
}

#[cfg(test)]
impl StoreTrouble {
    pub(super) const ALL: [Self; 6] =
        [Self::Refused, Self::NoBucket, Self::Away, Self::NotStored, Self::Shared, Self::Unusable];
}

impl Explain for StoreTrouble {
    fn facts(&self) -> Facts {
        use Fault::{Config, Network, Peer};
        use Retry::{Backoff, Never};
        match self {
            Self::Refused => {
                (Config, Never, 974, "correct the keys of the device, or let them list, read, write and delete there")
            }
            Self::NoBucket => (Config, Never, 975, "make the bucket, or correct the address in `archive_device`"),
            Self::Away => {
                (Network, Backoff, 976, "see that the store runs and is reached from here, or raise `retry_for`")
            }
            Self::NotStored => (Peer, Never, 977, "look into the store's own log, and verify the jobs on this volume"),
            Self::Shared => (Config, Never, 978, "give each storage daemon a prefix of its own in the bucket"),
            Self::Unusable => (Config, Never, 979, "correct the settings of the device's store"),
        }
        .into()
    }
}

impl std::fmt::Display for StoreTrouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Refused => "the store refuses",
            Self::NoBucket => "the store has no such bucket",
            Self::Away => "the store is away",
            Self::NotStored => "the store does not hold what it has taken",
            Self::Shared => "somebody else writes to the volume",
            Self::Unusable => "the store cannot be used",
        })
    }
}
