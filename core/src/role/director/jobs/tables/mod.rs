//! The dialogues of jobs with their daemons, step by step.
//!
//! `backup.rs`, `restore.rs` and `verify.rs` are the tables; `storage.rs` and `file.rs` are the steps they share, each with the
//! daemon it is a talk with; `channel.rs` are those between the two, `level.rs` those of a backup that builds on others,
//! `scripts.rs` the commands on the client,
//! `plugins.rs` what its plugins are told.

mod backup;
mod channel;
mod consolidation;
pub(super) mod copy;
mod file;
mod level;
mod plugins;
mod restore;
mod scripts;
mod storage;
mod verify;
pub(crate) mod virtual_full;

pub(super) use level::Backup;

use crate::ids::ConnId;
use crate::script::{Act, Acted, Expect, Table, Take};
use crate::wire::status::JobType;

use super::dialogue::News;
use super::job::Job;
use super::trouble::Trouble;
use crate::role::director::common::Tools;

/// What a job of this type is called, and its dialogue.
pub(crate) const fn of(kind: JobType) -> (&'static str, Table<Job>) {
    match kind {
        JobType::Restore => ("Restore", restore::TABLE),
        JobType::Verify => ("Verify", verify::TABLE),
        // These first ask the catalog what to copy.
        JobType::Copy => ("Copy", &[]),
        JobType::Migrate => ("Migration", &[]),
        // It has nothing to say to any daemon.
        JobType::Admin => ("Admin", &[]),
        JobType::Consolidate => ("Consolidate", consolidation::TABLE),
        _ => ("Backup", backup::TABLE),
    }
}

/// The dialogue of a verify job that looks at the client's disk.
pub(crate) const fn of_disk() -> Table<Job> {
    verify::DISK
}

/// The unique name of a job (`wire/3 §0.5`): blanks become underscores, the whole stays below 122 bytes.
pub(crate) fn unique_name(resource: &str, stamp: &str, counter: u32) -> String {
    let tail = format!(".{stamp}_{counter:02}");
    let room = 121_usize.saturating_sub(tail.len());
    let mut name: String = resource.chars().map(|c| if c.is_whitespace() { '_' } else { c }).collect();
    while name.len() > room {
        name.pop();
    }
    name + &tail
}

fn wait(_: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    Ok(Act::Wait)
}

/// Waits until no batch of attributes is on its way to the catalog any more.
fn files_stored(job: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    if job.attributes.under_way == 0 { Ok(Act::Next) } else { Ok(Act::Wait) }
}

/// Something that comes for this step only.
const fn news(take: Take<Job>) -> Expect<Job> {
    Expect::<Job>::News(take)
}

/// The catalog has stored what the step has given it.
fn stored(_: &mut Job, _: News, _: &mut Tools<'_>) -> Acted<Job> {
    Ok(Act::Next)
}

fn unexpected(news: &News) -> Acted<Job> {
    match news {
        News::Catalog(answer) => Err(Trouble::unexpected(answer)),
        News::ParcelTaken | News::Lists(_) => Ok(Act::Wait),
    }
}

fn send_frames(conn: Option<ConnId>, tools: &mut Tools<'_>, frames: Vec<u8>) -> Acted<Job> {
    if let Some(conn) = conn {
        tools.net.send(conn, frames);
    }
    Ok(Act::Wait)
}
