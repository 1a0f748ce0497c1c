//! A disk made of maps: files to back up and restore, volumes to append to and read. It outlives the daemon that uses it.
//!
//! Files are regular and have a name and contents; volumes are whole blocks, as the real ones.

mod contents;
mod saving;
mod volume;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use towline_core::bulk::parcel::Parcel;
use towline_core::bulk::select::{Filled, RestoreReader};
use towline_core::bulk::unpack::{DataPiece, RestoreSink, Unpacker};
use towline_core::bulk::verifier::Verifier;
use towline_core::bulk::work::{DiskDone, DiskError, DiskWork, ReadForm, Remark, RestoreOrder, Tally};
use towline_core::ids::HandleId;
use towline_core::wire::attributes::AttributeRecord;
use towline_core::wire::block::{BlockHeader, Session};
use towline_core::wire::bsr::{Bootstrap, Selection};
use towline_core::wire::digest::{Algorithm, Hasher};
use towline_core::wire::fate::Fates;
use towline_core::wire::stream::Stream;

pub use self::contents::Contents;
use self::saving::Backup;
pub use self::saving::Flaw;
use self::volume::{Volume, mount};
use crate::rng::Rng;

/// Files by their names.
pub type Files = BTreeMap<Vec<u8>, Contents>;

/// A disk; clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Disk(Arc<Mutex<Store>>);

/// What is on it.
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// The files.
    pub files: Files,
    /// When files were changed, in seconds since 1970 by their host's clock; the others are older than any backup.
    pub changed: BTreeMap<Vec<u8>, i64>,
    /// Volumes by folder and name.
    pub volumes: BTreeMap<String, Vec<u8>>,
    /// Bytes that volumes may have together; 0 for no limit.
    pub capacity: u64,
    /// Whether every write to a volume fails.
    pub is_broken: bool,
    /// Whether every sync of a volume fails.
    pub fails_to_sync: bool,
    /// Whether a sync is answered at once and does nothing, as some disks do to seem fast.
    pub lies_about_sync: bool,
    /// Bytes of volumes that cannot be read, by folder and name, and place.
    pub unreadable: BTreeSet<(String, u64)>,
    /// Bytes of each volume that survive a power cut.
    synced: BTreeMap<String, u64>,
    /// Files that can neither be read nor restored, by the names they have on this disk. Each is worth a remark.
    pub refused: BTreeSet<Vec<u8>>,
    /// What is wrong with files as they are saved, by the names of files, and of folders with a slash at their end.
    pub flaws: BTreeMap<Vec<u8>, Flaw>,
}

impl Disk {
    /// A disk with these files.
    #[must_use]
    pub fn with_files(files: Files) -> Self {
        Self(Arc::new(Mutex::new(Store { files, ..Store::default() })))
    }

    /// Another disk with the same on it.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.store().clone())))
    }

    /// What is on it.
    pub fn store(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Power goes: what was not synced may be there, in part, or torn.
    pub fn lose_power(&self, rng: &mut Rng) {
        self.store().lose_power(rng);
    }

    /// What was restored below `/restored`, by the names the files were saved under.
    #[must_use]
    pub fn restored(&self) -> Files {
        let back = |(name, contents): (&Vec<u8>, &Contents)| {
            name.strip_prefix(b"/restored").map(|name| (name.to_vec(), contents.clone()))
        };
        self.store().files.iter().filter_map(back).collect()
    }

    /// Nothing is restored yet.
    pub fn wipe_restored(&self) {
        self.store().files.retain(|name, _| !name.starts_with(b"/restored/"));
    }
}

/// What one daemon has open on its disk.
#[derive(Debug)]
pub(crate) struct OpenThings {
    disk: Disk,
    open: BTreeMap<HandleId, Open>,
}

#[derive(Debug)]
enum Open {
    Backup(Backup),
    Restore(Restore),
    Verify(Verify),
    Read(Box<Reading>),
    Volume(Volume),
}

impl OpenThings {
    pub(crate) const fn new(disk: Disk) -> Self {
        Self { disk, open: BTreeMap::new() }
    }

    /// Handles that are open.
    pub(crate) fn handles(&self) -> usize {
        self.open.len()
    }

