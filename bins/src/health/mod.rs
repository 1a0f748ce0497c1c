//! Shows the director's state at a port of its own: to programs in the text format of Prometheus, to people as a page.
//!
//! ```text
//!   director --publishes--> board <--looks-- server --> /metrics         metrics.rs
//!      ^------- wanted -------'                     --> /, /events       page.html, with a token
//! ```
//! `server.rs` accepts, at most so many connections at a time, each on a thread of its own; `request.rs` reads what they want,
//! `answer.rs` writes what they get. Nothing here can change anything.

mod answer;
mod board;
mod metrics;
mod request;
mod server;

use std::collections::BTreeMap;
use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use towline_core::address::Endpoint;
use towline_core::config::{Catalog, DirectorConfig};
use towline_core::error::Code;
use towline_core::explain::complaint;
use towline_core::secret::Secret;

use crate::config::Loaded;
use crate::hands::PublicationDesk;
use board::Board;
use server::Server;

/// Connections that may wait to be accepted, if the system allows for so many.
const BACKLOG: i32 = 4096;

/// What a person has to say, as a digest; none where there is no page.
type Token = Option<Secret>;

/// The port, bound and not served yet.
pub struct Port {
    listener: TcpListener,
    server: Arc<Server>,
}

impl Port {
    /// Binds it to this address and port.
    ///
    /// # Errors
    /// It cannot be had; in words for a person.
    pub fn bind(at: &str, loaded: &Loaded<DirectorConfig>) -> Result<Self, String> {
        let refused = |error: &io::Error| complaint(Code(991), &format!("cannot listen on {at} for metrics: {error}"));
        let Some(on) = Endpoint::parse(at, 0) else {
            return Err(refused(&io::ErrorKind::InvalidInput.into()));
        };
        let listener = TcpListener::bind(on.address.with_port(on.port, 0)).map_err(|error| refused(&error))?;
        // What comes at once waits there for less than a moment, and is not tried again a second later.
        rustix::net::listen(&listener, BACKLOG).map_err(|error| refused(&error.into()))?;
        let is_local = on.address.ip.to_canonical().is_loopback();
        let token = loaded.config.director.page_token.as_ref().map(towline_core::config::Password::key);
        let server = Server::new(Board::default(), token, is_local, catalogs(loaded));
        Ok(Self { listener, server: Arc::new(server) })
    }

    /// Who takes what the director publishes.
    #[must_use]
    pub fn desk(&self) -> PublicationDesk {
        let server = Arc::clone(&self.server);
        Box::new(move |health, reply| server.board().publish(health, reply))
    }

    /// Serves it from now on, until the process ends.
    pub fn serve(self) {
        let Self { listener, server } = self;
        let body = move || server.accept(&listener);
        if let Err(error) = thread::Builder::new().name("metrics".to_owned()).spawn(body) {
            tracing::error!("{}", complaint(Code(991), &format!("no thread for metrics can be started: {error}")));
        }
    }
}

/// The files of the embedded catalogs, by their names.
fn catalogs(loaded: &Loaded<DirectorConfig>) -> BTreeMap<String, PathBuf> {
    let file = |catalog: &Catalog| {
        let Catalog::Sqlite(sqlite) = catalog else { return None };
        Some((catalog.name().to_owned(), loaded.resolve(&sqlite.path)))
    };
    loaded.config.all_catalogs().filter_map(file).collect()
}
