//! What a running director has done with the files of its configuration.

use std::path::Path;

use towline_core::config::DirectorConfig;
use towline_core::work::configuration::{
    Added, Addition, ConfigurationWork, Configured, NotConfigured, Reread, Written,
};

use super::director::DirectorDaemon;
use super::reload;
use crate::config::{Draft, Loaded};
use crate::hands::ConfigurationDesk;

/// Who reads the configuration that `loaded` came from again, and adds to it.
pub(super) fn desk(loaded: &Loaded<DirectorConfig>) -> ConfigurationDesk {
    let path = loaded.origin().to_owned();
    Box::new(move |work| {
        let read = match work {
            ConfigurationWork::Read => reload::read::<DirectorDaemon>(&path, None),
            ConfigurationWork::Add(addition) => add(&path, &addition),
            _ => Err(NotConfigured(vec!["this is not done here".to_owned()])),
        };
        read.map(Configured::Director)
    })
}

/// Adds a resource, if the whole is right with it. What else has changed in the files is read too.
fn add(path: &Path, addition: &Addition) -> Result<Box<Reread<DirectorConfig>>, NotConfigured> {
    let one = |why: String| NotConfigured(vec![why]);
    let draft = Draft::write(path, addition).map_err(NotConfigured)?;
    let (from, more) = draft.reads(path);
    let read = reload::read::<DirectorDaemon>(from, more);
    let mut read = read.map_err(|NotConfigured(findings)| NotConfigured(draft.rename(findings)))?;
    let file = Written { name: draft.keep().map_err(one)?, content: draft.content.clone() };
    // What is doubtful about the others was said when they were read.
    read.warnings = draft.rename(std::mem::take(&mut read.warnings));
    read.warnings.retain(|warning| draft.is_about(warning));
    let exported =
        if draft.kind == "Client" { export(&draft, &read.config, &addition.name, &mut read.warnings) } else { None };
    let is_part = draft.is_part();
    read.added = Some(Added { kind: draft.kind, name: addition.name.clone(), file, is_part, exported });
    Ok(read)
}

/// Writes what the file daemon of a client is to have. The client is added all the same if that fails, and it is said.
fn export(draft: &Draft, config: &DirectorConfig, client: &str, warnings: &mut Vec<String>) -> Option<Written> {
    let content = config.exported(client)?;
    match draft.export(client, &config.director.name, &content) {
        Ok(name) => Some(Written { name, content }),
        Err(why) => {
            warnings.push(why);
            None
        }
    }
}
