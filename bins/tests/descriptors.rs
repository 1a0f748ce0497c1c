//! A daemon whose descriptors run out: what waits is served once there are some, and until then it neither spins nor
//! gives up. Linux only: elsewhere the limit of another process cannot be set.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use support::console::Console;
use support::daemon::Daemon;
use towline::daemon::runtime::BUILT;

/// A program on this runtime.
fn on(program: &str, runtime: &str) -> Vec<PathBuf> {
    [program, "--runtime", runtime].map(PathBuf::from).to_vec()
}

/// A director with a client that dials in, and its console.
fn director(at: &Path, runtime: &str) -> (Daemon, Console) {
    let director = Daemon::start("dir", &on(env!("CARGO_BIN_EXE_towline-dir"), runtime), at, |port| {
        format!(
            r#"(director: (name: "dir", password: "console", listen: ["127.0.0.1"], port: {port}, working_directory: {at:?}),
                clients: [(name: "fd", password: "fd", connection_from_director_to_client: false,
                           connection_from_client_to_director: true)],
                storages: [], jobs: [], filesets: [], pools: [], catalog: sqlite(path: "catalog.sqlite"))"#
        )
    });
    let (file, port) = (at.join("console.ron"), director.address.port());
    let text = format!(r#"(director: (name: "dir", address: "127.0.0.1", port: {port}, password: "console"))"#);
    std::fs::write(&file, text).unwrap();
    (director, Console::new(file))
}

/// Lets a daemon have this many descriptors more than it has now, or as many as this process may.
fn allow(daemon: &Daemon, more: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(daemon.id()).unwrap());
    let own = getrlimit(Resource::Nofile);
    // The limit is one past the highest number, and numbers in between may be free.
    let open = || std::fs::read_dir(format!("/proc/{}/fd", daemon.id())).unwrap();
    let taken: Vec<u64> = open().map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect();
    let free = |limit: u64| (0..limit).filter(|number| !taken.contains(number)).count() as u64;
    let current = match more {
        Some(more) => (1..).find(|&limit| free(limit) >= more),
        None => own.maximum.or(own.current),
    };
    prlimit(pid, Resource::Nofile, Rlimit { current, maximum: own.maximum }).unwrap();
}

/// Processor time a process has used, in the ticks of `/proc`: a hundred a second.
fn ticks(daemon: &Daemon) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{}/stat", daemon.id())).unwrap();
    let fields: Vec<&str> = text.rsplit_once(") ").unwrap().1.split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn connections_wait_while_no_descriptor_is_left_and_the_silent_make_room_for_a_console() {
    for runtime in BUILT {
        let folder = tempfile::tempdir().unwrap();
        let (director, console) = director(folder.path(), runtime);
        assert!(console.ask(&["version"]).contains("dir Version"), "{runtime}");
        allow(&director, Some(2));
        let idle: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(director.address).unwrap()).collect();
        director.logged(0, "that no descriptor is left", |line| line.contains("T0317") && line.contains("LimitNOFILE"));
        let (began, used) = (Instant::now(), ticks(&director));
        assert!(console.ask(&["version"]).contains("dir Version"), "{runtime}");
        let (elapsed, used) = (began.elapsed(), ticks(&director) - used);
        assert!(u128::from(used) * 10 < elapsed.as_millis() / 4, "{runtime}: {used} ticks within {elapsed:?}");
        let said = director.log.from(0).iter().filter(|line| line.contains("cannot accept")).count();
        assert_eq!(said, 1, "{runtime}: {:?}", director.log.from(0));
        // With descriptors again nobody has to wait for anybody.
        allow(&director, None);
        let began = Instant::now();
        assert!(console.ask(&["version"]).contains("dir Version"), "{runtime}");
        assert!(began.elapsed() < Duration::from_secs(5), "{runtime}: {:?}", began.elapsed());
        drop(idle);
    }
}

#[test]
fn a_dial_that_no_descriptor_is_left_for_is_tried_again_until_there_is_one() {
    for runtime in BUILT {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let (mut director, console) = director(at, runtime);
        director.kill();
        let port = director.address.port();
        let client = Daemon::start("fd", &on(env!("CARGO_BIN_EXE_towline-fd"), runtime), at, |own| {
            format!(
                r#"(file: (name: "fd", listen: ["127.0.0.1"], port: {own}, working_directory: {at:?}, redial_interval: 1),
                    directors: [(name: "dir", address: "127.0.0.1", port: {port}, password: "fd",
                                 connection_from_client_to_director: true)])"#
            )
        });
        client.logged(0, "that nothing listens", |line| line.contains("T0103"));
        allow(&client, Some(0));
        let line = client.logged(0, "that no descriptor is left", |line| line.contains("T0112"));
        assert!(line.contains("(this machine)") && line.contains("LimitNOFILE"), "{runtime}: {line}");
        director.restart();
        allow(&client, None);
        client.logged(0, "that it waits", |line| line.contains("director dir is reached again"));
        assert!(console.ask(&["status director"]).contains("fd"), "{runtime}");
    }
}
