//! Named pipes, from what writes into one to what reads from another.

use std::io::{Read as _, Write as _};
use std::thread;
use std::time::Duration;

use super::*;
use crate::disk::fifo::Patience;

fn pipe(at: &Path) {
    std::fs::create_dir_all(at.parent().unwrap()).unwrap();
    let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::from_raw_mode(0o640));
    rustix::fs::mknodat(rustix::fs::CWD, at, kind, mode, 0).unwrap();
}

fn means(milliseconds: u64) -> Means {
    Means { patience: Patience(Duration::from_millis(milliseconds)), ..Means::default() }
}

fn fileset(options: &str, top: &Path) -> FileSet {
    let lines = ["I".to_owned(), format!("O {options}"), "N".to_owned(), format!("F {}", top.display())];
    FileSet::parse(lines.iter().map(String::as_bytes)).unwrap()
}

fn backup(options: &str, top: &Path, since: Option<i64>, means: Means) -> (Vec<Object>, Counters, Vec<String>) {
    let changes = Changes { since, known: None };
    let mut source = BackupSource::with(&fileset(options, top), changes, None, means).unwrap();
    let (stream, _) = drain(&mut source);
    (objects(&stream), source.counters(), source.take_notices().iter().map(ToString::to_string).collect())
}

fn restored(objects: &[Object], to: &Path, replace: Replace, means: Means) -> (Tally, Vec<String>) {
    let (to, relocation) = (to.as_os_str().as_bytes().to_vec(), Relocations::default());
    let order = Order { to, replace, prefix_links: false, relocation };
    let mut target = RestoreTarget::with(order, means).unwrap();
    Unpacker::new().feed(&sent_back(objects), &mut target).unwrap();
    let tally = target.finish();
    (tally, target.take_notices().iter().map(ToString::to_string).collect())
}

/// What a pipe at this place has saved while somebody wrote these bytes into it.
fn saved(options: &str, at: &Path, bytes: &[u8], since: Option<i64>) -> Vec<Object> {
    thread::scope(|scope| {
        scope.spawn(|| std::fs::File::options().write(true).open(at).unwrap().write_all(bytes).unwrap());
        let (objects, counters, notices) = backup(options, at, since, means(60_000));
        assert_eq!((counters.files, counters.read_bytes, counters.errors), (1, bytes.len() as u64, 0), "{notices:?}");
        objects
    })
}

#[test]
fn what_is_written_into_a_pipe_is_saved_and_what_reads_from_one_gets_it_back() {
    let bytes = noise(700_001);
    for options in ["rM", "r", "rS2Z6", "rsM", "rsZf4", "rMH"] {
        let bench = Bench::new();
        let at = bench.from().join("pipe");
        pipe(&at);
        let objects = saved(options, &at, &bytes, None);
        assert_eq!(attributes(&objects[0]).0, FileType::Fifo, "{options}");
        let to = bench.dir.path().join("to");
        let there = to.join(at.strip_prefix("/").unwrap());
        // One that is there already; the restore makes another, with its mode, for the reader to find.
        if options == "r" {
            pipe(&there);
        }
        thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut all = Vec::new();
                let limit = std::time::Instant::now() + Duration::from_secs(30);
                let mut file = loop {
                    match std::fs::File::open(&there) {
                        Ok(file) => break file,
                        Err(_) if std::time::Instant::now() < limit => thread::yield_now(),
                        Err(error) => panic!("{error}"),
                    }
                };
                file.read_to_end(&mut all).unwrap();
                all
            });
            let (tally, notices) = restored(&objects, &to, Replace::Always, means(60_000));
            assert!(reader.join().unwrap() == bytes, "{options}");
            assert_eq!((tally.files, tally.errors, tally.warnings), (1, 0, 0), "{options}: {notices:?}");
            assert_eq!(tally.bytes, 700_001);
        });
        let mode = std::fs::metadata(&there).unwrap().mode();
        assert_eq!(mode & 0o170_777, 0o010_640, "{options}: it is a pipe still");
    }
}

