//! Reads what a bootstrap selects, volume after volume, by the plain method of `wire/3 §5.9`.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use towline_core::bulk::parcel::Parcel;
use towline_core::bulk::select::{Filled, RestoreReader};
use towline_core::bulk::work::{DiskError, ReadForm, Remark, Tally};
use towline_core::wire::block::{BlockHeader, HEADER_LEN};
use towline_core::wire::bsr::{Bootstrap, NameFilter, Selection};
use towline_core::wire::label::VolumeLabel;

use super::{disk_error, volume_path};
use crate::disk::backup::regex::Regex;

/// Bytes of one read at least; a block is longer than this as a rule, and most of it goes straight into place.
const READ: usize = 256 * 1024;
/// Message type of an error (`wire/2 §4.2`).
const ERROR: u8 = 4;

/// A restore's reading under way.
#[derive(Debug)]
pub struct VolumeReader {
    folder: String,
    ahead: VecDeque<String>,
    reader: RestoreReader,
    volume: Option<Volume>,
    /// Memory of the last block.
    spare: Vec<u8>,
    read: Vec<String>,
    spent: Duration,
    complete: bool,
    told: u64,
}

/// The volume being read.
#[derive(Debug)]
struct Volume {
    file: BufReader<File>,
    path: PathBuf,
    /// Address of the next block.
    at: u64,
}

impl VolumeReader {
    /// A reader before the first volume of the bootstrap; the volumes lie in `folder`.
    ///
    /// # Errors
    /// The first volume cannot be opened or is another one, or an expression of the bootstrap cannot be read.
    pub fn open(folder: &str, bootstrap: &Bootstrap, form: ReadForm) -> Result<Self, DiskError> {
        let selection = Selection::new(bootstrap, name_filter(bootstrap)?);
        let ahead = selection.volumes().into_iter().map(|volume| volume.name).collect();
        let mut reader = Self {
            folder: folder.to_owned(),
            ahead,
            reader: RestoreReader::in_form(selection, form),
            volume: None,
            spare: Vec::new(),
            read: Vec::new(),
            spent: Duration::ZERO,
            complete: false,
            told: 0,
        };
        reader.next_volume()?;
        Ok(reader)
    }

    /// Fills the parcel with the next frames, over whatever was in it. True when nothing comes after them; from then on
    /// parcels stay empty.
    ///
    /// # Errors
    /// A volume is missing, another one, or damaged; or, of a copy, a record is not whole.
    pub fn fill(&mut self, parcel: &mut Parcel) -> Result<bool, DiskError> {
        parcel.clear();
        if self.complete {
            return Ok(true);
        }
        loop {
            if self.reader.fill(parcel) == Filled::Full {
                return Ok(false);
            }
            let started = Instant::now();
            let more = self.next_block();
            self.spent += started.elapsed();
            if !more? {
                if let Some(text) = self.reader.shortfall() {
                    return Err(DiskError::Other { path: self.read.join(", "), text });
                }
                self.complete = self.reader.finish(parcel);
                return Ok(self.complete);
            }
        }
    }

    /// What a person should know since the last call.
    pub fn take_remarks(&mut self) -> Vec<Remark> {
        let lost = self.reader.lost() - self.told;
        self.told += lost;
        if lost == 0 {
            return Vec::new();
        }
        let text =
            format!("{lost} records are not whole on the volumes {} and cannot be restored", self.read.join(", "));
        vec![Remark { kind: ERROR, text }]
    }

