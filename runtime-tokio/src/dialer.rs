//! The dialer: a task per dial, which ends with it.

use std::io;

use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use towline_core::drive::{DialOrder, io_kind};
use towline_core::socket::{Ends, IoKind};
use towline_runtime_blocking::system::{Clock, socket};

use crate::timer::Timer;

/// Connects; gives up at the deadline, or when the other end of `cancel` is dropped.
pub(crate) async fn dial(
    order: DialOrder,
    clock: Clock,
    cancel: oneshot::Receiver<()>,
) -> Result<(TcpStream, Ends), IoKind> {
    let mut timer = Timer::new(clock);
    let deadline = async {
        while clock.now() < order.give_up {
            timer.arm(Some(order.give_up));
            timer.wait().await;
        }
    };
    tokio::select! {
        biased;
        _ = cancel => Err(IoKind::Cancelled),
        outcome = connect(order) => outcome.map_err(|error| io_kind(&error)),
        () = deadline => Err(IoKind::TimedOut),
    }
}

async fn connect(order: DialOrder) -> io::Result<(TcpStream, Ends)> {
    let stream = TcpStream::from_std(socket::connect(&order)?)?;
    let ends = stream.async_io(Interest::WRITABLE, || socket::connected(&stream)).await?;
    Ok((stream, ends))
}
