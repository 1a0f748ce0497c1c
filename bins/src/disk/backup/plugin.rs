//! What the plugin bpipe saves: one file, whose bytes a command writes (wire/2 §2.12).

use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};

use towline_core::bulk::pack::Packer;
use towline_core::bulk::refused::Refused;
use towline_core::wire::attributes::{NewAttributes, Stat};
use towline_core::wire::command::split;
use towline_core::wire::digest::{Algorithm, Digest, Hasher};
use towline_core::wire::fileset::{Compression, FileSet, Options};
use towline_core::wire::plugin::{self, BPIPE, Bpipe, PluginRecord};
use towline_core::wire::stream::{FileType, Stream};

use super::pour::{FIRST, Unread, pour};
use super::{FillError, Work};
use crate::process::{Broken, Means, Source, ending};

/// A plugin's file is a regular one that only its owner may touch.
const MODE: u32 = 0o100_700;

/// A file that is to be saved, or is being saved.
#[derive(Debug)]
pub(super) struct PluginFile {
    definition: String,
    bpipe: Bpipe,
    algorithm: Option<Algorithm>,
    compression: Option<Compression>,
    stage: Stage,
    /// Plain bytes of a compressed record that is made and not yet packed.
    pending: Option<u64>,
    digest: Option<Digest>,
}

#[derive(Debug)]
enum Stage {
    Name,
    Attributes,
    Data(Box<Source>),
    Digest,
    End,
}

/// What the fileset saves with plugins.
///
/// # Errors
/// One of them cannot be used here.
pub(super) fn files(fileset: &FileSet, means: &Means) -> Result<VecDeque<PluginFile>, Refused> {
    let mut found = VecDeque::new();
    for include in &fileset.includes {
        let options = include.options.last().map_or_else(Options::default, |block| block.options.clone());
        for definition in &include.plugins {
            let bpipe = definition_of(definition, means)?;
            found.push_back(PluginFile {
                definition: definition.clone(),
                bpipe,
                algorithm: options.digest,
                compression: options.compression,
                stage: Stage::Name,
                pending: None,
                digest: None,
            });
        }
    }
    Ok(found)
}

/// What a definition says, with the options of the job, if its plugin may be used.
///
/// # Errors
/// Why it cannot be.
pub(in crate::disk) fn definition_of(definition: &str, means: &Means) -> Result<Bpipe, Refused> {
    if plugin::name(definition) != BPIPE {
        return Err(Refused::Plugin(definition.to_owned()));
    }
    if !means.permits.plugins.iter().any(|name| name == BPIPE) {
        return Err(Refused::Forbidden(definition.to_owned()));
    }
    Bpipe::parse(&plugin::with_options(definition, &means.permits.options))
        .map_err(|why| Refused::Definition { plugin: definition.to_owned(), why })
}

impl PluginFile {
    /// Under which name it stands in the catalog.
    pub(super) fn name(&self) -> &[u8] {
        self.bpipe.file.as_bytes()
    }

    /// Packs as much of it as the parcel takes.
    ///
    /// # Errors
    /// The parcel is full, or its command has failed.
    pub(super) fn pump(&mut self, packer: &mut Packer, work: &mut Work, means: &Means) -> Result<(), FillError> {
        loop {
            match &mut self.stage {
                Stage::Name => {
                    let mut record = Vec::new();
                    let index = packer.next_index()?;
                    PluginRecord::Begin(index, self.definition.as_bytes()).put(&mut record);
                    packer.record_of_next(Stream::PLUGIN_NAME, &record)?;
                    self.stage = Stage::Attributes;
                }
                Stage::Attributes => {
                    let stat = self.stat();
                    let attributes = NewAttributes {
                        file_type: FileType::Regular,
                        name: self.bpipe.file.as_bytes(),
                        stat: &stat,
                        link: b"",
                        attrs_ex: b"",
                        delta_seq: 0,
                    };
                    // With room for the beginning of its data.
                    packer.begin_file_with_data(&attributes, FIRST)?;
                    work.hasher = self.algorithm.map(Hasher::new);
                    let source = Source::start(&split(&self.bpipe.reader), &means.permits.folders, &means.variables());
                    let source = source.map_err(|outcome| self.failed(ending(&outcome, "").unwrap_or_default()))?;
                    self.stage = Stage::Data(Box::new(source));
                    packer.begin_data(self.stream())?;
                }
                Stage::Data(source) => {
                    let given_up = means.given_up.as_ref();
                    let mut read = |room: &mut [u8]| source.read(room, given_up, None);
                    let more = pour(&mut read, self.compression, &mut self.pending, packer, work);
                    if !more.map_err(|why| self.broken(why))? {
                        self.end_data(packer, work)?;
                    }
                }
                Stage::Digest => {
                    if let Some(digest) = self.digest {
                        packer.record(digest.algorithm().stream(), digest.as_bytes())?;
                    }
                    self.stage = Stage::End;
                }
                Stage::End => {
                    let mut record = Vec::new();
                    PluginRecord::End(packer.index()).put(&mut record);
                    return Ok(packer.record(Stream::PLUGIN_NAME, &record)?);
                }
            }
        }
    }

    fn end_data(&mut self, packer: &mut Packer, work: &mut Work) -> Result<(), FillError> {
        packer.end_data()?;
        self.digest = work.hasher.take().map(|mut hasher| hasher.finish());
        let Stage::Data(source) = std::mem::replace(&mut self.stage, Stage::Digest) else { return Ok(()) };
        let (outcome, errors) = source.finish();
        match ending(&outcome, &errors) {
            Some(why) => Err(self.failed(why)),
            None => Ok(()),
        }
    }

    fn stream(&self) -> Stream {
        if self.compression.is_some() { Stream::COMPRESSED } else { Stream::FILE_DATA }
    }

    fn stat(&self) -> Stat {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        // Nobody knows its size before its end.
        Stat {
            mode: MODE,
            size: -1,
            blksize: 4096,
            blocks: 1,
            atime: now,
            mtime: now,
            ctime: now,
            data_stream: self.stream(),
            ..Stat::default()
        }
    }

    fn failed(&self, why: String) -> FillError {
        FillError::Plugin { command: self.bpipe.reader.clone(), why }
    }

    fn broken(&mut self, why: Unread) -> FillError {
        match why {
            Unread::Pack(error) => error.into(),
            Unread::Broken(Broken::Failed(error)) => self.failed(error.to_string()),
            Unread::Broken(Broken::GivenUp | Broken::TooLong) => {
                if let Stage::Data(source) = std::mem::replace(&mut self.stage, Stage::End) {
                    source.stop();
                }
                self.failed("it was ended with its job".to_owned())
            }
            Unread::Uncompressed => self.failed("what it writes could not be compressed".to_owned()),
        }
    }
}

impl Drop for PluginFile {
    fn drop(&mut self) {
        if let Stage::Data(source) = std::mem::replace(&mut self.stage, Stage::End) {
            source.stop();
        }
    }
}
