//! The commands of a director to a file daemon (`wire/2 §1`). Their answers are in [`super::file_answers`].

use super::names::{bash, unbash};
use super::scan::{Scan, lossy, trim_end};
use super::status::job_name;
use crate::secret::Secret;

/// The `ssl=` number that says TLS from the first byte (`wire/2 §0.4`, `wire/3 §1.3.7`); 0 is clear text.
pub const IMMEDIATE_TLS: u32 = 4;

/// The longest key that a file daemon accepts, in bytes (`wire/2 §1.4`).
pub const MAX_KEY: usize = 100;

/// A command of a director to a file daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileCommand {
    /// A list of known files follows, one a frame, to the end of data. No answer.
    Accurate {
        /// About how many.
        files: u64,
    },
    /// Begin to save.
    Backup {
        /// The last file index that is safe already; 0 as a rule.
        file_index: u32,
    },
    /// A bootstrap follows, to the end of data. Directors send it to the storage daemon instead.
    Bootstrap,
    /// Cancel a job; comes on a connection of its own.
    Cancel {
        /// The unique name of the job.
        job: String,
    },
    /// All storages are read: end the job.
    EndRestore,
    /// Count what would be saved.
    Estimate {
        /// Whether to list it too.
        listing: bool,
    },
    /// A fileset follows, to the end of data.
    FileSet {
        /// Whether to use snapshots on Windows.
        vss: bool,
    },
    /// The job to do.
    Job(JobInfo),
    /// The level, in one or two lines.
    Level(Level),
    /// Options for plugins.
    PluginOptions {
        /// The options.
        options: String,
    },
    /// Run the scripts that come before the job.
    RunBeforeNow,
    /// A script to run.
    Run(Script),
    /// Restore objects; see [`RestoreObject`].
    RestoreObject(RestoreObject),
    /// Begin to restore.
    Restore(Restore),
    /// Look up a name.
    Resolve {
        /// The name.
        host: String,
    },
    /// Which command erases files for good?
    SecureErase,
    /// Deprecated; needs `2000 OK session` only.
    Session,
    /// The key for the storage daemon that will call.
    SetAuthorization {
        /// The key.
        key: Secret,
    },
    /// Limit the rate of a running job.
    SetBandwidth {
        /// Bytes in a second, 0 without a limit.
        limit: u64,
        /// The unique name of the job; empty for all.
        job: String,
    },
    /// Change the level of debug output.
    SetDebug(Debug),
    /// Report in text.
    Status,
    /// Report in a form for programs.
    DotStatus {
        /// `current`, `last`, `header`, `running` or `terminated`.
        what: String,
    },
    /// Connect to the storage daemon.
    Storage(StorageAddress),
    /// Begin to verify.
    Verify(Verify),
}

/// `JobId=…`: the job to do (`wire/2 §1.4`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobInfo {
    /// Its number; 0 for an estimate.
    pub job_id: u32,
    /// Its unique name.
    pub job: String,
    /// The session that the storage daemon gave it.
    pub session_id: u32,
    /// When that storage daemon was started, in seconds since 1970.
    pub session_time: u32,
    /// The key of its data channel; `dummy` when there is none.
    pub key: Secret,
    /// How a storage daemon will connect: 4 TLS at once, 0 none. Not sent on clear connections.
    pub tls: Option<u32>,
}

/// `level = …` (`wire/2 §1.5`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Level {
    /// Everything.
    Full {
        /// Whether the job is run again after a failure.
        rerunning: bool,
    },
    /// Base.
    Base {
        /// Whether the job is run again after a failure.
        rerunning: bool,
    },
    /// What changed since the last backup; [`Level::Since`] follows. No answer.
    Incremental {
        /// Whether a list of known files will come.
        accurate: bool,
        /// Whether the job is run again after a failure.
        rerunning: bool,
    },
    /// What changed since the last full; [`Level::Since`] follows. No answer.
    Differential {
        /// Whether a list of known files will come.
        accurate: bool,
        /// Whether the job is run again after a failure.
        rerunning: bool,
    },
    /// The second line: since when.
    Since {
        /// Seconds since 1970 by the director's clock.
        time: i64,
        /// The unique name of the job before; possibly empty.
        previous: String,
    },
}

