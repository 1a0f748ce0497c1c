//! Bareos' syntax: `.conf` files and trees of them to the typed model, with the place of every value.
//!
//! ```text
//! files ──include──► tokens ──parse──► blocks ──map──► resources ──build──► values ──serde──► typed
//!          (lex, glob, command)     (by the tables in directives/)       (each with its place)
//! ```
//! It lives here and not in the core because it reads files and runs commands on the way; what it makes is the same typed
//! model that RON makes, and the core's check is asked the same.
//!
//! Names count without case, spaces, `_` and `-`. What a file leaves out has Towline's default; where that would allow more
//! than Bareos does (labelling volumes, jobs at once), Bareos' holds.

#[cfg(feature = "sqlite")]
mod adding;
mod build;
mod command;
mod directives;
#[cfg(test)]
mod docs;
mod glob;
mod include;
mod lex;
mod map;
mod parse;
mod read;
mod schema;
mod table;
#[cfg(test)]
mod tests;
mod value;
#[cfg(feature = "sqlite")]
mod write;

use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;
use towline_core::config::{
    Built, Check, ConsoleConfig, DirectorConfig, FileConfig, Severity, StorageConfig, TrayConfig,
};
#[cfg(feature = "plan")]
use towline_core::config::{ConfigPath, Step};
use towline_core::explain::codes;

use super::Report;
use super::sources::Source;
use lex::Token;
use map::Mapper;
use parse::{Wrong, blocks};

#[cfg(feature = "sqlite")]
pub(super) use adding::{resource_text, tree_of};
pub(super) use glob::{Glob, expand};
pub use schema::schema;
pub use table::Component;
pub(super) use value::Node;
#[cfg(feature = "sqlite")]
pub use write::{Written, to_conf};

/// A configuration that is written in RON, or in the files of its counterpart in Bareos.
pub trait Configured: DeserializeOwned + Serialize + Check {
    /// Its counterpart.
    const COMPONENT: &'static Component;
}

macro_rules! configured {
    ($($config:ty = $module:ident,)+) => { $(
        impl Configured for $config {
            const COMPONENT: &'static Component = &directives::$module::COMPONENT;
        }
    )+ };
}

configured! {
    DirectorConfig = director,
    FileConfig = file,
    StorageConfig = storage,
    ConsoleConfig = console,
    TrayConfig = tray,
}

/// Reads and checks these files. The findings come beside a configuration of the right shape, errors too, with where its
/// values are.
pub(super) fn typed<T: Configured>(files: &[PathBuf], built: Built) -> Result<(T, Report, Node), Report> {
    of_tokens(include::read(files)?, built)
}

/// The same of one text that includes nothing. `name` stands for its file in findings.
#[cfg(feature = "sqlite")]
pub(super) fn typed_text<T: Configured>(name: &str, text: String, built: Built) -> Result<(T, Report, Node), Report> {
    of_tokens(include::of_text(name, text)?, built)
}

/// The directive of a field in the resource at a path of a typed configuration.
#[cfg(feature = "plan")]
pub(super) fn directive<T: Configured>(path: &ConfigPath, field: &str) -> Option<&'static str> {
    let Some(Step::Field(first)) = path.0.first() else { return None };
    let kind = match *first {
        "director" | "directors" => "Director",
        "file" | "clients" => "Client",
        "storage" | "storages" => "Storage",
        _ => return None,
    };
    let mut directives = T::COMPONENT.resource(kind)?.directives();
    directives.find(|one| matches!(one.act, table::Act::Field(known) if known == field)).map(|one| one.name)
}

fn of_tokens<T: Configured>(
    (tokens, sources): (Vec<Token>, Vec<Source>),
    built: Built,
) -> Result<(T, Report, Node), Report> {
    let mut mapper = Mapper { component: T::COMPONENT, report: Report::about(sources.into()) };
    let found = match blocks(&tokens) {
        Ok(found) => found,
        Err(Wrong { place, message, help }) => {
            mapper.error(codes::CONF_SYNTAX, &place, message, help);
            return Err(mapper.report);
        }
    };
    let values = (T::COMPONENT.build)(&mut mapper, &found);
    let mut report = mapper.report;
    match values.typed::<T>() {
        Ok(config) => {
            for finding in config.check(built) {
                let place = values.locate(&finding.path);
                report.add_at(finding.severity, finding.code, Some(place), finding.message, finding.help);
            }
            report.sort();
            Ok((config, report, values))
        }
        Err(error) => {
            // What is missing was said with the directive's name.
            if !report.has_errors() {
                report.add_at(Severity::Error, codes::WRONG_VALUE, error.place, error.message, String::new());
            }
            report.sort();
            Err(report)
        }
    }
}
