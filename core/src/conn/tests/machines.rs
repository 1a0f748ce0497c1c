//! The machines at work on a connection, with workers and nodes that do what they are told.

use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::bulk::archiver::Archiver;
use crate::bulk::machine::{FromMachine, Machine, Outcome, Piece, ToMachine};
use crate::bulk::parcel::Parcel;
use crate::bulk::receive::ReceiverSetup;
use crate::bulk::restorer::Restorer;
use crate::bulk::sender::Sender;
use crate::bulk::work::{DiskError, Remark};
use crate::conn::Stage;
use crate::ids::HandleId;
use crate::limits;
use crate::wire::block::{BlockHeader, Session};
use crate::wire::label::SessionLabel;
use crate::wire::record::RecordReader;

const SESSION: Session = Session { id: 3, time: 1_795_438_893 };
const BLOCK: usize = 4096;

type Shared<T> = Rc<RefCell<T>>;

fn job(engine: Engine) -> Setup {
    setup_for(engine, Purpose::StartJob { job: "job.1".to_owned() }, "secret", "secret")
}

/// The stream of a backup of so many files of so many bytes, without its end.
fn backup(files: usize, size: usize) -> Vec<u8> {
    let mut stream = Vec::new();
    for n in 1..=files {
        put_data(&mut stream, format!("{n} 1 0").as_bytes());
        put_data(&mut stream, format!("{n} 3 /file{n}\0P0A\0\0\0").as_bytes());
        put_signal(&mut stream, Signal::Eod);
        put_data(&mut stream, format!("{n} 2 0").as_bytes());
        put_data(&mut stream, &vec![n as u8; size]);
        put_signal(&mut stream, Signal::Eod);
    }
    stream
}

/// The stream of a restore of so many records, without its end.
fn restore(records: usize, size: usize) -> Vec<u8> {
    let mut stream = Vec::new();
    for n in 1..=records {
        put_data(&mut stream, format!("rechdr 3 1795438893 {n} 2 {size}").as_bytes());
        put_data(&mut stream, &vec![n as u8; size]);
    }
    stream
}

fn ended(mut stream: Vec<u8>) -> Vec<u8> {
    put_signal(&mut stream, Signal::Eod);
    stream
}

/// A worker that fills parcels with a stream, so many bytes each.
fn filler(stream: Vec<u8>, each: usize) -> Worker {
    let mut at = 0;
    Box::new(move |work| {
        let DiskWork::Fill { handle: HandleId(5), mut parcel } = work else { panic!("{work:?}") };
        parcel.clear();
        let end = (at + each).min(stream.len());
        parcel.bytes.extend_from_slice(&stream[at..end]);
        at = end;
        DiskDone::Filled { parcel, last: at == stream.len(), remarks: Vec::new() }
    })
}

/// A worker that keeps what it is to apply.
fn applier(applied: &Shared<Vec<u8>>) -> Worker {
    let applied = Rc::clone(applied);
    Box::new(move |work| {
        let DiskWork::Apply { handle: HandleId(6), parcel } = work else { panic!("{work:?}") };
        assert!(!parcel.is_empty() && parcel.bytes.len() <= limits::PARCEL);
        applied.borrow_mut().extend_from_slice(&parcel.bytes);
        DiskDone::Applied { parcel, remarks: Vec::new() }
    })
}

/// Volumes of at most so many bytes, by handle.
#[derive(Default)]
struct Volumes {
    limit: usize,
    volumes: Vec<(HandleId, Vec<u8>, bool)>,
}

