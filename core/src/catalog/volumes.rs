//! Which volume a job may write: choice, expiry, recycling and what a storage daemon's report changes.
//!
//! All functions are pure: rows in, changed rows out. The caller stores what comes back and, when the catalog answers
//! that a row has changed meanwhile, asks again with the new row.

use super::{MediaRow, PoolRow, VolStatus};
use crate::config;
use crate::naming::has_variables;
use crate::wire::catalog::MediaUpdate;

/// What a job needs.
#[derive(Clone, Copy, Debug)]
pub struct Need<'a> {
    /// The pool to write to.
    pub pool: &'a PoolRow,
    /// The media type of the director's own storage resource (`wire/3 §2.3`).
    pub media_type: &'a str,
    /// The storage's id if it is an autochanger: volumes in it come first.
    pub changer: Option<u32>,
    /// The position asked for, from 1.
    pub index: u32,
    /// Volumes the storage daemon cannot take now.
    pub unwanted: &'a [String],
    /// Which volumes may lose their jobs to be used again.
    pub prunes: Prunes,
    /// The present, in seconds since 1970.
    pub now: i64,
}

/// Which full or used volumes, kept long enough, may be pruned when a volume is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prunes {
    /// All, the oldest first (`auto_prune`).
    All,
    /// The oldest of the pool and no other (`recycle_oldest_volume` without `auto_prune`).
    Oldest,
    /// None.
    Nothing,
}

impl Prunes {
    /// What the settings of a pool come to. An unknown pool prunes nothing.
    #[must_use]
    pub fn of(pool: Option<&config::Pool>) -> Self {
        match pool {
            Some(pool) if pool.auto_prune => Self::All,
            Some(pool) if pool.recycle_oldest_volume => Self::Oldest,
            _ => Self::Nothing,
        }
    }
}

/// What there is to choose from.
#[derive(Clone, Copy, Debug)]
pub struct Stock<'a> {
    /// The volumes of the pool.
    pub volumes: &'a [MediaRow],
    /// The volumes of its scratch pool.
    pub scratch: &'a [MediaRow],
    /// The volumes that have been pruned without success in this search.
    pub pruned: &'a [u32],
    /// The highest MediaId ever given.
    pub max_media_id: u32,
    /// How many names were found taken when volumes were created in this search.
    pub collisions: u32,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Offer this volume.
    Use(Box<MediaRow>),
    /// Store this row, then offer it.
    StoreAndUse(Box<MediaRow>),
    /// Store this row, whose time is over, then choose again.
    StoreAndRetry(Box<MediaRow>),
    /// Prune this volume's jobs, then choose again; if it is not purged, with its id in `pruned`.
    Prune {
        /// The volume.
        media_id: u32,
        /// Jobs that ended before this time may go.
        before: i64,
    },
    /// Create this volume, then offer it; if its name is taken, choose again with one more collision.
    Create(Box<MediaRow>),
    /// The same, once this volume has a name: `label_format` has variables.
    Name(Box<MediaRow>),
    /// There is none.
    Nothing,
}

