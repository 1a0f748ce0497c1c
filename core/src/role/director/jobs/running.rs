//! Jobs from their number to their end.

use std::sync::Arc;

use crate::bulk::parcel::Parcel;
use crate::conn::{CloseReason, DialFailure, Peer};
use crate::error::Explain;
use crate::ids::{ConnId, Who};
use crate::node::{DialNews, Number};
use crate::role::director::Net;
use crate::role::script::{Progress, Ran, Scripted};
use crate::time::Wall;
use crate::wire::message::MessageKind;
use crate::wire::status::{JobLevel, JobStatus, JobType};

use super::copying::{self, CopyControl};
use super::daemons::{FileDaemon, Presence, Requests, StorageDaemon};
use super::job::{Attributes, Job, Rows, Tally, Times};
use super::life::Life;
use super::ordering::Order;
use super::tables;
use super::tables::Backup;
use super::task::Task;
use super::tools::{Event, News, Tools, Want};
use super::trouble::Trouble;
use super::verifying::Verifying;
use crate::catalog::{CatalogAnswer, CatalogError, CatalogRequest, JobEnd, UpdCatBatch};
use crate::role::director::reach::dialling;
use crate::role::director::reach::{Goal, Reached};
use crate::role::director::{Director, Owner};

/// A job that has ended, for the status.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) kind: JobType,
    pub(crate) level: JobLevel,
    pub(crate) files: u32,
    pub(crate) bytes: u64,
    pub(crate) status: JobStatus,
    pub(crate) ended: Wall,
}

impl Director {
    pub(crate) fn new_job(&self, id: u32, order: Order) -> Job {
        let task = match (order.kind, order.restore) {
            (_, Some(plan)) => Task::Restore(plan),
            (JobType::Copy | JobType::Migrate, None) => Task::CopyControl(CopyControl::new(order.original)),
            (JobType::Verify, None) => Task::Verify(Verifying::new(order.original)),
            _ => Task::Backup(Backup::new(order.accurate)),
        };
        let fileset = self.setup.filesets.get(&order.with.fileset);
        // A restore is stored with neither pool nor fileset (`wire/3 §7.2`).
        let is_restore = order.kind == JobType::Restore;
        let rows = Rows {
            client: self.setup.clients.get(&order.with.client).copied().unwrap_or(0),
            fileset: fileset.filter(|_| !is_restore).map_or(0, |set| set.id),
            fileset_md5: fileset.map(|set| set.md5.clone()).unwrap_or_default(),
            pool: self.setup.pools.get(&order.with.pool).filter(|_| !is_restore).map_or(0, |row| row.pool_id),
            storage: self.setup.storages.get(&order.with.storage).copied().unwrap_or(0),
        };
        Job {
            config: Arc::clone(&self.config),
            overrides: Arc::clone(&self.overrides),
            credentials: Arc::clone(&self.credentials),
            id,
            unique: order.unique,
            name: order.name,
            kind: order.kind,
            level: order.level,
            with: order.with,
            rows,
            task,
            times: Times { scheduled: order.scheduled, started: order.scheduled },
            storage_daemon: StorageDaemon::default(),
            file_daemon: FileDaemon::default(),
            attributes: Attributes::default(),
            bandwidth: None,
            status: JobStatus::Running,
            tally: Tally::default(),
            attempt: order.attempt.number,
            life: Life::QUEUED,
        }
    }

    /// Starts jobs from the queue while there is room for them: by priority, those of one in the order they were ordered.
    pub(crate) fn start_queued(&mut self, net: &mut Net) {
        while let Some(id) = self.next_queued() {
            self.jobs_run += 1;
            let Some(job) = self.jobs.get_mut(&id) else { return };
            job.life = Life::BEGUN;
            let (word, table) = tables::of(job.kind);
            let text = format!("Start {word} JobId {id}, Job={}", job.unique);
            job.say(&mut self.journal, net, MessageKind::Info, &text);
            let is_copy = job.task.is_copy();
            self.save_lines(net);
            if is_copy {
                self.begin_copy(net, id);
            } else {
                self.advance(net, id, |job, tools| job.begin(table, tools));
            }
        }
    }

