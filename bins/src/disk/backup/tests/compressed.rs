//! Compressed data: saved, restored, and what is not what it should be.

use super::*;
use towline_core::wire::compression::{Method, RecordHead};

/// Letters of the fileset, and what the head of a record says then.
const WAYS: [(&str, Method, u16); 8] = [
    ("Z0", Method::Gzip, 0),
    ("Z1", Method::Gzip, 1),
    ("Z6", Method::Gzip, 6),
    ("Z9", Method::Gzip, 9),
    ("Zo", Method::Lzo, 0),
    ("Zff", Method::FastLz, 1),
    ("Zf4", Method::Lz4, 1),
    ("Zfh", Method::Lz4Hc, 1),
];

fn text(length: usize) -> Vec<u8> {
    (0..length as u32 / 8 + 1).flat_map(|n| format!("{n:x} a line\n").into_bytes()).take(length).collect()
}

/// The records of file data in a stream, and whether their file is sparse.
fn data(objects: &[Object]) -> Vec<(bool, Vec<u8>)> {
    let of = |object: &Object| Stream(object.1).is_data().then(|| Stream(object.1).has_offset());
    objects.iter().filter_map(|object| Some((of(object)?, &object.2))).flat_map(split).collect()
}

fn split((sparse, records): (bool, &Vec<Vec<u8>>)) -> Vec<(bool, Vec<u8>)> {
    records.iter().map(|record| (sparse, record.clone())).collect()
}

#[test]
fn a_tree_of_every_kind_comes_back_the_same_from_each_compression() {
    for (letters, method, level) in WAYS {
        for (sparse, options) in [(false, format!("AXM{letters}")), (true, format!("AXsS2{letters}"))] {
            let bench = Bench::new();
            all_kinds(&bench);
            bench.write("text", &text(1 << 20));
            let (comparison, tally, notices) = bench.round(&options);
            assert!(comparison.is_same(), "{options}: {:?}", comparison.differences);
            assert_eq!((tally.errors, tally.warnings, notices), (0, 0, Vec::<String>::new()), "{options}");
            let mut source = source(&options, &[&bench.from()], None);
            let (stream, lengths) = drain(&mut source);
            assert!(lengths.iter().all(|length| *length <= PARCEL));
            let objects = objects(&stream);
            let records = data(&objects);
            let mut job_bytes = 0;
            for (has_offset, record) in &records {
                assert_eq!(*has_offset, sparse, "{options}");
                let (head, _) = RecordHead::split(&record[if sparse { 8 } else { 0 }..]).unwrap();
                assert_eq!((head.method, head.level), (method, level));
                job_bytes += record.len() as u64;
            }
            let counters = source.counters();
            let others = objects.iter().filter(|object| Stream(object.1).is_acl() || Stream(object.1).is_xattr());
            job_bytes += others.map(|object| object.2[0].len() as u64).sum::<u64>();
            assert_eq!(counters.job_bytes, job_bytes, "{options}");
            let wanted = if sparse { Stream::SPARSE_COMPRESSED } else { Stream::COMPRESSED };
            let stats = objects.iter().filter(|object| object.1 == Stream::ATTRIBUTES.0);
            for object in stats {
                assert_eq!(AttributeRecord::parse(&object.2[0]).unwrap().stat().data_stream, wanted, "{options}");
            }
        }
    }
}

#[test]
fn digests_and_counts_are_those_of_the_plain_data_and_text_gets_smaller() {
    let bench = Bench::new();
    bench.write("text", &text(700_001));
    let plain = |options: &str| {
        let mut source = source(options, &[&bench.from()], None);
        let (stream, _) = drain(&mut source);
        let digests: Vec<Object> = objects(&stream).into_iter().filter(|o| o.1 == Stream::MD5.0).collect();
        (digests, source.counters())
    };
    for base in ["M", "sM"] {
        let (digests, counters) = plain(base);
        for (letters, ..) in WAYS {
            let (compressed, counted) = plain(&format!("{base}{letters}"));
            assert_eq!(compressed, digests);
            assert_eq!(counted.read_bytes, counters.read_bytes);
            let is_smaller = counted.job_bytes < counters.job_bytes * 2 / 3;
            assert_eq!(is_smaller, letters != "Z0", "{letters}: {} of {}", counted.job_bytes, counters.job_bytes);
        }
    }
}

#[test]
fn what_does_not_get_smaller_is_sent_in_the_same_form_all_the_same() {
    let bench = Bench::new();
    let mut noise = vec![0; 600_000];
    std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom").unwrap(), &mut noise).unwrap();
    bench.write("noise", &noise);
    for (letters, ..) in WAYS {
        let mut source = source(letters, &[&bench.from().join("noise")], None);
        let (stream, lengths) = drain(&mut source);
        let records = data(&objects(&stream));
        assert_eq!(records.len(), 5);
        let bytes: usize = records.iter().map(|(_, record)| record.len()).sum();
        assert!((600_000..604_000).contains(&bytes), "{letters}: {bytes}");
        assert_eq!(lengths.len(), 3, "two records fit into a parcel: {lengths:?}");
    }
}

