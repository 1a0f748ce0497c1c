//! Configuration of a tray monitor.

use super::password::{Password, Passwords};
use super::resource::resources;
use super::tls::TlsConfig;
use super::units::Seconds;
use super::{DIRECTOR_PORT, FILE_PORT, STORAGE_PORT};

resources! {
    /// What a tray monitor watches (`wire/1 §7.1`).
    TrayConfig {
        /// The monitor itself.
        monitor: Monitor,
        /// The directors it watches.
        directors: Vec<MonitoredDirector> = Vec::new(),
        /// The file daemons it watches.
        clients: Vec<MonitoredClient> = Vec::new(),
        /// The storage daemons it watches.
        storages: Vec<MonitoredStorage> = Vec::new(),
    }

    /// The monitor itself.
    Monitor {
        /// Name of the monitor: that of a console in a director's `consoles`, and of a director with `monitor: true` in
        /// the `directors` of file daemons and storage daemons.
        name: String,
        /// A note for people.
        description: Option<String> = None,
        /// Pause between two looks at a daemon, in seconds.
        refresh_interval: Seconds = Seconds::secs(60),
        /// How long one daemon may take to be reached and to answer, in seconds. (In Bareos: 10 s to be reached, no limit
        /// for the answer.)
        timeout: Seconds = Seconds::secs(10),
        /// TLS towards daemons that have no `tls` of their own.
        tls: TlsConfig = TlsConfig::default(),
        /// Address that connections are bound to; `None`: the system chooses (`wire/1 §9.3`).
        source_address: Option<String> = None,
    }

    /// A director that is watched.
    MonitoredDirector {
        /// Name of the director.
        name: String,
        /// A note for people.
        description: Option<String> = None,
        /// Host name or IP address.
        address: String,
        /// TCP port it listens on.
        port: u16 = DIRECTOR_PORT,
        /// Password, the same as in the director's `consoles`.
        password: Password,
        /// TLS towards this director; `None`: that of `monitor`.
        tls: Option<TlsConfig> = None,
    }

    /// A file daemon that is watched.
    MonitoredClient {
        /// Name of the file daemon.
        name: String,
        /// A note for people.
        description: Option<String> = None,
        /// Host name or IP address.
        address: String,
        /// TCP port it listens on.
        port: u16 = FILE_PORT,
        /// Password, the same as in the file daemon's `directors`.
        password: Password,
        /// TLS towards this file daemon; `None`: that of `monitor`.
        tls: Option<TlsConfig> = None,
    }

    /// A storage daemon that is watched.
    MonitoredStorage {
        /// Name of the storage daemon.
        name: String,
        /// A note for people.
        description: Option<String> = None,
        /// Host name or IP address.
        address: String,
        /// TCP port it listens on.
        port: u16 = STORAGE_PORT,
        /// Password, the same as in the storage daemon's `directors`.
        password: Password,
        /// TLS towards this storage daemon; `None`: that of `monitor`.
        tls: Option<TlsConfig> = None,
    }
}

impl Passwords for TrayConfig {
    fn for_each_password(&mut self, visit: &mut dyn FnMut(&mut Password)) {
        self.directors.iter_mut().for_each(|director| visit(&mut director.password));
        self.clients.iter_mut().for_each(|client| visit(&mut client.password));
        self.storages.iter_mut().for_each(|storage| visit(&mut storage.password));
    }
}
