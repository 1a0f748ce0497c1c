//! Configuration of a director.

use std::collections::BTreeMap;

use super::acl::Acl;
use super::catalog::Catalog;
use super::counter::Counter;
use super::fileset::FileSet;
use super::job::Job;
use super::messages::{MailServer, Messages, named};
use super::password::{Password, Passwords};
use super::pool::Pool;
use super::resource::resources;
use super::schedule::Schedule;
use super::tls::TlsConfig;
use super::units::{Bytes, Seconds};
use super::{DIRECTOR_PORT, FILE_PORT, STORAGE_PORT, any_address, heartbeat};

resources! {
    /// Everything a director needs to know.
    DirectorConfig {
        /// The daemon itself.
        director: Director,
        /// The file daemons.
        clients: Vec<Client> = Vec::new(),
        /// The storage daemons and their devices.
        storages: Vec<Storage> = Vec::new(),
        /// The jobs.
        jobs: Vec<Job> = Vec::new(),
        /// What to save.
        filesets: Vec<FileSet> = Vec::new(),
        /// Groups of volumes.
        pools: Vec<Pool> = Vec::new(),
        /// Numbers that names of volumes are made with.
        counters: Vec<Counter> = Vec::new(),
        /// When jobs run by themselves.
        schedules: Vec<Schedule> = Vec::new(),
        /// Where the catalog is: of several, the one of whatever names none.
        catalog: Catalog = Catalog::default(),
        /// Further catalogs, each with a name of its own. Clients, pools and jobs name the one that is theirs.
        catalogs: Vec<Catalog> = Vec::new(),
        /// Named consoles.
        consoles: Vec<ConsoleAccess> = Vec::new(),
        /// Access lists that several consoles have.
        profiles: Vec<Profile> = Vec::new(),
        /// Where messages go. Without any, the catalog keeps those of jobs and consoles see them.
        messages: Vec<Messages> = Vec::new(),
        /// The server that takes mail, where no command sends it.
        mail_server: Option<MailServer> = None,
    }

    /// The director itself.
    Director {
        /// Name of this director.
        name: String,
        /// A note for people.
        description: Option<String> = None,
        /// Password of the default console.
        password: Password,
        /// TCP port it listens on.
        port: u16 = DIRECTOR_PORT,
        /// Addresses it listens on, each with or without a port of its own.
        listen: Vec<String> = any_address(),
        /// Folder that the daemon works in, relative to the folder of the configuration file: the system puts a core file
        /// there, and relative names begin there. `None`: it stays where it was started. It must be there already.
        working_directory: Option<String> = None,
        /// File with the questions to the catalog that `query` of a console shows, each as Bareos writes it: a title after `:`,
        /// what to ask a person for after `*`, and SQL, in which `%1` is the first answer. They only read.
        query_file: Option<String> = None,
        /// Address and port at which programs and people can see the director's state: `/metrics` in the text format of
        /// Prometheus, and the page if there is a `page_token`. In clear text, so of this machine alone: `"127.0.0.1:9109"`.
        /// `None`: nowhere.
        metrics: Option<String> = None,
        /// What a person has to say to see the page at `metrics`, as the password; the name does not matter. `None`: there is
        /// no page.
        page_token: Option<Password> = None,
        /// The `messages` resource for messages that are of no job, and for jobs that name none; `None`: the first.
        messages: Option<String> = None,
        /// TLS it shows to whoever dials it; also towards clients and storages that have none of their own.
        tls: TlsConfig = TlsConfig::default(),
        /// Seconds between TCP keepalives on connections to clients and storages, 0 for the system's default.
        /// (In Bareos: 0, `wire/1 §9.6`.)
        heartbeat_interval: Seconds = Seconds::secs(60),
        /// How long a file daemon is dialled for a job, in seconds (`wire/1 §9.1`).
        fd_connect_timeout: Seconds = Seconds::secs(180),
        /// Pause between two attempts to reach a file daemon for a job, in seconds (`wire/1 §9.1`).
        fd_retry_interval: Seconds = Seconds::secs(10),
        /// How long a storage daemon is dialled for a job, in seconds (`wire/1 §9.1`).
        sd_connect_timeout: Seconds = Seconds::secs(1_800),
        /// Pause between two attempts to reach a storage daemon for a job, in seconds (`wire/1 §9.1`).
        sd_retry_interval: Seconds = Seconds::secs(10),
        /// How long a daemon is dialled for a status, an estimate or a cancel, in seconds (`wire/1 §9.1`).
        status_connect_timeout: Seconds = Seconds::secs(15),
        /// Pause between two attempts to reach a daemon for one of these, in seconds (`wire/1 §9.1`).
        status_retry_interval: Seconds = Seconds::secs(1),
        /// Address that outgoing connections are bound to; `None`: the system chooses (`wire/1 §9.3`).
        source_address: Option<String> = None,
        /// Jobs at the same time; more wait.
        maximum_concurrent_jobs: u32 = 20,
        /// Units that `status subscriptions` of a console compares what is saved with; nothing else goes by it.
        subscriptions: u32 = 0,
        /// How long jobs that run may take to end once the daemon is asked to (SIGTERM), in seconds; then, and at a second
        /// signal, they are cancelled. 0: they are cancelled at once, as SIGINT does. (In Bareos: 0.)
        shutdown_grace: Seconds = Seconds::secs(60),
        /// How long a command of a job on the director may take before it is ended with all that it has started, in seconds;
        /// 0: as long as it will. (In Bareos: 0.)
        script_time_limit: Seconds = Seconds::secs(3_600),
        /// Consoles at the same time (`wire/1 §9.5`), of one name three quarters of them. One more lets the one go that has
        /// been idle longest.
        max_console_connections: u32 = 20,
        /// Connections that may be under way without being authenticated.
        max_unauthenticated: u32 = 256,
        /// How long a connection may take to authenticate, in seconds. (In Bareos: 600 s.)
        authenticate_within: Seconds = Seconds::secs(60),
        /// Connections of clients that may wait for jobs (`wire/1 §8.3`); one more is refused. (In Bareos: no limit.)
        max_waiting_connections: u32 = 10_000,
        /// Connections of one client that may wait; one more lets its oldest go. A file daemon keeps one. (In Bareos: no
        /// limit.)
        max_waiting_connections_per_client: u32 = 8,
    }

    /// A file daemon as the director sees it.
    Client {
        /// Name of the file daemon, as in its own configuration.
        name: String,
        /// A note for people.
        description: Option<String> = None,
        /// Host name or IP address at which the director dials it; not needed if only the client dials.
        address: Option<String> = None,
        /// Password, the same as in the file daemon's `directors`.
        password: Password,
        /// TCP port it listens on.
        port: u16 = FILE_PORT,
        /// Whether the storage daemon dials the client for data, and not the client the storage daemon.
        passive: bool = false,
        /// Whether the client may dial the director and wait there (`wire/1 §8`).
        connection_from_client_to_director: bool = false,
        /// Whether the director may dial the client.
        connection_from_director_to_client: bool = true,
        /// Address for a storage daemon that has a `lan_address` too (only used for a passive client).
        lan_address: Option<String> = None,
        /// Networks the client is in: name of the network and the client's address there. Goes before `lan_address`.
        networks: BTreeMap<String, String> = BTreeMap::new(),
        /// TLS towards this client; `None`: that of `director`.
        tls: Option<TlsConfig> = None,
        /// As in `director`, for this client; `None`: that of `director` (`wire/1 §9.6`).
        heartbeat_interval: Option<Seconds> = None,
        /// Catalog of its jobs, unless their pool or they themselves name another; `None`: `catalog`.
        catalog: Option<String> = None,
        /// Jobs of this client at the same time.
        maximum_concurrent_jobs: u32 = 1,
        /// Bytes a second that the data of one of its jobs may take; 0: what the client itself says.
        maximum_bandwidth_per_job: Bytes = Bytes(0),
        /// How old the files of a job must be for `prune files` of a console; 0: as long as their volume keeps the job.
        /// Nothing is pruned by itself, and never what the newest state is restored from. (In Bareos: 60 days.)
        file_retention: Seconds = Seconds::secs(0),
        /// The same for jobs and `prune jobs`. (In Bareos: 180 days.)
        job_retention: Seconds = Seconds::secs(0),
    }

    /// A storage daemon and one of its devices as the director sees them.
    Storage {
        /// Name of this resource; jobs refer to it.
        name: String,
        /// A note for people.
        description: Option<String> = None,
        /// Host name or IP address at which the director and the clients dial it.
        address: String,
        /// Password, the same as in the storage daemon's `directors`.
        password: Password,
        /// Name of the device, as in the storage daemon's `devices`.
        device: String,
        /// Media type, as in the storage daemon's `devices`.
        media_type: String,
        /// TCP port it listens on.
        port: u16 = STORAGE_PORT,
        /// Address for clients that have a `lan_address` too.
        lan_address: Option<String> = None,
        /// Networks the storage daemon is in: name of the network and its address there. Goes before `lan_address`.
        networks: BTreeMap<String, String> = BTreeMap::new(),
        /// TLS towards this storage daemon; `None`: that of `director`.
        tls: Option<TlsConfig> = None,
        /// As in `director`, for this storage daemon; `None`: that of `director` (`wire/1 §9.6`).
        heartbeat_interval: Option<Seconds> = None,
        /// Jobs with this storage at the same time.
        maximum_concurrent_jobs: u32 = 1,
        /// Bytes a second at which it reads for one copy or migration; 0: what the storage daemon itself says.
        maximum_bandwidth_per_job: Bytes = Bytes(0),
    }

    /// A named console.
    ConsoleAccess {
        /// Name of the console.
        name: String,
        /// A note for people.
        description: Option<String> = None,
        /// Password, the same as in the console's own configuration.
        password: Password,
        /// Commands it may use; `*all*` for every one. In this and the lists after it the first entry that fits decides: a
        /// name, `!NAME` to deny it, or an extended regular expression that fits all of a name. Empty: none.
        command_acl: Vec<String> = Vec::new(),
        /// Jobs it may see and use.
        job_acl: Vec<String> = Vec::new(),
        /// Clients it may see and use.
        client_acl: Vec<String> = Vec::new(),
        /// Storages it may see and use.
        storage_acl: Vec<String> = Vec::new(),
        /// Schedules it may see and use.
        schedule_acl: Vec<String> = Vec::new(),
        /// Pools, and their volumes, that it may see and use.
        pool_acl: Vec<String> = Vec::new(),
        /// Filesets it may see and use.
        fileset_acl: Vec<String> = Vec::new(),
        /// Catalogs it may ask.
        catalog_acl: Vec<String> = Vec::new(),
        /// Folders it may restore to, where a restore says another one than its job has.
        where_acl: Vec<String> = Vec::new(),
        /// What it may have plugins of a client told, as `run` and `restore` say it with `pluginoptions=`.
        plugin_options_acl: Vec<String> = Vec::new(),
        /// Profiles, whose lists count after its own, in this order.
        profiles: Vec<String> = Vec::new(),
        /// TLS certificates in band; `None`: that of `director`.
        tls: Option<TlsConfig> = None,
    }

    /// Access lists under a name, for consoles.
    Profile {
        /// Name of the profile; consoles refer to it.
        name: String,
        /// A note for people.
        description: Option<String> = None,
        /// Commands consoles with it may use; `*all*` for every one. In this and the lists after it the first entry that fits decides: a
        /// name, `!NAME` to deny it, or an extended regular expression that fits all of a name. Empty: none.
        command_acl: Vec<String> = Vec::new(),
        /// Jobs consoles with it may see and use.
        job_acl: Vec<String> = Vec::new(),
        /// Clients consoles with it may see and use.
        client_acl: Vec<String> = Vec::new(),
        /// Storages consoles with it may see and use.
        storage_acl: Vec<String> = Vec::new(),
        /// Schedules consoles with it may see and use.
        schedule_acl: Vec<String> = Vec::new(),
        /// Pools, and their volumes, that consoles with it may see and use.
        pool_acl: Vec<String> = Vec::new(),
        /// Filesets consoles with it may see and use.
        fileset_acl: Vec<String> = Vec::new(),
        /// Catalogs consoles with it may ask.
        catalog_acl: Vec<String> = Vec::new(),
        /// Folders consoles with it may restore to, where a restore says another one than its job has.
        where_acl: Vec<String> = Vec::new(),
        /// What consoles with it may have plugins of a client told, as `run` and `restore` say it with `pluginoptions=`.
        plugin_options_acl: Vec<String> = Vec::new(),
    }
}

