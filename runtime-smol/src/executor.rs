//! Threads for the tasks.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use smol::Executor;
use smol::channel::{Sender, bounded};

/// Runs tasks until it is dropped.
#[derive(Debug)]
pub(crate) struct Threads {
    executor: Arc<Executor<'static>>,
    /// Closed by dropping: the threads wait for that.
    running: Option<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl Threads {
    /// One thread per processor.
    pub(crate) fn start() -> io::Result<Self> {
        let (running, over) = bounded::<()>(1);
        let mut threads = Self { executor: Arc::default(), running: Some(running), threads: Vec::new() };
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            let (executor, over) = (Arc::clone(&threads.executor), over.clone());
            let body = move || {
                let _ = smol::block_on(executor.run(over.recv()));
            };
            threads.threads.push(std::thread::Builder::new().name("smol".into()).spawn(body)?);
        }
        Ok(threads)
    }

    pub(crate) fn executor(&self) -> Arc<Executor<'static>> {
        Arc::clone(&self.executor)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.running = None;
        for thread in self.threads.drain(..) {
            // A panic in there has printed itself.
            let _ = thread.join();
        }
    }
}
