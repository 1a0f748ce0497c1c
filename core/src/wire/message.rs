//! Job messages, and what else a daemon sends to its director unasked (`wire/2 §4`, `wire/3 §2`).

use crate::printable;

use super::scan::{Scan, sized_line};
use super::status::job_name;

/// The kind of a job message (`wire/3 §2.5`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageKind {
    /// 1
    Abort,
    /// 2
    Debug,
    /// 3: fatal for the job.
    Fatal,
    /// 4
    Error,
    /// 5
    Warning,
    /// 6
    Info,
    /// 7: a file was saved.
    Saved,
    /// 8: a file was not saved.
    NotSaved,
    /// 9: a file was left out.
    Skipped,
    /// 10: somebody must mount a volume.
    Mount,
    /// 11
    ErrorTerm,
    /// 12
    Term,
    /// 13: a file was restored.
    Restored,
    /// 14
    Security,
    /// 15
    Alert,
    /// 16
    VolumeManagement,
    /// 17
    Audit,
    /// 18
    ConfigError,
    /// A number without a meaning here. Make it with [`MessageKind::from_number`] only.
    Other(i32),
}

const KINDS: [MessageKind; 18] = [
    MessageKind::Abort,
    MessageKind::Debug,
    MessageKind::Fatal,
    MessageKind::Error,
    MessageKind::Warning,
    MessageKind::Info,
    MessageKind::Saved,
    MessageKind::NotSaved,
    MessageKind::Skipped,
    MessageKind::Mount,
    MessageKind::ErrorTerm,
    MessageKind::Term,
    MessageKind::Restored,
    MessageKind::Security,
    MessageKind::Alert,
    MessageKind::VolumeManagement,
    MessageKind::Audit,
    MessageKind::ConfigError,
];

impl MessageKind {
    /// The number of its severity for the system's log (RFC 5424 §6.2.1); real daemons take the same.
    #[must_use]
    pub const fn severity(self) -> u8 {
        match self {
            Self::Abort | Self::Fatal => 2,
            Self::Error | Self::ErrorTerm | Self::ConfigError | Self::Other(_) => 3,
            Self::Warning => 4,
            Self::Alert | Self::Audit | Self::Mount | Self::Security | Self::VolumeManagement => 5,
            Self::Info | Self::NotSaved | Self::Restored | Self::Saved | Self::Skipped | Self::Term => 6,
            Self::Debug => 7,
        }
    }

    /// The kind of a number.
    pub fn from_number(number: i32) -> Self {
        KINDS.iter().zip(1..).find(|(_, n)| *n == number).map_or(Self::Other(number), |(kind, _)| *kind)
    }

    /// The number on the wire.
    pub fn number(self) -> i32 {
        match self {
            Self::Other(number) => number,
            known => KINDS.iter().zip(1..).find(|(kind, _)| **kind == known).map_or(0, |(_, number)| number),
        }
    }

    /// What stands before the text of such a message (`wire/2 §4.2`).
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Fatal => "Fatal error: ",
            Self::Error => "Error: ",
            Self::Warning => "Warning: ",
            Self::Security => "Security violation: ",
            _ => "",
        }
    }
}

/// `Jmsg Job=… type=… level=… text`: a message of a job for its director.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobMessage {
    /// The unique name of the job; the receiver goes by the connection, not by it.
    pub job: String,
    /// The kind.
    pub kind: MessageKind,
    /// Seconds since 1970; 0 means now, 1 means to print it without a date.
    pub time: i64,
    /// The text, as a rule with a line feed at its end.
    pub text: String,
}

impl JobMessage {
    /// Makes a message in the usual form: the daemon, the number of the job, the severity, and `text`, to which a line
    /// feed is added. `time` is in seconds since 1970.
    pub fn compose(daemon: &str, job_id: u32, job: &str, kind: MessageKind, time: i64, text: &str) -> Self {
        let text = printable::text(text.trim_end_matches('\n'));
        let size = daemon.len() + text.len() + 48;
        let text = sized_line(size, format_args!("{daemon} JobId {job_id}: {}{text}\n", kind.prefix()));
        Self { job: job.to_owned(), kind, time, text }
    }

