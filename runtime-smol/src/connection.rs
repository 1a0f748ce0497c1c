//! The connection pump: a task per connection.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use async_channel::{Receiver, Sender, TryRecvError};
use async_io::Async;
use smol::future::{or, pending};
use towline_core::conn::{Flight, FromConn};
use towline_core::drive::{Hands, Mail, NodeMail, Outlet, Pump, Stream, Wait};
use towline_core::event::Event;
use towline_core::ids::{ConnId, WorkId};
use towline_core::socket::SocketOptions;
use towline_core::work::Work;
use towline_runtime_blocking::system::{Clock, flight, socket};

use crate::timer::Timer;

/// What comes to a connection's mailbox.
#[derive(Debug)]
pub(crate) enum Post {
    Mail(Mail),
    Keepalive(SocketOptions),
}

/// A connection's task.
pub(crate) struct Connection {
    pub(crate) pump: Pump,
    pub(crate) stream: Socket,
    pub(crate) mailbox: Receiver<Post>,
    /// Bounded by the connection: it asked for each.
    pub(crate) done: Receiver<Mail>,
    pub(crate) clock: Clock,
    pub(crate) out: Out,
}

impl Connection {
    /// Drives the connection to its end.
    pub(crate) async fn drive(mut self) {
        let mut timer = Timer::new(self.clock);
        while self.empty_mailbox() {
            let wanted = self.pump.turn(&mut self.stream, || self.clock.now(), &mut self.out);
            if wanted.end {
                return;
            }
            if wanted.again {
                smol::future::yield_now().await;
            } else if let Some(post) = self.rest(wanted, &mut timer).await {
                self.take(post);
            }
        }
        self.pump.cut(self.clock.now(), &mut self.out);
    }

    /// False once nothing comes from the node any more.
    fn empty_mailbox(&mut self) -> bool {
        loop {
            match self.mailbox.try_recv() {
                Ok(post) => self.take(post),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Closed) => return false,
            }
        }
        while let Ok(done) = self.done.try_recv() {
            self.take(Post::Mail(done));
        }
        true
    }

    fn take(&mut self, post: Post) {
        match post {
            Post::Mail(mail) => self.pump.deliver(mail, self.clock.now(), &mut self.out),
            Post::Keepalive(options) => socket::set_keepalive(&self.stream.0, options),
        }
    }

    async fn rest(&mut self, wanted: Wait, timer: &mut Timer) -> Option<Post> {
        let Self { mailbox, done, stream, .. } = self;
        timer.arm(wanted.until);
        let post = async { mailbox.recv().await.ok() };
        let done = async { done.recv().await.ok().map(Post::Mail) };
        let ready = async {
            stream.ready(wanted).await;
            None
        };
        let due = async {
            timer.wait().await;
            None
        };
        or(or(post, done), or(ready, due)).await
    }
}

/// A non-blocking socket.
#[derive(Debug)]
pub(crate) struct Socket(pub(crate) Async<TcpStream>);

impl Socket {
    /// It fails only when the reactor refuses the socket; the read or write that follows says so.
    async fn ready(&self, wanted: Wait) {
        let readable = async {
            match wanted.read {
                true => drop(self.0.readable().await),
                false => pending().await,
            }
        };
        let writable = async {
            match wanted.write {
                true => drop(self.0.writable().await),
                false => pending().await,
            }
        };
        or(readable, writable).await;
    }
}

impl Stream for Socket {
    fn try_read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        self.0.get_ref().read(space)
    }

    fn try_write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.get_ref().write_vectored(slices)
    }

    fn shut_write(&mut self) {
        socket::shut_write(&self.0);
    }

    fn flight(&mut self) -> Option<Flight> {
        flight(&self.0)
    }
}

/// Where a connection's messages and work go.
pub(crate) struct Out {
    pub(crate) conn: ConnId,
    pub(crate) node: Sender<NodeMail<Async<TcpStream>>>,
    pub(crate) hands: Arc<dyn Hands>,
    pub(crate) done: Sender<Mail>,
}

impl Outlet for Out {
    fn message(&mut self, message: FromConn) {
        // A node that has ended does not care.
        let _ = self.node.try_send(NodeMail::Event(Event::FromConn { conn: self.conn, message }));
    }

    fn work(&mut self, work: WorkId, request: Work) {
        let mailbox = self.done.clone();
        let reply = move |done| drop(mailbox.try_send(Mail::Done(work, done)));
        self.hands.submit(request, Box::new(reply));
    }
}
