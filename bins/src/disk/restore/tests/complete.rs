//! A file has its name only when it is complete and fits its digest.

use towline_core::wire::digest::{Algorithm, Hasher};
use towline_core::wire::stream::Stream;

use super::*;

/// The record of the digest of these bytes.
fn digest(algorithm: Algorithm, bytes: &[u8]) -> Vec<u8> {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(bytes);
    hasher.finish().as_bytes().to_vec()
}

/// The names in the folder that is restored to.
fn names(bench: &Bench, folder: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(bench.at(folder))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_whose_data_do_not_fit_its_digest_is_an_error_and_leaves_what_was_there() {
    for algorithm in Algorithm::ALL {
        let mut bench = Bench::new();
        for name in ["bad", "good"] {
            std::fs::write(bench.at(name), b"old").unwrap();
        }
        bench.file(b"/bad", b"spoilt");
        bench.target.digest(algorithm.stream(), &digest(algorithm, b"saved!"));
        bench.file(b"/new", b"spoilt");
        bench.target.digest(algorithm.stream(), &digest(algorithm, b"saved!"));
        bench.file(b"/good", b"saved!");
        bench.target.digest(algorithm.stream(), &digest(algorithm, b"saved!"));
        let (tally, notices) = bench.finish();
        assert_eq!((tally.files, tally.errors), (1, 2), "{notices:?}");
        assert!(notices[0].starts_with("/bad: ") && notices[0].contains("T0550"), "{notices:?}");
        assert!(notices[1].starts_with("/new: "), "{notices:?}");
        assert_eq!(names(&bench, ""), ["bad", "good"]);
        assert_eq!(std::fs::read(bench.at("bad")).unwrap(), b"old");
        assert_eq!(std::fs::read(bench.at("good")).unwrap(), b"saved!");
    }
}

#[test]
fn a_digest_is_that_of_the_bytes_that_came_without_holes() {
    let mut bench = Bench::new();
    for (name, at) in [("/first", 3000), ("/second", 5000)] {
        bench.put(FileType::Regular, name.as_bytes(), b"", stat(0o100_600, at + 3));
        bench.target.data(Some(0), b"begin");
        bench.target.data(Some(at as u64), b"end");
        bench.target.digest(Stream::SHA256, &digest(Algorithm::Sha256, b"beginend"));
    }
    let (tally, notices) = bench.finish();
    assert_eq!((tally.files, tally.errors), (2, 0), "{notices:?}");
}

#[test]
fn a_digest_of_the_wrong_length_vouches_for_nothing() {
    let mut bench = Bench::new();
    bench.file(b"/f", b"x");
    bench.target.digest(Stream::MD5, &[0; 15]);
    assert_eq!(bench.finish().0.errors, 1);
    assert!(names(&bench, "").is_empty());
}

#[test]
fn a_file_with_too_few_bytes_is_an_error_and_gets_no_name() {
    let mut bench = Bench::new();
    bench.put(FileType::Regular, b"/short", b"", stat(0o100_600, 10));
    bench.target.data(None, b"four");
    let (tally, notices) = bench.finish();
    assert_eq!((tally.files, tally.errors), (0, 1));
    assert!(notices[0].contains("4 bytes where 10"), "{notices:?}");
    assert!(names(&bench, "").is_empty());
}

#[test]
fn a_file_that_changed_while_it_was_saved_is_restored_as_its_digest_has_it() {
    let mut bench = Bench::new();
    bench.put(FileType::Regular, b"/grown", b"", stat(0o100_600, 2));
    bench.target.data(None, b"four");
    bench.put(FileType::Regular, b"/shrunk", b"", stat(0o100_600, 10));
    bench.target.data(None, b"four");
    bench.target.digest(Stream::MD5, &digest(Algorithm::Md5, b"four"));
    let (tally, notices) = bench.finish();
    assert_eq!((tally.files, tally.errors, tally.warnings), (2, 0, 2), "{notices:?}");
    assert_eq!(names(&bench, ""), ["grown", "shrunk"]);
}

#[test]
fn what_is_cut_off_or_called_damaged_leaves_what_was_there_and_nothing_beside_it() {
    let mut bench = Bench::new();
    for name in ["damaged", "cut"] {
        std::fs::write(bench.at(name), b"old").unwrap();
    }
    bench.file(b"/damaged", b"whole");
    bench.target.damaged("records are missing");
    bench.file(b"/cut", b"whole");
    assert_eq!(std::fs::read(bench.at("cut")).unwrap(), b"old", "until it is complete");
    bench.target.abandon();
    let (tally, _) = bench.finish();
    assert_eq!((tally.files, tally.errors), (0, 1));
    assert_eq!(names(&bench, ""), ["cut", "damaged"]);
    for name in ["damaged", "cut"] {
        assert_eq!(std::fs::read(bench.at(name)).unwrap(), b"old");
    }
}

#[test]
fn no_hard_link_points_to_the_old_file_where_the_first_name_failed() {
    let mut bench = Bench::new();
    std::fs::write(bench.at("first"), b"old").unwrap();
    bench.file(b"/first", b"spoilt");
    bench.target.digest(Stream::MD5, &digest(Algorithm::Md5, b"saved!"));
    assert_eq!(bench.put(FileType::HardLink, b"/second", b"/first", stat(0o100_640, 6)), Placed::Failed);
    assert_eq!(names(&bench, ""), ["first"]);
    // A newer version that is good makes up for it.
    bench.file(b"/first", b"newer");
    assert_eq!(bench.put(FileType::HardLink, b"/second", b"/first", stat(0o100_640, 5)), Placed::Created);
    assert_eq!(bench.finish().0.errors, 2);
    assert_eq!(std::fs::read(bench.at("second")).unwrap(), b"newer");
}

#[test]
fn other_names_of_an_existing_file_keep_its_bytes() {
    let mut bench = Bench::new();
    std::fs::write(bench.at("one"), b"old").unwrap();
    for other in ["two", "elsewhere"] {
        std::fs::hard_link(bench.at("one"), bench.at(other)).unwrap();
    }
    bench.file(b"/one", b"fresh");
    bench.put(FileType::HardLink, b"/two", b"/one", stat(0o100_640, 5));
    assert_eq!(bench.finish().0.errors, 0);
    let inode = |name| std::fs::metadata(bench.at(name)).unwrap().ino();
    assert_eq!(inode("one"), inode("two"));
    assert_eq!(std::fs::read(bench.at("two")).unwrap(), b"fresh");
    assert_eq!(std::fs::read(bench.at("elsewhere")).unwrap(), b"old");
    assert_eq!(names(&bench, "").len(), 3);
}

#[test]
fn what_a_dead_restore_left_goes_and_what_a_living_one_writes_stays() {
    let mut dead = Bench::new();
    dead.file(b"/f", b"half");
    let left = names(&dead, "");
    assert!(left.len() == 1 && left[0].starts_with(PART_PREFIX), "{left:?}");
    // As another process would see it: the same name, without a lock.
    let mut bench = Bench::new();
    std::fs::write(bench.at(&left[0]), b"half").unwrap();
    bench.file(b"/f", b"whole");
    bench.finish();
    assert_eq!(names(&bench, ""), ["f"]);
    let mut beside = Bench { dir: tempfile::tempdir().unwrap(), target: open(&dead.at(""), Replace::Always) };
    beside.file(b"/f", b"other");
    assert_eq!(names(&dead, "").len(), 2);
    beside.finish();
    dead.finish();
    assert_eq!(std::fs::read(dead.at("f")).unwrap(), b"half");
    assert_eq!(names(&dead, ""), ["f"]);
}

#[test]
fn a_file_that_appears_while_it_is_restored_is_left_if_the_order_says_so() {
    for (replace, expected) in [(Replace::Never, &b"theirs"[..]), (Replace::Always, b"ours")] {
        let mut bench = Bench::with(replace);
        bench.file(b"/f", b"ours");
        std::fs::write(bench.at("f"), b"theirs").unwrap();
        assert_eq!(bench.finish().0.errors, 0);
        assert_eq!(std::fs::read(bench.at("f")).unwrap(), expected);
        assert_eq!(names(&bench, ""), ["f"]);
    }
}

#[test]
fn links_and_fifos_take_the_place_of_what_is_there_and_leave_nothing_beside_it() {
    let mut bench = Bench::new();
    for name in ["link", "fifo", "second"] {
        std::fs::write(bench.at(name), b"old").unwrap();
    }
    bench.put(FileType::RegularEmpty, b"/first", b"", stat(0o100_644, 0));
    bench.put(FileType::Symlink, b"/link", b"nowhere", stat(0o120_777, 7));
    bench.put(FileType::Special, b"/fifo", b"", stat(0o010_622, 0));
    bench.put(FileType::HardLink, b"/second", b"/first", stat(0o100_644, 0));
    assert_eq!(bench.finish().0.errors, 0);
    assert_eq!(names(&bench, ""), ["fifo", "first", "link", "second"]);
    assert_eq!(std::fs::read_link(bench.at("link")).unwrap(), Path::new("nowhere"));
    assert_eq!(std::fs::metadata(bench.at("second")).unwrap().len(), 0);
}
