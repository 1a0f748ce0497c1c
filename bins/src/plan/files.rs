//! The files that a plan is made from, as they were read.

use std::path::{Path, PathBuf};

use towline_core::config::{DirectorConfig, FileConfig, StorageConfig};

use super::setup::Given;
use super::topology::Topology;
use crate::config::{Loaded, load, load_topic};

/// Configurations and a topology.
#[derive(Debug)]
pub(super) struct Files {
    /// The director's configuration.
    pub(super) director: Loaded<DirectorConfig>,
    /// Those of file daemons.
    pub(super) files: Vec<Loaded<FileConfig>>,
    /// Those of storage daemons.
    pub(super) storages: Vec<Loaded<StorageConfig>>,
    /// The topology.
    pub(super) topology: Loaded<Topology>,
}

impl Files {
    /// Reads each path as the configuration of whichever daemons it is one of, and the topology.
    pub(super) fn read(configs: &[&Path], topology: &Path) -> Result<Self, String> {
        let (director, files, storages) = read_configs(configs)?;
        let topology = load_topic::<Topology>(topology, |topology| topology.against(&director.config));
        Ok(Self { director, files, storages, topology: topology.map_err(|report| report.render(false))? })
    }

    /// What is in the configurations.
    pub(super) fn given(&self) -> Given {
        Given {
            director: self.director.config.clone(),
            files: self.files.iter().map(|loaded| loaded.config.clone()).collect(),
            storages: self.storages.iter().map(|loaded| loaded.config.clone()).collect(),
        }
    }
}

/// The configurations of a director and of other daemons.
type Configs = (Loaded<DirectorConfig>, Vec<Loaded<FileConfig>>, Vec<Loaded<StorageConfig>>);

/// Reads each path as the configuration of whichever daemons it is one of.
pub(super) fn read_configs(configs: &[&Path]) -> Result<Configs, String> {
    let (mut directors, mut files, mut storages) = (Vec::new(), Vec::new(), Vec::new());
    for path in configs {
        let director = load::<DirectorConfig>(path).map(|loaded| directors.push(loaded));
        let file = load::<FileConfig>(path).map(|loaded| files.push(loaded));
        let storage = load::<StorageConfig>(path).map(|loaded| storages.push(loaded));
        if let (Err(report), Err(_), Err(_)) = (director, file, storage) {
            let (report, path) = (report.render(false), path.display());
            return Err(format!("{report}\n{path} is no configuration that a plan needs\n"));
        }
    }
    match (directors.pop(), directors.is_empty()) {
        (Some(director), true) => Ok((director, files, storages)),
        (Some(_), false) => Err("there are two directors: name one at a time\n".to_owned()),
        (None, _) => Err("add the director's configuration with --config\n".to_owned()),
    }
}

/// Paths as they are borrowed.
pub(super) fn borrowed<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> Vec<&'a Path> {
    paths.map(PathBuf::as_path).collect()
}