    /// Does a piece of work.
    pub(crate) fn work(&mut self, work: DiskWork) -> DiskDone {
        let mut store = self.disk.store();
        match work {
            DiskWork::OpenBackup { handle, fileset, changes, .. } => {
                self.open.insert(handle, Open::Backup(Backup::new(&fileset, changes.since, &store)));
                DiskDone::Opened
            }
            DiskWork::OpenRestore { handle, order } => {
                self.open.insert(handle, Open::Restore(Restore::new(order)));
                DiskDone::Opened
            }
            DiskWork::OpenVerify { handle, fileset } => {
                let verify = Verify { unpacker: Unpacker::new(), verifier: Verifier::new(&fileset) };
                self.open.insert(handle, Open::Verify(verify));
                DiskDone::Opened
            }
            DiskWork::OpenRead { handle, folder, elsewhere, bootstrap, form } => {
                match Reading::new((&folder, elsewhere), &bootstrap, form, &store) {
                    Ok(reading) => {
                        self.open.insert(handle, Open::Read(Box::new(reading)));
                        DiskDone::Opened
                    }
                    Err(error) => failed(error),
                }
            }
            DiskWork::Mount { handle, folder, label, expect, limit, session } => {
                let path = format!("{folder}/{}", String::from_utf8_lossy(&label.volume));
                match mount(&path, &label, expect, session, &mut store) {
                    Ok(done) => {
                        self.open.insert(handle, Open::Volume(Volume::new(path, limit)));
                        done
                    }
                    Err(error) => failed(error),
                }
            }
            DiskWork::Label { folder, label, before: None } => {
                let path = format!("{folder}/{}", String::from_utf8_lossy(&label.volume)).into_bytes();
                let block = label.block(Session::default());
                match store.files.get(&path) {
                    Some(bytes) if !bytes.is_empty() => {
                        let (path, volume) = (String::from_utf8_lossy(&path).into_owned(), label.volume);
                        let volume = String::from_utf8_lossy(&volume).into_owned();
                        failed(DiskError::HasLabel { path, volume })
                    }
                    _ => {
                        let bytes = block.len() as u64;
                        store.files.insert(path, block.into());
                        DiskDone::Labelled { bytes }
                    }
                }
            }
            DiskWork::Fill { handle, parcel } => match self.open.get_mut(&handle) {
                Some(Open::Backup(backup)) => backup.fill(parcel),
                Some(Open::Read(reading)) => reading.fill(parcel, &store),
                _ => failed(not_open(handle)),
            },
            DiskWork::Apply { handle, parcel } => match self.open.get_mut(&handle) {
                Some(Open::Restore(restore)) => restore.apply(parcel, &mut store),
                _ => failed(not_open(handle)),
            },
            DiskWork::Verify { handle, parcel, lines } => match self.open.get_mut(&handle) {
                Some(Open::Verify(verify)) => verify.look(parcel, lines),
                _ => failed(not_open(handle)),
            },
            DiskWork::Append { handle, block } => match self.open.get_mut(&handle) {
                Some(Open::Volume(volume)) => volume.append(block, &mut store),
                _ => failed(not_open(handle)),
            },
            DiskWork::Note { path, text } => put(&mut store, path, &text, true),
            DiskWork::Put { path, text, appends } => put(&mut store, path, &text, appends),
            DiskWork::Sync { handle } => match self.open.get(&handle) {
                Some(Open::Volume(volume)) => volume.sync(&mut store),
                _ => failed(not_open(handle)),
            },
            DiskWork::Close { handle } => {
                DiskDone::Closed(self.open.remove(&handle).map_or_else(Tally::default, tally))
            }
            _ => failed(DiskError::Other { path: "disk".to_owned(), text: "cannot do that".to_owned() }),
        }
    }
}

/// Puts text into a file, after what it has or in its place.
fn put(store: &mut Store, path: String, text: &[u8], appends: bool) -> DiskDone {
    let file = store.files.entry(path.into_bytes()).or_default();
    let before = if appends { &file[..] } else { &[] };
    *file = [before, text].concat().into();
    DiskDone::Noted
}

fn tally(open: Open) -> Tally {
    match open {
        Open::Backup(backup) => backup.tally(),
        Open::Restore(restore) => restore.tally(),
        Open::Verify(verify) => verify.tally(),
        Open::Read(reading) => reading.tally(),
        Open::Volume(_) => Tally { complete: true, ..Tally::default() },
    }
}

fn failed(error: DiskError) -> DiskDone {
    DiskDone::Failed { error, buffer: Vec::new() }
}

