//! Takes what the unpacker of the storage daemon's stream produces (wire/2 §3.2).

use std::convert::Infallible;

use towline_core::bulk::refused::Refused;
use towline_core::bulk::unpack::{DataPiece, RestoreSink};
use towline_core::wire::attributes::AttributeRecord;
use towline_core::wire::stream::{FileType, Stream};

use super::RestoreTarget;
use crate::disk::compression::decompressor::{is_compressed, is_supported};
use crate::disk::notice::shown;

impl RestoreSink for RestoreTarget {
    type Error = Infallible;

    fn attributes(&mut self, record: &AttributeRecord<'_>) -> Result<(), Infallible> {
        if self.refused.is_some() || self.begin_plugged(record.name) {
            return Ok(());
        }
        if is_encrypted(record.stat().data_stream) {
            self.refused = Some(Refused::Encrypted(shown(record.name)));
            return Ok(());
        }
        let (name, link) = self.order.relocation.names_of(record, self.order.prefix_links);
        let record = &AttributeRecord { name: &name, link: &link, ..*record };
        if !name.starts_with(b"/") && !self.order.relocation.is_empty() {
            self.end_entry();
            self.ledger.error(record.name, "is no absolute path after its name was changed; not restored (T0723)");
            self.ledger.not_made(record.name);
            return Ok(());
        }
        let stat = record.stat();
        let has_data = record.kind() == Some(FileType::Regular) && stat.size > 0;
        if has_data && !is_supported(stat.data_stream) && stat.data_stream.kind() != Stream(0) {
            self.end_entry();
            self.ledger.error(record.name, unsupported(stat.data_stream));
            self.ledger.not_made(record.name);
            if let Ok(path) = super::beneath::relative(record.name) {
                self.missing.insert(&path);
            }
        } else {
            self.entry(record);
        }
        Ok(())
    }

    fn data(&mut self, piece: DataPiece<'_>) -> Result<(), Infallible> {
        if self.refused.is_some() {
            return Ok(());
        }
        if is_plain(piece.stream) {
            if self.write_plugged(piece.bytes) {
                return Ok(());
            }
            self.data(piece.offset.filter(|_| piece.first), piece.bytes);
            return Ok(());
        }
        if self.is_plugged() && is_compressed(piece.stream) {
            match self.decompressor.take(piece.stream, piece.bytes, piece.first, piece.last) {
                Ok(Some(plain)) => {
                    let plain = plain.to_vec();
                    self.write_plugged(&plain);
                }
                Ok(None) => {}
                Err(why) => self.refuse(&why.to_string()),
            }
            return Ok(());
        }
        let Some(current) = &mut self.current else { return Ok(()) };
        if !is_compressed(piece.stream) {
            current.fail(&unsupported(piece.stream), &mut self.ledger);
            return Ok(());
        }
        match self.decompressor.take(piece.stream, piece.bytes, piece.first, piece.last) {
            Ok(Some(plain)) => current.write(piece.offset, plain, &mut self.digests, &mut self.ledger),
            Ok(None) => {}
            Err(why) => current.fail(&why.to_string(), &mut self.ledger),
        }
        Ok(())
    }

    fn whole(&mut self, stream: Stream, record: &[u8]) -> Result<(), Infallible> {
        match stream.kind() {
            _ if self.refused.is_some() => {}
            Stream::PLUGIN_NAME => self.plugin_record(record),
            other if self.is_plugged() && other.is_digest() => {}
            Stream::ACL_LINUX_ACCESS | Stream::ACL_ACCESS_LEGACY => self.acl(false, record),
            Stream::ACL_LINUX_DEFAULT | Stream::ACL_DEFAULT_LEGACY => self.acl(true, record),
            Stream::XATTR_LINUX => self.xattrs(record),
            Stream::DAMAGED => self.damaged("records of it are damaged on the volume: it is not complete (T0551)"),
            Stream::SIGNED_DIGEST | Stream::ENCRYPTION_SESSION => {}
            other if other.is_digest() => self.digest(other, record),
            other if other.is_acl() || other.is_xattr() => {
                self.refuse(&format!("attributes of another system (stream {other}) are not restored"));
            }
            other => self.refuse(&format!("a record of stream {other} is not restored")),
        }
        Ok(())
    }

    fn end_of_file(&mut self) -> Result<(), Infallible> {
        if self.is_plugged() {
            self.end_plugged();
        }
        self.end_entry();
        Ok(())
    }

    fn dropped(&mut self, stream: Stream) {
        self.refuse(&format!("a record of stream {stream} came where it may not, or is of no known kind"));
    }
}

/// Whether records of this stream hold what only the keys of the client that saved them can read.
fn is_encrypted(stream: Stream) -> bool {
    matches!(stream.kind(), Stream::ENCRYPTED | Stream::ENCRYPTED_GZIP_LEGACY | Stream::ENCRYPTED_COMPRESSED)
}

fn is_plain(stream: Stream) -> bool {
    matches!(stream.kind(), Stream::FILE_DATA | Stream::SPARSE)
}

fn unsupported(stream: Stream) -> String {
    format!("its data (stream {stream}) is encrypted or of another system, which is not supported; not restored")
}
