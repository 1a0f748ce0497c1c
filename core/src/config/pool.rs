//! Pools: groups of volumes with the same rules.

use serde::{Deserialize, Serialize};

use super::resource::resources;
use super::units::{Bytes, Seconds};

/// What the volumes of a pool are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolKind {
    /// Jobs write to them.
    Backup,
    /// New volumes wait here for a pool that needs one. Not supported yet.
    Scratch,
}

resources! {
    /// A group of volumes.
    Pool {
        /// Name of the pool.
        name: String,
        /// A note for people.
        description: Option<String> = None,
        /// Start of the names of new volumes; four digits are appended. Or the whole of them with variables, as
        /// `Full-${Year}-${NumVols:p/3/0/r}`: [`VARIABLES`](super::VARIABLES), counters, and what
        /// [`naming`](crate::naming) does with them. Variables of the environment, indexes and loops are refused. `None`: volumes
        /// are labelled by hand.
        label_format: Option<String> = None,
        /// Volumes the pool may hold; 0: no limit.
        maximum_volumes: u32 = 0,
        /// Bytes after which a volume is full; 0: no limit.
        maximum_volume_bytes: Bytes = Bytes(0),
        /// Jobs after which a volume is used; 0: no limit.
        maximum_volume_jobs: u32 = 0,
        /// Time after the first write after which a volume is used; 0: no limit.
        volume_use_duration: Seconds = Seconds::secs(0),
        /// How long a volume that is full or used keeps its jobs.
        volume_retention: Seconds = Seconds::days(365),
        /// Whether a purged volume may be overwritten.
        recycle: bool = true,
        /// Whether volumes that are full or used and kept long enough lose their jobs when a volume is needed, the oldest
        /// first, so that they can be used again. The last full backup of a client and fileset stays, with what builds on it.
        /// (In Bareos it goes.)
        auto_prune: bool = true,
        /// With `auto_prune: false`: whether the oldest volume, and no other, does so. With `auto_prune: true` it does anyway.
        recycle_oldest_volume: bool = false,
        /// Pool that copies and migrations of jobs in this pool are written to.
        next_pool: Option<String> = None,
        /// Storage that backups, copies and migrations to this pool are written to, whatever their jobs say.
        storage: Option<String> = None,
        /// Catalog that the pool is in, and that jobs with it are recorded in; `None`: it is in all of them.
        catalog: Option<String> = None,
        /// How old jobs are that the selection `pool_time` takes; 0: all.
        migration_time: Seconds = Seconds::secs(0),
        /// Bytes in the pool from which on the selection `pool_occupancy` takes jobs; 0: it takes none.
        migration_high_bytes: Bytes = Bytes(0),
        /// Bytes that it leaves in the pool.
        migration_low_bytes: Bytes = Bytes(0),
        /// What the volumes are for.
        kind: PoolKind = PoolKind::Backup,
    }
}
