//! `towline client add` and `towline join` as people use them: real processes, one token, and whatever is wrong with it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rustix::process::{Pid, Signal, kill_process};
use support::console::Console;
use support::daemon::{Daemon, free_port, free_ports};
use support::{assert_restored, plant, wait_for};
use tempfile::TempDir;

/// A director with a storage daemon, written by `towline init`.
struct Home {
    folder: PathBuf,
    source: PathBuf,
    console: Console,
    _daemons: [Daemon; 2],
    outer: TempDir,
}

/// A file daemon that `towline join` has started: it ends with this.
struct Joined(PathBuf);

impl Drop for Joined {
    fn drop(&mut self) {
        let id = fs::read_to_string(self.0.join("file-daemon.pid")).ok();
        if let Some(id) = id.and_then(|id| Pid::from_raw(id.trim().parse().ok()?)) {
            let _ended = kill_process(id, Signal::TERM);
        }
    }
}

fn towline(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_towline")).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr))
}

impl Home {
    fn new(more: &[&str]) -> Self {
        let outer = tempfile::tempdir().unwrap();
        let source = outer.path().join("source");
        plant(&source, 4, 100_000);
        let folder = outer.path().join("etc");
        let mut daemons = None;
        // Another program may take one of the ports meanwhile.
        for _ in 0..20 {
            let port = free_ports(3).to_string();
            let place = folder.to_str().unwrap();
            let made = towline(
                &[&["init", place, "--name", "here", "--port", &port, "--address", "127.0.0.1"], more].concat(),
            );
            assert!(made.status.success(), "{}", said(&made));
            let file = folder.join("director.ron");
            let text = fs::read_to_string(&file).unwrap();
            fs::write(&file, text.replace("files: [\"/\"]", &format!("files: [{source:?}]"))).unwrap();
            let program = |name: &str| [PathBuf::from(name)];
            let started = std::panic::catch_unwind(|| {
                let storage = program(env!("CARGO_BIN_EXE_towline-sd"));
                let director = program(env!("CARGO_BIN_EXE_towline-dir"));
                [
                    Daemon::start_with("storage", &storage, folder.join("storage-daemon.ron"), |_| {}),
                    Daemon::start_with("director", &director, file.clone(), |_| {}),
                ]
            });
            if let Ok(started) = started {
                daemons = Some(started);
                break;
            }
            fs::remove_dir_all(&folder).unwrap();
        }
        let console = Console::new(folder.join("console.ron"));
        Self { folder, source, console, _daemons: daemons.unwrap(), outer }
    }

    /// Adds a client; its token.
    fn add(&self, name: &str, more: &[&str]) -> String {
        let folder = self.folder.to_str().unwrap();
        let output = towline(&[&["client", "add", name, "--config", folder, "--director", "127.0.0.1"], more].concat());
        assert!(output.status.success(), "{}", said(&output));
        token_of(&output)
    }

    /// Another token of a client.
    fn token(&self, name: &str, more: &[&str]) -> String {
        let folder = self.folder.to_str().unwrap();
        let output =
            towline(&[&["client", "token", name, "--config", folder, "--director", "127.0.0.1"], more].concat());
        assert!(output.status.success(), "{}", said(&output));
        token_of(&output)
    }

    fn place(&self, name: &str) -> PathBuf {
        self.outer.path().join(name)
    }

    fn join(&self, token: &str, place: &str) -> (Joined, Output) {
        let place = self.place(place);
        let output = towline(&["join", token, "--config", place.to_str().unwrap()]);
        (Joined(place), output)
    }

    /// A backup of a client and a restore of it are good.
    fn assert_saves(&self, name: &str) {
        let backup = self.console.end_of(self.console.order(&format!("run job={name} level=Full yes")));
        assert!(backup.is_ok(), "{}", backup.report);
        let place = self.place(&format!("restored-{name}"));
        let line = format!("restore client={name} jobid={} where={} all done yes", backup.id, place.display());
        let restored = self.console.end_of(self.console.order(&line));
        assert!(restored.is_ok(), "{}", restored.report);
        assert_restored(&self.source, &place);
    }
}

fn token_of(output: &Output) -> String {
    let text = said(output);
    let line = text.lines().find_map(|line| line.trim().strip_prefix("towline join ")).map(str::to_owned);
    line.unwrap_or_else(|| panic!("no token:\n{text}"))
}

