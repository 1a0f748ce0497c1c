//! Where messages of jobs and of daemons go: to which places, and which of them to each.

use std::fmt;

use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::ser::SerializeSeq as _;
use serde::{Deserialize, Serialize, Serializer};

use super::resource::resources;
use super::units::Seconds;
use crate::nearest::nearest;
use crate::wire::message::MessageKind;
use crate::wire::names::MESSAGES;

/// How the time before a line is written unless a resource says otherwise, as in Bareos.
pub const TIMESTAMP: &str = "%d-%b %H:%M";

resources! {
    /// Where messages go. Jobs, lines of schedules and daemons refer to it.
    Messages {
        /// Name of the resource.
        name: String,
        /// A note for people.
        description: Option<String> = None,
        /// The places, each with the messages that it gets.
        destinations: Vec<Destination> = Vec::new(),
        /// How the time before each line is written, in the letters of `strftime`; empty: not at all. It counts for files, mail
        /// and standard output and error; the catalog, consoles and the system's log have times of their own.
        timestamp_format: String = TIMESTAMP.to_owned(),
        /// How long a mail, a webhook or a line for a file that could not be delivered is tried again, in seconds. (In Bareos:
        /// 0.)
        retry_for: Seconds = Seconds::secs(3_600),
    }

    /// A place that messages go to.
    Destination {
        /// What kind of place it is.
        kind: DestinationKind,
        /// The kinds of messages that go there, in the order in which they count: `all` adds every one, `!` takes one away.
        types: MessageTypes = MessageTypes::ALL,
        /// Which place: the addresses of `mail` and `operator`, the absolute path of `append` and `file`, the facility of
        /// `syslog` (none: `daemon`), the URL of a `webhook`. The others have none.
        to: Vec<String> = Vec::new(),
        /// Of `mail` and `webhook`: the jobs whose messages go there, by how they end.
        when: When = When::Always,
        /// Of `mail` and `operator`: the command that reads the text and sends it. `%` and a letter stand for a value of the
        /// job, `%r` for the addresses; no shell looks at it. `None`: the `mail_server`, or without one
        /// `/usr/lib/sendmail`.
        command: Option<String> = None,
    }

    /// The server that takes mail, where no command sends it.
    MailServer {
        /// Host name or IP address.
        host: String,
        /// The address that mail comes from.
        from: String,
        /// TCP port.
        port: u16 = 25,
        /// Whether the connection is encrypted.
        tls: MailTls = MailTls::Opportunistic,
        /// The user to log in as; `None`: no login.
        user: Option<String> = None,
        /// The file that holds the user's password in its first line, relative to the folder of the configuration file.
        password_file: Option<String> = None,
        /// The file with the certificates of the authorities that are trusted, relative to the folder of the configuration
        /// file; `None`: those of the system.
        ca: Option<String> = None,
        /// How long one try may take, in seconds.
        time_limit: Seconds = Seconds::secs(30),
    }
}

/// The kinds of places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DestinationKind {
    /// One mail with all messages of a job, at its end.
    Mail,
    /// A mail for each message, at once.
    Operator,
    /// A file that they are appended to.
    Append,
    /// A file that each job begins anew.
    File,
    /// The system's log.
    Syslog,
    /// Whoever asks with `messages`.
    Console,
    /// The log of the job in the catalog.
    Catalog,
    /// Standard output of the daemon.
    Stdout,
    /// Standard error of the daemon.
    Stderr,
    /// From a file or storage daemon: the director of the job.
    Director,
    /// A `POST` with all messages of a job as JSON, at its end.
    Webhook,
}

/// By how a job ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// However it ends.
    #[default]
    Always,
    /// Not well: neither `T` nor `W`.
    OnError,
    /// Well: `T` or `W`.
    OnSuccess,
}

/// Whether mail goes over an encrypted connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTls {
    /// From the first byte, as on port 465.
    On,
    /// The server must offer it (`STARTTLS`), as on port 587.
    Starttls,
    /// If the server offers it. Whoever is in between can prevent that: never with a password.
    #[default]
    Opportunistic,
    /// Never.
    Off,
}

