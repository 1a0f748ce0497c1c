//! `probe`: the way of a job's data, dialled by the daemon that would dial it for a job. Both ends are given a job that only
//! one of them knows, so that the other one refuses it: no device is reserved and no byte of data goes.

use std::collections::VecDeque;

use crate::channel::{self, Channel, Pair};
use crate::error::Explain as _;
use crate::ids::Who;
use crate::secret::Secret;
use crate::wire::file::{FileCommand, IMMEDIATE_TLS, JobInfo, StorageAddress};
use crate::wire::status::{JobLevel, JobType};
use crate::wire::storage::{Replicate, StorageCommand, StorageJob};
use crate::wire::{file_answers, frame, probe, storage_answers};

use super::super::grammar::Takes::Value;
use super::super::grammar::{Command, Form};
use super::super::refusal::{Kind, NoSuch, Refusal};
use super::super::reply::{Instruction, Reply, View};
use super::super::words::Words;
use crate::role::director::errands::{Errand, For, Preparation};
use crate::role::director::jobs::route::Route;
use crate::role::director::jobs::tables;
use crate::role::director::jobs::trouble::Trouble;

pub(super) const COMMAND: Command = Command::new(
    "probe",
    &[Form {
        words: &[("client", Value), ("storage", Value), ("to", Value), ("size", Value)],
        help: &[
            (
                "probe client=NAME storage=NAME",
                "has the data channel of the two dialled by the daemon that would dial it; a refusal by the other one shows that it is reached",
            ),
            (
                "probe storage=NAME to=NAME",
                "the same of the channel by which the first storage would copy to the second",
            ),
            (
                "probe … size=BYTES",
                "the same with first lines of so many bytes, in clear; only a Towline daemon dials so",
            ),
        ],
        ..Form::PLAIN
    }],
    run,
);

const USAGE: &str = "Name both ends: probe client=NAME storage=NAME, or probe storage=NAME to=NAME.";

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let config = view.config();
    let ends = [words.value(&["client"]), words.value(&["storage"]), words.value(&["to"])];
    let job = unique_name(view, words.value(&["size"]))?;
    let (client, storage) = match ends {
        [Some(client), Some(storage), None] => (client, storage),
        [None, Some(storage), Some(to)] => return of_copy(view, (storage, to), job),
        _ => return Err(Refusal::usage(USAGE)),
    };
    NoSuch::check(config, Kind::Client, client)?;
    NoSuch::check(config, Kind::Storage, storage)?;
    let common = &view.director.common;
    let route = Route::decide((config, &common.overrides), client, storage)
        .map_err(|trouble| Refusal::Daemon(trouble.line()))?;
    let Route { channel, tls } = &route;
    let (address, port, tls) = (channel.address.clone(), channel.port, tls.unwrap_or(0));
    let (who, name, first, answer, command) = if route.storage_dials() {
        let told = StorageJob { client: client.to_owned(), ..StorageJob::new(job, JobType::Backup, JobLevel::Full) };
        let order = StorageCommand::Job(told).to_line();
        let command = StorageCommand::Passive { address, port, tls }.to_line();
        (Who::Storage, storage, order, storage_answers::JOB, command)
    } else {
        let key = Secret::from("dummy");
        let speaks_tls = config.client(client).is_some_and(|client| config.client_tls(client).enable);
        let info = JobInfo {
            job_id: 0,
            job,
            session_id: 0,
            session_time: 0,
            key: key.clone(),
            tls: speaks_tls.then_some(tls),
        };
        let command = FileCommand::Storage(StorageAddress { address, port, tls, key: Some(key) }).to_line();
        (Who::File, client, FileCommand::Job(info).to_line(), file_answers::JOB, command)
    };
    Ok(errand(view, (who, name), &first, answer, command, channel))
}

/// The way from a storage daemon to another one.
fn of_copy(view: &View<'_>, (from, to): (&str, &str), job: String) -> Result<Reply, Refusal> {
    let config = view.config();
    NoSuch::check(config, Kind::Storage, from)?;
    NoSuch::check(config, Kind::Storage, to)?;
    let (Some(reading), Some(writing)) = (config.storage(from), config.storage(to)) else {
        return Err(Refusal::usage(USAGE));
    };
    let channel = channel::decide(Pair::Copy { reading, writing })
        .map_err(|trouble| Refusal::Daemon(Trouble::from(trouble).line()))?;
    let order = Replicate {
        job_id: 0,
        job: job.clone(),
        address: channel.address.clone(),
        port: channel.port,
        tls: if config.storage_tls(writing).enable { IMMEDIATE_TLS } else { 0 },
        key: Secret::from("dummy"),
    };
    let first = StorageCommand::Job(StorageJob::new(job, JobType::Copy, JobLevel::Full)).to_line();
    let command = StorageCommand::Replicate(order).to_line();
    Ok(errand(view, (Who::Storage, from), &first, storage_answers::JOB, command, &channel))
}

fn unique_name(view: &View<'_>, size: Option<&str>) -> Result<String, Refusal> {
    let is_size = |size: &str| size.parse().is_ok_and(|size| probe::SIZES.contains(&size));
    if let Some(size) = size.filter(|size| !is_size(size)) {
        let (least, most) = probe::SIZES.into_inner();
        return Err(Refusal::usage(format!("size={size} is not a number from {least} to {most}.")));
    }
    let stamp = view.zone().local(view.now()).stamp();
    Ok(tables::unique_name(&format!("{}{}", probe::NAME, size.unwrap_or_default()), &stamp, 0))
}

/// What a daemon is told: a job first, and then whom to dial for it.
fn errand(
    view: &View<'_>,
    (who, name): (Who, &str),
    first: &str,
    answer: &'static str,
    command: String,
    channel: &Channel,
) -> Reply {
    let mut frames = Vec::new();
    frame::put_data(&mut frames, first.as_bytes());
    let errand = Errand {
        before: VecDeque::from([Preparation { frames, answer }]),
        ..Errand::new(who, name.to_owned(), command, For::Console(view.conn))
    };
    Reply::Do(Instruction::Errand(Box::new(errand))).after(format!("{}\n", channel.path()))
}