    /// The first job of the queue that there is room for.
    fn next_queued(&self) -> Option<u32> {
        let queued = self.jobs.values().filter(|job| matches!(job.life, Life::Queued { held: None }));
        let mut queued: Vec<&Job> = queued.collect();
        // A stable sort, and their numbers are in the order of their orders.
        queued.sort_by_key(|job| self.config.job(&job.name).map(|resource| resource.priority));
        queued.into_iter().find(|job| self.has_room(job)).map(|job| job.id)
    }

    /// Whether one more job may run: at the director, of this resource, of this client, with this storage.
    fn has_room(&self, job: &Job) -> bool {
        let config = &self.config;
        // A job that was given up takes no room while its storage daemon may still say how it ended.
        let running: Vec<&Job> = self.jobs.values().filter(|other| other.life.is_running()).collect();
        let count = |alike: &dyn Fn(&Job) -> bool| running.iter().filter(|other| alike(other)).count();
        // A copy has nothing to do with the client, and takes the storage it will write to as well.
        let is_copy = job.task.is_copy();
        let target = copying::target(config, &job.with.pool).ok().filter(|_| is_copy).map(|(storage, _)| storage);
        let limits = [
            (Some(config.director.maximum_concurrent_jobs), running.len()),
            (config.job(&job.name).map(|r| r.maximum_concurrent_jobs), count(&|o| o.name == job.name)),
            (
                config.client(&job.with.client).filter(|_| !is_copy).map(|r| r.maximum_concurrent_jobs),
                count(&|o| o.with.client == job.with.client && !o.task.is_copy()),
            ),
            (
                target.as_ref().and_then(|name| config.storage(name)).map(|r| r.maximum_concurrent_jobs),
                count(&|o| Some(&o.with.storage) == target.as_ref()),
            ),
            (
                config.storage(&job.with.storage).map(|r| r.maximum_concurrent_jobs),
                count(&|o| o.with.storage == job.with.storage),
            ),
        ];
        let fits = |most: u32, count: usize| count < usize::try_from(most.max(1)).unwrap_or(usize::MAX);
        limits.into_iter().all(|(most, count)| most.is_none_or(|most| fits(most, count)))
    }

    /// Hands an event of a job to its dialogue and acts on what comes of it.
    pub(crate) fn advance(&mut self, net: &mut Net, id: u32, step: impl FnOnce(&mut Job, &mut Tools<'_>) -> Ran<Job>) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let outcome = step(job, &mut Tools { net, journal: &mut self.journal });
        self.save_lines(net);
        match outcome {
            Ok(Progress::Waiting) => {}
            Ok(Progress::Want(want)) => {
                self.see_to(net, id, want);
                self.advance(net, id, Job::go_on);
            }
            Ok(Progress::Finished) => self.end_job(net, id),
            Err(trouble) => self.fail_job(net, id, &trouble),
        }
    }

    /// Does for a step what only the director can do.
    fn see_to(&mut self, net: &mut Net, id: u32, want: Want) {
        match want {
            Want::Ask(request) => net.ask(request, Owner::Job(id)),
            Want::ReachFile => self.reach_file(net, id),
            Want::TellReader => self.writer_listens(net, id),
            Want::TellWriter => self.reader_ended(net, id),
            Want::HandOver => self.hand_over(net, id),
        }
    }

    /// Ends a job with a fatal message.
    pub(crate) fn fail_job(&mut self, net: &mut Net, id: u32, trouble: &Trouble) {
        let Some(job) = self.jobs.get_mut(&id).filter(|job| !job.life.is_recording()) else { return };
        job.say(&mut self.journal, net, MessageKind::Fatal, &trouble.line());
        self.save_lines(net);
        self.abandon(net, id);
    }

    /// Lets the daemons go and records the end. The status is the worst of all three (`wire/2 §6.2`).
    pub(crate) fn end_job(&mut self, net: &mut Net, id: u32) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if job.life.is_recording() {
            return;
        }
        let timer = std::mem::replace(&mut job.life, Life::Recording).timer();
        net.cancel_timer(timer);
        self.let_daemons_go(net, id);
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if let Some(why) = job.copy_shortfall().filter(|_| job.is_alive()) {
            job.say(&mut self.journal, net, MessageKind::Fatal, &why.line());
        }
        let found = job.disagreement().filter(|_| job.is_alive());
        if let Some(found) = &found {
            let text = format!("{found} ({}); {}", found.code(), found.help());
            job.say(&mut self.journal, net, MessageKind::Error, &text);
        }
        if let Some(text) = job.tally.meter.left_out() {
            job.say(&mut self.journal, net, MessageKind::Warning, &text);
        }
        job.status = job.final_status();
        if found.is_some() {
            job.status = job.status.merge(JobStatus::Error);
        }
        let summary = job.summary();
        job.say(&mut self.journal, net, MessageKind::Info, &summary);
        let (files, bytes, read_bytes) = job.totals();
        let now = net.wall().seconds();
        let end = JobEnd {
            job_id: id,
            job_status: job.status.letter(),
            level: job.stored_level(),
            end_time: now,
            real_end_time: now,
            client_id: job.rows.client,
            pool_id: job.rows.pool,
            file_set_id: job.rows.fileset,
            vol_session_id: job.storage_daemon.session.id,
            vol_session_time: job.storage_daemon.session.time,
            job_files: files,
            job_bytes: bytes,
            read_bytes,
            job_errors: job.all_errors(),
            prior_job_id: if let Task::CopyControl(control) = &job.task { control.partner.unwrap_or(0) } else { 0 },
            purged_files: false,
            last_file: job.last_stored_file(),
        };
        let (client, uname) = (job.with.client.clone(), std::mem::take(&mut job.file_daemon.uname));
        self.save_lines(net);
        if !uname.is_empty() {
            net.ask(CatalogRequest::UpdateClientUname { client, uname }, Owner::Uname);
        }
        let end = Box::new(end);
        net.ask(CatalogRequest::EndJob(end.clone()), Owner::End(end));
    }

