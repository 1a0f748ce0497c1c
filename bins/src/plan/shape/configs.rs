//! The configurations of a row's daemons, and of the director what they need.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use serde_json::json;
use towline_core::config::{Client, DirectorConfig, FileConfig, Job, Storage, StorageConfig};

use super::super::rows::Row;
use super::super::setup::{Given, made, without_tls_director, without_tls_file, without_tls_storage};
use super::renaming::Renaming;

/// They, and the real names that they dial.
pub(super) fn cut_down(given: &Given, row: &Row, renaming: &mut Renaming) -> Option<(Given, Vec<String>)> {
    let config = &given.director;
    let file = row.client.as_deref().and_then(|client| given.file(client));
    let storages = row.storages().map(|name| config.storage(name)).collect::<Option<Vec<&Storage>>>()?;
    let daemons = considered(given, &storages);
    let job = config.job(&row.job)?;
    // A copy has no client in the network, but a resource, as each job has.
    let client = config.client(row.client.as_deref().unwrap_or(&job.client))?;
    let mut c = Configs { renaming, mentioned: Vec::new() };
    let director = c.director(config);
    let clients = vec![c.client(client)];
    // The name of a device has parts if there are several of it: it stays where its daemon's configuration is known.
    let devices_matter = !daemons.is_empty();
    let storages: Vec<Storage> = storages.into_iter().map(|storage| c.storage(storage, devices_matter)).collect();
    let jobs = vec![made::<Job>(json!({
        "name": c.renaming.name(&job.name), "client": c.renaming.name(&client.name), "fileset": "set",
        "storage": storages.first()?.name, "pool": "pool",
    }))?];
    let director = DirectorConfig { clients, storages, jobs, ..DirectorConfig::new(director) };
    let files = file.into_iter().map(|file| c.file(file)).collect();
    let storages = daemons.into_iter().map(|daemon| c.storage_daemon(daemon)).collect();
    Some((Given { director, files, storages }, c.mentioned))
}

/// Adds the clients and storages of these names, which have no part in the row: it may come to them by mistake.
pub(super) fn add_bystanders(all: &DirectorConfig, names: &[&str], to: &mut DirectorConfig, renaming: &mut Renaming) {
    // What they would be dialled at does not matter.
    let mut c = Configs { renaming, mentioned: Vec::new() };
    for name in names {
        if let Some(client) = all.client(name) {
            let client = Client { address: None, lan_address: None, ..client.clone() };
            let client = Client { networks: BTreeMap::new(), ..client };
            to.clients.push(c.client(&client));
        }
        if let Some(storage) = all.storage(name) {
            let storage = Storage { address: String::new(), lan_address: None, ..storage.clone() };
            let storage = Storage { networks: BTreeMap::new(), ..storage };
            to.storages.push(c.storage(&storage, false));
        }
    }
}

/// All configurations that are looked at to find those of storages, see [`Given::storage`].
fn considered<'a>(given: &'a Given, storages: &[&Storage]) -> Vec<&'a StorageConfig> {
    let has = |daemon: &StorageConfig, name: &String| {
        let devices = daemon.devices.iter().map(|device| &device.name);
        devices.chain(daemon.autochangers.iter().map(|changer| &changer.name)).any(|known| known == name)
    };
    let matters = |daemon: &&StorageConfig| {
        let name = &daemon.storage.name;
        storages.iter().any(|storage| storage.name == *name)
            || given.director.storage(name).is_none() && storages.iter().any(|storage| has(daemon, &storage.device))
    };
    given.storages.iter().filter(matters).collect()
}

struct Configs<'a> {
    renaming: &'a mut Renaming,
    mentioned: Vec<String>,
}

impl Configs<'_> {
    fn director(&mut self, config: &DirectorConfig) -> towline_core::config::Director {
        let mut director = without_tls_director(config.director.clone());
        director.name = self.renaming.name(&director.name);
        director.password = self.renaming.password(&director.password);
        director.port = self.renaming.port(director.port);
        self.listen(&mut director.listen);
        (director.working_directory, director.query_file) = (None, None);
        (director.metrics, director.page_token) = (None, None);
        director
    }

    fn client(&mut self, client: &Client) -> Client {
        let mut client = Client { tls: None, ..client.clone() };
        client.name = self.renaming.name(&client.name);
        client.password = self.renaming.password(&client.password);
        client.port = self.renaming.port(client.port);
        client.address.iter_mut().chain(&mut client.lan_address).for_each(|at| self.address(at));
        client.networks.values_mut().for_each(|at| self.address(at));
        client
    }

    fn storage(&mut self, storage: &Storage, devices_matter: bool) -> Storage {
        let mut storage = Storage { tls: None, ..storage.clone() };
        storage.name = self.renaming.name(&storage.name);
        storage.password = self.renaming.password(&storage.password);
        storage.port = self.renaming.port(storage.port);
        if !devices_matter {
            storage.device = self.renaming.name(&storage.device);
            storage.media_type = self.renaming.name(&storage.media_type);
        }
        [&mut storage.address].into_iter().chain(&mut storage.lan_address).for_each(|at| self.address(at));
        storage.networks.values_mut().for_each(|at| self.address(at));
        storage
    }

    fn file(&mut self, file: &FileConfig) -> FileConfig {
        let mut file = without_tls_file(file.clone());
        file.file.name = self.renaming.name(&file.file.name);
        file.file.port = self.renaming.port(file.file.port);
        self.listen(&mut file.file.listen);
        for director in &mut file.directors {
            director.name = self.renaming.name(&director.name);
            director.password = self.renaming.password(&director.password);
            director.port = self.renaming.port(director.port);
            director.address.iter_mut().for_each(|at| self.address(at));
        }
        file
    }

    fn storage_daemon(&mut self, daemon: &StorageConfig) -> StorageConfig {
        let mut daemon = without_tls_storage(daemon.clone());
        daemon.storage.name = self.renaming.name(&daemon.storage.name);
        daemon.storage.port = self.renaming.port(daemon.storage.port);
        self.listen(&mut daemon.storage.listen);
        for director in &mut daemon.directors {
            director.name = self.renaming.name(&director.name);
            director.password = self.renaming.password(&director.password);
        }
        daemon
    }

    /// An address that is dialled, or a name.
    fn address(&mut self, text: &mut String) {
        match text.parse() {
            Ok(address) => *text = self.renaming.address(address).to_string(),
            Err(_) => {
                if !self.mentioned.contains(text) {
                    self.mentioned.push(text.clone());
                }
                *text = self.renaming.name(text);
            }
        }
    }

    /// The addresses that a daemon listens on, each with or without a port.
    fn listen(&mut self, all: &mut [String]) {
        for text in all {
            if let Ok(socket) = text.parse::<SocketAddr>() {
                let (address, port) = (self.renaming.address(socket.ip()), self.renaming.port(socket.port()));
                *text = SocketAddr::new(address, port).to_string();
            } else if let Ok(address) = text.parse::<IpAddr>() {
                *text = self.renaming.address(address).to_string();
            }
        }
    }
}
