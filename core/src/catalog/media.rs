//! Rows of volumes and of the pieces of jobs on them.

use crate::wire::catalog::{JobMedia, VolumeInfo};

/// The state of a volume, `wire/3 §7.1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VolStatus {
    /// Known by name only; the storage daemon labels it.
    #[default]
    Unlabeled,
    /// May be written at its end.
    Append,
    /// Its capacity or a limit in bytes is reached.
    Full,
    /// Another limit is reached.
    Used,
    /// Will be written from its beginning.
    Recycle,
    /// Holds no job any more.
    Purged,
    /// Kept for ever.
    Archive,
    /// Read only.
    ReadOnly,
    /// Switched off.
    Disabled,
    /// The storage daemon found a contradiction in it.
    Error,
    /// In use.
    Busy,
    /// A cleaning cartridge.
    Cleaning,
    /// Waits in a scratch pool.
    Scratch,
}

impl VolStatus {
    const ALL: [(Self, &'static str); 13] = [
        (Self::Unlabeled, "Unlabeled"),
        (Self::Append, "Append"),
        (Self::Full, "Full"),
        (Self::Used, "Used"),
        (Self::Recycle, "Recycle"),
        (Self::Purged, "Purged"),
        (Self::Archive, "Archive"),
        (Self::ReadOnly, "Read-Only"),
        (Self::Disabled, "Disabled"),
        (Self::Error, "Error"),
        (Self::Busy, "Busy"),
        (Self::Cleaning, "Cleaning"),
        (Self::Scratch, "Scratch"),
    ];

    /// The word on the wire and in the catalog; it never contains a blank.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(status, _)| *status == self).map_or("Error", |(_, word)| word)
    }

    /// The state a word means.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, w)| *w == word).map(|(status, _)| *status)
    }
}

/// A volume. Limits of 0 are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaRow {
    /// MediaId.
    pub media_id: u32,
    /// Counts the changes of this row; what [`super::CatalogRequest::UpdateMedia`] compares.
    pub revision: u32,
    /// VolumeName, unique.
    pub volume_name: String,
    /// Slot in a changer, 0 for none.
    pub slot: i32,
    /// The pool.
    pub pool_id: u32,
    /// Its name; filled in when read, ignored when written.
    pub pool: String,
    /// The media type.
    pub media_type: String,
    /// Kind of label, 0 for Bareos's own.
    pub label_type: u32,
    /// When the first job was written to it.
    pub first_written: i64,
    /// When it was last written.
    pub last_written: i64,
    /// When it was labelled.
    pub label_date: i64,
    /// When it was first of all written.
    pub initial_write: i64,
    /// Number of jobs.
    pub vol_jobs: u32,
    /// Number of files: of 4 GiB each, on disk.
    pub vol_files: u32,
    /// Number of blocks.
    pub vol_blocks: u32,
    /// Number of mounts.
    pub vol_mounts: u32,
    /// Bytes, the size of its file.
    pub vol_bytes: u64,
    /// Number of errors.
    pub vol_errors: u32,
    /// Number of writes.
    pub vol_writes: u32,
    /// Capacity in bytes, 0 if unknown.
    pub vol_capacity_bytes: u64,
    /// Its state.
    pub vol_status: VolStatus,
    /// Whether it may be used.
    pub enabled: bool,
    /// Whether it may be used again.
    pub recycle: bool,
    /// What the storage daemon does with it when purged, bits.
    pub action_on_purge: u32,
    /// How long it is kept after its last use, in seconds.
    pub vol_retention: u64,
    /// How long it may be written after its first use, in seconds.
    pub vol_use_duration: u64,
    /// At most so many jobs.
    pub max_vol_jobs: u32,
    /// At most so many files.
    pub max_vol_files: u32,
    /// At most so many bytes.
    pub max_vol_bytes: u64,
    /// Whether it is in the changer.
    pub in_changer: bool,
    /// The storage that wrote it last, 0 if none.
    pub storage_id: u32,
    /// Its name; filled in when read, ignored when written.
    pub storage: String,
    /// Time spent in reads, in microseconds.
    pub vol_read_time: u64,
    /// Time spent in writes, in microseconds.
    pub vol_write_time: u64,
    /// Where the last piece ended: upper half of the address.
    pub end_file: u32,
    /// Where the last piece ended: lower half of the address.
    pub end_block: u32,
    /// How often it was used again.
    pub recycle_count: u32,
    /// Smallest block in bytes, 0 for the device's.
    pub min_block_size: u32,
    /// Largest block in bytes, 0 for the device's.
    pub max_block_size: u32,
    /// Where it came from, 0 for nowhere.
    pub scratch_pool_id: u32,
    /// Where it goes when recycled, 0 for its own pool.
    pub recycle_pool_id: u32,
    /// What the operator wrote.
    pub comment: String,
}

impl Default for MediaRow {
    /// A volume that is enabled and otherwise empty.
    fn default() -> Self {
        Self {
            media_id: 0,
            revision: 0,
            volume_name: String::new(),
            slot: 0,
            pool_id: 0,
            pool: String::new(),
            media_type: String::new(),
            label_type: 0,
            first_written: 0,
            last_written: 0,
            label_date: 0,
            initial_write: 0,
            vol_jobs: 0,
            vol_files: 0,
            vol_blocks: 0,
            vol_mounts: 0,
            vol_bytes: 0,
            vol_errors: 0,
            vol_writes: 0,
            vol_capacity_bytes: 0,
            vol_status: VolStatus::Unlabeled,
            enabled: true,
            recycle: false,
            action_on_purge: 0,
            vol_retention: 0,
            vol_use_duration: 0,
            max_vol_jobs: 0,
            max_vol_files: 0,
            max_vol_bytes: 0,
            in_changer: false,
            storage_id: 0,
            storage: String::new(),
            vol_read_time: 0,
            vol_write_time: 0,
            end_file: 0,
            end_block: 0,
            recycle_count: 0,
            min_block_size: 0,
            max_block_size: 0,
            scratch_pool_id: 0,
            recycle_pool_id: 0,
            comment: String::new(),
        }
    }
}

