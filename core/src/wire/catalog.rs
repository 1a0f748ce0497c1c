//! What a storage daemon asks of the director's catalog, and the answers (`wire/3 §2`).

use super::names::{bash, unbash};
use super::scan::{MAX_NAME, Scan, lossy, sized_line};
use super::status::job_name;

/// The answer when no volume is available (`wire/3 §2.3`).
pub const NO_MEDIA: &str = "1901 No Media.\n";
/// How the answer about a volume begins: [`VolumeInfo`].
pub const VOLUME: &str = "1000 OK VolName=";
/// The answer to `CreateJobMedia`, compared exactly.
pub const JOB_MEDIA_CREATED: &str = "1000 OK CreateJobMedia\n";
/// The answer to `CreateJobMedia` when it failed.
pub const JOB_MEDIA_FAILED: &str = "1992 Create JobMedia error\n";
/// The answer to `DeleteNullJobmediaRecords`.
pub const NULL_JOB_MEDIA_DELETED: &str = "1000 OK DeleteNullJobmediaRecords\n";
/// The answer to any other request when the catalog has failed.
pub const FAILED: &str = "1992 catalog error\n";
/// The answer to `DeleteNullJobmediaRecords` when it failed.
pub const NULL_JOB_MEDIA_FAILED: &str = "1992 DeleteNullJobMediaRecords error\n";
/// The answer to `UpdateMedia` when the catalog refused.
pub const UPDATE_MEDIA_FAILED: &str = "1993 Update Media error\n";
/// The answer to `BlastAttr` when the file was read.
pub const BLAST_DONE: &str = "1000 OK BlastAttr\n";
/// The answer to `BlastAttr` of a director that asks for the rows on the connection instead.
pub const BLAST_REFUSED: &str = "1990 ERROR BlastAttr\n";

/// `1997`: the volume is unknown.
pub fn not_in_catalog(volume: &str) -> String {
    format!("1997 Volume \"{volume}\" not in catalog.\n")
}

/// `1998`: the volume may not be used; `why` is such as `not in Pool`.
pub fn not_usable(volume: &str, status: &str, why: &str) -> String {
    format!("1998 Volume \"{volume}\" catalog status is {status}, {why}.\n")
}

/// `1991`: an update of an unknown volume.
pub fn update_failed(volume: &str, why: &str) -> String {
    format!("1991 Catalog Request for vol={} failed: {why}", bash(volume))
}

/// `1990`: a request that is none.
pub fn invalid_request(line: &[u8]) -> String {
    format!("1990 Invalid Catalog Request: {}", lossy(super::frame::text(line)))
}

/// A request of a storage daemon. Each is answered by exactly one line, except the two checkpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogRequest {
    /// The unique name of the job; the receiver goes by the connection, not by it.
    pub job: String,
    /// What is asked.
    pub ask: Ask,
}

/// What a storage daemon asks of the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A volume to write on. Answer: a [`VolumeInfo`] or [`NO_MEDIA`].
    FindMedia {
        /// Counts the attempts from 1.
        index: u32,
        /// The pool.
        pool: String,
        /// The media type.
        media_type: String,
        /// Volumes that are no use now.
        unwanted: Vec<String>,
    },
    /// Whether a volume may be used. Answer: a [`VolumeInfo`], [`not_in_catalog`] or [`not_usable`].
    GetVolInfo {
        /// The volume.
        volume: String,
        /// For writing; else for reading.
        write: bool,
    },
    /// New counters of a volume. Answer: a [`VolumeInfo`], possibly with another status.
    UpdateMedia(MediaUpdate),
    /// Where the files of the job lie on a volume. Answer: [`JOB_MEDIA_CREATED`].
    CreateJobMedia(JobMedia),
    /// The place-holders of the job can go. Answer: [`NULL_JOB_MEDIA_DELETED`].
    DeleteNullJobMedia {
        /// The number of the job.
        job_id: u32,
    },
    /// A checkpoint: the totals so far. No answer.
    UpdateJobRecord {
        /// Files.
        files: u32,
        /// Bytes.
        bytes: u64,
    },
    /// A checkpoint: the rows so far should be stored. No answer.
    UpdateFileList,
}

