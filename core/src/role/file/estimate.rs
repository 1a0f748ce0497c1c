//! `estimate`: what a backup would save, page by page to the director (`wire/2 §1.15`, `§5.3`).

use crate::bulk::known::Changes;
use crate::bulk::parcel::Parcel;
use crate::bulk::work::{DiskWork, Remark, Tally};
use crate::ids::SessionId;
use crate::quantity::either;
use crate::role::file::Net;
use crate::wire::file_answers as answers;
use crate::wire::frame::Signal;
use crate::work::Work;

use super::job::Kind;
use super::session::Next;
use super::{FileDaemon, Owner};

impl FileDaemon {
    pub(super) fn start_estimate(&mut self, net: &mut Net, id: SessionId, listing: bool) -> Next {
        self.make_ready(id);
        let Some(job) = self.sessions.job_mut(id) else {
            self.sessions.tell(net, id, answers::BAD_ESTIMATE);
            return Next::End;
        };
        job.kind = Kind::Estimate { walked: false };
        job.opened = true;
        let changes = Changes { since: job.asked.since, known: job.asked.known.take() };
        let (fileset, permits) = (job.asked.fileset.clone(), job.asked.permits.clone());
        let open = DiskWork::OpenEstimate { handle: job.handle, fileset, changes, listing, permits };
        net.work(Work::Disk(open), Owner::Job(id));
        Next::Go
    }

    /// `verify` of the disk: what is there, page by page to the director, which compares it (`wire/2 §1.12`).
    pub(super) fn start_look(&mut self, net: &mut Net, id: SessionId) -> Next {
        self.make_ready(id);
        let Some(job) = self.sessions.job_mut(id) else { return Next::End };
        job.kind = Kind::Look { walked: false };
        job.opened = true;
        let (fileset, permits) = (job.asked.fileset.clone(), job.asked.permits.clone());
        let open = DiskWork::OpenLook { handle: job.handle, fileset, permits };
        net.work(Work::Disk(open), Owner::Job(id));
        self.sessions.tell(net, id, answers::VERIFY);
        Next::Go
    }

    /// Whether a session is in the middle of an estimate, or of a look at the disk.
    pub(super) fn estimates(&self, id: SessionId) -> bool {
        let job = self.sessions.job(id);
        job.is_some_and(|job| matches!(job.kind, Kind::Estimate { .. } | Kind::Look { .. }) && job.opened)
    }

    /// Has the walk go on.
    pub(super) fn estimate_on(&mut self, net: &mut Net, id: SessionId) {
        let Some(job) = self.sessions.job_mut(id) else { return };
        let work = if matches!(job.kind, Kind::Estimate { walked: true } | Kind::Look { walked: true }) {
            DiskWork::Close { handle: job.handle }
        } else {
            DiskWork::Fill { handle: job.handle, parcel: Parcel::new() }
        };
        net.work(Work::Disk(work), Owner::Job(id));
    }

    /// A part of the walk is done. The next follows once the director has taken its lines.
    pub(super) fn estimate_filled(
        &mut self,
        net: &mut Net,
        id: SessionId,
        parcel: Parcel,
        last: bool,
        remarks: Vec<Remark>,
    ) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.remark(net, &self.config.file.name, &remarks);
        if let Some(job) = &mut session.job {
            match &mut job.kind {
                Kind::Estimate { walked } | Kind::Look { walked } => *walked = last,
                _ => {}
            }
        }
        if parcel.is_empty() {
            self.estimate_on(net, id);
        } else {
            session.send_lines(net, parcel);
        }
    }

    /// The walk is over.
    pub(super) fn estimated(&mut self, net: &mut Net, id: SessionId, tally: &Tally) {
        let Some(session) = self.sessions.get_mut(id).filter(|session| session.job.is_some()) else { return };
        if let Some(job) = session.job.as_mut().filter(|job| matches!(job.kind, Kind::Look { .. })) {
            job.opened = false;
            job.add(tally);
            session.after_data(net);
            return self.end_session(net, id);
        }
        session.last_remarks(net, &self.config.file.name);
        if tally.errors > 0 {
            let text = format!(
                "{} could not be read and {} not counted",
                either(tally.errors, "one file or folder", &format!("{} files or folders", tally.errors)),
                either(tally.errors, "is", "are")
            );
            session.warn(net, &self.config.file.name, &text);
        }
        if let Some(job) = &mut session.job {
            job.opened = false;
            self.sessions.tell(net, id, answers::estimate(u64::from(tally.files), tally.read_bytes));
            self.sessions.signal(net, id, Signal::Eod);
        }
    }
}
