//! Configuration of a file daemon.

use serde::{Deserialize, Serialize};

use super::messages::{DestinationKind, MessageTypes, Messages, named};
use super::password::{Password, Passwords};
use super::resource::resources;
use super::tls::TlsConfig;
use super::units::{Bytes, Seconds};
use super::{DIRECTOR_PORT, FILE_PORT, any_address, heartbeat};

/// What a director may ask a file daemon to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobCommand {
    /// Read files and send them to a storage daemon.
    Backup,
    /// Receive files from a storage daemon and write them.
    Restore,
    /// Compare files with a list or a volume.
    Verify,
    /// Count what a backup would take.
    Estimate,
    /// Run commands before and after a job.
    #[serde(rename = "runscript")]
    RunScript,
}

resources! {
    /// Everything a file daemon needs to know.
    FileConfig {
        /// The daemon itself.
        file: FileDaemon,
        /// The directors that may use it.
        directors: Vec<FileDirector>,
        /// Where messages go. Without any, those of a job go to its director.
        messages: Vec<Messages> = Vec::new(),
    }

    /// The file daemon itself.
    FileDaemon {
        /// Name of this daemon, as in the director's `clients`.
        name: String,
        /// A note for people.
        description: Option<String> = None,
        /// TCP port it listens on.
        port: u16 = FILE_PORT,
        /// Addresses it listens on, each with or without a port of its own. Empty: it does not listen at all and only
        /// dials its directors.
        listen: Vec<String> = any_address(),
        /// Folder that the daemon works in, relative to the folder of the configuration file: the system puts a core file
        /// there, and relative names begin there. `None`: it stays where it was started. It must be there already. A list
        /// of what each job could not save is kept there (`NAME.DIGEST.unsaved`); without a folder, an incremental tries
        /// such files again only if their times have changed.
        working_directory: Option<String> = None,
        /// The `messages` resource that counts; `None`: the first. Its `director` says which messages of a job go to the
        /// job's director, its `append` where the daemon leaves its trace when it reaches nobody.
        messages: Option<String> = None,
        /// TLS it shows to whoever dials it, and uses towards storage daemons (`wire/1 §2.8`).
        tls: TlsConfig = TlsConfig::default(),
        /// Seconds between heartbeats: TCP keepalive on every connection, and heartbeat frames during jobs. 0 switches
        /// both off. (In Bareos: 0, and then a vanished peer is noticed after two hours, `wire/1 §9.6`, `§9.7`.)
        heartbeat_interval: Seconds = Seconds::secs(60),
        /// How long a storage daemon is dialled before the job fails, in seconds (`wire/1 §9.1`).
        sd_connect_timeout: Seconds = Seconds::secs(1_800),
        /// Pause between two attempts to reach a storage daemon, in seconds (`wire/1 §9.1`).
        sd_retry_interval: Seconds = Seconds::secs(10),
        /// How long one attempt to reach a director may take, in seconds. (In Bareos: as long as the system tries.)
        director_connect_timeout: Seconds = Seconds::secs(30),
        /// The longest pause between two attempts to reach a director, in seconds. The first is at most 2 s, each further
        /// one up to twice as long, and half of each is chance. (In Bareos: always 60 s, `wire/1 §8.2`.)
        redial_interval: Seconds = Seconds::secs(60),
        /// Address that outgoing connections are bound to; `None`: the system chooses (`wire/1 §9.3`).
        source_address: Option<String> = None,
        /// Jobs at the same time; one more is refused (`wire/1 §9.5`).
        maximum_concurrent_jobs: u32 = 1_000,
        /// How long jobs that run may take to end once the daemon is asked to (SIGTERM), in seconds; then, and at a second
        /// signal, they are cancelled. 0: they are cancelled at once, as SIGINT does. (In Bareos: 0.)
        shutdown_grace: Seconds = Seconds::secs(60),
        /// Connections that may be under way without being authenticated.
        max_unauthenticated: u32 = 256,
        /// How long a connection may take to authenticate, in seconds. (In Bareos: 600 s.)
        authenticate_within: Seconds = Seconds::secs(60),
        /// Folders whose programs a director's jobs may run on this client (`wire/2 §1.9`): the program itself must lie there,
        /// once links are followed. Empty: any program, as in Bareos; then a director is as good as the user that the daemon
        /// runs as.
        allowed_script_dir: Vec<String> = Vec::new(),
        /// How long such a command may take before it is ended with all that it has started, in seconds; 0: as long as it
        /// will. (In Bareos: 0.)
        script_time_limit: Seconds = Seconds::secs(3_600),
        /// Plugins that the filesets of directors may use: `bpipe`, which saves what a command writes and gives what is
        /// restored to another (`wire/2 §2.12`). Both are commands that the director names; with `allowed_script_dir` they must
        /// lie there.
        plugin_names: Vec<String> = Vec::new(),
        /// Bytes a second that the data of one job may take, 0 for no limit. What the job's director says goes before it.
        maximum_bandwidth_per_job: Bytes = Bytes(0),
    }

    /// A director that may use the file daemon.
    FileDirector {
        /// Name of the director, as in its own configuration.
        name: String,
        /// A note for people.
        description: Option<String> = None,
        /// Password, the same as in the director's `clients`.
        password: Password,
        /// Host name or IP address; needed if this daemon dials the director.
        address: Option<String> = None,
        /// TCP port of the director.
        port: u16 = DIRECTOR_PORT,
        /// Whether this daemon dials the director and waits there for jobs (`wire/1 §8`).
        connection_from_client_to_director: bool = false,
        /// Whether the director may dial this daemon.
        connection_from_director_to_client: bool = true,
        /// Whether it may only ask for the status (`wire/1 §7`).
        monitor: bool = false,
        /// TLS when dialling this director, and its certificates in band; `None`: that of `file`.
        tls: Option<TlsConfig> = None,
        /// As in `file`, for this director; `None`: that of `file`.
        heartbeat_interval: Option<Seconds> = None,
        /// As in `file`, for this director's jobs; 0: that of `file`.
        maximum_bandwidth_per_job: Bytes = Bytes(0),
        /// As in `file`, for this director's jobs; empty: those of `file`.
        allowed_script_dir: Vec<String> = Vec::new(),
        /// What this director may ask for: `backup`, `restore`, `verify`, `estimate`, `runscript`.
        allowed_job_commands: Vec<JobCommand> = vec![
            JobCommand::Backup,
            JobCommand::Restore,
            JobCommand::Verify,
            JobCommand::Estimate,
            JobCommand::RunScript,
        ],
    }
}

