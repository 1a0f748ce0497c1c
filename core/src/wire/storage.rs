//! The commands of a director to a storage daemon (`wire/3 §1`). Their answers are in [`super::storage_answers`], the
//! dialogue of data channels in [`super::session`].

use super::names::{bash, unbash};
use super::scan::{Scan, lossy};
use super::status::{JobLevel, JobType, job_name};
use crate::secret::Secret;

/// What stands for a name or a digest that a job does not have (`wire/3 §1.3.2`).
pub const NO_NAME: &str = "**None**";

/// What stands for the digest of a fileset that a job does not have (`wire/3 §1.3.2`).
pub const NO_DIGEST: &str = "**Dummy**";

/// A command of a director to a storage daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageCommand {
    /// Ask or move a changer.
    Autochanger(Autochanger),
    /// A bootstrap follows, to the end of data; its frames are joined, they need not be lines.
    Bootstrap,
    /// Cancel a job.
    Cancel {
        /// The unique name of the job, or its number.
        job: String,
    },
    /// The job to do.
    Job(StorageJob),
    /// Label a volume.
    Label(Label),
    /// Wait for a storage daemon that will replicate.
    Listen,
    /// Mount a volume.
    Mount(Drive),
    /// Connect to a passive file daemon.
    Passive {
        /// Name or address.
        address: String,
        /// Port.
        port: u16,
        /// 4 TLS at once, 0 none.
        tls: u32,
    },
    /// Options for plugins; before [`StorageCommand::Job`].
    PluginOptions {
        /// The options.
        options: String,
    },
    /// Read the label of a volume.
    ReadLabel(Drive),
    /// Label a volume anew.
    Relabel {
        /// Its name before.
        old_name: String,
        /// The rest.
        label: Label,
    },
    /// Release a device.
    Release(Drive),
    /// Connect to the storage daemon that listens.
    Replicate(Replicate),
    /// Look up a name.
    Resolve {
        /// The name.
        host: String,
    },
    /// Begin.
    Run,
    /// Which command erases files for good?
    SecureErase,
    /// Limit the rate.
    SetBandwidth {
        /// Bytes in a second, 0 without a limit.
        limit: u64,
        /// The unique name of the job; empty for all.
        job: String,
    },
    /// Change the level of debug output; there is no `hangup` here.
    SetDebug(super::file::Debug),
    /// Change whether a device is chosen by itself.
    SetDevice {
        /// The device.
        device: String,
        /// Whether.
        autoselect: bool,
    },
    /// Statistics.
    Stats,
    /// Report in text.
    Status {
        /// The devices of which to report; none for all that do not need it.
        devices: Vec<String>,
    },
    /// Report in a form for programs.
    DotStatus {
        /// `current`, `last`, `header` and more.
        what: String,
    },
    /// Unmount a volume.
    Unmount(Drive),
    /// Use one of these devices; see [`UseStorage`].
    Use(UseStorage),
}

/// `JobId=…`: the job to do, 19 fields (`wire/3 §1.3.2`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageJob {
    /// Its number.
    pub job_id: u32,
    /// Its unique name.
    pub job: String,
    /// The name of its resource.
    pub name: String,
    /// The client; the name with which its data channel is authenticated.
    pub client: String,
    /// Its type.
    pub kind: JobType,
    /// Its level.
    pub level: JobLevel,
    /// Its fileset.
    pub fileset: String,
    /// Send no rows for the catalog.
    pub no_attributes: bool,
    /// Hold the rows for the catalog until the end of the job.
    pub spool_attributes: bool,
    /// The digest of the fileset.
    pub fileset_digest: String,
    /// Spool data.
    pub spool_data: bool,
    /// Prefer volumes that are mounted.
    pub prefer_mounted: bool,
    /// How much data to spool in bytes, 0 without a limit.
    pub spool_size: u64,
    /// Whether the job goes on under the session below.
    pub rerunning: bool,
    /// The session to go on with, else 0.
    pub session_id: u32,
    /// Its storage daemon's start in seconds since 1970, else 0.
    pub session_time: u32,
    /// The bytes that this client may still use, 0 without a limit.
    pub quota: u64,
    /// 0 for the protocol of these notes.
    pub protocol: i32,
    /// The format of the backup.
    pub format: String,
}