fn writer(volumes: &Shared<Volumes>) -> Worker {
    let volumes = Rc::clone(volumes);
    Box::new(move |work| {
        let DiskWork::Append { handle, block } = work else { panic!("{work:?}") };
        let mut volumes = volumes.borrow_mut();
        let limit = volumes.limit;
        if !volumes.volumes.iter().any(|(known, ..)| *known == handle) {
            volumes.volumes.push((handle, Vec::new(), false));
        }
        let (_, bytes, is_full) = volumes.volumes.iter_mut().find(|(known, ..)| *known == handle).unwrap();
        *is_full |= bytes.len() + block.len() > limit;
        if *is_full {
            return DiskDone::VolumeFull { block, disk_full: false };
        }
        let start = bytes.len() as u64;
        bytes.extend_from_slice(&block);
        DiskDone::Appended { block, start, spent: 1 }
    })
}

fn archiver() -> ToConn {
    let start = SessionLabel { job_id: 7, job: b"job.1".to_vec(), ..SessionLabel::default() };
    let catalog_prefix = b"UpdCat Job=job.1 FileAttributes ".to_vec();
    let setup = ReceiverSetup { session: SESSION, block_size: BLOCK, start, catalog_prefix, is_rerun: false };
    ToConn::Carry(Box::new(Machine::Archive(Box::new(Archiver::new(setup, (Instant(0), WALL))))))
}

fn sender(parcels: usize) -> ToConn {
    ToConn::Carry(Box::new(Machine::Send(Sender::new(HandleId(5), parcels))))
}

fn restorer() -> ToConn {
    ToConn::Carry(Box::new(Machine::Restore(Restorer::new(HandleId(6)))))
}

/// What the storage daemon's node makes of the machine's messages.
#[derive(Default)]
struct Node {
    seen: usize,
    mounted: u64,
    pieces: Vec<Piece>,
    first_blocks: usize,
    attributes: Vec<u8>,
    kept: Vec<Parcel>,
    acknowledges: bool,
    outcome: Option<Outcome>,
}

impl Node {
    fn acknowledging() -> Self {
        Self { acknowledges: true, ..Self::default() }
    }

    /// Drives the pair and answers the machine until nothing moves.
    fn serve(&mut self, pair: &mut Pair) {
        loop {
            pair.drive();
            let mut orders = Vec::new();
            for message in &mut pair.acceptor.heard[self.seen..] {
                match message {
                    FromConn::Machine(FromMachine::NeedVolume) => orders.push(self.mount()),
                    FromConn::Machine(FromMachine::VolumeFull { piece, .. }) => {
                        self.pieces.extend(piece.take());
                        orders.push(self.mount());
                    }
                    FromConn::Machine(FromMachine::Piece(piece)) => self.pieces.push(piece.clone()),
                    FromConn::Machine(FromMachine::FirstBlock) => self.first_blocks += 1,
                    FromConn::Machine(FromMachine::Attributes(parcel)) => {
                        self.attributes.extend_from_slice(&parcel.bytes);
                        self.kept.push(std::mem::take(parcel));
                    }
                    FromConn::Carried(Outcome::Complete { piece, .. }) => self.pieces.extend(piece.take()),
                    FromConn::Carried(outcome) => self.outcome = Some(outcome.clone()),
                    _ => {}
                }
            }
            self.seen = pair.acceptor.heard.len();
            if self.acknowledges {
                orders.extend(self.kept.drain(..).map(ToMachine::AttributesSent));
            }
            if orders.is_empty() {
                return;
            }
            for order in orders {
                pair.tell_acceptor(ToConn::Machine(order));
            }
        }
    }

    fn mount(&mut self) -> ToMachine {
        self.mounted += 1;
        ToMachine::Volume(HandleId(self.mounted))
    }
}

fn outcomes(end: &End) -> Vec<Outcome> {
    let outcome = |message: &FromConn| match message {
        FromConn::Carried(outcome) => Some(outcome.clone()),
        _ => None,
    };
    end.heard.iter().filter_map(outcome).collect()
}

