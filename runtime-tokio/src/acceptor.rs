//! The acceptor: a task per listener.

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use towline_core::drive::{ACCEPT_PAUSE, NodeMail, accept_kind};
use towline_core::event::Event;
use towline_core::ids::ListenerId;
use towline_core::socket::SocketOptions;
use towline_runtime_blocking::system::socket;

/// Accepts until the other end of `stop` is dropped, or until the node has ended.
pub(crate) async fn accept(
    id: ListenerId,
    bound: TcpListener,
    options: SocketOptions,
    stop: oneshot::Receiver<()>,
    node: mpsc::Sender<NodeMail<TcpStream>>,
) {
    tokio::select! {
        _ = stop => {}
        () = accept_all(id, &bound, options, node) => {}
    }
}

async fn accept_all(
    listener: ListenerId,
    bound: &TcpListener,
    options: SocketOptions,
    node: mpsc::Sender<NodeMail<TcpStream>>,
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
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
