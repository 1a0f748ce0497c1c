//! Reads what a bootstrap selects, volume after volume, by the plain method of `wire/3 §5.9`.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use towline_core::bulk::parcel::Parcel;
use towline_core::bulk::select::{Filled, RestoreReader};
use towline_core::bulk::work::{DiskError, ReadForm, Remark, Tally};
use towline_core::wire::bsr::{Bootstrap, NameFilter, Selection};
use towline_core::wire::label::VolumeLabel;

use super::blocks::{Blocks, Next};
use super::stored::{GivenUp, Stored};
use super::volume_path;
use crate::disk::notice::shown;
use crate::disk::regex::Regex;

/// Message types of an error and of a warning (`wire/2 §4.2`).
const ERROR: u8 = 4;
const WARNING: u8 = 5;
/// Damaged stretches that are told one by one.
const STRETCHES_TOLD: u64 = 100;

/// A restore's reading under way.
#[derive(Debug)]
pub struct VolumeReader {
    folder: String,
    elsewhere: BTreeMap<String, String>,
    /// Volumes whose files are known, whatever they are called.
    files: BTreeMap<String, PathBuf>,
    ahead: VecDeque<String>,
    reader: RestoreReader,
    volume: Option<Blocks<Stored>>,
    /// Says when nothing more is wanted.
    given_up: GivenUp,
    /// Memory of the last block.
    spare: Vec<u8>,
    read: Vec<String>,
    spent: Duration,
    complete: bool,
    told: u64,
    /// Damaged stretches, and what they cost in so many lines.
    damaged: u64,
    first_damage: Option<(String, u64)>,
    broken: u32,
    remarks: Vec<Remark>,
}

impl VolumeReader {
    /// A reader before the first volume of the bootstrap; the volumes lie in `folder`, those of `elsewhere` in theirs.
    ///
    /// # Errors
    /// The first volume cannot be opened or is another one, or an expression of the bootstrap cannot be read.
    pub fn open(
        folder: &str,
        elsewhere: BTreeMap<String, String>,
        bootstrap: &Bootstrap,
        form: ReadForm,
    ) -> Result<Self, DiskError> {
        Self::open_until(folder, elsewhere, bootstrap, form, None)
    }

