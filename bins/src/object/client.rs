//! The way to a server: HTTP/1.1, with TLS by rustls.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use object_store::ClientOptions;
use object_store::client::{HttpClient, HttpConnector};
use rustls::ClientConfig;
use rustls::crypto::ring;

use crate::authorities::trusted;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// A connection that was idle for so long is not used again: gateways forget them.
const IDLE: Duration = Duration::from_secs(30);

/// Makes the one client of a store.
#[derive(Clone, Debug)]
pub(super) struct Connector(reqwest::Client);

impl Connector {
    /// Trusts the authorities of a file, or those of the system.
    ///
    /// # Errors
    /// There are none.
    pub(super) fn new(authorities: Option<&Path>) -> Result<Self, String> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
        // A server without TLS needs no authorities.
        let tls = builder.with_root_certificates(trusted(authorities)?).with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .user_agent("towline");
        client.build().map(Self).map_err(|error| error.to_string())
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}
