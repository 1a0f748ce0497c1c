//! A copy in memory: the blocks of one job become the stream of another.

use super::*;
use crate::bulk::cloner::Cloner;
use crate::bulk::machine::{FromMachine, Outcome, ToMachine};
use crate::bulk::work::{DiskDone, DiskWork, ReadForm};
use crate::ids::HandleId;
use crate::time::{Instant, Wall};

const ONE: Session = Session { id: 1, time: 10 };
const COPY: Session = Session { id: 3, time: 10 };
const READING: HandleId = HandleId(1);
const WRITING: HandleId = HandleId(2);

/// A volume with a job of these files between the blocks of another, and the section that selects all of it.
fn saved(files: &mut [File]) -> (Vec<u8>, Section) {
    let one = receive(ONE, 4096, &pack(files).concat(), || usize::MAX);
    let two = receive(Session { id: 2, time: 10 }, 4096, &pack(&mut sample()).concat(), || usize::MAX);
    let volume = volume(&one, &two);
    let last = volume.len() as u64;
    (volume, section(ONE, (0, last), (1, files.len() as u32)))
}

fn bootstrap(section: Section) -> Bootstrap {
    Bootstrap { sections: vec![section] }
}

fn many() -> Vec<File> {
    (0..40).flat_map(|_| sample()).collect()
}

#[test]
fn what_is_replicated_to_another_storage_daemon_is_the_stream_of_the_backup() {
    let mut files = many();
    let (volume, section) = saved(&mut files);
    let stream = select_in(ReadForm::Replicate, &volume, &bootstrap(section)).concat();
    assert!(stream.starts_with(&stream_of(&[b"1 1 0"])), "no label travels");
    assert!(stream.ends_with(&stream_of(&[b"", b""])));
    let copy = receive(COPY, 4096, &stream, || 1000);
    check_catalog(&copy, &files);
    let volume = super::volume(&copy, &Job::default());
    let section = super::section(COPY, (0, volume.len() as u64), (1, files.len() as u32));
    let back = select(&volume, &bootstrap(section)).concat();
    assert_eq!(unpack(&back, || 4096), files);
}

#[test]
fn nothing_to_replicate_is_one_end_of_data() {
    let (volume, section) = saved(&mut sample());
    let nothing = Section { session_ids: vec![(9, 9)], ..section };
    let stream = select_in(ReadForm::Replicate, &volume, &bootstrap(nothing)).concat();
    assert_eq!(stream, stream_of(&[b""]));
}

#[test]
fn a_copy_within_the_daemon_counts_files_from_one_without_a_gap() {
    let mut files = sample();
    let (volume, section) = saved(&mut files);
    let gaps = Section { file_indexes: vec![(2, 2), (4, 4)], count: Some(2), ..section };
    let copied = clone(&volume, &bootstrap(gaps), setup(COPY, 4096), &mut Disk::default()).unwrap();
    assert_eq!(copied.outcome, Outcome::Complete { files: 2, bytes: copied.bytes(), piece: copied.piece.clone() });
    check_catalog(&copied.job, &[files.remove(1), files.remove(2)]);
}

#[test]
fn a_copy_within_the_daemon_takes_over_the_names_of_the_label_read() {
    let (volume, section) = saved(&mut sample());
    let mut setup = setup(COPY, 4096);
    setup.start = SessionLabel {
        job_id: 4,
        pool: b"Copies".to_vec(),
        job_name: b"copy".to_vec(),
        job: b"copy.1".to_vec(),
        ..SessionLabel::default()
    };
    let copied = clone(&volume, &bootstrap(section), setup, &mut Disk::default()).unwrap();
    let mut at = 0;
    let mut reader = RecordReader::new();
    let first = reader.next(COPY, &copied.job.blocks[0], &mut at).unwrap();
    assert_eq!((first.session, first.file_index, first.stream), (COPY, SessionLabel::START, 4));
    let label = SessionLabel::decode_start(first.data).unwrap();
    let found = (label.job_id, &label.job[..], &label.pool[..], &label.job_name[..]);
    assert_eq!(found, (4, &b"J"[..], &b"Copies"[..], &b""[..]));
}

/// Two jobs of these files, one after the other on a volume, and the sections that select some of each.
fn one_after_the_other(one: &mut [File], two: &mut [File]) -> (Vec<u8>, [Section; 2]) {
    let second = Session { id: 2, time: 10 };
    let (first, later) = (pack(one).concat(), pack(two).concat());
    let first = receive(ONE, 4096, &first, || usize::MAX);
    let mut both = volume(&first, &Job::default());
    let middle = both.len() as u64;
    for block in receive(second, 4096, &later, || usize::MAX).blocks {
        both.extend(block);
    }
    let last = both.len() as u64;
    let sections =
        [section(ONE, (0, middle - 1), (2, one.len() as u32)), section(second, (middle, last), (1, two.len() as u32))];
    (both, sections)
}

