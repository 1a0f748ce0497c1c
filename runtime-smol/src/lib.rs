//! Drives the Towline core on smol.
//!
//! The caller of `run` owns the node; each connection is a task that owns its `Conn`, as is each dial and each listener.
//! What they do is [`tasks`] of the shared part; here is what smol adds to it.
//! The tasks run on an executor of this adapter's own, whose threads end with `run`.
#![cfg_attr(not(test), warn(clippy::expect_used))]

mod executor;

use std::future::Future;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use async_io::{Async, Timer};
use smol::Executor;
use towline_core::conn::Side;
use towline_core::drive::{Hands, Injector, Runtime, would_block};
use towline_core::node::{Node, Role};
use towline_core::notice::{ExitReason, Level, Notice};
use towline_runtime_blocking::shared::tasks::{self, Tasks};

use crate::executor::Threads;

/// Drives a node on smol.
#[derive(Clone, Copy, Debug, Default)]
pub struct Smol;

impl Runtime for Smol {
    fn name(&self) -> &'static str {
        "smol"
    }

    fn run<R: Role>(
        &self,
        node: Node<R>,
        hands: Arc<dyn Hands>,
        started: Box<dyn FnOnce(Injector) + Send>,
    ) -> ExitReason {
        match Threads::start() {
            Ok(threads) => tasks::run(Workers(threads.executor()), node, hands, started),
            Err(error) => {
                let text = format!("the system has no thread left: {error}");
                hands.notify(Notice::Log { level: Level::Error, cause: None, text });
                ExitReason::Failed(1)
            }
        }
    }
}

/// The executor's threads.
#[derive(Clone)]
struct Workers(Arc<Executor<'static>>);

impl Tasks for Workers {
    type Stream = Async<TcpStream>;
    type Listener = Async<TcpListener>;
    type Alarm = Alarm;

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(task).detach();
    }

    fn stream(socket: TcpStream) -> io::Result<Async<TcpStream>> {
        Async::new_nonblocking(socket)
    }

    fn listener(socket: TcpListener) -> io::Result<Async<TcpListener>> {
        Async::new_nonblocking(socket)
    }

    fn poll_accept(listener: &Async<TcpListener>, cx: &mut Context<'_>) -> Poll<io::Result<Async<TcpStream>>> {
        loop {
            match listener.get_ref().accept() {
                Err(error) if would_block(&error) => ready!(listener.poll_readable(cx))?,
                came => return Poll::Ready(came.and_then(|(stream, _)| Async::new(stream))),
            }
        }
    }

    fn poll_ready(stream: &Async<TcpStream>, side: Side, cx: &mut Context<'_>) -> Poll<()> {
        match side {
            Side::Read => stream.poll_readable(cx).map(drop),
            Side::Write => stream.poll_writable(cx).map(drop),
        }
    }

    fn try_io<T>(_stream: &Async<TcpStream>, _side: Side, call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        call()
    }
}

/// Smol's timer.
struct Alarm(Timer);

impl tasks::Alarm for Alarm {
    fn new() -> Self {
        Self(Timer::never())
    }

    fn set(&mut self, at: Option<std::time::Instant>) {
        match at {
            Some(at) => self.0.set_at(at),
            None => self.0 = Timer::never(),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        std::pin::Pin::new(&mut self.0).poll(cx).map(drop)
    }
}
