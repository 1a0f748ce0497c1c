//! A task's connection and its socket.

use std::future::poll_fn;
use std::io::{self, IoSlice, Read, Write};
use std::task::{Context, Poll};

use socket2::SockRef;
use towline_core::conn::{Flight, Side};
use towline_core::drive::{Stream, Wait};
use towline_core::socket::SocketOptions;

use super::Tasks;
use super::timer::Timer;
use super::wake::TaskWake;
use crate::shared::{Connection, flight, socket};

/// Drives the connection to its end.
pub(super) async fn drive<T: Tasks>(mut connection: Connection<Socket<T>, TaskWake, T::Stream>) {
    let mut timer = Timer::<T::Alarm>::new(connection.clock());
    while let Some(wanted) = connection.turn() {
        if wanted.again {
            give_way().await;
        } else {
            timer.arm(wanted.until);
            let (wake, stream) = (connection.wake(), &connection.stream.0);
            poll_fn(|cx| poll_rest::<T>(wake, stream, wanted, &mut timer, cx)).await;
        }
    }
}

/// The mailbox, the socket or the time, whichever comes first.
fn poll_rest<T: Tasks>(
    wake: &TaskWake,
    stream: &T::Stream,
    wanted: Wait,
    timer: &mut Timer<T::Alarm>,
    cx: &mut Context<'_>,
) -> Poll<()> {
    let is_over = wake.poll(cx).is_ready()
        || wanted.read && T::poll_ready(stream, Side::Read, cx).is_ready()
        || wanted.write && T::poll_ready(stream, Side::Write, cx).is_ready()
        || timer.poll(cx).is_ready();
    if is_over { Poll::Ready(()) } else { Poll::Pending }
}

/// Lets other tasks run first.
async fn give_way() {
    let mut has_waited = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A non-blocking socket.
#[derive(Debug)]
pub(super) struct Socket<T: Tasks>(pub(super) T::Stream);

impl<T: Tasks> Stream for Socket<T> {
    fn try_read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        T::try_io(&self.0, Side::Read, || (&*SockRef::from(&self.0)).read(space))
    }

    fn try_write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        T::try_io(&self.0, Side::Write, || (&*SockRef::from(&self.0)).write_vectored(slices))
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
