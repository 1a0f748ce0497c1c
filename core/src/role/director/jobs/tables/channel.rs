//! Steps that open a job's data channel, whichever side dials. A table has both; those of the other way are skipped.
//!
//! ```text
//!   file daemon dials      FILE_DIALS      D>F storage address=…         (`wire/2 §1.7`)
//!   storage daemon dials   STORAGE_DIALS   D>S passive client address=…  (`wire/3 §1.3.7`)
//! ```
//! A backup gives both daemons their key before and lets the storage daemon run after them. A restore lets it run
//! before the file daemon dials, and after it has dialled itself (`wire/2 §1.14`); so does a verify job.

use crate::ids::Who;
use crate::script::{Act, Acted, Expect, Step, nothing};
use crate::secret::Secret;
use crate::wire::file::{FileCommand, StorageAddress};
use crate::wire::storage::StorageCommand;
use crate::wire::{file_answers, storage_answers};

use super::super::dialogue::{Event, Want};
use super::super::job::Job;
use super::super::route::Route;
use super::super::trouble::Trouble;
use super::{file, storage};
use crate::role::director::common::Tools;

/// The file daemon's protocol from which on it can be dialled by a storage daemon (`wire/2 §1.3`).
const PASSIVE_SINCE: u32 = 51;

pub(super) const FILE_DIALS: Step<Job> = Step {
    name: "the file daemon's way to the storage daemon",
    act: send_address,
    expect: file::says(file_answers::STORAGE, nothing),
};

/// With the key, as a restore needs it (`wire/2 §1.7`).
pub(super) const FILE_DIALS_WITH_KEY: Step<Job> = Step { act: send_address_and_key, ..FILE_DIALS };

/// With an empty key, as a verify job needs it: that of the job counts on (`wire/2 §1.7`).
pub(super) const FILE_DIALS_WITHOUT_KEY: Step<Job> = Step { act: send_address_without_key, ..FILE_DIALS };

/// The second key of a restore, which a passive file daemon cannot get with an address.
pub(super) const NEW_KEY: Step<Job> =
    Step { name: "the file daemon's key", act: send_key, expect: file::says(file_answers::AUTHORIZATION, nothing) };

pub(super) const STORAGE_DIALS: Step<Job> = Step {
    name: "the storage daemon's way to the file daemon",
    act: send_passive,
    expect: storage::says(storage_answers::PASSIVE, nothing),
};

/// A passive file daemon of Bareos hands a connection to its job before it has authenticated it, and mixes up who reads what if
/// the job's order comes at once; a director of Bareos pauses there (`wire/3 §1.3.7`).
pub(super) const SETTLE: Step<Job> =
    Step { name: "the passive file daemon", act: settle, expect: Expect::Event(Event::Settled) };

/// The start of the storage daemon of a restore whose file daemon dials.
pub(super) const RUN_BEFORE: Step<Job> = Step { act: run_before, ..storage::RUN };

/// The start of the storage daemon of a restore after it has dialled.
pub(super) const RUN_AFTER: Step<Job> = Step { act: run_after, ..storage::RUN };

/// Which of the two dials, and where.
pub(super) const DECIDE: Step<Job> = Step { name: "the way of the data", act: decide, expect: Expect::Nothing };

fn decide(job: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    let with = &job.with;
    job.file_daemon.route = Some(Route::decide((&job.config, &job.overrides), &with.client, &with.storage)?);
    Ok(Act::Next)
}

fn send_address(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    address(job, tools, None)
}

fn send_address_and_key(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    let key = job.storage_daemon.key.clone();
    address(job, tools, Some(key))
}

fn send_address_without_key(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    address(job, tools, Some(Secret::default()))
}

fn address(job: &mut Job, tools: &mut Tools<'_>, key: Option<Secret>) -> Acted<Job> {
    let route = job.route()?.clone();
    if route.storage_dials() {
        return Ok(Act::Next);
    }
    let Route { channel, tls } = route;
    tools.note(job, &channel.path());
    let line = StorageAddress { address: channel.address, port: channel.port, tls: tls.unwrap_or(0), key };
    job.send(tools.net, Who::File, FileCommand::Storage(line).to_line());
    Ok(Act::Wait)
}

fn send_key(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    if !job.route()?.storage_dials() {
        return Ok(Act::Next);
    }
    job.send(tools.net, Who::File, FileCommand::SetAuthorization { key: job.storage_daemon.key.clone() }.to_line());
    Ok(Act::Wait)
}

fn send_passive(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    let route = job.route()?.clone();
    if !route.storage_dials() {
        return Ok(Act::Next);
    }
    if job.file_daemon.protocol < PASSIVE_SINCE {
        let (client, protocol) = (job.with.client.clone(), job.file_daemon.protocol);
        return Err(Trouble::TooOld { client, protocol, since: PASSIVE_SINCE });
    }
    let Route { channel, tls } = route;
    tools.note(job, &channel.path());
    let line = StorageCommand::Passive { address: channel.address, port: channel.port, tls: tls.unwrap_or(0) };
    job.send(tools.net, Who::Storage, line.to_line());
    Ok(Act::Wait)
}

fn settle(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    let is_ours = job.file_daemon.presence.conn().is_some_and(|conn| tools.net.is_towline(conn));
    Ok(if job.route()?.storage_dials() && !is_ours { Act::Want(Want::Settle) } else { Act::Next })
}

fn run_before(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    if job.route()?.storage_dials() { Ok(Act::Next) } else { storage::send_run(job, tools) }
}

fn run_after(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    if job.route()?.storage_dials() { storage::send_run(job, tools) } else { Ok(Act::Next) }
}
