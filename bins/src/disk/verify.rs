//! Looks through what the storage daemon sends of a volume, and writes nothing (wire/2 §1.12). The core says what is told
//! of it; here compressed data become plain.

use std::convert::Infallible;

use towline_core::bulk::unpack::{DataPiece, RestoreSink};
use towline_core::bulk::verifier::Verifier;
use towline_core::wire::attributes::AttributeRecord;
use towline_core::wire::fileset::FileSet;
use towline_core::wire::stream::Stream;

use super::compression::decompressor::{Decompressor, Unable, is_compressed};

/// A verification under way.
#[derive(Debug)]
pub struct VerifyTarget {
    /// What is told of it.
    pub verifier: Verifier,
    decompressor: Decompressor,
}

impl VerifyTarget {
    /// One of a backup of this fileset.
    #[must_use]
    pub fn new(fileset: &FileSet) -> Self {
        Self { verifier: Verifier::new(fileset), decompressor: Decompressor::default() }
    }
}

impl RestoreSink for VerifyTarget {
    type Error = Infallible;

    fn attributes(&mut self, record: &AttributeRecord<'_>) -> Result<(), Infallible> {
        self.verifier.attributes(record)
    }

    fn data(&mut self, piece: DataPiece<'_>) -> Result<(), Infallible> {
        if !is_compressed(piece.stream) {
            return self.verifier.data(piece);
        }
        match self.decompressor.take(piece.stream, piece.bytes, piece.first, piece.last) {
            Ok(Some(plain)) => self.verifier.plain(plain),
            Ok(None) => {}
            Err(Unable::Unknown(_)) => self.verifier.unreadable(),
            Err(why) => self.verifier.damaged(&why.to_string()),
        }
        Ok(())
    }

    fn whole(&mut self, stream: Stream, record: &[u8]) -> Result<(), Infallible> {
        self.verifier.whole(stream, record)
    }

    fn end_of_file(&mut self) -> Result<(), Infallible> {
        self.verifier.end_of_file()
    }

    fn dropped(&mut self, stream: Stream) {
        self.verifier.dropped(stream);
    }
}
