//! Threads for the tasks.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use async_channel::{Receiver, Sender};
use smol::Executor;

/// Runs tasks until it is dropped.
#[derive(Debug)]
pub(crate) struct Threads {
    executor: Arc<Executor<'static>>,
    /// Closed by dropping: the threads wait for that.
    running: Option<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

/// Starts tasks that [`Tasks::ended`] waits for.
#[derive(Clone, Debug)]
pub(crate) struct Spawner {
    executor: Arc<Executor<'static>>,
    alive: Sender<()>,
}

/// Says when all tasks have ended.
#[derive(Debug)]
pub(crate) struct Tasks(Receiver<()>);

impl Threads {
    /// One thread per processor.
    pub(crate) fn start() -> io::Result<Self> {
        let (running, over) = async_channel::bounded::<()>(1);
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

    pub(crate) fn spawner(&self) -> (Spawner, Tasks) {
        let (alive, ended) = async_channel::bounded(1);
        (Spawner { executor: Arc::clone(&self.executor), alive }, Tasks(ended))
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

impl Spawner {
    /// Starts a task that holds a socket.
    pub(crate) fn start(&self, task: impl Future<Output = ()> + Send + 'static) {
        let alive = self.alive.clone();
        self.start_loose(async move {
            let _alive = alive;
            task.await;
        });
    }

    /// Starts a task nobody waits for.
    pub(crate) fn start_loose(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.executor.spawn(task).detach();
    }
}

impl Tasks {
    /// Waits until every spawner and every task with a socket is gone.
    pub(crate) async fn ended(self) {
        while self.0.recv().await.is_ok() {}
    }
}