/// Every record with a FileIndex above 0 on the volumes, as `(FileIndex, Stream, length)`; checks the order of the blocks.
fn records(volumes: &Volumes) -> Vec<(i32, i32, usize)> {
    let (mut reader, mut found, mut number) = (RecordReader::new(), Vec::new(), 0);
    for (_, bytes, _) in &volumes.volumes {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let header = BlockHeader::decode(rest).unwrap();
            assert_eq!(header.number, number, "blocks stay in order");
            number += 1;
            let (block, after) = rest.split_at(header.len as usize);
            let mut at = 0;
            while let Some(record) = reader.next(SESSION, block, &mut at) {
                if record.file_index > 0 {
                    found.push((record.file_index, record.stream, record.data.len()));
                }
            }
            rest = after;
        }
    }
    found
}

fn archive(engine: Engine, split: usize, limit: usize, stream: Vec<u8>, each: usize) -> (Pair, Node, Shared<Volumes>) {
    let mut pair = Pair::ready(Setup { split, ..job(engine) });
    let volumes = Rc::new(RefCell::new(Volumes { limit, ..Volumes::default() }));
    pair.acceptor.worker = Some(writer(&volumes));
    pair.dialler.worker = Some(filler(stream, each));
    pair.tell_acceptor(archiver());
    pair.tell_dialler(sender(3));
    (pair, Node::acknowledging(), volumes)
}

#[test]
fn a_backup_comes_onto_volumes_and_into_the_catalog() {
    for &engine in ENGINES {
        for (split, each) in [(usize::MAX, limits::PARCEL), (1000, 777)] {
            let (files, size) = (50, 5000);
            let (mut pair, mut node, volumes) = archive(engine, split, usize::MAX, ended(backup(files, size)), each);
            node.serve(&mut pair);
            assert_eq!(outcomes(&pair.dialler), [Outcome::Complete { files: 0, bytes: 0, piece: None }]);
            let [Outcome::Complete { files: 50, bytes, .. }] = outcomes(&pair.acceptor)[..] else {
                panic!("{engine:?}: {:?}", outcomes(&pair.acceptor))
            };
            let found = records(&volumes.borrow());
            assert_eq!(found.len(), 2 * files);
            assert_eq!(found.iter().map(|(_, _, len)| *len as u64).sum::<u64>(), bytes);
            assert_eq!(node.attributes.windows(7).filter(|w| *w == b"UpdCat ").count(), files);
            let [piece] = &node.pieces[..] else { panic!("{:?}", node.pieces) };
            let on_volume = volumes.borrow().volumes[0].1.len() as u64;
            assert_eq!((piece.first_index, piece.last_index), (1, 50));
            assert_eq!((piece.start, piece.end, piece.bytes), (0, on_volume - 1, on_volume));
            assert_eq!((u64::from(piece.blocks), node.first_blocks, node.mounted), (piece.spent, 1, 1));
        }
    }
}

#[test]
fn after_a_machine_the_connection_speaks_text_again() {
    let (mut pair, mut node, _) = archive(Engine::Clear, 1000, usize::MAX, ended(backup(3, 100)), limits::PARCEL);
    node.serve(&mut pair);
    pair.tell_dialler(text("append end session 1\n"));
    pair.tell_acceptor(text("3000 OK end\n"));
    pair.drive();
    assert_eq!(pair.acceptor.texts(), ["append end session 1\n"]);
    assert_eq!(pair.dialler.texts(), ["3000 OK end\n"]);
}

#[test]
fn a_full_volume_moves_the_same_blocks_to_the_next_in_order() {
    for limit in [BLOCK, 3 * BLOCK + 1, 10 * BLOCK] {
        let (mut pair, mut node, volumes) =
            archive(Engine::Clear, 5000, limit, ended(backup(20, 5000)), limits::PARCEL);
        node.serve(&mut pair);
        assert!(matches!(outcomes(&pair.acceptor)[..], [Outcome::Complete { files: 20, .. }]), "{limit}");
        let volumes = volumes.borrow();
        assert_eq!(records(&volumes).len(), 40);
        assert_eq!(volumes.volumes.len() as u64, node.mounted);
        assert_eq!(node.first_blocks as u64, node.mounted);
        // What the pieces say is what the volumes hold.
        let sizes: Vec<u64> = volumes.volumes.iter().map(|(_, bytes, _)| bytes.len() as u64).collect();
        assert!(sizes.len() > 1 && sizes.iter().all(|&size| size > 0));
        assert_eq!(node.pieces.iter().map(|piece| piece.bytes).collect::<Vec<_>>(), sizes);
        assert!(node.pieces.iter().zip(&sizes).all(|(piece, size)| piece.end == size - 1));
    }
}