/// Chooses a volume to append to, in the order of `wire/3 §7.6`: appendable, unlabelled, to be recycled, purged, pruned,
/// from the scratch pool, new.
#[must_use]
pub fn choose(need: &Need<'_>, stock: &Stock<'_>) -> Choice {
    let usable: Vec<&MediaRow> = stock
        .volumes
        .iter()
        .filter(|v| v.pool_id == need.pool.pool_id && v.media_type == need.media_type && v.enabled)
        .filter(|v| !need.unwanted.contains(&v.volume_name))
        .collect();
    if let Some(over) = usable.iter().find_map(|v| expired(v, need.now)) {
        return Choice::StoreAndRetry(Box::new(over));
    }
    if let Some(storage) = need.changer {
        let inside: Vec<&MediaRow> =
            usable.iter().copied().filter(|v| v.in_changer && v.storage_id == storage).collect();
        if let Some(volume) = ready(need, &inside) {
            return Choice::Use(Box::new(volume.clone()));
        }
    }
    if let Some(volume) = ready(need, &usable) {
        return Choice::Use(Box::new(volume.clone()));
    }
    let oldest = |wanted: &dyn Fn(&MediaRow) -> bool| {
        usable.iter().copied().filter(|v| v.recycle && wanted(v)).min_by_key(|v| (v.last_written, v.media_id))
    };
    if let Some(volume) = oldest(&|v| v.vol_status == VolStatus::Purged) {
        return Choice::StoreAndUse(Box::new(recycled(volume)));
    }
    let is_over = |v: &MediaRow| matches!(v.vol_status, VolStatus::Full | VolStatus::Used);
    let may_go = |v: &MediaRow| prunable(v, need.now) && !stock.pruned.contains(&v.media_id);
    let prune = match need.prunes {
        Prunes::All => oldest(&may_go),
        Prunes::Oldest => oldest(&is_over).filter(|v| may_go(v)),
        Prunes::Nothing => None,
    };
    if let Some(volume) = prune {
        return Choice::Prune { media_id: volume.media_id, before: prune_before(volume, need.now) };
    }
    if let Some(volume) = from_scratch(need, stock.scratch) {
        return Choice::StoreAndUse(Box::new(volume));
    }
    match new_volume(need, stock) {
        Some(volume) if volume.volume_name.is_empty() => Choice::Name(Box::new(volume)),
        Some(volume) => Choice::Create(Box::new(volume)),
        None => Choice::Nothing,
    }
}

/// The volume with its state changed, if its time or its room is over: only a volume that is appended to and has a job.
#[must_use]
pub fn expired(volume: &MediaRow, now: i64) -> Option<MediaRow> {
    if volume.vol_status != VolStatus::Append || volume.vol_jobs == 0 {
        return None;
    }
    let reached = |limit: u64, value: u64| limit > 0 && limit <= value;
    let age = u64::try_from(now.saturating_sub(volume.first_written)).unwrap_or(0);
    let vol_status = if reached(volume.max_vol_bytes, volume.vol_bytes) {
        VolStatus::Full
    } else if reached(volume.max_vol_jobs.into(), volume.vol_jobs.into())
        || reached(volume.max_vol_files.into(), volume.vol_files.into())
        || (volume.first_written > 0 && reached(volume.vol_use_duration, age))
    {
        VolStatus::Used
    } else {
        return None;
    };
    Some(MediaRow { vol_status, ..volume.clone() })
}

/// The volume as it is when it may be written from its beginning again: the storage daemon truncates it.
#[must_use]
pub fn recycled(volume: &MediaRow) -> MediaRow {
    MediaRow {
        vol_status: VolStatus::Recycle,
        vol_jobs: 0,
        vol_files: 0,
        vol_blocks: 0,
        vol_errors: 0,
        vol_bytes: 1,
        first_written: 0,
        last_written: 0,
        recycle_count: volume.recycle_count.saturating_add(1),
        ..volume.clone()
    }
}

/// Why a volume is refused, in the words of `wire/3 §2.3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is switched off.
    NotEnabled,
    /// It belongs to another pool.
    NotInPool,
    /// It is of another media type.
    WrongMediaType,
    /// Its time or room is over.
    Expired,
    /// It is full, read only or otherwise not for writing.
    NotWritable,
    /// It is full or used up, and kept for a time that is not over.
    RetentionNotOver,
}

impl Refusal {
    /// The words after the volume's state in a `1998` answer.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotEnabled => "is not Enabled",
            Self::NotInPool => "not in Pool",
            Self::WrongMediaType => "not correct MediaType",
            Self::Expired => "volume has expired",
            Self::NotWritable => "not for writing",
            Self::RetentionNotOver => "but retention period is not over",
        }
    }
}

/// Whether a volume that a storage daemon names may be read: it must be enabled.
///
/// # Errors
/// [`Refusal::NotEnabled`].
pub const fn may_read(volume: &MediaRow) -> Result<(), Refusal> {
    if volume.enabled { Ok(()) } else { Err(Refusal::NotEnabled) }
}

