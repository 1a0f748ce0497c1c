//! From *restore this client* to a bootstrap: which jobs, and where on which volumes their files lie (`wire/3 §7.7`).

use super::{IndexRange, JobMediaPiece, JobRow, RestoreFiles};
use crate::error::{Explain, Facts, Fault, Retry};
use crate::wire::bsr::{Bootstrap, Section};
use std::collections::{BTreeMap, BTreeSet};

/// The highest FileIndex: the end of *all files*.
pub const MAX_FILE_INDEX: u32 = i32::MAX as u32;

/// Why nothing can be restored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectionError {
    /// The client has no Full backup that ended well.
    #[error("there is no good full backup to restore from")]
    NoFull,
    /// Several filesets could be meant.
    #[error("the client has backups of several filesets: {}", .0.join(", "))]
    SeveralFileSets(Vec<String>),
    /// A volume is switched off.
    #[error("volume \"{volume}\" holds a part of job {job_id} and is disabled")]
    VolumeDisabled {
        /// The volume.
        volume: String,
        /// The job.
        job_id: u32,
    },
    /// The catalog does not know where files lie.
    #[error("the catalog does not know on which volume the files of job {job_id} lie")]
    NoVolume {
        /// The job.
        job_id: u32,
    },
}

impl Explain for SelectionError {
    fn facts(&self) -> Facts {
        use Fault::{Config, Local};
        use Retry::Never;
        match self {
            Self::NoFull => {
                (Config, Never, 710, "check the client's name and the date; list its jobs to see which ended well")
            }
            Self::SeveralFileSets(_) => (Config, Never, 711, "name one of the filesets"),
            Self::VolumeDisabled { .. } => {
                (Config, Never, 712, "enable the volume, or restore to a date before the job that needs it")
            }
            Self::NoVolume { .. } => {
                (Local, Never, 713, "read the volumes again into the catalog, or restore an older backup")
            }
        }
        .into()
    }
}

/// Chooses from the answer to [`super::CatalogRequest::JobsForRestore`]: the newest Full, the newest Differential
/// after it, all Incrementals after both, in the order of their [places](JobRow::place).
///
/// # Errors
/// [`SelectionError::NoFull`]; [`SelectionError::SeveralFileSets`] if none was named and there is more than one.
pub fn choose_jobs(candidates: &[JobRow], file_set: Option<&str>) -> Result<Vec<JobRow>, SelectionError> {
    let of_set = |job: &&JobRow| file_set.is_none_or(|name| job.file_set == name);
    let sets: BTreeSet<&str> =
        candidates.iter().filter(of_set).filter(|j| j.level == b'F').map(|j| j.file_set.as_str()).collect();
    if sets.len() > 1 {
        return Err(SelectionError::SeveralFileSets(sets.into_iter().map(str::to_owned).collect()));
    }
    let only = sets.first().copied().ok_or(SelectionError::NoFull)?;
    let of = |level: u8| candidates.iter().filter(move |job| job.file_set == only && job.level == level);
    let full = of(b'F').max_by_key(|job| (job.place(), job.job_id)).ok_or(SelectionError::NoFull)?;
    let differential = of(b'D').filter(|job| job.place() > full.place()).max_by_key(|job| (job.place(), job.job_id));
    let since = differential.unwrap_or(full).place();
    let incrementals = of(b'I').filter(|job| job.place() > since);
    let mut jobs: Vec<JobRow> = std::iter::once(full).chain(differential).chain(incrementals).cloned().collect();
    jobs.sort_by_key(|job| (job.place(), job.job_id));
    Ok(jobs)
}

/// What a storage daemon is told to read, and what will come of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestorePlan {
    /// One section for each piece, in order of jobs and of pieces.
    pub bootstrap: Bootstrap,
    /// The number of files that will come.
    pub files: u64,
}

