//! The data channel as the file daemon leads it: the dialogues of `wire/2 §2.1` and `§3.1`, step by step. A verify job of a
//! volume is a restore that writes nothing (`wire/2 §1.12`).

use std::fmt;

use crate::bulk::known::Changes;
use crate::bulk::machine::Machine;
use crate::bulk::restorer::Restorer;
use crate::bulk::sender::Sender;
use crate::bulk::work::DiskWork;
use crate::ids::Who;
use crate::role::file::Net;
use crate::script::{Act, Acted, Expect, Learn, Mismatch, Step, Table, nothing};
use crate::wire::frame::Signal;
use crate::wire::session::{self, DataCommand, ReadSession};
use crate::wire::status;

use super::job::{Job, Kind};

/// Parcels in memory for one backup.
const PARCELS: usize = 4;

/// A backup: from the fileset to the tally.
pub(super) static BACKUP: Table<Job> = &[
    Step { name: "opening the fileset", act: open_backup, expect: Expect::Event(Event::Opened) },
    Step { name: "the storage daemon's session", act: append_open, expect: says(session::OPENED, learn_ticket) },
    Step { name: "the storage daemon's consent", act: append_data, expect: says(session::DATA, nothing) },
    Step { name: "the data", act: send_data, expect: Expect::Event(Event::Carried) },
    Step { name: "the receipt", act: wait, expect: says(session::APPENDED, nothing) },
    Step { name: "the end of the session", act: append_end, expect: says(session::ENDED, nothing) },
    Step { name: "the session's status", act: append_close, expect: says(session::CLOSED, learn_backup_status) },
    Step { name: "the end of the status", act: wait, expect: EOD },
    Step { name: "the tally", act: close_handle, expect: Expect::Event(Event::Closed) },
];

/// A restore from one storage daemon: from the session to the tally, which waits if more storage daemons may follow.
pub(super) static RESTORE: Table<Job> = &[
    Step { name: "opening the folder to restore to", act: open_restore, expect: Expect::Event(Event::Opened) },
    Step { name: "the storage daemon's session", act: read_open, expect: says(session::OPENED, learn_ticket) },
    Step { name: "the storage daemon's consent", act: read_data, expect: says(session::DATA, nothing) },
    Step { name: "the data", act: receive_data, expect: Expect::Event(Event::Carried) },
    Step { name: "the tally", act: close_only_part, expect: Expect::Event(Event::Closed) },
    Step { name: "the session's status", act: read_close, expect: says(session::CLOSED, nothing) },
];

/// A verify job: from the session to the tally.
pub(super) static VERIFY: Table<Job> = &[
    Step { name: "opening the comparison", act: open_verify, expect: Expect::Event(Event::Opened) },
    Step { name: "the storage daemon's session", act: read_open, expect: says(session::OPENED, learn_ticket) },
    Step { name: "the storage daemon's consent", act: read_data, expect: says(session::DATA, nothing) },
    Step { name: "the data", act: look_at_data, expect: Expect::Event(Event::Carried) },
    Step { name: "the tally", act: close_handle, expect: Expect::Event(Event::Closed) },
    Step { name: "the session's status", act: read_close, expect: says(session::CLOSED, nothing) },
];

/// The end of a restore that was told to expect `endrestore`.
pub(super) static END_RESTORE: Table<Job> =
    &[Step { name: "the tally", act: close_handle, expect: Expect::Event(Event::Closed) }];

/// What happens to a job while its dialogue is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The worker has opened what was asked.
    Opened,
    /// The machine has ended well.
    Carried,
    /// The worker has closed it and said how much it was.
    Closed,
}

const EOD: Expect<Job> = Expect::Signal(Who::Storage, Signal::Eod);

/// A line of the storage daemon.
const fn says(line: &'static str, learn: Learn<Job>) -> Expect<Job> {
    Expect::Text(Who::Storage, line, learn)
}

fn wait(_: &mut Job, _: &mut Net) -> Acted<Job> {
    Ok(Act::Wait)
}

