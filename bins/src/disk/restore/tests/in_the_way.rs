//! What stands in the way of an entry: links, files where a folder must be, folders where a file must be.

use super::*;

fn folder(bench: &mut Bench, name: &[u8]) -> Placed {
    bench.put(FileType::Directory, name, b"", stat(0o040_750, 0))
}

fn kind(bench: &Bench, name: &str) -> char {
    let kind = std::fs::symlink_metadata(bench.at(name)).unwrap().file_type();
    if kind.is_symlink() {
        'l'
    } else if kind.is_dir() {
        'd'
    } else {
        'f'
    }
}

#[test]
fn nothing_is_written_through_a_planted_link() {
    for replace in [Replace::Always, Replace::IfNewer] {
        let mut bench = Bench::with(replace);
        let outside = bench.dir.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("victim"), b"safe").unwrap();
        let to = outside.to_str().unwrap().as_bytes().to_vec();
        let victim = outside.join("victim").to_str().unwrap().as_bytes().to_vec();
        let old = stat(0o120_777, 1);
        let old = Stat { mtime: old.mtime - 10, ..old };
        assert_eq!(bench.put(FileType::Symlink, b"/dir", &to, old), Placed::Created);
        assert_eq!(bench.put(FileType::Symlink, b"/file", &victim, old), Placed::Created);
        assert_eq!(bench.put(FileType::HardLink, b"/stolen", b"/dir/victim", stat(0o100_644, 4)), Placed::Failed);
        bench.file(b"/dir/planted", b"evil");
        bench.file(b"/dir/deep/planted", b"evil");
        // A link in the place of the file itself is replaced, not followed.
        assert_eq!(bench.file(b"/file", b"fresh"), Placed::Extract);
        let (tally, notices) = bench.finish();
        assert_eq!(tally.errors, if replace == Replace::Always { 1 } else { 3 }, "{notices:?}");
        assert_eq!(std::fs::read(outside.join("victim")).unwrap(), b"safe");
        assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 1);
        assert_eq!(std::fs::read(bench.at("file")).unwrap(), b"fresh");
        // With `always` the folder is one.
        assert_eq!(kind(&bench, "dir"), if replace == Replace::Always { 'd' } else { 'l' });
    }
}

#[test]
fn a_directory_that_becomes_a_link_is_not_reached_through_the_kept_descriptor() {
    let mut bench = Bench::new();
    let outside = bench.dir.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    assert_eq!(folder(&mut bench, b"/d/e/"), Placed::Created);
    let to = outside.to_str().unwrap().as_bytes();
    assert_eq!(bench.put(FileType::Symlink, b"/d/e", to, stat(0o120_777, 1)), Placed::Created);
    bench.file(b"/d/e/f", b"x");
    assert_eq!(bench.finish().0.errors, 0);
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
    assert_eq!(std::fs::read(bench.at("d/e/f")).unwrap(), b"x");
}

#[test]
fn a_folder_that_was_moved_away_and_replaced_by_a_link_out_comes_back_in_its_place() {
    let mut bench = Bench::new();
    let outside = bench.dir.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("f"), b"moved").unwrap();
    symlink(&outside, bench.at("d")).unwrap();
    bench.file(b"/d/f", b"saved");
    assert_eq!(folder(&mut bench, b"/d/"), Placed::Created);
    let (tally, notices) = bench.finish();
    assert_eq!((tally.files, tally.errors), (2, 0), "{notices:?}");
    assert_eq!(kind(&bench, "d"), 'd');
    assert_eq!(std::fs::read(bench.at("d/f")).unwrap(), b"saved");
    assert_eq!(std::fs::metadata(bench.at("d")).unwrap().mode() & 0o777, 0o750);
    assert_eq!(std::fs::read(outside.join("f")).unwrap(), b"moved");
}

#[test]
fn a_folder_that_is_reached_through_a_link_is_that_folder() {
    for link in ["real", "absolute"] {
        for whole in [true, false] {
            let mut bench = Bench::new();
            std::fs::create_dir(bench.at("real")).unwrap();
            std::fs::write(bench.at("real/kept"), b"kept").unwrap();
            let to = if link == "absolute" { bench.at("real") } else { PathBuf::from(link) };
            symlink(to, bench.at("d")).unwrap();
            if whole {
                bench.file(b"/d/f", b"saved");
            }
            assert_eq!(folder(&mut bench, b"/d/"), Placed::Created);
            let (tally, notices) = bench.finish();
            assert_eq!(tally.errors, 0, "{notices:?}");
            assert_eq!(kind(&bench, "d"), 'l');
            assert_eq!(std::fs::read(bench.at("real/kept")).unwrap(), b"kept");
            assert_eq!(bench.at("real/f").exists(), whole);
            let real = std::fs::metadata(bench.at("real")).unwrap();
            assert_eq!((real.mode() & 0o777, real.mtime()), (0o750, 1_700_000_000));
        }
    }
}

