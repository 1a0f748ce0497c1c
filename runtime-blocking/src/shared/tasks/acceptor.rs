//! The acceptor: a task per listener.

use std::io;

use towline_core::drive::{ACCEPT_PAUSE, NodeMail, accept_kind};
use towline_core::event::Event;
use towline_core::ids::ListenerId;
use towline_core::socket::SocketOptions;

use super::Tasks;
use super::timer::Timer;
use super::wake::TaskWake;
use crate::shared::{Clock, NodeBox, socket};

/// Accepts until `stop` is set, or until the node has ended.
pub(super) async fn accept<T: Tasks>(
    id: ListenerId,
    bound: &T::Listener,
    options: SocketOptions,
    clock: Clock,
    stop: &TaskWake,
    node: &NodeBox<T::Stream>,
) {
    let mut timer = Timer::<T::Alarm>::new(clock);
    while let Some(came) = stop.or(|cx| T::poll_accept(bound, cx)).await {
        let failed = came.is_err();
        let mut mail = mail::<T>(id, came, options);
        if mail.is_none() {
            continue;
        }
        if stop.or(|cx| node.poll_accepted(&mut mail, cx)).await != Some(true) {
            return;
        }
        if failed {
            timer.arm(Some(clock.now() + ACCEPT_PAUSE));
            stop.or(|cx| timer.poll(cx)).await;
        }
    }
}

/// What the node hears; nothing of a connection that is gone already.
fn mail<T: Tasks>(
    listener: ListenerId,
    came: io::Result<T::Stream>,
    options: SocketOptions,
) -> Option<NodeMail<T::Stream>> {
    match came {
        Ok(socket) => {
            let ends = socket::accepted(&socket, options).ok()?;
            Some(NodeMail::Accepted { listener, socket, ends })
        }
        Err(error) => Some(NodeMail::Event(Event::NotAccepted { listener, error: accept_kind(&error)? })),
    }
}
