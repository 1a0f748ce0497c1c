//! One thread that owns the catalog, behind a queue of fixed length.

use super::Catalog;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use towline_core::role::director::catalog::{CatalogAnswer, CatalogError, CatalogErrorKind, CatalogRequest};

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

/// The worker. Dropping it answers all that was taken, then waits for the thread's end.
#[derive(Debug)]
pub struct CatalogWorker {
    queue: Option<SyncSender<Work>>,
    thread: Option<JoinHandle<()>>,
}

impl CatalogWorker {
    /// Starts the thread, with room for `depth` requests that wait.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(catalog: Box<dyn Catalog>, depth: usize) -> std::io::Result<Self> {
        let (queue, work) = sync_channel(depth);
        let thread = std::thread::Builder::new().name("catalog".to_owned()).spawn(move || run(catalog, &work))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
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
        if let Some(thread) = self.thread.take() {
            // The replies run on the thread; if one of them panicked there is nobody left to tell.
            let _ended = thread.join();
        }
    }
}

fn run(mut catalog: Box<dyn Catalog>, work: &Receiver<Work>) {
    while let Ok((request, reply)) = work.recv() {
        // A mistake in the engine must not leave this request and all after it without an answer. An engine's
        // transaction rolls back as it unwinds, so the next request finds whole rows.
        let answer = catch_unwind(AssertUnwindSafe(|| catalog.handle(request)))
            .unwrap_or_else(|_| Err(CatalogError::new(CatalogErrorKind::Bug, "the catalog's engine panicked")));
        reply(answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Sender, channel};

    /// Says when it has a request in its hands, then waits for a permit.
    struct Gate {
        entered: Sender<()>,
        permit: Receiver<()>,
    }

    impl Catalog for Gate {
        fn handle(&mut self, request: CatalogRequest) -> Result<CatalogAnswer, CatalogError> {
            let _unwatched = self.entered.send(());
            self.permit.recv().unwrap();
            match request {
                CatalogRequest::DeleteNullJobMedia { job_id: 0 } => panic!("as asked"),
                CatalogRequest::DeleteNullJobMedia { job_id } => Ok(CatalogAnswer::Id(job_id)),
                _ => Ok(CatalogAnswer::Done),
            }
        }
    }

    fn gated(depth: usize) -> (CatalogWorker, Receiver<()>, Sender<()>) {
        let (entered, seen) = channel();
        let (permit, gate) = channel();
        (CatalogWorker::start(Box::new(Gate { entered, permit: gate }), depth).unwrap(), seen, permit)
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
}
