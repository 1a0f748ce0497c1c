//! Webhooks: JSON to an address of the web.

use std::sync::Arc;
use std::time::Duration;

use towline_core::work::delivery::Undelivered;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Error};

/// Posts JSON; what the other side answers does not count, but how.
pub(super) fn post(url: &str, body: &str, limit: Duration) -> Result<(), Undelivered> {
    let mut config = Agent::config_builder()
        .timeout_global(Some(limit))
        .max_redirects(0)
        .http_status_as_error(false)
        .user_agent("towline");
    if url.starts_with("https://") {
        config = config.tls_config(tls()?);
    }
    let agent: Agent = config.build().into();
    let answer = agent.post(url).header("Content-Type", "application/json").send(body);
    let status = answer.map_err(|error| undelivered(&error, limit))?.status();
    let text = status.to_string();
    match status.as_u16() {
        200..=299 => Ok(()),
        // They ask for another try.
        408 | 425 | 429 | 500..=599 => Err(Undelivered::Busy(text)),
        _ => Err(Undelivered::Refused(text)),
    }
}

fn tls() -> Result<TlsConfig, Undelivered> {
    let found = rustls_native_certs::load_native_certs();
    let certificates: Vec<_> = found.certs.iter().map(|one| Certificate::from_der(one.as_ref()).to_owned()).collect();
    if certificates.is_empty() {
        let why = found.errors.first().map_or_else(|| "there are none".to_owned(), ToString::to_string);
        return Err(Undelivered::Unprepared(format!("the certificates of the system's authorities: {why}")));
    }
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(certificates)))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build())
}

fn undelivered(error: &Error, limit: Duration) -> Undelivered {
    match error {
        Error::Timeout(_) => Undelivered::TooSlow(limit.as_secs()),
        Error::Io(io) if io.kind() == std::io::ErrorKind::TimedOut => Undelivered::TooSlow(limit.as_secs()),
        Error::Tls(_) | Error::Rustls(_) | Error::Pem(_) => Undelivered::Encryption(error.to_string()),
        Error::BadUri(_) | Error::Http(_) => Undelivered::Unprepared(error.to_string()),
        _ => Undelivered::Unreachable(error.to_string()),
    }
}