/// What an access list is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Commands.
    Command,
    /// Jobs.
    Job,
    /// Clients.
    Client,
    /// Storages.
    Storage,
    /// Schedules.
    Schedule,
    /// Pools.
    Pool,
    /// Filesets.
    FileSet,
    /// Catalogs.
    Catalog,
    /// Folders to restore to.
    Where,
    /// What plugins of a client are told.
    PluginOptions,
}

impl Access {
    /// Every one, and the field that has its list.
    pub const ALL: &[(Self, &str)] = &[
        (Self::Command, "command_acl"),
        (Self::Job, "job_acl"),
        (Self::Client, "client_acl"),
        (Self::Storage, "storage_acl"),
        (Self::Schedule, "schedule_acl"),
        (Self::Pool, "pool_acl"),
        (Self::FileSet, "fileset_acl"),
        (Self::Catalog, "catalog_acl"),
        (Self::Where, "where_acl"),
        (Self::PluginOptions, "plugin_options_acl"),
    ];

    /// The entries of a console's own list.
    #[must_use]
    pub fn of_console(self, console: &ConsoleAccess) -> &[String] {
        match self {
            Self::Command => &console.command_acl,
            Self::Job => &console.job_acl,
            Self::Client => &console.client_acl,
            Self::Storage => &console.storage_acl,
            Self::Schedule => &console.schedule_acl,
            Self::Pool => &console.pool_acl,
            Self::FileSet => &console.fileset_acl,
            Self::Catalog => &console.catalog_acl,
            Self::Where => &console.where_acl,
            Self::PluginOptions => &console.plugin_options_acl,
        }
    }

