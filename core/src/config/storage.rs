//! Configuration of a storage daemon.

use super::messages::{DestinationKind, MessageTypes, Messages, named};
use super::object::{DeviceKind, ObjectStore};
use super::password::{Password, Passwords};
use super::resource::resources;
use super::tls::TlsConfig;
use super::units::{Bytes, Seconds};
use super::{STORAGE_PORT, any_address, heartbeat};

resources! {
    /// Everything a storage daemon needs to know.
    StorageConfig {
        /// The daemon itself.
        storage: StorageDaemon,
        /// The directors that may use it.
        directors: Vec<StorageDirector>,
        /// The archive devices.
        devices: Vec<Device>,
        /// Devices that share a name, of which a job takes one that is free.
        autochangers: Vec<Autochanger> = Vec::new(),
        /// Where messages go. Without any, those of a job go to its director.
        messages: Vec<Messages> = Vec::new(),
    }

    /// The storage daemon itself.
    StorageDaemon {
        /// Name of this daemon.
        name: String,
        /// A note for people.
        description: Option<String> = None,
        /// TCP port it listens on.
        port: u16 = STORAGE_PORT,
        /// Addresses it listens on, each with or without a port of its own.
        listen: Vec<String> = any_address(),
        /// Folder that the daemon works in, relative to the folder of the configuration file: the system puts a core file
        /// there, and relative names begin there. `None`: it stays where it was started. It must be there already.
        working_directory: Option<String> = None,
        /// The `messages` resource that counts; `None`: the first. Its `director` says which messages of a job go to the
        /// job's director.
        messages: Option<String> = None,
        /// TLS it shows to whoever dials it, and uses towards passive clients and storage daemons (`wire/1 §2.8`).
        tls: TlsConfig = TlsConfig::default(),
        /// Seconds between heartbeats: TCP keepalive on every connection, and heartbeat frames while a job waits. 0
        /// switches both off. (In Bareos: 0, `wire/1 §9.6`, `§9.7`.)
        heartbeat_interval: Seconds = Seconds::secs(60),
        /// How long a job waits for its file daemon, in seconds (`wire/1 §9.1`).
        client_connect_wait: Seconds = Seconds::secs(1_800),
        /// How long a passive client is dialled, in seconds (`wire/1 §9.1`).
        fd_connect_timeout: Seconds = Seconds::secs(1_800),
        /// Pause between two attempts to reach a passive client, in seconds (`wire/1 §9.1`).
        fd_retry_interval: Seconds = Seconds::secs(10),
        /// How long another storage daemon is dialled, in seconds (`wire/1 §9.1`).
        sd_connect_timeout: Seconds = Seconds::secs(1_800),
        /// Pause between two attempts to reach another storage daemon, in seconds (`wire/1 §9.1`).
        sd_retry_interval: Seconds = Seconds::secs(10),
        /// Address that outgoing connections are bound to; `None`: the system chooses (`wire/1 §9.3`).
        source_address: Option<String> = None,
        /// Jobs at the same time; one more is refused (`wire/1 §9.5`).
        maximum_concurrent_jobs: u32 = 1_000,
        /// A command with its arguments that deletes what has held data: volumes that are recycled, truncated or relabelled,
        /// spool files, and bootstraps beside volumes. The file's name is added to it, and no shell sees it. `None`: the system
        /// deletes. What lies in a store of objects it does not reach.
        secure_erase_command: Option<String> = None,
        /// How long it may take for a file, in seconds; 0: as long as it likes. (In Bareos: there is no limit.)
        secure_erase_time_limit: Seconds = Seconds::secs(12 * 3_600),
        /// How long jobs that run may take to end once the daemon is asked to (SIGTERM), in seconds; then, and at a second
        /// signal, they are cancelled. 0: they are cancelled at once, as SIGINT does. (In Bareos: 0.)
        shutdown_grace: Seconds = Seconds::secs(60),
        /// Connections that may be under way without being authenticated.
        max_unauthenticated: u32 = 256,
        /// How long a connection may take to authenticate, in seconds. (In Bareos: 600 s.)
        authenticate_within: Seconds = Seconds::secs(60),
        /// Bytes a second that the data of one job may take, 0 for no limit. What the job's director says goes before it.
        maximum_bandwidth_per_job: Bytes = Bytes(0),
        /// The age of what a job has written at which the catalog is told of it though the piece of the volume is not
        /// complete, in seconds; 0: it may become as old as it likes (`wire/3 §2.3`).
        checkpoint_interval: Seconds = Seconds::secs(0),
    }

    /// A director that may use the storage daemon.
    StorageDirector {
        /// Name of the director, as in its own configuration.
        name: String,
        /// A note for people.
        description: Option<String> = None,
        /// Password, the same as in the director's `storages`.
        password: Password,
        /// Whether it may only ask for the status (`wire/1 §7`).
        monitor: bool = false,
        /// TLS certificates in band; `None`: that of `storage`.
        tls: Option<TlsConfig> = None,
        /// As in `storage`, for this director; `None`: that of `storage`.
        heartbeat_interval: Option<Seconds> = None,
        /// As in `storage`, for this director's jobs; 0: that of `storage`.
        maximum_bandwidth_per_job: Bytes = Bytes(0),
    }

    /// An archive device: a folder that holds volumes as files, or a store of objects.
    Device {
        /// Name of the device, as in the director's `storages`.
        name: String,
        /// A note for people.
        description: Option<String> = None,
        /// Media type; only volumes of this type are mounted here.
        media_type: String,
        /// Folder with the volumes, relative to the folder of the configuration file. Of kind `object`: the address of the
        /// store, such as `s3://bucket/prefix` or `file:///srv/objects`.
        archive_device: String,
        /// What the volumes lie in: `file`, a folder, or `object`, a store.
        kind: DeviceKind = DeviceKind::File,
        /// How the store is reached, of kind `object`.
        object: ObjectStore = ObjectStore::default(),
        /// Whether new volumes may be labelled without an operator. (In Bareos: `false`.)
        label_media: bool = true,
        /// Largest size of one volume; 0: no limit.
        maximum_volume_size: Bytes = Bytes(0),
        /// Size of a data block (`wire/3 §5.1`).
        maximum_block_size: Bytes = Bytes::mib(1),
        /// Bytes of one job after which a piece of a volume is recorded in the catalog.
        maximum_file_size: Bytes = Bytes(1_000_000_000),
        /// How many devices this one stands for. With 2 or more an autochanger has its name, and the devices have the name
        /// and four digits: those from `0001` on are taken by jobs, `0000` by whoever names it.
        count: u32 = 1,
        /// Jobs that use the device at the same time, each with a volume of its own; 0: no limit.
        maximum_concurrent_jobs: u32 = 1,
        /// Folder for data that jobs spool, relative to the folder of the configuration file; `None`: the daemon's
        /// `working_directory`.
        spool_directory: Option<String> = None,
        /// Bytes that all jobs together may have spooled for the device; 0: no limit.
        maximum_spool_size: Bytes = Bytes(0),
        /// Bytes that one job may have spooled unless its director says otherwise; 0: no limit.
        maximum_job_spool_size: Bytes = Bytes(0),
        /// Whether a job takes the device when its storage names the autochanger; `false`: only when it names the device.
        auto_select: bool = true,
    }

    /// Devices under one name.
    Autochanger {
        /// Name, as in the director's `storages`.
        name: String,
        /// A note for people.
        description: Option<String> = None,
        /// Names of its devices; in this order jobs look for one that is free.
        devices: Vec<String>,
    }
}

