//! Directories whose record has come. Entries that arrive later may disturb their times, or need a mode with more
//! rights for a moment; both are put right at the end.

use std::collections::BTreeMap;

/// Directories remembered: about 10 MB at the most.
const REMEMBERED: usize = 65_536;

/// What a directory shall look like in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) mode: u32,
    pub(crate) atime: i64,
    pub(crate) mtime: i64,
}

#[derive(Debug)]
struct Finished {
    look: Look,
    touched: bool,
}

/// The table, bounded. A directory pushed out of it is reported if it had been touched.
#[derive(Debug, Default)]
pub(crate) struct Folders {
    finished: BTreeMap<Vec<u8>, Finished>,
    last_miss: Option<Vec<u8>>,
}

impl Folders {
    /// Remembers a directory. Returns one that must be put right at once, as there is no room to remember it longer.
    pub(crate) fn finish(&mut self, path: Vec<u8>, look: Look) -> Option<(Vec<u8>, Look)> {
        self.last_miss = None;
        self.finished.insert(path, Finished { look, touched: false });
        if self.finished.len() <= REMEMBERED {
            return None;
        }
        let (path, oldest) = self.finished.pop_first()?;
        oldest.touched.then_some((path, oldest.look))
    }

    /// Notes that something is created or removed in this directory.
    pub(crate) fn touch(&mut self, path: &[u8]) {
        if self.last_miss.as_deref() == Some(path) {
            return;
        }
        match self.finished.get_mut(path) {
            Some(finished) => finished.touched = true,
            None => self.last_miss = Some(path.to_vec()),
        }
    }

    /// Remembers the looks of a directory that is about to be changed for a moment; those of its record count more.
    /// `false` if there is no room to remember it.
    pub(crate) fn borrow(&mut self, path: &[u8], look: Look) -> bool {
        if self.finished.len() >= REMEMBERED && !self.finished.contains_key(path) {
            return false;
        }
        self.last_miss = None;
        self.finished.entry(path.to_vec()).or_insert(Finished { look, touched: true }).touched = true;
        true
    }

    /// Forgets a directory that was removed, and all below it.
    pub(crate) fn forget(&mut self, path: &[u8]) {
        self.finished.remove(path);
        let mut below = path.to_vec();
        below.push(b'/');
        let end = [path, b"0"].concat();
        let gone: Vec<Vec<u8>> = self.finished.range(below..end).map(|(path, _)| path.clone()).collect();
        for path in gone {
            self.finished.remove(&path);
        }
    }

    /// What must be put right, children before their parents. Nothing counts as touched afterwards; but entries of
    /// another storage daemon may come yet, so that all are remembered.
    pub(crate) fn touched(&mut self) -> Vec<(Vec<u8>, Look)> {
        let touched =
            |(path, f): (&Vec<u8>, &mut Finished)| std::mem::take(&mut f.touched).then(|| (path.clone(), f.look));
        self.finished.iter_mut().rev().filter_map(touched).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Look = Look { mode: 0o555, atime: 1, mtime: 2 };

    #[test]
    fn only_touched_directories_are_put_right_and_children_first() {
        let mut folders = Folders::default();
        for path in ["a", "a/b", "a/c", "a0"] {
            assert_eq!(folders.finish(path.into(), LOOK), None);
        }
        folders.touch(b"other");
        folders.touch(b"a/b");
        folders.touch(b"a");
        assert_eq!(folders.touched(), [(b"a/b".to_vec(), LOOK), (b"a".to_vec(), LOOK)]);
    }

    #[test]
    fn forgetting_a_directory_spares_its_neighbours() {
        let mut folders = Folders::default();
        for path in ["a", "a/b", "a0", "a-"] {
            folders.finish(path.into(), LOOK);
            folders.touch(path.as_bytes());
        }
        folders.forget(b"a");
        let left: Vec<_> = folders.touched().into_iter().map(|(path, _)| path).collect();
        assert_eq!(left, [b"a0".to_vec(), b"a-".to_vec()]);
    }

    #[test]
    fn the_table_is_bounded_and_hands_back_what_it_cannot_keep() {
        let mut folders = Folders::default();
        for n in 0..REMEMBERED {
            assert_eq!(folders.finish(format!("{n:06}").into_bytes(), LOOK), None);
        }
        folders.touch(b"000000");
        assert!(folders.borrow(b"000000", LOOK) && !folders.borrow(b"x", LOOK));
        assert_eq!(folders.finish(b"x".to_vec(), LOOK), Some((b"000000".to_vec(), LOOK)));
        assert_eq!(folders.finish(b"y".to_vec(), LOOK), None);
    }

    #[test]
    fn a_directory_that_was_changed_for_a_moment_gets_back_its_looks_unless_its_record_said_others() {
        let mut folders = Folders::default();
        folders.finish(b"a".to_vec(), LOOK);
        let other = Look { mode: 0o500, ..LOOK };
        assert!(folders.borrow(b"a", other) && folders.borrow(b"a/b", other));
        assert_eq!(folders.touched(), [(b"a/b".to_vec(), other), (b"a".to_vec(), LOOK)]);
    }
}
