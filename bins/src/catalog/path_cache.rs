//! PathIds of directories seen lately, so that most files cost no look-up.

use std::collections::HashMap;

/// Two generations of entries: when the young one has reached its share of memory it becomes the old one, and the old
/// one is forgotten; what is found in the old one moves to the young one.
pub(crate) struct PathCache {
    young: HashMap<Box<[u8]>, i64>,
    old: HashMap<Box<[u8]>, i64>,
    young_bytes: usize,
    limit: usize,
}

/// What an entry takes beside its bytes, about.
const ENTRY_OVERHEAD: usize = 48;

impl PathCache {
    /// A cache of about `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), young_bytes: 0, limit: limit / 2 }
    }

    /// The id of a path, if it is known.
    pub(crate) fn find(&mut self, path: &[u8]) -> Option<i64> {
        if let Some(&id) = self.young.get(path) {
            return Some(id);
        }
        let id = *self.old.get(path)?;
        self.insert(path, id);
        Some(id)
    }

    /// Remembers the id of a path.
    pub(crate) fn insert(&mut self, path: &[u8], id: i64) {
        let size = path.len() + ENTRY_OVERHEAD;
        if self.young_bytes + size > self.limit {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += size;
        self.young.insert(path.into(), id);
    }

    /// Forgets all: after a rollback the newest ids do not exist.
    pub(crate) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
        self.young_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_what_is_not_goes() {
        let mut cache = PathCache::new(2 * 10 * (ENTRY_OVERHEAD + 4));
        cache.insert(b"used", 1);
        for id in 100..200 {
            cache.insert(format!("{id:04}").as_bytes(), id);
            assert_eq!(cache.find(b"used"), Some(1), "after {id}");
        }
        assert_eq!(cache.find(b"0100"), None);
        assert_eq!(cache.find(b"0199"), Some(199));
        assert!(cache.young.len() + cache.old.len() <= 20);
    }

    #[test]
    fn nothing_is_known_after_clear() {
        let mut cache = PathCache::new(1000);
        cache.insert(b"/", 1);
        cache.clear();
        assert_eq!(cache.find(b"/"), None);
    }
}
