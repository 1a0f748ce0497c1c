//! A backup network of real processes on loopback, for the tests of this folder. Every process ends with its value, by
//! its id, also when a test panics; every wait is for a condition and has an end.
#![allow(dead_code, reason = "each test uses its part")]
#![allow(unreachable_pub, reason = "a module of several test crates")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(clippy::print_stderr, reason = "a test that fails shows the daemons' logs")]

pub mod bareos_tree;
pub mod busy;
pub mod console;
pub mod daemon;
pub mod elsewhere;
pub mod http;
pub mod namespaces;
pub mod network;
pub mod postgres;
pub mod site;
pub mod terminal;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long anything may take before a test fails: the machine may be busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until something is there.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(3));
    }
}

/// Bytes that look random and are the same each time.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// A small tree: 20 small files in two folders, a link, an empty file, and one file of `large` bytes.
pub fn plant(folder: &Path, seed: u64, large: usize) {
    for sub in ["a", "b"] {
        std::fs::create_dir_all(folder.join(sub)).unwrap();
        for n in 0..10_usize {
            let bytes = noise(seed + n as u64, n * 700);
            std::fs::write(folder.join(sub).join(format!("file {n}")), bytes).unwrap();
        }
    }
    std::fs::write(folder.join("large"), noise(seed + 100, large)).unwrap();
    std::os::unix::fs::symlink("a/file 1", folder.join("link")).unwrap();
}

/// Fails unless the folder was restored byte for byte below `place`.
pub fn assert_restored(folder: &Path, place: &Path) {
    let restored = place.join(folder.strip_prefix("/").unwrap());
    let comparison = towline::disk::compare::compare(folder, &restored);
    assert!(comparison.is_same() && comparison.entries > 0, "{:?}", comparison.differences);
}

/// All files below a folder, with their contents.
pub fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            if path.is_dir() {
                found.insert(format!("{name}/"), Vec::new());
                folders.push(path);
            } else {
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}