/// The facilities of the system's log (RFC 5424 §6.2.1), each with its number.
const FACILITIES: [(&str, u8); 20] = [
    ("kern", 0),
    ("user", 1),
    ("mail", 2),
    ("daemon", DAEMON_FACILITY),
    ("auth", 4),
    ("syslog", 5),
    ("lpr", 6),
    ("news", 7),
    ("uucp", 8),
    ("cron", 9),
    ("authpriv", 10),
    ("ftp", 11),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
];

/// The facility of daemons, which counts where none is named.
pub const DAEMON_FACILITY: u8 = 3;

/// The number of a facility of the system's log, by its name without regard to case.
#[must_use]
pub fn facility(name: &str) -> Option<u8> {
    FACILITIES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, number)| *number)
}

/// The names of the facilities.
pub fn facilities() -> impl Iterator<Item = &'static str> + Clone {
    FACILITIES.iter().map(|(name, _)| *name)
}

/// A set of kinds of messages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageTypes(u32);

/// The kinds that have a name, as Bareos calls them.
const NAMES: [(&str, MessageKind); 16] = [
    ("debug", MessageKind::Debug),
    ("abort", MessageKind::Abort),
    ("fatal", MessageKind::Fatal),
    ("error", MessageKind::Error),
    ("warning", MessageKind::Warning),
    ("info", MessageKind::Info),
    ("saved", MessageKind::Saved),
    ("notsaved", MessageKind::NotSaved),
    ("skipped", MessageKind::Skipped),
    ("mount", MessageKind::Mount),
    ("terminate", MessageKind::Term),
    ("restored", MessageKind::Restored),
    ("security", MessageKind::Security),
    ("alert", MessageKind::Alert),
    ("volmgmt", MessageKind::VolumeManagement),
    ("audit", MessageKind::Audit),
];

/// The bit of a kind; that of all numbers without a meaning is the first.
fn bit(kind: MessageKind) -> u32 {
    match kind {
        MessageKind::Other(_) => 1,
        known => 1 << known.number(),
    }
}

impl MessageTypes {
    /// Every kind, and those to come.
    pub const ALL: Self = Self((1 << 19) - 1);
    /// None.
    pub const NONE: Self = Self(0);

    /// Takes a word of a list: `all`, a kind, or `!` and a kind, without regard to case.
    ///
    /// # Errors
    /// It is none of these: what to write instead.
    pub fn take(&mut self, word: &str) -> Result<(), String> {
        let lower = word.to_ascii_lowercase();
        let (name, is_not) = lower.strip_prefix('!').map_or((lower.as_str(), false), |name| (name, true));
        match NAMES.iter().find(|(known, _)| *known == name) {
            Some((_, kind)) if is_not => self.0 &= !bit(*kind),
            Some((_, kind)) => self.0 |= bit(*kind),
            None if lower == "all" => *self = Self::ALL,
            None => {
                let names = || NAMES.iter().map(|(name, _)| *name).chain(["all"]);
                return Err(match nearest(name, names()) {
                    Some("all") if is_not => "write the kinds that are wanted, without `all`".to_owned(),
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("write one of {}", names().collect::<Vec<_>>().join(", ")),
                });
            }
        }
        Ok(())
    }

    /// Whether messages of this kind are among them.
    #[must_use]
    pub fn has(self, kind: MessageKind) -> bool {
        self.0 & bit(kind) != 0
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those of both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The words that say so.
    #[must_use]
    pub fn words(self) -> Vec<String> {
        let named = NAMES.iter().fold(0, |all, (_, kind)| all | bit(*kind));
        // What has no name is there only with all the others.
        if self.0 & !named != 0 {
            let missing = NAMES.iter().filter(|(_, kind)| !self.has(*kind)).map(|(name, _)| format!("!{name}"));
            return std::iter::once("all".to_owned()).chain(missing).collect();
        }
        NAMES.iter().filter(|(_, kind)| self.has(*kind)).map(|(name, _)| (*name).to_owned()).collect()
    }
}

impl fmt::Debug for MessageTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().join(", "))
    }
}

impl Serialize for MessageTypes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let words = self.words();
        let mut list = serializer.serialize_seq(Some(words.len()))?;
        words.iter().try_for_each(|word| list.serialize_element(word))?;
        list.end()
    }
}

