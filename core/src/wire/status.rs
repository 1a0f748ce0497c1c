//! Statuses, types and levels of jobs, and the lines that carry them (`wire/2 §0.4`, `wire/2 §1.1`, `wire/3 §0.4`).

use super::scan::{MAX_NAME, Scan, lossy};
use super::session::CLOSED;

/// An enumeration of letters; on the wire each is its decimal ASCII code.
macro_rules! letters {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $letter:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// A letter without a meaning here. Make it with `from_letter` only.
            Other(u8),
        }

        impl $name {
            /// All that have a meaning.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The meaning of a letter.
            pub fn from_letter(letter: u8) -> Self {
                match letter {
                    $($letter => Self::$variant,)*
                    other => Self::Other(other),
                }
            }

            /// The letter.
            pub fn letter(self) -> u8 {
                match self {
                    $(Self::$variant => $letter,)*
                    Self::Other(letter) => letter,
                }
            }

            /// The meaning of the decimal code on the wire; `None` for what is no byte.
            pub fn from_code(code: i64) -> Option<Self> {
                u8::try_from(code).ok().map(Self::from_letter)
            }

            /// The decimal code on the wire.
            pub fn code(self) -> i32 {
                i32::from(self.letter())
            }
        }
    };
}

letters! {
    /// The status of a job.
    JobStatus {
        /// Ended well.
        Ok = b'T',
        /// Ended well, with warnings.
        Warnings = b'W',
        /// Ended in error.
        Error = b'E',
        /// Ended by a fatal error.
        Fatal = b'f',
        /// An error that does not end it.
        NonFatal = b'e',
        /// Canceled.
        Canceled = b'A',
        /// A verification found differences.
        Differences = b'D',
        /// Incomplete, can be continued.
        Incomplete = b'I',
        /// Created, not running yet.
        Created = b'C',
        /// Running.
        Running = b'R',
        /// Blocked.
        Blocked = b'B',
        /// Waits for the file daemon.
        WaitFile = b'F',
        /// Waits for the storage daemon.
        WaitStorage = b'S',
        /// Waits for new media.
        WaitMedia = b'm',
        /// Waits for a mount.
        WaitMount = b'M',
        /// Waits for a storage resource.
        WaitStorageResource = b's',
        /// Waits for a job resource.
        WaitJobResource = b'j',
        /// Waits for a client resource.
        WaitClientResource = b'c',
        /// Waits while as many jobs run as may.
        WaitMaxJobs = b'd',
        /// Waits for its start time.
        WaitStartTime = b't',
        /// Waits for jobs of higher priority.
        WaitPriority = b'p',
        /// Waits for a device.
        WaitDevice = b'q',
        /// Commits data.
        DataCommitting = b'L',
        /// Writes spooled data to the volume.
        DataDespooling = b'l',
        /// Sends spooled attributes.
        AttributeDespooling = b'a',
        /// Inserts attributes into the catalog.
        AttributeInserting = b'i',
    }
}

letters! {
    /// The type of a job.
    JobType {
        /// Backup.
        Backup = b'B',
        /// A job whose data was migrated away.
        Migrated = b'M',
        /// Verify.
        Verify = b'V',
        /// Restore.
        Restore = b'R',
        /// A console's.
        Console = b'U',
        /// The system's.
        System = b'I',
        /// Administration.
        Admin = b'D',
        /// Archive.
        Archive = b'A',
        /// The copy of a job.
        JobCopy = b'C',
        /// A job that copies.
        Copy = b'c',
        /// A job that migrates.
        Migrate = b'g',
        /// A scan of volumes.
        Scan = b'S',
        /// Consolidation.
        Consolidate = b'O',
    }
}

letters! {
    /// The level of a job.
    JobLevel {
        /// Everything.
        Full = b'F',
        /// What changed since the last full.
        Differential = b'D',
        /// What changed since the last backup.
        Incremental = b'I',
        /// What changed since a time.
        Since = b'S',
        /// A full made of older jobs.
        VirtualFull = b'f',
        /// Base.
        Base = b'B',
        /// Verify: initialise the catalog.
        VerifyInit = b'V',
        /// Verify: against the catalog.
        VerifyCatalog = b'C',
        /// Verify: a volume against the catalog.
        VerifyVolume = b'O',
        /// Verify: disk against the catalog.
        VerifyDisk = b'd',
        /// Verify: data of a volume.
        VerifyData = b'A',
        /// No level, as in a restore.
        None = b' ',
    }
}

