//! The first line of a connection: who calls, and what for (`wire/1 §3`).

use std::fmt;
use std::ops::RangeInclusive;

use super::names::{DEFAULT_CONSOLE, PeerKind, PeerName, bash};
use super::probe;
use super::scan::{MAX_NAME, Scan, lossy, trim_end};

/// The lengths in bytes of a hello that a director accepts (`wire/1 §3`).
pub const DIRECTOR_ACCEPTS: RangeInclusive<usize> = 15..=153;

/// The lengths in bytes of a hello that a storage daemon accepts (`wire/1 §3`).
pub const STORAGE_ACCEPTS: RangeInclusive<usize> = 25..=158;

/// The lengths in bytes of a hello that a file daemon accepts from everybody (`wire/1 §3`).
pub const FILE_ACCEPTS: RangeInclusive<usize> = 25..=256;

/// The longest hello that we send with a version, in bytes: every acceptor takes it (`wire/1 §3`).
pub const LONGEST_WITH_VERSION: usize = 150;

/// What a Towline daemon puts at the end of its hello, and of its challenge to another one. Stock daemons do not look
/// after what they know.
pub const TOWLINE: &str = " Towline=1";

/// What a Towline daemon says, in clear or within TLS, to a peer that has to make room for others before it is
/// authenticated; TERMINATE follows.
pub const CROWDED: &str = "1999 Too many connections are not authenticated yet. Try again.\n";

/// The protocol of file daemons that we speak (`wire/1 §0`).
pub const FILE_PROTOCOL: u32 = 54;

/// What a hello begins with in clear; anything else is TLS or noise (`wire/1 §2.2`).
pub const PREFIX: &[u8] = b"Hello ";

/// The protocol of a file daemon that answers `2000 OK Hello` without a number (`wire/2 §1.3`).
pub const UNNUMBERED_FILE_PROTOCOL: u32 = 0;

/// The version of a console that announces none; it counts as older than 18.2 (`wire/1 §2.3`).
pub const UNDEFINED_VERSION: u32 = 1;

/// Since this version consoles get the messages with record separators (`wire/1 §3.1`).
pub const CONSOLE_18_2: u32 = 1802;

/// Three numbers at the end of a newer hello: ` Version="26.0.0"`. Nothing depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The year.
    pub major: u32,
    /// The release in it.
    pub minor: u32,
    /// The patch.
    pub patch: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// What a hello is for. Names are unbashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A director, or a tray monitor, to a file daemon or a storage daemon.
    Director {
        /// The name of its resource.
        name: String,
    },
    /// A file daemon to its director.
    Client {
        /// The name of its resource.
        name: String,
        /// The protocol it announces; 0 if none.
        protocol: u32,
    },
    /// A file daemon to a storage daemon: a data channel.
    StartJob {
        /// The unique name of the job.
        job: String,
    },
    /// A storage daemon to a passive file daemon: a data channel.
    StorageStartsJob {
        /// The unique name of the job.
        job: String,
    },
    /// A storage daemon to a storage daemon: replication.
    StorageJob {
        /// The unique name of the writing job.
        job: String,
    },
    /// A storage daemon as such. Nobody sends it; its name is known to the TLS decision (`wire/1 §2.3`).
    Storage {
        /// The name of its resource.
        name: String,
    },
    /// A console, or a tray monitor, to a director.
    Console {
        /// The name of its resource, or [`DEFAULT_CONSOLE`].
        name: String,
        /// The full version string; old consoles send none.
        version: Option<String>,
    },
}

impl Purpose {
    /// Whether the data of a job goes over the connection.
    #[must_use]
    pub const fn is_data_channel(&self) -> bool {
        self.job().is_some()
    }

    /// The unique name of the job whose data go over the connection.
    #[must_use]
    pub const fn job(&self) -> Option<&str> {
        match self {
            Self::StartJob { job } | Self::StorageStartsJob { job } | Self::StorageJob { job } => Some(job.as_str()),
            Self::Director { .. } | Self::Client { .. } | Self::Storage { .. } | Self::Console { .. } => None,
        }
    }
}

