//! Configurations to begin with: one director, one storage daemon and one client, which know each other. They are values:
//! change in them what a test is about.

use towline_core::config::{
    Bytes, Client, Device, Director, DirectorConfig, FileConfig, FileDaemon, FileDirector, FileSet, Include, Job,
    JobKind, Password, Pool, Storage, StorageConfig, StorageDaemon, StorageDirector, TlsConfig,
};

/// A director called `dir` that dials its client and its storage daemon at these names or addresses. It
/// has the jobs `backup` and `restore`, which puts everything below `/restored`.
#[must_use]
pub fn director(client: &str, storage: &str) -> DirectorConfig {
    let mut config = DirectorConfig::new(Director::new("dir".to_owned(), Password::new("console")));
    config.director.tls = TlsConfig::off();
    config.director.listen = anywhere();
    let mut file = Client::new("fd".to_owned(), Password::new("file"));
    file.address = Some(client.to_owned());
    config.clients = vec![file];
    let own = |name: &str| name.to_owned();
    config.storages = vec![Storage::new(own("sd"), own(storage), Password::new("storage"), own("dev"), own("File"))];
    let job = |name: &str| job(name, "fd", "sd", "pool");
    let restore = Job { kind: JobKind::Restore, r#where: Some(own("/restored")), ..job("restore") };
    config.jobs = vec![job("backup"), restore];
    config.pools = vec![Pool { label_format: Some(own("vol-")), ..Pool::new(own("pool")) }];
    config.filesets = vec![FileSet::new(own("set"), vec![Include::new(vec![own("/data")])])];
    config
}

/// A storage daemon called `sd` with one device.
#[must_use]
pub fn storage() -> StorageConfig {
    let device = device("dev", "File", "/volumes");
    let director = StorageDirector::new("dir".to_owned(), Password::new("storage"));
    let mut config = StorageConfig::new(StorageDaemon::new("sd".to_owned()), vec![director], vec![device]);
    config.storage.tls = TlsConfig::off();
    config.storage.listen = anywhere();
    config
}

/// A client called `fd` whose director is at this name or address, if it is to dial it.
#[must_use]
pub fn client(director: &str) -> FileConfig {
    let mut known = FileDirector::new("dir".to_owned(), Password::new("file"));
    known.address = Some(director.to_owned());
    let mut config = FileConfig::new(FileDaemon::new("fd".to_owned()), vec![known]);
    config.file.tls = TlsConfig::off();
    config.file.listen = anywhere();
    config
}

/// A job for the fileset `set`.
#[must_use]
pub fn job(name: &str, client: &str, storage: &str, pool: &str) -> Job {
    let own = |text: &str| text.to_owned();
    Job::new(own(name), own(client), own("set"), own(storage), own(pool))
}

/// A device with volumes in this folder.
#[must_use]
pub fn device(name: &str, media_type: &str, folder: &str) -> Device {
    let mut device = Device::new(name.to_owned(), media_type.to_owned(), folder.to_owned());
    // No disk here is faster with larger blocks, and a world has room for few of them.
    device.maximum_block_size = Bytes::kib(64);
    device
}

/// On all addresses of IPv4: who listens on those of both families has two listeners here.
pub(crate) fn anywhere() -> Vec<String> {
    vec!["0.0.0.0".to_owned()]
}

/// On all addresses of both families.
#[cfg(feature = "toy")]
pub(crate) fn anywhere_of_both() -> Vec<String> {
    vec!["0.0.0.0".to_owned(), "::".to_owned()]
}

/// What a daemon's `tls` says where all are protected, or nobody is.
#[cfg(feature = "toy")]
pub(crate) fn tls(is_protected: bool) -> TlsConfig {
    if is_protected { TlsConfig { enable: true, require: true, ..TlsConfig::default() } } else { TlsConfig::off() }
}