/// Whether a volume that a storage daemon names may be written, and what comes first: `Use`, `StoreAndUse`, or `Prune`
/// (then ask again). `recycle_current` is the pool's RecycleCurrentVolume; `pruned` holds what was pruned without success.
///
/// # Errors
/// The reason for which it may not.
pub fn may_write(need: &Need<'_>, volume: &MediaRow, recycle_current: bool, pruned: &[u32]) -> Result<Choice, Refusal> {
    if !volume.enabled {
        return Err(Refusal::NotEnabled);
    }
    if volume.pool_id != need.pool.pool_id {
        return Err(Refusal::NotInPool);
    }
    if volume.media_type != need.media_type {
        return Err(Refusal::WrongMediaType);
    }
    if expired(volume, need.now).is_some() {
        return Err(Refusal::Expired);
    }
    match volume.vol_status {
        VolStatus::Append | VolStatus::Unlabeled | VolStatus::Recycle => Ok(Choice::Use(Box::new(volume.clone()))),
        VolStatus::Purged => Ok(Choice::StoreAndUse(Box::new(recycled(volume)))),
        VolStatus::Full | VolStatus::Used if recycle_current && volume.recycle && need.prunes == Prunes::All => {
            if prunable(volume, need.now) && !pruned.contains(&volume.media_id) {
                Ok(Choice::Prune { media_id: volume.media_id, before: prune_before(volume, need.now) })
            } else {
                Err(Refusal::RetentionNotOver)
            }
        }
        _ => Err(Refusal::NotWritable),
    }
}

/// A row after a report, and what is odd about the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Updated {
    /// The row to store and to answer with.
    pub row: MediaRow,
    /// Sentences for the log of the job.
    pub notes: Vec<String>,
}

/// Takes over a storage daemon's report by the rules of `wire/3 §2.3` and checks whether the volume's time is over.
/// `job_start` is when the job began, `storage_id` the storage it writes to (0 if it only reads), `now` the present.
#[must_use]
pub fn apply_report(volume: &MediaRow, report: &MediaUpdate, job_start: i64, storage_id: u32, now: i64) -> Updated {
    let mut row = volume.clone();
    let mut notes = Vec::new();
    if row.first_written == 0 {
        row.first_written = if report.first_written != 0 { report.first_written } else { job_start };
    }
    if report.relabel || row.label_date == 0 {
        row.label_date = job_start;
        row.initial_write = job_start;
        (row.vol_files, row.vol_blocks, row.vol_bytes) = (report.files, report.blocks, report.bytes);
    } else {
        take_positions(&mut row, report, &mut notes);
    }
    if row.vol_blocks != volume.vol_blocks {
        row.last_written = report.end_time;
    }
    if report.writes > volume.vol_writes && storage_id != 0 {
        row.storage_id = storage_id;
    }
    row.vol_jobs = report.jobs;
    row.vol_mounts = report.mounts;
    row.vol_errors = report.errors;
    row.vol_writes = report.writes;
    row.slot = report.slot;
    row.in_changer = report.in_changer;
    row.vol_read_time = report.read_time;
    row.vol_write_time = report.write_time;
    match VolStatus::parse(&report.status) {
        Some(status) => row.vol_status = status,
        None => notes.push(format!(
            "the storage daemon reports an unknown state of volume \"{}\"; it stays {}",
            row.volume_name,
            row.vol_status.as_str()
        )),
    }
    if let Some(over) = expired(&row, now) {
        notes.push(format!(
            "volume \"{}\" has reached a limit of its pool and is now {}",
            over.volume_name,
            over.vol_status.as_str()
        ));
        row = over;
    }
    Updated { row, notes }
}

/// The name of a new volume: the pool's LabelFormat and a number of four or more digits.
#[must_use]
pub fn volume_name(label_format: &str, number: u32) -> String {
    format!("{label_format}{number:04}")
}

