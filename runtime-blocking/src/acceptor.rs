//! The acceptor: a thread per listener.

use std::io;
use std::net::TcpListener;
use std::os::fd::AsFd;

use towline_core::drive::{ACCEPT_PAUSE, NodeMail, accept_kind};
use towline_core::event::Event;
use towline_core::ids::ListenerId;
use towline_core::socket::SocketOptions;

use crate::connection::Held;
use crate::shared::{NodeBox, socket};
use crate::wake::{Readiness, WakeFd, wait};

/// Accepts until woken, or until the node has ended.
pub(crate) fn accept(
    id: ListenerId,
    listener: &TcpListener,
    options: SocketOptions,
    stop: &WakeFd,
    node: &NodeBox<Held>,
) {
    let ready = Readiness { read: true, write: false };
    // For the next connection: one that is accepted has all it needs, or it would be lost.
    let mut spare = None;
    while !wait(stop, Some((listener.as_fd(), ready)), None) {
        match next(listener, &mut spare) {
            Ok(held) => {
                if !hand_over(id, held, options, node) {
                    return;
                }
            }
            Err(error) => {
                let Some(error) = accept_kind(&error) else { continue };
                let told = node.post_accepted(NodeMail::Event(Event::NotAccepted { listener: id, error }));
                if !told || wait(stop, None, Some(ACCEPT_PAUSE)) {
                    return;
                }
            }
        }
    }
}

fn next(listener: &TcpListener, spare: &mut Option<WakeFd>) -> io::Result<Held> {
    let wake = match spare.take() {
        Some(wake) => wake,
        None => WakeFd::new()?,
    };
    match listener.accept() {
        Ok((stream, _)) => Ok(Held { stream, wake }),
        Err(error) => {
            *spare = Some(wake);
            Err(error)
        }
    }
}

/// False if the node has ended.
fn hand_over(listener: ListenerId, socket: Held, options: SocketOptions, node: &NodeBox<Held>) -> bool {
    match socket::accepted(&socket.stream, options) {
        Ok(ends) => node.post_accepted(NodeMail::Accepted { listener, socket, ends }),
        Err(_) => true,
    }
}