#[test]
fn pipes_in_folders_and_without_the_option_are_saved_as_pipes() {
    let bench = Bench::new();
    let at = bench.from().join("pipe");
    pipe(&at);
    for (options, top) in [("rM", bench.from()), ("M", at.clone())] {
        let (objects, counters, _) = backup(options, &top, None, means(60_000));
        assert_eq!((attributes(&objects[0]).0, counters.errors), (FileType::Special, 0), "{options}");
    }
}

#[test]
fn a_pipe_that_nobody_writes_into_is_not_saved_and_all_else_is() {
    let bench = Bench::new();
    let at = bench.from().join("pipe");
    pipe(&at);
    bench.write("other", b"bytes");
    let lines = ["I".to_owned(), "O rM".to_owned(), "N".to_owned()];
    let tops = [at.clone(), bench.from().join("other")].map(|top| format!("F {}", top.display()));
    let lines: Vec<_> = lines.into_iter().chain(tops).collect();
    let set = FileSet::parse(lines.iter().map(String::as_bytes)).unwrap();
    let mut source = BackupSource::with(&set, Changes::default(), None, means(60)).unwrap();
    let (stream, _) = drain(&mut source);
    let notices: Vec<_> = source.take_notices().iter().map(ToString::to_string).collect();
    assert_eq!((source.counters().files, source.counters().errors), (1, 1), "{notices:?}");
    assert!(notices[0].contains("nobody has opened its other end"), "{notices:?}");
    assert_eq!(attributes(&objects(&stream)[0]).0, FileType::Regular);
}

#[test]
fn an_incremental_backup_reads_a_pipe_whatever_its_times() {
    let bench = Bench::new();
    let at = bench.from().join("pipe");
    pipe(&at);
    saved("rM", &at, b"new", Some(i64::MAX));
}

#[test]
fn a_restore_into_a_pipe_that_nobody_reads_is_an_error_and_one_that_may_not_touch_it_leaves_it() {
    let bench = Bench::new();
    let at = bench.from().join("pipe");
    pipe(&at);
    let objects = saved("rM", &at, b"bytes", None);
    let to = bench.dir.path().join("to");
    let (tally, notices) = restored(&objects, &to, Replace::Always, means(60));
    assert_eq!((tally.files, tally.errors, tally.bytes), (0, 1, 0), "{notices:?}");
    assert!(notices[0].contains("start what reads from it"), "{notices:?}");
    let (tally, notices) = restored(&objects, &to, Replace::Never, means(60));
    assert_eq!((tally.files, tally.errors, tally.bytes), (1, 0, 0), "{notices:?}");
    // In the place of a file, a file.
    let there = to.join(at.strip_prefix("/").unwrap());
    std::fs::remove_file(&there).unwrap();
    std::fs::write(&there, b"old").unwrap();
    let (tally, notices) = restored(&objects, &to, Replace::Always, means(60));
    assert_eq!(
        (tally.errors, tally.warnings, std::fs::read(&there).unwrap()),
        (0, 1, b"bytes".to_vec()),
        "{notices:?}"
    );
}

#[test]
fn a_reader_that_leaves_early_is_an_error_and_holes_are_sent_as_zeros() {
    let bench = Bench::new();
    let at = bench.from().join("pipe");
    pipe(&at);
    let mut objects = saved("rM", &at, &noise(500_000), None);
    thread::scope(|scope| {
        let reader = scope.spawn(|| std::fs::File::open(&at).unwrap().read_exact(&mut [0; 10]).unwrap());
        let (tally, notices) = restored(&objects, Path::new("/"), Replace::Always, means(60_000));
        reader.join().unwrap();
        assert_eq!((tally.files, tally.errors), (0, 1), "{notices:?}");
        assert!(notices[0].contains("has not taken all"), "{notices:?}");
    });
    // As a real file daemon saves a pipe with `Sparse`.
    objects.truncate(2);
    objects[1].1 = Stream::SPARSE.0;
    objects[1].2 = vec![[&200_000_u64.to_be_bytes()[..], b"end"].concat()];
    thread::scope(|scope| {
        let reader = scope.spawn(|| std::fs::read(&at).unwrap());
        let (tally, notices) = restored(&objects, Path::new("/"), Replace::Always, means(60_000));
        assert_eq!((tally.errors, tally.bytes), (0, 200_003), "{notices:?}");
        let all = reader.join().unwrap();
        assert!(all.ends_with(b"\0end") && all.len() == 200_003);
    });
}
