//! What the daemons of a job say, sorted as in `wire/3 §2.1`.

use crate::error::Explain;
use crate::ids::{ConnId, JobId, Who};
use crate::role::director::common::Tools;
use crate::script::Scripted;
use crate::wire::catalog as wire;
use crate::wire::fate::Fates;
use crate::wire::frame::Signal;
use crate::wire::message::{self, Incoming, JobMessage, MessageKind};
use crate::wire::status::{EndJob, StatusLine, StorageEnd};
use crate::{limits, printable};

use super::Jobs;
use super::dialogue::Event;
use super::requests::{self, Next, Request};
use super::task::Task;
use super::trouble::Trouble;
use crate::catalog::{CatalogAnswer, CatalogError};
use crate::role::director::Owner;

impl Jobs {
    /// A line from a daemon of a job.
    pub(crate) fn hear(&mut self, tools: &mut Tools<'_>, id: JobId, conn: ConnId, line: &[u8]) {
        let Some(who) = self.all.get(&id).and_then(|job| job.who(conn)) else { return };
        self.daemon_heard(tools, id, conn);
        match Incoming::of(line) {
            Incoming::Answer => self.daemon_answers(tools, id, who, line),
            Incoming::Message => self.take_message(tools, id, who, line),
            Incoming::CatalogRequest if who == Who::Storage => self.begin_request(tools, id, line),
            Incoming::Status if who == Who::Storage => {
                if let Some(status) = StatusLine::parse(line) {
                    self.storage_status(tools, id, status.status);
                }
            }
            Incoming::BlastAttributes => tools.net.send_text(conn, wire::BLAST_REFUSED),
            _ => {
                // In the real director too an unexpected line is a warning, and with it the job (`wire/2 §6.2`).
                self.unexpected(tools, id, who, line);
            }
        }
        self.await_last(tools, id);
    }

    fn daemon_answers(&mut self, tools: &mut Tools<'_>, id: JobId, who: Who, line: &[u8]) {
        let Some(job) = self.all.get_mut(&id) else { return };
        // Before it was told to run, it has nothing that could end: it is no answer to what it was asked.
        let may_end = job.storage_daemon.runs;
        if let (Who::Storage, true, Some(end)) = (who, may_end, StorageEnd::parse(line)) {
            let is_bad = !end.status.is_ok();
            job.storage_daemon.presence.ends(end);
            if job.life.is_grace() {
                return self.end_job(tools, id);
            }
            // The other storage daemon may not notice, and each of the two jobs waits for both.
            if is_bad && job.task.partner().is_some() {
                return self.copy_end_failed(tools, id);
            }
            return self.advance(tools, id, |job, tools| job.on_event(Event::StorageEnded, tools));
        }
        if let (Who::File, Some(end)) = (who, EndJob::parse(line)) {
            return self.file_ended(tools, id, end);
        }
        let waits = job.life.waits_for_answer();
        let text = String::from_utf8_lossy(line).into_owned();
        match (who, waits) {
            // Of a storage daemon that runs, only its end counts (`wire/3 §2.1`).
            (Who::Storage, waits) if job.storage_daemon.runs && waits != Some(Who::Storage) => {}
            (Who::File, None) => self.unexpected(tools, id, who, line),
            _ => self.advance(tools, id, |job, tools| job.on_text(who, &text, tools)),
        }
    }

    /// `2800 End Job`: in its place, or because the file daemon has given up.
    fn file_ended(&mut self, tools: &mut Tools<'_>, id: JobId, end: EndJob) {
        let Some(job) = self.all.get_mut(&id) else { return };
        let expected = job.life.waits_for(Event::FileEnded);
        let status = end.status;
        job.file_daemon.presence.ends(end);
        if expected {
            self.advance(tools, id, |job, tools| job.on_event(Event::FileEnded, tools));
        } else {
            let step = job.stage();
            self.fail_job(tools, id, &Trouble::FileEnded { status, step });
        }
    }

    fn take_message(&mut self, tools: &mut Tools<'_>, id: JobId, who: Who, line: &[u8]) {
        // Its kind does not count: how a daemon fared, it says at its end (`wire/2 §4.2`).
        let (Some(message), Some(job)) = (JobMessage::parse(line), self.all.get_mut(&id)) else { return };
        match (who, &mut job.task) {
            (Who::Storage, Task::Restore(plan)) => plan.gone.hear(&message.text),
            (Who::File, Task::Restore(plan)) => {
                // They stand in the last lines of the report, and not twice.
                if plan.fate_names.hear(&message.text) {
                    return;
                }
                plan.fates = Fates::hear(&message.text).or(plan.fates);
            }
            _ => {}
        }
        job.tally.reason.note(message.kind, &message.text);
        let Some(text) = job.tally.meter.pass(message.text, tools.net.now()) else { return };
        let time = if message.time > 1 { message.time } else { tools.net.wall().seconds() };
        // A line of the report begins with its date: those of a message that has more are moved in, so that none passes
        // for another message.
        let text = text.trim_end().replace('\n', "\n    ");
        tools.report(job, message.kind, time, text + "\n");
    }