    /// The entries of a profile's list.
    #[must_use]
    pub fn of_profile(self, profile: &Profile) -> &[String] {
        match self {
            Self::Command => &profile.command_acl,
            Self::Job => &profile.job_acl,
            Self::Client => &profile.client_acl,
            Self::Storage => &profile.storage_acl,
            Self::Schedule => &profile.schedule_acl,
            Self::Pool => &profile.pool_acl,
            Self::FileSet => &profile.fileset_acl,
            Self::Catalog => &profile.catalog_acl,
            Self::Where => &profile.where_acl,
            Self::PluginOptions => &profile.plugin_options_acl,
        }
    }
}

impl ConsoleAccess {
    /// A list of this console: its own entries, then those of its profiles.
    #[must_use]
    pub fn acl(&self, profiles: &[Profile], about: Access) -> Acl {
        Acl::new(self.all_entries(profiles, about))
    }

    /// The entries of that list.
    #[must_use]
    pub fn all_entries<'a>(&'a self, profiles: &'a [Profile], about: Access) -> Vec<&'a str> {
        let used = self.profiles.iter().filter_map(|name| profiles.iter().find(|profile| profile.name == *name));
        let of_profiles = used.flat_map(|profile| about.of_profile(profile));
        about.of_console(self).iter().chain(of_profiles).map(String::as_str).collect()
    }
}

