//! From whole records of a job to what a restore or a check is told of them.

use towline_core::bulk::unpack::{DataPiece, RestoreSink};
use towline_core::wire::attributes::AttributeRecord;
use towline_core::wire::stream::Stream;

/// Which file the records are of.
#[derive(Debug, Default)]
pub(super) struct Feed {
    in_file: bool,
    before: Stream,
}

impl Feed {
    /// Hands a record on. What makes no sense where it stands is dropped, as a file daemon does (`wire/2 §3.2`).
    ///
    /// # Errors
    /// Those of the sink.
    pub(super) fn record<S: RestoreSink>(
        &mut self,
        file_index: i32,
        stream: i32,
        data: &[u8],
        sink: &mut S,
    ) -> Result<(), S::Error> {
        let stream = Stream(stream).kind();
        let before = std::mem::replace(&mut self.before, stream);
        if stream.is_attributes() {
            self.finish(sink)?;
            match AttributeRecord::parse(data) {
                Ok(record) => {
                    self.in_file = true;
                    sink.attributes(&AttributeRecord { file_index, ..record })
                }
                Err(_) => {
                    sink.dropped(stream);
                    Ok(())
                }
            }
        } else if stream.is_data() {
            let follows = before == stream || before.is_attributes() || before == Stream::ENCRYPTION_SESSION;
            self.contents(stream, follows, data, sink)
        } else if stream.is_known() {
            sink.whole(stream, data)
        } else {
            sink.dropped(stream);
            Ok(())
        }
    }

    /// The last file has ended.
    ///
    /// # Errors
    /// Those of the sink.
    pub(super) fn finish<S: RestoreSink>(&mut self, sink: &mut S) -> Result<(), S::Error> {
        if std::mem::take(&mut self.in_file) { sink.end_of_file() } else { Ok(()) }
    }

    fn contents<S: RestoreSink>(
        &self,
        stream: Stream,
        follows: bool,
        data: &[u8],
        sink: &mut S,
    ) -> Result<(), S::Error> {
        let (offset, bytes) = match data.split_first_chunk::<8>() {
            _ if !stream.has_offset() => (None, data),
            Some((offset, bytes)) => (Some(u64::from_be_bytes(*offset)), bytes),
            None => {
                sink.dropped(stream);
                return Ok(());
            }
        };
        if !self.in_file || !follows {
            sink.dropped(stream);
            return Ok(());
        }
        sink.data(DataPiece { stream, offset, bytes, first: true, last: true })
    }
}
