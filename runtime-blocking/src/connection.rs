//! A thread's connection and its socket.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;

use towline_core::conn::Flight;
use towline_core::drive::Stream;
use towline_core::socket::SocketOptions;

use crate::shared::{Connection, flight, socket};
use crate::wake::{Readiness, WakeFd, wait};

/// Drives the connection to its end.
pub(crate) fn drive(mut connection: Connection<Socket, WakeFd, Held>) {
    while let Some(wanted) = connection.turn() {
        if !wanted.again {
            let ready = Readiness { read: wanted.read, write: wanted.write };
            let within = wanted.until.map(|at| connection.clock().until(at));
            wait(connection.wake(), Some((connection.stream.0.as_fd(), ready)), within);
        }
    }
}

/// A connected socket with all the descriptors that its thread needs: who has one can drive it.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) stream: TcpStream,
    pub(crate) wake: WakeFd,
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

    fn set_keepalive(&mut self, options: SocketOptions) {
        socket::set_keepalive(&self.0, options);
    }

    fn flight(&mut self) -> Option<Flight> {
        flight(&self.0)
    }
}