/// The first line of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Who calls, and what for.
    pub purpose: Purpose,
    /// The version at the end of the line, if there is one.
    pub version: Option<Version>,
}

impl Hello {
    /// Makes a hello.
    pub fn new(purpose: Purpose, version: Version) -> Self {
        Self { purpose, version: Some(version) }
    }

    /// The hello of the console that uses the director's own password.
    pub fn default_console(full_version: impl Into<String>, version: Version) -> Self {
        Self::new(Purpose::Console { name: DEFAULT_CONSOLE.to_owned(), version: Some(full_version.into()) }, version)
    }

    /// The line. The version at its end is left out if the line would become longer than [`LONGEST_WITH_VERSION`].
    pub fn to_line(&self) -> String {
        let words = match &self.purpose {
            Purpose::Director { name } => format!("Hello Director {} calling", bash(name)),
            Purpose::Client { name, protocol: 0 } => format!("Hello Client {} calling", bash(name)),
            Purpose::Client { name, protocol } => {
                format!("Hello Client {} FdProtocolVersion={protocol} calling", bash(name))
            }
            Purpose::StartJob { job } => format!("Hello Start Job {}", bash(job)),
            Purpose::StorageStartsJob { job } => format!("Hello Storage calling Start Job {}", bash(job)),
            Purpose::StorageJob { job } => format!("Hello Start Storage Job {}", bash(job)),
            Purpose::Storage { name } => format!("Hello Storage {} calling", bash(name)),
            Purpose::Console { name, version: None } => format!("Hello {} calling", bash(name)),
            Purpose::Console { name, version: Some(version) } => {
                format!("Hello {} calling version {}", bash(name), bash(version))
            }
        };
        if let Some(version) = self.version {
            let line = format!("{words} Version=\"{version}\"\n");
            if line.len() <= LONGEST_WITH_VERSION {
                return line;
            }
        }
        words + "\n"
    }

    /// The line with [`TOWLINE`] after the version: left out with the version, or if the line would become longer than
    /// [`LONGEST_WITH_VERSION`].
    pub fn to_marked_line(&self) -> String {
        let line = self.to_line();
        match line.strip_suffix("\"\n") {
            Some(bare) if self.version.is_some() && line.len() + TOWLINE.len() <= LONGEST_WITH_VERSION => {
                format!("{bare}\"{TOWLINE}\n")
            }
            _ => line,
        }
    }