/// A row for a volume that an operator has labelled: its label has so many bytes, and jobs may append to it.
#[must_use]
pub fn hand_labelled(new: MediaRow, pool: &PoolRow, bytes: u64, now: i64) -> MediaRow {
    let row = MediaRow { label_type: pool.label_type, ..with_limits(new, pool) };
    relabelled(&row, bytes, now)
}

/// A volume that was labelled anew: nothing of what was on it is left.
#[must_use]
pub fn relabelled(volume: &MediaRow, bytes: u64, now: i64) -> MediaRow {
    MediaRow {
        vol_status: VolStatus::Append,
        vol_bytes: bytes,
        vol_blocks: 1,
        vol_writes: volume.vol_writes.saturating_add(1),
        vol_jobs: 0,
        vol_files: 0,
        vol_errors: 0,
        first_written: 0,
        last_written: 0,
        label_date: now,
        in_changer: volume.slot > 0,
        ..volume.clone()
    }
}

/// Whether a volume may have this name: letters, digits and `:.-_/`, at most 127 of them, and no `/` at the beginning
/// (`wire/3 §1.4.1`).
#[must_use]
pub fn is_volume_name(name: &str) -> bool {
    let is_good = |c: char| c.is_ascii_alphanumeric() || ":.-_/".contains(c);
    (1..=config::MAX_NAME).contains(&name.len()) && !name.starts_with('/') && name.chars().all(is_good)
}

/// Whether a volume may be pruned to be used again: full or used up, to be recycled, and kept long enough.
#[must_use]
pub fn prunable(volume: &MediaRow, now: i64) -> bool {
    matches!(volume.vol_status, VolStatus::Full | VolStatus::Used)
        && volume.recycle
        && volume.last_written <= prune_before(volume, now)
}

fn prune_before(volume: &MediaRow, now: i64) -> i64 {
    now.saturating_sub_unsigned(volume.vol_retention)
}

/// Positions only grow: what shrinks is a mistake of the peer, and believing it would hide data already written.
fn take_positions(row: &mut MediaRow, report: &MediaUpdate, notes: &mut Vec<String>) {
    let mut kept = |what: &str, old: u64, new: u64| {
        notes.push(format!(
            "the storage daemon reports fewer {what} on volume \"{}\" than the catalog has: {new} instead of {old}; the catalog stays",
            row.volume_name
        ));
    };
    if report.files < row.vol_files {
        kept("files", row.vol_files.into(), report.files.into());
    } else if report.files == row.vol_files && report.blocks < row.vol_blocks {
        kept("blocks", row.vol_blocks.into(), report.blocks.into());
    } else {
        (row.vol_files, row.vol_blocks) = (report.files, report.blocks);
    }
    if report.bytes < row.vol_bytes {
        notes.push(format!(
            "the storage daemon reports fewer bytes on volume \"{}\" than the catalog has: {} instead of {}; the catalog stays",
            row.volume_name, report.bytes, row.vol_bytes
        ));
    } else {
        row.vol_bytes = report.bytes;
    }
}

