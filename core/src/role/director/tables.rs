//! The dialogues of a backup and a restore with both daemons, step by step: `wire/2 §1.13`, `§1.14`, `wire/3 §1.5`, `§1.6`.

use crate::ids::{ConnId, DialId};
use crate::node::Net;
use crate::role::script::{Act, Expect, Step, Who, nothing};
use crate::wire::file::{FileCommand, JobInfo, Level, Restore, RestoreTo, StorageAddress};
use crate::wire::file_answers as file;
use crate::wire::frame::{self, Signal};
use crate::wire::hello;
use crate::wire::status::{JobLevel, JobType};
use crate::wire::storage::{NO_DIGEST, NO_NAME, StorageCommand, StorageJob, UseStorage};
use crate::wire::storage_answers::{self as answers, JobAccepted};

use super::catalog::{CatalogRequest, JobStart};
use super::job::Job;

/// A backup, until both daemons have said how it ended.
pub(super) static BACKUP: &[Step<Job>] = &[
    Step {
        name: "connecting to the storage daemon",
        act: dial_storage,
        expect: Expect::Event(STORAGE_READY),
        learn: nothing,
    },
    Step { name: "the storage daemon's greeting", act: wait, expect: storage(hello::STORAGE_ANSWER), learn: nothing },
    Step {
        name: "the storage daemon's job",
        act: storage_job,
        expect: storage("3000 OK Job SDid="),
        learn: learn_session,
    },
    Step {
        name: "the storage daemon's erase command",
        act: storage_erase,
        expect: storage("2000 OK SDSecureEraseCmd"),
        learn: nothing,
    },
    Step { name: "recording the start", act: record_start, expect: Expect::Event(STORED), learn: nothing },
    Step { name: "connecting to the file daemon", act: dial_file, expect: Expect::Event(FILE_READY), learn: nothing },
    Step { name: "the file daemon's greeting", act: wait, expect: file("2000 OK Hello"), learn: learn_protocol },
    Step { name: "the file daemon's job", act: file_job, expect: file("2000 OK Job"), learn: learn_uname },
    Step { name: "the level", act: send_level, expect: file(file::LEVEL), learn: nothing },
    Step { name: "the fileset", act: send_fileset, expect: file(file::FILESET), learn: nothing },
    Step {
        name: "the file daemon's erase command",
        act: file_erase,
        expect: file("2000 OK FDSecureEraseCmd"),
        learn: nothing,
    },
    Step {
        name: "reserving a device",
        act: use_storage_append,
        expect: storage("3000 OK use device device="),
        learn: learn_device,
    },
    Step {
        name: "the file daemon's way to the storage daemon",
        act: send_address,
        expect: file(file::STORAGE),
        learn: nothing,
    },
    Step { name: "starting the storage daemon", act: run, expect: Expect::Nothing, learn: nothing },
    Step { name: "starting the backup", act: send_backup, expect: file(file::BACKUP), learn: nothing },
    Step { name: "the file daemon's end", act: wait_file_end, expect: Expect::Event(FILE_ENDED), learn: nothing },
    Step { name: "letting the file daemon go", act: dismiss_file, expect: Expect::Nothing, learn: nothing },
    Step {
        name: "the storage daemon's end",
        act: wait_storage_end,
        expect: Expect::Event(STORAGE_ENDED),
        learn: nothing,
    },
    Step { name: "storing the file list", act: wait_stored, expect: Expect::Event(FILES_STORED), learn: nothing },
];

/// A restore from one storage daemon, until both daemons have said how it ended.
pub(super) static RESTORE: &[Step<Job>] = &[
    Step {
        name: "connecting to the storage daemon",
        act: dial_storage,
        expect: Expect::Event(STORAGE_READY),
        learn: nothing,
    },
    Step { name: "the storage daemon's greeting", act: wait, expect: storage(hello::STORAGE_ANSWER), learn: nothing },
    Step {
        name: "the storage daemon's job",
        act: storage_job,
        expect: storage("3000 OK Job SDid="),
        learn: learn_session,
    },
    Step {
        name: "the storage daemon's erase command",
        act: storage_erase,
        expect: storage("2000 OK SDSecureEraseCmd"),
        learn: nothing,
    },
    Step { name: "recording the start", act: record_start, expect: Expect::Event(STORED), learn: nothing },
    Step {
        name: "reserving a device",
        act: use_storage_read,
        expect: storage("3000 OK use device device="),
        learn: learn_device,
    },
    Step { name: "connecting to the file daemon", act: dial_file, expect: Expect::Event(FILE_READY), learn: nothing },
    Step { name: "the file daemon's greeting", act: wait, expect: file("2000 OK Hello"), learn: learn_protocol },
    Step { name: "the file daemon's job", act: file_job, expect: file("2000 OK Job"), learn: learn_uname },
    Step {
        name: "the file daemon's erase command",
        act: file_erase,
        expect: file("2000 OK FDSecureEraseCmd"),
        learn: nothing,
    },
    Step { name: "the bootstrap", act: send_bootstrap, expect: storage(answers::BOOTSTRAP), learn: nothing },
    Step { name: "starting the storage daemon", act: run, expect: Expect::Nothing, learn: nothing },
    Step {
        name: "the file daemon's way to the storage daemon",
        act: send_address_and_key,
        expect: file(file::STORAGE),
        learn: nothing,
    },
    Step { name: "starting the restore", act: send_restore, expect: file(file::RESTORE), learn: nothing },
    Step { name: "the data", act: wait, expect: file(file::STORAGE_END), learn: nothing },
    Step {
        name: "the storage daemon's end",
        act: wait_storage_end,
        expect: Expect::Event(STORAGE_ENDED),
        learn: nothing,
    },
    Step { name: "ending the restore", act: send_end_restore, expect: Expect::Event(FILE_ENDED), learn: nothing },
    Step { name: "letting the file daemon go", act: dismiss_file, expect: Expect::Nothing, learn: nothing },
];

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

