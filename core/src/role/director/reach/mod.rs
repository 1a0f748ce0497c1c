//! The way to a file daemon, in three steps (`wire/1 §8.4`): a connection that waits, a dial, a connection that comes.
//!
//! ```text
//!   take the newest that waits --> ask --answer--> reached          (protocol 54 and later; older ones are not asked)
//!      ^  | none                    | silence, the end
//!      |  |                         '--> take the next
//!      |  '--> dial ---------------------connected--> reached
//!      |         | failed, or not allowed
//!      '---- one has come -- wait --time over--> not reached
//! ```
//! A connection that waits may lead to nobody without anybody having noticed. So it is taken with a question that has
//! no effect; then a dead one costs seconds and not the job. The first step is part of this room: `reception.rs` lets
//! clients in that dial, `pool.rs` keeps their connections; `dialling.rs` is the second.

pub(crate) mod dialling;
pub(crate) mod pool;
pub(crate) mod reception;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::DirectorConfig;
use crate::conn::{DialFailure, Peer};
use crate::error::{Code, Explain, Facts, Fault, Retry};
use crate::ids::{ConnId, DialId, JobId};
use crate::node::TimerKey;
use crate::notice::Level;
use crate::quiet::Quiet;
use crate::time::Instant;
use crate::wire::file::FileCommand;
use crate::wire::file_answers;

use super::common::{Peers, Tools, Use};
use super::effect::Effect;
use super::errands::{self, Errand};
use super::reload::{GONE, OTHER_PASSWORD};
use super::{Dial, Due};
use dialling::Undialled;
use pool::{Bounds, Pool, Waiting};

/// How long a waiting client may take to answer when its connection is taken.
const CLAIM: Duration = Duration::from_secs(5);

/// Since this protocol file daemons know the question (`wire/2 §1.14`).
const ASKED_SINCE: u32 = 54;

/// A file daemon that somebody wants to reach.
#[derive(Debug)]
pub(crate) struct Reach {
    client: String,
    goal: Goal,
    /// The pause between tries and the time for all, for the dial; the second also for the third step. In seconds.
    times: (u64, u64),
    /// What is known of the client: for a job, what was when it was ordered.
    peers: Peers,
    claiming: Option<(ConnId, Waiting)>,
    dial: Option<DialId>,
    /// The claim's patience, or the end of the third step.
    timer: Option<TimerKey>,
    /// When the third step ends; none before it has begun.
    until: Option<Instant>,
    saw: Saw,
}

/// Who wants it.
#[derive(Debug)]
pub(crate) enum Goal {
    Job(JobId),
    /// A job, to know whether the client is there.
    Await(JobId),
    Errand(Box<Errand>),
}

/// The connection that was reached.
#[derive(Debug)]
pub(crate) enum Reached {
    /// It waited; it is authenticated and greeted, and its protocol is known.
    Waited(Waiting),
    /// It was dialled; its greeting is to come.
    Dialled(Box<Peer>),
}

/// What the steps saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Saw {
    /// Waiting connections that did not answer.
    pub silent: u32,
    /// Waiting connections that ended, or answered something else.
    pub lost: u32,
    /// Why the dial came to nothing.
    pub dialled: Option<Box<InVain>>,
}

/// Why a dial came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InVain {
    /// It has failed.
    #[error("{0}, {code}", code = .0.code())]
    Failed(#[from] DialFailure),
    /// There was nobody to dial.
    #[error("{0}")]
    NotTried(#[from] Undialled),
}

/// Why a file daemon was not reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReachFailure {
    /// Neither side may dial.
    #[error("connecting to {0} is not allowed")]
    NotAllowed(String),
    /// It could only be dialled, and did not answer.
    #[error("{0}")]
    Dial(#[from] DialFailure),
    /// It could only be dialled, and there is nothing to dial.
    #[error("{0}")]
    Undialled(#[from] Undialled),
    /// It dials the director, and did not, within so many seconds.
    #[error("client {client} did not dial in within {within} s{}", claims(saw))]
    NotCome {
        /// The client.
        client: String,
        /// Seconds.
        within: u64,
        /// What the steps saw.
        saw: Saw,
    },
    /// It neither could be dialled nor did it dial.
    #[error(
        "client {client} is not reached: dialling it failed ({}), and it did not dial in within {within} s{}",
        tried(saw),
        claims(saw)
    )]
    Neither {
        /// The client.
        client: String,
        /// Seconds.
        within: u64,
        /// What the steps saw.
        saw: Saw,
    },
}