#[test]
fn an_empty_backup_needs_no_volume() {
    let (mut pair, mut node, volumes) = archive(Engine::Clear, usize::MAX, usize::MAX, ended(Vec::new()), 100);
    node.serve(&mut pair);
    assert_eq!(outcomes(&pair.acceptor), [Outcome::Complete { files: 0, bytes: 0, piece: None }]);
    assert_eq!((node.mounted, volumes.borrow().volumes.len()), (0, 0));
}

#[test]
fn attributes_wait_for_their_block() {
    let (mut pair, mut node, _) = archive(Engine::Clear, usize::MAX, usize::MAX, ended(backup(3, 100)), limits::PARCEL);
    pair.acceptor.allowed = 0;
    node.serve(&mut pair);
    assert_eq!((node.mounted, node.attributes.len()), (1, 0));
    assert!(outcomes(&pair.acceptor).is_empty());
    pair.acceptor.allowed = usize::MAX;
    node.serve(&mut pair);
    assert_eq!(node.attributes.windows(7).filter(|w| *w == b"UpdCat ").count(), 3);
    assert_eq!(outcomes(&pair.acceptor).len(), 1);
}

#[test]
fn four_parcels_of_attributes_may_be_unacknowledged_and_no_fifth() {
    let mut stream = Vec::new();
    for n in 1..=100 {
        put_data(&mut stream, format!("{n} 1 0").as_bytes());
        put_data(&mut stream, &vec![b'a'; 60_000]);
        put_signal(&mut stream, Signal::Eod);
    }
    let (mut pair, _, _) = archive(Engine::Clear, usize::MAX, usize::MAX, ended(stream), limits::PARCEL);
    let mut node = Node::default();
    node.serve(&mut pair);
    assert_eq!(node.kept.len(), limits::ATTRIBUTES_UNDER_WAY);
    assert!(outcomes(&pair.acceptor).is_empty() && outcomes(&pair.dialler).is_empty(), "input has stopped");
    node.acknowledges = true;
    node.serve(&mut pair);
    assert!(matches!(outcomes(&pair.acceptor)[..], [Outcome::Complete { files: 100, .. }]));
    assert_eq!(node.attributes.windows(7).filter(|w| *w == b"UpdCat ").count(), 100);
}

#[test]
fn without_a_volume_the_sender_is_held_back() {
    let (mut pair, _, _) = archive(Engine::Clear, usize::MAX, usize::MAX, ended(backup(100, 200_000)), limits::PARCEL);
    pair.drive();
    assert!(!pair.acceptor.conn.wants().read, "the buffers are full");
    assert!(outcomes(&pair.dialler).is_empty());
    Node::acknowledging().serve(&mut pair);
    assert!(matches!(outcomes(&pair.acceptor)[..], [Outcome::Complete { files: 100, .. }]));
}

#[test]
fn a_backup_that_is_cut_reports_what_is_on_the_volume() {
    let (mut pair, mut node, volumes) = archive(Engine::Clear, 5000, usize::MAX, backup(20, 5000), limits::PARCEL);
    node.serve(&mut pair);
    pair.cut();
    node.serve(&mut pair);
    assert_eq!(node.outcome, Some(Outcome::Cut));
    let on_volume: u64 = volumes.borrow().volumes[0].1.len() as u64;
    assert_eq!(node.pieces.iter().map(|piece| piece.bytes).sum::<u64>(), on_volume);
    assert!(matches!(pair.acceptor.closed(), Some(CloseReason::Io(IoKind::Reset, _))));
}

