//! Configuration of a console.

use super::password::{Password, Passwords};
use super::resource::resources;
use super::tls::TlsConfig;
use super::units::Seconds;
use super::{DIRECTOR_PORT, heartbeat};

resources! {
    /// What a console needs to reach its director.
    ConsoleConfig {
        /// The director to talk to.
        director: ConsoleDirector,
        /// A named console with rights of its own; without it the console is the director's default console and uses
        /// the director's password (`wire/1 §2.5`).
        console: Option<Console> = None,
    }

    /// The director as a console sees it.
    ConsoleDirector {
        /// Name of the director, as in its own configuration.
        name: String,
        /// A note for people.
        description: Option<String> = None,
        /// Host name or IP address.
        address: String,
        /// TCP port the director listens on.
        port: u16 = DIRECTOR_PORT,
        /// Password of the director's default console. May be left out for a named console.
        password: Password = Password::default(),
        /// TLS towards the director.
        tls: TlsConfig = TlsConfig::default(),
        /// TCP keepalive of the connection in seconds, 0 for the system's default. (In Bareos: 0.)
        heartbeat_interval: Seconds = Seconds::secs(60),
        /// How long the director is dialled, in seconds (`wire/1 §9.1`).
        connect_timeout: Seconds = Seconds::secs(15),
        /// Pause between two attempts to reach it, in seconds. (In Bareos: 5, `wire/1 §9.1`.)
        retry_interval: Seconds = Seconds::secs(1),
    }

    /// A named console.
    Console {
        /// Name of the console, as in the director's `consoles`.
        name: String,
        /// A note for people.
        description: Option<String> = None,
        /// Password, the same as in the director's `consoles`.
        password: Password,
        /// TLS of this console; `None`: that of `director`.
        tls: Option<TlsConfig> = None,
        /// As in `director`, for this console; `None`: that of `director`. (In Bareos the director's goes first.)
        heartbeat_interval: Option<Seconds> = None,
    }
}

impl ConsoleConfig {
    /// TLS of the connection: the named console's, else the director's (`wire/1 §2.8`).
    #[must_use]
    pub fn tls(&self) -> &TlsConfig {
        self.console.as_ref().and_then(|console| console.tls.as_ref()).unwrap_or(&self.director.tls)
    }

    /// The password of the connection: the named console's, else the director's (`wire/1 §4.6`).
    #[must_use]
    pub fn password(&self) -> &Password {
        self.console.as_ref().map_or(&self.director.password, |console| &console.password)
    }

    /// TCP keepalive of the connection, `None` for the system's default.
    #[must_use]
    pub fn heartbeat(&self) -> Option<Seconds> {
        let own = self.console.as_ref().and_then(|console| console.heartbeat_interval);
        heartbeat(own, self.director.heartbeat_interval)
    }
}

impl Passwords for ConsoleConfig {
    fn for_each_password(&mut self, visit: &mut dyn FnMut(&mut Password)) {
        visit(&mut self.director.password);
        if let Some(console) = &mut self.console {
            visit(&mut console.password);
        }
    }
}
