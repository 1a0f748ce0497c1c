//! Reads the configuration of a running daemon again: everything that a start checks, and nothing that a start opens.

use std::path::Path;

use towline_core::work::configuration::{ConfigurationWork, Configured, NotConfigured, Reread};

use super::{Daemon, Tls, prepare};
use crate::config::Loaded;
use crate::hands::ConfigurationDesk;

/// Reads and checks the configuration at `path`; with a draft, with that file more.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read<D: Daemon>(path: &Path, draft: Option<&Path>) -> Result<Box<Reread<D::Config>>, NotConfigured> {
    let (mut loaded, Tls { engines, credentials }) =
        prepare::<D>(path, draft).map_err(|report| NotConfigured(report.lines()))?;
    let warnings = loaded.warnings.lines();
    D::place(&mut loaded);
    Ok(Box::new(Reread { config: loaded.config, credentials, engines, warnings, added: None }))
}

/// Who reads the configuration that `loaded` came from again, and says whose it is; nothing is added to it.
pub(super) fn desk<D: Daemon + 'static>(
    loaded: &Loaded<D::Config>,
    of: fn(Box<Reread<D::Config>>) -> Configured,
) -> ConfigurationDesk
where
    D::Config: 'static,
{
    let path = loaded.origin().to_owned();
    Box::new(move |work| match work {
        ConfigurationWork::Read => read::<D>(&path, None).map(of),
        _ => Err(NotConfigured(vec!["nothing can be added to this configuration from here".to_owned()])),
    })
}