impl FileConfig {
    /// The `messages` that counts.
    #[must_use]
    pub fn own_messages(&self) -> Option<&Messages> {
        named(&self.messages, self.file.messages.as_deref())
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
    pub fn director_tls<'a>(&'a self, director: &'a FileDirector) -> &'a TlsConfig {
        director.tls.as_ref().unwrap_or(&self.file.tls)
    }

    /// The heartbeat interval towards `director`, `None` when switched off.
    #[must_use]
    pub fn director_heartbeat(&self, director: &FileDirector) -> Option<Seconds> {
        heartbeat(director.heartbeat_interval, self.file.heartbeat_interval)
    }

    /// The folders whose programs jobs of the director `name` may run; none if they may run any.
    #[must_use]
    pub fn script_folders(&self, name: &str) -> &[String] {
        let director = self.directors.iter().find(|director| director.name == name);
        match director.map(|director| director.allowed_script_dir.as_slice()) {
            None | Some([]) => &self.file.allowed_script_dir,
            Some(own) => own,
        }
    }

    /// Bytes a second for a job of the director `name` unless it says otherwise; 0 for no limit.
    #[must_use]
    pub fn job_bandwidth(&self, name: &str) -> u64 {
        let director = self.directors.iter().find(|director| director.name == name);
        let own = director.map_or(0, |director| director.maximum_bandwidth_per_job.0);
        if own > 0 { own } else { self.file.maximum_bandwidth_per_job.0 }
    }

    /// The heartbeat interval of data channels, `None` when switched off.
    #[must_use]
    pub fn data_heartbeat(&self) -> Option<Seconds> {
        heartbeat(None, self.file.heartbeat_interval)
    }
}

impl Passwords for FileConfig {
    fn for_each_password(&mut self, visit: &mut dyn FnMut(&mut Password)) {
        self.directors.iter_mut().for_each(|director| visit(&mut director.password));
    }
}