fn open_backup(job: &mut Job, _: &mut Net) -> Acted<Job> {
    job.opened = true;
    let changes = Changes { since: job.asked.since, known: job.asked.known.take() };
    let fileset = job.asked.fileset.clone();
    let unsaved = if let Kind::Backup { unsaved } = &mut job.kind { unsaved.take() } else { None };
    let permits = job.asked.permits.clone();
    let open = DiskWork::OpenBackup { handle: job.handle, fileset, changes, unsaved, permits };
    Ok(Act::Want(open))
}

fn open_restore(job: &mut Job, _: &mut Net) -> Acted<Job> {
    // Of a restore from several storage daemons everything is one: folders whose files come from two get their times.
    if std::mem::replace(&mut job.opened, true) {
        return Ok(Act::Next);
    }
    let Kind::Restore { order } = &job.kind else { return Ok(Act::Next) };
    Ok(Act::Want(DiskWork::OpenRestore { handle: job.handle, order: order.clone() }))
}

fn open_verify(job: &mut Job, _: &mut Net) -> Acted<Job> {
    job.opened = true;
    let open = DiskWork::OpenVerify { handle: job.handle, fileset: job.asked.fileset.clone() };
    Ok(Act::Want(open))
}

fn close_handle(job: &mut Job, _: &mut Net) -> Acted<Job> {
    Ok(Act::Want(DiskWork::Close { handle: job.handle }))
}

fn close_only_part(job: &mut Job, net: &mut Net) -> Acted<Job> {
    if job.awaits_end_restore() { Ok(Act::Next) } else { close_handle(job, net) }
}

fn append_open(job: &mut Job, net: &mut Net) -> Acted<Job> {
    say(job, net, DataCommand::AppendOpen)
}

fn append_data(job: &mut Job, net: &mut Net) -> Acted<Job> {
    say(job, net, DataCommand::AppendData(job.ticket))
}

fn append_end(job: &mut Job, net: &mut Net) -> Acted<Job> {
    say(job, net, DataCommand::AppendEnd(job.ticket))
}

fn append_close(job: &mut Job, net: &mut Net) -> Acted<Job> {
    say(job, net, DataCommand::AppendClose(job.ticket))
}

fn read_open(job: &mut Job, net: &mut Net) -> Acted<Job> {
    let (session_id, session_time) = job.session;
    say(job, net, DataCommand::ReadOpen(ReadSession { session_id, session_time }))
}

fn read_data(job: &mut Job, net: &mut Net) -> Acted<Job> {
    say(job, net, DataCommand::ReadData(job.ticket))
}

fn read_close(job: &mut Job, net: &mut Net) -> Acted<Job> {
    say(job, net, DataCommand::ReadClose(job.ticket))
}

fn send_data(job: &mut Job, net: &mut Net) -> Acted<Job> {
    if let Some(conn) = job.peer.conn() {
        net.pace(conn, job.bandwidth);
        net.carry(conn, Machine::Send(Sender::new(job.handle, PARCELS)));
    }
    Ok(Act::Wait)
}

fn receive_data(job: &mut Job, net: &mut Net) -> Acted<Job> {
    if let Some(conn) = job.peer.conn() {
        net.pace(conn, job.bandwidth);
        net.carry(conn, Machine::Restore(Restorer::new(job.handle)));
    }
    Ok(Act::Wait)
}

fn look_at_data(job: &mut Job, net: &mut Net) -> Acted<Job> {
    if let Some(conn) = job.peer.conn() {
        net.pace(conn, job.bandwidth);
        net.carry(conn, Machine::Restore(Restorer::verifying(job.handle)));
    }
    Ok(Act::Wait)
}

fn say(job: &Job, net: &mut Net, command: DataCommand) -> Acted<Job> {
    if let Some(conn) = job.peer.conn() {
        net.send_text(conn, command.to_line());
    }
    Ok(Act::Wait)
}

fn learn_ticket(job: &mut Job, line: &str) -> Result<(), Option<Mismatch>> {
    job.ticket = session::parse_opened(line.as_bytes()).ok_or(None)?;
    Ok(())
}

/// Only T and W are good (`wire/2 §2.1`).
fn learn_backup_status(_: &mut Job, line: &str) -> Result<(), Option<Mismatch>> {
    status::parse_close_answer(line.as_bytes()).filter(|status| status.is_ok()).map(|_| ()).ok_or(None)
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Opened => "the open files",
            Self::Carried => "the end of the data",
            Self::Closed => "the closed files",
        })
    }
}