    /// The same, until it is given up.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub(crate) fn open_until(
        folder: &str,
        elsewhere: BTreeMap<String, String>,
        bootstrap: &Bootstrap,
        form: ReadForm,
        given_up: GivenUp,
    ) -> Result<Self, DiskError> {
        let selection = Selection::new(bootstrap, name_filter(bootstrap)?);
        Self::begin((folder, elsewhere), BTreeMap::new(), selection, form, given_up)
    }

    /// A reader for a restore before the first volume; each volume is the file of its name among `files`. With a `filter`
    /// that says which names are wanted; it stands for the expressions of the bootstrap.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    #[cfg(feature = "sqlite")]
    pub(crate) fn of_files(
        files: BTreeMap<String, PathBuf>,
        bootstrap: &Bootstrap,
        filter: Option<NameFilter>,
    ) -> Result<Self, DiskError> {
        let filter = match filter {
            Some(filter) => Some(filter),
            None => name_filter(bootstrap)?,
        };
        let selection = Selection::new(bootstrap, filter);
        Self::begin((".", BTreeMap::new()), files, selection, ReadForm::Restore, None)
    }

    fn begin(
        (folder, elsewhere): (&str, BTreeMap<String, String>),
        files: BTreeMap<String, PathBuf>,
        selection: Selection,
        form: ReadForm,
        given_up: GivenUp,
    ) -> Result<Self, DiskError> {
        let ahead = selection.volumes().into_iter().map(|volume| volume.name).collect();
        let mut reader = Self {
            folder: folder.to_owned(),
            elsewhere,
            files,
            ahead,
            reader: RestoreReader::in_form(selection, form),
            volume: None,
            given_up,
            spare: Vec::new(),
            read: Vec::new(),
            spent: Duration::ZERO,
            complete: false,
            told: 0,
            damaged: 0,
            first_damage: None,
            broken: 0,
            remarks: Vec::new(),
        };
        reader.next_volume()?;
        Ok(reader)
    }

    /// Fills the parcel with the next frames, over whatever was in it. True when nothing comes after them; from then on
    /// parcels stay empty.
    ///
    /// What cannot be read is passed over and told. A copy gets all that is whole, too; but as it is not, it has no end
    /// but an error.
    ///
    /// # Errors
    /// A volume is missing or another one; or, of a copy, after all else, anything of it is not whole.
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
                self.reader.conclude();
                self.note_losses();
                if let Some(text) = self.reader.shortfall() {
                    if !self.remarks.is_empty() {
                        // They would be lost with the error.
                        return Ok(false);
                    }
                    let other = DiskError::Other { path: self.read.join(", "), text };
                    let damaged = self.first_damage.clone().map(|(path, at)| DiskError::Damaged { path, at });
                    return Err(damaged.unwrap_or(other));
                }
                self.complete = self.reader.finish(parcel);
                if self.complete && self.damaged > STRETCHES_TOLD {
                    let text = format!("{} more stretches cannot be read", self.damaged - STRETCHES_TOLD);
                    self.remarks.push(Remark { kind: WARNING, text });
                }
                return Ok(self.complete);
            }
        }
    }

    /// What a person should know since the last call.
    pub fn take_remarks(&mut self) -> Vec<Remark> {
        self.note_losses();
        let lost = self.reader.lost() - self.told;
        self.told += lost;
        if lost > 0 && self.damaged == 0 {
            let text =
                format!("{lost} records are not whole on the volumes {} and cannot be restored", self.read.join(", "));
            self.remarks.push(Remark { kind: ERROR, text });
        }
        std::mem::take(&mut self.remarks)
    }

    fn note_losses(&mut self) {
        for loss in self.reader.take_losses() {
            self.broken = self.broken.saturating_add(1);
            let name = loss.broken.as_ref().map(|(_, name)| shown(name)).unwrap_or_default();
            self.remarks.push(Remark { kind: ERROR, text: loss.line(&name) });
        }
    }

    /// What was read so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        Tally {
            files: self.reader.files(),
            read_bytes: self.reader.bytes(),
            job_bytes: self.reader.bytes(),
            errors: u32::try_from(self.reader.lost()).unwrap_or(u32::MAX).saturating_add(self.broken),
            complete: self.complete,
            spent: u64::try_from(self.spent.as_micros()).unwrap_or(u64::MAX),
            volumes: self.read.clone(),
            ..Tally::default()
        }
    }

    /// Passes on the next block that may hold something wanted to the selection. False when there is none on any volume.
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
            let Some(start) = self.reader.next_start(volume.at()) else {
                self.volume = None;
                continue;
            };
            volume.skip_to(start);
            match volume.read(&mut self.spare)? {
                Next::Block(address) => {
                    let damaged = DiskError::Damaged { path: volume.path().to_owned(), at: address };
                    let block = std::mem::take(&mut self.spare);
                    return self.reader.give_block(block, address).map(|()| true).map_err(|_| damaged);
                }
                Next::End => self.volume = None,
                Next::Damage(_) => {
                    let stretch = volume.pass_over_damage(&mut self.spare)?;
                    let path = volume.path().to_owned();
                    self.tell_damage(&path, &stretch);
                }
            }
        }
    }

    fn tell_damage(&mut self, path: &str, stretch: &Range<u64>) {
        self.reader.skip_damage();
        self.damaged += 1;
        self.first_damage.get_or_insert_with(|| (path.to_owned(), stretch.start));
        if self.damaged <= STRETCHES_TOLD {
            let (start, end, len) = (stretch.start, stretch.end, stretch.end - stretch.start);
            let text =
                format!("{path} cannot be read from byte {start} to {end}: these {len} bytes are passed over (T0552)");
            self.remarks.push(Remark { kind: WARNING, text });
        }
    }

    /// Opens the next volume of the list and checks its label. False when there is none.
    fn next_volume(&mut self) -> Result<bool, DiskError> {
        let Some(name) = self.ahead.pop_front() else { return Ok(false) };
        let mut path = match self.files.get(&name) {
            Some(file) => file.clone(),
            None => volume_path(self.elsewhere.get(&name).unwrap_or(&self.folder), &name)?,
        };
        let mut opened = Stored::open(&path, &self.given_up);
        // Somebody may have moved it to where it is looked for now.
        if self.files.is_empty() && matches!(opened, Err(DiskError::Missing(_))) {
            path = volume_path(&self.folder, &name)?;
            opened = Stored::open(&path, &self.given_up);
        }
        let mut volume = Blocks::new(opened?, path.display().to_string());
        let wrong =
            |found: String| DiskError::WrongVolume { path: path.display().to_string(), wanted: name.clone(), found };
        let mut label = Vec::new();
        match volume.read(&mut label)? {
            Next::Block(_) => {
                VolumeLabel::from_block(&label, &name).map_err(|error| wrong(error.to_string()))?;
            }
            Next::End => return Err(wrong("an empty file".to_owned())),
            // Behind a label that is damaged the blocks say whose they are.
            Next::Damage(_) => {
                let stretch = volume.pass_over_damage(&mut label)?;
                if volume.is_at_end() {
                    return Err(wrong("no volume label".to_owned()));
                }
                self.tell_damage(&path.display().to_string(), &stretch);
            }
        }
        self.reader.begin_volume(&name);
        self.read.push(name);
        self.volume = Some(volume);
        Ok(true)
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
