//! Configuration files: text to the typed model of `towline_core::config`, and everything that is wrong with it.
//!
//! ```text
//!               ┌─► RON ────────────parse──┐
//! path ──tell───┤                          ├─► typed ──check──► findings ──locate──► report (text, JSON)
//!               └─► Bareos' syntax ──conf──┘        └──► Loaded { config, warnings }
//! ```
//! Both readers make the same typed model and know where each value stands; nothing behind them knows which it was.

#[cfg(feature = "sqlite")]
mod adding;
mod certificates;
mod conf;
#[cfg(feature = "plan")]
mod edit;
mod locate;
mod parse;
mod report;
mod scan;
mod sources;
mod surroundings;
mod syntax;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use towline_core::config::{Built, ConfigPath, Severity};
#[cfg(feature = "plan")]
use towline_core::config::{Check, Finding};
use towline_core::error::Code;
use towline_core::explain::codes;

use conf::Node;
use locate::Tree;
use sources::{Place, Source, Sources};
use syntax::Syntax;

#[cfg(feature = "sqlite")]
pub use adding::Draft;
#[cfg(feature = "sqlite")]
pub(crate) use adding::name_fault;
pub use certificates::{Certificates, read_certificates};
pub use conf::{Component, Configured, schema};
#[cfg(feature = "sqlite")]
pub use conf::{Written, to_conf};
#[cfg(feature = "plan")]
pub(crate) use edit::{Edits, Setting, place};
pub use parse::parse;
pub use report::{Diagnostic, EXIT_CONFIG, Report};
pub use surroundings::{Folder, look_around, look_for_programs, refuse_places};
#[cfg(feature = "sqlite")]
pub(crate) use write::new_file;
pub use write::{to_ron, without_passwords, write};

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
    sources: Sources,
    values: Values,
    /// The folder of the file, absolute: a daemon changes its working directory.
    folder: PathBuf,
    /// The file or folder it was asked for, absolute.
    origin: PathBuf,
}

/// Where the values of a configuration stand.
enum Values {
    Ron(Tree),
    Conf(Node),
}

/// Without the values: there are passwords among them.
impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ron(_) => "RON",
            Self::Conf(_) => "conf",
        })
    }
}

