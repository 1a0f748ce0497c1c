//! One thread that owns the catalog, behind a queue of fixed length.
//!
//! A catalog that goes away for a while holds the requests back instead of failing them, so the jobs wait: their
//! connections read on only when their attributes are stored.

use super::{Attempt, Catalog};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use towline_core::catalog::{CatalogAnswer, CatalogError, CatalogErrorKind, CatalogRequest};
use towline_core::error::Code;
use towline_core::explain::complaint;

/// The pause before the first new attempt; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Takes the one answer to a request, on the worker's thread; it must not block.
pub type Reply = Box<dyn FnOnce(Result<CatalogAnswer, CatalogError>) + Send>;

/// Why a request was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhyNot {
    /// The queue is full: ask again when an answer has come.
    #[error("the catalog's queue is full")]
    Full,
    /// The worker has ended.
    #[error("the catalog's worker has ended")]
    Stopped,
}

/// A request that was not taken, given back.
pub struct SubmitError {
    /// Why.
    pub why: WhyNot,
    /// The request.
    pub request: CatalogRequest,
    /// Its reply, not called.
    pub reply: Reply,
}

impl std::fmt::Debug for SubmitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SubmitError").field("why", &self.why).finish_non_exhaustive()
    }
}

type Work = (CatalogRequest, Reply);

/// What to do while the catalog is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// So long after it went away requests are tried again; those that come later fail at their first attempt, until
    /// one succeeds.
    pub retry_for: Duration,
}

/// The worker. Dropping it answers all that was taken, then waits for the thread's end; a catalog that is away is not
/// waited for any more.
#[derive(Debug)]
pub struct CatalogWorker {
    queue: Option<SyncSender<Work>>,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl CatalogWorker {
    /// Starts the thread, with room for `depth` requests that wait.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start(catalog: Box<dyn Catalog>, depth: usize, patience: Patience) -> std::io::Result<Self> {
        let (queue, work) = sync_channel::<Work>(depth);
        let stopping = Arc::new(AtomicBool::new(false));
        let mut keeper = Keeper { catalog, patience, stopping: Arc::clone(&stopping), away: None };
        let thread = std::thread::Builder::new().name("catalog".to_owned()).spawn(move || {
            while let Ok((request, reply)) = work.recv() {
                reply(keeper.answer(&request));
            }
        })?;
        Ok(Self { queue: Some(queue), stopping, thread: Some(thread) })
    }

    /// Queues a request without waiting. `reply` is called exactly once if it is taken.
    ///
    /// # Errors
    /// Both are given back when the queue is full or the worker has ended.
    pub fn submit(&self, request: CatalogRequest, reply: Reply) -> Result<(), Box<SubmitError>> {
        let Some(queue) = &self.queue else {
            return Err(Box::new(SubmitError { why: WhyNot::Stopped, request, reply }));
        };
        queue.try_send((request, reply)).map_err(|error| {
            let (why, (request, reply)) = match error {
                TrySendError::Full(work) => (WhyNot::Full, work),
                TrySendError::Disconnected(work) => (WhyNot::Stopped, work),
            };
            Box::new(SubmitError { why, request, reply })
        })
    }
}

impl Drop for CatalogWorker {
    fn drop(&mut self) {
        self.queue = None;
        self.stopping.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The replies run on the thread; if one of them panicked there is nobody left to tell.
            let _ended = thread.join();
        }
    }
}

/// The thread's own: the catalog, and since when it is away.
struct Keeper {
    catalog: Box<dyn Catalog>,
    patience: Patience,
    stopping: Arc<AtomicBool>,
    away: Option<Instant>,
}

