//! The pump of one connection: what every adapter does with a [`Conn`] between two waits.

use std::io::{self, IoSlice};

use super::io::{io_kind, would_block};
use super::{Work, WorkDone};
use crate::conn::{CloseReason, Conn, Flight, FromConn, Inspection, Side, ToConn};
use crate::ids::{ConnId, WorkId};
use crate::socket::{IoKind, SocketOptions};
use crate::time::Instant;

/// Bytes read, and bytes written, before the rest of a turn gets its chance.
pub const BUDGET: usize = 1024 * 1024;

/// A connected socket that never waits: a call that would have to fails with `ErrorKind::WouldBlock`.
pub trait Stream {
    /// Reads into `space`; 0 at the end of what the peer sends.
    ///
    /// # Errors
    /// `WouldBlock`, or what the system says of the connection.
    fn try_read(&mut self, space: &mut [u8]) -> io::Result<usize>;

    /// Writes from the slices in order, as many bytes as fit.
    ///
    /// # Errors
    /// `WouldBlock`, or what the system says of the connection.
    fn try_write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Shuts the write half down.
    fn shut_write(&mut self);
    /// Sets TCP keepalive.
    fn set_keepalive(&mut self, options: SocketOptions);
    /// What is under way; `None` if the system does not say.
    fn flight(&mut self) -> Option<Flight>;
}

/// Where a connection's messages and work go. Neither may wait.
pub trait Outlet {
    /// To the node, in this order.
    fn message(&mut self, message: FromConn);
    /// To the hands, which answer to this connection's mailbox with [`Mail::Done`].
    fn work(&mut self, work: WorkId, request: Work);
}

/// What comes to a connection's mailbox.
#[derive(Debug)]
pub enum Mail {
    /// From the node.
    Message(ToConn),
    /// From the node, for the socket.
    Keepalive(SocketOptions),
    /// From the hands.
    Done(WorkId, WorkDone),
}

/// What to wait for after a turn. The mailbox always counts too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wait {
    /// Until the socket can be read.
    pub read: bool,
    /// Until the socket can be written.
    pub write: bool,
    /// Until this time.
    pub until: Option<Instant>,
    /// Do not wait: the budget ran out before the socket did.
    pub again: bool,
    /// The connection has ended: close its socket.
    pub end: bool,
}

/// Turns of all pumps of the process: what a connection that spins cannot hide.
#[cfg(feature = "conformance")]
pub static TURNS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

/// Why reading or writing stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopped {
    /// The socket would have to wait.
    Blocked,
    /// The connection has no room, or nothing to write.
    Idle,
    /// The budget ran out.
    Budget,
}

/// Owns a [`Conn`] for the adapter's task.
#[derive(Debug)]
pub struct Pump {
    conn: Conn,
    /// For the socket, at the next turn.
    keepalive: Option<SocketOptions>,
    budget: usize,
    write_shut: bool,
    said_closed: bool,
}

impl Pump {
    /// What its connection holds now.
    #[must_use]
    pub fn inspect(&self) -> Inspection {
        self.conn.inspect()
    }

    /// Takes the connection over.
    #[must_use]
    pub const fn new(conn: Conn) -> Self {
        Self { conn, keepalive: None, budget: BUDGET, write_shut: false, said_closed: false }
    }

    /// Reads, and writes, at most so many bytes in a turn: small budgets are for tests, where no socket holds [`BUDGET`].
    #[must_use]
    pub const fn with_budget(mut self, bytes: usize) -> Self {
        self.budget = bytes;
        self
    }

    /// The connection's name.
    #[must_use]
    pub const fn id(&self) -> ConnId {
        self.conn.id()
    }

    /// Takes something out of the mailbox. Call [`turn`](Self::turn) when the mailbox is empty.
    pub fn deliver(&mut self, mail: Mail, now: Instant, out: &mut impl Outlet) {
        match mail {
            Mail::Message(message) => self.conn.handle_message(message, now),
            Mail::Keepalive(options) => self.keepalive = Some(options),
            Mail::Done(work, done) => self.conn.handle_done(work, done, now),
        }
        self.drain(out);
    }

