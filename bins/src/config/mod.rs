//! Configuration files: RON text to the typed model of `towline_core::config`, and everything that is wrong with it.
//!
//! ```text
//! file ──load──► text ──parse──► RON ──► typed ──check──► findings ──locate──► report (text, JSON)
//!                                                 └──► Loaded { config, warnings }
//! ```

mod certificates;
mod locate;
mod parse;
mod report;
mod scan;
mod surroundings;
#[cfg(test)]
mod tests;
mod write;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use towline_core::config::{Built, Check, Severity};
use towline_core::explain::codes;

pub use certificates::{Certificates, read_certificates};
pub use parse::parse;
pub use report::{Diagnostic, EXIT_CONFIG, Report};
pub use surroundings::{Folder, look_around};
pub use write::{to_ron, write};

/// The largest configuration file in bytes.
pub const MAX_FILE: u64 = 4 << 20;

/// What this program was built with.
#[must_use]
pub const fn built() -> Built {
    Built { psk: cfg!(feature = "psk") }
}

/// A configuration without errors.
#[derive(Debug)]
pub struct Loaded<T> {
    /// The configuration.
    pub config: T,
    /// The file it came from.
    pub path: PathBuf,
    /// Warnings; may be empty.
    pub warnings: Report,
    text: String,
    /// The folder of the file, absolute: a daemon changes its working directory.
    folder: PathBuf,
}

impl<T> Loaded<T> {
    /// The file that `name` in the configuration means: relative names start at the folder of the file.
    #[must_use]
    pub fn resolve(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Reads and checks a configuration file.
///
/// # Errors
/// Everything that is wrong with the file; the program then ends with [`EXIT_CONFIG`].
pub fn load<T: DeserializeOwned + Check>(path: &Path) -> Result<Loaded<T>, Report> {
    let loaded = examine(path)?;
    if loaded.warnings.has_errors() { Err(loaded.warnings) } else { Ok(loaded) }
}

/// Reads a configuration file. The findings of its check are in `warnings`, errors too.
///
/// # Errors
/// The file cannot be read, or is no configuration of this kind.
pub(crate) fn examine<T: DeserializeOwned + Check>(path: &Path) -> Result<Loaded<T>, Report> {
    let name = path.display().to_string();
    let text = read(path).map_err(|(code, message, help)| {
        let mut report = Report::new(&name, "");
        report.add(Severity::Error, code, None, message, help.to_owned());
        report
    })?;
    let (config, warnings) = parse::typed(&name, &text, built())?;
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = whole.parent().map(Path::to_owned).unwrap_or_default();
    Ok(Loaded { config, path: path.to_owned(), warnings, text, folder })
}

fn read(path: &Path) -> Result<String, (towline_core::error::Code, String, &'static str)> {
    let unreadable = |error: std::io::Error| {
        let message = format!("cannot read the configuration: {error}");
        (codes::UNREADABLE, message, "check the name, and that this user may read the file")
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE {
        let message = format!("the file has more than {} MiB", MAX_FILE >> 20);
        return Err((codes::TOO_LARGE, message, "is this the configuration?"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let message = format!("byte {} is no UTF-8 text", error.utf8_error().valid_up_to());
        (codes::UNREADABLE, message, "save the file as UTF-8")
    })
}
