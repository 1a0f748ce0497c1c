//! The dialogue of a data channel: file daemon or storage daemon to storage daemon (`wire/3 §3`, `wire/3 §4`).

use super::scan::{Scan, put_decimal};

/// Answers to `append data`, `read data` and `replicate data`: begin.
pub const DATA: &str = "3000 OK data\n";
/// How the answer to the opening of a session begins; its ticket follows.
pub const OPENED: &str = "3000 OK open ticket = ";
/// How the answer to the closing of a session begins; its status follows.
pub const CLOSED: &str = "3000 OK close Status = ";
/// At the end of the data of a backup.
pub const APPENDED: &str = "3000 OK append data\n";
/// To `append end session`.
pub const ENDED: &str = "3000 OK end\n";
/// At the end of the data of a replication.
pub const REPLICATED: &str = "3000 OK replicate data\n";
/// To `end replicate`.
pub const REPLICATION_ENDED: &str = "3000 OK end replicate\n";
/// To a command that is none; the session ends.
pub const INVALID: &str = "3900 Invalid command\n";
/// To a second `append open` or `read open`.
pub const ALREADY_OPEN: &str = "3901 Error session already open\n";
/// To a command before `append open` or `read open`.
pub const NOT_OPEN: &str = "3902 Error session not opened\n";
/// To `append data`, and after [`APPEND_FAILED`].
pub const BAD_APPEND: &str = "3903 Error append data\n";
/// At the end of the data when not all of it is safe; [`BAD_APPEND`] follows.
pub const APPEND_FAILED: &str = "3999 Failed append\n";
/// To `read data` when there is nothing to read from.
pub const READ_ERROR: &str = "3000 error\n";
/// To a second `start replicate`.
pub const REPLICATION_OPEN: &str = "3901 Error replicate session already open\n";
/// To a command before `start replicate`.
pub const REPLICATION_NOT_OPEN: &str = "3902 Error replicate session not opened\n";
/// To `replicate data` when it cannot be.
pub const BAD_REPLICATION: &str = "3903 Error replicate data\n";

/// A command on a data channel. A ticket is the session number of the job; nobody checks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataCommand {
    /// Open a session to write.
    AppendOpen,
    /// Streams follow.
    AppendData(u32),
    /// All streams were sent.
    AppendEnd(u32),
    /// Close a session to write; answered by a status and an end of data.
    AppendClose(u32),
    /// Open a session to read.
    ReadOpen(ReadSession),
    /// Send the records.
    ReadData(u32),
    /// Close a session to read.
    ReadClose(u32),
    /// Begin to replicate.
    StartReplicate,
    /// Streams follow.
    ReplicateData(u32),
    /// All is replicated.
    EndReplicate,
}

/// What to read; ignored because a bootstrap was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadSession {
    /// The session of the job.
    pub session_id: u32,
    /// When the storage daemon was started, in seconds since 1970.
    pub session_time: u32,
}

impl DataCommand {
    /// The line.
    pub fn to_line(self) -> String {
        match self {
            Self::AppendOpen => "append open session\n".to_owned(),
            Self::AppendData(ticket) => format!("append data {ticket}\n"),
            Self::AppendEnd(ticket) => format!("append end session {ticket}\n"),
            Self::AppendClose(ticket) => format!("append close session {ticket}\n"),
            Self::ReadOpen(ReadSession { session_id, session_time }) => {
                format!("read open session = DummyVolume {session_id} {session_time} 0 0 0 0\n")
            }
            Self::ReadData(ticket) => format!("read data {ticket}\n"),
            Self::ReadClose(ticket) => format!("read close session {ticket}\n"),
            Self::StartReplicate => "start replicate\n".to_owned(),
            Self::ReplicateData(ticket) => format!("replicate data {ticket}\n"),
            Self::EndReplicate => "end replicate\n".to_owned(),
        }
    }

    /// Reads a line by its beginning; `None` deserves [`INVALID`].
    pub fn parse(line: &[u8]) -> Option<Self> {
        type Make = fn(u32) -> DataCommand;
        let table: [(&str, &str, Make); 9] = [
            ("append open", " session", |_| Self::AppendOpen),
            ("append data", "", Self::AppendData),
            ("append end", " session", Self::AppendEnd),
            ("append close", " session", Self::AppendClose),
            ("read data", "", Self::ReadData),
            ("read close", " session", Self::ReadClose),
            ("start replicate", "", |_| Self::StartReplicate),
            ("replicate data", "", Self::ReplicateData),
            ("end replicate", "", |_| Self::EndReplicate),
        ];
        if line.starts_with(b"read open") {
            return Some(Self::ReadOpen(read_session(line).unwrap_or_default()));
        }
        let (prefix, word, make) = table.into_iter().find(|(prefix, ..)| line.starts_with(prefix.as_bytes()))?;
        let mut scan = Scan::new(&line[prefix.len()..]);
        let ticket = scan.literal(word).map(|()| {
            scan.white();
            scan.u32()
        });
        Some(make(ticket.unwrap_or(0)))
    }
}