/// `use storage=…` (`wire/3 §1.3.5`). The devices follow, one a frame (see [`UseStorage::device_line`]), then an end of
/// data; then more of these, or another end of data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UseStorage {
    /// The storage resource in the director.
    pub storage: String,
    /// The media type.
    pub media_type: String,
    /// The pool.
    pub pool: String,
    /// The type of the pool, as a rule `Backup`.
    pub pool_type: String,
    /// To write; else to read.
    pub append: bool,
    /// Always 0.
    pub copy: u32,
    /// Always 0.
    pub stripe: u32,
}

/// `replicate …` (`wire/3 §1.3.8`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replicate {
    /// The number of the writing job.
    pub job_id: u32,
    /// The unique name of the writing job.
    pub job: String,
    /// Name or address of the writing storage daemon.
    pub address: String,
    /// Its port.
    pub port: u16,
    /// 4 TLS at once, 0 none.
    pub tls: u32,
    /// The key of the writing job.
    pub key: Secret,
}

/// A volume to label (`wire/3 §1.4.1`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The device.
    pub device: String,
    /// The name of the volume.
    pub volume: String,
    /// The pool.
    pub pool: String,
    /// The media type.
    pub media_type: String,
    /// The slot in a changer.
    pub slot: i32,
    /// The drive; -1 for any.
    pub drive: i32,
    /// The least size of a block in bytes, 0 for the device's.
    pub min_block: u32,
    /// The greatest size of a block in bytes, 0 for the device's.
    pub max_block: u32,
}

/// A device, or a changer and one of its drives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drive {
    /// The device or the changer.
    pub device: String,
    /// The drive; -1 for any.
    pub drive: i32,
    /// The slot; only in some commands.
    pub slot: Option<i32>,
}

/// `autochanger …` (`wire/3 §1.4.6`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Autochanger {
    /// One of `listall`, `list`, `slots`, `drives`.
    Ask {
        /// Which.
        what: String,
        /// The changer.
        device: String,
    },
    /// Move a volume.
    Transfer {
        /// The changer.
        device: String,
        /// From this slot.
        from: i32,
        /// To this slot.
        to: i32,
    },
}

/// A command that cannot be obeyed, and what to answer: nothing, or a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the director's command is not understood: {command}")]
pub struct BadCommand {
    /// The first word of it.
    pub command: String,
    /// The answer.
    pub answer: String,
    /// Whether the session ends.
    pub ends: bool,
}

impl StorageCommand {
    /// The payload. It shows keys.
    pub fn to_line(&self) -> String {
        match self {
            Self::Autochanger(Autochanger::Ask { what, device }) => format!("autochanger {what} {}\n", bash(device)),
            Self::Autochanger(Autochanger::Transfer { device, from, to }) => {
                format!("autochanger transfer {} {from} {to} \n", bash(device))
            }
            Self::Bootstrap => "bootstrap\n".to_owned(),
            Self::Cancel { job } => format!("cancel Job={job}\n"),
            Self::Job(job) => job.to_line(),
            Self::Label(label) => {
                format!("label {} VolumeName={} {}", bash(&label.device), bash(&label.volume), label.fields())
            }
            Self::Listen => "listen".to_owned(),
            Self::Mount(drive) => drive.to_line("mount"),
            Self::Passive { address, port, tls } => format!("passive client address={address} port={port} ssl={tls}\n"),
            Self::PluginOptions { options } => format!("pluginoptions {}\n", bash(options)),
            Self::ReadLabel(Drive { device, drive, slot }) => {
                format!("readlabel {} Slot={} drive={drive}\n", bash(device), slot.unwrap_or(0))
            }
            Self::Relabel { old_name, label } => format!(
                "relabel {} OldName={} NewName={} {}",
                bash(&label.device),
                bash(old_name),
                bash(&label.volume),
                label.fields()
            ),
            Self::Release(drive) => drive.to_line("release"),
            Self::Replicate(replicate) => replicate.to_line(),
            Self::Resolve { host } => format!("resolve {host}"),
            Self::Run => "run".to_owned(),
            Self::SecureErase => "getSecureEraseCmd\n".to_owned(),
            Self::SetBandwidth { limit, job } => format!("setbandwidth={limit} Job={job}\n"),
            Self::SetDebug(debug) => debug.to_line(),
            Self::SetDevice { device, autoselect } => {
                format!("setdevice device={} autoselect={}\n", bash(device), u8::from(*autoselect))
            }
            Self::Stats => "stats\n".to_owned(),
            Self::Status { devices } => format!("status {}\n", bash(&devices.join(","))),
            Self::DotStatus { what } => format!(".status {}\n", bash(what)),
            Self::Unmount(drive) => drive.to_line("unmount"),
            Self::Use(group) => group.to_line(),
        }
    }

