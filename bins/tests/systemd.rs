//! The units for systemd: what they start exists and takes these options, and they carry the names of what they replace.
//! What systemd itself says of them needs `systemd-analyze`, and so the feature `system-tests`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod support;

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use support::PATIENCE;
use support::daemon::Daemon;

/// Each unit, its program, and the names its counterpart has as a package installs it.
const UNITS: [(&str, &str, &str); 3] = [
    ("towline-dir.service", env!("CARGO_BIN_EXE_towline-dir"), "bareos-director.service bareos-dir.service"),
    ("towline-sd.service", env!("CARGO_BIN_EXE_towline-sd"), "bareos-storage.service bareos-sd.service"),
    ("towline-fd.service", env!("CARGO_BIN_EXE_towline-fd"), "bareos-filedaemon.service bareos-fd.service"),
];

fn unit(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd").join(name)).unwrap()
}

/// The values of a setting, in order.
fn values<'a>(unit: &'a str, setting: &str) -> Vec<&'a str> {
    let value = |line: &'a str| line.strip_prefix(setting)?.strip_prefix('=');
    unit.lines().filter_map(value).collect()
}

#[test]
fn each_unit_starts_its_program_with_options_it_takes_and_has_the_names_it_replaces() {
    let corpus = format!("{}/tests/fixtures/bareos", env!("CARGO_MANIFEST_DIR"));
    for (name, program, names) in UNITS {
        let unit = unit(name);
        assert_eq!(values(&unit, "Alias"), [names], "{name}");
        assert_eq!(values(&unit, "Environment"), ["CONFIG=/etc/bareos"]);
        let [line] = values(&unit, "ExecStart")[..] else { panic!("{name}: one ExecStart") };
        let mut words = line.split(' ');
        let started = PathBuf::from(words.next().unwrap());
        assert_eq!(started.file_name(), Path::new(program).file_name(), "{name}");
        let words: Vec<_> = words.map(|word| word.replace("${CONFIG}", &corpus)).collect();
        assert!(words.contains(&corpus) && words.contains(&"-f".to_owned()), "{words:?}");
        let tried = Command::new(program).args(&words).arg("-t").output().unwrap();
        assert_eq!(tried.status.code(), Some(0), "{name}: {}", String::from_utf8_lossy(&tried.stderr));
        // What will not be better in half a minute: those of the help text, with Bareos' numbers beside them.
        let [fatal] = values(&unit, "RestartPreventExitStatus")[..] else { panic!("{name}: exit codes") };
        let help = Command::new(program).arg("--help").output().unwrap();
        let help = String::from_utf8_lossy(&help.stdout).replace('\n', " ");
        for code in fatal.split(' ') {
            assert!(help.contains(&format!(" {code} ")), "{name}: {code} is not in {help}");
        }
        assert!(help.contains("(Bareos: 41)") && help.contains("(Bareos: 42)"), "{help}");
    }
}

#[cfg(feature = "system-tests")]
#[test]
fn systemd_finds_no_fault_with_the_units() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("systemd-analyze");
    command.args(["verify", "--man=no"]);
    for (name, program, _) in UNITS {
        let at = folder.path().join(name);
        let line = values(&unit(name), "ExecStart")[0].split(' ').next().unwrap().to_owned();
        std::fs::write(&at, unit(name).replace(&line, program)).unwrap();
        command.arg(at);
    }
    let verified = command.output().expect("systemd-analyze, of Debian's package systemd");
    let said = String::from_utf8_lossy(&verified.stderr);
    let ours: Vec<_> = said.lines().filter(|line| line.contains("towline-")).collect();
    assert!(ours.is_empty(), "{ours:#?}");
}

/// What `systemd-analyze security` may give a unit at most, in tenths: what is shut in has little. The file daemon reads and
/// writes everything.
#[cfg(feature = "system-tests")]
const EXPOSED: [(&str, &str); 2] = [("towline-dir.service", "30"), ("towline-sd.service", "30")];

#[cfg(feature = "system-tests")]
#[test]
fn the_units_of_the_director_and_the_storage_daemon_are_shut_in() {
    let folder = tempfile::tempdir().unwrap();
    for (name, most) in EXPOSED {
        let at = folder.path().join(name);
        std::fs::write(&at, unit(name)).unwrap();
        let mut command = Command::new("systemd-analyze");
        let judged =
            command.args(["security", "--offline=true", "--no-pager", "--threshold", most]).arg(&at).output().unwrap();
        assert!(judged.status.success(), "{name}: {}", String::from_utf8_lossy(&judged.stdout));
    }
}

#[test]
fn a_daemon_tells_its_service_manager_when_it_serves_that_it_goes_on_and_when_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let socket = UnixDatagram::bind(at.join("notify")).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let heard = || {
        let mut bytes = [0; 4096];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    let told = format!("NOTIFY_SOCKET={}", at.join("notify").display());
    for (name, program, text) in [
        (
            "storage",
            env!("CARGO_BIN_EXE_towline-sd"),
            r#"(storage: (name: "s", listen: ["127.0.0.1"], port: PORT), directors: [(name: "d", password: "long enough to be one")],
                devices: [(name: "v", media_type: "File", archive_device: ".")])"#,
        ),
        (
            "file",
            env!("CARGO_BIN_EXE_towline-fd"),
            r#"(file: (name: "f", listen: ["127.0.0.1"], port: PORT), directors: [(name: "d", password: "long enough to be one")])"#,
        ),
    ] {
        // As a service manager has it, which knows the process's id.
        let become_it = format!("{told} WATCHDOG_USEC=200000 WATCHDOG_PID=$$ exec \"$0\" \"$@\"");
        let program = ["sh".into(), "-c".into(), PathBuf::from(become_it), program.into()];
        let daemon = Daemon::start(name, &program, at, |port| text.replace("PORT", &port.to_string()));
        // Signs of life may come before it, and come again and again.
        let until = |wanted: &str| std::iter::repeat_with(heard).find(|said| said.contains(wanted)).unwrap();
        let said = until("READY=1");
        assert!(said.contains("STATUS="), "{name}: {said}");
        until("WATCHDOG=1");
        until("WATCHDOG=1");
        daemon.signal(Signal::TERM);
        until("STOPPING=1");
    }
}
