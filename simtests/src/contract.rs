//! What a node and its adapter owe each other, checked at every step: each order has one answer, answers belong to orders,
//! nothing mentions what has ended. And a job has one data channel at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use towline_core::action::Action;
use towline_core::conn::{FromConn, ToConn};
use towline_core::drive::{Hands, Reply, Step};
use towline_core::event::Event;
use towline_core::notice::Notice;
use towline_core::wire::hello::Purpose;
use towline_core::work::Work;

use crate::trace::{Trace, step_line};

/// Stands between a desk and the real hands: sees, traces and judges.
pub(crate) struct Watch {
    pub(crate) name: Arc<str>,
    pub(crate) hands: Arc<dyn Hands>,
    pub(crate) trace: Trace,
    pub(crate) book: Arc<Mutex<Book>>,
}

impl Hands for Watch {
    fn submit(&self, work: Work, reply: Reply) {
        self.hands.submit(work, reply);
    }

    fn notify(&self, notice: Notice) {
        self.hands.notify(notice);
    }

    fn saw(&self, step: Step<'_>) {
        self.trace.step(&self.name, &step);
        let mut book = lock(&self.book);
        if let Err(why) = book.see(&step) {
            book.broken.push(format!("{}: {why}: {}", self.name, step_line(&step)));
        }
        drop(book);
        self.hands.saw(step);
    }
}

pub(crate) fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is open between a node and its adapter.
#[derive(Debug, Default)]
pub(crate) struct Book {
    resolving: BTreeSet<u64>,
    dialling: BTreeSet<u64>,
    dialled: BTreeSet<u64>,
    binding: BTreeSet<u64>,
    tickets: BTreeSet<u64>,
    conns: BTreeSet<u64>,
    working: BTreeSet<u64>,
    ever: BTreeSet<u64>,
    /// The jobs that data channels are for.
    jobs: BTreeMap<u64, String>,
    /// Data channels with a machine.
    carrying: BTreeSet<u64>,
    started: bool,
    exited: bool,
    /// What was found wrong.
    pub(crate) broken: Vec<String>,
}

impl Book {
    /// What waits for an answer, in words.
    pub(crate) fn open(&self) -> Vec<String> {
        let kinds = [
            ("look-up", &self.resolving),
            ("dial", &self.dialling),
            ("listener to be bound", &self.binding),
            ("piece of work", &self.working),
            ("connection", &self.conns),
        ];
        kinds.into_iter().filter(|(_, ids)| !ids.is_empty()).map(|(what, ids)| format!("{what} {ids:?}")).collect()
    }

    /// Connections that have not ended.
    pub(crate) fn connections(&self) -> usize {
        self.conns.len()
    }

    fn see(&mut self, step: &Step<'_>) -> Result<(), &'static str> {
        if self.exited {
            return Err("something after Exit");
        }
        match step {
            Step::Event(event) => self.event(event),
            Step::Action(action) => self.action(action),
        }
    }

    fn event(&mut self, event: &Event) -> Result<(), &'static str> {
        let is_start = matches!(event, Event::Started { .. });
        if is_start == self.started {
            return Err("Started is not the first event, or comes twice");
        }
        self.started = true;
        match event {
            Event::Resolved { query, .. } => closes(&mut self.resolving, query.0, "an answer to no Resolve"),
            Event::Dialed { dial, outcome } => {
                if outcome.is_ok() {
                    self.dialled.insert(dial.0);
                }
                closes(&mut self.dialling, dial.0, "an answer to no Dial")
            }
            Event::Bound { listener, .. } => closes(&mut self.binding, listener.0, "an answer to no Listen"),
            Event::Accepted { ticket, .. } => opens(&mut self.tickets, ticket.0, "a ticket used twice"),
            Event::FromConn { conn, message: FromConn::Closed(_) } => {
                self.carrying.remove(&conn.0);
                self.jobs.remove(&conn.0);
                closes(&mut self.conns, conn.0, "the end of no connection")
            }
            Event::FromConn { conn, message } => {
                self.on_message(conn.0, message);
                has(&self.conns, conn.0, "a message of an ended connection")
            }
            Event::Done { work, .. } => closes(&mut self.working, work.0, "an answer to no Work"),
            _ => Ok(()),
        }
    }

