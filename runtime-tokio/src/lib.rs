//! Drives the Towline core on tokio.
//!
//! The caller of `run` owns the node; each connection is a task that owns its `Conn`, as is each dial and each listener.
//! What they do is [`tasks`] of the shared part; here is what tokio adds to it.
#![cfg_attr(not(test), warn(clippy::expect_used))]

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::Interest;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Handle};
use tokio::time::Sleep;
use towline_core::conn::Side;
use towline_core::drive::{Hands, Injector, Runtime};
use towline_core::node::{Node, Role};
use towline_core::notice::{ExitReason, Level, Notice};
use towline_runtime_blocking::shared::tasks::{self, Tasks};

/// Drives a node on tokio's multi-threaded runtime.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokio;

impl Runtime for Tokio {
    fn name(&self) -> &'static str {
        "tokio"
    }

    fn run<R: Role>(
        &self,
        node: Node<R>,
        hands: Arc<dyn Hands>,
        started: Box<dyn FnOnce(Injector) + Send>,
    ) -> ExitReason {
        match Builder::new_multi_thread().enable_io().enable_time().build() {
            Ok(runtime) => {
                // Listeners are made on this thread.
                let _context = runtime.enter();
                tasks::run(Workers(runtime.handle().clone()), node, hands, started)
            }
            Err(error) => {
                let text = format!("tokio does not start: {error}");
                hands.notify(Notice::Log { level: Level::Error, cause: None, text });
                ExitReason::Failed(1)
            }
        }
    }
}

/// Tokio's threads.
#[derive(Clone)]
struct Workers(Handle);

impl Tasks for Workers {
    type Stream = TcpStream;
    type Listener = TcpListener;
    type Alarm = Alarm;

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(task);
    }

    fn stream(socket: std::net::TcpStream) -> io::Result<TcpStream> {
        TcpStream::from_std(socket)
    }

    fn listener(socket: std::net::TcpListener) -> io::Result<TcpListener> {
        TcpListener::from_std(socket)
    }

    fn poll_accept(listener: &TcpListener, cx: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        listener.poll_accept(cx).map_ok(|(stream, _)| stream)
    }

    fn poll_ready(stream: &TcpStream, side: Side, cx: &mut Context<'_>) -> Poll<()> {
        match side {
            Side::Read => stream.poll_read_ready(cx).map(drop),
            Side::Write => stream.poll_write_ready(cx).map(drop),
        }
    }

    fn try_io<T>(stream: &TcpStream, side: Side, call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let interest = match side {
            Side::Read => Interest::READABLE,
            Side::Write => Interest::WRITABLE,
        };
        stream.try_io(interest, call)
    }
}

/// Tokio's timer; made with the first time that is set.
struct Alarm(Option<Pin<Box<Sleep>>>);

impl tasks::Alarm for Alarm {
    fn new() -> Self {
        Self(None)
    }

    fn set(&mut self, at: Option<std::time::Instant>) {
        match (at, &mut self.0) {
            (Some(at), Some(sleep)) => sleep.as_mut().reset(at.into()),
            (at, sleep) => *sleep = at.map(|at| Box::pin(tokio::time::sleep_until(at.into()))),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.0 {
            Some(sleep) => sleep.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }
}
