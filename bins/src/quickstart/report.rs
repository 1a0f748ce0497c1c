//! What quickstart found out, as text for a person and as JSON for a program.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use towline_core::node::Number;
use towline_core::quantity::counted;

use super::{Mode, Protection};
use crate::disk::compare::{Comparison, Difference};
use crate::disk::notice::shown;

/// Differences that are shown to a person.
const SHOWN: usize = 20;

/// One connection that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Connection {
    /// Its number in the overview of all connections of a backup network.
    pub(super) number: Number,
    /// Where.
    pub(super) address: String,
    /// How it is protected: the kind and the cipher.
    pub(super) tls: String,
}

/// What one job did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Done {
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) time: Duration,
}

impl Done {
    fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "for display")]
        let bytes = self.bytes as f64;
        bytes / 1e6 / self.time.as_secs_f64().max(1e-6)
    }

    fn json(&self) -> Value {
        json!({ "files": self.files, "bytes": self.bytes, "seconds": self.time.as_secs_f64() })
    }
}

/// Everything there is to say at the end.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) runtime: &'static str,
    pub(super) mode: Mode,
    pub(super) protection: Protection,
    pub(super) connections: Vec<Connection>,
    pub(super) backup: Done,
    /// The copy or migration, in a mode that has one.
    pub(super) copy: Option<Done>,
    pub(super) restore: Done,
    /// The storage daemon that was read for the restore.
    pub(super) restored_from: String,
    pub(super) comparison: Comparison,
    /// What the jobs' reports complain about.
    pub(super) complaints: Vec<String>,
    /// Where the state is, if it stays.
    pub(super) kept: Option<PathBuf>,
}

impl Report {
    /// Whether every entry came back as it was.
    pub(super) fn is_ok(&self) -> bool {
        self.comparison.is_same() && self.comparison.entries > 0
    }

    pub(super) fn json(&self) -> String {
        let named = |list: &[Difference]| -> Vec<Value> {
            list.iter().map(|d| json!({ "path": shown(&d.path), "what": d.what })).collect()
        };
        let connections: Vec<Value> = self
            .connections
            .iter()
            .map(|c| {
                let number = c.number;
                json!({ "number": number.as_str(), "from": number.from(), "to": number.to(), "address": c.address,
                        "tls": c.tls })
            })
            .collect();
        json!({
            "ok": self.is_ok(),
            "runtime": self.runtime,
            "mode": self.mode.name(),
            "tls": self.protection.name(),
            "connections": connections,
            "backup": self.backup.json(),
            "copy": self.copy.map(|done| done.json()),
            "restore": self.restore.json(),
            "restored_from": self.restored_from,
            "compared": self.comparison.entries,
            "compared_bytes": self.comparison.bytes,
            "differences": named(&self.comparison.differences),
            "differences_total": self.comparison.different,
            "forbidden": named(&self.comparison.forbidden),
            "forbidden_total": self.comparison.forbidden_count,
            "messages": self.complaints,
            "state": self.kept,
        })
        .to_string()
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!("\nRuntime: {}\nMode: {}\nConnections\n", self.runtime, self.mode.name());
        for c in &self.connections {
            let (number, from, to, address, tls) = (c.number, c.number.from(), c.number.to(), &c.address, &c.tls);
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {number:>3}  {:<38} {address:<22} {tls}", format!("{from} -> {to}"));
        }
        text.push('\n');
        let copy = if self.mode == Mode::Migrate { "Migration" } else { "Copy" };
        let jobs = [("Backup", Some(&self.backup)), (copy, self.copy.as_ref()), ("Restore", Some(&self.restore))];
        for (word, done) in jobs.into_iter().filter_map(|(word, done)| Some((word, done?))) {
            let seconds = done.time.as_secs_f64();
            let _ = writeln!(
                text,
                "{word:<9} {}, {} bytes in {seconds:.2} s: {:.1} MB/s",
                counted(done.files, "file"),
                done.bytes,
                done.rate()
            );
        }
        if self.copy.is_some() {
            let from = &self.restored_from;
            let _ =
                writeln!(text, "Restored from the second storage daemon at {from}; the first one was stopped before");
        }
        for line in &self.complaints {
            let _ = writeln!(text, "{line}");
        }
        self.compared(&mut text);
        if let Some(folder) = &self.kept {
            let _ = writeln!(text, "Everything is kept in {}", folder.display());
        }
        text
    }

