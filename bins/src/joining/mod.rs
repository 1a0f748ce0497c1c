//! How another machine comes to a director: `towline client add` here, `towline join` there.
//!
//! ```text
//!   client add ─► the director's files (client, job) ─► reload ─► invite ─► a token ═ a person ═► join ─► its files, its daemon
//!                                                          director ◄───── a console, pre-shared key ─────┘   explain, status,
//!                                                                                                             probe
//! ```
//! What the client is to have is not in the token but with the director: whoever has seen a token that was used, or is over,
//! has seen nothing of use. Only a client that may dial nobody, or a director without pre-shared keys, has it in the token.

pub mod client;
mod daemon;
pub mod join;
mod letter;
mod resources;
mod token;

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::ArgMatches;

/// Where the configurations are unless somebody says otherwise.
pub(crate) const FOLDER: &str = "/etc/towline";

/// The folder that is named, or the one of a file that is.
pub(crate) fn folder_of(matches: &ArgMatches) -> &Path {
    let named = matches.get_one::<PathBuf>("config").map_or_else(|| Path::new(FOLDER), PathBuf::as_path);
    let around = named.parent().filter(|_| named.is_file());
    around.map_or(named, |folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
}

/// The configuration of the director and that of its console in a folder.
pub(crate) fn configurations(folder: &Path) -> (PathBuf, PathBuf) {
    // Of a file that may not be looked for it is to be said that it may not be read.
    let may_be = |file: &PathBuf| file.try_exists().unwrap_or(true);
    let or_folder = |name: &str| Some(folder.join(name)).filter(may_be).unwrap_or_else(|| folder.to_owned());
    (or_folder("director.ron"), or_folder("console.ron"))
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
