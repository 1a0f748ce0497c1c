//! Names that a restore changes, from a backup to the disk.

use super::*;
use crate::disk::restore::Relocations;
use towline_core::wire::relocation::Relocation;

fn relocated(bench: &Bench, expressions: &str, prefix_links: bool) -> (Tally, Vec<String>) {
    let (stream, _) = drain(&mut source("M", &[&bench.from()], None));
    let relocation = Relocations::compile(Relocation::parse(expressions).unwrap()).unwrap();
    let order = Order { to: Vec::new(), replace: Replace::Always, prefix_links, relocation };
    let mut target = RestoreTarget::new(order).unwrap();
    let sent = sent_back(&objects(&stream));
    Unpacker::new().feed(&sent, &mut target).unwrap();
    let tally = target.finish();
    (tally, target.take_notices().iter().map(ToString::to_string).collect())
}

#[test]
fn a_tree_is_restored_under_its_new_names_with_its_links() {
    for (prefix_links, target) in [(false, "from/a"), (true, "to/a")] {
        let bench = Bench::new();
        bench.write("a", b"bytes");
        bench.write("sub/b.ini", b"more");
        std::fs::hard_link(bench.from().join("a"), bench.from().join("z")).unwrap();
        symlink(bench.from().join("a"), bench.from().join("link")).unwrap();
        let (tally, notices) = relocated(&bench, "!/from/!/to/!,/.INI$/.old.ini/i", prefix_links);
        assert_eq!((tally.files, tally.errors, notices), (6, 0, Vec::new()));
        let to = bench.dir.path().join("to");
        assert_eq!(std::fs::read(to.join("sub/b.old.ini")).unwrap(), b"more");
        let inodes = ["a", "z"].map(|name| std::fs::metadata(to.join(name)).unwrap().ino());
        assert!(inodes[0] == inodes[1] && inodes[0] != std::fs::metadata(bench.from().join("a")).unwrap().ino());
        assert_eq!(std::fs::read_link(to.join("link")).unwrap(), bench.dir.path().join(target));
    }
}

#[test]
fn a_new_name_that_climbs_or_has_no_place_is_refused_and_the_others_come() {
    let bench = Bench::new();
    bench.write("a", b"bytes");
    bench.write("b", b"bytes");
    let inside = bench.dir.path().join("to");
    for (expressions, told) in
        [("!/from/a$!/to/../../a!,!/from/!/to/!", "'..'"), ("!^.*/from/a$!a!,!/from/!/to/!", "(T0723)")]
    {
        let (tally, notices) = relocated(&bench, expressions, false);
        assert_eq!((tally.files, tally.errors, notices.len()), (2, 1, 1), "{notices:?}");
        assert!(notices[0].contains(told), "{notices:?}");
        assert_eq!(std::fs::read(inside.join("b")).unwrap(), b"bytes");
        assert!(!inside.join("a").exists() && !bench.dir.path().parent().unwrap().join("a").exists());
    }
}
