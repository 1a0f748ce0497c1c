//! Hands made of maps: a daemon's disk, and the director's catalog.

use std::sync::{Mutex, MutexGuard, PoisonError};

use towline_core::drive::{Hands, Reply};
use towline_core::notice::Notice;
use towline_core::work::{Work, WorkDone};

use crate::catalog::Catalog;
use crate::disk::{Disk, OpenThings};

/// The hands of one run of a daemon. They answer on the spot; the world lets time pass before the answer is heard.
#[derive(Debug)]
pub struct MapHands {
    things: Mutex<OpenThings>,
    catalog: Option<Catalog>,
    notices: Mutex<Vec<Notice>>,
}

impl MapHands {
    /// Hands for this disk, and for a catalog if the daemon has one.
    #[must_use]
    pub const fn new(disk: Disk, catalog: Option<Catalog>) -> Self {
        Self { things: Mutex::new(OpenThings::new(disk)), catalog, notices: Mutex::new(Vec::new()) }
    }

    /// Handles that are open: files, volumes.
    #[must_use]
    pub fn handles(&self) -> usize {
        lock(&self.things).handles()
    }

    /// What the daemon said.
    #[must_use]
    pub fn notices(&self) -> Vec<Notice> {
        lock(&self.notices).clone()
    }
}

impl Hands for MapHands {
    fn submit(&self, work: Work, reply: Reply) {
        match (work, &self.catalog) {
            (Work::Disk(work), _) => {
                let done = lock(&self.things).work(work);
                reply(WorkDone::Disk(done));
            }
            (Work::Catalog(_, request), Some(catalog)) => catalog.submit(request, reply),
            _ => reply(WorkDone::Refused),
        }
    }

    fn notify(&self, notice: Notice) {
        lock(&self.notices).push(notice);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
