//! What wakes a task.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::shared::Wake;

/// Set by anybody, waited for by one task.
#[derive(Debug, Default)]
pub(crate) struct TaskWake(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    is_set: bool,
    waiter: Option<Waker>,
}

impl TaskWake {
    /// Waits until it is set.
    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.is_set {
            return Poll::Ready(());
        }
        match &mut state.waiter {
            Some(waiter) => waiter.clone_from(cx.waker()),
            None => state.waiter = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// What `poll` comes to, or `None` once this is set.
    pub(super) async fn or<T>(&self, mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Option<T> {
        poll_fn(|cx| match self.poll(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => poll(cx).map(Some),
        })
        .await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for TaskWake {
    fn set(&self) {
        let mut state = self.state();
        state.is_set = true;
        let waiter = state.waiter.take();
        drop(state);
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }

    fn clear(&self) {
        self.state().is_set = false;
    }
}
