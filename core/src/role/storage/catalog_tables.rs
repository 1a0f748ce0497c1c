//! What a job asks of its director's catalog, and does to its volume, in which order: the tables of `wire/3 §1.5`,
//! `§5.8` and `§2.7`.

use crate::bulk::machine::ToMachine;
use crate::bulk::work::{DiskWork, Expect as Find, ReadForm};
use crate::ids::{HandleId, Who};
use crate::node::Net;
use crate::role::script::{Act, Expect, Step, nothing};
use crate::wire::catalog::{self, Ask, JobMedia, VolumeInfo};
use crate::wire::label::VolumeLabel;
use crate::wire::status::JobStatus;
use crate::work::Work;

use super::job::{Job, Part, job_media};

/// A table of steps of a storage job.
pub(super) type Table = &'static [Step<Job>];

/// Finds, mounts and announces a volume to append to, then lets the machine go on.
pub(super) static ACQUIRE: Table = &[
    Step { name: FINDING, act: find_media, expect: INFO, learn: learn_volume },
    Step { name: CONSENT, act: get_volume_for_write, expect: INFO, learn: learn_writable },
    Step { name: "mounting the volume", act: mount, expect: Expect::Event(MOUNTED), learn: nothing },
    Step { name: "reporting the new label", act: update_if_labelled, expect: INFO, learn: learn_volume },
    Step { name: "the labelled volume's consent", act: get_if_labelled, expect: INFO, learn: learn_volume },
    Step { name: "counting the mount", act: count_mount, expect: INFO, learn: learn_volume },
    Step { name: "counting the job", act: count_job, expect: INFO, learn: learn_volume },
    Step { name: "going on", act: go_on, expect: Expect::Nothing, learn: nothing },
];

/// Protects the volume from being recycled while the job runs.
pub(super) static PLACEHOLDER: Table =
    &[Step { name: "the place-holder", act: create_placeholder, expect: CREATED, learn: nothing }];

/// Records a complete piece.
pub(super) static PIECE: Table = &[
    Step { name: "making the volume safe", act: sync, expect: Expect::Event(SYNCED), learn: nothing },
    Step { name: "recording the piece", act: create_job_media, expect: CREATED, learn: nothing },
    Step { name: "reporting the volume", act: update, expect: INFO, learn: learn_volume },
];

/// Records the last piece on a full volume and lets it go.
pub(super) static FULL: Table = &[
    Step { name: "making the volume safe", act: sync, expect: Expect::Event(SYNCED), learn: nothing },
    Step { name: "recording the piece", act: create_job_media, expect: CREATED, learn: nothing },
    Step { name: "reporting the full volume", act: update_full, expect: INFO, learn: nothing },
    Step { name: "closing the full volume", act: close, expect: Expect::Event(CLOSED), learn: nothing },
];

/// Marks a volume that is not what the catalog thinks.
pub(super) static SPOILT: Table =
    &[Step { name: "reporting the spoilt volume", act: update_error, expect: INFO, learn: nothing }];

/// Records the end of a backup.
pub(super) static FINISH: Table = &[
    Step { name: "making the volume safe", act: sync, expect: Expect::Event(SYNCED), learn: nothing },
    Step { name: "recording the piece", act: create_job_media, expect: CREATED, learn: nothing },
    Step { name: "reporting the volume", act: update, expect: INFO, learn: learn_volume },
    Step { name: "removing the place-holder", act: delete_placeholder, expect: DELETED, learn: nothing },
    Step { name: "closing the volume", act: close, expect: Expect::Event(CLOSED), learn: nothing },
];

/// Asks for the next volume of a read.
pub(super) static ASK_READ: Table =
    &[Step { name: "the volume's consent", act: get_next_for_read, expect: ANY_ANSWER, learn: learn_read_volume }];

/// Opens the volumes of a read.
pub(super) static OPEN_READ: Table =
    &[Step { name: "opening the volumes", act: open_read, expect: Expect::Event(OPENED), learn: nothing }];

/// Reports the time spent reading.
pub(super) static READ_DONE: Table = &[
    Step { name: "closing the volumes", act: close_reader, expect: Expect::Event(CLOSED), learn: nothing },
    Step { name: "reporting the volume", act: update_read, expect: INFO, learn: nothing },
];

