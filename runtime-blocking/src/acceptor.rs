//! The acceptor: a thread per listener.

use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use towline_core::error::Code;
use towline_core::explain::complaint;

use towline_core::action::SocketOptions;
use towline_core::drive::{ACCEPT_PAUSE, NodeMail, would_block};
use towline_core::ids::ListenerId;

use crate::mailbox::NodeBox;
use crate::socket;
use crate::wake::{Readiness, Wake, wait};

/// Accepts until woken, or until the node has ended.
pub(crate) fn accept(id: ListenerId, listener: &TcpListener, options: SocketOptions, stop: &Wake, node: &NodeBox) {
    let ready = Readiness { read: true, write: false };
    while !wait(stop, Some((listener.as_fd(), ready)), None) {
        match listener.accept() {
            Ok((stream, _)) => {
                if !hand_over(id, stream, options, node) {
                    return;
                }
            }
            // The peer has gone again, or another reason to ask once more.
            Err(error) if would_block(&error) || passing(&error) => {}
            Err(error) => {
                tracing::warn!("{}", complaint(Code(921), &format!("cannot accept a connection: {error}")));
                if wait(stop, None, Some(ACCEPT_PAUSE)) {
                    return;
                }
            }
        }
    }
}

/// Whether the next call may well succeed at once.
fn passing(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::Interrupted | std::io::ErrorKind::ConnectionAborted)
}

/// False if the node has ended.
fn hand_over(listener: ListenerId, stream: TcpStream, options: SocketOptions, node: &NodeBox) -> bool {
    match socket::accepted(&stream, options) {
        Ok(ends) => node.post_accepted(NodeMail::Accepted { listener, socket: stream, ends }),
        Err(_) => true,
    }
}