    /// Ends all that is under way with the daemons of a job.
    fn let_daemons_go(&mut self, net: &mut Net, id: u32) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        job.storage_daemon.requests = Requests::default();
        if let Presence::Dialling(dial) = job.storage_daemon.presence {
            net.cancel_dial(dial);
        }
        self.stop_reaching(net, id);
        let Some(job) = self.jobs.get_mut(&id) else { return };
        // A daemon that has ended its part has said goodbye already.
        let (storage, file) = (&mut job.storage_daemon.presence, &mut job.file_daemon.presence);
        let storage = (storage.end().is_none(), storage.leave());
        let file = (file.end().is_none(), file.leave());
        for (farewell, conn) in [storage, file] {
            if let Some(conn) = conn {
                self.conns.remove(&conn);
                net.close(conn, farewell);
            }
        }
    }

    /// The catalog answers what the present step of a job has asked.
    pub(crate) fn job_answered(&mut self, net: &mut Net, id: u32, answer: Result<CatalogAnswer, CatalogError>) {
        match answer {
            Ok(answer) => self.advance(net, id, |job, tools| job.on_news(News::Catalog(answer), tools)),
            Err(error) => self.fail_job(net, id, &error.into()),
        }
    }

    /// How the dial of a job gets on, whoever it is to.
    pub(crate) fn job_dial_news(&mut self, net: &mut Net, id: u32, who: Who, news: &DialNews) {
        if let Some(job) = self.jobs.get_mut(&id) {
            job.say(&mut self.journal, net, MessageKind::Info, &format!("{who}: {news}"));
            self.save_lines(net);
        }
    }

    pub(crate) fn job_dialed(&mut self, net: &mut Net, id: u32, outcome: Result<(ConnId, Peer), DialFailure>) {
        match outcome {
            Ok((conn, peer)) => {
                let Some(job) = self.jobs.get_mut(&id) else { return net.close(conn, true) };
                self.conns.insert(conn, id);
                let whom = match job.storage_number() {
                    number @ Number::DirectorToSecondStorage => format!("{} (connection {number})", number.to()),
                    _ => Who::Storage.to_string(),
                };
                let text = format!("Connected {whom} at {}, encryption: {}", peer.ends.peer, peer.tls);
                job.say(&mut self.journal, net, MessageKind::Info, &text);
                self.save_lines(net);
                self.advance(net, id, |job, tools| {
                    job.storage_daemon.presence = Presence::Here(conn);
                    job.on_event(Event::StorageReady, tools)
                });
            }
            Err(failure) => self.fail_job(net, id, &Trouble::NotDialled { who: Who::Storage, failure }),
        }
    }

    /// Looks for a way to the job's file daemon.
    fn reach_file(&mut self, net: &mut Net, id: u32) {
        let Some(job) = self.jobs.get(&id) else { return };
        let (client, times) = (job.with.client.clone(), dialling::job_times(&job.config));
        self.reach(net, &client, Goal::Job(id), times);
    }

    /// The job's file daemon is reached.
    pub(crate) fn job_reached(&mut self, net: &mut Net, id: u32, conn: ConnId, how: Reached) {
        let Some(job) = self.jobs.get_mut(&id).filter(|job| job.life.goes_on()) else {
            return net.close(conn, true);
        };
        let text = match how {
            Reached::Waited(waiting) => {
                job.file_daemon.is_greeted = true;
                job.file_daemon.protocol = waiting.protocol;
                let (client, from, tls) = (&waiting.client, waiting.from, &waiting.tls);
                let text = format!("Using Client Initiated Connection ({client}).");
                job.say(&mut self.journal, net, MessageKind::Info, &text);
                format!("Client-initiated connection of the {} at {from}, encryption: {tls}", Who::File)
            }
            Reached::Dialled(peer) => {
                format!("Connected {} at {}, encryption: {}", Who::File, peer.ends.peer, peer.tls)
            }
        };
        job.say(&mut self.journal, net, MessageKind::Info, &text);
        job.file_daemon.presence = Presence::Here(conn);
        self.conns.insert(conn, id);
        self.save_lines(net);
        self.advance(net, id, |job, tools| job.on_event(Event::FileReady, tools));
    }

    pub(crate) fn daemon_lost(&mut self, net: &mut Net, id: u32, conn: ConnId, reason: &CloseReason) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let Some(who) = job.who(conn) else { return };
        let done = match who {
            Who::Storage => {
                job.storage_daemon.presence.leave();
                job.storage_daemon.presence.end().is_some()
            }
            _ => {
                job.file_daemon.presence.leave();
                job.file_daemon.presence.end().is_some()
            }
        };
        if job.life.is_grace() {
            self.end_job(net, id);
        } else if !done {
            self.fail_job(net, id, &Trouble::Lost { who, reason: reason.clone() });
        }
    }

    /// Attributes for the catalog. The connection reads on when they are stored.
    pub(crate) fn store_files(&mut self, net: &mut Net, id: u32, conn: ConnId, parcel: Parcel) {
        // Rows of a job that has failed are of no use.
        let Some(job) = self.jobs.get_mut(&id).filter(|job| job.is_alive()) else { return net.parcel_taken(conn) };
        job.attributes.under_way += 1;
        let batch = UpdCatBatch::from_frames(parcel.bytes);
        net.ask(CatalogRequest::InsertFiles { job_id: id, batch }, Owner::Files(id, conn));
    }

    pub(crate) fn files_stored(
        &mut self,
        net: &mut Net,
        id: u32,
        conn: ConnId,
        answer: Result<CatalogAnswer, CatalogError>,
    ) {
        net.parcel_taken(conn);
        let Some(job) = self.jobs.get_mut(&id) else { return };
        job.attributes.under_way = job.attributes.under_way.saturating_sub(1);
        match answer {
            Ok(CatalogAnswer::Files(stored)) => {
                job.attributes.stored += stored.files;
                job.attributes.highest = job.attributes.highest.max(stored.highest);
                let is_noteworthy = stored.unread > 0 || stored.first_refused.is_some();
                if stored.unread > 0 {
                    let text = format!("{} files could not be read to their end and are not kept", stored.unread);
                    job.say(&mut self.journal, net, MessageKind::Warning, &text);
                }
                if let Some(first) = stored.first_refused {
                    let text = format!("{} rows for the catalog were refused, the first: {first}", stored.refused);
                    job.say(&mut self.journal, net, MessageKind::Warning, &text);
                }
                if is_noteworthy {
                    self.save_lines(net);
                }
            }
            Ok(_) => {}
            Err(error) => return self.fail_job(net, id, &Trouble::FilesNotStored(error)),
        }
        if self.jobs.get(&id).is_some_and(|job| job.attributes.under_way == 0) {
            self.advance(net, id, |job, tools| job.on_event(Event::FilesStored, tools));
        }
    }
}