#[test]
fn a_file_that_gets_very_small_does_not_hold_a_call_up() {
    let bench = Bench::new();
    std::fs::File::create(bench.from().join("zeros")).unwrap().set_len(32 << 20).unwrap();
    let mut source = source("MZf4", &[&bench.from().join("zeros")], None);
    let (_, lengths) = drain(&mut source);
    assert_eq!(lengths.len(), 4, "{lengths:?}");
    assert_eq!(source.counters().read_bytes, 32 << 20);
}

#[test]
fn damage_in_one_file_costs_that_file_and_no_other() {
    for (letters, method, _) in WAYS {
        let bench = Bench::new();
        for name in ["a", "b", "c"] {
            bench.write(name, &text(300_000));
        }
        let (stream, _) = drain(&mut source(letters, &[&bench.from()], None));
        let mut objects = objects(&stream);
        let names: Vec<i32> = objects.iter().filter(|o| o.1 == 1).map(|o| o.0).collect();
        let second = objects.iter_mut().find(|o| o.0 == names[1] && Stream(o.1).is_data()).unwrap();
        let record = &mut second.2[0];
        let unknown = method == Method::Gzip;
        if unknown {
            record[..4].copy_from_slice(b"ZSTD");
        } else {
            record.truncate(record.len() - 20);
            let length = (record.len() - RecordHead::LEN) as u32;
            record[4..8].copy_from_slice(&length.to_be_bytes());
        }
        let to = bench.dir.path().join("to");
        let (tally, notices) = restore(&sent_back(&objects), &to);
        let code = if unknown { "(T0721)" } else { "(T0720)" };
        assert_eq!((tally.errors, notices.len()), (1, 1), "{letters}: {notices:?}");
        assert!(notices[0].contains("/b: ") && notices[0].contains(code), "{notices:?}");
        let place = to.join(bench.from().strip_prefix("/").unwrap());
        for (name, is_there) in [("a", true), ("b", false), ("c", true)] {
            assert_eq!(std::fs::read(place.join(name)).ok(), is_there.then(|| text(300_000)), "{letters}: {name}");
        }
    }
}

#[test]
fn a_compressed_file_that_cannot_be_read_is_treated_like_any_other() {
    for options in ["MZ6", "sMZfh"] {
        let bench = Bench::new();
        bench.write("a", &noise(100_000));
        bench.write("b", b"whole");
        let mut source = failing(options, &bench.from(), "/a");
        let (stream, _) = drain(&mut source);
        let names: Vec<_> = objects(&stream).iter().filter(|o| o.1 == 1).map(|o| attributes(o).1).collect();
        assert!(names.len() == 2 && names[0].ends_with(b"/b"), "{names:?}");
        let notices = source.take_notices();
        assert!(notices.len() == 1 && notices[0].text.starts_with("could not be read from byte 0"), "{notices:?}");
        let counters = source.counters();
        assert_eq!((counters.files, counters.read_bytes, counters.errors), (2, 5, 1));
    }
    let bench = Bench::new();
    let path = bench.write("a", &noise(3 << 20));
    let mut source = source("MZf4", &[&path], None);
    let mut parcel = Parcel::new();
    assert!(!source.fill(&mut parcel).unwrap().done);
    source.item.as_mut().unwrap().read_from(std::fs::File::open(&bench.dir).unwrap().into());
    let (rest, _) = drain(&mut source);
    let objects = objects(&[parcel.bytes, rest].concat());
    assert_eq!(objects.last().unwrap().2, vec![vec![0; 16]], "it is marked as unread");
}

#[test]
fn a_compressed_file_that_grows_or_shrinks_is_told() {
    for (change, word) in [(250_000, "grew"), (150_000, "shrank")] {
        let bench = Bench::new();
        let path = bench.write("a", &text(200_000));
        let mut source = source("MZ1", &[&path], None);
        let Step::Entry(found) = source.walk.step(&mut source.selection) else { panic!() };
        let options = source.selection.options(found.tag).unwrap();
        source.item = Item::new(found, options, None, &mut source.work, &source.means);
        std::fs::File::options().write(true).open(&path).unwrap().set_len(change).unwrap();
        let (stream, _) = drain(&mut source);
        let notices = source.take_notices();
        assert!(notices.len() == 1 && notices[0].text.starts_with(word), "{notices:?}");
        let to = bench.dir.path().join("to");
        let (tally, told) = restore(&sent_back(&objects(&stream)), &to);
        assert_eq!((tally.errors, tally.bytes), (0, change.min(200_000)), "{told:?}");
    }
}
