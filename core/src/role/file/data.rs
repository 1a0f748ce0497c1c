//! The data channel as the file daemon leads it: the dialogues of `wire/2 §2.1` and `§3.1`, step by step. A verify job of a
//! volume is a restore that writes nothing (`wire/2 §1.12`).

use crate::bulk::known::Changes;
use crate::bulk::machine::Machine;
use crate::bulk::restorer::Restorer;
use crate::bulk::sender::Sender;
use crate::bulk::work::DiskWork;
use crate::ids::Who;
use crate::node::Net;
use crate::role::script::{Act, Expect, Step, nothing};
use crate::wire::frame::Signal;
use crate::wire::session::{self, DataCommand, ReadSession};
use crate::wire::status;
use crate::work::Work;

use super::job::Job;

/// Parcels in memory for one backup.
const PARCELS: usize = 4;

/// A backup: from the fileset to the tally.
pub(super) static BACKUP: &[Step<Job>] = &[
    Step { name: "opening the fileset", act: open_backup, expect: Expect::Event(OPENED), learn: nothing },
    Step { name: "the storage daemon's session", act: append_open, expect: ticket_line(), learn: learn_ticket },
    Step { name: "the storage daemon's consent", act: append_data, expect: exactly(session::DATA), learn: nothing },
    Step { name: "the data", act: send_data, expect: Expect::Event(CARRIED), learn: nothing },
    Step { name: "the receipt", act: wait, expect: exactly(session::APPENDED), learn: nothing },
    Step { name: "the end of the session", act: append_end, expect: exactly(session::ENDED), learn: nothing },
    Step { name: "the session's status", act: append_close, expect: status_line(), learn: learn_backup_status },
    Step { name: "the end of the status", act: wait, expect: EOD, learn: nothing },
    Step { name: "the tally", act: close_handle, expect: Expect::Event(CLOSED), learn: nothing },
];

/// A restore from one storage daemon: from the session to the tally, which waits if more storage daemons may follow.
pub(super) static RESTORE: &[Step<Job>] = &[
    Step { name: "opening the folder to restore to", act: open_restore, expect: Expect::Event(OPENED), learn: nothing },
    Step { name: "the storage daemon's session", act: read_open, expect: ticket_line(), learn: learn_ticket },
    Step { name: "the storage daemon's consent", act: read_data, expect: exactly(session::DATA), learn: nothing },
    Step { name: "the data", act: receive_data, expect: Expect::Event(CARRIED), learn: nothing },
    Step { name: "the tally", act: close_only_part, expect: Expect::Event(CLOSED), learn: nothing },
    Step { name: "the session's status", act: read_close, expect: status_line(), learn: nothing },
];

/// A verify job: from the session to the tally.
pub(super) static VERIFY: &[Step<Job>] = &[
    Step { name: "opening the comparison", act: open_verify, expect: Expect::Event(OPENED), learn: nothing },
    Step { name: "the storage daemon's session", act: read_open, expect: ticket_line(), learn: learn_ticket },
    Step { name: "the storage daemon's consent", act: read_data, expect: exactly(session::DATA), learn: nothing },
    Step { name: "the data", act: look_at_data, expect: Expect::Event(CARRIED), learn: nothing },
    Step { name: "the tally", act: close_handle, expect: Expect::Event(CLOSED), learn: nothing },
    Step { name: "the session's status", act: read_close, expect: status_line(), learn: nothing },
];

/// The end of a restore that was told to expect `endrestore`.
pub(super) static END_RESTORE: &[Step<Job>] =
    &[Step { name: "the tally", act: close_handle, expect: Expect::Event(CLOSED), learn: nothing }];

/// The worker has opened what was asked.
pub(super) const OPENED: &str = "opened";
/// The machine has ended well.
pub(super) const CARRIED: &str = "carried";
/// The worker has closed it and said how much it was.
pub(super) const CLOSED: &str = "closed";

const EOD: Expect = Expect::Signal(Who::Storage, Signal::Eod);

const fn exactly(line: &'static str) -> Expect {
    Expect::Answer(Who::Storage, line)
}

const fn ticket_line() -> Expect {
    Expect::Answer(Who::Storage, "3000 OK open ticket = ")
}