#[test]
fn data_that_end_in_the_middle_of_a_frame_are_told_from_data_that_end_after_one() {
    let half = b"\0\0\0\x09ha";
    for is_cut in [false, true] {
        let expected = if is_cut { CloseReason::CutFrame(Stage::Ready) } else { CloseReason::ByPeer };
        let with_half = |stream: Vec<u8>| if is_cut { [&stream[..], half].concat() } else { stream };
        let stream = with_half(backup(2, 5000));
        let (mut pair, mut node, _volumes) = archive(Engine::Clear, 700, usize::MAX, stream, limits::PARCEL);
        node.serve(&mut pair);
        pair.to_acceptor.closed = true;
        node.serve(&mut pair);
        assert_eq!(node.outcome, Some(Outcome::Cut));
        assert_eq!(pair.acceptor.closed(), Some(&expected), "an archive");

        let (mut pair, _applied) = restoring(Engine::Clear, 700, with_half(restore(2, 5000)));
        pair.tell_dialler(restorer());
        pair.tell_acceptor(sender(3));
        pair.drive();
        pair.to_dialler.closed = true;
        pair.drive();
        assert_eq!(pair.dialler.closed(), Some(&expected), "a restore");

        let (mut pair, _applied) = restoring(Engine::Clear, 700, restore(2, 5000));
        pair.acceptor.worker = None;
        pair.tell_acceptor(sender(3));
        pair.drive();
        pair.to_acceptor.bytes.extend(with_half(Vec::new()));
        pair.to_acceptor.closed = true;
        pair.drive();
        assert_eq!(pair.acceptor.closed(), Some(&expected), "a sender");
    }
}

#[test]
fn a_bad_stream_a_bad_disk_and_a_stop_end_an_archive_once() {
    let mut bad = backup(1, 10);
    put_data(&mut bad, b"9 1 0");
    let (mut pair, mut node, _) = archive(Engine::Clear, usize::MAX, usize::MAX, ended(bad), 100);
    node.serve(&mut pair);
    assert!(
        matches!(&node.outcome, Some(Outcome::BadStream(text)) if text.contains("FileIndex=9")),
        "{:?}",
        node.outcome
    );
    assert!(pair.acceptor.texts().is_empty(), "the rest of a bad stream is no text");

    let (mut pair, mut node, _) = archive(Engine::Clear, usize::MAX, usize::MAX, ended(backup(9, 5000)), 9000);
    let error = DiskError::Full("/vol".to_owned());
    let failure = error.clone();
    pair.acceptor.worker = Some(Box::new(move |_| DiskDone::Failed { error: failure.clone(), buffer: Vec::new() }));
    node.serve(&mut pair);
    assert_eq!(outcomes(&pair.acceptor), [Outcome::Disk(error)]);

    let (mut pair, mut node, _) = archive(Engine::Clear, usize::MAX, usize::MAX, backup(9, 5000), 9000);
    node.serve(&mut pair);
    pair.tell_acceptor(ToConn::Machine(ToMachine::Stop));
    node.serve(&mut pair);
    assert_eq!(outcomes(&pair.acceptor), [Outcome::Stopped]);
}

fn restoring(engine: Engine, split: usize, stream: Vec<u8>) -> (Pair, Shared<Vec<u8>>) {
    // The file daemon dials; the storage daemon sends.
    let mut pair = Pair::ready(Setup { split, ..job(engine) });
    let applied = Shared::default();
    pair.dialler.worker = Some(applier(&applied));
    pair.acceptor.worker = Some(filler(stream, limits::PARCEL));
    (pair, applied)
}

