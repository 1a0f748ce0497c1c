//! The acceptor: a task per listener.

use std::net::{TcpListener, TcpStream};

use async_channel::{Receiver, Sender};
use async_io::{Async, Timer};
use towline_core::drive::{ACCEPT_PAUSE, NodeMail, accept_kind};
use towline_core::event::Event;
use towline_core::ids::ListenerId;
use towline_core::socket::SocketOptions;
use towline_runtime_blocking::system::socket;

/// Accepts until the other end of `stop` is dropped, or until the node has ended.
pub(crate) async fn accept(
    id: ListenerId,
    bound: Async<TcpListener>,
    options: SocketOptions,
    stop: Receiver<()>,
    node: Sender<NodeMail<Async<TcpStream>>>,
) {
    let stopped = async {
        let _ = stop.recv().await;
    };
    smol::future::or(stopped, accept_all(id, &bound, options, node)).await;
}

async fn accept_all(
    listener: ListenerId,
    bound: &Async<TcpListener>,
    options: SocketOptions,
    node: Sender<NodeMail<Async<TcpStream>>>,
) {
    loop {
        match bound.accept().await {
            Ok((stream, _)) => {
                let Ok(ends) = socket::accepted(&stream, options) else { continue };
                if node.send(NodeMail::Accepted { listener, socket: stream, ends }).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                let Some(error) = accept_kind(&error) else { continue };
                if node.send(NodeMail::Event(Event::NotAccepted { listener, error })).await.is_err() {
                    return;
                }
                Timer::after(ACCEPT_PAUSE).await;
            }
        }
    }
}
