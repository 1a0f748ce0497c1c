//! The disk of a storage daemon: volumes as blocks in memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use towline_core::bulk::parcel::Parcel;
use towline_core::bulk::select::{Filled, RestoreReader};
use towline_core::bulk::work::{DiskDone, DiskError, DiskWork, Expect, SpoolDone, SpoolFile, SpoolWork, Tally};
use towline_core::ids::HandleId;
use towline_core::wire::block::{BlockHeader, Session, seal};
use towline_core::wire::bsr::Selection;
use towline_core::wire::label::VolumeLabel;
use towline_core::work::{Work, WorkDone};

use super::world::Hands;

/// Bytes of the labels on the recorded volumes without their names: those of volume, pool, media type and daemon. Ours names
/// another version, so its length would be another one.
pub const LABEL: u64 = 166;

/// The shelf and what is to go wrong with it.
#[derive(Debug, Default)]
pub struct Shelf {
    pub volumes: BTreeMap<String, Volume>,
    /// Blocks that a volume of this name takes before it is full.
    pub room: BTreeMap<String, usize>,
    /// Volumes that turn out to be another one when mounted.
    pub spoilt: Vec<String>,
    /// Pieces of work by name, in order: to be looked at in tests.
    pub done: Vec<String>,
    /// Files that were put beside the volumes, with what is in them.
    pub put: Vec<(String, String)>,
    /// Whether such a file cannot be written.
    pub refuses_put: bool,
    /// Names of pieces of work that nobody answers.
    pub stuck: Vec<&'static str>,
    /// Spool files that are there, by name, each with its limits and what is in it.
    pub spools: BTreeMap<String, Spool>,
    /// Pieces that a spool file takes before its disk is full.
    pub spool_room: Option<usize>,
    open: BTreeMap<HandleId, Open>,
}

/// A spool file.
#[derive(Debug)]
pub struct Spool {
    pub file: SpoolFile,
    pieces: VecDeque<(Vec<u8>, [i32; 2])>,
    held: u64,
    full: Option<bool>,
}

/// A volume: its label, and its blocks with their addresses.
#[derive(Debug, Default)]
pub struct Volume {
    pub label: VolumeLabel,
    pub blocks: Vec<(u64, Vec<u8>)>,
    pub bytes: u64,
    /// Bytes it may have, as the last mount said; 0 for no limit.
    pub limit: u64,
}

#[derive(Debug)]
enum Open {
    Writing(String),
    Spooling(String),
    Reading { reader: Box<RestoreReader>, ahead: VecDeque<String>, blocks: VecDeque<(u64, Vec<u8>)>, read: Vec<String> },
}

/// Hands with an empty shelf.
pub fn hands() -> (Hands, Arc<Mutex<Shelf>>) {
    let shelf = Arc::<Mutex<Shelf>>::default();
    let seen = shelf.clone();
    (Box::new(move |work| shelf.lock().expect("not poisoned").work(work).map(WorkDone::Disk)), seen)
}

impl Shelf {
    fn work(&mut self, work: &Work) -> Option<DiskDone> {
        let Work::Disk(work) = work else { panic!("a storage daemon has no catalog") };
        let name = name_of(work);
        if self.stuck.contains(&name.split(' ').next().unwrap_or_default()) {
            return None;
        }
        if let DiskWork::Put { path, text, .. } = work {
            self.put.push((path.clone(), String::from_utf8_lossy(text).into_owned()));
            return Some(match self.refuses_put {
                true => failed(DiskError::Full(path.clone()), Vec::new()),
                false => DiskDone::Noted,
            });
        }
        self.done.push(name);
        Some(match work {
            DiskWork::Mount { handle, label, expect, limit, .. } => {
                let done = self.mount(*handle, label, *expect);
                if let Some(volume) = self.volumes.get_mut(&*String::from_utf8_lossy(&label.volume)) {
                    volume.limit = *limit;
                }
                done
            }
            DiskWork::OpenSpool { handle, file } => {
                let spool = Spool { file: file.clone(), pieces: VecDeque::new(), held: 0, full: None };
                self.spools.insert(file.name.clone(), spool);
                self.open.insert(*handle, Open::Spooling(file.name.clone()));
                DiskDone::Opened
            }
            DiskWork::Spool { handle, work } => DiskDone::Spool(self.spool(*handle, work)),
            DiskWork::Label { label, before, .. } => self.label(label, before.as_deref()),
            DiskWork::Append { handle, block } => self.append(*handle, block.clone()),
            DiskWork::Sync { .. } => DiskDone::Synced { spent: 7 },
            DiskWork::OpenRead { handle, bootstrap, form, .. } => {
                let selection = Selection::new(bootstrap, None);
                let ahead: VecDeque<String> = selection.volumes().into_iter().map(|volume| volume.name).collect();
                if let Some(missing) = ahead.iter().find(|name| !self.volumes.contains_key(*name)) {
                    return Some(failed(DiskError::Missing(missing.clone()), Vec::new()));
                }
                let reader = Box::new(RestoreReader::in_form(selection, *form));
                self.open.insert(*handle, Open::Reading { reader, ahead, blocks: VecDeque::new(), read: Vec::new() });
                DiskDone::Opened
            }
            DiskWork::Fill { handle, .. } => self.fill(*handle),
            DiskWork::Close { handle } => self.close(*handle),
            other => panic!("no work for a storage daemon: {other:?}"),
        })
    }