/// The counters of a volume in `UpdateMedia`, 18 fields (`wire/3 §2.3`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediaUpdate {
    /// Its name.
    pub volume: String,
    /// Jobs on it.
    pub jobs: u32,
    /// Files on it, in the sense of tape marks or 4 GiB parts.
    pub files: u32,
    /// Blocks on it.
    pub blocks: u32,
    /// Its length in bytes.
    pub bytes: u64,
    /// How often it was mounted.
    pub mounts: u32,
    /// Errors on it.
    pub errors: u32,
    /// Writes on it.
    pub writes: u32,
    /// The length it may reach in bytes, 0 without a limit.
    pub max_bytes: u64,
    /// Now, in seconds since 1970.
    pub end_time: i64,
    /// Its status, such as `Append`; without blanks.
    pub status: String,
    /// Its slot in a changer.
    pub slot: i32,
    /// Whether a label was just written.
    pub relabel: bool,
    /// Whether it is in a changer.
    pub in_changer: bool,
    /// Time spent reading, in microseconds.
    pub read_time: u64,
    /// Time spent writing, in microseconds.
    pub write_time: u64,
    /// When it was first written, in seconds since 1970, or 0.
    pub first_written: i64,
}

/// A span of a volume with files of a job. All zero: a place-holder (`wire/3 §2.3`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobMedia {
    /// The first file index in it.
    pub first_index: u32,
    /// The last file index in it.
    pub last_index: u32,
    /// Upper half of the address of its first byte.
    pub start_file: u32,
    /// Upper half of the address of its last byte.
    pub end_file: u32,
    /// Lower half of the address of its first byte.
    pub start_block: u32,
    /// Lower half of the address of its last byte.
    pub end_block: u32,
    /// Always 0.
    pub copy: u32,
    /// Always 0.
    pub stripe: u32,
    /// The number of the volume in the catalog.
    pub media_id: u64,
}

impl CatalogRequest {
    /// The line.
    pub fn to_line(&self) -> String {
        let job = &self.job;
        match &self.ask {
            Ask::FindMedia { index, pool, media_type, unwanted } => sized_line(
                256,
                format_args!(
                    "CatReq Job={job} FindMedia={index} pool_name={} media_type={} unwanted_volumes={}\n",
                    bash(pool),
                    bash(media_type),
                    bash(&unwanted.join(","))
                ),
            ),
            Ask::GetVolInfo { volume, write } => sized_line(
                256,
                format_args!("CatReq Job={job} GetVolInfo VolName={} write={}\n", bash(volume), u8::from(*write)),
            ),
            Ask::UpdateMedia(update) => {
                sized_line(512, format_args!("CatReq Job={job} UpdateMedia {}\n", update.fields()))
            }
            Ask::CreateJobMedia(media) => {
                sized_line(512, format_args!("CatReq Job={job} CreateJobMedia {}\n", media.fields()))
            }
            Ask::DeleteNullJobMedia { job_id } => {
                sized_line(256, format_args!("CatReq Job={job} DeleteNullJobmediaRecords jobid={job_id}"))
            }
            Ask::UpdateJobRecord { files, bytes } => {
                sized_line(256, format_args!("Catreq Job={job} UpdateJobRecord JobFiles={files} JobBytes={bytes}\n"))
            }
            Ask::UpdateFileList => sized_line(256, format_args!("Catreq Job={job} UpdateFileList\n")),
        }
    }

    /// Reads the line; `None` deserves [`invalid_request`].
    pub fn parse(line: &[u8]) -> Option<Self> {
        type Pattern = fn(&mut Scan<'_>) -> Option<Ask>;
        let mut scan = Scan::new(line);
        scan.literal("Cat")?;
        // `CatReq`, and `Catreq` in checkpoints.
        scan.word(3).eq_ignore_ascii_case(b"req").then_some(())?;
        scan.literal(" Job=")?;
        let job = job_name(&mut scan);
        scan.gap()?;
        let patterns: [Pattern; 7] =
            [find_media, vol_info, update_media, job_media, delete_null, job_record, file_list];
        let ask = patterns.into_iter().find_map(|pattern| pattern(&mut scan.clone()))?;
        Some(Self { job, ask })
    }
}

impl MediaUpdate {
    fn fields(&self) -> String {
        sized_line(
            384,
            format_args!(
                "VolName={} VolJobs={} VolFiles={} VolBlocks={} VolBytes={} VolMounts={} VolErrors={} VolWrites={} \
             MaxVolBytes={} EndTime={} VolStatus={} Slot={} relabel={} InChanger={} VolReadTime={} VolWriteTime={} \
             VolFirstWritten={}",
                bash(&self.volume),
                self.jobs,
                self.files,
                self.blocks,
                self.bytes,
                self.mounts,
                self.errors,
                self.writes,
                self.max_bytes,
                self.end_time,
                bash(&self.status),
                self.slot,
                u8::from(self.relabel),
                u8::from(self.in_changer),
                self.read_time,
                self.write_time,
                self.first_written
            ),
        )
    }
}

impl JobMedia {
    fn fields(&self) -> String {
        sized_line(
            384,
            format_args!(
                "FirstIndex={} LastIndex={} StartFile={} EndFile={} StartBlock={} EndBlock={} Copy={} Strip={} MediaId={}",
                self.first_index,
                self.last_index,
                self.start_file,
                self.end_file,
                self.start_block,
                self.end_block,
                self.copy,
                self.stripe,
                self.media_id
            ),
        )
    }

