//! Why a job is refused before its first byte: what its fileset or its order asks for cannot be done on this client.

use crate::error::{Explain, Facts, Fault, Retry};

/// What cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// What is to change names is no regular expression.
    #[error("{search:?} of regexwhere= is no regular expression, so that nothing is restored: {why}")]
    Expression {
        /// The expression.
        search: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The fileset insists on encryption.
    #[error("the fileset demands that files are encrypted, which this file daemon does not do")]
    Encryption,
    /// The fileset saves with a plugin that is not known here, or a restore needs it.
    #[error("{0:?} needs a plugin that this file daemon does not have: it has `bpipe`")]
    Plugin(String),
    /// The daemon's configuration does not let the plugin be used.
    #[error("{0:?} needs a plugin that `plugin_names` of this file daemon does not list")]
    Forbidden(String),
    /// What the plugin is told makes no sense.
    #[error("{plugin:?} cannot be used: {why}")]
    Definition {
        /// What it is told.
        plugin: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A list of paths cannot be had.
    #[error("the list of paths {list:?} cannot be read: {why}")]
    List {
        /// The file, or `|` and the command.
        list: String,
        /// What the system or the command said.
        why: String,
    },
    /// A pattern of the fileset is no regular expression.
    #[error("{text:?} of the fileset is no regular expression: {why}")]
    Pattern {
        /// The expression.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The fileset includes nothing.
    #[error("the fileset includes nothing")]
    Empty,
    /// What is to be restored was encrypted by its client.
    #[error("{0} was encrypted by the client that saved it, which this file daemon cannot undo")]
    Encrypted(String),
}

impl Explain for Refused {
    fn facts(&self) -> Facts {
        use Fault::Config;
        use Retry::Never;
        match self {
            Self::Expression { .. } => (Config, Never, 731, "write it as an extended regular expression"),
            Self::Encryption => (Config, Never, 732, "save them without, or with a file daemon of Bareos"),
            Self::Plugin(_) => (Config, Never, 733, "use a file daemon of Bareos with that plugin"),
            Self::Forbidden(_) => (Config, Never, 734, "add it there if directors are meant to run such commands"),
            Self::Definition { .. } => {
                (Config, Never, 735, "write it as bpipe:file=/NAME:reader=COMMAND:writer=COMMAND")
            }
            Self::List { .. } => (Config, Never, 736, "run the command or read the file as the user of the daemon"),
            Self::Pattern { .. } => (Config, Never, 737, "correct it in the fileset of the director"),
            Self::Empty => (Config, Never, 738, "name files in it, or look into the lists that it names"),
            Self::Encrypted(_) => {
                (Config, Never, 739, "restore with a file daemon of Bareos that has the keys of that client")
            }
        }
        .into()
    }
}

/// One of each.
#[cfg(test)]
pub(crate) fn one_of_each() -> Vec<Refused> {
    let x = || "x".to_owned();
    vec![
        Refused::Expression { search: x(), why: "x" },
        Refused::Encryption,
        Refused::Plugin(x()),
        Refused::Forbidden(x()),
        Refused::Definition { plugin: x(), why: "x" },
        Refused::List { list: x(), why: x() },
        Refused::Pattern { text: x(), why: "x" },
        Refused::Empty,
        Refused::Encrypted(x()),
    ]
}