impl<'de> Deserialize<'de> for MessageTypes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl<'de> Visitor<'de> for Words {
            type Value = MessageTypes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of kinds of messages, as [\"all\", \"!skipped\"]")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<MessageTypes, A::Error> {
                let mut types = MessageTypes::NONE;
                while let Some(word) = list.next_element::<String>()? {
                    let wrong = |help| de::Error::custom(format!("{word:?} is no kind of message; {help}"));
                    types.take(&word).map_err(wrong)?;
                }
                Ok(types)
            }
        }
        deserializer.deserialize_seq(Words)
    }
}

impl When {
    /// Whether the messages of a job go there that has ended well, or not.
    #[must_use]
    pub const fn is_met(self, well: bool) -> bool {
        match self {
            Self::Always => true,
            Self::OnError => !well,
            Self::OnSuccess => well,
        }
    }
}

impl Messages {
    /// The files that a daemon appends its own messages to.
    pub(super) fn appended(&self) -> impl Iterator<Item = &str> {
        let places = self.destinations.iter().filter(|to| to.kind == DestinationKind::Append);
        places.filter_map(|to| to.to.first()).map(String::as_str)
    }

    /// What counts where nothing is configured: the catalog keeps all messages, and consoles see them.
    #[must_use]
    pub fn standard() -> Self {
        let all = |kind| Destination::new(kind);
        let destinations = vec![all(DestinationKind::Console), all(DestinationKind::Catalog)];
        Self { destinations, ..Self::new(MESSAGES.to_owned()) }
    }

    /// The kinds of messages that go to a place of this kind.
    #[must_use]
    pub fn types_for(&self, kind: DestinationKind) -> MessageTypes {
        let all = self.destinations.iter().filter(|to| to.kind == kind);
        all.fold(MessageTypes::NONE, |types, to| types.with(to.types))
    }
}

/// The resource that a daemon or job names, else the first, as in Bareos.
pub(super) fn named<'a>(all: &'a [Messages], name: Option<&str>) -> Option<&'a Messages> {
    let named = |name: &str| all.iter().find(|messages| messages.name == name);
    name.and_then(named).or_else(|| all.first())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(words: &[&str]) -> MessageTypes {
        serde_json::from_value(serde_json::json!(words)).unwrap()
    }

    #[test]
    fn the_words_of_a_list_count_in_their_order() {
        let most = types(&["all", "!skipped", "!Saved"]);
        assert!(most.has(MessageKind::Info) && most.has(MessageKind::ErrorTerm) && most.has(MessageKind::Other(77)));
        assert!(!most.has(MessageKind::Skipped) && !most.has(MessageKind::Saved));
        assert_eq!(most.words(), ["all", "!saved", "!skipped"]);
        assert_eq!(types(&["!skipped", "all"]), MessageTypes::ALL);
        let two = types(&["mount", "Terminate", "fatal", "!fatal"]);
        assert_eq!(two.words(), ["mount", "terminate"]);
        assert!(!two.has(MessageKind::Other(77)) && types(&[]).is_empty());
    }

    #[test]
    fn a_word_that_is_no_kind_is_told_with_what_was_meant() {
        let told = |word: &str| {
            let mut types = MessageTypes::NONE;
            types.take(word).unwrap_err()
        };
        assert_eq!(told("warnig"), "did you mean `warning`?");
        assert_eq!(told("!all"), "write the kinds that are wanted, without `all`");
        assert!(told("zebra").starts_with("write one of debug, "), "{}", told("zebra"));
        let read = serde_json::from_value::<MessageTypes>(serde_json::json!(["eror"])).unwrap_err().to_string();
        assert!(read.contains("\"eror\" is no kind of message; did you mean `error`?"), "{read}");
    }

    #[test]
    fn every_set_comes_back_from_its_words() {
        for bits in (0..1_u32 << 16).step_by(37) {
            let set = NAMES.iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1);
            let named = MessageTypes(set.fold(0, |all, (_, (_, kind))| all | bit(*kind)));
            let most = MessageTypes(MessageTypes::ALL.0 & !named.0);
            for set in [named, most] {
                let words = set.words();
                assert_eq!(types(&words.iter().map(String::as_str).collect::<Vec<_>>()), set);
            }
        }
    }
}