impl MediaRow {
    /// What a storage daemon is told of it, `wire/3 §2.2`.
    #[must_use]
    pub fn info(&self) -> VolumeInfo {
        VolumeInfo {
            volume: self.volume_name.clone(),
            jobs: self.vol_jobs,
            files: self.vol_files,
            blocks: self.vol_blocks,
            bytes: self.vol_bytes,
            mounts: self.vol_mounts,
            errors: self.vol_errors,
            writes: self.vol_writes,
            max_bytes: self.max_vol_bytes,
            capacity: self.vol_capacity_bytes,
            status: self.vol_status.as_str().to_owned(),
            slot: self.slot,
            max_jobs: self.max_vol_jobs,
            max_files: self.max_vol_files,
            in_changer: self.in_changer,
            read_time: self.vol_read_time,
            write_time: self.vol_write_time,
            end_file: self.end_file,
            end_block: self.end_block,
            label_type: i32::try_from(self.label_type).unwrap_or(0),
            media_id: self.media_id.into(),
            encryption_key: String::new(),
            min_block: self.min_block_size,
            max_block: self.max_block_size,
        }
    }
}

/// A piece of a job on a volume, `wire/3 §5.7`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobMediaRow {
    /// The job.
    pub job_id: u32,
    /// The volume.
    pub media_id: u32,
    /// Lowest FileIndex, 0 in a place-holder.
    pub first_index: u32,
    /// Highest FileIndex, 0 in a place-holder.
    pub last_index: u32,
    /// Upper half of the address of the first byte.
    pub start_file: u32,
    /// Upper half of the address of the last byte.
    pub end_file: u32,
    /// Lower half of the address of the first byte.
    pub start_block: u32,
    /// Lower half of the address of the last byte.
    pub end_block: u32,
}

impl JobMediaRow {
    /// What a storage daemon reports for a job. `None` if there can be no such volume.
    #[must_use]
    pub fn of_report(job_id: u32, report: &JobMedia) -> Option<Self> {
        Some(Self {
            job_id,
            media_id: u32::try_from(report.media_id).ok()?,
            first_index: report.first_index,
            last_index: report.last_index,
            start_file: report.start_file,
            end_file: report.end_file,
            start_block: report.start_block,
            end_block: report.end_block,
        })
    }

    /// The address of the first byte.
    #[must_use]
    pub fn start(&self) -> u64 {
        (u64::from(self.start_file) << 32) | u64::from(self.start_block)
    }

    /// The address of the last byte, inclusive.
    #[must_use]
    pub fn end(&self) -> u64 {
        (u64::from(self.end_file) << 32) | u64::from(self.end_block)
    }
}

/// A piece of a job with what a restore must know of its volume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobMediaPiece {
    /// The piece.
    pub piece: JobMediaRow,
    /// Order among the pieces of the job.
    pub vol_index: u32,
    /// The volume's name.
    pub volume_name: String,
    /// Its media type.
    pub media_type: String,
    /// Its slot, 0 for none.
    pub slot: i32,
    /// Whether it may be used.
    pub enabled: bool,
    /// The storage that wrote it, empty if unknown.
    pub storage: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_volume_state_has_one_word_without_blanks() {
        for (status, word) in VolStatus::ALL {
            assert_eq!((status.as_str(), VolStatus::parse(word)), (word, Some(status)));
            assert!(!word.contains(' ') && word.len() <= 10, "{word}");
        }
    }

    #[test]
    fn addresses_join_file_and_block() {
        let row = JobMediaRow { start_file: 1, start_block: 2, end_file: 3, end_block: u32::MAX, ..Default::default() };
        assert_eq!((row.start(), row.end()), ((1 << 32) | 2, (4 << 32) - 1));
    }

    #[test]
    fn a_storage_daemon_is_told_the_row_and_its_report_becomes_one() {
        let row = MediaRow {
            media_id: 5,
            volume_name: "Full 1".into(),
            vol_jobs: 6,
            vol_bytes: 7,
            max_vol_bytes: 8,
            vol_status: VolStatus::ReadOnly,
            slot: 9,
            end_block: 10,
            max_block_size: 11,
            ..Default::default()
        };
        let line = row.info().to_line();
        for part in [
            "VolName=Full\x011 ",
            "VolJobs=6 ",
            "VolBytes=7 ",
            "MaxVolBytes=8 ",
            "VolStatus=Read-Only ",
            "Slot=9 ",
            "EndBlock=10 ",
            "MediaId=5 ",
            "MaxBlocksize=11\n",
        ] {
            assert!(line.contains(part), "{part} in {line}");
        }
        let report =
            JobMedia { first_index: 1, last_index: 2, start_block: 3, end_block: 4, media_id: 5, ..Default::default() };
        let expected = JobMediaRow {
            job_id: 77,
            media_id: 5,
            first_index: 1,
            last_index: 2,
            start_block: 3,
            end_block: 4,
            ..Default::default()
        };
        assert_eq!(JobMediaRow::of_report(77, &report), Some(expected));
        assert_eq!(JobMediaRow::of_report(77, &JobMedia { media_id: 1 << 32, ..report }), None);
    }
}
