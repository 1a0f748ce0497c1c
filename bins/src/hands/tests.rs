use std::collections::BTreeMap;
use std::fs;
use std::sync::mpsc::{Receiver, Sender, channel};

use towline_core::bulk::known::Changes;
use towline_core::bulk::parcel::Parcel;
use towline_core::bulk::work::{Expect, Permits, ReadForm, RestoreOrder};
use towline_core::catalog::CatalogAnswer;
use towline_core::wire::block::Session;
use towline_core::wire::bsr::Bootstrap;
use towline_core::wire::fileset::FileSet;
use towline_core::wire::label::VolumeLabel;

use super::*;

const HANDLE: HandleId = HandleId(7);

fn workers() -> Workers {
    Workers::new(Box::new(|_| {}))
}

/// Submits, and waits for the one reply. A second one would fail to be sent and panic.
fn ask(workers: &Workers, work: DiskWork) -> WorkDone {
    let (to, from) = sync_channel(1);
    workers.submit(Work::Disk(work), Box::new(move |done| to.try_send(done).unwrap()));
    from.recv().unwrap()
}

fn later(workers: &Workers, work: DiskWork) -> Receiver<WorkDone> {
    let (to, from) = channel();
    workers.submit(Work::Disk(work), Box::new(move |done| to.send(done).unwrap()));
    from
}

fn fill(handle: HandleId) -> DiskWork {
    DiskWork::Fill { handle, parcel: Parcel::new() }
}

fn open_backup(folder: &std::path::Path) -> DiskWork {
    let file = format!("F {}", folder.display());
    let lines = [&b"I"[..], b"O x", b"N", file.as_bytes(), b"N"];
    let fileset = FileSet::parse(lines).unwrap();
    DiskWork::OpenBackup {
        handle: HANDLE,
        fileset: Arc::new(fileset),
        changes: Changes::default(),
        unsaved: None,
        permits: Permits::default(),
    }
}

#[test]
fn a_tree_is_read_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a"), b"hello").unwrap();
    let workers = workers();
    assert!(matches!(ask(&workers, open_backup(folder.path())), WorkDone::Disk(DiskDone::Opened)));
    let WorkDone::Disk(DiskDone::Filled { parcel, last, remarks }) = ask(&workers, fill(HANDLE)) else { panic!() };
    assert!(last && remarks.is_empty() && parcel.frames > 0);
    let WorkDone::Disk(DiskDone::Closed(tally)) = ask(&workers, DiskWork::Close { handle: HANDLE }) else { panic!() };
    assert_eq!((tally.files, tally.read_bytes, tally.complete), (2, 5, true));
}

#[test]
fn a_volume_takes_blocks_and_a_restore_refuses_noise() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().display().to_string();
    let workers = workers();
    let label = VolumeLabel { volume: "v1".into(), ..VolumeLabel::default() };
    let mount = DiskWork::Mount {
        handle: HANDLE,
        folder: text.clone(),
        label,
        expect: Expect::New,
        limit: 0,
        session: Session { id: 1, time: 2 },
    };
    let WorkDone::Disk(DiskDone::Mounted { bytes, labelled: true, .. }) = ask(&workers, mount) else { panic!() };
    let append = DiskWork::Append { handle: HANDLE, block: vec![0; 64] };
    let WorkDone::Disk(DiskDone::Appended { start, block, .. }) = ask(&workers, append) else { panic!() };
    assert_eq!((start, block.len()), (bytes, 64));
    assert!(matches!(ask(&workers, DiskWork::Sync { handle: HANDLE }), WorkDone::Disk(DiskDone::Synced { .. })));
    assert!(matches!(ask(&workers, fill(HANDLE)), WorkDone::Disk(DiskDone::Failed { .. })));
    assert!(matches!(ask(&workers, DiskWork::Close { handle: HANDLE }), WorkDone::Disk(DiskDone::Closed(_))));

    let order = RestoreOrder {
        to: text.into_bytes(),
        replace: b'a',
        prefix_links: false,
        relocations: Vec::new(),
        permits: Permits::default(),
    };
    let open = DiskWork::OpenRestore { handle: HANDLE, order };
    assert!(matches!(ask(&workers, open), WorkDone::Disk(DiskDone::Opened)));
    let parcel = Parcel { bytes: b"\0\0\0\x05noise".to_vec(), ..Parcel::default() };
    let done = ask(&workers, DiskWork::Apply { handle: HANDLE, parcel });
    assert!(matches!(&done, WorkDone::Disk(DiskDone::Failed { error: DiskError::BadStream(_), .. })), "{done:?}");
    let WorkDone::Disk(DiskDone::Closed(tally)) = ask(&workers, DiskWork::Close { handle: HANDLE }) else { panic!() };
    assert!(!tally.complete);
}

