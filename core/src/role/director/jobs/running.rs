//! Jobs under way: what happens to them goes to their dialogues, and what these want is seen to.

use std::time::Duration;

use crate::bulk::parcel::Parcel;
use crate::catalog::{CatalogAnswer, CatalogError, CatalogRequest, UpdCatBatch};
use crate::conn::{CloseReason, DialFailure, Peer, Stall};
use crate::error::Explain;
use crate::ids::{ConnId, JobId, Who};
use crate::node::{DialNews, Number};
use crate::quantity::{counted, either};
use crate::role::director::common::{Tools, Use};
use crate::role::director::effect::Effect;
use crate::role::director::reach::{Goal, ReachFailure, Reached, dialling};
use crate::role::director::{Due, Owner};
use crate::script::{Progress, Ran, Scripted};
use crate::wire::message::MessageKind;

use super::Jobs;
use super::daemons::Presence;
use super::dialogue::{Event, News, Want};
use super::job::Job;
use super::task::Task;
use super::trouble::Trouble;

/// How long a passive file daemon gets to take in that it was dialled: as long as from a director of Bareos.
const SETTLING: Duration = Duration::from_secs(2);

impl Jobs {
    /// Hands an event of a job to its dialogue and acts on what comes of it.
    pub(crate) fn advance(
        &mut self,
        tools: &mut Tools<'_>,
        id: JobId,
        step: impl FnOnce(&mut Job, &mut Tools<'_>) -> Ran<Job>,
    ) {
        let Some(job) = self.all.get_mut(&id) else { return };
        match step(job, tools) {
            Ok(Progress::Waiting) => {}
            Ok(Progress::Want(want)) => {
                self.see_to(tools, id, want);
                self.advance(tools, id, Job::go_on);
            }
            Ok(Progress::Finished) => self.end_job(tools, id),
            Err(trouble) => self.fail_job(tools, id, &trouble),
        }
    }

    /// Does for a step what only the director can do.
    fn see_to(&mut self, tools: &mut Tools<'_>, id: JobId, want: Want) {
        match want {
            Want::Ask(request) => {
                if let Some(job) = self.all.get(&id) {
                    job.ask(tools, request, Owner::Job(id));
                }
            }
            Want::AskIn(catalog, request) => tools.ask(&catalog, request, Owner::Job(id)),
            Want::Gather(wanted) => self.read_lists(tools, id, wanted),
            Want::StartOthers => self.start_others(tools, id),
            Want::ReachFile => {
                let Some(job) = self.all.get(&id) else { return };
                let times = dialling::job_times(&job.config);
                tools.effect(Effect::Reach(job.with.client.clone(), Goal::Job(id), times, job.peers()));
            }
            Want::Settle => {
                tools.net.set_timer(SETTLING, "a passive file daemon that was dialled", Due::Settled(id));
            }
            Want::TellReader => self.writer_listens(tools, id),
            Want::TellWriter => self.reader_ended(tools, id),
            Want::MakeVirtual => self.make_virtual(tools, id),
            Want::ReadElsewhere => self.read_elsewhere(tools, id),
            Want::Order(order) => self.order_virtual_full(tools, id, order),
            Want::HandOver => self.hand_over(tools, id),
        }
    }

    /// The pause for the passive file daemon of a job is over, unless the job has ended meanwhile.
    pub(crate) fn settled(&mut self, tools: &mut Tools<'_>, id: JobId) {
        if self.all.get(&id).is_some_and(|job| job.life.waits_for(Event::Settled)) {
            self.advance(tools, id, |job, tools| job.on_event(Event::Settled, tools));
        }
    }

    /// The catalog answers what the present step of a job has asked.
    pub(crate) fn answered(&mut self, tools: &mut Tools<'_>, id: JobId, answer: Result<CatalogAnswer, CatalogError>) {
        match answer {
            Ok(answer) => self.advance(tools, id, |job, tools| job.on_news(News::Catalog(answer), tools)),
            Err(error) => self.fail_job(tools, id, &error.into()),
        }
    }

    /// How the dial of a job gets on, whoever it is to.
    pub(crate) fn dial_news(&mut self, tools: &mut Tools<'_>, id: JobId, who: Who, news: &DialNews) {
        if let Some(job) = self.all.get_mut(&id) {
            job.say(tools, MessageKind::Info, &format!("{who}: {news}"));
        }
    }

    /// The dial of a job's storage daemon has ended.
    pub(crate) fn dialled(&mut self, tools: &mut Tools<'_>, id: JobId, outcome: Result<(ConnId, Peer), DialFailure>) {
        match outcome {
            Ok((conn, peer)) => {
                let Some(job) = self.all.get_mut(&id) else { return tools.close(conn, true) };
                tools.common.uses.attach(conn, Use::Job(id));
                let whom = match job.storage_number() {
                    number @ Number::DirectorToSecondStorage => format!("{} (connection {number})", number.to()),
                    _ => Who::Storage.to_string(),
                };
                let text = format!("Connected {whom} at {}, encryption: {}", peer.ends.peer, peer.tls);
                job.say(tools, MessageKind::Info, &text);
                self.advance(tools, id, |job, tools| {
                    job.storage_daemon.presence = Presence::Here(conn);
                    job.on_event(Event::StorageReady, tools)
                });
            }
            Err(failure) => self.fail_job(tools, id, &Trouble::NotDialled { who: Who::Storage, failure }),
        }
    }

    /// The job's file daemon is reached.
    pub(crate) fn reached(&mut self, tools: &mut Tools<'_>, id: JobId, conn: ConnId, how: Reached) {
        let Some(job) = self.all.get_mut(&id).filter(|job| job.life.goes_on()) else {
            return tools.close(conn, true);
        };
        let text = match how {
            Reached::Waited(waiting) => {
                job.file_daemon.is_greeted = true;
                job.file_daemon.protocol = waiting.protocol;
                let (client, from, tls) = (&waiting.client, waiting.from, &waiting.tls);
                let text = format!("Using Client Initiated Connection ({client}).");
                job.say(tools, MessageKind::Info, &text);
                format!("Client-initiated connection of the {} at {from}, encryption: {tls}", Who::File)
            }
            Reached::Dialled(peer) => {
                format!("Connected {} at {}, encryption: {}", Who::File, peer.ends.peer, peer.tls)
            }
        };
        job.say(tools, MessageKind::Info, &text);
        job.file_daemon.presence = Presence::Here(conn);
        tools.common.uses.attach(conn, Use::Job(id));
        self.advance(tools, id, |job, tools| job.on_event(Event::FileReady, tools));
    }

    /// The connection to a daemon of a job has ended.
    pub(crate) fn lost(&mut self, tools: &mut Tools<'_>, id: JobId, conn: ConnId, reason: &CloseReason) {
        let Some(job) = self.all.get_mut(&id) else { return };
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
            self.end_job(tools, id);
        } else if !done {
            self.fail_job(tools, id, &Trouble::Lost { who, reason: reason.clone() });
        }
    }