/// The step that may find no volume.
pub(super) const FINDING: &str = "finding a volume";
/// The step that may hear that the volume found is not to be had.
pub(super) const CONSENT: &str = "the volume's consent";
/// What that step says of a volume that the device would have to label, and may not.
pub(super) const NO_LABEL: &str = "the volume has no label";
/// The worker has mounted the volume.
pub(super) const MOUNTED: &str = "mounted";
/// The worker has made the volume safe.
pub(super) const SYNCED: &str = "synced";
/// The worker has closed the volume.
pub(super) const CLOSED: &str = "closed";
/// The worker has opened the volumes.
pub(super) const OPENED: &str = "opened";

const INFO: Expect = Expect::Answer(Who::Director, "1000 OK VolName=");
const ANY_ANSWER: Expect = Expect::Answer(Who::Director, "1");
const CREATED: Expect = Expect::Answer(Who::Director, catalog::JOB_MEDIA_CREATED);
const DELETED: Expect = Expect::Answer(Who::Director, catalog::NULL_JOB_MEDIA_DELETED);

fn find_media(job: &mut Job, net: &mut Net) -> Act {
    // A job that waits for a volume says so once, however often it asks.
    if job.sent_status != Some(JobStatus::WaitMedia) {
        job.say_status(net, JobStatus::WaitStorage);
    }
    let Some(wanted) = job.uses.iter().find(|group| group.append) else { return Act::Wait };
    let (pool, media_type) = (wanted.pool.clone(), wanted.media_type.clone());
    let index = u32::try_from(job.unwanted.len()).unwrap_or(u32::MAX).saturating_add(1);
    job.ask(net, Ask::FindMedia { index, pool, media_type, unwanted: job.unwanted.clone() });
    Act::Wait
}

fn get_volume_for_write(job: &mut Job, net: &mut Net) -> Act {
    job.ask(net, Ask::GetVolInfo { volume: job.volume.volume.clone(), write: true });
    Act::Wait
}

fn mount(job: &mut Job, net: &mut Net) -> Act {
    let handle = HandleId(net.next_id());
    job.handle = Some(handle);
    let now = net.wall().0;
    let wanted = job.uses.iter().find(|group| group.append);
    let label = VolumeLabel {
        labelled: now,
        written: now,
        volume: job.volume.volume.clone().into(),
        pool: wanted.map(|group| group.pool.clone()).unwrap_or_default().into(),
        pool_type: wanted.map(|group| group.pool_type.clone()).unwrap_or_default().into(),
        media_type: wanted.map(|group| group.media_type.clone()).unwrap_or_default().into(),
        program: job.daemon.clone().into(),
        ..VolumeLabel::default()
    };
    let expect = expected(&job.volume);
    let folder = job.append.as_ref().map(|place| place.folder.clone()).unwrap_or_default();
    let limit = job.append.as_ref().map_or(job.volume.max_bytes, |place| place.limit(job.volume.max_bytes));
    let session = job.session;
    job.work = Some(net.work(Work::Disk(DiskWork::Mount { handle, folder, label, expect, limit, session })));
    Act::Wait
}

/// What a volume must be, from what the catalog says of it.
fn expected(volume: &VolumeInfo) -> Find {
    match (volume.status.as_str(), volume.bytes) {
        ("Recycle", _) => Find::Recycled,
        (_, 0) => Find::New,
        (_, bytes) => Find::Bytes(bytes),
    }
}

fn update_if_labelled(job: &mut Job, net: &mut Net) -> Act {
    if !job.labelled {
        return Act::Skip;
    }
    job.ask_update(net, true);
    Act::Wait
}

fn get_if_labelled(job: &mut Job, net: &mut Net) -> Act {
    if job.labelled { get_volume_for_write(job, net) } else { Act::Skip }
}

fn count_mount(job: &mut Job, net: &mut Net) -> Act {
    job.volume.mounts += 1;
    job.ask_update(net, false);
    Act::Wait
}

fn count_job(job: &mut Job, net: &mut Net) -> Act {
    job.volume.jobs += 1;
    job.ask_update(net, false);
    Act::Wait
}

fn go_on(job: &mut Job, net: &mut Net) -> Act {
    job.say_status(net, JobStatus::Running);
    if let (Some(conn), Some(handle)) = (job.machine_conn(), job.handle) {
        net.to_machine(conn, ToMachine::Volume(handle));
    }
    Act::Wait
}

