//! What a handle stands for: a backup, a restore, a reading of volumes, a volume to append to.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use towline_core::bulk::parcel::Parcel;
use towline_core::bulk::unpack::Unpacker;
use towline_core::bulk::work::{DiskDone, DiskError, DiskWork, Remark, Tally};
use towline_core::wire::fileset::FileSet;
use towline_core::wire::label::VolumeLabel;

use crate::disk::backup::estimate::EstimateSource;
use crate::disk::backup::look::LookSource;
use crate::disk::backup::{BackupSource, Counters, FillError};
use crate::disk::notice::Notice;
use crate::disk::restore::{Order, Relocations, Replace, RestoreTarget};
use crate::disk::verify::VerifyTarget;
#[cfg(feature = "object")]
use crate::object::{Stop, writer::ObjectWriter};
use crate::process::Means;
use crate::volume::erase::Eraser;
use crate::volume::reader::VolumeReader;
use crate::volume::spool::Spool;
use crate::volume::stored::is_in_store;
#[cfg(not(feature = "object"))]
use crate::volume::stored::not_built;
use crate::volume::writer::{Appended, Mounted, VolumeWriter};
use crate::volume::{disk_error, labelling};

/// Something open, owned by its thread.
pub(super) trait Open {
    /// Does one piece of work.
    fn work(&mut self, work: DiskWork) -> DiskDone;

    /// Ends it, whatever its state.
    fn close(self: Box<Self>) -> Tally;
}

/// Opens what `work` asks for, and returns the answer to it. Once `given_up` is closed at its other end, nothing more is wanted
/// of it.
pub(super) fn open(
    work: DiskWork,
    given_up: Option<OwnedFd>,
    eraser: &Eraser,
) -> Result<(Box<dyn Open>, DiskDone), DiskError> {
    match work {
        DiskWork::OpenBackup { fileset, changes, unsaved, permits, .. } => {
            let means = Means { permits, given_up, ..Means::default() };
            let source = BackupSource::with(&fileset, changes, unsaved, means)?;
            Ok((Box::new(Backup { source, spent: Duration::ZERO, complete: false }), DiskDone::Opened))
        }
        DiskWork::OpenEstimate { fileset, changes, listing, permits, .. } => {
            let source =
                EstimateSource::with(&fileset, changes, listing, &Means { permits, given_up, ..Means::default() })?;
            Ok((Box::new(Estimate(source)), DiskDone::Opened))
        }
        DiskWork::OpenLook { fileset, permits, .. } => {
            let source = LookSource::new(&fileset, &Means { permits, given_up, ..Means::default() })?;
            Ok((Box::new(Look(source)), DiskDone::Opened))
        }
        DiskWork::OpenRestore { order, .. } => {
            let (replace, permits) = (Replace::from_letter(order.replace), order.permits);
            let relocation = Relocations::compile(order.relocations)?;
            let order = Order { to: order.to, replace, prefix_links: order.prefix_links, relocation };
            let means = Means { permits, given_up, ..Means::default() };
            Ok((Box::new(Restore::open(order, means)?), DiskDone::Opened))
        }
        DiskWork::OpenVerify { fileset, .. } => Ok((Box::new(Verify::open(&fileset)), DiskDone::Opened)),
        DiskWork::OpenRead { folder, elsewhere, bootstrap, form, .. } => {
            let reader = VolumeReader::open_until(&folder, elsewhere, &bootstrap, form, given_up.map(Arc::new))?;
            Ok((Box::new(Read(reader)), DiskDone::Opened))
        }
        #[cfg(feature = "object")]
        DiskWork::Mount { folder, label, expect, limit, session, .. } if is_in_store(&folder) => {
            let stop = Stop::at(given_up.map(Arc::new));
            let (writer, mounted) = ObjectWriter::mount(&folder, &label, expect, (limit, session), stop)?;
            Ok((Box::new(Volume(writer)), done_mounting(mounted)))
        }
        #[cfg(not(feature = "object"))]
        DiskWork::Mount { folder, .. } if is_in_store(&folder) => Err(not_built(&folder)),
        DiskWork::Mount { folder, label, expect, limit, session, .. } => {
            let (writer, mounted) = VolumeWriter::mount(&folder, &label, expect, limit, session, eraser)?;
            Ok((Box::new(Volume(writer)), done_mounting(mounted)))
        }
        DiskWork::OpenSpool { file, .. } => {
            Ok((Box::new(Spooled(Spool::open(file, eraser.clone())?)), DiskDone::Opened))
        }
        other => Err(mismatch(&other)),
    }
}

