//! `probe`: the way of a job's data, dialled by the daemon that would dial it for a job. Both ends are given a job that only
//! one of them knows, so that the other one refuses it: no device is reserved and no byte of data goes.

use std::collections::VecDeque;

use crate::error::Explain as _;
use crate::ids::Who;
use crate::secret::Secret;
use crate::wire::file::{FileCommand, JobInfo, StorageAddress};
use crate::wire::status::{JobLevel, JobType};
use crate::wire::storage::{StorageCommand, StorageJob};
use crate::wire::{file_answers, frame, storage_answers};

use super::super::grammar::Takes::Value;
use super::super::grammar::{Command, Form};
use super::super::refusal::{Kind, NoSuch, Refusal};
use super::super::reply::{Instruction, Reply, View};
use super::super::words::Words;
use crate::role::director::errands::{Errand, For, Preparation};
use crate::role::director::jobs::route::Route;
use crate::role::director::jobs::tables;

pub(super) const COMMAND: Command = Command::new(
    "probe",
    &[Form {
        words: &[("client", Value), ("storage", Value)],
        help: &[(
            "probe client=NAME storage=NAME",
            "has the data channel of the two dialled by the daemon that would dial it; a refusal by the other one shows that it is reached",
        )],
        ..Form::PLAIN
    }],
    run,
);

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let config = view.config();
    let (Some(client), Some(storage)) = (words.value(&["client"]), words.value(&["storage"])) else {
        return Err(Refusal::usage("Name both ends: probe client=NAME storage=NAME."));
    };
    NoSuch::check(config, Kind::Client, client)?;
    NoSuch::check(config, Kind::Storage, storage)?;
    let common = &view.director.common;
    let route = Route::decide((config, &common.overrides), client, storage)
        .map_err(|trouble| Refusal::Daemon(trouble.line()))?;
    let stamp = view.zone().local(view.now()).stamp();
    let job = tables::unique_name("-Probe-", &stamp, 0);
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
    let mut frames = Vec::new();
    frame::put_data(&mut frames, first.as_bytes());
    let errand = Errand {
        before: VecDeque::from([Preparation { frames, answer }]),
        ..Errand::new(who, name.to_owned(), command, For::Console(view.conn))
    };
    Ok(Reply::Do(Instruction::Errand(Box::new(errand))).after(format!("{}\n", channel.path())))
}