/// `Run …`: a script (`wire/2 §1.9`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Run it while the job is well.
    pub on_success: bool,
    /// Run it when the job has failed.
    pub on_failure: bool,
    /// Let the job fail if the script does.
    pub abort_on_error: bool,
    /// Bits: 1 after the job, 2 before, 4 after the snapshot.
    pub when: u32,
    /// The command.
    pub command: String,
}

/// `restoreobject …` (`wire/2 §1.10`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestoreObject {
    /// Two frames follow: the name and the bytes. No answer.
    Head {
        /// The number of the job that saved it.
        job_id: u32,
        /// The length on the wire in bytes.
        length: u32,
        /// The length when unpacked in bytes.
        full_length: u32,
        /// Its number.
        index: i32,
        /// The type of its file.
        kind: i32,
        /// 1 if packed by zlib.
        compression: i32,
        /// Its file index in the job that saved it.
        file_index: i32,
        /// The plugin; empty from and for old peers.
        plugin: String,
    },
    /// That was all of them.
    End,
}

/// `restore …` (`wire/2 §1.11`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restore {
    /// When to replace a file: `a` always, `w` if newer, `n` never, `o` if older.
    pub replace: u8,
    /// Whether to put the prefix before the targets of links too.
    pub prefix_links: bool,
    /// Where to.
    pub to: RestoreTo,
}

/// Where to restore to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestoreTo {
    /// Below this directory; empty or `/` for the original place.
    Where(String),
    /// To paths made by this expression.
    Regex(String),
}

/// `setdebug=…`; absent values are not sent (`wire/2 §1.2`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Debug {
    /// The level; -1 leaves a value as it is, here and below.
    pub level: i32,
    /// Whether to write to a file.
    pub trace: i32,
    /// For tests of real daemons.
    pub hangup: Option<i32>,
    /// Whether to write the time.
    pub timestamp: Option<i32>,
}

/// `storage …`: where the storage daemon is (`wire/2 §1.7`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageAddress {
    /// Name or address.
    pub address: String,
    /// Port.
    pub port: u16,
    /// 4 TLS at once, 0 none, 1 and 2 after authentication.
    pub tls: u32,
    /// The key; a restore sends one, a backup does not, and a verify job an empty one.
    pub key: Option<Secret>,
}

/// The level of a verify job (`wire/2 §1.12`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verify {
    /// Put the state of the disk into the catalog.
    Init,
    /// Compare the disk with the catalog.
    Catalog,
    /// Compare a volume with the catalog.
    Volume,
    /// Compare the data of a volume.
    Data,
    /// Compare a volume's job with the disk.
    DiskToCatalog,
}

/// A command that cannot be obeyed, and what to answer: nothing, or a line. The session ends then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the director's command is not understood: {command}")]
pub struct BadCommand {
    /// The first word of it.
    pub command: String,
    /// The answer.
    pub answer: Option<String>,
}

impl FileCommand {
    /// The payload. It shows keys.
    pub fn to_line(&self) -> String {
        match self {
            Self::Accurate { files } => format!("accurate files={files}\n"),
            Self::Backup { file_index } => format!("backup FileIndex={file_index}\n"),
            Self::Bootstrap => "bootstrap\n".to_owned(),
            Self::Cancel { job } => format!("cancel Job={job}\n"),
            Self::EndRestore => "endrestore".to_owned(),
            Self::Estimate { listing } => format!("estimate listing={}\n", u8::from(*listing)),
            Self::FileSet { vss } => if *vss { "fileset vss=1\n" } else { "fileset\n" }.to_owned(),
            Self::Job(job) => job.to_line(),
            Self::Level(level) => level.to_line(),
            Self::PluginOptions { options } => format!("pluginoptions {}\n", bash(options)),
            Self::RunBeforeNow => "RunBeforeNow\n".to_owned(),
            Self::Run(script) => script.to_line(),
            Self::RestoreObject(object) => object.to_line(),
            Self::Restore(restore) => restore.to_line(),
            Self::Resolve { host } => format!("resolve {host}"),
            Self::SecureErase => "getSecureEraseCmd\n".to_owned(),
            Self::Session => "session\n".to_owned(),
            Self::SetAuthorization { key } => format!("setauthorization Authorization={}\n", key.expose_text()),
            Self::SetBandwidth { limit, job } => format!("setbandwidth={limit} Job={job}\n"),
            Self::SetDebug(debug) => debug.to_line(),
            Self::Status => "status".to_owned(),
            Self::DotStatus { what } => format!(".status {}", bash(what)),
            Self::Storage(storage) => storage.to_line(),
            Self::Verify(level) => format!("verify level={}\n", level.word()),
        }
    }

