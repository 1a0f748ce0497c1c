//! How far a job is, for a person at a terminal. Measured from outside, at the process of the daemon that is busiest.

use std::fs;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};

use super::processes::{Traffic, traffic};

/// A bar, or nothing.
pub(super) struct Progress {
    bar: ProgressBar,
    process: Option<u32>,
    writes: bool,
    before: Traffic,
}

impl Progress {
    /// A bar for a job of `total` bytes; hidden unless `shown`.
    pub(super) fn new(what: &'static str, total: u64, process: Option<u32>, shown: bool) -> Self {
        let bar = if shown { ProgressBar::new(total) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{msg:9} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta} left");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_message(what);
        let before = process.and_then(traffic).unwrap_or_default();
        Self { bar, process, writes: what != "backup", before }
    }

    /// Shows how far it is now.
    pub(super) fn tick(&self) {
        let Some(now) = self.process.and_then(traffic) else { return };
        let done = |now: u64, before: u64| now.saturating_sub(before);
        let done = if self.writes { done(now.written, self.before.written) } else { done(now.read, self.before.read) };
        self.bar.set_position(done.min(self.bar.length().unwrap_or(done)));
    }

    /// Takes the bar away.
    pub(super) fn finish(self) {
        self.bar.finish_and_clear();
    }
}

/// Bytes of all files below, as far as they can be seen; 0 without a look unless `wanted`.
pub(super) fn size_of(top: &Path, wanted: bool) -> u64 {
    let (mut total, mut paths) = (0, Vec::new());
    if wanted {
        paths.push(top.to_owned());
    }
    while let Some(path) = paths.pop() {
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_dir() => {
                paths.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
            }
            Ok(meta) if meta.is_file() => total += meta.len(),
            _ => {}
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_tree_is_that_of_its_files() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join("a/one"), [0; 100]).unwrap();
        fs::write(folder.path().join("two"), [0; 11]).unwrap();
        std::os::unix::fs::symlink("two", folder.path().join("link")).unwrap();
        assert_eq!(size_of(folder.path(), true), 111);
        assert_eq!(size_of(folder.path(), false), 0);
    }
}