impl JobStatus {
    /// What a program that waited for the job ends with: 0 well, 1 with warnings, 2 otherwise.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warnings => 1,
            _ => 2,
        }
    }

    /// The status after `new` was reported: it replaces the old one if it ranks higher, or if neither has a rank, so
    /// the first error among equals stays (`wire/2 §0.4`).
    #[must_use]
    pub fn merge(self, new: Self) -> Self {
        if new.rank() > self.rank() || (new.rank() == 0 && self.rank() == 0) { new } else { self }
    }

    /// The worse of two final statuses, the first if they rank the same, but with warnings worse than without.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        let order = |status: Self| (status.rank(), status == Self::Warnings, status != Self::Ok);
        if order(other) > order(self) { other } else { self }
    }

    /// Whether the job counts as canceled everywhere: canceled, error or fatal.
    pub fn is_canceled(self) -> bool {
        matches!(self, Self::Canceled | Self::Error | Self::Fatal)
    }

    /// Whether the job ended well, with or without warnings.
    pub fn is_ok(self) -> bool {
        matches!(self, Self::Ok | Self::Warnings)
    }

    fn rank(self) -> u8 {
        match self {
            Self::Incomplete => 10,
            Self::Error | Self::Fatal | Self::Canceled => 9,
            Self::NonFatal => 8,
            Self::Differences => 7,
            _ => 0,
        }
    }
}

/// `Status Job=… JobStatus=…`: a storage daemon reports a change (`wire/3 §2.5`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusLine {
    /// The unique name of the job; the receiver goes by the connection, not by it.
    pub job: String,
    /// The new status.
    pub status: JobStatus,
}

impl StatusLine {
    /// The line.
    pub fn to_line(&self) -> String {
        format!("Status Job={} JobStatus={}\n", self.job, self.status.code())
    }

    /// Reads the line.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let mut scan = Scan::new(line);
        scan.literal("Status Job=")?;
        let job = job_name(&mut scan);
        scan.literal(" JobStatus=")?;
        Some(Self { job, status: JobStatus::from_code(scan.signed())? })
    }
}

/// `2800 End Job …`: what a file daemon did (`wire/2 §1.1`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndJob {
    /// How it ended.
    pub status: JobStatus,
    /// Files.
    pub files: u32,
    /// Bytes read from disk, or from the storage daemon.
    pub read_bytes: u64,
    /// Bytes sent, or written to disk.
    pub bytes: u64,
    /// Errors.
    pub errors: u32,
    /// Whether a snapshot was used.
    pub vss: bool,
    /// Whether data was encrypted.
    pub encrypted: bool,
}

impl EndJob {
    /// The line.
    pub fn to_line(&self) -> String {
        format!(
            "2800 End Job TermCode={} JobFiles={} ReadBytes={} JobBytes={} Errors={} VSS={} Encrypt={}\n",
            self.status.code(),
            self.files,
            self.read_bytes,
            self.bytes,
            self.errors,
            u8::from(self.vss),
            u8::from(self.encrypted),
        )
    }

    /// Reads the line; all seven fields must be there.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let mut scan = Scan::new(line);
        scan.literal("2800 End Job TermCode=")?;
        let status = JobStatus::from_code(scan.signed())?;
        scan.literal(" JobFiles=")?;
        let files = scan.u32();
        scan.literal(" ReadBytes=")?;
        let read_bytes = scan.unsigned();
        scan.literal(" JobBytes=")?;
        let bytes = scan.unsigned();
        scan.literal(" Errors=")?;
        let errors = scan.u32();
        scan.literal(" VSS=")?;
        let vss = scan.flag();
        scan.literal(" Encrypt=")?;
        Some(Self { status, files, read_bytes, bytes, errors, vss, encrypted: scan.flag() })
    }
}

/// `3010 Job … start`: a storage daemon begins (`wire/3 §1.3.10`).
pub fn job_starts(job: &str) -> String {
    format!("3010 Job {job} start\n")
}