#[test]
fn a_restore_reaches_the_worker_byte_for_byte_and_text_follows() {
    for &engine in ENGINES {
        for split in [999, usize::MAX] {
            let stream = ended(restore(40, 30_000));
            let (mut pair, applied) = restoring(engine, split, stream.clone());
            pair.tell_dialler(restorer());
            pair.tell_acceptor(text("3000 OK data\n"));
            pair.tell_acceptor(signal(Signal::Heartbeat));
            pair.tell_acceptor(sender(3));
            pair.drive();
            pair.tell_acceptor(text("3000 OK close Status = 82\n"));
            pair.drive();
            assert_eq!(outcomes(&pair.dialler), [Outcome::Complete { files: 0, bytes: 0, piece: None }], "{engine:?}");
            assert!(*applied.borrow() == stream, "{engine:?} {split}");
            assert_eq!(pair.dialler.texts(), ["3000 OK close Status = 82\n"]);
        }
    }
}

#[test]
fn a_machine_that_comes_after_its_stream_has_begun_misses_nothing() {
    let stream = ended(restore(2, 10));
    let (mut pair, applied) = restoring(Engine::Clear, 7, stream.clone());
    pair.dialler.takes = false;
    pair.tell_acceptor(text("3000 OK data\n"));
    pair.tell_acceptor(sender(1));
    pair.drive();
    assert_eq!(pair.dialler.texts(), ["3000 OK data\n"]);
    pair.dialler.takes = true;
    pair.tell_dialler(restorer());
    pair.tell_dialler(ToConn::Taken(1));
    pair.drive();
    assert!(*applied.borrow() == stream);
}

#[test]
fn a_worker_that_does_not_keep_up_holds_the_stream_back() {
    let stream = ended(restore(200, 50_000));
    let (mut pair, applied) = restoring(Engine::Clear, usize::MAX, stream.clone());
    pair.dialler.allowed = 0;
    pair.tell_dialler(restorer());
    pair.tell_acceptor(sender(3));
    pair.drive();
    assert_eq!(pair.dialler.work.len(), 2, "the third parcel is being filled");
    assert!(!pair.dialler.conn.wants().read && outcomes(&pair.acceptor).is_empty());
    pair.dialler.allowed = usize::MAX;
    pair.drive();
    assert!(*applied.borrow() == stream);
}

#[test]
fn a_restore_that_has_everything_outlives_its_connection() {
    let (mut pair, applied) = restoring(Engine::Clear, usize::MAX, ended(restore(4, 1000)));
    pair.dialler.allowed = 0;
    pair.tell_dialler(restorer());
    pair.tell_acceptor(sender(1));
    pair.drive();
    pair.tell_acceptor(ToConn::Close { farewell: false });
    pair.drive();
    assert!(pair.dialler.closed().is_none() && applied.borrow().is_empty());
    pair.dialler.allowed = usize::MAX;
    pair.drive();
    assert_eq!(outcomes(&pair.dialler), [Outcome::Complete { files: 0, bytes: 0, piece: None }]);
    assert_eq!(pair.dialler.closed(), Some(&CloseReason::ByPeer));
}

#[test]
fn a_restore_that_is_cut_says_so() {
    let (mut pair, _) = restoring(Engine::Clear, usize::MAX, restore(4, 1000));
    pair.tell_dialler(restorer());
    pair.tell_acceptor(sender(1));
    pair.drive();
    pair.cut();
    assert_eq!(outcomes(&pair.dialler), [Outcome::Cut]);
}

#[test]
fn an_error_line_where_a_record_should_be_is_passed_on() {
    let mut pair = Pair::ready(job(Engine::Clear));
    pair.tell_dialler(restorer());
    pair.tell_acceptor(text("3000 error\n"));
    pair.drive();
    assert_eq!(outcomes(&pair.dialler), [Outcome::PeerSpoke("3000 error".to_owned())]);
}

