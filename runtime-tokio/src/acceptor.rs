//! The acceptor: a task per listener.

use std::io::ErrorKind;
use towline_core::error::Code;
use towline_core::explain::complaint;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use towline_core::action::SocketOptions;
use towline_core::drive::{ACCEPT_PAUSE, NodeMail};
use towline_core::ids::ListenerId;
use towline_runtime_blocking::socket;

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
            // The peer has gone again, or another reason to ask once more.
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) => {}
            Err(error) => {
                tracing::warn!("{}", complaint(Code(921), &format!("cannot accept a connection: {error}")));
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