const fn storage(line: &'static str) -> Expect {
    Expect::Answer(Who::Storage, line)
}

const fn file(line: &'static str) -> Expect {
    Expect::Answer(Who::File, line)
}

fn wait(_: &mut Job, _: &mut Net) -> Act {
    Act::Wait
}

fn dial_storage(job: &mut Job, net: &mut Net) -> Act {
    dialled(super::dialling::dial_storage(job, net), Who::Storage, job)
}

fn dial_file(job: &mut Job, net: &mut Net) -> Act {
    let passive = job.config.client(&job.client).is_some_and(|client| client.passive);
    let dial = if passive {
        Err(format!("client \"{}\" is passive, which is not served yet; let it dial the storage daemon", job.client))
    } else {
        super::dialling::dial_file(job, net)
    };
    dialled(dial, Who::File, job)
}

fn dialled(dial: Result<DialId, String>, who: Who, job: &mut Job) -> Act {
    match dial {
        Ok(dial) => job.dial = Some((dial, who)),
        Err(why) => job.trouble = Some(why),
    }
    Act::Wait
}

fn storage_job(job: &mut Job, net: &mut Net) -> Act {
    let line = StorageJob {
        job_id: job.id,
        job: job.unique.clone(),
        name: job.name.clone(),
        client: job.client.clone(),
        kind: job.kind,
        level: job.level,
        fileset: if job.fileset.is_empty() { NO_NAME.to_owned() } else { job.fileset.clone() },
        no_attributes: false,
        spool_attributes: false,
        fileset_digest: if job.fileset_md5.is_empty() { NO_DIGEST.to_owned() } else { job.fileset_md5.clone() },
        spool_data: false,
        prefer_mounted: true,
        spool_size: 0,
        rerunning: false,
        session_id: 0,
        session_time: 0,
        quota: 0,
        protocol: 0,
        format: "Native".to_owned(),
    };
    job.send(net, Who::Storage, StorageCommand::Job(line).to_line());
    Act::Wait
}

fn learn_session(job: &mut Job, line: &str) -> Result<(), String> {
    let accepted = JobAccepted::parse(line.as_bytes()).ok_or_else(|| line.trim_end().to_owned())?;
    job.session = (accepted.session_id, accepted.session_time);
    job.key = accepted.key;
    Ok(())
}

fn storage_erase(job: &mut Job, net: &mut Net) -> Act {
    job.send(net, Who::Storage, StorageCommand::SecureErase.to_line());
    Act::Wait
}

fn record_start(job: &mut Job, net: &mut Net) -> Act {
    job.started = net.wall().seconds();
    let start = JobStart {
        job_id: job.id,
        job_status: job.status.letter(),
        level: JobLevel::Full.letter(),
        start_time: job.started,
        client_id: job.ids.client,
        pool_id: job.ids.pool,
        file_set_id: job.ids.fileset,
        vol_session_id: job.session.0,
        vol_session_time: job.session.1,
    };
    job.work = Some(super::ask_catalog(net, CatalogRequest::StartJob(start)));
    Act::Wait
}

fn learn_protocol(job: &mut Job, line: &str) -> Result<(), String> {
    job.file_protocol = hello::parse_file_answer(line.as_bytes()).ok_or_else(|| line.trim_end().to_owned())?;
    Ok(())
}

fn file_job(job: &mut Job, net: &mut Net) -> Act {
    let info = JobInfo {
        job_id: job.id,
        job: job.unique.clone(),
        session_id: job.session.0,
        session_time: job.session.1,
        key: job.key.clone(),
        tls: job.data_tls(),
    };
    job.send(net, Who::File, FileCommand::Job(info).to_line());
    Act::Wait
}

fn learn_uname(job: &mut Job, line: &str) -> Result<(), String> {
    job.uname = file::parse_job(line.as_bytes()).unwrap_or_default();
    Ok(())
}

fn send_level(job: &mut Job, net: &mut Net) -> Act {
    job.send(net, Who::File, FileCommand::Level(Level::Full { rerunning: false }).to_line());
    Act::Wait
}