    /// Whether it only protects its volume from being recycled meanwhile.
    pub fn is_placeholder(&self) -> bool {
        self.first_index == 0 && self.last_index == 0
    }
}

/// Why a director offers no volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VolumeRefusal {
    /// `1901`: there is none.
    NoMedia,
    /// `1997`: the catalog does not know it.
    NotInCatalog,
    /// `1998`: the volume may not be used.
    NotUsable,
    /// Another `19…`: the request failed.
    Failed,
}

impl VolumeRefusal {
    /// Reads the answer to `FindMedia` or `GetVolInfo`; `None` if it is no such refusal.
    pub fn parse(line: &[u8]) -> Option<Self> {
        match line.get(..5)? {
            b"1901 " => Some(Self::NoMedia),
            b"1997 " => Some(Self::NotInCatalog),
            b"1998 " => Some(Self::NotUsable),
            [b'1', b'9', b'0'..=b'9', b'0'..=b'9', b' '] => Some(Self::Failed),
            _ => None,
        }
    }
}

/// `1000 OK VolName=…`: what the catalog knows about a volume, 24 fields (`wire/3 §2.2`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VolumeInfo {
    /// Its name.
    pub volume: String,
    /// Jobs on it.
    pub jobs: u32,
    /// Files on it.
    pub files: u32,
    /// Blocks on it.
    pub blocks: u32,
    /// Its length in bytes.
    pub bytes: u64,
    /// How often it was mounted.
    pub mounts: u32,
    /// Errors on it.
    pub errors: u32,
    /// Writes on it.
    pub writes: u32,
    /// The length it may reach in bytes, 0 without a limit.
    pub max_bytes: u64,
    /// The room on it in bytes, 0 if unknown.
    pub capacity: u64,
    /// Its status, such as `Append`; at most 20 bytes, without blanks.
    pub status: String,
    /// Its slot in a changer.
    pub slot: i32,
    /// Jobs it may hold, 0 without a limit.
    pub max_jobs: u32,
    /// Files it may hold, 0 without a limit.
    pub max_files: u32,
    /// Whether it is in a changer.
    pub in_changer: bool,
    /// Time spent reading, in microseconds.
    pub read_time: u64,
    /// Time spent writing, in microseconds.
    pub write_time: u64,
    /// Upper half of the address of its end.
    pub end_file: u32,
    /// Lower half of the address of its end.
    pub end_block: u32,
    /// 0 for a label of the usual format.
    pub label_type: i32,
    /// Its number in the catalog.
    pub media_id: u64,
    /// The key of a drive that encrypts, usually empty.
    pub encryption_key: String,
    /// The least size of a block in bytes, 0 for the device's.
    pub min_block: u32,
    /// The greatest size of a block in bytes, 0 for the device's.
    pub max_block: u32,
}

impl VolumeInfo {
    /// The line.
    pub fn to_line(&self) -> String {
        sized_line(
            512,
            format_args!(
                "1000 OK VolName={} VolJobs={} VolFiles={} VolBlocks={} VolBytes={} VolMounts={} VolErrors={} VolWrites={} \
             MaxVolBytes={} VolCapacityBytes={} VolStatus={} Slot={} MaxVolJobs={} MaxVolFiles={} InChanger={} \
             VolReadTime={} VolWriteTime={} EndFile={} EndBlock={} LabelType={} MediaId={} EncryptionKey={} \
             MinBlocksize={} MaxBlocksize={}\n",
                bash(&self.volume),
                self.jobs,
                self.files,
                self.blocks,
                self.bytes,
                self.mounts,
                self.errors,
                self.writes,
                self.max_bytes,
                self.capacity,
                bash(&self.status),
                self.slot,
                self.max_jobs,
                self.max_files,
                u8::from(self.in_changer),
                self.read_time,
                self.write_time,
                self.end_file,
                self.end_block,
                self.label_type,
                self.media_id,
                bash(&self.encryption_key),
                self.min_block,
                self.max_block
            ),
        )
    }

