//! Marks on branches that are seldom taken, so that the simulator can show that its seeds take them.
//!
//! Only the feature `sim` keeps them, for each thread on its own; elsewhere a mark is nothing at all.

macro_rules! marks {
    ($($(#[doc = $doc:literal])+ $name:ident),+ $(,)?) => {
        /// A branch that is seldom taken.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Mark { $($(#[doc = $doc])+ $name),+ }

        impl Mark {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];
        }
    };
}

marks! {
    /// A peer has missed its heartbeats.
    MissedHeartbeats,
    /// A connection stands still although TCP holds it up.
    StandsStill,
    /// All addresses of a dial have failed, and it pauses.
    DialPauses,
    /// Somebody is refused who is not known or has a wrong key.
    Refused,
    /// A client's waiting connection turned out to be dead when a job needed it.
    DeadWaiting,
    /// A client dials its director again after a pause.
    ComesBack,
    /// A job waits for its file daemon's call, which does not come in time.
    NoCall,
    /// A volume had to be cut where it was torn, or had more than the catalog knew.
    VolumeCut,
    /// A job has failed, and its storage daemon has a while to say what it has written.
    Grace,
    /// The catalog has not taken the end of a job, and is offered it again.
    OfferedAgain,
    /// A console has cancelled a job.
    Cancelled,
    /// The wall clock has moved against the other one.
    ClockMoved,
}

/// A branch is taken.
#[inline]
pub(crate) fn hit(mark: Mark) {
    #[cfg(feature = "sim")]
    HITS.with_borrow_mut(|hits| {
        hits.insert(mark);
    });
    #[cfg(not(feature = "sim"))]
    let _: Mark = mark;
}

#[cfg(feature = "sim")]
thread_local! {
    static HITS: std::cell::RefCell<std::collections::BTreeSet<Mark>> = const {
        std::cell::RefCell::new(std::collections::BTreeSet::new())
    };
}

/// The marks that this thread has come by since it was asked last.
#[cfg(feature = "sim")]
#[must_use]
pub fn take() -> std::collections::BTreeSet<Mark> {
    HITS.take()
}

#[cfg(all(test, feature = "sim"))]
mod tests {
    use super::*;

    #[test]
    fn what_was_hit_is_taken_once() {
        let _before = take();
        hit(Mark::Grace);
        hit(Mark::Grace);
        assert_eq!(take().into_iter().collect::<Vec<_>>(), [Mark::Grace]);
        assert!(take().is_empty());
    }
}
