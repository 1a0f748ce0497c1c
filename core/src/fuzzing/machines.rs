//! The machines with their workers and a node beside them: whatever the peer sends and in whatever order the rest answers,
//! each comes to an end, holds no more than its share, and stops when it is told.

use std::collections::VecDeque;

use super::streams::{Told, backup_stream, machine, restore_stream, steered};
use super::{Steer, Steps, Target};
use crate::bulk::archiver::Archiver;
use crate::bulk::cloner::Cloner;
use crate::bulk::machine::{FromMachine, Machine, Outcome, Output, ToMachine};
use crate::bulk::parcel::Parcel;
use crate::bulk::receive::ReceiverSetup;
use crate::bulk::restorer::Restorer;
use crate::bulk::sender::Sender;
use crate::bulk::unpack::Unpacker;
use crate::bulk::verifier::Verifier;
use crate::bulk::work::{DiskDone, DiskError, DiskWork, Remark};
use crate::ids::HandleId;
use crate::limits;
use crate::time::{Instant, Wall};
use crate::wire::block::Session;
use crate::wire::fileset::FileSet;
use crate::wire::frame::{Signal, put_data, put_signal};
use crate::wire::label::SessionLabel;

pub(super) const TARGETS: &[Target] = &[
    machine("archive", archive, || steered(vec![backup_stream(2)])),
    machine("restore", restore, || steered(vec![restore_stream(2)])),
    machine("verify_job", verify_job, || steered(vec![restore_stream(2)])),
    machine("replicate", replicate, || steered(vec![backup_stream(2)])),
    machine("send", send, || steered(vec![peer_of_a_sender()])),
];

/// Bytes that wait for the machine, as in the ring of a connection.
const RING: usize = 64 * 1024;

fn archive(bytes: &[u8]) {
    let (steer, stream) = Steer::of(bytes);
    drive(Machine::Archive(Box::new(Archiver::new(setup(), CLOCK))), Hands::default(), steer, stream);
}

fn restore(bytes: &[u8]) {
    let (steer, stream) = Steer::of(bytes);
    drive(Machine::Restore(Restorer::new(HandleId(1))), Hands::default(), steer, stream);
}

fn verify_job(bytes: &[u8]) {
    let (steer, stream) = Steer::of(bytes);
    drive(Machine::Restore(Restorer::verifying(HandleId(1))), Hands::default(), steer, stream);
}

/// The stream comes from a worker here, and nothing from the peer.
fn replicate(bytes: &[u8]) {
    let (steer, stream) = Steer::of(bytes);
    let hands = Hands { source: stream.to_vec(), ..Hands::default() };
    drive(Machine::Clone(Box::new(Cloner::new(HandleId(1), setup(), CLOCK))), hands, steer, &[]);
}

/// A worker has a little to send, and the peer says these bytes meanwhile.
fn send(bytes: &[u8]) {
    let (steer, stream) = Steer::of(bytes);
    let hands = Hands { source: backup_stream(3), ..Hands::default() };
    drive(Machine::Send(Sender::new(HandleId(1), 2)), hands, steer, stream);
}

fn peer_of_a_sender() -> Vec<u8> {
    let mut out = Vec::new();
    for signal in [Signal::Heartbeat, Signal::Poll, Signal::HeartbeatResponse] {
        put_signal(&mut out, signal);
    }
    put_data(&mut out, b"");
    put_data(&mut out, b"3000 error\n");
    out
}

const CLOCK: (Instant, Wall) = (Instant(0), Wall(1_795_438_893_000_000));

pub(super) fn setup() -> ReceiverSetup {
    ReceiverSetup {
        session: Session { id: 1, time: 2 },
        block_size: 4_096,
        start: SessionLabel { job_id: 7, job: b"x".to_vec(), ..SessionLabel::default() },
        catalog_prefix: b"UpdCat Job=x FileAttributes ".to_vec(),
        is_rerun: false,
    }
}

/// The workers: an archive device, a disk that is restored to, a source to read from.
#[derive(Debug, Default)]
pub(super) struct Hands {
    source: Vec<u8>,
    read: usize,
    written: u64,
    full: Option<HandleId>,
    unpacker: Unpacker,
    told: Told,
    verifier: Option<Verifier>,
}

impl Hands {
    pub(super) fn done(&mut self, work: DiskWork, steer: &mut Steer) -> DiskDone {
        let fails = steer.once_in(200);
        let remarks = || vec![Remark { kind: 4, text: "a remark".to_owned() }];
        let remarks = if steer.once_in(8) { remarks() } else { Vec::new() };
        match work {
            DiskWork::Append { block, .. } if fails => failed(block),
            DiskWork::Append { handle, block } => {
                if steer.once_in(8) {
                    self.full = Some(handle);
                }
                if self.full == Some(handle) {
                    return DiskDone::VolumeFull { block, disk_full: false };
                }
                let start = self.written;
                self.written += block.len() as u64;
                DiskDone::Appended { block, start, spent: 1 }
            }
            DiskWork::Fill { parcel, .. } if fails => failed(parcel.bytes),
            DiskWork::Fill { mut parcel, .. } => {
                parcel.clear();
                let end = self.source.len().min(self.read + steer.segment());
                parcel.bytes.extend_from_slice(&self.source[self.read..end]);
                self.read = end;
                DiskDone::Filled { parcel, last: end == self.source.len(), remarks }
            }
            DiskWork::Apply { parcel, .. } => match self.unpacker.feed(&parcel.bytes, &mut self.told) {
                Ok(_) => DiskDone::Applied { parcel, remarks },
                Err(_) => failed(parcel.bytes),
            },
            DiskWork::Verify { parcel, lines, .. } => {
                let verifier = self.verifier.get_or_insert_with(|| Verifier::new(&FileSet::default()));
                verifier.give(lines);
                match self.unpacker.feed(&parcel.bytes, verifier) {
                    Ok(_) => DiskDone::Verified { parcel, lines: verifier.take(), remarks: verifier.take_remarks() },
                    Err(_) => failed(parcel.bytes),
                }
            }
            other => panic!("{other:?} of a machine"),
        }
    }
}