/// Joins what to restore with where it lies. `jobs` gives the order; files and pieces may come in any order of jobs, but
/// pieces of one job in that of the catalog's answer. `device` names the first device of a storage resource. With a
/// `regex` only matching names are restored, so that fewer files may come than counted.
///
/// # Errors
/// [`SelectionError::VolumeDisabled`] and [`SelectionError::NoVolume`]: a part left out would be missing silently.
pub fn plan(
    jobs: &[JobRow],
    files: &[RestoreFiles],
    pieces: &[JobMediaPiece],
    regex: Option<&str>,
    device: impl Fn(&str) -> Option<String>,
) -> Result<RestorePlan, SelectionError> {
    let mut out = RestorePlan::default();
    for job in jobs.iter().filter(|job| job.job_files > 0) {
        let Some(chosen) = files.iter().find(|f| f.job_id == job.job_id).filter(|f| !f.ranges.is_empty()) else {
            continue;
        };
        let mut last_index_before = None;
        for piece in pieces.iter().filter(|p| p.piece.job_id == job.job_id && p.piece.last_index > 0) {
            let ranges = clip(&chosen.ranges, piece.piece.first_index.max(1), piece.piece.last_index);
            let (Some(first), Some(last)) = (ranges.first(), ranges.last()) else { continue };
            if !piece.enabled {
                return Err(SelectionError::VolumeDisabled { volume: piece.volume_name.clone(), job_id: job.job_id });
            }
            // A file that goes on in this piece was counted with the one before.
            let continued = u64::from(last_index_before == Some(first.first));
            last_index_before = Some(last.last);
            let count: u64 = ranges.iter().map(|r| u64::from(r.last - r.first) + 1).sum();
            out.files = out.files.saturating_add(count).saturating_sub(continued);
            let section = section((job.vol_session_id, job.vol_session_time), piece, &ranges, count);
            out.bootstrap.sections.push(Section {
                file_regex: regex.map(str::to_owned),
                device: device(&piece.storage),
                ..section
            });
        }
        if last_index_before.is_none() {
            return Err(SelectionError::NoVolume { job_id: job.job_id });
        }
    }
    Ok(out)
}

/// All files of both choices.
#[must_use]
pub fn join(one: Vec<RestoreFiles>, other: Vec<RestoreFiles>) -> Vec<RestoreFiles> {
    let mut jobs: BTreeMap<u32, Vec<IndexRange>> = BTreeMap::new();
    for files in one.into_iter().chain(other) {
        jobs.entry(files.job_id).or_default().extend(files.ranges);
    }
    let merged = |mut ranges: Vec<IndexRange>| {
        ranges.sort_unstable();
        let mut out: Vec<IndexRange> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match out.last_mut() {
                Some(before) if range.first <= before.last.saturating_add(1) => {
                    before.last = before.last.max(range.last)
                }
                _ => out.push(range),
            }
        }
        out
    };
    jobs.into_iter().map(|(job_id, ranges)| RestoreFiles { job_id, ranges: merged(ranges) }).collect()
}

/// All that a job has written in this session, wherever it lies.
#[must_use]
pub fn whole(session: (u32, u32), pieces: &[JobMediaPiece]) -> Bootstrap {
    let written = pieces.iter().filter(|piece| piece.piece.last_index > 0);
    let sections = written.map(|piece| {
        let all = IndexRange { first: piece.piece.first_index, last: piece.piece.last_index };
        let count = u64::from(all.last.saturating_sub(all.first)) + 1;
        section(session, piece, &[all], count)
    });
    Bootstrap { sections: sections.collect() }
}

fn section((id, time): (u32, u32), piece: &JobMediaPiece, ranges: &[IndexRange], count: u64) -> Section {
    Section {
        storage: Some(piece.storage.clone()).filter(|s| !s.is_empty()),
        volumes: vec![piece.volume_name.clone()],
        media_type: Some(piece.media_type.clone()),
        slot: u32::try_from(piece.slot).ok().filter(|slot| *slot > 0),
        session_ids: vec![(id, id)],
        session_times: vec![time],
        addresses: vec![(piece.piece.start(), piece.piece.end())],
        file_indexes: ranges.iter().map(|r| (r.first, r.last)).collect(),
        count: u32::try_from(count).ok(),
        ..Section::default()
    }
}