#[test]
fn a_handle_that_could_not_be_opened_is_free_again() {
    let folder = tempfile::tempdir().unwrap();
    let workers = workers();
    for _ in 0..2 {
        let bootstrap = Arc::new(Bootstrap::parse(b"Volume=\"none\"\n").unwrap());
        let folder = folder.path().display().to_string();
        let open = DiskWork::OpenRead {
            handle: HANDLE,
            folder,
            elsewhere: BTreeMap::new(),
            bootstrap,
            form: ReadForm::Restore,
        };
        let done = ask(&workers, open);
        assert!(matches!(done, WorkDone::Disk(DiskDone::Failed { error: DiskError::Missing(_), .. })));
    }
}

#[test]
fn an_unknown_handle_gives_the_buffer_back() {
    let workers = workers();
    let done = ask(&workers, DiskWork::Append { handle: HANDLE, block: vec![9; 3] });
    assert!(matches!(&done, WorkDone::Disk(DiskDone::Failed { buffer, .. }) if *buffer == [9; 3]), "{done:?}");
    assert!(matches!(ask(&workers, DiskWork::Close { handle: HANDLE }), WorkDone::Disk(DiskDone::Closed(_))));
}

/// Says when it works, then waits for a permit. A permit `false` makes it panic.
struct Gate {
    entered: Sender<()>,
    permit: Receiver<bool>,
}

impl Open for Gate {
    fn work(&mut self, _: DiskWork) -> DiskDone {
        self.entered.send(()).unwrap();
        assert!(self.permit.recv().unwrap(), "as asked");
        DiskDone::Synced { spent: 0 }
    }

    fn close(self: Box<Self>) -> Tally {
        Tally { files: 42, ..Tally::default() }
    }
}

fn gated(workers: &Workers) -> (Receiver<()>, Sender<bool>) {
    let (entered, seen) = channel();
    let (permit, gate) = channel();
    let (to, from) = channel();
    let open = move || Ok((Box::new(Gate { entered, permit: gate }) as Box<dyn Open>, DiskDone::Opened));
    workers.open(HANDLE, None, open, Box::new(move |done| to.send(done).unwrap()));
    assert!(matches!(from.recv().unwrap(), WorkDone::Disk(DiskDone::Opened)));
    (seen, permit)
}

#[test]
fn a_full_queue_refuses_and_a_close_still_waits_for_what_is_in_it() {
    let workers = workers();
    let (entered, permit) = gated(&workers);
    let mut waiting = vec![later(&workers, DiskWork::Sync { handle: HANDLE })];
    entered.recv().unwrap();
    waiting.extend((0..QUEUE).map(|_| later(&workers, DiskWork::Sync { handle: HANDLE })));
    assert!(matches!(ask(&workers, DiskWork::Sync { handle: HANDLE }), WorkDone::Refused));
    let closed = later(&workers, DiskWork::Close { handle: HANDLE });
    assert!(closed.try_recv().is_err(), "what was queued before comes first");
    (0..waiting.len()).for_each(|_| permit.send(true).unwrap());
    for reply in waiting {
        assert!(matches!(reply.recv().unwrap(), WorkDone::Disk(DiskDone::Synced { .. })));
    }
    let WorkDone::Disk(DiskDone::Closed(tally)) = closed.recv().unwrap() else { panic!() };
    assert_eq!(tally.files, 42);
}

#[test]
fn a_panic_answers_this_piece_and_all_behind_it() {
    let workers = workers();
    let (entered, permit) = gated(&workers);
    let first = later(&workers, DiskWork::Sync { handle: HANDLE });
    entered.recv().unwrap();
    let second = later(&workers, DiskWork::Sync { handle: HANDLE });
    permit.send(false).unwrap();
    for reply in [first, second] {
        assert!(matches!(reply.recv().unwrap(), WorkDone::Disk(DiskDone::Failed { .. })));
    }
    assert!(matches!(ask(&workers, DiskWork::Close { handle: HANDLE }), WorkDone::Disk(DiskDone::Closed(_))));
}

#[test]
fn a_handle_cannot_be_opened_twice() {
    let folder = tempfile::tempdir().unwrap();
    let workers = workers();
    let (_entered, _permit) = gated(&workers);
    assert!(matches!(ask(&workers, open_backup(folder.path())), WorkDone::Disk(DiskDone::Failed { .. })));
    let WorkDone::Disk(DiskDone::Closed(tally)) = ask(&workers, DiskWork::Close { handle: HANDLE }) else { panic!() };
    assert_eq!(tally.files, 42, "the first one is still there");
}

#[test]
fn without_a_catalog_its_requests_are_refused_and_with_one_they_are_passed_on() {
    let request = || Work::Catalog("MyCatalog".into(), CatalogRequest::ListClients);
    let submit = |workers: &Workers| {
        let (to, from) = channel();
        workers.submit(request(), Box::new(move |done| to.send(done).unwrap()));
        from.recv().unwrap()
    };
    assert!(matches!(submit(&workers()), WorkDone::Refused));
    let with = workers().with_catalog(Box::new(|_, _, reply| reply(WorkDone::Catalog(Ok(CatalogAnswer::Done)))));
    assert!(matches!(submit(&with), WorkDone::Catalog(Ok(CatalogAnswer::Done))));
}