    fn compared(&self, text: &mut String) {
        let c = &self.comparison;
        let _ = writeln!(text, "Compared {}, {} bytes of contents", counted(c.entries, "entry"), c.bytes);
        list(text, "forbidden to this user by the kernel, so not the same", &c.forbidden, c.forbidden_count);
        list(text, "DIFFERENT", &c.differences, c.different);
        text.push_str(if self.is_ok() { "Everything is equal.\n" } else { "NOT EQUAL.\n" });
    }
}

fn list(text: &mut String, what: &str, differences: &[Difference], count: u64) {
    if count > 0 {
        let _ = writeln!(text, "{count} {what}:");
    }
    for difference in differences.iter().take(SHOWN) {
        let _ = writeln!(text, "  {}: {}", shown(&difference.path), difference.what);
    }
    let listed = differences.len().min(SHOWN) as u64;
    if count > listed {
        let _ = writeln!(text, "  and {} more", count - listed);
    }
}

/// Where and how a connection was made, from a line that ends in `at ADDRESS, encryption: CIPHER`.
pub(super) fn connected(line: &str) -> Option<(String, String)> {
    let (before, cipher) = line.trim_end().rsplit_once(", encryption: ")?;
    let (_, address) = before.rsplit_once(" at ")?;
    Some((address.to_owned(), cipher.to_owned()))
}

/// The files that a job saved, restored or copied, and their bytes, as its summary says.
pub(super) fn summary(report: &str) -> (u64, u64) {
    let number = |label: &str| {
        let value = report.lines().rev().find_map(|line| line.trim().strip_prefix(label))?;
        value.split_whitespace().next()?.replace(',', "").parse().ok()
    };
    let first = |labels: [&str; 3]| labels.into_iter().find_map(number).unwrap_or(0);
    (
        first(["FD Files Written:", "Files Restored:", "SD Files Written:"]),
        first(["FD Bytes Written:", "Bytes Restored:", "SD Bytes Written:"]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_and_numbers_are_found_in_a_report() {
        let line = "23-Nov d JobId 1: Connected storage daemon at 127.0.0.1:9103, encryption: TLS_AES TLSv1.3\n";
        assert_eq!(connected(line), Some(("127.0.0.1:9103".to_owned(), "TLS_AES TLSv1.3".to_owned())));
        assert_eq!(connected("nothing"), None);
        let saved = "x\n  FD Files Written:       1,199\n  FD Bytes Written:       1,400,356 (1.400 MB)\n  SD Files Written:       7\n";
        assert_eq!(summary(saved), (1_199, 1_400_356));
        assert_eq!(summary("  Files Restored:         2\n  Bytes Restored:         3\n"), (2, 3));
        assert_eq!(summary("  SD Files Written:       2\n  SD Bytes Written:       5 (5 B)\n"), (2, 5));
        assert_eq!(summary("nothing"), (0, 0));
    }

    #[test]
    fn a_comparison_of_nothing_is_no_success() {
        let report = Report {
            runtime: "tokio",
            mode: Mode::Default,
            protection: Protection::Off,
            connections: Vec::new(),
            backup: Done::default(),
            copy: None,
            restore: Done::default(),
            restored_from: String::new(),
            comparison: Comparison::default(),
            complaints: Vec::new(),
            kept: None,
        };
        assert!(!report.is_ok());
        assert!(report.text().contains("NOT EQUAL"));
        let json: Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!(json["ok"], false);
    }
}
