//! Files that a block of options takes by their size.

use super::*;
use crate::disk::backup::estimate::EstimateSource;

#[test]
fn only_files_of_the_wanted_size_are_saved_and_counted_and_everything_else_is() {
    let bench = Bench::new();
    for (name, length) in [("small", 99), ("exact", 100), ("large", 101)] {
        bench.write(name, &vec![b'x'; length]);
    }
    symlink("large", bench.from().join("link")).unwrap();
    for (size, expected) in [
        ("<100", &["link", "small"][..]),
        (">100", &["large", "link"]),
        ("100-101", &["exact", "large", "link"]),
        ("nonsense", &["exact", "large", "link", "small"]),
    ] {
        let mut source = source(&format!("Mz{size}:"), &[&bench.from()], None);
        let (stream, _) = drain(&mut source);
        let objects = objects(&stream);
        let entries = objects.iter().filter(|object| object.1 == Stream::ATTRIBUTES.0).map(attributes);
        let names: Vec<String> = entries
            .filter(|entry| entry.0 != FileType::Directory)
            .map(|entry| String::from_utf8(entry.1).unwrap().rsplit('/').next().unwrap().to_owned())
            .collect();
        assert_eq!(names, expected, "{size}");
        let notices = source.take_notices();
        assert_eq!(notices.len(), usize::from(size == "nonsense"), "{notices:?}");
        let lines = [b"I".to_vec(), format!("O z{size}:").into_bytes(), b"N".to_vec()];
        let top = [b"F ", bench.from().as_os_str().as_bytes()].concat();
        let fileset = FileSet::parse(lines.iter().map(Vec::as_slice).chain([&*top])).unwrap();
        let mut estimate = EstimateSource::new(&fileset, Changes { since: None, known: None }, false).unwrap();
        assert!(estimate.fill(&mut Parcel::new()).unwrap());
        assert_eq!(estimate.totals().0 as usize, expected.len() + 1, "{size}");
    }
}