    fn action(&mut self, action: &Action) -> Result<(), &'static str> {
        match action {
            Action::Resolve { query, .. } => opens(&mut self.resolving, query.0, "a look-up twice"),
            Action::Dial { dial, .. } => opens(&mut self.dialling, dial.0, "a dial twice at a time"),
            Action::CancelDial(dial) => {
                let held = self.dialled.remove(&dial.0);
                if held || self.dialling.contains(&dial.0) { Ok(()) } else { Err("no such dial") }
            }
            Action::Attach { dial, conn } => {
                self.begins(conn.id().0)?;
                closes(&mut self.dialled, dial.0, "no such socket")
            }
            Action::Admit { ticket, conn } => {
                self.begins(conn.id().0)?;
                closes(&mut self.tickets, ticket.0, "no such ticket")
            }
            Action::Refuse(ticket) => closes(&mut self.tickets, ticket.0, "no such ticket"),
            Action::Listen { listener, .. } => opens(&mut self.binding, listener.0, "a listener twice"),
            Action::ToConn { conn, message } => {
                has(&self.conns, conn.0, "an ended connection is mentioned")?;
                self.orders(conn.0, message)
            }
            Action::Keepalive { conn, .. } => has(&self.conns, conn.0, "an ended connection is mentioned"),
            Action::Work { work, .. } => opens(&mut self.working, work.0, "a piece of work twice"),
            Action::Exit(_) => {
                self.exited = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn on_message(&mut self, conn: u64, message: &FromConn) {
        match message {
            FromConn::Authenticated(peer) => {
                if let Purpose::StartJob { job } | Purpose::StorageStartsJob { job } | Purpose::StorageJob { job } =
                    &peer.hello.purpose
                {
                    self.jobs.insert(conn, job.clone());
                }
            }
            FromConn::Carried(_) => {
                self.carrying.remove(&conn);
            }
            _ => {}
        }
    }

    /// A machine is carried by one connection of its job at a time.
    fn orders(&mut self, conn: u64, message: &ToConn) -> Result<(), &'static str> {
        match message {
            ToConn::Carry(_) => {
                let of = |conn: &u64| self.jobs.get(conn);
                let has_another = of(&conn).is_some_and(|job| self.carrying.iter().any(|other| of(other) == Some(job)));
                self.carrying.insert(conn);
                if has_another { Err("two data channels for one job") } else { Ok(()) }
            }
            ToConn::Abort | ToConn::GiveUp(_) | ToConn::PushOut | ToConn::Close { .. } => {
                self.carrying.remove(&conn);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn begins(&mut self, conn: u64) -> Result<(), &'static str> {
        opens(&mut self.ever, conn, "a connection's id used twice")?;
        opens(&mut self.conns, conn, "a connection twice")
    }
}

fn opens(set: &mut BTreeSet<u64>, id: u64, why: &'static str) -> Result<(), &'static str> {
    if set.insert(id) { Ok(()) } else { Err(why) }
}

fn closes(set: &mut BTreeSet<u64>, id: u64, why: &'static str) -> Result<(), &'static str> {
    if set.remove(&id) { Ok(()) } else { Err(why) }
}

fn has(set: &BTreeSet<u64>, id: u64, why: &'static str) -> Result<(), &'static str> {
    if set.contains(&id) { Ok(()) } else { Err(why) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use towline_core::ids::DialId;
    use towline_core::socket::IoKind;
    use towline_core::time::Wall;

    #[test]
    fn a_second_answer_and_a_word_to_the_dead_are_noticed() {
        let mut book = Book::default();
        let dialed = Event::Dialed { dial: DialId(1), outcome: Err(IoKind::Refused) };
        assert!(book.see(&Step::Event(&dialed)).is_err(), "before Started");
        assert_eq!(book.see(&Step::Event(&Event::Started { wall: Wall(0) })), Ok(()));
        book.dialling.insert(1);
        assert_eq!(book.see(&Step::Event(&dialed)), Ok(()));
        assert_eq!(book.see(&Step::Event(&dialed)), Err("an answer to no Dial"));
        let word = Action::ToConn { conn: towline_core::ids::ConnId(5), message: ToConn::Abort };
        assert_eq!(book.see(&Step::Action(&word)), Err("an ended connection is mentioned"));
    }
}
