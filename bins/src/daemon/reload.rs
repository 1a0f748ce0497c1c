//! Reads the configuration of a running daemon again: everything that a start checks, and nothing that a start opens.

use std::path::Path;

use towline_core::work::configuration::{NotConfigured, Reread};

use super::{Daemon, Tls, prepare};

/// Reads and checks the configuration at `path`; with a draft, with that file more.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read<D: Daemon>(path: &Path, draft: Option<&Path>) -> Result<Box<Reread<D::Config>>, NotConfigured> {
    let (loaded, Tls { engines, credentials }) =
        prepare::<D>(path, draft).map_err(|report| NotConfigured(report.lines()))?;
    let warnings = loaded.warnings.lines();
    Ok(Box::new(Reread { config: loaded.config, credentials, engines, warnings, added: None }))
}
