//! Where the director puts its state, and others look at it.

use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use towline_core::drive::Reply;
use towline_core::work::WorkDone;
use towline_core::work::health::Health;

/// How long the director may take to say its state.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is there to see, and who is to be told when it is wanted anew.
#[derive(Default)]
pub(super) struct Board {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    view: Option<Arc<View>>,
    /// The director waits for this; none while it makes another view.
    wanted: Option<Reply>,
}

/// How all was.
pub(super) struct View {
    pub(super) health: Health,
    at: Instant,
    json: OnceLock<String>,
}

impl View {
    pub(super) const fn new(health: Health, at: Instant) -> Self {
        Self { health, at, json: OnceLock::new() }
    }

    /// As JSON in one line, rendered once for all who look.
    pub(super) fn json(&self) -> &str {
        self.json.get_or_init(|| serde_json::to_string(&self.health).unwrap_or_default())
    }
}

impl Board {
    /// The director has something to show, at first nothing. Called on the thread of its node, so nothing is rendered here.
    pub(super) fn publish(&self, health: Option<Box<Health>>, reply: Reply) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(health) = health {
            state.view = Some(Arc::new(View::new(*health, Instant::now())));
        }
        state.wanted = Some(reply);
        drop(state);
        self.changed.notify_all();
    }

    /// How all is, or was so long ago. `None`: the director does not say.
    pub(super) fn look(&self, at_most: Duration) -> Option<Arc<View>> {
        self.look_within(at_most, PATIENCE)
    }

    fn look_within(&self, at_most: Duration, patience: Duration) -> Option<Arc<View>> {
        let begun = Instant::now();
        let end = begun + patience;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            // What was made since is new, however long it took to come here.
            if let Some(view) = state.view.as_ref().filter(|view| view.at + at_most >= begun) {
                return Some(Arc::clone(view));
            }
            if let Some(wanted) = state.wanted.take() {
                drop(state);
                wanted(WorkDone::Wanted);
                state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let left = end.checked_duration_since(Instant::now())?;
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    const LONG: Duration = Duration::from_secs(60);

    /// A director that shows how often it was asked.
    fn publish(board: &Arc<Board>, asked: &Arc<AtomicU32>, health: Option<Box<Health>>) {
        let (again, count) = (Arc::clone(board), Arc::clone(asked));
        board.publish(
            health,
            Box::new(move |done| {
                assert!(matches!(done, WorkDone::Wanted));
                let started = i64::from(count.fetch_add(1, Ordering::SeqCst) + 1);
                thread::spawn(move || publish(&again, &count, Some(Box::new(Health { started, ..Health::default() }))));
            }),
        );
    }

    #[test]
    fn whoever_looks_at_something_old_has_the_director_asked_once_for_all() {
        let (board, asked) = (Arc::new(Board::default()), Arc::new(AtomicU32::new(0)));
        // Before the director serves there is nobody to ask.
        assert!(board.look_within(LONG, Duration::ZERO).is_none());
        let early = Arc::clone(&board);
        let early = thread::spawn(move || early.look(LONG).map(|view| view.health.started));
        publish(&board, &asked, None);
        assert_eq!(early.join().unwrap(), Some(1));
        assert_eq!(board.look(LONG).map(|view| view.health.started), Some(1));
        assert_eq!(board.look(Duration::ZERO).map_or(0, |view| view.health.started), 2);
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        let view = board.look(LONG).unwrap();
        assert!(view.json().starts_with("{\"director\":\"\"") && !view.json().contains('\n'), "{}", view.json());
    }
}