fn create_placeholder(job: &mut Job, net: &mut Net) -> Act {
    job.placeholder = true;
    let media_id = job.volume.media_id;
    job.ask(net, Ask::CreateJobMedia(JobMedia { media_id, ..JobMedia::default() }));
    Act::Wait
}

fn delete_placeholder(job: &mut Job, net: &mut Net) -> Act {
    if !job.placeholder {
        return Act::Skip;
    }
    job.ask(net, Ask::DeleteNullJobMedia { job_id: job.line.job_id });
    Act::Wait
}

fn create_job_media(job: &mut Job, net: &mut Net) -> Act {
    let Some(piece) = job.piece.clone() else { return Act::Skip };
    job.count(&piece);
    if piece.last_index == 0 {
        return Act::Skip;
    }
    job.ask(net, Ask::CreateJobMedia(job_media(&piece, job.volume.media_id)));
    Act::Wait
}

fn update(job: &mut Job, net: &mut Net) -> Act {
    job.ask_update(net, false);
    Act::Wait
}

fn update_full(job: &mut Job, net: &mut Net) -> Act {
    "Full".clone_into(&mut job.volume.status);
    update(job, net)
}

fn update_error(job: &mut Job, net: &mut Net) -> Act {
    "Error".clone_into(&mut job.volume.status);
    job.volume.errors += 1;
    update(job, net)
}

fn update_read(job: &mut Job, net: &mut Net) -> Act {
    if job.source.volume.is_empty() {
        return Act::Skip;
    }
    job.source.read_time += job.tally.spent;
    job.ask_update_of(net, &job.source, false);
    Act::Wait
}

fn sync(job: &mut Job, net: &mut Net) -> Act {
    let Some(handle) = job.handle else { return Act::Skip };
    job.work = Some(net.work(Work::Disk(DiskWork::Sync { handle })));
    Act::Wait
}

fn close(job: &mut Job, net: &mut Net) -> Act {
    let Some(handle) = job.handle.take() else { return Act::Skip };
    job.work = Some(net.work(Work::Disk(DiskWork::Close { handle })));
    Act::Wait
}

fn close_reader(job: &mut Job, net: &mut Net) -> Act {
    let Some(handle) = job.reader.take() else { return Act::Skip };
    job.work = Some(net.work(Work::Disk(DiskWork::Close { handle })));
    Act::Wait
}

fn get_next_for_read(job: &mut Job, net: &mut Net) -> Act {
    let Some(volume) = job.volumes.pop_front() else { return Act::Skip };
    job.ask(net, Ask::GetVolInfo { volume, write: false });
    Act::Wait
}

fn open_read(job: &mut Job, net: &mut Net) -> Act {
    let handle = HandleId(net.next_id());
    job.reader = Some(handle);
    let folder = job.read.as_ref().map(|place| place.folder.clone()).unwrap_or_default();
    let form = match job.part {
        Part::Send(_) => ReadForm::Replicate,
        Part::Clone => ReadForm::Clone,
        Part::Client | Part::Receive => ReadForm::Restore,
    };
    let bootstrap = job.bootstrap.clone();
    job.work = Some(net.work(Work::Disk(DiskWork::OpenRead { handle, folder, bootstrap, form })));
    Act::Wait
}

fn learn_volume(job: &mut Job, line: &str) -> Result<(), String> {
    job.volume = VolumeInfo::parse(line.as_bytes()).ok_or_else(|| line.trim_end().to_owned())?;
    Ok(())
}

/// A volume without a label is of no use to a device that labels none (`wire/3 §5.8`).
fn learn_writable(job: &mut Job, line: &str) -> Result<(), String> {
    learn_volume(job, line)?;
    let labels = job.append.as_ref().is_none_or(|place| place.labels);
    if !labels && expected(&job.volume) == Find::New { Err(NO_LABEL.to_owned()) } else { Ok(()) }
}

/// A refusal only warns (`wire/3 §5.9`): the volume itself decides.
fn learn_read_volume(job: &mut Job, line: &str) -> Result<(), String> {
    if let Some(volume) = VolumeInfo::parse(line.as_bytes()) {
        job.source = volume;
    }
    Ok(())
}