    /// The job's file daemon is not reached.
    pub(crate) fn not_reached(&mut self, tools: &mut Tools<'_>, id: JobId, failure: ReachFailure) {
        self.fail_job(tools, id, &failure.into());
    }

    /// A connection of a job stands still.
    pub(crate) fn stalled(&mut self, tools: &mut Tools<'_>, id: JobId, stall: &Stall) {
        let Some(job) = self.all.get_mut(&id) else { return };
        let text = format!("a connection of this job stands still: {}", stall.line());
        job.say(tools, MessageKind::Warning, &text);
    }

    /// A daemon of a job sends a parcel: files it has found on a volume, or attributes for the catalog.
    pub(crate) fn parcel(&mut self, tools: &mut Tools<'_>, id: JobId, conn: ConnId, parcel: Parcel) {
        self.daemon_heard(tools, id, conn);
        if self.all.get(&id).is_some_and(|job| matches!(job.task, Task::Verify(_))) {
            self.compare_files(tools, id, conn, &parcel);
        } else {
            self.store_files(tools, id, conn, parcel);
        }
    }

    /// A daemon of a job has taken the parcel it was sent.
    pub(crate) fn parcel_sent(&mut self, tools: &mut Tools<'_>, id: JobId) {
        self.advance(tools, id, |job, tools| job.on_news(News::ParcelTaken, tools));
    }

    /// Attributes for the catalog. The connection reads on when they are stored.
    fn store_files(&mut self, tools: &mut Tools<'_>, id: JobId, conn: ConnId, parcel: Parcel) {
        // Rows of a job that has failed are of no use.
        let Some(job) = self.all.get_mut(&id).filter(|job| job.is_alive()) else { return tools.net.parcel_taken(conn) };
        job.attributes.under_way += 1;
        let batch = UpdCatBatch::from_frames(parcel.bytes);
        job.ask(tools, CatalogRequest::InsertFiles { job_id: id.0, batch }, Owner::Files(id, conn));
    }

    /// The catalog has stored attributes, or not.
    pub(crate) fn files_stored(
        &mut self,
        tools: &mut Tools<'_>,
        id: JobId,
        conn: ConnId,
        answer: Result<CatalogAnswer, CatalogError>,
    ) {
        tools.net.parcel_taken(conn);
        let Some(job) = self.all.get_mut(&id) else { return };
        job.attributes.under_way = job.attributes.under_way.saturating_sub(1);
        match answer {
            Ok(CatalogAnswer::Files(stored)) => {
                job.attributes.stored += stored.files;
                job.attributes.highest = job.attributes.highest.max(stored.highest);
                if stored.unread > 0 {
                    let text = format!(
                        "{} could not be read to {} end and {} not kept",
                        counted(stored.unread, "file"),
                        either(stored.unread, "its", "their"),
                        either(stored.unread, "is", "are")
                    );
                    job.say(tools, MessageKind::Warning, &text);
                }
                if let Some(first) = stored.first_refused {
                    let text = format!(
                        "{} for the catalog {} refused, the first: {first}",
                        counted(stored.refused, "row"),
                        either(stored.refused, "was", "were")
                    );
                    job.say(tools, MessageKind::Warning, &text);
                }
            }
            Ok(_) => {}
            Err(error) => return self.fail_job(tools, id, &Trouble::FilesNotStored(error)),
        }
        if self.all.get(&id).is_some_and(|job| job.attributes.under_way == 0) {
            self.advance(tools, id, |job, tools| job.on_event(Event::FilesStored, tools));
        }
    }
}