fn tried(saw: &Saw) -> String {
    saw.dialled.as_ref().map_or_else(|| "not tried".to_owned(), |why| why.to_string())
}

fn claims(saw: &Saw) -> String {
    match (saw.silent, saw.lost) {
        (0, 0) => "; no connection of it was waiting".to_owned(),
        (silent, lost) => {
            let seconds = CLAIM.as_secs();
            format!("; of those that waited, {silent} did not answer within {seconds} s and {lost} broke")
        }
    }
}

impl Explain for ReachFailure {
    fn facts(&self) -> Facts {
        use Fault::{Config, Network};
        use Retry::{Backoff, Never};
        match self {
            Self::NotAllowed(_) => (
                Config,
                Never,
                150,
                "let one side dial: set `connection_from_director_to_client` or \
                 `connection_from_client_to_director` of the client",
            ),
            Self::Undialled(why) => return why.facts(),
            Self::NotCome { .. } => {
                (Network, Backoff, 152, "see whether the client runs, and what its log says about this director")
            }
            Self::Neither { .. } => (
                Network,
                Backoff,
                153,
                "see whether the client runs, and which of the two directions its network allows",
            ),
            Self::Dial(failure) => return failure.facts(),
        }
        .into()
    }
}

/// One failure for each code of its own.
#[cfg(test)]
pub(crate) fn one_of_each() -> Vec<ReachFailure> {
    let client = || "c".to_owned();
    let saw = || Saw { silent: 1, lost: 0, dialled: Some(Box::new(Undialled::NoAddress("c".to_owned()).into())) };
    vec![
        ReachFailure::NotAllowed(client()),
        ReachFailure::NotCome { client: client(), within: 180, saw: saw() },
        ReachFailure::Neither { client: client(), within: 180, saw: saw() },
    ]
}

fn bounds(config: &DirectorConfig) -> Bounds {
    let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let per_client = number(config.director.max_waiting_connections_per_client);
    Bounds { per_client, total: number(config.director.max_waiting_connections) }
}

/// Why a client that has dialled in may not wait any longer.
fn may_not_wait(name: &str, earlier: &DirectorConfig, config: &DirectorConfig) -> Option<&'static str> {
    let Some(client) = config.client(name) else { return Some(GONE) };
    if !client.connection_from_client_to_director {
        return Some("`connection_from_client_to_director` is not set for it any more");
    }
    let was = earlier.client(name).map(|client| client.password.key());
    (was != Some(client.password.key())).then_some(OTHER_PASSWORD)
}

/// The ways to clients.
#[derive(Debug)]
pub(crate) struct Ways {
    /// Clients that have dialled in.
    pool: Pool,
    /// What was said about those that may not wait.
    said: Quiet<(String, Code)>,
    /// Clients that a job or an errand needs to reach.
    reaching: BTreeMap<u64, Reach>,
}

impl Ways {
    /// Nobody waits and nobody is to be reached yet.
    pub(crate) fn new(config: &DirectorConfig) -> Self {
        Self { pool: Pool::new(bounds(config)), said: Quiet::default(), reaching: BTreeMap::new() }
    }

    /// Another configuration is used: lets those go that it does not let wait.
    pub(crate) fn reconfigured(&mut self, tools: &mut Tools<'_>, earlier: &DirectorConfig) {
        self.pool.set_bounds(bounds(&tools.common.config));
        let config = &tools.common.config;
        let all: Vec<(ConnId, String)> = self.pool.iter().map(|(conn, waits)| (conn, waits.client.clone())).collect();
        let judged = all.into_iter().map(|(conn, name)| (conn, may_not_wait(&name, earlier, config), name));
        for (conn, why, name) in judged.collect::<Vec<_>>() {
            let Some(why) = why else { continue };
            self.pool.remove(conn);
            tools.net.complain(Level::Warn, 777, &format!("client {name}, which has waited, is closed: {why}"));
            tools.close(conn, true);
        }
    }

