//! A connection and its machine: bytes in, parcels out, and how they part.

use super::api::FromConn;
use super::connection::Conn;
use super::tx::Back;
use crate::bulk::machine::{Machine, Outcome, Output};
use crate::limits;

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
}

impl Conn {
    pub(super) fn carry(&mut self, machine: Box<Machine>) {
        if self.carried.is_some() {
            return self.messages.push_back(FromConn::Carried(Outcome::Cut));
        }
        self.carried = Some(Carried { machine, first_work: self.next_work, is_cut: false });
        self.rx.resize(self.buffer_size());
    }

    /// Takes what the machine has to give. True if it has ended.
    pub(super) fn drive_machine(&mut self) -> bool {
        let room = (limits::UNDER_WAY as usize).saturating_sub(self.under_way());
        let Some(carried) = &mut self.carried else { return false };
        while self.tx.queued() < ENOUGH
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
        self.carried = None;
        self.messages.push_back(FromConn::Carried(outcome));
        self.rx.resize(self.buffer_size());
        self.tx.shrink(limits::IDLE_BUFFER);
        true
    }
}