#[test]
fn a_file_or_a_dead_link_where_a_folder_must_be_gives_way() {
    for with_children in [true, false] {
        let mut bench = Bench::new();
        std::fs::write(bench.at("file"), b"in the way").unwrap();
        symlink("nowhere", bench.at("link")).unwrap();
        for name in ["file", "link"] {
            if with_children {
                bench.file(format!("/{name}/deep/f").as_bytes(), b"saved");
            }
            assert_eq!(folder(&mut bench, format!("/{name}/").as_bytes()), Placed::Created);
        }
        let (tally, notices) = bench.finish();
        assert_eq!(tally.errors, 0, "{notices:?}");
        for name in ["file", "link"] {
            assert_eq!(kind(&bench, name), 'd');
            assert_eq!(bench.at(name).join("deep/f").exists(), with_children);
        }
    }
}

#[test]
fn what_stands_in_the_way_stays_unless_the_order_is_always() {
    for replace in [Replace::Never, Replace::IfNewer, Replace::IfOlder] {
        let mut bench = Bench::with(replace);
        std::fs::write(bench.at("file"), b"in the way").unwrap();
        std::fs::create_dir(bench.at("folder")).unwrap();
        std::fs::write(bench.at("folder/kept"), b"kept").unwrap();
        assert_eq!(bench.file(b"/file/f", b"x"), Placed::Failed);
        bench.file(b"/folder", b"x");
        bench.finish();
        assert_eq!(std::fs::read(bench.at("file")).unwrap(), b"in the way");
        assert_eq!(std::fs::read(bench.at("folder/kept")).unwrap(), b"kept");
        assert_eq!(std::fs::read_dir(bench.at("")).unwrap().count(), 2);
    }
}

#[test]
fn a_folder_where_a_file_must_be_gives_way_with_all_it_holds_but_nothing_behind_its_links() {
    for kind in [FileType::Regular, FileType::Symlink, FileType::Special, FileType::HardLink] {
        let mut bench = Bench::new();
        let outside = bench.dir.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("precious"), b"safe").unwrap();
        let mut deep = bench.at("x");
        for level in 0..40 {
            deep = deep.join(format!("level {level}"));
            std::fs::create_dir_all(&deep).unwrap();
            std::fs::write(deep.join("f"), b"x").unwrap();
            symlink(&outside, deep.join("link")).unwrap();
        }
        for nth in 0..5000 {
            std::fs::write(bench.at("x").join(nth.to_string()), b"").unwrap();
        }
        bench.file(b"/first", b"saved");
        let mode = if kind == FileType::Special { 0o010_644 } else { 0o100_644 };
        let placed = bench.put(kind, b"/x", if kind == FileType::HardLink { b"/first" } else { b"to" }, stat(mode, 5));
        assert!(matches!(placed, Placed::Extract | Placed::Created), "{kind:?}: {placed:?}");
        bench.target.data(None, b"saved");
        let (tally, notices) = bench.finish();
        assert_eq!((tally.files, tally.errors), (2, 0), "{notices:?}");
        assert!(notices.iter().any(|notice| notice.contains("was removed with what it held")), "{notices:?}");
        assert!(!std::fs::symlink_metadata(bench.at("x")).unwrap().is_dir());
        assert_eq!(std::fs::read(outside.join("precious")).unwrap(), b"safe");
        assert_eq!(std::fs::read_dir(bench.at("")).unwrap().count(), 2);
    }
}

#[test]
fn a_folder_in_the_way_stays_if_the_file_is_not_complete() {
    let mut bench = Bench::new();
    std::fs::create_dir(bench.at("x")).unwrap();
    std::fs::write(bench.at("x/kept"), b"kept").unwrap();
    bench.put(FileType::Regular, b"/x", b"", stat(0o100_600, 10));
    bench.target.data(None, b"four");
    assert_eq!(bench.finish().0.errors, 1);
    assert_eq!(std::fs::read(bench.at("x/kept")).unwrap(), b"kept");
}

#[test]
fn the_folder_to_restore_to_is_never_replaced_by_a_file() {
    let mut bench = Bench::new();
    std::fs::write(bench.at("kept"), b"kept").unwrap();
    assert_eq!(bench.file(b"/", b"x"), Placed::Failed);
    assert_eq!(bench.put(FileType::Symlink, b"/.", b"x", stat(0o120_777, 1)), Placed::Failed);
    assert_eq!(bench.finish().0.errors, 2);
    assert_eq!(std::fs::read(bench.at("kept")).unwrap(), b"kept");
}