fn not_open(handle: HandleId) -> DiskError {
    DiskError::Other { path: "disk".to_owned(), text: format!("{handle:?} is not open") }
}

/// What is said of a file that is refused: an error (`wire/2 §4.2`).
fn refusal(name: &[u8], what: &str) -> Remark {
    Remark { kind: 4, text: format!("{} {what}", String::from_utf8_lossy(name)) }
}

#[derive(Debug)]
struct Verify {
    unpacker: Unpacker,
    verifier: Verifier,
}

impl Verify {
    fn look(&mut self, mut parcel: Parcel, lines: Parcel) -> DiskDone {
        self.verifier.give(lines);
        match self.unpacker.feed(&parcel.bytes, &mut self.verifier) {
            Ok(_) => {
                if self.unpacker.has_ended() {
                    self.verifier.finish();
                }
                parcel.clear();
                let remarks = self.verifier.take_remarks();
                DiskDone::Verified { parcel, lines: self.verifier.take(), remarks }
            }
            Err(error) => DiskDone::Failed { error: DiskError::BadStream(error.to_string()), buffer: parcel.bytes },
        }
    }

    fn tally(&self) -> Tally {
        let (files, errors) = (self.verifier.files(), self.verifier.errors());
        Tally { files, errors, complete: self.unpacker.has_ended(), ..Tally::default() }
    }
}

#[derive(Debug)]
struct Restore {
    unpacker: Unpacker,
    sink: Sink,
}

#[derive(Debug, Default)]
struct Sink {
    to: Vec<u8>,
    name: Vec<u8>,
    contents: Vec<u8>,
    /// What came does not fit the digest that was saved with it.
    is_spoilt: bool,
    done: Vec<(Vec<u8>, Contents)>,
    remarks: Vec<Remark>,
    files: u32,
    bytes: u64,
    errors: u32,
}

impl Restore {
    fn new(order: RestoreOrder) -> Self {
        Self { unpacker: Unpacker::new(), sink: Sink { to: order.to, ..Sink::default() } }
    }

    fn apply(&mut self, mut parcel: Parcel, store: &mut Store) -> DiskDone {
        if self.unpacker.has_ended() {
            self.unpacker.go_on();
        }
        let fed = self.unpacker.feed(&parcel.bytes, &mut self.sink);
        let mut remarks = std::mem::take(&mut self.sink.remarks);
        for (name, contents) in self.sink.done.drain(..) {
            if store.refused.contains(&name) {
                remarks.push(refusal(&name, "could not be restored"));
                self.sink.errors += 1;
            } else {
                store.files.insert(name, contents);
            }
        }
        match fed {
            Ok(_) => {
                parcel.clear();
                DiskDone::Applied { parcel, remarks }
            }
            Err(error) => DiskDone::Failed { error: DiskError::BadStream(error.to_string()), buffer: parcel.bytes },
        }
    }

    fn tally(&self) -> Tally {
        Tally {
            files: self.sink.files,
            read_bytes: self.unpacker.record_bytes(),
            job_bytes: self.sink.bytes,
            errors: self.sink.errors,
            fates: Fates { restored: self.sink.files.into(), failed: self.sink.errors.into(), ..Fates::default() },
            complete: self.unpacker.has_ended(),
            ..Tally::default()
        }
    }
}

impl RestoreSink for Sink {
    type Error = String;

    fn attributes(&mut self, record: &AttributeRecord<'_>) -> Result<(), String> {
        self.name = [&self.to[..], record.name].concat();
        self.contents.clear();
        self.is_spoilt = false;
        self.files += 1;
        Ok(())
    }

    fn data(&mut self, piece: DataPiece<'_>) -> Result<(), String> {
        self.contents.extend_from_slice(piece.bytes);
        self.bytes += piece.bytes.len() as u64;
        Ok(())
    }

    fn whole(&mut self, stream: Stream, record: &[u8]) -> Result<(), String> {
        if stream == Stream::XXH128 {
            let mut hasher = Hasher::new(Algorithm::Xxh128);
            hasher.update(&self.contents);
            self.is_spoilt = hasher.finish().as_bytes() != record;
        }
        Ok(())
    }

