//! The connection pump: a task per connection.

use std::io::{self, IoSlice};
use std::sync::Arc;

use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{self, error::TryRecvError};
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
    pub(crate) mailbox: mpsc::Receiver<Post>,
    /// Bounded by the connection: it asked for each.
    pub(crate) done: mpsc::UnboundedReceiver<Mail>,
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
                tokio::task::yield_now().await;
            } else {
                self.rest(wanted, &mut timer).await;
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
                Err(TryRecvError::Disconnected) => return false,
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

    async fn rest(&mut self, wanted: Wait, timer: &mut Timer) {
        timer.arm(wanted.until);
        tokio::select! {
            post = self.mailbox.recv() => {
                if let Some(post) = post {
                    self.take(post);
                }
            }
            Some(done) = self.done.recv() => self.take(Post::Mail(done)),
            () = self.stream.ready(wanted) => {}
            () = timer.wait() => {}
        }
    }
}

/// A non-blocking socket.
#[derive(Debug)]
pub(crate) struct Socket(pub(crate) TcpStream);

impl Socket {
    async fn ready(&self, wanted: Wait) {
        let interest = match (wanted.read, wanted.write) {
            (true, true) => Interest::READABLE | Interest::WRITABLE,
            (true, false) => Interest::READABLE,
            (false, true) => Interest::WRITABLE,
            (false, false) => return std::future::pending().await,
        };
        // It fails only when the runtime shuts down; the read or write that follows says so.
        let _ = self.0.ready(interest).await;
    }
}

impl Stream for Socket {
    fn try_read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(space)
    }

    fn try_write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
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
    pub(crate) node: mpsc::UnboundedSender<NodeMail<TcpStream>>,
    pub(crate) hands: Arc<dyn Hands>,
    pub(crate) done: mpsc::UnboundedSender<Mail>,
}

impl Outlet for Out {
    fn message(&mut self, message: FromConn) {
        // A node that has ended does not care.
        let _ = self.node.send(NodeMail::Event(Event::FromConn { conn: self.conn, message }));
    }

    fn work(&mut self, work: WorkId, request: Work) {
        let mailbox = self.done.clone();
        let reply = move |done| drop(mailbox.send(Mail::Done(work, done)));
        self.hands.submit(request, Box::new(reply));
    }
}
