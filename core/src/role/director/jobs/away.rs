//! Jobs whose client may be away: they look for it before they begin, and wait for it without a place or a storage.
//!
//! ```text
//!   queued -- its turn --> asked -- found --------------------------> queued, begins
//!      ^                     | no answer: others have their turns      ^
//!      |                     '--> away -- found -----------------------'
//!      |                            '---- the time is over --> failed
//!      '-- found too long ago: asked again
//! ```
//! The client is reached as for a job (`reach/`): a connection of it that waits is asked, it is dialled, it dials in. That
//! connection only shows that it is there; the job gets one of its own, once it has its storage.

use std::time::Duration;

use crate::error::{Explain, Retry};
use crate::ids::{ConnId, JobId, Who};
use crate::node::DialNews;
use crate::role::director::Due;
use crate::role::director::common::Tools;
use crate::role::director::effect::Effect;
use crate::role::director::reach::{Goal, ReachFailure, dialling};
use crate::time::Instant;
use crate::wire::message::MessageKind;

use super::Jobs;
use super::job::Job;
use super::life::{Life, Until};
use super::trouble::Trouble;

/// How long a client may take to show that it is there before others have their turns: that of a connection which is asked and
/// of a dial.
const ASKED: Duration = Duration::from_secs(10);
/// A client that was there so long ago is there.
const FRESH: Duration = Duration::from_secs(60);

/// What a job knows of whether its client is there.
#[derive(Debug, Default)]
pub(crate) struct Sought {
    /// When it was looked for first.
    since: Option<Instant>,
    /// When it was there.
    found: Option<Instant>,
}

impl Jobs {
    /// Looks for the client of a job that has its turn. Whether the job has to wait for that.
    pub(super) fn seek_client(&mut self, tools: &mut Tools<'_>, id: JobId) -> bool {
        let Some(job) = self.all.get_mut(&id) else { return false };
        let now = tools.net.now();
        let left = job.patience_with_client(now);
        if left.is_zero() || job.sought.found.is_some_and(|found| now.since(found) < FRESH) {
            return false;
        }
        job.sought.since.get_or_insert(now);
        let timer = tools.net.set_timer(left.min(ASKED), "a client that may be away", Due::Away(id));
        job.life = Life::Away { timer, until: Until::Asked };
        // The job's own timer ends the search: a dial gives up before its time if the next try would come after it.
        let (pause, _) = dialling::job_times(&job.config);
        let within = left.as_secs().saturating_add(pause).saturating_add(1);
        tools.effect(Effect::Reach(job.with.client.clone(), Goal::Await(id), (pause, within), job.peers()));
        true
    }

    /// The client has not answered at once, or has had all its time.
    pub(crate) fn still_away(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let Some(job) = self.all.get_mut(&id).filter(|job| job.life.is_away()) else { return };
        let left = job.patience_with_client(tools.net.now());
        if left.is_zero() {
            return self.give_client_up(tools, id);
        }
        let until = tools.net.wall().after(left);
        let timer = tools.net.set_timer(left, "a client that is away", Due::Away(id));
        job.life = Life::Away { timer, until: Until::Here(until) };
        let text = format!(
            "Client \"{}\" is away: the job waits for it until {}, and takes no storage meanwhile.",
            job.with.client,
            tools.common.identity.local(until)
        );
        job.say(tools, MessageKind::Info, &text);
        self.begin_queued(tools);
    }

    /// The client is there: its job may begin.
    pub(crate) fn client_found(&mut self, tools: &mut Tools<'_>, id: JobId, conn: ConnId) {
        tools.close(conn, true);
        let Some(job) = self.all.get_mut(&id) else { return };
        let Life::Away { timer, until } = job.life else { return };
        tools.net.cancel_timer(timer);
        job.sought.found = Some(tools.net.now());
        job.life = Life::QUEUED;
        if until != Until::Asked {
            let text = format!("Client \"{}\" is here.", job.with.client);
            job.say(tools, MessageKind::Info, &text);
        }
        self.begin_queued(tools);
    }

    /// The client was looked for in vain: its time is over, or no time would help.
    pub(crate) fn client_not_found(&mut self, tools: &mut Tools<'_>, id: JobId, why: ReachFailure) {
        match why.retry() {
            Retry::Never => self.fail_job(tools, id, &why.into()),
            _ => self.give_client_up(tools, id),
        }
    }

    /// How a dial to a client gets on that may be away: said while that is not known yet.
    pub(crate) fn seeking_news(&mut self, tools: &mut Tools<'_>, id: JobId, news: &DialNews) {
        if self.all.get(&id).is_some_and(|job| job.life.away_until().is_none()) {
            self.dial_news(tools, id, Who::File, news);
        }
    }

    fn give_client_up(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let Some(job) = self.all.get(&id) else { return };
        let within = job.config.job(&job.name).map(|resource| resource.wait_for_client).unwrap_or_default();
        let client = job.with.client.clone();
        self.fail_job(tools, id, &Trouble::Away { client, within });
    }
}

impl Job {
    /// How long its client may still be away. It is not looked for by a job that does not need it, or does not wait.
    fn patience_with_client(&self, now: Instant) -> Duration {
        let most = self.config.job(&self.name).map(|resource| resource.wait_for_client.duration());
        let most = most.filter(|_| self.task.has_client()).unwrap_or_default();
        most.saturating_sub(self.sought.since.map_or(Duration::ZERO, |since| now.since(since)))
    }
}
