//! What the daemons of a job say, sorted as in `wire/3 §2.1`; and errands, which are short conversations beside the jobs.

use crate::conn::{DialFailure, Peer};
use crate::error::Explain;
use crate::ids::{ConnId, Who};
use crate::notice::Level;
use crate::role::director::Net;
use crate::role::script::Scripted;
use crate::wire::catalog as wire;
use crate::wire::frame::Signal;
use crate::wire::hello;
use crate::wire::message::{self, Incoming, JobMessage, MessageKind};
use crate::wire::status::{EndJob, StatusLine, StorageEnd};
use crate::{limits, printable};

use super::consoles::{Answer, Told};
use super::dialling::{self, Errand};
use super::reach::{ReachFailure, Reached};
use super::requests::{self, Next, Request};
use super::task::Task;
use super::tools::Event;
use super::trouble::Trouble;
use super::{Director, Due, Owner};
use crate::catalog::{CatalogAnswer, CatalogError};

/// Lines of an answer that should have been one or two.
const MOST_SAID: u32 = 100;

impl Director {
    /// A line from a daemon of a job.
    pub(super) fn daemon_says(&mut self, net: &mut Net, id: u32, conn: ConnId, line: &[u8]) {
        let Some(who) = self.jobs.get(&id).and_then(|job| job.who(conn)) else { return };
        self.daemon_heard(net, id, conn);
        match Incoming::of(line) {
            Incoming::Answer => self.daemon_answers(net, id, who, line),
            Incoming::Message => self.take_message(net, id, who, line),
            Incoming::CatalogRequest if who == Who::Storage => self.begin_request(net, id, line),
            Incoming::Status if who == Who::Storage => {
                if let (Some(status), Some(job)) = (StatusLine::parse(line), self.jobs.get_mut(&id)) {
                    job.storage_daemon.status = status.status;
                }
            }
            Incoming::BlastAttributes => net.send_text(conn, wire::BLAST_REFUSED),
            _ => {
                // In the real director too an unexpected line is a warning, and with it the job (`wire/2 §6.2`).
                self.unexpected(net, id, who, line);
            }
        }
        self.await_last(net, id);
    }

