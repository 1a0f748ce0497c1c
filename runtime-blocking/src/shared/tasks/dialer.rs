//! The dialer: a task per dial, which ends with it.

use std::task::Poll;

use towline_core::conn::Side;
use towline_core::drive::{DialOrder, io_kind, would_block};
use towline_core::socket::{Ends, IoKind};

use super::Tasks;
use super::timer::Timer;
use super::wake::TaskWake;
use crate::shared::{Clock, socket};

/// Connects; gives up at the deadline, or when `cancel` is set.
pub(super) async fn dial<T: Tasks>(
    order: DialOrder,
    clock: Clock,
    cancel: &TaskWake,
) -> Result<(T::Stream, Ends), IoKind> {
    let stream = socket::connect(&order).and_then(T::stream).map_err(|error| io_kind(&error))?;
    let mut timer = Timer::<T::Alarm>::new(clock);
    loop {
        timer.arm(Some(order.give_up));
        let ready = cancel.or(|cx| match T::poll_ready(&stream, Side::Write, cx) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => timer.poll(cx),
        });
        if ready.await.is_none() {
            return Err(IoKind::Cancelled);
        }
        match T::try_io(&stream, Side::Write, || socket::connected(&stream)) {
            Ok(ends) => return Ok((stream, ends)),
            Err(error) if would_block(&error) => {}
            Err(error) => return Err(io_kind(&error)),
        }
        if clock.now() >= order.give_up {
            return Err(IoKind::TimedOut);
        }
    }
}
