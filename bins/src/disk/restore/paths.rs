//! A bounded set of paths: once it is full it says of every path that it may be in it.

use std::collections::BTreeSet;

/// Paths remembered: about 10 MB at the most.
const REMEMBERED: usize = 65_536;

/// The set.
#[derive(Debug, Default)]
pub(super) struct Paths {
    paths: BTreeSet<Vec<u8>>,
    is_full: bool,
}

impl Paths {
    /// Remembers a path.
    pub(super) fn insert(&mut self, path: &[u8]) {
        if self.paths.contains(path) {
            return;
        }
        if self.paths.len() < REMEMBERED {
            self.paths.insert(path.to_vec());
        } else {
            self.is_full = true;
        }
    }

    /// Forgets a path.
    pub(super) fn remove(&mut self, path: &[u8]) {
        if !self.paths.is_empty() {
            self.paths.remove(path);
        }
    }

    /// Whether the path was inserted, or may have been when there was no room any more.
    pub(super) fn may_contain(&self, path: &[u8]) -> bool {
        self.is_full || self.paths.contains(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_that_is_full_vouches_for_no_path_any_more() {
        let mut paths = Paths::default();
        for nth in 0..REMEMBERED {
            paths.insert(&nth.to_be_bytes());
        }
        assert!(paths.may_contain(&0_usize.to_be_bytes()) && !paths.may_contain(b"other"));
        paths.remove(&0_usize.to_be_bytes());
        assert!(!paths.may_contain(&0_usize.to_be_bytes()));
        paths.insert(b"last");
        assert!(!paths.may_contain(b"other"));
        paths.insert(b"one too many");
        assert!(paths.may_contain(b"other"));
    }
}
