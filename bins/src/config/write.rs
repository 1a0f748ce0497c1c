//! Writes configuration files, passwords included.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use ron::ser::PrettyConfig;
use serde::Serialize;
use towline_core::config::{Passwords, Revealed};

use super::parse::options;

/// The RON text of a configuration: passwords readable, defaults left out, `comment` in front, each of its lines as
/// a comment.
///
/// # Errors
/// Only if RON cannot express the configuration, which is a bug.
pub fn to_ron<T: Serialize + Passwords + Clone>(config: &T, comment: &str) -> Result<String, ron::Error> {
    let mut text: String = comment.lines().map(|line| format!("// {line}").trim_end().to_owned() + "\n").collect();
    text += &options().to_string_pretty(&Revealed::of(config), PrettyConfig::new())?;
    text.push('\n');
    Ok(text)
}

/// The RON text of a configuration to show: `***` in place of passwords, defaults left out.
///
/// # Errors
/// Only if RON cannot express the configuration, which is a bug.
pub fn without_passwords<T: Serialize>(config: &T) -> Result<String, ron::Error> {
    Ok(options().to_string_pretty(config, PrettyConfig::new())? + "\n")
}

/// Writes a configuration to a new file that only this user may read (mode 0600), and syncs it.
///
/// # Errors
/// `AlreadyExists` if there is such a file: nobody's configuration is overwritten.
pub fn write<T: Serialize + Passwords + Clone>(path: &Path, config: &T, comment: &str) -> io::Result<()> {
    let text = to_ron(config, comment).map_err(io::Error::other)?;
    new_file(path, &text)
}

/// Writes a new file that only this user may read (mode 0600), and syncs it. If that fails there is none: half a configuration
/// would be taken for a whole one, or stand in the way of the next try.
///
/// # Errors
/// `AlreadyExists` if there is such a file: nothing is written over.
pub(crate) fn new_file(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let done = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if done.is_err() {
        let _gone = std::fs::remove_file(path);
    }
    done
}
