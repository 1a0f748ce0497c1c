//! Waking a thread or a task that waits.

use std::sync::Arc;

/// Wakes whoever waits for it: a thread in `poll(2)`, or a task.
pub trait Wake: Send + Sync + 'static {
    /// Wakes the waiter, now or at its next wait.
    fn set(&self);

    /// Takes the wake-up back.
    fn clear(&self);
}

/// Wakes a thread or a task for good when it is dropped.
#[derive(Debug)]
pub struct Leash<W: Wake>(Arc<W>);

impl<W: Wake> Leash<W> {
    /// The leash of whoever waits for `wake`.
    #[must_use]
    pub const fn new(wake: Arc<W>) -> Self {
        Self(wake)
    }
}

impl<W: Wake> Drop for Leash<W> {
    fn drop(&mut self) {
        self.0.set();
    }
}
