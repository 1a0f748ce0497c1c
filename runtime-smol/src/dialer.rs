//! The dialer: a task per dial, which ends with it.

use std::io;
use std::net::TcpStream;

use async_channel::Receiver;
use async_io::Async;
use smol::future::or;
use towline_core::drive::{DialOrder, io_kind};
use towline_core::socket::{Ends, IoKind};
use towline_runtime_blocking::system::{Clock, socket};

use crate::timer::Timer;

/// Connects; gives up at the deadline, or when the other end of `cancel` is dropped.
pub(crate) async fn dial(
    order: DialOrder,
    clock: Clock,
    cancel: Receiver<()>,
) -> Result<(Async<TcpStream>, Ends), IoKind> {
    let cancelled = async {
        let _ = cancel.recv().await;
        Err(IoKind::Cancelled)
    };
    let late = async {
        let mut timer = Timer::new(clock);
        while clock.now() < order.give_up {
            timer.arm(Some(order.give_up));
            timer.wait().await;
        }
        Err(IoKind::TimedOut)
    };
    let connected = async { connect(order).await.map_err(|error| io_kind(&error)) };
    or(cancelled, or(connected, late)).await
}

async fn connect(order: DialOrder) -> io::Result<(Async<TcpStream>, Ends)> {
    let stream = Async::new_nonblocking(socket::connect(&order)?)?;
    stream.writable().await?;
    let ends = stream.write_with(socket::connected).await?;
    Ok((stream, ends))
}