impl DirectorConfig {
    /// The catalogs: first the one of whatever names none.
    pub fn all_catalogs(&self) -> impl Iterator<Item = &Catalog> + Clone {
        std::iter::once(&self.catalog).chain(&self.catalogs)
    }

    /// Whether there are more than one.
    #[must_use]
    pub const fn has_several_catalogs(&self) -> bool {
        !self.catalogs.is_empty()
    }

    /// The engines of the catalogs, for a person: of several, each after its catalog's name.
    #[must_use]
    pub fn catalog_engines(&self) -> String {
        if !self.has_several_catalogs() {
            return self.catalog.engine().to_owned();
        }
        let one = |catalog: &Catalog| format!("{}={}", catalog.name(), catalog.engine());
        self.all_catalogs().map(one).collect::<Vec<_>>().join(",")
    }

    /// The catalog called `name`.
    #[must_use]
    pub fn catalog(&self, name: &str) -> Option<&Catalog> {
        self.all_catalogs().find(|catalog| catalog.name() == name)
    }

    /// The name of the catalog of a client: its own, or the first.
    #[must_use]
    pub fn catalog_of_client<'a>(&'a self, client: &'a Client) -> &'a str {
        client.catalog.as_deref().unwrap_or_else(|| self.catalog.name())
    }

    /// The name of the catalog that jobs of a resource are recorded in when they work with this pool. As in Bareos the pool's
    /// goes before that of the resource, and that before the client's; a pool that is in every catalog changes nothing.
    #[must_use]
    pub fn catalog_of_job<'a>(&'a self, job: &'a Job, pool: &str) -> &'a str {
        let of_pool = |name: &str| self.pool(name).and_then(|pool| pool.catalog.as_deref());
        let of_client = || self.client(&job.client).and_then(|client| client.catalog.as_deref());
        let named = of_pool(pool).or_else(|| of_pool(&job.pool)).or(job.catalog.as_deref()).or_else(of_client);
        named.unwrap_or_else(|| self.catalog.name())
    }

