//! A connection and its machine: bytes in, parcels out, and how they part.

use std::num::NonZeroU64;

use super::api::{FromConn, Moved};
use super::connection::Conn;
use super::pace::Pace;
use super::tx::Back;
use crate::bulk::machine::{Flow, Machine, Outcome, Output};
use crate::limits;
use crate::time::Instant;

/// The machine's output is taken while less than this waits to be written.
const ENOUGH: usize = 4 * limits::PARCEL;

/// A machine being carried.
#[derive(Debug)]
pub(super) struct Carried {
    pub(super) machine: Box<Machine>,
    /// The first piece of work that can be this machine's.
    pub(super) first_work: u64,
    /// Whether it knows that no more input will come.
    pub(super) is_cut: bool,
    /// When it began, and bytes written before.
    pub(super) since: Instant,
    pub(super) written: u64,
}

impl Conn {
    pub(super) fn carry(&mut self, mut machine: Box<Machine>, now: Instant) {
        if self.carried.is_some() {
            return self.messages.push_back(FromConn::Carried(Outcome::Cut));
        }
        machine.set_parcel(self.bulk.parcel());
        self.carried = Some(Carried {
            machine,
            first_work: self.next_work,
            is_cut: false,
            since: now,
            written: self.traffic.written,
        });
        self.look.arm(self.traffic.read, now);
        self.rx.resize(self.buffer_size());
    }

    /// Takes what the machine has to give. True if it has ended.
    pub(super) fn drive_machine(&mut self) -> bool {
        let room = (limits::UNDER_WAY as usize).saturating_sub(self.under_way());
        // What is queued is on its way; under a limit that takes long, and orders and heartbeats come after it.
        let enough = if self.paced(Flow::Out).is_some() { 1 } else { ENOUGH };
        let Some(carried) = &mut self.carried else { return false };
        while self.tx.queued() < enough
            && let Some(output) = carried.machine.poll_output()
        {
            match output {
                Output::Bytes(bytes) => self.tx.push(bytes),
                Output::Parcel(parcel) => self.tx.push_parcel(parcel, Back::Machine),
            }
        }
        for _ in 0..room {
            let Some(message) = carried.machine.poll_message() else { break };
            self.messages.push_back(FromConn::Machine(message));
        }
        if carried.machine.has_message() {
            return false;
        }
        let Some(outcome) = carried.machine.poll_outcome() else { return carried.machine.has_message() };
        self.is_deaf = !carried.machine.is_in_step();
        self.moved = self.moved();
        self.carried = None;
        self.messages.push_back(FromConn::Carried(outcome));
        self.rx.resize(self.buffer_size());
        self.tx.shrink(limits::IDLE_BUFFER);
        true
    }

    /// What the machine has moved so far, or the one before if there is none.
    pub(super) fn moved(&self) -> Option<Moved> {
        let Some(carried) = &self.carried else { return self.moved };
        let (files, bytes) = carried.machine.moved();
        let bytes = if carried.machine.flow() == Flow::Out { self.traffic.written - carried.written } else { bytes };
        Some(Moved { files, bytes, since: carried.since })
    }

    /// Moves data no faster than that from now on.
    pub(super) fn set_pace(&mut self, limit: Option<NonZeroU64>, now: Instant) {
        match (limit, &mut self.pace) {
            (None, pace) => *pace = None,
            (Some(limit), Some(pace)) => pace.change(limit, now),
            (Some(limit), pace) => *pace = Some(Pace::new(limit, now)),
        }
    }

    /// The pace of the machine, if its data goes this way. A connection that is breaking has no time for it.
    pub(super) fn paced(&self, flow: Flow) -> Option<&Pace> {
        let is_it = self.carried.as_ref().is_some_and(|carried| carried.machine.flow() == flow);
        self.pace.as_ref().filter(|_| is_it && self.broken.is_none())
    }

    /// Whether data that goes this way must wait.
    pub(super) fn is_held(&self, flow: Flow) -> bool {
        self.paced(flow).is_some_and(|pace| pace.blocked_until().is_some())
    }

    /// How many of these bytes may go this way now.
    pub(super) fn allowed(&self, flow: Flow, most: usize) -> usize {
        self.paced(flow).map_or(most, |pace| pace.allowed().min(most))
    }

    /// So many bytes have gone this way.
    pub(super) fn spend(&mut self, flow: Flow, bytes: usize, now: Instant) {
        if self.paced(flow).is_some()
            && let Some(pace) = &mut self.pace
        {
            pace.spend(bytes, now);
        }
    }

    /// When data that waits for its time may go on.
    pub(super) fn pace_deadline(&self) -> Option<Instant> {
        let flow = self.carried.as_ref()?.machine.flow();
        let waits = match flow {
            Flow::Out => !self.tx.is_empty(),
            Flow::In | Flow::Inside => true,
        };
        let at = self.paced(flow)?.blocked_until()?;
        waits.then_some(at)
    }
}