/// To `append open` and `read open`.
pub fn opened(ticket: u32) -> String {
    format!("{OPENED}{ticket}\n")
}

/// The ticket in the answer to an open.
pub fn parse_opened(line: &[u8]) -> Option<u32> {
    ticket(line, OPENED)
}

/// To `start replicate`.
pub fn replication_opened(ticket: u32) -> String {
    format!("3000 OK start replicate ticket = {ticket}\n")
}

/// The ticket in the answer to `start replicate`.
pub fn parse_replication_opened(line: &[u8]) -> Option<u32> {
    ticket(line, "3000 OK start replicate ticket = ")
}

/// The head of a stream in a backup or a replication: two numbers and a zero; its records follow, then an end of data
/// (`wire/2 §2.2`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamHead {
    /// The number of the file in its job, from 1.
    pub file_index: i32,
    /// What the records are.
    pub stream: i32,
}

impl StreamHead {
    /// The most bytes of a payload.
    pub const MAX: usize = 25;

    /// Appends the payload of a frame.
    pub fn put(self, out: &mut Vec<u8>) {
        put_decimal(out, self.file_index.into());
        out.push(b' ');
        put_decimal(out, self.stream.into());
        out.extend_from_slice(b" 0");
    }

    /// Reads a payload; both numbers must be there.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let mut scan = Scan::new(payload);
        let file_index = number(&mut scan)?;
        scan.gap()?;
        Some(Self { file_index, stream: number(&mut scan)? })
    }
}

/// `rechdr …`: the head of a record in a restore; one frame of exactly its length follows (`wire/3 §3.4`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordHead {
    /// The session that wrote it.
    pub session_id: u32,
    /// When that storage daemon was started, in seconds since 1970.
    pub session_time: u32,
    /// The number of the file in its job.
    pub file_index: i32,
    /// What the record is.
    pub stream: i32,
    /// Its length in bytes.
    pub length: u32,
}

impl RecordHead {
    /// The most bytes of a payload.
    pub const MAX: usize = 63;

    /// Appends the payload of a frame.
    pub fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"rechdr");
        for number in [
            self.session_id.into(),
            self.session_time.into(),
            self.file_index.into(),
            self.stream.into(),
            self.length.into(),
        ] {
            out.push(b' ');
            put_decimal(out, number);
        }
    }

    /// Reads a payload; all five numbers must be there.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let mut scan = Scan::new(payload);
        scan.literal("rechdr")?;
        let mut next = || {
            scan.gap()?;
            scan.rest().first().filter(|b| b.is_ascii_digit() || **b == b'-')?;
            Some(scan.signed())
        };
        Some(Self {
            session_id: u32::try_from(next()?).ok()?,
            session_time: u32::try_from(next()?).ok()?,
            file_index: i32::try_from(next()?).ok()?,
            stream: i32::try_from(next()?).ok()?,
            length: u32::try_from(next()?).ok()?,
        })
    }
}

fn number(scan: &mut Scan<'_>) -> Option<i32> {
    scan.rest().first().filter(|b| b.is_ascii_digit() || **b == b'-')?;
    i32::try_from(scan.signed()).ok()
}

fn ticket(line: &[u8], pattern: &str) -> Option<u32> {
    let mut scan = Scan::new(line);
    scan.literal(pattern)?;
    Some(scan.u32())
}