    /// Whether a pool is in this catalog, as far as it is known at all.
    #[must_use]
    pub fn is_pool_in(&self, pool: &str, catalog: &str) -> bool {
        self.pool(pool).and_then(|pool| pool.catalog.as_deref()).is_none_or(|named| named == catalog)
    }

    /// All resources that say where messages go; without any, what counts then.
    #[must_use]
    pub fn all_messages(&self) -> Vec<Messages> {
        if self.messages.is_empty() { vec![Messages::standard()] } else { self.messages.clone() }
    }

    /// Where messages go of which this says so: the name that a job has, else what the daemon's own go by.
    #[must_use]
    pub fn messages_of(&self, name: Option<&str>) -> Messages {
        let own = self.director.messages.as_deref();
        named(&self.messages, name.or(own)).cloned().unwrap_or_else(Messages::standard)
    }

    /// The client called `name`.
    #[must_use]
    pub fn client(&self, name: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.name == name)
    }

    /// The resource of this director for the configuration of a client's file daemon, in Bareos' syntax, with the password that
    /// both need; none if there is no such client.
    #[must_use]
    pub fn exported(&self, client: &str) -> Option<String> {
        let key = self.client(client)?.password.key();
        let (director, key) = (&self.director.name, String::from_utf8_lossy(key.expose()));
        Some(format!("Director {{\n  Name = \"{director}\"\n  Password = \"[md5]{key}\"\n}}\n"))
    }

    /// The storage called `name`.
    #[must_use]
    pub fn storage(&self, name: &str) -> Option<&Storage> {
        self.storages.iter().find(|storage| storage.name == name)
    }

    /// The job called `name`.
    #[must_use]
    pub fn job(&self, name: &str) -> Option<&Job> {
        self.jobs.iter().find(|job| job.name == name)
    }

    /// The schedule of this name.
    #[must_use]
    pub fn schedule(&self, name: &str) -> Option<&Schedule> {
        self.schedules.iter().find(|schedule| schedule.name == name)
    }

    /// The fileset called `name`.
    #[must_use]
    pub fn fileset(&self, name: &str) -> Option<&FileSet> {
        self.filesets.iter().find(|fileset| fileset.name == name)
    }

    /// The pool called `name`.
    #[must_use]
    pub fn pool(&self, name: &str) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.name == name)
    }

    /// The named console called `name`.
    #[must_use]
    pub fn console(&self, name: &str) -> Option<&ConsoleAccess> {
        self.consoles.iter().find(|console| console.name == name)
    }

    /// The profile called `name`.
    #[must_use]
    pub fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.name == name)
    }

    /// TLS towards `client`: its own settings, else the director's.
    #[must_use]
    pub fn client_tls<'a>(&'a self, client: &'a Client) -> &'a TlsConfig {
        client.tls.as_ref().unwrap_or(&self.director.tls)
    }

    /// TLS towards `storage`: its own settings, else the director's.
    #[must_use]
    pub fn storage_tls<'a>(&'a self, storage: &'a Storage) -> &'a TlsConfig {
        storage.tls.as_ref().unwrap_or(&self.director.tls)
    }

    /// The heartbeat interval towards `client`, `None` when switched off (`wire/1 §9.6`).
    #[must_use]
    pub fn client_heartbeat(&self, client: &Client) -> Option<Seconds> {
        heartbeat(client.heartbeat_interval, self.director.heartbeat_interval)
    }

    /// The heartbeat interval towards consoles and monitors, `None` when switched off.
    #[must_use]
    pub fn console_heartbeat(&self) -> Option<Seconds> {
        heartbeat(None, self.director.heartbeat_interval)
    }

    /// The heartbeat interval towards `storage`, `None` when switched off (`wire/1 §9.6`).
    #[must_use]
    pub fn storage_heartbeat(&self, storage: &Storage) -> Option<Seconds> {
        heartbeat(storage.heartbeat_interval, self.director.heartbeat_interval)
    }
}

impl Passwords for DirectorConfig {
    fn for_each_password(&mut self, visit: &mut dyn FnMut(&mut Password)) {
        visit(&mut self.director.password);
        self.director.page_token.iter_mut().for_each(&mut *visit);
        self.clients.iter_mut().for_each(|client| visit(&mut client.password));
        self.storages.iter_mut().for_each(|storage| visit(&mut storage.password));
        self.consoles.iter_mut().for_each(|console| visit(&mut console.password));
        std::iter::once(&mut self.catalog).chain(&mut self.catalogs).filter_map(Catalog::password).for_each(visit);
    }
}