const fn done_mounting(mounted: Mounted) -> DiskDone {
    let Mounted { bytes, labelled, cut, spent } = mounted;
    DiskDone::Mounted { bytes, labelled, cut, spent }
}

/// Writes a label for an operator.
pub(super) fn label(folder: &str, label: &VolumeLabel, before: Option<&str>, eraser: &Eraser) -> DiskDone {
    match labelling::label(folder, label, before, eraser) {
        Ok(bytes) => DiskDone::Labelled { bytes },
        Err(error) => DiskDone::Failed { error, buffer: Vec::new() },
    }
}

#[derive(Debug)]
struct Backup {
    source: BackupSource,
    spent: Duration,
    complete: bool,
}

impl Open for Backup {
    fn work(&mut self, work: DiskWork) -> DiskDone {
        let DiskWork::Fill { mut parcel, .. } = work else { return refuse(work) };
        let started = Instant::now();
        let filled = self.source.fill(&mut parcel);
        self.spent += started.elapsed();
        match filled {
            Ok(filled) => {
                self.complete |= filled.done;
                DiskDone::Filled { parcel, last: filled.done, remarks: remarks(self.source.take_notices()) }
            }
            Err(error) => DiskDone::Failed { error: unfilled(error), buffer: parcel.bytes },
        }
    }

    fn close(mut self: Box<Self>) -> Tally {
        let counters = self.source.close();
        Tally {
            files: counters.files,
            read_bytes: counters.read_bytes,
            job_bytes: counters.job_bytes,
            errors: counters.errors,
            warnings: counters.warnings,
            complete: self.complete,
            spent: micros(self.spent),
            ..Tally::default()
        }
    }
}

#[derive(Debug)]
struct Estimate(EstimateSource);

impl Open for Estimate {
    fn work(&mut self, work: DiskWork) -> DiskDone {
        let DiskWork::Fill { mut parcel, .. } = work else { return refuse(work) };
        let filled = self.0.fill(&mut parcel);
        listed(parcel, filled, self.0.take_notices())
    }

    fn close(self: Box<Self>) -> Tally {
        let (files, read_bytes) = self.0.totals();
        Tally { files, read_bytes, errors: self.0.unread(), complete: true, ..Tally::default() }
    }
}

#[derive(Debug)]
struct Look(LookSource);

impl Open for Look {
    fn work(&mut self, work: DiskWork) -> DiskDone {
        let DiskWork::Fill { mut parcel, .. } = work else { return refuse(work) };
        let filled = self.0.fill(&mut parcel);
        listed(parcel, filled, self.0.take_notices())
    }

    fn close(self: Box<Self>) -> Tally {
        let Counters { files, read_bytes, job_bytes, errors, .. } = self.0.counters();
        Tally { files, read_bytes, job_bytes, errors, complete: true, ..Tally::default() }
    }
}

#[derive(Debug)]
struct Restore {
    target: RestoreTarget,
    unpacker: Unpacker,
    spent: Duration,
    finished: bool,
}

impl Restore {
    fn open(order: Order, means: Means) -> Result<Self, DiskError> {
        let to = String::from_utf8_lossy(&order.to).into_owned();
        let target = RestoreTarget::with(order, means).map_err(|error| disk_error(Path::new(&to), &error))?;
        Ok(Self { target, unpacker: Unpacker::new(), spent: Duration::ZERO, finished: false })
    }