fn clip(ranges: &[IndexRange], first: u32, last: u32) -> Vec<IndexRange> {
    let begin = ranges.partition_point(|r| r.last < first);
    ranges
        .iter()
        .skip(begin)
        .take_while(|r| r.first <= last)
        .map(|r| IndexRange { first: r.first.max(first), last: r.last.min(last) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::JobMediaRow;
    use super::*;

    fn job(job_id: u32, level: u8, time: i64) -> JobRow {
        JobRow {
            job_id,
            level,
            start_time: time,
            job_t_date: time + 5,
            file_set: "home".into(),
            job_files: 10,
            vol_session_id: job_id * 10,
            vol_session_time: 99,
            ..Default::default()
        }
    }

    fn ids(jobs: &[JobRow]) -> Vec<u32> {
        jobs.iter().map(|j| j.job_id).collect()
    }

    #[test]
    fn a_differential_replaces_the_incrementals_before_it() {
        let all = [
            job(1, b'F', 10),
            job(2, b'I', 20),
            job(3, b'D', 30),
            job(4, b'I', 40),
            job(5, b'F', 50),
            job(6, b'I', 60),
            job(7, b'D', 70),
            job(8, b'I', 80),
            job(9, b'I', 90),
        ];
        assert_eq!(ids(&choose_jobs(&all, None).unwrap()), [5, 7, 8, 9]);
        assert_eq!(ids(&choose_jobs(&all[..6], Some("home")).unwrap()), [5, 6]);
        assert_eq!(ids(&choose_jobs(&all[..4], None).unwrap()), [1, 3, 4]);
    }

    #[test]
    fn jobs_are_ordered_by_their_numbers_whatever_their_clock_said() {
        let ahead = [job(1, b'F', 86_400), job(2, b'I', 20), job(3, b'D', 30), job(4, b'I', 40)];
        assert_eq!(ids(&choose_jobs(&ahead, None).unwrap()), [1, 3, 4]);
        assert_eq!(ids(&choose_jobs(&ahead[..2], None).unwrap()), [1, 2]);
        // A migrated Full has a number after those of the jobs that build on it.
        let migrated = [job(2, b'I', 20), JobRow { origin: 1, ..job(5, b'F', 10) }, job(6, b'I', 30)];
        assert_eq!(ids(&choose_jobs(&migrated, None).unwrap()), [5, 2, 6]);
    }

    #[test]
    fn a_file_set_must_be_named_when_there_are_several() {
        let other = JobRow { file_set: "etc".into(), ..job(2, b'F', 20) };
        let all = [job(1, b'F', 10), other];
        assert_eq!(
            choose_jobs(&all, None).unwrap_err(),
            SelectionError::SeveralFileSets(vec!["etc".into(), "home".into()])
        );
        assert_eq!(ids(&choose_jobs(&all, Some("home")).unwrap()), [1]);
        assert_eq!(choose_jobs(&all, Some("nope")).unwrap_err(), SelectionError::NoFull);
        assert_eq!(choose_jobs(&[job(1, b'I', 10)], None).unwrap_err(), SelectionError::NoFull);
    }

    fn piece(job_id: u32, volume: &str, indexes: (u32, u32), block: (u32, u32)) -> JobMediaPiece {
        JobMediaPiece {
            piece: JobMediaRow {
                job_id,
                first_index: indexes.0,
                last_index: indexes.1,
                start_block: block.0,
                end_block: block.1,
                ..Default::default()
            },
            volume_name: volume.into(),
            media_type: "File".into(),
            enabled: true,
            storage: "sd".into(),
            ..Default::default()
        }
    }

    fn range(first: u32, last: u32) -> IndexRange {
        IndexRange { first, last }
    }

    #[test]
    fn sections_are_clipped_to_the_pieces_and_split_files_count_once() {
        let jobs = [job(1, b'F', 10)];
        let files = [RestoreFiles { job_id: 1, ranges: vec![range(1, MAX_FILE_INDEX)] }];
        let pieces = [
            piece(1, "a", (0, 0), (0, 0)),
            piece(1, "a", (1, 6), (188, 999)),
            piece(1, "b", (6, 6), (188, 999)),
            piece(1, "c", (6, 10), (188, 999)),
        ];
        let made = plan(&jobs, &files, &pieces, None, |_| None).unwrap();
        let seen: Vec<_> =
            made.bootstrap.sections.iter().map(|s| (s.volumes.join(""), s.file_indexes.clone(), s.count)).collect();
        assert_eq!(
            seen,
            [
                ("a".into(), vec![(1, 6)], Some(6)),
                ("b".into(), vec![(6, 6)], Some(1)),
                ("c".into(), vec![(6, 10)], Some(5))
            ]
        );
        assert_eq!(made.files, 10);
    }

    #[test]
    fn choices_are_joined_without_counting_a_file_twice() {
        let files = |job_id, ranges: &[IndexRange]| RestoreFiles { job_id, ranges: ranges.to_vec() };
        let one = vec![files(1, &[range(2, 4), range(9, 9)]), files(3, &[range(1, 1)])];
        let other = vec![files(1, &[range(3, 6), range(7, 7), range(20, 30), range(22, 23)]), files(2, &[range(5, 5)])];
        let both =
            [files(1, &[range(2, 7), range(9, 9), range(20, 30)]), files(2, &[range(5, 5)]), files(3, &[range(1, 1)])];
        assert_eq!(join(one.clone(), other.clone()), both);
        assert_eq!(join(other, one), both);
        assert_eq!(join(Vec::new(), Vec::new()), []);
    }

    #[test]
    fn pieces_without_a_chosen_file_vanish_and_jobs_keep_their_order() {
        let jobs = [job(2, b'F', 10), job(1, b'I', 20)];
        let files = [
            RestoreFiles { job_id: 1, ranges: vec![range(9, 9)] },
            RestoreFiles { job_id: 2, ranges: vec![range(2, 3), range(5, 5)] },
        ];
        let pieces = [piece(1, "a", (1, 8), (0, 1)), piece(1, "b", (9, 10), (0, 1)), piece(2, "c", (3, 10), (0, 1))];
        let made = plan(&jobs, &files, &pieces, None, |_| None).unwrap();
        let seen: Vec<_> =
            made.bootstrap.sections.iter().map(|s| (s.volumes.join(""), s.file_indexes.clone())).collect();
        assert_eq!(seen, [("c".into(), vec![(3, 3), (5, 5)]), ("b".into(), vec![(9, 9)])]);
        assert_eq!(made.files, 3);
    }

    #[test]
    fn a_part_that_cannot_be_read_is_an_error_and_not_a_gap() {
        let jobs = [job(1, b'F', 10)];
        let files = [RestoreFiles { job_id: 1, ranges: vec![range(1, 5)] }];
        let off = JobMediaPiece { enabled: false, ..piece(1, "a", (1, 5), (0, 1)) };
        assert_eq!(
            plan(&jobs, &files, &[off], None, |_| None).unwrap_err(),
            SelectionError::VolumeDisabled { volume: "a".into(), job_id: 1 }
        );
        assert_eq!(plan(&jobs, &files, &[], None, |_| None).unwrap_err(), SelectionError::NoVolume { job_id: 1 });
    }

    #[test]
    fn the_text_is_what_a_director_sends() {
        let jobs = [job(4, b'F', 10)];
        let files = [RestoreFiles { job_id: 4, ranges: vec![range(1, 2), range(5, 5)] }];
        let pieces = [JobMediaPiece { slot: 3, ..piece(4, "Full-0001", (1, 9), (188, 1_048_763)) }];
        let made = plan(&jobs, &files, &pieces, Some("^/etc"), |storage| Some(format!("{storage}-drive"))).unwrap();
        let expected = [
            "Storage=\"sd\"",
            "Volume=\"Full-0001\"",
            "MediaType=\"File\"",
            "FileRegex=^/etc",
            "Device=\"sd-drive\"",
            "Slot=3",
            "VolSessionId=40",
            "VolSessionTime=99",
            "VolAddr=188-1048763",
            "FileIndex=1-2",
            "FileIndex=5",
            "Count=3",
        ];
        assert_eq!(made.bootstrap.to_string().lines().collect::<Vec<_>>(), expected);
    }
}