    /// The line.
    pub fn to_line(&self) -> String {
        let size = self.job.len() + self.text.len() + 48;
        sized_line(
            size,
            format_args!("Jmsg Job={} type={} level={} {}", self.job, self.kind.number(), self.time, self.text),
        )
    }

    /// Reads the line. Exactly one blank is taken off the front of the text; what may not be
    /// shown to a person is escaped ([`printable::text_of`]).
    pub fn parse(line: &[u8]) -> Option<Self> {
        let mut scan = Scan::new(line);
        scan.literal("Jmsg Job=")?;
        let job = job_name(&mut scan);
        scan.literal(" type=")?;
        let kind = MessageKind::from_number(scan.i32());
        scan.literal(" level=")?;
        let time = scan.signed();
        let text = super::frame::text(scan.rest());
        let text = printable::text_of(text.strip_prefix(b" ").unwrap_or(text));
        Some(Self { job, kind, time, text })
    }
}

/// What a line from a daemon to its director is, told by its first bytes (`wire/2 §4.1`, `wire/3 §2.1`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// It begins with a digit: the answer to a command.
    Answer,
    /// `Jmsg`: a message.
    Message,
    /// `CatReq`: a question to the catalog.
    CatalogRequest,
    /// `UpdCat`: a row for the catalog.
    CatalogUpdate,
    /// `BlastAttr`: an offer to read spooled rows from a file.
    BlastAttributes,
    /// `Status`: a change of the storage daemon's status.
    Status,
    /// None of these: raw text of a daemon without a job, or noise.
    Text,
}

impl Incoming {
    /// Looks at the front of a line. As in the real director the first letter decides, if the line looks like
    /// `<word> Job=`.
    pub fn of(line: &[u8]) -> Self {
        if line.first().is_some_and(u8::is_ascii_digit) {
            return Self::Answer;
        }
        let mut scan = Scan::new(line);
        scan.word(20);
        if scan.literal(" Job=").is_none() {
            return Self::Text;
        }
        match line.first() {
            Some(b'J') => Self::Message,
            Some(b'C') => Self::CatalogRequest,
            Some(b'U') => Self::CatalogUpdate,
            Some(b'B') => Self::BlastAttributes,
            Some(b'S') => Self::Status,
            _ => Self::Text,
        }
    }
}

/// The answer to a poll (`wire/2 §4.1`).
pub const POLLED: &str = "1000 OK\n";

/// The answer to the signal that asks how the peer is (`wire/2 §4.1`).
pub const STATUS_OK: &str = "Status OK\n";

/// The answer to the signal that asks for the clock: microseconds since 1970 (`wire/1 §1.4`).
pub fn clock(microseconds: i64) -> String {
    format!("btime {microseconds}\n")
}