#[test]
fn a_peer_that_speaks_up_ends_a_sender_and_a_heartbeat_does_not() {
    let mut pair = Pair::ready(job(Engine::Clear));
    pair.tell_dialler(sender(1));
    pair.tell_acceptor(signal(Signal::Heartbeat));
    pair.drive();
    assert!(outcomes(&pair.dialler).is_empty());
    pair.tell_acceptor(text("3903 Error append data\n"));
    pair.tell_acceptor(text("and more"));
    pair.drive();
    assert_eq!(outcomes(&pair.dialler), [Outcome::PeerSpoke("3903 Error append data".to_owned())]);
    assert_eq!(pair.dialler.texts(), ["and more"]);
}

#[test]
fn three_fills_are_under_way_and_remarks_reach_the_node() {
    let mut pair = Pair::ready(job(Engine::Clear));
    pair.tell_dialler(sender(9));
    pair.drive();
    assert_eq!(pair.dialler.work.len(), limits::WORK_UNDER_WAY);
    pair.dialler.worker = Some(Box::new(|work| {
        let DiskWork::Fill { mut parcel, .. } = work else { panic!("{work:?}") };
        parcel.clear();
        let remarks = vec![Remark { kind: 8, text: "cannot read /x".to_owned() }];
        DiskDone::Filled { parcel, last: true, remarks }
    }));
    pair.drive();
    let heard = &pair.dialler.heard;
    assert_eq!(heard.len(), 4, "three remarks, then the outcome: {heard:?}");
    assert!(matches!(heard[3], FromConn::Carried(Outcome::Complete { .. })));
}

#[test]
fn a_peer_that_has_all_may_hang_up_before_idle_workers_answer() {
    for (each, outcome) in [(1000, Outcome::Complete { files: 0, bytes: 0, piece: None }), (100, Outcome::Cut)] {
        let mut pair = Pair::ready(job(Engine::Clear));
        pair.dialler.worker = Some(filler(vec![0; 1000], each));
        pair.dialler.allowed = 1;
        pair.tell_dialler(sender(3));
        pair.drive();
        assert!(pair.dialler.work.len() >= 2, "two fills are not answered");
        pair.cut();
        assert_eq!(outcomes(&pair.dialler), [outcome]);
    }
}

#[test]
fn a_peer_that_has_all_may_speak_before_idle_workers_answer() {
    let mut pair = Pair::ready(job(Engine::Clear));
    pair.dialler.worker = Some(filler(vec![0; 1000], 1000));
    pair.dialler.allowed = 1;
    pair.tell_dialler(sender(3));
    pair.drive();
    pair.tell_acceptor(text("read close session 1"));
    pair.drive();
    assert_eq!(outcomes(&pair.dialler), [Outcome::Complete { files: 0, bytes: 0, piece: None }]);
    assert_eq!(pair.dialler.texts(), ["read close session 1"]);
    pair.dialler.allowed = 2;
    pair.drive();
    assert_eq!(pair.dialler.heard.len(), 2, "late answers change nothing");
}

#[test]
fn workers_that_have_stopped_end_every_machine() {
    for machine in [sender(1), restorer()] {
        let mut pair = Pair::ready(job(Engine::Clear));
        pair.tell_dialler(machine);
        pair.tell_acceptor(ToConn::Send(restore(1, 10)));
        pair.drive();
        let (id, _) = pair.dialler.work.pop_front().unwrap();
        pair.dialler.conn.handle_done(id, WorkDone::Refused, pair.now);
        pair.drive();
        assert!(matches!(outcomes(&pair.dialler)[..], [Outcome::Disk(_) | Outcome::PeerSpoke(_)]));
    }
}

#[test]
fn a_close_takes_the_machine_along() {
    let mut pair = Pair::ready(job(Engine::Clear));
    pair.tell_dialler(sender(1));
    pair.tell_dialler(ToConn::Close { farewell: true });
    pair.drive();
    let heard = &pair.dialler.heard[..];
    assert!(matches!(heard, [FromConn::Carried(Outcome::Cut), FromConn::Closed(CloseReason::Done)]), "{heard:?}");
}