impl Device {
    /// Whether its volumes lie in a store of objects.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.kind == DeviceKind::Object
    }

    /// The devices it stands for.
    pub fn each(&self) -> impl Iterator<Item = Self> {
        let serials = if self.count > 1 { 0..=self.count } else { 0..=0 };
        serials.map(|serial| {
            if self.count <= 1 {
                return self.clone();
            }
            let name = format!("{}{serial:04}", self.name);
            Self { name, auto_select: self.auto_select && serial > 0, count: 1, ..self.clone() }
        })
    }
}

impl StorageConfig {
    /// The `messages` that counts.
    #[must_use]
    pub fn own_messages(&self) -> Option<&Messages> {
        named(&self.messages, self.storage.messages.as_deref())
    }

    /// The files that messages are appended to.
    pub fn appended(&self) -> impl Iterator<Item = &str> {
        self.own_messages().into_iter().flat_map(Messages::appended)
    }

    /// The messages of a job that are mailed from here at its end.
    #[must_use]
    pub fn mailed(&self) -> MessageTypes {
        self.own_messages().map_or(MessageTypes::NONE, |messages| messages.types_for(DestinationKind::Mail))
    }

    /// The messages of a job that its director is told.
    #[must_use]
    pub fn told(&self) -> MessageTypes {
        self.own_messages().map_or(MessageTypes::ALL, |messages| messages.types_for(DestinationKind::Director))
    }

    /// TLS towards `director`: its own settings, else the daemon's.
    #[must_use]
    pub fn director_tls<'a>(&'a self, director: &'a StorageDirector) -> &'a TlsConfig {
        director.tls.as_ref().unwrap_or(&self.storage.tls)
    }

    /// The heartbeat interval towards `director`, `None` when switched off.
    #[must_use]
    pub fn director_heartbeat(&self, director: &StorageDirector) -> Option<Seconds> {
        heartbeat(director.heartbeat_interval, self.storage.heartbeat_interval)
    }

    /// Bytes a second for a job of the director `name` unless it says otherwise; 0 for no limit.
    #[must_use]
    pub fn job_bandwidth(&self, name: &str) -> u64 {
        let director = self.directors.iter().find(|director| director.name == name);
        let own = director.map_or(0, |director| director.maximum_bandwidth_per_job.0);
        if own > 0 { own } else { self.storage.maximum_bandwidth_per_job.0 }
    }

    /// The heartbeat interval of data channels, `None` when switched off.
    #[must_use]
    pub fn data_heartbeat(&self) -> Option<Seconds> {
        heartbeat(None, self.storage.heartbeat_interval)
    }
}

impl Passwords for StorageConfig {
    fn for_each_password(&mut self, visit: &mut dyn FnMut(&mut Password)) {
        self.directors.iter_mut().for_each(|director| visit(&mut director.password));
        self.devices.iter_mut().filter_map(|device| device.object.secret_key.as_mut()).for_each(visit);
    }
}