/// The job of `3010 Job … start`.
pub fn parse_job_starts(line: &[u8]) -> Option<String> {
    let mut scan = Scan::new(line);
    scan.literal("3010 Job ")?;
    let job = job_name(&mut scan);
    scan.literal(" start")?;
    Some(job)
}

/// `3099 Job … end …`: what a storage daemon did (`wire/3 §1.3.10`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageEnd {
    /// The unique name of the job; after a local copy that of the copied job.
    pub job: String,
    /// How it ended.
    pub status: JobStatus,
    /// The highest file index written; 0 in a restore.
    pub files: u32,
    /// The bytes of all records written; 0 in a restore.
    pub bytes: u64,
    /// Errors.
    pub errors: u32,
}

impl StorageEnd {
    /// The line.
    pub fn to_line(&self) -> String {
        format!(
            "3099 Job {} end JobStatus={} JobFiles={} JobBytes={} JobErrors={}\n",
            self.job,
            self.status.code(),
            self.files,
            self.bytes,
            self.errors
        )
    }

    /// Reads the line.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let mut scan = Scan::new(line);
        scan.literal("3099 Job ")?;
        let job = job_name(&mut scan);
        scan.literal(" end JobStatus=")?;
        let status = JobStatus::from_code(scan.signed())?;
        scan.literal(" JobFiles=")?;
        let files = scan.u32();
        scan.literal(" JobBytes=")?;
        let bytes = scan.unsigned();
        scan.literal(" JobErrors=")?;
        Some(Self { job, status, files, bytes, errors: scan.u32() })
    }
}

/// One job in the answer to `.status current` or `.status last` (`wire/2 §5.2`, `wire/3 §8.3`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobInStatus {
    /// The number of the job.
    pub job_id: u32,
    /// Its status, as a letter on the wire.
    pub status: JobStatus,
    /// Its errors.
    pub errors: u32,
}

impl JobInStatus {
    /// The line.
    pub fn to_line(&self) -> String {
        let letter = char::from(self.status.letter());
        format!("JobId={} JobStatus={letter} JobErrors={}\n", self.job_id, self.errors)
    }

    /// Reads the line.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let mut scan = Scan::new(line);
        scan.literal("JobId=")?;
        let job_id = scan.u32();
        scan.literal(" JobStatus=")?;
        let status = JobStatus::from_letter(*scan.word(1).first()?);
        scan.literal(" JobErrors=")?;
        Some(Self { job_id, status, errors: scan.u32() })
    }
}

/// The answer to `append close session` and `read close session` (`wire/3 §3.3`).
pub fn close_answer(status: JobStatus) -> String {
    format!("{CLOSED}{}\n", status.code())
}

/// The status in the answer to a close.
pub fn parse_close_answer(line: &[u8]) -> Option<JobStatus> {
    let mut scan = Scan::new(line);
    scan.literal(CLOSED)?;
    JobStatus::from_code(scan.signed())
}

