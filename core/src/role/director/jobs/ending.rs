//! The end of a job: its daemons are let go, its report gets its last lines, and the catalog is to record it.

use crate::catalog::{CatalogRequest, JobEnd};
use crate::error::Explain;
use crate::ids::JobId;
use crate::role::director::Owner;
use crate::role::director::common::Tools;
use crate::role::director::effect::Effect;
use crate::role::director::missed;
use crate::wire::message::MessageKind;
use crate::wire::status::JobStatus;

use super::Jobs;
use super::daemons::{Presence, Requests};
use super::job::Job;
use super::life::Life;
use super::task::Task;
use super::trouble::Trouble;

impl Jobs {
    /// Ends a job with a fatal message.
    pub(super) fn fail_job(&mut self, tools: &mut Tools<'_>, id: JobId, trouble: &Trouble) {
        let Some(job) = self.all.get_mut(&id).filter(|job| !job.life.is_over()) else { return };
        job.say(tools, MessageKind::Fatal, &trouble.line());
        self.abandon(tools, id);
    }

    /// Lets the daemons go and records the end. The status is the worst of all three (`wire/2 §6.2`).
    pub(super) fn end_job(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let Some(job) = self.all.get_mut(&id) else { return };
        if job.life.is_over() {
            return;
        }
        let timer = std::mem::replace(&mut job.life, Life::Recording).timer();
        tools.net.cancel_timer(timer);
        tools.net.cancel_timer(job.times.clock.ends());
        self.let_daemons_go(tools, id);
        let Some(job) = self.all.get_mut(&id) else { return };
        if let Some(why) = job.copy_shortfall().or_else(|| job.virtual_shortfall()).filter(|_| job.is_alive()) {
            job.say(tools, MessageKind::Fatal, &why.line());
        }
        let found = job.disagreement().filter(|_| job.is_alive());
        if let Some(found) = &found {
            job.say(tools, MessageKind::Error, &found.line());
        }
        if let Some(text) = job.tally.meter.left_out() {
            job.say(tools, MessageKind::Warning, &text);
        }
        job.status = job.final_status();
        if found.is_some() {
            job.status = job.status.merge(JobStatus::Error);
        }
        if !self.write_bootstrap(tools, id) {
            self.end_on(tools, id);
        }
    }

    /// The commands after a job run, or its end is recorded.
    pub(super) fn end_on(&mut self, tools: &mut Tools<'_>, id: JobId) {
        if !self.run_after(tools, id) {
            self.record_end(tools, id);
        }
    }

    /// The report gets its last lines, and the catalog is to record the end.
    pub(super) fn record_end(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let Some(job) = self.all.get_mut(&id) else { return };
        job.life = Life::Recording;
        if let Some(text) = job.joined_jobs_text() {
            job.say(tools, MessageKind::Info, &text);
        }
        let summary = job.summary(&tools.common.identity, tools.net.wall().seconds());
        job.say(tools, MessageKind::Info, &summary);
        let end = Box::new(job.end(tools.net.wall().seconds()));
        let (client, uname) = (job.with.client.clone(), std::mem::take(&mut job.file_daemon.uname));
        if !uname.is_empty() {
            job.ask(tools, CatalogRequest::UpdateClientUname { client, uname }, Owner::Uname);
        }
        job.ask(tools, CatalogRequest::EndJob(end.clone()), Owner::End(end));
    }

    /// Ends all that is under way with the daemons of a job.
    fn let_daemons_go(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let Some(job) = self.all.get_mut(&id) else { return };
        job.storage_daemon.requests = Requests::default();
        if let Presence::Dialling(dial) = job.storage_daemon.presence {
            tools.net.cancel_dial(dial);
        }
        tools.effect(Effect::StopReaching(id));
        let Some(job) = self.all.get_mut(&id) else { return };
        // A daemon that has ended its part has said goodbye already.
        let (storage, file) = (&mut job.storage_daemon.presence, &mut job.file_daemon.presence);
        let storage = (storage.end().is_none(), storage.leave());
        let file = (file.end().is_none(), file.leave());
        for (farewell, conn) in [storage, file] {
            if let Some(conn) = conn {
                tools.close(conn, farewell);
            }
        }
    }
}

impl Job {
    /// What the catalog records of its end, at this time.
    fn end(&self, now: i64) -> JobEnd {
        let (job_files, job_bytes, read_bytes) = self.totals();
        JobEnd {
            job_id: self.id.0,
            job_status: self.status.letter(),
            level: self.level_at_end(),
            end_time: now,
            real_end_time: now,
            client_id: self.rows.client,
            pool_id: self.rows.pool,
            file_set_id: self.rows.fileset,
            vol_session_id: self.storage_daemon.session.id,
            vol_session_time: self.storage_daemon.session.time,
            job_files,
            job_bytes,
            read_bytes,
            job_errors: self.all_errors(),
            prior_job_id: if let Task::CopyControl(control) = &self.task {
                control.partner.map_or(0, |id| id.0)
            } else {
                0
            },
            purged_files: false,
            last_file: self.last_stored_file(),
            stands_for: self.stands_for(),
            comment: self.times.is_lost.then(|| missed::NOT_BEGUN.to_owned()),
        }
    }
}
