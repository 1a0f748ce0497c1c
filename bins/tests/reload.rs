//! A configuration that is read again by running programs, for a signal and for a console.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod support;

use std::path::{Path, PathBuf};

use rustix::process::Signal;

use support::console::Console;
use support::daemon::Daemon;

fn director(folder: &Path) -> (Daemon, Console) {
    let program = [PathBuf::from(env!("CARGO_BIN_EXE_towline-dir"))];
    let daemon = Daemon::start("director", &program, folder, |port| {
        format!(
            "(director: (name: \"d\", password: \"p\", listen: [\"127.0.0.1\"], port: {port}, working_directory: {folder:?}),\n\
             pools: [(name: \"first\")],\n\
             catalog: sqlite(path: \"catalog.sqlite\"))\n"
        )
    });
    let port = daemon.address.port();
    let text = format!("(director: (name: \"d\", address: \"127.0.0.1\", port: {port}, password: \"p\"))");
    std::fs::write(folder.join("console.ron"), text).unwrap();
    (daemon, Console::new(folder.join("console.ron")))
}

#[test]
fn a_director_goes_by_what_its_files_say_after_the_signal_and_after_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let (mut daemon, console) = director(folder.path());
    assert!(!console.ask(&[".pools"]).contains("second"));
    daemon.rewrite("(name: \"first\")", "(name: \"first\"), (name: \"second\")");
    let from = daemon.log.count();
    daemon.signal(Signal::HUP);
    daemon.logged(from, "that it has read it again", |line| line.contains("the configuration was read again"));
    assert!(console.ask(&[".pools"]).contains("second"));
    daemon.rewrite("second", "third");
    assert!(console.ask(&["reload"]).contains("reloaded\n"));
    let pools = console.ask(&[".pools"]);
    assert!(pools.contains("third") && !pools.contains("second"), "{pools}");
    assert!(console.ask(&["list pools"]).contains("third"), "the catalog has it too");
    // Its port is not one of the things that change.
    let port = daemon.address.port();
    daemon.rewrite(&format!("port: {port}"), "port: 1");
    let answer = console.ask(&["reload"]);
    assert!(answer.contains("restarted: director.port."), "{answer}");
    assert!(daemon.runs());
}

#[test]
fn a_file_with_an_error_changes_nothing_and_its_line_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (mut daemon, console) = director(folder.path());
    daemon.rewrite("(name: \"first\")", "(nam: \"first\", label_format: \"p-\")");
    let from = daemon.log.count();
    daemon.signal(Signal::HUP);
    daemon.logged(from, "the code", |line| line.contains("T0775"));
    let line = daemon.logged(from, "the finding", |line| line.contains("director.ron:2:"));
    assert!(line.contains("`nam`"), "{line}");
    let (code, answer, _) = console.try_to_ask(&["reload"]);
    assert_eq!(code, Some(2), "{answer}");
    assert!(answer.contains("The earlier configuration stays in use (T0775)"), "{answer}");
    assert!(answer.contains("director.ron:2:"), "{answer}");
    assert!(console.ask(&[".pools"]).contains("first"));
    assert!(daemon.runs());
}

/// A director whose configuration is a tree in Bareos' syntax.
fn of_tree(folder: &Path) -> (Daemon, Console) {
    let program = [PathBuf::from(env!("CARGO_BIN_EXE_towline-dir"))];
    let put = |name: &str, text: String| {
        let file = folder.join("bareos-dir.d").join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    };
    let daemon = Daemon::start_with("director", &program, folder.to_owned(), |port| {
        put(
            "director/d.conf",
            format!(
                "Director {{ Name = d; Password = p; Address = 127.0.0.1; Port = {port}; QueryFile = /x; Messages = Standard\n\
                 Working Directory = {} }}\n",
                folder.display()
            ),
        );
        put("catalog/c.conf", "Catalog { Name = MyCatalog; DbDriver = sqlite3; DbName = c; DbUser = x }\n".to_owned());
        put("messages/s.conf", "Messages { Name = Standard; Console = all }\n".to_owned());
    });
    let port = daemon.address.port();
    let text = format!("(director: (name: \"d\", address: \"127.0.0.1\", port: {port}, password: \"p\"))");
    std::fs::write(folder.join("console.ron"), text).unwrap();
    (daemon, Console::new(folder.join("console.ron")))
}

