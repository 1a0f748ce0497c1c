//! A tree so deep that its paths are tens of thousands of bytes long: no page of them is more than a connection takes.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, Mode, OFlags, mkdirat, openat, renameat, unlinkat};
use support::network::{CLEAR, Network, Plan};

/// Folders in each other.
const DEPTH: usize = 5_000;
/// The name of each: the deepest path has more than 75,000 bytes.
const NAME: &str = "fourteen-bytes";

/// The tree below a folder, which goes with this value: no path of the system is long enough to remove it by name.
struct Deep(PathBuf);

impl Deep {
    fn plant(top: &Path) -> Self {
        let mut at = OwnedFd::from(File::open(top).unwrap());
        for _ in 0..DEPTH {
            mkdirat(&at, NAME, Mode::RWXU).unwrap();
            at = openat(&at, NAME, OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).unwrap();
        }
        Self(top.to_owned())
    }
}

impl Drop for Deep {
    fn drop(&mut self) {
        let Ok(top) = File::open(&self.0) else { return };
        let inner = format!("{NAME}/{NAME}");
        // The second folder takes the place of the first, until there is no second.
        while renameat(&top, &inner, &top, "next").is_ok() {
            let _gone = unlinkat(&top, NAME, AtFlags::REMOVEDIR);
            let _moved = renameat(&top, "next", &top, NAME);
        }
    }
}

/// Runs the backup to its end: 190 MB of names take longer than other jobs of tests.
fn run(network: &Network, id: u32, level: &str) -> String {
    network.ask(&[&format!("run job=b level={level} accurate=yes yes")]);
    let end = Instant::now() + Duration::from_secs(400);
    loop {
        let row = network.row_of(id);
        if !["| C ", "| R "].iter().any(|status| row.contains(status)) {
            return row;
        }
        assert!(Instant::now() < end, "job {id} does not end: {row}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn accurate_jobs_over_five_thousand_nested_folders_end_well() {
    let network = Network::start(&Plan { all: CLEAR.to_owned(), ..Plan::default() });
    let _deep = Deep::plant(&network.source);
    std::fs::write(network.source.join("file"), "once").unwrap();
    let full = run(&network, 1, "full");
    // The folders, the one they are in, and the file.
    assert!(full.contains("| T ") && full.contains("|    5,002 |"), "{full}");
    std::fs::write(network.source.join("file"), "again").unwrap();
    let incremental = run(&network, 2, "incremental");
    assert!(incremental.contains("| T ") && incremental.contains("| I "), "{incremental}");
    let report = network.end_of(2).report;
    assert!(report.contains("  FD Files Written:       1\n"), "{report}");
}