    /// The last entry and the times of folders. Done with the last bytes of each storage daemon, so that what is said of
    /// it is heard.
    fn finish(&mut self) {
        if !self.finished {
            self.finished = true;
            self.target.finish();
        }
    }
}

impl Open for Restore {
    fn work(&mut self, work: DiskWork) -> DiskDone {
        let DiskWork::Apply { mut parcel, .. } = work else { return refuse(work) };
        let started = Instant::now();
        // Nothing comes after the end of a stream but the stream of the next storage daemon.
        if self.unpacker.has_ended() {
            self.unpacker.go_on();
            self.finished = false;
        }
        let fed = self.unpacker.feed(&parcel.bytes, &mut self.target);
        if self.unpacker.has_ended() {
            self.finish();
        }
        self.spent += started.elapsed();
        if let Some(why) = self.target.take_refused() {
            return DiskDone::Failed { error: why.into(), buffer: parcel.bytes };
        }
        match fed {
            Ok(_) => {
                parcel.clear();
                DiskDone::Applied { parcel, remarks: remarks(self.target.take_notices()) }
            }
            Err(error) => DiskDone::Failed { error: DiskError::BadStream(error.to_string()), buffer: parcel.bytes },
        }
    }

    fn close(mut self: Box<Self>) -> Tally {
        if !self.unpacker.has_ended() {
            self.target.abandon();
        }
        self.finish();
        let tally = self.target.tally();
        Tally {
            files: tally.files,
            read_bytes: self.unpacker.record_bytes(),
            job_bytes: tally.bytes,
            errors: tally.errors,
            warnings: tally.warnings,
            fates: tally.fates,
            fate_names: tally.fate_names.clone(),
            complete: self.unpacker.has_ended(),
            spent: micros(self.spent),
            volumes: Vec::new(),
        }
    }
}

#[derive(Debug)]
struct Verify {
    target: VerifyTarget,
    unpacker: Unpacker,
    spent: Duration,
}

impl Verify {
    fn open(fileset: &FileSet) -> Self {
        Self { target: VerifyTarget::new(fileset), unpacker: Unpacker::new(), spent: Duration::ZERO }
    }
}

impl Open for Verify {
    fn work(&mut self, work: DiskWork) -> DiskDone {
        let DiskWork::Verify { mut parcel, lines, .. } = work else { return refuse(work) };
        let started = Instant::now();
        self.target.verifier.give(lines);
        let fed = self.unpacker.feed(&parcel.bytes, &mut self.target);
        if self.unpacker.has_ended() {
            self.target.verifier.finish();
        }
        self.spent += started.elapsed();
        match fed {
            Ok(_) => {
                parcel.clear();
                let verifier = &mut self.target.verifier;
                DiskDone::Verified { parcel, lines: verifier.take(), remarks: verifier.take_remarks() }
            }
            Err(error) => DiskDone::Failed { error: DiskError::BadStream(error.to_string()), buffer: parcel.bytes },
        }
    }

    fn close(self: Box<Self>) -> Tally {
        Tally {
            files: self.target.verifier.files(),
            errors: self.target.verifier.errors(),
            complete: self.unpacker.has_ended(),
            spent: micros(self.spent),
            ..Tally::default()
        }
    }
}

#[derive(Debug)]
struct Read(VolumeReader);

impl Open for Read {
    fn work(&mut self, work: DiskWork) -> DiskDone {
        let DiskWork::Fill { mut parcel, .. } = work else { return refuse(work) };
        match self.0.fill(&mut parcel) {
            Ok(last) => DiskDone::Filled { parcel, last, remarks: self.0.take_remarks() },
            Err(error) => DiskDone::Failed { error, buffer: parcel.bytes },
        }
    }

    fn close(self: Box<Self>) -> Tally {
        self.0.tally()
    }
}

#[derive(Debug)]
struct Spooled(Spool);

impl Open for Spooled {
    fn work(&mut self, work: DiskWork) -> DiskDone {
        match work {
            DiskWork::Spool { work, .. } => DiskDone::Spool(self.0.work(work)),
            other => refuse(other),
        }
    }

