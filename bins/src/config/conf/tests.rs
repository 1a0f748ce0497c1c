use std::path::Path;

use towline_core::config::{
    Catalog, Compression, ConfigPath, Digest, JobCommand, JobKind, Level, Password, Replace, Run, Seconds, Selection,
    TimeOfDay, VerifyLevel, Week, Weekday,
};
use towline_core::error::Code;

use super::*;
use crate::config::{Diagnostic, Loaded, examine, load};

const BUILT: Built = Built { psk: true };

/// A configuration of one text, with its findings.
fn read<T: Configured>(text: &str) -> Result<(T, Report, Node), Report> {
    of_tokens(include::of_text("test.conf", text.to_owned())?, BUILT)
}

/// One without errors; its warnings.
#[track_caller]
fn good<T: Configured>(text: &str) -> (T, Report) {
    match read(text) {
        Ok((config, report, _)) if !report.has_errors() => (config, report),
        Ok((_, report, _)) | Err(report) => panic!("{report}"),
    }
}

/// All that is wrong with a text.
fn report<T: Configured>(text: &str) -> Report {
    read::<T>(text).map_or_else(|report| report, |(_, report, _)| report)
}

/// Code, line and column of each finding.
fn found(report: &Report) -> Vec<(Code, usize, usize)> {
    report.diagnostics.iter().map(|found| (found.code, found.line, found.column)).collect()
}

#[track_caller]
fn golden(found: &str, expected: &str) {
    let expected = expected.strip_prefix('\n').unwrap_or(expected);
    assert!(found == expected, "found:\n{found}\nexpected:\n{expected}");
}

/// What the text of a file daemon has beside what is to be tried.
fn file(more: &str) -> String {
    format!("Client {{\n Name = web-fd\n{more}\n}}\nDirector {{ Name = dir; Password = geheim }}\n")
}

/// A director that lacks nothing, with `more` in its job.
fn director(more: &str) -> String {
    format!(
        r#"Director {{ Name = dir; Password = geheim }}
Client {{ Name = fd; Address = fd.example; Password = p1 }}
Storage {{ Name = File; Address = sd.example; Password = p2; Device = dev; Media Type = File }}
FileSet {{ Name = Set; Include {{ File = /home }} }}
Pool {{ Name = Full }}
Pool {{ Name = Inc }}
Messages {{ Name = Standard }}
Schedule {{ Name = Weekly; Run = Full sat at 21:00 }}
Catalog {{ Name = My; DbName = bareos; DbUser = bareos; DbPassword = "" }}
Job {{
 Name = b; Type = Backup; Client = fd; FileSet = Set; Storage = File; Pool = Inc; Messages = Standard
{more}
}}
"#
    )
}

mod bad_input;
mod daemons;
mod directors;
mod files;
mod messages;
mod properties;
#[cfg(feature = "sqlite")]
mod round_trip;