fn read_session(line: &[u8]) -> Option<ReadSession> {
    let mut scan = Scan::new(line);
    scan.literal("read open session = ")?;
    scan.word(usize::MAX);
    scan.white();
    let session_id = scan.u32();
    scan.white();
    Some(ReadSession { session_id, session_time: scan.u32() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn recorded_commands_are_read_and_written_byte_for_byte() {
        for (line, command) in [
            ("append open session\n", DataCommand::AppendOpen),
            ("append data 1\n", DataCommand::AppendData(1)),
            ("append end session 1\n", DataCommand::AppendEnd(1)),
            ("append close session 1\n", DataCommand::AppendClose(1)),
            (
                "read open session = DummyVolume 2 1795438888 0 0 0 0\n",
                DataCommand::ReadOpen(ReadSession { session_id: 2, session_time: 1_795_438_888 }),
            ),
            ("read data 2\n", DataCommand::ReadData(2)),
            ("read close session 2\n", DataCommand::ReadClose(2)),
            ("start replicate\n", DataCommand::StartReplicate),
            ("replicate data 3\n", DataCommand::ReplicateData(3)),
            ("end replicate\n", DataCommand::EndReplicate),
        ] {
            assert_eq!(DataCommand::parse(line.as_bytes()), Some(command), "{line:?}");
            assert_eq!(command.to_line(), line);
        }
        assert_eq!(DataCommand::parse(b"append data\n"), Some(DataCommand::AppendData(0)));
        assert_eq!(DataCommand::parse(b"read open\n"), Some(DataCommand::ReadOpen(ReadSession::default())));
        for line in ["", "append", "append x", "read", "run"] {
            assert_eq!(DataCommand::parse(line.as_bytes()), None, "{line:?}");
        }
    }

    #[test]
    fn recorded_answers_agree() {
        assert_eq!(opened(1), "3000 OK open ticket = 1\n");
        assert_eq!(parse_opened(b"3000 OK open ticket = 2\n"), Some(2));
        assert_eq!(parse_opened(ALREADY_OPEN.as_bytes()), None);
        assert_eq!(replication_opened(7), "3000 OK start replicate ticket = 7\n");
        assert_eq!(parse_replication_opened(replication_opened(7).as_bytes()), Some(7));
    }

    #[test]
    fn recorded_heads_are_read_and_written_byte_for_byte() {
        for (payload, file_index, stream) in [("1 1 0", 1, 1), ("1 40 0", 1, 40), ("12 2 0", 12, 2)] {
            let head = StreamHead { file_index, stream };
            assert_eq!(StreamHead::parse(payload.as_bytes()), Some(head));
            let mut out = Vec::new();
            head.put(&mut out);
            assert_eq!(out, payload.as_bytes());
        }
        for payload in ["", "1", "1 ", "x 1 0", "1 x 0", "2147483648 1 0"] {
            assert_eq!(StreamHead::parse(payload.as_bytes()), None, "{payload:?}");
        }
        let payload = "rechdr 1 1795438888 2 1 143";
        let head = RecordHead { session_id: 1, session_time: 1_795_438_888, file_index: 2, stream: 1, length: 143 };
        assert_eq!(RecordHead::parse(payload.as_bytes()), Some(head));
        let mut out = Vec::new();
        head.put(&mut out);
        assert_eq!(out, payload.as_bytes());
        for payload in ["rechdr 1 1795438888 2 1", "rechdr 1 1795438888 2 1 -1", "rechdr 1 2 3 4 x", "1 1 0"] {
            assert_eq!(RecordHead::parse(payload.as_bytes()), None, "{payload:?}");
        }
    }

    #[test]
    fn no_head_is_longer_than_its_maximum() {
        let mut out = Vec::new();
        StreamHead { file_index: i32::MIN, stream: i32::MIN }.put(&mut out);
        assert_eq!(out.len(), StreamHead::MAX);
        out.clear();
        let most = u32::MAX;
        let head =
            RecordHead { session_id: most, session_time: most, file_index: i32::MIN, stream: i32::MIN, length: most };
        head.put(&mut out);
        assert_eq!(out.len(), RecordHead::MAX);
    }

    proptest! {
        #[test]
        fn heads_come_back(numbers: [u32; 3], file_index: i32, stream: i32) {
            let [session_id, session_time, length] = numbers;
            let mut out = Vec::new();
            let head = RecordHead { session_id, session_time, file_index, stream, length };
            head.put(&mut out);
            prop_assert_eq!(RecordHead::parse(&out), Some(head));
            out.clear();
            let head = StreamHead { file_index, stream };
            head.put(&mut out);
            prop_assert_eq!(StreamHead::parse(&out), Some(head));
        }

        #[test]
        fn no_bytes_make_the_parsers_fail(bytes: Vec<u8>, head in 0..5usize) {
            let heads = ["", "append data", "read open session = ", "rechdr ", "3000 OK open ticket = "];
            let line = [heads[head].as_bytes(), &bytes[..]].concat();
            let _ = (DataCommand::parse(&line), StreamHead::parse(&line), RecordHead::parse(&line));
            let _ = parse_opened(&line);
        }
    }
}
