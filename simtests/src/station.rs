//! Hosts with a daemon of a [`scenario`](crate::scenario): where they are, what the director's configuration says of them, and
//! their own configuration.

use towline_core::config::{
    Client, FileConfig, FileDaemon, FileDirector, Password, Storage, StorageConfig, StorageDaemon, StorageDirector,
};

use crate::ready;
use crate::stock::Make;

/// A host with a daemon: `R` is the director's resource for it, `C` its own configuration. Whether connections are protected
/// the scenario says.
#[derive(Clone, Debug)]
pub struct Station<R, C> {
    /// Name of the daemon and of its host; its password too.
    pub name: String,
    /// The place of its gateway; `None`: it is in the open network.
    pub behind: Option<usize>,
    /// Its address there.
    pub address: [u8; 4],
    /// The director's resource for it.
    pub resource: R,
    /// Its own configuration.
    pub own: C,
    /// Whose daemon it is: ours, or a stock one.
    pub make: Make,
    /// The protocol that a file daemon says it is of, if not the newest.
    pub protocol: Option<u32>,
}

/// One with a file daemon. The director is told no address.
pub type ClientStation = Station<Client, FileConfig>;

/// One with a storage daemon, which has the devices `dev` and `dev2`. The director dials its name.
pub type StorageStation = Station<Storage, StorageConfig>;

impl<R, C> Station<R, C> {
    fn new(name: &str, (behind, address): (Option<usize>, [u8; 4]), resource: R, own: C) -> Self {
        Self { name: name.to_owned(), behind, address, resource, own, make: Make::Towline, protocol: None }
    }

    /// A daemon of this make.
    #[must_use]
    pub fn made(self, make: Make) -> Self {
        Self { make, ..self }
    }

    /// Changed in whatever way.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

impl ClientStation {
    /// In the open network.
    #[must_use]
    pub fn outside(name: &str, last: u8) -> Self {
        Self::in_place(name, outside(last))
    }

    /// Behind the first gateway.
    #[must_use]
    pub fn inside(name: &str, last: u8) -> Self {
        Self::in_place(name, inside(last))
    }

    fn in_place(name: &str, place: (Option<usize>, [u8; 4])) -> Self {
        let director = FileDirector::new("dir".to_owned(), Password::new(name));
        let mut own = FileConfig::new(FileDaemon::new(name.to_owned()), vec![director]);
        own.file.listen = ready::anywhere();
        Self::new(name, place, Client::new(name.to_owned(), Password::new(name)), own)
    }

    /// Dialled by others at this name or address.
    #[must_use]
    pub fn at(self, address: &str) -> Self {
        self.with(|station| station.resource.address = Some(address.to_owned()))
    }

    /// It alone dials, its director at this name or address.
    #[must_use]
    pub fn dials(self, director: &str) -> Self {
        self.with(|station| {
            let (there, here) = (&mut station.resource, &mut station.own.directors[0]);
            here.address = Some(director.to_owned());
            (there.connection_from_client_to_director, here.connection_from_client_to_director) = (true, true);
            (there.connection_from_director_to_client, here.connection_from_director_to_client) = (false, false);
        })
    }
}

impl StorageStation {
    /// In the open network.
    #[must_use]
    pub fn outside(name: &str, last: u8) -> Self {
        Self::in_place(name, outside(last))
    }

    /// Behind the first gateway.
    #[must_use]
    pub fn inside(name: &str, last: u8) -> Self {
        Self::in_place(name, inside(last))
    }

    fn in_place(name: &str, place: (Option<usize>, [u8; 4])) -> Self {
        let own_name = || name.to_owned();
        let director = StorageDirector::new("dir".to_owned(), Password::new(name));
        let devices = vec![ready::device("dev", name, "/volumes"), ready::device("dev2", "second", "/second")];
        let mut own = StorageConfig::new(StorageDaemon::new(own_name()), vec![director], devices);
        own.storage.listen = ready::anywhere_of_both();
        let resource = Storage::new(own_name(), own_name(), Password::new(name), "dev".to_owned(), own_name());
        Self::new(name, place, resource, own)
    }

    /// Dialled by others at this name or address.
    #[must_use]
    pub fn at(self, address: &str) -> Self {
        self.with(|station| address.clone_into(&mut station.resource.address))
    }
}

const fn outside(last: u8) -> (Option<usize>, [u8; 4]) {
    (None, [192, 0, 2, last])
}

const fn inside(last: u8) -> (Option<usize>, [u8; 4]) {
    (Some(0), [10, 0, 0, last])
}