    fn close(self: Box<Self>) -> Tally {
        Tally { complete: true, ..Tally::default() }
    }
}

/// What blocks are appended to.
trait Appends: std::fmt::Debug {
    fn append(&mut self, block: &mut [u8]) -> Result<Appended, DiskError>;
    fn sync(&mut self) -> Result<(), DiskError>;
}

impl Appends for VolumeWriter {
    fn append(&mut self, block: &mut [u8]) -> Result<Appended, DiskError> {
        Self::append(self, block)
    }

    fn sync(&mut self) -> Result<(), DiskError> {
        Self::sync(self)
    }
}

#[cfg(feature = "object")]
impl Appends for ObjectWriter {
    fn append(&mut self, block: &mut [u8]) -> Result<Appended, DiskError> {
        Self::append(self, block)
    }

    fn sync(&mut self) -> Result<(), DiskError> {
        Self::sync(self)
    }
}

#[derive(Debug)]
struct Volume<W>(W);

impl<W: Appends> Open for Volume<W> {
    fn work(&mut self, work: DiskWork) -> DiskDone {
        let started = Instant::now();
        match work {
            DiskWork::Append { mut block, .. } => {
                let done = self.0.append(&mut block);
                appended(done, block, started)
            }
            DiskWork::Sync { .. } => synced(self.0.sync(), started),
            other => refuse(other),
        }
    }

    fn close(self: Box<Self>) -> Tally {
        Tally { complete: true, ..Tally::default() }
    }
}

fn appended(done: Result<Appended, DiskError>, block: Vec<u8>, started: Instant) -> DiskDone {
    match done {
        Ok(Appended::At(start)) => DiskDone::Appended { block, start, spent: micros(started.elapsed()) },
        Ok(Appended::LimitReached) => DiskDone::VolumeFull { block, disk_full: false },
        Ok(Appended::DiskFull) => DiskDone::VolumeFull { block, disk_full: true },
        Err(error) => DiskDone::Failed { error, buffer: block },
    }
}

fn synced(done: Result<(), DiskError>, started: Instant) -> DiskDone {
    match done {
        Ok(()) => DiskDone::Synced { spent: micros(started.elapsed()) },
        Err(error) => DiskDone::Failed { error, buffer: Vec::new() },
    }
}

/// What came of filling a parcel with lines about entries; `Ok(true)` after the last.
fn listed(parcel: Parcel, filled: Result<bool, FillError>, notices: Vec<Notice>) -> DiskDone {
    match filled {
        Ok(last) => DiskDone::Filled { parcel, last, remarks: remarks(notices) },
        Err(error) => DiskDone::Failed { error: unfilled(error), buffer: parcel.bytes },
    }
}

fn unfilled(error: FillError) -> DiskError {
    match error {
        FillError::Nothing => DiskError::NothingThere,
        FillError::Plugin { command, why } => DiskError::Plugin { command, why },
        FillError::Pack(error) => DiskError::Other { path: "backup".to_owned(), text: error.to_string() },
    }
}

fn remarks(notices: Vec<Notice>) -> Vec<Remark> {
    notices.into_iter().map(|notice| Remark { kind: notice.kind.code(), text: notice.to_string() }).collect()
}

fn refuse(work: DiskWork) -> DiskDone {
    let error = mismatch(&work);
    DiskDone::Failed { error, buffer: super::buffer_of(work) }
}

fn mismatch(work: &DiskWork) -> DiskError {
    let what = match work {
        DiskWork::Fill { .. } => "to fill a parcel",
        DiskWork::Apply { .. } => "to restore",
        DiskWork::Verify { .. } => "to verify",
        DiskWork::Append { .. } => "to append",
        DiskWork::Sync { .. } => "to sync",
        DiskWork::Spool { .. } => "to spool",
        _ => "to open",
    };
    super::worker_error(&format!("was asked {what}, which is not what is open"))
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