    fn daemon_answers(&mut self, net: &mut Net, id: u32, who: Who, line: &[u8]) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if let (Who::Storage, Some(end)) = (who, StorageEnd::parse(line)) {
            let is_bad = !end.status.is_ok();
            job.storage_daemon.presence.ends(end);
            if job.life.is_grace() {
                return self.end_job(net, id);
            }
            // The other storage daemon of a copy may not notice, and each of the two jobs waits for both.
            if is_bad && job.task.is_copy() {
                return self.copy_end_failed(net, id);
            }
            return self.advance(net, id, |job, tools| job.on_event(Event::StorageEnded, tools));
        }
        if let (Who::File, Some(end)) = (who, EndJob::parse(line)) {
            return self.file_ended(net, id, end);
        }
        let waits = job.life.waits_for_answer();
        let text = String::from_utf8_lossy(line).into_owned();
        match (who, waits) {
            // Of a storage daemon that runs, only its end counts (`wire/3 §2.1`).
            (Who::Storage, waits) if job.storage_daemon.runs && waits != Some(Who::Storage) => {}
            (Who::File, None) => self.unexpected(net, id, who, line),
            _ => self.advance(net, id, |job, tools| job.on_text(who, &text, tools)),
        }
    }

    /// `2800 End Job`: in its place, or because the file daemon has given up.
    fn file_ended(&mut self, net: &mut Net, id: u32, end: EndJob) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let expected = job.life.waits_for(Event::FileEnded);
        let status = end.status;
        job.file_daemon.presence.ends(end);
        if expected {
            self.advance(net, id, |job, tools| job.on_event(Event::FileEnded, tools));
        } else {
            let step = job.stage();
            self.fail_job(net, id, &Trouble::FileEnded { status, step });
        }
    }

    fn take_message(&mut self, net: &mut Net, id: u32, who: Who, line: &[u8]) {
        // Its kind does not count: how a daemon fared, it says at its end (`wire/2 §4.2`).
        let (Some(message), Some(job)) = (JobMessage::parse(line), self.jobs.get_mut(&id)) else { return };
        if let (Who::Storage, Task::Restore(plan)) = (who, &mut job.task) {
            plan.gone.hear(&message.text);
        }
        let Some(text) = job.tally.meter.pass(message.text, net.now()) else { return };
        let time = if message.time > 1 { message.time } else { net.wall().seconds() };
        // A line of the report begins with its date: those of a message that has more are moved in, so that none passes
        // for another message.
        let text = text.trim_end().replace('\n', "\n    ");
        self.journal.push(id, time, text + "\n");
        self.save_lines(net);
    }

    /// A line that has no place in the dialogue, which is a warning.
    fn unexpected(&mut self, net: &mut Net, id: u32, who: Who, line: &[u8]) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let text = format!("unexpected message from the {who}: {}", printable::line_of(line.trim_ascii_end()));
        if let Some(text) = job.tally.meter.pass(text, net.now()) {
            job.say(&mut self.journal, net, MessageKind::Warning, &text);
            self.save_lines(net);
        }
    }

    /// Signals on a job's control channel (`wire/2 §4.1`).
    pub(super) fn daemon_signals(&mut self, net: &mut Net, id: u32, conn: ConnId, signal: Signal) {
        let Some(who) = self.jobs.get(&id).and_then(|job| job.who(conn)) else { return };
        match signal {
            Signal::EodPoll | Signal::Poll => net.send_text(conn, message::POLLED),
            Signal::Status => {
                net.send_text(conn, "Status OK\n");
                net.send_signal(conn, Signal::Eod);
            }
            Signal::ClockRequest => {
                let now = net.wall().0;
                net.send_text(conn, message::clock(now));
            }
            Signal::Heartbeat | Signal::HeartbeatResponse => {}
            signal => self.advance(net, id, |job, tools| job.on_signal(who, signal, tools)),
        }
    }

    fn begin_request(&mut self, net: &mut Net, id: u32, line: &[u8]) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if job.storage_daemon.requests.served.is_some() {
            let early = &mut job.storage_daemon.requests.early;
            if early.len() >= limits::EARLY_REQUESTS {
                return self.fail_job(net, id, &Trouble::Flood);
            }
            return early.push_back(line.to_vec());
        }
        let (Some(request), Some(pool)) = (wire::CatalogRequest::parse(line), self.setup.pools.get(&job.with.pool))
        else {
            job.send(net, Who::Storage, wire::invalid_request(line));
            let text = printable::line_of(line.trim_ascii_end());
            return self.fail_job(net, id, &Trouble::UnknownRequest(text));
        };
        let (state, next) = Request::begin(request.ask, job, pool);
        job.storage_daemon.requests.served = Some(state);
        self.serve_request(net, id, next);
    }

    pub(super) fn request_answered(&mut self, net: &mut Net, id: u32, answer: Result<CatalogAnswer, CatalogError>) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let pool = self.setup.pools.get(&job.with.pool);
        let (Some(mut request), Some(pool)) = (job.storage_daemon.requests.served.take(), pool) else { return };
        let next = request.on_answer(answer, job, pool, net);
        job.storage_daemon.requests.served = Some(request);
        self.serve_request(net, id, next);
    }

    fn serve_request(&mut self, net: &mut Net, id: u32, next: Next) {
        match next {
            Next::Ask(request) => net.ask(request, Owner::Request(id)),
            Next::Answer(line) => {
                if let Some(job) = self.jobs.get_mut(&id) {
                    job.storage_daemon.requests.served = None;
                    requests::answer(job, net, &line);
                    if let Some(line) = job.storage_daemon.requests.early.pop_front() {
                        self.begin_request(net, id, &line);
                    }
                }
            }
            Next::Fail(line, why) => {
                if let Some(job) = self.jobs.get_mut(&id) {
                    job.storage_daemon.requests.served = None;
                    requests::answer(job, net, &line);
                }
                self.fail_job(net, id, &why);
            }
        }
    }

    /// Dials a daemon of a job to have it stop.
    ///
    /// # Errors
    /// Why it cannot be dialled.
    pub(super) fn send_cancel(
        &mut self,
        net: &mut Net,
        job: u32,
        who: Who,
        name: &str,
        command: String,
    ) -> Result<(), ReachFailure> {
        self.begin_errand(net, name, Errand { cancels: Some(job), ..Errand::new(who, command, None) })
    }

    /// Dials a daemon for one command.
    ///
    /// # Errors
    /// Why it cannot be dialled.
    pub(super) fn begin_errand(&mut self, net: &mut Net, name: &str, errand: Errand) -> Result<(), ReachFailure> {
        if errand.who == Who::File {
            return self.reach_for_errand(net, name, errand);
        }
        Ok(dialling::dial_storage_errand(&self.config, &self.credentials, net, name, errand)?)
    }

    pub(super) fn errand_dialed(
        &mut self,
        net: &mut Net,
        errand: Errand,
        outcome: Result<(ConnId, Peer), DialFailure>,
    ) {
        match outcome {
            Ok((conn, peer)) => self.errand_connected(net, errand, conn, &peer),
            Err(failure) => {
                let text = format!("{}: {failure} ({}); {}\n", errand.who, failure.code(), failure.help());
                self.errand_failed(net, errand, &text);
            }
        }
    }

    /// The daemon of an errand is connected; its greeting is to come.
    fn errand_connected(&mut self, net: &mut Net, errand: Errand, conn: ConnId, peer: &Peer) {
        let text = format!("Connected {} at {}, encryption: {}\n", errand.who, peer.ends.peer, peer.tls);
        self.errand_prints(net, &errand, &text);
        self.errand_talks(net, errand, conn);
    }

    fn errand_talks(&mut self, net: &mut Net, mut errand: Errand, conn: ConnId) {
        if errand.is_relayed() && errand.console.is_none_or(|console| !self.consoles.has(console)) {
            net.close(conn, true);
            return self.errand_done(net, errand);
        }
        errand.conn = Some(conn);
        let patience = errand.patience();
        errand.timer = Some(net.set_timer(patience, "the answer to an errand", Due::Errand(conn)));
        self.talking.insert(conn, errand);
    }

    /// The client of an errand is reached.
    pub(super) fn errand_reached(
        &mut self,
        net: &mut Net,
        mut errand: Errand,
        client: &str,
        conn: ConnId,
        how: Reached,
    ) {
        match how {
            Reached::Dialled(peer) => self.errand_connected(net, errand, conn, &peer),
            Reached::Waited(waiting) => {
                let (from, tls) = (waiting.from, waiting.tls);
                let text = format!("Using Client Initiated Connection ({client}) from {from}, encryption: {tls}\n");
                self.errand_prints(net, &errand, &text);
                errand.sent = true;
                go_on(&errand, net, conn);
                self.errand_talks(net, errand, conn);
            }
        }
    }

    pub(super) fn errand_hears(&mut self, net: &mut Net, conn: ConnId, text: &[u8]) {
        let Some(errand) = self.talking.get_mut(&conn) else { return };
        let greeting = if errand.who == Who::File { hello::FILE_ANSWER } else { hello::STORAGE_ANSWER.trim_end() };
        if !errand.sent && text.starts_with(greeting.as_bytes()) {
            errand.sent = true;
            return go_on(errand, net, conn);
        }
        if let Some(wanted) = errand.before.front().filter(|_| errand.sent) {
            if text.starts_with(wanted.answer.as_bytes()) {
                errand.before.pop_front();
                return go_on(errand, net, conn);
            }
            let line = String::from_utf8_lossy(text).into_owned();
            return self.errand_refused(net, conn, &line);
        }
        errand.said += 1;
        if errand.said > MOST_SAID {
            return self.errand_talks_on(net, conn);
        }
        if errand.limits.is_some() {
            return self.limit_answered(net, conn, text);
        }
        let line = printable::text_of(text);
        if let Some(errand) = self.talking.remove(&conn) {
            self.errand_prints(net, &errand, &line);
            self.talking.insert(conn, errand);
        }
    }

    /// A signal ends an errand, unless it belongs to what comes before its command.
    pub(super) fn errand_signals(&mut self, net: &mut Net, conn: ConnId, signal: Signal) {
        let prepares = self.talking.get(&conn).is_some_and(|errand| errand.sent && !errand.before.is_empty());
        match signal {
            Signal::ClockRequest if prepares => {
                let now = net.wall().0;
                net.send_text(conn, message::clock(now));
            }
            Signal::Eod if prepares => {}
            _ => self.errand_over(net, conn),
        }
    }

    /// The answer should have been a line or two.
    fn errand_talks_on(&mut self, net: &mut Net, conn: ConnId) {
        let Some(errand) = self.talking.remove(&conn) else { return };
        net.abort(conn);
        let text = format!("The {} answers with more than {MOST_SAID} lines, which cannot be meant.\n", errand.who);
        self.errand_failed(net, errand, &text);
    }

    /// The peer does not go along with what comes before the command.
    fn errand_refused(&mut self, net: &mut Net, conn: ConnId, line: &str) {
        let Some(errand) = self.talking.remove(&conn) else { return };
        net.close(conn, true);
        let text = format!("The {} refuses: {}\n", errand.who, printable::line(line.trim_end()));
        self.errand_failed(net, errand, &text);
    }

    /// The peer of an errand has not ended its answer in time.
    pub(super) fn errand_too_slow(&mut self, net: &mut Net, conn: ConnId) {
        let Some(mut errand) = self.talking.remove(&conn) else { return };
        if errand.relay.is_writing() {
            // The console has not read yet what has come.
            errand.timer = Some(net.set_timer(errand.patience(), "a console that reads", Due::Errand(conn)));
            self.talking.insert(conn, errand);
            return;
        }
        net.abort(conn);
        let text = format!("The {} has not answered within {} s.\n", errand.who, errand.patience().as_secs());
        self.errand_failed(net, errand, &text);
    }

    /// An errand has come to nothing, or not to its end.
    pub(super) fn errand_failed(&mut self, net: &mut Net, mut errand: Errand, text: &str) {
        if let Some(console) = errand.console.take_if(|_| errand.limits.is_none() && errand.cancels.is_none()) {
            self.console_answers(net, console, Answer::Failed(Told(text.trim_end().to_owned()).into()));
        } else {
            self.errand_prints(net, &errand, text);
        }
        self.errand_done(net, errand);
    }

    pub(super) fn errand_done(&mut self, net: &mut Net, errand: Errand) {
        net.cancel_timer(errand.timer);
        if let (Some(limits), Some(console)) = (&errand.limits, errand.console) {
            return self.limits_told(net, console, limits);
        }
        if let Some(job) = errand.cancels {
            self.cancel_answered(net, errand.who, job);
        }
        if let Some(console) = errand.console {
            self.console_answers(net, console, Answer::said(""));
        }
        self.exit_if_idle(net);
    }

    pub(super) fn errand_prints(&mut self, net: &mut Net, errand: &Errand, text: &str) {
        match (errand.console, errand.cancels) {
            (Some(console), _) => self.consoles.print(net, console, text),
            (None, Some(job)) => self.cancel_heard(net, errand, job, text),
            (None, None) => net.log(Level::Info, &format!("{}: {}", errand.command.trim_end(), text.trim_end())),
        }
    }
}

/// Says what is next: something to prepare the command, or the command.
fn go_on(errand: &Errand, net: &mut Net, conn: ConnId) {
    match errand.before.front() {
        Some(next) => net.send(conn, next.frames.clone()),
        None => {
            if errand.is_relayed() {
                net.gather_texts(conn);
            }
            net.send_text(conn, &errand.command);
        }
    }
}
