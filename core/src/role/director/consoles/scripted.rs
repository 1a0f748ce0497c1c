//! Commands that jobs have done (`wire/2 §1.9`): each gets a seat of its own, without a connection. What it would show stands
//! in the report of the job, and nobody can be asked.

use crate::catalog::CatalogName;
use crate::ids::{ConnId, HandleId, JobId};
use crate::limits;
use crate::printable;
use crate::role::director::Net;
use crate::role::director::common::{Common, Use};

use super::access::Access;
use super::answer::Answer;
use super::output::Output;
use super::{Console, Consoles, Doing, Ends};

/// The job that has a command done.
#[derive(Debug)]
pub(super) struct OfJob {
    id: JobId,
    handle: HandleId,
    outcome: Outcome,
}

#[derive(Debug)]
enum Outcome {
    Open,
    Done,
    Refused(String),
}

/// What a command has come to.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) id: JobId,
    pub(crate) handle: HandleId,
    /// What it has shown.
    pub(crate) lines: Vec<String>,
    /// More lines than a report takes.
    pub(crate) left_out: u64,
    /// Why it was not done.
    pub(crate) refused: Option<String>,
}

impl OfJob {
    /// Its command has ended.
    pub(super) fn end(&mut self, answer: &Answer) {
        self.outcome = match answer {
            Answer::Found(_) => Outcome::Done,
            Answer::Failed(why) | Answer::Unknown(why) => Outcome::Refused(why.to_string()),
        };
    }
}

/// The seat of a command that a job has done under this name: no connection has the same number.
pub(crate) const fn seat_of(handle: HandleId) -> ConnId {
    ConnId(handle.0)
}

impl Consoles {
    /// A job of this catalog has a command done: makes its seat.
    pub(crate) fn seat_job(
        &mut self,
        net: &Net,
        common: &mut Common,
        (id, handle): (JobId, HandleId),
        catalog: &CatalogName,
    ) -> ConnId {
        let conn = seat_of(handle);
        let console = Console {
            name: None,
            since: net.wall(),
            heard: net.now(),
            doing: Doing::Busy,
            seen: common.journal.total(),
            notified: true,
            output: Output::kept(),
            used: Some(catalog.clone()),
            catalog: catalog.clone(),
            waiting: std::collections::VecDeque::new(),
            ends: Ends::default(),
            is_towline: false,
            access: Access::of(&common.config, None),
            of_job: Some(OfJob { id, handle, outcome: Outcome::Open }),
            is_program: false,
            gathers: None,
        };
        common.uses.attach(conn, Use::Console);
        self.seats.insert(conn, console);
        conn
    }

    /// What the command of a job has come to, if it has ended; its seat is gone then.
    pub(crate) fn ended_for_job(&mut self, common: &mut Common, conn: ConnId) -> Option<Said> {
        let has_ended = |console: &Console| {
            matches!(console.doing, Doing::Idle)
                && console.of_job.as_ref().is_some_and(|of_job| !matches!(of_job.outcome, Outcome::Open))
        };
        if !self.seats.get(&conn).is_some_and(has_ended) {
            return None;
        }
        common.uses.detach(conn);
        let console = self.seats.remove(&conn)?;
        let OfJob { id, handle, outcome } = console.of_job?;
        let said = console.output.said();
        let all = || said.lines().filter(|line| !line.trim().is_empty());
        let lines = all().take(limits::SCRIPT_LINES).map(shortened).collect();
        let left_out = all().skip(limits::SCRIPT_LINES).count() as u64;
        let refused = if let Outcome::Refused(why) = outcome { Some(why) } else { None };
        Some(Said { id, handle, lines, left_out, refused })
    }

    /// A job has given its command up. What was shown is nobody's; what waits for its end is told so.
    pub(crate) fn give_up_for_job(&mut self, common: &mut Common, handle: HandleId) -> Option<Said> {
        let conn = seat_of(handle);
        common.uses.detach(conn);
        let OfJob { id, handle, .. } = self.seats.remove(&conn)?.of_job?;
        let refused = Some("its job was given up".to_owned());
        Some(Said { id, handle, lines: Vec::new(), left_out: 0, refused })
    }

    /// Those with a connection.
    pub(super) fn connected(&self) -> impl Iterator<Item = (ConnId, &Console)> {
        self.seats.iter().filter(|(_, console)| console.of_job.is_none()).map(|(conn, console)| (*conn, console))
    }
}

fn shortened(line: &str) -> String {
    printable::shortened(line, limits::SCRIPT_LINE).into_owned()
}