    /// Reads the line; anything else, `19…` above all, means that there is no volume.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let s = &mut Scan::new(line);
        Some(Self {
            volume: after(s, VOLUME)?.name(),
            jobs: after(s, " VolJobs=")?.u32(),
            files: after(s, " VolFiles=")?.u32(),
            blocks: after(s, " VolBlocks=")?.u32(),
            bytes: after(s, " VolBytes=")?.unsigned(),
            mounts: after(s, " VolMounts=")?.u32(),
            errors: after(s, " VolErrors=")?.u32(),
            writes: after(s, " VolWrites=")?.u32(),
            max_bytes: after(s, " MaxVolBytes=")?.unsigned(),
            capacity: after(s, " VolCapacityBytes=")?.unsigned(),
            status: lossy(after(s, " VolStatus=")?.word(20)),
            slot: after(s, " Slot=")?.i32(),
            max_jobs: after(s, " MaxVolJobs=")?.u32(),
            max_files: after(s, " MaxVolFiles=")?.u32(),
            in_changer: after(s, " InChanger=")?.flag(),
            read_time: after(s, " VolReadTime=")?.unsigned(),
            write_time: after(s, " VolWriteTime=")?.unsigned(),
            end_file: after(s, " EndFile=")?.u32(),
            end_block: after(s, " EndBlock=")?.u32(),
            label_type: after(s, " LabelType=")?.i32(),
            media_id: after(s, " MediaId=")?.unsigned(),
            encryption_key: unbash(&lossy(after(s, " EncryptionKey=")?.word(MAX_NAME))),
            min_block: after(s, " MinBlocksize=")?.u32(),
            max_block: after(s, " MaxBlocksize=")?.u32(),
        })
    }
}

/// `UpdCat Job=… FileAttributes `: a row for the catalog, text and then five binary numbers and a record
/// (`wire/3 §2.4`). No answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CatalogUpdate<'a> {
    /// The unique name of the job; the receiver goes by the connection, not by it.
    pub job: &'a [u8],
    /// The session of the job on its volume.
    pub session_id: u32,
    /// When that storage daemon was started, in seconds since 1970.
    pub session_time: u32,
    /// The number of the file in its job.
    pub file_index: i32,
    /// The stream, unmasked.
    pub stream: i32,
    /// The record.
    pub data: &'a [u8],
}

impl<'a> CatalogUpdate<'a> {
    /// Appends the payload of a frame.
    pub fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"UpdCat Job=");
        out.extend_from_slice(self.job);
        out.extend_from_slice(b" FileAttributes ");
        out.extend_from_slice(&self.session_id.to_be_bytes());
        out.extend_from_slice(&self.session_time.to_be_bytes());
        out.extend_from_slice(&self.file_index.to_be_bytes());
        out.extend_from_slice(&self.stream.to_be_bytes());
        out.extend_from_slice(&(self.data.len() as u32).to_be_bytes());
        out.extend_from_slice(self.data);
    }

    /// Reads the payload of a frame; its length must agree with the one inside.
    pub fn parse(payload: &'a [u8]) -> Option<Self> {
        let mut scan = Scan::new(payload);
        scan.literal("UpdCat Job=")?;
        let job = scan.word(MAX_NAME);
        // The binary part may begin with a byte that looks like a blank, so exactly one is taken.
        let rest = scan.rest().strip_prefix(b" FileAttributes ")?;
        let (session_id, rest) = rest.split_first_chunk()?;
        let (session_time, rest) = rest.split_first_chunk()?;
        let (file_index, rest) = rest.split_first_chunk()?;
        let (stream, rest) = rest.split_first_chunk()?;
        let (length, data) = rest.split_first_chunk()?;
        (usize::try_from(u32::from_be_bytes(*length)).ok()? == data.len()).then_some(Self {
            job,
            session_id: u32::from_be_bytes(*session_id),
            session_time: u32::from_be_bytes(*session_time),
            file_index: i32::from_be_bytes(*file_index),
            stream: i32::from_be_bytes(*stream),
            data,
        })
    }
}

