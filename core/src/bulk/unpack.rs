//! Unpacking a restore: the file daemon's disk worker is fed with the storage daemon's stream, `wire/2 §3`.

use crate::printable;
use crate::wire::attributes::{AttributeError, AttributeRecord};
use crate::wire::frame::{Decoder, FrameError, Piece, Signal};
use crate::wire::scan::Scan;
use crate::wire::stream::Stream;

/// Longest header frame in bytes: five numbers and a word.
const HEADER_LIMIT: usize = 128;

/// A part of a file's contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataPiece<'a> {
    /// What the bytes are: plain, compressed, encrypted.
    pub stream: Stream,
    /// Where in the file the contents of this record begin, for streams that say so.
    pub offset: Option<u64>,
    /// The next bytes of the record, without the offset before them.
    pub bytes: &'a [u8],
    /// Whether a record begins here; what is compressed is so record by record.
    pub first: bool,
    /// Whether the record ends here.
    pub last: bool,
}

/// What a restore does with what was unpacked. Decides itself what to write; an error ends the stream.
pub trait RestoreSink {
    /// Why it cannot go on.
    type Error;

    /// A file begins.
    fn attributes(&mut self, record: &AttributeRecord<'_>) -> Result<(), Self::Error>;

    /// The next bytes of the file that has begun.
    fn data(&mut self, piece: DataPiece<'_>) -> Result<(), Self::Error>;

    /// A record that is not file contents, whole: ACLs, extended attributes, digests, session keys, plugins.
    fn whole(&mut self, stream: Stream, record: &[u8]) -> Result<(), Self::Error>;

    /// The file that has begun is complete.
    fn end_of_file(&mut self) -> Result<(), Self::Error>;

    /// A record was dropped: its stream is unknown, or file contents came where they may not.
    fn dropped(&mut self, stream: Stream);
}

/// Why a stream cannot be unpacked any further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnpackError<E> {
    /// The frames are broken.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// Something else where a record header should be, such as an error line of the storage daemon.
    #[error("the storage daemon sent {0:?} where a record should begin")]
    NotARecord(String),
    /// The record has another length than its header says.
    #[error("a record of {announced} bytes came with {came}")]
    Length {
        /// As the header says.
        announced: u64,
        /// As it came.
        came: u32,
    },
    /// A FileIndex below 1.
    #[error("a record with file index {0}")]
    FileIndex(i64),
    /// A stream of another file than the current one, without attributes before it.
    #[error("stream {stream} of file {file_index} came before the file's attributes")]
    NoAttributes {
        /// The stream.
        stream: i32,
        /// The file.
        file_index: i32,
    },
    /// The attribute record is broken.
    #[error(transparent)]
    Attributes(#[from] AttributeError),
    /// A record with a file offset is too short for one.
    #[error("a record of stream {0} is too short for its offset")]
    Offset(i32),
    /// A signal that has no business here.
    #[error("unexpected signal {} from the storage daemon", .0.number())]
    Signal(Signal),
    /// The sink could not go on.
    #[error("the restore failed")]
    Sink(E),
}

/// Unpacks the stream of a restore. Holds at most one record that is not file contents.
#[derive(Debug, Default)]
pub struct Unpacker {
    decoder: Decoder,
    line: Vec<u8>,
    record: Option<Current>,
    whole: Vec<u8>,
    file_index: i32,
    last_stream: Stream,
    in_file: bool,
    ended: bool,
    polls: u32,
    record_bytes: u64,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    file_index: i32,
    stream: Stream,
    use_as: Use,
    size: u64,
    /// The offset of a record, as far as it has come.
    offset: [u8; 8],
    offset_have: usize,
    begun: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Attributes,
    Data,
    Whole,
    Drop,
}

impl Unpacker {
    /// An unpacker before the first record.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes, cut anywhere. Returns how many it took: all of them, or those up to the end of the stream.
    ///
    /// # Errors
    /// When the stream breaks its rules or the sink cannot go on. Do not go on then.
    pub fn feed<S: RestoreSink>(&mut self, input: &[u8], sink: &mut S) -> Result<usize, UnpackError<S::Error>> {
        let mut rest = input;
        while !self.ended {
            let Some(piece) = self.decoder.next(&mut rest)? else { break };
            match piece {
                Piece::Signal(signal) => self.signal(signal, sink)?,
                Piece::Data { bytes, last, length, .. } => match self.record {
                    None => self.header(bytes, last, length, sink)?,
                    Some(current) => self.data(current, bytes, last, length, sink)?,
                },
            }
        }
        Ok(input.len() - rest.len())
    }

    /// Whether the stream came to its proper end.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Begins with the stream of another storage daemon for the same restore: counts go on.
    pub fn go_on(&mut self) {
        let (record_bytes, polls) = (self.record_bytes, self.polls);
        *self = Self { record_bytes, polls, ..Self::default() };
    }

    /// How often the peer asked for `2000 OK\n` since the last call.
    pub fn take_polls(&mut self) -> u32 {
        std::mem::take(&mut self.polls)
    }

    /// Bytes of all records so far: `ReadBytes`.
    #[must_use]
    pub const fn record_bytes(&self) -> u64 {
        self.record_bytes
    }

    fn signal<S: RestoreSink>(&mut self, signal: Signal, sink: &mut S) -> Result<(), UnpackError<S::Error>> {
        match signal {
            Signal::Heartbeat | Signal::HeartbeatResponse => Ok(()),
            Signal::Poll => {
                self.polls = self.polls.saturating_add(1);
                Ok(())
            }
            Signal::Eod if self.record.is_none() => {
                self.ended = true;
                self.close_file(sink)
            }
            other => Err(UnpackError::Signal(other)),
        }
    }

    /// Takes a part of a header; what it says counts once all of its frame has come.
    fn header<S: RestoreSink>(
        &mut self,
        bytes: &[u8],
        last: bool,
        length: u32,
        sink: &mut S,
    ) -> Result<(), UnpackError<S::Error>> {
        let room = HEADER_LIMIT.saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
        let is_long = length as usize > HEADER_LIMIT;
        if !last && !is_long {
            return Ok(());
        }
        let (file_index, stream, size) = Some(&self.line)
            .filter(|_| !is_long)
            .and_then(|line| parse_header(line))
            .ok_or_else(|| UnpackError::NotARecord(printable::line_of(self.line.trim_ascii_end())))?;
        self.line.clear();
        let stream = Stream(stream).kind();
        let Some(file_index) = i32::try_from(file_index).ok().filter(|&index| index > 0) else {
            return Err(UnpackError::FileIndex(file_index));
        };
        let begins = stream.is_attributes() || stream == Stream::PLUGIN_NAME;
        if !begins && file_index != self.file_index {
            return Err(UnpackError::NoAttributes { stream: stream.0, file_index });
        }
        let use_as = self.use_of(stream);
        if use_as == Use::Drop {
            sink.dropped(stream);
        }
        let mut current = Current { file_index, stream, use_as, size, offset: [0; 8], offset_have: 0, begun: false };
        if use_as == Use::Data && !stream.has_offset() {
            current.offset_have = 8;
        }
        self.whole.clear();
        self.record = Some(current);
        Ok(())
    }

    /// File contents follow the attributes, the session key or contents of the same stream; elsewhere they are dropped.
    fn use_of(&self, stream: Stream) -> Use {
        if stream.is_attributes() {
            return Use::Attributes;
        }
        if stream.is_data() {
            let follows = self.last_stream == stream
                || self.last_stream.is_attributes()
                || self.last_stream == Stream::ENCRYPTION_SESSION;
            return if self.in_file && follows { Use::Data } else { Use::Drop };
        }
        if stream.is_known() { Use::Whole } else { Use::Drop }
    }

    fn data<S: RestoreSink>(
        &mut self,
        mut current: Current,
        bytes: &[u8],
        last: bool,
        length: u32,
        sink: &mut S,
    ) -> Result<(), UnpackError<S::Error>> {
        if u64::from(length) != current.size {
            return Err(UnpackError::Length { announced: current.size, came: length });
        }
        self.record_bytes += bytes.len() as u64;
        match current.use_as {
            Use::Data => piece(&mut current, bytes, last, sink)?,
            Use::Drop => {}
            Use::Attributes | Use::Whole => {
                // A record that is here at once is not copied.
                let record = if last && self.whole.is_empty() {
                    bytes
                } else {
                    self.whole.extend_from_slice(bytes);
                    &self.whole
                };
                if last && current.use_as == Use::Whole {
                    sink.whole(current.stream, record).map_err(UnpackError::Sink)?;
                } else if last {
                    if std::mem::take(&mut self.in_file) {
                        sink.end_of_file().map_err(UnpackError::Sink)?;
                    }
                    // What was taken together from several jobs may still say its number there (`wire/3 §1.7`).
                    let record = AttributeRecord { file_index: current.file_index, ..AttributeRecord::parse(record)? };
                    sink.attributes(&record).map_err(UnpackError::Sink)?;
                    self.in_file = true;
                }
            }
        }
        self.record = Some(current);
        if last {
            self.record = None;
            self.file_index = current.file_index;
            self.last_stream = current.stream;
        }
        Ok(())
    }

    fn close_file<S: RestoreSink>(&mut self, sink: &mut S) -> Result<(), UnpackError<S::Error>> {
        if std::mem::take(&mut self.in_file) {
            sink.end_of_file().map_err(UnpackError::Sink)?;
        }
        Ok(())
    }
}

/// Hands on a part of a record of file contents, once its offset is complete.
fn piece<S: RestoreSink>(
    current: &mut Current,
    mut bytes: &[u8],
    last: bool,
    sink: &mut S,
) -> Result<(), UnpackError<S::Error>> {
    let missing = current.offset.len() - current.offset_have;
    if missing > 0 {
        let (part, rest) = bytes.split_at(missing.min(bytes.len()));
        current.offset[current.offset_have..][..part.len()].copy_from_slice(part);
        current.offset_have += part.len();
        bytes = rest;
    }
    if current.offset_have < current.offset.len() {
        return if last { Err(UnpackError::Offset(current.stream.0)) } else { Ok(()) };
    }
    if bytes.is_empty() && !last {
        return Ok(());
    }
    let offset = current.stream.has_offset().then_some(u64::from_be_bytes(current.offset));
    let first = !std::mem::replace(&mut current.begun, true);
    let piece = DataPiece { stream: current.stream, offset, bytes, first, last };
    sink.data(piece).map_err(UnpackError::Sink)
}

/// FileIndex, stream and size of `rechdr <VolSessionId> <VolSessionTime> <FileIndex> <Stream> <size>`.
fn parse_header(line: &[u8]) -> Option<(i64, i32, u64)> {
    let mut scan = Scan::new(line);
    scan.literal("rechdr ")?;
    scan.unsigned();
    scan.white();
    scan.unsigned();
    scan.white();
    let file_index = scan.signed();
    scan.white();
    let stream = scan.i32();
    scan.white();
    (!scan.rest().is_empty()).then(|| (file_index, stream, scan.unsigned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame::{put_data, put_signal};

    #[derive(Debug, Default, PartialEq, Eq)]
    struct Log(Vec<String>);

    impl RestoreSink for Log {
        type Error = &'static str;

        fn attributes(&mut self, record: &AttributeRecord<'_>) -> Result<(), Self::Error> {
            self.0.push(format!("file {}", String::from_utf8_lossy(record.name)));
            Ok(())
        }

        fn data(&mut self, piece: DataPiece<'_>) -> Result<(), Self::Error> {
            let text = String::from_utf8_lossy(piece.bytes);
            if piece.first {
                self.0.push(format!("data {} {:?} ", piece.stream, piece.offset));
            }
            let end = if piece.last { "." } else { "" };
            let line = self.0.last_mut().ok_or("data before its first piece")?;
            line.push_str(&format!("{text}{end}"));
            Ok(())
        }

        fn whole(&mut self, stream: Stream, record: &[u8]) -> Result<(), Self::Error> {
            if record == b"refuse" {
                return Err("refused");
            }
            self.0.push(format!("whole {stream} {}", String::from_utf8_lossy(record)));
            Ok(())
        }

        fn end_of_file(&mut self) -> Result<(), Self::Error> {
            self.0.push("end".to_owned());
            Ok(())
        }

        fn dropped(&mut self, stream: Stream) {
            self.0.push(format!("dropped {stream}"));
        }
    }

    fn record(out: &mut Vec<u8>, file_index: i32, stream: i32, data: &[u8]) {
        put_data(out, format!("rechdr 1 1795438888 {file_index} {stream} {}", data.len()).as_bytes());
        put_data(out, data);
    }

    fn stream(records: &[(i32, i32, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for &(file_index, stream, data) in records {
            record(&mut out, file_index, stream, data);
        }
        out
    }

    fn unpack(bytes: &[u8]) -> (Log, Result<usize, UnpackError<&'static str>>) {
        let mut log = Log::default();
        let result = Unpacker::new().feed(bytes, &mut log);
        (log, result)
    }

    fn two_files() -> Vec<u8> {
        let mut out = stream(&[(1, 1, b"1 3 /a\0A\0"), (1, 2, b"contents"), (1, 2, b""), (1, 1008, b"acl")]);
        put_signal(&mut out, Signal::Heartbeat);
        out.extend(stream(&[
            (2, 1, b"2 3 /b\0A\0"),
            (2, 6, b"\0\0\0\0\0\x01\0\0sparse"),
            (2, 6 | 1 << 30, b"\0\0\0\0\0\x02\0\0"),
            (2, 3, b"digest"),
            (2, 2, b"late"),
            (2, 1700, b"what"),
        ]));
        put_signal(&mut out, Signal::Eod);
        out
    }

    #[test]
    fn every_split_gives_the_same_files() {
        let bytes = two_files();
        let (whole, taken) = unpack(&bytes);
        assert_eq!(taken, Ok(bytes.len()));
        assert_eq!(
            whole.0,
            [
                "file /a",
                "data 2 None contents.",
                "data 2 None .",
                "whole 1008 acl",
                "end",
                "file /b",
                "data 6 Some(65536) sparse.",
                "data 6 Some(131072) .",
                "whole 3 digest",
                "dropped 2",
                "dropped 1700",
                "end"
            ]
        );
        for split in 0..=bytes.len() {
            let (mut log, mut unpacker) = (Log::default(), Unpacker::new());
            assert_eq!(unpacker.feed(&bytes[..split], &mut log), Ok(split));
            assert_eq!(unpacker.feed(&bytes[split..], &mut log), Ok(bytes.len() - split));
            assert!(unpacker.has_ended());
            assert_eq!(log, whole, "split at {split}");
        }
        let (mut log, mut unpacker) = (Log::default(), Unpacker::new());
        for byte in &bytes {
            assert_eq!(unpacker.feed(&[*byte], &mut log), Ok(1));
        }
        assert_eq!(log, whole);
    }

    #[test]
    fn a_header_longer_than_its_room_is_refused_wherever_it_is_cut() {
        for len in [HEADER_LIMIT, HEADER_LIMIT + 1, 2 * HEADER_LIMIT] {
            // Its size is that of its own frame, so that what is left of it could pass for its record.
            let mut bytes = Vec::new();
            let header = format!("rechdr 1 2 1 1 {len}");
            put_data(&mut bytes, format!("{header}{}", " ".repeat(len - header.len())).as_bytes());
            for cut in 0..=bytes.len() {
                let (mut log, mut unpacker) = (Log::default(), Unpacker::new());
                let fed = unpacker.feed(&bytes[..cut], &mut log).and_then(|taken| {
                    assert_eq!(taken, cut);
                    unpacker.feed(&bytes[cut..], &mut log)
                });
                let refused = matches!(fed, Err(UnpackError::NotARecord(_)));
                assert!(refused == (len > HEADER_LIMIT) && log.0.is_empty(), "{len} bytes cut at {cut}: {fed:?}");
            }
        }
    }

    #[test]
    fn a_second_stream_may_follow_and_its_bytes_count_too() {
        let bytes = two_files();
        let (mut log, mut unpacker) = (Log::default(), Unpacker::new());
        assert_eq!(unpacker.feed(&bytes, &mut log), Ok(bytes.len()));
        let (once, events) = (unpacker.record_bytes(), log.0.len());
        unpacker.go_on();
        assert!(!unpacker.has_ended());
        assert_eq!(unpacker.feed(&bytes, &mut log), Ok(bytes.len()));
        assert_eq!((unpacker.record_bytes(), log.0.len()), (2 * once, 2 * events));
        unpacker.go_on();
        let headless = stream(&[(2, 2, b"of the file before")]);
        assert!(matches!(unpacker.feed(&headless, &mut log), Err(UnpackError::NoAttributes { .. })));
    }

    #[test]
    fn what_follows_the_end_is_left() {
        let mut bytes = two_files();
        let end = bytes.len();
        put_data(&mut bytes, b"3000 OK close Status = 84\n");
        assert_eq!(unpack(&bytes).1, Ok(end));
    }

    #[test]
    fn a_stream_that_breaks_its_rules_is_refused() {
        let mut cases = vec![
            (stream(&[(1, 2, b"x")]), UnpackError::NoAttributes { stream: 2, file_index: 1 }),
            (stream(&[(0, 1, b"x")]), UnpackError::FileIndex(0)),
            (stream(&[(-4, 1, b"x")]), UnpackError::FileIndex(-4)),
            (stream(&[(1, 1, b"x")]), UnpackError::Attributes(AttributeError::FileIndex)),
            (stream(&[(1, 1, b"1 3 /a\0A\0"), (2, 2, b"x")]), UnpackError::NoAttributes { stream: 2, file_index: 2 }),
            (stream(&[(1, 1, b"1 3 /a\0A\0"), (1, 6, b"short")]), UnpackError::Offset(6)),
            (stream(&[(1, 1, b"1 3 /a\0A\0"), (1, 1998, b"refuse")]), UnpackError::Sink("refused")),
        ];
        let mut wrong = Vec::new();
        put_data(&mut wrong, b"rechdr 1 2 1 1 5");
        put_data(&mut wrong, b"four");
        cases.push((wrong, UnpackError::Length { announced: 5, came: 4 }));
        let mut early = Vec::new();
        put_data(&mut early, b"rechdr 1 2 1 1 5");
        put_signal(&mut early, Signal::Eod);
        cases.push((early, UnpackError::Signal(Signal::Eod)));
        let mut line = Vec::new();
        put_data(&mut line, b"3000 error\n");
        cases.push((line, UnpackError::NotARecord("3000 error".to_owned())));
        for (bytes, error) in cases {
            assert_eq!(unpack(&bytes).1, Err(error), "{bytes:?}");
        }
    }

    #[test]
    fn a_poll_is_counted_and_a_header_without_end_is_refused() {
        let mut bytes = Vec::new();
        put_signal(&mut bytes, Signal::Poll);
        let mut unpacker = Unpacker::new();
        unpacker.feed(&bytes, &mut Log::default()).unwrap();
        assert_eq!((unpacker.take_polls(), unpacker.take_polls()), (1, 0));
        let mut long = 100_000_u32.to_be_bytes().to_vec();
        long.extend([b'x'; 200]);
        assert!(matches!(unpacker.feed(&long, &mut Log::default()), Err(UnpackError::NotARecord(_))));
    }
}