    /// Reads a hello in the order of `wire/1 §2.3`, with or without versions. `None` if it is none, if a name is
    /// empty, longer than [`MAX_NAME`] bytes or not UTF-8, or if a console's version is not one.
    pub fn parse(line: &[u8]) -> Option<Self> {
        type Pattern = fn(&mut Scan<'_>) -> Option<Purpose>;
        let patterns: [Pattern; 7] = [storage_starts_job, storage_job, start_job, director, storage, client, console];
        let line = trim_end(super::frame::text(line));
        patterns.into_iter().find_map(|pattern| {
            let mut scan = Scan::new(line);
            let purpose = pattern(&mut scan)?;
            Some(Self { purpose, version: suffix(scan) })
        })
    }

    /// The identity that the caller claims with this line; it must agree with the key that TLS used (`wire/1 §2.7`).
    pub fn identity(&self) -> PeerName {
        match &self.purpose {
            Purpose::Director { name } => PeerName::new(PeerKind::Director, name),
            Purpose::Client { name, .. } => PeerName::new(PeerKind::Client, name),
            Purpose::Storage { name } => PeerName::new(PeerKind::Storage, name),
            Purpose::Console { name, .. } => PeerName::new(PeerKind::Console, name),
            Purpose::StartJob { job } | Purpose::StorageStartsJob { job } | Purpose::StorageJob { job } => {
                PeerName::new(PeerKind::Job, job)
            }
        }
    }

    /// The bytes that this hello, and the challenge that follows, are filled to; `None` unless it is for a job that probes
    /// with packets of a size ([`probe`]).
    pub fn probed_size(&self) -> Option<usize> {
        self.purpose.job().and_then(probe::size)
    }

    /// The version of a console as a number, major * 100 + minor; [`UNDEFINED_VERSION`] for everybody else.
    pub fn console_version(&self) -> u32 {
        match &self.purpose {
            Purpose::Console { version: Some(word), .. } => version_number(word).unwrap_or(UNDEFINED_VERSION),
            _ => UNDEFINED_VERSION,
        }
    }
}

/// Whether a hello or a challenge is a Towline daemon's: `Towline=` and a number other than 0 are its last word.
pub fn is_marked(line: &[u8]) -> bool {
    let line = trim_end(super::frame::text(line));
    let Some(digits) = line.iter().rev().position(|byte| !byte.is_ascii_digit()) else { return false };
    let (words, number) = line.split_at(line.len() - digits);
    words.ends_with(b" Towline=") && number.iter().any(|digit| *digit != b'0')
}

/// The number of a version word: `26.0.0~pre1` is 2600. `None` without two numbers and a dot between them
/// (`wire/1 §2.3`).
pub fn version_number(word: &str) -> Option<u32> {
    let (major, rest) = word.split_once('.')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let major: u32 = major.parse().ok()?;
    let minor: u32 = rest[..digits].parse().ok()?;
    major.checked_mul(100)?.checked_add(minor)
}

/// How the answer of a file daemon to a director or a monitor begins (`wire/1 §3.1`); its protocol may follow.
pub const FILE_ANSWER: &str = "2000 OK Hello";

/// The answer of a file daemon to a director or a monitor (`wire/1 §3.1`).
pub fn file_answer(protocol: u32) -> String {
    format!("{FILE_ANSWER} {protocol}\n")
}

/// The protocol in the answer of a file daemon; `None` for any other line (`wire/1 §3.1`).
pub fn parse_file_answer(line: &[u8]) -> Option<u32> {
    let rest = trim_end(super::frame::text(line)).strip_prefix(FILE_ANSWER.as_bytes())?;
    if rest.is_empty() {
        return Some(UNNUMBERED_FILE_PROTOCOL);
    }
    std::str::from_utf8(rest.strip_prefix(b" ")?).ok()?.parse().ok()
}

/// The refusal of a file daemon (`wire/1 §3.1`).
pub const FILE_REFUSAL: &str = "2999 Authentication failed.\n";

/// The answer of a storage daemon to a director or a monitor (`wire/1 §3.1`).
pub const STORAGE_ANSWER: &str = "3000 OK Hello\n";

/// The refusal of a storage daemon (`wire/1 §3.1`).
pub const STORAGE_REFUSAL: &str = "3999 No go\n";

/// The refusal of a director (`wire/1 §3.1`).
pub const DIRECTOR_REFUSAL: &str = "1999 You are not authorized.\n";

/// The answer of a director to a file daemon that called it (`wire/1 §3.1`). `full` and `date` are its version.
pub fn director_answer(director: &str, full: &str, date: &str) -> String {
    format!("1000 OK: {director} Version: {full} ({date})\n")
}

/// Whether a line is how a director greets a file daemon, or an old console (`wire/1 §8.3`).
#[must_use]
pub fn is_director_answer(line: &[u8]) -> bool {
    line.starts_with(b"1000 OK")
}

fn director(scan: &mut Scan<'_>) -> Option<Purpose> {
    scan.literal("Hello Director")?;
    scan.gap()?;
    let name = name(scan)?;
    scan.literal(" calling")?;
    Some(Purpose::Director { name })
}

fn client(scan: &mut Scan<'_>) -> Option<Purpose> {
    scan.literal("Hello Client")?;
    scan.gap()?;
    let name = name(scan)?;
    let mut numbered = *scan;
    let protocol = match numbered.literal(" FdProtocolVersion=") {
        Some(()) => {
            *scan = numbered;
            scan.u32()
        }
        None => UNNUMBERED_FILE_PROTOCOL,
    };
    scan.literal(" calling")?;
    Some(Purpose::Client { name, protocol })
}

fn start_job(scan: &mut Scan<'_>) -> Option<Purpose> {
    scan.literal("Hello Start Job")?;
    scan.gap()?;
    Some(Purpose::StartJob { job: name(scan)? })
}

fn storage_starts_job(scan: &mut Scan<'_>) -> Option<Purpose> {
    scan.literal("Hello Storage calling Start Job")?;
    scan.gap()?;
    Some(Purpose::StorageStartsJob { job: name(scan)? })
}

fn storage_job(scan: &mut Scan<'_>) -> Option<Purpose> {
    scan.literal("Hello Start Storage Job")?;
    scan.gap()?;
    Some(Purpose::StorageJob { job: name(scan)? })
}

fn storage(scan: &mut Scan<'_>) -> Option<Purpose> {
    scan.literal("Hello Storage")?;
    scan.gap()?;
    let name = name(scan)?;
    scan.literal(" calling")?;
    Some(Purpose::Storage { name })
}

fn console(scan: &mut Scan<'_>) -> Option<Purpose> {
    scan.literal("Hello")?;
    scan.gap()?;
    let name = name(scan)?;
    scan.literal(" calling")?;
    let mut versioned = *scan;
    let version = match versioned.literal(" version ").map(|()| versioned.word(MAX_NAME)) {
        Some(word) if !word.is_empty() => {
            *scan = versioned;
            let word = lossy(word);
            version_number(&word)?;
            Some(word)
        }
        _ => None,
    };
    Some(Purpose::Console { name, version })
}

/// Takes a name that is a whole word, not empty, and UTF-8.
fn name(scan: &mut Scan<'_>) -> Option<String> {
    let word = scan.word(MAX_NAME + 1);
    let usable = !word.is_empty() && word.len() <= MAX_NAME;
    let text = std::str::from_utf8(word).ok().filter(|_| usable)?;
    Some(super::names::unbash(text))
}

fn suffix(mut scan: Scan<'_>) -> Option<Version> {
    scan.literal(" Version=\"")?;
    let major = scan.u32();
    scan.literal(".")?;
    let minor = scan.u32();
    scan.literal(".")?;
    let patch = scan.u32();
    scan.literal("\"")?;
    Some(Version { major, minor, patch })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const V26: Version = Version { major: 26, minor: 0, patch: 0 };

    #[test]
    fn the_mark_is_behind_the_version_and_left_out_of_long_lines() {
        let hello = Hello::new(Purpose::Director { name: "dir".to_owned() }, V26);
        let line = hello.to_marked_line();
        assert_eq!(line, "Hello Director dir calling Version=\"26.0.0\" Towline=1\n");
        assert!(is_marked(line.as_bytes()) && !is_marked(hello.to_line().as_bytes()));
        assert_eq!(Hello::parse(line.as_bytes()), Some(hello));
        for (length, marked) in [(150, true), (151, false)] {
            let name = "x".repeat(length - "Hello Director  calling Version=\"26.0.0\" Towline=1\n".len());
            let line = Hello::new(Purpose::Director { name }, V26).to_marked_line();
            assert_eq!((line.len(), is_marked(line.as_bytes())), (if marked { 150 } else { 141 }, marked));
        }
        let unversioned = Hello { purpose: Purpose::Director { name: "dir".to_owned() }, version: None };
        assert_eq!(unversioned.to_marked_line(), unversioned.to_line());
    }

    #[test]
    fn only_a_whole_mark_at_the_end_counts() {
        for line in ["x Towline=1\n", "x Towline=12\0", "x Towline=1"] {
            assert!(is_marked(line.as_bytes()), "{line:?}");
        }
        for line in ["x Towline=0\n", "x Towline=\n", "xTowline=1\n", "x Towline=1 y\n", "1", ""] {
            assert!(!is_marked(line.as_bytes()), "{line:?}");
        }
    }

    fn job() -> String {
        "backup-tiny.2026-11-23_13.01.31_03".to_owned()
    }

    #[test]
    fn recorded_hellos_are_read_and_written_byte_for_byte() {
        let console = |name: &str| Purpose::Console { name: name.to_owned(), version: Some("26.0.0~pre1".to_owned()) };
        for (line, purpose, identity) in [
            (
                "Hello *UserAgent* calling version 26.0.0~pre1 Version=\"26.0.0\"\n",
                console("*UserAgent*"),
                "R_CONSOLE::*UserAgent*",
            ),
            (
                "Hello admin\x01two calling version 26.0.0~pre1 Version=\"26.0.0\"\n",
                console("admin two"),
                "R_CONSOLE::admin two",
            ),
            (
                "Hello Director bareos-dir calling Version=\"26.0.0\"\n",
                Purpose::Director { name: "bareos-dir".to_owned() },
                "R_DIRECTOR::bareos-dir",
            ),
            (
                "Hello Client bareos-fd FdProtocolVersion=54 calling Version=\"26.0.0\"\n",
                Purpose::Client { name: "bareos-fd".to_owned(), protocol: 54 },
                "R_CLIENT::bareos-fd",
            ),
            (
                "Hello Start Job backup-tiny.2026-11-23_13.01.31_03 Version=\"26.0.0\"\n",
                Purpose::StartJob { job: job() },
                "R_JOB::backup-tiny.2026-11-23_13.01.31_03",
            ),
            (
                "Hello Storage calling Start Job backup-tiny.2026-11-23_13.01.31_03 Version=\"26.0.0\"\n",
                Purpose::StorageStartsJob { job: job() },
                "R_JOB::backup-tiny.2026-11-23_13.01.31_03",
            ),
            (
                "Hello Start Storage Job backup-tiny.2026-11-23_13.01.31_03 Version=\"26.0.0\"\n",
                Purpose::StorageJob { job: job() },
                "R_JOB::backup-tiny.2026-11-23_13.01.31_03",
            ),
        ] {
            let hello = Hello::new(purpose, V26);
            assert_eq!(Hello::parse(line.as_bytes()).as_ref(), Some(&hello), "{line:?}");
            assert_eq!(hello.to_line(), line);
            assert_eq!(hello.identity().to_string(), identity);
        }
    }

    #[test]
    fn older_and_foreign_peers_are_understood() {
        let console = |name: &str, version: Option<&str>| Purpose::Console {
            name: name.to_owned(),
            version: version.map(str::to_owned),
        };
        for (line, purpose, number) in [
            ("Hello admin calling\n", console("admin", None), 1),
            ("Hello admin calling version\n", console("admin", None), 1),
            ("Hello admin calling version 21.1.4\n", console("admin", Some("21.1.4")), 2101),
            ("Hello admin calling version 17.2", console("admin", Some("17.2")), 1702),
            ("Hello Clientele calling\n", console("Clientele", None), 1),
            ("Hello Director calling version 26.0.0\n", console("Director", Some("26.0.0")), 2600),
            ("Hello Director d calling\n", Purpose::Director { name: "d".to_owned() }, 1),
            ("Hello Director d calling\0", Purpose::Director { name: "d".to_owned() }, 1),
            ("Hello Client c calling\n", Purpose::Client { name: "c".to_owned(), protocol: 0 }, 1),
            (
                "Hello Client c FdProtocolVersion=51 calling\n",
                Purpose::Client { name: "c".to_owned(), protocol: 51 },
                1,
            ),
            ("Hello Storage s calling\n", Purpose::Storage { name: "s".to_owned() }, 1),
            ("Hello Start Job j.1\n", Purpose::StartJob { job: "j.1".to_owned() }, 1),
        ] {
            let hello = Hello::parse(line.as_bytes()).unwrap_or_else(|| panic!("{line:?}"));
            assert_eq!(hello, Hello { purpose, version: None }, "{line:?}");
            assert_eq!(hello.console_version(), number, "{line:?}");
        }
    }

    #[test]
    fn what_is_no_hello_is_refused() {
        let long = format!("Hello Director {} calling\n", "x".repeat(128));
        for line in [
            "",
            "Hello",
            "Hello ",
            "Hello  calling\n",
            "hello admin calling\n",
            "Hello admin\n",
            "Hello admin calling version twenty\n",
            "Hello admin calling version 26\n",
            "Hello admin calling version .1\n",
            "Hello Start Job \n",
            "\x16\x03\x01",
            &long,
        ] {
            assert_eq!(Hello::parse(line.as_bytes()), None, "{line:?}");
        }
        assert_eq!(Hello::parse(b"Hello Director \xff calling\n"), None);
    }

    #[test]
    fn the_version_is_dropped_at_151_bytes() {
        let suffix = " Version=\"26.0.0\"".len();
        let fixed = "Hello Director  calling\n".len() + suffix;
        for (name, with) in [(LONGEST_WITH_VERSION - fixed, true), (LONGEST_WITH_VERSION - fixed + 1, false)] {
            let line = Hello::new(Purpose::Director { name: "x".repeat(name) }, V26).to_line();
            assert_eq!(line.contains("Version"), with);
            assert!(line.len() <= LONGEST_WITH_VERSION);
        }
        let job = "x".repeat(MAX_NAME);
        let to_storage = Hello::new(Purpose::StorageJob { job: job.clone() }, V26).to_line();
        assert!(STORAGE_ACCEPTS.contains(&to_storage.len()));
        let to_file = Hello::new(Purpose::StorageStartsJob { job }, V26).to_line();
        assert!(FILE_ACCEPTS.contains(&to_file.len()));
    }

    #[test]
    fn answers_to_a_hello_agree_with_the_recordings() {
        assert_eq!(file_answer(FILE_PROTOCOL), "2000 OK Hello 54\n");
        assert_eq!(parse_file_answer(b"2000 OK Hello 54\n"), Some(54));
        assert_eq!(parse_file_answer(b"2000 OK Hello\n"), Some(0));
        for bad in ["2000 OK Hello54\n", "2000 OK Hello x\n", "2999 Authentication failed.\n", ""] {
            assert_eq!(parse_file_answer(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(
            director_answer("testdir", "26.0.0~pre1", "21 August 2026"),
            "1000 OK: testdir Version: 26.0.0~pre1 (21 August 2026)\n"
        );
    }

    fn purpose() -> impl Strategy<Value = Purpose> {
        let name = "[A-Za-z0-9:._-][A-Za-z0-9 :._-]{0,40}";
        (0..6usize, name, any::<u32>()).prop_map(|(kind, name, protocol)| match kind {
            0 => Purpose::Director { name },
            1 => Purpose::Client { name, protocol },
            2 => Purpose::StartJob { job: name },
            3 => Purpose::StorageStartsJob { job: name },
            4 => Purpose::StorageJob { job: name },
            _ => Purpose::Console { name, version: (protocol > 9).then(|| "26.0.0~pre1".to_owned()) },
        })
    }

    proptest! {
        #[test]
        fn hellos_come_back(purpose in purpose(), major: u32, minor: u32, patch: u32) {
            let hello = Hello::new(purpose, Version { major, minor, patch });
            prop_assert_eq!(Hello::parse(hello.to_line().as_bytes()), Some(hello));
        }

        #[test]
        fn no_bytes_make_the_parser_fail(bytes: Vec<u8>, tail: Vec<u8>) {
            let _ = Hello::parse(&bytes);
            let _ = Hello::parse(&[b"Hello ", &tail[..]].concat());
            let _ = parse_file_answer(&bytes);
        }
    }
}