#[test]
fn two_sessions_become_one_that_is_counted_from_one_and_keeps_the_names_of_its_job() {
    let (mut one, mut two) = (many(), sample());
    let (both, sections) = one_after_the_other(&mut one, &mut two);
    let bootstrap = Bootstrap { sections: sections.to_vec() };
    let mut setup = setup(COPY, 4096);
    setup.start = SessionLabel { job: b"all.1".to_vec(), level: u32::from(b'f'), ..SessionLabel::default() };
    let machine = |setup| Cloner::new(READING, setup, (Instant(0), Wall(0))).keeping_names();
    let copied = clone_with(machine(setup), &both, &bootstrap, &mut Disk::default()).unwrap();
    let files: Vec<File> = one.drain(1..).chain(two).collect();
    assert!(matches!(copied.outcome, Outcome::Complete { files: count, .. } if count as usize == files.len()));
    check_catalog(&copied.job, &files);
    let mut at = 0;
    let mut reader = RecordReader::new();
    let first = reader.next(COPY, &copied.job.blocks[0], &mut at).unwrap();
    let label = SessionLabel::decode_start(first.data).unwrap();
    assert_eq!((&label.job[..], label.level), (&b"all.1"[..], 0), "the level is that of the first session");
    let volume = volume(&copied.job, &Job::default());
    let section = section(COPY, (0, volume.len() as u64), (1, files.len() as u32));
    let back = select(&volume, &Bootstrap { sections: vec![section] }).concat();
    assert_eq!(unpack(&back, || 4096), files);
}

#[test]
fn what_another_storage_daemon_makes_one_job_of_is_counted_from_one_and_links_go_by_the_new_numbers() {
    let (mut one, mut two) = (many(), sample());
    let (both, sections) = one_after_the_other(&mut one, &mut two);
    let bootstrap = Bootstrap { sections: sections.to_vec() };
    let stream = select_in(ReadForm::Join, &both, &bootstrap).concat();
    assert!(stream.starts_with(&stream_of(&[b"1 1 0"])), "no label travels");
    let clone = select_in(ReadForm::Clone, &both, &bootstrap).concat();
    assert!(clone.ends_with(&stream), "after the label it is what is copied from device to device");
    let files: Vec<File> = one.drain(1..).chain(two).collect();
    let made = receive(COPY, 4096, &stream, || 1000);
    check_catalog(&made, &files);
    let volume = volume(&made, &Job::default());
    let whole = section(COPY, (0, volume.len() as u64), (1, files.len() as u32));
    let back = select(&volume, &Bootstrap { sections: vec![whole] }).concat();
    assert_eq!(unpack(&back, || 4096), files);
}

#[test]
fn sessions_in_pieces_between_each_other_become_no_good_one() {
    let (volume, one) = saved(&mut many());
    let two = Section { session_ids: vec![(2, 2)], file_indexes: vec![(1, 4)], count: Some(4), ..one.clone() };
    for (sections, is_good) in [(vec![one.clone()], true), (vec![one, two], false)] {
        let mut reader = RestoreReader::in_form(Selection::new(&Bootstrap { sections }, None), ReadForm::Clone);
        reader.begin_volume("V");
        let (mut at, mut parcel) = (0, Parcel::new());
        while (at as usize) < volume.len() {
            let header = BlockHeader::verify(&volume[at as usize..], true).unwrap();
            reader.take_block();
            reader.give_block(volume[at as usize..][..header.len as usize].to_vec(), at).unwrap();
            at += u64::from(header.len);
            while reader.fill(&mut parcel) == Filled::Full {
                parcel.clear();
            }
        }
        assert_eq!(reader.shortfall().is_none(), is_good);
    }
}

#[test]
fn a_copy_of_many_blocks_waits_for_its_volume_and_for_the_catalog() {
    let mut files = many();
    let (volume, section) = saved(&mut files);
    let mut disk = Disk { room: Some(3), ..Disk::default() };
    let copied = clone(&volume, &bootstrap(section), setup(COPY, 4096), &mut disk).unwrap();
    assert!(copied.job.blocks.len() > 6 && copied.volumes > 2, "{} volumes", copied.volumes);
    assert!(matches!(copied.outcome, Outcome::Complete { files: 160, .. }), "{:?}", copied.outcome);
    check_catalog(&copied.job, &files);
}

#[test]
fn a_copy_whose_volume_cannot_be_read_ends_without_its_label() {
    let (volume, section) = saved(&mut many());
    let mut disk = Disk { reads: Some(0), ..Disk::default() };
    let copied = clone(&volume, &bootstrap(section), setup(COPY, 4096), &mut disk).unwrap();
    assert!(matches!(copied.outcome, Outcome::Disk(_)), "{:?}", copied.outcome);
}

