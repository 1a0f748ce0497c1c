//! The expressions of filesets and restores are those of the core.

pub(crate) use towline_core::regex::Regex;