#[test]
fn a_client_is_added_with_its_file_and_what_its_file_daemon_needs() {
    let folder = tempfile::tempdir().unwrap();
    let (mut daemon, console) = of_tree(folder.path());
    let line = "configure add client name=laptop-fd address=192.0.2.7 password=\"se;cret\" \"heartbeatinterval\"=30";
    let answer = console.ask(&[line]);
    let file = folder.path().join("bareos-dir.d/client/laptop-fd.conf");
    assert!(
        answer.contains(&format!("Created resource config file {:?}:\nClient {{\n", file.display().to_string())),
        "{answer}"
    );
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(
        text,
        "Client {\n  Name = \"laptop-fd\"\n  address = \"192.0.2.7\"\n  password = \"se;cret\"\n  heartbeatinterval = 30\n}\n"
    );
    let exported = folder.path().join("bareos-dir-export/client/laptop-fd/bareos-fd.d/director/d.conf");
    assert!(answer.contains("Exported resource file"), "{answer}");
    let exported = std::fs::read_to_string(exported).unwrap();
    assert!(exported.starts_with("Director {\n  Name = \"d\"\n  Password = \"[md5]"), "{exported}");
    assert!(console.ask(&[".clients"]).contains("laptop-fd"));
    // What is wrong is told with the name that the file was to have, and nothing of it stays.
    let answer = console.ask(&["configure add job name=j type=backup client=nobody"]);
    assert!(answer.contains("bareos-dir.d/job/j.conf:"), "{answer}");
    assert!(!answer.contains(".new"), "{answer}");
    let jobs = std::fs::read_dir(folder.path().join("bareos-dir.d/job")).unwrap().count();
    assert_eq!(jobs, 0);
    assert!(console.ask(&[line]).contains("laptop-fd.conf is there already"));
    assert!(console.ask(&["configure add client name=b adress=x password=y"]).contains("adress"));
    let json = console.ask(&[".api 2 compact=yes", "configure add client name=b address=x password=y"]);
    assert!(
        json.contains(r#""clientname":"b","component":"bareos-fd","resource":"director","name":"d","filename":"#),
        "{json}"
    );
    assert!(daemon.runs());
}

/// A monitor of a daemon: whether it is let in with this password.
fn is_let_in(folder: &Path, list: &str, port: u16, password: &str) -> bool {
    let file = folder.join("tray.ron");
    let daemon = format!(r#"(name: "x", address: "127.0.0.1", port: {port}, password: "{password}")"#);
    let text = format!(r#"(monitor: (name: "m", timeout: 4, refresh_interval: 5), {list}: [{daemon}])"#);
    std::fs::write(&file, text).unwrap();
    let tray =
        std::process::Command::new(env!("CARGO_BIN_EXE_towline-tray")).args(["--once", "-c"]).arg(&file).output();
    tray.unwrap().status.code() == Some(0)
}

/// Changes a daemon's password for the monitor, breaks its file, and changes what only a restart changes.
fn reads_again(mut daemon: Daemon, folder: &Path, list: &str) {
    let port = daemon.address.port();
    assert!(is_let_in(folder, list, port, "old"));
    let read = |daemon: &Daemon, what: &str| {
        let from = daemon.log.count();
        daemon.signal(Signal::HUP);
        daemon.logged(from, what, |line| line.contains(what))
    };
    daemon.rewrite("\"old\"", "\"new\"");
    read(&daemon, "the configuration was read again");
    assert!(is_let_in(folder, list, port, "new") && !is_let_in(folder, list, port, "old"));
    daemon.rewrite("monitor: true", "monitor: maybe");
    let from = daemon.log.count();
    read(&daemon, "T0775");
    daemon.logged(from, "the line", |line| line.contains(".ron:2:"));
    assert!(is_let_in(folder, list, port, "new"));
    daemon.rewrite("monitor: maybe", "monitor: true");
    daemon.rewrite(&format!("port: {port}"), "port: 1");
    read(&daemon, "T0776");
    assert!(is_let_in(folder, list, port, "new") && daemon.runs());
}

#[test]
fn a_file_daemon_goes_by_what_its_file_says_after_the_signal() {
    let folder = tempfile::tempdir().unwrap();
    let program = [PathBuf::from(env!("CARGO_BIN_EXE_towline-fd"))];
    let daemon = Daemon::start("fd", &program, folder.path(), |port| {
        format!(
            "(file: (name: \"x\", listen: [\"127.0.0.1\"], port: {port}),\n\
             directors: [(name: \"m\", password: \"old\", monitor: true)])\n"
        )
    });
    reads_again(daemon, folder.path(), "clients");
}

#[test]
fn a_storage_daemon_goes_by_what_its_file_says_after_the_signal() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("vol")).unwrap();
    let program = [PathBuf::from(env!("CARGO_BIN_EXE_towline-sd"))];
    let daemon = Daemon::start("sd", &program, folder.path(), |port| {
        format!(
            "(storage: (name: \"x\", listen: [\"127.0.0.1\"], port: {port}),\n\
             directors: [(name: \"m\", password: \"old\", monitor: true)],\n\
             devices: [(name: \"d\", media_type: \"File\", archive_device: \"vol\")])\n"
        )
    });
    let from = daemon.log.count();
    daemon.signal(Signal::HUP);
    daemon.logged(from, "that it has read it again", |line| line.contains("the configuration was read again"));
    assert!(
        !daemon.log.from(from).iter().any(|line| line.contains("T0776")),
        "nothing has changed: {:?}",
        daemon.log.from(from)
    );
    reads_again(daemon, folder.path(), "storages");
}

#[test]
fn a_resource_is_added_to_a_configuration_of_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let (mut daemon, console) = director(folder.path());
    let file = folder.path().join("director.ron");
    let old = std::fs::read_to_string(&file).unwrap();
    let answer = console.ask(&["configure add pool name=second labelformat=s-"]);
    assert!(
        answer.contains(&format!("Added to config file {:?}:\n(\n    name: \"second\"", file.display().to_string())),
        "{answer}"
    );
    assert!(console.ask(&[".pools"]).contains("second"));
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, after) = old.split_at(old.find("(name: \"first\")").unwrap() + "(name: \"first\")".len());
    assert!(text.starts_with(before) && text.ends_with(after) && text.contains("label_format: \"s-\""), "{text}");
    // What does not read well leaves the file as it is.
    let wrong = console.ask(&["configure add job name=j type=backup client=nobody"]);
    assert!(wrong.contains("`Job` needs the directive `Pool`") && !wrong.contains(".new"), "{wrong}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let twice = console.ask(&["configure add pool name=second"]);
    assert!(twice.contains("The earlier configuration stays in use"), "{twice}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    assert_eq!(
        std::fs::read_dir(folder.path())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains(".new"))
            .count(),
        0
    );
    assert!(daemon.runs());
}

