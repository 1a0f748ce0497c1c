//! The core decides and moves no byte itself: what it may not reach, and what its sources may not name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const RUNTIMES: [&str; 11] = [
    "tokio",
    "smol",
    "async-io",
    "async-std",
    "async-executor",
    "async-net",
    "mio",
    "polling",
    "socket2",
    "rustix",
    "nix",
];

/// The packages that the core's code is built from with these features, itself included. Packages of tests do not count.
fn reached(features: &[&str]) -> BTreeSet<String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    // Unlike `cargo metadata` this needs no package of the rest of the workspace, so it works wherever this test was built.
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"])
        .arg("--manifest-path")
        .arg(manifest)
        .args(features)
        .output()
        .expect("cargo runs");
    let text = String::from_utf8(output.stdout).expect("names of packages");
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let packages: BTreeSet<String> =
        text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    assert!(packages.contains("towline-core") && packages.contains("rustls"), "{text}");
    packages
}

#[test]
fn the_core_reaches_no_runtime_and_no_socket_whatever_its_features() {
    for features in [&["--no-default-features"][..], &["--all-features"]] {
        let reached = reached(features);
        let wrong: Vec<_> = RUNTIMES.iter().filter(|name| reached.contains(**name)).collect();
        assert!(wrong.is_empty(), "{features:?}: {wrong:?}");
    }
}

#[test]
fn only_pre_shared_keys_bring_openssl() {
    let has_openssl = |features: &[&str]| reached(features).iter().any(|name| name.starts_with("openssl"));
    assert!(!has_openssl(&["--no-default-features"]));
    assert!(!has_openssl(&["--no-default-features", "--features", "aws-lc-rs,sim,conformance"]));
    assert!(has_openssl(&["--no-default-features", "--features", "psk"]), "the test can tell");
}

/// What a source may not name, and what stands in for it.
const BANNED: [(&str, &str); 12] = [
    ("TcpStream", "the adapters have the sockets"),
    ("TcpListener", "the adapters have the sockets"),
    ("UdpSocket", "the adapters have the sockets"),
    ("std::thread", "the adapters have the threads"),
    ("std::fs", "the hands have the files"),
    ("fs::File", "the hands have the files"),
    ("std::time::Instant", "time is an argument"),
    ("Instant::now", "time is an argument"),
    ("SystemTime", "time is an argument"),
    ("HashMap", "its order is not deterministic: BTreeMap"),
    ("HashSet", "its order is not deterministic: BTreeSet"),
    ("thread_rng", "the seed is an argument"),
];

/// The name after every use of a module of `std` in braces, so that `use std::{fs, thread}` is found too.
fn names_in_braces(code: &str) -> impl Iterator<Item = String> + '_ {
    code.match_indices("std::{").flat_map(move |(at, open)| {
        let rest = &code[at + open.len()..];
        let inside = &rest[..rest.find("};").unwrap_or(0)];
        inside.split([',', '\n', '{', '}']).map(|name| format!("std::{}", name.trim())).collect::<Vec<_>>()
    })
}

/// The code of a source: without comments, texts and whatever belongs to tests only.
fn code(source: &str) -> String {
    let mut code = String::new();
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        let bare = line.trim_start();
        if bare.starts_with("#[cfg(test)]") {
            skip_item(&mut lines);
            continue;
        }
        let uncommented = if bare.starts_with("//") { "" } else { line.split(" // ").next().unwrap_or_default() };
        // Texts alternate with code between quotes.
        code.extend(uncommented.split('"').step_by(2));
        code.push('\n');
    }
    code
}

/// Skips one item: up to a line that closes what its first line opened, or ends with a semicolon.
fn skip_item<'a>(lines: &mut impl Iterator<Item = &'a str>) {
    let Some(first) = lines.find(|line| !line.trim_start().starts_with("#[")) else { return };
    if first.ends_with(';') || first.ends_with(',') {
        return;
    }
    let indent = first.len() - first.trim_start().len();
    let closes = |line: &str| line.len() - line.trim_start().len() == indent && line.trim_start().starts_with('}');
    let _ = lines.find(|line| closes(line));
}

/// The modules that a source declares for tests only.
fn test_modules(source: &str) -> BTreeSet<String> {
    let mut lines = source.lines();
    let mut modules = BTreeSet::new();
    while let Some(line) = lines.next() {
        if line.trim() == "#[cfg(test)]"
            && let Some(name) = lines.next().and_then(|next| next.trim().strip_suffix(';')?.rsplit_once("mod "))
        {
            modules.insert(name.1.to_owned());
        }
    }
    modules
}

/// The sources below a folder by path, without those of tests.
fn sources(folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
    let entries: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder of sources")
        .map(|entry| entry.expect("a folder of sources").path())
        .collect();
    let texts: Vec<(PathBuf, String)> = entries
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .map(|path| (path.clone(), fs::read_to_string(path).expect("a source")))
        .collect();
    let mut tests = BTreeSet::from(["tests".to_owned()]);
    tests.extend(texts.iter().flat_map(|(_, text)| test_modules(text)));
    let is_test =
        |path: &Path| path.file_stem().is_some_and(|stem| tests.contains(stem.to_str().expect("a name in UTF-8")));
    found.extend(texts.into_iter().filter(|(path, _)| !is_test(path)));
    for path in entries.iter().filter(|path| path.is_dir() && !is_test(path)) {
        sources(path, found);
    }
}

fn offences(code: &str) -> Vec<String> {
    let in_braces: Vec<String> = names_in_braces(code).collect();
    let named = |name: &str| {
        code.contains(name) || in_braces.iter().any(|found| found == name || found.starts_with(&format!("{name}::")))
    };
    BANNED.iter().filter(|(name, _)| named(name)).map(|(name, instead)| format!("{name} ({instead})")).collect()
}

#[test]
fn neither_the_core_nor_the_simulator_names_a_socket_a_thread_a_file_or_a_clock() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (folder, least) in [(core.join("src"), 100), (core.join("../simtests/src"), 1)] {
        let mut found = BTreeMap::new();
        sources(&folder, &mut found);
        assert!(found.len() >= least, "{} sources in {}", found.len(), folder.display());
        let wrong: Vec<String> = found
            .iter()
            // The program around the simulator reads scenarios and has a clock for `--minutes`; the library has neither.
            .filter(|(path, _)| !path.ends_with("simtests/src/main.rs"))
            .filter_map(|(path, text)| Some((path, offences(&code(text)))).filter(|(_, names)| !names.is_empty()))
            .map(|(path, names)| format!("{}: {}", path.display(), names.join(", ")))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn the_search_finds_what_it_looks_for_and_leaves_out_tests_comments_and_texts() {
    assert_eq!(offences(&code("let a = std::net::TcpStream::connect(b);")).len(), 1);
    assert_eq!(offences(&code("use std::{\n    fmt,\n    fs,\n};\n")).len(), 1);
    assert_eq!(offences(&code("use std::{io, thread::sleep};\n")).len(), 1);
    assert_eq!(offences(&code("let x: HashMap<u8, u8> = y; // SystemTime")).len(), 1);
    assert!(offences(&code("//! std::fs\n/// HashMap\nlet a = \"TcpStream\";")).is_empty());
    let source = "#[cfg(test)]\nmod tests {\n    use std::fs;\n}\nuse std::thread;\n";
    assert_eq!(offences(&code(source)), ["std::thread (the adapters have the threads)"]);
    assert_eq!(test_modules("mod a;\n#[cfg(test)]\nmod round_trip;\n"), BTreeSet::from(["round_trip".to_owned()]));
}