const fn status_line() -> Expect {
    Expect::Answer(Who::Storage, "3000 OK close Status = ")
}

fn wait(_: &mut Job, _: &mut Net) -> Act {
    Act::Wait
}

fn open_backup(job: &mut Job, net: &mut Net) -> Act {
    job.opened = true;
    let changes = Changes { since: job.since, known: job.known.take() };
    let (fileset, unsaved) = (job.fileset.clone(), job.unsaved.take());
    let open = DiskWork::OpenBackup { handle: job.handle, fileset, changes, unsaved };
    job.work = Some(net.work(Work::Disk(open)));
    Act::Wait
}

fn open_restore(job: &mut Job, net: &mut Net) -> Act {
    // Of a restore from several storage daemons everything is one: folders whose files come from two get their times.
    if std::mem::replace(&mut job.opened, true) {
        return Act::Skip;
    }
    job.work = Some(net.work(Work::Disk(DiskWork::OpenRestore { handle: job.handle, order: job.order.clone() })));
    Act::Wait
}

fn open_verify(job: &mut Job, net: &mut Net) -> Act {
    job.opened = true;
    let open = DiskWork::OpenVerify { handle: job.handle, fileset: job.fileset.clone() };
    job.work = Some(net.work(Work::Disk(open)));
    Act::Wait
}

fn close_handle(job: &mut Job, net: &mut Net) -> Act {
    job.work = Some(net.work(Work::Disk(DiskWork::Close { handle: job.handle })));
    Act::Wait
}

fn close_only_part(job: &mut Job, net: &mut Net) -> Act {
    if job.awaits_end_restore() { Act::Skip } else { close_handle(job, net) }
}

fn append_open(job: &mut Job, net: &mut Net) -> Act {
    say(job, net, DataCommand::AppendOpen)
}

fn append_data(job: &mut Job, net: &mut Net) -> Act {
    say(job, net, DataCommand::AppendData(job.ticket))
}

fn append_end(job: &mut Job, net: &mut Net) -> Act {
    say(job, net, DataCommand::AppendEnd(job.ticket))
}

fn append_close(job: &mut Job, net: &mut Net) -> Act {
    say(job, net, DataCommand::AppendClose(job.ticket))
}

fn read_open(job: &mut Job, net: &mut Net) -> Act {
    let (session_id, session_time) = job.session;
    say(job, net, DataCommand::ReadOpen(ReadSession { session_id, session_time }))
}

fn read_data(job: &mut Job, net: &mut Net) -> Act {
    say(job, net, DataCommand::ReadData(job.ticket))
}

fn read_close(job: &mut Job, net: &mut Net) -> Act {
    say(job, net, DataCommand::ReadClose(job.ticket))
}

fn send_data(job: &mut Job, net: &mut Net) -> Act {
    if let Some(conn) = job.data {
        net.pace(conn, job.bandwidth);
        net.carry(conn, Machine::Send(Sender::new(job.handle, PARCELS)));
    }
    Act::Wait
}

fn receive_data(job: &mut Job, net: &mut Net) -> Act {
    if let Some(conn) = job.data {
        net.pace(conn, job.bandwidth);
        net.carry(conn, Machine::Restore(Restorer::new(job.handle)));
    }
    Act::Wait
}

fn look_at_data(job: &mut Job, net: &mut Net) -> Act {
    if let Some(conn) = job.data {
        net.pace(conn, job.bandwidth);
        net.carry(conn, Machine::Restore(Restorer::verifying(job.handle)));
    }
    Act::Wait
}

fn say(job: &Job, net: &mut Net, command: DataCommand) -> Act {
    if let Some(conn) = job.data {
        net.send_text(conn, command.to_line());
    }
    Act::Wait
}

fn learn_ticket(job: &mut Job, line: &str) -> Result<(), String> {
    job.ticket = session::parse_opened(line.as_bytes()).ok_or_else(|| line.trim_end().to_owned())?;
    Ok(())
}

/// Only T and W are good (`wire/2 §2.1`).
fn learn_backup_status(_: &mut Job, line: &str) -> Result<(), String> {
    match status::parse_close_answer(line.as_bytes()) {
        Some(status) if status.is_ok() => Ok(()),
        _ => Err(line.trim_end().to_owned()),
    }
}
