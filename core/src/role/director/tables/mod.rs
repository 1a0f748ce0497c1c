//! The dialogues of jobs with their daemons, step by step.
//!
//! `backup.rs`, `restore.rs` and `verify.rs` are the tables; `storage.rs` and `file.rs` are the steps they share, each with the
//! daemon it is a talk with; `channel.rs` are those between the two, `level.rs` those of a backup that builds on others.

mod backup;
mod channel;
pub(super) mod copy;
mod file;
pub(super) mod level;
pub(super) mod restore;
mod storage;
pub(super) mod verify;

use crate::ids::ConnId;
use crate::node::Net;
use crate::role::script::{Act, Step};
use crate::wire::status::JobType;

use super::job::Job;

/// The storage daemon is connected and authenticated.
pub(super) const STORAGE_READY: &str = "storage daemon ready";
/// The file daemon is connected and authenticated.
pub(super) const FILE_READY: &str = "file daemon ready";
/// The catalog has stored what the job waits for.
pub(super) const STORED: &str = "stored";
/// `2800 End Job` has come.
pub(super) const FILE_ENDED: &str = "end of the file daemon's job";
/// `3099 … end` has come.
pub(super) const STORAGE_ENDED: &str = "end of the storage daemon's job";
/// No batch of attributes is on its way any more.
pub(super) const FILES_STORED: &str = "files stored";

/// What a job of this type is called, and its dialogue.
pub(super) const fn of(kind: JobType) -> (&'static str, &'static [Step<Job>]) {
    match kind {
        JobType::Restore => ("Restore", restore::TABLE),
        JobType::Verify => ("Verify", verify::TABLE),
        // These first ask the catalog what to copy.
        JobType::Copy => ("Copy", &[]),
        JobType::Migrate => ("Migration", &[]),
        _ => ("Backup", backup::TABLE),
    }
}

/// The unique name of a job (`wire/3 §0.5`): blanks become underscores, the whole stays below 122 bytes.
pub(super) fn unique_name(resource: &str, stamp: &str, counter: u32) -> String {
    let tail = format!(".{stamp}_{counter:02}");
    let room = 121_usize.saturating_sub(tail.len());
    let mut name: String = resource.chars().map(|c| if c.is_whitespace() { '_' } else { c }).collect();
    while name.len() > room {
        name.pop();
    }
    name + &tail
}

fn wait(_: &mut Job, _: &mut Net) -> Act {
    Act::Wait
}

fn send_frames(conn: Option<ConnId>, net: &mut Net, frames: Vec<u8>) -> Act {
    if let Some(conn) = conn {
        net.send(conn, frames);
    }
    Act::Wait
}