    fn mount(&mut self, handle: HandleId, label: &VolumeLabel, expect: Expect) -> DiskDone {
        let name = String::from_utf8_lossy(&label.volume).into_owned();
        if self.spoilt.contains(&name) {
            let error = DiskError::WrongVolume { path: name.clone(), wanted: name, found: "another".to_owned() };
            return failed(error, Vec::new());
        }
        let labelled = match expect {
            Expect::New => {
                assert!(!self.volumes.contains_key(&name), "a new volume is new");
                true
            }
            Expect::Recycled => true,
            Expect::Bytes(bytes) => {
                let found = self.volumes.get(&name).map_or(0, |volume| volume.bytes);
                if found < bytes {
                    return failed(DiskError::Truncated { path: name, found, wanted: bytes }, Vec::new());
                }
                false
            }
        };
        if labelled {
            let names = [&label.volume, &label.pool, &label.media_type, &label.program];
            let bytes = LABEL + names.iter().map(|name| name.len() as u64).sum::<u64>();
            let volume = Volume { label: label.clone(), blocks: Vec::new(), bytes, limit: 0 };
            self.volumes.insert(name.clone(), volume);
        }
        let bytes = self.volumes[&name].bytes;
        self.open.insert(handle, Open::Writing(name));
        DiskDone::Mounted { bytes, labelled, cut: 0, spent: 20 }
    }

    fn spool(&mut self, handle: HandleId, work: &SpoolWork) -> SpoolDone {
        let Some(Open::Spooling(name)) = self.open.get(&handle) else { panic!("no spool file") };
        let spool = self.spools.get_mut(name).expect("it is open");
        match work {
            SpoolWork::Hold { bytes, marks } => {
                let len = bytes.len() as u64;
                let limit = spool.file.limit;
                if spool.full.is_none() && spool.held > 0 && limit > 0 && spool.held + len > limit {
                    spool.full = Some(false);
                } else if self.spool_room.is_some_and(|room| spool.pieces.len() >= room) {
                    spool.full = Some(true);
                }
                if let Some(disk_full) = spool.full {
                    return SpoolDone::Full { bytes: bytes.clone(), disk_full };
                }
                spool.held += len;
                spool.pieces.push_back((bytes.clone(), *marks));
                SpoolDone::Held { buffer: Vec::new(), held: spool.held }
            }
            SpoolWork::Next { .. } => {
                let next = spool.pieces.pop_front();
                if next.is_none() {
                    (spool.held, spool.full) = (0, None);
                }
                SpoolDone::Next(next)
            }
        }
    }

