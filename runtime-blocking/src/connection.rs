//! The connection pump: a thread per connection.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::sync::Arc;

use towline_core::conn::{Flight, FromConn};
use towline_core::drive::{Hands, NodeMail, Outlet, Pump, Stream, Wait};
use towline_core::event::Event;
use towline_core::ids::{ConnId, WorkId};
use towline_core::work::Work;

use crate::mailbox::{ConnBox, NodeBox};
use crate::system::{Clock, flight, socket};
use crate::wake::{Readiness, Wake, wait};

/// Drives the connection to its end.
pub(crate) fn drive(mut pump: Pump, mut stream: Socket, mailbox: &ConnBox, clock: Clock, mut out: Out) {
    loop {
        let batch = mailbox.take();
        for mail in batch.mail {
            pump.deliver(mail, clock.now(), &mut out);
        }
        if let Some(options) = batch.keepalive {
            socket::set_keepalive(&stream.0, options);
        }
        if batch.cut {
            pump.cut(clock.now(), &mut out);
            break;
        }
        let wanted = pump.turn(&mut stream, || clock.now(), &mut out);
        if wanted.end {
            break;
        }
        if !wanted.again {
            rest(wanted, &stream, mailbox, clock);
        }
    }
    mailbox.end();
}

fn rest(wanted: Wait, stream: &Socket, mailbox: &ConnBox, clock: Clock) {
    let ready = Readiness { read: wanted.read, write: wanted.write };
    wait(&mailbox.wake, Some((stream.0.as_fd(), ready)), wanted.until.map(|at| clock.until(at)));
}

/// A connected socket with all the descriptors that its thread needs: who has one can drive it.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) stream: TcpStream,
    pub(crate) wake: Wake,
}

/// A non-blocking socket.
#[derive(Debug)]
pub(crate) struct Socket(pub(crate) TcpStream);

impl Stream for Socket {
    fn try_read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        self.0.read(space)
    }

    fn try_write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.write_vectored(slices)
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
    pub(crate) node: Arc<NodeBox>,
    pub(crate) hands: Arc<dyn Hands>,
    pub(crate) mailbox: Arc<ConnBox>,
}

impl Outlet for Out {
    fn message(&mut self, message: FromConn) {
        self.node.post(NodeMail::Event(Event::FromConn { conn: self.conn, message }));
    }

    fn work(&mut self, work: WorkId, request: Work) {
        let mailbox = Arc::clone(&self.mailbox);
        self.hands.submit(request, Box::new(move |done| mailbox.post_done(work, done)));
    }
}
