//! The numbers of the connections of a backup network, as the field's overview has them: who dials whom, and what for.

use std::fmt;
use std::str::FromStr;

/// The number of a connection in the overview. Its text (`"5a"`, `"7"`) is what logs, statuses and reports show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Number {
    /// A named console dials the director.
    NamedConsole,
    /// The default console dials the director.
    DefaultConsole,
    /// The director dials a file daemon: control.
    DirectorToFile,
    /// A file daemon dials the director: control, client-initiated.
    FileToDirector,
    /// The director dials a storage daemon: control.
    DirectorToStorage,
    /// The director dials the second storage daemon of a copy or a migration: control.
    DirectorToSecondStorage,
    /// A file daemon dials a storage daemon: data.
    FileToStorage,
    /// A storage daemon dials a passive file daemon: data.
    StorageToFile,
    /// A storage daemon dials a storage daemon: data of a copy or a migration.
    StorageToStorage,
    /// A tray monitor dials the director.
    MonitorToDirector,
    /// A tray monitor dials a file daemon.
    MonitorToFile,
    /// A tray monitor dials a storage daemon.
    MonitorToStorage,
    /// The director reaches its catalog.
    Catalog,
}

impl Number {
    /// All of them, in the order of the overview.
    pub const ALL: [Self; 13] = [
        Self::NamedConsole,
        Self::DefaultConsole,
        Self::DirectorToFile,
        Self::FileToDirector,
        Self::DirectorToStorage,
        Self::DirectorToSecondStorage,
        Self::FileToStorage,
        Self::StorageToFile,
        Self::StorageToStorage,
        Self::MonitorToDirector,
        Self::MonitorToFile,
        Self::MonitorToStorage,
        Self::Catalog,
    ];

    /// The number as text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NamedConsole => "1",
            Self::DefaultConsole => "2",
            Self::DirectorToFile => "3",
            Self::FileToDirector => "4",
            Self::DirectorToStorage => "5a",
            Self::DirectorToSecondStorage => "5b",
            Self::FileToStorage => "6",
            Self::StorageToFile => "7",
            Self::StorageToStorage => "8",
            Self::MonitorToDirector => "9",
            Self::MonitorToFile => "10",
            Self::MonitorToStorage => "11",
            Self::Catalog => "12",
        }
    }

    /// Who dials, in a word of the field.
    #[must_use]
    pub const fn from(self) -> &'static str {
        match self {
            Self::NamedConsole | Self::DefaultConsole => "console",
            Self::DirectorToFile | Self::DirectorToStorage | Self::DirectorToSecondStorage | Self::Catalog => {
                "director"
            }
            Self::FileToDirector | Self::FileToStorage => "file daemon",
            Self::StorageToFile | Self::StorageToStorage => "storage daemon",
            Self::MonitorToDirector | Self::MonitorToFile | Self::MonitorToStorage => "tray monitor",
        }
    }

    /// Who answers, in a word of the field.
    #[must_use]
    pub const fn to(self) -> &'static str {
        match self {
            Self::NamedConsole | Self::DefaultConsole | Self::FileToDirector | Self::MonitorToDirector => "director",
            Self::DirectorToFile | Self::StorageToFile | Self::MonitorToFile => "file daemon",
            Self::DirectorToStorage | Self::FileToStorage | Self::MonitorToStorage => "storage daemon",
            Self::DirectorToSecondStorage | Self::StorageToStorage => "second storage daemon",
            Self::Catalog => "catalog",
        }
    }

    /// Whether files go over it, and not words about them.
    #[must_use]
    pub const fn is_data(self) -> bool {
        matches!(self, Self::FileToStorage | Self::StorageToFile | Self::StorageToStorage)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that is no number of the overview.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no connection has this number: there are 1 to 12, and 5a and 5b in place of 5")]
pub struct NoSuchNumber;

impl FromStr for Number {
    type Err = NoSuchNumber;

    fn from_str(text: &str) -> Result<Self, NoSuchNumber> {
        Self::ALL.into_iter().find(|number| number.as_str() == text).ok_or(NoSuchNumber)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_reads_as_it_is_shown() {
        let texts = Number::ALL.map(Number::as_str);
        assert_eq!(texts, ["1", "2", "3", "4", "5a", "5b", "6", "7", "8", "9", "10", "11", "12"]);
        for number in Number::ALL {
            assert_eq!(number.to_string().parse(), Ok(number));
        }
        for bad in ["", "0", "5", "5c", "13", " 1"] {
            assert_eq!(bad.parse::<Number>(), Err(NoSuchNumber), "{bad:?}");
        }
    }

    #[test]
    fn data_goes_over_three_of_them_and_nobody_dials_his_own_kind_but_a_storage_daemon() {
        let data: Vec<_> = Number::ALL.into_iter().filter(|number| number.is_data()).map(Number::as_str).collect();
        assert_eq!(data, ["6", "7", "8"]);
        for number in Number::ALL {
            assert_ne!(number.from(), number.to(), "{number}");
        }
    }

    #[test]
    fn a_number_can_be_padded_for_a_table() {
        assert_eq!(format!("{:>3}|", Number::StorageToFile), "  7|");
    }
}
