//! The dialer: a thread per dial, which ends with it.

use std::os::fd::AsFd;

use towline_core::drive::{DialOrder, io_kind, would_block};
use towline_core::socket::{Ends, IoKind};

use crate::connection::Held;
use crate::shared::{Clock, socket};
use crate::wake::{Readiness, WakeFd, wait};

/// Connects; gives up at the deadline, or when woken.
pub(crate) fn dial(order: &DialOrder, clock: Clock, cancel: &WakeFd) -> Result<(Held, Ends), IoKind> {
    let wake = WakeFd::new().map_err(|error| io_kind(&error))?;
    let stream = socket::connect(order).map_err(|error| io_kind(&error))?;
    let ready = Readiness { read: false, write: true };
    loop {
        if wait(cancel, Some((stream.as_fd(), ready)), Some(clock.until(order.give_up))) {
            return Err(IoKind::Cancelled);
        }
        match socket::connected(&stream) {
            Ok(ends) => return Ok((Held { stream, wake }, ends)),
            Err(error) if would_block(&error) => {}
            Err(error) => return Err(io_kind(&error)),
        }
        if clock.now() >= order.give_up {
            return Err(IoKind::TimedOut);
        }
    }
}