    /// The clients that wait.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Waiting> {
        self.pool.iter().map(|(_, waiting)| waiting)
    }

    /// Whether an errand that is not a console's waits to reach a client.
    pub(crate) fn has_own_errand(&self) -> bool {
        self.reaching.values().any(|reach| match &reach.goal {
            Goal::Job(_) | Goal::Await(_) => false,
            Goal::Errand(errand) => errand.console().is_none(),
        })
    }

    /// The job that needs this way, if it is for one.
    pub(crate) fn job_of(&self, id: u64) -> Option<JobId> {
        match self.reaching.get(&id)?.goal {
            Goal::Job(job) => Some(job),
            Goal::Await(_) | Goal::Errand(_) => None,
        }
    }

    /// The job that wants to know whether there is a way, if this one is for that.
    pub(crate) fn seeks_for(&self, id: u64) -> Option<JobId> {
        if let Goal::Await(job) = self.reaching.get(&id)?.goal { Some(job) } else { None }
    }

    /// Looks for a way to a client.
    pub(crate) fn reach(
        &mut self,
        tools: &mut Tools<'_>,
        (client, peers): (String, Peers),
        goal: Goal,
        times: (u64, u64),
    ) {
        let id = tools.net.next_id();
        let saw = Saw::default();
        let reach = Reach { client, goal, times, peers, claiming: None, dial: None, timer: None, until: None, saw };
        self.reaching.insert(id, reach);
        self.next_way(tools, id);
    }

    /// Goes on with the first step that has not failed.
    fn next_way(&mut self, tools: &mut Tools<'_>, id: u64) {
        let Some(reach) = self.reaching.get_mut(&id) else { return };
        let client = reach.peers.config.client(&reach.client);
        let comes = client.is_some_and(|client| client.connection_from_client_to_director);
        let goes = client.is_some_and(|client| client.connection_from_director_to_client);
        if comes && let Some((conn, waiting)) = self.pool.take(&reach.client, tools.net.now()) {
            if waiting.protocol < ASKED_SINCE {
                return self.reached(tools, id, conn, Reached::Waited(waiting));
            }
            reach.claiming = Some((conn, waiting));
            tools.common.uses.attach(conn, Use::Claimed(id));
            tools.net.send_text(conn, FileCommand::SecureErase.to_line());
            return self.arm(tools, id, CLAIM, "the answer of a client whose connection was taken");
        }
        if goes && reach.saw.dialled.is_none() {
            match dialling::dial_client(tools.net, &reach.peers, &reach.client, reach.times, Dial::Reach(id)) {
                Ok(dial) => {
                    reach.dial = Some(dial);
                    let client = reach.peers.overrides.client(&reach.peers.config, &reach.client);
                    if let (Goal::Errand(errand), Some(client)) = (&reach.goal, client) {
                        let host = client.address.as_deref().unwrap_or_default();
                        errands::connecting(tools, errand, host, client.port);
                    }
                    return;
                }
                Err(why) if comes => reach.saw.dialled = Some(Box::new(why.into())),
                Err(why) => return self.not_reached(tools, id, why.into()),
            }
        }
        if !comes {
            let failure = ReachFailure::NotAllowed(reach.client.clone());
            return self.not_reached(tools, id, failure);
        }
        let now = tools.net.now();
        let within = Duration::from_secs(reach.times.1);
        let until = *reach.until.get_or_insert_with(|| now + within);
        if now < until {
            return self.arm(tools, id, until.since(now), "a client that is to dial in");
        }
        let (client, within, saw) = (reach.client.clone(), reach.times.1, reach.saw.clone());
        let failure = match goes {
            true => ReachFailure::Neither { client, within, saw },
            false => ReachFailure::NotCome { client, within, saw },
        };
        self.not_reached(tools, id, failure);
    }

    fn arm(&mut self, tools: &mut Tools<'_>, id: u64, after: Duration, why: &'static str) {
        let key = tools.net.set_timer(after, why, Due::Reach(id));
        let earlier = self.reaching.get_mut(&id).and_then(|reach| reach.timer.replace(key));
        tools.net.cancel_timer(earlier);
    }

    /// A client has dialled in: for whoever waited longest for it.
    fn client_waits(&mut self, tools: &mut Tools<'_>, client: &str) {
        // A dial to a client that is away goes on for hours.
        let is_free = |reach: &Reach| match reach.goal {
            Goal::Await(_) => true,
            Goal::Job(_) | Goal::Errand(_) => reach.dial.is_none() && reach.until.is_some(),
        };
        let is_it = |reach: &Reach| reach.client == *client && reach.claiming.is_none() && is_free(reach);
        let found = self.reaching.iter_mut().find(|(_, reach)| is_it(reach));
        let Some((id, dial)) = found.map(|(id, reach)| (*id, reach.dial.take())) else { return };
        if let Some(dial) = dial {
            tools.net.cancel_dial(dial);
        }
        self.next_way(tools, id);
    }

    /// The claim or the third step has had its time.
    pub(crate) fn timer(&mut self, tools: &mut Tools<'_>, id: u64) {
        let Some(reach) = self.reaching.get_mut(&id) else { return };
        reach.timer = None;
        if let Some((conn, _)) = reach.claiming.take() {
            reach.saw.silent += 1;
            self.pool.was_dead(&reach.client);
            tools.abort(conn);
        }
        self.next_way(tools, id);
    }

    /// A line on a connection that has been taken: the answer.
    pub(crate) fn claim_answered(&mut self, tools: &mut Tools<'_>, id: u64, text: &[u8]) {
        if !file_answers::is_secure_erase(text) {
            return self.claim_broken(tools, id);
        }
        if let Some((conn, waiting)) = self.reaching.get_mut(&id).and_then(|reach| reach.claiming.take()) {
            self.reached(tools, id, conn, Reached::Waited(waiting));
        }
    }

    /// A connection that has been taken says something that is no answer, or has ended.
    pub(crate) fn claim_broken(&mut self, tools: &mut Tools<'_>, id: u64) {
        let Some(reach) = self.reaching.get_mut(&id) else { return };
        let Some((conn, _)) = reach.claiming.take() else { return };
        // Its patience is over too: while the next step is under way, nothing else may begin.
        tools.net.cancel_timer(reach.timer.take());
        reach.saw.lost += 1;
        self.pool.was_dead(&reach.client);
        tools.close(conn, true);
        self.next_way(tools, id);
    }

    /// The dial of the second step has ended.
    pub(crate) fn dialled(&mut self, tools: &mut Tools<'_>, id: u64, outcome: Result<(ConnId, Peer), DialFailure>) {
        let reach = self.reaching.get_mut(&id).filter(|reach| reach.dial.is_some());
        let Some(reach) = reach else {
            if let Ok((conn, _)) = outcome {
                tools.abort(conn);
            }
            return;
        };
        reach.dial = None;
        match outcome {
            Ok((conn, peer)) => self.reached(tools, id, conn, Reached::Dialled(Box::new(peer))),
            Err(failure) => {
                let client = reach.peers.config.client(&reach.client);
                if client.is_some_and(|client| client.connection_from_client_to_director) {
                    reach.saw.dialled = Some(Box::new(failure.into()));
                    self.next_way(tools, id);
                } else {
                    self.not_reached(tools, id, ReachFailure::Dial(failure));
                }
            }
        }
    }

    fn reached(&mut self, tools: &mut Tools<'_>, id: u64, conn: ConnId, how: Reached) {
        let Some(reach) = self.reaching.remove(&id) else { return };
        tools.net.cancel_timer(reach.timer);
        tools.effect(Effect::Reached(reach.goal, conn, how));
    }

    fn not_reached(&mut self, tools: &mut Tools<'_>, id: u64, failure: ReachFailure) {
        let Some(reach) = self.reaching.remove(&id) else { return };
        tools.net.cancel_timer(reach.timer);
        tools.effect(Effect::NotReached(reach.goal, failure));
    }

    /// A job needs its file daemon no more.
    pub(crate) fn stop(&mut self, tools: &mut Tools<'_>, job: JobId) {
        let is_it = |reach: &Reach| matches!(reach.goal, Goal::Job(mine) | Goal::Await(mine) if mine == job);
        let Some(id) = self.reaching.iter().find(|(_, reach)| is_it(reach)).map(|(id, _)| *id) else { return };
        let Some(reach) = self.reaching.remove(&id) else { return };
        tools.net.cancel_timer(reach.timer);
        if let Some((conn, _)) = reach.claiming {
            tools.close(conn, true);
        }
        if let Some(dial) = reach.dial {
            tools.net.cancel_dial(dial);
        }
    }
}