/// Takes the unique name of a job, which is not bashed.
pub(super) fn job_name(scan: &mut Scan<'_>) -> String {
    lossy(scan.word(MAX_NAME))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const JOB: &str = "backup-tiny.2026-11-23_13.01.31_03";

    #[test]
    fn letters_and_codes_agree_with_the_notes() {
        for (status, code) in [
            (JobStatus::Ok, 84),
            (JobStatus::Warnings, 87),
            (JobStatus::Error, 69),
            (JobStatus::Fatal, 102),
            (JobStatus::Canceled, 65),
            (JobStatus::Differences, 68),
            (JobStatus::Incomplete, 73),
            (JobStatus::Running, 82),
            (JobStatus::WaitFile, 70),
            (JobStatus::WaitStorage, 83),
            (JobStatus::WaitMedia, 109),
        ] {
            assert_eq!(status.code(), code);
            assert_eq!(JobStatus::from_code(i64::from(code)), Some(status));
        }
        assert_eq!(JobStatus::ALL.len(), 26);
        assert_eq!((JobType::Copy.code(), JobType::Migrate.code(), JobType::Restore.code()), (99, 103, 82));
        assert_eq!((JobLevel::None.code(), JobLevel::Full.code()), (32, 70));
        assert_eq!(JobStatus::from_code(256), None);
        assert_eq!(JobStatus::from_code(-1), None);
        assert_eq!(JobStatus::from_letter(b'?'), JobStatus::Other(b'?'));
    }

    #[test]
    fn the_first_error_wins_among_equals() {
        use JobStatus::*;
        for (old, new, result) in [
            (Created, Running, Running),
            (Running, Ok, Ok),
            (Ok, Running, Running),
            (Running, Error, Error),
            (Error, Fatal, Error),
            (Fatal, Canceled, Fatal),
            (Canceled, Ok, Canceled),
            (Differences, NonFatal, NonFatal),
            (NonFatal, Fatal, Fatal),
            (Fatal, Incomplete, Incomplete),
            (Incomplete, Fatal, Incomplete),
        ] {
            assert_eq!(old.merge(new), result, "{old:?} {new:?}");
        }
        assert_eq!(Ok.worse(Warnings), Warnings);
        assert_eq!(Warnings.worse(Ok), Warnings);
        assert_eq!(Warnings.worse(Fatal), Fatal);
        assert_eq!(Canceled.worse(Fatal), Canceled);
        assert_eq!(Ok.worse(Running), Running);
    }

    #[test]
    fn recorded_lines_are_read_and_written_byte_for_byte() {
        let line = format!("Status Job={JOB} JobStatus=70\n");
        let status = StatusLine::parse(line.as_bytes()).unwrap();
        assert_eq!((status.job.as_str(), status.status), (JOB, JobStatus::WaitFile));
        assert_eq!(status.to_line(), line);

        let line = "2800 End Job TermCode=84 JobFiles=6 ReadBytes=1043 JobBytes=1043 Errors=0 VSS=0 Encrypt=0\n";
        let end = EndJob::parse(line.as_bytes()).unwrap();
        assert_eq!((end.status, end.files, end.read_bytes, end.errors), (JobStatus::Ok, 6, 1043, 0));
        assert_eq!(end.to_line(), line);
        assert_eq!(EndJob::parse(b"2800 End Job TermCode=84 JobFiles=6 ReadBytes=1 JobBytes=1 Errors=0\n"), None);

        let line = format!("3099 Job {JOB} end JobStatus=84 JobFiles=6 JobBytes=1749 JobErrors=0\n");
        let end = StorageEnd::parse(line.as_bytes()).unwrap();
        assert_eq!((end.files, end.bytes, end.errors, end.status), (6, 1749, 0, JobStatus::Ok));
        assert_eq!(end.to_line(), line);

        assert_eq!(job_starts(JOB), format!("3010 Job {JOB} start\n"));
        assert_eq!(parse_job_starts(job_starts(JOB).as_bytes()).as_deref(), Some(JOB));
        assert_eq!(close_answer(JobStatus::Ok), "3000 OK close Status = 84\n");
        assert_eq!(parse_close_answer(b"3000 OK close Status = 82\n"), Some(JobStatus::Running));
        let line = "JobId=1 JobStatus=R JobErrors=0\n";
        assert_eq!(JobInStatus::parse(line.as_bytes()).unwrap().to_line(), line);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parsers_fail(bytes: Vec<u8>, head in 0..5usize) {
            let heads = ["", "Status Job=", "2800 End Job TermCode=", "3099 Job ", "3010 Job "];
            let line = [heads[head].as_bytes(), &bytes[..]].concat();
            let _ = (StatusLine::parse(&line), EndJob::parse(&line), StorageEnd::parse(&line));
            let _ = (parse_job_starts(&line), parse_close_answer(&line), JobInStatus::parse(&line));
        }

        #[test]
        fn end_lines_come_back(
            status: u8, files: u32, read_bytes: u64, bytes: u64, errors: u32, vss: bool, encrypted: bool,
        ) {
            let status = JobStatus::from_letter(status);
            let end = EndJob { status, files, read_bytes, bytes, errors, vss, encrypted };
            prop_assert_eq!(EndJob::parse(end.to_line().as_bytes()), Some(end));
            let end = StorageEnd { job: JOB.to_owned(), status, files, bytes, errors };
            prop_assert_eq!(StorageEnd::parse(end.to_line().as_bytes()), Some(end));
        }
    }
}