    /// Whether a director that only monitors may send it.
    pub fn is_for_monitors(&self) -> bool {
        matches!(self, Self::Status { .. } | Self::DotStatus { .. })
    }

    /// Reads a payload. Commands are known by their beginnings, in the order of `wire/3 §1.2`.
    pub fn parse(payload: &[u8]) -> Result<Self, BadCommand> {
        let line = super::frame::text(payload);
        let Some((prefix, pattern)) = TABLE.iter().find(|(prefix, _)| line.starts_with(prefix.as_bytes())) else {
            let command = lossy(Scan::new(line).word(20));
            return Err(BadCommand { command, answer: super::storage_answers::invalid(line), ends: true });
        };
        pattern(&mut Scan::new(&line[prefix.len()..])).ok_or_else(|| {
            let (answer, ends) = super::storage_answers::refusal(prefix, &lossy(line));
            BadCommand { command: (*prefix).to_owned(), answer, ends }
        })
    }
}

type Pattern = fn(&mut Scan<'_>) -> Option<StorageCommand>;

const TABLE: [(&str, Pattern); 24] = [
    ("autochanger", |s| Autochanger::parse(s).map(StorageCommand::Autochanger)),
    ("bootstrap", |_| Some(StorageCommand::Bootstrap)),
    ("cancel", |s| filled(job_name(after(s, " Job=")?)).map(|job| StorageCommand::Cancel { job })),
    ("JobId=", |s| StorageJob::parse(s).map(StorageCommand::Job)),
    ("label", label),
    ("listen", |_| Some(StorageCommand::Listen)),
    ("mount", |s| Drive::parse(s).map(StorageCommand::Mount)),
    ("passive", passive),
    ("pluginoptions", |s| {
        filled(unbash(&after(s, " ")?.text())).map(|options| StorageCommand::PluginOptions { options })
    }),
    ("readlabel", read_label),
    ("relabel", relabel),
    ("release", |s| Drive::parse(s).map(StorageCommand::Release)),
    ("resolve", |s| filled(after(s, " ")?.text()).map(|host| StorageCommand::Resolve { host })),
    ("replicate", |s| Replicate::parse(s).map(StorageCommand::Replicate)),
    ("run", |_| Some(StorageCommand::Run)),
    ("getSecureEraseCmd", |_| Some(StorageCommand::SecureErase)),
    ("setbandwidth=", set_bandwidth),
    ("setdebug=", |s| super::file::Debug::parse_values(s).map(StorageCommand::SetDebug)),
    ("setdevice", set_device),
    ("stats", |_| Some(StorageCommand::Stats)),
    ("status", status),
    (".status", |s| filled(after(s, " ")?.name()).map(|what| StorageCommand::DotStatus { what })),
    ("unmount", |s| Drive::parse(s).map(StorageCommand::Unmount)),
    ("use storage=", |s| UseStorage::parse(s).map(StorageCommand::Use)),
];

fn after<'s, 'a>(scan: &'s mut Scan<'a>, pattern: &str) -> Option<&'s mut Scan<'a>> {
    scan.literal(pattern)?;
    Some(scan)
}

fn filled(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn label(s: &mut Scan<'_>) -> Option<StorageCommand> {
    let device = filled(after(s, " ")?.name())?;
    let volume = filled(after(s, " VolumeName=")?.name())?;
    Label::parse(s, device, volume).map(StorageCommand::Label)
}

fn relabel(s: &mut Scan<'_>) -> Option<StorageCommand> {
    let device = filled(after(s, " ")?.name())?;
    let old_name = filled(after(s, " OldName=")?.name())?;
    let volume = filled(after(s, " NewName=")?.name())?;
    Some(StorageCommand::Relabel { old_name, label: Label::parse(s, device, volume)? })
}

fn passive(s: &mut Scan<'_>) -> Option<StorageCommand> {
    let address = filled(after(s, " client address=")?.text())?;
    let port = u16::try_from(after(s, " port=")?.unsigned()).ok()?;
    Some(StorageCommand::Passive { address, port, tls: after(s, " ssl=")?.u32() })
}

fn read_label(s: &mut Scan<'_>) -> Option<StorageCommand> {
    let device = filled(after(s, " ")?.name())?;
    let slot = Some(after(s, " Slot=")?.i32());
    Some(StorageCommand::ReadLabel(Drive { device, drive: after(s, " drive=")?.i32(), slot }))
}

fn set_bandwidth(s: &mut Scan<'_>) -> Option<StorageCommand> {
    let limit = u64::try_from(s.signed()).ok()?;
    Some(StorageCommand::SetBandwidth { limit, job: job_name(after(s, " Job=")?) })
}

fn set_device(s: &mut Scan<'_>) -> Option<StorageCommand> {
    let device = filled(after(s, " device=")?.name())?;
    Some(StorageCommand::SetDevice { device, autoselect: after(s, " autoselect=")?.flag() })
}

fn status(s: &mut Scan<'_>) -> Option<StorageCommand> {
    // A tray monitor names no devices (`wire/1 §7.3`).
    let list = after(s, " ").map(|s| unbash(&s.text())).unwrap_or_default();
    let devices = list.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    Some(StorageCommand::Status { devices })
}

impl StorageJob {
    /// A job of this unique name, type and level with no number, client, fileset or session, and nothing to spool.
    #[must_use]
    pub fn new(job: String, kind: JobType, level: JobLevel) -> Self {
        Self {
            job_id: 0,
            name: job.clone(),
            job,
            client: String::new(),
            kind,
            level,
            fileset: NO_NAME.to_owned(),
            no_attributes: false,
            spool_attributes: false,
            fileset_digest: NO_DIGEST.to_owned(),
            spool_data: false,
            prefer_mounted: true,
            spool_size: 0,
            rerunning: false,
            session_id: 0,
            session_time: 0,
            quota: 0,
            protocol: 0,
            format: "Native".to_owned(),
        }
    }

    fn to_line(&self) -> String {
        format!(
            "JobId={} job={} job_name={} client_name={} type={} level={} FileSet={} NoAttr={} SpoolAttr={} \
             FileSetMD5={} SpoolData={} PreferMountedVols={} SpoolSize={} rerunning={} VolSessionId={} \
             VolSessionTime={} Quota={} Protocol={} BackupFormat={}\n",
            self.job_id,
            self.job,
            bash(&self.name),
            bash(&self.client),
            self.kind.code(),
            self.level.code(),
            bash(&self.fileset),
            u8::from(self.no_attributes),
            u8::from(self.spool_attributes),
            bash(&self.fileset_digest),
            u8::from(self.spool_data),
            u8::from(self.prefer_mounted),
            self.spool_size,
            u8::from(self.rerunning),
            self.session_id,
            self.session_time,
            self.quota,
            self.protocol,
            bash(&self.format)
        )
    }

    fn parse(s: &mut Scan<'_>) -> Option<Self> {
        Some(Self {
            job_id: s.u32(),
            job: filled(job_name(after(s, " job=")?))?,
            name: after(s, " job_name=")?.name(),
            client: after(s, " client_name=")?.name(),
            kind: JobType::from_code(after(s, " type=")?.signed())?,
            level: JobLevel::from_code(after(s, " level=")?.signed())?,
            fileset: after(s, " FileSet=")?.name(),
            no_attributes: after(s, " NoAttr=")?.flag(),
            spool_attributes: after(s, " SpoolAttr=")?.flag(),
            fileset_digest: after(s, " FileSetMD5=")?.name(),
            spool_data: after(s, " SpoolData=")?.flag(),
            prefer_mounted: after(s, " PreferMountedVols=")?.flag(),
            spool_size: after(s, " SpoolSize=")?.unsigned(),
            rerunning: after(s, " rerunning=")?.flag(),
            session_id: after(s, " VolSessionId=")?.u32(),
            session_time: after(s, " VolSessionTime=")?.u32(),
            quota: after(s, " Quota=")?.unsigned(),
            protocol: after(s, " Protocol=")?.i32(),
            format: after(s, " BackupFormat=")?.name(),
        })
    }
}

impl UseStorage {
    /// The frame that offers a device.
    pub fn device_line(device: &str) -> String {
        format!("use device={}\n", bash(device))
    }

    /// The device that a frame offers.
    pub fn parse_device(line: &[u8]) -> Option<String> {
        filled(after(&mut Scan::new(line), "use device=")?.name())
    }

    fn to_line(&self) -> String {
        format!(
            "use storage={} media_type={} pool_name={} pool_type={} append={} copy={} stripe={}\n",
            bash(&self.storage),
            bash(&self.media_type),
            bash(&self.pool),
            bash(&self.pool_type),
            u8::from(self.append),
            self.copy,
            self.stripe
        )
    }

    fn parse(s: &mut Scan<'_>) -> Option<Self> {
        Some(Self {
            storage: s.name(),
            media_type: after(s, " media_type=")?.name(),
            pool: after(s, " pool_name=")?.name(),
            pool_type: after(s, " pool_type=")?.name(),
            append: after(s, " append=")?.flag(),
            copy: after(s, " copy=")?.u32(),
            stripe: after(s, " stripe=")?.u32(),
        })
    }
}

impl Replicate {
    fn to_line(&self) -> String {
        format!(
            "replicate JobId={} Job={} address={} port={} ssl={} Authorization={}\n",
            self.job_id,
            self.job,
            self.address,
            self.port,
            self.tls,
            self.key.expose_text()
        )
    }

    fn parse(s: &mut Scan<'_>) -> Option<Self> {
        Some(Self {
            job_id: after(s, " JobId=")?.u32(),
            job: filled(job_name(after(s, " Job=")?))?,
            address: filled(after(s, " address=")?.text())?,
            port: u16::try_from(after(s, " port=")?.unsigned()).ok()?,
            tls: after(s, " ssl=")?.u32(),
            key: Secret::new(after(s, " Authorization=")?.word(super::file::MAX_KEY)),
        })
    }
}

impl Label {
    fn fields(&self) -> String {
        format!(
            "PoolName={} MediaType={} Slot={} drive={} MinBlocksize={} MaxBlocksize={}",
            bash(&self.pool),
            bash(&self.media_type),
            self.slot,
            self.drive,
            self.min_block,
            self.max_block
        )
    }

    fn parse(s: &mut Scan<'_>, device: String, volume: String) -> Option<Self> {
        Some(Self {
            device,
            volume,
            pool: after(s, " PoolName=")?.name(),
            media_type: after(s, " MediaType=")?.name(),
            slot: after(s, " Slot=")?.i32(),
            drive: after(s, " drive=")?.i32(),
            min_block: after(s, " MinBlocksize=")?.u32(),
            max_block: after(s, " MaxBlocksize=")?.u32(),
        })
    }
}

impl Drive {
    fn to_line(&self, command: &str) -> String {
        let slot = self.slot.map(|slot| format!(" slot={slot}")).unwrap_or_default();
        format!("{command} {} drive={}{slot}\n", bash(&self.device), self.drive)
    }

    fn parse(s: &mut Scan<'_>) -> Option<Self> {
        let device = filled(after(s, " ")?.name())?;
        let drive = after(s, " drive=")?.i32();
        Some(Self { device, drive, slot: after(s, " slot=").map(Scan::i32) })
    }
}

impl Autochanger {
    fn parse(s: &mut Scan<'_>) -> Option<Self> {
        let what = after(s, " ")?.text();
        let device = filled(after(s, " ")?.name())?;
        match what.as_str() {
            "transfer" => Some(Self::Transfer { device, from: after(s, " ")?.i32(), to: after(s, " ")?.i32() }),
            "listall" | "list" | "slots" | "drives" => Some(Self::Ask { what, device }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