impl Keeper {
    fn answer(&mut self, request: &CatalogRequest) -> Result<CatalogAnswer, CatalogError> {
        let mut attempt = Attempt::First;
        let mut pause = FIRST_PAUSE;
        loop {
            match self.attempt(request, attempt) {
                Err(error) if error.kind.may_come_back() => {
                    let now = Instant::now();
                    let since = *self.away.get_or_insert_with(|| {
                        let text = format!("the catalog is away, jobs wait for it: {}", error.text);
                        tracing::warn!("{}", complaint(Code(917), &text));
                        now
                    });
                    let left = (since + self.patience.retry_for).saturating_duration_since(now);
                    if left.is_zero() || self.stopping.load(Ordering::Acquire) {
                        return Err(self.given_up(&error, now - since));
                    }
                    std::thread::park_timeout(pause.min(left));
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    attempt = Attempt::Again;
                }
                done => {
                    if let Some(since) = self.away.take() {
                        tracing::info!("the catalog is back after {} s", since.elapsed().as_secs());
                    }
                    return done;
                }
            }
        }
    }

    fn given_up(&self, error: &CatalogError, away: Duration) -> CatalogError {
        let text = format!("{} (away for {} s)", error.text, away.as_secs());
        CatalogError::new(error.kind, text)
    }