    /// Keepalive, due timers, then reading until blocked, writing until blocked, half-close, messages and work out.
    pub fn turn(&mut self, stream: &mut impl Stream, clock: impl Fn() -> Instant, out: &mut impl Outlet) -> Wait {
        #[cfg(feature = "conformance")]
        TURNS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if let Some(options) = self.keepalive.take() {
            stream.set_keepalive(options);
        }
        let now = clock();
        if self.conn.poll_timeout().is_some_and(|deadline| deadline.at <= now) {
            self.conn.handle_timeout(now);
            self.drain(out);
        }
        if self.conn.wants_flight() {
            self.conn.on_flight(stream.flight(), now);
            self.drain(out);
        }
        let reading = self.read(stream, &clock, out);
        let writing = self.write(stream, &clock, out);
        if self.conn.wants().shut_write && !self.write_shut {
            self.write_shut = true;
            stream.shut_write();
        }
        self.drain(out);
        self.wait(reading == Stopped::Budget || writing == Stopped::Budget, writing == Stopped::Blocked, out)
    }

    /// The line to the node is cut: ends the connection at once, and says so.
    pub fn cut(&mut self, now: Instant, out: &mut impl Outlet) {
        self.conn.handle_message(ToConn::Abort, now);
        self.drain(out);
        self.forward(FromConn::Closed(CloseReason::Aborted), out);
    }

    fn wait(&mut self, again: bool, write_blocked: bool, out: &mut impl Outlet) -> Wait {
        let wants = self.conn.wants();
        if wants.close {
            // The node must hear of every end, or it keeps the connection in its books for ever.
            self.forward(FromConn::Closed(CloseReason::Aborted), out);
        }
        Wait {
            // A connection that offers no space, or nothing to write, is not to be woken for it.
            read: wants.read && !self.conn.read_space().is_empty(),
            write: wants.write && write_blocked,
            until: self.conn.poll_timeout().map(|deadline| deadline.at),
            again: again && !wants.close,
            end: wants.close,
        }
    }

    fn read(&mut self, stream: &mut impl Stream, clock: &impl Fn() -> Instant, out: &mut impl Outlet) -> Stopped {
        let mut left = self.budget;
        while self.conn.wants().read {
            let space = self.conn.read_space();
            let room = space.len();
            if room == 0 {
                return Stopped::Idle;
            }
            if left == 0 {
                return Stopped::Budget;
            }
            match stream.try_read(space) {
                Ok(n) => {
                    left = left.saturating_sub(n);
                    self.conn.on_read(n, clock());
                }
                Err(error) if would_block(&error) => return Stopped::Blocked,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.conn.on_failed(Side::Read, io_kind(&error), clock()),
            }
            self.drain(out);
        }
        Stopped::Idle
    }

    fn write(&mut self, stream: &mut impl Stream, clock: &impl Fn() -> Instant, out: &mut impl Outlet) -> Stopped {
        let mut left = self.budget;
        while self.conn.wants().write {
            if left == 0 {
                return Stopped::Budget;
            }
            let transmit = self.conn.transmit(left);
            if transmit.iter().all(|slice| slice.is_empty()) {
                return Stopped::Idle;
            }
            match stream.try_write(&transmit) {
                Ok(0) => self.conn.on_failed(Side::Write, IoKind::Other, clock()),
                Ok(n) => {
                    left = left.saturating_sub(n);
                    self.conn.on_written(n, clock());
                }
                Err(error) if would_block(&error) => return Stopped::Blocked,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.conn.on_failed(Side::Write, io_kind(&error), clock()),
            }
            self.drain(out);
        }
        Stopped::Idle
    }

    fn drain(&mut self, out: &mut impl Outlet) {
        while let Some(message) = self.conn.poll_message() {
            self.forward(message, out);
        }
        while let Some((work, request)) = self.conn.poll_work() {
            out.work(work, request);
        }
    }

    /// Nothing follows `Closed`.
    fn forward(&mut self, message: FromConn, out: &mut impl Outlet) {
        if !self.said_closed {
            self.said_closed = matches!(message, FromConn::Closed(_));
            out.message(message);
        }
    }
}