    /// A line that has no place in the dialogue, which is a warning.
    fn unexpected(&mut self, tools: &mut Tools<'_>, id: JobId, who: Who, line: &[u8]) {
        let Some(job) = self.all.get_mut(&id) else { return };
        let text = format!("unexpected message from the {who}: {}", printable::line_of(line.trim_ascii_end()));
        if let Some(text) = job.tally.meter.pass(text, tools.net.now()) {
            job.say(tools, MessageKind::Warning, &text);
        }
    }

    /// Signals on a job's control channel (`wire/2 §4.1`).
    pub(crate) fn signal(&mut self, tools: &mut Tools<'_>, id: JobId, conn: ConnId, signal: Signal) {
        let Some(who) = self.all.get(&id).and_then(|job| job.who(conn)) else { return };
        match signal {
            Signal::EodPoll | Signal::Poll => tools.net.send_text(conn, message::POLLED),
            Signal::Status => {
                tools.net.send_text(conn, message::STATUS_OK);
                tools.net.send_signal(conn, Signal::Eod);
            }
            Signal::ClockRequest => {
                let now = tools.net.wall().0;
                tools.net.send_text(conn, message::clock(now));
            }
            Signal::Heartbeat | Signal::HeartbeatResponse => self.daemon_beats(tools.net.now(), id, who),
            signal => self.advance(tools, id, |job, tools| job.on_signal(who, signal, tools)),
        }
    }

    fn begin_request(&mut self, tools: &mut Tools<'_>, id: JobId, line: &[u8]) {
        let Some(job) = self.all.get_mut(&id) else { return };
        if job.storage_daemon.requests.served.is_some() {
            let early = &mut job.storage_daemon.requests.early;
            if early.len() >= limits::EARLY_REQUESTS {
                return self.fail_job(tools, id, &Trouble::Flood);
            }
            return early.push_back(line.to_vec());
        }
        let Some(pool) = tools.common.ids(&job.catalog).pools.get(&job.with.pool) else {
            job.send(tools.net, Who::Storage, wire::invalid_request(line));
            let why = Trouble::NotInCatalog { pool: job.with.pool.clone(), catalog: job.catalog.to_string() };
            return self.fail_job(tools, id, &why);
        };
        let Some(request) = wire::CatalogRequest::parse(line) else {
            job.send(tools.net, Who::Storage, wire::invalid_request(line));
            let text = printable::line_of(line.trim_ascii_end());
            return self.fail_job(tools, id, &Trouble::UnknownRequest(text));
        };
        if let wire::Ask::UpdateMedia(update) = &request.ask {
            job.storage_daemon.written.note(&update.volume, update.bytes);
        }
        if let wire::Ask::UpdateJobRecord { bytes, .. } = request.ask {
            job.storage_daemon.written.tell(bytes);
        }
        let (state, next) = Request::begin(request.ask, job, pool);
        job.storage_daemon.requests.served = Some(state);
        self.serve_request(tools, id, next);
    }

    pub(crate) fn request_answered(
        &mut self,
        tools: &mut Tools<'_>,
        id: JobId,
        answer: Result<CatalogAnswer, CatalogError>,
    ) {
        let Some(job) = self.all.get_mut(&id) else { return };
        let pool = tools.common.ids(&job.catalog).pools.get(&job.with.pool);
        let (Some(mut request), Some(pool)) = (job.storage_daemon.requests.served.take(), pool) else { return };
        let next = request.on_answer(answer, job, pool, (tools.net, &tools.common.identity.zone));
        for (volume, text) in request.kept() {
            // A job that waits asks again and again.
            if job.storage_daemon.requests.kept.insert(volume) {
                job.say(tools, MessageKind::Info, &text);
            }
        }
        job.storage_daemon.requests.served = Some(request);
        self.serve_request(tools, id, next);
    }

    fn serve_request(&mut self, tools: &mut Tools<'_>, id: JobId, next: Next) {
        match next {
            Next::Ask(request) => {
                if let Some(job) = self.all.get(&id) {
                    let catalog = requests::catalog_of(job, &request);
                    tools.ask(&catalog, request, Owner::Request(id));
                }
            }
            Next::Answer(line) => {
                if let Some(job) = self.all.get_mut(&id) {
                    job.storage_daemon.requests.served = None;
                    requests::answer(job, tools.net, &line);
                    if let Some(line) = job.storage_daemon.requests.early.pop_front() {
                        self.begin_request(tools, id, &line);
                    }
                }
            }
            Next::Warn(line, why) => {
                if let Some(job) = self.all.get_mut(&id) {
                    job.say(tools, MessageKind::Warning, &why.line());
                }
                self.serve_request(tools, id, Next::Answer(line));
            }
            Next::Fail(line, why) => {
                if let Some(job) = self.all.get_mut(&id) {
                    job.storage_daemon.requests.served = None;
                    requests::answer(job, tools.net, &line);
                }
                self.fail_job(tools, id, &why);
            }
        }
    }
}