    fn attempt(&mut self, request: &CatalogRequest, attempt: Attempt) -> Result<CatalogAnswer, CatalogError> {
        // A mistake in the engine must not leave this request and all after it without an answer. An engine's
        // transaction rolls back as it unwinds, so the next request finds whole rows.
        catch_unwind(AssertUnwindSafe(|| self.catalog.handle(request, attempt)))
            .unwrap_or_else(|_| Err(CatalogError::new(CatalogErrorKind::Bug, "the catalog's engine panicked")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// Says when it has a request in its hands, then waits for a permit.
    struct Gate {
        entered: Sender<()>,
        permit: Receiver<()>,
    }

    impl Catalog for Gate {
        fn handle(&mut self, request: &CatalogRequest, _: Attempt) -> Result<CatalogAnswer, CatalogError> {
            let _unwatched = self.entered.send(());
            self.permit.recv().unwrap();
            match request {
                CatalogRequest::DeleteNullJobMedia { job_id: 0 } => panic!("as asked"),
                CatalogRequest::DeleteNullJobMedia { job_id } => Ok(CatalogAnswer::Id(*job_id)),
                _ => Ok(CatalogAnswer::Done),
            }
        }
    }

    fn gated(depth: usize) -> (CatalogWorker, Receiver<()>, Sender<()>) {
        let (entered, seen) = channel();
        let (permit, gate) = channel();
        let patience = Patience { retry_for: Duration::ZERO };
        (CatalogWorker::start(Box::new(Gate { entered, permit: gate }), depth, patience).unwrap(), seen, permit)
    }

    fn ask(worker: &CatalogWorker, job_id: u32, answers: &Sender<CatalogAnswer>) -> Result<(), Box<SubmitError>> {
        let answers = answers.clone();
        let reply = Box::new(move |answer: Result<_, _>| {
            let _closed = answers.send(answer.unwrap_or(CatalogAnswer::Changed(99)));
        });
        worker.submit(CatalogRequest::DeleteNullJobMedia { job_id }, reply)
    }

    #[test]
    fn a_full_queue_gives_the_request_back_at_once() {
        let (worker, entered, permit) = gated(1);
        let (answers, seen) = channel();
        ask(&worker, 1, &answers).unwrap();
        entered.recv().unwrap();
        ask(&worker, 2, &answers).unwrap();
        let refused = ask(&worker, 3, &answers).unwrap_err();
        assert_eq!(refused.why, WhyNot::Full);
        assert_eq!(refused.request, CatalogRequest::DeleteNullJobMedia { job_id: 3 });
        permit.send(()).unwrap();
        permit.send(()).unwrap();
        assert_eq!(seen.recv().unwrap(), CatalogAnswer::Id(1));
        assert_eq!(seen.recv().unwrap(), CatalogAnswer::Id(2));
    }

    #[test]
    fn everything_taken_is_answered_before_the_worker_ends() {
        let (worker, _entered, permit) = gated(8);
        let (answers, seen) = channel();
        for id in 1..=5 {
            ask(&worker, id, &answers).unwrap();
            permit.send(()).unwrap();
        }
        drop(worker);
        drop(answers);
        assert_eq!(seen.iter().collect::<Vec<_>>(), (1..=5).map(CatalogAnswer::Id).collect::<Vec<_>>());
    }

    #[test]
    fn a_panic_in_the_engine_is_an_answer_and_the_next_request_works() {
        let (worker, _entered, permit) = gated(8);
        let (answers, seen) = channel();
        for id in [0, 7] {
            ask(&worker, id, &answers).unwrap();
            permit.send(()).unwrap();
        }
        assert_eq!(seen.recv().unwrap(), CatalogAnswer::Changed(99));
        assert_eq!(seen.recv().unwrap(), CatalogAnswer::Id(7));
    }

    /// Is away for so many attempts, then answers with the number of attempts before.
    struct Absent {
        attempts: u32,
        back_after: u32,
        seen: Sender<Attempt>,
    }

    impl Catalog for Absent {
        fn handle(&mut self, _: &CatalogRequest, attempt: Attempt) -> Result<CatalogAnswer, CatalogError> {
            self.attempts += 1;
            let _unwatched = self.seen.send(attempt);
            if self.attempts <= self.back_after {
                return Err(CatalogError::new(CatalogErrorKind::Unreachable, "as asked"));
            }
            Ok(CatalogAnswer::Id(self.attempts - 1))
        }
    }

    type Answer = Result<CatalogAnswer, CatalogError>;

    fn absent(back_after: u32, retry_for: Duration) -> (CatalogWorker, Receiver<Attempt>) {
        let (seen, attempts) = channel();
        let engine = Absent { attempts: 0, back_after, seen };
        (CatalogWorker::start(Box::new(engine), 8, Patience { retry_for }).unwrap(), attempts)
    }

    fn whole_answer(worker: &CatalogWorker) -> Receiver<Answer> {
        let (answers, seen) = channel();
        let reply = Box::new(move |answer| drop(answers.send(answer)));
        worker.submit(CatalogRequest::MaxMediaId, reply).unwrap();
        seen
    }

    #[test]
    fn a_catalog_that_is_away_is_asked_again_until_it_is_back() {
        let (worker, attempts) = absent(3, Duration::from_secs(600));
        assert_eq!(whole_answer(&worker).recv().unwrap(), Ok(CatalogAnswer::Id(3)));
        let expected = [Attempt::First, Attempt::Again, Attempt::Again, Attempt::Again];
        assert_eq!(attempts.try_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_catalog_that_stays_away_fails_requests_after_the_time_and_then_each_at_once() {
        let (worker, attempts) = absent(u32::MAX, Duration::from_millis(120));
        let first = whole_answer(&worker);
        let second = whole_answer(&worker);
        let error = first.recv().unwrap().unwrap_err();
        assert_eq!(error.kind, CatalogErrorKind::Unreachable);
        assert!(error.text.contains("away for"), "{error}");
        assert!(second.recv().unwrap().is_err());
        let attempts: Vec<_> = attempts.try_iter().collect();
        assert!(attempts.len() > 2, "{attempts:?}");
        let news = attempts.iter().filter(|attempt| **attempt == Attempt::First).count();
        assert_eq!((news, attempts.last()), (2, Some(&Attempt::First)), "the second one is tried once: {attempts:?}");
    }

    #[test]
    fn a_worker_that_ends_does_not_wait_for_a_catalog_that_is_away() {
        let (worker, attempts) = absent(u32::MAX, Duration::from_secs(100_000));
        let answer = whole_answer(&worker);
        attempts.recv().unwrap();
        drop(worker);
        assert_eq!(answer.recv().unwrap().unwrap_err().kind, CatalogErrorKind::Unreachable);
    }
}