fn failed(buffer: Vec<u8>) -> DiskDone {
    DiskDone::Failed { error: DiskError::Denied("x".to_owned()), buffer }
}

/// The node's side: volumes are mounted, parcels go to the director and come back.
#[derive(Debug, Default)]
pub(super) struct Reception {
    volumes: u64,
    answers: VecDeque<ToMachine>,
}

impl Reception {
    pub(super) fn hear(&mut self, message: FromMachine) {
        match message {
            FromMachine::NeedVolume | FromMachine::VolumeFull { .. } => {
                self.volumes += 1;
                self.answers.push_back(ToMachine::Volume(HandleId(100 + self.volumes)));
            }
            FromMachine::Attributes(parcel) => self.answers.push_back(ToMachine::AttributesSent(emptied(parcel))),
            FromMachine::Lines(parcel) => self.answers.push_back(ToMachine::LinesSent(emptied(parcel))),
            _ => {}
        }
        assert!(self.answers.len() <= 16, "a machine says more than is answered");
    }

    pub(super) fn answer(&mut self) -> Option<ToMachine> {
        self.answers.pop_front()
    }
}

fn emptied(mut parcel: Parcel) -> Parcel {
    parcel.clear();
    parcel
}

/// Everything that surrounds a machine.
struct Stage<'a> {
    machine: Machine,
    hands: Hands,
    reception: Reception,
    work: VecDeque<(u64, DiskWork)>,
    given: u64,
    sent: VecDeque<Parcel>,
    ring: Vec<u8>,
    rest: &'a [u8],
}

fn drive(machine: Machine, hands: Hands, mut steer: Steer, stream: &[u8]) {
    let mut steps = Steps::over("a machine", stream.len() + hands.source.len());
    let mut stage = Stage {
        machine,
        hands,
        reception: Reception::default(),
        work: VecDeque::new(),
        given: 0,
        sent: VecDeque::new(),
        ring: Vec::new(),
        rest: stream,
    };
    let stops = steer.once_in(16);
    let mut is_cut = false;
    let outcome = loop {
        steps.take();
        if let Some(outcome) = stage.drain() {
            break outcome;
        }
        let choice = steer.below(4);
        if (0..4).any(|turn| stage.act((choice + turn) % 4, &mut steer)) {
            continue;
        }
        assert!(!is_cut, "it neither goes on nor ends");
        is_cut = true;
        if stops {
            stage.machine.handle(ToMachine::Stop);
        } else {
            stage.machine.on_cut();
        }
    };
    assert!(!stage.machine.has_message() && stage.machine.poll_outcome().is_none(), "it goes on after {outcome:?}");
}

impl Stage<'_> {
    /// Takes what the machine has to say; its outcome comes last.
    fn drain(&mut self) -> Option<Outcome> {
        while let Some(work) = self.machine.poll_work(false) {
            self.work.push_back((self.given, work));
            self.given += 1;
        }
        assert!(self.work.len() <= 2 * limits::WORK_UNDER_WAY + 2, "{} pieces of work", self.work.len());
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::Bytes(bytes) => assert!(bytes.len() <= limits::PARCEL, "{} bytes at once", bytes.len()),
                Output::Parcel(parcel) => self.sent.push_back(parcel),
            }
        }
        while let Some(message) = self.machine.poll_message() {
            self.reception.hear(message);
        }
        if self.machine.has_message() { None } else { self.machine.poll_outcome() }
    }

    /// Something happens around the machine; false if there was nothing of this kind.
    fn act(&mut self, kind: usize, steer: &mut Steer) -> bool {
        match kind {
            0 => self.receive(steer),
            1 => {
                let Some((nth, work)) = self.work.pop_front() else { return false };
                let done = self.hands.done(work, steer);
                self.machine.handle_done(nth, done);
                true
            }
            2 => {
                let Some(answer) = self.reception.answer() else { return false };
                self.machine.handle(answer);
                true
            }
            _ => {
                let Some(parcel) = self.sent.pop_front() else { return false };
                self.machine.on_sent(parcel);
                true
            }
        }
    }

    fn receive(&mut self, steer: &mut Steer) -> bool {
        let given = steer.segment().min(self.rest.len()).min(RING - self.ring.len());
        let (segment, rest) = self.rest.split_at(given);
        self.ring.extend_from_slice(segment);
        self.rest = rest;
        let taken = self.machine.on_plain(&self.ring);
        assert!(taken <= self.ring.len());
        self.ring.drain(..taken);
        given + taken > 0
    }
}
