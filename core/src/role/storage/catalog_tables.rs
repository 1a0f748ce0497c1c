//! What a job asks of its director's catalog, and does to its volume, in which order: the tables of `wire/3 §1.5`,
//! `§5.8` and `§2.7`.

use std::fmt;

use crate::bulk::machine::ToMachine;
use crate::bulk::work::{DiskWork, Expect as Find, ReadForm};
use crate::ids::{HandleId, Who};
use crate::script::{self, Act, Acted, Expect, Mismatch, Step, nothing};
use crate::wire::catalog::{self, Ask, JobMedia, VolumeInfo, VolumeRefusal};
use crate::wire::label::VolumeLabel;
use crate::wire::status::{JobLevel, JobStatus};

use super::job::{Control, Job, Part, job_media};

/// A table of steps of a storage job.
pub(super) type Table = script::Table<Job>;

/// Finds, mounts and announces a volume to append to, then lets the machine go on.
pub(super) static ACQUIRE: Table = &[
    Step { name: "finding a volume", act: find_media, expect: FOUND },
    Step { name: "the volume's consent", act: get_volume_for_write, expect: CONSENT },
    Step { name: "mounting the volume", act: mount, expect: Expect::Event(Event::Mounted) },
    Step { name: "reporting the new label", act: update_if_labelled, expect: INFO },
    Step { name: "the labelled volume's consent", act: get_if_labelled, expect: INFO },
    Step { name: "counting the mount", act: count_mount, expect: INFO },
    Step { name: "counting the job", act: count_job, expect: INFO },
    Step { name: "going on", act: go_on, expect: Expect::Nothing },
];

/// Protects the volume from being recycled while the job runs.
pub(super) static PLACEHOLDER: Table = &[Step { name: "the place-holder", act: create_placeholder, expect: CREATED }];

/// Records a complete piece.
pub(super) static PIECE: Table = &[
    Step { name: "making the volume safe", act: sync, expect: Expect::Event(Event::Synced) },
    Step { name: "recording the piece", act: create_job_media, expect: CREATED },
    Step { name: "reporting the volume", act: update, expect: INFO },
];

/// Records the last piece on a full volume and lets it go.
pub(super) static FULL: Table = &[
    Step { name: "making the volume safe", act: sync, expect: Expect::Event(Event::Synced) },
    Step { name: "recording the piece", act: create_job_media, expect: CREATED },
    Step { name: "reporting the full volume", act: update_full, expect: INFO_ONLY },
    Step { name: "closing the full volume", act: close, expect: Expect::Event(Event::Closed) },
];

/// Marks a volume that is not what the catalog thinks.
pub(super) static SPOILT: Table = &[Step { name: "reporting the spoilt volume", act: update_error, expect: INFO_ONLY }];

/// Records the end of a backup.
pub(super) static FINISH: Table = &[
    Step { name: "making the volume safe", act: sync, expect: Expect::Event(Event::Synced) },
    Step { name: "recording the piece", act: create_job_media, expect: CREATED },
    Step { name: "reporting the volume", act: update, expect: INFO },
    Step { name: "removing the place-holder", act: delete_placeholder, expect: DELETED },
    Step { name: "writing the bootstrap", act: write_bootstrap, expect: Expect::Event(Event::Noted) },
    Step { name: "closing the volume", act: close, expect: Expect::Event(Event::Closed) },
];

/// Asks for the next volume of a read.
pub(super) static ASK_READ: Table =
    &[Step { name: "the volume's consent", act: get_next_for_read, expect: ANY_ANSWER }];

/// Opens the volumes of a read.
pub(super) static OPEN_READ: Table =
    &[Step { name: "opening the volumes", act: open_read, expect: Expect::Event(Event::Opened) }];

/// Reports the time spent reading.
pub(super) static READ_DONE: Table = &[
    Step { name: "closing the volumes", act: close_reader, expect: Expect::Event(Event::Closed) },
    Step { name: "reporting the volume", act: update_read, expect: INFO_ONLY },
];

/// What the disk workers have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The volume is mounted.
    Mounted,
    /// The volume is safe.
    Synced,
    /// The volume is closed.
    Closed,
    /// The volumes are open.
    Opened,
    /// The bootstrap is written, or cannot be.
    Noted,
}

/// Why a dialogue with the catalog cannot go on as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// There is no volume to append to.
    NoVolume,
    /// The volume that was offered may not be used after all.
    TakenBack,
    /// The volume has no label, and the device labels none.
    NoLabel,
    /// The catalog, or its director, has failed.
    Catalog(Mismatch),
}

const FOUND: Expect<Job> = Expect::Line(Who::Director, catalog::VOLUME, learn_found);
const CONSENT: Expect<Job> = Expect::Line(Who::Director, catalog::VOLUME, learn_writable);
const INFO: Expect<Job> = Expect::Text(Who::Director, catalog::VOLUME, learn_volume);
const INFO_ONLY: Expect<Job> = Expect::Text(Who::Director, catalog::VOLUME, nothing);
const ANY_ANSWER: Expect<Job> = Expect::Line(Who::Director, catalog::VOLUME, learn_read_volume);
const CREATED: Expect<Job> = Expect::Text(Who::Director, catalog::JOB_MEDIA_CREATED, nothing);
const DELETED: Expect<Job> = Expect::Text(Who::Director, catalog::NULL_JOB_MEDIA_DELETED, nothing);