    /// Labels as an operator wants it.
    fn label(&mut self, label: &VolumeLabel, before: Option<&str>) -> DiskDone {
        let name = String::from_utf8_lossy(&label.volume).into_owned();
        let path = name.clone();
        match before {
            Some(before) if !self.volumes.contains_key(before) => {
                return failed(DiskError::Missing(before.to_owned()), Vec::new());
            }
            Some(before) if self.spoilt.iter().any(|spoilt| spoilt == before) => {
                let (wanted, found) = (before.to_owned(), "another".to_owned());
                return failed(DiskError::WrongVolume { path, wanted, found }, Vec::new());
            }
            Some(before) => drop(self.volumes.remove(before)),
            None => {}
        }
        if self.volumes.contains_key(&name) {
            return failed(DiskError::HasLabel { path, volume: name }, Vec::new());
        }
        let bytes = label.block(Session::default()).len() as u64;
        self.volumes.insert(name, Volume { label: label.clone(), blocks: Vec::new(), bytes, limit: 0 });
        DiskDone::Labelled { bytes }
    }

    fn append(&mut self, handle: HandleId, mut block: Vec<u8>) -> DiskDone {
        let Some(Open::Writing(name)) = self.open.get(&handle) else { panic!("appending to what is not mounted") };
        let volume = self.volumes.get_mut(name).expect("mounted");
        let is_over = volume.limit > 0 && volume.bytes + block.len() as u64 >= volume.limit;
        if self.room.get(name).is_some_and(|room| volume.blocks.len() >= *room) || is_over && !volume.blocks.is_empty()
        {
            return DiskDone::VolumeFull { block, disk_full: false };
        }
        seal(&mut block);
        BlockHeader::verify(&block, true).expect("a whole block");
        let start = volume.bytes;
        volume.bytes += block.len() as u64;
        volume.blocks.push((start, block.clone()));
        DiskDone::Appended { block, start, spent: 3 }
    }

    fn fill(&mut self, handle: HandleId) -> DiskDone {
        let Some(Open::Reading { reader, ahead, blocks, read }) = self.open.get_mut(&handle) else {
            panic!("reading what is not open")
        };
        let mut parcel = Parcel::new();
        loop {
            if reader.fill(&mut parcel) == Filled::Full {
                return DiskDone::Filled { parcel, last: false, remarks: Vec::new() };
            }
            reader.take_block();
            if blocks.is_empty()
                && let Some(name) = ahead.pop_front()
            {
                reader.begin_volume(&name);
                blocks.extend(self.volumes[&name].blocks.iter().cloned());
                read.push(name);
            }
            match blocks.pop_front() {
                Some((address, block)) => reader.give_block(block, address).expect("a good block"),
                None => {
                    let last = reader.finish(&mut parcel);
                    return DiskDone::Filled { parcel, last, remarks: Vec::new() };
                }
            }
        }
    }

    fn close(&mut self, handle: HandleId) -> DiskDone {
        let tally = match self.open.remove(&handle) {
            Some(Open::Reading { reader, read, .. }) => {
                Tally { files: reader.files(), read_bytes: reader.bytes(), spent: 2, volumes: read, ..Tally::default() }
            }
            Some(Open::Spooling(name)) => {
                self.spools.remove(&name);
                Tally::default()
            }
            Some(Open::Writing(_)) | None => Tally::default(),
        };
        DiskDone::Closed(tally)
    }

    /// Whether everything was closed.
    pub fn is_shut(&self) -> bool {
        self.open.is_empty()
    }
}

fn failed(error: DiskError, buffer: Vec<u8>) -> DiskDone {
    DiskDone::Failed { error, buffer }
}

fn name_of(work: &DiskWork) -> String {
    match work {
        DiskWork::Mount { label, expect, .. } => {
            format!("mount {} {expect:?}", String::from_utf8_lossy(&label.volume))
        }
        DiskWork::OpenSpool { .. } => "open spool".to_owned(),
        DiskWork::Spool { work: SpoolWork::Hold { .. }, .. } => "hold".to_owned(),
        DiskWork::Spool { work: SpoolWork::Next { .. }, .. } => "next".to_owned(),
        DiskWork::Label { label, .. } => format!("label {}", String::from_utf8_lossy(&label.volume)),
        DiskWork::Append { .. } => "append".to_owned(),
        DiskWork::Sync { .. } => "sync".to_owned(),
        DiskWork::OpenRead { .. } => "read".to_owned(),
        DiskWork::Fill { .. } => "fill".to_owned(),
        DiskWork::Close { .. } => "close".to_owned(),
        other => format!("{other:?}"),
    }
}
