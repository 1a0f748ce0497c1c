//! Files that cannot be read, from their first byte or in the middle.

use super::*;

#[test]
fn a_file_whose_first_bytes_cannot_be_read_leaves_no_trace_and_the_next_takes_its_place() {
    for options in ["M", "sM", "H"] {
        let bench = Bench::new();
        bench.write("a", &noise(100_000));
        bench.write("b", b"whole");
        let mut source = failing(options, &bench.from(), "/a");
        let (stream, _) = drain(&mut source);
        let names: Vec<_> = objects(&stream).iter().filter(|o| o.1 == 1).map(|o| (o.0, attributes(o).1)).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(names[0].0 == 1 && names[0].1.ends_with(b"/b"), "{names:?}");
        let notices = source.take_notices();
        assert!(notices.len() == 1 && notices[0].text.starts_with("could not be read from byte 0"), "{notices:?}");
        let counters = source.counters();
        let sent = if options == "sM" { 5 + 8 } else { 5 };
        assert_eq!((counters.files, counters.read_bytes, counters.job_bytes, counters.errors), (2, 5, sent, 1));
    }
}

#[test]
fn a_name_more_of_a_file_that_cannot_be_read_is_read_for_itself() {
    let bench = Bench::new();
    let first = bench.write("a", &noise(10));
    std::fs::hard_link(&first, bench.from().join("b")).unwrap();
    let (stream, _) = drain(&mut failing("M", &bench.from(), "/a"));
    let kinds: Vec<_> = objects(&stream).iter().filter(|o| o.1 == 1).map(|o| attributes(o).0).collect();
    assert_eq!(kinds, [FileType::Regular, FileType::Directory]);
}

#[test]
fn a_file_that_fails_in_the_middle_is_marked_as_unread_in_the_place_of_its_digest() {
    for (options, stream, length) in [("M", 3, 16), ("S2", 17, 32), ("H", 3, 16)] {
        let bench = Bench::new();
        let path = bench.write("a", &noise(3 << 20));
        let mut source = source(options, &[&path], None);
        let mut parcel = Parcel::new();
        assert!(!source.fill(&mut parcel).unwrap().done);
        source.item.as_mut().unwrap().read_from(std::fs::File::open(&bench.dir).unwrap().into());
        let (rest, _) = drain(&mut source);
        let objects = objects(&[parcel.bytes, rest].concat());
        let last = objects.last().unwrap();
        assert_eq!((last.1, &last.2), (stream, &vec![vec![0; length]]), "{options}");
        let notices = source.take_notices();
        assert_eq!((notices.len(), notices[0].kind), (1, NoticeKind::NotSaved), "{notices:?}");
        assert_eq!(source.counters().errors, 1);
    }
}

#[test]
fn what_lies_below_a_folder_that_cannot_be_read_is_not_gone() {
    let there = tempfile::tempdir().unwrap();
    let there = format!("F {}", there.path().display());
    for (options, stripped) in [("O M", 0), ("O MP1:", 1), ("O MP9:", 9)] {
        let lines = [b"I".as_slice(), options.as_bytes(), b"N", b"F /no/such/top", there.as_bytes()];
        let fileset = FileSet::parse(lines).unwrap();
        let mut known = KnownFiles::new();
        for path in ["/no/such/top/a", "/no/such/top/", "/other"] {
            let name = item::strip(path.as_bytes(), stripped);
            known.add(&KnownFile { name, lstat: b"A A", digest: b"", delta: 0 }).unwrap();
        }
        known.finish();
        let changes = Changes { since: None, known: Some(Box::new(known)) };
        let mut source = BackupSource::new(&fileset, changes, None).unwrap();
        let (stream, _) = drain(&mut source);
        let objects = objects(&stream);
        let entries = objects.iter().filter(|o| o.1 == Stream::ATTRIBUTES.0).map(attributes);
        let gone: Vec<_> = entries.filter(|entry| entry.0 == FileType::Deleted).map(|entry| entry.1).collect();
        let expected: &[&[u8]] = if stripped == 9 { &[] } else { &[b"/other"] };
        assert_eq!(gone, expected, "{options}");
    }
}