fn find_media(job: &mut Job, net: &mut Control<'_>) -> Acted<Job> {
    // A job that waits for a volume says so once, however often it asks.
    if job.said.status != Some(JobStatus::WaitMedia) {
        job.say_status(net, JobStatus::WaitStorage);
    }
    let Some(wanted) = job.order.uses.iter().find(|group| group.append) else { return Ok(Act::Wait) };
    let (pool, media_type) = (wanted.pool.clone(), wanted.media_type.clone());
    let index = u32::try_from(job.writing.unwanted.len()).unwrap_or(u32::MAX).saturating_add(1);
    job.ask(net, Ask::FindMedia { index, pool, media_type, unwanted: job.writing.unwanted.clone() });
    Ok(Act::Wait)
}

fn get_volume_for_write(job: &mut Job, net: &mut Control<'_>) -> Acted<Job> {
    job.ask(net, Ask::GetVolInfo { volume: job.writing.volume.volume.clone(), write: true });
    Ok(Act::Wait)
}

fn mount(job: &mut Job, net: &mut Control<'_>) -> Acted<Job> {
    let handle = HandleId(net.next_id());
    job.writing.handle = Some(handle);
    let now = net.wall().0;
    let wanted = job.order.uses.iter().find(|group| group.append);
    let label = VolumeLabel {
        labelled: now,
        written: now,
        volume: job.writing.volume.volume.clone().into(),
        pool: wanted.map(|group| group.pool.clone()).unwrap_or_default().into(),
        pool_type: wanted.map(|group| group.pool_type.clone()).unwrap_or_default().into(),
        media_type: wanted.map(|group| group.media_type.clone()).unwrap_or_default().into(),
        program: job.daemon.clone().into(),
        ..VolumeLabel::default()
    };
    let expect = expected(&job.writing.volume);
    let folder = job.folder().to_owned();
    let limit = job
        .order
        .append
        .as_ref()
        .map_or(job.writing.volume.max_bytes, |place| place.limit(job.writing.volume.max_bytes));
    let session = job.session;
    Ok(Act::Want(DiskWork::Mount { handle, folder, label, expect, limit, session }))
}

/// What a volume must be, from what the catalog says of it.
fn expected(volume: &VolumeInfo) -> Find {
    match (volume.status.as_str(), volume.bytes) {
        ("Recycle", _) => Find::Recycled,
        (_, 0) => Find::New,
        (_, bytes) => Find::Bytes(bytes),
    }
}

fn update_if_labelled(job: &mut Job, net: &mut Control<'_>) -> Acted<Job> {
    if !job.writing.labelled {
        return Ok(Act::Next);
    }
    job.ask_update(net, true);
    Ok(Act::Wait)
}

fn get_if_labelled(job: &mut Job, net: &mut Control<'_>) -> Acted<Job> {
    if job.writing.labelled { get_volume_for_write(job, net) } else { Ok(Act::Next) }
}

fn count_mount(job: &mut Job, net: &mut Control<'_>) -> Acted<Job> {
    job.writing.volume.mounts += 1;
    job.ask_update(net, false);
    Ok(Act::Wait)
}

fn count_job(job: &mut Job, net: &mut Control<'_>) -> Acted<Job> {
    job.writing.volume.jobs += 1;
    job.ask_update(net, false);
    Ok(Act::Wait)
}

fn go_on(job: &mut Job, net: &mut Control<'_>) -> Acted<Job> {
    job.say_status(net, JobStatus::Running);
    if let (Some(conn), Some(handle)) = (job.machine_conn(net.director()), job.writing.handle) {
        net.to_machine(conn, ToMachine::Volume(handle));
    }
    Ok(Act::Wait)
}

fn create_placeholder(job: &mut Job, net: &mut Control<'_>) -> Acted<Job> {
    job.writing.placeholder = true;
    let media_id = job.writing.volume.media_id;
    job.ask(net, Ask::CreateJobMedia(JobMedia { media_id, ..JobMedia::default() }));
    Ok(Act::Wait)
}

fn delete_placeholder(job: &mut Job, net: &mut Control<'_>) -> Acted<Job> {
    if !job.writing.placeholder {
        return Ok(Act::Next);
    }
    job.ask(net, Ask::DeleteNullJobMedia { job_id: job.order.line.job_id });
    Ok(Act::Wait)
}

fn create_job_media(job: &mut Job, net: &mut Control<'_>) -> Acted<Job> {
    let Some(piece) = job.dialogue.piece.clone() else { return Ok(Act::Next) };
    job.count(&piece);
    if piece.last_index == 0 {
        return Ok(Act::Next);
    }
    let row = job_media(&piece, job.writing.volume.media_id);
    job.note_piece(&row);
    job.ask(net, Ask::CreateJobMedia(row));
    Ok(Act::Wait)
}

