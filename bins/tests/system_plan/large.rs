//! `towline doctor` where large packets vanish.

use std::path::PathBuf;
use std::process::Command;

use crate::support::daemon::Daemon;
use crate::support::namespaces::Namespaces;
use crate::support::namespaces::Side::{Inside, Outside};

/// The client's port is forwarded, the client gets out, and what matches `lost` vanishes on its way without a word.
fn rules(lost: &str) -> String {
    format!(
        "table inet hole {{
            chain pre {{
                type nat hook prerouting priority dstnat
                iifname wan0 tcp dport 9102 dnat ip to 10.0.0.10:9102
            }}
            chain post {{
                type nat hook postrouting priority srcnat
                oifname wan0 masquerade
            }}
            chain through {{
                type filter hook forward priority filter
                {lost} drop
            }}
        }}"
    )
}

/// What is large on the way to the client, and what is large of its data.
const TO_CLIENT: &str = "iifname wan0 meta length > 1450";
const DATA: &str = "tcp dport 9103 meta length > 1350";

/// What doctor says of this leg of a client whose way is so, with these settings of all daemons.
fn doctor(lost: &str, tls: &str, leg: &str) -> String {
    let hosts = [("dir", Outside, 1), ("sd", Outside, 2), ("fd", Inside, 10)];
    let net = Namespaces::with_hosts(&rules(lost), &hosts);
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let place = |name: &str| {
        let place = at.join(name);
        std::fs::create_dir_all(&place).unwrap();
        format!(r#"listen: ["0.0.0.0"], working_directory: {place:?}, {tls}"#)
    };
    let start = |name: &'static str, program: &str, text: String| {
        Daemon::start(name, &net.daemon_on(name, program, "tokio"), at, |_| text.clone())
    };
    let file = format!(r#"(file: (name: "fd", {}), directors: [(name: "dir", password: "fpw")])"#, place("fd"));
    let storage = format!(
        r#"(storage: (name: "sd", {}), directors: [(name: "dir", password: "spw")],
            devices: [(name: "dev", media_type: "File", archive_device: {at:?})])"#,
        place("sd")
    );
    let director = format!(
        r#"(director: (name: "dir", password: "c", {}),
            clients: [(name: "fd", address: "192.0.2.254", password: "fpw")],
            storages: [(name: "sd", address: "192.0.2.2", password: "spw", device: "dev", media_type: "File")],
            jobs: [(name: "backup", client: "fd", fileset: "set", storage: "sd", pool: "p")],
            filesets: [(name: "set", include: [(files: ["/etc/hostname"])])], pools: [(name: "p", label_format: "v-")],
            catalog: sqlite(path: "catalog.sqlite"))"#,
        place("dir")
    );
    let _file = start("fd", env!("CARGO_BIN_EXE_towline-fd"), file);
    let _storage = start("sd", env!("CARGO_BIN_EXE_towline-sd"), storage);
    let _director = start("dir", env!("CARGO_BIN_EXE_towline-dir"), director);
    let console = at.join("console.ron");
    std::fs::write(&console, format!(r#"(director: (name: "dir", address: "127.0.0.1", password: "c", {tls}))"#))
        .unwrap();
    let on: Vec<PathBuf> = net.on("dir");
    let mut command = Command::new(&on[0]);
    command.args(&on[1..]).args([env!("CARGO_BIN_EXE_towline"), "doctor", "--config"]).arg(at.join("dir.ron"));
    let output = command.arg("--console").arg(&console).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let line = |number: &str| said.lines().find(|line| line.trim_start().starts_with(number)).unwrap_or_default();
    assert!(line("5a").contains("answers"), "{said}");
    line(leg).to_owned()
}

#[test]
fn doctor_says_which_size_gets_through_where_large_packets_vanish() {
    let said = doctor(TO_CLIENT, "tls: (enable: false, require: false)", "3 ");
    assert!(said.contains("large packets vanish: of about 1400 bytes they get through"), "{said}");
}

#[test]
fn doctor_says_that_large_packets_vanish_where_a_handshake_has_them() {
    let said = doctor(TO_CLIENT, "", "3 ");
    assert!(said.contains("large packets vanish"), "{said}");
}

#[test]
fn doctor_says_that_large_packets_vanish_where_only_data_go() {
    let said = doctor(DATA, "", "6 ");
    assert!(said.contains("large packets vanish: of about 1280 bytes they get through"), "{said}");
}
