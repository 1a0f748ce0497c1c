//! What a connection's thread or task owns, and the node's way to it.

use std::sync::Arc;

use towline_core::conn::{Conn, FromConn};
use towline_core::drive::{Hands, Mail, Mailbox, NodeMail, Outlet, Pump, Stream, Wait};
use towline_core::event::Event;
use towline_core::ids::{ConnId, WorkId};
use towline_core::work::Work;

use super::Clock;
use super::mailbox::{ConnBox, NodeBox};
use super::run::Base;
use super::wake::Wake;

/// A connection with its socket: a thread or a task takes its [`turn`](Self::turn)s and waits in between.
pub struct Connection<S, W: Wake, N> {
    /// Its socket.
    pub stream: S,
    pump: Pump,
    mailbox: Arc<ConnBox<W>>,
    /// Empty between two turns: its room is used again.
    mail: Mailbox,
    clock: Clock,
    out: Out<W, N>,
}

impl<S: Stream, W: Wake, N: Send + 'static> Connection<S, W, N> {
    /// A connection that is woken by `wake`, and the way to it.
    pub fn new(conn: Box<Conn>, stream: S, wake: W, base: &Base<N>) -> (Self, Line<W>) {
        let mailbox = Arc::new(ConnBox::new(wake));
        let line = Line(Arc::clone(&mailbox));
        let out = Out {
            conn: conn.id(),
            node: Arc::clone(&base.node),
            hands: Arc::clone(&base.hands),
            mailbox: Arc::clone(&mailbox),
        };
        (Self { stream, pump: Pump::new(*conn), mailbox, mail: Mailbox::default(), clock: base.clock, out }, line)
    }

    /// Empties the mailbox and drives the connection as far as it goes without waiting: what to wait for, besides
    /// [`wake`](Self::wake); `None` at its end.
    pub fn turn(&mut self) -> Option<Wait> {
        let Self { stream, pump, mailbox, mail, clock, out } = self;
        let is_cut = mailbox.take(mail);
        while let Some(mail) = mail.take() {
            pump.deliver(mail, clock.now(), out);
        }
        if is_cut {
            pump.cut(clock.now(), out);
            return None;
        }
        let wanted = pump.turn(stream, || clock.now(), out);
        (!wanted.end).then_some(wanted)
    }

    /// The clock of its times.
    pub const fn clock(&self) -> Clock {
        self.clock
    }

    /// What wakes it when its mailbox has something.
    pub fn wake(&self) -> &W {
        self.mailbox.wake()
    }
}

impl<S, W: Wake, N> Drop for Connection<S, W, N> {
    fn drop(&mut self) {
        self.mailbox.end();
    }
}

impl<S, W: Wake, N> std::fmt::Debug for Connection<S, W, N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("pump", &self.pump).finish_non_exhaustive()
    }
}

/// The node's way to a connection. Dropping it ends the connection at once.
#[derive(Debug)]
pub struct Line<W: Wake>(Arc<ConnBox<W>>);

impl<W: Wake> Line<W> {
    /// Posts to the connection's mailbox; false if that does not take it or the connection has ended.
    pub fn post(&self, mail: Mail) -> bool {
        self.0.post(mail)
    }
}

impl<W: Wake> Drop for Line<W> {
    fn drop(&mut self) {
        self.0.cut();
    }
}

/// Where a connection's messages and work go.
struct Out<W: Wake, N> {
    conn: ConnId,
    node: Arc<NodeBox<N>>,
    hands: Arc<dyn Hands>,
    mailbox: Arc<ConnBox<W>>,
}

impl<W: Wake, N> Outlet for Out<W, N> {
    fn message(&mut self, message: FromConn) {
        self.node.post(NodeMail::Event(Event::FromConn { conn: self.conn, message }));
    }

    fn work(&mut self, work: WorkId, request: Work) {
        let mailbox = Arc::clone(&self.mailbox);
        self.hands.submit(request, Box::new(move |done| _ = mailbox.post(Mail::Done(work, done))));
    }
}