    fn end_of_file(&mut self) -> Result<(), String> {
        let name = std::mem::take(&mut self.name);
        if self.is_spoilt {
            self.errors += 1;
            self.remarks.push(refusal(&name, "is not what was saved (T0550)"));
        } else {
            self.done.push((name, Contents::from(&self.contents[..])));
        }
        self.contents.clear();
        Ok(())
    }

    fn dropped(&mut self, _stream: Stream) {
        self.errors += 1;
    }
}

#[derive(Debug)]
struct Reading {
    folder: String,
    elsewhere: BTreeMap<String, String>,
    ahead: VecDeque<(String, u64)>,
    current: Option<(String, u64)>,
    reader: RestoreReader,
    read: Vec<String>,
    complete: bool,
}

impl Reading {
    fn new(
        (folder, elsewhere): (&str, BTreeMap<String, String>),
        bootstrap: &Bootstrap,
        form: ReadForm,
        store: &Store,
    ) -> Result<Self, DiskError> {
        let reader = RestoreReader::in_form(Selection::new(bootstrap, None), form);
        let ahead: VecDeque<_> =
            reader.selection().volumes().into_iter().map(|volume| (volume.name, volume.start)).collect();
        let path = |name: &String| format!("{}/{name}", elsewhere.get(name).map_or(folder, String::as_str));
        if let Some((missing, _)) = ahead.iter().find(|(name, _)| !store.volumes.contains_key(&path(name))) {
            return Err(DiskError::Missing(missing.clone()));
        }
        let folder = folder.to_owned();
        Ok(Self { folder, elsewhere, ahead, current: None, reader, read: Vec::new(), complete: false })
    }

    fn fill(&mut self, mut parcel: Parcel, store: &Store) -> DiskDone {
        parcel.clear();
        if self.complete {
            return DiskDone::Filled { parcel, last: true, remarks: Vec::new() };
        }
        loop {
            if self.reader.fill(&mut parcel) == Filled::Full {
                return DiskDone::Filled { parcel, last: false, remarks: Vec::new() };
            }
            match self.next_block(store) {
                Ok(true) => {}
                Ok(false) => {
                    if let Some(text) = self.reader.shortfall() {
                        let error = DiskError::Other { path: self.read.join(", "), text };
                        return DiskDone::Failed { error, buffer: parcel.bytes };
                    }
                    self.complete = self.reader.finish(&mut parcel);
                    return DiskDone::Filled { parcel, last: self.complete, remarks: Vec::new() };
                }
                Err(error) => return DiskDone::Failed { error, buffer: parcel.bytes },
            }
        }
    }

    /// Passes the next block that is wanted to the reader; false if there is none.
    fn next_block(&mut self, store: &Store) -> Result<bool, DiskError> {
        let mut buffer = self.reader.take_block().unwrap_or_default();
        loop {
            let Some((name, at)) = &mut self.current else {
                let Some(next) = self.ahead.pop_front() else { return Ok(false) };
                self.reader.begin_volume(&next.0);
                self.read.push(next.0.clone());
                self.current = Some(next);
                continue;
            };
            let folder = self.elsewhere.get(name).unwrap_or(&self.folder);
            let volume = store.volumes.get(&format!("{folder}/{name}")).map_or(&[][..], Vec::as_slice);
            let start = self.reader.next_start(*at).filter(|&start| start < volume.len() as u64);
            let Some(start) = start else {
                self.current = None;
                continue;
            };
            let damaged = |_| DiskError::Damaged { path: name.clone(), at: start };
            let rest = usize::try_from(start).ok().and_then(|start| volume.get(start..)).unwrap_or_default();
            let header = BlockHeader::verify(rest, true).map_err(damaged)?;
            if store.cannot_read(&format!("{}/{name}", self.folder), start..start + u64::from(header.len)) {
                return Err(DiskError::Other { path: name.clone(), text: "input/output error".to_owned() });
            }
            buffer.clear();
            buffer.extend_from_slice(rest.get(..header.len as usize).unwrap_or_default());
            self.reader.give_block(buffer, start).map_err(damaged)?;
            *at = start + u64::from(header.len);
            return Ok(true);
        }
    }

    fn tally(&self) -> Tally {
        Tally {
            files: self.reader.files(),
            read_bytes: self.reader.bytes(),
            job_bytes: self.reader.bytes(),
            errors: u32::try_from(self.reader.lost()).unwrap_or(u32::MAX),
            complete: self.complete,
            volumes: self.read.clone(),
            ..Tally::default()
        }
    }
}