fn send_fileset(job: &mut Job, net: &mut Net) -> Act {
    let mut frames = Vec::new();
    frame::put_data(&mut frames, FileCommand::FileSet { vss: true }.to_line().as_bytes());
    for line in job.fileset_lines() {
        frame::put_data(&mut frames, &line);
    }
    frame::put_signal(&mut frames, Signal::Eod);
    send_frames(job.file_conn, net, frames)
}

fn file_erase(job: &mut Job, net: &mut Net) -> Act {
    if job.file_protocol < 54 {
        return Act::Skip;
    }
    job.send(net, Who::File, FileCommand::SecureErase.to_line());
    Act::Wait
}

fn use_storage_append(job: &mut Job, net: &mut Net) -> Act {
    use_storage(job, net, true)
}

fn use_storage_read(job: &mut Job, net: &mut Net) -> Act {
    use_storage(job, net, false)
}

fn use_storage(job: &Job, net: &mut Net, append: bool) -> Act {
    let Some(resource) = job.config.storage(&job.storage) else { return Act::Wait };
    let group = UseStorage {
        storage: resource.name.clone(),
        media_type: resource.media_type.clone(),
        pool: job.pool.clone(),
        pool_type: "Backup".to_owned(),
        append,
        copy: 0,
        stripe: 0,
    };
    let device = resource.device.clone();
    let mut frames = Vec::new();
    frame::put_data(&mut frames, StorageCommand::Use(group).to_line().as_bytes());
    frame::put_data(&mut frames, UseStorage::device_line(&device).as_bytes());
    frame::put_signal(&mut frames, Signal::Eod);
    frame::put_signal(&mut frames, Signal::Eod);
    send_frames(job.storage_conn, net, frames)
}

fn learn_device(job: &mut Job, line: &str) -> Result<(), String> {
    job.device = answers::parse_device_used(line.as_bytes()).ok_or_else(|| line.trim_end().to_owned())?;
    Ok(())
}

fn send_bootstrap(job: &mut Job, net: &mut Net) -> Act {
    let mut frames = Vec::new();
    frame::put_data(&mut frames, StorageCommand::Bootstrap.to_line().as_bytes());
    for line in job.bootstrap_lines() {
        frame::put_data(&mut frames, &line);
    }
    frame::put_signal(&mut frames, Signal::Eod);
    send_frames(job.storage_conn, net, frames)
}

fn send_address(job: &mut Job, net: &mut Net) -> Act {
    address(job, net, false)
}

fn send_address_and_key(job: &mut Job, net: &mut Net) -> Act {
    address(job, net, true)
}

fn address(job: &Job, net: &mut Net, with_key: bool) -> Act {
    let Some(resource) = job.config.storage(&job.storage) else { return Act::Wait };
    let line = StorageAddress {
        address: resource.address.clone(),
        port: resource.port,
        tls: job.data_tls().unwrap_or(0),
        key: with_key.then(|| job.key.clone()),
    };
    job.send(net, Who::File, FileCommand::Storage(line).to_line());
    Act::Wait
}

fn run(job: &mut Job, net: &mut Net) -> Act {
    if let Some(conn) = job.storage_conn {
        net.gather(conn);
    }
    job.send(net, Who::Storage, StorageCommand::Run.to_line());
    job.told_to_run = true;
    Act::Wait
}

fn send_backup(job: &mut Job, net: &mut Net) -> Act {
    job.send(net, Who::File, FileCommand::Backup { file_index: 0 }.to_line());
    Act::Wait
}

fn send_restore(job: &mut Job, net: &mut Net) -> Act {
    let Some(plan) = &job.restore else { return Act::Wait };
    let to = RestoreTo::Where(plan.to.clone());
    let line = Restore { replace: plan.replace, prefix_links: false, to };
    job.send(net, Who::File, FileCommand::Restore(line).to_line());
    Act::Wait
}

fn send_end_restore(job: &mut Job, net: &mut Net) -> Act {
    job.send(net, Who::File, FileCommand::EndRestore.to_line());
    wait_file_end(job, net)
}

fn wait_file_end(job: &mut Job, _: &mut Net) -> Act {
    if job.file_end.is_some() { Act::Skip } else { Act::Wait }
}

/// The file daemon has said goodbye behind its end, so that no TERMINATE is due.
fn dismiss_file(job: &mut Job, net: &mut Net) -> Act {
    if let Some(conn) = job.file_conn.take() {
        net.close(conn, false);
    }
    Act::Wait
}

fn wait_storage_end(job: &mut Job, _: &mut Net) -> Act {
    if job.storage_end.is_some() { Act::Skip } else { Act::Wait }
}

fn wait_stored(job: &mut Job, _: &mut Net) -> Act {
    if job.storing == 0 { Act::Skip } else { Act::Wait }
}

fn send_frames(conn: Option<ConnId>, net: &mut Net, frames: Vec<u8>) -> Act {
    if let Some(conn) = conn {
        net.send(conn, frames);
    }
    Act::Wait
}

/// The level a new job of this type is announced with: blank for a restore (`wire/3 §0.4`).
pub(super) const fn level_of(kind: JobType) -> JobLevel {
    match kind {
        JobType::Restore => JobLevel::Other(b' '),
        _ => JobLevel::Full,
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