    /// Whether a director that only monitors may send it.
    pub fn is_for_monitors(&self) -> bool {
        matches!(self, Self::Status | Self::DotStatus { .. })
    }

    /// Reads a payload. Commands are known by their beginnings, in the order of `wire/2 §1.2`.
    pub fn parse(payload: &[u8]) -> Result<Self, BadCommand> {
        let line = super::frame::text(payload);
        let Some((prefix, pattern)) = TABLE.iter().find(|(prefix, _)| line.starts_with(prefix.as_bytes())) else {
            let command = lossy(Scan::new(line).word(20));
            return Err(BadCommand { command, answer: Some(super::file_answers::INVALID.to_owned()) });
        };
        pattern(&mut Scan::new(line)).ok_or_else(|| BadCommand {
            command: prefix.trim().to_owned(),
            answer: super::file_answers::refusal(prefix, &lossy(line)),
        })
    }
}

type Pattern = fn(&mut Scan<'_>) -> Option<FileCommand>;

/// The order matters: `RunBeforeNow` before `Run`, `restoreobject` before `restore `.
const TABLE: [(&str, Pattern); 24] = [
    ("accurate", |s| after(s, "accurate files=").map(|s| FileCommand::Accurate { files: s.unsigned() })),
    ("backup", |s| after(s, "backup").map(backup)),
    ("bootstrap", |_| Some(FileCommand::Bootstrap)),
    ("cancel", |s| after(s, "cancel Job=").and_then(cancel)),
    ("endrestore", |_| Some(FileCommand::EndRestore)),
    ("estimate", |s| after(s, "estimate listing=").map(|s| FileCommand::Estimate { listing: s.flag() })),
    ("fileset", |s| {
        after(s, "fileset").map(|s| FileCommand::FileSet { vss: after(s, " vss=").is_some_and(Scan::flag) })
    }),
    ("JobId=", |s| JobInfo::parse(s).map(FileCommand::Job)),
    ("level = ", |s| Level::parse(s).map(FileCommand::Level)),
    ("pluginoptions", |s| after(s, "pluginoptions ").and_then(plugin_options)),
    ("RunBeforeNow", |_| Some(FileCommand::RunBeforeNow)),
    ("Run", |s| Script::parse(s).map(FileCommand::Run)),
    ("restoreobject", |s| RestoreObject::parse(s).map(FileCommand::RestoreObject)),
    ("restore ", |s| Restore::parse(s).map(FileCommand::Restore)),
    ("resolve ", |s| after(s, "resolve ").map(|s| FileCommand::Resolve { host: s.text() })),
    ("getSecureEraseCmd", |_| Some(FileCommand::SecureErase)),
    ("session", |_| Some(FileCommand::Session)),
    ("setauthorization", |s| after(s, "setauthorization Authorization=").and_then(set_authorization)),
    ("setbandwidth=", |s| after(s, "setbandwidth=").and_then(set_bandwidth)),
    ("setdebug=", |s| Debug::parse_values(after(s, "setdebug=")?).map(FileCommand::SetDebug)),
    ("status", |_| Some(FileCommand::Status)),
    (".status", |s| after(s, ".status ").and_then(dot_status)),
    ("storage ", |s| StorageAddress::parse(s).map(FileCommand::Storage)),
    ("verify", |s| after(s, "verify level=").and_then(verify)),
];

fn after<'s, 'a>(scan: &'s mut Scan<'a>, pattern: &str) -> Option<&'s mut Scan<'a>> {
    scan.literal(pattern)?;
    Some(scan)
}

fn backup(s: &mut Scan<'_>) -> FileCommand {
    FileCommand::Backup { file_index: after(s, " FileIndex=").map_or(0, Scan::u32) }
}

fn cancel(s: &mut Scan<'_>) -> Option<FileCommand> {
    let job = job_name(s);
    (!job.is_empty()).then_some(FileCommand::Cancel { job })
}

fn plugin_options(s: &mut Scan<'_>) -> Option<FileCommand> {
    let options = unbash(&s.text());
    (!options.is_empty()).then_some(FileCommand::PluginOptions { options })
}

fn set_authorization(s: &mut Scan<'_>) -> Option<FileCommand> {
    let key = Secret::new(s.word(MAX_KEY));
    (!key.is_empty()).then_some(FileCommand::SetAuthorization { key })
}

fn set_bandwidth(s: &mut Scan<'_>) -> Option<FileCommand> {
    let limit = u64::try_from(s.signed()).ok()?;
    s.literal(" Job=")?;
    Some(FileCommand::SetBandwidth { limit, job: job_name(s) })
}

fn dot_status(s: &mut Scan<'_>) -> Option<FileCommand> {
    let what = s.name();
    (!what.is_empty()).then_some(FileCommand::DotStatus { what })
}

fn verify(s: &mut Scan<'_>) -> Option<FileCommand> {
    let word = s.word(30);
    Verify::ALL.into_iter().find(|level| level.word().as_bytes() == word).map(FileCommand::Verify)
}

impl JobInfo {
    fn to_line(&self) -> String {
        let tls = self.tls.map(|number| format!(" ssl={number}")).unwrap_or_default();
        format!(
            "JobId={} Job={} SDid={} SDtime={} Authorization={}{tls}\n",
            self.job_id,
            self.job,
            self.session_id,
            self.session_time,
            self.key.expose_text()
        )
    }

    fn parse(s: &mut Scan<'_>) -> Option<Self> {
        let job_id = after(s, "JobId=")?.u32();
        let job = job_name(after(s, " Job=")?);
        let session_id = after(s, " SDid=")?.u32();
        let session_time = after(s, " SDtime=")?.u32();
        let key = Secret::new(after(s, " Authorization=")?.word(MAX_KEY));
        let tls = after(s, " ssl=").map(Scan::u32);
        (!job.is_empty()).then_some(Self { job_id, job, session_id, session_time, key, tls })
    }
}

impl Level {
    fn to_line(&self) -> String {
        let (accurate, word, rerunning) = match self {
            Self::Full { rerunning } => (false, "full", *rerunning),
            Self::Base { rerunning } => (false, "base", *rerunning),
            Self::Incremental { accurate, rerunning } => (*accurate, "incremental", *rerunning),
            Self::Differential { accurate, rerunning } => (*accurate, "differential", *rerunning),
            Self::Since { time, previous } => {
                return format!("level = since_utime {time} mtime_only=0 prev_job={previous}\n");
            }
        };
        let accurate = if accurate { "accurate_" } else { "" };
        let rerunning = if rerunning { " rerunning " } else { " " };
        format!("level = {accurate}{word}{rerunning} mtime_only=0 \n")
    }

    /// Only the word of the level says whether the job is accurate: the name of the job before, which may contain
    /// that word, does not (`wire/2 §1.5`).
    fn parse(s: &mut Scan<'_>) -> Option<Self> {
        s.literal("level = ")?;
        let word = s.word(30);
        if word == b"since_utime" {
            let time = after(s, " ")?.signed();
            after(s, " mtime_only=")?.signed();
            let previous = after(s, " prev_job=").map(job_name).unwrap_or_default();
            return Some(Self::Since { time, previous });
        }
        let (accurate, word) = match word.strip_prefix(b"accurate_") {
            Some(word) => (true, word),
            None => (false, word),
        };
        let rerunning = after(s, " rerunning").is_some();
        match word {
            b"full" => Some(Self::Full { rerunning }),
            b"base" => Some(Self::Base { rerunning }),
            b"incremental" => Some(Self::Incremental { accurate, rerunning }),
            b"differential" => Some(Self::Differential { accurate, rerunning }),
            _ => None,
        }
    }

    /// Whether the file daemon answers it: the words that [`Level::Since`] follows have no answer.
    pub fn is_answered(&self) -> bool {
        !matches!(self, Self::Incremental { .. } | Self::Differential { .. })
    }
}

impl Script {
    fn to_line(&self) -> String {
        format!(
            "Run OnSuccess={} OnFailure={} AbortOnError={} When={} Command={}\n",
            u8::from(self.on_success),
            u8::from(self.on_failure),
            u8::from(self.abort_on_error),
            self.when,
            bash(&self.command)
        )
    }

    fn parse(s: &mut Scan<'_>) -> Option<Self> {
        Some(Self {
            on_success: after(s, "Run OnSuccess=")?.flag(),
            on_failure: after(s, " OnFailure=")?.flag(),
            abort_on_error: after(s, " AbortOnError=")?.flag(),
            when: after(s, " When=")?.u32(),
            command: unbash(&after(s, " Command=")?.text()),
        })
    }
}

impl RestoreObject {
    fn to_line(&self) -> String {
        match self {
            Self::End => "restoreobject end\n".to_owned(),
            Self::Head { job_id, length, full_length, index, kind, compression, file_index, plugin } => {
                let plugin = if plugin.is_empty() { String::new() } else { format!(",{}", bash(plugin)) };
                format!(
                    "restoreobject JobId={job_id} {length},{full_length},{index},{kind},{compression},\
                     {file_index}{plugin}\n"
                )
            }
        }
    }

    fn parse(s: &mut Scan<'_>) -> Option<Self> {
        s.literal("restoreobject")?;
        if trim_end(s.rest()) == b" end" {
            return Some(Self::End);
        }
        Some(Self::Head {
            job_id: after(s, " JobId=")?.u32(),
            length: after(s, " ")?.u32(),
            full_length: after(s, ",")?.u32(),
            index: after(s, ",")?.i32(),
            kind: after(s, ",")?.i32(),
            compression: after(s, ",")?.i32(),
            file_index: after(s, ",")?.i32(),
            plugin: after(s, ",").map(Scan::name).unwrap_or_default(),
        })
    }
}

impl Restore {
    fn to_line(&self) -> String {
        let to = match &self.to {
            RestoreTo::Where(path) => format!("where={}", bash(path)),
            RestoreTo::Regex(expression) => format!("regexwhere={}", bash(expression)),
        };
        let replace = char::from(self.replace);
        format!("restore replace={replace} prelinks={} {to}\n", u8::from(self.prefix_links))
    }

    fn parse(s: &mut Scan<'_>) -> Option<Self> {
        let replace = *after(s, "restore replace=")?.word(1).first()?;
        let prefix_links = after(s, " prelinks=")?.flag();
        s.white();
        let to = match after(&mut s.clone(), "regexwhere=") {
            Some(s) => RestoreTo::Regex(unbash(&s.text())),
            None => RestoreTo::Where(after(s, "where=").map(|s| unbash(&s.text())).unwrap_or_default()),
        };
        Some(Self { replace, prefix_links, to })
    }
}

impl Debug {
    /// The line.
    pub fn to_line(&self) -> String {
        let optional = |name, value: Option<i32>| value.map(|v| format!(" {name}={v}")).unwrap_or_default();
        let (hangup, timestamp) = (optional("hangup", self.hangup), optional("timestamp", self.timestamp));
        format!("setdebug={} trace={}{hangup}{timestamp}\n", self.level, self.trace)
    }

    /// Reads what follows `setdebug=`.
    pub(super) fn parse_values(s: &mut Scan<'_>) -> Option<Self> {
        let level = s.i32();
        let trace = after(s, " trace=")?.i32();
        let mut optional = |pattern| {
            let mut ahead = *s;
            let value = after(&mut ahead, pattern)?.i32();
            *s = ahead;
            Some(value)
        };
        let hangup = optional(" hangup=");
        Some(Self { level, trace, hangup, timestamp: optional(" timestamp=") })
    }
}

impl StorageAddress {
    fn to_line(&self) -> String {
        let key = self.key.as_ref().map(|key| format!(" Authorization={}", key.expose_text())).unwrap_or_default();
        format!("storage address={} port={} ssl={}{key}\n", self.address, self.port, self.tls)
    }

    fn parse(s: &mut Scan<'_>) -> Option<Self> {
        let address = after(s, "storage address=")?.text();
        let port = u16::try_from(after(s, " port=")?.unsigned()).ok()?;
        let tls = after(s, " ssl=")?.u32();
        let key = after(s, " Authorization=").map(|s| Secret::new(s.word(MAX_KEY)));
        (!address.is_empty()).then_some(Self { address, port, tls, key })
    }
}

impl Verify {
    /// All levels.
    pub const ALL: [Self; 5] = [Self::Init, Self::Catalog, Self::Volume, Self::Data, Self::DiskToCatalog];

    /// The word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Catalog => "catalog",
            Self::Volume => "volume",
            Self::Data => "data",
            Self::DiskToCatalog => "disk_to_catalog",
        }
    }
}

#[cfg(test)]
mod tests;