impl<T> Loaded<T> {
    /// The file that `name` in the configuration means: relative names start at the folder of the file.
    #[must_use]
    pub fn resolve(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Where to read it again: the file or folder that was named, absolute.
    #[must_use]
    pub fn origin(&self) -> &Path {
        &self.origin
    }

    /// Whether it is written in Bareos' syntax.
    #[must_use]
    pub const fn is_conf(&self) -> bool {
        matches!(self.values, Values::Conf(_))
    }

    /// An empty report about its files.
    pub(crate) fn report(&self) -> Report {
        Report::about(self.sources.clone())
    }

    /// Where the value at `path` stands; for one that is in no file, its resource.
    fn locate(&self, path: &ConfigPath) -> Place {
        match &self.values {
            Values::Ron(tree) => Place { source: 0, range: tree.locate(path) },
            Values::Conf(node) => node.locate(path),
        }
    }
}

/// Reads and checks a configuration: a file in RON or in Bareos' syntax, or a folder as Bareos has it.
///
/// # Errors
/// Everything that is wrong with it; the program then ends with [`EXIT_CONFIG`].
pub fn load<T: Configured>(path: &Path) -> Result<Loaded<T>, Report> {
    let loaded = examine(path)?;
    if loaded.warnings.has_errors() { Err(loaded.warnings) } else { Ok(loaded) }
}

/// Reads a configuration. The findings of its check are in `warnings`, errors too.
///
/// # Errors
/// It cannot be read, or is no configuration of this kind.
pub(crate) fn examine<T: Configured>(path: &Path) -> Result<Loaded<T>, Report> {
    examine_with(path, None)
}

/// The same, with one file more in Bareos' syntax.
///
/// # Errors
/// As with [`examine`].
pub(crate) fn examine_with<T: Configured>(path: &Path, draft: Option<&Path>) -> Result<Loaded<T>, Report> {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let origin = whole.clone();
    let above = || whole.parent().map(Path::to_owned).unwrap_or_default();
    match syntax::tell(path, T::COMPONENT)? {
        Syntax::Ron(file) => {
            let name = file.display().to_string();
            let text = read(&file).map_err(|fault| fault.report(&name))?;
            let (config, warnings, tree) = parse::typed(&name, &text, built())?;
            let sources = Sources::from([Source::ron(&name, &text)]);
            let folder = if file == path { above() } else { whole };
            Ok(Loaded { config, path: file, warnings, sources, values: Values::Ron(tree), folder, origin })
        }
        Syntax::Conf(mut files) => {
            files.extend(draft.map(Path::to_owned));
            let (config, warnings, values) = conf::typed(&files, built())?;
            let sources = warnings.sources();
            let folder = if path.is_dir() { whole } else { above() };
            let (path, values) = (path.to_owned(), Values::Conf(values));
            Ok(Loaded { config, path, warnings, sources, values, folder, origin })
        }
    }
}

/// Reads and checks a file in RON that no daemon reads, with further findings of the caller's. The report beside it holds
/// warnings only.
///
/// # Errors
/// Everything that is wrong, if any of it is an error.
#[cfg(feature = "plan")]
pub(crate) fn load_topic<T: serde::de::DeserializeOwned + Check>(
    path: &Path,
    more: impl FnOnce(&T) -> Vec<Finding>,
) -> Result<Loaded<T>, Report> {
    let name = path.display().to_string();
    let text = read(path).map_err(|fault| fault.report(&name))?;
    let (config, mut report, tree) = parse::typed::<T>(&name, &text, built())?;
    for finding in more(&config) {
        let span = tree.locate(&finding.path);
        report.add(finding.severity, finding.code, Some(span), finding.message, finding.help);
    }
    report.sort();
    if report.has_errors() {
        return Err(report);
    }
    let origin = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = origin.parent().map(Path::to_owned).unwrap_or_default();
    let sources = Sources::from([Source::ron(&name, &text)]);
    Ok(Loaded { config, path: path.to_owned(), warnings: report, sources, values: Values::Ron(tree), folder, origin })
}

/// Why a file cannot be read.
struct Fault {
    code: Code,
    message: String,
    help: &'static str,
}

impl Fault {
    /// As all that there is to say about a file.
    fn report(self, name: &str) -> Report {
        let mut report = Report::new(name, "");
        report.add(Severity::Error, self.code, None, self.message, self.help.to_owned());
        report
    }
}

/// A file to read. A pipe is none: nobody may ever write to it, and it can be read only once.
fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    if file.metadata()?.file_type().is_fifo() {
        return Err(io::Error::other("it is a pipe"));
    }
    Ok(file)
}

/// The text of a file of at most [`MAX_FILE`].
fn read(path: &Path) -> Result<String, Fault> {
    let unreadable = |error: io::Error| Fault {
        code: codes::UNREADABLE,
        message: format!("cannot read this file: {error}"),
        help: "check the name, and that this user may read the file",
    };
    let mut bytes = Vec::new();
    let file = open(path).map_err(unreadable)?;
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    text_of(bytes)
}

/// What was read, as text.
fn text_of(bytes: Vec<u8>) -> Result<String, Fault> {
    if bytes.len() as u64 > MAX_FILE {
        let message = format!("the file has more than {} MiB", MAX_FILE >> 20);
        return Err(Fault { code: codes::TOO_LARGE, message, help: "is this the configuration?" });
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count();
        let message = format!("byte {at}, in line {line}, is no UTF-8 text");
        Fault { code: codes::UNREADABLE, message, help: "save the file as UTF-8" }
    })
}