fn mode_of(file: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(file).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_client_that_dials_in_joins_and_is_saved_and_its_token_is_good_once() {
    let home = Home::new(&[]);
    let before = fs::read_to_string(home.folder.join("director.ron")).unwrap();
    let token = home.add("laptop", &["--dials-in"]);
    let after = fs::read_to_string(home.folder.join("director.ron")).unwrap();
    for line in before.lines() {
        assert!(after.contains(line), "{line:?} is gone");
    }
    let password = after.split("name: \"laptop\"").nth(1).and_then(|rest| rest.split("password: \"").nth(1)).unwrap();
    assert!(!token.contains(&password[..48]), "the password is in the token");
    let (_joined, output) = home.join(&token, "laptop");
    assert!(output.status.success(), "{}", said(&output));
    for words in ["The director reaches this machine.", "Connection 6: ", "The data channel with storage volumes works"]
    {
        assert!(said(&output).contains(words), "{}", said(&output));
    }
    assert_eq!(mode_of(&home.place("laptop/file-daemon.ron")), 0o600);
    // It is saved by itself when it comes.
    wait_for("the job of a client that has come", || {
        home.console.ask(&["list job=laptop"]).contains("laptop").then_some(())
    });
    home.assert_saves("laptop");
    let (_none, again) = home.join(&token, "thief");
    assert_eq!(again.status.code(), Some(69), "{}", said(&again));
    assert!(said(&again).contains("The token was used at ") && said(&again).contains("127.0.0.1"), "{}", said(&again));
    assert!(!home.place("thief/file-daemon.ron").exists());
    // One that is there is not written over, and the token stays good for another place.
    let other = home.token("laptop", &[]);
    let (_none, twice) = home.join(&other, "laptop");
    assert_eq!(twice.status.code(), Some(73), "{}", said(&twice));
    let output = towline(&["join", &other, "--no-start", "--config", home.place("elsewhere").to_str().unwrap()]);
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn a_client_that_is_dialled_joins_by_certificates_and_a_passive_one_by_a_token_with_its_password() {
    let home = Home::new(&["--certificates"]);
    for (name, more, words) in
        [("web", &[][..], "The token is good once"), ("box", &["--passive"][..], "its password is in the token")]
    {
        let port = free_port().to_string();
        let folder = home.folder.to_str().unwrap();
        let line = ["client", "add", name, "--config", folder, "--address", "127.0.0.1", "--port", &port];
        let output = towline(&[&line[..], more, &["--director", "127.0.0.1"]].concat());
        assert!(output.status.success() && said(&output).contains(words), "{}", said(&output));
        let (_joined, output) = home.join(&token_of(&output), name);
        assert!(output.status.success(), "{}", said(&output));
        home.assert_saves(name);
    }
}

#[test]
fn a_token_that_is_over_withdrawn_damaged_or_of_another_director_says_so() {
    let (home, other) = (Home::new(&[]), Home::new(&[]));
    let first = home.add("laptop", &["--dials-in"]);
    let over = home.token("laptop", &["--valid", "1 s"]);
    let refused = |token: &str, code: i32, words: &str| {
        let (_none, output) = home.join(token, "new");
        assert!(output.status.code() == Some(code) && said(&output).contains(words), "{}", said(&output));
        assert!(!home.place("new/file-daemon.ron").exists());
    };
    refused(&first, 69, "was withdrawn by a later one");
    let made = std::time::Instant::now();
    wait_for("the token to be over", || (made.elapsed().as_secs() >= 2).then_some(()));
    refused(&over, 69, "The token was good until ");
    refused(&first[..first.len() - 4], 78, "the token is damaged");
    refused("towline2-AAAA", 78, "of another version");
    refused("hello", 78, "this is no token");
    // A director that has never made it, where the first one was.
    let foreign = other.add("laptop", &["--dials-in"]);
    drop(other);
    refused(&foreign, 69, "cannot be reached, and the token is still good");
}

#[test]
fn a_client_that_cannot_be_added_changes_nothing() {
    let home = Home::new(&[]);
    let folder = home.folder.to_str().unwrap();
    let before = fs::read_to_string(home.folder.join("director.ron")).unwrap();
    for (more, words) in [
        (&["far"][..], "say how the client is reached"),
        (&["here-fd", "--dials-in"], "has a client \"here-fd\""),
        (&["here", "--dials-in"], "has a job \"here\""),
        (&["far", "--address", "a b"], "no host name and no IP address"),
        (&["far", "--dials-in", "--valid", "8 d"], "no time up to 7 days"),
        (&["far", "--dials-in", "--like", "none"], "no backup job \"none\""),
        (&["far/../x", "--dials-in"], "is no name"),
        (&["far", "--passive"], "--address"),
    ] {
        let output = towline(&[&["client", "add", "--config", folder], more].concat());
        assert!(!output.status.success() && said(&output).contains(words), "{more:?}: {}", said(&output));
        assert_eq!(fs::read_to_string(home.folder.join("director.ron")).unwrap(), before, "{more:?}");
    }
    // One of the files says the same as the folder.
    for config in [folder, home.folder.join("director.ron").to_str().unwrap()] {
        let output = towline(&["client", "token", "nobody", "--config", config]);
        assert!(said(&output).contains("no client \"nobody\""), "{}", said(&output));
    }
}