/// `BlastAttr Job=… File=…`: the offer to read spooled rows from a file (`wire/3 §2.6`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlastAttributes {
    /// The unique name of the job.
    pub job: String,
    /// The path on the storage daemon's disk.
    pub path: String,
}

impl BlastAttributes {
    /// The line.
    pub fn to_line(&self) -> String {
        format!("BlastAttr Job={} File={}\n", self.job, bash(&self.path))
    }

    /// Reads the line.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let mut scan = Scan::new(line);
        scan.literal("BlastAttr Job=")?;
        let job = job_name(&mut scan);
        scan.literal(" File=")?;
        Some(Self { job, path: unbash(&scan.text()) })
    }
}

fn after<'s, 'a>(scan: &'s mut Scan<'a>, pattern: &str) -> Option<&'s mut Scan<'a>> {
    scan.literal(pattern)?;
    Some(scan)
}

fn find_media(s: &mut Scan<'_>) -> Option<Ask> {
    let index = after(s, "FindMedia=")?.u32();
    let pool = after(s, " pool_name=")?.name();
    let media_type = after(s, " media_type=")?.name();
    let unwanted = unbash(&after(s, " unwanted_volumes=")?.text());
    let unwanted = unwanted.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    Some(Ask::FindMedia { index, pool, media_type, unwanted })
}

fn vol_info(s: &mut Scan<'_>) -> Option<Ask> {
    let volume = after(s, "GetVolInfo VolName=")?.name();
    Some(Ask::GetVolInfo { volume, write: after(s, " write=")?.flag() })
}

fn update_media(s: &mut Scan<'_>) -> Option<Ask> {
    Some(Ask::UpdateMedia(MediaUpdate {
        volume: after(s, "UpdateMedia VolName=")?.name(),
        jobs: after(s, " VolJobs=")?.u32(),
        files: after(s, " VolFiles=")?.u32(),
        blocks: after(s, " VolBlocks=")?.u32(),
        bytes: after(s, " VolBytes=")?.unsigned(),
        mounts: after(s, " VolMounts=")?.u32(),
        errors: after(s, " VolErrors=")?.u32(),
        writes: after(s, " VolWrites=")?.u32(),
        max_bytes: after(s, " MaxVolBytes=")?.unsigned(),
        end_time: after(s, " EndTime=")?.signed(),
        status: lossy(after(s, " VolStatus=")?.word(20)),
        slot: after(s, " Slot=")?.i32(),
        relabel: after(s, " relabel=")?.flag(),
        in_changer: after(s, " InChanger=")?.flag(),
        read_time: after(s, " VolReadTime=")?.unsigned(),
        write_time: after(s, " VolWriteTime=")?.unsigned(),
        first_written: after(s, " VolFirstWritten=")?.signed(),
    }))
}

fn job_media(s: &mut Scan<'_>) -> Option<Ask> {
    Some(Ask::CreateJobMedia(JobMedia {
        first_index: after(s, "CreateJobMedia FirstIndex=")?.u32(),
        last_index: after(s, " LastIndex=")?.u32(),
        start_file: after(s, " StartFile=")?.u32(),
        end_file: after(s, " EndFile=")?.u32(),
        start_block: after(s, " StartBlock=")?.u32(),
        end_block: after(s, " EndBlock=")?.u32(),
        copy: after(s, " Copy=")?.u32(),
        stripe: after(s, " Strip=")?.u32(),
        media_id: after(s, " MediaId=")?.unsigned(),
    }))
}

fn delete_null(s: &mut Scan<'_>) -> Option<Ask> {
    Some(Ask::DeleteNullJobMedia { job_id: after(s, "DeleteNullJobmediaRecords jobid=")?.u32() })
}

fn job_record(s: &mut Scan<'_>) -> Option<Ask> {
    let files = after(s, "UpdateJobRecord JobFiles=")?.u32();
    Some(Ask::UpdateJobRecord { files, bytes: after(s, " JobBytes=")?.unsigned() })
}

fn file_list(s: &mut Scan<'_>) -> Option<Ask> {
    s.literal("UpdateFileList")?;
    Some(Ask::UpdateFileList)
}

#[cfg(test)]
mod tests;