#[test]
fn a_resource_is_added_to_the_only_file_in_bareos_syntax() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bareos-dir.conf");
    let program = [PathBuf::from(env!("CARGO_BIN_EXE_towline-dir"))];
    let mut daemon = Daemon::start_with("director", &program, file.clone(), |port| {
        let text = format!(
            "# mine\nDirector {{ Name = d; Password = p; Address = 127.0.0.1; Port = {port}; Messages = Standard\n\
             Working Directory = {} }}\nMessages {{ Name = Standard; Console = all }}\n\
             Catalog {{ Name = MyCatalog; DbDriver = sqlite3; DbName = c; DbUser = x }}\n",
            folder.path().display()
        );
        std::fs::write(&file, text).unwrap();
    });
    let port = daemon.address.port();
    let text = format!("(director: (name: \"d\", address: \"127.0.0.1\", port: {port}, password: \"p\"))");
    std::fs::write(folder.path().join("console.ron"), text).unwrap();
    let console = Console::new(folder.path().join("console.ron"));
    let old = std::fs::read_to_string(&file).unwrap();
    let answer = console.ask(&["configure add client name=laptop-fd address=192.0.2.7 password=\"se;cret\""]);
    assert!(answer.contains("Added to config file") && answer.contains("Exported resource file"), "{answer}");
    assert!(console.ask(&[".clients"]).contains("laptop-fd"));
    let text = std::fs::read_to_string(&file).unwrap();
    let wanted = "\nClient {\n  Name = \"laptop-fd\"\n  address = \"192.0.2.7\"\n  password = \"se;cret\"\n}\n";
    assert_eq!(text, old + wanted);
    assert!(daemon.runs());
}
