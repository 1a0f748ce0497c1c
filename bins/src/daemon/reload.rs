//! Reads the configuration of a running daemon again: everything that a start checks, and nothing that a start opens.

use std::path::Path;

use towline_core::work::configuration::{ConfigurationWork, Configured, NotConfigured, Reread};

use super::{Daemon, Tls, prepare};
use crate::config::Loaded;
use crate::hands::ConfigurationDesk;

/// Who reads the configuration that `loaded` came from again, and makes of it what the role takes.
pub(super) fn desk<D: Daemon>(
    loaded: &Loaded<D::Config>,
    take: fn(Box<Reread<D::Config>>) -> Configured,
) -> ConfigurationDesk
where
    D::Config: 'static,
{
    let path = loaded.origin().to_owned();
    Box::new(move |work| match work {
        ConfigurationWork::Read => read::<D>(&path).map(take),
        _ => Err(NotConfigured(vec!["this is not done here".to_owned()])),
    })
}

fn read<D: Daemon>(path: &Path) -> Result<Box<Reread<D::Config>>, NotConfigured> {
    let (loaded, Tls { engines, credentials }) = prepare::<D>(path).map_err(|report| NotConfigured(report.lines()))?;
    let warnings = loaded.warnings.lines();
    Ok(Box::new(Reread { config: loaded.config, credentials, engines, warnings }))
}