/// The clock of the peer in microseconds since 1970.
pub fn parse_clock(line: &[u8]) -> Option<i64> {
    let mut scan = Scan::new(line);
    scan.literal("btime ")?;
    Some(scan.signed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const JOB: &str = "backup-tiny.2026-11-23_13.01.31_03";

    #[test]
    fn recorded_messages_are_read_and_written_byte_for_byte() {
        for (text, message) in [
            (
                " Encryption: None\n",
                "Jmsg Job=backup-tiny.2026-11-23_13.01.31_03 type=6 level=1795438893 bareos-fd JobId 1:  Encryption: \
                 None\n",
            ),
            (
                "ACL support is enabled\n",
                "Jmsg Job=backup-tiny.2026-11-23_13.01.31_03 type=6 level=1795438893 bareos-fd JobId 1: ACL support \
                 is enabled\n",
            ),
        ] {
            let parsed = JobMessage::parse(message.as_bytes()).unwrap();
            assert_eq!(parsed, JobMessage::compose("bareos-fd", 1, JOB, MessageKind::Info, 1_795_438_893, text));
            assert_eq!(parsed.to_line(), message);
        }
    }

    #[test]
    fn only_one_blank_is_taken_from_the_text() {
        let message = JobMessage::parse(b"Jmsg Job=J type=3 level=-5   indented \xff\n\0").unwrap();
        assert_eq!((message.kind, message.time), (MessageKind::Fatal, -5));
        assert_eq!(message.text, "  indented \\xff\n");
        assert_eq!(JobMessage::parse(b"Jmsg Job=J type=6 level=0").unwrap().text, "");
        assert_eq!(JobMessage::parse(b"Jmsg J type=6 level=0 x"), None);
    }

    #[test]
    fn severities_stand_before_the_text() {
        for (kind, line) in [
            (MessageKind::Fatal, "Jmsg Job=J type=3 level=7 sd JobId 2: Fatal error: no\n"),
            (MessageKind::Error, "Jmsg Job=J type=4 level=7 sd JobId 2: Error: no\n"),
            (MessageKind::Warning, "Jmsg Job=J type=5 level=7 sd JobId 2: Warning: no\n"),
            (MessageKind::Security, "Jmsg Job=J type=14 level=7 sd JobId 2: Security violation: no\n"),
            (MessageKind::Mount, "Jmsg Job=J type=10 level=7 sd JobId 2: no\n"),
        ] {
            assert_eq!(JobMessage::compose("sd", 2, "J", kind, 7, "no").to_line(), line);
        }
        for number in -2..25 {
            assert_eq!(MessageKind::from_number(number).number(), number);
        }
    }

    #[test]
    fn lines_to_the_director_are_told_apart_by_their_first_bytes() {
        for (line, incoming) in [
            ("2000 OK level\n", Incoming::Answer),
            ("3099 Job x end", Incoming::Answer),
            ("Jmsg Job=J type=6 level=1 x", Incoming::Message),
            ("CatReq Job=J FindMedia=1", Incoming::CatalogRequest),
            ("Catreq Job=J UpdateFileList\n", Incoming::CatalogRequest),
            ("UpdCat Job=J FileAttributes ", Incoming::CatalogUpdate),
            ("BlastAttr Job=J File=/x\n", Incoming::BlastAttributes),
            ("Status Job=J JobStatus=70\n", Incoming::Status),
            ("Xyz Job=J\n", Incoming::Text),
            ("Authorization key rejected by 127.0.0.1.\n", Incoming::Text),
            ("Jmsg", Incoming::Text),
            ("", Incoming::Text),
        ] {
            assert_eq!(Incoming::of(line.as_bytes()), incoming, "{line}");
        }
    }

    #[test]
    fn clocks_come_back() {
        assert_eq!(clock(1_795_439_180_000_123), "btime 1795439180000123\n");
        assert_eq!(parse_clock(b"btime 1795439180000123\n"), Some(1_795_439_180_000_123));
        assert_eq!(parse_clock(b"time 1\n"), None);
    }

    proptest! {
        #[test]
        fn messages_come_back(number: i32, time: i64, text in "[^\0]*") {
            let kind = MessageKind::from_number(number);
            let message = JobMessage { job: JOB.to_owned(), kind, time, text };
            let shown = JobMessage { text: printable::text(&message.text).into_owned(), ..message.clone() };
            prop_assert_eq!(JobMessage::parse(message.to_line().as_bytes()), Some(shown));
        }

        #[test]
        fn no_bytes_make_the_parsers_fail(bytes: Vec<u8>) {
            let _ = JobMessage::parse(&bytes);
            let _ = JobMessage::parse(&[b"Jmsg Job=", &bytes[..]].concat());
            let _ = (Incoming::of(&bytes), parse_clock(&bytes));
        }
    }
}