    /// What was read so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        Tally {
            files: self.reader.files(),
            read_bytes: self.reader.bytes(),
            job_bytes: self.reader.bytes(),
            errors: u32::try_from(self.reader.lost()).unwrap_or(u32::MAX),
            complete: self.complete,
            spent: u64::try_from(self.spent.as_micros()).unwrap_or(u64::MAX),
            volumes: self.read.clone(),
            ..Tally::default()
        }
    }

    /// Gives the next block that may hold something wanted to the selection. False when there is none on any volume.
    fn next_block(&mut self) -> Result<bool, DiskError> {
        if let Some(block) = self.reader.take_block() {
            self.spare = block;
        }
        loop {
            let Some(volume) = &mut self.volume else {
                if self.next_volume()? {
                    continue;
                }
                return Ok(false);
            };
            let block = match self.reader.next_start(volume.at) {
                Some(start) => {
                    volume.skip_to(start)?;
                    volume.read_block(&mut self.spare)?
                }
                None => None,
            };
            match block {
                Some(address) => {
                    let damaged = DiskError::Damaged { path: volume.path.display().to_string(), at: address };
                    return self
                        .reader
                        .give_block(std::mem::take(&mut self.spare), address)
                        .map(|()| true)
                        .map_err(|_| damaged);
                }
                None => self.volume = None,
            }
        }
    }

    /// Opens the next volume of the list and checks its label. False when there is none.
    fn next_volume(&mut self) -> Result<bool, DiskError> {
        let Some(name) = self.ahead.pop_front() else { return Ok(false) };
        let path = volume_path(&self.folder, &name)?;
        let file = File::open(&path).map_err(|error| disk_error(&path, &error))?;
        let mut volume = Volume { file: BufReader::with_capacity(READ, file), path, at: 0 };
        let wrong = |volume: &Volume, found: String| DiskError::WrongVolume {
            path: volume.path.display().to_string(),
            wanted: name.clone(),
            found,
        };
        let mut label = Vec::new();
        match volume.read_block(&mut label) {
            Ok(Some(_)) => {}
            Ok(None) => return Err(wrong(&volume, "an empty file".to_owned())),
            Err(DiskError::Damaged { .. }) => return Err(wrong(&volume, "no volume label".to_owned())),
            Err(error) => return Err(error),
        }
        VolumeLabel::from_block(&label, &name).map_err(|error| wrong(&volume, error.to_string()))?;
        self.reader.begin_volume(&name);
        self.read.push(name);
        self.volume = Some(volume);
        Ok(true)
    }
}

impl Volume {
    fn skip_to(&mut self, address: u64) -> Result<(), DiskError> {
        if address != self.at {
            self.file.seek(SeekFrom::Start(address)).map_err(|error| disk_error(&self.path, &error))?;
            self.at = address;
        }
        Ok(())
    }

    /// Reads the block at the present address, checks it, and gives that address. None at the end of the volume.
    fn read_block(&mut self, block: &mut Vec<u8>) -> Result<Option<u64>, DiskError> {
        let error = |error: std::io::Error| disk_error(&self.path, &error);
        let damaged = || DiskError::Damaged { path: self.path.display().to_string(), at: self.at };
        let mut head = [0; HEADER_LEN];
        match read_full(&mut self.file, &mut head).map_err(error)? {
            0 => return Ok(None),
            HEADER_LEN => {}
            _ => return Err(damaged()),
        }
        let header = BlockHeader::decode(&head).map_err(|_| damaged())?;
        let len = usize::try_from(header.len).map_err(|_| damaged())?;
        block.resize(len, 0);
        block[..HEADER_LEN].copy_from_slice(&head);
        let body = &mut block[HEADER_LEN..];
        if read_full(&mut self.file, body).map_err(error)? < body.len() {
            return Err(damaged());
        }
        // 0: whoever wrote it makes no checksums (`wire/3 §5.2`).
        BlockHeader::verify(block, header.checksum != 0).map_err(|_| damaged())?;
        let address = self.at;
        self.at += u64::from(header.len);
        Ok(Some(address))
    }
}

/// Matches names against the expressions of the bootstrap, if it has any.
fn name_filter(bootstrap: &Bootstrap) -> Result<Option<NameFilter>, DiskError> {
    let mut expressions: Vec<(String, Arc<Regex>)> = Vec::new();
    for text in bootstrap.sections.iter().filter_map(|section| section.file_regex.as_ref()) {
        if expressions.iter().any(|(known, _)| known == text) {
            continue;
        }
        let regex = Regex::new(text.as_bytes(), false).map_err(|why| DiskError::Other {
            path: "bootstrap".to_owned(),
            text: format!("cannot read the regular expression {text:?}: {why}"),
        })?;
        expressions.push((text.clone(), Arc::new(regex)));
    }
    if expressions.is_empty() {
        return Ok(None);
    }
    Ok(Some(Box::new(move |expression, name| {
        expressions.iter().find(|(known, _)| known == expression).is_none_or(|(_, regex)| regex.finds(name))
    })))
}

fn read_full(file: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