/// The volumes that can be offered as they are: appendable, then unlabelled, then to be recycled.
fn ready<'a>(need: &Need<'_>, usable: &[&'a MediaRow]) -> Option<&'a MediaRow> {
    // The storage daemon raises the index with every name it adds to the unwanted ones, and those are left out already.
    let unwanted = u32::try_from(need.unwanted.len()).unwrap_or(u32::MAX);
    let skip = need.index.saturating_sub(1).saturating_sub(unwanted) as usize;
    let in_order = |wanted: &dyn Fn(&MediaRow) -> bool, key: &dyn Fn(&MediaRow) -> i64| {
        let mut found: Vec<&MediaRow> = usable.iter().copied().filter(|v| wanted(v)).collect();
        found.sort_by_key(|v| (key(v), v.media_id));
        found.get(skip).copied()
    };
    in_order(&|v| v.vol_status == VolStatus::Append, &|v| v.last_written.saturating_neg())
        .or_else(|| in_order(&|v| v.vol_status == VolStatus::Unlabeled, &|_| 0))
        .or_else(|| in_order(&|v| v.vol_status == VolStatus::Recycle && v.recycle, &|v| v.last_written))
}

fn from_scratch(need: &Need<'_>, scratch: &[MediaRow]) -> Option<MediaRow> {
    let volume = scratch
        .iter()
        .filter(|v| v.enabled && v.media_type == need.media_type && !need.unwanted.contains(&v.volume_name))
        .filter(|v| {
            matches!(
                v.vol_status,
                VolStatus::Append | VolStatus::Unlabeled | VolStatus::Recycle | VolStatus::Purged | VolStatus::Scratch
            )
        })
        .min_by_key(|v| (v.last_written, v.media_id))?;
    let mut taken = with_limits(volume.clone(), need.pool);
    taken.scratch_pool_id = volume.pool_id;
    Some(match taken.vol_status {
        VolStatus::Purged => recycled(&taken),
        VolStatus::Scratch => MediaRow { vol_status: VolStatus::Unlabeled, ..taken },
        _ => taken,
    })
}

fn new_volume(need: &Need<'_>, stock: &Stock<'_>) -> Option<MediaRow> {
    let format = need.pool.label_format.as_deref().filter(|f| !f.is_empty() && *f != "*")?;
    let present = stock.volumes.iter().filter(|v| v.pool_id == need.pool.pool_id).count();
    if need.pool.max_vols > 0 && present >= need.pool.max_vols as usize {
        return None;
    }
    let number = stock.max_media_id.checked_add(1)?.checked_add(stock.collisions)?;
    let new = MediaRow {
        volume_name: if has_variables(format) { String::new() } else { volume_name(format, number) },
        media_type: need.media_type.to_owned(),
        label_type: need.pool.label_type,
        ..Default::default()
    };
    Some(with_limits(new, need.pool))
}

/// A volume of this name that a pool is to have; the storage daemon labels it when it is first written.
#[must_use]
pub fn announced(name: &str, media_type: &str, pool: &PoolRow) -> MediaRow {
    let new = MediaRow {
        volume_name: name.to_owned(),
        media_type: media_type.to_owned(),
        label_type: pool.label_type,
        ..Default::default()
    };
    with_limits(new, pool)
}

/// What a catalog keeps of a pool of the configuration; it has no number yet.
#[must_use]
pub fn pool_row(pool: &config::Pool) -> PoolRow {
    PoolRow {
        name: pool.name.clone(),
        max_vols: pool.maximum_volumes,
        use_catalog: true,
        vol_retention: pool.volume_retention.0,
        vol_use_duration: pool.volume_use_duration.0,
        max_vol_jobs: pool.maximum_volume_jobs,
        max_vol_bytes: pool.maximum_volume_bytes.0,
        auto_prune: pool.auto_prune,
        recycle: pool.recycle,
        pool_type: "Backup".to_owned(),
        label_format: pool.label_format.clone(),
        ..PoolRow::default()
    }
}

/// A volume of a pool, with what the pool says of its volumes.
#[must_use]
pub fn with_limits(volume: MediaRow, pool: &PoolRow) -> MediaRow {
    MediaRow {
        pool_id: pool.pool_id,
        pool: pool.name.clone(),
        recycle: pool.recycle,
        action_on_purge: pool.action_on_purge,
        vol_retention: pool.vol_retention,
        vol_use_duration: pool.vol_use_duration,
        max_vol_jobs: pool.max_vol_jobs,
        max_vol_files: pool.max_vol_files,
        max_vol_bytes: pool.max_vol_bytes,
        min_block_size: pool.min_block_size,
        max_block_size: pool.max_block_size,
        scratch_pool_id: pool.scratch_pool_id,
        recycle_pool_id: pool.recycle_pool_id,
        ..volume
    }
}

#[cfg(test)]
mod tests;