fn update(job: &mut Job, net: &mut Control<'_>) -> Acted<Job> {
    job.ask_update(net, false);
    Ok(Act::Wait)
}

fn update_full(job: &mut Job, net: &mut Control<'_>) -> Acted<Job> {
    "Full".clone_into(&mut job.writing.volume.status);
    update(job, net)
}

fn update_error(job: &mut Job, net: &mut Control<'_>) -> Acted<Job> {
    "Error".clone_into(&mut job.writing.volume.status);
    job.writing.volume.errors += 1;
    update(job, net)
}

fn update_read(job: &mut Job, net: &mut Control<'_>) -> Acted<Job> {
    if job.reading.source.volume.is_empty() {
        return Ok(Act::Next);
    }
    job.reading.source.read_time += job.reading.tally.spent;
    job.ask_update_of(net, &job.reading.source, false);
    Ok(Act::Wait)
}

fn sync(job: &mut Job, _: &mut Control<'_>) -> Acted<Job> {
    let Some(handle) = job.writing.handle else { return Ok(Act::Next) };
    Ok(Act::Want(DiskWork::Sync { handle }))
}

fn write_bootstrap(job: &mut Job, _: &mut Control<'_>) -> Acted<Job> {
    let Some((path, text)) = job.bootstrap() else { return Ok(Act::Next) };
    Ok(Act::Want(DiskWork::Put { path, text, appends: false }))
}

fn close(job: &mut Job, _: &mut Control<'_>) -> Acted<Job> {
    let Some(handle) = job.writing.handle.take() else { return Ok(Act::Next) };
    Ok(Act::Want(DiskWork::Close { handle }))
}

fn close_reader(job: &mut Job, _: &mut Control<'_>) -> Acted<Job> {
    let Some(handle) = job.reading.handle.take() else { return Ok(Act::Next) };
    Ok(Act::Want(DiskWork::Close { handle }))
}

fn get_next_for_read(job: &mut Job, net: &mut Control<'_>) -> Acted<Job> {
    let Some(volume) = job.reading.volumes.pop_front() else { return Ok(Act::Next) };
    job.ask(net, Ask::GetVolInfo { volume, write: false });
    Ok(Act::Wait)
}

fn open_read(job: &mut Job, net: &mut Control<'_>) -> Acted<Job> {
    let handle = HandleId(net.next_id());
    job.reading.handle = Some(handle);
    let folder = job.order.read.as_ref().map(|place| place.folder.clone()).unwrap_or_default();
    let form = match job.part {
        // Of a virtual full several jobs become one there.
        Part::Send(_) if job.order.line.level == JobLevel::VirtualFull => ReadForm::Join,
        Part::Send(_) => ReadForm::Replicate,
        Part::Clone => ReadForm::Clone,
        Part::Ordered(_) | Part::Client(_) | Part::Receive { .. } => ReadForm::Restore,
    };
    let (elsewhere, bootstrap) = (job.reading.elsewhere.clone(), job.order.bootstrap.clone());
    Ok(Act::Want(DiskWork::OpenRead { handle, folder, elsewhere, bootstrap, form }))
}

fn learn_volume(job: &mut Job, line: &str) -> Result<(), Option<Halt>> {
    job.writing.volume = VolumeInfo::parse(line.as_bytes()).ok_or(None)?;
    Ok(())
}

fn learn_found(job: &mut Job, line: &str) -> Result<(), Option<Halt>> {
    if VolumeRefusal::parse(line.as_bytes()) == Some(VolumeRefusal::NoMedia) {
        return Err(Some(Halt::NoVolume));
    }
    learn_volume(job, line)
}

/// A volume without a label is of no use to a device that labels none (`wire/3 §5.8`).
fn learn_writable(job: &mut Job, line: &str) -> Result<(), Option<Halt>> {
    if VolumeRefusal::parse(line.as_bytes()) == Some(VolumeRefusal::NotUsable) {
        return Err(Some(Halt::TakenBack));
    }
    learn_volume(job, line)?;
    let labels = job.order.append.as_ref().is_none_or(|place| place.labels);
    if !labels && expected(&job.writing.volume) == Find::New { Err(Some(Halt::NoLabel)) } else { Ok(()) }
}

/// A refusal only warns (`wire/3 §5.9`): the volume itself decides.
fn learn_read_volume(job: &mut Job, line: &str) -> Result<(), Option<Halt>> {
    match VolumeInfo::parse(line.as_bytes()) {
        Some(volume) => job.reading.source = volume,
        None => drop(VolumeRefusal::parse(line.as_bytes()).ok_or(None)?),
    }
    Ok(())
}

impl From<Mismatch> for Halt {
    fn from(mismatch: Mismatch) -> Self {
        Self::Catalog(mismatch)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mounted => "the mounted volume",
            Self::Synced => "the volume made safe",
            Self::Closed => "the closed volume",
            Self::Opened => "the open volumes",
            Self::Noted => "the bootstrap",
        })
    }
}