#[test]
fn a_copy_of_records_that_are_not_whole_is_no_good_one_but_a_restore_gives_what_there_is() {
    let contents: Vec<u8> = (0..20_000).map(|i| (i % 251) as u8).collect();
    let (volume, section) = saved(&mut [File { name: b"/a".to_vec(), contents, ..File::default() }]);
    let bootstrap = bootstrap(section);
    for (form, is_good) in [(ReadForm::Restore, true), (ReadForm::Replicate, false), (ReadForm::Clone, false)] {
        let mut reader = RestoreReader::in_form(Selection::new(&bootstrap, None), form);
        reader.begin_volume("V");
        let (mut at, mut skipped, mut parcel) = (0, false, Parcel::new());
        while (at as usize) < volume.len() {
            let header = BlockHeader::verify(&volume[at as usize..], true).unwrap();
            let block = volume[at as usize..][..header.len as usize].to_vec();
            // The second block of the job is gone.
            if header.session == ONE && header.number == 1 && !std::mem::replace(&mut skipped, true) {
                at += u64::from(header.len);
                continue;
            }
            reader.take_block();
            reader.give_block(block, at).unwrap();
            at += u64::from(header.len);
            assert_eq!(reader.fill(&mut parcel), Filled::NeedBlock);
        }
        assert!(skipped);
        assert_eq!(reader.shortfall().is_none(), is_good, "{form:?}");
    }
}

/// What a cloning machine made.
struct Copied {
    job: Job,
    outcome: Outcome,
    piece: Option<crate::bulk::machine::Piece>,
    volumes: usize,
}

impl Copied {
    fn bytes(&self) -> u64 {
        match self.outcome {
            Outcome::Complete { bytes, .. } => bytes,
            _ => 0,
        }
    }
}

/// How the disk behaves.
#[derive(Default)]
struct Disk {
    /// Blocks that fit on a volume.
    room: Option<usize>,
    /// Parcels that can be read before it fails.
    reads: Option<usize>,
}

/// Drives the machine as a connection does, until it ends.
fn clone(volume: &[u8], bootstrap: &Bootstrap, setup: ReceiverSetup, disk: &mut Disk) -> Option<Copied> {
    clone_with(Cloner::new(READING, setup, (Instant(0), Wall(0))), volume, bootstrap, disk)
}

fn clone_with(mut machine: Cloner, volume: &[u8], bootstrap: &Bootstrap, disk: &mut Disk) -> Option<Copied> {
    let mut parcels = select_in(ReadForm::Clone, volume, bootstrap).into_iter().peekable();
    let (mut job, mut on_volume, mut volumes, mut nth) = (Job::default(), 0, 0, 0);
    loop {
        while let Some(work) = machine.poll_work(false) {
            let done = match work {
                DiskWork::Fill { handle, mut parcel } => {
                    assert_eq!(handle, READING);
                    parcel.bytes = parcels.next().unwrap_or_default();
                    let error = || crate::bulk::work::DiskError::Missing("V".to_owned());
                    match &mut disk.reads {
                        Some(0) => DiskDone::Failed { error: error(), buffer: Vec::new() },
                        _ => DiskDone::Filled { parcel, last: parcels.peek().is_none(), remarks: Vec::new() },
                    }
                }
                DiskWork::Append { handle, block } => {
                    assert_eq!(handle, WRITING);
                    if disk.room.is_some_and(|room| on_volume >= room) {
                        DiskDone::VolumeFull { block, disk_full: false }
                    } else {
                        on_volume += 1;
                        let mut sealed = block.clone();
                        seal(&mut sealed);
                        job.blocks.push(sealed);
                        DiskDone::Appended { block, start: job.blocks.len() as u64 * 4096, spent: 0 }
                    }
                }
                other => panic!("{other:?}"),
            };
            machine.handle_done(nth, done);
            nth += 1;
        }
        let mut moved = false;
        while let Some(message) = machine.poll_message() {
            moved = true;
            match message {
                FromMachine::NeedVolume | FromMachine::VolumeFull { .. } => {
                    (on_volume, volumes) = (0, volumes + 1);
                    machine.handle(ToMachine::Volume(WRITING));
                }
                FromMachine::Attributes(parcel) => {
                    job.catalog.push((job.blocks.len() as u32 - 1, parcel.bytes.clone()));
                    machine.handle(ToMachine::AttributesSent(parcel));
                }
                _ => {}
            }
        }
        if let Some(outcome) = machine.poll_outcome() {
            let piece = match &outcome {
                Outcome::Complete { piece, .. } => piece.clone(),
                _ => None,
            };
            return Some(Copied { job, outcome, piece, volumes });
        }
        if !moved {
            return None;
        }
    }
}
